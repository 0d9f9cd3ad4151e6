"""Sums over the rows of each fold, of blocks as users give them."""

from __future__ import annotations

import numbers
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ..estimators.validation import numeric
from ..rows.blocks import block_of, n_rows_of, naming_block
from .moments import Moments

# Folds that rows are dealt to where nothing is said.
USUAL_FOLDS = 5


@dataclass(frozen=True, eq=False)
class FoldSums:
    """Moments of the rows of each fold; without folds they are all one.

    Attributes
    ----------
    by_fold : dict
    labelled : bool or None
        Whether folds came with the rows; None where there were no rows.
    block : int
        The last that was added.
    n_rows : int
        Those of no weight among them.
    """

    by_fold: dict[Any, Moments] = field(default_factory=dict)
    labelled: bool | None = None
    block: int = 0
    n_rows: int = 0

    @classmethod
    def of(cls, block: Any, k: int, rng: np.random.Generator, n_folds: int | None) -> Self:
        """Those of the k-th block.

        Rows that bring no fold are dealt to so many, None is 5 and 0 refuses them; 1 asks for none.
        """
        X, y, weight, given, names = block_of(block, k)
        n_rows = n_rows_of(X)
        if not n_rows:
            return cls(block=k)
        labelled = given is not None
        if labelled and n_folds is not None and n_folds > 1:
            raise ValueError("the blocks have folds of their own: leave cv and n_folds at None")
        by_fold, fold = {}, None
        with naming_block(k):
            if n_folds != 1:
                if not labelled and n_folds == 0:
                    raise ValueError("there are no folds: set cv, as cv=5, or give folds with rows")
                fold = _folds(given, rng, n_folds or USUAL_FOLDS, n_rows)
            for label, own_X, own_y, own_weight in _by_fold(X, y, weight, fold):
                by_fold[label] = Moments.of(own_X, own_y, own_weight, names)
        return cls(by_fold, labelled, k, n_rows)

    def joined(self, other: FoldSums) -> FoldSums:
        """The rows of both."""
        if other.labelled is None:
            return self
        if self.labelled not in (None, other.labelled):
            raise ValueError(f"block {other.block}: folds must be in all blocks or in none")
        kind, before = other._kind_of_labels, self._kind_of_labels
        if kind and before and kind != before:
            raise ValueError(f"block {other.block}: folds are {kind} here and {before} before")
        total = dict(self.by_fold)
        with naming_block(other.block):
            for label, own in other.by_fold.items():
                total[label] = total[label] + own if label in total else own
        return FoldSums(total, other.labelled, other.block, self.n_rows + other.n_rows)

    @property
    def _kind_of_labels(self) -> str | None:
        """None where no row has a weight."""
        label = next(iter(self.by_fold), None)
        return None if label is None else "text" if isinstance(label, str) else "numbers"

    def in_order(self, n_folds: int | None) -> list[Moments]:
        """The moments of each fold."""
        if not self.by_fold:
            raise ValueError("the blocks have no rows")
        if n_folds != 1 and len(self.by_fold) < 2:
            raise ValueError(f"a cross-validation needs at least 2 folds, got {len(self.by_fold)}")
        return [self.by_fold[label] for label in sorted(self.by_fold)]


def _folds(given: Any, rng: np.random.Generator, n_folds: int, n_rows: int) -> NDArray[Any]:
    """The label of each row's fold."""
    if given is None:
        return np.asarray(np.floor(rng.random(n_rows) * n_folds), dtype=np.intp)
    labels = np.asarray(given)
    if labels.shape != (n_rows,):
        raise ValueError(f"fold must have shape ({n_rows},), got {labels.shape}")
    if labels.dtype.kind == "f":
        if not np.isfinite(labels).all():
            raise ValueError(f"fold is missing in row {int(np.argmax(~np.isfinite(labels)))}")
    elif labels.dtype.kind not in "iub":
        labels = labels.astype(str)
    return labels


def _by_fold(X: Any, y: Any, weight: Any, fold: NDArray[Any] | None) -> Iterator[Any]:
    """The rows of each fold, with its label; rows of weight zero alone are none."""
    if fold is None:
        if weight is None or np.any(weight):
            yield 0, X, y, weight
        return
    uniform = weight is None or isinstance(weight, numbers.Number)
    if not uniform:
        weight = numeric(weight, "sample_weight", "row")
        if weight.shape != fold.shape:
            raise ValueError(f"sample_weight must have shape {fold.shape}, got {weight.shape}")
    for label in np.unique(fold).tolist():
        rows = np.flatnonzero(fold == label)
        own = weight if uniform else weight[rows]
        if own is None or np.any(own):
            yield label, _taken(X, rows), _taken(y, rows), own


def _taken(values: Any, rows: NDArray[np.intp]) -> Any:
    """Some of the rows."""
    if hasattr(values, "iloc"):
        return values.iloc[rows]
    if isinstance(values, np.ndarray) and values.ndim == 2 and values.flags.f_contiguous:
        return values.T.take(rows, axis=1).T
    return values[rows] if hasattr(values, "shape") else np.asarray(values)[rows]
