"""Warnings of fits; each says what to do."""

from __future__ import annotations

import multiprocessing
import numbers
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning

from ..objective.losses import Loss
from ..selection.result import CVResult
from .runtime import called_by, warn

# What fits clones of one estimator many times.
SEARCHES = (
    "sklearn.model_selection",
    "sklearn.feature_selection",
    "sklearn.ensemble",
    "sklearn.utils.parallel",
)

MEAN_SQUARE = "weighted mean square of the centered target"

# The grids of which a worker process has warned: clones that come there share no record.
_told_by_worker: set[tuple[type, str]] = set()

# The record that all clones of an estimator share; whoever is first enters it.
_record_of_clone: WeakKeyDictionary[Any, dict[str, object]] = WeakKeyDictionary()
_record_for_clones: WeakKeyDictionary[Any, dict[str, object]] = WeakKeyDictionary()


class GridEdgeWarning(UserWarning):
    """The best alpha is an end of the grid that was given, and a better one may lie beyond it.

    Of the clones of one estimator that a search or a cross-validation fits only the first to find
    this warns; of those that are fitted in other processes the first in each, once for a grid.
    """


def warn_unconverged(
    who: str,
    gap: float,
    tol: float,
    n_iter: int | None = None,
    *,
    tunable: bool = True,
    unit: str = MEAN_SQUARE,
) -> None:
    """The one warning about convergence; `tunable` where there are `max_iter` and `tol`."""
    after = "" if n_iter is None else f" after {n_iter} iterations"
    advice = "check the scale of the features"
    if tunable:
        advice = f"increase the number of iterations (max_iter), {advice} or accept a larger tol"
    warn(
        f"Objective did not converge. You might want to {advice}: {who} reached a"
        f" duality gap of {gap:.3e}{after}, tolerance: {tol:.3e} (both relative to the {unit}).",
        ConvergenceWarning,
    )


def warn_floor(who: str, alpha: float) -> None:
    """That a fit has a lower limit of the scale, without which it did not converge."""
    warn(
        f"{who}: at the best alpha, {alpha:.4g}, the scale has reached its lower limit, without"
        " which the fit does not converge: coef_ and dual_gap_ are those with the limit, and scale_"
        " is that of their residuals. Features nearly meet y: a larger alpha leaves more noise.",
        ConvergenceWarning,
    )


def unit_of_gaps(loss: Loss) -> str:
    """What gaps are relative to, in words."""
    return MEAN_SQUARE if loss.quadratic else "weighted mean deviance of the intercept alone"


class WarnsOfEdge(BaseEstimator):
    """What chooses an alpha from a grid, and warns where that ends too early."""

    def _inverse_strength(self, alpha: float) -> float | None:
        """The C that an alpha of the grid was made of; None where the user gives alphas."""
        return None

    def __sklearn_clone__(self) -> Any:
        copy = super().__sklearn_clone__()
        known = _record_of_clone.get(self)
        record = _record_for_clones.setdefault(self, {}) if known is None else known
        _record_of_clone[copy] = record
        return copy

    def _warn_edge(self, results: Sequence[CVResult]) -> None:
        """Say, once, that the best alpha may lie outside the grid, and what to do."""
        found = next((result for result in results if result.edge is not None), None)
        if found is None or self._is_one_of_many():
            return
        weak, edge, value, name = found.edge == "smallest", found.edge, found.alpha_min, "alpha"
        C = self._inverse_strength(found.alpha_min)
        if C is not None:
            edge, value, name = "largest" if weak else "smallest", C, "C"
        hint = "smaller" if edge == "smallest" else "larger"
        advice = f"pass {hint} {name}s, or take it that no feature helps"
        if weak:
            advice = f"pass {name}s that reach further {'down' if hint == 'smaller' else 'up'}"
            if isinstance(getattr(self, "alphas", None), numbers.Integral):
                advice = "take a smaller eps"
        warn(
            f"{type(self).__name__}: the best {name}, {value:.4g}, is the {edge} of the grid, so a"
            f" {hint} one may be better: {advice}.",
            GridEdgeWarning,
        )

    def _is_one_of_many(self) -> bool:
        """Whether it is a clone in a search, of which another has spoken."""
        if not called_by(*SEARCHES):
            return False
        if multiprocessing.parent_process() is not None and called_by("sklearn.utils.parallel"):
            grid = (type(self), repr(getattr(self, "alphas", None)))
            told = grid in _told_by_worker
            _told_by_worker.add(grid)
            return told
        record, own = _record_of_clone.get(self), object()
        return record is not None and record.setdefault("edge", own) is not own
