"""What some alphas do to the directions of a decomposition, laid out for leave-one-out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...caching import cached_property
from ...data.design import Array

# Beyond so many targets rows are shrunk, for each alpha, and not what they are multiplied by, which
# is then far larger than a cache and is read anew for every few rows.
MANY_TARGETS = 150


@dataclass(frozen=True, eq=False)
class Shrinkage:
    """What leave-one-out needs of some alphas: shrinkage, and its products with ``U^T y``.

    Attributes
    ----------
    alphas : ndarray of shape (n_alphas,)
    shrink, shrink_by_alpha : ndarray of shape (rank, n_alphas)
        The second is multiplied by alpha.
    c : ndarray of shape (rank, n_targets)
    reached : ndarray of bool, shape (rank,)
        Directions that some alpha shrinks.
    """

    alphas: Array
    shrink: Array
    shrink_by_alpha: Array
    c: Array
    reached: NDArray[np.bool_]

    @classmethod
    def build(cls, shrink: Array, alphas: Array, c: Array) -> Shrinkage:
        """From the shrinkage, shape (rank, n_alphas), and c."""
        return cls(alphas, shrink, shrink * alphas, c, np.asarray(shrink.any(axis=1)))

    @cached_property
    def _spread(self) -> Array:
        spread = self.shrink[:, :, None] * self.c[:, None, :]  # targets last: often they are more
        return spread.reshape(len(self.c), len(self.alphas) * self.c.shape[1])  # of no row as well

    @cached_property
    def _spread_by_alpha(self) -> Array:
        return self._spread * np.repeat(self.alphas, self.c.shape[1])

    def times_spread(self, left: Array, by_alpha: bool) -> Array:
        """Rows of U times the shrunk ``U^T y``, shape (n_rows, n_alphas, n_targets)."""
        shape = len(left), len(self.alphas), self.c.shape[1]
        if shape[2] <= MANY_TARGETS:
            return (left @ (self._spread_by_alpha if by_alpha else self._spread)).reshape(shape)
        shrink = self.shrink_by_alpha if by_alpha else self.shrink
        rows = left[:, None, :] * shrink.T
        return (rows.reshape(-1, len(self.c)) @ self.c).reshape(shape)
