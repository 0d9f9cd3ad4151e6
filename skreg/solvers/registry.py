"""The registry of solvers: what each one takes, and which one "auto" means."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..objective.penalties import ScaledPenalty
from .base import SolveFunction
from .quadratic import auto, coordinate_descent
from .ridge import solvers as ridge


@dataclass(frozen=True)
class Solver:
    """A method and the penalties it takes."""

    name: str
    solve: SolveFunction
    takes_l1: bool = False
    takes_bounds: bool = False

    def refusal(self, penalty: ScaledPenalty) -> str | None:
        """Why this solver cannot take the penalty, or None."""
        lacks = []
        if not self.takes_l1 and np.count_nonzero(penalty.l1):
            lacks.append("an L1 penalty")
        if not self.takes_bounds and _bounded(penalty):
            lacks.append("positive coefficients or other bounds")
        if not lacks:
            return None
        return f"solver={self.name!r} does not support {' or '.join(lacks)}; use 'auto' or 'cd'"


SOLVERS = {
    solver.name: solver
    for solver in (
        Solver("closed_form", ridge.solve),
        Solver("cholesky", ridge.solve_cholesky),
        Solver("svd", ridge.solve_svd),
        Solver("lsqr", ridge.solve_lsqr),
        Solver("sparse_cg", ridge.solve_cg),
        Solver("lbfgs", ridge.solve_lbfgs, takes_bounds=True),
        Solver("path", auto.solve, takes_l1=True, takes_bounds=True),
        Solver("cd", coordinate_descent.solve, takes_l1=True, takes_bounds=True),
    )
}


def _bounded(penalty: ScaledPenalty) -> bool:
    if not penalty.boxed:
        return False
    movable = penalty.upper > penalty.lower
    return bool(
        np.isfinite(penalty.upper[movable]).any() | np.isfinite(penalty.lower[movable]).any()
    )


def choose(name: str, penalty: ScaledPenalty) -> Solver:
    """The solver called `name` for this penalty.

    "auto" is the closed form without an L1 part and bounds, coordinate descent with bounds alone,
    and with an L1 part what `quadratic/auto.py` chooses. Without any penalty the answer may not be
    unique: whatever the name, the closed form then gives the least squares of minimum norm.

    Raises
    ------
    ValueError
        If the solver does not take the penalty.
    """
    has_l1 = np.count_nonzero(penalty.l1) > 0
    smooth = not has_l1 and not _bounded(penalty)
    unpenalised = smooth and not np.count_nonzero(penalty.l2)
    if name == "auto" or (name in ("cd", "lbfgs") and unpenalised):
        name = "closed_form" if smooth else "path" if has_l1 else "cd"
    if name not in SOLVERS:
        raise ValueError(f"solver={name!r} fits one alpha only; use 'auto' for a path")
    solver = SOLVERS[name]
    refusal = solver.refusal(penalty)
    if refusal is not None:
        raise ValueError(refusal)
    return solver
