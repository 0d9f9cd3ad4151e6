"""Models whose coefficients enter by rows, at one alpha after another.

With few features all are on one Gram matrix; with many a working set of them starts small, grows by
what is predicted along the path and by what a product of X with the residuals finds to violate its
conditions, and nothing is screened out without that check.

Along a path each alpha starts from coefficients extrapolated along it. With very few features a
round is calls of NumPy and little else, and all alphas go side by side: of every few the first,
and then those between, from coefficients between: so close to their solutions Newton's method
takes two or three rounds.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from ...data.design import Array, Index
from ...objective.group import GroupPenalty, row_lengths
from ..base import Bound, Settings, Solution
from ..quadratic.working_set import WorkingSet
from ..tolerances import CORRELATION_ROUNDING, KKT_TOLERANCE
from . import descent, newton
from .certificate import gaps_of_rows, unit_of
from .model import GroupModel, Kernel

# Up to so many features all are on one Gram matrix.
ALL_ON_GRAM = 300
# Up to so many features all alphas are solved side by side.
SIDE_BY_SIDE = 16
# Of so many alphas the first is solved first where all are side by side.
SEGMENT = 8
# Features that begin, and that join at once where fewer than these are in the set.
FIRST_FEATURES = 16
# A feature joins whose correlation is predicted to come this near to its threshold, as a share.
NEAR = 0.02


class Part(NamedTuple):
    """What is found at some alphas, which are the first axis, of all features and targets."""

    W: Array
    Q: Array
    rss: Array
    n_rounds: Index


class GroupPath:
    """The solutions at some alphas after others.

    Attributes
    ----------
    C : ndarray of shape (n_features, n_targets)
        Correlations with the targets.
    usable : ndarray of bool
        Features that may have coefficients.
    """

    def __init__(self, bound: Bound, kernel: Kernel, settings: Settings) -> None:
        assert isinstance(bound.penalty, GroupPenalty)
        self.design, self.shape, self.target = bound.design, bound.penalty, bound.target
        self.kernel, self.settings = kernel, settings
        self.unit, self.square = unit_of(bound.target), float(bound.target.squares.sum())
        self.usable = self.shape.movable & (self.design.variances > 0)
        self.C = np.where(self.usable[:, None], bound.correlations, 0.0)
        on_gram = self.design.n_features <= ALL_ON_GRAM or not self.design.has_rows
        on_gram |= self.design.has_gram or settings.precompute is True
        self.model: GroupModel | None = None
        self.working: WorkingSet | None = None
        if on_gram:
            self.model = GroupModel.of(self.design.gram(), self.C, self.usable, self.shape)
        else:
            self.working = WorkingSet(self.design, self.target.centred)
            self.working.grow(np.flatnonzero(self.usable & (self.shape.factors == 0)))

    def solve(self, alphas: Array, start: Array) -> Part:
        """The solutions at decreasing alphas, from coefficients at each."""
        most = self.settings.max_iter
        if self.model is None:
            return self._on_working_set(alphas, start)
        found = self._solved(self.model, alphas, start, most)
        fitted = np.einsum("ijk,ijk->ik", found.W, self.C + found.Q)
        rss = np.maximum(self.target.squares - fitted, 0.0)
        return Part(found.W, found.Q, rss, found.n_rounds)

    def _solved(
        self, model: GroupModel, alphas: Array, start: Array, most: int
    ) -> newton.GroupRows:
        """By the method asked for, and what it does not solve by descent."""
        found = model.solve(self.kernel, alphas, start, self.square, most)
        for i in np.flatnonzero(~found.solved & (found.n_rounds < most)):
            one = slice(i, i + 1)
            left = int(most - found.n_rounds[i])
            rest = model.solve(descent.solve, alphas[one], found.W[one], self.square, left)
            found.W[i], found.Q[i], found.solved[i] = rest.W[0], rest.Q[0], rest.solved[0]
            found.n_rounds[i] += rest.n_rounds[0]
        return found

    # The working set ----------------------------------------------------------------------

    def _on_working_set(self, alphas: Array, start: Array) -> Part:
        """The same on a working set, which grows until nothing violates its conditions."""
        working, most = self.working, self.settings.max_iter
        assert working is not None
        thresholds = self.shape.at_each(alphas).l1
        self._join(np.flatnonzero(start.any(axis=(0, 2))))
        noise = CORRELATION_ROUNDING * np.sqrt(self.square * self.design.variances)
        W, Q, W_rounds = np.zeros(start.shape), np.empty(start.shape), np.zeros(len(alphas), int)
        rss = np.empty((len(alphas), start.shape[2]))
        if not len(working.index):
            self._join(self._largest(row_lengths(self.C) / thresholds[-1], FIRST_FEATURES))
        left = np.arange(len(alphas))
        while True:
            index = working.index
            assert working.gram is not None
            everywhere = np.ones(len(index), dtype=bool)
            C, shape = self.C[index], self.shape.take(index)
            model = GroupModel.of(working.gram, C, everywhere, shape)
            found = self._solved(model, alphas[left], start[left][:, index], most)
            W[left[:, None], index] = found.W
            W_rounds[left] += found.n_rounds
            flat = found.W.transpose(1, 0, 2).reshape(len(index), len(left) * start.shape[2])
            fitted = np.zeros((self.design.n_samples, flat.shape[1]))
            if working.part is not None:
                fitted = working.part.predict(flat)
            fitted = fitted.reshape(len(fitted), len(left), -1)
            residual = self.target.centred[:, None] - fitted
            columns = residual.reshape(len(residual), -1)
            rss[left] = self.design.norm2(columns).reshape(len(left), -1)
            q = self.design.correlate(columns).reshape(len(self.C), len(left), -1)
            Q[left] = np.where(self.usable[:, None, None], q, 0.0).transpose(1, 0, 2)
            limit = (1.0 + KKT_TOLERANCE) * thresholds[left] + noise
            over = np.where(working.inside, -np.inf, row_lengths(Q[left]) / limit)
            missed = np.flatnonzero((over > 1.0).any(axis=1))
            if not len(missed):
                break
            self._join(self._largest(over.max(axis=0), max(FIRST_FEATURES, len(index))))
            left, start = left[missed], W
        return Part(W, Q, rss, W_rounds)

    def _join(self, new: Index) -> None:
        """Add features to the working set."""
        if self.working is not None:
            self.working.grow(new[~self.working.inside[new] & self.usable[new]])

    def _largest(self, over: Array, most: int) -> Index:
        """Features with the largest correlations over their thresholds, if past these."""
        index = np.flatnonzero(self.usable & (over > 1.0))
        if len(index) > most:
            index = np.sort(index[np.argpartition(-over[index], most)[:most]])
        return index

    def expect(self, alpha: float, Q: Array, slope: Array) -> None:
        """Add the features that may be active at an alpha, along the slope of correlations."""
        if self.working is None:
            return
        over = row_lengths(Q + slope) / (self.shape.each.at(alpha).l1 + np.finfo(float).tiny)
        over[self.working.inside] = 0.0
        room = max(FIRST_FEATURES, len(self.working.index))
        self._join(self._largest(over / (1.0 - NEAR), room))

    # A path -------------------------------------------------------------------------------

    def all_at_once(self, alphas: Array) -> Part:
        """The solutions at many alphas side by side: of every few first, then those between."""
        is_end = np.arange(len(alphas)) % SEGMENT == 0
        is_end[-1] = True
        ends, rest = np.flatnonzero(is_end), np.flatnonzero(~is_end)
        first = self.solve(alphas[ends], np.zeros((len(ends), *self.C.shape)))
        start = between_ends(alphas, ends, first.W, rest)
        second = self.solve(alphas[rest], start)
        order = np.argsort(np.append(ends, rest))
        return Part(*(np.concatenate(two)[order] for two in zip(first, second, strict=True)))

    def one_after_another(self, alphas: Array, start: Array) -> Iterator[tuple[Array, Part]]:
        """The solutions at some alphas, each from those before."""
        before: tuple[float, Array, Array] | None = None
        here: tuple[float, Array, Array] | None = None
        for alpha in alphas.tolist():
            W = start
            if before is not None and here is not None and before[0] > here[0] > alpha:
                share = (here[0] - alpha) / (before[0] - here[0])
                used = row_lengths(here[1]) > 0
                W = np.where(used[:, None], here[1] + share * (here[1] - before[1]), 0.0)
                self.expect(alpha, here[2], share * (here[2] - before[2]))
            one = np.array([alpha])
            part = self.solve(one, W[None])
            before, here, start = here, (alpha, part.W[0], part.Q[0]), part.W[0]
            yield one, part

    def solutions(self, alphas: Array, part: Part) -> Iterator[Solution]:
        """Certified, one an alpha."""
        penalty, total = self.shape.at_each(alphas), part.rss.sum(axis=1)
        gaps = gaps_of_rows(part.W, part.Q, total, penalty, self.design, self.unit)
        n_targets = part.W.shape[2]
        unknown = np.full(n_targets, np.nan)
        same = (values[:, None].repeat(n_targets, axis=1) for values in (gaps, part.n_rounds))
        for coef, gap, n_rounds, rss in zip(part.W, *same, part.rss, strict=True):
            yield Solution(coef.T, gap, n_rounds, rss, unknown, unknown)


def between_ends(alphas: Array, ends: Index, W: Array, rest: Index) -> Array:
    """Coefficients at alphas between those that have W, linear in alpha."""
    right = np.searchsorted(ends, rest)
    high, low = alphas[ends[right - 1]], alphas[ends[right]]
    fall = high - low
    share = np.divide(high - alphas[rest], fall, out=np.zeros_like(fall), where=fall > 0)
    share = share[:, None, None]
    return np.asarray((1.0 - share) * W[right - 1] + share * W[right])


def solve(bound: Bound, alphas: Array, start: Array, settings: Settings) -> Iterator[Solution]:
    """Newton's method at alphas above zero; see `base.py` for the contract."""
    kernel: Kernel = newton.solve
    if settings.seed is not None:
        kernel = partial(descent.solve, rng=settings.rng())
    return _solve(bound, alphas, start, settings, kernel)


def solve_by_descent(
    bound: Bound, alphas: Array, start: Array, settings: Settings
) -> Iterator[Solution]:
    """Block coordinate descent at alphas above zero."""
    return _solve(bound, alphas, start, settings, partial(descent.solve, rng=settings.rng()))


def _solve(
    bound: Bound, alphas: Array, start: Array, settings: Settings, kernel: Kernel
) -> Iterator[Solution]:
    path = GroupPath(bound, kernel, settings)
    if kernel is newton.solve and path.design.n_features <= SIDE_BY_SIDE and len(alphas) > SEGMENT:
        yield from path.solutions(alphas, path.all_at_once(alphas))
        return
    for some, part in path.one_after_another(alphas, start):
        yield from path.solutions(some, part)
