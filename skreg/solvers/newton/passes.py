"""Passes over the rows for several alphas: all that a sweep of Newton's method asks of them.

A sweep is two of them. The first evaluates the loss at linear predictors eta and gathers the sums
over rows that the models need. The second takes the steps d to the minima of the models, and bounds
what the loss adds to the gap there without evaluating it again: with the model's curvature h, the
residual of the model ``u = r - h d`` is away from the one at ``eta + d`` by

    |u - r+| <= |d| (|h - f''| + 1/2 exp(|d|) f'' |d|),        f''+ >= exp(-|d|) f'',

as no curvature changes faster than ``exp(|d|)`` (`Loss.gap_from_curvature`), and its gap is at most
``sum omega (u - r+)^2 / f''+``. The last pass is by this the step to what it certifies.

Passes go block by block of rows that stay in the cache, and whole arrays of the rows are few: for
100000 rows new memory takes longer than the arithmetic.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...data.design import Array, Design
from .curvatures import Curvatures, CurvatureSource, Sums
from .rows import SAME_RESIDUAL, TargetLoss

# Entries of X in a block, half of what the second level of a cache holds, and rows at most.
ENTRIES_OF_A_BLOCK, MOST_ROWS_OF_A_BLOCK = 1 << 16, 1 << 12
# Entries of the rows' arrays that are worked on at once: five of them in the same cache.
WORKED_ON_AT_ONCE = 1 << 14
# A step longer than this leaves no bound of use, and its exponential stays finite.
FARTHEST = 50.0


class Moved(NamedTuple):
    """Where steps lead.

    Attributes
    ----------
    eta : ndarray of shape (k, n_samples)
        Linear predictors.
    gaps : ndarray of shape (k,)
        What the loss adds to a gap at u, at most; infinite where u may be outside its domain.
    u : ndarray of shape (k, n_samples) or None
        The residuals of the models, where they are asked for.
    """

    eta: Array
    gaps: Array
    u: Array | None


class Passes:
    """Passes over the rows of some features.

    Parameters
    ----------
    rows : TargetLoss
    part : Design
        The features. Blocks of a dense one are copied: products with a slice of rows would copy it
        each time, and take four times as long.
    whole : bool
        Whether these are all features, so that nobody asks for the residuals themselves.
    """

    def __init__(self, rows: TargetLoss, part: Design, whole: bool) -> None:
        self.rows, self.part, self.whole = rows, part, whole
        omega, Z, n, m = rows.omega, part.plain, part.n_samples, max(1, part.n_features)
        self.even = 0.0 if np.count_nonzero(omega != omega[0]) else float(omega[0])
        self.blocks: list[tuple[slice, Array | None]] = [(slice(0, n), Z)]
        step = max(1, min(ENTRIES_OF_A_BLOCK // m, MOST_ROWS_OF_A_BLOCK))
        if Z is not None and n > 2 * step:
            each = [slice(begin, min(begin + step, n)) for begin in range(0, n, step)]
            self.blocks = [(block, np.asfortranarray(Z[block])) for block in each]

    def evaluate(self, eta: Array, source: CurvatureSource) -> Sums:
        """The sums at linear predictors, (k, n_samples)."""
        rows, (k, n), m = self.rows, eta.shape, self.part.n_features
        H, R = np.empty((k, n)), None if self.whole else np.empty((k, n))
        Q, mean, total = np.zeros((k, m)), np.zeros(k), np.zeros(k)
        first = np.zeros((k, m)) if source.own else None
        for block, Z, some in self._pieces(k):
            weight = rows.omega[block]
            slope, h = rows.loss.gradient_and_curvature(eta[some, block], rows.y[block])
            r = np.negative(slope, out=slope)
            if rows.counted is not None:
                r *= rows.counted[block]
                h = np.where(rows.counted[block], h, 0.0)
            H[some, block] = h
            if R is not None:
                R[some, block] = r
            mean[some] += r.dot(weight)
            total[some] += h.dot(weight)
            Q[some] += self._correlated(r, block, Z)
            if first is not None:
                assert Z is not None
                h *= weight
                first[some] += h.dot(Z)
        return Sums(eta, R, H, Q, mean, total, first)

    def step(self, at: Sums, curved: Curvatures, change: Array, rise: Array) -> Moved:
        """Where steps of the coefficients, (k, m), and of the intercepts, (k,), lead.

        They minimise the models around `at` with the curvatures `curved`. The linear predictors and
        residuals of `at` are written over.
        """
        k = len(at.eta)
        eta, u, gaps, outside = at.eta, at.R, np.zeros(k), np.zeros(k)
        for block, Z, some in self._pieces(k):
            if Z is None:
                move = np.ascontiguousarray(self.part.predict(change[some].T).T)
            else:
                move = change[some].dot(Z.T)
            move += rise[some, None]
            eta[some, block] += move
            own = at.H[some, block]
            h = None if curved.own else curved.h[block] * curved.scale[some]
            if u is not None:
                u[some, block] -= (own if h is None else h) * move
                if self.rows.counted is not None:
                    u[some, block] *= self.rows.counted[block]
            if self.rows.counted is not None:
                move *= self.rows.counted[block]
                own = np.where(self.rows.counted[block], own, 1.0)
            found = bound_of_kept(move, h, own, self.rows.omega[block])
            gaps[some] += found[0]
            outside[some] += found[1]
        far = ~(outside <= SAME_RESIDUAL * np.sqrt(self.rows.square))  # NaN, too
        return Moved(eta, np.where(far, np.inf, gaps), u)

    def _pieces(self, k: int) -> list[tuple[slice, Array | None, slice]]:
        """Blocks of rows, each for as many of the alphas as are worked on at once."""
        pieces = []
        for block, Z in self.blocks:
            step = max(1, WORKED_ON_AT_ONCE // (block.stop - block.start)) if Z is not None else k
            pieces += [(block, Z, slice(i, min(i + step, k))) for i in range(0, k, step)]
        return pieces

    def _correlated(self, v: Array, block: slice, Z: Array | None) -> Array:
        """``Z' Omega v`` for each row of residuals v."""
        if Z is None:
            return np.asarray(self.part.correlate(v.T).T)
        return self.even * v.dot(Z) if self.even else (v * self.rows.omega[block]).dot(Z)


