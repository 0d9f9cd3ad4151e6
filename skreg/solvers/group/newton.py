"""Newton's method in the lengths of the rows of coefficients, at several alphas side by side.

With the Gram matrix G, correlations C and thresholds l1, the minimum of

    1/2 <W, G W> - <C, W> + sum_j l1_j |w_j|

has ``w_j = t_j q_j`` for the correlations ``Q = C - G W`` that it leaves, and the relative lengths
``t_j = |w_j| / l1_j``. For any ``t >= 0`` these equations have one solution,

    Q(t) = (I + G T)^-1 C,    W(t) = T Q(t),    T = diag(t),

which is the minimum of the same with ``1/2 sum_j (|w_j|^2 / t_j + l1_j^2 t_j)`` as the penalty, as
``|w| = min_r (|w|^2 / r + r) / 2``. So the problem has one unknown a feature, however many targets
there are: to minimise over ``t >= 0`` the convex

    phi(t) = 1/2 sum_j l1_j^2 t_j - 1/2 <C, W(t)>,    2 dphi/dt_j = l1_j^2 - |q_j(t)|^2.

With ``B = I + T^(1/2) G T^(1/2)``, which has no eigenvalue below one however the features depend on
each other, Q and W come from one Cholesky factor, and the derivatives of the lengths |q_j| are
those of ``T^(-1/2) (I - B^-1) T^(-1/2)`` times, entry by entry, the products of the rows of Q.
Newton's method is applied to ``1/|q_j| = 1/l1_j``, as for a trust region, which is linear in t
where features are orthogonal, with lengths that stay at zero where they would fall below it: from
no coefficients at all it finds a hundred features in seven rounds. An L2 part is added to the
diagonal of G. A round with m active features takes ``4/3 m^3 + 4 m^2 K`` flops for K targets.

A feature enters where its correlation is past its threshold. After some rounds without a smaller
phi comes ``t_j |q_j| / l1_j``, the minimum of the penalty's quadratic upper bound, which always
makes it smaller.
"""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs

from ...data.design import Array, Index
from ...objective.group import row_lengths
from ..base import Mask
from ..tolerances import CORRELATION_ROUNDING, KKT_TOLERANCE
from .alone import (
    MOST_CHANGES,
    NO_LENGTH,
    PHI_PATIENCE,
    PHI_ROUNDING,
    REACHED_LENGTH,
    REPEATED,
    SHORTER,
    model_minimum,
    solve_rows_alone,
)

# Up to so many features NumPy solves a stack of systems quicker than LAPACK one by one.
STACKED = 12
# Alphas that take more rounds go on alone; most take two or three.
MOST_TOGETHER = 50


class GroupRows(NamedTuple):
    """What is found at each alpha.

    Attributes
    ----------
    W, Q : ndarray of shape (n_alphas, n_features, n_targets)
        Coefficients, and the correlations that they leave less the slopes of the L2 part.
    n_rounds : ndarray of shape (n_alphas,)
    solved : ndarray of shape (n_alphas,)
    """

    W: Array
    Q: Array
    n_rounds: Index
    solved: Mask

    @classmethod
    def empty(cls, start: Array) -> GroupRows:
        """To be filled in."""
        n_rounds, solved = np.zeros(len(start), np.intp), np.zeros(len(start), np.bool_)
        return cls(np.zeros_like(start), np.zeros_like(start), n_rounds, solved)


