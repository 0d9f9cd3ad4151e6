"""What is to be reported: the arguments of `skreg.report`, checked before any work is done."""

from __future__ import annotations

import inspect
import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import is_classifier, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import KFold, StratifiedKFold, check_cv
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted

from .contents import Task

FEWEST_ROWS = 4
Fold = tuple[NDArray[np.intp], NDArray[np.intp]]


@dataclass(frozen=True)
class Request:
    """Estimators and data, checked.

    Parameters
    ----------
    estimators : tuple of (str, object, bool)
        Name, estimator, whether it was fitted before.
    X : array, sparse matrix or data frame
        As given; a list is an array by now.
    y : ndarray of shape (n_samples,)
    names : tuple of str
        Of the columns.
    named : bool
        Whether the names are the user's or X's own.
    target : str
    task : {"regression", "classification"}
    classes : ndarray
        Sorted; empty for a regression.
    folds : tuple of (ndarray, ndarray)
        Training and held-out rows.
    random_state : int, RandomState or None
    """

    estimators: tuple[tuple[str, Any, bool], ...]
    X: Any
    y: NDArray[Any]
    names: tuple[str, ...]
    named: bool
    target: str
    task: Task
    classes: NDArray[Any]
    folds: tuple[Fold, ...]
    random_state: Any


def check_request(
    estimators: Any,
    X: Any,
    y: Any,
    *,
    cv: Any,
    feature_names: Any,
    target_name: str | None,
    random_state: Any,
) -> Request:
    """Check all but the path; raise ValueError or TypeError, naming the parameter."""
    named = _named_estimators(estimators)
    task = _task_of(named)
    if isinstance(y, str) or np.ndim(y) == 0:
        raise TypeError(f"y must be an array with one value a row, got {type(y).__name__}")
    try:
        check_random_state(random_state)
    except ValueError as error:
        raise ValueError(f"random_state: {error}") from None
    if not (target_name is None or isinstance(target_name, str)):
        raise TypeError(f"target_name must be text, got {target_name!r:.80}")
    target_name = target_name or _name_of(y)
    y = _check_target(y, task)
    X, names, own = _check_table(X, feature_names)
    n_rows = X.shape[0]
    if len(y) != n_rows:
        raise ValueError(f"X has {n_rows} rows and y has {len(y)}: they must be as many")
    if n_rows < FEWEST_ROWS:
        raise ValueError(f"X has {n_rows} rows, too few for a comparison: give more")
    classes = np.unique(y) if task == "classification" else np.array([])
    folds = _check_folds(cv, X, y, task, random_state)
    fitted = tuple(
        (name, estimator, _is_fitted(name, estimator, X, names, classes))
        for name, estimator in named
    )
    return Request(fitted, X, y, names, own, target_name, task, classes, folds, random_state)


def in_time_order(request: Request) -> bool:
    """Whether every fold comes after the rows that it is predicted from."""
    return all(train.max() < test.min() for train, test in request.folds)


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
    found: list[tuple[str | None, Any]] = []
    for entry in estimators:
        pair = isinstance(entry, (tuple, list)) and len(entry) == 2
        name, estimator = entry if pair else (None, entry)
        if inspect.isclass(estimator):
            raise TypeError(
                f"estimators has the class {estimator.__name__}: write {estimator.__name__}()"
            )
        if getattr(estimator, "refit", True) is False:
            kind = type(estimator).__name__
            raise ValueError(f"estimators has a {kind} with refit=False, which cannot predict")
        if not hasattr(estimator, "fit") or not (name is None or isinstance(name, str)):
            raise TypeError(f"{what}; it has {estimator!r:.80}, a {type(estimator).__name__}")
        if name is not None and name in [other for other, _ in found]:
            raise ValueError(f"estimators has two entries named {name!r}: rename one")
        found.append((name, estimator))
    taken = {name for name, _ in found}
    result = []
    for name, estimator in found:
        if name is None:
            own = _own_name(estimator)
            counted = (f"{own} ({k})" for k in itertools.count(2))
            name = next(one for one in itertools.chain([own], counted) if one not in taken)
            taken.add(name)
        result.append((name, estimator))
    return result


