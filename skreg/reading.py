"""A delimited text file as a table, with one readable line for whatever is wrong with it.

Python's own `csv` module does the reading: the command needs nothing beyond skreg's requirements.
"""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .table import Table, TableError, mixed_preprocessing

MISSING = {"", ".", "?", "na", "n/a", "#n/a", "nan", "null", "none"}
DELIMITERS = ",;\t|"
FEW_NUMBERS = 10  # different values of a target that might be classes as well
STRAY = 0.2  # share of a column's cells: fewer that are no numbers look like mistakes
# 1,234 or 1,234,567.8; the separator may also be a space, an apostrophe or an underscore.
THOUSANDS = re.compile(r"[+-]?\d{1,3}([, '\u2019\u00a0\u202f_]\d{3})+(\.\d*)?")
LARGEST = 1e150  # its square is still a finite number


class _Cells(NamedTuple):
    """The fields of a file; an unnamed column gets a name, `lines` has the line of each row."""

    names: list[str]
    unnamed: set[str]
    rows: list[list[str]]
    lines: list[int]
    delimiter: str


def read_table(file: str | Path, target: str | None, task: str = "regression") -> Table:
    """Read a delimited text file.

    Parameters
    ----------
    file : str or path
        UTF-8 text with one header line; fields separated by commas, semicolons, tabs or bars.
        Blank fields and NA, NaN, null, None, ? are missing values. A semicolon-separated file may
        have decimal commas.
    target : str or None
        The column to predict.
    task : {"regression", "classification", "auto"}, default="regression"
        Whether the target holds numbers or classes; "auto" takes text, and numbers of which there
        are two, as classes.

    Returns
    -------
    Table
        Rows without a target and columns that can say nothing are left out, with a note for each.

    Raises
    ------
    TableError
        If the file or the target cannot be used; the message is one line.
    """
    name = Path(file).name
    cells = _parse(name, _text(Path(file)))
    _check_target(name, target, cells.names)
    assert target is not None  # for the type checker: _check_target refuses it
    if not cells.rows:
        raise TableError(f"{name} has a header and no rows: add the data below it")

    decimal_comma = cells.delimiter != ","
    columns, warnings = {}, []
    for column, fields in zip(cells.names, zip(*cells.rows, strict=True), strict=True):
        columns[column] = _values(fields, decimal_comma)
        if columns[column].dtype != object and np.any(np.abs(columns[column]) > LARGEST):
            line = cells.lines[int(np.nanargmax(np.abs(columns[column])))]
            raise TableError(
                f"{name}, line {line}: {column!r} is infinite or too large; "
                "correct the value or leave it blank"
            )
        stray = _stray(columns[column], decimal_comma)
        if column != target and stray:
            warnings.append(
                f"{column!r} is taken as text: {len(stray)} of its {len(fields)} cells "
                f"{'is' if len(stray) == 1 else 'are'} not a number (such as {stray[0]!r}); "
                "correct them or leave them blank to have a numeric column"
            )

    notes: list[str] = []
    classes = _is_classes(name, target, columns[target], task, decimal_comma, notes)
    find = _classes if classes else _target_values
    y = find(name, target, columns, decimal_comma)
    known = np.array([value is not None and value == value for value in y])
    if not known.all():
        notes.append(f"left out {np.sum(~known)} of {len(y)} rows, which have no {target!r}")
    features = {column: values[known] for column, values in columns.items() if column != target}
    useless: dict[str, list[str]] = {}
    for column in list(features):
        reason = _useless(features[column], column in cells.unnamed)
        if reason:
            useless.setdefault(reason, []).append(column)
            del features[column]
    notes += [f"left out for {reason}: {_some(names)}" for reason, names in useless.items()]
    if not features:
        reasons = "; ".join(notes) or "it is the only column"
        raise TableError(f"{name} has no usable feature beside {target!r}: {reasons}")

    is_text = [values.dtype == object for values in features.values()]
    return Table(
        title=f"{name}, target {target}",
        X=np.column_stack([values.astype(object) for values in features.values()]),
        y=_labels(y[known]) if classes else y[known],
        columns=tuple(features),
        preprocessing=mixed_preprocessing(is_text),
        notes=tuple(notes),
        warnings=tuple(warnings),
        task="classification" if classes else "regression",
    )


