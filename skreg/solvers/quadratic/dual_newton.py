"""Newton's method on the dual of an elastic net: as many unknowns as there are rows.

For the residual r and ``q = Z^T Omega r``, coefficients are optimal where

    F(r) = r - y + Z w(q) = 0,        w_j(q) = argmin_w  pen_j(w) - q_j w,

and w(q) is a soft threshold over the curvature of the penalty, clipped to the bounds. F is the
gradient of a convex function phi of r, the dual objective, and piecewise linear. A Newton step
solves

    (I + Z_J T_J^-1 Z_J^T Omega) d = -F

where J has the features that are free to move and T their curvature; it is shortened until phi
falls enough, so that the method converges from anywhere, however many features are active and
whatever they have to do with each other (Li, Sun and Toh, SIAM J. Optim. 28(1), 2018).

The curvature is the L2 part where that is at least `floor` times the variance of the feature.
What it lacks to that a proximal term ``m_j/2 (w_j - a_j)^2`` adds, with the last coefficients as
its centre a: the solutions for a falling floor, each the centre of the next, converge to that of
the problem itself.

Cost of a step: three products with X, and n^3/3 + n^2 k for a factor, where k features have
joined J or left it since the last one, or the products of conjugate gradients.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import dsyrk
from scipy.linalg.lapack import dpotrf, dpotrs

from ...caching import cached_property
from ...data.design import Array, Design, Index
from ...data.products import CACHED
from ...objective.penalties import ScaledPenalty
from ..base import Mask, OneTarget

# With up to so many rows the matrix is factored: at 1000 rows in 25 ms.
FACTORED = 1000
# Share of the descent that the slope promises which a step has to bring.
ARMIJO = 1e-4
# A rise of phi by this share is rounding.
RISE_OF_PHI = 1e-13
# A step is not shortened further than to this share.
SHORTEST_STEP = 1e-8
# Conjugate gradients reduce F by this factor in one step, or stop after so many products.
REDUCED, REDUCED_AT_LAST, PRODUCTS_OF_A_STEP = 0.03, 1e-3, 500
# Along a step the slope is brought to this share of what it is at first, in so many trials.
FLAT, SEARCHED = 0.1, 20
# Dense X is read for them in single precision, in a third of the time, where the trace of the
# matrix, which bounds its condition number, is at most this: rounding then is 0.006 of F at most.
SINGLE_PRECISION = 1e5
# That takes a copy, of X with so many entries: fewer stay in the cache, more are over 512 MiB.
SMALLEST_COPY, LARGEST_COPY = 1 << 20, 1 << 27


def can_factor(design: Design) -> bool:
    """Whether there are few enough rows to factor their matrix."""
    return int(np.count_nonzero(design.omega)) <= FACTORED


class DualPoint(NamedTuple):
    """A residual r, its correlations and the coefficients w(q)."""

    r: Array
    q: Array
    w: Array


class DualNewton:
    """Newton's method on one design and target, at one penalty after another."""

    def __init__(self, one: OneTarget, factored: bool) -> None:
        self.design, self.y, self.yy, self.factored = one.design, one.y, one.yy, factored
        self.matrix = DualMatrix(one.design)

    def inner(self, a: Array, b: Array) -> float:
        """Weighted inner product of two columns."""
        return float((self.design.omega * a) @ b)

    def solve(
        self,
        penalty: ScaledPenalty,
        centre: Array,
        r: Array,
        q: Array,
        floor: float,
        least: float,
        limit: int,
    ) -> tuple[DualPoint, int]:
        """Move from r, with correlations q, to where F is small; returns how many steps it took.

        Parameters
        ----------
        centre : ndarray of shape (n_features,)
            Of the proximal term.
        floor : float
            Of the curvature, as a share of a feature's variance.
        least : float
            Small enough for the length of F. Where there is a proximal term, a part of the
            distance from its centre is enough too.
        limit : int
            At most so many steps.
        """
        lacks = np.zeros_like(centre)
        if floor > 0:
            lacks = np.maximum(floor * self.design.variances - penalty.l2, lacks)
        curvature, shift = penalty.l2 + lacks, lacks * centre
        if not centre.any():  # nothing but a multiple of the target is known
            t = self._length(penalty, lacks, 0.0 * r, shift, r, q, -self.inner(self.y, r))
            r, q = t * r, t * q
        here, phi = self._point(penalty, lacks, shift, r, q)
        size, last = np.inf, None
        for n_steps in range(limit + 1):
            F = here.r - self.y + self.design.predict(here.w)
            before, size = size, float(np.sqrt(self.inner(F, F)))
            moved = here.w - centre
            enough = max(least, 0.5 * float(np.sqrt(moved @ (lacks * moved))))
            if n_steps == limit or size <= enough:
                break
            free = (here.w != 0) | (penalty.l1 == 0)
            free &= (penalty.lower < here.w) & (here.w < penalty.upper) & (curvature > 0)
            settled, last = last is not None and np.array_equal(free, last), free
            share = max(0.5 * least / size, REDUCED_AT_LAST if settled else REDUCED)
            step, turn = self._step(free, curvature, -F, share)
            slope = self.inner(F, step)
            rounding = RISE_OF_PHI * (abs(phi) + self.yy)
            if -slope <= rounding and size > 0.5 * before:
                break
            t = self._length(penalty, lacks, here.r, here.q + shift, step, turn, slope)
            while True:
                found, value = self._point(
                    penalty, lacks, shift, here.r + t * step, here.q + t * turn
                )
                if value <= phi + ARMIJO * t * slope + rounding:
                    break
                t *= 0.5
                if t < SHORTEST_STEP:
                    return here, n_steps
            here, phi = found, value
        return here, n_steps

    def _length(
        self,
        penalty: ScaledPenalty,
        lacks: Array,
        r: Array,
        pull: Array,
        step: Array,
        turn: Array,
        slope: float,
    ) -> float:
        """The share of a step at which phi, which begins to fall by `slope`, is nearly least."""
        if slope >= 0.0:  # phi is convex
            return 0.0
        low, high, t = (0.0, slope), (1.0, slope), 1.0
        for _ in range(SEARCHED):
            w = penalty.prox(pull + t * turn, lacks)
            now = self.inner(r + t * step - self.y, step) + float(turn @ w)
            if now <= -FLAT * slope and (now >= FLAT * slope or t == 1.0):
                break
            low, high = ((t, now), high) if now < 0 else (low, (t, now))
            way = min(max(low[1] / (low[1] - high[1]), 0.1), 0.9)
            t = low[0] + way * (high[0] - low[0])
        return t

    def _point(
        self, penalty: ScaledPenalty, lacks: Array, shift: Array, r: Array, q: Array
    ) -> tuple[DualPoint, float]:
        """The coefficients at r, and phi."""
        pull = q + shift
        w = penalty.prox(pull, lacks)
        conjugate = float(w @ pull - penalty.value(w).sum() - 0.5 * w @ (lacks * w))
        phi = 0.5 * self.inner(r, r) - self.inner(self.y, r) + conjugate
        return DualPoint(r, q, w), phi

    def _step(self, free: Mask, curvature: Array, b: Array, share: float) -> tuple[Array, Array]:
        """The step, and how much it changes the correlations."""
        if self.factored:
            x = self.matrix.solve(free, curvature, b)
            return x, self.design.correlate(x)
        product = self._product(free.nonzero()[0], 1.0 / curvature[free])
        x, rest, search = np.zeros_like(b), b.copy(), b
        size = first = self.inner(b, b)
        for _ in range(PRODUCTS_OF_A_STEP):
            image = search + product(search)
            way = size / self.inner(search, image)
            x += way * search
            rest -= way * image
            size, before = self.inner(rest, rest), size
            if size <= min(share, 1.0) ** 2 * first:
                break
            search = rest + (size / before) * search
        return x, self.design.correlate(x)

    def _product(self, index: Index, inverse: Array) -> Callable[[Array], Array]:
        """``Z_J diag(inverse) Z_J^T Omega v`` as a function of v."""
        design, size = self.design, self.design.n_samples * self.design.n_features
        well = float(design.variances[index] @ inverse) <= SINGLE_PRECISION
        whole = not design.sparse and 2 * len(index) > design.n_features
        if whole:  # which spares a copy of most of X
            each = np.zeros(design.n_features)
            each[index], inverse = inverse, each
        if design.sparse or not (well and SMALLEST_COPY <= size <= LARGEST_COPY):
            part = design if whole else design.subset(index)
            return lambda v: part.predict(inverse * part.correlate(v))
        Z, scale = self.single if whole else self.single[index], inverse.astype(np.float32)
        step = max(1, CACHED // design.n_samples)

        def product(v: Array) -> Array:
            weighted, image = (design.omega * v).astype(np.float32), np.zeros(len(v), np.float32)
            for start in range(0, len(Z), step):  # what is read for one product is at hand for two
                block = Z[start : start + step]
                image += (scale[start : start + step] * (block @ weighted)) @ block
            return image.astype(np.float64)

        return product

    @cached_property
    def single(self) -> NDArray[np.float32]:
        """Dense Z transposed, in single precision."""
        n_samples, n_features = self.design.n_samples, self.design.n_features
        Z, step = np.empty((n_features, n_samples), np.float32), max(1, CACHED // n_samples)
        for start in range(0, n_features, step):
            part = slice(start, start + step)
            Z[part] = self.design.columns(part).T
        return Z


class DualMatrix:
    """``I + Z_J T_J^-1 Z_J^T Omega`` and its factor, with the sum over J kept while J changes."""

    def __init__(self, design: Design) -> None:
        self.design = design
        self.used = np.flatnonzero(design.omega)
        self.root = np.sqrt(design.omega[self.used])
        self.free = np.zeros(design.n_features, dtype=bool)
        self.curvature = np.zeros(design.n_features)
        self.sum: Array | None = None

    def solve(self, free: Mask, curvature: Array, b: Array) -> Array:
        """Solve for the features `free`; rows of weight zero get nothing."""
        H = self._sum(free, curvature)
        H.ravel(order="K")[:: len(H) + 1] += 1.0
        factor, _ = dpotrf(H, lower=1, overwrite_a=1)
        x = np.zeros_like(b)
        x[self.used] = dpotrs(factor, self.root * b[self.used], lower=1)[0] / self.root
        return x

    def _sum(self, free: Mask, curvature: Array) -> Array:
        """The lower half of the sum over J, made anew where most of it would change."""
        scale = self._scale(curvature)
        changed = free != self.free
        if scale is None or 2 * np.count_nonzero(changed) > np.count_nonzero(free):
            self.curvature, scale = curvature, 1.0
            self.sum = np.zeros((len(self.used), len(self.used)), order="F")
            self.free = np.zeros_like(free)
        self._add(free & ~self.free, 1.0)
        self._add(self.free & ~free, -1.0)
        self.free = free
        assert self.sum is not None
        return self.sum * scale

    def _scale(self, curvature: Array) -> float | None:
        """By what the curvatures have fallen, if by the same for all, so that the sum can stay."""
        if self.sum is None or not len(curvature):
            return None
        largest = int(curvature.argmax())
        if curvature[largest] <= 0:
            return None
        scale = float(self.curvature[largest] / curvature[largest])
        same = np.allclose(scale * curvature, self.curvature, rtol=1e-9, atol=0.0)
        return scale if same else None

    def _add(self, which: Mask, sign: float) -> None:
        index, n_samples = which.nonzero()[0], self.design.n_samples
        step = max(1, CACHED // n_samples)
        for start in range(0, len(index), step):
            block = index[start : start + step]
            columns = self.design.columns(block)
            if len(self.used) < n_samples:
                columns = np.asfortranarray(columns[self.used])
            columns *= 1.0 / np.sqrt(self.curvature[block])
            columns *= self.root[:, None]
            self.sum = dsyrk(sign, columns, beta=1.0, c=self.sum, lower=1, overwrite_c=1)
