"""Where labels go along one axis so that none overlaps another: plain numbers, no matplotlib."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def spread(targets: ArrayLike, sizes: ArrayLike, low: float, high: float) -> NDArray[np.float64]:
    """Find the centres nearest to the targets (least squares) at which no labels overlap.

    With the order kept, "no overlap" says that the centres, each less the room taken by the labels
    before it, increase. So the answer is an isotonic regression, clipped to the interval.

    Parameters
    ----------
    targets : array-like of shape (n_labels,)
        Where each label would be centred if it were alone.
    sizes : array-like of shape (n_labels,)
        Length of each label along the axis, in the unit of the targets.
    low, high : float
        The interval that holds all labels. Where they do not fit, they share it in proportion to
        their sizes, and then do overlap.

    Returns
    -------
    ndarray of shape (n_labels,)
        The centres, in the order of the targets.
    """
    wanted = np.asarray(targets, dtype=np.float64)
    lengths = np.asarray(sizes, dtype=np.float64)
    if wanted.size == 0:
        return wanted
    lengths = lengths * min(1.0, (high - low) / float(lengths.sum()))
    order = np.argsort(wanted, kind="stable")
    half = lengths[order] / 2
    # Distance from the first centre to each centre when the labels touch.
    reach = np.zeros_like(half)
    reach[1:] = np.cumsum(half[:-1] + half[1:])
    first, last = low + half[0], high - half[-1] - reach[-1]
    # max after min: where rounding crosses the two bounds, the lower one wins.
    shifted = np.maximum(np.minimum(_isotonic(wanted[order] - reach), last), first)
    centres = np.empty_like(wanted)
    centres[order] = shifted + reach
    return centres


def _isotonic(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Find the nearest non-decreasing sequence: neighbours that are out of order are pooled."""
    blocks: list[tuple[float, int]] = []
    for value in values.tolist():
        mean, count = value, 1
        while blocks and blocks[-1][0] > mean:
            other, n_other = blocks.pop()
            mean = (mean * count + other * n_other) / (count + n_other)
            count += n_other
        blocks.append((mean, count))
    return np.repeat([mean for mean, _ in blocks], [count for _, count in blocks])
