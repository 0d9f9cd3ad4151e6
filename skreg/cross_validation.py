"""Cross-validated error along a path, and the choice of an alpha from it.

A fold is the same X with other row weights: the held-out rows weigh nothing in its `Design`, so
no training matrix is copied, and where there are more rows than features its moments are those of
all rows less those of the held-out ones (`fold_sums.py`). What a fold's rows give is made once
for all candidates, and every alpha is scored by one product. Folds are averaged with the weight
of their held-out rows, as R glmnet does, so that a row of weight k counts as k rows here too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from .design import Array
from .fold_sums import FoldSums, RowSums, design_from_sums, left_out, training_weight
from .path import Model, fit_path

Fold = tuple[NDArray[np.intp], NDArray[np.intp]]
RULES = ("min", "1se")
ENDS = ("largest", "smallest")


@dataclass(frozen=True, eq=False)
class CVResult:
    """Held-out errors along a path.

    Attributes
    ----------
    alphas : ndarray of shape (n_alphas,)
        Decreasing.
    errors : ndarray of shape (n_alphas, n_folds)
        Weighted mean squared error of each fold's held-out rows (negated scores where `metric`
        names a scorer). Leave-one-out has one column a row.
    fold_weights : ndarray of shape (n_folds,)
        Sum of the sample weights of the held-out rows; 0, which does not count, where the metric
        is not defined (R² of a single row).
    l1_ratio : float or None
    metric : str
    fold_coefs : ndarray of shape (n_folds, n_features, n_alphas) or None
        Each fold's coefficients, where they were kept; with several targets
        (n_folds, n_targets, n_features, n_alphas).
    converged : bool
        Whether every fold reached its tolerance at every alpha.
    worst_gap : float
        The largest relative duality gap of any fold.
    errors_by_target : ndarray of shape (n_alphas, n_folds, n_targets) or None
        With several targets; `errors` is the mean over them.
    open_ends : tuple of str
        Ends of the grid, "largest" and "smallest", beyond which a better alpha may lie.
    """

    alphas: Array
    errors: Array
    fold_weights: Array
    l1_ratio: float | None = None
    metric: str = "mean squared error"
    fold_coefs: NDArray[Any] | None = None
    converged: bool = True
    worst_gap: float = 0.0
    errors_by_target: Array | None = None
    open_ends: tuple[str, ...] = ENDS

    def for_target(self, k: int) -> CVResult:
        """The result of target `k` alone."""
        if self.errors_by_target is None:
            raise ValueError("errors were not kept target by target")
        own = self.fold_coefs
        return replace(
            self,
            errors=self.errors_by_target[..., k],
            errors_by_target=None,
            fold_coefs=own if own is None else own[:, k],
        )

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
        errors, weights = self._counted
        if len(weights) < 2:
            return np.full(len(errors), np.nan)
        weights = weights / weights.sum()
        spread = [
            np.square(one - mean) @ weights for one, mean in zip(errors, self.mean, strict=True)
        ]
        return np.sqrt(np.array(spread) / (len(weights) - 1))

    @property
    def index_min(self) -> int:
        """Index of the smallest mean error; the largest alpha of a tie."""
        return int(np.argmin(self.mean))

    @property
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
        """Index of the alpha that `rule`, "min" or "1se", chooses."""
        if rule not in RULES:
            raise ValueError(f"rule must be one of {RULES}, got {rule!r}")
        return self.index_min if rule == "min" else self.index_1se

    @property
    def edge(self) -> str | None:
        """Which of the open ends of the grid the smallest error lies at, if any.

        None where all errors are the same, and at alpha 0, below which there is none.
        """
        if len(self.alphas) == 1 or np.ptp(self.mean) <= 1e-12 * np.abs(self.mean).max():
            return None
        end = {0: "largest", len(self.alphas) - 1: "smallest"}.get(self.index_min)
        return end if end in self.open_ends and self.alpha_min > 0 else None


@dataclass(frozen=True)
class HeldOut:
    """What a metric sees: one fold's held-out rows, and what is predicted for them.

    Attributes
    ----------
    rows : ndarray of shape (n_test,)
        Indices of the held-out rows.
    targets : ndarray of shape (n_test, n_targets)
    weights : ndarray of shape (n_test,)
    predict : callable
        Gives the predictions.
    errors : ndarray of shape (n_targets, n_alphas), optional
        Weighted mean squared errors, where they are known without predictions.
    """

    rows: NDArray[np.intp]
    targets: Array
    weights: Array
    predict: Callable[[], Array]
    errors: Array | None = None

    @cached_property
    def predictions(self) -> Array:
        """Predictions for every alpha, shape (n_test, n_targets, n_alphas)."""
        return self.predict()


def mean_squared_error(held_out: HeldOut) -> Array:
    """Weighted mean squared error, shape (n_targets, n_alphas)."""
    if held_out.errors is not None:
        return held_out.errors
    squared = (held_out.predictions - held_out.targets[..., None]) ** 2
    total = held_out.weights.sum()
    if total <= 0:
        return np.zeros(squared.shape[1:])
    return np.tensordot(held_out.weights / total, squared, axes=1)


def negated_r2(held_out: HeldOut) -> Array:
    """Minus the coefficient of determination, shape (n_targets, n_alphas); NaN for one row."""
    error = mean_squared_error(held_out)
    if held_out.weights.sum() <= 0:
        return np.zeros_like(error)  # the fold does not count
    if len(held_out.rows) < 2:
        return np.full_like(error, np.nan)
    mean = np.average(held_out.targets, axis=0, weights=held_out.weights)
    null = np.average((held_out.targets - mean) ** 2, axis=0, weights=held_out.weights)[:, None]
    ratio = np.divide(error, null, out=np.where(error > 0, 1.0, 0.0), where=null > 0)
    return ratio - 1.0


Metric = Callable[[HeldOut], Array]


@dataclass(frozen=True, eq=False)
class _FoldScore:
    errors: Array
    weight: float
    coefs: NDArray[Any] | None
    converged: bool
    worst_gap: float


def cross_validate(
    candidates: Sequence[tuple[Model, Array]],
    X: Any,
    y: Array,
    folds: Sequence[Fold],
    *,
    sample_weight: Array | None = None,
    sums: FoldSums | None = None,
    metric: Metric = mean_squared_error,
    metric_name: str = "mean squared error",
    keep_coefs: bool = False,
    run: Callable[[Iterable[Callable[[], Any]]], list[Any]] | None = None,
) -> list[CVResult]:
    """Held-out errors of each candidate, a model with its alphas.

    Parameters
    ----------
    candidates : sequence of (Model, ndarray of shape (n_alphas,))
    X : ndarray or sparse matrix of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,) or (n_samples, n_targets)
        With several targets the error is the mean over them.
    folds : sequence of (train, test) index arrays
        An index that is repeated counts as often.
    sample_weight : ndarray of shape (n_samples,), optional
    sums : FoldSums, optional
        Of the same data and folds.
    metric : callable, default=mean_squared_error
        From `HeldOut` to errors of shape (n_targets or 1, n_alphas), smaller is better.
    metric_name : str
    keep_coefs : bool, default=False
        Whether to keep each fold's coefficients.
    run : callable, optional
        Calls the functions it is given and returns their results in order; by default one after
        the other.

    Returns
    -------
    list of CVResult, one a candidate
    """
    weight = np.ones(len(y)) if sample_weight is None else sample_weight
    total = None if sums is None else sums.total
    parts = [None] * len(folds) if sums is None else sums.parts
    tasks = [
        partial(score_fold, candidates, X, y, fold, weight, metric, keep_coefs, total, part)
        for fold, part in zip(folds, parts, strict=True)
    ]
    by_fold = [task() for task in tasks] if run is None else run(tasks)
    results = []
    for i, (model, alphas) in enumerate(candidates):
        own = [scores[i] for scores in by_fold]
        if not any(score.weight for score in own):
            raise ValueError(
                f"the {metric_name} of no fold is defined: the folds hold out single rows, or rows"
                " of weight 0; use other folds, or scoring='neg_mean_squared_error'"
            )
        kept = [score.coefs for score in own if score.coefs is not None]
        by_target = np.stack([score.errors.T for score in own], axis=1)
        results.append(
            CVResult(
                alphas=alphas,
                errors=by_target.mean(axis=2),
                errors_by_target=by_target if by_target.shape[2] > 1 else None,
                fold_weights=np.array([score.weight for score in own]),
                l1_ratio=None if model.summed_loss else model.penalty.l1_ratio,
                metric=metric_name,
                fold_coefs=np.stack(kept) if kept else None,
                converged=all(score.converged for score in own),
                worst_gap=max(score.worst_gap for score in own),
            )
        )
    return results


def score_fold(
    candidates: Sequence[tuple[Model, Array]],
    X: Any,
    y: Array,
    fold: Fold,
    weight: Array,
    metric: Metric,
    keep_coefs: bool,
    total: RowSums | None = None,
    part: RowSums | None = None,
) -> list[_FoldScore]:
    """Fit the paths of all candidates without the held-out rows and score them on those.

    `total` has the sums over all rows, `part` those over the rows that are left out if kept.
    """
    # Rows that are not in the training set weigh nothing; repeated ones weigh more.
    train = training_weight(fold, weight)
    if not train.any():
        raise ValueError("the training rows of a fold all have sample_weight 0: use other folds")
    Y, test = y.reshape(len(y), -1), fold[1]
    first = candidates[0][0]
    design, target = None, None
    if total is not None:
        part = part or left_out(X, Y, total.reference, weight, train)
        sums = RowSums.build(X, Y, total.reference, train) if part is None else total.less(part)
        made = design_from_sums(X, Y, train, sums, total, first.fit_intercept, first.standardize)
        design, target = made or (None, None)
    if design is None:
        design = first.design(X, train)
    # Sums over the rows left out are sums over the held-out rows where these are the same.
    tested = np.bincount(test, minlength=len(y)) * weight
    same = part is not None and np.array_equal(weight - train, tested)
    scores = []
    for model, alphas in candidates:
        path = fit_path(model, X, y, alphas, sample_weight=train, design=design, target=target)
        coefs = path.coefs.reshape(-1, *path.coefs.shape[-2:])
        intercepts = path.intercepts.reshape(len(coefs), -1)
        held_out = HeldOut(
            test,
            Y[test],
            weight[test],
            partial(_predict, X, test, coefs, intercepts),
            part.mean_squared_error(coefs, intercepts) if same and part is not None else None,
        )
        errors = metric(held_out)
        defined = bool(np.isfinite(errors).all())
        scores.append(
            _FoldScore(
                errors=errors if defined else np.zeros_like(errors),
                weight=float(weight[test].sum()) if defined else 0.0,
                coefs=path.coefs if keep_coefs else None,
                converged=bool(path.converged.all()),
                worst_gap=float(path.dual_gaps.max()),
            )
        )
    return scores


def _predict(X: Any, test: NDArray[np.intp], coefs: Array, intercepts: Array) -> Array:
    """Predictions for some rows, shape (n_test, n_targets, n_alphas)."""
    used = np.flatnonzero(coefs.any(axis=(0, 2)))
    stored_sparse = bool(sparse.issparse(X))
    rows = X[:, used][test] if stored_sparse else X[np.ix_(test, used)]
    fitted = np.stack([rows @ w for w in coefs[:, used].astype(np.float64)], axis=1)
    return fitted + intercepts
