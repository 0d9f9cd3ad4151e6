"""Models of counts and amounts of any library: the deviance that they minimise."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np
from sklearn.metrics import mean_tweedie_deviance
from sklearn.pipeline import Pipeline

from .scores import Metric, Predictions

_BY_CLASS = {"PoissonRegressor": 1.0, "GammaRegressor": 2.0}
_BY_LOSS = {"poisson": 1.0, "gamma": 2.0}  # of networks and boosted trees
_DEVIANCES = {1.0: "mean Poisson deviance", 2.0: "mean gamma deviance"}


def power_of(estimator: Any) -> float:
    """The power of the Tweedie deviance that a regressor minimises, 0 where it is another loss.

    1 is Poisson's, 2 gamma's. Behind a transformed target it is of that, and does not count.
    """
    while True:
        if isinstance(estimator, Pipeline):
            estimator = estimator.steps[-1][1]
        elif hasattr(estimator, "estimator") and hasattr(estimator, "fit"):
            estimator = estimator.estimator
        else:
            break
    kinds = {kind.__name__.removesuffix("CV") for kind in type(estimator).__mro__}
    if "TweedieRegressor" in kinds:
        return float(estimator.power)
    own = [power for kind, power in _BY_CLASS.items() if kind in kinds]
    return own[0] if own else _BY_LOSS.get(str(getattr(estimator, "loss", None)), 0.0)


def deviances(powers: Iterable[float]) -> list[Metric]:
    """The deviances that models of such powers minimise, each once."""
    return [
        Metric(
            _DEVIANCES.get(power, f"mean Tweedie deviance (power {power:g})"),
            False,
            partial(_deviance, power),
        )
        for power in sorted(set(powers) - {0.0})
    ]


def _deviance(power: float, held: Predictions) -> float:
    """The mean deviance, which is not defined where a mean is not above zero."""
    y, predicted = np.asarray(held.y, dtype=float), held.predicted
    if not (np.isfinite(predicted).all() and (predicted > 0).all()):
        return np.nan
    if (y < 0).any() or (power >= 2 and (y == 0).any()):
        return np.nan
    return float(mean_tweedie_deviance(y, predicted, power=power))
