"""What a model's features are measured in: the table's own units, or standard deviations.

A step whose effect is known leads to a known unit: scalers, imputers, selections, indicators of
categories, and Pipelines and ColumnTransformers of these. Behind any other the unit is not known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import SelectorMixin
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    RobustScaler,
    StandardScaler,
)
from sklearn.utils.sparsefuncs import mean_variance_axis

from .contents import Coefficients, Per

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Units:
    """Features between two steps of a Pipeline.

    Parameters
    ----------
    names : tuple of str
    pers : tuple of {"unit", "deviation", "scaled", "input"}
        What each is counted in: the table's unit, standard deviations, another scaler's unit, or
        something that is not known.
    sizes : ndarray of shape (n_features,)
        What one of these is in units of the feature that the name says; NaN where not known.
    """

    names: tuple[str, ...]
    pers: tuple[Per, ...]
    sizes: Array

    @classmethod
    def all(cls, names: tuple[str, ...], per: Per) -> Units:
        """Features that are all counted in the same."""
        size = np.nan if per == "input" else 1.0
        return cls(names, (per,) * len(names), np.full(len(names), size))

    def take(self, positions: NDArray[np.intp]) -> Units:
        """Some of the features, in this order."""
        return Units(
            tuple(self.names[j] for j in positions),
            tuple(self.pers[j] for j in positions),
            self.sizes[positions],
        )

    @property
    def per(self) -> Per:
        """What they are counted in together."""
        kinds = set(self.pers)
        if "input" in kinds:
            return "input"
        if len(kinds) < 2:
            return next(iter(kinds), "unit")
        return "mixed" if kinds == {"unit", "deviation"} else "scaled"


def behind(step: Any, before: Units) -> Units:
    """Units of what a fitted step returns."""
    if isinstance(step, Pipeline):
        for _, inner in step.steps:
            before = behind(inner, before)
        return before
    if step is None or step == "passthrough":
        return before
    names = names_behind(step, before.names)
    if isinstance(step, ColumnTransformer):
        return _of_columns(step, before, names)
    if isinstance(step, (StandardScaler, RobustScaler, MaxAbsScaler, MinMaxScaler)):
        return _scaled(step, before)
    if isinstance(step, OneHotEncoder):
        return Units.all(names, "unit")
    unchanged = isinstance(step, FunctionTransformer) and step.func is None
    if unchanged and len(names) != len(before.names):
        return before  # it tells no names
    filled = isinstance(step, (SimpleImputer, KNNImputer)) or hasattr(step, "imputation_sequence_")
    known = unchanged or filled or isinstance(step, SelectorMixin)
    if known and len(set(before.names)) == len(before.names):
        # Those that have a name from before are what they were; an imputer adds indicators.
        where = {name: j for j, name in enumerate(before.names)}
        there = np.array([where.get(name, -1) for name in names], dtype=np.intp)
        found = Units((*before.names, ""), (*before.pers, "unit"), np.append(before.sizes, 1.0))
        return replace(found.take(there), names=names)
    return Units.all(names, "input")


def names_behind(step: Any, names: tuple[str, ...]) -> tuple[str, ...]:
    """Names of what a fitted step returns; none where it tells none."""
    for given in (np.array(names, dtype=object), None):
        try:
            return tuple(str(name) for name in step.get_feature_names_out(given))
        except (AttributeError, TypeError, ValueError):
            continue
    return ()


def measured(coefficients: Coefficients, units: Units, estimator: Any, X: Any) -> Coefficients:
    """Say what coefficients are per, and turn those of unscaled features into comparable ones.

    Parameters
    ----------
    coefficients : Coefficients
        As the model has them.
    units : Units
        Of the model's features.
    estimator : object
        Where its `standardize` is on, its penalty compared coefficients per standard deviation.
    X : array or sparse matrix
        As the estimator sees it.
    """
    n_features = coefficients.values.shape[-1]
    if len(units.names) != n_features:
        units = Units.all(("",) * n_features, "input")
    per, factor, to_unit = units.per, None, 1 / units.sizes
    if getattr(estimator, "standardize", False) is True and per != "deviation":
        per, factor = "deviation", deviations(X)
    if per == "unit" or not np.isfinite(to_unit).any():
        return replace(coefficients, per=per, factor=factor)
    return replace(coefficients, per=per, factor=factor, to_unit=to_unit)


def _of_columns(step: ColumnTransformer, before: Units, names: tuple[str, ...]) -> Units:
    """Units behind a ColumnTransformer, whose parts each take some of the columns."""
    found = Units.all(names, "input")
    pers, sizes = list(found.pers), found.sizes.copy()
    for name, part, columns in step.transformers_:
        place = step.output_indices_[name]
        if part == "drop" or place.stop > len(names):
            continue
        got = _positions(columns, before.names)
        own = None if got is None else behind(part, before.take(got))
        if own is not None and len(own.pers) == place.stop - place.start:
            pers[place], sizes[place] = list(own.pers), own.sizes
    return Units(names, tuple(pers), sizes)


def _positions(columns: Any, names: tuple[str, ...]) -> NDArray[np.intp] | None:
    """Positions of the columns that are given in one of scikit-learn's ways."""
    everywhere = np.arange(len(names))
    if isinstance(columns, slice):
        return None if isinstance(columns.start or columns.stop, str) else everywhere[columns]
    chosen = np.atleast_1d(columns)
    if chosen.dtype.kind in "biu" or not chosen.size:
        return everywhere[chosen if chosen.size else []]
    where = {name: j for j, name in enumerate(names)}
    if len(where) < len(names) or not all(name in where for name in chosen):
        return None
    return np.array([where[name] for name in chosen], dtype=np.intp)


def _scaled(step: Any, before: Units) -> Units:
    """Units behind a scaler of single columns."""
    if step.scale_ is None:
        return before
    if len(step.scale_) != len(before.names):  # a step before it told no names
        before = Units.all(("",) * len(step.scale_), "input")
    size = 1 / step.scale_ if isinstance(step, MinMaxScaler) else step.scale_
    per: Per = "deviation" if isinstance(step, StandardScaler) else "scaled"
    pers = tuple(per if per == "deviation" or own != "input" else own for own in before.pers)
    return Units(before.names, pers, before.sizes * size)


def deviations(X: Any) -> Array:
    """Standard deviation of each column, of an array or a sparse matrix."""
    if hasattr(X, "tocsr"):
        return np.sqrt(mean_variance_axis(X.tocsr().astype(float), axis=0)[1])
    return np.asarray(X, dtype=float).std(axis=0)
