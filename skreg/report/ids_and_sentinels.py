"""Columns of numbers or text that may be no features: ids, codes, sentinels for what is missing.

They work on values, not on cells, so that a data frame of one's own can be looked at as well.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kstest

from .columns import Columns, is_time
from .contents import Caution, some

DATES = "Rows have dates, and the folds are shuffled"
TELLING_ROWS = 20  # that tell whether values differ by chance
EVEN_SPREAD_ROWS = 200  # that tell an even spread from another
ALL_DIFFERENT = 0.98  # share of different values, from which a column looks like an id
FEWEST_VALUES = 3  # beside a sentinel
MOST_LISTED = 5  # columns in a sentence
CLEAR_GAP = 0.2  # gap over spread from which a usual sentinel is one
MOST_SENTINELS = 3  # different ones in a column
_ID = re.compile(r"(^|[^a-z])(id|ids|uid|uuid|guid|nr|no|number|key|index|idx)($|[^a-z])")
_CODE = re.compile(
    r"(^|[^a-z])(zip|zipcode|postcode|plz|postal|fips|zcta|phone|isbn|ean|iban|account|konto|code)"
    r"($|[^a-z])"
)
_NINES = re.compile(r"-?9{2,}(\.[90]*)?")


def are_known(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Which values are there: neither None nor NaN nor NaT."""
    import pandas

    return np.asarray(pandas.notna(values))


def all_different(values: NDArray[Any]) -> bool:
    """Whether nearly every row of a column of text has a value of its own."""
    present = values[are_known(values)]
    return nearly_all(len(set(present)), len(present))


def nearly_all(n_different: int, n_rows: int) -> bool:
    """Whether there are nearly as many different values as rows."""
    return n_rows > 1 and n_different >= ALL_DIFFERENT * n_rows


def id_cautions(columns: Mapping[str, NDArray[Any]], remedy: str) -> list[Caution]:
    """Say which columns of whole numbers name rows or things, and measure nothing.

    Columns of objects are passed over.
    """
    names = [
        name
        for name, values in columns.items()
        if values.dtype.kind == "f" and _is_id(name, values[np.isfinite(values)])
    ]
    one = len(names) == 1
    title = "A column looks like an id or a code" if one else "Columns look like ids or codes"
    text = (
        f"{some(names, MOST_LISTED)} hold{'s' * one} whole numbers that seem"
        f" to name rows or things and to measure nothing: {remedy}."
    )
    return [Caution(title, text)] if names else []


def _is_id(name: str, values: NDArray[np.float64]) -> bool:
    if len(values) < TELLING_ROWS or np.any(values != np.round(values)) or values.min() < 0:
        return False
    kinds = np.unique(values)
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    if len(kinds) > 2 and (_CODE.search(words) or re.search(r"(^|[^a-z])u?id($|[^a-z])", words)):
        return True
    if len(kinds) < ALL_DIFFERENT * len(values):
        return False
    if _ID.search(words):
        return True
    steps = np.diff(values)
    if (steps > 0).all() or (steps < 0).all():
        return False  # it numbers the rows, or is time: another caution says so
    low, high = float(kinds[0]), float(kinds[-1])
    if high - low < 1.05 * len(values):
        return True  # they count
    # All numbers of a range alike, as ids are given and measurements seldom are.
    as_long = low >= 1000 and len(f"{low:.0f}") == len(f"{high:.0f}")
    if high - low < 2 * len(values) or not (as_long or len(values) >= EVEN_SPREAD_ROWS):
        return False
    return bool(kstest(values, "uniform", args=(low, high - low)).pvalue > 0.2)


