"""Newton's method for the multinomial loss along a path, batches of alphas at a time.

Batches (`class_batch.py`) start, grow and shrink as those of `batched_newton.py`, and the working
set of a batch is chosen in the same way, of pairs of a feature and a class. Where pairs and rows
are few, `few_classes.py` solves all alphas at once. An alpha that a batch does not solve, as no
line search helps it, is left to `ActivePairs.solve`. So are all where rows and classes are many:
calls cost little there, and the points of a batch are predicted from farther away.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...data.design import Array
from ..base import Bound, Mask, Settings, Solution
from .batch import Points, Solved
from .batched_newton import (
    BEHIND,
    CUT,
    FEW_SWEEPS,
    FIRST_BATCH,
    JOINING_A_BATCH,
    LARGEST_SUPPORT,
    LONGEST_BATCH,
    MANY_SWEEPS,
    NEAR_IN_A_BATCH,
    NEXT_ALPHA,
    SHARE_JOINING_A_BATCH,
)
from .class_batch import ClassBatch
from .class_passes import ENTRIES_AT_ONCE, ClassPasses, FrozenClasses
from .class_path import ClassPath, ClassPoint
from .class_ridge import solve_smooth
from .few_classes import FewClasses, solved_at_once
from .multinomial import ActivePairs, symmetric
from .polynomials import lagrange
from .prox_newton import MOST_KNOWN
from .rows import on_rows_that_count


class BatchedClasses(ActivePairs):
    """The solutions along a path.

    Attributes
    ----------
    frozen : FrozenClasses or None
        The curvature of the present working set; None asks for a new one.
    missing : ndarray of int
        Pairs that must be in the next working set.
    """

    def __init__(self, bound: Bound, start: Array, settings: Settings, alone: bool) -> None:
        super().__init__(bound, start, settings, alone)
        smooth = not (self.penalty.has_bounds or self.design.sparse)
        few = self.design.n_samples * self.n_classes <= ENTRIES_AT_ONCE
        self.batches = smooth and few and not alone
        self.frozen: FrozenClasses | None = None
        self.passes: ClassPasses | None = None
        self.missing = self.index[:0]
        movable = self.penalty.movable & np.tile(self.design.variances > 0, self.n_classes)
        self.slack = np.where(movable, self.noise, np.inf)

    def run(self, alphas: Array) -> Iterator[Solution]:
        """The solutions at decreasing alphas."""
        done, length = 0, FIRST_BATCH
        if self.batches:
            found = self._at_once(alphas)
            yield from found
            done = len(found)
        while done < len(alphas):
            found, length = [], min(length, LONGEST_BATCH)
            count = self._together(alphas[done : done + length])
            if count:
                batch = self._advance(alphas[done : done + count])
                found = self._accept(batch)
                length = len(batch.alphas)
            if not found:
                found, length = [self.solve(float(alphas[done]))], 1
                self.frozen = self.passes = None
            elif len(found) < length or batch.n_sweeps > MANY_SWEEPS:
                length = max(1, len(found) // 2)
            elif batch.n_sweeps <= FEW_SWEEPS:
                length *= 2
            done += len(found)
            yield from found

    def _together(self, alphas: Array) -> int:
        """How many of these alphas, from the first, are a batch; zero where one alone is better."""
        n_active = np.count_nonzero(self.point.w)
        if not self.batches or not alphas[0] > 0.0 or n_active > LARGEST_SUPPORT:
            return 0
        before = np.append(self.alpha, alphas[:-1])
        apart = (alphas < NEXT_ALPHA * before) | (alphas >= before)  # a grid may repeat alphas
        apart[0] &= np.isfinite(self.alpha)
        return int(apart.argmax()) if apart.any() else len(alphas)

    @np.errstate(over="ignore", invalid="ignore", divide="ignore")
    def _advance(self, alphas: Array) -> ClassBatch:
        """The batch of as many of these alphas, from the first, as few pairs need join for."""
        if self.frozen is not None and self.spent > self._cost_of_refresh():
            self.frozen = self.model = None
        if not self.whole:
            alphas = self._choose(alphas)
        start = self._extrapolated_to(alphas)
        active = start.W * self.point.w[self.index] > 0.0
        kind, feature = np.divmod(self.index, self.design.n_features)
        if self.passes is None:
            Z = self.part.plain
            assert Z is not None
            self.passes = ClassPasses(self.rows, Z, self.column[feature], kind)
        batch = ClassBatch(self.rows, self.passes, self.penalty, self.slack, self.index, alphas)
        aims, most = (self.aim, self.least_error), self.settings.max_iter
        args = self.frozen, self._renewed, start, active, aims, most, self._correlations_of_each
        frozen = batch.run(*args)
        if frozen is None:
            self.model = None
        if frozen is not self.frozen:
            self.frozen, self.spent = frozen, 0.0
        self.spent += batch.n_later * self._cost_of_evaluation()
        self.subproblem.forget()
        self.rounds = None
        return batch

    def _renewed(self, eta: Array) -> FrozenClasses:
        """The curvature at linear predictors."""
        p = self.rows.probabilities(np.asfortranarray(eta.reshape(self.n_classes, -1).T))
        self._refresh(p)
        assert self.model is not None
        return FrozenClasses(self.model, self.place)

    def _correlations_of_each(self, u: Array) -> Array:
        """Correlations of all pairs with several residuals."""
        each = u.reshape(len(u) * self.n_classes, -1)
        if self.Z is None:
            found = self.design.correlate(each.T).T
        else:
            found = (each * self.rows.omega).dot(self.Z)
        return np.asarray(found).reshape(len(u), -1)

    def _accept(self, batch: ClassBatch) -> list[Solution]:
        """The solutions of a batch, from the last of which the next one starts."""
        n_done, self.missing = batch.done, batch.missing
        if n_done < len(batch.alphas):
            self.frozen = self.model = None
        if not n_done:
            return []
        alpha, q = float(batch.alphas[n_done - 1]), batch.q
        first = (self.alpha, self.q) if n_done == 1 else (float(batch.alphas[0]), q[0])
        if alpha < first[0] < np.inf:
            self.slope = (q[n_done - 1] - first[1]) / (first[0] - alpha)
        self.q = q[n_done - 1]
        return self._solutions(batch.solved)

    def _solutions(self, solved: Solved) -> list[Solution]:
        """What batches found, as solutions; the path goes on from the last."""
        design, points, n_classes = self.design, solved.points, self.n_classes
        k, m = len(solved.alphas), design.n_features
        W = np.zeros((k, n_classes * m))
        W[:, self.index] = points.W
        coefs = symmetric(W.reshape(k, n_classes, m), self.shape, self.penalty.l1_ratio > 0.0)
        deviances = np.maximum(2.0 * (solved.values - self.rows.saturated), 0.0)
        df = np.count_nonzero(coefs.reshape(k, -1), axis=1).astype(float)
        of_each = coefs.reshape(k * n_classes, m).T
        b = design.intercept(design.to_raw(of_each), points.b.ravel()).reshape(k, n_classes)
        b = b - b.mean(axis=1)[:, None]
        shared = solved.gaps, solved.n_iter, deviances, df
        columns = np.repeat(np.array(shared)[:, :, None], n_classes, axis=2)
        found = [Solution(*each) for each in zip(coefs, *columns, b, strict=True)]
        eta = points.eta.reshape(k, n_classes, -1).transpose(0, 2, 1)
        each_point = map(ClassPoint, W, points.b, eta)
        logs = np.log(solved.alphas).tolist()
        self.known = [*self.known, *zip(logs, each_point, strict=True)][-MOST_KNOWN:]
        self.alpha, self.point = float(solved.alphas[-1]), self.known[-1][1]
        return found

    def _extrapolated_to(self, alphas: Array) -> Points:
        """The points predicted at several alphas, less and less certain."""
        known, k = self.known or [(0.0, self.point)], len(alphas)
        apart = max(1, min((len(known) - 1) // 2, int(BEHIND * k)))
        known = known[-1::-apart][:3]
        each = np.broadcast_to(np.arange(len(known)), (k, len(known)))
        shares = lagrange(np.log(alphas), np.array([log for log, _ in known]), each)
        W = np.array([point.w[self.index] for _, point in known])
        b = np.array([point.b for _, point in known])
        eta = np.array([point.eta.T.ravel() for _, point in known])
        return Points(W, b, eta).combined(shares)

    # The working set of a batch -----------------------------------------------------------

    def _choose(self, alphas: Array) -> Array:
        """Choose the working set for as many of these alphas as few pairs need join for."""
        keep, k = (self.point.w != 0) | self.penalty.free, len(alphas)
        for _, point in self.known[-k - 2 :]:  # whose linear predictors are extrapolated
            keep |= point.w != 0
        keep[self.missing] = True
        most = max(JOINING_A_BATCH, int(SHARE_JOINING_A_BATCH * np.count_nonzero(keep)))
        if self.frozen is not None:
            keep |= self.inside
        while True:
            excess = self._predicted_excess(float(alphas[k - 1]))
            excess[keep] = 0.0
            new = (excess > self.noise).nonzero()[0]
            if len(new) <= most or k == 1:
                break
            k = max(1, int(CUT * k))
        if len(new) > most:
            new = new[np.argpartition(-excess[new], most)[:most]]
        if self.frozen is not None:
            new = np.union1d(new, self.missing[~self.inside[self.missing]])
            if len(new):
                self._join(new)
                self.frozen = self.passes = None
        else:
            keep[new] = True
            keep[np.argmax(np.abs(self.q))] |= not keep.any()
            self._set(keep)
        return alphas[:k]

    def _set(self, keep: Mask) -> None:
        """Make these pairs the working set."""
        self.frozen = self.passes = self.model = None
        self.index, self.inside = keep.nonzero()[0], keep
        if self.Z is None:
            self.features = np.flatnonzero(keep.reshape(self.n_classes, -1).any(axis=0))
            self.part = self.design.subset(self.features)
            self.column[:] = -1
            self.column[self.features] = np.arange(len(self.features))

    def _predicted_excess(self, alpha: float) -> Array:
        """By how much correlations are predicted to exceed a level near their thresholds."""
        if self.slope is None:  # the strong rule
            level = alpha if np.isinf(self.alpha) else max(2.0 * alpha - self.alpha, 0.0)
            return self.penalty.at(level).violation_at_zero(self.q)
        fall = self.alpha - alpha
        level = max(alpha - NEAR_IN_A_BATCH * fall, 0.0)
        return self.penalty.at(level).violation_at_zero(self.q + fall * self.slope)

    # Few pairs and rows -------------------------------------------------------------------

    def _at_once(self, alphas: Array) -> list[Solution]:
        """The solutions at all alphas, or at the first few, or none, where pairs are few."""
        solved = solved_at_once(self, self.shape, alphas)
        if solved is None:
            return []
        self._set(np.ones(len(self.inside), dtype=bool))
        return self._solutions(solved)


def fit_few_pairs(bound: Bound, alpha: float, start: Array, settings: Settings) -> Solution | None:
    """The solution at one alpha where pairs and rows are few; None where another method is better.

    Without an L1 part degrees of freedom are left out, as they take a decomposition.
    """
    design, shape, (m, n_classes) = bound.design, bound.penalty, start.shape
    few = FewClasses.serve(design.n_samples, n_classes, m, 1)
    if not few or design.sparse or shape.has_bounds or not alpha > 0.0:
        return None
    path = ClassPath(bound, start, settings, design.columns(slice(None)))
    solved = solved_at_once(path, shape, np.array([alpha]))
    if solved is None:
        return None
    W, b = solved.points.W.reshape(n_classes, m), solved.points.b[0]
    coef, df = W - W.mean(axis=0), np.nan
    if shape.l1_ratio:
        coef = symmetric(W, shape, has_l1=True)
        df = float(np.count_nonzero(coef))
    deviance = max(2.0 * (float(solved.values[0]) - path.rows.saturated), 0.0)
    b = design.intercept(design.to_raw(coef.T), b)
    for_each = np.ones(n_classes)
    gap, n_iter = solved.gaps[0] * for_each, solved.n_iter[0] * for_each
    return Solution(coef, gap, n_iter, deviance * for_each, df * for_each, b - b.mean())


def solve(bound: Bound, alphas: Array, start: Array, settings: Settings) -> Iterator[Solution]:
    """See `base.py` for the contract; the targets are the classes."""
    alone = len(alphas) == 1
    if alone and (found := fit_few_pairs(bound, float(alphas[0]), start, settings)) is not None:
        yield found
        return
    bound = bound if alone else on_rows_that_count(bound)
    if (bound.penalty.l1_ratio and alphas[0] > 0.0) or bound.penalty.has_bounds:
        path = BatchedClasses(bound, start, settings, alone=alone)
        yield from path.run(alphas)
    else:
        yield from solve_smooth(bound, alphas, start, settings)
