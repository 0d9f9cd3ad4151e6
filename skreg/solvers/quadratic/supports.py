"""Least squares on many sets of features at once, from one Gram matrix.

The sets are supports along a path, of which one has much in common with the next. Where each
contains the one before, one Cholesky factor ``G = L L'`` with the features in the order in which
they join serves all: leading blocks of ``L^-1`` are the inverses of leading blocks of L. Otherwise
the features that all sets have are eliminated once, and each half of the sets is solved by itself
on the Schur complement, cut where a feature leaves.
"""

from __future__ import annotations

import numpy as np
from scipy import linalg

from ...data.design import Array
from ..base import Mask

# A pivot of a Gram matrix with unit diagonal, the share of a feature's variance that the features
# before it leave: below this a factor has lost half of the digits.
LEAST_PIVOT = 1e-8


def least_squares_on(G: Array, c: Array, supports: Mask, unit: float) -> tuple[Array, Array]:
    """Minimise ``1/2 w'Gw - c'w`` on each set of features.

    Parameters
    ----------
    G : ndarray of shape (n_features, n_features)
    c : ndarray of shape (n_features,)
    supports : ndarray of bool, shape (n_sets, n_features)
    unit : float
        Of the gaps.

    Returns
    -------
    W : ndarray of shape (n_sets, n_features)
        NaN in the rows of sets that depend on each other too much for a factor.
    gaps : ndarray of shape (n_sets,)
        Upper bounds of how far the objectives are above their minima, over `unit`.
    """
    G, inverse = _with_unit_diagonal(G)
    c = c * inverse
    wanted = np.where(supports, c, 0.0)
    W = _solved(G, wanted, supports)
    left = np.where(supports, c - W @ G, 0.0)
    change = _solved(G, left, supports)
    gaps = 0.5 * np.einsum("ij,ij->i", left, change) / unit
    return (W + change) * inverse, gaps


def solve_on(G: Array, C: Array, supports: Mask) -> Array:
    """``G[S, S]^-1 C[S]`` for each set S and row of C, zeros elsewhere; NaN as above."""
    G, inverse = _with_unit_diagonal(G)
    return _solved(G, np.where(supports, C * inverse, 0.0), supports) * inverse


def _with_unit_diagonal(G: Array) -> tuple[Array, Array]:
    """A Gram matrix of features of length one, and the inverses of their lengths before."""
    size = np.sqrt(G.diagonal())
    inverse = np.divide(1.0, size, out=np.zeros_like(size), where=size > 0)
    return G * inverse * inverse[:, None], inverse


def _solved(G: Array, C: Array, S: Mask) -> Array:
    """``G[S, S]^-1 C[S]`` for each row of C and S, with zeros elsewhere."""
    W = np.zeros_like(C)
    n_sets, count = len(S), S.sum(axis=0)
    used = count.nonzero()[0]
    if not len(used):
        return W
    leaving = np.flatnonzero((S[:-1] & ~S[1:]).any(axis=1))
    if not len(leaving):  # each set contains the one before
        order = used[np.argsort(-count[used], kind="stable")]
        inverse = _inverse_of_factor(G[np.ix_(order, order)])
        if inverse is not None:
            leading = S[:, order]
            W[:, order] = np.where(leading, C[:, order] @ inverse.T, 0.0) @ inverse
            return W
    if n_sets == 1:
        W[:] = np.nan
        return W
    cut = n_sets // 2
    if len(leaving):
        cut = int(leaving[np.argmin(np.abs(leaving + 1 - cut))]) + 1
    always = (count == n_sets).nonzero()[0]
    inverse = _inverse_of_factor(G[np.ix_(always, always)]) if len(always) else None
    if inverse is None:
        W[:cut], W[cut:] = _solved(G, C[:cut], S[:cut]), _solved(G, C[cut:], S[cut:])
        return W
    rest = ((count > 0) & (count < n_sets)).nonzero()[0]
    B, z = inverse @ G[np.ix_(always, rest)], C[:, always] @ inverse.T
    H, S = G[np.ix_(rest, rest)] - B.T @ B, S[:, rest]
    D = np.where(S, C[:, rest] - z @ B, 0.0)
    halves = [_solved(H, D[part], S[part]) for part in (slice(cut), slice(cut, None))]
    W[:, rest] = np.concatenate(halves)
    W[:, always] = (z - W[:, rest] @ B.T) @ inverse
    return W


def _inverse_of_factor(G: Array) -> Array | None:
    """``L^-1`` of a Gram matrix ``L L'`` whose features are far from depending on each other."""
    factor, info = linalg.lapack.dpotrf(G, lower=1, clean=1)
    if info or not np.square(factor.diagonal()).min(initial=1.0) > LEAST_PIVOT:
        return None
    inverse: Array = linalg.lapack.dtrtri(factor, lower=1, overwrite_c=1)[0]
    return inverse
