"""Concave penalties by local linear approximation (Zou and Li, Ann. Statist. 36(4), 2008).

At given coefficients the weighted L1 penalty with the slopes of the concave one is as high and
nowhere below it, but for a constant. So the solution of that convex problem has no larger
objective, and neither have those that follow, with slopes renewed at each: they descend to a
stationary point, where slopes and coefficients agree. Which one it is depends on the start. It is
the solution with the L1 part alone at the same alpha, so that a fit hangs on its own alpha and on
no path that led there.

Each convex problem is left to a solver for such, and comes with its certificate. The gap that is
told is that of the convex problem whose slopes are those at the coefficients themselves: it is
zero at stationary points.

The descent is linear, with a rate near one where the problem is hardly convex. But while signs and
pieces of the slopes stay, what it converges to is the minimum of a smooth function of the active
coefficients, a quadratic one for the squared loss. Once they have stayed for a step Newton's method
goes there, as far as they stay, and the next convex problem begins where that ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from ..data.design import Array, Index
from ..objective.nonconvex import ConcavePenalty, ScaledConcave
from .base import Bound, Settings, Solution, SolveFunction
from .newton.model import CurvedModel
from .newton.rows import TargetLoss

# Slopes have settled that change by less than this share of those at zero.
SETTLED = 1e-10


def solve(
    convex: SolveFunction, bound: Bound, alphas: Array, start: Array, settings: Settings
) -> Iterator[Solution]:
    """See `base.py` for the contract; `convex` solves problems with an L1 part."""
    penalty = bound.penalty
    assert isinstance(penalty, ConcavePenalty)
    target = bound.target
    if bound.loss.quadratic:  # known once for all convex problems
        target = replace(target, correlations=bound.correlations)
    n_targets = start.shape[1]
    each = [replace(bound, target=target.of(k)) for k in range(n_targets)]
    first = convex(replace(bound, penalty=penalty.convex), alphas, start, settings)
    for alpha, found in zip(alphas.tolist(), first, strict=True):
        descents = [_Descent(convex, one, penalty, alpha, settings) for one in each]
        parts = [found] if n_targets == 1 else [Solution(*one) for one in zip(*found, strict=True)]
        yield Solution.joined(
            [descent.run(begin) for descent, begin in zip(descents, parts, strict=True)]
        )


class _Descent:
    """The descent at one alpha for one target, from a solution with the L1 part alone."""

    def __init__(
        self,
        convex: SolveFunction,
        bound: Bound,
        penalty: ConcavePenalty,
        alpha: float,
        settings: Settings,
    ) -> None:
        self.convex, self.bound, self.settings = convex, bound, settings
        self.penalty, self.alphas = penalty, np.array([alpha])
        self.concave: ScaledConcave = penalty.concave_at(alpha)

    def run(self, found: Solution) -> Solution:
        """The last solution."""
        w, shares, n_iter = found.coef, np.ones(len(found.coef)), int(found.n_iter)
        pieces = self.concave.pieces(w)
        for _ in range(self.settings.max_iter):
            before, shares = shares, self.concave.shares(w)
            if settled(shares, before):
                return found._replace(n_iter=n_iter)
            found = self._with_shares(shares, w)
            n_iter += int(found.n_iter)
            w, last, pieces = found.coef, pieces, self.concave.pieces(found.coef)
            if np.array_equal(last, pieces):
                w = self._ahead(w, shares, pieces)
        return self._with_gap(found, shares)._replace(n_iter=n_iter)

    def _with_shares(self, shares: Array, start: Array) -> Solution:
        """The solution of the convex problem with these shares of its L1 part."""
        bound = replace(self.bound, penalty=self.penalty.weighted(shares))
        (found,) = self.convex(bound, self.alphas, start[:, None], self.settings)
        return found

    def _with_gap(self, found: Solution, shares: Array) -> Solution:
        """A solution for given shares with a gap for its own."""
        own = self.concave.shares(found.coef)
        if settled(own, shares):
            return found
        best = self._with_shares(own, found.coef)
        touching = self.concave.touching(found.coef)
        lower = 0.5 * best.rss + touching.value(best.coef).sum()
        above = 0.5 * found.rss + touching.value(found.coef).sum() - lower
        return found._replace(gap=best.gap + max(float(above), 0.0) / self._unit)

    @property
    def _unit(self) -> float:
        """Unit of gaps."""
        if self.bound.loss.quadratic:
            return float(self.bound.target.units[0])
        return TargetLoss(self.bound).unit

    def _ahead(self, w: Array, shares: Array, pieces: NDArray[np.intp]) -> Array:
        """Newton's step for the active coefficients from the solution w for given shares.

        It is not taken where a coefficient would leave its piece, or there is no minimum.
        """
        index = np.flatnonzero(self.concave.smooth(w))
        curvature, bend = self._curvature(w, index), self.concave.curvature(w)[index]
        curvature.ravel()[:: len(index) + 1] += bend
        # w is optimal for the shares it has, and lacks nothing but what these are wrong by
        try:
            step = linalg.solve(
                curvature,
                self.concave.excess(w, shares)[index],
                assume_a="pos",
                check_finite=False,
            )
        except linalg.LinAlgError:
            return w
        ahead = w.copy()
        ahead[index] += step
        return ahead if np.array_equal(self.concave.pieces(ahead), pieces) else w

    def _curvature(self, w: Array, index: Index) -> Array:
        """Second derivatives of the mean loss in some coefficients, the intercept following."""
        design, loss = self.bound.design, self.bound.loss
        if loss.quadratic:
            if design.has_gram:
                return design.gram()[np.ix_(index, index)]
            return design.subset(index).gram()
        rows = TargetLoss(self.bound)
        _, eta = rows.beside(design.predict(w))
        return CurvedModel(design.subset(index), rows.slopes(eta)[1], rows.has_intercept).gram


def settled(shares: Array, before: Array) -> bool:
    """Whether shares are those of the step before."""
    return not np.count_nonzero(np.abs(shares - before) > SETTLED)
