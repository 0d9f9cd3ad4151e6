"""Models of counts and amounts: PoissonRegressor, GammaRegressor, TweedieRegressor."""

from __future__ import annotations

import numbers
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils._param_validation import Interval, StrOptions

from ..estimators.parameters import NOT_NEGATIVE, SHARE, parameter, with_parameters
from ..estimators.validation import check_weights
from ..objective.losses import Gamma, Loss, Poisson, SquaredError, Tweedie
from ..paths.problem import Problem
from .base import LinearModel, WarmStarted, all_or_nothing, fit_at
from .block_data import BlockData, from_blocks
from .parameters import RelaxParameters, SmoothLossParameters
from .problems import smooth_problem, with_relax
from .reweighting import ReweightedParameters
from .row_blocks import RowBlocks
from .streaming import MomentsData
from .training_data import TrainingData, check_offset


class GeneralizedLinearModel(LinearModel):
    """Base of the models whose linear predictor takes an offset, and whose loss has a link."""

    _fitted_with_offset = False

    #: What alpha is weighed against: the mean of the losses or their sum.
    _alpha_of: ClassVar[str] = "mean"

    @abstractmethod
    def _loss(self) -> Loss:
        """The loss of a fit, by the parameters."""

    def _keep_residuals(self, data: TrainingData) -> None:
        """Set what is read off the residuals of a fit, which most losses have nothing of."""

    def _shifted_predictor(self, X: Any, offset: Any) -> NDArray[Any]:
        """The linear predictor, with the offset that a fit with one asks for."""
        eta = self._linear_predictor(X)
        if offset is None:
            if self._fitted_with_offset:
                raise ValueError(
                    "the model was fitted with an offset: pass that of these rows, zeros where"
                    " there is none"
                )
            return eta
        added = check_offset(offset, eta.shape)
        assert added is not None
        return eta + added.astype(eta.dtype)


