"""A delimited text file as cells of text: encoding, delimiter, comments, lines that do not fit.

pandas splits the file. Python's `csv` looks at the first lines before, to find the delimiter and
the header, and counts lines and fields where something is wrong.
"""

from __future__ import annotations

import csv
import difflib
import io
import itertools
import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...report.contents import some
from ..table import TableError
from .header import Header, find_header
from .numbers import plain_number
from .options import ReadingOptions

DELIMITERS = ",;\t|"
TOTALS = frozenset(["total", "totals", "grand total", "sum", "summe", "gesamt", "insgesamt"])
LOOKED_AT = 100  # lines, to find delimiter and header
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?', re.IGNORECASE)


@dataclass(frozen=True)
class Cells:
    """The fields of a file as text.

    Parameters
    ----------
    file : str
        Its name.
    names : tuple of str
        Of the columns; an unnamed one gets a name.
    unnamed : frozenset of str
        The names that were given so.
    columns : dict of str to ndarray of object
        The text of each column, with no space around it.
    lines : list of (int, str)
        Lines of the file that are no header, comment or blank, with their numbers.
    delimiter : str
    notes : tuple of str
        What was left out or put together.
    """

    file: str
    names: tuple[str, ...]
    unnamed: frozenset[str]
    columns: dict[str, NDArray[Any]]
    lines: list[tuple[int, str]]
    delimiter: str
    notes: tuple[str, ...]

    def line(self, row: int) -> int:
        """Return the number of the line in which a row ends."""
        for position, (_, line) in enumerate(_records(self.lines, self.delimiter)):
            if position == row:
                return line
        raise IndexError(row)


