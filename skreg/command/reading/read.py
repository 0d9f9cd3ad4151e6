"""From a file to a `Table`: the columns that can be features, and what is said of the others."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...report.contents import Caution, some
from ...report.ids_and_sentinels import (
    all_different,
    are_known,
    date_caution,
    id_cautions,
    ids_among_numbers,
    sentinel_cautions,
    sentinels,
)
from ..table import MOST_CATEGORIES, Table, TableError, mixed_preprocessing
from .dates import date_parts
from .file import Cells, read_cells
from .kinds import Column, Question, decide
from .options import ReadingOptions
from .target import check_name, check_names, find_target, labels

LARGEST = 1e150  # its square is still a finite number
MISTAKES = "The file may have mistakes"


def read_table(
    file: str | Path,
    target: str | None,
    task: str = "regression",
    options: ReadingOptions = ReadingOptions(),  # noqa: B008 -- it is frozen
) -> Table:
    """Read a delimited text file.

    Parameters
    ----------
    file : str or path
        Text; fields separated by commas, semicolons, tabs or bars.
    target : str or None
        The column to predict.
    task : {"regression", "classification", "auto"}, default="regression"
        Whether the target holds numbers or classes; "auto" takes text, and numbers of which there
        are two, as classes.
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
    target = check_name(cells, target)
    given = {"drop": options.drop, "text": options.text, "number": options.number}
    given["time"] = () if options.time is None else (options.time,)
    given["missing"] = tuple(one.partition("=")[0] for one in options.missing if "=" in one)
    for option, names in given.items():
        check_names(cells, names, f"--{option}")
        if target in names and option in ("drop", "time"):
            raise TableError(f"--{option} has the target {target!r}: name another column")
    wanted = {name: text for name, text in cells.columns.items() if name not in options.drop}
    columns, questions = decide(wanted, options, target=target, delimiter=cells.delimiter)
    _ask(cells, questions)
    by_name = {column.name: column for column in columns}
    if task == "regression" and by_name[target].kind == "code" and target not in options.text:
        numeric = replace(options, number=(target,))
        by_name[target] = decide({target: wanted[target]}, numeric)[0][0]
    for column in by_name.values():
        _check_size(cells, column)
    features = [column for column in columns if column.name != target]
    y, classes, about_target = find_target(cells, by_name[target], features, task)

    known = are_known(y)
    notes = [*cells.notes, *_of_columns(columns), *_of_missing(columns), *about_target]
    if not known.all():
        notes.append(f"left out {np.sum(~known)} of {len(y)} rows, which have no {target!r}")
    rows = np.flatnonzero(known)
    times = None
    if options.time is not None:
        rows, times = _in_order(cells.file, by_name[options.time], rows, notes)
    y, features = y[rows], [replace(one, values=one.values[rows]) for one in features]

    kept, left_out = _features(features, cells.unnamed)
    notes += left_out
    if not kept:
        reasons = "; ".join(notes) or "it is the only column"
        raise TableError(f"{cells.file} has no usable feature beside {target!r}: {reasons}")
    cautions = [*_mistakes(cells, features), *_cautions_of(kept, features, target, y, options.time)]
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


def _ask(cells: Cells, questions: Sequence[Question]) -> None:
    """Refuse to guess between two readings of a column."""
    if not questions:
        return
    first = questions[0]
    more = ""
    if len(questions) > 1:
        more = f"; so can cells of {some(question.name for question in questions[1:])}"
    raise TableError(
        f"{first.example!r} in column {first.name!r} of {cells.file} can be read as"
        f" {' or as '.join(first.answers)}, and nothing else in the file tells: say which{more}"
    )


def _check_size(cells: Cells, column: Column) -> None:
    if column.kind != "number":
        return
    large = np.flatnonzero(np.abs(column.values) > LARGEST)
    if large.size:
        raise TableError(
            f"{cells.file}, line {cells.line(int(large[0]))}: {column.name!r} is infinite or too"
            " large; correct the value or leave it blank"
        )


def _of_columns(columns: Sequence[Column]) -> list[str]:
    """What was read otherwise than a computer writes it, one line for all columns of a kind."""
    alike: dict[str, list[Column]] = {}
    for column in columns:
        for note in column.notes:
            alike.setdefault(note, []).append(column)
    return [
        f"{some(one.name for one in found)}: {note}"
        + (f" ({found[0].example})" if found[0].example else "")
        for note, found in alike.items()
    ]


