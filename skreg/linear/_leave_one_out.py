"""Exact leave-one-out of Ridge as a `CVResult`."""

from __future__ import annotations

import math

import numpy as np

from ..cross_validation import HeldOut, Metric, mean_squared_error
from ..cv_result import CVResult
from ..design import Array, Design
from ..path import Model
from ..solvers.ridge import RidgeFactor
from ._warnings import warn

# Weights further apart than this cost leave-one-out more than six digits, where features are more
# than rows: 1e-6 of the residuals at 1e12, 7e-5 at 1e14, all at 1e20.
WIDE = 1e12


def leave_one_out(
    model: Model,
    design: Design,
    y: Array,
    alphas: Array,
    sample_weight: Array | None,
    method: str,
    metric: Metric,
    metric_name: str,
    keep: str | None,
    by_target: bool,
) -> tuple[CVResult, Array | None]:
    """Leave-one-out errors of every alpha and target from one decomposition.

    With the mean squared error there is a column a row of X, for each target `by_target`. Any
    other metric judges the predictions of all rows together: one column, and no standard error.

    Returns
    -------
    result : CVResult
    kept : ndarray of shape (n_samples, n_targets, n_alphas) or None
        What scikit-learn keeps: with `keep` "errors" the squared errors times weights, with
        "predictions" the predictions.
    """
    targets = y.reshape(len(y), -1)
    Y, _ = design.center(targets)
    factor = RidgeFactor(design, model.engine_penalty(design), method)
    engine_alphas = model.engine_alphas(alphas, sample_weight, len(y))
    weights = np.ones(len(y)) if sample_weight is None else sample_weight
    heaviest = float(weights.max())
    lightest = float(np.min(weights, where=weights > 0, initial=heaviest))
    if heaviest > WIDE * lightest:
        warn(
            f"sample_weight spans {math.log10(heaviest / lightest):.0f} orders of magnitude, which"
            " costs leave-one-out its digits: set cv, such as cv=5, or leave out the lightest rows."
        )
    squared = metric is mean_squared_error
    shape = (*targets.shape, len(alphas))
    predictions = None if squared and keep != "predictions" else np.empty(shape)
    weighted = np.empty(shape) if keep == "errors" else None
    errors = np.empty((len(alphas), len(y)))
    each = None
    if squared and by_target and shape[1] > 1:
        each = np.empty((len(alphas), *targets.shape))
    # Residuals of all rows, targets and alphas would be far larger than X.
    for rows, residuals in factor.leave_one_out_blocks(Y, engine_alphas):
        if squared:
            errors[:, rows] = np.einsum("ika,ika->ai", residuals, residuals) / shape[1]
        if each is not None:
            each[:, rows] = (residuals**2).transpose(2, 0, 1)
        if predictions is not None:
            predictions[rows] = targets[rows, :, None] - residuals
        if weighted is not None:
            weighted[rows] = weights[rows, None, None] * residuals**2
    if not squared:
        assert predictions is not None
        scores = metric(HeldOut(np.arange(len(y)), targets, weights, lambda: predictions))
        errors, weights = scores.mean(axis=0)[:, None], weights.sum(keepdims=True)
        each = scores.T[:, None, :] if len(scores) > 1 else None
    result = CVResult(
        alphas=alphas,
        errors=errors,
        errors_by_target=each,
        fold_weights=weights,
        metric=metric_name,
    )
    return result, predictions if keep == "predictions" else weighted
