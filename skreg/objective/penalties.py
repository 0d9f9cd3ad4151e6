"""Separable penalties: L1 and squared L2 with a factor a feature, inside a box.

A `Penalty` holds the shape that does not change along a path (mixing, factors, bounds);
``penalty.at(alpha)`` gives the `ScaledPenalty` of one problem

    P(w) = 1/2 ||y - Xw||^2_omega + sum_j [ l1_j |w_j| + l2_j/2 w_j^2 ],  lower_j <= w_j <= upper_j,

with row weights omega that sum to one. Both are frozen: solvers ask them and change nothing. Those
of the quadratic problem alone read ``l1``, ``l2`` and the bounds as arrays; what else there is asks

    penalty.at(alpha).value(w), .prox(z, d), .conjugate(q)     feature by feature
    penalty.at(alpha).violation(w, q)                          of the KKT conditions
    penalty.alpha_max(q)                                       from where on all is zero.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, ClassVar, Self, TypeGuard

import numpy as np
from numpy.typing import NDArray

from ..caching import cached_property

Array = NDArray[np.float64]

# Penalties of all features alike are made once for models of so many features at most.
FEW = 1000
# As good as infinite beside data of order one, and still a number when it is multiplied by zero.
HUGE = 2.0**1000


class Box:
    """What the bounds of a penalty tell, of shape (n_features,) with ``lower <= 0 <= upper``."""

    lower: Array
    upper: Array

    @cached_property
    def boxed(self) -> bool:
        """Whether there is a finite bound, that of an excluded feature included."""
        n_finite = np.count_nonzero(np.isfinite(self.lower))
        return bool(n_finite or np.count_nonzero(np.isfinite(self.upper)))

    @cached_property
    def movable(self) -> NDArray[np.bool_]:
        """Features that are not excluded."""
        return self.upper > self.lower

    @cached_property
    def has_bounds(self) -> bool:
        """Whether a feature that is not excluded has a finite bound."""
        if not self.boxed:
            return False
        finite = np.isfinite(self.lower) | np.isfinite(self.upper)
        return bool(np.any(self.movable & finite))

    def clip(self, w: Array) -> Array:
        """The nearest coefficients within the bounds; features come last."""
        return np.clip(w, self.lower, self.upper)

    def nearest_shift(self, W: Array, shift: Array) -> Array:
        """The number nearest to `shift`, feature by feature, that all of W less it have room for.

        W, of shape (..., n_classes, n_features), is within the bounds.
        """
        return np.clip(shift, W.max(axis=-2) - self.upper, W.min(axis=-2) - self.lower)


@dataclass(frozen=True)
class ScaledPenalty(Box):
    """The penalty at one alpha. All arrays have shape (n_features,).

    `has_l2` and `boxed` are False where no feature has an L2 part or a finite bound, which saves
    work; True is always right.
    """

    couples_targets: ClassVar[bool] = False

    l1: Array
    l2: Array
    lower: Array
    upper: Array
    has_l2: bool = True
    boxed: bool = True

    def value(self, w: Array) -> Array:
        """Each feature's share of the penalty."""
        linear = self.l1 * np.abs(w)
        return linear + 0.5 * self.l2 * w * w if self.has_l2 else linear

    def prox(self, z: Array, curvature: Array) -> Array:
        """Minimise ``curvature/2 w^2 - z w + penalty(w)`` in the box, feature by feature.

        A feature without any curvature (a constant column) gets zero.
        """
        shrunk = z - np.minimum(np.maximum(z, -self.l1), self.l1)
        total = curvature + self.l2 if self.has_l2 else curvature
        w = shrunk / np.where(total > 0, total, np.inf)
        return np.minimum(np.maximum(w, self.lower), self.upper) if self.boxed else w

    def conjugate(self, q: Array) -> Array:
        """Fenchel conjugate ``sup_w q w - penalty(w)`` over the box; inf where unbounded."""
        excess = np.maximum(np.abs(q) - self.l1, 0.0)
        if not (self.has_l2 or self.boxed):
            np.copyto(excess, np.inf, where=excess > 0)
            return excess
        reach = np.where(q > 0, self.upper, -self.lower)
        if not self.has_l2:
            return np.where(excess > 0, reach, 0.0) * excess
        smooth = self.l2 > 0
        # An infinite result means an unbounded supremum; 0 * inf never occurs.
        with np.errstate(over="ignore"):
            best = np.divide(excess, self.l2, out=np.zeros_like(excess), where=smooth)
            best = np.where(smooth, np.minimum(best, reach), np.where(excess > 0, reach, 0.0))
            bent = np.multiply(self.l2, best, out=np.zeros_like(best), where=smooth)
            return best * (excess - 0.5 * bent)

    def slopes(self, w: Array) -> tuple[Array, Array]:
        """The least and the largest slope at w, which are infinite at the bounds."""
        smooth = self.l2 * w
        low = smooth + np.where(w > 0, self.l1, -self.l1)
        high = smooth + np.where(w >= 0, self.l1, -self.l1)
        if self.boxed:
            low = np.where(w > self.lower, low, -np.inf)
            high = np.where(w < self.upper, high, np.inf)
        return low, high

    def curvature(self, w: Array) -> Array:
        """The second derivative of each feature's share off its kinks."""
        return np.broadcast_to(self.l2, w.shape)

    def violation(self, w: Array, q: Array) -> Array:
        """How far each correlation q is from the slopes at w: zero where the KKT condition holds.

        q is minus the gradient of the loss in the coefficients.
        """
        low, high = self.slopes(w)
        return np.maximum(np.maximum(q - high, low - q), 0.0)

    def violation_at_zero(self, q: Array) -> Array:
        """The same where every coefficient is zero."""
        excess = np.maximum(np.abs(q) - self.l1, 0.0)
        if self.boxed:
            excess[~np.where(q > 0, self.upper > 0, self.lower < 0)] = 0.0
        return excess

    @cached_property
    def has_l1(self) -> bool:
        """Whether a feature has an L1 part."""
        return bool(np.count_nonzero(self.l1))

    @property
    def vanishes(self) -> bool:
        """Whether no feature is penalised."""
        return not (self.has_l1 or np.count_nonzero(self.l2))

    def unbounded(self, q: Array) -> NDArray[np.bool_]:
        """Features whose conjugate is infinite at a large enough multiple of q."""
        flat = self.l2 == 0
        return flat & np.isinf(np.where(q > 0, self.upper, self.lower)) if self.boxed else flat

    def column(self, i: int) -> ScaledPenalty:
        """The penalty at one alpha of `Penalty.at_each`, at the only one for any i."""
        lower, upper = self.lower[:, 0], self.upper[:, 0]
        i = min(i, self.l1.shape[1] - 1)
        return ScaledPenalty(self.l1[:, i], self.l2[:, i], lower, upper, self.has_l2, self.boxed)

    def take(self, index: NDArray[np.intp]) -> ScaledPenalty:
        """The penalty of some of the features."""
        parts = self.l1[index], self.l2[index], self.lower[index], self.upper[index]
        return ScaledPenalty(*parts, self.has_l2, self.boxed)


