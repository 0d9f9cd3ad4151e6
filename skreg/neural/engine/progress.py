"""What a training was like, epoch by epoch, and whether it still gets anywhere."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...objective.losses import Loss
from .batches import Data, Index
from .layers import Matrix
from .plan import Plan
from .regularizers import Regularizer


class History(Mapping[str, NDArray[np.float64]]):
    """A mapping from a name to an array with one entry (or one row) an epoch.

    "objective"
        Mean of the losses of the epoch's batches, as they were trained on, plus the penalty at
        its end.
    "loss"
        Training loss at the end of the epoch as a prediction has it: no dropout, noise, mixing,
        smoothing or penalty, so that it compares with the validation loss. Of at most
        ``max(500, n_samples / 20)`` rows, the same in every epoch.
    "validation_loss", "validation_score"
        On the validation data; NaN where there are none.
    "learning_rate"
        Of the epoch's last step; NaN for ``solver="lbfgs"``.
    "weight_norms"
        Frobenius norm of each weight matrix, shape (n_epochs, n_layers - 1).
    "seconds"
        Wall time of the epoch, evaluation included.
    """

    NAMES = (
        "objective",
        "loss",
        "validation_loss",
        "validation_score",
        "learning_rate",
        "weight_norms",
        "seconds",
    )

    def __init__(self) -> None:
        self._columns: dict[str, list[Any]] = {name: [] for name in self.NAMES}

    def append(self, **values: Any) -> None:
        """Add an epoch: a value for every name."""
        for name in self.NAMES:
            self._columns[name].append(values[name])

    def copy(self) -> History:
        """A copy to append to."""
        other = History()
        other._columns = {name: list(column) for name, column in self._columns.items()}
        return other

    def column(self, name: str) -> list[Any]:
        """The values of a name as a list."""
        return list(self._columns[name])

    def last(self, name: str) -> float:
        """The value of the last epoch."""
        return float(self._columns[name][-1])

    @property
    def n_epochs(self) -> int:
        """Epochs on record."""
        return len(self._columns["objective"])

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        return np.array(self._columns[name], dtype=np.float64)

    def __iter__(self) -> Iterator[str]:
        return iter(self.NAMES)

    def __len__(self) -> int:
        return len(self.NAMES)

    def __repr__(self) -> str:
        return f"History of {self.n_epochs} epochs: {', '.join(self.NAMES)}"


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
    recent : tuple of float
        The last objectives, of as many epochs as training is patient for.
    best_mean : float
        The smallest mean of so many objectives in a row.
    objective, score, judge : tuple or None
        What the best objective and score mean, and which of them training is judged by.
    """

    best_loss: float = math.inf
    best_score: float = -math.inf
    stalled: int = 0
    epoch: int = 0
    recent: tuple[float, ...] = ()
    best_mean: float = math.inf
    objective: Any = None
    score: Any = None
    judge: Any = None

    def go_on(self, early_stopping: bool, objective: Any, score: Any) -> None:
        """Begin anew with numbers that mean another thing than so far."""
        if objective != self.objective:
            self.objective, self.best_loss = objective, math.inf
            self.recent, self.best_mean = (), math.inf
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
        elif plan.noisy and plan.n_iter_no_change < math.inf:
            improved = self._mean_gain(objective, int(plan.n_iter_no_change)) >= plan.tol
            best = objective < self.best_loss
        else:
            gain = self.best_loss - objective if gain is None else gain
            improved, best = gain >= plan.tol, gain > 0
        self.stalled = 0 if improved else self.stalled + 1
        self.best_loss = min(self.best_loss, objective)
        if score > self.best_score:
            self.best_score = score
        return best

    def _mean_gain(self, objective: float, patience: int) -> float:
        """By how much the mean objective of the last `patience` epochs is below the best one.

        An objective that noise scatters is soon at its smallest by chance, and then not for many
        epochs, in which training still gets on.
        """
        self.recent = (*self.recent, objective)[-patience:]
        if len(self.recent) < patience:
            return math.inf
        mean = sum(self.recent) / patience
        gain, self.best_mean = self.best_mean - mean, min(self.best_mean, mean)
        return gain


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
        last = self.weights[-1]
        # A sum of many terms is rounded many times: the errors add up like a random walk.
        n_terms = self.n_rows * last.shape[1]
        self._rounding = float(np.finfo(last.dtype).eps) * math.sqrt(n_terms + 64)
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
