"""The penalty of all coefficients of a feature together, which then enter the model together.

With several targets the coefficients of feature j are a row w_j, and the penalty is one of the
row's Euclidean length |w_j|. Its sum over the features is the L2,1 norm, that of the group Lasso
(Yuan and Lin, JRSS B 68(1), 2006) and of multi-task models. Of a single target it is that of
`penalties.py`. A bound has no meaning for a length, and there are none but those of a feature that
is excluded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..caching import cached_property
from .penalties import Array, Box, Penalty


def row_lengths(W: Array) -> Array:
    """Euclidean lengths of the rows, which are last."""
    return np.sqrt(np.einsum("...k,...k->...", W, W))


@dataclass(frozen=True)
class ScaledGroupPenalty(Box):
    """The penalty at one alpha, or at several, which are then the first axis of all but the bounds.

    l1 and l2 have shape (n_features,), bounds too; coefficients have the targets on an axis more.
    """

    couples_targets: ClassVar[bool] = True

    l1: Array
    l2: Array
    lower: Array
    upper: Array

    def value(self, W: Array) -> Array:
        """Each feature's share of the penalty."""
        size = row_lengths(W)
        return np.asarray(self.l1 * size + 0.5 * self.l2 * size * size)

    def prox(self, Z: Array, curvature: Array) -> Array:
        """Minimise ``curvature/2 |w|^2 - z w + penalty(w)``, row by row.

        A feature without any curvature (a constant column) gets zero.
        """
        size, total = row_lengths(Z), curvature + self.l2
        kept = np.maximum(size - self.l1, 0.0) * self.movable
        moves = (size > 0) & (total > 0)
        share = np.divide(kept, size * total, out=np.zeros_like(size), where=moves)
        return np.asarray(share[..., None] * Z)

    def conjugate(self, Q: Array) -> Array:
        """Fenchel conjugate ``sup_w q w - penalty(w)``; inf where unbounded."""
        excess = np.maximum(row_lengths(Q) - self.l1, 0.0) * self.movable
        found = np.where(excess > 0, np.inf, 0.0)
        with np.errstate(over="ignore"):
            np.divide(excess * excess, 2.0 * self.l2, out=found, where=self.l2 > 0)
        return found

    def wanted(self, W: Array, Q: Array) -> Array:
        """The correlations nearest to Q at which W has no gap."""
        size = row_lengths(W)
        share = np.divide(self.l1, size, out=np.zeros_like(size), where=size > 0)
        used = (share + self.l2)[..., None] * W
        return np.where((size > 0)[..., None], used, self._inside(Q))

    def violation(self, W: Array, Q: Array) -> Array:
        """How far correlations Q are from the slopes at W: zero where the KKT condition holds.

        Q is minus the gradient of the loss in the coefficients.
        """
        return np.asarray(row_lengths(Q - self.wanted(W, Q)) * self.movable)

    def gaps(self, W: Array, Q: Array) -> Array:
        """``value + conjugate - q w`` of each feature, a sum of two that are both at least zero."""
        inside = self._inside(Q)
        found = self.l1 * row_lengths(W) - np.einsum("...k,...k->...", inside, W)
        past = row_lengths(Q - inside - self.l2[..., None] * W)
        rest = np.where(past > 0, np.inf, 0.0)
        np.divide(past * past, 2.0 * self.l2, out=rest, where=self.l2 > 0)
        return np.asarray(np.where(self.movable, np.maximum(found, 0.0) + rest, 0.0))

    def into_domain(self, Q: Array) -> tuple[Array, Array]:
        """The largest share of Q, at most one, with finite conjugates; and so much of it."""
        flat = (self.l2 == 0) & self.movable
        size = row_lengths(Q)
        limit = np.maximum(size, self.l1)
        share = np.divide(self.l1, limit, out=np.ones(size.shape), where=flat & (limit > 0))
        tau = share.min(axis=-1, initial=1.0)
        dual = tau[..., None, None] * Q
        # It may be past its threshold by a rounding error, where the conjugate is infinite.
        return tau, np.where(flat[..., None], self._inside(dual), dual)

    def _inside(self, Q: Array) -> Array:
        """Q, brought to its threshold where it is past it."""
        size = row_lengths(Q)
        share = np.divide(self.l1, size, out=np.ones_like(size), where=size > self.l1)
        return np.asarray(share[..., None] * Q)

    @cached_property
    def has_l1(self) -> bool:
        """Whether a feature has a part that is linear in its length."""
        return bool(np.count_nonzero(self.l1))

    @property
    def by_length(self) -> NDArray[np.bool_]:
        """Which features have it."""
        return np.asarray(self.l1 > 0)

    @property
    def vanishes(self) -> bool:
        """Whether no feature is penalised."""
        return not (self.has_l1 or np.count_nonzero(self.l2))


class GroupPenalty(Penalty):
    """``alpha * factor_j * (l1_ratio |w_j| + (1 - l1_ratio)/2 |w_j|^2)`` of rows w_j.

    Its parameters are those of `Penalty`, without bounds but those of excluded features.
    """

    couples_targets = True

    @cached_property
    def each(self) -> Penalty:
        """That of a target by itself."""
        return Penalty(self.l1_ratio, self.factors, self.lower, self.upper, self.l2_units)

    def for_targets(self, n_targets: int) -> Penalty:
        """The penalty of so many targets: of one, or without an L1 part, nothing is coupled."""
        return self if n_targets > 1 and self.l1_ratio else self.each

    def _scaled(self, alpha: float) -> Any:
        one = self.each.at(alpha)
        return ScaledGroupPenalty(one.l1, one.l2, one.lower, one.upper) if one.has_l1 else one

    def at_each(self, alphas: Array) -> Any:
        """The penalties at many alphas, which are the first axis where there is an L1 part."""
        each = self.each.at_each(alphas)
        if len(self.factors) and not each.has_l1:
            return each
        return ScaledGroupPenalty(each.l1.T, each.l2.T, self.lower, self.upper)

    def alpha_max(self, q: Array) -> float:
        """Smallest alpha at which every penalised feature is zero; see `Penalty`."""
        return self.each.alpha_max(row_lengths(q.reshape(len(q), -1)))
