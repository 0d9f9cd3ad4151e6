"""Training data that are read block by block, and batches of them across the borders of blocks.

An epoch reads the parts of the data in an order drawn at random, and the blocks of a part in their
own. Rows are shuffled inside their block, and the second half of each block is mixed with the first
half of the next one, so that two blocks are in memory at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ...objective.losses import Scale
from .batches import Batch, Data, Index, batch_sizes
from .layers import Matrix
from .network import is_thin, rows_of


@dataclass(frozen=True)
class DataInBlocks:
    """Rows to learn from, in blocks; the counterpart of `Data`.

    Attributes
    ----------
    parts : sequence of callables
        Each gives the blocks of a part of the rows, and gives them anew in each epoch.
    n_rows : int
        Of all blocks.
    sample : Data
        Some of the rows, at least one.
    weighted : bool
        Whether blocks have weights, whose mean over all rows is one.
    """

    parts: Sequence[Callable[[], Iterable[Data]]]
    n_rows: int
    sample: Data
    weighted: bool

    def __len__(self) -> int:
        return self.n_rows

    def batches(self, batch_size: int, dense: bool, join_last: bool) -> BlockBatches:
        """The batches of an epoch; see `Batches`."""
        return BlockBatches(self, batch_size, dense, join_last)

    def slices(self, n_rows: int) -> Iterator[tuple[Any, Matrix, Matrix | None]]:
        """X, Y and weights of all rows in their order, at most so many at a time."""
        for block in self.blocks():
            for start in range(0, len(block), n_rows):
                part = slice(start, start + n_rows)
                weight = None if block.weight is None else block.weight[part]
                yield rows_of(block.X, part), block.targets.rows(part), weight
            del block

    def blocks(self, rng: np.random.Generator | None = None) -> Iterator[Data]:
        """The blocks, ready to be trained on, their parts in an order drawn at random."""
        n_parts = len(self.parts)
        for k in range(n_parts) if rng is None else rng.permutation(n_parts):
            for block in self.parts[k]():
                yield replace(block, targets=block.targets.trained_on())
                del block


@dataclass(frozen=True)
class Stretch:
    """Rows of one block or of two, in the order in which an epoch takes them.

    Attributes
    ----------
    blocks : list of Data
    rows : ndarray of int
        Rows of their blocks.
    second : ndarray of bool or None
        Which of them are of the second block.
    """

    blocks: list[Data]
    rows: Index
    second: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def pieces(self, start: int, stop: int) -> list[tuple[Data, Index]]:
        """The rows from `start` to `stop`, block by block."""
        rows = self.rows[start:stop]
        if self.second is None:
            return [(self.blocks[0], rows)]
        second = self.second[start:stop]
        return list(zip(self.blocks, (rows[~second], rows[second]), strict=True))


def stretches(data: DataInBlocks, rng: np.random.Generator | None) -> Iterator[Stretch]:
    """All rows of an epoch, each once; in the order of the data without `rng`."""
    if rng is None:
        for block in data.blocks():
            yield Stretch([block], np.arange(len(block)))
            del block
        return
    last: Data | None = None
    rest: Index = np.empty(0, dtype=np.intp)
    for block in data.blocks(rng):
        first, others = np.array_split(rng.permutation(len(block)), 2)
        if last is None:
            yield Stretch([block], first)
        else:
            rows, mixed = np.concatenate([rest, first]), rng.permutation(len(rest) + len(first))
            yield Stretch([last, block], rows[mixed], mixed >= len(rest))
        last, rest = block, others
        del block
    if last is not None:
        yield Stretch([last], rest)


class BlockBatches:
    """The batches of an epoch, in the same buffers again and again; the counterpart of `Batches`.

    Parameters
    ----------
    data : DataInBlocks
    batch_size, dense, join_last
        As for `Batches`.
    """

    def __init__(self, data: DataInBlocks, batch_size: int, dense: bool, join_last: bool) -> None:
        self.data, self._sizes = data, batch_sizes(len(data), batch_size, join_last)
        X, targets, largest = data.sample.X, data.sample.targets, max(self._sizes)
        self._thin = not dense and is_thin(X)
        self._x = np.empty((largest, 0 if self._thin else X.shape[1]), dtype=X.dtype)
        self._y = np.empty((largest, targets.n_outputs), dtype=targets.dtype)
        self._weight = np.empty(largest if data.weighted else 0, dtype=targets.dtype)
        self._stored: list[Any] = []

    def epoch(self, rng: np.random.Generator | None) -> Iterator[Batch]:
        """X, Y and the scale of each row's loss, batch after batch."""
        sizes = iter(self._sizes)
        size, filled = next(sizes), 0
        for stretch in stretches(self.data, rng):
            start = 0
            while start < len(stretch) and size:
                stop = min(len(stretch), start + size - filled)
                self._fill(stretch.pieces(start, stop), filled)
                filled, start = filled + stop - start, stop
                if filled == size:
                    yield self._batch(size)
                    size, filled = next(sizes, 0), 0
            if start < len(stretch):
                break
            del stretch
        else:
            if not size:
                return
        raise ValueError(
            f"an epoch has other rows than the {len(self.data)} that the first pass counted: a"
            " callable must return the same rows each time"
        )

    def _fill(self, pieces: list[tuple[Data, Index]], filled: int) -> None:
        for block, rows in pieces:
            X, part = block.X, slice(filled, filled + len(rows))
            if self._thin:
                self._stored.append(X[rows])
            elif hasattr(X, "toarray"):
                self._x[part] = X[rows].toarray()
            else:
                np.take(X, rows, axis=0, out=self._x[part], mode="clip")
            block.targets.rows(rows, out=self._y[part])
            if block.weight is not None:
                self._weight[part] = block.weight[rows]
            filled += len(rows)

    def _batch(self, size: int) -> Batch:
        x: Any = self._x[:size]
        if self._thin:
            vstack: Any = sparse.vstack
            x, self._stored = vstack(self._stored, format="csr"), []
        scale: Scale = 1.0 / size
        if self.data.weighted:
            scale = self._weight[:size, None] * scale
        return x, self._y[:size], scale
