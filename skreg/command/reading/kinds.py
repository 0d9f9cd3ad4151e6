"""What each column of a file is: numbers, dates, times of day, codes or categories.

A file that knows types says which columns hold numbers, and which hold text, which is then no
number. Any other column is first read alone, by the first of `READERS`, or else as numbers, that
fits its cells but those that stand for a missing value and a few that look like mistakes. Where it
can be read in two ways, the other columns decide, if they agree on the decimal sign or on the order
of day and month; else the user is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...report.contents import some
from ...report.ids_and_sentinels import are_known
from ..table import TableError
from .dates import DAY_FIRST, MONTH_FIRST, clock_readings, date_readings
from .file import Cells
from .numbers import (
    DASHES,
    Reading,
    as_float,
    is_missing,
    is_missing_number,
    looks_measured,
    number_readings,
)
from .options import ReadingOptions

Kind = Literal["number", "date", "clock", "code", "category"]
FEW_NUMBERS = 10  # different ones, which may as well be names of classes
FEW_WORDS = 3  # different ones for a missing value in one column
STRAY = 0.2  # share of a column's cells: fewer that are no numbers look like mistakes
MIXED = 0.5  # fewer than that, and the column is still one of numbers that cannot be read
LONGEST_NUMBER = 15  # digits that a float keeps
Positions = NDArray[np.intp]


@dataclass(frozen=True)
class Column:
    """A column as it can be read."""

    name: str
    texts: NDArray[Any]  # the different cells
    rows: Positions  # the position of each row's text
    counts: Positions  # how many rows of the file each text has
    kind: Kind  # "clock" is a time of day or a duration, "code" text made of digits
    known: Positions  # the texts that the readings are of
    readings: list[Reading]  # one; two where the values differ, until one is chosen
    gaps: Positions  # texts that stand for a missing value
    mistakes: Positions  # texts that are no numbers where nearly all others are
    counted: bool = False  # whether `counts` are of more rows than `rows` has

    @cached_property
    def of_texts(self) -> NDArray[Any]:
        """The value of each text: a float (hours of a clock), datetime64[s], or text as an object.

        NaN, NaT or None where it stands for a missing value, or is a mistake.
        """
        read = self.readings[0].values
        nothing = {"f": np.nan, "M": np.datetime64("NaT"), "O": None}[read.dtype.kind]
        values = np.full(len(self.texts), nothing, dtype=read.dtype)
        values[self.known] = read
        return values

    @cached_property
    def values(self) -> NDArray[Any]:
        """The value of each row."""
        return np.asarray(self.of_texts[self.rows])

    @property
    def variety(self) -> tuple[int, int, int]:
        """How many different values there are, rows that have one, and rows."""
        if not self.counted:
            present = self.values[are_known(self.values)]
            return len(set(present.tolist())), len(present), len(self.rows)
        known = are_known(self.of_texts)
        n_rows = int(self.counts[known].sum()), int(self.counts.sum())
        return len(set(self.of_texts[known].tolist())), *n_rows

    @property
    def missing(self) -> dict[str, int]:
        """Cells other than blank ones that were taken as missing, and how many."""
        return {self.texts[k]: int(self.counts[k]) for k in self.gaps if self.texts[k]}

    @cached_property
    def stray(self) -> tuple[int, ...]:
        """Rows of the cells that look like mistakes."""
        is_mistake = np.zeros(len(self.texts), dtype=bool)
        is_mistake[self.mistakes] = True
        return tuple(np.flatnonzero(is_mistake[self.rows]).tolist())


def _with_zeros(texts: Sequence[str]) -> list[Reading]:
    """Digits, of which some begin with a 0 that a number would lose."""
    digits = all(map(str.isdecimal, texts))
    return _as_text(texts) if digits and any(t[0] == "0" and len(t) > 1 for t in texts) else []


def _too_long(texts: Sequence[str]) -> list[Reading]:
    """Digits, of which some are more than a number keeps."""
    digits = all(map(str.isdecimal, texts))
    return _as_text(texts) if digits and max(map(len, texts)) > LONGEST_NUMBER else []


def _as_text(texts: Sequence[str]) -> list[Reading]:
    return [Reading(np.array(texts, dtype=object))]


# What looks like numbers and is none, or does not and is measured: the first that can read a
# column's different cells, NaN or NaT where one looks like a mistake, says what it is.
READERS: tuple[tuple[Kind, Callable[[Sequence[str]], list[Reading]]], ...] = (
    ("code", _with_zeros),
    ("code", _too_long),
    ("date", date_readings),
    ("clock", clock_readings),
)


def decide(
    cells: Cells, options: ReadingOptions, target: str | None = None, task: str = "auto"
) -> list[Column]:
    """Say what each column is.

    Parameters
    ----------
    cells : Cells
    options : ReadingOptions
        Columns that are dropped are not read.
    target : str or None
        The column to predict, which is taken as numbers where nearly all of its cells are.
    task : {"regression", "classification", "auto"}, default="auto"
        Numbers to predict are no codes.

    Raises
    ------
    TableError
        If a column can be read in two ways, and nothing tells which.
    """
    columns = [
        _read(cells, name, options, task if name == target else None)
        for name in cells.columns
        if name not in options.drop
    ]
    orders = {None: None, True: DAY_FIRST, False: MONTH_FIRST}
    signs = {"number": options.decimal, "date": orders[options.day_first]}
    for kind in signs:
        alone = [one.readings[0] for one in columns if one.kind == kind and len(one.readings) == 1]
        seen = {reading.shown for reading in alone} - {""}
        signs[kind] = signs[kind] or (seen.pop() if len(seen) == 1 else None)
    found, unclear = [], []
    for column in columns:
        chosen, *others = column.readings
        if others:
            sign = signs[column.kind]
            agreeing = [reading for reading in column.readings if reading.sign == sign]
            note = f"read with the {sign}, as other columns are" if column.kind == "date" else ""
            # Where commas separate the fields, a point is more likely a decimal sign.
            if not agreeing and cells.delimiter == "," and _has_fractions(column):
                agreeing = [chosen]
                note = "points are decimal signs, as the commas between fields say"
            if not agreeing:
                unclear.append(column)
                continue
            chosen = replace(agreeing[0], notes=agreeing[0].notes + ((note,) if note else ()))
        found.append(replace(column, readings=[chosen]))
    if unclear:
        raise TableError(_question(cells.file, *unclear))
    return found


def _read(cells: Cells, name: str, options: ReadingOptions, wanted: str | None) -> Column:
    """Find the ways to read a column; one to predict has numbers where nearly all cells are."""
    try:
        import pandas
    except ImportError:
        raise TableError(
            'to read a file install pandas: python -m pip install "skreg[report]"'
        ) from None
    rows, unique = pandas.factorize(cells.columns[name])
    texts = np.array([str(text) for text in unique], dtype=object)
    counts = np.bincount(rows, minlength=len(texts))
    if cells.counts is not None:
        counts = np.array([cells.counts[name].get(text, 0) for text in texts], dtype=np.intp)
    said = [one.partition("=") for one in options.missing]
    codes = {value if equals else one for one, equals, value in said if not equals or one == name}
    absent = np.array([is_missing(text) for text in texts])
    for one in codes:
        number = as_float(one)  # -999.0 is -999
        absent |= [text == one or as_float(text) == number for text in texts]
    missing, known = np.flatnonzero(absent), np.flatnonzero(~absent)
    as_text = [Reading(texts[known])]
    plain = Column(
        name,
        texts,
        rows,
        counts,
        "category",
        known,
        as_text,
        missing,
        known[:0],
        counted=cells.counts is not None,
    )
    if name in options.text:
        return plain
    if cells.declared.get(name) == "number" and known.size:
        return replace(plain, kind="number", readings=[Reading(texts[known].astype(float))])
    if not known.size:  # a column without values, which holds numbers as well as anything
        return replace(plain, kind="number", readings=[Reading(np.array([]))])
    gap = np.array([is_missing_number(text) for text in texts[known]])
    found = replace(plain, gaps=np.concatenate([missing, known[gap]]))
    left, words = known[~gap], texts[known[~gap]].tolist()
    as_number = name in options.number
    for kind, read in READERS if words and not as_number else ():
        # A sum of money to predict may be long, and is no code.
        if wanted and (read is _too_long or (kind, wanted) == ("code", "regression")):
            continue
        readings = read(words)
        if readings:
            mistakes = left[~readings[0].fits]
            return replace(found, kind=kind, known=left, readings=readings, mistakes=mistakes)
    readings = number_readings(texts[known].tolist(), counts[known])
    column, others = _without_dashes(plain), left
    if readings:
        others = known[~readings[0].fits & ~gap]
        numbers = replace(found, kind="number", readings=readings, mistakes=others)
        column = _among_others(numbers, plain, as_number or wanted is not None)
    if as_number and column.kind != "number" and not wanted:
        raise TableError(
            f"--number {name!r}: the column holds text (such as {texts[others[0]]!r}), not numbers;"
            " correct it, or say which cells are --missing"
        )
    if cells.declared.get(name) == "text" and column.kind == "number":
        return column if as_number or wanted else _as_declared(plain)
    return column


def _as_declared(plain: Column) -> Column:
    """Categories that look like numbers, in a file that says they are text."""
    column = _without_dashes(plain)
    note = "text in the file that looks like numbers, taken as categories unless --number names it"
    return replace(column, readings=[replace(column.readings[0], notes=(note,))])


def _without_dashes(plain: Column) -> Column:
    """Categories; a dash among words is no category, but it is beside a plus."""
    texts = plain.texts[plain.known]
    words = any(letter.isalnum() for text in texts for letter in text)
    dash = np.array([words and text in DASHES for text in texts])
    gaps = np.concatenate([plain.gaps, plain.known[dash]])
    return replace(plain, known=plain.known[~dash], readings=[Reading(texts[~dash])], gaps=gaps)


def _among_others(numbers: Column, plain: Column, wanted: bool) -> Column:
    """Numbers, or categories of which some look like numbers."""
    values, fits, unknown = numbers.readings[0].values, numbers.readings[0].fits, numbers.mistakes
    if not len(unknown):
        return numbers
    few_numbers = len(np.unique(values[fits])) <= FEW_NUMBERS
    others = numbers.texts[unknown].tolist()
    repeated = len(others) <= FEW_WORDS and numbers.counts[unknown].min() > 1
    if repeated and not few_numbers and not any(map(str.isdigit, "".join(others))):
        gaps = np.concatenate([plain.gaps, numbers.known[~fits]])
        return replace(numbers, gaps=gaps, mistakes=unknown[:0])
    share = numbers.counts[unknown].sum() / numbers.counts[plain.known].sum()
    if share <= STRAY and (wanted or not few_numbers):
        return numbers
    measured = share <= MIXED or all(map(looks_measured, others))
    mixed = share <= STRAY or (measured and not few_numbers)
    return replace(_without_dashes(plain), mistakes=unknown if mixed else unknown[:0])


def _has_fractions(column: Column) -> bool:
    """Whether every number has three digits after a point."""
    point = column.readings[0]
    texts = column.texts[column.known[point.fits]]
    return point.option == "--decimal ." and all("." in text for text in texts)


def _question(file: str, column: Column, *more: Column) -> str:
    """Ask for one of two readings."""
    first, second = column.readings
    differ = first.values != second.values
    both = differ & first.fits & second.fits
    k = int(np.flatnonzero(both if both.any() else differ)[0])
    answers = " or as ".join(f"{shown(one.values[k])} ({one.option})" for one in (first, second))
    so_can = f"; so can cells of {some(other.name for other in more)}" if more else ""
    return (
        f"{column.texts[column.known[k]]!r} in column {column.name!r} of {file} can be read as"
        f" {answers}, and nothing else in the file tells: say which{so_can}"
    )


def shown(value: Any) -> str:
    """A date or a number as text."""
    if isinstance(value, np.datetime64):
        return str(np.datetime_as_string(value, "D"))
    return f"{value:.15g}"
