"""Which features outside a working set violate optimality along a stretch of the path.

Between two points of the path, the anchors a and b, with residuals r_a and r_b, the residual at
alpha is nearly the one on the line, ``r = (1 - t) r_a + t r_b + d`` with t linear in alpha and d
small: for the Lasso it is piecewise linear. Hence by the Cauchy-Schwarz inequality

    |q_j| <= |(1 - t) q_a + t q_b|_j + |z_j| |d|,

and since the thresholds are linear in alpha as well, a feature that keeps a distance of
``|z_j| max |d|`` from its thresholds at a and b violates none in between. Products with all of X
are only needed at the anchors; the few features that this does not settle are looked at one by
one. The bound is a proof, not a forecast, so that nothing is left out.

Cost: one or two products of X with a vector for a chunk of alphas, or one with up to four where
that takes little longer, instead of one with a matrix of all its residuals. For 17 alphas two
vectors take 0.8 against 3.2 ms at 100 x 20000, four 5 against 14 at 1000 x 10000; with sparse X
each residual would be a product.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from ...data.design import Array, Design, Index
from ...data.products import at_once
from ...objective.penalties import Penalty
from ..base import Mask
from ..tolerances import NORM_ROUNDING

# Where X is read once for several anchors there are as many. Elsewhere there is one, and from so
# many alphas on there may be another in the middle,
HALVED = 5
# if more than this share of the features is left unsettled without it.
UNSETTLED = 0.02
# More features than this share are not looked at one by one.
LOOKED_AT = 0.1


@dataclass(frozen=True)
class Point:
    """A point of the path: alpha, the residual and the correlations of all features."""

    alpha: float
    r: Array
    q: Array


class FullCheck:
    """How far the features are pulled, and which are pulled too far.

    A pull is a correlation over the feature's factor, on the sides where it has room to move, so
    that l1_ratio times alpha is the threshold of all.
    """

    def __init__(self, design: Design, penalty: Penalty) -> None:
        self.design, self.l1_ratio = design, penalty.l1_ratio
        factors = np.where(penalty.factors > 0, penalty.factors, np.inf)
        self.up = (penalty.upper > 0) / factors
        self.down = (penalty.lower < 0) / factors
        self.plain = bool(np.all(self.up == 1.0) and np.all(self.down == 1.0))

    def pull(self, q: Array) -> Array:
        """The pulls of all features; features come last in q."""
        return np.abs(q) if self.plain else np.maximum(q * self.up, -q * self.down)

    @cached_property
    def reach(self) -> Array:
        """How much a residual of length one pulls each feature at most."""
        return norms(self.design) * np.maximum(self.up, self.down)

    def points(self, alphas: Array, R: Array) -> list[Point]:
        """Points of the path with these residuals, one a column."""
        rows = np.array(R.T, order="C")  # each in one piece, and R may go
        Q = self.design.correlate(rows.T)
        return [Point(*one) for one in zip(alphas.tolist(), rows, Q.T, strict=True)]

    def settle(
        self, start: Point, alphas: Array, R: Array, inside: Mask
    ) -> tuple[list[Point], Index]:
        """Anchors, and the features outside the set that they leave unsettled.

        The anchors are `start`, the point at the last alpha and others, evenly between, where they
        come cheap or the two leave many features.
        """
        n_alphas = len(alphas)
        n_anchors = min(n_alphas, at_once(self.design.X))
        index = np.arange(1, n_anchors + 1) * n_alphas // n_anchors - 1
        anchors = [start, *self.points(alphas[index], R[:, index])]
        outside = np.flatnonzero(self.unsettled(anchors, alphas, R) & ~inside)
        if n_anchors == 1 and n_alphas >= HALVED and len(outside) > UNSETTLED * len(inside):
            middle = slice(n_alphas // 2, n_alphas // 2 + 1)
            anchors[1:1] = self.points(alphas[middle], R[:, middle])
            outside = np.flatnonzero(self.unsettled(anchors, alphas, R) & ~inside)
        return anchors, outside

    def unsettled(self, anchors: list[Point], alphas: Array, R: Array) -> Mask:
        """Features that may be pulled too far at one of the alphas, with residuals R."""
        found = np.zeros(self.design.n_features, dtype=bool)
        pulls = [self.pull(point.q) for point in anchors]
        for i, (a, b) in enumerate(pairwise(anchors)):
            between = (alphas >= b.alpha) if i == 0 else (b.alpha <= alphas) & (alphas < a.alpha)
            away = off_the_line(self.design, a, b, alphas[between], R[:, between]) * self.reach
            found |= pulls[i] + away > self.l1_ratio * a.alpha
            found |= pulls[i + 1] + away > self.l1_ratio * b.alpha
        return found

    def pulls(self, index: Index, R: Array) -> Array:
        """Pulls of some features by residuals, shape (n_residuals, len(index))."""
        if len(index) > LOOKED_AT * self.design.n_features:
            return self.pull(self.design.correlate(R).T)[:, index]
        Q = self.design.subset(index).correlate(R).T
        return np.maximum(Q * self.up[index], -Q * self.down[index])


def off_the_line(design: Design, a: Point, b: Point, alphas: Array, R: Array) -> float:
    """The largest distance of these residuals from the line between two points."""
    fallen = a.alpha - b.alpha
    t = np.clip((a.alpha - alphas) / fallen, 0.0, 1.0) if fallen > 0 else np.ones(len(alphas))
    D = (R - a.r[:, None]) - np.multiply.outer(b.r - a.r, t)
    return float(np.sqrt(design.norm2(D).max(initial=0.0)))


def norms(design: Design) -> Array:
    """An upper bound of the norms of the design's columns, in one pass over X."""
    if design.sparse:
        return np.sqrt(design.variances)
    X, omega = design.X, design.omega
    if np.all(omega == omega[0]):
        squares = omega[0] * np.einsum("ij,ij->j", X, X, dtype=np.float64)
    else:
        squares = np.einsum("i,ij,ij->j", omega, X, X, dtype=np.float64)
    spread = squares if design.mean is None else squares - design.mean**2
    size = np.sqrt(np.maximum(spread, 0.0) + NORM_ROUNDING * squares)
    return size if design.inv_scale is None else size * design.inv_scale
