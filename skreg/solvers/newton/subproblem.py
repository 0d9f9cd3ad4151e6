"""The minimum of Newton's model with the penalty: by the active set, or in closed form."""

from __future__ import annotations

import numpy as np
from scipy.linalg.lapack import dposv

from ...data.design import Array, Index
from ...objective.penalties import Penalty
from ..optimality import pseudo_solve
from ..quadratic.proximal import ProximalActiveSet
from ..tolerances import Tuning

# Rounds and iterations of the active set on one model.
MOST_ITERATIONS = 1000


class Subproblem:
    """Minimises ``1/2 w'Gw - c'w`` and the penalty over some features, from model to model.

    The active set, its predictor and its factor are kept from one model to the next; a new Gram
    matrix calls for a new factor.
    """

    def __init__(self, penalty: Penalty, rank: int, alone: bool, tuning: Tuning) -> None:
        self.penalty, self.rank, self.alone, self.tuning = penalty, rank, alone, tuning
        self.has_kinks = penalty.l1_ratio > 0.0 or penalty.has_bounds
        self.solver: ProximalActiveSet | None = None
        self.gram: Array | None = None

    def forget(self) -> None:
        """Begin anew with the next model, whose features may be others."""
        self.solver = self.gram = None

    def solve(
        self, alpha: float, index: Index, gram: Array, c: Array, square: float, w: Array
    ) -> Array:
        """Coefficients of the features `index`, the first of which are those of the last call.

        `square` is the weighted sum of squares of the model's target, `w` where a new solver
        starts.
        """
        if not self.has_kinks:
            return self._closed_form(alpha, index, gram, c)
        square = max(square, 0.0)
        if self.solver is not None and self.gram is gram:
            self.solver.yy = square
            self.solver.retarget(c)
            self.solver.solve(alpha, MOST_ITERATIONS)
            return self.solver.state.w
        changed = self.gram is not gram and (self.gram is None or len(self.gram) == len(gram))
        if self.solver is None or changed:
            self.solver = ProximalActiveSet(
                self.penalty, self.rank, square, self.alone, self.tuning
            )
        self.solver.yy, self.gram = square, gram
        self.solver.extend(gram, c, index, w)
        self.solver.solve(alpha, MOST_ITERATIONS)
        return self.solver.state.w

    def _closed_form(self, alpha: float, index: Index, gram: Array, c: Array) -> Array:
        """Without an L1 part and bounds: one Cholesky factor."""
        penalty = self.penalty.take(index)
        usable = penalty.movable & (gram.diagonal() > 0)
        chosen = np.flatnonzero(usable)
        if not len(chosen):
            return np.zeros(len(c))
        matrix = gram if usable.all() else gram[np.ix_(chosen, chosen)]
        matrix = matrix + np.diag(alpha * (1.0 - penalty.l1_ratio) * penalty.l2_factors[chosen])
        _, found, info = dposv(matrix, c[chosen], lower=1)
        w = np.zeros(len(c))
        w[chosen] = pseudo_solve(matrix, c[chosen]) if info else found
        return w
