"""What rounding may hide of a duality gap: a certificate is no smaller than this.

A residual is a sum of terms of the sizes |y| and s_j |w_j|, with s_j the length of column j before
it was centred; S is the sum of these. So each correlation is known to no more than
``delta_j = NOISE s_j S``, and to ``NOISE s_j |r|`` from a residual that was computed itself, which
is known to ``NOISE S``. In the gap that amounts to

    |w_j| delta_j              for a feature with an L1 part, whose share of the gap is linear in q,
    delta_j^2 / (2 l2_j)       for one with an L2 part alone,
    (delta / s)^2 / (2 d^2)    for each of those with hardly any penalty, where d is the length of
                               the shortest direction that their columns of length one span.

A feature at a bound, or at the kink of a faint L1 part, is one of the last only where its
correlation is within delta of wanting to leave: two columns that nearly cancel may both grow
without end, and what tells them from each other is then lost in the rounding of a zero. The
others of a non-negative fit, however alike, are held where they are. Nor do columns matter that
cannot all go away from their bounds without a long move: of copies the one has to give what the
other takes.

Directions as short as the rounding of the data are none, as elsewhere (`minimum_norm.py`): up to
max(n_samples, n_features) eps, of columns that had length one before they were centred. What a
few units in the last place of the mean tell is not data: a mean, a sum or a change of units that
is taken in another order tells something else, and coefficients of 1 / eps would follow it. What
the objective of the numbers as they stand could gain by such coefficients is not in the gap.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack
from scipy.optimize import nnls

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
# An L1 threshold under this share of the target's length times the column's is faint: a residual
# that is scaled to keep it costs more than 1e-12 of the gap for the rounding of a correlation.
FAINT = 1e-9
# Features are looked at by a Cholesky factor instead of a residual of their own where the square of
# their number is at most so many times that of the rows: that is then the quicker.
LIGHT = 16
# The distance of a convex hull from zero that a Gram matrix bears out, and that costs no digits.
ONE_SIDED = 1e-4
# Up to so many entries of W one product is quicker than a look for the features in use.
FEW_ENTRIES = 1 << 17
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
        if not design.has_rows:  # nor are there lengths but by their squares
            gram = design.gram()[np.ix_(index, index)] + np.diag(l2)
            squares, vectors = np.linalg.eigh(gram * inverse * inverse[:, None])
            kept = squares > len(index) * EPS
            return cls(index, inverse, np.sqrt(squares[kept]), None, vectors[:, kept].T)
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

    def out_of_span(self, correlations: Array) -> tuple[Array, Array]:
        """The part of these correlations that no residual has with the columns, and its error."""
        asked = self.inverse * correlations
        if len(self.right) == len(asked):
            return np.zeros_like(asked), np.zeros_like(asked)
        missed = asked - self.right.T @ (self.right @ asked)
        turned = NOISE * self.lengths.max(initial=0.0) / self.shortest  # by rounding of the columns
        return missed / self.inverse, turned * np.linalg.norm(asked) / self.inverse

    def remove(self, design: Design, gradient: Array) -> tuple[Array, Array]:
        """The step in the coefficients, and in the weighted rows, that a gradient asks for."""
        share = (self.right @ (self.inverse * gradient)) / self.lengths
        step = self.inverse * (self.right.T @ (share / self.lengths))
        if self.rows is not None:
            return step, self.rows @ share
        w = np.zeros(design.n_features)
        w[self.index] = step
        return step, np.sqrt(design.omega) * design.predict(w)


def weakly_penalised(
    w: Array, q: Array, penalty: ScaledPenalty, design: Design, faint: float, noise: float = 0.0
) -> tuple[Index, Array]:
    """Features that nothing but their column holds in place, and the slopes of their L1 parts.

    L1 thresholds up to `faint` times a column's length count as none. A feature at a bound or at
    the kink is held there, unless its correlation is within `noise`, as a share of that length,
    of wanting to leave; its slope is then that of the side to which it leaves.
    """
    index = _weak(penalty, design, faint)
    w, l1, slack = w[index], penalty.l1[index], noise * design.sizes[index]
    pull = q[index] - penalty.l2[index] * w
    above, below = np.where(w >= 0, l1, -l1), np.where(w > 0, l1, -l1)
    rises = (w < penalty.upper[index]) & (pull >= above - slack)
    falls = (w > penalty.lower[index]) & (pull <= below + slack)
    return index[rises | falls], np.where(rises, above, below)[rises | falls]


def _weak(penalty: ScaledPenalty, design: Design, faint: float) -> Index:
    """Features with next to no penalty."""
    weak = (penalty.l1 <= faint * design.sizes) & (penalty.l2 <= WEAK * design.sizes**2)
    return np.flatnonzero(weak & penalty.movable & (design.variances > 0))


def hidden_directions(design: Design, index: Index, l2: Array) -> Directions | None:
    """Directions of these columns, where a Gram matrix would not show them all; else None."""
    if not design.has_rows:
        return None
    found = _shortest(design, index, l2)
    return found if isinstance(found, Directions) and found.shortest < HIDDEN else None


def directions_of(design: Design, index: Index, l2: Array) -> Directions:
    """Directions of these columns. The design keeps them."""
    key = ("directions", index.tobytes(), l2.tobytes())
    return design.kept(key, lambda: Directions.of(design, index, l2))


def _shortest(design: Design, index: Index, l2: Array) -> Directions | float:
    """The shortest direction: a lower bound of its length, or all of them. The design keeps it."""
    key = ("shortest", index.tobytes(), l2.tobytes())
    return design.kept(key, lambda: _shown(design, index, l2) or directions_of(design, index, l2))


def _shown(design: Design, index: Index, l2: Array) -> float | None:
    """A lower bound of the shortest direction's length where a Gram matrix shows one, else None.

    Its Cholesky factor tells enough of most, in a twentieth of the time.
    """
    if not 2 <= len(index) <= LARGEST_SVD or (design.sparse and not affordable(design)):
        return 1.0
    if len(index) >= design.n_samples:
        return None
    whole = design.has_gram
    gram = design.gram()[np.ix_(index, index)] if whole else design.subset(index).gram()
    inverse = 1.0 / np.sqrt(design.sizes[index] ** 2 + l2)
    gram = gram * inverse * inverse[:, None]
    gram[np.diag_indices_from(gram)] += l2 * inverse**2
    factor, failed = lapack.dpotrf(gram)
    if failed:
        return None
    norm = np.abs(gram).sum(axis=0).max()
    least = float(lapack.dpocon(factor, norm)[0] * norm)
    return math.sqrt(least) if least > SEEN else None


def rounding(
    W: Array,
    alphas: Array,
    rss: Array,
    penalty: Penalty,
    design: Design,
    unit: float,
    snapped: float,
    Q: Array | None = None,
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
    Q : ndarray of shape (n_alphas, n_features), optional
        Correlations of residuals that were computed themselves. Without them nothing is known,
        and infinity the answer, where they decide whether a feature leaves its bound.
    """
    sizes, root = design.sizes, math.sqrt(unit)
    linear = lengths(W, sizes)
    size = linear + root
    seen = size if Q is None else np.sqrt(rss)
    if not penalty.even and penalty.free.any():
        linear = lengths(W, np.where(penalty.free, 0.0, sizes))
    kinked = penalty.l1_ratio > 0
    found = np.where(alphas > 0, linear * seen * (NOISE / unit), 0.0) if kinked else np.zeros(())
    faint = FAINT * root
    if not kinked or least_l1(penalty, float(alphas[-1])) <= faint * sizes.max(initial=0.0):
        found = (
            found
            + _of_smooth(W, Q, alphas, rss, penalty, design, NOISE * seen, snapped * root, faint)
            / unit
        )
    if Q is not None:
        found = found + (0.5 * NOISE**2 / unit) * size**2
    return found


