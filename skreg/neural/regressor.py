"""Networks for numbers: what they share, and MLPRegressor."""

from __future__ import annotations

import numbers
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin, _fit_context
from sklearn.metrics import r2_score
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if

from ..estimators.parameters import parameter, with_parameters
from ..estimators.runtime import restored_on_failure
from ..estimators.validation import one_column
from ..objective.losses import LOSSES, Loss, Poisson
from .base import BaseMLP, can_go_on
from .engine.batches import Data, Targets
from .engine.layers import Matrix
from .fitting import fit_network
from .parameters import POSITIVE


@with_parameters
class NetworkRegressor(RegressorMixin, BaseMLP):
    """What networks for numbers share."""

    loss: str = parameter(
        default="squared_error",
        constraint=[
            StrOptions({"squared_error", "absolute_error", "huber", "poisson", "quantile"})
        ],
        kind='{"squared_error", "absolute_error", "huber", "poisson", "quantile"}',
        meaning="""
        With r = prediction - y:

        - "squared_error": ``r^2 / 2``, for the mean;
        - "absolute_error": ``|r|``, for the median;
        - "huber": ``r^2 / 2`` up to ``|r| = huber_delta``, from there on a straight line;
        - "poisson": half the Poisson deviance, with predictions ``exp(raw) > 0`` and y >= 0;
        - "quantile": ``quantile * |r|`` below y, ``(1 - quantile) * |r|`` above.
        """,
    )
    huber_delta: float = parameter(
        default=1.0,
        constraint=[POSITIVE],
        kind="float",
        meaning="In the unit of y, > 0.",
    )
    quantile: float = parameter(
        default=0.5,
        constraint=[Interval(numbers.Real, 0, 1, closed="neither")],
        kind="float",
        meaning="In (0, 1).",
    )

    @available_if(can_go_on)
    @restored_on_failure
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train for one epoch on some more rows.

        Nothing is held out, and callbacks are not called. A call that fails or is interrupted
        leaves the network as it was; the moments of the optimiser begin anew.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,) or None, default=None

        Returns
        -------
        self
        """
        fit_network(self, X, y, sample_weight, incremental=True)
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Predicted values.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            float32 where X and `dtype` are, float64 otherwise.
        """
        return self._shaped(self._raw_of(X))

    def _shaped(self, raw: Matrix) -> Matrix:
        predicted = Poisson().inverse_link(raw) if self.out_activation_ == "exp" else raw
        return predicted[:, 0] if predicted.shape[1] == 1 else predicted

    def _loss(self) -> Loss:
        parameters: dict[str, Any] = {
            "huber": {"delta": float(self.huber_delta)},
            "quantile": {"quantile": float(self.quantile)},
        }
        return LOSSES[self.loss](**parameters.get(self.loss, {}))

    def _encode(self, y: Any, first: bool, classes: Any = None, complete: bool = False) -> Targets:
        if y.ndim == 2 and y.shape[1] == 1:
            y = one_column(y)
        with np.errstate(over="ignore", invalid="ignore"):
            values = y.astype(np.dtype(self.dtype)).reshape(len(y), -1)
        if not np.isfinite(values).all():
            raise ValueError(f"y has values that are too large for dtype={self.dtype!r}: scale it")
        self._loss().check_target(values)
        return Targets(values)

    def _default_score(self, raw: Matrix, data: Data) -> float:
        predicted = self._loss().inverse_link(raw)
        return float(r2_score(data.targets.values, predicted, sample_weight=data.weight))


@with_parameters
class MLPRegressor(NetworkRegressor):
    """Multilayer perceptron for regression, with every common way to regularise it.

    Minimises over the weights W_l and biases of dense layers

        weighted mean of the loss + sum_l alpha_l penalty(W_l)

    where the losses of several targets are added. It is `MLPClassifier` with another loss: all
    attributes that are not described here are described there, and so is the conversion of
    scikit-learn's `alpha`.

    {parameters}

    Attributes
    ----------
    out_activation_ : {"identity", "exp"}
        The others are those of `MLPClassifier`, but for `classes_`.

    See Also
    --------
    MLPClassifier : Describes every attribute.
    WeightPenalty : Base class of penalties of one's own.

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import MLPRegressor
    >>> X = np.linspace(-1, 1, 200)[:, None]
    >>> y = np.abs(X[:, 0])
    >>> model = MLPRegressor((20, 20), solver="lbfgs", random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.99
    True
    """
