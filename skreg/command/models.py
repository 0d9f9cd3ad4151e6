"""The usual models of a page for a table of one's own, each behind its preprocessing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from ..linear import ElasticNetCV, LassoCV, LogisticRegressionCV, RidgeCV
from ..neural import MLPClassifier, MLPRegressor
from .table import LaterClasses, LaterRows, Table, TableError, time_folds

MODELS = {
    "regression": ("lasso", "elasticnet", "ridge", "mlp"),
    "classification": ("logistic-l1", "logistic", "mlp"),
}
USUAL = {
    "regression": ("lasso", "elasticnet", "ridge"),
    "classification": ("logistic-l1", "logistic", "mlp"),
}
L1_RATIOS = [0.1, 0.5, 0.9]
# Of logistic regression with L2, which makes them of their count; with L1 the data say which.
CS = np.logspace(-4, 4, 17)
PRECISION: dict[str, Any] = {"tol": 1e-6, "max_iter": 10_000}  # of the sparse models
ENOUGH_OF_A_CLASS = 50  # of a class
FEWEST_TO_STOP = 40  # rows of which a tenth of half, set apart to stop a training, is two
FEWEST_OF_A_CLASS = 4  # two in half of the rows, to learn from and to stop by
INNER_FOLDS = 5  # to choose a penalty by, within the training rows of a fold


def check_models(names: Sequence[str], task: str) -> tuple[str, ...]:
    """The models asked for, each once; the usual ones where none is.

    Raises
    ------
    TableError
        If one is not for this task.
    """
    chosen = tuple(dict.fromkeys(names)) or USUAL[task]
    wrong = [name for name in chosen if name not in MODELS[task]]
    if wrong:
        kind = "numbers" if task == "regression" else "classes"
        raise TableError(
            f"--model {wrong[0]} does not predict {kind}, which the target holds; choose from"
            f" {', '.join(MODELS[task])}, or change --task"
        )
    return chosen


def usual_models(
    names: Sequence[str], table: Table, *, rule: str | None, seed: int, folds: int = 5
) -> list[tuple[str, Pipeline]]:
    """Models by their names, each behind the table's preprocessing.

    Parameters
    ----------
    names : sequence of str
        From `MODELS`.
    table : Table
    rule : {"min", "1se"} or None
        How the linear models choose alpha; None is "1se" for logistic regression with L1, which is
        to be simple, and "min" for all others.
    seed : int
        Of the folds that choose it, and of the networks.
    folds : int, default=5
        How many the rows are split into; those of a table with times begin with few rows.

    Returns
    -------
    list of (str, Pipeline)
    """
    shuffled: dict[str, Any] = {"n_splits": INNER_FOLDS, "shuffle": True, "random_state": seed}
    in_time = None if table.times is None else LaterRows(INNER_FOLDS)
    linear: dict[str, Any] = {"cv": in_time or KFold(**shuffled), "rule": rule or "min"}
    precise = {**linear, **PRECISION}
    learned_from = table.y
    if table.times is not None:
        # The fewest rows are those before the first fold, all of which are learned from; `network`
        # counts on half of what it is given.
        learned_from = np.repeat(table.y[time_folds(table.times, folds)[0][0]], 2)
    of_network = network(learned_from, table.task, seed)
    made: dict[str, tuple[str, Any]]
    if table.task == "regression":
        plain = {
            "lasso": ("Lasso", LassoCV(**precise)),
            "elasticnet": ("Elastic net", ElasticNetCV(l1_ratio=L1_RATIOS, **precise)),
            "ridge": ("Ridge", RidgeCV(**linear)),
            "mlp": ("Network", MLPRegressor(**of_network)),
        }
        # What an l1_ratio means and how a network learns should not depend on the target's unit.
        made = {
            key: (name, TransformedTargetRegressor(model, transformer=StandardScaler()))
            for key, (name, model) in plain.items()
        }
    else:
        of_classes = StratifiedKFold(**shuffled) if in_time is None else LaterClasses(INNER_FOLDS)
        sparse = LogisticRegressionCV(
            alphas=100, l1_ratios=[1.0], cv=of_classes, rule=rule or "1se"
        )
        dense = LogisticRegressionCV(Cs=len(CS), cv=of_classes, rule=rule or "min")
        made = {
            "logistic-l1": ("Logistic regression, L1", sparse),
            "logistic": ("Logistic regression, L2", dense),
            "mlp": ("Network", MLPClassifier(**of_network)),
        }
    return [
        (title, Pipeline([*clone(table.preprocessing).steps, ("model", model)]))
        for title, model in (made[name] for name in names)
    ]


def network(y: np.ndarray, task: str, seed: int) -> dict[str, Any]:
    """Settings that do well on tables of any width, thanks to much dropout.

    With 32 rows in a batch, a dropout of 0.5 was better than none or 0.3 on most of five tables,
    from 72 x 7,129 to 4,601 x 57, and never much worse. Every fold learns from half of `y` or more.
    """
    settings: dict[str, Any] = {
        "hidden_layer_sizes": (64,),
        "dropout": 0.5,
        "input_dropout": 0.1,
        "batch_size": max(1, min(32, len(y) // 4)),  # what half of the rows can fill
        "early_stopping": len(y) >= FEWEST_TO_STOP,
        "n_iter_no_change": 20,
        "max_iter": 500,
        "random_state": seed,
    }
    if task == "classification":
        fewest = np.unique(y, return_counts=True)[1].min()
        settings["early_stopping"] &= bool(fewest >= FEWEST_OF_A_CLASS)
        if fewest >= ENOUGH_OF_A_CLASS:  # each class is then among the rows that stop the training
            settings["scoring"] = "neg_log_loss"
    return settings
