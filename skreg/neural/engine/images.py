"""Images between the rows of a table and the layers that see pixels.

Between these layers n images of h rows, w columns and c channels are one matrix of shape
(h n w, c), whose rows are pixels: in memory (h, n, w, c). As a row of pixels of all images lies in
one piece, a convolution is a few products of such pieces, pooling a few operations on whole arrays;
and normalisation and activations, which see a column a channel, are those of any matrix.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .layers import Dropout, Layer, Matrix

ImageShape = tuple[int, int, int]  # rows, columns, channels
Pair = tuple[int, int]


class ImageLayer(Layer):
    """A layer of pixels; it takes its buffers as it needs them."""

    def __init__(self, shape: ImageShape, dtype: Any) -> None:
        self._shape, self._dtype = shape, np.dtype(dtype)
        self._stores: dict[str, Matrix] = {}

    def _allocate(self, n_rows: int) -> dict[str, Matrix]:
        return {}

    def _buffer(self, name: str, shape: tuple[int, ...], dtype: Any = None) -> Matrix:
        """An array that is kept under a name: it grows, and never shrinks."""
        size = math.prod(shape)
        store = self._stores.get(name)
        if store is None or store.size < size:
            store = self._stores[name] = np.empty(size, dtype or self._dtype)
        return store[:size].reshape(shape)

    def _pixels(self, x: Matrix) -> Matrix:
        """A matrix of pixels in the shape (h, n, w, c)."""
        h, w, c = self._shape
        return x.reshape(h, -1, w, c)


class ToPixels(ImageLayer):
    """From the rows of a table, one an image, to pixels.

    Parameters
    ----------
    shape : tuple of int
        Rows, columns and channels of an image.
    channels_first : bool
        Whether a row has one channel after another, and not one pixel after another.
    dtype : dtype
    """

    def __init__(self, shape: ImageShape, channels_first: bool, dtype: Any) -> None:
        super().__init__(shape, dtype)
        self._channels_first = channels_first

    def images(self, x: Matrix) -> Matrix:
        """The rows of a table as images of shape (n, h, w, c), without a copy."""
        h, w, c = self._shape
        if self._channels_first:
            return x.reshape(-1, c, h, w).transpose(0, 2, 3, 1)
        return x.reshape(-1, h, w, c)

    def forward(self, x: Matrix, rng: np.random.Generator | None = None) -> Matrix:
        """The pixels of the images."""
        (h, w, c), n = self._shape, len(x)
        out = self._buffer("out", (h, n, w, c))
        out[...] = self.images(x).transpose(1, 0, 2, 3)
        return out.reshape(-1, c)

    def backward(self, gradient: Matrix, to_input: bool = True) -> Matrix:
        """The gradient as rows of a table."""
        pixels = self._pixels(gradient)
        rows = self._buffer("in", (pixels.shape[1], math.prod(self._shape)))
        self.images(rows)[...] = pixels.transpose(1, 0, 2, 3)
        return rows


class Flatten(ImageLayer):
    """From pixels to a row for each image: one pixel after another, each with its channels."""

    def forward(self, x: Matrix, rng: np.random.Generator | None = None) -> Matrix:
        """A row for each image."""
        (h, w, c), n = self._shape, len(x) // math.prod(self._shape[:2])
        out = self._buffer("out", (n, h, w * c))
        out[...] = x.reshape(h, n, w * c).transpose(1, 0, 2)
        return out.reshape(n, -1)

    def backward(self, gradient: Matrix, to_input: bool = True) -> Matrix:
        """The gradient of each pixel."""
        (h, w, c), n = self._shape, len(gradient)
        pixels = self._buffer("in", (h, n, w * c))
        pixels[...] = gradient.reshape(n, h, w * c).transpose(1, 0, 2)
        return pixels.reshape(-1, c)


class ChannelDropout(ImageLayer):
    """Dropout of whole channels, image by image (Tompson et al., CVPR 2015).

    Neighbouring pixels are alike, so that one that is left out alone would hardly be missed.

    Parameters
    ----------
    rate : float
        In [0, 1).
    shape : tuple of int
        Rows, columns and channels of an image.
    dtype : dtype
    """

    def __init__(self, rate: float, shape: ImageShape, dtype: Any) -> None:
        super().__init__(shape, dtype)
        self._of_channels = Dropout(rate, shape[2], dtype)
        self._factors: Matrix | None = None

    def forward(self, x: Matrix, rng: np.random.Generator | None = None) -> Matrix:
        """`x` with some channels of each image zero; `x` itself without a generator."""
        self._factors = None
        if rng is None:
            return x
        pixels = self._pixels(x)
        n, c = pixels.shape[1], pixels.shape[3]
        self._of_channels.resize(n)
        self._factors = self._of_channels.forward(np.ones((n, c), self._dtype), rng)[:, None]
        out = self._buffer("out", pixels.shape)
        return np.multiply(pixels, self._factors, out=out).reshape(x.shape)

    def backward(self, gradient: Matrix, to_input: bool = True) -> Matrix:
        """The gradient of the channels that are kept."""
        if self._factors is not None:
            pixels = self._pixels(gradient)
            pixels *= self._factors
        return gradient


@dataclass(frozen=True)
class ConvStage:
    """A convolution and the pooling after it.

    Attributes
    ----------
    shape : tuple of int
        Rows, columns and channels of an image that comes in.
    kernel, pool : tuple of int
        Rows and columns of the kernel and of a window.
    n_channels : int
        Channels that come out.
    """

    shape: ImageShape
    kernel: Pair
    n_channels: int
    pool: Pair

    @property
    def convolved(self) -> ImageShape:
        """Shape of an image before it is pooled."""
        return (*self.shape[:2], self.n_channels)

    @property
    def pooled(self) -> ImageShape:
        """Shape of an image that comes out."""
        return self.shape[0] // self.pool[0], self.shape[1] // self.pool[1], self.n_channels

    @property
    def weight_shape(self) -> Pair:
        """Shape of the kernels as a matrix: an input of a kernel, an output channel."""
        return math.prod(self.kernel) * self.shape[2], self.n_channels


@dataclass(frozen=True)
class ConvStages:
    """The convolutional part of a network.

    Attributes
    ----------
    shape : tuple of int
        Rows, columns and channels of an image.
    stages : list of ConvStage
    pooling : {"max", "average"}
    channels_first : bool
        As `ToPixels` has it.
    """

    shape: ImageShape
    stages: list[ConvStage]
    pooling: str = "max"
    channels_first: bool = False

    @property
    def pooled(self) -> ImageShape:
        """Shape of an image that comes out."""
        return self.stages[-1].pooled if self.stages else self.shape

    @classmethod
    def of(
        cls,
        shape: ImageShape,
        n_channels: Sequence[int],
        kernel: Pair,
        pool: Pair,
        pooling: str,
        channels_first: bool,
    ) -> ConvStages:
        """Stages with one kernel and one window, both cut to what images of that size can fill.

        Rows of a kernel that never meet a pixel have no part in the network, and get no weights.
        """
        stages, current = [], shape
        for n in n_channels:
            h, w, _ = current
            cut = min(kernel[0], 2 * h - 1), min(kernel[1], 2 * w - 1)
            stages.append(ConvStage(current, cut, n, (min(pool[0], h), min(pool[1], w))))
            current = stages[-1].pooled
        return cls(shape, stages, pooling, channels_first)
