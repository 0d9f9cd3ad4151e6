"""What a model of classes is given, checked: the data, the classes and their weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils.multiclass import check_classification_targets

from ..data.powers_of_two import are_ordinary, powers_of_two
from ..data.products import Array
from ..estimators.labels import balanced_weights, weights_by_class
from ..estimators.ready import DTYPES, finite_floats, note_columns
from ..estimators.validation import check_table, check_weights, columns_of, one_column
from .training_data import (
    FORMATS,
    NO_UNIT,
    TrainingData,
    as_columns,
    check_offset,
    checked_floats,
)

# Labels of these kinds are ready, if they are finite.
READY_KINDS = "iubUf"
# Whole numbers in a range as short as this, or as there are rows, are classes that are counted and
# not sorted: of 100000 rows in a fifth of the time.
SHORT_RANGE = 1 << 10


@dataclass(frozen=True, eq=False, kw_only=True)
class ClassData(TrainingData):
    """Checked data with classes as a target.

    `y` is 0 and 1 for two classes, one column of these a class for more; `sample_weight` has the
    weights of the classes in it.
    """

    classes: NDArray[Any]
    codes: NDArray[np.intp]
    own_weight: Array | None
    class_weight: Any

    @classmethod
    def check_classes(
        cls, estimator: Any, X: Any, y: Any, sample_weight: Any, offset: Any = None
    ) -> Self:
        """Check an estimator's parameters and its data, and note on it how columns are called.

        X becomes float32 or float64, dense in any order or CSC.
        """
        estimator._validate_params()
        table, labels, mean_square = check_labelled(estimator, X, y)
        classes, codes = sorted_classes(labels)
        if not are_discrete(classes) or 2 * len(classes) > len(labels):
            check_classification_targets(labels)  # which takes as long as a small fit
        if len(classes) < 2:
            raise ValueError(
                "This solver needs samples of at least 2 classes in the data, but the data"
                f" contains only one class: {classes.tolist()[0]!r}"
            )
        n_rows, binary = len(codes), len(classes) == 2
        own = check_weights(sample_weight, table)
        added = check_offset(offset, (n_rows,) if binary else (n_rows, len(classes)))
        weight, class_weight = own, estimator.class_weight
        if class_weight is not None:
            ones = np.ones(n_rows) if own is None else own
            weight = ones * class_factors_of_rows(class_weight, classes, codes, ones)
            if not weight.any():
                raise ValueError(
                    "class_weight and sample_weight leave no row with a weight above zero"
                )
        return cls(
            X=table,
            y=codes.astype(np.float64) if binary else np.eye(len(classes))[codes],
            sample_weight=weight,
            columns=columns_of(X, table.shape[1]),
            powers=powers_of_two(table, NO_UNIT, weight, mean_square),
            shape=(1,) if binary else (len(classes),),
            offset=added,
            classes=classes,
            codes=codes,
            own_weight=own,
            class_weight=class_weight,
        )

    @property
    def total_weight(self) -> float:
        """The sum of the weights, which turns 1 / C into an alpha of the mean loss."""
        return float(len(self.codes) if self.sample_weight is None else self.sample_weight.sum())

    @property
    def labels(self) -> NDArray[Any]:
        """What a splitter and a scorer are given as y."""
        return self.classes[self.codes]

    @property
    def given_weight(self) -> Array | None:
        """Weights of the rows as the user gives them, which a scorer is told."""
        return self.own_weight

    @property
    def row_weight(self) -> Array | None:
        """Weights of the rows by themselves, which scores are weighted by, in units of order one.

        None where they are `sample_weight`.
        """
        if self.class_weight is None:
            return None
        own = np.ones(len(self.codes)) if self.own_weight is None else self.own_weight
        return np.ldexp(own, -self.powers.weight)

    @property
    def reweighted(self) -> Callable[[Array], Array] | None:
        """What rows of such weights count in a fit on them alone; None where it is the same."""
        return None if self.class_weight is None else self._with_classes

    def _with_classes(self, weight: Array) -> Array:
        return weight * class_factors_of_rows(self.class_weight, self.classes, self.codes, weight)


def are_discrete(classes: NDArray[Any]) -> bool:
    """Whether these are certainly classes, and no amounts."""
    kind = classes.dtype.kind
    return kind in "iubU" or (kind == "f" and bool(np.all(np.floor(classes) == classes)))


def sorted_classes(labels: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """The classes, sorted, and the place of each label among them."""
    if labels.dtype.kind in "iubf" and len(labels):
        low, high = labels.min(), labels.max()
        if float(high) - float(low) < max(SHORT_RANGE, len(labels)):
            narrow = labels.dtype.itemsize < 4  # in which differences overflow
            codes = labels.astype(np.intp) - int(low) if narrow else (labels - low).astype(np.intp)
            counts = np.bincount(codes)
            found = counts.nonzero()[0]
            classes = found.astype(labels.dtype) + low
            codes = codes if len(found) == len(counts) else np.cumsum(counts > 0)[codes] - 1
            if labels.dtype.kind != "f" or (classes[codes] == labels).all():
                return classes, codes
    try:
        classes, codes = np.unique(labels, return_inverse=True)
    except TypeError as error:
        kinds = ", ".join(sorted({type(label).__name__ for label in labels}))
        raise TypeError(f"the classes in y cannot be sorted, being of types {kinds}") from error
    return classes, codes


def class_factors_of_rows(
    class_weight: Any, classes: NDArray[Any], codes: NDArray[np.intp], weight: Array
) -> Array:
    """The weight of each row's class; the rows that count decide what is balanced."""
    if isinstance(class_weight, str):
        factors = balanced_weights(codes, weight, len(classes))
    else:
        factors = weights_by_class(class_weight, classes)
    return factors[codes]


def check_labelled(estimator: Any, X: Any, y: Any) -> tuple[Any, NDArray[Any], float | None]:
    """X as the engine reads it, labels as one column, and the mean square of X where it is known.

    The columns of X are noted.
    """
    table, mean_square = finite_floats(X)
    ready = type(y) is np.ndarray and y.ndim == 1 and y.dtype.kind in READY_KINDS
    ready = ready and (y.dtype.kind != "f" or bool(np.isfinite(y).all()))
    if mean_square is not None and ready and len(y) == table.shape[0]:
        note_columns(estimator, X)
        table = as_columns(table) if sparse.issparse(table) else table
        return table, y, mean_square if are_ordinary(mean_square, 1.0) else None
    X, y = check_table(estimator, X, y, numeric_y=False, accept_sparse=FORMATS, dtype=DTYPES)
    return checked_floats(X)[0], one_column(y), None
