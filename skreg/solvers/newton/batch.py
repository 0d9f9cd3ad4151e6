"""Newton's method at several alphas at once, each sweep a few products for all of them.

From linear predictors near those of the solutions a sweep is, for every alpha of the batch,

1. the loss at the linear predictor, and the correlations of its residuals (`passes.py`);
2. the minimum of Newton's model with the penalty (`minima.py`), under curvatures that all share or
   that are its own (`curvatures.py`);
3. the step to it, and a bound of what the loss adds to the gap there, at the residual u of the
   model.

Alphas with a small error are done, the others go on. At the end the correlations of u are the KKT
check of all features and give the rest of the gap, see `certificate.py`. There is no line search:
where the error of an alpha falls too slowly under curvatures that are new, its minimum is not
found, as its active features depend on each other, or a feature outside the working set violates
its KKT condition, the batch ends before that alpha.
"""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np

from ...data.design import Array, Index
from ..base import Mask
from ..quadratic.kkt_check import ReferencePoint
from ..tolerances import KKT_TOLERANCE
from .certificate import certified
from .curvatures import Curvatures, CurvatureSource, Sums
from .passes import Passes
from .rows import TargetLoss
from .screening import Features, look_outside

# Sweeps of one batch.
MOST_SWEEPS = 8
# The error falls to this share or less with a sweep, or curvatures are renewed.
SWEEP_CONTRACTION = 0.25
# Both of a sparse X, of which a Gram matrix takes as long as many sweeps.
SPARSE_SWEEPS, SPARSE_CONTRACTION = 14, 0.5
# Sweeps with the same curvature before a slow one is a reason to renew it.
WORTH_RENEWING = 2


class Points(NamedTuple):
    """Coefficients of some features, (k, m), intercepts, (k,), and linear predictors, (k, n)."""

    W: Array
    b: Array
    eta: Array

    def take(self, chosen: Index | slice) -> Points:
        """Some of them."""
        return Points(self.W[chosen], self.b[chosen], self.eta[chosen])

    def combined(self, shares: Array) -> Points:
        """Weighted sums of them, (n_sums, k) being the weights."""
        return Points(*(shares.dot(each) for each in self))


class Solved(NamedTuple):
    """Alphas that are solved, with relative gaps, mean losses and numbers of sweeps."""

    alphas: Array
    points: Points
    gaps: Array
    values: Array
    n_iter: Array

    @classmethod
    def joined(cls, one: Self, other: Self) -> Self:
        """Both in the order of alphas."""
        order = np.argsort(-np.concatenate([one.alphas, other.alphas]), kind="stable")
        pairs = zip(one.points, other.points, strict=True)
        points = Points._make(np.concatenate(pair)[order] for pair in pairs)
        numbers = zip(one.numbers, other.numbers, strict=True)
        alphas, gaps, values, n_iter = (np.concatenate(pair)[order] for pair in numbers)
        return cls(alphas, points, gaps, values, n_iter)

    @property
    def numbers(self) -> tuple[Array, Array, Array, Array]:
        """All but the points."""
        return self.alphas, self.gaps, self.values, self.n_iter

    def first(self, count: int) -> Self:
        """The first few."""
        alphas, gaps, values, n_iter = (one[:count] for one in self.numbers)
        return type(self)(alphas, self.points.take(slice(count)), gaps, values, n_iter)

    def up_to(self, done: int, aim: float) -> Self:
        """Those before the first of these whose gap is too large."""
        small = self.gaps[:done] <= aim
        return self.first(done if small.all() else int(small.argmin()))


