"""Ridge's methods as solvers of the registry: their answers, each with its duality gap."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from ...data.design import BLOCK_ENTRIES, Array, Design
from ...data.from_moments import MomentsDesign
from ...objective.duality import ridge_gaps
from ...objective.penalties import Penalty, ScaledPenalty
from ..base import AIM, Bound, OneTarget, Settings, Solution, Target
from ..optimality import relative_gaps
from . import iterative
from .closed_form import RidgeFactor, default_alphas, solve_ridge
from .minimum_norm import least_squares_from_gram


def _closed_form(
    method: str,
    bound: Bound,
    alphas: Array,
    start: Array,
    settings: Settings,
) -> Iterator[Solution]:
    """Minimise ``1/2 |Y - ZW|^2 + sum_j l2_j/2 w_j^2``, without a need for `start`."""
    # Without an L1 part the strength is alpha (1 - l1_ratio): where l1_ratio > 0 that means that
    # alpha is zero, or that nothing is penalised.
    design, target = bound.design, bound.target
    penalty, alphas = bound.penalty.as_ridge(alphas)
    if not design.has_rows:
        for alpha in alphas:
            yield _unpenalised(bound, penalty, alpha)
        return
    if len(alphas) == 1:
        # Centring y rounds it, which an ill-conditioned X amplifies: this one takes it as it is.
        same = np.full(target.raw.shape[1], alphas[0])
        centred = target.centred, target.mean, target.squares
        one = solve_ridge(
            design, target.raw, penalty, same, method, centred, lambda: bound.correlations
        )
        n_iters = np.ones(len(same))
        if one.gaps is None or one.rss is None:
            scaled = penalty.at_each(alphas)
            yield _certified(design, target, scaled, one.coef, n_iters, one.intercept)
        else:
            gaps, unknown = one.gaps / target.units, np.full(len(same), np.nan)
            yield Solution(one.coef.T, gaps, n_iters, one.rss, unknown, one.intercept)
        return
    own = penalty is bound.penalty
    factor = RidgeFactor.of(bound, method) if own else RidgeFactor(design, penalty, method)
    coefs = factor.solve(target.centred, alphas, bound.correlations if factor.is_tall else None)
    df = factor.degrees_of_freedom(alphas)
    by_kernel = factor.gaps_by_kernel(target.centred, alphas)
    if by_kernel is None:
        gram = factor.gram_if_precise(alphas)
        rss, gaps = _certificates(bound, penalty, alphas, coefs, gram)
    else:
        rss, gaps = by_kernel
        gaps /= target.units[:, None]
    same, unknown = np.ones(len(gaps)), np.full(len(gaps), np.nan)
    for w, gap, left, trace in zip(coefs.T, gaps.T, rss.T, df, strict=True):
        yield Solution(w, gap, same, left, trace * same, unknown)


def _unpenalised(bound: Bound, penalty: Penalty, alpha: float) -> Solution:
    """Least squares of minimum norm where the Gram matrix is all there is of the design."""
    design, target, C = bound.design, bound.target, bound.correlations
    W = least_squares_from_gram(design, penalty, C)
    Q = C - design.gram() @ W
    rss = np.maximum(target.squares - np.einsum("ij,ij->j", W, C + Q), 0.0)
    gaps = relative_gaps(W, Q, rss, penalty.at_each(np.array([alpha])), design, target.units)
    unknown = np.full(len(rss), np.nan)
    return Solution(W.T, gaps, np.ones(len(rss)), rss, unknown, unknown)


def _certificates(
    bound: Bound,
    penalty: Penalty,
    alphas: Array,
    coefs: Array,
    gram: Array | None,
) -> tuple[Array, Array]:
    """Residual sums of squares and relative gaps of all alphas, both (n_targets, n_alphas).

    With a Gram matrix that is precise enough, X is not needed any more: a product with it errs
    by no more than two products with X do.
    """
    design, target, correlated = bound.design, bound.target, bound.correlations
    Y, null = target.centred, target.squares
    n_features, n_targets, n_alphas = coefs.shape
    if gram is not None and n_targets > 1 and coefs.size <= BLOCK_ENTRIES:  # all at once
        W = coefs.reshape(n_features, -1)
        C, units = correlated.repeat(n_alphas, axis=1), target.units.repeat(n_alphas)
        Q = C - gram @ W
        left = np.maximum(null.repeat(n_alphas) - np.einsum("ij,ij->j", W, C + Q), 0.0)
        known = _gaps(W, Q, left, penalty.at_each(np.tile(alphas, n_targets)), design, units)
        return left.reshape(n_targets, -1), known.reshape(n_targets, -1)
    longest = max(design.n_features, 1 if gram is not None else design.n_samples)
    step = max(1, BLOCK_ENTRIES // longest)
    scaled = penalty.at_each(alphas)
    rss, gaps = np.empty(coefs.shape[1:]), np.empty(coefs.shape[1:])
    for k, y in enumerate(np.ascontiguousarray(Y.T)):
        W = np.ascontiguousarray(coefs[:, k])
        Q = np.empty_like(W)
        for start in range(0, len(alphas), step):
            block = slice(start, start + step)
            if gram is not None:
                Q[:, block] = correlated[:, [k]] - gram @ W[:, block]
                explained = np.einsum("ij,ij->j", W[:, block], correlated[:, [k]] + Q[:, block])
                rss[k, block] = np.maximum(null[k] - explained, 0.0)
            else:
                R = y[:, None] - design.predict(W[:, block])
                Q[:, block] = design.correlate(R)
                rss[k, block] = design.norm2(R)
        gaps[k] = _gaps(W, Q, rss[k], scaled, design, float(target.units[k]))
    return rss, gaps


def _iterative(
    method: Callable[..., tuple[Array, int]],
    bound: Bound,
    alphas: Array,
    start: Array,
    settings: Settings,
) -> Iterator[Solution]:
    """The same by a method that only multiplies by X, for one alpha and target at a time."""
    design, target, penalty = bound.design, bound.target, bound.penalty
    targets = [OneTarget(bound, k) for k in range(len(target.mean))]
    for alpha in alphas:
        answers = [method(one, alpha, settings.tol, settings.max_iter) for one in targets]
        coefs = np.stack([coef for coef, _ in answers], axis=1)
        n_iters = np.array([n_iter for _, n_iter in answers])
        each, unknown = penalty.at_each(np.array([alpha])), np.full(len(n_iters), np.nan)
        yield _certified(design, target, each, coefs, n_iters, unknown)


def _certified(
    design: Design,
    target: Target,
    scaled: ScaledPenalty,
    coefs: Array,
    n_iters: Array,
    intercepts: Array,
) -> Solution:
    """The solution at one alpha from coefficients of shape (n_features, n_targets).

    `scaled` is from `Penalty.at_each` of that alpha.
    """
    residuals = target.centred - design.predict(coefs)
    correlations = design.correlate(residuals)
    rss = design.norm2(residuals)
    gaps = _gaps(coefs, correlations, rss, scaled, design, target.units)
    return Solution(coefs.T, gaps, n_iters, rss, np.full(len(rss), np.nan), intercepts)


def _gaps(
    W: Array, Q: Array, rss: Array, scaled: ScaledPenalty, design: Design, unit: float | Array
) -> Array:
    """`relative_gaps`, in closed form where every feature has an L2 part and no gap is seen."""
    gaps = ridge_gaps(W, Q, scaled)
    if gaps is not None and (gaps <= AIM * unit).all():
        return np.asarray(gaps / unit)
    return relative_gaps(W, Q, rss, scaled, design, unit)


def smoother_traces(design: Design, penalty: Penalty, alphas: Array) -> Array:
    """Traces of the smoother matrix of the squared part alone, shape (n_alphas,)."""
    squared, strength = penalty.as_ridge(alphas)
    return RidgeFactor(_with_rows(design), squared).degrees_of_freedom(strength)


def spectral_alphas(design: Design, penalty: Penalty, n_alphas: int) -> Array:
    """A grid over the eigenvalues of the Gram matrix; see `default_alphas`."""
    return default_alphas(RidgeFactor(_with_rows(design), penalty), n_alphas)


def _with_rows(design: Design) -> Design:
    """The design, or one with rows and its Gram matrix."""
    return design.square_root() if isinstance(design, MomentsDesign) else design


solve = partial(_closed_form, "auto")
solve_cholesky = partial(_closed_form, "eigen")
solve_svd = partial(_closed_form, "svd")
solve_lsqr = partial(_iterative, iterative.lsqr)
solve_cg = partial(_iterative, iterative.sparse_cg)
solve_lbfgs = partial(_iterative, iterative.lbfgs)
