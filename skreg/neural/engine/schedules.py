"""Learning-rate schedules: the rate of a step, and what happens when progress ends."""

from __future__ import annotations

import math

# Shape of the one-cycle schedule, as PyTorch has it.
WARM_UP, START, END = 0.3, 25.0, 1e4
SMALLEST_ADAPTIVE = 1e-6


def cosine(high: float, low: float, share: float) -> float:
    """From high to low along half a cosine, `share` of the way."""
    return low + 0.5 * (high - low) * (1.0 + math.cos(math.pi * min(share, 1.0)))


class Schedule:
    """The learning rate over a training of `n_steps` steps.

    Parameters
    ----------
    name : {"constant", "invscaling", "adaptive", "cosine", "one_cycle"}
    rate : float
        The rate to begin with; for "one_cycle" the largest.
    power_t : float
        Exponent of "invscaling".
    n_steps : int
        Length of the "cosine" and "one_cycle".
    first_step : int
        Number of the optimiser's step with which they begin.
    """

    def __init__(
        self, name: str, rate: float, power_t: float, n_steps: int, first_step: int = 0
    ) -> None:
        self.name, self.rate, self.power_t = name, rate, power_t
        self.n_steps, self.first_step = max(n_steps, 1), first_step
        #: Whether the rate changes from step to step, and not only between epochs.
        self.by_step = name in ("cosine", "one_cycle")

    def at_step(self, step: int) -> float:
        """Rate of the optimiser's step number `step`, of a schedule that goes by steps."""
        share = (step - self.first_step) / self.n_steps
        if self.name == "cosine":
            return cosine(self.rate, 0.0, share)
        if share < WARM_UP:
            return cosine(self.rate / START, self.rate, share / WARM_UP)
        return cosine(self.rate, self.rate / START / END, (share - WARM_UP) / (1.0 - WARM_UP))

    def after_epoch(self, current: float, n_seen: int) -> float:
        """Rate of the next epoch, after `n_seen` rows in all."""
        if self.name == "invscaling":
            return float(self.rate / (n_seen + 1) ** self.power_t)
        return current

    def without_progress(self, current: float) -> float | None:
        """Rate to go on with, or None to stop."""
        if self.name == "adaptive" and current > SMALLEST_ADAPTIVE:
            return current / 5.0
        return None
