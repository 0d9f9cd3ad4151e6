"""Which rows a network is trained on: weights, the validation split, equal rows."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.model_selection import train_test_split

from ..data.powers_of_two import exponent_of
from .engine.batches import Index, Targets

# Most rows that are put in order.
LARGEST_ORDERED = 1000


@dataclass
class Rows:
    """Some rows of a table, with the weight of each.

    Attributes
    ----------
    index : ndarray of int
        Rows of the table that was given.
    weight : ndarray of float64 or None
        As given by the user.
    factor : ndarray of float64 or None
        The weight of the row's class.
    """

    index: Index
    weight: NDArray[np.float64] | None
    factor: NDArray[np.float64] | None = None

    def take(self, positions: Index) -> Rows:
        """Some of these rows."""
        weight = None if self.weight is None else self.weight[positions]
        factor = None if self.factor is None else self.factor[positions]
        return Rows(self.index[positions], weight, factor)

    @property
    def total(self) -> NDArray[np.float64] | None:
        """What each row counts."""
        if self.weight is None or self.factor is None:
            return self.factor if self.weight is None else self.weight
        return self.weight * self.factor


def of_order_one(weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights times a power of two where they are far from one, whose sums would overflow.

    All others are as the user has them: whole numbers stay whole.
    """
    exponent = exponent_of(float(weight.max(initial=0.0)))
    return np.ldexp(weight, -exponent) if exponent else weight


def rows_that_count(rows: Rows) -> Rows:
    """The rows whose weight is not zero; weights that are then equal are none."""
    total = rows.total
    if total is None:
        return rows
    if not np.any(total > 0):
        raise ValueError("class_weight and sample_weight leave no row with a weight above zero")
    rows = rows.take(np.flatnonzero(total))
    if rows.weight is not None and np.all(rows.weight == rows.weight[0]):
        rows.weight = None
    return rows


def written_out(rows: Rows, largest: int) -> Rows:
    """A row of weight k as k rows, where weights are whole numbers and rows stay few."""
    weight = rows.weight
    if weight is None or weight.sum() > largest or np.any(weight != np.floor(weight)):
        return rows
    rows = rows.take(np.repeat(np.arange(len(rows.index)), weight.astype(np.intp)))
    rows.weight = None
    return rows


def ordered_by_value(rows: Rows, X: Any, targets: Targets) -> tuple[Rows, Index]:
    """The rows in an order that their values alone give, and where each set of equal ones begins.

    Where a step takes all rows, their order is of no account but for rounding and for random
    numbers: like this neither depends on it, and weight k is the row k times to the last bit.
    """
    part: Any = X
    if sparse.issparse(X):
        part = part[rows.index]
        starts, columns, entries = part.indptr.tolist(), part.indices, part.data
        keys = [columns[a:b].tobytes() + entries[a:b].tobytes() for a, b in pairwise(starts)]
    else:
        keys = _rows_as_bytes(X[rows.index])
    values = _rows_as_bytes(targets.values[rows.index])
    weight = np.zeros(len(keys)) if rows.weight is None else rows.weight
    by_value = sorted(zip(keys, values, weight.tolist(), range(len(keys)), strict=True))
    new = [one[:2] != two[:2] for one, two in pairwise(by_value)]
    places = np.array([place for *_, place in by_value], dtype=np.intp)
    return rows.take(places), np.flatnonzero([True, *new])


def _rows_as_bytes(table: NDArray[Any]) -> list[bytes]:
    """What each row is in memory, where -0.0 is made the same as 0.0."""
    table = table + 0.0
    together, size = table.tobytes(), table[:1].nbytes
    return [together[start : start + size] for start in range(0, len(together), size)]


def hold_out(
    rows: Rows, starts: Index | None, fraction: float, codes: Any, seed: int
) -> tuple[Rows, Rows]:
    """Rows to train on and rows to validate on, stratified where there are classes.

    Parameters
    ----------
    rows : Rows
    starts : ndarray of int or None
        Where each set of equal rows begins. A set stays together, as the copies do that a weight
        stands for, unless there are too few sets; None is every row on its own.
    fraction : float
        Share of the sets that is held out.
    codes : ndarray of int or None
        The class of each row of the whole table.
    seed : int
        The same seed makes the same split, so that a training which goes on keeps its own.
    """
    every = np.arange(len(rows.index))
    if starts is not None and len(starts) < len(every):
        try:
            parts = _split(rows.index[starts], fraction, codes, seed)
        except ValueError:
            pass
        else:
            sets = np.split(every, starts[1:])
            train, held = (rows.take(np.concatenate([sets[i] for i in part])) for part in parts)
            return train, held
    train, held = (rows.take(part) for part in _split(rows.index, fraction, codes, seed))
    return train, held


def _split(index: Index, fraction: float, codes: Any, seed: int) -> tuple[Index, Index]:
    """Positions in `index` to train on, and positions to validate on.

    A class with one row is trained on. Classes without a row for each side are not held to their
    shares: one row of each is trained on, and the rest are drawn from at random.
    """
    n_rows = len(index)
    n_held = int(np.ceil(fraction * n_rows))
    if n_held < 2 or n_rows - n_held < 1:
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' or the size of your"
            f" dataset: early_stopping=True holds out {n_held} of n_samples={n_rows}; or give X_val"
            " and y_val to fit"
        )
    every = np.arange(n_rows)
    if codes is None:
        train, held = train_test_split(every, test_size=n_held, random_state=seed)
        return train, held
    code = codes[index]
    single = np.bincount(code)[code] == 1
    shared = every[~single]
    n_classes = len(np.unique(code[shared]))
    if n_classes <= n_held <= len(shared) - n_classes:
        train, held = train_test_split(
            shared, test_size=n_held, random_state=seed, stratify=code[shared]
        )
        return np.concatenate([train, every[single]]), held
    order = np.random.RandomState(seed).permutation(n_rows)
    firsts = np.zeros(n_rows, dtype=bool)
    firsts[order[np.unique(code[order], return_index=True)[1]]] = True
    held = order[~firsts[order]][:n_held]
    if len(held) < 2:
        raise ValueError(
            f"early_stopping=True has no rows to hold out: one of each of the {firsts.sum()}"
            f" classes is trained on, of {n_rows} rows; set it False, or give X_val and y_val to"
            " fit"
        )
    return np.setdiff1d(order, held), held
