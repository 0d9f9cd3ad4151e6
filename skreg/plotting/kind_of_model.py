"""What kind of model is drawn: its classes, its loss, and what its coefficients change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ..paths.result import PathResult

# What the linear predictor is, by the inverse link that leads from it to the mean.
_PREDICTORS = {"identity": "y", "exp": "log y", "logistic": "log-odds", "softmax": "log-odds"}
_DECISION = "decision value"


def classes_of(estimator: Any) -> NDArray[Any] | None:
    """Take the classes that have a row of coefficients each; None of two and of numbers."""
    classes, coefs = getattr(estimator, "classes_", None), getattr(estimator, "coef_", None)
    # The rows of a support vector machine with a kernel are of pairs of classes.
    if classes is None or coefs is None or hasattr(estimator, "dual_coef_"):
        return None
    return np.asarray(classes) if 2 < len(classes) == len(coefs) else None


def classes_of_path(path: PathResult) -> NDArray[Any] | None:
    """Take the classes that have coefficients of their own each; None of two and of numbers."""
    return getattr(path, "classes", None) if path.coefs.ndim == 3 else None


def class_name(label: Any) -> str:
    """Name a class for a title: a number alone would not say what it is."""
    return str(label) if isinstance(label, str) else f"class {label}"


def targets_to_draw(target: Any, classes: NDArray[Any] | None) -> list[int]:
    """List the targets to draw: where none is chosen all classes, or the first of numbers.

    Raises
    ------
    ValueError
        No class has that name.
    """
    if target is None:
        return [0] if classes is None else list(range(len(classes)))
    if not isinstance(target, str) or classes is None:
        return [target]
    names = [str(label) for label in classes]
    if target not in names:
        raise ValueError(f"target={target!r} is unknown: the classes are {', '.join(names)}")
    return [names.index(target)]


def predictor_of_path(path: PathResult) -> str:
    """Name what a coefficient of a path changes: "y", "log y", "log-odds" or "decision value"."""
    # What only looks like a path may not say what it is of.
    inverse_link = getattr(path, "inverse_link", "identity")
    of_classes = getattr(path, "classes", None) is not None and inverse_link == "identity"
    return _DECISION if of_classes else _PREDICTORS[inverse_link]


def predictor_of(estimator: Any) -> str:
    """Name what a coefficient of a linear model of any library changes."""
    if hasattr(estimator, "classes_"):
        return "log-odds" if hasattr(estimator, "predict_proba") else _DECISION
    return "log y" if _has_log_link(estimator) else "y"


def _kinds(estimator: Any) -> set[str]:
    """Names of its classes, those that choose a penalty by the name of those that do not."""
    return {kind.__name__.removesuffix("CV") for kind in type(estimator).__mro__}


def _has_log_link(estimator: Any) -> bool:
    kinds = _kinds(estimator)
    if "TweedieRegressor" in kinds:
        return estimator.link == "log" or (estimator.link == "auto" and estimator.power > 0)
    return bool({"PoissonRegressor", "GammaRegressor"} & kinds)


def is_of_squared_error(estimator: Any) -> bool:
    """Whether a linear model minimises squared errors, as ridge regression of classes does too."""
    kinds = _kinds(estimator)
    others = {"HuberRegressor", "QuantileRegressor", "LinearSVR", "SVR"} & kinds
    of_classes = hasattr(estimator, "classes_") and "RidgeClassifier" not in kinds
    return not (others or of_classes or _has_log_link(estimator))


def mixing(estimator: Any) -> float | None:
    """Share of the L1 part in an estimator's penalty; None for ridge regression."""
    ratio = getattr(estimator, "l1_ratio_", getattr(estimator, "l1_ratio", None))
    if ratio is None and hasattr(estimator, "selection"):  # scikit-learn's LassoCV
        return 1.0
    return None if ratio is None else float(np.ravel(ratio)[0])
