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

To take few of them on all features, the descent goes ahead on those that may be active: for the
squared loss on their Gram matrix, without certificates (`quadratic/concave_rounds.py`). What it
finds is where the next convex problem on all features begins, most often the last. If the objective
is higher there, that takes up where the one before ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ..data.design import Array, Design
from ..objective.nonconvex import ConcavePenalty, ScaledConcave
from .base import Bound, Settings, Solution, SolveFunction
from .newton.model import CurvedModel
from .newton.rows import TargetLoss
from .quadratic.concave_rounds import ahead_on_pieces, concave_rounds
from .quadratic.side_by_side import serves
from .quadratic.working_set import GRAM_LIMIT, WorkingSet

# Slopes have settled that change by less than this share of those at zero. What is left of the
# gap is of the order of its square.
SETTLED_SHARES = 1e-8
# Of the L1 part alone, correlations over this share of their threshold are of features that may be
# active where it is bent; with so few features all may.
NEAR_AT_FIRST, ALL_MAY_BE_ACTIVE = 0.5, 100
# Steps of a descent on a Gram matrix.
MOST_CONVEX_PROBLEMS = 200
# What rounding and the gaps of solvers may add to an objective, as a share of the unit of gaps.
RISE_OF_SOLVERS = 1e-9


def solve(
    convex: SolveFunction, bound: Bound, alphas: Array, start: Array, settings: Settings
) -> Iterator[Solution]:
    """See `base.py` for the contract; `convex` solves problems with an L1 part."""
    penalty = bound.penalty
    assert isinstance(penalty, ConcavePenalty)
    target, exact = bound.target, replace(settings, exact=True)
    if bound.loss.quadratic:  # known once for all convex problems
        target = replace(target, correlations=bound.correlations)
    n_targets = start.shape[1]
    each = [replace(bound, target=target.of(k)) for k in range(n_targets)]
    losses = [
        _Squared(one) if bound.loss.quadratic else _Smooth(convex, one, exact) for one in each
    ]
    first = convex(replace(bound, penalty=penalty.convex), alphas, start, settings)
    for alpha, found in zip(alphas.tolist(), first, strict=True):
        parts = [found] if n_targets == 1 else [Solution(*one) for one in zip(*found, strict=True)]
        yield Solution.joined(
            [
                _Descent(convex, one, loss, alpha, exact).run(begin)
                for one, loss, begin in zip(each, losses, parts, strict=True)
            ]
        )


class _Squared:
    """The descent of the squared loss on one Gram matrix, which serves all alphas."""

    def __init__(self, bound: Bound) -> None:
        self.design, self.c = bound.design, bound.correlations[:, 0]
        self.square = float(bound.target.squares[0])
        self.unit = float(bound.target.units[0])
        self.working = WorkingSet(bound.design, bound.target.centred[:, 0])
        self.whole = bound.design.has_gram or bound.design.n_features <= ALL_MAY_BE_ACTIVE

    def ahead(self, found: Solution, concave: ScaledConcave, alphas: Array) -> Array:
        """Where the descent leads to on features that may be active, unless they are many."""
        w = found.coef
        if self.whole:
            gram = self.design.gram()
            return concave_rounds(gram, self.c, concave, w, self.square, MOST_CONVEX_PROBLEMS)
        working = self.working
        working.grow(np.flatnonzero((w != 0) & ~working.inside))
        q = self.design.correlate(working.residual(w))
        working.grow(np.flatnonzero(concave.near(q, NEAR_AT_FIRST) & ~working.inside))
        if working.gram is None:
            return w
        index, ahead = working.index, np.zeros(len(w))
        problem = working.gram, self.c[index], concave.take(index), w[index], self.square
        ahead[index] = concave_rounds(*problem, MOST_CONVEX_PROBLEMS)
        return ahead


