"""What rounding may hide of a duality gap: a certificate is no smaller than this.

A residual is a sum of terms of the sizes |y| and s_j |w_j|, with s_j the length of column j before
it was centred; S is the sum of these. So each correlation is known to no more than
``delta_j = NOISE s_j S``, and to ``NOISE s_j |r|`` from a residual that was computed itself, which
is known to ``NOISE S``. In the gap that amounts to

    |w_j| delta_j              for a feature with an L1 part, whose share of the gap is linear in q,
    delta_j^2 / (2 l2_j)       for one with an L2 part alone,
    (delta / s)^2 / (2 d^2)    for each of those with hardly any penalty, where d is the length of
                               the shortest direction that their columns of length one span.

Directions as short as the rounding of the data are none, as elsewhere (`minimum_norm.py`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack

from ..data.design import Array, Design, Index
from ..objective.penalties import Penalty, ScaledPenalty
from .numerics import EPS, svd
from .ridge.minimum_norm import triangle_of
from .ridge.triangle import affordable

# Error of a correlation over the sizes it is made from. Sums of 1000 products are four times as
# precise in OpenBLAS, where the terms are all of one sign.
NOISE = 8 * EPS
# An L2 part under this share of the squared length does not hold a direction that columns do not;
# one above it makes of the noise of a correlation, 1e-13 with what is snapped, 1e-13 of the gap.
WEAK = 1e-13
# A Gram matrix holds the squares of lengths: of directions shorter than this nothing is left.
HIDDEN = 1e-7
# The least eigenvalue of a Gram matrix with unit diagonal that its Cholesky factor bears out.
SEEN = 1e-10
# More features than this are not looked at together: their singular values would take too long.
LARGEST_SVD = 2048


@dataclass(frozen=True)
class Directions:
    """Singular directions of some columns ``Z diag(inverse)``, stacked on their L2 part.

    Attributes
    ----------
    index : ndarray of int
    inverse : ndarray of shape (len(index),)
        One over the lengths of the columns before centring, L2 part included.
    lengths : ndarray of shape (rank,)
        Singular values above the rounding of the data, decreasing.
    rows : ndarray of shape (n_samples, rank) or None
        The part of the left singular vectors in the (root-weighted) rows; None for sparse X.
    right : ndarray of shape (rank, len(index))
    """

    index: Index
    inverse: Array
    lengths: Array
    rows: Array | None
    right: Array

    @classmethod
    def of(cls, design: Design, index: Index, l2: Array) -> Directions:
        """By a singular value decomposition of the columns, which squares nothing."""
        inverse = 1.0 / np.sqrt(design.sizes[index] ** 2 + l2)
        if design.sparse:  # its triangle has the same lengths, and is all that is made dense
            Z, _ = triangle_of(design, index, np.zeros((design.n_samples, 0)))
        else:
            Z = design.columns(index) * np.sqrt(design.omega)[:, None]
        stacked = np.vstack([Z, np.diag(np.sqrt(l2))]) if l2.any() else Z
        U, lengths, right = svd(stacked * inverse)
        kept = lengths > max(design.n_samples, len(index)) * EPS
        rows = None if design.sparse else U[: len(Z), kept]
        return cls(index, inverse, lengths[kept], rows, right[kept])

    @property
    def shortest(self) -> float:
        """The least length there is."""
        return float(self.lengths.min(initial=1.0))

    def remove(self, design: Design, gradient: Array) -> tuple[Array, Array]:
        """The step in the coefficients, and in the weighted rows, that a gradient asks for."""
        share = (self.right @ (self.inverse * gradient)) / self.lengths
        step = self.inverse * (self.right.T @ (share / self.lengths))
        if self.rows is not None:
            return step, self.rows @ share
        w = np.zeros(design.n_features)
        w[self.index] = step
        return step, np.sqrt(design.omega) * design.predict(w)


def weakly_penalised(w: Array, penalty: ScaledPenalty, design: Design) -> Index:
    """Features inside their bounds that nothing but their column holds in place."""
    weak = (penalty.l1 == 0) & (penalty.l2 <= WEAK * design.sizes**2) & (design.sizes > 0)
    return np.flatnonzero(weak & (penalty.lower < w) & (w < penalty.upper))


def hidden_directions(design: Design, index: Index, l2: Array) -> Directions | None:
    """Directions of these columns, where a Gram matrix would not show them all; else None."""
    found = _shortest(design, index, l2)
    return found if isinstance(found, Directions) and found.shortest < HIDDEN else None


def _shortest(design: Design, index: Index, l2: Array) -> Directions | float:
    """The shortest direction: a lower bound of its length, or all of them. The design keeps it."""
    key = ("shortest", index.tobytes(), l2.tobytes())
    known = design.decompositions
    if key not in known:
        known[key] = _shortest_of(design, index, l2)
    return known[key]


def _shortest_of(design: Design, index: Index, l2: Array) -> Directions | float:
    if not 2 <= len(index) <= LARGEST_SVD or (design.sparse and not affordable(design)):
        return 1.0
    if len(index) < design.n_samples:
        # A Cholesky factor tells enough of most, in a twentieth of the time.
        whole = design._gram is not None
        gram = design.gram()[np.ix_(index, index)] if whole else design.subset(index).gram()
        inverse = 1.0 / np.sqrt(design.sizes[index] ** 2 + l2)
        gram = gram * inverse * inverse[:, None]
        gram[np.diag_indices_from(gram)] += l2 * inverse**2
        factor, failed = lapack.dpotrf(gram)
        if not failed:
            norm = np.abs(gram).sum(axis=0).max()
            least = lapack.dpocon(factor, norm)[0] * norm
            if least > SEEN:
                return float(np.sqrt(least))
    return Directions.of(design, index, l2)


def rounding(
    W: Array,
    alphas: Array,
    rss: Array,
    penalty: Penalty,
    design: Design,
    unit: float,
    snapped: float,
    direct: bool = False,
) -> Array:
    """What rounding may hide of the gaps at some alphas, over `unit`.

    Parameters
    ----------
    W : ndarray of shape (n_alphas, n_features)
    alphas, rss : ndarray of shape (n_alphas,)
    unit : float
        Weighted mean square of the target.
    snapped : float
        Share of the largest possible correlation within which one counts as that wanted.
    direct : bool
        Whether the correlations are those of a residual that was computed itself.
    """
    sizes, used, root = design.sizes, np.abs(W), math.sqrt(unit)
    linear = used.dot(sizes)
    size = linear + root
    seen = np.sqrt(rss) if direct else size
    free = None if penalty.factors.all() else penalty.free
    if free is not None and free.any():
        linear = used.dot(np.where(free, 0.0, sizes))
    else:
        free = None
    kinked = penalty.l1_ratio > 0
    found = linear * seen * (NOISE / unit) if kinked else np.zeros(())
    if not kinked or free is not None or alphas[-1] == 0:
        found = np.where(alphas > 0, found, 0.0) if kinked else found
        smooth = _of_smooth(W, alphas, penalty, design, NOISE * seen, snapped * root)
        found = found + smooth / unit
    if direct:
        found += (0.5 * NOISE**2 / unit) * size**2
    return found


def rounding_of_one(w: Array, design: Design, unit: float) -> float:
    """The same at one alpha, where all features have an L1 part: numbers instead of arrays."""
    linear = float(np.abs(w).dot(design.sizes))
    return NOISE * linear * (linear + math.sqrt(unit)) / unit


def _of_smooth(
    W: Array, alphas: Array, penalty: Penalty, design: Design, noise: Array, snapped: float
) -> Array:
    """What rounding hides of the features without an L1 part."""
    found, n_held = np.zeros(len(alphas)), 0
    if penalty.l1_ratio == 0 and penalty.factors.all():
        squared, error = design.sizes**2 / penalty.factors, noise + snapped
        total = float(squared.sum())
        if alphas[-1] > WEAK * total:
            return error * error * (0.5 * total) / alphas
        n_held = int(np.searchsorted(-alphas, -WEAK * squared.max()))
        found[:n_held] = error[:n_held] ** 2 * (0.5 * total) / alphas[:n_held]
    for i in range(n_held, len(alphas)):
        if alphas[i] == 0 or penalty.l1_ratio == 0 or penalty.free.any():
            found[i] = _of_one(W[i], penalty.at(alphas[i]), design, float(noise[i]), snapped)
    return found


def _of_one(
    w: Array, penalty: ScaledPenalty, design: Design, noise: float, snapped: float
) -> float:
    """The same at one alpha."""
    smooth = (penalty.l1 == 0) & (penalty.upper > penalty.lower) & (design.sizes > 0)
    held = smooth & (penalty.l2 > WEAK * design.sizes**2)
    shares = design.sizes[held] ** 2 / penalty.l2[held]
    index = weakly_penalised(w, penalty, design)
    at_bounds = np.count_nonzero(smooth & ~held) - len(index)
    total = 0.5 * (noise + snapped) ** 2 * (float(shares.sum()) + at_bounds)
    if len(index):
        found = _shortest(design, index, penalty.l2[index])
        length = found.shortest if isinstance(found, Directions) else found
        error = noise if length < HIDDEN else noise + snapped
        total += 0.5 * len(index) * (error / length) ** 2
    return total
