"""Ridge by methods that only multiply by X, and never form a matrix.

    minimise over w   1/2 ||y - Zw||^2_omega + alpha/2 sum_j v_j w_j^2

`lsqr`       Golub-Kahan bidiagonalisation of ``[Omega^(1/2) Z; (alpha V)^(1/2)]`` (Paige &
             Saunders, ACM TOMS 8, 1982): the condition of X enters once.
`sparse_cg`  conjugate gradients on ``(Z^T Omega Z + alpha V) w = Z^T Omega y``.
`lbfgs`      limited-memory BFGS in a box (Byrd, Lu, Nocedal & Zhu, 1995): the one that takes
             bounds. Features are scaled to curvature one and the objective to that of w = 0, so
             that the tolerance means the same on all data.
`shifted_cg` conjugate gradients for many alphas at the price of one: the Krylov space of
             ``G + alpha I`` is the same for all alpha, and so are the directions of the
             residuals (Frommer & Maass, SIAM J. Sci. Comput. 20, 1999).

The first three take ``(design, y, penalty, alpha, tol, max_iter)`` for one centred target and
return the coefficients of Z and the number of iterations; `max_iter` None leaves it to the
method. Cost: two products with X an iteration.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import linalg

from ...data.design import Array, Design
from ...objective.penalties import ScaledPenalty
from ..base import OneTarget
from ..numerics import EPS, reciprocal

Operator = Callable[[Array], Array]

# Penalties of features this far apart are those of columns of different units.
UNITS_APART = 2.0**60
# SciPy renamed the relative tolerance of its conjugate gradients in 1.12.
RTOL = "rtol" if "rtol" in inspect.signature(linalg.cg).parameters else "tol"


def lsqr(one: OneTarget, alpha: float, tol: float, max_iter: int | None) -> tuple[Array, int]:
    """LSQR; alpha = 0 gives the least squares of minimum norm."""
    design, y, scaled = one.design, one.y, one.penalty.at(alpha)
    movable = scaled.movable
    root, weight = np.sqrt(design.omega), np.sqrt(scaled.l2)
    inverse = reciprocal(root)
    n = design.n_samples

    units = _units(design, scaled)

    def stacked(w: Array) -> Array:
        w = np.where(movable, units * w.ravel(), 0.0)
        return np.concatenate([root * design.predict(w), weight * w])

    def adjoint(r: Array) -> Array:
        r = r.ravel()
        q = design.correlate(inverse * r[:n]) + weight * r[n:]
        return np.where(movable, units * q, 0.0)

    rhs = np.concatenate([root * y, np.zeros(len(movable))])
    w, n_iter = operator_lsqr(stacked, adjoint, rhs, len(movable), tol, max_iter)
    return units * w, n_iter


def _units(design: Design, scaled: ScaledPenalty) -> Array:
    """Powers of two that bring columns, with their penalty, to one size where they are far apart.

    Where something is not penalised they would choose another solution of minimum norm.
    """
    least, most = float(scaled.l2.min(initial=np.inf)), float(scaled.l2.max(initial=0.0))
    if not least > 0 or most <= UNITS_APART * least:
        return np.ones(design.n_features)
    return np.ldexp(1.0, -np.frexp(np.sqrt(design.variances + scaled.l2))[1])


def operator_lsqr(
    forward: Operator,
    adjoint: Operator,
    rhs: Array,
    n_features: int,
    tol: float = 4 * EPS,
    max_iter: int | None = None,
) -> tuple[Array, int]:
    """Least squares of minimum norm for a matrix given by its products.

    SciPy adds a constant to a product of norms that it divides by: powers of two bring both the
    right-hand side and the matrix to order one, or small units would look like convergence.
    """
    size = float(np.linalg.norm(rhs))
    if not size > 0.0:
        return np.zeros(n_features), 0
    unit = 2.0 ** np.frexp(size)[1]
    gain = 2.0 ** np.frexp(float(np.linalg.norm(adjoint(rhs))) / size)[1]
    matrix = linalg.LinearOperator(
        (len(rhs), n_features),
        matvec=lambda w: forward(w) / gain,
        rmatvec=lambda r: adjoint(r) / gain,
        dtype=np.float64,
    )
    limit = 10 * max(matrix.shape) if max_iter is None else max_iter
    result = linalg.lsqr(matrix, rhs / unit, atol=tol, btol=tol, conlim=0.0, iter_lim=limit)
    return result[0] * (unit / gain), int(result[2])


def sparse_cg(one: OneTarget, alpha: float, tol: float, max_iter: int | None) -> tuple[Array, int]:
    """Conjugate gradients on the normal equations.

    They end at the latest where the recursion's residual is one rounding error of its start: from
    there on it only falls until it divides zero by zero.
    """
    design, y, scaled = one.design, one.y, one.penalty.at(alpha)
    movable = scaled.movable
    n_iter = 0

    def count(_: Array) -> None:
        nonlocal n_iter
        n_iter += 1

    units = _units(design, scaled)

    def product(w: Array) -> Array:
        w = np.where(movable, units * w.ravel(), 0.0)
        return np.where(movable, units * (design.correlate(design.predict(w)) + scaled.l2 * w), 0.0)

    p = design.n_features
    matrix = linalg.LinearOperator((p, p), matvec=product, dtype=np.float64)
    rhs = np.where(movable, units * design.correlate(y), 0.0)
    tolerance: dict[str, Any] = {RTOL: max(tol, EPS), "atol": 0.0}
    w, _ = linalg.cg(matrix, rhs, maxiter=max_iter, callback=count, **tolerance)
    return units * w, n_iter


def lbfgs(one: OneTarget, alpha: float, tol: float, max_iter: int | None) -> tuple[Array, int]:
    """L-BFGS-B until the projected gradient is below `tol` in units of the objective at zero."""
    design, y, scaled = one.design, one.y, one.penalty.at(alpha)
    unit = float(design.norm2(y))
    scale = np.sqrt(unit) * reciprocal(np.sqrt(design.variances + scaled.l2))
    if not scale[scaled.movable].any():  # nothing can move
        return np.zeros(design.n_features), 0

    def objective(u: Array) -> tuple[float, Array]:
        w = scale * u
        r = y - design.predict(w)
        value = 0.5 * float(design.norm2(r)) + float(scaled.value(w).sum())
        return value / unit, scale * (scaled.l2 * w - design.correlate(r)) / unit

    limit = 15000 if max_iter is None else max_iter
    result = minimize(
        objective,
        np.zeros(design.n_features),
        jac=True,
        method="L-BFGS-B",
        bounds=_box(scaled, scale),
        options={"gtol": tol, "ftol": 0.5 * EPS, "maxiter": limit, "maxfun": 20 * limit},
    )
    # The units of u may have moved a bound by a rounding error.
    return scaled.clip(scale * result.x), int(result.nit)


def _box(scaled: ScaledPenalty, scale: Array) -> list[tuple[float | None, float | None]]:
    """Bounds of ``w / scale``; a feature of scale zero has no effect and stays at zero."""
    box: list[tuple[float | None, float | None]] = []
    for low, high, s in zip(scaled.lower, scaled.upper, scale, strict=True):
        if s == 0.0:
            box.append((0.0, 0.0))
        else:
            box.append(
                (low / s if np.isfinite(low) else None, high / s if np.isfinite(high) else None)
            )
    return box


def shifted_cg(
    product: Operator, rhs: Array, alphas: Array, tol: float = 1e-14, max_iter: int | None = None
) -> Array:
    """Solve ``(G + alpha I) x = rhs`` for every alpha > 0; shape (n_features, n_alphas).

    `product` multiplies by G. The smallest alpha leads; the residual of any other is
    ``zeta`` times its residual, with a factor zeta in (0, 1] from a three-term recurrence.
    Alphas are dropped as they get to ``tol * ||rhs||``.
    """
    base = alphas.min()
    shift = alphas - base
    x = np.zeros((len(rhs), len(alphas)))
    direction = np.repeat(rhs[:, None], len(alphas), axis=1)
    zeta_old = np.ones(len(alphas))
    zeta = np.ones(len(alphas))
    r, lead = rhs.copy(), rhs.copy()
    size = goal = float(r @ r)
    step_old, ratio_old = 1.0, 0.0
    active = np.arange(len(alphas))
    for _ in range(10 * len(rhs) if max_iter is None else max_iter):
        active = active[zeta[active] ** 2 * size > tol**2 * goal]
        if not len(active):
            break
        image = product(lead) + base * lead
        step = size / float(lead @ image)
        r -= step * image
        size, previous = float(r @ r), size
        ratio = size / previous
        now, before = zeta[active], zeta_old[active]
        bend = step * ratio_old * (before - now)
        new = now * before * step_old
        new /= bend + before * step_old * (1.0 + step * shift[active])
        x[:, active] += (step * new / now) * direction[:, active]
        direction[:, active] = np.outer(r, new) + (ratio * (new / now) ** 2) * direction[:, active]
        zeta_old[active], zeta[active] = now, new
        lead = r + ratio * lead
        step_old, ratio_old = step, ratio
    return x
