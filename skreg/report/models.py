"""Models fitted to all rows and, by the same folds for all, to all but some."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing
from sklearn.utils.parallel import Parallel, delayed

from ..estimators.runtime import warn
from .code import printed
from .contents import ModelReport, Score
from .inspection import Shown, look_into
from .request import Request
from .scores import HeldOut, Metric

LONGEST_ARRAY = 10  # of those that the settings of a model show in full
INTERRUPTED = "Training interrupted"  # an MLP ends its fit well when Ctrl-C is pressed


@dataclass(frozen=True)
class Warned:
    """A warning of a fit.

    Parameters
    ----------
    model : str
    category : str
        Its class.
    message : str
    """

    model: str
    category: str
    message: str


@dataclass(frozen=True)
class Compared:
    """A model with what its fits warned of, and what was found in it."""

    report: ModelReport
    shown: Shown
    warned: tuple[Warned, ...]
    n_fits: int


@dataclass(frozen=True)
class _Fit:
    """One fit: to all rows (`held` is None) or to a fold's."""

    model: Any
    values: tuple[float, ...]
    predicted: NDArray[Any] | None
    probabilities: NDArray[np.float64] | None
    seconds: float
    warned: tuple[tuple[str, str], ...]


def compare_models(
    request: Request, metrics: Sequence[Metric], *, n_jobs: int | None, verbose: int
) -> list[Compared]:
    """Fit and cross-validate every estimator of a request, and look into it.

    Parameters
    ----------
    request : Request
    metrics : sequence of Metric
    n_jobs : int or None
        Processes that share the fits; the result does not depend on it.
    verbose : int
        Whether each fit says that it is done, on standard error.

    Returns
    -------
    list of Compared
    """
    tasks: list[tuple[int, int | None]] = []
    for k, (_, _, fitted) in enumerate(request.estimators):
        tasks += [] if fitted else [(k, None)]
        tasks += [(k, fold) for fold in range(len(request.folds))]
    fits = Parallel(n_jobs=n_jobs)(
        delayed(_fit)(
            request.estimators[k][0],
            _fresh(request.estimators[k][1], request.random_state),
            request,
            fold,
            metrics,
            verbose,
        )
        for k, fold in tasks
    )
    by_model: list[list[_Fit]] = [[] for _ in request.estimators]
    for (k, _), fit in zip(tasks, fits, strict=True):
        by_model[k].append(fit)
    return [_compared(request, k, own, metrics) for k, own in enumerate(by_model)]


def baseline(request: Request, metrics: Sequence[Metric]) -> ModelReport:
    """What a model that knows the target alone scores on the same folds."""
    if request.task == "regression":
        name, estimator = "Predicting the mean", DummyRegressor()
    else:
        name, estimator = "Predicting the largest class", DummyClassifier(strategy="prior")
    fits = [
        _fit(name, estimator, request, fold, metrics, verbose=0)
        for fold in range(len(request.folds))
    ]
    return ModelReport(
        name=name,
        settings=repr(estimator),
        estimator=estimator,
        scores=_scores(request, fits, metrics),
        held_out=_held_out(request, [fit.predicted for fit in fits]),
        seconds=sum(fit.seconds for fit in fits),
    )


def held_out_rows(request: Request) -> NDArray[np.intp]:
    """The rows that a fold holds out, in order."""
    return np.unique(np.concatenate([test for _, test in request.folds]))


def _settings(estimator: Any) -> str:
    """An estimator for a reader: each step of a Pipeline on a line of its own, however long."""
    named = estimator.steps if isinstance(estimator, Pipeline) else [("", estimator)]
    steps = [step for _, step in named]
    return "\n".join(" ".join(printed(step, LONGEST_ARRAY).split()) for step in steps)


def _fresh(estimator: Any, random_state: Any) -> Any:
    """A clone whose generators, where it leaves them open, start from `random_state`."""
    model = clone(estimator)
    if isinstance(random_state, (int, np.integer)):
        parameters = model.get_params(deep=True)
        open_ones = {
            key: int(random_state)
            for key, value in parameters.items()
            if value is None and (key == "random_state" or key.endswith("__random_state"))
        }
        if open_ones:
            model.set_params(**open_ones)
    return model


