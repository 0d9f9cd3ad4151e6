"""The curvatures of several alphas, and the Gram matrices that belong to them.

`Frozen`: one curvature h, that of an alpha in the middle, serves them all, each times a number s_i
that makes the mean that of the alpha's own. Over a sparse X it is less in rows where others have
less. Then ``G_i = s_i G``, and problem i is that of G with its linear term and thresholds over s_i.
With more active features than rows (`OfFewRows`) each alpha has its own curvature in every sweep:
equations have the size of the rows, and no Gram matrix of the working set is made.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

import numpy as np

from ...data.design import Array, Design
from .minima import OverFewRows, SideBySide
from .model import CurvedModel
from .rows import TargetLoss, floored

# With more active features to a row than this, a system of the size of the rows for each alpha
# takes less time than the Gram matrix of a working set, with an L1 share of 0.1 half of it; with
# fewer it takes up to twice as long.
ACTIVE_A_ROW = 1.2
# Over a sparse X many rows are told without a doubt, and change much within a batch. Of each the
# curvature is no more than so many times the least in the batch, and at least this share of the
# largest: one that is far above leads out of the domain of the loss, where nothing is certified.
MOST_OVER_LEAST, LEAST_OF_SPARSE = 4.0, 1e-30


class Sums(NamedTuple):
    """What a pass over the rows finds, for k alphas, n rows and m features; see `passes.py`.

    Attributes
    ----------
    eta : ndarray of shape (k, n)
        Linear predictors.
    R : ndarray of shape (k, n) or None
        Residuals there, where those of the models are asked for.
    H : ndarray of shape (k, n)
        Curvatures of the loss there.
    Q : ndarray of shape (k, m)
        Correlations of the residuals.
    mean, total : ndarray of shape (k,)
        Sums of omega and the residuals, and of omega and the curvatures.
    first : ndarray of shape (k, m) or None
        Sums of the columns under omega H, where alphas have their own curvature.
    """

    eta: Array
    R: Array | None
    H: Array
    Q: Array
    mean: Array
    total: Array
    first: Array | None = None


class Curvatures(NamedTuple):
    """Curvatures of k alphas, and what belongs to them.

    Attributes
    ----------
    h : ndarray of shape (n_samples,) or (k, n_samples)
    own : bool
        Whether h is that of each alpha, or one that all share.
    scale : ndarray of shape (k, 1)
        What h and the Gram matrices of `solver` are multiplied by.
    total : ndarray of shape (k,)
        The sums of omega and the curvatures.
    means : ndarray of shape (m,) or (k, m)
        Of the columns under these weights; zeros without an intercept.
    solver : SideBySide
    """

    h: Array
    own: bool
    scale: Array
    total: Array
    means: Array
    solver: SideBySide


class CurvatureSource(ABC):
    """Where the curvatures of a sweep come from.

    Attributes
    ----------
    own : bool
        Whether alphas have their own.
    """

    own: ClassVar[bool] = True

    @abstractmethod
    def at(self, sums: Sums) -> Curvatures:
        """The curvatures for a sweep from here."""

    def renew(self) -> None:  # noqa: B027  # own ones are new in each sweep
        """Make them new in the next sweep."""


class Frozen(CurvatureSource):
    """The curvature of one alpha for all, renewed where it serves no more."""

    own: ClassVar[bool] = False

    def __init__(self, rows: TargetLoss, part: Design, model: CurvedModel | None) -> None:
        self.rows, self.part, self.model = rows, part, model

    def at(self, sums: Sums) -> Curvatures:
        """See `CurvatureSource`."""
        if self.model is None:
            h = sums.H[len(sums.H) // 2]
            if self.part.sparse:
                h = np.minimum(h, MOST_OVER_LEAST * sums.H.min(axis=0))
                h = np.maximum(h, LEAST_OF_SPARSE * h.max())
            else:
                h = floored(h)
            self.model = CurvedModel(self.part, h, self.rows.has_intercept)
        model = self.model
        scale = (sums.total / model.total)[:, None]
        return Curvatures(model.h, False, scale, sums.total, model.means, model.side_by_side)

    def renew(self) -> None:
        """See `CurvatureSource`."""
        self.model = None


class OfFewRows(CurvatureSource):
    """Curvatures of their own over few rows, Z of shape (n_samples, m)."""

    def __init__(self, Z: Array, omega: Array, has_intercept: bool) -> None:
        self._columns, self._omega = np.ascontiguousarray(Z.T), omega
        self.has_intercept = has_intercept

    def at(self, sums: Sums) -> Curvatures:
        """See `CurvatureSource`."""
        H, first = sums.H, sums.first
        assert first is not None
        means = first / sums.total[:, None] if self.has_intercept else np.zeros(first.shape[1])
        solver = OverFewRows(self._columns, H * self._omega, means)
        return Curvatures(H, True, np.ones((len(H), 1)), sums.total, means, solver)
