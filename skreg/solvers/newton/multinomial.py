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

import numpy as np

from ...data.dense import DenseDesign
from ...data.design import Array, Index
from ...objective.penalties import Penalty, ScaledPenalty
from ..base import Bound, Settings, Solution
from ..optimality import degrees_of_freedom
from ..quadratic.class_rounds import ClassRounds
from .class_model import ClassModel
from .class_path import ClassPath, ClassPoint, part_way
from .line_search import NewtonSteps, armijo_share
from .prox_newton import (
    AHEAD,
    CONTRACTION,
    FEW_JOINING,
    LONG_STEP,
    NEAR_THRESHOLD,
    SHARE_JOINING,
    TRUSTED_STEPS,
)
from .subproblem import Subproblem

# With so many features or fewer the columns of all are at hand.
ALL_COLUMNS = 200
# So many rounds on the signs of the model's solution are tried first, with up to so many active
# pairs: a new Cholesky factor a round costs no more than one that is updated up to 800 of them.
ROUNDS_TRIED, FEW_ACTIVE = 12, 1000
# Times of an evaluation and of a Gram matrix that do not grow with the features, in floating point
# operations: of the calls, and of each probability. With seven times the first the path of
# 1000 x 100 with four classes takes the same time.
EVALUATION_OF_CLASSES, PER_PROBABILITY, REFRESH_OF_CLASSES = 1.2e6, 60.0, 1e6