def solve(
    gram: Array, C: Array, l1: Array, l2: Array | None, start: Array, square: float, most: int
) -> GroupRows:
    """The solutions at several alphas.

    Parameters
    ----------
    gram : ndarray of shape (n_features, n_features)
    C : ndarray of shape (n_features, n_targets)
    l1, l2 : ndarray of shape (n_alphas, n_features)
        Thresholds above zero; the L2 part, None where there is none.
    start : ndarray of shape (n_alphas, n_features, n_targets)
        Coefficients, whose lengths are where to start.
    square : float
        What the rounding of correlations is relative to, a mean square.
    most : int
        Rounds at an alpha.
    """
    if len(start) == 1:
        ridge = None if l2 is None else l2[0]
        one = solve_rows_alone(gram, C, l1[0], ridge, start[0], square, most)
        return GroupRows(one.W[None], one.Q[None], np.array([one.n_rounds]), np.array([one.solved]))
    n_alphas, T, whole = len(start), row_lengths(start) / l1, (l1, l2)
    found = GroupRows.empty(start)
    noise = CORRELATION_ROUNDING * np.sqrt(square * gram.diagonal())
    left = np.arange(n_alphas)
    best, safe, n_idle = np.full(n_alphas, np.inf), T, np.zeros(n_alphas, dtype=np.intp)
    together = min(most, MOST_TOGETHER)
    for n_rounds in range(1, together + 1):
        at = _Point(gram, C, l1, l2, T)
        found.n_rounds[left] = n_rounds
        solved = at.solved(noise)
        ends = np.ones_like(solved) if n_rounds == together else solved
        found.W[left[ends]], found.Q[left[ends]] = at.W[ends], at.Q[ends]
        found.solved[left] = solved
        on = ~ends
        if not np.count_nonzero(on):
            break
        if np.count_nonzero(ends):
            left, l1, best, safe, n_idle = left[on], l1[on], best[on], safe[on], n_idle[on]
            l2 = None if l2 is None else l2[on]
            at = at.of(on)
        T = at.step(noise)
        T[T * gram.diagonal() < NO_LENGTH] = 0.0
        better = at.phi < best - PHI_ROUNDING * at.size
        best = np.where(better, at.phi, best)
        surely = np.where(at.T > 0, at.T * (at.norms / l1), SHORTER * T)
        safe = np.where(better[:, None], surely, safe)
        n_idle = np.where(better, 0, n_idle + 1)
        stuck = n_idle > PHI_PATIENCE
        if np.count_nonzero(stuck):
            T = np.where(stuck[:, None], safe, T)
            n_idle[stuck] = 0
    for i in np.flatnonzero(~found.solved) if together < most else ():
        ridge, rest = None if whole[1] is None else whole[1][i], most - together
        one = solve_rows_alone(gram, C, whole[0][i], ridge, found.W[i], square, rest)
        found.W[i], found.Q[i], found.solved[i] = one.W, one.Q, one.solved
        found.n_rounds[i] += one.n_rounds
    return found


