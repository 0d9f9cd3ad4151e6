"""The user's data as a fitted model's penalty sees them: centred, weighted, scaled."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skreg.plotting import _read

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


def as_penalised(
    estimator: Any, X: Any, sample_weight: ArrayLike | None, what: str
) -> PenalisedData:
    """Centre, scale and weight X as the fitted estimator did.

    Raises
    ------
    ValueError
        X is sparse or of another width than the model, the weights do not fit, or the
        coefficients are bounded.
    """
    n_features = np.shape(_read.stored(estimator, "coef_"))[-1]
    if hasattr(X, "toarray"):
        raise ValueError(f"{what} needs dense X: pass X.toarray()")
    table = np.asarray(X, dtype=float)
    if table.ndim != 2 or table.shape[1] != n_features:
        raise ValueError(f"X must have shape (n_samples, {n_features}), got {table.shape}")
    bounded = [
        name
        for name in ("lower_bound", "upper_bound")
        if getattr(estimator, name, None) is not None
    ]
    if bounded or getattr(estimator, "positive", False):
        raise ValueError(f"{what} draws no bounds: fit without {(*bounded, 'positive')[0]}")
    weights = np.ones(len(table))
    if sample_weight is not None:
        weights = weights * np.asarray(sample_weight, dtype=float)
    centred = bool(getattr(estimator, "fit_intercept", True))
    middle = weights @ table / weights.sum()
    scale = np.ones(n_features)
    if getattr(estimator, "standardize", False):
        scale = np.sqrt(weights @ (table - middle) ** 2 / weights.sum())
        scale[scale == 0] = 1.0
    root = np.sqrt(weights)
    columns = (table - middle if centred else table) / scale * root[:, None]
    given = getattr(estimator, "penalty_factor", None)
    factors = _read.one_each(given, n_features, "penalty_factor")
    return PenalisedData(columns, root, scale, factors, centred)
