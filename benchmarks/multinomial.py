"""Paths of multinomial regression: cells, and gaps from the formulas.

With weights 1/n, shares P of the classes at eta = b + XW, Y the classes as columns of 0 and 1, and
u = Y - P, q_k = X'u_k/n,

    primal - dual = mean [ logsumexp(eta) - sum_k V eta + sum_k V log V ]
                    + sum_jk [ alpha |w_jk| - s q_jk w_jk ],          V = Y - s u,

where s <= 1 is the largest number at which no |q_jk| is past alpha. The smaller of two is taken: at
this u, and at u less what a Newton step of the coefficients that are not zero changes in P. A dual
point needs sums of u that are zero over the rows, so the intercepts of an answer are made
optimal for its coefficients first, which lowers its objective by as much as they were off. The unit
is the mean deviance of the intercepts alone. An answer has a column for each alpha and class, the
classes of an alpha side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import logsumexp, softmax, xlogy

from . import problems
from .libraries import Answer
from .problems import Array, Problem

# Newton steps of the intercepts, which take a handful, and the largest sum that ends them.
STEPS, ENOUGH = 50, 1e-13
# Coefficients with which the step of a dual point is tried; more are far from a solution here.
LARGEST = 1000


def cells(setting: Any) -> Iterator[tuple[str, str, Callable[[np.random.Generator], Problem]]]:
    """Names, groups and makers of the problems."""
    build = partial(generated, *setting.shape(1000, 100), 4, 0.5, setting.alphas)
    yield "multinomial 1000x100, 4 classes", "multinomial", build
    yield "multinomial iris", "multinomial", partial(iris, setting.alphas)
    for name in ("khan", "letter") if setting.data and not setting.quick else ():
        file = Path(setting.data, f"{name}.npz")
        if file.is_file():
            yield f"multinomial {name}", "multinomial", partial(stored, file, setting.alphas)


def generated(
    n: int, p: int, classes: int, rho: float, count: int, rng: np.random.Generator
) -> Problem:
    X = problems.equicorrelated(n, p, rho, rng)
    W = np.zeros((p, classes))
    W[: p // 4] = rng.standard_normal((p // 4, classes))
    eta = X @ W
    eta *= 2.0 / eta.std()
    return of_classes(X, np.argmax(eta + rng.gumbel(size=eta.shape), axis=1), count)


def iris(count: int, rng: np.random.Generator) -> Problem:
    from sklearn.datasets import load_iris

    return standardised(*load_iris(return_X_y=True), count)


def stored(file: Path, count: int, rng: np.random.Generator) -> Problem:
    return standardised(*problems.dense_file(file, limit=20_000), count)


def standardised(X: Array, y: Array, count: int) -> Problem:
    return of_classes(np.asfortranarray((X - X.mean(axis=0)) / X.std(axis=0)), y, count)


def of_classes(X: Array, y: Array, count: int) -> Problem:
    codes = np.unique(y, return_inverse=True)[1].astype(float)
    shares = indicators(codes)
    top = np.abs(X.T @ (shares - shares.mean(axis=0))).max() / len(y)
    ratio = 1e-3 if X.shape[0] > X.shape[1] else 1e-2
    alphas = np.geomspace(top, ratio * top, count)
    return Problem("glm_path", X, codes, alphas, 1.0, loss="multinomial")


def indicators(codes: Array) -> Array:
    """The classes as columns of 0 and 1."""
    return np.asarray(codes[:, None] == np.unique(codes), dtype=float)


def largest_gap(problem: Problem, answer: Answer) -> float:
    """The largest relative gap of an answer."""
    Y = indicators(problem.y)
    alphas = answer.alphas[:: Y.shape[1]]
    shape = (len(alphas), Y.shape[1])
    W = answer.coefs.reshape(len(answer.coefs), *shape).transpose(1, 0, 2)
    each = zip(W, answer.intercepts.reshape(shape), alphas, strict=True)
    return max(gap(problem, Y, *one) for one in each)


def gap(problem: Problem, Y: Array, W: Array, b: Array, alpha: float) -> float:
    """The relative gap of coefficients, the smaller of two; see the module's text."""
    shares = Y.mean(axis=0)
    linear = problem.X @ W
    eta = linear + best_intercepts(linear, shares, b)
    P = softmax(eta, axis=1)
    points = [Y - P]
    if np.count_nonzero(W) <= LARGEST:
        points.append(stepped(problem, Y, P, W, alpha))
    found = [excess_at(problem, Y, W, eta, alpha, u) for u in points]
    return float(np.nanmin(found) / (-2.0 * xlogy(shares, shares).sum()))


def stepped(problem: Problem, Y: Array, P: Array, W: Array, alpha: float) -> Array:
    """Residuals after a Newton step of the intercepts and the coefficients that are not zero."""
    n = len(Y)
    used = [np.flatnonzero(w) for w in W.T]
    columns = [np.column_stack([np.ones(n), problem.X[:, index]]) for index in used]
    excess = [Z.T @ (Y - P)[:, k] / n for k, Z in enumerate(columns)]
    for k, index in enumerate(used):
        excess[k][1:] -= alpha * np.sign(W[index, k])
    hessian = np.block([
        [(Z.T * (P[:, k] * ((k == m) - P[:, m]))) @ V / n for m, V in enumerate(columns)]
        for k, Z in enumerate(columns)
    ])  # fmt: skip
    hessian[np.diag_indices(len(hessian))] *= 1.0 + 1e-12
    step = np.linalg.lstsq(hessian, np.concatenate(excess), rcond=None)[0]
    parts = np.split(step, np.cumsum([len(one) for one in excess])[:-1])
    moved = np.column_stack([Z @ part for Z, part in zip(columns, parts, strict=True)])
    change = P * (moved - (P * moved).sum(axis=1, keepdims=True))
    return np.asarray(Y - P - change)


def excess_at(problem: Problem, Y: Array, W: Array, eta: Array, alpha: float, u: Array) -> float:
    """The gap at a dual point, infinite where it is none."""
    u = u - u.mean(axis=0)
    q = problem.X.T @ u / len(Y)
    s = min(1.0, alpha / max(float(np.abs(q).max()), np.finfo(float).tiny))
    V = Y - s * u
    if V.min() < -1e-15:
        return np.inf
    V = np.maximum(V, 0.0)
    rows = logsumexp(eta, axis=1) - (V * eta).sum(axis=1) + xlogy(V, V).sum(axis=1)
    of_penalty = alpha * np.abs(W) - np.clip(s * q, -alpha, alpha) * W
    return float(rows.mean() + of_penalty.sum())


def best_intercepts(linear: Array, shares: Array, b: Array) -> Array:
    """Those at which the mean share of every class is that of y, by damped Newton steps."""

    def value(b: Array) -> float:
        return float(logsumexp(linear + b, axis=1).mean() - shares @ b)

    b = b - b.mean()
    for _ in range(STEPS):
        P = softmax(linear + b, axis=1)
        slope = P.mean(axis=0) - shares
        if np.abs(slope).max() < ENOUGH:
            break
        curvature = np.diag(P.mean(axis=0)) - P.T @ P / len(P)
        step, size, now = np.linalg.pinv(curvature) @ slope, 1.0, value(b)
        while value(b - size * step) > now + 1e-12 and size > 1e-6:
            size /= 2
        b = b - size * step
    return b
