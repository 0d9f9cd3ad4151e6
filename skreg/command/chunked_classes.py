"""Logistic regressions of `class_comparison.py` on a table that is read in chunks.

They read the rows once for each of Newton's steps, so the numbers of the table are written to a
temporary file first, which is as large as eight bytes a number.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..linear import LogisticRegressionCV, RowBlocks
from ..paths.result import PathResult
from ..rows.blocks import Block
from .class_comparison import (
    NAMES,
    ClassComparison,
    ClassRow,
    log_probabilities,
    stratified_split,
)
from .models import CS
from .reading.chunks import ReportProgress
from .reading.in_chunks import TableInChunks

# Numbers that are read from the temporary file at a time.
ENTRIES_OF_FILE = 1 << 20


class SpooledRows:
    """The rows of a table in a temporary file.

    Parameters
    ----------
    table : TableInChunks
    folder : str
        Where the file is made.
    progress : callable
        Gets how far reading has come.

    Attributes
    ----------
    X : memory map of shape (n_rows, n_features)
    y : ndarray of int
        The number of each row's class.
    """

    def __init__(self, table: TableInChunks, folder: str, progress: ReportProgress) -> None:
        shape = (table.n_rows, len(table.names))
        self.X = np.memmap(Path(folder) / "rows", np.float64, mode="w+", shape=shape)
        self.y = np.empty(table.n_rows, dtype=np.int32)
        begin = 0
        for block in table.blocks(np.zeros(table.n_rows, dtype=np.int8), progress):
            rows = slice(begin, begin + len(block.y))
            self.X[rows], self.y[rows] = block.X, block.y
            begin = rows.stop
        self._step = max(1, ENTRIES_OF_FILE // shape[1])

    def blocks(self, fold: NDArray[Any], held: int, inside: bool) -> Iterator[Block]:
        """Rows of all folds but one, or of that alone."""
        for start in range(0, len(self.y), self._step):
            rows = slice(start, start + self._step)
            chosen = (fold[rows] == held) == inside
            if chosen.any():
                yield Block(self.X[rows][chosen], self.y[rows][chosen], None, fold[rows][chosen])


def compare_classes_in_chunks(
    table: TableInChunks,
    progress: ReportProgress,
    *,
    n_folds: int = 5,
    rule: str | None = None,
    test_size: float = 0.2,
    seed: int = 0,
) -> ClassComparison:
    """Fit paths of logistic regression with L1 and L2, judged by their log-losses.

    Parameters
    ----------
    table : TableInChunks
        Whose target are classes.
    progress : callable
        Gets how far reading has come.
    n_folds, rule, test_size, seed
        As of `compare_classes`.

    Returns
    -------
    ClassComparison
        Without a network.

    Raises
    ------
    TableError
        If a class has too few rows for the folds and the test, or the table cannot be read.
    """
    with TemporaryDirectory(prefix="skreg-", ignore_cleanup_errors=True) as folder:
        spooled = SpooledRows(table, folder, progress)
        y, classes = spooled.y, table.classes
        assert classes is not None
        train, test, parts = stratified_split(y, n_folds, test_size, seed, classes)
        fold = np.full(len(y), n_folds, dtype=np.int16)  # that of the test
        for k, (_, outside) in enumerate(parts):
            fold[train[outside]] = k
        rows = RowBlocks(lambda: spooled.blocks(fold, n_folds, inside=False))
        matrix = rows.moments().matrix
        is_feature, scale = table.features_and_scale(matrix)
        on_grid = np.sort(1.0 / (CS * len(train)))[::-1]
        compared = []
        for name, l1_ratio, alphas, usual in (
            (NAMES[0], 1.0, 100, "1se"),
            (NAMES[1], 0.0, on_grid, "min"),
        ):
            begin = time.perf_counter()
            model = LogisticRegressionCV(
                alphas=alphas,
                l1_ratios=[l1_ratio],
                standardize=True,
                fold_weights="size",
                rule=rule or usual,
            ).fit(rows)
            spent = time.perf_counter() - begin
            cv, path = model.cv_result_, model.path_
            index = cv.select(rule or usual)
            held_out = spooled.blocks(fold, n_folds, inside=True)
            scores = _test_scores(path, index, held_out)
            path = replace(path, coefs=path.coefs[..., is_feature, :] * scale, feature_names=None)
            compared.append(ClassRow(name, path, cv, index, rule or usual, *scores, spent))
        largest = int(np.bincount(y[train]).argmax())
        return ClassComparison(
            table.title,
            tuple(compared),
            len(train),
            len(test),
            n_folds,
            table.names[is_feature],
            classes,
            str(classes[largest]),
            float(np.mean(y[test] == largest)),
        )


def _test_scores(path: PathResult, index: int, rows: Iterator[Block]) -> tuple[float, float]:
    """Log-loss, and share of the rows whose most probable class is the right one."""
    chosen = replace(path, coefs=path.coefs[..., [index]], intercepts=path.intercepts[..., [index]])
    n_rows, loss, right = 0, 0.0, 0
    for block in rows:
        said = log_probabilities(chosen, block.X)[:, 0]
        n_rows, right = n_rows + len(said), right + int(np.sum(said.argmax(axis=1) == block.y))
        loss -= float(said[np.arange(len(said)), block.y].sum())
    return loss / n_rows, right / n_rows
