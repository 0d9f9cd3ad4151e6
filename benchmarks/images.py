"""Networks of convolutions beside PyTorch: ``python -m benchmarks.images --data FOLDER``.

Four parts: the time of a step and the peak of memory, each layer by itself, LeNet on MNIST with and
without augmentation, and the loss of a classic small net on CIFAR-10 epoch by epoch. Each training
has a process of its own, on one thread; times are those of the processor.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from .image_layers import times_of_layers
from .image_nets import ConvNet, Weights, generated, ours, pytorch
from .text import milliseconds, table, times
from .worker import forget_peak, memory
from .workers import ROOT, THREAD_VARIABLES

CLASSIC = ConvNet(
    (32, 32, 3), (32, 32, 64), (64,),
    activation="identity", solver="sgd", rate=0.01, alpha=0.01, shuffle=False,
)  # fmt: skip
RELU = replace(CLASSIC, activation="relu", solver="adam", rate=1e-3, alpha=1e-4, shuffle=True)
LENET = ConvNet((28, 28, 1), (6, 16), (120, 84), rate=2e-3, schedule="cosine")
AUGMENT = {"shift": 1}
STEPS = 50  # in an epoch of images that are generated
LIBRARIES = ("skreg", "PyTorch")

Given = dict[str, Any]


def mnist(folder: Path, rows: int | None = None) -> list[Any]:
    """X, y, X_test, y_test; pixels in [0, 1]."""
    with np.load(folder / "mnist.npz", allow_pickle=False) as stored:
        parts = [stored[f"{name}_{part}"][:rows] for part in ("train", "test") for name in "Xy"]
    parts[::2] = [X.reshape(-1, 28, 28, 1).astype(np.float32) / np.float32(255) for X in parts[::2]]
    return parts


def cifar(folder: Path, rows: int | None = None) -> list[Any]:
    """X and y of the test images of CIFAR-10, from JPEGs; pixels in [0, 1]."""
    image = import_module("PIL.Image")
    with np.load(folder / "cifar10_test_jpeg.npz", allow_pickle=False) as stored:
        y, ends, jpeg = stored["y"][:rows], stored["offsets"], stored["jpeg"]
    pieces = np.split(jpeg, ends[1 : len(y) + 1])[: len(y)]
    pictures = [np.asarray(image.open(io.BytesIO(piece.tobytes()))) for piece in pieces]
    return [np.stack(pictures).astype(np.float32) / np.float32(255), y]


# In the process of a training


def work(given: Given) -> dict[str, Any]:
    """Do what the parent asks for; plain JSON.

    With a file `start`, skreg writes there the weights that it begins with, and PyTorch takes them.
    """
    net = ConvNet.read(given["net"])
    if given["task"] == "layers":
        return {"layers": times_of_layers(given["library"], net)}
    rows = given["rows"]
    if given["data"] is None:
        X, y, *test = generated(net, rows)
    else:
        read = mnist if net.image[2] == 1 else cifar
        X, y, *test = read(Path(given["data"]), rows)
    file, epochs = given["start"], given["epochs"]
    forget_peak()
    before = memory("VmRSS")
    if given["library"] == "skreg":
        record, start = ours(net, X, y, epochs)
        if file:
            write_weights(Path(file), start)
    else:
        weights = read_weights(Path(file)) if file else None
        record = pytorch(net, X, y, epochs, start=weights, channels_last=given["channels_last"])
    result = {"losses": record.losses, "seconds": record.seconds, "wall": record.wall}
    result["memory"] = max(memory("VmHWM") - before, 0)
    if test:
        X_test, y_test = test
        result["test"] = 100 * float(np.mean(record.predict(X_test) == y_test))
        result["train"] = 100 * float(np.mean(record.predict(X) == y))
    return result


def write_weights(file: Path, weights: Weights) -> None:
    named = {
        f"{kind}{k}": a
        for kind, part in zip("wb", weights, strict=True)
        for k, a in enumerate(part)
    }
    np.savez(file, **named)


def read_weights(file: Path) -> Weights:
    with np.load(file, allow_pickle=False) as stored:
        n = len(stored.files) // 2
        return [stored[f"w{k}"] for k in range(n)], [stored[f"b{k}"] for k in range(n)]


# In the parent


class Runner:
    """Asks a library, in a process of its own, for one training."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.data, self.quick = options.data, options.quick
        self.scratch = options.out.with_suffix(".start.npz")
        self.python = {"skreg": sys.executable, "PyTorch": options.python}

    def __call__(self, library: str, net: ConvNet, **more: Any) -> dict[str, Any]:
        given: Given = {"library": library, "net": asdict(net), "task": "train", "rows": None}
        given |= {"data": str(self.data), "start": None, "channels_last": False}
        given |= more
        environment = os.environ | dict.fromkeys(THREAD_VARIABLES, "1")
        environment["PYTHONPATH"] = str(ROOT)
        command = [self.python[library], "-m", "benchmarks.images", "--job", json.dumps(given)]
        done = subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT
        )
        return dict(json.loads(done.stdout.splitlines()[-1]))


