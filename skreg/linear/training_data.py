"""What a linear model is given, checked: the data, and parameters with a value a feature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils.validation import validate_data

from ..data.design import Design
from ..data.powers_of_two import PowersOfTwo, is_ordinary, powers_of_two
from ..data.products import Array
from ..estimators.runtime import warn
from ..estimators.validation import (
    check_table,
    check_weights,
    columns_of,
    numeric,
    refuse_sparse,
)
from ..paths.problem import BoundProblem, Problem
from ..selection.fold_moments import Fold, FoldMoments, bind_for_folds

FLOATS = [np.float64, np.float32]
NUMBERS = {np.dtype(kind) for kind in FLOATS}
STORED = ["csc", "csr", "coo"]
# Sums of squares of what is larger may overflow.
LARGEST = 1e150


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Checked data, what the columns of X are called, and the powers of two that suit them."""

    X: Any
    y: Array
    sample_weight: Array | None
    columns: Sequence[Any]
    powers: PowersOfTwo

    @classmethod
    def check(
        cls, estimator: Any, X: Any, y: Any, sample_weight: Any, check_input: bool = True
    ) -> TrainingData:
        """Check all three, and note on the estimator what the columns of X are called."""
        table, mean_square = X, None
        if check_input:
            X, y, mean_square = check_data(estimator, X, y)
        else:
            X, y = unchecked_data(X, y)
            note_columns(estimator, X)
        weight = check_weights(sample_weight, X)
        columns = columns_of(table, X.shape[1])
        return cls(X, y, weight, columns, powers_of_two(X, y, weight, mean_square))

    def bind(self, problem: Problem, precompute: Any = None) -> BoundProblem:
        """The problem on these data, with the user's Gram matrix where `precompute` is one."""
        bound = problem.bind(self.X, single_column(self.y), self.sample_weight, self.powers)
        self._take_gram(bound, precompute)
        return bound

    def bind_for_folds(
        self, problem: Problem, folds: Sequence[Fold], precompute: Any = None
    ) -> tuple[BoundProblem, FoldMoments | None]:
        """The same, and moments of the folds where they serve."""
        y = single_column(self.y)
        bound, moments = bind_for_folds(problem, self.X, y, self.sample_weight, self.powers, folds)
        self._take_gram(bound, precompute)
        return bound, moments

    def _take_gram(self, bound: BoundProblem, precompute: Any) -> None:
        if not (precompute is None or isinstance(precompute, (str, bool, np.bool_))):
            take_gram(bound.design, self.powers.gram(precompute))


def take_gram(design: Design, precompute: Any) -> None:
    """Hand the user's Gram matrix, that of the centred, weighted X, to the design.

    Where X is not centred but an intercept is fitted, the matrix cannot be the right one and is
    left aside with a warning, as in scikit-learn.
    """
    p = design.n_features
    gram = numeric(precompute, "precompute")
    if gram.shape != (p, p):
        raise ValueError(f"precompute must have shape ({p}, {p}), got {gram.shape}")
    if not np.isfinite(gram).all():
        raise ValueError("precompute contains NaN or infinity")
    if design.mean is not None and not np.allclose(design.mean, 0.0):
        warn(
            "Gram matrix was provided but X was centered to fit intercept: recomputing Gram"
            " matrix. Pass the Gram matrix of the centered X together with that X."
        )
        return
    gram = gram / design.n_samples
    pair = np.unique([p // 2, min(1, p - 1)])
    expected = design.with_scale(None).gram_columns(pair)[pair]
    given = gram[np.ix_(pair, pair)]
    narrow = np.float32 in (design.dtype, np.asarray(precompute).dtype)
    rtol = 1e-4 if narrow else 1e-7
    if not np.allclose(given, expected, rtol=rtol, atol=rtol * np.sqrt(np.abs(expected).max())):
        raise ValueError(
            "Gram matrix passed in via 'precompute' parameter did not pass validation when a few"
            f" elements were checked: expected {expected[0, 0] * design.n_samples:g} but got"
            f" {given[0, 0] * design.n_samples:g} for element {(int(pair[0]),) * 2}. It must be"
            " that of the centered X whose rows are multiplied by the square roots of the"
            " weights, which sum to n_samples."
        )
    if design.inv_scale is not None:
        gram = gram * design.inv_scale * design.inv_scale[:, None]
    design.use_gram(gram)


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
    target_size = None if size is None else _target_size(target, table.shape[0])
    if target_size is not None:
        if table is X:
            note_columns(estimator, X)
        else:  # which has names
            validate_data(estimator, X, skip_check_array=True)
        return table, target, size if is_ordinary(size) and is_ordinary(target_size) else None
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
    return X, y, size if is_ordinary(size) and is_ordinary(target_size) else None


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
    """Mean square of a table of finite floats that nothing need be done to; None of another.

    Of a sparse table that of its stored entries.
    """
    columns = type(X) in (sparse.csc_matrix, sparse.csc_array)
    if not (columns or type(X) is np.ndarray) or X.dtype not in FLOATS or X.ndim != 2:
        return None
    if X.shape[0] < 1 or X.shape[1] < 1:
        return None
    if not columns:
        return _mean_square(X)
    ready = X.nnz > 0 and X.indices.dtype == np.int32 and X.has_canonical_format
    return _mean_square(X.data) if ready and len(X.data) == X.nnz else None


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
