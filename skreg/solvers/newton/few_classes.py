"""All alphas of a path of the multinomial loss side by side, where pairs and rows are few.

It is the number of calls that counts there, as for one linear predictor. Alphas that are far apart
come first, a few at a time, then all others from the polynomials in log(alpha) through the nearest
of these. Each has the Hessian at its point in every sweep. Its blocks, one for two classes k and l,
are sums over rows of ``p_k (1{k = l} - p_l)`` times the products of two columns: one product for
all alphas. The intercepts are columns of ones; the square of their sum is added, as nothing hangs
on it.

A step d is to ``s = p (1 + x)`` under the model, with ``x = d - <p, d>`` row by row, and to p+, as
``p exp(x)`` over its sum, under the loss. What the loss adds to the gap at s is

    KL(s, p+) <= sum_k p_k [(1 + x)(log(1 + x) - x) + exp(x) - 1 - x] <= 3/8 sum_k p_k x_k^4

for x from -1 to 4: p+ is not evaluated for it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple, Self

import numpy as np

from ...data.design import Array, Index
from ...objective.penalties import Penalty
from ..base import Mask
from ..tolerances import KKT_TOLERANCE
from .batch import Points, Solved
from .batched_newton import NEXT_ALPHA
from .certificate import certified
from .class_loss import UNBALANCED, ClassLoss
from .class_minima import ClassMinima
from .class_model import RAISED
from .class_path import ClassPath
from .few_features import pairs_of_columns
from .polynomials import lagrange

# Up to so many pairs, intercepts included, and so many entries of the arrays of all alphas and of
# the products of columns, a Hessian an alpha costs no more than the evaluation of the loss.
FEW_PAIRS, ENTRIES_OF_ALL = 24, 1 << 18
# One in about so many alphas comes first, so many of them at a time.
EVERY, FIRST_AT_ONCE = 11, 4
# Entries of the arrays of the rows that are worked on at once: more take new memory each time.
ENTRIES_OF_FEW = 1 << 14
# What the loss may add to the relative gaps of these, from which polynomials take the others.
ROUGH_ERROR = 1e-6
# Solutions that a polynomial goes through: between alphas, and beyond the last.
NODES_BETWEEN, NODES_BEHIND = 4, 2
# Sweeps of alphas that start together.
MOST_SWEEPS_OF_FEW = 10
# Of the bound of the text, and where it holds.
OF_FOURTH_POWER, LEAST_STEP, LARGEST_STEP = 0.375, -1.0, 4.0


class FewFound(NamedTuple):
    """What is found at k alphas, of which the first `done` are solved.

    Attributes
    ----------
    W : ndarray of shape (k, n_classes * (m + 1))
        Coefficients class by class, the intercept after those of its class.
    eta : ndarray of shape (k, n_classes, n_samples)
    q : ndarray of shape (k, n_classes * (m + 1))
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
        parts = zip(*(one[:5] for one in each), strict=True)
        W, eta, q, errors, n_iter = map(np.concatenate, parts)
        return cls(W, eta, q, errors, n_iter, sum(one.done for one in each))


