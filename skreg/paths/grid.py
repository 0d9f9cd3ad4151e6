"""Grids of alphas that suit the data."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ..data.design import Array
from ..solvers.null_model import null_correlations, null_curvature, null_squares
from ..solvers.ridge.solvers import spectral_alphas
from .problem import BoundProblem

# An alpha_max below this share of the target's norm is looked at: with features of order one it may
# be rounding.
SUSPECT = 1e-6
# scikit-learn's range of a grid: its smallest alpha as a share of the largest.
DEFAULT_EPS = 1e-3


def alpha_grid(bound: BoundProblem, n_alphas: int = 100, eps: float = DEFAULT_EPS) -> Array:
    """Decreasing, log-spaced alphas that suit the data, on the user's scale.

    With an L1 part the grid runs from the exact alpha_max, the smallest alpha at which every
    penalised coefficient is zero, down to ``eps * alpha_max``. Without one there is no such
    value, and what an alpha does is no matter of y: the grid covers the eigenvalues of the Gram
    matrix instead (see `spectral_alphas`), times the null model's mean curvature.

    Parameters
    ----------
    bound : BoundProblem
    n_alphas : int, default=100
    eps : float, default=1e-3
        Ratio of the smallest alpha to the largest, with an L1 part.

    Returns
    -------
    ndarray of shape (n_alphas,)
    """
    if bound.parts:
        return max(
            (alpha_grid(part, n_alphas, eps) for part in bound.parts), key=lambda own: own[0]
        )
    design, penalty = bound.design, bound.penalty
    if not penalty.l1_ratio:
        alphas = spectral_alphas(design, penalty, n_alphas) * null_curvature(bound)
        return bound.user_alphas(alphas)
    alpha_max = penalty.alpha_max(null_correlations(bound, bound.problem.settings))
    smallest = np.finfo(np.float64).resolution
    norms = np.sqrt(null_squares(bound))
    if alpha_max <= max(SUSPECT * norms.max(initial=0.0), np.finfo(np.float64).tiny):
        # Nothing to fit are correlations that are rounding beside the largest there could be.
        largest = np.multiply.outer(np.sqrt(design.variances), norms)
        nothing = smallest * penalty.alpha_max(np.hstack([largest, -largest]))
        if alpha_max <= max(nothing, np.finfo(np.float64).tiny):
            return np.full(n_alphas, smallest)
    return bound.user_alphas(alpha_max * _shares(float(eps), n_alphas))


@lru_cache(maxsize=8)
def _shares(eps: float, n_alphas: int) -> Array:
    """Alphas as shares of the largest, which take NumPy longer than ten features a solution."""
    shares = np.geomspace(1.0, eps, num=n_alphas)
    shares.setflags(write=False)
    return shares


def open_ends(l1_ratio: float | None) -> tuple[str, ...]:
    """Ends of a grid made by `alpha_grid` beyond which the model still changes.

    With an L1 part nothing is left above the largest alpha. Without one the grid ends where
    the penalty does nothing and where nothing but the intercept is left.
    """
    return ("smallest",) if l1_ratio else ()
