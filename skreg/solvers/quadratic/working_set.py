"""A working set: the features under consideration, with their columns and Gram matrix.

It grows by what is expected to matter and by what a full check finds to violate optimality; the
columns are gathered once, and the Gram matrix is extended by one product. A set too large for
its Gram matrix is left to `large_support.py`.
"""

from __future__ import annotations

import numpy as np

from ...data.design import Array, Design, Index

# Largest Gram matrix kept: 4096 columns are 128 MiB.
GRAM_LIMIT = 4096


class WorkingSet:
    """Features under consideration, with their columns and Gram matrix."""

    def __init__(self, design: Design, y: Array) -> None:
        self.design = design
        self.y = y
        self.index = np.empty(0, dtype=np.intp)
        self.inside = np.zeros(design.n_features, dtype=bool)
        self.part: Design | None = None
        self.gram: Array | None = np.empty((0, 0))

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
        self.part = fresh if old is None else old.joined(fresh)

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
