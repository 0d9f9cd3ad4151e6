"""The tables of networks: microseconds a step, ratios, the share of the bare products."""

from __future__ import annotations

from . import results
from .results import OURS, Cell, best
from .text import table, three_digits, times

PRODUCTS = "matrix products"


def step(cell: Cell, name: str) -> float | None:
    """Microseconds of a step, by the fastest way a library has; None where there is no time."""
    runs = cell["solvers"].get(name, {"runs": []})["runs"]
    if name != PRODUCTS:  # a net that did not learn was not trained
        runs = [run for run in runs if run["gap"] == 0]
    return 1e6 * min(map(best, runs)) / cell["steps"] if runs else None


def times_ours(cell: Cell, name: str) -> float | None:
    ours, other = step(cell, OURS), step(cell, name)
    return other / ours if ours and other else None


def share(cell: Cell) -> float | None:
    """The time of the bare products over ours."""
    return times_ours(cell, PRODUCTS)


def microseconds(cell: Cell, name: str) -> str:
    value = step(cell, name)
    if value is not None:
        return three_digits(value)
    note = str(cell["solvers"].get(name, {"note": ""})["note"])
    return "–" if note.startswith("skipped") else note.split(":")[0] or "–"


def network_tables(name: str, cells: list[Cell]) -> list[str]:
    solvers = results.taking_part(cells)
    peers = [each for each in solvers if each not in (OURS, PRODUCTS)]
    lines = [f"### {name}", ""]
    header = ["microseconds a step", *solvers]
    lines += table(header, [[c["name"], *(microseconds(c, s) for s in solvers)] for c in cells])

    header = ["time over skreg's", *peers, "share of the bare products", "dropout adds"]
    rows = []
    for cell in cells:
        row = [cell["name"], *(times(times_ours(cell, peer)) for peer in peers)]
        bare = share(cell)
        row.append("–" if bare is None else f"{bare:.0%}")
        plain = results.plain_ratio(cell, cells)
        row.append("–" if plain is None else f"{plain - 1:.0%}")
        rows.append(row)
    lines += table(header, rows)

    found = {peer: results.summary([times_ours(cell, peer) for cell in cells]) for peer in peers}
    rows = [
        [peer, str(each["cells"]), times(each["median"]), times(each["minimum"])]
        for peer, each in found.items()
        if each
    ]
    lines += table(["ratio", "cells", "median", "minimum"], rows)
    notes = [
        f"- {cell['name']}, {solver}: {outcome['note']}"
        for cell in cells
        for solver, outcome in cell["solvers"].items()
        if outcome["note"] and not outcome["note"].startswith("skipped") and solver != PRODUCTS
    ]
    return lines + [*notes, ""] * bool(notes)