def _of_missing(columns: Sequence[Column]) -> list[str]:
    codes: dict[str, list[Column]] = {}
    for column in columns:
        for code in column.missing:
            codes.setdefault(code, []).append(column)
    said = []
    for code, found in codes.items():
        count = sum(column.missing[code] for column in found)
        said.append(
            f"{code!r} ({count:,} cell{'s' * (count > 1)} of {some(one.name for one in found)})"
        )
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
    absent = np.isnat(values) if values.dtype.kind == "M" else np.isnan(values)
    if absent.any():
        many = int(absent.sum())
        have = "rows, which have" if many > 1 else "row, which has"
        notes.append(f"left out {many} {have} no {column.name!r}")
    rows, values = rows[~absent], values[~absent]
    order = np.argsort(values, kind="stable")
    return rows[order], np.unique(values[order], return_inverse=True)[1]


def _features(
    columns: Sequence[Column], unnamed: frozenset[str]
) -> tuple[dict[str, NDArray[Any]], list[str]]:
    """The columns that can be features, dates in parts, and what is left out or pooled."""
    kept: dict[str, NDArray[Any]] = {}
    notes: list[str] = []
    useless: dict[str, list[str]] = {}
    for column in columns:
        reason = _useless(column, column.name in unnamed)
        if reason:
            useless.setdefault(reason, []).append(column.name)
        elif column.kind == "date":
            parts = date_parts(column.name, column.values)
            kept |= parts
            known = column.values[~np.isnat(column.values)]
            ends = [np.datetime_as_string(end, "D") for end in (known.min(), known.max())]
            notes.append(
                f"{column.name!r} is a date, from {ends[0]} to {ends[1]}; its features are"
                f" {some(parts)}"
            )
        else:
            kept[column.name] = column.values
            n_kinds = len(set(column.values) - {None}) if column.values.dtype == object else 0
            if n_kinds > MOST_CATEGORIES:
                notes.append(
                    f"{column.name!r} has {n_kinds:,} different texts: the rarer ones are taken"
                    f" together, so that {MOST_CATEGORIES} are left"
                )
    left_out = [f"left out for {reason}: {some(names)}" for reason, names in useless.items()]
    return kept, [*notes, *left_out]


def _useless(column: Column, unnamed: bool) -> str | None:
    """Why a column can be left out for what it is, whatever the target."""
    values = column.values
    if unnamed:
        return "having no name, as row numbers do"
    present = values[are_known(values)].tolist()
    if not present:
        return "having no values"
    distinct = len(set(present))
    if distinct == 1 and len(present) == len(values):
        return "having the same value in every row"
    if column.kind == "date" and distinct == 1:
        return "having one date"
    if values.dtype == object and all_different(values):
        every = "every row" if distinct == len(present) else "nearly every row"
        return f"being text that differs in {every}"
    return None


def _mistakes(cells: Cells, columns: Sequence[Column]) -> list[Caution]:
    said = []
    for column in columns:
        if not column.stray:
            continue
        text, many = cells.columns[column.name], len(column.stray)
        first = column.stray[0]
        n_known = sum(map(bool, text))
        what = {"date": "date", "number": "number"}.get(column.kind, "number like the others")
        share = f"{many} of its {n_known} cells {'is' if many == 1 else 'are'} not a {what}"
        where = f"such as {text[first]!r} in line {cells.line(first)}"
        them = "it" if many == 1 else "them"
        if column.kind in ("number", "date"):
            said.append(
                f"{column.name!r} is taken as {column.kind}s, but {share} ({where}) and taken as"
                f" missing: correct {them}."
            )
        else:
            said.append(
                f"{column.name!r} is taken as text: {share} ({where}); correct {them} or leave"
                f" {them} blank to have a numeric column."
            )
    return [Caution(MISTAKES, "\n".join(said), serious=True)] if said else []


def _cautions_of(
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
    found = sentinels(measured)
    cautions = sentinel_cautions(found, "--missing {value} takes it as missing")
    # A column with separators or a unit is written for people, as no id is.
    written = {one.name for one in features if one.notes}
    plain = {name: values for name, values in kept.items() if name not in written}
    ids = ids_among_numbers(plain)
    cautions += id_cautions(ids, "--drop leaves out such a column, --text takes it as categories")
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
