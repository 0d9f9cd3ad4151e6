"""Neural networks: what is trained, the cells, and when a training counts as one.

Every library trains the same net on the same rows: relu, Adam at its defaults, the same number of
epochs in shuffled batches, no stopping before. The clock counts steps alone: it is the time of a
long fit less that of one of a single epoch, so that what happens once a fit does not count. With
one thread it is the processor's time, which other work on the machine does not add to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from time import perf_counter, process_time
from typing import Any

import numpy as np

CLASSES = 10
STEPS = 100  # in an epoch: what is done once an epoch is shared by as many as on real data
ALPHA = 1e-4  # of the penalty alpha/2 ||W||², which each library has in its own way


@dataclass(frozen=True)
class Net:
    """Hidden layers, rows in a batch, dropout after each hidden layer, epochs of the long fit."""

    hidden: tuple[int, ...]
    batch: int
    dropout: float = 0.0
    epochs: int = 2

    @property
    def word(self) -> str:
        return f"{'-'.join(map(str, self.hidden))},{self.batch},{self.dropout!r},{self.epochs}"

    @classmethod
    def read(cls, word: str) -> Net:
        hidden, batch, dropout, epochs = word.split(",")
        sizes = tuple(int(size) for size in hidden.split("-"))
        return cls(sizes, int(batch), float(dropout), int(epochs))

    @property
    def steps(self) -> int:
        """Steps that the clock counts: those of the long fit but its first epoch."""
        return STEPS * (self.epochs - 1)

    def shrunk(self) -> Net:
        """For the few rows that are trained on before the clock runs."""
        return replace(self, batch=min(self.batch, 20), epochs=2)


# features, hidden layers, batch, epochs: the more of them the shorter a step
NETS = (
    (20, (64, 64), 32, 31),
    (20, (64, 64), 200, 16),
    (784, (100,), 200, 4),
    (784, (512, 512), 128, 2),
    (784, (1000,), 64, 2),
    (784, (1000,), 200, 2),
)


def cells() -> Iterator[tuple[str, str, int, Net]]:
    """Name, name of the cell without dropout ("" where it has none), features and net."""
    for features, hidden, batch, epochs in NETS:
        sizes = ",".join(map(str, hidden))
        plain = f"{features}-({sizes})-{CLASSES} batch {batch}"
        net = Net(hidden, batch, 0.0, epochs)
        yield plain, "", features, net
        yield f"{plain}, dropout 0.5", plain, features, replace(net, dropout=0.5)


def rows(features: int, net: Net, rng: np.random.Generator) -> tuple[Any, Any]:
    """Gaussian X in C order, and classes that a linear map of X and some noise decide on."""
    n = STEPS * net.batch
    X = rng.standard_normal((n, features))
    scores = X @ rng.standard_normal((features, CLASSES)) / np.sqrt(features)
    y = np.argmax(scores + 0.1 * rng.standard_normal(scores.shape), axis=1)
    y[:CLASSES] = np.arange(CLASSES)  # every class is there
    return X, y.astype(float)


def shortfall(y: Any, probabilities: Any) -> float:
    """0 where a net has learned: its log-loss is at most 0.9 times that of equal probabilities.

    A library that trains wrongly, or not at all, gets what is missing.
    """
    chosen = np.maximum(probabilities[np.arange(len(y)), y.astype(int)], 1e-12)
    return float(max(-np.mean(np.log(chosen)) / (0.9 * np.log(CLASSES)) - 1, 0.0))


def clock(threads: int) -> Callable[[], float]:
    """The processor's with one thread, else the wall's."""
    return process_time if threads == 1 else perf_counter


def seconds(train: Callable[[int], Any], epochs: int, threads: int) -> tuple[Any, float]:
    """What ``train(epochs)`` returns, and its time less the least of three of ``train(1)``.

    The least, since a short fit that something else delayed would make the long one look fast.
    """
    now = clock(threads)

    def timed(number: int) -> tuple[Any, float]:
        start = now()
        trained = train(number)
        return trained, now() - start

    short = min(timed(1)[1] for _ in range(3))
    trained, long = timed(epochs)
    return trained, max(long - short, 1e-9)
