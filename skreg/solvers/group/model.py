"""What a minimum over some features is: a Gram matrix of those that are penalised.

Features without a penalty are eliminated: what is left of the others is what least squares on the
free ones leaves of their columns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...data.design import Array, Index
from ...objective.group import GroupPenalty
from ..base import Mask
from ..optimality import pseudo_solve
from .newton import GroupRows

Kernel = Callable[..., GroupRows]


@dataclass(frozen=True, eq=False)
class GroupModel:
    """The problem on some features.

    Attributes
    ----------
    gram, C : ndarray of shape (m, m) and (m, n_targets)
        Of the penalised features, less what the free ones explain.
    penalised, free : ndarray of int
        Where these are among the features.
    shape : GroupPenalty
        Of the penalised ones.
    whole : tuple of ndarray
        Gram matrix and correlations of all the features.
    """

    gram: Array
    C: Array
    penalised: Index
    free: Index
    shape: GroupPenalty
    whole: tuple[Array, Array]

    @classmethod
    def of(cls, gram: Array, C: Array, usable: Mask, shape: GroupPenalty) -> GroupModel:
        """On features of which only the usable ones may have coefficients."""
        is_free = shape.factors == 0
        free, rest = np.flatnonzero(usable & is_free), np.flatnonzero(usable & ~is_free)
        if len(rest) == len(C):
            return cls(gram, C, rest, free, shape, (gram, C))
        part, c = gram[np.ix_(rest, rest)], C[rest]
        if len(free):
            cross = gram[np.ix_(free, rest)]
            known = pseudo_solve(gram[np.ix_(free, free)], np.hstack([cross, C[free]]))
            part = part - cross.T @ known[:, : len(rest)]
            c = c - cross.T @ known[:, len(rest) :]
        return cls(part, c, rest, free, shape.take(rest), (gram, C))

    def solve(
        self, kernel: Kernel, alphas: Array, start: Array, square: float, most: int
    ) -> GroupRows:
        """The solutions at some alphas, with the coefficients and correlations of all features."""
        scaled, whole = self.shape.at_each(alphas), len(self.penalised) == start.shape[1]
        l2 = scaled.l2 if self.shape.l1_ratio < 1.0 else None
        known = self.gram, self.C, scaled.l1, l2
        found = kernel(*known, start if whole else start[:, self.penalised], square, most)
        if whole and l2 is None:
            return found
        gram, C = self.whole
        W = found.W
        if not whole:
            W = np.zeros(start.shape)
            W[:, self.penalised] = found.W
            if len(self.free):
                cross = gram[np.ix_(self.free, self.penalised)]
                left = (C[self.free] - cross @ found.W).transpose(1, 0, 2)
                flat = left.reshape(len(self.free), -1)
                least = pseudo_solve(gram[np.ix_(self.free, self.free)], flat)
                W[:, self.free] = least.reshape(left.shape).transpose(1, 0, 2)
        return GroupRows(W, C - gram @ W, found.n_rounds, found.solved)
