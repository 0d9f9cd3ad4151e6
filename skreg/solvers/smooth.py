"""Ridge's methods as solvers of the registry: their answers, each with its duality gap."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from ..design import Array, Design
from ..penalties import Penalty, ScaledPenalty
from . import iterative
from .base import Settings, Solution, unit
from .optimality import relative_gap
from .ridge import RidgeFactor, solve_one


def _closed_form(
    method: str,
    design: Design,
    Y: Array,
    penalty: Penalty,
    alphas: Array,
    start: Array,
    settings: Settings,
) -> Iterator[tuple[Solution, ...]]:
    """Minimise ``1/2 |Y - ZW|^2 + sum_j l2_j/2 w_j^2``; no L1 part, no bounds. `start` is unused."""
    # Without an L1 part the strength is alpha (1 - l1_ratio): where l1_ratio > 0 that means that
    # alpha is zero, or that nothing is penalised.
    alphas = alphas * (1.0 - penalty.l1_ratio)
    if len(alphas) == 1:
        coefs = solve_one(design, Y, penalty, np.repeat(alphas, Y.shape[1]), method)[..., None]
        df = np.array([np.nan])
    else:
        factor = RidgeFactor(design, penalty, method)
        coefs = factor.solve(Y, alphas)
        df = factor.degrees_of_freedom(alphas)
    for i, alpha in enumerate(alphas):
        scaled = penalty.at(alpha)
        yield _certified(design, Y, scaled, coefs[..., i], float(df[i]), [1] * Y.shape[1])


def _iterative(
    method: Callable[..., tuple[Array, int]],
    design: Design,
    Y: Array,
    penalty: Penalty,
    alphas: Array,
    start: Array,
    settings: Settings,
) -> Iterator[tuple[Solution, ...]]:
    """The same by a method that only multiplies by X, for one alpha and target at a time."""
    for alpha in alphas:
        answers = [
            method(design, y, penalty, alpha, settings.tol, settings.max_iter)
            for y in np.ascontiguousarray(Y.T)
        ]
        coefs = np.stack([coef for coef, _ in answers], axis=1)
        n_iters = [n_iter for _, n_iter in answers]
        yield _certified(design, Y, penalty.at(alpha), coefs, np.nan, n_iters)


def _certified(
    design: Design, Y: Array, scaled: ScaledPenalty, coefs: Array, df: float, n_iters: list[int]
) -> tuple[Solution, ...]:
    """Solutions at one alpha from coefficients of shape (n_features, n_targets)."""
    residuals = Y - design.predict(coefs)
    correlations = design.correlate(residuals)
    found = []
    for k, (y, r) in enumerate(zip(Y.T, residuals.T, strict=True)):
        q, w = correlations[:, k], np.ascontiguousarray(coefs[:, k])
        size, rss = unit(y, design), float(design.norm2(r))
        gap = relative_gap(w, q, rss, scaled, design, size)
        found.append(Solution(w, gap, n_iters[k], rss, df))
    return tuple(found)


solve = partial(_closed_form, "auto")
solve_cholesky = partial(_closed_form, "eigen")
solve_svd = partial(_closed_form, "svd")
solve_lsqr = partial(_iterative, iterative.lsqr)
solve_cg = partial(_iterative, iterative.sparse_cg)
solve_lbfgs = partial(_iterative, iterative.lbfgs)
