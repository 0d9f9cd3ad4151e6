"""From an estimator and checked data to a trained network, and back to attributes."""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from typing import Any

import numpy as np

from ..estimators.runtime import with_one_blas_thread
from ..objective.losses import Loss
from .attributes import parameters_of, publish, reconstruction
from .callbacks import Reporter
from .checks import Config, resolve_batch_size
from .engine.augmentation import Augmentation
from .engine.batches import Data, Index, Targets, is_all
from .engine.constraints import Constraints
from .engine.full_batch import FullBatch
from .engine.history import History
from .engine.network import Network, views_of
from .engine.optimizers import SGD, Adam, Optimizer
from .engine.progress import Plan, Progress
from .engine.regularizers import Regularizer
from .engine.schedules import Schedule
from .engine.training import Model, Trainer, TrainingDiverged, Watch
from .evaluation import Validation, evaluation, meaning_of_objective, meaning_of_score
from .warnings import diverged, fault_of, warn_of

# Floating-point operations of a product above which BLAS may use the threads it is set to.
LARGE_PRODUCT = 2e7


def take(X: Any, index: Index) -> Any:
    """Some rows; X itself where these are all."""
    return X if is_all(index, X.shape[0]) else X[index]


def make_model(estimator: Any, config: Config, dtype: Any) -> Model:
    """A copy of the fitted or initial network that can be trained."""
    flat, parameters = parameters_of(estimator).flattened(dtype)
    flat_gradient = np.zeros_like(flat)
    gradients = views_of(flat_gradient, parameters)
    network = Network(
        parameters, estimator.activation, config.dropout, estimator.input_dropout, gradients
    )
    return Model(network, flat, parameters, flat_gradient, gradients)


def make_optimizer(estimator: Any) -> Optimizer:
    """The estimator's optimiser, with the moments of the last one if that was of the same kind."""
    rate = float(estimator.learning_rate_init)
    new: Optimizer
    if estimator.solver == "sgd":
        new = SGD(rate, float(estimator.momentum), estimator.nesterovs_momentum)
    else:
        new = Adam(rate, float(estimator.beta_1), float(estimator.beta_2), float(estimator.epsilon))
    old = getattr(estimator, "_optimizer", None)
    if type(old) is type(new):
        new.go_on_from(old)
    return new


def make_plan(estimator: Any, incremental: bool) -> Plan:
    """How the estimator wants to be trained."""
    return Plan(
        max_iter=1 if incremental else estimator.max_iter,
        shuffle=estimator.shuffle,
        tol=float(estimator.tol),
        n_iter_no_change=math.inf if incremental else estimator.n_iter_no_change,
        early_stopping=estimator.early_stopping and not incremental,
        weight_decay=float(estimator.weight_decay),
        clip_norm=estimator.clip_norm,
        adversarial_eps=float(estimator.adversarial_eps),
        keep_best=not incremental,
    )


