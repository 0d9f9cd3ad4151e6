"""Penalties that spare large coefficients: the adaptive Lasso, MCP and SCAD, as parameters."""

from __future__ import annotations

import numbers
from typing import Any

from sklearn.utils._param_validation import Interval, StrOptions

from ..estimators.parameters import parameter, with_parameters
from ..objective.losses import Loss
from ..objective.nonconvex import CONCAVE, ConcavePenalty
from ..objective.penalties import Penalty


@with_parameters
class ReweightedParameters:
    """Of estimators with an L1 part that may be weighted by coefficients."""

    adaptive: float | None = parameter(
        default=None,
        constraint=[Interval(numbers.Real, 0, None, closed="neither"), None],
        kind="float or None",
        meaning="""
        The adaptive Lasso: the exponent gamma, usually 1, of penalty factors ``1 / |w_j|^gamma``
        from the coefficients w of a first fit without them, times `penalty_factor`. Zeros of that
        fit stay out. It has the same alpha, with cross-validation the one that all folds choose for
        it, and is made anew on the training rows of each fold: of the rows held out the factors
        know nothing but that alpha. With `standardize` w is of the standardized features. It takes
        one target, and no more than two classes.
        """,
    )
    concave: str | None = parameter(
        default=None,
        constraint=[StrOptions(set(CONCAVE)), None],
        kind='{"mcp", "scad"} or None',
        meaning="""
        A concave penalty in place of the L1 part, which spares large coefficients: MCP or SCAD. It
        is not convex: what is found is a stationary point, that which local linear approximation
        leads to from the solution with the L1 part, and a better one may exist. It bears on
        coefficients by their size: give features one unit, as `standardize` does. It takes no
        more than two classes.
        """,
    )
    concavity: float | None = parameter(
        default=None,
        constraint=[Interval(numbers.Real, 1, None, closed="neither"), None],
        kind="float or None",
        meaning="""
        Where the concave penalty ends, as a multiple of its slope at zero, ``alpha * l1_ratio``
        times the factor, with alpha in the unit of the mean loss: gamma of MCP, above 1, or a of
        SCAD, above 2. The larger, the nearer to the L1 part. None is 3 for MCP and 3.7 for SCAD.
        """,
    )


def reweighted(parameters: Any, penalty: Penalty, loss: Loss) -> tuple[Penalty, float | None]:
    """A penalty bent as the parameters say, and the exponent of adaptive factors.

    Raises
    ------
    ValueError
        If the parameters do not go together, or with the penalty or the loss.
    """
    adaptive = getattr(parameters, "adaptive", None)
    concave, a = getattr(parameters, "concave", None), getattr(parameters, "concavity", None)
    if concave is None and a is not None:
        raise ValueError("concavity belongs to a concave penalty: set concave, or leave it at None")
    if adaptive is None and concave is None:
        return penalty, None
    name = "adaptive" if concave is None else "concave"
    if adaptive is not None and concave is not None:
        raise ValueError("adaptive and concave are two ways to one end: set one of them")
    if penalty.l1_ratio == 0.0:
        raise ValueError(f"{name} needs an L1 part, and l1_ratio is 0: set it above 0")
    if loss.couples_targets:
        raise ValueError(
            f"{name} takes two classes: for more wrap the model in"
            " sklearn.multiclass.OneVsRestClassifier"
        )
    if concave is None:
        assert adaptive is not None
        return penalty, float(adaptive)
    kind = CONCAVE[concave]
    shape = kind(float(kind.usual if a is None else a))
    if not shape.a > kind.above:
        raise ValueError(f"concavity must be above {kind.above:g} with {concave!r}, got {a}")
    return ConcavePenalty.of(penalty, shape), None
