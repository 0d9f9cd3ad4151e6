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

    @abstractmethod
    def piece(self, t: Array, l1: Array) -> NDArray[np.intp]:
        """Which of the pieces between its knots, on which the slope is a straight line."""

    @abstractmethod
    def bend(self, piece: NDArray[np.intp]) -> Array:
        """How fast the slope falls on a piece."""


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

    def piece(self, t: Array, l1: Array) -> NDArray[np.intp]:
        """See `Concave`."""
        return (t >= self.a * l1).astype(np.intp)

    def bend(self, piece: NDArray[np.intp]) -> Array:
        """See `Concave`."""
        return np.array([1.0 / self.a, 0.0])[piece]


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

    def piece(self, t: Array, l1: Array) -> NDArray[np.intp]:
        """See `Concave`."""
        return (t >= l1).astype(np.intp) + (t >= self.a * l1)

    def bend(self, piece: NDArray[np.intp]) -> Array:
        """See `Concave`."""
        return np.array([0.0, 1.0 / (self.a - 1.0), 0.0])[piece]


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

    def excess(self, w: Array, shares: Array) -> Array:
        """The slope in w of such shares of the L1 part, less that of the bent part."""
        return (shares * self.convex.l1 - self.slope(w)) * np.sign(w)

    def pieces(self, w: Array) -> NDArray[np.intp]:
        """Signs, times the number of the piece of the slope that each coefficient is on."""
        sign: NDArray[np.intp] = np.sign(w).astype(np.intp)
        return sign * (1 + self.shape.piece(self._sizes(w), self.convex.l1))

    def curvature(self, w: Array) -> Array:
        """Second derivatives, away from zero and the knots, below zero where the bend prevails."""
        piece = self.shape.piece(self._sizes(w), self.convex.l1)
        return self.convex.l2 - self.shape.bend(piece) / self.units

    def smooth(self, w: Array) -> NDArray[np.bool_]:
        """Coefficients that are neither zero nor at a bound."""
        return (w > self.convex.lower) & (w < self.convex.upper) & (w != 0)

    def touching(self, w: Array) -> ScaledPenalty:
        """The weighted L1 penalty that, but for a constant, is as high at w and never lower."""
        return replace(self.convex, l1=self.slope(w))

    def violation(self, w: Array, q: Array) -> Array:
        """How far each correlation q is from the slopes at w: zero at a stationary point."""
        return self.touching(w).violation(w, q)

    def _sizes(self, w: Array) -> Array:
        return np.abs(w) / self.units


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
