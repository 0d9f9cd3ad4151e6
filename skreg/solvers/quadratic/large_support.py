"""Solutions with more active features than a factor of their Gram matrix can pay for.

- Where the L2 part gives every feature enough curvature, and where there are few rows:
  `dual_newton.py`, which has as many unknowns as there are rows.
- Elsewhere `support_rounds.py`, from the line through the last two solutions. Where the rounds do
  not end, the dual method with a proximal term moves to coefficients with more of the right
  support, and they are tried again from there; with a falling proximal term it converges alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ...data.design import Array, Design
from ...objective.duality import gap_at
from ...objective.penalties import ScaledPenalty
from ..base import AIM, OneTarget, Settings, Solution
from ..optimality import degrees_of_freedom, relative_gap
from .dual_newton import DualNewton, DualPoint, can_factor
from .support_rounds import SupportRounds

# The L2 part is strong from this share of each feature's variance on.
STRONG_L2 = 1e-2
# The proximal term starts at this share of a feature's variance and falls to this share of itself,
# with a factor and without; it ends where it is rounding.
FACTORED_FLOOR, FACTORED_FALL = 1e-4, 3e-2
FLOOR, FALL = 1e-1, 1e-1
LAST_FLOOR = 1e-12
# With a proximal term a gap of `AIM` leaves digits of the coefficients to be had: it falls on to
# this, or until it does not fall any more.
FINE = 1e-17
# Where the rounds have ended nothing else gets on from this gap.
ENDED = 1e-10
# The dual method stops where half the square of this bounds the relative gap.
DUAL_RESIDUAL = 1e-8
# The path is extrapolated by no more than so many times its last step.
FARTHEST_POINT = 2.0
# Costs at one alpha, in flops of a matrix product: of the kept factor of so many active features,
# as a share of their cube; of two products with an entry of X, and with X at all; of conjugate
# gradients in such products, where the L2 part is strong and elsewhere; of dual steps.
KEPT, ENTRY, CALL = 0.1, 36.0, 6e5
FEW_PRODUCTS, PRODUCTS, STEPS = 50, 200, 1.5
# The same for one alpha alone, with nothing copied of X.
STREAMED, FEW_STEPS = 16.0, 5
# A gap is corrected, and a smoother has its trace computed, where no more entries than these of
# the Gram matrix are asked for.
MOST_ENTRIES = 1 << 24


class PathState(NamedTuple):
    """A point of the path: coefficients, correlations and a residual."""

    w: Array
    q: Array
    r: Array

    def beyond(self, before: PathState, way: float) -> PathState:
        """The point so many times the way from the one before further on."""
        w, q, r = (now + way * (now - then) for now, then in zip(self, before, strict=True))
        return PathState(np.where(w * self.w > 0, w, 0.0), q, r)


def solve(one: OneTarget, alphas: Array, start: Array, settings: Settings) -> Iterator[Solution]:
    """Each alpha in turn, for one target; see `base.py`."""
    design, penalty = one.design, one.penalty
    factored = can_factor(design)
    if factored and len(alphas) == 1:
        scaled = penalty.at(alphas[0])
        factored = not (
            is_strong(design, scaled) and products_cost(design, scaled) < factor_cost(design)
        )
    return LargeSupport(one, factored).path(alphas, start, settings.max_iter)


def pays(design: Design, penalty: ScaledPenalty, n_active: int) -> bool:
    """Whether this is quicker than a factor that is kept for so many active features."""
    n, p = design.n_samples, design.n_features
    products = FEW_PRODUCTS if is_strong(design, penalty) else PRODUCTS
    cost = products * (CALL + ENTRY * design.n_stored / p * n_active)
    if n_active > n and can_factor(design):
        cost = min(cost, STEPS * (n**3 / 3 + 0.5 * ENTRY * design.n_stored + CALL))
    return bool(KEPT * float(n_active) ** 3 > cost)


def pays_at_once(design: Design, penalty: ScaledPenalty, c: Array) -> bool:
    """Whether it is for a first alpha, of whose solution nothing but correlations is known."""
    pulled = int(np.count_nonzero(np.abs(c) > penalty.l1))
    if not KEPT * float(pulled) ** 3 > CALL:
        return False
    if is_strong(design, penalty):
        gram = 0.5 * design.n_samples * float(pulled) ** 2
        return gram > min(products_cost(design, penalty), factor_cost(design))
    return pays(design, penalty, min(pulled, design.n_samples, design.n_features) // 2)


def products_cost(design: Design, penalty: ScaledPenalty) -> float:
    """Of one alpha by conjugate gradients, with a strong L2 part.

    The trace of the dual's matrix, over its rows, tells how well it is conditioned.
    """
    trace = np.divide(
        design.variances, penalty.l2, out=np.zeros_like(penalty.l2), where=penalty.l2 > 0
    ).sum()
    products = 2.0 * np.sqrt(1.0 + 2.0 * float(trace) / design.n_samples)
    return FEW_STEPS * products * (STREAMED * design.n_stored + CALL)


def factor_cost(design: Design) -> float:
    """Of one alpha by factors of the dual's matrix."""
    n, p = design.n_samples, design.n_features
    if not can_factor(design):
        return np.inf
    return float(n) ** 2 * p + FEW_STEPS * (n**3 / 3 + STREAMED * design.n_stored)


