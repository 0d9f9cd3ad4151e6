"""Losses of classes: log-losses of probabilities, and the squared hinge of a margin."""

from __future__ import annotations

import numpy as np
from scipy.special import entr, expit, logit

from .base import Array, Loss, Scale, spread, weighted_sum

# Slopes of one row of classes add up to zero, shares to one, but for rounding in their type.
ROUNDING_OF_A_SUM = 1e-6
# The error after a Newton step this long is of the order of its square, less than rounding.
CLOSE = 1e-8
# Three to six are enough with offsets up to 1, some two hundred with offsets of 300.
MOST_NEWTON_STEPS = 500


class Logistic(Loss):
    """``log(1 + exp(eta)) - y eta``: log-loss of yes-or-no outputs, each by itself.

    y is 0 or 1, or the share of a yes.
    """

    name = "logistic"
    out_activation = "logistic"
    domain = "between 0 and 1"

    def value_and_gradient(self, eta: Array, y: Array, scale: Scale = 1.0) -> tuple[float, Array]:
        """Value and gradient; see `Loss`."""
        return self.value(eta, y, scale), self.gradient(eta, y, scale)

    def value(self, eta: Array, y: Array, scale: Scale = 1.0) -> float:
        """Value alone, without overflow."""
        rows = np.abs(eta)
        np.negative(rows, out=rows)
        np.log1p(np.exp(rows, out=rows), out=rows)
        rows += np.maximum(eta, 0.0)
        rows -= y * eta
        return weighted_sum(rows, scale)

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
        return 2.0 * (self.value(eta, y, scale) - weighted_sum(entr(y) + entr(1.0 - y), scale))

    def null_model(
        self, y: Array, weight: Array | None = None, offset: Array | None = None
    ) -> Array:
        """Log-odds of the weighted share of a yes; see `Loss`."""
        share = np.average(y, axis=0, weights=weight)
        info = np.finfo(share.dtype)
        odds = np.asarray(logit(np.clip(share, info.tiny, 1.0 - info.epsneg)))
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
    out_activation = "softmax"
    domain = "shares of the classes, which add up to one"

    def value_and_gradient(self, eta: Array, y: Array, scale: Scale = 1.0) -> tuple[float, Array]:
        """Value and gradient; see `Loss`."""
        shifted = eta - np.maximum.reduce(eta, axis=1, keepdims=True)
        share = np.exp(shifted)
        total = np.add.reduce(share, axis=1, keepdims=True)
        share /= total
        share -= y
        share *= scale
        if isinstance(scale, float):
            log_total = float(np.add.reduce(np.log(total), axis=None))
            return scale * (log_total - float(np.vdot(y, shifted))), share
        rows = np.log(total) - np.add.reduce(y * shifted, axis=1, keepdims=True)
        return float(np.add.reduce(rows * scale, axis=None)), share

    def curvature(self, eta: Array, y: Array, scale: Scale = 1.0) -> Array:
        """The shares p: a row's Hessian is ``diag(p) - p p'``, and ``diag(p)`` no less."""
        return self.inverse_link(eta) * scale

    def conjugate(self, u: Array, y: Array, scale: Scale = 1.0) -> float:
        """``sum_k p_k log(p_k)`` for shares ``p = u + y``; the rows of u sum to zero."""
        outside = np.abs(u.sum(axis=1, keepdims=True)) > ROUNDING_OF_A_SUM
        return weighted_sum(np.where(outside, np.inf, -entr(u + y)), scale)

    def inverse_link(self, eta: Array) -> Array:
        """Probability of each class."""
        share = np.exp(eta - eta.max(axis=1, keepdims=True))
        share /= share.sum(axis=1, keepdims=True)
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
        share = np.average(y, axis=0, weights=weight)
        best = np.asarray(np.log(np.maximum(share, np.finfo(share.dtype).tiny)))
        if offset is None:
            return best
        info, total = np.finfo(np.float64), len(y) if weight is None else weight.sum()
        scale = spread(weight, y) / total
        for _ in range(MOST_NEWTON_STEPS):
            p = self.inverse_link(best + offset)
            values, vectors = np.linalg.eigh(np.diag((p * scale).sum(axis=0)) - p.T @ (p * scale))
            values = np.maximum(values, info.eps * values[-1] + np.sqrt(info.tiny))
            step = vectors @ (((p - y) * scale).sum(axis=0) @ vectors / values)
            step -= step.mean()  # a shift of all classes alike is nothing but rounding
            r = float(np.ptp(step))
            best = best - step * (np.log1p(r) / r if r else 1.0)
            if r <= CLOSE:
                break
        return best

    def _allowed(self, y: Array) -> Array:
        return (y >= 0) & (np.abs(y.sum(axis=1, keepdims=True) - 1.0) <= ROUNDING_OF_A_SUM)


class SquaredHinge(Loss):
    """``max(0, 1 - y eta)^2 / 2`` for classes -1 and 1."""

    name = "squared_hinge"
    domain = "-1 or 1"

    def value_and_gradient(self, eta: Array, y: Array, scale: Scale = 1.0) -> tuple[float, Array]:
        """Value and gradient; see `Loss`."""
        short = np.maximum(1.0 - y * eta, 0.0)
        return weighted_sum(0.5 * short * short, scale), -y * short * scale

    def curvature(self, eta: Array, y: Array, scale: Scale = 1.0) -> Array:
        """One within the margin, zero beyond it."""
        return (y * eta < 1.0) * scale

    def conjugate(self, u: Array, y: Array, scale: Scale = 1.0) -> float:
        """``u^2 / 2 + u y`` where u has the sign of -y."""
        return weighted_sum(np.where(u * y <= 0.0, u * (0.5 * u + y), np.inf), scale)

    def _allowed(self, y: Array) -> Array:
        return np.abs(y) == 1
