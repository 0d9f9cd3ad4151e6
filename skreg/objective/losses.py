"""Losses on raw predictions: value, gradient and the inverse link of each.

A raw prediction Z has shape (n_rows, n_outputs); the targets Y have the same shape. Row i counts
with ``scale[i]`` (a number where all count alike), so that

    value = sum_i scale_i sum_k loss(Z_ik, Y_ik)

which is the weighted mean loss where the scales are weights that sum to one. Losses of several
outputs are added. Each is the negative log-likelihood of its model up to a term of Y alone, so
that its gradient in Z is a residual.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, xlogy

# Halvings of the range of y, to the last of the digits that float64 has.
BISECTIONS = 54

Matrix = NDArray[Any]
Scale = float | NDArray[Any]


def weighted_sum(rows: Matrix, scale: Scale) -> float:
    """``sum_i scale_i sum_k rows_ik``."""
    if isinstance(scale, float):
        return float(np.add.reduce(rows, axis=None)) * scale
    return float(np.add.reduce(rows * scale, axis=None))


class Loss(ABC):
    """A loss on raw predictions; `scale` is a float or an array of shape (n_rows, 1)."""

    #: Name of the function that turns raw predictions into predictions.
    out_activation = "identity"

    @abstractmethod
    def gradient(self, raw: Matrix, y: Matrix, scale: Scale) -> tuple[float, Matrix]:
        """Value, and gradient in `raw`, an array of its own."""

    def value(self, raw: Matrix, y: Matrix, scale: Scale) -> float:
        """Value alone."""
        return self.gradient(raw, y, scale)[0]

    def predict(self, raw: Matrix) -> Matrix:
        """Inverse link: the prediction of each raw value."""
        return raw

    def null_model(self, y: Matrix, weight: NDArray[Any] | None = None) -> Matrix:
        """The raw prediction, of shape (n_outputs,), that is the best one for all rows alike.

        Here by bisection: as a constant grows, the sum of a convex loss's slopes grows too.
        """
        scale: Scale = 1.0 if weight is None else weight[:, None]
        low, high = y.min(axis=0), y.max(axis=0)
        for _ in range(BISECTIONS):
            middle = 0.5 * (low + high)
            slopes = self.gradient(np.broadcast_to(middle, y.shape), y, scale)[1]
            rises = np.add.reduce(slopes, axis=0) > 0
            low, high = np.where(rises, low, middle), np.where(rises, middle, high)
        return np.asarray(0.5 * (low + high))


class SquaredError(Loss):
    """``(z - y)^2 / 2``; predicts the mean."""

    def gradient(self, raw: Matrix, y: Matrix, scale: Scale) -> tuple[float, Matrix]:
        """Value and gradient; see `Loss`."""
        residual = raw - y
        if isinstance(scale, float):
            value = 0.5 * scale * float(np.vdot(residual, residual))
            residual *= scale
        else:
            scaled = residual * scale
            value = 0.5 * float(np.vdot(residual, scaled))
            residual = scaled
        return value, residual

    def null_model(self, y: Matrix, weight: NDArray[Any] | None = None) -> Matrix:
        """The weighted mean; see `Loss`."""
        return np.asarray(np.average(y, axis=0, weights=weight))


class AbsoluteError(Loss):
    """``|z - y|``; predicts the median."""

    def gradient(self, raw: Matrix, y: Matrix, scale: Scale) -> tuple[float, Matrix]:
        """Value and gradient; see `Loss`."""
        residual = raw - y
        return weighted_sum(np.abs(residual), scale), np.sign(residual) * scale


class Huber(Loss):
    """Squared error up to a distance, the absolute error beyond it.

    Parameters
    ----------
    delta : float
        The distance, > 0, in the unit of y.
    """

    def __init__(self, delta: float = 1.0) -> None:
        self.delta = delta

    def gradient(self, raw: Matrix, y: Matrix, scale: Scale) -> tuple[float, Matrix]:
        """Value and gradient; see `Loss`."""
        residual = raw - y
        bounded = np.clip(residual, -self.delta, self.delta)
        value = weighted_sum(bounded * (residual - 0.5 * bounded), scale)
        bounded *= scale
        return value, bounded


class Quantile(Loss):
    """Pinball loss: ``q (y - z)`` where z is below y, ``(1 - q) (z - y)`` above.

    Parameters
    ----------
    quantile : float
        q in (0, 1): the share of y that the prediction exceeds.
    """

    def __init__(self, quantile: float = 0.5) -> None:
        self.quantile = quantile

    def gradient(self, raw: Matrix, y: Matrix, scale: Scale) -> tuple[float, Matrix]:
        """Value and gradient; see `Loss`."""
        residual = raw - y
        slope = np.where(residual > 0, 1.0 - self.quantile, -self.quantile).astype(raw.dtype)
        slope[residual == 0] = 0.0
        value = weighted_sum(slope * residual, scale)
        slope *= scale
        return value, slope


class Poisson(Loss):
    """Half the Poisson deviance at the mean ``exp(z)``; y must not be negative."""

    out_activation = "exp"

    def gradient(self, raw: Matrix, y: Matrix, scale: Scale) -> tuple[float, Matrix]:
        """Value and gradient; see `Loss`."""
        mean = np.exp(raw)
        value = weighted_sum(mean - y - y * raw + xlogy(y, y), scale)
        mean -= y
        mean *= scale
        return value, mean

    def predict(self, raw: Matrix) -> Matrix:
        """The mean, ``exp(raw)``; inf where that is too large for the type."""
        with np.errstate(over="ignore"):
            return np.asarray(np.exp(raw))

    def null_model(self, y: Matrix, weight: NDArray[Any] | None = None) -> Matrix:
        """Logarithm of the weighted mean; see `Loss`."""
        mean = np.average(y, axis=0, weights=weight)
        return np.asarray(np.log(np.maximum(mean, np.finfo(mean.dtype).tiny)))


class BinaryLogLoss(Loss):
    """Log-loss of independent yes-or-no outputs: the binary and the multilabel case."""

    out_activation = "logistic"

    def gradient(self, raw: Matrix, y: Matrix, scale: Scale) -> tuple[float, Matrix]:
        """Value and gradient; see `Loss`."""
        probability = expit(raw)
        probability -= y
        probability *= scale
        return self.value(raw, y, scale), probability

    def value(self, raw: Matrix, y: Matrix, scale: Scale) -> float:
        """``log(1 + exp(z)) - y z``, without overflow."""
        rows = np.abs(raw)
        np.negative(rows, out=rows)
        np.log1p(np.exp(rows, out=rows), out=rows)
        rows += np.maximum(raw, 0.0)
        rows -= y * raw
        return weighted_sum(rows, scale)

    def predict(self, raw: Matrix) -> Matrix:
        """Probability of a yes, output by output; never exactly 0 or 1."""
        info = np.finfo(raw.dtype)
        return np.clip(expit(raw), info.tiny, 1.0 - info.epsneg)

    def null_model(self, y: Matrix, weight: NDArray[Any] | None = None) -> Matrix:
        """Log-odds of the weighted share of a yes; see `Loss`."""
        share = np.average(y, axis=0, weights=weight)
        info = np.finfo(share.dtype)
        return np.asarray(logit(np.clip(share, info.tiny, 1.0 - info.epsneg)))


class SoftmaxLogLoss(Loss):
    """Log-loss of one class out of several; the rows of y sum to one."""

    out_activation = "softmax"

    def gradient(self, raw: Matrix, y: Matrix, scale: Scale) -> tuple[float, Matrix]:
        """Value and gradient; see `Loss`."""
        shifted = raw - np.maximum.reduce(raw, axis=1, keepdims=True)
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

    def predict(self, raw: Matrix) -> Matrix:
        """Probability of each class."""
        share = np.exp(raw - raw.max(axis=1, keepdims=True))
        share /= share.sum(axis=1, keepdims=True)
        return share

    def null_model(self, y: Matrix, weight: NDArray[Any] | None = None) -> Matrix:
        """Logarithm of the weighted share of each class; see `Loss`."""
        share = np.average(y, axis=0, weights=weight)
        return np.asarray(np.log(np.maximum(share, np.finfo(share.dtype).tiny)))
