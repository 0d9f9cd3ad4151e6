"""Which rows a network is trained on: weights, the validation split, equal rows."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.model_selection import train_test_split
from sklearn.utils.validation import _check_sample_weight

from .batches import Index, Targets

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
    """

    index: Index
    weight: NDArray[np.float64] | None

    def take(self, positions: Index) -> Rows:
        """Some of these rows."""
        weight = None if self.weight is None else self.weight[positions]
        return Rows(self.index[positions], weight)


def check_weights(sample_weight: Any, X: Any) -> NDArray[np.float64] | None:
    """Finite weights of shape (n_rows,), none negative, not all zero."""
    if sample_weight is None:
        return None
    weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
    if np.any(weight < 0):
        raise ValueError("Negative values in sample_weight: every weight must be at least 0")
    if not np.any(weight > 0):
        raise ValueError(
            "Sample weights must contain at least one non-zero number: sample_weight is all zero"
        )
    return weight


def rows_that_count(rows: Rows) -> Rows:
    """The rows whose weight is not zero."""
    if rows.weight is None:
        return rows
    if not np.any(rows.weight > 0):
        raise ValueError("class_weight and sample_weight leave no row with a weight above zero")
    return rows.take(np.flatnonzero(rows.weight))


def written_out(rows: Rows, largest: int) -> Rows:
    """A row of weight k as k rows, where weights are whole numbers and rows stay few."""
    weight = rows.weight
    if weight is None or weight.sum() > largest or np.any(weight != np.floor(weight)):
        return rows
    return Rows(np.repeat(rows.index, weight.astype(np.intp)), None)


def in_order(rows: Rows, X: Any, targets: Targets) -> Rows:
    """The rows in an order that their values alone give.

    Where a step takes all rows, their order is of no account but for rounding and for random
    numbers: like this neither depends on it, and weight k is the row k times to the last bit.
    """
    part: Any = X
    if sparse.issparse(X):
        part = part[rows.index]
        starts, columns, entries = part.indptr.tolist(), part.indices, part.data
        keys = [columns[a:b].tobytes() + entries[a:b].tobytes() for a, b in pairwise(starts)]
    else:
        keys = [row.tobytes() for row in X[rows.index] + 0.0]  # + 0.0 makes -0.0 the same as 0.0
    values = [row.tobytes() for row in targets.values[rows.index] + 0.0]
    weight = np.zeros(len(keys)) if rows.weight is None else rows.weight
    by_value = sorted(zip(keys, values, weight.tolist(), range(len(keys)), strict=True))
    return rows.take(np.array([place for *_, place in by_value], dtype=np.intp))


def hold_out(rows: Rows, fraction: float, codes: Any, seed: int) -> tuple[Rows, Rows]:
    """Rows to train on and rows to validate on, stratified where there are classes.

    Parameters
    ----------
    rows : Rows
    fraction : float
        Share of the rows that is held out.
    codes : ndarray of int or None
        The class of each row of the whole table.
    seed : int
        The same seed makes the same split, so that a training which goes on keeps its own.
    """
    stratify = None if codes is None else codes[rows.index]
    n_rows = len(rows.index)
    n_held = int(np.ceil(fraction * n_rows))
    if n_held < 2 or n_rows - n_held < 1:
        raise ValueError(
            f"The validation set is too small: validation_fraction={fraction} of"
            f" n_samples={n_rows} holds out {n_held}; raise it, or give X_val and y_val"
        )
    if stratify is not None:
        n_classes = len(np.unique(stratify))
        if n_held < n_classes:
            raise ValueError(
                f"labels would be missing from validation: validation_fraction={fraction} of"
                f" {n_rows} rows holds out {n_held}, fewer than the {n_classes} classes; raise it,"
                " or give X_val and y_val"
            )
    train, held = train_test_split(
        np.arange(n_rows), test_size=fraction, random_state=seed, stratify=stratify
    )
    return rows.take(train), rows.take(held)
