"""Concave penalties: MCP and SCAD, which leave large coefficients alone.

Both begin at zero with the slope of the L1 part they stand for, l1 = alpha l1_ratio v, which then
falls to nothing, of t = |w|

    MCP   (Zhang, Ann. Statist. 38(2), 2010)      slope(t) = (l1 - t / a)+
    SCAD  (Fan and Li, JASA 96(456), 2001)        slope(t) = l1 up to l1, (a l1 - t)+ / (a - 1) on

so that there is none from a l1 on. The squared part of an elastic net stays as it is. A penalty
that bends is not scale free: t is compared with a multiple of l1. Where the units of the data
change, coefficients are measured in `units`.

A `ConcavePenalty` is made of a `Penalty`; at one alpha it is a `ScaledConcave`, whose slopes at
coefficients make the weighted L1 penalty that touches it there from above (`touching`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..caching import cached_property
from .penalties import Array, Penalty, ScaledPenalty

# What stands for no share of the L1 part beside a squared one, whose factors are multiples of it.
LEAST_SHARE = 2.0**-60


@dataclass(frozen=True)
class Concave(ABC):
    """A penalty of t >= 0 that bends, of concavity `a`: the larger, the nearer to the L1 part."""

    a: float
    #: The least concavity there is not.
    above: ClassVar[float]
    #: What is usual.
    usual: ClassVar[float]

    @abstractmethod
    def value(self, t: Array, l1: Array) -> Array:
        """The penalty."""

    @abstractmethod
    def slope(self, t: Array, l1: Array) -> Array:
        """Its derivative, from the right at zero."""

    @property
    @abstractmethod
    def knots(self) -> Array:
        """Where the slope bends, as multiples of l1, increasing."""

    @property
    @abstractmethod
    def bends(self) -> Array:
        """How fast the slope falls before, between and after the knots."""

    def piece(self, t: Array, l1: Array) -> NDArray[np.intp]:
        """On which of these pieces t is, each with its lower end."""
        found: NDArray[np.intp] = (t >= np.multiply.outer(self.knots, l1)).sum(axis=0)
        return found

    def ends(self, piece: NDArray[np.intp], l1: Array) -> tuple[Array, Array]:
        """The least and the largest t of pieces."""
        ends = np.concatenate([np.zeros(1), self.knots, np.full(1, np.inf)])
        above = ends[piece + 1]
        high = np.multiply(above, l1, out=np.full(len(l1), np.inf), where=above < np.inf)
        return ends[piece] * l1, high


class MCP(Concave):
    """The minimax concave penalty."""

    above, usual = 1.0, 3.0

    def value(self, t: Array, l1: Array) -> Array:
        """See `Concave`."""
        t = np.minimum(t, self.a * l1)
        return t * (l1 - t / (2.0 * self.a))

    def slope(self, t: Array, l1: Array) -> Array:
        """See `Concave`."""
        return np.maximum(l1 - t / self.a, 0.0)

    @property
    def knots(self) -> Array:
        """See `Concave`."""
        return np.array([self.a])

    @property
    def bends(self) -> Array:
        """See `Concave`."""
        return np.array([1.0 / self.a, 0.0])


class SCAD(Concave):
    """The penalty of smoothly clipped absolute deviations."""

    above, usual = 2.0, 3.7

    def value(self, t: Array, l1: Array) -> Array:
        """See `Concave`."""
        past = np.minimum(t, self.a * l1) - l1
        bent = np.maximum(past, 0.0)
        return l1 * (np.minimum(t, l1) + bent) - bent * bent / (2.0 * (self.a - 1.0))

    def slope(self, t: Array, l1: Array) -> Array:
        """See `Concave`."""
        return np.minimum(np.maximum(self.a * l1 - t, 0.0) / (self.a - 1.0), l1)

    @property
    def knots(self) -> Array:
        """See `Concave`."""
        return np.array([1.0, self.a])

    @property
    def bends(self) -> Array:
        """See `Concave`."""
        return np.array([0.0, 1.0 / (self.a - 1.0), 0.0])


USUAL_SHAPE = MCP(MCP.usual)
CONCAVE: dict[str, type[MCP] | type[SCAD]] = {"mcp": MCP, "scad": SCAD}


@dataclass(frozen=True)
class ScaledConcave:
    """A concave penalty at one alpha: the convex one, whose L1 part is bent."""

    convex: ScaledPenalty
    shape: Concave
    units: Array | float = 1.0

    def value(self, w: Array) -> Array:
        """Each feature's share of the penalty."""
        bent = self.shape.value(self._sizes(w), self.convex.l1)
        return self.units * bent + 0.5 * self.convex.l2 * w * w

    def slope(self, w: Array) -> Array:
        """How much the bent part still rises at w, which at zero is l1."""
        return self.shape.slope(self._sizes(w), self.convex.l1)

    def shares(self, w: Array) -> Array:
        """The same over what it is at zero; one where the bent part has no slope."""
        l1 = self.convex.l1
        return np.divide(self.slope(w), l1, out=np.ones(len(l1)), where=l1 > 0)

    def pieces(self, w: Array) -> NDArray[np.intp]:
        """Signs, times the number of the piece of the slope that each coefficient is on."""
        sign: NDArray[np.intp] = np.sign(w).astype(np.intp)
        return sign * (1 + self.shape.piece(self._sizes(w), self.convex.l1))

    def near(self, q: Array, share: float) -> NDArray[np.bool_]:
        """Whose correlations are above this share of what keeps a zero there."""
        found: NDArray[np.bool_] = np.abs(q) > share * self.convex.l1
        return found

    def curvature(self, w: Array) -> Array:
        """Second derivatives, away from zero and the knots, below zero where the bend prevails."""
        piece = self.shape.piece(self._sizes(w), self.convex.l1)
        return self.convex.l2 - self.shape.bends[piece] / self.units

    def ends(self, w: Array) -> tuple[Array, Array]:
        """The least and the largest size on the piece of the slope that each coefficient is on."""
        low, high = self.shape.ends(
            self.shape.piece(self._sizes(w), self.convex.l1), self.convex.l1
        )
        return low * self.units, high * self.units

    def take(self, index: NDArray[np.intp]) -> ScaledConcave:
        """The penalty of some of the features."""
        units = self.units if isinstance(self.units, float) else self.units[index]
        return ScaledConcave(self.convex.take(index), self.shape, units)

    def touching(self, w: Array) -> ScaledPenalty:
        """The weighted L1 penalty that, but for a constant, is as high at w and never lower."""
        return replace(self.convex, l1=self.slope(w))

    def violation(self, w: Array, q: Array) -> Array:
        """How far each correlation q is from the slopes at w: zero at a stationary point."""
        return self.touching(w).violation(w, q)

    def _sizes(self, w: Array) -> Array:
        return np.abs(w) if isinstance(self.units, float) else np.abs(w) / self.units


