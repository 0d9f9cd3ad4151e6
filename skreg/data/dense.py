"""The design of a dense X, of either order, in float32 or float64."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import dger

from ..caching import cached_property
from . import products
from .design import Design
from .narrow_matrices import NarrowKernel, NarrowMatrix
from .products import CACHED, Array, Index

# Squared norms of columns are enlarged by this share of the uncentred ones, to stay upper bounds
# after rounding, which is 2e-14 over 1e5 rows.
NORM_ROUNDING = 1e-12
# Variances above this are no sums of products that vanish in float32.
NARROWEST = 1e-24
# Up to this share of the columns is gathered rather than all of them passed over.
FEW_USED = 0.1


@dataclass
class _Room:
    """Columns in one piece, of which so many are used."""

    columns: Array
    used: int


class DenseDesign(Design):
    """Design of an array; see `Design`."""

    _compared: ClassVar[int] = CACHED // 4
    _room: _Room | None = None

    @cached_property
    def _X(self) -> Any:
        """X as it is read most quickly."""
        return products.quick_to_read(self._given)

    @classmethod
    def _is_read_later(cls, X: Any) -> bool:
        """See `Design`; of float32 with more features than rows the kernel may be all that is."""
        in_order = X.flags.c_contiguous or X.flags.f_contiguous
        return X.dtype == np.float32 and X.shape[0] < X.shape[1] and in_order

    def _gathered(self, index: Index | slice) -> Array:
        if isinstance(index, slice):
            return np.array(self._X[:, index], dtype=np.float64, order="F")
        # Rows of X.T, of which `take` would copy all where X is in C order.
        return np.asarray(self._X.T[index].T, dtype=np.float64, order="F")

    @property
    def plain(self) -> Array | None:
        """Z itself where X is neither centred nor scaled; see `Design`."""
        at_hand = self.mean is None and self.inv_scale is None and self._X.dtype == np.float64
        return self._X if at_hand else None

    def entries(self, rows: Any, columns: Index) -> NDArray[Any]:
        """Some rows and columns of X as the user has it."""
        found: NDArray[Any] = self._X[rows][:, columns]
        return found

    def _equal(self, first: Index, others: Index, signs: Array, share: float) -> NDArray[np.bool_]:
        X, Y = self.columns(first), self.columns(others)
        size = np.maximum(X.max(axis=0), -X.min(axis=0))
        Y -= np.multiply(X, signs, out=X)
        return np.asarray(np.maximum(Y.max(axis=0), -Y.min(axis=0)) <= share * size)

    @cached_property
    def _raw_squares(self) -> Array:
        """Weighted sums of squares of the columns of X as they are."""
        return products.squares(self._X, self.omega, None)

    @cached_property
    def sizes(self) -> Array:
        """See `Design`; from the pass of `norm_bounds` where variances would take another."""
        known = self._gram is not None or "variances" in vars(self)
        if known or len(self.far.index):
            return super().sizes
        size = np.sqrt(self._raw_squares)
        return size if self.inv_scale is None else size * self.inv_scale

    @property
    def _sizes_take_a_pass(self) -> bool:
        """Whether sizes are not known yet, nor is what they follow from."""
        known = vars(self)
        if self._gram is not None or "sizes" in known:
            return False
        return not ("variances" in known or "_raw_squares" in known or len(self.far.index))

    def lengths(self, W: Array) -> Array:
        """See `Design`; of few features in use without a pass over X."""
        if not self._sizes_take_a_pass:
            return super().lengths(W)
        used = np.flatnonzero(W.any(axis=0))
        if len(used) > FEW_USED * self.n_features:
            return super().lengths(W)
        size = np.sqrt(products.squares(self._gathered(used), self.omega, None))
        size = size if self.inv_scale is None else size * self.inv_scale[used]
        return np.asarray(np.abs(W[:, used]).dot(size))

    @property
    def largest_size(self) -> float:
        """See `Design`; of rows that count alike the root of all squares."""
        mean_square = self.mean_square
        if mean_square is None or self.inv_scale is not None or not self._sizes_take_a_pass:
            return super().largest_size
        return math.sqrt(mean_square * self.n_features) if self.uniform else super().largest_size

    @property
    def sum_of_squares(self) -> float | None:
        """Weighted sum of squares of all of X, as it is, where `sizes` would take far longer."""
        known = self._gram is not None or "sizes" in self.__dict__
        uneven = self.inv_scale is not None or not self.uniform
        if known or uneven or self.n_features < self.n_samples or not self.far.near:
            return None
        if self.mean_square is not None:
            return self.mean_square * self.n_features
        entries = self._X.ravel(order="K")
        return float(self.omega[0]) * float(np.dot(entries, entries))

    def norm_bounds(self) -> Array:
        """Norms of the columns and a little more, for their rounding."""
        squares = self._raw_squares
        spread = squares if self.mean is None else squares - self.mean**2
        size = np.sqrt(np.maximum(spread, 0.0) + NORM_ROUNDING * squares)
        return size if self.inv_scale is None else size * self.inv_scale

    def _make_gram(self) -> Array:
        G = products.gram(self._X, self.omega, self.mean, self.far.near)
        far = self.far
        if len(far.index):
            G[np.ix_(far.index, far.index)] -= np.outer(far.drift, far.drift)
            G[far.constant, :] = G[:, far.constant] = 0.0
        if self.inv_scale is not None:
            G *= self.inv_scale
            G *= self.inv_scale[:, None]
        return G

    def narrow_gram(self) -> NarrowMatrix | None:
        """See `Design`."""
        X = self._narrow()
        if X is None:
            return None
        with np.errstate(over="ignore", invalid="ignore"):
            G = np.multiply(X.T @ X, self.omega[0], dtype=np.float64)
        squares = G.diagonal().copy()
        size = float(squares.sum())
        if not math.isfinite(size):
            return None
        self.sizes = np.sqrt(squares)
        if self.mean is not None:
            G = dger(-1.0, self.mean, self.mean, a=G.T, overwrite_a=1).T
            if (self.mean**2 > G.diagonal()).any():
                return None
        return NarrowMatrix(G, size) if G.diagonal().min() > NARROWEST else None

    def narrow_kernel(self) -> NarrowKernel | None:
        """See `Design`."""
        X = self._narrow()
        if X is None:
            return None
        with np.errstate(over="ignore", invalid="ignore"):
            K = np.multiply(X @ X.T, self.omega[0], dtype=np.float64)
        size = float(np.trace(K))
        if not math.isfinite(size):
            return None
        if self.mean is not None:
            shift = K.mean(axis=0)
            K -= shift
            K -= (shift - shift.mean())[:, None]
        if not size <= 2.0 * np.trace(K):
            return None
        return NarrowKernel(K, size, X, self.omega, self.mean is not None)

    def _narrow(self) -> NDArray[np.float32] | None:
        """X in float32, if it came so and all products are of the numbers as they stand."""
        X = self._given
        if X is None or X.dtype != np.float32 or not self.far.near:
            return None
        return X if self.uniform else None

    def _kernel_of_near_columns(self, root: Array) -> tuple[Array, Index]:
        """All columns as they are, centred afterwards, unless that cancels; else none."""
        near = self.mean is None or self.far.near
        if self.inv_scale is None and near and self.n_samples:
            K = products.kernel(self._X)
            size = self.omega @ K.diagonal()
            if self.mean is not None:
                shift = K @ self.omega
                K -= shift
                K -= (shift - self.omega @ shift)[:, None]
            if size <= products.DENSE_COLUMN * (self.omega @ K.diagonal()):
                K *= root
                K *= root[:, None]
                return K, np.empty(0, np.intp)
        return super()._kernel_of_near_columns(root)

    def subset(self, index: Index) -> DenseDesign:
        """The design of some features, gathered centred and scaled."""
        return DenseDesign(self.columns(index), self.omega)

    def cross_gram(self, other: DenseDesign) -> Array:
        """``Z^T Omega Z_other`` for a subset of the design, or of the same one."""
        return self.correlate(other._X)

    def joined(self, other: DenseDesign, most: int | None = None) -> DenseDesign:
        """Features of this subset of a design followed by those of another.

        Room is left for as many again, up to `most`, so that a design that grows is copied a few
        times only.
        """
        size, room = self.n_features + other.n_features, self._room
        if room is None or room.used != self.n_features or size > room.columns.shape[1]:
            wide = 2 * size if most is None else max(size, min(2 * size, most))
            room = _Room(np.empty((self.n_samples, wide), order="F"), size)
            room.columns[:, : self.n_features] = self._X
        room.columns[:, self.n_features : size] = other._X
        room.used = size
        whole = DenseDesign(room.columns[:, :size], self.omega)
        whole._room = room
        return whole
