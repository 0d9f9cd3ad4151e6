"""Exact leave-one-out of Ridge as a `CVResult`."""

from __future__ import annotations

import numpy as np

from ..data.products import Array
from ..paths.problem import BoundProblem
from ..solvers.ridge.closed_form import RidgeFactor
from .cross_validate import HeldOut, Metric, judged_by, mean_squared_error, on_user_scale
from .result import CVResult


class RunningMean:
    """Weighted mean and its standard error over rows that come in blocks.

    Blocks are joined by their means and sums of squares about them (Chan, Golub and LeVeque, The
    American Statistician 37(3), 1983), so that no row is kept and no digit lost.
    """

    def __init__(self, width: int) -> None:
        self.mean, self._squares = np.zeros(width), np.zeros(width)
        self._weight, self._n = 0.0, 0

    def add(self, values: Array, weights: Array) -> None:
        """Take rows of shape (n_rows, width); those of weight 0 do not count. Overwrites values."""
        own = float(weights.sum())
        if not own:
            return
        total = self._weight + own
        mean = weights @ values / own
        values -= mean
        np.square(values, out=values)
        apart = mean - self.mean
        self._squares += weights @ values + apart**2 * (self._weight * own / total)
        self.mean += apart * (own / total)
        self._weight, self._n = total, self._n + int(np.count_nonzero(weights))

    @property
    def standard_error(self) -> Array:
        """The weighted variance over K rows divided by K - 1; NaN of a single row."""
        if self._n < 2:
            return np.full(len(self.mean), np.nan)
        return np.sqrt(self._squares / (self._weight * (self._n - 1)))


def leave_one_out(
    bound: BoundProblem,
    alphas: Array,
    method: str,
    metric: Metric,
    metric_name: str,
    keep: str | None,
    by_target: bool,
) -> tuple[CVResult, Array | None]:
    """Leave-one-out errors of every alpha and target from one decomposition.

    The mean squared error is kept as a mean over the rows with its standard error, for each target
    `by_target`. Any other metric judges the predictions of all rows together, and has no standard
    error.

    Returns
    -------
    result : CVResult
    kept : ndarray of shape (n_samples, n_targets, n_alphas) or None
        What scikit-learn keeps: with `keep` "errors" the squared errors times weights, with
        "predictions" the predictions.
    """
    targets, weights = bound.target.raw, bound.weights
    factor = RidgeFactor.of(bound, method)
    correlated = bound.correlations if factor.is_tall else None
    engine_alphas = bound.engine_alphas(alphas)
    squared = metric is mean_squared_error
    shape = (*targets.shape, len(alphas))
    predictions = None if squared and keep != "predictions" else np.empty(shape)
    weighted = np.empty(shape) if keep == "errors" else None
    overall, share = RunningMean(len(alphas)), np.full(shape[1], 1.0 / shape[1])
    several = squared and by_target and shape[1] > 1
    each = RunningMean(shape[1] * len(alphas)) if several else None
    # Residuals of all rows, targets and alphas would be far larger than X.
    blocks = factor.leave_one_out_blocks(bound.target.centred, engine_alphas, correlated)
    for rows, residuals in blocks:
        if predictions is not None:
            predictions[rows] = targets[rows, :, None] - residuals
        if not squared:
            continue
        square = residuals**2
        if weighted is not None:
            weighted[rows] = weights[rows, None, None] * square
        # Targets are often few and lie last in memory: a product is faster than short sums.
        by_alpha = square.transpose(0, 2, 1).reshape(-1, shape[1])
        overall.add((by_alpha @ share).reshape(-1, len(alphas)), weights[rows])
        if each is not None:
            each.add(square.reshape(len(square), -1), weights[rows])
    if not squared:
        assert predictions is not None
        held_out = HeldOut(np.arange(len(targets)), targets, weights, lambda: predictions)
        scores = judged_by(metric, bound.powers)(held_out)
        mean, by_target_mean = scores.mean(axis=0), scores.T if len(scores) > 1 else None
    else:
        mean = overall.mean
        by_target_mean = None if each is None else each.mean.reshape(shape[1:]).T
    result = CVResult(
        alphas=alphas,
        errors=mean[:, None],
        errors_by_target=None if by_target_mean is None else by_target_mean[:, None],
        row_errors=overall.standard_error if squared else None,
        row_errors_by_target=None if each is None else each.standard_error.reshape(shape[1:]).T,
        fold_weights=weights.sum(keepdims=True),
        metric=metric_name,
    )
    kept = predictions if keep == "predictions" else weighted
    if kept is not None:
        kept = bound.powers.leave_one_out(kept, errors=keep == "errors")
    return on_user_scale(result, bound.powers), kept
