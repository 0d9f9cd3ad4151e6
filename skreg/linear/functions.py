"""Regularisation paths as functions: scikit-learn's, and one that returns a `PathResult`."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy, deepcopy
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..estimators.parameters import SHARE, check_parameters, constraints_of
from ..estimators.runtime import one_blas_thread
from ..estimators.validation import numeric, ordered_by_name, refuse_booleans, unwrap
from ..estimators.warnings import unit_of_gaps, warn_unconverged
from ..objective.group import GroupPenalty
from ..objective.penalties import Penalty
from ..paths.fit_path import fit_path, with_degrees_of_freedom
from ..paths.grid import DEFAULT_EPS
from ..paths.problem import BoundProblem
from ..paths.relaxed import relaxed
from ..paths.result import PathResult
from .base import LinearModel, finite_path
from .parameters import ElasticNetParameters, LinearParameters
from .problems import elastic_net_problem, resolve_alphas, undeprecated
from .ridge import Ridge
from .training_data import TrainingData

PathTuple = tuple[Any, ...]

# What the functions pass on to the solver besides their own parameters.
OWN = {"fit_intercept", "precompute", "positive", "copy_X"}
PASSED_ON = set(constraints_of(ElasticNetParameters)) - OWN
PATH_CONSTRAINTS = {**constraints_of(ElasticNetParameters), "l1_ratio": [SHARE]}
PATH_DEFAULTS = vars(ElasticNetParameters())


def lasso_path(
    X: Any,
    y: Any,
    *,
    eps: float = DEFAULT_EPS,
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
def enet_path(
    X: Any,
    y: Any,
    *,
    l1_ratio: float = 0.5,
    eps: float = DEFAULT_EPS,
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
    penalty of `MultiTaskElasticNet`; for independent targets, an intercept and the result as an
    object use `regularization_path`. The notes of these estimators have the methods.

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
    Xy : array-like of shape (n_features,) or (n_features, n_targets), default=None
        ``X.T @ y``, where it is at hand. It is checked for its shape and computed all the same,
        as one product that costs little.
    copy_X : bool, default=True
        For compatibility: X is never written to.
    coef_init : array-like of shape (n_features,) or (n_targets, n_features), default=None
        Where to start.
    verbose : bool or int, default=False
        Whether to print a line an alpha.
    return_n_iter : bool, default=False
    positive : bool, default=False
    check_input : bool, default=True
        False skips the checks of X and y, which must then be numbers and finite.
    **params
        `tol`, `max_iter`, `selection`, `random_state`, `sample_weight`, `solver`, `standardize`,
        `penalty_factor`, and of a single target `lower_bound` and `upper_bound`, as for
        `ElasticNet`.

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
    weight = params.pop("sample_weight", None)
    data = TrainingData.check(LinearModel(), X, y, weight, check_input)
    kind: type[Penalty] = Penalty
    if data.shape:
        kind, data = GroupPenalty, replace(data, y=data.y.reshape(-1, *data.shape))
        if positive:
            raise ValueError("positive=True is not allowed for multi-output (y.ndim != 1)")
        for name in ("lower_bound", "upper_bound"):
            if params.get(name) is not None:
                raise ValueError(
                    f"{name} is not allowed for multi-output (y.ndim != 1): the penalty is one of"
                    " lengths, which have no bounds"
                )
    if Xy is not None and np.shape(Xy) != (len(data.columns), *data.shape):
        needed = (len(data.columns), *data.shape)
        raise ValueError(f"Xy must have shape {needed}, got {np.shape(Xy)}")
    unknown = sorted(set(params) - PASSED_ON)
    if unknown:
        raise ValueError(f"Unexpected parameters in params: {unknown}")
    settings = ElasticNetParameters(
        fit_intercept=False, precompute=precompute, positive=positive, **params
    )
    changed = {k: v for k, v in vars(settings).items() if v is not PATH_DEFAULTS[k]}
    check_parameters(PATH_CONSTRAINTS, changed | {"l1_ratio": l1_ratio}, "enet_path")
    start = _start(coef_init, data.columns, data.shape)
    bound = data.bind(elastic_net_problem(settings, data.columns, l1_ratio, kind), precompute)
    grid = resolve_alphas(given, bound, eps)
    progress = partial(_print_progress, len(grid)) if verbose else None
    start = None if start is None else start.T
    path = finite_path(bound, grid, start=start, progress=progress)
    if not path.converged.all():
        warn_unconverged("the path", float(path.dual_gaps.max()), path.tol)
    squares = bound.target.squares if bound.target.squares.any() else bound.target.units
    gaps = squares @ path.dual_gaps.reshape(len(squares), -1)
    gaps = np.ldexp(gaps, 2 * data.powers.target)
    n_iters = path.n_iters.reshape(len(squares), -1).max(axis=0)
    found: PathTuple = (path.alphas, path.coefs, gaps)
    return (*found, n_iters.tolist()) if return_n_iter else found


def _start(
    coef_init: Any, columns: Sequence[Any], targets: tuple[int, ...] = ()
) -> NDArray[np.float64] | None:
    """`coef_init` as an array, one row a target where there are several."""
    if coef_init is None:
        return None
    given = ordered_by_name(coef_init, "coef_init", columns)
    start = numeric(given, "coef_init")
    shape = (*targets, len(columns))
    if start.shape != shape:
        raise ValueError(f"coef_init must have shape {shape}, got {start.shape}")
    refuse_booleans(given, "coef_init")
    if not np.isfinite(start).all():
        raise ValueError("coef_init has NaN or infinity")
    return start


def _print_progress(n_alphas: int, done: int, alpha: float) -> None:
    print(f"alpha {done:4d}/{n_alphas}: {alpha:.4g}")


@one_blas_thread
def regularization_path(
    estimator: Any,
    X: Any,
    y: Any = None,
    *,
    alphas: int | ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    offset: ArrayLike | None = None,
) -> PathResult:
    """Coefficients of an estimator along a sequence of alphas.

    Parameters
    ----------
    estimator : Lasso, ElasticNet, Ridge, LogisticRegression, PoissonRegressor or the like
        Unfitted; carries every setting but the strength of the penalty. That is the model's own
        alpha; of a logistic regression ``alpha = 1 / (C sum(s))`` and of `LinearSVC`
        ``alpha = 1 / (2 C sum(s))``, of the mean loss, with s the sample weights times those of the
        classes; of more than two classes a `LinearSVC` weighs only the rows of one in its problem.
        That of `HuberRegressor`, as of `Ridge`, is weighed against the sum of the losses.
    X : {array-like, sparse matrix} of shape (n_samples, n_features), RowBlocks or Moments
        The last two have y and weights in them; Moments are of models of the squared error alone.
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
    alphas : int, array-like of shape (n_alphas,) or None, default=None
        The alphas, or how many; None is 100. A count makes a log-spaced grid from the exact
        alpha_max, where the first coefficient becomes non-zero, to alpha_max / 1000 (for Ridge:
        over the eigenvalues of the Gram matrix).
    sample_weight : array-like of shape (n_samples,), float or None, default=None
    offset : array-like of shape (n_samples,) or (n_samples, n_classes), or None, default=None
        Of models that take one in `fit`; of more than two classes a column each.

    Returns
    -------
    PathResult
        On the user's scale, with intercepts and duality gaps. It keeps a reference to X and y,
        for ``coef_at(alpha, "exact")``, until it is pickled. Of `HuberRegressor` the scale of a
        path of several alphas has the lower limit that `HuberRegressorCV` describes; that of
        ``coef_at(alpha, "exact")`` has none.

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
    if not hasattr(estimator, "_problem"):
        raise TypeError(
            "estimator must be a linear model of skreg with a penalty of given strength, such as"
            f" Lasso, Ridge or LogisticRegression, got {type(estimator).__name__}"
        )
    estimator = copy(estimator)  # for what the checks note on it, and a generator that moves on
    if hasattr(estimator, "random_state"):
        estimator.random_state = deepcopy(estimator.random_state)
    data = estimator._checked(X, y, sample_weight, offset)
    bound = data.bind(estimator._problem(data.columns), getattr(estimator, "precompute", None))
    grid = resolve_alphas(100 if alphas is None else unwrap(alphas), bound)
    floored = len(grid) > 1 and bound.loss.fits_scale
    along = bound.with_settings(scale_floor=True) if floored else bound
    path = relaxed(along, finite_path(along, grid), bound.problem.relax)
    if not path.converged.all():
        name, unit = f"the path of {type(estimator).__name__}", unit_of_gaps(bound.loss)
        warn_unconverged(name, float(path.dual_gaps.max()), path.tol, unit=unit)
    return replace(
        with_degrees_of_freedom(path, bound),
        feature_names=getattr(estimator, "feature_names_in_", None),
        classes=getattr(estimator, "classes_", None),
        refit=partial(_refit, bound),
    )


@one_blas_thread
def _refit(bound: BoundProblem, alpha: float, start: NDArray[Any]) -> PathResult:
    path = fit_path(bound, np.array([alpha]), start=start.T)
    return relaxed(bound, path, bound.problem.relax)


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
    given: dict[str, Any] = {"standardize": standardize, "penalty_factor": penalty_factor}
    check_parameters(constraints_of(LinearParameters), given, "ridge_path")
    model = Ridge(fit_intercept=False, **given)
    path = regularization_path(model, X, y, alphas=alphas, sample_weight=sample_weight)
    return path.alphas, path.coefs, path.dual_gaps
