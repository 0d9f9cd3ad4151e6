"""What each column of a file is: numbers, dates, times of day, codes or categories.

A column is first surveyed alone: every way to read it that fits all of its cells but those that
stand for a missing value. Where two ways fit, the other columns decide, if they agree on the
decimal sign or on the order of day and month; else the user is asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .dates import DAY_FIRST, MONTH_FIRST
from .numbers import Reading
from .options import ReadingOptions
from .survey import Kind, Survey, survey_column


@dataclass(frozen=True)
class Column:
    """A column as it was read.

    Parameters
    ----------
    name : str
    kind : {"number", "date", "clock", "code", "category"}
        "clock" is a time of day or a duration, "code" text made of digits.
    values : ndarray of shape (n_rows,)
        Floats (hours of a clock), datetime64[s], or text as objects; NaN, NaT or None if missing.
    notes : tuple of str
        What a reader of the file would not expect, each in words that go after a column's name.
    missing : dict of str to int
        Cells other than blank ones that were taken as missing, and how many.
    stray : tuple of int
        Rows of cells that are no numbers, where nearly all others are.
    example : str
        A cell and what it was read as, where there are notes: "25,649 is 25649".
    """

    name: str
    kind: Kind
    values: NDArray[Any]
    notes: tuple[str, ...] = ()
    missing: dict[str, int] = field(default_factory=dict)
    stray: tuple[int, ...] = ()
    example: str = ""


@dataclass(frozen=True)
class Question:
    """Two readings of a column, of which the user has to choose one.

    Parameters
    ----------
    name, example : str
        The column and one of its cells.
    answers : tuple of str
        "1234 (--thousands ,)" and the like.
    """

    name: str
    example: str
    answers: tuple[str, ...]


def decide(
    columns: dict[str, NDArray[Any]],
    options: ReadingOptions,
    *,
    target: str | None = None,
    delimiter: str = ",",
) -> tuple[list[Column], list[Question]]:
    """Say what each column is.

    Parameters
    ----------
    columns : dict of str to ndarray of object
        The text of each cell.
    options : ReadingOptions
    target : str or None
        The column to predict, which is taken as numbers where nearly all of its cells are.
    delimiter : str, default=","
        Of the file: where commas separate the fields, a point is more likely a decimal sign.

    Returns
    -------
    columns : list of Column
    questions : list of Question
        Of the columns that can be read in two ways; they are read in the first.
    """
    surveys = [
        survey_column(name, cells, options, name == target) for name, cells in columns.items()
    ]
    told = {None: None, True: DAY_FIRST, False: MONTH_FIRST}
    signs = {"number": options.decimal, "date": told[options.day_first]}
    for kind, sign in signs.items():
        alone = (one.readings[0] for one in surveys if (one.kind, len(one.readings)) == (kind, 1))
        signs[kind] = sign or _agreed(reading.shown for reading in alone)
    found, questions = [], []
    for survey in surveys:
        reading, *others = survey.readings
        notes = reading.notes
        if others:
            sign = signs[survey.kind]
            chosen = next((one for one in survey.readings if one.sign == sign), None)
            if chosen is None and survey.kind == "number" and delimiter == ",":
                chosen = _with_fractions(survey)
            if chosen is None:
                questions.append(_ask(survey))
            reading = chosen or reading
            notes = reading.notes
            if survey.kind == "date":
                notes += (f"read with the {reading.sign}, as other columns are",)
            elif sign is None and reading.option.startswith("--decimal"):
                notes += ("points are decimal signs, as the commas between fields say",)
        found.append(_column(survey, reading, notes))
    return found, questions


def _agreed(shown: Iterable[str]) -> str | None:
    """What all columns that show it agree on."""
    found = set(shown) - {""}
    return found.pop() if len(found) == 1 else None


def _with_fractions(survey: Survey) -> Reading | None:
    """The reading by a decimal point, where every number has three digits after a point."""
    point = survey.readings[0]
    texts = [survey.texts[k] for k in survey.known[point.fits]]
    return point if point.option == "--decimal ." and all("." in text for text in texts) else None


def _ask(survey: Survey) -> Question:
    first, second = survey.readings[:2]
    differ = first.values != second.values
    both = differ & first.fits & second.fits
    k = int(np.flatnonzero(both if both.any() else differ)[0])
    answers = [f"{_shown(one.values[k])} ({one.option})" for one in (first, second)]
    return Question(survey.name, survey.texts[survey.known[k]], tuple(answers))


def _shown(value: Any) -> str:
    if isinstance(value, np.datetime64):
        return str(np.datetime_as_string(value, "D"))
    return f"{value:.15g}"


def _column(survey: Survey, reading: Reading, notes: tuple[str, ...]) -> Column:
    known, texts = survey.known, survey.texts
    dtype = reading.values.dtype
    nothing = {"f": np.nan, "M": np.datetime64("NaT"), "O": None}[dtype.kind]
    values = np.full(len(texts), nothing, dtype=dtype)
    values[known] = reading.values
    if nothing is None:
        values[list(survey.missing)] = None
    example = ""
    if survey.kind == "number" and notes:
        k = max(np.flatnonzero(reading.fits), key=lambda k: len(texts[known[k]]))
        example = f"{texts[known[k]]} is {_shown(reading.values[k])}"
    missing = {
        texts[k]: int(survey.counts[k])
        for k in [*np.flatnonzero(survey.absent), *survey.missing]
        if texts[k]
    }
    stray = np.flatnonzero(np.isin(survey.rows, survey.stray))
    return Column(
        survey.name,
        survey.kind,
        values[survey.rows],
        notes,
        missing,
        tuple(int(row) for row in stray),
        example,
    )
