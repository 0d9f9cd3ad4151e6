"""Models of classes on one table: logistic regression with two penalties, and a network.

As for numbers, all that learns from rows is fitted on the training rows of a fold and judged on the
others, and the test rows are used once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import log_expit, log_softmax
from sklearn.base import clone
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.pipeline import make_pipeline

from ..estimators.runtime import warn
from ..linear import LogisticRegression
from ..neural import MLPClassifier
from ..paths.grid import open_ends
from ..paths.result import PathResult
from ..report.evaluation import ALL_ROWS, evaluate, splits_of
from ..report.scores import USUAL_METRICS, Metric, Predictions
from ..selection.result import ENDS, LOG_LOSS, CVResult
from .comparison import Paths
from .models import CS, network
from .table import Table, TableError, time_folds

NAMES = ("Logistic regression, L1", "Logistic regression, L2", "Network")


@dataclass(frozen=True)
class ClassRow:
    """One model of the comparison."""

    name: str  # what the table calls it
    # its path on all training rows, features divided by their standard deviations; no network's
    path: PathResult | None
    cv: CVResult  # log-losses of its folds, on the alphas of `path`; one column of a network
    index: int  # position of the chosen alpha
    rule: str  # {"min", "1se"}: how alpha was chosen
    test_log_loss: float
    test_accuracy: float
    seconds: float  # wall time of the fits: the path and the folds


@dataclass(frozen=True)
class ClassComparison:
    """The models that were compared, and on what."""

    title: str  # the table's title
    rows: tuple[ClassRow, ...]  # L1, L2, network
    n_train: int  # rows the models were fitted to
    n_test: int  # rows held out
    n_folds: int  # of the cross-validation
    feature_names: np.ndarray  # names of the coefficients
    classes: np.ndarray  # sorted
    largest: str  # the class that has most of the training rows
    share: float  # of the test rows that are of it


def log_probabilities(path: PathResult, X: np.ndarray) -> np.ndarray:
    """Of each class at each alpha, shape (n_rows, n_alphas, n_classes)."""
    if path.coefs.ndim == 2:
        eta = X @ path.coefs + path.intercepts
        return np.stack([log_expit(-eta), log_expit(eta)], axis=-1)
    eta = np.einsum("ij,kja->iak", X, path.coefs) + path.intercepts.T
    return np.asarray(log_softmax(eta, axis=-1))


def _log_losses(held: Predictions) -> np.ndarray:
    """Mean over the rows at each alpha, the models one after another."""
    X, rows = held.model[:-1].transform(held.X), np.arange(len(held.y))
    codes = np.searchsorted(held.classes, held.y)
    said = [log_probabilities(path, X)[rows, :, codes] for path in held.model[-1].paths_]
    return -np.concatenate([each.mean(axis=0) for each in said])


MEASURED_OF_CLASSES = (
    Metric("log-losses", False, _log_losses),
    Metric("seconds of each model", False, lambda held: held.model[-1].seconds_),
)


def compare_classes(
    table: Table,
    *,
    n_folds: int = 5,
    rule: str | None = None,
    test_size: float = 0.2,
    seed: int = 0,
    n_jobs: int | None = None,
) -> ClassComparison:
    """Fit paths of logistic regression with L1 and L2, and a network, judged by their log-losses.

    Parameters
    ----------
    table : Table
        The data, whose target are classes.
    n_folds : int, default=5
        Shuffled folds of the training rows, with the same share of each class; of a table with
        times, folds one after another.
    rule : {"min", "1se"} or None, default=None
        The alpha of the smallest log-loss, or the largest within one standard error of it. None is
        "1se" for L1, which is to be simple, and "min" for L2.
    test_size : float, default=0.2
        Fraction of the rows that is held out for the test.
    seed : int, default=0
        Of the random split, the folds and the network.
    n_jobs : int or None, default=None
        Processes that share the folds.

    Returns
    -------
    ClassComparison

    Raises
    ------
    TableError
        If a class has too few rows for the folds and the test.
    """
    y, classes = table.y, np.unique(table.y)
    train, test, parts = _split(table, n_folds, test_size, seed)
    models = [LogisticRegression(l1_ratio=1.0), LogisticRegression(l1_ratio=0.0)]
    last = Paths(models, [None, np.sort(1.0 / (CS * len(train)))[::-1]])
    whole = make_pipeline(clone(table.preprocessing), last).fit(table.X[train], y[train])
    paths = whole[-1].paths_
    on_grids = make_pipeline(table.preprocessing, Paths(models, [path.alphas for path in paths]))
    # In order of time the first fold learns from the fewest rows, as `usual_models` has it.
    fewest = y[train] if table.times is None else np.repeat(y[parts[0][0]], 2)
    net = make_pipeline(table.preprocessing, MLPClassifier(**network(fewest, table.task, seed)))
    folds = splits_of([(train[inside], train[outside]) for inside, outside in parts])
    options: dict[str, Any] = {"classes": classes, "n_jobs": n_jobs}
    (of_paths,) = evaluate(
        [(NAMES[0], on_grids, folds)], table.X, y, MEASURED_OF_CLASSES, **options
    )
    log_loss_of = USUAL_METRICS["classification"]["neg_log_loss"]
    everything = {ALL_ROWS: (train, None)} | folds
    ((fitted, *of_net),) = evaluate(
        [(NAMES[2], net, everything)], table.X, y, [log_loss_of], **options
    )
    for message in dict.fromkeys(
        said for fit in (*of_paths, fitted, *of_net) for _, said in fit.warned
    ):
        warn(message)
    errors, seconds = zip(*(fit.values for fit in of_paths), strict=True)
    weights = np.array([len(outside) for _, outside in parts], dtype=float)
    rows, X_test = [], whole[0].transform(table.X[test])
    for name, path, of_folds, spent, own_rule, ends in zip(
        NAMES,
        paths,
        np.split(np.column_stack(errors), [len(paths[0].alphas)]),
        np.sum([whole[-1].seconds_, *seconds], axis=0),
        (rule or "1se", rule or "min"),
        (open_ends(1.0), ENDS),
        strict=False,
    ):
        cv = CVResult(path.alphas, of_folds, weights, path.l1_ratio, LOG_LOSS, open_ends=ends)
        index = cv.select(own_rule)
        chances = np.exp(log_probabilities(path, X_test)[:, index])
        scores = _test_scores(y[test], chances, classes)
        rows.append(ClassRow(name, path, cv, index, own_rule, *scores, float(spent)))
    cv = CVResult(
        np.zeros(1), np.array([[fit.values[0] for fit in of_net]]), weights, metric=LOG_LOSS
    )
    scores = _test_scores(y[test], fitted.model.predict_proba(table.X[test]), classes)
    spent = sum(fit.seconds for fit in (fitted, *of_net))
    rows.append(ClassRow(NAMES[2], None, cv, 0, "min", *scores, spent))
    largest = classes[np.argmax([np.sum(y[train] == label) for label in classes])]
    return ClassComparison(
        table.title,
        tuple(rows),
        len(train),
        len(test),
        n_folds,
        table.feature_names(whole[0]),
        classes,
        str(largest),
        float(np.mean(y[test] == largest)),
    )


def _split(
    table: Table, n_folds: int, test_size: float, seed: int
) -> tuple[np.ndarray, np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
    """Training and test rows, and the folds of the training rows, with every class in each."""
    y, n_samples = table.y, len(table.y)
    if table.times is None:
        return stratified_split(y, n_folds, test_size, seed, np.unique(y))
    n_test = int(np.ceil(test_size * n_samples))
    if n_test < 2 or n_samples - n_test < 2 * n_folds:
        raise TableError(f"{n_samples} rows are too few for {n_folds} folds and a test")
    begin = int(np.searchsorted(table.times, table.times[n_samples - n_test]))
    parts = time_folds(table.times[:begin], n_folds)
    late = np.setdiff1d(y, y[parts[0][0]])
    if late.size:
        raise TableError(
            f"--time: class {late[0]!s} is not among the {len(parts[0][0])} rows before the first"
            " fold: fewer --folds, or leave --time out"
        )
    return np.arange(begin), np.arange(begin, n_samples), parts


def stratified_split(
    y: np.ndarray, n_folds: int, test_size: float, seed: int, names: np.ndarray
) -> tuple[np.ndarray, np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
    """Training and test rows, and the folds of the training rows, with shares of each class.

    `names` are those of the classes, in their order.
    """
    counts, n_samples = np.unique(y, return_counts=True)[1], len(y)
    n_test = int(np.ceil(test_size * n_samples))
    fewest, rare = int(counts.min()), names[counts.argmin()]
    too_few = n_test < len(names) or n_samples - n_test < len(names) or fewest < 2
    if not too_few:
        rows = np.arange(n_samples)
        train, test = train_test_split(rows, test_size=n_test, random_state=seed, stratify=y)
        too_few = bool(np.unique(y[train], return_counts=True)[1].min() < n_folds)
    if too_few:
        raise TableError(
            f"class {rare!s} has {fewest} row{'s' * (fewest > 1)}, too few for {n_folds} folds"
            " and a test: fewer --folds, more rows, or leave the class out"
        )
    folds = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
    return train, test, list(folds.split(train, y[train]))


def _test_scores(y: np.ndarray, chances: np.ndarray, classes: np.ndarray) -> tuple[float, float]:
    """Log-loss, and share of the rows whose most probable class is the right one."""
    right = classes[chances.argmax(axis=1)] == y
    return float(log_loss(y, chances, labels=classes)), float(right.mean())
