"""Cross-validated error along a path.

A fold is the same X with other row weights: the held-out rows weigh nothing in its `Design`, so
no training matrix is copied, and where there are more rows than features its moments are those of
all rows less those of the held-out ones (`fold_moments.py`). What a fold's rows give is made once
for all candidates, and every alpha is scored by one product. Folds are averaged as scikit-learn
does, all alike, or with the weight of their held-out rows as R glmnet does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..caching import cached_property
from ..data.moments import SMALLEST_ERROR, MomentMatrix
from ..data.powers_of_two import PowersOfTwo
from ..data.products import Array
from ..objective.losses import Loss
from ..paths.fit_path import fit_path
from ..paths.problem import BoundProblem
from ..paths.relaxed import mixed_coefficients, refits
from ..paths.result import PathResult
from ..solvers.base import SQUARED
from .fold_moments import Fold, FoldMoments, left_out, training_problem, training_weight
from .pilot import Pilot
from .result import MEAN_SQUARED_ERROR, CVResult

# Stands for the error of a refit whose predictions overflow: squares of it do not.
OVERFLOWN = 1e100
# Linear predictors that are scored at once, for which memory is found again and again.
SCORED_AT_ONCE = 1 << 16


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
        Gives the linear predictors.
    loss : Loss
        What was minimised.
    errors : ndarray of shape (n_targets, n_alphas), optional
        Weighted mean squared errors, where they are known without predictions.
    """

    rows: NDArray[np.intp]
    targets: Array
    weights: Array
    predict: Callable[[], Array]
    loss: Loss = SQUARED
    errors: Array | None = None

    @cached_property
    def linear_predictors(self) -> Array:
        """Of every alpha, shape (n_test, n_targets, n_alphas)."""
        return self.predict()

    @cached_property
    def predictions(self) -> Array:
        """Their inverse links, of losses that do not couple the targets."""
        return self.loss.inverse_link(self.linear_predictors)


def mean_squared_error(held_out: HeldOut) -> Array:
    """Weighted mean squared error, shape (n_targets, n_alphas)."""
    if held_out.errors is not None:
        return held_out.errors
    squared = (held_out.predictions - held_out.targets[..., None]) ** 2
    total = held_out.weights.sum()
    if total <= 0:
        return np.zeros(squared.shape[1:])
    return np.tensordot(held_out.weights / total, squared, axes=1)


