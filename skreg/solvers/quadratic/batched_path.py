"""A path with an L1 part over many features: a working set, and a batch of alphas at a time.

For each batch of alphas:

1. `admit`. The correlations q of all features, extrapolated from the last final alpha along their
   slope, tell which features may be active in the batch; these join the working set. The first
   slope is that of the best feature alone, later ones are differences of two q. A batch for which
   too many would join is cut. What "near the threshold" means adapts: the margin doubles after a
   batch with a violation and is halved after one without.
2. `advance`. The homotopy (`followed.py`) or, where that is dearer, the active-set method
   (`active_set.py`) solves all alphas on the Gram matrix of the working set, and the KKT check
   (`kkt_check.py`) looks at all features at all alphas. The solutions up to the first violation are
   final. The active-set method is rolled back to its checkpoint at the first alpha that is not, to
   go on from there with the largest of the violating features, and the next batch is shorter; after
   a batch that is final as a whole it is longer.
3. `move`. The last final alpha becomes the one to extrapolate from. That may take products with X,
   which the last batch of all does not need, hence it is done before the next batch.

Alphas far below the one before get others in between, so that Newton's method starts nearby; these
count for `max_iter` of the next alpha that is wanted. Where that is spent, violations are accepted,
and the gap tells. Supports too large for a Cholesky factor are left to `large_support.py`.

No feature is left out without the check. X is neither centred nor copied, but for the columns of
the working set. Cost: for each batch one to four products of X with a vector for the check, and up
to two for the move; the strong rule of Tibshirani et al. (JRSS B 74(2), 2012) bounds the slope
where this method estimates it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ...data.design import Array, Index
from ..base import AIM, Mask, OneTarget, Settings, Solution, target_by_target
from ..optimality import relative_gap, support_gaps
from ..tolerances import KKT_TOLERANCE
from . import large_support
from .coordinate_descent import without_a_step
from .descent import GramModel, descend
from .followed import FollowedPath
from .kkt_check import KKTCheck, ReferencePoint
from .proximal import ProximalActiveSet
from .state import State
from .working_set import WorkingSet


class Passed(NamedTuple):
    """A batch that was solved: its reference points, its final alphas and their residuals."""

    points: list[ReferencePoint]
    alphas: Array
    R: Array


class BatchedPath:
    """The path as far as it is known, and how to get on.

    Attributes
    ----------
    here : ReferencePoint
        The last alpha that is final, once `move` was called.
    slope : ndarray of shape (n_features,) or None
        How the correlations change there as alpha falls by one.
    w : ndarray of shape (size of the working set,)
        Coefficients there or, after a violation, at the first alpha that is not final.
    n_active : int
        How many of these are not zero.
    violators : ndarray of int
        Features that must join the working set before the next batch.
    margin : float
        `Tuning.margin`, or up to `Tuning.widest` after batches with a violation.
    used : int
        Iterations since the last alpha that is wanted.
    passed : Passed
        The last batch.
    """

    def __init__(
        self,
        one: OneTarget,
        start: Array,
        settings: Settings,
        single: bool,
    ) -> None:
        design, penalty = one.design, one.penalty
        self.one, self.design, self.penalty, self.settings = one, design, penalty, settings
        self.tuning = settings.tuning
        most = min(self.tuning.joining_single, design.n_features // 8) if single else 0
        self.joining = max(self.tuning.joining, most)
        self.working = WorkingSet(design, one.y)
        rank = min(design.n_samples - (design.mean is not None), design.n_features)
        self.solver = ProximalActiveSet(penalty, rank, one.yy, tuning=self.tuning)
        self.solver.extend(np.empty((0, 0)), np.empty(0), self.working.index)
        self.w, self.n_active = np.empty(0), 0
        self.check = KKTCheck(design, penalty, self.tuning)
        self.slope: Array | None = None
        self.violators, self.margin, self.used = self.working.index, self.tuning.margin, 0
        r, q = one.y, one.c
        support = np.flatnonzero((start != 0) | penalty.free)
        if len(support):
            self.working.grow(support)
            self.w, self.n_active = start[support], len(support)
            r = self.working.residual_of(start[support])
            q = design.correlate(r)
        largest = np.finfo(np.float64).max
        alpha = min(float(self._scaled_outside(q).max()) / penalty.l1_ratio, largest)
        self.here = ReferencePoint(alpha, r, q)
        self.passed = Passed([self.here], np.empty(0), np.empty((len(r), 0)))
        self.followed = FollowedPath(penalty, alpha, 0 if len(support) else self.tuning.followed)

    def _scaled_outside(self, q: Array) -> Array:
        """Scaled correlations of the features outside the working set, zeros for the others."""
        scaled = self.check.scaled(q)
        scaled[self.working.index] = 0.0
        return scaled

    def _largest(self, index: Index, scaled: Array) -> Index:
        """Those of `index` with the largest scaled correlations, as many as may join at once."""
        most = max(self.joining, int(self.tuning.joining_share * self.n_active))
        if len(index) <= most:
            return index
        return np.sort(index[np.argpartition(-scaled[index], most)[:most]])

    def admit(self, alphas: Array, length: int) -> int:
        """Add what the next `length` alphas will need; returns for how many of them this does."""
        tuning, here, ratio = self.tuning, self.here, self.penalty.l1_ratio
        if self.slope is None:
            self.slope = self._first_slope()
        length = min(length, len(alphas))
        while True:
            last = float(alphas[length - 1])
            fall = max(here.alpha - last, 0.0)
            scaled = self._scaled_outside(here.q + fall * self.slope)
            scaled[self.violators] = np.inf
            new = np.flatnonzero(scaled > max(ratio * (last - self.margin * fall), 0.0))
            joining = self._largest(new, scaled)
            if len(joining) == len(new) or length == 1:
                break
            length = max(1, int(tuning.shortened * length))
        self.working.grow(joining)
        self.violators = new[:0]
        return length

    def _first_slope(self) -> Array:
        """Slope of the correlations while the best feature alone is active."""
        q, penalty = self.here.q, self.penalty
        best = int(self._scaled_outside(q).argmax())
        column = self.design.correlate(self.design.columns(np.array([best]))[:, 0])
        curvature = float(column[best])
        if curvature <= 0.0:
            return np.zeros_like(q)
        rate = penalty.l1_ratio * float(penalty.factors[best])
        return column * (-np.sign(q[best]) * rate / curvature)

    def advance(self, alphas: Array, wanted: Mask) -> list[Solution]:
        """Solutions at those of these alphas that are final; `move` is next.

        Iterations at alphas that are not `wanted` count for the next one that is.
        """
        ratio, max_iter = self.penalty.l1_ratio, self.settings.max_iter
        W, n_iters, states = self._solved(alphas, wanted)
        R = self.working.residual_of(W)
        points, left = self.check.screen(self.here, alphas, R, self.working.inside)
        n_final, rest = len(alphas), np.ones(len(alphas))  # what is screened out is within
        if len(left):
            scaled = self.check.scaled_by(R, left)
            rest = np.max(scaled, axis=1) / (ratio * alphas)
            violated = (rest > 1.0 + KKT_TOLERANCE) & (np.array(n_iters) < max_iter)
            if violated.any():
                n_final = int(violated.argmax())
                limit = ratio * alphas[n_final] * (1.0 + KKT_TOLERANCE)
                index = np.flatnonzero(scaled[n_final] > limit)
                self.violators = left[self._largest(index, scaled[n_final])]
        final = slice(0, n_final)
        found = self._certified(
            alphas[final], wanted[final], W[:, final], R[:, final], rest[final], n_iters
        )
        self.passed = Passed(points, alphas[final], R[:, final])
        if n_final == len(alphas):
            self.margin = max(self.tuning.margin, self.margin / 2)
            self.used = 0 if wanted[-1] else n_iters[-1]
            self.followed.accept()
        else:
            self.margin = min(self.tuning.widest, self.margin * 2)
            self.used = n_iters[n_final]
            if states:
                self.solver.state = states[n_final]
        self.w = W[:, min(n_final, len(alphas) - 1)]
        self.n_active = int(np.count_nonzero(self.w))
        return found

    def _solved(self, alphas: Array, wanted: Mask) -> tuple[Array, list[int], list[State]]:
        """Coefficients of the working set at these alphas, iterations, and Newton's states."""
        index, gram, used = self.working.index, self.working.gram, self.used
        assert gram is not None
        max_iter, n_iters, states = self.settings.max_iter, list[int](), list[State]()
        W = self.followed.coefficients(gram, self.one.c[index], index, alphas, max_iter)
        if W is None and len(self.solver.state.w) < len(index):
            start = np.zeros(len(index))
            start[: len(self.w)] = self.w
            self.solver.extend(gram, self.one.c[index], index, start)
        for alpha, want in zip(alphas.tolist(), wanted.tolist(), strict=True):
            if W is None:
                used += self.solver.solve(alpha, max(1, max_iter - used), final=want)
                states.append(self.solver.state)
            else:
                used += 1
            n_iters.append(used)
            used = 0 if want else used
        return np.array([state.w for state in states]).T if W is None else W, n_iters, states

    def move(self) -> None:
        """Go to the last alpha of the batch that is final."""
        points, alphas, R = self.passed
        if not len(alphas):
            return
        here = self._point(points, alphas, R, len(alphas) - 1)
        before = [point for point in points if point.alpha > here.alpha]
        if len(alphas) > 1 and self.design.n_samples * self.design.n_features <= (
            self.tuning.cheap_product
        ):
            near = self._point(points, alphas, R, len(alphas) - 2)
            before = [near] if near.alpha > here.alpha else before
        if before:
            self.slope = (here.q - before[-1].q) / (before[-1].alpha - here.alpha)
        self.here = here

    def _point(
        self, points: list[ReferencePoint], alphas: Array, R: Array, i: int
    ) -> ReferencePoint:
        """The path at alpha i, which may be a reference alpha."""
        known = [point for point in points[1:] if point.alpha == alphas[i]]
        return known[0] if known else self.check.points(alphas[[i]], R[:, [i]])[0]

    def _certified(
        self,
        alphas: Array,
        wanted: Mask,
        W: Array,
        R: Array,
        rest: Array,
        n_iters: list[int],
    ) -> list[Solution]:
        """Coefficients of all features, with their gaps; improved where they are wanted.

        `rest` bounds the correlations outside the working set, over their thresholds.
        """
        design, gram, index = self.working.part, self.working.gram, self.working.index
        assert gram is not None
        rss, gaps = np.zeros((2, len(alphas)))  # not asked of those that are not wanted
        if wanted.any():
            at = slice(None) if wanted.all() else wanted.nonzero()[0]
            rss[at] = self.design.norm2(R[:, at])
            penalty = self.penalty.take(index).at_each(alphas[at])
            Q = W[:, at] if design is None else design.correlate(R[:, at])
            more = rest[at], rss[at], penalty, gram.diagonal(), self.one.unit
            gaps[at] = support_gaps(W[:, at], Q, *more)
        df, found = np.count_nonzero(W, axis=0).astype(np.float64), list[Solution]()
        numbers = gaps.tolist(), n_iters[: len(alphas)], rss.tolist(), df.tolist()
        for part, *known in zip(W.T, *numbers, strict=True):
            w = np.zeros(self.design.n_features)
            w[index] = part
            found.append(Solution(w, *known))
        for i in np.flatnonzero((gaps > AIM) & wanted).tolist():
            found[i] = self._improved(found[i], float(alphas[i]), R[:, i])
        return found

    def _improved(self, found: Solution, alpha: float, r: Array) -> Solution:
        """A tighter bound of the gap or, if that is not the reason, a better solution."""
        one, design, penalty = self.one, self.design, self.penalty.at(alpha)
        q = design.correlate(r)
        gap = relative_gap(found.coef, q, found.rss, penalty, design, one.unit)
        found = found._replace(gap=min(gap, found.gap))
        budget = self.settings.max_iter - found.n_iter
        if found.gap <= AIM or budget <= 0:
            return found
        index, gram = self.working.index, self.working.gram
        assert gram is not None
        part, model = found.coef[index], GramModel(gram, one.c[index])
        _, n_iter = descend(model, part, penalty.take(index), one.yy, budget, None)
        w, residual = np.zeros_like(found.coef), self.working.residual_of(part)
        w[index] = part
        q, rss = design.correlate(residual), float(design.norm2(residual))
        gap = relative_gap(w, q, rss, penalty, design, one.unit)
        if gap >= found.gap:
            return found
        return Solution(w, gap, found.n_iter + n_iter, rss, float(np.count_nonzero(w)))


