"""scikit-learn's scorers as metrics of held-out predictions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.metrics import check_scoring, get_scorer
from sklearn.model_selection import check_cv
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _routing_enabled,
    process_routing,
)

from ..selection.cross_validate import HeldOut, Metric, mean_squared_error

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


class RoutesScores(BaseEstimator):
    """Metadata of `fit` for a scorer, `scoring`, and a splitter, `cv`."""

    scoring: Any
    cv: Any

    def _scorer(self) -> Any:
        if _routing_enabled() and self.scoring is None:
            # Weights go to the default scorer too.
            return get_scorer("neg_mean_squared_error").set_score_request(sample_weight=True)
        return check_scoring(estimator=self, scoring=self.scoring, allow_none=True)

    def _routed(
        self, sample_weight: Any, params: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Parameters of the scorer and of the splitter."""
        if not _routing_enabled():
            return ({} if sample_weight is None else {"sample_weight": sample_weight}), {}
        if sample_weight is not None:
            params = {**params, "sample_weight": sample_weight}
        routed = process_routing(self, "fit", **params)
        return routed.scorer.score, routed.splitter.split

    def get_metadata_routing(self) -> MetadataRouter:
        """Route metadata to the scorer and the splitter."""
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(
                scorer=self._scorer(),
                method_mapping=MethodMapping().add(caller="fit", callee="score"),
            )
            .add(
                splitter=check_cv(self.cv),
                method_mapping=MethodMapping().add(caller="fit", callee="split"),
            )
        )
