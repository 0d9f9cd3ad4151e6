"""Ridge."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Ridge as ScikitLearnRidge
from sklearn.utils._param_validation import StrOptions

from ..data.products import Array
from ..estimators.parameters import COUNT, NOT_NEGATIVE, parameter, with_parameters
from ..estimators.validation import columns_of, numeric, ordered_by_name, refuse_booleans
from ..estimators.warnings import warn_unconverged
from ..paths.fit_path import gaps_of
from ..paths.problem import Problem
from ..paths.result import PathPoint
from .base import LinearModel, LinearRegressor, all_or_nothing, fit_at
from .parameters import LinearParameters
from .problems import ridge_problem
from .streaming import FittedToMoments, in_blocks
from .training_data import TrainingData

STOCHASTIC = ("sag", "saga")
OTHERS = ("auto", "svd", "cholesky", "lsqr", "sparse_cg", "lbfgs", "cd")


@with_parameters
class RidgeModel(LinearParameters, LinearModel):
    """Base of Ridge and of the classifier of its kind."""

    alpha: float | ArrayLike = parameter(
        default=1.0,
        constraint=[NOT_NEGATIVE, "array-like"],
        kind="float or array-like of shape (n_targets,)",
        meaning="""
        Strength of the penalty, >= 0, for all targets or for each; a Series or dict is taken by the
        names of the targets. At 0 the answer is least squares, of minimum norm where it is not
        unique.
        """,
        kw_only=False,
    )
    copy_X: bool = parameter(default=True, meaning="For compatibility: X is never written to.")
    max_iter: int | None = parameter(
        default=None,
        constraint=[COUNT, None],
        kind="int or None",
        meaning="Largest number of iterations of the iterative solvers; None is 15000.",
    )
    tol: float = parameter(
        default=1e-4,
        constraint=[NOT_NEGATIVE],
        kind="float",
        meaning="""
        Where the iterative solvers may stop; "auto" is direct and precise whatever `tol`.
        """,
    )
    solver: str = parameter(
        default="auto",
        constraint=[StrOptions({*OTHERS, *STOCHASTIC})],
        kind='{"auto", "svd", "cholesky", "lsqr", "sparse_cg", "sag", "saga", "lbfgs", "cd"}',
        meaning="""
        "auto" is a factorisation of the Gram matrix, the kernel or X itself, the cheapest that
        loses no digits that matter, refined; with bounds it is "cd", coordinate descent. "cholesky"
        and "svd" ask for the one or the other; "lsqr" and "sparse_cg" only multiply by X; "lbfgs"
        takes bounds; "sag" and "saga" are scikit-learn's.
        """,
    )
    positive: bool = parameter(default=False, meaning="Whether coefficients must not be negative.")
    random_state: Any = parameter(
        default=None,
        constraint=["random_state"],
        kind="int, RandomState instance or None",
        meaning='For "sag" and "saga".',
    )

    def _fit_ridge(self, data: TrainingData, alphas: Array) -> None:
        """Fit at one alpha, or one a target, and set the attributes."""
        if self.solver == "svd" and sparse.issparse(data.X):
            raise ValueError("solver='svd' does not support sparse X; use 'auto'")
        if self.solver in STOCHASTIC:
            point = self._fit_stochastic(data, alphas)
        else:
            problem = self._problem(data.columns)
            auto = self.solver == "auto"
            known = auto and problem.penalty.plain  # what the registry says at any alpha
            name = "closed_form" if known else problem.solver_at(alphas[0])
            self.solver_ = name if auto else self.solver
            bound = data.bind(problem)
            if len(alphas) == 1:
                point = fit_at(bound, alphas[0])
            else:
                point = PathPoint.stacked(
                    fit_at(bound.for_target(k), alpha) for k, alpha in enumerate(alphas)
                )
        self._keep_point(point, data.shape)
        n_iter = point.n_iter
        self.n_iter_ = None if n_iter is None else np.atleast_1d(n_iter).astype(np.int32)
        if not np.all(self.converged_):
            warn_unconverged(type(self).__name__, float(np.max(self.dual_gap_)), self.tol)

    def _problem(self, columns: Sequence[Any]) -> Problem:
        return ridge_problem(self, columns, self.solver, self.tol, self.max_iter)

    def _alphas(self, targets: Sequence[Any]) -> Array:
        """One alpha, or one a target when they differ; by name where both have names."""
        given = ordered_by_name(self.alpha, "alpha", targets, "y")
        alphas = np.atleast_1d(numeric(given, "alpha")).ravel()
        if len(alphas) not in (1, len(targets)):
            raise ValueError(
                "Number of targets and number of penalties do not correspond:"
                f" {len(alphas)} != {len(targets)}"
            )
        refuse_booleans(given, "alpha")
        bad = ~(np.isfinite(alphas) & (alphas >= 0))
        if bad.any():
            raise ValueError(f"alpha must be finite and at least 0, got {alphas[bad][0]}")
        return alphas[:1] if np.ptp(alphas) == 0 else alphas

    def _fit_stochastic(self, data: TrainingData, alphas: Array) -> PathPoint:
        """scikit-learn's stochastic average gradient, for those who ask for it by name."""
        if not data.powers.ordinary:
            raise ValueError(
                f"solver={self.solver!r} needs X, y and sample_weight of order one, all"
                " features alike: scale them, or use solver='auto'"
            )
        added = ("penalty_factor", "lower_bound", "upper_bound")
        unsupported = [name for name in ("positive", "standardize") if getattr(self, name)]
        unsupported += [name for name in added if getattr(self, name) is not None]
        if unsupported:
            raise ValueError(
                f"solver={self.solver!r} does not support {', '.join(unsupported)};"
                " use 'auto' or 'cd'"
            )
        inner = ScikitLearnRidge(
            alpha=alphas if len(alphas) > 1 else alphas[0],
            fit_intercept=self.fit_intercept,
            max_iter=self.max_iter,
            tol=self.tol,
            solver=self.solver,
            random_state=self.random_state,
        )
        with warnings.catch_warnings():  # it judges by its steps, the gap tells more
            warnings.simplefilter("ignore", ConvergenceWarning)
            inner.fit(data.X, data.y, data.sample_weight)
        self.solver_ = self.solver
        bound = data.bind(ridge_problem(self, data.columns, tol=self.tol))
        gaps = gaps_of(bound, alphas, np.atleast_2d(inner.coef_).astype(np.float64))
        gaps = gaps.reshape(data.y.shape[1:])
        converged = gaps <= bound.problem.settings.threshold
        return PathPoint(inner.coef_, np.asarray(inner.intercept_), gaps, converged, inner.n_iter_)