class FewClasses:
    """A path over few pairs and rows; see the module's text.

    Parameters
    ----------
    rows : ClassLoss
    Z : ndarray of shape (n_samples, m)
    penalty : Penalty
        Of these features.
    usable : ndarray of bool, shape (m,)
        Which of them may be active.
    noise : ndarray of shape (n_classes * m,)
        What correlations are known to.
    aim, least_error : float
        The largest relative gap, and the largest error of a step.
    """

    def __init__(
        self,
        rows: ClassLoss,
        Z: Array,
        penalty: Penalty,
        usable: Mask,
        noise: Array,
        aim: float,
        least_error: float,
    ) -> None:
        self.rows, self.aim, self.least_error = rows, aim, least_error
        self.y = np.ascontiguousarray(rows.y.T)
        n, m = Z.shape
        self.shape = n_classes, width = rows.n_classes, m + 1
        self.Z = np.empty((n, width))
        self.Z[:, :m], self.Z[:, m] = Z, rows.has_intercept
        self.weighted = self.Z * rows.omega[:, None]
        first, second, _ = pairs_of_columns(width)
        self.products = self.weighted[:, first] * self.Z[:, second]
        self._place, self._feature = places(n_classes, width)

        def by_class(of_feature: Array, of_intercept: float) -> Array:
            of_pair = np.full((n_classes, width), of_intercept, dtype=of_feature.dtype)
            of_pair[:, :m] = of_feature.reshape(-1, m)
            return of_pair.ravel()

        ratio = penalty.l1_ratio
        self._rates = by_class(ratio * penalty.factors, 0.0)
        of_intercepts = UNBALANCED if rows.has_intercept else np.inf
        self._slack = by_class(np.where(usable, noise.reshape(-1, m), np.inf), of_intercepts)
        self._raised = by_class(np.full(m, RAISED), 0.0)
        self._free = (self._rates == 0.0) & np.isfinite(self._slack)
        self._ridges = None
        if ratio < 1.0:
            self._ridges = by_class((1.0 - ratio) * penalty.l2_factors, 0.0)
        units = penalty.l2_units
        if not isinstance(units, float):
            units = by_class(units, 1.0)
        bounds = np.full((2, len(self._rates)), np.inf)
        self.penalty = Penalty(ratio, by_class(penalty.factors, 0.0), -bounds[0], bounds[1], units)

    @staticmethod
    def serve(n_samples: int, n_classes: int, m: int, n_alphas: int) -> bool:
        """Whether pairs, rows and alphas are few enough."""
        few = n_classes * (m + 1) <= FEW_PAIRS and n_samples * (m + 1) * (m + 2) <= ENTRIES_OF_ALL
        return m > 0 and few and n_samples * n_classes * n_alphas <= ENTRIES_OF_ALL

    def path(self, alphas: Array, w: Array, b: Array, eta: Array) -> FewFound | None:
        """The solutions at decreasing alphas from a point of a larger one; None where it cannot."""
        start = np.concatenate([w.reshape(len(b), -1), b[:, None]], axis=1).reshape(1, -1)
        if len(alphas) <= FIRST_AT_ONCE:
            shares = np.ones((len(alphas), 1))
            return self._solve(alphas, shares, start, eta.T[None], 1, self.least_error)
        count = FIRST_AT_ONCE * max(1, round(len(alphas) / (EVERY * FIRST_AT_ONCE)))
        nodes = np.unique(np.linspace(0, len(alphas) - 1, count).astype(np.intp))
        known_W, known_eta, logs = start, eta.T[None], np.log(alphas[nodes])
        for begin in range(0, len(nodes), FIRST_AT_ONCE):
            some = slice(begin, min(begin + FIRST_AT_ONCE, len(nodes)))
            known = np.arange(max(begin - NODES_BEHIND, 0), max(begin, 1))
            near = np.broadcast_to(known, (some.stop - begin, len(known)))
            shares = lagrange(logs[some], logs[: max(begin, 1)], near)
            found = self._solve(alphas[nodes[some]], shares, known_W, known_eta, 1, ROUGH_ERROR)
            if found.done < len(found.W):
                return None
            if begin:
                known_W = np.concatenate([known_W, found.W])
                known_eta = np.concatenate([known_eta, found.eta])
            else:
                known_W, known_eta = found.W, found.eta
        after = np.searchsorted(nodes, np.arange(len(alphas)))
        n_nodes = min(NODES_BETWEEN, len(nodes))
        near = np.clip(after - n_nodes // 2, 0, len(nodes) - n_nodes)[:, None] + np.arange(n_nodes)
        shares = lagrange(np.log(alphas), logs, near)
        step, parts = max(1, ENTRIES_OF_FEW // eta.size), list[FewFound]()
        for begin in range(0, len(alphas), step):
            some = slice(begin, begin + step)
            args = alphas[some], shares[some], known_W, known_eta, after[some]
            parts.append(self._solve(*args, self.least_error))
            if parts[-1].done < len(parts[-1].W):
                break
        return FewFound.joined(parts)

    def _solve(
        self,
        alphas: Array,
        shares: Array,
        known: Array,
        known_eta: Array,
        after: Index | int,
        least_error: float,
    ) -> FewFound:
        """Sweep until the errors of all alphas are small, from combinations of known points.

        A pair is taken to be active whose sign is that of the known point `after` it, or of the
        one before.
        """
        k, (n_classes, width) = len(alphas), self.shape
        n_known = len(known)
        W, eta = shares.dot(known), shares.dot(known_eta.reshape(n_known, -1))
        eta = eta.reshape(k, n_classes, -1)
        ahead = known[np.minimum(after, n_known - 1)]
        behind = known[np.maximum(np.minimum(after, n_known) - 1, 0)]
        sign = np.where((W * ahead > 0.0) | (W * behind > 0.0), np.sign(W), 0.0)
        l1 = np.multiply.outer(alphas, self._rates)
        l2 = None if self._ridges is None else np.multiply.outer(alphas, self._ridges)
        here = l1, l2, (1.0 + KKT_TOLERANCE) * l1 + self._slack
        left, n_iter, found = np.arange(k), np.ones(k), (W, eta, W, np.zeros(k))
        for n_sweeps in range(1, MOST_SWEEPS_OF_FEW + 1):
            p = softmax(eta)
            along = (self.y - p).dot(self.weighted).reshape(len(p), -1)
            hessians = self._hessians(p)
            diagonals = hessians.reshape(len(p), -1)[:, :: n_classes * width + 1]
            shift = diagonals * self._raised
            diagonals += shift
            solver = ClassMinima(hessians, shift, self._feature, n_classes)
            sign[:, self._free] = 0.0
            C = along + solver.product(W)
            new, q, ended = solver.minima(C, *here, sign, self._free)
            change = new - W
            q += shift * change
            d = change.reshape(-1, width).dot(self.Z.T).reshape(eta.shape)
            W, eta = new, eta + d
            errors = self._bounds(p, d) / self.rows.unit
            small = ended & (errors <= least_error)
            small &= solver.exact(change, 1.0, here[0], self._slack)
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
            W, eta, sign = W[go], eta[go], np.sign(W[go])
            l1, l2, threshold = here
            here = l1[go], None if l2 is None else l2[go], threshold[go]
        return FewFound(*found, n_iter, int(left[0]) if len(left) else k)

    def _hessians(self, p: Array) -> Array:
        """Of the mean loss in the coefficients and intercepts, one an alpha."""
        k, n_classes, n = p.shape
        weights = np.empty((k, n_classes * (n_classes + 1) // 2, n))
        at = 0
        for one in range(n_classes):
            of_pairs = weights[:, at : at + n_classes - one]
            np.multiply(p[:, one, None], p[:, one:], out=of_pairs)
            np.subtract(of_pairs[:, 0], p[:, one], out=of_pairs[:, 0])
            at += n_classes - one
        sums = weights.reshape(-1, n).dot(self.products)
        hessians = np.negative(sums.reshape(k, -1).take(self._place, axis=1))
        if self.rows.has_intercept:
            n_classes, width = self.shape
            last = slice(width - 1, None, width)
            size = hessians[:, last, last].trace(axis1=1, axis2=2)
            hessians[:, last, last] += size[:, None, None] / n_classes**2
        return hessians

    def _bounds(self, p: Array, d: Array) -> Array:
        """What the loss adds to the gaps after steps d, written over; see the module's text."""
        omega, counted = self.rows.omega, self.rows.counted
        d -= np.multiply(p, d).sum(axis=1)[:, None]
        if counted is not None:
            d *= counted
        shape = (len(d), -1)
        inside = (d.reshape(shape).min(axis=1) >= LEAST_STEP) & (
            d.reshape(shape).max(axis=1) <= LARGEST_STEP
        )
        d *= d
        d *= d
        d *= p
        return np.where(inside, OF_FOURTH_POWER * d.dot(omega).sum(axis=1), np.inf)

    def certified(self, alphas: Array, found: FewFound) -> tuple[Array, Array]:
        """Relative gaps, and mean losses."""
        penalty = self.penalty.at_each(alphas)
        certificate = penalty, found.W, found.q, found.eta, found.errors, self._slack
        return certified(self.rows, *certificate)


def solved_at_once(path: ClassPath, shape: Penalty, alphas: Array) -> Solved | None:
    """The solutions of a path at all alphas, or at the first few; None where pairs are not few.

    `shape` is the penalty of the features, all of whose columns are at hand.
    """
    design, Z, n_alphas = path.design, path.Z, len(alphas)
    n_classes, m = path.n_classes, design.n_features
    if Z is None or not FewClasses.serve(design.n_samples, n_classes, m, n_alphas):
        return None
    if path.settings.max_iter < MOST_SWEEPS_OF_FEW:  # the steps of one alpha are counted there
        return None
    near = n_alphas == 1 or bool((alphas[1:] >= NEXT_ALPHA * alphas[:-1]).all())
    if shape.has_bounds or not near or not alphas[-1] > 0.0 or np.any(np.diff(alphas) >= 0.0):
        return None
    usable = shape.movable & (design.variances > 0)
    few = FewClasses(path.rows, Z, shape, usable, path.noise, path.aim, path.least_error)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        found = few.path(alphas, *path.point)
        if found is None or not found.done:
            return None
        alphas = alphas[: len(found.W)]
        gaps, values = few.certified(alphas, found)
    small = gaps[: found.done] <= path.aim
    done = found.done if small.all() else int(small.argmin())
    if not done:
        return None
    W = found.W.reshape(len(alphas), n_classes, -1)
    coefs = W[:, :, :m].reshape(len(alphas), -1)
    points = Points(coefs, W[:, :, m], found.eta.reshape(len(alphas), -1))
    return Solved(alphas, points, gaps, values, found.n_iter).first(done)


def softmax(eta: Array) -> Array:
    """Probabilities; classes are on the second axis."""
    p = eta - eta.max(axis=1)[:, None]
    np.exp(p, out=p)
    p /= p.sum(axis=1)[:, None]
    return p


@lru_cache(maxsize=32)
def places(n_classes: int, width: int) -> tuple[Index, Index]:
    """Where each entry of a Hessian is among the sums of pairs; and the feature of each pair."""
    of_class, of_column = pairs_of_columns(n_classes)[2], pairs_of_columns(width)[2]
    whole = of_class[:, None, :, None] * (width * (width + 1) // 2) + of_column[None, :, None, :]
    size = n_classes * width
    return whole.reshape(size, size), np.tile(np.arange(width), n_classes)
