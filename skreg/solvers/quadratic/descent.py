"""Descent to the minimum of a small model of the problem, by coordinates and Newton steps.

Minimises ``1/2 |y - Zw|^2 + sum_j l1_j |w_j| + l2_j/2 w_j^2`` in a box. One iteration:

1. One vectorised soft-threshold finds the coordinates whose status (zero, sign, at a bound)
   would change if each were minimised alone.
2. These are visited in cyclic or random order; each is minimised exactly, the others held
   (Friedman, Hastie and Tibshirani, J. Stat. Softw. 33(1), 2010).
3. A Newton step on the support, cut at the first sign change (`newton.py`), does at once what
   endless sweeps over the support would converge to.

Every step lowers the objective, and a face is never met twice, so the iterations end. An
iteration costs p per visited coordinate and |A|^3/3 for the support A.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg.blas import daxpy

from ...data.design import Array, Index
from ...objective.penalties import ScaledPenalty
from ..base import Mask
from ..tolerances import CORRELATION_ROUNDING
from .newton import DenseFace, free_coefficients, newton_on_face

# A gradient on the face below this share of its two parts is rounding.
STATIONARY = 1e-12
# A rise of the objective above this share of its unit is more than rounding.
RISE = 1e-9
# Iterations without progress before the arithmetic is taken to have reached its floor.
MOST_IDLE = 3


class GramModel:
    """The smooth part through its Gram matrix: ``q = c - G w``."""

    def __init__(self, gram: Array, c: Array) -> None:
        self.gram = gram
        self.curvature = gram.diagonal().copy()
        # A constant column has no correlation but rounding, which may not move its coefficient.
        self.c = np.where(self.curvature > 0, c, 0.0)

    def start(self, w: Array) -> Array:
        """Correlations at w; the state that `visit` keeps current."""
        used = np.flatnonzero(w)
        return self.c - self.gram[:, used] @ w[used] if len(used) else self.c.copy()

    def visit(self, w: Array, q: Array, order: Index, penalty: ScaledPenalty) -> None:
        """Minimise over each coordinate in turn. Hot: native floats, one axpy a move."""
        gram, curvature = self.gram, self.curvature
        box = zip(
            order.tolist(),
            curvature[order].tolist(),
            penalty.l1[order].tolist(),
            penalty.l2[order].tolist(),
            penalty.lower[order].tolist(),
            penalty.upper[order].tolist(),
            strict=True,
        )
        for j, d, l1, l2, low, high in box:
            now = w.item(j)
            new = coordinate_minimum(q.item(j) + d * now, d, l1, l2, low, high)
            if new != now:
                w[j] = new
                daxpy(gram[j], q, a=now - new)

    def face(self, index: Index, l2: Array) -> DenseFace:
        """The Hessian of some features."""
        return DenseFace(self.gram[np.ix_(index, index)], l2[index])

    def rss(self, w: Array, q: Array, yy: float) -> float:
        """Residual sum of squares: |y|^2 - w'(c + q)."""
        return max(yy - float(w @ (self.c + q)), 0.0)


def coordinate_minimum(
    z: float, curvature: float, l1: float, l2: float, low: float, high: float
) -> float:
    """Soft-threshold z, divide by the curvature, clip to the bounds."""
    if z > l1:
        z -= l1
    elif z < -l1:
        z += l1
    else:
        return 0.0
    total = curvature + l2
    if total <= 0.0:
        return 0.0
    return min(max(z / total, low), high)


def changing(w: Array, q: Array, d: Array, penalty: ScaledPenalty, noise: Array) -> Mask:
    """Coordinates that would cross zero or change between a bound and the inside."""
    best = penalty.prox(q + d * w, d)
    status = np.sign(best) != np.sign(w)
    status |= (best == penalty.lower) != (w == penalty.lower)
    status |= (best == penalty.upper) != (w == penalty.upper)
    return status & (np.abs(best - w) * (d + penalty.l2) > noise)


def descend(
    model: GramModel,
    w: Array,
    penalty: ScaledPenalty,
    yy: float,
    budget: int,
    rng: np.random.RandomState | None,
) -> tuple[Array, int]:
    """Minimise over the model's features from w, in place; returns correlations and iterations."""
    d = model.curvature
    noise = CORRELATION_ROUNDING * np.sqrt(d * yy)
    q = model.start(w)
    objective, idle, settled, best = np.inf, 0, False, w.copy()
    for iteration in range(1, budget + 1):
        # The first Newton step carries a warm start to this alpha before anything else may enter.
        _newton(model, w, q, penalty, noise)
        q = model.start(w)
        value = 0.5 * model.rss(w, q, yy) + float(penalty.value(w).sum())
        if value > objective + RISE * yy:
            # Columns that depend on each other up to rounding: that was no direction of descent.
            w[:] = best
            return model.start(w), iteration
        todo = np.flatnonzero(changing(w, q, d, penalty, noise))
        if not len(todo):
            # Where the first step left rounding, a second one from the same face removes it.
            if settled or _stationary(w, q, penalty, d):
                return q, iteration
            settled = True
            continue
        settled = False
        idle = idle + 1 if value >= objective * (1 - 1e-15) else 0
        if value < objective:
            objective, best = value, w.copy()
        if idle >= MOST_IDLE:
            return q, iteration
        if rng is not None:
            rng.shuffle(todo)
        model.visit(w, q, todo, penalty)
    return model.start(w), budget


def _stationary(w: Array, q: Array, penalty: ScaledPenalty, d: Array) -> bool:
    """Whether the gradient on the face is at rounding level."""
    free = free_coefficients(w, penalty, d)
    pull = penalty.l1 * np.sign(w) + penalty.l2 * w
    return bool(np.all(np.abs(q - pull)[free] <= STATIONARY * (np.abs(q) + np.abs(pull))[free]))


def _newton(model: GramModel, w: Array, q: Array, penalty: ScaledPenalty, noise: Array) -> None:
    index = np.flatnonzero(free_coefficients(w, penalty, model.curvature))
    if len(index):
        newton_on_face(w, q, penalty, index, model.face(index, penalty.l2), noise)
