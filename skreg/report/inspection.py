"""What a fitted estimator can show: its penalty, path, cross-validation and coefficients."""

from __future__ import annotations

from dataclasses import replace
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.neural_network import MLPClassifier as TheirMLPClassifier
from sklearn.neural_network import MLPRegressor as TheirMLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from .. import linear
from ..linear import regularization_path
from ..linear.base import LinearModel
from ..neural import ConvClassifier, ConvRegressor, MLPClassifier, MLPRegressor
from ..paths.result import PathResult
from ..plotting import kind_of_model
from ..selection.result import MEAN_SQUARED_ERROR, CVResult
from .alphas import (
    alpha_of,
    errors_kept,
    inverse_of,
    is_the_fit,
    keeps_more,
    scalar,
    share_of_l1,
)
from .contents import Coefficients, ModelReport
from .units import all_in, behind, measured, names_behind

if TYPE_CHECKING:
    from pandas import DataFrame

NETWORKS = (
    ConvClassifier,
    ConvRegressor,
    MLPClassifier,
    MLPRegressor,
    TheirMLPClassifier,
    TheirMLPRegressor,
)
FLAT_CURVE = 0.05  # standard errors
COMPARABLE = 3.0  # ratio of two alphas that ought to differ in error
_ALPHA_OF_C = "α is the penalty of the mean loss: 1 / (C × the sum of the weights of all rows)."
_RELAXED = (
    "It is relaxed: its coefficients and intercept are γ times those of the penalised fit and"
    " 1 − γ times those of a fit without a penalty on the features that the penalised one selects."
)
NO_VARIANCE = 1e-9  # share of the target's variance


def look_into(
    model: ModelReport, y: NDArray[Any], classes: NDArray[Any], *, fitted_before: bool = False
) -> None:
    """Find what the page draws of a fitted estimator, and why it lacks the rest.

    The model has the estimator, the table and its names as the user gave them; what is found is
    written into it. `classes` are sorted, and empty for a regression; where it was `fitted_before`
    it may have been fitted to other rows.
    """
    y, units = _innermost(model, y)
    estimator = model.estimator
    kind = type(estimator).__name__
    model.is_network = isinstance(estimator, NETWORKS)
    coefs = None if model.is_network else _coefficients(estimator)
    if coefs is None:
        model.X = None  # it is large, and not looked at again
        reason = "they are of linear models" if model.is_network else f"{kind} has none (no coef_)"
        model.left_out += (f"No path, cross-validation curve or coefficients: {reason}.",)
        keeps = hasattr(estimator, "history_") or hasattr(estimator, "loss_curve_")
        if model.is_network and not keeps:
            model.left_out += (f"No training history: {kind} keeps none with this solver.",)
        if model.is_network and model.unit != 1.0:
            model.notes += (
                "It was trained on the target divided by its standard deviation, and the losses"
                " of its training are of that; scores are of the target itself.",
            )
        return
    if coefs.shape[-1] != len(model.names):
        model.names = tuple(f"x{j}" for j in range(coefs.shape[-1]))
        model.notes += ("Its features have no names that could be found.",)
    model.alpha, model.inverse = alpha_of(estimator), inverse_of(estimator)
    model.l1_ratio = share_of_l1(estimator)
    if model.alpha is not None and model.inverse is not None:
        model.notes += (_ALPHA_OF_C,)
    if isinstance(estimator, LinearModel):
        model.relax = scalar(getattr(estimator, "relax_", getattr(estimator, "relax", None)))
    if model.relax is not None:
        model.notes += (_RELAXED,)
    model.alpha_min = scalar(getattr(estimator, "alpha_min_", None))
    model.alpha_1se = scalar(getattr(estimator, "alpha_1se_", None))
    _find_cv(model, kind)
    _find_path(model, kind, y, coefs if fitted_before else None)
    _find_edge(model)
    named = _named(model, _in_own_unit(model, coefs), classes)
    model.coefficients = measured(named, units, estimator, model.X)


