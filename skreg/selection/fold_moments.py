"""Training sets of a cross-validation from moments of all rows, less those of the held-out ones.

All folds together cost what one Gram matrix costs: n (p + q)^2 flops for q targets where each row
is held out once, whatever the number of folds, and (p + q)^2 numbers a fold. Folds that overlap pay
for their held-out rows, and those that hold out more than they train on for their training rows.
The reference is the mean of all rows, so that little cancels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..data.dense import DenseDesign
from ..data.design import Design
from ..data.from_moments import design_from_moments
from ..data.moments import MomentMatrix
from ..data.powers_of_two import PowersOfTwo
from ..data.products import Array, Index, adjoint, is_sparse, quick_to_read
from ..paths.grid import DEFAULT_EPS
from ..paths.problem import BoundProblem, Problem
from ..solvers.base import Target
from ..solvers.quadratic.routes import folds_on_gram

Fold = tuple[Index, Index]

# Moments of the left-out rows are kept where together they have fewer numbers than this share of X,
# or than this (64 MiB); else they are made again when their fold's turn comes.
KEPT_SHARE = 0.25
SMALL_MOMENTS = 1 << 23


def training_weight(fold: Fold, weight: Array) -> Array:
    """Row weights of a fold's training set: an index that is repeated counts as often."""
    return np.bincount(fold[0], minlength=len(weight)) * weight


def left_out(
    design: Design, Y: Array, reference: Array, weight: Array, train: Array
) -> MomentMatrix | None:
    """Moments of the rows that a fold does not train on, where those are the fewer ones."""
    rest = weight - train
    if np.any(rest < 0) or 2 * np.count_nonzero(rest) > np.count_nonzero(weight):
        return None
    return design.moments(Y, reference, rest)


@dataclass(frozen=True, eq=False)
class FoldMoments:
    """Of all rows, and of those that each fold leaves out where they are kept."""

    total: MomentMatrix
    parts: list[MomentMatrix | None]

    @classmethod
    def build(
        cls,
        X: Array,
        y: Array,
        sample_weight: Array | None,
        folds: Sequence[tuple[Index, Index]],
        center: bool,
    ) -> FoldMoments:
        """Add up the rows of dense X, once where each is left out by one fold."""
        weight = np.ones(len(y)) if sample_weight is None else sample_weight
        Y, plain = y.reshape(len(y), -1), DenseDesign(X, weight / weight.sum())
        width = X.shape[1] + Y.shape[1]
        reference = np.zeros(width)
        if center:
            reference = np.concatenate([adjoint(X, plain.omega), plain.omega @ Y])
        if len(folds) * width**2 > max(KEPT_SHARE * X.size, SMALL_MOMENTS):
            return cls(plain.moments(Y, reference, weight), [None] * len(folds))
        parts, counted = [], np.zeros_like(weight)
        for fold in folds:
            train = training_weight(fold, weight)
            parts.append(left_out(plain, Y, reference, weight, train))
            counted += weight - train
        if all(parts) and np.array_equal(counted, weight):
            S = np.sum([part.S for part in parts if part is not None], axis=0)
            return cls(MomentMatrix(S, reference, X.shape[1]), parts)
        return cls(plain.moments(Y, reference, weight), parts)


def bind_for_folds(
    problem: Problem,
    X: Any,
    y: Array,
    sample_weight: Array | None,
    powers: PowersOfTwo,
    folds: Sequence[Fold],
    offset: Array | None = None,
    alphas: int | Array = 100,
    eps: float = DEFAULT_EPS,
) -> tuple[BoundProblem, FoldMoments | None]:
    """A problem on all rows, and the moments of its folds where they serve.

    `alphas` are those of the path, or how many down to `eps` times the largest.
    """

    def depths() -> Array:
        if not isinstance(alphas, np.ndarray):
            return np.geomspace(1.0, np.clip(eps, 1e-12, 1.0), max(int(alphas), 2))
        bound = problem.bind(X, y, sample_weight, powers)
        top = bound.penalty.alpha_max(bound.correlations)
        return bound.engine_alphas(alphas) / max(top, np.finfo(np.float64).tiny)

    moments, plain_rows = None, problem.loss.quadratic and offset is None and not is_sparse(X)
    if plain_rows and folds_on_gram(X.shape, problem.penalty, len(folds), depths):
        own_X, own_y, own_weight = powers.scaled(X, y, sample_weight)
        read = quick_to_read(own_X)
        moments = FoldMoments.build(read, own_y, own_weight, folds, problem.fit_intercept)
        weight = np.ones(len(y)) if own_weight is None else own_weight
        plain, total = DenseDesign(read, weight, dtype=own_X.dtype), moments.total
        made = _from_moments(problem, plain, own_y.reshape(len(y), -1), weight, total, total)
        if made is not None:
            # By a product with the rows, as without folds: sums in another order would let the
            # first feature in at the alpha_max that is told.
            design, target = made[0], replace(made[1], correlations=None)
            return problem.on(design, target, own_weight, y.ndim == 1, powers), moments
    return problem.bind(X, y, sample_weight, powers, offset), moments


def training_problem(
    bound: BoundProblem, train: Array, total: MomentMatrix | None, part: MomentMatrix | None
) -> BoundProblem:
    """The same problem with other weights of the rows, from moments where there are any.

    `total` are those of all rows, `part` those of the rows that are left out.
    """
    if bound.parts:
        each = zip(bound.parts, train, strict=True)
        return replace(bound, parts=tuple(training_problem(*one, None, None) for one in each))
    design, Y = bound.design, bound.target.raw
    made = None
    if total is not None:
        left = design.moments(Y, total.reference, train) if part is None else total - part
        made = _from_moments(bound.problem, design, Y, train, left, total)
    if made is None:
        other = design.reweighted(train)
        made = other, Target.build(other, Y, bound.target.offset)
    return bound.with_data(*made, train)


def _from_moments(
    problem: Problem, rows: Design, Y: Array, weight: Array, left: MomentMatrix, total: MomentMatrix
) -> tuple[Design, Target] | None:
    how = problem.fit_intercept, problem.standardize
    made = design_from_moments(rows, Y, weight, left, total, *how)
    if made is None:
        return None
    design, correlations = made
    return design, Target(Y, *design.centred_target(Y), correlations)
