"""Approximate leave-one-out: one step of Newton's method from the fit on all rows, for each row.

Without row i the objective is that of the other rows. Its gradient at the coefficients of all rows,
and its Hessian, are those of all rows less those of row i, so that one factorisation an alpha has
the step of every row:

    eta_i + omega_i (f_i' s_i + t_i) / (1 - omega_i f_i'' s_i)

with the slope f' and the curvature f'' of the loss at eta_i, ``s_i = x_i' A^-1 x_i`` for the
Hessian A, and ``t_i = x_i' A^-1 p`` for the slope p of the penalty where that is weighed against
the mean of the losses, of which there is one fewer (Rad and Maleki, J. R. Stat. Soc. B 82(4), 2020;
Wang et al., ICML 2018; for the squared error and ridge it is exact, and Allen's PRESS). With an L1
part or bounds the active set is that of all rows: nothing enters or leaves it, and the step is
among its features alone. The scale of standardized features and the weights of classes are those of
all rows as well.

A parameter that the rows share and that is fitted too, as the scale of Huber's loss, is one more
coefficient, which does not move eta. Of row i let ``g_i = (f_i' x_i, slope of f in it)`` be the
gradient, ``u_i = (x_i, what moves with eta)``, by which the Hessian is ``f_i'' u_i u_i'``, ``m_i =
(x_i, 0)`` what eta moves by, ``c_i = omega_i f_i''`` and ``s_i = u_i' A^-1 u_i``. By the formula of
Sherman and Morrison for ``(A - c_i u_i u_i')^-1 omega_i (g_i + p)`` eta_i moves by

    omega_i (m_i' A^-1 (g_i + p) + c_i (m_i' A^-1 u_i) (u_i' A^-1 (g_i + p)) / (1 - c_i s_i))

which for ``m_i = u_i = x_i`` is the step above.

What is neglected is of the order of the square of what a row moves. Where weights differ and alpha
is weighed against the mean, A differs by row, which is taken to first order.
"""

from __future__ import annotations

import numpy as np
from scipy import linalg

from ..data.design import Array
from ..paths.fit_path import fit_path
from ..paths.problem import BoundProblem
from ..solvers.newton.row_space import RowSpace
from .cross_validate import OF_EACH_ROW, HeldOut, Metric, judged_by, on_user_scale
from .leave_one_out import RunningMean
from .result import CVResult

# Where less than this is left of one in the denominator, as of a row that alone decides some
# coefficient, rounding takes its digits: a smaller alpha then moves the row no further.
LEAST_LEFT = 1e-6
# Added to a Hessian that is not positive, as a share of its largest entry.
RIDGE_OF_ROUNDING = 1e-12


def approximate_leave_one_out(
    bound: BoundProblem,
    alphas: Array,
    metric: Metric,
    metric_name: str,
    weights: Array | None = None,
) -> CVResult:
    """Approximate leave-one-out errors of every alpha, from the path on all rows.

    The loss that is minimised is kept as a mean over the rows with its standard error. Any other
    metric judges the predictions of all rows together, and has no standard error.

    Parameters
    ----------
    bound : BoundProblem
        Of a smooth loss whose targets are not coupled.
    alphas : ndarray of shape (n_alphas,)
    metric : callable
        See `cross_validate`.
    metric_name : str
    weights : ndarray of shape (n_samples,), optional
        Of the rows in the mean, where a fit weighs them by their classes as well.

    Returns
    -------
    CVResult
        On the user's scale.
    """
    target, own = bound.target, bound.weights if weights is None else weights
    predictors, gap, converged = left_out_predictors(bound, alphas)
    row_errors = None
    if metric in OF_EACH_ROW:
        mean = RunningMean(len(alphas))
        eta = predictors.transpose(2, 0, 1)
        errors = OF_EACH_ROW[metric] * bound.loss.each(eta, target.raw).mean(axis=2)
        mean.add(errors.T, own)
        row_errors, found = mean.standard_error, mean.mean
    else:
        rows = np.arange(len(own))
        held_out = HeldOut(rows, target.raw, own, lambda: predictors, bound.loss)
        found = judged_by(metric, bound.powers)(held_out).mean(axis=0)
    result = CVResult(
        alphas=alphas,
        errors=found[:, None],
        row_errors=row_errors,
        fold_weights=own.sum(keepdims=True),
        l1_ratio=bound.problem.l1_ratio,
        metric=metric_name,
        converged=converged,
        worst_gap=gap,
    )
    if bound.loss.degree == 1 and row_errors is not None:
        result = result.with_errors(lambda errors: np.ldexp(errors, bound.powers.target))
    return on_user_scale(result, bound.powers)


