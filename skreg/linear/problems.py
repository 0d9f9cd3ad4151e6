"""From the parameters of an estimator to the problem that it solves, and its grid of alphas."""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from ..data.products import Array
from ..estimators.runtime import warn
from ..estimators.validation import (
    numeric,
    ordered_by_name,
    refuse_booleans,
    refuse_masked,
    refuse_sparse,
    unwrap,
)
from ..objective.losses import Loss
from ..objective.penalties import Penalty
from ..paths.grid import DEFAULT_EPS, alpha_grid
from ..paths.problem import BoundProblem, Problem
from ..solvers.base import SQUARED, Settings
from .reweighting import reweighted


def elastic_net_problem(
    parameters: Any, columns: Sequence[Any], l1_ratio: float, kind: type[Penalty] = Penalty
) -> Problem:
    """The problem of an estimator with an L1 part, for an X with these columns."""
    precompute: Any = parameters.precompute
    if not isinstance(precompute, (str, bool, np.bool_)):
        precompute = True
    elif parameters.solver == "auto":
        precompute = "auto"
    seed = None
    if parameters.selection == "random":
        seed = int(check_random_state(parameters.random_state).randint(np.iinfo(np.int32).max))
    penalty = penalty_of(parameters, columns, l1_ratio, kind)
    penalty, adaptive = reweighted(parameters, penalty, SQUARED)
    return Problem(
        penalty=penalty,
        fit_intercept=parameters.fit_intercept,
        standardize=parameters.standardize,
        adaptive=adaptive,
        solver=parameters.solver,
        settings=Settings(
            tol=float(parameters.tol),
            max_iter=parameters.max_iter or 1000,
            seed=seed,
            precompute=precompute,
        ),
    )


def ridge_problem(
    parameters: Any,
    columns: Sequence[Any],
    solver: str = "auto",
    tol: float = 1e-4,
    max_iter: int | None = None,
) -> Problem:
    """The problem of a Ridge-like estimator."""
    return Problem(
        penalty=penalty_of(parameters, columns, l1_ratio=0.0),
        fit_intercept=parameters.fit_intercept,
        standardize=parameters.standardize,
        alpha_of="sum",
        solver=solver,
        settings=Settings(tol=float(tol), max_iter=max_iter or 15000),
    )


def smooth_problem(
    parameters: Any, columns: Sequence[Any], loss: Loss, l1_ratio: float, alpha_of: str = "mean"
) -> Problem:
    """The problem of an estimator with any smooth loss."""
    penalty, adaptive = reweighted(parameters, penalty_of(parameters, columns, l1_ratio), loss)
    return Problem(
        penalty=penalty,
        loss=loss,
        fit_intercept=parameters.fit_intercept,
        standardize=parameters.standardize,
        adaptive=adaptive,
        alpha_of=alpha_of,
        settings=Settings(tol=float(parameters.tol), max_iter=parameters.max_iter),
    )


# Shares of the penalised fit that are tried where none are given, as in R glmnet.
USUAL_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
# What no feature's own value may be, and the rule.
SIGNS = {
    "penalty_factor": (np.less, "negative", "factors must be at least 0"),
    "lower_bound": (np.greater, "positive", "lower bounds must be at most 0"),
    "upper_bound": (np.less, "negative", "upper bounds must be at least 0"),
}


def penalty_of(
    parameters: Any, columns: Sequence[Any], l1_ratio: float, kind: type[Penalty] = Penalty
) -> Penalty:
    """The penalty, its per-feature parameters checked one by one."""
    given: dict[str, Any] = {}
    for name, (is_wrong, what, rule) in SIGNS.items():
        if (value := getattr(parameters, name)) is not None:
            values = given[name] = per_feature(value, name, columns)
            refuse_any(is_wrong(values, 0), name, what, rule)
    if getattr(parameters, "positive", False):
        given["lower_bound"] = 0.0
    factors, lower, upper = map(given.get, SIGNS)
    return kind.build(len(columns), l1_ratio, factors, lower, upper)


def per_feature(value: Any, name: str, columns: Sequence[Any]) -> Array:
    """A number or one number a feature, as an array; infinity is allowed, NaN is not."""
    n_features = len(columns)
    given = ordered_by_name(value, name, columns)
    array = numeric(given, name)
    if array.ndim and array.shape != (n_features,):
        raise ValueError(
            f"{name} must have one value for each of the {n_features} features, got shape"
            f" {array.shape}"
        )
    if name != "penalty_factor":  # which may be a mask
        refuse_booleans(given, name)
    array = np.broadcast_to(array, n_features)
    refuse_any(np.isnan(array), name, "NaN", "give a number")
    return array


def refuse_any(bad: NDArray[np.bool_], name: str, what: str, rule: str) -> None:
    """Refuse a parameter that is wrong for some feature, by the first of them."""
    if bad.any():
        raise ValueError(f"{name} is {what} for feature {int(np.argmax(bad))}: {rule}")


