"""The path of an estimator as a `PathResult`."""

from __future__ import annotations

from copy import copy, deepcopy
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..estimators.runtime import one_blas_thread
from ..estimators.validation import unwrap
from ..paths.fit_path import Model, PathResult, fit_path, with_degrees_of_freedom
from ._base import (
    feature_names,
    is_gram,
    require_finite,
    resolve_alphas,
    silent,
    take_gram,
)
from ._units import Units
from ._warnings import warn_unconverged
from .elastic_net import ElasticNet
from .ridge import Ridge


@one_blas_thread
@silent
def regularization_path(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    alphas: int | ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> PathResult:
    """Coefficients of an estimator along a sequence of alphas.

    Parameters
    ----------
    estimator : Lasso, ElasticNet or Ridge
        Unfitted; carries every setting but alpha.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
    alphas : int, array-like of shape (n_alphas,) or None, default=None
        The alphas, or how many; None is 100. A count makes a log-spaced grid from the exact
        alpha_max, where the first coefficient becomes non-zero, to alpha_max / 1000 (for Ridge:
        over the eigenvalues of the Gram matrix).
    sample_weight : array-like of shape (n_samples,), float or None, default=None

    Returns
    -------
    PathResult
        On the user's scale, with intercepts and duality gaps. It keeps a reference to X and y,
        for ``coef_at(alpha, "exact")``, until it is pickled.

    Raises
    ------
    TypeError
        If the estimator has no path.
    ValueError
        If the input or a parameter is invalid.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skreg import Lasso, regularization_path
    >>> X, y = load_diabetes(return_X_y=True)
    >>> path = regularization_path(Lasso(), X, y)
    >>> path.coefs.shape
    (10, 100)
    >>> bool(path.dual_gaps.max() < 1e-10)
    True
    """
    if not isinstance(estimator, (ElasticNet, Ridge)):
        raise TypeError(
            "estimator must be a Lasso, ElasticNet or Ridge of skreg,"
            f" got {type(estimator).__name__}"
        )
    estimator = copy(estimator)  # for what the checks note on it, and a generator that moves on
    estimator.random_state = deepcopy(estimator.random_state)
    estimator._validate_params()
    X, y, weight, columns, units = estimator._check_data(X, y, sample_weight)
    model = units.model(estimator._model(columns))
    X, y, weight = units.scaled(X, y, weight)
    design = model.design(X, weight)
    if is_gram(getattr(estimator, "precompute", False)):
        take_gram(design, X, units.gram(estimator.precompute))
    given = 100 if alphas is None else unwrap(alphas)
    grid = resolve_alphas(given, model, X, y, weight, design)
    path = fit_path(model, X, y, grid, sample_weight=weight, design=design)
    if not path.converged.all():
        name = f"the path of {type(estimator).__name__}"
        warn_unconverged(name, float(path.dual_gaps.max()), model.settings.tol)
    path = units.path(with_degrees_of_freedom(path, model, design, weight), model)
    require_finite(path)
    refit = partial(_refit, units, model, X, y, weight)
    return replace(path, feature_names=feature_names(estimator), refit=refit)


@one_blas_thread
@silent
def _refit(
    units: Units, model: Model, X: Any, y: Any, weight: Any, alpha: float, start: NDArray[Any]
) -> PathResult:
    coef = units.start(start.T)
    path = fit_path(model, X, y, np.array([alpha]), sample_weight=weight, start=coef)
    return units.path(path, model)


def ridge_path(
    X: Any,
    y: Any,
    *,
    alphas: Any = 100,
    sample_weight: ArrayLike | None = None,
    standardize: bool = False,
    penalty_factor: ArrayLike | None = None,
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Ridge path without intercept, from one decomposition.

    Minimises ``sum_i s_i (y_i - x_i w)^2 + alpha sum_j v_j w_j^2`` at each alpha.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
    alphas : int or array-like of shape (n_alphas,), default=100
        The alphas, or how many; a count covers the eigenvalues of the Gram matrix.
    sample_weight : array-like of shape (n_samples,), float or None, default=None
    standardize : bool, default=False
    penalty_factor : array-like of shape (n_features,) or None, default=None

    Returns
    -------
    alphas : ndarray of shape (n_alphas,)
        Decreasing.
    coefs : ndarray of shape (n_features, n_alphas) or (n_targets, n_features, n_alphas)
    dual_gaps : ndarray of shape (n_alphas,) or (n_targets, n_alphas)
        Relative to the weighted mean square of y, with the loss halved and averaged.
    """
    estimator = Ridge(fit_intercept=False, standardize=standardize, penalty_factor=penalty_factor)
    path = regularization_path(estimator, X, y, alphas=alphas, sample_weight=sample_weight)
    return path.alphas, path.coefs, path.dual_gaps
