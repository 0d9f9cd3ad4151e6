"""Losses of classes: log-losses of probabilities, and the squared hinge of a margin."""

from __future__ import annotations

import numpy as np
from scipy.special import entr, expit, logit

from .base import Array, Loss, Scale, row_scale, weighted_sum, weighted_sums

# Slopes of one row of classes add up to zero, shares to one, but for rounding in their type.
ROUNDING_OF_A_SUM = 1e-6
# So many rows of so few classes are gone through class by class, at 2000 x 5 in 8 instead of 70 us.
# The rounding is the same: NumPy adds up fewer than eight numbers one after the other.
FEW_CLASSES, MANY_ROWS = 7, 100
# Rounding of a slope, over the sums of n rows that it is the difference of and the root of n.
ROUNDING_OF_A_SLOPE = 4 * np.finfo(np.float64).eps
# The error after a Newton step this long is of the order of its square, less than rounding.
CLOSE = 1e-8
# Exponentials up to this one are finite; probabilities below 1e-304 are that.
LARGEST_EXPONENT = 700.0
# A smaller sum of links is none; what is divided by it stays finite.
NO_LINK = 2.0**-900
# Three to six are enough with offsets up to 1; of 9000 random problems with offsets up to 1000 none
# took more than 149.
MOST_NEWTON_STEPS = 500


class Logistic(Loss):
    """``log(1 + exp(eta)) - y eta``: log-loss of yes-or-no outputs, each by itself.

    y is 0 or 1, or the share of a yes. The gap at slopes u is the Kullback-Leibler divergence of
    ``u + y`` from the probability p, which is at most chi squared, ``(u + y - p)^2 / (p (1 - p))``.
    """

    name = "logistic"
    known_dispersion = True
    out_activation = "logistic"
    gap_from_curvature = True
    domain = "between 0 and 1"

    def value_and_gradient(self, eta: Array, y: Array, scale: Scale = 1.0) -> tuple[float, Array]:
        """Value and gradient; see `Loss`."""
        return self.value(eta, y, scale), self.gradient(eta, y, scale)

    def value(self, eta: Array, y: Array, scale: Scale = 1.0) -> float:
        """Value alone, without overflow."""
        return weighted_sum(self.each(eta, y), scale)

    def each(self, eta: Array, y: Array) -> Array:
        """The loss of each entry of eta; see `Loss`."""
        rows = np.abs(eta)
        np.negative(rows, out=rows)
        np.log1p(np.exp(rows, out=rows), out=rows)
        rows += np.maximum(eta, 0.0)
        rows -= y * eta
        return rows

    def gradient(self, eta: Array, y: Array, scale: Scale = 1.0) -> Array:
        """Gradient alone: ``p - y``."""
        probability = expit(eta)
        probability -= y
        probability *= scale
        return probability

    def curvature(self, eta: Array, y: Array, scale: Scale = 1.0) -> Array:
        """``p (1 - p)``, of which no digit is lost where p is close to one."""
        odds = np.exp(-np.abs(eta))
        return odds / np.square(1.0 + odds) * scale

    def gradient_and_curvature(
        self, eta: Array, y: Array, scale: Scale = 1.0
    ) -> tuple[Array, Array]:
        """Both from one exponential, that of minus eta: ``p = 1/(1 + e)`` and ``h = e p^2``.

        Ten times quicker than `expit`, and every step but two is done in place: where eta is large
        new memory takes longer than the arithmetic.
        """
        odds = np.negative(eta)
        np.exp(np.minimum(odds, LARGEST_EXPONENT, out=odds), out=odds)
        probability = 1.0 + odds
        np.divide(1.0, probability, out=probability)
        odds *= probability
        odds *= probability
        probability -= y
        if not (isinstance(scale, float) and scale == 1.0):
            probability *= scale
            odds *= scale
        return probability, odds

    def conjugate(self, u: Array, y: Array, scale: Scale = 1.0) -> float:
        """``p log(p) + (1 - p) log(1 - p)`` for ``p = u + y`` in [0, 1]."""
        p = u + y
        return -weighted_sum(entr(p) + entr(1.0 - p), scale)

    def inverse_link(self, eta: Array) -> Array:
        """Probability of a yes, output by output; never exactly 0 or 1."""
        info = np.finfo(eta.dtype)
        return np.clip(expit(eta), info.tiny, 1.0 - info.epsneg)

    def deviance(self, eta: Array, y: Array, scale: Scale = 1.0) -> float:
        """Twice the value, less the entropy of y where it holds shares; see `Loss`."""
        return 2.0 * (self.value(eta, y, scale) - self._entropy(y, scale))

    def deviances(self, etas: Array, y: Array, scale: Scale = 1.0) -> Array:
        """See `Loss`."""
        return 2.0 * (weighted_sums(self.each(etas, y), scale) - self._entropy(y, scale))

    def _entropy(self, y: Array, scale: Scale) -> float:
        if not np.count_nonzero(y * (1.0 - y)):  # a yes and a no have none, which takes less time
            return 0.0
        return weighted_sum(entr(y) + entr(1.0 - y), scale)

    def null_model(
        self, y: Array, weight: Array | None = None, offset: Array | None = None
    ) -> Array:
        """Log-odds of the weighted share of a yes; see `Loss`."""
        share = weighted_share(y, weight)
        info = np.finfo(share.dtype)
        odds = np.asarray(logit(np.minimum(np.maximum(share, info.tiny), 1.0 - info.epsneg)))
        if offset is None:
            return odds
        return self._root(y, weight, offset, odds - offset.max(axis=0), odds - offset.min(axis=0))

    def _allowed(self, y: Array) -> Array:
        return (y >= 0) & (y <= 1)


