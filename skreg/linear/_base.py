"""What all linear estimators share: prediction, and the way from parameters to the engine."""

from __future__ import annotations

import functools
import numbers
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from ..data.design import Array, Design
from ..estimators.parameters import CheckedParameters
from ..estimators.runtime import one_blas_thread, restored_on_failure
from ..estimators.validation import (
    check_rows,
    check_weights,
    columns_of,
    numeric,
    unwrap,
)
from ..objective.penalties import Penalty
from ..paths.fit_path import Model, PathResult, alpha_grid
from ..solvers.base import Settings
from ._checks import (
    FLOATS,
    STORED,
    check_alphas,
    check_data,
    is_ready,
    per_feature,
    plain_numbers,
    refuse_any,
)
from ._units import Units, units_of
from ._warnings import warn

# Constraints of the parameters that skreg adds to scikit-learn's.
ADDED_CONSTRAINTS: dict[str, list[Any]] = {
    "solver": [StrOptions({"auto", "cd"})],
    "standardize": ["boolean"],
    "penalty_factor": ["array-like", None],
    "lower_bound": [numbers.Real, "array-like", None],
    "upper_bound": [numbers.Real, "array-like", None],
}

F = TypeVar("F", bound=Callable[..., Any])


def all_or_nothing(fit: F) -> F:
    """Leave the estimator as it was when `fit` does not end well; BLAS keeps to one thread."""
    return restored_on_failure(one_blas_thread(silent(fit)))


def silent(function: F) -> F:
    """NumPy keeps silent of overflow: what is not finite in the end is refused by name."""

    @functools.wraps(function)
    def quiet(*args: Any, **kwargs: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*args, **kwargs)

    return cast(F, quiet)


class LinearModel(RegressorMixin, MultiOutputMixin, CheckedParameters):
    """Base of the linear estimators: prediction, tags and input checks."""

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

    def _check_data(
        self, X: Any, y: Any, sample_weight: Any
    ) -> tuple[Any, Array, Array | None, Sequence[Any], Units]:
        """X, y and weights, what the columns of X are called, and the units of the data."""
        checked, y, mean_square = check_data(self, X, y)
        columns = columns_of(X, checked.shape[1])
        weight = check_weights(sample_weight, checked)
        return checked, y, weight, columns, units_of(checked, y, weight, mean_square)


def build_penalty(estimator: Any, columns: Sequence[Any], l1_ratio: float) -> Penalty:
    """The estimator's penalty, its per-feature parameters checked one by one."""
    n_features = len(columns)
    factors = per_feature(estimator.penalty_factor, "penalty_factor", columns)
    lower = per_feature(estimator.lower_bound, "lower_bound", columns)
    upper = per_feature(estimator.upper_bound, "upper_bound", columns)
    if factors is not None:
        refuse_any(factors < 0, "penalty_factor", "negative", "factors must be at least 0")
    if lower is not None:
        refuse_any(lower > 0, "lower_bound", "positive", "lower bounds must be at most 0")
    if upper is not None:
        refuse_any(upper < 0, "upper_bound", "negative", "upper bounds must be at least 0")
    if getattr(estimator, "positive", False):
        lower = np.zeros(n_features)
    return Penalty.build(n_features, l1_ratio, factors, lower, upper)


def selection_seed(estimator: Any) -> int | None:
    """Seed of the visiting order, or None for the cyclic one."""
    if getattr(estimator, "selection", "cyclic") == "cyclic":
        return None
    return int(check_random_state(estimator.random_state).randint(np.iinfo(np.int32).max))


def settings_of(estimator: Any) -> Settings:
    """The estimator's stopping rule and visiting order."""
    precompute = estimator.precompute
    if is_gram(precompute):
        precompute = True
    elif estimator.solver == "auto":
        precompute = "auto"
    return Settings(
        tol=float(estimator.tol),
        max_iter=estimator.max_iter or 1000,
        seed=selection_seed(estimator),
        precompute=precompute,
    )


def is_gram(precompute: Any) -> bool:
    """Whether `precompute` is a matrix rather than a choice."""
    return not isinstance(precompute, (str, bool, np.bool_))


