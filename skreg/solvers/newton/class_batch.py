"""Newton's method for the multinomial loss at several alphas at once.

The sweeps are those of `batch.py`, of pairs of a feature and a class: the minima of the models with
the penalty (`class_minima.py`), under one curvature that all alphas share, and a pass over the rows
(`class_passes.py`). The same holds of how a batch ends.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...data.design import Array, Index
from ...objective.penalties import Penalty
from ..base import Mask
from ..tolerances import KKT_TOLERANCE
from .batch import MOST_SWEEPS, SWEEP_CONTRACTION, WORTH_RENEWING, Points, Solved
from .certificate import certified, outside
from .class_loss import ClassLoss
from .class_passes import ClassPasses, ClassSums, FrozenClasses


class ClassBatch:
    """The alphas of one batch.

    Parameters
    ----------
    rows : ClassLoss
    passes : ClassPasses
    penalty : Penalty
        Of all pairs.
    noise : ndarray of shape (n_classes * n_features,)
        What correlations are known to, infinite for pairs that cannot be active.
    index : ndarray of int
        The pairs in the working set.
    alphas : ndarray of shape (k,)

    Attributes
    ----------
    done : int
        So many alphas, from the first, are solved. What follows is right for these.
    points : Points
        With all classes one after the other in `eta`, and an intercept each in `b`.
    q : ndarray of shape (k, n_classes * n_features)
        Correlations of the models' residuals.
    gaps, values, n_iter : ndarray of shape (k,)
        Relative gaps, mean losses and sweeps.
    missing : ndarray of int
        Pairs that violate their KKT conditions at the next alpha.
    n_later : int
        How many alphas all sweeps but the first had together.
    """

    points: Points
    q: Array
    gaps: Array
    values: Array
    _dual: Array
    _errors: Array

    def __init__(
        self,
        rows: ClassLoss,
        passes: ClassPasses,
        penalty: Penalty,
        noise: Array,
        index: Index,
        alphas: Array,
    ) -> None:
        self.rows, self.passes, self.penalty, self.noise = rows, passes, penalty, noise
        self.index, self.alphas, self._own = index, alphas, penalty.take(index)
        self._slack, ratio = noise[index], penalty.l1_ratio
        self._rates = ratio * self._own.factors
        self._ridges = (1.0 - ratio) * self._own.l2_factors if ratio < 1.0 else None
        free = np.isfinite(self._slack) & (self._rates == 0.0)
        self._free = free if np.count_nonzero(free) else None
        self.n_iter, self.missing = np.zeros(len(alphas)), index[:0]
        self.done = self.n_sweeps = self.n_later = 0

    @property
    def solved(self) -> Solved:
        """The alphas that are."""
        return Solved(self.alphas, self.points, self.gaps, self.values, self.n_iter).first(
            self.done
        )

    def run(
        self,
        frozen: FrozenClasses | None,
        renewed: Callable[[Array], FrozenClasses],
        start: Points,
        active: Mask,
        aims: tuple[float, float],
        most: int,
        correlate: Callable[[Array], Array],
    ) -> FrozenClasses | None:
        """Sweep until all alphas are solved, or one is not to be; returns the last curvature.

        That is None where it was to be renewed.

        Parameters
        ----------
        frozen : FrozenClasses or None
            The curvature to begin with.
        renewed : callable
            Gives that at linear predictors, (n_classes * n_samples,).
        active : ndarray of bool, shape (k, m)
            Pairs taken to be active with the sign they have at the `start`.
        aims : tuple of float
            The largest relative gap and the largest error.
        correlate : callable
            Gives the correlations of all pairs with residuals, (k, n_classes * n_samples).
        """
        W, b, left = start.W, start.b, np.arange(len(self.alphas))
        last, end, age = np.full(len(left), np.inf), len(left), 0
        sign, sums = np.where(active, np.sign(W), 0.0), self.passes.start(start.eta)
        for self.n_sweeps in range(1, min(most, MOST_SWEEPS) + 1):
            if frozen is None:
                frozen, age = renewed(sums.eta[len(left) // 2]), 0
            scale = (sums.total / frozen.total)[:, None]
            new, rise, ended = self._minima(W, sums, frozen, scale, self.alphas[left], sign)
            sums = self.passes.step(sums, frozen, scale, new - W, rise)
            W, b, age = new, b + rise, age + 1
            errors = sums.gaps / self.rows.unit
            small = ended & (errors <= aims[1])
            self._keep(left, small, Points(W, b, sums.eta), sums, errors)
            go = ~small
            slow = go & ~(errors <= SWEEP_CONTRACTION * last)
            renews = bool(np.count_nonzero(slow)) and age >= WORTH_RENEWING
            if np.count_nonzero(slow) and not renews:
                end = int(left[slow.argmax()])
                go &= left < end
            left = left[go]
            if not len(left):
                break
            self.n_later += len(left)
            if len(left) < len(go):
                W, b, sums, errors = W[go], b[go], sums.take(go), errors[go]
            if renews:
                frozen = None
            last, sign = errors, np.sign(W)
        self.done = int(left[0]) if len(left) else end
        if self.done:
            self.q = correlate(self._dual[: self.done])
            self._certify(aims[0])
        return frozen

    def _minima(
        self,
        W: Array,
        sums: ClassSums,
        frozen: FrozenClasses,
        scale: Array,
        alphas: Array,
        sign: Array,
    ) -> tuple[Array, Array, Mask]:
        """Coefficients at the minima of the models, rises of intercepts, which are minima."""
        solver, level = frozen.solver, alphas[:, None] / scale
        Q = (sums.Q - sums.mean.dot(frozen.within)) / scale
        l1, l2 = level * self._rates, None if self._ridges is None else level * self._ridges
        threshold = (1.0 + KKT_TOLERANCE) * l1 + self._slack / scale
        sign = np.where((sign == 0.0) & (np.abs(Q) > threshold), np.sign(Q), sign)
        if self._free is not None:
            sign[:, self._free] = 0.0
        Q += solver.product(W)
        new, _, ended = solver.minima(Q, l1, l2, threshold, sign, self._free)
        ended &= solver.exact(new - W, 1.0, l1, self._slack / scale)
        rise = sums.mean.dot(frozen.inverse) / scale - (new - W).dot(frozen.within.T)
        return new, rise, ended

    def _keep(
        self, left: Index, small: Mask, points: Points, sums: ClassSums, errors: Array
    ) -> None:
        """Keep what is found at alphas with a small error, at their places in the batch."""
        self.n_iter[left] = self.n_sweeps
        if self.n_sweeps == 1:
            self.points, self._dual, self._errors = points, sums.dual, errors
        elif np.count_nonzero(small):
            at = left[small]
            for kept, found in zip(self.points, points, strict=True):
                kept[at] = found[small]
            self._dual[at], self._errors[at] = sums.dual[small], errors[small]

    def _certify(self, aim: float) -> None:
        """See up to which alpha the gaps are small and no pair outside is missing."""
        index, some = self.index, slice(self.done)
        alphas, W, eta = self.alphas[some], self.points.W[some], self.points.eta[some]
        most, missing = outside(self.penalty, index, self.noise, alphas, self.q)
        if missing is not None:
            self.done = int(missing.any(axis=1).argmax())
            self.missing = missing[self.done].nonzero()[0]
        certificate = self._own.at_each(alphas), W, self.q[:, index], eta, self._errors[some]
        self.gaps, self.values = certified(self.rows, *certificate, self._slack, most)
        if not self.gaps.max() <= aim:
            self.done = min(self.done, int((~(self.gaps <= aim)).argmax()))