class _Smooth:
    """The descent of any other loss, by convex problems on some features.

    Where signs and pieces stay, Newton's method goes to the minimum over the active coefficients.
    """

    def __init__(self, convex: SolveFunction, bound: Bound, settings: Settings) -> None:
        self.convex, self.bound, self.settings = convex, bound, settings
        self.rows = TargetLoss(bound)
        self.unit = self.rows.unit

    def ahead(self, found: Solution, concave: ScaledConcave, alphas: Array) -> Array:
        """Where the descent leads to on features that may be active, unless they are many."""
        bound, design, w = self.bound, self.bound.design, found.coef
        q = design.correlate(self.rows.slopes(self._predictor(design, found))[0])
        index = np.flatnonzero((w != 0) | concave.near(q, NEAR_AT_FIRST))
        if len(index) > GRAM_LIMIT:
            return w
        assert isinstance(bound.penalty, ConcavePenalty)
        part, penalty = design.of_features(index), bound.penalty.take(index)
        on_part = replace(bound, design=part)
        concave, start, ahead = concave.take(index), w[index], np.zeros(len(w))
        shares, pieces = np.ones(len(index)), concave.pieces(start)
        for _ in range(MOST_CONVEX_PROBLEMS):
            before, shares = shares, concave.shares(start)
            if settled(shares, before):
                break
            problem = replace(on_part, penalty=penalty.weighted(shares))
            (found,) = self.convex(problem, alphas, start[:, None], self.settings)
            start, last, pieces = found.coef, pieces, concave.pieces(found.coef)
            if np.array_equal(last, pieces):
                h = self.rows.slopes(self._predictor(part, found))[1]
                gram = CurvedModel(part, h, self.rows.has_intercept).gram
                slopes = shares * concave.slope(np.zeros(len(index)))
                start = ahead_on_pieces(gram, concave, start, slopes, pieces)
        ahead[index] = start
        return ahead

    def _predictor(self, design: Design, found: Solution) -> Array:
        shift = float(found.intercept - design.intercept(design.to_raw(found.coef), 0.0))
        return self.rows.offset + design.predict(found.coef) + shift


class _Descent:
    """The descent at one alpha for one target, from a solution with the L1 part alone."""

    def __init__(
        self,
        convex: SolveFunction,
        bound: Bound,
        loss: _Squared | _Smooth,
        alpha: float,
        settings: Settings,
    ) -> None:
        assert isinstance(bound.penalty, ConcavePenalty)
        self.convex, self.bound, self.loss, self.settings = convex, bound, loss, settings
        self.penalty, self.alphas = bound.penalty, np.array([alpha])
        self.concave = bound.penalty.concave_at(alpha)
        self.looks_ahead = serves(bound.penalty, alpha)

    def run(self, found: Solution) -> Solution:
        """The last solution."""
        shares, n_iter = np.ones(len(found.coef)), int(found.n_iter)
        for _ in range(self.settings.max_iter):
            if settled(self.concave.shares(found.coef), shares):
                return found._replace(n_iter=n_iter)
            start = found.coef
            if self.looks_ahead:
                start = self.loss.ahead(found, self.concave, self.alphas)
            own = self.concave.shares(start)
            new = self._with_shares(own, start)
            n_iter += int(new.n_iter)
            rise = self._objective(new) - self._objective(found)
            if self.looks_ahead and rise > RISE_OF_SOLVERS * self.loss.unit:
                self.looks_ahead = False
                continue
            found, shares = new, own
        return self._with_gap(found, shares)._replace(n_iter=n_iter)

    def _with_shares(self, shares: Array, start: Array) -> Solution:
        """The solution of the convex problem with these shares of its L1 part."""
        bound = replace(self.bound, penalty=self.penalty.weighted(shares))
        (found,) = self.convex(bound, self.alphas, start[:, None], self.settings)
        return found

    def _objective(self, found: Solution) -> float:
        return 0.5 * float(found.rss) + float(self.concave.value(found.coef).sum())

    def _with_gap(self, found: Solution, shares: Array) -> Solution:
        """A solution for given shares with a gap for its own."""
        own = self.concave.shares(found.coef)
        if settled(own, shares):
            return found
        best = self._with_shares(own, found.coef)
        touching = self.concave.touching(found.coef)
        lower = 0.5 * best.rss + touching.value(best.coef).sum()
        above = 0.5 * found.rss + touching.value(found.coef).sum() - lower
        return found._replace(gap=best.gap + max(float(above), 0.0) / self.loss.unit)


def settled(shares: Array, before: Array) -> bool:
    """Whether shares are those of the step before."""
    return not np.count_nonzero(np.abs(shares - before) > SETTLED_SHARES)
