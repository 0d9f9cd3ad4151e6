"""The certificate: a duality gap for L1 and L2 penalties, factors and bounds alike.

`objective/duality.py` has the gap of the residual r = y - Zw and any dual point u. Two are tried:

1. u = tau r, with tau <= 1 such that the conjugates are finite (Bach et al., Optimization with
   Sparsity-Inducing Penalties, 2012). Where a penalty is next to nothing that tau is far from
   one for no more than a rounding error of q, or zero.
2. u = tau (r - d), where d, from the span of the features in use, gives these features exactly
   the correlations that optimality asks of them. d is small where w is nearly optimal: half its
   square is Newton's estimate of what is left to gain.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy import linalg

from ..data.design import Array, Design, Index
from ..objective.duality import correlations_wanted, gap_at, penalty_gaps
from ..objective.penalties import ScaledPenalty
from .base import AIM, Bound, OneTarget
from .numerics import reciprocal
from .rounding import (
    FAINT,
    NOISE,
    directions_of,
    hidden_directions,
    least_l1,
    rounding,
    rounding_of_ridge,
    weakly_penalised,
)
from .tolerances import KKT_ROUNDING

MOST_CORRECTIONS = 6
# So many times a step along hidden directions may stop at bounds; more gain nothing that is seen.
MOST_STOPS = 3
# Steps that stop may be 1e9 times as long as the residual they leave, and rounded as such. Each
# removal of what is along the directions leaves a share of eps over the shortest of that rounding.
MOST_REMOVALS = 5
# An L1 threshold under this share of the largest possible correlation is too close to rounding
# to scale by it.
LOOSE = 1e-6
# Above this share of the unit, what rounding may hide is worth a residual computed itself.
LOUD = 1e-10
# A feature's share of the gap, over the unit, that is not worth a correction.
HARMLESS = 1e-14
# A squared pivot of a matrix with unit diagonal: above this its inverse keeps enough digits.
INVERTIBLE = 1e-8
# Systems of more features than this are solved by a factor instead of eigenvectors, in a fortieth
# of the time: a singular one with this share added to its diagonal, in so many refinements.
FEW_EIGENVECTORS = 200
CORRECTION_SHIFT, CORRECTION_REFINEMENTS = 1e-9, 3
# More features than this are not corrected: their Gram matrix would be too large.
LARGEST_CORRECTED = 2048


def relative_gap(
    w: Array,
    q: Array,
    rss: float,
    penalty: ScaledPenalty,
    design: Design,
    unit: float,
) -> float:
    """Upper bound of ``P(w) - min P``, divided by `unit`.

    Parameters
    ----------
    w, q : ndarray of shape (n_features,)
        Coefficients and correlations of the residual.
    rss : float
        Weighted sum of squares of the residual.
    design : Design
        Columns of its Gram matrix are asked for where the scaled residual is not good enough.
    unit : float
        Weighted mean square of the target.
    """
    gap = float(gap_at(w, q, rss, penalty))
    if gap > AIM * unit:
        gap = min(gap, _corrected(w, q, rss, penalty, design, unit))
    return gap / unit


def relative_gaps(
    W: Array, Q: Array, rss: Array, penalty: ScaledPenalty, design: Design, unit: float | Array
) -> Array:
    """`relative_gap` of many coefficients at once, one a column.

    `penalty` is from `Penalty.at_each`, with as many alphas, or one that serves all; `unit` has one
    number a column where it is an array.
    """
    gaps = gap_at(W, Q, rss, penalty)
    for i in (gaps > AIM * unit).nonzero()[0]:
        one, own = penalty.column(int(i)), unit if isinstance(unit, float) else float(unit[i])
        gaps[i] = min(gaps[i], _corrected(W[:, i], Q[:, i], float(rss[i]), one, design, own))
    return gaps / unit


def support_gaps(
    W: Array,
    Q: Array,
    rest: Array,
    rss: Array,
    penalty: ScaledPenalty,
    variances: Array,
    unit: float,
) -> Array:
    """A bound of `relative_gaps` from some features alone: the others are zero, at no cost.

    A zero costs nothing where its correlation is within its threshold, which scaling the dual
    point achieves for all the others at once. W, Q, penalty and variances are those of the
    features in use; `rest` is the largest correlation of the others over their threshold.
    """
    most = 1.0 / np.maximum(rest, 1.0)
    gaps = gap_at(W, Q, rss, penalty, most=most)
    if np.any(gaps > AIM * unit):
        wanted = correlations_wanted(W, Q, penalty)
        rounding = (KKT_ROUNDING * np.sqrt(variances * unit))[:, None]
        near = (penalty.l1 > 0) & (np.abs(Q - wanted) <= rounding)
        corrected = gap_at(W, np.where(near, wanted, Q), rss, penalty, most=most)
        gaps = np.where(gaps > AIM * unit, corrected, gaps)
    return gaps / unit


def with_rounding(
    gaps: Array,
    W: Array,
    alphas: Array,
    rss: Array,
    one: OneTarget,
) -> Array:
    """Relative gaps at some alphas and what rounding may hide of them.

    W has shape (n_alphas, n_features). Where much may be hidden, both are made anew from the
    residuals of W, which hide least.
    """
    design, penalty, unit = one.design, one.penalty, one.unit
    hidden = rounding(W, alphas, rss, penalty, design, unit, KKT_ROUNDING)
    found = _together(gaps, hidden)
    if design.has_rows and not hidden.max() <= LOUD:
        loud = np.flatnonzero(~(hidden <= LOUD))  # what is no number, too
        w = W[loud].T
        residuals = (one.y - design.predict(w).T).T
        q, squares = design.correlate(residuals), design.norm2(residuals)
        direct = relative_gaps(w, q, squares, penalty.at_each(alphas[loud]), design, unit)
        known = penalty, design, unit, KKT_ROUNDING, q.T
        direct = _together(direct, rounding(W[loud], alphas[loud], squares, *known))
        found[loud] = np.minimum(found[loud], direct)
    return found


def all_with_rounding(gaps: Array, W: Array, alphas: Array, rss: Array, bound: Bound) -> Array:
    """`with_rounding` of all targets, shape (n_targets, n_alphas).

    W has shape (n_targets, n_alphas, n_features). Ridge, and a single alpha with an L1 part, take
    one pass over it, unless rounding may hide much.
    """
    penalty, design = bound.penalty, bound.design
    if len(alphas) == 1 and penalty.l1_ratio and not np.count_nonzero(~(gaps <= AIM)):
        roots = np.sqrt(bound.target.units)
        largest = float(roots.max()) * design.largest_size
        if least_l1(penalty, float(alphas[0])) > FAINT * largest:
            linear = design.lengths(W[:, 0])
            hides = NOISE * linear * (linear + roots) / bound.target.units
            if not np.count_nonzero(~(hides <= LOUD)):
                return gaps + hides[:, None]
    if penalty.l1_ratio == 0:
        known = design, bound.target.units, KKT_ROUNDING
        hidden = rounding_of_ridge(W, alphas, penalty, *known)
        if hidden is not None and hidden.max() <= LOUD:
            if gaps.max() <= AIM:
                return gaps + hidden
            lengths = np.square(np.sqrt(gaps) + np.sqrt(hidden))
            return np.where(gaps.max(axis=1, keepdims=True) <= AIM, gaps + hidden, lengths)
    found = np.empty_like(gaps)
    for k in range(len(gaps)):
        found[k] = with_rounding(gaps[k], W[k], alphas, rss[k], OneTarget(bound, k))
    return found


def _together(gaps: Array, hidden: Array) -> Array:
    """Both at once: a gap is the square of a length, and it is lengths that add up."""
    if gaps.max() <= AIM:
        return gaps + hidden
    return np.square(np.sqrt(gaps) + np.sqrt(hidden))


def _corrected(
    w: Array,
    q: Array,
    rss: float,
    penalty: ScaledPenalty,
    design: Design,
    unit: float,
) -> float:
    """The smallest bound from residuals that are corrected on features in use, where it matters.

    What is within rounding of the correlation wanted is taken to have it. Correcting some
    features may push another over its threshold, which then joins them.
    """
    weak, _ = weakly_penalised(w, q, penalty, design, FAINT * math.sqrt(unit))
    if hidden_directions(design, weak, penalty.l2[weak]) is not None:
        return _past_hidden(w, q, rss, penalty, design, unit)
    reach = np.sqrt(design.variances * unit)
    candidates = (w != 0) | (penalty.l1 <= LOOSE * reach)
    chosen = np.zeros(len(w), dtype=bool)
    wanted, corrected, along, moved, best = q, q, 0.0, 0.0, np.inf
    for _ in range(MOST_CORRECTIONS):
        wanted = np.where(chosen, wanted, correlations_wanted(w, corrected, penalty))
        corrected = np.where(np.abs(corrected - wanted) <= KKT_ROUNDING * reach, wanted, corrected)
        best = min(best, float(gap_at(w, corrected, rss, penalty, along, moved)))
        more = candidates & ~chosen & (penalty_gaps(w, corrected, penalty) > HARMLESS * unit)
        index = np.flatnonzero(chosen | more)
        if best <= AIM * unit or not more.any() or len(index) > LARGEST_CORRECTED:
            break
        columns, excess = design.gram_columns(index), (q - wanted)[index]
        share = pseudo_solve(columns[index], excess)
        change = columns @ share
        corrected = q - change
        along, moved = float(q[index] @ share), float(change[index] @ share)
        chosen[index] = True
    return best


def _past_hidden(
    w: Array, q: Array, rss: float, penalty: ScaledPenalty, design: Design, unit: float
) -> float:
    """The bound from a residual without what it has along directions that no Gram matrix shows.

    The step to the best coefficients along them stops at bounds and kinks; a feature that wants to
    leave its own after it joins. Of more features than directions not all can have the
    correlations wanted: those that they do have then decide how far the residual is scaled.
    """
    best, dual, root = 0.5 * rss + float(penalty.value(w).sum()), q, np.sqrt(design.omega)
    step, slope = np.zeros(len(w)), np.zeros(len(w))
    free, stopped = np.zeros(len(w), dtype=bool), np.zeros(len(w), dtype=bool)
    for _ in range(MOST_STOPS):
        index, slopes = weakly_penalised(w, dual, penalty, design, FAINT * math.sqrt(unit))
        joins = ~(free | stopped)[index]
        slope[index[joins]] = slopes[joins]
        free[index[joins]] = True
        low = np.where(slope > 0, np.maximum(penalty.lower, 0.0), penalty.lower)
        high = np.where(slope < 0, np.minimum(penalty.upper, 0.0), penalty.upper)
        stops = free & ((w + step < low) | (w + step > high))
        if best <= AIM * unit or not (joins.any() or stops.any()):
            break
        stopped |= stops
        free &= ~stops
        step = np.where(stopped, np.clip(w + step, low, high) - w, 0.0)
        dual, rows = q, np.zeros(design.n_samples)
        if step.any():
            rows = root * design.predict(step)
            dual = q - design.correlate(reciprocal(root) * rows)
        index = np.flatnonzero(free)
        wanted = slope[index] + penalty.l2[index] * w[index]
        along = directions_of(design, index, penalty.l2[index])
        for _ in range(MOST_REMOVALS):
            length = np.linalg.norm(rows)
            excess = dual[index] - wanted - penalty.l2[index] * step[index]
            part, more = along.remove(design, excess)
            step[index] += part
            rows = rows + more
            dual = q - design.correlate(reciprocal(root) * rows)
            if np.linalg.norm(rows) >= 0.5 * length:
                break
        missed, error = along.out_of_span(slope[index])
        dual[index] = wanted + penalty.l2[index] * step[index] - missed
        moved = float(rows @ rows)
        inner = moved + float(step @ dual + error @ np.abs(step[index]))
        farthest = dual.copy()
        farthest[index] += np.copysign(error, dual[index])
        gap = float(gap_at(w, farthest, rss, penalty, inner, moved))
        best = min(best, gap + 2.0 * float(error @ np.abs(w[index])))
    return best


def pseudo_solve(gram: Array, rhs: Array) -> Array:
    """Least-squares solution of a positive semidefinite system, whatever its scales.

    `rhs` has shape (n,) or (n, k).
    """
    size = np.sqrt(gram.diagonal())
    inverse = np.divide(1.0, size, out=np.zeros_like(size), where=size > 0)
    unit = gram * inverse * inverse[:, None]
    if len(unit) > FEW_EIGENVECTORS:
        return (inverse * _by_factor(unit, (inverse * rhs.T).T).T).T
    values, vectors = np.linalg.eigh(unit)
    kept = values > len(values) * 1e-14
    share = vectors[:, kept].T @ (inverse * rhs.T).T
    return (inverse * (vectors[:, kept] @ (share.T / values[kept]).T).T).T


def _by_factor(unit: Array, rhs: Array) -> Array:
    """The same for a large matrix with unit diagonal, near enough, by a factor and refinement."""
    factor, info = linalg.lapack.dpotrf(unit, lower=1)
    if info or factor.diagonal().min() ** 2 <= INVERTIBLE:
        shifted = unit + CORRECTION_SHIFT * np.eye(len(unit))
        factor, info = linalg.lapack.dpotrf(shifted, lower=1)
    found = np.zeros_like(rhs)
    for _ in range(0 if info else CORRECTION_REFINEMENTS):
        found += linalg.lapack.dpotrs(factor, rhs - unit @ found, lower=1)[0]
    return found


def degrees_of_freedom(
    w: Array, penalty: ScaledPenalty, gram_of: Callable[[Index], Array]
) -> float:
    """Non-zero coefficients with an L1 part; else the trace of the smoother on the free ones."""
    if penalty.has_l1:
        return float(np.count_nonzero(w))
    index = np.flatnonzero((penalty.lower < w) & (w < penalty.upper))
    if not len(index):
        return 0.0
    gram = gram_of(index)
    size = np.sqrt(gram.diagonal() + penalty.l2[index])
    inverse = np.divide(1.0, size, out=np.zeros_like(size), where=size > 0)
    gram = gram * inverse * inverse[:, None]
    shrinkage = penalty.l2[index] * inverse**2
    total = gram + np.diag(shrinkage)
    if not np.isfinite(total).all():  # of curvatures that overflow
        return np.nan
    # What shrinkage takes from each feature, tr(total^-1 diag(shrinkage)), by a Cholesky factor
    # where it is far from singular: a hundred times quicker than a pseudo-inverse.
    factor, info = linalg.lapack.dpotrf(total, lower=1)
    if info == 0 and factor.diagonal().min() ** 2 > INVERTIBLE:
        inverted, _ = linalg.lapack.dtrtri(factor, lower=1, overwrite_c=1)
        taken = np.einsum("ij,ij->j", inverted, inverted) @ shrinkage
        return float(len(index) - taken)
    return float(np.trace(linalg.pinvh(total, rtol=1e-13) @ gram))
