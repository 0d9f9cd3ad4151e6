"""A working set: the features under consideration, with their columns and Gram matrix.

It grows by what is expected to matter and by what a full check finds to violate optimality; the
columns are gathered once, and the Gram matrix is extended by one product. A set too large for
its Gram matrix is worked on through the residual.
"""

from __future__ import annotations

import numpy as np

from ..design import Array, Design, Index
from ..penalties import ScaledPenalty
from .descent import GramModel, Model, coordinate_minimum
from .newton import DenseFace, ImplicitFace

# Largest Gram matrix kept: 4096 columns are 128 MiB.
GRAM_LIMIT = 4096
# A working set grows by at least this many features, or doubles.
GROWTH = 50


class WorkingSet:
    """Features under consideration, with their columns and Gram matrix."""

    def __init__(self, design: Design, y: Array) -> None:
        self.design = design
        self.y = y
        self.index = np.empty(0, dtype=np.intp)
        self.inside = np.zeros(design.n_features, dtype=bool)
        self.part: Design | None = None
        self.gram: Array | None = np.empty((0, 0))
        self._columns = np.empty((design.n_samples, 0), order="F")  # with room to spare

    def grow(self, new: Index) -> None:
        """Add features; the Gram matrix is extended by one product."""
        if not len(new):
            return
        fresh, old, known = self.design.subset(new), self.part, len(self.index)
        self.index = np.concatenate([self.index, new])
        self.inside[new] = True
        size = len(self.index)
        if size > GRAM_LIMIT:
            self.gram = None
        elif self.gram is not None:
            gram = np.empty((size, size))
            gram[known:, known:] = fresh.gram()
            if old is not None:
                gram[:known, :known] = self.gram
                gram[:known, known:] = old.cross_gram(fresh)
                gram[known:, :known] = gram[:known, known:].T
            self.gram = gram
        if old is None or self.design.sparse:
            self.part = fresh if old is None else old.joined(fresh)
            return
        if size > self._columns.shape[1]:
            columns = np.empty((self.design.n_samples, 2 * size), order="F")
            columns[:, :known] = old.X
            self._columns = columns
        self._columns[:, known:size] = fresh.X
        self.part = Design(self._columns[:, :size], self.design.omega)

    def room(self, share: float) -> int:
        """How many features may join at once: this share of the set, or a few."""
        return max(GROWTH, int(share * len(self.index)))

    def model(self, c: Array) -> Model:
        """The problem restricted to the set; c has the correlations of all features with y."""
        assert self.part is not None
        if self.gram is None:
            return ResidualModel(self.part, self.y)
        return GramModel(self.gram, c[self.index])

    def residual(self, w: Array) -> Array:
        """``y - Zw`` for w that is zero outside the set."""
        return self.residual_of(w[self.index])

    def residual_of(self, part: Array) -> Array:
        """The same for the coefficients of the set alone, (m,) or (m, k)."""
        if self.part is None:
            fitted = np.zeros((len(self.y), *part.shape[1:]))
        else:
            fitted = self.part.predict(part)
        return (self.y - fitted.T).T


class ResidualModel:
    """The smooth part through its residual, for more features than a Gram matrix can hold."""

    def __init__(self, design: Design, y: Array) -> None:
        self.design = design
        self.y = y
        self.curvature = design.variances

    def start(self, w: Array) -> Array:
        """Correlations at w, zero for constant columns."""
        q = self.design.correlate(self.y - self.design.predict(w))
        return np.where(self.curvature > 0, q, 0.0)

    def visit(self, w: Array, q: Array, order: Index, penalty: ScaledPenalty) -> None:
        """Minimise over each coordinate in turn, a block of gathered columns at a time."""
        weighted = (self.y - self.design.predict(w)) * self.design.omega
        step = max(1, (1 << 21) // self.design.n_samples)
        for first in range(0, len(order), step):
            block = order[first : first + step]
            columns = self.design.columns(block)
            for k, j in enumerate(block.tolist()):
                z, d = columns[:, k], self.curvature.item(j)
                now = w.item(j)
                new = coordinate_minimum(
                    float(z @ weighted) + d * now,
                    d,
                    *(float(a[j]) for a in (penalty.l1, penalty.l2, penalty.lower, penalty.upper)),
                )
                if new != now:
                    w[j] = new
                    weighted += (now - new) * z * self.design.omega
        q[:] = self.start(w)

    def face(self, index: Index, l2: Array) -> DenseFace | ImplicitFace:
        """The Hessian of some features."""
        part = self.design.subset(index)
        if len(index) <= GRAM_LIMIT:
            return DenseFace(part.gram(), l2[index])
        ridge = l2[index]
        return ImplicitFace(
            lambda v: part.correlate(part.predict(v)) + ridge * v, self.curvature[index] + ridge
        )

    def rss(self, w: Array, q: Array, yy: float) -> float:
        """Residual sum of squares."""
        return float(self.design.norm2(self.y - self.design.predict(w)))


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
