"""Least squares on many sets of features at once, from one Gram matrix.

The sets are supports along a path, of which one has much in common with the next. Where each
contains the one before, one Cholesky factor ``G = L L'`` with the features in the order in which
they join serves all: leading blocks of ``L^-1`` are the inverses of leading blocks of L. Otherwise
the features that all sets have are eliminated once, and each half of the sets is solved by itself
on the Schur complement, cut where a feature leaves.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from scipy import linalg

from ...data.design import Array, Index
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
    c, solve = c * inverse, _prepared(G, supports)
    W = solve(np.where(supports, c, 0.0))
    left = np.where(supports, c - W @ G, 0.0)
    change = solve(left)
    gaps = 0.5 * np.einsum("ij,ij->i", left, change) / unit
    return (W + change) * inverse, gaps


class OnSupports:
    """``G[S, S]^-1`` for each of many sets of features, made once for any right-hand sides."""

    def __init__(self, G: Array, supports: Mask) -> None:
        G, self._inverse = _with_unit_diagonal(G)
        self._supports, self._solve = supports, _prepared(G, supports)

    def solve(self, C: Array) -> Array:
        """Solutions for each set and row of C, zeros elsewhere; NaN as above."""
        return self._solve(np.where(self._supports, C * self._inverse, 0.0)) * self._inverse


def _with_unit_diagonal(G: Array) -> tuple[Array, Array]:
    """A Gram matrix of features of length one, and the inverses of their lengths before."""
    size = np.sqrt(G.diagonal())
    inverse = np.divide(1.0, size, out=np.zeros_like(size), where=size > 0)
    return G * inverse * inverse[:, None], inverse


def _prepared(G: Array, S: Mask) -> Callable[[Array], Array]:
    """What leads from C to ``G[S, S]^-1 C[S]`` for each row of C and S, with zeros elsewhere."""
    n_sets, count = len(S), S.sum(axis=0)
    used = count.nonzero()[0]
    if not len(used):
        return np.zeros_like
    leaving = np.flatnonzero((S[:-1] & ~S[1:]).any(axis=1))
    if not len(leaving):  # each set contains the one before
        order = used[np.argsort(-count[used], kind="stable")]
        inverse = _inverse_of_factor(G[np.ix_(order, order)])
        if inverse is not None:
            return partial(_by_leading_blocks, inverse, order, S[:, order])
    if n_sets == 1:
        return partial(np.full_like, fill_value=np.nan)
    cut = n_sets // 2
    if len(leaving):
        cut = int(leaving[np.argmin(np.abs(leaving + 1 - cut))]) + 1
    always = (count == n_sets).nonzero()[0]
    inverse = _inverse_of_factor(G[np.ix_(always, always)]) if len(always) else None
    if inverse is None:
        return partial(_by_halves, _prepared(G, S[:cut]), _prepared(G, S[cut:]), cut)
    rest = ((count > 0) & (count < n_sets)).nonzero()[0]
    B = inverse @ G[np.ix_(always, rest)]
    H, S = G[np.ix_(rest, rest)] - B.T @ B, S[:, rest]
    solve = partial(_by_halves, _prepared(H, S[:cut]), _prepared(H, S[cut:]), cut)
    return partial(_by_elimination, inverse, B, always, rest, S, solve)


def _by_leading_blocks(inverse: Array, order: Index, leading: Mask, C: Array) -> Array:
    W = np.zeros_like(C)
    W[:, order] = np.where(leading, C[:, order] @ inverse.T, 0.0) @ inverse
    return W


def _by_halves(
    one: Callable[[Array], Array], other: Callable[[Array], Array], cut: int, C: Array
) -> Array:
    return np.concatenate([one(C[:cut]), other(C[cut:])])


def _by_elimination(
    inverse: Array,
    B: Array,
    always: Index,
    rest: Index,
    S: Mask,
    solve: Callable[[Array], Array],
    C: Array,
) -> Array:
    W, z = np.zeros_like(C), C[:, always] @ inverse.T
    W[:, rest] = solve(np.where(S, C[:, rest] - z @ B, 0.0))
    W[:, always] = (z - W[:, rest] @ B.T) @ inverse
    return W


def _inverse_of_factor(G: Array) -> Array | None:
    """``L^-1`` of a Gram matrix ``L L'`` whose features are far from depending on each other."""
    factor, info = linalg.lapack.dpotrf(G, lower=1, clean=1)
    if info or not np.square(factor.diagonal()).min(initial=1.0) > LEAST_PIVOT:
        return None
    inverse: Array = linalg.lapack.dtrtri(factor, lower=1, overwrite_c=1)[0]
    return inverse
