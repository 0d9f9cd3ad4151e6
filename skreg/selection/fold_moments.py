"""Training sets of a cross-validation from sums over all rows, less those of the held-out ones.

With a row ``a_i = (x_i - m, y_i - k, 1)``, m and k any reference, everything that a solver on the
Gram matrix needs of a set of weighted rows stands in ``S = sum_i v_i a_i a_i^T``: weights, means,
second moments, and with them the error of any coefficients,

    sum_i v_i (y_i - b - x_i w)^2 = u^T S u,        u = (-w, 1, k - b - m w).

S of the training rows is S of all rows less S of the others, so that all folds together cost
what one Gram matrix costs. The reference is the mean of all rows, so that little cancels; a
column of which a fold holds out nearly all the spread is made anew from its training rows.

Cost: n (p + q)^2 flops for q targets where each row is held out once, whatever the number of folds,
and (p + q)^2 numbers a fold. Folds that overlap pay for their held-out rows, and those that hold
out more than they train on for their training rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..data.design import Design
from ..data.products import BLOCK_ENTRIES, CONSTANT, Array, Index, adjoint
from ..solvers.base import Target

# A column or target with less than this share of its variance left in the training rows is made
# anew: what is left has lost as many digits.
LEFT = 1e-4
# More columns than this share of all are not made anew one by one: the fold has its own sums.
MANY = 0.25
# Errors below this share of the squares they are made from are computed from predictions.
SMALLEST = 1e-6
# Sums of the left-out rows are kept where together they have fewer numbers than this share of X,
# or than this (64 MiB); else they are made again when their fold's turn comes.
KEPT = 0.25
SMALL = 1 << 23


@dataclass(frozen=True, eq=False)
class RowSums:
    """``S`` of some rows about a reference.

    Attributes
    ----------
    S : ndarray of shape (n_features + n_targets + 1, n_features + n_targets + 1)
    reference : ndarray of shape (n_features + n_targets,)
        m and k.
    n_features : int
    """

    S: Array
    reference: Array
    n_features: int

    @classmethod
    def build(cls, X: Array, Y: Array, reference: Array, weight: Array) -> RowSums:
        """Sums over the rows of dense X, of shape (n, p), and Y, of shape (n, q)."""
        p, width = X.shape[1], X.shape[1] + Y.shape[1]
        rows = np.flatnonzero(weight)
        root = np.sqrt(weight[rows])
        plain = bool(np.all(root == 1.0))
        step = max(1, BLOCK_ENTRIES // width)
        block = np.empty((min(step, max(len(rows), 1)), width + 1))
        S = np.zeros((width + 1, width + 1))
        for start in range(0, len(rows), step):
            index = _as_slice(rows[start : start + step])
            a = block[: len(root[start : start + step])]
            np.subtract(X[index], reference[:p], out=a[:, :p])
            np.subtract(Y[index], reference[p:], out=a[:, p:width])
            a[:, width] = 1.0
            if not plain:
                a *= root[start : start + step, None]
            S += a.T @ a
        return cls(S, reference, p)

    def less(self, other: RowSums) -> RowSums:
        """Sums over the rows of this that are not in `other`."""
        return RowSums(self.S - other.S, self.reference, self.n_features)

    @property
    def weight(self) -> float:
        """Sum of the weights."""
        return float(self.S[-1, -1])

    def mean_squared_error(self, W: Array, intercepts: Array) -> Array | None:
        """Weighted mean squared errors, shape (n_targets, n_alphas).

        None where they are so small beside the squares they are the difference of that digits
        would be lost.

        Parameters
        ----------
        W : ndarray of shape (n_targets, n_features, n_alphas)
        intercepts : ndarray of shape (n_targets, n_alphas)
        """
        if not self.weight:
            return None
        p, errors = self.n_features, np.empty_like(intercepts)
        for k, (w, b) in enumerate(zip(W, intercepts, strict=True)):
            index = np.flatnonzero(w.any(axis=1))
            held = np.concatenate([index, [p + k, len(self.S) - 1]])
            part = self.S[np.ix_(held, held)]
            shift = self.reference[p + k] - b - self.reference[index] @ w[index]
            u = np.vstack([-w[index], np.ones_like(b), shift])
            errors[k] = np.sum(u * (part @ u), axis=0)
            if np.any(errors[k] < SMALLEST * (part.diagonal() @ (u * u))):
                return None
        return errors / self.weight


def _as_slice(index: Index) -> Index | slice:
    """Rows that follow one another, which need no copy."""
    first, last = int(index[0]), int(index[-1])
    return slice(first, last + 1) if last - first + 1 == len(index) else index


def training_weight(fold: tuple[Index, Index], weight: Array) -> Array:
    """Row weights of a fold's training set: an index that is repeated counts as often."""
    return np.bincount(fold[0], minlength=len(weight)) * weight


