"""L-BFGS on the whole training set (Byrd, Lu, Nocedal and Zhu, SIAM J. Sci. Comput. 16(5), 1995).

It works in float64, as its line search needs. An L1 penalty is made smooth by splitting each weight
into its positive and its negative part, both bounded by zero: at a solution one of the two is
exactly zero, and both are where the penalty wins. Among so many bounds the method may stop short:
then it starts again, without the curvature that has misled it, as long as that gains anything. What
both parts of a weight have in common is taken from both before, which lowers the penalty alone.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import Bounds, minimize

from ...objective.losses import Loss, Scale
from .batches import Data, rows_of
from .history import History
from .layers import Matrix
from .progress import Plan, Progress
from .regularizers import ElasticNet, Regularizer
from .training import Model, TrainingDiverged, Watch

# An iteration that gains less than this share of the objective is the last one: scipy's own, or
# the square of a smaller `tol`, as what is left to gain falls with the square of the gradient.
# Below the last figure there is nothing but rounding.
GAIN, ROUNDING = 2.2e-9, 1e-15
# So often it starts again with an L1 penalty; two or three times do nearly always.
MOST_STARTS = 20
ABNORMAL = 2  # scipy's status after a line search that failed


@dataclass
class Outcome:
    """How it ended.

    Attributes
    ----------
    status : {"converged", "stopped", "exhausted", "interrupted", "abnormal"}
        As of `Trainer.run`; "abnormal" where the line search failed.
    n_iter : int
    message : str
        scipy's.
    objective : float
        The last value.
    """

    status: str
    n_iter: int
    message: str
    objective: float


class FullBatch:
    """The objective of all rows, and its minimisation.

    Parameters
    ----------
    model : Model
        In float64, without dropout and batch normalisation.
    loss, data, regularizer
        The parts; the penalties have no proximal step but that of the L1 norm.
    """

    def __init__(self, model: Model, loss: Loss, data: Data, regularizer: Regularizer) -> None:
        self.model, self.loss, self.data, self.regularizer = model, loss, data, regularizer
        #: Rows that are computed with at a time.
        self.n_rows = min(len(data), model.network.block_rows())
        self._total = np.empty_like(model.flat)
        self._scratch = [np.empty_like(weight) for weight in model.parameters.weights]
        # Strength of the L1 penalty of each parameter, and the parameters that have one.
        strength = np.zeros_like(model.flat)
        start = 0
        terms = {
            i: alpha * penalty.l1_ratio
            for i, penalty, alpha in regularizer.terms
            if isinstance(penalty, ElasticNet)
        }
        for i, weight in enumerate(model.parameters.weights):
            strength[start : start + weight.size] = terms.get(i, 0.0)
            start += weight.size
        self._split = np.flatnonzero(strength)
        self._l1 = strength[self._split]

    def data_loss(self) -> float:
        """Weighted mean loss; its gradient goes into `_total`."""
        model, data = self.model, self.data
        n_rows, value = len(data), 0.0
        block = self.n_rows
        self._total.fill(0.0)
        targets = data.targets.trained_on()
        for start in range(0, n_rows, block):
            part = slice(start, min(start + block, n_rows))
            x, y = rows_of(data.X, part), targets.rows(part)
            scale: Scale = 1.0 / n_rows
            if data.weight is not None:
                scale = data.weight[part][:, None] / n_rows
            share, slope = self.loss.value_and_gradient(model.network.forward(x), y, scale)
            model.network.backward(slope)
            self._total += model.flat_gradient
            value += share
        return value

    def smooth(self, flat: Matrix) -> tuple[float, Matrix]:
        """Loss and all penalties but for the gradient of the L1 part."""
        self.model.flat[...] = flat
        weights, slopes = self.model.parameters.weights, self.model.gradients.weights
        value = self.data_loss()
        self.model.flat_gradient[...] = self._total
        self.regularizer.add_gradient(weights, slopes, self._scratch)
        return value + self.regularizer.value(weights), self.model.flat_gradient

    def _join(self, x: Matrix) -> Matrix:
        """The parameters of a vector whose split ones have their negative parts at its end."""
        flat = np.array(x[: len(self.model.flat)])
        flat[self._split] -= x[len(flat) :]
        return flat

    def _overlap(self, x: Matrix) -> Matrix:
        """The smaller one of the two parts of each split parameter."""
        return np.minimum(x[self._split], x[len(self.model.flat) :])

    def _objective(self, x: Matrix) -> tuple[float, Matrix]:
        value, gradient = self.smooth(self._join(x))
        if not math.isfinite(value):
            raise TrainingDiverged
        # The penalty of a weight is that of the difference of its parts, here it is of their sum.
        value += 2.0 * float(self._l1 @ self._overlap(x))
        negative = self._l1 - gradient[self._split]
        gradient[self._split] += self._l1
        return value, np.concatenate([gradient, negative])

    def run(
        self, plan: Plan, max_fun: int, progress: Progress, history: History, watch: Watch
    ) -> Outcome:
        """Minimise; an epoch of the history is an iteration."""
        model = self.model
        start = np.array(model.flat)
        start[self._split] = np.maximum(start[self._split], 0.0)
        x = np.concatenate([start, np.maximum(-model.flat[self._split], 0.0)])
        lower = np.full(len(x), -np.inf)
        lower[self._split] = lower[len(start) :] = 0.0
        self._status, self._best = "converged", (model.snapshot(), progress.epoch)
        self._halted = False
        self._since, n_before = time.perf_counter(), history.n_epochs

        def after_iteration(intermediate_result: Any) -> None:
            x = intermediate_result.x
            model.flat[...] = self._join(x)
            value = float(intermediate_result.fun) - 2.0 * float(self._l1 @ self._overlap(x))
            self._record(value, plan, progress, history, watch)

        gain = max(min(GAIN, plan.tol**2), ROUNDING)
        message, n_iter, n_fun, objective = "", 0, 0, math.nan
        try:
            for _ in range(MOST_STARTS):
                found = minimize(
                    self._objective,
                    x,
                    method="L-BFGS-B",
                    jac=True,
                    bounds=Bounds(lower, np.inf) if len(self._split) else None,
                    callback=after_iteration,
                    options={
                        "maxfun": max_fun - n_fun,
                        "maxiter": plan.max_iter - n_iter,
                        "gtol": plan.tol,
                        "ftol": gain,
                    },
                )
                x, message = found.x, str(found.message)
                model.flat[...] = self._join(x)
                n_iter, n_fun = n_iter + int(found.nit), n_fun + int(found.nfev)
                before, overlap = objective, self._overlap(x)
                objective = float(found.fun) - 2.0 * float(self._l1 @ overlap)
                for part in (self._split, slice(len(start), None)):
                    x[part] -= overlap
                slope = np.abs(x - np.maximum(x - found.jac, lower)).max()
                spent = n_iter >= plan.max_iter or n_fun >= max_fun
                if spent or not len(self._split) or self._halted or self._status != "converged":
                    break
                if slope <= plan.tol or before - objective <= gain * abs(objective):
                    break
            if self._status == "converged" and found.status == 1:
                self._status = "exhausted"
            elif self._status == "converged" and found.status == ABNORMAL and not self._halted:
                self._status = "abnormal"
        except KeyboardInterrupt:
            self._status = "interrupted"
        if plan.early_stopping or self._status == "interrupted":
            snapshot, progress.epoch = self._best
            model.restore(snapshot)
        if not np.isfinite(model.flat).all():
            raise TrainingDiverged
        n_iter = max(min(n_iter, plan.max_iter), history.n_epochs - n_before)
        return Outcome(self._status, n_iter, message, objective)

    def _record(
        self, objective: float, plan: Plan, progress: Progress, history: History, watch: Watch
    ) -> None:
        model = self.model
        penalty = self.regularizer.value(model.parameters.weights)
        clean = objective - penalty
        if self.data.targets.smoothing:
            clean = self.data.loss(self.data.raw(model.network), self.loss)
        loss, score = watch.evaluate() if watch.evaluate else (math.nan, math.nan)
        now = time.perf_counter()
        history.append(
            objective=objective,
            loss=clean,
            validation_loss=loss,
            validation_score=score,
            learning_rate=math.nan,
            weight_norms=model.norms(),
            seconds=now - self._since,
        )
        self._since = now
        progress.epoch = history.n_epochs
        if progress.update(plan, objective, score):
            self._best = model.snapshot(), progress.epoch
        if watch.after_epoch():
            self._status = "stopped"
        self._halted = plan.early_stopping and progress.stalled > plan.n_iter_no_change
        if self._halted or self._status == "stopped":
            raise StopIteration
