"""LassoCV and ElasticNetCV: the penalty chosen by cross-validation."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils._param_validation import Interval

from ..estimators.validation import numeric
from ._cv import LassoLikeCV
from .paths import enet_path, lasso_path


class ElasticNetCV(LassoLikeCV):
    """Elastic net with alpha and l1_ratio chosen by cross-validation.

    The objective is that of `ElasticNet`. For each l1_ratio and each fold one path is fitted
    without the held-out rows, whose errors are averaged over the folds.

    Parameters
    ----------
    l1_ratio : float or list of float, default=0.5
        Values to try, each in [0, 1].
    eps : float, default=1e-3
        Smallest alpha of the grid as a share of the largest.
    alphas : int or array-like of shape (n_alphas,), default=100
        The alphas, or how many, from the exact alpha_max down.
    fit_intercept : bool, default=True
    precompute : bool, "auto" or array-like, default="auto"
        As for `ElasticNet`; a matrix serves the fit on all rows.
    max_iter : int, default=1000
        As for `ElasticNet`.
    tol : float, default=1e-4
    cv : int, cross-validation splitter, iterable or None, default=None
        None is 5-fold.
    copy_X : bool, default=True
    verbose : bool or int, default=0
    n_jobs : int or None, default=None
        Folds in parallel; the result does not depend on it.
    positive : bool, default=False
    random_state : int, RandomState instance or None, default=None
    selection : {"cyclic", "random"}, default="cyclic"
    solver : {"auto", "cd"}, default="auto"
    standardize : bool, default=False
    penalty_factor : array-like of shape (n_features,) or None, default=None
    lower_bound, upper_bound : float, array-like of shape (n_features,) or None, default=None
    rule : {"min", "1se"}, default="min"
        Take the alpha of the smallest error, or the largest one within one standard error of it
        (Breiman et al., Classification and Regression Trees, 1984).
    fold_weights : {"equal", "size"}, default="equal"
        What a fold counts in the mean of the errors: as much as any other, as in scikit-learn, or
        the sample weights of its held-out rows (their number without weights), as in R glmnet.
    store_fold_coefs : bool, default=False
        Keep each fold's coefficients in ``cv_result_.fold_coefs``.
    store_path : bool or "auto", default="auto"
        Keep `path_`; "auto" does where there is one target.
    n_alphas : int
        Deprecated, as in scikit-learn 1.7: the number of alphas is `alphas`.

    Attributes
    ----------
    alpha_, l1_ratio_ : float
        Chosen by `rule`.
    alpha_min_, alpha_1se_ : float
        What either rule chooses; ``alpha_1se_ >= alpha_min_``, and NaN where a single fold has no
        standard error.
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
    intercept_ : float or ndarray of shape (n_targets,)
    alphas_ : ndarray of shape (n_alphas,) or (n_l1_ratio, n_alphas)
    mse_path_ : ndarray of shape (n_alphas, n_folds) or (n_l1_ratio, n_alphas, n_folds)
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

    _parameter_constraints: dict[str, Any] = {
        **LassoLikeCV._parameter_constraints,
        "l1_ratio": [Interval(numbers.Real, 0, 1, closed="both"), "array-like"],
    }

    path = staticmethod(enet_path)

    def __init__(
        self,
        *,
        l1_ratio: float | ArrayLike = 0.5,
        eps: float = 1e-3,
        alphas: int | ArrayLike | None = 100,
        fit_intercept: bool = True,
        precompute: Any = "auto",
        max_iter: int = 1000,
        tol: float = 1e-4,
        cv: Any = None,
        copy_X: bool = True,
        verbose: bool | int = 0,
        n_jobs: int | None = None,
        positive: bool = False,
        random_state: Any = None,
        selection: str = "cyclic",
        solver: str = "auto",
        standardize: bool = False,
        penalty_factor: ArrayLike | None = None,
        lower_bound: ArrayLike | None = None,
        upper_bound: ArrayLike | None = None,
        rule: str = "min",
        fold_weights: str = "equal",
        store_fold_coefs: bool = False,
        store_path: bool | str = "auto",
        n_alphas: Any = "deprecated",
    ) -> None:
        self.l1_ratio = l1_ratio
        self.eps = eps
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.max_iter = max_iter
        self.tol = tol
        self.cv = cv
        self.copy_X = copy_X
        self.verbose = verbose
        self.n_jobs = n_jobs
        self.positive = positive
        self.random_state = random_state
        self.selection = selection
        self.solver = solver
        self.standardize = standardize
        self.penalty_factor = penalty_factor
        self.lower_bound = lower_bound
        self.upper_bound = upper_bound
        self.rule = rule
        self.fold_weights = fold_weights
        self.store_fold_coefs = store_fold_coefs
        self.store_path = store_path
        self.n_alphas = n_alphas

    def _l1_ratios(self) -> np.ndarray:
        ratios = np.atleast_1d(numeric(self.l1_ratio, "l1_ratio"))
        if ratios.ndim != 1 or not len(ratios) or not np.all((ratios >= 0) & (ratios <= 1)):
            raise ValueError(
                f"l1_ratio must be in [0, 1], or a list of such, got {self.l1_ratio!r}"
            )
        return ratios


