"""Several targets whose coefficients of a feature enter together: cells, and gaps from formulas.

With weights 1/n, residuals R = Y - b - XW and a dual point U = s (R - mean R), q_j = x_j'U/n,

    primal - dual = 1/2 |R - U|^2 / n + sum_j [ l1 |w_j| + l2/2 |w_j|^2 + (|q_j| - l1)+^2 / (2 l2)
                                                - q_j w_j ]

where s <= 1 is the largest number at which no |q_j| is past l1, where there is no l2. The unit is
the mean square of the centred targets, the sum of them. An answer has a column for each alpha and
target, the targets of an alpha side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from . import problems
from .libraries import Answer
from .problems import Array, Problem

SHAPES = ((150, 4, 3), (442, 10, 5), (1000, 100, 10), (200, 2000, 20), (100, 5000, 5))
# With fewer rows than features paths end where as many rows of coefficients are in use as rows.
WIDE_RATIO, TALL_RATIO = 0.02, 1e-3
# Share of the rows of coefficients that are not zero, and of the largest alpha in a single fit.
USED, SHARE = 0.1, 0.1


def cells(setting: Any) -> Iterator[tuple[str, str, Callable[[np.random.Generator], Problem]]]:
    """Names, groups and makers of the problems."""
    kinds = (("mt_fit", "one alpha"), ("mt_path", "path"), ("mt_cv", "5 folds"))
    for task, group in kinds:
        for n, p, targets in SHAPES:
            shape = (*setting.shape(n, p), targets)
            build = partial(generated, *shape, 0.5, setting.alphas, task, 1.0)
            yield f"multi-task Lasso, {group}, {n}x{p}x{targets}", f"multi-task, {group}", build
    build = partial(generated, *setting.shape(1000, 100), 10, 0.5, setting.alphas, "mt_path", 0.5)
    yield "multi-task elastic net .5, path, 1000x100x10", "multi-task, path", build


def generated(
    n: int,
    p: int,
    targets: int,
    rho: float,
    count: int,
    task: str,
    l1_ratio: float,
    rng: np.random.Generator,
) -> Problem:
    """Correlated features, few rows of coefficients, noise of half the signal's deviation."""
    X = problems.equicorrelated(n, p, rho, rng)
    used = max(2, min(int(USED * p), n // 4))
    W = np.zeros((p, targets))
    W[rng.choice(p, used, replace=False)] = rng.standard_normal((used, targets))
    Y = X @ W
    Y += 0.5 * Y.std() * rng.standard_normal(Y.shape)
    correlations = (X - X.mean(axis=0)).T @ (Y - Y.mean(axis=0)) / n
    top = np.linalg.norm(correlations, axis=1).max() / l1_ratio
    alphas = np.array([SHARE * top])
    if task != "mt_fit":
        alphas = top * np.geomspace(1.0, TALL_RATIO if n > p else WIDE_RATIO, count)
    folds = problems.random_folds(n) if task == "mt_cv" else None
    return Problem(task, X, Y, alphas, l1_ratio, folds=folds)


def largest_gap(problem: Problem, answer: Answer) -> float:
    """The largest relative gap of an answer."""
    n_targets = problem.y.shape[1]
    alphas = answer.alphas[::n_targets]
    shape = (len(alphas), n_targets)
    W = answer.coefs.reshape(len(answer.coefs), *shape).transpose(1, 0, 2)
    each = zip(W, answer.intercepts.reshape(shape), alphas, strict=True)
    return max(gap(problem, *one) for one in each)


def gap(problem: Problem, W: Array, b: Array, alpha: float) -> float:
    """The relative gap of coefficients; see the module's text."""
    X, Y, ratio = problem.X, problem.y, problem.l1_ratio
    assert ratio is not None
    l1, l2, n = alpha * ratio, alpha * (1.0 - ratio), len(Y)
    R = Y - b - X @ W
    U = R - R.mean(axis=0)
    q = X.T @ U / n
    length, size = np.linalg.norm(q, axis=1), np.linalg.norm(W, axis=1)
    s = 1.0 if l2 else min(1.0, l1 / max(float(length.max()), np.finfo(float).tiny))
    past = np.maximum(s * length - l1, 0.0)
    each = l1 * size + 0.5 * l2 * size**2 - s * (q * W).sum(axis=1)
    if l2:
        each += past**2 / (2.0 * l2)
    found = 0.5 * ((R - s * U) ** 2).sum() / n + each.sum()
    return float(found / ((Y - Y.mean(axis=0)) ** 2).sum() * n)