class Batch:
    """The alphas of one batch.

    Parameters
    ----------
    rows : TargetLoss
    features : Features
    alphas : ndarray of shape (k,)
        In any order.

    Attributes
    ----------
    done : int
        So many alphas, from the first, are solved. What follows is right for these.
    points : Points
    ends : tuple of ReferencePoint, or None
        Correlations of u at or before the first of them, and at the last; None where all features
        are in the working set.
    gaps, values, n_iter : ndarray of shape (k,)
        Relative gaps, mean losses and sweeps.
    missing : ndarray of int
        Features that violate their KKT conditions at the next alpha.
    n_later : int
        How many alphas all sweeps but the first had together.
    """

    points: Points
    gaps: Array
    values: Array
    _dual: Array
    _errors: Array

    def __init__(self, rows: TargetLoss, features: Features, alphas: Array) -> None:
        self.rows, self.features, self.alphas = rows, features, alphas
        index, penalty, ratio = features.index, features.penalty, features.penalty.l1_ratio
        self._own = penalty.take(index)
        self._rates = ratio * self._own.factors
        self._ridges = (1.0 - ratio) * self._own.l2_factors if ratio < 1.0 else None
        usable = (features.design.variances[index] > 0) & self._own.movable
        self._slack = np.where(usable, features.noise[index], np.inf)
        free = usable & (self._rates == 0.0)
        self._free = free if np.count_nonzero(free) else None
        self.n_iter, self.missing = np.zeros(len(alphas)), index[:0]
        self.ends: tuple[ReferencePoint, ReferencePoint] | None = None
        self.done = self.n_sweeps = self.n_later = 0

    @property
    def solved(self) -> Solved:
        """The alphas that are."""
        return Solved(self.alphas, self.points, self.gaps, self.values, self.n_iter).first(
            self.done
        )

    def run(
        self,
        passes: Passes,
        source: CurvatureSource,
        start: Points,
        active: Mask,
        aims: tuple[float, float],
        limits: tuple[int, float],
    ) -> None:
        """Sweep until all alphas are solved, or one is not to be.

        `active`, (k, m), are features taken to be active with the sign they have at the `start`.
        `aims` are the largest relative gap and the largest error, `limits` how many sweeps there
        are at most and `SWEEP_CONTRACTION`.
        """
        W, b, eta = start
        left, last, end, age = np.arange(len(W)), np.full(len(W), np.inf), len(W), 0
        sign = np.where(active, np.sign(W), 0.0)
        for self.n_sweeps in range(1, limits[0] + 1):
            sums = passes.evaluate(eta, source)
            curved = source.at(sums)
            new, rise, q, ended = self._minima(W, sums, curved, self.alphas[left], sign)
            moved = passes.step(sums, curved, new - W, rise)
            W, b, eta, age = new, b + rise, moved.eta, age + 1
            errors = moved.gaps / self.rows.unit
            small = ended & (errors <= aims[1])
            dual = q if moved.u is None else moved.u
            self._keep(left, small, Points(W, b, eta), dual, errors)
            go = ~small
            slow = go & ~(errors <= limits[1] * last)
            renews = bool(np.count_nonzero(slow)) and age >= WORTH_RENEWING and not source.own
            lost = ~ended if renews else slow | ~ended
            if np.count_nonzero(lost):
                end = int(left[lost.argmax()])
                go &= left < end
            left = left[go]
            if not len(left):
                break
            self.n_later += len(left)
            if len(left) < len(go):
                W, b, eta, errors = W[go], b[go], eta[go], errors[go]
            if renews:
                source.renew()
                age = 0
            last, sign = errors, np.sign(W)
        self.done = int(left[0]) if len(left) else end
        if self.done:
            self._certify(aims[0])

    def _minima(
        self, W: Array, sums: Sums, curved: Curvatures, alphas: Array, sign: Array
    ) -> tuple[Array, Array, Array, Mask]:
        """Coefficients at the minima of the models, and which rounds ended.

        Between these rises of intercepts, and the correlations of the models' residuals.
        """
        scale, solver, Q = curved.scale, curved.solver, sums.Q
        level = alphas[:, None] / scale
        if self.rows.has_intercept:
            Q = Q - sums.mean[:, None] * curved.means
        Q = Q / scale
        l1, l2 = level * self._rates, None if self._ridges is None else level * self._ridges
        threshold = (1.0 + KKT_TOLERANCE) * l1 + self._slack / scale
        sign = np.where((sign == 0.0) & (np.abs(Q) > threshold), np.sign(Q), sign)
        if self._free is not None:
            sign[:, self._free] = 0.0
        Q += solver.product(W)
        new, q, ended = solver.minima(Q, l1, l2, threshold, sign, self._free)
        rise = np.zeros(len(W))
        if self.rows.has_intercept:
            rise = sums.mean / curved.total - ((new - W) * curved.means).sum(axis=1)
        return new, rise, q * scale, ended

    def _keep(self, left: Index, small: Mask, points: Points, dual: Array, errors: Array) -> None:
        """Keep what is found at alphas with a small error, at their places in the batch."""
        self.n_iter[left] = self.n_sweeps
        if self.n_sweeps == 1:
            self.points, self._dual, self._errors = points, dual, errors
        elif np.count_nonzero(small):
            at = left[small]
            for kept, found in zip(self.points, points, strict=True):
                kept[at] = found[small]
            self._dual[at], self._errors[at] = dual[small], errors[small]

    def _certify(self, aim: float) -> None:
        """See up to which alpha the gaps are small and no feature outside is missing."""
        n_done, own = self.done, self.features.index
        dual, alphas = self._dual[:n_done], self.alphas[:n_done]
        q, most, seen = dual, np.ones(n_done), None
        if not self.features.whole:
            seen = look_outside(self.features, alphas, dual)
            q, most = seen.q, seen.most
            if seen.missing is not None:
                self.done = int(seen.missing.any(axis=1).argmax())
                self.missing = seen.left[seen.missing[self.done]]
        W, eta, errors = self.points.W[:n_done], self.points.eta[:n_done], self._errors[:n_done]
        certificate = self._own.at_each(alphas), W, q, eta, errors, self.features.noise[own]
        self.gaps, self.values = certified(self.rows, *certificate, most)
        if not self.gaps.max() <= aim:
            self.done = min(self.done, int((~(self.gaps <= aim)).argmax()))
        if seen is not None and self.done:
            i = self.done - 1
            self.ends = seen.first, ReferencePoint(float(alphas[i]), dual[i].copy(), seen.at(i))
