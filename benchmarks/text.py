"""Numbers and rows as markdown."""

from __future__ import annotations


def three_digits(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def milliseconds(seconds: float) -> str:
    return three_digits(1e3 * seconds)


def times(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.0f}" if value >= 100 else f"{value:.2g}" if value < 10 else f"{value:.3g}"


def row(values: list[str]) -> str:
    return "| " + " | ".join(values) + " |"


def table(header: list[str], rows: list[list[str]]) -> list[str]:
    return [row(header), row(["---"] + ["---:"] * (len(header) - 1)), *map(row, rows), ""]