class Multinomial(Loss):
    """``log sum_k exp(eta_k) - sum_k y_k eta_k``: log-loss of one class out of several.

    eta and y have shape (n_rows, n_classes); the rows of y sum to one.
    """

    name = "multinomial"
    known_dispersion = True
    out_activation = "softmax"
    couples_targets = True
    domain = "shares of the classes, which add up to one"

    def value_and_gradient(self, eta: Array, y: Array, scale: Scale = 1.0) -> tuple[float, Array]:
        """Value and gradient; see `Loss`."""
        shifted, share, total = self._parts(eta)
        share /= total
        share -= y
        share *= scale
        return self._value(shifted, total, y, scale), share

    def value(self, eta: Array, y: Array, scale: Scale = 1.0) -> float:
        """Value alone."""
        shifted, _, total = self._parts(eta)
        return self._value(shifted, total, y, scale)

    def gradient(self, eta: Array, y: Array, scale: Scale = 1.0) -> Array:
        """Gradient alone: ``p - y``."""
        return self.gradient_and_curvature(eta, y, scale)[0]

    def curvature(self, eta: Array, y: Array, scale: Scale = 1.0) -> Array:
        """The shares p: a row's Hessian is ``diag(p) - p p'``, and ``diag(p)`` no less."""
        return self.inverse_link(eta) * scale

    def gradient_and_curvature(
        self, eta: Array, y: Array, scale: Scale = 1.0
    ) -> tuple[Array, Array]:
        """Both from the same shares."""
        share = self.inverse_link(eta)
        return (share - y) * scale, share * scale

    def _parts(self, eta: Array) -> tuple[Array, Array, Array]:
        """Eta less the largest of its row, the exponentials, and their sums over a row."""
        shifted = eta - over_classes(np.maximum, eta)
        each = np.exp(shifted)
        return shifted, each, over_classes(np.add, each)

    def _value(self, shifted: Array, total: Array, y: Array, scale: Scale) -> float:
        if isinstance(scale, float):
            log_total = float(np.add.reduce(np.log(total), axis=None))
            return scale * (log_total - float(np.vdot(y, shifted)))
        rows = np.log(total) - over_classes(np.add, y * shifted)
        return float(np.add.reduce(rows * scale, axis=None))

    def conjugate(self, u: Array, y: Array, scale: Scale = 1.0) -> float:
        """``sum_k p_k log(p_k)`` for shares ``p = u + y``; the rows of u sum to zero."""
        outside = np.abs(u.sum(axis=1, keepdims=True)) > ROUNDING_OF_A_SUM
        return weighted_sum(np.where(outside, np.inf, -entr(u + y)), scale)

    def inverse_link(self, eta: Array) -> Array:
        """Probability of each class."""
        _, share, total = self._parts(eta)
        share /= total
        return share

    def deviance(self, eta: Array, y: Array, scale: Scale = 1.0) -> float:
        """Twice the value, less the entropy of y where it holds shares; see `Loss`."""
        return 2.0 * (self.value(eta, y, scale) - weighted_sum(entr(y), scale))

    def null_model(
        self, y: Array, weight: Array | None = None, offset: Array | None = None
    ) -> Array:
        """Logarithm of the weighted share of each class; see `Loss`.

        With an offset by Newton's method. Along a step whose entries differ by at most r the
        curvature grows no faster than exp(r), so that log(1 + r) / r of it always gains (Bach,
        Electronic Journal of Statistics 4, 2010).
        """
        share = weighted_share(y, weight)
        best = np.asarray(np.log(np.maximum(share, np.finfo(share.dtype).tiny)))
        if offset is None:
            return best
        best = best - np.average(offset, axis=0, weights=weight)
        scale = row_scale(weight, y) / (len(y) if weight is None else weight.sum())
        wanted, rounding = (y * scale).sum(axis=0), ROUNDING_OF_A_SLOPE * np.sqrt(len(y))
        for _ in range(MOST_NEWTON_STEPS):
            share = self.inverse_link(best + offset)
            counted = share * scale
            found = counted.sum(axis=0)
            slope = found - wanted
            if np.all(np.abs(slope) <= rounding * (found + wanted)):
                break
            step = solve_laplacian(counted.T @ share, slope)
            step -= step.mean()
            r = float(np.ptp(step))
            best = best - step * (np.log1p(r) / r if r else 1.0)
            if r <= CLOSE:
                break
        return best

    def _allowed(self, y: Array) -> Array:
        return (y >= 0) & (np.abs(y.sum(axis=1, keepdims=True) - 1.0) <= ROUNDING_OF_A_SUM)


