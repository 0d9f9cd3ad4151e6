"""A delimited text file as cells of text: encoding, delimiter, comments, lines that do not fit."""

from __future__ import annotations

import csv
import difflib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...report.contents import some
from ..table import TableError
from .header import find_header
from .numbers import plain_number
from .options import ReadingOptions

Line = tuple[int, str]  # its number in the file, and its text
Place = tuple[int, int]  # the numbers of the lines in which a record begins and ends
Record = tuple[Place, list[str]]  # where it is, and its fields
DELIMITERS = ",;\t|"
TOTALS = frozenset(["total", "totals", "grand total", "sum", "summe", "gesamt", "insgesamt"])
FIRST_LINES = 100  # lines, to find delimiter and header
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
_END = "\0"  # a line that no text file has


@dataclass(frozen=True)
class Cells:
    """The fields of a file as text."""

    file: str  # its name
    # the text of each column, with no space around it; an unnamed column gets a name
    columns: dict[str, NDArray[Any]]
    unnamed: frozenset[str]  # the names that were given so
    places: tuple[Place, ...]  # where each row is
    delimiter: str
    notes: tuple[str, ...]  # what was left out or put together


def read_cells(path: Path, options: ReadingOptions) -> Cells:
    """Split a file into cells.

    Raises
    ------
    TableError
        In one line, with the number of the line of the file where there is one.
    """
    file, text = path.name, _text(path, options.encoding)
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    told = _SEPARATOR_LINE.fullmatch(lines[0][1].strip()) if lines else None
    lines = lines[1:] if told else lines
    if not lines:
        raise TableError(f"{file} is empty: it needs a header line and rows below it")
    notes: list[str] = []
    try:
        delimiter = told[1] if told else _delimiter(lines)
        lines = _without_comments(file, lines, delimiter, notes)
    except csv.Error as error:
        raise TableError(f"{file}: {error}; is a quotation mark left open?") from None
    records = _all_records(file, lines, delimiter)
    top = [fields for _, fields in records[:FIRST_LINES]]
    header, n_above = find_header(file, top, options.header, notes)
    body = records[n_above:]
    rows = _without_repeats(body, top[n_above - 1], notes) if n_above and header[1:] else body
    if not rows:
        raise TableError(f"{file} has a header and no rows: add the data below it")
    rows = _without_footer(rows, lines, len(header), notes)
    names = _named(file, header)
    for place, fields in rows:
        if len(fields) != len(names):
            many = len(fields)
            raise TableError(
                f"{file}, {in_lines(place)}: {many} field{'s' * (many > 1)} where the header has"
                f" {len(names)}; correct that row"
            )
    places, cells = zip(*rows, strict=True)
    columns = zip(names, zip(*cells, strict=True), strict=True)
    return Cells(
        file,
        {name: np.array(texts, dtype=object) for name, texts in columns},
        frozenset(name for name, own in zip(names, header, strict=True) if n_above and not own),
        places,
        delimiter,
        tuple(notes),
    )


def _text(path: Path, encoding: str) -> str:
    try:
        text = path.read_bytes().decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except FileNotFoundError:
        here = path.parent.iterdir() if path.parent.is_dir() else ()
        near = difflib.get_close_matches(path.name, [other.name for other in here], n=3)
        advice = f"did you mean {some(near)}?" if near else "check the path"
        raise TableError(f"there is no file {str(path)!r}: {advice}") from None
    except IsADirectoryError:
        raise TableError(f"{str(path)!r} is a folder: name a file in it") from None
    except OSError as error:
        raise TableError(f"{str(path)!r} cannot be read: {error.strerror}") from None
    except UnicodeError as error:
        name = "UTF-8" if encoding == "utf-8" else encoding
        place = f" (byte {error.start + 1})" if isinstance(error, UnicodeDecodeError) else ""
        raise TableError(
            f"{path.name} is not {name} text{place}: export it as CSV in UTF-8, or say which"
            " encoding it has, as --encoding cp1252, latin-1 or utf-16"
        ) from None
    if "\0" in text:
        raise TableError(f"{path.name} is not a text file: export it as CSV in UTF-8")
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def in_lines(place: Place) -> str:
    """What a message calls the place of a record."""
    first, last = place
    return f"line {first}" if first == last else f"lines {first} to {last}"


def _records(lines: Sequence[Line], delimiter: str) -> Iterator[Record]:
    """The records of some lines, with no space around a field."""
    texts = (line + "\n" for _, line in lines)
    reader = csv.reader(texts, delimiter=delimiter, skipinitialspace=True)
    n_read = 0
    for fields in reader:
        place = lines[n_read][0], lines[reader.line_num - 1][0]
        n_read = reader.line_num
        yield place, [field.strip() for field in fields]