def _innermost(model: ModelReport, y: NDArray[Any]) -> tuple[NDArray[Any], DataFrame]:
    """Look through Pipelines, searches and transformed targets, taking X and y along.

    Return the target as the innermost estimator sees it, and what its columns are measured in.
    """
    units = all_in("unit", model.names)
    while True:
        estimator = model.estimator
        if isinstance(estimator, Pipeline):
            before = estimator[:-1]
            if len(before) and any(step not in (None, "passthrough") for _, step in before.steps):
                units = behind(before, units)
                model.names = names_behind(before, model.names)
                model.X = before.transform(model.X)
            model.estimator = estimator[-1]
        elif hasattr(estimator, "best_estimator_"):
            best = estimator.best_params_
            chosen = ", ".join(f"{key}={_brief(value)}" for key, value in best.items())
            model.notes += (f"{type(estimator).__name__} chose {chosen}; the best model is shown.",)
            model.at_ends += tuple(_at_ends(estimator))
            model.estimator = estimator.best_estimator_
        elif hasattr(estimator, "regressor_") and hasattr(estimator, "transformer_"):
            y = _take_target(model, estimator, y)
        else:
            return y, units


def _at_ends(search: Any) -> list[str]:
    """Numbers that a grid search chose from the end of three or more."""
    grid = getattr(search, "param_grid", None)
    grid = grid[0] if isinstance(grid, list) and len(grid) == 1 else grid
    found = []
    for name, values in grid.items() if isinstance(grid, dict) else ():
        values = [value for value in values if isinstance(value, Real)]
        best = search.best_params_[name]
        if len(set(values)) > 2 and best in (min(values), max(values)):
            end = "smallest" if best == min(values) else "largest"
            found.append(f"{name}={_brief(best)}, the {end}")
    return found


def _take_target(model: ModelReport, estimator: Any, y: NDArray[Any]) -> NDArray[Any]:
    """Look through a TransformedTargetRegressor, and return the target behind it."""
    transformer = estimator.transformer_
    model.estimator = estimator.regressor_
    if isinstance(transformer, StandardScaler):
        middle, unit = transformer.inverse_transform(np.array([[0.0], [1.0]])).ravel()
        model.middle, model.unit = float(middle), float(unit - middle)
    else:
        kind = type(transformer).__name__
        model.notes += (
            f"It was fitted to a target transformed by {kind}: what it shows is of that.",
        )
    return np.asarray(transformer.transform(y.reshape(-1, 1)), dtype=float).reshape(len(y))


def _in_own_unit(model: ModelReport, coefs: NDArray[Any]) -> NDArray[Any]:
    """Undo the scaling of the target: coefficients, path and errors in the target's own unit."""
    if model.unit == 1.0:
        return coefs
    model.notes += (
        "It was fitted to the target divided by its standard deviation, and alpha is of that;"
        " coefficients and errors are in the target's own unit.",
    )
    path, cv, unit = model.path, model.cv, model.unit
    if path is not None:
        intercepts = path.intercepts * unit + model.middle
        model.path = replace(path, coefs=path.coefs * unit, intercepts=intercepts, refit=None)
    if cv is not None and cv.metric == MEAN_SQUARED_ERROR:
        model.cv = cv.in_unit(unit**2)
    return coefs * unit


def _brief(value: Any) -> str:
    value = value.item() if isinstance(value, np.generic) else value
    return f"{value:.4g}" if isinstance(value, float) else f"{value!r:.60}"


def _coefficients(estimator: Any) -> NDArray[Any] | None:
    """Coefficients as an array, one row a class or output where there are several."""
    try:
        coefs = estimator.coef_
    except AttributeError:  # a support vector machine with another kernel raises it, too
        return None
    coefs = coefs.toarray() if hasattr(coefs, "toarray") else np.asarray(coefs)
    if coefs.dtype.kind not in "fiu" or not 1 <= coefs.ndim <= 2 or not coefs.size:
        return None
    width = getattr(estimator, "n_features_in_", coefs.shape[-1])
    return coefs.reshape(-1).astype(float) if coefs.size == width else coefs.astype(float)


def _named(model: ModelReport, coefs: NDArray[Any], classes: NDArray[Any]) -> Coefficients:
    targets: Any = ()
    at_1se = None
    if coefs.ndim == 2:
        of_classes = kind_of_model.classes_of(model.estimator) is not None
        targets = classes if of_classes else range(1, len(coefs) + 1)
    elif len(classes) == 2:
        model.notes += (f"A positive coefficient speaks for the class {classes[1]!s}.",)
    path, alpha = model.path, model.alpha_1se
    cv = model.cv
    if cv is not None and cv.by_share is not None and cv.best_share("1se") != cv.relax:
        alpha = None  # the path has another share of the penalised fit
    if path is not None and alpha != model.alpha and coefs.ndim == 1 and path.coefs.ndim == 2:
        at = np.flatnonzero(path.alphas == alpha)
        at_1se = path.coefs[:, at[0]].astype(float) if at.size else None
    names = np.array(model.names, dtype=object)
    predictor = kind_of_model.predictor_of(model.estimator)
    return Coefficients(names, coefs, at_1se, tuple(map(str, targets)), predictor)


