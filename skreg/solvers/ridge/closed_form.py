"""Ridge and least squares at one alpha, as accurately as the data allow.

    minimise over w   1/2 ||y - Zw||^2_omega + alpha/2 sum_j v_j w_j^2

1. Normal equations, p x p when n >= p, else in the n dual variables: Cholesky of the matrix
   scaled to a unit diagonal, with LAPACK's condition estimate. Scaling makes the estimate, and
   the digits, independent of the units of the features. Two products with X undo what the
   squaring has lost, where that is worth it (`WELL`) and the condition (that of X squared) allows
   it (`TOO_ILL`); where nothing was lost, the squared matrix has the certificate as well.
2. Past that, Householder QR of ``[1 X; (alpha V)^(1/2)]`` as the user has it, with the column
   of ones first: it centres without rounding. Problems of up to `SMALL_TABLE` entries are refined
   to the last digit (`refinement`), tiny ones always.
3. Dependent columns: the solution of minimum norm (`minimum_norm`).

A sparse X is never made dense. Instead of 2 and 3 it has the triangle of its QR factorisation
(`triangle`), which takes a few rows at a time, as long as that is a matter of seconds.

Cost: n p min(n, p) + min(n, p)^3 / 3 flops, and n p for each refinement.

Sources: Bjorck, Numerical Methods for Least Squares Problems (1996), 2.2 and 6.6; Saunders,
Gorodetsky & Vovk, "Ridge regression learning algorithm in dual variables", ICML 1998.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from ...data.design import Array, Design
from ...objective.duality import ridge_gaps
from ...objective.penalties import Penalty
from ..base import AIM
from ..numerics import EPS, factored
from . import narrow
from .minimum_norm import least_squares
from .penalised_matrix import PenalisedMatrix, has_far_columns
from .refinement import MAX_STEPS, refined_ridge
from .ridge_factor import LARGEST_SPARSE, SMALLEST_ALPHA, RidgeFactor
from .triangle import affordable

__all__ = ["RidgeFactor", "RidgeSolution", "default_alphas", "solve_ridge"]

# Entries of X up to which a dense problem is solved to the last digit at once, and when it is ill.
LAST_DIGIT_ENTRIES = 512
SMALL_TABLE = 100_000
# Reciprocal conditions of the scaled normal equations: below the first they are refined (an error
# of 4e-14 was measured there, of 2e-15 after one step), below the second a small problem is solved
# exactly, below the third a dense one is solved by QR (there one step still brings back as much as
# two, a sparse one has another).
WELL = 1e-4
ILL = 1e-5
TOO_ILL = 1e-9
# Share of an eigenvalue whose square, the bias in a squared error, is lost in rounding.
VANISHING = EPS**0.5


@dataclass(frozen=True)
class RidgeSolution:
    """Coefficients of Z, shape (n_features, n_targets), and the user's intercepts (n_targets,).

    `rss` and `gaps`, of shape (n_targets,), are the weighted residual sums of squares and duality
    gaps where the normal equations told them without another product with X, and tell enough.
    """

    coef: Array
    intercept: Array
    rss: Array | None = None
    gaps: Array | None = None


def solve_ridge(
    design: Design,
    Y: Array,
    penalty: Penalty,
    alphas: Array,
    method: str = "auto",
    centred: tuple[Array, Array, Array] | None = None,
    correlated: Callable[[], Array] | None = None,
) -> RidgeSolution:
    """Ridge for every target at its own alpha.

    Parameters
    ----------
    design : Design
    Y : ndarray of shape (n_samples, n_targets)
        As the user has it, not centred.
    penalty : Penalty
        Its factors count, and its bounds only in that ``lower = upper`` excludes a feature.
    alphas : ndarray of shape (n_targets,)
        >= 0 in the units of the design (weights that sum to one). 0 is least squares, that of
        least ``sum_j v_j w_j^2`` where it is not unique.
    method : {"auto", "cholesky", "svd"}
        "cholesky" keeps to the normal equations unless they are singular to working precision;
        "eigen" is another name for it. "svd" needs a dense X.
    centred : tuple of ndarray, optional
        What `Design.centred_target` makes of Y, where it is known.
    correlated : callable, optional
        Gives what `Design.correlate` makes of the centred Y, where it may be known.
    """
    if not penalty.factors[penalty.movable].any():
        alphas = np.zeros_like(alphas)
    parts = design.centred_target(Y) if centred is None else centred
    if (alphas == alphas[0]).all():
        known = correlated or partial(design.correlate, parts[0])
        return _solve(design, Y, parts, known, penalty, float(alphas[0]), method)
    coef = np.zeros((design.n_features, Y.shape[1]))
    intercept = np.zeros(Y.shape[1])
    for alpha in np.unique(alphas):
        same = alphas == alpha
        rows, means, squares = (part[..., same] for part in parts)
        known, own = partial(design.correlate, rows), (rows, means, squares)
        solution = _solve(design, Y[:, same], own, known, penalty, float(alpha), method)
        coef[:, same], intercept[same] = solution.coef, solution.intercept
    return RidgeSolution(coef, intercept)


def _solve(
    design: Design,
    Y: Array,
    about_means: tuple[Array, Array, Array],
    correlated: Callable[[], Array],
    penalty: Penalty,
    alpha: float,
    method: str,
) -> RidgeSolution:
    n, p = design.n_samples, design.n_features
    centred, y_mean, squares = about_means

    units = np.where(squares == 0, 1.0, squares)

    def finished(W: Array, *known: Array) -> RidgeSolution:
        return RidgeSolution(W, design.intercept(design.to_raw(W), y_mean), *known)

    if method == "svd" or (design.sparse and min(n, p) > LARGEST_SPARSE):
        factor = RidgeFactor(design, penalty, method if method == "svd" else "auto")
        return finished(factor.solve(centred, np.array([alpha]))[:, :, 0])
    if method == "auto" and penalty.plain and min(n, p) >= narrow.LEAST:
        found = narrow.solve(design, about_means, correlated, alpha)
        if found is not None:
            return RidgeSolution(*found)
    refine = method == "auto" and n >= p and n * p <= SMALL_TABLE
    if refine and n * p <= LAST_DIGIT_ENTRIES and not design.sparse:
        solution = _by_orthogonalisation(design, Y, penalty, alpha)
        if solution is not None:
            return solution
    if n >= p:
        W, rcond, known = _by_gram(design, centred, squares, correlated, penalty, alpha)
    else:
        W, rcond, known = _by_kernel(design, centred, penalty, alpha)
    if W is not None and (rcond > ILL or (rcond > TOO_ILL and not refine)):
        return finished(W, *(known if known and (known[1] <= AIM * units).all() else ()))
    if method in ("cholesky", "eigen") and W is not None:
        return finished(W)
    if n >= p and not design.sparse:
        solution = _by_orthogonalisation(design, Y, penalty, alpha)
        if solution is not None:
            return solution
    if design.sparse and W is not None and not affordable(design):
        return finished(W)  # two products with X have brought back what can be had
    # The span of the unpenalised columns alone tells which of their directions are rounding.
    if n < p and (design.sparse or (alpha > 0 and penalty.free.any())):
        return finished(RidgeFactor(design, penalty).solve(centred, np.array([alpha]))[:, :, 0])
    return finished(least_squares(design, penalty, centred, alpha))


def _by_gram(
    design: Design,
    Y: Array,
    squares: Array,
    correlated: Callable[[], Array],
    penalty: Penalty,
    alpha: float,
) -> tuple[Array | None, float, tuple[Array, ...]]:
    """Coefficients, the reciprocal condition of the matrix, and `rss` and `gaps` if it tells them.

    There are no coefficients if it is singular.
    """
    G, p = design.gram(), design.n_features
    M = G.copy()
    movable = penalty.movable & (M.diagonal() > 0)
    l2 = alpha * penalty.factors[:, None]
    M.flat[:: p + 1] += l2[:, 0]
    solve, rcond = factored(M, movable)
    if solve is None:
        return None, 0.0, ()
    if has_far_columns(design) and not design.sparse:
        # Products with X as it is would be as inexact as its offset is large.
        design = design.subset(np.arange(p))
        c = design.correlate(Y)
    else:
        c = correlated()
    W = solve(c)
    if rcond >= WELL:
        if p * p > 2 * design.n_stored:
            return W, rcond, ()
        Q = c - G @ W
        gaps = ridge_gaps(W, Q, penalty.at_each(np.array([alpha])))
        explained = np.einsum("ij,ij->j", W, c + Q)
        rss = np.maximum(squares - explained, 0.0)
        return W, rcond, () if gaps is None else (rss, gaps)
    for _ in range(1 if rcond > TOO_ILL else 2):
        W += solve(design.correlate(Y - design.predict(W)) - l2 * W)
    return W, rcond, ()


def _by_kernel(
    design: Design, Y: Array, penalty: Penalty, alpha: float
) -> tuple[Array | None, float, tuple[Array, ...]]:
    """The same in the dual."""
    A = PenalisedMatrix(design, penalty)
    if len(A.free):
        return None, 0.0, ()  # what a projection cancels, no condition estimate would see
    M = A.kernel.copy()
    M.flat[:: len(M) + 1] += alpha
    # What no feature reaches needs a pivot, of whatever size.
    M += (np.trace(M) / len(M)) * (A.unreached @ A.unreached.T)
    solve, rcond = factored(M, A.root > 0)
    if solve is None:
        return None, 0.0, ()
    rows = A.root[:, None] * Y
    dual = solve(rows)
    b = A.adjoint(dual)
    known: tuple[Array, ...] = ()
    if rcond >= WELL:
        if alpha > 0:
            known = A.gaps_of_dual(dual, rows, np.array(alpha))
    else:
        for _ in range(1 if rcond > TOO_ILL else 2):
            dual += solve(rows - A.forward(b) - alpha * dual)
            b = A.adjoint(dual)
    return A.coefficients(b[:, :, None], rows)[:, :, 0], rcond, known


def _by_orthogonalisation(
    design: Design, Y: Array, penalty: Penalty, alpha: float
) -> RidgeSolution | None:
    """QR of X as the user has it, refined if it is small; None if columns are dependent."""
    used = design.omega > 0
    movable = np.flatnonzero(penalty.movable & (design.variances > 0))
    X = design.entries(used, movable).astype(np.float64)
    l2 = alpha * penalty.factors[movable]
    if design.inv_scale is not None:
        l2 = l2 / design.inv_scale[movable] ** 2
    first = 0 if design.mean is None else 1
    X = np.hstack([np.ones((len(X), first)), X])
    l2 = np.concatenate([np.zeros(first), l2])
    steps = MAX_STEPS if X.size <= 2 * SMALL_TABLE else 0
    W = refined_ridge(X, Y[used], design.omega[used], l2, steps)
    if W is None:
        return None
    raw = np.zeros((design.n_features, Y.shape[1]))
    raw[movable] = W[first:]
    return RidgeSolution(design.from_raw(raw), W[0] if first else np.zeros(Y.shape[1]))


def default_alphas(factor: RidgeFactor, n_alphas: int) -> Array:
    """Decreasing alphas, evenly spaced in log, from where nothing is left to where nothing shrinks.

    From 1000 times the largest eigenvalue, where every direction keeps less than a thousandth of
    its least-squares fit, to `VANISHING` times the smallest positive one, where no direction loses
    what double precision could show in an error; but not below `SMALLEST_ALPHA` of the largest. For
    a sparse design that is too large to decompose, down to 1e-6 of the largest.
    """
    if factor.implicit:
        largest = factor.largest_eigenvalue()
        return largest * np.geomspace(1e3, 1e-6, n_alphas)
    d = factor.spectrum
    d = d[d > factor.parts.noise]
    if not len(d):
        return np.geomspace(1e2, 1e-2, n_alphas)
    return d[0] * np.geomspace(1e3, max(VANISHING * d[-1] / d[0], SMALLEST_ALPHA), n_alphas)
