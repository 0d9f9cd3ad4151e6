"""Pooling: one number for each window of pixels, channel by channel.

Windows do not overlap; rows and columns that are left over at the bottom and at the right have no
part. A window is pooled along its rows first, and then the rows: each step is an operation on
whole arrays for each column, and each row, of a window.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np

from .images import ImageLayer, ImageShape, Pair
from .layers import Matrix


class Pool2D(ImageLayer):
    """What both have.

    Parameters
    ----------
    shape : tuple of int
        Rows, columns and channels of an image.
    size : tuple of int
        Rows and columns of a window, at most those of an image.
    dtype : dtype
    """

    def __init__(self, shape: ImageShape, size: Pair, dtype: Any) -> None:
        super().__init__(shape, dtype)
        (h, w, c), self._size = shape, size
        self.out_shape: ImageShape = h // size[0], w // size[1], c

    def forward(self, x: Matrix, rng: np.random.Generator | None = None) -> Matrix:
        """A number for each window and channel."""
        out = self._pool(self._cut(self._pixels(x)))
        return out.reshape(-1, self._shape[2])

    def backward(self, gradient: Matrix, to_input: bool = True) -> Matrix:
        """The gradient of each pixel."""
        (h, w, c), (h_out, w_out, _) = self._shape, self.out_shape
        n = len(gradient) // (h_out * w_out)
        in_x = self._buffer("in", (h, n, w, c))
        in_x[h_out * self._size[0] :] = 0.0
        in_x[:, :, w_out * self._size[1] :] = 0.0
        self._spread(gradient.reshape(h_out, n, w_out, c), self._cut(in_x))
        return in_x.reshape(-1, c)

    def _cut(self, pixels: Matrix) -> Matrix:
        """A view of the windows, of shape (h_out, rows, n, w_out, columns, c)."""
        (_, n, _, c), (h_out, w_out, _), (rows, columns) = pixels.shape, self.out_shape, self._size
        used = pixels[: h_out * rows, :, : w_out * columns]
        return used.reshape(h_out, rows, n, w_out, columns, c)

    @abstractmethod
    def _pool(self, windows: Matrix) -> Matrix:
        """One number a window, in a buffer."""

    @abstractmethod
    def _spread(self, gradient: Matrix, windows: Matrix) -> None:
        """Write the gradient of each pixel of the windows."""


class MaxPool2D(Pool2D):
    """The largest entry; of equal ones the first, row by row, has the gradient."""

    def _pool(self, windows: Matrix) -> Matrix:
        rows = self._largest("columns", columns_of_windows(windows))
        return self._largest("rows", rows_of_windows(rows))

    def _spread(self, gradient: Matrix, windows: Matrix) -> None:
        h_out, rows, n, w_out, _, c = windows.shape
        of_rows = self._buffer("slopes", (h_out, rows, n, w_out, c))
        self._hand_on("rows", gradient, rows_of_windows(of_rows))
        self._hand_on("columns", of_rows, columns_of_windows(windows))

    def _largest(self, name: str, parts: list[Matrix]) -> Matrix:
        """The largest of some parts, entry by entry; noted is where a part exceeds all before."""
        largest = parts[0]
        for part, later in zip(parts[1:], self._masks(name, parts), strict=True):
            np.greater(part, largest, out=later)
            largest = np.maximum(part, largest, out=self._buffer(name, part.shape))
        return largest

    def _hand_on(self, name: str, gradient: Matrix, parts: list[Matrix]) -> None:
        """Give the gradient to the part that is largest; it is overwritten."""
        for part, later in zip(parts[:0:-1], self._masks(name, parts)[::-1], strict=True):
            np.multiply(gradient, later, out=part)
            gradient -= part
        parts[0][...] = gradient

    def _masks(self, name: str, parts: list[Matrix]) -> Matrix:
        return self._buffer(f"later {name}", (len(parts) - 1, *parts[0].shape), bool)


class AveragePool2D(Pool2D):
    """The mean."""

    def _pool(self, windows: Matrix) -> Matrix:
        rows = self._sum("columns", columns_of_windows(windows))
        total = self._sum("rows", rows_of_windows(rows))
        return np.multiply(total, self._share, out=self._buffer("out", total.shape))

    def _spread(self, gradient: Matrix, windows: Matrix) -> None:
        gradient *= self._share
        windows[...] = gradient[:, None, :, :, None]

    def _sum(self, name: str, parts: list[Matrix]) -> Matrix:
        total = parts[0]
        for part in parts[1:]:
            total = np.add(total, part, out=self._buffer(name, part.shape))
        return total

    @property
    def _share(self) -> float:
        return 1.0 / (self._size[0] * self._size[1])


def columns_of_windows(windows: Matrix) -> list[Matrix]:
    """Of windows of shape (h_out, rows, n, w_out, columns, c) each column."""
    return [windows[:, :, :, :, j] for j in range(windows.shape[4])]


def rows_of_windows(rows: Matrix) -> list[Matrix]:
    """Of windows whose columns are one, of shape (h_out, rows, n, w_out, c), each row."""
    return [rows[:, i] for i in range(rows.shape[1])]


POOLINGS: dict[str, type[Pool2D]] = {"average": AveragePool2D, "max": MaxPool2D}
