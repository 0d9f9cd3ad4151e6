"""Proximal Newton method for the multinomial loss, all classes at once, certified at each alpha.

The problem has a coefficient for each pair of a feature and a class, an intercept for each class,
and the elastic net of all coefficients. The method is that of `prox_newton.py`, with pairs in the
place of features: a working set of pairs from the correlations extrapolated along the path, steps
on the quadratic model of the loss (`class_model.py`) with a curvature that is kept while that pays,
a line search where steps are long, and a certificate whose correlations are the KKT check of all
pairs. Classes one at a time took three times as long, as each step undoes some of the others.

There is one problem for all classes, and they share the gap, the deviance and the number of
iterations. The degrees of freedom are those of all coefficients together.

A constant that is added to a feature's coefficients in all classes changes no probability. Where
the penalty does not determine it, it is chosen such that the order of the classes is no matter:

- without a penalty the coefficients of a feature have the mean zero, and so have the intercepts,
  which never have any;
- with an L1 penalty alone and an even number of classes, half of which have positive or half of
  which have negative coefficients, the two in the middle are opposite.

Bounds, which all classes share, limit this.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ...data.design import Array, Index
from ...objective.duality import correlations_wanted, into_domain, penalty_gaps
from ...objective.penalties import Penalty, ScaledPenalty
from ..base import AIM, Bound, Settings, Solution
from ..optimality import degrees_of_freedom
from ..tolerances import KKT_ROUNDING
from .class_loss import ClassLoss
from .class_model import ClassModel
from .prox_newton import (
    AHEAD,
    CONTRACTION,
    EXACT_STEP,
    FEW_JOINING,
    LEAST_FALL,
    LONG_STEP,
    MOST_HALVINGS,
    MOST_IDLE_STEPS,
    NEAR_THRESHOLD,
    RISE_OF_ROUNDING,
    SHARE_JOINING,
    TRUSTED_STEPS,
    USUAL_AIM,
)
from .row_space import RowSpace
from .subproblem import Subproblem

# With so many features or fewer the columns of all are at hand.
ALL_COLUMNS = 200


class ClassPoint(NamedTuple):
    """Coefficients of all pairs, class by class, the intercepts and the linear predictors."""

    w: Array
    b: Array
    eta: Array


class ClassPath:
    """The solution at one alpha after another; attributes as in `prox_newton.NewtonPath`.

    Pair ``k * n_features + j`` is that of feature j and class k.

    Attributes
    ----------
    index : ndarray of int
        The working set of pairs, in order.
    features : ndarray of int
        The features whose columns `part` has; `column` tells where.
    """

    def __init__(self, bound: Bound, start: Array, settings: Settings, alone: bool) -> None:
        design, shape = bound.design, bound.penalty
        self.design, self.shape, self.settings = design, shape, settings
        self.rows = rows = ClassLoss(bound)
        n_features, self.n_classes = design.n_features, rows.n_classes
        self.penalty = of_pairs(shape, rows.n_classes)
        self.aim = max(AIM, min(USUAL_AIM, settings.tol))
        self.least_error = self.aim if self.aim == USUAL_AIM else EXACT_STEP
        self.smooth = not (shape.l1_ratio or shape.has_bounds)
        rank = rows.n_classes * min(design.n_samples, n_features)
        self.subproblem = Subproblem(self.penalty, rank, alone, settings.tuning)
        w = shape.clip(start.T)
        eta = rows.eta
        if w.any():
            eta = rows.eta + np.asfortranarray(design.predict(w.T))
        self.point = ClassPoint(w.ravel(), rows.intercept, eta)
        self.q = self._correlate(rows.y - rows.balanced(rows.probabilities(eta)))
        self.slope: Array | None = None
        self.noise = KKT_ROUNDING * np.sqrt(np.outer(rows.squares, design.variances)).ravel()
        self.alpha, self.known = np.inf, list[tuple[float, ClassPoint]]()
        self.model: ClassModel | None = None
        self.spent = 0.0
        first = self.penalty.free | (self.point.w != 0) | self.smooth
        first[np.argmax(np.abs(self.q))] = True  # a model is of one pair at least
        self.inside, self.index = first, np.flatnonzero(first)
        needed = first.reshape(rows.n_classes, -1).any(axis=0)
        self.features = np.flatnonzero(needed | (n_features <= ALL_COLUMNS))
        self.part = design.subset(self.features)
        self.column = np.full(n_features, -1)
        self.column[self.features] = np.arange(len(self.features))

    # The working set ----------------------------------------------------------------------

    def _correlate(self, u: Array) -> Array:
        """Correlations of all pairs."""
        return np.asarray(self.design.correlate(u).T).ravel()

    def _join(self, new: Index) -> None:
        """Add pairs to the working set."""
        if not len(new):
            return
        self.inside[new] = True
        self.index = np.flatnonzero(self.inside)
        self.model = None
        features = np.unique(new % self.design.n_features)
        fresh = features[self.column[features] < 0]
        if len(fresh):
            self.column[fresh] = len(self.features) + np.arange(len(fresh))
            self.features = np.concatenate([self.features, fresh])
            self.part = self.part.joined(self.design.subset(fresh))

    @property
    def whole(self) -> bool:
        """Whether all pairs are in the working set."""
        return len(self.index) == len(self.inside)

    def _violating(self, q: Array, penalty: ScaledPenalty) -> Index:
        """Pairs outside that violate their conditions at zero, as many as may join at once."""
        excess = penalty.violation_at_zero(q)
        found = np.flatnonzero(~self.inside & (excess > self.noise))
        most = max(FEW_JOINING, int(SHARE_JOINING * len(self.index)))
        if len(found) > most:
            found = np.sort(found[np.argpartition(-excess[found], most)[:most]])
        return found

    def _screen(self, alpha: float) -> None:
        """Add the pairs that may be active at this alpha."""
        if self.whole:
            return
        if self.slope is None or not alpha < self.alpha:  # the strong rule
            level = alpha if np.isinf(self.alpha) else max(2.0 * alpha - self.alpha, 0.0)
            self._join(self._violating(self.q, self.penalty.at(level)))
        elif len(self._predicted(alpha)):
            self._join(self._predicted(max(alpha - AHEAD * (self.alpha - alpha), 0.0)))

    def _predicted(self, alpha: float) -> Index:
        """Pairs outside that may be active at this alpha, along the slope of correlations."""
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
        best, best_point, best_q, idle = np.inf, point, self.q, 0
        error, n_iter, tried = np.inf, 0, 0  # `tried` since pairs joined
        p = rows.probabilities(point.eta)
        while n_iter < self.settings.max_iter:
            n_iter, tried = n_iter + 1, tried + 1
            if self.model is None or tried > TRUSTED_STEPS:
                self._refresh(p)
            elif n_iter > 1:
                self.spent += self._cost_of_evaluation()
            assert self.model is not None
            new = self._step(alpha, point, p)
            if not np.isfinite(new.eta).all():  # no curvature is left where there is no minimum
                break
            d = new.eta - point.eta
            long = tried > TRUSTED_STEPS or np.abs(d).max() > LONG_STEP
            share = self._armijo(penalty, point, new, p) if long else 1.0
            if share < 1.0:
                point = part_way(point, new, share)
                p = rows.probabilities(point.eta)
                self.model, error = None, np.inf
                idle += share == 0.0
                if idle >= MOST_IDLE_STEPS:
                    break
                continue
            s = rows.feasible(p + self.model.bend(d))
            point, p = new, rows.probabilities(new.eta)
            last, error = error, rows.distance(s, p) / rows.unit
            if error > self.least_error and n_iter < self.settings.max_iter and idle == 0:
                if error > CONTRACTION * last:
                    self.model = None
                idle += tried > TRUSTED_STEPS and error >= last
                continue
            q = self._correlate(rows.y - s)
            missing = self._violating(q, penalty)
            if len(missing):
                self._join(missing)
                tried = idle = 0
                continue
            gap = self._gap(point, s, p, q, penalty)
            if gap < best:
                best, best_point, best_q, idle = gap, point, q, 0
            else:
                idle += 1
            if best <= self.aim or idle >= MOST_IDLE_STEPS:
                break
            if error > CONTRACTION * last:
                self.model = None
        if not np.isfinite(best):
            best_point = point
        return self._finished(alpha, penalty, best_point, best_q, best, n_iter)

    def _refresh(self, p: Array) -> None:
        """Make the model anew."""
        kind, feature = np.divmod(self.index, self.design.n_features)
        self.kind, self.place = kind, self.column[feature]
        self.model = ClassModel(self.rows, p, self.part, self.place, kind, self.smooth)
        self.subproblem.solver = None
        self.spent = 0.0

    def _step(self, alpha: float, point: ClassPoint, p: Array) -> ClassPoint:
        """The minimum of the model around a point with the probabilities p."""
        model, index = self.model, self.index
        assert model is not None
        r, now = self.rows.y - p, point.w[index]
        along = self.part.correlate(r)[self.place, self.kind]
        c, square = model.linear(now, along, r)
        found = self.subproblem.solve(alpha, index, model.gram, c, square, now)
        change = found - now
        moved = model.intercept_change(change, r)
        w = np.zeros_like(point.w)
        w[index] = found
        eta = point.eta + moved
        if change.any():
            by_class = np.zeros((len(self.features), self.n_classes))
            by_class[self.place, self.kind] = change
            eta += np.asfortranarray(self.part.predict(by_class))
        return ClassPoint(w, point.b + moved, eta)

    def _armijo(
        self, penalty: ScaledPenalty, point: ClassPoint, new: ClassPoint, p: Array
    ) -> float:
        """The share of a step that lowers the objective enough, zero where none does."""
        rows, direction = self.rows, new.eta - point.eta
        known = float(penalty.value(point.w).sum())
        now = rows.value(point.eta) + known
        slope = float(rows.mean((rows.y - p) * direction).sum())
        fall = float(penalty.value(new.w).sum()) - known - slope
        share = 1.0
        for _ in range(MOST_HALVINGS):
            w = point.w + share * (new.w - point.w) if share < 1.0 else new.w
            value = rows.value(point.eta + share * direction) + float(penalty.value(w).sum())
            if value <= now + LEAST_FALL * share * fall + RISE_OF_ROUNDING * abs(now):
                return share
            share *= 0.5
        return 0.0

    def _gap(
        self, point: ClassPoint, s: Array, p: Array, q: Array, penalty: ScaledPenalty
    ) -> float:
        """Upper bound of ``P(w) - min P`` over the unit, at the shares s with correlations q."""
        rows = self.rows
        if not rows.is_balanced(s):
            return np.inf
        wanted = correlations_wanted(point.w, q, penalty)
        q = np.where(np.abs(q - wanted) <= self.noise, wanted, q)
        tau, dual = into_domain(q, penalty)
        s = s if tau == 1.0 else (1.0 - tau) * rows.y + tau * s
        gap = rows.divergence(s, p) + float(penalty_gaps(point.w, dual, penalty).sum())
        return gap / rows.unit

    def _other_gap(self, point: ClassPoint, penalty: ScaledPenalty) -> float:
        """The gap at the residual itself, and at a dual point of zero."""
        rows, p = self.rows, self.rows.probabilities(point.eta)
        s = rows.feasible(rows.balanced(p))
        gap = self._gap(point, s, p, self._correlate(rows.y - s), penalty)
        at_zero = rows.value(point.eta) - rows.saturated + float(penalty.value(point.w).sum())
        return min(gap, max(at_zero, 0.0) / rows.unit)

    def _finished(
        self,
        alpha: float,
        penalty: ScaledPenalty,
        point: ClassPoint,
        q: Array,
        gap: float,
        n_iter: int,
    ) -> Solution:
        """The solution, from which the next alpha starts."""
        if np.isfinite(self.alpha) and alpha < self.alpha:
            self.slope = (q - self.q) / (self.alpha - alpha)
        self.alpha, self.q, self.point = alpha, q, point
        if alpha > 0.0 and not self.penalty.has_bounds:
            self.known = [*self.known[-2:], (float(np.log(alpha)), point)]
        rows, design = self.rows, self.design
        if gap > self.aim:
            gap = min(gap, self._other_gap(point, penalty))
        deviance = max(2.0 * (rows.value(point.eta) - rows.saturated), 0.0)
        coef = symmetric(point.w.reshape(self.n_classes, -1), self.shape, penalty.has_l1)

        def gram_of(chosen: Index) -> Array:
            if self.model is None:
                self._refresh(rows.probabilities(point.eta))
            assert self.model is not None
            place = np.full(len(point.w), -1)
            place[self.index] = np.arange(len(self.index))
            return self.model.hessian[np.ix_(place[chosen], place[chosen])]

        df = degrees_of_freedom(coef.ravel(), penalty, gram_of)
        b = design.intercept(design.to_raw(coef.T), point.b)
        for_each = np.ones(self.n_classes)
        shared = gap * for_each, n_iter * for_each, deviance * for_each, df * for_each
        return Solution(coef, *shared, intercept=b - b.mean())

    def _extrapolated(self, alpha: float) -> ClassPoint:
        """The point predicted from up to three solutions; see `NewtonPath`."""
        known = self.known
        if len(known) < 2 or alpha <= 0.0:
            return self.point
        at, logs = float(np.log(alpha)), [log for log, _ in known]
        if not at < logs[-1] or logs[-1] - at > 2.0 * (logs[-2] - logs[-1]):
            return self.point
        shares = []
        for i, one in enumerate(logs):
            others = [other for j, other in enumerate(logs) if j != i]
            shares.append(float(np.prod([(at - other) / (one - other) for other in others])))
        parts = zip(*(point for _, point in known), strict=True)
        w, b, eta = (
            np.asarray(sum(share * one for share, one in zip(shares, part, strict=True)))
            for part in parts
        )
        return ClassPoint(w, b, eta)

    def _cost_of_evaluation(self) -> float:
        n, m = self.design.n_samples, len(self.features)
        return 1.2e6 + self.n_classes * n * (4.0 * m + 60.0)

    def _cost_of_refresh(self) -> float:
        n, m = self.design.n_samples, len(self.index)
        return 1e6 + n * m * (0.5 * m + 0.8 * m / self.n_classes + 8.0)


def of_pairs(shape: Penalty, n_classes: int) -> Penalty:
    """The penalty of all pairs, class by class."""
    return shape.take(np.tile(np.arange(len(shape.factors)), n_classes))


def symmetric(W: Array, shape: Penalty, has_l1: bool) -> Array:
    """The coefficients, (n_classes, n_features), that the module's text chooses."""
    shift, half = np.zeros(W.shape[1]), len(W) // 2
    if has_l1 and shape.l1_ratio == 1.0 and not len(W) % 2:
        above, below = np.count_nonzero(W > 0, axis=0), np.count_nonzero(W < 0, axis=0)
        tied = (above == half) | (below == half)
        if tied.any():
            middle = np.sort(W[:, tied], axis=0)[half - 1 : half + 1]
            shift[tied] = middle.mean(axis=0)
    shift[shape.free] = W[:, shape.free].mean(axis=0)
    if not shift.any():
        return W
    return shape.clip(W - shape.nearest_shift(W, shift))


def part_way(point: ClassPoint, new: ClassPoint, share: float) -> ClassPoint:
    """A share of the way from one point to another."""
    return ClassPoint(*((1.0 - share) * a + share * b for a, b in zip(point, new, strict=True)))


def solve(bound: Bound, alphas: Array, start: Array, settings: Settings) -> Iterator[Solution]:
    """See `base.py` for the contract; the targets are the classes."""
    alone = len(alphas) == 1
    span = RowSpace(bound) if RowSpace.serves(bound) and alphas[-1] > 0.0 else None
    if span is not None:
        start = span.inside(start)
    path = ClassPath(bound if span is None else span.bound, start, settings, alone)
    for alpha in alphas.tolist():
        found = path.solve(alpha)
        yield found if span is None else _on_features(found, path.point, bound, span)


def _on_features(found: Solution, point: ClassPoint, bound: Bound, span: RowSpace) -> Solution:
    """A solution in the span of the rows as one of all features."""
    design, coefs = bound.design, np.array([span.outside(w) for w in found.coef])
    b = design.intercept(design.to_raw(coefs.T), point.b)
    return found._replace(coef=coefs, intercept=b - b.mean())
