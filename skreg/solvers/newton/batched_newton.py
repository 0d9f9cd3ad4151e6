"""Newton's method for smooth losses along a path, batches of alphas at a time.

A batch (`batch.py`) starts from the polynomial in log(alpha) through up to three solutions, whose
linear predictors are extrapolated along. It is longer than the one before where that took few
sweeps, and shorter where it took many. An alpha that a batch does not solve, as no line search
helps it, is left to `NewtonPath.solve`.

The working set is chosen anew with each new Gram matrix: the active features, and those whose
correlations are predicted to come near their thresholds in the batch, along their change over the
last one. A batch for which too many would join is cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Protocol

import numpy as np

from ...data.design import Array, Design, Index
from ..base import Bound, Mask, Settings, Solution
from ..quadratic.kkt_check import KKTCheck, ReferencePoint
from .batch import (
    MOST_SWEEPS,
    SPARSE_CONTRACTION,
    SPARSE_SWEEPS,
    SWEEP_CONTRACTION,
    Batch,
    Points,
    Solved,
)
from .curvatures import ACTIVE_A_ROW, CurvatureSource, Frozen, OfFewRows
from .newton_cg import NewtonCG
from .passes import Passes
from .polynomials import lagrange
from .prox_newton import MOST_KNOWN, NewtonPath, Point, aims_of
from .row_space import RowSpace
from .rows import on_rows, on_rows_that_count
from .screening import Features
from .single_fit import fit_alone

# Alphas of the first batch and of the longest.
FIRST_BATCH, LONGEST_BATCH = 4, 16
# The next batch is twice as long after so many sweeps or fewer, and half as long after more than
# the second.
FEW_SWEEPS, MANY_SWEEPS = 2, 4
# The same of a sparse X: there a sweep takes a tenth of a Gram matrix, which a long batch shares.
FEW_SPARSE, MANY_SPARSE = 4, 7
# An alpha below this share of the one before is solved by itself: little is shared with others, and
# the polynomial goes too far.
NEXT_ALPHA = 0.6
# With more active features alphas are solved one by one: 500 take 1 ms an alpha and sweep. The
# second is of a sparse X, where the Gram matrices that one by one takes cost more.
LARGEST_SUPPORT, LARGEST_SPARSE_SUPPORT = 500, 1000
# Entries that arrays of the rows of one batch have at most.
ENTRIES_OF_A_BATCH = 1 << 19
# Solutions that are extrapolated from are this share of the batch that begins apart.
BEHIND = 0.5
# So many features may join for one batch, or this share of those that are active.
JOINING_A_BATCH, SHARE_JOINING_A_BATCH = 96, 0.6
# A batch that needs more is cut to this share.
CUT = 0.7
# From this share of the features of a dense X in the working set all are: the KKT check and new
# columns for each batch take longer than the larger Gram matrix, at 5000 x 100 a tenth of a path.
SHARE_OF_WHOLE = 0.7
# A feature joins if its correlation is predicted to come this near to its threshold, as a share of
# the change of the threshold: half of what serves one alpha, whose slope is known less well.
NEAR_IN_A_BATCH = 0.1
# A single alpha with so many rows or more starts from the solution on about so many of them.
ROWS_WITH_A_SAMPLE, ROWS_OF_A_SAMPLE = 8000, 4000


class BatchedNewton(NewtonPath):
    """The solutions along a path.

    Attributes
    ----------
    source : CurvatureSource or None
        Of the present working set; None asks for a new one.
    missing : ndarray of int
        Features that must be in the next working set.
    rest : int
        Alphas of a sparse X that the last batch left for these, which the next one solves with the
        same curvature; each other one has its own.
    last : ReferencePoint or None
        Where the last batch of a sparse X ended.
    """

    def __init__(
        self,
        bound: Bound,
        k: int,
        start: Array,
        settings: Settings,
        alone: bool,
        intercept: float | None = None,
    ) -> None:
        super().__init__(bound, k, start, settings, alone, intercept)
        smooth = self.rows.loss.gap_from_curvature and not self.penalty.has_bounds
        self.batches, sparse = smooth and not alone, self.design.sparse
        self.few, self.many = (FEW_SPARSE, MANY_SPARSE) if sparse else (FEW_SWEEPS, MANY_SWEEPS)
        most = SPARSE_SWEEPS if sparse else MOST_SWEEPS
        contraction = SPARSE_CONTRACTION if sparse else SWEEP_CONTRACTION
        self.limits = min(settings.max_iter, most), contraction
        self.largest_support = LARGEST_SPARSE_SUPPORT if sparse else LARGEST_SUPPORT
        self.check = KKTCheck(self.design, self.penalty, settings.tuning) if sparse else None
        self.source: CurvatureSource | None = None
        self.passes: Passes | None = None
        self.missing, self.rest = self.index[:0], 0
        self.last: ReferencePoint | None = None

    def run(self, alphas: Array) -> Iterator[Solution]:
        """The solutions at decreasing alphas."""
        done, length, n_sweeps, again = 0, FIRST_BATCH, 0, False
        most = max(1, min(LONGEST_BATCH, ENTRIES_OF_A_BATCH // self.design.n_samples))
        while done < len(alphas):
            found, length = [], min(length, most)
            rest, before = self.rest, length
            count = self._together(alphas[done : done + (rest or length)])
            if count:
                batch = self._advance(alphas[done : done + count])
                found, length, n_sweeps = self._accept(batch), len(batch.alphas), batch.n_sweeps
                del batch  # and its arrays, before those of the next one
                again = not found and not again and len(self.missing) > 0
                if again:  # with the features that were missing
                    continue
            if not found:
                if self.design.sparse and self.source is not None:
                    self._start_anew()  # with curvatures that are bounded from below
                found, length = [self.solve(float(alphas[done]))], 1
                self.source, self.passes, self.rest = None, None, 0
            elif self.rest or (rest and len(found) == length):
                length = before
            elif len(found) < length or n_sweeps > self.many:
                length = max(1, len(found) // 2)
            elif n_sweeps <= self.few:
                length *= 2
            done += len(found)
            yield from found

    def _together(self, alphas: Array) -> int:
        """How many of these alphas, from the first, are a batch; zero where one alone is better.

        A support that is large is left to the active-set method, which updates its factor, as is
        one of more features than a sparse X has rows, whose curvature has no smaller form here.
        """
        n_active, largest = np.count_nonzero(self.point.w), float(self.largest_support)
        if self.design.sparse:
            largest = min(largest, ACTIVE_A_ROW * self.design.n_samples)
        if not self.batches or not alphas[0] > 0.0 or n_active > largest:
            return 0
        last = self.alpha if np.isfinite(self.alpha) else alphas[0]
        before = np.append(last, alphas[:-1])
        far = alphas < NEXT_ALPHA * before
        return int(far.argmax()) if far.any() else len(alphas)

    @property
    def _aims(self) -> tuple[float, float]:
        """The largest relative gap, and the largest error of a step."""
        return self.aim, self.least_error

    def _start_anew(self) -> None:
        """Let the next batch make what hangs on the working set and the curvature."""
        self.source = self.passes = self.model = None

    # A batch ------------------------------------------------------------------------------

    @np.errstate(over="ignore", invalid="ignore", divide="ignore")
    def _advance(self, alphas: Array) -> Batch:
        """The batch of as many of these alphas, from the first, as few features need join for."""
        self._renew_if_worthwhile()
        if not self.whole:
            alphas = self._choose(alphas)
        start = self._extrapolated_to(alphas)
        active = start.W * self.point.w[self.index] > 0.0
        return self._batch(alphas, start, active)

    def _batch(self, alphas: Array, start: Points, active: Mask) -> Batch:
        """Run a batch from a start; see `Batch.run`."""
        rows, part, whole = self.rows, self.part, self.whole
        if self.source is None:
            self.source = self._new_source()
        if self.passes is None:
            self.passes = Passes(rows, part, whole)
        last = None if self.last is None or self.last.alpha != self.alpha else self.last
        of_all = self.design, self.penalty, self.noise
        features = Features(*of_all, self.index, part, self.check, last)
        batch = Batch(rows, features, alphas)
        batch.run(self.passes, self.source, start, active, self._aims, self.limits)
        if isinstance(self.source, Frozen):
            if self.source.model is not self.model:
                self.model, self.spent = self.source.model, 0.0
            self.spent += batch.n_later * self._cost_of_evaluation()
        self.subproblem.forget()
        return batch

    def _new_source(self) -> CurvatureSource:
        """Curvatures of their own where the rows are few beside the support, else one for all."""
        rows, part = self.rows, self.part
        many = np.count_nonzero(self.point.w) > ACTIVE_A_ROW * part.n_samples
        if part.plain is not None and many:
            return OfFewRows(part.plain, rows.omega, rows.has_intercept)
        return Frozen(rows, part, self.model)

    def _renew_if_worthwhile(self) -> None:
        """Ask for a new curvature where sweeps with the old one have cost more."""
        worn = not self.rest if self.design.sparse else self.spent > self._cost_of_refresh()
        if isinstance(self.source, Frozen) and worn:
            self.source = self.model = None

    def _accept(self, batch: Batch) -> list[Solution]:
        """The solutions of a batch, from the last of which the next one starts."""
        n_done, ends, self.missing = batch.done, batch.ends, batch.missing
        left = len(batch.alphas) - n_done
        self.rest = left if self.design.sparse and len(self.missing) else 0
        if left and not self.rest and isinstance(self.source, Frozen):
            self.source = self.model = None
        if not n_done:
            return []
        if ends is not None:
            first, last = ends
            above, q = (self.alpha, self.q) if n_done == 1 else (first.alpha, first.q)
            if last.alpha < above < np.inf:
                self.slope = (last.q - q) / (above - last.alpha)
            self.q, self.last = last.q, last if self.design.sparse else None
        return self._solutions(batch.solved)

    def _solutions(self, solved: Solved) -> list[Solution]:
        """What batches found, as solutions; the path goes on from the last."""
        design, points = self.design, solved.points
        W = np.zeros((len(solved.alphas), design.n_features))
        W[:, self.index] = points.W
        deviances = np.maximum(2.0 * (solved.values - self.rows.saturated), 0.0)
        intercepts = design.intercept(design.to_raw(W.T), points.b)
        df = np.count_nonzero(W, axis=1).astype(float)
        if not self.penalty.l1_ratio:  # they take a decomposition
            df.fill(np.nan)
        columns = solved.gaps, solved.n_iter.astype(int), deviances, df, intercepts
        numbers = zip(*(column.tolist() for column in columns), strict=True)
        found = [Solution(w, *one) for w, one in zip(W, numbers, strict=True)]
        last = slice(-MOST_KNOWN, None)
        each_point = list(map(Point, W[last], points.b[last].tolist(), points.eta[last]))
        self._remember(np.log(solved.alphas[last]).tolist(), each_point)
        self.alpha, self.point = float(solved.alphas[-1]), self.known[-1][1]
        return found

    def _extrapolated_to(self, alphas: Array) -> Points:
        """The points predicted at several alphas, less and less certain."""
        known, k = self.known or [(0.0, self.point)], len(alphas)
        apart = max(1, min((len(known) - 1) // 2, int(BEHIND * k)))
        known = known[-1::-apart][:3]
        each = np.broadcast_to(np.arange(len(known)), (k, len(known)))
        shares = lagrange(np.log(alphas), np.array([log for log, _ in known]), each)
        return self._points_of([point for _, point in known]).combined(shares)

    def _points_of(self, known: list[Point]) -> Points:
        """Points of all features as one of the working set."""
        W = np.array([point.w[self.index] for point in known])
        b = np.array([point.b for point in known])
        return Points(W, b, np.array([point.eta for point in known]))

    # The working set of a batch -----------------------------------------------------------

    def _choose(self, alphas: Array) -> Array:
        """Choose the working set for as many of these alphas as few features need join for."""
        keep, k = (self.point.w != 0) | self.penalty.free, len(alphas)
        for _, point in self.known[-k - 2 :]:  # whose linear predictors are extrapolated
            keep |= point.w != 0
        keep[self.missing] = True
        most = max(JOINING_A_BATCH, int(SHARE_JOINING_A_BATCH * np.count_nonzero(keep)))
        if isinstance(self.source, Frozen):
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
        if isinstance(self.source, Frozen):
            self._grow(np.union1d(new, self.missing[~self.inside[self.missing]]))
        else:
            keep[new] = True
            keep[np.argmax(np.abs(self.q))] |= not keep.any()
            keep |= not self.design.sparse and keep.sum() >= SHARE_OF_WHOLE * len(keep)
            self._start_anew()
            self.index, self.inside = keep.nonzero()[0], keep
            self.part = self.design.subset(self.index)
        return alphas[:k]

    def _predicted_excess(self, alpha: float) -> Array:
        """By how much correlations are predicted to exceed a level near their thresholds."""
        if self.slope is None:  # the strong rule
            level = alpha if np.isinf(self.alpha) else max(2.0 * alpha - self.alpha, 0.0)
            return self.penalty.at(level).violation_at_zero(self.q)
        fall = self.alpha - alpha
        level = max(alpha - NEAR_IN_A_BATCH * fall, 0.0)
        return self.penalty.at(level).violation_at_zero(self.q + fall * self.slope)

    def _grow(self, new: Index) -> None:
        """Add features to the working set and to the curvature that is kept."""
        if len(new):
            self._join(new)
            self.source, self.passes = Frozen(self.rows, self.part, self.model), None


def solve(bound: Bound, alphas: Array, start: Array, settings: Settings) -> Iterator[Solution]:
    """See `base.py` for the contract."""
    yield from solve_each(BatchedNewton, bound, alphas, start, settings)


class RunsAlong(Protocol):
    """What solves one target along a path."""

    def run(self, alphas: Array) -> Iterator[Solution]:
        """The solutions at decreasing alphas."""
        ...


def solve_each(
    kind: Callable[..., RunsAlong], bound: Bound, alphas: Array, start: Array, settings: Settings
) -> Iterator[Solution]:
    """The same by a path of this kind for each target."""
    alone = len(alphas) == 1
    bound = bound if alone else on_rows_that_count(bound)
    by_products = kind is BatchedNewton and NewtonCG.serves(bound, alphas, alone)
    path: Callable[..., RunsAlong] = NewtonCG if by_products else kind
    span, penalised = None, bool(alphas[0] > 0.0)
    if not by_products and penalised == (alphas[-1] > 0.0) and RowSpace.serves(bound, penalised):
        span = RowSpace(bound, penalised)
    if span is not None:
        bound, start, design = span.bound, span.inside(start), bound.design
    intercepts: list[float | None] = [None] * start.shape[1]
    if alone and bound.design.n_samples >= ROWS_WITH_A_SAMPLE and not start.any():
        start, intercepts = _from_some_rows(kind, bound, alphas, start, settings)
    if alone and span is None and path is BatchedNewton:
        near = start[:, 0], settings, aims_of(settings), intercepts[0]
        fit = fit_alone(bound, float(alphas[0]), *near, sampled=intercepts[0] is not None)
        if fit is not None:
            yield fit
            return
    each = enumerate(zip(start.T, intercepts, strict=True))
    runs = [path(bound, k, w, settings, alone, b).run(alphas) for k, (w, b) in each]
    if not alone and not bound.loss.gap_from_curvature:
        zero = np.zeros(len(start))
        anew = [partial(kind, bound, k, zero, settings, True) for k in range(len(runs))]
        runs = [_mended(run, one, alphas, settings) for run, one in zip(runs, anew, strict=True)]
    if len(runs) == 1 and span is None:
        yield from runs[0]
        return
    for found in zip(*runs, strict=True):
        if span is not None:
            found = tuple(_on_features(one, design, span) for one in found)
        yield Solution.joined(found)


def _mended(
    run: Iterator[Solution], anew: Callable[[], RunsAlong], alphas: Array, settings: Settings
) -> Iterator[Solution]:
    """The same, with what a path did not reach reached from zero, where a curvature may vanish."""
    for alpha, found in zip(alphas, run, strict=True):
        if not found.gap <= settings.threshold:
            (other,) = anew().run(np.array([alpha]))
            found = other if other.gap < found.gap else found
        yield found


def _from_some_rows(
    kind: Callable[..., RunsAlong], bound: Bound, alphas: Array, start: Array, settings: Settings
) -> tuple[Array, list[float | None]]:
    """Coefficients and intercepts to start from, those of a part of the rows."""
    design = bound.design
    n_samples = design.n_samples
    order = np.random.RandomState(0).permutation(n_samples)
    chosen = np.sort(order[:: n_samples // ROWS_OF_A_SAMPLE])
    if not design.omega[chosen].any():
        return start, [None] * start.shape[1]
    few = on_rows(bound, chosen)
    rough = replace(settings, exact=False, scale_floor=True)  # a few rows may be met
    (found,) = solve_each(kind, few, alphas, start, rough)
    intercepts = np.reshape(found.intercept, -1)
    if not np.isfinite(found.coef).all():
        return start, [None] * len(intercepts)
    return np.reshape(found.coef, start.T.shape).T, intercepts.tolist()


def _on_features(found: Solution, design: Design, span: RowSpace) -> Solution:
    """A solution in the span of the rows, whose means are zero, as one of all features."""
    w = span.outside(found.coef)
    intercept = float(design.intercept(design.to_raw(w), found.intercept))
    return found._replace(coef=w, intercept=intercept)
