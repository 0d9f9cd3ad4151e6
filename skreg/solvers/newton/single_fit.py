"""A single fit over few features, by Newton's method on the rows as they are.

X is neither centred nor copied: the intercept is a column like another, and what a step asks of the
rows is summed block by block in the cache. No loss is evaluated to certify: that the steps have
become short is told by the model, and how much the loss then adds to the gap by the last one, see
`passes.py`. There is no line search either. Where steps do not become short soon, or columns are
far from zero beside their spread or nearly constant, another method is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.linalg.lapack import dposv

from ...data.design import Array
from ...objective.duality import ridge_gaps
from ..base import Bound, Settings, Solution
from ..tolerances import KKT_ROUNDING, KKT_TOLERANCE
from .certificate import certified
from .minima import MOST_ROUNDS_SIDE_BY_SIDE
from .passes import bound_of_kept
from .rows import SAME_RESIDUAL, target_rows

# Features that a Gram matrix and a system of equations a step are cheap for.
FEW_IN_A_FIT = 64
# Entries of X in a block, which with as many weighted ones stay in the second level of a cache.
ENTRIES_OF_ROWS = 1 << 15
# Products of matrices of so many multiplications take OpenBLAS less time than larger ones, or those
# of a matrix with itself.
QUICK_PRODUCT = 10**6
# Steps, most fits from the null model take five to nine.
MOST_STEPS_OF_A_FIT = 12
# A step is taken to be the last where the mean square of the linear predictor's change under the
# curvature is below this, as a share of the unit times the root of the error that is aimed for.
SHORT_STEP = 0.3
# After a step whose mean square is below this share of the unit the Gram matrix is kept for one
# more: the curvatures are others by 1e-3, and a Gram matrix is three quarters of a step.
SHORT_FOR_A_CHORD = 3e-8
# The first steps from the solution on a part of the rows take the Gram matrix of one in so many,
# which leaves a fiftieth of the error.
IN_A_SAMPLE, SAMPLED_STEPS = 4, 2
# Of the sums of squares under the curvatures what is left when the means are taken off: with less,
# or next to nothing, digits are lost.
LEAST_SPREAD = 1e-2

Blocks = list[tuple[slice, Array]]


@dataclass
class SumsOfRows:
    """What rows have at coefficients: the linear predictor, curvatures, and sums over the rows.

    Attributes
    ----------
    gram : ndarray of shape (q, q)
    slope : ndarray of shape (q,)
    """

    eta: Array
    h: Array
    gram: Array
    slope: Array


class SingleFit:
    """The fit of one target.

    Attributes
    ----------
    to_raw : ndarray of shape (m,)
        What a coefficient of the design is multiplied by to be one of X as it is.
    """

    def __init__(self, bound: Bound, alpha: float) -> None:
        self.design, self.penalty, self.alpha = bound.design, bound.penalty, alpha
        self.rows = target_rows(bound)
        m, design = self.design.n_features, self.design
        self.to_raw = design.to_raw(np.ones(m))
        self.extra = int(self.rows.has_intercept)
        ratio, penalty = bound.penalty.l1_ratio, bound.penalty
        self.rates, self.ridges, self.noise = (np.zeros(m + self.extra) for _ in range(3))
        self.rates[:m] = alpha * ratio * penalty.factors / self.to_raw
        self.ridges[:m] = alpha * (1.0 - ratio) * penalty.l2_factors / self.to_raw**2
        if ratio or not self.ridges[:m].all():
            self.noise[:m] = KKT_ROUNDING * np.sqrt(design.variances * self.rows.square)
        self.free = self.rates == 0.0
        self.threshold = (1.0 + KKT_TOLERANCE) * self.rates + self.noise
        self.has_l1, q = bool(self.rates.any()), m + self.extra
        self._step = max(1, min(ENTRIES_OF_ROWS // q, QUICK_PRODUCT // q**2))
        self._one_block: Blocks | None = None
        if design.n_samples <= self._step:
            self._one_block = list(design.rows_as_they_are(self._step))

    def _blocks(self) -> Blocks | Iterator[tuple[slice, Array]]:
        return self._one_block or self.design.rows_as_they_are(self._step)

    def sums(self, w: Array, kept: SumsOfRows | None, every: int = 1) -> SumsOfRows:
        """A pass over the rows.

        The Gram matrix is that of sums that are `kept`, or of one in so many rows.
        """
        rows, q, m = self.rows, len(w), self.design.n_features
        eta, h = np.empty(len(rows.y)), np.empty(len(rows.y))
        shift = rows.offset + (w[m] if self.extra else 0.0)
        gram, slope = np.zeros((q, q)) if kept is None else kept.gram, np.zeros(q)
        total = 0.0
        room = np.empty((self._step // every + 1, q))
        for block, X in self._blocks():
            here = np.dot(X, w[:m], out=eta[block])
            here += shift[block]
            r, bend = rows.loss.gradient_and_curvature(here, rows.y[block])
            h[block], weight = bend, rows.omega[block]
            if rows.counted is not None:
                r, bend = (np.where(rows.counted[block], one, 0.0) for one in (r, bend))
            r *= weight
            bend *= weight
            slope[:m] += r.dot(X)
            if self.extra:
                slope[m] += r.sum()
            if kept is not None:
                continue
            X, bend = X[::every], bend[::every]
            part = room[: len(X)]
            np.multiply(X, bend[:, None], out=part[:, :m])
            part[:, m:] = bend[:, None]
            gram[:m] += X.T.dot(part)
            total += bend.sum()
        if kept is None:
            gram[m:, :m], gram[m:, m:] = gram[:m, m:].T, total
            if every > 1:
                gram *= every
        return SumsOfRows(eta, h, gram, slope)

    def predictor(self, w: Array) -> Array:
        """The linear predictor without an offset."""
        m, found = self.design.n_features, np.empty(self.design.n_samples)
        for block, X in self._blocks():
            np.dot(X, w[:m], out=found[block])
        if self.extra:
            found += w[m]
        return found

    def bound(self, moved: Array, h: Array | None, own: Array) -> Array:
        """What the loss adds to the gap after a step under curvatures h, or under its own."""
        rows = self.rows
        if rows.counted is not None:
            moved, own = moved * rows.counted, np.where(rows.counted, own, 1.0)
        each = moved[None].copy(), None if h is None else h[None].copy(), own[None]
        gap, outside = bound_of_kept(*each, rows.omega)
        inside = outside <= SAME_RESIDUAL * np.sqrt(rows.square)
        return np.where(inside, gap, np.inf)

    def minimum(self, w: Array, at: SumsOfRows) -> tuple[Array, Array] | None:
        """Coefficients at the minimum of the model, and the correlations of its residual."""
        C = at.gram.dot(w) - at.slope
        if not self.has_l1:
            matrix = at.gram.copy()
            matrix.reshape(-1)[:: len(w) + 1] += self.ridges
            _, found, info = dposv(matrix, C, lower=1, overwrite_a=1)
            return None if info else (found, C - at.gram.dot(found))
        sign = np.sign(w)
        sign[(sign == 0.0) & (at.slope > self.threshold)] = -1.0
        sign[(sign == 0.0) & (at.slope < -self.threshold)] = 1.0
        return self._rounds(at.gram, C, sign)

    def _rounds(self, gram: Array, C: Array, sign: Array) -> tuple[Array, Array] | None:
        """The same with an L1 part, from a guess of the signs that is corrected round by round."""
        sign[self.free] = 0.0
        for _ in range(MOST_ROUNDS_SIDE_BY_SIDE):
            active = (sign != 0.0) | self.free
            chosen = active.nonzero()[0]
            matrix = gram.take(chosen, 0).take(chosen, 1)
            matrix.reshape(-1)[:: len(chosen) + 1] += self.ridges.take(chosen)
            rhs = (C - self.rates * sign).take(chosen)
            found, w, q = np.empty(0), np.zeros(len(C)), C
            if len(chosen):
                _, found, info = dposv(matrix, rhs, lower=1, overwrite_a=1, overwrite_b=1)
                if info:
                    return None
                w[chosen] = found
                q = C - gram.dot(w)
            enter = np.abs(q) > self.threshold
            enter[chosen] = False
            leave = w * sign < 0.0
            if not (np.count_nonzero(enter) or np.count_nonzero(leave)):
                return w, q
            sign[leave] = 0.0
            sign[enter] = np.sign(q[enter])
        return None

    def solution(self, w: Array, q: Array, eta: Array, error: Array, n_iter: int) -> Solution:
        """What is found, with its certificate.

        Degrees of freedom are left out where there is no L1 part, as they take a decomposition.
        """
        rows, m, unit = self.rows, self.design.n_features, self.to_raw
        coef, b = w[:m] / unit, float(w[m]) if self.extra else 0.0
        q = q[:m] * unit
        of_ridge = ridge_gaps(coef, q, self.penalty.at(self.alpha))
        if of_ridge is None:
            each = self.penalty.at_each(np.array([self.alpha]))
            point = coef[None], q[None], eta[None]
            gaps, values = certified(rows, each, *point, error, self.noise[:m] * unit)
            gap, value = float(gaps[0]), float(values[0])
        else:
            gap, value = float(error[0]) + float(of_ridge) / rows.unit, rows.value(eta)
        deviance = max(2.0 * (value - rows.saturated), 0.0)
        df = float(np.count_nonzero(coef)) if self.has_l1 else np.nan
        return Solution(coef, gap, n_iter, deviance, df, b)

    def usable(self, gram: Array) -> bool:
        """Whether columns are near zero beside their spread, and none is constant."""
        squares = gram.diagonal()
        if self.extra:
            off = gram[-1, :-1]
            least = (1.0 + LEAST_SPREAD) * off * off
            return bool((squares[:-1] * gram[-1, -1] > least).all())
        return bool((squares > 0.0).all())


def fit_alone(
    bound: Bound,
    alpha: float,
    start: Array,
    settings: Settings,
    aims: tuple[float, float],
    intercept: float | None = None,
    sampled: bool = False,
) -> Solution | None:
    """The solution at one alpha, or None where another method is better.

    The start may have an `intercept`, on the user's scale, and be `sampled`, the solution on a part
    of the rows; `aims` are the largest relative gap and the largest error of a step.
    """
    design = bound.design
    if not fits_alone(bound):
        return None
    fit = SingleFit(bound, alpha)
    rows, m = fit.rows, design.n_features
    w = np.zeros(m + fit.extra)
    w[:m] = start * fit.to_raw
    if design.mean is not None:
        if intercept is None:
            predictor = design.predict(start) if start.any() else None
            intercept = rows.beside(predictor)[0] - float(design.mean.dot(w[:m]))
        w[m] = intercept
    unit = rows.unit
    short = SHORT_STEP * np.sqrt(aims[1]) * unit
    at, keeps, every = None, False, IN_A_SAMPLE if sampled else 1
    for n_iter in range(1, min(settings.max_iter, MOST_STEPS_OF_A_FIT) + 1):
        kept, every = at if keeps else None, every if n_iter <= SAMPLED_STEPS else 1
        at = fit.sums(w, kept, every)
        if kept is None and not (np.isfinite(at.gram).all() and fit.usable(at.gram)):
            return None
        model = fit.minimum(w, at)
        if model is None:
            return None
        (w, q), change = model, model[0] - w
        size = float(change.dot(at.gram).dot(change))
        keeps = kept is None and every == 1 and size <= SHORT_FOR_A_CHORD * unit
        if every > 1 or (kept is None and size > short):
            continue
        moved = fit.predictor(change)
        error = fit.bound(moved, None if kept is None else kept.h, at.h) / unit
        if error[0] <= aims[1]:
            found = fit.solution(w, q, at.eta + moved, error, n_iter)
            return found if found.gap <= aims[0] else None
    return None


def fits_alone(bound: Bound) -> bool:
    """Whether the loss, the penalty and the design are made for it."""
    design, penalty = bound.design, bound.penalty
    smooth = bound.loss.gap_from_curvature and not penalty.boxed
    few = design.n_features <= min(FEW_IN_A_FIT, design.n_samples)
    dense = design.has_rows and not design.sparse
    scaled = design.inv_scale is None or bool(design.inv_scale.all())
    return smooth and few and dense and scaled and bound.target.raw.shape[1] == 1