def take_gram(design: Design, X: Any, precompute: Any) -> None:
    """Hand the user's Gram matrix, that of the centred, weighted X, to the design.

    Where X is not centred but an intercept is fitted, the matrix cannot be the right one and is
    left aside with a warning, as in scikit-learn.
    """
    p = design.n_features
    gram = numeric(precompute, "precompute")
    if gram.shape != (p, p):
        raise ValueError(f"precompute must have shape ({p}, {p}), got {gram.shape}")
    if not np.isfinite(gram).all():
        raise ValueError("precompute contains NaN or infinity")
    if design.mean is not None and not np.allclose(design.mean, 0.0):
        warn(
            "Gram matrix was provided but X was centered to fit intercept: recomputing Gram"
            " matrix. Pass the Gram matrix of the centered X together with that X."
        )
        return
    unscaled = Design(design.X, design.omega, design.mean)
    gram = gram / design.n_samples
    pair = np.unique([p // 2, min(1, p - 1)])
    expected = unscaled.gram_columns(pair)[pair]
    given = gram[np.ix_(pair, pair)]
    rtol = (
        1e-4 if design.X.dtype == np.float32 or np.asarray(precompute).dtype == np.float32 else 1e-7
    )
    if not np.allclose(given, expected, rtol=rtol, atol=rtol * np.sqrt(np.abs(expected).max())):
        raise ValueError(
            "Gram matrix passed in via 'precompute' parameter did not pass validation when a few"
            f" elements were checked: expected {expected[0, 0] * design.n_samples:g} but got"
            f" {given[0, 0] * design.n_samples:g} for element {(int(pair[0]),) * 2}. It must be"
            " that of the centered X whose rows are multiplied by the square roots of the"
            " weights, which sum to n_samples."
        )
    if design.inv_scale is not None:
        gram = gram * design.inv_scale * design.inv_scale[:, None]
    design.use_gram(gram)


def undeprecated(n_alphas: Any, alphas: Any, since: str, until: str) -> Any:
    """`alphas`, where scikit-learn took `n_alphas` and ``alphas=None`` before a version."""
    alphas = unwrap(alphas)
    if not (isinstance(n_alphas, str) and n_alphas == "deprecated"):
        warn(
            f"'n_alphas' was deprecated in {since} and will be removed in {until} of scikit-learn:"
            " pass the number of alphas as 'alphas'.",
            FutureWarning,
        )
        left_alone = alphas is None or (is_count(alphas) and alphas == 100)
        return n_alphas if left_alone else alphas
    if alphas is None:
        warn(
            f"'alphas=None' is deprecated and will be removed in {until} of scikit-learn: set"
            " 'alphas=100'.",
            FutureWarning,
        )
        return 100
    return alphas


def resolve_alphas(
    alphas: Any,
    model: Model,
    X: Any,
    y: NDArray[Any],
    weight: Any,
    design: Any = None,
    eps: float = 1e-3,
) -> NDArray[np.float64]:
    """A decreasing grid from a count or an array."""
    if isinstance(eps, bool) or not 0 < eps <= 1:
        raise ValueError(f"eps must be in (0, 1], got {eps}")
    if is_count(alphas):
        if alphas < 1:
            raise ValueError(f"alphas must be at least 1 when it is a count, got {alphas}")
        if model.summed_loss and alphas == 1:
            warn(
                "alphas=1 is a count, so a single alpha is made from the data; for the alpha 1"
                " write alphas=[1.0], for a choice a larger count."
            )
        return alpha_grid(model, X, y, int(alphas), eps, sample_weight=weight, design=design)
    return check_alphas(alphas)


def is_count(alphas: Any) -> bool:
    """Whether `alphas` is a number of alphas, which are then made from the data."""
    return not isinstance(alphas, bool) and isinstance(alphas, numbers.Integral)


def require_finite(path: PathResult) -> None:
    """Refuse coefficients that overflowed."""
    infinite = (np.count_nonzero(~np.isfinite(one)) for one in (path.coefs, path.intercepts))
    if any(infinite):
        raise ValueError(
            "Iterations resulted in non-finite parameter values: the values of X or y are too"
            " large for floating point; scale the input."
        )


def plain(values: NDArray[np.bool_]) -> Any:
    """A Python bool where there is one target, the array otherwise."""
    return values.item() if values.ndim == 0 else values


def feature_names(estimator: Any) -> NDArray[Any] | None:
    """Names seen in fit, if any."""
    return getattr(estimator, "feature_names_in_", None)


def linear_model(estimator: Any, columns: Sequence[Any], l1_ratio: float) -> Model:
    """The engine's model of a Lasso-like estimator, for an X with these columns."""
    return Model(
        penalty=build_penalty(estimator, columns, l1_ratio),
        fit_intercept=estimator.fit_intercept,
        standardize=estimator.standardize,
        solver=estimator.solver,
        settings=settings_of(estimator),
    )


def ridge_model(estimator: Any, columns: Sequence[Any]) -> Model:
    """The engine's model of a Ridge-like estimator; what it lacks is as in `Ridge`."""
    tol, max_iter = getattr(estimator, "tol", 1e-4), getattr(estimator, "max_iter", None)
    return Model(
        penalty=build_penalty(estimator, columns, l1_ratio=0.0),
        fit_intercept=estimator.fit_intercept,
        standardize=estimator.standardize,
        summed_loss=True,
        solver=getattr(estimator, "solver", "auto"),
        settings=Settings(tol=float(tol), max_iter=max_iter or 15000),
    )
