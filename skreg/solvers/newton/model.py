"""Newton's model of the loss on some features, with a curvature that is kept from step to step.

Around a linear predictor eta with residuals r, and with curvatures h that may be those of an
earlier eta, the mean loss is replaced by

    - Omega r' d + 1/2 d' Omega H d,            d = eta+ - eta = (b+ - b) + Z (w+ - w).

With an intercept b is eliminated: with D = sum of omega h and m the means of the columns under
these weights, ``b+ = b + <r>/D - m (w+ - w)``, and the rest is a quadratic problem with the matrix
``G = D`` times the covariance of the columns, and the correlations ``Z'Omega r - <r> m``. Then
``u = r - h d`` has the mean zero and, at the minimum, the correlations that optimality asks for: it
is a dual point that costs no product with X.
"""

from __future__ import annotations

import numpy as np

from ...data.design import BLOCK_ENTRIES, Array, Design
from .minima import SideBySide

# Of G, the sum of squares less that of the means; above this ratio the columns are centred first.
CENTRED_FIRST = 1e2


class CurvedModel:
    """The Gram matrix of some features under frozen curvatures.

    Parameters
    ----------
    part : Design
        The features, centred and scaled by the weights of the rows.
    h : ndarray of shape (n_samples,)
        Curvatures, above zero.
    has_intercept : bool

    Attributes
    ----------
    gram : ndarray of shape (m, m)
    means : ndarray of shape (m,)
        Means of the columns under the curvatures; zeros without an intercept.
    """

    def __init__(self, part: Design, h: Array, has_intercept: bool) -> None:
        self.h, self.has_intercept = h, has_intercept
        self.omega, self.weight = part.omega, part.omega * h
        self.total = float(self.weight.sum())
        self._solver: SideBySide | None = None
        self._curved: Design | None = None
        self.means = np.zeros(part.n_features)
        if part.plain is not None:
            if has_intercept:
                self.means = self.weight.dot(part.plain) / self.total
            self.gram = weighted_gram(part.plain, self.weight)
            if self._centred(0):
                return
        self._centre_first(part)

    def _centred(self, known: int) -> bool:
        """Centre the Gram matrix but for the first features; False where digits are lost."""
        if not self.has_intercept:
            return True
        means = self.means
        self.gram[known:] -= np.multiply.outer(self.total * means[known:], means)
        self.gram[:known, known:] = self.gram[known:, :known].T
        squares = self.total * means[known:] ** 2
        return bool(np.all(squares <= CENTRED_FIRST * self.gram.diagonal()[known:]))

    def _centre_first(self, part: Design) -> None:
        """Make the Gram matrix of columns that are centred by the curvatures."""
        self._curved = part.curved(self.weight, center=self.has_intercept)
        if self.has_intercept:
            every = slice(None)
            self.means = self._curved.offsets(every) - part.offsets(every)
        self.gram = self.total * self._curved.gram()

    @property
    def side_by_side(self) -> SideBySide:
        """For minima on the Gram matrix as it is."""
        if self._solver is None or self._solver.gram is not self.gram:
            self._solver = SideBySide(self.gram)
        return self._solver

    def extend(self, whole: Design, new: Design) -> None:
        """Add the features `new`, which are the last of the `whole`."""
        known, before, size = len(self.gram), self._curved, whole.n_features
        gram = np.empty((size, size))
        gram[:known, :known] = self.gram
        if before is None and whole.plain is not None and new.plain is not None:
            weighted = new.plain * self.weight[:, None]
            if self.has_intercept:
                self.means = np.concatenate([self.means, weighted.sum(axis=0) / self.total])
            else:
                self.means = np.zeros(size)
            gram[known:] = weighted.T @ whole.plain
            gram[:known, known:] = gram[known:, :known].T
            self.gram = gram
            if not self._centred(known):
                self._centre_first(whole)
            return
        assert before is not None
        fresh = new.curved(self.weight, center=self.has_intercept)
        gram[known:, known:] = self.total * fresh.gram()
        gram[:known, known:] = self.total * before.cross_gram(fresh)
        gram[known:, :known] = gram[:known, known:].T
        self._curved = whole.curved(self.weight, center=self.has_intercept)
        self.means = np.zeros(size)
        if self.has_intercept:
            self.means = self._curved.offsets(slice(None)) - whole.offsets(slice(None))
        self.gram = gram

    def correlations(self, part: Design, w: Array, r: Array, mean: float) -> tuple[Array, float]:
        """The linear term at w where the residuals are r, of this mean; and the target's square."""
        along = part.correlate(r) - mean * self.means
        bent = self.gram @ w
        square = float(w @ bent) + 2.0 * float(w @ along) + float(part.omega @ (r * r / self.h))
        if self.has_intercept:
            square -= mean * mean / self.total
        return along + bent, square

    def intercept_change(self, change: Array, mean: float) -> float:
        """How the intercept follows a change of the coefficients."""
        return mean / self.total - float(self.means @ change) if self.has_intercept else 0.0


def weighted_gram(Z: Array, weight: Array) -> Array:
    """``Z' diag(weight) Z``, by blocks of rows that stay in the cache."""
    root, gram = np.sqrt(weight), np.zeros((Z.shape[1], Z.shape[1]))
    step = max(1, BLOCK_ENTRIES // 4 // max(1, Z.shape[1]))
    for begin in range(0, len(Z), step):
        rows = slice(begin, begin + step)
        block = Z[rows] * root[rows, None]
        gram += block.T @ block
    return gram
