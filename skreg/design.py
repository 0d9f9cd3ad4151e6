"""The view of X that a solver sees: centred, scaled and weighted without copying X.

A `Design` stands for the matrix ``Z = (X - 1 mean^T) diag(inv_scale)`` with row weights
``omega`` that sum to one. Inner products over rows are ``<a, b> = sum_i omega_i a_i b_i``, so

    correlate(r)  = Z^T Omega r           (n_features,)
    gram()        = Z^T Omega Z           (n_features, n_features)

need no factor 1/n, a row of weight zero is a row that is not there, and a fold of a
cross-validation is the same X with other weights. X is dense (either order) or CSC; it is never
written to, and copied only where its layout is neither; what is accumulated, is in float64.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Array = NDArray[np.float64]
Index = NDArray[np.intp]

# Rows are centred in blocks of about this many entries (4 MiB of float64).
BLOCK_ENTRIES = 1 << 19
# A column whose standard deviation is below this fraction of its mean is constant up to rounding.
CONSTANT = 8 * np.finfo(np.float64).eps
# Above this ratio of squared mean to variance, second moments minus squared means lose digits.
CANCELLATION = 1e4
# The same for a sparse Gram matrix: such a column has over 99 % of its entries stored, so that it
# is dense already, and a Gram matrix with errors much above rounding may not be positive.
DENSE_COLUMN = 1e2


class Design:
    """Centred, scaled, weighted view of X; see the module's text.

    Parameters
    ----------
    X : ndarray or CSC matrix of shape (n_samples, n_features), float32 or float64
    omega : ndarray of shape (n_samples,)
        Row weights, >= 0, with sum one.
    mean : ndarray of shape (n_features,) or None
        Subtracted from the columns; None subtracts nothing.
    inv_scale : ndarray of shape (n_features,) or None
        Multiplies the columns; None multiplies nothing.
    """

    def __init__(
        self, X: Any, omega: Array, mean: Array | None = None, inv_scale: Array | None = None
    ) -> None:
        self.X = X
        self.omega = omega
        self.mean = mean
        self.inv_scale = inv_scale
        self.sparse = sparse.issparse(X)
        self._gram: Array | None = None
        self._variances: Array | None = None

    @classmethod
    def build(
        cls,
        X: Any,
        sample_weight: Array | None = None,
        *,
        center: bool = True,
        standardize: bool = False,
    ) -> Design:
        """View of the user's X; `standardize` scales by the weighted 1/n standard deviation."""
        n_samples, stored_sparse = X.shape[0], bool(sparse.issparse(X))
        if sample_weight is None:
            omega = np.full(n_samples, 1.0 / n_samples)
        else:
            omega = np.asarray(sample_weight, dtype=np.float64)
            omega = omega / omega.max()  # twice, so that neither tiny nor huge weights overflow
            omega /= omega.sum()
        if stored_sparse:
            X = X.tocsc()
        elif not (X.flags.c_contiguous or X.flags.f_contiguous):
            X = np.ascontiguousarray(X)
        raw = cls(X, omega)
        if not (center or standardize):
            return raw
        mean = raw._adjoint(omega)
        inv_scale = None
        if standardize:
            variances = cls(X, omega, mean).variances
            inv_scale = np.divide(
                1.0, np.sqrt(variances), out=np.zeros_like(variances), where=variances > 0
            )
        return cls(X, omega, mean if center else None, inv_scale)

    @property
    def n_samples(self) -> int:
        """Number of rows."""
        return int(self.X.shape[0])

    @property
    def n_features(self) -> int:
        """Number of columns."""
        return int(self.X.shape[1])

    # Products -----------------------------------------------------------------------------

    def _row_blocks(self) -> Iterator[tuple[slice, Array]]:
        """Dense X in blocks of rows, as float64."""
        step = max(1, BLOCK_ENTRIES // max(1, self.n_features))
        for start in range(0, self.n_samples, step):
            rows = slice(start, start + step)
            yield rows, self.X[rows].astype(np.float64, copy=False)

    def _adjoint(self, v: Array) -> Array:
        """``X^T v`` accumulated in float64."""
        if self.sparse or self.X.dtype == np.float64:
            return np.asarray(self.X.T @ v, dtype=np.float64)
        out = np.zeros((self.n_features, *v.shape[1:]))
        for rows, block in self._row_blocks():
            out += block.T @ v[rows]
        return out

    def predict(self, w: Array) -> Array:
        """``Z w``; w has shape (n_features,) or (n_features, k)."""
        w = self.to_raw(w)
        if self.sparse or self.X.dtype == np.float64:
            fitted = np.asarray(self.X @ w, dtype=np.float64)
        else:
            fitted = np.empty((self.n_samples, *w.shape[1:]))
            for rows, block in self._row_blocks():
                fitted[rows] = block @ w
        return fitted if self.mean is None else fitted - self.mean @ w

    def correlate(self, r: Array) -> Array:
        """``Z^T Omega r``; r has shape (n_samples,) or (n_samples, k)."""
        weighted = (self.omega * r.T).T
        q = self._adjoint(weighted)
        if self.mean is not None:
            # For centred r the sum is zero up to rounding; subtracting it keeps an offset of X
            # from turning that rounding into an error of q.
            q -= np.multiply.outer(self.mean, weighted.sum(axis=0))
        return q if self.inv_scale is None else (q.T * self.inv_scale).T

    def center(self, y: Array) -> tuple[Array, Array]:
        """A target less its weighted mean, and that mean (zeros when X is not centred)."""
        if self.mean is None:
            return np.array(y, dtype=np.float64), np.zeros(y.shape[1:])
        mean = self.omega @ y
        centred = y - mean
        # Of a constant y only rounding is left, which is nothing to fit.
        centred = np.where(self.norm2(centred) <= (CONSTANT * mean) ** 2, 0.0, centred)
        return centred, mean

    def norm2(self, r: Array) -> Array:
        """Weighted sums of squares of r, column by column."""
        return np.asarray(self.omega @ (r * r))

    # Columns and Gram matrices ------------------------------------------------------------

    def columns(self, index: Index | slice) -> Array:
        """Some columns of Z, dense, Fortran order, float64; constant ones exactly zero."""
        part = self.X[:, index]
        if self.sparse:
            part = part.toarray()
        Z = np.array(part, dtype=np.float64, order="F")
        if self.mean is not None:
            mean = self.mean[index]
            Z -= mean
            Z[:, self.omega @ (Z * Z) <= (CONSTANT * mean) ** 2] = 0.0
        if self.inv_scale is not None:
            Z *= self.inv_scale[index]
        return Z

    @property
    def variances(self) -> Array:
        """Diagonal of the Gram matrix; exactly zero for constant columns."""
        if self._variances is None:
            self._variances = self._second_moments()
        return self._variances

    def _second_moments(self) -> Array:
        if self._gram is not None:
            return np.array(self._gram.diagonal())
        if self.sparse:
            mean = np.zeros(self.n_features) if self.mean is None else self.mean
            counts = np.diff(self.X.indptr)
            centred = self.X.data - np.repeat(mean, counts)
            weights = self.omega[self.X.indices]
            stored = np.ravel(_with_data(self.X, centred * centred * weights).sum(axis=0))
            absent = 1.0 - np.ravel(_with_data(self.X, weights).sum(axis=0))
            absent[counts == self.n_samples] = 0.0  # or its rounding, times the squared mean
            moments = stored + np.maximum(absent, 0.0) * mean * mean
        else:
            moments = np.zeros(self.n_features)
            for rows, block in self._row_blocks():
                if self.mean is not None:
                    block = block - self.mean
                moments += self.omega[rows] @ (block * block)
        if self.mean is not None:
            moments[moments <= (CONSTANT * self.mean) ** 2] = 0.0
        return moments if self.inv_scale is None else moments * self.inv_scale**2

    def gram(self) -> Array:
        """``Z^T Omega Z`` of all features, made once."""
        if self._gram is None:
            self._gram = self._sparse_gram() if self.sparse else self._dense_gram()
        return self._gram

    def use_gram(self, gram: Array) -> None:
        """Take a Gram matrix that the user has computed."""
        self._gram = np.ascontiguousarray(gram, dtype=np.float64)

    def _dense_gram(self) -> Array:
        root = np.sqrt(self.omega)
        G = np.zeros((self.n_features, self.n_features))
        for rows, block in self._row_blocks():
            if self.mean is not None:
                block = block - self.mean
            block = block * root[rows, None]
            G += block.T @ block
        if self.mean is not None:
            constant = G.diagonal() <= (CONSTANT * self.mean) ** 2
            G[constant, :] = G[:, constant] = 0.0
        if self.inv_scale is not None:
            G *= self.inv_scale
            G *= self.inv_scale[:, None]
        return G

    def _sparse_gram(self) -> Array:
        G = self._sparse_products(self)
        constant = self.variances == 0
        G[constant, :] = G[:, constant] = 0.0
        return G

    def _sparse_products(self, other: Design) -> Array:
        """``Z^T Omega Z_other`` for sparse X."""
        weighted = _with_data(other.X, other.X.data * self.omega[other.X.indices])
        G = np.asarray((self.X.T @ weighted).toarray(), dtype=np.float64)
        if self.mean is not None and other.mean is not None:
            G -= np.outer(self.mean, other.mean)
        if self.inv_scale is not None and other.inv_scale is not None:
            G *= self.inv_scale[:, None] * other.inv_scale
        for block in self._far_from_zero():
            G[block] = other.correlate(self.columns(block)).T
        for block in other._far_from_zero():
            G[:, block] = self.correlate(other.columns(block))
        return G

    def _far_from_zero(self) -> Iterator[Index]:
        """Blocks of columns whose products should be centred before they are summed."""
        offsets = self.offsets(slice(None))
        far = np.flatnonzero(offsets**2 > DENSE_COLUMN * self.variances)
        step = max(1, BLOCK_ENTRIES // self.n_samples)
        for start in range(0, len(far), step):
            yield far[start : start + step]

    def gram_columns(self, index: Index) -> Array:
        """``Z^T Omega Z[:, index]``, shape (n_features, len(index))."""
        if self._gram is not None:
            return self._gram[:, index]
        return self.correlate(self.columns(index))

    def offsets(self, index: Index | slice) -> Array:
        """Means that were subtracted from some columns of Z, in units of Z."""
        mean = np.zeros(self.n_features) if self.mean is None else self.mean
        return (mean if self.inv_scale is None else mean * self.inv_scale)[index]

    def subset(self, index: Index) -> Design:
        """The design of some features; dense columns are gathered centred and scaled."""
        if self.sparse:
            mean = None if self.mean is None else self.mean[index]
            inv_scale = None if self.inv_scale is None else self.inv_scale[index]
            return Design(self.X[:, index], self.omega, mean, inv_scale)
        return Design(self.columns(index), self.omega)

    def cross_gram(self, other: Design) -> Array:
        """``Z^T Omega Z_other`` for two designs over the same rows."""
        return self._sparse_products(other) if self.sparse else self.correlate(other.X)

    def joined(self, other: Design) -> Design:
        """Features of this design followed by those of another."""
        if not self.sparse:
            return Design(np.asfortranarray(np.hstack([self.X, other.X])), self.omega)
        mean = None if self.mean is None else np.concatenate([self.mean, other.mean])
        scale = (
            None if self.inv_scale is None else np.concatenate([self.inv_scale, other.inv_scale])
        )
        return Design(sparse.hstack([self.X, other.X], format="csc"), self.omega, mean, scale)

    # The user's scale ---------------------------------------------------------------------

    def to_raw(self, w: Array) -> Array:
        """Coefficients on the user's scale from coefficients of Z; features come first."""
        return w if self.inv_scale is None else (w.T * self.inv_scale).T

    def from_raw(self, coef: Array) -> Array:
        """Coefficients of Z from coefficients on the user's scale."""
        if self.inv_scale is None:
            return coef
        scale = np.divide(
            1.0, self.inv_scale, out=np.zeros_like(self.inv_scale), where=self.inv_scale > 0
        )
        return (coef.T * scale).T

    def intercept(self, coef: Array, y_mean: Array | float) -> Array:
        """Intercept that belongs to `coef` on the user's scale, shape of ``coef[0]``."""
        if self.mean is None:
            return np.zeros(coef.shape[1:])
        return y_mean - self.mean @ coef


def _with_data(X: Any, data: Array) -> Any:
    """X with other stored values."""
    return type(X)((data, X.indices, X.indptr), shape=X.shape)
