"""The column to predict: numbers or classes, and what cannot be predicted."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...report.contents import some
from ...report.ids_and_sentinels import are_known
from ..table import TableError
from .file import Cells
from .kinds import FEW_NUMBERS, LONGEST_NUMBER, Column
from .numbers import plain_number
from .options import ReadingOptions

Values = NDArray[Any]


def check_names(cells: Cells, target: str | None, options: ReadingOptions) -> str:
    """Return the name of the target; refuse names that the file does not have."""
    if target is None:
        raise TableError(
            f"say which column of {cells.file} to predict: --target with {some(cells.columns)}"
        )
    folded = {name.casefold(): name for name in cells.columns}
    given = {
        "": (target,),
        "--drop: ": options.drop,
        "--text: ": options.text,
        "--number: ": options.number,
        "--time: ": () if options.time is None else (options.time,),
        "--missing: ": [one.partition("=")[0] for one in options.missing if "=" in one],
    }
    for said, name in ((said, name) for said, names in given.items() for name in names):
        if name not in cells.columns:
            near = [folded[each] for each in difflib.get_close_matches(name.casefold(), folded)]
            advice = f": did you mean {some(near)}?" if near else f"; it has {some(cells.columns)}"
            raise TableError(f"{said}{cells.file} has no column {name!r}{advice}")
        if name == target and said in ("--drop: ", "--time: "):
            raise TableError(f"{said[:-2]} has the target {target!r}: name another column")
    return target


def find_target(
    cells: Cells, column: Column, others: Sequence[Column], task: str
) -> tuple[Values, bool, list[str]]:
    """Return the target with NaN or None where it is missing, whether it is classes, and notes.

    Raises
    ------
    TableError
        If it is neither, or always the same.
    """
    whose = f"the target {column.name!r} of {cells.file}"
    if column.kind == "date":
        raise TableError(f"{whose} holds dates: choose a column of numbers or classes")
    texts, values = cells.columns[column.name], column.values
    example = texts[column.stray[0]] if column.stray else ""
    notes: list[str] = []
    classes = task == "classification"
    if task == "auto":
        classes = _is_classes(whose, column, example, notes)
    elif task == "text":
        is_text = values.dtype == object and not column.stray
        # Numbers among words may be what is to be predicted.
        classes = is_text and not any(map(plain_number, values[are_known(values)]))
        if not is_text and not column.stray and len(two := _different(values)) == 2:
            notes.append(
                f"{column.name!r} has two values, {two[0]:.15g} and {two[1]:.15g}, which are"
                " taken as numbers; --task classification takes them as classes"
            )
    if not classes and (values.dtype == object or column.stray):
        numeric = [other.name for other in others if other.kind == "number"]
        advice = f"choose a numeric column: {some(numeric)}" if numeric else "no column is numeric"
        if column.stray:
            advice = f"correct them or say --missing {example!r}; or {advice}"
        else:
            present = [value for value in values if value is not None]
            example = next((word for word in present if not plain_number(word)), present[0])
        raise TableError(
            f"{whose} is text (such as {example!r}), not numbers; {advice}; to predict classes:"
            " --task classification"
        )
    too_long = any(text.isdecimal() and len(text) > LONGEST_NUMBER for text in texts)
    if classes and (column.stray or too_long):  # a number among words is a word
        absent = np.flatnonzero(~are_known(values))
        values = texts.copy()
        values[np.setdiff1d(absent, column.stray)] = None
    kinds = set(values[are_known(values)])
    if not kinds:
        raise TableError(f"{whose} has no values: choose another column")
    if len(kinds) == 1:
        only = kinds.pop()
        said = f"{only:.15g}" if isinstance(only, float) else only
        raise TableError(f"{whose} is always {said}: choose another")
    return values, classes, notes


def _is_classes(whose: str, column: Column, example: str, notes: list[str]) -> bool:
    """Whether the target holds classes; a note where another reader might see it otherwise."""
    if column.stray:
        n_known = int(are_known(column.values).sum())
        n_known += len(column.stray) * (column.kind == "number")
        raise TableError(
            f"{whose} is numeric but for {len(column.stray)} of its {n_known} cells (such as"
            f" {example!r}): correct them, say --missing {example!r}, or say --task classification"
        )
    if column.values.dtype == object:
        return True
    kinds = _different(column.values)
    if len(kinds) == 2:
        notes.append(
            f"{column.name!r} has two values, {kinds[0]:.15g} and {kinds[1]:.15g}, which are taken"
            " as classes; --task regression takes them as numbers"
        )
    elif 2 < len(kinds) <= FEW_NUMBERS and np.all(kinds == np.round(kinds)):
        notes.append(
            f"{column.name!r} has {len(kinds)} different values, which are taken as numbers; --task"
            " classification takes them as classes"
        )
    return len(kinds) == 2


def _different(values: Values) -> Values:
    return np.unique(values[~np.isnan(values)])


def labels(y: Values) -> Values:
    """Classes as text, or as whole numbers where they are such, so that 10 follows 9."""
    if y.dtype == object:
        return y.astype(str)
    if np.all((y == np.round(y)) & (np.abs(y) < 2**53)):
        return y.astype(int)
    return np.array([f"{value:.15g}" for value in y])
