"""A penalty chosen without folds, by what the fit on all rows explains and how freely.

The criterion of a fit with the deviance D, the dispersion phi and df degrees of freedom is

    D / phi + c df,

with c = 2 (Akaike's AIC) or c = log(n) (Schwarz's BIC). The extended BIC adds ``log(C(p, df))``,
which is twice gamma = 1/2 of the logarithm of how many sets of so many features there are (Chen and
Chen, Biometrika 95(3), 2008): it is for more features than rows. Degrees of freedom of the Lasso
are its non-zero coefficients (Zou, Hastie and Tibshirani, Ann. Statist. 35(5), 2007). A row of
weight k counts as k rows.

The dispersion of counts and classes is one. That of a quantity, for the squared error the variance
of the noise, is the deviance of the fit without a penalty over its degrees of freedom; with no more
rows than features there is none to be had.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import gammaln

from ..data.products import Array
from ..objective.penalties import Penalty
from ..paths.fit_path import fit_path, with_degrees_of_freedom
from ..paths.problem import BoundProblem
from ..paths.result import PathResult
from ..solvers.null_model import null_deviances
from .result import CVResult


def information_criterion(
    bound: BoundProblem, path: PathResult, name: str, dispersion: float
) -> CVResult:
    """The criterion at each alpha of a path, as the error of a single fold.

    Parameters
    ----------
    bound : BoundProblem
        Of one target, or of several that make one problem.
    path : PathResult
        Of this problem, with degrees of freedom.
    name : {"aic", "bic", "ebic"}
    dispersion : float
        In the units of the problem.

    Returns
    -------
    CVResult
    """
    n = total_rows(bound)
    deviance, df = mean_deviances(bound, path), path.df.reshape(-1, len(path.alphas))
    coupled = bound.loss.couples_targets or bound.penalty.couples_targets
    df = df[0] if coupled else df.sum(axis=0)
    value = n * deviance / dispersion + df * (2.0 if name == "aic" else np.log(n))
    n_targets = bound.target.raw.shape[1]
    if not bound.loss.known_dispersion:  # as a likelihood has it
        in_user_s_unit = np.log(dispersion) + 2.0 * bound.powers.target * np.log(2.0)
        value += n * n_targets * (np.log(2.0 * np.pi) + in_user_s_unit)
    if name == "ebic":
        value += log_choices(*_chosen(bound, path, df))
    return CVResult(
        alphas=path.alphas,
        errors=value[:, None],
        fold_weights=np.ones(1),
        l1_ratio=bound.problem.l1_ratio,
        metric=name.upper(),
        converged=bool(path.converged.all()),
        worst_gap=float(path.dual_gaps.max()),
    )


def _chosen(bound: BoundProblem, path: PathResult, df: Array) -> tuple[float, Array]:
    """How many there are to choose from, and how many are chosen at each alpha.

    Features where the penalty is one of all their coefficients together, else coefficients.
    """
    n_features, n_targets = bound.design.n_features, bound.target.raw.shape[1]
    if not bound.problem.penalty.couples_targets:
        return float(n_features * n_targets), df
    used = path.coefs.reshape(-1, n_features, len(path.alphas)).any(axis=0)
    return float(n_features), used.sum(axis=0).astype(np.float64)


def dispersion_of(bound: BoundProblem) -> float:
    """The mean deviance of the fit without a penalty, over its degrees of freedom.

    Raises
    ------
    ValueError
        If no row is left for it.
    """
    free = replace(
        bound.problem, penalty=Penalty.build(bound.design.n_features, 0.0), solver="auto"
    )
    whole = bound.with_problem(free)
    path = with_degrees_of_freedom(fit_path(whole, np.zeros(1)), whole)
    n_targets = bound.target.raw.shape[1]
    left = total_rows(bound) - float(path.df.flat[0]) - bound.problem.fit_intercept
    if left < 0.5:
        raise ValueError(
            "the variance of the noise cannot be told from no more rows than features: pass"
            " noise_variance, such as the mean squared error of a cross-validated fit, or choose by"
            " folds with rule='min'"
        )
    return float(total_rows(bound) * mean_deviances(whole, path)[0] / (left * n_targets))


def mean_deviances(bound: BoundProblem, path: PathResult) -> Array:
    """Mean deviance at each alpha, in the units of the problem; the sum of those of targets."""
    unexplained = np.maximum(1.0 - path.dev_ratio.reshape(-1, len(path.alphas)), 0.0)
    if bound.loss.couples_targets:  # they have one
        unexplained = unexplained[:1]
    return np.asarray(null_deviances(bound)[: len(unexplained)] @ unexplained)


def total_rows(bound: BoundProblem) -> float:
    """The sum of the weights in the user's unit."""
    known = bound.total_weight
    return float(np.ldexp(bound.weights.sum() if known is None else known, bound.powers.weight))


def log_choices(p: float, k: Array) -> Array:
    """Logarithm of the number of sets of k out of p."""
    return np.asarray(gammaln(p + 1.0) - gammaln(k + 1.0) - gammaln(p - k + 1.0))
