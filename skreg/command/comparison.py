"""Three models on one table, honestly validated.

Everything that learns from rows, imputing and encoding too, is fitted on the training rows of a
fold and scored on the others; the held-out test rows are used once, at the end.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold, train_test_split
from sklearn.pipeline import make_pipeline

from ..estimators.runtime import warn
from ..linear import ElasticNet, Lasso, Ridge, regularization_path
from ..paths.grid import open_ends
from ..paths.result import PathResult
from ..report.evaluation import evaluate, splits_of
from ..report.scores import Metric, Predictions
from ..selection.result import CVResult
from .models import L1_RATIOS, PRECISION
from .table import Table, TableError, time_folds


class Paths(BaseEstimator):
    """Regularization paths of several models, side by side.

    As the last step of a Pipeline they share what the other steps have learned.

    Parameters
    ----------
    models : list of Lasso, ElasticNet or Ridge
    alphas : list of ndarray or None
        The grid of each model; None takes the usual one.
    """

    def __init__(self, models: list[Any], alphas: list[Any]) -> None:
        self.models = models
        self.alphas = alphas

    def fit(self, X: np.ndarray, y: np.ndarray) -> Paths:
        """Fit the paths one after another, and take the time of each."""
        self.paths_: list[PathResult] = []
        self.seconds_: list[float] = []
        for model, alphas in zip(self.models, self.alphas, strict=True):
            begin = time.perf_counter()
            self.paths_.append(regularization_path(model, X, y, alphas=alphas))
            self.seconds_.append(time.perf_counter() - begin)
        return self


def _squared_errors(held: Predictions) -> np.ndarray:
    """Mean over the rows at each alpha, the models one after another."""
    X, y = held.model[:-1].transform(held.X), held.y[:, np.newaxis]
    return np.concatenate(
        [
            np.mean((y - (X @ path.coefs + path.intercepts)) ** 2, axis=0)
            for path in held.model[-1].paths_
        ]
    )


MEASURED = (
    Metric("squared errors", False, _squared_errors),
    Metric("seconds of each model", False, lambda held: held.model[-1].seconds_),
)


@dataclass(frozen=True)
class Row:
    """One model of the comparison."""

    name: str  # what the table calls it
    # its path on all training rows, features and target divided by their standard deviations
    path: PathResult
    # the errors of its folds, in the unit of the target squared, on the alphas of `path`
    cv: CVResult
    index: int  # position of the chosen alpha
    test_r2: float  # R² of the chosen alpha on the test rows
    # wall time of the fits: the path and the folds, of every l1_ratio that was tried
    seconds: float


@dataclass(frozen=True)
class Comparison:
    """The models that were compared, and on what."""

    title: str  # the table's title
    rows: tuple[Row, ...]  # Lasso, ElasticNet with its best l1_ratio, Ridge
    n_train: int  # rows the models were fitted to
    n_test: int  # rows held out
    n_folds: int  # of the cross-validation
    feature_names: np.ndarray  # names of the coefficients
    rule: str  # {"min", "1se"}: how alpha was chosen


def check_rows_for_folds(n_samples: int, n_folds: int, test_size: float) -> int:
    """How many rows are held out for the test; refuse too few of them."""
    n_test = int(np.ceil(test_size * n_samples))
    if n_test < 2 or n_samples - n_test < 2 * n_folds:
        raise TableError(
            f"{n_samples} rows are too few: 2 are needed in the test and in each of "
            f"{n_folds} folds; add rows, or change --folds and --test-size"
        )
    return n_test


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
    n_test = check_rows_for_folds(n_samples, n_folds, test_size)
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
    y = table.y / unit
    mixtures = {f"ElasticNet, l1_ratio {r}": ElasticNet(l1_ratio=r, **PRECISION) for r in L1_RATIOS}
    models = {"Lasso": Lasso(**PRECISION), **mixtures, "Ridge": Ridge()}
    last = Paths(list(models.values()), [None] * len(models))
    whole = make_pipeline(clone(table.preprocessing), last).fit(table.X[train], y[train])
    paths = whole[-1].paths_
    on_grids = make_pipeline(table.preprocessing, Paths(last.models, [p.alphas for p in paths]))
    folds = splits_of([(train[inside], train[outside]) for inside, outside in parts])
    (fits,) = evaluate([("Paths", on_grids, folds)], table.X, y, MEASURED, n_jobs=n_jobs)
    for message in dict.fromkeys(said for fit in fits for _, said in fit.warned):
        warn(message)
    errors, seconds = zip(*(fit.values for fit in fits), strict=True)
    ends = np.cumsum([len(path.alphas) for path in paths])[:-1]
    weights = np.array([len(outside) for _, outside in parts], dtype=float)
    rows = []
    X_test = whole[0].transform(table.X[test])
    for name, path, of_folds, spent in zip(
        models,
        paths,
        np.split(np.column_stack(errors) * unit**2, ends),
        np.sum([whole[-1].seconds_, *seconds], axis=0),
        strict=True,
    ):
        cv = CVResult(
            alphas=path.alphas,
            errors=of_folds,
            fold_weights=weights,
            l1_ratio=path.l1_ratio,
            open_ends=open_ends(path.l1_ratio),
        )
        index = cv.select(rule)
        score = r2_score(y[test], X_test @ path.coefs[:, index] + path.intercepts[index])
        rows.append(Row(name, path, cv, index, score, float(spent)))
    lasso, *mixed, ridge = rows
    best = min(mixed, key=lambda each: each.cv.mean.min())
    best = replace(best, seconds=sum(each.seconds for each in mixed))
    names = table.feature_names(whole[0])
    return Comparison(
        table.title, (lasso, best, ridge), len(train), len(test), n_folds, names, rule
    )
