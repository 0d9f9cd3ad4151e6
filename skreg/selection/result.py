"""What a cross-validation is: errors along a path, and the choice of an alpha from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
LOG_LOSS, MEAN_DEVIANCE, MEAN_SQUARED_HINGE = "log-loss", "mean deviance", "mean squared hinge"


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
    relax : float or None
        Share of the penalised fit in relaxed ones.
    by_share : dict of float to CVResult, or None
        Where several such shares were tried, the result of each, this one among them.
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
    relax: float | None = None
    by_share: dict[float, CVResult] | None = None

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
        )._with_shares(lambda result: result.for_target(k))

    def with_errors(self, change: Callable[[Array], Array]) -> CVResult:
        """The same with every kind of error changed alike."""
        names = ("errors", "errors_by_target", "row_errors", "row_errors_by_target")
        kept = {name: getattr(self, name) for name in names}
        changed: dict[str, Any] = {
            name: None if values is None else change(values) for name, values in kept.items()
        }
        return replace(self, **changed)._with_shares(lambda result: result.with_errors(change))

    def with_alphas(self, alphas: Array) -> CVResult:
        """The same with its alphas in another unit."""
        changed = replace(self, alphas=alphas)
        return changed._with_shares(lambda result: result.with_alphas(alphas))

    def _with_shares(self, change: Callable[[CVResult], CVResult]) -> CVResult:
        """The same with the result of each share changed."""
        if self.by_share is None:
            return self
        return replace(self, by_share={s: change(one) for s, one in self.by_share.items()})

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
    def _curves(self) -> list[CVResult]:
        """The errors to choose from: of the largest share first, where there are several."""
        return [self] if self.by_share is None else list(self.by_share.values())

    @cached_property
    def _at_min(self) -> tuple[int, int]:
        """Index of the smallest mean error, and of the curve that has it."""
        if self.by_share is None:
            return int(self.mean.argmin()), 0
        means = np.stack([curve.mean for curve in self._curves], axis=1)
        index, curve = np.unravel_index(int(np.argmin(means)), means.shape)
        return int(index), int(curve)

    @cached_property
    def _at_1se(self) -> tuple[int, int]:
        """The same of the largest alpha within one standard error of that; first curve of a tie."""
        index, best = self._at_min
        error = self._curves[best].standard_error[index]
        if np.isnan(error):
            raise ValueError("rule='1se' needs at least 2 folds that count: one has no spread")
        if self.by_share is None:
            return int((self.mean <= self.mean[index] + error).argmax()), 0
        means = np.stack([curve.mean for curve in self._curves], axis=1)
        index, curve = np.argwhere(means <= means[index, best] + error)[0]
        return int(index), int(curve)

    @property
    def index_min(self) -> int:
        """Index of the smallest mean error, at any share; the largest alpha of a tie."""
        return self._at_min[0]

    @property
    def index_1se(self) -> int:
        """Index of the largest alpha within one standard error of the smallest mean error.

        At any share, where there are several.

        Raises
        ------
        ValueError
            If there is no standard error, because a single fold counts.
        """
        return self._at_1se[0]

    @property
    def smallest_mean(self) -> float:
        """The smallest mean error, at any share."""
        index, best = self._at_min
        return float(self._curves[best].mean[index])

    def best_share(self, rule: str) -> float | None:
        """Share of the penalised fit that `rule` chooses; the largest of a tie."""
        return self._curves[(self._at_1se if rule == "1se" else self._at_min)[1]].relax

    @property
    def alpha_min(self) -> float:
        """Alpha of the smallest mean error."""
        return float(self.alphas[self.index_min])

    @property
    def alpha_1se(self) -> float:
        """Largest alpha within one standard error of the best; NaN where there is no such error.

        It is at least `alpha_min`.
        """
        index, best = self._at_min
        if np.isnan(self._curves[best].standard_error[index]):
            return np.nan
        return float(self.alphas[self.index_1se])

    def select(self, rule: str) -> int:
        """Index of the alpha that `rule` chooses."""
        if rule not in RULES:
            raise ValueError(f"rule must be one of {RULES}, got {rule!r}")
        return self.index_1se if rule == "1se" else self.index_min

    @cached_property
    def edge(self) -> str | None:
        """Which of the open ends of the grid the smallest error lies at, if any.

        None where all errors are the same, and at alpha 0, below which there is none.
        """
        if len(self.alphas) == 1 or np.ptp(self.mean) <= 1e-12 * np.abs(self.mean).max():
            return None
        end = {0: "largest", len(self.alphas) - 1: "smallest"}.get(self.index_min)
        return end if end in self.open_ends and self.alpha_min > 0 else None


def at_best_share(
    results: Sequence[CVResult], shares: Sequence[float], rule: str
) -> list[CVResult]:
    """Of one result a share of each candidate, those at the share that is chosen.

    Both rules look at all shares of the candidate with the smallest error, as R glmnet does.
    """
    step = len(shares)
    groups = [
        dict(zip(shares, results[start : start + step], strict=True))
        for start in range(0, len(results), step)
    ]
    best = min(
        (replace(group[shares[0]], by_share=group) for group in groups),
        key=lambda result: result.smallest_mean,
    )
    share = best.best_share(rule)
    assert share is not None
    return [replace(group[share], by_share=group) for group in groups]
