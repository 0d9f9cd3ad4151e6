"""The columns of a table of any kind, one at a time, and what each holds in a few words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from .contents import Column, Kind
from .wording import number

Array = NDArray[np.float64]
SHOWN_CATEGORIES = 3
_TIMES: dict[Kind, type] = {"date": date, "duration": timedelta}


@dataclass(frozen=True)
class Table:
    """X as columns: numbers with NaN, or objects with None, where a value is missing.

    Parameters
    ----------
    names : tuple of str
    n_rows : int
    dense : tuple of ndarray or None
        One array a column.
    stored : sparse matrix in CSC form or None
        In place of `dense`.
    """

    names: tuple[str, ...]
    n_rows: int
    dense: tuple[NDArray[Any], ...] | None
    stored: Any = None

    @property
    def numeric(self) -> NDArray[np.intp]:
        """Positions of the columns that hold numbers."""
        if self.dense is None:
            return np.arange(len(self.names))
        return np.flatnonzero([values.dtype != object for values in self.dense])

    def numbers(self, columns: NDArray[np.intp], rows: NDArray[np.intp]) -> Array:
        """Some columns of some rows; NaN where a value is missing or infinite."""
        if self.dense is None:
            block = self.stored[:, columns][rows].toarray().astype(float)
        else:
            block = np.empty((len(rows), len(columns)))
            for k, j in enumerate(columns):
                block[:, k] = self.dense[j][rows]
        block[np.isinf(block)] = np.nan
        return block


def as_table(X: Any, names: tuple[str, ...]) -> Table:
    """Split X into its columns; a sparse matrix stays one."""
    stored_sparse = bool(sparse.issparse(X))
    if stored_sparse:
        stored = X.tocsc()
        stored.sum_duplicates()
        return Table(names, X.shape[0], None, stored)
    return Table(names, X.shape[0], tuple(_plain(values) for values in _columns(X)))


def _columns(X: Any) -> Iterator[NDArray[Any]]:
    if hasattr(X, "iloc"):
        for j in range(X.shape[1]):
            yield X.iloc[:, j].to_numpy()
    elif hasattr(X, "get_columns"):  # polars
        for column in X.get_columns():
            yield column.to_numpy()
    else:
        yield from np.asarray(X).T


def _plain(values: NDArray[Any]) -> NDArray[Any]:
    """A column as floats, or as objects with None for what is missing."""
    if values.dtype.kind in "fiub":
        return values if values.dtype == np.float64 else values.astype(float)
    if values.dtype.kind in "mM":  # finer ones would become whole numbers
        values = values.astype(f"{values.dtype.kind}8[us]")
    values = values.astype(object)
    absent = np.array([is_absent(value) for value in values], dtype=bool)
    values[absent] = None
    present = values[~absent]
    if present.size and not any(isinstance(value, str) for value in present):
        try:
            numbers = np.full(len(values), np.nan)
            numbers[~absent] = present.astype(float)
            return numbers
        except (TypeError, ValueError):  # dates and what else there is
            pass
    return values


def is_absent(value: Any) -> bool:
    """Whether a value says that there is none: None, NaN, pandas.NA."""
    if value is None:
        return True
    try:
        return bool(value != value)
    except (TypeError, ValueError):  # pandas.NA
        return True


def describe(table: Table) -> list[Column]:
    """What each column holds."""
    if table.dense is None:
        return [_stored(table, j, name) for j, name in enumerate(table.names)]
    return [_dense(values, name) for values, name in zip(table.dense, table.names, strict=True)]


def _dense(values: NDArray[Any], name: str) -> Column:
    if values.dtype == object:
        return _category(values, name)
    present = np.sort(values[~np.isnan(values)])
    n_missing = len(values) - len(present)
    if not present.size:
        return Column(name, "number", n_missing, 0, "no values")
    distinct = 1 + int(np.count_nonzero(present[1:] != present[:-1]))
    least, most = present[0], present[-1]
    if distinct == 1:
        summary = f"always {number(least)}"
    elif distinct == 2:
        share = np.count_nonzero(present == most) / len(present)
        summary = f"{number(least)} or {number(most)}, the latter in {percent(share)} of the rows"
    else:
        middle, low, high = map(_plain_number, (_median(present), least, most))
        summary = f"median {middle}, from {low} to {high}"
    return Column(name, "number", n_missing, distinct, summary)


def _plain_number(value: float) -> str:
    """As elsewhere, but four digits stand together: many of them are years."""
    text = number(value)
    return text if abs(value) >= 10_000 else text.replace(",", "")


def _median(ordered: Array) -> float:
    half = len(ordered) // 2
    if len(ordered) % 2:
        return float(ordered[half])
    return (float(ordered[half - 1]) + float(ordered[half])) / 2  # of infinite ones, in silence


def _category(values: NDArray[Any], name: str) -> Column:
    present = [value for value in values if value is not None]
    for kind in _TIMES:
        if is_time(values, kind):
            return _times(present, len(values) - len(present), name, kind)
    text = np.array([str(value) for value in present], dtype=object)
    n_missing = len(values) - len(text)
    if not text.size:
        return Column(name, "category", n_missing, 0, "no values")
    kinds, counts = np.unique(text.astype(str), return_counts=True)
    order = np.argsort(-counts, kind="stable")[:SHOWN_CATEGORIES]
    parts = [f"{kinds[k]} {percent(counts[k] / len(text))}" for k in order]
    if len(kinds) > SHOWN_CATEGORIES:
        parts.append(f"{len(kinds) - SHOWN_CATEGORIES:,} more")
    return Column(name, "category", n_missing, len(kinds), ", ".join(parts))


def is_time(values: NDArray[Any], kind: Kind) -> bool:
    """Whether a column holds dates, or durations, and nothing else."""
    present = [value for value in values if value is not None] if values.dtype == object else []
    return bool(present) and all(isinstance(value, _TIMES[kind]) for value in present)


def _times(present: list[Any], n_missing: int, name: str, kind: Kind) -> Column:
    try:
        ends = [str(end).removesuffix(" 00:00:00") for end in (min(present), max(present))]
    except TypeError:  # with and without a time zone
        ends = []
    summary = f"from {ends[0]} to {ends[1]}" if ends else "not in one order"
    return Column(name, kind, n_missing, len(set(present)), summary)


def _stored(table: Table, j: int, name: str) -> Column:
    matrix = table.stored
    values = np.asarray(matrix.data[matrix.indptr[j] : matrix.indptr[j + 1]], dtype=float)
    present = values[~np.isnan(values)]
    n_missing = len(values) - len(present)
    n_zero = table.n_rows - n_missing - np.count_nonzero(present)
    if n_zero:
        present = np.append(present, 0.0)
    if not present.size:
        return Column(name, "number", n_missing, 0, "no values")
    distinct = len(np.unique(present))
    share = 1 - n_zero / table.n_rows
    summary = f"always {number(present[0])}"
    if distinct > 1:
        summary = (
            f"not zero in {percent(share)} of the rows, from {number(present.min())}"
            f" to {number(present.max())}"
        )
    return Column(name, "number", n_missing, distinct, summary)


def percent(share: float) -> str:
    """A share for a reader; nothing that exists is 0%, and nothing that lacks something 100%."""
    if 0 < share < 0.001:
        return "<0.1%"
    if 0.999 < share < 1:
        return ">99.9%"
    return f"{100 * share:.1f}%".replace(".0%", "%")