def train(
    estimator: Any,
    config: Config,
    data: Data,
    held: Validation | None,
    given: tuple[Any, Any, Any],
    incremental: bool,
) -> None:
    """Train the network that the estimator's attributes describe, and set them anew.

    Parameters
    ----------
    estimator : estimator
    config : Config
    data : Data
        What is trained on.
    held : Validation or None
    given : tuple of X, y and sample_weight
        As the user gave them, for scikit-learn's callbacks.
    incremental : bool
        Whether this is `partial_fit`: one epoch, without hooks and warnings.

    The results are set before the last hook is called, which may want them.
    """
    full_batch = estimator.solver == "lbfgs"
    plain = data
    if full_batch:
        data = in_float64(data)
        held = held and replace(held, data=in_float64(held.data))
    model = make_model(estimator, config, np.float64 if full_batch else config.dtype)
    copy_state(estimator)
    publish(estimator, model.parameters)
    loss = estimator._loss()
    estimator.n_iter_, estimator.out_activation_ = 0, loss.out_activation
    plan = make_plan(estimator, incremental)
    estimator._progress.go_on(
        plan.early_stopping,
        meaning_of_objective(estimator, config, None if incremental else data),
        meaning_of_score(estimator, held),
    )
    reporter = Reporter(estimator, given, lambda: reconstruction(estimator), plan.max_iter)

    def after_epoch() -> bool:
        estimator.n_iter_ += 1
        estimator.t_ += 0 if full_batch else len(data)
        estimator.loss_ = estimator.history_.last("objective")
        return reporter.after_epoch(hooks=not incremental)

    evaluate = None if held is None else evaluation(estimator, model, loss, held)
    watch = Watch(evaluate, after_epoch)
    regularizer = Regularizer(config.penalties, config.alphas)
    solver: FullBatch | Trainer
    if full_batch:
        solver = FullBatch(model, loss, data, regularizer)
    else:
        solver = make_trainer(estimator, model, loss, data, plan, regularizer, incremental)
    if not incremental:
        reporter.begin()

    def run() -> tuple[str, str]:
        with np.errstate(all="ignore"):
            if not isinstance(solver, FullBatch):
                return solver.run(*records(estimator), watch, estimator.t_), ""
            outcome = solver.run(plan, estimator.max_fun, *records(estimator), watch)
            estimator.n_iter_, estimator.loss_ = outcome.n_iter, np.float64(outcome.objective)
            return outcome.status, outcome.message

    try:
        status, message = with_one_blas_thread(
            run, of_scipy_alone=large_products(model, solver.n_rows)
        )
    except TrainingDiverged:
        raise ValueError(diverged(estimator)) from None
    finish(estimator, model, config, status, incremental, held is not None)
    fault = None
    if not incremental and status not in ("stopped", "interrupted"):
        rows = solver.clean_rows if isinstance(solver, Trainer) else np.arange(len(plain))
        with np.errstate(all="ignore"):
            fault = fault_of(estimator, config, loss, plain, rows)
    if not incremental:
        reporter.end(status)
        warn_of(estimator, status, message, fault)


def copy_state(estimator: Any) -> None:
    """Give the estimator copies of what it goes on from, so that a failure can put it back."""
    bits = estimator._generator.bit_generator
    copied = type(bits)(0)  # in a third of the time of a deep copy
    copied.state = bits.state
    estimator._generator = np.random.Generator(copied)
    estimator._progress = copy.copy(getattr(estimator, "_progress", Progress()))
    estimator.history_ = getattr(estimator, "history_", History()).copy()


def records(estimator: Any) -> tuple[Progress, History]:
    """What a solver writes to."""
    return estimator._progress, estimator.history_


def large_products(model: Model, n_rows: int) -> bool:
    """Whether products of `n_rows` rows, which are NumPy's, are large enough for many threads."""
    largest = max(weight.size for weight in model.parameters.weights)
    return 2.0 * n_rows * largest >= LARGE_PRODUCT


def make_trainer(
    estimator: Any,
    model: Model,
    loss: Loss,
    data: Data,
    plan: Plan,
    regularizer: Regularizer,
    incremental: bool,
) -> Trainer:
    """The trainer of a stochastic solver."""
    batch_size = resolve_batch_size(estimator.batch_size, len(data), clip=incremental)
    optimizer = estimator._optimizer = make_optimizer(estimator)
    schedule = Schedule(
        estimator.learning_rate,
        float(estimator.learning_rate_init),
        float(estimator.power_t),
        n_steps=estimator.max_iter * math.ceil(len(data) / batch_size),
        first_step=0 if incremental else optimizer.t,
    )
    n_clean = min(len(data), max(500, len(data) // 20))
    picks = np.random.Generator(np.random.PCG64(estimator._split_seed))
    return Trainer(
        model=model,
        loss=loss,
        data=data,
        n_rows=batch_size,
        plan=plan,
        optimizer=optimizer,
        schedule=schedule,
        regularizer=regularizer,
        constraints=Constraints(estimator.max_norm, estimator.spectral_norm),
        augmentation=Augmentation(float(estimator.input_noise), float(estimator.mixup)),
        rng=estimator._generator,
        clean_rows=np.sort(picks.choice(len(data), n_clean, replace=False)),
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
    X = data.X.astype(np.float64)
    return Data(X, Targets(values, table, targets.smoothing), weight)


def finish(
    estimator: Any,
    model: Model,
    config: Config,
    status: str,
    incremental: bool,
    validated: bool,
) -> None:
    """Set what is known after training, and keep of its state what going on may need."""
    if model.flat.dtype != config.dtype:
        _, model.parameters = model.parameters.flattened(config.dtype)
        publish(estimator, model.parameters)
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
