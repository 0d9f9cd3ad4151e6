"""A table to compare models on: features, target, and the preprocessing each fold learns anew."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes
from sklearn.impute import SimpleImputer
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler

from ..report.contents import Caution

MOST_CATEGORIES = 50  # of one text column; the rarer ones are pooled
ABSENT = "missing"
POOLED = "infrequent_sklearn"  # the encoder's own name for the rarer ones


class TableError(ValueError):
    """What is wrong with a user's table, in one line that says what to do about it."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))  # a name or a cell may have several lines


@dataclass(frozen=True)
class Table:
    """Features and target as they were read: nothing has been learned from them yet."""

    title: str  # what the table is
    # (n_samples, n_columns): numbers (NaN where missing), or objects: floats in numeric columns,
    # text (None where missing) in the others
    X: np.ndarray
    y: np.ndarray  # (n_samples,): the target
    columns: tuple[str, ...]  # one name a column of `X`
    # unfitted; turns rows of `X` into standardised numbers. To be fitted on training rows only.
    preprocessing: Pipeline
    # what was left out in reading, or read otherwise than it is written, one line each
    notes: tuple[str, ...] = ()
    cautions: tuple[Caution, ...] = ()  # what looks like a mistake in the file, or like no feature
    # makes a column name of the preprocessing's output fit for a reader
    readable: Callable[[str], str] = str
    # {"regression", "classification"}: whether the target holds numbers or classes
    task: str = "regression"
    # ranks of the rows in time, which never fall; None if the order of the rows says nothing
    times: np.ndarray | None = None

    def feature_names(self, fitted: Pipeline) -> np.ndarray:
        """Return the names of the numbers that a fitted copy of `preprocessing` makes.

        Parameters
        ----------
        fitted : Pipeline
            `preprocessing`, fitted.

        Returns
        -------
        ndarray of str
        """
        names = fitted.get_feature_names_out(np.array(self.columns, dtype=object))
        return np.array([self.readable(name) for name in names])


def time_folds(times: np.ndarray, n_folds: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Split rows in order of time: each fold is predicted from all rows before it.

    Parameters
    ----------
    times : ndarray of int
        As in `Table`. Rows of one time stay together.
    n_folds : int

    Returns
    -------
    list of (ndarray, ndarray)
        Training and held-out rows.

    Raises
    ------
    TableError
        If there are too few times.
    """
    n_rows = len(times)
    starts = [n_rows - k * (n_rows // (n_folds + 1)) for k in range(n_folds, 0, -1)]
    starts = [int(np.searchsorted(times, times[start])) for start in starts] + [n_rows]
    if n_rows <= n_folds or starts[0] == 0 or np.any(np.diff(starts) < 2):
        raise TableError(
            f"--time has {len(np.unique(times))} different values in {n_rows} rows, too few for"
            f" {n_folds} folds one after another: fewer --folds, or leave --time out"
        )
    return [(np.arange(begin), np.arange(begin, end)) for begin, end in itertools.pairwise(starts)]


@dataclass(frozen=True)
class LaterRows:
    """A splitter for rows in order of time, which makes fewer folds where there are few rows.

    scikit-learn's TimeSeriesSplit holds out single rows of a short beginning, on which no R² is
    defined.

    Parameters
    ----------
    n_splits : int
        The most folds; each holds out 2 rows or more.
    """

    n_splits: int

    def split(
        self, X: Any, y: Any = None, groups: Any = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield training and held-out rows."""
        yield from time_folds(np.arange(len(X)), self.get_n_splits(X))

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return how many folds `split` makes."""
        return self.n_splits if X is None else max(1, min(self.n_splits, len(X) // 2 - 1))


def diabetes() -> Table:
    """Return scikit-learn's diabetes data with every product of two features beside them.

    Returns
    -------
    Table
        442 patients, 10 measurements, which the preprocessing turns into 55 features.
    """
    data = load_diabetes(scaled=False)
    products = make_pipeline(
        StandardScaler(),
        PolynomialFeatures(degree=2, interaction_only=True, include_bias=False),
        StandardScaler(),
    )
    return Table(
        title="diabetes with its pairwise interactions",
        X=data.data,
        y=data.target,
        columns=tuple(data.feature_names),
        preprocessing=products,
        readable=lambda name: name.replace(" ", " x "),  # no measurement has a space in its name
    )


def mixed_preprocessing(is_text: Sequence[bool]) -> Pipeline:
    """Return the preprocessing of a table with numeric and text columns.

    Numbers are imputed by the median. Text becomes one column a category, absence being a
    category too. Every column is then divided by its standard deviation.

    Parameters
    ----------
    is_text : sequence of bool
        For each column, whether it holds text.

    Returns
    -------
    Pipeline
        Unfitted.
    """
    text = np.array(is_text, dtype=bool)
    # A column that is empty in the training rows of one fold stays there, as a constant.
    impute = SimpleImputer(strategy="median", keep_empty_features=True)
    encode = make_pipeline(
        SimpleImputer(missing_values=None, strategy="constant", fill_value=ABSENT),
        OneHotEncoder(
            handle_unknown="infrequent_if_exist",
            max_categories=MOST_CATEGORIES,
            sparse_output=False,
            feature_name_combiner=name_of_category,
        ),
    )
    parts = [
        ("numbers", impute, np.flatnonzero(~text)),
        ("categories", encode, np.flatnonzero(text)),
    ]
    columns = ColumnTransformer(
        [part for part in parts if part[2].size], verbose_feature_names_out=False
    )
    return make_pipeline(columns, StandardScaler())


def name_of_category(feature: str, category: Any) -> str:
    """What the column of a category is called; the rarer ones are pooled under a name of theirs."""
    pooled = category == POOLED
    return f"{feature}={'other' if pooled else category}"


@dataclass(frozen=True)
class LaterClasses:
    """A splitter as `LaterRows`, with every class in what is learned from and what is held out.

    A fold is longer where a class is rare. Where a class comes so late, or so rarely, that there
    is no such fold, the folds are scikit-learn's stratified ones.

    Parameters
    ----------
    n_splits : int
        The most folds.
    """

    n_splits: int

    def split(self, X: Any, y: Any, groups: Any = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield training and held-out rows."""
        shortest, n_classes = len(y) // (self.n_splits + 1), len(np.unique(y))
        ends, end = [0], 0
        while True:
            firsts = np.unique(y[end:], return_index=True)[1]
            end += max(shortest, firsts.max(initial=0) + 1)
            if len(firsts) < n_classes or end > len(y):
                break
            ends.append(end)
        if len(ends) < 3:
            yield from StratifiedKFold(self.n_splits, shuffle=True, random_state=0).split(X, y)
            return
        for begin, end in itertools.pairwise([*ends[1:-1], len(y)]):
            yield np.arange(begin), np.arange(begin, end)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return how many folds `split` makes."""
        return self.n_splits if y is None else len(list(self.split(np.zeros(len(y)), y)))