def is_strong(design: Design, penalty: ScaledPenalty) -> bool:
    """Whether the L2 part gives every feature enough curvature for the dual method alone."""
    return bool(
        penalty.has_l2
        and np.all(
            penalty.l2 >= STRONG_L2 * np.where(penalty.upper > penalty.lower, design.variances, 0.0)
        )
    )


class LargeSupport:
    """What all alphas share; `factored` tells whether the dual method factors its matrix."""

    def __init__(self, one: OneTarget, factored: bool) -> None:
        self.one, self.design, self.y = one, one.design, one.y
        self.dual, self.rounds = DualNewton(one, factored), SupportRounds(one)
        self.small = DUAL_RESIDUAL * np.sqrt(one.yy)

    def path(self, alphas: Array, start: Array, max_iter: int) -> Iterator[Solution]:
        """The solution at each alpha, from the line through those at the last two."""
        penalty = self.one.penalty
        if start.any():
            here = self._point(np.clip(start, penalty.lower, penalty.upper))
        else:
            here = PathState(start, self.one.c, self.y)
        known = list[tuple[float, PathState]]()
        for alpha in alphas.tolist():
            guess = here
            if len(known) == 2 and known[0][0] > known[1][0] > alpha:
                last = known[1][0]
                way = min((last - alpha) / (known[0][0] - last), FARTHEST_POINT)
                guess = here.beyond(known[0][1], way)
            found, here = self.solve(penalty.at(alpha), here.w, guess, max_iter)
            known = [*known[-1:], (alpha, here)]
            yield found

    def solve(
        self, penalty: ScaledPenalty, last: Array, guess: PathState, max_iter: int
    ) -> tuple[Solution, PathState]:
        """The solution at one alpha, from the last one and a guess of this."""
        strong = is_strong(self.design, penalty)
        in_rounds = not (self.dual.factored or strong) and self.rounds.serve(penalty)
        if self.dual.factored:
            floor, fall = FACTORED_FLOOR, FACTORED_FALL
        else:
            floor, fall = FLOOR, FALL
        if strong:
            floor = fall = 0.0  # no proximal term, so that one solution is enough
        found: list[tuple[Solution, PathState]] = []
        used, centre, r, q, before = 0, last, guess.r, guess.q, np.inf
        while True:
            if in_rounds and used < max_iter:
                w, n_rounds = self.rounds.run(guess.w, guess.q, max_iter - used)
                used += n_rounds
                if w is not None:
                    found.append(self._certified(penalty, w, None))
                    if found[-1][0].gap <= ENDED:
                        best = found[-1]
                        break
            if found:
                best = min(found, key=lambda one: one[0].gap)
                gap = best[0].gap
                if gap <= FINE or (gap <= AIM and (in_rounds or gap > 0.1 * before)):
                    break
                if used >= max_iter or floor < LAST_FLOOR:
                    break
                before = gap
            dual, n_steps = self.dual.solve(
                penalty, centre, r, q, floor, self.small, max(1, max_iter - used)
            )
            used += n_steps
            found.append(self._certified(penalty, dual.w, dual))
            guess, centre, r, q = found[-1][1], dual.w, dual.r, dual.q
            floor *= fall
        one, here = best
        df = self._freedom(penalty, one.coef)
        return one._replace(n_iter=max(used, 1), df=df), here

    def _point(self, w: Array) -> PathState:
        """Coefficients with the residual they leave."""
        r = self.y - self.design.predict(w)
        return PathState(w, self.design.correlate(r), r)

    def _certified(
        self, penalty: ScaledPenalty, w: Array, dual: DualPoint | None
    ) -> tuple[Solution, PathState]:
        """Coefficients with their gap, by the residual they leave or by that of the dual."""
        design, unit, here = self.design, self.one.unit, self._point(w)
        rss = float(design.norm2(here.r))
        gap = float(gap_at(w, here.q, rss, penalty)) / unit
        if dual is not None and gap > FINE:
            away = here.r - dual.r
            along, moved = self.dual.inner(here.r, away), float(design.norm2(away))
            gap = min(gap, float(gap_at(w, dual.q, rss, penalty, along, moved)) / unit)
        if gap > AIM and design.n_features * np.count_nonzero(w) <= MOST_ENTRIES:
            gap = min(gap, relative_gap(w, here.q, rss, penalty, design, unit))
        return Solution(w, gap, 0, rss, np.nan), here

    def _freedom(self, penalty: ScaledPenalty, w: Array) -> float:
        """Degrees of freedom; NaN for the trace of the smoother of too many features."""
        if not penalty.l1.any() and np.count_nonzero(w) ** 2 > MOST_ENTRIES:
            return np.nan
        return degrees_of_freedom(w, penalty, lambda index: self.design.subset(index).gram())
