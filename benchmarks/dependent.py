"""Designs whose columns depend on each other, as tables of indicators and derived columns do.

Dummies of ids with many values, windows in windows, indicators of few rows, copies of a column,
a column and its complement: a support of such columns has a singular Gram matrix. Dense and
sparse; single fits, paths and cross-validation; supports of tens to thousands of features. Beside
them supports beyond what a Gram matrix can pay for: under a strong L2 part, and in thin columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from scipy import sparse

from . import problems
from .problems import Array, Problem

Rng = np.random.Generator
Draw = Callable[[int, Rng], Any]


def ids(n: int, rng: Rng) -> sparse.csc_matrix:
    """Dummies of four ids: every id's columns sum to one, many have a single row."""
    sizes = [n + n // 2, n + n // 4, 3 * n // 4, n // 2]
    return dummies(rng.integers(0, sizes, (n, 4)))


def dummies(values: Any) -> sparse.csc_matrix:
    """One column for each value of each column of integers."""
    n = len(values)
    blocks = []
    for column in values.T:
        found, code = np.unique(column, return_inverse=True)
        parts = (np.ones(n), (np.arange(n), code))
        blocks.append(sparse.csc_matrix(parts, shape=(n, len(found))))
    return sparse.hstack(blocks, format="csc")


def windows(n: int, rng: Rng) -> sparse.csc_matrix:
    """Is the age between a and b? For every a < b of 40: 780 columns of rank 39."""
    age = rng.integers(0, 39, n)
    starts, ends = np.triu_indices(40, 1)
    return sparse.csc_matrix(((starts <= age[:, None]) & (age[:, None] < ends)).astype(float))


def rare(n: int, rng: Rng) -> sparse.csc_matrix:
    """Indicators of one to six rows, four times as many as rows: many are the same."""
    width = 4 * n
    sizes = rng.integers(1, 7, width)
    columns = np.repeat(np.arange(width), sizes)
    rows = rng.integers(0, n, len(columns))
    X = sparse.csc_matrix((np.ones(len(rows)), (rows, columns)), shape=(n, width))
    X.data[:] = 1.0
    return X


def alike(n: int, rng: Rng) -> sparse.csc_matrix:
    """Groups of 20 binary columns that differ in few rows, twice as many as rows."""
    width = 2 * n
    base = rng.random((n, width // 20)) < rng.uniform(0.05, 0.5, width // 20)
    X = np.repeat(base, 20, axis=1)
    X ^= rng.random(X.shape) < 2.0 / n
    return sparse.csc_matrix(X.astype(float))


def copies(times: int, n: int, rng: Rng) -> sparse.csc_matrix:
    """Half as many columns as rows, each one as often as asked for."""
    X = rng.standard_normal((n, n // 2)) * (rng.random((n, n // 2)) < 0.3)
    order = rng.permutation(np.repeat(np.arange(n // 2), times))
    return sparse.csc_matrix(X[:, order])


def complements(n: int, rng: Rng) -> sparse.csc_matrix:
    """Both dummies of questions with two answers."""
    answers = rng.random((n, n // 2)) < rng.uniform(0.1, 0.9, n // 2)
    return sparse.csc_matrix(np.hstack([answers, ~answers]).astype(float))


def problem(
    draw: Draw,
    n: int,
    task: str,
    kind: str,
    ratio: float,
    rng: Rng,
    l1_ratio: float | None = 1.0,
    count: int = 50,
) -> Problem:
    """Effects of a tenth of the columns and as much noise; `ratio` is the smallest alpha's."""
    X = draw(n, rng)
    p = X.shape[1]
    effects = np.where(rng.random(p) < 0.1, rng.standard_normal(p), 0.0)
    y = problems.noisy(X, effects, rng, snr=1.0)
    alphas = grid(X, y, ratio, 2 if task == "fit" else count, l1_ratio or 1e-3)
    folds = problems.random_folds(n) if task == "cv" else None
    given = X if kind == "sparse" else np.asfortranarray(X.toarray())
    return Problem(task, given, y, alphas[1:] if task == "fit" else alphas, l1_ratio, folds=folds)


def strong(n: int, p: int, unit: float, task: str, ratio: float, rng: Rng) -> Problem:
    """An elastic net whose L2 part, which grows with the unit of y, leaves most features active."""
    X = np.asfortranarray(rng.standard_normal((n, p)))
    y = unit * (X[:, :10].sum(axis=1) + rng.standard_normal(n))
    l1_ratio = 0.1 if task == "fit" else 0.5
    alphas = grid(X, y, ratio, 2 if task == "fit" else 50, l1_ratio)
    folds = problems.random_folds(n) if task == "cv" else None
    return Problem(task, X, y, alphas[1:] if task == "fit" else alphas, l1_ratio, folds=folds)


def thin(size: int, ratio: float, rng: Rng) -> Problem:
    """As many sparse columns as rows, of ten entries each, thousands of which are active."""
    count = 10 * size
    places = (rng.integers(0, size, count), rng.integers(0, size, count))
    X = sparse.csc_matrix((rng.standard_normal(count), places), shape=(size, size))
    effects = np.where(rng.random(size) < 0.01, rng.standard_normal(size), 0.0)
    y = problems.noisy(X, effects, rng, snr=10.0)
    return Problem("fit", X, y, grid(X, y, ratio, 2, 1.0)[1:])


def grid(X: Any, y: Array, ratio: float, count: int, l1_ratio: float) -> Array:
    return problems.grid(X, y, ratio, count, l1_ratio=l1_ratio)


DESIGNS: dict[str, tuple[Draw, int]] = {
    "ids": (ids, 800),
    "windows": (windows, 1000),
    "rare dummies": (rare, 500),
    "alike": (alike, 500),
    "2 copies": (partial(copies, 2), 600),
    "50 copies": (partial(copies, 50), 100),
    "complements": (complements, 500),
}
# Supports from small to as large as they get; a path ends where a fit with a fair one is.
FITS = {"small support": 0.2, "fair support": 0.03, "large support": 1e-3}
PATH_END, CV_END = 0.01, 0.05


def cells(quick: bool) -> Iterator[tuple[str, str, Callable[[Rng], Problem]]]:
    """Name, group and problem of every cell."""
    for name, (draw, rows) in DESIGNS.items():
        n = 40 if quick else rows
        for kind in ("dense", "sparse"):
            for size, ratio in FITS.items():
                build = partial(problem, draw, n, "fit", kind, ratio)
                yield f"fit {name} {kind}, {size}", "fit", build
            for task, ratio in (("path", PATH_END), ("cv", CV_END)):
                build = partial(problem, draw, n, task, kind, ratio)
                yield f"{task} {name} {kind}", task, build
    for rows, columns in ((100, 5000), (200, 2000), (2000, 3000)):
        for unit in (1, 10, 100):
            shape = (40, 100) if quick else (rows, columns)
            build = partial(strong, *shape, unit, "fit", 0.01)
            yield f"fit strong L2 {rows}x{columns}, y times {unit}", "fit", build
    for unit in (1, 10, 100):
        build = partial(strong, *((40, 100) if quick else (100, 2000)), unit, "cv", 1e-3)
        yield f"cv strong L2 100x2000, y times {unit}", "cv", build
    for size, ratio in ((10_000, 1e-3), (100_000, 1e-2)):
        build = partial(thin, 200 if quick else size, ratio)
        yield f"fit thin {size}x{size}, {ratio:g} of alpha_max", "fit", build
