"""Huber's loss with a scale that is fitted too, which the rows share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .base import Array, Loss, Scale, weighted_sum

# No scale is below this share of the size of the residuals' targets: what is left is rounding.
LEAST_SCALE = 1e-14
# The mean of squared slopes that counts as one.
ROUNDING_OF_A_MEAN = 1e-9


@dataclass(frozen=True)
class ScaledHuber(Loss):
    """Half of ``sigma + H((y - eta) / sigma) sigma`` at the scale sigma whose sum is the least.

    ``H(z) = z^2`` up to epsilon and ``2 epsilon |z| - epsilon^2`` beyond. The rows share sigma, so
    that the value is no sum of losses of one row each (Owen, Contemporary Mathematics 443, 2007).
    It is convex in eta all the same.

    Parameters
    ----------
    epsilon : float
        The distance in units of sigma, >= 1.
    """

    epsilon: float = 1.35
    name = "scaled_huber"
    of_unit = True
    degree = 1
    likelihood = False
    fits_scale = True

    def value_and_gradient(self, eta: Array, y: Array, scale: Scale = 1.0) -> tuple[float, Array]:
        """Value and gradient; see `Loss`."""
        residual = eta - y
        sigma = self.best_scale(residual, y, scale)
        inner = np.clip(residual / sigma, -self.epsilon, self.epsilon)
        rows = 0.5 * sigma + inner * (residual - 0.5 * sigma * inner)
        return weighted_sum(rows, scale), inner * scale

    def gradient(self, eta: Array, y: Array, scale: Scale = 1.0) -> Array:
        """Gradient alone: the residual in units of sigma, or its limit."""
        return self.value_and_gradient(eta, y, scale)[1]

    def curvature(self, eta: Array, y: Array, scale: Scale = 1.0) -> Array:
        """One over sigma up to the distance, zero beyond it: an upper bound of the Hessian's."""
        residual = eta - y
        sigma = self.best_scale(residual, y, scale)
        return (np.abs(residual) <= self.epsilon * sigma) / sigma * scale

    def each(self, eta: Array, y: Array) -> Array:
        """The loss of each entry by itself, whose own scale is its size."""
        return np.abs(eta - y)

    def shared_parameter(self, eta: Array, y: Array, scale: Scale) -> tuple[Array, Array]:
        """The scale; see `Loss`."""
        residual = (eta - y) / self.best_scale(eta - y, y, scale)
        inner = np.clip(residual, -self.epsilon, self.epsilon)
        return 0.5 * (1.0 - inner * inner), -residual

    def conjugate(self, u: Array, y: Array, scale: Scale = 1.0) -> float:
        """``u y`` for ``|u| <= epsilon`` whose mean square is at most one."""
        share = np.broadcast_to(scale, u.shape) / np.broadcast_to(scale, u.shape).sum()
        outside = np.abs(u).max() > self.epsilon
        outside |= float((share * u * u).sum()) > 1.0 + ROUNDING_OF_A_MEAN
        return np.inf if outside else weighted_sum(u * y, scale)

    def deviance(self, eta: Array, y: Array, scale: Scale = 1.0) -> float:
        """Twice the value, zero where that is rounding; see `Loss`."""
        found, total = 2.0 * self.value(eta, y, scale), np.broadcast_to(scale, y.shape).sum()
        return found if found > 4.0 * least_scale(y) * total else 0.0

    def best_scale(self, residual: Array, y: Array, scale: Scale = 1.0) -> float:
        """The scale sigma of residuals of the target y.

        It is the root of ``sum_i s_i min(r_i / sigma, epsilon)^2 = sum_i s_i``.
        """
        size = np.abs(residual).ravel()
        order = np.argsort(size)
        size = size[order]
        weight = np.broadcast_to(scale, residual.shape).ravel()[order]
        share = weight / weight.sum()
        within, squares = np.cumsum(share), np.cumsum(share * size * size)
        bound = self.epsilon**2
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            # Of a scale at which this row is the first beyond the distance.
            mean = bound * (squares / (size * size) + 1.0 - within)
        beyond = np.flatnonzero((size > 0) & (mean <= 1.0))
        k = int(beyond[0]) if len(beyond) else len(size)
        least = least_scale(y)
        if k == 0:
            return least
        left = 1.0 - bound * (1.0 - within[k - 1])
        found = np.sqrt(squares[k - 1] / left) if left > 0 else 0.0
        return max(float(found), least)


def least_scale(y: Array) -> float:
    """What no scale of residuals of the target y is below."""
    return LEAST_SCALE * max(float(np.abs(y).max()), float(np.finfo(np.float64).tiny))
