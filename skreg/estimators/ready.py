"""Tables that are ready as they are: one pass tells, where scikit-learn's checks take long.

What is not found ready goes through those checks, which have an error for each thing that may be
wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils.validation import validate_data

from .validation import check_rows, columns_of

DTYPES = [np.float64, np.float32]  # the first is what other numbers become
FLOATS = set(map(np.dtype, DTYPES))
WHOLE_NUMBERS = {np.dtype(f"{sign}int{bits}") for sign in ("", "u") for bits in (8, 16, 32, 64)}
NUMBERS = FLOATS | WHOLE_NUMBERS
SPARSE = {sparse.csc_matrix, sparse.csc_array, sparse.csr_matrix, sparse.csr_array}
# Sums of squares of what is larger may overflow.
LARGEST = 1e150


def finite_floats(
    values: Any, dtype: Any = None, ndims: Sequence[int] = (2,)
) -> tuple[Any, float | None]:
    """A table of finite numbers and its mean square; None, and what was given, if it is not ready.

    NumPy is to keep silent. The numbers become `dtype`; where that is None, whole ones become
    float64. What pandas has as numbers of NumPy's is taken for an array.

    Returns
    -------
    ndarray in one piece, or CSR or CSC matrix with each entry stored once
    mean_square : float or None
        Of the entries that are stored, if none is too large.
    """
    found: Any = values
    if type(values).__module__.partition(".")[0] == "pandas" and np.ndim(values) in (1, 2):
        dtypes = {values.dtype} if np.ndim(values) == 1 else set(values.dtypes)
        found = values.to_numpy() if dtypes <= NUMBERS else values
    if type(found) is np.memmap:
        found = found.view(np.ndarray)
    stored = type(found) in SPARSE
    if stored:
        once = found.indices.dtype == np.int32 and found.has_canonical_format
        if not once or len(found.data) != found.nnz:
            return values, None
    elif type(found) is not np.ndarray:
        return values, None
    if found.ndim not in ndims or found.dtype not in NUMBERS:
        return values, None
    if dtype is None:
        dtype = np.float64 if found.dtype in WHOLE_NUMBERS else found.dtype
    if found.dtype != dtype:
        found = found.astype(dtype)
    if not (stored or found.flags.c_contiguous or found.flags.f_contiguous):
        found = np.ascontiguousarray(found)
    entries = found.data if stored else found.ravel(order="K")
    squares = float(np.dot(entries, entries))
    if not (entries.size and squares <= LARGEST**2):
        return values, None
    return found, squares / entries.size


def note_columns(estimator: Any, X: Any) -> None:
    """Note what scikit-learn's checks, which take a while, would note: names that are strings."""
    columns = columns_of(X, X.shape[1])
    named = not isinstance(columns, range)
    kinds = set(map(type, columns)) if named else set()
    if (str in kinds and len(kinds) > 1) or (named and len(set(columns)) < len(columns)):
        validate_data(estimator, X, skip_check_array=True)  # which refuses them
    vars(estimator).pop("feature_names_in_", None)
    estimator.n_features_in_ = len(columns)
    if kinds == {str}:
        estimator.feature_names_in_ = np.array(columns, dtype=object)


def rows_to_predict(estimator: Any, X: Any, dtype: Any = None, **options: Any) -> Any:
    """An X to predict with the columns of the fit, refused otherwise as scikit-learn does.

    The numbers become `dtype`, as in `finite_floats`; the options are those of scikit-learn's
    checks, which an X goes through that is not ready.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        table, mean_square = finite_floats(X, dtype)
        if mean_square is None:
            return check_rows(estimator, X, dtype=DTYPES if dtype is None else dtype, **options)
    names = getattr(estimator, "feature_names_in_", None)
    known = range(estimator.n_features_in_) if names is None else names.tolist()
    if columns_of(X, X.shape[1]) != known:
        validate_data(estimator, X, reset=False, skip_check_array=True)
    return table
