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
    """Something to know before results are handed in."""

    title: str  # a few words: "alpha is at the edge of the grid"
    text: str  # what was seen, with its numbers, and what to do: sentences, on one line or more
    serious: bool = False  # whether the results may be wrong if nothing is done


@dataclass(frozen=True)
class ColumnSummary:
    """One column of the data: its name, what it holds, and a few numbers as text."""

    name: str
    kind: Kind
    n_missing: int
    n_distinct: int  # different values, missing not counted
    summary: str  # "median 68, from 21 to 313", or the most frequent categories


@dataclass(frozen=True)
class CorrelatedGroup:
    """Features that say nearly the same."""

    names: tuple[str, ...]
    # The smallest absolute correlation that links the group: each feature has at least this one
    # with another of the group.
    least: float


@dataclass(frozen=True)
class Glance:
    """The data at a glance."""

    task: Task
    target: str  # its name
    # What and how much, as text: ("mean", "180,796"), or (class, "1,813 rows (39.4%)").
    target_summary: tuple[tuple[str, str], ...]
    n_rows: int
    n_columns: int
    columns: tuple[ColumnSummary, ...]  # as given, before any preprocessing
    constant: tuple[str, ...]  # columns with one value
    n_missing: int  # cells in all
    correlated: tuple[CorrelatedGroup, ...]  # largest group first
    correlation_threshold: float
    # What was left out of this look and why (correlations of the first 2,000 columns only, ...).
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Score:
    """A metric over the folds."""

    name: str  # for a reader, with its unit where it has one: "R²", "mean absolute error"
    values: NDArray[np.float64]  # one a fold
    greater_is_better: bool
    # How many folds hold out a row, on average over the rows that any does. Folds that share rows
    # are not independent: 100 folds that hold out each row 20 times say no more than 5.
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
        """How much better it is than another model's on the same folds, fold for fold."""
        sign = 1 if self.greater_is_better else -1
        return replace(self, values=sign * (self.values - other.values))

    def ties(self, other: Score) -> bool:
        """Whether it is the same as another model's in every fold, but for rounding."""
        return bool(np.allclose(self.values, other.values, rtol=1e-9, atol=0))


@dataclass(frozen=True)
class Coefficients:
    """A linear model's coefficients, intercepts left out."""

    names: NDArray[Any]  # of the features as the model got them, after the steps before it
    values: NDArray[np.float64]  # of shape (n_features,) or (n_targets, n_features)
    # At `alpha_1se`, where the model has chosen another alpha and knows that one too.
    at_1se: NDArray[np.float64] | None = None
    # A name a row of `values` where it has two dimensions (classes, outputs).
    targets: tuple[str, ...] = ()
    # What they change: "y", "log y" of counts and amounts, "log-odds" of classes.
    predictor: str = "y"
    # What a coefficient times its `factor` is the change of that per: a unit of x, a standard
    # deviation of x, one or the other, a unit of a scaled x, or of what the model got where the
    # steps before it cannot be told.
    per: Per = "unit"
    # Makes coefficients comparable where the model's penalty compared other ones than `values`.
    factor: NDArray[np.float64] | None = None
    # `values` times this are per unit of x, where `per` is something else; NaN if not known.
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
    """One model of the report: how it was measured, then what is found in the fitted estimator."""

    name: str  # unique in the report
    settings: str  # the estimator as Python prints it, the steps of a Pipeline line by line
    estimator: Any  # fitted to all rows; the last step, where it was a Pipeline
    scores: tuple[Score, ...]  # of the rows that each fold holds out; the first ranks the models
    held_out: NDArray[Any]  # predictions, or classes, of each row by the model that did not see it
    seconds: float  # to fit to all rows (NaN where it was fitted before) plus the folds
    alpha: float | None = None  # the penalty it has
    inverse: float | None = None  # C, of a model whose penalty is given by its inverse
    l1_ratio: float | None = None  # the share of L1 in it
    relax: float | None = None  # that of the penalised fit, of a relaxed one
    alpha_min: float | None = None  # the two that cross-validation offers
    alpha_1se: float | None = None
    path: PathResult | None = None
    cv: CVResult | None = None  # its own cross-validation over alpha
    coefficients: Coefficients | None = None
    is_network: bool = False  # with weights to draw
    left_out: tuple[str, ...] = ()  # which pictures it lacks and why, one sentence each
    notes: tuple[str, ...] = ()  # what else to know: that it was fitted before, for example
    # Of a classifier that has them, for the rows held out, in the order of `Contents.classes`.
    probabilities: NDArray[np.float64] | None = None
    warned: tuple[Warned, ...] = ()  # of all its fits
    n_fits: int = 0
    X: Any = None  # the table as the estimator sees it; None where it has no coefficients
    names: tuple[str, ...] = ()  # of the columns of that
    middle: float = 0.0  # what was taken from the target,
    unit: float = 1.0  # and what it was then divided by
    edge: str | None = None  # "smallest" or "largest": the end of its grid where the best alpha is
    flat: bool = False  # the errors hardly change towards the smallest alpha: less would not help
    # Parameters that a grid search chose at an end of their values: "C=100, the largest".
    at_ends: tuple[str, ...] = ()


@dataclass(frozen=True)
class Contents:
    """All that a page says."""

    title: str
    made: str  # date and time for a reader
    glance: Glance
    y: NDArray[Any]  # the target of the rows that a fold held out, as in each model's `held_out`
    models: tuple[ModelReport, ...]  # as given
    best: int  # position of the one with the best mean of the first score
    n_folds: int
    cautions: tuple[Caution, ...]  # serious ones first
    versions: tuple[tuple[str, str], ...]  # Python, skreg and what it stands on
    call: str  # code or a command line that makes this page again
    score_note: str = ""  # how the models were compared, in a sentence
    baseline: ModelReport | None = None  # knows the target alone; it is not among `models`
    classes: tuple[str, ...] = ()  # of a classification, sorted
