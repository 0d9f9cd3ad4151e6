"""About the inverse of the Hessian of the multinomial loss, for conjugate gradients.

Either the whole Hessian, of some of the rows perhaps, or its diagonal blocks, one a class, made of
some of the rows, where coefficients of a feature sum to zero over the classes.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotrs

from ...data.design import Array, Index
from .class_model import ClassModel
from .class_path import ClassPath

# Features of the largest blocks; beyond, the diagonal has to do.
LARGEST_BLOCK = 1500
# Up to so many features the blocks are inverted, all at once.
INVERTED = 128
# Rows that blocks are made of: so many, or so many a feature.
BLOCK_ROWS, ROWS_PER_FEATURE = 2000, 10
# A part of the diagonal that is added to the blocks of features without a penalty.
SHIFT = 1e-8


class Preconditioner(Protocol):
    """About the inverse of the Hessian."""

    def take(self, ridges: Array) -> None:
        """Have these squared penalties in it."""

    def __call__(self, residual: Array) -> Array:
        """About the solution of the equations."""


class WholeMatrix:
    """The Hessian at probabilities p, of the pairs of these features and classes."""

    def __init__(self, path: ClassPath, p: Array, place: Index, kind: Index) -> None:
        self.gram = ClassModel(path.rows, p, path.design, place, kind, smooth=True).gram
        self.ridges = np.empty(0)

    def take(self, ridges: Array) -> None:
        """Have these squared penalties in it."""
        if not np.array_equal(ridges, self.ridges):
            matrix = self.gram + np.diag(ridges + SHIFT * self.gram.diagonal())
            self.factor, self.ridges = dpotrf(matrix.T, lower=1, overwrite_a=1)[0], ridges

    def __call__(self, residual: Array) -> Array:
        """About the solution of the equations."""
        return np.asarray(dpotrs(self.factor, residual, lower=1)[0])


class Blocks:
    """The blocks of the Hessian that belong to one class each, and their factors.

    Parameters
    ----------
    path : ClassPath
    p : ndarray of shape (n_samples, n_classes)
        Probabilities that they are made at.
    """

    def __init__(self, path: ClassPath, p: Array) -> None:
        design, Z, omega = path.design, path.Z, path.rows.omega
        self.n_classes, m = path.n_classes, design.n_features
        centred = path.rows.has_intercept
        self.ridges: Array | None = None
        self.diagonal = Z is None or m > LARGEST_BLOCK
        if self.diagonal:
            self.grams = np.empty((self.n_classes, m))
            for k in range(self.n_classes):
                weight = omega * p[:, k] * (1.0 - p[:, k])
                total = float(weight.sum())
                if total > 0:
                    variances = design.curved(weight, center=centred).variances
                    self.grams[k] = total * variances
            return
        assert Z is not None
        if (p == p[0]).all():  # the null model
            shares = p[0] * (1.0 - p[0])
            self.grams = shares[:, None, None] * design.gram()
            return
        step = max(1, len(Z) // block_rows(m))
        if step > 1:
            Z, p, omega = np.asfortranarray(Z[::step]), p[::step], omega[::step]
        weight = omega[:, None] * (p * (1.0 - p)) / omega.sum()
        roots, self.grams = np.sqrt(weight), np.empty((self.n_classes, m, m))
        totals = weight.sum(axis=0)
        for k in range(self.n_classes):
            A = Z * roots[:, k, None]
            self.grams[k] = A.T @ A
            if centred and totals[k] > 0:
                mean = roots[:, k] @ A
                self.grams[k] -= np.outer(mean, mean / totals[k])

    @staticmethod
    def cost(n: int, m: int) -> float:
        """Operations of one block."""
        if m > LARGEST_BLOCK:
            return 4.0 * n * m
        return min(n, block_rows(m)) * m * (m + 6.0) + m**3 * (2.0 if m <= INVERTED else 0.4)

    def take(self, ridges: Array) -> None:
        """Have these squared penalties in it."""
        if self.ridges is not None and np.array_equal(ridges, self.ridges):
            return
        self.ridges = ridges
        each = ridges.reshape(self.n_classes, -1)
        if self.diagonal:
            self.inverse = 1.0 / (self.grams * (1.0 + SHIFT) + each + np.finfo(float).tiny)
            return
        blocks = self.grams.copy()
        diagonal = np.einsum("kjj->kj", blocks)  # a view
        diagonal += SHIFT * diagonal.mean(axis=0) + each
        if blocks.shape[1] <= INVERTED:
            self.inverse = np.linalg.inv(blocks)
        else:
            self.factors = [dpotrf(block, lower=1)[0] for block in blocks]

    def __call__(self, residual: Array) -> Array:
        """About the solution, with the sums of each feature over the classes taken out."""
        R = residual.reshape(self.n_classes, -1)
        if self.diagonal:
            V = self.inverse * R
        elif R.shape[1] <= INVERTED:
            V = np.ascontiguousarray(np.matmul(self.inverse, R[:, :, None])[:, :, 0])
        else:
            solved = zip(self.factors, R, strict=True)
            V = np.array([dpotrs(one, r, lower=1)[0] for one, r in solved])
        V -= np.add.reduce(V, axis=0) / self.n_classes
        return np.asarray(V.ravel())


def block_rows(n_features: int) -> int:
    """Rows that the blocks of so many features are made of."""
    return max(BLOCK_ROWS, ROWS_PER_FEATURE * n_features)
