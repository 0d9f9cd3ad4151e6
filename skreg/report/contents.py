"""What a report says, before anything is drawn or written.

`glance`, `models` and `cautions` make these objects out of data and estimators; `page` and
`pictures` turn them into a file. Text that came from the data is kept as it was; the page escapes
it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..paths.result import PathResult
from ..selection.result import CVResult

Task = Literal["regression", "classification"]
Kind = Literal["number", "category", "date", "duration"]
Per = Literal["unit", "deviation", "mixed", "scaled", "input"]


def some(names: Iterable[object], most: int = 6) -> str:
    """Names for a sentence, the first few of them."""
    names = list(names)
    shown = ", ".join(repr(name) for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


@dataclass(frozen=True)
class Caution:
    """Something to know before results are handed in.

    Parameters
    ----------
    title : str
        A few words: "alpha is at the edge of the grid".
    text : str
        What was seen, with its numbers, and what to do: sentences, on one line or more.
    serious : bool, default=False
        Whether the results may be wrong if nothing is done.
    """

    title: str
    text: str
    serious: bool = False


@dataclass(frozen=True)
class ColumnSummary:
    """One column of the data: its name, what it holds, and a few numbers as text.

    Parameters
    ----------
    name : str
    kind : {"number", "category", "date", "duration"}
    n_missing : int
    n_distinct : int
        Different values, missing not counted.
    summary : str
        For a reader: "median 68, from 21 to 313", or the most frequent categories.
    """

    name: str
    kind: Kind
    n_missing: int
    n_distinct: int
    summary: str


@dataclass(frozen=True)
class CorrelatedGroup:
    """Features that say nearly the same.

    Parameters
    ----------
    names : tuple of str
    least : float
        The smallest absolute correlation that links the group: each feature has at least this one
        with another of the group.
    """

    names: tuple[str, ...]
    least: float


@dataclass(frozen=True)
class Glance:
    """The data at a glance.

    Parameters
    ----------
    task : {"regression", "classification"}
    target : str
        Its name.
    target_summary : tuple of (str, str)
        What and how much, as text: ("mean", "180,796"), or (class, "1,813 rows (39.4%)").
    n_rows, n_columns : int
    columns : tuple of ColumnSummary
        As given, before any preprocessing.
    constant : tuple of str
        Columns with one value.
    n_missing : int
        Missing cells in all.
    correlated : tuple of CorrelatedGroup
        Largest group first.
    correlation_threshold : float
    notes : tuple of str
        What was left out of this look and why (correlations of the first 2,000 columns only, ...).
    """

    task: Task
    target: str
    target_summary: tuple[tuple[str, str], ...]
    n_rows: int
    n_columns: int
    columns: tuple[ColumnSummary, ...]
    constant: tuple[str, ...]
    n_missing: int
    correlated: tuple[CorrelatedGroup, ...]
    correlation_threshold: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Score:
    """A metric over the folds.

    Parameters
    ----------
    name : str
        For a reader, with its unit where it has one: "R²", "mean absolute error", "accuracy".
    values : ndarray of shape (n_folds,)
    greater_is_better : bool
    times_held_out : float, default=1
        How many folds hold out a row, on average over the rows that any does. Folds that share
        rows are not independent: 100 folds that hold out each row 20 times say no more than 5.
    """

    name: str
    values: NDArray[np.float64]
    greater_is_better: bool
    times_held_out: float = 1.0

    @property
    def mean(self) -> float:
        """Mean over the folds."""
        return float(self.values.mean())

    @property
    def standard_error(self) -> float:
        """Standard error of that mean."""
        independent = self.values.size / self.times_held_out
        return float(self.values.std(ddof=1) / np.sqrt(independent))

    def ahead_of(self, other: Score) -> Score:
        """How much better it is than another model's on the same folds, fold for fold.

        Parameters
        ----------
        other : Score

        Returns
        -------
        Score
        """
        sign = 1 if self.greater_is_better else -1
        return replace(self, values=sign * (self.values - other.values))

    def ties(self, other: Score) -> bool:
        """Whether it is the same as another model's in every fold, but for rounding."""
        return bool(np.allclose(self.values, other.values, rtol=1e-9, atol=0))


