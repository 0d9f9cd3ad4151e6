"""Training data, and batches of it in buffers that are made once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ...objective.losses import Loss, Scale
from .layers import Matrix
from .network import from_bytes, is_thin, rows_of

Index = NDArray[np.intp]
# X, Y and the scale of each row's loss.
Batch = tuple[Any, Matrix, Scale]


@dataclass(frozen=True)
class Targets:
    """What is to be predicted: rows of numbers, or classes by their numbers and a table.

    Attributes
    ----------
    values : ndarray of shape (n_rows, n_outputs), or (n_rows,) of integers with a table
    table : ndarray of shape (n_classes, n_outputs) or None
        The target of each class, as an unsmoothed one.
    smoothing : float
        Share of each target that is spread evenly over the classes in training.
    """

    values: NDArray[Any]
    table: Matrix | None = None
    smoothing: float = 0.0

    def trained_on(self) -> Targets:
        """The same with the smoothing done."""
        if not self.smoothing:
            return self
        table = self.table if self.table is not None else self.values
        n_options = table.shape[1] if table.shape[1] > 1 and self.table is not None else 2
        smooth = table * (1.0 - self.smoothing) + self.smoothing / n_options
        smooth = smooth.astype(table.dtype)
        return Targets(self.values, smooth) if self.table is not None else Targets(smooth)

    def of(self, index: Index) -> Targets:
        """The targets of some rows."""
        return Targets(self.values[index], self.table, self.smoothing)

    @property
    def n_outputs(self) -> int:
        """Columns of a batch of targets."""
        source = self.values if self.table is None else self.table
        return int(source.shape[1])

    @property
    def dtype(self) -> Any:
        """Type of a batch of targets."""
        return (self.values if self.table is None else self.table).dtype

    def rows(self, index: Any, out: Matrix | None = None) -> Matrix:
        """Targets of some rows, in a new array or in `out`."""
        source = self.values
        if self.table is not None:
            source, index = self.table, self.values[index]
        # mode="clip" writes straight into out, where "raise" goes through a copy
        return source[index] if out is None else source.take(index, 0, out, mode="clip")


@dataclass(frozen=True)
class Data:
    """Rows to learn from or to be judged by.

    Attributes
    ----------
    X : ndarray of shape (n_rows, n_features) in C order, or CSR matrix
        Of numbers, or of bytes, which a network reads as numbers from 0 to 1.
    targets : Targets
    weight : ndarray of shape (n_rows,) or None
        Positive; scaled to a mean of one.
    """

    X: Any
    targets: Targets
    weight: Matrix | None = None

    @classmethod
    def build(cls, X: Any, targets: Targets, weight: Any, index: Index | None = None) -> Data:
        """All rows, or some; `weight`, which is theirs, is scaled, and equal ones are none."""
        n_rows = X.shape[0]
        if index is not None and not (len(index) == n_rows and np.all(index == np.arange(n_rows))):
            X, targets = X[index], targets.of(index)
        if weight is None or np.all(weight == weight[0]):
            return cls(X, targets)
        return cls(X, targets, (weight * (len(weight) / weight.sum())).astype(targets.dtype))

    def __len__(self) -> int:
        return int(self.X.shape[0])

    @property
    def sample(self) -> Data:
        """Rows that are at hand: here all are."""
        return self

    def batches(self, batch_size: int, dense: bool, join_last: bool) -> Batches:
        """The batches of an epoch; see there."""
        return Batches(self, batch_size, dense, join_last)

    def slices(self, n_rows: int) -> Iterator[tuple[Any, Matrix, Matrix | None]]:
        """X, Y and weights of all rows in their order, at most so many at a time."""
        targets = self.targets.trained_on()
        for start in range(0, len(self), n_rows):
            part = slice(start, start + n_rows)
            weight = None if self.weight is None else self.weight[part]
            yield rows_of(self.X, part, dtype=targets.dtype), targets.rows(part), weight

    def scale(self, rows: Index | None = None, dtype: Any = None) -> Scale:
        """What all rows, or some, count in a weighted mean of them."""
        if self.weight is None:
            return 1.0 / (self.X.shape[0] if rows is None else len(rows))
        weight = self.weight if rows is None else self.weight[rows]
        weight = weight.astype(dtype or weight.dtype, copy=False)
        return np.asarray(weight[:, None] / weight.sum())

    def loss(self, raw: Matrix, loss: Loss, rows: Index | None = None) -> float:
        """Weighted mean loss of raw predictions of all rows, or of some."""
        y = self.targets.rows(slice(None) if rows is None else rows)
        return loss.value(raw, y, self.scale(rows))


def batch_sizes(n_rows: int, batch_size: int, join_last: bool) -> list[int]:
    """Rows of each batch; see `Batches`."""
    sizes = [min(batch_size, n_rows - start) for start in range(0, n_rows, batch_size)]
    if join_last and sizes[-1] == 1 and len(sizes) > 1:
        sizes[-2:] = [sizes[-2] + 1]
    return sizes


class Batches:
    """The batches of an epoch, loaded into the same buffers again and again.

    Parameters
    ----------
    data : Data
    batch_size : int
        At most ``len(data)``.
    dense : bool
        Whether x must be an array, also where sparse products would be faster.
    join_last : bool
        Whether a last batch of a single row joins the one before it, as batch normalisation,
        which has no statistics of one row, asks.
    """

    def __init__(self, data: Data, batch_size: int, dense: bool, join_last: bool) -> None:
        self.data, self.targets = data, data.targets.trained_on()
        sizes = batch_sizes(len(data), batch_size, join_last)
        self.bounds = list(pairwise(accumulate(sizes, initial=0)))
        largest = max(sizes)
        self._sparse = sparse.issparse(data.X)
        self._thin = self._sparse and not dense and is_thin(data.X)
        width = 0 if self._thin else data.X.shape[1]
        self._taken = self._x = np.empty((largest, width), dtype=data.X.dtype)
        if data.X.dtype == np.uint8:
            self._x = np.empty((largest, width), dtype=self.targets.dtype)
        self._y = np.empty((largest, self.targets.n_outputs), dtype=self.targets.dtype)

    def epoch(self, rng: np.random.Generator | None) -> Iterator[Batch]:
        """X, Y and the scale of each row's loss, batch after batch.

        The rows come in an order that is drawn at random; without `rng` in theirs.
        """
        X, weight, n_rows = self.data.X, self.data.weight, len(self.data)
        order = np.arange(n_rows) if rng is None else rng.permutation(n_rows)
        for start, stop in self.bounds:
            index = order[start:stop]
            n_rows = stop - start
            x, y = self._x, self._y
            if n_rows < len(y):
                x, y = x[:n_rows], y[:n_rows]
            if self._thin:
                x = X[index]
            elif self._sparse:
                x.fill(0.0)
                X[index].toarray(out=x)
            else:
                np.take(X, index, axis=0, out=self._taken[:n_rows], mode="clip")
                if self._taken is not self._x:
                    from_bytes(self._taken[:n_rows], x.dtype, out=x)
            self.targets.rows(index, out=y)
            scale: Scale = 1.0 / n_rows
            if weight is not None:
                scale = weight[index][:, None] * scale
            yield x, y, scale
