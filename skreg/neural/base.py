"""What the networks share: what a kind of network says of its data, and predictions.

`fitting.py` trains them.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import _fit_context, is_regressor
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ..estimators.parameters import CheckedParameters
from ..estimators.ready import rows_to_predict
from ..estimators.runtime import restored_on_failure
from ..estimators.validation import PAIR, PlaceOf, check_table, place_in_table
from ..objective.losses import Loss
from ..rows.source import Part, parts_of_rows
from .block_rows import Tally
from .callbacks import CallbackSupportMixin
from .engine.batches import Data, Targets
from .engine.image_augmentation import ImageAugmentation
from .engine.images import ConvStages
from .engine.layers import Matrix
from .engine.network import Network
from .engine.plan import Plan
from .engine.weights import Parameters
from .fitting import fit_network
from .parameters import NetworkParameters
from .rows import Rows
from .running import architecture_of, parameters_of

# Most rows that are predicted in a way that gives a row the same digits whatever its place, which
# one product of all rows does not on some processors. Of layers with more weights, or of more
# multiplications in all, it takes up to twice the time.
MOST_ALIKE, WIDEST_ALIKE, MOST_PRODUCTS_ALIKE = 1000, 1 << 16, 1 << 22


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

    def _encode_block(self, y: Any) -> Targets:
        """Targets of some rows, when `_encode` has seen all classes."""
        return self._encode(y, first=False)

    def _class_factors_of(self, tally: Tally, targets: Targets) -> Any:
        """The weights of the classes, from what all rows count."""
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

    def _check_Xy(
        self,
        X: Any,
        y: Any,
        plan: Plan,
        reset: bool,
        names: tuple[str, str] = PAIR,
        place_of: PlaceOf = place_in_table,
    ) -> tuple[Any, Any]:
        with np.errstate(over="ignore", invalid="ignore"):
            return check_table(
                self,
                X,
                y,
                numeric_y=is_regressor(self),
                names=names,
                place_of=place_of,
                accept_sparse=self._accepted,
                dtype=self._stored_as(X, plan.dtype),
                order="C",
                reset=reset,
            )

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
        fit_network(self, X, y, sample_weight, X_val, y_val)
        return self

    # Prediction

    def _network(self, n_rows: int = 0, sampling: bool = False) -> Network:
        """The fitted network, to predict so many rows; dropout is a part of it for samples."""
        activation, dropout, in_input = architecture_of(self)
        if not sampling:
            dropout, in_input = [0.0] * (len(self.coefs_) - 1), 0.0
        widest = max(weight.size for weight in self.coefs_)
        few = n_rows <= MOST_ALIKE and n_rows * widest <= MOST_PRODUCTS_ALIKE
        alike = self._images is None and few and widest <= WIDEST_ALIKE
        return Network(
            self._parameters(n_rows),
            activation,
            dropout,
            in_input,
            images=self._images,
            rows_alike=alike,
        )

    def _parameters(self, n_rows: int) -> Parameters:
        """What the network has learned, in the precision for so many rows."""
        return parameters_of(self)

    def _check_X(self, X: Any, place_of: PlaceOf = place_in_table) -> Any:
        if not hasattr(self, "coefs_"):
            check_is_fitted(self)
        dtype = self._stored_as(X, self.coefs_[0].dtype)
        options = {"accept_sparse": self._accepted, "order": "C", "place_of": place_of}
        table = rows_to_predict(self, X, dtype, **options)
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

        Its rates are those of the fit.

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
            If the network was fitted without dropout: all draws would be the same.
        """
        check_is_fitted(self)
        if not self._network(sampling=True).noisy:
            raise ValueError(
                "predict_samples needs dropout, and the network was fitted without: set dropout or"
                " input_dropout above 0 and fit again"
            )
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
