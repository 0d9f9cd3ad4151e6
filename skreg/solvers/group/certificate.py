"""The certificate of coefficients that enter by rows: `optimality.py` for all targets at once.

The gap of all targets together is divided by the sum of their units. The dual points that are tried
are the same: the residual times a share that makes the conjugates finite, and a residual that is
corrected on the features in use, to have the correlations that optimality asks for.
"""

from __future__ import annotations

import numpy as np

from ...data.design import Array, Design
from ...objective.duality import gap_of_rows
from ...objective.group import GroupPenalty, ScaledGroupPenalty
from ..base import AIM, Bound, Mask, Target
from ..optimality import HARMLESS, LARGEST_CORRECTED, LOOSE, LOUD, MOST_CORRECTIONS, pseudo_solve
from ..rounding import FAINT, NOISE, least_l1, rounding
from ..tolerances import KKT_ROUNDING


def gaps_of_rows(
    W: Array, Q: Array, rss: Array, penalty: ScaledGroupPenalty, design: Design, unit: float
) -> Array:
    """Upper bounds of ``P(W) - min P`` at some alphas, divided by `unit`.

    Parameters
    ----------
    W, Q : ndarray of shape (n_alphas, n_features, n_targets)
        Coefficients, and correlations of the residual.
    rss : ndarray of shape (n_alphas,)
        Weighted sums of squares of the residuals.
    penalty : ScaledGroupPenalty
        Of `GroupPenalty.at_each`.
    design : Design
        Columns of its Gram matrix are asked for where the scaled residual is not good enough.
    unit : float
        Weighted mean square of the targets.
    """
    gaps = gap_of_rows(W, Q, rss, penalty)
    for i in np.flatnonzero(~(gaps <= AIM * unit)):
        one = ScaledGroupPenalty(penalty.l1[i], penalty.l2[i], penalty.lower, penalty.upper)
        gaps[i] = min(gaps[i], _corrected(W[i], Q[i], float(rss[i]), one, design, unit))
    return gaps / unit


def _corrected(
    W: Array, Q: Array, rss: float, penalty: ScaledGroupPenalty, design: Design, unit: float
) -> float:
    """The smallest bound from residuals that are corrected on features in use, where it matters.

    See `optimality.py`.
    """
    reach = np.sqrt(design.variances * unit)
    candidates = W.any(axis=1) | (penalty.l1 <= LOOSE * reach)
    chosen = np.zeros(len(W), dtype=bool)
    wanted, corrected, along, moved, best = Q, Q, 0.0, 0.0, np.inf
    for _ in range(MOST_CORRECTIONS):
        wanted = np.where(chosen[:, None], wanted, penalty.wanted(W, corrected))
        near = np.abs(corrected - wanted) <= (KKT_ROUNDING * reach)[:, None]
        corrected = np.where(near, wanted, corrected)
        best = min(best, float(gap_of_rows(W, corrected, rss, penalty, along, moved)))
        more = candidates & ~chosen & (penalty.gaps(W, corrected) > HARMLESS * unit)
        index = np.flatnonzero(chosen | more)
        if best <= AIM * unit or not more.any() or len(index) > LARGEST_CORRECTED:
            break
        columns, excess = design.gram_columns(index), (Q - wanted)[index]
        share = pseudo_solve(columns[index], excess)
        change = columns @ share
        corrected = Q - change
        along, moved = float(np.vdot(Q[index], share)), float(np.vdot(change[index], share))
        chosen[index] = True
    return best


def unit_of(target: Target) -> float:
    """The unit of gaps of all targets together, one where there is nothing to fit."""
    return float(target.squares.sum()) or 1.0


def rows_with_rounding(gaps: Array, W: Array, alphas: Array, rss: Array, bound: Bound) -> Array:
    """Relative gaps of all targets, and what rounding may hide of them.

    W has shape (n_targets, n_alphas, n_features), the others (n_targets, n_alphas). At an alpha of
    zero targets have gaps of their own. See `optimality.with_rounding`.
    """
    design, shape, target = bound.design, bound.penalty, bound.target
    assert isinstance(shape, GroupPenalty)
    roots, coupled = np.sqrt(target.units)[:, None], alphas > 0
    faint = FAINT * design.largest_size * float(roots.max())
    if coupled.all() and least_l1(shape.each, float(alphas[-1])) > faint:
        linear = np.abs(W).dot(design.sizes)
        hidden = NOISE * linear * (linear + roots)
    else:
        hidden = _hidden(W, alphas, rss, bound)
    unit = unit_of(target)
    found = _together(gaps, _shared(hidden, coupled, target, unit))
    if design.has_rows and not found.max() <= LOUD:
        loud = np.flatnonzero(coupled & ~(found.max(axis=0) <= LOUD))  # what is no number, too
        for i in loud.tolist():
            w, alpha = W[:, i].T, alphas[i : i + 1]
            residual = target.centred - design.predict(w)
            q, squares = design.correlate(residual), design.norm2(residual)
            known = w[None], q[None], squares.sum()[None], shape.at_each(alpha)
            direct = gaps_of_rows(*known, design, unit)
            hidden = _hidden(W[:, i : i + 1], alpha, squares[:, None], bound, q.T[:, None])
            direct = _together(direct, hidden.sum(axis=0) / unit)
            found[:, i] = np.minimum(found[:, i], direct)
    return found


def _hidden(W: Array, alphas: Array, rss: Array, bound: Bound, Q: Array | None = None) -> Array:
    """What rounding may hide of the gaps, target by target, (n_targets, n_alphas)."""
    shape, design, units = bound.penalty, bound.design, bound.target.units.tolist()
    assert isinstance(shape, GroupPenalty)
    found = []
    for k, unit in enumerate(units):
        q = None if Q is None else Q[k]
        known = W[k], alphas, rss[k], shape.each, design, unit, KKT_ROUNDING, q
        found.append(unit * rounding(*known))
    return np.array(found)


def _shared(hidden: Array, coupled: Mask, target: Target, unit: float) -> Array:
    """The same over the unit: of all targets together where they are coupled."""
    return np.where(coupled, hidden.sum(axis=0) / unit, hidden / target.units[:, None])


def _together(gaps: Array, hidden: Array) -> Array:
    """Both at once: a gap is the square of a length, and it is lengths that add up."""
    return np.where(gaps <= AIM, gaps + hidden, np.square(np.sqrt(gaps) + np.sqrt(hidden)))
