"""A path with an L1 part by the method that suits it, each solution certified.

The Lasso on no more features than rows is followed exactly by `homotopy.py` on the Gram matrix;
what it leaves with a gap above rounding level, coordinate descent finishes. Everything else is
coordinate descent's.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..design import Array, Design
from ..penalties import Penalty
from . import coordinate_descent
from .base import AIM, Settings, Solution, Target, target_by_target, unit
from .homotopy import Homotopy
from .optimality import relative_gaps

# Beyond this many features a knot, p^2 flops over all of them, is dearer than a Newton step.
MOST_FEATURES = 1000
# A correlation this near to what optimality asks, as a share of it, is there; and so is one that
# is nearer than this share of the largest possible.
STATIONARY = 1e-9
ROUNDING = 1e-13


def solve(
    design: Design,
    target: Target,
    penalty: Penalty,
    alphas: Array,
    start: Array,
    settings: Settings,
) -> Iterator[tuple[Solution, ...]]:
    """See `base.py` for the contract."""
    followed = len(alphas) > 1 and _can_follow(design, penalty)
    chosen = _solve_by_homotopy if followed else coordinate_descent.solve
    return chosen(design, target, penalty, alphas, start, settings)


def _can_follow(design: Design, penalty: Penalty) -> bool:
    if penalty.l1_ratio < 1.0 or design.n_features > min(design.n_samples, MOST_FEATURES):
        return False
    free = penalty.free
    return bool(np.isinf(penalty.lower[free]).all() and np.isinf(penalty.upper[free]).all())


@target_by_target
def _solve_by_homotopy(
    design: Design,
    y: Array,
    penalty: Penalty,
    alphas: Array,
    start: Array,
    settings: Settings,
) -> Iterator[Solution]:
    gram, c = design.gram(), design.correlate(y)
    yy, scale = float(design.norm2(y)), unit(y, design)
    W, n_knots = _follow(gram, c, penalty, alphas)
    Q = c[:, None] - gram @ W
    rss = np.maximum(yy - np.sum(W * (c[:, None] + Q), axis=0), 0.0)
    scaled = penalty.at_each(alphas)
    gaps = relative_gaps(W, Q, rss, scaled, design, scale)
    # Where features nearly depend on each other a small gap leaves room for large coefficients
    # to stray, so that the conditions of optimality are looked at as well.
    d = gram.diagonal()[:, None]
    stray = np.abs(scaled.prox(Q + d * W, d) - W) * d
    rounding = ROUNDING * np.sqrt(d * yy)
    settled = np.all(stray <= STATIONARY * (np.abs(Q) + scaled.l1) + rounding, axis=0)
    for i, gap in enumerate(gaps.tolist()):
        w = np.ascontiguousarray(W[:, i])
        if gap <= AIM and settled[i]:
            yield Solution(w, gap, n_knots, float(rss[i]), float(np.count_nonzero(w)))
        else:
            (finished,) = coordinate_descent.solve_on_gram(
                design, y, penalty, alphas[i : i + 1], w, settings
            )
            yield finished


def _follow(gram: Array, c: Array, penalty: Penalty, alphas: Array) -> tuple[Array, int]:
    """Coefficients at all alphas, and the number of knots.

    Penalty factors are taken into the units of the features, so that one lambda serves all.
    """
    factors = np.where(penalty.factors > 0, penalty.factors, 1.0)
    lower, upper = penalty.lower, penalty.upper
    if np.any(factors != 1.0):
        gram = gram / factors / factors[:, None]
        c = c / factors
        lower, upper = lower * factors, upper * factors
    homotopy = Homotopy(gram, c, lower, upper, np.flatnonzero(penalty.free))
    W, n_done, n_knots = homotopy.path(alphas)
    if n_done < len(alphas):
        W[:, n_done:] = W[:, n_done - 1 : n_done]
    return W / factors[:, None], n_knots
