"""Relaxed fits: penalised ones mixed with fits without a penalty on the same features.

At each alpha of a path the features with coefficients that are not zero, and those with a penalty
factor of zero, are fitted anew without a penalty, within the same bounds: the refit. The relaxed
coefficients and intercepts are

    share * penalised + (1 - share) * refit

(Meinshausen, Comput. Stat. Data Anal. 52(1), 2007; in this form Hastie, Tibshirani and Tibshirani,
Stat. Sci. 35(4), 2020, with gamma for the share). Of several classes a feature is refitted in all
where one has it. A refit that is not unique is that of minimum norm, as any fit at alpha 0.

There are as many refits as there are different supports. Those of the squared error come from one
Gram matrix (`solvers/quadratic/supports.py`), all others, and supports whose features depend on
each other, from the solvers of the penalty at alpha 0.

The gap of a relaxed fit is the larger of the two: of the penalised fit in its problem, of the refit
in its own. Iterations are those of both.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.design import Array, Design, Index
from ..solvers.base import AIM, Mask
from ..solvers.newton.refits import in_batches, refits_on
from ..solvers.null_model import null_deviances
from ..solvers.quadratic.supports import least_squares_on
from .fit_path import fit_path, in_user_units
from .problem import BoundProblem
from .result import PathResult

WRITTEN = ("coefs", "intercepts", "dual_gaps", "n_iters", "converged", "df", "dev_ratio")

# Where a smooth loss leaves less than this share of the deviance, as with classes that a plane
# separates, its minimum is at infinity or one of many: any support with the same features is done,
# and the coefficients, which may be huge, are no start for others.
NOTHING_LEFT = 1e-8
# Newton steps that lead to any minimum there is, and with a minimum at infinity to a small gap.
MANY_STEPS = 25
# Once supports have had more features than this together they are refitted one by one: a Gram
# matrix of all takes 128 MiB.
LARGEST_UNION = 4096


def relaxed(bound: BoundProblem, path: PathResult, share: float | None) -> PathResult:
    """A path of the problem, relaxed: the same where the share of the penalised fit is one."""
    if share is None:
        return path
    if share == 1.0:
        return replace(path, relax=share)
    return mixed(bound, path, refits(bound, path), share)


def mixed(bound: BoundProblem, path: PathResult, refit: PathResult, share: float) -> PathResult:
    """The mixture of a path and its refits."""
    coefs, intercepts = mixed_coefficients(path, refit, share)
    found = replace(
        path,
        coefs=coefs,
        intercepts=intercepts,
        dual_gaps=np.maximum(path.dual_gaps, refit.dual_gaps),
        n_iters=path.n_iters + refit.n_iters,
        converged=path.converged & refit.converged,
        relax=share,
    )
    if bound.loss.quadratic and not bound.penalty.has_bounds:
        # The refit's residual is orthogonal to the features.
        gain = refit.dev_ratio - path.dev_ratio
        return replace(found, dev_ratio=refit.dev_ratio - share**2 * gain)
    return replace(found, dev_ratio=_deviance_explained(bound, found))


def mixed_coefficients(
    path: PathResult, refit: PathResult, share: float
) -> tuple[NDArray[Any], Array]:
    """The mixtures of coefficients, which stay within the bounds, and of intercepts."""
    if share == 1.0:
        return path.coefs, path.intercepts
    one, other, rest = path.coefs, refit.coefs, 1.0 - share
    coefs = share * one + rest * other
    np.clip(coefs, np.minimum(one, other), np.maximum(one, other), out=coefs)
    return coefs, share * path.intercepts + rest * refit.intercepts


def refits(bound: BoundProblem, path: PathResult) -> PathResult:
    """The fits without a penalty on the support of each alpha."""
    supports = _supports(bound, path)
    if bound.loss.quadratic and not bound.loss.couples_targets:
        found, missing = _from_gram(bound, path, supports)
    else:
        found = _copied(path)
        missing = np.asarray(supports.any(axis=2))
        if len(path.alphas) > 1 and in_batches(bound):
            missing = _in_batches(found, bound, supports, missing)
    if missing.any():
        _fill_in(found, bound, path, supports, missing)
    return found


def _supports(bound: BoundProblem, path: PathResult) -> Mask:
    """Features to be refitted, shape (n_targets, n_alphas, n_features); of classes all alike."""
    coefs = path.coefs.reshape(-1, *path.coefs.shape[-2:])
    chosen = coefs.transpose(0, 2, 1) != 0
    if bound.loss.couples_targets:
        chosen = chosen.any(axis=0, keepdims=True)
    return chosen | bound.penalty.free


def _from_gram(bound: BoundProblem, path: PathResult, supports: Mask) -> tuple[PathResult, Mask]:
    """Refits by one Gram matrix, and the mask of those, (n_targets, n_alphas), that it has not."""
    design, target, penalty = bound.design, bound.target, bound.penalty
    reached = np.logical_or.accumulate(supports.any(axis=0), axis=0)
    n_first = int(np.count_nonzero(reached.sum(axis=1) <= LARGEST_UNION))
    missing = np.ones(supports.shape[:2], dtype=bool)
    if not n_first:
        return _copied(path), missing
    union = np.flatnonzero(reached[n_first - 1])
    G = _gram_of(design, union)
    W, numbers = np.zeros(supports.shape), np.zeros((4, *supports.shape[:2]))
    for k, own in enumerate(supports[:, :n_first, union]):
        c, unit = bound.correlations[union, k], float(target.units[k])
        first, of_each = _distinct(own)
        each, gaps = least_squares_on(G, c, own[first], unit)
        fits = gaps <= AIM  # and not NaN
        if penalty.has_bounds:
            fits &= (penalty.take(union).clip(each) == each).all(axis=1)
        each[~fits] = gaps[~fits] = 0.0
        W[k, :n_first][:, union], missing[k, :n_first] = each[of_each], ~fits[of_each]
        left = np.maximum(target.squares[k] - each @ c, 0.0)
        ones = np.ones(n_first)
        numbers[:, k, :n_first] = gaps[of_each], ones, left[of_each], own.sum(axis=1)
    intercepts = np.full(supports.shape[:2], np.nan)
    found = in_user_units(bound, np.zeros(len(path.alphas)), W, (*numbers, intercepts))
    return replace(found, alphas=path.alphas), missing


def _in_batches(found: PathResult, bound: BoundProblem, supports: Mask, missing: Mask) -> Mask:
    """Write the refits of a smooth loss that batches solve, and say which are missing then."""
    first, of_each = _distinct(supports[0])
    places = np.flatnonzero(missing[0, first])
    union = np.flatnonzero(supports.any(axis=(0, 1)))
    some = bound.of_features(union)
    each = refits_on(some, supports[0, first[places]][:, union], bound.problem.settings)
    solved = [(place, one) for place, one in zip(places, each, strict=True) if one is not None]
    if not solved:
        return missing
    W = np.array([[one.coef for _, one in solved]])
    numbers = np.array([one[1:] for _, one in solved], dtype=np.float64).T[:, None]
    made = in_user_units(some, np.zeros(len(solved)), W, list(numbers))
    into, missing = {name: getattr(found, name) for name in WRITTEN}, missing.copy()
    for i, (place, _) in enumerate(solved):
        at = np.flatnonzero(of_each == place)
        missing[0, at] = False
        _write(into, at, union, made, slice(i, i + 1))
    return missing


def _copied(path: PathResult) -> PathResult:
    """Where refits are to be written; where nothing is refitted the path stays."""
    return replace(path, **{name: getattr(path, name).copy() for name in WRITTEN})


def _fill_in(
    found: PathResult, bound: BoundProblem, path: PathResult, supports: Mask, missing: Mask
) -> None:
    """Write the refits that are missing, one support after another."""
    exact = len(path.alphas) == 1
    for k, own in enumerate(supports):
        several = len(supports) > 1
        one, whole = (bound.for_target(k), k) if several else (bound, ...)
        into = {name: getattr(found, name)[whole] for name in WRITTEN}
        penalised, (first, of_each) = path.coefs[whole], _distinct(own)
        for i in np.unique(of_each[missing[k]]):
            at, index = np.flatnonzero(of_each == i), np.flatnonzero(own[first[i]])
            if not len(index):
                continue
            before = first[i] - 1 if i and into["converged"][..., first[i] - 1].all() else None
            starts = [penalised[..., index, first[i]].T]
            if before is not None:
                last, left = into["coefs"][..., before], 1.0 - into["dev_ratio"][..., before]
                if bound.loss.quadratic or left.max() > NOTHING_LEFT:
                    starts.insert(0, last[..., index].T)
                elif np.count_nonzero(last) == np.count_nonzero(last[..., index]):
                    _keep(into, at, before, 0.5 * left)
                    continue
            _write(into, at, index, _fit_from(one.of_features(index), starts, exact), slice(None))


def _fit_from(bound: BoundProblem, starts: list[Array], exact: bool) -> PathResult:
    """The fit at alpha 0 from the first start that leads there, or the best of them."""
    settings, tried = bound.problem.settings, []
    few = replace(settings, max_iter=min(settings.max_iter, MANY_STEPS))
    quick = replace(bound, problem=replace(bound.problem, settings=few))
    each = [(bound if exact else quick, start) for start in starts]
    for problem, start in [*each, (bound, starts[-1])]:
        tried.append(fit_path(problem, np.zeros(1), start=start, exact=exact))
        if tried[-1].converged.all():
            break
    return min(tried, key=lambda made: float(made.dual_gaps.max()))


def _keep(into: dict[str, NDArray[Any]], at: Index, before: int, gap: Array) -> None:
    """Keep the refit before, from whose features none has left: no other leaves less deviance."""
    for values in into.values():
        values[..., at] = values[..., [before]]
    gaps = np.maximum(into["dual_gaps"][..., at], gap[..., None])
    into["dual_gaps"][..., at] = gaps


def _write(
    into: dict[str, NDArray[Any]], at: Index, index: Index, made: PathResult, part: slice
) -> None:
    """Write a refit on some features at the alphas that have its support."""
    for name in WRITTEN[1:]:
        into[name][..., at] = getattr(made, name)[..., part]
    into["coefs"][..., at] = 0.0
    into["coefs"][..., index[:, None], at] = made.coefs[..., part]


def _distinct(supports: Mask) -> tuple[Index, Index]:
    """Where a support differs from the one before, and which of these each alpha has."""
    new = np.ones(len(supports), dtype=bool)
    new[1:] = (supports[1:] != supports[:-1]).any(axis=1)
    return new.nonzero()[0], new.cumsum() - 1


def _gram_of(design: Design, index: Index) -> Array:
    """The Gram matrix of some features."""
    if design.has_gram:
        return design.gram()[np.ix_(index, index)]
    return design.subset(index).gram()


def _deviance_explained(bound: BoundProblem, path: PathResult) -> Array:
    """Share of the deviance that coefficients from elsewhere explain, shape of the intercepts."""
    target, powers, loss, design = bound.target, bound.powers, bound.loss, bound.design
    coefs = path.coefs.reshape(-1, *path.coefs.shape[-2:])
    used = np.flatnonzero(coefs.any(axis=(0, 2)))
    each = np.stack([np.asarray(powers.start(one), dtype=np.float64) for one in coefs])
    null, levels = null_deviances(bound), path.intercepts.reshape(len(coefs), -1)
    if loss.quadratic:
        G, W = _gram_of(design, used), np.stack([design.from_raw(w)[used] for w in each])
        twice = 2.0 * bound.correlations[used].T[..., None] - np.matmul(G, W)
        explained = np.einsum("kji,kji->ki", W, twice)
        left = np.maximum(null[:, None] - explained, 0.0)
    else:
        left, rows = np.empty(levels.shape), design.entries(slice(None), used)
        eta = np.stack([rows @ w[used] for w in each], axis=1) + levels
        if target.offset is not None:
            eta += target.offset.reshape(len(eta), -1, 1)
        omega = design.omega[:, None]
        if loss.couples_targets:
            left[:] = [loss.deviance(one, target.raw, omega) for one in eta.transpose(2, 0, 1)]
        for k, y in enumerate(target.raw.T if not loss.couples_targets else ()):
            left[k] = [loss.deviance(one, y, design.omega) for one in eta[:, k].T]
    shares = np.divide(left, null[:, None], out=np.ones(left.shape), where=null[:, None] > 0)
    return (1.0 - shares).reshape(path.intercepts.shape)
