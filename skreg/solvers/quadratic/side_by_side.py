"""Newton's method on the active set at one alpha for all targets, side by side.

The rounds are those of `active_set.py`, on a Gram matrix that the targets share. A round is one
call of LAPACK and one product for all of them. Features that depend on others leave one by one.
Nothing is kept for another alpha, nor is anything done about rounds that do not end; such targets
are told, for the caller to solve in another way. A single target takes the rounds of `alone.py`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg.lapack import dposv

from ...data.design import Array, Index
from ...objective.penalties import Penalty, ScaledPenalty
from ..base import Mask
from ..tolerances import (
    CORRELATION_ROUNDING,
    DEPENDENT_IN_SUPPORT,
    KKT_TOLERANCE,
)

# Entries of the matrices that are solved at once: 16 MiB.
TOGETHER = 1 << 21
# Rounds, and rounds in a row without fewer violations than ever before; most targets take three.
MOST_AT_ONE_ALPHA, PATIENCE = 15, 2
# With so many features past their thresholds at zero, which of them are in the solution is guessed
# in so many steps: 0.1 ms at 100 features, instead of two or three Newton steps.
GUESSED_FROM = 40
GUESSES = 6


class Found(NamedTuple):
    """Coefficients, (n_targets, n_features), the rounds they took, and whether these ended."""

    W: Array
    n_rounds: Array
    solved: Mask


def serves(penalty: Penalty, alpha: float) -> bool:
    """Whether there is no other state than a sign.

    All bounds are zero or infinite, and those of features without an L1 part infinite: what is at
    zero without a threshold may be there because of its bound, or because nothing moves it.
    """
    least = penalty.least_bounded if penalty.boxed else np.inf
    return least == np.inf or alpha * penalty.l1_ratio * least > 0


def solve_side_by_side(
    gram: Array, C: Array, penalty: ScaledPenalty, start: Array, yy: Array, most: int
) -> Found:
    """The solutions for targets with correlations C and mean squares yy, from `start`.

    `C` and `start` have shape (n_targets, n_features); no target takes more than `most` rounds.
    """
    n_targets, n_features = C.shape
    step = max(1, TOGETHER // n_features**2)
    if n_targets <= step:
        return _Rounds(gram, penalty).solve(C, start, yy, most)
    parts = [slice(first, first + step) for first in range(0, n_targets, step)]
    rounds = _Rounds(gram, penalty)
    found = [rounds.solve(C[part], start[part], yy[part], most) for part in parts]
    return Found(*map(np.concatenate, zip(*found, strict=True)))


class _Rounds:
    """What the targets share: the penalty and the curvature."""

    def __init__(self, gram: Array, penalty: ScaledPenalty) -> None:
        self.gram, self.penalty, self.curvature = gram, penalty, gram.diagonal()
        usable = self.curvature > 0
        if penalty.boxed:
            usable &= penalty.upper > penalty.lower
            self.may_rise, self.may_fall = penalty.upper > 0, penalty.lower < 0
        self.usable = None if usable.all() else usable
        free = usable & (penalty.l1 == 0)
        self.free = free if np.count_nonzero(free) else None
        self.hessian = gram
        if penalty.has_l2:
            self.hessian = gram.copy()
            np.fill_diagonal(self.hessian, self.curvature + penalty.l2)

    def solve(self, C: Array, start: Array, yy: Array, most: int) -> Found:
        """See `solve_side_by_side`."""
        l1, n_targets = self.penalty.l1, len(C)
        noise = CORRELATION_ROUNDING * np.sqrt(yy[:, None] * self.curvature)
        threshold = noise + (1.0 + KKT_TOLERANCE) * l1
        if self.usable is not None:
            C, start = np.where(self.usable, C, 0.0), np.where(self.usable, start, 0.0)
            threshold = np.where(self.usable, threshold, np.inf)
        if self.penalty.boxed:  # a sign that no coefficient may have would stay
            start = self.penalty.clip(start)
        sign = np.sign(start) if np.count_nonzero(start) else self._first_signs(C, threshold)
        found = None
        for n_rounds in range(1, most + 1):
            active = sign != 0
            if self.free is not None:
                active |= self.free
                sign = np.where(self.free, 0.0, sign)
            w, dependent = solve_systems(self.hessian, active, C - l1 * sign)
            q = C - w.dot(self.gram)
            leave = w * sign < 0
            enter = self._violating(q, threshold) & ~active
            if len(dependent[0]):  # of features that depend on each other one leaves at a time
                leave[dependent[0]], enter[dependent[0]] = False, False
                leave[dependent] = True
            n_wrong = (leave | enter).sum(axis=1)
            if found is None:
                if not np.count_nonzero(n_wrong):
                    return Found(w, np.full(n_targets, n_rounds), np.ones(n_targets, bool))
                found = Found(np.zeros_like(w), np.zeros(n_targets, int), np.zeros(n_targets, bool))
                left, fewest = np.arange(n_targets), np.full(n_targets, len(l1) + 1)
                idle = np.zeros(n_targets, int)
            ended = n_wrong == 0
            if np.count_nonzero(ended):
                ends = left[ended]
                found.W[ends], found.n_rounds[ends], found.solved[ends] = w[ended], n_rounds, True
            n_wrong[dependent[0]] = fewest[dependent[0]] - 1  # which says nothing of the others
            idle = np.where(n_wrong < fewest, 0, idle + 1)
            on = ~ended & (idle < PATIENCE)
            if not np.count_nonzero(on):
                break
            sign = np.where(leave, 0.0, np.where(enter, np.sign(q), sign))
            fewest = np.minimum(fewest, n_wrong)
            if np.count_nonzero(on) < len(on):
                left, C, sign, threshold = left[on], C[on], sign[on], threshold[on]
                fewest, idle = fewest[on], idle[on]
        assert found is not None
        return found

    def _violating(self, q: Array, threshold: Array) -> Mask:
        """Zeros that violate their KKT conditions, among others that are none."""
        found: Mask = np.abs(q) > threshold
        if self.penalty.boxed:
            found &= np.where(q > 0, self.may_rise, self.may_fall)
        return found

    def _first_signs(self, C: Array, threshold: Array) -> Array:
        """Signs to begin with, from correlations alone."""
        found = self._violating(C, threshold)
        if int(found.sum(axis=1).max()) >= GUESSED_FROM:
            return np.sign(guess(self.gram, C, self.penalty))
        return np.sign(C) * found


def solve_systems(hessian: Array, active: Mask, rhs: Array) -> tuple[Array, tuple[Index, Index]]:
    """Coefficients of the active sets, one a target, zeros elsewhere; and who depends on others.

    The second are targets, and a feature of each that nearly depends on others of its active set.
    Systems are filled up to one size by the identity.
    """
    n_active = active.sum(axis=1)
    size = int(n_active.max())
    order = np.argsort(~active, axis=1, kind="stable")[:, :size]
    matrices = hessian[order[:, :, None], order[:, None, :]]
    rows = np.arange(len(active))[:, None]
    rhs, x = rhs[rows, order], np.zeros(active.shape)
    none = np.empty(0, dtype=np.intp)
    if not size:
        return x, (none, none)
    diagonals = np.einsum("tii->ti", matrices)
    if int(n_active.min()) < size:
        filled = np.arange(size) >= n_active[:, None]
        matrices[filled] = 0.0
        matrices.swapaxes(1, 2)[filled] = 0.0
        diagonals[filled], rhs[filled] = 1.0, 0.0
    least = DEPENDENT_IN_SUPPORT * diagonals
    for k, (matrix, b) in enumerate(zip(matrices, rhs, strict=True)):
        # in place, the factor in the lower triangle of the transposed matrix
        _, _, info = dposv(matrix.T, b, lower=1, overwrite_a=1, overwrite_b=1)
        if info:
            diagonals[k], rhs[k] = np.inf, 0.0
            diagonals[k, info - 1] = 0.0
    x[rows, order] = rhs
    small = diagonals * diagonals <= least
    if not np.count_nonzero(small):
        return x, (none, none)
    targets = small.any(axis=1).nonzero()[0]
    return x, (targets, order[targets, small[targets].argmax(axis=1)])


def guess(gram: Array, C: Array, penalty: ScaledPenalty) -> Array:
    """Coefficients with nearly the supports of the solutions, by a few cheap steps from zero.

    Proximal gradient steps in the metric of the diagonal, as long as the curvature along the step
    before allows (Wright, Nowak and Figueiredo, IEEE Trans. Signal Process. 57(7), 2009).
    """
    d = gram.diagonal()
    W, Q = np.zeros_like(C), C
    move = np.divide(C, d, out=np.zeros_like(C), where=d > 0)
    bent = move.dot(gram)
    for _ in range(GUESSES):
        size, along = (move * move).dot(d), (move * bent).sum(axis=1)
        ahead = (size > 0) & (along > 0)
        if not np.count_nonzero(ahead):
            break
        share = np.divide(along, size, out=np.ones_like(size), where=ahead)
        curvature = share[:, None] * d
        new = penalty.prox(Q + curvature * W, curvature)
        move, W = new - W, new
        bent = move.dot(gram)
        Q = Q - bent
    return W
