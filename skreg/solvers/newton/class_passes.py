"""Passes over the rows for the multinomial loss at several alphas, as `passes.py` has for one y.

Rows of arrays are alphas, with classes and samples inside: (k, n_classes * n_samples). All alphas
have the same curvature ``diag(p0) - p0 p0'``, that at the probabilities p0 of one of them, times a
number each. After the step d, with p the probabilities before it, ``s = p + B0 d`` are the shares
of the model. What the loss adds to the gap at s is the divergence of s from the probabilities after
it, p+, and so at most ``sum omega (s - p+)^2 / p+``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...data.design import Array, Index
from ..base import Mask
from .class_loss import ClassLoss
from .class_minima import ClassMinima
from .class_model import ClassModel
from .few_classes import softmax
from .rows import VANISHED

# Entries of the rows' arrays that are worked on at once: five of them are in the cache. Alphas with
# more each are better solved one by one: 10000 x 20 of five classes takes 335 instead of 437 ms.
ENTRIES_AT_ONCE = 1 << 14
# Shares below zero by less than this, on average, are zero but for rounding.
ROUNDING_OF_SHARES = 1e-15


class FrozenClasses:
    """The curvature that all alphas share, and what belongs to it.

    Attributes
    ----------
    p : ndarray of shape (n_classes, n_samples)
    total : float
        The mean of its trace, by which those of the alphas are told from it.
    inverse : ndarray of shape (n_classes, n_classes)
        Of the curvature in the intercepts.
    within : ndarray of shape (n_classes, m)
        How the intercepts follow the coefficients.
    solver : ClassMinima
    """

    def __init__(self, model: ClassModel, feature: Index) -> None:
        rows = model.rows
        self.p = np.ascontiguousarray(model.p.T)
        self.total = 1.0 - float(rows.mean(np.square(model.p)).sum())
        self.inverse = model.root @ model.root.T
        self.within = model.root @ model.within
        self.solver = ClassMinima(model.gram, model.raised, feature, rows.n_classes)


class ClassSums(NamedTuple):
    """What a pass finds for k alphas, n rows and m pairs.

    Attributes
    ----------
    eta, p : ndarray of shape (k, n_classes * n)
        Linear predictors and probabilities.
    Q : ndarray of shape (k, m)
        Correlations of the residuals y - p.
    mean : ndarray of shape (k, n_classes)
        Their means.
    total : ndarray of shape (k,)
        Means of the trace of the curvature.
    gaps : ndarray of shape (k,)
        What the loss adds to a gap at the shares s of the last models, at most.
    dual : ndarray of shape (k, n_classes * n)
        The residuals of these, y - s.
    """

    eta: Array
    p: Array
    Q: Array
    mean: Array
    total: Array
    gaps: Array
    dual: Array

    def take(self, chosen: Mask) -> ClassSums:
        """Those of some of the alphas."""
        return ClassSums._make(each[chosen] for each in self)


class ClassPasses:
    """Passes over the rows of some pairs.

    Parameters
    ----------
    rows : ClassLoss
    Z : ndarray of shape (n_samples, n_features)
        The features of the pairs.
    place, kind : ndarray of int, shape (m,)
        The feature of each pair, as a column of Z, and its class.
    """

    def __init__(self, rows: ClassLoss, Z: Array, place: Index, kind: Index) -> None:
        self.rows, self.n_classes, self.Z, m = rows, rows.n_classes, Z, Z.shape[1]
        self.y, self.pairs = np.ascontiguousarray(rows.y.T), kind * m + place
        self.whole, self.n_features = len(self.pairs) == rows.n_classes * m, m
        omega = rows.omega
        self.even = 0.0 if np.count_nonzero(omega != omega[0]) else float(omega[0])

    def start(self, eta: Array) -> ClassSums:
        """The sums at linear predictors, (k, n_classes * n_samples), without steps."""
        sums = self._empty(eta)
        for some in self._pieces(len(eta)):
            p = softmax(self._by_class(eta)[some])
            self._by_class(sums.p)[some] = p
            self._add(sums, p, some)
        return sums

    def step(
        self, at: ClassSums, frozen: FrozenClasses, scale: Array, change: Array, rise: Array
    ) -> ClassSums:
        """The sums after steps of the coefficients, (k, m), and of the intercepts, (k, n_classes).

        The steps minimise the models around `at`; `scale`, (k, 1), is what the curvature is
        multiplied by.
        """
        sums, counted = self._empty(np.empty_like(at.eta)), self.rows.counted
        if not self.whole:
            of_pairs = change
            change = np.zeros((len(change), self.n_classes * self.n_features))
            change[:, self.pairs] = of_pairs
        by_class, outside = self._by_class, np.zeros(len(change))
        for some in self._pieces(len(change)):
            d = change[some].reshape(-1, self.n_features).dot(self.Z.T)
            d = d.reshape(-1, self.n_classes, len(self.Z))
            d += rise[some, :, None]
            eta = by_class(sums.eta)[some]
            np.add(by_class(at.eta)[some], d, out=eta)
            d *= frozen.p
            d -= frozen.p * d.sum(axis=1)[:, None]
            d *= scale[some, :, None]
            d += by_class(at.p)[some]  # the shares s
            p = np.maximum(softmax(eta), VANISHED, out=by_class(sums.p)[some])
            away = np.subtract(p, d, out=d)
            if counted is not None:
                away *= counted
            share = away / p
            if share.max() > 1.0:
                beyond = np.maximum(away - p, 0.0)
                outside[some] += self._total(beyond)
                away -= beyond
                share = away / p
            share *= away
            sums.gaps[some] += self._total(share)
            r = self._add(sums, p, some)
            np.add(r, away, out=by_class(sums.dual)[some])
        far = outside > ROUNDING_OF_SHARES
        return sums._replace(gaps=np.where(far, np.inf, sums.gaps))

    def _empty(self, eta: Array) -> ClassSums:
        """Sums to be added to."""
        k = len(eta)
        Q, mean = np.zeros((k, len(self.pairs))), np.zeros((k, self.n_classes))
        numbers = np.ones(k), np.zeros(k)
        return ClassSums(eta, np.empty_like(eta), Q, mean, *numbers, np.empty_like(eta))

    def _by_class(self, flat: Array) -> Array:
        """A view with classes on the second axis."""
        return flat.reshape(len(flat), self.n_classes, -1)

    def _pieces(self, k: int) -> list[slice]:
        """As many of the alphas as are worked on at once."""
        step = max(1, ENTRIES_AT_ONCE // self.y.size)
        return [slice(begin, min(begin + step, k)) for begin in range(0, k, step)]

    def _total(self, values: Array) -> Array:
        """Weighted sums over rows and classes."""
        if self.even:
            return self.even * np.add.reduce(values.reshape(len(values), -1), axis=1)
        return np.asarray(values.dot(self.rows.omega).sum(axis=1))

    def _add(self, sums: ClassSums, p: Array, some: slice) -> Array:
        """Add what some alphas have; returns the residuals."""
        r, weight, counted = self.y - p, self.rows.omega, self.rows.counted
        if counted is not None:
            r *= counted
        sums.mean[some] += r.dot(weight)
        weighted = self.even * r if self.even else r * weight
        found = weighted.reshape(-1, len(self.Z)).dot(self.Z).reshape(len(r), -1)
        sums.Q[some] += found if self.whole else found[:, self.pairs]
        sums.total[some] -= self._total(p * p)
        return r
