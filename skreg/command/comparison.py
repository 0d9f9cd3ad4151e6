"""Three models on one table, honestly validated.

Everything that learns from rows, imputing and encoding too, is fitted on the training rows of a
fold and scored on the others; the held-out test rows are used once, at the end.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.utils.parallel import Parallel, delayed

from ..linear import ElasticNet, Lasso, Ridge, regularization_path
from ..paths.fit_path import PathResult, open_ends
from ..selection.result import CVResult
from .table import Table, TableError, time_folds

L1_RATIOS = (0.1, 0.5, 0.9)
PRECISION: dict[str, Any] = {"tol": 1e-6, "max_iter": 10_000}  # of the sparse models


class Split(NamedTuple):
    """Training and held-out rows, after a preprocessing that was fitted to the training rows."""

    X_train: np.ndarray
    y_train: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray
    fitted: Pipeline


@dataclass(frozen=True)
class Row:
    """One model of the comparison.

    Parameters
    ----------
    name : str
        What the table calls it.
    path : PathResult
        Its path on all training rows, features and target divided by their standard deviations.
    cv : CVResult
        The errors of its folds, in the unit of the target squared, on the alphas of `path`.
    index : int
        Position of the chosen alpha.
    test_r2 : float
        R² of the chosen alpha on the test rows.
    seconds : float
        Wall time of the fits: the path and the folds, of every l1_ratio that was tried.
    """

    name: str
    path: PathResult
    cv: CVResult
    index: int
    test_r2: float
    seconds: float


@dataclass(frozen=True)
class Comparison:
    """The models that were compared, and on what.

    Parameters
    ----------
    title : str
        The table's title.
    rows : tuple of Row
        Lasso, ElasticNet with its best l1_ratio, Ridge.
    n_train, n_test, n_folds : int
        Rows the models were fitted to, rows held out, folds of the cross-validation.
    feature_names : ndarray of str
        Names of the coefficients.
    rule : {"min", "1se"}
        How alpha was chosen.
    """

    title: str
    rows: tuple[Row, ...]
    n_train: int
    n_test: int
    n_folds: int
    feature_names: np.ndarray
    rule: str


def split(table: Table, train: np.ndarray, test: np.ndarray) -> Split:
    """Fit the table's preprocessing on the training rows and apply it to both parts.

    Parameters
    ----------
    table : Table
        The data.
    train, test : ndarray of int
        Positions of rows.

    Returns
    -------
    Split
    """
    fitted = clone(table.preprocessing).fit(table.X[train])
    X_train, X_test = fitted.transform(table.X[train]), fitted.transform(table.X[test])
    return Split(X_train, table.y[train], X_test, table.y[test], fitted)


def compare(
    table: Table,
    *,
    n_folds: int = 5,
    rule: str = "min",
    test_size: float = 0.2,
    seed: int = 0,
    n_jobs: int | None = None,
) -> Comparison:
    """Fit Lasso, ElasticNet and Ridge paths and choose their penalties by cross-validation.

    Parameters
    ----------
    table : Table
        The data.
    n_folds : int, default=5
        Shuffled folds of the training rows; of a table with times, folds one after another.
    rule : {"min", "1se"}, default="min"
        The alpha of the smallest error, or the largest within one standard error of it.
    test_size : float, default=0.2
        Fraction of the rows that is held out for the R² of the chosen models: the latest ones of
        a table with times.
    seed : int, default=0
        Of the random split and the folds.
    n_jobs : int or None, default=None
        Processes that share the folds.

    Returns
    -------
    Comparison

    Raises
    ------
    TableError
        If the table has too few rows for the folds and the test.
    """
    n_samples = len(table.y)
    n_test = int(np.ceil(test_size * n_samples))
    if n_test < 2 or n_samples - n_test < 2 * n_folds:
        raise TableError(
            f"{n_samples} rows are too few: 2 are needed in the test and in each of "
            f"{n_folds} folds; add rows, or change --folds and --test-size"
        )
    if table.times is None:
        train, test = train_test_split(np.arange(n_samples), test_size=n_test, random_state=seed)
        parts = list(KFold(n_folds, shuffle=True, random_state=seed).split(train))
    else:  # the latest rows are the test, and rows of one time stay together
        begin = int(np.searchsorted(table.times, table.times[n_samples - n_test]))
        train, test = np.arange(begin), np.arange(begin, n_samples)
        parts = time_folds(table.times[train], n_folds)
    # Neither alpha nor what an l1_ratio means should depend on the unit of the target.
    unit = float(np.std(table.y[train]))
    if unit == 0:
        raise TableError("the target has one value in all training rows: another --seed, more rows")
    table = replace(table, y=table.y / unit)
    whole = split(table, train, test)
    folds = [split(table, train[inside], train[outside]) for inside, outside in parts]

    def row(name: str, estimator: Lasso | ElasticNet | Ridge) -> Row:
        return _cross_validate(name, estimator, whole, folds, unit, rule, n_jobs)

    mixtures = [
        row(f"ElasticNet, l1_ratio {ratio}", ElasticNet(l1_ratio=ratio, **PRECISION))
        for ratio in L1_RATIOS
    ]
    best = min(mixtures, key=lambda each: each.cv.mean.min())
    best = replace(best, seconds=sum(each.seconds for each in mixtures))
    rows = (row("Lasso", Lasso(**PRECISION)), best, row("Ridge", Ridge()))
    names = table.feature_names(whole.fitted)
    return Comparison(table.title, rows, len(train), len(test), n_folds, names, rule)


def _cross_validate(
    name: str,
    estimator: Lasso | ElasticNet | Ridge,
    whole: Split,
    folds: Sequence[Split],
    unit: float,
    rule: str,
    n_jobs: int | None,
) -> Row:
    begin = time.perf_counter()
    path = regularization_path(estimator, whole.X_train, whole.y_train)
    errors = Parallel(n_jobs=n_jobs)(
        delayed(_held_out_errors)(estimator, path.alphas, fold) for fold in folds
    )
    seconds = time.perf_counter() - begin
    cv = CVResult(
        alphas=path.alphas,
        errors=np.column_stack(errors) * unit**2,
        fold_weights=np.array([len(fold.y_test) for fold in folds], dtype=float),
        l1_ratio=path.l1_ratio,
        open_ends=open_ends(path.l1_ratio),
    )
    index = cv.select(rule)
    predicted = whole.X_test @ path.coefs[:, index] + path.intercepts[index]
    return Row(name, path, cv, index, r2_score(whole.y_test, predicted), seconds)


def _held_out_errors(
    estimator: Lasso | ElasticNet | Ridge, alphas: np.ndarray, fold: Split
) -> np.ndarray:
    path = regularization_path(estimator, fold.X_train, fold.y_train, alphas=alphas)
    predicted = fold.X_test @ path.coefs + path.intercepts
    return np.mean((fold.y_test[:, np.newaxis] - predicted) ** 2, axis=0)
