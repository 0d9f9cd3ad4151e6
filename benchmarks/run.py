"""Run suites: ``python -m benchmarks.run --suite path --out result.json``. README.md says more."""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import re
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from . import pictures, results, tables
from .measure import measure
from .network_tables import PRODUCTS
from .peers import LIBRARIES
from .results import OURS, PEER_TARGETS
from .suites import SUITES, Setting
from .workers import Worker, WorkerError


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    add = parser.add_argument
    add("--suite", nargs="+", required=True, choices=[*SUITES, "all"], metavar="NAME",
        help="one or more of: all, " + ", ".join(SUITES))  # fmt: skip
    peers = [name for name in LIBRARIES if name != OURS]
    add("--peers", nargs="*", default=peers, choices=peers, metavar="NAME",
        help="default: all that are there of " + ", ".join(peers))  # fmt: skip
    add("--threads", type=int, default=1, help="threads of every library (default: 1)")
    add("--out", type=Path, required=True, help="the JSON file; pictures go beside it")
    add("--markdown", type=Path, help="write the tables to this file too")
    add("--data", type=Path, help="folder of real data sets; their cells are left out without it")
    add("--quick", action="store_true", help="small problems: to try the benchmark, not skreg")
    add("--cells", default="", metavar="PATTERN", help="regular expression that a cell's name has")
    add("--repeats", type=int, default=5, help="runs of each figure, of which the best counts")
    add("--limit", type=float, default=120, help="seconds of tuning for a library in a cell")
    add("--python", default=sys.executable, help="interpreter of the Python peers")
    options = parser.parse_args(argv)
    if "all" in options.suite:
        options.suite = list(SUITES)
    return options


def machine() -> dict[str, Any]:
    """What the figures are measured on; no name of the machine."""
    model = platform.processor()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def present(workers: list[Worker]) -> tuple[list[Worker], dict[str, dict[str, str]]]:
    """The workers whose library is there, and what it is; the others are said to be absent."""
    there, versions = [], {}
    for worker in workers:
        try:
            first = worker.start()
        except WorkerError as error:
            first = {"absent": str(error)}
        if "absent" in first:
            print(f"{worker.name} is absent: {first['absent']}", flush=True)
            worker.close()
        else:
            there.append(worker)
            versions[worker.name] = first["versions"]
    return there, versions


def progress(cell: dict[str, Any], seconds: float) -> str:
    times = [f"{name} {tables.every_solver(cell, name)}" for name in cell["solvers"]]
    return f"{cell['name']}: {', '.join(times)}  [{seconds:.0f} s]"


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    options = arguments(argv)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    names = [OURS, *options.peers]
    pythons = {OURS: sys.executable, PRODUCTS: sys.executable}  # the same BLAS
    with ExitStack() as stack:
        workers, versions = present([
            stack.enter_context(Worker(name, pythons.get(name, options.python), options.threads))
            for name in names
        ])  # fmt: skip
        result = {
            "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
            "machine": machine(),
            "versions": versions,
            "threads": options.threads,
            "repeats": options.repeats,
            "limit": options.limit,
            "quick": options.quick,
            "suites": {},
        }
        setting = Setting(options.quick, options.data)
        for suite in options.suite:
            cells: list[dict[str, Any]] = []
            result["suites"][suite] = cells
            chosen = [
                cell for cell in SUITES[suite](setting) if re.search(options.cells, cell.name)
            ]
            timed = partial(measure, workers=workers, repeats=options.repeats, limit=options.limit)
            for cell in chosen:
                start = time.monotonic()
                cells.append(timed(cell))
                print(f"{suite}: {progress(cells[-1], time.monotonic() - start)}", flush=True)
                # written after every cell, so that an interrupted run keeps what it has
                results.write(result, options.out)
            for cell, first in zip(chosen, cells, strict=True):
                if cell.gap and (results.ratio(first, PEER_TARGETS[0]) or 1) < 1:
                    first["again"] = results.ratio(timed(cell), PEER_TARGETS[0])
                    print(f"{suite}: {cell.name} again: {tables.times(first['again'])}", flush=True)
    results.write(result, options.out)
    text = tables.markdown(result)
    print("\n" + text)
    if options.markdown:
        options.markdown.write_text(text, encoding="utf-8")
    for file in pictures.draw(result, options.out.with_suffix("")):
        print(file)
    return result


if __name__ == "__main__":
    main()
