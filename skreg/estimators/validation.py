"""Checks of what the user gives, for every estimator; each error says what is wrong and where."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from scipy import sparse
from sklearn.exceptions import DataConversionWarning
from sklearn.utils import column_or_1d
from sklearn.utils.validation import _check_sample_weight, validate_data

from ..data.design import Array
from .runtime import warn

PAIR = ("X", "y")
BOOLEANS = (bool, np.bool_)
#: Says where an entry is, from its index, the name of the table and the names of its columns.
PlaceOf = Callable[[list[int], str, Any], str]


class NotATable:
    """Base of what some estimators take in the place of a table: rows in blocks, sums of rows."""

    #: The method that takes it.
    _taken_by: ClassVar[str]


def refuse_no_table(estimator: Any, X: Any, called: str = "X") -> None:
    """Refuse what stands for a table, as rows in blocks do, where a table is needed."""
    if not isinstance(X, NotATable):
        return
    if called != "X":  # what is beside the rows of a fit is never read in blocks
        raise TypeError(f"{called} must be rows in memory, not {type(X).__name__}")
    name, kind, method = type(estimator).__name__, type(X).__name__, X._taken_by
    if hasattr(estimator, "fit_moments"):
        raise TypeError(f"{name} takes {kind} by another method: use {method}")
    if method == "fit":
        raise TypeError(f"{name} takes rows in memory, and no {kind}")
    raise TypeError(
        f"{name} takes rows: {kind} are sums, which are enough for the squared error alone, as of"
        " Lasso and Ridge"
    )


def place_in_table(index: list[int], name: str, columns: Any = None, entry: str = "row") -> str:
    """Where an entry of a table is, in words."""
    where = f"{entry} {index[0]} of {name}"
    if len(index) == 2:
        where += f", column {index[1] if columns is None else repr(list(columns)[index[1]])}"
    return where


def check_rows(
    estimator: Any, X: Any, *, place_of: PlaceOf = place_in_table, **options: Any
) -> Any:
    """scikit-learn's checks of an X to predict; the error names row and column."""
    refuse_no_table(estimator, X, "X to predict")
    _refuse_hidden(X, "X", place_of)
    try:
        return validate_data(estimator, X, reset=False, **options)
    except (TypeError, ValueError) as error:
        raise _located(error, {"X": X}, place_of=place_of) from None


def check_table(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    numeric_y: bool,
    names: Sequence[str] = PAIR,
    place_of: PlaceOf = place_in_table,
    **options: Any,
) -> tuple[Any, Any]:
    """scikit-learn's checks of X and y; the error names row and column.

    What they let pass is refused as well: missing values among objects and times, masked entries
    and, for numbers to predict, a sparse y.

    Parameters
    ----------
    estimator : estimator
        Notes the names of the columns.
    X, y : as given by the user
    numeric_y : bool
        Whether y has numbers, which become float64 if they are objects, or classes.
    names : pair of str
        What X and y are called.
    place_of : callable
        Says where an entry is.
    **options : dict
        For scikit-learn's `validate_data`.

    Returns
    -------
    X, y
    """
    refuse_no_table(estimator, X, names[0])
    refuse_no_table(estimator, y, names[1])
    given = {names[0]: X} if y is None else {names[0]: X, names[1]: y}
    for name, values in given.items():
        _refuse_hidden(values, name, place_of)
    if numeric_y:
        refuse_sparse(y, names[1])
    try:
        X, y = validate_data(estimator, X, y, multi_output=True, y_numeric=numeric_y, **options)
        if numeric_y and y.dtype.kind not in "fiub":
            y = y.astype(np.float64)
        # scikit-learn takes a None among objects for a class, or for a number.
        if numeric_y and not np.isfinite(y).all():
            raise ValueError(f"Input {names[1]} contains {'NaN' if np.isnan(y).any() else 'inf'}.")
    except (TypeError, ValueError) as error:
        raise _located(error, given, () if numeric_y else names[1:], place_of) from None
    if not numeric_y and y.dtype.kind in "OU":
        # In a list of texts a NaN becomes a text as well, and then a class.
        _refuse_missing(given[names[1]] if y.dtype.kind == "U" else y, names[1])
    return X, y


