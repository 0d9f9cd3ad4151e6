"""Rows that come block by block, and their sums, fold by fold, in one pass."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, ClassVar, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..data.products import BLOCK_ENTRIES
from ..estimators.validation import NotATable
from ..rows.arrow import arrow_blocks
from ..rows.blocks import Block, numbered
from ..rows.dask import block_of_partition, partition_parts, partitions
from ..rows.lines import LinesOfRows
from ..rows.mapped import check_lengths, is_large_map, slice_of
from ..rows.source import Part, RowSource
from .fold_sums import USUAL_FOLDS, FoldSums
from .moments import Moments

# Sums that one task merges.
MERGED_AT_ONCE = 8


class AddsUp(Protocol):
    """Sums over rows that can be joined, in any order and tree."""

    @property
    def n_rows(self) -> Any:
        """How many, in all or in each group."""

    def joined(self, other: Self) -> Self:
        """The sums over the rows of both."""


S = TypeVar("S", bound=AddsUp)
#: From sums, None at first, a block, its number, a generator that deals its rows to folds, and how
#: many folds these are, to the sums with the block.
Added = Callable[[S | None, Any, int, np.random.Generator, int | None], S]


class RowBlocks(RowSource, NotATable):
    """Rows in blocks, which need not be in memory at once.

    `fit` of the linear models takes it in the place of X, without y, and gives the answer of the
    rows in memory, with the same folds. With the squared error one pass sums up the rows, of each
    fold apart where folds are needed.

    Logistic regression, the models of counts and amounts and linear support vector machines read
    the rows once for each of Newton's steps: about 8 times for one fit, 15 times for a path of 100
    alphas, and 20 to 25 times for 100 alphas in 5 folds, which are all fitted in the same passes:
    `n_jobs` has nothing to share out there. An iterator, which serves one pass, is refused. They
    keep up to 12 matrices of ``(k (n_features + 1))^2`` numbers for each fold, and with
    `class_weight` for each class in it; k is the number of classes where there are more than two,
    else 1. What takes more than an eighth of the memory is refused. Offsets, `relax`, `adaptive`,
    `concave` and scorers need rows in memory.

    Without an L1 part degrees of freedom come from second derivatives at points nearby: most often
    they have three digits, and what the rules "aic" and "bic" compare has four.

    Parameters
    ----------
    blocks : iterable or callable
        Of tuples (X, y), (X, y, sample_weight) or (X, y, sample_weight, fold), where the third may
        be None and `fold` has the number or label of each row's fold. A callable is called without
        arguments for each pass and returns such an iterable; an iterator, as a generator is, serves
        one pass.
    random_state : int, default=0
        For the folds of a cross-validation where blocks have none: each row is dealt to one of them
        at random, in the order of the rows, alike however they are split into blocks.
    verbose : bool, default=False
        Whether to print how many rows were read, about every second: in each pass, by networks in
        all passes together.

    See Also
    --------
    Moments : The sums themselves.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skreg import LassoCV, RowBlocks
    >>> X, y = load_diabetes(return_X_y=True)
    >>> rows = RowBlocks(lambda: ((X[i : i + 100], y[i : i + 100]) for i in range(0, 442, 100)))
    >>> model = LassoCV(cv=5).fit(rows)
    >>> model.n_features_in_, model.mse_path_.shape
    (10, (100, 5))
    """

    _taken_by: ClassVar[str] = "fit"

    def __init__(
        self,
        blocks: Iterable[Any] | Callable[[], Iterable[Any]],
        *,
        random_state: int = 0,
        verbose: bool = False,
    ) -> None:
        if not callable(blocks) and not isinstance(blocks, Iterable):
            raise TypeError(
                f"blocks must be an iterable of (X, y), or a callable that returns one, not"
                f" {type(blocks).__name__}"
            )
        self.random_state = whole_number(random_state, "random_state", 0)
        self.blocks, self.verbose = blocks, verbose
        self._spent = False

    @classmethod
    def from_arrow(
        cls,
        source: Any,
        *,
        target: str | Sequence[str],
        sample_weight: str | None = None,
        fold: str | None = None,
        columns: Sequence[str] | None = None,
        random_state: int = 0,
        verbose: bool = False,
    ) -> RowBlocks:
        """Rows of anything that pyarrow reads batch by batch.

        Parameters
        ----------
        source : str, path, list of these, or an object of Arrow
            Parquet files (a file, a folder, a pattern such as ``"part-*.parquet"`` or a list), a
            `pyarrow.dataset.Dataset`, a `RecordBatchReader`, or what has ``__arrow_c_stream__``:
            tables and results of pyarrow, polars, DuckDB and others.
        target : str or list of str
            Columns that are y; a list makes a y of two dimensions.
        sample_weight, fold : str, optional
            Columns that are the weight and the fold of each row.
        columns : list of str, optional
            The features; by default all other columns, which must be numbers.
        random_state, verbose
            See `RowBlocks`.

        Returns
        -------
        RowBlocks

        Raises
        ------
        ImportError
            If pyarrow is not installed.
        FileNotFoundError
            If there is no such file.
        TypeError
            If the source is none of these.
        ValueError
            If a column is missing, or holds no numbers.
        """
        blocks = arrow_blocks(source, target, sample_weight, fold, columns)
        return cls(blocks, random_state=random_state, verbose=verbose)

    @classmethod
    def from_dask(
        cls, X: Any, y: Any, sample_weight: Any = None, fold: Any = None, *, random_state: int = 0
    ) -> RowBlocks:
        """Rows of arrays and frames of Dask, which stay where they are.

        The sums over the rows of a partition are one task, and others merge them in a tree: only
        (p + q + 1)^2 numbers travel for each fold, and nothing is computed twice. Any scheduler
        serves, that of a cluster too. Losses other than the squared error compute the partitions
        once for each of Newton's steps: `persist` what takes long to make.

        Parameters
        ----------
        X : dask.array.Array or dask.dataframe.DataFrame
            Of one partition along the columns; an array of several is rechunked.
        y : str, or array, Series or DataFrame of Dask
            A column of the frame X, or rows in partitions as those of X; an array in other chunks
            of known sizes is rechunked.
        sample_weight, fold : str or as y, optional
        random_state : int, default=0
            Deals the rows of each partition to folds, where there is no `fold`.

        Returns
        -------
        RowBlocks

        Raises
        ------
        ValueError
            If partitions do not belong together.
        """
        return DaskRows(X, y, sample_weight, fold, random_state)

    def __iter__(self) -> Iterator[Any]:
        """One pass."""
        if self.serves_one_pass:
            if self._spent:
                raise ValueError(
                    "these RowBlocks were made of an iterator, which serves one pass, and that was"
                    " made: give a callable that returns a new one"
                )
            self._spent = True
        return super().__iter__()

    def moments(self) -> Moments:
        """The sums over all rows, in one pass.

        Returns
        -------
        Moments
        """
        (found,) = self._sums(1)
        return found

    def moments_of_folds(self, n_folds: int | None = None) -> list[Moments]:
        """The sums over the rows of each fold, in one pass.

        Parameters
        ----------
        n_folds : int, optional
            How many folds rows are dealt to, by default 5; None where blocks have folds.

        Returns
        -------
        list of Moments
            In the order of the folds' labels.
        """
        return self._sums(None if n_folds is None else whole_number(n_folds, "n_folds", 2))

    def _sums(self, n_folds: int | None) -> list[Moments]:
        """Those of each fold; see `FoldSums.of`."""
        return self.in_one_pass(FoldSums.added, n_folds).in_order(n_folds)

    def in_one_pass(self, added: Added[S], n_folds: int | None) -> S:
        """What all blocks add up to; see `Added`.

        Rows that bring no fold are dealt to so many, None is 5 and 0 refuses them; 1 asks for none.
        """
        return self._added(self, added, n_folds)

    def _added(self, blocks: Iterable[Any], added: Added[S], n_folds: int | None) -> S:
        rng, total = np.random.Generator(np.random.Philox(self.random_state)), None
        lines, n_rows = LinesOfRows(self.verbose), 0
        for k, block in numbered(blocks):
            total = added(total, block, k, rng, n_folds)
            before, n_rows = n_rows, int(np.sum(total.n_rows))
            lines.add(n_rows - before)
        if total is None:
            what = ": the callable must return a new iterable for each pass"
            raise ValueError(f"the blocks have no rows{what if callable(self.blocks) else ''}")
        return total


def whole_number(value: Any, name: str, least: int) -> int:
    """A whole number that is not too small."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} must be an int, not {type(value).__name__}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}")
    return int(value)


