"""The one engine: coefficients along a path of alphas, for a single fit, a path and a fold.

A single fit is a path of one alpha; a fold of a cross-validation is a path with the held-out rows
at weight zero.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from ..data.design import Array
from ..data.powers_of_two import check_cut, too_strong
from ..objective.nonconvex import ConcavePenalty
from ..solvers import local_linear
from ..solvers.base import OneTarget
from ..solvers.group.certificate import rows_with_rounding
from ..solvers.group.degrees_of_freedom import df_of_rows
from ..solvers.newton.by_passes import solve_parts
from ..solvers.newton.class_ridge import class_trace
from ..solvers.newton.newton_cg import smooth_traces
from ..solvers.null_model import null_deviances
from ..solvers.optimality import all_with_rounding, relative_gap, with_rounding
from ..solvers.registry import choose
from ..solvers.ridge.solvers import smoother_traces
from .adaptive import with_factors
from .problem import BoundProblem
from .result import PathResult


def fit_path(
    bound: BoundProblem,
    alphas: Array,
    *,
    start: Array | None = None,
    progress: Callable[[int, float], None] | None = None,
    exact: bool | None = None,
) -> PathResult:
    """Fit a problem at each alpha, each from the solution before.

    Parameters
    ----------
    bound : BoundProblem
    alphas : ndarray of shape (n_alphas,)
        Decreasing, >= 0, on the user's scale.
    start : ndarray of shape (n_features,) or (n_features, n_targets), optional
        Coefficients to start from, on the user's scale.
    progress : callable, optional
        Called with the number of alphas done and the last alpha.
    exact : bool, optional
        See `Settings`; None is True for a single alpha.

    Returns
    -------
    PathResult
        On the user's scale.

    Raises
    ------
    ValueError
        If the solver does not take the penalty, or results leave the range of floating point.
    """
    if exact is None:
        exact = len(alphas) == 1
    if bound.parts:
        if bound.passes is not None:  # of all parts the same passes
            engine = [part.engine_alphas(alphas) for part in bound.parts]
            solve_parts(bound.parts, engine, replace(bound.problem.settings, exact=exact))
        starts = [None] * len(bound.parts) if start is None else list(start.T)
        parts = zip(bound.parts, starts, strict=True)
        fits = [fit_path(one, alphas, start=own, exact=exact) for one, own in parts]
        return PathResult.stacked(fits)
    if bound.problem.adaptive is not None and alphas[0] > 0:
        return _adaptive_path(bound, alphas, start, progress)
    design, target = bound.design, bound.target
    n_features, n_targets = design.n_features, target.raw.shape[1]
    w = np.zeros((n_features, n_targets))
    if start is not None:
        w = np.asarray(bound.powers.start(start), dtype=np.float64)
        w = design.from_raw(w.reshape(n_features, n_targets))
    engine_alphas = bound.engine_alphas(alphas)
    if not bound.powers.ordinary:
        check_cut(bound.own_penalty, engine_alphas)
    W, (gaps, n_iters, rss, df, intercepts) = _solved(
        bound, engine_alphas, w, alphas, progress, exact
    )
    if bound.loss.quadratic and not isinstance(bound.penalty, ConcavePenalty):
        certify = rows_with_rounding if bound.penalty.couples_targets else all_with_rounding
        gaps = certify(gaps, W, engine_alphas, rss, bound)
    return in_user_units(bound, alphas, W, (gaps, n_iters, rss, df, intercepts))


def in_user_units(
    bound: BoundProblem, alphas: Array, W: Array, numbers: Sequence[Array]
) -> PathResult:
    """What solvers found as the user has it.

    Parameters
    ----------
    bound : BoundProblem
    alphas : ndarray of shape (n_alphas,)
        The user's.
    W : ndarray of shape (n_targets, n_alphas, n_features)
    numbers : sequence of ndarray of shape (n_targets, n_alphas)
        Gaps, iterations, residual sums of squares, degrees of freedom and intercepts, as in
        `Solution`.
    """
    problem, design, target, penalty = bound.problem, bound.design, bound.target, bound.penalty
    gaps, n_iters, rss, df, intercepts = numbers
    raw, own, null = design.to_raw(W.T).T, bound.own_penalty, null_deviances(bound)[:, None]
    if penalty is not own:
        raw = own.in_units(W, raw, penalty)
    unknown = np.isnan(intercepts)
    if np.count_nonzero(unknown):
        means = target.mean.repeat(len(alphas))
        made = design.intercept(raw.reshape(-1, design.n_features).T, means).reshape(rss.shape)
        np.copyto(intercepts, made, where=unknown)
    deviance = np.divide(rss, null, out=np.ones(rss.shape), where=null > 0)
    coefs = own.in_type(raw, design.dtype).transpose(0, 2, 1)
    if not bound.powers.ordinary:
        vanished = np.multiply.outer(too_strong(own), alphas > 0)
        coefs = np.where(vanished, 0.0, coefs).astype(design.dtype)
        coefs = bound.powers.coefficients(coefs)
        intercepts = bound.powers.intercepts(intercepts, coefs.dtype)
    one = 0 if bound.one_target else slice(None)
    return PathResult(
        alphas=np.array(alphas, dtype=np.float64),
        coefs=coefs[one],
        intercepts=intercepts[one],
        dual_gaps=gaps[one],
        n_iters=n_iters[one].astype(np.intp),
        converged=gaps[one] <= problem.settings.threshold,
        df=df[one],
        dev_ratio=1.0 - deviance[one],
        l1_ratio=problem.l1_ratio,
        tol=problem.settings.tol,
        inverse_link=bound.loss.out_activation,
    )


def _adaptive_path(
    bound: BoundProblem,
    alphas: Array,
    start: Array | None,
    progress: Callable[[int, float], None] | None,
) -> PathResult:
    """The same with penalty factors from a first fit at each alpha."""
    gamma = bound.problem.adaptive
    assert gamma is not None
    plain = bound.with_problem(replace(bound.problem, adaptive=None))
    first, parts = fit_path(plain, alphas, start=start), []
    for i in range(len(alphas)):
        coef = first.coefs[..., i].reshape(-1)
        adapted = with_factors(plain, coef, gamma, bound.design)
        parts.append(fit_path(adapted, alphas[i : i + 1], start=coef))
        if progress is not None:
            progress(i + 1, float(alphas[i]))
    return PathResult.joined(parts)


def with_degrees_of_freedom(path: PathResult, bound: BoundProblem) -> PathResult:
    """The path with the degrees of freedom that a fit leaves out which needs no decomposition.

    Of targets that are coupled they are those of all together.
    """
    unknown = np.isnan(path.df)
    if not np.count_nonzero(unknown):
        return path
    missing = unknown.reshape(-1, len(path.alphas)).any(axis=0)
    alphas = bound.engine_alphas(path.alphas[missing])
    df = path.df.copy()
    if bound.loss.couples_targets or bound.penalty.couples_targets:
        at, each = np.flatnonzero(missing), []
        for one in path.coefs[..., at].T:
            near = np.asarray(bound.powers.start(one), dtype=np.float64)
            each.append(bound.design.from_raw(near))
        if bound.loss.couples_targets:
            for i, alpha, near in zip(at, alphas.tolist(), each, strict=True):
                df[:, i] = class_trace(bound, alpha, near, bound.problem.settings)
            return replace(path, df=df)
        coupled = alphas > 0
        df[:, at[coupled]] = df_of_rows(bound, alphas[coupled], np.stack(each)[coupled])
        if not coupled.all():
            traces = smoother_traces(bound.design, bound.penalty, alphas[~coupled])
            df[:, at[~coupled]] = len(df) * traces
        return replace(path, df=df)
    if not bound.loss.quadratic:
        near = np.asarray(bound.powers.start(path.coefs[:, missing]), dtype=np.float64)
        b = np.ldexp(path.intercepts[missing], -bound.powers.target)
        df[missing] = smooth_traces(bound, alphas, bound.design.from_raw(near).T, b)
        return replace(path, df=df)
    df[..., missing] = smoother_traces(bound.design, bound.penalty, alphas)
    return replace(path, df=df)


def gaps_of(bound: BoundProblem, alphas: Array, coefs: Array) -> Array:
    """Certificate of coefficients from elsewhere, shape (n_targets,).

    `alphas` and `coefs`, on the user's scale and of order one, have one row a target.
    """
    design, gaps = bound.design, []
    alphas = np.broadcast_to(bound.engine_alphas(alphas), len(coefs))
    for k, (alpha, coef) in enumerate(zip(alphas, coefs, strict=True)):
        one, w = OneTarget(bound, k), design.from_raw(coef)
        residual = one.y - design.predict(w)
        q, rss = design.correlate(residual), float(design.norm2(residual))
        gap = relative_gap(w, q, rss, bound.penalty.at(alpha), design, one.unit)
        known = np.array([gap]), w[None], np.array([alpha]), np.array([rss])
        gaps.append(with_rounding(*known, one)[0])
    return np.array(gaps)


def _solved(
    bound: BoundProblem,
    engine_alphas: Array,
    start: Array,
    alphas: Array,
    progress: Callable[[int, float], None] | None,
    exact: bool,
) -> tuple[Array, Array]:
    """Coefficients, (n_targets, n_alphas, n_features), and the numbers of each `Solution`.

    Alphas of zero, which come last, may call for another solver.
    """
    n_features, n_targets = start.shape
    W = np.empty((n_targets, len(alphas), n_features))
    parts, has_rows, done = list[Any](), bound.design.has_rows, 0
    settings = replace(bound.problem.settings, exact=exact)
    n_positive = int(np.count_nonzero(engine_alphas))
    for part in (engine_alphas[:n_positive], engine_alphas[n_positive:]):
        if not len(part):
            continue
        scaled = bound.penalty.at(part[0])
        solver = choose(bound.problem.solver, scaled, bound.loss, has_rows)
        solve, numbers = solver.solve, list[tuple[Any, ...]]()
        if isinstance(bound.penalty, ConcavePenalty) and part[0] > 0:
            solve = partial(local_linear.solve, solve)
        elif (found := solver.at_once(bound, part, start, settings)) is not None:
            k = len(found.coef)
            W[0, done : done + k] = found.coef
            parts.append(np.array(found[1:]).T[:, :, None])
            if progress is not None:
                for i, alpha in enumerate(alphas[done : done + k].tolist(), done + 1):
                    progress(i, alpha)
            start, part, done = found.coef[-1:].T, part[k:], done + k
            if not len(part):
                continue
        for solution in solve(bound, part, start, settings):
            if solution.coef.dtype == np.float32:  # of one alpha, as the data are
                W = solution.coef[:, None, :]
            else:
                W[:, done] = solution.coef
            numbers.append(solution[1:])
            done += 1
            if progress is not None:
                progress(done, float(alphas[done - 1]))
        start = W[:, done - 1].T
        parts.append(np.array(numbers).reshape(len(part), -1, n_targets))
    return W, np.concatenate(parts).transpose(1, 2, 0)
