"""A path with an L1 part over many features: a working set, and a chunk of alphas at a time.

1. The correlations q of all features at the last alpha, moved along the slope they had, tell
   which features a chunk of alphas will need. The first slope is that of the best feature alone,
   the later ones are the difference of the last two q.
2. These join the working set; `active_set.py` solves the chunk on the set's Gram matrix.
3. A check of all features at all alphas of the chunk (`full_check.py`), which also gives q at its
   end and the next slope. Up to the first alpha at which a feature outside the set violates
   optimality the solutions stand; then the violators join, and the walk goes on from there with a
   shorter chunk.

Nothing is left out without that check. X is neither centred nor copied, but for the columns of
the working set. Cost: one to four products of X with a vector for each chunk; the strong rule of
Tibshirani et al. (JRSS B 74(2), 2012) bounds the slope where this method estimates it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...data.design import Array, Design, Index
from ...objective.penalties import Penalty
from ..base import AIM, Mask, OneTarget, Settings, Solution, target_by_target
from ..optimality import relative_gap, support_gaps
from ..tolerances import KKT_TOLERANCE
from . import large_support
from .coordinate_descent import without_a_step
from .descent import GramModel, descend
from .full_check import FullCheck, Point
from .proximal import ProximalActiveSet
from .working_set import WorkingSet

# Chunks start with so many alphas, double while they stand, and are never longer.
SHORTEST, FIRST, LONGEST = 2, 4, 25
# A feature joins that is predicted to come this near to its threshold, as a share of the way: the
# first, doubled up to the second after a chunk that was violated and halved after one that stood.
MARGIN, WIDEST = 0.1, 0.4
# At most so many features join for a chunk, or this share of those in use. On the way to one alpha
# alone fewer chunks save more than a small set: 5.5 instead of 7.5 ms with 134 active of 2400.
BUDGET, BUDGET_ALONE, BUDGET_SHARE = 96, 192, 0.6
# A chunk that would need more is cut to this share.
CUT = 0.7
# For X with so many entries the slope is worth a product of its own: that between the last two
# alphas foretells more of what joins than that from one anchor to the next.
CHEAP = 1_000_000
# The way to an alpha below this share of the last one is broken up.
LARGEST_FALL = 0.75


class Walk:
    """What is known of the path so far, and how to get on.

    Attributes
    ----------
    alpha : float
        The last alpha that is done.
    q, slope : ndarray of shape (n_features,)
        Correlations there, and how they change as alpha falls by one.
    """

    def __init__(
        self,
        design: Design,
        target: OneTarget,
        penalty: Penalty,
        start: Array,
        settings: Settings,
        alone: bool,
    ) -> None:
        self.design, self.penalty, self.settings = design, penalty, settings
        self.yy, self.unit = target.yy, target.unit
        self.c = self.q = target.c
        self.chosen = WorkingSet(design, target.y)
        rank = min(design.n_samples - (design.mean is not None), design.n_features)
        self.solver = ProximalActiveSet(penalty, rank, self.yy)
        self.solver.extend(np.empty((0, 0)), np.empty(0), self.solver.active)
        self.check = FullCheck(design, penalty)
        self.r = target.y
        used = np.flatnonzero((start != 0) | penalty.free)
        if len(used):
            self.grow(used, start[used])
            self.r = self.chosen.residual_of(start[used])
            self.q = design.correlate(self.r)
        self.slope: Array | None = None
        self.least_budget = BUDGET_ALONE if alone else BUDGET
        self.violators = np.empty(0, dtype=np.intp)  # which must join before the next alpha
        self.margin = MARGIN
        self.used = 0  # iterations since the last alpha that is wanted
        largest = np.finfo(np.float64).max
        self.alpha = min(float(self.reach(self.q).max()) / penalty.l1_ratio, largest)

    def reach(self, q: Array) -> Array:
        """How far each feature outside the set is pulled, in units of l1_ratio times alpha."""
        out = self.check.pull(q)
        out[self.chosen.index] = 0.0
        return out

    def grow(self, new: Index, start: Array | None = None) -> None:
        """Add features to the working set."""
        if not len(new):
            return
        self.chosen.grow(new)
        index = self.chosen.index
        if self.chosen.gram is not None:
            known = np.zeros(len(index))
            if start is not None:
                known[-len(new) :] = start
            self.solver.extend(self.chosen.gram, self.c[index], index, known)

    @property
    def budget(self) -> int:
        """How many features may join at once."""
        return max(self.least_budget, int(BUDGET_SHARE * len(self.solver.active)))

    def prepare(self, alphas: Array, length: int) -> int:
        """Add what the next alphas will need; returns how many of them this serves."""
        ratio = self.penalty.l1_ratio
        if self.slope is None:
            self.slope = self._first_slope()
        length = min(length, len(alphas))
        while True:
            last = float(alphas[length - 1])
            ahead = max(self.alpha - last, 0.0)
            pull = self.reach(self.q + ahead * self.slope)
            pull[self.violators] = np.inf
            new = np.flatnonzero(pull > max(ratio * (last - self.margin * ahead), 0.0))
            if len(new) <= self.budget or length == 1:
                break
            length = max(1, int(CUT * length))
        self.grow(top(new, pull, self.budget))
        self.violators = new[:0]
        return length

    def _first_slope(self) -> Array:
        """Slope of the correlations while the best feature alone moves."""
        best = int(self.reach(self.q).argmax())
        column = self.design.correlate(self.design.columns(np.array([best]))[:, 0])
        curvature = float(column[best])
        if curvature <= 0.0:
            return np.zeros_like(self.q)
        pull = self.penalty.l1_ratio * float(self.penalty.factors[best])
        return column * (-np.sign(self.q[best]) * pull / curvature)

    def advance(self, alphas: Array, wanted: Mask) -> list[Solution]:
        """Solutions at those of these alphas that stand; violators are noted for the next chunk.

        Iterations at alphas that are not `wanted` count for the next one that is.
        """
        solver, ratio, max_iter = self.solver, self.penalty.l1_ratio, self.settings.max_iter
        coefs, n_iters, states = [], [], []
        used = self.used
        for alpha, want in zip(alphas.tolist(), wanted.tolist(), strict=True):
            used += solver.solve(alpha, max(1, max_iter - used), final=want)
            n_iters.append(used)
            used = 0 if want else used
            coefs.append(solver.w)
            states.append(solver.state)
        W = np.array(coefs).T
        R = self.chosen.residual_of(W)
        here = Point(self.alpha, self.r, self.q)
        anchors, outside = self.check.settle(here, alphas, R, self.chosen.inside)
        n_stand, rest = len(alphas), np.ones(len(alphas))
        if len(outside):
            pulls = self.check.pulls(outside, R)
            rest = np.max(pulls, axis=1) / (ratio * alphas)
            past = np.flatnonzero((rest > 1.0 + KKT_TOLERANCE) & (np.array(n_iters) < max_iter))
            if len(past):
                n_stand = int(past[0])
                pull, limit = pulls[n_stand], ratio * alphas[n_stand] * (1.0 + KKT_TOLERANCE)
                self.violators = outside[top(np.flatnonzero(pull > limit), pull, self.budget)]
        stand = slice(0, n_stand)
        found = self._certified(
            alphas[stand], wanted[stand], W[:, stand], R[:, stand], rest[stand], n_iters
        )
        self.used = used
        if n_stand:
            self._remember(anchors, alphas[stand], R[:, stand])
        if n_stand == len(alphas):
            self.margin = max(MARGIN, self.margin / 2)
        else:
            self.margin = min(WIDEST, self.margin * 2)
            self.used = n_iters[n_stand]
            solver.state = states[n_stand]
        return found

    def _remember(self, anchors: list[Point], alphas: Array, R: Array) -> None:
        """Residual, correlations and slope at the last of these alphas, which are done."""
        here = self._point(anchors, alphas, R, len(alphas) - 1)
        before = [point for point in anchors if point.alpha > here.alpha]
        if len(alphas) > 1 and self.design.n_samples * self.design.n_features <= CHEAP:
            near = self._point(anchors, alphas, R, len(alphas) - 2)
            before = [near] if near.alpha > here.alpha else before
        if before:
            self.slope = (here.q - before[-1].q) / (before[-1].alpha - here.alpha)
        self.alpha, self.r, self.q = here.alpha, here.r, here.q

    def _point(self, anchors: list[Point], alphas: Array, R: Array, i: int) -> Point:
        """The point of the path at alpha i, which may be an anchor."""
        known = [point for point in anchors[1:] if point.alpha == alphas[i]]
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
        """Coefficients of all features, with their gaps; improved where they are wanted."""
        index, solver, part = self.chosen.index, self.solver, self.chosen.part
        rss, gaps = np.zeros((2, len(alphas)))  # not asked of those that are not wanted
        if wanted.any():
            at = slice(None) if wanted.all() else wanted.nonzero()[0]
            rss[at] = self.design.norm2(R[:, at])
            gaps[at] = support_gaps(
                W[:, at],
                W[:, at] if part is None else part.correlate(R[:, at]),
                rest[at],
                rss[at],
                solver.penalty.at_each(alphas[at]),
                solver.curvature,
                self.unit,
            )
        df = np.count_nonzero(W, axis=0)
        found = []
        for i, gap in enumerate(gaps.tolist()):
            w = np.zeros(self.design.n_features)
            w[index] = W[:, i]
            one = Solution(w, gap, n_iters[i], float(rss[i]), float(df[i]))
            good = gap <= AIM or not wanted[i]
            found.append(one if good else self._improved(one, float(alphas[i]), R[:, i]))
        return found

    def _improved(self, one: Solution, alpha: float, r: Array) -> Solution:
        """A tighter bound of the gap or, if that is not the reason, a better solution."""
        scaled, q = self.penalty.at(alpha), self.design.correlate(r)
        gap = relative_gap(one.coef, q, one.rss, scaled, self.design, self.unit)
        one = one._replace(gap=min(gap, one.gap))
        budget = self.settings.max_iter - one.n_iter
        if one.gap <= AIM or budget <= 0:
            return one
        index, part = self.chosen.index, one.coef[self.chosen.index]
        model = GramModel(self.solver.true_gram, self.solver.true_c)
        _, n_iter = descend(model, part, scaled.take(index), self.yy, budget, None)
        w, residual = np.zeros_like(one.coef), self.chosen.residual_of(part)
        w[index] = part
        q, rss = self.design.correlate(residual), float(self.design.norm2(residual))
        gap = relative_gap(w, q, rss, scaled, self.design, self.unit)
        if gap >= one.gap:
            return one
        return Solution(w, gap, one.n_iter + n_iter, rss, float(np.count_nonzero(w)))


def top(index: Index, score: Array, limit: int) -> Index:
    """The `limit` features of `index` with the largest scores."""
    if len(index) <= limit:
        return index
    return np.sort(index[np.argpartition(-score[index], limit)[:limit]])


@target_by_target
def solve(
    design: Design,
    target: OneTarget,
    penalty: Penalty,
    alphas: Array,
    start: Array,
    settings: Settings,
) -> Iterator[Solution]:
    """See `base.py` for the contract."""
    if start.any():
        optimal = without_a_step(design, target, penalty.at(alphas[0]), start)
        if optimal is not None:
            yield optimal
            alphas = alphas[1:]
    if not len(alphas):
        return
    if not start.any() and large_support.pays_at_once(design, penalty.at(alphas[0]), target.c):
        yield from large_support.solve(design, target, penalty, alphas, start, settings)
        return
    alone = len(alphas) == 1
    walk, length, w = Walk(design, target, penalty, start, settings, alone), FIRST, start
    stops, wanted = with_stops(walk.alpha, alphas, settings.max_iter // 4)
    done = 0
    while done < len(stops):
        length = walk.prepare(stops[done:], length)
        n_active, scaled = len(walk.solver.active), penalty.at(stops[done])
        if walk.chosen.gram is None or large_support.pays(design, scaled, n_active):
            rest = stops[done:][wanted[done:]]
            yield from large_support.solve(design, target, penalty, rest, w, settings)
            return
        ahead = slice(done, done + length)
        found = walk.advance(stops[ahead], wanted[ahead])
        for k, one in enumerate(found, start=done):
            if wanted[k]:
                yield one
        if found:
            done, w = done + len(found), found[-1].coef
            if walk.used >= settings.max_iter:  # no more stops on the way
                done += int(wanted[done:].argmax())
        stood = len(found) == length
        length = min(2 * length, LONGEST) if stood else max(SHORTEST, len(found))


def with_stops(alpha: float, alphas: Array, most: int) -> tuple[Array, Mask]:
    """These alphas and up to `most` others before each, so that none is far below its neighbour.

    The second array tells which are wanted. Newton's method ends where it starts nearby.
    """
    stops, wanted = [], []
    for target in alphas.tolist():
        if 0.0 < target < LARGEST_FALL * alpha:
            n_between = int(min((np.log(alpha) - np.log(target)) / -np.log(LARGEST_FALL), most))
            stops += np.geomspace(alpha, target, n_between + 2)[1:-1].tolist()
            wanted += [False] * n_between
        stops.append(target)
        wanted.append(True)
        alpha = target
    return np.array(stops), np.array(wanted)
