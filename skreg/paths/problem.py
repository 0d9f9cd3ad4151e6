"""What is fitted and how, and the same bound to data.

``problem.bind(X, y, sample_weight)`` makes the design and the target once. Everything downstream, a
single fit, a path and a fold, takes the bound problem and nothing besides.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..data.build import design_of
from ..data.design import Array, Design, Index
from ..data.from_moments import MomentsDesign
from ..data.moments import MomentMatrix
from ..data.powers_of_two import ORDINARY, PowersOfTwo
from ..objective.losses import Loss
from ..objective.penalties import Penalty
from ..solvers.base import SQUARED, Bound, Settings, Target
from ..solvers.registry import choose


@dataclass(frozen=True)
class Problem:
    """What is fitted, and how.

    `alpha_of` says what the user's alpha is weighed against: the "mean" of the losses, or their
    "sum" as in Ridge, whose alpha is ``alpha / sum(sample_weight)`` of the engine. `relax` is the
    share of the penalised fit in a relaxed one, see `relaxed.py`, and `adaptive` the exponent of
    the factors that a first fit gives, see `adaptive.py`.
    """

    penalty: Penalty
    loss: Loss = SQUARED
    fit_intercept: bool = True
    standardize: bool = False
    alpha_of: str = "mean"
    solver: str = "auto"
    settings: Settings = field(default_factory=Settings)
    relax: float | None = None
    adaptive: float | None = None

    @property
    def l1_ratio(self) -> float | None:
        """Mixing of the penalty; None of Ridge, whose alpha is weighed against a sum of squares."""
        return None if self.alpha_of == "sum" and self.loss.quadratic else self.penalty.l1_ratio

    def solver_at(self, alpha: float) -> str:
        """The solver that is used at an alpha of the user's.

        Raises
        ------
        ValueError
            If the one asked for does not take the penalty or the loss.
        """
        return choose(self.solver, self.penalty.at(alpha), self.loss).name

    def bind(
        self,
        X: Any,
        y: Array,
        sample_weight: Array | None = None,
        powers: PowersOfTwo = ORDINARY,
        offset: Array | None = None,
    ) -> BoundProblem:
        """The problem on data.

        Parameters
        ----------
        X : ndarray or sparse matrix of shape (n_samples, n_features), float32 or float64
        y : ndarray of shape (n_samples,) or (n_samples, n_targets), float64
        sample_weight : ndarray of shape (n_samples,), optional
        powers : PowersOfTwo
            What brings the data to order one; y of the squared error alone has a unit.
        offset : ndarray of shape (n_samples,), or of y's where its columns are coupled, optional
            What is added to the linear predictor in each row, in units of order one.

        Raises
        ------
        ValueError
            If the loss is not made for y.
        """
        X, y, sample_weight = powers.scaled(X, y, sample_weight)
        if self.loss.of_unit and offset is not None:  # a matter of their distance
            y, offset = (y.T - offset).T, None
        if not self.loss.quadratic:
            self.loss.check_target(y)
        design = design_of(
            X,
            sample_weight,
            center=self.fit_intercept,
            standardize=self.standardize,
            few_products=self.penalty.l1_ratio == 0 and y.ndim == 2,  # one of matrices tells all
        )
        target = Target.build(design, y, offset)
        return self.on(design, target, sample_weight, y.ndim == 1, powers)

    def bind_moments(
        self,
        moments: MomentMatrix,
        n_samples: int,
        powers: PowersOfTwo = ORDINARY,
        dtype: Any = np.float64,
    ) -> BoundProblem:
        """The problem on so many rows of which nothing is at hand but their moments.

        Solvers that need rows are refused. `dtype` is that of coefficients.
        """
        moments = powers.scaled_moments(moments)
        design, correlations, mean, squares = MomentsDesign.of(
            moments, n_samples, center=self.fit_intercept, standardize=self.standardize
        )
        design.dtype = dtype
        rows = np.empty((0, len(mean)))
        target = Target(rows, rows, mean, squares, correlations)
        bound = self.on(design, target, None, len(mean) == 1, powers)
        return replace(bound, total_weight=moments.weight)

    def on(
        self,
        design: Design,
        target: Target,
        sample_weight: Array | None,
        one_target: bool,
        powers: PowersOfTwo = ORDINARY,
    ) -> BoundProblem:
        """The problem on a design and a target that exist already, both of order one."""
        if self.adaptive is not None and target.raw.shape[1] > 1:
            raise ValueError("adaptive takes one target: fit them one by one")
        penalty = self.penalty.for_targets(target.raw.shape[1])
        own, exponent = powers.penalty(penalty, self.standardize, self.alpha_of == "sum")
        exponent += (2 - self.loss.degree) * powers.target
        return BoundProblem(
            design=design,
            target=target,
            penalty=_of_coefficients(own, design),
            loss=self.loss,
            problem=self,
            own_penalty=own,
            alpha_exponent=exponent,
            sample_weight=sample_weight,
            one_target=one_target,
            powers=powers,
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class BoundProblem(Bound):
    """A problem on its data: what a solver is given, and how the user reads it.

    Attributes
    ----------
    problem : Problem
    own_penalty : Penalty
        In units of the design's X, where `penalty` is in those of its coefficients: they differ
        where features are scaled.
    alpha_exponent : int
        The engine's alphas are the user's times a power of two, where the data are not the user's.
    sample_weight : ndarray of shape (n_samples,) or None
    total_weight : float or None
        The sum of the row weights where there are no rows.
    one_target : bool
        Whether y had one dimension.
    powers : PowersOfTwo
        What takes results back to the user's units.
    parts : tuple of BoundProblem
        One a target, which are fitted in its place, where rows weigh another amount in each.
    """

    problem: Problem
    own_penalty: Penalty
    alpha_exponent: int
    sample_weight: Array | None
    one_target: bool
    powers: PowersOfTwo
    total_weight: float | None = None
    parts: tuple[BoundProblem, ...] = ()

    def with_problem(self, problem: Problem) -> BoundProblem:
        """Another problem, of the same centring and scaling, on the same data."""
        data = self.design, self.target, self.sample_weight, self.one_target
        made = problem.on(*data, self.powers)
        parts = tuple(part.with_problem(problem) for part in self.parts)
        kept: Any = {"total_weight": self.total_weight, "passes": self.passes}
        return replace(made, parts=parts, **kept)

    def with_settings(self, **changed: Any) -> BoundProblem:
        """The same with these settings changed."""
        settings = replace(self.problem.settings, **changed)
        parts = tuple(part.with_settings(**changed) for part in self.parts)
        return replace(self, problem=replace(self.problem, settings=settings), parts=parts)

    def with_problem_of(self, other: BoundProblem) -> BoundProblem:
        """The problem of another bound one, of the same centring and scaling, on these data."""
        return replace(
            self,
            problem=other.problem,
            own_penalty=other.own_penalty,
            alpha_exponent=other.alpha_exponent,
            penalty=_of_coefficients(other.own_penalty, self.design),
            parts=tuple(part.with_problem_of(other) for part in self.parts),
        )

    def with_data(
        self, design: Design, target: Target, sample_weight: Array | None
    ) -> BoundProblem:
        """The same problem on other rows of the same scale; its results stay in that scale."""
        return replace(
            self,
            design=design,
            target=target,
            penalty=_of_coefficients(self.own_penalty, design),
            sample_weight=sample_weight,
            powers=ORDINARY,
        )

    @property
    def couples_targets(self) -> bool:
        """Whether the targets make one problem, by the loss or by the penalty."""
        return self.loss.couples_targets or self.problem.penalty.couples_targets

    def for_target(self, k: int) -> BoundProblem:
        """The problem of one of several targets."""
        return replace(self, target=self.target.of(k), one_target=True)

    def of_features(self, index: Index) -> BoundProblem:
        """The problem on some of the features alone."""
        whole, correlations = self.target, None
        if self.loss.quadratic:
            correlations = self.correlations[index]
        return replace(
            self,
            design=self.design.of_features(index),
            target=replace(whole, correlations=correlations),
            penalty=self.penalty.take(index),
            own_penalty=self.own_penalty.take(index),
            powers=self.powers.of_features(index),
        )

    def engine_alphas(self, alphas: Array) -> Array:
        """The engine's alphas from the user's; those above zero stay so."""
        alphas = alphas * self._share
        if not self.alpha_exponent:
            return alphas
        scaled = np.clip(np.ldexp(alphas, self.alpha_exponent), 2.0**-1000, 2.0**1000)
        return np.where(alphas > 0, scaled, 0.0)

    def user_alphas(self, alphas: Array) -> Array:
        """The user's alphas from the engine's."""
        given = np.ldexp(alphas / self._share, -self.alpha_exponent)
        if not (np.all(np.isfinite(given)) and np.all(given >= np.finfo(np.float64).tiny)):
            raise ValueError(
                "the alphas that suit the data are beyond the range of floating point: scale X or"
                " y, or give alphas"
            )
        return given

    @property
    def weights(self) -> Array:
        """Row weights, ones where there are none."""
        given = self.sample_weight
        return np.ones(self.design.n_samples) if given is None else given

    @property
    def _share(self) -> float:
        """What the loss is divided by."""
        if self.problem.alpha_of == "mean":
            return 1.0
        weight, total = self.sample_weight, self.total_weight
        if total is None:
            total = self.design.n_samples if weight is None else weight.sum()
        return 1.0 / float(total)


def _of_coefficients(own: Penalty, design: Design) -> Penalty:
    """Bounds in the units of the design's coefficients."""
    if design.inv_scale is None:
        return own
    return own.with_units(design.from_raw(np.ones(design.n_features)))
