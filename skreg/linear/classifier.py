"""What linear models of classes share: their data, decisions and attributes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin

from .base import LinearModel
from .class_data import ClassData
from .decisions import most_probable


class LinearClassifier(ClassifierMixin, LinearModel):
    """Base of the models of classes."""

    classes_: NDArray[Any]

    def _checked(self, X: Any, y: Any, sample_weight: Any, offset: Any) -> ClassData:
        data = ClassData.check_classes(self, X, y, sample_weight, offset)
        self.classes_ = data.classes
        return data

    def _in_two_dimensions(self) -> None:
        """Coefficients of two classes as of several, and one gap."""
        self.coef_ = np.atleast_2d(self.coef_)
        if not self.fit_intercept:
            self.intercept_ = np.zeros(len(self.coef_), self.coef_.dtype)
        self._keep_one_gap()

    def _linear_predictor(self, X: Any) -> NDArray[Any]:
        eta = super()._linear_predictor(X)
        return eta[:, 0] if eta.shape[1:] == (1,) else eta

    def decision_function(self, X: Any) -> NDArray[Any]:
        """The linear predictor: above zero for the second of two classes, else one a class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
        """
        return self._linear_predictor(X)

    def predict(self, X: Any) -> NDArray[Any]:
        """The class of each row whose linear predictor is the largest.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        eta = self.decision_function(X)
        return most_probable(self.classes_, eta)


class ClassifierBySign(LinearClassifier):
    """Base of those whose target is 1 for the rows of a class and -1 for the rest."""

    def _signed(self, X: Any, y: Any, sample_weight: Any) -> ClassData:
        """Checked data, with one such target for two classes, else one a class."""
        data = super()._checked(X, y, sample_weight, None)
        return replace(data, y=2.0 * data.y - 1.0)

    def _checked(self, X: Any, y: Any, sample_weight: Any, offset: Any) -> ClassData:
        if offset is not None:
            raise ValueError(f"{type(self).__name__} takes no offset: use LogisticRegression")
        return self._signed(X, y, sample_weight)
