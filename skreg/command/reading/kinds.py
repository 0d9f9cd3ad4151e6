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

from .dates import DAY_FIRST, MONTH_FIRST, DateReading
from .numbers import NumberReading
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
    decimal = options.decimal or _agreed(
        _decimal_sign(one.numbers[0]) for one in surveys if len(one.numbers) == 1
    )
    order = _agreed(one.dates[0].order for one in surveys if len(one.dates) == 1)
    if options.day_first is not None:
        order = DAY_FIRST if options.day_first else MONTH_FIRST
    found, questions = [], []
    for survey in surveys:
        number = next((one for one in survey.numbers if one.decimal == decimal), None)
        when = next((one for one in survey.dates if one.order == order), None)
        asked = None
        if len(survey.numbers) > 1 and number is None:
            number = _with_fractions(survey) if delimiter == "," else None
            asked = None if number else _ask_number(survey)
        if len(survey.dates) > 1 and when is None:
            asked = _ask_date(survey)
        questions += [asked] if asked else []
        found.append(_column(survey, number, when, decimal is not None))
    return found, questions


def _agreed(shown: Iterable[str]) -> str | None:
    """What all columns that show it agree on."""
    found = set(shown) - {""}
    return found.pop() if len(found) == 1 else None


def _with_fractions(survey: Survey) -> NumberReading | None:
    """The reading by a decimal point, where every number has three digits after a point."""
    point = survey.numbers[0]
    texts = [survey.texts[k] for k in survey.known[point.fits]]
    return point if point.thousands == "" and all("." in text for text in texts) else None


def _decimal_sign(reading: NumberReading) -> str:
    """The sign that a column shows: by its fractions, or by a separator that is the other one."""
    if reading.thousands in (",", "."):
        return reading.decimal
    values = reading.values[reading.fits]
    return reading.decimal if np.any(values != np.round(values)) else ""


def _ask_number(survey: Survey) -> Question:
    first, second = survey.numbers
    k = int(np.flatnonzero(first.fits & second.fits & (first.values != second.values))[0])
    answers = [
        f"{one.values[k]:.15g} (--thousands {one.thousands})"
        if one.thousands
        else f"{one.values[k]:.15g} (--decimal {one.decimal})"
        for one in (first, second)
    ]
    return Question(survey.name, survey.texts[survey.known[k]], tuple(answers))


def _ask_date(survey: Survey) -> Question:
    first, second = survey.dates[:2]
    k = int(np.flatnonzero(first.moments != second.moments)[0])
    answers = [
        f"{np.datetime_as_string(one.moments[k], 'D')} (--dates {one.order.replace(' ', '-')})"
        for one in (first, second)
    ]
    return Question(survey.name, survey.texts[survey.known[k]], tuple(answers))


def _column(
    survey: Survey, number: NumberReading | None, when: DateReading | None, sure: bool
) -> Column:
    known = survey.known
    notes: list[str] = []
    example = ""
    values: NDArray[Any]
    if survey.kind == "number":
        reading = number or survey.numbers[0]
        values = np.full(len(survey.texts), np.nan)
        values[known] = reading.values
        notes = _number_notes(survey, reading, sure)
        if notes:
            k = max(np.flatnonzero(reading.fits), key=lambda k: len(survey.texts[known[k]]))
            example = f"{survey.texts[known[k]]} is {reading.values[k]:.15g}"
    elif survey.kind == "date":
        values = np.full(len(survey.texts), np.datetime64("NaT"), dtype="datetime64[s]")
        values[survey.known] = (when or survey.dates[0]).moments
        if len(survey.dates) > 1:
            notes = [f"read with the {(when or survey.dates[0]).order}, as other columns are"]
    elif survey.kind == "clock":
        assert survey.hours is not None  # what made it a clock
        values = np.full(len(survey.texts), np.nan)
        values[survey.known] = survey.hours
        notes = ["times of day or durations, in hours"]
    else:
        values = np.array(survey.texts, dtype=object)
        values[survey.absent] = None
        values[list(survey.missing)] = None
    missing = {
        survey.texts[k]: int(survey.counts[k])
        for k in [*np.flatnonzero(survey.absent), *survey.missing]
        if survey.texts[k]
    }
    stray = np.flatnonzero(np.isin(survey.rows, survey.stray))
    return Column(
        survey.name,
        survey.kind,
        values[survey.rows],
        tuple(notes),
        missing,
        tuple(int(row) for row in stray),
        example,
    )


def _number_notes(survey: Survey, reading: NumberReading, sure: bool) -> list[str]:
    notes = []
    signs = {"'": "apostrophes", " ": "spaces", "_": "underscores", ",": "commas", ".": "points"}
    if reading.thousands:
        notes.append(f"{signs[reading.thousands]} separate thousands")
    if reading.currency:
        notes.append(f"amounts in {reading.currency}")
    if reading.unit == "%":
        notes.append("in percent")
    elif reading.unit:
        notes.append(f"in {reading.unit}")
    if reading.multiples:
        notes.append("K, M and B are thousands, millions and billions")
    if reading.special:
        notes.append("negative numbers are in parentheses or have a printed minus")
    if len(survey.numbers) > 1 and not reading.thousands and not sure:
        notes.append("points are decimal signs, as the commas between fields say")
    return notes
