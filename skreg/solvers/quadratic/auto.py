"""A path with an L1 part by the method that suits it, each solution certified.

- What costs less for a path (`routes.py`), few features, or the user's wish: all on one Gram
  matrix. `homotopy.py` follows from knot to knot the path of the Lasso and, with fewer rows than
  features, that of the Lasso or elastic net to a single alpha. Other single alphas go to `alone.py`
  or, all of several targets at once, to `side_by_side.py`, and what these do not certify, the path
  of the elastic net and bounds on unpenalised features to `active_set.py`. What is left with a gap
  above rounding level, descent finishes.
- A single alpha with more features: `small_support.py`, and where that tells of a large support the
  Gram matrix or the next.
- Else `batched_path.py`, on a working set.
- A random order of visits: `coordinate_descent.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ...data.design import Array, Design
from ...objective.penalties import Penalty, ScaledPenalty
from ..base import AIM, Bound, OneTarget, Settings, Solution, target_by_target
from ..optimality import relative_gap, relative_gaps
from ..tolerances import KKT_ROUNDING
from . import batched_path, coordinate_descent, small_support
from .alone import solve_alone
from .copies import FEWEST, solve_without_copies
from .homotopy import TINY, Homotopy
from .proximal import ProximalActiveSet
from .routes import MOST_FEATURES, Watch, begins_on_gram
from .same_support import solve_run
from .side_by_side import GUESSED_FROM, MOST_AT_ONE_ALPHA, guess, serves, solve_side_by_side

# Up to so many features a Gram matrix serves a single alpha with half as many rows, too.
FEW_FEATURES = 300
# One alpha is solved on a Gram matrix of up to so many features, or so many a target, as a working
# set takes some products with X a target; where that turns out to be large, of up to so many.
GRAM_AT_ONE_ALPHA, PER_TARGET, MOST_ALONE = 100, 50, 600
# Up to so many features a product with all takes no longer than to find those in use.
AT_ONCE = 32
# A KKT condition holds that is missed by less than this share of the correlation it asks for, which
# bounds coefficients where features nearly depend on each other and a small gap does not.
SATISFIED = 1e-9
# On a path nearly equal columns may stay this much further away, at a gap of this share of the
# tolerance: with 20 columns that are there twice, once rounded to six digits, 60 of 100 alphas
# took a descent of 4 ms each.
NEARLY_SATISFIED, NEARLY = 1e-5, 1e-3
# So many alphas in a row with the same active set let expect more.
STEADY = 2
# The gap of no coefficients at all, over the unit.
GAP_OF_ZERO = 0.5


def solve(bound: Bound, alphas: Array, start: Array, settings: Settings) -> Iterator[Solution]:
    """See `base.py` for the contract."""
    design = bound.design
    if bound.penalty.l1_ratio == 1.0 and design.n_features >= FEWEST and design.has_rows:
        return solve_without_copies(_solve, bound, alphas, start, settings)
    return _solve(bound, alphas, start, settings)


def _solve(bound: Bound, alphas: Array, start: Array, settings: Settings) -> Iterator[Solution]:
    """The same by the method that suits the shape."""
    design = bound.design
    if settings.seed is not None:
        chosen = coordinate_descent.solve
    elif settings.precompute is True or not design.has_rows:
        chosen = _solve_on_gram
    elif len(alphas) > 1:
        chosen = _solve_path
    elif _gram_suits(design) and _gram_is_cheap(design, start.shape[1]):
        chosen = _solve_on_gram
    else:
        chosen = _solve_small_supports
    return chosen(bound, alphas, start, settings)


@target_by_target
def _solve_path(
    one: OneTarget, alphas: Array, start: Array, settings: Settings
) -> Iterator[Solution]:
    """On the Gram matrix, or in batches of alphas for as long as these are cheaper."""
    if not begins_on_gram(one, alphas):
        watch, n_done = Watch(one, alphas), 0
        for found in batched_path.solve_one(one, alphas, start, settings):
            yield found
            n_done, start = n_done + 1, found.coef
            if watch.leaves(found.df):
                break
        alphas = alphas[n_done:]
    if len(alphas):
        yield from _solve_one(one, alphas, start, settings)


def _gram_suits(design: Design) -> bool:
    """Whether there are rows enough, and not too many features, for a Gram matrix of all."""
    n_samples, n_features = design.n_samples, design.n_features
    if n_features <= FEW_FEATURES:
        return n_features <= 2 * n_samples
    return n_features <= min(n_samples, MOST_FEATURES)


def _gram_is_cheap(design: Design, n_targets: int) -> bool:
    """Whether one alpha of all targets is worth a Gram matrix, whatever the supports are."""
    always = FEW_FEATURES if design.sparse else GRAM_AT_ONE_ALPHA
    return design.has_gram or design.n_features <= max(always, PER_TARGET * n_targets)


def _solve_small_supports(
    bound: Bound, alphas: Array, start: Array, settings: Settings
) -> Iterator[Solution]:
    """One alpha on a small working set; what needs a larger one by the method that suits."""
    found: list[Solution | None] = [None] * start.shape[1]
    for k, w in enumerate(start.T):
        found[k] = small_support.solve(OneTarget(bound, k), float(alphas[0]), w, settings)
        if found[k] is None:
            break
    solved = [each for each in found if each is not None]
    if len(solved) == len(found):
        yield Solution.joined(solved)
        return
    if _gram_suits(bound.design) and bound.design.n_features <= MOST_ALONE:
        yield from _solve_on_gram(bound, alphas, start, settings)
    else:
        yield from batched_path.solve(bound, alphas, start, settings)


def _solve_on_gram(
    bound: Bound, alphas: Array, start: Array, settings: Settings
) -> Iterator[Solution]:
    """On the Gram matrix of all features: one alpha for all targets at once where that may do."""
    n_features = bound.design.n_features
    few = len(alphas) == 1 and n_features <= MOST_FEATURES and settings.max_iter > 1
    full = bound.penalty.l1_ratio < 1.0 or _rank(bound.design) == n_features
    if few and full and serves(bound.penalty, float(alphas[0])):
        at_one_alpha = _solve_alone if start.shape[1] == 1 else _solve_at_one_alpha
        return at_one_alpha(bound, alphas, start, settings)
    return _solve_one_by_one(bound, alphas, start, settings)


def _rank(design: Design) -> int:
    """The rank that the Gram matrix has at most."""
    return min(design.n_samples - (design.mean is not None), design.n_features)


def _solve_alone(
    bound: Bound, alphas: Array, start: Array, settings: Settings
) -> Iterator[Solution]:
    """One alpha of a single target; by another method where this does not certify it."""
    one, w = OneTarget(bound), start[:, 0]
    gram, c, penalty = bound.design.gram(), one.c, bound.penalty.at(float(alphas[0]))
    most = min(MOST_AT_ONE_ALPHA, settings.max_iter // 2)
    found = solve_alone(gram, c, penalty, w, one.yy, most)
    if found is not None:
        coef, q, n_rounds = found
        curvature = gram.diagonal()
        satisfied = SATISFIED * (np.abs(q) + penalty.l1)
        satisfied += KKT_ROUNDING * np.sqrt(curvature * one.yy)
        warm = n_rounds == 1 and np.count_nonzero(w) > 0
        if warm and not np.count_nonzero(curvature * np.abs(coef - w) > satisfied):
            coef, q, n_rounds = w.copy(), c - gram.dot(w), 0
        rss = max(one.yy - float(coef.dot(c + q)), 0.0)
        gap = relative_gap(coef, q, rss, penalty, one.design, one.unit)
        wanted = penalty.l1 * np.sign(coef)
        if penalty.has_l2:
            wanted += penalty.l2 * coef
        missed = (np.abs(q - wanted) > satisfied) & (coef != 0)
        if gap <= AIM and not np.count_nonzero(missed):
            yield Solution(coef, gap, n_rounds, rss, float(np.count_nonzero(coef)))
            return
    yield from _solve_one(one, alphas, w, settings)


def _solve_at_one_alpha(
    bound: Bound, alphas: Array, start: Array, settings: Settings
) -> Iterator[Solution]:
    """All targets side by side; those that this does not certify one by one."""
    design, target, C = bound.design, bound.target, bound.correlations
    gram, squares, penalty = design.gram(), target.squares, bound.penalty
    columns, most = penalty.at_each(alphas), min(MOST_AT_ONE_ALPHA, settings.max_iter // 2)
    found = solve_side_by_side(gram, C.T, penalty.at(alphas[0]), start.T, squares, most)
    W, n_rounds, solved = found.W.T, found.n_rounds, found.solved
    if np.count_nonzero(start):
        stays = _missed(gram, columns, start, _left(gram, C, start), squares) <= SATISFIED
        W, n_rounds, solved = (
            np.where(stays, start, W),
            np.where(stays, 0, n_rounds),
            solved | stays,
        )
    Q = _left(gram, C, W)
    solved = solved & (_missed(gram, columns, W, Q, squares) <= SATISFIED)
    if not solved.any():
        yield from _solve_one_by_one(bound, alphas, start, settings)
        return
    rss = np.maximum(squares - (W * (C + Q)).sum(axis=0), 0.0)
    gaps = relative_gaps(W, Q, rss, columns, design, target.units)
    solved &= gaps <= AIM
    df = (W != 0).sum(axis=0, dtype=np.float64)
    parts = W.T, gaps, n_rounds, rss, df, np.full(len(df), np.nan)
    for k in np.flatnonzero(~solved).tolist():
        (one,) = _solve_one(OneTarget(bound, k), alphas, start[:, k], settings)
        for part, value in zip(parts, one, strict=True):
            part[k] = value
    yield Solution(*parts)


def _solve_one(
    one: OneTarget, alphas: Array, start: Array, settings: Settings
) -> Iterator[Solution]:
    design, penalty, warm = one.design, one.penalty, bool(np.count_nonzero(start))
    if warm:
        optimal = coordinate_descent.without_a_step(one, float(alphas[0]), start)
        if optimal is not None:
            yield optimal
            alphas = alphas[1:]
            if not len(alphas):
                return
    gram, c, yy, rank = design.gram(), one.c, one.yy, _rank(design)
    if len(alphas) > 1:
        followed = penalty.l1_ratio == 1.0 and _can_follow(design, penalty)
    else:  # with fewer rows than features too many would be in a guess of the support
        followed = rank < design.n_features and not warm and _can_follow(design, penalty)
    if followed:
        W, n_iters = _follow(one, alphas)
    else:
        W, n_iters = _step(one, alphas, start if warm else None, settings, rank)
    Q = _left(gram, c[:, None], W)
    rss = np.maximum(yy - (W * (c[:, None] + Q)).sum(axis=0), 0.0)
    scaled = penalty.at_each(alphas)
    gaps = relative_gaps(W, Q, rss, scaled, design, one.unit)
    missed = _missed(gram, scaled, W, Q, yy)
    done = (missed <= SATISFIED) & (gaps <= AIM)
    if len(alphas) > 1 and design.n_features <= 2 * design.n_samples:
        done |= (missed <= NEARLY_SATISFIED) & (gaps <= NEARLY * settings.tol)
    df = (W != 0).sum(axis=0, dtype=np.float64)
    found = zip(W.T, gaps.tolist(), n_iters, rss.tolist(), df.tolist(), strict=True)
    for i, (w, gap, n_iter, left_over, n_used) in enumerate(found):
        left = settings.max_iter - (0 if followed else n_iter)
        if done.item(i) or left <= 0:
            yield Solution(w, gap, n_iter, left_over, n_used)
        else:
            # Zero is better than what columns of far different units may have left.
            begin = w if gap <= GAP_OF_ZERO else np.zeros_like(w)
            (finished,) = coordinate_descent.solve_on_gram(
                one, alphas[i : i + 1], begin, replace(settings, max_iter=left)
            )
            if gap < finished.gap and finished.gap > AIM:
                finished = finished._replace(coef=w, gap=gap, rss=left_over, df=n_used)
            yield finished._replace(n_iter=settings.max_iter - left + finished.n_iter)


_solve_one_by_one = target_by_target(_solve_one)


def _missed(gram: Array, scaled: ScaledPenalty, W: Array, Q: Array, yy: float | Array) -> Array:
    """By how much KKT conditions are missed, as a share of the correlations they ask for.

    Where features nearly depend on each other a small gap leaves room for large coefficients to
    stray, so that the conditions of optimality are looked at as well.
    """
    d = gram.diagonal()[:, None]
    stray = np.abs(scaled.prox(Q + d * W, d) - W) * d
    rounding = KKT_ROUNDING * np.sqrt(d * yy)
    over = (stray - rounding) / np.maximum(np.abs(Q) + scaled.l1, rounding + TINY)
    return np.asarray(over.max(axis=0))


def _can_follow(design: Design, penalty: Penalty) -> bool:
    """Whether there is a path for the homotopy, and not too dear a one."""
    if design.n_features > MOST_FEATURES:
        return False
    if not penalty.boxed:
        return True
    free = penalty.free
    return bool(np.isinf(penalty.lower[free]).all() and np.isinf(penalty.upper[free]).all())


def _step(
    one: OneTarget, alphas: Array, start: Array | None, settings: Settings, rank: int
) -> tuple[Array, list[int]]:
    """Coefficients and iterations at all alphas, one after the other."""
    gram, c, penalty, n_features = one.design.gram(), one.c, one.penalty, len(one.c)
    if start is None and rank == n_features >= GUESSED_FROM:
        first = penalty.at(alphas[0])
        if np.count_nonzero(np.abs(c) > first.l1) >= GUESSED_FROM:
            start = guess(gram, c[None], first)[0]
    found = ProximalActiveSet(penalty, rank, one.yy, len(alphas) == 1, settings.tuning)
    found.extend(gram, c, np.arange(n_features), start)
    W, n_iters, n_alike = np.empty((len(alphas), n_features)), list[int](), 0
    while (n_done := len(n_iters)) < len(alphas):
        pattern = found.state.pattern
        n_iters.append(found.solve(float(alphas[n_done]), settings.max_iter))
        W[n_done] = found.state.w
        n_alike = n_alike + 1 if found.state.pattern is pattern else 0
        if n_alike >= STEADY:
            run = solve_run(found, alphas[n_done + 1 :])
            n_iters += [1] * run.shape[1]
            W[n_done + 1 : len(n_iters)] = run.T
            n_alike = 0
    return W.T, n_iters


def _left(gram: Array, C: Array, W: Array) -> Array:
    """Correlations that are left, in the order of W, from nothing but the coefficients."""
    if len(C) <= AT_ONCE:
        return np.asarray((C.T - W.T @ gram).T)
    used = np.flatnonzero(W.any(axis=1))
    few = 2 * len(used) < len(C)
    return np.asarray((C.T - (W[used].T @ gram[used] if few else W.T @ gram)).T)


def _follow(one: OneTarget, alphas: Array) -> tuple[Array, list[int]]:
    """Coefficients at all alphas, and the number of knots.

    Penalty factors are taken into the units of the features, so that one lambda serves all. The
    L2 part of a single alpha is added to the Gram matrix.
    """
    penalty, c, curved = one.penalty, one.c, one.design.gram()
    if penalty.l1_ratio < 1.0:
        curved = curved + np.diag(penalty.at(alphas[0]).l2)
    scaled = curved, c, penalty.lower, penalty.upper
    if not penalty.even:
        factors = np.where(penalty.factors > 0, penalty.factors, 1.0)
        lower, upper = penalty.lower * factors, penalty.upper * factors
        scaled = curved / factors / factors[:, None], c / factors, lower, upper
    homotopy = Homotopy(*scaled, np.flatnonzero(penalty.free))
    W, n_done, n_knots = homotopy.path(penalty.l1_ratio * alphas)
    if 0 < n_done < len(alphas):
        W[:, n_done:] = W[:, n_done - 1 : n_done]
    if not penalty.even:
        W = W / factors[:, None]
    if penalty.has_bounds:  # which the units have moved by a rounding error
        W = np.clip(W, penalty.lower[:, None], penalty.upper[:, None])
    return W, [n_knots] * len(alphas)
