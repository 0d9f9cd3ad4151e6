"""Newton's method on the active set: many changes of the support at once, on one Gram matrix.

Minimises ``1/2 w'Gw - c'w + sum_j l1_j |w_j| + l2_j/2 w_j^2`` in a box, at one alpha after
another. With a guess of the support A and of its signs s (the others are zero or at a bound b),
one round solves

    (G_AA + L2) w_A = c_A - l1 s_A - G_AB b,        q = c - G w,

and takes every wrong guess back at once: of A, what has the wrong sign goes to zero and what is
past a bound goes to it; of the rest, zeros with |q_j| > l1_j and bounds whose multiplier turned
join A. When nothing is left to change w is optimal, up to rounding. This is the primal-dual
active set method, a semismooth Newton method (Hintermüller, Ito and Kunisch, SIAM J. Optim.
13(3), 2002). The next alpha starts with the support that a straight line foretells: for the Lasso
the line that the solution follows while its support stays, and as long as it does no equations are
solved; else the secant through the last two solutions. About one round an alpha is left.

The rounds need not end. Where the violations stop falling, or features of A depend on each other,
the solution before is taken up by `descent.py`, whose every step lowers the objective.

Cost: a round is one Cholesky factor, |A|^3/3, and |A| m for the product with G, m features; the
factor of a large support is kept from round to round (`growing_factor.py`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...data.design import Array, Index
from ...objective.penalties import Penalty, ScaledPenalty
from ..base import Mask
from ..tolerances import CORRELATION_ROUNDING, DEPENDENT_IN_SUPPORT, KKT_TOLERANCE, SUPPORT_GROWTH
from .descent import GramModel, descend
from .growing_factor import GrowingFactor
from .support import Line, solve_on_support

# Rounds without fewer violations than ever before, after which the method is taken to cycle.
IDLE_ROUNDS = 4
# More rounds at one alpha than this are taken for cycling.
ROUNDS_OF_AN_ALPHA = 50
# Features that depend on others are dropped one by one, each for a factor, up to so many.
MOST_DROPPED = 4
# From so many active features on their factor is kept. Its solutions are exact to this share of
# the thresholds; where that takes many steps the second is enough to see who joins and leaves.
KEPT_FROM = 200
STEP_EXACT, STEP_ROUGH = 1e-12, 1e-4

Sides = NDArray[np.int8]

State = tuple[Array, Array, Index, Array, Sides, Line | None, float]


class ActiveSet:
    """The solution at one alpha, and which features are active, zero or at a bound.

    Parameters
    ----------
    penalty : Penalty
        Of all features the set may ever hold.
    rank : int
        The rank the Gram matrix has at most.
    yy : float
        Mean square of the target.
    alone : bool, default=False
        Whether no other alpha follows, for which a line would be needed.

    Attributes
    ----------
    w, q : ndarray of shape (m,)
        Coefficients and correlations of the residual at the last alpha.
    """

    def __init__(self, penalty: Penalty, rank: int, yy: float, alone: bool = False) -> None:
        self.all = penalty
        self.rank, self.yy = rank, yy
        self.most = rank  # features of a support: more where they may be dependent
        self.factor = GrowingFactor(DEPENDENT_IN_SUPPORT)
        self.boxed, self.ridged = penalty.has_bounds, penalty.l1_ratio < 1.0
        self.straight = not (self.ridged or alone)
        self.active = np.empty(0, dtype=np.intp)  # in order of entry
        self.sign = np.empty(0)  # of active features that are penalised, else zero
        self.at = np.empty(0, dtype=np.int8)  # +1 at the upper bound, -1 at the lower
        self.w = self.q = np.empty(0)
        self.line: Line | None = None
        self.alpha = np.inf

    def extend(self, gram: Array, c: Array, index: Index, start: Array | None = None) -> None:
        """Work on the features `index` of the penalty, the first of which are the present ones.

        `gram` and `c` are theirs; `start` has coefficients to begin with, zeros where None.
        """
        m, known = len(index), len(self.w)
        whole = self.all
        self.gram = gram
        self.curvature = gram.diagonal().copy()
        usable = self.curvature > 0
        self.c = np.where(usable, c, 0.0)
        self.penalty = whole.take(index)
        self.penalised = self.penalty.factors > 0
        factors = self.penalty.factors  # thresholds and L2 part in units of alpha
        self.rates = whole.l1_ratio * factors
        self.ridges = (1.0 - whole.l1_ratio) * self.penalty.l2_factors
        self.room_above, self.room_below = self.penalty.upper > 0, self.penalty.lower < 0
        self.usable = usable & (self.penalty.upper > self.penalty.lower)
        self.noise = CORRELATION_ROUNDING * np.sqrt(self.curvature * self.yy)
        self.shut = np.where(self.usable, self.noise, np.inf)
        w, line = np.zeros(m), self.line
        w[:known] = self.w
        if start is not None:
            w[known:] = start[known:]
        self.adopt(w)
        if line is not None:
            dw = np.append(line.dw, np.zeros(m - known))
            self.line = Line(self.alpha, w, self.q, dw, -(gram @ dw), line.span, exact=False)

    def adopt(self, w: Array) -> None:
        """Take these coefficients for the solution at the last alpha."""
        penalty, free = self.penalty, self.usable & ~self.penalised
        if not np.count_nonzero((w != 0) | free):
            self.w, self.q, self.line, self.active = w, self.c, None, self.active[:0]
            self.at, self.sign = np.zeros(len(w), dtype=np.int8), np.zeros(len(w))
            return
        w = np.clip(w, penalty.lower, penalty.upper) if self.boxed else w
        w = np.where(self.usable, w, 0.0)
        self.w, self.q, self.line = w, self.c - self.gram @ w, None
        self.at = np.zeros(len(w), dtype=np.int8)
        if self.boxed:
            used = free | (w != 0)
            self.at[used & (w == penalty.upper)] = 1
            self.at[used & (w == penalty.lower)] = -1
        chosen = ((w != 0) | free) & (self.at == 0)
        stay = self.active[chosen[self.active]]
        chosen[stay] = False
        self.active = np.concatenate([stay, chosen.nonzero()[0]])
        self.sign = np.sign(w) * self.penalised

    @property
    def state(self) -> State:
        """All that changes from one alpha to the next."""
        return self.w, self.q, self.active, self.sign, self.at, self.line, self.alpha

    @state.setter
    def state(self, state: State) -> None:
        self.w, self.q, self.active, self.sign, self.at, self.line, self.alpha = state

    def solve(self, alpha: float, budget: int) -> int:
        """Move to the solution at `alpha` in no more than `budget` rounds and iterations.

        Returns how many there were.
        """
        rounds, solved = self._rounds(alpha, min(ROUNDS_OF_AN_ALPHA, budget // 2))
        if not solved:
            rounds += self.descend(self.penalty.at(alpha), max(1, budget - rounds))
        self.alpha = alpha
        return rounds

    def descend(self, scaled: ScaledPenalty, budget: int) -> int:
        """Move by steps that lower the objective; returns the number of iterations."""
        w = np.clip(self.w, scaled.lower, scaled.upper)
        _, n_iter = descend(GramModel(self.gram, self.c), w, scaled, self.yy, budget, None)
        self.adopt(w)
        return n_iter

    def _rounds(self, alpha: float, limit: int) -> tuple[int, bool]:
        """Rounds from the last solution; whether they ended. If not, nothing has changed."""
        l1, at, penalty = alpha * self.rates, self.at, self.penalty
        threshold = l1 * (1.0 + KKT_TOLERANCE) + self.shut
        edge = threshold
        near = self._ahead(alpha)
        active, sign = self._predicted(near, edge)
        if self.line is not None and self.line.exact and active is self.active and not self.boxed:
            self.w, self.q = near
            return 1, True
        fewest, idle, dropped = len(l1) + 1, 0, 0
        exact = STEP_ROUGH if self.ridged else STEP_EXACT
        for rounds in range(1, limit + 1):
            w, c = np.zeros(len(l1)), self.c
            if self.boxed:
                w = np.where(at > 0, penalty.upper, np.where(at < 0, penalty.lower, 0.0))
                c = c - self.gram @ w
            slope, kept = None, self._from_kept_factor(alpha, active, sign, w, near, exact)
            if kept is not None:
                w, q = kept
            else:
                found, dependent = self._on_support(alpha, active, sign, w, c)
                if dependent is not None:
                    dropped += len(active) <= self.most or self.ridged
                    if dropped > MOST_DROPPED:
                        break
                    edge, sign = edge.copy(), sign.copy()
                    edge[active[dependent]] = np.inf
                    sign[active[dependent]] = 0.0
                    active = np.delete(active, dependent)
                    continue
                w, q, slope = found
            near = w, q
            wrong = w * sign < 0.0
            enter = np.abs(q) > edge
            enter[active] = False
            if self.boxed:
                at, wrong, enter = self._at_bounds(alpha, w, q, active, at, wrong, enter)
            n_leave, n_enter = int(np.count_nonzero(wrong)), int(np.count_nonzero(enter))
            if not n_leave and not n_enter:
                if kept is not None and exact > STEP_EXACT:
                    exact = STEP_EXACT
                    continue
                # One that is kept out, as it depends on others, may have had to join.
                if edge is not threshold and self._pulled(q, active, threshold).any():
                    break
                if slope is not None:
                    self.line = Line(alpha, w, q, *slope, 1.0, exact=True)
                elif alpha < self.alpha:
                    span = self.alpha - alpha
                    self.line = Line(alpha, w, q, w - self.w, q - self.q, span, exact=False)
                elif self.line is not None:
                    self.line = self.line._replace(alpha=alpha, w=w, q=q, exact=False)
                self.w, self.q, self.active, self.sign, self.at = w, q, active, sign, at
                return rounds, True
            idle = 0 if n_leave + n_enter < fewest else idle + 1
            if idle == IDLE_ROUNDS:
                break
            fewest = min(fewest, n_leave + n_enter)
            active, sign = self._changed(active, sign, at, wrong, enter, q, edge)
            if n_leave:
                edge = threshold  # those that depended on what left may be free of it
        else:
            rounds = limit
        return rounds, False

    def _ahead(self, alpha: float) -> tuple[Array, Array]:
        """Coefficients and correlations on the line."""
        line = self.line
        if line is None:
            return self.w, self.q
        ahead = line.ahead(alpha)
        if not line.exact:
            self.factor.drift(ahead)
        return line.at(ahead)

    def _from_kept_factor(
        self,
        alpha: float,
        active: Index,
        sign: Array,
        w: Array,
        near: tuple[Array, Array],
        exact: float,
    ) -> tuple[Array, Array] | None:
        """Coefficients and correlations of many active features from some `near`; others as in w.

        None where a factor of their own is better, or a feature depends on the others.
        """
        if len(active) < KEPT_FROM or (len(active) > self.most and not self.ridged):
            return None
        if self.ridged:
            self.factor.serve(alpha, alpha * self.ridges)
        w = w.copy()
        w[active] = near[0].take(active)
        q = self.factor.correlations(self.gram, self.c, near, w, len(active))
        pull, ridge = alpha * (self.rates * sign).take(active), alpha * self.ridges.take(active)
        return self.factor.move(self.gram, active, ridge, pull, w, q, exact)

    def _on_support(
        self, alpha: float, active: Index, sign: Array, w: Array, c: Array
    ) -> tuple[tuple[Array, Array, tuple[Array, Array] | None], int | None]:
        """Coefficients and correlations, and their slopes; or who of A depends on others.

        Writes to w. `c` are the correlations of what the other features leave.
        """
        rows = self.gram.take(active, 0)
        if len(active) > self.most and not self.ridged:
            return (w, c, None), len(active) - 1
        pull = self.rates * sign
        pulls = np.array([c - alpha * pull, pull] if self.straight else [c - alpha * pull])
        ridge = alpha * self.ridges.take(active) if self.ridged else None
        found, dependent = solve_on_support(active, rows, pulls.take(active, 1), ridge)
        w[active] = found[0]
        turned = found.dot(rows)
        if not self.straight:
            return (w, c - turned[0], None), dependent
        dw = np.zeros(len(w))
        dw[active] = found[1]
        return (w, c - turned[0], (dw, -turned[1])), dependent

    def _changed(
        self, active: Index, sign: Array, at: Sides, leave: Mask, enter: Mask, q: Array, edge: Array
    ) -> tuple[Index, Array]:
        """Support and signs after some leave and others join, the most violated if many."""
        sign = sign.copy()
        if np.count_nonzero(leave):
            active = active[~leave.take(active)]
            sign[leave & (at == 0)] = 0.0
        new = enter.nonzero()[0]
        # Where all features may be independent there is no reason to be careful.
        room = len(sign)
        if not len(sign) <= self.rank == self.most:
            room = max(SUPPORT_GROWTH, len(active) // 2)
        if len(new) > room:
            excess = np.abs(q[new]) / edge[new]
            new = new[np.argpartition(-excess, room)[:room]]
        fresh = np.sign(q[new])
        if self.boxed:  # what comes back from a bound keeps the sign it had
            fresh = np.where(sign[new] == 0, fresh, sign[new])
        sign[new] = fresh * self.penalised[new]
        return np.concatenate([active, new]), sign

    def _predicted(self, near: tuple[Array, Array], edge: Array) -> tuple[Index, Array]:
        """Support and signs on the line; the same objects where nothing changes."""
        if self.line is None and len(self.active):  # by nothing but q too many would join
            return self.active, self.sign
        w, q = near
        wrong = w * self.sign < 0.0
        enter = self._pulled(q, self.active, edge)
        if self.boxed:
            wrong &= self.at == 0
        if not (np.count_nonzero(wrong) or np.count_nonzero(enter)):
            return self.active, self.sign
        return self._changed(self.active, self.sign, self.at, wrong, enter, q, edge)

    def _at_bounds(
        self, alpha: float, w: Array, q: Array, active: Index, at: Sides, wrong: Mask, enter: Mask
    ) -> tuple[Sides, Mask, Mask]:
        """Who is at a bound after this round, who leaves the support and who joins it."""
        found, off = w.take(active), wrong.take(active)
        above = active[(found > self.penalty.upper.take(active)) & ~off]
        below = active[(found < self.penalty.lower.take(active)) & ~off]
        leave = np.zeros(len(w), dtype=bool)
        leave[active] = off
        leave[above] = leave[below] = True
        enter = enter & (at == 0) & self._may_enter(q)
        at, held = at.copy(), at.nonzero()[0]
        if len(held):
            l1, b = alpha * self.rates[held], w[held]
            pull = q[held] - alpha * self.ridges[held] * b - l1 * np.sign(b)
            back = held[at[held] * pull < -(KKT_TOLERANCE * l1 + self.noise[held])]
            enter[back], at[back] = True, 0
        at[above], at[below] = 1, -1
        return at, leave, enter

    def _may_enter(self, q: Array) -> Mask:
        """Zeros that have room on the side their correlation pulls them to."""
        return np.where(q > 0, self.room_above, self.room_below)

    def _pulled(self, q: Array, active: Index, edge: Array) -> Mask:
        """Features outside the support and at no bound that are pulled past `edge`."""
        out = np.abs(q) > edge
        out[active] = False
        if self.boxed:
            out &= (self.at == 0) & self._may_enter(q)
        return out
