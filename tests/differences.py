"""Central differences, to hold gradients against."""

from collections.abc import Callable
from typing import Any

import numpy as np


def slopes(function: Callable[[], float], at: np.ndarray, step: float = 5e-6) -> np.ndarray:
    """Gradient of `function` in the entries of `at`, which it reads and which is put back."""
    found = np.empty_like(at)
    for index in np.ndindex(at.shape):
        held = at[index]
        at[index] = held + step
        above = function()
        at[index] = held - step
        below = function()
        at[index] = held
        found[index] = (above - below) / (2 * step)
    return found


def agree(gradient: Any, function: Callable[[], float], at: np.ndarray, rtol: float = 1e-6) -> None:
    """Hold a gradient against differences, relative to its largest entry."""
    expected = slopes(function, at)
    unit = np.abs(expected).max()
    assert unit > 0
    np.testing.assert_allclose(gradient, expected, rtol=rtol, atol=rtol * unit)
