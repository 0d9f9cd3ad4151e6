"""What all linear estimators share: prediction, checks, and fitted attributes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from ..data.products import Array
from ..estimators.parameters import CheckedParameters
from ..estimators.runtime import one_blas_thread, restored_on_failure, silent
from ..estimators.validation import check_rows
from ..paths.fit_path import fit_path
from ..paths.problem import BoundProblem
from ..paths.result import PathPoint, PathResult
from .training_data import FLOATS, STORED, is_ready, plain_numbers

F = TypeVar("F", bound=Callable[..., Any])


def all_or_nothing(fit: F) -> F:
    """Leave the estimator as it was when `fit` does not end well; BLAS keeps to one thread."""
    return restored_on_failure(one_blas_thread(silent(fit)))


class LinearModel(RegressorMixin, MultiOutputMixin, CheckedParameters):
    """Base of the linear estimators: prediction, tags and checks."""

    fit_intercept: bool
    coef_: NDArray[Any]
    intercept_: Any

    def predict(self, X: Any) -> NDArray[Any]:
        """Predict ``X @ coef_.T + intercept_``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_targets)
        """
        check_is_fitted(self)
        table = plain_numbers(X)
        if is_ready(table):
            validate_data(self, X, reset=False, skip_check_array=True)
        else:
            table = check_rows(self, X, accept_sparse=STORED, dtype=FLOATS)
        return np.asarray(table @ self.coef_.T + self.intercept_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _keep_point(self, point: PathPoint, shape: tuple[int, ...]) -> None:
        """Set the attributes that are read off one alpha; `shape` is that of the intercept."""
        self.coef_ = np.ascontiguousarray(point.coef)
        intercept = point.intercept.astype(self.coef_.dtype).reshape(shape)[()]
        self.intercept_ = intercept if self.fit_intercept else 0.0
        self.dual_gap_ = point.dual_gap[()]
        self.converged_ = plain(point.converged)

    def _fit_at(self, bound: BoundProblem, alphas: Array, start: Array | None = None) -> PathPoint:
        """Coefficients at one alpha for all targets, or at one for each."""
        if len(alphas) == 1:
            return finite_path(bound, alphas, start=start).at(0)
        each = [finite_path(bound.for_target(k), alphas[[k]]).at(0) for k in range(len(alphas))]
        return PathPoint(*map(np.stack, zip(*each, strict=True)))


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


def feature_names(estimator: Any) -> NDArray[Any] | None:
    """Names seen in fit, if any."""
    return getattr(estimator, "feature_names_in_", None)


def plain(values: NDArray[np.bool_]) -> Any:
    """A Python bool where there is one target, the array otherwise."""
    return values.item() if values.ndim == 0 else values
