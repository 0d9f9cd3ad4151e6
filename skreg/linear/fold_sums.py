"""Sums over the rows of each fold, of blocks as users give them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..data.products import is_sparse
from ..rows.blocks import block_of, n_rows_of, naming_block
from .moments import Moments, check_block
from .room import refuse_too_large

# Folds that rows are dealt to where nothing is said.
USUAL_FOLDS = 5

K = TypeVar("K")


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
        with naming_block(other.block):
            refuse_half_labelled(self.labelled, other.labelled)
            refuse_other_kinds("folds", self.by_fold, other.by_fold)
            total = joined_groups(self.by_fold, other.by_fold)
        return type(self)(total, other.labelled, other.block, self.n_rows + other.n_rows)

    def in_order(self, n_folds: int | None) -> list[Moments]:
        """The moments of each fold."""
        if not self.by_fold:
            raise ValueError("the blocks have no rows")
        if n_folds != 1 and len(self.by_fold) < 2:
            raise ValueError(f"a cross-validation needs at least 2 folds, got {len(self.by_fold)}")
        return [self.by_fold[label] for label in sorted(self.by_fold)]


def joined_groups(before: dict[K, Moments], new: dict[K, Moments]) -> dict[K, Moments]:
    """Moments of the rows of both, group by group."""
    total = dict(before)
    if before and new:
        first, other = (next(iter(each.values())) for each in (before, new))
        first._refuse_unlike(other)  # also of groups that are never added up
        refuse_too_large(len(first.matrix.S), len(before.keys() | new.keys()))
    for key, own in new.items():
        total[key] = total[key] + own if key in total else own
    return total


def refuse_half_labelled(before: bool | None, here: bool) -> None:
    """Refuse rows that come with folds among others; None where there were no rows."""
    if before not in (None, here):
        raise ValueError("folds must be in all blocks or in none")


def refuse_other_kinds(what: str, before: Iterable[Any], here: Iterable[Any]) -> None:
    """Refuse labels that are texts among numbers."""
    firsts = [next(iter(labels), None) for labels in (here, before)]
    kinds = ["text" if isinstance(first, str) else "numbers" for first in firsts]
    if None not in firsts and kinds[0] != kinds[1]:
        raise ValueError(f"{what} are {kinds[0]} here and {kinds[1]} before")


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
