"""The filters of a network's first layer, as small pictures side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import fitted
from .style import Canvas, Display, Kwargs, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import LineCollection
    from matplotlib.colorbar import Colorbar
    from matplotlib.image import AxesImage
    from matplotlib.text import Text

# Blue and orange stay apart for every kind of colour blindness, and zero is white between them.
_NEGATIVE_TO_POSITIVE = ("#00609A", "#FFFFFF", "#C85200")
_BETWEEN = 0.12  # between two pictures, as a share of their width


@dataclass(eq=False, repr=False)
class FilterDisplay(Display):
    """The weights of each filter as a picture; all share one scale, which is symmetric about 0.

    Filters of three channels are shown in colour: of each channel grey is 0, and the brighter the
    larger. All others are blue where negative, white at 0 and orange where positive, the channels
    of a filter side by side. The number of a filter is its index.

    Build it with :meth:`from_estimator`, which also draws.

    Parameters
    ----------
    kernel : array-like of shape (height, width, n_channels, n_filters)
        As in the `kernels_` of a network of convolutions.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    images_ : list of AxesImage
        One a filter: its weights, in colour ``0.5 + 0.5 * weights / largest`` of them.
    numbers_ : list of Text
    frames_ : LineCollection
        Around each picture, or each channel of one.
    colorbar_ : Colorbar

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skreg import FilterDisplay, MLPClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> model = MLPClassifier(40, alpha=0.01).fit(X / 16, y)  # doctest: +SKIP
    >>> display = FilterDisplay.from_estimator(model, image_shape=(8, 8))  # doctest: +SKIP
    """

    kernel: ArrayLike

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        image_shape: Sequence[int] | None = None,
        ax: Axes | None = None,
        **plot_kwargs: Any,
    ) -> FilterDisplay:
        """Draw the filters of a fitted network.

        Parameters
        ----------
        estimator : fitted network of convolutions, or MLPClassifier or MLPRegressor
            The kernels of the first layer are read; of a multilayer perceptron, also
            scikit-learn's, the weights into each hidden unit, as an image of the features.
        image_shape : tuple of (height, width) or (height, width, n_channels), default=None
            Of the features of a multilayer perceptron. None is a square of one channel.
        ax, **plot_kwargs
            Passed to :meth:`plot`.

        Returns
        -------
        FilterDisplay

        Raises
        ------
        AttributeError
            The estimator is not fitted, or no network.
        ValueError
            `image_shape` does not hold the features, or is given for a network of convolutions.
        """
        estimator = fitted.unwrapped(estimator)
        if hasattr(estimator, "conv_layer_sizes"):
            if image_shape is not None:
                raise ValueError("image_shape is that of a multilayer perceptron's features alone")
            kernel = fitted.of_network(estimator, "kernels_", cls.__name__)[0]
        else:
            weights = fitted.of_network(estimator, "coefs_", cls.__name__)[0]
            kernel = _as_images(np.asarray(weights), image_shape)
        return cls(kernel).plot(ax, **plot_kwargs)

    def plot(
        self,
        ax: Axes | None = None,
        *,
        filters: Sequence[int] | None = None,
        n_columns: int | None = None,
        max_filters: int = 64,
        image_kwargs: Kwargs = None,
        number_kwargs: Kwargs = None,
        colorbar_kwargs: Kwargs = None,
    ) -> FilterDisplay:
        """Draw the filters.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.
        filters : sequence of int, default=None
            Which filters to show, in this order, counted from 0. None is the first `max_filters`.
        n_columns : int, default=None
            Pictures in a row. None makes them as large as the axes allow.
        max_filters : int, default=64
            How many are shown at most where `filters` is None; of more, the label says so.
        image_kwargs, number_kwargs : dict, default=None
            Overrides for the pictures (AxesImage) and their numbers (Text).
        colorbar_kwargs : dict, default=None
            Overrides for ``Figure.colorbar``.

        Returns
        -------
        FilterDisplay
            Itself, with the artists as attributes.

        Raises
        ------
        ImportError
            Matplotlib is not installed.
        ValueError
            The weights are no such array of finite numbers, or a filter is not there.
        """
        kernel = np.asarray(self.kernel, dtype=np.float64)
        if kernel.ndim != 4 or not kernel.size or not np.isfinite(kernel).all():
            raise ValueError(
                "kernel must be finite numbers of shape (height, width, n_channels, n_filters),"
                f" got shape {kernel.shape}"
            )
        for name, count in (("n_columns", n_columns), ("max_filters", max_filters)):
            if count is not None and count < 1:
                raise ValueError(f"{name} must be at least 1, got {count}")
        height, width, n_channels, n_filters = kernel.shape
        chosen = _chosen(filters, n_filters, max_filters)
        pictures = kernel[..., chosen].transpose(3, 0, 1, 2)
        largest = float(np.abs(pictures).max()) or 1.0
        in_color = n_channels == 3
        if in_color:
            pictures = 0.5 + 0.5 * pictures / largest
        else:  # the channels side by side
            pictures = pictures.transpose(0, 1, 3, 2).reshape(len(chosen), height, -1)
            width *= n_channels

        parts = 1 if in_color else n_channels
        canvas = self._canvas(ax)
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import LinearSegmentedColormap, Normalize

        # A list: older versions of matplotlib take a pair for a colour and its opacity.
        colors = ["#000000", "#FFFFFF"] if in_color else list(_NEGATIVE_TO_POSITIVE)
        scale = ScalarMappable(
            Normalize(-largest, largest), LinearSegmentedColormap.from_list("weights", colors)
        )
        said = "weight in each of red, green and blue" if in_color else "weight"
        look: dict[str, Any] = {} if in_color else {"cmap": scale.cmap, "norm": scale.norm}
        self.images_: list[AxesImage] = []
        self.numbers_: list[Text] = []
        frames = []
        self.colorbar_ = _colorbar(canvas, scale, said, colorbar_kwargs)
        canvas = Canvas(canvas.ax)  # narrower by the colour bar
        # The numbers stand in strips, whose height is that of their type at any size of pictures.
        size, strip = 0.8 * canvas.size, 1.15 * canvas.size
        n_columns, per_point = _grid(canvas, len(chosen), height, width, strip, n_columns)
        step_x, step_y = width * (1 + _BETWEEN), height + strip * per_point
        for place, (index, picture) in enumerate(zip(chosen, pictures, strict=True)):
            row, column = divmod(place, n_columns)
            left, top = column * step_x, row * step_y + strip * per_point
            bottom = top + height
            image = canvas.ax.imshow(
                picture,
                extent=(left, left + width, bottom, top),
                interpolation="nearest",
                **look,
            )
            self.images_.append(styled(image, image_kwargs))
            for start, end in pairwise(np.linspace(left, left + width, parts + 1)):
                around = [(start, top), (end, top), (end, bottom), (start, bottom), (start, top)]
                frames.append(np.array(around))
            number = canvas.ax.text(left, top - 0.15 * strip * per_point, str(index))
            plain = {"fontsize": size, "color": canvas.ink, "va": "baseline", "ha": "left"}
            self.numbers_.append(styled(number, number_kwargs, **plain))
        self.frames_: LineCollection = canvas.lines(frames, None, clip_on=False)
        n_rows = -(-len(chosen) // n_columns)
        canvas.ax.set_xlim(0.0, min(n_columns, len(chosen)) * step_x - width * _BETWEEN)
        canvas.ax.set_ylim(n_rows * step_y, 0.0)
        canvas.ax.set_aspect("equal")
        canvas.ax.spines[:].set_visible(False)
        canvas.ax.set(xticks=[], yticks=[])
        if filters is None and len(chosen) < n_filters:
            canvas.ax.set_xlabel(f"first {len(chosen)} of {n_filters}", fontsize=canvas.size)
        return self


def _as_images(weights: NDArray[Any], image_shape: Sequence[int] | None) -> NDArray[Any]:
    """Shape the weights into each unit as the image of the features."""
    n_features = len(weights)
    square = (math.isqrt(n_features),) * 2
    shape = square if image_shape is None else tuple(np.ravel(image_shape).tolist())
    whole = all(isinstance(size, int) and size > 0 for size in shape)
    if len(shape) not in (2, 3) or not whole or math.prod(shape) != n_features:
        how = "give (height, width) or (height, width, n_channels)"
        if image_shape is None:
            raise ValueError(f"{n_features} features are no square image: {how} as image_shape")
        raise ValueError(f"image_shape={image_shape} does not hold {n_features} features: {how}")
    return weights.reshape(*shape[:2], -1, weights.shape[1])


def _chosen(filters: Sequence[int] | None, n_filters: int, most: int) -> list[int]:
    """Check the filters asked for."""
    if filters is None:
        return list(range(min(n_filters, most)))
    chosen = np.ravel(filters).tolist()
    for index in chosen:
        if index not in range(n_filters):
            raise ValueError(f"filter {index} is out of range: there are {n_filters} filters")
    if not chosen:
        raise ValueError("filters is empty")
    return [int(index) for index in chosen]


def _colorbar(canvas: Canvas, scale: Any, label: str, overrides: Kwargs) -> Colorbar:
    """Draw a thin colour bar with few ticks."""
    from matplotlib.ticker import MaxNLocator

    options: dict[str, Any] = {"ax": canvas.ax, "fraction": 0.05, "pad": 0.03, "aspect": 30}
    options |= {"ticks": MaxNLocator(5, symmetric=True), **(overrides or {})}
    bar = canvas.ax.figure.colorbar(scale, **options)
    bar.set_label(label, fontsize=canvas.size)
    bar.ax.tick_params(width=0.6, length=3, color=canvas.ink, labelsize=canvas.size)
    bar.outline.set(edgecolor=canvas.ink, linewidth=0.6)
    return bar


def _grid(
    canvas: Canvas, n: int, height: int, width: int, strip: float, n_columns: int | None
) -> tuple[int, float]:
    """How many pictures stand in a row, and pixels to a point, for pictures as large as may be.

    `strip` is the points above each picture.
    """

    def points(columns: int) -> float:
        """Points to a pixel."""
        rows = -(-n // columns)
        by_width = canvas.width / (columns * width * (1 + _BETWEEN))
        # Strips that leave nothing to their pictures take half of the height.
        by_height = max(canvas.height / rows - strip, 0.5 * canvas.height / rows) / height
        return min(by_width, by_height)

    if n_columns is None:
        n_columns = max(range(1, n + 1), key=points)
    return n_columns, 1 / points(n_columns)
