"""From a file to a `Table`: the columns that can be features, and what is said of the others."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ...estimators.ready import LARGEST
from ...report.contents import Caution, some
from ...report.ids_and_sentinels import (
    are_known,
    date_caution,
    id_cautions,
    nearly_all,
    sentinel_cautions,
)
from ..table import MOST_CATEGORIES, Table, TableError, mixed_preprocessing
from .dates import date_parts
from .file import Cells, read_cells
from .kinds import Column, decide, shown
from .options import LEFT_TO_THE_FILE, ReadingOptions
from .target import check_names, find_target, labels

MISTAKES = "The file may have mistakes"
Item = TypeVar("Item")


def read_table(
    file: str | Path,
    target: str | None,
    task: str = "regression",
    options: ReadingOptions = LEFT_TO_THE_FILE,
) -> Table:
    """Read a delimited text file.

    Parameters
    ----------
    file : str or path
        Text; fields separated by commas, semicolons, tabs or bars.
    target : str or None
        The column to predict.
    task : {"regression", "classification", "text", "auto"}, default="regression"
        Whether the target holds numbers or classes; "text" takes text as classes, "auto" numbers of
        which there are two as well.
    options : ReadingOptions
        What the file does not say itself.

    Returns
    -------
    Table
        Rows without a target and columns that can say nothing are left out, with a note for each.

    Raises
    ------
    TableError
        If the file or the target cannot be used, or a column can be read in two ways; the message
        is one line.
    """
    cells = read_cells(Path(file), options)
    target = check_names(cells, target, options)
    wanted = "regression" if task == "text" else task
    by_name = {column.name: column for column in decide(cells, options, target, wanted)}
    columns = list(by_name.values())
    for column in columns:
        check_size(cells, column)
    features = [column for column in columns if column.name != target]
    mistakes = mistakes_in(cells, features)
    y, classes, about_target = find_target(cells, by_name[target], features, task)

    known = are_known(y)
    notes = [*cells.notes, *about_columns(cells, columns), *about_missing(columns), *about_target]
    if not known.all():
        notes.append(f"left out {np.sum(~known)} of {len(y)} rows, which have no {target!r}")
    rows = np.flatnonzero(known)
    times = None
    if options.time is not None:
        rows, times = _in_order(cells.file, by_name[options.time], rows, notes)
    y, features = y[rows], [replace(one, rows=one.rows[rows]) for one in features]

    kept, left_out = features_of_columns(features, cells.unnamed)
    notes += left_out
    if not kept:
        reasons = "; ".join(note for note in notes if note not in about_target)
        reasons = reasons or "it is the only column"
        raise TableError(f"{cells.file} has no usable feature beside {target!r}: {reasons}")
    cautions = [*mistakes, *cautions_of(kept, features, target, y, options.time)]
    ordered = "" if options.time is None else f", in order of {options.time}"
    return Table(
        title=f"{cells.file}, target {target}{ordered}",
        X=np.column_stack([values.astype(object) for values in kept.values()]),
        y=labels(y) if classes else y.astype(float),
        columns=tuple(kept),
        preprocessing=mixed_preprocessing([values.dtype == object for values in kept.values()]),
        notes=tuple(notes),
        cautions=tuple(cautions),
        task="classification" if classes else "regression",
        times=times,
    )


def check_size(cells: Cells, column: Column) -> None:
    """Refuse a number whose square may overflow."""
    if column.kind != "number":
        return
    large = np.flatnonzero(np.abs(column.values) > LARGEST)
    if large.size:
        raise TableError(
            f"{cells.file}, {cells.place(column.name, large[0])}: {column.name!r} is infinite or"
            " too large; correct the value or leave it blank"
        )


def _grouped(pairs: Iterable[tuple[str, Item]]) -> dict[str, list[Item]]:
    """What is said, with all that it is said of."""
    groups: dict[str, list[Item]] = {}
    for said, item in pairs:
        groups.setdefault(said, []).append(item)
    return groups


def about_columns(cells: Cells, columns: Sequence[Column]) -> list[str]:
    """What was read otherwise than a computer writes it, one line for all columns of a kind."""
    notes = []
    for note, found in _grouped(
        (note, one) for one in columns for note in one.readings[0].notes
    ).items():
        example, values = "", found[0].values
        if found[0].kind == "number":
            texts = cells.columns[found[0].name]
            k = max(np.flatnonzero(are_known(values)), key=lambda k: len(texts[k]))
            example = f" ({texts[k]} is {shown(values[k])})"
        notes.append(f"{some(one.name for one in found)}: {note}{example}")
    return notes


def about_missing(columns: Sequence[Column]) -> list[str]:
    """What cells were taken as missing, and how many."""
    said = []
    for code, found in _grouped((code, one) for one in columns for code in one.missing).items():
        count = sum(column.missing[code] for column in found)
        cells = f"{count:,} cell{'s' * (count > 1)} of {some(one.name for one in found)}"
        said.append(f"{code!r} ({cells})")
    return [f"taken as missing: {', '.join(said)}"] if said else []


def _in_order(
    file: str, column: Column, rows: NDArray[np.intp], notes: list[str]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows by time, and the rank of each one's time; those without a time are left out."""
    values = column.values[rows]
    if values.dtype == object:
        raise TableError(
            f"--time {column.name!r}: the column of {file} holds neither dates nor numbers (such"
            f" as {next((value for value in values if value is not None), '')!r})"
        )
    known = are_known(values)
    many = int(np.sum(~known))
    if many:
        have = "rows, which have" if many > 1 else "row, which has"
        notes.append(f"left out {many} {have} no {column.name!r}")
    rows, values = rows[known], values[known]
    order = np.argsort(values, kind="stable")
    return rows[order], np.unique(values[order], return_inverse=True)[1]


