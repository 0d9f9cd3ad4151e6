"""Coordinate descent on a working set, for more features than a Gram matrix should hold.

At each alpha: features that the strong rule keeps join the set, the problem restricted to the
set is solved, and one product with X finds the features that violate optimality by more than
rounding; the worst of them join, until none is left.
The set, its columns and its Gram matrix are kept from one alpha to the next.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..design import Array, Design, Index
from ..penalties import Penalty, ScaledPenalty
from .base import Settings, Solution, unit
from .coordinate_descent import (
    GRAM_LIMIT,
    GROWTH,
    ROUNDING,
    GramModel,
    Model,
    ResidualModel,
    descend,
)
from .optimality import degrees_of_freedom, relative_gap


class WorkingSet:
    """Features under consideration, with their columns and Gram matrix."""

    def __init__(self, design: Design, y: Array) -> None:
        self.design = design
        self.y = y
        self.index = np.empty(0, dtype=np.intp)
        self.inside = np.zeros(design.n_features, dtype=bool)
        self.part: Design | None = None
        self.gram: Array | None = None

    def grow(self, new: Index) -> None:
        """Add features; the Gram matrix is extended by one product."""
        if not len(new):
            return
        fresh = self.design.subset(new)
        self.index = np.concatenate([self.index, new])
        self.inside[new] = True
        if self.part is None:
            self.part = fresh
            self.gram = fresh.gram() if len(new) <= GRAM_LIMIT else None
            return
        if len(self.index) > GRAM_LIMIT:
            self.gram = None
        elif self.gram is not None:
            cross = self.part.cross_gram(fresh)
            self.gram = np.block([[self.gram, cross], [cross.T, fresh.gram()]])
        self.part = self.part.joined(fresh)

    def model(self, c: Array) -> Model:
        """The problem restricted to the set; c has the correlations of all features with y."""
        assert self.part is not None
        if self.gram is None:
            return ResidualModel(self.part, self.y)
        return GramModel(self.gram, c[self.index])

    def residual(self, w: Array) -> Array:
        """``y - Zw`` for w that is zero outside the set."""
        if self.part is None:
            return self.y
        return self.y - self.part.predict(w[self.index])


def excess(q: Array, penalty: ScaledPenalty, outside: np.ndarray, noise: Array) -> Array:
    """How far each zero feature outside the set violates optimality (zero or less: not at all)."""
    movable = np.where(q > 0, penalty.upper > 0, penalty.lower < 0)
    return np.where(outside & movable, np.abs(q) - penalty.l1 - noise, -np.inf)


def largest(score: Array, limit: int) -> Index:
    """Indices of the `limit` largest positive scores, in order of index."""
    index = np.flatnonzero(score > 0)
    if len(index) > limit:
        index = np.sort(index[np.argpartition(-score[index], limit)[:limit]])
    return index


def solve_on_working_set(
    design: Design,
    y: Array,
    penalty: Penalty,
    alphas: Array,
    start: Array,
    settings: Settings,
) -> Iterator[Solution]:
    """Same contract as every solver (`base.py`)."""
    c = design.correlate(y)
    yy, scale = float(design.norm2(y)), unit(y, design)
    noise = ROUNDING * np.sqrt(design.variances * yy)  # each feature has its own scale
    chosen = WorkingSet(design, y)
    chosen.grow(np.flatnonzero((start != 0) | penalty.free))
    w = np.where(chosen.inside, start, 0.0)
    q = design.correlate(chosen.residual(w))
    previous, rng = penalty.at(penalty.alpha_max(q)), settings.rng()
    for alpha in alphas:
        scaled = penalty.at(alpha)
        w = np.clip(w, scaled.lower, scaled.upper)
        # The strong rule: |q_j| is taken to move no faster than its threshold does.
        expected = np.abs(q) + np.maximum(previous.l1 - scaled.l1, 0.0)
        signed = np.where(q < 0, -expected, expected)
        room = max(GROWTH, len(chosen.index) // 2)
        chosen.grow(largest(excess(signed, scaled, ~chosen.inside, noise), room))
        n_iter = 0
        while True:
            if len(chosen.index):
                part = w[chosen.index]
                _, used = descend(
                    chosen.model(c),
                    part,
                    scaled.take(chosen.index),
                    yy,
                    max(1, settings.max_iter - n_iter),
                    rng,
                )
                w[chosen.index] = part
                n_iter += used
            residual = chosen.residual(w)
            q = design.correlate(residual)
            rss = float(design.norm2(residual))
            gap = relative_gap(w, q, rss, scaled, design, scale)
            violation = excess(q, scaled, ~chosen.inside, noise)
            missing = largest(violation, max(GROWTH, len(chosen.index)))
            if not len(missing) or n_iter >= settings.max_iter:
                break
            chosen.grow(missing)
        df = degrees_of_freedom(w, scaled, lambda index: design.subset(index).gram())
        yield Solution(w.copy(), gap, max(n_iter, 1), rss, df)
        previous = scaled
