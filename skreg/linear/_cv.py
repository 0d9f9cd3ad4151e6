"""The fit that LassoCV and ElasticNetCV share, and what every CV estimator needs."""

from __future__ import annotations

import numbers
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import _fit_context
from sklearn.model_selection import check_cv
from sklearn.utils._param_validation import Hidden, Interval, StrOptions
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _raise_for_params,
    _routing_enabled,
    process_routing,
)
from sklearn.utils.parallel import Parallel, delayed

from ..data.design import Design
from ..paths.fit_path import Model, fit_path, open_ends, with_degrees_of_freedom
from ..selection.cross_validate import Fold, cross_validate
from ..selection.fold_moments import FoldSums, design_of_all
from ..selection.result import RULES, CVResult
from ..solvers.base import Target
from ._base import (
    ADDED_CONSTRAINTS,
    LinearModel,
    all_or_nothing,
    feature_names,
    is_count,
    is_gram,
    linear_model,
    plain,
    require_finite,
    resolve_alphas,
    take_gram,
    undeprecated,
)
from ._checks import check_alphas, single_column
from ._warnings import WarnsOfEdge, warn_unconverged

# scikit-learn's range of a grid.
DEFAULT_EPS = 1e-3

CV_CONSTRAINTS: dict[str, Any] = {
    "rule": [StrOptions(set(RULES))],
    "fold_weights": [StrOptions({"equal", "size"})],
    "store_fold_coefs": ["boolean"],
    "store_path": ["boolean", StrOptions({"auto"})],
    "n_jobs": [numbers.Integral, None],
}


def make_folds(splitter: Any, X: Any, y: Any, params: dict[str, Any], rule: str) -> list[Fold]:
    """The splits as index arrays; for the rule "1se" at least two."""
    n_samples = X.shape[0]
    rows = np.arange(n_samples)
    try:
        folds = [(rows[train], rows[test]) for train, test in splitter.split(X, y, **params)]
    except IndexError as error:
        raise ValueError(f"cv gives rows that are not among the {n_samples} of X") from error
    if not folds:
        raise ValueError("cv must give at least one pair of training and test rows, got none")
    if len(folds) < 2 and rule == "1se":
        raise ValueError("rule='1se' needs at least 2 folds: cv gives one, which has no spread")
    for i, (train, test) in enumerate(folds):
        if not len(train) or not len(test):
            raise ValueError(f"cv: fold {i} has no {'test' if len(train) else 'training'} rows")
    return folds


def add_up(
    model: Model, X: Any, y: Any, sample_weight: Any, folds: list[Fold]
) -> tuple[FoldSums | None, Design, Target]:
    """Sums of the folds, where they serve, and the whole data as the solvers see it."""
    center, standardize = model.fit_intercept, model.standardize
    sums = FoldSums.build(X, y, sample_weight, folds, center) if model.sums_suit(X) else None
    whole = design_of_all(X, y, sample_weight, sums, center=center, standardize=standardize)
    return sums, *whole


def keeps_path(estimator: Any, y: Any) -> bool:
    """Whether `path_` is kept: asked for, or that of a single target."""
    stored = estimator.store_path
    return bool(y.ndim == 1 or y.shape[1] == 1) if isinstance(stored, str) else bool(stored)


def parallel_runner(
    n_jobs: int | None, verbose: int
) -> Callable[[Iterable[Callable[[], Any]]], list[Any]]:
    """Calls functions in parallel and returns what they return in order."""

    def run(tasks: Iterable[Callable[[], Any]]) -> list[Any]:
        parallel = Parallel(n_jobs=n_jobs, verbose=int(verbose))
        if parallel.n_jobs == 1 and not verbose:
            return [task() for task in tasks]
        return list(parallel(delayed(task)() for task in tasks))

    return run


# A number of alphas.
COUNT = Interval(numbers.Integral, 1, None, closed="left")


