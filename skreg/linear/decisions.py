"""From linear predictors of classes to a class, or to probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..objective.losses import Loss


def most_probable(classes: NDArray[Any], eta: NDArray[Any]) -> NDArray[Any]:
    """The most probable class of each row, of the log-odds of the second of two or one a class."""
    return classes[(eta > 0).astype(np.intp) if eta.ndim == 1 else eta.argmax(axis=1)]


def probabilities(loss: Loss, eta: NDArray[Any]) -> NDArray[Any]:
    """The probability of each class from the linear predictors of a model of classes."""
    found = loss.inverse_link(eta)
    if eta.ndim == 2:
        return found
    # Not one less the other, which has few digits where it is small.
    return np.stack([loss.inverse_link(-eta), found], axis=1)
