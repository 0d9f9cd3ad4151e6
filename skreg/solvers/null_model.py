"""The null model: the fit on the intercept and the unpenalised features alone.

A path with an L1 part begins at the latter; gaps and deviances are relative to the intercept alone.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..data.design import Array
from .base import Bound, Settings, Target
from .newton.by_passes import null_correlations_by_passes
from .newton.class_loss import class_rows
from .newton.class_ridge import ClassRidge, smooth_path
from .newton.multinomial import ActivePairs
from .newton.prox_newton import NewtonPath
from .newton.rows import target_rows
from .optimality import pseudo_solve
from .registry import choose


def null_correlations(bound: Bound, settings: Settings) -> Array:
    """Correlations of the features with the null model's residual, (n_features, n_targets)."""
    design, penalty = bound.design, bound.penalty
    if not bound.loss.quadratic:
        return _smooth_correlations(bound, settings)
    c = bound.correlations.copy()
    constant = design.far.constant  # their correlations are rounding at most
    c[constant] = 0.0
    index = np.flatnonzero(penalty.free)
    if not len(index):
        return c
    free = penalty.take(index)
    if not free.has_bounds:
        columns = design.gram_columns(index)
        q = c - columns @ np.stack([pseudo_solve(columns[index], r) for r in c[index].T], axis=1)
    else:
        part = design.subset(index)
        Y = bound.target.centred
        start = np.zeros((len(index), Y.shape[1]))
        exact = replace(settings, tol=0.0, precompute=True)
        problem = Bound(part, Target.build(part, Y), replace(free, l1_ratio=1.0))
        solver = choose("auto", problem.penalty.at(1.0), has_rows=design.has_rows)
        (found,) = solver.solve(problem, np.ones(1), start, exact)
        q = design.correlate(Y - part.predict(np.reshape(found.coef, (-1, len(index))).T))
    q[index] = q[constant] = 0.0
    return q


def _smooth_correlations(bound: Bound, settings: Settings) -> Array:
    """The same of a smooth loss."""
    exact, found = replace(settings, tol=0.0), []
    index = np.flatnonzero(bound.penalty.free)
    if bound.passes is not None:
        return null_correlations_by_passes(bound, exact)
    free = replace(bound, penalty=bound.penalty.only(bound.penalty.free))
    if bound.loss.couples_targets:
        classes = class_rows(bound)
        eta = classes.eta
        if len(index):
            start = np.zeros((bound.design.n_features, classes.n_classes))
            if free.penalty.has_bounds:
                together: ActivePairs | ClassRidge = ActivePairs(free, start, exact, alone=True)
            else:
                together, _ = smooth_path(free, start, exact, penalised=False)
            together.solve(1.0)
            eta = together.point.eta
        q = bound.design.correlate(classes.y - classes.probabilities(eta))
        q[index] = q[bound.design.variances == 0] = 0.0
        return q
    for k in range(bound.target.raw.shape[1]):
        rows = target_rows(bound, k)
        eta = rows.eta
        if len(index):
            path = NewtonPath(free, k, np.zeros(bound.design.n_features), exact, alone=True)
            path.solve(1.0)
            eta = path.point.eta
        q = bound.design.correlate(rows.slopes(eta)[0])
        q[index] = q[bound.design.variances == 0] = 0.0
        found.append(q)
    return np.stack(found, axis=1)


def null_deviances(bound: Bound) -> Array:
    """Mean deviances of the intercept alone, (n_targets,): the units of gaps, zero where exact."""
    if bound.loss.quadratic:
        return bound.target.squares
    if bound.passes is not None:
        return np.full(bound.target.raw.shape[1], bound.passes.deviance)
    if bound.loss.couples_targets:  # they have one deviance
        return np.full(bound.target.raw.shape[1], class_rows(bound).deviance)
    return np.array([target_rows(bound, k).deviance for k in range(bound.target.raw.shape[1])])


def null_squares(bound: Bound) -> Array:
    """Mean squares of the residuals of the intercept alone, (n_targets,)."""
    if bound.loss.quadratic:
        return bound.target.squares
    if bound.passes is not None:
        return np.array([bound.passes.square])
    if bound.loss.couples_targets:
        return class_rows(bound).squares
    return np.array([target_rows(bound, k).square for k in range(bound.target.raw.shape[1])])


def null_curvature(bound: Bound) -> float:
    """Mean curvature at the intercept alone, the largest of the targets."""
    if bound.loss.quadratic:
        return 1.0
    if bound.passes is not None:
        return float(bound.passes.null_curvature)
    if bound.loss.couples_targets:
        return float(class_rows(bound).curvatures.max())
    each = [target_rows(bound, k) for k in range(bound.target.raw.shape[1])]
    return max(rows.mean(rows.slopes(rows.eta)[1]) for rows in each)