def _fit(
    name: str,
    model: Any,
    request: Request,
    fold: int | None,
    metrics: Sequence[Metric],
    verbose: int,
) -> _Fit:
    everything = np.arange(len(request.y))
    train, test = (everything, None) if fold is None else request.folds[fold]
    what = "all rows" if fold is None else f"fold {fold + 1} of {len(request.folds)}"
    begin = time.perf_counter()
    values: tuple[float, ...] = ()
    predicted = probabilities = None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            # Rows that are taken are copies: an estimator may overwrite them.
            model.fit(_safe_indexing(request.X, train), request.y[train])
            if test is not None:
                rows = _safe_indexing(request.X, test)
                held = HeldOut.of(model, rows, request.y[test], request.classes)
                values = tuple(metric.value(held) for metric in metrics)
                predicted, probabilities = held.predicted, held.probabilities
                if predicted.dtype.kind == "f" and not np.isfinite(predicted).all():
                    warn("some predictions are not numbers; they have no score")
        except Exception as error:
            error.add_note(f"{name} was being fitted, {what}, for the report")
            raise
    seconds = time.perf_counter() - begin
    messages = tuple((one.category.__name__, str(one.message)) for one in caught)
    if any(INTERRUPTED in message for _, message in messages):
        raise KeyboardInterrupt
    if verbose:
        print(f"{name}: {what}, {seconds:.2f} s", file=sys.stderr, flush=True)
    return _Fit(
        model if fold is None else None, values, predicted, probabilities, seconds, messages
    )


def times_held_out(request: Request) -> float:
    """How many folds hold out a row, on average over the rows that any does."""
    return sum(len(test) for _, test in request.folds) / len(held_out_rows(request))


def _scores(
    request: Request, folds: Sequence[_Fit], metrics: Sequence[Metric]
) -> tuple[Score, ...]:
    times = times_held_out(request)
    return tuple(
        Score(
            metric.name,
            np.array([fit.values[k] for fit in folds]),
            metric.greater_is_better,
            times,
        )
        for k, metric in enumerate(metrics)
    )


def _held_out(request: Request, by_fold: Sequence[Any]) -> NDArray[Any]:
    """Predictions row by row; the first one where several folds hold a row out."""
    first = np.asarray(by_fold[0])
    result = np.empty((len(request.y), *first.shape[1:]), dtype=np.result_type(*by_fold))
    for (_, test), values in reversed(list(zip(request.folds, by_fold, strict=True))):
        result[test] = values
    return result[held_out_rows(request)]


def _compared(request: Request, k: int, fits: list[_Fit], metrics: Sequence[Metric]) -> Compared:
    name, given, was_fitted = request.estimators[k]
    whole = [fit for fit in fits if fit.model is not None]
    folds = [fit for fit in fits if fit.model is None]
    fitted = given if was_fitted else whole[0].model
    everything = _safe_indexing(request.X, np.arange(len(request.y)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the fits have said what there is to say
        shown = look_into(
            fitted,
            everything,
            request.y,
            request.names,
            request.classes,
            fitted_before=was_fitted,
        )
    if shown.coefficients is None:
        shown.X = None  # what is large and not looked at again
    notes = list(shown.notes)
    if was_fitted:
        notes.insert(
            0,
            "It was fitted before and is shown as it was; its scores are those of unfitted copies"
            " that the folds have fitted.",
        )
    probabilities = [fit.probabilities for fit in folds]
    report = ModelReport(
        name=name,
        settings=_settings(given),
        estimator=shown.estimator,
        scores=_scores(request, folds, metrics),
        held_out=_held_out(request, [fit.predicted for fit in folds]),
        seconds=float("nan") if was_fitted else sum(fit.seconds for fit in fits),
        alpha=shown.alpha,
        alpha_min=shown.alpha_min,
        alpha_1se=shown.alpha_1se,
        path=shown.path,
        cv=shown.cv,
        coefficients=shown.coefficients,
        is_network=shown.is_network,
        left_out=tuple(shown.left_out),
        notes=tuple(notes),
        probabilities=(
            None if any(one is None for one in probabilities) else _held_out(request, probabilities)
        ),
    )
    warned = tuple(Warned(name, *each) for fit in fits for each in fit.warned)
    return Compared(report, shown, warned, len(fits))
