"""Least squares of minimum norm, and ridge, with a rank that no scaling of columns can fool.

Among all minimisers of ``||y - A w||^2 + alpha ||diag(metric) w||^2`` the one with the least
``||diag(metric) w||``, which says something when alpha = 0, and decides on what directions a
tiny alpha may act: on none that the columns only seem to have by rounding.

1. QR with column pivoting of A with its columns scaled to one size: ``A S P = Q [R1 R2]``. A
   diagonal entry of R1 at the level of rounding ends it after r columns. The others depend on
   these: ``A = Q R1 C`` with ``C = [I R1^-1 R2] P^T S^-1``, where entries at the level of
   rounding are zeros, so that columns that have nothing to do with each other keep so.
2. The solution lies in the span of C's rows in the metric wanted, which a second QR, of
   ``diag(metric)^-1 C^T = B T``, makes orthonormal. Rows of that matrix may differ by many orders
   of magnitude (scales of features, penalty factors): sorted by size and with pivoting,
   Householder's method loses nothing by it.
3. ``diag(metric) w = B g`` with ``R1 T^T g ~ Q^T y`` of r unknowns, and ``alpha ||g||^2``.

Cost: 4 n p min(n, p) flops.

Sources: Golub & Van Loan, Matrix Computations, 5.5 (complete orthogonal decomposition);
Cox & Higham, "Stability of Householder QR factorization for weighted least squares problems",
Numerical Analysis 1997.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import eigh, qr, solve_triangular

from ...data.design import Array, Design, Index
from ...objective.penalties import Penalty
from ..numerics import EPS, factored, reciprocal
from .triangle import affordable, triangle, weighted_rows

# Above this reciprocal condition of a Gram matrix with unit diagonal its Cholesky factor solves as
# well as eigenvectors do, in a tenth of the time.
WELL_FACTORED = 1e-9
# The rounding of sums over rows is that of an eigenvalue of at least so many columns.
FEW_COLUMNS = 64


def minimum_norm(A: Array, Y: Array, size: Array, metric: Array, alpha: float = 0.0) -> Array:
    """Minimise ``||Y - A W||^2 + alpha ||diag(metric) W||^2``, column by column of Y.

    Parameters
    ----------
    A : ndarray of shape (n_samples, n_features)
    Y : ndarray of shape (n_samples, n_targets)
    size : ndarray of shape (n_features,)
        What a column's rounding errors are relative to: its norm, before centring if it was
        centred. Decides the rank. Columns of size zero get coefficient zero.
    metric : ndarray of shape (n_features,)
        Positive.
    """
    scale = reciprocal(size)
    # Well above rounding: what is kept must be solved for, in a Y that has been rounded as well.
    noise = 100 * min(A.shape) * EPS
    A = A * scale
    if len(A) > 2 * A.shape[1]:  # pivoting is slow, and as good on the triangle of a plain QR
        Q, A = np.linalg.qr(A)
        Y = Q.T @ Y
    Q, R, order = qr(A, mode="economic", pivoting=True, check_finite=False)
    rank = int(np.count_nonzero(np.abs(R.diagonal()) > noise))
    Z = Q[:, :rank].T @ Y
    W = np.zeros((A.shape[1], Y.shape[1]))
    if rank == 0:
        return W
    if rank == A.shape[1] and alpha == 0:
        W[order] = solve_triangular(R, Z, check_finite=False)
        return (W.T * scale).T
    R, rest = R[:rank, :rank], R[:rank, rank:]
    rest = solve_triangular(R, rest, check_finite=False)
    rest[np.abs(rest) < noise] = 0.0
    rows = (np.hstack([np.eye(rank), rest]) * (size / metric)[order]).T
    by_size = np.argsort(-np.abs(rows).max(axis=1), kind="stable")
    basis, T, pivots = qr(rows[by_size], mode="economic", pivoting=True, check_finite=False)
    if alpha == 0:
        v = solve_triangular(R, Z, check_finite=False)
        g = solve_triangular(T, v[pivots], trans="T", check_finite=False)
    else:
        stacked = np.vstack([R[:, pivots] @ T.T, np.sqrt(alpha) * np.eye(rank)])
        g_scale = 1.0 / np.sqrt((stacked**2).sum(axis=0))
        Q, R = np.linalg.qr(stacked * g_scale)
        g = solve_triangular(R, Q[:rank].T @ Z, check_finite=False) * g_scale[:, None]
    u = basis @ g
    columns = order[by_size]
    W[columns] = (u.T / metric[columns]).T
    return W


def minimum_norm_from_gram(G: Array, C: Array, metric: Array) -> Array:
    """The same from ``G = A^T A`` and ``C = A^T Y``, for a sparse A of any size.

    Half of the digits of the orthogonal method: directions whose singular value is under about
    1e-7 of the largest (columns scaled to norm one) count as dependent.
    """
    W = np.zeros(C.shape)
    live = np.flatnonzero(G.diagonal() > 0)
    if not len(live):
        return W
    metric = metric[live]
    scale = 1.0 / np.sqrt(G.diagonal()[live])
    d, V = eigh(G[np.ix_(live, live)] * scale * scale[:, None], check_finite=False)
    dependent = d <= len(d) * EPS * d[-1]
    V = (V.T * scale * metric).T
    C = (C[live].T / metric).T
    U = V[:, ~dependent] @ ((V[:, ~dependent].T @ C).T / d[~dependent]).T
    if dependent.any():
        null = qr(V[:, dependent], mode="economic", check_finite=False)[0]
        U -= null @ (null.T @ U)
    W[live] = (U.T / metric).T
    return W


def least_squares_from_gram(design: Design, penalty: Penalty, C: Array) -> Array:
    """`least_squares` at alpha zero from the Gram matrix and the correlations C with the targets.

    Directions that are dependent to half of the digits count as dependent: see `independent`.
    """
    W = np.zeros(C.shape)
    movable = np.flatnonzero(penalty.movable & (design.variances > 0))
    if not len(movable):
        return W
    G, C = design.gram()[np.ix_(movable, movable)], C[movable]
    solve, rcond = factored(G.copy())
    if solve is not None and rcond > WELL_FACTORED:
        found = solve(C)
        W[movable] = found + solve(C - G @ found)
        return W
    sizes = design.sizes[movable]
    scale = reciprocal(sizes)
    d, V = independent(G * scale * scale[:, None])
    if not len(d):
        return W
    root = np.sqrt(d)
    rows = (V.T @ (C.T * scale).T) / root[:, None]
    metric = _metric(penalty, movable, sizes, 0.0)
    W[movable] = minimum_norm((V * root).T * sizes, rows, sizes, metric)
    return W


def independent(G: Array) -> tuple[Array, Array]:
    """Eigenvalues above rounding, increasing, and eigenvectors of a Gram matrix.

    Its features have length one, or less where they had that before they were centred.
    """
    d, V = eigh(G, check_finite=False)
    kept = d > max(len(d), FEW_COLUMNS) * EPS * max(d[-1], 1.0)
    return d[kept], V[:, kept]


def column_sizes(design: Design) -> Array:
    """Norms of the columns as the user scales them, before centring, weights summing to one."""
    squares = design.variances
    if design.mean is not None:
        mean = design.mean if design.inv_scale is None else design.mean * design.inv_scale
        squares = squares + mean * mean
    return np.sqrt(squares)


def least_squares(design: Design, penalty: Penalty, Y: Array, alpha: float = 0.0) -> Array:
    """Ridge that stands dependent columns and any scales; shape (n_features, n_targets).

    `Y` is centred. Where the solution is not unique, or hangs on an alpha below the rounding of
    the data, it is the limit for alpha falling to zero: that of least ``sum_j v_j w_j^2``, or of
    least ``sum_j w_j^2`` when nothing is penalised.
    """
    W = np.zeros((design.n_features, Y.shape[1]))
    movable = np.flatnonzero(penalty.movable & (design.variances > 0))
    if not len(movable):
        return W  # LAPACK of older SciPy takes no empty matrix
    sizes = column_sizes(design)[movable]
    if not penalty.factors[movable].any():
        alpha = 0.0  # what is penalised has no variance
    metric = _metric(penalty, movable, sizes, alpha)
    if design.sparse and not affordable(design):
        G = design.gram()[np.ix_(movable, movable)]
        G = G + alpha * np.diag(penalty.factors[movable])
        W[movable] = minimum_norm_from_gram(G, design.correlate(Y)[movable], metric)
        return W
    if design.sparse:
        R, rows = triangle_of(design, movable, Y)
        W[movable] = minimum_norm(R, rows, sizes, metric, alpha)
        return W
    used = design.omega > 0
    root = np.sqrt(design.omega[used, None])
    A, rows = root * design.columns(movable)[used], root * Y[used]
    if design.mean is not None:
        A -= root * (root.T @ A)  # what the rounding of the mean has left
    W[movable] = minimum_norm(A, rows, sizes, metric, alpha)
    return W


def _metric(penalty: Penalty, movable: Index, sizes: Array, alpha: float) -> Array:
    """What the norm of the coefficients is measured by, positive."""
    metric = np.sqrt(penalty.factors[movable])
    costly = metric > 0
    # Far below all others in the same units, which the method stands, a feature is free.
    least = np.min(metric[costly] / sizes[costly]) if costly.any() else 0.0
    if alpha > 0:  # nor may alpha itself make it cost anything
        least = min(least, alpha**-0.5)
    metric[~costly] = 1e-10 * least * sizes[~costly] if costly.any() else 1.0
    return metric


def triangle_of(design: Design, index: Index, Y: Array) -> tuple[Array, Array]:
    """R and ``Q^T Omega^(1/2) Y`` of the QR factorisation of some columns of a sparse design."""
    root = np.sqrt(design.omega)[:, None]
    # The weights' root as the first column takes the means out, and their rounding.
    ones = root[:, : 0 if design.mean is None else 1]
    R = triangle(weighted_rows(design, index, ones, root * Y))
    own = slice(ones.shape[1], ones.shape[1] + len(index))
    return R[own, own], R[own, own.stop :]