def solve_one(
    one: OneTarget, alphas: Array, start: Array, settings: Settings
) -> Iterator[Solution]:
    """Each alpha in turn, for one target; see `base.py`."""
    if start.any():
        optimal = without_a_step(one, float(alphas[0]), start)
        if optimal is not None:
            yield optimal
            alphas = alphas[1:]
    if not len(alphas):
        return
    design, penalty = one.design, one.penalty
    if not start.any() and large_support.pays_at_once(design, penalty.at(alphas[0]), one.c):
        yield from large_support.solve(one, alphas, start, settings)
        return
    single, w, done = len(alphas) == 1, start, 0
    path = BatchedPath(one, start, settings, single)
    shortest, length, longest = settings.tuning.batches
    largest_fall, most = settings.tuning.largest_fall, settings.max_iter // 4
    alphas, wanted = with_intermediate(path.here.alpha, alphas, largest_fall, most)
    while done < len(alphas):
        path.move()
        length = path.admit(alphas[done:], length)
        too_large = path.working.gram is None
        if too_large or large_support.pays(design, penalty.at(alphas[done]), path.n_active):
            rest = alphas[done:][wanted[done:]]
            yield from large_support.solve(one, rest, w, settings)
            return
        batch = slice(done, done + length)
        found = path.advance(alphas[batch], wanted[batch])
        yield from (each for each, want in zip(found, wanted[done:], strict=False) if want)
        if found:
            done, w = done + len(found), found[-1].coef
            if path.used >= settings.max_iter:  # no more intermediate alphas before the next
                done += int(wanted[done:].argmax())
        length = min(2 * length, longest) if len(found) == length else max(shortest, len(found))


solve = target_by_target(solve_one)


def with_intermediate(
    alpha: float, alphas: Array, largest_fall: float, most: int
) -> tuple[Array, Mask]:
    """These alphas and up to `most` others before each, so that none is far below the one before.

    The second array tells which are wanted. Newton's method ends where it starts nearby.
    """
    found, wanted = [], []
    for target in alphas.tolist():
        if 0.0 < target < largest_fall * alpha:
            n_steps = (np.log(alpha) - np.log(target)) / -np.log(largest_fall)
            n_between = int(min(n_steps, most))
            found += np.geomspace(alpha, target, n_between + 2)[1:-1].tolist()
            wanted += [False] * n_between
        found.append(target)
        wanted.append(True)
        alpha = target
    return np.array(found), np.array(wanted)