def sentinel_cautions(columns: Mapping[str, NDArray[Any]], remedy: str) -> list[Caution]:
    """Say which values may stand for missing ones: repeated, and far from all others of a column.

    Columns of objects are passed over. "{value}" in the remedy becomes such a value.
    """
    counted = {}
    for name, values in columns.items():
        if values.dtype.kind == "f":
            kinds, counts = np.unique(values[np.isfinite(values)], return_counts=True)
            if len(kinds) > FEWEST_VALUES:
                counted[name] = kinds, counts
    # In how many columns a repeated value is the first or last.
    ends = Counter(
        float(kinds[k]) for kinds, counts in counted.values() for k in (0, -1) if counts[k] > 1
    )
    places: dict[str, list[str]] = defaultdict(list)
    for name, (kinds, counts) in counted.items():
        for sign in (1, -1):
            ordered, of_each = sign * kinds[::sign], counts[::sign]
            n = _at_start(ordered, of_each, sign, ends)
            low, high = sorted((sign * ordered[n], sign * ordered[-1]))
            for value, count in zip(sign * ordered[:n], of_each, strict=False):
                place = f"{name!r} ({count:,} rows, the others from {low:g} to {high:g})"
                places[f"{value:g}"].append(place)
    said = []
    for value, where in places.items():
        left = len(where) - MOST_LISTED
        more = f" and {left} more columns" if left > 0 else ""
        instead = remedy.format(value=value)
        said.append(f"{value} in {', '.join(where[:MOST_LISTED])}{more}: {instead}")
    text = f"Far from all others, and repeated: {'; '.join(said)}."
    return [Caution("A value may stand for a missing one", text, serious=True)] if said else []


def _at_start(
    kinds: NDArray[np.float64], counts: NDArray[np.intp], sign: int, ends: Counter[float]
) -> int:
    """How many of the smallest values, the largest ones with another sign, are sentinels."""
    for n in range(min(MOST_SENTINELS, len(kinds) - FEWEST_VALUES), 0, -1):
        head, rest = kinds[:n], kinds[n:]
        gap, spread = rest[0] - head[-1], rest[-1] - rest[0]
        if counts[:n].min() < 2 or np.any(head == 0) or gap < 2 * np.diff(rest).max():
            continue  # zero, or the next step of a scale
        # Nines, or alone below zero in several columns, need not be as far away.
        below = sign > 0 and head[-1] < 0 <= rest[0]
        usual = all(
            _NINES.fullmatch(f"{value:g}") or (below and ends[float(value)] > 1)
            for value in sign * head
        )
        if gap > spread or (usual and gap > CLEAR_GAP * spread):
            return n
    return 0


def date_caution(names: Sequence[str], remedy: str) -> Caution:
    """Say that shuffled folds predict rows from later ones."""
    return Caution(
        DATES,
        f"{some(names, MOST_LISTED)} hold{'s' * (len(names) == 1)} dates. If they say when a row"
        " came about, shuffled folds predict rows from later ones, which is too easy where new"
        f" rows will come after these. Hold out later rows: {remedy}.",
    )


def column_cautions(
    table: Columns, y: NDArray[Any], target: str, in_time_order: bool
) -> list[Caution]:
    """Look at the values of a table, which are not read again; say nothing of a sparse matrix.

    `target` is the name of y; `in_time_order` says whether every fold comes after the rows that it
    is predicted from.
    """
    if table.dense is None:
        return []
    columns = dict(zip(table.names, table.dense, strict=True))
    measured = columns | ({target: y.astype(float)} if y.dtype.kind in "iuf" else {})
    cautions = sentinel_cautions(measured, "make it NaN, and impute it in a Pipeline")
    cautions += id_cautions(columns, "leave such a column out, or encode it as categories")
    objects = [name for name, values in columns.items() if values.dtype == object]
    dates = [name for name in objects if is_time(columns[name], "date")]
    text = [name for name in objects if name not in dates and all_different(columns[name])]
    if text and table.n_rows >= TELLING_ROWS:
        one = len(text) == 1
        cautions.append(
            Caution(
                f"{'A column' if one else 'Columns'} of text differ{'s' * one} in every row",
                f"{some(text, MOST_LISTED)}: no two rows, or few, share a"
                " value, so that it says nothing about a new row as a category; leave it out.",
            )
        )
    if dates and not in_time_order:
        cautions.append(date_caution(dates, "sort the rows by it and give cv=TimeSeriesSplit()"))
    return cautions
