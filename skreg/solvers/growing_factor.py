"""A Cholesky factor that is kept while a support changes by a few features at a time.

The factor is of G_SS for slots S, in order of entry. Features that join append rows to it, one
triangular solve. Features that leave stay in it, dead: with E the columns of the identity that
belong to them, the solution on the others is ``z - Y (Y_dead)^-1 z_dead`` for ``z = G_SS^-1 b``
and ``Y = G_SS^-1 E``, which keeps the dead at zero. When too many are dead the factor is made anew.

Cost: |S|^2 for each feature that joins, each dead one and each solve, instead of |S|^3 / 3.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg.lapack import dpotrf, dtrtrs

from ..design import Array, Index

# The factor is made anew when more than so many, and a share of 1 in so many, are dead.
FEW, SHARE = 8, 20


class GrowingFactor:
    """Solves ``G_AA x = b`` for one support A after another.

    Parameters
    ----------
    dependent : float
        A squared pivot below this share of a feature's diagonal: it depends on those before it.
    """

    def __init__(self, dependent: float) -> None:
        self.dependent = dependent
        self.slots = np.empty(0, dtype=np.intp)
        self.L = np.empty((0, 0), order="F")

    def solve(self, gram: Array, active: Index, b: Array) -> Array | None:
        """The solution, or None where the features of A depend on each other."""
        place = self._places(len(gram), active)
        new = active[place < 0]
        n_dead = len(self.slots) + len(new) - len(active)
        if n_dead > FEW + len(active) // SHARE:
            self.slots, new = self.slots[:0], active
        if len(new):
            if not self._append(gram, new):
                self.slots = self.slots[:0]
                return None
            place = self._places(len(gram), active)
        rhs = np.zeros(len(self.slots))
        rhs[place] = b
        x = self._solve(rhs)
        dead = np.delete(np.arange(len(self.slots)), place)
        if len(dead):
            columns = np.zeros((len(self.slots), len(dead)), order="F")
            columns[dead, np.arange(len(dead))] = 1.0
            responses = self._solve(columns)
            try:
                x -= responses @ np.linalg.solve(responses[dead], x[dead])
            except np.linalg.LinAlgError:
                return None
        return np.asarray(x[place])

    def _places(self, n_features: int, active: Index) -> Index:
        """Slots of the active features, -1 where they have none."""
        where = np.full(n_features, -1)
        where[self.slots] = np.arange(len(self.slots))
        return where[active]

    def _append(self, gram: Array, new: Index) -> bool:
        """Rows for new features; False where one depends on those before it."""
        n, size = len(self.slots), len(self.slots) + len(new)
        if size > len(self.L):
            larger = np.zeros((size + size // 2, size + size // 2), order="F")
            larger[:n, :n] = self.L[:n, :n]
            self.L = larger
        rest = np.asfortranarray(gram[np.ix_(new, new)])
        least = self.dependent * rest.diagonal()
        if n:
            beside = dtrtrs(self.L[:, :n], gram[np.ix_(self.slots, new)], lower=1)[0]
            rest -= beside.T @ beside
            self.L[n:size, :n] = beside.T
        corner, info = dpotrf(rest, lower=1, overwrite_a=1)
        if info or np.any(corner.diagonal() ** 2 <= least):
            return False
        self.L[n:size, n:size] = corner
        self.slots = np.concatenate([self.slots, new])
        return True

    def _solve(self, b: Array) -> Array:
        """``G_SS^-1 b`` by two triangular solves on the buffer as it is, without a copy."""
        L = self.L[:, : len(self.slots)]
        half = dtrtrs(L, b, lower=1)[0]
        return np.asarray(dtrtrs(L, half, lower=1, trans=1)[0])
