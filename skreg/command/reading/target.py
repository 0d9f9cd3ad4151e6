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
from .kinds import Column
from .numbers import plain_number
from .survey import FEW_NUMBERS, LONGEST_NUMBER

Values = NDArray[Any]


def check_name(cells: Cells, name: str | None) -> str:
    """Return the name of the target, if the file has it."""
    if name is None:
        raise TableError(
            f"say which column of {cells.file} to predict: --target with {some(cells.names)}"
        )
    check_names(cells, [name])
    return name


def check_names(cells: Cells, names: Sequence[str], option: str = "") -> None:
    """Refuse names that the file does not have."""
    for name in names:
        if name in cells.names:
            continue
        folded = {each.casefold(): each for each in cells.names}
        near = difflib.get_close_matches(name.casefold(), folded, n=3)
        advice = f"did you mean {some(folded[each] for each in near)}?" if near else ""
        joined = f": {advice}" if near else f"; it has {some(cells.names)}"
        said = f"{option}: " if option else ""
        raise TableError(f"{said}{cells.file} has no column {name!r}{joined}")


def find_target(
    cells: Cells, column: Column, others: Sequence[Column], task: str
) -> tuple[Values, bool, list[str]]:
    """Return the target with NaN or None where it is missing, whether it is classes, and notes.

    Raises
    ------
    TableError
        If it is neither, or always the same.
    """
    file, name = cells.file, column.name
    if column.kind == "date":
        raise TableError(
            f"the target {name!r} of {file} holds dates: choose a column of numbers or classes"
        )
    notes: list[str] = []
    classes = _is_classes(file, column, cells, task, notes)
    if not classes:
        return _numbers(file, column, others, cells), False, notes
    values = column.values
    texts = cells.columns[name]
    too_long = any(text.isdecimal() and len(text) > LONGEST_NUMBER for text in texts)
    if column.stray or too_long:  # a number among words is a word
        absent = ~are_known(values)
        values = texts.copy()
        values[np.setdiff1d(np.flatnonzero(absent), column.stray)] = None
    _check_kinds(file, name, list(set(values[are_known(values)])))
    return values, True, notes


def _check_kinds(file: str, name: str, kinds: Sequence[object]) -> None:
    if not kinds:
        raise TableError(f"the target {name!r} of {file} has no values: choose another column")
    if len(kinds) == 1:
        only = kinds[0]
        shown = f"{only:.15g}" if isinstance(only, float) else only
        raise TableError(f"the target {name!r} of {file} is always {shown}: choose another")


def _numbers(file: str, column: Column, others: Sequence[Column], cells: Cells) -> Values:
    if column.values.dtype == object or column.stray:
        numeric = [other.name for other in others if other.kind == "number"]
        text = cells.columns[column.name]
        present = [value for value in column.values if value is not None]
        words = (value for value in present if not plain_number(value))
        example = text[column.stray[0]] if column.stray else next(words, present[0])
        advice = f"choose a numeric column: {some(numeric)}" if numeric else "no column is numeric"
        if column.stray:
            advice = f"correct them or say --missing {example!r}; or {advice}"
        raise TableError(
            f"the target {column.name!r} of {file} is text (such as {example!r}), not numbers;"
            f" {advice}; to predict classes: --report report.html --task classification"
        )
    known = column.values[~np.isnan(column.values)]
    _check_kinds(file, column.name, [float(value) for value in np.unique(known)[:2]])
    return column.values


def _is_classes(file: str, column: Column, cells: Cells, task: str, notes: list[str]) -> bool:
    """Whether the target holds classes; a note where another reader might see it otherwise."""
    name = column.name
    if task != "auto":
        return task == "classification"
    if column.stray:
        example = cells.columns[name][column.stray[0]]
        n_known = int(are_known(column.values).sum())
        n_known += len(column.stray) * (column.kind == "number")
        raise TableError(
            f"the target {name!r} of {file} is numeric but for {len(column.stray)} of its"
            f" {n_known} cells (such as {example!r}): correct them, say --missing {example!r}, or"
            " say --task classification"
        )
    if column.values.dtype == object:
        return True
    kinds = np.unique(column.values[~np.isnan(column.values)])
    if len(kinds) == 2:
        notes.append(
            f"{name!r} has two values, {kinds[0]:.15g} and {kinds[1]:.15g}, which are taken as"
            " classes; --task regression takes them as numbers"
        )
        return True
    if 2 < len(kinds) <= FEW_NUMBERS and np.all(kinds == np.round(kinds)):
        notes.append(
            f"{name!r} has {len(kinds)} different values, which are taken as numbers; --task"
            " classification takes them as classes"
        )
    return False


def labels(y: Values) -> Values:
    """Classes as text, or as whole numbers where they are such, so that 10 follows 9."""
    if y.dtype == object:
        return y.astype(str)
    if np.all((y == np.round(y)) & (np.abs(y) < 2**53)):
        return y.astype(int)
    return np.array([f"{value:.15g}" for value in y])
