"""A network: its parameters, as views of one flat vector, and the layers that compute with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import sparse

from .layers import ACTIVATIONS, Dense, Dropout, Layer, Matrix
from .normalization import BatchNorm, LayerNorm, Normalization

# Numbers in the widest activation of a block of rows that is predicted at a time.
BLOCK = 1 << 20
# BLAS takes fewer rows than this by other kernels: up to two, in those that were tried.
FEW_ROWS = 8


@dataclass
class Parameters:
    """Everything a network learns, layer by layer.

    Attributes
    ----------
    weights, biases : list of ndarray of shape (n_in, n_out) and (n_out,)
    scales, shifts : list of ndarray of shape (n_hidden,)
        Of the normalisation; empty where there is none.
    means, variances : list of ndarray of shape (n_hidden,)
        Running statistics of batch normalisation, which no gradient moves.
    """

    weights: list[Matrix]
    biases: list[Matrix]
    scales: list[Matrix] = field(default_factory=list)
    shifts: list[Matrix] = field(default_factory=list)
    means: list[Matrix] = field(default_factory=list)
    variances: list[Matrix] = field(default_factory=list)

    def learned(self) -> Iterator[list[Matrix]]:
        """The lists that gradients move; the weights come first."""
        return iter((self.weights, self.biases, self.scales, self.shifts))

    def flattened(self, dtype: Any) -> tuple[Matrix, Parameters]:
        """A copy in one flat vector, and its views; the running statistics are copied, too."""
        lists = list(self.learned())
        size = sum(array.size for arrays in lists for array in arrays)
        flat = np.empty(size, dtype=dtype)
        views = views_of(flat, self)
        for arrays, targets in zip(lists, views.learned(), strict=True):
            for array, target in zip(arrays, targets, strict=True):
                target[...] = array
        views.means = [np.array(mean, dtype=dtype) for mean in self.means]
        views.variances = [np.array(variance, dtype=dtype) for variance in self.variances]
        return flat, views


def views_of(flat: Matrix, like: Parameters) -> Parameters:
    """Views of a flat vector in the shapes of `like`."""
    start, lists = 0, []
    for arrays in like.learned():
        views = []
        for array in arrays:
            views.append(flat[start : start + array.size].reshape(array.shape))
            start += array.size
        lists.append(views)
    return Parameters(*lists)


def glorot_bound(n_in: int, n_out: int, activation: str) -> float:
    """Largest absolute value that a layer of this shape begins with."""
    return float(np.sqrt((2.0 if activation == "logistic" else 6.0) / (n_in + n_out)))


def initial_parameters(
    units: Sequence[int], activation: str, normalization: str | None, random: Any, dtype: Any
) -> Parameters:
    """Glorot and Bengio's uniform start (AISTATS 2010), drawn in scikit-learn's order.

    `random` has ``uniform(low, high, size)``, as NumPy's generators do.
    """
    weights, biases = [], []
    for n_in, n_out in pairwise(units):
        bound = glorot_bound(n_in, n_out, activation)
        weights.append(random.uniform(-bound, bound, (n_in, n_out)).astype(dtype))
        biases.append(random.uniform(-bound, bound, n_out).astype(dtype))
    hidden = units[1:-1] if normalization else []
    running = hidden if normalization == "batch" else []
    return Parameters(
        weights,
        biases,
        scales=[np.ones(n, dtype=dtype) for n in hidden],
        shifts=[np.zeros(n, dtype=dtype) for n in hidden],
        means=[np.zeros(n, dtype=dtype) for n in running],
        variances=[np.ones(n, dtype=dtype) for n in running],
    )


class Network:
    """Layers in a row: dense, normalised, activated, dropped out; the last one is dense alone.

    Parameters
    ----------
    parameters : Parameters
    activation : {"identity", "logistic", "tanh", "relu"}
    dropout : sequence of float
        One rate a hidden layer.
    input_dropout : float
    gradients : Parameters or None
        Where `backward` writes; None makes a network for prediction alone.
    """

    def __init__(
        self,
        parameters: Parameters,
        activation: str,
        dropout: Sequence[float],
        input_dropout: float = 0.0,
        gradients: Parameters | None = None,
    ) -> None:
        self.parameters = parameters
        self.layers: list[Layer] = []
        self.normalizations: list[Normalization] = []
        self._hidden_ends: list[int] = []
        self._n_rows = -1
        dtype = parameters.weights[0].dtype
        if input_dropout:
            self.layers.append(Dropout(input_dropout, len(parameters.weights[0]), dtype))
        self._first_dense = len(self.layers)
        last = len(parameters.weights) - 1
        for i, weight in enumerate(parameters.weights):
            width = weight.shape[1]
            slopes = () if gradients is None else (gradients.weights[i], gradients.biases[i])
            self.layers.append(Dense(weight, parameters.biases[i], *slopes))
            if i == last:
                break
            if parameters.scales:
                self._add_normalization(i, gradients)
            function = ACTIVATIONS[activation]
            if function is not None:
                self.layers.append(function(width, dtype))
            if dropout[i]:
                self.layers.append(Dropout(dropout[i], width, dtype))
            self._hidden_ends.append(len(self.layers))
        self._backwards = self.layers[: self._first_dense : -1]

    def _add_normalization(self, i: int, gradients: Parameters | None) -> None:
        own = self.parameters
        pair: tuple[Matrix, ...] = (own.scales[i], own.shifts[i])
        if gradients is not None:
            pair += (gradients.scales[i], gradients.shifts[i])
        if own.means:
            layer: Normalization = BatchNorm(own.means[i], own.variances[i], *pair)
        else:
            layer = LayerNorm(*pair)
        self.normalizations.append(layer)
        self.layers.append(layer)

    @property
    def noisy(self) -> bool:
        """Whether there is dropout."""
        return any(isinstance(layer, Dropout) for layer in self.layers)

    @property
    def drops_input(self) -> bool:
        """Whether there is dropout before the first dense layer."""
        return self._first_dense > 0

    def train(self, training: bool) -> None:
        """Have batch normalisation use the statistics of the batch, or the running ones."""
        for layer in self.normalizations:
            if isinstance(layer, BatchNorm):
                layer.training = training

    def forward(self, x: Matrix, rng: np.random.Generator | None = None) -> Matrix:
        """Raw predictions, in a buffer that the next call overwrites.

        A sparse x is read by the first dense layer; dropout of the input needs a dense one.
        """
        self._resize(x.shape[0])
        for layer in self.layers:
            x = layer.forward(x, rng)
        return x

    def _resize(self, n_rows: int) -> None:
        if n_rows != self._n_rows:
            for layer in self.layers:
                layer.resize(n_rows)
            self._n_rows = n_rows

    def backward(self, gradient: Matrix, to_input: bool = False) -> Matrix:
        """Store the gradients of the parameters; return that in the input if asked."""
        for layer in self._backwards:
            gradient = layer.backward(gradient)
        gradient = self.layers[self._first_dense].backward(gradient, to_input)
        if to_input and self._first_dense:
            gradient = self.layers[0].backward(gradient)
        return gradient

    def predict(self, x: Matrix, rng: np.random.Generator | None = None) -> Matrix:
        """As `forward`, where a few rows take the way that BLAS takes for many."""
        return self.forward(padded(x), rng)[: x.shape[0]]

    def block_rows(self) -> int:
        """Rows that are predicted at a time: as many as keep every buffer in bounds."""
        widest = max(max(weight.shape) for weight in self.parameters.weights)
        return max(64, BLOCK // widest)

    def hidden(self, x: Matrix) -> list[Matrix]:
        """Copies of what each hidden layer gives, without dropout."""
        n_rows, x = x.shape[0], padded(x)
        self._resize(x.shape[0])
        found, start = [], 0
        for end in self._hidden_ends:
            for layer in self.layers[start:end]:
                x = layer.forward(x)
            found.append(np.array(x[:n_rows]))
            start = end
        return found


def padded(x: Matrix) -> Matrix:
    """At least `FEW_ROWS` rows, the last of them zeros if there are fewer.

    Products with a few rows are added up in another order, which float32 shows.
    """
    missing = FEW_ROWS - x.shape[0]
    if missing <= 0:
        return x
    if sparse.issparse(x):
        stored: Any = sparse
        zeros = stored.csr_matrix((missing, x.shape[1]), dtype=x.dtype)
        return stored.vstack([x, zeros], format="csr")
    return np.concatenate([x, np.zeros((missing, x.shape[1]), dtype=x.dtype)])
