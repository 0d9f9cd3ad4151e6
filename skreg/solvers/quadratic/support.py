"""Newton's step on a support: its equations, and where their solution goes as alpha falls.

On a support A with signs s coefficients and correlations are those of

    (G_AA + L2) w_A = c_A - l1 s_A,        q = c - G w,

of which l1 is proportional to alpha. For the Lasso, where L2 is zero, they lie on a straight line
until the support changes, and a second right-hand side gives its slope.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg.lapack import dposv

from ...data.design import Array, Index
from ..tolerances import DEPENDENT_IN_SUPPORT

# A guess is not followed for more than so many times the way that alpha fell for it.
FARTHEST = 4.0


class Line(NamedTuple):
    """Where coefficients and correlations go from those at an alpha.

    They change by `dw` and `dq` while alpha falls by `span`. An `exact` line is followed until the
    support changes; another is a guess.
    """

    alpha: float
    w: Array
    q: Array
    dw: Array
    dq: Array
    span: float
    exact: bool

    def ahead(self, alpha: float) -> float:
        """How many spans ahead this alpha is; on a guess no more than `FARTHEST`."""
        ahead = (self.alpha - alpha) / self.span
        return ahead if self.exact else min(ahead, FARTHEST)

    def at(self, ahead: float) -> tuple[Array, Array]:
        """Coefficients and correlations so many spans ahead."""
        return self.w + ahead * self.dw, self.q + ahead * self.dq


def solve_on_support(
    active: Index, rows: Array, pulls: Array, ridge: Array | None
) -> tuple[Array, int | None]:
    """Solve ``(G_AA + ridge) x = pulls``, or find the place of a feature that depends on others.

    Parameters
    ----------
    active : ndarray of int, shape (n_active,)
    rows : ndarray of shape (n_active, n_features)
        Of the Gram matrix.
    pulls : ndarray of shape (n_sides, n_active)
        Right-hand sides; overwritten.
    ridge : ndarray of shape (n_active,), optional

    Returns
    -------
    x : ndarray of shape (n_sides, n_active)
    dependent : int or None
    """
    n_active = len(active)
    if not n_active:
        return pulls, None
    hessian = rows.take(active, 1)
    pivots = hessian.ravel()[:: n_active + 1]
    if ridge is not None:
        pivots += ridge
    least = DEPENDENT_IN_SUPPORT * pivots
    _, x, info = dposv(hessian.T, pulls.T, lower=1, overwrite_a=1, overwrite_b=1)
    if info:
        return pulls, info - 1
    small = pivots * pivots <= least
    return x.T, int(small.argmax()) if np.count_nonzero(small) else None