def left_out_predictors(bound: BoundProblem, alphas: Array) -> tuple[Array, float, bool]:
    """The linear predictor of each row by the others, (n_samples, n_targets, n_alphas).

    With it the largest gap of the path, and whether all of it converged.
    """
    design, target = bound.design, bound.target
    plain = bound.with_data(design, target, bound.sample_weight)  # in the units of the problem
    path = fit_path(plain, alphas)
    coefs = path.coefs.reshape(-1, *path.coefs.shape[-2:]).astype(np.float64)
    levels = path.intercepts.reshape(len(coefs), -1)
    engine_alphas = bound.engine_alphas(alphas)
    used = np.flatnonzero(coefs.any(axis=(0, 2)) | bound.penalty.free)
    span = RowSpace(bound) if RowSpace.serves(bound) and engine_alphas.min() > 0.0 else None
    if span is None:
        Z, within = design.columns(used), bound.penalty.take(used)
    else:
        Z, within = span.bound.design.columns(slice(None)), span.bound.penalty
    offset = np.zeros(len(Z)) if target.offset is None else target.offset
    found = np.empty((len(Z), len(coefs), len(alphas)))
    for k in range(len(coefs)):
        raw = [design.from_raw(coef) for coef in coefs[k].T]
        shifts = levels[k] - design.intercept(coefs[k], 0.0)
        for i, (w, alpha) in enumerate(zip(raw, engine_alphas.tolist(), strict=True)):
            eta = offset + design.predict(w) + shifts[i]
            x = w[used] if span is None else span.inside(w[:, None])[:, 0]
            penalty = within.at(alpha)
            low, high = penalty.slopes(x)
            active = low == high  # off kinks and bounds
            bend = penalty.curvature(x)[active]
            step = steps(bound, target.raw[:, k], eta, Z[:, active], bend)
            lost = np.isnan(step)
            if lost.any() and i == 0:
                raise ValueError(
                    f"row {int(np.argmax(lost))} alone decides a coefficient at alpha ="
                    f" {alphas[0]:g}: begin with a larger alpha, or set cv='loo'"
                )
            found[:, k, i] = np.where(lost, found[:, k, max(i - 1, 0)], eta + step)
    return found, float(path.dual_gaps.max()), bool(path.converged.all())


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def steps(bound: BoundProblem, y: Array, eta: Array, Z: Array, bend: Array) -> Array:
    """What leaving a row out moves its linear predictor by, NaN where that has no digits.

    Parameters
    ----------
    y, eta : ndarray of shape (n_samples,)
    Z : ndarray of shape (n_samples, n_active)
        Centred columns of the active features.
    bend : ndarray of shape (n_active,)
        Curvatures of the penalty.
    """
    omega, loss = bound.design.omega, bound.loss
    slope, curvature = loss.gradient_and_curvature(eta, y)
    weighted, shared = omega * curvature, loss.shared_parameter(eta, y, omega)
    if bound.design.mean is not None:
        Z, bend = np.column_stack([Z, np.ones(len(Z))]), np.append(bend, 0.0)
    # Of a row m and g of the header; Z becomes u.
    moves, gradient = Z, slope[:, None] * Z
    if shared is not None:
        of_shared, along = shared
        moves, bend = np.column_stack([Z, np.zeros(len(Z))]), np.append(bend, 0.0)
        gradient, Z = np.column_stack([gradient, of_shared]), np.column_stack([Z, along])
    fewer, counted = bound.problem.alpha_of == "mean", omega > 0
    share = fewer / np.count_nonzero(counted)
    A = (Z * weighted[:, None]).T @ Z + np.diag((1.0 - share) * bend)
    factor = factorised(A)
    halved = linalg.solve_triangular(factor, Z.T, lower=True, check_finite=False)
    s = np.einsum("ij,ij->j", halved, halved)
    if fewer and np.ptp(omega[counted]) > 0.0 and bend.any():
        solved = linalg.solve_triangular(factor, halved, lower=True, trans=1, check_finite=False)
        s += (omega - share) * (bend @ np.square(solved))
    if shared is None:
        of_moves, moved = s, slope * s  # m' A^-1 u, m' A^-1 g, and u' A^-1 g
        given = moved
    else:
        solved = linalg.cho_solve((factor, True), gradient.T, check_finite=False)
        moved, given = (np.einsum("ij,ji->i", rows, solved) for rows in (moves, Z))
        solved = linalg.cho_solve((factor, True), Z.T, check_finite=False)
        of_moves = np.einsum("ij,ji->i", moves, solved)
    if fewer:  # the slope of the penalty, by the KKT conditions
        pull = linalg.cho_solve((factor, True), -gradient.T @ omega, check_finite=False)
        moved, given = moved + moves @ pull, given + Z @ pull
    rest = 1.0 - weighted * s
    rest[rest < LEAST_LEFT] = np.nan
    return np.asarray(omega * (moved + weighted * of_moves * given / rest))


def factorised(A: Array) -> Array:
    """The lower Cholesky factor of a Hessian, moved from zero where it is singular."""
    ridge, size = 0.0, float(np.abs(A.diagonal()).max(initial=0.0)) or 1.0
    while True:
        try:
            return np.asarray(linalg.cholesky(A + np.diag(np.full(len(A), ridge)), lower=True))
        except linalg.LinAlgError:
            ridge = max(10.0 * ridge, RIDGE_OF_ROUNDING * size)
