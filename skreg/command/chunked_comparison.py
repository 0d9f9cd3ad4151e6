"""The models of `comparison.py` on a table that is read in chunks: all they need are sums.

The rows are dealt to the test and to folds as those of a table in memory, their moments are summed
up in one pass, and each fold is fitted to the sums of the others. What is in memory grows with the
square of the number of features and, by a byte each, with the rows.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import KFold, train_test_split

from ..linear import ElasticNet, Lasso, Moments, Ridge, RowBlocks, regularization_path
from ..paths.grid import open_ends
from ..paths.result import PathResult
from ..selection.result import CVResult
from .comparison import Comparison, Row, check_rows_for_folds
from .models import L1_RATIOS, PRECISION
from .reading.chunks import ReportProgress
from .reading.in_chunks import TableInChunks
from .table import TableError


def compare_chunks(
    table: TableInChunks,
    progress: ReportProgress,
    *,
    n_folds: int = 5,
    rule: str = "min",
    test_size: float = 0.2,
    seed: int = 0,
) -> Comparison:
    """Fit Lasso, ElasticNet and Ridge paths and choose their penalties by cross-validation.

    Parameters
    ----------
    table : TableInChunks
    progress : callable
        Gets how far reading has come.
    n_folds, rule, test_size, seed
        As of `compare`.

    Returns
    -------
    Comparison
        That of the same rows in memory, where no numbers are missing and no categories pooled.

    Raises
    ------
    TableError
        If the table has too few rows for the folds and the test, or cannot be read.
    """
    n_test = check_rows_for_folds(table.n_rows, n_folds, test_size)
    train, test = train_test_split(np.arange(table.n_rows), test_size=n_test, random_state=seed)
    fold = np.full(table.n_rows, n_folds, dtype=np.int16)  # that of the test
    for k, (_, outside) in enumerate(KFold(n_folds, shuffle=True, random_state=seed).split(train)):
        fold[train[outside]] = k
    n_train = len(train)
    del train, test
    rows = RowBlocks(lambda: table.blocks(fold, progress))
    *folds, held_out = rows.moments_of_folds()
    whole = sum(folds[1:], folds[0])
    # Neither alpha nor what an l1_ratio means should depend on the unit of the target.
    unit = float(np.sqrt(whole.matrix.spread[-1]))
    if unit == 0:
        raise TableError("the target has one value in all training rows: another --seed, more rows")
    held_out, *folds = (in_unit(each, unit) for each in (held_out, *folds))
    parts = [sum(each[1:], each[0]) for each in _others(folds)]
    whole = in_unit(whole, unit)
    is_feature, scale = table.features_and_scale(whole.matrix)
    mixtures = {
        f"ElasticNet, l1_ratio {r}": ElasticNet(l1_ratio=r, standardize=True, **PRECISION)
        for r in L1_RATIOS
    }
    models: dict[str, Any] = {
        "Lasso": Lasso(standardize=True, **PRECISION),
        **mixtures,
        "Ridge": Ridge(standardize=True),
    }
    compared = []
    for name, model in models.items():
        begin = time.perf_counter()
        path = regularization_path(model, whole)
        errors = np.column_stack(
            [
                _errors(held, regularization_path(model, part, alphas=path.alphas))
                for part, held in zip(parts, folds, strict=True)
            ]
        )
        cv = CVResult(
            alphas=path.alphas,
            errors=np.ldexp(errors * unit**2, 2 * table.target_exponent),
            fold_weights=np.array([each.n_rows for each in folds], dtype=float),
            l1_ratio=path.l1_ratio,
            open_ends=open_ends(path.l1_ratio),
        )
        index = cv.select(rule)
        score = 1.0 - _errors(held_out, path)[index] / held_out.matrix.spread[-1]
        spent = time.perf_counter() - begin
        path = replace(path, coefs=path.coefs[is_feature] * scale, feature_names=None)
        compared.append(Row(name, path, cv, index, float(score), spent))
    lasso, *mixed, ridge = compared
    best = min(mixed, key=lambda each: each.cv.mean.min())
    best = replace(best, seconds=sum(each.seconds for each in mixed))
    names = table.names[is_feature]
    return Comparison(table.title, (lasso, best, ridge), n_train, n_test, n_folds, names, rule)


def _others(folds: list[Moments]) -> list[list[Moments]]:
    return [[*folds[:k], *folds[k + 1 :]] for k in range(len(folds))]


def in_unit(moments: Moments, unit: float) -> Moments:
    """The same with the target in another unit."""
    matrix = moments.matrix
    factor = np.ones(len(matrix.S))
    factor[-2] = 1.0 / unit
    S, reference = matrix.S * np.outer(factor, factor), matrix.reference * factor[:-1]
    return replace(moments, matrix=replace(matrix, S=S, reference=reference))


def _errors(held: Moments, path: PathResult) -> NDArray[np.float64]:
    """Mean squared errors at each alpha."""
    found = held.matrix.mean_squared_error(path.coefs[None], path.intercepts[None], least=0.0)
    assert found is not None
    return np.asarray(found[0])
