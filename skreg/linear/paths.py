"""Regularisation paths as functions: scikit-learn's, and one that returns a `PathResult`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn import linear_model as scikit_learn

from ..estimators.runtime import one_blas_thread
from ..estimators.validation import check_weights, columns_of, in_order, numeric
from ..paths.fit_path import fit_path
from ._base import (
    is_count,
    is_gram,
    linear_model,
    require_finite,
    resolve_alphas,
    silent,
    take_gram,
    undeprecated,
)
from ._checks import check_data, unchecked_data
from ._units import units_of
from ._warnings import warn_unconverged

# Bound here, so that nothing put in its place later can lead back to this module.
_multi_task_path = scikit_learn.enet_path

PathTuple = tuple[Any, ...]

# What the functions pass on to the solver besides their own parameters.
PASSED_ON = {
    "tol",
    "max_iter",
    "selection",
    "random_state",
    "solver",
    "standardize",
    "penalty_factor",
    "lower_bound",
    "upper_bound",
}


def lasso_path(
    X: Any,
    y: Any,
    *,
    eps: float = 1e-3,
    n_alphas: Any = "deprecated",
    alphas: Any = 100,
    precompute: Any = "auto",
    Xy: Any = None,
    copy_X: bool = True,
    coef_init: Any = None,
    verbose: bool | int = False,
    return_n_iter: bool = False,
    positive: bool = False,
    **params: Any,
) -> PathTuple:
    """Lasso path without intercept: `enet_path` with ``l1_ratio=1``, where all is described.

    `regularization_path` fits the intercept too and returns a `PathResult`.

    Returns
    -------
    alphas : ndarray of shape (n_alphas,)
    coefs : ndarray of shape (n_features, n_alphas) or (n_targets, n_features, n_alphas)
    dual_gaps : ndarray of shape (n_alphas,)
        In the unit of the objective, as in scikit-learn.
    n_iters : list of int, with ``return_n_iter=True``
    """
    return enet_path(
        X,
        y,
        l1_ratio=1.0,
        eps=eps,
        n_alphas=n_alphas,
        alphas=alphas,
        precompute=precompute,
        Xy=Xy,
        copy_X=copy_X,
        coef_init=coef_init,
        verbose=verbose,
        return_n_iter=return_n_iter,
        positive=positive,
        **params,
    )


@one_blas_thread
@silent
def enet_path(
    X: Any,
    y: Any,
    *,
    l1_ratio: float = 0.5,
    eps: float = 1e-3,
    n_alphas: Any = "deprecated",
    alphas: Any = 100,
    precompute: Any = "auto",
    Xy: Any = None,
    copy_X: bool = True,
    coef_init: Any = None,
    verbose: bool | int = False,
    return_n_iter: bool = False,
    positive: bool = False,
    check_input: bool = True,
    **params: Any,
) -> PathTuple:
    """Elastic net path without intercept, scikit-learn's function.

    Minimises ``1/(2 n) |y - Xw|^2 + alpha l1_ratio |w|_1 + alpha (1 - l1_ratio)/2 |w|^2`` at each
    alpha. With a two-dimensional y the features of all targets are selected together, by the
    penalty of scikit-learn's multi-task estimators, and scikit-learn computes it; for independent
    targets, an intercept and the result as an object use `regularization_path`. The notes of
    `ElasticNet` have the methods.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
    l1_ratio : float, default=0.5
    eps : float, default=1e-3
        Ratio of the smallest alpha to the largest.
    n_alphas : int
        Deprecated, as in scikit-learn: use `alphas`.
    alphas : int or array-like of shape (n_alphas,), default=100
        The alphas, or how many.
    precompute : bool, "auto" or array-like of shape (n_features, n_features), default="auto"
        As for `ElasticNet`: whether ``solver="cd"`` works on the Gram matrix, or that matrix.
    Xy : array-like of shape (n_features,), default=None
        ``X.T @ y``, where it is at hand. It is checked for its shape and computed all the same,
        as one product that costs little.
    copy_X : bool, default=True
        For compatibility: X is never written to.
    coef_init : array-like of shape (n_features,), default=None
        Where to start.
    verbose : bool or int, default=False
        Whether to print a line an alpha.
    return_n_iter : bool, default=False
    positive : bool, default=False
    check_input : bool, default=True
        False skips the checks of X and y, which must then be numbers and finite.
    **params
        `tol`, `max_iter`, `selection`, `random_state`, `sample_weight`, `solver`, `standardize`,
        `penalty_factor`, `lower_bound`, `upper_bound`, as for `ElasticNet`.

    Returns
    -------
    alphas : ndarray of shape (n_alphas,)
    coefs : ndarray of shape (n_features, n_alphas) or (n_targets, n_features, n_alphas)
    dual_gaps : ndarray of shape (n_alphas,)
        In the unit of the objective, as in scikit-learn.
    n_iters : list of int, with ``return_n_iter=True``
        At each alpha; the knots of the whole path where that is followed exactly.
    """
    given = undeprecated(n_alphas, alphas, "1.9", "1.11")
    table = X
    mean_square = None
    if check_input:
        X, y, mean_square = check_data(_elastic_net(), X, y)
    else:
        X, y = unchecked_data(X, y)
    columns = columns_of(table, X.shape[1])
    if y.ndim == 2:
        if positive:
            raise ValueError("positive=True is not allowed for multi-output (y.ndim != 1)")
        if not units_of(X, y, None, mean_square).ordinary:
            raise ValueError(
                "a path of several targets at once needs X and y of order one, all features alike:"
                " scale them"
            )
        params |= {"precompute": precompute, "verbose": verbose}
        params["coef_init"] = _start(coef_init, columns, y.shape[1:])
        return _multi_task(X, y, l1_ratio, eps, given, return_n_iter, params)
    if Xy is not None and np.shape(Xy) != (X.shape[1],):
        raise ValueError(f"Xy must have shape ({X.shape[1]},), got {np.shape(Xy)}")
    weight = check_weights(params.pop("sample_weight", None), X)
    units = units_of(X, y, weight, mean_square)
    estimator = _settings(l1_ratio, precompute, positive, params)
    model = units.model(linear_model(estimator, columns, l1_ratio))
    X, y, weight = units.scaled(X, y, weight)
    start = _start(coef_init, columns)
    design = model.design(X, weight)
    if is_gram(precompute):
        take_gram(design, X, units.gram(precompute))
    grid = resolve_alphas(given, model, X, y, weight, design, eps)
    progress = partial(_print_progress, len(grid)) if verbose else None
    path = fit_path(
        model,
        X,
        y,
        grid,
        sample_weight=weight,
        design=design,
        start=units.start(start),
        progress=progress,
    )
    path = units.path(path, model)
    require_finite(path)
    if not path.converged.all():
        warn_unconverged("the path", float(path.dual_gaps.max()), model.settings.tol)
    unit = float(design.norm2(y)) or 1.0
    gaps = np.ldexp(path.dual_gaps * unit, 2 * units.target)
    found: PathTuple = (path.alphas, path.coefs, gaps)
    return (*found, path.n_iters.tolist()) if return_n_iter else found


def _elastic_net(**params: Any) -> Any:
    from .elastic_net import ElasticNet  # which has these functions as its `path`

    return ElasticNet(**params)


def _settings(l1_ratio: float, precompute: Any, positive: bool, params: dict[str, Any]) -> Any:
    """An estimator that has checked the parameters; it carries them to the engine."""
    unknown = sorted(set(params) - PASSED_ON)
    if unknown:
        raise ValueError(f"Unexpected parameters in params: {unknown}")
    estimator = _elastic_net(
        l1_ratio=l1_ratio, fit_intercept=False, precompute=precompute, positive=positive, **params
    )
    estimator._validate_params()
    return estimator


def _start(
    coef_init: Any, columns: Sequence[Any], n_targets: tuple[int, ...] = ()
) -> NDArray[np.float64] | None:
    """`coef_init` as an array, one row a target where there are several."""
    if coef_init is None:
        return None
    start = numeric(in_order(coef_init, "coef_init", columns), "coef_init")
    shape = (*n_targets, len(columns))
    if start.shape != shape:
        raise ValueError(f"coef_init must have shape {shape}, got {start.shape}")
    if not np.isfinite(start).all():
        raise ValueError("coef_init has NaN or infinity")
    return start


def _print_progress(n_alphas: int, done: int, alpha: float) -> None:
    print(f"alpha {done:4d}/{n_alphas}: {alpha:.4g}")


def _multi_task(
    X: Any,
    y: NDArray[Any],
    l1_ratio: float,
    eps: float,
    alphas: Any,
    return_n_iter: bool,
    params: dict[str, Any],
) -> PathTuple:
    """The multi-task path, which is scikit-learn's own work."""
    if is_count(alphas):
        norms = np.sqrt(np.sum(np.asarray(X.T @ y) ** 2, axis=1))
        top = norms.max() / (len(y) * max(l1_ratio, 1e-3))
        alphas = np.geomspace(top, top * eps, int(alphas))
    is_sparse = sparse.issparse(X)
    found: PathTuple = _multi_task_path(
        sparse.csc_matrix(X) if is_sparse else np.asfortranarray(X),
        np.asfortranarray(y, dtype=X.dtype),
        l1_ratio=l1_ratio,
        alphas=np.asarray(alphas),
        return_n_iter=return_n_iter,
        **params,
    )
    return found