def _text(path: Path) -> str:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        here = path.parent.iterdir() if path.parent.is_dir() else ()
        near = difflib.get_close_matches(path.name, [other.name for other in here], n=3)
        advice = f"did you mean {_some(near)}?" if near else "check the path"
        raise TableError(f"there is no file {str(path)!r}: {advice}") from None
    except IsADirectoryError:
        raise TableError(f"{str(path)!r} is a folder: name a file in it") from None
    except OSError as error:
        raise TableError(f"{str(path)!r} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise TableError(
            f"{path.name} is not UTF-8 text (byte {error.start + 1}): export it as CSV in UTF-8"
        ) from None
    if "\0" in text:
        raise TableError(f"{path.name} is not a text file: export it as CSV in UTF-8")
    if not text.strip():
        raise TableError(f"{path.name} is empty: it needs a header line and rows below it")
    return text


def _parse(file: str, text: str) -> _Cells:
    """Split into fields by the delimiter that splits the header into most."""
    read = partial(csv.reader, skipinitialspace=True)

    def width(delimiter: str) -> int:
        rows = read(io.StringIO(text, newline=""), delimiter=delimiter)
        return len(next((row for row in rows if row), []))

    lines, rows = [], []
    parser = read(io.StringIO(text, newline=""))
    try:
        delimiter = max(DELIMITERS, key=width)
        parser = read(io.StringIO(text, newline=""), delimiter=delimiter)
        for row in parser:
            if row:  # blank lines are no rows
                rows.append(row)
                lines.append(parser.line_num)
    except csv.Error as error:
        raise TableError(f"{file}, line {parser.line_num}: {error}; correct that line") from None
    header = [field.strip() for field in rows.pop(0)]
    del lines[0]
    for row, line in zip(rows, lines, strict=True):
        if len(row) != len(header):
            raise TableError(
                f"{file}, line {line}: {len(row)} fields where the header has {len(header)}; "
                "correct that line"
            )
    names = [field or f"column {position}" for position, field in enumerate(header, start=1)]
    twice = [each for each, count in Counter(names).items() if count > 1]
    if twice:
        raise TableError(f"{file} has more than one column named {_some(twice)}: rename them")
    unnamed = {each for each, field in zip(names, header, strict=True) if not field}
    return _Cells(names, unnamed, rows, lines, delimiter)


def _values(fields: Sequence[str], decimal_comma: bool) -> np.ndarray:
    """Return floats if every field is a number or missing, else text as objects."""
    missing = [field.strip().lower() in MISSING for field in fields]
    for swap in (False, True) if decimal_comma else (False,):
        try:
            return np.array(
                [
                    np.nan if gone else float(field.replace(",", ".") if swap else field)
                    for field, gone in zip(fields, missing, strict=True)
                ]
            )
        except ValueError:
            continue
    return np.array(
        [None if gone else field.strip() for field, gone in zip(fields, missing, strict=True)],
        dtype=object,
    )


def _stray(values: np.ndarray, decimal_comma: bool) -> list[str]:
    """Cells of a text column that are no numbers, if nearly all others are."""
    if values.dtype != object:
        return []
    present = [value for value in values if value is not None]
    stray = [value for value in present if not _is_number(value, decimal_comma)]
    return stray if len(stray) <= STRAY * len(present) else []


def _is_number(text: str, decimal_comma: bool) -> bool:
    return _values([text], decimal_comma).dtype != object


def _check_target(file: str, target: str | None, names: list[str]) -> None:
    if target is None:
        raise TableError(f"say which column of {file} to predict: --target with {_some(names)}")
    if target not in names:
        folded = {name.casefold(): name for name in names}
        near = difflib.get_close_matches(target.casefold(), folded, n=3)
        advice = f"did you mean {_some(folded[each] for each in near)}?" if near else _some(names)
        joint = ": " if near else "; it has "
        raise TableError(f"{file} has no column {target!r}{joint}{advice}")


