"""The minima of models of the multinomial loss at several alphas, side by side.

Pairs of a feature and a class take the place of features. A model does not see a constant that is
added to a feature's coefficients in all classes, but for a small part of the diagonal: see
`quadratic/class_rounds.py`, whose rule for features of which all classes are active holds here too.

On one Gram matrix, and without an L2 part, one Cholesky factor serves many supports: that of one in
the middle, B. A support that differs from it in the pairs J has, with L the factor,

    V = L^-1 [G_BE, I_D],    S = G_EE - V'V,    S z = rhs_J - V' L^-1 rhs_B,
    x_B = L^-T (L^-1 rhs_B - V z),

where E are those of J that join B and D those that leave it, for which I_D has unit vectors, S no
first part and z the multipliers. V and S grow by the pairs that are new to them.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg.lapack import dpotrf, dtrtrs

from ...data.design import Array, Index
from ..base import Mask
from .minima import SideBySide

# Supports differ from that of the factor by so many pairs, or this share of it, or it is renewed.
FEW_DIFFERENT, SHARE_DIFFERENT = 64, 0.5
# Equations are solved once more, for what is left, where that is above this share of their right
# side: a whole feature makes S nearly singular.
LEFT_OVER = 1e-13
# What the added part of the diagonal may change a correlation by, as a share of its threshold.
SHIFT_OF_THRESHOLD = 2e-11


class ClassMinima(SideBySide):
    """The minima on one Gram matrix, (m, m), or on one each, (k, m, m).

    Parameters
    ----------
    gram : ndarray of shape (m, m) or (k, m, m)
    shift : ndarray of shape (m,) or (k, m)
        What was added to the diagonal.
    feature : ndarray of int, shape (m,)
    n_classes : int
    """

    def __init__(self, gram: Array, shift: Array, feature: Index, n_classes: int) -> None:
        super().__init__(gram)
        self.shift, self.feature, self.n_classes = shift, feature, n_classes
        self._base: SharedFactor | None = None

    def take(self, chosen: Mask) -> SideBySide:
        """The same of some of the alphas."""
        if self.gram.ndim == 2:
            return self
        part = self.gram[chosen], self.shift[chosen]
        return ClassMinima(*part, self.feature, self.n_classes)

    def unshifted(self, q: Array, change: Array) -> Array:
        """Correlations of the residuals without what was added to the diagonal."""
        return q + self.shift * change

    def exact(self, change: Array, scale: Array | float, l1: Array, slack: Array) -> Mask:
        """Whether what was added to the diagonal does not tell after steps, (k, m).

        `scale` is what the Gram matrix is multiplied by.
        """
        shifted = scale * self.shift * np.abs(change)
        return np.asarray((shifted <= SHIFT_OF_THRESHOLD * l1 + slack).all(axis=1))

    def _leaving(self, leave: Mask, W: Array, active: Mask) -> Mask:
        """Of a feature with all classes active, which moves by a constant, the first to leave."""
        rows, pairs = leave.nonzero()
        if not len(rows):
            return leave
        feature = self.feature[pairs]
        alike = active[rows] & (self.feature == feature[:, None])
        whole = np.flatnonzero(np.count_nonzero(alike, axis=1) == self.n_classes)
        if len(whole) > 1:
            # The move is the same in all classes: the farthest beyond zero was the nearest to it.
            rows, pairs, feature = rows[whole], pairs[whole], feature[whole]
            order = np.lexsort((-np.abs(W[rows, pairs]), feature, rows))
            rows, pairs, feature = rows[order], pairs[order], feature[order]
            stays = np.append(False, (np.diff(rows) == 0) & (np.diff(feature) == 0))
            leave[rows[stays], pairs[stays]] = False
        return leave

    def _on_supports(self, rhs: Array, active: Mask, l2: Array | None) -> Array | None:
        if self.gram.ndim == 3:
            return self._in_one_call(rhs, active, l2)
        if l2 is not None or len(rhs) == 1:
            return super()._on_supports(rhs, active, l2)
        for _ in range(2):
            base = self._base
            if base is not None:
                different = np.flatnonzero((active ^ base.inside).any(axis=0))
                if len(different) <= max(FEW_DIFFERENT, SHARE_DIFFERENT * len(base.index)):
                    W = base.solve(rhs, active, different)
                    left = (rhs - W.dot(self.gram)) * active
                    if np.abs(left).max() > LEFT_OVER * np.abs(rhs).max():
                        W += base.solve(left, active, different)
                    return W
            middle = active[len(active) // 2]
            self._base = SharedFactor.of(self.gram, middle, self.feature, self.n_classes)
        return super()._on_supports(rhs, active, l2)


class SharedFactor:
    """The factor of one support, for all that are near it; see the module's text."""

    def __init__(self, gram: Array, index: Index, inside: Mask, rows: Array, factor: Array) -> None:
        self.gram, self.index, self.inside, self.rows = gram, index, inside, rows
        self.factor = factor
        self._at = np.full(len(inside), -1)
        self._at[index] = np.arange(len(index))
        self._place, self._different = np.full(len(inside), -1), index[:0]
        self._V, self._S = np.empty((len(index), 0), order="F"), np.empty((0, 0))

    @classmethod
    def of(cls, gram: Array, support: Mask, feature: Index, n_classes: int) -> SharedFactor | None:
        """That of a support, less one pair of each whole feature; None where it has none."""
        index = support.nonzero()[0]
        whole = np.bincount(feature[index], minlength=int(feature.max()) + 1) == n_classes
        if np.count_nonzero(whole):
            _, first = np.unique(feature[index], return_index=True)
            index = np.delete(index, first[whole[feature[index[first]]]])
        if not len(index):
            return None
        rows = gram.take(index, 0)
        factor, info = dpotrf(rows.take(index, 1).T, lower=1, clean=0, overwrite_a=1)
        if info:
            return None
        inside = np.zeros(len(gram), dtype=bool)
        inside[index] = True
        return cls(gram, index, inside, rows, factor)

    def solve(self, rhs: Array, active: Mask, different: Index) -> Array:
        """``G_AA x_A = rhs_A`` for each active set, zeros elsewhere; NaN where that is singular.

        `different` are the pairs in which one of them differs from the support of the factor.
        """
        W, index = np.zeros(rhs.shape), self.index
        Y = np.asfortranarray(rhs.take(index, 1).T)
        Y, _ = dtrtrs(self.factor, Y, lower=1, overwrite_b=1)
        if len(different):
            self._prepare(different[self._place[different] < 0])
            at = self._place[different]
            V, S = self._V[:, at], self._S[np.ix_(at, at)]
            joins, chosen = ~self.inside[different], (active ^ self.inside)[:, different]
            right = (rhs[:, different] * joins - Y.T.dot(V)) * chosen
            matrices = S * (chosen[:, :, None] & chosen[:, None, :])
            matrices.reshape(len(W), -1)[:, :: len(different) + 1] += ~chosen
            try:
                z = np.linalg.solve(matrices, right[:, :, None])[:, :, 0]
            except np.linalg.LinAlgError:
                return np.full(rhs.shape, np.nan)
            Y -= V.dot(z.T)
            W[:, different] = z * joins
        X, _ = dtrtrs(self.factor, Y, lower=1, trans=1, overwrite_b=1)
        W[:, index] = X.T
        W *= active
        return W

    def _prepare(self, new: Index) -> None:
        """Add pairs to V and S."""
        if not len(new):
            return
        joins, B = ~self.inside[new], np.zeros((len(self.index), len(new)), order="F")
        B[:, joins] = self.rows[:, new[joins]]
        B[self._at[new[~joins]], (~joins).nonzero()[0]] = 1.0
        V, _ = dtrtrs(self.factor, B, lower=1, overwrite_b=1)
        self._place[new] = len(self._different) + np.arange(len(new))
        self._different = different = np.concatenate([self._different, new])
        self._V = np.asfortranarray(np.concatenate([self._V, V], axis=1))
        joined = ~self.inside[different]
        first = self.gram.take(different, 0).take(different, 1)
        self._S = first * (joined & joined[:, None]) - self._V.T.dot(self._V)
