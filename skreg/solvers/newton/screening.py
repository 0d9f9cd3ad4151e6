"""The KKT conditions of features outside the working set of a batch, at all of its alphas.

Of a dense X one product takes all residuals through it. Of a sparse X each would be a product for
itself: the features are screened by that of the last alpha and the one before the batch, and by a
third one where these leave many, see `quadratic/kkt_check.py`; those that are left are looked at
alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ...data.design import Array, Design, Index
from ...objective.penalties import Penalty
from ..base import Mask
from ..quadratic.kkt_check import KKTCheck, ReferencePoint
from .certificate import outside


@dataclass(frozen=True, eq=False)
class Features:
    """The working set of a batch: its features, and what there is of all.

    With a `check` the features outside are screened, from the point of the path where the batch
    begins, where that is known.
    """

    design: Design
    penalty: Penalty
    noise: Array
    index: Index
    part: Design
    check: KKTCheck | None = None
    start: ReferencePoint | None = None

    @property
    def whole(self) -> bool:
        """Whether all features are in it."""
        return len(self.index) == self.design.n_features


class Outside(NamedTuple):
    """What there is to know of the features outside, at k alphas.

    Attributes
    ----------
    q : ndarray of shape (k, m)
        Correlations of the working set.
    most : ndarray of shape (k,)
        What residuals are to be scaled by for the others.
    left : ndarray of int
        Features whose conditions were looked at: all of a dense X, with the working set; of a
        sparse X those outside it that screening left, perhaps none.
    missing : ndarray of bool of shape (k, len(left)), or None
        Which of these violate their conditions at which alpha; those of the working set never do.
        None where none does. Of a dense X a column belongs to the feature of the same number.
    first : ReferencePoint
        The first point at which correlations of all features are known.
    at : callable
        These at one of the alphas.
    """

    q: Array
    most: Array
    left: Index
    missing: Mask | None
    first: ReferencePoint
    at: Callable[[int], Array]


def look_outside(features: Features, alphas: Array, U: Array) -> Outside:
    """The features outside a working set, with residuals U of shape (k, n_samples)."""
    design, penalty, index = features.design, features.penalty, features.index
    noise, check, start = features.noise, features.check, features.start
    if check is None:
        Q = design.correlate(U.T).T
        found = outside(penalty, index, noise, alphas, Q)
        first = ReferencePoint(float(alphas[0]), U[0], Q[0])
        return Outside(Q[:, index], found[0], np.arange(len(noise)), found[1], first, Q.__getitem__)
    inside, last = np.zeros(len(noise), dtype=bool), len(alphas) - 1
    inside[index] = True
    if start is None:
        (start,) = check.points(alphas[:1], U[:1].T)
    points, left = check.screen(start, alphas, U.T, inside)
    most, missing = np.ones(len(alphas)), None
    if len(left):
        Q = design.subset(left).correlate(U.T).T
        most, missing = outside(penalty.take(left), left[:0], noise[left], alphas, Q)

    def at(i: int) -> Array:
        return points[-1].q if i == last else design.correlate(U[i])

    return Outside(features.part.correlate(U.T).T, most, left, missing, start, at)
