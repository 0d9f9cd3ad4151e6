"""Columns of a user's own X that may be no features, or hold values that stand for none."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from .columns import Table, is_time
from .contents import Caution, some
from .ids_and_sentinels import (
    FEWEST_ROWS,
    MOST_LISTED,
    all_different,
    date_caution,
    id_cautions,
    ids_among_numbers,
    sentinel_cautions,
    sentinels,
)


def column_cautions(
    table: Table, y: NDArray[Any], target: str, in_time_order: bool
) -> list[Caution]:
    """Look at the values of a table, which are not read again.

    Parameters
    ----------
    table : Table
    y : ndarray of shape (n_samples,)
    target : str
        Its name.
    in_time_order : bool
        Whether every fold comes after the rows it is predicted from.

    Returns
    -------
    list of Caution
        None about a sparse matrix.
    """
    if table.dense is None:
        return []
    columns = dict(zip(table.names, table.dense, strict=True))
    measured = columns | ({target: y.astype(float)} if y.dtype.kind in "iuf" else {})
    cautions = sentinel_cautions(
        sentinels(measured, measured.values()), "make it NaN, and impute it in a Pipeline"
    )
    cautions += id_cautions(
        ids_among_numbers(columns, columns.values()),
        "leave such a column out, or encode it as categories",
    )
    dates = [name for name, values in columns.items() if is_time(values, "date")]
    names = [
        name
        for name, values in columns.items()
        if values.dtype == object
        and name not in dates
        and table.n_rows >= FEWEST_ROWS
        and all_different(values)
    ]
    if names:
        cautions.append(
            Caution(
                "Columns of text differ in every row"
                if len(names) > 1
                else "A column of text differs in every row",
                f"{some(names, MOST_LISTED)}: no two rows, or few, share a"
                " value, so that it says nothing about a new row as a category; leave it out.",
            )
        )
    if dates and not in_time_order:
        cautions.append(date_caution(dates, "sort the rows by it and give cv=TimeSeriesSplit()"))
    return cautions
