"""What is measured on the rows that a fold holds out."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    get_scorer,
    log_loss,
    mean_absolute_error,
    r2_score,
    roc_auc_score,
    root_mean_squared_error,
)

from .contents import Task

CERTAINTY = 1e-15  # the log loss of certainty, which scikit-learn keeps from being 0


@dataclass(frozen=True)
class Predictions:
    """The rows that a fold holds out, and what a model that has not seen them says of them."""

    model: Any  # fitted to the other rows
    X: Any
    y: NDArray[Any]
    classes: NDArray[Any]  # all of them; empty for a regression

    @cached_property
    def predicted(self) -> NDArray[Any]:
        """One value a row."""
        predicted = np.asarray(self.model.predict(self.X))
        return predicted[:, 0] if predicted.ndim > 1 else predicted

    @cached_property
    def probabilities(self) -> NDArray[np.float64] | None:
        """Of all classes, of shape (n_rows, n_classes); 0 for those the training rows lacked."""
        if not len(self.classes) or not hasattr(self.model, "predict_proba"):
            return None
        given = np.asarray(self.model.predict_proba(self.X), float)
        known = np.asarray(self.model.classes_).astype(self.classes.dtype)
        result = np.zeros((len(given), len(self.classes)))
        result[:, np.searchsorted(self.classes, known)] = given
        return result / np.maximum(result.sum(axis=1, keepdims=True), np.finfo(float).tiny)

    @property
    def decision(self) -> NDArray[np.float64] | None:
        """Of two classes, one value a row that is larger for the second one."""
        if self.probabilities is not None:
            return self.probabilities[:, 1]
        if not hasattr(self.model, "decision_function") or len(self.model.classes_) != 2:
            return None
        decision = np.asarray(self.model.decision_function(self.X), float)
        return decision.reshape(len(self.y), -1)[:, -1]


class Metric(NamedTuple):
    """What is measured of each fold: its name for a reader, its direction, how it is found."""

    name: str
    greater_is_better: bool
    value: Callable[[Predictions], Any]


def _of_numbers(function: Callable[..., float]) -> Callable[[Predictions], float]:
    """A metric of numbers, which is not defined where a prediction is not one."""

    def value(held: Predictions) -> float:
        known = np.isfinite(held.predicted).all()
        return float(function(held.y, held.predicted)) if known else np.nan

    return value


def _balanced(held: Predictions) -> float:
    with warnings.catch_warnings():  # of classes that are predicted and not there
        warnings.simplefilter("ignore")
        return float(balanced_accuracy_score(held.y, held.predicted))


def _area(held: Predictions) -> float:
    two = len(held.classes) == 2
    said = held.decision if two else held.probabilities
    if said is None or len(np.unique(held.y)) < len(held.classes):
        return np.nan  # without one of the classes
    truth = held.y == held.classes[1] if two else held.y[:, np.newaxis] == held.classes
    return float(roc_auc_score(truth, said))


def _log_loss(held: Predictions) -> float:
    if held.probabilities is None:
        return np.nan
    loss = float(log_loss(held.y, held.probabilities, labels=held.classes))
    return loss if loss > CERTAINTY else 0.0


USUAL_METRICS: dict[str, dict[str, Metric]] = {
    "regression": {
        "r2": Metric("R²", True, _of_numbers(r2_score)),
        "neg_root_mean_squared_error": Metric(
            "root mean squared error", False, _of_numbers(root_mean_squared_error)
        ),
        "neg_mean_absolute_error": Metric(
            "mean absolute error", False, _of_numbers(mean_absolute_error)
        ),
    },
    "classification": {
        "accuracy": Metric("accuracy", True, lambda held: accuracy_score(held.y, held.predicted)),
        "balanced_accuracy": Metric("balanced accuracy", True, _balanced),
        "roc_auc": Metric("ROC AUC", True, _area),
        "neg_log_loss": Metric("log loss", False, _log_loss),
    },
}


def metrics_for(
    task: Task,
    scoring: Any,
    fewest_held_out: int,
    *,
    before: Sequence[Metric] = (),
    after: Sequence[Metric] = (),
) -> list[Metric]:
    """The usual metrics of a task, after those that `scoring` asks for.

    Those `before` and `after` are beside the usual ones.
    """
    usual = dict(USUAL_METRICS[task])
    if fewest_held_out < 2:
        usual.pop("r2", None)  # of single rows it is not defined
    asked = [] if scoring is None else scoring
    if isinstance(asked, str) or not isinstance(asked, Sequence):
        asked = [asked]
    # A scorer may not be hashable.
    chosen = [usual[one] if isinstance(one, str) and one in usual else _own(one) for one in asked]
    names = {metric.name.lower() for metric in chosen}
    others = (*before, *usual.values(), *after)
    return [*chosen, *(metric for metric in others if metric.name.lower() not in names)]


def _own(scoring: Any) -> Metric:
    if not (isinstance(scoring, str) or callable(scoring)):
        raise TypeError(
            f"scoring must be a scorer's name, a callable or a list of them, got {scoring!r}"
        )
    try:
        scorer = get_scorer(scoring)
    except ValueError as error:
        raise ValueError(f"scoring: {error}") from None
    # Of what make_scorer makes the function, its options, and whether its sign is turned.
    function = getattr(scoring, "_score_func", scoring)
    name = scoring if isinstance(scoring, str) else getattr(function, "__name__", repr(scoring))
    sign = -1.0 if name.startswith("neg_") else float(getattr(scoring, "_sign", 1))
    options = [f"{key}={value!r}" for key, value in getattr(scoring, "_kwargs", {}).items()]
    words = name.removeprefix("neg_").replace("_", " ")
    words += f" ({', '.join(options)})" if options else ""

    def value(held: Predictions) -> float:
        try:
            return sign * float(scorer(held.model, held.X, held.y))
        except Exception as error:
            raise ValueError(f"scoring: {words} cannot be used here: {error}") from error

    return Metric(words, sign > 0, value)
