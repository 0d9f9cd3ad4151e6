"""A squared penalty in a box, by a primal-dual active set method on a Gram matrix.

Without an L1 part a coefficient is at its lower bound, at its upper bound or free. Each round
takes it to be where it would go if it were minimised alone, from the coefficients and
correlations of the round before, and solves for the free ones at once, many changes at a time
(Hintermueller, Ito & Kunisch, SIAM J. Optim. 13(3), 2002; of least squares with bounds at zero,
Portugal, Judice & Vicente, Math. Comp. 63, 1994). Sets that do not change any more are the
solution's, most often after three to six rounds. A round costs |F|^3 / 3 for the free features F.

`solve_few` is for a table where most are at their bounds: a working set that starts small, and a
product of X with the residual to see which others want to leave theirs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg.lapack import dposv

from ...data.design import Array
from ...objective.penalties import ScaledPenalty
from ..base import OneTarget
from ..tolerances import CORRELATION_ROUNDING, DEPENDENT_ON_ORTHANT
from .small_support import FIRST, LARGEST_SET, MOST_PRODUCTS, most_violating
from .working_set import WorkingSet

# The method takes back none of its steps and is given so many rounds; so many of these may change
# no fewer coefficients than an earlier one.
MOST_ROUNDS_IN_BOX, PATIENCE_IN_BOX = 30, 3


class InBox(NamedTuple):
    """Coefficients, the correlations that are left, and the rounds they took."""

    w: Array
    q: Array
    n_rounds: int


def solve_in_box(
    gram: Array, c: Array, penalty: ScaledPenalty, start: Array, most: int
) -> InBox | None:
    """The solution for correlations c, from `start`; None where the rounds do not end in it.

    The penalty has no L1 part.
    """
    total = gram.diagonal() + penalty.l2
    lower, upper = penalty.lower, penalty.upper
    usable = (total > 0) & (lower < upper)
    inverse = np.divide(1.0, total, out=np.zeros_like(total), where=usable)
    w, nearest, held = np.clip(start, lower, upper), np.clip(0.0, lower, upper), None
    q = c - w @ gram if np.count_nonzero(w) else c
    fewest, idle = len(c) + 1, 0
    for n_rounds in range(1, min(most, MOST_ROUNDS_IN_BOX) + 1):
        alone = w + inverse * (q - penalty.l2 * w)
        # -1 at the lower bound, 1 at the upper one, 2 without curvature
        now = np.where(usable, (alone >= upper).astype(int) - (alone <= lower), 2)
        n_changed = len(c) if held is None else int(np.count_nonzero(now != held))
        if not n_changed:
            return InBox(w, q, n_rounds - 1)
        idle = 0 if n_changed < fewest else idle + 1
        if idle == PATIENCE_IN_BOX:
            return None
        fewest, held = min(fewest, n_changed), now
        w = np.where(now == 1, upper, np.where(now == -1, lower, np.where(now == 0, 0.0, nearest)))
        rest = q = c - w @ gram if np.count_nonzero(w) else c
        index = np.flatnonzero(now == 0)
        if not len(index):
            continue
        rows = gram.take(index, 0)
        matrix, x = rows.take(index, 1), rest.take(index)
        diagonal = matrix.ravel()[:: len(index) + 1]
        diagonal += penalty.l2.take(index)
        least = DEPENDENT_ON_ORTHANT * diagonal
        # in place, the factor in the lower triangle of the transposed matrix
        _, _, failed = dposv(matrix.T, x, lower=1, overwrite_a=1, overwrite_b=1)
        if failed or np.count_nonzero(diagonal * diagonal <= least):
            return None
        w[index] = x
        q = rest - x.dot(rows)
    return None


def solve_few(one: OneTarget, penalty: ScaledPenalty, most: int) -> InBox | None:
    """The solution where few coefficients leave their bounds, which are all at zero, else None."""
    design, c = one.design, one.c
    if not np.all((penalty.lower == 0.0) | (penalty.upper == 0.0)):
        return None
    above = np.where(penalty.upper > 0, 0.0, np.inf)
    below = np.where(penalty.lower < 0, 0.0, np.inf)
    working, w, q, n_rounds = WorkingSet(design, one.y), np.zeros(len(c)), c, 0
    for n_products in range(MOST_PRODUCTS):
        over = np.maximum(q - above, -q - below)
        over[working.index] = -np.inf
        if n_products:
            if np.count_nonzero(over > 0) + len(working.index) > LARGEST_SET:
                return None
            over -= CORRELATION_ROUNDING * np.sqrt(design.variances * one.yy)
        if over.max() <= 0:
            return InBox(w, q, max(n_rounds, 1))
        working.grow(most_violating(over, max(FIRST, len(working.index))))
        index = working.index
        assert working.gram is not None
        found = solve_in_box(working.gram, c[index], penalty.take(index), w[index], most)
        if found is None:
            return None
        w[index], n_rounds = found.w, n_rounds + found.n_rounds
        q = design.correlate(working.residual(w))
    return None