@dataclass(frozen=True)
class ConcavePenalty(Penalty):
    """A `Penalty` whose L1 part is bent; `units` are those that coefficients are measured in."""

    shape: Concave = USUAL_SHAPE
    units: Array | float = 1.0

    @classmethod
    def of(cls, convex: Penalty, shape: Concave) -> ConcavePenalty:
        """The L1 part of a penalty bent."""
        return cls(**_fields_of(convex), shape=shape)

    @cached_property
    def convex(self) -> Penalty:
        """The penalty that it was made of."""
        return Penalty(**_fields_of(self))

    def weighted(self, shares: Array) -> Penalty:
        """The convex penalty with shares of its L1 part, in [0, 1]."""
        if self.l1_ratio == 1.0:
            return replace(self.convex, factors=self.factors * shares)
        shares = np.maximum(shares, LEAST_SHARE)
        return replace(self.convex, factors=self.factors * shares, l2_units=self.l2_units / shares)

    def concave_at(self, alpha: float) -> ScaledConcave:
        """The penalty of strength `alpha`."""
        return ScaledConcave(self.convex.at(alpha), self.shape, self.units)

    def measured_in(self, units: Array) -> ConcavePenalty:
        """The same for coefficients whose sizes are told in other units."""
        return replace(self, units=units)

    def take(self, index: NDArray[np.intp]) -> ConcavePenalty:
        """The penalty of some of the features."""
        units = self.units if isinstance(self.units, float) else self.units[index]
        return ConcavePenalty(**_fields_of(self.convex.take(index)), shape=self.shape, units=units)


def _fields_of(penalty: Penalty) -> dict[str, Any]:
    return {each.name: getattr(penalty, each.name) for each in fields(Penalty)}
