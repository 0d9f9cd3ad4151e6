"""Large memory maps, stretch by stretch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from .blocks import Block

# Maps of so many bytes are read block by block.
LARGE_MAP = 1 << 29
# Entries of a block whose rows are shuffled: 32 MB of float64, where a disk reads at full speed.
SHUFFLED_ENTRIES = 1 << 22


def is_large_map(X: Any, y: Any) -> bool:
    """Whether X is a map of numbers that is better not read at once."""
    is_table = isinstance(X, np.memmap) and X.ndim == 2 and X.dtype.kind in "fiu"
    return bool(is_table and y is not None and X.nbytes >= LARGE_MAP)


def check_lengths(X: Any, y: Any, sample_weight: Any) -> None:
    """Refuse a target or weights that are not as long as X."""
    for name, values in {"y": y, "sample_weight": sample_weight}.items():
        if np.ndim(values) and len(values) != len(X):
            raise ValueError(f"{name} has {len(values)} rows where X has {len(X)}")


def map_parts(X: Any, y: Any, sample_weight: Any) -> Sequence[Callable[[], Iterator[Block]]]:
    """The rows of a map in parts of one block each."""
    check_lengths(X, y, sample_weight)
    step = max(1, SHUFFLED_ENTRIES // X.shape[1])
    slices = (slice(start, start + step) for start in range(0, len(X), step))
    return [partial(_block_of_map, X, y, sample_weight, rows) for rows in slices]


def _block_of_map(X: Any, y: Any, sample_weight: Any, rows: slice) -> Iterator[Block]:
    weight = sample_weight[rows] if np.ndim(sample_weight) else sample_weight
    yield Block(X[rows], slice_of(y, rows), weight)


def slice_of(values: Any, rows: slice) -> Any:
    """Some rows of an array, or of a data frame."""
    return values.iloc[rows] if hasattr(values, "iloc") else values[rows]