def weighted_share(y: Array, weight: Array | None) -> Array:
    """Weighted means of the columns of y, in less time than `np.average` takes for few rows."""
    if weight is None:
        return np.asarray(y.mean(axis=0))
    return np.asarray(weight.dot(y) / weight.sum())


def over_classes(ufunc: np.ufunc, rows: Array) -> Array:
    """The sum or the largest entry of each row, of shape (n_rows, 1)."""
    n_rows, n_classes = rows.shape
    if n_classes > FEW_CLASSES or n_rows < MANY_ROWS:
        return np.asarray(ufunc.reduce(rows, axis=1, keepdims=True))
    found, *others = rows.T
    for column in others:
        found = ufunc(found, column)
    return np.asarray(found)[:, None]


def solve_laplacian(links: Array, slope: Array) -> Array:
    """X with ``sum_l links_kl (x_k - x_l) = slope_k``, but for a constant; the slopes sum to zero.

    One entry after another is eliminated, which only adds: a weak link loses no digit beside strong
    ones (Grassmann, Taksar and Heyman, Operations Research 33(5), 1985).
    """
    links, x, n = links.copy(), slope.copy(), len(slope)
    totals = np.ones(n)
    for k in range(n - 1, 0, -1):
        totals[k] = max(links[k, :k].sum(), NO_LINK)
        links[k, :k] /= totals[k]
        x[:k] += links[k, :k] * x[k]
        links[:k, :k] += np.outer(links[:k, k], links[k, :k])
    x[0] = 0.0
    for k in range(1, n):
        x[k] = x[k] / totals[k] + links[k, :k] @ x[:k]
    return x


class SquaredHinge(Loss):
    """``max(0, 1 - y eta)^2 / 2`` for classes -1 and 1."""

    name = "squared_hinge"
    likelihood = False
    domain = "-1 or 1"

    def value_and_gradient(self, eta: Array, y: Array, scale: Scale = 1.0) -> tuple[float, Array]:
        """Value and gradient; see `Loss`."""
        short = np.maximum(1.0 - y * eta, 0.0)
        return weighted_sum(0.5 * short * short, scale), -y * short * scale

    def each(self, eta: Array, y: Array) -> Array:
        """The loss of each entry of eta; see `Loss`."""
        return 0.5 * np.square(np.maximum(1.0 - y * eta, 0.0))

    def gradient(self, eta: Array, y: Array, scale: Scale = 1.0) -> Array:
        """Gradient alone."""
        return -y * np.maximum(1.0 - y * eta, 0.0) * scale

    def curvature(self, eta: Array, y: Array, scale: Scale = 1.0) -> Array:
        """One within the margin, zero beyond it."""
        return (y * eta < 1.0).astype(eta.dtype) * scale

    def conjugate(self, u: Array, y: Array, scale: Scale = 1.0) -> float:
        """``u^2 / 2 + u y`` where u has the sign of -y."""
        return weighted_sum(np.where(u * y <= 0.0, u * (0.5 * u + y), np.inf), scale)

    def _allowed(self, y: Array) -> Array:
        return np.abs(y) == 1