class LassoCV(LassoLikeCV):
    """Lasso with alpha chosen by cross-validation.

    The objective is that of `Lasso`; everything else is `ElasticNetCV` with ``l1_ratio=1``, where
    parameters, attributes and method are described.

    Parameters
    ----------
    eps : float, default=1e-3
    alphas : int or array-like of shape (n_alphas,), default=100
    fit_intercept : bool, default=True
    precompute : bool, "auto" or array-like, default="auto"
    max_iter : int, default=1000
    tol : float, default=1e-4
    copy_X : bool, default=True
    cv : int, cross-validation splitter, iterable or None, default=None
    verbose : bool or int, default=False
    n_jobs : int or None, default=None
    positive : bool, default=False
    random_state : int, RandomState instance or None, default=None
    selection : {"cyclic", "random"}, default="cyclic"
    solver : {"auto", "cd"}, default="auto"
    standardize : bool, default=False
    penalty_factor : array-like of shape (n_features,) or None, default=None
    lower_bound, upper_bound : float, array-like of shape (n_features,) or None, default=None
    rule : {"min", "1se"}, default="min"
    fold_weights : {"equal", "size"}, default="equal"
    store_fold_coefs : bool, default=False
    store_path : bool or "auto", default="auto"
    n_alphas : int
        Deprecated.

    See Also
    --------
    ElasticNetCV : Describes every parameter and attribute.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skreg import LassoCV
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = LassoCV(cv=5, rule="1se").fit(X, y)
    >>> int((model.coef_ != 0).sum())
    6
    """

    l1_ratio = 1.0
    path = staticmethod(lasso_path)

    def __init__(
        self,
        *,
        eps: float = 1e-3,
        alphas: int | ArrayLike | None = 100,
        fit_intercept: bool = True,
        precompute: Any = "auto",
        max_iter: int = 1000,
        tol: float = 1e-4,
        copy_X: bool = True,
        cv: Any = None,
        verbose: bool | int = False,
        n_jobs: int | None = None,
        positive: bool = False,
        random_state: Any = None,
        selection: str = "cyclic",
        solver: str = "auto",
        standardize: bool = False,
        penalty_factor: ArrayLike | None = None,
        lower_bound: ArrayLike | None = None,
        upper_bound: ArrayLike | None = None,
        rule: str = "min",
        fold_weights: str = "equal",
        store_fold_coefs: bool = False,
        store_path: bool | str = "auto",
        n_alphas: Any = "deprecated",
    ) -> None:
        self.eps = eps
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.max_iter = max_iter
        self.tol = tol
        self.copy_X = copy_X
        self.cv = cv
        self.verbose = verbose
        self.n_jobs = n_jobs
        self.positive = positive
        self.random_state = random_state
        self.selection = selection
        self.solver = solver
        self.standardize = standardize
        self.penalty_factor = penalty_factor
        self.lower_bound = lower_bound
        self.upper_bound = upper_bound
        self.rule = rule
        self.fold_weights = fold_weights
        self.store_fold_coefs = store_fold_coefs
        self.store_path = store_path
        self.n_alphas = n_alphas

    def _l1_ratios(self) -> np.ndarray:
        return np.ones(1)
