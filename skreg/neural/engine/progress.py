"""What a training is to do, and whether it still gets anywhere."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...objective.losses import Loss
from .batches import Data, Index
from .constraints import Constraints
from .layers import Matrix
from .regularizers import Regularizer


@dataclass(frozen=True)
class Plan:
    """The parameters of an estimator as a training goes by them, resolved and checked.

    Attributes
    ----------
    hidden, dropout : list
        Units and rate of each hidden layer.
    regularizer : Regularizer
        The penalties and their strengths.
    constraints : Constraints or None
    dtype : numpy.dtype
        Of the attributes; L-BFGS works in float64.
    keep_best : bool
        Whether the best weights are kept, for early stopping and for Ctrl-C, which is passed on
        otherwise.

    The others are parameters of the estimators; `early_stopping` is False where there is none.
    """

    hidden: list[int]
    dropout: list[float]
    regularizer: Regularizer
    constraints: Constraints | None
    dtype: Any
    keep_best: bool
    max_iter: int
    max_fun: int
    shuffle: bool
    tol: float
    n_iter_no_change: float
    early_stopping: bool
    weight_decay: float
    clip_norm: float | None
    input_noise: float
    mixup: float
    adversarial_eps: float


@dataclass
class Progress:
    """Whether training still gets anywhere; goes on where another training left it.

    Attributes
    ----------
    best_loss, best_score : float
        The smallest objective and the largest validation score so far.
    stalled : int
        Epochs in a row without an improvement by the tolerance.
    epoch : int
        Epoch of the history whose weights the model has; 0 is the start.
    objective, score, judge : tuple or None
        What the best objective and score mean, and which of them training is judged by.
    """

    best_loss: float = math.inf
    best_score: float = -math.inf
    stalled: int = 0
    epoch: int = 0
    objective: Any = None
    score: Any = None
    judge: Any = None

    def go_on(self, early_stopping: bool, objective: Any, score: Any) -> None:
        """Begin anew with numbers that mean another thing than so far."""
        if objective != self.objective:
            self.objective, self.best_loss = objective, math.inf
        if score != self.score:
            self.score, self.best_score = score, -math.inf
        judge = score if early_stopping else objective
        if judge != self.judge:
            self.judge, self.stalled = judge, 0

    def update(self, plan: Plan, objective: float, score: float, gain: float | None = None) -> bool:
        """Take an epoch in; whether it was the best one.

        `gain` is by how much the objective has fallen below the best one, where that is known
        better than from the difference.
        """
        if plan.early_stopping:
            improved = score >= self.best_score + plan.tol
            best = score > self.best_score
        else:
            gain = self.best_loss - objective if gain is None else gain
            improved, best = gain >= plan.tol, gain > 0
        self.stalled = 0 if improved else self.stalled + 1
        self.best_loss = min(self.best_loss, objective)
        if score > self.best_score:
            self.best_score = score
        return best


@dataclass
class FineGain:
    """By how much the objective falls where the rounding of its own value hides that.

    The value of an objective is known to some multiple of its rounding, so that a large one hides
    steps that `tol` counts as progress. Every loss is convex in the raw predictions z: from those
    of the best epoch to those of a later one it falls by at least ``slope(z)' (z_best - z)``, in
    which nothing cancels.

    Attributes
    ----------
    loss, data, regularizer, weights
        What the objective is made of.
    rows : ndarray of int
        Rows that the raw predictions are of.
    n_rows : int
        Rows of a batch.
    tol : float
        The gain that counts as progress.
    """

    loss: Loss
    data: Data
    rows: Index
    n_rows: int
    tol: float
    regularizer: Regularizer
    weights: list[Matrix]

    def __post_init__(self) -> None:
        dtype = self.data.targets.dtype
        # A sum of many terms is rounded many times: the errors add up like a random walk.
        n_terms = self.n_rows * self.data.targets.n_outputs
        self._rounding = float(np.finfo(dtype).eps) * math.sqrt(n_terms + 64)
        self._at_best: tuple[Matrix, float] | None = None

    def _hides(self, objective: float) -> bool:
        return self.tol < self._rounding * objective < math.inf

    def keep(self, objective: float, raw: Matrix) -> None:
        """Take the present epoch for the best one so far; `raw` is kept, and not copied."""
        hidden = self._hides(objective)
        self._at_best = (raw, self.regularizer.value(self.weights)) if hidden else None

    def gain(self, best: float, objective: float, raw: Matrix) -> float | None:
        """By how much the objective has fallen since the best epoch.

        None where the two values themselves tell, or there is no gain but for rounding.
        """
        if self._at_best is None or abs(best - objective) > self._rounding * best:
            return None
        raw_best, penalty_best = self._at_best
        y = self.data.targets.rows(self.rows).astype(np.float64)
        z, scale = raw.astype(np.float64), self.data.scale(self.rows, np.float64)
        slope = self.loss.gradient(z, y, scale)
        gain = float(np.vdot(slope, raw_best - z))
        noise = float(np.finfo(raw.dtype).eps) * float(np.vdot(np.abs(slope), np.abs(z)))
        gain += penalty_best - self.regularizer.value(self.weights)
        return gain if gain > noise else None