def left_out(X: Array, Y: Array, reference: Array, weight: Array, train: Array) -> RowSums | None:
    """Sums over the rows that a fold does not train on, where those are the fewer ones."""
    rest = weight - train
    if np.any(rest < 0) or 2 * np.count_nonzero(rest) > np.count_nonzero(weight):
        return None
    return RowSums.build(X, Y, reference, rest)


@dataclass(frozen=True, eq=False)
class FoldSums:
    """Sums over all rows, and over those that each fold leaves out where they are kept."""

    total: RowSums
    parts: list[RowSums | None]

    @classmethod
    def build(
        cls,
        X: Array,
        y: Array,
        sample_weight: Array | None,
        folds: Sequence[tuple[Index, Index]],
        center: bool,
    ) -> FoldSums:
        """Add up the rows of dense X, once where each is left out by one fold."""
        weight = np.ones(len(y)) if sample_weight is None else sample_weight
        Y = y.reshape(len(y), -1)
        width = X.shape[1] + Y.shape[1]
        reference = np.zeros(width)
        if center:
            omega = weight / weight.sum()
            reference = np.concatenate([adjoint(X, omega), omega @ Y])
        if len(folds) * width**2 > max(KEPT * X.size, SMALL):
            return cls(RowSums.build(X, Y, reference, weight), [None] * len(folds))
        parts, counted = [], np.zeros_like(weight)
        for fold in folds:
            train = training_weight(fold, weight)
            parts.append(left_out(X, Y, reference, weight, train))
            counted += weight - train
        if all(parts) and np.array_equal(counted, weight):
            S = np.sum([part.S for part in parts if part is not None], axis=0)
            return cls(RowSums(S, reference, X.shape[1]), parts)
        return cls(RowSums.build(X, Y, reference, weight), parts)


def design_from_sums(
    X: Array,
    Y: Array,
    weight: Array,
    sums: RowSums,
    total: RowSums,
    center: bool,
    standardize: bool,
) -> tuple[Design, Target] | None:
    """The design and the target of weighted rows, their moments taken from `sums`.

    `total` has the sums before rows were left out. None where of too many columns too little is.
    """
    if not sums.weight > LEFT * total.weight:
        return None  # of the weights themselves too little is left
    # What the sums were before rows were taken away, in units of the weight that is left.
    spread = total.S.diagonal()[:-1] / sums.weight
    p = sums.n_features
    shift, moments = sums.S[-1, :-1] / sums.weight, sums.S[:-1, :-1] / sums.weight
    squares = moments.diagonal().copy()
    variances = squares - shift**2
    lost = (variances if center or standardize else squares) < LEFT * spread
    lost &= spread > (CONSTANT * sums.reference) ** 2  # constant everywhere: nothing to lose
    anew = np.flatnonzero(lost[:p])
    if len(anew) > MANY * p:
        return None
    if center:
        moments -= np.outer(shift, shift)
        shift += sums.reference
    mean, G, c = shift[:p], moments[:p, :p], moments[:p, p:]
    part = Design.build(X[:, anew], weight)
    variances[anew] = part.variances
    if part.mean is not None:
        mean[anew] = part.mean
    view = Design(X, weight / sums.weight, mean if center else None)
    target = Target.build(view, Y)
    if len(anew):
        G[:, anew] = view.correlate(view.columns(anew))
        G[anew] = G[:, anew].T
        c[anew] = view.correlate(target.centred)[anew]
    if lost[p:].any():
        c[:, lost[p:]] = view.correlate(target.centred[:, lost[p:]])
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
    design = Design(X, view.omega, view.mean, inv_scale)
    design.use_gram(G)
    return design, replace(target, correlations=c)


def design_of_all(
    X: Any,
    y: Array,
    sample_weight: Array | None,
    sums: FoldSums | None,
    *,
    center: bool,
    standardize: bool,
) -> tuple[Design, Target]:
    """The design and the target of the whole data, from the sums where there are any."""
    made = None
    if sums is not None:
        weight = np.ones(len(y)) if sample_weight is None else sample_weight
        Y, total = y.reshape(len(y), -1), sums.total
        made = design_from_sums(X, Y, weight, total, total, center, standardize)
    if made is None:
        design = Design.build(X, sample_weight, center=center, standardize=standardize)
        made = design, Target.build(design, y)
    return made
