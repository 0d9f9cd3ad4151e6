"""scikit-learn's scorers as metrics of held-out predictions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin

from ..cross_validation import HeldOut, Metric, mean_squared_error

Scorer = Callable[..., float]


class _Predictions(RegressorMixin, BaseEstimator):
    """Hands predictions to a scorer, which asks an estimator for them."""

    def __init__(self, predictions: NDArray[Any]) -> None:
        self.predictions = predictions

    def fit(self, X: Any = None, y: Any = None) -> _Predictions:
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        return self.predictions

    def __sklearn_is_fitted__(self) -> bool:
        return True


def negated_scores(
    scorer: Scorer, params: dict[str, Any], by_target: bool, held_out: HeldOut
) -> NDArray[np.float64]:
    """A scorer as a metric: shape (n_targets, n_alphas) if `by_target`, else (1, n_alphas)."""
    rows = held_out.rows
    own = {name: np.asarray(value)[rows] for name, value in params.items()}
    n_targets, n_alphas = held_out.predictions.shape[1:]
    flat = n_targets == 1 or by_target
    groups = range(n_targets) if flat else [slice(None)]
    return -np.array(
        [
            [
                scorer(
                    _Predictions(held_out.predictions[:, k, i]), rows, held_out.targets[:, k], **own
                )
                for i in range(n_alphas)
            ]
            for k in groups
        ]
    )


def judge(estimator: Any, default: Metric, name: str, params: dict[str, Any]) -> tuple[Metric, str]:
    """What judges held-out predictions, and its name: the estimator's `scoring`, or the default."""
    if estimator.scoring is None:
        return default, name
    if estimator.scoring == "neg_mean_squared_error":
        return mean_squared_error, "mean squared error"
    by_target = estimator.alpha_per_target
    return partial(negated_scores, estimator._scorer(), params, by_target), str(estimator.scoring)
