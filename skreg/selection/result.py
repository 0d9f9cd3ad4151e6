"""What a cross-validation is: errors along a path, and the choice of an alpha from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..caching import cached_property

Array = NDArray[np.float64]

# What an alpha is chosen by without folds.
CRITERIA = ("aic", "bic", "ebic")
RULES = ("min", "1se", *CRITERIA)
ENDS = ("largest", "smallest")
# The metric whose errors are in the square of the target's unit.
MEAN_SQUARED_ERROR = "mean squared error"
# What the models of classes, and those of counts and amounts, are judged by.
LOG_LOSS, MEAN_DEVIANCE = "log-loss", "mean deviance"


@dataclass(frozen=True, eq=False)
class CVResult:
    """Held-out errors along a path.

    Attributes
    ----------
    alphas : ndarray of shape (n_alphas,)
        Decreasing.
    errors : ndarray of shape (n_alphas, n_folds)
        What `metric` names, of each fold's held-out rows: the weighted mean squared error or mean
        deviance, or negated scores where it is a scorer. Leave-one-out keeps one column, the mean
        over all rows.
    fold_weights : ndarray of shape (n_folds,)
        What each fold weighs in the mean: the same, or the sum of the sample weights of its
        held-out rows; 0, which does not count, where that sum is 0 or the metric is not defined
        (R² of a single row).
    l1_ratio : float or None
    metric : str
    fold_coefs : ndarray of shape (n_folds, n_features, n_alphas) or None
        Each fold's coefficients, where they were kept; with several targets
        (n_folds, n_targets, n_features, n_alphas).
    fold_intercepts : ndarray of shape (n_folds, n_alphas) or None
        Kept with them; with several targets (n_folds, n_targets, n_alphas).
    converged : bool
        Whether every fold reached its tolerance at every alpha.
    worst_gap : float
        The largest relative duality gap of any fold.
    errors_by_target : ndarray of shape (n_alphas, n_folds, n_targets) or None
        With several targets; `errors` is the mean over them.
    row_errors : ndarray of shape (n_alphas,) or None
    row_errors_by_target : ndarray of shape (n_alphas, n_targets) or None
        Standard errors over the rows of leave-one-out, whose errors are kept as means alone.
    open_ends : tuple of str
        Ends of the grid, "largest" and "smallest", beyond which a better alpha may lie.
    """

    alphas: Array
    errors: Array
    fold_weights: Array
    l1_ratio: float | None = None
    metric: str = MEAN_SQUARED_ERROR
    fold_coefs: NDArray[Any] | None = None
    fold_intercepts: NDArray[Any] | None = None
    converged: bool = True
    worst_gap: float = 0.0
    errors_by_target: Array | None = None
    row_errors: Array | None = None
    row_errors_by_target: Array | None = None
    open_ends: tuple[str, ...] = ENDS

    def for_target(self, k: int) -> CVResult:
        """The result of target `k` alone."""
        if self.errors_by_target is None:
            raise ValueError("errors were not kept target by target")
        own, rows, added = self.fold_coefs, self.row_errors_by_target, self.fold_intercepts
        return replace(
            self,
            errors=self.errors_by_target[..., k],
            errors_by_target=None,
            row_errors=None if rows is None else rows[:, k],
            row_errors_by_target=None,
            fold_coefs=own if own is None else own[:, k],
            fold_intercepts=added if added is None else added[:, k],
        )

    def with_errors(self, change: Callable[[Array], Array]) -> CVResult:
        """The same with every kind of error changed alike."""
        names = ("errors", "errors_by_target", "row_errors", "row_errors_by_target")
        kept = {name: getattr(self, name) for name in names}
        changed: dict[str, Any] = {
            name: None if values is None else change(values) for name, values in kept.items()
        }
        return replace(self, **changed)

    def in_unit(self, factor: float) -> CVResult:
        """The same errors times `factor`, without the folds' coefficients."""
        changed = self.with_errors(lambda errors: errors * factor)
        return replace(changed, fold_coefs=None, fold_intercepts=None)

    @cached_property
    def _counted(self) -> tuple[Array, Array]:
        """Errors and weights of the folds that count."""
        counted = self.fold_weights > 0
        if counted.all():
            return self.errors, self.fold_weights
        return self.errors[:, counted], self.fold_weights[counted]

    @cached_property
    def mean(self) -> Array:
        """Weighted mean over the folds, shape (n_alphas,)."""
        errors, weights = self._counted
        return np.asarray(errors @ (weights / weights.sum()))

    @cached_property
    def standard_error(self) -> Array:
        """Standard error of the mean over the folds, shape (n_alphas,); NaN of a single fold.

        The weighted variance over K folds divided by K - 1, as in R glmnet.
        """
        if self.row_errors is not None:
            return self.row_errors
        errors, weights = self._counted
        if len(weights) < 2:
            return np.full(len(errors), np.nan)
        weights = weights / weights.sum()
        # Squares of squared errors would leave the range of floating point long before these do.
        unit = 2.0 ** np.frexp(np.abs(self.mean).max())[1]
        spread = np.square((errors - self.mean[:, None]) / unit) @ weights
        return unit * np.sqrt(spread / (len(weights) - 1))

    @cached_property
    def index_min(self) -> int:
        """Index of the smallest mean error; the largest alpha of a tie."""
        return int(np.argmin(self.mean))

    @cached_property
    def index_1se(self) -> int:
        """Index of the largest alpha within one standard error of the smallest mean error.

        Raises
        ------
        ValueError
            If there is no standard error, because a single fold counts.
        """
        best = self.index_min
        error = self.standard_error[best]
        if np.isnan(error):
            raise ValueError("rule='1se' needs at least 2 folds that count: one has no spread")
        return int(np.flatnonzero(self.mean <= self.mean[best] + error)[0])

    @property
    def alpha_min(self) -> float:
        """Alpha of the smallest mean error."""
        return float(self.alphas[self.index_min])

    @property
    def alpha_1se(self) -> float:
        """Largest alpha within one standard error of the best; NaN where there is no such error.

        It is at least `alpha_min`.
        """
        if np.isnan(self.standard_error[self.index_min]):
            return np.nan
        return float(self.alphas[self.index_1se])

    def select(self, rule: str) -> int:
        """Index of the alpha that `rule` chooses."""
        if rule not in RULES:
            raise ValueError(f"rule must be one of {RULES}, got {rule!r}")
        return self.index_1se if rule == "1se" else self.index_min

    @property
    def edge(self) -> str | None:
        """Which of the open ends of the grid the smallest error lies at, if any.

        None where all errors are the same, and at alpha 0, below which there is none.
        """
        if len(self.alphas) == 1 or np.ptp(self.mean) <= 1e-12 * np.abs(self.mean).max():
            return None
        end = {0: "largest", len(self.alphas) - 1: "smallest"}.get(self.index_min)
        return end if end in self.open_ends and self.alpha_min > 0 else None
