"""Rows that are read block by block: a pass that looks at all of them, and those of an epoch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..rows.row_sample import RowSample, row_keys
from .checked_blocks import CheckedBlock, CheckedBlocks
from .engine.batches import Data
from .engine.block_batches import DataInBlocks
from .labels import factors_of_rows
from .rows import of_order_one

# Entries of the rows that are held out, 128 MB of float64, and of those on which the training loss
# is measured: both are kept in memory.
HELD_ENTRIES, SAMPLE_ENTRIES = 1 << 24, 1 << 20
FEWEST_KEPT = 500
# What a row's keys are drawn for.
HOLD_OUT, MEASURE = 0, 1


@dataclass
class Tally:
    """Rows and weights of each class; for numbers and several labels those of all rows."""

    names: NDArray[Any] | None = None
    counts: dict[Any, int] = field(default_factory=dict)
    weights: dict[Any, float] = field(default_factory=dict)

    def add(self, y: NDArray[Any], weight: NDArray[np.float64], by_class: bool) -> None:
        """Count some rows."""
        codes, classes = np.zeros(len(y), dtype=np.intp), [None]
        if by_class:
            names, codes = np.unique(y, return_inverse=True)
            self.names = names if self.names is None else np.union1d(self.names, names)
            classes = names.tolist()
        counts, weights = np.bincount(codes, weight > 0), np.bincount(codes, weight)
        for name, count, total in zip(classes, counts.tolist(), weights.tolist(), strict=True):
            self.counts[name] = self.counts.get(name, 0) + int(count)
            self.weights[name] = self.weights.get(name, 0.0) + total

    def of(self, classes: Sequence[Any]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Rows of a weight above zero, and weights, class by class."""
        counts = np.array([self.counts.get(name, 0) for name in classes], dtype=np.intp)
        return counts, np.array([self.weights.get(name, 0.0) for name in classes])


class BlockRows:
    """All rows, looked at in a first pass.

    Parameters
    ----------
    reader : CheckedBlocks
    by_class : bool
        Whether y has classes, where it has one column.
    fraction : float
        Share of the rows that is held out.
    seed : int
        The same one holds out the same rows.

    Attributes
    ----------
    held, sample : RowSample
        Rows that are held out, and others.
    tally : Tally
        Of all rows.
    """

    def __init__(self, reader: CheckedBlocks, by_class: bool, fraction: float, seed: int) -> None:
        self._reader, self._seed, self.tally = reader, seed, Tally()
        self._by_class, self._lightest, self._heaviest = by_class, np.inf, 0.0
        self.held, self.sample = RowSample(0, fraction), RowSample(0)
        for p in range(len(reader.parts)):
            for block in reader.part(p):
                self._look(block)
                del block
        if not self.sample.most:
            raise ValueError("the blocks have no rows")
        if not self._heaviest > 0:
            raise ValueError("sample_weight leaves no row of any block with a weight above zero")
        n_rows, n_held = int(sum(self.tally.counts.values())), len(self.held)
        if fraction and (n_held < 2 or n_rows - n_held < 1):
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the number of"
                f" rows: early_stopping=True holds out {n_held} of {n_rows}; or give X_val and"
                " y_val to fit"
            )
        if fraction:
            self.held.cut(self.held.most)
        self.sample.cut(min(self.sample.most, max(FEWEST_KEPT, (n_rows - n_held) // 20)))

    def _look(self, block: CheckedBlock) -> None:
        X, y, width = block.X, block.y, max(1, block.X.shape[1])
        self._by_class &= y.ndim == 1
        self.held.most = max(FEWEST_KEPT, HELD_ENTRIES // width)
        self.sample.most = max(FEWEST_KEPT, SAMPLE_ENTRIES // width)
        weight = _weight_of(block)
        self.tally.add(y, weight, self._by_class)
        counted = weight[weight > 0]
        self._lightest = min(self._lightest, counted.min(initial=np.inf))
        self._heaviest = max(self._heaviest, counted.max(initial=0.0))
        keys = self._keys(block, HOLD_OUT)
        self.held.add(np.where(weight > 0, keys, np.inf), X, y, weight)
        trained = (weight > 0) & (keys >= self.held.limit)
        self.sample.add(np.where(trained, self._keys(block, MEASURE), np.inf), X, y, weight)

    def _keys(self, block: CheckedBlock, purpose: int) -> NDArray[np.float64]:
        return row_keys(self._seed, purpose, block.first, len(block.y))

    def data(self, factors: list[NDArray[np.float64]] | None, sample: Data) -> DataInBlocks:
        """The rows that are trained on, of which `sample` has some.

        `factors` are the weights of the classes, as `factors_of_rows` takes them.
        """
        names = [None] if self.tally.names is None else self.tally.names.tolist()
        counts, weights = self.tally.of(names)
        if len(self.held):
            held = Tally()
            held.add(*self.held.rows[1:], self._by_class)
            held_counts, held_weights = held.of(names)
            counts, weights = counts - held_counts, weights - held_weights
        factor = np.ones(len(names)) if factors is None else of_order_one(factors[0])
        n_rows, weighted = int(counts[factor > 0].sum()), factors is not None
        weighted |= self._lightest < self._heaviest
        scale = n_rows / float(factor @ weights) if weighted else None
        parts = [partial(self._part, p, factors, scale) for p in range(len(self._reader.parts))]
        return DataInBlocks(parts, n_rows, sample, weighted)

    def _part(
        self, p: int, factors: list[NDArray[np.float64]] | None, scale: float | None
    ) -> Iterator[Data]:
        for block in self._reader.part(p):
            data = self._of_block(block, factors, scale)
            del block
            if len(data):
                yield data
            del data

    def _of_block(
        self, block: CheckedBlock, factors: list[NDArray[np.float64]] | None, scale: float | None
    ) -> Data:
        """The rows of a block that are trained on, with weights whose mean over all rows is one."""
        targets, weight = block.targets, _weight_of(block)
        assert targets is not None
        if factors is not None:
            weight = weight * factors_of_rows(factors, targets)
        trained = weight > 0
        if len(self.held):
            trained &= self._keys(block, HOLD_OUT) >= self.held.limit
        rows: Any = slice(None) if trained.all() else np.flatnonzero(trained)
        scaled = None if scale is None else (weight[rows] * scale).astype(targets.dtype)
        return Data(block.X[rows], targets.of(rows), scaled)


def _weight_of(block: CheckedBlock) -> NDArray[np.float64]:
    return np.ones(len(block.y)) if block.weight is None else block.weight
