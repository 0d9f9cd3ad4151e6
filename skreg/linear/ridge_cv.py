"""RidgeCV: alpha chosen by exact leave-one-out from one decomposition, or by folds."""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn.metrics import get_scorer_names
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping

from ..data.products import Array
from ..estimators.parameters import parameter, with_parameters
from ..estimators.runtime import warn
from ..estimators.validation import unwrap
from ..paths.problem import Problem
from ..selection.cross_validate import Metric, mean_squared_error, negated_r2
from ..selection.leave_one_out import leave_one_out
from ..selection.result import CRITERIA, MEAN_SQUARED_ERROR
from .base import LinearRegressor, all_or_nothing
from .cv import CrossValidated, Evaluation, Routed
from .moments_cv import CrossValidatedByMoments
from .parameters import CVParameters, LinearParameters
from .problems import check_alphas, is_count, resolve_alphas, ridge_problem
from .row_blocks import RowBlocks
from .scoring import negated_scores, scorer_of
from .streaming import in_blocks
from .training_data import TrainingData

# Weights further apart than this cost leave-one-out more than six digits, where features are more
# than rows: 1e-6 of the residuals at 1e12, 7e-5 at 1e14, all at 1e20.
WIDE_WEIGHTS = 1e12


@with_parameters
class RidgeCVModel(CVParameters, LinearParameters, CrossValidated):
    """Base of RidgeCV and of the classifier of its kind."""

    alphas: int | float | ArrayLike = parameter(
        default=100,
        constraint=["array-like", Interval(numbers.Real, 0, None, closed="neither")],
        kind="int, float or array-like of shape (n_alphas,)",
        meaning="""
        The alphas, or (int) how many: a log-spaced grid that covers the eigenvalues of the Gram
        matrix. An int is always a count, so that 1, which leaves no choice, warns: a single alpha
        is ``alphas=[1.0]`` or a float. Leave-one-out needs alphas > 0.
        """,
        kw_only=False,
    )
    scoring: Any = parameter(
        default=None,
        constraint=[StrOptions(set(get_scorer_names())), callable, None],
        kind="str, callable or None",
        meaning="""
        What is maximised. None is the negative mean squared error; with folds R², or the accuracy
        of a classifier.
        """,
    )
    cv: Any = parameter(
        default=None,
        constraint=["cv_object", StrOptions({"loo"})],
        kind='int, cross-validation splitter, iterable, "loo" or None',
        meaning='None and "loo" are leave-one-out.',
    )
    gcv_mode: str | None = parameter(
        default=None,
        constraint=[StrOptions({"auto", "svd", "eigen"}), None],
        kind='{"auto", "svd", "eigen"} or None',
        meaning="""
        Decomposition for leave-one-out: of X, or of its Gram matrix or kernel, which are cheaper.
        "auto" and "eigen" take the second as long as that loses no digits that matter.
        """,
    )
    store_cv_results: bool = parameter(
        default=False, meaning="Keep `cv_results_` (leave-one-out only)."
    )

    _direct: ClassVar[bool] = True

    @property
    def _leaves_one_out(self) -> bool:
        return self.cv is None or isinstance(self.cv, str)

    def _fit_ridge(self, data: TrainingData, params: dict[str, Any]) -> None:
        """Choose alpha, fit on all rows, and set the attributes."""
        given = unwrap(self.alphas)
        if not is_count(given):
            given = check_alphas(given, allow_zero=not self._leaves_one_out)
        problem = ridge_problem(self, data.columns)
        chosen = self._select(data, [problem], given, params)
        (result,) = chosen.results
        self.alphas_ = result.alphas
        if not self._leaves_one_out and result.metric == MEAN_SQUARED_ERROR:
            self.mse_path_ = result.errors
        self.best_score_ = -chosen.error

    def _evaluate(
        self, data: TrainingData, problems: list[Problem], given: Any, routed: Routed
    ) -> Evaluation:
        if self._leaves_one_out:
            return self._leave_one_out(data, problems[0], given, routed)
        if self.store_cv_results:
            raise ValueError(
                "cv!=None and store_cv_results=True are incompatible: cv_results_ is leave-one-out;"
                " use cv_result_ or store_fold_coefs"
            )
        return super()._evaluate(data, problems, given, routed)

    def _judge(self, data: TrainingData, score_params: dict[str, Any]) -> tuple[Metric, str]:
        if self.scoring is None and not self._leaves_one_out:
            return negated_r2, "r2"
        if self.scoring in (None, "neg_mean_squared_error"):
            return super()._judge(data, score_params)
        scores = partial(negated_scores, scorer_of(self), score_params, self.alpha_per_target)
        return scores, str(self.scoring)

    def _leave_one_out(
        self, data: TrainingData, problem: Problem, given: Any, routed: Routed
    ) -> Evaluation:
        if problem.penalty.has_bounds:
            raise ValueError(
                "lower_bound and upper_bound have no leave-one-out formula; set cv, such as cv=5"
            )
        method = gcv_method(self.gcv_mode, data.X)
        metric, name = self._judge(data, routed.scorer)
        if metric is not mean_squared_error and self.rule == "1se":
            raise ValueError(
                "rule='1se' needs a score of each row or fold: with this scoring set cv"
            )
        bound = data.bind(problem)
        alphas = resolve_alphas(given, bound) if is_count(given) else given
        if data.sample_weight is not None:
            warn_of_wide_weights(bound.weights)
        keep = None
        if self.store_cv_results:
            keep = "errors" if self.scoring is None else "predictions"
        result, stored = leave_one_out(
            bound,
            alphas,
            method,
            metric,
            name,
            keep,
            by_target=self.alpha_per_target,
        )
        if stored is not None:
            order = -(alphas if np.ndim(self.alphas) == 0 else np.asarray(self.alphas))
            stored = stored[..., np.argsort(np.argsort(order, kind="stable"))]
            self.cv_results_ = stored if data.shape else stored[:, 0]
        return [(bound, alphas)], [result]

    def get_metadata_routing(self) -> MetadataRouter:
        """Route metadata to the scorer and the splitter."""
        mapping = MethodMapping().add(caller="fit", callee="score")
        return super().get_metadata_routing().add(scorer=scorer_of(self), method_mapping=mapping)


