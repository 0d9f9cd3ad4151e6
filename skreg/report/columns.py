"""The columns of a table of any kind, one at a time, and what each holds in a few words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .contents import Column, Kind
from .wording import number, percent

Array = NDArray[np.float64]
SHOWN_CATEGORIES = 3
_TIMES: dict[Kind, type] = {"date": date, "duration": timedelta}


@dataclass(frozen=True)
class Columns:
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

    @classmethod
    def of(cls, X: Any, names: tuple[str, ...]) -> Columns:
        """Split X into its columns; a sparse matrix stays one."""
        if hasattr(X, "tocsc"):
            stored = X.tocsc()
            stored.sum_duplicates()
            return cls(names, X.shape[0], None, stored)
        return cls(names, X.shape[0], tuple(_plain(values) for values in _split(X)))

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


def _split(X: Any) -> Iterator[NDArray[Any]]:
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
    import pandas

    if values.dtype.kind in "fiub":
        return values.astype(float, copy=False)
    if values.dtype.kind in "mM":  # finer ones would become whole numbers
        values = values.astype(f"{values.dtype.kind}8[us]")
    values = values.astype(object)
    absent = pandas.isna(values)
    values[absent] = None
    if not absent.all() and not any(isinstance(value, str) for value in values):
        try:
            return np.where(absent, np.nan, values).astype(float)
        except (TypeError, ValueError):  # dates and what else there is
            pass
    return values


def describe(table: Columns) -> list[Column]:
    """What each column holds."""
    if table.dense is None:
        values, starts = table.stored.data.astype(float), table.stored.indptr
        ends = zip(table.names, starts[:-1], starts[1:], strict=True)
        return [_numbers(name, values[i:j], table.n_rows) for name, i, j in ends]
    return [
        _objects(name, values) if values.dtype == object else _numbers(name, values)
        for name, values in zip(table.names, table.dense, strict=True)
    ]


def _numbers(name: str, values: NDArray[Any], n_rows: int | None = None) -> Column:
    """A column of numbers; of a sparse matrix of `n_rows`, by those that it stores."""
    present = values[~np.isnan(values)]
    n_missing = len(values) - len(present)
    n_zero = 0 if n_rows is None else n_rows - n_missing - np.count_nonzero(present)
    if n_zero:
        present = np.append(present, 0.0)
    kinds, counts = np.unique(present, return_counts=True)
    distinct = len(kinds)
    least, most = kinds[[0, -1]] if distinct else (np.nan, np.nan)
    if not distinct:
        summary = "no values"
    elif distinct == 1:
        summary = f"always {number(least)}"
    elif n_rows is not None:
        share = percent(1 - n_zero / n_rows)
        summary = f"not zero in {share} of the rows, from {number(least)} to {number(most)}"
    elif distinct == 2:
        share = percent(counts[-1] / len(present))
        summary = f"{number(least)} or {number(most)}, the latter in {share} of the rows"
    else:
        with np.errstate(invalid="ignore"):  # of infinite ones
            middle, low, high = map(_plain_number, (float(np.median(present)), least, most))
        summary = f"median {middle}, from {low} to {high}"
    return Column(name, "number", n_missing, distinct, summary)


def _plain_number(value: float) -> str:
    """As elsewhere, but four digits stand together: many of them are years."""
    text = number(value)
    return text if abs(value) >= 10_000 else text.replace(",", "")


def _objects(name: str, values: NDArray[Any]) -> Column:
    """A column of categories, dates or durations."""
    present = [value for value in values if value is not None]
    n_missing = len(values) - len(present)
    for kind in _TIMES:
        if is_time(values, kind):
            try:
                ends = [str(end).removesuffix(" 00:00:00") for end in (min(present), max(present))]
                summary = f"from {ends[0]} to {ends[1]}"
            except TypeError:  # with and without a time zone
                summary = "not in one order"
            return Column(name, kind, n_missing, len(set(present)), summary)
    if not present:
        return Column(name, "category", n_missing, 0, "no values")
    kinds, counts = np.unique([str(value) for value in present], return_counts=True)
    order = np.argsort(-counts, kind="stable")[:SHOWN_CATEGORIES]
    parts = [f"{kinds[k]} {percent(counts[k] / len(present))}" for k in order]
    if len(kinds) > SHOWN_CATEGORIES:
        parts.append(f"{len(kinds) - SHOWN_CATEGORIES:,} more")
    return Column(name, "category", n_missing, len(kinds), ", ".join(parts))


def is_time(values: NDArray[Any], kind: Kind) -> bool:
    """Whether a column holds dates, or durations, and nothing else."""
    present = [value for value in values if value is not None] if values.dtype == object else []
    return bool(present) and all(isinstance(value, _TIMES[kind]) for value in present)