def bound_of_own(move: Array, h: Array, rows: TargetLoss) -> Array:
    """What the loss adds to gaps, at most, after steps to minima under its own curvatures h.

    `move`, (k, n_samples), is written over.
    """
    size = np.abs(move, out=move)
    if rows.counted is not None:
        size *= rows.counted
    longest = np.maximum.reduce(size, axis=1)
    growth = np.exp(np.minimum(longest, FARTHEST))
    inside = 0.5 * np.square(growth * longest) <= 1.0
    size *= size
    size *= size
    size *= h if rows.counted is None else np.where(rows.counted, h, 0.0)
    return np.where(inside, 0.25 * growth**3 * size.dot(rows.omega), np.inf)


def bound_of_kept(move: Array, h: Array | None, own: Array, weight: Array) -> tuple[Array, Array]:
    """What rows add to gaps, at most, after steps to minima under the curvatures h.

    Where the loss's own are next to nothing, u may be outside the domain by less than rounding, and
    counts as put at its end; by how much is the second of what is returned.

    Parameters
    ----------
    move : ndarray of shape (k, n)
        Changes of the linear predictors, written over.
    h : ndarray of shape (k, n) or None
        Those of the models, written over; None where they are the own ones.
    own : ndarray of shape (k, n)
        Of the loss where the steps begin, above zero.
    weight : ndarray of shape (n,)
    """
    size = np.abs(move, out=move)
    growth = np.exp(np.minimum(size.max(axis=1), FARTHEST))
    share = (0.5 * growth)[:, None] * size
    if h is not None:
        h /= own
        h -= 1.0
        share += np.abs(h, out=h)
    share *= size  # |u - r+| <= share f'', and f''+ >= f'' / growth
    most, outside = 1.0 / growth, np.zeros(len(share))
    if not share.max() <= most.min():
        beyond = np.maximum(share - most[:, None], 0.0)
        outside = (beyond * own).dot(weight)
        np.minimum(share, most[:, None], out=share)
    share *= share
    share *= own
    return growth * share.dot(weight), outside
