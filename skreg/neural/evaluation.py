"""Validation data, how they are scored, and what a score can be compared with."""

from __future__ import annotations

import inspect
import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import get_config
from sklearn.metrics import check_scoring

from ..estimators.runtime import warn
from .engine.batches import Data
from .engine.block_batches import DataInBlocks
from .engine.network import WHITE, Network
from .engine.plan import Plan

# Parameters, but for the strengths of the penalties, that change what the objective is.
OF_OBJECTIVE = (
    "dropout",
    "input_dropout",
    "input_noise",
    "mixup",
    "adversarial_eps",
    "augment",
    "pooling",
)
OF_LOSS = ("loss", "huber_delta", "quantile")
X_ADVICE = (
    "Behind a scaler it takes the same steps as X through Pipeline(..., transform_input=['X_val'])"
    " and metadata routing."
)
Y_ADVICE = (
    "TransformedTargetRegressor transforms y alone: give y_val in the unit of the transformed y."
)


@dataclass(frozen=True)
class Validation:
    """Rows that are not trained on.

    Attributes
    ----------
    data : Data
        Checked, with the weights of the rows and of their classes.
    X, y : array-like
        As a scorer sees them.
    weight : ndarray or None
        What each row counts in a scorer that can take weights.
    needed : bool
        Whether a scorer must take them, as weights that the user gave are not left out.
    """

    data: Data
    X: Any
    y: Any
    weight: NDArray[np.float64] | None
    needed: bool = False


def evaluation(
    estimator: Any, network: Network, loss: Any, held: Validation
) -> Callable[[], tuple[float, float]]:
    """A function that gives loss and score of the validation data."""
    scoring = estimator.scoring
    scorer, keywords = None, {}
    if scoring is not None and scoring != "loss":
        scorer = check_scoring(estimator, scoring=scoring)
        keywords = weights_for(scorer, held, scoring)

    def evaluate() -> tuple[float, float]:
        raw = network.raw(held.data.X)
        value = held.data.loss(raw, loss)
        if scoring == "loss":
            score = -value
        elif scorer is not None:
            try:
                score = float(scorer(estimator, held.X, held.y, **keywords))
            except Exception as error:
                error.add_note(
                    f"scoring={scoring!r} was scoring the {len(held.data)} rows of the validation"
                    " data, which need not have every class"
                )
                raise
        elif np.isfinite(loss.inverse_link(raw)).all():
            score = estimator._default_score(raw, held.data)
        else:
            score = math.nan
        if estimator.early_stopping and not math.isfinite(score):
            raise ValueError(
                f"early stopping cannot go by a validation score of {score}, which"
                f" scoring={scoring!r} gives for the {len(held.data)} rows of the validation data"
                f" after epoch {estimator.n_iter_ + 1}: choose another scoring, or other rows"
                " (X_val and y_val, or validation_fraction)"
            )
        return value, score

    return evaluate


def weights_for(scorer: Any, held: Validation, scoring: Any) -> dict[str, Any]:
    """The weights as an argument of a scorer that takes some."""
    if held.weight is None:
        return {}
    if get_config()["enable_metadata_routing"] and hasattr(scorer, "get_metadata_routing"):
        requested = scorer.get_metadata_routing().score.requests.get("sample_weight")
        if requested not in (None, True):
            return {}
    if takes_weights(scorer):
        return {"sample_weight": held.weight}
    if held.needed:
        raise ValueError(
            f"scoring={scoring!r} takes no sample_weight, which the validation data have: choose"
            " a scoring that does, or give X_val and y_val, which have none"
        )
    return {}


def takes_weights(scorer: Any) -> bool:
    """Whether a scorer, or the metric that it is made of, has a parameter `sample_weight`."""
    try:
        parameters = inspect.signature(getattr(scorer, "_score_func", scorer)).parameters
    except (TypeError, ValueError):
        return False
    kinds = {each.kind for each in parameters.values()}
    return "sample_weight" in parameters or inspect.Parameter.VAR_KEYWORD in kinds