def features_of_columns(
    columns: Sequence[Column], unnamed: frozenset[str]
) -> tuple[dict[str, NDArray[Any]], list[str]]:
    """The columns that can be features, dates in parts, and what is left out or pooled."""
    kept: dict[str, NDArray[Any]] = {}
    notes, useless = [], []
    for column in columns:
        reason = _useless(column, column.name in unnamed)
        if reason:
            useless.append((reason, column.name))
        elif column.kind == "date":
            parts = date_parts(column.name, column.values)
            kept |= parts
            known = column.values[are_known(column.values)]
            notes.append(
                f"{column.name!r} is a date, from {shown(known.min())} to {shown(known.max())}; its"
                f" features are {some(parts)}"
            )
        else:
            kept[column.name] = column.values
            n_kinds = len(set(column.values) - {None}) if column.values.dtype == object else 0
            if n_kinds > MOST_CATEGORIES:
                notes.append(
                    f"{column.name!r} has {n_kinds:,} different texts: the rarer ones are taken"
                    f" together, so that {MOST_CATEGORIES} are left"
                )
    for reason, names in _grouped(useless).items():
        notes.append(f"left out for {reason}: {some(names)}")
    return kept, notes


def _useless(column: Column, unnamed: bool) -> str | None:
    """Why a column can be left out for what it is, whatever the target."""
    distinct, n_present, n_rows = column.variety
    every = "every" if distinct == n_present else "nearly every"
    is_text = column.of_texts.dtype == object
    reasons = {
        "having no name, as row numbers do": unnamed,
        "having no values": not n_present,
        "having the same value in every row": distinct == 1 and n_present == n_rows,
        "having one date": distinct == 1 and column.kind == "date",
        f"being text that differs in {every} row": is_text and nearly_all(distinct, n_present),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def mistakes_in(cells: Cells, columns: Sequence[Column]) -> list[Caution]:
    """A caution of cells that look like mistakes, where there are some."""
    said = []
    for column in columns:
        if not column.stray:
            continue
        text, first = cells.columns[column.name], column.stray[0]
        many = int(column.counts[column.mistakes].sum())
        n_cells = int(column.counts[column.texts != ""].sum())
        taken = column.kind in ("number", "date")
        what = column.kind if taken else "number like the others"
        are = "is" if many == 1 else "are"
        share = f"{many} of its {n_cells} cells {are} not a {what}"
        where = f"such as {text[first]!r} in {cells.place(column.name, first)}"
        them = "it" if many == 1 else "them"
        said.append(
            f"{column.name!r} is taken as {column.kind}s, but {share} ({where}) and taken as"
            f" missing: correct {them}."
            if taken
            else f"{column.name!r} is taken as text: {share} ({where}); correct {them} or leave"
            f" {them} blank to have a numeric column."
        )
    return [Caution(MISTAKES, "\n".join(said), serious=True)] if said else []


def cautions_of(
    kept: dict[str, NDArray[Any]],
    features: Sequence[Column],
    target: str,
    y: NDArray[Any],
    time: str | None,
) -> list[Caution]:
    """What may be no feature, in the words of the command."""
    measured = dict(kept)
    if y.dtype.kind == "f":
        measured[target] = y
    cautions = sentinel_cautions(measured, "--missing {value} takes it as missing")
    # A column with separators or a unit is written for people, as no id is.
    written = {one.name for one in features if one.readings[0].notes}
    plain = {name: values for name, values in kept.items() if name not in written}
    cautions += id_cautions(plain, "--drop leaves out such a column, --text takes it as categories")
    codes = [one.name for one in features if one.kind == "code" and one.name in kept]
    if codes:
        several = len(codes) > 1
        cautions.append(
            Caution(
                "Columns hold codes" if several else "A column holds codes",
                f"{some(codes)} {'hold' if several else 'holds'} whole numbers of which some begin"
                " with 0 or have more digits than a number keeps, taken as categories; --number"
                " takes such a column as numbers, --drop leaves it out.",
            )
        )
    dates = [one.name for one in features if one.kind == "date"]
    if dates and time is None:
        cautions.append(date_caution(dates, f"--time {shlex.quote(dates[0])} does so"))
    return cautions
