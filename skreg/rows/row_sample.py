"""Rows drawn by their place among all rows, alike however these are split into blocks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

# Splitmix64 (Steele, Lea and Flood, OOPSLA 2014): the step of its counter and its two multipliers.
KEY_STEP, FIRST_FACTOR, SECOND_FACTOR = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


def row_keys(seed: int, purpose: int, first: int, n_rows: int) -> NDArray[np.float64]:
    """A random number in [0, 1) for each of some rows, from the number of the row alone.

    Parameters
    ----------
    seed : int
    purpose : int
        Another one gives numbers that are independent.
    first, n_rows : int
        The number of the first row, and how many there are.
    """
    (begin,) = np.random.SeedSequence([seed, purpose]).generate_state(1, np.uint64)
    word = np.arange(first + 1, first + 1 + n_rows, dtype=np.uint64) * np.uint64(KEY_STEP) + begin
    for shift, factor in ((30, FIRST_FACTOR), (27, SECOND_FACTOR)):
        word = (word ^ (word >> np.uint64(shift))) * np.uint64(factor)
    word ^= word >> np.uint64(31)
    return np.asarray((word >> np.uint64(11)) * 2.0**-53)


@dataclass
class RowSample:
    """The rows with the smallest keys of those that were added.

    Attributes
    ----------
    most : int
        Rows that are kept.
    limit : float
        The keys of rows that are kept are below it; it falls as better ones come.
    """

    most: int
    limit: float = 1.0
    _parts: list[tuple[Any, ...]] = field(default_factory=list)

    def __len__(self) -> int:
        return sum(len(part[0]) for part in self._parts)

    def add(self, keys: NDArray[np.float64], X: Any, y: Any, weight: Any) -> None:
        """Keep those of some rows whose keys are small enough; they come in their order."""
        chosen = np.flatnonzero(keys < self.limit)
        if not len(chosen):
            return
        self._parts.append((keys[chosen], X[chosen], y[chosen], weight[chosen]))
        if len(self) > 2 * self.most:
            self.cut(self.most)

    def cut(self, most: int) -> Self:
        """Keep so many rows, in one piece."""
        keys = np.concatenate([part[0] for part in self._parts])
        if len(keys) > most:
            self.limit = float(np.partition(keys, most)[most])
        rows = np.flatnonzero(keys < self.limit)
        X, y, weight = (joined([part[k] for part in self._parts]) for k in (1, 2, 3))
        self._parts = [(keys[rows], X[rows], y[rows], weight[rows])]
        return self

    @property
    def rows(self) -> tuple[Any, Any, NDArray[np.float64]]:
        """X, y and weights, after `cut`."""
        ((_, X, y, weight),) = self._parts
        return X, y, weight

    def take(self, index: NDArray[np.intp]) -> tuple[Any, Any, NDArray[np.float64]]:
        """Some of them."""
        X, y, weight = self.rows
        return X[index], y[index], weight[index]


def joined(parts: list[Any]) -> Any:
    """Rows one after another."""
    if sparse.issparse(parts[0]):
        vstack: Any = sparse.vstack
        return vstack(parts, format="csr")
    return np.concatenate(parts)
