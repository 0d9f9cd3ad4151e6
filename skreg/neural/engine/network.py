"""A network: layers in a row, and how rows come to them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .conv import Conv2D
from .images import ChannelDropout, ConvStage, ConvStages, Flatten, ToPixels
from .layers import ACTIVATIONS, EVEN, HALF_BLOCK, Dense, Dropout, Layer, Matrix
from .normalization import BatchNorm, LayerNorm
from .pooling import POOLINGS
from .weights import Parameters, kernel_areas

# Numbers in the widest activation of a block of rows that is predicted at a time.
WIDEST_BLOCK = 1 << 20
# Share of entries that are not zero below which sparse products are used; at 0.1 they take as long.
SPARSE_BELOW = 0.05
# Images that are predicted at a time however large they are: with fewer products take longer.
FEWEST_IMAGES = 8
# What a byte of an image is divided by: white is then 1.
WHITE = 255.0


class Network:
    """Layers in a row: dense, normalised, activated, dropped out; the last one is dense alone.

    Before the dense ones there may be convolutions, each normalised, activated, pooled and dropped
    out. Activations rise, so that the largest of some pixels is the largest after them as well:
    they come after the pooling of largest entries, which leaves fewer.

    Parameters
    ----------
    parameters : Parameters
    activation : {"identity", "logistic", "tanh", "relu"}
    dropout : sequence of float
        One rate a hidden layer.
    input_dropout : float
    gradients : Parameters or None
        Where `backward` writes; None makes a network for prediction alone.
    images : ConvStages or None
        The convolutions.
    rows_alike : bool
        Whether a row is predicted alike to the last digit, whatever the rows beside it. Dense
        layers can do so, see `product_by_blocks`; convolutions cannot.
    """

    def __init__(
        self,
        parameters: Parameters,
        activation: str,
        dropout: Sequence[float],
        input_dropout: float = 0.0,
        gradients: Parameters | None = None,
        images: ConvStages | None = None,
        rows_alike: bool = False,
    ) -> None:
        self.parameters, self.gradients = parameters, gradients
        self.layers: list[Layer] = []
        self.batch_norms: list[BatchNorm] = []
        self._n_pixels: list[int] = []  # rows of a layer's matrix, for each row of X
        self._hidden_ends: list[int] = []
        self._n_rows, self._images, self._rows_alike = -1, images, rows_alike
        #: Whether there is dropout at all, and whether X must be an array.
        self.noisy = bool(input_dropout) or any(dropout)
        self.needs_dense = bool(input_dropout) or images is not None
        weights, biases = parameters.weights, parameters.biases
        self._dtype, self._activation = weights[0].dtype, activation
        stages = [] if images is None else images.stages
        n_in = len(weights[0]) if images is None else math.prod(images.shape)
        if input_dropout:
            self._append(Dropout(input_dropout, n_in, self._dtype))
        if images is not None:
            self.to_pixels = ToPixels(images.shape, images.channels_first, self._dtype)
            self._append(self.to_pixels)
        self._first = len(self.layers)
        if gradients is None and not (rows_alike or parameters.scales or self.noisy or stages):
            weights, biases = with_even_units(weights, biases)
        for i, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            own = [weight, bias]
            if gradients is not None:
                own += [gradients.weights[i], gradients.biases[i]]
            if images is not None and i < len(stages):
                self._append_stage(i, stages[i], own, images.pooling, dropout[i])
                if i == len(stages) - 1:
                    self._append(Flatten(images.pooled, self._dtype))
                continue
            self._append(Dense(*own, by_blocks=rows_alike))
            if i < len(weights) - 1:
                self._append_normalization(i)
                self._append_activation(weight.shape[1])
                if dropout[i]:
                    self._append(Dropout(dropout[i], weight.shape[1], self._dtype))
                self._hidden_ends.append(len(self.layers))
        #: Pixels that the kernels of each weight matrix have.
        self.areas = kernel_areas(len(weights), stages)
        self._backwards = self.layers[: self._first : -1]
        widths = [n_in, *(weight.shape[1] for weight in weights)]
        widest = max(*widths, *(math.prod(stage.convolved) for stage in stages))
        #: Rows that are predicted at a time: as many as keep every buffer in bounds.
        self.block_rows = max(FEWEST_IMAGES if stages else 64, WIDEST_BLOCK // widest)

    def _append(self, layer: Layer, n_pixels: int = 1) -> None:
        self.layers.append(layer)
        self._n_pixels.append(n_pixels)

    def _append_stage(
        self, i: int, stage: ConvStage, own: list[Matrix], pooling: str, rate: float
    ) -> None:
        """A convolution, and what follows it."""
        before, after = (math.prod(shape[:2]) for shape in (stage.convolved, stage.pooled))
        pools, n_channels = stage.pool != (1, 1), stage.n_channels
        self._append(Conv2D(stage.shape, stage.kernel, *own))
        self._append_normalization(i, before)
        if pooling != "max":
            self._append_activation(n_channels, before)
        if pools:
            self._append(POOLINGS[pooling](stage.convolved, stage.pool, self._dtype))
        if pooling == "max":
            self._append_activation(n_channels, after)
        if rate:
            self._append(ChannelDropout(rate, stage.pooled, self._dtype))
        self._hidden_ends.append(len(self.layers))

    def _append_activation(self, width: int, n_pixels: int = 1) -> None:
        function = ACTIVATIONS[self._activation]
        if function is not None:
            self._append(function(width, self._dtype, self.gradients is not None), n_pixels)

    def _append_normalization(self, i: int, n_pixels: int = 1) -> None:
        own, slopes = self.parameters, self.gradients
        if not own.scales:
            return
        pair = [own.scales[i], own.shifts[i]]
        if slopes is not None:
            pair += [slopes.scales[i], slopes.shifts[i]]
        if own.means:
            self.batch_norms.append(BatchNorm(own.means[i], own.variances[i], *pair))
        self._append(self.batch_norms[-1] if own.means else LayerNorm(*pair), n_pixels)

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
            for layer, n_pixels in zip(self.layers, self._n_pixels, strict=True):
                layer.resize(n_rows * n_pixels)
            self._n_rows = n_rows

    def backward(self, gradient: Matrix, to_input: bool = False) -> Matrix:
        """Store the gradients of the parameters; return that in the input if asked."""
        for layer in self._backwards:
            gradient = layer.backward(gradient)
        gradient = self.layers[self._first].backward(gradient, to_input)
        for layer in self.layers[: self._first][::-1] if to_input else ():
            gradient = layer.backward(gradient)
        return gradient

    def rows(self, X: Any, index: Any, dense: bool = False) -> Any:
        """Some rows of X, as the network reads them."""
        # Whether sparse products are faster depends on the rows beside.
        return rows_of(X, index, dense or self.needs_dense or self._rows_alike, self._dtype)

    def raw(self, X: Any, rows: Any = None, rng: np.random.Generator | None = None) -> Matrix:
        """Raw predictions of all rows of X, or of some, block by block."""
        n_rows = X.shape[0] if rows is None else len(rows)
        last = self.parameters.weights[-1]
        out = np.empty((n_rows, last.shape[1]), dtype=last.dtype)
        for start in range(0, n_rows, self.block_rows):
            part = slice(start, start + self.block_rows)
            x = self.rows(X, part if rows is None else rows[part], dense=rng is not None)
            out[part] = self.forward(self._padded(x), rng)[: x.shape[0]]
        return out

    def _padded(self, x: Any) -> Any:
        """`x`, with whole blocks of rows where products are made of them."""
        return padded(x) if self._rows_alike else x

    def hidden(self, X: Any) -> list[Matrix]:
        """What each hidden layer gives for all rows, without dropout.

        Of a convolution images of shape (n_rows, h, w, c).
        """
        parts: list[list[Matrix]] = [[] for _ in self._hidden_ends]
        widths = [weight.shape[1] for weight in self.parameters.weights]
        stages = [] if self._images is None else self._images.stages
        for begin in range(0, X.shape[0], self.block_rows):
            x = self.rows(X, slice(begin, begin + self.block_rows))
            n_rows, x, start = x.shape[0], self._padded(x), 0
            self._resize(x.shape[0])
            for i, (found, end) in enumerate(zip(parts, self._hidden_ends, strict=True)):
                for layer in self.layers[start:end]:
                    x = layer.forward(x)
                if i < len(stages):
                    h, w, c = stages[i].pooled
                    found.append(x.reshape(h, -1, w, c).swapaxes(0, 1).copy())
                else:
                    found.append(np.array(x[:n_rows, : widths[i]]))
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


def rows_of(X: Any, index: Any, dense: bool = False, dtype: Any = np.float32) -> Any:
    """Some rows, as an array unless sparse products are faster, and allowed.

    Bytes become numbers of `dtype` from 0 to 1.
    """
    rows: Any = X[index]
    if isinstance(rows, np.ndarray):
        return from_bytes(rows, dtype) if rows.dtype == np.uint8 else rows
    return rows if not dense and is_thin(X) else rows.toarray()


def from_bytes(values: Matrix, dtype: Any, out: Matrix | None = None) -> Matrix:
    """Bytes as numbers from 0 to 1."""
    return np.divide(values, WHITE, out=out, dtype=dtype)


def padded(x: Matrix) -> Matrix:
    """`x` with rows of zeros after its own, up to a multiple of `HALF_BLOCK`."""
    missing = -x.shape[0] % HALF_BLOCK
    if not missing:
        return x
    return np.concatenate([x, np.zeros((missing, x.shape[1]), dtype=x.dtype)])
