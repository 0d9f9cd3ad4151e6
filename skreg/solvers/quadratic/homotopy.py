"""The Lasso path exactly, from one Gram matrix: a homotopy by principal pivots.

Minimises ``1/2 w'Gw - c'w + lambda |w|_1`` in a box for every lambda. The solution is piecewise
linear in lambda; at a knot one feature enters the support, leaves it, or meets or leaves a bound
(Osborne, Presnell and Turlach, IMA J. Numer. Anal. 20(3), 2000; Efron, Hastie, Johnstone and
Tibshirani, Ann. Statist. 32(2), 2004). Instead of a factor of the support's Gram matrix, the
whole of G is kept, swept on the support A (Goodnight, The American Statistician 33(3), 1979):

    T_AA = -G_AA^-1,   T_IA = G_IA G_AA^-1,   T_II = G_II - G_IA G_AA^-1 G_AI,

so that a knot is one rank-one update of T and a handful of operations on vectors of all p
features at once. N holds the slack of each feature's two sides, D how fast it shrinks as lambda
falls; with t the slope of the correlation q (outside A) or of the coefficient (inside):

    outside A     N = (lambda - q, lambda + q)       D = (1 + t, 1 - t)
    sign +1       N = (upper - w, w)                 D = (t, -t)
    sign -1       N = (-w, w - lower)                D = (t, -t)
    at upper      N = (q - lambda, inf)              D = (-1 - t, 1 - t)
    at lower      N = (inf, -lambda - q)             D = (1 + t, t - 1)

The largest D / N is the next knot. A slack is inf on a side that cannot happen and never below
`TINY`, which settles ties: the features of a tie follow one another in steps of length zero. A
feature that depends linearly on A cannot enter; it is muted until something leaves A. Features
without a penalty are swept in before the path starts, and never leave.

Updates of T are kept as vectors until there are `PENDING` of them, and then made in one product.
Features that join later extend T by one product with G_AA^-1, which T has.

Cost: p^2 flops a knot; there are about as many knots as features that ever enter.
"""

from __future__ import annotations

from copy import copy

import numpy as np
from scipy.linalg.blas import daxpy, dgemm, dgemv, dsyrk

from ...data.design import Array, Index
from ..tolerances import DEPENDENT_AT_KNOT

TINY = 1e-300
# So many rank-one updates of T are done in one product, which takes a tenth of their time; until
# then they are pending, and a column of T takes a product with them.
PENDING = 16
# Of more features than this the lower triangle of T alone is kept up to date, in 0.6 of the time
# that the whole takes; of fewer, to read a column in two parts takes longer.
HALVED_FROM = 400
# More knots than this for each feature are taken for cycling; the caller solves the rest.
MAX_KNOTS = 20


