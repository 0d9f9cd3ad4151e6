"""A file that need not fit into memory as a table of numbers, made of it in two passes.

What columns are is decided as for a file that is read whole, from what `digest.py` keeps of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data.moments import MomentMatrix
from ...data.powers_of_two import exponent_of
from ...estimators.ready import LARGEST
from ...report.contents import Caution, some
from ...report.ids_and_sentinels import all_different, are_known
from ...rows.blocks import Block
from ..table import ABSENT, MOST_CATEGORIES, POOLED, TableError, name_of_category
from .chunks import Chunk, ChunkSource, ReportProgress, TextChunks
from .dates import date_parts
from .digest import SAMPLED_ROWS, DigestedCells, digest
from .kinds import Column, decide
from .numbers import as_float
from .options import ReadingOptions
from .parquet import ParquetChunks, is_parquet
from .read import (
    about_columns,
    about_missing,
    cautions_of,
    check_size,
    features_of_columns,
    mistakes_in,
)
from .target import check_names, find_target, labels

NO_NETWORK = "the network, which reads all rows in every epoch, is left out"
CHANGED = "has other cells than when it was read first: it must not change meanwhile"


class ColumnReader:
    """From the texts of a column to its features.

    Parameters
    ----------
    column : Column
        As it was decided to be.

    Attributes
    ----------
    features : dict of str to ndarray
        The value of each text that was kept.
    takes_others : bool
        Whether texts are numbers as computers write them, so that others can be read as well.
    """

    def __init__(self, column: Column) -> None:
        self.column, values = column, column.of_texts
        self.features: dict[str, NDArray[Any]] = {column.name: values}
        if column.kind == "date":
            self.features = date_parts(column.name, values)
        self._index = {text: k for k, text in enumerate(column.texts)}
        known, read = are_known(values), np.array([as_float(text) for text in column.texts])
        self.takes_others = column.kind == "number" and np.array_equal(read[known], values[known])
        # Whether no missing value is a number to Python.
        self._at_once = self.takes_others and bool(np.isnan(read[~known]).all())

    def take_classes(self, values: NDArray[Any]) -> NDArray[Any]:
        """Have the number of its class for each text, and return the classes.

        `values` has the target in each of the column's rows.
        """
        known = are_known(values)
        classes, codes = np.unique(labels(values[known]), return_inverse=True)
        of_texts = np.full(len(self.column.texts), np.nan)
        of_texts[self.column.rows[known]] = codes
        self.features[self.column.name] = of_texts
        self.takes_others = self._at_once = False
        return classes

    def read(self, texts: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """The features of some rows; KeyError for a text that was not there before."""
        import pandas

        name = self.column.name
        if self._at_once:
            try:
                return {name: texts.astype(float)}
            except ValueError:
                pass  # something stands for a missing value
        codes, unique = pandas.factorize(texts)
        if not self.takes_others:
            index = np.array([self._index[text] for text in unique])
            return {each: values[index][codes] for each, values in self.features.items()}
        index = np.array([self._index.get(text, -1) for text in unique])
        values, new = self.features[name][index], index < 0
        values[new] = [as_float(text) for text in unique[new]]
        if np.isnan(values[new]).any():
            raise KeyError
        return {name: values[codes]}


@dataclass(frozen=True)
class TableInChunks:
    """Features and target that are read so many rows at a time.

    Attributes
    ----------
    title : str
        What the table is.
    names : ndarray of str
        The features: numbers, then the categories of each column of text.
    is_category : ndarray of bool
        Which of them are categories.
    n_rows : int
        Those that have a target.
    classes : ndarray or None
        Of the target, sorted; None where it has numbers.
    target_exponent : int
        The target of the blocks is that of the file divided by two to this power. A column of
        numbers, too, is divided by a power of two where its squares would leave the range of
        floating point.
    notes, cautions : tuple
        As of `Table`.
    """

    title: str
    names: NDArray[Any]
    is_category: NDArray[np.bool_]
    n_rows: int
    classes: NDArray[Any] | None
    target_exponent: int
    notes: tuple[str, ...]
    cautions: tuple[Caution, ...]
    _source: ChunkSource
    _target: ColumnReader
    _readers: tuple[ColumnReader, ...]
    _medians: dict[str, float]  # of the columns of numbers
    _exponents: dict[str, int]  # and the powers of two by which they are divided
    _starts: dict[str, int]  # where the categories of a column of text begin

    def features_and_scale(self, training: MomentMatrix) -> tuple[NDArray[np.bool_], NDArray[Any]]:
        """Which names are features in the training rows, and their standard deviations, a column.

        A category that none of these rows has is none, as in memory.
        """
        p = len(self.names)
        is_feature = ~(self.is_category & (training.mean[:p] == 0))
        spread = training.spread[:p]
        return is_feature, np.where(spread > 0, np.sqrt(spread), 1.0)[is_feature, None]

    @property
    def n_bytes(self) -> int:
        """Of the file."""
        return self._source.n_bytes

    def blocks(self, fold: NDArray[Any], progress: ReportProgress) -> Iterator[Block]:
        """The rows in one pass, each with its fold."""
        n_done = 0
        for chunk in self._source.chunks(progress):
            try:
                X, y = self._rows(chunk)
            except KeyError:
                raise TableError(f"{self._source.file} {CHANGED}") from None
            known = ~np.isnan(y)
            rows = slice(n_done, n_done + int(known.sum()))
            if len(fold[rows]) < rows.stop - rows.start:
                break
            n_done = rows.stop
            yield Block(X[known], y[known], None, fold[rows])
        if n_done != self.n_rows:
            raise TableError(f"{self._source.file} {CHANGED}")

    def _rows(self, chunk: Chunk) -> tuple[NDArray[Any], NDArray[Any]]:
        size = len(chunk.places)
        X, every = np.zeros((size, len(self.names))), np.arange(size)
        numbers = {name: j for j, name in enumerate(self._medians)}
        for reader in self._readers:
            for name, values in reader.read(chunk.columns[reader.column.name]).items():
                if name in self._starts:
                    X[every, self._starts[name] + values] = 1.0
                elif name in numbers:
                    self._check_size(chunk, reader.column.name, values)
                    known = np.where(np.isnan(values), self._medians[name], values)
                    X[:, numbers[name]] = np.ldexp(known, -self._exponents[name])
        target = self._target.column.name
        y = self._target.read(chunk.columns[target])[target]
        self._check_size(chunk, target, y)
        return X, np.ldexp(y, -self.target_exponent)

    def _check_size(self, chunk: Chunk, name: str, values: NDArray[Any]) -> None:
        large = np.flatnonzero(np.abs(values) > LARGEST)
        if large.size:
            raise TableError(
                f"{self._source.file}, {chunk.places[large[0]]}: {name!r} is infinite or too large;"
                " correct the value or leave it blank"
            )


def read_in_chunks(
    file: str | Path,
    target: str | None,
    task: str,
    options: ReadingOptions,
    n_rows: int,
    progress: ReportProgress,
) -> TableInChunks:
    """Read a file, delimited text or Parquet, once.

    Parameters
    ----------
    file, target, task, options
        As of `read_table`.
    n_rows : int
        Of a chunk.
    progress : callable
        Gets how far reading has come.

    Returns
    -------
    TableInChunks

    Raises
    ------
    TableError
        As of `read_table`; if a column has too many different texts.
    """
    path = Path(file)
    made = ParquetChunks if is_parquet(path) else TextChunks
    source: ChunkSource = made(path, options, n_rows)
    cells = digest(source, options, progress)
    target = check_names(cells, target, options)
    wanted = "regression" if task == "text" else task
    by_name = {column.name: column for column in decide(cells, options, target, wanted)}
    for column in by_name.values():
        check_size(cells, column)
    goal = by_name[target]
    features = [column for column in by_name.values() if column is not goal]
    mistakes = mistakes_in(cells, features)
    y, has_classes, about_target = find_target(cells, goal, features, task)
    reader_of_y, classes = ColumnReader(goal), None
    if has_classes:
        classes = reader_of_y.take_classes(y)
        about_target = [*about_target, NO_NETWORK]
    columns = [*by_name.values()]
    notes = [*cells.notes, *about_columns(cells, columns), *about_missing(columns), *about_target]
    n_unknown = int(goal.counts[~are_known(reader_of_y.features[target])].sum())
    if n_unknown:
        notes.append(f"left out {n_unknown} of {cells.n_rows} rows, which have no {target!r}")
    usable, too_many = _without_ids(cells, features)
    sampled = np.flatnonzero(are_known(y[: cells.n_sampled]))
    usable = [_on(column, sampled, cells.n_sampled) for column in usable]
    kept, left_out = features_of_columns(usable, cells.unnamed)
    notes += [*left_out, *too_many]
    if not kept:
        raise TableError(
            f"{cells.file} has no usable feature beside {target!r}: {'; '.join(notes)}"
        )
    readers = [ColumnReader(column) for column in usable]
    readers = [one for one in readers if kept.keys() & one.features.keys()]
    for one in [*readers, reader_of_y]:
        if cells.digests[one.column.name].full and not one.takes_others:
            raise TableError(
                f"{cells.file}: {one.column.name!r} has more different texts than are kept of a"
                " column that is read in chunks and is not of plain numbers: --drop leaves it out"
            )
    names, starts = [name for name, values in kept.items() if values.dtype != object], {}
    medians = {name: _median(kept[name][: len(sampled)]) for name in names}
    n_numbers = len(names)
    for one in readers:
        for name in one.features.keys() & kept.keys() - medians.keys():
            one.features[name], categories = _positions(one.column, one.features[name])
            starts[name] = len(names)
            names += [name_of_category(name, category) for category in categories]
    if any(one.column.kind == "number" and one.column.variety[1] < cells.n_rows for one in readers):
        of = "all" if cells.n_rows <= SAMPLED_ROWS else f"{SAMPLED_ROWS:,}"
        notes.append(f"missing numbers are taken as the median of {of} rows")
    return TableInChunks(
        title=f"{cells.file}, target {target}",
        names=np.array(names),
        is_category=np.arange(len(names)) >= n_numbers,
        n_rows=cells.n_rows - n_unknown,
        classes=classes,
        target_exponent=0 if has_classes else _exponent(reader_of_y.features[target]),
        notes=tuple(notes),
        cautions=(*mistakes, *cautions_of(kept, usable, target, y, None)),
        _source=source,
        _target=reader_of_y,
        _readers=tuple(readers),
        _medians=medians,
        _exponents={name: _exponent(kept[name]) for name in names[:n_numbers]},
        _starts=starts,
    )


def _without_ids(cells: DigestedCells, columns: Sequence[Column]) -> tuple[list[Column], list[str]]:
    """Columns without those of more texts than are kept, of which a sample says that all differ."""
    ids = [
        column.name
        for column in columns
        if cells.digests[column.name].full
        and column.of_texts.dtype == object
        and all_different(column.values[: cells.n_sampled])
    ]
    note = f"left out for being text that differs in nearly every row: {some(ids)}"
    return [column for column in columns if column.name not in ids], [note] if ids else []


def _on(column: Column, sampled: NDArray[np.intp], n_sampled: int) -> Column:
    """A column on some of the sampled rows, and on its other texts."""
    rows = np.concatenate([sampled, np.arange(n_sampled, len(column.rows))])
    return replace(column, rows=column.rows[rows])


def _median(values: NDArray[Any]) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else 0.0


def _exponent(values: NDArray[Any]) -> int:
    """The power of two that brings values which are far from order one there."""
    return exponent_of(float(np.nanmax(np.abs(values), initial=0.0)))


def _positions(column: Column, values: NDArray[Any]) -> tuple[NDArray[np.intp], list[str]]:
    """The number of each text's category, and the categories, rarer ones pooled at the end."""
    texts = [ABSENT if value is None else str(value) for value in values]
    counts: Counter[str] = Counter()
    for text, count in zip(texts, column.counts.tolist(), strict=True):
        counts[text] += count
    names = sorted(counts)
    if len(names) > MOST_CATEGORIES:  # the same ones as scikit-learn's encoder
        order = np.argsort([counts[name] for name in names], kind="stable")
        rare = {names[k] for k in order[: 1 - MOST_CATEGORIES]}
        names = [*(name for name in names if name not in rare), POOLED]
    places = {name: k for k, name in enumerate(names)}
    return np.array([places.get(text, len(names) - 1) for text in texts]), names
