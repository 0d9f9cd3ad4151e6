"""From what the user gives to a trained network: rows in memory, or rows read block by block.

The functions work on an estimator, a `BaseMLP`, and ask it what hangs on its kind: how targets are
encoded, what classes weigh, whether there are images.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_regressor
from sklearn.utils import _safe_indexing, check_random_state

from ..estimators.validation import check_weights
from ..rows.row_sample import RowSample
from ..rows.source import Part, RowSource
from .block_rows import BlockRows
from .checked_blocks import CheckedBlocks
from .checks import check_plan, check_same_network, resolve_batch_size
from .engine.batches import Data, Targets
from .engine.images import ConvStage
from .engine.plan import Plan
from .engine.weights import initial_parameters, weight_shapes
from .evaluation import Validation, warn_of_other_units
from .labels import factors_of_rows
from .rows import (
    LARGEST_ORDERED,
    Rows,
    hold_out,
    of_order_one,
    ordered_by_value,
    rows_that_count,
    written_out,
)
from .running import FITTED, publish, train


def fit_network(
    estimator: Any,
    X: Any,
    y: Any,
    sample_weight: Any,
    X_val: Any = None,
    y_val: Any = None,
    incremental: bool = False,
    classes: Any = None,
) -> None:
    """Train an estimator's network, which goes on where the estimator says so.

    Parameters
    ----------
    estimator : estimator
        Its attributes are set; who calls puts them back where this fails.
    X, y, sample_weight, X_val, y_val
        As `fit` takes them.
    incremental : bool, default=False
        Whether this is `partial_fit`.
    classes : array-like or None, default=None
        Those to come, where `partial_fit` is told.
    """
    plan = check_plan(estimator, incremental)
    if (X_val is None) != (y_val is None):
        given, missing = ("y_val", "X_val") if X_val is None else ("X_val", "y_val")
        raise ValueError(f"{given} is given without {missing}: give both, or neither")
    going_on = hasattr(estimator, "coefs_") and (estimator.warm_start or incremental)
    if isinstance(X, RowSource) and incremental:
        raise TypeError("partial_fit takes the rows of one block: give all blocks to fit")
    parts = None if incremental else estimator._parts(X, y, sample_weight)
    if parts is not None:
        _fit_blocks(estimator, plan, going_on, X, parts, X_val, y_val)
        return
    X_given, y_given = X, y
    X, y = estimator._check_Xy(X, y, plan, reset=not going_on)
    targets = estimator._encode(y, not going_on, classes, complete=not incremental)
    weight = check_weights(sample_weight, X)
    weight = weight if weight is None else of_order_one(weight)
    rows = rows_that_count(Rows(np.arange(X.shape[0]), weight))
    factors = estimator._class_factors(rows, targets, incremental)
    if factors is not None:
        rows.factor = factors_of_rows(factors, targets.of(rows.index))
        rows = rows_that_count(rows)
    images, augmentation = estimator._convolutions(plan), estimator._augmentation()
    if augmentation is not None:
        plan = replace(plan, augmentation=augmentation, noisy=True)
    n_in = X.shape[1] if images is None else math.prod(images.pooled)
    units = [n_in, *plan.hidden, targets.n_outputs]
    _begin(estimator, plan, going_on, units, [] if images is None else images.stages)
    estimator._images = images
    held, out = None, None
    if not incremental:
        rows, out = _split(estimator, rows, X, targets, hold=X_val is None)
    if X_val is not None:
        held = _validation_of(estimator, plan, X_val, y_val, X, y, factors)
    elif out is not None:
        held = _validation_rows(estimator, X_given, X, y, targets, out)
    data = Data.build(X, targets, rows.total, rows.index)
    train(estimator, plan, data, held, (X_given, y_given, sample_weight), incremental)


def _begin(
    estimator: Any, plan: Plan, going_on: bool, units: list[int], stages: Sequence[ConvStage]
) -> None:
    """Random weights and no trace of an earlier fit, or the weights that there are."""
    random = check_random_state(estimator.random_state)
    if not going_on:
        for name in FITTED:
            vars(estimator).pop(name, None)
        activation, normalization = estimator.activation, estimator.normalization
        start = initial_parameters(units, activation, normalization, random, plan.dtype, stages)
        publish(estimator, start)
        estimator.t_ = 0
    if not (going_on and hasattr(estimator, "_generator")):  # nor do weights set by hand have one
        largest = np.iinfo(np.int32).max
        estimator._generator = np.random.Generator(np.random.SFC64(random.randint(largest)))
        estimator._split_seed = int(random.randint(largest))
    check_same_network(estimator, weight_shapes(units, stages), stages)
    estimator.n_layers_, estimator.n_outputs_ = len(estimator.coefs_) + 1, units[-1]


def _split(
    estimator: Any, rows: Rows, X: Any, targets: Targets, hold: bool
) -> tuple[Rows, Rows | None]:
    """Rows to train on, and those that early stopping holds out of them where it may."""
    out, starts = None, None
    # Number of rows up to which a batch is the whole of a small training set.
    largest = LARGEST_ORDERED
    if estimator.solver != "lbfgs":
        largest = resolve_batch_size(estimator.batch_size, largest, clip=True)
    if len(rows.index) <= largest:
        rows, starts = ordered_by_value(rows, X, targets)
    if estimator.early_stopping and hold:
        share, codes = estimator.validation_fraction, estimator._codes(targets)
        rows, out = hold_out(rows, starts, share, codes, estimator._split_seed)
        out = written_out(out, largest)
    return written_out(rows, largest), out


def _fit_blocks(
    estimator: Any,
    plan: Plan,
    going_on: bool,
    source: Any,
    parts: Sequence[Part],
    X_val: Any,
    y_val: Any,
) -> None:
    """The same for rows that are read block by block, part for part of `source`."""
    if getattr(source, "serves_one_pass", False):
        raise ValueError(
            "the blocks come from an iterator, which serves one pass, and a network needs one to"
            " look at the rows and one an epoch: give a list, or a callable that returns a new"
            " iterator"
        )
    regression, fraction = is_regressor(estimator), 0.0
    if estimator.early_stopping and X_val is None:
        fraction = estimator.validation_fraction
    if going_on and hasattr(estimator, "_split_seed"):
        seed = estimator._split_seed
    else:  # what follows draws from the generator as it does for rows in memory
        random = copy.deepcopy(check_random_state(estimator.random_state))
        seed = int(random.randint(np.iinfo(np.int32).max))
    verbose = getattr(source, "verbose", False)
    reader = CheckedBlocks(estimator, parts, plan.dtype, going_on, verbose)
    reader.encode = partial(estimator._encode, first=False) if regression else None
    rows = BlockRows(reader, not regression, fraction, seed)
    reader.note_columns(estimator)
    X, y, _ = rows.sample.rows
    classes = rows.tally.names
    # More than one of each, as scikit-learn takes many classes with a row each for numbers.
    every = y if classes is None else np.repeat(classes, 3)
    targets = estimator._encode(every, not going_on, complete=True)
    reader.encode = estimator._encode_block
    factors = estimator._class_factors_of(rows.tally, targets)
    sample, _ = _data_of(estimator, rows.sample, factors)
    data = rows.data(factors, sample)
    _begin(estimator, plan, going_on, [X.shape[1], *plan.hidden, targets.n_outputs], [])
    estimator._split_seed = seed
    held = None
    if X_val is not None:
        held = _validation_of(estimator, plan, X_val, y_val, X, y, factors)
    elif fraction:
        held_data, y_held = _data_of(estimator, rows.held, factors)
        weight = held_data.weight
        held = Validation(held_data, held_data.X, y_held, weight, weight is not None)
    if fraction:  # a scorer gets rows without names, of which a prediction would warn
        vars(estimator).pop("feature_names_in_", None)
    train(estimator, plan, data, held, (source, None, None), incremental=False)
    reader.note_columns(estimator)


def _data_of(estimator: Any, rows: RowSample, factors: Any) -> tuple[Data, NDArray[Any]]:
    """Rows that were kept of blocks, but for those that count nothing, and their y."""
    X, y, weight = rows.rows
    targets = estimator._encode_block(y)
    if factors is not None:
        weight = weight * factors_of_rows(factors, targets)
    if not weight.any():
        raise ValueError("class_weight and sample_weight leave no row with a weight above zero")
    index = np.flatnonzero(weight)
    return Data.build(X, targets, weight[index], index), y[index]


def _validation_of(
    estimator: Any, plan: Plan, X_val: Any, y_val: Any, X_train: Any, y_train: Any, factors: Any
) -> Validation:
    """The user's own validation data."""
    pair = ("X_val", "y_val")
    try:
        X, y = estimator._check_Xy(X_val, y_val, plan, reset=False, names=pair)
    except ValueError as error:  # scikit-learn calls them X and y, or by no name
        named = any(name in str(error) for name in pair)
        raise error if named else ValueError(f"X_val and y_val: {error}") from None
    n_given, n_needed = (1 if each.ndim == 1 else each.shape[1] for each in (y, y_train))
    if n_given != n_needed:
        columns = "1 column" if n_given == 1 else f"{n_given} columns"
        raise ValueError(f"y_val has {columns} where y has {n_needed}")
    try:
        targets = estimator._encode(y, first=False)
    except ValueError as error:
        raise ValueError(f"y_val: {error}") from None
    weight = None if factors is None else factors_of_rows(factors, targets)
    if weight is not None and not weight.any():
        raise ValueError("class_weight leaves no row of y_val with a weight above zero")
    names = getattr(estimator, "feature_names_in_", None)
    numbers = (y, y_train) if is_regressor(estimator) else None
    warn_of_other_units((X, X_train), names, numbers)
    data = Data.build(X, targets, weight)
    return Validation(data, X_val, y_val, None if data.weight is None else weight)


def _validation_rows(
    estimator: Any, X_given: Any, X: Any, y: Any, targets: Targets, rows: Rows
) -> Validation:
    """Rows held out of the training data; a scorer sees X with the names it was given with."""
    data = Data.build(X, targets, rows.total, rows.index)
    named = hasattr(estimator, "feature_names_in_")
    own = _safe_indexing(X_given, rows.index) if named else data.X
    weight = None if data.weight is None else rows.total  # equal ones are none
    needed = weight is not None and rows.weight is not None
    return Validation(data, own, y[rows.index], weight, needed)
