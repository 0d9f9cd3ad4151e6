"""Blocks of rows, as users give them and as readers do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

# Parts of a block; the last two may be left out, or None.
FEWEST_PARTS, MOST_PARTS = 2, 4


class Block(NamedTuple):
    """Rows, and what the columns of X are called."""

    X: Any
    y: Any
    sample_weight: Any = None
    fold: Any = None
    names: Sequence[str] | None = None


def block_of(given: Any, k: int) -> Block:
    """What a user gives as a block."""
    if isinstance(given, Block):
        return given
    if not isinstance(given, (tuple, list)) or not FEWEST_PARTS <= len(given) <= MOST_PARTS:
        what = type(given).__name__
        if isinstance(given, (tuple, list)):
            what += f" of length {len(given)}"
        raise TypeError(
            f"block {k} must be a tuple (X, y), (X, y, sample_weight) or (X, y, sample_weight,"
            f" fold), got a {what}"
        )
    if given[1] is None:
        raise ValueError(f"block {k} has no y: it is None")
    return Block(*given)


def n_rows_of(X: Any) -> int:
    """How many rows a table of any kind has."""
    shape = getattr(X, "shape", None)
    return len(X) if shape is None else int(shape[0])


def refuse_with_blocks(y: Any, sample_weight: Any) -> None:
    """Refuse what blocks have themselves."""
    for name, value in (("y", y), ("sample_weight", sample_weight)):
        if value is not None:
            raise ValueError(f"RowBlocks have {name} in each block: leave out {name}")


@contextmanager
def naming_block(k: int) -> Iterator[None]:
    """Errors inside name the block."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise type(error)(f"block {k}: {error}") from error


def numbered(blocks: Iterable[Any], k: int = 0) -> Iterator[tuple[int, Any]]:
    """Blocks with their numbers from `k` on, which an error of their source is told with too."""
    found = iter(blocks)
    while True:
        try:
            yield k, next(found)  # no name here keeps a block alive
        except StopIteration:
            return
        except Exception as error:
            error.add_note(f"raised by the source of the rows, when block {k} was asked for")
            raise
        k += 1
