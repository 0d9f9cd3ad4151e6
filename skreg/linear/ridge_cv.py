"""RidgeCV: alpha chosen by exact leave-one-out from one decomposition, or by folds."""

from __future__ import annotations

import numbers
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import _fit_context
from sklearn.metrics import get_scorer_names
from sklearn.model_selection import check_cv
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metadata_routing import _raise_for_params

from ..data.design import Array, Design
from ..estimators.validation import unwrap
from ..paths.fit_path import Model, PathResult, fit_path, open_ends, with_degrees_of_freedom
from ..selection.cross_validate import Fold, cross_validate, mean_squared_error, negated_r2
from ..selection.result import CVResult
from ._base import (
    ADDED_CONSTRAINTS,
    LinearModel,
    all_or_nothing,
    feature_names,
    is_count,
    plain,
    require_finite,
    resolve_alphas,
    ridge_model,
)
from ._checks import check_alphas, single_column
from ._cv import CV_CONSTRAINTS, add_up, keeps_path, make_folds, parallel_runner
from ._leave_one_out import gcv_method, leave_one_out
from ._scoring import RoutesScores, judge
from ._units import Units
from ._warnings import WarnsOfEdge, warn_unconverged


class RidgeCV(RoutesScores, WarnsOfEdge, LinearModel):
    """Ridge regression with alpha chosen by cross-validation.

    The objective is that of `Ridge`. By default each alpha is judged by the exact leave-one-out
    error, for all alphas and targets from one decomposition (Golub, Heath and Wahba,
    Technometrics 21(2), 1979); with `cv`, by the mean over folds.

    Parameters
    ----------
    alphas : int, float or array-like of shape (n_alphas,), default=100
        The alphas, or (int) how many: a log-spaced grid that covers the eigenvalues of the Gram
        matrix. An int is always a count, so that 1, which leaves no choice, warns: a single alpha
        is ``alphas=[1.0]`` or a float. Leave-one-out needs alphas > 0.
    fit_intercept : bool, default=True
    scoring : str, callable or None, default=None
        What is maximised. None is the negative mean squared error, or R² with `cv`.
    cv : int, cross-validation splitter, iterable or None, default=None
        None is leave-one-out.
    gcv_mode : {"auto", "svd", "eigen"} or None, default=None
        Decomposition for leave-one-out: of X, or of its Gram matrix or kernel, which are cheaper.
        "auto" and "eigen" take the second as long as that loses no digits that matter.
    store_cv_results : bool, default=False
        Keep `cv_results_` (leave-one-out only).
    alpha_per_target : bool, default=False
        Choose an alpha for each target.
    n_jobs : int or None, default=None
        Folds in parallel.
    standardize : bool, default=False
    penalty_factor : array-like of shape (n_features,) or None, default=None
    lower_bound, upper_bound : float, array-like of shape (n_features,) or None, default=None
        As for `Ridge`; bounds need `cv`.
    rule : {"min", "1se"}, default="min"
        Take the best alpha, or the largest within one standard error of it.
    fold_weights : {"equal", "size"}, default="equal"
        With `cv`, what a fold counts in the mean of the scores: as much as any other, or the
        sample weights of its held-out rows (their number without weights). Leave-one-out counts
        each row by its sample weight.
    store_fold_coefs : bool, default=False
        Keep each fold's coefficients in ``cv_result_.fold_coefs``.
    store_path : bool or "auto", default="auto"
        Keep `path_`; "auto" does where there is one target.

    Attributes
    ----------
    alpha_ : float or ndarray of shape (n_targets,)
        Chosen by `rule`.
    alpha_min_, alpha_1se_ : float or ndarray of shape (n_targets,)
        What either rule chooses; `alpha_1se_` is NaN where there is no standard error, of a single
        fold or where `scoring` judges leave-one-out.
    best_score_ : float or ndarray of shape (n_targets,)
        Mean score of `alpha_`.
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
    intercept_ : float or ndarray of shape (n_targets,)
    alphas_ : ndarray of shape (n_alphas,)
        Decreasing.
    cv_result_ : CVResult
        Errors (negated scores) with mean and standard error; of leave-one-out nothing else is
        kept, and that of each target only with `alpha_per_target`.
    mse_path_ : ndarray of shape (n_alphas, n_folds)
        With `cv`, the errors, where they are mean squared errors.
    cv_results_ : ndarray of shape (n_samples, n_alphas) or (n_samples, n_targets, n_alphas)
        With ``store_cv_results=True``: squared leave-one-out errors times the sample weights,
        or predictions where `scoring` is given, in the order of `alphas`.
    path_ : PathResult
        On all rows, where `store_path` says so.
    dual_gap_ : float or ndarray of shape (n_targets,)
    converged_ : bool or ndarray of shape (n_targets,)
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skreg import RidgeCV
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = RidgeCV().fit(X, y)
    >>> model.cv_result_.mean.shape
    (100,)
    """

    _parameter_constraints: dict[str, Any] = {
        "alphas": ["array-like", Interval(numbers.Real, 0, None, closed="neither")],
        "fit_intercept": ["boolean"],
        "scoring": [StrOptions(set(get_scorer_names())), callable, None],
        "cv": ["cv_object"],
        "gcv_mode": [StrOptions({"auto", "svd", "eigen"}), None],
        "store_cv_results": ["boolean"],
        "alpha_per_target": ["boolean"],
        **{name: rule for name, rule in ADDED_CONSTRAINTS.items() if name != "solver"},
        **CV_CONSTRAINTS,
    }

    def __init__(
        self,
        alphas: int | float | ArrayLike = 100,
        *,
        fit_intercept: bool = True,
        scoring: Any = None,
        cv: Any = None,
        gcv_mode: str | None = None,
        store_cv_results: bool = False,
        alpha_per_target: bool = False,
        n_jobs: int | None = None,
        standardize: bool = False,
        penalty_factor: ArrayLike | None = None,
        lower_bound: ArrayLike | None = None,
        upper_bound: ArrayLike | None = None,
        rule: str = "min",
        fold_weights: str = "equal",
        store_fold_coefs: bool = False,
        store_path: bool | str = "auto",
    ) -> None:
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.scoring = scoring
        self.cv = cv
        self.gcv_mode = gcv_mode
        self.store_cv_results = store_cv_results
        self.alpha_per_target = alpha_per_target
        self.n_jobs = n_jobs
        self.standardize = standardize
        self.penalty_factor = penalty_factor
        self.lower_bound = lower_bound
        self.upper_bound = upper_bound
        self.rule = rule
        self.fold_weights = fold_weights
        self.store_fold_coefs = store_fold_coefs
        self.store_path = store_path

    @_fit_context(prefer_skip_nested_validation=True)
    @all_or_nothing
    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> RidgeCV:
        """Choose alpha by cross-validation and fit on all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
        sample_weight : array-like of shape (n_samples,), float or None, default=None
            Used in the fits and in the scores. Leave-one-out leaves the row out whatever its
            weight.
        **params : dict
            Metadata for the scorer and the splitter, with metadata routing enabled.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the input or a parameter is invalid; nothing of the fit is then kept.
        """
        _raise_for_params(params, self, "fit")
        X, y, sample_weight, columns, units = self._check_data(X, y, sample_weight)
        model = units.model(ridge_model(self, columns))
        given = unwrap(self.alphas)
        if not is_count(given):
            given = check_alphas(given, allow_zero=self.cv is not None)
        score_params, split_params = self._routed(sample_weight, params)
        folds = None
        if self.cv is not None:
            folds = make_folds(check_cv(self.cv), X, single_column(y), split_params, self.rule)
        X, y, sample_weight = units.scaled(X, y, sample_weight)
        if folds is None:
            alphas, result, design = self._leave_one_out(
                model, given, X, y, sample_weight, score_params, units
            )
        else:
            alphas, result, design = self._folds(
                model, given, X, single_column(y), sample_weight, score_params, folds, units
            )
        if is_count(given):
            result = replace(result, open_ends=open_ends(result.l1_ratio))
        stored = keeps_path(self, y)
        if not stored:
            chosen = [one.select(self.rule) for one in self._by_target(result)]
            alphas = alphas[np.unique(chosen)]
        path = fit_path(
            model, X, single_column(y), alphas, sample_weight=sample_weight, design=design
        )
        if stored:
            path = with_degrees_of_freedom(path, model, design, sample_weight)
        path = units.path(path, model)
        require_finite(path)
        result = units.result(result)
        self._keep(result, path, y.shape[1:])
        if stored:
            self.path_ = replace(path, feature_names=feature_names(self))
        if not (path.converged.all() and result.converged):
            gap = max(result.worst_gap, float(path.dual_gaps.max()))
            warn_unconverged("RidgeCV", gap, path.tol, tunable=False)
        self._warn_edge(self._by_target(result), default_grid=False)
        return self

    def _leave_one_out(
        self,
        model: Model,
        given: int | Array,
        X: Any,
        y: Any,
        sample_weight: Any,
        score_params: dict[str, Any],
        units: Units,
    ) -> tuple[Array, CVResult, Design]:
        if model.penalty.has_bounds:
            raise ValueError(
                "lower_bound and upper_bound have no leave-one-out formula; set cv, such as cv=5"
            )
        method = gcv_method(self.gcv_mode, X)
        metric, name = judge(self, mean_squared_error, "mean squared error", score_params)
        if metric is not mean_squared_error and self.rule == "1se":
            raise ValueError(
                "rule='1se' needs a score of each row or fold: with this scoring set cv"
            )
        design = model.design(X, sample_weight)
        alphas = resolve_alphas(given, model, X, y, sample_weight, design)
        keep = "errors" if self.scoring is None else "predictions"
        result, stored = leave_one_out(
            model,
            design,
            y,
            alphas,
            sample_weight,
            method,
            units.metric(metric),
            name,
            keep=keep if self.store_cv_results else None,
            by_target=self.alpha_per_target,
        )
        if stored is not None:
            order = -(alphas if np.ndim(self.alphas) == 0 else np.asarray(self.alphas))
            stored = stored[..., np.argsort(np.argsort(order, kind="stable"))]
            stored = units.stored(stored, errors=keep == "errors")
            self.cv_results_ = stored[:, 0] if y.ndim == 1 else stored
        return alphas, result, design

    def _folds(
        self,
        model: Model,
        given: int | Array,
        X: Any,
        y: Any,
        sample_weight: Any,
        score_params: dict[str, Any],
        folds: list[Fold],
        units: Units,
    ) -> tuple[Array, CVResult, Design]:
        if self.store_cv_results:
            raise ValueError(
                "cv!=None and store_cv_results=True are incompatible: cv_results_ is leave-one-out;"
                " use cv_result_ or store_fold_coefs"
            )
        metric, name = judge(self, negated_r2, "r2", score_params)
        sums, design, _ = add_up(model, X, y, sample_weight, folds)
        alphas = resolve_alphas(given, model, X, y, sample_weight, design)
        (result,) = cross_validate(
            [(model, alphas)],
            X,
            y,
            folds,
            sample_weight=sample_weight,
            sums=sums,
            metric=units.metric(metric),
            metric_name=name,
            keep_coefs=self.store_fold_coefs,
            fold_weights=self.fold_weights,
            run=parallel_runner(self.n_jobs, 0),
        )
        return alphas, result, design

    def _by_target(self, result: CVResult) -> list[CVResult]:
        if not self.alpha_per_target or result.errors_by_target is None:
            return [result]
        return [result.for_target(k) for k in range(result.errors_by_target.shape[2])]

    def _keep(self, result: CVResult, path: PathResult, intercept_shape: tuple[int, ...]) -> None:
        results = self._by_target(result)
        index = [each.select(self.rule) for each in results]
        on_path = np.searchsorted(-path.alphas, -result.alphas[index])
        for earlier in ("path_", "mse_path_"):
            self.__dict__.pop(earlier, None)
        self.cv_result_ = result
        self.alphas_ = result.alphas
        if self.cv is not None and result.metric == "mean squared error":
            self.mse_path_ = result.errors
        many = len(results) > 1

        def chosen(values: list[Any]) -> Any:
            return np.array(values) if many else np.float64(values[0])

        def at(values: NDArray[Any]) -> NDArray[Any]:
            if not many:
                return np.asarray(values[..., on_path[0]])
            return np.stack([values[k, ..., i] for k, i in enumerate(on_path)])

        self.alpha_ = chosen([result.alphas[i] for i in index])
        self.alpha_min_ = chosen([each.alpha_min for each in results])
        self.alpha_1se_ = chosen([each.alpha_1se for each in results])
        self.best_score_ = chosen([-each.mean[i] for each, i in zip(results, index, strict=True)])
        self.coef_ = np.ascontiguousarray(at(path.coefs))
        intercept = at(path.intercepts).astype(self.coef_.dtype)
        self.intercept_ = intercept.reshape(intercept_shape)[()]
        self.dual_gap_, self.converged_ = at(path.dual_gaps)[()], plain(at(path.converged))
        if not self.fit_intercept:
            self.intercept_ = 0.0
