"""A network: its parameters, as views of one flat vector, and the layers that compute with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import sparse

from .layers import ACTIVATIONS, EVEN, Dense, Dropout, Layer, Matrix
from .normalization import BatchNorm, LayerNorm

# Numbers in the widest activation of a block of rows that is predicted at a time.
WIDEST_BLOCK = 1 << 20
# Share of entries that are not zero below which sparse products are used; at 0.1 they take as long.
SPARSE_BELOW = 0.05
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
        self.parameters, self.gradients = parameters, gradients
        self.layers: list[Layer] = []
        self.batch_norms: list[BatchNorm] = []
        self._hidden_ends: list[int] = []
        self._n_rows = -1
        #: Whether there is dropout at all, and whether before the first dense layer.
        self.noisy, self.drops_input = bool(input_dropout) or any(dropout), bool(input_dropout)
        widest, dtype = len(parameters.weights[0]), parameters.weights[0].dtype
        if input_dropout:
            self.layers.append(Dropout(input_dropout, widest, dtype))
        self._first_dense = len(self.layers)
        last = len(parameters.weights) - 1
        weights, biases = parameters.weights, parameters.biases
        if gradients is None and not (parameters.scales or self.noisy):
            weights, biases = with_even_units(weights, biases)
        for i, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            width = weight.shape[1]
            widest = max(widest, width)
            slopes = () if gradients is None else (gradients.weights[i], gradients.biases[i])
            self.layers.append(Dense(weight, bias, *slopes))
            if i == last:
                break
            if parameters.scales:
                self._add_normalization(i)
            function = ACTIVATIONS[activation]
            if function is not None:
                self.layers.append(function(width, dtype))
            if dropout[i]:
                self.layers.append(Dropout(dropout[i], width, dtype))
            self._hidden_ends.append(len(self.layers))
        self._backwards = self.layers[: self._first_dense : -1]
        #: Rows that are predicted at a time: as many as keep every buffer in bounds.
        self.block_rows = max(64, WIDEST_BLOCK // widest)

    def _add_normalization(self, i: int) -> None:
        own, slopes = self.parameters, self.gradients
        pair = [own.scales[i], own.shifts[i]]
        if slopes is not None:
            pair += [slopes.scales[i], slopes.shifts[i]]
        if own.means:
            self.batch_norms.append(BatchNorm(own.means[i], own.variances[i], *pair))
        self.layers.append(self.batch_norms[-1] if own.means else LayerNorm(*pair))

    def use_tiles(self, n_rows: int) -> None:
        """Have products of `n_rows` rows done in tiles, see `tiles.py`, and not all by BLAS."""
        for layer in self.layers:
            if isinstance(layer, Dense):
                layer.use_tiles(n_rows)

    def train(self, training: bool) -> None:
        """Have batch normalisation use the statistics of the batch, or the running ones."""
        for layer in self.batch_norms:
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

    def raw(self, X: Any, rows: Any = None, rng: np.random.Generator | None = None) -> Matrix:
        """Raw predictions of all rows of X, or of some, block by block.

        A few rows take the way that BLAS takes for many.
        """
        n_rows = X.shape[0] if rows is None else len(rows)
        last = self.parameters.weights[-1]
        out = np.empty((n_rows, last.shape[1]), dtype=last.dtype)
        for start in range(0, n_rows, self.block_rows):
            part = slice(start, start + self.block_rows)
            x = rows_of(X, part if rows is None else rows[part], dense=rng is not None)
            out[part] = self.forward(padded(x), rng)[: x.shape[0]]
        return out

    def hidden(self, X: Any) -> list[Matrix]:
        """What each hidden layer gives for all rows, without dropout."""
        parts: list[list[Matrix]] = [[] for _ in self._hidden_ends]
        widths = [weight.shape[1] for weight in self.parameters.weights]
        for begin in range(0, X.shape[0], self.block_rows):
            x = rows_of(X, slice(begin, begin + self.block_rows))
            n_rows, x, start = x.shape[0], padded(x), 0
            self._resize(x.shape[0])
            for found, end, width in zip(parts, self._hidden_ends, widths[:-1], strict=True):
                for layer in self.layers[start:end]:
                    x = layer.forward(x)
                found.append(np.array(x[:n_rows, :width]))
                start = end
        return [np.concatenate(layer) for layer in parts]


def with_even_units(
    weights: Sequence[Matrix], biases: Sequence[Matrix]
) -> tuple[list[Matrix], list[Matrix]]:
    """Weights and biases with hidden units that do nothing, up to a multiple of `EVEN`.

    Products of the others can then be used as they are, in one piece.
    """
    made: tuple[list[Matrix], list[Matrix]] = [], []
    n_in, last = len(weights[0]), len(weights) - 1
    for i, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        n_out = len(bias) + (-len(bias) % EVEN if i < last else 0)
        if weight.shape != (n_in, n_out):
            grown = np.zeros((n_in, n_out), dtype=weight.dtype)
            grown[: len(weight), : len(bias)] = weight
            weight, bias = grown, np.concatenate([bias, np.zeros(n_out - len(bias), bias.dtype)])
        made[0].append(weight)
        made[1].append(bias)
        n_in = n_out
    return made


def is_thin(X: Any) -> bool:
    """Whether X is sparse, and its products take less time than those of its rows made dense."""
    return hasattr(X, "nnz") and bool(X.nnz < SPARSE_BELOW * X.shape[0] * X.shape[1])


def rows_of(X: Any, index: Any, dense: bool = False) -> Any:
    """Some rows, as an array unless sparse products are faster, and allowed."""
    rows: Any = X[index]
    return rows if isinstance(rows, np.ndarray) or (not dense and is_thin(X)) else rows.toarray()


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
