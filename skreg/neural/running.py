"""From an estimator and checked data to a trained network, and back to attributes."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ..estimators.runtime import small_products_are_fast, with_one_blas_thread
from ..objective.losses import Loss
from .callbacks import Reporter
from .checks import dropout_rates, resolve_batch_size
from .engine.batches import Data, Targets
from .engine.block_batches import DataInBlocks
from .engine.full_batch import FullBatch
from .engine.network import Network
from .engine.optimizers import SGD, Adam, Optimizer, Schedule
from .engine.plan import Plan
from .engine.progress import History, Progress
from .engine.training import Trainer, Training, TrainingDiverged
from .engine.weights import Parameters
from .evaluation import Validation, evaluation, meaning_of_objective, meaning_of_score
from .warnings import diverged, fault_of, warn_of

# Floating-point operations of a product above which BLAS may use the threads it is set to.
LARGE_PRODUCT = 2e7
# Attributes of the network, by the fields of `Parameters`.
NETWORK = {
    "weights": "coefs_",
    "biases": "intercepts_",
    "scales": "norm_scales_",
    "shifts": "norm_shifts_",
    "means": "running_means_",
    "variances": "running_variances_",
}
# What a fit leaves and the next one from scratch must not find.
RESULTS = ("loss_", "loss_curve_", "best_loss_", "validation_scores_", "best_validation_score_")
STATE = ("restored_epoch_", "_images", "_optimizer", "_progress", "history_")
FITTED = (*NETWORK.values(), *RESULTS, *STATE)


class Architecture(NamedTuple):
    """What makes a network of weights: kept from the fit, whatever parameters are set after it."""

    activation: str
    dropout: Sequence[float]
    input_dropout: float


def architecture_of(estimator: Any) -> Architecture:
    """That of the fitted network; of weights that are set by hand what the parameters say."""
    fitted: Architecture | None = vars(estimator).get("_architecture")
    if fitted is not None:
        return fitted
    dropout = dropout_rates(estimator.dropout, len(estimator.coefs_) - 1)
    return Architecture(estimator.activation, dropout, estimator.input_dropout)


def publish(estimator: Any, parameters: Parameters) -> None:
    """Set the attributes of the network."""
    for name, attribute in NETWORK.items():
        arrays = getattr(parameters, name)
        if arrays or name in ("weights", "biases"):
            setattr(estimator, attribute, arrays)


def parameters_of(estimator: Any) -> Parameters:
    """The network's parameters, from the attributes."""
    return Parameters(
        **{name: list(getattr(estimator, attribute, [])) for name, attribute in NETWORK.items()}
    )


def train(
    estimator: Any,
    plan: Plan,
    data: Data | DataInBlocks,
    held: Validation | None,
    given: tuple[Any, Any, Any],
    incremental: bool,
) -> None:
    """Train the network that the estimator's attributes describe, and set them anew.

    Parameters
    ----------
    estimator : estimator
    plan : Plan
    data : Data or DataInBlocks
        What is trained on.
    held : Validation or None
    given : tuple of X, y and sample_weight
        As the user gave them, for scikit-learn's callbacks.
    incremental : bool
        Whether this is `partial_fit`: one epoch, without hooks and warnings.

    The results are set before the last hook is called, which may want them.
    """
    full_batch = estimator.solver == "lbfgs"
    if full_batch:
        data = blocks_in_float64(data) if isinstance(data, DataInBlocks) else in_float64(data)
        held = held and replace(held, data=in_float64(held.data))
    parameters = parameters_of(estimator).flattened(np.float64 if full_batch else plan.dtype)
    gradients = parameters.views_of(np.zeros_like(parameters.flat))
    architecture = Architecture(estimator.activation, plan.dropout, estimator.input_dropout)
    network = Network(parameters, *architecture, gradients, estimator._images)
    copy_state(estimator)
    estimator._architecture = architecture
    publish(estimator, parameters)
    progress, history, loss = estimator._progress, estimator.history_, estimator._loss()
    estimator.n_iter_, estimator.out_activation_ = 0, loss.out_activation
    progress.go_on(
        plan.early_stopping,
        meaning_of_objective(estimator, plan, None if incremental else data),
        meaning_of_score(estimator, held),
    )

    def reconstruction() -> dict[str, Any]:
        names = [name for name in NETWORK.values() if hasattr(estimator, name)]
        return {name: list(map(np.array, getattr(estimator, name))) for name in names}

    reporter = Reporter(estimator, given, reconstruction, plan.max_iter, hooks=not incremental)
    evaluate = None if held is None else evaluation(estimator, network, loss, held)

    def after_epoch() -> bool:
        estimator.n_iter_ += 1
        estimator.t_ += 0 if full_batch else training.n_data
        estimator.loss_ = history.last("objective")
        return reporter.after_epoch()

    training: Training
    if full_batch:
        training = FullBatch(network, loss, data, plan)
    else:
        training = make_trainer(estimator, network, loss, data, plan, incremental)
    reporter.begin()

    # Products of a batch, which are NumPy's, may be large enough for many threads; those of images
    # come in small pieces, by SciPy's BLAS in turn.
    products = 2.0 * training.n_rows * max(map(np.size, parameters.weights))
    large = estimator._images is None and products >= LARGE_PRODUCT
    if not full_batch and small_products_are_fast(in_many_threads=large):
        network.use_tiles(training.n_rows)
    try:
        status = with_one_blas_thread(
            training.run,
            *(progress, history, evaluate, after_epoch),
            of_scipy_alone=large,
        )
    except TrainingDiverged:
        raise ValueError(diverged(estimator)) from None
    message = ""
    if isinstance(training, FullBatch):
        message, n_iter = training.message, min(training.n_iter, plan.max_iter)
        estimator.n_iter_ = max(n_iter, estimator.n_iter_)
        estimator.loss_ = np.float64(training.objective)
        publish(estimator, parameters.flattened(plan.dtype))
    finish(estimator, status, incremental, held is not None)
    if incremental:
        return
    fault = None
    if status not in ("stopped", "interrupted"):
        with np.errstate(all="ignore"):
            fault = fault_of(estimator, training)
    reporter.end(status)
    warn_of(estimator, status, message, fault)


