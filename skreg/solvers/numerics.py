"""What the closed forms share."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg

from ..data.design import Array

EPS = float(np.finfo(np.float64).eps)


def reciprocal(values: Array) -> Array:
    """One over what is positive, zero elsewhere."""
    return np.divide(1.0, values, out=np.zeros_like(values), where=values > 0)


def svd(A: Array) -> tuple[Array, Array, Array]:
    """Singular value decomposition, as thin as A.

    LAPACK's quick method fails on a few matrices with singular values at rounding; the slow one
    decomposes these.
    """
    options: dict[str, Any] = {"full_matrices": False, "check_finite": False}
    try:
        U, s, Vt = linalg.svd(A, **options)
    except np.linalg.LinAlgError:
        U, s, Vt = linalg.svd(A, lapack_driver="gesvd", **options)
    return U, s, Vt
