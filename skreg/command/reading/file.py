"""A delimited text file as cells of text: encoding, delimiter, comments, lines that do not fit."""

from __future__ import annotations

import csv
import difflib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import shorten
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...report.contents import some
from ..table import TableError
from .header import find_header
from .numbers import plain_number
from .options import ReadingOptions

Line = tuple[int, str]  # its number in the file, and its text
Place = tuple[int, int]  # the numbers of the lines in which a record begins and ends
Declared = Literal["number", "text"]
Record = tuple[Place, list[str]]  # where it is, and its fields
DELIMITERS = ",;\t|"
TOTALS = frozenset(["total", "totals", "grand total", "sum", "summe", "gesamt", "insgesamt"])
FIRST_LINES = 100  # lines, to find delimiter and header
SEPARATOR_LINE = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
END_MARK = "\0"  # a line that no text file has
BYTE_ORDER_MARK = "\ufeff"  # with which a text may begin, in any encoding of Unicode


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
    # how many rows of the file have each text of a column; None where `columns` have all rows
    counts: Mapping[str, Mapping[str, int]] | None = None
    # what a file that knows types says of its columns
    declared: Mapping[str, Declared] = field(default_factory=dict)

    def place(self, name: str, row: int) -> str:
        """Where a cell is, in words."""
        return in_lines(self.places[row])


def read_cells(path: Path, options: ReadingOptions) -> Cells:
    """Split a file into cells.

    Raises
    ------
    TableError
        In one line, with the number of the line of the file where there is one.
    """
    file, text = path.name, _text(path, options.encoding)
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    announced = SEPARATOR_LINE.fullmatch(lines[0][1].strip()) if lines else None
    lines = lines[1:] if announced else lines
    if not lines:
        raise TableError(f"{file} is empty: it needs a header line and rows below it")
    notes: list[str] = []
    try:
        delimiter = announced[1] if announced else delimiter_of(lines)
        lines = without_comments(file, lines, delimiter, notes)
    except csv.Error as error:
        raise TableError(f"{file}: {error}; is a quotation mark left open?") from None
    records = _all_records(file, lines, delimiter)
    top = [fields for _, fields in records[:FIRST_LINES]]
    header, n_above = find_header(file, top, options.header, notes)
    body = records[n_above:]
    rows = _without_repeats(body, top[n_above - 1], notes) if n_above and header[1:] else body
    if not rows:
        raise TableError(f"{file} has a header and no rows: add the data below it")
    rows = without_footer(rows, lines, len(header), notes)
    names = named(file, header)
    check_widths(file, rows, len(names))
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


@contextmanager
def readable(path: Path, encoding: str) -> Iterator[None]:
    """What reading a file raises, in words that say what to change."""
    try:
        yield
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


def refuse_binary(path: Path, text: str) -> None:
    """Refuse what no text file has."""
    if "\0" in text:
        raise TableError(f"{path.name} is not a text file: export it as CSV in UTF-8")


def _text(path: Path, encoding: str) -> str:
    with readable(path, encoding):
        text = path.read_bytes().decode(encoding)
    refuse_binary(path, text)
    return text.removeprefix(BYTE_ORDER_MARK).replace("\r\n", "\n").replace("\r", "\n")


def check_widths(file: str, rows: Sequence[Record], width: int) -> None:
    """Refuse a row that has not as many fields as the header."""
    for place, fields in rows:
        if len(fields) != width:
            many = len(fields)
            raise TableError(
                f"{file}, {in_lines(place)}: {many} field{'s' * (many > 1)} where the header has"
                f" {width}; correct that row"
            )


def in_lines(place: Place) -> str:
    """What a message calls the place of a record."""
    first, last = place
    return f"line {first}" if first == last else f"lines {first} to {last}"


def records_of(lines: Iterable[Line], delimiter: str) -> Iterator[Record]:
    """The records of some lines, with no space around a field."""
    numbers: list[int] = []  # of the lines of a record

    def texts() -> Iterator[str]:
        for number, line in lines:
            numbers.append(number)
            yield line + "\n"

    for fields in csv.reader(texts(), delimiter=delimiter, skipinitialspace=True):
        place = numbers[0], numbers[-1]
        numbers.clear()
        yield place, [field.strip() for field in fields]


