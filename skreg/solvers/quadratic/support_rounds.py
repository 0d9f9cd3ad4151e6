"""Rounds of Newton's method on the active set by products with X, for a large support.

As in `active_set.py` one round solves the equations of a support A with signs s,

    (G_AA + L2) w_A = c_A - l1 s_A,        q = c - G w,

and takes every wrong guess back at once. Conjugate gradients, preconditioned by the diagonal,
stand in for a factor: G is never formed. While the support changes they stop early, as a rough
solution is enough to see who joins and who leaves.

Cost of a round: two products with the active columns for each iteration, whose number grows with
the root of the condition number of their Gram matrix, and two with all of X.
"""

from __future__ import annotations

import numpy as np

from ...data.design import Array, Index
from ...objective.penalties import ScaledPenalty
from ..base import Mask, OneTarget
from ..tolerances import KKT_TOLERANCE_OF_PRODUCTS, SUPPORT_GROWTH

# Equations are solved to this share of the largest threshold while the support changes, and then.
SOLVED_ROUGHLY, SOLVED = 1e-3, 1e-12
# Iterations of one solve.
PRODUCTS_OF_A_SOLVE = 1000
# Rounds without fewer violations than ever before, or at all, after which they are taken to cycle.
MOST_IDLE_ROUNDS, MOST_ROUNDS = 4, 25


class SupportRounds:
    """Rounds on one design and target, at one penalty after another."""

    def __init__(self, one: OneTarget) -> None:
        design = one.design
        self.design, self.y, self.c = design, one.y, one.c
        self.rank = min(design.n_samples - (design.mean is not None), design.n_features)

    def serve(self, penalty: ScaledPenalty) -> bool:
        """Take this penalty; False where it has bounds other than zero, which they do not see."""
        bounds = np.concatenate([penalty.lower, penalty.upper])
        if np.any((bounds != 0) & np.isfinite(bounds)):
            return False
        self.penalty, l1 = penalty, penalty.l1
        self.usable = (penalty.upper > penalty.lower) & (self.design.variances > 0)
        self.flat = self.usable & (l1 == 0) & (penalty.lower < 0) & (penalty.upper > 0)
        self.ridged = bool(np.all(penalty.l2[self.usable] > 0))
        self.unit = float(l1.max(initial=0.0)) or float(np.abs(self.c).max(initial=0.0))
        self.edge = np.where(l1 > 0, l1, self.unit) * KKT_TOLERANCE_OF_PRODUCTS + l1
        return True

    def run(self, w: Array, q: Array, limit: int) -> tuple[Array | None, int]:
        """Coefficients from a guess of them and of their correlations, and how many rounds it took.

        None in place of coefficients where the rounds do not end.
        """
        active = self.usable & ((w != 0) | self.flat)
        sign = np.where(self.flat, 0.0, np.sign(w))
        active, sign, _ = self._joined(active, sign, q)
        share, fewest, idle = SOLVED_ROUGHLY, len(w) + 1, 0
        for n_rounds in range(1, min(limit, MOST_ROUNDS) + 1):
            index = active.nonzero()[0]
            if len(index) > self.rank and not self.ridged:
                return None, n_rounds
            start = np.where(w * sign >= 0, w, 0.0)[index]
            found, solved = self._on_support(index, sign[index], start, share * self.unit)
            w = np.zeros(len(w))
            w[index] = found
            q = self.design.correlate(self.y - self.design.predict(w))
            wrong = active & (w * sign < 0)
            n_wrong = int(np.count_nonzero(wrong))
            active, sign, n_pulled = self._joined(active & ~wrong, sign, q, wrong)
            if not n_wrong and not n_pulled:
                if share == SOLVED:
                    return (w if solved else None), n_rounds
                share = SOLVED
                continue
            idle = 0 if n_wrong + n_pulled < fewest else idle + 1
            fewest = min(fewest, n_wrong + n_pulled)
            if idle == MOST_IDLE_ROUNDS:
                if share == SOLVED:
                    break
                share, fewest, idle = SOLVED, len(w) + 1, 0  # the errors may be what cycles
        return None, min(limit, MOST_ROUNDS)

    def _joined(
        self, active: Mask, sign: Array, q: Array, left: Mask | None = None
    ) -> tuple[Mask, Array, int]:
        """Support and signs after those that are pulled over their thresholds have joined.

        The most pulled if many; also returns how many are pulled. Those that `left` stay out.
        """
        penalty = self.penalty
        room = np.where(q > 0, penalty.upper > 0, penalty.lower < 0)
        pulled = self.usable & ~active & room & (np.abs(q) > self.edge)
        if left is not None:
            pulled &= ~left
        new = pulled.nonzero()[0]
        n_active = int(np.count_nonzero(active))
        most = len(q) if len(q) <= self.rank or self.ridged else max(SUPPORT_GROWTH, n_active // 2)
        if len(new) > most:
            score = np.abs(q[new]) / self.edge[new]
            new = new[np.argpartition(-score, most)[:most]]
        active, sign = active.copy(), np.where(active, sign, 0.0)
        active[new], sign[new] = True, np.sign(q[new])
        return active, sign, int(np.count_nonzero(pulled))

    def _on_support(self, index: Index, sign: Array, x: Array, least: float) -> tuple[Array, bool]:
        """Coefficients of a support, from x, with a gradient of at most `least`; whether met."""
        part, ridge = self.design.subset(index), self.penalty.l2[index]
        diagonal = self.design.variances[index] + ridge
        r = part.correlate(self.y - part.predict(x)) - self.penalty.l1[index] * sign - ridge * x
        z = r / diagonal
        search, size = z, float(r @ z)
        for _ in range(PRODUCTS_OF_A_SOLVE):
            if np.abs(r).max(initial=0.0) <= least:
                return x, True
            image = part.correlate(part.predict(search)) + ridge * search
            curvature = float(search @ image)
            if not curvature > 0.0:
                return x, False
            x = x + (size / curvature) * search
            r = r - (size / curvature) * image
            z = r / diagonal
            size, before = float(r @ z), size
            search = z + (size / before) * search
        return x, False