class GeneralizedRegressor(RegressorMixin, GeneralizedLinearModel):
    """Base of the models of counts and amounts."""

    #: The loss of the fit, whatever parameters are set after it; None of a model made by hand.
    _fitted_loss: Loss | None = None

    @property
    def _own_loss(self) -> Loss:
        """The loss of the fitted model."""
        return self._fitted_loss or self._loss()

    @property
    def _takes_blocks(self) -> bool:
        # Of the squared error folds need residuals, which sums of squares have none of.
        return not (self._own_loss.quadratic and hasattr(self, "cv"))

    def _checked(self, X: Any, y: Any, sample_weight: Any, offset: Any) -> Any:
        self._validate_params()
        self._fitted_with_offset, self._fitted_loss = offset is not None, self._loss()
        data = from_blocks(self, X, y, sample_weight, offset, self._checked_blocks)
        if data is not None:
            return data
        return TrainingData.check_for_loss(self, X, y, sample_weight, offset, self._own_loss)

    def _checked_blocks(self, rows: RowBlocks) -> Any:
        """Rows that come in blocks, checked in one pass."""
        loss = self._own_loss
        if not loss.quadratic:
            return BlockData.check(self, rows, loss)
        if not self._takes_blocks:
            raise ValueError(
                f"{type(self).__name__} with the squared error takes rows in memory: use"
                " ElasticNetCV or RidgeCV for rows that come in blocks"
            )
        return MomentsData.check(self, rows.moments())

    def predict(self, X: Any, offset: Any = None) -> NDArray[Any]:
        """Predict the mean, the inverse link of ``X @ coef_ + intercept_ + offset``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        offset : array-like of shape (n_samples,) or None, default=None
            Needed where the model was fitted with one.

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        eta = self._shifted_predictor(X, offset)
        return self._own_loss.inverse_link(eta)

    def score(self, X: Any, y: Any, sample_weight: Any = None, offset: Any = None) -> float:
        """Share of the deviance explained, D²: 1 at best, 0 as the intercept alone does.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), float or None, default=None
        offset : array-like of shape (n_samples,) or None, default=None

        Returns
        -------
        float
        """
        loss, eta = self._own_loss, self._shifted_predictor(X, offset).astype(np.float64)
        target = np.asarray(column_or_1d(y), dtype=np.float64)
        check_consistent_length(eta, target)
        loss.check_target(target)
        weight = check_weights(sample_weight, target)
        added = None if offset is None else np.asarray(offset, dtype=np.float64)
        shares = np.full(len(target), 1.0) if weight is None else weight
        shares = shares / shares.sum()
        null = loss.null_model(target, shares, added) + (0.0 if added is None else added)
        worst = loss.deviance(np.broadcast_to(null, eta.shape), target, shares)
        left = loss.deviance(eta, target, shares)
        return 1.0 - left / worst if worst > 0 else float(left <= 0)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        try:
            self._loss().check_target(np.array([-1.0]))
        except ValueError:
            tags.target_tags.positive_only = True
        return tags


@with_parameters
class RegressorAtAlpha(
    ReweightedParameters, RelaxParameters, SmoothLossParameters, WarmStarted, GeneralizedRegressor
):
    """Base of those with a penalty of given strength."""

    alpha: float = parameter(
        default=1.0,
        constraint=[NOT_NEGATIVE],
        kind="float",
        meaning="Strength of the penalty, >= 0; 0 is none.",
    )
    l1_ratio: float = parameter(
        default=0.0,
        constraint=[SHARE],
        kind="float",
        meaning="Share of the L1 penalty, in [0, 1].",
    )
    solver: str = parameter(
        default="lbfgs",
        constraint=[StrOptions({"lbfgs", "newton-cholesky", "newton-cd", "newton"})],
        kind='{"lbfgs", "newton-cholesky", "newton-cd", "newton"}',
        meaning="For compatibility: each of scikit-learn's names gives the same certified answer.",
    )

    @all_or_nothing
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, offset: Any = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowBlocks
            RowBlocks, and a collection of Dask, are read once for each of Newton's steps.
        y : array-like of shape (n_samples,)
            Left out with RowBlocks, which have it.
        sample_weight : array-like of shape (n_samples,), float or None, default=None
            Weight k counts as the row k times, weight 0 as no row.
        offset : array-like of shape (n_samples,) or None, default=None
            What is added to the linear predictor of each row: for rates of counts the logarithm of
            the exposure.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the input or a parameter is invalid; nothing of the fit is then kept.
        """
        data = self._checked(X, y, sample_weight, offset)
        bound = data.bind(self._problem(data.columns))
        point = fit_at(bound, self.alpha, self._start(bound))
        self._keep_fit(point, data.shape, bound.loss)
        self._keep_residuals(data)
        self.n_iter_ = int(point.n_iter)
        return self

    def _problem(self, columns: Sequence[Any]) -> Problem:
        problem = smooth_problem(self, columns, self._loss(), self.l1_ratio, self._alpha_of)
        return with_relax(problem, self.relax)


@with_parameters
class PoissonRegressor(RegressorAtAlpha):
    """Counts: Poisson regression with a log link, and L1 and squared L2 penalties.

    Minimises, with the sample weights s scaled to sum to n_samples, ``mu_i = exp(o_i + b + x_i w)``
    for offsets o, and v the penalty factors,

        1/n sum_i s_i (mu_i - y_i - y_i log(mu_i / y_i))
            + alpha sum_j v_j (l1_ratio |w_j| + (1 - l1_ratio)/2 w_j^2)

    subject to ``lower_bound <= w <= upper_bound``: half the mean Poisson deviance and the penalty.

    {parameters}

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
    intercept_ : float
    dual_gap_ : float
        Upper bound of how far the objective is above its minimum, divided by the weighted mean
        deviance of the intercept alone: the unit of `tol`.
    converged_ : bool
        Whether `dual_gap_` is at most `tol`.
    n_iter_ : int
        Newton steps.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Where X has names that are all strings.

    See Also
    --------
    PoissonRegressorCV : Chooses alpha by cross-validation.
    regularization_path : The whole path, with intercepts and gaps.

    Notes
    -----
    A proximal Newton method (Lee, Sun and Saunders, SIAM J. Optim. 24(3), 2014) on a working set of
    features, whose model with the penalty the active-set method of `Lasso` minimises. The duality
    gap is taken at the residual of the last model.

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import PoissonRegressor
    >>> X, exposure = np.array([[0.0], [1.0], [0.0], [1.0]]), np.array([1.0, 1.0, 2.0, 4.0])
    >>> model = PoissonRegressor(alpha=0).fit(X, [3, 9, 5, 31], offset=np.log(exposure))
    >>> model.predict([[0.0], [1.0]], offset=np.zeros(2)).round(3)
    array([2.667, 8.   ])
    """

    def _loss(self) -> Loss:
        return Poisson()


