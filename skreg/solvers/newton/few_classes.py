"""All alphas of a path of the multinomial loss side by side, where pairs and rows are few.

The sweeps are those of `all_alphas.py`. The blocks of a Hessian, one for two classes k and l, are
sums over rows of ``p_k (1{k = l} - p_l)`` times the products of two columns: one product for all
alphas. The square of the sum of the intercepts is added, as nothing hangs on it.

A step d is to ``s = p (1 + x)`` under the model, with ``x = d - <p, d>`` row by row, and to p+, as
``p exp(x)`` over its sum, under the loss. What the loss adds to the gap at s is

    KL(s, p+) <= sum_k p_k [(1 + x)(log(1 + x) - x) + exp(x) - 1 - x] <= 3/8 sum_k p_k x_k^4

for x from -1 to 4: p+ is not evaluated for it.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ...data.design import Array, Index
from ...objective.penalties import Penalty
from ..base import Mask
from .all_alphas import MOST_SWEEPS_AT_ONCE, AllAlphas, FoundAtOnce
from .batch import Points, Solved
from .batched_newton import NEXT_ALPHA
from .certificate import certified
from .class_loss import UNBALANCED, ClassLoss
from .class_minima import ClassMinima
from .class_model import RAISED
from .class_path import ClassPath
from .few_features import pairs_of_columns

# Up to so many pairs, intercepts included, and so many entries of the arrays of all alphas and of
# the products of columns, a Hessian an alpha costs no more than the evaluation of the loss.
FEW_PAIRS, ENTRIES_OF_ALL = 24, 1 << 18
# Of the bound of the text, and where it holds.
OF_FOURTH_POWER, LEAST_STEP, LARGEST_STEP = 0.375, -1.0, 4.0


class FewClasses(AllAlphas):
    """A path over few pairs and rows; see the module's text.

    Parameters
    ----------
    rows : ClassLoss
    Z : ndarray of shape (n_samples, m)
    penalty : Penalty
        Of all pairs, class by class.
    usable : ndarray of bool, shape (m,)
        Which of the features may be active.
    noise : ndarray of shape (n_classes * m,)
        What correlations are known to.
    least_error : float
        The largest error of a step.
    """

    entries, every, first_at_once = 1 << 14, 11, 4

    def __init__(
        self,
        rows: ClassLoss,
        Z: Array,
        penalty: Penalty,
        usable: Mask,
        noise: Array,
        least_error: float,
    ) -> None:
        self.rows, self._unit = rows, rows.unit
        self.y = np.ascontiguousarray(rows.y.T)
        n, m = Z.shape
        self.shape = n_classes, width = rows.n_classes, m + 1
        self.Z = np.empty((n, width))
        self.Z[:, :m], self.Z[:, m] = Z, rows.has_intercept
        self.weighted = self.Z * rows.omega[:, None]
        first, second, _ = pairs_of_columns(width)
        self.products = -self.weighted[:, first] * self.Z[:, second]
        self._place, self._feature = places(n_classes, width)
        self._of_sums = np.zeros(2 * (n_classes * width,))
        if rows.has_intercept:
            last = slice(m, None, width)
            self._of_sums[last, last] = rows.curvatures.mean() / n_classes

        def by_class(of_feature: Array, of_intercept: float) -> Array:
            of_pair = np.full((n_classes, width), of_intercept, dtype=of_feature.dtype)
            of_pair[:, :m] = of_feature.reshape(-1, m)
            return of_pair.ravel()

        ratio = penalty.l1_ratio
        rates, ridges = by_class(ratio * penalty.factors, 0.0), None
        of_intercepts = UNBALANCED if rows.has_intercept else np.inf
        self.noise = np.where(usable, noise.reshape(-1, m), np.inf).ravel()
        slack = by_class(self.noise, of_intercepts)
        self._raised = by_class(np.full(m, RAISED), 0.0)
        if ratio < 1.0:
            ridges = by_class((1.0 - ratio) * penalty.l2_factors, 0.0)
        super().__init__(rates, ridges, slack, least_error, MOST_SWEEPS_AT_ONCE)
        self.penalty = penalty

    @staticmethod
    def serve(n_samples: int, n_classes: int, m: int, n_alphas: int) -> bool:
        """Whether pairs, rows and alphas are few enough."""
        few = n_classes * (m + 1) <= FEW_PAIRS and n_samples * (m + 1) * (m + 2) <= ENTRIES_OF_ALL
        return m > 0 and few and n_samples * n_classes * n_alphas <= ENTRIES_OF_ALL

    def _models(self, eta: Array) -> tuple[ClassMinima, Array, Array]:
        p = softmax(eta)
        along = (self.y - p).dot(self.weighted).reshape(len(p), -1)
        hessians = self._hessians(p)
        diagonals = hessians.reshape(len(p), -1)[:, :: along.shape[1] + 1]
        shift = diagonals * self._raised
        diagonals += shift
        return ClassMinima(hessians, shift, self._feature, self.shape[0]), along, p

    def _moved(self, change: Array) -> Array:
        n_classes, width = self.shape
        return change.reshape(-1, width).dot(self.Z.T).reshape(len(change), n_classes, -1)

    def _errors(self, moved: Array, known: Array) -> Array:
        return self._bounds(known, moved) / self._unit

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
        hessians = sums.reshape(k, -1).take(self._place, axis=1)
        hessians += self._of_sums
        return hessians

    def _bounds(self, p: Array, d: Array) -> Array:
        """What the loss adds to the gaps after steps d, written over; see the module's text."""
        omega, counted = self.rows.omega, self.rows.counted
        d -= np.add.reduce(p * d, axis=1, keepdims=True)
        if counted is not None:
            d *= counted
        steps = d.reshape(len(d), -1)
        inside = np.minimum.reduce(steps, axis=1) >= LEAST_STEP
        inside &= np.maximum.reduce(steps, axis=1) <= LARGEST_STEP
        d *= d
        d *= d
        d *= p
        return np.where(inside, OF_FOURTH_POWER * np.add.reduce(d.dot(omega), axis=1), np.inf)

    def certified(self, alphas: Array, found: FoundAtOnce) -> tuple[Array, Array]:
        """Relative gaps, and mean losses."""
        k, m = len(alphas), self.shape[1] - 1
        W, q = (each.reshape(k, -1, m + 1) for each in (found.W, found.q))
        w, of_features = (each[:, :, :m].reshape(k, -1) for each in (W, q))
        certificate = self.penalty.at_each(alphas), w, of_features, found.eta, found.errors
        gaps, values = certified(self.rows, *certificate, self.noise)
        balanced = np.abs(q[:, :, m]).max(axis=1) <= UNBALANCED
        return np.where(balanced, gaps, np.inf), values


