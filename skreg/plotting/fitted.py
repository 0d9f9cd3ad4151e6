"""What a picture shows, out of results and fitted estimators; the data as a penalty sees them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..estimators.validation import ordered_by_name
from . import kind_of_model

Array = NDArray[np.float64]

_CROSS_VALIDATED = (
    "LassoCV",
    "ElasticNetCV",
    "MultiTaskLassoCV",
    "MultiTaskElasticNetCV",
    "RidgeCV",
    "RidgeClassifierCV",
    "LogisticRegressionCV",
    "PoissonRegressorCV",
    "GammaRegressorCV",
    "TweedieRegressorCV",
    "HuberRegressorCV",
    "LinearSVCCV",
)

# By what an estimator that wraps others is known, and which part of it to pass.
_WRAPPERS = {
    "steps": "pass its fitted last step, pipeline[-1]",
    "cv_results_": (
        "it is a search with refit=False; pass an estimator fitted with its best_params_"
    ),
    "param_grid": "call fit first",
    "param_distributions": "call fit first",
    "regressor_": "pass its regressor_, which is fitted to the transformed y",
    "estimators_": "pass one of its estimators_",
    "estimator_": "pass its estimator_",
}


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
    name, library = type(estimator).__name__, type(estimator).__module__.partition(".")[0]
    said = f"{name} has no {attribute}: "
    if _inside(estimator):
        said += _inside(estimator)
    elif attribute == "coef_":
        said += "call fit first, on a linear model"
    elif not hasattr(estimator, "coef_"):
        said += "call fit first, on LassoCV or the like"
    elif name in _CROSS_VALIDATED:
        other = f"skreg.{name} does"
        if library == "skreg":
            how = "for one target, or with store_path=True,"
            if getattr(estimator, "refit", True) is False:
                how = "with refit=True"
            elif hasattr(estimator, "classes_"):
                how = "with store_path=True"
            other = f"fit it {how} or {way_out}"
        said = f"{name} of {library} keeps no {attribute}: {other}"
    elif f"{name}CV" in _CROSS_VALIDATED:
        other = f"use {'skreg.' * (library == 'sklearn')}{name}CV, or {way_out}"
        strength = "C" if hasattr(estimator, "C") else "alpha"
        said = f"{name} has no {attribute}, because it fits a single {strength}: {other}"
    else:
        said += "it chooses no alpha"
    raise AttributeError(said)


def _inside(estimator: Any) -> str:
    """Say which part of an estimator that wraps others to pass, or that it is not fitted."""
    return next((said for mark, said in _WRAPPERS.items() if hasattr(estimator, mark)), "")


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
    if target not in range(n_targets):
        raise ValueError(f"target={target!r} is out of range: the path has {n_targets} target(s)")
    return array if array.ndim == single_ndim else array[target]


def own_alpha(value: Any, target: int | str | None) -> float | None:
    """Take the alpha of one target, from a number or from one number a target.

    Classes share theirs, and of numbers the first is taken where no target is chosen.

    None where it is NaN: a single fold has no alpha_1se_.
    """
    if value is None:
        return None
    values = np.ravel(value)
    chosen = values.size > 1 and not (target is None or isinstance(target, str))
    own = float(values[target if chosen else 0])
    return None if np.isnan(own) else own


def chosen_alphas(estimator: Any, target: int | str | None) -> dict[str, float | None]:
    """Take the alpha that a fitted estimator uses and those that cross-validation chose."""
    given = {name: getattr(estimator, f"{name}_", None) for name in ("alpha_min", "alpha_1se")}
    given["alpha"] = getattr(estimator, "alpha_", getattr(estimator, "alpha", None))
    return {name: own_alpha(value, target) for name, value in given.items()}


def on_its_path(estimator: Any, alphas: dict[str, float | None]) -> dict[str, float | None]:
    """Leave out those of these alphas that another share of relaxed fits was chosen with."""
    result: Any = getattr(estimator, "cv_result_", None)
    if getattr(result, "by_share", None) is None:
        return alphas
    kept = dict(alphas)
    for rule in ("min", "1se"):
        name = f"alpha_{rule}"
        if kept[name] is not None and result.best_share(rule) != result.relax:
            kept[name] = None
    return kept


def kind_of_coefficient(path: Any) -> str:
    """Say what a path has: coefficients, or those of relaxed fits."""
    if not is_relaxed(path):
        return "coefficient"
    return f"relaxed coefficient, γ = {path.relax:g}"


def is_relaxed(path: Any) -> bool:
    """Whether the fits of a path are relaxed, and not the penalised ones alone."""
    share = getattr(path, "relax", None)
    return share is not None and bool(share < 1.0)


def names_of(estimator: Any, given: ArrayLike | None) -> ArrayLike | None:
    """Take the names that the user gives, or else those of the columns of the fit."""
    return getattr(estimator, "feature_names_in_", None) if given is None else given


def top_values(
    path: Any, top: str | None, target: int, *, all_classes: bool = False
) -> tuple[NDArray[Any], str] | None:
    """Get what the axis on top shows along a path, if there is one, and its label.

    Classes have their degrees of freedom together, and where `all_classes` says so their counts.
    """
    if top is None or path is None:
        return None
    classes = kind_of_model.classes_of_path(path)
    if top == "auto":
        top = "n_nonzero" if path.l1_ratio else "df"
    if top == "df":
        # Where classes do not share a loss, each has its own.
        shared = classes is not None and path.inverse_link == "softmax"
        together = " of all classes" if shared and not all_classes else ""
        return pick_target(path.df, target, 1), f"degrees of freedom{together}"
    if top == "n_nonzero":
        counts, label = path.n_nonzero, "number of non-zero coefficients"
        if classes is not None and all_classes:
            return counts.sum(axis=0), label
        return pick_target(counts, target, 1), label
    raise ValueError(f'top={top!r} is unknown: choose "auto", "n_nonzero", "df" or None')


def one_each(given: ArrayLike | None, n: int, what: str, names: Any = None) -> NDArray[np.float64]:
    """Take one number for each of n features or rows, 1 where none are given.

    Those of a Series or a dict go by the features' names, where these have some.
    """
    if given is None:
        return np.ones(n)
    if names is not None:
        given = ordered_by_name(given, what, list(names), "the model")
    values = np.asarray(given, dtype=float)
    if values.shape != (n,):
        raise ValueError(f"{what} must have shape ({n},), got {values.shape}")
    return values


class PenalisedData(NamedTuple):
    """Columns with the root of the weights in every row, and what was done to them.

    Attributes
    ----------
    columns : ndarray of shape (n_samples, n_features)
    row_scale : ndarray of shape (n_samples,)
        Root of the sample weights.
    scale : ndarray of shape (n_features,)
        What the features were divided by; all 1 unless the estimator standardises.
    factors : ndarray of shape (n_features,)
        The estimator's penalty factors.
    centred : bool
    """

    columns: Array
    row_scale: Array
    scale: Array
    factors: Array
    centred: bool

    def centre(self, values: Array) -> Array:
        """Centre one value a row and multiply by the root of the weights."""
        if self.centred:
            weights = self.row_scale**2
            values = values - weights @ values / weights.sum()
        return values * self.row_scale


def _as_fitted(X: Any, names: Any) -> Any:
    """Put the columns of a data frame into the order of a model's names, where both have some."""
    own = list(getattr(X, "columns", ()))
    wanted = own if names is None else list(names)
    if own == wanted or not own or not all(isinstance(name, str) for name in own):
        return X
    if sorted(own) != sorted(wanted):
        foreign = [name for name in wanted if name not in own] or own
        raise ValueError(f"X has other names than the model was fitted on: see {foreign[0]!r}")
    return X[wanted]


