"""All losses; each that is a sum over the rows by its name."""

from __future__ import annotations

from .base import Loss, Scale
from .classification import Logistic, Multinomial, SquaredHinge
from .distances import AbsoluteError, Huber, Quantile, SquaredError
from .log_link import Gamma, Poisson, Tweedie
from .scaled_huber import ScaledHuber

__all__ = [
    "LOSSES",
    "AbsoluteError",
    "Gamma",
    "Huber",
    "Logistic",
    "Loss",
    "Multinomial",
    "Poisson",
    "Quantile",
    "Scale",
    "ScaledHuber",
    "SquaredError",
    "SquaredHinge",
    "Tweedie",
]

LOSSES: dict[str, type[Loss]] = {
    loss.name: loss
    for loss in (
        SquaredError,
        AbsoluteError,
        Huber,
        Quantile,
        Poisson,
        Gamma,
        Tweedie,
        Logistic,
        Multinomial,
        SquaredHinge,
    )
}
