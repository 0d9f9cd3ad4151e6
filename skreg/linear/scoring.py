"""scikit-learn's scorers as metrics of held-out predictions."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.metrics import check_scoring, get_scorer, make_scorer
from sklearn.utils.metadata_routing import _routing_enabled

from ..objective.losses import Loss
from ..selection.cross_validate import HeldOut
from .decisions import most_probable, probabilities
from .metrics import OF_CLASSES, OF_TARGETS, accuracy, metric_of, surprise


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
    scorer: Any, params: dict[str, Any], by_target: bool, held_out: HeldOut
) -> NDArray[np.float64]:
    """A scorer's view: shape (n_targets, n_alphas) if `by_target`, else (1, n_alphas)."""
    rows, targets, predictions = held_out.rows, held_out.targets, held_out.predictions
    own = {name: np.asarray(value)[rows] for name, value in params.items()}
    n_targets, n_alphas = predictions.shape[1:]
    flat = n_targets == 1 or by_target
    if metric := metric_of(scorer, OF_TARGETS, own):
        found = metric(targets[:, :, None], predictions, own.get("sample_weight"))
        if found is not None:
            found = found if flat else found.mean(axis=0, keepdims=True)
            return np.asarray(-scorer._sign * found)
    groups = range(n_targets) if flat else [slice(None)]
    with config_context(skip_parameter_validation=True):  # of what the scorer calls for each alpha
        scores = [
            scorer(_Predictions(predictions[:, k, i]), rows, targets[:, k], **own)
            for k in groups
            for i in range(n_alphas)
        ]
    return -np.reshape(scores, (len(groups), n_alphas))


class _Decisions(ClassifierMixin, BaseEstimator):
    """Hands what is predicted of classes to a scorer."""

    def __init__(self, loss: Loss, classes: NDArray[Any], eta: NDArray[Any]) -> None:
        self.loss, self.classes_, self.eta = loss, classes, eta

    def fit(self, X: Any = None, y: Any = None) -> _Decisions:
        return self

    def decision_function(self, X: Any) -> NDArray[Any]:
        return self.eta

    def predict(self, X: Any) -> NDArray[Any]:
        return most_probable(self.classes_, self.eta)

    def __sklearn_is_fitted__(self) -> bool:
        return True


class _Probabilities(_Decisions):
    """The same of a model of probabilities."""

    def predict_proba(self, X: Any) -> NDArray[Any]:
        return probabilities(self.loss, self.eta)


def as_scored(loss: Loss, classes: NDArray[Any], eta: NDArray[Any]) -> Any:
    """What a scorer is shown of linear predictors, with probabilities where the loss has them."""
    kind = _Probabilities if loss.known_dispersion else _Decisions
    return kind(loss, classes, eta)


def negated_class_scores(
    scorer: Any,
    params: dict[str, Any],
    labels: NDArray[Any],
    classes: NDArray[Any],
    held_out: HeldOut,
) -> NDArray[np.float64]:
    """A scorer's view of a model of classes, shape (1, n_alphas)."""
    rows, eta = held_out.rows, held_out.linear_predictors
    own = {name: np.asarray(value)[rows] for name, value in params.items()}
    metric = metric_of(scorer, OF_CLASSES, own, labels=classes)
    if metric is accuracy or (metric is surprise and held_out.loss.known_dispersion):
        codes = np.searchsorted(classes, labels[rows])
        found = metric(held_out.loss, codes, eta, own.get("sample_weight"))
        return np.asarray(-scorer._sign * found[None])
    each = eta.transpose(2, 0, 1)
    if eta.shape[1] == 1:
        each = each[:, :, 0]
    with config_context(skip_parameter_validation=True):
        scores = [
            scorer(as_scored(held_out.loss, classes, one), rows, labels[rows], **own)
            for one in each
        ]
    return -np.array([scores], dtype=np.float64)


def scorer_of_classes(scorer: Any, classes: NDArray[Any]) -> Any:
    """A scorer that is told of all classes, some of which a fold may lack, and which is positive.

    As in scikit-learn the second of two is, where the scorer does not say.
    """
    score = getattr(scorer, "_score_func", None)
    takes = inspect.signature(score).parameters if score is not None else {}
    told = {"labels": classes} | ({"pos_label": classes[1]} if len(classes) == 2 else {})
    told = {name: value for name, value in told.items() if name in takes}
    if score is None or not told:
        return scorer
    return make_scorer(
        score,
        greater_is_better=scorer._sign == 1,
        response_method=scorer._response_method,
        **{**told, **scorer._kwargs},
    )


def scorer_of(estimator: Any) -> Any:
    """The scorer of an estimator with `scoring`."""
    if _routing_enabled() and estimator.scoring is None:
        # Weights go to the default scorer too.
        return get_scorer("neg_mean_squared_error").set_score_request(sample_weight=True)
    return check_scoring(estimator=estimator, scoring=estimator.scoring, allow_none=True)