def as_penalised(
    estimator: Any, X: Any, sample_weight: ArrayLike | None, what: str
) -> PenalisedData:
    """Centre, scale and weight X as the fitted estimator did.

    Raises
    ------
    ValueError
        The model minimises no squared errors, X is sparse, not finite or of another width than the
        model, the weights are not one a row, or the coefficients are bounded.
    """
    n_features = np.shape(stored(estimator, "coef_"))[-1]
    if not kind_of_model.is_of_squared_error(estimator):
        name = type(estimator).__name__
        raise ValueError(f"{what} is of models of the squared error, which {name} is not")
    if hasattr(X, "toarray"):
        raise ValueError(f"{what} needs dense X: pass X.toarray()")
    fitted_on = getattr(estimator, "feature_names_in_", None)
    table = np.asarray(_as_fitted(X, fitted_on), dtype=float)
    if table.ndim != 2 or table.shape[1] != n_features:
        raise ValueError(f"X must have shape (n_samples, {n_features}), got {table.shape}")
    if not np.isfinite(table).all():
        raise ValueError("X has missing or infinite values: pass it as the model saw it")
    for name in ("lower_bound", "upper_bound", "positive"):
        given = getattr(estimator, name, None)
        if given is not None and (name != "positive" or given):
            raise ValueError(f"{what} draws no bounds: fit without {name}")
    if sample_weight is not None and np.ndim(sample_weight) == 0:
        sample_weight = np.full(len(table), sample_weight)
    weights = one_each(sample_weight, len(table), "sample_weight")
    centred = bool(getattr(estimator, "fit_intercept", True))
    middle = weights @ table / weights.sum()
    scale = np.ones(n_features)
    if getattr(estimator, "standardize", False):
        scale = np.sqrt(weights @ (table - middle) ** 2 / weights.sum())
        scale[scale == 0] = 1.0
    root = np.sqrt(weights)
    columns = (table - middle if centred else table) / scale * root[:, None]
    given = getattr(estimator, "penalty_factor", None)
    factors = one_each(given, n_features, "penalty_factor", fitted_on)
    return PenalisedData(columns, root, scale, factors, centred)
