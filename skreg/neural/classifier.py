"""MLPClassifier."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target

from ..fitting import restored_on_failure
from ..losses import BinaryLogLoss, Loss, SoftmaxLogLoss
from ._base import BaseMLP, can_go_on
from ._checks import CONSTRAINTS, RATE
from ._labels import read_labels, with_class_weights
from .batches import Data, Targets
from .layers import Matrix


class MLPClassifier(ClassifierMixin, BaseMLP):
    """Multilayer perceptron for classification."""

    _parameter_constraints: dict[str, Any] = {
        **CONSTRAINTS,
        "label_smoothing": [RATE],
        "class_weight": [StrOptions({"balanced"}), dict, list, None],
    }

    classes_: NDArray[Any]

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
        *,
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
        label_smoothing: float = 0.0,
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
        class_weight: Any = None,
        dtype: Any = "float32",
        callbacks: Any = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
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
        self.label_smoothing = label_smoothing
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
        self.class_weight = class_weight
        self.dtype = dtype
        self.callbacks = callbacks

    @restored_on_failure
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, X_val: Any = None, y_val: Any = None
    ) -> MLPClassifier:
        """Fit the network."""
        return self._fit(X, y, sample_weight, X_val=X_val, y_val=y_val)

    @available_if(can_go_on)
    @restored_on_failure
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None
    ) -> MLPClassifier:
        """Train for one epoch on some more rows."""
        known = classes is not None or hasattr(self, "classes_")
        if not known and type_of_target(y) != "multilabel-indicator":
            raise ValueError("classes must be given in the first call of partial_fit")
        return self._fit(X, y, sample_weight, incremental=True, classes=classes)

    def predict(self, X: Any) -> NDArray[Any]:
        """Most probable class of each row; of several labels those more likely than not."""
        raw = self._raw(self._check_X(X))
        if self._multilabel:
            return (raw > 0).astype(np.intp)
        if raw.shape[1] == 1:
            return self.classes_[(raw[:, 0] > 0).astype(np.intp) * (len(self.classes_) - 1)]
        return self.classes_[np.argmax(raw, axis=1)]

    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Probability of each class, or of each label."""
        return self._shaped(self._raw(self._check_X(X)))

    def predict_log_proba(self, X: Any) -> NDArray[Any]:
        """Logarithm of `predict_proba`."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def _shaped(self, raw: Matrix) -> Matrix:
        probability = self._loss().predict(raw)
        if self._multilabel or probability.shape[1] > 1:
            return probability
        if len(self.classes_) == 1:
            return np.ones_like(probability)
        return np.hstack([1.0 - probability, probability])

    @property
    def _multilabel(self) -> bool:
        return bool(self.out_activation_ == "logistic" and self.n_outputs_ > 1)

    def _loss(self) -> Loss:
        return SoftmaxLogLoss() if self.out_activation_ == "softmax" else BinaryLogLoss()

    def _encode(self, y: Any, first: bool, classes: Any = None, complete: bool = False) -> Targets:
        first = first or not hasattr(self, "classes_")
        given = None if classes is None else np.unique(classes)
        known = given if first else self.classes_
        labels = read_labels(y, known, np.dtype(self.dtype), complete and not first)
        if first:
            self.classes_, self.out_activation_ = labels.classes, labels.out_activation
        same = np.array_equal(labels.classes, self.classes_)
        same &= labels.out_activation == self.out_activation_
        if not same or (given is not None and not np.array_equal(given, self.classes_)):
            other = labels.classes if given is None else given
            raise ValueError(f"the classes are {self.classes_}, and must stay; got {other}")
        return Targets(labels.values, labels.table, float(self.label_smoothing))

    def _codes(self, targets: Targets) -> Any:
        return None if targets.table is None else targets.values

    def _with_class_weights(
        self, weight: NDArray[np.float64] | None, y: Any, incremental: bool
    ) -> NDArray[np.float64] | None:
        if self.class_weight is None:
            return weight
        if incremental and isinstance(self.class_weight, str):
            raise ValueError(
                "class_weight='balanced' needs all rows, which partial_fit does not see: give a"
                " dict of weights"
            )
        return with_class_weights(weight, y, self.class_weight)

    def _default_score(self, raw: Matrix, data: Data) -> float:
        values = data.targets.values
        if values.ndim == 2:
            right = np.all((raw > 0) == (values > 0.5), axis=1)
        elif raw.shape[1] == 1:
            right = (raw[:, 0] > 0) == values
        else:
            right = np.argmax(raw, axis=1) == values
        return float(np.average(right, weights=data.weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
