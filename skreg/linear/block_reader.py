"""What a pass over blocks of rows adds up for a smooth loss, and how much memory that may take."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.powers_of_two import PowersOfTwo
from ..data.products import Array, is_sparse
from ..objective.losses import Loss
from ..solvers.newton.group_sums import GroupSums, PassQuery
from .survey import checked_rows

# Hessians of so many alphas are kept at once, and points of a pass in so many bytes.
MOST_HESSIANS, BYTES_OF_POINTS = 12, 1 << 28
# The share of a machine's memory that Hessians may take.
SHARE_OF_MEMORY = 0.25
# What the machine is taken to have where it does not tell.
USUAL_MEMORY = 8 << 30


def n_hessians(width: int, n_groups: int, least: int = 1) -> int:
    """How many Hessians there is room for; refuses problems of which not the least fit."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not every system tells
        memory = USUAL_MEMORY
    needed, room = 8 * n_groups * width**2, 0.5 * SHARE_OF_MEMORY * memory
    if least * needed > room:
        raise ValueError(
            f"the second derivatives of {width} coefficients, intercepts included, in {n_groups}"
            f" groups of rows take {least * needed / 2**30:.1f} GiB, of {room / 2**30:.1f} GiB that"
            " there are for them, an eighth of the memory: choose fewer columns, classes or folds,"
            " or fit a part of the rows in memory"
        )
    return int(max(least, min(MOST_HESSIANS, room // needed)))


@dataclass(frozen=True, eq=False)
class BlockReader:
    """Adds blocks to the sums of a pass."""

    query: PassQuery
    loss: Loss
    classes: NDArray[Any] | None
    signed: bool
    folds: NDArray[Any]
    n_kinds: int
    powers: PowersOfTwo
    reference: Array

    def __call__(
        self,
        total: GroupSums | None,
        block: Any,
        k: int,
        rng: np.random.Generator,
        n_folds: int | None,
    ) -> GroupSums:
        """The sums with the k-th block."""
        if total is None:
            total = GroupSums.empty(self.query, len(self.folds) * self.n_kinds)
        of_numbers = self.loss if self.classes is None else None
        rows = checked_rows(block, k, rng, n_folds, of_numbers)
        if rows is None:
            return total
        group, y = np.zeros(len(rows.y), dtype=np.intp), rows.y
        if rows.fold is not None:
            known = np.isin(rows.fold, self.folds)  # those of no weight may be in no fold
            group = np.where(known, np.searchsorted(self.folds, rows.fold), 0)
            group = np.minimum(group, len(self.folds) - 1)
        weight = rows.weight
        if self.classes is not None:
            codes = np.minimum(np.searchsorted(self.classes, y), len(self.classes) - 1)
            if not np.array_equal(self.classes[codes], y):
                raise ValueError(
                    f"block {k}: there are classes that the first pass did not find: the callable"
                    " must return the same rows each time"
                )
            if self.n_kinds > 1:
                group = group * self.n_kinds + codes
            if len(self.classes) == 2:
                Y = codes[:, None].astype(np.float64)
            else:
                Y = np.eye(len(self.classes))[codes]
            Y = 2.0 * Y - 1.0 if self.signed else Y
        else:
            Y = y[:, None].astype(np.float64)
        X = rows.X
        if not self.powers.ordinary:
            X = self.powers.scaled(X.tocsc() if is_sparse(X) else X, y, None)[0]
            X = X.tocsr() if is_sparse(X) else X
        total.add(self.query, self.loss, X, Y, weight, group, self.reference)
        return total
