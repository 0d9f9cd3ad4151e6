"""A delimited text file as cells of text, so many rows at a time."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any, Protocol, TextIO

import numpy as np
from numpy.typing import NDArray

from ..table import TableError
from .file import (
    BYTE_ORDER_MARK,
    END_MARK,
    FIRST_LINES,
    SEPARATOR_LINE,
    Declared,
    Line,
    Record,
    about_comments,
    about_repeats,
    check_widths,
    delimiter_of,
    in_lines,
    is_comment,
    named,
    readable,
    records_of,
    refuse_binary,
    width_of,
    without_comments,
    without_footer,
)
from .header import find_header
from .options import ReadingOptions

#: Gets how many bytes of the file and how many rows have been read.
ReportProgress = Callable[[int, int], None]
# Lines among which comments, titles and header are looked for.
HEAD = 10 * FIRST_LINES
# Rows at the end of a file among which a line of totals is told from categories, and lines there
# that are kept to show it.
TAIL = 100


@dataclass(frozen=True)
class Chunk:
    """Some rows of a file."""

    columns: dict[str, NDArray[Any]]  # the text of each column
    places: Sequence[str]  # where each row is, in words


class ChunkSource(Protocol):
    """A file that is read in chunks."""

    file: str  # its name
    n_bytes: int
    unnamed: frozenset[str]  # columns whose names were made up
    declared: Mapping[str, Declared]  # what the file says of its columns, if anything
    delimiter: str

    def chunks(self, progress: ReportProgress) -> Iterator[Chunk]:
        """The rows, in one pass."""

    @property
    def notes(self) -> list[str]:
        """What the last pass left out or put together."""


@dataclass
class _Pass:
    """What one pass over the lines leaves out, and its last lines of rows."""

    n_comments: int = 0
    n_repeats: int = 0
    of_footer: list[str] = field(default_factory=list)
    last: deque[Line] = field(default_factory=partial(deque, maxlen=TAIL))


class TextChunks:
    """The rows of a delimited text file.

    Parameters
    ----------
    path : Path
    options : ReadingOptions
    n_rows : int
        Of a chunk, at least 100; the last one may have some more.
    """

    def __init__(self, path: Path, options: ReadingOptions, n_rows: int) -> None:
        self.file, self._path, self._options = path.name, path, options
        self._n_rows = max(n_rows, TAIL)
        with readable(path, options.encoding), self._opened() as text:
            self.n_bytes = path.stat().st_size
            head = [line for line in islice(self._lines(text), HEAD) if line[1].strip()]
        announced = SEPARATOR_LINE.fullmatch(head[0][1].strip()) if head else None
        head = head[1:] if announced else head
        if not head:
            raise TableError(f"{self.file} is empty: it needs a header line and rows below it")
        self._of_layout: list[str] = []
        try:
            self.delimiter = announced[1] if announced else delimiter_of(head)
            kept = without_comments(self.file, head, self.delimiter, [])
            plain = [line for line in kept if not line[1].startswith("#")]
            self._width = width_of(plain, self.delimiter)[1]
            top = list(islice(records_of(kept, self.delimiter), FIRST_LINES))
        except csv.Error as error:
            raise TableError(f"{self.file}: {error}; is a quotation mark left open?") from None
        fields = [each for _, each in top]
        header, n_above = find_header(self.file, fields, options.header, self._of_layout)
        self._names = named(self.file, header)
        self._repeated = fields[n_above - 1] if n_above and header[1:] else None
        # The last line above the rows.
        self._above = top[n_above - 1][0][1] if n_above else kept[0][0] - 1
        pairs = zip(self._names, header, strict=True)
        self.unnamed = frozenset(name for name, own in pairs if n_above and not own)
        self.declared: Mapping[str, Declared] = {}  # all is text
        self._pass = _Pass()
        self._words_above: dict[str, bool] = {}

    @property
    def notes(self) -> list[str]:
        """What the last pass left out or put together."""
        said = [*about_comments(self._pass.n_comments), *self._of_layout]
        return [*said, *about_repeats(self._pass.n_repeats), *self._pass.of_footer]

    def chunks(self, progress: ReportProgress) -> Iterator[Chunk]:
        """The rows, in one pass; `TableError` where a line cannot be read."""
        self._pass, n_done = _Pass(), 0
        with readable(self._path, self._options.encoding), self._opened() as text:
            records = self._records(text, self._pass)
            held = list(islice(records, self._n_rows))
            if not held:
                raise TableError(f"{self.file} has a header and no rows: add the data below it")
            while held:
                new = list(islice(records, self._n_rows))
                if len(new) < TAIL:  # the end of the file, looked at in one piece
                    held, new = [*held, *new], []
                    held = without_footer(
                        held,
                        self._pass.last,
                        len(self._names),
                        self._pass.of_footer,
                        partial(self._has_above, n_done),
                    )
                check_widths(self.file, held, len(self._names))
                n_done += len(held)
                progress(min(text.buffer.tell(), self.n_bytes - 1) if new else self.n_bytes, n_done)
                yield self._chunk(held)
                held = new

    def _opened(self) -> TextIO:
        return self._path.open(encoding=self._options.encoding)

    def _lines(self, text: TextIO) -> Iterator[Line]:
        for number, line in enumerate(text, 1):
            refuse_binary(self._path, line)
            line = line if number > 1 else line.removeprefix(BYTE_ORDER_MARK)
            yield number, line.rstrip("\n")

    def _has_above(self, n_rows: int, word: str) -> bool:
        """Whether a cell of the first rows has a word, for which they are read again, but once."""
        if word not in self._words_above:
            with self._opened() as text:
                rows = islice(self._records(text, _Pass()), n_rows)
                self._words_above[word] = any(word in cell for _, row in rows for cell in row)
        return self._words_above[word]

    def _rows(self, lines: Iterable[Line], of_pass: _Pass) -> Iterator[Line]:
        """The lines of rows, without those that say nothing."""
        for line in lines:
            if not line[1].strip():
                continue
            if is_comment(line, self.delimiter, self._width):
                of_pass.n_comments += 1
            elif line[0] > self._above:
                of_pass.last.append(line)
                yield line

    def _records(self, text: TextIO, of_pass: _Pass) -> Iterator[Record]:
        last, end = self._above, [END_MARK, END_MARK]
        problem = "a quotation mark is left open"
        marked = chain(self._rows(self._lines(text), of_pass), [(0, self.delimiter.join(end))])
        try:
            for place, fields in self._split(marked):
                if fields == end:
                    return
                if not place[1]:  # the mark is within the last field
                    break
                last = place[1]
                if fields == self._repeated:
                    of_pass.n_repeats += 1
                else:
                    yield place, fields
        except csv.Error as error:
            problem = f"{error}; is a quotation mark left open?"
        raise TableError(f"{self.file}, line {last + 1}: {problem}")

    def _split(self, lines: Iterator[Line]) -> Iterator[Record]:
        """As `records_of`, in half the time where there are no quotation marks."""
        for number, line in lines:
            if '"' in line:
                yield next(records_of(chain([(number, line)], lines), self.delimiter))
                continue
            fields = line.split(self.delimiter)
            if line.split(None, 1) != [line]:  # there is some space, within or at an end
                fields = [field.strip() for field in fields]
            yield (number, number), fields

    def _chunk(self, records: Sequence[Record]) -> Chunk:
        places, cells = zip(*records, strict=True)
        columns = zip(self._names, zip(*cells, strict=True), strict=True)
        return Chunk(
            {name: np.array(texts, dtype=object) for name, texts in columns},
            [in_lines(place) for place in places],
        )
