"""The fit on the unpenalised features alone, where a path with an L1 part begins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..data.design import Array
from .base import Bound, Settings, Target
from .optimality import pseudo_solve
from .registry import choose


def null_correlations(bound: Bound, settings: Settings) -> Array:
    """Correlations of the features with the null model's residual, (n_features, n_targets)."""
    design, penalty, Y = bound.design, bound.penalty, bound.target.centred
    known = bound.target.correlations
    c = known.copy() if known is not None and not design.has_rows else design.correlate(Y)
    constant = design.far.constant  # their correlations are rounding at most
    c[constant] = 0.0
    index = np.flatnonzero(penalty.free)
    if not len(index):
        return c
    free = penalty.take(index)
    if not free.has_bounds:
        columns = design.gram_columns(index)
        q = c - columns @ np.stack([pseudo_solve(columns[index], r) for r in c[index].T], axis=1)
    else:
        part = design.subset(index)
        start = np.zeros((len(index), Y.shape[1]))
        exact = replace(settings, tol=0.0, precompute=True)
        problem = Bound(part, Target.build(part, Y), replace(free, l1_ratio=1.0))
        solver = choose("auto", problem.penalty.at(1.0), has_rows=design.has_rows)
        (found,) = solver.solve(problem, np.ones(1), start, exact)
        q = design.correlate(Y - part.predict(np.stack([s.coef for s in found], axis=1)))
    q[index] = q[constant] = 0.0
    return q
