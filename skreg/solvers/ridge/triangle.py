"""R of a QR factorisation of a sparse matrix, of which only a few rows are ever dense.

Householder's method takes the rows block after block, each together with the triangle of those
before it, and forgets Q. What it leaves has the singular values of the whole matrix with the
accuracy of an orthogonal method, where a Gram matrix would have squared them.

Cost: at most 4 n p^2 flops for n >= p, and memory for two matrices of p x p. A block has at most
as many rows as columns and a quarter of all rows.

Source: Demmel, Grigori, Hoemmen & Langou, "Communication-optimal parallel and sequential QR and
LU factorizations", SIAM J. Sci. Comput. 34 (2012).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from ...data.design import Array, Design, Index

# Beyond this many multiplications, n p min(n, p), a factorisation would take more than seconds.
LARGEST_WORK = 2e10


def affordable(design: Design) -> bool:
    """Whether a sparse design is small enough to be factorised as if it were dense."""
    n, p = design.n_samples, design.n_features
    return n * p * min(n, p) <= LARGEST_WORK


def block_size(n_rows: int, n_columns: int) -> int:
    """Rows that are made dense at once."""
    return max(1, min(n_columns, n_rows // 4))


def triangle(blocks: Iterable[Array]) -> Array:
    """Upper triangle, or trapezium, of the QR factorisation of all blocks' rows."""
    R: Array | None = None
    for block in blocks:
        stacked = block if R is None else np.vstack([R, block])
        R = np.asarray(np.linalg.qr(stacked, mode="r"))
    assert R is not None
    return R


def weighted_rows(design: Design, index: Index, first: Array, last: Array) -> Iterator[Array]:
    """Rows of ``[first, Omega^(1/2) Z[:, index], last]`` of a sparse design in blocks.

    `first` and `last` have the weights in them already.
    """
    root = np.sqrt(design.omega)[:, None]
    for rows, Z in design.row_blocks(index, block_size(design.n_samples, len(index))):
        yield np.hstack([first[rows], root[rows] * Z, last[rows]])
