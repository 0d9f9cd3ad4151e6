"""Changes of a batch, before its step, that make training harder: noise and mixtures of rows."""

from __future__ import annotations

import numpy as np

from ...objective.losses import Scale
from .layers import Matrix


def add_noise(x: Matrix, spread: float, rng: np.random.Generator) -> None:
    """Add Gaussian noise, of this standard deviation in the unit of X, in place."""
    noise = rng.standard_normal(x.shape, dtype=x.dtype)
    noise *= spread
    x += noise


def mix(x: Matrix, y: Matrix, scale: Scale, share: float, rng: np.random.Generator) -> Scale:
    """Mix every row with another one, and its target likewise (Zhang et al., ICLR 2018), in place.

    A target counts with its row's weight, so that the loss, where it is linear in the target, is
    that of both rows, each with its own. Returned are the scales, which change with weights.
    """
    partner = rng.permutation(len(x))
    if not isinstance(scale, float):
        other = scale[partner]
        mixed = share * scale + (1.0 - share) * other
        y[...] = (share * scale * y + (1.0 - share) * other * y[partner]) / mixed
        scale = mixed.astype(x.dtype)
    else:
        other_y = y[partner]
        other_y *= 1.0 - share
        y *= share
        y += other_y
    other_x = x[partner]
    other_x *= 1.0 - share
    x *= share
    x += other_x
    return scale
