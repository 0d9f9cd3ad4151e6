"""The multinomial loss over the rows, as a function of the linear predictors of all classes.

eta, of shape (n_samples, n_classes), has all that is added to it: intercepts, offsets and features.
A constant that is added to a row of it changes nothing. Rows count with weights omega that sum to
one. Matrices of this shape are in Fortran order: sums over few classes are sums of columns.

A dual point is a matrix s of shares, whose rows are not negative and sum to one: u = y - s are
minus slopes of the loss. With p the probabilities at eta, what the loss adds to a gap is the
Kullback-Leibler divergence of s from p, which is not negative row by row.
"""

from __future__ import annotations

import numpy as np
from scipy.special import kl_div

from ...caching import cached_property
from ...data.design import Array
from ..base import Bound
from .rows import EXACT, ROUNDING_OF_SUMS, VANISHED

# A mean of y - s above this is no rounding of the zero that an intercept asks for.
UNBALANCED = 1e-12
# Eigenvalues of the intercepts' curvature below this share of the largest are zero: one always is,
# as a constant over the classes changes nothing.
NO_CURVATURE = 1e-14


class ClassLoss:
    """The loss of all classes; see the module's text.

    Attributes
    ----------
    y : ndarray of shape (n_samples, n_classes)
        Shares of the classes.
    intercept : ndarray of shape (n_classes,)
        Of the null model, the intercepts alone, with mean zero; zeros where none are fitted.
    eta : ndarray of shape (n_samples, n_classes)
        The linear predictors of the null model.
    inner : ndarray of shape (n_classes,)
        Shares that are a dual point where every row has them.
    """

    def __init__(self, bound: Bound) -> None:
        design, target = bound.design, bound.target
        self.loss, self.omega = bound.loss, design.omega
        self.has_intercept = design.mean is not None
        self.y = np.asfortranarray(target.raw)
        self.n_classes = n_classes = self.y.shape[1]
        self.counted = None if self.omega.all() else self.omega > 0
        self.inner = np.full(n_classes, 1.0 / n_classes)
        self.offset = target.offset
        if self.has_intercept:
            self.inner = self.mean(self.y)
        self.intercept, self.eta = self.beside(None)

    def beside(self, predictor: Array | None) -> tuple[Array, Array]:
        """The best intercepts beside the features' linear predictors, and eta with both."""
        shifted = self.offset
        if predictor is not None:
            shifted = predictor if shifted is None else shifted + predictor
        best = np.zeros(self.n_classes)
        if self.has_intercept:
            best = self.loss.null_model(self.y, self.omega, shifted)
            best = best - best.mean()
        return best, np.asfortranarray(
            best + (np.zeros_like(self.y) if shifted is None else shifted)
        )

    @cached_property
    def deviance(self) -> float:
        """Mean deviance of the null model, zero where it is rounding."""
        value, found = self._of_null_model
        return found if found > max(EXACT * (1.0 + abs(value)), VANISHED) else 0.0

    @cached_property
    def saturated(self) -> float:
        """Mean loss of the saturated model, from which deviances count."""
        value, deviance = self._of_null_model
        return value - 0.5 * deviance

    @cached_property
    def _of_null_model(self) -> tuple[float, float]:
        """Mean loss and deviance of the null model, rounding and all."""
        return self.value(self.eta), self.loss.deviance(self.eta, self.y, self.omega[:, None])

    @cached_property
    def _null_shares(self) -> Array:
        """Probabilities of the null model."""
        return self.probabilities(self.eta)

    @property
    def unit(self) -> float:
        """Unit of gaps and tolerances: the null model's mean deviance, one where that is zero."""
        return self.deviance or 1.0

    @cached_property
    def squares(self) -> Array:
        """Mean squares of the null model's residuals, (n_classes,)."""
        return self.mean(np.square(self.y - self._null_shares))

    @cached_property
    def curvatures(self) -> Array:
        """Mean curvatures of the null model, (n_classes,)."""
        p = self._null_shares
        return self.mean(p * (1.0 - p))

    def value(self, eta: Array) -> float:
        """Mean loss."""
        return self.loss.value(eta, self.y, self.omega[:, None])

    def size_of_terms(self, eta: Array) -> float:
        """Mean size of what the losses are the differences of: near zero they have its rounding."""
        return float(self.mean(np.abs(eta)).sum())

    def fall_along(self, r: Array, direction: Array) -> float:
        """How fast the mean loss falls in a direction, at the residuals r."""
        return float(self.mean(r * direction).sum())

    def values_of_each(self, eta: Array) -> Array:
        """Mean losses of several linear predictors, with all classes one after the other."""
        predictors = eta.reshape(len(eta), self.n_classes, -1)
        top = predictors.max(axis=1)
        each = np.log(np.exp(predictors - top[:, None]).sum(axis=1))
        each += top
        of_classes = (self.omega * self.y.T).ravel()
        return np.asarray(each @ self.omega - eta.reshape(len(eta), -1) @ of_classes)

    def probabilities(self, eta: Array) -> Array:
        """Of each class, row by row."""
        return self.loss.inverse_link(eta)

    def mean(self, values: Array) -> Array:
        """Weighted means of the columns."""
        return np.asarray(self.omega @ values)

    def divergence(self, s: Array, p: Array) -> float:
        """What the loss adds to a gap at shares s, its rounding included; inf where s < 0."""
        rows = kl_div(s, p).sum(axis=1)
        if self.counted is not None:
            rows = np.where(self.counted, rows, 0.0)
        return float(self.omega @ rows) + ROUNDING_OF_SUMS

    def distance(self, s: Array, p: Array) -> float:
        """About twice the divergence where s is near p, in all its digits."""
        larger = np.maximum(np.maximum(s, p), VANISHED)
        return float(self.mean(np.square(s - p) / larger).sum())

    def feasible(self, s: Array) -> Array:
        """The nearest matrix of shares on the way from s to `inner`, whose means are the same."""
        if self.has_intercept and not self.inner.all():
            s = np.where(self.inner > 0, s, 0.0)  # a class that no row has
        least = s.min(axis=0) if self.counted is None else s[self.counted].min(axis=0)
        below = least < 0
        if not below.any():
            return s
        way = float((-least[below] / (self.inner[below] - least[below])).max())
        return np.maximum((1.0 - way) * s + way * self.inner, 0.0)

    def curvature(self, p: Array) -> Array:
        """Second derivatives of the mean loss in the intercepts."""
        return np.asarray(np.diag(self.mean(p)) - p.T @ (self.omega[:, None] * p))

    def balanced(self, p: Array) -> Array:
        """Shares near p whose means are those of y, where there is an intercept."""
        if not self.has_intercept:
            return p
        root = root_of_inverse(self.curvature(p))
        change = root @ (root.T @ self.mean(self.y - p))
        return p + p * (change - (p @ change)[:, None])

    def is_balanced(self, s: Array) -> bool:
        """Whether y - s has the means that an intercept asks for, zero."""
        return not self.has_intercept or bool(np.abs(self.mean(self.y - s)).max() <= UNBALANCED)


def class_rows(bound: Bound) -> ClassLoss:
    """The rows of all classes, which a problem keeps."""
    return bound.kept("class rows", lambda: ClassLoss(bound))


def root_of_inverse(curvature: Array) -> Array:
    """R with ``R R'`` the pseudo-inverse of a small symmetric matrix that is not negative."""
    values, vectors = np.linalg.eigh(curvature)
    kept = values > NO_CURVATURE * values[-1]
    return np.asarray(vectors[:, kept] / np.sqrt(values[kept]))
