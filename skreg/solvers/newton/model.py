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

from ...data.design import Array, Design


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
        self.weight = part.omega * h
        self.total = float(self.weight.sum())
        self._take(part)
        self.gram = self.total * self._curved.gram()

    def _take(self, part: Design) -> None:
        """Centre the columns by the curvatures."""
        self._curved = part.curved(self.weight, center=self.has_intercept)
        self.means = np.zeros(part.n_features)
        if self.has_intercept:
            every = slice(None)
            self.means = self._curved.offsets(every) - part.offsets(every)

    def extend(self, whole: Design, new: Design) -> None:
        """Add the features `new`, which are the last of the `whole`."""
        known, before, size = len(self.gram), self._curved, whole.n_features
        fresh = new.curved(self.weight, center=self.has_intercept)
        gram = np.empty((size, size))
        gram[:known, :known] = self.gram
        gram[known:, known:] = self.total * fresh.gram()
        gram[:known, known:] = self.total * before.cross_gram(fresh)
        gram[known:, :known] = gram[:known, known:].T
        self._take(whole)
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