class _Point:
    """Coefficients, correlations and phi at some relative lengths T, (n_alphas, n_features).

    `used` are the features that have a length at any alpha; `root` has their T^(1/2), `B` their
    matrix or its Cholesky factor, and `inverse` its inverse where they are few.
    """

    def __init__(self, gram: Array, C: Array, l1: Array, l2: Array | None, T: Array) -> None:
        self.gram, self.l1, self.l2, self.T = gram, l1, l2, T
        n_alphas, n_targets = len(T), C.shape[1]
        used = np.flatnonzero(T.any(axis=0))
        m, rows = len(used), gram.take(used, 0)
        self.used, self.root = used, np.sqrt(T.take(used, 1))
        B = rows.take(used, 1) * self.root[:, None, :]
        B *= self.root[:, :, None]
        diagonals = B.reshape(n_alphas, m * m)[:, :: m + 1]
        diagonals += 1.0
        if l2 is not None:
            diagonals += T.take(used, 1) * l2.take(used, 1)
        rhs = self.root[:, :, None] * C.take(used, 0)
        self.B, self.inverse = B, None if m > STACKED else np.linalg.inv(B)
        if self.inverse is not None:
            rhs = self.inverse @ rhs
        else:
            for k, matrix in enumerate(B):  # the factor in the lower triangle of the transposed
                dpotrf(matrix.T, lower=1, overwrite_a=1, clean=0)
                rhs[k] = dpotrs(matrix.T, rhs[k], lower=1)[0]
        part = self.root[:, :, None] * rhs
        fitted = rows.T @ part.transpose(1, 0, 2).reshape(m, n_alphas * n_targets)
        self.Q = C - fitted.reshape(len(C), n_alphas, n_targets).transpose(1, 0, 2)
        if l2 is not None:
            self.Q[:, used] -= l2.take(used, 1)[:, :, None] * part
        self.W = np.zeros((n_alphas, *C.shape))
        self.W[:, used] = part
        self.norms = row_lengths(self.Q)
        thresholds = np.einsum("ij,ij,ij->i", l1, l1, T)
        along = np.einsum("ijk,jk->i", part, C.take(used, 0))
        self.phi, self.size = 0.5 * (thresholds - along), 0.5 * (thresholds + along)

    def of(self, on: Mask) -> Self:
        """At some of the alphas."""
        for name in ("l1", "l2", "T", "root", "B", "inverse", "Q", "W", "norms", "phi", "size"):
            if getattr(self, name) is not None:
                setattr(self, name, getattr(self, name)[on])
        return self

    def entering(self, noise: Array) -> Mask:
        """Features without coefficients whose correlations are past their thresholds."""
        past = self.norms > (1.0 + KKT_TOLERANCE) * self.l1 + noise
        return np.asarray(past & (self.T == 0))

    def solved(self, noise: Array) -> Mask:
        """Whether all conditions hold."""
        away = np.abs(self.norms - self.l1) > REACHED_LENGTH * self.l1 + noise
        wrong = np.where(self.T > 0, away, self.entering(noise))
        return np.asarray(~wrong.any(axis=1))

    def step(self, noise: Array) -> Array:
        """The relative lengths after a step of Newton's method; what was factored is used up."""
        new, m = self.T.copy(), len(self.used)
        if m:
            Q, norms = self.Q[:, self.used], self.norms[:, self.used]
            l1, A = self.l1[:, self.used], self.inverse
            if A is None:
                A = self.B
                for matrix in A:  # the upper triangle, which alone is read
                    dpotri(matrix.T, lower=1, overwrite_c=1)
            np.negative(A, out=A)
            diagonals = A.reshape(len(A), m * m)[:, :: m + 1]
            diagonals += 1.0
            unit = Q / np.where(norms > 0, norms, 1.0)[:, :, None]
            A *= unit @ unit.transpose(0, 2, 1)
            diagonals *= 1.0 + REPEATED
            diagonals += np.where(self.root > 0, REPEATED**2, 1.0)
            rhs = self.root * norms * (norms - l1) / l1
            new[:, self.used] = self._stepped(A, rhs, norms)
        enters = self.entering(noise)
        if np.count_nonzero(enters):
            new = np.where(enters, self._first(enters), new)
        return new

    def _stepped(self, A: Array, rhs: Array, norms: Array) -> Array:
        """The lengths that minimise Newton's quadratic model; see `model_minimum`."""
        T, unit = self.T[:, self.used], self.root / np.where(norms > 0, norms, np.inf)
        zero = -self.root * norms
        if len(self.used) > STACKED:
            parts = zip(A, rhs, T, unit, zero, strict=True)
            return np.stack([model_minimum(*part) for part in parts])
        x = np.linalg.solve(A, rhs[:, :, None])[:, :, 0]
        found = T + x * unit
        gone = found < 0.0
        some = np.flatnonzero(gone.any(axis=1))
        for _ in range(MOST_CHANGES):
            if not len(some):
                break
            matrices, stays = A[some], ~gone[some]
            fixed = np.where(stays, 0.0, zero[some])
            left = rhs[some] - np.einsum("kij,kj->ki", matrices, fixed)
            part = matrices * stays[:, None, :] * stays[:, :, None]
            np.einsum("kii->ki", part)[~stays] = 1.0
            right = np.where(stays, left, fixed)
            x[some] = np.linalg.solve(part, right[:, :, None])[:, :, 0]
            found[some] = T[some] + x[some] * unit[some]
            excess = rhs[some] - np.einsum("kij,kj->ki", matrices, x[some])
            changed = np.where(stays, found[some] < 0.0, excess > 0.0)
            gone[some] ^= changed
            some = some[changed.any(axis=1)]
        return np.where(gone, 0.0, np.maximum(found, 0.0))

    def _first(self, enters: Mask) -> Array:
        """Lengths of features that enter, by the best multiple of what each would have alone."""
        curvature = self.gram.diagonal()
        curved = np.zeros(enters.shape) if self.l2 is None else self.l2
        total = curvature + curved
        size = np.where(enters, self.norms - self.l1, 0.0) / total
        j = np.flatnonzero(enters.any(axis=0))
        rows = np.where(enters, size / np.where(enters, self.norms, 1.0), 0.0)
        rows = rows[:, j, None] * self.Q[:, j]
        flat = rows.transpose(1, 0, 2).reshape(len(j), -1)
        bent = (self.gram.take(j, 0).take(j, 1) @ flat).reshape(len(j), len(rows), -1)
        along = np.einsum("ijk,jik->i", rows, bent) + np.einsum("ij,ij,ij->i", size, size, curved)
        alone = np.einsum("ij,ij,ij->i", size, size, total)
        share = np.divide(alone, np.maximum(along, alone), out=np.ones(len(size)), where=alone > 0)
        return np.asarray(size * share[:, None] / self.l1)
