"""The columns of a table of any kind, one at a time, and what each holds in a few words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .contents import ColumnSummary, Kind
from .wording import numeral, percent

Array = NDArray[np.float64]
SHOWN = 3  # categories
_TIMES: dict[Kind, type] = {"date": date, "duration": timedelta}


@dataclass(frozen=True)
class Columns:
    """X as columns: numbers with NaN, or objects with None, where a value is missing."""

    names: tuple[str, ...]
    n_rows: int
    dense: tuple[NDArray[Any], ...] | None  # one array a column
    stored: Any = None  # in place of `dense`, a sparse matrix in CSC form

    @classmethod
    def of(cls, X: Any, names: tuple[str, ...]) -> Columns:
        """Split X into its columns; a sparse matrix stays one."""
        if hasattr(X, "tocsc"):
            stored = X.tocsc()
            stored.sum_duplicates()
            return cls(names, X.shape[0], None, stored)
        given = [X[name].to_numpy() for name in X.columns] if hasattr(X, "columns") else None
        columns = np.asarray(X).T if given is None else given
        return cls(names, X.shape[0], tuple(map(_plain, columns)))

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


def describe(table: Columns) -> list[ColumnSummary]:
    """What each column holds."""
    if table.dense is None:
        values, starts = table.stored.data.astype(float), table.stored.indptr
        ends = zip(table.names, starts[:-1], starts[1:], strict=True)
        return [_numbers(name, values[i:j], table.n_rows) for name, i, j in ends]
    return [
        _objects(name, values) if values.dtype == object else _numbers(name, values)
        for name, values in zip(table.names, table.dense, strict=True)
    ]


def _numbers(name: str, values: NDArray[Any], n_rows: int | None = None) -> ColumnSummary:
    """A column of numbers; of a sparse matrix of `n_rows`, by those that it stores."""
    present = values[~np.isnan(values)]
    n_missing = len(values) - len(present)
    n_zero = 0 if n_rows is None else n_rows - n_missing - np.count_nonzero(present)
    if n_zero:
        present = np.append(present, 0.0)
    kinds, counts = np.unique(present, return_counts=True)
    least, most = kinds[[0, -1]] if len(kinds) else (np.nan, np.nan)
    if not len(kinds):
        summary = "no values"
    elif len(kinds) == 1:
        summary = f"always {numeral(least)}"
    elif n_rows is not None:
        share = percent(1 - n_zero / n_rows)
        summary = f"not zero in {share} of the rows, from {numeral(least)} to {numeral(most)}"
    elif len(kinds) == 2:
        share = percent(counts[-1] / len(present))
        summary = f"{numeral(least)} or {numeral(most)}, the latter in {share} of the rows"
    else:
        with np.errstate(invalid="ignore"):  # of infinite ones
            middle = float(np.median(present))
        texts = [numeral(value) for value in (middle, least, most)]
        # Four digits stand together: many of them are years.
        texts = [text.replace(",", "") if len(text.lstrip("−")) < 6 else text for text in texts]
        summary = "median {}, from {} to {}".format(*texts)
    return ColumnSummary(name, "number", n_missing, len(kinds), summary)


def _objects(name: str, values: NDArray[Any]) -> ColumnSummary:
    """A column of categories, dates or durations."""
    present = [value for value in values if value is not None]
    kind: Kind = next((kind for kind in _TIMES if is_time(values, kind)), "category")
    distinct = set(present if kind != "category" else map(str, present))
    if not present:
        summary = "no values"
    elif kind == "category":
        counts = Counter(map(str, present))
        common = sorted(counts, key=lambda text: (-counts[text], text))
        parts = [f"{text} {percent(counts[text] / len(present))}" for text in common[:SHOWN]]
        if len(common) > SHOWN:
            parts.append(f"{len(common) - SHOWN:,} more")
        summary = ", ".join(parts)
    else:
        try:
            ends = [str(end).removesuffix(" 00:00:00") for end in (min(present), max(present))]
            summary = f"from {ends[0]} to {ends[1]}"
        except TypeError:  # with and without a time zone
            summary = "not in one order"
    return ColumnSummary(name, kind, len(values) - len(present), len(distinct), summary)


def is_time(values: NDArray[Any], kind: Kind) -> bool:
    """Whether a column holds dates, or durations, and nothing else."""
    present = [value for value in values if value is not None] if values.dtype == object else []
    return bool(present) and all(isinstance(value, _TIMES[kind]) for value in present)