def rounding_of_ridge(
    W: Array, alphas: Array, penalty: Penalty, design: Design, units: Array, snapped: float
) -> Array | None:
    """`rounding` of all targets at once where every feature has an L2 part that holds it, or None.

    `penalty` has no L1 part, W has shape (n_targets, n_alphas, n_features), units (n_targets,), and
    Q is not known.
    """
    if not penalty.factors.all():
        return None
    roots, total = np.sqrt(units)[:, None], design.sum_of_squares if penalty.even else None
    if total is None:
        sizes = design.sizes
        total = float((sizes**2 / penalty.factors).sum())
        linear = np.abs(W).dot(sizes)
    else:  # by Cauchy and Schwarz, without another pass over X
        linear = np.sqrt(total * np.einsum("ijk,ijk->ij", W, W))
    if not alphas[-1] > WEAK * total:
        return None
    error = NOISE * (linear + roots) + snapped * roots
    return np.asarray(error**2 * (0.5 * total) / (alphas * units[:, None]))


def lengths(W: Array, sizes: Array) -> Array:
    """``|W| sizes``, by the features that are in use at all, which are few of many."""
    if W.size > FEW_ENTRIES:
        used = np.flatnonzero(W.any(axis=0))
        W, sizes = W[:, used], sizes[used]
    return np.asarray(np.abs(W).dot(sizes))


def least_l1(penalty: Penalty, alpha: float) -> float:
    """The least L1 threshold at some alpha."""
    least = 1.0 if penalty.even else float(penalty.factors.min(initial=np.inf))
    return alpha * penalty.l1_ratio * least


