"""What a pass over blocks of rows adds up for a smooth loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.powers_of_two import PowersOfTwo
from ..data.products import Array, is_sparse
from ..objective.losses import Loss
from ..solvers.newton.group_sums import GroupSums, PassQuery
from .survey import checked_rows


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
