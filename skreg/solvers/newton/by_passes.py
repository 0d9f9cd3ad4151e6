"""Newton's method where rows are read pass by pass, at all alphas of several training sets at once.

A pass evaluates the loss at one point, or a few, for each alpha that is not solved
(`group_sums.py`). Between passes each alpha has a model of the loss at the best point it knows, and
its minimum with the penalty is where the next pass evaluates it. A Hessian costs as much as many
points. At first some alphas of the path on all rows have their own, which serve all training sets,
as they are sums over groups. Then the others begin, from the points found, with a mean of the two
Hessians that are near; where that is slow they ask for one. Where a step does not lower the
objective by Armijo's rule, the next pass evaluates several shares of it.

Two dual points certify a point, each scaled until the conjugates of the penalty are finite
(`objective/duality.py`); neither asks for the rows again.

1. With the Hessian of the point itself: the residual of Newton's model, ``u = f' + h d`` row by
   row. What the loss adds to the gap is at most ``d' H d``, as long as no row moves farther than
   its curvature (`Loss.gap_from_curvature`; of the multinomial loss it bounds chi squared, of the
   squared hinge it is twice that). No row moves more than the root of the sum of all squares.
2. The residual itself, of which the loss adds nothing but for the mean that an intercept asks for.
   Of one output ``u = f' + h c`` has it, ``c`` the mean over the curvature. Of classes the
   probabilities are mixed with the same for all rows, ``(1 - e) p + e v``, where
   ``v = P + (Y - P) / e`` has the means Y; as divergences are convex that adds no more than ``e``
   times the mean divergence of v from p.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from scipy.special import entr

from ...data.design import Array, Index
from ...objective.duality import correlations_wanted, into_domain, penalty_gaps
from ..base import AIM, Bound, Settings, Solution
from ..optimality import degrees_of_freedom
from ..quadratic.alone import solve_alone
from ..quadratic.class_rounds import ClassRounds
from ..quadratic.side_by_side import serves
from ..tolerances import KKT_ROUNDING
from .class_loss import root_of_inverse
from .class_path import of_pairs
from .multinomial import symmetric
from .prox_newton import LEAST_FALL, USUAL_AIM
from .subproblem import Subproblem
from .training_sums import EvaluatedPoint, Means, RowPasses, TrainingSums, Trial

# Shares of a step that a pass evaluates where the whole one does not lower the objective.
SHARES_OF_A_STEP = (0.5, 0.2, 0.05)
# With so small a fall of the objective in sight over its unit the other alphas begin.
NEAR_ENOUGH = 1e-3
# A fall in sight that is above this share of the last calls for a Hessian of its own.
SLOW_CONTRACTION = 0.05
# So few alphas that are left have their own Hessians.
FEW_LEFT = 3
# The objective rises by so much of its terms by rounding.
RISE_OF_OBJECTIVE = 1e-13
# A fall in sight below this, over the unit, moves coefficients in their ninth digit; for a single
# alpha in their tenth.
LEAST_DECREMENT, LEAST_OF_ONE = 1e-18, 1e-20
# Passes in which neither the gap nor the fall in sight gets smaller.
MOST_IDLE_PASSES = 4
# Rounds on signs that are tried before the active set of `Subproblem`.
ROUNDS_ON_SIGNS = 30
# A small part of the diagonal tells apart what is equal; what steps converge to stays the same.
PART_OF_DIAGONAL = 1e-9


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
        design, rows = bound.design, bound.passes
        assert isinstance(rows, TrainingSums)
        self.rows, self.settings, self.design = rows, settings, design
        self.n_outputs, self.has_intercept = len(rows.intercept), design.mean is not None
        inverse = design.inv_scale
        self.scale = np.ones(design.n_features) if inverse is None else inverse
        self.shape = bound.penalty
        self.penalty = of_pairs(bound.penalty, self.n_outputs)
        self.usable = np.tile(design.variances > 0, self.n_outputs) & self.penalty.movable
        fixed = np.flatnonzero(~self.usable)
        self.fixed = fixed if len(fixed) else None
        self.inverse = np.divide(
            1.0, self.scale, out=np.zeros_like(self.scale), where=self.scale > 0
        )
        self.noise = KKT_ROUNDING * np.sqrt(rows.square * np.tile(design.variances, self.n_outputs))
        self.unit = rows.deviance or 1.0
        self.aim = AIM if settings.exact else max(AIM, min(USUAL_AIM, settings.tol))
        self.states = [AlphaState(self, float(alpha)) for alpha in alphas]
        self.start = None if start is None or not start.any() else start.T / 1.0

    def start_trials(self) -> list[Trial]:
        """The point to start from, where there is one."""
        if self.start is None:
            return []
        w = self.start * self.scale
        b = self.rows.intercept - w @ self.rows.shift if self.has_intercept else self.rows.intercept
        return [Trial(w, b, self.rows.target)]

    def coefficients(self, point: EvaluatedPoint) -> Array:
        """Those of the design, output by output in one vector."""
        return np.asarray(point.w * self.inverse).ravel()


class AlphaState:
    """One alpha: the best point it knows, the model there, and what the next pass is to try."""

    point: EvaluatedPoint
    objective: float
    gap: float
    decrement: float

    def __init__(self, path: PassPath, alpha: float) -> None:
        self.path, self.alpha = path, alpha
        self.scaled = path.penalty.at(alpha)
        self.done, self.slow, self.n_iter, self.idle = False, False, 0, 0
        self.shares: tuple[float, ...] = (1.0,)
        self.gap = self.decrement = self.best = np.inf

    @property
    def needs_hessian(self) -> bool:
        """Whether the second dual point alone cannot certify it, or steps are slow."""
        return self.slow or self.alpha == 0.0 or bool(np.count_nonzero(self.path.shape.free))

    def value_at(self, point: EvaluatedPoint) -> float:
        """The objective."""
        value = self.path.rows.value(point)
        if not np.isfinite(value):
            return np.inf
        return value + float(self.scaled.value(self.path.coefficients(point)).sum())

    def begin(self, points: Sequence[EvaluatedPoint]) -> None:
        """Start at the best of some points."""
        target = self.path.rows.target
        own = [one for one in points if one.target == target]
        values = [self.value_at(one) for one in own]
        best = int(np.argmin(values))
        self._move(own[best], values[best])

    def trials(self) -> list[Trial]:
        """Where the next pass is to evaluate the loss."""
        point, w, b = self.point, self._w, self._b
        return [
            Trial(point.w + s * (w - point.w), point.b + s * (b - point.b), point.target)
            if s < 1.0
            else Trial(w, b, point.target)
            for s in self.shares
        ]

    def learn(self, points: Sequence[EvaluatedPoint]) -> None:
        """Take what a pass found at the trials, the longest step first."""
        self.n_iter += 1
        rounding = RISE_OF_OBJECTIVE * (abs(self.objective) + self.path.unit)
        found = [
            (self.value_at(one), share, one) for share, one in zip(self.shares, points, strict=True)
        ]
        lower = [
            each
            for each in found
            if each[0] <= self.objective - LEAST_FALL * each[1] * self._fall + rounding
        ]
        if not lower:
            self.shares = tuple(self.shares[-1] * share for share in SHARES_OF_A_STEP)
            self.slow = True
            self.idle += 1
            if self.idle >= MOST_IDLE_PASSES:
                self.done = True
            return
        value, share, best = min(lower, key=lambda each: each[0])
        last = self.decrement
        self.shares = (1.0,)
        self._move(best, value)
        self.slow = share < 1.0 or self.decrement > SLOW_CONTRACTION * last
        if min(self.gap, self.decrement) < 0.5 * self.best:
            self.best, self.idle = min(self.gap, self.decrement), 0
        else:
            self.idle += 1
        if self.n_iter >= self.path.settings.max_iter or self.idle >= MOST_IDLE_PASSES:
            self.done = True

    def _move(self, point: EvaluatedPoint, value: float) -> None:
        """Take a point for the best: its model, the next step and the gap."""
        path, rows = self.path, self.path.rows
        self.point, self.objective = point, value
        n_outputs, p = point.w.shape
        self.means = means = rows.means(point)
        H, own = rows.hessian(point, means.bends)
        pairs, ends = _places(n_outputs, p)
        scale = np.tile(path.scale, n_outputs)
        slopes, q = means.slopes, means.q.ravel() * scale
        G = H[:p, :p] if n_outputs == 1 else H[np.ix_(pairs, pairs)]
        root, within = np.zeros((n_outputs, 0)), np.zeros((0, len(pairs)))
        if path.has_intercept:
            root = _root(H[np.ix_(ends, ends)])
            within = root.T @ H[ends][:, pairs]
            G = G - within.T @ within
        q_at = q - (within.T @ (root.T @ slopes)) * scale
        G = G * scale * scale[:, None]
        if path.fixed is not None:
            G[path.fixed] = G[:, path.fixed] = q_at[path.fixed] = 0.0
        v = path.coefficients(point)
        new = self._minimum(G, q_at, v)
        change = new - v
        q_model = q_at - G @ change
        moved = np.zeros(n_outputs)
        if path.has_intercept:
            moved = root @ (root.T @ slopes - within @ (scale * change))
        self._w = (new * scale).reshape(n_outputs, p)
        self._b = point.b + moved
        self._fall = max(
            float(q @ change + slopes @ moved)
            - float(self.scaled.value(new).sum() - self.scaled.value(v).sum()),
            0.0,
        )
        bent = float(change @ (G @ change) + np.square(root.T @ slopes).sum())
        self.decrement = max(bent, 0.0) / path.unit
        step = np.concatenate([(self._w - point.w), moved[:, None]], axis=1)
        gaps = [self._gap_at_zero(), self._gap_of_residual(v, q, slopes)]
        if own:
            gaps.append(self._gap_of_model(v, change, step, moved, H, q_model))
        self.gap = min(gaps)
        least = LEAST_OF_ONE if path.settings.exact else LEAST_DECREMENT
        self.done = self.gap <= path.aim and self.decrement <= least
        self._gram = G

    def _minimum(self, G: Array, q: Array, v: Array) -> Array:
        """The coefficients at the minimum of the model with the penalty."""
        path, scaled = self.path, self.scaled
        matrix, index, n_outputs = G, np.arange(len(v)), path.n_outputs
        kinks = scaled.has_l1 or path.penalty.has_bounds
        if n_outputs > 1:
            matrix = _told_apart(G, n_outputs, kinks)
        c = q + matrix @ v
        square = max(float(v @ (matrix @ v) + 2.0 * v @ q), 0.0) + path.rows.square
        if kinks and n_outputs == 1 and serves(path.penalty, self.alpha):
            found = solve_alone(matrix, c, scaled, v, square, ROUNDS_ON_SIGNS)
            if found is not None:
                return found.w
        if kinks and n_outputs > 1 and not path.penalty.has_bounds:
            feature = np.tile(np.arange(len(v) // n_outputs), n_outputs)
            rounds = ClassRounds(matrix, feature, n_outputs, path.usable)
            signed = rounds.solve(c, scaled, v, np.sign(v), square, ROUNDS_ON_SIGNS)
            if signed is not None:
                return signed
        shape = path.penalty if kinks else replace(path.penalty, l1_ratio=0.0)
        alpha = self.alpha if kinks else self.alpha * (1.0 - path.penalty.l1_ratio)
        model = Subproblem(shape, len(v), True, path.settings.tuning)
        return model.solve(alpha, index, matrix, c, square, v)

    # Certificates -------------------------------------------------------------------------

    def _gap_at_zero(self) -> float:
        """That at a dual point of zero."""
        return max(self.objective, 0.0) / self.path.unit

    def _gap_at(self, v: Array, q: Array, of_loss: float) -> float:
        """That at a residual with correlations q, of which the loss adds so much."""
        if self.path.fixed is not None:
            q = np.where(self.path.usable, q, 0.0)
        wanted = correlations_wanted(v, q, self.scaled)
        q = np.where(np.abs(q - wanted) <= self.path.noise, wanted, q)
        tau, dual = into_domain(q, self.scaled)
        whole = float(tau) * of_loss + (1.0 - float(tau)) * max(self.means.value, 0.0)
        return (whole + float(penalty_gaps(v, dual, self.scaled).sum())) / self.path.unit

    def _gap_of_residual(self, v: Array, q: Array, slopes: Array) -> float:
        path, rows, point = self.path, self.path.rows, self.point
        if not path.has_intercept:
            return self._gap_at(v, q, 0.0)
        if path.n_outputs > 1:
            return self._gap_of_mixture(v, slopes)
        total = float(self.means.bends[0])
        if not total > 0.0:
            return np.inf
        c = float(slopes[0]) / total
        if abs(c) > rows.nearest(point):
            return np.inf
        q = q - c * self.means.border * path.scale
        return self._gap_at(v, q, c * c * total)

    def _gap_of_mixture(self, v: Array, slopes: Array) -> float:
        path, rows = self.path, self.path.rows
        present = rows.mean_target - slopes
        if not (present > 0).all():
            return np.inf
        # The smallest share of which the rest is not negative, and a little more for rounding.
        e = float(np.max(-slopes / present)) * (1.0 + 1e-12)
        if not 0.0 <= e < 1.0:
            return np.inf
        of_loss, q = 0.0, self._centred_correlations(self.means)
        if e > 0.0:
            mixed = np.maximum(present + slopes / e, 0.0)
            of_loss = e * max(float(-entr(mixed).sum() - mixed @ self.means.bends), 0.0)
            q = (1.0 - e) * q + e * self._centred_correlations(rows.of_null)
        return self._gap_at(v, (q * path.scale).ravel(), of_loss)

    def _centred_correlations(self, means: Means) -> Array:
        """Correlations of the residuals with columns of mean zero."""
        return np.asarray(means.q - np.multiply.outer(means.slopes, self.path.rows.shift))

    def _gap_of_model(
        self, v: Array, change: Array, step: Array, moved: Array, H: Array, q: Array
    ) -> float:
        path, rows = self.path, self.path.rows
        changes = change.reshape(path.n_outputs, -1)
        mean = moved + step[:, :-1] @ rows.shift if path.has_intercept else moved
        square = float(np.einsum("kj,kj->", changes @ path.design.gram(), changes) + mean @ mean)
        if not rows.n_effective * square <= rows.nearest(self.point) ** 2:
            return np.inf
        flat = step.ravel() if path.has_intercept else _without_ends(step)
        return self._gap_at(v, q, float(flat @ (H @ flat)))

    # Results ------------------------------------------------------------------------------

    def solution(self) -> Solution:
        """What is found, for a solver to give back."""
        path, rows, point = self.path, self.path.rows, self.point
        v, b = path.coefficients(point), point.b
        v = np.where(path.usable, v, 0.0)
        coef = v.reshape(path.n_outputs, -1)
        if path.n_outputs > 1:
            coef = symmetric(coef, path.shape, self.scaled.has_l1)
        df = degrees_of_freedom(
            coef.ravel(), self.scaled, lambda chosen: self._gram[np.ix_(chosen, chosen)]
        )
        deviance = max(2.0 * self.means.value, 0.0)
        gap, n_iter = self.gap, self.n_iter
        if path.n_outputs == 1:
            at_mean = float(b[0]) + (float(point.w[0] @ rows.shift) if path.has_intercept else 0.0)
            given = path.design.intercept(path.design.to_raw(v), at_mean)
            intercept = float(given) if path.has_intercept else 0.0
            return Solution(v, gap, n_iter, deviance, df, intercept)
        all_alike = np.outer([gap, n_iter, deviance, df], np.ones(path.n_outputs))
        given = np.zeros(path.n_outputs)
        if path.has_intercept:
            at_means = b + point.w @ rows.shift
            given = path.design.intercept(path.design.to_raw(coef.T), at_means)
            given = given - given.mean()
        gaps, n_iters, deviances, dfs = all_alike
        return Solution(coef, gaps, n_iters, deviances, dfs, given)


def _places(n_outputs: int, n_features: int) -> tuple[Index, Index]:
    """Where a Hessian has the pairs of an output and a feature, and where the intercepts."""
    at = np.arange(n_outputs * (n_features + 1)).reshape(n_outputs, n_features + 1)
    return at[:, :n_features].ravel(), at[:, n_features]


def _without_ends(step: Array) -> Array:
    """A step whose intercepts stay."""
    held = step.copy()
    held[:, -1] = 0.0
    return held.ravel()


def _root(curvature: Array) -> Array:
    """R with ``R R'`` the pseudo-inverse of the intercepts' curvature."""
    if len(curvature) == 1:
        h = float(curvature[0, 0])
        return np.array([[1.0 / np.sqrt(h)]]) if h > 0 else np.zeros((1, 0))
    return root_of_inverse(curvature)


def _told_apart(G: Array, n_classes: int, kinks: bool) -> Array:
    """The Gram matrix of all pairs, of which a constant added in all classes has a curvature."""
    matrix = G.copy()
    if kinks:
        matrix[np.diag_indices(len(G))] *= 1.0 + PART_OF_DIAGONAL
        return matrix
    by_class = matrix.reshape(2 * (n_classes, len(G) // n_classes))
    unit = np.einsum("kjkj->j", by_class) / n_classes
    sums = np.einsum("kjlj->klj", by_class)  # a view
    sums += unit
    return matrix


# All alphas together --------------------------------------------------------------------------


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def solve_together(paths: Sequence[PassPath], leading: int = 1) -> None:
    """Solve all alphas of some training sets of the same rows, of which the first lead."""
    passes = paths[0].rows.passes
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
        for trial in (path.rows.null_trial, *path.start_trials()):
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
        tried = state.trials()
        if trials and len(trials) + len(tried) > passes.most_points:
            break
        owners.append((state, slice(len(trials), len(trials) + len(tried))))
        trials.extend(tried)
    own = own or len(active) <= FEW_LEFT
    asking = [where.start for state, where in owners if own or state.needs_hessian]
    if len(asking) > passes.most_curved:
        chosen = np.linspace(0, len(asking) - 1, passes.most_curved).round().astype(int)
        asking = [asking[i] for i in np.unique(chosen)]
    found = passes.evaluate(trials, asking)
    for state, where in owners:
        state.learn(found[where])


def solve(bound: Bound, alphas: Array, start: Array, settings: Settings) -> Iterator[Solution]:
    """All alphas, with those that were solved before; see `solvers/base.py`."""
    known = bound.kept("solved by passes", dict[float, AlphaState])
    if any(float(alpha) not in known for alpha in alphas):
        path = PassPath(bound, alphas, settings, start)
        solve_together([path])
        keep_solved(bound, path)
    for alpha in alphas:
        yield known[float(alpha)].solution()


def keep_solved(bound: Bound, path: PassPath) -> None:
    """Leave what is solved of a path for `solve`."""
    known = bound.kept("solved by passes", dict[float, AlphaState])
    known.update({state.alpha: state for state in path.states})


def null_correlations_by_passes(bound: Bound, settings: Settings) -> Array:
    """Correlations of the features with the null model's residual, (n_features, n_outputs)."""
    path, point = PassPath(bound, np.ones(1), settings), bound.passes.null
    free = bound.penalty.free
    if free.any():
        alone = replace(bound, penalty=bound.penalty.only(free))
        path = PassPath(alone, np.ones(1), settings)
        solve_together([path])
        point = path.states[0].point
    rows = path.rows
    means = rows.means(point)
    q = means.q
    if path.has_intercept:
        q = q - np.multiply.outer(means.slopes, rows.shift)
    q = (q * path.scale).T
    q[free] = q[bound.design.variances == 0] = 0.0
    return np.asarray(q)


def solved_points(bound: Bound, alphas: Array) -> list[EvaluatedPoint]:
    """The points at which `solve_together` ended, as `keep_solved` left them."""
    known = bound.kept("solved by passes", dict[float, AlphaState])
    return [known[float(alpha)].point for alpha in alphas]
