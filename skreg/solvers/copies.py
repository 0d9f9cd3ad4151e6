"""Columns that are there several times: one of them is enough for the Lasso.

Of columns of the design that are equal up to their sign, as copies are, or both dummies of a
question with two answers, any one can carry what they carry together: the fit is the same and the
L1 norm no larger. So the first stays and the others are held at zero. Equal columns have equal
correlations with everything: with the target, which are known anyway, and then with one random
vector; what agrees in both is compared entry by entry.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np

from ..design import BLOCK_ENTRIES, Array, Design, Index
from ..penalties import Penalty
from .base import Settings, Solution, SolveFunction, Target

# For fewer features the search costs more than it saves.
FEWEST = 50
# Features of which this share, or more, are copies are solved without these columns; fewer are kept
# at zero, so that X need not be copied.
MANY = 0.25
# Correlations of equal columns differ by no more than this share, entries of equal columns by no
# more than this share of the largest.
EQUAL = 1e-11
EXACT = 1e-14


def solve_without_copies(
    solve: SolveFunction,
    design: Design,
    target: Target,
    penalty: Penalty,
    alphas: Array,
    start: Array,
    settings: Settings,
) -> Iterator[tuple[Solution, ...]]:
    """What `solve` yields, with all copies of a feature but the first at zero."""
    target = _with_correlations(design, target)
    assert target.correlations is not None
    first, copies, signs = copies_of(design, target.correlations[:, 0], penalty)
    if not len(copies):
        return solve(design, target, penalty, alphas, start, settings)
    if start.any():
        start = start.copy()
        np.add.at(start, first, signs[:, None] * start[copies])
        start[copies] = 0.0
    if len(copies) < MANY * design.n_features:
        lower, upper = penalty.lower.copy(), penalty.upper.copy()
        lower[copies] = upper[copies] = 0.0
        held = replace(penalty, lower=lower, upper=upper)
        return solve(design, target, held, alphas, start, settings)
    kept = np.delete(np.arange(design.n_features), copies)
    part = design.subset(kept)
    if design.has_gram:
        part.use_gram(design.gram()[np.ix_(kept, kept)])
    target = replace(target, correlations=target.correlations[kept])
    factors, lower, upper = penalty.factors[kept], penalty.lower[kept], penalty.upper[kept]
    fewer = Penalty(penalty.l1_ratio, factors, lower, upper)
    found = solve(part, target, fewer, alphas, start[kept], settings)
    return _with_zeros(found, kept, design.n_features)


def _with_correlations(design: Design, target: Target) -> Target:
    if target.correlations is not None:
        return target
    one = target.centred.shape[1] == 1
    c = design.correlate(target.centred[:, 0] if one else target.centred)
    return replace(target, correlations=c.reshape(design.n_features, -1))


def _with_zeros(
    found: Iterator[tuple[Solution, ...]], kept: Index, n_features: int
) -> Iterator[tuple[Solution, ...]]:
    """The same solutions with zeros for the features that are not among those kept."""
    for solutions in found:
        whole = np.zeros((len(solutions), n_features))
        whole[:, kept] = [one.coef for one in solutions]
        yield tuple(one._replace(coef=coef) for one, coef in zip(solutions, whole, strict=True))


def copies_of(design: Design, c: Array, penalty: Penalty) -> tuple[Index, Index, Array]:
    """Pairs of features, and the sign by which the second is a copy of the first."""
    tied = np.concatenate([*(run for run in runs(np.abs(c)) if c[run[0]]), np.empty(0, int)])
    if not len(tied):
        return tied, tied, np.empty(0)
    r = np.random.default_rng(0).standard_normal(design.n_samples)
    h = np.zeros(len(c))
    r, _ = design.center(r)
    few = len(tied) < MANY * len(c)
    h[tied] = design.subset(tied).correlate(r) if few else design.correlate(r)[tied]
    same = [tied[run] for run in runs(np.abs(h[tied]))]
    first = np.concatenate([np.full(len(run) - 1, run.min()) for run in same] + [tied[:0]])
    copies = np.concatenate([np.delete(run, run.argmin()) for run in same] + [tied[:0]])
    signs = np.sign(h[first]) * np.sign(h[copies])
    lower, upper = penalty.lower, penalty.upper
    alike = (lower[first] == lower[copies]) & (upper[first] == upper[copies])
    alike &= (penalty.factors[first] == penalty.factors[copies]) & np.isinf(upper[first])
    alike &= np.isinf(lower[first]) | ((lower[first] == 0.0) & (signs > 0))
    step = max(1, BLOCK_ENTRIES // design.n_samples)
    for start in range(0, len(first), step):
        part = slice(start, start + step)
        Z = design.columns(first[part])
        away = np.abs(design.columns(copies[part]) - signs[part] * Z).max(axis=0)
        alike[part] &= away <= EXACT * np.abs(Z).max(axis=0)
    return first[alike], copies[alike], signs[alike]


def runs(size: Array) -> list[Index]:
    """Places of values that are nearly equal, two or more of them at a time."""
    order = np.argsort(size)
    ranked = size[order]
    near = np.diff(ranked) <= EQUAL * ranked[1:]
    if not near.any():
        return []
    edges = np.flatnonzero(np.concatenate([[True], ~near, [True]]))
    return [order[a:b] for a, b in pairwise(edges.tolist()) if b > a + 1]
