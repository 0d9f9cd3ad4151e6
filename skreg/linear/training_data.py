"""What a linear model is given, checked: the data, and parameters with a value a feature."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from ..data.powers_of_two import PowersOfTwo, are_ordinary, powers_of_two
from ..data.products import Array, is_sparse
from ..estimators.ready import DTYPES, FLOATS, LARGEST, finite_floats, note_columns
from ..estimators.runtime import warn
from ..estimators.validation import (
    check_table,
    check_weights,
    columns_of,
    numeric,
    one_column,
    refuse_booleans,
    refuse_sparse,
)
from ..objective.losses import Loss
from ..paths.problem import BoundProblem, Problem

FORMATS = ["csc", "csr", "coo"]
# Stands for a target that has no unit, as counts and classes.
NO_UNIT = np.ones(1)


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Checked data, what the columns of X are called, and the powers of two that suit them.

    A single target is a vector; `shape` is that of the intercept, which has an axis where y came as
    a column. `offset` is added to the linear predictor. `mean_square` is that of the entries of X,
    where it is known.
    """

    X: Any
    y: Array
    sample_weight: Array | None
    columns: Sequence[Any]
    powers: PowersOfTwo
    shape: tuple[int, ...]
    offset: Array | None = None
    mean_square: float | None = None

    @classmethod
    def check(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        sample_weight: Any,
        check_input: bool = True,
        multi_output: bool = True,
    ) -> TrainingData:
        """Check an estimator's parameters and its data, and note on it how columns are called.

        X becomes float32 or float64, dense in any order or CSC, and y float64; a column is a vector
        where there cannot be several targets.
        """
        estimator._validate_params()
        if check_input:
            table, target, mean_square = check_data(estimator, X, y)
        else:
            refuse_sparse(y, "y")
            table = as_columns(X) if sparse.issparse(X) else np.asarray(X)
            table = table if table.dtype in FLOATS else table.astype(np.float64)
            target, mean_square = np.asarray(y, dtype=np.float64), None
            note_columns(estimator, table)
        if not multi_output and target.shape[1:] == (1,):
            target = np.asarray(one_column(target))
        weight = check_weights(sample_weight, table)
        powers = powers_of_two(table, target, weight, mean_square)
        columns, shape = columns_of(X, table.shape[1]), target.shape[1:]
        y = target[:, 0] if shape == (1,) else target
        return cls(table, y, weight, columns, powers, shape, mean_square=mean_square)

    @classmethod
    def check_for_loss(
        cls, estimator: Any, X: Any, y: Any, sample_weight: Any, offset: Any, loss: Loss
    ) -> TrainingData:
        """The same for one target of any loss, whose domain y is in, with an offset.

        The parameters, by which there is a loss, are checked.
        """
        table, target, mean_square = check_data(estimator, X, y)
        if target.ndim == 2:
            target = np.asarray(one_column(target))
        loss.check_target(target)
        weight = check_weights(sample_weight, table)
        added = check_offset(offset, (len(target),))
        of_unit = target if loss.of_unit else NO_UNIT
        powers = powers_of_two(table, of_unit, weight, mean_square)
        return cls(table, target, weight, columns_of(X, table.shape[1]), powers, (), added)

    @property
    def one_target(self) -> bool:
        """Whether y is one target, a vector or a column."""
        return self.y.ndim == 1

    @property
    def vanishes(self) -> bool:
        """Whether y is zero in every row that counts."""
        weight = self.sample_weight
        return not (self.y if weight is None else self.y[weight > 0]).any()

    @property
    def labels(self) -> Array:
        """What a splitter and a scorer are given as y."""
        return self.y

    @property
    def given_weight(self) -> Array | None:
        """Weights of the rows as the user gives them, which a scorer is told."""
        return self.sample_weight

    @property
    def row_weight(self) -> Array | None:
        """Weights of the rows by themselves, which scores are weighted by, in units of order one.

        None where they are `sample_weight`.
        """
        return None

    @property
    def reweighted(self) -> Callable[[Array], Array] | None:
        """What rows of such weights count in a fit on them alone; None where it is the same."""
        return None

    def bind(self, problem: Problem, precompute: Any = None) -> BoundProblem:
        """The problem on these data, with the user's Gram matrix where `precompute` is one."""
        bound = problem.bind(self.X, self.y, self.sample_weight, self.powers, self.engine_offset)
        if self.powers.ordinary:
            bound.design.mean_square = self.mean_square
        take_gram(bound, precompute)
        return bound

    @property
    def engine_offset(self) -> Array | None:
        """The offset in the units of the problem, where y has a unit."""
        if self.offset is None or not self.powers.target:
            return self.offset
        return np.ldexp(self.offset, -self.powers.target)


