"""Columns of Arrow, batch by batch, as blocks of rows."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ..data.products import Array
from .blocks import Block

# Rows that are taken at once: as many of 100 columns as the cache has room for.
BATCH = 16_384
# Nothing is read before it is asked for: it would be held in memory at once.
ONE_BY_ONE = {"batch_size": BATCH, "batch_readahead": 0, "fragment_readahead": 0}


def arrow_blocks(
    source: Any,
    target: str | Sequence[str],
    sample_weight: str | None,
    fold: str | None,
    columns: Sequence[str] | None,
) -> Iterable[Any] | Callable[[], Iterable[Any]]:
    """Blocks of rows; see `RowBlocks.from_arrow`."""
    try:
        import pyarrow as pa
        import pyarrow.dataset as ds
    except ImportError as error:
        raise ImportError("from_arrow needs pyarrow: python -m pip install pyarrow") from error
    of_y = [target] if isinstance(target, str) else list(target)
    others = [name for name in (sample_weight, fold) if name is not None]
    if isinstance(source, pa.RecordBatchReader):
        features = features_of(source.schema, of_y, others, columns)
        return _blocks(source, features, target, sample_weight, fold)
    given = isinstance(source, ds.Dataset)
    if not given and not hasattr(source, "__arrow_c_stream__"):
        named, source = source, ds.dataset(files_of(source), format="parquet")
        if not source.files:
            raise FileNotFoundError(f"the folder {os.fspath(named)!r} has no files")
    if isinstance(source, ds.Dataset):
        features = features_of(source.schema, of_y, others, columns)
        return DatasetBlocks(source, not given, features, target, sample_weight, fold)

    def of_stream() -> Iterator[Any]:
        reader = pa.RecordBatchReader.from_stream(source)
        features = features_of(reader.schema, of_y, others, columns)
        yield from _blocks(reader, features, target, sample_weight, fold)

    return of_stream


@dataclass(frozen=True)
class DatasetBlocks:
    """The blocks of a dataset, anew in each call.

    Attributes
    ----------
    dataset : pyarrow.dataset.Dataset
    whole : bool
        Whether all rows of its files are taken: one that the user gave may leave some out, of
        which its files do not know.
    features, target, sample_weight, fold
        The roles of the columns.
    """

    dataset: Any
    whole: bool
    features: Sequence[str]
    target: str | Sequence[str]
    sample_weight: str | None
    fold: str | None

    def __call__(self) -> Iterator[Block]:
        """One pass."""
        return self._of(self.dataset)

    def parts(self) -> Sequence[Callable[[], Iterator[Block]]]:
        """The row groups of Parquet files."""
        if not self.whole:
            return [self.__call__]
        groups = [
            group
            for fragment in self.dataset.get_fragments()
            for group in fragment.split_by_row_group()
        ]
        return [partial(self._of_group, group) for group in groups]

    def _of_group(self, group: Any) -> Iterator[Block]:
        try:
            yield from self._of(group, schema=self.dataset.schema)
        except ValueError as error:
            number = group.row_groups[0].id
            raise ValueError(f"row group {number} of {group.path}, {error}") from None

    def _of(self, rows: Any, **options: Any) -> Iterator[Block]:
        import pyarrow.dataset as ds

        of_y = [self.target] if isinstance(self.target, str) else self.target
        others = [name for name in (self.sample_weight, self.fold) if name is not None]
        if isinstance(getattr(rows, "format", None), ds.ParquetFileFormat):
            # By default all columns of a file are fetched first, in four times the time.
            options["fragment_scan_options"] = ds.ParquetFragmentScanOptions(pre_buffer=False)
        wanted = [*self.features, *of_y, *others]
        batches = rows.to_batches(columns=wanted, **ONE_BY_ONE, **options)
        return _blocks(batches, self.features, self.target, self.sample_weight, self.fold)


def files_of(source: Any) -> Any:
    """Files, a folder, or those that fit a pattern."""
    if isinstance(source, (list, tuple)):
        return [os.fspath(one) for one in source]
    try:
        name = os.fspath(source)
    except TypeError:
        raise TypeError(
            "source must be Parquet files, a Dataset, a RecordBatchReader or an object with"
            f" __arrow_c_stream__, not {type(source).__name__}; of a lazy frame write the result to"
            " Parquet, or collect it"
        ) from None
    if not glob.has_magic(name):
        if not os.path.exists(name):
            raise FileNotFoundError(f"there is no file or folder {name!r}")
        return name
    found = sorted(glob.glob(name))
    if not found:
        raise FileNotFoundError(f"no file fits {name!r}")
    return found


def features_of(
    schema: Any, target: Sequence[str], others: Sequence[str], columns: Sequence[str] | None
) -> list[str]:
    """The names of the features, all of which must be numbers; a target may have classes."""
    import pyarrow.types as types

    names = list(schema.names)
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise ValueError(f"the column {min(repeated)!r} is there more than once")
    taken = {*target, *others}
    features = [name for name in names if name not in taken] if columns is None else list(columns)
    for name in [*features, *taken]:
        if name not in names:
            raise ValueError(f"there is no column {name!r}: the columns are {names}")
    both = taken.intersection(features)
    if both:
        raise ValueError(f"{min(both)!r} is among the features and has another role too")
    if not features:
        raise ValueError("no columns are left as features")
    numbers = (types.is_integer, types.is_floating, types.is_boolean, types.is_decimal)
    names_of_classes = (types.is_string, types.is_large_string)
    for name in [*features, *target]:
        kind = schema.field(name).type
        allowed = numbers if name in features else numbers + names_of_classes
        if not any(is_one(kind) for is_one in allowed):
            raise ValueError(
                f"the column {name!r} holds {kind}, no numbers: leave it out by `columns`, or"
                " encode it first"
            )
    return features


def _blocks(
    batches: Iterable[Any],
    features: Sequence[str],
    target: str | Sequence[str],
    sample_weight: str | None,
    fold: str | None,
) -> Iterator[Block]:
    for k, batch in enumerate(batches):
        if not batch.num_rows:
            continue
        try:
            X = _matrix(batch, features)
            y = _numbers(batch, target) if isinstance(target, str) else _matrix(batch, target)
            weight = None if sample_weight is None else _numbers(batch, sample_weight)
            labels = None if fold is None else _numbers(batch, fold)
        except ValueError as error:
            raise ValueError(f"block {k}: {error}") from None
        yield Block(X, y, weight, labels, features)


def _matrix(batch: Any, names: Sequence[str]) -> Any:
    """Columns side by side, in float32 where all are."""
    import pyarrow as pa

    narrow = all(batch.schema.field(name).type == pa.float32() for name in names)
    shape, dtype = (batch.num_rows, len(names)), np.float32 if narrow else np.float64
    found = np.empty(shape, dtype=dtype, order="F")
    for j, name in enumerate(names):
        found[:, j] = _numbers(batch, name)
    return found


def _numbers(batch: Any, name: str) -> Array:
    """A column as an array, nothing missing."""
    column = batch.column(name)
    if column.null_count:
        raise ValueError(_missing(column, name))
    return np.asarray(column.to_numpy(zero_copy_only=False))


def _missing(column: Any, name: str) -> str:
    row = int(np.argmax(column.is_null().to_numpy(zero_copy_only=False)))
    return f"the column {name!r} has a missing value in row {row}"
