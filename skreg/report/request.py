"""What is to be reported: the arguments of `skreg.report`, checked before any work is done."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import KFold, StratifiedKFold, check_cv
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted

from .contents import Task
from .families import deviances, power_of
from .scores import Metric, metrics_for

FEWEST_ROWS = 4
_MANY_CLASSES = 20  # of numbers, which may be a quantity
Fold = tuple[NDArray[np.intp], NDArray[np.intp]]  # training and held-out rows


@dataclass(frozen=True)
class Request:
    """Estimators and data, checked."""

    estimators: tuple[tuple[str, Any, bool], ...]  # name, estimator, whether it was fitted before
    X: Any  # as given; a list is an array by now
    y: NDArray[Any]
    names: tuple[str, ...]  # of the columns
    target: str
    title: str
    task: Task
    classes: NDArray[Any]  # sorted; empty for a regression
    folds: tuple[Fold, ...]
    metrics: list[Metric]  # what is measured on the rows held out
    random_state: Any

    @property
    def in_time_order(self) -> bool:
        """Whether every fold comes after the rows that it is predicted from."""
        return all(train.max() < test.min() for train, test in self.folds)

    @cached_property
    def held_out_rows(self) -> NDArray[np.intp]:
        """The rows that a fold holds out, in order."""
        return np.unique(np.concatenate([test for _, test in self.folds]))

    @property
    def times_held_out(self) -> float:
        """How many folds hold out a row, on average over the rows that any does."""
        return sum(len(test) for _, test in self.folds) / len(self.held_out_rows)


def fewest_held_out(folds: Sequence[Fold]) -> int:
    """Rows of the smallest fold."""
    return min(len(test) for _, test in folds)


def check_request(
    estimators: Any,
    X: Any,
    y: Any,
    *,
    cv: Any,
    scoring: Any,
    feature_names: Any,
    target_name: str | None,
    title: str | None,
    random_state: Any,
) -> Request:
    """Check all but the path; raise ValueError or TypeError, naming the parameter."""
    for what, text in (("title", title), ("target_name", target_name)):
        if not (text is None or isinstance(text, str)):
            raise TypeError(f"{what} must be text, got {text!r:.80}")
    named = _named_estimators(estimators)
    task = _task_of(named)
    if isinstance(y, str) or np.ndim(y) == 0:
        raise TypeError(f"y must be an array with one value a row, got {type(y).__name__}")
    try:
        check_random_state(random_state)
    except ValueError as error:
        raise ValueError(f"random_state: {error}") from None
    target = target_name or _name_of(y)
    y = _check_target(y, task)
    X, names = _check_table(X, feature_names)
    n_rows = X.shape[0]
    if len(y) != n_rows:
        raise ValueError(f"X has {n_rows} rows and y has {len(y)}: they must be as many")
    if n_rows < FEWEST_ROWS:
        raise ValueError(f"X has {n_rows} rows, too few for a comparison: give more")
    classes = np.unique(y) if task == "classification" else np.array([])
    fitted = tuple((*one, _is_fitted(*one, X, names, classes)) for one in named)
    folds = _check_folds(cv, X, y, task, random_state)
    powers = {power_of(estimator) for _, estimator in named} if task == "regression" else {0.0}
    # What all of them minimise ranks them, what some of them do is there to be read.
    where = {"before" if len(powers) == 1 else "after": deviances(powers)}
    metrics = metrics_for(task, scoring, fewest_held_out(folds), **where)
    title = title or f"Models of {target}"
    return Request(fitted, X, y, names, target, title, task, classes, folds, metrics, random_state)


def _named_estimators(estimators: Any) -> list[tuple[str, Any]]:
    what = "estimators must be an estimator, a list of them, or a list of (name, estimator)"
    if hasattr(estimators, "fit"):
        estimators = [estimators]
    if isinstance(estimators, (str, dict)) or not isinstance(estimators, Sequence):
        raise TypeError(f"{what}, got {type(estimators).__name__}")
    if not estimators:
        raise ValueError("estimators is empty: give one or more")
    if len(estimators) == 2 and isinstance(estimators[0], str):
        estimators = [estimators]  # a single (name, estimator)
    found: list[tuple[Any, Any]] = []
    for entry in estimators:
        pair = isinstance(entry, (tuple, list)) and len(entry) == 2
        name, estimator = entry if pair else (None, entry)
        kind = type(estimator).__name__
        if inspect.isclass(estimator):
            raise TypeError(
                f"estimators has the class {estimator.__name__}: write {estimator.__name__}()"
            )
        if getattr(estimator, "refit", True) is False:
            raise ValueError(f"estimators has a {kind} with refit=False, which cannot predict")
        if not hasattr(estimator, "fit") or not (name is None or isinstance(name, str)):
            raise TypeError(f"{what}; it has {estimator!r:.80}, a {kind}")
        if name is not None and name in [other for other, _ in found]:
            raise ValueError(f"estimators has two entries named {name!r}: rename one")
        found.append((name, estimator))
    for k, (name, estimator) in enumerate(found):
        if name is None:
            own, taken = _own_name(estimator), [other for other, _ in found]
            names = (own, *(f"{own} ({number})" for number in range(2, len(found) + 2)))
            found[k] = next(one for one in names if one not in taken), estimator
    return found


def _own_name(estimator: Any) -> str:
    """The class of the estimator; of the last step, where it is a Pipeline."""
    while isinstance(estimator, Pipeline):
        estimator = estimator.steps[-1][1]
    own = estimator.get_params(deep=False) if hasattr(estimator, "get_params") else {}
    inner, kind = own.get("estimator", own.get("regressor")), type(estimator).__name__
    return f"{kind} of {_own_name(inner)}" if hasattr(inner, "fit") else kind


def _task_of(named: list[tuple[str, Any]]) -> Task:
    regressors = [name for name, estimator in named if is_regressor(estimator)]
    classifiers = [name for name, estimator in named if is_classifier(estimator)]
    for name, _ in named:
        if name not in (*regressors, *classifiers):
            raise TypeError(f"estimators: {name} is neither a regressor nor a classifier")
    if regressors and classifiers:
        raise ValueError(
            f"estimators mixes regressors ({', '.join(regressors)}) and classifiers"
            f" ({', '.join(classifiers)}): report them apart"
        )
    return "regression" if regressors else "classification"


def _name_of(y: Any) -> str:
    """The name of a series, or of a frame's only column."""
    columns = getattr(y, "columns", None)
    name = columns[0] if columns is not None and len(columns) == 1 else getattr(y, "name", None)
    return "y" if name in (None, "") else str(name)


