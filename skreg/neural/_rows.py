"""Which rows a network is trained on: weights, the validation split, equal rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split
from sklearn.utils.validation import _check_sample_weight

from .batches import Index, Targets, dense_rows

# Largest table whose equal rows are looked for.
LARGEST_MERGED = 1000


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


def rows_that_count(weight: NDArray[np.float64] | None, n_rows: int) -> Rows:
    """The rows whose weight is not zero."""
    if weight is None:
        return Rows(np.arange(n_rows), None)
    if not np.any(weight > 0):
        raise ValueError("class_weight and sample_weight leave no row with a weight above zero")
    index = np.flatnonzero(weight)
    return Rows(index, weight[index])


def merge_equal(rows: Rows, X: Any, targets: Targets) -> Rows:
    """Equal rows as one row with their weights added, in an order that the values alone give.

    To a training that takes all rows at once this is the same objective, and weight k is then the
    row k times to the last bit.
    """
    table = dense_rows(X, rows.index)
    values = targets.values[rows.index].reshape(len(table), -1)
    key = np.column_stack([table.astype(np.float64), values.astype(np.float64)])
    _, first, group = np.unique(key, axis=0, return_index=True, return_inverse=True)
    weight = np.bincount(group.ravel(), weights=rows.weight, minlength=len(first))
    equal = bool(np.all(weight == weight[0]))
    return Rows(rows.index[first], None if equal else weight.astype(np.float64))


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
