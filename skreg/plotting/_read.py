"""Reading what a picture shows out of results and fitted estimators."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skreg.estimators.validation import in_order

_CROSS_VALIDATED = ("LassoCV", "ElasticNetCV", "RidgeCV")


def unwrapped(estimator: Any) -> Any:
    """Take the estimator that a fitted search has refitted; any other is returned as it is."""
    while hasattr(estimator, "best_estimator_"):
        estimator = estimator.best_estimator_
    return estimator


def stored(estimator: Any, attribute: str, way_out: str = "") -> Any:
    """Get what a fitted linear estimator keeps.

    Raises
    ------
    AttributeError
        The estimator has no such attribute; the message says whether it is not fitted, wraps the
        one that has it, or keeps no such result.
    """
    if hasattr(estimator, attribute):
        return getattr(estimator, attribute)
    name = type(estimator).__name__
    inside = _inside(estimator)
    if inside:
        raise AttributeError(f"{name} has no {attribute}: {inside}")
    if attribute == "coef_":
        raise AttributeError(f"{name} has no coef_: call fit first, on a linear model")
    if not hasattr(estimator, "coef_"):
        raise AttributeError(f"{name} has no {attribute}: call fit first, on LassoCV or the like")
    if name in _CROSS_VALIDATED:
        library = type(estimator).__module__.partition(".")[0]
        other = (
            f"skreg.{name} does" if library != "skreg" else f"fit it for one target or {way_out}"
        )
        raise AttributeError(f"{name} of {library} keeps no {attribute}: {other}")
    if f"{name}CV" in _CROSS_VALIDATED:
        raise AttributeError(
            f"{name} has no {attribute}, because it fits a single alpha: use {name}CV, or {way_out}"
        )
    raise AttributeError(f"{name} has no {attribute}: it chooses no alpha")


def _inside(estimator: Any) -> str:
    """Say which part of an estimator that wraps others to pass, or that it is not fitted."""
    if hasattr(estimator, "steps"):
        return "pass its fitted last step, pipeline[-1]"
    if hasattr(estimator, "cv_results_"):
        return "it is a search with refit=False; pass an estimator fitted with its best_params_"
    if hasattr(estimator, "param_grid") or hasattr(estimator, "param_distributions"):
        return "call fit first"
    if hasattr(estimator, "regressor_"):
        return "pass its regressor_, which is fitted to the transformed y"
    if hasattr(estimator, "estimators_"):
        return "pass one of its estimators_"
    if hasattr(estimator, "estimator_"):
        return "pass its estimator_"
    return ""


def of_network(estimator: Any, attribute: str, what: str) -> Any:
    """Get what a fitted network keeps.

    Raises
    ------
    AttributeError
        The estimator has no such attribute; the message says whether it is not fitted or no
        network.
    """
    if hasattr(estimator, attribute):
        return getattr(estimator, attribute)
    name = type(estimator).__name__
    way_out = _inside(estimator)
    if not way_out and hasattr(estimator, "coefs_"):
        way_out = f"solver={estimator.solver!r} keeps none"
    elif not way_out and not hasattr(estimator, "hidden_layer_sizes"):
        way_out = "it is no multilayer perceptron"
    raise AttributeError(f"{what}: {name} has no {attribute}: {way_out or 'call fit first'}")


def pick_target(values: ArrayLike, target: int, single_ndim: int) -> NDArray[Any]:
    """Take one target's part of an array, which has an axis of targets only if it has several."""
    array = np.asarray(values)
    n_targets = 1 if array.ndim == single_ndim else array.shape[0]
    if not 0 <= target < n_targets:
        raise ValueError(f"target={target} is out of range: the path has {n_targets} target(s)")
    return array if array.ndim == single_ndim else array[target]


def own_alpha(value: Any, target: int) -> float | None:
    """Take the alpha of one target, from a number or from one number a target.

    None where it is NaN: a single fold has no alpha_1se_.
    """
    if value is None:
        return None
    values = np.ravel(value)
    own = float(values[target if values.size > 1 else 0])
    return None if np.isnan(own) else own


def chosen_alphas(estimator: Any, target: int) -> dict[str, Any]:
    """Take the alpha that a fitted estimator uses and those that cross-validation chose."""
    own = getattr(estimator, "alpha_", getattr(estimator, "alpha", None))
    chosen = {"alpha": own_alpha(own, target)}
    for name in ("alpha_min", "alpha_1se"):
        chosen[name] = own_alpha(getattr(estimator, f"{name}_", None), target)
    return chosen


def top_values(path: Any, top: str | None, target: int) -> tuple[NDArray[Any], str] | None:
    """Get what the axis on top shows along a path, and its label."""
    if top is None:
        return None
    if top == "auto":
        top = "df" if path.l1_ratio is None else "n_nonzero"
    if top == "df":
        return pick_target(path.df, target, 1), "degrees of freedom"
    if top == "n_nonzero":
        return pick_target(path.n_nonzero, target, 1), "number of non-zero coefficients"
    raise ValueError(f'top={top!r} is unknown: choose "auto", "n_nonzero", "df" or None')


def one_each(given: ArrayLike | None, n: int, what: str, names: Any = None) -> NDArray[np.float64]:
    """Take one number for each of n features or rows, 1 where none are given.

    Those of a Series or a dict go by the features' names, where these have some.
    """
    if given is None:
        return np.ones(n)
    if names is not None:
        given = in_order(given, what, list(names), "the model")
    values = np.asarray(given, dtype=float)
    if values.shape != (n,):
        raise ValueError(f"{what} must have shape ({n},), got {values.shape}")
    return values


def largest(coefs: NDArray[Any], column: int, n_most: int) -> NDArray[np.intp]:
    """Choose the features with the largest coefficients, ordered by their last coefficients.

    Features whose coefficient is zero in `column` come after the others, by their largest
    coefficient in any column; those that are zero throughout are never chosen.
    """
    ever = np.flatnonzero(coefs.any(axis=1))
    sizes = np.abs(coefs[ever])
    rank = np.lexsort((-sizes.max(axis=1, initial=0), -sizes[:, column]))
    chosen = ever[rank[:n_most]]
    return chosen[np.argsort(coefs[chosen, -1], kind="stable")]
