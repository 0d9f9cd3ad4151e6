"""Paths and cross-validation of logistic and Poisson regression: cells, and gaps from the formulas.

With weights 1/n, the loss f(eta, y) of a row and r = -f' at eta = b + Xw, any u with mean zero and
q = X'u/n give

    primal - dual = mean [ f(eta) + f*(-u) + u eta ] + sum_j [ g(w_j) + g*(q_j) - q_j w_j ].

The smaller of two is taken: u = r made to have the mean zero, and u = r - f'' d, where d is the
Newton step of the coefficients that are not zero; each is scaled until every g*(q_j) is finite. The
unit is the mean deviance of the intercept alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit, xlogy

from . import problems
from .gaps import conjugate
from .libraries import Answer
from .problems import Array, Problem

SHAPES = (
    (1000, 100, 0.5),
    (5000, 100, 0.5),
    (100, 5000, 0.5),
    (20_000, 500, 0.5),
    (100_000, 20, 0.5),
    (500, 2000, 0.95),
    (442, 10, 0.5),
    (150, 4, 0.5),
)
CV_SHAPES = ((1000, 100), (5000, 100), (200, 2000))
FILES = ("golub", "spambase", "saheart")
TEXTS = ("reuters21578", "news20")
# Columns of the bike sharing data whose numbers are names: season, month, hour, weekday, weather.
CATEGORIES = (0, 2, 3, 5, 7)
# What a dual point may be outside its domain by: what is left of a mean that was subtracted.
ROUNDING = 1e-13
# Standard deviation of the logarithm of a mean count.
SPREAD_OF_COUNTS = 0.7


def cells(setting: Any) -> Iterator[tuple[str, str, Callable[[np.random.Generator], Problem]]]:
    """Names, groups and makers of the problems."""
    count = setting.alphas
    for n, p, rho in SHAPES:
        build = partial(generated, *setting.shape(n, p), rho, count, "logistic", 1.0)
        yield f"logistic {n}x{p} rho={rho:g}", "logistic", build
    for n, p, rho in SHAPES[:3]:
        build = partial(generated, *setting.shape(n, p), rho, count, "logistic", 0.5)
        yield f"logistic elastic net .5 {n}x{p}", "logistic elastic net", build
    build = partial(generated, *setting.shape(5000, 100), 0.5, count, "poisson", 1.0)
    yield "poisson 5000x100", "poisson", build
    for n, p in CV_SHAPES:
        for loss in ("logistic", "poisson"):
            build = partial(with_folds, *setting.shape(n, p), count, loss)
            yield f"{loss}, 5 folds, {n}x{p}", "cross-validation", build
    for name in FILES if setting.data and not setting.quick else ():
        file = Path(setting.data, f"{name}.npz")
        if file.is_file():
            yield f"logistic {name}", "logistic, real", partial(stored, file, count)
    for name in TEXTS if setting.data and not setting.quick else ():
        file = Path(setting.data, f"{name}_counts.npz")
        if file.is_file():
            yield f"logistic {name}, sparse", "logistic, real", partial(text, file, count)
    file = Path(setting.data or "", "bike_sharing_hour.npz")
    if setting.data and not setting.quick and file.is_file():
        yield "poisson bike sharing", "poisson", partial(bike_sharing, file, count)


def generated(
    n: int, p: int, rho: float, count: int, loss: str, l1_ratio: float, rng: np.random.Generator
) -> Problem:
    X = problems.equicorrelated(n, p, rho, rng)
    eta = X @ problems.decaying(p)
    eta /= eta.std()
    if loss == "logistic":
        y = (rng.random(n) < expit(2.0 * eta)).astype(float)
    else:
        y = rng.poisson(np.exp(SPREAD_OF_COUNTS * eta)).astype(float)
    return of_loss(X, y, count, loss, l1_ratio)


def with_folds(n: int, p: int, count: int, loss: str, rng: np.random.Generator) -> Problem:
    whole = generated(n, p, 0.5, count, loss, 1.0, rng)
    return replace(whole, task="glm_cv", folds=problems.random_folds(n))


def stored(file: Path, count: int, rng: np.random.Generator) -> Problem:
    X, y = problems.dense_file(file)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    return of_loss(X, (y == y.max()).astype(float), count, "logistic", 1.0)


def text(file: Path, count: int, rng: np.random.Generator) -> Problem:
    """Logarithms of word counts; documents of the first half of the classes against the rest."""
    X, _ = problems.text_counts(file)
    with np.load(file, allow_pickle=False) as given:
        y, n_train = given["y"], int(given["n_train"][0])
    X, y = X[:n_train], y[:n_train]
    X = X[:, X.getnnz(axis=0) > 0].log1p().tocsc()
    return of_loss(X, (y > y.max() // 2).astype(float), count, "logistic", 1.0)


def bike_sharing(file: Path, count: int, rng: np.random.Generator) -> Problem:
    """Rentals an hour; a column for each value of what is a name, and the numbers as they are."""
    X, y = problems.dense_file(file, limit=20_000)
    names = [np.equal.outer(X[:, j], np.unique(X[:, j])).astype(float) for j in CATEGORIES]
    X = np.hstack([np.delete(X, CATEGORIES, axis=1), *names])
    X = np.asfortranarray((X - X.mean(axis=0)) / X.std(axis=0))
    return of_loss(X, y, count, "poisson", 1.0)


def of_loss(X: Any, y: Array, count: int, loss: str, l1_ratio: float) -> Problem:
    ratio = 1e-3 if X.shape[0] > X.shape[1] else 1e-2
    alphas = problems.grid(X, y, ratio, count, l1_ratio)
    return Problem("glm_path", X, y, alphas, l1_ratio, loss=loss)


def largest_gap(problem: Problem, answer: Answer) -> float:
    """The largest relative gap of an answer."""
    columns = zip(answer.coefs.T, answer.intercepts, answer.alphas, strict=True)
    return max(gap(problem, *column) for column in columns)


def gap(problem: Problem, w: Array, b: float, alpha: float) -> float:
    """The relative gap of coefficients; see the module's text."""
    X, y, loss = problem.X, problem.y, problem.loss
    l1, l2 = alpha * (problem.l1_ratio or 0.0), alpha * (1.0 - (problem.l1_ratio or 0.0))
    n, eta = len(y), X @ w + b
    mean = expit(eta) if loss == "logistic" else np.exp(eta)
    r, h = y - mean, mean * (1.0 - mean) if loss == "logistic" else mean
    used = np.flatnonzero(w)
    columns = np.column_stack([np.ones(n), problems.dense(X[:, used])])
    excess = columns.T @ r / n
    excess[1:] -= l1 * np.sign(w[used]) + l2 * w[used]
    hessian = (columns.T * h) @ columns / n
    hessian[np.diag_indices(len(hessian))] *= 1.0 + 1e-12  # which keeps it from being singular
    step = np.linalg.solve(hessian, excess)
    found = [
        excess_at(problem, w, eta, l1, l2, u) for u in (balanced(r, h), r - h * (columns @ step))
    ]
    share = y.mean()
    if loss == "logistic":
        null = -2.0 * (xlogy(share, share) + xlogy(1.0 - share, 1.0 - share))
    else:
        null = 2.0 * np.mean(xlogy(y, y / share))
    return float(np.nanmin(found) / null)


