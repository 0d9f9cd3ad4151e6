"""All alphas of a path side by side, where coefficients and rows are few.

It is the number of calls that counts there. Alphas that are far apart come first, so many at a
time, then all of them from the polynomials in log(alpha) through the nearest of these. Each has the
exact curvature at its point in every sweep of Newton's method; the intercept is a column like
another. What the loss adds to the gap after a step is bounded without evaluating it again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np

from ...data.design import Array, Index
from ..base import Mask
from ..tolerances import KKT_TOLERANCE
from .minima import SideBySide
from .polynomials import lagrange

# What the loss may add to the relative gaps of the first, from which polynomials take the others.
ROUGH_ERROR = 1e-8
# Solutions that a polynomial goes through: between alphas, and beyond the last.
NODES_BETWEEN, NODES_BEHIND = 4, 2
# The errors of steps are this share of what is asked for, which takes a few alphas one more sweep
# and gives coefficients one more digit.
SHARE_OF_ERROR = 0.1
# Sweeps of alphas that start together.
MOST_SWEEPS_AT_ONCE = 10


class FoundAtOnce(NamedTuple):
    """What is found at k alphas, of which the first `done` are solved.

    Attributes
    ----------
    W : ndarray of shape (k, m)
        Coefficients, intercepts among them.
    eta : ndarray of shape (k, ..., n_samples)
    q : ndarray of shape (k, m)
        Correlations of the models' residuals.
    errors : ndarray of shape (k,)
        What the loss adds to the relative gaps, at most.
    n_iter : ndarray of shape (k,)
    done : int
    """

    W: Array
    eta: Array
    q: Array
    errors: Array
    n_iter: Array
    done: int

    @classmethod
    def joined(cls, each: list[Self]) -> Self:
        """One after the other."""
        if len(each) == 1:
            return each[0]
        parts = zip(*(one[:5] for one in each), strict=True)
        W, eta, q, errors, n_iter = map(np.concatenate, parts)
        return cls(W, eta, q, errors, n_iter, sum(one.done for one in each))


class AllAlphas(ABC):
    """A path over few coefficients and rows; see the module's text.

    Parameters
    ----------
    rates, ridges : ndarray of shape (m,)
        What alpha is multiplied by in the L1 part, and in the squared one, None where there is
        none; zero of intercepts.
    slack : ndarray of shape (m,)
        What a correlation may exceed its threshold by; infinite of what is not to be active.
    least_error : float
        The largest error that is allowed of a step, over the unit of the rows.
    most : int
        Sweeps, of which there are never more than `MOST_SWEEPS_AT_ONCE`.
    """

    #: Entries of the arrays of the rows that are worked on at once: more take new memory each time.
    entries: ClassVar[int]
    #: One in about so many alphas comes first, so many of these at a time.
    every: ClassVar[int]
    first_at_once: ClassVar[int]

    def __init__(
        self, rates: Array, ridges: Array | None, slack: Array, least_error: float, most: int
    ) -> None:
        self._rates, self._ridges, self.slack = rates, ridges, slack
        self.least_error, self.most = SHARE_OF_ERROR * least_error, most
        free = (rates == 0.0) & np.isfinite(slack)
        self._free = free if free.any() else None
        self._smooth = bool(free.all())

    @abstractmethod
    def _models(self, eta: Array) -> tuple[SideBySide, Array, Any]:
        """Models at linear predictors, correlations of residuals, and what `_errors` is told."""

    @abstractmethod
    def _moved(self, change: Array) -> Array:
        """Changes of the linear predictors with those of the coefficients."""

    @abstractmethod
    def _errors(self, moved: Array, known: Any) -> Array:
        """What the loss adds to the relative gaps, at most, after steps, which are written over."""

    def path(self, alphas: Array, start: Array, eta: Array) -> FoundAtOnce | None:
        """The solutions at decreasing alphas from a point of a larger one; None where it cannot.

        The point has coefficients of shape (m,) and linear predictors of shape (..., n_samples).
        """
        known_W, known_eta, n, at_once = start[None], eta[None], len(alphas), self.first_at_once
        if n <= at_once:
            shares = np.ones((n, 1))
            return self._solve(alphas, shares, known_W, known_eta, 1, self.least_error)
        count = at_once * max(1, round(n / (self.every * at_once)))
        nodes = np.linspace(0, n - 1, min(count, n)).astype(np.intp)
        logs = np.log(alphas)
        for begin in range(0, len(nodes), at_once):
            some = nodes[begin : begin + at_once]
            known = np.arange(max(begin - NODES_BEHIND, 0), max(begin, 1))
            near = np.broadcast_to(known, (len(some), len(known)))
            shares = lagrange(logs[some], logs[nodes[: max(begin, 1)]], near)
            found = self._solve(alphas[some], shares, known_W, known_eta, 1, ROUGH_ERROR)
            if found.done < len(some):
                return None
            if begin:
                known_W = np.concatenate([known_W, found.W])
                known_eta = np.concatenate([known_eta, found.eta])
            else:
                known_W, known_eta = found.W, found.eta
        after = np.searchsorted(nodes, np.arange(n))
        n_nodes = min(NODES_BETWEEN, len(nodes))
        near = np.clip(after - n_nodes // 2, 0, len(nodes) - n_nodes)[:, None] + np.arange(n_nodes)
        shares = lagrange(logs, logs[nodes], near)
        step, parts = max(1, self.entries // eta.size), list[FoundAtOnce]()
        for begin in range(0, n, step):
            part = slice(begin, begin + step)
            args = alphas[part], shares[part], known_W, known_eta, after[part]
            parts.append(self._solve(*args, self.least_error))
            if parts[-1].done < len(parts[-1].W):
                break
        return FoundAtOnce.joined(parts)

    def _solve(
        self,
        alphas: Array,
        shares: Array,
        known: Array,
        known_eta: Array,
        after: Index | int,
        least_error: float,
    ) -> FoundAtOnce:
        """Sweep until the errors of all alphas are small, from combinations of known points.

        A coefficient is taken to be active whose sign is that of the known point `after` it, or of
        the one before.
        """
        k, last = len(alphas), len(known) - 1
        W, eta = shares.dot(known), shares.dot(known_eta.reshape(len(known), -1))
        eta = eta.reshape(k, *known_eta.shape[1:])
        ahead = known[np.minimum(after, last)]
        behind = known[np.maximum(np.minimum(after - 1, last), 0)]
        sign = np.where((W * ahead > 0.0) | (W * behind > 0.0), np.sign(W), 0.0)
        l1 = np.multiply.outer(alphas, self._rates)
        l2 = None if self._ridges is None else np.multiply.outer(alphas, self._ridges)
        threshold = (1.0 + KKT_TOLERANCE) * l1 + self.slack
        left, n_iter, found = np.arange(k), np.ones(k), (W, eta, W, np.zeros(k))
        for n_sweeps in range(1, min(self.most, MOST_SWEEPS_AT_ONCE) + 1):
            models, along, known_of_rows = self._models(eta)
            ended: Mask | np.bool_
            C = models.product(W)
            C += along
            if self._smooth:
                new, q, ended = models.smooth_minima(C, l2)
            else:
                if self._free is not None:
                    sign[:, self._free] = 0.0
                new, q, ended = models.minima(C, l1, l2, threshold, sign, self._free)
            change = new - W
            moved = self._moved(change)
            W, eta, q = new, eta + moved, models.unshifted(q, change)
            errors = self._errors(moved, known_of_rows)
            small = ended & (errors <= least_error)
            if not self._smooth:
                small &= models.exact(change, 1.0, l1, self.slack)
            n_iter[left] = n_sweeps
            go = ~small
            if n_sweeps == 1:
                found = W, eta, q, errors
            elif np.count_nonzero(small):
                at = left[small]
                for kept, each in zip(found, (W, eta, q, errors), strict=True):
                    kept[at] = each[small]
            left = left[go]
            if not len(left):
                break
            if len(left) < len(go):
                W, eta, l1, threshold = W[go], eta[go], l1[go], threshold[go]
                l2 = None if l2 is None else l2[go]
            sign = np.sign(W)
        return FoundAtOnce(*found, n_iter, int(left[0]) if len(left) else k)
