"""Models fitted to all rows and, by the same folds for all, to all but some.

The one engine under every comparison: it fits, measures what is held out, and keeps what the fits
warned of.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing
from sklearn.utils.parallel import Parallel, delayed

from ..estimators.runtime import warn
from .code import printed
from .contents import ModelReport, Score, Warned
from .inspection import look_into
from .request import Fold, Request
from .scores import Metric, Predictions

LONGEST_ARRAY = 10  # of those that the settings of a model show in full
INTERRUPTED = "Training interrupted"  # an MLP ends its fit well when Ctrl-C is pressed
ALL_ROWS = "all rows"  # the split that holds out none
NO_CLASSES = np.array([])

# Training rows, and those held out, if any, by what the split is called.
Splits = dict[str, tuple[NDArray[np.intp], NDArray[np.intp] | None]]


def _predicted(held: Predictions) -> NDArray[Any]:
    if held.predicted.dtype.kind == "f" and not np.isfinite(held.predicted).all():
        warn("some predictions are not numbers; they have no score")
    return held.predicted


# What a page keeps of each fold: the last two values of its fits, after the metrics.
OUT_OF_FOLD = (
    Metric("predicted", True, _predicted),
    Metric("probabilities", True, lambda held: held.probabilities),
)


class Fit(NamedTuple):
    """One model fitted to the training rows of one split."""

    model: Any  # None where the split held rows out, so that it need not travel between processes
    values: tuple[Any, ...]  # what each metric makes of the rows held out
    seconds: float
    warned: tuple[Warned, ...]


def splits_of(folds: Sequence[Fold]) -> Splits:
    """Folds by what they are called."""
    return {f"fold {k} of {len(folds)}": fold for k, fold in enumerate(folds, start=1)}


def evaluate(
    models: Sequence[tuple[str, Any, Splits]],
    X: Any,
    y: NDArray[Any],
    metrics: Sequence[Metric],
    *,
    classes: NDArray[Any] = NO_CLASSES,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> list[list[Fit]]:
    """Fit each model to the training rows of each of its splits and measure the rows held out.

    Estimators are cloned. `classes` are all classes, sorted; none for a regression. The result does
    not depend on the processes that share the fits; each fit says on standard error that it is
    done, where `verbose`.

    Returns
    -------
    list of list of Fit
        One list a model, in the order of its splits.
    """
    fits = Parallel(n_jobs=n_jobs)(
        delayed(_fit)(name, clone(model), what, split, X, y, metrics, classes, verbose)
        for name, model, splits in models
        for what, split in splits.items()
    )
    one_by_one = iter(fits)
    return [[next(one_by_one) for _ in splits] for _, _, splits in models]


def _fit(
    name: str,
    model: Any,
    what: str,
    split: tuple[NDArray[np.intp], NDArray[np.intp] | None],
    X: Any,
    y: NDArray[Any],
    metrics: Sequence[Metric],
    classes: NDArray[Any],
    verbose: int,
) -> Fit:
    train, test = split
    begin = time.perf_counter()
    values: tuple[Any, ...] = ()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            # Rows that are taken are copies: an estimator may overwrite them.
            model.fit(_safe_indexing(X, train), y[train])
            if test is not None:
                held = Predictions(model, _safe_indexing(X, test), y[test], classes)
                values = tuple(metric.value(held) for metric in metrics)
        except Exception as error:
            error.add_note(f"{name} was being fitted, {what}, for the report")
            raise
    seconds = time.perf_counter() - begin
    warned = tuple(Warned(one.category.__name__, str(one.message)) for one in caught)
    if any(INTERRUPTED in one.message for one in warned):
        raise KeyboardInterrupt
    if verbose:
        print(f"{name}: {what}, {seconds:.2f} s", file=sys.stderr, flush=True)
    return Fit(model if test is None else None, values, seconds, warned)


def compare_models(request: Request, *, n_jobs: int | None, verbose: int) -> list[ModelReport]:
    """Fit and cross-validate every estimator of a request, and look into it."""
    folds = splits_of(request.folds)
    everything: Splits = {ALL_ROWS: (np.arange(len(request.y)), None)}
    models = [
        (name, _seeded(model, request.random_state), folds if fitted else everything | folds)
        for name, model, fitted in request.estimators
    ]
    compared = []
    for (name, given, was_fitted), fits in zip(
        request.estimators, _measure(request, models, n_jobs, verbose), strict=True
    ):
        model = _of_fits(request, name, given if was_fitted else fits[0].model, fits)
        model.settings = _settings(given)
        if was_fitted:
            model.seconds = float("nan")
            model.notes += (
                "It was fitted before and is shown as it was; its scores are those of unfitted"
                " copies that the folds have fitted.",
            )
        model.X, model.names = _safe_indexing(request.X, np.arange(len(request.y))), request.names
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the fits have said what there is to say
            look_into(model, request.y, request.classes, fitted_before=was_fitted)
        compared.append(model)
    return compared


def baseline(request: Request) -> ModelReport:
    """What a model that knows the target alone scores on the same folds."""
    name, model = "Predicting the largest class", DummyClassifier(strategy="prior")
    if request.task == "regression":
        name, model = "Predicting the mean", DummyRegressor()
    (fits,) = _measure(request, [(name, model, splits_of(request.folds))], None, 0)
    return _of_fits(request, name, model, fits)


def _measure(
    request: Request, models: list[tuple[str, Any, Splits]], n_jobs: int | None, verbose: int
) -> list[list[Fit]]:
    return evaluate(
        models,
        request.X,
        request.y,
        [*request.metrics, *OUT_OF_FOLD],
        classes=request.classes,
        n_jobs=n_jobs,
        verbose=verbose,
    )


def _of_fits(request: Request, name: str, estimator: Any, fits: list[Fit]) -> ModelReport:
    """What is measured of a model, by its fits, of which those to the folds come last."""
    folds = fits[-len(request.folds) :]
    *values, predicted, probabilities = zip(*(fit.values for fit in folds), strict=True)
    without = any(one is None for one in probabilities)
    return ModelReport(
        name=name,
        settings=repr(estimator),
        estimator=estimator,
        scores=tuple(
            Score(metric.name, np.array(own), metric.greater_is_better, request.times_held_out)
            for metric, own in zip(request.metrics, values, strict=True)
        ),
        held_out=_held_out(request, predicted),
        seconds=sum(fit.seconds for fit in fits),
        probabilities=None if without else _held_out(request, probabilities),
        warned=tuple(each for fit in fits for each in fit.warned),
        n_fits=len(fits),
    )


def _held_out(request: Request, by_fold: Sequence[Any]) -> NDArray[Any]:
    """Predictions row by row; the first one where several folds hold a row out."""
    shape = (len(request.y), *np.shape(by_fold[0])[1:])
    result = np.empty(shape, dtype=np.result_type(*by_fold))
    for (_, test), values in reversed(list(zip(request.folds, by_fold, strict=True))):
        result[test] = values
    return result[request.held_out_rows]


def _settings(estimator: Any) -> str:
    """An estimator for a reader: each step of a Pipeline on a line of its own, however long."""
    named = estimator.steps if isinstance(estimator, Pipeline) else [("", estimator)]
    return "\n".join(" ".join(printed(step, LONGEST_ARRAY).split()) for _, step in named)


def _seeded(estimator: Any, random_state: Any) -> Any:
    """A clone whose generators, where it leaves them open, start from `random_state`."""
    model = clone(estimator)
    if isinstance(random_state, (int, np.integer)):
        open_ones = {
            key: int(random_state)
            for key, value in model.get_params(deep=True).items()
            if value is None and (key == "random_state" or key.endswith("__random_state"))
        }
        model.set_params(**open_ones)
    return model
