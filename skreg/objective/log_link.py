"""Losses of counts and amounts, whose mean is the exponential of eta."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import entr, logsumexp, xlogy

from .base import Array, Loss, Scale, row_scale, weighted_sum, weighted_sums

# Of Newton's method from within log(2) of the root: six reach the last digit, for any power.
NEWTON_STEPS = 8


class LogLink(Loss):
    """Base of losses of the mean ``mu = exp(eta)``, half a Tweedie deviance of some power.

    With ``a = 2 - power`` and ``b = power - 1`` the slope is ``mu^a - y mu^-b``. Both are in
    [0, 1], outside of which the loss is not convex.

    The gap at slopes u: the loss is a sum of one in ``m = mu^a`` and one in ``s = y mu^-b``, whose
    gaps are Kullback-Leibler divergences over a and b, at most chi squared. Of ``d = u - f'`` the
    first takes the share ``a m / f''``, the second the rest, which adds up to ``d^2 / f''``; both
    stay positive as ``|d| <= f''``.
    """

    out_activation = "exp"
    gap_from_curvature = True
    power: float

    @abstractmethod
    def _parts(self, eta: Array, y: Array) -> tuple[Any, Array]:
        """``mu^a`` and ``y mu^-b``."""

    @abstractmethod
    def _rows(self, eta: Array, y: Array, up: Any, down: Array) -> Array:
        """The loss of each row from these parts."""

    def value_and_gradient(self, eta: Array, y: Array, scale: Scale = 1.0) -> tuple[float, Array]:
        """Value and gradient; see `Loss`."""
        eta = counted(eta, scale)
        with np.errstate(over="ignore"):
            up, down = self._parts(eta, y)
            return weighted_sum(self._rows(eta, y, up, down), scale), (up - down) * scale

    def value(self, eta: Array, y: Array, scale: Scale = 1.0) -> float:
        """Value alone."""
        eta = counted(eta, scale)
        with np.errstate(over="ignore"):
            return weighted_sum(self._rows(eta, y, *self._parts(eta, y)), scale)

    def each(self, eta: Array, y: Array) -> Array:
        """The loss of each entry of eta; see `Loss`."""
        with np.errstate(over="ignore"):
            return self._rows(eta, y, *self._parts(eta, y))

    def deviances(self, etas: Array, y: Array, scale: Scale = 1.0) -> Array:
        """See `Loss`."""
        return 2.0 * weighted_sums(self.each(counted(etas, scale), y), scale)

    def gradient(self, eta: Array, y: Array, scale: Scale = 1.0) -> Array:
        """Gradient alone."""
        with np.errstate(over="ignore"):
            up, down = self._parts(counted(eta, scale), y)
            return (up - down) * scale

    def curvature(self, eta: Array, y: Array, scale: Scale = 1.0) -> Array:
        """``a mu^a + b y mu^-b``."""
        return self.gradient_and_curvature(eta, y, scale)[1]

    def gradient_and_curvature(
        self, eta: Array, y: Array, scale: Scale = 1.0
    ) -> tuple[Array, Array]:
        """Both from the same exponentials."""
        with np.errstate(over="ignore"):
            up, down = self._parts(counted(eta, scale), y)
            slope, bend = up - down, self._bend(up, down)
        if isinstance(scale, float) and scale == 1.0:
            return slope, bend
        with np.errstate(over="ignore"):
            return slope * scale, bend * scale

    def _bend(self, up: Any, down: Array) -> Array:
        return (2.0 - self.power) * up + (self.power - 1.0) * down

    def inverse_link(self, eta: Array) -> Array:
        """The mean, ``exp(eta)``; inf where that is too large for the type."""
        with np.errstate(over="ignore"):
            return np.asarray(np.exp(eta))

    def null_model(
        self, y: Array, weight: Array | None = None, offset: Array | None = None
    ) -> Array:
        """Logarithm of the weighted mean; see `Loss`."""
        if offset is None:
            mean = np.average(y, axis=0, weights=weight)
            return np.asarray(np.log(np.maximum(mean, np.finfo(mean.dtype).tiny)))
        s, a, b = row_scale(weight, y), 2.0 - self.power, self.power - 1.0
        with np.errstate(divide="ignore"):  # of counts that are all zero
            found = logsumexp(-b * offset, axis=0, b=s * y)
            expected = logsumexp(a * offset, axis=0, b=s)
        total = np.sum(s * np.ones_like(y), axis=0)
        nothing = np.log(np.finfo(np.float64).tiny) + np.log(total)
        return np.asarray(np.where(np.isfinite(found), found, nothing) - expected)


def counted(eta: Array, scale: Scale) -> Array:
    """eta, with zero in rows that count nothing: no number is zero times infinity."""
    return eta if isinstance(scale, float) or scale.all() else eta * (scale != 0)


class Poisson(LogLink):
    """Half the Poisson deviance, ``mu - y - y log(mu / y)`` with ``mu = exp(eta)``."""

    name = "poisson"
    known_dispersion = True
    power = 1.0
    domain = "not negative"

    def _parts(self, eta: Array, y: Array) -> tuple[Array, Array]:
        return np.exp(eta), y

    def _rows(self, eta: Array, y: Array, up: Any, down: Array) -> Array:
        return up - y - y * eta + xlogy(y, y)

    def _bend(self, up: Any, down: Array) -> Array:
        return up

    def conjugate(self, u: Array, y: Array, scale: Scale = 1.0) -> float:
        """``mu log(mu) - mu + y - y log(y)`` for ``mu = u + y >= 0``."""
        mean = u + y
        return weighted_sum(entr(y) - entr(mean) - u, scale)

    def _allowed(self, y: Array) -> Array:
        return y >= 0


class Gamma(LogLink):
    """Half the gamma deviance, ``y / mu - log(y / mu) - 1`` with ``mu = exp(eta)``."""

    name = "gamma"
    power = 2.0
    domain = "positive"

    def _parts(self, eta: Array, y: Array) -> tuple[float, Array]:
        return 1.0, y * np.exp(-eta)

    def _rows(self, eta: Array, y: Array, up: Any, down: Array) -> Array:
        return down - 1.0 + eta - np.log(y)

    def _bend(self, up: Any, down: Array) -> Array:
        return down

    def conjugate(self, u: Array, y: Array, scale: Scale = 1.0) -> float:
        """``u (1 + log y) + r log(r)`` for ``r = 1 - u >= 0``."""
        return weighted_sum(u * (1.0 + np.log(y)) - entr(1.0 - u), scale)

    def _allowed(self, y: Array) -> Array:
        return y > 0


@dataclass(frozen=True)
class Tweedie(LogLink):
    """Half a Tweedie deviance between Poisson's and gamma's, for amounts that are often zero.

    ``mu^a / a + y mu^-b / b - y^a / (a b)`` with ``mu = exp(eta)``; see `LogLink`.

    Parameters
    ----------
    power : float
        In (1, 2): the variance is proportional to ``mu^power``.
    """

    power: float = 1.5
    name = "tweedie"
    domain = "not negative"

    def __post_init__(self) -> None:
        if not 1.0 < self.power < 2.0:
            raise ValueError(f"power must be above 1 and below 2, got {self.power}")

    def _parts(self, eta: Array, y: Array) -> tuple[Array, Array]:
        a, b = 2.0 - self.power, self.power - 1.0
        # Nothing of a zero y, whatever the exponential.
        return np.exp(a * eta), y * np.exp(-b * eta * (y > 0))

    def _rows(self, eta: Array, y: Array, up: Any, down: Array) -> Array:
        a, b = 2.0 - self.power, self.power - 1.0
        return up / a + down / b - y**a / (a * b)

    def conjugate(self, u: Array, y: Array, scale: Scale = 1.0) -> float:
        """``u eta - f(eta)`` where the slope is u, which Newton's method finds.

        In logarithms, ``log(mu^a - min(u, 0)) = log(y mu^-b + max(u, 0))``: the difference of both
        sides rises by a to 1 or b to 1, is concave or convex, and begins within log(2) of zero on
        the side from which Newton's method does not overshoot.
        """
        a, b = 2.0 - self.power, self.power - 1.0
        with np.errstate(divide="ignore", invalid="ignore"):
            log_y = np.log(y)
            above, below = np.log(u) / a, (log_y - np.log(-u)) / b
            eta = np.where(u >= 0, np.maximum(log_y, above), np.minimum(log_y, below))
            for _ in range(NEWTON_STEPS):
                up, down = self._parts(eta, y)
                left, right = up - np.minimum(u, 0.0), down + np.maximum(u, 0.0)
                eta = eta - np.log(left / right) / (a * up / left + b * down / right)
            rows = u * eta - self._rows(eta, y, *self._parts(eta, y))
        at_zero = np.where(u < 0, np.inf, np.where(u > 0, rows, 0.0))
        return weighted_sum(np.where(y > 0, rows, at_zero), scale)

    def _allowed(self, y: Array) -> Array:
        return y >= 0
