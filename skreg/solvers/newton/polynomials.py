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
        apart = x[:, i, None] - x
        apart[:, i] = away[:, i]  # which leaves a factor of one
        shares[each, near[:, i]] = (away / apart).prod(axis=1)
    return shares
