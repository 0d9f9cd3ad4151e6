"""Columns of Arrow, batch by batch, as blocks of rows."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
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
    if not isinstance(source, ds.Dataset) and not hasattr(source, "__arrow_c_stream__"):
        named, source = source, ds.dataset(files_of(source), format="parquet")
        if not source.files:
            raise FileNotFoundError(f"the folder {os.fspath(named)!r} has no files")
    if isinstance(source, ds.Dataset):
        features = features_of(source.schema, of_y, others, columns)
        wanted = [*features, *of_y, *others]

        def of_dataset() -> Iterator[Any]:
            options: dict[str, Any] = dict(ONE_BY_ONE)
            if isinstance(getattr(source, "format", None), ds.ParquetFileFormat):
                # By default all columns of a file are fetched first, in four times the time.
                scan = ds.ParquetFragmentScanOptions(pre_buffer=False)
                options["fragment_scan_options"] = scan
            batches = source.to_batches(columns=wanted, **options)
            return _blocks(batches, features, target, sample_weight, fold)

        return of_dataset

    def of_stream() -> Iterator[Any]:
        reader = pa.RecordBatchReader.from_stream(source)
        features = features_of(reader.schema, of_y, others, columns)
        yield from _blocks(reader, features, target, sample_weight, fold)

    return of_stream


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
    """The names of the features, all of which must be numbers."""
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
    for name in [*features, *target]:
        kind = schema.field(name).type
        if not any(is_one(kind) for is_one in numbers):
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
) -> Iterator[Any]:
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
