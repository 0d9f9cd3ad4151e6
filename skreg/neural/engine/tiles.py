"""Products in tiles that BLAS multiplies as they lie in memory.

BLAS copies both factors into an order of its own before it multiplies them. With a batch of 32 rows
that takes a fifth of the time, and half of it where the weights are transposed. On processors with
AVX-512 OpenBLAS has other kernels for small products, which read the factors where they are; on
others tiles take a third longer than the whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[Any]

# Multiplications in a product up to which OpenBLAS takes these kernels.
SMALL_PRODUCT = 1_000_000
# Where the second factor is transposed it takes them for at most 1200 entries of the result, each a
# sum of at least 32 terms.
SQUARE, LEAST_TERMS = 32, 32
# Columns of a tile; in one with fewer rows or columns than these the factors are read too often.
TILE_WIDTH, LEAST_HEIGHT, LEAST_WIDTH = 64, 12, 16
# Numbers in a matrix beyond which the time is that of reading it from memory.
LARGEST_IN_CACHE = 1 << 21


class Product:
    """``a @ b``, written into `out`, in tiles; they are kept for as long as the arrays stay."""

    def __init__(self) -> None:
        self._of: tuple[Matrix | None, ...] = None, None, None
        self._tiles: list[tuple[Matrix, Matrix, Matrix]] = []

    def __call__(self, a: Matrix, b: Matrix, out: Matrix) -> Matrix:
        """`out`, with the product in it."""
        last = self._of
        if a is not last[0] or b is not last[1] or out is not last[2]:
            self._of, self._tiles = (a, b, out), tiles(a, b, out)
        for left, right, result in self._tiles:
            np.matmul(left, right, out=result)
        return out


def tiles(a: Matrix, b: Matrix, out: Matrix) -> list[tuple[Matrix, Matrix, Matrix]]:
    """Views of a, b and out, stacks of tiles: products of the first two make up the third."""
    n_terms = len(b)
    height, width = tile_shape(a, b)
    factors = product(grid(a, height, n_terms), grid(b, n_terms, width))
    return [(*pair, result) for pair, result in zip(factors, grid(out, height, width), strict=True)]


def tile_shape(a: Matrix, b: Matrix) -> tuple[int, int]:
    """Rows and columns of a tile of ``a @ b``; those of the whole where tiles gain nothing."""
    (n_rows, n_terms), n_columns = a.shape, b.shape[1]
    transposed = b.strides[0] < b.strides[1]
    if (
        n_rows * n_columns * n_terms <= SMALL_PRODUCT
        or n_columns < LEAST_WIDTH
        or (transposed and n_terms < LEAST_TERMS)
        or max(a.size, b.size, n_rows * n_columns) > LARGEST_IN_CACHE
    ):
        return n_rows, n_columns
    width = SQUARE if transposed else TILE_WIDTH
    if a.strides[0] < a.strides[1]:  # many rows, of few terms: whole ones are written in one go
        width = max(width, SMALL_PRODUCT // (LEAST_HEIGHT * n_terms) // width * width)
    width = min(width, n_columns)
    height = SMALL_PRODUCT // (width * n_terms) // 4 * 4
    if height < LEAST_HEIGHT:
        return n_rows, n_columns
    if transposed:
        height = min(height, SQUARE)
    # As many tiles, but of one height, as far as multiples of four allow that.
    height = -(-n_rows // -(-n_rows // height))
    return min(n_rows, -(-height // 4) * 4), width


def grid(matrix: Matrix, height: int, width: int) -> list[Matrix]:
    """Views of a matrix, tile by tile, with the axes: column of tiles, row of tiles, row, column.

    There is a view of all whole tiles, and one of those along each edge where there are others.
    """
    made = []
    for top, bottom, n_rows in cut(matrix.shape[0], height):
        for left, right, n_columns in cut(matrix.shape[1], width):
            shape = (bottom - top) // n_rows, n_rows, (right - left) // n_columns, n_columns
            part = matrix[top:bottom, left:right].reshape(shape)
            made.append(part.transpose(2, 0, 1, 3))
    return made


def cut(n: int, size: int) -> Iterator[tuple[int, int, int]]:
    """Start, stop and size of the pieces: those of the size that is asked for, and the rest."""
    whole = n - n % size
    if whole:
        yield 0, whole, size
    if whole < n:
        yield whole, n, n - whole
