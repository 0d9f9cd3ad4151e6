"""The warnings of the linear models; each says what to do."""

from __future__ import annotations

from collections.abc import Sequence

from sklearn.exceptions import ConvergenceWarning

from ..cross_validation import CVResult
from ..fitting import warn as warn


def warn_unconverged(
    who: str, gap: float, tol: float, n_iter: int | None = None, *, tunable: bool = True
) -> None:
    """The one warning about convergence; `tunable` where there are `max_iter` and `tol`."""
    after = "" if n_iter is None else f" after {n_iter} iterations"
    advice = "check the scale of the features"
    if tunable:
        advice = f"increase the number of iterations (max_iter), {advice} or accept a larger tol"
    warn(
        f"Objective did not converge. You might want to {advice}: {who} reached a"
        f" duality gap of {gap:.3e}{after}, tolerance: {tol:.3e} (both relative to the weighted"
        " mean square of the centered target).",
        ConvergenceWarning,
    )


def warn_edge(who: str, results: Sequence[CVResult]) -> None:
    """Say, once, that the best alpha may lie outside the grid, and what to do."""
    for result in results:
        edge = result.edge
        if edge is None:
            continue
        if edge == "smallest":
            hint, advice = "smaller", "pass alphas that reach further down"
            advice += "" if who == "RidgeCV" else ", or a smaller eps"
        else:
            hint, advice = "larger", "pass larger alphas, or take it that no feature helps"
        warn(
            f"{who}: the best alpha, {result.alpha_min:.4g}, is the {edge} of the grid, so a"
            f" {hint} one may be better: {advice}."
        )
        return
