"""The first fit of the adaptive Lasso, at the alpha that a cross-validation of it has chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..paths.adaptive import with_factors
from ..paths.fit_path import fit_path
from ..paths.problem import BoundProblem


class Pilot(NamedTuple):
    """Problems on all rows without factors, which of them the first fit is of, its alpha, gamma."""

    problems: Sequence[BoundProblem]
    best: int
    alpha: float
    gamma: float

    def adapted(self, rows: BoundProblem | None = None) -> list[BoundProblem]:
        """The problems on all rows with the factors of a fit on them, or on the rows of a fold."""
        own = self.problems[self.best]
        trained = own if rows is None else rows.with_problem_of(own)
        coefs = fit_path(trained, np.array([self.alpha])).coefs
        if rows is not None:  # whose results are in the units of the engine
            coefs = own.powers.coefficients(coefs)
        made = (coefs[:, 0], self.gamma, trained.design)
        return [with_factors(one, *made) for one in self.problems]
