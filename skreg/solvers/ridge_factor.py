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

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, eigsh

from ..design import BLOCK_ENTRIES, Array, Design
from ..penalties import Penalty
from .iterative import operator_lsqr, shifted_cg
from .minimum_norm import least_squares
from .numerics import EPS, reciprocal
from .penalised_matrix import Decomposition, PenalisedMatrix, decompose
from .triangle import affordable

# Above this size of its smaller side a sparse design is not decomposed to be solved.
LARGEST_SPARSE = 5000
# Relative error that the squared matrix may cost before the SVD takes over, and that a solution
# may have before it is refined.
TOLERATED_LOSS = 1e-9
UNREFINED_LOSS = 1e-12
# Below this share of A's squared norm, an alpha is left to a method that scales the columns.
SMALLEST = 1e-12
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
    """

    def __init__(self, design: Design, penalty: Penalty, method: str = "auto") -> None:
        if method == "svd" and design.sparse:
            raise ValueError("the SVD needs a dense X; use 'eigen' or 'auto' for a sparse one")
        self.penalty = penalty
        self.method = method
        self.A = PenalisedMatrix(design, penalty)
        self.design = design = self.A.design
        self.implicit = design.sparse and method == "auto" and min(self.A.shape) > LARGEST_SPARSE
        self._parts: Decomposition | None = None

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
        d = self.parts.d
        if not len(d) or d[0] == 0:
            return 0.0
        rcond = max((d[-1] + alphas.min()) / max(d[0], self.A.size**2), EPS**4)
        return float(EPS / (rcond if self.parts.squared else np.sqrt(rcond)))

    def _shrink(self, d: Array, alphas: Array) -> Array:
        """``1 / (d + alpha)``, shape (rank, n_alphas); zero where both are lost in rounding."""
        d = d[:, None]
        usable = np.maximum(d, alphas) > self.parts.noise
        return np.divide(1.0, d + alphas, out=np.zeros((len(d), len(alphas))), where=usable)

    # Coefficients -------------------------------------------------------------------------

    def solve(self, Y: Array, alphas: Array) -> Array:
        """Coefficients of Z, shape (n_features, n_targets, n_alphas).

        `Y` is centred, shape (n_samples, n_targets); alphas >= 0 in the units above, where 0 is
        least squares, that of least ``sum_j v_j w_j^2`` where it is not unique.
        """
        A, n_targets = self.A, Y.shape[1]
        rows = A.root[:, None] * Y
        b = np.zeros((A.shape[1], n_targets, len(alphas)))
        if self.implicit:
            self._solve_implicit(rows, np.zeros_like(alphas) if A.unpenalised else alphas, b)
        else:
            alphas = self._prepare(alphas)
            step = max(1, BLOCK_ENTRIES // (max(1, *A.shape) * n_targets))
            for start in range(0, len(alphas), step):
                block = slice(start, start + step)
                b[:, :, block] = self._solve_block(rows, alphas[block])
        W = A.coefficients(b, rows)
        for i in np.flatnonzero(self._too_small(alphas)):
            W[:, :, i] = least_squares(self.design, self.penalty, Y, float(alphas[i]))
        return W

    def _too_small(self, alphas: Array) -> NDArray[np.bool_]:
        """Alphas at which scales of columns might fool the spectrum, where that can be helped."""
        n, p = self.A.shape
        if self.implicit or (self.design.sparse and n < p):
            return np.zeros(len(alphas), dtype=bool)
        well = len(self.spectrum) == min(n, p) and self._loss(np.zeros(1)) <= UNREFINED_LOSS
        return np.full(len(alphas), not well) & (alphas < SMALLEST * self.A.size**2)

    def _solve_block(self, rows: Array, alphas: Array) -> Array:
        A, U, V = self.A, self.parts.U, self.parts.V
        n_targets = rows.shape[1]
        shrink = np.tile(self._shrink(self.parts.d, alphas), (1, n_targets))
        each = np.tile(alphas, n_targets)
        target = np.repeat(A.project(rows), len(alphas), axis=1)
        steps = 0 if self._loss(alphas) <= UNREFINED_LOSS else 2
        if V is not None:
            b = V @ (shrink * np.repeat(V.T @ A.adjoint(rows), len(alphas), axis=1))
            for _ in range(steps):
                b += V @ (shrink * (V.T @ (A.adjoint(target - A.forward(b)) - each * b)))
        else:
            assert U is not None
            dual = U @ (shrink * np.repeat(U.T @ rows, len(alphas), axis=1))
            b = A.adjoint(dual)
            for _ in range(steps):
                dual += U @ (shrink * (U.T @ (target - A.forward(b) - each * dual)))
                b = A.adjoint(dual)
        return b.reshape(len(b), n_targets, len(alphas))

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
        """Exact ``y_i`` less its prediction by the fit to all other rows.

        `Y` is centred, shape (n_samples, n_targets); the result has shape (n_samples, n_targets,
        n_alphas). The intercept is refitted as well when the design is centred. A row of weight
        zero gets its residual from the fit, which it took no part in. Beside the result, memory
        is a few MiB, and the SVD's U where that was needed.
        """
        alphas = self._prepare(alphas)
        out = np.zeros((*Y.shape, len(alphas)))
        lost = alphas <= self.parts.noise  # there the fit does without directions of no substance
        for group in (np.flatnonzero(lost), np.flatnonzero(~lost)):
            if len(group):
                out[:, :, group] = self._leave_one_out(Y, alphas[group])
        idle = np.flatnonzero(self.A.root == 0)
        if len(idle):
            W = self.solve(Y, alphas)
            for k in range(Y.shape[1]):
                out[idle, k] = Y[idle, k, None] - self.design.predict(W[:, k])[idle]
        return out

    def _leave_one_out(self, Y: Array, alphas: Array) -> Array:
        A, d, U, V = self.A, self.parts.d, self.parts.U, self.parts.V
        if U is None:
            # Below the noise of a squared matrix d says nothing, and neither would U.
            d = np.maximum(d, self.parts.noise)
        shrink = self._shrink(d, alphas)
        reached = shrink.any(axis=1)
        rows = A.root[:, None] * Y
        inverse = np.sqrt(reciprocal(d))[:, None]
        if U is not None:
            c = U.T @ rows
        else:
            assert V is not None
            c = inverse * (V.T @ A.adjoint(rows))
        spread = (c[:, :, None] * shrink[:, None, :]).reshape(len(d), Y.shape[1] * len(alphas))
        out = np.zeros((*Y.shape, len(alphas)))
        for block, left in self._left_vectors(inverse):
            squares, off, root = left * left, A.unreached[block], A.root[block]
            N = 1.0 - np.einsum("ij,ij->i", off, off) - squares[:, reached].sum(axis=1)
            short = (N / max(A.shape) > NOTHING)[:, None]  # of interpolating
            rest = rows[block] - off @ (A.unreached.T @ rows) - left[:, reached] @ c[reached]
            factor = np.where(short, alphas, 1.0)
            r = factor[:, None, :] * (left @ spread).reshape(len(left), *out.shape[1:])
            r += np.where(short, rest, 0.0)[:, :, None]
            M = root[:, None] * (np.where(short, N[:, None], 0.0) + factor * (squares @ shrink))
            np.divide(r, M[:, None, :], out=out[block], where=M[:, None, :] > 0)
        return out

    def _left_vectors(self, inverse: Array) -> Iterator[tuple[slice, Array]]:
        """U in blocks of rows."""
        A, U, V = self.A, self.parts.U, self.parts.V
        step = max(1, BLOCK_ENTRIES // max(1, A.shape[1], len(inverse)))
        X = A.view.X.tocsr() if A.view.sparse and U is None else A.view.X
        for start in range(0, A.shape[0], step):
            block = slice(start, start + step)
            if U is not None:
                yield block, U[block]
            else:
                assert V is not None
                yield block, A.rows(block, X, V * inverse[:, 0])


def default_alphas(factor: RidgeFactor, n_alphas: int) -> Array:
    """Decreasing alphas, evenly spaced in log, that cover the spectrum of the data.

    From 100 times the largest eigenvalue, where every direction keeps less than a hundredth of
    its least-squares fit, to a hundredth of the smallest positive one, where every direction
    keeps more than 99 in 100; but not below 1e-8 of the largest. For a sparse design that is too
    large to decompose, down to 1e-6 of the largest.
    """
    if factor.implicit:
        largest = factor.largest_eigenvalue()
        return np.geomspace(1e2 * largest, 1e-6 * largest, n_alphas)
    d = factor.spectrum
    d = d[d > factor.parts.noise]
    if not len(d):
        return np.geomspace(1e2, 1e-2, n_alphas)
    return np.geomspace(1e2 * d[0], max(1e-2 * d[-1], 1e-8 * d[0]), n_alphas)
