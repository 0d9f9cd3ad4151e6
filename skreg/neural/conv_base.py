"""What the convolutional networks share: their parameters, and images on the way to the network."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted

from ..estimators.parameters import COUNT, parameter, with_parameters
from ..estimators.runtime import warn, with_one_blas_thread
from ..estimators.validation import PAIR, PlaceOf, place_in_table
from ..rows.dask import is_dask
from ..rows.source import RowSource
from .base import MOST_ALIKE, BaseMLP
from .checks import rows_and_columns
from .engine.image_augmentation import ImageAugmentation
from .engine.images import ConvStages, ImageShape
from .engine.layers import Matrix
from .engine.plan import Plan
from .engine.weights import Parameters
from .image_input import Unit, are_bytes, as_rows, image_shape, in_words, place_in_images


@with_parameters
class ConvNetwork(BaseMLP):
    """Base of the convolutional networks."""

    conv_layer_sizes: Any = parameter(
        default=(32, 32, 64),
        constraint=[COUNT, "array-like"],
        kind="int or array-like of int",
        meaning="""
        Channels of each convolution, each followed by a pooling. They are hidden layers, as the
        dense ones after them are: `alpha`, `penalty` and `dropout` take a value for each.
        """,
        kw_only=False,
    )
    kernel_size: Any = parameter(
        default=5,
        constraint=[COUNT, "array-like"],
        kind="int or pair of int",
        meaning="""
        Rows and columns of the kernels. Outside an image there are zeros, so that a convolution
        leaves its size as it is. What of a kernel would meet nothing else, in an image of a few
        pixels, gets no weights.
        """,
    )
    pool_size: Any = parameter(
        default=2,
        constraint=[COUNT, "array-like"],
        kind="int or pair of int",
        meaning="""
        Rows and columns of a window of pixels that become one, side by side; rows and columns left
        over are left out. An image that is smaller than a window is pooled as a whole.
        """,
    )
    pooling: str = parameter(
        default="max",
        constraint=[StrOptions({"max", "average"})],
        kind='{"max", "average"}',
        meaning="What becomes of a window.",
    )
    image_shape: Any = parameter(
        default=None,
        constraint=["array-like", None],
        kind="(rows, columns), (rows, columns, channels) or None",
        meaning="""
        Of an image, as X has it: (channels, rows, columns) with ``channels="first"``. None is the
        shape that X has, or of a table a square image, grey or RGB, where the number of features
        suits one, and else a signal, which is an image of one row.
        """,
    )
    channels: str = parameter(
        default="last",
        constraint=[StrOptions({"last", "first"})],
        kind='{"last", "first"}',
        meaning="""
        Whether X has, of each image, one pixel after another with all of its channels, or one
        channel after another, as PyTorch and the files of CIFAR do.
        """,
    )
    augment: Any = parameter(
        default=None,
        constraint=[dict, None],
        kind="dict or None",
        meaning="""
        Random changes of the images that a step is made with, drawn anew for each image of each
        batch; labels stay as they are, and so do images that are predicted or validated.

        - "flip": "horizontal", "vertical" or "both", each with probability 1/2;
        - "shift": whole pixels, at most, in both directions;
        - "scale": zoom about the centre by a factor that is uniform in 1 ± scale;
        - "noise": standard deviation, in the unit of X, or of ``X / 255`` where X has bytes;
        - "cutout": side of a square that is set to zero.

        What a shift or a zoom brings in from outside an image is its nearest pixel.
        """,
    )
    hidden_layer_sizes: Any = parameter(
        default=(64,),
        constraint=[COUNT, "array-like"],
        kind="int or array-like of int",
        meaning="Units of each dense layer between convolutions and output; ``()`` is none.",
    )
    activation: str = parameter(
        default="relu",
        constraint=[StrOptions({"identity", "logistic", "tanh", "relu"})],
        kind='{"identity", "logistic", "tanh", "relu"}',
        meaning="Of the hidden layers, convolutions included.",
    )

    _accepted = False

    @property
    def kernels_(self) -> list[NDArray[Any]]:
        """The first of `coefs_` as kernels of shape (rows, columns, n_in, n_out), views of them."""
        check_is_fitted(self)
        assert self._images is not None
        stages = self._images.stages
        pairs = zip(self.coefs_, stages, strict=False)  # dense layers follow
        return [coef.reshape(*stage.kernel, stage.shape[2], -1) for coef, stage in pairs]

    def _check_X(self, X: Any, place_of: PlaceOf = place_in_table) -> Any:
        check_is_fitted(self, "coefs_")
        channels = self.channels
        if self._images is not None:  # whatever is set since the fit
            channels = "first" if self._images.channels_first else "last"
        X, shape = as_rows(X, channels)
        X = self._as_fitted(X, shape)
        table = super()._check_X(X, place_of if shape is None else place_in_images(shape, channels))
        self._compare_units(Unit.of(table), "X")
        return table

    def _parameters(self, n_rows: int) -> Parameters:
        """In float64 for a few images: in a float32 result what a place changes is rounded off."""
        own = super()._parameters(n_rows)
        return own.flattened(np.float64) if n_rows <= MOST_ALIKE else own

    def _raw(self, X: Any, rng: np.random.Generator | None = None) -> Matrix:
        raw: Matrix = with_one_blas_thread(super()._raw, X, rng)
        return raw.astype(self.coefs_[0].dtype, copy=False)

    def hidden_activations(self, X: Any) -> list[NDArray[Any]]:
        """What each hidden layer gives for X, without dropout.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or images

        Returns
        -------
        list of ndarray of shape (n_samples, rows, columns, n_channels) or (n_samples, n_hidden)
            One a hidden layer, convolutions first, after normalisation, activation and pooling.
        """
        layers = super().hidden_activations(X)
        return [layer.astype(self.coefs_[0].dtype, copy=False) for layer in layers]

    def _check_Xy(
        self,
        X: Any,
        y: Any,
        plan: Plan,
        reset: bool,
        names: tuple[str, str] = PAIR,
        place_of: PlaceOf = place_in_table,
    ) -> tuple[Any, Any]:
        X, shape = as_rows(X, self.channels, names[0])
        if not reset:
            X = self._as_fitted(X, shape, names[0])
        if shape is not None:
            place_of = place_in_images(shape, self.channels, names[0])
        X, y = super()._check_Xy(X, y, plan, reset, names, place_of)
        if reset:
            self._unit = Unit.of(X)
        else:
            self._compare_units(Unit.of(X), names[0])
        shape = shape if reset else self.image_shape_
        self.image_shape_: ImageShape = image_shape(
            self.image_shape, shape, X.shape[1], self.channels
        )
        return X, y

    def _as_fitted(self, X: Any, shape: ImageShape | None, name: str = "X") -> Any:
        """X, if its images have the shape, or its rows the length, of those of the fit."""
        fitted, width = self.image_shape_, math.prod(self.image_shape_)
        # Of other tables scikit-learn's checks say what is wrong, names of columns first.
        if shape is None and isinstance(X, np.ndarray) and X.ndim == 2 and X.shape[1] != width:
            raise ValueError(
                f"{name} has {X.shape[1]} features, but {type(self).__name__} is expecting {width}"
                f" features as input, or images of {in_words(fitted)}: a single image is X[None]"
            )
        if shape is not None and shape != fitted:
            raise ValueError(
                f"{name} has images of {in_words(shape)}, where {type(self).__name__} was fitted to"
                f" images of {in_words(fitted)}"
            )
        return X

    def _compare_units(self, unit: Unit, name: str) -> None:
        """Warn of bytes in the place of numbers that are no shares of 255, or the reverse."""
        fitted: Unit | None = getattr(self, "_unit", None)  # none where weights are set by hand
        if fitted is not None and not fitted.suits(unit):
            warn(
                f"{name} has {unit}, where {type(self).__name__} was fitted to {fitted}: give both"
                " as bytes, or both as numbers in one unit"
            )

    def _parts(self, X: Any, y: Any, sample_weight: Any) -> None:
        """Refuse blocks; a map is read batch by batch if it has bytes, and made numbers if not."""
        if isinstance(X, RowSource) or is_dask(X):
            raise TypeError(
                f"{type(self).__name__} takes images in memory, or in a memory map, and no blocks"
            )

    def _stored_as(self, X: Any, dtype: Any) -> Any:
        return np.dtype(np.uint8) if are_bytes(X) else dtype

    def _convolutions(self, plan: Plan) -> ConvStages:
        if not plan.convolutions:
            raise ValueError(
                "conv_layer_sizes must have a layer: a network without is an MLPClassifier or an"
                " MLPRegressor"
            )
        kernel = rows_and_columns("kernel_size", self.kernel_size)
        pool = rows_and_columns("pool_size", self.pool_size)
        shape, first = self.image_shape_, self.channels == "first"
        return ConvStages.of(shape, plan.convolutions, kernel, pool, self.pooling, first)

    def _augmentation(self) -> ImageAugmentation | None:
        return ImageAugmentation.checked(self.augment, self.image_shape_[:2])
