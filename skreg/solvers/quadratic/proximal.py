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
from .active_set import ActiveSet
from .cholesky import Factor, symmetric_product
from .state import Model

# The term around the centre, as a share of the curvature. What is nearly equal but for 1e-8 moves
# from one feature to the other by 1e-8 of the threshold over this term with each centre: a larger
# term needs many centres there. A smaller one comes near the pivots of dependent features, 1e-11.
PROXIMAL_TERM = 1e-9
# A centre is final when the force of its term is below this share of the thresholds, or above half
# that of the centre before: what is left is rounding.
FINAL = 1e-12
# Pivots of the shifted matrix above so many times the shift are those of independent features.
CLEAR = 100.0


class ProximalActiveSet(ActiveSet):
    """`ActiveSet`, with proximal points from the alpha on at which its rounds fail.

    The state's model is then that of the problem around the centre.
    """

    def extend(self, gram: Array, c: Array, index: Index, start: Array | None = None) -> None:
        """Work on the features `index` of the penalty; see `ActiveSet`."""
        centred, factor = self.state.model.centre is not None, self.state.factor
        self.shift = PROXIMAL_TERM * gram.diagonal()
        self.shifted: Array | None = None
        super().extend(gram, c, index, start)
        self.plain = self.state.model
        if centred:
            self._centre_on_solution()
            self.state = self.state._replace(factor=factor)

    def retarget(self, c: Array) -> None:
        """Take another linear term, around the same centre; see `ActiveSet`."""
        self.plain = self.plain._replace(c=np.where(self.usable, c, 0.0))
        centre = self.state.model.centre
        super().retarget(self.plain.c if centre is None else self.plain.c + self.shift * centre)

    def solve(self, alpha: float, budget: int, final: bool = True) -> int:
        """Move to the solution at `alpha`; see `ActiveSet`.

        Where it is not `final`, but on the way to another alpha, the centre stays.
        """
        last = self.state.alpha
        rounds, solved = self._rounds(alpha, last, budget)
        if solved and self.state.model.centre is None:
            return rounds
        if not solved and rounds < budget:
            self._centre_on_solution()
            more, solved = self._rounds(alpha, last, budget - rounds)
            rounds += more
        force = np.inf
        while solved and final and self.state.model.centre is not None and rounds < budget:
            before, force = force, self._force_of_centre(alpha)
            if force <= FINAL or force > 0.5 * before:
                break
            self._centre_on_solution()
            more, solved = self._rounds(alpha, last, budget - rounds)
            rounds += more
        if not solved:
            rounds += self.descend(alpha, max(1, budget - rounds))
        elif final and self.state.model.centre is not None and self._independent():
            self._take(self.plain, Factor.empty(self.state.factor.rows))
        return rounds

    def descend(self, alpha: float, budget: int) -> int:
        """Move by steps that lower the objective; see `ActiveSet`."""
        if self.state.model.centre is not None:
            self._take(self.plain, Factor.empty(self.state.factor.rows))
        return super().descend(alpha, budget)

    def _independent(self) -> bool:
        """Whether the features of the support clearly are independent."""
        active, factor = self.state.pattern.active, self.state.factor
        if len(active) > self.rank:
            return False
        if factor.serves(active):
            pivots = factor.pivots()
        else:
            lower, info = dpotrf(self.state.model.gram[np.ix_(active, active)], lower=1)
            pivots = np.zeros(1) if info else lower.diagonal() ** 2
        return bool(np.all(pivots > CLEAR * self.shift[active]))

    def _centre_on_solution(self) -> None:
        """Take the coefficients for the centre."""
        state, gram = self.state, self.shifted
        if gram is None:
            self.shifted = gram = self.plain.gram.copy()
            gram[np.diag_indices_from(gram)] += self.shift
        model = Model(gram, self.plain.c + self.shift * state.w, state.w)
        self._take(
            model,
            state.factor if state.model.centre is not None else Factor.empty(state.factor.rows),
        )

    def _take(self, model: Model, factor: Factor) -> None:
        """Go on with another model from the same coefficients."""
        q = model.c - symmetric_product(model.gram, self.state.w)
        self.state = self.state._replace(model=model, q=q, predictor=None, factor=factor, age=0)

    def _force_of_centre(self, alpha: float) -> float:
        """The largest force of the term around the centre, as a share of the thresholds."""
        w, centre = self.state.w, self.state.model.centre
        assert centre is not None
        force = self.shift * np.abs(w - centre)
        moved = np.flatnonzero(force)
        unit = np.maximum(alpha * self.rates, self.noise)[moved]
        return float(np.max(force[moved] / unit, initial=0.0))