def _target_values(
    file: str, target: str, columns: dict[str, np.ndarray], decimal_comma: bool
) -> np.ndarray:
    y = columns[target]
    if y.dtype == object:
        numeric = [name for name, values in columns.items() if values.dtype != object]
        present = [value for value in y if value is not None]
        # Where each cell alone is a number, some have a decimal comma and others a point.
        bad = [value for value in present if not _is_number(value, decimal_comma)] or present
        example, thousands = bad[0], [value for value in bad if THOUSANDS.fullmatch(value)]
        if thousands:
            raise TableError(
                f"the target {target!r} of {file} has thousands separators (such as"
                f" {thousands[0]!r}); write the numbers without them, as"
                f" {re.sub('[^0-9.+-]', '', thousands[0])!r}"
            )
        advice = f"choose a numeric column: {_some(numeric)}" if numeric else "no column is numeric"
        raise TableError(
            f"the target {target!r} of {file} is text (such as {example!r}), not numbers; {advice};"
            " to predict classes: --report report.html --task classification"
        )
    known = y[~np.isnan(y)]
    if known.size == 0:
        raise TableError(f"the target {target!r} of {file} has no values: choose another column")
    if np.ptp(known) == 0:
        raise TableError(f"the target {target!r} of {file} is always {known[0]:g}: choose another")
    return y


def _is_classes(
    file: str,
    target: str,
    values: np.ndarray,
    task: str,
    decimal_comma: bool,
    notes: list[str],
) -> bool:
    """Whether the target holds classes; a note where another reader might see it otherwise."""
    if task != "auto":
        return task == "classification"
    if values.dtype == object:
        present = [value for value in values if value is not None]
        stray = [value for value in present if not _is_number(value, decimal_comma)]
        thousands = any(THOUSANDS.fullmatch(value) for value in stray)
        if stray and not thousands and len(stray) <= STRAY * len(present):
            raise TableError(
                f"the target {target!r} of {file} is numeric but for {len(stray)} of its"
                f" {len(present)} cells (such as {stray[0]!r}): correct them, or say --task"
                " classification"
            )
        return bool(stray) and not thousands
    kinds = np.unique(values[~np.isnan(values)])
    if len(kinds) == 2:
        notes.append(
            f"{target!r} has two values, {kinds[0]:g} and {kinds[1]:g}, which are taken as classes;"
            " --task regression takes them as numbers"
        )
        return True
    if 2 < len(kinds) <= FEW_NUMBERS and np.all(kinds == np.round(kinds)):
        notes.append(
            f"{target!r} has {len(kinds)} different values, which are taken as numbers; --task"
            " classification takes them as classes"
        )
    return False


def _classes(
    file: str, target: str, columns: dict[str, np.ndarray], decimal_comma: bool
) -> np.ndarray:
    y = columns[target]
    kinds = {value for value in y if value is not None and value == value}
    if not kinds:
        raise TableError(f"the target {target!r} of {file} has no values: choose another column")
    if len(kinds) == 1:
        raise TableError(f"the target {target!r} of {file} is always {kinds.pop()}: choose another")
    return y


def _labels(y: np.ndarray) -> np.ndarray:
    """Classes as text, or as whole numbers where they are such, so that 10 follows 9."""
    if y.dtype == object:
        return y.astype(str)
    if np.all(y == np.round(y)):
        return y.astype(int)
    return np.array([f"{value:g}" for value in y])


def _useless(values: np.ndarray, unnamed: bool) -> str | None:
    """Why a column can be left out for what it is, whatever the target."""
    if unnamed:
        return "having no name, as row numbers do"
    present = [value for value in values if value is not None and value == value]
    if not present:
        return "having no values"
    distinct = len(set(present))
    if distinct == 1 and len(present) == len(values):
        return "having the same value in every row"
    if values.dtype == object and distinct == len(values) > 1:
        return "being text that differs in every row"
    return None


def _some(names: Iterable[str], most: int = 6) -> str:
    names = list(names)
    shown = ", ".join(repr(name) for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
