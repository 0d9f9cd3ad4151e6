"""L-BFGS on the whole training set (Byrd, Lu, Nocedal and Zhu, SIAM J. Sci. Comput. 16(5), 1995).

It works in float64, as its line search needs. An L1 penalty is made smooth by splitting each weight
into its positive and its negative part, both bounded by zero: at a solution one of the two is
exactly zero, and both are where the penalty wins. Among so many bounds the method may stop short:
then it starts again, without the curvature that has misled it, as long as that gains anything. What
both parts of a weight have in common is taken from both before, which lowers the penalty alone.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.optimize import Bounds, minimize

from ...objective.losses import Loss, Scale
from .batches import Data
from .block_batches import DataInBlocks
from .layers import Matrix
from .network import Network
from .plan import Plan
from .regularizers import L1L2
from .training import Training, TrainingDiverged
from .weights import views

# An iteration that gains less than this share of the objective is the last one: scipy's own, or
# the square of a smaller `tol`, as what is left to gain falls with the square of the gradient.
# Below the last figure there is nothing but rounding.
GAIN, ROUNDING = 2.2e-9, 1e-15
# So often it starts again with an L1 penalty; two or three times do nearly always.
MOST_STARTS = 20
ABNORMAL = 2  # scipy's status after a line search that failed


class FullBatch(Training):
    """The objective of all rows, and its minimisation.

    Parameters
    ----------
    network : Network
        In float64, without dropout and batch normalisation.
    loss, data, plan
        As for `Training`; the penalties have no proximal step but that of the L1 norm.

    Attributes
    ----------
    n_iter, message, objective : int, str, float
        Iterations, scipy's word on how it ended, and the last value, once it has.
    """

    def __init__(self, network: Network, loss: Loss, data: Data | DataInBlocks, plan: Plan) -> None:
        super().__init__(network, loss, data, plan)
        self.n_rows = min(self.n_data, network.block_rows)
        self.clean_rows = np.arange(len(self.sample))
        self.n_iter, self.message, self.objective = 0, "", math.nan
        flat, weights = self.parameters.flat, self.parameters.weights
        self._total = np.empty_like(flat)
        self._scratch = [np.empty_like(weight) for weight in weights]
        # Strength of the L1 penalty of each parameter, and the parameters that have one.
        strength = np.zeros_like(flat)
        of_weights = views(strength, weights)
        for i, penalty, alpha in self.regularizer.terms:
            if isinstance(penalty, L1L2):
                of_weights[i].fill(alpha * penalty.l1_ratio)
        self._split = np.flatnonzero(strength)
        self._l1 = strength[self._split]

    def _smooth(self, flat: Matrix) -> tuple[float, Matrix]:
        """Loss and all penalties but for the gradient of the L1 part."""
        n_rows, value = self.n_data, 0.0
        weights, gradient = self.parameters.weights, self.gradients.flat
        self.parameters.flat[...] = flat
        self._total.fill(0.0)
        for x, y, weight in self.data.slices(self.n_rows):
            scale: Scale = 1.0 / n_rows if weight is None else weight[:, None] / n_rows
            share, slope = self.loss.value_and_gradient(self.network.forward(x), y, scale)
            self.network.backward(slope)
            self._total += gradient
            value += share
        gradient[...] = self._total
        self.regularizer.add_gradient(weights, self.gradients.weights, self._scratch)
        return value + self.regularizer.value(weights), gradient

    def _join(self, x: Matrix) -> Matrix:
        """The parameters of a vector whose split ones have their negative parts at its end."""
        flat = np.array(x[: len(self.parameters.flat)])
        flat[self._split] -= x[len(flat) :]
        return flat

    def _overlap(self, x: Matrix) -> Matrix:
        """The smaller one of the two parts of each split parameter."""
        return np.minimum(x[self._split], x[len(self.parameters.flat) :])

    def _objective(self, x: Matrix) -> tuple[float, Matrix]:
        value, gradient = self._smooth(self._join(x))
        if not math.isfinite(value):
            raise TrainingDiverged
        # The penalty of a weight is that of the difference of its parts, here it is of their sum.
        value += 2.0 * float(self._l1 @ self._overlap(x))
        negative = self._l1 - gradient[self._split]
        gradient[self._split] += self._l1
        return value, np.concatenate([gradient, negative])

    def _train(self) -> str:
        plan, flat, split = self.plan, self.parameters.flat, self._split
        start = np.array(flat)
        start[split] = np.maximum(start[split], 0.0)
        x = np.concatenate([start, np.maximum(-flat[split], 0.0)])
        lower = np.full(len(x), -np.inf)
        lower[split] = lower[len(start) :] = 0.0
        self._halt = ""
        gain, n_fun = max(min(GAIN, plan.tol**2), ROUNDING), 0
        for _ in range(MOST_STARTS):
            found = minimize(
                self._objective,
                x,
                method="L-BFGS-B",
                jac=True,
                bounds=Bounds(lower, np.inf) if len(split) else None,
                callback=self._after_iteration,
                options={
                    "maxfun": plan.max_fun - n_fun,
                    "maxiter": plan.max_iter - self.n_iter,
                    "gtol": plan.tol,
                    "ftol": gain,
                },
            )
            x, self.message = found.x, str(found.message)
            flat[...] = self._join(x)
            self.n_iter, n_fun = self.n_iter + int(found.nit), n_fun + int(found.nfev)
            before, overlap = self.objective, self._overlap(x)
            self.objective = float(found.fun) - 2.0 * float(self._l1 @ overlap)
            for part in (split, slice(len(start), None)):
                x[part] -= overlap
            slope = np.abs(x - np.maximum(x - found.jac, lower)).max()
            spent = self.n_iter >= plan.max_iter or n_fun >= plan.max_fun
            if spent or not len(split) or self._halt:
                break
            if slope <= plan.tol or before - self.objective <= gain * abs(self.objective):
                break
        if self._halt == "stopped":
            return "stopped"
        if found.status == 1:
            return "exhausted"
        return "abnormal" if found.status == ABNORMAL and not self._halt else "converged"

    def _after_iteration(self, intermediate_result: Any) -> None:
        x, plan = intermediate_result.x, self.plan
        self.parameters.flat[...] = self._join(x)
        objective = float(intermediate_result.fun) - 2.0 * float(self._l1 @ self._overlap(x))
        clean = objective - self.regularizer.value(self.parameters.weights)
        if self.sample.targets.smoothing:
            clean = self.sample.loss(self.network.raw(self.sample.X), self.loss)
        self._end_epoch(objective, clean, math.nan)
        if plan.early_stopping and self.progress.stalled > plan.n_iter_no_change:
            self._halt = "converged"
        if self.after_epoch():
            self._halt = "stopped"
        if self._halt:
            raise StopIteration
