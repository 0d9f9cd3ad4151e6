"""Newton's method on the active set at one alpha for one target.

The rounds are those of `active_set.py` where a coefficient has no other state than its sign, on a
Gram matrix, and nothing is kept for another alpha. With ten features a round is calls of NumPy and
little else: here it makes twenty, on vectors, and takes a third of the time that `side_by_side.py`
needs for one target of several.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg.lapack import dposv

from ...data.design import Array
from ...objective.penalties import ScaledPenalty
from ..base import Mask
from ..tolerances import CORRELATION_ROUNDING, DEPENDENT_IN_SUPPORT, KKT_TOLERANCE
from .side_by_side import PATIENCE, guess

# A correlation of so many times its threshold, and this share of the features past theirs, tell of
# a weak penalty, whose signs are most often those without an L1 part: that takes one more solution
# and saves two or three rounds, from 10 to 250 features.
WEAK_PENALTY, MOST_PAST = 20.0, 0.75
# With so many features past their thresholds at zero, which of them are in the solution is guessed.
GUESSED_ALONE_FROM = 100


class Alone(NamedTuple):
    """Coefficients, the correlations that are left, and the rounds they took."""

    w: Array
    q: Array
    n_rounds: int


def solve_alone(
    gram: Array, c: Array, penalty: ScaledPenalty, start: Array, yy: float, most: int
) -> Alone | None:
    """The solution for a target with correlations c and mean square yy, from `start`.

    None where `most` rounds do not end in it. The penalty is one that `side_by_side.serves` takes.
    """
    l1, curvature = penalty.l1, gram.diagonal()
    limit = CORRELATION_ROUNDING * np.sqrt(yy * curvature) + (1.0 + KKT_TOLERANCE) * l1
    usable = curvature > 0
    if penalty.boxed:
        usable &= penalty.upper > penalty.lower
        above = np.where(penalty.upper > 0, limit, np.inf)
        below = np.where(penalty.lower < 0, -limit, -np.inf)
        start = penalty.clip(start)  # a sign that no coefficient may have would stay
    else:
        above, below = limit, -limit
    if np.count_nonzero(usable) < len(c):
        start = np.where(usable, start, 0.0)
        above, below = np.where(usable, above, np.inf), np.where(usable, below, -np.inf)
    free = None if np.count_nonzero(l1) == len(l1) else usable & (l1 == 0)
    if np.count_nonzero(start):
        sign = np.sign(start)
    else:
        sign = _first_signs(gram, c, penalty, (c > above) | (c < below))
    fewest, idle = len(c) + 1, 0
    for n_rounds in range(1, most + 1):
        active = sign
        if free is not None:
            sign = np.where(free, 0.0, sign)
            active = sign + free
        index = active.nonzero()[0]
        w, q = np.zeros(len(c)), c
        if len(index):
            rows = gram.take(index, 0)
            matrix, x = rows.take(index, 1), (c - l1 * sign).take(index)
            diagonal = matrix.ravel()[:: len(index) + 1]
            if penalty.has_l2:
                diagonal += penalty.l2.take(index)
            least = DEPENDENT_IN_SUPPORT * diagonal
            # in place, the factor in the lower triangle of the transposed matrix
            _, _, failed = dposv(matrix.T, x, lower=1, overwrite_a=1, overwrite_b=1)
            small = diagonal * diagonal <= least
            if failed or np.count_nonzero(
                small
            ):  # of features that depend on each other one leaves
                sign[index[failed - 1 if failed else small.argmax()]] = 0.0
                fewest, idle = fewest - 1, 0
                continue
            w[index] = x
            q = c - x.dot(rows)
        leave, enter = w * sign < 0, (q > above) | (q < below)
        enter[index] = False
        n_wrong = int(np.count_nonzero(leave | enter))
        if not n_wrong:
            return Alone(w, q, n_rounds)
        idle = 0 if n_wrong < fewest else idle + 1
        if idle == PATIENCE:
            break
        fewest = min(fewest, n_wrong)
        sign = np.where(enter, np.sign(q), sign)
        sign[leave] = 0.0
    return None


def _first_signs(gram: Array, c: Array, penalty: ScaledPenalty, past: Mask) -> Array:
    """Signs to begin with, from correlations and which of them are past their thresholds."""
    n_past, l1 = np.count_nonzero(past), penalty.l1
    weak = (np.abs(c) > WEAK_PENALTY * l1) & (l1 > 0)
    if n_past >= MOST_PAST * len(c) and np.count_nonzero(weak):
        matrix, x, d = gram.copy(), c.copy(), gram.diagonal()
        if penalty.has_l2:
            matrix.ravel()[:: len(c) + 1] += penalty.l2
        _, _, failed = dposv(matrix.T, x, lower=1, overwrite_a=1, overwrite_b=1)
        if not failed:
            return np.sign(penalty.prox(d * x, d))
    if n_past >= GUESSED_ALONE_FROM:
        return np.sign(guess(gram, c[None], penalty)[0])
    return np.sign(c) * past
