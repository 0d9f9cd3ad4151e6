"""What to know before the report is handed in, in words: about the data."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.stats import skew

from .columns import Columns
from .contents import Caution, Glance
from .leakage import suspects
from .wording import LISTED, listing, numeral, percent

MANY_MISSING = 0.3  # of a column
FEW_OF_A_CLASS = 20  # of a class
FEW_HELD_OUT = 10  # rows of a fold
LARGEST_SHARE = 0.9  # of a class
SKEWED = 2.0
MANY_COPIES, SOME_COPIES = 0.05, 0.01  # of the rows
MOST_COMPARED = 5e7  # of a table whose rows are compared


def data_cautions(
    table: Columns,
    y: NDArray[np.generic],
    seen: Glance,
    fewest_held_out: int,
    time_is_said: bool = False,
    squared_errors: bool = True,
) -> Iterator[Caution]:
    """Cautions about a table and its target.

    `seen` are the same data at a glance; `time_is_said` where the folds are in order of time, or
    another caution says that they are not; `squared_errors` where a model minimises these.
    """
    if leaks := suspects(table, y, seen.task, seen.target):
        listed = listing([f"{name} ({how})" for name, how, _ in leaks], LISTED)
        yield Caution(
            "A feature predicts the target almost perfectly",
            f"Alone, each of these nearly gives {seen.target} away: {listed}. Ask whether"
            " their values are known before the target is. Where they are made from it or recorded"
            " after it, leave them out: the scores would not hold for new rows.",
            serious=True,
        )
    n_copies = _copies(table, y, seen)
    if n_copies >= SOME_COPIES * seen.n_rows:
        share = n_copies / seen.n_rows
        yield Caution(
            "Rows are repeated",
            f"{n_copies:,} of {seen.n_rows:,} rows ({percent(share)}) are copies of others, target"
            " included. Where one copy is trained on and another held out, scores are too good."
            " Leave copies out, or keep them in one fold (in Python, by a splitter as cv).",
            serious=share >= MANY_COPIES,
        )
    if seen.task == "classification":
        yield from _of_classes(y)
    if fewest_held_out < FEW_HELD_OUT:
        yield Caution(
            "Folds hold out few rows",
            f"A fold holds out {fewest_held_out} row{'s' * (fewest_held_out > 1)}, so that scores"
            " vary much from fold to fold. Read the standard errors; fewer folds, or more rows,"
            " would make them smaller.",
        )
    gone = [column for column in seen.columns if column.n_missing > MANY_MISSING * seen.n_rows]
    if gone:
        gone.sort(key=lambda column: -column.n_missing)
        shares = [f"{column.name} ({percent(column.n_missing / seen.n_rows)})" for column in gone]
        yield Caution(
            "Columns have many missing values",
            f"More than {percent(MANY_MISSING)} are missing: {listing(shares, LISTED)}. What fills"
            " the gaps then says more than the values. Ask why they are missing; consider leaving"
            " the columns out.",
        )
    if not time_is_said and (numbered := _row_numbers(table)):
        yield Caution(
            "A column may number the rows",
            f"From row to row, {listing(numbered, LISTED)} always changes in one direction, by"
            " whole numbers. If it only numbers the rows, leave it out. If it is time, hold out the"
            " latest rows (--time NAME; in Python, cv=TimeSeriesSplit()): shuffled folds predict"
            " the past from the future.",
        )
    if seen.constant:
        many = len(seen.constant) > 1
        yield Caution(
            "Columns have one value" if many else "A column has one value",
            f"{listing(seen.constant, LISTED)}: {'they say' if many else 'it says'} nothing about"
            f" the target. Leave {'them' if many else 'it'} out.",
        )
    if seen.task == "regression" and squared_errors:
        yield from _skewed(y.astype(float), seen.target)


def _copies(table: Columns, y: NDArray[np.generic], seen: Glance) -> int:
    """Rows that are repeated, unless the columns have so few values that they must be."""
    import pandas

    if table.dense is None or seen.n_rows * seen.n_columns > MOST_COMPARED:
        return 0
    if sum(np.log(max(column.n_distinct, 1)) for column in seen.columns) < np.log(
        100.0 * seen.n_rows
    ):
        return 0
    rows = pandas.DataFrame(dict(enumerate([*table.dense, y])), copy=False)
    return int(rows.duplicated().sum())


def _of_classes(y: NDArray[np.generic]) -> Iterator[Caution]:
    classes, counts = np.unique(y, return_counts=True)
    rare = [f"{classes[k]} ({counts[k]})" for k in np.flatnonzero(counts < FEW_OF_A_CLASS)]
    if rare:
        yield Caution(
            "A class has few rows",
            f"Fewer than {FEW_OF_A_CLASS} rows: {listing(rare, LISTED)}. What is said about such a"
            " class rests on a few cases. Collect more, or merge it with another where that makes"
            " sense.",
        )
    share = counts.max() / counts.sum()
    if share >= LARGEST_SHARE:
        yield Caution(
            "Accuracy says little",
            f"{percent(share)} of the rows are of the class {classes[counts.argmax()]}: who always"
            " says so is right that often. Read the balanced accuracy.",
        )


def _row_numbers(table: Columns) -> list[str]:
    """Columns of whole numbers that rise, or fall, from row to row."""
    if table.dense is None or table.n_rows < FEW_OF_A_CLASS:
        return []
    found = []
    for j in table.numeric:
        with np.errstate(invalid="ignore"):  # of infinite ones
            steps = np.diff(table.dense[j])
        one_way = np.all(steps > 0) or np.all(steps < 0)
        if one_way and np.isfinite(steps).all() and np.all(steps == np.round(steps)):
            found.append(table.names[j])
    return found


def _skewed(y: NDArray[np.float64], target: str) -> Iterator[Caution]:
    lean = float(skew(y))
    if abs(lean) >= SKEWED and len(np.unique(y)) > 2:
        remedy = "Look at the largest residuals first."
        if lean > 0 and y.min() > 0:
            remedy = "Its logarithm may be easier to predict."
        yield Caution(
            "The target is skewed",
            f"{target} has skewness {numeral(lean)}: a few extreme rows weigh much in squared"
            f" errors. {remedy}",
        )
