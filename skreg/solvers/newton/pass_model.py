"""Newton's model of the loss at a point of a pass, and its minimum with the penalty.

The intercepts are eliminated as in `newton/model.py` and `class_model.py`, from a Hessian of all
pairs of an output and a feature, and of the intercepts. Where a whole step raises the objective,
the next are damped: a multiple of the Gram matrix of the features and the constant is added to it
(Levenberg, Quart. Appl. Math. 2(2), 1944), which also bounds steps along what no row with a
curvature tells apart.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ...caching import cached_property
from ...data.design import Array, Index
from ...objective.penalties import ScaledPenalty
from ..base import AIM, Bound, Settings
from ..quadratic.alone import solve_alone
from ..quadratic.class_rounds import ClassRounds
from ..quadratic.side_by_side import serves
from ..tolerances import KKT_ROUNDING
from .class_loss import root_of_inverse
from .class_path import of_pairs
from .subproblem import Subproblem
from .training_sums import EvaluatedPoint, TrainingSums, Trial

# The gap that paths aim for. It is most often that of the residual, which falls as the error of the
# coefficients does, not as its square.
AIM_OF_RESIDUALS = 1e-8
# Rounds on signs that are tried before the active set of `Subproblem`: on 13 paths of up to 30
# features none takes more than 12, and without them these take a fifth longer.
ROUNDS_ON_SIGNS = 30
# Dampings are shares of the mean curvature, or of this share of the null model's where no row is
# left with one, as far beyond the margin of the squared hinge: at 1 a fit of amounts takes 13
# passes and not 10, and a hundredth of this changes nothing.
LEAST_BEND = 1e-2
# This part of the diagonal is added to tell apart what is equal, in which shares from 1e-12 to 1e-6
# change no pass, nor what steps converge to.
PART_OF_DIAGONAL = 1e-9


class PassProblem:
    """What the alphas of one training set share.

    Parameters
    ----------
    bound : Bound
        With `passes`.
    settings : Settings

    Attributes
    ----------
    rows : TrainingSums
    scale : ndarray of shape (n_features,)
        What coefficients of the design are multiplied by.
    penalty : Penalty
        Of all pairs of an output and a feature.
    usable : ndarray of bool, shape (n_pairs,)
        Those that may move.
    fixed : ndarray of int or None
        The others.
    noise : ndarray of shape (n_pairs,)
        What correlations are known to.
    unit : float
        Unit of gaps.
    aim : float
        The gap that is aimed for.
    """

    def __init__(self, bound: Bound, settings: Settings) -> None:
        design, rows = bound.design, bound.passes
        assert isinstance(rows, TrainingSums)
        self.rows, self.settings, self.design = rows, settings, design
        self.n_outputs, self.has_intercept = len(rows.intercept), design.mean is not None
        inverse = design.inv_scale
        self.scale = np.ones(design.n_features) if inverse is None else inverse
        self.inverse = np.divide(
            1.0, self.scale, out=np.zeros_like(self.scale), where=self.scale > 0
        )
        self.shape = bound.penalty
        self.penalty = of_pairs(bound.penalty, self.n_outputs)
        variances = np.tile(design.variances, self.n_outputs)
        self.usable = (variances > 0) & self.penalty.movable
        fixed = np.flatnonzero(~self.usable)
        self.fixed = fixed if len(fixed) else None
        self.noise = KKT_ROUNDING * np.sqrt(rows.square * variances)
        self.unit = rows.deviance or 1.0
        self.aim = AIM if settings.exact else max(AIM, min(AIM_OF_RESIDUALS, settings.tol))

    @cached_property
    def gram(self) -> Array:
        """The Gram matrix of the features, zeros where they may not move."""
        gram, p = self.design.gram(), self.design.n_features
        fixed = np.flatnonzero(~self.usable[:p])
        if len(fixed):
            gram = gram.copy()
            gram[fixed] = gram[:, fixed] = 0.0
        return gram

    def coefficients(self, point: EvaluatedPoint) -> Array:
        """Those of the design, output by output in one vector."""
        return np.asarray(point.w * self.inverse).ravel()

    def start(self, coef: Array) -> Trial:
        """The point of coefficients of the design, (n_features, n_outputs)."""
        w, b = coef.T * self.scale, self.rows.intercept
        return Trial(w, b - w @ self.rows.shift if self.has_intercept else b, self.rows.target)


class PassStep(NamedTuple):
    """A step from a point.

    Attributes
    ----------
    trial : Trial
        Where it ends.
    change : ndarray of shape (n_pairs,)
        Of the coefficients of the design.
    moved : ndarray of shape (n_outputs,)
        Of the intercepts.
    fall : float
        How much the objective falls along its slope.
    length : float
        Root of the mean square that linear predictors move.
    decrement : float
        The square of the step under the Hessian, over the unit of the rows.
    """

    trial: Trial
    change: Array
    moved: Array
    fall: float
    length: float
    decrement: float


class Eliminated(NamedTuple):
    """A model whose intercepts are at their best: its Gram matrix and linear term.

    With R of ``R R'``, the pseudo-inverse of the intercepts' curvature, and `within` R' times the
    rest of their rows, from which they follow.
    """

    gram: Array
    linear: Array
    root: Array
    within: Array


class PassModel:
    """The model at a point with the penalty of one alpha.

    Attributes
    ----------
    means : Means
    hessian : ndarray of shape (m, m)
        See `GroupSums`.
    own : bool
        Whether that is of the point itself.
    gram : ndarray of shape (n_pairs, n_pairs)
        Without the intercepts, in units of the design.
    v, q : ndarray of shape (n_pairs,)
        Coefficients of the design, and correlations of the residuals.
    """

    def __init__(
        self, problem: PassProblem, alpha: float, scaled: ScaledPenalty, point: EvaluatedPoint
    ) -> None:
        self.problem, self.alpha, self.scaled, self.point = problem, alpha, scaled, point
        self.means = means = problem.rows.means(point)
        self.hessian, self.own = problem.rows.hessian(point, means.bends)
        self._scale = np.tile(problem.scale, problem.n_outputs)
        self.v, self.q = problem.coefficients(point), means.q.ravel() * self._scale
        self._whole = self._eliminated(0.0)
        self.gram = self._whole.gram

    def _eliminated(self, damping: float) -> Eliminated:
        """The model without its intercepts."""
        problem, H, scale = self.problem, self.hessian, self._scale
        n_outputs, p = self.point.w.shape
        pairs, ends = places_of_pairs(n_outputs, p)
        G = H[:p, :p] if n_outputs == 1 else H[np.ix_(pairs, pairs)]
        G = G * scale * scale[:, None]
        added = 0.0
        if damping:
            total = n_outputs * float(problem.gram.diagonal().sum())
            bend = float(self.gram.diagonal().sum()) / (total or 1.0)
            added = damping * max(bend, LEAST_BEND * problem.rows.null_curvature)
            for k in range(n_outputs):
                own = slice(k * p, (k + 1) * p)
                G[own, own] += added * problem.gram
        root, within = np.zeros((n_outputs, 0)), np.zeros((0, len(pairs)))
        if problem.has_intercept:
            root = _root(H[np.ix_(ends, ends)] + added * np.eye(n_outputs))
            within = (root.T @ H[ends][:, pairs]) * scale
        gram = G - within.T @ within
        linear = self.q - within.T @ (root.T @ self.means.slopes)
        if (fixed := problem.fixed) is not None:
            gram[fixed] = gram[:, fixed] = linear[fixed] = 0.0
        return Eliminated(gram, linear, root, within)

    def step(self, damping: float = 0.0) -> PassStep:
        """The step to the minimum, damped or not."""
        problem, point, slopes = self.problem, self.point, self.means.slopes
        n_outputs, p = point.w.shape
        gram, linear, root, within = self._eliminated(damping) if damping else self._whole
        new = self._minimum(gram, linear)
        change = new - self.v
        moved = root @ (root.T @ slopes - within @ change)
        end = Trial((new * self._scale).reshape(n_outputs, p), point.b + moved, point.target)
        before, after = self.scaled.value(self.v), self.scaled.value(new)
        fall = float(self.q @ change + slopes @ moved) - float((after - before).sum())
        own = float(np.square(self._whole.root.T @ slopes).sum())
        bent = max(float(change @ (self.gram @ change)), 0.0) + own
        changes = change.reshape(n_outputs, p)
        length = float(np.einsum("kj,kj->", changes @ problem.gram, changes))
        length = np.sqrt(max(length, 0.0))
        return PassStep(end, change, moved, max(fall, 0.0), length, bent / problem.unit)

    def residual_correlations(self, step: PassStep) -> Array:
        """Correlations of the residuals of the model at the end of a step."""
        return np.asarray(self._whole.linear - self.gram @ step.change)

    def _minimum(self, gram: Array, q: Array) -> Array:
        """The coefficients at the minimum of the model with the penalty."""
        problem, scaled, v = self.problem, self.scaled, self.v
        n_outputs, penalty = problem.n_outputs, problem.penalty
        kinks = scaled.has_l1 or penalty.has_bounds
        if n_outputs > 1:
            gram = _told_apart(gram, n_outputs, kinks)
        c = q + gram @ v
        square = max(float(v @ (gram @ v) + 2.0 * v @ q), 0.0) + problem.rows.square
        if kinks and n_outputs == 1 and serves(penalty, self.alpha):
            found = solve_alone(gram, c, scaled, v, square, ROUNDS_ON_SIGNS)
            if found is not None:
                return found.w
        if kinks and n_outputs > 1 and not penalty.has_bounds:
            feature = np.tile(np.arange(len(v) // n_outputs), n_outputs)
            rounds = ClassRounds(gram, feature, n_outputs, problem.usable)
            signed = rounds.solve(c, scaled, v, np.sign(v), square, ROUNDS_ON_SIGNS)
            if signed is not None:
                return signed
        alpha = self.alpha
        if not kinks:
            penalty, alpha = replace(penalty, l1_ratio=0.0), alpha * (1.0 - penalty.l1_ratio)
        subproblem = Subproblem(penalty, len(v), True, problem.settings.tuning)
        return subproblem.solve(alpha, np.arange(len(v)), gram, c, square, v)


def places_of_pairs(n_outputs: int, n_features: int) -> tuple[Index, Index]:
    """Where a Hessian has the pairs of an output and a feature, and where the intercepts."""
    at = np.arange(n_outputs * (n_features + 1)).reshape(n_outputs, n_features + 1)
    return at[:, :n_features].ravel(), at[:, n_features]


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
