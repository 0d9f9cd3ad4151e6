"""The training loop: steps, epochs, and the best weights so far."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np
from scipy.linalg import get_blas_funcs

from ...objective.losses import Loss, Scale
from .augmentation import add_noise, mix
from .batches import Data, Index
from .block_batches import DataInBlocks
from .layers import Matrix
from .network import Network
from .optimizers import Adam, Optimizer, Schedule
from .plan import Plan
from .progress import FineGain, History, Progress
from .weights import Parameters, views


class TrainingDiverged(ValueError):
    """The objective is no finite number any more."""


class Training(ABC):
    """What every training does: the record of each epoch, and the best weights so far.

    Parameters
    ----------
    network : Network
        With gradients.
    loss, data, plan
        The parts; see their classes.

    Attributes
    ----------
    n_data, n_rows : int
        Rows of the data, and those that are computed with at a time.
    sample, clean_rows : Data, ndarray of int
        Data in memory, and the rows of them that the training loss as a prediction has it is
        measured on.
    """

    n_rows: int
    clean_rows: Index

    def __init__(self, network: Network, loss: Loss, data: Data | DataInBlocks, plan: Plan) -> None:
        assert network.gradients is not None
        self.network, self.parameters = network, network.parameters
        self.gradients: Parameters = network.gradients
        self.loss, self.data, self.plan, self.regularizer = loss, data, plan, plan.regularizer
        self.sample, self.n_data = data.sample, len(data)

    def run(
        self,
        progress: Progress,
        history: History,
        evaluate: Callable[[], tuple[float, float]] | None,
        after_epoch: Callable[[], bool],
    ) -> str:
        """Train for at most ``plan.max_iter`` epochs, or iterations.

        Parameters
        ----------
        progress, history
            What is written to.
        evaluate : callable returning (loss, score), or None
            Of the validation data.
        after_epoch : callable returning whether to stop

        Returns
        -------
        {"converged", "finished", "stopped", "exhausted", "interrupted", "abnormal"}
            Why it ended: no progress, a learning rate that has come to its end as planned, a
            callback, the number of epochs, Ctrl-C, a line search that failed.
        """
        self.progress, self.history = progress, history
        self.evaluate, self.after_epoch = evaluate, after_epoch
        self._best = (self.parameters.snapshot(), progress.epoch) if self.plan.keep_best else None
        self._since = time.perf_counter()
        try:
            status = self._train()
        except KeyboardInterrupt:
            if self._best is None:
                raise
            status = "interrupted"
        if self._best is not None and (self.plan.early_stopping or status == "interrupted"):
            snapshot, progress.epoch = self._best
            self.parameters.restore(snapshot)
        if not np.isfinite(self.parameters.flat).all():
            raise TrainingDiverged
        return status

    @abstractmethod
    def _train(self) -> str:
        """Train; why it ended."""

    def _end_epoch(
        self, objective: float, clean: float, rate: float, gain: float | None = None
    ) -> bool:
        """Take down an epoch, and keep its weights if they are the best; whether they are.

        `clean` is the loss as a prediction has it, `gain` as in `Progress.update`.
        """
        loss, score = self.evaluate() if self.evaluate else (math.nan, math.nan)
        weights, now = self.parameters.weights, time.perf_counter()
        self.history.append(
            objective=objective,
            loss=clean,
            validation_loss=loss,
            validation_score=score,
            learning_rate=rate,
            weight_norms=[math.sqrt(float(np.vdot(w, w))) for w in weights],
            seconds=now - self._since,
        )
        self._since = now
        self.progress.epoch = self.history.n_epochs
        is_best = self.progress.update(self.plan, objective, score, gain)
        if is_best and self._best is not None:
            self._best = self.parameters.snapshot(), self.progress.epoch
        return is_best


class Trainer(Training):
    """Stochastic training.

    Parameters
    ----------
    network, loss, data, plan
        As for `Training`.
    n_rows, clean_rows
        As for `Training`; a batch is what is computed with at a time.
    optimizer, schedule
        The parts; see their classes.
    rng : Generator
        Of the order of the rows, of dropout and of all other noise.
    n_seen : int
        Rows seen so far.
    """

    def __init__(
        self,
        network: Network,
        loss: Loss,
        data: Data | DataInBlocks,
        plan: Plan,
        *,
        n_rows: int,
        optimizer: Optimizer,
        schedule: Schedule,
        rng: np.random.Generator,
        clean_rows: Index,
        n_seen: int,
    ) -> None:
        super().__init__(network, loss, data, plan)
        self.n_rows, self.optimizer, self.schedule = n_rows, optimizer, schedule
        self.rng, self.clean_rows, self.n_seen = rng, clean_rows, n_seen
        flat, weights, regularizer = self.parameters.flat, self.parameters.weights, self.regularizer
        moved = plan.adversarial_eps or plan.input_noise or plan.mixup
        dense, by_batch = bool(moved or network.needs_dense), bool(self.parameters.means)
        self.batches = data.batches(n_rows, dense, join_last=by_batch)
        optimizer.begin(len(flat), flat.dtype)
        self._steps: list[Matrix] | None = None
        if regularizer.proximal and isinstance(optimizer, Adam):
            self._steps = views(optimizer.keep_steps(), weights)
        if regularizer.smooth and regularizer.shared_l2 is None:
            self._scratch = [np.empty_like(weight) for weight in weights]
        self._add = get_blas_funcs("axpy", dtype=flat.dtype)
        n_weights = sum(map(np.size, weights))
        self._flat_weights, self._flat_slopes = flat[:n_weights], self.gradients.flat[:n_weights]

    def _train(self) -> str:
        plan, progress, optimizer, rows = self.plan, self.progress, self.optimizer, self.clean_rows
        weights, loss, data = self.parameters.weights, self.loss, self.sample
        fine = FineGain(loss, data, rows, self.n_rows, plan.tol, self.regularizer, weights)
        for _ in range(plan.max_iter):
            self._since = time.perf_counter()
            objective = self._epoch()
            self.n_seen += self.n_data
            rate, raw = optimizer.learning_rate, self.network.raw(data.X, rows)
            gain = fine.gain(progress.best_loss, objective, raw)
            if self._end_epoch(objective, data.loss(raw, loss, rows), rate, gain):
                fine.keep(objective, raw)
            optimizer.learning_rate = self.schedule.after_epoch(rate, self.n_seen)
            if self.after_epoch():
                return "stopped"
            if progress.stalled > plan.n_iter_no_change and not self.schedule.by_step:
                slower = self.schedule.without_progress(optimizer.learning_rate)
                if slower is None:
                    return "converged"
                optimizer.learning_rate, progress.stalled = slower, 0
        return "finished" if self.schedule.by_step else "exhausted"

    def _epoch(self) -> float:
        """One pass over the data; the mean loss of its batches plus the penalty."""
        network, parameters, constraints = self.network, self.parameters, self.plan.constraints
        if constraints is not None:
            constraints.begin_epoch(parameters.weights)
        network.train(True)
        total = 0.0
        for x, y, scale in self.batches.epoch(self.rng if self.plan.shuffle else None):
            value = self._step(x, y, scale)
            if not math.isfinite(value):
                raise TrainingDiverged
            total += value * len(y)
        network.train(False)
        if constraints is not None:
            constraints.end_epoch(parameters.weights)
        objective = total / self.n_data + self.regularizer.value(parameters.weights)
        # A sum is finite unless an entry is not, and takes less than looking at each.
        if not math.isfinite(objective + float(parameters.flat.sum())):
            raise TrainingDiverged
        return objective

    def _step(self, x: Matrix, y: Matrix, scale: Scale) -> float:
        """One update; the loss of the batch before it."""
        plan, regularizer, optimizer = self.plan, self.regularizer, self.optimizer
        gradient, weights = self.gradients.flat, self.parameters.weights
        if plan.augmentation is not None:
            plan.augmentation.apply(self.network.to_pixels.images(x), self.rng)
        if plan.mixup:
            scale = mix(x, y, scale, float(self.rng.beta(plan.mixup, plan.mixup)), self.rng)
        if plan.input_noise:
            add_noise(x, plan.input_noise, self.rng)
        value, in_x = self._gradient(x, y, scale, to_input=plan.adversarial_eps > 0)
        if plan.adversarial_eps:
            # Half of this gradient, half that of the batch with each entry moved by as much in the
            # direction of its sign (Goodfellow, Shlens and Szegedy, ICLR 2015).
            clean, moved = gradient.copy(), np.sign(in_x)
            moved *= plan.adversarial_eps
            moved += x
            value = 0.5 * (value + self._gradient(moved, y, scale)[0])
            gradient += clean
            gradient *= 0.5
        if regularizer.shared_l2 is not None:
            self._add(self._flat_weights, self._flat_slopes, a=regularizer.shared_l2)
        elif regularizer.smooth:
            regularizer.add_gradient(weights, self.gradients.weights, self._scratch)
        if plan.clip_norm is not None:
            norm = math.sqrt(float(np.vdot(gradient, gradient)))
            if norm > plan.clip_norm:
                gradient *= plan.clip_norm / norm
        if self.schedule.by_step:
            optimizer.learning_rate = self.schedule.at_step(optimizer.t)
        if plan.weight_decay:
            # Decoupled (Loshchilov and Hutter, ICLR 2019): a step of its own, so that Adam does not
            # divide it by the size of the gradients, as it does with the gradient of a penalty.
            self._flat_weights *= 1.0 - optimizer.learning_rate * plan.weight_decay
        optimizer.step(self.parameters.flat, gradient)
        if regularizer.proximal:
            if isinstance(optimizer, Adam):
                optimizer.steps()
            regularizer.prox(weights, optimizer.step_length(), self._steps)
        if plan.constraints is not None:
            plan.constraints.apply(weights)
        return value

    def _gradient(
        self, x: Matrix, y: Matrix, scale: Scale, to_input: bool = False
    ) -> tuple[float, Matrix]:
        """Loss of a batch; its gradient is stored, and that in x returned if asked for."""
        raw = self.network.forward(x, self.rng)
        value, slope = self.loss.value_and_gradient(raw, y, scale)
        return value, self.network.backward(slope, to_input)
