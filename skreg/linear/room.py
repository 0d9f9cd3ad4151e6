"""Whether sums over rows have room in memory, said before they are made."""

from __future__ import annotations

import os

# What Hessians are counted by where the machine does not tell.
USUAL_MEMORY = 8 << 30
# Matrices as large as the sums that a fit takes at once, a fold, beside one more: measured, 4.1
# without folds, 17 with 5 folds and 31 with 10.
MATRICES_OF_A_FOLD = 3
# Hessians of so many alphas are kept at once.
MOST_HESSIANS = 12
# The share of a machine's memory that these may take.
SHARE_OF_HESSIANS = 0.125


class NoRoomError(ValueError):
    """Sums are too large for the memory, which rows need not be."""


def memory_of_machine() -> int | None:
    """In bytes; None where the system does not tell, as Windows, and nothing is to be refused."""
    try:
        n_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
    return n_bytes if n_bytes > 0 else None


def refuse_too_large(width: int, n_folds: int = 1) -> None:
    """Refuse moments of so many columns, and one more, that there is no room for."""
    needed, times, memory = 8 * width**2, MATRICES_OF_A_FOLD * n_folds + 1, memory_of_machine()
    if memory is not None and times * needed > memory:
        of_each, fewer = (f" for each of {n_folds} folds", " or folds") if n_folds > 1 else ("", "")
        raise NoRoomError(
            f"the sums over rows of {width - 1} columns are {width} x {width} numbers{of_each},"
            f" {needed / 2**30:.1f} GiB, and a fit takes {times} times that, where there are"
            f" {memory / 2**30:.1f} GiB of memory: choose fewer columns{fewer}, or fit rows that"
            " are in memory"
        )


def n_hessians(width: int, n_groups: int, least: int = 1) -> int:
    """How many Hessians there is room for; refuses problems of which not the least fit."""
    needed, memory = 8 * n_groups * width**2, memory_of_machine()
    room = SHARE_OF_HESSIANS * (memory or USUAL_MEMORY)
    if memory is not None and least * needed > room:
        raise NoRoomError(
            f"the second derivatives of {width} coefficients, intercepts included, in {n_groups}"
            f" groups of rows take {least * needed / 2**30:.1f} GiB, of {room / 2**30:.1f} GiB that"
            " there are for them, an eighth of the memory: choose fewer columns, classes or folds,"
            " or fit a part of the rows in memory"
        )
    return int(max(least, min(MOST_HESSIANS, room // needed)))
