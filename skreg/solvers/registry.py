"""The registry of solvers: what each one takes, and which one "auto" means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..data.design import Array
from ..objective.group import ScaledGroupPenalty
from ..objective.losses import (
    Gamma,
    Huber,
    Logistic,
    Loss,
    Multinomial,
    Poisson,
    ScaledHuber,
    SquaredError,
    SquaredHinge,
    Tweedie,
)
from ..objective.penalties import ScaledPenalty
from .base import SQUARED, Bound, Settings, Solution, SolveFunction
from .group import path as group
from .newton import batched_classes, batched_newton, by_passes, few_features, scaled_newton
from .quadratic import auto, coordinate_descent
from .ridge import solvers as ridge


def none_at_once(bound: Bound, alphas: Array, start: Array, settings: Settings) -> Solution | None:
    """Of methods that take one alpha after another."""
    return None


@dataclass(frozen=True)
class Solver:
    """A method, and the losses, penalties and designs it takes.

    `at_once` gives the solutions of one target at several alphas, the first or all of a path, as a
    `Solution` that has them on the first axis of each attribute; None where it cannot.
    """

    name: str
    solve: SolveFunction
    takes_l1: bool = False
    takes_bounds: bool = False
    needs_rows: bool = True
    penalties: tuple[type, ...] = (ScaledPenalty,)
    losses: tuple[type, ...] = (SquaredError,)
    at_once: Callable[[Bound, Array, Array, Settings], Solution | None] = none_at_once

    def refusal(
        self,
        penalty: ScaledPenalty,
        loss: Loss = SQUARED,
        has_rows: bool = True,
        asked: str | None = None,
    ) -> str | None:
        """Why this solver cannot take the penalty, the loss or the design, or None.

        `asked` is the name by which the user asked for it.
        """
        name = asked or self.name
        if self.needs_rows and not has_rows:
            return f"solver={name!r} needs the rows of X, of which only moments are left"
        if not isinstance(loss, self.losses):
            return f"solver={name!r} does not support the loss {loss.name!r}"
        if not isinstance(penalty, self.penalties):
            return f"solver={name!r} does not support the penalty {type(penalty).__name__}"
        lacks = self._lacks(penalty)
        if not lacks:
            return None
        serving = [one for one in SOLVERS.values() if one._serves_what(self)]
        *others, last = [repr(one.name) for one in serving if not one._lacks(penalty)]
        use = f"use {', '.join(others)} or {last}"
        return f"solver={name!r} does not support {' or '.join(lacks)}; {use}"

    def _serves_what(self, other: Solver) -> bool:
        """Whether another one is made for the same losses and kinds of penalty."""
        return (self.losses, self.penalties) == (other.losses, other.penalties)

    def _lacks(self, penalty: ScaledPenalty) -> list[str]:
        """What the penalty has and this solver does not take."""
        lacks = []
        if not self.takes_l1 and penalty.has_l1:
            lacks.append("an L1 penalty")
        if not self.takes_bounds and penalty.has_bounds:
            lacks.append("positive coefficients or other bounds")
        return lacks


SMOOTH = Logistic, Poisson, Gamma, Tweedie, Huber, SquaredHinge

SOLVERS = {
    solver.name: solver
    for solver in (
        Solver("auto", auto.solve, takes_l1=True, takes_bounds=True, needs_rows=False),
        Solver("cd", coordinate_descent.solve, takes_l1=True, takes_bounds=True, needs_rows=False),
        Solver("closed_form", ridge.solve, needs_rows=False),
        Solver("cholesky", ridge.solve_cholesky),
        Solver("svd", ridge.solve_svd),
        Solver("lsqr", ridge.solve_lsqr),
        Solver("sparse_cg", ridge.solve_cg),
        Solver("lbfgs", ridge.solve_lbfgs, takes_bounds=True),
        Solver(
            "newton",
            batched_newton.solve,
            takes_l1=True,
            takes_bounds=True,
            losses=(SquaredError, *SMOOTH),
            at_once=few_features.path_at_once,
        ),
        Solver(
            "newton_scale",
            scaled_newton.solve,
            takes_l1=True,
            takes_bounds=True,
            losses=(ScaledHuber,),
        ),
        Solver(
            "newton_classes",
            batched_classes.solve,
            takes_l1=True,
            takes_bounds=True,
            losses=(Multinomial,),
        ),
        Solver(
            "newton_passes",
            by_passes.solve,
            takes_l1=True,
            takes_bounds=True,
            needs_rows=False,
            losses=(*SMOOTH, Multinomial),
        ),
        *(
            Solver(
                name,
                solve,
                takes_l1=True,
                needs_rows=False,
                penalties=(ScaledGroupPenalty,),
            )
            for name, solve in (("group", group.solve), ("group_cd", group.solve_by_descent))
        ),
    )
}

NEWTON_SOLVERS = tuple(solver for name, solver in SOLVERS.items() if name.startswith("newton"))


def choose(
    name: str, penalty: ScaledPenalty, loss: Loss = SQUARED, has_rows: bool = True
) -> Solver:
    """The solver called `name` for this penalty and loss, and a design that has rows or none.

    "auto" is Newton's method for any loss but the squared error: "newton_classes" where targets are
    coupled, "newton_scale" where the loss has a scale, "newton_passes" where there are no rows.
    With the squared error, where the penalty couples the targets, it is "group"; else the closed
    form without an L1 part and bounds, coordinate descent with bounds alone, and with an L1 part
    what `quadratic/auto.py` chooses. A Gram matrix without rows is left to coordinate descent where
    there is a penalty. Without any penalty the answer may not be unique: the closed form then gives
    the least squares of minimum norm, whatever the name.

    Raises
    ------
    ValueError
        If the solver does not take the penalty, the loss or the design.
    """
    asked, smooth = name, not penalty.has_l1 and not penalty.has_bounds
    if name == "auto" and not loss.quadratic:
        serving = (one for one in NEWTON_SOLVERS if has_rows or not one.needs_rows)
        name = next((one.name for one in serving if isinstance(loss, one.losses)), "newton")
    if penalty.couples_targets and name in ("auto", "cd"):
        name = "group" if name == "auto" else "group_cd"
    unpenalised = loss.quadratic and smooth and penalty.vanishes
    closed = smooth and (has_rows or unpenalised)
    if name == "auto" or (name in ("cd", "lbfgs") and unpenalised):
        name = "auto" if penalty.has_l1 else "closed_form" if closed else "cd"
    if name not in SOLVERS:
        raise ValueError(f"solver={name!r} fits one alpha only; use 'auto' for a path")
    solver = SOLVERS[name]
    refusal = solver.refusal(penalty, loss, has_rows, asked)
    if refusal is not None:
        raise ValueError(refusal)
    return solver