def _all_records(file: str, lines: Sequence[Line], delimiter: str) -> list[Record]:
    records: list[Record] = []
    problem = "a quotation mark is left open"
    try:
        for record in _records([*lines, (0, _END + delimiter + _END)], delimiter):
            records.append(record)
        if records.pop()[1] == [_END, _END]:  # one field within an open quotation mark
            return records
    except csv.Error as error:
        problem = f"{error}; is a quotation mark left open?"
    before = records[-1][0][1] if records else 0
    line = next(number for number, _ in lines if number > before)
    raise TableError(f"{file}, line {line}: {problem}")


def _width(lines: Sequence[Line], delimiter: str) -> tuple[float, int]:
    """How many of the first records have the most common number of fields, and that number."""
    widths = [len(fields) for _, fields in _records(lines[:FIRST_LINES], delimiter)]
    width, count = Counter(widths).most_common(1)[0]
    return count / len(widths), width


def _delimiter(lines: Sequence[Line]) -> str:
    """The delimiter that splits most lines into one number of fields, and then the largest."""
    plain = [line for line in lines[:FIRST_LINES] if not line[1].startswith("#")] or lines
    # A header of one line with one row below tells as much as a long file.
    ranks = {delimiter: _width(plain, delimiter) for delimiter in DELIMITERS}
    several = [delimiter for delimiter in DELIMITERS if ranks[delimiter][1] > 1]
    return max(several, key=lambda delimiter: ranks[delimiter], default=DELIMITERS[0])


def _without_comments(
    file: str, lines: Sequence[Line], delimiter: str, notes: list[str]
) -> list[Line]:
    """Leave out lines that begin with # and have other fields than the rest."""
    plain = [line for line in lines if not line[1].startswith("#")]
    if not plain:
        raise TableError(f"{file} has comments and no rows: add the data below them")
    width = _width(plain, delimiter)[1]

    def is_row(line: Line) -> bool:
        return width > 1 and len(next(_records([line], delimiter))[1]) == width

    kept = [line for line in lines if not line[1].startswith("#") or is_row(line)]
    # The names may stand in the last comment, or be some of which the first is "#".
    n_leading = kept.index(plain[0])
    if n_leading:
        number, line = kept[n_leading - 1]
        names = [(number, line.lstrip("# ") if line.startswith("# ") else line)]
        below = next(_records(plain, delimiter))[1]
        kept = (names if any(map(plain_number, below)) else []) + kept[n_leading:]
    many = len(lines) - len(kept)
    if many:
        notes.append(
            f"left out {many} comment{'s' * (many > 1)}, which begin{'s' * (many == 1)} with #"
        )
    return kept


def _without_repeats(body: list[Record], header: list[str], notes: list[str]) -> list[Record]:
    """Leave out lines that repeat the header, as files that were put together have."""
    kept = [record for record in body if record[1] != header]
    many = len(body) - len(kept)
    if many:
        what = "1 line that repeats" if many == 1 else f"{many} lines that repeat"
        notes.append(f"left out {what} the header")
    return kept


def _without_footer(
    rows: list[Record], lines: Sequence[Line], width: int, notes: list[str]
) -> list[Record]:
    """Leave out a line of totals at the end, and words below the table."""
    end = len(rows)
    while end > 2:
        fields = rows[end - 1][1]
        total = next((field for field in fields if field.lower().rstrip(":") in TOTALS), None)
        # A field of several lines may be rows that an open quotation mark runs together.
        words = (
            len(fields) == 1 and width > 2 and not ("\n" in fields[0] or plain_number(fields[0]))
        )
        # A word that other rows have as well is a category.
        if not words and (
            total is None or any(total in cell for _, row in rows[: end - 1] for cell in row)
        ):
            break
        end -= 1
    if end < len(rows):
        left_out = {n for (first, last), _ in rows[end:] for n in range(first, last + 1)}
        below = [line for number, line in lines if number in left_out]
        many = "a line" if len(below) == 1 else f"{len(below)} lines"
        shown = shorten(", ".join(below), 60, placeholder=" ...")
        notes.append(f"left out {many} below the rows: {shown!r}")
    return rows[:end]


def _named(file: str, header: Sequence[str]) -> list[str]:
    names = [" ".join(name.split()) or f"column {k}" for k, name in enumerate(header, start=1)]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise TableError(f"{file} has more than one column named {some(twice)}: rename them")
    return names
