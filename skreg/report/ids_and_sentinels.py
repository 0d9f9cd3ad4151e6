"""Columns of numbers or text that may be no features: ids, codes, sentinels for what is missing.

They work on values, not on cells, so that a data frame of one's own can be looked at as well.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kstest

from .columns import Columns, is_time
from .contents import Caution, some

DATES = "Rows have dates, and the folds are shuffled"
FEWEST_ROWS = 20  # that tell whether values differ by chance
MANY_ROWS = 200  # that tell an even spread from another
ALL_DIFFERENT = 0.98  # share of different values, from which a column looks like an id
FEWEST_VALUES = 3  # beside a sentinel
MOST_LISTED = 5  # columns in a sentence
NEAR = 0.2  # gap over spread from which a usual sentinel is one
MOST_SENTINELS = 3  # different ones in a column
_ID = re.compile(r"(^|[^a-z])(id|ids|uid|uuid|guid|nr|no|number|key|index|idx)($|[^a-z])")
_CODE = re.compile(
    r"(^|[^a-z])(zip|zipcode|postcode|plz|postal|fips|zcta|phone|isbn|ean|iban|account|konto|code)"
    r"($|[^a-z])"
)
_NINES = re.compile(r"-?9{2,}(\.[90]*)?")


class Sentinel(NamedTuple):
    """A value that may stand for a missing one: a column, the value, how often, the others."""

    name: str
    value: float
    n_rows: int
    low: float
    high: float


def are_known(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Which values are there: neither None nor NaN nor NaT."""
    import pandas

    return np.asarray(pandas.notna(values))


def all_different(values: NDArray[Any]) -> bool:
    """Whether nearly every row of a column of text has a value of its own."""
    present = values[are_known(values)]
    return len(present) > 1 and len(set(present)) >= ALL_DIFFERENT * len(present)


def ids_among_numbers(columns: Mapping[str, NDArray[Any]]) -> list[str]:
    """Columns of whole numbers that name rows or things, and measure nothing.

    Columns of objects are passed over.
    """
    return [
        name
        for name, values in columns.items()
        if values.dtype.kind == "f" and _is_id(name, values[np.isfinite(values)])
    ]


def _is_id(name: str, values: NDArray[np.float64]) -> bool:
    if len(values) < FEWEST_ROWS or np.any(values != np.round(values)) or values.min() < 0:
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
    if high - low < 2 * len(values) or not (as_long or len(values) >= MANY_ROWS):
        return False
    return bool(kstest(values, "uniform", args=(low, high - low)).pvalue > 0.2)


def sentinels(columns: Mapping[str, NDArray[Any]]) -> list[Sentinel]:
    """Values that are repeated and far from all others of their column.

    Columns of objects are passed over.
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
    return [
        one
        for name, (kinds, counts) in counted.items()
        for sign in (1, -1)
        for one in _at_one_end(name, sign * kinds[::sign], counts[::sign], sign, ends)
    ]


def _at_one_end(
    name: str,
    kinds: NDArray[np.float64],
    counts: NDArray[np.intp],
    sign: int,
    ends: Counter[float],
) -> list[Sentinel]:
    """Sentinels among the smallest values, which are the largest ones with another sign."""
    for n in range(min(MOST_SENTINELS, len(kinds) - FEWEST_VALUES), 0, -1):
        head, rest = kinds[:n], kinds[n:]
        if counts[:n].min() < 2 or np.any(head == 0):
            continue
        gap, spread = rest[0] - head[-1], rest[-1] - rest[0]
        if gap < 2 * np.diff(rest).max():
            continue  # the next step of a scale
        values = [float(sign * value) for value in head]
        # Nines, or alone below zero in several columns, need not be as far away.
        below = sign > 0 and head[-1] < 0 <= rest[0]
        usual = all(
            _NINES.fullmatch(f"{value:g}") or (below and ends[value] > 1) for value in values
        )
        if gap > spread or (usual and gap > NEAR * spread):
            low, high = sorted((float(sign * rest[0]), float(sign * rest[-1])))
            return [
                Sentinel(name, value, int(count), low, high)
                for value, count in zip(values, counts[:n], strict=True)
            ]
    return []


def sentinel_cautions(found: Sequence[Sentinel], remedy: str) -> list[Caution]:
    """Say which values may stand for missing ones; "{value}" in the remedy becomes such a value."""
    if not found:
        return []
    by_value: dict[str, list[str]] = defaultdict(list)
    for name, value, count, low, high in found:
        place = f"{name!r} ({count:,} rows, the others from {low:g} to {high:g})"
        by_value[f"{value:g}"].append(place)
    said = []
    for text, places in by_value.items():
        left = len(places) - MOST_LISTED
        more = f" and {left} more columns" if left > 0 else ""
        where = ", ".join(places[:MOST_LISTED]) + more
        said.append(f"{text} in {where}: {remedy.format(value=text)}")
    text = f"Far from all others, and repeated: {'; '.join(said)}."
    return [Caution("A value may stand for a missing one", text, serious=True)]


def id_cautions(names: Sequence[str], remedy: str) -> list[Caution]:
    """Say which columns of whole numbers may be ids."""
    if not names:
        return []
    one = len(names) == 1
    title = "A column looks like an id or a code" if one else "Columns look like ids or codes"
    text = (
        f"{some(names, MOST_LISTED)} hold{'s' * one} whole numbers that seem"
        f" to name rows or things and to measure nothing: {remedy}."
    )
    return [Caution(title, text)]


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
    cautions = sentinel_cautions(sentinels(measured), "make it NaN, and impute it in a Pipeline")
    cautions += id_cautions(
        ids_among_numbers(columns), "leave such a column out, or encode it as categories"
    )
    objects = [name for name, values in columns.items() if values.dtype == object]
    dates = [name for name in objects if is_time(columns[name], "date")]
    text = [name for name in objects if name not in dates and all_different(columns[name])]
    if text and table.n_rows >= FEWEST_ROWS:
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
