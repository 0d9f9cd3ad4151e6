"""HuberRegressor and HuberRegressorCV: linear regression that outliers in y move little."""

from __future__ import annotations

import numbers
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import r2_score
from sklearn.utils._param_validation import Interval

from ..estimators.parameters import parameter, with_parameters
from ..objective.losses import ScaledHuber
from .generalized import GeneralizedRegressor, RegressorAtAlpha
from .generalized_cv import GeneralizedRegressorCV
from .row_blocks import RowBlocks
from .training_data import TrainingData


@with_parameters
class HuberModel(GeneralizedRegressor):
    """Base of both: the loss, and the scale of the residuals."""

    epsilon: float = parameter(
        default=1.35,
        constraint=[Interval(numbers.Real, 1, None, closed="left")],
        kind="float",
        meaning="Residuals beyond so many scales count linearly; at least 1.",
    )

    _alpha_of = "sum"

    @property
    def _takes_blocks(self) -> bool:
        return False

    def _loss(self) -> ScaledHuber:
        return ScaledHuber(float(self.epsilon))

    def _checked_blocks(self, rows: RowBlocks) -> Any:
        raise TypeError(
            f"{type(self).__name__} takes rows in memory: its scale is a root that takes the"
            " residuals of all of them in order"
        )

    def _keep_residuals(self, data: TrainingData) -> None:
        y = data.y if data.offset is None else data.y - data.offset
        residual = y - (data.X @ self.coef_ + self.intercept_)
        weight = np.ones(len(y)) if data.sample_weight is None else data.sample_weight
        self.scale_: float = self._loss().best_scale(residual, y, weight)
        self.outliers_: NDArray[np.bool_] = np.abs(residual) > self.epsilon * self.scale_

    def score(self, X: Any, y: Any, sample_weight: Any = None, offset: Any = None) -> float:
        """The coefficient of determination, R².

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,) or None, default=None
        offset : array-like of shape (n_samples,) or None, default=None

        Returns
        -------
        float
        """
        return float(r2_score(y, self.predict(X, offset), sample_weight=sample_weight))


@with_parameters
class HuberRegressor(HuberModel, RegressorAtAlpha):
    """Linear regression with Huber's loss and a fitted scale, L1 and squared L2 penalties.

    Minimises over coefficients w, intercept b and scale sigma > 0, with ``H(z) = z^2`` up to
    epsilon and ``2 epsilon |z| - epsilon^2`` beyond, the sample weights s as they are, o an offset
    and v the penalty factors,

        sum_i s_i (sigma + H((y_i - o_i - b - x_i w) / sigma) sigma)
            + 2 alpha sum_j v_j (l1_ratio |w_j| + (1 - l1_ratio)/2 w_j^2)

    subject to ``lower_bound <= w <= upper_bound`` (Owen, Contemporary Mathematics 443, 2007). With
    ``l1_ratio=0`` this is scikit-learn's objective.

    {parameters}

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
    intercept_ : float
    scale_ : float
        sigma, in the unit of y.
    outliers_ : ndarray of bool, shape (n_samples,)
        The rows whose residual is larger than ``epsilon * scale_``.
    dual_gap_ : float
        Upper bound of how far half the mean objective is above its minimum, divided by the mean
        loss of the intercept alone: the unit of `tol`.
    converged_ : bool
        Whether `dual_gap_` is at most `tol`.
    n_iter_ : int
        Newton steps, over all scales.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Where X has names that are all strings.

    See Also
    --------
    HuberRegressorCV : Chooses alpha by cross-validation.
    regularization_path : The whole path, with intercepts and gaps.

    Notes
    -----
    The objective is convex in all of them. For a given scale it is a problem in w and b alone,
    which the method of `PoissonRegressor` solves; for given residuals the best scale is a root that
    is found by sorting them. The two alternate, sped up by the secant method. The duality gap is
    that at the scale, and what the scale is off by. A single fit has no lower limit of the scale,
    where paths of several alphas and `HuberRegressorCV`'s folds have one.

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import HuberRegressor
    >>> X, y = np.arange(10.0)[:, None], np.arange(10.0) + np.tile([0.1, -0.1], 5)
    >>> y[3] = 100
    >>> model = HuberRegressor().fit(X, y)
    >>> model.coef_.round(2), np.flatnonzero(model.outliers_)
    (array([0.99]), array([1, 3]))
    """

    alpha: float = 1e-4
    tol: float = 1e-5
    solver: ClassVar[str] = "newton"  # type: ignore[misc]  # scikit-learn has no such parameter either


@with_parameters
class HuberRegressorCV(HuberModel, GeneralizedRegressorCV):
    """Huber regression with alpha, and l1_ratio, chosen by cross-validation.

    The objective is that of `HuberRegressor`. For each l1_ratio and each fold one path is fitted
    without the held-out rows, with a scale of its own at each alpha. The error of a fold is the
    mean loss of its rows at the scale that is best for them, in the unit of y:

        min over sigma of mean_i s_i (sigma + H((y_i - f_i) / sigma) sigma)

    No fold and no alpha is judged by a scale that another has, and outliers count linearly; of a
    single row this is twice the absolute error. The information criteria, which need a likelihood,
    are refused.

    The last fit is that of ``HuberRegressor(alpha=alpha_)``. In the folds, and at the other alphas
    of `path_`, sigma is at least a thousandth of about its value for the intercept alone, and a
    tenth where features are enough to meet y, which is another objective where sigma would be
    smaller. Where the last fit does not converge without that limit, it has it as well, with a
    ConvergenceWarning.

    {parameters}

    Attributes
    ----------
    alpha_, l1_ratio_ : float
        Chosen by `rule`.
    alpha_min_, alpha_1se_ : float
        What either rule chooses; ``alpha_1se_ >= alpha_min_``, and NaN where a single fold has no
        standard error.
    alphas_ : ndarray of shape (n_alphas,)
        Those of the chosen l1_ratio.
    coef_ : ndarray of shape (n_features,)
    intercept_ : float
    scale_ : float
        sigma, in the unit of y, that is best for the residuals of `coef_` on all rows.
    outliers_ : ndarray of bool, shape (n_samples,)
        The rows whose residual is larger than ``epsilon * scale_``.
    cv_result_ : CVResult
        Errors, their mean and standard error at the chosen l1_ratio.
    path_ : PathResult
        On all rows, at the chosen l1_ratio, where `store_path` says so.
    dual_gap_ : float
        As of `HuberRegressor`.
    converged_ : bool
    n_iter_ : int
        At `alpha_`.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    See Also
    --------
    HuberRegressor : Describes the objective and the method.

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import HuberRegressorCV
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 10))
    >>> y = X[:, 0] - 0.5 * X[:, 1] + 0.1 * rng.standard_t(1, size=100)
    >>> model = HuberRegressorCV(l1_ratio=1.0).fit(X, y)
    >>> model.coef_.round(1)[:4] + 0.0
    array([ 1. , -0.5,  0. ,  0. ])
    """

    noise_variance: ClassVar[None] = None  # type: ignore[misc]  # no rule uses it
