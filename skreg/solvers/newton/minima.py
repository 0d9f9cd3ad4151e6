"""The minima of quadratic models with the penalty at several alphas, side by side.

Each minimises ``1/2 w'Gw - c'w + sum_j l1_j |w_j| + l2_j/2 w_j^2`` for a c and thresholds of its
own. The rounds are those of `quadratic/active_set.py`, from signs that are guessed:

    (G_AA + L2) w_A = c_A - l1 s_A,        q = c - G w,

and every wrong guess is taken back. A round is one product for all of them and a small system
each. Nothing is done about rounds that do not end; such minima are told from the others.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg.lapack import dposv, dpotrf, dpotrs

from ...data.design import Array, Index
from ..base import Mask
from ..quadratic.cholesky import Factor, FactorRows

# Most minima take one or two rounds; more than this cycle.
MOST_ROUNDS_SIDE_BY_SIDE = 12
# Up to so many features all systems are solved in one call, with the identity in the place of what
# is inactive: 2 instead of 10 us each.
SOLVED_IN_ONE_CALL = 20
# Entries of the factors that are kept.
MOST_KEPT = 1 << 22
# From so many active features on a factor is that of the alpha before, updated: of 250 features in
# 50 instead of 200 us, of 500 in .15 instead of 1.2 ms.
UPDATED_FACTOR = 150


class SideBySide:
    """The minima on one Gram matrix, (m, m), or with few features on one each, (k, m, m).

    On one, and without an L2 part, the Cholesky factor of a support serves all that have it, and is
    kept.
    """

    #: Whether each alpha has a Gram matrix of its own.
    _has_own = False

    def __init__(self, gram: Array) -> None:
        self.gram, self._n_kept, self._has_own = gram, 0, gram.ndim == 3
        self._factors = dict[bytes, tuple[Index, Array]]()
        self._updated = dict[bytes, Factor]()
        self._first: Factor | None = None

    def product(self, W: Array) -> Array:
        """``G w`` for each row of W."""
        if self.gram.ndim == 2:
            return W.dot(self.gram)
        return np.matmul(W[:, None, :], self.gram)[:, 0, :]

    def take(self, chosen: Mask) -> SideBySide:
        """The same of some of the alphas."""
        return self if self.gram.ndim == 2 else SideBySide(self.gram[chosen])

    def unshifted(self, q: Array, change: Array) -> Array:
        """Correlations of the residuals without what was added to the Gram matrix for the steps."""
        return q

    def exact(
        self, change: Array, scale: Array | float, l1: Array, slack: Array
    ) -> Mask | np.bool_:
        """Whether nothing that was added to it tells after steps, (k, m); see `ClassMinima`."""
        return np.True_

    def minima(
        self,
        C: Array,
        l1: Array,
        l2: Array | None,
        threshold: Array,
        sign: Array,
        free: Mask | None,
    ) -> tuple[Array, Array, Mask]:
        """Coefficients for linear terms C, (k, m), ``C - G w``, and which are minima.

        That is, for which the rounds ended.

        Parameters
        ----------
        l1, l2 : ndarray of shape (k, m)
            `l2` is None where there is none.
        threshold : ndarray of shape (k, m)
            `l1` and what a correlation may exceed it by; inf keeps a feature out.
        sign : ndarray of shape (k, m)
            A guess, zero where a feature is inactive or `free`.
        free : ndarray of bool, shape (m,), optional
            Features that are active whatever their sign.
        """
        if len(C) == 1 and self._has_own:
            l2 = None if l2 is None else l2[0]
            return self._minimum(C, l1[0], l2, threshold[0], sign, free)
        found, rest, ended = np.zeros(C.shape), C, np.zeros(len(C), dtype=bool)
        left, own, first = np.arange(len(C)), self, True
        for _ in range(MOST_ROUNDS_SIDE_BY_SIDE):
            active = sign != 0
            if free is not None:
                active |= free
            W = own._on_supports(C - l1 * sign, active, l2)
            if W is None:
                break
            Q = C - own.product(W)
            enter = (np.abs(Q) > threshold) & ~active
            leave = self._leaving(W * sign < 0, W, active)
            changes = enter | leave
            if not np.count_nonzero(changes):
                if first:
                    return W, Q, ~ended
                found[left], rest[left], ended[left] = W, Q, True
                break
            if first:
                rest, first = C.copy(), False
            wrong = changes.any(axis=1)
            done = left[~wrong]
            found[done], rest[done], ended[done] = W[~wrong], Q[~wrong], True
            sign = np.where(leave, 0.0, np.where(enter, np.sign(Q), sign))[wrong]
            left, C, l1, threshold = left[wrong], C[wrong], l1[wrong], threshold[wrong]
            l2 = None if l2 is None else l2[wrong]
            own = own.take(wrong)
        return found, rest, ended

    def _minimum(
        self,
        C: Array,
        l1: Array,
        l2: Array | None,
        threshold: Array,
        sign: Array,
        free: Mask | None,
    ) -> tuple[Array, Array, Mask]:
        """The same at one alpha, whose systems have the size of their supports."""
        gram, c, sign = self.gram[0], C[0], sign[0]
        ended, w, q = np.zeros(1, dtype=bool), np.zeros(len(c)), c
        for _ in range(MOST_ROUNDS_SIDE_BY_SIDE):
            active = sign != 0.0 if free is None else (sign != 0.0) | free
            chosen = active.nonzero()[0]
            w, q = np.zeros(len(c)), c
            if len(chosen):
                matrix = gram.take(chosen, 0).take(chosen, 1)
                if l2 is not None:
                    matrix.reshape(-1)[:: len(chosen) + 1] += l2.take(chosen)
                rhs = (c - l1 * sign).take(chosen)
                _, x, info = dposv(matrix, rhs, lower=1, overwrite_a=1, overwrite_b=1)
                if info:
                    break
                w[chosen] = x
                q = c - gram.dot(w)
            enter = np.abs(q) > threshold
            enter[chosen] = False
            leave = w * sign < 0.0
            if np.count_nonzero(leave):
                leave = self._leaving(leave[None], w[None], active[None])[0]
            if not (np.count_nonzero(leave) or np.count_nonzero(enter)):
                ended[0] = True
                break
            sign = np.where(leave, 0.0, np.where(enter, np.sign(q), sign))
        return w[None], q[None], ended

    def smooth_minima(self, C: Array, l2: Array | None) -> tuple[Array, Array, np.bool_]:
        """The same without an L1 part, with few features, and whether all are minima."""
        matrices, (k, m) = self.gram, C.shape
        if l2 is not None:
            matrices = matrices.copy()
            matrices.reshape(k, m * m)[:, :: m + 1] += l2
        if k == 1:
            _, w, info = dposv(matrices[0], C[0], lower=1)
            W = w[None]
        else:
            try:
                W, info = np.linalg.solve(matrices, C[:, :, None])[:, :, 0], 0
            except np.linalg.LinAlgError:
                W, info = C, 1
        return W, C - self.product(W), np.bool_(info == 0)

    def _leaving(self, leave: Mask, W: Array, active: Mask) -> Mask:
        """Which of the coefficients with a wrong sign become inactive."""
        return leave

    def _on_supports(self, rhs: Array, active: Mask, l2: Array | None) -> Array | None:
        """``(G_AA + L2) x_A = rhs_A`` for each active set, zeros elsewhere; None where one cannot.

        A matrix that is singular but for rounding is told by what comes out, not here.
        """
        k, m = rhs.shape
        if m <= SOLVED_IN_ONE_CALL:
            return self._in_one_call(rhs, active, l2)
        W, last = np.zeros((k, m)), None
        for i, mask in enumerate(active):
            if l2 is None and m >= UPDATED_FACTOR and np.count_nonzero(mask) >= UPDATED_FACTOR:
                updated = self._updated_from(last or self._first, mask)
                if updated is not None:
                    self._first = self._first if last else updated
                    last, chosen = updated, updated.active
                    W[i][chosen] = updated.solve(rhs[i].take(chosen))
                    continue
            found = self._factor(mask, None if l2 is None else l2[i])
            if found is None:
                return None
            chosen, factor = found
            if len(chosen):
                W[i][chosen] = dpotrs(factor, rhs[i].take(chosen), lower=1, overwrite_b=1)[0]
        return W

    def _in_one_call(self, rhs: Array, active: Mask, l2: Array | None) -> Array | None:
        """The same for few features."""
        k, m = rhs.shape
        matrices = self.gram
        if l2 is not None or np.count_nonzero(active) < active.size:
            matrices = self.gram * (active[:, :, None] & active[:, None, :])
            diagonals = matrices.reshape(k, m * m)[:, :: m + 1]
            diagonals += ~active if l2 is None else np.where(active, l2, 1.0)
        try:
            return np.asarray(np.linalg.solve(matrices, (rhs * active)[:, :, None])[:, :, 0])
        except np.linalg.LinAlgError:
            return None

    def _updated_from(self, last: Factor | None, mask: Mask) -> Factor | None:
        """The factor of a large support, from that of another; None where there is none."""
        key, chosen = mask.tobytes(), mask.nonzero()[0]
        factor = self._updated.get(key)
        if factor is None or not factor.serves(chosen):
            factor = (last or Factor.empty(FactorRows())).on(self.gram, chosen, None)
            if factor is not None:
                self._updated[key] = factor
        return factor

    def _factor(self, mask: Mask, l2: Array | None) -> tuple[Index, Array] | None:
        """A support and its Cholesky factor, on one Gram matrix; None where it is singular."""
        key = mask.tobytes()
        known = self._factors.get(key)
        if known is not None and l2 is None:
            return known
        chosen = mask.nonzero()[0]
        matrix = self.gram.take(chosen, 0).take(chosen, 1)
        if l2 is not None:
            matrix.reshape(-1)[:: len(chosen) + 1] += l2.take(chosen)
        info = 0
        if len(chosen):
            matrix, info = dpotrf(matrix.T, lower=1, clean=0, overwrite_a=1)
        if info:
            return None
        if l2 is None:
            self._n_kept += len(chosen) ** 2
            if self._n_kept > MOST_KEPT:
                self._factors.clear()
                self._n_kept = len(chosen) ** 2
            self._factors[key] = chosen, matrix
        return chosen, matrix


class OverFewRows(SideBySide):
    """The minima under curvatures of their own, by the rows, of which there are few.

    A support's Gram matrix is made anew each time, and no other is.

    Parameters
    ----------
    columns : ndarray of shape (m, n)
    weight : ndarray of shape (k, n)
        Omega times the curvatures.
    means : ndarray of shape (k, m) or (m,)
        Of the columns under these weights, which are subtracted; (m,) are zeros.
    """

    def __init__(self, columns: Array, weight: Array, means: Array) -> None:
        self.columns, self.weight, self.means = columns, weight, means

    def product(self, W: Array) -> Array:
        """``G w`` for each row of W."""
        eta = W.dot(self.columns)
        if self.means.ndim == 2:
            eta -= (W * self.means).sum(axis=1)[:, None]
        eta *= self.weight
        found = eta.dot(self.columns.T)
        if self.means.ndim == 2:
            found -= eta.sum(axis=1)[:, None] * self.means
        return np.asarray(found)

    def take(self, chosen: Mask) -> SideBySide:
        """The same of some of the alphas."""
        means = self.means if self.means.ndim == 1 else self.means[chosen]
        return OverFewRows(self.columns, self.weight[chosen], means)

    def _on_supports(self, rhs: Array, active: Mask, l2: Array | None) -> Array | None:
        W, roots = np.zeros(rhs.shape), np.sqrt(self.weight)
        for i, mask in enumerate(active):
            chosen = mask.nonzero()[0]
            if not len(chosen):
                continue
            rows = self.columns.take(chosen, 0)
            if self.means.ndim == 2:
                rows -= self.means[i].take(chosen)[:, None]
            rows *= roots[i]
            ridge = None if l2 is None else l2[i].take(chosen)
            x = _solved(rows, rhs[i].take(chosen), ridge)
            if x is None:
                return None
            W[i, chosen] = x
        return W


def _solved(rows: Array, rhs: Array, ridge: Array | None) -> Array | None:
    """``(R R' + diag(ridge)) x = rhs`` for R of shape (m, n); None where it cannot be told.

    With fewer rows of X than features by ``x = ridge^-1 (rhs - R (I + R' ridge^-1 R)^-1 R'
    ridge^-1 rhs)``, whose matrix has the size of the rows.
    """
    m, n = rows.shape
    if ridge is None or m <= n or not ridge.all():
        matrix = rows.dot(rows.T)
        if ridge is not None:
            matrix.reshape(-1)[:: m + 1] += ridge
        _, x, info = dposv(matrix.T, rhs, lower=1, overwrite_a=1, overwrite_b=1)
        return None if info else np.asarray(x)
    rows *= np.sqrt(1.0 / ridge)[:, None]
    rhs /= np.sqrt(ridge)
    matrix = rows.T.dot(rows)
    matrix.reshape(-1)[:: n + 1] += 1.0
    _, x, info = dposv(matrix.T, rhs.dot(rows), lower=1, overwrite_a=1, overwrite_b=1)
    if info:
        return None
    rhs -= rows.dot(x)
    return np.asarray(rhs / np.sqrt(ridge))
