"""The parameters of a network, as views of one flat vector, and what they begin with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from .images import ConvStage, Pair
from .layers import Matrix


@dataclass
class Parameters:
    """Everything a network learns, layer by layer.

    Attributes
    ----------
    weights, biases : list of ndarray of shape (n_in, n_out) and (n_out,)
        Of a convolution, whose kernels are such a matrix, a column an output channel.
    scales, shifts : list of ndarray of shape (n_hidden,)
        Of the normalisation; empty where there is none.
    means, variances : list of ndarray of shape (n_hidden,)
        Running statistics of batch normalisation, which no gradient moves.
    flat : ndarray or None
        One vector of all that gradients move, of which weights, biases, scales and shifts are
        views, in this order.
    """

    weights: list[Matrix]
    biases: list[Matrix]
    scales: list[Matrix] = field(default_factory=list)
    shifts: list[Matrix] = field(default_factory=list)
    means: list[Matrix] = field(default_factory=list)
    variances: list[Matrix] = field(default_factory=list)
    flat: Any = None

    def learned(self) -> list[Matrix]:
        """What gradients move."""
        return [*self.weights, *self.biases, *self.scales, *self.shifts]

    def views_of(self, flat: Matrix) -> Parameters:
        """Views of another flat vector in the shapes of what gradients move."""
        made, n, n_scales = views(flat, self.learned()), len(self.weights), len(self.scales)
        norms = made[2 * n : 2 * n + n_scales], made[2 * n + n_scales :]
        return Parameters(made[:n], made[n : 2 * n], *norms, flat=flat)

    def flattened(self, dtype: Any) -> Parameters:
        """A copy whose arrays are views of one vector, but for the running statistics."""
        copied = self.views_of(np.concatenate(list(map(np.ravel, self.learned())), dtype=dtype))
        copied.means = [np.array(mean, dtype=dtype) for mean in self.means]
        copied.variances = [np.array(variance, dtype=dtype) for variance in self.variances]
        return copied

    def snapshot(self) -> list[Matrix]:
        """Copies of everything that training changes."""
        return list(map(np.array, (self.flat, *self.means, *self.variances)))

    def restore(self, snapshot: list[Matrix]) -> None:
        """Put a snapshot back."""
        for array, kept in zip((self.flat, *self.means, *self.variances), snapshot, strict=True):
            array[...] = kept


def views(flat: Matrix, arrays: Sequence[Matrix]) -> list[Matrix]:
    """Parts of a flat vector, one after another, in the shapes of some arrays."""
    start, made = 0, []
    for array in arrays:
        made.append(flat[start : start + array.size].reshape(array.shape))
        start += array.size
    return made


def glorot_bound(n_in: int, n_out: int, activation: str) -> float:
    """Largest absolute value that a layer of this shape begins with."""
    return float(np.sqrt((2.0 if activation == "logistic" else 6.0) / (n_in + n_out)))


def weight_shapes(units: Sequence[int], stages: Sequence[ConvStage] = ()) -> list[Pair]:
    """Shape of each weight matrix: those of convolutions, then of dense layers of these units."""
    return [*(stage.weight_shape for stage in stages), *pairwise(units)]


def kernel_areas(n_weights: int, stages: Sequence[ConvStage]) -> list[int]:
    """Pixels that each weight matrix is for: one of a dense layer."""
    return [math.prod(each.kernel) for each in stages] + [1] * (n_weights - len(stages))


def initial_parameters(
    units: Sequence[int],
    activation: str,
    normalization: str | None,
    random: Any,
    dtype: Any,
    stages: Sequence[ConvStage] = (),
) -> Parameters:
    """Glorot and Bengio's uniform start (AISTATS 2010), drawn in scikit-learn's order.

    `random` has ``uniform(low, high, size)``, as NumPy's generators do. An output channel of a
    convolution goes into as many pixels as its kernel has: that many units count as its outputs.
    """
    shapes, weights, biases = weight_shapes(units, stages), list[Matrix](), list[Matrix]()
    for (n_in, n_out), area in zip(shapes, kernel_areas(len(shapes), stages), strict=True):
        bound = glorot_bound(n_in, area * n_out, activation)
        weights.append(random.uniform(-bound, bound, (n_in, n_out)).astype(dtype))
        biases.append(random.uniform(-bound, bound, n_out).astype(dtype))
    hidden = [n_out for _, n_out in shapes[:-1]] if normalization else []
    running = hidden if normalization == "batch" else []
    return Parameters(
        weights,
        biases,
        scales=[np.ones(n, dtype=dtype) for n in hidden],
        shifts=[np.zeros(n, dtype=dtype) for n in hidden],
        means=[np.zeros(n, dtype=dtype) for n in running],
        variances=[np.ones(n, dtype=dtype) for n in running],
    )
