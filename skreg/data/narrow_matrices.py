"""Matrices of products to the digits of float32, and products in it with the rows behind them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .products import Array


@dataclass(frozen=True, eq=False)
class NarrowMatrix:
    """A Gram matrix or a kernel.

    Attributes
    ----------
    entries : ndarray
        In float64.
    size : float
        The trace before it was centred, which its error is relative to.
    """

    entries: Array
    size: float


@dataclass(frozen=True, eq=False)
class NarrowKernel(NarrowMatrix):
    """A kernel.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features), float32
        The rows, as the user has them.
    omega : ndarray of shape (n_samples,)
        Their weights, all the same.
    centred : bool
        Whether the columns of the design are.
    """

    X: NDArray[np.float32]
    omega: Array
    centred: bool

    def correlate(self, r: NDArray[np.float32]) -> NDArray[np.float32]:
        """`Design.correlate` of centred r, by a product in float32."""
        return np.asarray((r.T * np.float32(self.omega[0])) @ self.X, dtype=np.float32).T

    def predict(self, w: NDArray[np.float32], mixed: Array | None = None) -> tuple[Array, Array]:
        """`Design.predict`, likewise, and the means of X times w where that is centred.

        With `mixed`, of shape (k, n_samples), that many mixtures of the rows instead of all.
        """
        if mixed is None:
            fitted = (self.X @ w).astype(np.float64)
            mean = fitted.mean(axis=0)
            return (fitted - mean, mean) if self.centred else (fitted, 0.0 * mean)
        if not self.centred:
            rows = mixed
        else:
            rows = np.vstack([mixed - mixed.mean(axis=1, keepdims=True), self.omega])
        products = ((rows.astype(np.float32) @ self.X) @ w).astype(np.float64)
        fitted = products[: len(mixed)]
        return (fitted, products[-1]) if self.centred else (fitted, np.zeros(w.shape[1]))
