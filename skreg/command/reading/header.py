"""Which of the first lines of a file have the names of its columns, and which have none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import shorten

import numpy as np

from ..table import TableError
from .numbers import is_missing, plain_number

MOST_EXTRA = 3  # header lines below the first
FEW = 3  # rows or columns that say too little


@dataclass(frozen=True)
class Header:
    """The names of the columns, and how many records at the top are no rows.

    Parameters
    ----------
    names : tuple of str
        Some may be empty.
    n_records : int
        Titles and header lines; 0 if the file has no header.
    notes : tuple of str
    """

    names: tuple[str, ...]
    n_records: int
    notes: tuple[str, ...] = ()


def find_header(file: str, top: Sequence[list[str]], told: bool | None) -> Header:
    """Find the names among the first records of a file.

    Parameters
    ----------
    file : str
        Its name, for messages.
    top : sequence of list of str
        The first records.
    told : bool or None
        What the user says of a header; None decides, and asks where it cannot.

    Raises
    ------
    TableError
        If the first line may be a row.
    """
    width = Counter(map(len, top)).most_common(1)[0][0]
    n_titles = _titles(top, width)
    notes = []
    if n_titles:
        notes.append(
            f"left out {n_titles} line{'s' * (n_titles > 1)} above the header, such as"
            f" {_shown(top[0])!r}"
        )
    first, rows = list(top[n_titles]), top[n_titles + 1 :]
    if told is False:
        return Header(("",) * len(first), n_titles, tuple(notes))
    if rows and len(first) == width - 1 and all(len(row) == width for row in rows):
        first = ["", *first]  # as R writes the names of rows
    rows = [row for row in rows if len(row) == len(first)]
    if told is None and rows and _is_row(first, rows):
        shown = ", ".join(first[:4]) + ", ..." * (len(first) > 4)
        raise TableError(
            f"the first line of {file} ({shown}) looks like a row, not like names of columns: say"
            " --no-header, or --header if these are the names"
        )
    names, n_extra = first, 0
    while n_extra < MOST_EXTRA and _is_second_header(rows[n_extra:]):
        extra = rows[n_extra]
        if n_extra == 0 and _needs_more(first):
            names = _joined(first, extra)
            notes.append("put the names of the columns together from two header lines")
        else:
            notes.append(f"left out a further header line: {_shown(extra)!r}")
        n_extra += 1
    return Header(tuple(names), n_titles + 1 + n_extra, tuple(notes))


def _shown(fields: Sequence[str]) -> str:
    return shorten(", ".join(filter(None, fields)), 60, placeholder=" ...")


def _titles(top: Sequence[list[str]], width: int) -> int:
    """Lines above the header with one entry, where the table has several columns."""
    count = 0
    for row in top[:-1]:
        filled = sum(map(bool, row))
        if not (width > 1 and filled == 1 and (len(row) == 1 < width or width >= FEW)):
            break
        count += 1
    return count


def _is_row(first: Sequence[str], rows: Sequence[list[str]]) -> bool:
    columns = list(zip(*rows, strict=True))
    numeric = [j for j, cells in enumerate(columns) if _mostly_numbers(cells)]
    others = [j for j in range(len(first)) if j not in numeric]
    if numeric and all(plain_number(first[j]) for j in numeric):
        # Years, wavelengths or positions: names that are numbers rise by equal steps.
        steps = _steps([first[j] for j in numeric])
        return not (len(numeric) > FEW and len(steps) and np.allclose(steps, steps[0]))
    if numeric or len(rows) < FEW or rows.count(list(first)):
        return False
    return all(first[j] and first[j] in columns[j] for j in others)


def _steps(cells: Sequence[str]) -> np.ndarray:
    try:
        return np.diff([float(cell) for cell in cells])
    except ValueError:
        return np.array([])


def _mostly_numbers(cells: Sequence[str]) -> bool:
    known = [cell for cell in cells if not is_missing(cell)]
    return bool(known) and 2 * sum(map(plain_number, known)) > len(known)


def _is_second_header(rows: Sequence[list[str]]) -> bool:
    """Whether no cell of a first row is a number where the columns below hold nothing else."""
    if len(rows) <= FEW:
        return False
    columns = list(zip(*rows[1:], strict=True))
    numeric = [
        j
        for j, cells in enumerate(columns)
        if (known := [cell for cell in cells[FEW:] or cells if not is_missing(cell)])
        and all(map(plain_number, known))
    ]
    named = [rows[0][j] for j in numeric if rows[0][j] and not is_missing(rows[0][j])]
    return len(named) > 1 and 2 * len(named) > len(numeric) and not any(map(plain_number, named))


def _needs_more(names: Sequence[str]) -> bool:
    """Whether names are repeated or absent, but for one that stands over the numbers of rows."""
    return len(set(names)) < len(names) or "" in names[1:]


def _joined(groups: Sequence[str], names: Sequence[str]) -> list[str]:
    """Names under headings, of which one may stand over several columns."""
    joined, heading = [], ""
    for group, name in zip(groups, names, strict=True):
        heading = group or heading
        joined.append(" ".join(filter(None, (heading, name))))
    return joined