def _check_target(y: Any, task: Task) -> NDArray[Any]:
    import pandas

    y = np.asarray(y.to_numpy() if hasattr(y, "to_numpy") else y)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1:
        raise ValueError(
            f"y must have one value a row, got shape {y.shape}: report each target apart"
        )
    absent = pandas.isna(y)
    if absent.any():
        raise ValueError(f"y has {absent.sum()} missing values: leave those rows out of X and y")
    return _numbers(y) if task == "regression" else _labels(y)


def _numbers(y: NDArray[Any]) -> NDArray[Any]:
    try:
        y = y.astype(float)
    except (TypeError, ValueError):
        example = next((str(value) for value in y if isinstance(value, str)), y[0])
        raise ValueError(
            f"y is not made of numbers (such as {example!r:.40}), and the estimators are"
            " regressors: give classifiers"
        ) from None
    if not np.isfinite(y).all():
        raise ValueError("y has infinite values: correct them or leave those rows out")
    if y.size and np.ptp(y) == 0:
        raise ValueError(f"y is always {y[0]:g}: there is nothing to predict")
    return y


def _labels(y: NDArray[Any]) -> NDArray[Any]:
    if y.dtype == object:
        if len({isinstance(value, str) for value in y}) > 1:
            raise ValueError("y mixes text and other values: make all of them text")
        y = np.array(y.tolist())  # text, or the numbers that the objects are
        if y.ndim != 1 or y.dtype.kind not in "biufU":
            raise ValueError("y holds objects that are neither text nor numbers: make them text")
    if type_of_target(y).startswith("continuous"):
        raise ValueError(
            "y has fractions, and the estimators are classifiers: give regressors, or make it"
            " classes"
        )
    if len(np.unique(y)) == 1:
        raise ValueError(f"y has one class, {y[0]!s:.40}: a classifier needs two or more")
    return y