def balanced(r: Array, h: Array) -> Array:
    """Residuals with mean zero: those above zero or those below made smaller."""
    above, below = r[r > 0].sum(), -r[r < 0].sum()
    if not min(above, below):
        return np.zeros_like(r)
    least = min(above, below)
    return np.where(r > 0, r * least / above, r * least / below)


def excess_at(problem: Problem, w: Array, eta: Array, l1: float, l2: float, u: Array) -> float:
    """The gap at a dual point, infinite where it is none."""
    y, n = problem.y, len(problem.y)
    u = u - u.mean()
    q = problem.X.T @ u / n
    largest = float(np.abs(q).max())
    if l2 == 0.0 and largest > l1:
        u, q = u * (l1 / largest), np.clip(q * (l1 / largest), -l1, l1)
    p, largest = y - u, 1.0 if problem.loss == "logistic" else np.inf
    if p.min() < -ROUNDING or p.max() > largest + ROUNDING:
        return np.inf
    p = np.clip(p, 0.0, largest)
    if problem.loss == "logistic":
        rows = np.logaddexp(0.0, eta) - p * eta + xlogy(p, p) + xlogy(1.0 - p, 1.0 - p)
    else:
        rows = np.exp(eta) - p * eta + xlogy(p, p) - p
    open_ends = np.full(len(w), np.inf)
    each = np.full(len(w), l1), np.full(len(w), l2), -open_ends, open_ends
    of_penalty = l1 * np.abs(w) + l2 / 2 * w * w + conjugate(q, *each) - q * w
    return float(rows.mean() + of_penalty.sum())
