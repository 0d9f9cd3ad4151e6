"""What a solver is given and what it gives back.

A solver is a generator function

    solve(bound, alphas, start, settings) -> Iterator[Solution]

For each alpha, in the order given (decreasing), it yields the `Solution` of all targets, so that it
may keep what it learned from one alpha for the next. `start` has shape (n_features, n_targets).
Coefficients are those of the design (centred, scaled), gaps are relative to `Target.unit`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..caching import cached_property
from ..data.design import Array, Design
from ..objective.losses import Loss, SquaredError
from ..objective.penalties import Penalty
from .tolerances import TUNING, Tuning

SQUARED = SquaredError()
# Every solver aims for this relative gap; `tol` only says what may be called converged.
AIM = 1e-12


class Solution(NamedTuple):
    """Coefficients at one alpha, with their certificate.

    Of several targets each attribute is an array that has them on its first axis.

    Attributes
    ----------
    coef : ndarray of shape (n_features,) or (n_targets, n_features)
    gap : float
        Duality gap divided by the mean deviance of the intercept alone: for the squared error, the
        weighted mean square of the centred target.
    n_iter : int
    rss : float
        Weighted sum of squares of the residual, the weights summing to one; of another loss its
        mean deviance.
    df : float
        Degrees of freedom: the number of non-zero coefficients where there is an L1 part, the
        trace of the smoother where there is none.
    intercept : float
        On the user's scale, where the solver knows it better than the means and `coef` tell it;
        NaN where it does not.
    """

    coef: Array
    gap: Any
    n_iter: Any
    rss: Any
    df: Any
    intercept: Any = np.nan

    @classmethod
    def joined(cls, each: Sequence[Solution]) -> Solution:
        """One of all targets from one a target."""
        return each[0] if len(each) == 1 else cls(*map(np.array, zip(*each, strict=True)))


@dataclass(frozen=True)
class Settings:
    """How long to try, and in what order to visit coordinates.

    `seed` None visits coordinates cyclically, an integer in an order drawn from it.
    `precompute` True or "auto" allows the Gram matrix of all features ("auto": when it is
    small); False keeps to a working set. `exact` asks for coefficients of a smooth loss to ten
    digits, a step more than the gap on a path. `scale_floor` keeps the scale of a loss that fits
    one from vanishing, which is another objective where it binds. `tuning` changes the time that an
    answer takes.
    """

    tol: float = 1e-4
    max_iter: int = 1000
    seed: int | None = None
    precompute: bool | str = "auto"
    exact: bool = False
    scale_floor: bool = False
    tuning: Tuning = TUNING

    def rng(self) -> np.random.RandomState | None:
        """A generator of its own for each solve, so that no order of solves matters."""
        return None if self.seed is None else np.random.RandomState(self.seed)

    @property
    def threshold(self) -> float:
        """The tolerance; no solver aims for less than `AIM`, of which rounding is a part."""
        return max(self.tol, AIM)


Mask = NDArray[np.bool_]
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Target:
    """What is predicted: `raw` as the user has it and `centred`, (n_samples, n_targets).

    `squares` are the weighted mean squares of the centred targets, `correlations` those of the
    features with them, (n_features, n_targets), where they are known already. An `offset` of shape
    (n_samples,), or of that of the targets where the loss couples them, is added to the linear
    predictor; that of the squared error is taken off the target instead.
    """

    raw: Array
    centred: Array
    mean: Array
    squares: Array
    correlations: Array | None = None
    offset: Array | None = None

    @classmethod
    def build(cls, design: Design, y: Array, offset: Array | None = None) -> Target:
        """Centre y, of shape (n_samples,) or (n_samples, n_targets), by the design's weights."""
        raw = y.reshape(len(y), -1)
        return cls(raw, *design.centred_target(raw), offset=offset)

    def of(self, k: int) -> Target:
        """One of several targets; their offset is that of all."""
        one, known = [k], self.correlations
        return Target(
            raw=self.raw[:, one],
            centred=self.centred[:, one],
            mean=self.mean[one],
            squares=self.squares[one],
            correlations=None if known is None else known[:, one],
            offset=self.offset,
        )

    @cached_property
    def units(self) -> Array:
        """Units of gaps and tolerances: the mean squares, one where that is zero."""
        return np.where(self.squares == 0, 1.0, self.squares)


@dataclass(frozen=True, eq=False)
class Bound:
    """A problem and its data, as solvers see both: a loss, a penalty, a design and a target.

    `passes` has the sums of rows that are read pass by pass, see `newton/training_sums.py`.
    """

    design: Design
    target: Target
    penalty: Penalty
    loss: Loss = SQUARED
    passes: Any = None

    def kept(self, key: Any, make: Callable[[], T]) -> T:
        """What one solver works out on this problem and leaves for the next."""
        if key not in self._kept:
            self._kept[key] = make()
        found: T = self._kept[key]
        return found

    @cached_property
    def _kept(self) -> dict[Any, Any]:
        return {}

    @cached_property
    def correlations(self) -> Array:
        """Correlations of the features with the targets, (n_features, n_targets)."""
        design, target = self.design, self.target
        if target.correlations is not None:
            return target.correlations
        Y = target.centred
        return design.correlate(Y[:, 0] if Y.shape[1] == 1 else Y).reshape(design.n_features, -1)


SolveFunction = Callable[[Bound, Array, Array, Settings], Iterator[Solution]]


class OneTarget:
    """A bound problem of the squared loss with target k alone, for solvers of one at a time.

    Attributes
    ----------
    design, penalty
        Those of the bound problem.
    y : ndarray of shape (n_samples,)
        The centred target.
    yy, unit : float
        Its weighted mean square, and the unit of gaps and tolerances: one where that is zero.
    """

    def __init__(self, bound: Bound, k: int = 0) -> None:
        target = bound.target
        self.design, self.penalty, self._bound = bound.design, bound.penalty, bound
        self.y, self._k = np.ascontiguousarray(target.centred[:, k]), k
        self.yy = float(target.squares[k])
        self.unit = self.yy or 1.0

    @cached_property
    def c(self) -> Array:
        """Correlations of the features with the target."""
        return np.ascontiguousarray(self._bound.correlations[:, self._k])


def target_by_target(
    solve_one: Callable[[OneTarget, Array, Array, Settings], Iterator[Solution]],
) -> SolveFunction:
    """A solver of several targets from a solver of one; what the design caches is shared."""

    def solve(bound: Bound, alphas: Array, start: Array, settings: Settings) -> Iterator[Solution]:
        each = []
        for k, w in enumerate(start.T):
            each.append(solve_one(OneTarget(bound, k), alphas, w, settings))
        return each[0] if len(each) == 1 else map(Solution.joined, zip(*each, strict=True))

    return solve
