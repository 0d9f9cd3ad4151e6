"""The rounds of `newton.py` at one alpha.

With ten features a round is calls of NumPy and little else: here it makes thirty, on vectors and
matrices, in half the time that `newton.py` needs for one alpha of several.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg.lapack import dposv, dpotri

from ...data.design import Array, Index
from ...objective.group import row_lengths
from ..tolerances import CORRELATION_ROUNDING, KKT_TOLERANCE

# Lengths of correlations are their thresholds to this share, which bounds the gap likewise.
REACHED_LENGTH = 1e-13
# So many times features leave and come back in the minimum of a quadratic model; most take two.
MOST_CHANGES = 8
# Added to the diagonal of Newton's equations, as a share: features that are there twice make it
# singular, and any split of a length between them does.
REPEATED = 1e-11
# The same where that is not enough, as more features are in use than rows times targets.
UNDETERMINED = 1e-7
# A relative length of less than this over the feature's variance is none: it moves no correlation
# by more of its threshold.
NO_LENGTH = 1e-12
# After so many rounds without a smaller phi than ever before, nor conditions missed by this share
# of what they were, come some that make it smaller, by this share of what enters: one, then two,
# four and so on.
PHI_PATIENCE, NEARER, SHORTER = 3, 0.5, 0.25
MOST_CAREFUL = 64
# What phi falls by less than this share of its terms is rounding.
PHI_ROUNDING = 1e-13


class AloneRows(NamedTuple):
    """Coefficients, the correlations that they leave, rounds, and whether these ended."""

    W: Array
    Q: Array
    n_rounds: int
    solved: bool


def solve_rows_alone(
    gram: Array, C: Array, l1: Array, l2: Array | None, start: Array, square: float, most: int
) -> AloneRows:
    """The solution at one alpha; see `newton.solve`, whose first axis is not there."""
    p, n_targets = C.shape
    diagonal = gram.diagonal()
    noise = CORRELATION_ROUNDING * np.sqrt(square * diagonal)
    if l2 is not None:
        gram = gram.copy()
        gram.ravel()[:: p + 1] += l2
        diagonal = gram.diagonal()
    limit, near = (1.0 + KKT_TOLERANCE) * l1 + noise, REACHED_LENGTH * l1 + noise
    t = row_lengths(start) / l1
    safe, best, least, n_idle, n_rounds = t, np.inf, np.inf, 0, 0
    careful, span = 0, 1
    while True:
        n_rounds += 1
        used = t.nonzero()[0]
        m, Q, W = len(used), C, np.zeros((0, n_targets))
        if m:
            tu, rows, c = t, gram, C
            if m < p:
                tu, rows, c = t.take(used), gram.take(used, 0), C.take(used, 0)
            root = np.sqrt(tu)
            tall = root[:, None]
            B = (rows.take(used, 1) if m < p else rows) * root
            B *= tall
            B.ravel()[:: m + 1] += 1.0
            # in place, the factor in the lower triangle of the transposed matrix
            _, x, _ = dposv(B.T, c * tall, lower=1, overwrite_a=1)
            W = x * tall
            Q = C - rows.T.dot(W)
        norms = row_lengths(Q)
        past = norms > limit
        away = np.abs(norms - l1) > near
        wrong = np.where(t > 0, away, past)
        solved = not np.count_nonzero(wrong)
        if solved or n_rounds == most:
            coef = W
            if m < p:
                coef = np.zeros(C.shape)
                coef[used] = W
            return AloneRows(coef, Q, n_rounds, solved)
        new = t.copy()
        phi = size = 0.0
        if m:
            thresholds, along = float((l1 * l1).dot(t)), float(np.vdot(W, c))
            phi, size = 0.5 * (thresholds - along), 0.5 * (thresholds + along)
            lengths, lu, q = norms, l1, Q
            if m < p:
                lengths, lu, q = norms.take(used), l1.take(used), Q.take(used, 0)
            lengths = np.maximum(lengths, np.finfo(np.float64).tiny)
        if m and careful:
            new[used] = tu * lengths / lu
        elif m:
            dpotri(B.T, lower=1, overwrite_c=1)  # the upper triangle, which alone is read
            unit = q / lengths[:, None]
            own = 1.0 - B.ravel()[:: m + 1]
            A = unit.dot(unit.T)
            A *= B
            np.negative(A, out=A)
            A.ravel()[:: m + 1] = (1.0 + REPEATED) * own + REPEATED**2
            x = root * lengths * (lengths / lu - 1.0)
            new[used] = model_minimum(A, x, tu, root / lengths, -root * lengths)
        enters = past & (t == 0)
        if np.count_nonzero(enters):
            j = enters.nonzero()[0]
            new[j] = first_lengths(gram, Q.take(j, 0), norms.take(j), l1.take(j), j)
            if careful:
                new[j] *= SHORTER
        error = float(np.where(wrong, np.abs(norms / l1 - 1.0), 0.0).max())
        if phi < best - PHI_ROUNDING * size or error < NEARER * least:
            best, least, n_idle = min(phi, best), min(error, least), 0
            safe = np.where(t > 0, t * (norms / l1), SHORTER * new)
        elif not careful:
            n_idle += 1
        careful = max(careful - 1, 0)
        if n_idle > PHI_PATIENCE:
            new, n_idle, careful = safe, 0, span - 1
            span = min(2 * span, MOST_CAREFUL)
        t = np.where(new * diagonal < NO_LENGTH, 0.0, new)


def model_minimum(A: Array, rhs: Array, t: Array, unit: Array, zero: Array) -> Array:
    """The lengths ``t + x unit`` for which x minimises ``1/2 x'Ax - rhs'x``, none below zero.

    Of A the upper triangle is read; `zero` is the x that leaves no length. Features leave and come
    back, many at once, until the conditions of the minimum hold.
    """
    _, x, failed = dposv(A.T, rhs, lower=1)
    if failed:  # more features than the rows can tell apart
        A = A.copy()
        A.ravel()[:: len(A) + 1] *= 1.0 + UNDETERMINED
        x = dposv(A.T, rhs, lower=1)[1]
    found = t + x * unit
    gone = found < 0.0
    if not np.count_nonzero(gone):
        return np.asarray(found)
    whole = np.triu(A) + np.triu(A, 1).T
    for _ in range(MOST_CHANGES):
        x = np.where(gone, zero, 0.0)
        left, stays = rhs - whole.dot(x), (~gone).nonzero()[0]
        if len(stays):
            part = whole.take(stays, 0).take(stays, 1)
            x[stays] = dposv(part.T, left.take(stays), lower=1, overwrite_a=1)[1]
        found = t + x * unit
        changed = np.where(gone, rhs - whole.dot(x) > 0.0, found < 0.0)
        if not np.count_nonzero(changed):
            break
        gone ^= changed
    return np.where(gone, 0.0, np.maximum(found, 0.0))


def first_lengths(gram: Array, Q: Array, norms: Array, l1: Array, j: Index) -> Array:
    """Lengths of features that enter, by the best multiple of what each would have alone."""
    part = gram.take(j, 0).take(j, 1)
    curvature = part.diagonal()
    size = (norms - l1) / curvature
    rows = (size / norms)[:, None] * Q
    alone, along = float((size * size).dot(curvature)), float(np.vdot(rows, part.dot(rows)))
    return np.asarray(size * (alone / max(along, alone)) / l1)
