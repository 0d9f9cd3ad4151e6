"""Optimisers on one flat parameter vector, gradient descent and Adam, and their learning rates.

Each update is a handful of passes over whole vectors, which is all that it costs: the sum of a
vector and a multiple of another is one pass where BLAS does it, and the gradient's own memory holds
what comes in between. A moment that decays is held divided by what it has decayed to, so that what
is new is added with a weight that grows, and the decay itself is no pass. The state is the moments,
these divisors and the number of steps.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from scipy.linalg import get_blas_funcs

from .layers import Matrix

# Shape of the one-cycle schedule, as PyTorch has it.
WARM_UP, START, END = 0.3, 25.0, 1e4
SMALLEST_ADAPTIVE = 1e-6
# A moment is multiplied out once its divisor is below this: overflow is hardly nearer, and at a
# decay of 0.9 that is one pass in 27 steps.
SMALLEST_SCALE = 1.0 / 16.0


class Optimizer(ABC):
    """What both have; `learning_rate` is the rate of the next step, set by a schedule.

    The moments are made for the first step, and gone after `release`. Moment k is
    ``scales[k] * moments[k]``.
    """

    n_moments = 0

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = self.initial_rate = learning_rate
        self.t = 0
        self.moments: list[Matrix] = []
        self.scales: list[float] = []
        self._size: Matrix | None = None

    def begin(self, size: int, dtype: Any) -> None:
        """Make what is missing for vectors of `size`: moments, at the first step."""
        self._add = get_blas_funcs("axpy", dtype=dtype)
        held = [moment.astype(dtype, copy=False) for moment in self.moments[: self.n_moments]]
        missing = self.n_moments - len(held)
        # In one piece, for which the system may have larger pages.
        held.extend(np.zeros((missing, size), dtype=dtype))
        self.moments = held
        self.scales = [*self.scales[: self.n_moments], *[1.0] * missing]

    def _accumulate(self, k: int, decay: float, values: Matrix) -> Matrix:
        """``decay`` times moment k, plus some values; what is held of it."""
        moment, scale = self.moments[k], self.scales[k] * decay
        if scale < SMALLEST_SCALE:
            moment *= scale
            scale = 1.0
        self.scales[k] = scale
        return self._add(values, moment, a=1.0 / scale)

    def go_on_from(self, old: Optimizer) -> None:
        """Take the moments of another optimiser of this class, and its rate.

        A rate to begin with that was changed since is the new rate. The old optimiser is left
        without moments: if what follows fails, it begins anew, and does not go on from moments
        that have been written to.
        """
        self.t, self.moments, self.scales = old.t, old.moments, old.scales
        if old.initial_rate == self.initial_rate:
            self.learning_rate = old.learning_rate
        old.release()

    def release(self) -> None:
        """Let go of the moments: the next step will be a first one."""
        self.t, self.moments, self.scales, self._size = 0, [], [], None

    def __getstate__(self) -> dict[str, Any]:
        return {**{k: v for k, v in vars(self).items() if not k.startswith("_")}, "_size": None}

    @abstractmethod
    def step(self, parameters: Matrix, gradient: Matrix) -> None:
        """Change the parameters by one step; the gradient is overwritten."""

    def step_length(self) -> float:
        """Length of the last step along a gradient that stays the same."""
        return self.learning_rate


class SGD(Optimizer):
    """Gradient descent with momentum, Nesterov's or the plain one.

    Parameters
    ----------
    learning_rate : float
    momentum : float
        In [0, 1].
    nesterov : bool
    """

    def __init__(self, learning_rate: float, momentum: float = 0.9, nesterov: bool = True) -> None:
        super().__init__(learning_rate)
        self.momentum, self.nesterov = momentum, nesterov
        self.n_moments = 1 if momentum else 0

    def step(self, parameters: Matrix, gradient: Matrix) -> None:
        """``v = momentum v + g``; a step along v, or along ``g + momentum v`` for Nesterov's."""
        self.t += 1
        if self.moments:
            velocity = self._accumulate(0, self.momentum, gradient)
            share = self.momentum if self.nesterov else 1.0
            self._add(velocity, parameters, a=-self.learning_rate * self.scales[0] * share)
        if self.nesterov or not self.moments:
            self._add(gradient, parameters, a=-self.learning_rate)

    def step_length(self) -> float:
        """Momentum lengthens a step along a gradient that stays by ``1 / (1 - momentum)``."""
        held = 1.0 - self.momentum
        return self.learning_rate / held if held > 0 else self.learning_rate


class Adam(Optimizer):
    """Steps in units of the gradient's size, parameter by parameter (Kingma and Ba, ICLR 2015).

    Parameters
    ----------
    learning_rate : float
    beta_1, beta_2 : float
        Decay of the two moments, in [0, 1).
    epsilon : float
        Added to the root of the second moment.
    """

    n_moments = 2

    def __init__(
        self,
        learning_rate: float,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
    ) -> None:
        super().__init__(learning_rate)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def keep_steps(self) -> Matrix:
        """Have `steps` write, after each step, into the vector that is returned."""
        self._size = np.empty_like(self.moments[1])
        return self._size

    def step(self, parameters: Matrix, gradient: Matrix) -> None:
        """One step; both moments are without their factors of ``1 - beta``."""
        self.t += 1
        first = self._accumulate(0, self.beta_1, gradient)
        np.multiply(gradient, gradient, out=gradient)
        second = self._accumulate(1, self.beta_2, gradient)
        unbias_1 = (1.0 - self.beta_1**self.t) / (1.0 - self.beta_1) / self.scales[0]
        unbias_2 = (1.0 - self.beta_2**self.t) / (1.0 - self.beta_2) / self.scales[1]
        size = gradient if self._size is None else self._size
        np.sqrt(second, out=size)
        size += self.epsilon * math.sqrt(unbias_2)
        np.divide(first, size, out=gradient)
        self._numerator = self.learning_rate * math.sqrt(unbias_2)
        self._add(gradient, parameters, a=-self._numerator / unbias_1)

    def steps(self) -> None:
        """Learning rate over the size of each gradient: how far a gradient of one moves a weight.

        To be asked for once after a step.
        """
        if self._size is not None:
            np.divide(self._numerator, self._size, out=self._size)


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
