"""What is said of a training that went wrong, or has come to nothing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from ..estimators.runtime import warn
from .engine.network import Network, from_bytes
from .engine.training import Training
from .engine.weights import glorot_bound

# A loss of this share of the best constant's is no better.
NO_BETTER = 0.999
# Log-losses of rows that are all of one class, by their shares, and of nearly all by a network.
ONE_CLASS, NEARLY_ONE_CLASS = 1e-6, 0.05
# A weight matrix whose norm is this share of what it begins with is as good as gone.
SHRUNK = 0.1
# Sizes of columns outside of which their unit is to blame.
SMALL, LARGE = 0.1, 3.0


def diverged(estimator: Any) -> str:
    """What to say when numbers are no longer finite."""
    begin = (
        "Solver produced non-finite parameter weights. The input data may contain large values and"
        " need to be preprocessed."
    )
    epoch = estimator.n_iter_ + 1
    if estimator.solver == "lbfgs":
        return f"{begin} Training diverged in iteration {epoch}: scale X and y."
    return (
        f"{begin} Training diverged in epoch {epoch}: scale X and y if their values are large,"
        f" lower learning_rate_init={estimator.learning_rate_init}, or bound the gradient by"
        " clip_norm."
    )


def warn_of(estimator: Any, status: str, message: str, fault: str | None) -> None:
    """Warn, once, if training was cut short or has come to nothing.

    Parameters
    ----------
    estimator : estimator
    status, message : str
        How training ended, and what scipy said of it.
    fault : str or None
        As `fault_of` gives it.
    """
    if status == "interrupted":
        warn("Training interrupted by user. The best weights so far are kept.")
        return
    parts = []
    if status == "abnormal" or (status == "exhausted" and estimator.solver == "lbfgs"):
        after = f"lbfgs failed to converge after {estimator.n_iter_} iteration(s)"
        if status == "abnormal":
            parts.append(f"{after}: {message}")
        else:
            in_calls = estimator.n_iter_ < estimator.max_iter
            what, name = ("calls", "max_fun") if in_calls else ("iterations", "max_iter")
            reached = f"Maximum {what} ({getattr(estimator, name)}) reached"
            parts.append(f"{after}: {reached}. Raise {name}, or tol.")
    elif status == "exhausted":
        parts.append(
            f"Stochastic Optimizer: Maximum iterations ({estimator.max_iter}) reached and the"
            " optimization hasn't converged yet."
        )
        if fault is None:
            parts.append("Raise max_iter, or tol.")
    if fault is not None:
        parts.append(fault)
    if parts:
        warn(" ".join(parts), ConvergenceWarning)


def fault_of(estimator: Any, training: Training) -> str | None:
    """What to say of a network that predicts its training rows no better than a constant does.

    None where it does better. Several targets of a regressor are judged one by one, as one of a
    small unit is lost among the others.
    """
    data, rows, loss = training.sample, training.clean_rows, training.loss
    y = data.targets.rows(rows).astype(np.float64)
    weight = None if data.weight is None else data.weight[rows].astype(np.float64)
    scale = data.scale(rows, np.float64)
    raw = training.network.raw(data.X, rows).astype(np.float64)
    constant = loss.null_model(y, weight)
    alone = data.targets.table is None and loss.out_activation in ("identity", "exp")
    parts = [slice(k, k + 1) for k in range(y.shape[1])] if alone else [slice(None)]
    for k, part in enumerate(parts):
        reached = loss.value(raw[:, part], y[:, part], scale)
        with_constant = np.broadcast_to(constant[part], y[:, part].shape)
        least = loss.value(with_constant, y[:, part], scale)
        if reached > NO_BETTER * least and not _nothing_to_gain(reached, least, y[:, part], alone):
            what = "The fit is no better than a constant prediction"
            if not alone:
                what = "The probabilities are no better than the shares of the classes"
            elif len(parts) > 1:
                what = f"The fit of target {k} is no better than a constant prediction"
            y_alone = y[:, part] if alone else None
            return f"{what}: {_remedy(estimator, training, y_alone)}"
    return None


def _nothing_to_gain(reached: float, least: float, y: NDArray[Any], numbers: bool) -> bool:
    """Whether the target is the same in all rows, or nearly all rows are of one class."""
    if not numbers:
        return least < ONE_CLASS or reached < NEARLY_ONE_CLASS
    size = float(np.abs(y).max())
    return float(np.ptp(y)) == 0 and (size <= LARGE or reached <= 0.25 * size**2)


def _remedy(estimator: Any, training: Training, y: NDArray[Any] | None) -> str:
    """What to do; y is None for classes.

    Without figures of the fit: the fits of a search say the same, so that it is shown once.
    """
    if _shrunk(training.network, estimator.activation):
        batch = training.n_data if estimator.solver == "lbfgs" else training.n_rows
        example = max(training.regularizer.alphas)
        if example > estimator.weight_decay and any(training.regularizer.penalties):
            return (
                "the penalty leaves no weights. scikit-learn divides its alpha by the batch size,"
                f" here {batch}, and skreg does not: what alpha={example:g} is there is"
                f" alpha={example / batch:.3g} here."
            )
        if estimator.weight_decay:
            return f"weight_decay={estimator.weight_decay:g} leaves no weights: lower it."
    steps = []
    if not _of_plain_size(training.sample.X[training.clean_rows]):
        steps.append("scale X, as StandardScaler in a Pipeline does")
    if y is not None and estimator.out_activation_ == "identity":
        spread = float(np.std(y))
        if not SMALL <= spread <= LARGE or abs(float(np.mean(y))) > LARGE * spread:
            steps.append(
                "scale y, as TransformedTargetRegressor(regressor, transformer=StandardScaler())"
                " does"
            )
    if not steps and estimator.early_stopping:
        steps.append(
            "early stopping put an early epoch back, so raise n_iter_no_change or"
            " learning_rate_init, or choose another scoring"
        )
    if not steps:
        steps.append("train for longer (max_iter, learning_rate_init), or regularise less")
    return f"{'; '.join(steps)}."


def _of_plain_size(X: Any) -> bool:
    """Whether no column is large, and not all are small; rare indicators are."""
    X = from_bytes(X, np.float64) if X.dtype == np.uint8 else X
    squares = X.power(2) if hasattr(X, "power") else np.square(X, dtype=np.float64)
    sizes = np.sqrt(squares.mean(axis=0))
    return bool(SMALL <= sizes.max() <= LARGE)


def _shrunk(network: Network, activation: str) -> bool:
    """Whether a weight matrix is as good as gone."""
    for weight, area in zip(network.parameters.weights, network.areas, strict=True):
        n_in, n_out = weight.shape
        begun = glorot_bound(n_in, area * n_out, activation) * math.sqrt(weight.size / 3)
        if float(np.linalg.norm(weight)) < SHRUNK * begun:
            return True
    return False
