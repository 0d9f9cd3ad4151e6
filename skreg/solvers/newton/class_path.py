"""What the methods for the multinomial loss share: points, certificate, predictor."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...data.design import Array, Design, Index
from ...objective.duality import correlations_wanted, into_domain, penalty_gaps
from ...objective.penalties import Penalty, ScaledPenalty
from ..base import AIM, Bound, Settings, Solution
from ..tolerances import KKT_ROUNDING
from .class_loss import class_rows
from .prox_newton import EXACT_STEP, USUAL_AIM


class ClassPoint(NamedTuple):
    """Coefficients of all pairs, class by class, the intercepts and the linear predictors."""

    w: Array
    b: Array
    eta: Array


class ClassPath:
    """The solution at one alpha after another.

    Pair ``k * n_features + j`` is that of feature j and class k.

    Parameters
    ----------
    Z : ndarray of shape (n_samples, n_features), optional
        The columns of the design, in Fortran order, where products with them are quicker.

    Attributes
    ----------
    penalty : Penalty
        Of all pairs.
    noise : ndarray of shape (n_classes * n_features,)
        What correlations are known to.
    point : ClassPoint
        The last solution, or where the first begins.
    known : list of (float, ClassPoint)
        The last solutions and the logarithms of their alphas.
    """

    def __init__(
        self, bound: Bound, start: Array, settings: Settings, Z: Array | None = None
    ) -> None:
        self.design, self.shape, self.settings = bound.design, bound.penalty, settings
        self.Z, omega = Z, bound.design.omega
        self.even = bool((omega == omega[0]).all())
        self.rows = rows = class_rows(bound)
        self.n_classes = rows.n_classes
        self.penalty = of_pairs(bound.penalty, rows.n_classes)
        sizes = np.sqrt(np.outer(rows.squares, self.design.variances))
        self.noise = KKT_ROUNDING * sizes.ravel()
        self.aim = AIM if settings.exact else max(AIM, min(USUAL_AIM, settings.tol))
        self.least_error = self.aim if self.aim == USUAL_AIM else EXACT_STEP
        w = self.shape.clip(start.T)
        b, eta = rows.beside(self._predict(w)) if w.any() else (rows.intercept, rows.eta)
        self.point = ClassPoint(w.ravel(), b, eta)
        self.alpha, self.known = np.inf, list[tuple[float, ClassPoint]]()

    def _predict(self, W: Array) -> Array:
        """Linear predictors, of shape (n_samples, n_classes); W is (n_classes, n_features)."""
        if self.Z is None:
            return np.asfortranarray(self.design.predict(W.T))
        return np.asarray((W @ self.Z.T).T)

    def _correlate(self, u: Array) -> Array:
        """Correlations of all pairs."""
        if self.Z is None:
            return np.asarray(self.design.correlate(u).T).ravel()
        omega = self.rows.omega
        if self.even:
            return np.asarray(omega[0] * (u.T @ self.Z)).ravel()
        return np.asarray((omega * u.T) @ self.Z).ravel()

    def gap_at(
        self,
        point: ClassPoint,
        s: Array,
        p: Array,
        q: Array,
        penalty: ScaledPenalty,
        chosen: Index | None = None,
    ) -> float:
        """Upper bound of ``P(w) - min P`` over the unit, at the shares s with correlations q.

        All pairs but those `chosen` are zero and meet their conditions.
        """
        rows = self.rows
        if not rows.is_balanced(s):
            return np.inf
        w, noise = point.w, self.noise
        if chosen is not None:
            w, q, penalty, noise = w[chosen], q[chosen], penalty.take(chosen), noise[chosen]
        wanted = correlations_wanted(w, q, penalty)
        q = np.where(np.abs(q - wanted) <= noise, wanted, q)
        tau, dual = into_domain(q, penalty)
        s = s if tau == 1.0 else (1.0 - tau) * rows.y + tau * s
        gap = rows.divergence(s, p) + float(penalty_gaps(w, dual, penalty).sum())
        return gap / rows.unit

    def other_gap(self, point: ClassPoint, penalty: ScaledPenalty) -> float:
        """The gap at the residual itself, and at a dual point of zero."""
        rows, p = self.rows, self.rows.probabilities(point.eta)
        s = rows.feasible(rows.balanced(p))
        gap = self.gap_at(point, s, p, self._correlate(rows.y - s), penalty)
        at_zero = rows.value(point.eta) - rows.saturated + float(penalty.value(point.w).sum())
        return min(gap, max(at_zero, 0.0) / rows.unit)

    def remember(self, alpha: float, point: ClassPoint, gap: float) -> None:
        """Take a point for the solution, from which the next alpha starts.

        One that has not converged, as where there is no minimum, tells nothing of the next.
        """
        self.alpha, self.point = alpha, point
        if not gap <= max(self.settings.threshold, USUAL_AIM):
            self.known = []
        elif alpha > 0.0 and not self.penalty.has_bounds:
            log = float(np.log(alpha))
            others = [each for each in self.known if each[0] != log]  # a grid may repeat alphas
            self.known = [*others[-2:], (log, point)]

    def extrapolated(self, alpha: float) -> ClassPoint:
        """The point predicted from up to three solutions, a polynomial in alpha's logarithm.

        The linear predictors are extrapolated along, which takes no product.
        """
        known = self.known[-3:]
        if len(known) < 2 or alpha <= 0.0:
            return self.point
        at, logs = float(np.log(alpha)), [log for log, _ in known]
        if not at < logs[-1] or logs[-1] - at > 2.0 * (logs[-2] - logs[-1]):
            return self.point
        shares = []
        for i, one in enumerate(logs):
            share = 1.0
            for j, other in enumerate(logs):
                share *= (at - other) / (one - other) if j != i else 1.0
            shares.append(share)
        parts = zip(*(point for _, point in known), strict=True)
        w, b, eta = (
            np.asarray(sum(share * one for share, one in zip(shares, part, strict=True)))
            for part in parts
        )
        return ClassPoint(w, b, eta)

    def solution(self, design: Design, coef: Array, gap: float, n_iter: int, df: float) -> Solution:
        """The solution of all classes, of which each row of `coef`, for a design, has one."""
        rows, for_each = self.rows, np.ones(self.n_classes)
        deviance = max(2.0 * (rows.value(self.point.eta) - rows.saturated), 0.0)
        b = design.intercept(design.to_raw(coef.T), self.point.b)
        shared = gap * for_each, n_iter * for_each, deviance * for_each, df * for_each
        return Solution(coef, *shared, intercept=b - b.mean())


def of_pairs(shape: Penalty, n_classes: int) -> Penalty:
    """The penalty of all pairs, class by class."""
    if shape.plain:
        return type(shape).build(n_classes * len(shape.factors), shape.l1_ratio)
    return shape.take(np.tile(np.arange(len(shape.factors)), n_classes))


def part_way(point: ClassPoint, new: ClassPoint, share: float) -> ClassPoint:
    """A share of the way from one point to another."""
    return ClassPoint(*((1.0 - share) * a + share * b for a, b in zip(point, new, strict=True)))
