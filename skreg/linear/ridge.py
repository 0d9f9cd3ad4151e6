"""Ridge."""

from __future__ import annotations

import numbers
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Ridge as ScikitLearnRidge
from sklearn.utils._param_validation import Interval, StrOptions

from ..estimators.parameters import parameters_checked
from ..estimators.validation import columns_of, in_order, numeric
from ..paths.fit_path import Model, fit_path, relative_gaps
from ._base import (
    ADDED_CONSTRAINTS,
    LinearModel,
    all_or_nothing,
    plain,
    require_finite,
    ridge_model,
)
from ._checks import single_column
from ._warnings import warn_unconverged

STOCHASTIC = ("sag", "saga")
OTHERS = ("auto", "svd", "cholesky", "lsqr", "sparse_cg", "lbfgs", "cd")


class Ridge(LinearModel):
    """Linear regression with a squared L2 penalty.

    Minimises, with scikit-learn's scaling (a sum, the sample weights s as they are) and v the
    penalty factors,

        sum_i s_i (y_i - b - x_i w)^2 + alpha sum_j v_j w_j^2

    subject to ``lower_bound <= w <= upper_bound``.

    Parameters
    ----------
    alpha : float or array-like of shape (n_targets,), default=1.0
        Strength of the penalty, >= 0, for all targets or for each; a Series or dict is taken by
        the names of the targets. At 0 the answer is least squares, of minimum norm where it is not
        unique.
    fit_intercept : bool, default=True
    copy_X : bool, default=True
        For compatibility: X is never written to.
    max_iter : int or None, default=None
        Largest number of iterations of the iterative solvers; None is 15000.
    tol : float, default=1e-4
        Where the iterative solvers may stop; "auto" is direct and precise whatever `tol`.
    solver : {"auto", "svd", "cholesky", "lsqr", "sparse_cg", "sag", "saga", "lbfgs", "cd"}, \
default="auto"
        "auto" is a factorisation of the Gram matrix, the kernel or X itself, the cheapest that
        loses no digits that matter, refined; with bounds it is "cd", coordinate descent.
        "cholesky" and "svd" ask for the one or the other; "lsqr" and "sparse_cg" only multiply
        by X; "lbfgs" takes bounds; "sag" and "saga" are scikit-learn's.
    positive : bool, default=False
        Whether coefficients must not be negative.
    random_state : int, RandomState instance or None, default=None
        For "sag" and "saga".
    standardize : bool, default=False
        Divide each feature by its (weighted, 1/n) standard deviation inside; `coef_` is on the
        original scale all the same.
    penalty_factor : array-like of shape (n_features,) or None, default=None
        Multiplies `alpha` for each feature: 0 leaves it unpenalised, inf keeps it out. A
        Series or dict is taken by the names of its values, which are then those of X.
    lower_bound, upper_bound : float, array-like of shape (n_features,) or None, default=None
        Bounds of the coefficients on the original scale, ``lower_bound <= 0 <= upper_bound``; by
        name as well.

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

    _parameter_constraints: dict[str, Any] = {
        "alpha": [Interval(numbers.Real, 0, None, closed="left"), "array-like"],
        "fit_intercept": ["boolean"],
        "copy_X": ["boolean"],
        "max_iter": [Interval(numbers.Integral, 1, None, closed="left"), None],
        "tol": [Interval(numbers.Real, 0, None, closed="left")],
        "positive": ["boolean"],
        "random_state": ["random_state"],
        **ADDED_CONSTRAINTS,
        "solver": [StrOptions({*OTHERS, *STOCHASTIC})],
    }

    def __init__(
        self,
        alpha: float | ArrayLike = 1.0,
        *,
        fit_intercept: bool = True,
        copy_X: bool = True,
        max_iter: int | None = None,
        tol: float = 1e-4,
        solver: str = "auto",
        positive: bool = False,
        random_state: Any = None,
        standardize: bool = False,
        penalty_factor: ArrayLike | None = None,
        lower_bound: ArrayLike | None = None,
        upper_bound: ArrayLike | None = None,
    ) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.max_iter = max_iter
        self.tol = tol
        self.solver = solver
        self.positive = positive
        self.random_state = random_state
        self.standardize = standardize
        self.penalty_factor = penalty_factor
        self.lower_bound = lower_bound
        self.upper_bound = upper_bound

    def _model(self, columns: Sequence[Any]) -> Model:
        return ridge_model(self, columns)

    @parameters_checked
    @all_or_nothing
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Ridge:
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
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
        given_y = y
        X, y, sample_weight, columns, units = self._check_data(X, y, sample_weight)
        alphas = self._alphas(columns_of(given_y, 1 if y.ndim == 1 else y.shape[1]))
        if self.solver == "svd" and sparse.issparse(X):
            raise ValueError("solver='svd' does not support sparse X; use 'auto'")
        if self.solver in STOCHASTIC:
            if not units.ordinary:
                raise ValueError(
                    f"solver={self.solver!r} needs X, y and sample_weight of order one, all"
                    " features alike: scale them, or use solver='auto'"
                )
            return self._fit_stochastic(X, y, sample_weight, alphas)
        model = units.model(self._model(columns))
        X, y, sample_weight = units.scaled(X, y, sample_weight)
        targets = single_column(y)
        solver = model.solver_name(alphas[0])
        design = model.design(X, sample_weight)
        parts = [targets] if len(alphas) == 1 else np.ascontiguousarray(targets.T)
        paths = [
            fit_path(model, X, part, np.array([alpha]), sample_weight=sample_weight, design=design)
            for part, alpha in zip(parts, alphas, strict=True)
        ]
        paths = [units.path(path, model) for path in paths]
        for path in paths:
            require_finite(path)

        def gathered(name: str) -> Any:
            values = [getattr(path, name)[..., 0] for path in paths]
            return values[0] if len(alphas) == 1 else np.stack(values)

        self.coef_ = np.ascontiguousarray(gathered("coefs"))
        intercept = gathered("intercepts").astype(self.coef_.dtype)
        self.intercept_ = intercept.reshape(y.shape[1:])[()]
        self.dual_gap_ = gathered("dual_gaps")[()]
        self.converged_ = plain(gathered("converged"))
        if not self.fit_intercept:
            self.intercept_ = 0.0
        self.n_iter_ = np.atleast_1d(gathered("n_iters")).astype(np.int32)
        self.solver_ = self.solver if self.solver != "auto" else solver
        if not np.all(self.converged_):
            warn_unconverged("Ridge", float(np.max(self.dual_gap_)), self.tol)
        return self

    def _alphas(self, targets: Sequence[Any]) -> np.ndarray:
        """One alpha, or one a target when they differ; by name where both have names."""
        given = in_order(self.alpha, "alpha", targets, "y")
        alphas = np.atleast_1d(numeric(given, "alpha")).ravel()
        if len(alphas) not in (1, len(targets)):
            raise ValueError(
                "Number of targets and number of penalties do not correspond:"
                f" {len(alphas)} != {len(targets)}"
            )
        bad = ~(np.isfinite(alphas) & (alphas >= 0))
        if bad.any():
            raise ValueError(f"alpha must be finite and at least 0, got {alphas[bad][0]}")
        return alphas[:1] if np.ptp(alphas) == 0 else alphas

    def _fit_stochastic(self, X: Any, y: Any, sample_weight: Any, alphas: np.ndarray) -> Ridge:
        """scikit-learn's stochastic average gradient, for those who ask for it by name."""
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
            inner.fit(X, single_column(y), sample_weight)
        self.coef_, self.intercept_ = inner.coef_, np.reshape(inner.intercept_, y.shape[1:])[()]
        self.n_iter_, self.solver_ = inner.n_iter_, self.solver
        model = self._model(range(X.shape[1]))
        design = model.design(X, sample_weight)
        coefs = np.atleast_2d(self.coef_).astype(np.float64)
        targets = single_column(y)
        alphas = model.engine_alphas(alphas, sample_weight, X.shape[0])
        alphas = np.broadcast_to(alphas, len(coefs))
        gaps = relative_gaps(model, design, targets, alphas, coefs)
        self.dual_gap_ = gaps.reshape(targets.shape[1:])[()]
        self.converged_ = plain(gaps.reshape(targets.shape[1:]) <= model.settings.threshold)
        if not np.all(self.converged_):
            warn_unconverged("Ridge", float(gaps.max()), self.tol)
        return self
