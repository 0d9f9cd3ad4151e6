"""MultiTaskElasticNetCV and MultiTaskLassoCV: the penalty chosen by cross-validation."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from numpy.typing import ArrayLike
from sklearn.utils.metadata_routing import _raise_for_params

from ..estimators.parameters import SHARE, parameter, with_parameters
from .elastic_net_cv import ElasticNetCV
from .functions import lasso_path
from .multi_task import MultiTask


@with_parameters
class MultiTaskElasticNetCV(MultiTask, ElasticNetCV):
    """Elastic net of several targets at once with alpha and l1_ratio chosen by cross-validation.

    The objective is that of `MultiTaskElasticNet`: a feature is in use for all targets or for none.
    For each l1_ratio and each fold one path is fitted without the held-out rows, whose errors are
    averaged over the targets and the folds.

    {parameters}

    Attributes
    ----------
    alpha_, l1_ratio_ : float
        Chosen by `rule`.
    alpha_min_, alpha_1se_ : float
        What either rule chooses; ``alpha_1se_ >= alpha_min_``, and NaN where a single fold has no
        standard error.
    coef_ : ndarray of shape (n_targets, n_features)
    intercept_ : ndarray of shape (n_targets,)
    alphas_ : ndarray of shape (n_alphas,) or (n_l1_ratio, n_alphas)
    mse_path_ : ndarray of shape (n_alphas, n_folds) or (n_l1_ratio, n_alphas, n_folds)
        Where there are folds.
    criterion_ : ndarray of shape (n_alphas,)
        With `rule` "aic", "bic" or "ebic", at the chosen l1_ratio.
    noise_variance_ : float
        That it was made with, of any target.
    cv_result_ : CVResult
        Errors, their mean and standard error at the chosen l1_ratio.
    path_ : PathResult
        On all rows, at the chosen l1_ratio, where `store_path` says so. Degrees of freedom are
        those of all targets together.
    dual_gap_ : float
        Relative to the weighted mean square of the centered targets, the unit of `tol`.
    converged_ : bool
    n_iter_ : int
        At `alpha_`.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    See Also
    --------
    MultiTaskElasticNet : Describes the method.
    ElasticNetCV : Targets that have a problem each, with one alpha.

    Examples
    --------
    >>> from sklearn.datasets import make_regression
    >>> from skreg import MultiTaskElasticNetCV
    >>> X, Y = make_regression(60, 20, n_informative=4, n_targets=3, noise=9.0, random_state=0)
    >>> model = MultiTaskElasticNetCV(l1_ratio=[0.5, 1.0], cv=5).fit(X, Y)
    >>> bool(model.alpha_1se_ >= model.alpha_min_)
    True
    """

    l1_ratio: float | ArrayLike = parameter(
        default=0.5,
        constraint=[SHARE, "array-like"],
        kind="float or list of float",
        meaning="Values to try, each in [0, 1].",
    )

    _of_one_target: ClassVar[str] = "ElasticNetCV"

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, **params: Any) -> Self:
        """Choose alpha (and l1_ratio) by cross-validation, then fit on all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowBlocks
            Blocks have y and weights with them, and folds or none: rows are then dealt to `cv`
            folds.
        y : array-like of shape (n_samples, n_targets)
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
        if params:  # before y is looked at, as in scikit-learn
            _raise_for_params(params, self, "fit")
        return super().fit(X, y, sample_weight, **params)


@with_parameters
class MultiTaskLassoCV(MultiTaskElasticNetCV):
    """Lasso of several targets at once with alpha chosen by cross-validation.

    The objective is that of `MultiTaskLasso`; everything else is `MultiTaskElasticNetCV` with
    ``l1_ratio=1``, where attributes and method are described.

    {parameters}

    See Also
    --------
    MultiTaskElasticNetCV : Describes every attribute.

    Examples
    --------
    >>> from sklearn.datasets import make_regression
    >>> from skreg import MultiTaskLassoCV
    >>> X, Y = make_regression(60, 20, n_informative=4, n_targets=3, noise=9.0, random_state=0)
    >>> model = MultiTaskLassoCV(cv=5, rule="1se").fit(X, Y)
    >>> int(model.coef_.any(axis=0).sum())
    13
    """

    l1_ratio: ClassVar[float] = 1.0  # type: ignore[misc]  # fixed, so no parameter any more
    verbose: bool | int = parameter(
        default=False,
        constraint=["verbose"],
        kind="bool or int",
        meaning="Whether folds are reported.",
    )
    _of_one_target: ClassVar[str] = "LassoCV"

    path = staticmethod(lasso_path)
