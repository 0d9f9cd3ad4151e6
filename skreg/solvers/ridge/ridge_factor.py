"""Ridge for every alpha, every target and leave-one-out from one decomposition.

    minimise over w   1/2 ||y - Zw||^2_omega + alpha/2 sum_j v_j w_j^2

1. ``A = U diag(d)^(1/2) V^T``, with A the design in units of the penalty (`PenalisedMatrix`).
2. ``b(alpha) = V (d + alpha)^-1 V^T A^T y`` for all alphas and targets in one product.
3. d comes from the p x p Gram matrix when n > p, else from the n x n kernel; from the singular
   values of A itself when the smallest alpha asks for digits that a squared matrix has lost. A
   sparse A with both sides large is not decomposed: conjugate gradients serve all alphas.
4. Leave-one-out residuals are ``r_i / M_ii``, where M maps y to its residuals. Here

       M_ii = N_ii + sum_j alpha/(d_j + alpha) u_ij^2,

   with N the projector on what no feature reaches: sums of positive terms, which keep their
   digits when the fit all but interpolates. Where N_ii = 0 it can; then the common factor alpha
   cancels, and alpha = 0 is its limit, the least squares of minimum norm.

Cost: n p min(n, p) flops for the matrix, about 9 min(n, p)^3 for its eigenvectors, then
p min(n, p) an alpha and target; leave-one-out adds n p min(n, p) once. Memory: a few min(n, p)^2
with the Gram matrix or the kernel, 3 n p with the SVD, and the results.

Sources: Hoerl & Kennard, Technometrics 12 (1970); Golub, Heath & Wahba, "Generalized
cross-validation as a method for choosing a good ridge parameter", Technometrics 21 (1979);
Rifkin & Lippert, "Notes on regularized least squares", MIT-CSAIL-TR-2007-025.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, eigsh

from ...data.design import BLOCK_ENTRIES, Array, Design, Index
from ...objective.penalties import Penalty
from ..base import Bound
from ..numerics import EPS, reciprocal
from .iterative import operator_lsqr, shifted_cg
from .minimum_norm import least_squares
from .penalised_matrix import Decomposition, PenalisedMatrix, decompose
from .shrinkage import Shrinkage
from .triangle import affordable

# Above this size of its smaller side a sparse design is not decomposed to be solved.
LARGEST_SPARSE = 5000
# Relative error that the squared matrix may cost before the SVD takes over, and that a solution
# may have before it is refined.
TOLERATED_LOSS = 1e-9
UNREFINED_LOSS = 1e-12
# Below this share of A's squared norm, an alpha is left to a method that scales the columns.
SMALLEST_ALPHA = 1e-12
# A share of a row that is left unexplained is zero below this, times the size of the problem.
NOTHING = 8 * EPS


class RidgeFactor:
    """One decomposition that serves every alpha, every target and leave-one-out.

    Parameters
    ----------
    design : Design
    penalty : Penalty
        Its factors count, and its bounds only in that ``lower = upper`` excludes a feature.
    method : {"auto", "eigen", "svd"}
        "eigen" keeps to the Gram matrix or the kernel, "svd" needs a dense X; "auto" starts
        with the first and moves to the second when the alphas ask for it and X is dense.
    even : bool
        Whether the factors make all columns one size, so that no scaling needs a second look.
    """

    def __init__(
        self, design: Design, penalty: Penalty, method: str = "auto", even: bool = False
    ) -> None:
        if method == "svd" and design.sparse:
            raise ValueError("the SVD needs a dense X; use 'eigen' or 'auto' for a sparse one")
        self.penalty = penalty
        self.method = method
        self._even = even
        self.A = PenalisedMatrix(design, penalty)
        self.design = design = self.A.design
        self.implicit = design.sparse and method == "auto" and min(self.A.shape) > LARGEST_SPARSE
        self._parts: Decomposition | None = None
        self._losses: dict[tuple[bool, float], float] = {}

    @classmethod
    def of(cls, bound: Bound, method: str) -> RidgeFactor:
        """That of a problem with a squared penalty alone, which keeps it."""
        make = partial(cls, bound.design, bound.penalty, method)
        return bound.kept(("ridge factor", method), make)

    @property
    def is_tall(self) -> bool:
        """Whether there are more rows than features, so that a Gram matrix serves."""
        return self.A.shape[0] > self.A.shape[1]

    @property
    def parts(self) -> Decomposition:
        """The decomposition, made when first asked for."""
        if self._parts is None:
            self._parts = decompose(self.A, self.method)
        return self._parts

    @property
    def spectrum(self) -> Array:
        """Eigenvalues of ``A^T A``, decreasing, >= 0; those of its null space may be left out."""
        return self.parts.d

    def largest_eigenvalue(self) -> float:
        """Of ``A^T A``, to about three digits and without a decomposition."""
        A = self.A
        product = LinearOperator(
            (A.shape[1],) * 2, matvec=lambda b: A.adjoint(A.forward(b.ravel())), dtype=np.float64
        )
        start = np.random.default_rng(0).normal(size=A.shape[1])
        return float(eigsh(product, k=1, v0=start, tol=1e-3, return_eigenvectors=False)[0])

    def _prepare(self, alphas: Array) -> Array:
        """Decompose well enough for these alphas; returns those that count."""
        alphas = np.zeros_like(alphas) if self.A.unpenalised else alphas
        lossy = self.parts.squared and self._loss(alphas) > TOLERATED_LOSS
        if lossy and self.method == "auto" and (not self.design.sparse or affordable(self.design)):
            self._parts = decompose(self.A, "svd")
        return alphas

    def _loss(self, alphas: Array) -> float:
        """Largest relative error of a solution, by the condition of what was decomposed."""
        parts, least = self.parts, float(alphas.min())
        known = self._losses.get((parts.squared, least))
        if known is not None:
            return known
        if not len(parts.d) or parts.d.item(0) == 0:
            return 0.0
        largest = max(parts.d.item(0), self.A.size**2)
        rcond = max((parts.d.item(-1) + least) / largest, EPS**4)
        loss = EPS / (rcond if parts.squared else math.sqrt(rcond))
        self._losses[parts.squared, least] = loss
        return loss

    def _shrink(self, d: Array, alphas: Array) -> Array:
        """``1 / (d + alpha)``, shape (rank, n_alphas); zero where both are lost in rounding."""
        d = d[:, None]
        usable = np.maximum(d, alphas) > self.parts.noise
        return np.divide(1.0, d + alphas, out=np.zeros((len(d), len(alphas))), where=usable)

    # Coefficients -------------------------------------------------------------------------

    def solve(self, Y: Array, alphas: Array, correlated: Array | None = None) -> Array:
        """Coefficients of Z, shape (n_features, n_targets, n_alphas).

        `Y` is centred, shape (n_samples, n_targets), and `correlated` its correlations with the
        features where they are known; alphas >= 0 in the units above, where 0 is least squares,
        that of least ``sum_j v_j w_j^2`` where it is not unique.
        """
        A, n_targets = self.A, Y.shape[1]
        rows = A.root[:, None] * Y
        b = np.zeros((len(alphas), n_targets, A.shape[1])).T  # one alpha's solution in one piece
        if self.implicit:
            self._solve_implicit(rows, np.zeros_like(alphas) if A.unpenalised else alphas, b)
        else:
            alphas = self._prepare(alphas)
            U, V = self.parts.U, self.parts.V
            if V is not None:
                start = V.T @ A.adjoint(rows, correlated)
            else:
                assert U is not None  # a decomposition has one side at least
                start = U.T @ rows
            refined = self._refined(alphas)
            longest = max(A.shape) if refined else A.shape[1]
            step = max(1, BLOCK_ENTRIES // (max(1, longest) * n_targets))
            for first in range(0, len(alphas), step):
                block = slice(first, first + step)
                b[:, :, block] = self._solve_block(rows, start, alphas[block], refined)
        W = A.coefficients(b, rows)
        for i in np.flatnonzero(self._too_small(alphas)):
            if not self.design.sparse or A.shape[0] >= A.shape[1]:
                W[:, :, i] = least_squares(self.design, self.penalty, Y, float(alphas[i]))
            elif alphas[i] == 0 and affordable(self.design) and not self._even:
                W[:, :, i] += self._least_squares_of_even_columns(Y, W[:, :, i])
        return W

    def _least_squares_of_even_columns(self, Y: Array, W: Array) -> Array:
        """What least squares still lacks where W lost features much smaller than others."""
        variances = self.design.variances
        even = replace(self.penalty, factors=np.where(variances > 0, variances, 1.0))
        factor = RidgeFactor(self.design, even, self.method, even=True)
        return factor.solve(Y - self.design.predict(W), np.zeros(1))[:, :, 0]

    def _too_small(self, alphas: Array) -> NDArray[np.bool_]:
        """Alphas at which scales of columns might fool the spectrum, where that can be helped."""
        n, p = self.A.shape
        if self.implicit:
            return np.zeros(len(alphas), dtype=bool)
        small = alphas < SMALLEST_ALPHA * self.A.size**2
        if not np.count_nonzero(small):
            return small
        well = len(self.spectrum) == min(n, p) and self._loss(np.zeros(1)) <= UNREFINED_LOSS
        return np.zeros_like(small) if well else small

    def _refined(self, alphas: Array) -> bool:
        """Whether products with X have to bring back what the decomposition has lost."""
        return self._loss(alphas) > UNREFINED_LOSS

    def _solve_block(self, rows: Array, start: Array, alphas: Array, refined: bool) -> Array:
        """Solutions in b from the projections of the weighted rows on V or U."""
        A, U, V = self.A, self.parts.U, self.parts.V
        n_targets = rows.shape[1]
        shrink = np.tile(self._shrink(self.parts.d, alphas), (1, n_targets))
        each = np.tile(alphas, n_targets)
        steps = 2 if refined else 0
        target = np.repeat(A.project(rows), len(alphas), axis=1) if steps else rows
        if V is not None:
            b = V @ (shrink * np.repeat(start, len(alphas), axis=1))
            for _ in range(steps):
                b += V @ (shrink * (V.T @ (A.adjoint(target - A.forward(b)) - each * b)))
        else:
            assert U is not None
            dual = U @ (shrink * np.repeat(start, len(alphas), axis=1))
            b = A.adjoint(dual)
            for _ in range(steps):  # a small step is lost beside the dual's rounding, not beside b
                step = U @ (shrink * (U.T @ (target - A.forward(b) - each * dual)))
                dual += step
                b += A.adjoint(step)
        return b.reshape(len(b), n_targets, len(alphas))

    def gram_if_precise(self, alphas: Array) -> Array | None:
        """``Z^T Omega Z``, where it was decomposed and lost nothing that these alphas ask for."""
        if self.implicit or self.parts.V is None or not self._precise(alphas):
            return None
        return self.design.gram() if self.A.shape[1] == self.design.n_features else None

    def gaps_by_kernel(self, Y: Array, alphas: Array) -> tuple[Array, Array] | None:
        """Residual sums of squares and duality gaps of `solve`, both (n_targets, n_alphas).

        None where the kernel was not decomposed or is not precise enough.
        """
        A, U = self.A, None if self.implicit else self.parts.U
        if U is None or len(A.free) or A.unpenalised or not alphas.min(initial=1.0) > 0:
            return None
        if not self._precise(alphas):
            return None
        rows, shape = A.root[:, None] * Y, (Y.shape[1], len(alphas))
        shrink, each = (
            np.tile(self._shrink(self.parts.d, alphas), shape[:1]),
            np.tile(alphas, shape[0]),
        )
        dual = U @ (shrink * np.repeat(U.T @ rows, shape[1], axis=1))
        rss, gaps = A.gaps_of_dual(dual, np.repeat(rows, shape[1], axis=1), each)
        return rss.reshape(shape), gaps.reshape(shape)

    def _precise(self, alphas: Array) -> bool:
        """Whether a squared matrix was decomposed and had all digits that these alphas need."""
        if not self.parts.squared or self._refined(alphas):
            return False
        return not self._too_small(alphas).any()

    def _solve_implicit(self, rows: Array, alphas: Array, b: Array) -> None:
        A = self.A
        positive = alphas > 0
        for k, y in enumerate(rows.T):
            if positive.any():
                b[:, k, positive] = shifted_cg(
                    lambda x: A.adjoint(A.forward(x)), A.adjoint(y), alphas[positive]
                )
            if not positive.all():
                w, _ = operator_lsqr(A.forward, A.adjoint, y, len(b))
                b[:, k, ~positive] = w[:, None]

    # Smoothing ----------------------------------------------------------------------------

    def degrees_of_freedom(self, alphas: Array) -> Array:
        """Trace of the matrix that maps y to its fit, less one for the intercept; (n_alphas,).

        NaN for a sparse design that is too large to decompose.
        """
        if self.implicit and self._parts is None:
            return np.full(len(alphas), np.nan)
        alphas = self._prepare(alphas)
        return self.A.Q.shape[1] + self.spectrum @ self._shrink(self.spectrum, alphas)

    def leave_one_out(self, Y: Array, alphas: Array) -> Array:
        """All that `leave_one_out_blocks` gives, shape (n_samples, n_targets, n_alphas)."""
        out = np.empty((*Y.shape, len(alphas)))
        for rows, residuals in self.leave_one_out_blocks(Y, alphas):
            out[rows] = residuals
        return out

    def leave_one_out_blocks(
        self, Y: Array, alphas: Array, correlated: Array | None = None
    ) -> Iterator[tuple[slice, Array]]:
        """Exact ``y_i`` less its prediction by the fit to all other rows, some rows at a time.

        Y and what is correlated are those of `solve`; a block has shape (n_rows, n_targets,
        n_alphas). The intercept is refitted as well when the design is centred. A row of weight
        zero gets its residual from the fit, which it took no part in. Memory is a few MiB, and
        the SVD's U where that was needed.
        """
        alphas = self._prepare(alphas)
        d = self.parts.d
        if self.parts.U is None:
            # Below the noise of a squared matrix d says nothing, and neither would U.
            d = np.maximum(d, self.parts.noise)
        A, inverse = self.A, np.sqrt(reciprocal(d))[:, None]
        rows = A.root[:, None] * Y
        if self.parts.U is not None:
            c = self.parts.U.T @ rows
        else:
            assert self.parts.V is not None
            c = inverse * (self.parts.V.T @ A.adjoint(rows, correlated))
        reach = (A.unreached.T @ rows, c)
        lost = alphas <= self.parts.noise  # there the fit does without directions of no substance
        whole = [slice(None)] if lost.all() or not lost.any() else [lost, ~lost]
        groups = [
            (which, Shrinkage.build(self._shrink(d, alphas[which]), alphas[which], c))
            for which in whole
        ]
        W = self.solve(Y, alphas, correlated) if not A.root.all() else None
        for block, left in self._left_vectors(inverse, Y.shape[1] * len(alphas)):
            if len(groups) == 1:
                out = self._residuals(block, left, rows[block], reach, groups[0][1])
            else:
                out = np.empty((len(left), Y.shape[1], len(alphas)))
                for which, shrinkage in groups:
                    out[:, :, which] = self._residuals(block, left, rows[block], reach, shrinkage)
            if W is not None:
                idle = block.start + np.flatnonzero(A.root[block] == 0)
                out[idle - block.start] = Y[idle, :, None] - self._fitted(idle, W)
            yield block, out

    def _fitted(self, index: Index, W: Array) -> Array:
        """``Z[index] W`` for W of shape (n_features, n_targets, n_alphas)."""
        fitted = self.design.predict_rows(index, W.reshape(len(W), -1))
        return fitted.reshape(len(index), *W.shape[1:])

    def _residuals(
        self, block: slice, left: Array, rows: Array, reach: tuple[Array, Array], s: Shrinkage
    ) -> Array:
        A = self.A
        squares, off, root = left * left, A.unreached[block], A.root[block, None]
        reached = slice(None) if s.reached.all() else s.reached
        N = 1.0 - np.einsum("ij,ij->i", off, off) - squares[:, reached].sum(axis=1)
        short = N / max(A.shape) > NOTHING  # of interpolating
        rest = rows - off @ reach[0] - left[:, reached] @ reach[1][reached]
        r = s.times_spread(left, by_alpha=True)
        r += rest[:, None, :]
        M = N[:, None] + squares @ s.shrink_by_alpha
        full = np.flatnonzero(~short)  # where the common factor alpha cancels
        if len(full):
            r[full] = s.times_spread(left[full], by_alpha=False)
            M[full] = squares[full] @ s.shrink
        M *= root
        np.divide(1.0, M, out=M, where=M > 0)
        r *= M[:, :, None]
        return r.transpose(0, 2, 1)

    def _left_vectors(self, inverse: Array, width: int) -> Iterator[tuple[slice, Array]]:
        """U in blocks of rows, for products of so many columns."""
        A, U, V = self.A, self.parts.U, self.parts.V
        step = max(1, BLOCK_ENTRIES // max(1, A.shape[1], len(inverse), width))
        for start in range(0, A.shape[0], step):
            block = slice(start, start + step)
            if U is not None:
                yield block, U[block]
            else:
                assert V is not None
                yield block, A.rows(block, V * inverse[:, 0])
