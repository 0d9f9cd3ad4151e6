"""From what users have as images to rows of a table, and the shape of an image."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..estimators.validation import PlaceOf, place_in_table
from .engine.images import ImageShape

# Numbers up to twice as large as shares of 255 may be such shares, with noise or a little shifted.
MOST_OF_SHARES = 2.0


def as_rows(X: Any, channels: str, name: str = "X") -> tuple[Any, ImageShape | None]:
    """An array of images as a table with a row for each, without a copy, and their shape.

    What is no array of images of shape (n, h, w), (n, h, w, c) or, with ``channels="first"``,
    (n, c, h, w) is returned as it is, with None; more dimensions, and images of several shapes, are
    refused.
    """
    one_by_one = isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1
    if one_by_one or isinstance(X, list | tuple):
        X = _stacked(X, name)
    n_dimensions = getattr(X, "ndim", 2)
    if n_dimensions > 4:
        forms = "(n, h, w) or " + ("(n, c, h, w)" if channels == "first" else "(n, h, w, c)")
        raise ValueError(f"{name} has {n_dimensions} dimensions, where images have shape {forms}")
    if n_dimensions < 3:
        return X, None
    X = X if isinstance(X, np.ndarray) else np.asarray(X)
    shape = shape_of(X.shape[1:], channels)
    return X.reshape(len(X), math.prod(shape)), shape


def _stacked(images: Any, name: str) -> Any:
    """Images that come one by one as one array."""
    try:
        # An array of objects would stay one.
        return np.asarray(list(images) if isinstance(images, np.ndarray) else images)
    except ValueError:
        pass
    first: tuple[int, ...] | None = None
    for k, image in enumerate(images):
        try:
            shape = np.shape(image)
        except ValueError:
            raise ValueError(f"image {k} of {name} has rows of several lengths") from None
        first = shape if first is None else first
        if shape != first:
            raise ValueError(
                f"image {k} of {name} has shape {shape}, where image 0 has {first}: bring all"
                " images to one shape"
            )
    return images  # of which scikit-learn's checks say what is wrong


def place_in_images(shape: ImageShape, channels: str, images: str = "X") -> PlaceOf:
    """Says at which pixel of which image an entry is, by the axes of the images.

    Parameters
    ----------
    shape : tuple of int
    channels : {"last", "first"}
    images : str
        What the images are called; entries of other tables are in rows and columns.
    """
    sizes = dict(zip(("row", "column", "channel"), shape, strict=True))
    if channels == "first":
        sizes = {"channel": sizes.pop("channel"), **sizes}

    def place_of(index: list[int], name: str, columns: Any = None) -> str:
        if name != images:
            return place_in_table(index, name, columns)
        places = np.unravel_index(index[1], tuple(sizes.values()))
        axes = zip(sizes.items(), places, strict=True)
        own = [f"{axis} {place}" for (axis, size), place in axes if size > 1]
        return ", ".join([f"image {index[0]} of {name}", *own])

    return place_of


def shape_of(sizes: Iterable[int], channels: str) -> ImageShape:
    """Rows, columns and channels, from rows and columns, or these and channels as X has them."""
    sizes = tuple(map(int, sizes))
    if len(sizes) == 2:
        return (*sizes, 1)
    return (*sizes[1:], sizes[0]) if channels == "first" else sizes  # type: ignore[return-value]


def image_shape(given: Any, of_X: ImageShape | None, n_features: int, channels: str) -> ImageShape:
    """The shape of an image: as given, or that of X, or what suits a row of so many features.

    Parameters
    ----------
    given : sequence of int or None
        The parameter `image_shape`.
    of_X : tuple of int or None
        Of an X that is an array of images.
    n_features : int
        Of a row of X.
    channels : {"last", "first"}

    Raises
    ------
    ValueError
        If the parameter has other values than two or three numbers above 0, or does not suit X.
    """
    if given is None:
        return of_X or guessed_shape(n_features)
    sizes = given.tolist() if isinstance(given, np.ndarray) else given
    for size in sizes if len(sizes) in (2, 3) else [None]:
        if isinstance(size, bool) or not isinstance(size, numbers.Integral) or size < 1:
            third = (
                "(channels, rows, columns)" if channels == "first" else "(rows, columns, channels)"
            )
            raise ValueError(f"image_shape must be (rows, columns) or {third}, got {given}")
    shape = shape_of(sizes, channels)
    if of_X is not None and of_X != shape:
        raise ValueError(
            f"X has images of {in_words(of_X)}, where image_shape={given} asks for"
            f" {in_words(shape)}"
        )
    if math.prod(shape) != n_features:
        raise ValueError(
            f"X has {n_features} features, where image_shape={given} asks for {math.prod(shape)}"
        )
    return shape


def guessed_shape(n_features: int) -> ImageShape:
    """A square grey or RGB image where the number of features suits one, else a row of pixels."""
    for n_channels in (1, 3):
        side = math.isqrt(n_features // n_channels)
        if side > 1 and side * side * n_channels == n_features:
            return side, side, n_channels
    return 1, n_features, 1


def in_words(shape: ImageShape) -> str:
    """A shape in words."""
    rows, columns, channels = shape
    return f"{rows} rows, {columns} columns and {channels} channel{'s' * (channels > 1)}"


def are_bytes(X: Any) -> bool:
    """Whether all of X is of type uint8."""
    dtypes = getattr(X, "dtypes", None)  # of a data frame, one a column
    dtypes = [getattr(X, "dtype", None)] if dtypes is None else list(dtypes)
    return bool(dtypes) and all(dtype == np.uint8 for dtype in dtypes)


@dataclass(frozen=True)
class Unit:
    """What the numbers of images are.

    Attributes
    ----------
    bytes : bool
        Whether they are of type uint8, which a network reads as shares of 255.
    largest : float
        The largest, as the network reads it.
    """

    bytes: bool
    largest: float

    @classmethod
    def of(cls, X: NDArray[Any]) -> Unit:
        """The unit of checked rows."""
        if X.dtype == np.uint8:
            return cls(True, 1.0)
        return cls(False, max(float(X.max()), -float(X.min())))

    def suits(self, other: Unit) -> bool:
        """Whether both are bytes, or both not, or the numbers may be shares of 255."""
        return self.bytes == other.bytes or max(self.largest, other.largest) <= MOST_OF_SHARES

    def __str__(self) -> str:
        return "bytes, which become X / 255" if self.bytes else f"numbers up to {self.largest:.4g}"
