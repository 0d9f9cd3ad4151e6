"""Batch and layer normalisation: entries with mean 0 and variance 1, then a scale and a shift.

Batch normalisation (Ioffe and Szegedy, ICML 2015) takes mean and variance of each column over the
rows of a batch; layer normalisation (Ba, Kiros and Hinton, arXiv:1607.06450) those of each row.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .layers import Layer, Matrix

EPSILON = 1e-5  # added to the variance
MOMENTUM = 0.1  # weight of a new batch in the running statistics


class Normalization(Layer):
    """What both have: the scale and shift of each column, and their gradients.

    Parameters
    ----------
    scale, shift : ndarray of shape (width,)
    scale_gradient, shift_gradient : ndarray of shape (width,) or None
        Where `backward` writes; not needed for `forward` alone.
    """

    _unit: Matrix

    def __init__(
        self,
        scale: Matrix,
        shift: Matrix,
        scale_gradient: Matrix | None = None,
        shift_gradient: Matrix | None = None,
    ) -> None:
        self.scale, self.shift = scale, shift
        self.scale_gradient, self.shift_gradient = scale_gradient, shift_gradient

    def _allocate(self, n_rows: int) -> dict[str, Matrix]:
        shape, dtype = (n_rows, len(self.scale)), self.scale.dtype
        unit, out = np.empty(shape, dtype), np.empty(shape, dtype)
        return {"_unit": unit, "_out": out, "_ones": np.ones(n_rows, dtype)}

    def _scaled(self) -> Matrix:
        out = np.multiply(self._unit, self.scale, out=self._out)
        out += self.shift
        return out

    def _store_gradients(self, gradient: Matrix) -> None:
        """Those of shift and scale; `_out` is free for it."""
        np.dot(self._ones, gradient, out=self.shift_gradient)
        product = np.multiply(gradient, self._unit, out=self._out)
        np.dot(self._ones, product, out=self.scale_gradient)


class BatchNorm(Normalization):
    """Normalise columns: by the batch while `training` is set, else by the running statistics.

    The running variance averages unbiased estimates. A batch of a single row, which has no
    variance, is normalised by the running statistics.

    Parameters
    ----------
    mean, variance : ndarray of shape (width,)
        The running statistics, updated in place by `forward` in training.
    """

    def __init__(self, mean: Matrix, variance: Matrix, *parameters: Any) -> None:
        super().__init__(*parameters)
        self.mean, self.variance = mean, variance
        self.training = False

    def forward(self, x: Matrix, rng: np.random.Generator | None = None) -> Matrix:
        """Normalised columns, scaled and shifted."""
        unit, n = self._unit, len(x)
        # A single row has no variance: the running one serves.
        self._by_batch = self.training and n > 1
        if not self._by_batch:
            self._inverse = 1.0 / np.sqrt(self.variance + EPSILON)
            np.subtract(x, self.mean, out=unit)
        else:
            mean = np.dot(self._ones, x) / n
            np.subtract(x, mean, out=unit)
            variance = np.dot(self._ones, np.multiply(unit, unit, out=self._out)) / n
            self._inverse = 1.0 / np.sqrt(variance + EPSILON)
            self.mean += MOMENTUM * (mean - self.mean)
            self.variance += MOMENTUM * (variance * (n / (n - 1)) - self.variance)
        unit *= self._inverse
        return self._scaled()

    def backward(self, gradient: Matrix, to_input: bool = True) -> Matrix:
        """Gradients in scale, shift and input."""
        self._store_gradients(gradient)
        if self._by_batch:
            n = len(gradient)
            gradient -= np.dot(self._ones, gradient) / n
            slope = np.dot(self._ones, self._out) / n
            gradient -= np.multiply(self._unit, slope, out=self._out)
        gradient *= self.scale * self._inverse
        return gradient


class LayerNorm(Normalization):
    """Normalise rows, in training and in prediction alike."""

    def forward(self, x: Matrix, rng: np.random.Generator | None = None) -> Matrix:
        """Normalised rows, scaled and shifted."""
        unit = self._unit
        np.subtract(x, x.mean(axis=1, keepdims=True), out=unit)
        variance = np.einsum("ij,ij->i", unit, unit)[:, None] / x.shape[1]
        self._inverse = 1.0 / np.sqrt(variance + EPSILON)
        unit *= self._inverse
        return self._scaled()

    def backward(self, gradient: Matrix, to_input: bool = True) -> Matrix:
        """Gradients in scale, shift and input."""
        self._store_gradients(gradient)
        gradient *= self.scale
        slope = np.einsum("ij,ij->i", gradient, self._unit)[:, None] / gradient.shape[1]
        gradient -= gradient.mean(axis=1, keepdims=True)
        gradient -= np.multiply(self._unit, slope, out=self._out)
        gradient *= self._inverse
        return gradient
