"""Degrees of freedom of coefficients that enter by rows.

By Stein's lemma they are the divergence of the fitted values in the targets, at a solution that is
stable in them (Vaiter, Deledalle, Fadili, Peyré and Dossal, Ann. Inst. Statist. Math. 69(4), 2017):
with the active features A, their unit rows u_j and ``c_j = l1_j / |w_j|``, trace(M^-1 (I (x) G_AA))
for

    M = I (x) (G_AA + diag(l2 + c)) - sum_j c_j (e_j e_j') (x) (u_j u_j').

Where features are orthogonal this is the formula of Yuan and Lin (JRSS B 68(1), 2006), of a single
target the number of non-zero coefficients. M has a diagonal block for each target, and the rest has
one dimension a feature: with ``H = G_AA + diag(l2 + c)`` and ``E = H^-1 G_AA H^-1``, no matrix is
larger than A,

    K trace(H^-1 G_AA) + sum_ij [S^-1]_ij E_ij (u_i . u_j),   S = diag(1/c) - H^-1 o (U U').

H is ``C^(1/2) B C^(1/2)`` with the matrix B of `newton.py`, by which all is computed.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotri

from ...data.design import Array
from ...objective.group import row_lengths
from ..base import Bound
from ..optimality import pseudo_solve


def df_of_rows(bound: Bound, alpha: float, W: Array) -> float:
    """Those of all targets together, at an alpha above zero.

    W, (n_features, n_targets), is in units of the design.
    """
    penalty, n_targets = bound.penalty.at(alpha), W.shape[1]
    usable = bound.penalty.movable & (bound.design.variances > 0)
    index = np.flatnonzero(usable & ((row_lengths(W) > 0) | (bound.penalty.factors == 0)))
    if not len(index):
        return 0.0
    G = bound.design.gram_columns(index)[index]
    size, l1 = row_lengths(W[index]), penalty.l1[index]
    size = np.where(size > 0, size, 1.0)
    t = np.where(l1 > 0, size / np.where(l1 > 0, l1, 1.0), np.inf)
    free = np.isinf(t)
    n_free = 0.0
    if free.any():  # these take their own, and what they explain of the others
        at, rest = np.flatnonzero(free), np.flatnonzero(~free)
        known = pseudo_solve(G[np.ix_(at, at)], G[at])
        n_free = float(np.trace(known[:, at]))
        G = G[np.ix_(rest, rest)] - G[np.ix_(at, rest)].T @ known[:, rest]
        index, t = index[rest], t[rest]
    U = W[index] / row_lengths(W[index])[:, None]
    root, l2 = np.sqrt(t), penalty.l2[index]
    B = G * root * root[:, None]
    ridge = l2 * t
    B[np.diag_indices_from(B)] += 1.0 + ridge
    inverse = _inverse(B)
    bent = inverse - inverse @ ((1.0 + ridge)[:, None] * inverse)
    shared = U @ U.T
    S = np.eye(len(index)) - inverse * shared
    own = len(index) - float(inverse.diagonal() @ (1.0 + ridge))
    coupling = float(np.trace(pseudo_solve(S, bent * shared))) if len(index) else 0.0
    return n_targets * (n_free + own) + coupling


def _inverse(B: Array) -> Array:
    factor, _ = dpotrf(B, lower=1)
    lower, _ = dpotri(factor, lower=1)
    return np.asarray(np.tril(lower) + np.tril(lower, -1).T)
