"""A squared penalty, or none, over more features than rows, in as many unknowns as rows.

The solution lies in the span of the rows: with ``Z diag(v)^(-1/2) = R'Q'``, where Q has orthonormal
columns, ``w = diag(v)^(-1/2) Q x`` has the linear predictor ``R'x`` and the penalty of x. Gaps and
degrees of freedom are the same. Without a penalty v is one, and of the many solutions that of the
smallest norm lies there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from scipy import linalg

from ...data.dense import DenseDesign
from ...data.design import Array
from ...objective.penalties import Penalty
from ..base import Bound


class RowSpace:
    """The problem in the span of the rows, and the way to it and back.

    Attributes
    ----------
    bound : Bound
        The problem on the design ``R'``.
    """

    def __init__(self, bound: Bound, penalised: bool = True) -> None:
        design, penalty = bound.design, bound.penalty
        self._scale = np.where(penalty.movable, 1.0, 0.0)
        if penalised:
            self._scale[penalty.movable] /= np.sqrt(penalty.l2_factors[penalty.movable])
        counted = design.omega > 0  # the others are zero, and in the span of none
        Z = design.columns(slice(None))[counted]
        Z *= self._scale
        self._Q, R = orthonormal(Z.T, whole=penalised)
        rows = np.zeros((design.n_samples, len(R)))
        rows[counted] = R.T
        centred = None if design.mean is None else np.zeros(rows.shape[1])
        within = DenseDesign(rows, design.omega, centred)
        target = replace(bound.target, correlations=None)
        plain = Penalty.build(rows.shape[1], 0.0)
        self.bound = Bound(within, target, plain, bound.loss)

    @classmethod
    def serves(cls, bound: Bound, penalised: bool = True) -> bool:
        """Whether there are more features than rows that count, with a squared penalty at most."""
        penalty, design = bound.penalty, bound.design
        kinks = penalised and (penalty.l1_ratio > 0 or penalty.free.any())
        smooth = not (kinks or penalty.has_bounds)
        return smooth and design.n_features > np.count_nonzero(design.omega)

    def inside(self, w: Array) -> Array:
        """The unknowns that coefficients, (n_features, n_targets), have in the span of the rows."""
        scale = np.divide(1.0, self._scale, out=np.zeros_like(self._scale), where=self._scale > 0)
        return np.asarray(self._Q.T @ (scale[:, None] * w))

    def outside(self, x: Array) -> Array:
        """Coefficients of all features."""
        return np.asarray(self._scale * (self._Q @ x))


def orthonormal(A: Array, whole: bool) -> tuple[Array, Array]:
    """Q with orthonormal columns and R of ``A = QR``; A is overwritten.

    Where the whole of it is not wanted, directions are left out that are rounding in all of A: no
    penalty keeps a solution out of them, and centred rows have at least one. One is left.
    """
    given: Any = {"mode": "economic", "overwrite_a": True, "check_finite": False}
    if whole:
        Q, R = linalg.qr(A, **given)
        return Q, R
    Q, R, order = linalg.qr(A, pivoting=True, **given)
    sizes = np.abs(R.diagonal())
    rounding = max(A.shape) * np.finfo(A.dtype).eps * sizes.max(initial=0.0)
    rank = max(np.count_nonzero(sizes > rounding), 1)
    return Q[:, :rank], R[:rank, np.argsort(order)]
