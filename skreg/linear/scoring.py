"""scikit-learn's scorers as metrics of held-out predictions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.metrics import check_scoring, get_scorer
from sklearn.utils.metadata_routing import _routing_enabled

from ..selection.cross_validate import HeldOut

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
    """A scorer's view: shape (n_targets, n_alphas) if `by_target`, else (1, n_alphas)."""
    rows, targets, predictions = held_out.rows, held_out.targets, held_out.predictions
    own = {name: np.asarray(value)[rows] for name, value in params.items()}
    n_targets, n_alphas = predictions.shape[1:]
    flat = n_targets == 1 or by_target
    groups = range(n_targets) if flat else [slice(None)]
    with config_context(skip_parameter_validation=True):  # of what the scorer calls for each alpha
        scores = [
            scorer(_Predictions(predictions[:, k, i]), rows, targets[:, k], **own)
            for k in groups
            for i in range(n_alphas)
        ]
    return -np.reshape(scores, (len(groups), n_alphas))


def scorer_of(estimator: Any) -> Any:
    """The scorer of an estimator with `scoring`."""
    if _routing_enabled() and estimator.scoring is None:
        # Weights go to the default scorer too.
        return get_scorer("neg_mean_squared_error").set_score_request(sample_weight=True)
    return check_scoring(estimator=estimator, scoring=estimator.scoring, allow_none=True)