def _has_one_penalty(estimator: Any) -> bool:
    """Whether it is a model of skreg that is given its penalty, and has a path."""
    kinds = {kind.__name__ for kind in type(estimator).__mro__}
    return isinstance(estimator, LinearModel) and any(f"{k}CV" in linear.__all__ for k in kinds)


def _find_cv(model: ModelReport, kind: str) -> None:
    """Its own cross-validation over alpha: skreg's, or the errors scikit-learn's keep."""
    own = getattr(model.estimator, "cv_result_", None)
    model.cv = errors_kept(model.estimator) if own is None else own
    if own is None and model.cv is not None:
        model.alpha_min, model.alpha_1se = model.cv.alpha_min, scalar(model.cv.alpha_1se)
    if not isinstance(model.cv, CVResult):
        model.cv = None
        if _has_one_penalty(model.estimator):
            what = "alpha" if model.inverse is None else "C"
            model.left_out += (
                f"No cross-validation curve: {kind} has a single {what}; {kind}CV chooses one.",
            )


def _find_path(
    model: ModelReport, kind: str, y: NDArray[Any], fitted_before: NDArray[Any] | None
) -> None:
    """The path it keeps; for a single alpha of skreg's estimators, one that is fitted now.

    That is only of the same model if the coefficients are, where these were `fitted_before`.
    """
    estimator, alpha = model.estimator, model.alpha
    path = getattr(estimator, "path_", None)
    if isinstance(path, PathResult):
        model.path = path
        return
    if not _has_one_penalty(estimator):
        both = "path" if model.cv is not None else "path or cross-validation curve"
        package = type(estimator).__module__.partition(".")[0].replace("sklearn", "scikit-learn")
        kept = "keeps none"
        if keeps_more(estimator, path_alone=model.cv is not None):
            kept = "keeps it in a form that this page does not draw"
        others = "" if package == "skreg" else "; skreg's linear models do"
        model.left_out += (f"No {both}: {kind} of {package} {kept}{others}.",)
        return
    try:
        path = regularization_path(clone(estimator), model.X, y)
        if alpha and not path.alphas[-1] <= alpha <= path.alphas[0]:
            grid = np.sort([*path.alphas, alpha])[::-1]
            path = regularization_path(clone(estimator), model.X, y, alphas=grid)
    except ValueError as error:
        model.left_out += (f"No path: {error}",)
        return
    if (
        fitted_before is None
        or not alpha
        or is_the_fit(estimator, alpha, model.X, y, fitted_before)
    ):
        model.path = path
        return
    model.left_out += (
        "No path: it was fitted before, to other rows or weights than these, and one to these"
        " would be of another model.",
    )


def _find_edge(model: ModelReport) -> None:
    """Which end of its grid the chosen alpha lies at, if any."""
    if hasattr(model.estimator, "cv_alphas_"):
        return  # of least angles: there is no grid
    if model.cv is not None:
        at = model.cv.index_min
        # Where the best model explains nothing it is at the start because no feature helps.
        empty = model.path is not None and np.all(model.path.dev_ratio[..., at] < NO_VARIANCE)
        model.edge = None if empty else model.cv.edge
        alphas, mean = model.cv.alphas, model.cv.mean
        inner = int(np.argmin(np.abs(alphas - COMPARABLE * alphas[at])))
        if model.edge == "smallest" and inner != at:
            model.flat = bool(mean[inner] - mean[at] < FLAT_CURVE * model.cv.standard_error[at])
        return
    alphas = np.ravel(np.asarray(getattr(model.estimator, "alphas", 0.0), dtype=object))
    if hasattr(model.estimator, "alpha_") and model.alpha is not None and len(alphas) > 1:
        model.edge = {min(alphas): "smallest", max(alphas): "largest"}.get(model.alpha)
