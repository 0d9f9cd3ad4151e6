"""The certificate of a smooth loss, from the residual of Newton's model.

`objective/duality.py` has the gap at any slopes of the loss. Two dual points are tried, each scaled
until the conjugates of the penalty are finite:

1. u = r - h d, the residual of the model that the last step minimised. It has the mean zero, which
   an intercept asks for, and correlations within their thresholds; its gap falls with the square of
   the error. It may be no slope of the loss while the step is long.
2. The residual at the coefficients, made to have the mean zero along the curvatures.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from ...data.design import Array, Index
from ...objective.duality import correlations_wanted, into_domain, penalty_gaps, ridge_gaps
from ...objective.penalties import Penalty, ScaledPenalty
from ..base import Mask
from ..tolerances import KKT_TOLERANCE
from .rows import TargetLoss


def gap_of(
    rows: TargetLoss,
    eta: Array,
    u: Array,
    w: Array,
    q: Array,
    penalty: ScaledPenalty,
    noise: Array,
    most: float = 1.0,
) -> float:
    """Upper bound of ``P(w) - min P`` over the unit of the rows.

    Other features may be left out that are zero, and whose conditions hold where u is scaled by
    `most`.

    Parameters
    ----------
    eta : ndarray of shape (n_samples,)
        The linear predictor of the coefficients.
    u : ndarray of shape (n_samples,)
        Minus slopes of the loss, of mean zero where there is an intercept.
    w, q : ndarray of shape (n_features,)
        Coefficients, and the correlations of u.
    noise : ndarray of shape (n_features,)
        What q is known to; the correlation wanted is taken where it is as near as that.
    """
    wanted = correlations_wanted(w, q, penalty)
    q = np.where(np.abs(q - wanted) <= noise, wanted, q)
    tau, dual = into_domain(q, penalty, most)
    of_loss = rows.gap(eta, float(tau) * u)
    return (of_loss + float(penalty_gaps(w, dual, penalty).sum())) / rows.unit


def balanced(rows: TargetLoss, r: Array, h: Array) -> Array:
    """The residual with the mean zero where there is an intercept."""
    return r - h * (rows.mean(r) / rows.mean(h)) if rows.has_intercept else r


class MeanLoss(Protocol):
    """What a certificate asks of the loss over the rows, of one target or of all classes."""

    @property
    def unit(self) -> float:
        """Unit of gaps."""

    @property
    def saturated(self) -> float:
        """Mean loss of the saturated model."""

    def values_of_each(self, eta: Array) -> Array:
        """Mean losses of several linear predictors."""


def certified(
    rows: MeanLoss,
    penalty: ScaledPenalty,
    W: Array,
    q: Array,
    eta: Array,
    errors: Array,
    noise: Array,
    most: Array | None = None,
) -> tuple[Array, Array]:
    """The gaps of several alphas, and their mean losses.

    Parameters
    ----------
    penalty : ScaledPenalty
        Of `Penalty.at_each`.
    W, q : ndarray of shape (k, n_features)
        Coefficients, and the correlations of u.
    eta : ndarray of shape (k, n_samples)
    errors : ndarray of shape (k,)
        What the loss adds to the relative gap at u.
    noise : ndarray of shape (n_features,)
    most : ndarray of shape (k,), optional
        See `gap_of`.
    """
    values = rows.values_of_each(eta)
    of_ridge = ridge_gaps(W.T, q.T, penalty) if most is None else None
    if of_ridge is not None:
        return errors + of_ridge / rows.unit, values
    wanted, share = correlations_wanted(W.T, q.T, penalty), 1.0 if most is None else most
    near = np.abs(q.T - wanted) <= noise[:, None]
    if near.all() and np.all(share == 1.0):  # correlations at which the penalty adds nothing
        return errors, values
    tau, dual = into_domain(np.where(near, wanted, q.T), penalty, share)
    # The gap is convex in tau; at zero it is what the loss exceeds the saturated model by.
    of_loss = tau * errors + (1.0 - tau) * (values - rows.saturated) / rows.unit
    return of_loss + penalty_gaps(W.T, dual, penalty).sum(axis=0) / rows.unit, values


def outside(
    penalty: Penalty, index: Index, noise: Array, alphas: Array, q: Array
) -> tuple[Array, Mask | None]:
    """What u is to be scaled by for the features outside a working set, all of which are zero.

    Parameters
    ----------
    index : ndarray of int
        The working set.
    noise : ndarray of shape (n_features,)
        What correlations are known to.
    q : ndarray of shape (k, n_features)
        Correlations of u at these alphas.

    Returns
    -------
    most : ndarray of shape (k,)
    missing : ndarray of bool, shape (k, n_features), or None
        Features that violate their KKT conditions by more than rounding; None where none does.
    """
    level, size = alphas * penalty.l1_ratio, np.abs(q)
    size[:, index] = 0.0
    if penalty.even and np.all(size.max(axis=1) <= level):
        return np.ones(len(q)), None
    over = (size - np.multiply.outer(level, penalty.factors)) * penalty.movable
    over[:, index] = 0.0
    missing = over > noise + KKT_TOLERANCE * size
    share = np.divide(over, size, out=np.zeros_like(over), where=over > 0.0)
    return 1.0 - share.max(axis=1), missing if np.count_nonzero(missing) else None
