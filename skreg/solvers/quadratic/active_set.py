"""Newton's method on the active set: many changes of the support at once, on one Gram matrix.

Minimises ``1/2 w'Gw - c'w + sum_j l1_j |w_j| + l2_j/2 w_j^2`` in a box, at one alpha after
another. With a guess of the active set A and of its signs s (the others are zero or at a bound b),
one round solves

    (G_AA + L2) w_A = c_A - l1 s_A - G_AB b,        q = c - G w,

and corrects every wrong guess at once. An active feature with the wrong sign becomes inactive, one
outside the box is put at its bound; features that violate their KKT conditions enter A, zeros with
``|q_j| > l1_j`` and those at a bound whose multiplier has the wrong sign. When nothing changes w is
optimal, up to rounding. This is the primal-dual active set method, a semismooth Newton method
(Hintermüller, Ito and Kunisch, SIAM J. Optim. 13(3), 2002).

The next alpha starts with the active set that is predicted by extrapolation along the path: for the
Lasso exactly, up to the next breakpoint, where no equations are solved; else along the secant
through the last two solutions. About one round an alpha is left.

The rounds need not end. Where the violations stop falling, or features of A depend on each other,
the solution before is taken up by `descent.py`, whose every step lowers the objective.

Cost: a round is one Cholesky factor, |A|^3/3, and |A| m for the product with G, m features; the
factor of a large active set is updated from round to round (`cholesky.py`). The same minimum by
plain coordinate descent, to read first, is in `tests/reference.py`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...data.design import Array, Index
from ...objective.penalties import Penalty
from ..base import Mask
from ..tolerances import (
    CORRELATION_ROUNDING,
    KKT_TOLERANCE,
    STEP_EXACT,
    STEP_ROUGH,
    SUPPORT_GROWTH,
    TUNING,
    Tuning,
)
from .cholesky import Factor, FactorRows, solve_on_support, symmetric_product
from .descent import GramModel, descend
from .state import Model, Pattern, Predictor, Sides, State


class Step(NamedTuple):
    """The solution of the equations of a pattern.

    `updated` tells whether it is that of the updated `factor`; `slope` has the derivatives of w and
    q as alpha falls by one, where the path is known to be straight.
    """

    w: Array
    q: Array
    factor: Factor
    updated: bool
    slope: tuple[Array, Array] | None


class ActiveSet:
    """The solution at one alpha after another, from the `state` at the last.

    Parameters
    ----------
    penalty : Penalty
        Of all features there may ever be.
    rank : int
        The rank the Gram matrix has at most.
    yy : float
        Mean square of the target.
    alone : bool, default=False
        Whether no other alpha follows, for which a prediction would be needed.
    tuning : Tuning

    Attributes
    ----------
    state : State
        To take an earlier one of the same features again is a rollback.
    """

    def __init__(
        self,
        penalty: Penalty,
        rank: int,
        yy: float,
        alone: bool = False,
        tuning: Tuning = TUNING,
    ) -> None:
        self.all, self.rank, self.yy, self.tuning = penalty, rank, yy, tuning
        self.has_bounds, self.ridged = penalty.has_bounds, penalty.l1_ratio < 1.0
        self.straight = not (self.ridged or alone)
        none, model = np.empty(0), Model(np.empty((0, 0)), np.empty(0))
        pattern = Pattern(np.empty(0, dtype=np.intp), none, np.empty(0, dtype=np.int8))
        self.state = State(np.inf, model, none, none, pattern, None, Factor.empty(FactorRows()), 0)

    def extend(self, gram: Array, c: Array, index: Index, start: Array | None = None) -> None:
        """Work on the features `index` of the penalty, the first of which are the present ones.

        `gram` and `c` are theirs; `start` has coefficients to begin with, zeros where None.
        """
        last, whole = self.state, self.all
        m, known = len(index), len(last.w)
        self.penalty = whole.take(index)
        self.curvature = gram.diagonal().copy()
        factors = self.penalty.factors  # thresholds and L2 part in units of alpha
        self.penalised = factors > 0
        self.rates = whole.l1_ratio * factors
        self.limits = self.rates * (1.0 + KKT_TOLERANCE)
        self.ridges = (1.0 - whole.l1_ratio) * self.penalty.l2_factors
        self.may_rise, self.may_fall = self.penalty.upper > 0, self.penalty.lower < 0
        self.usable = (self.curvature > 0) & (self.penalty.upper > self.penalty.lower)
        self.noise = CORRELATION_ROUNDING * np.sqrt(self.curvature * self.yy)
        self.slack = np.where(self.usable, self.noise, np.inf)
        w = np.zeros(m)
        w[:known] = last.w
        if start is not None:
            w[known:] = start[known:]
        self.adopt(w, Model(gram, np.where(self.usable, c, 0.0)))
        if last.predictor is not None:
            dw = np.append(last.predictor.dw, np.zeros(m - known))
            along = Predictor(
                last.alpha, w, self.state.q, dw, -(gram @ dw), last.predictor.span, exact=False
            )
            self.state = self.state._replace(predictor=along)

    def retarget(self, c: Array) -> None:
        """Take another linear term on the same Gram matrix, which moves the correlations alone.

        A tenth of what `extend` takes. What is predicted is no longer exact.
        """
        state, c = self.state, np.where(self.usable, c, 0.0)
        moved, predictor = c - state.model.c, state.predictor
        if predictor is not None:
            predictor = predictor._replace(q=predictor.q + moved, exact=False)
        model = state.model._replace(c=c)
        self.state = state._replace(model=model, q=state.q + moved, predictor=predictor)

    def adopt(self, w: Array, model: Model | None = None) -> None:
        """Take these coefficients for the solution at the last alpha."""
        last, penalty = self.state, self.penalty
        free = self.usable & ~self.penalised
        model = last.model if model is None else model
        if not np.count_nonzero((w != 0) | free):
            pattern = Pattern(last.pattern.active[:0], w, np.zeros(len(w), dtype=np.int8))
            self.state = State(last.alpha, model, w, model.c, pattern, None, last.factor, 0)
            return
        w = np.clip(w, penalty.lower, penalty.upper) if self.has_bounds else w
        w = np.where(self.usable, w, 0.0)
        side = np.zeros(len(w), dtype=np.int8)
        if self.has_bounds:
            used = free | (w != 0)
            side[used & (w == penalty.upper)] = 1
            side[used & (w == penalty.lower)] = -1
        chosen = ((w != 0) | free) & (side == 0)
        stay = last.pattern.active[chosen[last.pattern.active]]
        chosen[stay] = False
        active = np.concatenate([stay, chosen.nonzero()[0]])
        pattern = Pattern(active, np.sign(w) * self.penalised, side)
        q = model.c - model.gram @ w
        self.state = State(last.alpha, model, w, q, pattern, None, last.factor, 0)

    def solve(self, alpha: float, budget: int) -> int:
        """Move to the solution at `alpha` in no more than `budget` rounds and iterations.

        Returns how many there were.
        """
        rounds, solved = self._rounds(alpha, self.state.alpha, budget)
        if not solved:
            rounds += self.descend(alpha, max(1, budget - rounds))
        return rounds

    def descend(self, alpha: float, budget: int) -> int:
        """Move by steps that lower the objective; returns the number of iterations."""
        model, scaled = self.state.model, self.penalty.at(alpha)
        w = np.clip(self.state.w, scaled.lower, scaled.upper)
        _, n_iter = descend(GramModel(model.gram, model.c), w, scaled, self.yy, budget, None)
        self.adopt(w)
        self.state = self.state._replace(alpha=alpha)
        return n_iter

    def _rounds(self, alpha: float, last: float, budget: int) -> tuple[int, bool]:
        """Rounds from the solution at the `last` alpha, and whether they ended.

        If they did not, the state is as before.
        """
        state, tuning = self.state, self.tuning
        predictor = state.predictor
        threshold = alpha * self.limits + self.slack
        w, q, age = self._extrapolated(alpha)
        pattern = self._predicted(w, q, threshold)
        if pattern is None:
            if predictor is not None and predictor.exact and not self.has_bounds:
                kept = state.pattern, predictor, state.factor, state.age
                self.state = State(alpha, state.model, w, q, *kept)
                return 1, True
            pattern = state.pattern
        factor, exact = state.factor, STEP_ROUGH if self.ridged else STEP_EXACT
        fewest, idle, n_dropped = len(w) + 1, 0, 0
        dropped: list[int] = []
        rounds = 0
        for rounds in range(1, min(tuning.max_rounds, budget // 2) + 1):
            # More active features than the rank depend on each other for certain.
            n_active = len(pattern.active)
            centre = state.model.centre
            overfull = n_active > self.rank and not self.ridged and centre is None
            if overfull:
                step: Step | int = n_active - 1
            else:
                step = self._step(alpha, pattern, w, q, factor, age >= tuning.refreshed, exact)
            if isinstance(step, int):
                n_dropped += not overfull
                if n_dropped > tuning.most_dropped:
                    break
                pattern = self._without(pattern, step, dropped)
                continue
            w, q, factor = step.w, step.q, step.factor
            leave, new = w * pattern.sign < 0.0, self._violating(q, pattern, threshold)
            side = pattern.side
            if self.has_bounds:
                leave, new, side = self._at_bounds(alpha, w, q, pattern, leave, new)
            refused = False
            if dropped:
                again = np.isin(new, dropped)
                refused, new = bool(again.any()), new[~again]
            n_leave = int(np.count_nonzero(leave))
            n_wrong = n_leave + len(new)
            if n_wrong == 0:
                if step.updated and exact > STEP_EXACT:
                    exact = STEP_EXACT
                    continue
                if refused:
                    break
                if step.slope is not None:
                    predictor = Predictor(alpha, w, q, *step.slope, 1.0, exact=True)
                elif alpha < last:
                    change = w - state.w, q - state.q
                    predictor = Predictor(alpha, w, q, *change, last - alpha, exact=False)
                elif predictor is not None:
                    predictor = predictor._replace(alpha=alpha, w=w, q=q, exact=False)
                self.state = State(alpha, state.model, w, q, pattern, predictor, factor, age)
                return rounds, True
            idle = 0 if n_wrong < fewest else idle + 1
            if idle == tuning.patience:
                break
            fewest = min(fewest, n_wrong)
            if n_leave:
                dropped.clear()  # those that depended on what left may be free of it
            pattern = self._changed(pattern, side, leave, new, q, threshold)
        return rounds, False

    def _without(self, pattern: Pattern, place: int, dropped: list[int]) -> Pattern:
        """The pattern less an active feature that depends on others, which is noted."""
        feature, sign = int(pattern.active[place]), pattern.sign.copy()
        dropped.append(feature)
        sign[feature] = 0.0
        return pattern._replace(active=np.delete(pattern.active, place), sign=sign)

    def _extrapolated(self, alpha: float) -> tuple[Array, Array, int]:
        """Coefficients and correlations predicted at this alpha, and the age of the latter.

        On the secant correlations have the errors of the last two. These grow steadily as long as
        it is extrapolated by no more than its length, and else by more and more; two alphas in a
        row with correlations computed anew end that.
        """
        state, tuning = self.state, self.tuning
        if state.predictor is None:
            return state.w, state.q, state.age
        ahead, age = state.predictor.ahead(alpha, tuning.farthest), state.age
        if not state.predictor.exact:
            age = 0 if age > tuning.refreshed else age
            age += 1 if ahead <= 1.0 else tuning.refreshed
        return *state.predictor.at(ahead), age

    def _predicted(self, w: Array, q: Array, threshold: Array) -> Pattern | None:
        """The pattern that these predict; None where it is the last one."""
        state = self.state
        pattern = state.pattern
        if state.predictor is None and len(pattern.active):
            return None  # by correlations at the last alpha alone too many would enter
        leave = w * pattern.sign < 0.0
        if self.has_bounds:
            leave &= pattern.side == 0
        new = self._violating(q, pattern, threshold)
        if not (len(new) or np.count_nonzero(leave)):
            return None
        return self._changed(pattern, pattern.side, leave, new, q, threshold)

    def _step(
        self,
        alpha: float,
        pattern: Pattern,
        w: Array,
        q: Array,
        factor: Factor,
        refresh: bool,
        exact: float,
    ) -> Step | int:
        """The solution for a pattern, from w and q nearby; or who of A depends on others.

        With many active features it is found to `exact` by the updated factor, unless that is
        singular.
        """
        model, active = self.state.model, pattern.active
        fixed, c = np.zeros(len(w)), model.c
        if self.has_bounds:
            side, upper, lower = pattern.side, self.penalty.upper, self.penalty.lower
            fixed = np.where(side > 0, upper, np.where(side < 0, lower, 0.0))
        if len(active) >= self.tuning.kept_factor:
            ridges = self.ridges if self.ridged else None
            factor = factor.at(alpha) if self.ridged else factor
            updated = factor.on(model.gram, active, ridges)
            factor = Factor.empty(factor.rows, factor.alpha) if updated is None else updated
            if updated is not None:
                near = fixed.copy()
                near[active] = w.take(active)
                q = self._correlations(near, w, q, refresh, len(active))
                wanted = alpha * (self.rates * pattern.sign).take(active)
                found = updated.correct(model.gram, alpha, ridges, wanted, near, q, exact)
                if found is not None:
                    return Step(*found, factor, True, None)
        if self.has_bounds:
            c = c - model.gram @ fixed
        rows, rates = model.gram.take(active, 0), (self.rates * pattern.sign).take(active)
        rhs = np.empty((2 if self.straight else 1, len(active)))
        np.subtract(c.take(active), alpha * rates, out=rhs[0])
        if self.straight:
            rhs[1] = rates
        ridge = alpha * self.ridges.take(active) if self.ridged else None
        x, dependent = solve_on_support(active, rows, rhs, ridge)
        if dependent is not None:
            return dependent
        w, image = fixed, x.dot(rows)
        w[active] = x[0]
        if not self.straight:
            return Step(w, c - image[0], factor, False, None)
        dw = np.zeros(len(w))
        dw[active] = x[1]
        return Step(w, c - image[0], factor, False, (dw, -image[1]))

    def _correlations(
        self, w: Array, near: Array, q_near: Array, refresh: bool, n_active: int
    ) -> Array:
        """``c - G w``, from those of coefficients nearby where that is as good and cheaper."""
        model, moved = self.state.model, np.flatnonzero(w != near)
        if refresh or 4 * len(moved) >= n_active:
            return np.asarray(model.c - symmetric_product(model.gram, w))
        return np.asarray(q_near - (w - near).take(moved).dot(model.gram.take(moved, 0)))

    def _violating(self, q: Array, pattern: Pattern, threshold: Array) -> Index:
        """Zeros that violate their KKT conditions."""
        found = np.abs(q) > threshold
        found[pattern.active] = False
        if self.has_bounds:
            found &= (pattern.side == 0) & np.where(q > 0, self.may_rise, self.may_fall)
        return found.nonzero()[0]

    def _at_bounds(
        self, alpha: float, w: Array, q: Array, pattern: Pattern, leave: Mask, new: Index
    ) -> tuple[Mask, Index, Sides]:
        """Features that leave the active set and that enter it, and bounds that others are at."""
        active, side = pattern.active, pattern.side.copy()
        found, turned = w.take(active), leave.take(active)
        above = active[(found > self.penalty.upper.take(active)) & ~turned]
        below = active[(found < self.penalty.lower.take(active)) & ~turned]
        leave = np.zeros(len(w), dtype=bool)
        leave[active] = turned
        leave[above] = leave[below] = True
        held = side.nonzero()[0]
        if len(held):
            l1, b = alpha * self.rates[held], w[held]
            multiplier = q[held] - alpha * self.ridges[held] * b - l1 * np.sign(b)
            back = held[side[held] * multiplier < -(KKT_TOLERANCE * l1 + self.noise[held])]
            new, side[back] = np.union1d(new, back), 0
        side[above], side[below] = 1, -1
        return leave, new, side

    def _changed(
        self,
        pattern: Pattern,
        side: Sides,
        leave: Mask,
        new: Index,
        q: Array,
        threshold: Array,
    ) -> Pattern:
        """The pattern after some leave and others enter, the most violated if many."""
        active, sign = pattern.active, pattern.sign.copy()
        if np.count_nonzero(leave):
            active = active[~leave.take(active)]
            sign[leave & (side == 0)] = 0.0
        most = len(sign)
        if most > self.rank or self.state.model.centre is not None:
            most = max(SUPPORT_GROWTH, len(active) // 2)
        if len(new) > most:
            excess = np.abs(q[new]) / threshold[new]
            new = new[np.argpartition(-excess, most)[:most]]
        entered = np.sign(q[new])
        if self.has_bounds:  # what comes back from a bound keeps the sign it had
            entered = np.where(sign[new] == 0, entered, sign[new])
        sign[new] = entered * self.penalised[new]
        return Pattern(np.concatenate([active, new]), sign, side)
