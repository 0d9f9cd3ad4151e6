"""All alphas of a path side by side, where features and rows are few: one linear predictor.

The sweeps are those of `all_alphas.py`. The Gram matrix under the curvatures h is the sum over rows
of h times the products of pairs of columns: one product for all alphas.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ...data.design import Array, Index
from ...objective.penalties import Penalty
from ..base import Bound, Mask, Settings, Solution
from ..tolerances import KKT_ROUNDING
from .all_alphas import AllAlphas, FoundAtOnce
from .certificate import certified
from .minima import SideBySide
from .passes import bound_of_own
from .prox_newton import aims_of
from .rows import TargetLoss, on_rows_that_count, target_rows

# Up to so many features, and entries of the products of their pairs, a Gram matrix an alpha costs
# no more than the evaluation of the loss.
FEW_PAIRED, MOST_PAIRS = 16, 1 << 18
# A path of fewer alphas is not worth it, nor one whose arrays have more entries than this.
LEAST_ALPHAS, ENTRIES_OF_A_PATH = 25, 1 << 18


class FewFeatures(AllAlphas):
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
    least_error : float
        The largest error of a step.
    most : int
        Sweeps.
    """

    entries, every, first_at_once = 1 << 15, 8, 12

    def __init__(
        self,
        rows: TargetLoss,
        Z: Array,
        penalty: Penalty,
        usable: Mask,
        noise: Array,
        least_error: float,
        most: int,
    ) -> None:
        self.rows, self.penalty, self.noise, one = rows, penalty, noise, int(rows.has_intercept)
        self._unit, (n, m) = rows.unit, Z.shape
        self.columns = np.ones((m + one, n))
        self.columns[:m] = Z.T
        weighted = self.columns * rows.omega
        first, second, self._place = pairs_of_columns(m + one)
        self.weighted, self.products = weighted.T, (weighted[first] * self.columns[second]).T
        ratio, ridges = penalty.l1_ratio, None
        rates, slack = np.zeros(m + one), np.zeros(m + one)
        rates[:m] = ratio * penalty.factors
        slack[:m] = np.where(usable, noise, np.inf)
        if ratio < 1.0:
            ridges = np.zeros(m + one)
            ridges[:m] = (1.0 - ratio) * penalty.l2_factors
        super().__init__(rates, ridges, slack, least_error, most)

    @staticmethod
    def serve(n_samples: int, m: int, n_alphas: int) -> bool:
        """Whether features, rows and alphas are few enough."""
        paired = m <= FEW_PAIRED and n_samples * m * (m + 1) <= 2 * MOST_PAIRS
        return paired and n_alphas >= LEAST_ALPHAS and n_samples * n_alphas <= ENTRIES_OF_A_PATH

    def _models(self, eta: Array) -> tuple[SideBySide, Array, Array]:
        slope, h = self.rows.loss.gradient_and_curvature(eta, self.rows.y)
        along = np.negative(slope, out=slope).dot(self.weighted)
        return SideBySide(h.dot(self.products).take(self._place, axis=1)), along, h

    def _moved(self, change: Array) -> Array:
        return change.dot(self.columns)

    def _errors(self, moved: Array, known: Array) -> Array:
        return bound_of_own(moved, known, self.rows) / self._unit

    def certified(self, alphas: Array, found: FoundAtOnce) -> tuple[Array, Array]:
        """Relative gaps, and mean losses."""
        m, penalty = len(self.noise), self.penalty.at_each(alphas)
        certificate = penalty, found.W[:, :m], found.q[:, :m], found.eta, found.errors, self.noise
        return certified(self.rows, *certificate)


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def path_at_once(bound: Bound, alphas: Array, start: Array, settings: Settings) -> Solution | None:
    """The solutions of a path, or the first of them; see `registry.py`.

    Without an L1 part degrees of freedom are left out, as they take a decomposition.
    """
    design, penalty, (m, n_targets) = bound.design, bound.penalty, start.shape
    n_rows = int(np.count_nonzero(design.omega)) if m <= FEW_PAIRED and design.has_rows else 0
    if not n_rows or n_targets > 1 or not FewFeatures.serve(n_rows, m, len(alphas)):
        return None
    smooth = bound.loss.gap_from_curvature and not penalty.has_bounds
    if not smooth or design.sparse or not alphas[-1] > 0.0 or (alphas[1:] >= alphas[:-1]).any():
        return None
    bound = on_rows_that_count(bound)
    design, rows = bound.design, target_rows(bound)
    aim, least_error = aims_of(settings)
    noise = KKT_ROUNDING * np.sqrt(design.variances * rows.square)
    usable, Z = (design.variances > 0) & penalty.movable, design.columns(slice(None))
    few = FewFeatures(rows, Z, penalty, usable, noise, least_error, settings.max_iter)
    w = penalty.clip(start[:, 0])
    b, eta = rows.beside(Z.dot(w) if w.any() else None)
    found = few.path(alphas, np.append(w, b) if rows.has_intercept else w, eta)
    if found is None or not found.done:
        return None
    gaps, values = few.certified(alphas[: len(found.W)], found)
    small = gaps[: found.done] <= aim
    k = found.done if small.all() else int(small.argmin())
    if not k:
        return None
    W, deviances = found.W[:k, :m], np.maximum(2.0 * (values[:k] - rows.saturated), 0.0)
    intercepts = design.intercept(design.to_raw(W.T), found.W[:k, m:].sum(axis=1))
    df = np.count_nonzero(W, axis=1).astype(float) if penalty.l1_ratio else np.full(k, np.nan)
    return Solution(W, gaps[:k], found.n_iter[:k], deviances, df, intercepts)


@lru_cache(maxsize=32)
def pairs_of_columns(m: int) -> tuple[Index, Index, Index]:
    """Both columns of each pair of m, and the place of each pair in a matrix."""
    first, second = np.triu_indices(m)
    place = np.empty((m, m), dtype=np.intp)
    place[first, second] = place[second, first] = np.arange(len(first))
    return first, second, place
