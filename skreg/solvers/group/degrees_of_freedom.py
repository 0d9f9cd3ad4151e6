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

import contextlib

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotri

from ...data.design import Array
from ...objective.group import row_lengths
from ..base import Bound
from ..optimality import pseudo_solve
from .newton import STACKED

# A matrix is singular whose Cholesky factor has a squared pivot below this share of the largest.
SINGULAR_PIVOT = 1e-10


def df_of_rows(bound: Bound, alphas: Array, W: Array) -> Array:
    """Those of all targets together, at some alphas above zero.

    W, (n_alphas, n_features, n_targets), is in units of the design.
    """
    design, shape = bound.design, bound.penalty
    usable = shape.movable & (design.variances > 0)
    used = usable & ((row_lengths(W) > 0) | (shape.factors == 0))
    union = np.flatnonzero(used.any(axis=0))
    if not len(union):
        return np.zeros(len(alphas))
    if design.has_gram:
        gram = design.gram().take(union, 0).take(union, 1)
    else:
        gram = design.subset(union).gram()
    rows, penalty = W[:, union], shape.at_each(alphas)
    l1, l2 = penalty.l1[:, union], penalty.l2[:, union]
    free, n_free = shape.factors[union] == 0, 0.0
    if np.count_nonzero(free):  # these take their own, and what they explain of the others
        at, rest = np.flatnonzero(free), np.flatnonzero(~free)
        known = pseudo_solve(gram[np.ix_(at, at)], gram[at])
        n_free = W.shape[2] * float(np.trace(known[:, at]))
        gram = gram[np.ix_(rest, rest)] - gram[np.ix_(at, rest)].T @ known[:, rest]
        rows, l1, l2 = rows[:, rest], l1[:, rest], l2[:, rest]
    if 0 < len(gram) <= STACKED:
        return n_free + _traces(gram, rows, l1, l2)
    found = np.zeros(len(alphas))
    for i, size in enumerate(row_lengths(rows)):
        index = np.flatnonzero(size)
        if not len(index):
            continue
        part = gram.take(index, 0).take(index, 1)
        one = (array[i : i + 1, index] for array in (rows, l1, l2))
        found[i] = _traces(part, *one)[0]
    return n_free + found


def _traces(gram: Array, W: Array, l1: Array, l2: Array) -> Array:
    """The same of penalised features; those without coefficients at an alpha add nothing."""
    size = row_lengths(W)
    t = size / l1
    unit, root, added = W / np.where(size > 0, size, 1.0)[:, :, None], np.sqrt(t), 1.0 + l2 * t
    B = gram * root[:, None, :] * root[:, :, None]
    np.einsum("kii->ki", B)[...] += added
    inverse = _inverses(B)
    shared = unit @ unit.transpose(0, 2, 1)
    bent = (inverse - (inverse * added[:, None, :]) @ inverse) * shared
    S = -inverse * shared
    np.einsum("kii->ki", S)[...] += 1.0
    own = (1.0 - np.einsum("kii->ki", inverse) * added).sum(axis=1)
    return W.shape[2] * own + np.einsum("kij,kij->k", _inverses(S), bent)


def _inverses(matrices: Array) -> Array:
    """Of positive semidefinite matrices, least-squares ones where they are singular."""
    if len(matrices) > 1:
        with contextlib.suppress(np.linalg.LinAlgError):
            pivots = np.einsum("kii->ki", np.linalg.cholesky(matrices)) ** 2
            if np.all(pivots.min(axis=1) > SINGULAR_PIVOT * pivots.max(axis=1)):
                return np.asarray(np.linalg.inv(matrices))
    return np.stack([_inverse(one) for one in matrices])


def _inverse(matrix: Array) -> Array:
    factor, failed = dpotrf(matrix, lower=1)
    pivots = factor.diagonal()
    if failed or pivots.min(initial=1.0) ** 2 <= SINGULAR_PIVOT * pivots.max(initial=0.0) ** 2:
        return pseudo_solve(matrix, np.eye(len(matrix)))
    lower = dpotri(factor, lower=1, overwrite_c=1)[0]
    return np.asarray(np.tril(lower) + np.tril(lower, -1).T)
