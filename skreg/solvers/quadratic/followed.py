"""The Lasso path on a working set that grows, from knot to knot.

Where there are few rows a path has hardly more knots than alphas, and a knot of the homotopy on a
few hundred features takes a fifth of what Newton's method takes for an alpha. The working set grows
between two batches of alphas, and so does the homotopy, from where the last batch began that was
final as a whole: what a violation undoes is walked again.
"""

from __future__ import annotations

import numpy as np

from ...data.design import Array, Index
from ...objective.penalties import Penalty
from .homotopy import Homotopy

# Seconds that a knot takes: calls, and an entry of the Gram matrix, above the 8, 10 and 22 us
# measured with 100, 260 and 500 features, as a batch takes 0.1 ms more; and Newton's method for
# an alpha: calls, 54 us on a path at 100 x 1000, and a pair of active features, an estimate.
KNOT_CALLS, KNOT_PAIR = 1.3e-5, 7e-11
ALPHA_CALLS, ALPHA_PAIR = 5e-5, 5e-9


class FollowedPath:
    """The homotopy at the last alpha before a batch, and behind it.

    Parameters
    ----------
    penalty : Penalty
        Of all features there may ever be.
    alpha : float
        The largest alpha at which a coefficient is not zero.
    most : int
        Features of the largest working set.

    Attributes
    ----------
    serves : bool
        Whether it is of use for what follows.
    """

    def __init__(self, penalty: Penalty, alpha: float, most: int) -> None:
        self.penalty, self.most = penalty, most
        self.serves = penalty.l1_ratio == 1.0 and penalty.even
        none = np.empty(0)
        self.before = Homotopy(np.empty((0, 0)), none, none, none, np.empty(0, dtype=np.intp))
        self.before.lam = alpha
        self.behind = self.before

    def coefficients(
        self, gram: Array, c: Array, index: Index, alphas: Array, max_knots: int
    ) -> Array | None:
        """Coefficients of the working set `index` at a batch of alphas, one a column.

        None where it is too large, there are too many knots, or features of the support depend on
        each other; then, and from then on, it is left to another method.
        """
        if not self.serves or len(index) > self.most:
            self.serves = False
            return None
        if not len(index):
            return np.empty((0, len(alphas)))
        lower, upper = self.penalty.lower[index], self.penalty.upper[index]
        self.behind = self.before.extended(gram, c, lower, upper)
        W, n_done, n_knots = self.behind.path(alphas)
        if n_done < len(alphas) or n_knots > max_knots or self.behind.muted:
            self.serves = False
            return None
        n_active = np.count_nonzero(self.behind.sign)
        knots = n_knots * (KNOT_CALLS + KNOT_PAIR * len(index) ** 2)
        self.serves = bool(knots <= len(alphas) * (ALPHA_CALLS + ALPHA_PAIR * n_active**2))
        return np.clip(W, lower[:, None], upper[:, None]) if self.penalty.has_bounds else W

    def accept(self) -> None:
        """Go on behind the last batch, all of which is final."""
        self.before = self.behind