@dataclass(frozen=True)
class Penalty(Box):
    """``alpha * factor_j * (l1_ratio |w_j| + (1 - l1_ratio)/2 w_j^2)`` within bounds.

    Parameters
    ----------
    l1_ratio : float
        Mixing in [0, 1]; 1 is the Lasso, 0 is Ridge.
    factors : ndarray of shape (n_features,)
        Finite penalty factors, >= 0.
    lower, upper : ndarray of shape (n_features,)
        Bounds with ``lower <= 0 <= upper``; infinite where there is none.
    l2_units : ndarray of shape (n_features,) or float, default=1.0
        Multiplies the squared part alone: where units of the data change, its unit changes by
        another factor than that of the absolute part.
    """

    #: Whether the coefficients of a feature in several targets have one penalty, not one each.
    couples_targets: ClassVar[bool] = False

    l1_ratio: float
    factors: Array
    lower: Array
    upper: Array
    l2_units: Array | float = 1.0

    @classmethod
    def build(
        cls,
        n_features: int,
        l1_ratio: float,
        factors: Array | None = None,
        lower: Array | float | None = None,
        upper: Array | float | None = None,
    ) -> Self:
        """Fill in the defaults; an infinite factor becomes the bounds zero and zero."""
        if factors is None and n_features <= FEW and _is_one(lower) and _is_one(upper):
            kind: Any = cls
            alike: Self = _alike(kind, n_features, float(l1_ratio), lower, upper)
            return alike
        v = np.ones(n_features) if factors is None else np.array(factors, dtype=np.float64)
        lo = np.full(n_features, -np.inf if lower is None else lower, dtype=np.float64)
        hi = np.full(n_features, np.inf if upper is None else upper, dtype=np.float64)
        excluded = np.isinf(v)
        v[excluded] = lo[excluded] = hi[excluded] = 0.0
        return cls(float(l1_ratio), v, lo, hi)

    def for_targets(self, n_targets: int) -> Penalty:
        """The penalty of so many targets, each of which has it by itself."""
        return self

    def at(self, alpha: float) -> ScaledPenalty:
        """The penalty of strength `alpha`; the last is kept, as a fit asks for it several times."""
        last = vars(self).get("_last")
        if last is None or last[0] != alpha:
            vars(self)["_last"] = last = alpha, self._scaled(alpha)
        scaled: ScaledPenalty = last[1]
        return scaled

    def _scaled(self, alpha: float) -> ScaledPenalty:
        l1 = alpha * self.l1_ratio * self.factors
        l2 = alpha * (1.0 - self.l1_ratio) * self.l2_factors
        if self._may_overflow:
            l1, l2 = np.minimum(l1, HUGE), np.minimum(l2, HUGE)
        return ScaledPenalty(l1, l2, self.lower, self.upper, self.l1_ratio < 1.0, self.boxed)

    def at_each(self, alphas: Array) -> ScaledPenalty:
        """The penalties at many alphas, one a column; bounds have a single column."""
        strength = np.multiply.outer(alphas, self.factors).T  # one alpha in one piece
        l1, l2 = self.l1_ratio * strength, (1.0 - self.l1_ratio) * strength
        if self.l2_factors is not self.factors:
            l2 = np.multiply.outer((1.0 - self.l1_ratio) * alphas, self.l2_factors).T
        if self._may_overflow:
            l1, l2 = np.minimum(l1, HUGE), np.minimum(l2, HUGE)
        lower, upper = self.lower[:, None], self.upper[:, None]
        return ScaledPenalty(l1, l2, lower, upper, self.l1_ratio < 1.0, self.boxed)

    def with_units(self, scale: Array | None) -> Penalty:
        """The same bounds for coefficients that are `scale` times the user's."""
        if scale is None:
            return self

        def scaled(bound: Array) -> Array:
            # Unbounded stays unbounded, also at scale zero.
            return np.multiply(bound, scale, out=bound.copy(), where=np.isfinite(bound))

        return replace(self, lower=scaled(self.lower), upper=scaled(self.upper))

    def measured_in(self, units: Array) -> Penalty:
        """The same for coefficients whose sizes are told in other units, which bends alone note."""
        return self

    def take(self, index: NDArray[np.intp]) -> Self:
        """The penalty of some of the features."""
        if self.plain and len(index) == len(self.factors):
            return self  # whatever their order
        units = self.l2_units if isinstance(self.l2_units, float) else self.l2_units[index]
        parts = self.factors[index], self.lower[index], self.upper[index]
        return type(self)(self.l1_ratio, *parts, units)

    def only(self, chosen: NDArray[np.bool_]) -> Penalty:
        """The same with all but some of the features excluded."""
        lower, upper = (np.where(chosen, bound, 0.0) for bound in (self.lower, self.upper))
        return replace(self, lower=lower, upper=upper)

    def as_ridge(self, alphas: Array) -> tuple[Penalty, Array]:
        """The squared part alone, with ``l1_ratio=0`` and no units of its own, and its alphas."""
        if self.l2_factors is self.factors:
            if self.l1_ratio == 0.0:
                return self, alphas
            return replace(self, l1_ratio=0.0), alphas * (1.0 - self.l1_ratio)
        largest = float(self.l2_factors.max(initial=0.0)) or 1.0
        unit = 2.0 ** (np.frexp(largest)[1] - 1)
        factors = self.l2_factors / unit
        alphas = alphas * (1.0 - self.l1_ratio) * unit
        return Penalty(0.0, factors, self.lower, self.upper), alphas

    @cached_property
    def l2_factors(self) -> Array:
        """Factors of the squared part."""
        plain = isinstance(self.l2_units, float) and self.l2_units == 1.0
        return self.factors if plain else self.factors * self.l2_units

    @cached_property
    def even(self) -> bool:
        """Whether every feature has the factor one, and so none is free or excluded."""
        return not np.count_nonzero(self.factors != 1.0)

    @cached_property
    def least_bounded(self) -> float:
        """The least factor of a feature with a bound, 0 if one is not zero, infinite if none is."""
        bounds = np.array([self.lower, self.upper])
        finite = np.isfinite(bounds) & self.movable
        if np.count_nonzero(bounds[finite]):
            return 0.0
        return float(self.factors[finite.any(axis=0)].min(initial=np.inf))

    @cached_property
    def plain(self) -> bool:
        """Whether all features are penalised alike, in one unit and without bounds."""
        return self.even and self.l2_factors is self.factors and not self.boxed

    @cached_property
    def _may_overflow(self) -> bool:
        """Whether a product with a large alpha may be infinite, which times zero is no number."""
        if self.l2_factors is not self.factors:
            return True
        return not self.even and float(self.factors.max(initial=0.0)) > 1.0

    @cached_property
    def free(self) -> NDArray[np.bool_]:
        """Features that are not penalised and not excluded."""
        return (self.factors == 0) & self.movable

    def in_units(self, w: Array, raw: Array, scaled: Penalty) -> Array:
        """Coefficients that are w in the units of `scaled`, features last, and `raw` in its own.

        One at a bound of `scaled` is exactly at the bound here.
        """
        raw = np.where((w == scaled.lower) & (w < 0), self.lower, raw)
        raw = np.where((w == scaled.upper) & (w > 0), self.upper, raw)
        return self.clip(raw)

    def in_type(self, w: Array, dtype: Any) -> NDArray[Any]:
        """Coefficients in another type, where one at its bound may not be rounded past it."""
        coefs = w.astype(dtype, copy=False)
        if coefs.dtype == w.dtype or not self.has_bounds:
            return coefs
        if not np.count_nonzero((coefs < self.lower) | (coefs > self.upper)):
            return coefs
        lower, upper = self.lower.astype(dtype), self.upper.astype(dtype)
        lower = np.where(lower < self.lower, np.nextafter(lower, 0, dtype=dtype), lower)
        upper = np.where(upper > self.upper, np.nextafter(upper, 0, dtype=dtype), upper)
        return np.clip(coefs, lower, upper)

    def alpha_max(self, q: Array) -> float:
        """Smallest alpha at which every penalised feature is zero.

        `q` is the correlation of the features with the residual of the fit on the
        unpenalised ones, shape (n_features,) or (n_features, n_targets). Without an L1
        part no finite alpha does that; then ``l1_ratio = 1e-3`` sets the scale.
        """
        q = q.reshape(len(q), -1)
        can_move = np.where(q > 0, self.upper[:, None] > 0, self.lower[:, None] < 0)
        counted = can_move & (self.factors > 0)[:, None]
        strength = np.where(self.factors > 0, self.factors, 1.0)[:, None]
        ratio = np.where(counted, np.abs(q) / strength, 0.0)
        return float(ratio.max(initial=0.0)) / max(self.l1_ratio, 1e-3)


def _is_one(bound: Any) -> TypeGuard[float | None]:
    """Whether a bound is one number, or none."""
    return bound is None or isinstance(bound, float)


@lru_cache(maxsize=32)
def _alike(
    kind: Any, n_features: int, l1_ratio: float, lower: float | None, upper: float | None
) -> Any:
    """The penalty of all features alike, which all fits of this many features share."""
    low = np.full(n_features, -np.inf if lower is None else lower, dtype=np.float64)
    high = np.full(n_features, np.inf if upper is None else upper, dtype=np.float64)
    shape = np.ones(n_features), low, high
    for values in shape:
        values.setflags(write=False)
    return kind(l1_ratio, *shape)
