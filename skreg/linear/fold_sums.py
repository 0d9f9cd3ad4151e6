"""Sums over the rows of each fold, of blocks as users give them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ..data.products import is_sparse
from ..rows.blocks import block_of, n_rows_of, naming_block
from .moments import Moments, check_block
from .room import refuse_too_large

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
        refuse_two_foldings(labelled, n_folds)
        if weight is not None and not np.any(weight):  # rows of no weight are none
            return cls({}, labelled, k, n_rows)
        by_fold: dict[Any, Moments] = {}
        with naming_block(k):
            if n_folds == 0 and not labelled:
                raise ValueError("there are no folds: set cv, as cv=5, or give folds with rows")
            # All rows at once, so that an error says which of the block's it is in.
            checked = check_block(X, y, weight, names, "RowBlocks")
            if n_folds == 1:
                return cls({0: Moments._of_checked(*checked)}, labelled, k, n_rows)
            fold = folds_of_rows(given, rng, n_folds or USUAL_FOLDS, n_rows)
            order = np.argsort(fold, kind="stable")
            labels, starts = np.unique(fold[order], return_index=True)
            if len(labels) == 1:
                return cls({labels.item(): Moments._of_checked(*checked)}, labelled, k, n_rows)
            by_row, target, own_weight, own_names = checked
            if is_sparse(by_row):
                by_row = by_row.tocsr()
            refuse_too_large(by_row.shape[1] + (target.size // n_rows) + 1, len(labels))
            rows_of, target = _taken(by_row, order), target[order]
            own_weight = None if own_weight is None else own_weight[order]
            for label, start, end in zip(
                labels.tolist(), starts, [*starts[1:], n_rows], strict=True
            ):
                rows = slice(start, end)
                weights = None if own_weight is None else own_weight[rows]
                if weights is None or np.any(weights):
                    own = rows_of(rows), target[rows], weights
                    by_fold[label] = Moments._of_checked(*own, own_names)
        return cls(by_fold, labelled, k, n_rows)

    @classmethod
    def added(
        cls,
        total: Self | None,
        block: Any,
        k: int,
        rng: np.random.Generator,
        n_folds: int | None,
    ) -> Self:
        """Sums with the k-th block; see `of`."""
        return (total or cls()).joined(cls.of(block, k, rng, n_folds))

    def joined(self, other: Self) -> Self:
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
            if self.by_fold and other.by_fold:
                first, new = (next(iter(each.by_fold.values())) for each in (self, other))
                first._refuse_unlike(new)  # also of folds that are never added up
                refuse_too_large(
                    len(first.matrix.S), len(self.by_fold.keys() | other.by_fold.keys())
                )
            for label, own in other.by_fold.items():
                total[label] = total[label] + own if label in total else own
        return type(self)(total, other.labelled, other.block, self.n_rows + other.n_rows)

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


def refuse_two_foldings(labelled: bool, n_folds: int | None) -> None:
    """Refuse to deal rows to folds that come with folds."""
    if labelled and n_folds is not None and n_folds > 1:
        raise ValueError("the blocks have folds of their own: leave cv and n_folds at None")


def folds_of_rows(given: Any, rng: np.random.Generator, n_folds: int, n_rows: int) -> NDArray[Any]:
    """The label of each row's fold, dealt where none is given."""
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


def _taken(values: Any, order: NDArray[np.intp]) -> Callable[[slice], Any]:
    """What gives some of the rows in another order."""
    if not is_sparse(values) and values.flags.f_contiguous and not values.flags.c_contiguous:
        columns = values.T.take(order, axis=1).T
        return lambda rows: columns[rows]
    # One copy of them all: memory for many small ones was asked for anew in each block, which took
    # a quarter of the time.
    whole = values[order] if is_sparse(values) else values.take(order, axis=0)
    return lambda rows: whole[rows]
