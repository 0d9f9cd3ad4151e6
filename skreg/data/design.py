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
from scipy import sparse

from ..caching import cached_property
from . import products
from .moments import Moments
from .products import BLOCK_ENTRIES, CANCELLATION, CONSTANT, DENSE_COLUMN, Array, Far, Index

__all__ = ["BLOCK_ENTRIES", "CANCELLATION", "CONSTANT", "Array", "Design", "Index"]


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
        self.decompositions: dict[Any, Any] = {}  # which one solver leaves for the next
        self._gram: Array | None = None
        self._far_columns: list[tuple[Index, Array]] | None = None

    def __getstate__(self) -> dict[str, Any]:
        # Another process makes anew what can be made of these.
        parts = {name: getattr(self, name) for name in ("X", "omega", "mean", "inv_scale")}
        return {**vars(Design(**parts))}

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
        if not (center or standardize):
            return cls(X, omega)
        centred = cls(X, omega, products.adjoint(X, omega))
        if not standardize:
            return centred
        spread = np.sqrt(centred.variances)
        inv_scale = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 0)
        design = cls(X, omega, centred.mean if center else None, inv_scale)
        if center:
            design.far = centred.far
        return design

    def reweighted(self, sample_weight: Array) -> Design:
        """The same X with other weights of its rows, centred and scaled by them alike."""
        center, standardize = self.mean is not None, self.inv_scale is not None
        return Design.build(self.X, sample_weight, center=center, standardize=standardize)

    @property
    def n_samples(self) -> int:
        """Number of rows."""
        return int(self.X.shape[0])

    @property
    def dtype(self) -> Any:
        """Type of the numbers in X."""
        return self.X.dtype

    @property
    def n_features(self) -> int:
        """Number of columns."""
        return int(self.X.shape[1])

    # Columns far from zero ----------------------------------------------------------------

    @cached_property
    def far(self) -> Far:
        """Columns to centre before they are summed; none where X is not centred."""
        if self.mean is None:
            return products.NONE_FAR
        spread = self._squares if self.sparse else None
        return products.far_from_zero(self.X, self.omega, self.mean, spread)

    def _far_blocks(self) -> list[tuple[Index, Array]] | Iterator[tuple[Index, Array]]:
        """The columns far from zero, centred but not scaled; kept where they are few."""
        if self._far_columns is not None:
            return self._far_columns
        index = self.far.index
        step = max(1, BLOCK_ENTRIES // self.n_samples)
        parts = [index[start : start + step] for start in range(0, len(index), step)]
        blocks = ((part, self._centred(part)) for part in parts)
        if len(parts) > 1:
            return blocks
        self._far_columns = list(blocks)
        return self._far_columns

    def _centred(self, index: Index | slice) -> Array:
        """Some columns of X less their means, dense, Fortran order; constant ones exactly zero."""
        if self.sparse:
            Z = self.X[:, index].toarray("F").astype(np.float64, copy=False)
        elif isinstance(index, slice):
            Z = np.array(self.X[:, index], dtype=np.float64, order="F")
        else:  # rows of X.T, of which `take` would copy all where X is in C order
            Z = np.asarray(self.X.T[index].T, dtype=np.float64, order="F")
        if self.mean is not None:
            Z -= self.mean[index]
            if len(self.far.index):
                left, varies = np.zeros(self.n_features), np.ones(self.n_features, dtype=bool)
                left[self.far.index] = self.far.drift
                varies[self.far.constant] = False
                Z -= left[index]
                Z[:, ~varies[index]] = 0.0
        return Z

    # Products -----------------------------------------------------------------------------

    def predict(self, w: Array) -> Array:
        """``Z w``; w has shape (n_features,) or (n_features, k)."""
        w = self.to_raw(w)
        fitted = self._of_near_columns(self.X, w)
        for block, columns in self._far_blocks() if self.mean is not None else ():
            fitted += columns @ w[block]
        return fitted

    def predict_rows(self, rows: Any, w: Array) -> Array:
        """``Z w`` for some rows of X, or rows like them; columns far from zero are made dense."""
        w, far = self.to_raw(w), self.far.index
        fitted = self._of_near_columns(rows, w)
        if self.mean is not None and len(far):
            part = rows[:, far]
            Z = (part.toarray() if products.is_sparse(part) else part) - self.mean[far]
            Z = Z - self.far.drift
            Z[:, np.isin(far, self.far.constant)] = 0.0
            fitted += Z @ w[far]
        return fitted

    def moments(self, Y: Array, reference: Array, weight: Array) -> Moments:
        """Moments of the rows of dense X and of targets, with other weights."""
        return Moments.of_rows(self.X, Y, reference, weight)

    def rows(self, index: Index, columns: Index) -> Any:
        """Some entries of X as the user has it."""
        return self.X[:, columns][index] if self.sparse else self.X[np.ix_(index, columns)]

    def _of_near_columns(self, rows: Any, w: Array) -> Array:
        """What the columns that are not far from zero give; w is on the user's scale."""
        if self.mean is None:
            return products.product(rows, w)
        if len(self.far.index):
            w = w.copy()
            w[self.far.index] = 0.0
        return products.product(rows, w) - self.mean @ w

    def correlate(self, r: Array) -> Array:
        """``Z^T Omega r``; r has shape (n_samples,) or (n_samples, k)."""
        weighted = (self.omega * r.T).T
        if self.mean is not None:
            # For centred r the sum is zero up to rounding; subtracting it keeps an offset of X
            # from turning that rounding into an error of q.
            weighted = (weighted.T - np.multiply.outer(weighted.sum(axis=0), self.omega)).T
        q = products.adjoint(self.X, weighted)
        if self.mean is not None:
            for block, columns in self._far_blocks():
                q[block] = columns.T @ weighted
        return q if self.inv_scale is None else (q.T * self.inv_scale).T

    def center(self, y: Array) -> tuple[Array, Array]:
        """A target less its weighted mean, and that mean (zeros when X is not centred)."""
        return self.centred_target(y)[:2]

    def centred_target(self, y: Array) -> tuple[Array, Array, Array]:
        """The same and the weighted mean squares of the centred target."""
        if self.mean is None:
            return np.array(y, dtype=np.float64), np.zeros(y.shape[1:]), self.norm2(y)
        mean = self.omega @ y
        centred = y - mean
        left = self.omega @ centred  # what rounding left in a target far from zero
        mean += left
        centred -= left
        # Of a constant y only rounding is left, which is nothing to fit.
        squares = self.norm2(centred)
        if np.count_nonzero(constant := squares <= (CONSTANT * mean) ** 2):
            centred[..., constant] = squares[constant] = 0.0
        return centred, mean, squares

    def norm2(self, r: Array) -> Array:
        """Weighted sums of squares of r, column by column."""
        return np.asarray(self.omega.dot(r * r))

    # Columns and Gram matrices ------------------------------------------------------------

    def columns(self, index: Index | slice) -> Array:
        """Some columns of Z, dense, Fortran order, float64; constant ones exactly zero."""
        Z = self._centred(index)
        if self.inv_scale is not None:
            Z *= self.inv_scale[index]
        return Z

    @cached_property
    def variances(self) -> Array:
        """Diagonal of the Gram matrix; exactly zero for constant columns."""
        if self._gram is not None:
            return np.maximum(self._gram.diagonal(), 0.0)
        squares = self._squares.copy()
        squares[self.far.index] = np.maximum(squares[self.far.index] - self.far.drift**2, 0.0)
        squares[self.far.constant] = 0.0
        return squares if self.inv_scale is None else squares * self.inv_scale**2

    @cached_property
    def sizes(self) -> Array:
        """What rounding errors are relative to: lengths before centring, of far columns after."""
        squares = self.variances
        if self.mean is None:
            return np.sqrt(squares)
        offsets = np.square(self.offsets(slice(None)))
        if len(self.far.index):
            offsets = np.minimum(offsets, CANCELLATION * squares)
        return np.sqrt(squares + offsets)

    @cached_property
    def _squares(self) -> Array:
        """Sums of squares of the columns of X less their means, which may be rounded."""
        return products.squares(self.X, self.omega, self.mean)

    def gram(self) -> Array:
        """``Z^T Omega Z`` of all features, made once."""
        if self._gram is None:
            self._gram = self._sparse_products(self) if self.sparse else self._dense_gram()
        return self._gram

    @property
    def has_gram(self) -> bool:
        """Whether the Gram matrix is known already."""
        return self._gram is not None

    def use_gram(self, gram: Array) -> None:
        """Take a Gram matrix that is known, with zeros for constant columns."""
        self._gram = np.ascontiguousarray(gram, dtype=np.float64)

    def _dense_gram(self) -> Array:
        G = products.gram(self.X, self.omega, self.mean, self.far.near)
        far = self.far
        if len(far.index):
            G[np.ix_(far.index, far.index)] -= np.outer(far.drift, far.drift)
            G[far.constant, :] = G[:, far.constant] = 0.0
        if self.inv_scale is not None:
            G *= self.inv_scale
            G *= self.inv_scale[:, None]
        return G

    def _sparse_products(self, other: Design) -> Array:
        """``Z^T Omega Z_other`` for sparse X."""
        G = products.cross_products(self.X, other.X, self.omega)
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
        """Blocks of sparse columns that are stored nearly whole."""
        offsets = self.offsets(slice(None))
        far = np.flatnonzero(offsets**2 > DENSE_COLUMN * self.variances)
        step = max(1, BLOCK_ENTRIES // self.n_samples)
        for start in range(0, len(far), step):
            yield far[start : start + step]

    def gram_columns(self, index: Index) -> Array:
        """``Z^T Omega Z[:, index]``, shape (n_features, len(index))."""
        if self._gram is not None:
            return self._gram[:, index]
        if not self.sparse:
            return self.correlate(self.columns(index))
        return self._sparse_products(self.subset(index))

    def offsets(self, index: Index | slice) -> Array:
        """Means that were subtracted from some columns of Z, in units of Z."""
        mean = np.zeros(self.n_features) if self.mean is None else self.mean
        return (mean if self.inv_scale is None else mean * self.inv_scale)[index]

    def subset(self, index: Index) -> Design:
        """The design of some features; dense columns are gathered centred and scaled."""
        if self.sparse:
            mean, inv_scale = (None if v is None else v[index] for v in (self.mean, self.inv_scale))
            part = Design(self.X[:, index], self.omega, mean, inv_scale)
            part.far = self.far.take(index, self.n_features)
            part.variances = self.variances[index]
            return part
        return Design(self.columns(index), self.omega)

    def cross_gram(self, other: Design) -> Array:
        """``Z^T Omega Z_other`` for two designs over the same rows."""
        return self._sparse_products(other) if self.sparse else self.correlate(other.X)

    def joined(self, other: Design) -> Design:
        """Features of this design followed by those of another."""
        if not self.sparse:
            return Design(np.asfortranarray(np.hstack([self.X, other.X])), self.omega)
        parts = ((self.mean, other.mean), (self.inv_scale, other.inv_scale))
        mean, scale = (None if u is None or v is None else np.append(u, v) for u, v in parts)
        whole = Design(sparse.hstack([self.X, other.X], format="csc"), self.omega, mean, scale)
        whole.far = self.far.joined(other.far, self.n_features)
        whole.variances = np.append(self.variances, other.variances)
        return whole

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
        intercept = y_mean - self.mean @ coef
        if len(self.far.index):
            intercept = intercept - self.far.drift @ coef[self.far.index]
        return np.asarray(intercept)
