"""What regularising a network does, shown on MNIST: ``python -m benchmarks.lessons --data FOLDER``.

Each lesson is a function that trains a few nets and returns what they came to, beside what is
claimed of them. The accuracy on the test set is taken once, at the end of a training: nothing is
chosen by it.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

import skreg

from .text import table


@dataclass(frozen=True, eq=False)
class Digits:
    """Images as rows of 784 values in [0, 1], float32. `quick` makes every training short."""

    X: Any
    y: Any
    X_test: Any
    y_test: Any
    quick: bool = False

    def epochs(self, number: int) -> int:
        return max(number // 10, 2) if self.quick else number


@dataclass(frozen=True)
class Row:
    """One net; accuracies in percent, the clean loss of the last epoch, seconds of the fit."""

    model: str
    epochs: int
    train: float
    test: float
    loss: float
    seconds: float
    note: str = ""


@dataclass(frozen=True)
class Claim:
    """A sentence, the figure that decides on it, and whether it holds."""

    text: str
    figure: str
    holds: bool


Result = tuple[list[Row], list[Claim]]


def train(digits: Digits, model: str, epochs: int, **options: Any) -> tuple[Row, Any]:
    """Fit for a number of epochs without any stopping; relu and Adam where not said otherwise."""
    net = skreg.MLPClassifier(
        max_iter=epochs, tol=0.0, n_iter_no_change=10**6, random_state=0, **options
    )
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the epochs are given
        net.fit(digits.X, digits.y)
    seconds = time.perf_counter() - start
    row = Row(
        model,
        epochs,
        100 * net.score(digits.X, digits.y),
        100 * net.score(digits.X_test, digits.y_test),
        float(net.history_["loss"][-1]),
        seconds,
    )
    print(f"  {model}: train {row.train:.2f}, test {row.test:.2f}  [{seconds:.0f} s]", flush=True)
    return row, net


def five_epochs(digits: Digits) -> Result:
    """A wide net is good at once."""
    row, _ = train(
        digits, "784-1000-10, batch 64", 5, hidden_layer_sizes=1000, batch_size=64, alpha=0.0
    )
    return [row], [
        Claim("five epochs reach at least 97.2%", f"{row.test:.2f}%", row.test >= 97.2),
    ]


def l2(digits: Digits) -> Result:
    """Without a penalty a net learns its training set by heart; with L2 it does not."""
    common = {"hidden_layer_sizes": 1000, "batch_size": 128, "learning_rate": "cosine"}
    epochs = digits.epochs(30)
    free, _ = train(digits, "784-1000-10, no penalty", epochs, penalty=None, **common)
    held, _ = train(digits, "784-1000-10, L2 alpha=0.0005", epochs, alpha=5e-4, **common)
    return [free, held], [
        Claim("no penalty: 100% of the training set", f"{free.train:.3f}%", free.train == 100),
        Claim("with L2: less than that", f"{held.train:.3f}%", held.train < 100),
        Claim("with L2: at least 98% of the test set", f"{held.test:.2f}%", held.test >= 98),
    ]  # fmt: skip


def first_below(losses: Any, level: float) -> int | None:
    """The epoch, from one, whose loss is the first at or below `level`."""
    met = np.flatnonzero(np.asarray(losses) <= level)
    return int(met[0]) + 1 if met.size else None


def batch_normalisation(digits: Digits) -> Result:
    """Logistic units in three layers, as in Ioffe and Szegedy (2015), by SGD without momentum."""
    level, epochs = (0.5 if digits.quick else 0.1), digits.epochs(20)
    rows, needed = [], []
    for name, normalization in (("without", None), ("with", "batch")):
        row, net = train(
            digits, f"784-100-100-100-10 logistic, {name} batch normalisation", epochs,
            hidden_layer_sizes=(100, 100, 100), activation="logistic", batch_size=60,
            solver="sgd", momentum=0.0, learning_rate_init=0.1, alpha=0.0,
            normalization=normalization,
        )  # fmt: skip
        reached = first_below(net.history_["loss"], level)
        needed.append(reached)
        said = f"loss {level} in epoch {reached}" if reached else f"loss {level} not reached"
        rows.append(Row(**{**asdict(row), "note": said}))
    plain, normalised = needed
    fewer = normalised is not None and (plain is None or normalised < plain)
    figure = f"{normalised or 'never'} against {plain or 'never'}"
    return rows, [Claim(f"batch normalisation: fewer epochs to a loss of {level}", figure, fewer)]


def dropout(digits: Digits) -> Result:
    """Dropout brings the training accuracy and that of the test set together."""
    common = {"hidden_layer_sizes": 1000, "batch_size": 128, "alpha": 0.0}
    epochs = digits.epochs(20)
    plain, _ = train(digits, "784-1000-10", epochs, **common)
    dropped, _ = train(digits, "784-1000-10, dropout 0.5", epochs, dropout=0.5, **common)
    gaps = [row.train - row.test for row in (plain, dropped)]
    return [plain, dropped], [
        Claim(
            "dropout narrows the gap between training and test accuracy",
            f"{gaps[1]:.2f} against {gaps[0]:.2f} points",
            gaps[1] < gaps[0],
        )
    ]


def max_norm(digits: Digits) -> Result:
    """Two wide layers with dropout and a bound on the norm of each unit's weights."""
    row, _ = train(
        digits, "784-1024-1024-10, dropout 0.5 (input 0.2), max-norm 3", digits.epochs(60),
        hidden_layer_sizes=(1024, 1024), batch_size=128, alpha=0.0, dropout=0.5,
        input_dropout=0.2, max_norm=3.0, learning_rate="cosine",
    )  # fmt: skip
    return [row], [
        Claim("dropout and max-norm: at least 98.6%", f"{row.test:.2f}%", row.test >= 98.6),
        Claim("within 20 minutes", f"{row.seconds / 60:.1f} minutes", row.seconds <= 1200),
    ]