def meaning_of_objective(
    estimator: Any, plan: Plan, data: Data | DataInBlocks | None
) -> tuple[Any, ...]:
    """What two objectives must share to be compared; without data those of `partial_fit`."""
    names = (*OF_LOSS, *OF_OBJECTIVE, "label_smoothing")
    parameters = repr([getattr(estimator, name, None) for name in names])
    penalties, alphas = plan.regularizer.penalties, plan.regularizer.alphas
    return (
        parameters,
        repr(alphas),
        *map(spelled, penalties),
        None if data is None else fingerprint(data),
    )


def meaning_of_score(estimator: Any, held: Validation | None) -> tuple[Any, ...] | None:
    """What two validation scores must share to be compared; None where there are none."""
    if held is None:
        return None
    loss = repr([getattr(estimator, name, None) for name in OF_LOSS])
    judged = bool(estimator.early_stopping)  # else the weights of the best epoch are not kept
    return judged, spelled(estimator.scoring), loss, fingerprint(held.data)


def fingerprint(data: Data | DataInBlocks) -> tuple[Any, ...]:
    """Numbers that tell data from other ones."""
    if isinstance(data, DataInBlocks):
        return len(data), *fingerprint(data.sample)
    X: Any = data.X
    parts = [X.data, X.indices, X.indptr] if hasattr(X, "indptr") else [X]
    parts += [data.targets.values] if data.weight is None else [data.targets.values, data.weight]
    return X.shape, *(zlib.crc32(np.ascontiguousarray(part).data) for part in parts)


def spelled(thing: Any) -> str:
    """A text that says which thing this is, also after a pickle."""
    if inspect.isfunction(thing) and "<" not in thing.__qualname__:
        return f"{thing.__module__}.{thing.__qualname__}"
    plain: Any = object.__repr__
    if type(thing).__repr__ is plain:
        return f"{type(thing).__qualname__} {getattr(thing, '__dict__', '')}"
    return repr(thing)


def warn_of_other_units(X: tuple[Any, Any], names: Any, y: tuple[Any, Any] | None) -> None:
    """Warn of validation data that are not in the unit of those to train on.

    Parameters
    ----------
    X, y : tuple of validation data and training data, y None for classes
    names : sequence of str or None
        Of the columns of X.
    """
    _warn_if_far("X_val", "X", *X, names, X_ADVICE)
    if y is not None:
        held, trained = (each.reshape(len(each), -1) for each in y)
        _warn_if_far("y_val", "y", held, trained, None, Y_ADVICE)


def _warn_if_far(name: str, of: str, values: Any, among: Any, names: Any, advice: str) -> None:
    """Warn where a mean lies outside the range that it is to lie in, by all of its width."""
    low, high = (_row(getattr(among, each)(axis=0)) / _unit(among) for each in ("min", "max"))
    mean = _row(values.mean(axis=0, dtype=np.float64)) / _unit(values)
    width = high - low
    beyond = np.maximum(low - mean, mean - high)
    far = (width > 0) & (beyond > width)
    if far.any():
        k = int(np.argmax(np.where(far, beyond / np.where(far, width, 1.0), 0.0)))
        column = "" if len(far) == 1 else f" in column {k if names is None else names[k]!r}"
        more = f", and {far.sum() - 1} more such columns" if far.sum() > 1 else ""
        warn(
            f"{name} lies far outside {of}: its mean{column} is {mean[k]:.4g}, where {of} ranges"
            f" from {low[k]:.4g} to {high[k]:.4g}{more}. {advice}"
        )


def _unit(values: Any) -> float:
    """What a network divides these numbers by when it reads them."""
    return WHITE if values.dtype == np.uint8 else 1.0


def _row(values: Any) -> NDArray[np.float64]:
    dense = values.toarray() if hasattr(values, "toarray") else values
    return np.asarray(dense, dtype=np.float64).reshape(-1)
