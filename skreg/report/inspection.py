"""What a fitted estimator can show: its penalty, path, cross-validation and coefficients."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.neural_network import MLPClassifier as TheirMLPClassifier
from sklearn.neural_network import MLPRegressor as TheirMLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from ..linear import ElasticNet, Ridge, regularization_path
from ..neural import MLPClassifier, MLPRegressor
from ..paths.result import PathResult
from ..selection.result import CVResult
from .alphas import alpha_of, errors_kept, is_the_fit, keeps_more, scalar
from .contents import Coefficients
from .units import Units, behind, measured, names_behind

NETWORKS = (MLPClassifier, MLPRegressor, TheirMLPClassifier, TheirMLPRegressor)
FLAT = 0.05  # standard errors
NEAR = 3.0  # ratio of two alphas that ought to differ in error
NOTHING = 1e-9  # share of the target's variance


@dataclass
class Shown:
    """What is found in an estimator, and sentences about what is not.

    Parameters
    ----------
    estimator : object
        The last step: of a Pipeline, of the best model of a search.
    X : array or sparse matrix
        The table as that step sees it.
    names : tuple of str
        Of its columns.
    y : ndarray
        The target as that step sees it.
    units : Units or None
        What the columns are measured in; None where no step comes before.
    middle, unit : float
        What was taken from the target, and what it was then divided by.
    edge : {"smallest", "largest"} or None
        Which end of its grid the best alpha lies at.
    flat : bool
        Whether the errors hardly change towards the smallest alpha, so that less would not help.
    at_ends : list of str
        Parameters that a grid search chose at an end of their values: "C=100, the largest".
    """

    estimator: Any
    X: Any
    names: tuple[str, ...]
    y: NDArray[Any]
    alpha: float | None = None
    alpha_min: float | None = None
    alpha_1se: float | None = None
    path: PathResult | None = None
    cv: CVResult | None = None
    coefficients: Coefficients | None = None
    is_network: bool = False
    units: Units | None = None
    middle: float = 0.0
    unit: float = 1.0
    edge: str | None = None
    flat: bool = False
    at_ends: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def look_into(
    fitted: Any,
    X: Any,
    y: NDArray[Any],
    names: tuple[str, ...],
    classes: NDArray[Any],
    *,
    fitted_before: bool = False,
) -> Shown:
    """Find what the page draws of one fitted estimator."""
    shown = _innermost(fitted, X, y, names)
    estimator = shown.estimator
    kind = type(estimator).__name__
    shown.is_network = isinstance(estimator, NETWORKS)
    if shown.is_network:
        shown.left_out.append(
            "No path, cross-validation curve or coefficients: they are of linear models."
        )
        if not (hasattr(estimator, "history_") or hasattr(estimator, "loss_curve_")):
            shown.left_out.append(f"No training history: {kind} keeps none with this solver.")
        if shown.unit != 1.0:
            shown.notes.append(
                "It was trained on the target divided by its standard deviation, and the losses"
                " of its training are of that; scores are of the target itself."
            )
        return shown
    coefs = _coefficients(estimator)
    if coefs is None:
        shown.left_out.append(
            f"No path, cross-validation curve or coefficients: {kind} has none (no coef_)."
        )
        return shown
    if coefs.shape[-1] != len(shown.names):
        shown.names = tuple(f"x{j}" for j in range(coefs.shape[-1]))
        shown.notes.append("Its features have no names that could be found.")
    shown.alpha = alpha_of(estimator)
    shown.alpha_min = scalar(getattr(estimator, "alpha_min_", None))
    shown.alpha_1se = scalar(getattr(estimator, "alpha_1se_", None))
    _find_cv(shown, kind)
    _find_path(shown, kind)
    own = isinstance(getattr(estimator, "path_", None), PathResult)
    if fitted_before and shown.path is not None and shown.alpha and not own:
        _check_path(shown, coefs)
    _find_edge(shown)
    named = _named(shown, _in_own_unit(shown, coefs), classes)
    units = shown.units or Units.all(shown.names, "unit")
    shown.coefficients = measured(named, units, estimator, shown.X)
    return shown


def _innermost(fitted: Any, X: Any, y: NDArray[Any], names: tuple[str, ...]) -> Shown:
    """Look through Pipelines, searches and transformed targets, taking X and y along."""
    shown = Shown(fitted, X, names, y)
    while True:
        estimator = shown.estimator
        if isinstance(estimator, Pipeline):
            before = estimator[:-1]
            if len(before) and any(step not in (None, "passthrough") for _, step in before.steps):
                shown.units = behind(before, shown.units or Units.all(shown.names, "unit"))
                shown.names = names_behind(before, shown.names)
                shown.X = before.transform(shown.X)
            shown.estimator = estimator[-1]
        elif hasattr(estimator, "best_estimator_"):
            best = {key: _brief(value) for key, value in estimator.best_params_.items()}
            chosen = ", ".join(f"{key}={value}" for key, value in best.items())
            shown.notes.append(
                f"{type(estimator).__name__} chose {chosen}; the best model is shown."
            )
            shown.at_ends += _at_ends(estimator)
            shown.estimator = estimator.best_estimator_
        elif hasattr(estimator, "regressor_") and hasattr(estimator, "transformer_"):
            _take_target(shown, estimator)
        else:
            return shown


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


def _take_target(shown: Shown, estimator: Any) -> None:
    """Look through a TransformedTargetRegressor."""
    transformer = estimator.transformer_
    column = shown.y.reshape(-1, 1)
    shown.y = np.asarray(transformer.transform(column), dtype=float).reshape(len(shown.y))
    shown.estimator = estimator.regressor_
    if isinstance(transformer, StandardScaler):
        middle, unit = transformer.inverse_transform(np.array([[0.0], [1.0]])).ravel()
        shown.middle, shown.unit = float(middle), float(unit - middle)
    else:
        kind = type(transformer).__name__
        shown.notes.append(
            f"It was fitted to a target transformed by {kind}: what it shows is of that."
        )


def _in_own_unit(shown: Shown, coefs: NDArray[Any]) -> NDArray[Any]:
    """Undo the scaling of the target: coefficients, path and errors in the target's own unit."""
    if shown.unit == 1.0:
        return coefs
    shown.notes.append(
        "It was fitted to the target divided by its standard deviation, and alpha is of that;"
        " coefficients and errors are in the target's own unit."
    )
    path, cv, unit = shown.path, shown.cv, shown.unit
    if path is not None:
        shown.path = replace(
            path,
            coefs=path.coefs * unit,
            intercepts=path.intercepts * unit + shown.middle,
            refit=None,
        )
    if cv is not None and cv.metric == "mean squared error":
        shown.cv = cv.in_unit(unit**2)
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


