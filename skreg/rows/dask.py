"""Which partitions of Dask belong together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from .blocks import Block


def is_dask(values: Any) -> bool:
    """Whether it is a collection of Dask, which is not imported for that."""
    return type(values).__module__.partition(".")[0] in ("dask", "dask_expr")


def partitions(X: Any, y: Any, sample_weight: Any, fold: Any) -> list[tuple[Any, Any, Any, Any]]:
    """X, y, weights and folds of each partition, delayed; names of columns of X as they are."""
    if not is_dask(X):
        raise TypeError(f"X must be an array or a frame of Dask, not {type(X).__name__}")
    others = {"y": y, "sample_weight": sample_weight, "fold": fold}
    parts = [_delayed(_with_whole_rows(X))]
    for name, values in others.items():
        if values is None or isinstance(values, str):
            if isinstance(values, str) and values not in list(getattr(X, "columns", ())):
                raise ValueError(f"{name}={values!r} is no column of X")
            parts.append([values] * len(parts[0]))
            continue
        if not is_dask(values):
            raise TypeError(
                f"{name} must be a column of X, or a collection of Dask as X is, not"
                f" {type(values).__name__}"
            )
        found = _delayed(_as_rows_of(X, values))
        if len(found) != len(parts[0]):
            raise ValueError(
                f"{name} has {len(found)} partitions where X has {len(parts[0])}, of unknown sizes:"
                " repartition it, or give it as a column of X"
            )
        parts.append(found)
    if y is None:
        raise ValueError("y is missing: give a collection of Dask, or the name of a column of X")
    return list(zip(*parts, strict=True))


def block_of_partition(X: Any, y: Any, weight: Any, fold: Any) -> Block:
    """The block of a partition that has been computed, whose columns may have the other parts."""
    roles = [one for one in (y, weight, fold) if isinstance(one, str)]
    frame = X
    y, weight, fold = (frame[one] if isinstance(one, str) else one for one in (y, weight, fold))
    return Block(frame.drop(columns=roles) if roles else frame, y, weight, fold)


def partition_parts(
    found: Sequence[tuple[Any, Any, Any, Any]],
) -> Sequence[Callable[[], Iterator[Block]]]:
    """The rows of partitions in parts of one block each, which is computed when it is read."""
    return [partial(_computed, one) for one in found]


def _computed(partition: tuple[Any, Any, Any, Any]) -> Iterator[Block]:
    import dask

    yield block_of_partition(*dask.compute(*partition))


def _with_whole_rows(X: Any) -> Any:
    """An array whose rows are not cut; a frame's never are."""
    if getattr(X, "numblocks", None) is not None and X.ndim == 2 and X.numblocks[1] > 1:
        return X.rechunk({1: -1})
    return X


def _as_rows_of(X: Any, values: Any) -> Any:
    """An array in the chunks of X along the rows, where both are known."""
    own, wanted = getattr(values, "chunks", None), getattr(X, "chunks", None)
    values = _with_whole_rows(values)
    if own is None or wanted is None or own[0] == wanted[0]:
        return values
    if np.isnan([*own[0], *wanted[0]]).any() or sum(own[0]) != sum(wanted[0]):
        return values  # which are told by their numbers, or by those of the rows
    return values.rechunk({0: wanted[0]})


def _delayed(values: Any) -> list[Any]:
    """The partitions, one a range of rows; what several collections are made of is made once."""
    return list(np.ravel(values.to_delayed(optimize_graph=False)))
