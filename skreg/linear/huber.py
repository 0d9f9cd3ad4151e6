"""HuberRegressor: linear regression that outliers in y move little, with its scale fitted too."""

from __future__ import annotations

import numbers
from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.utils._param_validation import Interval

from ..data.products import Array
from ..estimators.parameters import COUNT, NOT_NEGATIVE, SHARE, parameter, with_parameters
from ..estimators.warnings import warn_unconverged
from ..objective.losses import Huber
from ..paths.problem import BoundProblem
from ..paths.result import PathPoint
from ..solvers.null_model import null_deviances
from .base import WarmStarted, all_or_nothing, fit_at
from .parameters import SmoothLossParameters
from .problems import smooth_problem
from .training_data import TrainingData

# Most fits, at a scale each.
MOST_SCALES = 100
# Change of the scale that ends them, as a share of it.
SAME_SCALE = 1e-12
# What a scale may fall to at once: from far away a fit with a small one takes many steps.
LARGEST_FALL = 0.1
# No scale is below this share of the size of y: what is left is rounding.
LEAST_SCALE = 1e-14
# Where residuals ask for a scale that is so much smaller, y is met.
NEARLY_MET = 0.1
# Gap that is then enough: the smaller the scale, the less is left of the penalty beside rounding.
MET = 1e-7


@with_parameters
class HuberRegressor(SmoothLossParameters, RegressorMixin, WarmStarted):
    """Linear regression with Huber's loss and a fitted scale, L1 and squared L2 penalties.

    Minimises over coefficients w, intercept b and scale sigma > 0, with ``H(z) = z^2`` up to
    epsilon and ``2 epsilon |z| - epsilon^2`` beyond, the sample weights s as they are and v the
    penalty factors,

        sum_i s_i (sigma + H((y_i - b - x_i w) / sigma) sigma)
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
        Upper bound of how far the objective is above its minimum, divided by that of the mean of y
        alone: the unit of `tol`.
    converged_ : bool
        Whether `dual_gap_` is at most `tol`.
    n_iter_ : int
        Newton steps, over all scales.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Where X has names that are all strings.

    Notes
    -----
    The objective is convex in all of them. For a given scale it is a problem in w and b alone,
    which the method of `PoissonRegressor` solves; for given residuals the best scale is a root that
    is found by sorting them. The two alternate, sped up by the secant method. The duality gap is
    that at the scale, and what the scale is off by.

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

    epsilon: float = parameter(
        default=1.35,
        constraint=[Interval(numbers.Real, 1, None, closed="left")],
        kind="float",
        meaning="Residuals beyond so many scales count linearly; at least 1.",
    )
    max_iter: int = parameter(
        default=100,
        constraint=[COUNT],
        kind="int",
        meaning="Largest number of Newton steps at a scale.",
    )
    alpha: float = parameter(
        default=1e-4,
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
    warm_start: bool = parameter(
        default=False, meaning="Start from the coefficients and the scale of the previous fit."
    )
    tol: float = parameter(
        default=1e-5,
        constraint=[NOT_NEGATIVE],
        kind="float",
        meaning="""
        Largest relative duality gap that counts as converged, in the unit of `dual_gap_`. The
        solver aims far below it.
        """,
    )

    @all_or_nothing
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), float or None, default=None
            Weight k counts as the row k times, weight 0 as no row.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the input or a parameter is invalid; nothing of the fit is then kept.
        """
        data = TrainingData.check_for_loss(self, X, y, sample_weight, None, Huber())
        fits = ScaledFits(self, data)
        start = self._start(fits.bound)
        point, scale = fits.solve(start, None if start is None else self.scale_)
        self._keep_point(point, ())
        self.scale_: float = scale
        self.n_iter_ = fits.n_iter
        self.outliers_ = np.abs(fits.residual) > self.epsilon * scale
        self.dual_gap_ = fits.gap
        self.converged_ = bool(fits.gap <= fits.threshold)
        if not self.converged_:
            unit = "objective of the mean of y alone"
            warn_unconverged("HuberRegressor", fits.gap, self.tol, fits.n_iter, unit=unit)
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Predict ``X @ coef_ + intercept_``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        return self._linear_predictor(X)


