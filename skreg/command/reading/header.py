"""Which of the first lines of a file have the names of its columns, and which have none."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from textwrap import shorten

import numpy as np

from ..table import TableError
from .numbers import as_float, is_missing, plain_number

MOST_EXTRA = 3  # header lines below the first
TOO_FEW = 3  # rows or columns that say too little


def find_header(
    file: str, top: Sequence[list[str]], has_header: bool | None, notes: list[str]
) -> tuple[list[str], int]:
    """Find the names among the first records of a file.

    Parameters
    ----------
    file : str
        Its name, for messages.
    top : sequence of list of str
        The first records.
    has_header : bool or None
        What the user says of a header; None decides, and asks where it cannot.
    notes : list of str
        Gets what is left out or put together.

    Returns
    -------
    names : list of str
        Of the columns; some may be empty.
    n_records : int
        Titles and header lines, which are no rows.

    Raises
    ------
    TableError
        If the first line may be a row.
    """
    width = Counter(map(len, top)).most_common(1)[0][0]
    n_titles = _titles(top, width)
    if n_titles:
        notes.append(
            f"left out {n_titles} line{'s' * (n_titles > 1)} above the header, such as"
            f" {_shown(top[0])!r}"
        )
    first, rows = top[n_titles], top[n_titles + 1 :]
    if has_header is False:
        return [""] * len(first), n_titles
    if rows and len(first) == width - 1 and all(len(row) == width for row in rows):
        first = ["", *first]  # as R writes the names of rows
    rows = [row for row in rows if len(row) == len(first)]
    if has_header is None and rows and _is_row(first, rows):
        shown = ", ".join(first[:4]) + ", ..." * (len(first) > 4)
        raise TableError(
            f"the first line of {file} ({shown}) looks like a row, not like names of columns: say"
            " --no-header, or --header if these are the names"
        )
    names, n_extra = first, 0
    while n_extra < MOST_EXTRA and _is_second_header(rows[n_extra:]):
        extra = rows[n_extra]
        # Names are repeated or absent, but for one that stands over the numbers of rows.
        if n_extra == 0 and (len(set(first)) < len(first) or "" in first[1:]):
            # One heading may stand over several columns.
            headings: Iterator[str] = itertools.accumulate(first, lambda last, own: own or last)
            names = [" ".join(filter(None, pair)) for pair in zip(headings, extra, strict=True)]
            notes.append("put the names of the columns together from two header lines")
        else:
            notes.append(f"left out a further header line: {_shown(extra)!r}")
        n_extra += 1
    return names, n_titles + 1 + n_extra


def _shown(fields: Sequence[str]) -> str:
    return shorten(", ".join(filter(None, fields)), 60, placeholder=" ...")


def _titles(top: Sequence[list[str]], width: int) -> int:
    """Lines above the header with one entry, where the table has several columns."""
    for count, row in enumerate(top[:-1]):
        filled = sum(map(bool, row))
        if not (width > 1 and filled == 1 and (len(row) == 1 or width >= TOO_FEW)):
            return count
    return len(top) - 1


def _is_row(first: Sequence[str], rows: Sequence[list[str]]) -> bool:
    columns = list(zip(*rows, strict=True))
    names = [
        name for name, cells in zip(first, columns, strict=True) if _share_of_numbers(cells) > 0.5
    ]
    if names and all(map(plain_number, names)):
        # Years, wavelengths or positions: names that are numbers rise by equal steps.
        steps = np.diff(list(map(as_float, names)))
        return len(names) <= TOO_FEW or not np.allclose(steps, steps[0])
    if names or len(rows) < TOO_FEW or first in rows:
        return False
    return all(name and name in cells for name, cells in zip(first, columns, strict=True))


def _share_of_numbers(cells: Sequence[str]) -> float:
    known = [cell for cell in cells if not is_missing(cell)]
    return sum(map(plain_number, known)) / max(len(known), 1)


def _is_second_header(rows: Sequence[list[str]]) -> bool:
    """Whether no cell of a first row is a number where the columns below hold nothing else."""
    if len(rows) <= TOO_FEW:
        return False
    columns = zip(rows[0], *rows[1:], strict=True)
    numeric = [name for name, *cells in columns if _share_of_numbers(cells[TOO_FEW:] or cells) == 1]
    named = [name for name in numeric if not is_missing(name)]
    return len(named) > 1 and 2 * len(named) > len(numeric) and not any(map(plain_number, named))
