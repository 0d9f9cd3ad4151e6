"""Newton's method for a smooth loss and a squared penalty, its equations by products with X.

With the intercept eliminated the Hessian takes a direction v to

    G v = Z' Omega H (Z v - <H Z v> / D) + l2 v,        D = <h>, the mean of the curvatures,

two products with Z, which is never squared: sparse rows stay sparse, and many features cost no more
than their entries. Conjugate gradients solve the equations of a step, at first roughly, as far as
Newton's method converges (Dembo, Eisenstat and Steihaug, SIAM J. Numer. Anal. 19(2), 1982). The
preconditioner is the diagonal of the Hessian; once the products have taken as long as the Hessian
and its factor would have, these are made and kept. The residual of the model ends as a dual point,
as in `prox_newton.py`, from which the certificate comes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotrs

from ...data.design import Array, Index
from ...objective.penalties import ScaledPenalty
from ..base import Bound, Settings, Solution
from ..optimality import degrees_of_freedom
from ..tolerances import KKT_ROUNDING
from .certificate import balanced, gap_of
from .line_search import NewtonSteps, armijo_share
from .model import CurvedModel
from .prox_newton import LONG_STEP, TRUSTED_STEPS, Point, aims_of, between
from .row_space import RowSpace
from .rows import target_rows

# Features from which on products are worth it on a path, whose alphas share Hessians otherwise.
MANY_FEATURES = 1000
# The same in a single fit: there, from 1000 x 50 to 20000 x 500, the time falls to between .9 and
# .25 of that with the Hessian in each step.
FEATURES_OF_A_FIT = 40
# The residual of the equations is reduced to this share in early steps, of the square of its norm:
# at 0.3 and 0.003 the products are as many to a tenth, with 1e-6 twice as many.
EARLY_SHARE = 0.03
# What the residual of a last step may add to a gap, as a share of the aim; the rest is for what the
# step itself leaves, and from 0.03 to 10 no product is saved.
LAST_SHARE = 0.3
# The squared error of the last step over the unit of gaps: coefficients to about eight digits,
# two more of which take an eighth more products.
SMALL_ENERGY = 1e-16
# A bound against rounding that keeps a step from ending: without a factor, 200 features that are
# nearly dependent take 140.
MOST_PRODUCTS_OF_A_STEP = 1000
# Features up to which a factor may be made, of which 3000 take 72 MB; with 200 nearly dependent
# ones a fit takes 16 ms with it and 108 to 190 ms without.
LARGEST_FACTOR = 3000
# A factor is made anew when the products after it have taken so many times as long as it did, as
# they would then be the larger part.
RENEWED = 2.0
# Operations in whose time the calls of a product are made, beside 8 for each entry of X.
CALLS_OF_PRODUCTS = 1e6
# The same of the Hessian and its factor, beside nm² + m³/3.
CALLS_OF_FACTOR = 3e6
# Features, or rows where these are fewer, up to which degrees of freedom are worked out: 1000 take
# .1 s; and entries of X that are made dense for that.
LARGEST_TRACE, MOST_ENTRIES_OF_A_TRACE = 1000, 1 << 23


class NewtonCG:
    """The solution at one alpha after another.

    Attributes
    ----------
    point : Point
        The last solution.
    gram, factor : ndarray or None
        The Hessian of the loss at an earlier point, and its factor with the penalty.
    spent : float
        What products have cost since the Hessian was made.
    """

    def __init__(
        self,
        bound: Bound,
        k: int,
        start: Array,
        settings: Settings,
        alone: bool,
        intercept: float | None = None,
    ) -> None:
        self.design, self.penalty, self.settings = bound.design, bound.penalty, settings
        self.rows = rows = target_rows(bound, k)
        self.alone = alone
        self.aim, self.least_error = aims_of(settings)
        design = self.design
        self.movable = self.penalty.movable
        start = np.where(self.movable, start, 0.0)
        predictor = design.predict(start) if start.any() else None
        self.point = Point(start, *rows.beside(predictor))
        self.noise = KKT_ROUNDING * np.sqrt(design.variances * rows.square)
        n, m = design.n_samples, design.n_features
        self.product = CALLS_OF_PRODUCTS + 8.0 * design.n_stored + 40.0 * n
        self.cost_of_factor = CALLS_OF_FACTOR + n * float(m) ** 2 + float(m) ** 3 / 3.0
        if m > LARGEST_FACTOR:
            self.cost_of_factor = np.inf
        self.gram: Array | None = None
        self.factor: Array | None = None
        self.spent = 0.0

    @staticmethod
    def serves(bound: Bound, alphas: Array, alone: bool) -> bool:
        """Whether the penalty is a square of every feature, and products are worth it."""
        penalty, design = bound.penalty, bound.design
        kinks = penalty.l1_ratio > 0.0 or penalty.has_bounds
        if kinks or not alphas[-1] > 0.0 or not penalty.l2_factors[penalty.movable].all():
            return False
        least = FEATURES_OF_A_FIT if alone else MANY_FEATURES
        if not design.sparse:
            return least <= design.n_features <= design.n_samples
        return design.n_features >= least

    def run(self, alphas: Array) -> Iterator[Solution]:
        """The solutions at decreasing alphas."""
        for alpha in alphas.tolist():
            yield self.solve(alpha)

    @np.errstate(over="ignore", invalid="ignore")
    def solve(self, alpha: float) -> Solution:
        """Move to the solution at `alpha`."""
        rows, penalty, point = self.rows, self.penalty.at(alpha), self.point
        ridges = np.where(self.movable, alpha * self.penalty.l2_factors, 1.0)
        self.factor = None
        steps, n_iter, error = NewtonSteps(rows, penalty, self.aim, point), 0, np.inf
        r, h = rows.slopes(point.eta)
        while n_iter < self.settings.max_iter:
            n_iter += 1
            new, is_solved = self._step(point, r, h, ridges)
            if not np.isfinite(new.eta).all():  # no curvature is left where there is no minimum
                break
            long = n_iter > TRUSTED_STEPS or np.abs(new.eta - point.eta).max() > LONG_STEP
            share = armijo_share(rows, penalty, point, new, r) if long else 1.0
            if share < 1.0:
                point = between(point, new, share)
                r, h = rows.slopes(point.eta)
                error = np.inf
                steps.idle += share == 0.0
                if steps.stalled:
                    break
                continue
            u = r - h * (new.eta - point.eta)
            point = new
            r, h = rows.slopes(point.eta)
            last, error = error, rows.mean(np.square(u - r) / h) / rows.unit
            exact = is_solved and error <= self.least_error
            if not exact and n_iter < self.settings.max_iter and not steps.idle:
                steps.idle += n_iter > TRUSTED_STEPS and error >= last
                continue
            gap = self._gap(point, rows.settled(u, r), penalty)
            if gap > self.aim:
                gap = min(gap, self._gap(point, rows.settled(balanced(rows, r, h), r), penalty))
            if np.isfinite(gap):
                steps.take(gap, point)
            if steps.ended:
                break
        best, best_point = steps.gap, steps.point
        if not np.isfinite(best):
            r, h = rows.slopes(point.eta)
            best_point = point
            best = self._gap(point, rows.settled(balanced(rows, r, h), r), penalty)
        self.point = point = best_point
        deviance = max(2.0 * (rows.value(point.eta) - rows.saturated), 0.0)
        intercept = float(self.design.intercept(self.design.to_raw(point.w), point.b))
        return Solution(point.w, best, n_iter, deviance, np.nan, intercept)

    def _gap(self, point: Point, u: Array, penalty: ScaledPenalty) -> float:
        q = self.design.correlate(u)
        return gap_of(self.rows, point.eta, u, point.w, q, penalty, self.noise)

    def _step(self, point: Point, r: Array, h: Array, ridges: Array) -> tuple[Point, bool]:
        """The minimum of the model around a point with the residuals r, by conjugate gradients.

        With it comes whether it is one to as many digits as a last step wants.
        """
        design, rows = self.design, self.rows
        mean = total = 0.0
        residual = design.correlate(r)
        if rows.has_intercept:
            mean, total = rows.mean(r), rows.mean(h)
            residual = design.correlate(r - h * (mean / total))
        residual = np.where(self.movable, residual - ridges * point.w, 0.0)
        solve = self._preconditioner(h, ridges)
        change, direction = np.zeros_like(residual), np.zeros_like(residual)
        moved = mean / total if rows.has_intercept else 0.0
        d = np.full(len(r), moved)
        energy, rough, is_last, is_solved = np.inf, 0.0, False, False
        small = max(self.least_error, SMALL_ENERGY) * rows.unit
        for n_products in range(MOST_PRODUCTS_OF_A_STEP):
            if self._worth_a_factor:
                break
            z = solve(residual)
            before, energy = energy, float(residual @ z)
            if not n_products:
                rough = min(EARLY_SHARE, energy / rows.unit) * energy
                is_last = energy * energy <= self.least_error * rows.unit**2
            is_solved = not energy > 0.0
            if is_solved or (energy <= rough and not is_last):
                break
            if is_last and energy <= small:
                left = np.where(np.abs(residual) > self.noise, residual, 0.0)
                added = 0.5 * float((left**2 / ridges).sum())  # to the gap
                is_solved = added <= LAST_SHARE * self.aim * rows.unit
                if is_solved:
                    break
            direction = z + (energy / before) * direction
            along = design.predict(direction)
            bend = h * along
            shift = rows.mean(bend) / total if rows.has_intercept else 0.0
            if shift:
                along -= shift
                bend -= h * shift
            image = np.where(self.movable, design.correlate(bend) + ridges * direction, 0.0)
            length = energy / float(direction @ image)
            change += length * direction
            moved -= length * shift
            d += length * along
            residual = residual - length * image
            self.spent += self.product
        return Point(point.w + change, point.b + moved, point.eta + d), is_solved

    @property
    def _worth_a_factor(self) -> bool:
        """Whether products have taken as long as a factor, or a better one, would have."""
        return self.spent > self.cost_of_factor * (1.0 if self.gram is None else RENEWED)

    def _preconditioner(self, h: Array, ridges: Array) -> Callable[[Array], Array]:
        """About the inverse of the Hessian."""
        if self._worth_a_factor:
            part = self.design.subset(np.arange(self.design.n_features))
            self.gram = CurvedModel(part, h, self.rows.has_intercept).gram
            self.spent, self.factor = 0.0, None
        if self.gram is not None and self.factor is None:
            factor, info = dpotrf((self.gram + np.diag(ridges)).T, lower=1, overwrite_a=1)
            if info == 0:
                self.factor = factor
            else:  # overflow, or rounding beside a tiny penalty
                self.gram, self.cost_of_factor = None, np.inf
        if self.factor is not None:
            return lambda residual: dpotrs(self.factor, residual, lower=1)[0] * self.movable
        inverse = self.movable / (ridges + self.rows.mean(h) * self.design.variances)
        return lambda residual: inverse * residual


def smooth_traces(bound: Bound, alphas: Array, W: Array, intercepts: Array) -> Array:
    """Degrees of freedom of solutions W, (k, n_features), at these alphas: traces of smoothers.

    Intercepts are those of the user's X. NaN where there are too many features to decompose their
    matrix.
    """
    design, n_entries = bound.design, bound.design.n_samples * bound.design.n_features
    few_rows = n_entries <= MOST_ENTRIES_OF_A_TRACE and RowSpace.serves(bound)
    if min(design.n_features, design.n_samples if few_rows else np.inf) > LARGEST_TRACE:
        return np.full(len(alphas), np.nan)
    rows, found = target_rows(bound), np.empty(len(alphas))
    b = intercepts - design.intercept(design.to_raw(W.T), 0.0)
    each = rows.offset + design.predict(W.T).T + b[:, None]
    if few_rows:
        bound = RowSpace(bound).bound
        W = np.zeros((len(alphas), bound.design.n_features))  # which none of the traces hangs on
    part = bound.design.subset(np.arange(bound.design.n_features))
    for i, (alpha, w, eta) in enumerate(zip(alphas.tolist(), W, each, strict=True)):
        model = CurvedModel(part, rows.slopes(eta)[1], rows.has_intercept)

        def gram_of(index: Index, gram: Array = model.gram) -> Array:
            return gram[np.ix_(index, index)]

        found[i] = degrees_of_freedom(w, bound.penalty.at(alpha), gram_of)
    return found
