"""Compare two results, cell by cell: ``python -m benchmarks.compare OLD NEW``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from . import results
from .results import PEER_TARGETS, best
from .text import milliseconds, table, times

FLAG = 1.1  # a change by more than this factor is flagged


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What makes the two runs hard to compare."""
    return [
        f"{name}: {old[name]} then, {new[name]} now"
        for name in ("machine", "threads", "quick")
        if old[name] != new[name]
    ]


def flag(factor: float) -> str:
    return "SLOWER" if factor > FLAG else "faster" if factor < 1 / FLAG else ""


def rows(old: dict[str, Any], new: dict[str, Any]) -> list[list[str]]:
    """One row a cell that both have: our two times, their quotient, and the two ratios to peers.

    The ratio to the best peer of the same run says how much of a change is the machine's.
    """
    found = []
    for suite, cells in new["suites"].items():
        before = {cell["name"]: cell for cell in old["suites"].get(suite, ())}
        for cell in cells:
            then, now = results.ours(before.get(cell["name"], {"solvers": {}})), results.ours(cell)
            if then is None or now is None:
                continue
            factor = best(now) / best(then)
            ratios = [results.ratio(c, PEER_TARGETS[0]) for c in (before[cell["name"]], cell)]
            found.append([
                f"{suite}: {cell['name']}", milliseconds(best(then)), milliseconds(best(now)),
                f"{factor:.2f}", *map(times, ratios), flag(factor),
            ])  # fmt: skip
    return found


def compare(old: dict[str, Any], new: dict[str, Any]) -> str:
    lines = [f"not alike, {difference}" for difference in differences(old, new)]
    found = rows(old, new)
    if not found:
        return "\n".join([*lines, "no cell is in both files"])
    header = ["cell", "old, ms", "new, ms", "new / old", "old ratio", "new ratio", "change"]
    lines += ["", *table(header, found)]
    slower, faster = (sum(row[-1] == word for row in found) for word in ("SLOWER", "faster"))
    lines.append(f"{len(found)} cells: {slower} slower and {faster} faster by more than 10%")
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    parser.add_argument("old", metavar="OLD")
    parser.add_argument("new", metavar="NEW")
    options = parser.parse_args(argv)
    print(compare(results.read(options.old), results.read(options.new)))


if __name__ == "__main__":
    main()
