"""The design of a sparse X by columns (CSC), of which only few columns or rows are ever dense."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from . import products
from .design import Design
from .products import BLOCK_ENTRIES, CANCELLATION, DENSE_COLUMN, Array, Index


class SparseDesign(Design):
    """Design of a CSC matrix or array; see `Design`."""

    sparse = True
    _compared: ClassVar[int] = BLOCK_ENTRIES

    def _gathered(self, index: Index | slice) -> Array:
        Z: Array = self._X[:, index].toarray("F").astype(np.float64, copy=False)
        return Z

    def _equal(self, first: Index, others: Index, signs: Array, share: float) -> NDArray[np.bool_]:
        X, Y = self._X[:, first], self._X[:, others]
        if np.array_equal(X.indptr, Y.indptr) and np.array_equal(X.indices, Y.indices):
            near = np.abs(X.data - np.repeat(signs, np.diff(X.indptr)) * Y.data)
            return products.column_sums(X, near > share * np.abs(X.data)) == 0
        Y.data *= np.repeat(signs, np.diff(Y.indptr))
        D = X - Y
        low, high = (np.ravel(D.min(axis=0).toarray()), np.ravel(D.max(axis=0).toarray()))
        away = high - low if self.mean is not None else np.maximum(high, -low)
        return np.asarray(away <= share * np.ravel(abs(X).max(axis=0).toarray()))

    def cross_gram(self, other: SparseDesign) -> Array:
        """``Z^T Omega Z_other`` for a subset of the design, or of the same one."""
        G = products.cross_products(self._X, other._X, self.omega)
        if self.mean is not None and other.mean is not None:
            G -= np.outer(self.mean, other.mean)
        if self.inv_scale is not None and other.inv_scale is not None:
            G *= self.inv_scale[:, None] * other.inv_scale
        for block in self._dense_blocks():
            G[block] = other.correlate(self.columns(block)).T
        for block in other._dense_blocks():
            G[:, block] = self.correlate(other.columns(block))
        G[self.far.constant] = G[:, other.far.constant] = 0.0
        return G

    def _dense_blocks(self) -> Iterator[Index]:
        """Blocks of columns that are stored nearly whole."""
        offsets = self.offsets(slice(None))
        far = np.flatnonzero(offsets**2 > DENSE_COLUMN * self.variances)
        step = max(1, BLOCK_ENTRIES // self.n_samples)
        for start in range(0, len(far), step):
            yield far[start : start + step]

    def _kernel_of_near_columns(self, root: Array) -> tuple[Array, Index]:
        scale = np.ones(self.n_features) if self.inv_scale is None else self.inv_scale
        # Centring a kernel cancels for columns far from zero: these few go the dense way.
        far = self.offsets(slice(None)) ** 2 > CANCELLATION * self.variances
        X = self._X[:, ~far].astype(np.float64)
        X.data *= np.repeat(scale[~far], np.diff(X.indptr))
        K = (X @ X.T).toarray(order="C")
        if self.mean is not None:
            shift = K @ self.omega
            K -= shift
            K -= (shift - self.omega @ shift)[:, None]
        K *= root
        K *= root[:, None]
        return K, np.flatnonzero(far)

    def subset(self, index: Index) -> SparseDesign:
        """The design of some features."""
        mean, inv_scale = (None if v is None else v[index] for v in (self.mean, self.inv_scale))
        part = SparseDesign(self._X[:, index], self.omega, mean, inv_scale)
        part.far = self.far.take(index, self.n_features)
        part.variances = self.variances[index]
        return part

    def joined(self, other: SparseDesign, most: int | None = None) -> SparseDesign:
        """Features of this subset of a design followed by those of another."""
        parts = ((self.mean, other.mean), (self.inv_scale, other.inv_scale))
        mean, scale = (None if u is None or v is None else np.append(u, v) for u, v in parts)
        X = sparse.hstack([self._X, other._X], format="csc")
        whole = SparseDesign(X, self.omega, mean, scale)
        whole.far = self.far.joined(other.far, self.n_features)
        whole.variances = np.append(self.variances, other.variances)
        return whole