@dataclass(frozen=True)
class Coefficients:
    """A linear model's coefficients, intercepts left out.

    Parameters
    ----------
    names : ndarray of str, shape (n_features,)
        Of the features as the model got them, after the steps of a Pipeline before it.
    values : ndarray of shape (n_features,) or (n_targets, n_features)
    at_1se : ndarray of the shape of `values` or None
        At `alpha_1se` where the model has chosen another alpha and knows that one too.
    targets : tuple of str
        A name a row of `values` where it has two dimensions (classes, outputs).
    per : {"unit", "deviation", "mixed", "scaled", "input"}
        What a coefficient times its `factor` is the change of y per: a unit of x, a standard
        deviation of x, one or the other, a unit of a scaled x, or of what the model got where the
        steps before it cannot be told.
    factor : ndarray of shape (n_features,) or None
        Makes coefficients comparable where the model's penalty compared other ones than `values`.
    to_unit : ndarray of shape (n_features,) or None
        `values` times this are per unit of x, where `per` is something else; NaN if not known.
    """

    names: NDArray[Any]
    values: NDArray[np.float64]
    at_1se: NDArray[np.float64] | None = None
    targets: tuple[str, ...] = ()
    per: Per = "unit"
    factor: NDArray[np.float64] | None = None
    to_unit: NDArray[np.float64] | None = None

    def comparable(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Coefficients, features on the last axis, in the unit that `per` says."""
        return values if self.factor is None else values * self.factor


class Warned(NamedTuple):
    """A warning of a fit: its class, and what it says."""

    category: str
    message: str


@dataclass
class ModelReport:
    """One model of the report: how it was measured, then what is found in the fitted estimator.

    Parameters
    ----------
    name : str
        Unique in the report.
    settings : str
        The estimator as Python prints it, the steps of a Pipeline line by line.
    estimator : object
        Fitted to all rows. The last step, where it was a Pipeline.
    scores : tuple of Score
        Of the rows that each fold holds out; the first one ranks the models.
    held_out : ndarray of shape (n_samples,) or (n_samples, n_targets)
        Predictions (classes for a classifier) of each row by the model that did not see it.
    seconds : float
        To fit to all rows (NaN where it was fitted before) plus the folds.
    alpha, alpha_min, alpha_1se : float or None
        The penalty it has; the two that cross-validation offers.
    path : PathResult or None
    cv : CVResult or None
        Its own cross-validation over alpha.
    coefficients : Coefficients or None
    is_network : bool
        One of skreg's, with `history_` and weights to draw.
    left_out : tuple of str
        Which pictures it lacks and why, one sentence each.
    notes : tuple of str
        What else to know about it: that it was fitted before, which class its coefficients are of.
    probabilities : ndarray of shape (n_samples, n_classes) or None
        Of a classifier that has them, for the rows held out, in the order of `Contents.classes`.
    warned : tuple of Warned
        Of all its fits.
    n_fits : int
    X : array or sparse matrix or None
        The table as the estimator sees it; None where it has no coefficients.
    names : tuple of str
        Of the columns of that.
    middle, unit : float
        What was taken from the target, and what it was then divided by.
    edge : {"smallest", "largest"} or None
        Which end of its grid the best alpha lies at.
    flat : bool
        Whether the errors hardly change towards the smallest alpha, so that less would not help.
    at_ends : tuple of str
        Parameters that a grid search chose at an end of their values: "C=100, the largest".
    """

    name: str
    settings: str
    estimator: Any
    scores: tuple[Score, ...]
    held_out: NDArray[Any]
    seconds: float
    alpha: float | None = None
    alpha_min: float | None = None
    alpha_1se: float | None = None
    path: PathResult | None = None
    cv: CVResult | None = None
    coefficients: Coefficients | None = None
    is_network: bool = False
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    probabilities: NDArray[np.float64] | None = None
    warned: tuple[Warned, ...] = ()
    n_fits: int = 0
    X: Any = None
    names: tuple[str, ...] = ()
    middle: float = 0.0
    unit: float = 1.0
    edge: str | None = None
    flat: bool = False
    at_ends: tuple[str, ...] = ()


@dataclass(frozen=True)
class Contents:
    """All that a page says.

    Parameters
    ----------
    title : str
    made : str
        Date and time for a reader.
    glance : Glance
    y : ndarray
        The target, row by row as in each model's `held_out`: of the rows that a fold held out.
    models : tuple of ModelReport
        As given; `best` is the position of the one with the best mean of the first score.
    best : int
    n_folds : int
    cautions : tuple of Caution
        Serious ones first.
    versions : tuple of (str, str)
        Python, skreg and what it stands on.
    call : str
        Code or a command line that makes this page again.
    score_note : str
        How the models were compared, in a sentence.
    baseline : ModelReport or None
        What knows the target alone, for comparison; it is not among `models`.
    classes : tuple of str
        Of a classification, sorted.
    """

    title: str
    made: str
    glance: Glance
    y: NDArray[Any]
    models: tuple[ModelReport, ...]
    best: int
    n_folds: int
    cautions: tuple[Caution, ...]
    versions: tuple[tuple[str, str], ...]
    call: str
    score_note: str = ""
    baseline: ModelReport | None = None
    classes: tuple[str, ...] = ()
