"""Checks of what the user gives; each error says what is wrong and where."""

from __future__ import annotations

import math
import numbers
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils.validation import _check_sample_weight, validate_data

from ..design import Array

FLOATS = [np.float64, np.float32]
# Sums of squares of what is larger may overflow.
LARGEST = 1e150


def note_columns(estimator: Any, X: Any) -> None:
    """What scikit-learn's checks, which take a while, would note of an array: it has no names."""
    vars(estimator).pop("feature_names_in_", None)
    estimator.n_features_in_ = X.shape[1]


def check_table(estimator: Any, X: Any, y: Any) -> tuple[Any, Array]:
    """X as float32 or float64 (dense in any order, or CSC) and y as float64, finite both."""
    if is_ready(X) and _is_target(y, len(X)):
        note_columns(estimator, X)
        return X, y
    if getattr(y, "ndim", 0) > 2:
        raise ValueError(f"y must have one or two dimensions, got shape {y.shape}")
    try:
        X_checked, y_checked = validate_data(
            estimator,
            X,
            y,
            accept_sparse=["csc", "csr", "coo"],
            dtype=FLOATS,
            multi_output=True,
            y_numeric=True,
            ensure_min_samples=2,
        )
        y_checked = np.asarray(y_checked, dtype=np.float64)
    except (TypeError, ValueError) as error:
        place = _first_unusable("X", X) or _first_unusable("y", y)
        if place is None:
            raise
        raise type(error)(f"{error}\n{place}") from None
    if sparse.issparse(X_checked):
        X_checked = as_columns(X_checked)
        refuse_overflow("X", X_checked.data)
    else:
        refuse_overflow("X", X_checked)
    refuse_overflow("y", y_checked)
    return X_checked, y_checked


def is_ready(X: Any) -> bool:
    """Whether X is a table of finite floats that nothing need be done to, told by one pass."""
    return (
        type(X) is np.ndarray
        and X.dtype in FLOATS
        and X.ndim == 2
        and X.shape[0] >= 2
        and X.shape[1] >= 1
        and _squares_add_up(X)
    )


def _is_target(y: Any, n_samples: int) -> bool:
    """Whether y is one target, or several, that nothing need be done to."""
    return (
        type(y) is np.ndarray
        and y.dtype == np.float64
        and y.ndim in (1, 2)
        and len(y) == n_samples
        and y.size > 0
        and _squares_add_up(y)
    )


def _squares_add_up(values: NDArray[Any]) -> bool:
    """Whether all values are finite and none is too large."""
    flat = values.ravel(order="K")
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.dot(flat, flat)) <= LARGEST**2


def as_columns(X: Any) -> Any:
    """A sparse X as CSC with each entry stored once; the user's own is not written to."""
    columns = X.tocsc()
    if not columns.has_canonical_format:
        columns = columns.copy()
        columns.sum_duplicates()
    return columns


def _first_unusable(name: str, values: Any) -> str | None:
    """Where the first entry is that is no finite number, if there is one."""
    is_sparse = sparse.issparse(values)
    entries = values.tocoo() if is_sparse else None
    if entries is not None:
        table = entries.data
    else:
        table = values if isinstance(values, np.ndarray) else np.asarray(values, dtype=object)
    if table.dtype.kind == "f":
        bad = ~np.isfinite(table.ravel())
    else:
        bad = np.fromiter(map(_unusable, table.flat), dtype=bool, count=table.size)
    if not bad.any() or not table.ndim:
        return None
    k = int(np.argmax(bad))
    if entries is not None:
        place = [int(entries.row[k]), int(entries.col[k])]
    else:
        place = [int(index) for index in np.unravel_index(k, table.shape)]
    where = f"row {place[0]} of {name}"
    if len(place) == 2:
        names = getattr(values, "columns", None)
        where += f", column {place[1] if names is None else repr(list(names)[place[1]])}"
    value = table.flat[k]
    shown = repr(str(value)) if isinstance(value, str) else str(value)
    return f"The first value that is not a finite number is {shown}, in {where}."


def _unusable(value: Any) -> bool:
    if isinstance(value, numbers.Complex) and not isinstance(value, numbers.Real):
        return True
    try:
        return not math.isfinite(float(value))
    except (TypeError, ValueError):
        return True


def refuse_overflow(name: str, values: NDArray[Any]) -> None:
    """Refuse values whose squares are no finite numbers."""
    largest = max(float(values.max(initial=0.0)), -float(values.min(initial=0.0)))
    if largest > LARGEST:
        raise ValueError(f"{name} has values up to {largest:.2g}, whose squares overflow: scale it")


def single_column(y: Array) -> Array:
    """One target as a vector, whether it came as one or as a column."""
    return y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y


def check_weights(sample_weight: Any, X: Any) -> Array | None:
    """Weights of shape (n_samples,), finite, none negative, not all zero; a number is uniform."""
    if sample_weight is None:
        return None
    if not isinstance(sample_weight, numbers.Number):
        sample_weight = numeric(sample_weight, "sample_weight")
    weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
    if np.any(weight < 0):
        raise ValueError("Negative values in sample_weight: every weight must be at least 0")
    if not np.any(weight > 0):
        raise ValueError(
            "Sample weights must contain at least one non-zero number: sample_weight is all zero"
        )
    return weight


def numeric(value: Any, name: str) -> Array:
    """A parameter as an array of float64."""
    try:
        array = np.asarray(value)
        if array.dtype.kind == "c":
            raise ValueError("complex numbers")
        return array.astype(np.float64, copy=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be numeric: {error}") from error


def per_feature(value: Any, name: str, n_features: int) -> Array | None:
    """A number or one number a feature, as an array; infinity is allowed, NaN is not."""
    if value is None:
        return None
    array = numeric(value, name)
    if array.ndim and array.shape != (n_features,):
        raise ValueError(
            f"{name} must have one value for each of the {n_features} features, got shape"
            f" {array.shape}"
        )
    array = np.broadcast_to(array, n_features)
    refuse_any(np.isnan(array), name, "NaN", "give a number")
    return array


def refuse_any(bad: NDArray[np.bool_], name: str, what: str, rule: str) -> None:
    """Refuse a parameter that is wrong for some feature, by the first of them."""
    if bad.any():
        raise ValueError(f"{name} is {what} for feature {int(np.argmax(bad))}: {rule}")


def check_alphas(alphas: Any, *, allow_zero: bool = True) -> Array:
    """A one-dimensional grid, finite and not negative, in decreasing order."""
    ready = type(alphas) is np.ndarray and alphas.dtype == np.float64 and alphas.ndim == 1
    if ready and alphas.size and np.all((alphas > 0) & (alphas < np.inf)):
        return np.sort(alphas)[::-1]
    given = np.atleast_1d(np.asarray(alphas, dtype=object))
    if given.ndim != 1 or not given.size:
        raise ValueError(
            f"alphas must be a count or a non-empty one-dimensional array, got shape {given.shape}"
        )
    for i, alpha in enumerate(given):
        if not isinstance(alpha, numbers.Real):
            raise TypeError(
                f"alphas[{i}] must be an instance of float, not {type(alpha).__name__}."
            )
        if not math.isfinite(alpha):
            raise ValueError(f"alphas[{i}] == {alpha}, must be finite.")
        if alpha < 0 or (alpha == 0 and not allow_zero):
            bound = ">= 0.0" if allow_zero else "> 0.0"
            raise ValueError(f"alphas[{i}] == {alpha}, must be {bound}.")
    return np.sort(given.astype(np.float64))[::-1]
