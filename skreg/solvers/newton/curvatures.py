"""The curvatures of several alphas, and the Gram matrices that belong to them.

`Frozen`: one curvature h, that of an alpha in the middle, serves them all, each times a number s_i
that makes the mean that of the alpha's own. Then ``G_i = s_i G``, and problem i is that of G with
its linear term and thresholds over s_i. With few features (`OfPairs`) or few rows (`OfFewRows`)
each alpha has its own curvature, in every sweep, which ends in fewer of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

import numpy as np

from ...data.design import Array, Design
from ..base import Mask
from .minima import OverFewRows, SideBySide
from .model import CurvedModel
from .rows import TargetLoss

# Up to so many features, and entries of the products of their pairs, a Gram matrix an alpha costs
# no more than the evaluation of the loss.
FEW_PAIRED, MOST_PAIRS = 16, 1 << 18
# Up to so many rows the Gram matrix of a support takes less time than more sweeps.
ROWS_OF_OWN_CURVATURE = 200


class Sums(NamedTuple):
    """What a pass over the rows finds, for k alphas, n rows and m features; see `passes.py`.

    Attributes
    ----------
    eta, R : ndarray of shape (k, n)
        Linear predictors, and residuals there.
    Q : ndarray of shape (k, m)
        Correlations of R.
    mean, total : ndarray of shape (k,)
        Sums of omega r, and of omega h.
    gaps : ndarray of shape (k,)
        What the loss adds to a gap at u, at most: see `Loss.gap_from_curvature`.
    dual : ndarray of shape (k, m) or (k, n)
        Correlations of the residuals u of the models that the last steps minimised, or these.
    H : ndarray of shape (k, n) or None
        Curvatures, where alphas have their own; and then
    first, second : ndarray of shape (k, m) and (k, m (m + 1) / 2), or None
        Sums under omega h of the columns, and of the products of their pairs.
    """

    eta: Array
    R: Array
    Q: Array
    mean: Array
    total: Array
    gaps: Array
    dual: Array
    H: Array | None = None
    first: Array | None = None
    second: Array | None = None

    def take(self, chosen: Mask) -> Sums:
        """Those of some of the alphas."""
        return Sums._make(None if one is None else one[chosen] for one in self)


class Curvatures(NamedTuple):
    """Curvatures of k alphas, and what belongs to them.

    Attributes
    ----------
    h : ndarray of shape (n_samples,) or (k, n_samples)
    scale : ndarray of shape (k, 1)
        What h and the Gram matrices of `solver` are multiplied by.
    total : ndarray of shape (k,)
        The sums of omega and the curvatures.
    means : ndarray of shape (m,) or (k, m)
        Of the columns under these weights; zeros without an intercept.
    solver : SideBySide
    """

    h: Array
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
    products : ndarray of shape (n_samples, m (m + 1) / 2) or None
        Of pairs of columns, whose sums are asked for.
    """

    own: ClassVar[bool] = True
    products: Array | None = None

    @abstractmethod
    def at(self, sums: Sums) -> Curvatures:
        """The curvatures for a sweep from here."""

    def renew(self, eta: Array) -> None:  # noqa: B027  # own ones are new in each sweep
        """Make them those at linear predictors, (k, n_samples)."""


class Frozen(CurvatureSource):
    """The curvature of one alpha for all, renewed where it serves no more."""

    own: ClassVar[bool] = False

    def __init__(self, rows: TargetLoss, part: Design, model: CurvedModel | None) -> None:
        self.rows, self.part, self.model = rows, part, model

    def at(self, sums: Sums) -> Curvatures:
        """See `CurvatureSource`."""
        if self.model is None:
            self.renew(sums.eta)
        model = self.model
        assert model is not None
        scale = (sums.total / model.total)[:, None]
        return Curvatures(model.h, scale, sums.total, model.means, model.side_by_side)

    def renew(self, eta: Array) -> None:
        """See `CurvatureSource`."""
        h = self.rows.slopes(eta[len(eta) // 2])[1]
        self.model = CurvedModel(self.part, h, self.rows.has_intercept)


class OfPairs(CurvatureSource):
    """Curvatures of their own from the products of all pairs of few columns, Z, (n_samples, m)."""

    def __init__(self, Z: Array, has_intercept: bool) -> None:
        m = Z.shape[1]
        first, second = np.triu_indices(m)
        self.products, self.has_intercept = Z[:, first] * Z[:, second], has_intercept
        self._place = np.empty((m, m), dtype=np.intp)
        self._place[first, second] = self._place[second, first] = np.arange(len(first))

    @staticmethod
    def serve(n_samples: int, m: int) -> bool:
        """Whether there are few enough."""
        return m <= FEW_PAIRED and n_samples * m * (m + 1) <= 2 * MOST_PAIRS

    def at(self, sums: Sums) -> Curvatures:
        """See `CurvatureSource`."""
        H, first, second = sums.H, sums.first, sums.second
        assert H is not None
        assert first is not None
        assert second is not None
        grams, means = second[:, self._place], np.zeros(first.shape[1])
        if self.has_intercept:
            means = first / sums.total[:, None]
            grams -= first[:, :, None] * means[:, None, :]
        return Curvatures(H, np.ones((len(H), 1)), sums.total, means, SideBySide(grams))


class OfFewRows(CurvatureSource):
    """Curvatures of their own over few rows, Z of shape (n_samples, m)."""

    def __init__(self, Z: Array, omega: Array, has_intercept: bool) -> None:
        self._columns, self._omega = np.ascontiguousarray(Z.T), omega
        self.has_intercept = has_intercept

    def at(self, sums: Sums) -> Curvatures:
        """See `CurvatureSource`."""
        H, first = sums.H, sums.first
        assert H is not None
        assert first is not None
        means = first / sums.total[:, None] if self.has_intercept else np.zeros(first.shape[1])
        solver = OverFewRows(self._columns, H * self._omega, means)
        return Curvatures(H, np.ones((len(H), 1)), sums.total, means, solver)
