"""Newton's model of the multinomial loss on some pairs of a feature and a class.

Around linear predictors with probabilities p the Hessian of a row's loss is ``diag(p) - p p'``.
With A the columns ``p_k z_j``, one a pair (j, k), the Hessian in the coefficients is

    blockdiag_k(Z' Omega diag(p_k) Z) - A' Omega A,

of which only the second part couples classes. The intercepts are eliminated: with L the same matrix
for them, whose null space are the constants, and B that between them and the coefficients,

    G = H - B' L^+ B,       b+ = b + L^+ (<y - p> - B (w+ - w)).

The curvature may be that of other probabilities than the residuals y - p at the present point. The
step d of the linear predictors then gives the shares ``s = p + p0 (d - <p0, d>)``, whose y - s has
the mean zero and, at the minimum, the correlations that optimality asks for: a dual point that
costs no product with X.

A constant that is added to the coefficients of a feature in all classes changes nothing, so that H
is singular. A squared penalty alone makes their sum zero, and a multiple of its square is added,
which changes nothing either. Else the diagonal is raised a little around the present coefficients.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ...data.design import BLOCK_ENTRIES, Array, Design, Index
from .class_loss import ClassLoss, root_of_inverse

# By this share the diagonal is raised, so that what is equal but for rounding is told apart; what
# the steps converge to stays the same.
RAISED = 1e-9
# A diagonal below this share of its first part is the rounding of a difference.
ROUNDING_OF_DIFFERENCE = 1e-15
# Probabilities below this count as no less in the size of the model's target.
LEAST_PROBABILITY = 1e-8
# A curvature below this is none: its class has vanished.
NONE_LEFT = 1e-200


class ClassModel:
    """The Gram matrix of some pairs under frozen probabilities.

    Parameters
    ----------
    rows : ClassLoss
    p : ndarray of shape (n_samples, n_classes)
    part : Design
        The features of the pairs.
    place, kind : ndarray of int, shape (m,)
        The feature of each pair, as a column of `part`, and its class. Classes are in order.
    smooth : bool
        Whether all features of `part` are there in all classes, with a squared penalty alone.

    Attributes
    ----------
    gram : ndarray of shape (m, m)
    raised : ndarray of shape (m,)
        What the diagonal was raised by, unless `smooth`.
    """

    raised: Array

    def __init__(
        self, rows: ClassLoss, p: Array, part: Design, place: Index, kind: Index, smooth: bool
    ) -> None:
        self.rows, self.p = rows, p
        m, gram = len(place), np.zeros((len(place), len(place)))
        coupled, second = np.zeros((rows.n_classes, m)), np.zeros(m)
        ends = np.searchsorted(kind, np.arange(rows.n_classes + 1))
        of_class = [slice(*pair) for pair in pairwise(ends)]
        step = max(1, BLOCK_ENTRIES // max(m, 1))
        for block, Z in part.row_blocks(np.arange(part.n_features), step):
            root = np.sqrt(rows.omega[block])
            Z *= root[:, None]
            A = np.empty((len(Z), m), order="F")
            for k, pairs in enumerate(of_class):
                if pairs.start < pairs.stop:
                    columns = Z if smooth else Z[:, place[pairs]]
                    np.multiply(columns, p[block, k, None], out=A[:, pairs])
                    gram[pairs, pairs] += columns.T @ A[:, pairs]
                    coupled[k, pairs] += root @ A[:, pairs]
            product = A.T @ A
            second += product.diagonal()
            gram -= product
            coupled -= (root[:, None] * p[block]).T @ A
        first = gram.diagonal() + second
        self.root = np.zeros((rows.n_classes, 0))
        if rows.has_intercept:
            self.root = root_of_inverse(rows.curvature(p))
        self.within = self.root.T @ coupled
        gram -= self.within.T @ self.within
        self.gram, self.smooth = gram, smooth
        gone = gram.diagonal() <= np.maximum(NONE_LEFT, ROUNDING_OF_DIFFERENCE * first)
        gram[gone] = gram[:, gone] = 0.0
        if smooth:
            self._add_sums(1.0)
        else:
            self.raised = RAISED * gram.diagonal()
            gram[np.diag_indices(m)] += self.raised

    def _add_sums(self, times: float) -> None:
        """Add a multiple of the square of each feature's sum over the classes."""
        n_classes = self.rows.n_classes
        by_class = self.gram.reshape(2 * (n_classes, len(self.gram) // n_classes))
        if times > 0:
            self.unit = np.einsum("kjkj->j", by_class) / n_classes
        sums = np.einsum("kjlj->klj", by_class)  # a view
        sums += times * self.unit

    @property
    def hessian(self) -> Array:
        """The Gram matrix without what was added to it."""
        if not self.smooth:
            return self.gram
        self._add_sums(-1.0)
        found = self.gram.copy()
        self._add_sums(1.0)
        return found

    def linear(self, w: Array, along: Array, r: Array) -> Array:
        """The linear term at w, where residuals y - p are r and `along` their correlations."""
        return along + self.gram @ w - (self.root.T @ self.rows.mean(r)) @ self.within

    def square(self, w: Array, along: Array, r: Array) -> float:
        """The square of the model's target there."""
        of_rows = self.rows.mean(r * r / np.maximum(self.p, LEAST_PROBABILITY)).sum()
        return max(float(w @ (self.gram @ w)) + 2.0 * float(w @ along) + float(of_rows), 0.0)

    def intercept_change(self, change: Array, r: Array) -> Array:
        """How the intercepts follow a change of the coefficients."""
        return np.asarray(self.root @ (self.root.T @ self.rows.mean(r) - self.within @ change))

    def bend(self, d: Array) -> Array:
        """How the model's probabilities change with a step of the linear predictors."""
        return self.p * (d - np.einsum("ij,ij->i", self.p, d)[:, None])
