"""What the closed forms share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from scipy.linalg import lapack

from ..data.design import Array

EPS = float(np.finfo(np.float64).eps)
# Reciprocal condition of a matrix scaled to a unit diagonal, below which its factor is not used.
SINGULAR = 1e-13
# Columns whose sizes differ by more are sorted before a singular value decomposition, which takes
# up to half as long again: leave-one-out had errors of 1e-5 with columns of 1e-4 to 1e4, and then
# has 1e-14.
UNEVEN = 10.0


def reciprocal(values: Array) -> Array:
    """One over what is positive, zero elsewhere."""
    return np.divide(1.0, values, out=np.zeros_like(values), where=values > 0)


def svd(A: Array) -> tuple[Array, Array, Array]:
    """Singular value decomposition, as thin as A, whatever the scales of its columns.

    Where these differ, small singular values and their vectors would lose as many digits as they
    are smaller than the largest. After QR with column pivoting the rows of the triangle fall off
    instead, and bidiagonalisation, which begins with the largest, keeps their digits.

    Source: Higham, "QR factorization with complete pivoting and accurate computation of the SVD",
    Linear Algebra and its Applications 309 (2000).
    """
    sizes = np.sqrt(np.einsum("ij,ij->j", A, A))
    if sizes.max(initial=0.0) <= UNEVEN * sizes.min(initial=np.inf):
        return _svd(A)
    if len(A) > 2 * A.shape[1]:  # pivoting is slow, and as good on the triangle of a plain QR
        Q, R = np.linalg.qr(A)
        U, s, Vt = svd(R)
        return Q @ U, s, Vt
    options: dict[str, Any] = {"mode": "economic", "pivoting": True, "check_finite": False}
    Q, R, order = linalg.qr(A, **options)
    U, s, rows = _svd(R)
    Vt = np.empty_like(rows)
    Vt[:, order] = rows
    return Q @ U, s, Vt


def _svd(A: Array) -> tuple[Array, Array, Array]:
    """LAPACK's, by its quick method.

    It fails on a few matrices with singular values at rounding; the slow one decomposes these.
    """
    if not A.size:  # which older versions of SciPy do not take
        return np.empty((len(A), 0)), np.empty(0), np.empty((0, A.shape[1]))
    options: dict[str, Any] = {"full_matrices": False, "check_finite": False}
    try:
        U, s, Vt = linalg.svd(A, **options)
    except np.linalg.LinAlgError:
        U, s, Vt = linalg.svd(A, lapack_driver="gesvd", **options)
    return U, s, Vt


def factored(
    M: Array, live: NDArray[np.bool_] | None = None
) -> tuple[Callable[[Array], Array] | None, float]:
    """A solver for symmetric M without its dead rows, and a reciprocal condition. Overwrites M."""
    diagonal = M.diagonal()
    live = diagonal > 0 if live is None else live & (diagonal > 0)
    scale = np.where(live, np.sqrt(reciprocal(diagonal)), 0.0)[:, None]
    M *= scale
    M *= scale.T
    M.flat[:: len(M) + 1] = 1.0
    norm = np.abs(M).sum(axis=0).max(initial=0.0)
    factor, failed = lapack.dpotrf(M.T, lower=0, clean=0, overwrite_a=1)
    if failed or not len(M):
        return None, 0.0
    rcond, _ = lapack.dpocon(factor, norm)
    if rcond <= SINGULAR:
        return None, 0.0
    return lambda rhs: scale * lapack.dpotrs(factor, scale * rhs)[0], float(rcond)
