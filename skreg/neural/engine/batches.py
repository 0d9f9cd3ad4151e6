"""Training data, and batches of it in buffers that are made once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ...objective.losses import Loss, Scale
from .layers import Matrix
from .network import Network

Index = NDArray[np.intp]

# Share of entries that are not zero below which sparse products are used; at 0.1 they take as long.
THIN = 0.05


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
        if is_all(index, len(self.values)):
            return self
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

    def rows(self, index: Any) -> Matrix:
        """Targets of some rows, in a new array."""
        values = self.values[index]
        return values if self.table is None else self.table[values]

    def take(self, index: Index, out: Matrix) -> None:
        """Targets of some rows, into `out`."""
        if self.table is None:
            np.take(self.values, index, axis=0, out=out, mode="clip")
        else:
            np.take(self.table, self.values[index], axis=0, out=out, mode="clip")


@dataclass(frozen=True)
class Data:
    """Rows to learn from or to be judged by.

    Attributes
    ----------
    X : ndarray of shape (n_rows, n_features) in C order, or CSR matrix
    targets : Targets
    weight : ndarray of shape (n_rows,) or None
        Positive; scaled to a mean of one.
    """

    X: Any
    targets: Targets
    weight: Matrix | None = None

    @classmethod
    def build(cls, X: Any, targets: Targets, weight: Any) -> Data:
        """Scale the weights; equal ones are none."""
        if weight is None or np.all(weight == weight[0]):
            return cls(X, targets)
        return cls(X, targets, (weight * (len(weight) / weight.sum())).astype(targets.dtype))

    def __len__(self) -> int:
        return int(self.X.shape[0])

    def raw(self, network: Network, rows: Index | None = None) -> Matrix:
        """Raw predictions of all rows, or of some, block by block."""
        n_rows = len(self) if rows is None else len(rows)
        out = np.empty((n_rows, self.targets.n_outputs), dtype=self.targets.dtype)
        block = network.block_rows()
        for start in range(0, n_rows, block):
            part = slice(start, min(start + block, n_rows))
            out[part] = network.predict(rows_of(self.X, part if rows is None else rows[part]))
        return out

    def loss(self, raw: Matrix, loss: Loss, rows: Index | None = None) -> float:
        """Weighted mean loss of raw predictions of all rows, or of some."""
        part = slice(None) if rows is None else rows
        y = self.targets.rows(part)
        if self.weight is None:
            return loss.value(raw, y, 1.0 / len(raw))
        weight = self.weight[part]
        return loss.value(raw, y, weight[:, None] / weight.sum())


def is_all(index: Index, n_rows: int) -> bool:
    """Whether these are all rows, in their order."""
    return len(index) == n_rows and bool(np.all(index == np.arange(n_rows)))


def rows_of(X: Any, index: Any) -> Any:
    """Some rows, as an array unless so few entries are not zero that sparse products are faster."""
    thin = sparse.issparse(X) and is_thin(X)
    return X[index] if thin else dense_rows(X, index)


def is_thin(X: Any) -> bool:
    """Whether products with a sparse matrix take less time than with its rows made dense."""
    return bool(X.nnz < THIN * X.shape[0] * X.shape[1])


def dense_rows(X: Any, index: Any) -> Matrix:
    """Some rows of a dense or sparse matrix as an array."""
    rows: Any = X[index]
    return rows if isinstance(rows, np.ndarray) else rows.toarray()


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
        n_rows = len(data)
        self.data, self.targets = data, data.targets.trained_on()
        starts = list(range(0, n_rows, batch_size))
        if join_last and n_rows - starts[-1] == 1 and len(starts) > 1:
            starts.pop()
        self.bounds = list(zip(starts, [*starts[1:], n_rows], strict=True))
        largest = max(stop - start for start, stop in self.bounds)
        self._sparse = sparse.issparse(data.X)
        self._thin = self._sparse and not dense and is_thin(data.X)
        width = 0 if self._thin else data.X.shape[1]
        self._x = np.empty((largest, width), dtype=data.X.dtype)
        self._y = np.empty((largest, self.targets.n_outputs), dtype=self.targets.dtype)

    def epoch(self, order: Index) -> Iterator[tuple[Matrix, Matrix, Scale]]:
        """X, Y and the scale of each row's loss, batch after batch of the rows in `order`."""
        X, weight, take = self.data.X, self.data.weight, self.targets.take
        for start, stop in self.bounds:
            index = order[start:stop]
            n_rows = stop - start
            x, y = self._x[:n_rows], self._y[:n_rows]
            if self._thin:
                x = X[index]
            elif self._sparse:
                x.fill(0.0)
                X[index].toarray(out=x)
            else:
                # mode="clip" writes straight into out, where "raise" goes through a copy
                np.take(X, index, axis=0, out=x, mode="clip")
            take(index, y)
            scale: Scale = 1.0 / n_rows
            if weight is not None:
                scale = weight[index][:, None] * scale
            yield x, y, scale