def check_alphas(alphas: Any, *, allow_zero: bool = True) -> Array:
    """A one-dimensional grid, finite and not negative, in decreasing order."""
    ready = type(alphas) is np.ndarray and alphas.dtype == np.float64 and alphas.ndim == 1
    if ready and alphas.size and np.all((alphas > 0) & (alphas < np.inf)):
        return np.sort(alphas)[::-1]
    refuse_sparse(alphas, "alphas")
    refuse_masked(alphas, "alphas", "entry")
    given = np.atleast_1d(np.asarray(alphas, dtype=object))
    if given.ndim != 1 or not given.size:
        raise ValueError(
            f"alphas must be a count or a non-empty one-dimensional array, got shape {given.shape}"
        )
    for i, alpha in enumerate(given):
        if isinstance(alpha, bool) or not isinstance(alpha, numbers.Real):
            raise TypeError(
                f"alphas[{i}] must be an instance of float, not {type(alpha).__name__}."
            )
        if not math.isfinite(alpha):
            raise ValueError(f"alphas[{i}] == {alpha}, must be finite.")
        if alpha < 0 or (alpha == 0 and not allow_zero):
            bound = ">= 0.0" if allow_zero else "> 0.0"
            raise ValueError(f"alphas[{i}] == {alpha}, must be {bound}.")
    return np.sort(given.astype(np.float64))[::-1]


def with_relax(problem: Problem, relax: Any) -> Problem:
    """The problem, relaxed where a share of the penalised fit is given."""
    if relax is None:
        return problem
    refuse_relaxed_ridge([problem])
    return replace(problem, relax=float(relax))


def shares_to_relax(relax: Any, problems: Sequence[Problem]) -> tuple[float, ...] | None:
    """The shares of the penalised fit to try, decreasing; None where no fit is relaxed."""
    if relax is False or relax is None:
        return None
    shares = np.atleast_1d(numeric(USUAL_SHARES if relax is True else relax, "relax"))
    if shares.ndim != 1 or not len(shares) or not np.all((shares >= 0) & (shares <= 1)):
        raise ValueError(
            f"relax must be a bool, a share in [0, 1] or a list of such, got {relax!r}"
        )
    if relax is not True:
        refuse_booleans(relax, "relax")
    refuse_relaxed_ridge(problems)
    return tuple(np.unique(shares)[::-1].tolist())


def refuse_relaxed_ridge(problems: Sequence[Problem]) -> None:
    """Refuse to relax where no feature is selected."""
    if not all(problem.penalty.l1_ratio for problem in problems):
        raise ValueError(
            "relax fits the features anew that the L1 penalty selects, and with an l1_ratio of 0"
            " there is none: set l1_ratio above 0, or leave out relax"
        )


def shares_of_l1(l1_ratio: Any, name: str) -> Array:
    """The L1 shares to try."""
    if type(l1_ratio) is float and 0.0 <= l1_ratio <= 1.0:
        return np.array([l1_ratio])
    ratios = np.atleast_1d(numeric(l1_ratio, name))
    if ratios.ndim != 1 or not len(ratios) or not np.all((ratios >= 0) & (ratios <= 1)):
        raise ValueError(f"{name} must be in [0, 1], or a list of such, got {l1_ratio!r}")
    refuse_booleans(l1_ratio, name)
    return ratios


def undeprecated(n_alphas: Any, alphas: Any, since: str, until: str) -> Any:
    """`alphas`, where scikit-learn took `n_alphas` and ``alphas=None`` before a version."""
    alphas = unwrap(alphas)
    if not (isinstance(n_alphas, str) and n_alphas == "deprecated"):
        warn(
            f"'n_alphas' was deprecated in {since} and will be removed in {until} of scikit-learn:"
            " pass the number of alphas as 'alphas'.",
            FutureWarning,
        )
        left_alone = alphas is None or (is_count(alphas) and alphas == 100)
        return n_alphas if left_alone else alphas
    if alphas is None:
        warn(
            f"'alphas=None' is deprecated and will be removed in {until} of scikit-learn: set"
            " 'alphas=100'.",
            FutureWarning,
        )
        return 100
    return alphas


def resolve_alphas(alphas: Any, bound: BoundProblem, eps: float = DEFAULT_EPS) -> Array:
    """A decreasing grid from a count or an array."""
    if isinstance(eps, bool) or not 0 < eps <= 1:
        raise ValueError(f"eps must be in (0, 1], got {eps}")
    if not is_count(alphas):
        return check_alphas(alphas)
    if alphas < 1:
        raise ValueError(f"alphas must be at least 1 when it is a count, got {alphas}")
    if bound.problem.alpha_of == "sum" and alphas == 1:
        warn(
            "alphas=1 is a count, so a single alpha is made from the data; for the alpha 1"
            " write alphas=[1.0], for a choice a larger count."
        )
    return alpha_grid(bound, int(alphas), eps)


def is_count(alphas: Any) -> bool:
    """Whether `alphas` is a number of alphas, which are then made from the data."""
    return not isinstance(alphas, bool) and isinstance(alphas, numbers.Integral)
