"""What is said of a training that went wrong, or has come to nothing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from ..fitting import warn
from ..losses import Loss
from ._checks import Config
from .batches import Data, Index
from .network import Network, glorot_bound

# A loss of this share of the best constant's is no better.
NO_BETTER = 0.999
# A variance of y below this share of its mean square is rounding, as is a log-loss below this.
ROUNDING = 1e-6
# A log-loss below this is that of rows which are nearly all of one class.
ONE_CLASS = 0.05
# A weight matrix whose norm is this share of what it begins with is as good as gone.
SHRUNK = 0.1
# Mean squares of y outside of which its unit is to blame.
PLAIN_SQUARES = (1e-2, 1e2)


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


def fault_of(
    estimator: Any, config: Config, network: Network, loss: Loss, data: Data, rows: Index
) -> str | None:
    """What to say of a network that predicts its training rows no better than a constant does.

    None where it does better. Several targets of a regressor are judged one by one, as one of a
    small unit is lost among the others.
    """
    y = data.targets.rows(rows).astype(np.float64)
    weight = None if data.weight is None else data.weight[rows].astype(np.float64)
    scale = 1.0 / len(y) if weight is None else weight[:, None] / weight.sum()
    raw = data.raw(network, rows).astype(np.float64)
    constant = loss.null_model(y, weight)
    alone = data.targets.table is None and loss.out_activation in ("identity", "exp")
    parts = [slice(k, k + 1) for k in range(y.shape[1])] if alone else [slice(None)]
    for k, part in enumerate(parts):
        reached = loss.value(raw[:, part], y[:, part], scale)
        with_constant = np.broadcast_to(constant[part], y[:, part].shape)
        least = loss.value(with_constant, y[:, part], scale)
        if reached > NO_BETTER * least and not _nothing_to_gain(
            reached, least, y[:, part], estimator, alone
        ):
            of = f" of target {k}" if len(parts) > 1 else ""
            begin = f"The fit{of} is no better than a constant prediction"
            numbers = f"a training loss of {reached:.4g}, where that has {least:.4g}"
            return f"{begin} ({numbers}): {_remedy(estimator, config, data, y[:, part], network)}"
    return None


def _nothing_to_gain(
    reached: float, least: float, y: NDArray[Any], estimator: Any, numbers: bool
) -> bool:
    """Whether there is nothing to gain: a target that is the same in all but no rows."""
    if not numbers:
        return least < ROUNDING or reached < ONE_CLASS
    squares = float(np.mean(y**2))
    same = float(np.var(y)) <= ROUNDING * squares
    return same and reached <= max(100.0 * estimator.tol, 1e-3 * squares)


def _remedy(estimator: Any, config: Config, data: Data, y: NDArray[Any], network: Network) -> str:
    if _shrunk(estimator, network):
        batch = len(data)
        if estimator.solver != "lbfgs":
            batch = 200 if estimator.batch_size == "auto" else estimator.batch_size
            batch = min(batch, len(data))
        example = max(config.alphas)
        if example > estimator.weight_decay and any(config.penalties):
            return (
                "the penalty leaves no weights. scikit-learn divides its alpha by the batch size,"
                f" here {batch}, and skreg does not: what alpha={example:g} is there is"
                f" alpha={example / batch:.3g} here."
            )
        if estimator.weight_decay:
            return f"weight_decay={estimator.weight_decay:g} leaves no weights: lower it."
    squares = float(np.mean(y**2))
    if estimator.out_activation_ == "identity" and not (
        PLAIN_SQUARES[0] <= squares <= PLAIN_SQUARES[1]
    ):
        return (
            f"y, of mean square {squares:.3g}, is far from unit size. Scale it, and X, as"
            " TransformedTargetRegressor(regressor, transformer=StandardScaler()) does."
        )
    return (
        "scale X if its columns are far from unit size, train for longer (max_iter,"
        " learning_rate_init), or regularise less."
    )


def _shrunk(estimator: Any, network: Network) -> bool:
    """Whether a weight matrix is as good as gone."""
    for weight in network.parameters.weights:
        begun = glorot_bound(weight.shape[0], weight.shape[1], estimator.activation) * math.sqrt(
            weight.size / 3
        )
        if float(np.linalg.norm(weight)) < SHRUNK * begun:
            return True
    return False
