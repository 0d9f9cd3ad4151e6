"""What to know before the report is handed in, in words: about the data."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import skew

from .columns import Columns
from .contents import Caution, Glance
from .leakage import suspects
from .wording import listing, number, percent

LISTED = 5  # names in a sentence
MANY_MISSING = 0.3  # of a column
FEW_ROWS = 20  # of a class
FEW_HELD_OUT = 10  # rows of a fold
LARGEST_SHARE = 0.9  # of a class
SKEWED = 2.0
MANY_COPIES, SOME_COPIES = 0.05, 0.01  # of the rows
MOST_CELLS = 5e7  # of a table whose rows are compared


def data_cautions(
    table: Columns,
    y: NDArray[np.generic],
    seen: Glance,
    fewest_held_out: int,
    time_is_said: bool = False,
) -> list[Caution]:
    """Cautions about a table and its target, whatever the models.

    Parameters
    ----------
    table : Columns
    y : ndarray of shape (n_samples,)
    seen : Glance
        The same data at a glance.
    fewest_held_out : int
        Rows of the smallest fold.
    time_is_said : bool, default=False
        Whether the folds are in order of time, or another caution says that they are not.

    Returns
    -------
    list of Caution
    """
    found = [
        _leaks(table, y, seen),
        _copies(table, y, seen),
        _rare_class(y, seen),
        _one_class(y, seen),
        _few_held_out(fewest_held_out),
        _missing(seen),
        None if time_is_said else _row_numbers(table),
        _constant(seen),
        _skewed(y, seen),
    ]
    return [caution for caution in found if caution is not None]


def _leaks(table: Columns, y: NDArray[np.generic], seen: Glance) -> Caution | None:
    found = suspects(table, y, seen.task, seen.target)
    if not found:
        return None
    listed = listing([f"{suspect.name} ({suspect.how})" for suspect in found], LISTED)
    return Caution(
        "A feature predicts the target almost perfectly",
        f"Alone, each of these nearly gives {seen.target} away: {listed}. Ask whether"
        " their values are known before the target is. Where they are made from it or recorded"
        " after it, leave them out: the scores would not hold for new rows.",
        serious=True,
    )


def _copies(table: Columns, y: NDArray[np.generic], seen: Glance) -> Caution | None:
    """Rows that are repeated, unless the columns have so few values that they must be."""
    import pandas

    if table.dense is None or seen.n_rows * seen.n_columns > MOST_CELLS:
        return None
    room = sum(np.log(max(column.n_distinct, 1)) for column in seen.columns)
    if room < np.log(100.0 * seen.n_rows):
        return None
    rows = pandas.DataFrame(dict(enumerate([*table.dense, y])), copy=False)
    n_copies = int(rows.duplicated().sum())
    share = n_copies / seen.n_rows
    if share < SOME_COPIES:
        return None
    return Caution(
        "Rows are repeated",
        f"{n_copies:,} of {seen.n_rows:,} rows ({percent(share)}) are copies of others, target"
        " included. Where one copy is trained on and another held out, scores are too good."
        " Leave copies out, or keep them in one fold (in Python, by a splitter as cv).",
        serious=share >= MANY_COPIES,
    )


def _rare_class(y: NDArray[np.generic], seen: Glance) -> Caution | None:
    if seen.task == "regression":
        return None
    classes, counts = np.unique(y, return_counts=True)
    rare = np.flatnonzero(counts < FEW_ROWS)
    if not rare.size:
        return None
    listed = listing([f"{classes[k]} ({counts[k]})" for k in rare], LISTED)
    return Caution(
        "A class has few rows",
        f"Fewer than {FEW_ROWS} rows: {listed}. What is said about such a class rests on a"
        " few cases. Collect more, or merge it with another where that makes sense.",
    )


def _one_class(y: NDArray[np.generic], seen: Glance) -> Caution | None:
    if seen.task == "regression":
        return None
    classes, counts = np.unique(y, return_counts=True)
    share = counts.max() / counts.sum()
    if share < LARGEST_SHARE:
        return None
    return Caution(
        "Accuracy says little",
        f"{percent(share)} of the rows are of the class {classes[counts.argmax()]}: who always says"
        " so is right that often. Read the balanced accuracy.",
    )


def _few_held_out(fewest: int) -> Caution | None:
    if fewest >= FEW_HELD_OUT:
        return None
    return Caution(
        "Folds hold out few rows",
        f"A fold holds out {fewest} row{'s' if fewest > 1 else ''}, so that scores vary much from"
        " fold to fold. Read the standard errors; fewer folds, or more rows, would make them"
        " smaller.",
    )


def _missing(seen: Glance) -> Caution | None:
    gone = [column for column in seen.columns if column.n_missing > MANY_MISSING * seen.n_rows]
    if not gone:
        return None
    gone.sort(key=lambda column: -column.n_missing)
    listed = listing(
        [f"{column.name} ({percent(column.n_missing / seen.n_rows)})" for column in gone], LISTED
    )
    return Caution(
        "Columns have many missing values",
        f"More than {percent(MANY_MISSING)} are missing: {listed}. What fills the gaps then says"
        " more than the values. Ask why they are missing; consider leaving the columns out.",
    )


def _row_numbers(table: Columns) -> Caution | None:
    """Columns of whole numbers that rise, or fall, from row to row."""
    if table.dense is None or table.n_rows < FEW_ROWS:
        return None
    found = []
    for j in table.numeric:
        if not np.isfinite(table.dense[j]).all():
            continue
        steps = np.diff(table.dense[j])
        if (np.all(steps > 0) or np.all(steps < 0)) and np.all(steps == np.round(steps)):
            found.append(table.names[j])
    if not found:
        return None
    return Caution(
        "A column may number the rows",
        f"From row to row, {listing(found, LISTED)} always changes in one direction, by whole"
        " numbers. If it only numbers the rows, leave it out. If it is time, hold out the latest"
        " rows (--time NAME; in Python, cv=TimeSeriesSplit()): shuffled folds predict the past from"
        " the future.",
    )


def _constant(seen: Glance) -> Caution | None:
    if not seen.constant:
        return None
    many = len(seen.constant) > 1
    return Caution(
        "Columns have one value" if many else "A column has one value",
        f"{listing(seen.constant, LISTED)}: {'they say' if many else 'it says'} nothing about the"
        f" target. Leave {'them' if many else 'it'} out.",
    )


def _skewed(y: NDArray[np.generic], seen: Glance) -> Caution | None:
    if seen.task == "classification":
        return None
    values = y.astype(float)
    lean = float(skew(values))
    if abs(lean) < SKEWED or len(np.unique(values)) < 3:
        return None
    remedy = (
        "Its logarithm may be easier to predict."
        if lean > 0 and values.min() > 0
        else "Look at the largest residuals first."
    )
    return Caution(
        "The target is skewed",
        f"{seen.target} has skewness {number(lean)}: a few extreme rows weigh much in squared"
        f" errors. {remedy}",
    )
