"""Reading a result: which run counts, ratios to peers, medians, slopes. Works on the JSON form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

OURS = "skreg"
OUR_TARGET = 1e-10
PEER_TARGETS = (1e-4, 1e-6)

Cell = dict[str, Any]
Run = dict[str, Any]


def read(file: str | Path) -> dict[str, Any]:
    return dict(json.loads(Path(file).read_text(encoding="utf-8")))


def write(result: dict[str, Any], file: Path) -> None:
    """Written aside and put in place, so that a reader never meets half a file."""
    aside = file.with_name(file.name + ".part")
    aside.write_text(json.dumps(result, indent=1), encoding="utf-8")
    aside.replace(file)


def targets(name: str) -> tuple[float, ...]:
    """The gaps asked of a library."""
    return (OUR_TARGET,) if name == OURS else PEER_TARGETS


def best(run: Run) -> float:
    """Seconds of the fastest repetition."""
    return float(min(run["seconds"]))


def chosen(runs: list[Run], gap: float) -> Run | None:
    """The fastest run whose gap is at most `gap`."""
    return min((run for run in runs if run["gap"] <= gap), key=best, default=None)


def headline(runs: list[Run]) -> Run | None:
    """Our figure: the fastest run at our own gap, else the run that came nearest to it."""
    return chosen(runs, OUR_TARGET) or min(runs, key=lambda run: run["gap"], default=None)


def at_default(runs: list[Run]) -> Run | None:
    """The fastest variant at the first tolerance tried: a library's default in fits and CV."""
    return min((run for run in runs if run["tol"] == runs[0]["tol"]), key=best, default=None)


def reported(name: str, runs: list[Run], task: str) -> list[Run]:
    """The runs that tables show, which are those worth repeating."""
    wanted = [headline(runs)] if name == OURS else [chosen(runs, gap) for gap in PEER_TARGETS]
    if task != "path":
        wanted.append(at_default(runs))
    return list({id(run): run for run in wanted if run is not None}.values())


def ours(cell: Cell) -> Run | None:
    return headline(cell["solvers"].get(OURS, {"runs": []})["runs"])


def best_peer(cell: Cell, gap: float) -> tuple[str, Run] | None:
    """Name and run of the fastest peer at a gap of at most `gap`."""
    found = {name: chosen(s["runs"], gap) for name, s in cell["solvers"].items() if name != OURS}
    met = [(name, run) for name, run in found.items() if run is not None]
    return min(met, key=lambda pair: best(pair[1]), default=None)


def ratio(cell: Cell, gap: float) -> float | None:
    """Time of the best peer at `gap` over ours; above one we are the faster."""
    run, peer = ours(cell), best_peer(cell, gap)
    return best(peer[1]) / best(run) if run and peer else None


def default_ratio(cell: Cell, name: str = "scikit-learn") -> float | None:
    """Time of one peer at its default tolerance over ours."""
    run, runs = ours(cell), cell["solvers"].get(name, {"runs": []})["runs"]
    other = at_default(runs)
    return best(other) / best(run) if run and other else None


def plain_ratio(cell: Cell, cells: list[Cell]) -> float | None:
    """Our time over our time in the same cell without its option."""
    run = ours(cell)
    plain = next((ours(other) for other in cells if other["name"] == cell["plain"]), None)
    return best(run) / best(plain) if run and plain else None


def memory_ratio(cell: Cell, name: str = OURS) -> float | None:
    """Peak memory above the loaded problem, in units of X."""
    runs = cell["solvers"].get(name, {"runs": []})["runs"]
    figures = [run["memory"] for run in runs if run["memory"]]
    return figures[0] / cell["bytes"] if figures else None


def curve_error(cell: Cell, name: str) -> float | None:
    """Largest relative difference of a peer's cross-validation curve, at its best, from ours."""
    run, runs = ours(cell), cell["solvers"].get(name, {"runs": []})["runs"]
    other = min(runs, key=lambda each: each["gap"], default=None)
    if not (run and other and run["curve"] and other["curve"]):
        return None
    a, b = np.asarray(run["curve"]), np.asarray(other["curve"])
    return float(np.max(np.abs(a - b) / np.abs(a)))


def summary(values: list[float | None]) -> dict[str, float] | None:
    """Median and minimum of the ratios there are."""
    there = [value for value in values if value is not None]
    if not there:
        return None
    return {"median": float(np.median(there)), "minimum": min(there), "cells": len(there)}


def taking_part(cells: list[Cell]) -> list[str]:
    """The libraries that did not sit every cell out."""
    pairs = ((name, outcome) for cell in cells for name, outcome in cell["solvers"].items())
    there = (name for name, outcome in pairs if not outcome["note"].startswith("skipped"))
    return list(dict.fromkeys(there))


def growth(cells: list[Cell]) -> dict[str, dict[str, list[tuple[float, Run]]]]:
    """Sizes with the run at each: by what is doubled, then by library."""
    found: dict[str, dict[str, list[tuple[float, Run]]]] = {}
    for cell in (cell for cell in cells if cell["size"]):
        axis, value = cell["size"]
        for name, solver in cell["solvers"].items():
            runs = solver["runs"]
            run = headline(runs) if name == OURS else chosen(runs, PEER_TARGETS[0])
            if run is not None:
                size = run["nonzeros"] if axis == "active" else value
                found.setdefault(axis, {}).setdefault(name, []).append((size, run))
    return found


def slopes(cells: list[Cell]) -> dict[str, dict[str, float]]:
    """Least-squares slope of log time against log size: by what is doubled, then by library."""
    found: dict[str, dict[str, float]] = {}
    for axis, by_name in growth(cells).items():
        for name, series in by_name.items():
            points = np.log([(size, best(run)) for size, run in series])
            if len(points) > 1:
                x, y = (points - points.mean(axis=0)).T
                found.setdefault(axis, {})[name] = float(x @ y / (x @ x))
    return found
