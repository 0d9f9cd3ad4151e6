"""Relative duality gaps of given coefficients, from the formulas alone: no solver is called.

With weights ω that sum to one, residuals r = y − b − Xw and, for each coefficient, the penalty
g(w) = l1 |w| + l2/2 w² where lower <= w <= upper (infinite elsewhere),

    primal(w)  = 1/2 Σ ω r² + Σ g(w)
    dual(θ)    = Σ ω y θ − 1/2 Σ ω θ² − Σ g*(q),      q = Σ ω x θ,   Σ ω θ = 0
    g*(q)      = max of q w − g(w) over lower <= w <= upper.

θ = s (r − Σ ω r), where s is the largest number <= 1 for which every g*(q) is finite. By weak
duality primal − dual bounds how far the objective is from its minimum; at the minimum it is zero.
The unit is Σ ω y², y centred: the objective at w = 0 is one half of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .libraries import Answer
from .problems import Problem

Array = NDArray[np.float64]


def conjugate(q: Array, l1: Array, l2: Array, lower: Array, upper: Array) -> Array:
    """g*(q), elementwise; infinite where q is outside of what an unbounded l1 penalty admits."""
    excess = np.sign(q) * np.maximum(np.abs(q) - l1, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        free = np.where(excess == 0, 0.0, excess / l2)  # ±inf where l2 = 0
    best = np.clip(free, lower, upper)
    with np.errstate(invalid="ignore"):
        value = q * best - l1 * np.abs(best) - l2 / 2 * best**2
    return np.where(np.isfinite(best), value, np.inf)


def relative_gaps(
    X: Any,
    y: Array,
    coefs: Array,
    intercepts: ArrayLike,
    alphas: ArrayLike,
    *,
    l1_ratio: float | None = 1.0,
    weights: Array | None = None,
    factors: Array | None = None,
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
) -> Array:
    """Relative duality gap of each column of `coefs`.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n, p)
    y : ndarray of shape (n,) or (n, n_columns)
    coefs : ndarray of shape (p, n_columns)
    intercepts, alphas : array-like of shape (n_columns,)
    l1_ratio : float or None
        None for Ridge, whose squares are summed, not averaged.
    weights : ndarray of shape (n,)
    factors, lower, upper : array-like of shape (p,)
        Factors are positive.

    Returns
    -------
    ndarray of shape (n_columns,)
    """
    n, p = X.shape
    target = np.reshape(y, (n, -1))
    alpha = np.broadcast_to(np.asarray(alphas, float), coefs.shape[1:])
    share = np.ones(n) if weights is None else np.asarray(weights, float)
    if l1_ratio is None:
        alpha, l1_ratio = alpha / share.sum(), 0.0
    share = (share / share.sum())[:, None]
    scale = np.ones((p, 1)) if factors is None else np.reshape(factors, (p, 1))
    low = np.reshape(-np.inf if lower is None else lower, (-1, 1)) * np.ones((p, 1))
    high = np.reshape(np.inf if upper is None else upper, (-1, 1)) * np.ones((p, 1))
    l1, l2 = l1_ratio * alpha * scale, (1 - l1_ratio) * alpha * scale

    residual = target - X @ coefs - np.asarray(intercepts, float)
    # a bound met to rounding, after a library's own scaling and back, is met
    outside = np.maximum(low - coefs, coefs - high).max(axis=0) > 1e-12 * np.abs(coefs).max()
    primal = (share * residual**2).sum(axis=0) / 2
    primal = primal + (l1 * np.abs(coefs) + l2 / 2 * coefs**2).sum(axis=0)
    primal = np.where(outside, np.inf, primal)

    theta = residual - (share * residual).sum(axis=0)
    # Σ ω θ = 0, so the mean of y may go: the sums below lose fewer digits without it
    centred = target - (share * target).sum(axis=0)
    q = X.T @ (share * theta)
    if np.any(l2 == 0):  # s: where nothing but l1 holds w on the side that q pulls to
        unbounded = (l2 == 0) & (np.where(q > 0, high, low) == np.where(q > 0, np.inf, -np.inf))
        with np.errstate(divide="ignore"):
            room = np.where(unbounded & (np.abs(q) > l1), l1 / np.abs(q), 1.0)
        s = room.min(axis=0)
        # l1 / |q| |q| may round to just above l1
        q = np.where(unbounded, np.clip(q * s, -l1, l1), q * s)
        theta = theta * s
    dual = (share * (centred * theta - theta**2 / 2)).sum(axis=0)
    dual = dual - conjugate(q, l1, l2, low, high).sum(axis=0)
    return np.asarray((primal - dual) / (share * centred**2).sum(axis=0))


def largest_gap(problem: Problem, answer: Answer) -> float:
    """The largest relative duality gap of an answer."""
    gaps = relative_gaps(
        problem.X,
        problem.y,
        answer.coefs,
        answer.intercepts,
        answer.alphas,
        l1_ratio=problem.l1_ratio,
        weights=problem.weights,
        factors=problem.factors,
        lower=problem.lower,
        upper=problem.upper,
    )
    return float(np.max(gaps))
