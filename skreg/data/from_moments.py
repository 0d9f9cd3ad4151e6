"""The design of rows whose second moments are known, by which its Gram matrix is known too."""

from __future__ import annotations

from typing import Any

import numpy as np

from .dense import DenseDesign
from .moments import Moments
from .products import CONSTANT, Array

# A column or target with less than this share of its variance left in the rows is made anew: what
# is left has lost as many digits.
LEFT = 1e-4
# More columns than this share of all are not made anew one by one: the rows have their own moments.
MANY_LOST = 0.25


def design_from_moments(
    rows: Any,
    Y: Array,
    weight: Array,
    moments: Moments,
    total: Moments,
    center: bool,
    standardize: bool,
) -> tuple[DenseDesign, Array] | None:
    """The design of `rows` with other weights, and correlations of its features and targets.

    `total` has the moments before rows were left out. None where of too many columns too little is.
    A column of which nearly all the spread was left out is made anew.
    """
    X = rows._X
    if not moments.weight > LEFT * total.weight:
        return None  # of the weights themselves too little is left
    # What the moments were before rows were taken away, in units of the weight that is left.
    spread = total.S.diagonal()[:-1] / moments.weight
    p = moments.n_features
    shift, second = moments.S[-1, :-1] / moments.weight, moments.S[:-1, :-1] / moments.weight
    squares = second.diagonal().copy()
    variances = squares - shift**2
    lost = (variances if center or standardize else squares) < LEFT * spread
    lost &= spread > (CONSTANT * moments.reference) ** 2  # constant everywhere: nothing to lose
    anew = np.flatnonzero(lost[:p])
    if len(anew) > MANY_LOST * p:
        return None
    if center:
        second -= np.outer(shift, shift)
        shift += moments.reference
    mean, G, c = shift[:p], second[:p, :p], second[:p, p:]
    if len(anew):
        part = DenseDesign.build(X[:, anew], weight)
        variances[anew] = part.variances
        mean[anew] = part.mean
    view = DenseDesign(X, weight / moments.weight, mean if center else None)
    centred = view.center(Y)[0]
    if len(anew):
        G[:, anew] = view.correlate(view.columns(anew))
        G[anew] = G[:, anew].T
        c[anew] = view.correlate(centred)[anew]
    if lost[p:].any():
        c[:, lost[p:]] = view.correlate(centred[:, lost[p:]])
    if center:
        constant = variances[:p] <= (CONSTANT * mean) ** 2
        G[constant] = G[:, constant] = c[constant] = 0.0
    inv_scale = None
    if standardize:
        deviation = np.sqrt(np.maximum(variances[:p], 0.0))
        inv_scale = np.divide(1.0, deviation, out=np.zeros(p), where=deviation > 0)
        G *= inv_scale
        G *= inv_scale[:, None]
        c = c * inv_scale[:, None]
    design = DenseDesign(X, view.omega, view.mean, inv_scale)
    design.use_gram(G)
    return design, c
