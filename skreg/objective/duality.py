"""Duality gaps at given points: what a loss adds, and what a penalty adds.

For coefficients w with the linear predictor eta = Zw and any slopes u of the loss

    P(w) - min P  <=  sum_i s_i [ f(eta_i) + f*(u_i) - u_i eta_i ]
                      + sum_j [ pen_j(w_j) + pen_j*(q_j) - q_j w_j ],    q = -Z^T Omega u.

Every bracket is at least zero, by Fenchel and Young, so nothing cancels and gaps of 1e-16 can be
told from gaps of 1e-12. `Loss` has the conjugates; the first sum of the squared error, with the
residual r and ``-u`` in the place of u, is ``|r - u|^2 / 2``.
"""

from __future__ import annotations

import numpy as np

from .group import ScaledGroupPenalty
from .penalties import Array, ScaledPenalty


def gap_at(
    w: Array,
    q: Array,
    rss: float | Array,
    penalty: ScaledPenalty,
    along: float = 0.0,
    moved: float = 0.0,
    most: float | Array = 1.0,
) -> Array:
    """The gap of the squared error at ``u = tau (r - d)``, with the largest tau that is feasible.

    Parameters
    ----------
    w, q : ndarray of shape (n_features,) or (n_features, n_alphas)
        Coefficients, and the correlations of r - d.
    rss : float or ndarray of shape (n_alphas,)
        Weighted sum of squares of the residual r.
    penalty : ScaledPenalty
        Of `Penalty.at_each` for many alphas.
    along, moved : float
        <r, d> and |d|^2.
    most : float or ndarray of shape (n_alphas,)
        What tau is at most.

    Returns
    -------
    ndarray of shape () or (n_alphas,)
    """
    tau, dual = into_domain(q, penalty, most)
    away = (1.0 - tau) ** 2 * rss + 2.0 * tau * (1.0 - tau) * along + tau**2 * moved
    return np.asarray(0.5 * np.maximum(away, 0.0) + penalty_gaps(w, dual, penalty).sum(axis=0))


def gap_of_rows(
    W: Array,
    Q: Array,
    rss: float | Array,
    penalty: ScaledGroupPenalty,
    along: float = 0.0,
    moved: float = 0.0,
) -> Array:
    """`gap_at` of all targets together; W and Q have shape ([n_alphas,] n_features, n_targets)."""
    tau, dual = penalty.into_domain(Q)
    away = (1.0 - tau) ** 2 * rss + 2.0 * tau * (1.0 - tau) * along + tau**2 * moved
    return np.asarray(0.5 * np.maximum(away, 0.0) + penalty.gaps(W, dual).sum(axis=-1))


def into_domain(q: Array, penalty: ScaledPenalty, most: float | Array = 1.0) -> tuple[Array, Array]:
    """The largest tau up to `most` at which the conjugates of tau q are finite, and tau q."""
    strict = penalty.unbounded(q)
    if not np.count_nonzero(strict):
        tau = np.minimum(1.0, most)
        return tau, tau * q
    size = np.abs(q)
    limit = np.maximum(size, penalty.l1)
    share = np.divide(penalty.l1, limit, out=np.ones(size.shape), where=strict & (limit > 0))
    tau = np.minimum(share.min(axis=0, initial=1.0), most)
    dual = tau * q
    # tau q may exceed l1 by a rounding error, where the conjugate is infinite.
    inside = np.minimum(np.maximum(dual, -penalty.l1), penalty.l1)
    return tau, inside if strict.all() else np.where(strict, inside, dual)


def penalty_gaps(w: Array, q: Array, penalty: ScaledPenalty) -> Array:
    """Each feature's share of the gap; infinite where q is infeasible.

    That of ``|w|`` with the part of q within the threshold, and that of the rest, by the
    coefficient which is best for it: a difference of products that are both at least zero.
    """
    inside = np.minimum(np.maximum(q, -penalty.l1), penalty.l1)
    gaps, pull = penalty.l1 * np.abs(w) - inside * w, q - inside
    if not penalty.has_l2:
        if np.count_nonzero(pull):
            best = np.where(pull > 0, penalty.upper, penalty.lower)
            gaps += np.multiply(best - w, pull, out=np.zeros_like(gaps), where=pull != 0)
        return gaps
    curved = penalty.l2 > 0
    best = np.where(pull > 0, penalty.upper, np.where(pull < 0, penalty.lower, w))
    best = np.divide(pull, penalty.l2, out=best, where=curved)
    if penalty.boxed:
        best = np.minimum(np.maximum(best, penalty.lower), penalty.upper)
    middle = np.multiply(0.5 * penalty.l2, best + w, out=np.zeros_like(best), where=curved)
    return np.asarray(gaps + np.maximum((best - w) * (pull - middle), 0.0))


def correlations_wanted(w: Array, q: Array, penalty: ScaledPenalty) -> Array:
    """The correlations nearest to q at which w has no gap, bounds aside."""
    used = penalty.l1 * np.sign(w) + penalty.l2 * w
    return np.where(w != 0, used, np.clip(q, -penalty.l1, penalty.l1))


def ridge_gaps(w: Array, q: Array, penalty: ScaledPenalty) -> Array | None:
    """`gap_at` in closed form where an L2 part is all that every feature has, else None."""
    if penalty.has_l1 or penalty.boxed or not penalty.l2.all():
        return None
    away = q - penalty.l2 * w
    return np.asarray((away * (away / (2.0 * penalty.l2))).sum(axis=0))
