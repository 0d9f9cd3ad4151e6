"""Changes of a batch, before its step, that make training harder: noise and mixtures of rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...objective.losses import Scale
from .layers import Matrix


@dataclass(frozen=True)
class Augmentation:
    """Gaussian noise and mixup, done to a batch in place.

    Attributes
    ----------
    input_noise : float
        Standard deviation of the noise, in the unit of X.
    mixup : float
        Parameter of the Beta distribution of the mixing weight; 0 is no mixing.
    """

    input_noise: float = 0.0
    mixup: float = 0.0

    @property
    def active(self) -> bool:
        """Whether there is anything to do."""
        return self.input_noise > 0.0 or self.mixup > 0.0

    def apply(self, x: Matrix, y: Matrix, scale: Scale, rng: np.random.Generator) -> Scale:
        """Change x and y; return the scales, which mixing changes where rows have weights."""
        if self.mixup:
            scale = mix(x, y, scale, float(rng.beta(self.mixup, self.mixup)), rng)
        if self.input_noise:
            noise = rng.standard_normal(x.shape, dtype=x.dtype)
            noise *= self.input_noise
            x += noise
        return scale


def mix(x: Matrix, y: Matrix, scale: Scale, share: float, rng: np.random.Generator) -> Scale:
    """Mix every row with another one, and its target likewise (Zhang et al., ICLR 2018).

    A target counts with its row's weight, so that the loss, where it is linear in the target, is
    that of both rows, each with its own.
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