class LassoLikeCV(WarnsOfEdge, LinearModel, ABC):
    """The fit that LassoCV and ElasticNetCV share."""

    _parameter_constraints: dict[str, Any] = {
        "eps": [Interval(numbers.Real, 0, 1, closed="right")],
        "n_alphas": [COUNT, Hidden(StrOptions({"deprecated"}))],
        "alphas": [COUNT, "array-like", Hidden(None)],
        "fit_intercept": ["boolean"],
        "precompute": [StrOptions({"auto"}), "array-like", "boolean"],
        "max_iter": [Interval(numbers.Integral, 1, None, closed="left")],
        "tol": [Interval(numbers.Real, 0, None, closed="left")],
        "copy_X": ["boolean"],
        "cv": ["cv_object"],
        "verbose": ["verbose"],
        "positive": ["boolean"],
        "random_state": ["random_state"],
        "selection": [StrOptions({"cyclic", "random"})],
        **ADDED_CONSTRAINTS,
        **CV_CONSTRAINTS,
    }

    @abstractmethod
    def _l1_ratios(self) -> np.ndarray:
        """The mixings to try, shape (n_l1_ratio,)."""

    @_fit_context(prefer_skip_nested_validation=True)
    @all_or_nothing
    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> LassoLikeCV:
        """Choose alpha (and l1_ratio) by cross-validation, then fit on all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Several targets share the alpha with the smallest mean error.
        sample_weight : array-like of shape (n_samples,), float or None, default=None
            Used in the grid, the fits and the errors, and with ``fold_weights="size"`` in their
            mean over the folds.
        **params : dict
            Metadata for the splitter, such as `groups`, with metadata routing enabled.

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
        y = single_column(y)
        l1_ratios = self._l1_ratios()
        given = undeprecated(self.n_alphas, self.alphas, "1.7", "1.9")
        if not is_count(given):
            given = check_alphas(given)
        models = [units.model(linear_model(self, columns, ratio)) for ratio in l1_ratios]
        split_params = {}
        if _routing_enabled():
            routed = process_routing(self, "fit", sample_weight=sample_weight, **params)
            split_params = routed.splitter.split
        folds = make_folds(check_cv(self.cv), X, y, split_params, self.rule)
        X, y, sample_weight = units.scaled(X, y, sample_weight)
        # Centring, scaling and weights are the same whatever the l1_ratio.
        sums, design, target = add_up(models[0], X, y, sample_weight, folds)
        if is_gram(self.precompute):
            take_gram(design, X, units.gram(self.precompute))
        candidates = [
            (model, resolve_alphas(given, model, X, y, sample_weight, design, self.eps))
            for model in models
        ]
        results = cross_validate(
            candidates,
            X,
            y,
            folds,
            sample_weight=sample_weight,
            sums=sums,
            keep_coefs=self.store_fold_coefs,
            fold_weights=self.fold_weights,
            run=parallel_runner(self.n_jobs, self.verbose),
        )
        if is_count(given):
            results = [replace(one, open_ends=open_ends(one.l1_ratio)) for one in results]
        best = int(np.argmin([result.mean.min() for result in results]))
        (model, alphas), chosen = candidates[best], results[best]
        path = fit_path(
            model, X, y, alphas, sample_weight=sample_weight, design=design, target=target
        )
        stored = keeps_path(self, y)
        if stored:
            path = with_degrees_of_freedom(path, model, design, sample_weight)
        path = units.path(path, model)
        require_finite(path)
        results = [units.result(result) for result in results]
        chosen = results[best]
        shared = len(results) == 1 or not is_count(given)
        self._keep(results, chosen, path, shared)
        if stored:
            self.path_ = replace(path, feature_names=feature_names(self))
        self.l1_ratio_ = l1_ratios[best]
        if not (path.converged.all() and chosen.converged):
            gap = max(chosen.worst_gap, float(path.dual_gaps.max()))
            warn_unconverged(type(self).__name__, gap, self.tol)
        self._warn_edge([chosen], default_grid=is_count(given) and self.eps == DEFAULT_EPS)
        return self

    def _keep(self, results: list[CVResult], chosen: CVResult, path: Any, shared: bool) -> None:
        """Set the fitted attributes, in scikit-learn's layout where it has them."""
        self.__dict__.pop("path_", None)  # of an earlier fit
        self.cv_result_ = chosen
        self.alpha_min_, self.alpha_1se_ = (
            np.float64(chosen.alpha_min),
            np.float64(chosen.alpha_1se),
        )
        index = chosen.select(self.rule)
        self.alpha_ = chosen.alphas[index]
        grids = np.stack([result.alphas for result in results])
        self.alphas_ = grids[0] if shared else grids
        self.mse_path_ = np.squeeze(np.stack([result.errors for result in results]))
        self.coef_ = np.ascontiguousarray(path.coefs[..., index])
        intercept = path.intercepts[..., index].astype(self.coef_.dtype)
        self.intercept_ = intercept[()] if self.fit_intercept else 0.0
        self.dual_gap_ = path.dual_gaps[..., index][()]
        self.converged_ = plain(path.converged[..., index])
        self.n_iter_ = path.n_iters[..., index].tolist()

    def get_metadata_routing(self) -> MetadataRouter:
        """Route `sample_weight` to fit and other metadata to the splitter."""
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(
                splitter=check_cv(self.cv),
                method_mapping=MethodMapping().add(caller="fit", callee="split"),
            )
        )
