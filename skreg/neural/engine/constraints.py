"""Bounds on weight matrices, put back in force after every update.

`max_norm` bounds the norm of the weights into each unit (Srebro and Shraibman, COLT 2005; with
dropout in Srivastava et al., JMLR 15, 2014), `spectral_norm` the largest singular value of each
matrix, which bounds how much a layer can stretch its input (Yoshida and Miyato, arXiv:1705.10941).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.linalg import eigh

from .layers import Matrix


def limit_columns(weight: Matrix, bound: float) -> None:
    """Shorten the columns whose norm is above `bound`, in place."""
    norms = np.sqrt(np.einsum("ij,ij->j", weight, weight))
    if norms.max(initial=0.0) > bound:
        weight *= np.minimum(1.0, bound / np.maximum(norms, bound))


def power_iteration(weight: Matrix, right: Matrix, n_iter: int, tol: float = 0.0) -> float:
    """Largest singular value of `weight` from below; `right`, the vector, is updated in place."""
    value = 0.0
    for _ in range(n_iter):
        left = weight @ right
        length = float(np.linalg.norm(left))
        if length == 0.0:
            return 0.0
        np.dot(left / length, weight, out=right)
        before, value = value, float(np.linalg.norm(right))
        if value == 0.0:
            return 0.0
        right /= value
        if abs(value - before) <= tol * value:
            break
    return value


class Constraints:
    """The bounds of all layers.

    Parameters
    ----------
    max_norm, spectral_norm : float or None
        Bounds, > 0; None is no bound.
    """

    def __init__(self, max_norm: float | None, spectral_norm: float | None) -> None:
        self.max_norm, self.spectral_norm = max_norm, spectral_norm
        self.active = max_norm is not None or spectral_norm is not None
        self._vectors: list[Matrix] = []

    def begin_epoch(self, weights: Sequence[Matrix]) -> None:
        """Find the leading vector of each matrix anew, from one start.

        What an epoch does then depends on the weights alone, so that a training which is resumed
        repeats one which was not stopped.
        """
        if self.spectral_norm is None:
            return
        self._vectors = []
        for weight in weights:
            start = np.random.Generator(np.random.PCG64(0)).standard_normal(weight.shape[1])
            vector = (start / np.linalg.norm(start)).astype(weight.dtype)
            power_iteration(weight, vector, 100, 1e-5)
            self._vectors.append(vector)

    def apply(self, weights: Sequence[Matrix]) -> None:
        """After an update: columns exactly, spectral norms by one step of power iteration."""
        if self.max_norm is not None:
            for weight in weights:
                limit_columns(weight, self.max_norm)
        if self.spectral_norm is not None:
            for weight, vector in zip(weights, self._vectors, strict=True):
                value = power_iteration(weight, vector, 1)
                if value > self.spectral_norm:
                    weight *= self.spectral_norm / value

    def end_epoch(self, weights: Sequence[Matrix]) -> None:
        """The spectral norms exactly, from the eigenvalues of a Gram matrix."""
        if self.spectral_norm is None:
            return
        for weight in weights:
            value = largest_singular_value(weight)
            if value > self.spectral_norm:
                # a hair below the bound, so that rounding the weights does not exceed it
                weight *= self.spectral_norm / value * (1.0 - 2.0 * np.finfo(weight.dtype).eps)


def largest_singular_value(weight: Matrix) -> float:
    """Exact to rounding, by the smaller of the two Gram matrices."""
    wide = weight if weight.shape[0] <= weight.shape[1] else weight.T
    wide = wide.astype(np.float64)
    last = len(wide) - 1
    values = eigh(wide @ wide.T, eigvals_only=True, subset_by_index=[last, last])
    return float(np.sqrt(max(float(values[0]), 0.0)))
