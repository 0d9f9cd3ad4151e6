"""Convolution by products of shifted rows.

The patches that a whole kernel sees would be a copy of the images for each of its entries. Those
that one row of the kernel sees, in one row of the images, are as many copies as the kernel has
columns; and in the memory order of `images.py` these patches of all rows of pixels are a matrix,
of which a product with a row of the kernel belongs to another row of pixels of the result, as many
further up or down as the kernel's row is. So a kernel of 5 x 5 is five products, added up by BLAS,
of factors that are not copied again; rows that would see nothing but padding are left out. The
gradients are such products of the same patches, and a convolution with the kernel turned around.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from scipy.linalg import get_blas_funcs

from .images import ImageLayer, ImageShape, Pair
from .layers import Matrix
from .tiles import SMALL_PRODUCT

# Numbers in the patches that are at hand at a time: 1 MB of float32, which a second-level cache
# holds. Half of it takes the same time, four times as much 5% more, eight times as much a fifth.
PATCHES = 1 << 18


class RowProducts:
    """Sums of products of the rows of images with those of a kernel.

    Row y, column x of the result belongs to the patch whose first pixel is in row
    ``stride y - top`` and column ``stride x - left``; pixels outside are zero.

    Parameters
    ----------
    shape : tuple of int
        Rows, columns and channels of the images.
    kernel : tuple of int
        Rows and columns.
    before : tuple of int
        `top` and `left`.
    stride : int
    out_shape : tuple of int
        Rows and columns of the result.
    dtype : dtype
    """

    def __init__(
        self,
        shape: ImageShape,
        kernel: Pair,
        before: Pair,
        stride: int,
        out_shape: Pair,
        dtype: Any,
    ) -> None:
        self._shape, self._kernel, self._stride, self._out_shape = shape, kernel, stride, out_shape
        self._top, self._left = before
        self.n_terms = kernel[1] * shape[2]
        self._patches = np.empty(0, dtype)
        self._gemm = get_blas_funcs("gemm", dtype=dtype)

    def add_products(self, x: Matrix, weight: Matrix, out: Matrix) -> None:
        """Add to `out`, of shape (h_out, n, w_out, n_out), the products with a kernel.

        `x` has the shape (h, n, w, c), `weight` (rows of the kernel, n_terms, n_out).
        """
        n_out = out.shape[3]
        for patches, i, rows, images in self._pieces(x):
            part = out[rows, images].reshape(-1, n_out)  # a view: it is in one piece
            self._gemm(1.0, weight[i].T, patches.T, 1.0, part.T, overwrite_c=1)

    def add_gradient(self, x: Matrix, gradient: Matrix, weight_gradient: Matrix) -> None:
        """Add the gradient in the kernel to `weight_gradient`, from that in the result."""
        product = np.empty_like(weight_gradient[0])
        for patches, i, rows, images in self._pieces(x):
            slopes = gradient[rows, images]
            n_rows, n_out = len(slopes), slopes.shape[3]
            if slopes[0].size * self.n_terms <= SMALL_PRODUCT:
                # A stack of small products, see tiles.py: up to twice as fast for a few channels.
                stack = patches.reshape(n_rows, -1, self.n_terms).transpose(0, 2, 1)
                weight_gradient[i] += np.matmul(stack, slopes.reshape(n_rows, -1, n_out)).sum(
                    axis=0
                )
            else:
                np.dot(patches.T, slopes.reshape(-1, n_out), out=product)
                weight_gradient[i] += product

    def _pieces(self, x: Matrix) -> Iterator[tuple[Matrix, int, slice, slice]]:
        """Patches, a row of the kernel, and where in the result their product belongs.

        The last two are slices of its rows and of the images.
        """
        n, s, h_out = x.shape[1], self._stride, self._out_shape[0]
        for rows, images in self._blocks(n):
            patches = self._gather(x[rows, images])
            for i in range(self._kernel[0]):
                # Row y of the result sees row s y + i - top of the images.
                first = max(-((i - self._top - rows.start) // s), 0)
                last = min((rows.stop - 1 + self._top - i) // s, h_out - 1)
                if first <= last:
                    begin = s * first + i - self._top - rows.start
                    seen = patches[begin : begin + s * (last - first) + 1 : s]
                    yield seen.reshape(-1, self.n_terms), i, slice(first, last + 1), images

    def _blocks(self, n_images: int) -> Iterator[tuple[slice, slice]]:
        """Rows and images whose patches are gathered at a time, in one piece of the result."""
        h, each = self._shape[0], self._out_shape[1] * self.n_terms
        height = max(PATCHES // (each * n_images), 1)
        depth = n_images if height > 1 else min(max(PATCHES // each, 1), n_images)
        for top in range(0, h, height):
            for start in range(0, n_images, depth):
                yield (
                    slice(top, min(top + height, h)),
                    slice(start, min(start + depth, n_images)),
                )

    def _gather(self, x: Matrix) -> Matrix:
        """What a row of the kernel sees: shape (h, n, w_out, n_terms)."""
        (h, n, w, c), columns, s, left = x.shape, self._kernel[1], self._stride, self._left
        w_out = self._out_shape[1]
        shape = h, n, w_out, self.n_terms
        if self._patches.size < math.prod(shape):
            self._patches = np.empty(math.prod(shape), x.dtype)
        patches = self._patches[: math.prod(shape)].reshape(shape)
        # Patches that lie inside have their numbers one after another in the images.
        first = min(-(-left // s), w_out)
        last = max(min((w + left - columns) // s + 1, w_out), first)
        if first < last:
            row, image, pixel, entry = x.strides
            inside = as_strided(
                x[:, :, s * first - left :],
                (h, n, last - first, self.n_terms),
                (row, image, s * pixel, entry),
                writeable=False,
            )
            patches[:, :, first:last] = inside
        by_column = patches.reshape(h, n, w_out, columns, c)
        for at in (*range(first), *range(last, w_out)):
            start = s * at - left
            a, b = min(max(-start, 0), columns), max(min(w - start, columns), 0)
            by_column[:, :, at, :a] = 0.0
            by_column[:, :, at, b:] = 0.0
            by_column[:, :, at, a:b] = x[:, :, start + a : start + b]
        return patches


class Conv2D(ImageLayer):
    """Each pixel of the result is a linear function of the patch of pixels around it.

    Parameters
    ----------
    shape : tuple of int
        Rows, columns and channels of an image.
    kernel : tuple of int
        Rows and columns of the kernels.
    weight, bias : ndarray of shape (kernel rows * kernel columns * channels, n_out) and (n_out,)
    weight_gradient, bias_gradient : ndarray or None
        Where `backward` writes.
    padding : {"same", "valid"}, default="same"
        Zeros around the images, as many as leave one patch for each pixel; or none.
    stride : int, default=1
        Pixels from a patch to the next one, in both directions.
    """

    def __init__(
        self,
        shape: ImageShape,
        kernel: Pair,
        weight: Matrix,
        bias: Matrix,
        weight_gradient: Matrix | None = None,
        bias_gradient: Matrix | None = None,
        *,
        padding: str = "same",
        stride: int = 1,
    ) -> None:
        (h, w, c), (rows, columns), n_out = shape, kernel, len(bias)
        super().__init__(shape, weight.dtype)
        self.weight, self.bias = weight, bias
        self.weight_gradient, self.bias_gradient = weight_gradient, bias_gradient
        self._by_row = weight.reshape(rows, columns * c, n_out)
        top, left, h_out, w_out = 0, 0, h - rows, w - columns
        if padding == "same":
            top, left, h_out, w_out = (rows - 1) // 2, (columns - 1) // 2, h - 1, w - 1
        h_out, w_out = h_out // stride + 1, w_out // stride + 1
        self.out_shape: ImageShape = h_out, w_out, n_out
        self._forwards = RowProducts(
            shape, kernel, (top, left), stride, (h_out, w_out), self._dtype
        )
        # The gradient in the input is a convolution of that in the output, with zeros between its
        # pixels for a stride, with kernels that are turned around.
        self._stride, self._kernel = stride, kernel
        self._spread = (h_out - 1) * stride + 1, (w_out - 1) * stride + 1, n_out
        before = rows - 1 - top, columns - 1 - left
        self._backwards = RowProducts(self._spread, kernel, before, 1, (h, w), self._dtype)

    def forward(self, x: Matrix, rng: np.random.Generator | None = None) -> Matrix:
        """The products of the patches with the kernels, and the bias."""
        h_out, w_out, n_out = self.out_shape
        self._x = self._pixels(x)
        out = self._buffer("out", (h_out, self._x.shape[1], w_out, n_out))
        out[...] = self.bias
        self._forwards.add_products(self._x, self._by_row, out)
        return out.reshape(-1, n_out)

    def backward(self, gradient: Matrix, to_input: bool = True) -> Matrix:
        """Gradients in weight, bias and input."""
        (h_out, w_out, n_out), (_, n, _, c) = self.out_shape, self._x.shape
        slopes = gradient.reshape(h_out, n, w_out, n_out)
        if self.weight_gradient is not None:
            self.weight_gradient.fill(0.0)
            by_row = self.weight_gradient.reshape(self._by_row.shape)
            self._forwards.add_gradient(self._x, slopes, by_row)
            ones = self._buffer("ones", (len(gradient),))
            ones.fill(1.0)
            np.dot(ones, gradient, out=self.bias_gradient)
        if not to_input:
            return gradient
        if self._stride > 1:
            spread = self._buffer("spread", (self._spread[0], n, *self._spread[1:]))
            spread.fill(0.0)
            spread[:: self._stride, :, :: self._stride] = slopes
            slopes = spread
        turned = self.weight.reshape(*self._kernel, c, n_out)[::-1, ::-1].swapaxes(2, 3)
        turned = turned.reshape(self._kernel[0], -1, c)
        in_x = self._buffer("in", self._x.shape)
        in_x.fill(0.0)
        self._backwards.add_products(slopes, turned, in_x)
        return in_x.reshape(-1, c)
