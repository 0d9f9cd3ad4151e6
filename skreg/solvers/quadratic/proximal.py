"""The active set of features that depend on each other, by proximal points.

Where columns of the support are linearly dependent its Gram matrix is singular, and which of them
carry the fit is not determined. Around a centre v the problem

    1/2 w'Gw - c'w + sum_j l1_j |w_j| + 1/2 (w - v)'D(w - v),      D = PROXIMAL_TERM diag(G),

has one solution, and Newton's method on the active set finds it with the factor of ``G + D``, a
matrix that keeps enough digits. With the solution as the next centre the last term vanishes: this
is the proximal point algorithm (Rockafellar, SIAM J. Control Optim. 14(5), 1976), which for a
piecewise quadratic objective gains as many digits with each centre as D is smaller than the
curvature that G has on the directions it has any on. The active set, and so the factor, stays the
same after one or two centres; three or four are enough.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg.lapack import dpotrf

from ...data.design import Array, Index
from ...objective.penalties import Penalty, ScaledPenalty
from ..tolerances import DEPENDENT_IN_SUPPORT
from . import active_set
from .active_set import ActiveSet, State
from .growing_factor import GrowingFactor, symmetric_product

# The term around the centre, as a share of the curvature. What is nearly equal but for 1e-8 moves
# from one feature to the other by 1e-8 of the threshold over this term with each centre: a larger
# term needs many centres there. A smaller one comes near the pivots of dependent features, 1e-11.
PROXIMAL_TERM = 1e-9
# A centre is final when it pulls by no more than this share of the thresholds, or when the next
# one would pull by more than half as much: what is left is rounding.
FINAL = 1e-12
# Pivots of the shifted matrix above so many times the shift are those of independent features.
CLEAR = 100.0


class ProximalActiveSet(ActiveSet):
    """`ActiveSet`, with proximal points from the alpha on at which its rounds fail.

    Attributes
    ----------
    true_gram, true_c : ndarray
        Those of the problem itself; `gram`, `c` and `q` are those of the one around the centre.
    centre : ndarray of shape (m,) or None
        None as long as the features of all supports were independent.
    """

    def __init__(self, penalty: Penalty, rank: int, yy: float, alone: bool = False) -> None:
        super().__init__(penalty, rank, yy, alone)
        self.centre: Array | None = None

    def extend(self, gram: Array, c: Array, index: Index, start: Array | None = None) -> None:
        """Work on the features `index` of the penalty; see `ActiveSet`."""
        self.true_gram, self.true_c, self.shift = gram, c, PROXIMAL_TERM * gram.diagonal()
        super().extend(gram, c, index, start)
        if self.centre is not None:
            self._shift_gram()
            self._centre_on_solution()

    def solve(self, alpha: float, budget: int, final: bool = True) -> int:
        """Move to the solution at `alpha`; see `ActiveSet`.

        Where it is not `final`, but on the way to another alpha, the centre stays.
        """
        rounds, solved = self._some_rounds(alpha, budget)
        if not solved and rounds < budget:
            self._move_centre()
            more, solved = self._some_rounds(alpha, budget - rounds)
            rounds += more
        pull = np.inf
        while solved and final and self.centre is not None and rounds < budget:
            before, pull = pull, self._pull_of_centre(alpha)
            if pull <= FINAL or pull > 0.5 * before:
                break
            self._move_centre()
            more, solved = self._some_rounds(alpha, budget - rounds)
            rounds += more
        if not solved:
            rounds += self.descend(self.penalty.at(alpha), max(1, budget - rounds))
        elif final and self.centre is not None and self._independent():
            self._forget_centre()
        self.alpha = alpha
        return rounds

    def _some_rounds(self, alpha: float, budget: int) -> tuple[int, bool]:
        return self._rounds(alpha, min(active_set.ROUNDS_OF_AN_ALPHA, budget // 2))

    def descend(self, scaled: ScaledPenalty, budget: int) -> int:
        """Move by steps that lower the objective; see `ActiveSet`."""
        if self.centre is not None:
            self._forget_centre()
        return super().descend(scaled, budget)

    def _independent(self) -> bool:
        """Whether the features of the support clearly are independent."""
        active = self.active
        if len(active) > self.rank:
            return False
        if self.factor.active is active:
            pivots = self.factor.L.diagonal()[self.factor.place] ** 2
        else:
            factor, info = dpotrf(self.gram[np.ix_(active, active)], lower=1)
            pivots = np.zeros(1) if info else factor.diagonal() ** 2
        return bool(np.all(pivots > CLEAR * self.shift[active]))

    def _forget_centre(self) -> None:
        """Back to the problem itself."""
        self.gram, self.c, self.centre = self.true_gram, self.usable * self.true_c, None
        self.most, self.factor, self.line = self.rank, GrowingFactor(DEPENDENT_IN_SUPPORT), None
        self.q = self.c - symmetric_product(self.gram, self.w)

    def _move_centre(self) -> None:
        """Take the coefficients for the centre."""
        if self.centre is None:
            self._shift_gram()
            self.most, self.factor = len(self.all.factors), GrowingFactor(DEPENDENT_IN_SUPPORT)
        self._centre_on_solution()

    def _shift_gram(self) -> None:
        self.gram = self.true_gram.copy()
        self.gram[np.diag_indices_from(self.gram)] += self.shift

    def _centre_on_solution(self) -> None:
        self.centre, self.line = self.w, None
        self.c = self.usable * self.true_c + self.shift * self.w
        self.q = self.c - symmetric_product(self.gram, self.w)

    def _pull_of_centre(self, alpha: float) -> float:
        """The largest force of the term around the centre, as a share of the thresholds."""
        assert self.centre is not None
        force = self.shift * np.abs(self.w - self.centre)
        pulled = np.flatnonzero(force)
        unit = np.maximum(alpha * self.rates, self.noise)[pulled]
        return float(np.max(force[pulled] / unit, initial=0.0))

    @property
    def state(self) -> State:
        """All that changes from one alpha to the next, but the centre."""
        return self.w, self.q, self.active, self.sign, self.at, self.line, self.alpha

    @state.setter
    def state(self, state: State) -> None:
        self.w, self.q, self.active, self.sign, self.at, self.line, self.alpha = state
        if self.centre is not None:  # it may not be the one of that state
            self._centre_on_solution()
