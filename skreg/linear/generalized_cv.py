"""Models of a smooth loss whose penalty is chosen by cross-validation."""

from __future__ import annotations

import numbers
from functools import partial
from typing import Any, ClassVar, Self

from numpy.typing import ArrayLike
from sklearn.metrics import get_scorer_names
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping

from ..estimators.parameters import COUNT, SHARE, parameter, with_parameters
from ..objective.losses import Gamma, Loss, Poisson
from ..paths.grid import DEFAULT_EPS
from ..paths.problem import Problem
from ..selection.cross_validate import OF_EACH_ROW, Metric, mean_deviance
from ..selection.passed_folds import cross_validate_passes
from ..selection.result import MEAN_DEVIANCE
from .base import all_or_nothing
from .block_data import BlockData
from .cv import CrossValidated, Evaluation, Routed
from .generalized import GeneralizedLinearModel, GeneralizedRegressor, TweedieParameters
from .parameters import CVParameters, RelaxCVParameters, SmoothLossParameters
from .problems import check_alphas, is_count, resolve_alphas, shares_of_l1, smooth_problem
from .reweighting import ReweightedParameters
from .scoring import negated_scores, scorer_of


@with_parameters
class SmoothLossCVParameters(CVParameters, SmoothLossParameters):
    """Of estimators that choose the penalty of a smooth loss."""

    eps: float = parameter(
        default=DEFAULT_EPS,
        constraint=[Interval(numbers.Real, 0, 1, closed="right")],
        kind="float",
        meaning="Smallest alpha of a grid made from a count as a share of the largest.",
    )
    scoring: Any = parameter(
        default=None,
        constraint=[StrOptions(set(get_scorer_names())), callable, None],
        kind="str, callable or None",
        meaning="""
        What is maximised; None minimises the mean deviance of the rows held out, the log-loss of
        classes.
        """,
    )


class CrossValidatedLoss(CrossValidated, GeneralizedLinearModel):
    """A model of a smooth loss that chooses its penalty by the deviance of rows held out."""

    scoring: Any

    #: Methods whose metadata a scorer is given.
    _scores_by: ClassVar[tuple[str, ...]] = ("fit",)

    def _judge(self, data: Any, score_params: dict[str, Any]) -> tuple[Metric, str]:
        if self.scoring is None and self._loss().quadratic:
            return super()._judge(data, score_params)
        if self.scoring is None:
            return mean_deviance, MEAN_DEVIANCE
        if self._loss().of_unit and data.offset is not None:
            raise ValueError("scoring and an offset do not go together with the identity link")
        scores = partial(negated_scores, scorer_of(self), score_params, False)
        return scores, str(self.scoring)

    def _evaluate(
        self, data: Any, problems: list[Problem], given: Any, routed: Routed
    ) -> Evaluation:
        if not isinstance(data, BlockData):
            return super()._evaluate(data, problems, given, routed)
        first = data.bind(problems[0])
        bounds = [first, *map(first.with_problem, problems[1:])]
        candidates = [(one, resolve_alphas(given, one, self.eps)) for one in bounds]
        metric, name = self._judge(data, {})
        return candidates, cross_validate_passes(
            candidates,
            data.held_out(problems),
            factor=OF_EACH_ROW[metric],
            metric_name=name,
            keep_coefs=self._wants_fold_coefs() or not self.refit,
            fold_weights=self.fold_weights,
        )

    def get_metadata_routing(self) -> MetadataRouter:
        """Route metadata to the scorer, where there is one, and the splitter."""
        routing = super().get_metadata_routing()
        if self.scoring is None:
            return routing
        mapping = MethodMapping()
        for method in self._scores_by:
            mapping.add(caller=method, callee="score")
        return routing.add(scorer=scorer_of(self), method_mapping=mapping)