def _check_table(X: Any, feature_names: Any) -> tuple[Any, tuple[str, ...]]:
    if isinstance(X, (str, dict)):
        raise TypeError(f"X must be an array, a sparse matrix or a frame, got {type(X).__name__}")
    columns = getattr(X, "columns", None)
    if hasattr(X, "tocsr"):
        X = X.tocsr()
    elif columns is None:
        X = np.asarray(X)
    if len(X.shape) != 2:
        raise ValueError(f"X must have rows and columns, got shape {tuple(X.shape)}")
    n_columns = X.shape[1]
    if n_columns == 0:
        raise ValueError("X has no columns")
    whose = "X"
    names = [f"x{j}" for j in range(n_columns)] if columns is None else [*map(str, columns)]
    if feature_names is not None:
        if isinstance(feature_names, str) or not hasattr(feature_names, "__len__"):
            raise TypeError("feature_names must be a list with a name for each column of X")
        whose, own, names = "feature_names", names, [*map(str, feature_names)]
        if len(names) != n_columns:
            raise ValueError(f"feature_names has {len(names)} names for {n_columns} columns of X")
        if columns is not None and names != own:
            raise ValueError(
                "feature_names is for an X without names: rename the columns of the frame"
            )
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"{whose} has more than one column named {twice[0]!r}: rename them")
    return X, tuple(names)


def _check_folds(
    cv: Any, X: Any, y: NDArray[Any], task: Task, random_state: Any
) -> tuple[Fold, ...]:
    n_rows = len(y)
    if isinstance(cv, (bool, str, float)) or cv is None:
        raise TypeError(f"cv must be a number of folds or a splitter, got {cv!r}")
    if isinstance(cv, (int, np.integer)):
        if cv < 2:
            raise ValueError(f"cv={cv}: a comparison needs at least 2 folds")
        if task == "regression" and 2 * cv > n_rows:
            raise ValueError(f"cv={cv}: {n_rows} rows are too few for 2 in each fold")
        labels, counts = np.unique(y, return_counts=True)
        rare, count = labels[counts.argmin()], int(counts.min())
        if task == "classification" and cv > count:
            advice = "fewer folds, more rows, or leave the class out"
            if y.dtype.kind in "iuf" and len(labels) > _MANY_CLASSES:
                advice = f"to predict the {len(labels)} different numbers of y give regressors"
            raise ValueError(
                f"cv={cv}: class {rare!s:.40} of y has only {count} row{'s' * (count > 1)},"
                f" fewer than folds: {advice}"
            )
        kind = StratifiedKFold if task == "classification" else KFold
        cv = kind(int(cv), shuffle=True, random_state=random_state)
    try:
        splits = check_cv(cv, y, classifier=task == "classification").split(X, y)
        folds = tuple((_rows(train, n_rows), _rows(test, n_rows)) for train, test in splits)
    except (TypeError, ValueError) as error:
        raise ValueError(f"cv cannot split X and y: {error}") from error
    if len(folds) < 2:
        raise ValueError(f"cv makes {len(folds)} fold: a comparison needs at least 2")
    return folds


def _rows(given: Any, n_rows: int) -> NDArray[np.intp]:
    """Positions of the rows of a fold, which may be given as a mask."""
    rows = np.asarray(given)
    if rows.dtype == bool and rows.shape == (n_rows,):
        rows = np.flatnonzero(rows)
    if rows.ndim != 1 or not rows.size or rows.dtype.kind not in "iu":
        raise ValueError("it must give positions of rows, or a mask with an entry for each row")
    beyond = rows[(rows < -n_rows) | (rows >= n_rows)]
    if beyond.size:
        raise ValueError(f"it gives row {beyond[0]}, and there are {n_rows}, counted from 0")
    return rows.astype(np.intp) % n_rows


def _is_fitted(
    name: str, estimator: Any, X: Any, names: tuple[str, ...], classes: NDArray[Any]
) -> bool:
    """Whether the estimator is fitted; raise where it was fitted to another table."""
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        return False
    except TypeError as error:  # not an estimator in scikit-learn's sense
        raise TypeError(f"estimators: {name} is no estimator of scikit-learn's kind") from error
    learned = any(attribute.endswith("_") for attribute in vars(estimator))
    if not learned and not hasattr(estimator, "n_features_in_"):
        return False  # it can predict without a fit, but has had none
    width = getattr(estimator, "n_features_in_", X.shape[1])
    seen = getattr(estimator, "feature_names_in_", None)
    known = getattr(estimator, "classes_", None)
    if width != X.shape[1]:
        to = f"{width} columns, and X has {X.shape[1]}"
    elif seen is not None and hasattr(X, "columns") and list(seen) != list(names):
        to = "columns of other names than those of X"
    elif len(classes) and known is not None and not np.array_equal(known, classes):
        theirs, own = (", ".join(map(str, some))[:60] for some in (known, classes))
        to = f"other classes ({theirs}) than those of y ({own})"
    else:
        return True
    raise ValueError(f"estimators: {name} was fitted to {to}")