def _all_records(file: str, lines: Sequence[Line], delimiter: str) -> list[Record]:
    records: list[Record] = []
    problem = "a quotation mark is left open"
    try:
        for record in records_of([*lines, (0, END_MARK + delimiter + END_MARK)], delimiter):
            records.append(record)
        if records.pop()[1] == [END_MARK, END_MARK]:  # one field within an open quotation mark
            return records
    except csv.Error as error:
        problem = f"{error}; is a quotation mark left open?"
    before = records[-1][0][1] if records else 0
    line = next(number for number, _ in lines if number > before)
    raise TableError(f"{file}, line {line}: {problem}")


def width_of(lines: Sequence[Line], delimiter: str) -> tuple[float, int]:
    """How many of the first records have the most common number of fields, and that number."""
    widths = [len(fields) for _, fields in records_of(lines[:FIRST_LINES], delimiter)]
    width, count = Counter(widths).most_common(1)[0]
    return count / len(widths), width


def delimiter_of(lines: Sequence[Line]) -> str:
    """The delimiter that splits most lines into one number of fields, and then the largest."""
    plain = [line for line in lines[:FIRST_LINES] if not line[1].startswith("#")] or lines
    # A header of one line with one row below tells as much as a long file.
    ranks = {delimiter: width_of(plain, delimiter) for delimiter in DELIMITERS}
    several = [delimiter for delimiter in DELIMITERS if ranks[delimiter][1] > 1]
    return max(several, key=lambda delimiter: ranks[delimiter], default=DELIMITERS[0])


def is_comment(line: Line, delimiter: str, width: int) -> bool:
    """Whether a line begins with # and is no row of so many fields."""
    if not line[1].startswith("#"):
        return False
    return width <= 1 or len(next(records_of([line], delimiter))[1]) != width


def without_comments(
    file: str, lines: Sequence[Line], delimiter: str, notes: list[str]
) -> list[Line]:
    """Leave out lines that begin with # and have other fields than the rest."""
    plain = [line for line in lines if not line[1].startswith("#")]
    if not plain:
        raise TableError(f"{file} has comments and no rows: add the data below them")
    width = width_of(plain, delimiter)[1]

    kept = [line for line in lines if not is_comment(line, delimiter, width)]
    # The names may stand in the last comment, or be some of which the first is "#".
    n_leading = kept.index(plain[0])
    if n_leading:
        number, line = kept[n_leading - 1]
        names = [(number, line.lstrip("# ") if line.startswith("# ") else line)]
        below = next(records_of(plain, delimiter))[1]
        kept = (names if any(map(plain_number, below)) else []) + kept[n_leading:]
    notes += about_comments(len(lines) - len(kept))
    return kept


def about_comments(many: int) -> list[str]:
    """A note of comments that were left out, where there are any."""
    said = f"left out {many} comment{'s' * (many > 1)}, which begin{'s' * (many == 1)} with #"
    return [said] if many else []


def _without_repeats(body: list[Record], header: list[str], notes: list[str]) -> list[Record]:
    """Leave out lines that repeat the header, as files that were put together have."""
    kept = [record for record in body if record[1] != header]
    notes += about_repeats(len(body) - len(kept))
    return kept


def about_repeats(many: int) -> list[str]:
    """A note of lines that repeat the header, where there are any."""
    what = "1 line that repeats" if many == 1 else f"{many} lines that repeat"
    return [f"left out {what} the header"] if many else []


def without_footer(
    rows: list[Record],
    lines: Iterable[Line],
    width: int,
    notes: list[str],
    has_above: Callable[[str], bool] = lambda word: False,
) -> list[Record]:
    """Leave out a line of totals at the end, and words below the table.

    `has_above` says whether a cell of rows before these has a word.
    """
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
            total is None
            or any(total in cell for _, row in rows[: end - 1] for cell in row)
            or has_above(total)
        ):
            break
        end -= 1
    if end < len(rows):
        left_out = {n for (first, last), _ in rows[end:] for n in range(first, last + 1)}
        below = [line for number, line in lines if number in left_out]
        many = "a line" if len(left_out) == 1 else f"{len(left_out)} lines"
        shown = shorten(", ".join(below), 60, placeholder=" ...")
        notes.append(f"left out {many} below the rows: {shown!r}")
    return rows[:end]


def named(file: str, header: Sequence[str]) -> list[str]:
    """The names of the columns, each once, made up where the header has none."""
    names = [" ".join(name.split()) or f"column {k}" for k, name in enumerate(header, start=1)]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise TableError(f"{file} has more than one column named {some(twice)}: rename them")
    return names
