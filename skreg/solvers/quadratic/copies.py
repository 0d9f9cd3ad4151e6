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

import numpy as np

from ...data.design import Array, Design, Index
from ...objective.penalties import Penalty
from ..base import Bound, Settings, Solution, SolveFunction

# For fewer features the search costs more than it saves.
FEWEST = 50
# Features of which this share, or more, are copies are solved without these columns; fewer are kept
# at zero, so that X need not be copied.
LEFT_OUT_FROM = 0.25
# Correlations of equal columns differ by no more than this share, entries of equal columns by no
# more than this share of the largest.
EQUAL = 1e-11
EQUAL_ENTRIES = 1e-14


def solve_without_copies(
    solve: SolveFunction, bound: Bound, alphas: Array, start: Array, settings: Settings
) -> Iterator[Solution]:
    """What `solve` yields, with all copies of a feature but the first at zero."""
    design, penalty = bound.design, bound.penalty
    c = bound.correlations
    target = replace(bound.target, correlations=c)
    bound = replace(bound, target=target)
    first, copies, signs = copies_of(design, c[:, 0], penalty)
    if not len(copies):
        return solve(bound, alphas, start, settings)
    if start.any():
        start = start.copy()
        np.add.at(start, first, signs[:, None] * start[copies])
        start[copies] = 0.0
    if len(copies) < LEFT_OUT_FROM * design.n_features:
        lower, upper = penalty.lower.copy(), penalty.upper.copy()
        lower[copies] = upper[copies] = 0.0
        held = replace(penalty, lower=lower, upper=upper)
        return solve(replace(bound, penalty=held), alphas, start, settings)
    kept = np.delete(np.arange(design.n_features), copies)
    part = design.subset(kept)
    if design.has_gram:
        part.use_gram(design.gram()[np.ix_(kept, kept)])
    target = replace(target, correlations=c[kept])
    fewer_features = replace(bound, design=part, target=target, penalty=penalty.take(kept))
    found = solve(fewer_features, alphas, start[kept], settings)
    return _with_zeros(found, kept, design.n_features)


def _with_zeros(found: Iterator[Solution], kept: Index, n_features: int) -> Iterator[Solution]:
    """The same solutions with zeros for the features that are not among those kept."""
    for solution in found:
        whole = np.zeros((*solution.coef.shape[:-1], n_features))
        whole[..., kept] = solution.coef
        yield solution._replace(coef=whole)


def copies_of(design: Design, c: Array, penalty: Penalty) -> tuple[Index, Index, Array]:
    """Pairs of features, and the sign by which the second is a copy of the first."""
    tied, _ = runs(np.abs(c))
    tied = tied[c[tied] != 0.0]
    if not len(tied):
        return tied, tied, np.empty(0)
    r, _ = design.center(np.random.default_rng(0).standard_normal(design.n_samples))
    h = np.zeros(len(c))
    few = len(tied) < LEFT_OUT_FROM * len(c)
    h[tied] = design.subset(tied).correlate(r) if few else design.correlate(r)[tied]
    place, run = runs(np.abs(h[tied]))
    if not len(place):
        return place, place, np.empty(0)
    copies = tied[place]
    first = np.minimum.reduceat(copies, np.flatnonzero(np.diff(run, prepend=-1)))[run]
    first, copies = first[first != copies], copies[first != copies]
    signs = np.sign(h[first]) * np.sign(h[copies])
    lower, upper = penalty.lower, penalty.upper
    alike = (lower[first] == lower[copies]) & (upper[first] == upper[copies])
    alike &= (penalty.factors[first] == penalty.factors[copies]) & np.isinf(upper[first])
    alike &= np.isinf(lower[first]) | ((lower[first] == 0.0) & (signs > 0))
    first, copies, signs = first[alike], copies[alike], signs[alike]
    equal = design.equal_columns(first, copies, signs, EQUAL_ENTRIES)
    return first[equal], copies[equal], signs[equal]


def runs(size: Array) -> tuple[Index, Index]:
    """Places of values that others are nearly equal to, and which run of these each belongs to."""
    ranked = np.sort(size)
    near = ranked[1:] - ranked[:-1] <= EQUAL * ranked[1:]
    order = np.argsort(size) if near.any() else np.empty(0, dtype=np.intp)
    if not len(order):
        return order, order
    inside = np.zeros(len(size), dtype=bool)
    inside[1:] = near
    inside[:-1] |= near
    starts = inside.copy()
    starts[1:] &= ~near
    return order[inside], np.cumsum(starts)[inside] - 1
