"""The penalty of a linear model of any library: its strength, and the errors at others."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from ..linear.functions import regularization_path
from ..selection.result import CVResult

SAME_COEFFICIENT = 0.01  # of the largest coefficient


def scalar(value: Any) -> float | None:
    """A number, None where it is none, NaN or several."""
    if isinstance(value, (bool, str)) or value is None or np.size(value) != 1:
        return None
    try:
        number = float(np.ravel(value)[0])
    except (TypeError, ValueError):
        return None
    return None if np.isnan(number) else number


def alpha_of(estimator: Any) -> float | None:
    """The strength of the penalty of a linear model, where it has one that is called alpha."""
    # Of Bayesian models the penalty is called lambda: alpha is that of the noise.
    if getattr(estimator, "penalty", "l2") is None or hasattr(estimator, "lambda_"):
        return None
    return scalar(getattr(estimator, "alpha_", getattr(estimator, "alpha", None)))


def inverse_of(estimator: Any) -> float | None:
    """The inverse strength of the penalty of a linear model, where it has one that is called C.

    None without a penalty, and where each class has its own.
    """
    parameters: dict[str, Any] = getattr(estimator, "get_params", dict)()
    if parameters.get("penalty", "l2") is None:
        return None
    given = getattr(estimator, "C_", parameters.get("C"))
    values = set(np.ravel(np.asarray(given, dtype=object)))
    return scalar(next(iter(values))) if len(values) == 1 else None


def share_of_l1(estimator: Any) -> float | None:
    """The share of L1 that a model's penalty has; None where that is no parameter of it."""
    parameters: dict[str, Any] = getattr(estimator, "get_params", dict)()
    # SGD, and logistic regression of older versions, have it for one of their penalties.
    if parameters.get("penalty", "deprecated") != "deprecated":
        return None
    if not {"l1_ratio", "l1_ratios"} & set(parameters):
        return None
    ratios = np.unique(getattr(estimator, "l1_ratio_", parameters.get("l1_ratio", np.nan)))
    return scalar(ratios)


def is_penalised(estimator: Any) -> bool:
    """Whether a linear model has a penalty on its coefficients."""
    if getattr(estimator, "penalty", "l2") is None:
        return False
    has_alpha = hasattr(estimator, "alpha") or hasattr(estimator, "alpha_")
    if has_alpha and not hasattr(estimator, "lambda_"):
        return alpha_of(estimator) != 0
    strengths = [getattr(estimator, name, np.inf) for name in ("C", "C_")]
    return any(bool(np.isfinite(strength).any()) for strength in strengths)


def errors_kept(estimator: Any) -> CVResult | None:
    """The errors that a model of scikit-learn keeps of its cross-validation over alpha.

    Where it also chose an l1_ratio, those of the chosen one. None where no penalty is best: a curve
    over alpha would not show it.
    """
    errors = np.asarray(getattr(estimator, "mse_path_", np.nan), dtype=float)
    # Of least angles: the errors are at other alphas than the path to all rows.
    alphas = getattr(estimator, "cv_alphas_", getattr(estimator, "alphas_", None))
    alphas = np.asarray(alphas, dtype=float)
    if errors.shape == alphas.shape and errors.ndim == 1:
        errors = errors[:, np.newaxis]  # of a single fold, which scikit-learn squeezes
    if errors.ndim == 3:
        ratios = np.atleast_1d(np.asarray(estimator.l1_ratio, dtype=float))
        at = np.flatnonzero(ratios == estimator.l1_ratio_)
        if len(at) != 1 or len(ratios) != len(errors):
            return None
        errors, alphas = errors[at[0]], alphas[at[0]] if alphas.ndim == 2 else alphas
    if errors.ndim != 2 or alphas.shape != errors.shape[:1]:
        return None
    order = np.argsort(-alphas, kind="stable")
    order = order[alphas[order] > 0]  # alpha has a logarithmic scale in pictures
    if not order.size or errors[order].mean(axis=1).min() > errors.mean(axis=1).min():
        return None
    return CVResult(alphas[order], errors[order], np.ones(errors.shape[1]))


def keeps_more(estimator: Any, *, path_alone: bool) -> bool:
    """Whether it keeps a path, or errors along one, that `errors_kept` does not read."""
    names = ["coef_path_", "coefs_paths_"]
    names += [] if path_alone else ["mse_path_", "cv_results_"]
    return any(hasattr(estimator, name) for name in names)


def is_the_fit(estimator: Any, alpha: float, X: Any, y: Any, coefs: NDArray[Any]) -> bool:
    """Whether a model of skreg with a single alpha has the coefficients of these rows."""
    try:
        own = regularization_path(clone(estimator), X, y, alphas=[alpha]).coefs[..., 0]
    except ValueError:
        return False
    away = np.abs(own.reshape(coefs.shape) - coefs).max()
    return bool(away <= SAME_COEFFICIENT * np.abs(coefs).max())
