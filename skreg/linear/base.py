"""What all linear estimators share: prediction, checks, and fitted attributes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from ..data.products import Array, is_sparse
from ..estimators.parameters import CheckedParameters, parameter, with_parameters
from ..estimators.ready import rows_to_predict
from ..estimators.runtime import one_blas_thread, restored_on_failure
from ..estimators.warnings import unit_of_gaps, warn_unconverged
from ..objective.losses import Loss
from ..paths.fit_path import fit_path
from ..paths.problem import BoundProblem
from ..paths.relaxed import relaxed
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
    tol: float
    coef_: NDArray[Any]
    intercept_: Any
    dual_gap_: Any
    converged_: Any

    @property
    def _takes_blocks(self) -> bool:
        """Whether a fit to blocks is one to their rows, as large memory maps are read then."""
        return True

    @property
    def _multi_output(self) -> bool:
        """Whether there may be several targets."""
        return getattr(self, "adaptive", None) is None

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
        return TrainingData.check(self, X, y, sample_weight, multi_output=self._multi_output)

    def _keep_point(self, point: PathPoint, shape: tuple[int, ...]) -> None:
        """Set the attributes that are read off one alpha; `shape` is that of the intercept."""
        self.coef_ = np.ascontiguousarray(point.coef)
        intercept = point.intercept.astype(self.coef_.dtype).reshape(shape)[()]
        self.intercept_ = intercept if self.fit_intercept else 0.0
        self.dual_gap_ = point.dual_gap[()]
        # A Python bool where there is one target.
        self.converged_ = point.converged if point.converged.ndim else point.converged.item()

    def _keep_one_gap(self) -> None:
        """The largest gap of all classes, or of targets that make one problem."""
        if np.ndim(self.dual_gap_):
            self.dual_gap_, self.converged_ = self.dual_gap_.max(), bool(self.converged_.all())

    def _keep_fit(self, point: PathPoint, shape: tuple[int, ...], loss: Loss) -> None:
        """The same of a single fit, with a warning where it did not converge."""
        self._keep_point(point, shape)
        if not point.converged.all():
            gap, n_iter = float(np.max(point.dual_gap)), int(np.max(point.n_iter))
            unit = unit_of_gaps(loss)
            warn_unconverged(type(self).__name__, gap, self.tol, n_iter, unit=unit)


@with_parameters
class WarmStarted(LinearModel):
    """Base of the estimators that may start where their last fit ended."""

    warm_start: bool = parameter(
        default=False, meaning="Start from the coefficients of the previous fit."
    )

    def _start(self, bound: BoundProblem) -> Array | None:
        """The coefficients of the previous fit, features first, where they are to be used."""
        start: Any = vars(self).get("coef_")
        if not self.warm_start or start is None:
            return None
        if is_sparse(start):
            start = start.toarray()
        needed = bound.target.raw.shape[1], bound.design.n_features
        if np.atleast_2d(start).shape != needed:
            raise ValueError(
                f"warm_start=True, but coef_ of the previous fit has shape {start.shape} where"
                f" {needed} is needed, one row a target or class; set warm_start=False"
            )
        if not np.isfinite(start).all():
            raise ValueError("warm_start=True, but coef_ has NaN or infinity; set warm_start=False")
        return np.asarray(start.T)


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

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = self._multi_output
        return tags


def fit_at(bound: BoundProblem, alpha: float, start: Array | None = None) -> PathPoint:
    """A fit at one alpha, relaxed where the problem says so, from a start where there is one."""
    path = finite_path(bound, np.array([alpha], dtype=np.float64), start=start)
    return relaxed(bound, path, bound.problem.relax).at(0)


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