class ScaledFits:
    """Fits at one scale after another.

    Attributes
    ----------
    residual : ndarray of shape (n_samples,)
        Of the last fit.
    gap : float
        Of the last fit and its scale, in the unit of `dual_gap_`.
    n_iter : int
        Of all fits.
    threshold : float
        What a converged `gap` is at most.
    """

    def __init__(self, model: HuberRegressor, data: TrainingData) -> None:
        self.model, self.data = model, data
        weight = np.ones(len(data.y)) if data.sample_weight is None else data.sample_weight
        self.total = float(weight.sum())
        self.share = weight / self.total
        problem = smooth_problem(model, data.columns, Huber(), model.l1_ratio)
        self.threshold = problem.settings.threshold
        self.problem = replace(problem, settings=replace(problem.settings, tol=0.0))
        self.bound = data.bind(self.problem)
        size = float(np.abs(data.y).max())
        self.least = LEAST_SCALE * max(size, float(np.finfo(np.float64).tiny))
        self.n_iter, self.gap = 0, np.inf
        self.residual = data.y - self.share @ data.y
        self.first = self.best_scale(self.residual)
        alone = self._loss(self.first)
        self.unit = alone if self.first > self.least else size or 1.0

    def solve(self, start: Array | None, scale: float | None) -> tuple[PathPoint, float]:
        """The coefficients and the scale, from a start where there is one."""
        scale = self.first if scale is None else scale
        known: list[tuple[float, float]] = []  # logarithms of scales, and how these change
        for _ in range(MOST_SCALES):
            point = self._fit(scale, start)
            start = np.asarray(point.coef)
            best = self.best_scale(self.residual)
            if best < NEARLY_MET * scale:
                # The dual point serves any scale, and the scale falls with the residuals for ever.
                gap = self.gap - (self._loss(scale) - self._loss(best)) / self.unit
                if gap <= MET:
                    self.gap = max(gap, 0.0)
                    return point, best
            change = float(np.log(best / scale))
            if abs(change) <= SAME_SCALE or best == scale:
                break
            known = [*known[-1:], (float(np.log(scale)), change)]
            following = best
            if len(known) == 2:
                (one, its), (two, own) = known
                if abs(own) < abs(its):
                    following = float(np.exp(two - own * (two - one) / (own - its)))
            if not (self.least <= following < np.inf) or following == scale:
                following = best
            scale = max(following, LARGEST_FALL * scale)
        return point, scale

    def _fit(self, scale: float, start: Array | None) -> PathPoint:
        """Fit at a scale; see the class for what is noted."""
        model, data = self.model, self.data
        delta = float(np.ldexp(model.epsilon * scale, -data.powers.target))
        bound = self.bound.with_problem(replace(self.problem, loss=Huber(delta)))
        point = fit_at(bound, model.alpha * scale / self.total, start)
        self.n_iter += int(point.n_iter)
        self.residual = data.y - (data.X @ point.coef + point.intercept)
        self.gap = self._gap(bound, float(point.dual_gap), scale)
        return point

    def _gap(self, bound: BoundProblem, gap: float, scale: float) -> float:
        """The gap at the scale, in units of its null deviance, and what the scale is off by."""
        unit = np.ldexp(float(null_deviances(bound)[0]) or 1.0, 2 * self.data.powers.target)
        # The mean of the conjugates is one where the scale is the best.
        inner = np.minimum(np.abs(self.residual) / scale, self.model.epsilon)
        off = abs(1.0 - float(self.share @ np.square(inner)))
        return float(2.0 / scale * gap * unit + scale * off) / self.unit

    def _loss(self, scale: float) -> float:
        """The mean loss of the residuals at a scale."""
        size = np.abs(self.residual) / scale
        inner = np.minimum(size, self.model.epsilon)
        return scale * (1.0 + float(self.share @ (inner * (2.0 * size - inner))))

    def best_scale(self, residual: Array) -> float:
        """The scale whose objective is least for given residuals.

        It is the root of ``sum_i s_i min(r_i / sigma, epsilon)^2 = sum_i s_i``.
        """
        order = np.argsort(np.abs(residual))
        size, share = np.abs(residual)[order], self.share[order]
        within = np.cumsum(share)
        squares = np.cumsum(share * size * size)
        bound = self.model.epsilon**2
        with np.errstate(divide="ignore", invalid="ignore"):
            # Of a scale at which this row is the first beyond the bound.
            mean = bound * (squares / (size * size) + 1.0 - within)
        beyond = np.flatnonzero((size > 0) & (mean <= 1.0))
        k = int(beyond[0]) if len(beyond) else len(size)
        if k == 0:
            return self.least
        left = 1.0 - bound * (1.0 - within[k - 1])
        found = np.sqrt(squares[k - 1] / left) if left > 0 else 0.0
        return max(float(found), self.least)
