"""All alphas of a path side by side, where features and rows are few.

It is the number of calls that counts there. Alphas that are far apart come first, from the null
model, then all others from the polynomials in log(alpha) through the nearest of these. Each has the
exact curvature at its point in every sweep, whose Gram matrix is the sum over rows of h times the
products of pairs of columns, one product for all alphas; the intercept is a column like another.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ...data.design import Array, Index
from ...objective.penalties import Penalty
from ..base import Mask
from ..tolerances import KKT_TOLERANCE
from .certificate import certified
from .minima import SideBySide
from .passes import bound_of_own
from .polynomials import lagrange
from .rows import TargetLoss

# Up to so many features, and entries of the products of their pairs, a Gram matrix an alpha costs
# no more than the evaluation of the loss.
FEW_PAIRED, MOST_PAIRS = 16, 1 << 18
# One in so many alphas comes first, if there are as many at least and the arrays of all have no
# more entries than this.
ONE_IN_FIRST, ALL_AT_ONCE = 8, 1 << 18
# Solutions that a polynomial between alphas goes through.
NODES = 4
MOST_SWEEPS_AT_ONCE = 8


class AtOnce(NamedTuple):
    """What is found at k alphas, of which the first `done` are solved.

    Attributes
    ----------
    W : ndarray of shape (k, m) or (k, m + 1)
        Coefficients, then the intercept.
    eta : ndarray of shape (k, n_samples)
    numbers : ndarray of shape (3, k)
        Relative gaps, mean losses and numbers of sweeps.
    done : int
    """

    W: Array
    eta: Array
    numbers: Array
    done: int


class FewFeatures:
    """A path over few features and rows.

    Parameters
    ----------
    rows : TargetLoss
    Z : ndarray of shape (n_samples, m)
    penalty : Penalty
        Of these features.
    usable : ndarray of bool, shape (m,)
        Which of them may be active.
    noise : ndarray of shape (m,)
        What a correlation is known to.
    aims : tuple of float
        The largest relative gap, and the largest error.
    most : int
        Sweeps.
    """

    def __init__(
        self,
        rows: TargetLoss,
        Z: Array,
        penalty: Penalty,
        usable: Mask,
        noise: Array,
        aims: tuple[float, float],
        most: int,
    ) -> None:
        self.rows, self.penalty, self.noise, self.aims = rows, penalty, noise, aims
        self.most, one = min(most, MOST_SWEEPS_AT_ONCE), int(rows.has_intercept)
        n, m = Z.shape
        self.columns, self._offset = np.ones((m + one, n)), rows.offset
        self.columns[:m] = Z.T
        weighted = self.columns * rows.omega
        first, second, self._place = pairs_of_columns(m + one)
        self.weighted, self.products = weighted.T, (weighted[first] * self.columns[second]).T
        ratio = penalty.l1_ratio
        rates, slack, free = np.zeros(m + one), np.zeros(m + one), np.ones(m + one, dtype=bool)
        rates[:m] = ratio * penalty.factors
        slack[:m] = np.where(usable, noise, np.inf)
        free[:m] = usable & (rates[:m] == 0.0)
        self._rates, self._slack, self._free = rates, slack, free
        self._ridges = None
        if ratio < 1.0:
            self._ridges = np.zeros(m + one)
            self._ridges[:m] = (1.0 - ratio) * penalty.l2_factors

    @staticmethod
    def serve(n_samples: int, m: int, n_alphas: int) -> bool:
        """Whether features, rows and alphas are few enough."""
        paired = m <= FEW_PAIRED and n_samples * m * (m + 1) <= 2 * MOST_PAIRS
        enough = n_alphas >= 2 * ONE_IN_FIRST and n_alphas > (NODES - 1) * ONE_IN_FIRST
        return paired and enough and n_samples * n_alphas <= ALL_AT_ONCE

    def path(self, alphas: Array, w: Array, b: float, eta: Array) -> AtOnce | None:
        """The solutions at decreasing alphas from a point; None where it cannot."""
        is_node = np.arange(len(alphas)) % ONE_IN_FIRST == 0
        is_node[-1:] = True
        nodes, others = is_node.nonzero()[0], (~is_node).nonzero()[0]
        start = np.zeros((len(nodes), len(self.columns)))
        start[:, : len(w)] = w
        start[:, len(w) :] = b
        etas = np.repeat(eta[None], len(nodes), axis=0)
        coarse = self._solve(alphas[nodes], start, etas, np.sign(start))
        if coarse.done < len(nodes):
            return None
        after = np.searchsorted(nodes, others)
        near = np.clip(after - NODES // 2, 0, len(nodes) - NODES)[:, None] + np.arange(NODES)
        shares = lagrange(np.log(alphas[others]), np.log(alphas[nodes]), near)
        start, W = shares.dot(coarse.W), coarse.W
        active = (start * W[after] > 0.0) | (start * W[after - 1] > 0.0)
        sign = np.where(active, np.sign(start), 0.0)
        fine = self._solve(alphas[others], start, shares.dot(coarse.eta), sign)
        whole, numbers = np.empty((len(alphas), W.shape[1])), np.empty((3, len(alphas)))
        whole[nodes], whole[others] = W, fine.W
        numbers[:, nodes], numbers[:, others] = coarse.numbers, fine.numbers
        done = len(alphas) if fine.done == len(others) else int(others[fine.done])
        return AtOnce(whole, self._offset + whole.dot(self.columns), numbers, done)

    def _solve(self, alphas: Array, W: Array, eta: Array, sign: Array) -> AtOnce:
        """Sweep until all alphas are solved, or one is not to be."""
        rows, k = self.rows, len(alphas)
        m, left, n_iter = len(self.noise), np.arange(k), np.ones(k)
        l1, l2 = np.multiply.outer(alphas, self._rates), None
        if self._ridges is not None:
            l2 = np.multiply.outer(alphas, self._ridges)
        threshold = (1.0 + KKT_TOLERANCE) * l1 + self._slack
        found = W, eta, W, np.zeros(k)
        for n_sweeps in range(1, self.most + 1):
            slope, h = rows.loss.gradient_and_curvature(eta, rows.y)
            solver = SideBySide(h.dot(self.products)[:, self._place])
            away = slope.dot(self.weighted)
            enter = (np.abs(away) > threshold) & (sign == 0.0)
            sign = np.where(enter, -np.sign(away), sign)
            sign[:, self._free] = 0.0
            C = np.subtract(solver.product(W), away, out=away)
            new, q, ended = solver.minima(C, l1, l2, threshold, sign, self._free)
            move = (new - W).dot(self.columns)
            eta += move
            W, errors = new, bound_of_own(move, h, rows) / rows.unit
            small = ended & (errors <= self.aims[1])
            n_iter[left] = n_sweeps
            if n_sweeps == 1:
                found = W, eta, q, errors
            else:
                at = left[small]
                for kept, each in zip(found, (W, eta, q, errors), strict=True):
                    kept[at] = each[small]
            go = ~small
            left = left[go]
            if not len(left):
                break
            W, eta, l1, threshold = W[go], eta[go], l1[go], threshold[go]
            sign, l2 = np.sign(W), None if l2 is None else l2[go]
        W, eta, q, errors = found
        done = int(left[0]) if len(left) else k
        penalty = self.penalty.at_each(alphas)
        certificate = penalty, W[:, :m], q[:, :m], eta, errors, self.noise
        gaps, values = certified(rows, *certificate)
        if not gaps[:done].max(initial=0.0) <= self.aims[0]:
            done = int((~(gaps <= self.aims[0])).argmax())
        return AtOnce(W, eta, np.array([gaps, values, n_iter]), done)


@lru_cache(maxsize=32)
def pairs_of_columns(m: int) -> tuple[Index, Index, Index]:
    """Both columns of each pair of m, and the place of each pair in a matrix."""
    first, second = np.triu_indices(m)
    place = np.empty((m, m), dtype=np.intp)
    place[first, second] = place[second, first] = np.arange(len(first))
    return first, second, place
