"""Changes of a batch of images that leave their labels as they are: each epoch sees others."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .augmentation import add_noise

FLIPS = ("horizontal", "vertical", "both")

Images = NDArray[Any]


@dataclass(frozen=True)
class ImageAugmentation:
    """Random changes of images, drawn for each image of each batch.

    An image that is flipped, zoomed and shifted is read at other positions, between pixels by
    bilinear interpolation. What lies outside it is its nearest pixel: unlike zeros that is right in
    any unit of X, and an image of one row is shifted along it alone.

    Attributes
    ----------
    flip : {"horizontal", "vertical", "both"} or None
        Mirror an image with probability 1/2: left and right, top and bottom, or each by itself.
    shift : int
        Most pixels that an image is moved by, up or down and left or right, all equally likely.
    scale : float in [0, 1)
        Zoom about the centre by a factor that is uniform in 1 ± scale, the same in both directions.
    noise : float
        Standard deviation of Gaussian noise, in the unit of X.
    cutout : int
        Side of a square, somewhere inside the image, that is set to zero (DeVries and Taylor,
        arXiv 1708.04552), which is a mean pixel where X is centred. It is no higher or wider than
        the image.
    """

    flip: str | None = None
    shift: int = 0
    scale: float = 0.0
    noise: float = 0.0
    cutout: int = 0

    @classmethod
    def checked(
        cls, augment: Mapping[str, Any] | None, image_shape: tuple[int, int]
    ) -> ImageAugmentation | None:
        """What a dict of these attributes asks for, or None where it asks for nothing.

        Parameters
        ----------
        augment : mapping or None
        image_shape : tuple of (height, width)

        Raises
        ------
        ValueError
            If a key is unknown, or its value is not what it takes, or too much for the images.
        """
        known = [field.name for field in fields(cls)]
        for key in augment or {}:
            if key not in known:
                raise ValueError(f"augment has no key {key!r}: it takes {', '.join(known)}")
        found = cls(**(augment or {}))
        if found.flip is not None and found.flip not in FLIPS:
            raise ValueError(f"augment['flip'] must be one of {FLIPS} or None, got {found.flip!r}")
        longer = [size for size in image_shape if size > 1]
        _check_number("shift", found.shift, numbers.Integral, min(longer, default=1))
        _check_number("scale", found.scale, numbers.Real, 1)
        _check_number("noise", found.noise, numbers.Real, math.inf)
        _check_number("cutout", found.cutout, numbers.Integral, max(image_shape))
        return None if found == cls() else found

    def apply(self, images: Images, rng: np.random.Generator) -> None:
        """Change images of shape (n_images, height, width, n_channels) in place."""
        if self.flip is not None or self.shift or self.scale:
            images[...] = read_at(images, *self._positions(images.shape, rng))
        if self.noise:
            add_noise(images, self.noise, rng)
        if self.cutout:
            images[self._square(images.shape, rng)] = 0.0

    def _positions(
        self, shape: tuple[int, ...], rng: np.random.Generator
    ) -> tuple[NDArray[np.float64], ...]:
        """Which row and which column of the image each row and each column shows."""
        n_images = shape[0]
        zoom = rng.uniform(1 - self.scale, 1 + self.scale, (n_images, 1)) if self.scale else 1.0
        positions = []
        for size, way in zip(shape[1:3], ("vertical", "horizontal"), strict=True):
            middle = (size - 1) / 2
            # About the middle, so that a flip is a change of sign.
            position = np.tile(np.arange(size) - middle, (n_images, 1))
            if self.shift:
                position -= rng.integers(-self.shift, self.shift, (n_images, 1), endpoint=True)
            position /= zoom
            if self.flip in (way, "both"):
                position *= rng.choice((-1.0, 1.0), (n_images, 1))
            position += middle
            positions.append(position)
        return tuple(positions)

    def _square(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.bool_]:
        """Which pixels are cut out."""
        inside = []
        for size in shape[1:3]:
            side = min(self.cutout, size)
            start = rng.integers(0, size - side, (shape[0], 1), endpoint=True)
            inside.append((np.arange(size) >= start) & (np.arange(size) < start + side))
        in_rows, in_columns = inside
        return np.asarray(in_rows[:, :, None] & in_columns[:, None, :])


def read_at(images: Images, rows: NDArray[np.float64], columns: NDArray[np.float64]) -> Images:
    """Images read at other positions, those outside at the nearest pixel.

    Parameters
    ----------
    images : ndarray of shape (n_images, height, width, n_channels)
    rows : ndarray of shape (n_images, n_rows)
        Where each image is read, counted from 0; between two rows both count by their nearness.
    columns : ndarray of shape (n_images, n_columns)

    Returns
    -------
    ndarray of shape (n_images, n_rows, n_columns, n_channels), of the type of `images`
    """
    n_images, height, width, n_channels = images.shape
    low, high, share = _neighbours(rows, height, images.dtype)
    whole = np.ascontiguousarray(images).reshape(n_images * height, width * n_channels)
    first = np.arange(n_images)[:, None] * height
    read = whole.take(low + first, axis=0)
    if share.any():
        read += share[:, :, None] * (whole.take(high + first, axis=0) - read)

    # The values of a pixel stand side by side: long inner loops are many times faster than ones
    # over a few channels.
    low, high, share = _neighbours(columns, width, images.dtype)
    pixels = read.reshape(-1, n_channels)
    first = np.arange(n_images * rows.shape[1]).reshape(n_images, -1, 1) * width
    read = pixels.take(first + low[:, None, :], axis=0)
    if share.any():
        # The values of a row side by side: a loop over a few channels alone takes far longer.
        beside = pixels.take(first + high[:, None, :], axis=0) - read
        lines = read.reshape(n_images, rows.shape[1], -1)
        lines += np.repeat(share, n_channels, axis=1)[:, None] * beside.reshape(lines.shape)
    return read


def _neighbours(
    position: NDArray[np.float64], size: int, dtype: Any
) -> tuple[NDArray[np.intp], NDArray[np.intp], Images]:
    """The pixels on both sides of each position, and the share of the second one."""
    position = position.clip(0, size - 1)
    low = position.astype(np.intp)
    return low, np.minimum(low + 1, size - 1), (position - low).astype(dtype)


def _check_number(key: str, value: Any, kind: Any, bound: float) -> None:
    """Refuse what is no such number from 0 to below `bound`."""
    fits = isinstance(value, kind) and not isinstance(value, bool) and 0 <= value < bound
    if not fits:
        whole = "a whole number" if kind is numbers.Integral else "a number"
        raise ValueError(
            f"augment[{key!r}] must be {whole} of at least 0 and below {bound}, got {value!r}"
        )