class ActivePairs(ClassPath):
    """The solution at one alpha after another, with an L1 part or bounds; see `ClassPath`.

    Attributes
    ----------
    index : ndarray of int
        The working set of pairs, in order.
    features : ndarray of int
        The features whose columns `part` has; `column` tells where.
    q, slope : ndarray of shape (n_classes * n_features,)
        Correlations at the last alpha, and their change since the one before over that of alpha.
    spent : float
        What steps with an old curvature have cost since it was new.
    """

    def __init__(self, bound: Bound, start: Array, settings: Settings, alone: bool) -> None:
        design = bound.design
        Z = None
        if design.n_features <= ALL_COLUMNS and not design.sparse:
            Z = design.columns(slice(None))
        super().__init__(bound, start, settings, Z)
        rows, n_features = self.rows, design.n_features
        rank = self.n_classes * min(self.design.n_samples, n_features)
        self.subproblem = Subproblem(self.penalty, rank, alone, settings.tuning)
        self.q = self._correlate(rows.y - rows.balanced(rows.probabilities(self.point.eta)))
        self.slope: Array | None = None
        self.model: ClassModel | None = None
        self.rounds: ClassRounds | None = None
        self.signs: Array | None = None
        self.spent = 0.0
        first = self.penalty.free | (self.point.w != 0) | (self.penalty.l1_ratio == 0)
        first[np.argmax(np.abs(self.q))] = True  # a model is of one pair at least
        self.inside, self.index = first, np.flatnonzero(first)
        needed = first.reshape(self.n_classes, -1).any(axis=0)
        self.features = np.flatnonzero(needed | (n_features <= ALL_COLUMNS))
        self.part = design.subset(self.features) if Z is None else DenseDesign(Z, design.omega)
        self.column = np.full(n_features, -1)
        self.column[self.features] = np.arange(len(self.features))

    # The working set ----------------------------------------------------------------------

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

    def _predicted_signs(self, alpha: float, penalty: ScaledPenalty, point: ClassPoint) -> Array:
        """Signs of the solution at this alpha; zero where a coefficient would have changed its."""
        sign = np.sign(point.w)
        sign[sign * self.point.w < 0] = 0.0
        if self.slope is not None and alpha < self.alpha:
            q = self.q + (self.alpha - alpha) * self.slope
            enters = (penalty.violation_at_zero(q) > 0) & (point.w == 0)
            sign[enters] = np.sign(q[enters])
        return sign

    # One alpha ----------------------------------------------------------------------------

    @np.errstate(over="ignore", invalid="ignore", divide="ignore")
    def solve(self, alpha: float) -> Solution:
        """Move to the solution at `alpha`."""
        rows, penalty = self.rows, self.penalty.at(alpha)
        self._screen(alpha)
        point = self.extrapolated(alpha)
        self.signs = self._predicted_signs(alpha, penalty, point)
        if self.model is not None and self.spent > self._cost_of_refresh():
            self.model = None
        steps, best_q = NewtonSteps(rows, penalty, self.aim, point), self.q
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
            share = armijo_share(rows, penalty, point, new, rows.y - p) if long else 1.0
            if share < 1.0:
                point = part_way(point, new, share)
                p = rows.probabilities(point.eta)
                self.model, error = None, np.inf
                steps.idle += share == 0.0
                if steps.stalled:
                    break
                continue
            s = rows.feasible(p + self.model.bend(d))
            point, p = new, rows.probabilities(new.eta)
            last, error = error, rows.distance(s, p) / rows.unit
            if error > self.least_error and n_iter < self.settings.max_iter and not steps.idle:
                if error > CONTRACTION * last:
                    self.model = None
                steps.idle += tried > TRUSTED_STEPS and error >= last
                continue
            q = self._correlate(rows.y - s)
            missing = self._violating(q, penalty)
            if len(missing) and n_iter < self.settings.max_iter:
                self._join(missing)
                tried = steps.idle = 0
                continue
            gap = self.gap_at(point, s, p, q, penalty, self.index if not len(missing) else None)
            if steps.take(gap, point):
                best_q = q
            if steps.ended:
                break
            if error > CONTRACTION * last:
                self.model = None
        best, best_point = steps.gap, steps.point
        reached = best <= self.aim or point is best_point
        if not reached and (not np.isfinite(best) or steps.is_above(point)):
            best_point = point  # the gap of the one is one of the other
        return self._finished(alpha, penalty, best_point, best_q, best, n_iter)

    def _refresh(self, p: Array) -> None:
        """Make the model anew."""
        kind, feature = np.divmod(self.index, self.design.n_features)
        self.kind, self.place = kind, self.column[feature]
        self.model = ClassModel(self.rows, p, self.part, self.place, kind, smooth=False)
        self.subproblem.solver = None
        if not self.shape.has_bounds:
            movable = self.shape.movable[feature]
            self.rounds = ClassRounds(self.model.gram, self.place, self.n_classes, movable)
        self.spent = 0.0

    def _step(self, alpha: float, point: ClassPoint, p: Array) -> ClassPoint:
        """The minimum of the model around a point with the probabilities p."""
        model, index = self.model, self.index
        assert model is not None
        r, now = self.rows.y - p, point.w[index]
        if self.Z is None:
            along = self.part.correlate(r)[self.place, self.kind]
        else:
            along = self._correlate(r)[index]
        found = self._minimum(alpha, model.linear(now, along, r), r, along, now)
        change = found - now
        moved = model.intercept_change(change, r)
        w = np.zeros_like(point.w)
        w[index] = found
        eta = point.eta + moved
        if change.any():
            by_class = np.zeros((self.n_classes, len(self.features)))
            by_class[self.kind, self.place] = change
            if self.Z is None:
                eta += np.asfortranarray(self.part.predict(by_class.T))
            else:
                eta += self._predict(by_class)
        return ClassPoint(w, point.b + moved, eta)

    def _minimum(self, alpha: float, c: Array, r: Array, along: Array, now: Array) -> Array:
        """The minimum of the model with the penalty over the working set, from `now`."""
        model = self.model
        assert model is not None
        if self.rounds is not None and np.count_nonzero(now) <= FEW_ACTIVE:
            penalty, square = self.penalty.at(alpha).take(self.index), self.rows.unit
            signs = np.sign(now) if self.signs is None else self.signs[self.index]
            self.signs = None
            found = self.rounds.solve(c, penalty, now, signs, square, ROUNDS_TRIED)
            if found is not None:
                return found
        square = model.square(now, along, r)
        return self.subproblem.solve(alpha, self.index, model.gram, c, square, now)

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
        self.q = q
        if gap > self.aim:
            gap = min(gap, self.other_gap(point, penalty))
        self.remember(alpha, point, gap)
        coef = symmetric(point.w.reshape(self.n_classes, -1), self.shape, penalty.has_l1)

        def gram_of(chosen: Index) -> Array:
            if self.model is None:
                self._refresh(self.rows.probabilities(point.eta))
            assert self.model is not None
            place = np.full(len(point.w), -1)
            place[self.index] = np.arange(len(self.index))
            return self.model.hessian[np.ix_(place[chosen], place[chosen])]

        df = degrees_of_freedom(coef.ravel(), penalty, gram_of)
        return self.solution(self.design, coef, gap, n_iter, df)

    def _cost_of_evaluation(self) -> float:
        n, m = self.design.n_samples, len(self.features)
        return EVALUATION_OF_CLASSES + self.n_classes * n * (4.0 * m + PER_PROBABILITY)

    def _cost_of_refresh(self) -> float:
        n, m = self.design.n_samples, len(self.index)
        return REFRESH_OF_CLASSES + n * m * (0.5 * m + 0.8 * m / self.n_classes + 8.0)


def symmetric(W: Array, shape: Penalty, has_l1: bool) -> Array:
    """The coefficients, (..., n_classes, n_features), that the module's text chooses."""
    *_, n_classes, n_features = W.shape
    half, shift = n_classes // 2, np.zeros((*W.shape[:-2], n_features))
    if has_l1 and shape.l1_ratio == 1.0 and not n_classes % 2:
        above, below = (W > 0).sum(axis=-2), (W < 0).sum(axis=-2)
        tied = ((above == half) | (below == half)) & (above + below > 0)
        if tied.any():
            part = np.sort(np.moveaxis(W, -2, -1)[tied], axis=1)
            shift[tied] = part[:, half - 1 : half + 1].mean(axis=1)
    if not shape.even:
        shift[..., shape.free] = W[..., shape.free].mean(axis=-2)
    if not shift.any():
        return W
    if shape.boxed:
        shift = shape.nearest_shift(W, shift)
    moved = W - shift[..., None, :]
    return shape.clip(moved) if shape.boxed else moved