@with_parameters
class Ridge(RidgeModel, FittedToMoments, LinearRegressor):
    """Linear regression with a squared L2 penalty.

    Minimises, with scikit-learn's scaling (a sum, the sample weights s as they are) and v the
    penalty factors,

        sum_i s_i (y_i - b - x_i w)^2 + alpha sum_j v_j w_j^2

    subject to ``lower_bound <= w <= upper_bound``.

    {parameters}

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
    intercept_ : float or ndarray of shape (n_targets,)
        An array where y has two dimensions, also with a single column.
    dual_gap_ : float or ndarray of shape (n_targets,)
        Upper bound of how far the objective is above its minimum, as a share of the weighted sum
        of squares of the centered target (with the loss halved).
    converged_ : bool or ndarray of shape (n_targets,)
        Whether `dual_gap_` is at most `tol`.
    n_iter_ : ndarray of shape (n_targets,)
        1 for direct solvers.
    solver_ : str
        The solver that was used.
    n_samples_seen_ : int
        Rows of all blocks, after `partial_fit` or `fit_moments`.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Where X has names that are all strings.

    See Also
    --------
    RidgeCV : Chooses alpha by leave-one-out or K-fold cross-validation.

    Examples
    --------
    >>> from skreg import Ridge
    >>> Ridge(alpha=1.0).fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 2.0]).coef_.round(3)
    array([0.667])
    """

    @all_or_nothing
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowBlocks
            Blocks have y and weights with them. An array or a frame of Dask, with such a y, and a
            large memory map are read block by block too.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
        sample_weight : array-like of shape (n_samples,), float or None, default=None
            Weight k counts as the row k times, weight 0 as no row.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the input or a parameter is invalid, or the solver does not take the penalty.
        """
        if (rows := in_blocks(X, y, sample_weight, self.solver == "auto")) is not None:
            return self._fit_blocks(rows)
        data = TrainingData.check(self, X, y, sample_weight)
        self._forget()
        self._fit_ridge(data, self._alphas(columns_of(y, data.y[:1].size)))
        return self

    def _refuse_solver_of_rows(self) -> None:
        if self.solver not in ("auto", "cd"):
            raise AttributeError(f"solver={self.solver!r} needs the rows of X: take 'auto'")

    def _check_settings(self, data: Any) -> None:
        if self.solver in STOCHASTIC:
            raise ValueError(f"solver={self.solver!r} needs the rows of X: take 'auto'")
        self._alphas(range(data.moments.n_targets))
        super()._check_settings(data)

    def _fit_data(self, data: Any) -> None:
        self._check_settings(data)
        self._fit_ridge(data, self._alphas(range(data.moments.n_targets)))
