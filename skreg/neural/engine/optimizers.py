"""Optimisers on one flat parameter vector: stochastic gradient descent and Adam.

Each update is a handful of passes over whole vectors, which is all that it costs: the sum of a
vector and a multiple of another is one pass where BLAS does it, and the gradient's own memory holds
what comes in between. The state is the moments and the number of steps.

`decay` is decoupled weight decay (Loshchilov and Hutter, ICLR 2019): weights, which come first in
the vector, are multiplied by ``1 - rate * decay`` in a step of their own, so that Adam does not
divide it by the size of the gradients, as it does with the gradient of a penalty.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from scipy.linalg import get_blas_funcs

from .layers import Matrix


class Optimizer(ABC):
    """What both have; `learning_rate` is the rate of the next step, set by a schedule."""

    moments: tuple[str, ...] = ()

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = self.initial_rate = learning_rate
        self.t = 0
        self._size: Matrix | None = None

    def begin(self, size: int, dtype: Any) -> None:
        """Make what is missing for vectors of `size`: moments, at the first step."""
        self._add = get_blas_funcs("axpy", dtype=dtype)
        for name in self.moments:
            held = getattr(self, name, None)
            made = np.zeros(size, dtype=dtype) if held is None else held.astype(dtype, copy=False)
            setattr(self, name, made)

    def go_on_from(self, old: Optimizer) -> None:
        """Take the moments of another optimiser of this class, and its rate.

        A rate to begin with that was changed since is the new rate. The old optimiser is left
        without moments: if what follows fails, it begins anew, and does not go on from moments
        that have been written to.
        """
        self.t = old.t
        for name in self.moments:
            setattr(self, name, getattr(old, name, None))
        if old.initial_rate == self.initial_rate:
            self.learning_rate = old.learning_rate
        old.release()

    def release(self) -> None:
        """Let go of the moments: the next step will be a first one."""
        self.t = 0
        for name in self.moments:
            setattr(self, name, None)
        self._size = None

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}

    @abstractmethod
    def step(self, parameters: Matrix, gradient: Matrix, decay: Matrix | None, rate: float) -> None:
        """Change the parameters by one step; `decay` is a view of what decays, at `rate`.

        The gradient is overwritten.
        """

    def steps(self) -> Matrix | None:
        """Length of the last step for each parameter, where they differ; to be asked for once."""
        return None

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
        self.moments = ("velocity",) if momentum else ()
        self.velocity: Matrix | None = None

    def step(self, parameters: Matrix, gradient: Matrix, decay: Matrix | None, rate: float) -> None:
        """``v = momentum v + g``; a step along v, or along ``g + momentum v`` for Nesterov's."""
        self.t += 1
        if decay is not None:
            decay *= 1.0 - self.learning_rate * rate
        direction = gradient
        if self.velocity is not None:
            self.velocity *= self.momentum
            self.velocity += gradient
            direction = self.velocity
            if self.nesterov:
                direction = self._add(self.velocity, gradient, a=self.momentum)
        self._add(direction, parameters, a=-self.learning_rate)

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

    moments = ("first", "second")

    def __init__(
        self,
        learning_rate: float,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
    ) -> None:
        super().__init__(learning_rate)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon
        self.first: Matrix | None = None
        self.second: Matrix | None = None

    def keep_steps(self) -> None:
        """Have `steps` at hand after each step, for a proximal step."""
        assert self.second is not None
        self._size = np.empty_like(self.second)

    def step(self, parameters: Matrix, gradient: Matrix, decay: Matrix | None, rate: float) -> None:
        """One step; both moments are held divided by ``1 - beta``, which saves two passes."""
        self.t += 1
        if decay is not None:
            decay *= 1.0 - self.learning_rate * rate
        first, second = self.first, self.second
        assert first is not None
        assert second is not None
        unbias_1 = 1.0 - self.beta_1**self.t
        unbias_2 = np.sqrt((1.0 - self.beta_2**self.t) / (1.0 - self.beta_2))
        first *= self.beta_1
        first += gradient
        np.multiply(gradient, gradient, out=gradient)
        second *= self.beta_2
        second += gradient
        size = gradient if self._size is None else self._size
        np.sqrt(second, out=size)
        size += float(self.epsilon * unbias_2)
        np.divide(first, size, out=gradient)
        self._numerator = float(self.learning_rate * unbias_2)
        self._add(gradient, parameters, a=-self._numerator * (1.0 - self.beta_1) / unbias_1)

    def steps(self) -> Matrix | None:
        """Learning rate over the size of each gradient."""
        if self._size is None:
            return None
        return np.divide(self._numerator, self._size, out=self._size)
