"""The history of a training: what can be drawn of it, and what it says in one sentence or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

# What each panel shows, by the names of the history.
PANELS = {
    "loss": ("loss", "objective", "validation_loss"),  # the objective where there is no loss
    "score": ("validation_score",),
    "learning_rate": ("learning_rate",),
}

FEWEST_EPOCHS = 5  # fewer say nothing
OVERFITTING = 0.05  # above its best, as a share of it, in all of the last tenth of the epochs
STILL_FALLING = 0.02  # in the last tenth of the epochs, as a share of the loss
REMAINING = 0.01  # of the loss after the first epoch
GAP = 2.0  # validation loss over training loss


def fit_note(
    training: Array, validation: Array | None, restored_epoch: int | None, epochs: str
) -> str:
    """Say which of three things the losses show, the first that holds.

    - Over-fitting: the validation loss has stayed more than 5% above its best since, while the
      training loss fell.
    - Under-fitting: both fell to the end, that of validation by more than 2% in the last tenth of
      the epochs, and more than a hundredth of what it was after the first epoch is left of it.
    - Over-fitting: at the epoch whose weights the model has (the restored one, or else the last),
      the validation loss is more than twice the training loss.

    Parameters
    ----------
    training, validation : ndarray of shape (n_epochs,)
        Losses. Nothing is said without those of validation, up to the end, nor where one that
        counts is not positive: there is no ratio then.
    restored_epoch : int or None
        Counted from 1.
    epochs : str
        What to call them.
    """
    n = len(training)
    if validation is None or n < FEWEST_EPOCHS or not np.isfinite(training).all():
        return ""
    n_last = max(2, n // 10)
    if not np.isfinite(validation[-n_last - 1 :]).all():
        return ""
    best = int(np.nanargmin(validation))
    lowest = validation[best]
    if lowest <= 0 or training.min() <= 0:
        return ""
    if validation[-n_last:].min() > (1 + OVERFITTING) * lowest and training[-1] < training[best]:
        return (
            f"over-fitting after {epochs} {best + 1}: validation loss {lowest:.3g} to"
            f" {validation[-1]:.3g}, training {training[best]:.3g} to {training[-1]:.3g}"
        )
    before = validation[-n_last - 1]
    to_the_end = best >= n - n_last and training[-1] < training[-n_last - 1]
    much_left = validation[-1] > REMAINING * validation[0]
    if to_the_end and much_left and validation[-1] < (1 - STILL_FALLING) * before:
        return (
            f"under-fitting: in the last {n_last} {epochs}s the validation loss still fell from"
            f" {before:.3g} to {validation[-1]:.3g}"
        )
    kept = (restored_epoch or n) - 1
    if validation[kept] > GAP * training[kept]:
        return (
            f"over-fitting: at {epochs} {kept + 1} the validation loss {validation[kept]:.3g} is"
            f" {validation[kept] / training[kept]:.1f} times the training loss"
        )
    return ""


def columns(history: Mapping[str, ArrayLike]) -> dict[str, Array]:
    """Take what can be drawn: arrays of one length with a number in them."""
    found: dict[str, Array] = {}
    for names in PANELS.values():
        for name in names:
            values = np.asarray(history.get(name, []), dtype=np.float64)
            if values.ndim != 1:
                raise ValueError(f"{name} must have shape (n_epochs,), got {values.shape}")
            if np.isfinite(values).any():
                found[name] = np.where(np.isfinite(values), values, np.nan)
    if "loss" in found:
        found.pop("objective", None)
    if len({len(values) for values in found.values()}) > 1:
        lengths = ", ".join(f"{name} {len(values)}" for name, values in found.items())
        raise ValueError(f"the history's arrays differ in length: {lengths}")
    if not found.keys() & {"loss", "objective"}:
        raise ValueError('the history has no numbers under "loss" or "objective"')
    return found


def panels_of(wanted: Sequence[str] | str, data: dict[str, Array]) -> list[str]:
    """Check the panels asked for."""
    there = [panel for panel, names in PANELS.items() if any(name in data for name in names)]
    if isinstance(wanted, str):
        if wanted != "all":
            raise ValueError(f'panels={wanted!r} is unknown: give "all" or a sequence of names')
        return there
    if not wanted:
        raise ValueError("panels is empty")
    for panel in wanted:
        if panel not in PANELS:
            raise ValueError(f"panel {panel!r} is unknown: choose from {', '.join(PANELS)}")
        if panel not in there:
            raise ValueError(f"panel {panel!r} has nothing to show: the history has no numbers")
    return list(wanted)
