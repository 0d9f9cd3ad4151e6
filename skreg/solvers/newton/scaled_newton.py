"""Newton's method where Huber's loss has a scale that is fitted too, one alpha after another.

At a given scale sigma it is a problem of Huber's loss with the distance ``epsilon sigma`` at
``alpha sigma``, which `NewtonPath` solves; for given residuals the best scale is a root that is
found by sorting them. The two alternate, sped up by the secant method, from what the last alphas
predict. The duality gap is that at the scale, and what the scale is off by.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ...data.design import Array
from ...objective.losses import Huber
from ...objective.scaled_huber import ScaledHuber
from ..base import Bound, Settings, Solution, Target
from ..quadratic import auto
from ..ridge import solvers as ridge
from ..tolerances import KKT_ROUNDING
from .batched_newton import solve_each
from .certificate import gap_of
from .polynomials import lagrange
from .prox_newton import NewtonPath, Point
from .rows import TargetLoss

# Most solutions at an alpha, at a scale each.
MOST_SCALES = 100
# Change of the scale that ends them, as a share of it: of an answer, and on a path.
SAME_SCALE, SAME_ON_A_PATH = 1e-12, 1e-9
# The least scale with `scale_floor`, as a share of that of the intercept alone: what is left of y
# is hardly noise then, and a loss that is nearly the absolute error takes thousands of steps
# (Ndiaye et al., Journal of Physics: Conference Series 904, 2017, for the Lasso with a scale). With
# features enough to meet y the scale vanishes at some alpha, whatever the noise.
LEAST_ON_A_PATH, LEAST_OF_MANY_FEATURES, LEAST_OF_SPREAD = 1e-3, 0.1, 0.1
# Scales in turn at which `max_iter` steps are too few, after which no other is tried.
MOST_UNSOLVED = 3
# Largest fall of the scale at once: from far away a fit with a small one takes many steps.
LARGEST_FALL = 0.1
# Where residuals ask for a scale that is so much smaller, y is met.
NEARLY_MET = 0.1
# Gap that is then enough: the smaller the scale, the less is left of the penalty beside rounding.
MET = 1e-7
# Rows for a feature with which y may be met, as rows may be there several times; of y no more than
# this share is then left.
MOST_REPEATED, SHARE_LEFT = 10, 1e-4
# Alpha of the squared error at which y is met, as a share of what leaves no feature.
ALPHA_OF_MEETING = 1e-6


class Meeting(NamedTuple):
    """The coefficients that meet y with the least penalty, where there are features enough.

    The residuals r of the squared error at a small alpha show for which alphas nothing else is
    better: times any factor up to where their mean square is one, or the largest is epsilon, they
    are slopes of the loss at residuals of zero.
    """

    point: Point
    residual: Array
    alpha: float
    largest_alpha: float

    @classmethod
    def of(cls, bound: Bound, k: int, epsilon: float) -> Meeting | None:
        """That of a target, None where rows are left or coefficients have bounds."""
        design, penalty = bound.design, bound.penalty
        centred = design.mean is not None
        rows = np.count_nonzero(design.omega)
        if MOST_REPEATED * (design.n_features + centred) < rows or penalty.has_bounds:
            return None
        y = np.ascontiguousarray(bound.target.raw[:, k])
        squared = Bound(design, Target.build(design, y), penalty)
        method = auto.solve if penalty.l1_ratio else ridge.solve
        sizes = np.abs(squared.correlations) if penalty.l1_ratio else design.variances
        alpha = ALPHA_OF_MEETING * float(sizes.max())
        if not alpha > 0.0:
            return None
        start = np.zeros((design.n_features, 1))
        twice, once = method(squared, np.array([2.0 * alpha, alpha]), start, Settings(tol=0.0))
        w = np.reshape(once.coef, -1)
        residual = squared.target.centred[:, 0] - design.predict(w)
        residual = np.where(design.omega > 0.0, residual, 0.0)
        left = float(np.sqrt(design.omega @ residual**2))
        if left > SHARE_LEFT * float(np.sqrt(squared.target.squares[0])):
            return None
        size = max(left, np.abs(residual).max() / epsilon)
        b = float(squared.target.mean[0]) if centred else 0.0
        w = 2.0 * w - np.reshape(twice.coef, -1)  # at an alpha of zero: there it is a line in alpha
        point = Point(w, b, design.predict(w) + b)
        return cls(point, residual, alpha, alpha / size if size > 0.0 else 0.0)


class ScaledNewton(NewtonPath):
    """The solutions along a path.

    Attributes
    ----------
    own : TargetLoss
        Of the loss with its scale; `rows` are those of the last scale.
    scale : float
        The last one.
    least : float
        What it is no less than: zero without `scale_floor`.
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
        assert isinstance(bound.loss, ScaledHuber)
        self.loss, self.own = bound.loss, TargetLoss(bound, k)
        self.meeting, self.least = Meeting.of(bound, k, self.loss.epsilon), 0.0
        self.scale = self._best_scale(self.own.eta)
        if settings.scale_floor:
            self.least = least_on_a_path(self.own, self.scale, self.meeting is not None)
            self.scale = max(self.scale, self.least)
        fixed = replace(bound, loss=Huber(self.loss.epsilon * self.scale))
        super().__init__(fixed, k, start, settings, alone, intercept)
        self.rows.eta = self.own.eta
        if start.any():
            self.scale = self._best_scale(self.point.eta)
        self.trail = list[tuple[float, Point, float]]()
        self.same = SAME_SCALE if settings.exact else SAME_ON_A_PATH

    def run(self, alphas: Array) -> Iterator[Solution]:
        """The solutions at decreasing alphas."""
        yield from map(self._at, alphas.tolist())

    @np.errstate(over="ignore", invalid="ignore", divide="ignore")
    def _at(self, alpha: float) -> Solution:
        """Move to the solution at `alpha`, with its scale."""
        if self.meeting is not None and 0.0 < alpha <= self.meeting.largest_alpha:
            return self._met(alpha, self.meeting)
        self._predict(alpha)
        scale, tried, n_iter, unsolved = self.scale, list[tuple[float, float]](), 0, 0
        for _ in range(MOST_SCALES):
            found = self._at_scale(alpha, scale)
            n_iter += found.n_iter
            unsolved = unsolved + 1 if found.n_iter >= self.settings.max_iter else 0
            if unsolved == MOST_UNSOLVED:
                break
            best = self._best_scale(self.point.eta)
            if best < NEARLY_MET * scale:
                # The dual point serves any scale, and the scale falls with the residuals for ever.
                lower = found.gap - (self._value(scale) - self._value(best)) / self.own.unit
                if lower <= MET:
                    scale, found = best, found._replace(gap=max(lower, 0.0))
                    break
            change = float(np.log(best / scale))
            if abs(change) <= self.same or best == scale:
                break
            tried = [*tried[-1:], (float(np.log(scale)), change)]
            following = best
            if len(tried) == 2:
                (one, its), (two, own) = tried
                if abs(own) < abs(its):
                    following = float(np.exp(two - own * (two - one) / (own - its)))
            if not 0.0 < following < np.inf or following == scale:
                following = best
            scale = max(following, LARGEST_FALL * scale, self.least)
        self.scale = scale
        if alpha > 0.0:
            at = float(np.log(alpha))
            before = [one for one in self.trail[-2:] if one[0] != at]
            self.trail = [*before, (at, self.point, float(np.log(scale)))]
        deviance = 2.0 * self.own.value(self.point.eta)
        return found._replace(n_iter=n_iter, rss=deviance)

    def _at_scale(self, alpha: float, scale: float) -> Solution:
        """The solution at a scale, with the gap of both."""
        rows = copy(self.rows)
        rows.loss = Huber(self.loss.epsilon * scale)
        for name in ("deviance", "saturated", "square"):
            rows.__dict__.pop(name, None)
        self.rows, self.noise = rows, KKT_ROUNDING * np.sqrt(self.design.variances * rows.square)
        self.known, self.slope, self.alpha = [], None, np.inf
        found = self.solve(alpha * scale)
        inner = np.minimum(np.abs(rows.y - self.point.eta) / scale, self.loss.epsilon)
        off = 1.0 - rows.mean(np.square(inner))
        off = max(-off, 0.0 if scale <= self.least * (1.0 + self.same) else off)
        gap = found.gap * rows.unit / scale + 0.5 * scale * off
        return found._replace(gap=gap / self.own.unit)

    def _met(self, alpha: float, meeting: Meeting) -> Solution:
        """The solution that meets y, with its gap at `alpha`."""
        point, penalty = meeting.point, self.penalty.at(alpha)
        u = meeting.residual * (alpha / meeting.alpha)
        q = self.design.correlate(u)
        gap = gap_of(self.own, point.eta, u, point.w, q, penalty, self.noise)
        deviance = 2.0 * self.own.value(point.eta)
        intercept = float(self.design.intercept(self.design.to_raw(point.w), point.b))
        return Solution(point.w, gap, 1, deviance, np.count_nonzero(point.w), intercept)

    def _predict(self, alpha: float) -> None:
        """Go to the point and the scale that the last solutions predict."""
        logs = [log for log, _, _ in self.trail]
        if len(logs) < 2 or alpha <= 0.0:
            return
        at, nodes = float(np.log(alpha)), np.array(logs)
        if not at < logs[-1] or logs[-1] - at > 2.0 * (logs[-2] - logs[-1]):
            return
        shares = lagrange(np.array([at]), nodes, np.arange(len(nodes))[None])[0].tolist()
        points, scales = [point for _, point, _ in self.trail], [log for _, _, log in self.trail]
        w = sum(share * point.w for share, point in zip(shares, points, strict=True))
        b = sum(share * point.b for share, point in zip(shares, points, strict=True))
        eta = sum(share * point.eta for share, point in zip(shares, points, strict=True))
        self.point = Point(np.asarray(w), float(b), np.asarray(eta))
        self.scale = max(float(np.exp(np.dot(shares, scales))), self.least)

    def _best_scale(self, eta: Array) -> float:
        found = self.loss.best_scale(eta - self.own.y, self.own.y, self.own.omega)
        return max(found, self.least)

    def _value(self, scale: float) -> float:
        """The loss of the present point at a scale."""
        fixed = Huber(self.loss.epsilon * scale)
        return 0.5 * scale + fixed.value(self.point.eta, self.own.y, self.own.omega) / scale


def least_on_a_path(rows: TargetLoss, scale: float, met: bool) -> float:
    """The least scale of a path that begins at `scale`, where y may be `met` or not."""
    spread = rows.mean(np.square(rows.y - rows.eta)) ** 0.5
    usual = max(scale, LEAST_OF_SPREAD * spread)  # of y that is mostly one number
    return (LEAST_OF_MANY_FEATURES if met else LEAST_ON_A_PATH) * usual


def solve(bound: Bound, alphas: Array, start: Array, settings: Settings) -> Iterator[Solution]:
    """See `base.py` for the contract."""
    yield from solve_each(ScaledNewton, bound, alphas, start, settings)
