"""Classes and labels as targets of a network, and weights of classes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import column_or_1d, compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from .layers import Matrix


class Labels(NamedTuple):
    """A y of classes, or of several yes-or-no labels.

    Attributes
    ----------
    values : ndarray of shape (n_rows,), numbers of classes, or (n_rows, n_labels) of 0 and 1
    table : ndarray of shape (n_classes, n_outputs) or None
        The target of each class; None with several labels.
    classes : ndarray
        Names of the classes, or numbers of the labels.
    out_activation : {"logistic", "softmax"}
    """

    values: NDArray[Any]
    table: Matrix | None
    classes: NDArray[Any]
    out_activation: str


def read_labels(y: Any, classes: Any, dtype: Any, complete: bool) -> Labels:
    """Encode y.

    Parameters
    ----------
    y : array-like of shape (n_rows,), or indicator matrix of shape (n_rows, n_labels)
    classes : array or None
        The classes there are; None takes those of y.
    dtype : dtype
        Of the targets.
    complete : bool
        Whether none of `classes` may be missing from y.
    """
    kind = type_of_target(y, input_name="y")
    check_classification_targets(y)
    if kind == "multiclass-multioutput":
        raise ValueError("y has several classes a column: give one column, or 0 and 1 alone")
    if kind == "multilabel-indicator":
        y = y.toarray() if hasattr(y, "toarray") else np.asarray(y)
        return Labels(y.astype(dtype), None, np.arange(y.shape[1]), "logistic")
    y = column_or_1d(y, warn=True)
    seen = np.unique(y)
    known = seen if classes is None else classes
    unseen = np.setdiff1d(seen, known)
    if len(unseen) or (complete and len(seen) < len(known)):
        problem = f"{unseen} are new" if len(unseen) else "a warm start needs all of them"
        raise ValueError(f"y has the classes {seen} where {known} are known: {problem}")
    if len(known) > 2:
        return Labels(np.searchsorted(known, y), np.eye(len(known), dtype=dtype), known, "softmax")
    table = np.arange(len(known), dtype=dtype)[:, None]
    return Labels(np.searchsorted(known, y), table, known, "logistic")


def with_class_weights(
    weight: NDArray[np.float64] | None, y: Any, class_weight: Any
) -> NDArray[np.float64]:
    """The weights of the rows, times those of their classes; of several labels the product."""
    y = y.toarray() if hasattr(y, "toarray") else np.asarray(y)
    if not isinstance(class_weight, str):
        factors = compute_sample_weight(class_weight, y)
        return np.asarray(factors if weight is None else weight * factors, dtype=np.float64)
    base = np.ones(len(y)) if weight is None else weight
    product = base.copy()
    for column in y.reshape(len(y), -1).T:
        product *= balancing_factors(column, base)
    return product


def balancing_factors(y: Any, weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each row what makes all classes weigh the same; a row of weight k counts k times."""
    codes = np.unique(y, return_inverse=True)[1].ravel()
    totals = np.bincount(codes, weights=weight)
    present = totals > 0
    factors = weight.sum() / present.sum() / np.where(present, totals, 1.0)
    return np.asarray(factors[codes])
