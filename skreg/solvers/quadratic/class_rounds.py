"""The rounds of `alone.py` on pairs of a feature and a class, for a model of the multinomial loss.

Such a model does not see a constant that is added to a feature's coefficients in all classes. Where
all of these are active, and more have one sign than the other, the equations move them along it as
far as the small part goes that is added to the diagonal, and many change their signs. The first
that does is where that move ends: of these it alone becomes inactive.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotrs

from ...data.design import Array, Index
from ...objective.penalties import ScaledPenalty
from ..base import Mask
from ..tolerances import CORRELATION_ROUNDING, KKT_TOLERANCE

# Rounds without fewer wrong signs than ever before that are waited for.
MOST_WAITED = 4


class ClassRounds:
    """The minimum of ``1/2 w'Gw - c'w`` and a penalty without bounds, for one c after another.

    Parameters
    ----------
    gram : ndarray of shape (m, m)
    feature : ndarray of int, shape (m,)
        The feature of each pair.
    n_classes : int
    movable : ndarray of bool, shape (m,)
        Pairs that are not excluded.
    """

    def __init__(self, gram: Array, feature: Index, n_classes: int, movable: Mask) -> None:
        self.gram, self.feature, self.n_classes = gram, feature, n_classes
        self.curvature = gram.diagonal().copy()
        self.usable = movable & (self.curvature > 0)
        self.index, self.ridges = np.empty(0, np.intp), np.empty(0)

    def solve(
        self,
        c: Array,
        penalty: ScaledPenalty,
        start: Array,
        sign: Array,
        square: float,
        most: int,
    ) -> Array | None:
        """The minimum, from `start` and a guess of its signs; None if it takes more rounds.

        `square` is what the rounding of correlations is relative to, a mean square.
        """
        l1, usable = penalty.l1, self.usable
        limit = CORRELATION_ROUNDING * np.sqrt(square * self.curvature)
        limit += (1.0 + KKT_TOLERANCE) * l1
        limit[~usable] = np.inf
        free = usable & (l1 == 0)
        last = np.where(usable, start, 0.0)
        sign = np.where(usable & ~free, sign, 0.0)
        fewest, idle = len(c) + 1, 0
        for _ in range(most):
            index = (sign + free).nonzero()[0]
            w, q = np.zeros(len(c)), c
            if len(index):
                if not self._factored(index, penalty):
                    return None
                x = dpotrs(self.factor, (c - l1 * sign).take(index), lower=1, overwrite_b=1)[0]
                w[index] = x
                q = c - x.dot(self.rows)
            leave, enter = w * sign < 0, np.abs(q) > limit
            enter[index] = False
            n_leave = int(np.count_nonzero(leave))
            n_wrong = n_leave + int(np.count_nonzero(enter))
            if not n_wrong:
                return w
            idle = 0 if n_wrong < fewest else idle + 1
            if idle == MOST_WAITED:
                break
            fewest = min(fewest, n_wrong)
            if n_leave > 1:
                whole = np.bincount(self.feature[index]) == self.n_classes
                _keep_all_but_first(leave, last, self.feature, whole)
            sign = np.where(enter, np.sign(q), sign)
            sign[leave] = 0.0
            last = np.where(leave, 0.0, np.where(w * sign < 0, last, w))
        return None

    def _factored(self, index: Index, penalty: ScaledPenalty) -> bool:
        """Factor the equations of some pairs, unless those are the last."""
        ridges = penalty.l2.take(index) if penalty.has_l2 else self.ridges[:0]
        if np.array_equal(index, self.index) and np.array_equal(ridges, self.ridges):
            return True
        self.rows = self.gram.take(index, 0)
        matrix = self.rows.take(index, 1)
        if penalty.has_l2:
            matrix.ravel()[:: len(index) + 1] += ridges
        # in place, the factor in the lower triangle of the transposed matrix
        self.factor, failed = dpotrf(matrix.T, lower=1, overwrite_a=1, clean=0)
        self.index, self.ridges = (index[:0], ridges[:0]) if failed else (index, ridges)
        return not failed


def _keep_all_but_first(leave: Mask, last: Array, feature: Index, whole: Mask) -> None:
    """Of features of which all classes are active, let the smallest coefficient leave alone."""
    changed = leave.nonzero()[0]
    changed = changed[whole[feature[changed]]]
    if len(changed) > 1:
        order = changed[np.lexsort((np.abs(last[changed]), feature[changed]))]
        repeated = np.append(False, np.diff(feature[order]) == 0)
        leave[order[repeated]] = False
