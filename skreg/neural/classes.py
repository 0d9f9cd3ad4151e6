"""What a network does with classes: targets, prediction, score."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin

from ..objective.losses import Logistic, Loss, Multinomial
from .base import BaseMLP
from .engine.batches import Data, Targets
from .engine.layers import Matrix
from .labels import class_factors, read_labels
from .rows import Rows


class LabelMLP(ClassifierMixin, BaseMLP):
    """Base of the classifier: all but its parameters."""

    classes_: NDArray[Any]
    label_smoothing: float
    class_weight: Any

    def predict(self, X: Any) -> NDArray[Any]:
        """Most probable class of each row; of several labels those more likely than not.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_labels)
        """
        raw = self._raw(self._check_X(X))
        if self._multilabel:
            return (raw > 0).astype(np.intp)
        if raw.shape[1] == 1:
            return self.classes_[(raw[:, 0] > 0).astype(np.intp) * (len(self.classes_) - 1)]
        return self.classes_[np.argmax(raw, axis=1)]

    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Probability of each class, or of each label.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes) or (n_samples, n_labels)
        """
        return self._shaped(self._raw_of(X))

    def predict_log_proba(self, X: Any) -> NDArray[Any]:
        """Logarithm of `predict_proba`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes) or (n_samples, n_labels)
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def _shaped(self, raw: Matrix) -> Matrix:
        probability = self._loss().inverse_link(raw)
        if self._multilabel or probability.shape[1] > 1:
            return probability
        if len(self.classes_) == 1:
            return np.ones_like(probability)
        # Not one less the other, of which float32 keeps few digits where it is small.
        return np.hstack([self._loss().inverse_link(-raw), probability])

    @property
    def _multilabel(self) -> bool:
        return bool(self.out_activation_ == "logistic" and self.n_outputs_ > 1)

    def _loss(self) -> Loss:
        return Multinomial() if self.out_activation_ == "softmax" else Logistic()

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
            raise ValueError(
                f"`classes={other}` is not the same as on last call to partial_fit, was:"
                f" {self.classes_}"
            )
        return Targets(labels.values, labels.table, float(self.label_smoothing))

    def _codes(self, targets: Targets) -> Any:
        return None if targets.table is None else targets.values

    def _class_factors(self, rows: Rows, targets: Targets, incremental: bool) -> Any:
        if self.class_weight is None:
            return None
        if incremental and isinstance(self.class_weight, str):
            raise ValueError(
                "class_weight='balanced' needs all rows, which partial_fit does not see: give a"
                " dict of weights"
            )
        return class_factors(self.class_weight, targets, self.classes_, rows)

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
