"""The KKT conditions of features outside the working set of a batch, at all of its alphas.

Of a dense X one product takes all residuals through it. Of a sparse X each would be a product for
itself: the features are screened by those of the first and the last alpha, and of a third one where
these leave many, see `quadratic/kkt_check.py`, and those that are left are looked at alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ...data.design import Array, Design, Index
from ...objective.penalties import Penalty
from ..base import Mask
from ..quadratic.kkt_check import KKTCheck
from .certificate import outside


@dataclass(frozen=True, eq=False)
class Features:
    """The working set of a batch: its features, and what there is of all.

    With a `check` the features outside are screened.
    """

    design: Design
    penalty: Penalty
    noise: Array
    index: Index
    part: Design
    check: KKTCheck | None = None

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
        Features of which `missing`, (k, len(left)), tells whether they violate their conditions;
        None where none does.
    at : callable
        Correlations of all features at one of the alphas.
    """

    q: Array
    most: Array
    left: Index
    missing: Mask | None
    at: Callable[[int], Array]


def look_outside(features: Features, alphas: Array, U: Array) -> Outside:
    """The features outside a working set, with residuals U of shape (k, n_samples)."""
    design, penalty, index, noise = (
        features.design,
        features.penalty,
        features.index,
        features.noise,
    )
    if features.check is None:
        Q = design.correlate(U.T).T
        found = outside(penalty, index, noise, alphas, Q)
        return Outside(Q[:, index], found[0], np.arange(len(noise)), found[1], Q.__getitem__)
    inside, last = np.zeros(len(noise), dtype=bool), len(alphas) - 1
    inside[index] = True
    (first,) = features.check.points(alphas[:1], U[:1].T)
    points, left = features.check.screen(first, alphas, U.T, inside)
    most, missing = np.ones(len(alphas)), None
    if len(left):
        Q = design.subset(left).correlate(U.T).T
        most, missing = outside(penalty.take(left), left[:0], noise[left], alphas, Q)
    known = {0: first.q, last: points[-1].q}

    def at(i: int) -> Array:
        return known[i] if i in known else design.correlate(U[i])

    return Outside(features.part.correlate(U.T).T, most, left, missing, at)
