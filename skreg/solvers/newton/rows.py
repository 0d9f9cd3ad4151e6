"""The loss over the rows of one target, as a function of the linear predictor eta.

eta has all that is added to it: intercept, offset and features. Rows count with weights omega that
sum to one; slopes and curvatures are those of one row.
"""

from __future__ import annotations

import numpy as np

from ...caching import cached_property
from ...data.design import Array, Index
from ..base import Bound, Target

# A curvature below this share of the largest is raised to it: the model of the loss stays bounded,
# and what it converges to stays the same.
LEAST_CURVATURE = 1e-8
# Residuals that differ by this share of the null model's are the same.
SAME_RESIDUAL = 1e-15
# Rounding of a sum over rows, as a share of the sum of its terms' sizes.
ROUNDING_OF_SUMS = 4 * float(np.finfo(np.float64).eps)
# A null deviance below this share of its terms is rounding: the null model fits the target exactly.
EXACT = 1e-12
# Losses of so many rows are evaluated at once, for which memory is found again and again.
ENTRIES_OF_LOSSES = 1 << 16
# A deviance below this, as of classes of which there is but one, has no digits left.
VANISHED = 2.0**-900
# Entries of X up to which a path has a copy without the rows that do not count.
COPIED_WITHOUT_ROWS = 1 << 24


class TargetLoss:
    """The loss of one target; see the module's text.

    Attributes
    ----------
    intercept : float
        Of the null model, the intercept alone; zero where none is fitted.
    eta : ndarray of shape (n_samples,)
        The linear predictor of the null model.
    """

    def __init__(self, bound: Bound, k: int = 0) -> None:
        design, target = bound.design, bound.target
        self.loss, self.omega = bound.loss, design.omega
        self.has_intercept = design.mean is not None
        self.y = np.ascontiguousarray(target.raw[:, k])
        self.offset = np.zeros(len(self.y)) if target.offset is None else target.offset
        self.counted = None if self.omega.all() else self.omega > 0
        self.intercept = 0.0
        if self.has_intercept:
            self.intercept = float(self.loss.null_model(self.y, self.omega, target.offset))
        self.eta = self.offset + self.intercept

    def beside(self, predictor: Array | None) -> tuple[float, Array]:
        """The best intercept beside the features' linear predictor, and eta with both."""
        if predictor is None:
            return self.intercept, self.eta
        shifted, intercept = self.offset + predictor, 0.0
        if self.has_intercept:
            intercept = float(self.loss.null_model(self.y, self.omega, shifted))
        return intercept, shifted + intercept

    @cached_property
    def deviance(self) -> float:
        """Mean deviance of the null model, zero where it is rounding."""
        value, found = self._of_null_model
        size = abs(value) + self.mean(np.abs(self._null_residual * self.eta))
        if not self.loss.of_unit:  # constants of the loss, such as those of a likelihood
            size += self.mean(np.abs(self.y))
        rounding = EXACT * size
        return found if found > max(rounding, VANISHED) else 0.0

    @cached_property
    def saturated(self) -> float:
        """Mean loss of the saturated model, from which deviances count."""
        value, deviance = self._of_null_model
        return value - 0.5 * deviance

    @cached_property
    def _null_residual(self) -> Array:
        """Minus the slopes at the null model."""
        return self.slopes(self.eta)[0]

    @cached_property
    def _of_null_model(self) -> tuple[float, float]:
        """Mean loss and deviance of the null model, rounding and all."""
        return self.value(self.eta), self.loss.deviance(self.eta, self.y, self.omega)

    @property
    def unit(self) -> float:
        """Unit of gaps and tolerances: the null model's mean deviance, one where that is zero.

        For the squared error this is the mean square of the centred target.
        """
        return self.deviance or 1.0

    @cached_property
    def square(self) -> float:
        """Mean square of the null model's residual."""
        return self.mean(np.square(self._null_residual))

    def value(self, eta: Array) -> float:
        """Mean loss."""
        return self.loss.value(eta, self.y, self.omega)

    def size_of_terms(self, eta: Array) -> float:
        """Mean size of what the losses are the differences of: near zero they have its rounding."""
        return self.mean(np.abs(eta) * (1.0 + np.abs(self.y)))

    def fall_along(self, r: Array, direction: Array) -> float:
        """How fast the mean loss falls in a direction, at the residuals r."""
        return self.mean(r * direction)

    def values_of_each(self, eta: Array) -> Array:
        """Mean losses of several linear predictors, (k, n_samples)."""
        step = max(1, ENTRIES_OF_LOSSES // len(self.y))
        some = (eta[i : i + step] for i in range(0, len(eta), step))
        return np.concatenate([self.loss.each(one, self.y).dot(self.omega) for one in some])

    def slopes(self, eta: Array) -> tuple[Array, Array]:
        """Minus the slope of each row, the residual of a GLM, and its curvature, above zero."""
        slope, curvature = self.loss.gradient_and_curvature(eta, self.y)
        if self.counted is not None:
            slope, curvature = (np.where(self.counted, part, 0.0) for part in (slope, curvature))
        return -slope, floored(curvature)

    def mean(self, values: Array) -> float:
        """Weighted mean."""
        return float(self.omega.dot(values))

    def settled(self, u: Array, r: Array) -> Array:
        """A dual point, equal to the residuals r where it is but for rounding.

        Residuals are slopes of the loss, and what is a rounding error from one may be none. Rows of
        weight zero get zero.
        """
        u = np.where(np.abs(u - r) <= SAME_RESIDUAL * np.sqrt(self.square), r, u)
        return u if self.counted is None else u * self.counted

    def gap(self, eta: Array, u: Array) -> float:
        """What the loss adds to a gap: ``f(eta) + f*(-u) + u eta``, its rounding included.

        Rows of weight zero have u = 0.
        """
        conjugate = self.loss.conjugate(-u, self.y, self.omega)
        if not np.isfinite(conjugate):
            return np.inf
        value, product = self.value(eta), self.omega * u
        inner = float(product.dot(eta))
        size = abs(value) + abs(conjugate) + float(np.abs(product).dot(np.abs(eta)))
        return max(value + conjugate + inner, 0.0) + ROUNDING_OF_SUMS * size


def target_rows(bound: Bound, k: int = 0) -> TargetLoss:
    """The rows of a target, which a problem keeps."""
    return bound.kept(("rows", k), lambda: TargetLoss(bound, k))


def floored(curvature: Array) -> Array:
    """Curvatures of the rows, none of which vanishes beside the largest."""
    largest = float(curvature.max(initial=0.0))
    return np.maximum(curvature, LEAST_CURVATURE * largest or 1.0)


def on_rows(bound: Bound, rows: Index) -> Bound:
    """The problem on some of the rows."""
    part, target = bound.design.of_rows(rows), bound.target
    offset = None if target.offset is None else target.offset[rows]
    own = Target.build(part, target.raw[rows], offset)
    return Bound(part, own, bound.penalty, bound.loss)


def on_rows_that_count(bound: Bound) -> Bound:
    """The problem of a path without the rows of weight zero, such as a fold holds out.

    They change nothing, and take as much time as others.
    """
    design = bound.design
    entries = design.n_samples * (1 if design.sparse else design.n_features)
    if design.omega.all() or entries > COPIED_WITHOUT_ROWS:
        return bound
    return on_rows(bound, design.omega.nonzero()[0])
