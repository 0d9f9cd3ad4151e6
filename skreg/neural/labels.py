"""Classes and labels as targets of a network, and weights of classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from ..estimators.labels import balanced_weights, weights_by_class
from ..estimators.validation import one_column
from .engine.batches import Targets
from .rows import Rows, of_order_one


def read_labels(
    y: Any, classes: Any, dtype: Any, smoothing: float, complete: bool
) -> tuple[Targets, NDArray[Any], str]:
    """Encode y, which has classes or several yes-or-no labels.

    Parameters
    ----------
    y : array-like of shape (n_rows,), or indicator matrix of shape (n_rows, n_labels)
    classes : array or None
        The classes there are; None takes those of y.
    dtype : dtype
        Of the targets.
    smoothing : float
        As `Targets` have it.
    complete : bool
        Whether none of `classes` may be missing from y.

    Returns
    -------
    targets : Targets
        By a table for classes, and without for several labels.
    classes : ndarray
        Names of the classes, or numbers of the labels.
    out_activation : {"logistic", "softmax"}
    """
    kind = type_of_target(y, input_name="y")
    check_classification_targets(y)
    if kind == "multiclass-multioutput":
        raise ValueError("y has several classes a column: give one column, or 0 and 1 alone")
    if kind == "multilabel-indicator":
        y = y.toarray() if hasattr(y, "toarray") else np.asarray(y)
        return Targets(y.astype(dtype), None, smoothing), np.arange(y.shape[1]), "logistic"
    y = one_column(y)
    seen = np.unique(y)
    known = seen if classes is None else classes
    unseen = np.setdiff1d(seen, known)
    if complete and (len(unseen) or len(seen) < len(known)):
        raise ValueError(
            "warm_start can only be used where `y` has the same classes as in the previous call to"
            f" fit. Previously got {known}, `y` has {seen}"
        )
    if len(unseen):
        raise ValueError(
            f"`y` has classes not in `self.classes_`. {unseen} are new, where {known} are known"
        )
    out_activation = "softmax" if len(known) > 2 else "logistic"
    return labels_by_table(y, known, dtype, smoothing), known, out_activation


def labels_by_table(y: Any, classes: NDArray[Any], dtype: Any, smoothing: float) -> Targets:
    """Targets of a y whose classes are all among those known."""
    n = len(classes)
    table = np.eye(n, dtype=dtype) if n > 2 else np.arange(n, dtype=dtype)[:, None]
    return Targets(np.searchsorted(classes, y), table, smoothing)


def class_factors(
    class_weight: Any, targets: Targets, classes: NDArray[Any], rows: Rows
) -> list[NDArray[np.float64]]:
    """The weight of each class; of several labels the weights of 0 and 1, one label after another.

    Parameters
    ----------
    class_weight : dict, "balanced", list of them
        As given by the user.
    targets : Targets
        Of the whole table.
    classes : ndarray
        Names of the classes; of several labels their numbers.
    rows : Rows
        Those to train on, which decide what is balanced.
    """
    columns = _columns(targets.of(rows.index))
    names = classes if targets.table is not None else np.arange(2)
    if isinstance(class_weight, dict) and len(columns) > 1:
        raise ValueError("class_weight of several labels is a list with a dict for each label")
    given = class_weight if isinstance(class_weight, list) else [class_weight] * len(columns)
    if len(given) != len(columns):
        raise ValueError(f"class_weight has {len(given)} entries where y has {len(columns)} labels")
    return [
        balanced_weights(codes, rows.weight, len(names))
        if isinstance(each, str)
        else weights_by_class(each, names)
        for each, codes in zip(given, columns, strict=True)
    ]


def factors_of_rows(factors: list[NDArray[np.float64]], targets: Targets) -> NDArray[np.float64]:
    """The weight of each row's class; of several labels the product."""
    product = np.ones(len(targets.values))
    for factor, codes in zip(factors, _columns(targets), strict=True):
        product *= of_order_one(factor)[codes]
    return product


def _columns(targets: Targets) -> list[NDArray[np.intp]]:
    if targets.table is not None:
        return [targets.values]
    return list(targets.values.T.astype(np.intp))
