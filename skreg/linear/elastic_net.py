"""ElasticNet."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn import get_config
from sklearn.utils import metadata_routing
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from ..estimators.parameters import parameters_checked
from ..estimators.validation import check_weights, columns_of
from ..paths.fit_path import Model, fit_path
from ._base import (
    ADDED_CONSTRAINTS,
    LinearModel,
    all_or_nothing,
    is_gram,
    linear_model,
    plain,
    require_finite,
    take_gram,
)
from ._checks import note_columns, single_column, unchecked_data
from ._units import units_of
from ._warnings import warn_unconverged
from .paths import enet_path


class ElasticNet(LinearModel):
    """Linear regression with L1 and squared L2 penalties.

    Minimises, with the sample weights s scaled to sum to n_samples and v the penalty factors,

        1/(2 n) sum_i s_i (y_i - b - x_i w)^2
            + alpha sum_j v_j (l1_ratio |w_j| + (1 - l1_ratio)/2 w_j^2)

    subject to ``lower_bound <= w <= upper_bound``. With several targets each has a problem of
    its own. Every method aims for a duality gap near rounding; Notes say which one is used.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the penalty, >= 0. At 0 the answer is least squares, of minimum norm where
        it is not unique.
    l1_ratio : float, default=0.5
        Share of the L1 penalty, in [0, 1].
    fit_intercept : bool, default=True
    precompute : bool, "auto" or array-like of shape (n_features, n_features), default=False
        Whether ``solver="cd"`` works on the Gram matrix of all features. False keeps to a working
        set, "auto" decides by shape, as ``solver="auto"`` always does. A matrix, which is used by
        both, is taken as the Gram matrix of the centered X with rows multiplied by the square
        roots of the weights, and checked on a few elements.
    max_iter : int or None, default=1000
        Largest number of iterations at an alpha, Newton's rounds among them; None is 1000. The
        knots of a path that is followed exactly do not count.
    copy_X : bool, default=True
        For compatibility: X is never written to, and copied only where its layout or dtype is
        none the engine reads.
    tol : float, default=1e-4
        Largest relative duality gap that counts as converged, in the unit of `dual_gap_`. The
        solver aims far below it.
    warm_start : bool, default=False
        Start from the coefficients of the previous fit.
    positive : bool, default=False
        Whether coefficients must not be negative.
    random_state : int, RandomState instance or None, default=None
        For ``selection="random"``.
    selection : {"cyclic", "random"}, default="cyclic"
        Order in which coordinates are visited; "random" means coordinate descent.
    solver : {"auto", "cd"}, default="auto"
        "auto" is exact up to rounding and the faster one, "cd" is coordinate descent.
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
    sparse_coef_ : sparse matrix or array of shape (1, n_features) or (n_targets, n_features)
    intercept_ : float or ndarray of shape (n_targets,)
        An array where y has two dimensions, also with a single column; 0.0 without an intercept.
    dual_gap_ : float or ndarray of shape (n_targets,)
        Upper bound of how far the objective is above its minimum, divided by the weighted mean
        square of the centered target: the unit of `tol`.
    converged_ : bool or ndarray of shape (n_targets,)
        Whether `dual_gap_` is at most `tol`.
    n_iter_ : int or list of int
        Rounds of Newton's method and iterations of descent.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Where X has names that are all strings.

    See Also
    --------
    ElasticNetCV : Chooses alpha and l1_ratio by cross-validation.
    regularization_path : The whole path, with intercepts and gaps.

    Notes
    -----
    ``solver="auto"`` takes, for n rows and p features,

    - without an L1 part and bounds the closed form, as `Ridge` does;
    - with p <= 300 and p <= 2 n, for a path also with p <= 1500 and p <= n, the Gram matrix: n p^2
      flops and p^2 numbers. On it the path of the Lasso is followed from knot to knot (Osborne,
      Presnell and Turlach, IMA J. Numer. Anal. 20(3), 2000; Efron et al., Ann. Statist. 32(2),
      2004), at p^2 flops a knot; all else is solved by Newton's method on the active set A
      (Hintermüller, Ito and Kunisch, SIAM J. Optim. 13(3), 2002), |A|^3 / 3 + |A| p a round;
    - otherwise the latter on a working set of m features, a chunk of alphas at a time, checked by
      products of X with the residuals at one or two of them: n m + m^2 numbers.

    What the duality gap does not certify, descent finishes. ``solver="cd"`` is coordinate descent
    with Newton steps on the support (Friedman, Hastie and Tibshirani, J. Stat. Softw. 33(1), 2010,
    for the former), and so is "auto" with bounds but no L1 part or with ``selection="random"``.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skreg import ElasticNet
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = ElasticNet(alpha=0.01, l1_ratio=0.9).fit(X, y)
    >>> bool(model.dual_gap_ < 1e-10)
    True
    """

    __metadata_request__fit = {"check_input": metadata_routing.UNUSED}

    _parameter_constraints: dict[str, Any] = {
        "alpha": [Interval(numbers.Real, 0, None, closed="left")],
        "l1_ratio": [Interval(numbers.Real, 0, 1, closed="both")],
        "fit_intercept": ["boolean"],
        "precompute": ["boolean", StrOptions({"auto"}), "array-like"],
        "max_iter": [Interval(numbers.Integral, 1, None, closed="left"), None],
        "copy_X": ["boolean"],
        "tol": [Interval(numbers.Real, 0, None, closed="left")],
        "warm_start": ["boolean"],
        "positive": ["boolean"],
        "random_state": ["random_state"],
        "selection": [StrOptions({"cyclic", "random"})],
        **ADDED_CONSTRAINTS,
    }

    path = staticmethod(enet_path)

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        l1_ratio: float = 0.5,
        fit_intercept: bool = True,
        precompute: Any = False,
        max_iter: int | None = 1000,
        copy_X: bool = True,
        tol: float = 1e-4,
        warm_start: bool = False,
        positive: bool = False,
        random_state: Any = None,
        selection: str = "cyclic",
        solver: str = "auto",
        standardize: bool = False,
        penalty_factor: ArrayLike | None = None,
        lower_bound: ArrayLike | None = None,
        upper_bound: ArrayLike | None = None,
    ) -> None:
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.max_iter = max_iter
        self.copy_X = copy_X
        self.tol = tol
        self.warm_start = warm_start
        self.positive = positive
        self.random_state = random_state
        self.selection = selection
        self.solver = solver
        self.standardize = standardize
        self.penalty_factor = penalty_factor
        self.lower_bound = lower_bound
        self.upper_bound = upper_bound

    def _model(self, columns: Sequence[Any]) -> Model:
        return linear_model(self, columns, self.l1_ratio)

    @parameters_checked
    @all_or_nothing
    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, check_input: bool = True
    ) -> ElasticNet:
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
        sample_weight : array-like of shape (n_samples,), float or None, default=None
            Weight k counts as the row k times, weight 0 as no row.
        check_input : bool, default=True
            False skips the checks of X and y, which must then be numbers and finite.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the input or a parameter is invalid; nothing of the fit is then kept.
        """
        if check_input:
            X, y, sample_weight, columns, units = self._check_data(X, y, sample_weight)
        else:
            columns = columns_of(X, X.shape[1])
            X, y = unchecked_data(X, y)
            sample_weight = check_weights(sample_weight, X)
            note_columns(self, X)
            units = units_of(X, y, sample_weight)
        model = units.model(self._model(columns))
        X, y, sample_weight = units.scaled(X, y, sample_weight)
        design = model.design(X, sample_weight)
        if is_gram(self.precompute):
            take_gram(design, X, units.gram(self.precompute))
        targets = single_column(y)
        path = fit_path(
            model,
            X,
            targets,
            np.array([self.alpha], dtype=np.float64),
            sample_weight=sample_weight,
            design=design,
            start=units.start(self._start(targets)),
        )
        path = units.path(path, model)
        require_finite(path)
        self.coef_ = np.ascontiguousarray(path.coefs[..., 0])
        self.dual_gap_ = path.dual_gaps[..., 0][()]
        self.converged_ = plain(path.converged[..., 0])
        self.n_iter_ = path.n_iters[..., 0].tolist()
        intercept = path.intercepts[..., 0].astype(self.coef_.dtype)
        self.intercept_ = intercept.reshape(y.shape[1:])[()] if self.fit_intercept else 0.0
        if not path.converged.all():
            gap, n_iter = float(path.dual_gaps.max()), int(path.n_iters.max())
            warn_unconverged(type(self).__name__, gap, self.tol, n_iter)
        return self

    def _start(self, y: np.ndarray) -> np.ndarray | None:
        if not self.warm_start or not hasattr(self, "coef_"):
            return None
        shape = (self.n_features_in_,) if y.ndim == 1 else (y.shape[1], self.n_features_in_)
        if self.coef_.shape != shape:
            raise ValueError(
                f"warm_start=True, but coef_ of the previous fit has shape {self.coef_.shape}"
                f" where {shape} is needed; set warm_start=False"
            )
        if not np.isfinite(self.coef_).all():
            raise ValueError("warm_start=True, but coef_ has NaN or infinity; set warm_start=False")
        return np.asarray(self.coef_.T)

    @property
    def sparse_coef_(self) -> Any:
        """Sparse representation of `coef_`, of the kind that scikit-learn is set to give."""
        check_is_fitted(self)
        as_array = get_config().get("sparse_interface") == "sparray"  # from scikit-learn 1.9
        kind = sparse.csr_array if as_array else sparse.csr_matrix
        return kind(np.atleast_2d(self.coef_))
