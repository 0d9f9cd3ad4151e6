"""A worker holds one library: it reads commands line by line and answers in JSON.

    load FOLDER                      read the problem; everything that compiles does so now
    run VARIANT TOL NUMBER SAVE      solve NUMBER times; with SAVE = 1 the answer goes to FOLDER

An answer is a line that begins with "@ "; whatever else a library prints is ignored.
"""

from __future__ import annotations

import contextlib
import gc
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from .libraries import Answer, Library, quietly
from .peers import LIBRARIES
from .problems import Problem, load


def store(answer: Answer, file: Path) -> dict[str, Any]:
    """Coefficients and intercepts as raw doubles, column by column; the rest goes in the line."""
    np.concatenate([answer.coefs.ravel(order="F"), answer.intercepts]).astype("<f8").tofile(file)
    return {"alphas": answer.alphas.tolist(), "curve": answer.curve.tolist()}


def memory(name: str) -> int:
    """A figure of this process in bytes ("VmRSS", "VmHWM"); 0 where the system has none."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return 1024 * next((int(line.split()[1]) for line in lines if line.startswith(name)), 0)


def forget_peak() -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


class Session:
    """The state between two commands."""

    def __init__(self, library: Library, name: str) -> None:
        self.library = library
        self.name = name
        self.problem: Problem
        self.folder = Path()

    def load(self, folder: str) -> dict[str, Any]:
        vars(self).pop("problem", None)  # two at a time may not fit
        self.folder = Path(folder)
        self.problem = load(self.folder)
        small = self.problem.shrunk()
        for variant in self.library.variants(self.problem):
            try:
                getattr(self.library, small.task)(small, 1e-2, variant)()
            except Exception as error:  # the real problem will tell
                print(f"warming up: {error}", file=sys.stderr)
        return {"loaded": True}

    def run(self, variant: str, tol: str, number: str, save: str) -> dict[str, Any]:
        solve = getattr(self.library, self.problem.task)
        seconds = []
        gc.collect()
        forget_peak()
        before = memory("VmRSS")
        for _ in range(int(number)):
            start = time.perf_counter()
            read = solve(self.problem, float(tol), variant)
            taken = time.perf_counter() - start
            if isinstance(read, tuple):  # it had a clock of its own
                read, taken = read
            seconds.append(taken)
        reply: dict[str, Any] = {"seconds": seconds}
        if before:
            reply["memory"] = max(memory("VmHWM") - before, 0)
        if int(save):
            reply |= store(read(), self.folder / f"{self.name}.answer")
        return reply


def main(name: str, threads: str) -> None:
    def reply(content: dict[str, Any]) -> None:
        print("@ " + json.dumps(content), flush=True)

    library = LIBRARIES[name](int(threads))
    try:
        versions = {**library.versions(), "python": sys.version.split()[0]}
        versions["numpy"] = np.__version__
    except Exception as error:  # absent, or present and broken: either way it cannot take part
        reply({"absent": f"{type(error).__name__}: {error}"})
        return
    reply({"versions": versions})
    session = Session(library, name)
    for line in sys.stdin:
        command, *words = line.rstrip("\n").split(" ", 1)
        arguments = words if command == "load" else words[0].split()
        try:
            reply(quietly(getattr(session, command), *arguments))
        except Exception as error:
            reply({"error": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    main(*sys.argv[1:])