def steps(run: Runner) -> tuple[dict[str, Any], list[str]]:
    """The time of a step, the least of the epochs but the first, and the peak of memory."""
    found, rows = {}, []
    nets = {"identity, SGD": CLASSIC, "relu, Adam": RELU, "relu, Adam, augmentation":
            replace(RELU, augment={"flip": "horizontal", "shift": 2, "scale": 0.1})}  # fmt: skip
    n_steps = 5 if run.quick else STEPS
    for name, net in nets.items():
        options = {"data": None, "rows": n_steps * net.batch, "epochs": 2 if run.quick else 12}
        each = {"skreg": run("skreg", net, **options)}
        for last in (False, True):
            each[f"PyTorch{', channels last' * last}"] = run(
                "PyTorch", net, channels_last=last, **options
            )
        least = {library: min(one["seconds"][1:]) / n_steps for library, one in each.items()}
        best = min(time for library, time in least.items() if library != "skreg")
        rows.append([
            name, *map(milliseconds, least.values()), times(best / least["skreg"]),
            *(f"{one['memory'] / 2**20:.0f}" for one in each.values()),
        ])  # fmt: skip
        found[name] = each
    head = ["net", *(f"{library}, ms a step" for library in each), "best of PyTorch over skreg"]
    return found, table([*head, *(f"{library}, MB at the peak" for library in each)], rows)


def layers(run: Runner) -> tuple[dict[str, Any], list[str]]:
    """Forwards and backwards through each layer by itself."""
    taken = {
        library: run(library, CLASSIC, task="layers", epochs=0)["layers"] for library in LIBRARIES
    }
    rows = []
    for name, (mine, products) in taken["skreg"].items():
        other = taken["PyTorch"][name][0]
        share = f"{products / mine:.0%}" if products else "–"
        rows.append([name, milliseconds(mine), milliseconds(other), times(other / mine), share])
    head = ["layer, batch 64", "skreg, ms", "PyTorch, ms", "PyTorch over skreg"]
    return taken, table([*head, "share of the bare products"], rows)


def lenet(run: Runner) -> tuple[dict[str, Any], list[str]]:
    """Accuracy on MNIST after ten epochs, with and without augmentation."""
    found, rows = {}, []
    for name, augment in (("plain", None), ("augmentation", AUGMENT)):
        net = replace(LENET, augment=augment)
        for library in LIBRARIES:
            one = run(library, net, rows=2000 if run.quick else None, epochs=2 if run.quick else 10)
            found[f"{library}, {name}"] = one
            rows.append([
                f"{library}, {name}", f"{one['train']:.2f}", f"{one['test']:.2f}",
                f"{one['losses'][-1]:.4f}", f"{np.median(one['seconds']):.1f}",
            ])  # fmt: skip
            print(*rows[-1], sep=", ", flush=True)
    head = ["LeNet", "training, %", "test, %", "training loss", "s an epoch"]
    return found, table(head, rows)


def classic(run: Runner) -> tuple[dict[str, Any], list[str]]:
    """The losses of the batches of each epoch added up: both from skreg's start, PyTorch's own."""
    n, epochs = (640, 2) if run.quick else (10_000, 20)
    starts = {"skreg": run.scratch, "PyTorch": run.scratch, "PyTorch, its own start": None}
    found = {
        name: run(name.split(",")[0], CLASSIC, rows=n, epochs=epochs, start=start and str(start))
        for name, start in starts.items()
    }
    rows = [
        [str(k + 1), *(f"{one['losses'][k] * n / CLASSIC.batch:.2f}" for one in found.values())]
        for k in range(epochs)
    ]
    rows.append(["s an epoch", *(f"{np.median(one['seconds']):.2f}" for one in found.values())])
    return found, table(["epoch", *starts], rows)


PARTS: dict[str, Callable[[Runner], tuple[dict[str, Any], list[str]]]] = {
    "steps": steps,
    "layers": layers,
    "lenet": lenet,
    "classic": classic,
}


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.images", description=__doc__)
    add = parser.add_argument
    add("--job", help=argparse.SUPPRESS)
    add("--data", type=Path, help="the folder that has mnist.npz and cifar10_test_jpeg.npz")
    add("--out", type=Path, default=Path("images.json"), help="the JSON file")
    add("--markdown", type=Path, help="write the tables to this file too")
    add("--parts", nargs="+", default=list(PARTS), choices=PARTS, metavar="NAME",
        help="default: all of " + ", ".join(PARTS))  # fmt: skip
    add("--quick", action="store_true", help="few rows and epochs: to try the benchmark")
    add("--python", default=sys.executable, help="interpreter that has PyTorch")
    options = parser.parse_args(argv)
    if options.job:
        result = work(json.loads(options.job))
        print(json.dumps(result))
        return result
    run, result, lines = Runner(options), {}, []
    for name in options.parts:
        result[name], part = PARTS[name](run)
        print("\n".join(part), flush=True)
        lines += [f"### {name}" + ", QUICK (no figures to quote)" * options.quick, "", *part]
        # written after every part, so that an interrupted run keeps what it has
        options.out.write_text(json.dumps(result, indent=1), encoding="utf-8")
        if options.markdown:
            options.markdown.write_text("\n".join(lines), encoding="utf-8")
    return result


if __name__ == "__main__":
    main()