def one_column(y: Any) -> Any:
    """A y of one dimension; a column is one with scikit-learn's warning, at the user's line."""
    if np.ndim(y) == 2 and np.shape(y)[1] == 1:
        warn(
            "A column-vector y was passed when a 1d array was expected. Please change the shape of"
            " y to (n_samples,), for example using ravel().",
            DataConversionWarning,
        )
    return column_or_1d(y)


def check_weights(sample_weight: Any, X: Any) -> Array | None:
    """Weights of shape (n_samples,), finite, none negative, not all zero; a number is uniform."""
    if sample_weight is None:
        return None
    name = "sample_weight"
    if not isinstance(sample_weight, numbers.Number):
        sample_weight = numeric(sample_weight, name, "row")
    try:
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
    except ValueError as error:
        raise _located(error, {name: sample_weight}) from None
    if np.any(weight < 0):
        raise ValueError("Negative values in sample_weight: every weight must be at least 0")
    if not np.any(weight > 0):
        raise ValueError(
            "Sample weights must contain at least one non-zero number: sample_weight is all zero"
        )
    return weight


def numeric(value: Any, name: str, entry: str = "entry") -> Array:
    """A parameter as an array of float64; True and False become 1 and 0."""
    if isinstance(value, float):
        return np.array(value)
    refuse_sparse(value, name)
    refuse_masked(value, name, entry)
    try:
        array = np.asarray(value)
        if array.dtype.kind == "c":
            raise ValueError("complex numbers")
        return array.astype(np.float64, copy=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be numeric: {error}") from error


def refuse_booleans(value: Any, name: str) -> None:
    """Refuse True and False in a parameter, of the right shape, that is to have numbers."""
    if isinstance(value, float) or getattr(getattr(value, "dtype", None), "kind", "O") in "fiu":
        return
    # NumPy would make a list of both kinds one of numbers.
    if any(isinstance(one, BOOLEANS) for one in np.asarray(value, dtype=object).flat):
        raise TypeError(f"{name} has True or False, no number, though Python would count it as one")


def unwrap(value: Any) -> Any:
    """The number in an array of no dimensions; anything else as it is."""
    return value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value


def refuse_sparse(values: Any, name: str) -> None:
    """Refuse a sparse matrix where an array is needed."""
    if sparse.issparse(values):
        raise ValueError(f"{name} is sparse, and must be an array: pass {name}.toarray()")


def refuse_masked(
    values: Any, name: str, entry: str = "row", place_of: PlaceOf | None = None
) -> None:
    """Refuse a masked array with masked entries, whose values behind the mask mean nothing."""
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        first = np.argwhere(np.ma.getmaskarray(values))[0].tolist()
        where = (
            place_of(first, name, None) if place_of else place_in_table(first, name, None, entry)
        )
        raise ValueError(
            f"{name} has masked entries, the first in {where}: fill them, or leave them out"
        )


def _refuse_hidden(values: Any, name: str, place_of: PlaceOf) -> None:
    """Refuse missing values that are numbers to NumPy: those behind a mask, and times."""
    refuse_masked(values, name, place_of=place_of)
    dtypes = getattr(values, "dtypes", None)
    if dtypes is None or np.ndim(values) != 2:
        dtypes = [getattr(values, "dtype", None)]
    if any(getattr(dtype, "kind", None) in ("M", "m") for dtype in dtypes):
        _refuse_missing(values, name, place_of)


def _refuse_missing(values: Any, name: str, place_of: PlaceOf = place_in_table) -> None:
    found = _first(values, _is_missing)
    if found is not None:
        text = _first_value(name, values, found, "is missing", place_of)
        raise ValueError(f"Input {name} contains NaN.\n{text}")


# Names of columns ---------------------------------------------------------------------------


def columns_of(X: Any, n_features: int) -> Sequence[Any]:
    """The names of the columns of a data frame; of any other X their numbers."""
    names = getattr(X, "columns", None)
    if names is None:
        return range(n_features)
    return list(names.tolist() if hasattr(names, "tolist") else names)


def ordered_by_name(values: Any, name: str, columns: Sequence[Any], table: str = "X") -> Any:
    """Values that carry names, put in the order of the columns that have these names.

    Parameters
    ----------
    values : any
        Of a pandas Series or a dict the names are matched; a Series that is merely numbered, and
        everything else, is taken as it is.
    name : str
        What to call it.
    columns : sequence
        Of `columns_of`.
    table : str
        What has these columns.

    Raises
    ------
    ValueError
        If the names are not those of the columns.
    """
    if isinstance(values, Mapping):
        labels, values = list(values), list(values.values())
    else:
        index = getattr(values, "index", None)
        if index is None or callable(index) or np.ndim(values) != 1:
            return values
        labels = list(index)
    place = {label: i for i, label in enumerate(labels)}
    alike = len(place) == len(labels) == len(columns) and all(one in place for one in columns)
    if alike:
        ordered = [place[one] for one in columns]
        array = np.asarray(values, dtype=object if isinstance(values, list) else None)
        return array[ordered]
    if labels == list(range(len(labels))):
        return values
    if isinstance(columns, range):
        raise ValueError(
            f"{name} has names ({labels[0]!r}, ...) and {table} has none: pass {table} as a data"
            f" frame, or the values alone in the order of the columns of {table}"
        )
    lacking = [one for one in columns if one not in place]
    known = set(columns)
    foreign = [one for one in labels if one not in known]
    if lacking:
        problem = f"has no value for {lacking[0]!r}, a column of {table}"
    elif foreign:
        problem = f"has a value for {foreign[0]!r}, which is no column of {table}"
    else:
        problem = f"and {table} must not repeat a name"
    raise ValueError(f"{name} {problem}")


# Where the first bad entry is ---------------------------------------------------------------


def _located(
    error: Exception,
    given: Mapping[str, Any],
    labels: Sequence[str] = (),
    place_of: PlaceOf = place_in_table,
) -> Exception:
    """The error with the place of the first entry that is no finite number.

    Parameters
    ----------
    given : dict
        Names and values, in the order in which they were checked.
    labels : sequence of str
        Those that are classes, in which only a missing value is bad.
    """
    for name, values in given.items():
        of_missing = name in labels or "NaN" in str(error)
        found = _first(values, _is_missing) if of_missing else None
        if found is None and name not in labels:
            found = _first(values, _is_unusable)
        what = "is missing" if name in labels else "is not a finite number"
        if found is None and name not in labels and "float32" in str(error):
            found, what = _first(_narrow(values), _is_unusable), f"{what} of float32"
        if found is None:
            continue
        text = _first_value(name, values, found, what, place_of)
        if _is_missing(found[0]):
            return ValueError(f"Input {name} contains NaN.\n{text}")
        return type(error)(f"{error}\n{text}")
    return error


def _narrow(values: Any) -> Any:
    """A table in float32, where its largest numbers may be infinite."""
    table = values if hasattr(values, "astype") else np.asarray(values)
    with np.errstate(over="ignore"):
        return table.astype(np.float32)


def _first_value(
    name: str, values: Any, found: tuple[Any, list[int]], what: str, place_of: PlaceOf
) -> str:
    value, index = found
    shown = repr(str(value)) if isinstance(value, str) else str(value)
    place = place_of(index, name, getattr(values, "columns", None))
    return f"The first value that {what} is {shown}, in {place}."


def _first(values: Any, is_bad: Callable[[Any], bool]) -> tuple[Any, list[int]] | None:
    """The first bad entry of a table, and its index; None if there is none."""
    is_sparse = sparse.issparse(values)
    entries = values.tocoo() if is_sparse else None
    if entries is not None:
        table = entries.data
    else:
        table = values if isinstance(values, np.ndarray) else np.asarray(values, dtype=object)
    if table.dtype.kind == "f":
        bad = ~np.isfinite(table.ravel())
    else:
        bad = np.fromiter(map(is_bad, table.flat), dtype=bool, count=table.size)
    if not bad.any() or not table.ndim:
        return None
    k = int(np.argmax(bad))
    if entries is not None:
        return table[k], [int(entries.row[k]), int(entries.col[k])]
    return table.flat[k], [int(index) for index in np.unravel_index(k, table.shape)]


def _is_missing(value: Any) -> bool:
    """Whether a value is None, NaN or what pandas has in their place."""
    if value is None:
        return True
    try:
        return bool(value != value)  # NaN and NaT are not themselves
    except (TypeError, ValueError):
        return type(value).__name__ == "NAType"  # pandas's NA does not know


def _is_unusable(value: Any) -> bool:
    if isinstance(value, numbers.Complex) and not isinstance(value, numbers.Real):
        return True
    try:
        return not math.isfinite(float(value))
    except (TypeError, ValueError):
        return True
