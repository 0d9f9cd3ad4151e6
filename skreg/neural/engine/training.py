"""The training loop: steps, epochs, and the best weights so far."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import get_blas_funcs

from ...objective.losses import Loss, Scale
from .augmentation import Augmentation
from .batches import Batches, Data, Index
from .constraints import Constraints
from .history import History
from .layers import Matrix
from .network import Network, Parameters
from .optimizers import Adam, Optimizer
from .progress import FineGain, Plan, Progress
from .regularizers import Regularizer
from .schedules import Schedule


class TrainingDiverged(ValueError):
    """The objective is no finite number any more."""


@dataclass
class Model:
    """A network under training: its parameters in one vector, and their gradient in another."""

    network: Network
    flat: Matrix
    parameters: Parameters
    flat_gradient: Matrix
    gradients: Parameters

    @property
    def n_weights(self) -> int:
        """Entries of the weight matrices, which come first in the flat vectors."""
        return sum(weight.size for weight in self.parameters.weights)

    def snapshot(self) -> list[Matrix]:
        """Copies of everything that training changes."""
        running = self.parameters.means + self.parameters.variances
        return [np.array(array) for array in [self.flat, *running]]

    def restore(self, snapshot: list[Matrix]) -> None:
        """Put a snapshot back."""
        running = self.parameters.means + self.parameters.variances
        for array, kept in zip([self.flat, *running], snapshot, strict=True):
            array[...] = kept

    def norms(self) -> list[float]:
        """Frobenius norm of each weight matrix."""
        return [math.sqrt(float(np.vdot(w, w))) for w in self.parameters.weights]


@dataclass
class Watch:
    """What the estimator adds to an epoch's end.

    Attributes
    ----------
    evaluate : callable returning (loss, score), or None
        Of the validation data.
    after_epoch : callable returning whether to stop
    """

    evaluate: Callable[[], tuple[float, float]] | None
    after_epoch: Callable[[], bool]


@dataclass
class Trainer:
    """Stochastic training of a model.

    Attributes
    ----------
    model, loss, data, plan, optimizer, schedule, regularizer, constraints, augmentation
        The parts; see their classes.
    n_rows : int
        Rows of a batch.
    rng : Generator
        Of the order of the rows, of dropout and of all other noise.
    clean_rows : ndarray of int
        Rows that the clean training loss is measured on.
    """

    model: Model
    loss: Loss
    data: Data
    n_rows: int
    plan: Plan
    optimizer: Optimizer
    schedule: Schedule
    regularizer: Regularizer
    constraints: Constraints
    augmentation: Augmentation
    rng: np.random.Generator
    clean_rows: Index

    def __post_init__(self) -> None:
        model, plan = self.model, self.plan
        by_batch = bool(model.parameters.means)
        dense = plan.adversarial_eps > 0 or model.network.drops_input or self.augmentation.active
        self.batches = Batches(self.data, self.n_rows, dense, join_last=by_batch)
        self.optimizer.begin(len(model.flat), model.flat.dtype)
        if self.regularizer.proximal and isinstance(self.optimizer, Adam):
            self.optimizer.keep_steps()
        if self.regularizer.smooth and self.regularizer.shared_l2 is None:
            scratch = np.empty(model.n_weights, dtype=model.flat.dtype)
            self._scratch_views = _weight_views(scratch, model.parameters)
        self._add = get_blas_funcs("axpy", dtype=model.flat.dtype)
        self._flat_weights = model.flat[: model.n_weights]
        self._flat_slopes = model.flat_gradient[: model.n_weights]

    def run(self, progress: Progress, history: History, watch: Watch, n_seen: int) -> str:
        """Train for at most ``plan.max_iter`` epochs.

        Returns
        -------
        {"converged", "finished", "stopped", "exhausted", "interrupted"}
            Why it ended: no progress, a learning rate that has come to its end as planned, a
            callback, the number of epochs, Ctrl-C.
        """
        plan, model, optimizer = self.plan, self.model, self.optimizer
        best = model.snapshot() if plan.keep_best else None
        best_epoch = progress.epoch
        weights, rows = model.parameters.weights, self.clean_rows
        fine = FineGain(
            self.loss, self.data, rows, self.n_rows, plan.tol, self.regularizer, weights
        )
        status = "finished" if self.schedule.by_step else "exhausted"
        try:
            for _ in range(plan.max_iter):
                start = time.perf_counter()
                objective = self._epoch()
                n_seen += len(self.data)
                rate = optimizer.learning_rate
                raw = self.data.raw(model.network, self.clean_rows)
                clean = self.data.loss(raw, self.loss, self.clean_rows)
                loss, score = watch.evaluate() if watch.evaluate else (math.nan, math.nan)
                history.append(
                    objective=objective,
                    loss=clean,
                    validation_loss=loss,
                    validation_score=score,
                    learning_rate=rate,
                    weight_norms=model.norms(),
                    seconds=time.perf_counter() - start,
                )
                progress.epoch = history.n_epochs
                gain = fine.gain(progress.best_loss, objective, raw)
                is_best = progress.update(plan, objective, score, gain)
                if is_best:
                    fine.keep(objective, raw)
                if is_best and plan.keep_best:
                    best, best_epoch = model.snapshot(), progress.epoch
                optimizer.learning_rate = self.schedule.after_epoch(rate, n_seen)
                if watch.after_epoch():
                    status = "stopped"
                    break
                if progress.stalled > plan.n_iter_no_change and not self.schedule.by_step:
                    slower = self.schedule.without_progress(optimizer.learning_rate)
                    if slower is None:
                        status = "converged"
                        break
                    optimizer.learning_rate = slower
                    progress.stalled = 0
        except KeyboardInterrupt:
            if best is None:
                raise
            status = "interrupted"
        if best is not None and (plan.early_stopping or status == "interrupted"):
            model.restore(best)
            progress.epoch = best_epoch
        return status

    def _epoch(self) -> float:
        """One pass over the data; the mean loss of its batches plus the penalty."""
        n_rows, network = len(self.data), self.model.network
        order = self.rng.permutation(n_rows) if self.plan.shuffle else np.arange(n_rows)
        self.constraints.begin_epoch(self.model.parameters.weights)
        network.train(True)
        total = 0.0
        for x, y, scale in self.batches.epoch(order):
            value = self._step(x, y, scale)
            if not math.isfinite(value):
                raise TrainingDiverged
            total += value * len(y)
        network.train(False)
        self.constraints.end_epoch(self.model.parameters.weights)
        objective = total / n_rows + self.regularizer.value(self.model.parameters.weights)
        # A sum is finite unless an entry is not, and takes less than looking at each.
        if not math.isfinite(objective + float(self.model.flat.sum())):
            raise TrainingDiverged
        return objective

    def _step(self, x: Matrix, y: Matrix, scale: Scale) -> float:
        """One update; the loss of the batch before it."""
        model, plan, regularizer = self.model, self.plan, self.regularizer
        if self.augmentation.active:
            scale = self.augmentation.apply(x, y, scale, self.rng)
        if plan.adversarial_eps:
            value = self._adversarial_gradient(x, y, scale)
        else:
            value = self._gradient(x, y, scale)
        if regularizer.shared_l2 is not None:
            self._add(self._flat_weights, self._flat_slopes, a=regularizer.shared_l2)
        elif regularizer.smooth:
            weights, slopes = model.parameters.weights, model.gradients.weights
            regularizer.add_gradient(weights, slopes, self._scratch_views)
        if plan.clip_norm is not None:
            gradient = model.flat_gradient
            norm = math.sqrt(float(np.vdot(gradient, gradient)))
            if norm > plan.clip_norm:
                gradient *= plan.clip_norm / norm
        self._update()
        return value

    def _gradient(self, x: Matrix, y: Matrix, scale: Scale) -> float:
        network = self.model.network
        value, slope = self.loss.value_and_gradient(network.forward(x, self.rng), y, scale)
        network.backward(slope)
        return value

    def _adversarial_gradient(self, x: Matrix, y: Matrix, scale: Scale) -> float:
        """Half the gradient of the batch, half that of the batch moved up its loss.

        Each entry of x moves by `adversarial_eps` in the direction of the sign of its gradient
        (Goodfellow, Shlens and Szegedy, ICLR 2015).
        """
        network, gradient = self.model.network, self.model.flat_gradient
        value, slope = self.loss.value_and_gradient(network.forward(x, self.rng), y, scale)
        in_x = network.backward(slope, to_input=True)
        clean = gradient.copy()
        moved = np.sign(in_x)
        moved *= self.plan.adversarial_eps
        moved += x
        value = 0.5 * (value + self._gradient(moved, y, scale))
        gradient += clean
        gradient *= 0.5
        return value

    def _update(self) -> None:
        optimizer, weights = self.optimizer, self.model.parameters.weights
        if self.schedule.by_step:
            optimizer.learning_rate = self.schedule.at_step(optimizer.t)
        decay = self._flat_weights if self.plan.weight_decay else None
        optimizer.step(self.model.flat, self.model.flat_gradient, decay, self.plan.weight_decay)
        if self.regularizer.proximal:
            steps: Any = optimizer.steps()
            if steps is not None:
                steps = _weight_views(steps, self.model.parameters)
            self.regularizer.prox(weights, optimizer.step_length(), steps)
        if self.constraints.active:
            self.constraints.apply(weights)


def _weight_views(flat: Matrix, like: Parameters) -> list[Matrix]:
    start, views = 0, []
    for weight in like.weights:
        views.append(flat[start : start + weight.size].reshape(weight.shape))
        start += weight.size
    return views