@with_parameters
class GammaRegressor(RegressorAtAlpha):
    """Positive amounts: gamma regression with a log link, and L1 and squared L2 penalties.

    Minimises, with ``mu_i = exp(o_i + b + x_i w)``,

        1/n sum_i s_i (y_i / mu_i - log(y_i / mu_i) - 1)
            + alpha sum_j v_j (l1_ratio |w_j| + (1 - l1_ratio)/2 w_j^2)

    Weights, offsets, attributes and method are those of `PoissonRegressor`.

    {parameters}

    See Also
    --------
    PoissonRegressor : Describes every attribute, and the method.
    GammaRegressorCV : Chooses alpha by cross-validation.

    Examples
    --------
    >>> from skreg import GammaRegressor
    >>> model = GammaRegressor(alpha=0).fit([[0.0], [1.0], [0.0], [1.0]], [1.0, 3.0, 3.0, 5.0])
    >>> model.predict([[0.0], [1.0]]).round(3)
    array([2., 4.])
    """

    def _loss(self) -> Loss:
        return Gamma()


@with_parameters
class TweedieParameters:
    """What says which of Tweedie's distributions it is."""

    power: float = parameter(
        default=0.0,
        constraint=[Interval(numbers.Real, None, None, closed="neither")],
        kind="float",
        meaning="""
        The variance is proportional to ``mu^power``: 0 is the squared error, 1 Poisson's, 2 gamma's
        deviance, and between 1 and 2 that of sums of gamma amounts, often zero. Others are not
        convex in the linear predictor and are refused.
        """,
    )
    link: str = parameter(
        default="auto",
        constraint=[StrOptions({"auto", "identity", "log"})],
        kind='{"auto", "identity", "log"}',
        meaning='The link that "auto" takes is "identity" at the power 0 and "log" above.',
    )

    def _loss(self) -> Loss:
        if self.power != 0 and not 1 <= self.power <= 2:
            raise ValueError(
                f"power must be 0 or from 1 to 2, got {self.power}: others have no convex objective"
            )
        wanted = "log" if self.power else "identity"
        if self.link not in ("auto", wanted):
            raise ValueError(
                f"link={self.link!r} has no convex objective at power={self.power}: take"
                f" {wanted!r} or 'auto'"
            )
        if self.power in KNOWN_POWERS:
            return KNOWN_POWERS[self.power]
        return Tweedie(float(self.power))


KNOWN_POWERS = {0.0: SquaredError(), 1.0: Poisson(), 2.0: Gamma()}


@with_parameters
class TweedieRegressor(TweedieParameters, RegressorAtAlpha):
    """Amounts that may be zero: regression with a Tweedie deviance, L1 and squared L2 penalties.

    Minimises, with d the unit deviance of the given power,

        1/(2 n) sum_i s_i d(y_i, mu_i) + alpha sum_j v_j (l1_ratio |w_j| + (1 - l1_ratio)/2 w_j^2)

    Weights, offsets, attributes and method are those of `PoissonRegressor`.

    {parameters}

    See Also
    --------
    PoissonRegressor : Describes every attribute, and the method.
    TweedieRegressorCV : Chooses alpha by cross-validation.

    Examples
    --------
    >>> from skreg import TweedieRegressor
    >>> model = TweedieRegressor(power=1.5, alpha=0).fit([[0.0], [1.0], [0.0], [1.0]], [0, 3, 4, 5])
    >>> model.predict([[0.0], [1.0]]).round(3)
    array([2., 4.])
    """
