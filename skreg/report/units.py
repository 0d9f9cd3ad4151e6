"""What a model's features are measured in: the table's own units, or standard deviations.

A step whose effect is known leads to a known unit: scalers, imputers, selections, indicators of
categories, and Pipelines and ColumnTransformers of these. Behind any other the unit is not known.

The features between two steps are the rows of a data frame: `per` says what each is counted in (the
table's unit, standard deviations, another scaler's unit, or an input that is not known), and `size`
what one of these is in units of the feature that the name says, NaN where not known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

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
from sklearn.utils import _safe_indexing
from sklearn.utils.sparsefuncs import mean_variance_axis

from .contents import Coefficients, Per

if TYPE_CHECKING:
    from pandas import DataFrame


def all_in(per: Per, names: Sequence[str]) -> DataFrame:
    """Features that are all counted in the same."""
    import pandas

    return pandas.DataFrame({"per": per, "size": np.nan if per == "input" else 1.0}, list(names))


def behind(step: Any, before: DataFrame) -> DataFrame:
    """Units of what a fitted step returns."""
    if isinstance(step, Pipeline):
        for _, inner in step.steps:
            before = behind(inner, before)
        return before
    if step is None or step == "passthrough":
        return before
    names = names_behind(step, tuple(before.index))
    if isinstance(step, ColumnTransformer):
        return _of_columns(step, before, names)
    if isinstance(step, (StandardScaler, RobustScaler, MaxAbsScaler, MinMaxScaler)):
        return _scaled(step, before)
    if isinstance(step, OneHotEncoder):
        return all_in("unit", names)
    unchanged = isinstance(step, FunctionTransformer) and step.func is None
    if unchanged and len(names) != len(before):
        return before  # it tells no names
    filled = isinstance(step, (SimpleImputer, KNNImputer)) or hasattr(step, "imputation_sequence_")
    if not (unchanged or filled or isinstance(step, SelectorMixin)) or not before.index.is_unique:
        return all_in("input", names)
    # Those that have a name from before are what they were; an imputer adds indicators.
    there = before.index.get_indexer(list(names))
    found = all_in("unit", names)
    for column in ("per", "size"):
        found[column] = np.where(there < 0, found[column], before[column].to_numpy()[there])
    return found


def names_behind(step: Any, names: tuple[str, ...]) -> tuple[str, ...]:
    """Names of what a fitted step returns; none where it tells none."""
    for given in (np.array(names, dtype=object), None):
        try:
            return tuple(str(name) for name in step.get_feature_names_out(given))
        except (AttributeError, TypeError, ValueError):
            continue
    return ()


def measured(coefficients: Coefficients, units: DataFrame, estimator: Any, X: Any) -> Coefficients:
    """Say what coefficients are per, and turn those of unscaled features into comparable ones.

    They are as the model has them, and `units` and X are of its features. Where the estimator's
    `standardize` is on, its penalty compared coefficients per standard deviation.
    """
    n_features = coefficients.values.shape[-1]
    if len(units) != n_features:
        units = all_in("input", [""] * n_features)
    per, factor = _together(set(units["per"])), None
    if getattr(estimator, "standardize", False) is True and per != "deviation":
        per, factor = "deviation", deviations(X)
    to_unit = 1 / units["size"].to_numpy()
    known = per != "unit" and bool(np.isfinite(to_unit).any())
    return replace(coefficients, per=per, factor=factor, to_unit=to_unit if known else None)


def _together(pers: set[Per]) -> Per:
    """What features are counted in together."""
    if "input" in pers:
        return "input"
    if len(pers) < 2:
        return next(iter(pers), "unit")
    return "mixed" if pers == {"unit", "deviation"} else "scaled"


def _of_columns(step: ColumnTransformer, before: DataFrame, names: tuple[str, ...]) -> DataFrame:
    """Units behind a ColumnTransformer, whose parts each take some of the columns."""
    found = all_in("input", names)
    for name, part, columns in step.transformers_:
        place = step.output_indices_[name]
        if part == "drop" or place.stop > len(names):
            continue
        given = columns if isinstance(columns, slice) else np.atleast_1d(columns).tolist()
        try:
            taken = _safe_indexing(before.T, given, axis=1).T
        except (KeyError, ValueError):  # they are not told by these names
            continue
        own = behind(part, taken.astype({"size": float}))
        if len(own) == place.stop - place.start:
            found.iloc[place] = own
    return found


def _scaled(step: Any, before: DataFrame) -> DataFrame:
    """Units behind a scaler of single columns."""
    if step.scale_ is None:
        return before
    if len(step.scale_) != len(before):  # a step before it told no names
        before = all_in("input", [""] * len(step.scale_))
    size = before["size"] * (1 / step.scale_ if isinstance(step, MinMaxScaler) else step.scale_)
    if isinstance(step, StandardScaler):
        return before.assign(per="deviation", size=size)
    return before.assign(per=before["per"].where(before["per"] == "input", "scaled"), size=size)


def deviations(X: Any) -> NDArray[np.float64]:
    """Standard deviation of each column, 0 for what is constant up to rounding."""
    if hasattr(X, "tocsr"):
        X = X.tocsr().astype(float)
        spread, size = np.sqrt(mean_variance_axis(X, axis=0)[1]), abs(X).max(axis=0).toarray()
    else:
        X = np.asarray(X, dtype=float)
        spread, size = X.std(axis=0), np.abs(X).max(axis=0)
    return np.where(spread > 1e-7 * np.ravel(size), spread, 0.0)
