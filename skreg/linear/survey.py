"""The first pass over blocks of rows for a smooth loss: what there is, in each fold and class."""

from __future__ import annotations

import numbers
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.multiclass import check_classification_targets

from ..data.products import Array, is_sparse
from ..estimators.validation import check_weights, numeric, one_column
from ..objective.losses import Loss
from ..rows.blocks import block_of, n_rows_of, naming_block
from .class_data import are_discrete, check_labelled
from .fold_sums import (
    USUAL_FOLDS,
    folds_of_rows,
    joined_groups,
    refuse_half_labelled,
    refuse_other_kinds,
    refuse_two_foldings,
)
from .moments import Moments, taker_of_rows
from .room import refuse_too_large
from .training_data import check_data


class CheckedRows(NamedTuple):
    """A block of rows, checked: X dense or CSR, y, weights, and folds where there are any."""

    X: Any
    y: NDArray[Any]
    weight: Array
    fold: NDArray[Any] | None
    names: NDArray[Any] | None
    labelled: bool


def checked_rows(
    block: Any, k: int, rng: np.random.Generator, n_folds: int | None, loss: Loss | None
) -> CheckedRows | None:
    """The k-th block, checked; None where it has no rows.

    `loss` is that of numbers, None for classes. Rows that bring no fold are dealt to so many, None
    is 5; 1 asks for none.
    """
    X, y, weight, given, names = block_of(block, k)
    n_rows = n_rows_of(X)
    if not n_rows:
        return None
    refuse_two_foldings(given is not None, n_folds)
    with naming_block(k):
        fold, columns = None, taker_of_rows("RowBlocks")()
        if n_folds != 1:
            fold = folds_of_rows(given, rng, n_folds or USUAL_FOLDS, n_rows)
        if loss is None:
            table, target, _ = check_labelled(columns, X, y)
            if not are_discrete(target):
                check_classification_targets(target)
        else:
            table, target, _ = check_data(columns, X, y)
            target = one_column(target) if target.ndim == 2 else target
            loss.check_target(target)
        found = getattr(columns, "feature_names_in_", None)
        if names is not None:
            if len(names) != table.shape[1]:
                raise ValueError(f"there are {len(names)} names for {table.shape[1]} columns")
            found = np.array(names, dtype=object)
        table = table.tocsr() if is_sparse(table) else table
        own = _weights(weight, table)
    return CheckedRows(table, target, own, fold, found, given is not None)


def _weights(given: Any, X: Any) -> Array:
    """Weights of the rows, all of which may be zero."""
    if given is None:
        return np.ones(X.shape[0])
    if not isinstance(given, numbers.Number):
        given = numeric(given, "sample_weight", "row")
        if given.shape == (X.shape[0],) and not given.any():
            return given
    found = check_weights(given, X)
    assert found is not None
    return found


@dataclass(frozen=True, eq=False)
class Survey:
    """What the first pass finds.

    Attributes
    ----------
    by_group : dict from (fold,) or (fold, class) to Moments
        Of X, and of y where that has numbers.
    classes : ndarray or None
        Sorted.
    weights : dict from (fold, class) to float
    least : float
        The smallest weight above zero.
    labelled : bool or None
        Whether folds came with the rows; None where there were no rows.
    n_rows, block : int
    """

    by_group: dict[tuple[Any, ...], Moments] = field(default_factory=dict)
    classes: NDArray[Any] | None = None
    weights: dict[tuple[Any, Any], float] = field(default_factory=dict)
    least: float = np.inf
    labelled: bool | None = None
    n_rows: int = 0
    block: int = 0

    def joined(self, other: Self) -> Self:
        """What is found in the rows of both."""
        if other.labelled is None:
            return self
        if self.labelled is None:
            return other
        with naming_block(other.block):
            refuse_half_labelled(self.labelled, other.labelled)
            folds = [[key[0] for key in each.by_group] for each in (self, other)]
            refuse_other_kinds("folds", *folds)
            classes = self.classes
            if classes is not None and other.classes is not None:
                refuse_other_kinds("classes", classes, other.classes)
                classes = np.unique(np.concatenate([classes, other.classes]))
            groups, weights = joined_groups(self.by_group, other.by_group), dict(self.weights)
            for one, weight in other.weights.items():
                weights[one] = weights.get(one, 0.0) + weight
        return replace(
            other,
            by_group=groups,
            classes=classes,
            weights=weights,
            least=min(self.least, other.least),
            n_rows=self.n_rows + other.n_rows,
        )


@dataclass(frozen=True)
class Surveyor:
    """Adds blocks to a survey.

    Parameters
    ----------
    loss : Loss or None
        Of numbers; None for classes.
    by_class : bool
        Whether the moments are those of each class.
    """

    loss: Loss | None
    by_class: bool

    def __call__(
        self,
        total: Survey | None,
        block: Any,
        k: int,
        rng: np.random.Generator,
        n_folds: int | None,
    ) -> Survey:
        """The survey with the k-th block."""
        own = self._of(block, k, rng, n_folds)
        return own if total is None else total.joined(own)

    def _of(self, block: Any, k: int, rng: np.random.Generator, n_folds: int | None) -> Survey:
        rows = checked_rows(block, k, rng, n_folds, self.loss)
        if rows is None:
            return Survey(block=k)
        counted = rows.weight > 0
        least = float(rows.weight[counted].min(initial=np.inf))
        groups, weights = dict[tuple[Any, ...], Moments](), dict[tuple[Any, Any], float]()
        classes = codes = None
        if self.loss is None:
            classes, codes = np.unique(rows.y, return_inverse=True)
        folds = np.zeros(len(counted), dtype=int) if rows.fold is None else rows.fold
        with naming_block(k):
            n_kinds = len(classes) if self.by_class and classes is not None else 1
            n_folds = len(np.unique(folds))
            refuse_too_large(rows.X.shape[1] + 2, n_folds * n_kinds)
            for fold in np.unique(folds[counted]).tolist():
                inside = counted & (folds == fold)
                if codes is None or classes is None:
                    groups[(fold,)] = _moments(rows, inside, rows.y)
                    continue
                for c, name in enumerate(classes.tolist()):
                    within = inside & (codes == c)
                    if within.any():
                        weights[fold, name] = float(rows.weight[within].sum())
                        if self.by_class:
                            groups[fold, name] = _moments(rows, within, np.zeros(len(counted)))
                if not self.by_class:
                    groups[(fold,)] = _moments(rows, inside, np.zeros(len(counted)))
        return Survey(groups, classes, weights, least, rows.labelled, len(counted), k)


def _moments(rows: CheckedRows, chosen: NDArray[np.bool_], y: Array) -> Moments:
    if chosen.all():
        return Moments._of_checked(rows.X, y, rows.weight, rows.names)
    index = np.flatnonzero(chosen)
    return Moments._of_checked(rows.X[index], y[index], rows.weight[index], rows.names)
