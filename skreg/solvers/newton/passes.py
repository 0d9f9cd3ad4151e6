"""Passes over the rows for several alphas: all that a sweep of Newton's method asks of them.

A pass takes steps of the coefficients to new linear predictors eta, evaluates the loss there, and
gathers the sums over rows that the next sweep and the certificates need. It goes block by block of
rows that stay in the cache, so that X is read once for three products, and whole arrays of the
rows are few: for 100000 rows new memory takes longer than the arithmetic.
"""

from __future__ import annotations

import numpy as np

from ...data.design import Array, Design
from .curvatures import Curvatures, CurvatureSource, Sums
from .rows import SAME_RESIDUAL, TargetLoss

# Entries of X in a block, half of what the second level of a cache holds, and rows at most.
ENTRIES_OF_A_BLOCK, MOST_ROWS_OF_A_BLOCK = 1 << 16, 1 << 12
# Entries of the rows' arrays that are worked on at once: five of them in the same cache.
WORKED_ON_AT_ONCE = 1 << 14


class Passes:
    """Passes over the rows of some features.

    Parameters
    ----------
    rows : TargetLoss
    part : Design
        The features. Blocks of a dense one are copied: products with a slice of rows would copy it
        each time, and take four times as long.
    whole : bool
        Whether these are all features, so that `Sums.dual` has correlations.
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

    def start(self, eta: Array, source: CurvatureSource) -> Sums:
        """The sums at linear predictors, (k, n_samples), without steps."""
        sums = self._empty(eta, source)
        for block, Z, some in self._pieces(len(eta)):
            r, _ = self._evaluate(sums, eta[some, block], block, Z, some, source)
            sums.Q[some] += self._correlated(r, block, Z)
        return sums

    def step(
        self, at: Sums, curved: Curvatures, change: Array, rise: Array, source: CurvatureSource
    ) -> Sums:
        """The sums after steps of the coefficients, (k, m), and of the intercepts, (k,).

        The steps minimise the models around `at` with the curvatures `curved`.
        """
        rows, sums = self.rows, self._empty(np.empty_like(at.eta), source)
        outside = np.zeros(len(change))
        for block, Z, some in self._pieces(len(change)):
            if Z is None:
                move = np.ascontiguousarray(self.part.predict(change[some].T).T)
            else:
                move = change[some].dot(Z.T)
            move += rise[some, None]
            eta = np.add(at.eta[some, block], move, out=sums.eta[some, block])
            r, h = self._evaluate(sums, eta, block, Z, some, source)
            if curved.h.ndim == 2:
                move *= curved.h[some, block]
            else:
                move *= curved.h[block]
                move *= curved.scale[some]
            u = np.subtract(at.R[some, block], move, out=move)
            if rows.counted is not None:
                u *= rows.counted[block]
            self._compare(sums, outside, u, r, h, block, some)
            sums.Q[some] += self._correlated(r, block, Z)
            if self.whole:
                sums.dual[some] += self._correlated(u, block, Z)
            else:
                sums.dual[some, block] = u
        far = outside > SAME_RESIDUAL * np.sqrt(rows.square)
        return sums._replace(gaps=np.where(far, np.inf, sums.gaps))

    def _empty(self, eta: Array, source: CurvatureSource) -> Sums:
        """Sums to be added to."""
        (k, n), m = eta.shape, self.part.n_features
        H = first = second = None
        if source.own:
            H, first = np.empty((k, n)), np.zeros((k, m))
        if source.products is not None:
            second = np.zeros((k, source.products.shape[1]))
        Q, dual = np.zeros((k, m)), np.zeros((k, m if self.whole else n))
        mean, total, gaps = np.zeros(k), np.zeros(k), np.zeros(k)
        return Sums(eta, np.empty((k, n)), Q, mean, total, gaps, dual, H, first, second)

    def _pieces(self, k: int) -> list[tuple[slice, Array | None, slice]]:
        """Blocks of rows, each for as many of the alphas as are worked on at once."""
        pieces = []
        for block, Z in self.blocks:
            step = max(1, WORKED_ON_AT_ONCE // (block.stop - block.start)) if Z is not None else k
            pieces += [(block, Z, slice(i, min(i + step, k))) for i in range(0, k, step)]
        return pieces

    def _evaluate(
        self,
        sums: Sums,
        eta: Array,
        block: slice,
        Z: Array | None,
        some: slice,
        source: CurvatureSource,
    ) -> tuple[Array, Array]:
        """Add what some alphas have in a block; returns residuals and curvatures there."""
        rows, weight = self.rows, self.rows.omega[block]
        slope, h = rows.loss.gradient_and_curvature(eta, rows.y[block])
        r = np.negative(slope, out=sums.R[some, block])
        if rows.counted is not None:
            r *= rows.counted[block]
            h *= rows.counted[block]
        sums.mean[some] += r.dot(weight)
        sums.total[some] += h.dot(weight)
        if source.own:
            assert sums.H is not None
            assert sums.first is not None
            assert Z is not None
            sums.H[some, block] = h
            weighted = h * weight
            sums.first[some] += weighted.dot(Z)
            if sums.second is not None and source.products is not None:
                sums.second[some] += weighted.dot(source.products[block])
        return r, h

    def _compare(
        self, sums: Sums, outside: Array, u: Array, r: Array, h: Array, block: slice, some: slice
    ) -> None:
        """Add to the gaps what u is away from r.

        Where h is next to nothing, u may be outside the domain by less than rounding, and is put
        at its end; `outside` adds up by how much.
        """
        weight, counted = self.rows.omega[block], self.rows.counted
        away = u - r
        share = away / (h if counted is None else np.where(counted[block], h, 1.0))
        if not max(share.max(), -share.min()) <= 1.0:
            np.clip(away, -h, h, out=away)
            outside[some] += np.abs(u - r - away).dot(weight)
            np.add(r, away, out=u)
            share = np.where(away == 0.0, 0.0, np.clip(share, -1.0, 1.0))
        share *= away
        sums.gaps[some] += share.dot(weight)

    def _correlated(self, v: Array, block: slice, Z: Array | None) -> Array:
        """``Z' Omega v`` for each row of residuals v."""
        if Z is None:
            return np.asarray(self.part.correlate(v.T).T)
        return self.even * v.dot(Z) if self.even else (v * self.rows.omega[block]).dot(Z)
