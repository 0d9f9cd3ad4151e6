"""The user's data as a fitted model's penalty sees them: centred, weighted, scaled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skreg.plotting import _read, naming
from skreg.plotting._plane import TwoCoefficients

Array = NDArray[np.float64]


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
        X is sparse, not finite or of another width than the model, the weights are not one a
        row, or the coefficients are bounded.
    """
    n_features = np.shape(_read.stored(estimator, "coef_"))[-1]
    if hasattr(X, "toarray"):
        raise ValueError(f"{what} needs dense X: pass X.toarray()")
    fitted_on = getattr(estimator, "feature_names_in_", None)
    table = np.asarray(_as_fitted(X, fitted_on), dtype=float)
    if table.ndim != 2 or table.shape[1] != n_features:
        raise ValueError(f"X must have shape (n_samples, {n_features}), got {table.shape}")
    if not np.isfinite(table).all():
        raise ValueError("X has missing or infinite values: pass it as the model saw it")
    bounded = [
        name
        for name in ("lower_bound", "upper_bound")
        if getattr(estimator, name, None) is not None
    ]
    if bounded or getattr(estimator, "positive", False):
        raise ValueError(f"{what} draws no bounds: fit without {(*bounded, 'positive')[0]}")
    if sample_weight is not None and np.ndim(sample_weight) == 0:
        sample_weight = np.full(len(table), sample_weight)
    weights = _read.one_each(sample_weight, len(table), "sample_weight")
    centred = bool(getattr(estimator, "fit_intercept", True))
    middle = weights @ table / weights.sum()
    scale = np.ones(n_features)
    if getattr(estimator, "standardize", False):
        scale = np.sqrt(weights @ (table - middle) ** 2 / weights.sum())
        scale[scale == 0] = 1.0
    root = np.sqrt(weights)
    columns = (table - middle if centred else table) / scale * root[:, None]
    given = getattr(estimator, "penalty_factor", None)
    factors = _read.one_each(given, n_features, "penalty_factor", fitted_on)
    return PenalisedData(columns, root, scale, factors, centred)


def mixing(estimator: Any) -> float | None:
    """Share of the L1 part in an estimator's penalty; None for ridge regression."""
    ratio = getattr(estimator, "l1_ratio_", getattr(estimator, "l1_ratio", None))
    if ratio is None and hasattr(estimator, "selection"):  # scikit-learn's LassoCV
        return 1.0
    return None if ratio is None else float(ratio)


def two_coefficients(
    estimator: Any,
    X: Any,
    y: ArrayLike,
    features: Sequence[str | int] | None,
    sample_weight: ArrayLike | None,
    feature_names: ArrayLike | None,
) -> tuple[TwoCoefficients, list[str]]:
    """Build a fitted model's objective over two coefficients, and give the names of the two.

    Raises
    ------
    ValueError
        What is asked for cannot be drawn; the message says why.
    """
    what = "PenaltyGeometryDisplay"
    data = as_penalised(estimator, X, sample_weight, what)
    target = np.asarray(y, dtype=float)
    if target.squeeze().ndim != 1 or (np.ndim(estimator.coef_) > 1 and len(estimator.coef_) > 1):
        raise ValueError(f"{what} draws one target: fit and pass y of shape (n_samples,)")
    if target.size != len(data.columns):
        raise ValueError(f"y has {target.size} values for {len(data.columns)} rows of X")
    alpha = _read.chosen_alphas(estimator, 0)["alpha"]
    if alpha is None:
        raise ValueError(f"{type(estimator).__name__} has no alpha, and so no penalty to draw")
    names = naming.names(feature_names, data.columns.shape[1])
    w = np.ravel(estimator.coef_).astype(float) * data.scale
    pair = _pair(features, names, w)
    for index in pair:
        if not 0 < data.factors[index] < np.inf:
            raise ValueError(
                f"{what} needs penalised features: the penalty_factor of {names[index]!r} is"
                f" {data.factors[index]:g}"
            )
    others = np.setdiff1d(np.arange(w.size), pair)
    residual = data.centre(target.ravel()) - data.columns[:, others] @ w[others]
    two, ratio = data.columns[:, pair], mixing(estimator)
    unit = 2.0 if ratio is None else 1 / float(np.sum(data.row_scale**2))
    factors = data.factors[pair]
    plane = TwoCoefficients(
        gram=unit * two.T @ two,
        moment=unit * two.T @ residual,
        constant=0.5 * unit * float(residual @ residual),
        l1=(ratio or 0.0) * factors,
        l2=2 * factors if ratio is None else (1 - ratio) * factors,
        alpha=alpha,
        solution=w[pair],
    )
    return plane, [names[index] for index in pair]


def _pair(features: Sequence[str | int] | None, names: list[str], w: Array) -> list[int]:
    """Find two features by name or index, or take those with the largest coefficients."""
    if len(names) < 2:
        raise ValueError("PenaltyGeometryDisplay needs two features")
    if features is None:
        return sorted(np.argsort(-np.abs(w), kind="stable")[:2].tolist())
    found = []
    for feature in features:
        if isinstance(feature, str | tuple):
            (name,) = naming.names([feature], 1)
            if name not in names:
                raise ValueError(f"no feature is named {name!r}")
            found.append(names.index(name))
        elif 0 <= feature < len(names):
            found.append(int(feature))
        else:
            raise ValueError(f"feature {feature} is out of range: there are {len(names)} features")
    if len(found) != 2 or found[0] == found[1]:
        raise ValueError(f"features must be two different ones, got {list(features)}")
    return found
