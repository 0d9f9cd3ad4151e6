"""A Parquet file as cells of text, so many rows at a time, and what it says of its columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..table import TableError
from .chunks import Chunk, ReportProgress
from .file import Declared
from .options import ReadingOptions


def is_parquet(path: Path) -> bool:
    """Whether a file begins as Parquet files do."""
    try:
        with path.open("rb") as raw:
            return raw.read(4) == b"PAR1"
    except OSError:
        return False  # which the reader of text says better


class ParquetChunks:
    """The rows of a Parquet file.

    Parameters
    ----------
    path : Path
    options : ReadingOptions
        Columns that are dropped are not read.
    n_rows : int
        Of a chunk.
    """

    unnamed: frozenset[str] = frozenset()
    delimiter = ""

    def __init__(self, path: Path, options: ReadingOptions, n_rows: int) -> None:
        try:
            import pyarrow as pa
            import pyarrow.parquet as pq
        except ImportError:
            raise TableError(
                'to read Parquet install pyarrow: python -m pip install "skreg[arrow]"'
            ) from None
        self.file, self._path, self._n_rows = path.name, path, n_rows
        self.n_bytes = path.stat().st_size
        try:
            with pq.ParquetFile(path) as found:
                self._n_all, schema = found.metadata.num_rows, found.schema_arrow
        except (pa.ArrowException, OSError) as error:
            raise TableError(f"{self.file} cannot be read as Parquet: {error}") from None
        self._names = [name for name in schema.names if name not in options.drop]
        self._all = list(schema.names)
        twice = {name for name in schema.names if schema.names.count(name) > 1}
        if twice:
            raise TableError(f"{self.file} has more than one column named {min(twice)!r}")
        declared: dict[str, Declared] = {}
        for name in self._names:
            kind = schema.field(name).type
            if pa.types.is_nested(kind) or pa.types.is_binary(kind):
                raise TableError(
                    f"{self.file}: {name!r} holds {kind}, no cells: --drop leaves it out"
                )
            said = _declared(kind)
            if said is not None:
                declared[name] = said
        self.declared: Mapping[str, Declared] = declared
        if not self._n_all:
            raise TableError(f"{self.file} has no rows")

    @property
    def notes(self) -> list[str]:
        """Nothing is left out."""
        return []

    def chunks(self, progress: ReportProgress) -> Iterator[Chunk]:
        """The rows, in one pass."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with pq.ParquetFile(self._path) as found:
                n_done = 0
                for batch in found.iter_batches(self._n_rows, columns=self._names):
                    first, n_done = n_done, n_done + batch.num_rows
                    progress(self.n_bytes * n_done // self._n_all, n_done)
                    columns = {name: _texts(batch.column(name)) for name in self._names}
                    # A column that is left out keeps its place among the names.
                    empty = np.full(batch.num_rows, "", dtype=object)
                    yield Chunk(
                        {name: columns.get(name, empty) for name in self._all},
                        [f"row {k}" for k in range(first, n_done)],
                    )
        except (pa.ArrowException, OSError) as error:
            raise TableError(f"{self.file} cannot be read as Parquet: {error}") from None


def _declared(kind: Any) -> Declared | None:
    """Whether a type is one of numbers or of text."""
    from pyarrow import types

    if types.is_dictionary(kind):
        return _declared(kind.value_type)
    numbers = types.is_integer, types.is_floating, types.is_decimal, types.is_duration
    if any(is_kind(kind) for is_kind in numbers):
        return "number"
    return "text" if types.is_string(kind) or types.is_large_string(kind) else None


def _texts(column: Any) -> NDArray[Any]:
    """Cells as text, which has all digits of a number; blank where missing."""
    import pyarrow as pa

    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("s"), safe=False)
    found = column.cast(pa.string()).fill_null("")
    return np.array([text.strip() for text in found.to_pylist()], dtype=object)
