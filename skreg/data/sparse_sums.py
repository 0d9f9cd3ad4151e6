"""Sums over the rows of a sparse X, centred, by products of its stored entries.

With rows that are scaled by the roots of their weights, a column x, its reference m and root the
column of ones, ``(x - m root)^T (z - k root)`` is made of ``x^T z``, ``x^T root`` and ``z^T root``.
That cancels where m is large beside the spread of x. It is not where no more than half of the
weight is in stored entries: the squared mean is then no larger than the variance (Cauchy-Schwarz).
The other columns are few, and are read as dense ones, which the targets are too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .products import BLOCK_ENTRIES, Array, column_sums, cross_products, with_data

# Up to this share of stored entries their products take less time than a dense Gram matrix, of
# which BLAS makes one half: a third to a half of it at half this share, 1.4 to 3 times at twice.
FEW_STORED = 0.1
# Share of the weight in stored entries from which on a column is read as a dense one.
THICK = 0.5
# Parts of the columns whose products are made one after another: less than two thirds of the Gram
# matrix is then made, the rest being its mirror image, and no sparse matrix is as large as it.
STRIPS = 4


def has_few_entries(X: Any) -> bool:
    """Whether products of stored entries take less time than those of dense rows."""
    return bool(X.nnz <= FEW_STORED * X.shape[0] * X.shape[1])


def sums_of_sparse(X: Any, Y: Array, reference: Array, weight: Array) -> Array:
    """``S`` of `MomentMatrix` for X in CSC format."""
    p, width, root = X.shape[1], X.shape[1] + Y.shape[1], np.sqrt(weight)
    is_thick = column_sums(X, weight[X.indices]) > THICK * weight.sum()
    thin, thick = np.flatnonzero(~is_thick), np.flatnonzero(is_thick)
    Z, m = X[:, thin] if len(thick) else X, reference[thin]
    Z = with_data(Z, Z.data * root[Z.indices])
    dense = np.concatenate([thick, np.arange(p, width + 1)])
    S = np.zeros((width + 1, width + 1))
    S[np.ix_(dense, dense)], cross = _with_dense(Z, X[:, thick], Y, reference[dense[:-1]], root)
    sums, total = cross[:, -1].copy(), S[-1, -1]
    cross -= np.outer(m, S[-1, dense])
    S[np.ix_(thin, dense)], S[np.ix_(dense, thin)] = cross, cross.T
    shift, step = sums - 0.5 * total * m, max(1, -(-len(thin) // STRIPS))
    for start in range(0, len(thin), step):
        own, rest = slice(start, start + step), slice(start, None)
        G = cross_products(Z[:, rest], Z[:, own], np.ones_like(root))
        # Both sums are the same ones in the mirror image.
        G -= np.outer(m[rest], shift[own]) + np.outer(shift[rest], m[own])
        S[np.ix_(thin[rest], thin[own])], S[np.ix_(thin[own], thin[rest])] = G, G.T
    return S


def _with_dense(Z: Any, thick: Any, Y: Array, reference: Array, root: Array) -> tuple[Array, Array]:
    """Sums of dense columns, the targets and ones with each other, and with the thin columns."""
    count = thick.shape[1]
    width = count + Y.shape[1] + 1
    S, cross = np.zeros((width, width)), np.zeros((Z.shape[1], width))
    Z, thick, step = Z.tocsr(), thick.tocsr(), max(1, BLOCK_ENTRIES // width)
    for start in range(0, len(root), step):
        rows = slice(start, start + step)
        a = np.ones((len(root[rows]), width))
        np.subtract(thick[rows].toarray(), reference[:count], out=a[:, :count])
        np.subtract(Y[rows], reference[count:], out=a[:, count:-1])
        a *= root[rows, None]
        S += a.T @ a
        cross += Z[rows].T @ a
    return S, cross
