"""Fits of a smooth loss without a penalty on the supports of a path, batches of them at a time.

A batch starts from the last solution before it, and shares one curvature, scaled as in
`curvatures.py`. So the first step of each of its supports is that of Newton's method, from one
Gram matrix, and the errors of those that follow fall by a constant factor, which is small as far
as solutions of neighbours are near. A sweep is a pass over the rows (`passes.py`) and the minima of
the models on all supports (`quadratic/supports.py`).

A support that a batch does not solve is taken by itself, with a new curvature in every sweep.
There is no line search: supports that this does not solve, such as those on which classes can be
separated, are told from the others.
"""

from __future__ import annotations

from itertools import repeat
from typing import NamedTuple

import numpy as np

from ...data.design import Array, Index
from ..base import AIM, Bound, Mask, Settings, Solution
from ..quadratic.supports import OnSupports
from ..tolerances import KKT_ROUNDING
from .batched_newton import ENTRIES_OF_A_BATCH, FIRST_BATCH, LONGEST_BATCH
from .curvatures import Frozen
from .passes import Passes
from .prox_newton import EXACT_STEP, USUAL_AIM, Point
from .rows import TargetLoss

# Sweeps of one batch.
SWEEPS_OF_REFITS = 12
# Errors fall to this share or less with a sweep, or the curvature is renewed.
SLOW = 0.3
# The next batch is twice as long after so many sweeps or fewer.
FEW_SWEEPS_OF_REFITS = 6
# So many supports in a row that are not solved by themselves: the rest are taken to be no better.
MOST_FAILURES = 2


def in_batches(bound: Bound) -> bool:
    """Whether batches solve this problem."""
    smooth = bound.loss.gap_from_curvature and not bound.penalty.has_bounds
    return smooth and not bound.design.sparse and bound.target.raw.shape[1] == 1


def refits_on(bound: Bound, supports: Mask, settings: Settings) -> list[Solution | None]:
    """The fits on each support, (n_sets, n_features), None where it is not solved."""
    return _Refits(bound, settings).run(supports)


class _Solved(NamedTuple):
    w: Array
    b: float
    eta: Array
    gap: float
    n_sweeps: int


class _Refits:
    """One fit after another; `point` is the last."""

    def __init__(self, bound: Bound, settings: Settings) -> None:
        self.design, self.rows = bound.design, TargetLoss(bound)
        self.aim = max(AIM, min(USUAL_AIM, settings.tol))
        self.least_error = self.aim if self.aim == USUAL_AIM else EXACT_STEP
        zeros, rows = np.zeros(bound.design.n_features), self.rows
        self.point = Point(zeros, rows.intercept, rows.eta)
        self.noise = KKT_ROUNDING * np.sqrt(bound.design.variances * rows.square)

    def run(self, supports: Mask) -> list[Solution | None]:
        found: list[Solution | None] = []
        length, failures = FIRST_BATCH, 0
        most = max(1, min(LONGEST_BATCH, ENTRIES_OF_A_BATCH // self.design.n_samples))
        while len(found) < len(supports) and failures < MOST_FAILURES:
            length = min(length, most)
            solved, n_sweeps = self._batch(supports[len(found) : len(found) + length])
            if not solved and length > 1:
                length = 1
                continue
            failures = 0 if solved else failures + 1
            if len(solved) == length and n_sweeps <= FEW_SWEEPS_OF_REFITS:
                length *= 2
            elif len(solved) < length:
                length = max(1, len(solved))
            if solved:
                found += solved
            else:
                found.append(None)
        found += repeat(None, len(supports) - len(found))
        return found

    @np.errstate(over="ignore", invalid="ignore", divide="ignore")
    def _batch(self, supports: Mask) -> tuple[list[Solution], int]:
        """The fits up to the first that is not solved, and the sweeps that they took."""
        rows, point, k = self.rows, self.point, len(supports)
        index = np.flatnonzero(supports.any(axis=0) | (point.w != 0))
        S, part, noise = supports[:, index], self.design.subset(index), self.noise[index]
        passes, source = Passes(rows, part, whole=True), Frozen(rows, part, None)
        W, b = np.repeat(point.w[None, index], k, axis=0), np.full(k, point.b)
        eta, solved = np.repeat(point.eta[None], k, axis=0), dict[int, _Solved]()
        on_supports: OnSupports | None = None
        left, last, end, age = np.arange(k), np.full(k, np.inf), k, 0
        for n_sweeps in range(1, SWEEPS_OF_REFITS + 1):
            sums = passes.evaluate(eta, source)
            curved = source.at(sums)
            G, Q, rise = curved.solver.gram, sums.Q, np.zeros(len(left))
            if rows.has_intercept:
                Q = Q - sums.mean[:, None] * curved.means
            C = Q / curved.scale + W @ G
            if on_supports is None:
                kept, on_supports = left, OnSupports(G, S[left])
            every = np.zeros((len(kept), len(index)))
            among = np.searchsorted(kept, left)
            every[among] = C
            new = on_supports.solve(every)[among]
            if rows.has_intercept:
                rise = sums.mean / curved.total - ((new - W) * curved.means).sum(axis=1)
            moved = passes.step(sums, curved, new - W, rise)
            errors = moved.gaps / rows.unit
            away = np.abs(C - new @ G) * curved.scale > noise
            errors[(S[left] & away).any(axis=1)] = np.inf
            W, b, eta, age = new, b + rise, moved.eta, age + 1
            small = errors <= self.least_error
            for i in np.flatnonzero(small):
                one = _Solved(W[i], float(b[i]), eta[i], float(errors[i]), n_sweeps)
                solved[int(left[i])] = one
            slow = ~small & ~(errors <= SLOW * last)
            renews = k == 1 or (bool(slow.any()) and age > 1)
            if slow.any() and not renews:
                end = int(left[slow.argmax()])
            go = ~small & (left < end)
            left = left[go]
            if not len(left):
                break
            W, b, eta, last = W[go], b[go], eta[go], errors[go]
            if renews:
                source.renew()
                on_supports, age = None, 0
        n_done = int(left[0]) if len(left) else end
        return self._solutions(index, [solved[i] for i in range(n_done)]), n_sweeps

    def _solutions(self, index: Index, solved: list[_Solved]) -> list[Solution]:
        """What a batch found; the next one starts from the last."""
        design, rows, found = self.design, self.rows, list[Solution]()
        for part, b, eta, gap, n_sweeps in solved:
            w = np.zeros(design.n_features)
            w[index] = part
            deviance = max(2.0 * (rows.value(eta) - rows.saturated), 0.0)
            intercept = float(design.intercept(design.to_raw(w), b))
            df = float(np.count_nonzero(w))
            found.append(Solution(w, gap, n_sweeps, deviance, df, intercept))
            self.point = Point(w, b, eta)
        return found
