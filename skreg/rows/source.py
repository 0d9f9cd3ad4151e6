"""Where blocks of rows come from, and what of them can be read in any order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from .blocks import refuse_with_blocks
from .dask import is_dask, partition_parts, partitions
from .mapped import is_large_map, map_parts

#: Reads a part of the rows, block by block.
Part = Callable[[], Iterable[Any]]


class RowSource:
    """Base of rows that are read in blocks.

    Attributes
    ----------
    blocks : iterable or callable
        Of blocks. A callable gives such an iterable for each pass.
    """

    blocks: Iterable[Any] | Callable[[], Iterable[Any]]

    def __iter__(self) -> Iterator[Any]:
        blocks = self.blocks
        if callable(blocks):
            blocks = blocks()
            if not isinstance(blocks, Iterable):
                raise TypeError(
                    "blocks must return an iterable of (X, y) when it is called, not"
                    f" {type(blocks).__name__}"
                )
        return iter(blocks)

    @property
    def serves_one_pass(self) -> bool:
        """Whether the blocks are gone once they have been read."""
        return isinstance(self.blocks, Iterator)

    def parts(self) -> Sequence[Part]:
        """The parts of the rows that can be read in any order; all together are one pass."""
        if isinstance(self.blocks, list | tuple):
            return [partial(iter, (block,)) for block in self.blocks]
        of_reader: Callable[[], Sequence[Part]] | None = getattr(self.blocks, "parts", None)
        return [self.__iter__] if of_reader is None else of_reader()


def parts_of_rows(X: Any, y: Any, sample_weight: Any) -> Sequence[Part] | None:
    """The parts of rows that are to be read in blocks; None where `fit` is given other rows."""
    if isinstance(X, RowSource):
        refuse_with_blocks(y, sample_weight)
        return X.parts()
    if is_dask(X):
        return partition_parts(partitions(X, y, sample_weight, None))
    if is_large_map(X, y):
        return map_parts(X, y, sample_weight)
    return None