def _own_name(estimator: Any) -> str:
    """The class of the estimator; of the last step, where it is a Pipeline."""
    while isinstance(estimator, Pipeline):
        estimator = estimator.steps[-1][1]
    kind, own = type(estimator).__name__, {}
    if hasattr(estimator, "get_params"):
        own = estimator.get_params(deep=False)
    inner = own.get("estimator", own.get("regressor"))
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
        example = next((value for value in y if isinstance(value, str)), y[0])
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


def _check_table(X: Any, feature_names: Any) -> tuple[Any, tuple[str, ...], bool]:
    if isinstance(X, (str, dict)):
        raise TypeError(f"X must be an array, a sparse matrix or a frame, got {type(X).__name__}")
    columns = getattr(X, "columns", None)
    stored_sparse = bool(sparse.issparse(X))
    if stored_sparse:
        X = X.tocsr()
    elif columns is None:
        X = np.asarray(X)
    if len(X.shape) != 2:
        raise ValueError(f"X must have rows and columns, got shape {tuple(X.shape)}")
    if X.shape[1] == 0:
        raise ValueError("X has no columns")
    own = [str(name) for name in columns] if columns is not None else None
    if feature_names is None:
        names = own or [f"x{j}" for j in range(X.shape[1])]
        return X, _each_once(names, "X"), own is not None
    if isinstance(feature_names, str) or not hasattr(feature_names, "__len__"):
        raise TypeError("feature_names must be a list with a name for each column of X")
    names = [str(name) for name in feature_names]
    if len(names) != X.shape[1]:
        raise ValueError(f"feature_names has {len(names)} names for {X.shape[1]} columns of X")
    if own is not None and names != own:
        raise ValueError("feature_names is for an X without names: rename the columns of the frame")
    return X, _each_once(names, "feature_names"), True


def _each_once(names: Sequence[str], what: str) -> tuple[str, ...]:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"{what} has more than one column named {twice[0]!r}: rename them")
    return tuple(names)


def _check_folds(
    cv: Any, X: Any, y: NDArray[Any], task: Task, random_state: Any
) -> tuple[Fold, ...]:
    n_rows = len(y)
    if isinstance(cv, bool) or cv is None or isinstance(cv, (str, float)):
        raise TypeError(f"cv must be a number of folds or a splitter, got {cv!r}")
    if isinstance(cv, (int, np.integer)):
        if cv < 2:
            raise ValueError(f"cv={cv}: a comparison needs at least 2 folds")
        if task == "classification":
            labels, counts = np.unique(y, return_counts=True)
            if cv > counts.min():
                rare, count = labels[counts.argmin()], int(counts.min())
                raise ValueError(
                    f"cv={cv}: class {rare!s:.40} of y has only {count} row{'s' * (count > 1)},"
                    " fewer than folds: fewer folds, more rows, or leave the class out"
                )
            cv = StratifiedKFold(int(cv), shuffle=True, random_state=random_state)
        else:
            if 2 * cv > n_rows:
                raise ValueError(f"cv={cv}: {n_rows} rows are too few for 2 in each fold")
            cv = KFold(int(cv), shuffle=True, random_state=random_state)
    try:
        splitter = check_cv(cv, y, classifier=task == "classification")
        folds = tuple(
            (_rows(train, n_rows), _rows(test, n_rows)) for train, test in splitter.split(X, y)
        )
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
    if not hasattr(estimator, "n_features_in_") and not any(
        name.endswith("_") for name in vars(estimator)
    ):
        return False  # it can predict without a fit, but has had none
    width = getattr(estimator, "n_features_in_", X.shape[1])
    if width != X.shape[1]:
        raise ValueError(
            f"estimators: {name} was fitted to {width} columns, and X has {X.shape[1]}"
        )
    seen = getattr(estimator, "feature_names_in_", None)
    if seen is not None and hasattr(X, "columns") and list(seen) != list(names):
        raise ValueError(f"estimators: {name} was fitted to columns of other names than those of X")
    known = getattr(estimator, "classes_", None)
    if len(classes) and known is not None and not np.array_equal(known, classes):
        fitted, given = (", ".join(map(str, some))[:60] for some in (known, classes))
        raise ValueError(
            f"estimators: {name} was fitted to other classes ({fitted}) than those of y ({given})"
        )
    return True
