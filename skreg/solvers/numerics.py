"""Two things that the closed forms share."""

from __future__ import annotations

import numpy as np

from ..design import Array

EPS = float(np.finfo(np.float64).eps)


def reciprocal(values: Array) -> Array:
    """One over what is positive, zero elsewhere."""
    return np.divide(1.0, values, out=np.zeros_like(values), where=values > 0)
