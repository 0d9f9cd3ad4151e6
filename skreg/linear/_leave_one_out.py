"""Exact leave-one-out of Ridge as a `CVResult`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..cross_validation import CVResult, HeldOut, Metric, mean_squared_error
from ..path import Model
from ..solvers.ridge import RidgeFactor

Array = NDArray[np.float64]


def leave_one_out(
    model: Model,
    X: Any,
    y: Array,
    alphas: Array,
    sample_weight: Array | None,
    method: str,
    metric: Metric,
    metric_name: str,
    keep_predictions: bool,
) -> tuple[CVResult, Array]:
    """Leave-one-out errors of every alpha and target from one decomposition.

    With the mean squared error there is a column a row of X. Any other metric judges the
    predictions of all rows together: one column, and no standard error.

    Returns
    -------
    result : CVResult
    stored : ndarray of shape (n_samples, n_targets, n_alphas)
        What scikit-learn keeps: squared errors times weights, or predictions if asked for.
    """
    design = model.design(X, sample_weight)
    targets = y.reshape(len(y), -1)
    Y, _ = design.center(targets)
    factor = RidgeFactor(design, model.engine_penalty(design), method)
    engine_alphas = alphas * model.alpha_unit(len(y), sample_weight)
    residuals = factor.leave_one_out(Y, engine_alphas)
    predictions = targets[..., None] - residuals
    weights = np.ones(len(y)) if sample_weight is None else sample_weight
    stored = predictions if keep_predictions else weights[:, None, None] * residuals**2
    if metric is mean_squared_error:
        by_target = (residuals**2).transpose(2, 0, 1)
    else:
        scores = metric(HeldOut(np.arange(len(y)), targets, weights, lambda: predictions))
        by_target, weights = scores.T[:, None, :], weights.sum(keepdims=True)
    result = CVResult(
        alphas=alphas,
        errors=by_target.mean(axis=2),
        errors_by_target=by_target if by_target.shape[2] > 1 else None,
        fold_weights=weights,
        metric=metric_name,
    )
    return result, stored
