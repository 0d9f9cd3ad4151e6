"""Rows that are read pass by pass, and a training set among them as sums of their groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ...caching import cached_property
from ...data.design import Array, Index
from ...objective.losses import Loss
from .group_sums import GroupSums, PassQuery


class Trial(NamedTuple):
    """Where a pass is to evaluate the loss; see `PassQuery`."""

    w: Array
    b: Array
    target: int


class Means(NamedTuple):
    """What a training set has at one point; see `GroupSums` for the parts."""

    value: float
    square: float
    slopes: Array
    bends: Array
    q: Array
    border: Array


@dataclass(frozen=True, eq=False)
class EvaluatedPoint:
    """What a pass found at one point, group by group.

    Attributes
    ----------
    w, b, target
        See `Trial`.
    sums : ndarray of shape (n_groups, n_sums)
        Values, squares, slopes, curvatures, correlations and border.
    nearest : ndarray of shape (n_groups,)
    hessian : ndarray of shape (n_groups, m, m) or None
    """

    w: Array
    b: Array
    target: int
    sums: Array
    nearest: Array
    hessian: Array | None

    @property
    def values(self) -> Array:
        """Sums of the loss, (n_groups,)."""
        return self.sums[:, 0]


class RowPasses:
    """Passes over rows, and the points that are kept of them.

    Parameters
    ----------
    read : callable
        From a `PassQuery` to `GroupSums`, in one pass.
    loss : Loss
    most_curved : int
        How many Hessians there is room for.
    most_points : int
        At how many points a pass evaluates the loss.

    Attributes
    ----------
    curved : list of EvaluatedPoint
        The last points with Hessians.
    known : list of EvaluatedPoint
        Points from which others may start.
    """

    def __init__(
        self,
        read: Callable[[PassQuery], GroupSums],
        loss: Loss,
        most_curved: int,
        most_points: int,
    ) -> None:
        self.read, self.loss = read, loss
        self.most_curved, self.most_points = most_curved, most_points
        self.curved: list[EvaluatedPoint] = []
        self.known: list[EvaluatedPoint] = []

    def evaluate(self, trials: Sequence[Trial], curved: Sequence[int]) -> list[EvaluatedPoint]:
        """The loss at some points, with the Hessians at those `curved`, in one pass."""
        W, b = (np.stack([one[i] for one in trials]) for i in range(2))
        target = np.array([one.target for one in trials], dtype=np.intp)
        asked = np.array(curved, dtype=np.intp)
        sums = self.read(PassQuery(W, b, target, asked))
        place, found = {int(i): at for at, i in enumerate(asked)}, []
        parts = sums.values, sums.squares, sums.slopes, sums.bends, sums.q, sums.border
        flat = np.concatenate([part.reshape(*part.shape[:2], -1) for part in parts], axis=2)
        for i, one in enumerate(trials):
            at = place.get(i)
            hessian = None if at is None else sums.hessians[:, at].copy()
            own = flat[:, i].copy(), sums.nearest[:, i].copy()
            found.append(EvaluatedPoint(*one, *own, hessian))
        self.curved += [one for one in found if one.hessian is not None]
        kinds = {one.target for one in self.curved}
        each, kept = max(1, self.most_curved // len(kinds)), list[EvaluatedPoint]()
        for kind in kinds:
            kept += [one for one in self.curved if one.target == kind][-each:]
        self.curved = kept
        return found


@dataclass(frozen=True, eq=False)
class TrainingSums:
    """One training set: means over its rows from sums over groups.

    Attributes
    ----------
    passes : RowPasses
    share : ndarray of shape (n_groups,)
        The factors of the groups' weights over the sum of weights.
    intercept : ndarray of shape (n_outputs,)
        Of the null model.
    mean_target : ndarray of shape (n_outputs,)
        Mean of y.
    shift : ndarray of shape (n_features,)
        Mean of the rows less the reference.
    spread : ndarray of shape (n_features,)
        Variances of the rows.
    n_effective : float
        The sum of the weights over the smallest of them.
    target : int
        The column of y.
    """

    passes: RowPasses
    share: Array
    intercept: Array
    mean_target: Array
    shift: Array
    spread: Array
    n_effective: float
    target: int = 0

    @property
    def null_trial(self) -> Trial:
        """The intercept alone."""
        return Trial(np.zeros((len(self.intercept), len(self.shift))), self.intercept, self.target)

    @property
    def null(self) -> EvaluatedPoint:
        """What a pass found at the intercept alone."""
        wanted = self.null_trial
        for one in self.passes.known:
            same = one.target == self.target and not one.w.any()
            if same and np.array_equal(one.b, self.intercept):
                return one
        (found,) = self.passes.evaluate([wanted], [0])
        self.passes.known.append(found)
        return found

    @cached_property
    def _used(self) -> tuple[Array, Index | slice]:
        """Shares that are not zero, and of which groups; the others may have what is infinite."""
        used = np.flatnonzero(self.share)
        whole = len(used) == len(self.share)
        return self.share[used], slice(None) if whole else used

    def value(self, point: EvaluatedPoint) -> float:
        """The mean loss at a point."""
        share, used = self._used
        return float(share @ point.sums[used, 0])

    def means(self, point: EvaluatedPoint) -> Means:
        """What the training set has at a point."""
        share, used = self._used
        flat, (k, p) = share @ point.sums[used], point.w.shape
        slopes, bends, q, border = np.split(flat[2:], np.cumsum([k, k, k * p]))
        return Means(float(flat[0]), float(flat[1]), slopes, bends, q.reshape(k, p), border)

    def _mean_hessian(self, point: EvaluatedPoint) -> Array:
        share, used = self._used
        assert point.hessian is not None
        return np.asarray(np.tensordot(share, point.hessian[used], axes=1))

    @cached_property
    def of_null(self) -> Means:
        """The means of the null model."""
        return self.means(self.null)

    @property
    def deviance(self) -> float:
        """Mean deviance of the null model."""
        return 2.0 * self.of_null.value

    @property
    def square(self) -> float:
        """Mean square of the null model's residuals."""
        return self.of_null.square

    @property
    def null_curvature(self) -> float:
        """Mean curvature of the null model, the largest of the outputs."""
        if not self.passes.loss.couples_targets:
            return float(self.of_null.bends[0])
        shares = self.passes.loss.inverse_link(self.intercept[None])
        return float((shares * (1.0 - shares)).max())

    def nearest(self, point: EvaluatedPoint) -> float:
        """How far slopes may move along their curvatures; see `Loss.gap_from_curvature`."""
        loss = self.passes.loss
        if loss.couples_targets:
            return 0.5
        if loss.gap_from_curvature:
            return 1.0
        return float(point.nearest[self._used[1]].min())

    def hessian(self, point: EvaluatedPoint, bend: Array) -> tuple[Array, bool]:
        """About the Hessian of the mean loss at a point, and whether it is that.

        Between the two points that are near whose Hessians are known it is a mean of these. `bend`
        is that of the point.
        """
        if point.hessian is not None:
            return self._mean_hessian(point), True
        others = [one for one in self.passes.curved if one.target == point.target]
        ways = np.stack([one.w - point.w for one in others]) * np.sqrt(self.spread)
        ways = ways.reshape(len(others), -1)
        squares = np.einsum("ij,ij->i", ways, ways)
        first = int(squares.argmin())
        matrix = self._mean_hessian(others[first])
        # The point nearest to zero on the way from the first to another.
        steps = ways - ways[first]
        lengths = np.einsum("ij,ij->i", steps, steps)
        along = -(steps @ ways[first])
        shares = np.divide(along, lengths, out=np.zeros(len(along)), where=lengths > 0)
        shares = np.clip(shares, 0.0, 1.0)
        second = int((shares * shares * lengths - 2.0 * shares * along).argmin())
        if shares[second] > 0.0:
            share = float(shares[second])
            matrix = (1.0 - share) * matrix + share * self._mean_hessian(others[second])
        if not self.passes.loss.couples_targets and matrix[-1, -1] > 0:
            matrix *= float(bend[0]) / matrix[-1, -1]
        return matrix, False
