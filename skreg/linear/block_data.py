"""Rows that come in blocks in the place of checked data, for losses without sufficient sums.

`fit` and the paths bind a problem to it as to `TrainingData`; what they then solve reads the rows
once for each of Newton's steps (`solvers/newton/by_passes.py`). This is the one place where such
rows are handed over.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier
from sklearn.model_selection import check_cv

from ..caching import cached_property
from ..data.from_moments import MomentsDesign
from ..data.powers_of_two import ORDINARY, PowersOfTwo, powers_of_sizes
from ..data.products import Array
from ..estimators.labels import balanced_weights, weights_by_class
from ..objective.losses import Loss
from ..paths.problem import BoundProblem, Problem
from ..selection.passed_folds import PassedFold
from ..selection.result import CRITERIA
from ..solvers.base import Target
from ..solvers.newton.group_sums import GroupSums, PassQuery
from ..solvers.newton.training_sums import RowPasses, TrainingSums
from .block_reader import BlockReader
from .moments import Moments
from .room import NoRoomError, n_hessians
from .row_blocks import MappedRows, RowBlocks, folds_of_cv
from .streaming import in_blocks
from .survey import Survey, Surveyor
from .training_data import NO_UNIT

# What a fit to blocks has nothing of.
IN_MEMORY_ALONE = ("relax", "adaptive", "concave")
# The points of a pass take so much memory.
BYTES_OF_POINTS = 1 << 28

T = TypeVar("T")


def blocks_given(
    estimator: Any, X: Any, y: Any, sample_weight: Any, offset: Any
) -> RowBlocks | None:
    """What `fit` is given where it is rows in blocks, or None.

    A large memory map is read in blocks where the model takes what blocks have.
    """
    if type(X) is np.ndarray:  # most are, and to ask the rest takes a while
        return None
    plain = estimator._takes_blocks and offset is None
    plain &= getattr(estimator, "scoring", None) is None
    plain &= all(getattr(estimator, name, None) in (None, False) for name in IN_MEMORY_ALONE)
    cv = getattr(estimator, "cv", None)
    plain &= cv is None or isinstance(cv, numbers.Integral)
    rows = in_blocks(X, y, sample_weight, plain)
    if rows is not None and offset is not None:
        raise ValueError("rows that come in blocks have no offset: fit rows in memory")
    held_out = hasattr(estimator, "cv") and estimator.rule not in CRITERIA
    if isinstance(rows, MappedRows) and is_classifier(estimator) and held_out:
        labels = np.asarray(y)
        splitter = check_cv(cv, labels, classifier=True)
        rows.hold_out(splitter.split(np.zeros(len(labels)), labels))
    return rows


def from_blocks(
    estimator: Any,
    X: Any,
    y: Any,
    sample_weight: Any,
    offset: Any,
    check: Callable[[RowBlocks], T],
) -> T | None:
    """What `check` makes of the rows in blocks that `fit` is given, or None; see `blocks_given`.

    A memory map of which the sums have no room is given whole.
    """
    rows = blocks_given(estimator, X, y, sample_weight, offset)
    if rows is None:
        return None
    try:
        return check(rows)
    except NoRoomError:
        if isinstance(rows, MappedRows):
            return None
        raise


def folds_to_deal(estimator: Any) -> int | None:
    """What `RowBlocks.in_one_pass` is told: 1 where there is no cross-validation."""
    if not hasattr(estimator, "cv") or estimator.rule in CRITERIA:
        return 1
    if estimator.scoring is not None:
        raise ValueError("rows that come in blocks have no scorer: leave scoring at None")
    return folds_of_cv(estimator.cv)


@dataclass(frozen=True, eq=False)
class BlockData:
    """Rows in blocks, and what the first pass found; see `TrainingData`.

    Attributes
    ----------
    rows : RowBlocks
    survey : Survey
    n_folds : int or None
        What `RowBlocks.in_one_pass` is told.
    columns : sequence
        What the features are called.
    loss : Loss
    signed : bool
        Whether each class is told apart from the rest, with a target of -1 and 1.
    class_weight : dict, "balanced" or None
    """

    rows: RowBlocks
    survey: Survey
    n_folds: int | None
    columns: Sequence[Any]
    loss: Loss
    signed: bool = False
    class_weight: Any = None
    X: None = None
    sample_weight: None = None
    given_weight: None = None
    labels: None = None
    offset: None = None

    @classmethod
    def check(
        cls,
        estimator: Any,
        rows: RowBlocks,
        loss: Loss | None,
        class_weight: Any = None,
        signed: bool = False,
    ) -> BlockData:
        """Check an estimator's parameters and its rows, in one pass.

        `loss` is None for classes, and then set by `of_loss`.
        """
        estimator._validate_params()
        n_folds = folds_to_deal(estimator)
        name = type(estimator).__name__
        for parameter in IN_MEMORY_ALONE:
            if getattr(estimator, parameter, None) not in (None, False):
                raise ValueError(
                    f"{name} takes no {parameter} with rows that come in blocks: leave it out, or"
                    " fit rows in memory"
                )
        if rows.serves_one_pass:
            raise ValueError(
                f"{name} reads the rows once for each of Newton's steps, and an iterator serves one"
                " pass: make RowBlocks of a callable that returns a new iterator"
            )
        surveyor = Surveyor(loss, class_weight is not None)
        survey = rows.in_one_pass(surveyor, n_folds)
        if not survey.by_group:
            raise ValueError("the blocks have no rows with a weight above zero")
        first = next(iter(survey.by_group.values()))
        names, p = first.feature_names, first.n_features
        estimator.n_features_in_ = p
        vars(estimator).pop("feature_names_in_", None)
        if names is not None:
            estimator.feature_names_in_ = names
        columns = range(p) if names is None else names.tolist()
        # Of classes the loss is None here, and set by `of_loss` before anything reads it.
        found = cls(rows, survey, n_folds, columns, loss, signed, class_weight)  # type: ignore[arg-type]
        if loss is None:
            found._check_classes()
        n_hessians(*found._size_of_hessians)
        return found

    def _check_classes(self) -> None:
        classes = self.classes
        if len(classes) < 2:
            raise ValueError(
                "This solver needs samples of at least 2 classes in the data, but the data"
                f" contains only one class: {classes.tolist()[0]!r}"
            )
        for name, weight in zip(classes.tolist(), self._weights.sum(axis=0), strict=True):
            if not weight > 0:
                raise ValueError(f"the class {name!r} has no row with a weight above zero")

    def of_loss(self, loss: Loss) -> BlockData:
        """The same with the loss of the classes."""
        return replace(self, loss=loss)

    # What it is of ------------------------------------------------------------------------

    @property
    def classes(self) -> NDArray[Any]:
        """The classes, sorted."""
        assert self.survey.classes is not None
        return self.survey.classes

    @cached_property
    def folds(self) -> list[Any]:
        """The labels of the folds, sorted."""
        return sorted({key[0] for key in self.survey.by_group})

    @cached_property
    def _weights(self) -> Array:
        """Weights of the classes in each fold, (n_folds, n_classes)."""
        known = self.survey.weights
        return np.array(
            [
                [known.get((fold, name), 0.0) for name in self.classes.tolist()]
                for fold in self.folds
            ]
        )

    @cached_property
    def _groups(self) -> list[tuple[Any, ...]]:
        """The groups of the passes, in their order."""
        if self.class_weight is None:
            return [(fold,) for fold in self.folds]
        return [(fold, name) for fold in self.folds for name in self.classes.tolist()]

    @property
    def _n_kinds(self) -> int:
        """Groups in each fold."""
        return 1 if self.class_weight is None else len(self.classes)

    @cached_property
    def _weights_of_groups(self) -> Array:
        known = self.survey.by_group
        return np.array([known[key].weight if key in known else 0.0 for key in self._groups])

    @property
    def n_features(self) -> int:
        """Number of features."""
        return len(self.columns)

    @property
    def n_targets(self) -> int:
        """Columns of y."""
        if not self.survey.weights or len(self.classes) == 2:
            return 1
        return len(self.classes)

    @property
    def one_target(self) -> bool:
        """Whether there is one."""
        return self.n_targets == 1

    @property
    def shape(self) -> tuple[int, ...]:
        """That of the intercept."""
        return (self.n_targets,) if self.survey.weights else ()

    @cached_property
    def total_weight(self) -> float:
        """The sum of the weights, those of the classes in it."""
        return float(self._factors(None) @ self._weights_of_groups)

    @property
    def vanishes(self) -> bool:
        """Whether y is zero in every row that counts."""
        whole = self._moments(np.ones(len(self._groups)))
        return not (whole.matrix.mean[-1] or whole.matrix.spread[-1])

    @cached_property
    def powers(self) -> PowersOfTwo:
        """The powers of two that bring the features to order one."""
        whole = self._moments(np.ones(len(self._groups)))
        sizes = np.maximum(np.abs(whole.matrix.mean), np.sqrt(whole.matrix.spread))
        return powers_of_sizes(sizes[: self.n_features], NO_UNIT, 0, whole.dtype)

    # Training sets ------------------------------------------------------------------------

    def _factors(self, fold: int | None, target: int | None = None) -> Array:
        """What the weights of the groups are multiplied by, without a fold or with all.

        `target` is a class that is told apart from the rest, which have no weight of a class.
        """
        inside = np.ones(len(self.folds))
        if fold is not None:
            inside[fold] = 0.0
        if self.class_weight is None:
            return inside
        n_classes = len(self.classes)
        if isinstance(self.class_weight, str):
            each = balanced_weights(np.arange(n_classes), inside @ self._weights, n_classes)
        else:
            each = weights_by_class(self.class_weight, self.classes)
        if target is not None:
            each = np.where(np.arange(n_classes) == target, each, 1.0)
        return np.outer(inside, each).ravel()

    def _moments(self, factors: Array) -> Moments:
        """Those of the groups with weights times factors."""
        known = self.survey.by_group
        found = [
            known[key] if factor == 1.0 else known[key].times(float(factor))
            for key, factor in zip(self._groups, factors, strict=True)
            if factor > 0 and key in known
        ]
        if not found:
            raise ValueError("class_weight and sample_weight leave no row with a weight above zero")
        return sum(found[1:], found[0])

    def bind(
        self, problem: Problem, precompute: Any = None, fold: int | None = None
    ) -> BoundProblem:
        """The problem on these rows, or on those without a fold."""
        if not (self.signed and self.n_targets > 1):
            return self._bound(problem, fold, None)
        parts = tuple(self._bound(problem, fold, k) for k in range(self.n_targets))
        nothing, zeros = np.empty((0, self.n_targets)), np.zeros(self.n_targets)
        target = Target(nothing, nothing, zeros, zeros)
        return replace(parts[0], target=target, one_target=False, parts=parts)

    def _bound(self, problem: Problem, fold: int | None, target: int | None) -> BoundProblem:
        factors, powers = self._factors(fold, target), self.powers
        moments = self._moments(factors)
        matrix, p = powers.scaled_moments(moments.matrix), self.n_features
        center = problem.fit_intercept
        design, *_ = MomentsDesign.of(
            matrix, moments.n_rows, center=center, standardize=problem.standardize
        )
        design.dtype = moments.dtype
        n_outputs = 1 if target is not None else self.n_targets
        nothing, zeros = np.empty((0, n_outputs)), np.zeros(n_outputs)
        of_target = Target(nothing, nothing, zeros, zeros)
        bound = problem.on(design, of_target, None, n_outputs == 1, powers)
        shift, spread = np.zeros(p), matrix.spread[:p]
        if center:
            shift = matrix.mean[:p] - self._reference(True)
        else:
            spread = spread + matrix.mean[:p] ** 2
        share = factors * self._weights_of_groups
        total = float(share.sum())
        means = self._mean_targets(fold, target, matrix.mean[p:])
        sums = TrainingSums(
            passes=self._passes(center),
            share=factors / total,
            intercept=self._null_intercept(means) if center else np.zeros(n_outputs),
            mean_target=means,
            shift=shift,
            spread=spread,
            n_effective=total / (self.survey.least * float(factors[factors > 0].min())),
            target=target or 0,
        )
        return replace(bound, total_weight=total, passes=sums)

    def _mean_targets(self, fold: int | None, target: int | None, mean: Array) -> Array:
        """Means of y, which are shares of classes."""
        if not self.survey.weights:
            return mean
        factors = self._factors(fold, target).reshape(len(self.folds), self._n_kinds)
        shares = (factors * self._weights).sum(axis=0)
        if not (shares > 0).all() and (self.n_targets == 1 or not self.signed):
            name, place = self.classes.tolist()[int(shares.argmin())], ""
            if fold is not None:
                place = f": fold {self.folds[fold]!r} has all of them"
            raise ValueError(f"no row of the class {name!r} is left to train on{place}")
        shares = shares / shares.sum()
        if target is not None:
            return shares[[target]]
        return shares[1:] if len(shares) == 2 else shares

    def _null_intercept(self, means: Array) -> Array:
        """The intercepts that are best alone, which means tell of every loss."""
        loss = self.loss
        if self.signed:
            return 2.0 * means - 1.0
        known = means[None] if loss.couples_targets else means
        found = np.atleast_1d(np.asarray(loss.null_model(known)))
        return found - found.mean() if loss.couples_targets else found

    def held_out(self, problems: Sequence[Problem]) -> list[PassedFold]:
        """The folds, with the problems on the rows of the others."""
        if len(self.folds) < 2:
            raise ValueError(f"a cross-validation needs at least 2 folds, got {len(self.folds)}")
        found = []
        for k in range(len(self.folds)):
            own = np.repeat(np.arange(len(self.folds)) == k, self._n_kinds)
            weight = float(self._weights_of_groups[own].sum())
            bounds = [_of_order_one(self.bind(problem, fold=k)) for problem in problems]
            found.append(PassedFold(bounds, own / weight, weight))
        return found

    # RowPasses -------------------------------------------------------------------------------

    def _reference(self, center: bool) -> Array:
        whole = self._moments(np.ones(len(self._groups))).matrix
        mean = self.powers.scaled_moments(whole).mean[: self.n_features]
        return mean if center else np.zeros_like(mean)

    def _passes(self, center: bool) -> RowPasses:
        """The passes over these rows, which all training sets share."""
        if center not in self._passes_made:
            points = max(8, BYTES_OF_POINTS // (8 * len(self._groups) * self._width))
            self._passes_made[center] = RowPasses(
                partial(self._read, center), self.loss, n_hessians(*self._size_of_hessians), points
            )
        return self._passes_made[center]

    @property
    def _width(self) -> int:
        """How many coefficients a problem has, with intercepts."""
        return (1 if self.signed else self.n_targets) * (self.n_features + 1)

    @property
    def _size_of_hessians(self) -> tuple[int, int, int]:
        """What `n_hessians` is told: there has to be room for one of each problem."""
        return self._width, len(self._groups), self.n_targets if self.signed else 1

    @cached_property
    def _passes_made(self) -> dict[bool, RowPasses]:
        return {}

    def _read(self, center: bool, query: PassQuery) -> GroupSums:
        """One pass."""
        reader = BlockReader(
            query=query,
            loss=self.loss,
            classes=self.survey.classes,
            signed=self.signed,
            folds=np.array(self.folds),
            n_kinds=self._n_kinds,
            powers=self.powers,
            reference=self._reference(center),
        )
        sums = self.rows.in_one_pass(reader, self.n_folds)
        found = int(sums.n_rows.sum())
        if found != self.survey.n_rows:
            raise ValueError(
                f"the blocks have {found} rows in this pass where the first had"
                f" {self.survey.n_rows}: the callable must return the same rows each time"
            )
        return sums


def _of_order_one(bound: BoundProblem) -> BoundProblem:
    """The problem whose results stay in units of order one."""
    parts = tuple(replace(part, powers=ORDINARY) for part in bound.parts)
    return replace(bound, powers=ORDINARY, parts=parts)
