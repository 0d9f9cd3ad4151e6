"""Block coordinate descent on a Gram matrix: the coefficients of one feature after another.

Between passes over all features come passes over those in use (Friedman, Hastie and Tibshirani, J.
Stat. Softw. 33(1), 2010; for rows Qin, Scheinberg and Goldfarb, Math. Program. Comput. 5(2), 2013).
It finishes what Newton's method does not, and is a second opinion of it.
"""

from __future__ import annotations

import math

import numpy as np

from ...data.design import Array, Index
from ...objective.group import row_lengths
from ..tolerances import CORRELATION_ROUNDING
from .alone import REACHED_LENGTH
from .newton import GroupRows

# Passes over the features in use for each pass over all.
PASSES = 10


def solve(
    gram: Array,
    C: Array,
    l1: Array,
    l2: Array | None,
    start: Array,
    square: float,
    most: int,
    rng: np.random.RandomState | None = None,
) -> GroupRows:
    """See `newton.solve`; the order is random where there is a generator."""
    found, noise = GroupRows.empty(start), CORRELATION_ROUNDING * np.sqrt(square * gram.diagonal())
    nothing = np.zeros(len(C))
    for i, W in enumerate(start):
        ridge = nothing if l2 is None else l2[i]
        W, solved, n_passes = W.copy(), False, 0
        while not solved and n_passes < most:
            Q = C - gram @ W - ridge[:, None] * W  # anew, as changes add up rounding
            order = np.arange(len(C))
            if n_passes % PASSES:
                order = W.any(axis=1).nonzero()[0]
            if rng is not None:
                rng.shuffle(order)
            _pass(gram, Q, W, l1[i], ridge, order)
            n_passes += 1
            if n_passes % PASSES == 1 or n_passes == most:
                solved = _optimal(gram, C, W, l1[i], ridge, noise)
        found.W[i] = W
        found.Q[i] = C - gram @ W - ridge[:, None] * W
        found.n_rounds[i], found.solved[i] = n_passes, solved
    return found


def _pass(gram: Array, Q: Array, W: Array, l1: Array, ridge: Array, order: Index) -> None:
    """Minimise over one row of W after another; Q, the correlations that are left, follows."""
    thresholds, curvature = l1.tolist(), (gram.diagonal() + ridge).tolist()
    for j in order.tolist():
        old, d = W[j], curvature[j]
        z = Q[j] + d * old
        size = math.sqrt(float(z.dot(z)))
        if size <= thresholds[j] or d == 0.0:
            if not old.any():
                continue
            new = np.zeros_like(old)
        else:
            new = z * ((1.0 - thresholds[j] / size) / d)
        change = new - old
        Q -= np.multiply.outer(gram[j], change)
        Q[j] -= ridge[j] * change
        W[j] = new


def _optimal(gram: Array, C: Array, W: Array, l1: Array, ridge: Array, noise: Array) -> bool:
    """Whether all conditions hold."""
    Q, size = C - gram @ W - ridge[:, None] * W, row_lengths(W)
    share = np.divide(l1, size, out=np.zeros_like(size), where=size > 0)
    away = np.where(size > 0, row_lengths(Q - share[:, None] * W), row_lengths(Q) - l1)
    return not np.count_nonzero(away > REACHED_LENGTH * l1 + noise)
