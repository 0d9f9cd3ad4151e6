"""Newton's steps at one alpha: how far each is taken, and when they no longer get anywhere."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

import numpy as np

from ...data.design import Array
from ...objective.penalties import ScaledPenalty

# Armijo's rule asks for this share of the fall of the objective that its slope predicts, the usual
# one, which takes every step that Newton's method converges with.
LEAST_FALL = 1e-4
# A rise of the objective below this share of it, and of the terms it is the difference of, is
# rounding: about 500 units, as sums over rows have.
RISE_OF_ROUNDING = 1e-13
# Halvings of a step, after which it is below the rounding of what it changes.
MOST_HALVINGS = 60
# Steps in a row without progress, after which rounding is taken to hide more.
MOST_IDLE_STEPS = 5


class StepRows(Protocol):
    """The loss over the rows, of one linear predictor or of one a class."""

    @property
    def unit(self) -> float:
        """Unit of gaps."""

    def value(self, eta: Array) -> float:
        """Mean loss."""

    def size_of_terms(self, eta: Array) -> float:
        """Mean size of what the losses are the differences of."""

    def fall_along(self, r: Array, direction: Array) -> float:
        """How fast the mean loss falls in a direction, from its residuals."""


class StepPoint(Protocol):
    """Where a step begins or ends."""

    @property
    def w(self) -> Array:
        """Coefficients."""

    @property
    def eta(self) -> Array:
        """Linear predictors."""


P = TypeVar("P", bound=StepPoint)


def objective_at(rows: StepRows, penalty: ScaledPenalty, point: StepPoint) -> float:
    """The mean loss and the penalty."""
    return rows.value(point.eta) + float(penalty.value(point.w).sum())


def armijo_share(rows: StepRows, penalty: ScaledPenalty, point: P, new: P, r: Array) -> float:
    """The share of a step that lowers the objective enough, zero where none does.

    Of less than the whole step the fall is to be more than rounding. `r` are the residuals at
    `point`.
    """
    direction = new.eta - point.eta
    known = float(penalty.value(point.w).sum())
    now = rows.value(point.eta) + known
    fall = float(penalty.value(new.w).sum()) - known - rows.fall_along(r, direction)
    share, rounding = 1.0, RISE_OF_ROUNDING * (abs(now) + rows.size_of_terms(point.eta))
    for _ in range(MOST_HALVINGS):
        w = point.w + share * (new.w - point.w) if share < 1.0 else new.w
        value = rows.value(point.eta + share * direction) + float(penalty.value(w).sum())
        if value <= now + LEAST_FALL * share * fall + rounding:
            return share if share == 1.0 or -share * fall > rounding else 0.0
        share *= 0.5
    return 0.0


class NewtonSteps(Generic[P]):
    """The best point of some steps, and whether they get anywhere.

    They do with a smaller gap, or with an objective that is lower by more than the aim.

    Parameters
    ----------
    rows : StepRows
    penalty : ScaledPenalty
    aim : float
        The gap that is aimed for.
    point : StepPoint
        Where they begin, the best one until a gap is known.

    Attributes
    ----------
    gap : float
        The smallest one.
    point : StepPoint
        What has it.
    idle : int
        Steps in a row without progress.
    """

    def __init__(self, rows: StepRows, penalty: ScaledPenalty, aim: float, point: P) -> None:
        self.rows, self.penalty, self.aim = rows, penalty, aim
        self.gap, self.point, self.idle = np.inf, point, 0
        self._lowest = np.inf

    def take(self, gap: float, point: P) -> bool:
        """Compare a point with the best one; whether it takes its place."""
        if gap < self.gap:
            self.gap, self.point, self.idle = gap, point, 0
            return True
        value = objective_at(self.rows, self.penalty, point)
        self.idle = 0 if value < self._lowest - self.aim * self.rows.unit else self.idle + 1
        self._lowest = min(self._lowest, value)
        return False

    @property
    def stalled(self) -> bool:
        """Whether too many steps have made no progress."""
        return self.idle >= MOST_IDLE_STEPS

    @property
    def ended(self) -> bool:
        """Whether the aim is reached, or no longer comes nearer."""
        return self.gap <= self.aim or self.stalled

    def is_above(self, point: P) -> bool:
        """Whether the objective of the best point is above that of another by more than the aim."""
        best = objective_at(self.rows, self.penalty, self.point)
        fall = best - objective_at(self.rows, self.penalty, point)
        return fall > self.aim * self.rows.unit
