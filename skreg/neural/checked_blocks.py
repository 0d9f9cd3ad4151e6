"""Blocks of rows as users give them, checked."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_regressor
from sklearn.utils.multiclass import check_classification_targets

from ..estimators.validation import check_table, check_weights, refuse_sparse
from ..rows.blocks import Block, block_of, n_rows_of, naming_block, numbered
from ..rows.lines import LinesOfRows
from ..rows.source import Part
from .engine.batches import Targets


@dataclass(frozen=True)
class CheckedBlock:
    """Some rows, checked.

    Attributes
    ----------
    first : int
        The number of its first row among all rows.
    X, y : array or CSR matrix, array
    weight : ndarray or None
    targets : Targets or None
        Of y, once it is known how to encode it.
    """

    first: int
    X: Any
    y: NDArray[Any]
    weight: NDArray[np.float64] | None
    targets: Targets | None


class CheckedBlocks:
    """Reads blocks, and refuses what is wrong with them by block, row and column.

    Parameters
    ----------
    estimator : estimator
        Stays as it is.
    parts : sequence of callables
        As `RowSource.parts` gives them.
    dtype : dtype
        Of X.
    going_on : bool
        Whether the estimator knows its columns already.
    verbose : bool, default=False
        Whether to print how many rows were read.

    Attributes
    ----------
    encode : callable or None
        Makes targets of the y of a block.
    """

    encode: Callable[[Any], Targets] | None = None

    def __init__(
        self,
        estimator: Any,
        parts: Sequence[Part],
        dtype: Any,
        going_on: bool,
        verbose: bool = False,
    ) -> None:
        self.parts, self._dtype, self._begins = parts, dtype, not going_on
        # Of arrays whose columns the reader of a file has names for scikit-learn would say that
        # they have none.
        self._noted = copy.copy(estimator)
        self._names = getattr(estimator, "feature_names_in_", None) if going_on else None
        self._ends = [(0, 0)]  # how many blocks and rows there are before each part
        self._y: NDArray[Any] | None = None
        self._lines = LinesOfRows(verbose)

    def note_columns(self, estimator: Any) -> None:
        """Note on the estimator how many columns there are and what they are called."""
        vars(estimator).pop("feature_names_in_", None)
        estimator.n_features_in_ = self._noted.n_features_in_
        names = getattr(self._noted, "feature_names_in_", self._names)
        if names is not None:
            estimator.feature_names_in_ = names

    def part(self, p: int) -> Iterator[CheckedBlock]:
        """The blocks of a part that have rows; in the first pass the parts come in their order."""
        n_blocks, row = self._ends[p]
        for k, given in numbered(self.parts[p](), n_blocks):
            block = block_of(given, k)
            self._lines.add(n_rows := n_rows_of(block.X))
            if n_rows:
                with naming_block(k):
                    checked = self._checked(block, row)
                del given, block
                yield checked
                del checked
            n_blocks, row = k + 1, row + n_rows
        if p + 1 == len(self._ends):
            self._ends.append((n_blocks, row))
        elif self._ends[p + 1] != (n_blocks, row):
            before, (blocks, rows) = self._ends[p], self._ends[p + 1]
            raise ValueError(
                f"the blocks gave {row - before[1]} rows in {n_blocks - before[0]} blocks where the"
                f" first pass had {rows - before[1]} rows in {blocks - before[0]}: they must be the"
                " same in each pass, so a callable must return a new iterable each time"
            )

    def _checked(self, block: Block, row: int) -> CheckedBlock:
        self._check_names(block)
        regression = is_regressor(self._noted)
        with np.errstate(over="ignore", invalid="ignore"):
            X, y = check_table(
                self._noted,
                block.X,
                block.y,
                numeric_y=regression,
                accept_sparse="csr",
                dtype=self._dtype,
                order="C",
                reset=self._begins,
            )
        refuse_sparse(y, "y")
        self._begins = False
        y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
        first = self._y = y[:0].copy() if self._y is None else self._y
        if y.shape[1:] != first.shape[1:]:
            widths = [1 if each.ndim == 1 else each.shape[1] for each in (y, first)]
            raise ValueError(f"y has {widths[0]} columns, where the blocks before had {widths[1]}")
        if not regression and (y.dtype.kind in "OUS") != (first.dtype.kind in "OUS"):
            raise ValueError("y has text in some blocks and numbers in others")
        kind = y.dtype.kind
        if not regression and (kind == "S" or (kind == "f" and np.any(y != np.floor(y)))):
            check_classification_targets(y)  # which refuses it
        weight = block.sample_weight
        if weight is not None:
            weight = check_weights(weight, X) if np.any(weight) else np.zeros(len(y))
        return CheckedBlock(row, X, y, weight, None if self.encode is None else self.encode(y))

    def _check_names(self, block: Block) -> None:
        """Names that came beside an array must be those of the blocks, or of the fit, before."""
        if block.names is None:
            return
        vars(self._noted).pop("feature_names_in_", None)
        names = np.array(block.names, dtype=object)
        if self._names is None and self._begins:
            self._names = names
        elif self._names is None or not np.array_equal(self._names, names):
            raise ValueError(f"the columns are {names.tolist()}, where {self._names} were expected")
