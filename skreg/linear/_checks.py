"""Checks of what a linear model is given, beside those of every estimator."""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils.validation import validate_data

from ..data.design import Array
from ..estimators.validation import check_table, in_order, numeric, refuse_masked, refuse_sparse

FLOATS = [np.float64, np.float32]
# Data are of ordinary size up to 2^60 or down to 2^-60 on average: their fourth powers are far from
# the ends of float64, and coefficients from those of float32.
FAR = 60
NUMBERS = {np.dtype(kind) for kind in FLOATS}
STORED = ["csc", "csr", "coo"]
# Sums of squares of what is larger may overflow.
LARGEST = 1e150


def note_columns(estimator: Any, X: Any) -> None:
    """What scikit-learn's checks, which take a while, would note of an array: it has no names."""
    vars(estimator).pop("feature_names_in_", None)
    estimator.n_features_in_ = X.shape[1]


def check_data(estimator: Any, X: Any, y: Any) -> tuple[Any, Array, float | None]:
    """X as float32 or float64 (dense in any order, or CSC) and y as float64, finite both.

    The mean square of dense X comes with them, where it and that of y are ordinary.
    """
    table, target = plain_numbers(X), plain_numbers(y)
    size = _ready_size(table)
    target_size = None if size is None else _target_size(target, len(table))
    if target_size is not None:
        if table is X:
            note_columns(estimator, X)
        else:  # which has names
            validate_data(estimator, X, skip_check_array=True)
        return table, target, size if _ordinary(size) and _ordinary(target_size) else None
    if getattr(y, "ndim", 0) > 2:
        raise ValueError(f"y must have one or two dimensions, got shape {y.shape}")
    X, y = check_table(estimator, X, y, numeric_y=True, accept_sparse=STORED, dtype=FLOATS)
    y = np.asarray(y, dtype=np.float64)
    if sparse.issparse(X):
        X = as_columns(X)
        refuse_overflow("X", X.data)
        refuse_overflow("y", y)
        return X, y, None
    size, target_size = _mean_square(X), _mean_square(y)
    if size is None:
        refuse_overflow("X", X)
    if target_size is None:
        refuse_overflow("y", y)
    return X, y, size if _ordinary(size) and _ordinary(target_size) else None


def plain_numbers(values: Any) -> Any:
    """What pandas has as floats of NumPy's, as an array; anything else as it is."""
    if type(values).__module__.partition(".")[0] != "pandas" or np.ndim(values) not in (1, 2):
        return values
    dtypes = {values.dtype} if np.ndim(values) == 1 else set(values.dtypes)
    return values.to_numpy() if dtypes <= NUMBERS else values


def unchecked_data(X: Any, y: Any) -> tuple[Any, Array]:
    """X and y as they are, of the types that the engine computes in."""
    refuse_sparse(y, "y")
    X = as_columns(X) if sparse.issparse(X) else np.asarray(X)
    return X if X.dtype in FLOATS else X.astype(np.float64), np.asarray(y, dtype=np.float64)


def is_ready(X: Any) -> bool:
    """Whether X is a table of finite floats that nothing need be done to, told by one pass."""
    with np.errstate(over="ignore", invalid="ignore"):
        return _ready_size(X) is not None


def _ready_size(X: Any) -> float | None:
    """Mean square of a table of finite floats that nothing need be done to; None of another."""
    ready = (
        type(X) is np.ndarray
        and X.dtype in FLOATS
        and X.ndim == 2
        and X.shape[0] >= 1
        and X.shape[1] >= 1
    )
    return _mean_square(X) if ready else None


def _target_size(y: Any, n_samples: int) -> float | None:
    """Mean square of one target, or several, that nothing need be done to; None of others."""
    ready = (
        type(y) is np.ndarray
        and y.dtype == np.float64
        and y.ndim in (1, 2)
        and len(y) == n_samples
        and y.size > 0
    )
    return _mean_square(y) if ready else None


def _mean_square(values: NDArray[Any]) -> float | None:
    """The mean square, where all values are finite and none is too large.

    NumPy is to keep silent: what overflows is found here.
    """
    flat = values.ravel(order="K")
    squares = float(np.dot(flat, flat))
    return squares / values.size if squares <= LARGEST**2 else None


def _ordinary(mean_square: float | None) -> bool:
    """Whether values are of order one, on average."""
    return mean_square is not None and 4.0**-FAR <= mean_square <= 4.0**FAR


def as_columns(X: Any) -> Any:
    """A sparse X as CSC with each entry stored once; the user's own is not written to."""
    columns = X.tocsc()
    if not columns.has_canonical_format:
        columns = columns.copy()
        columns.sum_duplicates()
    return columns


def refuse_overflow(name: str, values: NDArray[Any]) -> None:
    """Refuse values whose squares are no finite numbers."""
    largest = max(float(values.max(initial=0.0)), -float(values.min(initial=0.0)))
    if largest > LARGEST:
        raise ValueError(f"{name} has values up to {largest:.2g}, whose squares overflow: scale it")


def single_column(y: Array) -> Array:
    """One target as a vector, whether it came as one or as a column."""
    return y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y


def per_feature(value: Any, name: str, columns: Sequence[Any]) -> Array | None:
    """A number or one number a feature, as an array; infinity is allowed, NaN is not."""
    if value is None:
        return None
    n_features = len(columns)
    array = numeric(in_order(value, name, columns), name)
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
    refuse_sparse(alphas, "alphas")
    refuse_masked(alphas, "alphas", "entry")
    given = np.atleast_1d(np.asarray(alphas, dtype=object))
    if given.ndim != 1 or not given.size:
        raise ValueError(
            f"alphas must be a count or a non-empty one-dimensional array, got shape {given.shape}"
        )
    for i, alpha in enumerate(given):
        if isinstance(alpha, bool) or not isinstance(alpha, numbers.Real):
            raise TypeError(
                f"alphas[{i}] must be an instance of float, not {type(alpha).__name__}."
            )
        if not math.isfinite(alpha):
            raise ValueError(f"alphas[{i}] == {alpha}, must be finite.")
        if alpha < 0 or (alpha == 0 and not allow_zero):
            bound = ">= 0.0" if allow_zero else "> 0.0"
            raise ValueError(f"alphas[{i}] == {alpha}, must be {bound}.")
    return np.sort(given.astype(np.float64))[::-1]
