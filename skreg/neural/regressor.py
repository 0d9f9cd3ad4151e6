"""MLPRegressor."""

from __future__ import annotations

import numbers
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin, _fit_context
from sklearn.metrics import r2_score
from sklearn.utils import column_or_1d
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if

from ..estimators.runtime import restored_on_failure
from ..objective.losses import LOSSES, Loss, Poisson
from ._base import BaseMLP, can_go_on
from ._checks import CONSTRAINTS, POSITIVE
from .batches import Data, Targets
from .layers import Matrix


class MLPRegressor(RegressorMixin, BaseMLP):
    """Multilayer perceptron for regression, with every common way to regularise it.

    Minimises over the weights W_l and biases of dense layers

        weighted mean of the loss + sum_l alpha_l penalty(W_l)

    where the losses of several targets are added. It is `MLPClassifier` with another loss: all
    parameters and attributes that are not described here are described there, and so is the
    conversion of scikit-learn's `alpha`.

    Parameters
    ----------
    hidden_layer_sizes : int or array-like of int, default=(100,)
    activation : {"identity", "logistic", "tanh", "relu"}, default="relu"
    loss : {"squared_error", "absolute_error", "huber", "poisson", "quantile"}, \
default="squared_error"
        With r = prediction - y:

        - "squared_error": ``r^2 / 2``, for the mean;
        - "absolute_error": ``|r|``, for the median;
        - "huber": ``r^2 / 2`` up to ``|r| = huber_delta``, from there on a straight line;
        - "poisson": half the Poisson deviance, with predictions ``exp(raw) > 0`` and y >= 0;
        - "quantile": ``quantile * |r|`` below y, ``(1 - quantile) * |r|`` above.
    huber_delta : float, default=1.0
        In the unit of y, > 0.
    quantile : float, default=0.5
        In (0, 1).
    solver : {"adam", "adamw", "sgd", "lbfgs"}, default="adam"
    alpha : float or array-like of float, one a weight matrix, default=0.0001
    penalty : {"l2", "l1", "elasticnet", "weissi"}, WeightPenalty, None, or a list, default="l2"
    l1_ratio : float, default=0.5
    weight_decay : float, default=0.0
    max_norm, spectral_norm : float or None, default=None
    dropout : float or array-like of float, one a hidden layer, default=0.0
    input_dropout : float, default=0.0
    normalization : {"batch", "layer"} or None, default=None
    input_noise, mixup, adversarial_eps : float, default=0.0
    batch_size : int or "auto", default="auto"
    learning_rate : {"constant", "invscaling", "adaptive", "cosine", "one_cycle"}, \
default="constant"
    learning_rate_init : float, default=0.001
    power_t : float, default=0.5
    max_iter : int, default=200
    shuffle : bool, default=True
    random_state : int, RandomState instance or None, default=None
    tol : float, default=1e-4
    verbose : bool or int, default=False
    warm_start : bool, default=False
    momentum : float, default=0.9
    nesterovs_momentum : bool, default=True
    early_stopping : bool, default=False
    validation_fraction : float, default=0.1
    scoring : str, callable or None, default=None
        None is the coefficient of determination.
    beta_1, beta_2, epsilon : float, default=0.9, 0.999 and 1e-8
    n_iter_no_change : int or inf, default=10
    max_fun : int, default=15000
    clip_norm : float or None, default=None
    dtype : {"float32", "float64"}, default="float32"
    callbacks : list or None, default=None

    Attributes
    ----------
    out_activation_ : {"identity", "exp"}
        The others are those of `MLPClassifier`, but for `classes_`.

    See Also
    --------
    MLPClassifier : Describes every parameter and attribute.
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

    _parameter_constraints: dict[str, Any] = {
        **CONSTRAINTS,
        "loss": [StrOptions({"squared_error", "absolute_error", "huber", "poisson", "quantile"})],
        "huber_delta": [POSITIVE],
        "quantile": [Interval(numbers.Real, 0, 1, closed="neither")],
    }

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
        *,
        loss: str = "squared_error",
        huber_delta: float = 1.0,
        quantile: float = 0.5,
        solver: str = "adam",
        alpha: Any = 0.0001,
        penalty: Any = "l2",
        l1_ratio: float = 0.5,
        weight_decay: float = 0.0,
        max_norm: float | None = None,
        spectral_norm: float | None = None,
        dropout: Any = 0.0,
        input_dropout: float = 0.0,
        normalization: str | None = None,
        input_noise: float = 0.0,
        mixup: float = 0.0,
        adversarial_eps: float = 0.0,
        batch_size: Any = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: Any = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        scoring: Any = None,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        clip_norm: float | None = None,
        dtype: Any = "float32",
        callbacks: Any = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.loss = loss
        self.huber_delta = huber_delta
        self.quantile = quantile
        self.solver = solver
        self.alpha = alpha
        self.penalty = penalty
        self.l1_ratio = l1_ratio
        self.weight_decay = weight_decay
        self.max_norm = max_norm
        self.spectral_norm = spectral_norm
        self.dropout = dropout
        self.input_dropout = input_dropout
        self.normalization = normalization
        self.input_noise = input_noise
        self.mixup = mixup
        self.adversarial_eps = adversarial_eps
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.scoring = scoring
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.clip_norm = clip_norm
        self.dtype = dtype
        self.callbacks = callbacks

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
        return self._fit(X, y, sample_weight, incremental=True)

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
            y = column_or_1d(y, warn=True)
        with np.errstate(over="ignore", invalid="ignore"):
            values = y.astype(np.dtype(self.dtype)).reshape(len(y), -1)
        if not np.isfinite(values).all():
            raise ValueError(f"y has values that are too large for dtype={self.dtype!r}: scale it")
        self._loss().check_target(values)
        return Targets(values)

    def _default_score(self, raw: Matrix, data: Data) -> float:
        predicted = self._loss().inverse_link(raw)
        return float(r2_score(data.targets.values, predicted, sample_weight=data.weight))
