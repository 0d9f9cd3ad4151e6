"""ElasticNetCV and LassoCV: the penalty chosen by cross-validation."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils._param_validation import Hidden, Interval, StrOptions

from ..estimators.parameters import COUNT, SHARE, parameter, with_parameters
from ..objective.penalties import Penalty
from ..paths.grid import DEFAULT_EPS
from ..paths.problem import Problem
from ..selection.result import MEAN_SQUARED_ERROR
from .base import LinearRegressor, all_or_nothing
from .functions import enet_path, lasso_path
from .moments_cv import CrossValidatedByMoments
from .parameters import CVParameters, ElasticNetParameters, RelaxCVParameters
from .problems import check_alphas, elastic_net_problem, is_count, shares_of_l1, undeprecated
from .reweighting import ReweightedParameters
from .streaming import in_blocks


@with_parameters
class ElasticNetCV(
    RelaxCVParameters,
    CVParameters,
    ReweightedParameters,
    ElasticNetParameters,
    CrossValidatedByMoments,
    LinearRegressor,
):
    """Elastic net with alpha and l1_ratio chosen by cross-validation.

    The objective is that of `ElasticNet`. For each l1_ratio and each fold one path is fitted
    without the held-out rows, whose errors are averaged over the folds.

    {parameters}

    Attributes
    ----------
    alpha_, l1_ratio_ : float
        Chosen by `rule`.
    relax_ : float
        Share of the penalised fit that is chosen with them, where `relax` is not False.
    alpha_min_, alpha_1se_ : float
        What either rule chooses; ``alpha_1se_ >= alpha_min_``, and NaN where a single fold has no
        standard error.
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
    intercept_ : float or ndarray of shape (n_targets,)
    alphas_ : ndarray of shape (n_alphas,) or (n_l1_ratio, n_alphas)
    mse_path_ : ndarray of shape (n_alphas, n_folds) or (n_l1_ratio, n_alphas, n_folds)
        Where there are folds.
    criterion_ : ndarray of shape (n_alphas,)
        With `rule` "aic", "bic" or "ebic", at the chosen l1_ratio.
    noise_variance_ : float
        That it was made with.
    cv_result_ : CVResult
        Errors, their mean and standard error at the chosen l1_ratio.
    path_ : PathResult
        On all rows, at the chosen l1_ratio, where `store_path` says so.
    dual_gap_ : float or ndarray of shape (n_targets,)
        Relative to the weighted mean square of the centered target, the unit of `tol`.
    converged_ : bool or ndarray of shape (n_targets,)
    n_iter_ : int or list of int
        At `alpha_`; the knots of the whole path where that is followed exactly.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    Notes
    -----
    The paths are those of `ElasticNet`, whose notes have the methods. Where X is dense with p <= n
    and p <= 1500, means and second moments of a fold's training rows are sums over all rows less
    those held out, and are shared by every l1_ratio: for q targets all folds together cost
    n (p + q)^2 flops, as one Gram matrix does. A fold's sums are (p + q)^2 numbers, kept where
    together they are few beside X or take at most 64 MiB, else made when its turn comes.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skreg import ElasticNetCV
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = ElasticNetCV(l1_ratio=[0.5, 1.0], cv=5).fit(X, y)
    >>> bool(model.alpha_1se_ >= model.alpha_min_)
    True
    """

    l1_ratio: float | ArrayLike = parameter(
        default=0.5,
        constraint=[SHARE, "array-like"],
        kind="float or list of float",
        meaning="Values to try, each in [0, 1].",
    )
    eps: float = parameter(
        default=DEFAULT_EPS,
        constraint=[Interval(numbers.Real, 0, 1, closed="right")],
        kind="float",
        meaning="Smallest alpha of the grid as a share of the largest.",
    )
    alphas: int | ArrayLike | None = parameter(
        default=100,
        constraint=[COUNT, "array-like", Hidden(None)],
        kind="int or array-like of shape (n_alphas,)",
        meaning="The alphas, or how many, from the exact alpha_max down.",
    )
    precompute: Any = parameter(
        default="auto",
        constraint=[StrOptions({"auto"}), "array-like", "boolean"],
        kind='bool, "auto" or array-like of shape (n_features, n_features)',
        meaning="As for `ElasticNet`; a matrix serves the fit on all rows.",
    )
    max_iter: int = parameter(
        default=1000,
        constraint=[COUNT],
        kind="int",
        meaning="As for `ElasticNet`.",
    )
    verbose: bool | int = parameter(
        default=0,
        constraint=["verbose"],
        kind="bool or int",
        meaning="Whether folds are reported.",
    )
    n_alphas: Any = parameter(
        default="deprecated",
        constraint=[COUNT, Hidden(StrOptions({"deprecated"}))],
        kind="int",
        meaning="Deprecated, as in scikit-learn 1.7: the number of alphas is `alphas`.",
    )

    _penalty: ClassVar[type[Penalty]] = Penalty

    path = staticmethod(enet_path)

    @all_or_nothing
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, **params: Any) -> Self:
        """Choose alpha (and l1_ratio) by cross-validation, then fit on all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowBlocks
            Blocks have y and weights with them, and folds or none: rows are then dealt to `cv`
            folds.
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
        if (rows := in_blocks(X, y, sample_weight, self._needs_no_rows)) is not None:
            return self._fit_blocks(rows)
        data = self._checked(X, y, sample_weight, None)
        data = replace(data, shape=data.y.shape[1:])  # a column is one target
        self._fit_data(data, params)
        return self

    def _fit_data(self, data: Any, params: dict[str, Any]) -> None:
        given = undeprecated(self.n_alphas, self.alphas, "1.7", "1.9")
        given = given if is_count(given) else check_alphas(given)
        ratios = shares_of_l1(self.l1_ratio, "l1_ratio")
        problems = [self._problem_at(data.columns, ratio) for ratio in ratios]
        chosen = self._select(data, problems, given, params)
        grids = [result.alphas for result in chosen.results]
        self.alphas_ = np.stack(grids) if is_count(given) and len(ratios) > 1 else grids[0]
        if chosen.results[0].metric == MEAN_SQUARED_ERROR:
            self.mse_path_ = np.squeeze(np.stack([result.errors for result in chosen.results]))
        self.l1_ratio_ = ratios[chosen.best]
        self.n_iter_ = chosen.n_iter.tolist()

    def _problem_at(self, columns: Sequence[Any], l1_ratio: float) -> Problem:
        return elastic_net_problem(self, columns, l1_ratio, self._penalty)

    def _chosen_problem(self, columns: Sequence[Any]) -> Problem:
        return self._problem_at(columns, self.l1_ratio_)


@with_parameters
class LassoCV(ElasticNetCV):
    """Lasso with alpha chosen by cross-validation.

    The objective is that of `Lasso`; everything else is `ElasticNetCV` with ``l1_ratio=1``, where
    attributes and method are described.

    {parameters}

    See Also
    --------
    ElasticNetCV : Describes every attribute, and the method.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skreg import LassoCV
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = LassoCV(cv=5, rule="1se").fit(X, y)
    >>> int((model.coef_ != 0).sum())
    6
    >>> relaxed = LassoCV(cv=5, rule="1se", relax=True).fit(X, y)
    >>> int((relaxed.coef_ != 0).sum()), relaxed.relax_
    (4, 0.0)
    """

    l1_ratio: ClassVar[float] = 1.0  # type: ignore[misc]  # fixed, so no parameter any more
    verbose: bool | int = parameter(
        default=False,
        constraint=["verbose"],
        kind="bool or int",
        meaning="Whether folds are reported.",
    )

    path = staticmethod(lasso_path)
