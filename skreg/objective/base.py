"""The contract of a loss f(eta, y).

eta is the linear predictor, or what the last layer of a network gives; eta and the target y have
one shape, (n_rows,) or (n_rows, n_outputs). Losses of several outputs are added. A row counts with
its scale, a number where all count alike, else an array that spreads over eta, of shape (n_rows,)
or (n_rows, 1):

    value(eta, y, scale) = sum_i scale_i f(eta_i, y_i).

This is the weighted mean loss where scale is s / n, with weights s that sum to n. Gradient and
curvature are its derivatives in eta. The conjugate is that of one row, and is summed likewise, so
that for any slopes u

    value(eta, y, scale) + conjugate(u, y, scale) >= sum_i scale_i u_i eta_i,

with equality where u is the gradient at a scale of one.

A value too large for float64 is inf, without a warning, and so are slopes and curvatures, none of
which is NaN: a step of a line search that goes too far is seen by its value. A row of scale zero
counts nothing, however far its eta.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

# Of a null model: 54 halvings of the range of y reach the last digit that float64 has.
MOST_STEPS = 60

Array = NDArray[Any]
Scale = float | NDArray[Any]


def weighted_sum(rows: Array, scale: Scale) -> float:
    """``sum_i scale_i sum_k rows_ik``."""
    if isinstance(scale, float):
        return float(np.add.reduce(rows, axis=None)) * scale
    return float(np.add.reduce(rows * scale, axis=None))


def weighted_sums(rows: Array, scale: Scale) -> Array:
    """The same of several, which are one axis more in front; `rows` are written over."""
    rows *= scale
    return np.asarray(rows.reshape(len(rows), -1).sum(axis=1))


def row_scale(weight: Array | None, y: Array) -> Scale:
    """Weights of shape (n_rows,) as a scale of y; None counts every row once."""
    if weight is None:
        return 1.0
    return weight if y.ndim == 1 else weight[:, None]


@dataclass(frozen=True)
class Loss(ABC):
    """A loss without state, convex in eta."""

    name: ClassVar[str]
    #: Name of the inverse link.
    out_activation: ClassVar[str] = "identity"
    #: Whether one Newton step is exact everywhere, as it is for the squared error alone.
    quadratic: ClassVar[bool] = False
    #: Whether y has a unit, which eta and the parameters of the loss share.
    of_unit: ClassVar[bool] = False
    #: Power of that unit which it is in.
    degree: ClassVar[int] = 2
    #: Whether it is minus the logarithm of a likelihood but for a dispersion.
    likelihood: ClassVar[bool] = True
    #: Whether it is that, with no dispersion to estimate.
    known_dispersion: ClassVar[bool] = False
    #: Whether a scale that the rows share is fitted too.
    fits_scale: ClassVar[bool] = False
    #: Whether there is a curvature.
    smooth: ClassVar[bool] = True
    #: Whether at eta slopes u of f have a gap ``f(eta) + f*(u) - u eta`` of at most
    #: ``(u - f')^2 / f''``, as long as u is no further from the slope f' than the curvature f''.
    gap_from_curvature: ClassVar[bool] = False
    #: Whether the outputs of a row make one loss, and not one each that are added.
    couples_targets: ClassVar[bool] = False
    #: The targets that it is made for, in words.
    domain: ClassVar[str] = "finite"

    @abstractmethod
    def value_and_gradient(self, eta: Array, y: Array, scale: Scale = 1.0) -> tuple[float, Array]:
        """Value, and gradient in eta, an array of its own."""

    def value(self, eta: Array, y: Array, scale: Scale = 1.0) -> float:
        """Value alone."""
        return self.value_and_gradient(eta, y, scale)[0]

    def each(self, eta: Array, y: Array) -> Array:
        """The loss of each entry of eta, which may have more axes in front than y."""
        raise NotImplementedError(f"{self!r} has one value alone")

    @abstractmethod
    def gradient(self, eta: Array, y: Array, scale: Scale = 1.0) -> Array:
        """Gradient alone."""

    def curvature(self, eta: Array, y: Array, scale: Scale = 1.0) -> Array:
        """Second derivative in each entry of eta, or an upper bound of the Hessian's diagonal."""
        raise NotImplementedError(f"{self!r} has no curvature")

    def gradient_and_curvature(
        self, eta: Array, y: Array, scale: Scale = 1.0
    ) -> tuple[Array, Array]:
        """Both, at the cost of one where they share their work."""
        return self.gradient(eta, y, scale), self.curvature(eta, y, scale)

    @abstractmethod
    def conjugate(self, u: Array, y: Array, scale: Scale = 1.0) -> float:
        """``sum_i scale_i sup_eta (u_i eta - f(eta, y_i))``; inf where u is no slope of f."""

    def shared_parameter(self, eta: Array, y: Array, scale: Scale) -> tuple[Array, Array] | None:
        """What a parameter that the rows share, at its best for them, adds to a step of Newton's.

        None where there is none, else the slope of each row in it, and what it moves with eta: a
        row's Hessian in both is its curvature times the square of ``(1, what moves)``.
        """
        return None

    def inverse_link(self, eta: Array) -> Array:
        """The prediction of each eta."""
        return eta

    def deviance(self, eta: Array, y: Array, scale: Scale = 1.0) -> float:
        """Twice what the value exceeds that of the saturated model, which here is zero, by."""
        return 2.0 * self.value(eta, y, scale)

    def deviances(self, etas: Array, y: Array, scale: Scale = 1.0) -> Array:
        """`deviance` of several eta, which are one axis more in front."""
        return np.array([self.deviance(eta, y, scale) for eta in etas])

    def null_model(
        self, y: Array, weight: Array | None = None, offset: Array | None = None
    ) -> Array:
        """The intercept that is best alone, of shape () or (n_outputs,).

        Parameters
        ----------
        y : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        weight : ndarray of shape (n_rows,), default=None
        offset : ndarray of the shape of y, default=None
            What is added to the intercept in each row.
        """
        best = y if offset is None else y - offset
        return self._root(y, weight, offset, best.min(axis=0), best.max(axis=0))

    def _root(
        self, y: Array, weight: Array | None, offset: Array | None, low: Array, high: Array
    ) -> Array:
        """Where between `low` and `high` the slope in the intercept is zero.

        By Newton's method; a step that would leave the range, or without a curvature any, goes to
        its middle instead.
        """
        scale, shift = row_scale(weight, y), np.zeros_like(y) if offset is None else offset
        best = 0.5 * (low + high)
        for _ in range(MOST_STEPS):
            slope = self.gradient(best + shift, y, scale).sum(axis=0)
            low, high = np.where(slope > 0, low, best), np.where(slope > 0, best, high)
            last, best = best, 0.5 * (low + high)
            if self.smooth:
                bend = self.curvature(last + shift, y, scale).sum(axis=0)
                step = np.divide(slope, bend, out=np.full_like(slope, np.inf), where=bend > 0)
                newton = last - step
                best = np.where((low <= newton) & (newton <= high), newton, best)
            if np.all(best == last):
                break
        return np.asarray(best)

    def check_target(self, y: Array) -> None:
        """Raise a ValueError that names the first row whose target the loss is not made for."""
        wrong = ~(self._allowed(y) & np.isfinite(y))
        if wrong.any():
            i = int(np.flatnonzero(wrong.reshape(len(y), -1).any(axis=1))[0])
            found = ", ".join(f"{entry:g}" for entry in np.atleast_1d(y[i]))
            raise ValueError(
                f"loss={self.name!r} needs y that are {self.domain}: row {i} has {found}"
            )

    def _allowed(self, y: Array) -> Array:
        """Whether each finite entry of y is in the domain."""
        return np.ones_like(y, dtype=bool)