def _named(shown: Shown, coefs: NDArray[Any], classes: NDArray[Any]) -> Coefficients:
    names = np.array(shown.names, dtype=object)
    targets: tuple[str, ...] = ()
    if coefs.ndim == 2:
        rows = len(coefs)
        targets = tuple(map(str, classes if rows == len(classes) else range(1, rows + 1)))
    elif len(classes) == 2:
        shown.notes.append(f"A positive coefficient speaks for the class {classes[1]!s}.")
    at_1se = None
    path, alpha = shown.path, shown.alpha_1se
    if path is not None and alpha is not None and alpha != shown.alpha and coefs.ndim == 1:
        at = np.flatnonzero(path.alphas == alpha)
        if at.size and path.coefs.ndim == 2:
            at_1se = path.coefs[:, at[0]].astype(float)
    return Coefficients(names, coefs, at_1se, targets)


def _find_cv(shown: Shown, kind: str) -> None:
    """Its own cross-validation over alpha: skreg's, or the errors scikit-learn's keep."""
    estimator = shown.estimator
    shown.cv = getattr(estimator, "cv_result_", None)
    if shown.cv is None:
        shown.cv = errors_kept(estimator)
        if shown.cv is not None:
            shown.alpha_min, shown.alpha_1se = shown.cv.alpha_min, scalar(shown.cv.alpha_1se)
    if not isinstance(shown.cv, CVResult):
        shown.cv = None
        if isinstance(estimator, (ElasticNet, Ridge)):
            shown.left_out.append(
                f"No cross-validation curve: {kind} has a single alpha; {kind}CV chooses one."
            )


def _find_path(shown: Shown, kind: str) -> None:
    """The path it keeps; for a single alpha of skreg's estimators, one that is fitted now."""
    estimator = shown.estimator
    path = getattr(estimator, "path_", None)
    if isinstance(path, PathResult):
        shown.path = path
        return
    if not isinstance(estimator, (ElasticNet, Ridge)):
        both = "path" if shown.cv is not None else "path or cross-validation curve"
        package = type(estimator).__module__.partition(".")[0].replace("sklearn", "scikit-learn")
        kept = "keeps none"
        if keeps_more(estimator, path_alone=shown.cv is not None):
            kept = "keeps it in a form that this page does not draw"
        shown.left_out.append(f"No {both}: {kind} of {package} {kept}; skreg's linear models do.")
        return
    single = clone(estimator)
    try:
        path = regularization_path(single, shown.X, shown.y)
        alpha = shown.alpha
        if alpha and not path.alphas[-1] <= alpha <= path.alphas[0]:
            grid = np.append(path.alphas, alpha)
            path = regularization_path(single, shown.X, shown.y, alphas=np.sort(grid)[::-1])
    except ValueError as error:
        shown.left_out.append(f"No path: {error}")
        return
    shown.path = path


def _check_path(shown: Shown, coefs: NDArray[Any]) -> None:
    """Leave out a path to all rows where the model was fitted to others."""
    assert shown.alpha is not None
    if not is_the_fit(shown.estimator, shown.alpha, shown.X, shown.y, coefs):
        shown.path = None
        shown.left_out.append(
            "No path: it was fitted before, to other rows or weights than these, and one to these"
            " would be of another model."
        )


def _find_edge(shown: Shown) -> None:
    """Which end of its grid the chosen alpha lies at, if any."""
    if hasattr(shown.estimator, "cv_alphas_"):
        return  # of least angles: there is no grid
    if shown.cv is not None:
        at = shown.cv.index_min
        # Where the best model explains nothing it is at the start because no feature helps.
        empty = shown.path is not None and np.all(shown.path.dev_ratio[..., at] < NOTHING)
        shown.edge = None if empty else shown.cv.edge
        alphas, mean = shown.cv.alphas, shown.cv.mean
        inner = int(np.argmin(np.abs(alphas - NEAR * alphas[at])))
        if shown.edge == "smallest" and inner != at:
            shown.flat = bool(mean[inner] - mean[at] < FLAT * shown.cv.standard_error[at])
        return
    alphas = np.ravel(np.asarray(getattr(shown.estimator, "alphas", 0.0), dtype=object))
    if hasattr(shown.estimator, "alpha_") and shown.alpha is not None and len(alphas) > 1:
        ends = {float(min(alphas)): "smallest", float(max(alphas)): "largest"}
        shown.edge = ends.get(shown.alpha)
