"""Coordinate descent with Newton steps on the support, certified at each alpha.

`descent.py` has the iteration. It works on a small model of the problem: the Gram matrix of all
features, or of a working set of them that grows by the strong rule (Tibshirani et al., JRSS B
74(2), 2012) and by what a full check after each solve finds; nothing is screened out without that
check. What needs a larger working set than a Gram matrix can hold goes to `large_support.py`. An
iteration costs p per visited coordinate and |A|^3/3 for the support A; a full check costs one
product with X.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...data.design import Array, Design, Index
from ...objective.duality import gap_at
from ...objective.penalties import ScaledPenalty
from ..base import AIM, Mask, OneTarget, Settings, Solution, target_by_target
from ..optimality import LOOSE, degrees_of_freedom, relative_gap
from ..tolerances import CORRELATION_ROUNDING
from . import large_support
from .box import InBox, solve_few, solve_in_box
from .descent import GramModel, descend
from .working_set import GRAM_LIMIT, WorkingSet

# A working set grows by at least this many features.
LEAST_GROWTH = 50
# From so many features on a Gram matrix takes as long as six products with X or more: one or two
# are spent to see whether a solution in a box has few features.
WORTH_A_TRY = 200

# The gap of a start, of which more than rounding cannot be corrected.
CORRECTABLE = 1e-6


@target_by_target
def solve(one: OneTarget, alphas: Array, start: Array, settings: Settings) -> Iterator[Solution]:
    """Coordinate descent at each alpha in turn; see `base.py` for the contract."""
    if start.any():
        optimal = without_a_step(one, float(alphas[0]), start)
        if optimal is not None:
            yield optimal
            alphas = alphas[1:]
    if not len(alphas):
        return
    lone = len(alphas) == 1 and settings.seed is None and not start.any()
    if lone and one.penalty.l1_ratio == 0.0 and _gram_is_dear(one.design, settings):
        found = solve_few(one, one.penalty.at(alphas[0]), settings.max_iter)
        if found is not None:
            yield _certified(one, float(alphas[0]), found)
            return
    if _wants_gram(one.design, settings):
        yield from solve_on_gram(one, alphas, start, settings)
    elif one.penalty.l1_ratio == 0.0:  # in a box: of the features with room most are active
        yield from large_support.solve(one, alphas, start, settings)
    else:
        yield from solve_on_working_set(one, alphas, start, settings)


def _certified(one: OneTarget, alpha: float, found: InBox) -> Solution:
    """A solution from coefficients and the correlations that they leave."""
    design, scaled, w = one.design, one.penalty.at(alpha), found.w
    rss = max(one.yy - float(w @ (one.c + found.q)), 0.0)
    gap = relative_gap(w, found.q, rss, scaled, design, one.unit)
    df = degrees_of_freedom(w, scaled, lambda index: design.subset(index).gram())
    return Solution(w, gap, found.n_rounds, rss, df)


def without_a_step(one: OneTarget, alpha: float, w: Array) -> Solution | None:
    """A start that is optimal already, in no iterations."""
    design, penalty = one.design, one.penalty.at(alpha)
    if not design.has_rows or np.any((w < penalty.lower) | (w > penalty.upper)):
        return None
    residual = one.y - design.predict(w)
    rss = float(design.norm2(residual))
    q = design.correlate(residual)
    gap = float(gap_at(w, q, rss, penalty)) / one.unit
    if gap > CORRECTABLE and not np.any(penalty.l1 <= LOOSE * np.sqrt(design.variances * one.unit)):
        return None
    if gap > AIM:
        gap = relative_gap(w, q, rss, penalty, design, one.unit)
    if gap > AIM:
        return None
    df = degrees_of_freedom(w, penalty, lambda index: design.subset(index).gram())
    return Solution(w.copy(), gap, 0, rss, df)


def _wants_gram(design: Design, settings: Settings) -> bool:
    if not design.has_rows:
        return True
    if settings.precompute == "auto":
        return design.n_features <= min(max(design.n_samples, 2 * LEAST_GROWTH), GRAM_LIMIT)
    return bool(settings.precompute)


def _gram_is_dear(design: Design, settings: Settings) -> bool:
    """Whether the Gram matrix of all features takes longer than some products with X."""
    if design.has_gram or not design.has_rows or settings.precompute is True:
        return False
    return design.n_features >= WORTH_A_TRY


def solve_on_gram(
    one: OneTarget, alphas: Array, start: Array, settings: Settings
) -> Iterator[Solution]:
    """The same with the Gram matrix of all features."""
    design, penalty, yy = one.design, one.penalty, one.yy
    model = GramModel(design.gram(), one.c)
    w, rng = start.copy(), settings.rng()
    for alpha in alphas:
        scaled = penalty.at(alpha)
        w = np.clip(w, scaled.lower, scaled.upper)
        found = None
        if rng is None and not scaled.has_l1:
            found = solve_in_box(model.gram, model.c, scaled, w, settings.max_iter)
        if found is None:
            q, n_iter = descend(model, w, scaled, yy, settings.max_iter, rng)
        else:
            w, q, n_iter = found
        rss = model.rss(w, q, yy)
        gap = relative_gap(w, q, rss, scaled, design, one.unit)
        df = degrees_of_freedom(w, scaled, lambda index: model.gram[np.ix_(index, index)])
        yield Solution(w.copy(), gap, n_iter, rss, df)


def solve_on_working_set(
    one: OneTarget, alphas: Array, start: Array, settings: Settings
) -> Iterator[Solution]:
    """Same contract as every solver (`base.py`)."""
    design, penalty, c, yy = one.design, one.penalty, one.c, one.yy
    noise = CORRELATION_ROUNDING * np.sqrt(design.variances * yy)  # each feature has its own scale
    chosen = WorkingSet(design, one.y)
    chosen.grow(np.flatnonzero((start != 0) | penalty.free))
    w = np.where(chosen.inside, start, 0.0)
    q = design.correlate(chosen.residual(w))
    previous, rng = penalty.at(penalty.alpha_max(q)), settings.rng()
    for done, alpha in enumerate(alphas):
        scaled = penalty.at(alpha)
        w = np.clip(w, scaled.lower, scaled.upper)
        # The strong rule: |q_j| is taken to move no faster than its threshold does.
        expected = np.abs(q) + np.maximum(previous.l1 - scaled.l1, 0.0)
        signed = np.where(q < 0, -expected, expected)
        chosen.grow(_largest(_excess(signed, scaled, ~chosen.inside, noise), _room(chosen, 0.5)))
        n_iter = 0
        while True:
            if chosen.gram is None:
                yield from large_support.solve(one, alphas[done:], w, settings)
                return
            if len(chosen.index):
                part = w[chosen.index]
                _, used = descend(
                    GramModel(chosen.gram, c[chosen.index]),
                    part,
                    scaled.take(chosen.index),
                    yy,
                    max(1, settings.max_iter - n_iter),
                    rng,
                )
                w[chosen.index] = part
                n_iter += used
            residual = chosen.residual(w)
            q = design.correlate(residual)
            rss = float(design.norm2(residual))
            gap = relative_gap(w, q, rss, scaled, design, one.unit)
            violation = _excess(q, scaled, ~chosen.inside, noise)
            missing = _largest(violation, _room(chosen, 1.0))
            if not len(missing) or n_iter >= settings.max_iter:
                break
            chosen.grow(missing)
        df = degrees_of_freedom(w, scaled, lambda index: design.subset(index).gram())
        yield Solution(w.copy(), gap, max(n_iter, 1), rss, df)
        previous = scaled


def _room(chosen: WorkingSet, share: float) -> int:
    """How many features may join at once: this share of the set, or a few."""
    return max(LEAST_GROWTH, int(share * len(chosen.index)))


def _excess(q: Array, penalty: ScaledPenalty, outside: Mask, noise: Array) -> Array:
    """How far each zero feature outside the set violates optimality (zero or less: not at all)."""
    movable = np.where(q > 0, penalty.upper > 0, penalty.lower < 0)
    return np.where(outside & movable, np.abs(q) - penalty.l1 - noise, -np.inf)


def _largest(score: Array, limit: int) -> Index:
    """Indices of the `limit` largest positive scores, in order of index."""
    index = np.flatnonzero(score > 0)
    if len(index) > limit:
        index = np.sort(index[np.argpartition(-score[index], limit)[:limit]])
    return index