def copy_state(estimator: Any) -> None:
    """Give the estimator copies of what it goes on from, so that a failure can put it back."""
    bits = estimator._generator.bit_generator
    copied = type(bits)(0)  # in a third of the time of a deep copy
    copied.state = bits.state
    estimator._generator = np.random.Generator(copied)
    estimator._progress = copy.copy(getattr(estimator, "_progress", Progress()))
    history = getattr(estimator, "history_", None)
    estimator.history_ = History() if history is None else history.copy()


def make_trainer(
    estimator: Any,
    network: Network,
    loss: Loss,
    data: Data | DataInBlocks,
    plan: Plan,
    incremental: bool,
) -> Trainer:
    """The trainer of a stochastic solver.

    Its optimiser has the moments of the last one if that was of the same kind.
    """
    n_rows, rate = len(data), float(estimator.learning_rate_init)
    batch_size = resolve_batch_size(estimator.batch_size, n_rows, clip=incremental)
    optimizer: Optimizer
    if estimator.solver == "sgd":
        optimizer = SGD(rate, float(estimator.momentum), estimator.nesterovs_momentum)
    else:
        betas = float(estimator.beta_1), float(estimator.beta_2)
        optimizer = Adam(rate, *betas, float(estimator.epsilon))
    old = getattr(estimator, "_optimizer", None)
    if type(old) is type(optimizer):
        optimizer.go_on_from(old)
    estimator._optimizer = optimizer
    schedule = Schedule(
        estimator.learning_rate,
        rate,
        float(estimator.power_t),
        n_steps=estimator.max_iter * math.ceil(n_rows / batch_size),
        first_step=0 if incremental else optimizer.t,
    )
    if isinstance(data, DataInBlocks):
        clean_rows = np.arange(len(data.sample))
    else:
        n_clean = min(n_rows, max(500, n_rows // 20))
        picks = np.random.Generator(np.random.PCG64(estimator._split_seed))
        clean_rows = np.sort(picks.choice(n_rows, n_clean, replace=False))
    return Trainer(
        network,
        loss,
        data,
        plan,
        n_rows=batch_size,
        optimizer=optimizer,
        schedule=schedule,
        rng=estimator._generator,
        clean_rows=clean_rows,
        n_seen=estimator.t_,
    )


def in_float64(data: Data) -> Data:
    """The same data for L-BFGS."""
    targets = data.targets
    values, table = targets.values, targets.table
    if table is None:
        values = values.astype(np.float64)
    else:
        table = table.astype(np.float64)
    weight = None if data.weight is None else data.weight.astype(np.float64)
    X = data.X if data.X.dtype == np.uint8 else data.X.astype(np.float64)
    return Data(X, Targets(values, table, targets.smoothing), weight)


def blocks_in_float64(data: DataInBlocks) -> DataInBlocks:
    """The same for rows that are read block by block."""

    def converted(part: Callable[[], Iterable[Data]]) -> Iterator[Data]:
        return map(in_float64, part())

    parts = [partial(converted, part) for part in data.parts]
    return replace(data, parts=parts, sample=in_float64(data.sample))


def finish(estimator: Any, status: str, incremental: bool, validated: bool) -> None:
    """Set what is known after training, and keep of its state what going on may need."""
    history, progress = estimator.history_, estimator._progress
    # NumPy's floats, as in scikit-learn: people round them by their method.
    estimator.loss_curve_ = [np.float64(loss) for loss in history.column("objective")]
    if estimator.loss_curve_:
        estimator.loss_ = estimator.loss_curve_[-1]
    elif estimator.solver != "lbfgs":  # Ctrl-C in the first epoch
        estimator.loss_ = np.float64(np.nan)
    estimator._no_improvement_count = progress.stalled  # scikit-learn's name
    if status == "converged":  # a warm start has its own epochs to get on in
        progress.stalled = 0
    early = estimator.early_stopping
    restored = status == "interrupted" or (early and not incremental)
    estimator.restored_epoch_ = progress.epoch if restored else None
    best_loss = progress.best_loss if math.isfinite(progress.best_loss) else estimator.loss_
    estimator.best_loss_ = None if early else np.float64(best_loss)
    estimator.validation_scores_ = estimator.best_validation_score_ = None
    if validated:
        estimator.validation_scores_ = history.column("validation_score")
        best = progress.best_score
        estimator.best_validation_score_ = best if best > -math.inf else math.nan
    optimizer = getattr(estimator, "_optimizer", None)
    if optimizer is not None and not (estimator.warm_start or incremental):
        optimizer.release()
