"""One alpha alone whose solution has few features: a working set that starts small.

The features most correlated with the target come first. Newton's method solves the problem on them
(`alone.py`), a product of X with the residual tells which others violate their KKT
conditions, and these join, the most violating first. Two or three such products are the cost,
where the Gram matrix of all features takes as many flops as some hundred products per hundred
features, and a path from alpha_max a dozen solutions. A support that turns out to be large is not
followed further: its features are told, for another method to solve.
"""

from __future__ import annotations

import numpy as np

from ...data.design import Array, Index
from ..base import AIM, OneTarget, Settings, Solution
from ..optimality import relative_gap
from ..tolerances import KKT_TOLERANCE
from .alone import solve_alone
from .side_by_side import MOST_AT_ONE_ALPHA, serves
from .working_set import WorkingSet

# Features that begin, and that join at once where fewer than these are in the set.
FIRST = 16
# Products with X, and features of a working set, beyond which the support is taken to be large.
MOST_PRODUCTS, LARGEST_SET = 5, 96
# A start that a solution is no further away from than this share of its correlations is one.
STAYS = 1e-9
# Where a correlation with the target is so many times its threshold, with more rows than features
# and with fewer, and more features than such a set has are past theirs, nothing is tried: at 0.1 of
# alpha_max 20 of 300 features are in the solution with 5000 rows, 90 of 3000 with 300. With bounds
# the first features may leave nothing to the others, and a product with X tells.
FAR_ABOVE = 30.0, 5.0


def solve(one: OneTarget, alpha: float, start: Array, settings: Settings) -> Solution | None:
    """The solution at one alpha; None where its support is large, or another method is needed."""
    design, whole = one.design, one.penalty
    if not (serves(whole, alpha) and design.has_rows):
        return None
    penalty = whole.at(alpha)
    limit = (1.0 + KKT_TOLERANCE) * penalty.l1
    above = np.where(penalty.upper > 0, limit, np.inf)
    below = np.where(penalty.lower < 0, limit, np.inf)
    working, c, q, w = WorkingSet(design, one.y), one.c, one.c, np.empty(0)
    new, n_iter = np.flatnonzero((start != 0) | whole.free), int(not start.any())
    doubtful = False
    if not len(new):
        over = np.maximum(q - above, -q - below)
        far = np.count_nonzero(over > FAR_ABOVE[len(c) > len(one.y)] * penalty.l1)
        doubtful = bool(far and np.count_nonzero(over > 0) > LARGEST_SET)
        if doubtful and not whole.has_bounds:
            return None
        new = most_violating(over, FIRST)
    for n_products in range(MOST_PRODUCTS):
        most = min(MOST_AT_ONE_ALPHA, (settings.max_iter - n_iter) // 2)
        if most < 1 or len(working.index) + len(new) > LARGEST_SET:
            return None
        working.grow(new)
        index = working.index
        w = np.concatenate([w, start[new]])
        rss, r = one.yy, one.y
        if len(index):
            assert working.gram is not None
            found = solve_alone(working.gram, c[index], penalty.take(index), w, one.yy, most)
            if found is None:
                return None
            w, n_iter = found.w, n_iter + found.n_rounds
            if not n_products and start.any():
                moved = np.abs(w - start[index]) * working.gram.diagonal()
                n_iter *= bool(np.any(moved > STAYS * (np.abs(c[index]) + penalty.l1[index])))
            r = working.residual_of(w)
            q, rss = design.correlate(r), float(design.norm2(r))
        over = np.maximum(q - above, -q - below)
        over[index] = -np.inf
        n_over = np.count_nonzero(over > 0)
        if not n_over:
            break
        if (n_products or doubtful) and n_over > LARGEST_SET:
            return None
        new = most_violating(over, max(FIRST, len(index)))
    else:
        return None
    coef = np.zeros(len(q))
    coef[working.index] = w
    gap = relative_gap(coef, q, rss, penalty, design, one.unit)
    if gap > AIM:
        return None
    return Solution(coef, gap, n_iter, rss, float(np.count_nonzero(coef)))


def most_violating(over: Array, most: int) -> Index:
    """Features with the largest violations."""
    index = (over > 0).nonzero()[0]
    if len(index) > most:
        index = np.sort(index[np.argpartition(-over[index], most)[:most]])
    return index
