"""The data at a glance: what the columns hold, what is missing, what says the same."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .columns import Columns, describe
from .contents import Glance, Task
from .correlation import correlated_groups
from .wording import numeral, percent

MOST_CLASSES = 30


def glance(table: Columns, y: NDArray[np.generic], task: Task, target: str) -> Glance:
    """Look at a table and its target, which has this name."""
    columns = tuple(describe(table))
    found = correlated_groups(table)
    numeric = "Correlations are those of the numeric columns."
    both = len({column.kind == "number" for column in columns}) > 1
    return Glance(
        task=task,
        target=target,
        target_summary=_target(y, task),
        n_rows=table.n_rows,
        n_columns=len(columns),
        columns=columns,
        constant=tuple(
            column.name
            for column in columns
            if column.n_distinct == 0 or (column.n_distinct == 1 and not column.n_missing)
        ),
        n_missing=sum(column.n_missing for column in columns),
        correlated=found.groups,
        correlation_threshold=found.threshold,
        notes=(*found.notes, *[numeric] * both),
    )


def _target(y: NDArray[np.generic], task: Task) -> tuple[tuple[str, str], ...]:
    if task == "regression":
        import pandas

        words = ("mean", "standard deviation", "smallest", "median", "largest")
        found = pandas.Series(y.astype(float)).describe(percentiles=[0.5]).iloc[1:]
        return tuple(zip(words, map(numeral, found.to_numpy()), strict=True))
    classes, counts = np.unique(y, return_counts=True)
    shown = [
        (str(name), f"{count:,} rows ({percent(count / len(y))})")
        for name, count in zip(classes[:MOST_CLASSES], counts, strict=False)
    ]
    if len(classes) > MOST_CLASSES:
        shown.append(
            (f"{len(classes) - MOST_CLASSES} more", f"{counts[MOST_CLASSES:].sum():,} rows")
        )
    return tuple(shown)