class Homotopy:
    """The solution at one lambda, what happens next to each feature, and when.

    Parameters
    ----------
    gram : ndarray of shape (n_features, n_features)
    c : ndarray of shape (n_features,)
        Correlations of the features with the target.
    lower, upper : ndarray of shape (n_features,)
    free : ndarray of int
        Features without a penalty, which must not have bounds.
    """

    def __init__(self, gram: Array, c: Array, lower: Array, upper: Array, free: Index) -> None:
        n_features = len(c)
        self.T = np.array(gram, order="F")
        self.pending = np.zeros((n_features, PENDING), order="F")
        self.rates, self.n_pending = np.zeros(PENDING), 0  # minus one over the pivots
        self.halved = n_features > HALVED_FROM and not len(free)
        self.smallest = DEPENDENT_AT_KNOT * gram.diagonal()
        self.lower, self.upper = lower, upper
        self.boxed = bool(np.isfinite(lower).any() or np.isfinite(upper).any())
        self.sign = np.zeros(n_features)
        self.value = np.zeros(n_features)  # of free features, and of those at a bound
        self.bound = np.zeros(n_features)  # +1 at the upper, -1 at the lower
        self.muted: list[tuple[int, int]] = []
        self.free = np.array([j for j in free.tolist() if self._sweep_free(j)], dtype=np.intp)
        q = c
        if len(self.free):
            self._settle()
            q = c - self.T[:, self.free] @ c[self.free]
            self.value[self.free] = -(self.T[np.ix_(self.free, self.free)] @ c[self.free])
            q[free] = 0.0
        movable = np.where(q > 0, upper > 0, lower < 0)
        self.lam = float(np.max(movable * np.abs(q), initial=0.0))
        self.N, self.D = self._outside(q, np.zeros(n_features), slice(None))
        self.N[:, free], self.D[:, free] = np.inf, 0.0

    def _outside(self, q: Array, slope: Array, which: slice) -> tuple[Array, Array]:
        """Slacks and their rates of features outside the support."""
        N = np.stack([self.lam - q, self.lam + q])
        N[0, self.upper[which] <= 0] = np.inf
        N[1, self.lower[which] >= 0] = np.inf
        return np.maximum(N, TINY, out=N), np.stack([1.0 + slope, 1.0 - slope])

    def extended(self, gram: Array, c: Array, lower: Array, upper: Array) -> Homotopy:
        """A copy at the same lambda with more features, the first of which are the present ones.

        The new ones must satisfy their KKT conditions with coefficients of zero. T must be whole,
        as it is where the path began with few.
        """
        if self.n_pending:
            self._settle()
        known, rows, moving = len(self.sign), gram[len(self.sign) :], self.sign.nonzero()[0]
        beside, T = rows.take(moving, 1), np.empty(gram.shape, order="F")
        side = rows[:, :known].copy()
        side[:, moving] = 0.0
        side -= beside.dot(self.T.T.take(moving, 0))
        corner = rows[:, known:] - side.take(moving, 1).dot(beside.T)
        T[:known, :known], T[known:, known:] = self.T, corner
        T[known:, :known], T[:known, known:] = side, side.T
        found, none = copy(self), np.zeros(len(rows))
        found.T, found.pending = T, np.zeros((len(c), PENDING), order="F")
        found.rates, found.muted = self.rates.copy(), self.muted.copy()
        found.smallest = DEPENDENT_AT_KNOT * gram.diagonal()
        found.lower, found.upper = lower, upper
        found.boxed = bool(np.isfinite(lower).any() or np.isfinite(upper).any())
        q = c[known:] - rows[:, :known].dot(self._coefficients())
        N, D = found._outside(q, -side.dot(self.sign), slice(known, None))
        found.N, found.D = np.append(self.N, N, axis=1), np.append(self.D, D, axis=1)
        found.sign, found.value = np.append(self.sign, none), np.append(self.value, none)
        found.bound = np.append(self.bound, none)
        return found

    def _coefficients(self) -> Array:
        """Those at the present lambda."""
        held = np.where(self.sign < 0, -self.N[0], self.value)
        return np.where(self.sign > 0, self.N[1], held)

    @np.errstate(over="ignore")  # a rate over TINY is infinite: that feature is next
    def path(self, lams: Array) -> tuple[Array, int, int]:
        """Follow the path down through `lams`, which decrease, to the last of them.

        Returns
        -------
        coefs : ndarray of shape (n_features, len(lams))
        n_done : int
            How many of `lams` were reached.
        n_knots : int
        """
        n_features = len(self.sign)
        goals = [*lams.tolist(), -np.inf]
        first = done = int(np.searchsorted(-lams, -self.lam, side="right"))
        start = self._coefficients() if first else self.value
        # States at which to read off coefficients, and what for: all at once in the end.
        pieces = np.empty((len(lams) - done, 5, n_features))
        marks: list[tuple[float, int]] = []
        slack, rate = self.N.ravel(), self.D.ravel()
        ratio, least = np.empty_like(slack), np.full_like(slack, TINY)
        knots = 0
        while done < len(lams) and knots < MAX_KNOTS * n_features + 100:
            np.divide(rate, slack, out=ratio)
            event = int(ratio.argmax())
            fastest = ratio.item(event)
            length = min(1.0 / fastest, self.lam) if fastest > 0 else self.lam
            if goals[done] >= (reached := self.lam - length):
                piece = pieces[len(marks)]
                piece[:2], piece[2], piece[3], piece[4] = self.N, self.D[0], self.sign, self.value
                before = done
                while goals[done] >= reached:
                    done += 1
                marks.append((self.lam, done - before))
                if done == len(lams):
                    length = self.lam - goals[done - 1]
            daxpy(rate, slack, a=-length)  # in place
            np.maximum(slack, least, out=slack)
            if len(self.free):
                self.value[self.free] += length * self.D[0, self.free]
            self.lam -= length
            if done == len(lams):
                break
            side, j = divmod(event, n_features)
            if self.sign[j] == 0:
                self._enter(j, side)
            else:
                self._leave(j, side)
            knots += 1
        coefs = np.zeros((len(lams), n_features))
        coefs[:first] = start
        if marks:
            coefs[first:done] = self._read_off(pieces[: len(marks)], marks, lams[first:done])
        return coefs.T, done, knots

    def _read_off(self, pieces: Array, marks: list[tuple[float, int]], lams: Array) -> Array:
        """Coefficients at `lams`, each on the piece of the path that it lies on, one row each."""
        above, below, rate, sign, value = pieces.transpose(1, 0, 2)
        w = np.where(sign > 0, below, np.where(sign < 0, -above, value))
        moving = sign != 0
        moving[:, self.free] = True
        slope = np.where(moving, rate, 0.0)
        tops, counts = zip(*marks, strict=True)
        piece = np.repeat(np.arange(len(marks)), counts)
        ahead = np.repeat(tops, counts) - lams
        return w[piece] + ahead[:, None] * slope[piece]

    def _enter(self, j: int, side: int) -> None:
        column = self._column(j)
        if column.item(j) <= self.smallest.item(j):
            self.muted.append((j, side))
            self.D[:, j], self.N[:, j] = 0.0, 1.0
            return
        sign = 1.0 if side == 0 else -1.0
        slope = self.D.item(0, j) - 1.0 if self.bound.item(j) <= 0 else 1.0 - self.D.item(1, j)
        f = (slope + sign) / column.item(j)
        self._pivot(j, column, f, 1.0)
        w = self.value.item(j)
        self.N[0, j] = max(self.upper.item(j) - w if sign > 0 else -w, TINY)
        self.N[1, j] = max(w if sign > 0 else w - self.lower.item(j), TINY)
        self.sign[j], self.value[j], self.bound[j] = sign, 0.0, 0.0
        self.D[0, j], self.D[1, j] = f, -f
        self._keep_exceptions()

    def _leave(self, j: int, side: int) -> None:
        """To a bound where the slack of its own side is used up, to zero where the other's is."""
        column = self._column(j)
        f = self.D.item(0, j) / column.item(j)
        self._pivot(j, column, f, -1.0)
        sign, self.sign[j] = self.sign[j], 0.0
        own = 0 if sign > 0 else 1
        if side == own:
            self.value[j] = self.upper[j] if sign > 0 else self.lower[j]
            self.bound[j] = sign
        self._wait(j, own, -f - sign)
        # What left may have been what the muted features depended on.
        back, self.muted = self.muted, []
        for b, entered in back:
            self._wait(b, entered, -float(self._column(b) @ self.sign))
        self._keep_exceptions()

    def _wait(self, j: int, side: int, slope: float) -> None:
        """Feature j is outside the support, its correlation at the threshold of `side`."""
        self.D[0, j], self.D[1, j] = 1.0 + slope, 1.0 - slope
        opposite = self.lower[j] < 0 if side == 0 else self.upper[j] > 0
        self.N[side, j] = TINY
        self.N[1 - side, j] = 2.0 * self.lam if opposite and not self.bound[j] else np.inf

    def _keep_exceptions(self) -> None:
        """Rates that do not follow the rule of features outside the support."""
        if self.muted:
            self.D[:, [j for j, _ in self.muted]] = 0.0
        if self.boxed and self.bound.any():
            up, down = self.bound > 0, self.bound < 0
            self.D[0, up] = self.D[1, up] - 2.0
            self.D[1, down] = self.D[0, down] - 2.0

    def _pivot(self, j: int, column: Array, f: float, sign: float) -> None:
        """Sweep feature j in or out, and turn every slope; f is the change of its own."""
        daxpy(column, self.D[0], a=-f)
        daxpy(column, self.D[1], a=f)
        self._sweep(j, column, sign)

    def _column(self, j: int) -> Array:
        """Column j of T with all that is pending."""
        column, shares = self.T[:, j], self.pending[j] * self.rates  # zero where none is pending
        if self.halved:
            column = np.concatenate([self.T[j, :j], column[j:]])
        return np.asarray(dgemv(1.0, self.pending, shares, 1.0, column))

    def _sweep(self, j: int, column: Array, sign: float) -> None:
        """Principal pivot of T on j: into the support with sign 1, out of it with -1.

        It is ``T - u u' / pivot``, where row and column j of T are zero before, and u is the column
        with -sign in place j. Overwrites `column`.
        """
        n = self.n_pending
        self.rates[n] = -1.0 / column.item(j)
        column[j] = -sign
        self.T[:, j] = self.T[j] = self.pending[j] = 0.0
        self.pending[:, n] = column
        self.n_pending = n + 1
        if self.n_pending == PENDING:
            self._settle()

    def _settle(self) -> None:
        """Bring T up to date, in one product."""
        if self.halved:
            scaled = self.pending * np.sqrt(np.abs(self.rates))
            for sign in set(np.sign(self.rates[: self.n_pending]).tolist()):
                part = scaled.T[self.rates * sign > 0].T
                self.T = dsyrk(sign, part, 1.0, self.T, lower=1, overwrite_c=1)
        else:
            scaled = self.pending * self.rates
            self.T = dgemm(1.0, scaled, self.pending, 1.0, self.T, trans_b=1, overwrite_c=1)
        self.rates[:], self.n_pending = 0.0, 0

    def _sweep_free(self, j: int) -> bool:
        """Bring in an unpenalised feature, unless it depends on those before it."""
        column = self._column(j)
        independent = bool(column[j] > self.smallest[j])
        if independent:
            self._sweep(j, column, 1.0)
        return independent