def mean_deviance(held_out: HeldOut) -> Array:
    """Weighted mean deviance of the loss that was minimised, shape (1, n_alphas)."""
    total = held_out.weights.sum()
    eta, loss, targets = held_out.linear_predictors, held_out.loss, held_out.targets
    if total <= 0:
        return np.zeros((1, eta.shape[2]))
    scale = held_out.weights[:, None] / total
    by_alpha, step = np.moveaxis(eta, 2, 0), max(1, SCORED_AT_ONCE // targets.size)
    some = (by_alpha[i : i + step] for i in range(0, len(by_alpha), step))
    each = [loss.deviances(np.ascontiguousarray(one), targets, scale) for one in some]
    return np.concatenate(each)[None]


def log_loss(held_out: HeldOut) -> Array:
    """Weighted mean log-loss, half the deviance of classes, shape (1, n_alphas)."""
    return 0.5 * mean_deviance(held_out)


def mean_squared_hinge(held_out: HeldOut) -> Array:
    """Weighted mean of ``max(0, 1 - y eta)^2`` over rows and classes, shape (1, n_alphas)."""
    return mean_deviance(held_out) / held_out.targets.shape[1]


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

#: Metrics that are a mean over the rows, and how many times that of the loss that is minimised.
OF_EACH_ROW: dict[Metric, float] = {
    mean_squared_error: 2.0,
    mean_deviance: 2.0,
    mean_squared_hinge: 2.0,
    log_loss: 1.0,
}


class FoldScore(NamedTuple):
    """What a fold gave for one candidate."""

    errors: Array
    weight: float
    coefs: NDArray[Any] | None
    intercepts: Array | None
    converged: bool
    worst_gap: float


def cross_validate(
    candidates: Sequence[tuple[BoundProblem, Array]],
    folds: Sequence[Fold],
    *,
    moments: FoldMoments | None,
    metric: Metric,
    metric_name: str,
    keep_coefs: bool,
    fold_weights: str,
    run: Callable[[list[Callable[[], Any]]], list[Any]],
    weights: Array | None = None,
    reweighted: Callable[[Array], Array] | None = None,
    shares: Sequence[float] | None = None,
    pilot: Pilot | None = None,
) -> list[CVResult]:
    """Held-out errors of each candidate, a problem with its alphas.

    Parameters
    ----------
    candidates : sequence of (BoundProblem, ndarray of shape (n_alphas,))
        All on the same data. With several targets the error is the mean over them.
    folds : sequence of (train, test) index arrays
        An index that is repeated counts as often.
    moments : FoldMoments or None
        Of the same data and folds.
    metric : callable
        From `HeldOut` to errors of shape (n_targets or 1, n_alphas), smaller is better.
    metric_name : str
    keep_coefs : bool
        Whether to keep each fold's coefficients.
    fold_weights : {"equal", "size"}
        What a fold counts in the mean: as much as any other, or the weights of its held-out rows.
    run : callable
        Calls the functions it is given and returns their results in order.
    weights : ndarray of shape (n_samples,), optional
        Of the rows, where a fit weighs them by their classes as well.
    reweighted : callable, optional
        What rows of such weights count in a fit on them alone.
    shares : sequence of float, optional
        Of the penalised fit in relaxed ones, each to be tried.
    pilot : Pilot, optional
        The first fit of the adaptive Lasso, made anew on the training rows of each fold.

    Returns
    -------
    list of CVResult, one a candidate, or one a share of each candidate
        On the user's scale.
    """
    first = candidates[0][0]
    seen = judged_by(metric, first.powers)
    total = None if moments is None else moments.total
    parts = [None] * len(folds) if moments is None else moments.parts
    own = first.weights if weights is None else weights
    score = partial(score_fold, candidates, own, reweighted=reweighted, shares=shares, pilot=pilot)
    by_fold = run(
        [
            partial(score, fold, seen, keep_coefs, total, part)
            for fold, part in zip(folds, parts, strict=True)
        ]
    )
    return as_results(candidates, by_fold, metric_name, keep_coefs, fold_weights, shares)


def as_results(
    candidates: Sequence[tuple[BoundProblem, Array]],
    by_fold: Sequence[list[FoldScore]],
    metric_name: str,
    keep_coefs: bool,
    fold_weights: str,
    shares: Sequence[float] | None,
) -> list[CVResult]:
    """The scores of each candidate, on the user's scale."""
    powers = candidates[0][0].powers
    results = []
    tried = [(*one, share) for one in candidates for share in shares or (None,)]
    for (bound, alphas, share), each in zip(tried, zip(*by_fold, strict=True), strict=True):
        errors, counted, coefs, intercepts, converged, gaps = zip(*each, strict=True)
        if not any(counted):
            raise ValueError(
                f"the {metric_name} of no fold is defined: the folds hold out single rows, rows of"
                " weight 0, or rows whose prediction overflows; use other folds, smaller offsets"
                " or another scoring, such as 'neg_mean_squared_error'"
            )
        by_target = np.stack([each.T for each in errors], axis=1)
        result = CVResult(
            alphas=alphas,
            errors=by_target.mean(axis=2),
            errors_by_target=by_target if by_target.shape[2] > 1 else None,
            fold_weights=np.sign(counted) if fold_weights == "equal" else np.array(counted),
            l1_ratio=bound.problem.l1_ratio,
            metric=metric_name,
            fold_coefs=np.stack(coefs) if keep_coefs else None,
            fold_intercepts=np.stack(intercepts) if keep_coefs else None,
            converged=all(converged),
            worst_gap=max(gaps),
            relax=share,
        )
        results.append(on_user_scale(result, powers))
    return results


def score_fold(
    candidates: Sequence[tuple[BoundProblem, Array]],
    weight: Array,
    fold: Fold,
    metric: Metric,
    keep_coefs: bool,
    total: MomentMatrix | None,
    part: MomentMatrix | None,
    reweighted: Callable[[Array], Array] | None = None,
    shares: Sequence[float] | None = None,
    pilot: Pilot | None = None,
) -> list[FoldScore]:
    """Fit the paths of all candidates without the held-out rows and score them on those.

    `total` has the moments of all rows, `part` those of the rows that are left out if kept.
    """
    first, test = candidates[0][0], fold[1]
    Y = first.target.raw
    # Rows that are not in the training set weigh nothing; repeated ones weigh more.
    train = training_weight(fold, weight)
    if reweighted is not None:
        train = reweighted(train)
    if not train.any():
        raise ValueError("the training rows of a fold all have sample_weight 0: use other folds")
    if total is not None:
        part = part or left_out(first.design, Y, total.reference, weight, train)
    trained = training_problem(first, train, total, part)
    # Moments of the rows left out are those of the held-out rows where these are the same.
    tested = np.bincount(test, minlength=len(weight)) * weight
    known = part if part is not None and np.array_equal(weight - train, tested) else None
    if pilot is not None:
        grids = [alphas for _, alphas in candidates]
        candidates = list(zip(pilot.adapted(trained), grids, strict=True))
    scores = []
    for bound, alphas in candidates:
        own = trained if bound is first else trained.with_problem_of(bound)
        path = fit_path(own, alphas)
        refit = refits(own, path) if shares is not None and min(shares) < 1.0 else path
        fitted = FittedFold(path, refit, partial(_predict, first, test), known)
        for share in shares or (1.0,):
            predict, mse = partial(fitted.predictions, share), fitted.errors(share)
            errors = metric(HeldOut(test, Y[test], weight[test], predict, bound.loss, mse))
            if share < 1.0 and np.isfinite(errors).any():
                errors = np.where(np.isfinite(errors), errors, OVERFLOWN)
            scores.append(fitted.scored(share, errors, float(weight[test].sum()), keep_coefs))
    return scores


@dataclass(frozen=True, eq=False)
class FittedFold:
    """A path and its refits, of which a relaxed fit has a share each, on the rows held out.

    `predict` leads from coefficients and intercepts, targets first, to linear predictors; `known`
    has the moments of the rows, where there are any, which do not tell errors that are less than
    `least` of the squares they are made from.
    """

    path: PathResult
    refit: PathResult
    predict: Callable[[Array, Array], Array] | None
    known: MomentMatrix | None
    least: float = SMALLEST_ERROR

    def scored(self, share: float, errors: Array, weight: float, keep_coefs: bool) -> FoldScore:
        """The scores of a fold, which does not count where they are not defined."""
        defined = bool(np.isfinite(errors).all())
        kept = mixed_coefficients(self.path, self.refit, share) if keep_coefs else (None, None)
        ends = (self.path,) if share == 1.0 else (self.path, self.refit)
        return FoldScore(
            errors=errors if defined else np.zeros_like(errors),
            weight=weight if defined else 0.0,
            coefs=kept[0],
            intercepts=kept[1],
            converged=all(bool(end.converged.all()) for end in ends),
            worst_gap=max(float(end.dual_gaps.max()) for end in ends),
        )

    def predictions(self, share: float) -> Array:
        """Linear predictors, which are mixed as coefficients are."""
        if share == 1.0:
            return self._of_ends[0]
        return share * self._of_ends[0] + (1.0 - share) * self._of_ends[1]

    @cached_property
    def _of_ends(self) -> list[Array]:
        assert self.predict is not None
        ends = [self.path] if self.refit is self.path else [self.path, self.refit]
        return [self.predict(*_by_target(end.coefs, end.intercepts)) for end in ends]

    def errors(self, share: float) -> Array | None:
        """Mean squared errors where moments tell them, which are quadratic in the share."""
        if share == 1.0:
            return self._error_at(1.0)
        nodes = [self._error_at(node) for node in (0.0, 0.5, 1.0)]
        if any(error is None for error in nodes):
            return None
        weights = (1 - share) * (1 - 2 * share), 4 * share * (1 - share), share * (2 * share - 1)
        return np.maximum(np.tensordot(weights, np.array(nodes), axes=1), 0.0)

    def _error_at(self, share: float) -> Array | None:
        if share not in self._errors:
            found = None
            if self.known is not None:
                ends = _by_target(*mixed_coefficients(self.path, self.refit, share))
                found = self.known.mean_squared_error(*ends, self.least)
            self._errors[share] = found
        return self._errors[share]

    @cached_property
    def _errors(self) -> dict[float, Array | None]:
        return {}


def _by_target(coefs: NDArray[Any], intercepts: Array) -> tuple[Array, Array]:
    """Coefficients and intercepts, targets first."""
    coefs = coefs.reshape(-1, *coefs.shape[-2:])
    return coefs, intercepts.reshape(len(coefs), -1)


def _predict(bound: BoundProblem, test: NDArray[np.intp], coefs: Array, intercepts: Array) -> Array:
    """Linear predictors of some rows, shape (n_test, n_targets, n_alphas)."""
    used = np.flatnonzero(coefs.any(axis=(0, 2)))
    rows = bound.design.entries(test, used)
    fitted = np.stack([rows @ w for w in coefs[:, used].astype(np.float64)], axis=1)
    fitted += intercepts
    offset = bound.target.offset
    return fitted if offset is None else fitted + offset[test].reshape(len(test), -1, 1)


# The user's scale ---------------------------------------------------------------------------


def judged_by(metric: Metric, powers: PowersOfTwo) -> Metric:
    """A metric that is shown the user's targets and predictions."""
    known = [mean_squared_error, negated_r2]
    if not powers.target:
        known += [mean_deviance, log_loss, mean_squared_hinge]
    if powers.ordinary or metric in known:
        return metric
    return partial(_judged, powers, metric)


def _judged(powers: PowersOfTwo, metric: Metric, held_out: HeldOut) -> Array:
    return metric(
        replace(
            held_out,
            targets=np.ldexp(held_out.targets, powers.target),
            weights=np.ldexp(held_out.weights, powers.weight),
            predict=lambda: np.ldexp(held_out.predict(), powers.target),
            errors=None,
        )
    )


def on_user_scale(result: CVResult, powers: PowersOfTwo) -> CVResult:
    """The cross-validation as the user has it."""
    if powers.ordinary:
        return result
    if result.metric == MEAN_SQUARED_ERROR:
        result = result.with_errors(powers.errors)
    weights = powers.weights(result.fold_weights)
    if result.fold_coefs is None or result.fold_intercepts is None:
        return replace(result, fold_weights=weights)
    coefs = powers.coefficients(result.fold_coefs)
    intercepts = powers.intercepts(result.fold_intercepts, coefs.dtype)
    return replace(result, fold_weights=weights, fold_coefs=coefs, fold_intercepts=intercepts)