def solved_at_once(path: ClassPath, shape: Penalty, alphas: Array) -> Solved | None:
    """The solutions of a path at all alphas, or at the first few; None where pairs are not few.

    `shape` is the penalty of the features, all of whose columns are at hand.
    """
    design, Z, n_alphas = path.design, path.Z, len(alphas)
    n_classes, m = path.n_classes, design.n_features
    if Z is None or not FewClasses.serve(design.n_samples, n_classes, m, n_alphas):
        return None
    if path.settings.max_iter < MOST_SWEEPS_AT_ONCE:  # the steps of one alpha are counted there
        return None
    near = n_alphas == 1 or bool((alphas[1:] >= NEXT_ALPHA * alphas[:-1]).all())
    if shape.has_bounds or not near or not alphas[-1] > 0.0 or np.any(np.diff(alphas) >= 0.0):
        return None
    usable = shape.movable & (design.variances > 0)
    few = FewClasses(path.rows, Z, path.penalty, usable, path.noise, path.least_error)
    w, b, eta = path.point
    start = np.concatenate([w.reshape(n_classes, -1), b[:, None]], axis=1).ravel()
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        found = few.path(alphas, start, eta.T)
        if found is None or not found.done:
            return None
        alphas = alphas[: len(found.W)]
        gaps, values = few.certified(alphas, found)
    W = found.W.reshape(len(alphas), n_classes, -1)
    coefs = W[:, :, :m].reshape(len(alphas), -1)
    points = Points(coefs, W[:, :, m], found.eta.reshape(len(alphas), -1))
    solved = Solved(alphas, points, gaps, values, found.n_iter).up_to(found.done, path.aim)
    return solved if len(solved.alphas) else None


def softmax(eta: Array) -> Array:
    """Probabilities; classes are on the second axis."""
    p = eta - np.maximum.reduce(eta, axis=1, keepdims=True)
    np.exp(p, out=p)
    p /= np.add.reduce(p, axis=1, keepdims=True)
    return p


@lru_cache(maxsize=32)
def places(n_classes: int, width: int) -> tuple[Index, Index]:
    """Where each entry of a Hessian is among the sums of pairs; and the feature of each pair."""
    of_class, of_column = pairs_of_columns(n_classes)[2], pairs_of_columns(width)[2]
    whole = of_class[:, None, :, None] * (width * (width + 1) // 2) + of_column[None, :, None, :]
    size = n_classes * width
    return whole.reshape(size, size), np.tile(np.arange(width), n_classes)
