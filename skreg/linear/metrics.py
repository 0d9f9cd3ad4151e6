"""Metrics that people often choose by, of the predictions at all alphas at once.

A scorer of scikit-learn validates its arguments in each call, which takes longer than a fit to a
small table does. These are the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    accuracy_score,
    log_loss,
    mean_absolute_error,
    mean_squared_error,
    r2_score,
    root_mean_squared_error,
)

from ..objective.losses import Loss

Array = NDArray[np.float64]
#: Shape (n_targets, n_alphas) from targets (n, n_targets, 1), predictions (n, n_targets, n_alphas)
#: and weights; None where it is not defined.
OfTargets = Callable[[Array, Array, Array | None], Array | None]
#: Shape (n_alphas,) from a loss, codes of classes (n,), linear predictors (n, 1 or n_classes,
#: n_alphas) and weights.
OfClasses = Callable[[Loss, NDArray[np.intp], Array, Array | None], Array]


def metric_of(scorer: Any, known: dict[Any, Any], own: dict[str, Any], **fixed: Any) -> Any:
    """The entry of `known` that gives what a scorer does, or None.

    `own` are the arguments of its calls, `fixed` those of its function that the entry takes for
    granted.
    """
    given = getattr(scorer, "_kwargs", {})
    if any(name not in fixed or value is not fixed[name] for name, value in given.items()):
        return None
    if set(own) - {"sample_weight"} or not np.any(own.get("sample_weight", 1)):
        return None
    names = "_score_func", "_response_method"
    asked = tuple(getattr(scorer, name, None) for name in names)  # a list may be among them
    return next((metric for one, metric in known.items() if one == asked), None)


def squared(y: Array, found: Array, weight: Array | None) -> Array:
    """Mean squared errors."""
    return np.asarray(np.average((y - found) ** 2, axis=0, weights=weight))


def root_squared(y: Array, found: Array, weight: Array | None) -> Array:
    """Their roots."""
    return np.sqrt(squared(y, found, weight))


def absolute(y: Array, found: Array, weight: Array | None) -> Array:
    """Mean absolute errors."""
    return np.asarray(np.average(np.abs(y - found), axis=0, weights=weight))


def explained(y: Array, found: Array, weight: Array | None) -> Array | None:
    """R², which a constant y has none of."""
    around = squared(y, np.average(y, axis=0, weights=weight)[None], weight)
    return None if len(y) < 2 or not around.all() else 1.0 - squared(y, found, weight) / around


def accuracy(loss: Loss, codes: NDArray[np.intp], eta: Array, weight: Array | None) -> Array:
    """Shares of rows whose class is predicted."""
    found = eta[:, 0] > 0 if eta.shape[1] == 1 else eta.argmax(axis=1)
    return np.asarray(np.average(found == codes[:, None], axis=0, weights=weight))


def surprise(loss: Loss, codes: NDArray[np.intp], eta: Array, weight: Array | None) -> Array:
    """The log-loss, of probabilities that are kept off 0 and 1 as scikit-learn keeps them."""
    if eta.shape[1] == 1:
        probability = loss.inverse_link(np.where(codes[:, None] == 1, eta[:, 0], -eta[:, 0]))
    else:
        each = loss.inverse_link(eta.transpose(2, 0, 1).reshape(-1, eta.shape[1]))
        each = each.reshape(eta.shape[2], len(eta), -1)
        probability = each[:, np.arange(len(eta)), codes].T
    least = np.finfo(probability.dtype).eps
    rows = -np.log(np.clip(probability, least, 1.0 - least))
    return np.asarray(np.average(rows, axis=0, weights=weight))


OF_TARGETS: dict[Any, OfTargets] = {
    (mean_squared_error, "predict"): squared,
    (root_mean_squared_error, "predict"): root_squared,
    (mean_absolute_error, "predict"): absolute,
    (r2_score, "predict"): explained,
}
OF_CLASSES: dict[Any, OfClasses] = {
    (accuracy_score, "predict"): accuracy,
    (log_loss, "predict_proba"): surprise,
}
