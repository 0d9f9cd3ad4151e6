"""One column by itself: every way to read its cells that fits all of them.

Cells that stand for a missing value may be among them, and a few that look like mistakes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .dates import clock_hours, date_readings
from .numbers import (
    DASHES,
    Reading,
    is_float,
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


@dataclass(frozen=True)
class Survey:
    """The different cells of a column, and the ways to read them.

    Parameters
    ----------
    name : str
    texts : list of str
        The different cells.
    rows : ndarray of int
        The position of each row's text.
    counts : ndarray of int
        How many rows each text has.
    absent : ndarray of bool
        Which texts stand for a missing value, whatever the column holds.
    known : ndarray of int
        The texts that the readings are of.
    kind : {"number", "date", "clock", "code", "category"}
        As in `kinds.Column`.
    readings : tuple of Reading
        One; two where the values differ.
    missing : tuple of int
        Texts that stand for a missing value among the others of the column.
    stray : tuple of int
        Texts that are no numbers where nearly all others are.
    """

    name: str
    texts: list[str]
    rows: NDArray[np.intp]
    counts: NDArray[np.intp]
    absent: NDArray[np.bool_]
    known: NDArray[np.intp]
    kind: Kind
    readings: tuple[Reading, ...]
    missing: tuple[int, ...] = ()
    stray: tuple[int, ...] = ()


def survey_column(name: str, cells: NDArray[Any], options: ReadingOptions, wanted: bool) -> Survey:
    """Find the ways to read a column.

    Parameters
    ----------
    name : str
    cells : ndarray of object
        The text of each row.
    options : ReadingOptions
    wanted : bool
        Whether the column is to hold numbers: it is taken so where nearly all cells are.

    Returns
    -------
    Survey
    """
    import pandas

    rows, unique = pandas.factorize(cells)
    texts = [str(text) for text in unique]
    counts = np.bincount(rows, minlength=len(texts))
    told = _told(name, options.missing)
    absent = np.array([is_missing(text) or _is_told(text, told) for text in texts], dtype=bool)
    known = np.flatnonzero(~absent)
    words = [texts[k] for k in known]
    as_text = (Reading(np.array(words, dtype=object)),)
    plain = Survey(name, texts, rows, counts, absent, known, "category", as_text)
    if name in options.text:
        return plain
    if not words:  # a column without values, which holds numbers as well as anything
        return replace(plain, kind="number", readings=(Reading(np.array([])),))
    if name not in options.number:
        special = _codes_or_times(plain, wanted)
        if special:
            return special
    readings = number_readings(words, counts[known])
    if not readings:
        return _without_dashes(plain)
    return _among_numbers(plain, readings, wanted or name in options.number)


def _told(name: str, missing: Sequence[str]) -> set[str]:
    """The cells that the user calls missing in a column."""
    here = set()
    for token in missing:
        column, equals, value = token.partition("=")
        if not equals:
            here.add(token)
        elif column == name:
            here.add(value)
    return here


def _is_told(text: str, told: set[str]) -> bool:
    """Whether a cell is one that the user calls missing, as a number too: -999.0 is -999."""
    if text in told:
        return True
    return is_float(text) and float(text) in [float(each) for each in told if is_float(each)]


def _codes_or_times(plain: Survey, wanted: bool) -> Survey | None:
    """What looks like numbers and is not, or does not and is measured: codes, dates, clocks."""
    missing = tuple(int(k) for k in plain.known if is_missing_number(plain.texts[k]))
    left = np.setdiff1d(plain.known, np.array(missing, dtype=np.intp))
    texts = [plain.texts[k] for k in left]
    if not texts:
        return None
    longest = np.inf if wanted else LONGEST_NUMBER  # a sum of money to predict may be long
    if all(text.isdecimal() for text in texts) and any(
        (text[0] == "0" and len(text) > 1) or len(text) > longest for text in texts
    ):
        return replace(plain, kind="code", missing=missing)
    found = replace(plain, known=left, missing=missing)
    dates = date_readings(texts)
    if dates:
        stray = tuple(map(int, left[~dates[0].fits]))
        return replace(found, kind="date", readings=tuple(dates), stray=stray)
    hours = clock_hours(texts)
    if hours is None:
        return None
    clock = Reading(hours, notes=("times of day or durations, in hours",))
    return replace(found, kind="clock", readings=(clock,))


def _without_dashes(plain: Survey) -> Survey:
    """Categories; a dash among words is no category, but it is beside a plus."""
    dashes = tuple(int(k) for k in plain.known if plain.texts[k] in DASHES)
    words = any(any(letter.isalnum() for letter in plain.texts[k]) for k in plain.known)
    return replace(plain, missing=dashes if words else ())


def _among_numbers(plain: Survey, readings: list[Reading], wanted: bool) -> Survey:
    """Numbers, or categories of which some look like numbers."""
    fits, texts, known = readings[0].fits, plain.texts, plain.known
    values = readings[0].values
    others = [k for k, fit in zip(known, fits, strict=True) if not fit]
    unknown = [k for k in others if not is_missing_number(texts[k])]
    n_unknown, n_known = plain.counts[unknown].sum(), plain.counts[known].sum()
    few_numbers = len(np.unique(values[fits])) <= FEW_NUMBERS
    words = (
        0 < len(unknown) <= FEW_WORDS
        and plain.counts[unknown].min() > 1
        and not any(letter.isdigit() for k in unknown for letter in texts[k])
    )
    numbers = replace(plain, kind="number", readings=tuple(readings))
    if not unknown or (words and not few_numbers):
        return replace(numbers, missing=tuple(others))
    if n_unknown > STRAY * n_known:
        mixed = not few_numbers and (
            n_unknown <= MIXED * n_known or all(looks_measured(texts[k]) for k in unknown)
        )
        return replace(_without_dashes(plain), stray=tuple(unknown) if mixed else ())
    if few_numbers and not wanted:
        return replace(_without_dashes(plain), stray=tuple(unknown))
    missing = tuple(k for k in others if k not in unknown)
    return replace(numbers, missing=missing, stray=tuple(unknown))