LESSONS: dict[str, Callable[[Digits], Result]] = {
    "five-epochs": five_epochs,
    "l2": l2,
    "batch-normalisation": batch_normalisation,
    "dropout": dropout,
    "max-norm": max_norm,
}


def read(folder: Path, quick: bool = False) -> Digits:
    """All of MNIST, or its first rows."""
    with np.load(folder / "mnist.npz", allow_pickle=False) as stored:
        rows = {"train": 3000 if quick else None, "test": 1000 if quick else None}
        X, X_test = (
            stored[f"X_{part}"][: rows[part]].astype(np.float32) / np.float32(255) for part in rows
        )
        y, y_test = (stored[f"y_{part}"][: rows[part]] for part in rows)
    return Digits(X, y, X_test, y_test, quick)


def markdown(result: dict[str, Any]) -> str:
    lines = [
        f"{result['rows'][0]} training and {result['rows'][1]} test images"
        + (", QUICK (few rows and epochs, no figures to quote)" if result["quick"] else ""),
        "",
    ]
    nets = [
        [row["model"], str(row["epochs"]), f"{row['train']:.2f}", f"{row['test']:.2f}",
         f"{row['loss']:.4f}", f"{row['seconds']:.0f}", row["note"]]
        for lesson in result["lessons"].values() for row in lesson["rows"]
    ]  # fmt: skip
    lines += table(["net", "epochs", "training, %", "test, %", "training loss", "s", ""], nets)
    claims = [
        [claim["text"], claim["figure"], "yes" if claim["holds"] else "NO"]
        for lesson in result["lessons"].values() for claim in lesson["claims"]
    ]  # fmt: skip
    return "\n".join(lines + table(["claim", "figure", "holds"], claims)).rstrip() + "\n"


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lessons", description=__doc__)
    add = parser.add_argument
    add("--data", type=Path, required=True, help="the folder that has mnist.npz")
    add("--out", type=Path, required=True, help="the JSON file")
    add("--markdown", type=Path, help="write the tables to this file too")
    add("--lessons", nargs="+", default=list(LESSONS), choices=LESSONS, metavar="NAME",
        help="default: all of " + ", ".join(LESSONS))  # fmt: skip
    add("--quick", action="store_true", help="few rows and epochs: to try the lessons")
    options = parser.parse_args(argv)
    digits = read(options.data, options.quick)
    result: dict[str, Any] = {
        "rows": [len(digits.y), len(digits.y_test)],
        "quick": options.quick,
        "version": skreg.__version__,
        "lessons": {},
    }
    for name in options.lessons:
        print(name, flush=True)
        rows, claims = LESSONS[name](digits)
        result["lessons"][name] = {
            "rows": [asdict(row) for row in rows],
            "claims": [asdict(claim) for claim in claims],
        }
        # written after every lesson, so that an interrupted run keeps what it has
        options.out.write_text(json.dumps(result, indent=1), encoding="utf-8")
    text = markdown(result)
    print("\n" + text)
    if options.markdown:
        options.markdown.write_text(text, encoding="utf-8")
    return result


if __name__ == "__main__":
    main()