def check_offset(offset: Any, shape: tuple[int, ...]) -> Array | None:
    """Numbers of this shape, finite, that are added to linear predictors."""
    if offset is None:
        return None
    added = numeric(offset, "offset", "row")
    if added.shape != shape:
        raise ValueError(f"offset must have shape {shape}, got {added.shape}")
    if not np.isfinite(added).all():
        row = int(np.flatnonzero(~np.isfinite(added).reshape(len(added), -1).all(axis=1))[0])
        raise ValueError(f"offset contains NaN or infinity in row {row}")
    return added


def check_data(estimator: Any, X: Any, y: Any) -> tuple[Any, Array, float | None]:
    """X and y as the engine reads them, finite both, and the columns of X noted.

    The mean square of X comes with them, where it and that of y are ordinary.
    """
    table, size = finite_floats(X)
    target, target_size = finite_floats(y, np.float64, ndims=(1, 2))
    told = size is not None and target_size is not None and isinstance(target, np.ndarray)
    if told and len(target) == table.shape[0]:
        note_columns(estimator, X)
        table = as_columns(table) if sparse.issparse(table) else table
    else:
        if getattr(y, "ndim", 0) > 2:
            raise ValueError(f"y must have one or two dimensions, got shape {y.shape}")
        X, y = check_table(estimator, X, y, numeric_y=True, accept_sparse=FORMATS, dtype=DTYPES)
        table, size = checked_floats(X)
        target, target_size = finite_floats(np.asarray(y, dtype=np.float64), ndims=(1, 2))
        if target_size is None:
            refuse_overflow("y", target)
    return table, target, size if are_ordinary(size, target_size) else None


def checked_floats(X: Any) -> tuple[Any, float | None]:
    """A checked X as the engine reads it, and its mean square; None if that is no finite number."""
    table, size = finite_floats(as_columns(X) if sparse.issparse(X) else X)
    if size is None:
        refuse_overflow("X", table)
    return table, size


def take_gram(bound: BoundProblem, precompute: Any) -> None:
    """Hand the user's Gram matrix, that of the centred, weighted X, to the design.

    Where X is not centred but an intercept is fitted, the matrix cannot be the right one and is
    left aside with a warning, as in scikit-learn.
    """
    if precompute is None or isinstance(precompute, (str, bool, np.bool_)):
        return
    design, gram = bound.design, numeric(bound.powers.gram(precompute), "precompute")
    p = design.n_features
    if gram.shape != (p, p):
        raise ValueError(f"precompute must have shape ({p}, {p}), got {gram.shape}")
    refuse_booleans(precompute, "precompute")
    if not np.isfinite(gram).all():
        raise ValueError("precompute contains NaN or infinity")
    if design.mean is not None and not np.allclose(design.mean, 0.0):
        warn(
            "Gram matrix was provided but X was centered to fit intercept: recomputing Gram"
            " matrix. Pass the Gram matrix of the centered X together with that X."
        )
        return
    gram = gram / design.n_samples
    pair = np.unique([p // 2, min(1, p - 1)])
    expected = design.with_scale(None).gram_columns(pair)[pair]
    given = gram[np.ix_(pair, pair)]
    narrow = np.float32 in (design.dtype, np.asarray(precompute).dtype)
    rtol = 1e-4 if narrow else 1e-7
    if not np.allclose(given, expected, rtol=rtol, atol=rtol * np.sqrt(np.abs(expected).max())):
        raise ValueError(
            "Gram matrix passed in via 'precompute' parameter did not pass validation when a few"
            f" elements were checked: expected {expected[0, 0] * design.n_samples:g} but got"
            f" {given[0, 0] * design.n_samples:g} for element {(int(pair[0]),) * 2}. It must be"
            " that of the centered X whose rows are multiplied by the square roots of the"
            " weights, which sum to n_samples."
        )
    if design.inv_scale is not None:
        gram = gram * design.inv_scale * design.inv_scale[:, None]
    design.use_gram(gram)


def as_columns(X: Any) -> Any:
    """A sparse X as CSC with each entry stored once; the user's own is not written to."""
    columns = X.tocsc()
    if not columns.has_canonical_format:
        columns = columns.copy()
        columns.sum_duplicates()
    return columns


def refuse_overflow(name: str, values: Any) -> None:
    """Refuse values whose squares are no finite numbers."""
    values = values.data if is_sparse(values) else values
    largest = max(float(values.max(initial=0.0)), -float(values.min(initial=0.0)))
    if largest > LARGEST:
        raise ValueError(f"{name} has values up to {largest:.2g}, whose squares overflow: scale it")