@with_parameters
class GeneralizedRegressorCV(
    RelaxCVParameters,
    SmoothLossCVParameters,
    ReweightedParameters,
    CrossValidatedLoss,
    GeneralizedRegressor,
):
    """Base of the models of counts and amounts that choose alpha."""

    alphas: int | ArrayLike = parameter(
        default=100,
        constraint=[COUNT, "array-like"],
        kind="int or array-like of shape (n_alphas,)",
        meaning="""
        The alphas, or how many: from the exact alpha_max down, or without an L1 part over the
        eigenvalues of the Gram matrix.
        """,
    )
    l1_ratio: float | ArrayLike = parameter(
        default=0.0,
        constraint=[SHARE, "array-like"],
        kind="float or list of float",
        meaning="Shares of the L1 penalty to try, each in [0, 1].",
    )

    @all_or_nothing
    def fit(
        self, X: Any, y: Any = None, sample_weight: Any = None, offset: Any = None, **params: Any
    ) -> Self:
        """Choose alpha (and l1_ratio) by cross-validation, then fit on all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowBlocks
            RowBlocks, and a collection of Dask, are read once for each of Newton's steps, in which
            all folds are fitted.
        y : array-like of shape (n_samples,)
            Left out with RowBlocks, which have it.
        sample_weight : array-like of shape (n_samples,), float or None, default=None
            Used in the grid, the fits and the deviances, and with ``fold_weights="size"`` in their
            mean over the folds.
        offset : array-like of shape (n_samples,) or None, default=None
            What is added to the linear predictor of each row: for rates of counts the logarithm of
            the exposure.
        **params : dict
            Metadata for the splitter, such as `groups`, and the scorer, with metadata routing
            enabled.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the input or a parameter is invalid; nothing of the fit is then kept.
        """
        loss = self._loss()
        data = self._checked(X, y, sample_weight, offset)
        given = self.alphas if is_count(self.alphas) else check_alphas(self.alphas)
        ratios = shares_of_l1(self.l1_ratio, "l1_ratio")
        if not loss.of_unit and data.vanishes:
            raise ValueError("y is zero in every row: there is nothing to choose alpha by")
        problems = [
            smooth_problem(self, data.columns, loss, ratio, self._alpha_of) for ratio in ratios
        ]
        chosen = self._select(data, problems, given, params)
        self._keep_residuals(data)
        self.alphas_ = chosen.results[chosen.best].alphas
        self.l1_ratio_ = float(ratios[chosen.best])
        self.n_iter_ = int(chosen.n_iter)
        return self


@with_parameters
class PoissonRegressorCV(GeneralizedRegressorCV):
    """Poisson regression with alpha, and l1_ratio, chosen by cross-validation.

    The objective is that of `PoissonRegressor`. For each l1_ratio and each fold one path is fitted
    without the held-out rows, whose mean deviances are averaged over the folds.

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
    alphas_ : ndarray of shape (n_alphas,)
        Those of the chosen l1_ratio.
    coef_ : ndarray of shape (n_features,)
    intercept_ : float
    cv_result_ : CVResult
        Deviances, their mean and standard error at the chosen l1_ratio.
    path_ : PathResult
        On all rows, at the chosen l1_ratio, where `store_path` says so.
    criterion_ : ndarray of shape (n_alphas,)
        With `rule` "aic", "bic" or "ebic", at the chosen l1_ratio.
    noise_variance_ : float
        The dispersion it was made with, of `GammaRegressorCV` and `TweedieRegressorCV` alone.
    dual_gap_ : float
        Relative to the weighted mean deviance of the intercept alone, the unit of `tol`.
    converged_ : bool
    n_iter_ : int
        At `alpha_`.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    See Also
    --------
    PoissonRegressor : Describes the objective and the method.

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import PoissonRegressorCV
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 10))
    >>> y = rng.poisson(np.exp(X[:, 0] - 0.5 * X[:, 1]))
    >>> model = PoissonRegressorCV(l1_ratio=1.0, cv=5, rule="1se").fit(X, y)
    >>> model.coef_.round(1)[:4] + 0.0
    array([ 0.9, -0.4,  0. ,  0. ])
    """

    noise_variance: ClassVar[None] = None  # type: ignore[misc]  # no rule uses it

    def _loss(self) -> Loss:
        return Poisson()


@with_parameters
class GammaRegressorCV(GeneralizedRegressorCV):
    """Gamma regression with alpha, and l1_ratio, chosen by cross-validation.

    The objective is that of `GammaRegressor`; everything else is as for `PoissonRegressorCV`, where
    attributes are described.

    {parameters}

    See Also
    --------
    PoissonRegressorCV : Describes every attribute.
    """

    def _loss(self) -> Loss:
        return Gamma()


@with_parameters
class TweedieRegressorCV(TweedieParameters, GeneralizedRegressorCV):
    """Tweedie regression with alpha, and l1_ratio, chosen by cross-validation.

    The objective is that of `TweedieRegressor`; everything else is as for `PoissonRegressorCV`,
    where attributes are described.

    {parameters}

    See Also
    --------
    PoissonRegressorCV : Describes every attribute.
    """
