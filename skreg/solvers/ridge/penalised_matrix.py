"""The matrix whose singular values are those of a ridge problem.

Under the penalty ``alpha/2 sum_j v_j w_j^2`` a design Z with row weights omega becomes

    A = (I - QQ^T) Omega^(1/2) Z_P diag(v_P)^(-1/2),      penalty  alpha/2 ||b||^2,

where P are the features with v_j > 0 and Q is an orthonormal basis of the weighted columns of
the unpenalised ones; excluded and constant features are left out. A is never formed for its
products, so that a sparse X stays sparse: Q alone is dense, with a column for each unpenalised
feature.

`decompose` gives ``A = U diag(d)^(1/2) V^T`` by the Gram matrix, the kernel or the SVD; of a
sparse X by the SVD of its triangle (`triangle`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import qr

from ...caching import cached_property
from ...data.design import Array, Design
from ...objective.penalties import Penalty
from ..numerics import EPS, reciprocal, svd
from .minimum_norm import column_sizes, minimum_norm
from .triangle import block_size, triangle, weighted_rows


class PenalisedMatrix:
    """Products with A, and the parts it is made of."""

    def __init__(self, design: Design, penalty: Penalty) -> None:
        self.design = design
        self.root = np.sqrt(design.omega)
        movable, factors = penalty.movable, penalty.factors
        # Without any penalty alpha means nothing: least squares of minimum norm throughout.
        self.unpenalised = not penalty.plain and not factors[movable].any()
        if self.unpenalised:
            factors = np.ones_like(factors)
        if penalty.plain:
            self.penalised, self.scale = np.arange(design.n_features), factors
            self.free = self.penalised[:0]
        else:
            self.penalised = np.flatnonzero(movable & (factors > 0))
            self.scale = 1.0 / np.sqrt(factors[self.penalised])
            self.free = np.flatnonzero(movable & (factors == 0))
        self._even = bool((self.scale == 1.0).all())
        self._plain = self._even and len(self.penalised) == design.n_features
        self.view = self._scaled_view()
        root = self.root[:, None]
        self.free_columns, self.free_sizes, self.Q = root[:, :0], np.zeros(0), root[:, :0]
        if len(self.free):
            self.free_columns = root * design.columns(self.free)
            self.free_sizes = column_sizes(design)[self.free]
            self.Q = _basis(self.free_columns * reciprocal(self.free_sizes))
        # Unit vectors that A does not reach; with an intercept the weights' root is one.
        self.unreached = self.Q
        if design.mean is not None:
            self.unreached = np.hstack([root, self.Q]) if self.Q.shape[1] else root

    @property
    def shape(self) -> tuple[int, int]:
        """Rows, and penalised features."""
        return self.view.n_samples, self.view.n_features

    @property
    def key(self) -> tuple[bytes, ...]:
        """What tells apart the matrices of one design."""
        if self._plain:
            return ()
        return self.penalised.tobytes(), self.scale.tobytes(), self.free.tobytes()

    @cached_property
    def constant(self) -> NDArray[np.intp]:
        """Columns of A that are zero but for rounding; without a Gram matrix they are zero."""
        if not self.design.has_gram:
            return np.empty(0, dtype=np.intp)
        return np.flatnonzero(self.design.variances[self.penalised] == 0)

    def _scaled_view(self) -> Design:
        view = self.design
        if not view.sparse and view.n_samples > view.n_features:
            view.gram()  # it will be needed, and gives the variances for nothing
        offset = not view.sparse and has_far_columns(view)
        if offset or len(self.penalised) < view.n_features:
            view = view.subset(self.penalised)
        if self._even:
            return view
        inv_scale = self.scale if view.inv_scale is None else self.scale * view.inv_scale
        return view.with_scale(inv_scale)

    @cached_property
    def inverse_root(self) -> Array:
        """One over the roots of the weights."""
        return reciprocal(self.root)

    def project(self, rows: Array) -> Array:
        """``(I - QQ^T) rows``."""
        return rows - self.Q @ (self.Q.T @ rows) if self.Q.shape[1] else rows

    def forward(self, b: Array) -> Array:
        """``A b``."""
        return self.project((self.root * self.view.predict(b).T).T)

    def adjoint(self, rows: Array, correlated: Array | None = None) -> Array:
        """``A^T rows``; `correlated` are the correlations of Z with the rows before weighting."""
        if correlated is not None and self._plain:
            q = correlated.copy()
        else:
            q = self.view.correlate((self.inverse_root * self.project(rows).T).T)
        q[self.constant] = 0.0
        return q

    def rows(self, block: slice, W: Array) -> Array:
        """Some rows of ``A W``."""
        out = self.root[block, None] * self.view.predict_rows(block, W)
        if self.Q.shape[1]:
            out -= self.Q[block] @ (self._QA @ W)
        return out

    @cached_property
    def size(self) -> float:
        """Norm of the longest column before the projection: what rounding is relative to."""
        variances = self.design.variances
        if not self._plain:
            variances = variances[self.penalised] * self.scale**2
        return float(np.sqrt(variances.max(initial=0.0)))

    @cached_property
    def _QA(self) -> Array:
        """``Q^T Omega^(1/2) Z_P diag(v)^(-1/2)``."""
        return self.view.correlate((self.inverse_root * self.Q.T).T).T

    def coefficients(self, b: Array, rows: Array) -> Array:
        """Coefficients of Z, the unpenalised ones fitted to what b leaves of the weighted rows.

        b has shape (n_penalised, n_targets, n_alphas), rows (n_samples, n_targets).
        """
        if self._plain:
            return b
        W = np.zeros((*b.shape[:0:-1], self.design.n_features)).T
        W[self.penalised] = self.scale[:, None, None] * b
        for k in range(b.shape[1] if len(self.free) else 0):
            rest = rows[:, [k]] - self.root[:, None] * self.view.predict(b[:, k])
            ones = np.ones(len(self.free))
            W[self.free, k] = minimum_norm(self.free_columns, rest, self.free_sizes, ones)
        return W

    def gram(self) -> Array:
        """``A^T A``, a new array."""
        if len(self.penalised) == self.design.n_features:  # its Gram matrix may be there already
            G = self.design.gram()
            G = G.copy() if self._even else G * self.scale * self.scale[:, None]
        else:
            G = self.view.gram().copy()
        if self.Q.shape[1]:
            G -= self._QA.T @ self._QA
        return G

    @cached_property
    def kernel(self) -> Array:
        """``A A^T``; the design keeps it."""
        key = ("kernel", *self.key)
        return self.design.kept(key, lambda: self._reachable(self._reachable(self.view.kernel()).T))

    def gaps_of_dual(self, dual: Array, rows: Array, alphas: Array) -> tuple[Array, Array]:
        """Residual sums of squares and duality gaps of ``b = A^T dual``, column by column.

        From the kernel, without a product with X: for weighted residuals r the gap is
        ``(r - alpha u)^T A A^T (r - alpha u) / (2 alpha)``.
        """
        residual = rows - self.kernel @ dual
        rss = np.einsum("ij,ij->j", residual, residual)
        residual -= alphas * dual
        gaps = np.einsum("ij,ij->j", residual, self.kernel @ residual) / (2.0 * alphas)
        return rss, np.maximum(gaps, 0.0)

    def dense(self) -> Array:
        """A itself, a new array."""
        return self._reachable(self.root[:, None] * self.view.columns(slice(None)))

    def triangle(self) -> Array:
        """R of the QR factorisation of A if it is tall, of its transpose else; A is sparse."""
        n, p = self.shape
        view, first = self.view, self.unreached.shape[1]
        if n > p:
            none = np.zeros((n, 0))
            R = triangle(weighted_rows(view, np.arange(p), self.unreached, none))
            return R[first:, first:]
        step = block_size(p, n)
        by_size = np.argsort(-view.variances, kind="stable")  # the small ones lose nothing then
        parts = (by_size[start : start + step] for start in range(0, p, step))
        columns = (view.columns(part) for part in parts)
        return triangle(self._reachable(self.root[:, None] * block).T for block in columns)

    def _reachable(self, rows: Array) -> Array:
        """`project`, and what the rounding of a mean has left taken out as well."""
        return rows - self.unreached @ (self.unreached.T @ rows)


@dataclass(frozen=True)
class Decomposition:
    """``A = U diag(d)^(1/2) V^T``, d decreasing; one of U and V may be missing.

    `squared` says that a product with itself was decomposed, so that d has an absolute error of
    about eps times A's squared norm: below `noise` it cannot be told from zero.
    """

    d: Array
    U: Array | None
    V: Array | None
    squared: bool
    noise: float


def decompose(A: PenalisedMatrix, method: str) -> Decomposition:
    """By "svd", or by "eigen" of the smaller of the two squared matrices; the design keeps it."""
    return A.design.kept((method == "svd", *A.key), lambda: _decompose(A, method))


def _decompose(A: PenalisedMatrix, method: str) -> Decomposition:
    n, p = A.shape
    if min(n, p) == 0:
        return Decomposition(np.zeros(0), np.zeros((n, 0)), np.zeros((p, 0)), False, 0.0)
    if method == "svd" and A.view.sparse:
        R = A.triangle()
        _, s, Vt = svd(R)
        # A solution is refined, which brings back all digits but of what is rounding and no more.
        kept = s > 100 * max(n, p) * EPS * s.max(initial=A.size)
        U, V = (None, Vt[kept].T) if n > p else (Vt[kept].T, None)
        return Decomposition(s[kept] ** 2, U, V, False, 0.0)
    if method == "svd":
        U, s, Vt = svd(A.dense())
        kept = s > max(n, p) * EPS * max(s[0], A.size)
        return Decomposition(s[kept] ** 2, U[:, kept], Vt[kept].T, False, 0.0)
    if n > p:
        d, V = np.linalg.eigh(A.gram())
        noise = 8 * p * EPS * max(d[-1], A.size**2)
        return Decomposition(np.maximum(d[::-1], 0.0), None, V[:, ::-1], True, noise)
    # Rows of weight zero and directions out of reach would mix with others of eigenvalue zero: the
    # first are left out, the second lifted above all others and left out then.
    used = np.flatnonzero(A.root)
    K, unreached = A.kernel[np.ix_(used, used)], A.unreached[used]
    K += 2.0 * (np.trace(K) or 1.0) * (unreached @ unreached.T)
    d, vectors = np.linalg.eigh(K)
    reached = max(0, len(used) - unreached.shape[1])
    d = np.maximum(d[:reached][::-1], 0.0)
    U = np.zeros((n, reached))
    U[used] = vectors[:, :reached][:, ::-1]
    return Decomposition(d, U, None, True, 8 * n * EPS * max(d.max(initial=0.0), A.size**2))


def has_far_columns(design: Design) -> bool:
    """Whether some mean dwarfs the spread around it, of a column that is not constant.

    Products with X and a correction for the mean then lose digits that centred columns keep.
    """
    return len(design.far.index) > len(design.far.constant)


def _basis(columns: Array) -> Array:
    """Orthonormal basis of the span of columns of about size one."""
    if not columns.shape[1]:
        return columns
    Q, R, _ = qr(columns, mode="economic", pivoting=True, check_finite=False)
    noise = 100 * min(columns.shape) * EPS
    return np.ascontiguousarray(Q[:, : np.count_nonzero(np.abs(R.diagonal()) > noise)])
