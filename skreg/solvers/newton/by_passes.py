"""Newton's method where rows are read pass by pass, at all alphas of several training sets at once.

A pass evaluates the loss at one point, or a few, for each alpha that is not solved
(`group_sums.py`). Between passes each alpha has a model of the loss at the best point it knows
(`pass_model.py`), and its minimum with the penalty is where the next pass evaluates it. A Hessian
costs as much as many points: at first some alphas of the path on all rows have their own, which
serve all training sets, as they are sums over groups. Then the others begin, from the points found,
with a mean of the two Hessians that are near; where that is slow they ask for one. Where a step is
long or does not lower the objective by Armijo's rule, the next pass evaluates damped steps too.
Degrees of freedom without an L1 part are those of such a mean: most often to three digits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from ...data.design import Array, Index
from ..base import AIM, Bound, Settings, Solution
from ..optimality import degrees_of_freedom
from .line_search import LEAST_FALL, RISE_OF_ROUNDING
from .multinomial import symmetric
from .pass_certificate import centred_correlations, gap_of_point
from .pass_model import PassModel, PassProblem, PassStep
from .training_sums import EvaluatedPoint, RowPasses, Trial

# Figures below are sums over 13 fits of 10 to 30 features, nine of them cross-validated paths, of
# every loss: 216 passes over the rows, 12,600 points and 814 Hessians.

# A step that moves linear predictors farther than this in the mean is evaluated with damped ones
# beside it: at 0.5 that takes 1,100 points more and one pass less, at infinity three passes more.
LONG_MOVE = 2.0
# The dampings of such steps, a factor of ten apart, as the best one is known to no more before it
# is tried: with 0.1 alone there are five passes more.
DAMPINGS = (0.01, 0.1, 1.0)
# After a damped step these shares of its damping are tried, of which the first is the whole step
# that Newton's method converges with.
SHARES_OF_DAMPING = (0.0, 0.01, 0.1)
# Where no damping lowers the objective, each is multiplied by this, so that the smallest one is ten
# times the largest that failed.
NEXT_DAMPINGS = 1e3
# The other alphas begin when a fall of less than this, over the unit, is in sight for those with
# Hessians: at 0.1 they begin too far off and ask for 180 more Hessians, at 1e-5 for 50.
NEAR_ENOUGH = 1e-3
# A fall in sight that is above this share of the last calls for a Hessian at the point itself: at
# 0.2 there are 14 passes more with 230 Hessians less, at 0.01 12 less with 130 more.
SLOW_CONTRACTION = 0.05
# When no more alphas are left than this, each has its own Hessian: at 0 single fits take up to four
# passes more, at 10 there is one pass less.
FEW_LEFT = 3
# A fall in sight below this, over the unit, moves coefficients in their eighth digit: at 1e-18 the
# fits take six passes more.
LEAST_DECREMENT = 1e-16
# The same where coefficients are wanted to ten digits, as for a single alpha.
LEAST_OF_ONE = 1e-20
# An alpha ends after so many passes in which neither the objective nor the gap nor the fall in
# sight gets smaller: after two, one ended with an error of 1e-7, and eight changed none.
MOST_IDLE_PASSES = 4


class PassPath:
    """One training set along its alphas.

    Parameters
    ----------
    bound : Bound
        With `passes`.
    alphas : ndarray of shape (n_alphas,)
    settings : Settings
    start : ndarray of shape (n_features, n_outputs), optional
    """

    def __init__(
        self, bound: Bound, alphas: Array, settings: Settings, start: Array | None = None
    ) -> None:
        self.problem = problem = PassProblem(bound, settings)
        self.states = [AlphaState(problem, float(alpha)) for alpha in alphas]
        self.starts = [problem.rows.null_trial]
        if start is not None and start.any():
            self.starts.append(problem.start(start))


class AlphaState:
    """One alpha: the best point it knows, and what the next pass is to try.

    Attributes
    ----------
    point : EvaluatedPoint
    objective, gap, decrement : float
        There; the last is a fall in sight, over the unit.
    """

    point: EvaluatedPoint
    objective: float

    def __init__(self, problem: PassProblem, alpha: float) -> None:
        self.problem, self.alpha = problem, alpha
        self.scaled = problem.penalty.at(alpha)
        self.done, self.slow, self.n_iter, self.idle = False, False, 0, 0
        self.gap = self.decrement = self._best = np.inf
        self._steps: list[PassStep] = []
        self._dampings: tuple[float, ...] = (0.0,)

    @property
    def needs_hessian(self) -> bool:
        """Whether steps are slow, or have ended where the residual alone does not certify it."""
        return self.slow or self.decrement <= LEAST_OF_ONE

    @property
    def trials(self) -> list[Trial]:
        """Where the next pass is to evaluate the loss."""
        return [step.trial for step in self._steps]

    def value_at(self, point: EvaluatedPoint) -> float:
        """The objective."""
        value = self.problem.rows.value(point)
        if not np.isfinite(value):
            return np.inf
        return value + float(self.scaled.value(self.problem.coefficients(point)).sum())

    def begin(self, points: Sequence[EvaluatedPoint]) -> None:
        """Start at the best of some points."""
        target = self.problem.rows.target
        own = [one for one in points if one.target == target]
        values = [self.value_at(one) for one in own]
        best = int(np.argmin(values))
        self._move(own[best], values[best])

    def learn(self, points: Sequence[EvaluatedPoint]) -> None:
        """Take what a pass found at the trials."""
        self.n_iter += 1
        rounding = RISE_OF_ROUNDING * (abs(self.objective) + self.problem.unit)
        tried = zip(self._steps, self._dampings, map(self.value_at, points), points, strict=True)
        lower = [
            (value, damping, point)
            for step, damping, value, point in tried
            if value <= self.objective - LEAST_FALL * step.fall + rounding
        ]
        self.idle += 1
        if lower:
            value, damping, best = min(lower, key=lambda each: each[0])
            last, fall = self.decrement, self.objective - value
            self._dampings = (0.0,)
            if damping:
                self._dampings = tuple(share * damping for share in SHARES_OF_DAMPING)
            self._move(best, value)
            self.slow = damping > 0.0 or self.decrement > SLOW_CONTRACTION * last
            smallest = min(self.gap, self.decrement)
            if smallest < 0.5 * self._best or fall > AIM * self.problem.unit:
                self._best, self.idle = min(smallest, self._best), 0
        else:
            self.slow = True
            last = self._dampings[-1]
            factor = NEXT_DAMPINGS * last / DAMPINGS[-1] if last else 1.0
            self._dampings = tuple(factor * one for one in DAMPINGS)
            model = self._model()
            self._steps = [model.step(one) for one in self._dampings]
        if self.n_iter >= self.problem.settings.max_iter or self.idle >= MOST_IDLE_PASSES:
            self.done = True

    def _model(self) -> PassModel:
        return PassModel(self.problem, self.alpha, self.scaled, self.point)

    def _move(self, point: EvaluatedPoint, value: float) -> None:
        """Take a point for the best: its model, the next steps and the gap."""
        self.point, self.objective = point, value
        model = self._model()
        whole = model.step()
        self.decrement = whole.decrement
        self.gap = gap_of_point(model, whole, value)
        least = LEAST_OF_ONE if self.problem.settings.exact else LEAST_DECREMENT
        self.done = self.gap <= self.problem.aim and self.decrement <= least
        if whole.length > LONG_MOVE and self._dampings == (0.0,):
            self._dampings = (0.0, *DAMPINGS)
        self._steps = [model.step(one) if one else whole for one in self._dampings]

    def solution(self) -> Solution:
        """What is found, for a solver to give back."""
        problem, rows, point = self.problem, self.problem.rows, self.point
        v = np.where(problem.usable, problem.coefficients(point), 0.0)
        coef = v.reshape(problem.n_outputs, -1)
        if problem.n_outputs > 1:
            coef = symmetric(coef, problem.shape, self.scaled.has_l1)

        def gram_of(chosen: Index) -> Array:
            return self._model().gram[np.ix_(chosen, chosen)]

        df = degrees_of_freedom(coef.ravel(), self.scaled, gram_of)
        deviance = max(2.0 * rows.value(point), 0.0)
        given, design = np.zeros(problem.n_outputs), problem.design
        if problem.has_intercept:
            at_means = point.b + point.w @ rows.shift
            given = design.intercept(design.to_raw(coef.T), at_means)
        if problem.n_outputs == 1:
            return Solution(v, self.gap, self.n_iter, deviance, df, float(given[0]))
        shared = np.outer([self.gap, self.n_iter, deviance, df], np.ones(problem.n_outputs))
        gaps, n_iters, deviances, dfs = shared
        return Solution(coef, gaps, n_iters, deviances, dfs, given - given.mean())


# All alphas together --------------------------------------------------------------------------


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def solve_together(paths: Sequence[PassPath], leading: int = 1) -> None:
    """Solve all alphas of some training sets of the same rows, of which the first lead."""
    passes = paths[0].problem.rows.passes
    _know(passes, paths)
    states = [state for path in paths for state in path.states]
    each = max(2, passes.most_curved // leading)
    leaders = [state for path in paths[:leading] for state in _spread(path, each)]
    _begin(leaders, passes)
    while any(not (one.done or one.decrement <= NEAR_ENOUGH) for one in leaders):
        _step(leaders, passes, own=True)
    passes.known.extend(one.point for one in leaders)
    _begin([one for one in states if one not in leaders], passes)
    while any(not one.done for one in states):
        _step(states, passes, own=False)
    found = {id(one): one for one in passes.known}
    found |= {id(one.point): one.point for path in paths[:leading] for one in path.states}
    passes.known = list(found.values())


def _know(passes: RowPasses, paths: Sequence[PassPath]) -> None:
    """Evaluate the loss where all begin."""
    wanted, curved = list[Trial](), list[int]()
    for path in paths:
        for trial in path.starts:
            known = [*wanted, *(Trial(one.w, one.b, one.target) for one in passes.known)]
            if any(_same(trial, one) for one in known):
                continue
            has_hessian = {one.target for one in passes.curved} | {one.target for one in wanted}
            if trial.target not in has_hessian:
                curved.append(len(wanted))
            wanted.append(trial)
    if wanted:
        passes.known.extend(passes.evaluate(wanted, curved[: passes.most_curved]))


def _same(one: Trial, other: Trial) -> bool:
    alike = one.target == other.target and np.array_equal(one.b, other.b)
    return alike and np.array_equal(one.w, other.w)


def _spread(path: PassPath, most: int) -> list[AlphaState]:
    """Some alphas of a path, the first and the last among them."""
    states = path.states
    count = min(most, len(states))
    if len(states) <= count:
        return states
    index = np.unique(np.linspace(0, len(states) - 1, count).round().astype(int))
    return [states[i] for i in index]


def _begin(states: Sequence[AlphaState], passes: RowPasses) -> None:
    for state in states:
        state.begin(passes.known)


def _step(states: Sequence[AlphaState], passes: RowPasses, own: bool) -> None:
    """One pass for the alphas that are not solved."""
    active = [one for one in states if not one.done]
    trials, owners = list[Trial](), list[tuple[AlphaState, slice]]()
    for state in active:
        tried = state.trials
        if trials and len(trials) + len(tried) > passes.most_points:
            break
        owners.append((state, slice(len(trials), len(trials) + len(tried))))
        trials.extend(tried)
    every = len(active) <= FEW_LEFT
    needing = [
        range(where.start, where.stop if every or state.needs_hessian else where.start + 1)
        for state, where in owners
        if own or every or state.needs_hessian
    ]
    found = passes.evaluate(trials, _within(needing, passes.most_curved))
    for state, where in owners:
        state.learn(found[where])


def _within(needing: Sequence[range], most: int) -> list[int]:
    """The points of some alphas, evenly chosen, that are no more than so many."""
    total = sum(map(len, needing))
    count = max(1, len(needing) * most // max(total, most))
    chosen = np.unique(np.linspace(0, len(needing) - 1, count).round().astype(int))
    asked = [i for k in (chosen if needing else ()) for i in needing[k]]
    return asked[:most]


def solve(bound: Bound, alphas: Array, start: Array, settings: Settings) -> Iterator[Solution]:
    """All alphas, with those that were solved before; see `solvers/base.py`."""
    known = _solved_before(bound, settings)
    if any(float(alpha) not in known for alpha in alphas):
        solve_and_keep([(bound, PassPath(bound, alphas, settings, start))])
    for alpha in alphas:
        yield known[float(alpha)].solution()


def solve_and_keep(paths: Sequence[tuple[Bound, PassPath]], leading: int = 1) -> None:
    """`solve_together`, which leaves what it finds for `solve`."""
    solve_together([path for _, path in paths], leading)
    for bound, path in paths:
        known = _solved_before(bound, path.problem.settings)
        known.update({state.alpha: state for state in path.states})


def solve_parts(parts: Sequence[Bound], alphas: Sequence[Array], settings: Settings) -> None:
    """Solve problems of the same rows together, and leave what is found for `solve`."""
    paths = [
        (part, PassPath(part, own, settings))
        for part, own in zip(parts, alphas, strict=True)
        if any(float(alpha) not in _solved_before(part, settings) for alpha in own)
    ]
    if paths:
        solve_and_keep(paths, len(paths))


def solved_points(bound: Bound, alphas: Array, settings: Settings) -> list[EvaluatedPoint]:
    """The points at which `solve_and_keep` ended."""
    known = _solved_before(bound, settings)
    return [known[float(alpha)].point for alpha in alphas]


def _solved_before(bound: Bound, settings: Settings) -> dict[float, AlphaState]:
    return bound.kept(("solved by passes", settings.exact), dict[float, AlphaState])


def null_correlations_by_passes(bound: Bound, settings: Settings) -> Array:
    """Correlations of the features with the null model's residual, (n_features, n_outputs)."""
    problem, point = PassProblem(bound, settings), bound.passes.null
    free = bound.penalty.free
    if free.any():
        alone = PassPath(replace(bound, penalty=bound.penalty.only(free)), np.ones(1), settings)
        solve_together([alone])
        point = alone.states[0].point
    q = centred_correlations(problem, problem.rows.means(point)) * problem.scale
    q = q.T
    q[free] = q[bound.design.variances == 0] = 0.0
    return np.asarray(q)
