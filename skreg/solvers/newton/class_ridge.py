"""The multinomial loss with a squared penalty alone: Newton's method, its equations by products.

With very few pairs of a feature and a class and few rows all alphas are solved at once
(`few_classes.py`). With few pairs the equations of a step have their matrix and its factor
(`class_model.py`). With more, conjugate gradients solve them: with the intercepts eliminated a
product with the Hessian is two products with Z,

    G V = Z' Omega B(Z V - L^+ <B(Z V)>) + l2 V,       B(d) = p (d - <p, d>) row by row.

The coefficients of a feature sum to zero over the classes, and all directions are kept there. The
preconditioner has the Hessian's diagonal blocks, one a class, made of some of the rows, and is kept
from step to step while that costs less than making it anew. The early steps are solved roughly, as
far as Newton's method converges (Dembo, Eisenstat and Steihaug, SIAM J. Numer. Anal. 19(2), 1982).

Over many rows the first steps are those on some of the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from scipy.linalg.lapack import dposv

from ...data.dense import DenseDesign
from ...data.design import Array, Index
from ..base import Bound, Settings, Solution
from ..optimality import degrees_of_freedom, pseudo_solve
from .class_loss import class_rows, root_of_inverse
from .class_model import ClassModel
from .class_path import ClassPath, ClassPoint, part_way
from .few_classes import solved_at_once
from .line_search import NewtonSteps, armijo_share
from .preconditioners import Blocks, Preconditioner, WholeMatrix
from .prox_newton import LONG_STEP, TRUSTED_STEPS
from .row_space import RowSpace

# The matrix of the equations is made where that takes no longer than so many products.
WORTH_PRODUCTS = 2.5
# What a step takes with blocks, at least, where the Hessian of some rows might do instead.
EXPECTED_PRODUCTS = 20
# A preconditioner is kept until the products of a step take so many times as long as a new one,
# which saves some of them only.
WORTH_RENEWING_FACTOR = 2.0
# Operations in whose time a product is called, and a matrix.
CALLS_OF_PRODUCT, CALLS_OF_MATRIX = 1.5e6, 3e6
# A step after an error below this is not long, whatever their number.
SMALL_ERROR = 1e-3
# Sparse features with so many entries in all, zeros included, are made dense.
LARGEST_DENSE = 1 << 22
# Operations up to which the span of the rows is worth its decomposition.
LARGEST_SPAN = 4e9
# The residual of the equations is reduced to this share in early steps, of the square of its norm,
# and to what the step's own error may be in later ones.
ROUGH = 0.03
# What the residual of a last step may add to a gap, as a share of the aim.
OF_AIM = 0.3
# Conjugate gradients of one step.
MOST_CG_PRODUCTS = 500
# Pairs up to which degrees of freedom are worked out: 1000 take .1 s.
LARGEST_DECOMPOSED = 1000
# From so many rows on the first steps are on so few of them.
BEGUN_ON_SOME, FIRST_ROWS = 8000, 4000
# The gap, on these rows, that the first steps end at.
FIRST_GAP = 1e-3


class ClassRidge(ClassPath):
    """The solution at one alpha after another; see `ClassPath`.

    Parameters
    ----------
    bound : Bound
        Whose features vary and are not excluded.
    Z : ndarray of shape (n_samples, n_features) or None
        The design's columns, where they are dense.
    """

    def __init__(self, bound: Bound, start: Array, settings: Settings, Z: Array | None) -> None:
        super().__init__(bound, start, settings, Z)
        self.bound, n_features = bound, bound.design.n_features
        W = self.point.w.reshape(self.n_classes, -1)
        self.point = self.point._replace(w=(W - W.mean(axis=0)).ravel())
        self.factor: Preconditioner | None = None
        self.some: ClassRidge | None = None
        self.index = np.empty(0, np.intp)
        self.n_products = 0  # of the last step
        pairs = np.arange(self.n_classes * n_features)
        self.kind, self.place = np.divmod(pairs, n_features)
        n_samples = bound.design.n_samples
        self.product = CALLS_OF_PRODUCT + n_samples * self.n_classes * (4.0 * n_features + 40.0)
        matrix = self._cost_of_matrix(n_samples)
        self.few = n_features > 0 and matrix <= WORTH_PRODUCTS * self.product

    def begin_on_some_rows(self, alpha: float, index: Index) -> None:
        """Start at about the solution on some of the rows."""
        assert self.Z is not None
        design, target = self.design, self.bound.target
        omega = design.omega[index] / design.omega[index].sum()
        Z = np.asfortranarray(self.Z[index])
        offset = None if target.offset is None else target.offset[index]
        some = replace(target, raw=target.raw[index], offset=offset)
        bound = replace(self.bound, design=DenseDesign(Z, omega, design.mean), target=some)
        path = ClassRidge(bound, np.zeros((Z.shape[1], self.n_classes)), self.settings, Z)
        path.aim = path.least_error = FIRST_GAP
        path.solve(alpha)
        self.some, self.index = path, index
        w, b, _ = path.point
        eta = self._predict(w.reshape(self.n_classes, -1)) + b
        if target.offset is not None:
            eta += target.offset
        self.point = ClassPoint(w, b, eta)

    @np.errstate(over="ignore", invalid="ignore")
    def solve(self, alpha: float) -> tuple[float, int]:
        """Move to the solution at `alpha`; returns the gap and the number of steps."""
        rows, penalty, point = self.rows, self.penalty.at(alpha), self.extrapolated(alpha)
        self.ridges = alpha * (1.0 - self.shape.l1_ratio) * self.penalty.l2_factors
        steps, n_iter, error = NewtonSteps(rows, penalty, self.aim, point), 0, np.inf
        p = rows.probabilities(point.eta)
        while n_iter < self.settings.max_iter:
            n_iter += 1
            new, bend = self._exact_step(point, p) if self.few else self._step(point, p)
            if not np.isfinite(new.eta).all():  # no curvature is left where there is no minimum
                break
            long = n_iter > TRUSTED_STEPS and not error < SMALL_ERROR
            long = long or np.abs(new.eta - point.eta).max() > LONG_STEP
            share = armijo_share(rows, penalty, point, new, rows.y - p) if long else 1.0
            if share < 1.0:
                point = part_way(point, new, share)
                p = rows.probabilities(point.eta)
                error = np.inf
                steps.idle += share == 0.0
                if steps.stalled:
                    break
                continue
            s = rows.feasible(p + bend)
            point, p = new, rows.probabilities(new.eta)
            last, error = error, rows.distance(s, p) / rows.unit
            if error > self.least_error and n_iter < self.settings.max_iter and not steps.idle:
                steps.idle += n_iter > TRUSTED_STEPS and error >= last
                continue
            gap = self.gap_at(point, s, p, self._correlate(rows.y - s), penalty)
            steps.take(gap, point)
            if steps.ended:
                break
        best = steps.gap
        if np.isfinite(best) and not (best > self.aim and steps.is_above(point)):
            point = steps.point  # else the gap of the one is one of the other
        if best > self.aim:
            best = min(best, self.other_gap(point, penalty))
        self.remember(alpha, point, best)
        return best, n_iter

    def _exact_step(self, point: ClassPoint, p: Array) -> tuple[ClassPoint, Array]:
        """The minimum of the model around a point, and how its probabilities change."""
        model = ClassModel(self.rows, p, self.design, self.place, self.kind, smooth=True)
        r = self.rows.y - p
        fitted = model.root.T @ self.rows.mean(r)
        c = self._correlate(r) - fitted @ model.within - self.ridges * point.w
        matrix = model.gram
        matrix[np.diag_indices(len(c))] += self.ridges
        _, change, info = dposv(matrix.T, c, lower=1)
        if info:
            change = pseudo_solve(matrix, c)
        moved = model.root @ (fitted - model.within @ change)
        d = self._predict(change.reshape(self.n_classes, -1)) + moved
        new = ClassPoint(point.w + change, point.b + moved, point.eta + d)
        return new, bent(p, d)

    def _step(self, point: ClassPoint, p: Array) -> tuple[ClassPoint, Array]:
        """The same by conjugate gradients."""
        rows, ridges = self.rows, self.ridges
        unit, omega = rows.unit, rows.omega
        r, root = rows.y - p, np.zeros((self.n_classes, 0))
        if rows.has_intercept:
            root = root_of_inverse(rows.curvature(p))
        inverse = root @ root.T
        first = inverse @ rows.mean(r)
        residual = self._correlate(r - p * first + p * (p @ first)[:, None]) - ridges * point.w
        along_p = self._correlate(p).reshape(self.n_classes, -1)
        solve, shares = self._preconditioner(p), np.ascontiguousarray(p.T)
        change, direction = np.zeros_like(residual), np.zeros_like(residual)
        energy, least = np.inf, OF_AIM * self.aim * unit
        rough, last_step = 0.0, False
        for self.n_products in range(MOST_CG_PRODUCTS):
            z = solve(residual)
            before, energy = energy, float(residual @ z)
            if not self.n_products:
                rough = min(ROUGH, energy / unit) * energy
                last_step = energy * energy <= self.least_error * unit * unit
            if not energy > 0.0 or (energy <= rough and not last_step):
                break
            if energy <= self.least_error * unit and self._left(residual) <= least:
                break
            direction = z + (energy / before) * direction
            # Rows of these are classes: sums over classes and products with one of them are quick.
            d = np.ascontiguousarray(self._predict(direction.reshape(self.n_classes, -1)).T)
            bend = shares * d
            inner = bend.sum(axis=0)
            moved = inverse @ (shares @ (omega * inner) - bend @ omega)
            bend -= np.multiply(shares, inner + moved @ shares, out=d)
            image = (
                self._correlate(bend.T) + (moved[:, None] * along_p).ravel() + ridges * direction
            )
            length = energy / float(direction @ image)
            change += length * direction
            residual = residual - length * image
        d = self._predict(change.reshape(self.n_classes, -1))
        moved = inverse @ rows.mean(r - bent(p, d))
        d += moved
        new = ClassPoint(point.w + change, point.b + moved, point.eta + d)
        return new, bent(p, d)

    def _left(self, residual: Array) -> float:
        """What the residual of the equations adds to the gap."""
        free = self.ridges == 0
        if free.any() and np.any(np.abs(residual[free]) > self.noise[free]):
            return np.inf
        squares = np.square(residual)
        return float(np.divide(squares, 2.0 * self.ridges, out=squares, where=~free)[~free].sum())

    def _preconditioner(self, p: Array) -> Preconditioner:
        """A factor of about the Hessian at these probabilities."""
        n = self.design.n_samples if self.some is None else self.some.design.n_samples
        blocks = self.n_classes * Blocks.cost(self.design.n_samples, self.design.n_features)
        whole, spent = self._cost_of_matrix(n), self.n_products * self.product
        cost = blocks if isinstance(self.factor, Blocks) else whole
        if self.factor is None or spent > WORTH_RENEWING_FACTOR * cost:
            worth = (
                self.Z is not None
                and len(self.place) > 0
                and whole <= max(spent, EXPECTED_PRODUCTS * self.product)
            )
            self.factor = self._whole_matrix(p) if worth else Blocks(self, p)
        self.factor.take(self.ridges)
        return self.factor

    def _whole_matrix(self, p: Array) -> WholeMatrix:
        """The Hessian at these probabilities, of some rows where a part has been chosen."""
        some = self if self.some is None else self.some
        if self.some is not None:
            p = np.asfortranarray(p[self.index])
        return WholeMatrix(some, p, self.place, self.kind)

    def _cost_of_matrix(self, n_samples: int) -> float:
        """Operations of the Hessian of all pairs, and its factor."""
        m = len(self.place)
        return CALLS_OF_MATRIX + n_samples * m * (m + 6.0) + m**3


def bent(p: Array, d: Array) -> Array:
    """How probabilities change with the linear predictors, row by row."""
    found = p * d
    found -= p * found.sum(axis=1)[:, None]
    return found


def smooth_path(
    bound: Bound, start: Array, settings: Settings, penalised: bool
) -> tuple[ClassRidge, Callable[[Array], Array]]:
    """The path of a problem without an L1 part and bounds, and what leads to all coefficients.

    The latter takes the (n_classes, m) coefficients of the path, which may be of other features.
    """
    design, n_classes = bound.design, start.shape[1]
    work = design.n_features * min(design.n_samples, design.n_features) * design.n_samples
    if penalised and work <= LARGEST_SPAN and RowSpace.serves(bound):
        span = RowSpace(bound)
        rows = span.bound.design.columns(slice(None))
        path = ClassRidge(span.bound, span.inside(start), settings, rows)
        return path, lambda W: np.array([span.outside(w) for w in W])
    chosen = np.flatnonzero(bound.penalty.movable & (design.variances > 0))
    dense = not design.sparse or design.n_samples * len(chosen) <= LARGEST_DENSE
    Z = design.columns(chosen) if dense else None
    centre = None if design.mean is None else np.zeros(len(chosen))
    part = design.subset(chosen) if Z is None else DenseDesign(Z, design.omega, centre)
    some = replace(bound, design=part, penalty=bound.penalty.take(chosen))
    some.kept("class rows", lambda: class_rows(bound))

    def outside(W: Array) -> Array:
        coefs = np.zeros((n_classes, design.n_features))
        coefs[:, chosen] = W
        return coefs

    return ClassRidge(some, start[chosen], settings, Z), outside


def points_at_once(
    path: ClassRidge, alphas: Array
) -> Iterator[tuple[float, ClassPoint, float, int]]:
    """Where pairs are few: alphas, points, gaps and steps, at all of these or at the first few."""
    solved, n_classes = solved_at_once(path, path.shape, alphas), path.n_classes
    if solved is None:
        return
    numbers = solved.alphas.tolist(), solved.gaps.tolist(), solved.n_iter.astype(int).tolist()
    for w, b, eta, alpha, gap, n_iter in zip(*solved.points, *numbers, strict=True):
        W = w.reshape(n_classes, -1)
        point = ClassPoint((W - W.mean(axis=0)).ravel(), b, eta.reshape(n_classes, -1).T)
        yield alpha, point, gap, n_iter


def solve_smooth(
    bound: Bound, alphas: Array, start: Array, settings: Settings
) -> Iterator[Solution]:
    """Solutions at each alpha; degrees of freedom are left out, as they take a decomposition."""
    path, outside = smooth_path(bound, start, settings, penalised=bool(alphas[-1] > 0))
    cold, counted = not start.any(), np.flatnonzero(path.rows.omega)
    if cold and path.Z is not None and len(counted) > BEGUN_ON_SOME:
        drawn = np.random.RandomState(0).permutation(counted)[:FIRST_ROWS]
        path.begin_on_some_rows(float(alphas[0]), np.sort(drawn))
    done = 0
    for alpha, point, gap, n_iter in points_at_once(path, alphas):
        path.remember(alpha, point, gap)
        coef = outside(point.w.reshape(path.n_classes, -1))
        yield path.solution(bound.design, coef, gap, n_iter, np.nan)
        done += 1
    for alpha in alphas[done:].tolist():
        gap, n_iter = path.solve(alpha)
        coef = outside(path.point.w.reshape(path.n_classes, -1))
        yield path.solution(bound.design, coef, gap, n_iter, np.nan)


def class_trace(bound: Bound, alpha: float, start: Array, settings: Settings) -> float:
    """Degrees of freedom of the solution at `alpha`, near `start`: the trace of the smoother.

    NaN where there are too many pairs of a feature and a class to decompose their matrix.
    """
    path, _ = smooth_path(bound, start, settings, penalised=alpha > 0)
    if len(path.place) > LARGEST_DECOMPOSED:
        return np.nan
    path.solve(alpha)
    p = path.rows.probabilities(path.point.eta)
    model = ClassModel(path.rows, p, path.design, path.place, path.kind, smooth=True)
    hessian, penalty = model.hessian, path.penalty.at(alpha)
    return degrees_of_freedom(path.point.w, penalty, lambda index: hessian[np.ix_(index, index)])
