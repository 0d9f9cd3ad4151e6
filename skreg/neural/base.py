"""What the networks share: the way from parameters and data to a trained network."""

from __future__ import annotations

import copy
import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import _fit_context, is_regressor
from sklearn.utils import _safe_indexing, check_random_state
from sklearn.utils.validation import check_is_fitted

from ..estimators.parameters import CheckedParameters
from ..estimators.ready import rows_to_predict
from ..estimators.runtime import restored_on_failure
from ..estimators.validation import PAIR, check_table, check_weights
from ..objective.losses import Loss
from ..rows.source import Part, RowSource, parts_of_rows
from .block_reader import CheckedBlocks
from .block_rows import BlockRows, Tally
from .callbacks import CallbackSupportMixin
from .checks import check_plan, check_same_network, dropout_rates, resolve_batch_size
from .engine.batches import Data, Targets
from .engine.image_augmentation import ImageAugmentation
from .engine.images import ConvStage, ConvStages
from .engine.layers import Matrix
from .engine.network import Network
from .engine.plan import Plan
from .engine.weights import Parameters, initial_parameters, weight_shapes
from .evaluation import Validation, warn_of_other_units
from .labels import factors_of_rows
from .parameters import NetworkParameters
from .row_sample import RowSample
from .rows import (
    LARGEST_ORDERED,
    Rows,
    hold_out,
    of_order_one,
    ordered_by_value,
    rows_that_count,
    written_out,
)
from .running import FITTED, parameters_of, publish, train

# Most rows that are predicted in a way that gives a row the same digits whatever its place. On some
# processors one product of all rows does not; of many rows it takes half the time.
MOST_ALIKE = 1000


def can_go_on(estimator: Any) -> bool:
    """Whether there is a `partial_fit`, which L-BFGS has no use for."""
    if estimator.solver == "lbfgs":
        raise AttributeError(
            "partial_fit is only available for stochastic optimizers. lbfgs is not stochastic: it"
            " has no use for single batches."
        )
    return True


