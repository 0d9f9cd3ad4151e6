"""The contract of a design: what a solver may ask of X, whatever it is made of.

A `Design` stands for the matrix ``Z = (X - 1 mean^T) diag(inv_scale)`` with row weights
``omega`` that sum to one. Inner products over rows are ``<a, b> = sum_i omega_i a_i b_i``, so

    predict(w)    = Z w                   (n_samples,)
    correlate(r)  = Z^T Omega r           (n_features,)
    gram()        = Z^T Omega Z           (n_features, n_features)

need no factor 1/n, a row of weight zero is a row that is not there, and a fold of a
cross-validation is the same X with other weights. X is never written to, and never centred or
scaled as a whole; what is accumulated, is in float64.

Here stands all that does not hang on how X is stored; `dense.py` and `sparse.py` have the rest, and
`build.py` makes a design of the user's X. One from `from_moments.py` has its Gram matrix and no
rows: solvers declare whether they need any. Nothing outside this folder reads a design's X.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..caching import cached_property
from . import products
from .moments import MomentMatrix
from .narrow_matrices import NarrowKernel, NarrowMatrix
from .products import BLOCK_ENTRIES, CANCELLATION, CONSTANT, THIN, Array, Far, Index

__all__ = ["BLOCK_ENTRIES", "CANCELLATION", "CONSTANT", "Array", "Design", "Index"]

Kept = TypeVar("Kept")


class Design(ABC):
    """Centred, scaled, weighted view of X; see the module's text.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_samples, n_features), float32 or float64
    omega : ndarray of shape (n_samples,)
        Row weights, >= 0, with sum one.
    mean : ndarray of shape (n_features,) or None
        Subtracted from the columns; None subtracts nothing.
    inv_scale : ndarray of shape (n_features,) or None
        Multiplies the columns; None multiplies nothing.
    dtype : dtype, optional
        Type of the numbers in the user's X, by default that of those in X.

    Attributes
    ----------
    has_rows : bool
        Whether there is more than a Gram matrix.
    sparse : bool
        Whether X is sparse; its columns are then made dense a few at a time.
    n_samples, n_features : int
    """

    has_rows: ClassVar[bool] = True
    sparse: ClassVar[bool] = False
    #: The user's X, of which X may be a copy in float64; None where it is not at hand.
    _given: Any = None
    #: Entries of columns that are compared with others at once.
    _compared: ClassVar[int]

    def __init__(
        self,
        X: Any,
        omega: Array,
        mean: Array | None = None,
        inv_scale: Array | None = None,
        dtype: Any = None,
    ) -> None:
        self._X = X
        self.omega = omega
        self.mean = mean
        self.inv_scale = inv_scale
        self.n_samples, self.n_features = X.shape
        self.dtype = X.dtype if dtype is None else dtype
        self._kept: dict[Any, Any] = {}
        self._gram: Array | None = None
        self._far_columns: list[tuple[Index, Array]] | None = None
        #: Mean square of the entries of X that are stored, where it is known.
        self.mean_square: float | None = None

    def __getstate__(self) -> dict[str, Any]:
        # Another process makes anew what can be made of these.
        return {**vars(type(self)(self._X, self.omega, self.mean, self.inv_scale, self.dtype))}

    @classmethod
    def build(
        cls,
        X: Any,
        sample_weight: Array | None = None,
        *,
        center: bool = True,
        standardize: bool = False,
        dtype: Any = None,
        few_products: bool = False,
    ) -> Self:
        """View of the user's X; `standardize` scales by the weighted 1/n standard deviation.

        `few_products` says that a copy that is quicker to read may not be worth its time.
        """
        n_samples = X.shape[0]
        if sample_weight is None:
            omega = np.full(n_samples, 1.0 / n_samples)
        else:
            omega = np.asarray(sample_weight, dtype=np.float64)
            omega = omega / omega.max()  # twice, so that neither tiny nor huge weights overflow
            omega /= omega.sum()
        given, dtype = X, dtype or X.dtype
        later = few_products and center and not standardize and cls._is_read_later(given)
        X = given if later else products.quick_to_read(given)
        if not (center or standardize):
            return cls(X, omega, dtype=dtype)
        centred = cls(X, omega, products.adjoint(X, omega), dtype=dtype)
        centred._given = given
        if later:
            del centred._X
        if not standardize:
            return centred
        spread = np.sqrt(centred.variances)
        inv_scale = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 0)
        design = cls(X, omega, centred.mean if center else None, inv_scale, dtype)
        if center:
            design.far = centred.far
        return design

    @classmethod
    def _is_read_later(cls, X: Any) -> bool:
        """Whether X is put in the form that is read most quickly where a solver reads it only."""
        return False

    # Other designs ------------------------------------------------------------------------

    def reweighted(self, sample_weight: Array) -> Self:
        """The same X with other weights of its rows, centred and scaled by them alike."""
        return self.build(
            self._X,
            sample_weight,
            center=self.mean is not None,
            standardize=self.inv_scale is not None,
            dtype=self.dtype,
        )

    def rows_as_they_are(self, step: int) -> Iterator[tuple[slice, Array]]:
        """So many rows at once of a dense X, neither centred nor scaled."""
        for begin in range(0, self.n_samples, step):
            block = slice(begin, min(begin + step, self.n_samples))
            yield block, self._X[block].astype(np.float64, copy=False)

    def with_scale(self, inv_scale: Array | None) -> Self:
        """The same with other scales of the columns."""
        return type(self)(self._X, self.omega, self.mean, inv_scale, self.dtype)

    def of_rows(self, rows: Index) -> Self:
        """Some of the rows, centred by their own means, scaled as all are."""
        weight, X = self.omega[rows], self._by_row[rows]
        X = X.tocsc() if self.sparse else X
        some = self.build(X, weight, center=self.mean is not None, dtype=self.dtype)
        return some.with_scale(self.inv_scale)

    def curved(self, weight: Array, *, center: bool) -> Self:
        """The same columns and scales with other weights of the rows, centred by these or not."""
        return self.build(self._X, weight, center=center).with_scale(self.inv_scale)

    def of_features(self, index: Index) -> Self:
        """Some of the features, centred and scaled as all are: their intercept is the user's."""
        mean, inv_scale = (None if v is None else v[index] for v in (self.mean, self.inv_scale))
        some = type(self)(self._X[:, index], self.omega, mean, inv_scale, self.dtype)
        if mean is not None:
            some.far = self.far.take(index, self.n_features)
        if self._gram is not None:
            some.use_gram(self._gram[np.ix_(index, index)])
        return some

    @abstractmethod
    def subset(self, index: Index) -> Self:
        """The design of some features; dense columns are gathered centred and scaled."""

    @abstractmethod
    def joined(self, other: Self, most: int | None = None) -> Self:
        """Features of this subset of a design followed by those of another."""

    def kept(self, key: Any, make: Callable[[], Kept]) -> Kept:
        """What one solver works out on this design and leaves for the next."""
        if key not in self._kept:
            self._kept[key] = make()
        found: Kept = self._kept[key]
        return found

    # Columns far from zero ----------------------------------------------------------------

    @cached_property
    def far(self) -> Far:
        """Columns to centre before they are summed; none where X is not centred."""
        if self.mean is None:
            return products.NONE_FAR
        spread = self._squares if self.sparse else None
        X = self._X if self._given is None or self.sparse else self._given
        return products.far_from_zero(X, self.omega, self.mean, spread)

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
        Z = self._gathered(index)
        if self.mean is not None:
            Z -= self.mean[index]
            if len(self.far.index):
                left, varies = np.zeros(self.n_features), np.ones(self.n_features, dtype=bool)
                left[self.far.index] = self.far.drift
                varies[self.far.constant] = False
                Z -= left[index]
                Z[:, ~varies[index]] = 0.0
        return Z

    @abstractmethod
    def _gathered(self, index: Index | slice) -> Array:
        """Some columns of X, a dense copy in float64 and Fortran order."""

    @cached_property
    def uniform(self) -> bool:
        """Whether all rows have one weight."""
        return not np.count_nonzero(self.omega != self.omega[0])

    # Products -----------------------------------------------------------------------------

    def predict(self, w: Array) -> Array:
        """``Z w``; w has shape (n_features,) or (n_features, k)."""
        w = self.to_raw(w)
        fitted = self._of_near_columns(self._X, w)
        for block, columns in self._far_blocks() if self.mean is not None else ():
            fitted += columns @ w[block]
        return fitted

    def predict_rows(self, index: Index | slice, w: Array) -> Array:
        """``Z w`` for some of the rows; columns far from zero are made dense."""
        rows = self._by_row[index]
        w, far = self.to_raw(w), self.far.index
        fitted = self._of_near_columns(rows, w)
        if self.mean is not None and len(far):
            Z = products.as_dense(rows[:, far]) - self.mean[far]
            Z = Z - self.far.drift
            Z[:, np.isin(far, self.far.constant)] = 0.0
            fitted += Z @ w[far]
        return fitted

    @cached_property
    def _by_row(self) -> Any:
        """X as it can be sliced by row."""
        return self._X.tocsr() if self.sparse else self._X

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
        # For centred r the sum is zero up to rounding; subtracting it keeps an offset of X from
        # turning that rounding into an error of q.
        if self._weighted_after(r) and self.n_samples > self.n_features:
            weighted, q = r, products.adjoint(self._X, r)
            if self.mean is not None:
                q -= np.multiply.outer(self.mean, r.sum(axis=0))
        else:
            rows = self.omega * r.T
            if self.mean is not None:
                rows -= np.multiply.outer(rows.sum(axis=-1), self.omega)
            weighted = rows.T
            q = products.adjoint(self._X, weighted)
        if self.mean is not None:
            for block, columns in self._far_blocks():
                q[block] = columns.T @ weighted
        if weighted is r:
            q *= self.omega[0]
        return q if self.inv_scale is None else (q.T * self.inv_scale).T

    def _weighted_after(self, r: Array) -> bool:
        """Whether sums over the rows of r are weighted, to save a copy of what may be large."""
        return r.ndim == 2 and r.shape[1] > THIN and self.uniform

    @property
    def at_once(self) -> int:
        """How many vectors `correlate` takes through X in little more time than one."""
        return products.at_once(self._X)

    @property
    def n_stored(self) -> int:
        """Entries of X that a product reads."""
        return int(self._X.size)

    # Targets ------------------------------------------------------------------------------

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
        if self._weighted_after(r):
            return np.asarray(self.omega[0] * np.einsum("ij,ij->j", r, r))
        return np.asarray(self.omega.dot(r * r))

    def moments(self, Y: Array, reference: Array, weight: Array) -> MomentMatrix:
        """Moments of the rows of X and of targets, with other weights."""
        return MomentMatrix.of_rows(self._by_row, Y, reference, weight)

    # Columns ------------------------------------------------------------------------------

    def columns(self, index: Index | slice) -> Array:
        """Some columns of Z, dense, Fortran order, float64; constant ones exactly zero."""
        Z = self._centred(index)
        if self.inv_scale is not None:
            Z *= self.inv_scale[index]
        return Z

    @property
    def plain(self) -> Array | None:
        """Z itself, to be read alone, where it is at hand, dense and in float64; else None."""
        return None

    def row_blocks(self, index: Index, step: int) -> Iterator[tuple[slice, Array]]:
        """The same, `step` rows at a time."""
        X, constant = self._by_row[:, index], self.variances[index] == 0
        for start in range(0, self.n_samples, step):
            rows = slice(start, start + step)
            Z = products.as_dense(X[rows]).astype(np.float64, copy=False)
            if self.mean is not None:
                Z -= self.mean[index]
            if self.inv_scale is not None:
                Z *= self.inv_scale[index]
            Z[:, constant] = 0.0
            yield rows, Z

    def entries(self, rows: Any, columns: Index) -> Any:
        """Some rows and columns of X as the user has it."""
        return self._X[:, columns][rows]

    def equal_columns(
        self, first: Index, others: Index, signs: Array, share: float
    ) -> NDArray[np.bool_]:
        """Whether columns are others times their signs, but for a share of the largest entry."""
        equal = np.zeros(len(first), dtype=bool)
        step = max(1, self._compared // self.n_samples)
        for start in range(0, len(first), step):
            part = slice(start, start + step)
            equal[part] = self._equal(first[part], others[part], signs[part], share)
        return equal

    @abstractmethod
    def _equal(self, first: Index, others: Index, signs: Array, share: float) -> NDArray[np.bool_]:
        """The same of as many columns as are compared at once."""

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

    def lengths(self, W: Array) -> Array:
        """``|W| sizes`` of coefficients of shape (n_targets, n_features)."""
        return np.asarray(np.abs(W).dot(self.sizes))

    @property
    def largest_size(self) -> float:
        """What no size is above, the largest one where no bound is known without a pass over X."""
        return float(self.sizes.max(initial=0.0))

    @property
    def sum_of_squares(self) -> float | None:
        """Weighted sum of squares of all of X, as it is, where `sizes` would take far longer."""
        return None

    @cached_property
    def _squares(self) -> Array:
        """Sums of squares of the columns of X less their means, which may be rounded."""
        return products.squares(self._X, self.omega, self.mean)

    def norm_bounds(self) -> Array:
        """An upper bound of the columns' norms, in one pass over X."""
        return np.sqrt(self.variances)

    def offsets(self, index: Index | slice) -> Array:
        """Means that were subtracted from some columns of Z, in units of Z."""
        mean = np.zeros(self.n_features) if self.mean is None else self.mean
        return (mean if self.inv_scale is None else mean * self.inv_scale)[index]

    # Matrices of products -----------------------------------------------------------------

    def gram(self) -> Array:
        """``Z^T Omega Z`` of all features, made once."""
        if self._gram is None:
            self._gram = self._make_gram()
        return self._gram

    def _make_gram(self) -> Array:
        return self.cross_gram(self)

    def narrow_gram(self) -> NarrowMatrix | None:
        """The Gram matrix to the digits of float32, where X has no more and loses none, or None."""
        return None

    def narrow_kernel(self) -> NarrowKernel | None:
        """The same of the kernel, with products in float32."""
        return None

    @property
    def has_gram(self) -> bool:
        """Whether the Gram matrix is known already."""
        return self._gram is not None

    def use_gram(self, gram: Array) -> None:
        """Take a Gram matrix that is known, with zeros for constant columns."""
        self._gram = np.ascontiguousarray(gram, dtype=np.float64)

    def gram_columns(self, index: Index) -> Array:
        """``Z^T Omega Z[:, index]``, shape (n_features, len(index))."""
        if self._gram is not None:
            return self._gram[:, index]
        return self.cross_gram(self.subset(index))

    @abstractmethod
    def cross_gram(self, other: Self) -> Array:
        """``Z^T Omega Z_other`` for a subset of the design, or of the same one."""

    def kernel(self) -> Array:
        """``Omega^(1/2) Z Z^T Omega^(1/2)``, shape (n_samples, n_samples), without a dense Z."""
        root = np.sqrt(self.omega)
        K, rest = self._kernel_of_near_columns(root)
        step = max(1, BLOCK_ENTRIES // self.n_samples)
        for start in range(0, len(rest), step):
            block = self.columns(rest[start : start + step])
            block *= root[:, None]
            K += block @ block.T
        return K

    def _kernel_of_near_columns(self, root: Array) -> tuple[Array, Index]:
        """The share of columns that need not be dense, and all the others."""
        return np.zeros((self.n_samples, self.n_samples)), np.arange(self.n_features)

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
