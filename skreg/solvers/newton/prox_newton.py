"""Proximal Newton method for a smooth loss of one linear predictor, certified at each alpha.

At each alpha, from the solution extrapolated along the path:

1. Working set. The correlations of all features, extrapolated from the last two alphas, tell which
   may be active; these join. With few features all are in it.
2. A step. The loss is replaced by its quadratic model (`model.py`), whose minimum with the penalty
   the active-set method of the quadratic solvers finds (`subproblem.py`). The curvature is kept
   from step to step and from alpha to alpha as long as that costs less than a new Gram matrix.
3. Line search by Armijo's rule where the step is long, or steps have been many. It needs no product
   with X. From then on every step has a curvature of its own, and the objective falls.
4. Certificate (`certificate.py`) from the residual of the model, whose correlations with all
   features are also the KKT check: features outside the working set that violate their conditions
   join it. No feature is left out without that.

Lee, Sun and Saunders, Proximal Newton-type methods for minimizing composite functions, SIAM J.
Optim. 24(3), 2014, prove the convergence.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...data.design import Array, Index
from ...objective.penalties import ScaledPenalty
from ..base import AIM, Bound, Settings, Solution
from ..optimality import degrees_of_freedom
from ..tolerances import KKT_ROUNDING, KKT_TOLERANCE
from .certificate import balanced, gap_of
from .line_search import NewtonSteps, armijo_share
from .model import CurvedModel
from .rows import target_rows
from .subproblem import Subproblem

# What is aimed for on the way, unless the tolerance is smaller: less leaves errors in the deviance
# of held-out rows that are seen, and the last two digits cost a step more.
USUAL_AIM = 1e-10
# Where the tolerance is smaller, the square of a step's error over the unit of gaps: coefficients
# to ten digits, where the gap alone would tell six.
EXACT_STEP = 1e-20
# With so many features or fewer, or so many entries of X, all are in the working set.
ALL_FEATURES, ALL_ENTRIES = 20, 1 << 17
# So many features may join the working set at once, or this share of it.
FEW_JOINING, SHARE_JOINING = 96, 0.6
# A feature joins if its correlation is predicted to come this near to its threshold, as a share of
# the change of the threshold.
NEAR_THRESHOLD = 0.2
# Where one must, those join that may be active this many times as far ahead: few large additions to
# the Gram matrix cost less than many.
AHEAD = 4.0
# A step that moves no linear predictor by more than this, and one of the first few of an alpha, is
# taken without looking at the objective.
LONG_STEP, TRUSTED_STEPS = 2.5, 3
# A curvature is kept while the error falls to this share or less with a step.
CONTRACTION = 0.25
# Times of an evaluation and of a Gram matrix, in floating point operations, at n rows and m
# features: 1.2e6 + 4nm + 40n and 1e6 + nm(m/2.2 + 8), measured from 1000 x 100 to 20000 x 500.
EVALUATION, PER_ROW, REFRESH = 1.2e6, 40.0, 1e6
# Solutions that are kept: for a batch of 16 alphas those up to its length behind.
MOST_KNOWN = 18


class Point(NamedTuple):
    """Coefficients of all features, the intercept and the linear predictor."""

    w: Array
    b: float
    eta: Array


class NewtonPath:
    """The solution at one alpha after another.

    Attributes
    ----------
    index : ndarray of int
        The working set; `part` has its columns.
    known : list of (float, Point)
        The last solutions and the logarithms of their alphas.
    q, before : ndarray of shape (n_features,)
        Correlations at the last alpha, and with what change of alpha the ones before changed.
    spent : float
        What steps with an old curvature have cost since it was new.
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
        design = bound.design
        self.design, self.penalty, self.settings = design, bound.penalty, settings
        self.alone = alone
        self.rows = rows = target_rows(bound, k)
        self.aim, self.least_error = aims_of(settings)
        rank = min(design.n_samples - rows.has_intercept, design.n_features)
        self.subproblem = Subproblem(self.penalty, rank, alone, settings.tuning)
        start = self.penalty.clip(start)
        predictor = design.predict(start) if start.any() else None
        if intercept is None or predictor is None:
            self.point = Point(start, *rows.beside(predictor))
        else:  # of the user's X, here of one with other means
            b = intercept - float(design.intercept(design.to_raw(start), 0.0))
            self.point = Point(start, b, rows.offset + predictor + b)
        r = balanced(rows, *rows.slopes(self.point.eta))
        self.q = design.correlate(r)
        self.slope: Array | None = None
        self.noise = KKT_ROUNDING * np.sqrt(design.variances * rows.square)
        self.alpha, self.known = np.inf, list[tuple[float, Point]]()
        self.model: CurvedModel | None = None
        self.spent = 0.0
        everything = design.n_features <= ALL_FEATURES or not self.penalty.l1_ratio
        if design.n_features <= design.n_samples:
            everything |= design.n_samples * design.n_features <= ALL_ENTRIES
        first = everything | self.penalty.free | (start != 0)
        first[np.argmax(np.abs(self.q))] = True  # a model is of one feature at least
        chosen = np.flatnonzero(first)
        self.index, self.inside, self.part = chosen, first, design.subset(chosen)

    # The working set ----------------------------------------------------------------------

    def _join(self, new: Index) -> None:
        """Add features to the working set and to the model."""
        if not len(new):
            return
        fresh = self.design.subset(new)
        self.part = self.part.joined(fresh, self.design.n_features)
        self.index = np.concatenate([self.index, new])
        self.inside[new] = True
        if self.model is not None:
            self.model.extend(self.part, fresh)

    @property
    def whole(self) -> bool:
        """Whether all features are in the working set."""
        return len(self.index) == self.design.n_features

    def _violating(self, q: Array, penalty: ScaledPenalty, share: float = 0.0) -> Index:
        """Features outside that violate their conditions at zero, as many as may join at once."""
        excess = penalty.violation_at_zero(q)
        found = np.flatnonzero(excess > self.noise)
        limit = share * np.abs(q[found]) + self.noise[found]
        found = found[~self.inside[found] & (excess[found] > limit)]
        most = max(FEW_JOINING, int(SHARE_JOINING * len(self.index)))
        if len(found) > most:
            found = np.sort(found[np.argpartition(-excess[found], most)[:most]])
        return found

    def _screen(self, alpha: float) -> None:
        """Add the features that may be active at this alpha."""
        if self.whole:
            return
        level = alpha if np.isinf(self.alpha) else max(2.0 * alpha - self.alpha, 0.0)
        if self.slope is None or not alpha < self.alpha:  # the strong rule
            self._join(self._violating(self.q, self.penalty.at(level)))
            return
        if len(self._predicted(alpha)):
            self._join(self._predicted(max(alpha - AHEAD * (self.alpha - alpha), 0.0)))

    def _predicted(self, alpha: float) -> Index:
        """Features outside that may be active at this alpha, along the slope of correlations."""
        assert self.slope is not None
        fall = self.alpha - alpha
        q, level = self.q + fall * self.slope, max(alpha - NEAR_THRESHOLD * fall, 0.0)
        return self._violating(q, self.penalty.at(level))

    # One alpha ----------------------------------------------------------------------------

    @np.errstate(over="ignore", invalid="ignore")
    def solve(self, alpha: float) -> Solution:
        """Move to the solution at `alpha`."""
        rows, penalty = self.rows, self.penalty.at(alpha)
        self._screen(alpha)
        point = self._extrapolated(alpha)
        if self.model is not None and self.spent > self._cost_of_refresh():
            self.model = None
        steps, best_q = NewtonSteps(rows, penalty, self.aim, point), self.q
        error, n_iter, tried = np.inf, 0, 0  # `tried` since features joined
        r, h = rows.slopes(point.eta)
        while n_iter < self.settings.max_iter:
            n_iter, tried = n_iter + 1, tried + 1
            if self.model is None or tried > TRUSTED_STEPS:
                self.model = CurvedModel(self.part, h, rows.has_intercept)
                self.spent = 0.0
            elif n_iter > 1:
                self.spent += self._cost_of_evaluation()
            new = self._step(alpha, point, r)
            if not np.isfinite(new.eta).all():  # no curvature is left where there is no minimum
                break
            long = tried > TRUSTED_STEPS or np.abs(new.eta - point.eta).max() > LONG_STEP
            share = armijo_share(rows, penalty, point, new, r) if long else 1.0
            if share < 1.0:
                point = between(point, new, share)
                r, h = rows.slopes(point.eta)
                self.model, error = None, np.inf
                steps.idle += share == 0.0
                if steps.stalled:
                    break
                continue
            u = r - self.model.h * (new.eta - point.eta)
            point = new
            r, h = rows.slopes(point.eta)
            last, error = error, rows.mean(np.square(u - r) / h) / rows.unit
            if error > self.least_error and n_iter < self.settings.max_iter and not steps.idle:
                if error > CONTRACTION * last:
                    self.model = None
                steps.idle += tried > TRUSTED_STEPS and error >= last
                continue
            u = rows.settled(u, r)
            q = self.design.correlate(u)
            missing = self._violating(q, penalty, KKT_TOLERANCE)
            if len(missing):
                self._join(missing)
                tried = steps.idle = 0
                continue
            of_set = point.w[self.index], q[self.index], penalty.take(self.index)
            noise, most = self.noise[self.index], 1.0 / (1.0 + KKT_TOLERANCE)
            gap = gap_of(rows, point.eta, u, *of_set, noise, 1.0 if self.whole else most)
            if gap > self.aim:
                gap = min(gap, self._other_gap(point, r, h, penalty))
            if np.isfinite(gap) and steps.take(gap, point):
                best_q = q
            if steps.ended:
                break
            if error > CONTRACTION * last:
                self.model = None
        best, best_point = steps.gap, steps.point
        if not best <= self.aim and point is not best_point:
            if not np.isfinite(best):
                best_point = point
            elif steps.is_above(point):  # the gap of that is one of this
                best_point, best = point, min(best, self._other_gap(point, r, h, penalty))
        return self._finished(alpha, penalty, best_point, best_q, best, n_iter)

    def _step(self, alpha: float, point: Point, r: Array) -> Point:
        """The minimum of the model around a point with the residuals r."""
        model, part, index = self.model, self.part, self.index
        assert model is not None
        mean = self.rows.mean(r) if self.rows.has_intercept else 0.0
        now = point.w[index]
        c, square = model.correlations(part, now, r, mean)
        found = self.subproblem.solve(alpha, index, model.gram, c, square, now)
        change = found - now
        moved = model.intercept_change(change, mean)
        w = np.zeros_like(point.w)
        w[index] = found
        eta = point.eta + moved
        if change.any():
            eta = eta + part.predict(change)
        return Point(w, point.b + moved, eta)

    def _other_gap(self, point: Point, r: Array, h: Array, penalty: ScaledPenalty) -> float:
        """The gap at the residual itself."""
        u = self.rows.settled(balanced(self.rows, r, h), r)
        q = self.design.correlate(u)
        return gap_of(self.rows, point.eta, u, point.w, q, penalty, self.noise)

    def _finished(
        self, alpha: float, penalty: ScaledPenalty, point: Point, q: Array, gap: float, n_iter: int
    ) -> Solution:
        """The solution, from which the next alpha starts."""
        if np.isfinite(self.alpha) and alpha < self.alpha:
            self.slope = (q - self.q) / (self.alpha - alpha)
        self.alpha, self.q, self.point = alpha, q, point
        if alpha > 0.0 and not self.penalty.has_bounds:
            self._remember([float(np.log(alpha))], [point])
        rows = self.rows
        if not np.isfinite(gap):
            r, h = rows.slopes(point.eta)
            gap = self._other_gap(point, r, h, penalty)
        deviance = max(2.0 * (rows.value(point.eta) - rows.saturated), 0.0)
        df = self._df(alpha, point.w, point.eta)
        intercept = float(self.design.intercept(self.design.to_raw(point.w), point.b))
        return Solution(point.w, gap, n_iter, deviance, df, intercept)

    def _remember(self, logs: list[float], points: list[Point]) -> None:
        """Keep solutions for extrapolation, one of each alpha that a grid repeats."""
        for log, point in zip(logs, points, strict=True):
            if self.known and self.known[-1][0] == log:
                self.known.pop()
            self.known.append((log, point))
        del self.known[:-MOST_KNOWN]

    def _df(self, alpha: float, w: Array, eta: Array) -> float:
        """Degrees of freedom.

        Without an L1 part by the curvature at the point; that which a path keeps may be of another
        alpha, and be off by a tenth.
        """

        def gram_of(chosen: Index) -> Array:
            place = np.full(len(w), -1)
            place[self.index] = np.arange(len(self.index))
            rows, held = self.rows, self.model if self.alone else None
            held = held or CurvedModel(self.part, rows.slopes(eta)[1], rows.has_intercept)
            return held.gram[np.ix_(place[chosen], place[chosen])]

        return degrees_of_freedom(w, self.penalty.at(alpha), gram_of)

    def _extrapolated(self, alpha: float) -> Point:
        """The point predicted from up to three solutions, a polynomial in the logarithm of alpha.

        The linear predictor is extrapolated along, which takes no product.
        """
        known = self.known[-3:]
        if len(known) < 2 or alpha <= 0.0:
            return self.point
        at, logs = float(np.log(alpha)), [log for log, _ in known]
        if not at < logs[-1] or logs[-1] - at > 2.0 * (logs[-2] - logs[-1]):
            return self.point
        shares = []
        for i, one in enumerate(logs):
            others = [other for j, other in enumerate(logs) if j != i]
            shares.append(float(np.prod([(at - other) / (one - other) for other in others])))
        points = [point for _, point in known]
        w = sum(share * point.w for share, point in zip(shares, points, strict=True))
        b = sum(share * point.b for share, point in zip(shares, points, strict=True))
        eta = sum(share * point.eta for share, point in zip(shares, points, strict=True))
        return Point(np.asarray(w), float(b), np.asarray(eta))

    def _cost_of_evaluation(self) -> float:
        n, m = self.design.n_samples, len(self.index)
        return EVALUATION + 4.0 * n * m + PER_ROW * n

    def _cost_of_refresh(self) -> float:
        n, m = self.design.n_samples, len(self.index)
        return REFRESH + n * m * (m / 2.2 + 8.0)


def aims_of(settings: Settings) -> tuple[float, float]:
    """The largest relative gap, and the largest error of a step."""
    aim = AIM if settings.exact else max(AIM, min(USUAL_AIM, settings.tol))
    return aim, aim if aim == USUAL_AIM else EXACT_STEP


def between(point: Point, new: Point, share: float) -> Point:
    """A share of the way from one point to another."""
    rest = 1.0 - share
    return Point(
        rest * point.w + share * new.w,
        rest * point.b + share * new.b,
        rest * point.eta + share * new.eta,
    )