class BaseMLP(NetworkParameters, CallbackSupportMixin, CheckedParameters):
    """Base of the networks."""

    coefs_: list[NDArray[Any]]
    intercepts_: list[NDArray[Any]]
    _split_seed: int

    # What a subclass says about its targets.

    @abstractmethod
    def _encode(self, y: Any, first: bool, classes: Any = None, complete: bool = False) -> Targets:
        """Targets of y; sets the attributes that describe y where `first`.

        `classes` are those to come, where a classifier cannot see all of them; with `complete`
        none of those known may be missing.
        """

    @abstractmethod
    def _loss(self) -> Loss:
        """The loss, once the targets are known."""

    @abstractmethod
    def _default_score(self, raw: Matrix, data: Data) -> float:
        """Score of validation data where `scoring` is None."""

    def _class_factors(self, rows: Rows, targets: Targets, incremental: bool) -> Any:
        """The weights of the classes, as `factors_of_rows` takes them, or None."""
        return None

    def _codes(self, targets: Targets) -> Any:
        """Class of each row, where a split is stratified."""
        return None

    # What a subclass may say about its rows.

    #: The convolutions before the dense layers, of a fitted network that has some.
    _images: ConvStages | None = None
    _accepted: Any = "csr"

    def _convolutions(self, plan: Plan) -> ConvStages | None:
        """The convolutions that the parameters ask for, once the shape of X is known."""
        return None

    def _augmentation(self) -> ImageAugmentation | None:
        """Changes of the images of a batch."""
        return None

    def _stored_as(self, X: Any, dtype: Any) -> Any:
        """The type in which X is kept, where the network works in `dtype`."""
        return dtype

    def _parts(self, X: Any, y: Any, sample_weight: Any) -> Sequence[Part] | None:
        """The parts of rows that are read in blocks; None where they are in memory."""
        return parts_of_rows(X, y, sample_weight)

    # Prediction

    def _network(self, n_rows: int = 0, sampling: bool = False) -> Network:
        """The fitted network, to predict so many rows; dropout is a part of it for samples."""
        dropout, in_input = [0.0] * (len(self.coefs_) - 1), 0.0
        if sampling:
            self._validate_params()  # they may have been set since the fit
            dropout = dropout_rates(self.dropout, len(dropout))
            in_input = self.input_dropout
        return Network(
            self._parameters(n_rows),
            self.activation,
            dropout,
            in_input,
            images=self._images,
            rows_alike=self._images is None and n_rows <= MOST_ALIKE,
        )

    def _parameters(self, n_rows: int) -> Parameters:
        """What the network has learned, in the precision for so many rows."""
        return parameters_of(self)

    def _check_X(self, X: Any) -> Any:
        if not hasattr(self, "coefs_"):
            check_is_fitted(self)
        dtype = self._stored_as(X, self.coefs_[0].dtype)
        table = rows_to_predict(self, X, dtype, accept_sparse=self._accepted, order="C")
        return np.ascontiguousarray(table) if isinstance(table, np.ndarray) else table.tocsr()

    def _raw_of(self, X: Any, rng: np.random.Generator | None = None) -> Matrix:
        """Raw predictions of X, in its type of numbers."""
        raw = self._raw(self._check_X(X), rng)
        dtypes = getattr(X, "dtypes", None)  # of a data frame, one a column
        dtypes = [getattr(X, "dtype", None)] if dtypes is None else dtypes
        narrow = all(str(dtype).lower() in ("float16", "float32") for dtype in set(dtypes))
        return raw if narrow else raw.astype(np.float64, copy=False)

    def _raw(self, X: Any, rng: np.random.Generator | None = None) -> Matrix:
        """Raw predictions of checked rows."""
        with np.errstate(over="ignore", invalid="ignore"):
            return self._network(X.shape[0], sampling=rng is not None).raw(X, rng=rng)

    def hidden_activations(self, X: Any) -> list[NDArray[Any]]:
        """What each hidden layer gives for X, without dropout.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        list of ndarray of shape (n_samples, n_hidden)
            One a hidden layer, after normalisation and activation.
        """
        X = self._check_X(X)
        return self._network(X.shape[0]).hidden(X)

    def predict_samples(
        self, X: Any, n_samples: int = 100, random_state: Any = None
    ) -> NDArray[Any]:
        """Draws of the prediction with dropout left on (Gal and Ghahramani, ICML 2016).

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features)
        n_samples : int, default=100
            Number of draws, each with masks of its own.
        random_state : int, RandomState instance or None, default=None

        Returns
        -------
        ndarray of shape (n_samples, n_rows), or (n_samples, n_rows, n_outputs)
            Of a regressor what `predict` gives, of a classifier what `predict_proba` gives.

        Raises
        ------
        ValueError
            If the model has no dropout: all draws would be the same.
        """
        check_is_fitted(self)
        if not self._network(sampling=True).noisy:
            raise ValueError("predict_samples needs dropout or input_dropout above 0")
        if n_samples < 1:
            raise ValueError(f"n_samples must be at least 1, got {n_samples}")
        seed = check_random_state(random_state).randint(np.iinfo(np.int32).max)
        rng = np.random.Generator(np.random.SFC64(seed))
        return np.stack([self._shaped(self._raw_of(X, rng)) for _ in range(n_samples)])

    @abstractmethod
    def _shaped(self, raw: Matrix) -> Matrix:
        """What a draw is made of, from raw predictions."""

    @property
    def sparsity_(self) -> NDArray[np.float64]:
        """Share of weights that are exactly zero, one number a weight matrix."""
        check_is_fitted(self)
        return np.array([float(np.mean(coef == 0)) for coef in self.coefs_])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = bool(self._accepted)
        return tags

    # Training

    @restored_on_failure
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        X_val: Any = None,
        y_val: Any = None,
    ) -> Self:
        """Fit the network.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowBlocks
            A sparse X is never made dense as a whole: batch by batch, or not at all where less
            than 5% of its entries are not zero. `RowBlocks`, Dask's collections and large memory
            maps (512 MB) are read block by block, see Notes.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Classes or numbers; of several labels a matrix of 0 and 1. Not with `RowBlocks`, which
            have it.
        sample_weight : array-like of shape (n_samples,) or None, default=None
        X_val, y_val : like X and y, or None, default=None
            Validation data, in place of those that early stopping would hold out. They have no
            `sample_weight`; class weights count for them as for the rows of X. A Pipeline gives
            X_val the steps of X if ``transform_input=["X_val"]``, with metadata routing.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the input or a parameter is invalid, training diverges, or early stopping meets a
            score that is not finite; nothing of the fit is then kept. A network that a warm start
            went on from is as it was, but its optimiser's moments begin anew.

        Notes
        -----
        Rows in blocks are read in a first pass, which finds the classes, and then once an epoch
        (once an evaluation of the objective by "lbfgs"). Two blocks are in memory at a time, beside
        a sample of rows and those held out. With `shuffle` rows are shuffled inside their block and
        half of each block is mixed with half of the next one. Blocks come in another order in each
        epoch where they can be read so: those of a list, row groups of Parquet files, partitions of
        Dask, stretches of a map. From a callable or a dataset of Arrow they come in their own, so
        rows that are sorted are to be shuffled there. Batches cross the borders of blocks, and
        without `shuffle` the answer is that of the rows in memory.

        Early stopping then draws each row with the probability `validation_fraction`, alike however
        rows are split into blocks, not by class, and at most 2^24 entries of X.
        """
        return self._fit(X, y, sample_weight, X_val=X_val, y_val=y_val)

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        incremental: bool = False,
        classes: Any = None,
        X_val: Any = None,
        y_val: Any = None,
    ) -> Self:
        plan = check_plan(self, incremental)
        if (X_val is None) != (y_val is None):
            given, missing = ("y_val", "X_val") if X_val is None else ("X_val", "y_val")
            raise ValueError(f"{given} is given without {missing}: give both, or neither")
        going_on = hasattr(self, "coefs_") and (self.warm_start or incremental)
        if isinstance(X, RowSource) and incremental:
            raise TypeError("partial_fit takes the rows of one block: give all blocks to fit")
        parts = None if incremental else self._parts(X, y, sample_weight)
        if parts is not None:
            return self._fit_blocks(X, parts, plan, going_on, X_val, y_val)
        X_given, y_given = X, y
        X, y = self._check_Xy(X, y, plan, reset=not going_on)
        targets = self._encode(y, not going_on, classes, complete=not incremental)
        weight = check_weights(sample_weight, X)
        weight = weight if weight is None else of_order_one(weight)
        rows = rows_that_count(Rows(np.arange(X.shape[0]), weight))
        factors = self._class_factors(rows, targets, incremental)
        if factors is not None:
            rows.factor = factors_of_rows(factors, targets.of(rows.index))
            rows = rows_that_count(rows)
        images, augmentation = self._convolutions(plan), self._augmentation()
        if augmentation is not None:
            plan = replace(plan, augmentation=augmentation, noisy=True)
        n_in = X.shape[1] if images is None else math.prod(images.pooled)
        units = [n_in, *plan.hidden, targets.n_outputs]
        stages = [] if images is None else images.stages
        if not going_on:
            self._start(units, stages, plan)
        elif not hasattr(self, "_generator"):  # weights set by hand
            self._seed(check_random_state(self.random_state))
        check_same_network(self, weight_shapes(units, stages), stages)
        self._images = images
        held, out = None, None
        if not incremental:
            # Number of rows up to which a batch is the whole of a small training set.
            largest = LARGEST_ORDERED
            if self.solver != "lbfgs":
                largest = resolve_batch_size(self.batch_size, largest, clip=True)
            starts = None
            if len(rows.index) <= largest:
                rows, starts = ordered_by_value(rows, X, targets)
            if self.early_stopping and X_val is None:
                share, codes = self.validation_fraction, self._codes(targets)
                rows, out = hold_out(rows, starts, share, codes, self._split_seed)
                out = written_out(out, largest)
            rows = written_out(rows, largest)
        if X_val is not None:
            held = self._validation_of(X_val, y_val, X, y, plan, factors)
        elif out is not None:
            held = self._validation_rows(X_given, X, y, targets, out)
        data = Data.build(X, targets, rows.total, rows.index)
        self.n_layers_, self.n_outputs_ = len(self.coefs_) + 1, units[-1]
        train(self, plan, data, held, (X_given, y_given, sample_weight), incremental)
        return self

    def _fit_blocks(
        self,
        source: Any,
        parts: Sequence[Part],
        plan: Plan,
        going_on: bool,
        X_val: Any,
        y_val: Any,
    ) -> Self:
        if getattr(source, "serves_one_pass", False):
            raise ValueError(
                "the blocks come from an iterator, which serves one pass, and a network needs one"
                " to look at the rows and one an epoch: give a list, or a callable that returns a"
                " new iterator"
            )
        regression, fraction = is_regressor(self), 0.0
        if self.early_stopping and X_val is None:
            fraction = self.validation_fraction
        if going_on and hasattr(self, "_split_seed"):
            seed = self._split_seed
        else:  # what follows draws from the generator as it does for rows in memory
            random = copy.deepcopy(check_random_state(self.random_state))
            seed = int(random.randint(np.iinfo(np.int32).max))
        reader = CheckedBlocks(self, parts, plan.dtype, going_on)
        reader.encode = partial(self._encode, first=False) if regression else None
        rows = BlockRows(reader, not regression, fraction, seed)
        reader.note_columns(self)
        X, y, _ = rows.sample.rows
        classes = rows.tally.names
        # More than one of each, as scikit-learn takes many classes with a row each for numbers.
        every = y if classes is None else np.repeat(classes, 3)
        targets = self._encode(every, not going_on, complete=True)
        reader.encode = self._encode_block
        factors = self._class_factors_of(rows.tally, targets)
        sample, _ = self._data_of(rows.sample, factors)
        data = rows.data(factors, sample)
        units = [X.shape[1], *plan.hidden, targets.n_outputs]
        if not going_on:
            self._start(units, [], plan)
        elif not hasattr(self, "_generator"):  # weights set by hand
            self._seed(check_random_state(self.random_state))
        self._split_seed = seed
        check_same_network(self, weight_shapes(units), [])
        held = None
        if X_val is not None:
            held = self._validation_of(X_val, y_val, X, y, plan, factors)
        elif fraction:
            held_data, y_held = self._data_of(rows.held, factors)
            weight = held_data.weight
            held = Validation(held_data, held_data.X, y_held, weight, weight is not None)
        self.n_layers_, self.n_outputs_ = len(units), units[-1]
        if fraction:  # a scorer gets rows without names, of which a prediction would warn
            self.__dict__.pop("feature_names_in_", None)
        train(self, plan, data, held, (source, None, None), incremental=False)
        reader.note_columns(self)
        return self

    def _data_of(self, rows: RowSample, factors: Any) -> tuple[Data, NDArray[Any]]:
        """Rows that were kept of blocks, but for those that count nothing, and their y."""
        X, y, weight = rows.rows
        targets = self._encode_block(y)
        if factors is not None:
            weight = weight * factors_of_rows(factors, targets)
        if not weight.any():
            raise ValueError("class_weight and sample_weight leave no row with a weight above zero")
        index = np.flatnonzero(weight)
        return Data.build(X, targets, weight[index], index), y[index]

    def _encode_block(self, y: Any) -> Targets:
        """Targets of some rows, when `_encode` has seen all classes."""
        return self._encode(y, first=False)

    def _class_factors_of(self, tally: Tally, targets: Targets) -> Any:
        """The weights of the classes, from what all rows count."""
        return None

    def _check_Xy(
        self, X: Any, y: Any, plan: Plan, reset: bool, names: tuple[str, str] = PAIR
    ) -> tuple[Any, Any]:
        with np.errstate(over="ignore", invalid="ignore"):
            return check_table(
                self,
                X,
                y,
                numeric_y=is_regressor(self),
                names=names,
                accept_sparse=self._accepted,
                dtype=self._stored_as(X, plan.dtype),
                order="C",
                reset=reset,
            )

    def _start(self, units: list[int], stages: list[ConvStage], plan: Plan) -> None:
        """Begin anew: random weights, and no trace of an earlier fit."""
        for name in FITTED:
            self.__dict__.pop(name, None)
        random = check_random_state(self.random_state)
        start = initial_parameters(
            units, self.activation, self.normalization, random, plan.dtype, stages
        )
        publish(self, start)
        self._seed(random)
        self.t_ = 0

    def _seed(self, random: Any) -> None:
        largest = np.iinfo(np.int32).max
        self._generator = np.random.Generator(np.random.SFC64(random.randint(largest)))
        self._split_seed = int(random.randint(largest))

    def _validation_of(
        self, X_val: Any, y_val: Any, X_train: Any, y_train: Any, plan: Plan, factors: Any
    ) -> Validation:
        """The user's own validation data."""
        pair = ("X_val", "y_val")
        try:
            X, y = self._check_Xy(X_val, y_val, plan, reset=False, names=pair)
        except ValueError as error:  # scikit-learn calls them X and y, or by no name
            named = any(name in str(error) for name in pair)
            raise error if named else ValueError(f"X_val and y_val: {error}") from None
        n_given, n_needed = (1 if each.ndim == 1 else each.shape[1] for each in (y, y_train))
        if n_given != n_needed:
            columns = "1 column" if n_given == 1 else f"{n_given} columns"
            raise ValueError(f"y_val has {columns} where y has {n_needed}")
        try:
            targets = self._encode(y, first=False)
        except ValueError as error:
            raise ValueError(f"y_val: {error}") from None
        weight = None if factors is None else factors_of_rows(factors, targets)
        if weight is not None and not weight.any():
            raise ValueError("class_weight leaves no row of y_val with a weight above zero")
        names = getattr(self, "feature_names_in_", None)
        numbers = (y, y_train) if is_regressor(self) else None
        warn_of_other_units((X, X_train), names, numbers)
        data = Data.build(X, targets, weight)
        return Validation(data, X_val, y_val, None if data.weight is None else weight)

    def _validation_rows(
        self, X_given: Any, X: Any, y: Any, targets: Targets, rows: Rows
    ) -> Validation:
        """Rows held out of the training data; a scorer sees X with the names it was given with."""
        data = Data.build(X, targets, rows.total, rows.index)
        named = _safe_indexing(X_given, rows.index) if hasattr(self, "feature_names_in_") else None
        weight = None if data.weight is None else rows.total  # equal ones are none
        needed = weight is not None and rows.weight is not None
        X = data.X if named is None else named
        return Validation(data, X, y[rows.index], weight, needed)