@with_parameters
class RidgeCV(CrossValidatedByMoments, RidgeCVModel, LinearRegressor):
    """Ridge regression with alpha chosen by cross-validation.

    The objective is that of `Ridge`. By default each alpha is judged by the exact leave-one-out
    error, for all alphas and targets from one decomposition (Golub, Heath and Wahba,
    Technometrics 21(2), 1979); with `cv`, by the mean over folds.

    {parameters}

    Attributes
    ----------
    alpha_ : float or ndarray of shape (n_targets,)
        Chosen by `rule`.
    alpha_min_, alpha_1se_ : float or ndarray of shape (n_targets,)
        What either rule chooses; `alpha_1se_` is NaN where there is no standard error, of a single
        fold or where `scoring` judges leave-one-out.
    best_score_ : float or ndarray of shape (n_targets,)
        Mean score of `alpha_`, or minus its criterion.
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
    criterion_ : ndarray of shape (n_alphas,)
        With `rule` "aic", "bic" or "ebic".
    noise_variance_ : float
        That it was made with.
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

    alpha_per_target: bool = parameter(default=False, meaning="Choose an alpha for each target.")

    @all_or_nothing
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, **params: Any) -> Self:
        """Choose alpha by cross-validation and fit on all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowBlocks
            Blocks have y and weights with them, and folds or none: rows are then dealt to `cv`
            folds.
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
        if (rows := in_blocks(X, y, sample_weight, self._needs_no_rows)) is not None:
            return self._fit_blocks(rows)
        self._fit_data(TrainingData.check(self, X, y, sample_weight), params)
        return self

    _explained = True

    @property
    def _needs_no_rows(self) -> bool:
        return super()._needs_no_rows and not self._leaves_one_out and not self.store_cv_results

    def _fit_blocks(self, rows: RowBlocks) -> Self:
        if not self._leaves_one_out or self.rule in CRITERIA:
            return super()._fit_blocks(rows)
        self._validate_params()
        return self._fit_folds(rows._sums(0))  # leave-one-out needs rows that stay

    def _fit_data(self, data: Any, params: dict[str, Any]) -> None:
        self._fit_ridge(data, params)

    def _chosen_problem(self, columns: Sequence[Any]) -> Problem:
        return ridge_problem(self, columns)


def gcv_method(gcv_mode: str | None, X: Any) -> str:
    """The decomposition that scikit-learn's name for it means.

    "eigen" is "auto", which takes it as long as that loses no digits that matter.
    """
    if gcv_mode == "svd" and not sparse.issparse(X):
        return "svd"
    if gcv_mode == "svd":
        warn(
            "The 'svd' mode is not supported for sparse X, which it would make dense:"
            " gcv_mode='eigen' is used. scikit-learn 1.11 will refuse it.",
            FutureWarning,
        )
    return "auto"


def warn_of_wide_weights(weights: Array) -> None:
    """Say that weights too far apart cost leave-one-out its digits."""
    heaviest = float(weights.max())
    lightest = float(np.min(weights, where=weights > 0, initial=heaviest))
    if heaviest > WIDE_WEIGHTS * lightest:
        warn(
            f"sample_weight spans {math.log10(heaviest / lightest):.0f} orders of magnitude, which"
            " costs leave-one-out its digits: set cv, such as cv=5, or leave out the lightest rows."
        )
