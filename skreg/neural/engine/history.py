"""What a training was like, epoch by epoch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


class History(Mapping[str, NDArray[np.float64]]):
    """A mapping from a name to an array with one entry (or one row) an epoch.

    "objective"
        Mean of the losses of the epoch's batches, as they were trained on, plus the penalty at
        its end.
    "loss"
        Training loss at the end of the epoch as a prediction has it: no dropout, noise, mixing,
        smoothing or penalty, so that it compares with the validation loss. Of at most
        ``max(500, n_samples / 20)`` rows, the same in every epoch.
    "validation_loss", "validation_score"
        On the validation data; NaN where there are none.
    "learning_rate"
        Of the epoch's last step; NaN for ``solver="lbfgs"``.
    "weight_norms"
        Frobenius norm of each weight matrix, shape (n_epochs, n_layers - 1).
    "seconds"
        Wall time of the epoch, evaluation included.
    """

    NAMES = (
        "objective",
        "loss",
        "validation_loss",
        "validation_score",
        "learning_rate",
        "weight_norms",
        "seconds",
    )

    def __init__(self) -> None:
        self._columns: dict[str, list[Any]] = {name: [] for name in self.NAMES}

    def append(self, **values: Any) -> None:
        """Add an epoch: a value for every name."""
        for name in self.NAMES:
            self._columns[name].append(values[name])

    def copy(self) -> History:
        """A copy to append to."""
        other = History()
        other._columns = {name: list(column) for name, column in self._columns.items()}
        return other

    def column(self, name: str) -> list[Any]:
        """The values of a name as a list."""
        return list(self._columns[name])

    def last(self, name: str) -> float:
        """The value of the last epoch."""
        return float(self._columns[name][-1])

    @property
    def n_epochs(self) -> int:
        """Epochs on record."""
        return len(self._columns["objective"])

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        return np.array(self._columns[name], dtype=np.float64)

    def __iter__(self) -> Iterator[str]:
        return iter(self.NAMES)

    def __len__(self) -> int:
        return len(self.NAMES)

    def __repr__(self) -> str:
        return f"History of {self.n_epochs} epochs: {', '.join(self.NAMES)}"
