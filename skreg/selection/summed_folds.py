"""Cross-validation where the rows of each fold are known by their moments alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from ..data.moments import MomentMatrix
from ..data.products import Array
from ..paths.fit_path import fit_path
from ..paths.problem import BoundProblem
from ..paths.relaxed import refits
from .cross_validate import FittedFold, FoldScore, as_results
from .pilot import Pilot
from .result import MEAN_SQUARED_ERROR, CVResult


def cross_validate_sums(
    candidates: Sequence[tuple[BoundProblem, Array]],
    parts: Sequence[MomentMatrix],
    n_samples: Sequence[int],
    *,
    explained: bool,
    keep_coefs: bool,
    fold_weights: str,
    run: Callable[[list[Callable[[], Any]]], list[Any]],
    shares: Sequence[float] | None = None,
    pilot: Pilot | None = None,
) -> list[CVResult]:
    """The errors of each candidate where nothing is at hand but the folds' moments.

    Parameters
    ----------
    candidates : sequence of (BoundProblem, ndarray of shape (n_alphas,))
        All on the sum of the moments.
    parts : sequence of MomentMatrix
        Of the rows that each fold holds out, in the units of the problem; each trains on the sum of
        the others, so that nothing cancels.
    n_samples : sequence of int
        How many rows each part is of.
    explained : bool
        Whether errors are minus R² instead of mean squares.
    keep_coefs, fold_weights, run, shares, pilot
        As for `cross_validate`.

    Returns
    -------
    list of CVResult, one a candidate
    """
    left, total = _sums_without_each(parts), sum(n_samples)
    how = explained, keep_coefs, shares, pilot
    tasks: list[Callable[[], Any]] = [
        partial(_score_moments, candidates, train, total - n, part, n, *how)
        for train, n, part in zip(left, n_samples, parts, strict=True)
    ]
    name = "r2" if explained else MEAN_SQUARED_ERROR
    return as_results(candidates, run(tasks), name, keep_coefs, fold_weights, shares)


def _sums_without_each(parts: Sequence[MomentMatrix]) -> list[MomentMatrix]:
    """The sum of all the others, for each."""
    left = [parts[-1]]
    for one in parts[-2:0:-1]:
        left.append(left[-1].joined(one))
    left.reverse()  # these are now the sums of those that follow
    before = parts[0]
    for k, one in enumerate(parts[1:-1], start=1):
        left[k], before = before.joined(left[k]), before.joined(one)
    return [*left, before]


def _score_moments(
    candidates: Sequence[tuple[BoundProblem, Array]],
    train: MomentMatrix,
    n_train: int,
    part: MomentMatrix,
    n_part: int,
    explained: bool,
    keep_coefs: bool,
    shares: Sequence[float] | None,
    pilot: Pilot | None,
) -> list[FoldScore]:
    """Fit the paths of all candidates to the moments of a fold's training rows, and score them."""
    first, scores, held = candidates[0][0], [], part
    trained, centred = first.problem.bind_moments(train, n_train), first.problem.fit_intercept
    if centred:  # a prediction at the training means is that of the target
        held = replace(part.about(train.mean), reference=np.zeros_like(part.reference))
    null = part.spread[part.n_features :, None]
    if pilot is not None:
        rows = first.with_data(trained.design, trained.target, None)
        adapted = pilot.adapted(replace(rows, total_weight=train.weight))
        candidates = list(zip(adapted, (alphas for _, alphas in candidates), strict=True))
    for bound, alphas in candidates:
        own = bound.with_data(trained.design, trained.target, None)
        own = replace(own, total_weight=train.weight)
        path = fit_path(own, alphas)
        refit = refits(own, path) if shares is not None and min(shares) < 1.0 else path
        fitted = FittedFold(path, refit, None, None)
        of_means = replace(path, intercepts=np.zeros_like(path.intercepts)) if centred else path
        refit = replace(refit, intercepts=of_means.intercepts) if centred else refit
        judged = FittedFold(of_means, refit, None, held, least=0.0)
        for share in shares or (1.0,):
            errors = judged.errors(share)
            assert errors is not None
            if explained:
                nothing = np.where(errors > 0, 1.0, 0.0)
                ratio = np.divide(errors, null, out=nothing, where=null > 0)
                errors = ratio - 1.0 if n_part > 1 else np.full_like(errors, np.nan)
            scores.append(fitted.scored(share, errors, part.weight, keep_coefs))
    return scores
