"""Local linear approximation on a Gram matrix: the descent of `local_linear.py` for little.

Each weighted L1 problem takes the rounds of `alone.py` from the solution of the one before, most
often a single one, and no certificate: that is left to who asks.

The descent is linear, with a rate near one where the problem is hardly convex. But while signs and
the pieces of the slopes stay, what it converges to is the minimum of a quadratic function of the
active coefficients. Once they have stayed for a step it goes there, or as far on the way as they
stay: the objective falls on all of it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dposv

from ...data.design import Array
from ...objective.nonconvex import ScaledConcave
from .alone import solve_alone
from .side_by_side import MOST_AT_ONE_ALPHA

# Slopes have settled that change by less than this share of those at zero.
SETTLED_ON_GRAM = 1e-12
# Where a piece ends a step goes on by this share of its length, so that it is left.
PAST_A_KNOT = 1e-9


def concave_rounds(
    gram: Array, c: Array, concave: ScaledConcave, start: Array, yy: float, most: int
) -> Array:
    """The coefficients that the descent leads to from `start`.

    Those reached where it ends early: after `most` steps, or where a convex problem takes another
    method than rounds.
    """
    w, pieces, convex = start, concave.pieces(start), concave.convex
    slopes, limit = convex.l1, SETTLED_ON_GRAM * convex.l1
    for _ in range(most):
        before, slopes = slopes, concave.slope(w)
        if not np.count_nonzero(np.abs(slopes - before) > limit):
            break
        found = solve_alone(gram, c, replace(convex, l1=slopes), w, yy, MOST_AT_ONE_ALPHA)
        if found is None or (convex.boxed and not np.array_equal(convex.clip(found.w), found.w)):
            break
        w, last, pieces = found.w, pieces, concave.pieces(found.w)
        if np.array_equal(last, pieces):
            w = ahead_on_pieces(gram, concave, w, slopes, pieces)
    return w


def ahead_on_pieces(
    gram: Array, concave: ScaledConcave, w: Array, slopes: Array, pieces: NDArray[np.intp]
) -> Array:
    """The minimum over the active coefficients as long as all stay on their pieces, from w.

    w itself, the solution for the slopes that are given, where there is no minimum.
    """
    index = w.nonzero()[0]
    part, size = concave.take(index), w[index]
    matrix = gram.take(index, 0).take(index, 1)
    matrix.ravel()[:: len(index) + 1] += part.curvature(size)
    # w is optimal for the slopes it has, and lacks nothing but what these are wrong by
    wrong = (slopes[index] - part.slope(size)) * np.sign(size)
    _, step, failed = dposv(matrix.T, wrong, lower=1)
    if failed:
        return w
    new = size + step
    changed = part.pieces(new) != pieces[index]
    if np.count_nonzero(changed):
        below, above = part.ends(size)
        grows = step * np.sign(size)
        room = np.where(grows > 0, above - np.abs(size), np.abs(size) - below)
        share = (1.0 + PAST_A_KNOT) * float(np.min(room[changed] / np.abs(grows[changed])))
        new = size + min(share, 1.0) * step
    ahead = np.zeros(len(w))
    ahead[index] = new
    return ahead
