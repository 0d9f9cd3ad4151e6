"""The gap of a point of a pass, from the sums of that pass alone.

`objective/duality.py` has the gap at any slopes of the loss. Two dual points are tried, each scaled
until the conjugates of the penalty are finite, of which the gap is convex; at zero it is the value.

1. With the Hessian of the point itself: the residual of Newton's model, ``u = f' + h d`` row by
   row. What the loss adds to the gap is at most ``d' H d``, as long as no row moves farther than
   its curvature (`Loss.gap_from_curvature`; of the multinomial loss it bounds chi squared, of the
   squared hinge it is twice that). No row moves more than the root of the sum of all squares.
2. The residual itself, of which the loss adds nothing but for the mean that an intercept asks for.
   Of one output ``u = f' + h c`` has it, c the mean over the curvature. Of classes the
   probabilities are mixed with the same for all rows, ``(1 - e) p + e v``, where
   ``v = P + (Y - P) / e`` has the means Y; as divergences are convex that adds no more than e times
   the mean divergence of v from p.
"""

from __future__ import annotations

import numpy as np
from scipy.special import entr

from ...data.design import Array
from ...objective.duality import correlations_wanted, into_domain, penalty_gaps
from .pass_model import PassModel, PassProblem, PassStep
from .training_sums import Means


def gap_of_point(model: PassModel, step: PassStep, objective: float) -> float:
    """The gap at the point of a model, relative to the unit.

    Parameters
    ----------
    model : PassModel
    step : PassStep
        To its minimum.
    objective : float
        At the point.
    """
    gaps = [max(objective, 0.0) / model.problem.unit, _gap_of_residual(model)]
    if model.own:
        gaps.append(_gap_of_model(model, step))
    return max(min(gaps), 0.0)


def _gap_at(model: PassModel, q: Array, of_loss: float) -> float:
    """That at a residual with correlations q, of which the loss adds so much."""
    problem, scaled = model.problem, model.scaled
    if problem.fixed is not None:
        q = np.where(problem.usable, q, 0.0)
    wanted = correlations_wanted(model.v, q, scaled)
    q = np.where(np.abs(q - wanted) <= problem.noise, wanted, q)
    tau, dual = into_domain(q, scaled)
    whole = float(tau) * of_loss + (1.0 - float(tau)) * max(model.means.value, 0.0)
    return (whole + float(penalty_gaps(model.v, dual, scaled).sum())) / problem.unit


def _gap_of_model(model: PassModel, step: PassStep) -> float:
    problem, (end, start) = model.problem, (step.trial, model.point)
    rows, change = problem.rows, end.w - start.w
    mean = step.moved + change @ rows.shift if problem.has_intercept else step.moved
    square = step.length**2 + float(mean @ mean)
    if not rows.n_effective * square <= rows.nearest(start) ** 2:
        return np.inf
    flat = np.concatenate([change, step.moved[:, None]], axis=1).ravel()
    return _gap_at(model, model.residual_correlations(step), float(flat @ (model.hessian @ flat)))


def _gap_of_residual(model: PassModel) -> float:
    problem, means = model.problem, model.means
    if not problem.has_intercept:
        return _gap_at(model, model.q, 0.0)
    if problem.n_outputs > 1:
        return _gap_of_mixture(model)
    total = float(means.bends[0])
    if not total > 0.0:
        return np.inf
    c = float(means.slopes[0]) / total
    if abs(c) > problem.rows.nearest(model.point):
        return np.inf
    return _gap_at(model, model.q - c * means.border * problem.scale, c * c * total)


def _gap_of_mixture(model: PassModel) -> float:
    problem, means, rows = model.problem, model.means, model.problem.rows
    present = rows.mean_target - means.slopes
    if not (present > 0).all():
        return np.inf
    # The smallest share of which the rest is not negative, and a little more for rounding.
    e = float(np.max(-means.slopes / present)) * (1.0 + 1e-12)
    if not 0.0 <= e < 1.0:
        return np.inf
    of_loss, q = 0.0, centred_correlations(problem, means)
    if e > 0.0:
        mixed = np.maximum(present + means.slopes / e, 0.0)
        of_loss = e * max(float(-entr(mixed).sum() - mixed @ means.bends), 0.0)
        if not np.isfinite(of_loss):  # linear predictors overflow
            return np.inf
        q = (1.0 - e) * q + e * centred_correlations(problem, rows.of_null)
    return _gap_at(model, (q * problem.scale).ravel(), of_loss)


def centred_correlations(problem: PassProblem, means: Means) -> Array:
    """Correlations of the residuals with columns of mean zero, where there is an intercept."""
    if not problem.has_intercept:
        return means.q
    return np.asarray(means.q - np.multiply.outer(means.slopes, problem.rows.shift))
