"""Losses of numbers by their distance from the prediction, which is eta itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .base import Array, Loss, Scale, weighted_sum


class SquaredError(Loss):
    """``(eta - y)^2 / 2``; predicts the mean."""

    name = "squared_error"
    of_unit = True
    quadratic = True

    def value_and_gradient(self, eta: Array, y: Array, scale: Scale = 1.0) -> tuple[float, Array]:
        """Value and gradient; see `Loss`."""
        residual = eta - y
        if isinstance(scale, float):
            value = 0.5 * scale * float(np.vdot(residual, residual))
            residual *= scale
        else:
            scaled = residual * scale
            value = 0.5 * float(np.vdot(residual, scaled))
            residual = scaled
        return value, residual

    def each(self, eta: Array, y: Array) -> Array:
        """The loss of each entry of eta; see `Loss`."""
        return 0.5 * np.square(eta - y)

    def gradient(self, eta: Array, y: Array, scale: Scale = 1.0) -> Array:
        """Gradient alone: the residual."""
        return (eta - y) * scale

    def curvature(self, eta: Array, y: Array, scale: Scale = 1.0) -> Array:
        """One."""
        return np.ones_like(eta) * scale

    def conjugate(self, u: Array, y: Array, scale: Scale = 1.0) -> float:
        """``u^2 / 2 + u y``."""
        return weighted_sum(u * (0.5 * u + y), scale)

    def null_model(
        self, y: Array, weight: Array | None = None, offset: Array | None = None
    ) -> Array:
        """The weighted mean; see `Loss`."""
        return np.asarray(np.average(y if offset is None else y - offset, axis=0, weights=weight))


class AbsoluteError(Loss):
    """``|eta - y|``; predicts the median."""

    name = "absolute_error"
    of_unit = True
    smooth = False

    def value_and_gradient(self, eta: Array, y: Array, scale: Scale = 1.0) -> tuple[float, Array]:
        """Value and gradient; see `Loss`."""
        residual = eta - y
        return weighted_sum(np.abs(residual), scale), np.sign(residual) * scale

    def gradient(self, eta: Array, y: Array, scale: Scale = 1.0) -> Array:
        """Gradient alone."""
        return np.sign(eta - y) * scale

    def conjugate(self, u: Array, y: Array, scale: Scale = 1.0) -> float:
        """``u y`` for ``|u| <= 1``."""
        return weighted_sum(np.where(np.abs(u) <= 1.0, u * y, np.inf), scale)


@dataclass(frozen=True)
class Huber(Loss):
    """Squared error up to a distance, the absolute error beyond it.

    Parameters
    ----------
    delta : float
        The distance, > 0, in the unit of y.
    """

    delta: float = 1.0
    name = "huber"
    of_unit = True

    def value_and_gradient(self, eta: Array, y: Array, scale: Scale = 1.0) -> tuple[float, Array]:
        """Value and gradient; see `Loss`."""
        residual = eta - y
        bounded = np.clip(residual, -self.delta, self.delta)
        value = weighted_sum(bounded * (residual - 0.5 * bounded), scale)
        bounded *= scale
        return value, bounded

    def each(self, eta: Array, y: Array) -> Array:
        """The loss of each entry of eta; see `Loss`."""
        residual = eta - y
        bounded = np.clip(residual, -self.delta, self.delta)
        return bounded * (residual - 0.5 * bounded)

    def gradient(self, eta: Array, y: Array, scale: Scale = 1.0) -> Array:
        """Gradient alone: the residual, or its limit."""
        return np.clip(eta - y, -self.delta, self.delta) * scale

    def curvature(self, eta: Array, y: Array, scale: Scale = 1.0) -> Array:
        """One up to the distance, zero beyond it."""
        return (np.abs(eta - y) <= self.delta).astype(eta.dtype) * scale

    def conjugate(self, u: Array, y: Array, scale: Scale = 1.0) -> float:
        """``u^2 / 2 + u y`` for ``|u| <= delta``."""
        return weighted_sum(np.where(np.abs(u) <= self.delta, u * (0.5 * u + y), np.inf), scale)


@dataclass(frozen=True)
class Quantile(Loss):
    """Pinball loss: ``q (y - eta)`` where eta is below y, ``(1 - q) (eta - y)`` above.

    Parameters
    ----------
    quantile : float
        q in (0, 1): the share of y that the prediction exceeds.
    """

    quantile: float = 0.5
    name = "quantile"
    of_unit = True
    smooth = False

    def value_and_gradient(self, eta: Array, y: Array, scale: Scale = 1.0) -> tuple[float, Array]:
        """Value and gradient; see `Loss`."""
        residual = eta - y
        slope = self._slope(residual)
        value = weighted_sum(slope * residual, scale)
        slope *= scale
        return value, slope

    def gradient(self, eta: Array, y: Array, scale: Scale = 1.0) -> Array:
        """Gradient alone."""
        return self._slope(eta - y) * scale

    def _slope(self, residual: Array) -> Array:
        slope = np.where(residual > 0, 1.0 - self.quantile, -self.quantile).astype(residual.dtype)
        slope[residual == 0] = 0.0
        return slope

    def conjugate(self, u: Array, y: Array, scale: Scale = 1.0) -> float:
        """``u y`` for ``-q <= u <= 1 - q``."""
        inside = (-self.quantile <= u) & (u <= 1.0 - self.quantile)
        return weighted_sum(np.where(inside, u * y, np.inf), scale)
