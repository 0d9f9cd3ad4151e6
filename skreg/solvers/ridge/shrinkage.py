"""What some alphas do to the directions of a decomposition, laid out for leave-one-out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...data.design import Array


@dataclass(frozen=True)
class Shrinkage:
    """What leave-one-out needs of some alphas: shrinkage, and its products with ``U^T y``."""

    alphas: Array
    shrink: Array
    shrink_by_alpha: Array
    spread: Array
    spread_by_alpha: Array
    reached: NDArray[np.bool_]

    @classmethod
    def build(cls, shrink: Array, alphas: Array, c: Array) -> Shrinkage:
        """From the shrinkage, shape (rank, n_alphas), and c, shape (rank, n_targets)."""
        spread = shrink[:, :, None] * c[:, None, :]  # targets last: they are often more
        flat = (len(c), len(alphas) * c.shape[1])
        return cls(
            alphas,
            shrink,
            shrink * alphas,
            spread.reshape(flat),
            (spread * alphas[:, None]).reshape(flat),
            np.asarray(shrink.any(axis=1)),
        )
