"""Sums over the rows of X, dense or sparse, in float64 and never on a copy of X that is not small.

Dense X is read in blocks. The columns that matter here are those far from zero: where the mean is
large beside the spread, a product with raw X loses as many digits as the two differ by, and so
does the mean itself. `far_from_zero` finds them, with the part of their means that
float64 could not hold, so that they can be centred before they are summed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import dger
from scipy.sparse import issparse

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: Whether X is a sparse matrix or array.
is_sparse: Callable[[Any], bool] = issparse

# Rows are read in blocks of about this many entries (4 MiB of float64).
BLOCK_ENTRIES = 1 << 19
# X of so many entries becomes float64 at once (16 MiB): products with float32 would copy it again
# and again, which took up to a sixth of a fit.
COPIED = 1 << 21
# Two sparse matrices whose densities have a larger product than this are multiplied as blocks of
# dense rows: a product of two stored entries takes 2 ns, one of two dense entries 0.1 ns.
FILLED = 0.05
# A column whose standard deviation is below this fraction of its mean is constant up to rounding.
CONSTANT = 8 * np.finfo(np.float64).eps
# Above this ratio of squared mean to variance, second moments minus squared means lose digits.
CANCELLATION = 1e4
# The same for a Gram matrix, which errors much above rounding may keep from being positive. Such a
# column of a sparse X has over 99 % of its entries stored, so that it is dense already.
DENSE_COLUMN = 1e2
# A product with a matrix copies all of X into the cache's order first, which takes nearly as long
# as this many products with a vector.
THIN = 4
# X of so many rows is read in blocks of so many entries, which stay in the cache while all vectors
# are through: four take 1.4 times as long as one at 1000 x 10000. In C order two take 1.2 times as
# long as one, if a block has a fair number of rows and these are long.
TALL, WIDE = 256, (4096, 16384)
CACHED = 1 << 17
# Of these no more than so many are read in one stretch.
STRETCH = 1 << 14
# Share of the rows that often suffices to see that a column is not far from zero.
GLANCE = 0.05


def quick_to_read(X: Any) -> Any:
    """X in a form that is read quickly, copied only where it is in none, or small."""
    small = X.size <= COPIED
    if is_sparse(X):
        X = X.tocsc()
        return with_data(X, X.data.astype(np.float64)) if small and X.dtype != np.float64 else X
    if small:
        X = X.astype(np.float64, copy=False)
    return X if X.flags.c_contiguous or X.flags.f_contiguous else np.ascontiguousarray(X)


def as_dense(X: Any) -> NDArray[Any]:
    """X, or a dense copy of sparse X."""
    return X.toarray() if is_sparse(X) else X


def row_blocks(X: NDArray[Any]) -> Iterator[tuple[slice, Array]]:
    """Dense X in blocks of rows, as float64."""
    step = max(1, BLOCK_ENTRIES // max(1, X.shape[1]))
    for start in range(0, X.shape[0], step):
        rows = slice(start, start + step)
        yield rows, X[rows].astype(np.float64, copy=False)


def adjoint(X: Any, v: Array) -> Array:
    """``X^T v`` in Fortran order, a column of v at a time."""
    if is_sparse(X):
        return np.asarray(X.T @ v, dtype=np.float64, order="F")
    if X.dtype == np.float64:
        count = 1 if v.ndim == 1 else v.shape[1]
        if 1 < count <= at_once(X):
            return _in_blocks(X, v)
        if 1 < count < THIN:
            return np.array([column @ X for column in v.T]).T
        return np.asarray((v.T @ X).T)
    out = np.zeros((X.shape[1], *v.shape[1:]))
    for rows, columns in cached_blocks(X):
        out[columns] += X[rows, columns].astype(np.float64).T @ v[rows]
    return out


def at_once(X: Any) -> int:
    """How many vectors `adjoint` takes through X in little more time than one."""
    if is_sparse(X) or X.dtype != np.float64 or X.shape[0] < TALL:
        return 1
    if X.flags.f_contiguous:
        return THIN
    return 2 if WIDE[0] <= X.shape[1] <= WIDE[1] else 1


def _in_blocks(X: Array, v: Array) -> Array:
    """`adjoint` of few vectors, without the copy of X that a product of matrices would make."""
    n_samples, n_features = X.shape
    if X.flags.f_contiguous:
        out, step = np.empty((v.shape[1], n_features)), max(1, CACHED // n_samples)
        for columns in (slice(j, j + step) for j in range(0, n_features, step)):
            out[:, columns] = v.T @ X[:, columns]
    else:
        out, step = np.zeros((v.shape[1], n_features)), max(1, CACHED // n_features)
        for rows in (slice(i, i + step) for i in range(0, n_samples, step)):
            out += v[rows].T @ X[rows]
    return out.T


def cached_blocks(X: NDArray[Any]) -> Iterator[tuple[slice, slice]]:
    """Rows and columns of blocks of dense X that stay in the cache, read in long stretches."""
    along = 1 if X.flags.c_contiguous else 0
    length = min(max(1, X.shape[along]), STRETCH)
    across = CACHED // length
    for i in range(0, X.shape[0], across if along else length):
        for j in range(0, X.shape[1], length if along else across):
            rows = slice(i, i + (across if along else length))
            yield rows, slice(j, j + (length if along else across))


def product(X: Any, w: Array) -> Array:
    """``X w``."""
    if is_sparse(X) or X.dtype == np.float64:
        return np.asarray(X @ w, dtype=np.float64)
    out = np.zeros((X.shape[0], *w.shape[1:]))
    for rows, columns in cached_blocks(X):
        out[rows] += X[rows, columns].astype(np.float64) @ w[columns]
    return out


def squares(X: Any, omega: Array, mean: Array | None) -> Array:
    """Weighted sums of squares of the columns less `mean`."""
    uniform = bool((omega == omega[0]).all())
    if not is_sparse(X):
        if uniform and X.flags.f_contiguous and X.dtype == np.float64:  # in one pass
            out = omega[0] * np.einsum("ij,ij->j", X, X)
            spread = out if mean is None else out - mean * mean
            if mean is None or not (mean * mean > DENSE_COLUMN * spread).any():
                return spread
        out = np.zeros(X.shape[1])
        for rows, columns in cached_blocks(X):
            block = X[rows, columns]
            if mean is None:
                block = np.square(block, dtype=np.float64)
            else:
                block = np.subtract(block, mean[columns], dtype=np.float64)
                np.square(block, out=block)
            out[columns] += omega[rows] @ block
        return out
    counts = np.diff(X.indptr)
    uniform = not np.count_nonzero(omega != omega[0])
    centred = X.data.astype(np.float64)
    if mean is not None:
        centred -= np.repeat(mean, counts)
    centred *= centred
    if not uniform:
        weights = omega[X.indices]
        centred *= weights
    stored = column_sums(X, centred)
    if uniform:
        stored *= omega[0]
    if mean is None:
        return stored
    absent = 1.0 - (counts * omega[0] if uniform else column_sums(X, weights))
    absent[counts == X.shape[0]] = 0.0  # or its rounding, times the squared mean
    return stored + np.maximum(absent, 0.0) * mean * mean


def column_sums(X: Any, values: Array) -> Array:
    """Sums of the columns of sparse X with these stored values; a matrix of them takes longer."""
    out, used = np.zeros(X.shape[1]), np.diff(X.indptr).nonzero()[0]
    if len(used):
        out[used] = np.add.reduceat(values, X.indptr[used])
    return out


def gram(X: NDArray[Any], omega: Array, mean: Array | None, near: bool) -> Array:
    """``(X - mean)^T diag(omega) (X - mean)`` of dense X, centred first where it matters.

    `near` is `Far.near`; what the first rows miss is seen afterwards.
    """
    if mean is None:
        return _products(X, omega, None)
    if near and len(mean):  # dger takes no empty matrix
        G = _products(X, omega, None)
        G = dger(-1.0, mean, mean, a=G.T, overwrite_a=1).T  # an outer product would be as large
        if not np.count_nonzero(mean * mean > DENSE_COLUMN * G.diagonal()):
            return G
    return _products(X, omega, mean)


def _products(X: NDArray[Any], omega: Array, shift: Array | None) -> Array:
    uniform = not np.count_nonzero(omega != omega[0])
    if uniform and shift is None and X.dtype == np.float64:  # nothing has to be copied
        G = np.asarray(X.T @ X)
        G *= omega[0]
        return G
    root = np.sqrt(omega)
    G = np.zeros((X.shape[1], X.shape[1]))
    for rows, block in row_blocks(X):
        if shift is not None:
            block = block - shift
        if not uniform:
            block = block * root[rows, None]
        G += block.T @ block
    if uniform:
        G *= omega[0]
    return G


def kernel(X: NDArray[Any]) -> Array:
    """``X X^T`` of dense X."""
    if X.dtype == np.float64:
        return np.asarray(X @ X.T)
    K = np.zeros((X.shape[0], X.shape[0]))
    step = max(1, BLOCK_ENTRIES // X.shape[0])
    for start in range(0, X.shape[1], step):
        block = X[:, start : start + step].astype(np.float64)
        K += block @ block.T
    return K


def cross_products(X: Any, other: Any, omega: Array) -> Array:
    """``X^T diag(omega) other`` of two sparse matrices over the same rows."""
    (n, p), m = X.shape, other.shape[1]
    weighted = with_data(other, other.data * omega[other.indices])
    if X.nnz * other.nnz <= FILLED * n * p * n * m:
        return np.asarray((X.T @ weighted).toarray(), dtype=np.float64)
    X, weighted, G = X.tocsr(), weighted.tocsr(), np.zeros((p, m))
    step = max(1, min(BLOCK_ENTRIES // max(p, m), n // 4))  # X is never dense as a whole
    for start in range(0, n, step):
        rows = slice(start, start + step)
        G += X[rows].toarray().T @ weighted[rows].toarray()
    return G


@dataclass(frozen=True)
class Far:
    """Columns whose mean is large beside their spread.

    Attributes
    ----------
    index : ndarray of int, shape (n_far,)
    drift : ndarray of shape (n_far,)
        What is left of the column when its mean, which is rounded, has been subtracted: next to
        nothing in units of the mean, but not in units of the spread.
    constant : ndarray of int
        Those without any spread but rounding.
    near : bool
        Whether no column looks too far from zero for a Gram matrix that is centred afterwards.
    """

    index: Index
    drift: Array
    constant: Index
    near: bool = True

    def take(self, index: Index, n_features: int) -> Far:
        """Those among some of the features."""
        if not len(self.index):
            return self
        place, constant = np.full(n_features, -1), np.zeros(n_features, dtype=bool)
        place[self.index], constant[self.constant] = np.arange(len(self.index)), True
        place = place[index]
        found = (place >= 0).nonzero()[0]
        return Far(found, self.drift[place[found]], constant[index].nonzero()[0], self.near)

    def joined(self, other: Far, n_features: int) -> Far:
        """Those of so many features, and of others that follow."""
        if not (len(self.index) or len(other.index)):
            return NONE_FAR
        pairs = (self.index, other.index), (self.constant, other.constant)
        index, constant = (np.append(one, two + n_features) for one, two in pairs)
        return Far(index, np.append(self.drift, other.drift), constant, near=False)


NONE_FAR = Far(np.empty(0, np.intp), np.empty(0), np.empty(0, np.intp))


def far_from_zero(X: Any, omega: Array, mean: Array, spread: Array | None = None) -> Far:
    """Find the columns far from zero.

    `mean` has the weighted means as far as rounding allows, `spread` the variances from these where
    they are known.
    """
    squared_mean, share = mean * mean, 1.0
    if spread is None:
        # A part of the rows bounds the variance from below, which is enough for most columns.
        start = 0 if omega[0] > 0 else int((omega > 0).argmax())
        rows = slice(start, start + max(8, int(GLANCE * X.shape[0])))
        glance = X[rows] - mean
        spread = omega[rows] @ np.square(glance, out=glance)
        share = max(omega[rows].sum(), DENSE_COLUMN / CANCELLATION)
    # Of columns that pass this one, none is a suspect.
    if not np.count_nonzero(squared_mean * share > DENSE_COLUMN * spread):
        return NONE_FAR
    suspects = np.flatnonzero(squared_mean > CANCELLATION * spread)
    drift, spread = np.empty(len(suspects)), np.empty(len(suspects))
    for part, Z in column_blocks(X, suspects):
        Z -= mean[suspects[part]]
        drift[part] = omega @ Z
        spread[part] = omega @ np.square(Z - drift[part])
    squared_mean = squared_mean[suspects]
    far = squared_mean > CANCELLATION * spread
    constant = far & (spread <= CONSTANT**2 * squared_mean)
    return Far(suspects[far], drift[far], suspects[constant], near=False)


def column_blocks(X: Any, index: Index) -> Iterator[tuple[slice, Array]]:
    """Some columns of X in blocks, as dense float64 that may be written to."""
    step = max(1, BLOCK_ENTRIES // X.shape[0])
    for start in range(0, len(index), step):
        part = slice(start, start + step)
        columns = as_dense(X[:, index[part]])
        yield part, np.array(columns, dtype=np.float64, order="F")


def with_data(X: Any, data: Array) -> Any:
    """Sparse X with other stored values."""
    return type(X)((data, X.indices, X.indptr), shape=X.shape)
