"""Polynomials in log(alpha) through solutions of a path."""

from __future__ import annotations

import numpy as np

from ...data.design import Array, Index


def lagrange(at: Array, nodes: Array, near: Index) -> Array:
    """Weights of values at nodes, (n_at, n_nodes), in the polynomials through the nearest.

    `near` has the places of these, (n_at, n_near).
    """
    x, each = nodes[near], np.arange(len(at))
    away, shares = at[:, None] - x, np.zeros((len(at), len(nodes)))
    for i in range(near.shape[1]):
        others, apart = away.copy(), x[:, i, None] - x
        others[:, i] = apart[:, i] = 1.0
        shares[each, near[:, i]] = (others / apart).prod(axis=1)
    return shares
