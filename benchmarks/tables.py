"""A result as markdown tables: our time, the best peers, every solver, and what was not reached."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import results
from .network_tables import microseconds, network_tables
from .results import OURS, PEER_TARGETS, Cell, best
from .text import milliseconds, table, times


def columns(cells: list[Cell]) -> dict[str, Callable[[Cell], str]]:
    """The columns of the first table: those every suite has, and those these cells call for."""

    def our_time(cell: Cell) -> str:
        run = results.ours(cell)
        return milliseconds(best(run)) if run else cell["solvers"].get(OURS, {}).get("note", "–")

    def our_gap(cell: Cell) -> str:
        run = results.ours(cell)
        return f"{run['gap']:.0e}" if run else "–"

    def peer(gap: float) -> Callable[[Cell], str]:
        def show(cell: Cell) -> str:
            found = results.best_peer(cell, gap)
            return f"{found[0]} {milliseconds(best(found[1]))}" if found else "–"

        return show

    def ratio_at(gap: float) -> Callable[[Cell], str]:
        return lambda cell: times(results.ratio(cell, gap))

    found: dict[str, Callable[[Cell], str]] = {"cell": lambda cell: str(cell["name"])}
    found |= {f"{OURS}, ms": our_time, "gap": our_gap}
    for gap in PEER_TARGETS:
        found[f"best peer, gap ≤ {gap:.0e}, ms"] = peer(gap)
        found[f"ratio {gap:.0e}"] = ratio_at(gap)
    if any(cell["task"] != "path" for cell in cells):
        found["ratio to scikit-learn's default"] = lambda cell: times(results.default_ratio(cell))
    if any(cell.get("again") for cell in cells):
        found["again"] = lambda cell: times(cell.get("again"))
    if any(cell["plain"] for cell in cells):
        found["our time over plain"] = lambda cell: times(results.plain_ratio(cell, cells))
    if any(cell["group"] == "memory" for cell in cells):
        found["our peak memory, in X"] = lambda cell: times(results.memory_ratio(cell))
    return found


def every_solver(cell: Cell, name: str) -> str:
    """Times of one library at the gaps asked for, "4e-4!" marking the gap of the best it did."""
    if cell.get("steps"):
        return microseconds(cell, name)
    solver = cell["solvers"].get(name)
    if solver is None or not solver["runs"]:
        return "–" if solver is None else solver["note"].split(":")[0] or "–"
    if name == OURS:
        return milliseconds(best(results.headline(solver["runs"]) or solver["runs"][0]))
    found = [results.chosen(solver["runs"], gap) for gap in PEER_TARGETS]
    if found == [None, None]:
        return f"only {min(run['gap'] for run in solver['runs']):.0e}"
    return " / ".join(milliseconds(best(run)) if run else "–" for run in found)


def summaries(cells: list[Cell]) -> list[str]:
    """Median and minimum ratio of every group, and how many are low; also of the whole suite."""
    groups = {group: [c for c in cells if c["group"] == group] for group in group_names(cells)}
    if len(groups) > 1:
        groups["all"] = cells
    rows = []
    for group, members in groups.items():
        at = [[results.ratio(cell, gap) for cell in members] for gap in PEER_TARGETS]
        found = [results.summary(ratios) for ratios in at]
        texts = [f"{times(r['median'])} / {times(r['minimum'])}" if r else "–" for r in found]
        default = results.summary(
            [results.default_ratio(c) for c in members if c["task"] != "path"]
        )
        both = f"{times(default['median'])} / {times(default['minimum'])}" if default else "–"
        below = [sum(r is not None and r < least for r in at[0]) for least in (1, 0.9)]
        rows.append([group, str(len(members)), *texts, both, *map(str, below)])
    header = ["median / minimum ratio", "cells", *(f"gap ≤ {gap:.0e}" for gap in PEER_TARGETS)]
    return table([*header, "scikit-learn's default", "below 1", "below 0.9"], rows)


def group_names(cells: list[Cell]) -> list[str]:
    return list(dict.fromkeys(cell["group"] for cell in cells))


def suite_tables(name: str, cells: list[Cell]) -> list[str]:
    if all(cell.get("steps") for cell in cells):
        return network_tables(name, cells)
    lines = [f"### {name}", ""]
    shown = columns(cells)
    lines += table(list(shown), [[show(cell) for show in shown.values()] for cell in cells])
    lines += summaries(cells)
    solvers = results.taking_part(cells)
    header = [f"ms at gap ≤ {PEER_TARGETS[0]:.0e} / ≤ {PEER_TARGETS[1]:.0e}", *solvers]
    lines += table(header, [[c["name"], *(every_solver(c, s) for s in solvers)] for c in cells])
    slopes = results.slopes(cells)
    if slopes:
        rows = [[a, *(times(slopes[a].get(s)) for s in solvers)] for a in slopes]
        lines += table(["slope of log time, doubling", *solvers], rows)
    notes = [
        f"- {cell['name']}, {solver}: {outcome['note']}"
        for cell in cells
        for solver, outcome in cell["solvers"].items()
        if outcome["note"] and not outcome["note"].startswith("skipped")
    ]
    return lines + [*notes, ""] * bool(notes)


def markdown(result: dict[str, Any]) -> str:
    """The whole result: where it was measured, then the tables of every suite."""
    machine, versions = result["machine"], result["versions"]
    lines = [
        f"{result['date']}, {machine['cpu']}, {machine['cores']} cores,"
        f" threads: {result['threads']}, repeats: {result['repeats']}"
        + (", QUICK (small problems, no figures to quote)" if result["quick"] else ""),
        "",
    ]
    for name, found in versions.items():
        text = ", ".join(f"{package} {version}" for package, version in found.items())
        lines.append(f"- {name}: {text}")
    lines.append("")
    for suite, cells in result["suites"].items():
        if cells:
            lines += suite_tables(suite, cells)
    return "\n".join(lines).rstrip() + "\n"