def folds_of_cv(cv: Any) -> int | None:
    """How many folds the rows of blocks are dealt to; None where they may bring theirs."""
    if cv is None:
        return None
    if not isinstance(cv, numbers.Integral):
        raise ValueError(
            "cv must be a number of folds, to which the rows of RowBlocks are dealt, or None,"
            f" got {cv!r}; folds of your own come with the blocks"
        )
    return whole_number(cv, "cv", 2)


# Memory maps ----------------------------------------------------------------------------------

# Large maps of at least so many rows a column are read block by block: the vectors of their rows,
# which a fit in memory makes two dozens of, are then no longer small.
ROWS_A_COLUMN = 100


class MappedRows(RowBlocks):
    """The rows of a memory map, of which the folds of a cross-validation are stretches."""

    def __init__(self, X: Any, y: Any, sample_weight: Any) -> None:
        check_lengths(X, y, sample_weight)
        self._arrays = X, y, sample_weight
        self._fold: NDArray[np.int32] | None = None
        super().__init__(partial(self._stretches, 1))

    @staticmethod
    def serves(X: Any, y: Any) -> bool:
        """Whether rows are a map that is large, beside the square of its columns too."""
        is_large = is_large_map(X, y) and X.dtype.kind == "f"
        return is_large and len(X) >= ROWS_A_COLUMN * X.shape[1]

    def hold_out(self, splits: Iterable[tuple[Any, Any]]) -> None:
        """Take these folds instead, whose test rows are all rows."""
        self._fold = np.empty(len(self._arrays[0]), dtype=np.int32)
        for k, (_, test) in enumerate(splits):
            self._fold[test] = k

    def in_one_pass(self, added: Added[S], n_folds: int | None) -> S:
        """See `RowBlocks`."""
        count = n_folds or USUAL_FOLDS
        return self._added(self._stretches(count), added, 1 if count == 1 else None)

    def _stretches(self, n_folds: int) -> Iterator[Block]:
        """Blocks with the folds that scikit-learn's `KFold` has."""
        X, y, weight = self._arrays
        size, left = divmod(len(X), n_folds)
        ends = np.cumsum([size + (k < left) for k in range(n_folds)])
        step = max(1, BLOCK_ENTRIES // X.shape[1])
        for start in range(0, len(X), step):
            rows = slice(start, start + step)
            fold: Any = None
            if n_folds > 1:
                at = np.arange(start, min(start + step, len(X)))
                dealt = np.searchsorted(ends, at, side="right")
                fold = dealt if self._fold is None else self._fold[rows]
            own = weight[rows] if np.ndim(weight) else weight
            yield Block(X[rows], slice_of(y, rows), own, fold)


# Dask -----------------------------------------------------------------------------------------


class DaskRows(RowBlocks):
    """Rows in the partitions of Dask; see `RowBlocks.from_dask`."""

    def __init__(self, X: Any, y: Any, sample_weight: Any, fold: Any, random_state: int) -> None:
        super().__init__((), random_state=random_state)
        self._partitions = partitions(X, y, sample_weight, fold)

    def parts(self) -> Sequence[Part]:
        """See `RowSource`."""
        return partition_parts(self._partitions)

    def __iter__(self) -> Iterator[Any]:
        raise TypeError("the rows of Dask stay where they are: use moments or moments_of_folds")

    def in_one_pass(self, added: Added[S], n_folds: int | None) -> S:
        """See `RowBlocks`."""
        import dask

        added = dask.delayed(added)
        sums = [
            dask.delayed(_of_partition)(added, *one, k, self.random_state, n_folds)
            for k, one in enumerate(self._partitions)
        ]
        while len(sums) > 1:
            groups = range(0, len(sums), MERGED_AT_ONCE)
            sums = [dask.delayed(_merged)(sums[i : i + MERGED_AT_ONCE]) for i in groups]
        total: S
        (total,) = dask.compute(*sums)
        return total


def _of_partition(
    added: Added[S], X: Any, y: Any, weight: Any, fold: Any, k: int, seed: int, n_folds: int | None
) -> S:
    """What one task sums up."""
    rng = np.random.Generator(np.random.Philox(seed).jumped(k))
    return added(None, block_of_partition(X, y, weight, fold), k, rng, n_folds)


def _merged(sums: Sequence[S]) -> S:
    total, *others = sums
    for one in others:
        total = total.joined(one)
    return total
