"""Cross-validation where rows are read pass by pass: all folds in the same passes.

A fold trains on the groups of rows of the others, and its error is the value of its own groups at
its solutions, which the passes that found these have summed up already.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..data.products import Array
from ..paths.fit_path import fit_path
from ..paths.problem import BoundProblem
from ..paths.result import PathResult
from ..solvers.newton.by_passes import PassPath, solve_and_keep, solved_points
from .cross_validate import FoldScore, as_results
from .result import CVResult


class PassedFold(NamedTuple):
    """One fold.

    Attributes
    ----------
    bounds : list of BoundProblem
        Those of all candidates on the other rows, whose results stay in units of order one.
    share : ndarray of shape (n_groups,)
        Of its own groups, over the sum of their weights.
    weight : float
        That sum.
    """

    bounds: list[BoundProblem]
    share: Array
    weight: float


def cross_validate_passes(
    candidates: Sequence[tuple[BoundProblem, Array]],
    folds: Sequence[PassedFold],
    *,
    factor: float,
    metric_name: str,
    keep_coefs: bool,
    fold_weights: str,
) -> list[CVResult]:
    """The errors of each candidate.

    Parameters
    ----------
    candidates : sequence of (BoundProblem, ndarray of shape (n_alphas,))
        All on all rows. What is solved of them on the way is left for the path that follows.
    folds : sequence of PassedFold
    factor : float
        How many times the mean loss the error is.
    metric_name, keep_coefs, fold_weights
        As for `cross_validate`.

    Returns
    -------
    list of CVResult, one a candidate
    """
    whole = [(bound, alphas) for bound, alphas in candidates]
    for fold in folds:
        whole += [(own, one[1]) for own, one in zip(fold.bounds, candidates, strict=True)]
    paths = []
    for bound, alphas in whole:
        for part in bound.parts or (bound,):
            path = PassPath(part, part.engine_alphas(alphas), part.problem.settings)
            paths.append((part, path))
    leading = sum(len(bound.parts) or 1 for bound, _ in candidates)
    solve_and_keep(paths, leading)
    by_fold = []
    for fold in folds:
        scores = []
        for own, (_, alphas) in zip(fold.bounds, candidates, strict=True):
            parts = own.parts or (own,)
            found = [fit_path(part, alphas, exact=False) for part in parts]
            errors = np.zeros(len(alphas))
            for part in parts:
                known = part.engine_alphas(alphas), part.problem.settings
                points = solved_points(part, *known)
                errors += [float(fold.share @ point.values) for point in points]
            fitted = PathResult.stacked(found) if own.parts else found[0]
            scores.append(
                FoldScore(
                    errors=factor / len(parts) * errors[None],
                    weight=fold.weight,
                    coefs=fitted.coefs if keep_coefs else None,
                    intercepts=fitted.intercepts if keep_coefs else None,
                    converged=bool(fitted.converged.all()),
                    worst_gap=float(fitted.dual_gaps.max()),
                )
            )
        by_fold.append(scores)
    return as_results(candidates, by_fold, metric_name, keep_coefs, fold_weights, None)