def _of_smooth(
    W: Array,
    Q: Array | None,
    alphas: Array,
    rss: Array,
    penalty: Penalty,
    design: Design,
    noise: Array,
    snapped: float,
    faint: float,
) -> Array:
    """What rounding hides of the features with a faint L1 part or none."""
    found, n_held = np.zeros(len(alphas)), 0
    if penalty.l1_ratio == 0 and penalty.factors.all():
        squared, error = design.sizes**2 / penalty.factors, noise + snapped
        total = float(squared.sum())
        if alphas[-1] > WEAK * total:
            return error * error * (0.5 * total) / alphas
        n_held = int(np.searchsorted(-alphas, -WEAK * squared.max()))
        found[:n_held] = error[:n_held] ** 2 * (0.5 * total) / alphas[:n_held]
    for i in range(n_held, len(alphas)):
        q = None if Q is None else Q[i]
        here = _Residual(q, float(rss[i]), float(noise[i]), snapped)
        found[i] = _of_one(W[i], here, penalty.at(alphas[i]), design, faint)
    return found


@dataclass(frozen=True)
class _Residual:
    """What is known of a residual and its correlations.

    `noise` is the rounding of a correlation over its column's length, `snapped` the distance from
    the one wanted, likewise, within which it was taken for that.
    """

    q: Array | None
    rss: float
    noise: float
    snapped: float


def _of_one(
    w: Array, residual: _Residual, penalty: ScaledPenalty, design: Design, faint: float
) -> float:
    """The same at one alpha."""
    sizes, l1 = design.sizes, penalty.l1
    smooth = (l1 == 0) & penalty.movable & (sizes > 0)
    held = smooth & (penalty.l2 > WEAK * sizes**2)
    shares = sizes[held] ** 2 / penalty.l2[held]
    others = np.count_nonzero(smooth & ~held)
    total = 0.5 * (residual.noise + residual.snapped) ** 2 * (float(shares.sum()) + others)
    # A faint threshold is kept by a multiple of the residual, or counts as none.
    kept = (l1 > 0) & (l1 <= faint * sizes)
    hidden = _of_weak(w, residual, penalty, design, 0.0)
    if kept.any():
        away = min(1.0, residual.noise * float(np.max(sizes[kept] / l1[kept])))
        hidden = min(
            hidden + 0.5 * away**2 * residual.rss, _of_weak(w, residual, penalty, design, faint)
        )
    return total + hidden


def _of_weak(
    w: Array, residual: _Residual, penalty: ScaledPenalty, design: Design, faint: float
) -> float:
    """What is hidden of the features that nothing but their column holds in place."""
    if residual.q is None:
        index = _weak(penalty, design, faint)
        kink = (w[index] == 0) & (penalty.l1[index] > 0)
        held = (w[index] <= penalty.lower[index]) | (w[index] >= penalty.upper[index]) | kink
        if held.any():  # fewer of them have no shorter direction
            cheap = len(index) ** 2 <= LIGHT * design.n_samples
            length = _shown(design, index, penalty.l2[index]) if cheap else None
            error = residual.noise + residual.snapped
            return 0.5 * len(index) * (error / length) ** 2 if length else math.inf
    else:
        index, _ = weakly_penalised(w, residual.q, penalty, design, faint, residual.noise)
    if not len(index):
        return 0.0
    found = _shortest(design, index, penalty.l2[index])
    if not isinstance(found, Directions) or found.shortest >= HIDDEN:
        length = found.shortest if isinstance(found, Directions) else found
        return 0.5 * len(index) * ((residual.noise + residual.snapped) / length) ** 2
    hidden = 0.5 * len(index) * (residual.noise / found.shortest) ** 2
    return min(hidden, _of_outward(w[index], residual.noise, penalty.take(index), found))


def _of_outward(w: Array, noise: float, penalty: ScaledPenalty, directions: Directions) -> float:
    """The same where all features have one bound, as far as they may all go away from theirs.

    Correlations that are too small do no harm then, but for what w has from its bounds. A vector
    to which each column, pointing away from the bound, has a product of at least d with its
    length one makes all of them small enough. The best is the point of least length, d, of the
    convex hull of the columns.
    """
    rises, falls = np.isinf(penalty.upper), np.isinf(penalty.lower)
    if np.any(rises == falls):
        return math.inf
    columns = directions.lengths[:, None] * directions.right * np.where(rises, 1.0, -1.0)
    try:
        share, _ = nnls(np.vstack([columns, np.ones(len(w))]), np.r_[np.zeros(len(columns)), 1.0])
    except RuntimeError:  # after too many iterations
        return math.inf
    least = float(np.linalg.norm(columns @ share) / share.sum())
    if least < ONE_SIDED:
        return math.inf
    inside = float(
        np.sum(np.abs(w - np.where(rises, penalty.lower, penalty.upper)) / directions.inverse)
    )
    return 0.5 * (noise / least) ** 2 + 2.0 * noise / least * inside
