"""The adaptive Lasso (Zou, JASA 101(476), 2006): factors from the coefficients of a first fit.

A feature's factor is ``1 / |w_j|^gamma``, times the one it has, where w is the first solution as
its penalty sees it: with standardized features their coefficients. What is zero there stays out.
The first fit is the same problem without such factors: at the same alpha for a fit there; for a
cross-validation the one that it chooses, made anew on the training rows of each fold, so that the
factors know nothing of the rows that are held out, but for the alpha of the first fit.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.design import Design
from .problem import BoundProblem


def with_factors(
    bound: BoundProblem, coef: NDArray[Any], gamma: float, design: Design
) -> BoundProblem:
    """A problem with the factors of a first fit.

    Parameters
    ----------
    bound : BoundProblem
    coef : ndarray of shape (n_features,)
        Of the first fit, on the user's scale.
    gamma : float
    design : Design
        That of the first fit, which scales features.
    """
    problem, sizes = bound.problem, np.abs(coef.astype(np.float64))
    if problem.standardize:
        scaled = design.from_raw(np.asarray(bound.powers.start(sizes)))
        sizes = np.ldexp(scaled, bound.powers.target)
    penalty, inside = problem.penalty, coef != 0
    with np.errstate(over="ignore", divide="ignore"):
        factors = penalty.factors * np.where(inside, sizes, 1.0) ** -gamma
    inside &= np.isfinite(factors)
    inside |= penalty.factors == 0
    adapted = replace(penalty, factors=np.where(inside, factors, penalty.factors)).only(inside)
    return bound.with_problem(replace(problem, penalty=adapted, adaptive=None))
