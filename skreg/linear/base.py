"""What all linear estimators share: prediction, checks, and fitted attributes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from ..data.products import Array, is_sparse
from ..estimators.parameters import CheckedParameters
from ..estimators.ready import rows_to_predict
from ..estimators.runtime import one_blas_thread, restored_on_failure
from ..paths.fit_path import fit_path
from ..paths.problem import BoundProblem
from ..paths.result import PathPoint, PathResult
from .training_data import FORMATS, TrainingData

P = ParamSpec("P")
S = TypeVar("S")
T = TypeVar("T")


def all_or_nothing(fit: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
    """Fit with one BLAS thread; a fit that fails leaves no trace."""
    return restored_on_failure(one_blas_thread(fit))


class LinearModel(CheckedParameters):
    """Base of the linear estimators: the linear predictor, tags and checks."""

    fit_intercept: bool
    coef_: NDArray[Any]
    intercept_: Any
    dual_gap_: Any
    converged_: Any

    def _linear_predictor(self, X: Any) -> NDArray[Any]:
        """``X @ coef_.T + intercept_``."""
        if not hasattr(self, "coef_"):
            check_is_fitted(self)
        table = rows_to_predict(self, X, accept_sparse=FORMATS)
        product: Any = table @ self.coef_.T
        if is_sparse(product):  # of a sparse table with coefficients made sparse
            product = product.toarray()
        return np.asarray(product + self.intercept_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _checked(self, X: Any, y: Any, sample_weight: Any, offset: Any) -> TrainingData:
        """What a path is given, checked."""
        if offset is not None:
            raise ValueError(f"{type(self).__name__} takes no offset: subtract it from y")
        return TrainingData.check(self, X, y, sample_weight)

    def _keep_point(self, point: PathPoint, shape: tuple[int, ...]) -> None:
        """Set the attributes that are read off one alpha; `shape` is that of the intercept."""
        self.coef_ = np.ascontiguousarray(point.coef)
        intercept = point.intercept.astype(self.coef_.dtype).reshape(shape)[()]
        self.intercept_ = intercept if self.fit_intercept else 0.0
        self.dual_gap_ = point.dual_gap[()]
        # A Python bool where there is one target.
        self.converged_ = point.converged if point.converged.ndim else point.converged.item()


class LinearRegressor(RegressorMixin, MultiOutputMixin, LinearModel):
    """Base of the models of the squared error, of one target or several."""

    def predict(self, X: Any) -> NDArray[Any]:
        """Predict ``X @ coef_.T + intercept_``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_targets)
        """
        return self._linear_predictor(X)


def finite_path(bound: BoundProblem, alphas: Array, **options: Any) -> PathResult:
    """A path whose coefficients did not overflow.

    Parameters
    ----------
    bound, alphas, **options
        As for `fit_path`.
    """
    path = fit_path(bound, alphas, **options)
    if not (np.isfinite(path.coefs).all() and np.isfinite(path.intercepts).all()):
        raise ValueError(
            "Iterations resulted in non-finite parameter values: the values of X or y are too"
            " large for floating point; scale the input."
        )
    return path