def read_cells(path: Path, options: ReadingOptions) -> Cells:
    """Split a file into cells.

    Raises
    ------
    TableError
        In one line, with the number of the line of the file where there is one.
    """
    file = path.name
    lines = [
        (number, line)
        for number, line in enumerate(_text(path, options.encoding).split("\n"), start=1)
        if line.strip()
    ]
    told = _SEPARATOR_LINE.fullmatch(lines[0][1].strip())
    if told:
        del lines[0]
    try:
        delimiter = told[1] if told else _delimiter(lines)
        lines, notes = _without_comments(file, lines, delimiter)
        top = [fields for fields, _ in _first_records(lines, delimiter)]
        header = find_header(file, top, options.header)
        body = lines[_n_lines(lines, delimiter, header.n_records) :]
        body, repeated = _without_repeats(body, lines, delimiter, header)
        if not body:
            raise TableError(f"{file} has a header and no rows: add the data below it")
        body, below = _without_footer(body, delimiter, len(header.names))
        names, unnamed = _named(file, header)
        columns = _split(file, body, delimiter, names)
    except csv.Error as error:
        raise TableError(f"{file}: {error}; is a quotation mark left open?") from None
    return Cells(
        file, names, unnamed, columns, body, delimiter, (*notes, *header.notes, *repeated, *below)
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
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise TableError(f"{path.name} is empty: it needs a header line and rows below it")
    return text


def _records(lines: Iterable[tuple[int, str]], delimiter: str) -> Iterator[tuple[list[str], int]]:
    """The fields of each record, and the number of the line in which it ends."""
    numbers: list[int] = []

    def feed() -> Iterator[str]:
        for number, line in lines:
            numbers.append(number)
            yield line + "\n"

    for fields in csv.reader(feed(), delimiter=delimiter, skipinitialspace=True):
        yield [field.strip() for field in fields], numbers[-1]


def _first_records(lines: Sequence[tuple[int, str]], delimiter: str) -> list[tuple[list[str], int]]:
    return list(_records(lines[:LOOKED_AT], delimiter))


def _delimiter(lines: Sequence[tuple[int, str]]) -> str:
    """The delimiter that splits most lines into one number of fields, and then the largest."""
    best, rank = DELIMITERS[0], (0.0, 1)
    plain = [line for line in lines[:LOOKED_AT] if not line[1].startswith("#")] or lines
    for delimiter in DELIMITERS:
        widths = [len(fields) for fields, _ in _first_records(plain, delimiter)]
        width, count = Counter(widths).most_common(1)[0]
        # A header of one line with one row below tells as much as a long file.
        if width > 1 and (count / len(widths), width) > rank:
            best, rank = delimiter, (count / len(widths), width)
    return best


def _without_comments(
    file: str, lines: list[tuple[int, str]], delimiter: str
) -> tuple[list[tuple[int, str]], list[str]]:
    """Leave out lines that begin with # and have other fields than the rest."""
    if not any(line.startswith("#") for _, line in lines):
        return lines, []
    plain = [line for line in lines if not line[1].startswith("#")]
    if not plain:
        raise TableError(f"{file} has comments and no rows: add the data below them")
    width = Counter(len(fields) for fields, _ in _first_records(plain, delimiter)).most_common(1)
    n_fields = width[0][0]

    def as_wide(line: tuple[int, str]) -> bool:
        return n_fields > 1 and len(next(_records([line], delimiter))[0]) == n_fields

    kept = [line for line in lines if not line[1].startswith("#") or as_wide(line)]
    # The names may stand in the last comment, or be some of which the first is "#".
    n_leading = kept.index(plain[0])
    if n_leading:
        below = next(_records(plain, delimiter))[0]
        number, line = kept[n_leading - 1]
        names = [(number, line.lstrip("# ") if line.startswith("# ") else line)]
        kept = (names if any(map(plain_number, below)) else []) + kept[n_leading:]
    many = len(lines) - len(kept)
    if not many:
        return kept, []
    said = f"left out {many} comment{'s' * (many > 1)}, which begin{'s' * (many == 1)} with #"
    return kept, [said]


def _n_lines(lines: Sequence[tuple[int, str]], delimiter: str, n_records: int) -> int:
    """How many lines the first records take."""
    if not n_records:
        return 0
    last = _first_records(lines, delimiter)[n_records - 1][1]
    return 1 + next(k for k, (number, _) in enumerate(lines) if number == last)


def _without_repeats(
    body: list[tuple[int, str]], lines: list[tuple[int, str]], delimiter: str, header: Header
) -> tuple[list[tuple[int, str]], list[str]]:
    """Leave out lines that repeat the header, as files that were put together have."""
    if not header.n_records or len(header.names) < 2:
        return body, []
    own = lines[len(lines) - len(body) - 1][1].rstrip()
    kept = [line for line in body if line[1].rstrip() != own]
    many = len(body) - len(kept)
    if not many:
        return body, []
    return kept, [f"left out {many} line{'s' * (many > 1)} that repeat the header"]


def _without_footer(
    body: list[tuple[int, str]], delimiter: str, width: int
) -> tuple[list[tuple[int, str]], list[str]]:
    """Leave out a line of totals at the end, and words below the table."""
    end = len(body)
    while end > 2 and body[end - 1][1].count('"') % 2 == 0:
        fields = next(_records([body[end - 1]], delimiter))[0]
        total = next((field for field in fields if field.lower().rstrip(":") in TOTALS), None)
        words = len(fields) == 1 and width > 2 and not plain_number(fields[0])
        # A word that other rows have as well is a category.
        if not words and (total is None or any(total in line for _, line in body[: end - 1])):
            break
        end -= 1
    if end == len(body):
        return body, []
    shown = shorten(", ".join(line for _, line in body[end:]), 60, placeholder=" ...")
    many = "a line" if len(body) - end == 1 else f"{len(body) - end} lines"
    return body[:end], [f"left out {many} below the rows: {shown!r}"]


def _check_widths(file: str, body: Sequence[tuple[int, str]], delimiter: str, width: int) -> None:
    for fields, line in _records(body, delimiter):
        if len(fields) != width:
            many = len(fields)
            raise TableError(
                f"{file}, line {line}: {many} field{'s' * (many > 1)} where the header has {width};"
                " correct that line"
            )


def _named(file: str, header: Header) -> tuple[tuple[str, ...], frozenset[str]]:
    own = [" ".join(name.split()) for name in header.names]
    names = [name or f"column {position}" for position, name in enumerate(own, start=1)]
    twice = [each for each, count in Counter(names).items() if count > 1]
    if twice:
        raise TableError(f"{file} has more than one column named {some(twice)}: rename them")
    unnamed = {each for each, name in zip(names, own, strict=True) if not name}
    return tuple(names), frozenset(unnamed if header.n_records else ())


def _split(
    file: str, body: Sequence[tuple[int, str]], delimiter: str, names: Sequence[str]
) -> dict[str, NDArray[Any]]:
    try:
        import pandas
    except ImportError:
        raise TableError(
            'to read a file install pandas: python -m pip install "skreg[report]"'
        ) from None
    try:
        with warnings.catch_warnings():  # rows that are all too long are a warning to pandas
            warnings.simplefilter("error", pandas.errors.ParserWarning)
            frame = pandas.read_csv(
                io.StringIO("\n".join(line for _, line in body), newline=""),
                sep=delimiter,
                header=None,
                names=range(len(names)),
                index_col=False,
                dtype=str,
                na_filter=False,
                skipinitialspace=True,
            )
    except (pandas.errors.ParserError, pandas.errors.ParserWarning) as error:
        opened = re.search(r"inside string starting at row (\d+)", str(error))
        if opened:
            before = list(itertools.islice(_records(body, delimiter), int(opened[1])))
            line = next(number for number, _ in body if not before or number > before[-1][1])
            raise TableError(f"{file}, line {line}: a quotation mark is left open") from None
        _check_widths(file, body, delimiter, len(names))
        raise TableError(f"{file}: {' '.join(str(error).split())}; correct that line") from None
    columns = {
        name: np.array([cell.strip() for cell in frame[j]], dtype=object)
        for j, name in enumerate(names)
    }
    if not columns[names[-1]].all():  # blank, or not there: pandas does not tell
        _check_widths(file, body, delimiter, len(names))
    return columns
