"""Alphas that keep the active set, solved at once.

With an L2 part the solution on an active set is no straight line in alpha, but where the set and
its signs stay, all alphas ask for the same equations with other diagonals. Here these are solved
one after the other and everything else is done for all of them in a few calls, which with ten
features takes a fifth of the time of rounds for each (`active_set.py`). How many alphas keep the
set is predicted by the secant through the last two solutions, and then seen from the solutions
themselves: the first that has a wrong sign or violates its KKT conditions ends the run.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg.lapack import dposv

from ...data.design import Array
from ..tolerances import DEPENDENT_IN_SUPPORT
from .active_set import ActiveSet
from .state import Predictor

# Alphas of the shortest run that is worth it, and of the longest that is tried.
SHORTEST, LONGEST = 4, 128
# With more active features the equations take longer than the calls that a run saves.
MOST_ACTIVE = 50


def solve_run(solver: ActiveSet, alphas: Array) -> Array:
    """Coefficients, one alpha a column, at as many of the first alphas as keep the active set.

    The solver moves to the last of them. There may be none.
    """
    state, pattern = solver.state, solver.state.pattern
    active, none = pattern.active, np.empty((len(state.w), 0))
    if not (0 < len(active) <= MOST_ACTIVE and solver.ridged and len(alphas) >= SHORTEST):
        return none
    if solver.has_bounds and np.count_nonzero(pattern.side):
        return none
    if not _expected(solver, alphas[SHORTEST - 1 : SHORTEST]):
        return none
    alphas = alphas[: _expected(solver, alphas[:LONGEST])]
    if len(alphas) < SHORTEST:
        return none
    rows = state.model.gram.take(active, 0)
    systems = rows.take(active, 1)[None].repeat(len(alphas), 0)
    diagonals = systems.reshape(len(alphas), -1)[:, :: len(active) + 1]
    diagonals += np.multiply.outer(alphas, solver.ridges.take(active))
    least = DEPENDENT_IN_SUPPORT * diagonals
    rates = (solver.rates * pattern.sign).take(active)
    x = state.model.c.take(active) - np.multiply.outer(alphas, rates)
    for matrix, rhs in zip(systems, x, strict=True):
        # in place, the factor in the lower triangle of the transposed matrix
        if dposv(matrix.T, rhs, lower=1, overwrite_a=1, overwrite_b=1)[2]:
            return none
    if np.count_nonzero(diagonals * diagonals <= least):
        return none
    W = np.zeros((len(state.w), len(alphas)))
    W[active] = x.T
    Q = state.model.c[:, None] - rows.T.dot(x.T)
    n_done = _n_unchanged(solver, alphas, W, Q)
    if n_done < 2:
        return none
    (before, alpha), last = alphas[n_done - 2 : n_done].tolist(), slice(n_done - 2, n_done)
    (w_before, w), (q_before, q) = W.T[last].copy(), Q.T[last].copy()
    along = state.predictor
    if along is not None and alpha == before:
        along = along._replace(alpha=alpha, w=w, q=q)
    else:
        along = Predictor(alpha, w, q, w - w_before, q - q_before, before - alpha, exact=False)
    solver.state = state._replace(alpha=alpha, w=w, q=q, predictor=along, age=0)
    return W[:, :n_done]


def _expected(solver: ActiveSet, alphas: Array) -> int:
    """How many of the first alphas are expected to keep the active set, along the secant."""
    state, along = solver.state, solver.state.predictor
    if along is None or state.model.centre is not None:
        return 0
    ahead = (along.alpha - alphas) / along.span
    W = along.w[:, None] + np.multiply.outer(along.dw, ahead)
    Q = along.q[:, None] + np.multiply.outer(along.dq, ahead)
    return _n_unchanged(solver, alphas, W, Q)


def _n_unchanged(solver: ActiveSet, alphas: Array, W: Array, Q: Array) -> int:
    """At how many of the first alphas these coefficients and correlations keep the active set."""
    pattern, penalty = solver.state.pattern, solver.penalty
    changed = np.abs(Q) > np.multiply.outer(solver.limits, alphas) + solver.slack[:, None]
    if solver.has_bounds:
        rises, falls = solver.may_rise[:, None], solver.may_fall[:, None]
        changed &= np.where(Q > 0, rises, falls)
    changed[pattern.active] = False
    changed |= W * pattern.sign[:, None] < 0
    if solver.has_bounds:
        lower, upper = penalty.lower[:, None], penalty.upper[:, None]
        changed |= np.minimum(np.maximum(W, lower), upper) != W
    if not np.count_nonzero(changed):
        return len(alphas)
    return int(np.argmax(changed.any(axis=0)))
