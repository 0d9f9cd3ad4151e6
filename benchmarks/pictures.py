"""Pictures of a result: time against gap in every cell, and the ratio to the best peer."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from . import results
from .network_tables import PRODUCTS, step
from .results import OURS, PEER_TARGETS, Cell, best

# Okabe and Ito's palette, told apart without colour by the markers
STYLES = {
    "skreg": ("#000000", "*"),
    "scikit-learn": ("#E69F00", "o"),
    "celer": ("#56B4E9", "s"),
    "skglm": ("#009E73", "^"),
    "adelie": ("#CC79A7", "v"),
    "glum": ("#999999", "P"),
    "glmnet": ("#D55E00", "D"),
    "PyTorch": ("#D55E00", "D"),
    "scikit-learn float32": ("#56B4E9", "s"),
    PRODUCTS: ("#999999", "|"),
}
FLOOR = 1e-17  # gaps of zero, or negative by rounding, are drawn here


def draw(result: dict[str, Any], stem: Path) -> list[Path]:
    """Write the pictures beside `stem`; returns their files, none without matplotlib."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
    except ImportError:
        return []
    files = []
    for suite, cells in result["suites"].items():
        figures = {f"{suite}-ratio": ratios(suite, cells)} if cells else {}
        nets = [cell for cell in cells if cell.get("steps")]
        if nets:
            figures = {f"{suite}-steps": steps(suite, nets)}
        if any(cell["size"] for cell in cells):
            figures[f"{suite}-growth"] = growth(suite, cells)
        curves = [cell for cell in cells if cell not in nets and cell["task"] != "everyday"]
        for group in dict.fromkeys(cell["group"] for cell in curves):
            members = [cell for cell in cells if cell["group"] == group]
            slug = re.sub(r"\W+", "-", group).strip("-").lower()
            name = f"{suite}-gap" if slug == suite else f"{suite}-{slug}-gap"
            figures[name] = time_against_gap(f"{suite}: {group}", members)
        for name, figure in figures.items():
            if figure is not None:
                FigureCanvasAgg(figure)
                files.append(stem.with_name(f"{stem.name}-{name}.png"))
                figure.savefig(files[-1], dpi=110)
    return files


def line(axes: Any, name: str, runs: Iterable[dict[str, Any]]) -> Any:
    """One solver in one cell: a point a tolerance, its best variant."""
    fastest: dict[float, dict[str, Any]] = {}
    for run in runs:
        other = fastest.get(run["tol"])
        if other is None or best(run) < best(other):
            fastest[run["tol"]] = run
    colour, marker = STYLES.get(name, ("#0072B2", "X"))
    return axes.plot(
        [max(run["gap"], FLOOR) for run in fastest.values()],
        [1e3 * best(run) for run in fastest.values()],
        marker=marker,
        color=colour,
        markersize=11 if name == OURS else 5,
        markeredgecolor="white",
        markeredgewidth=0.5,
        linewidth=1.2,
        zorder=3 if name == OURS else 2,
        label=name,
    )[0]


def time_against_gap(title: str, cells: list[Cell], wide: int = 3) -> Any:
    """Small multiples: one cell a panel, better answers to the right, faster ones below."""
    from matplotlib.figure import Figure

    wide = min(wide, len(cells))
    tall = -(-len(cells) // wide)
    size = (max(4.0 * wide, 6.5), 2.6 * tall + 1.2)
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(tall, wide, squeeze=False, sharex=True).ravel()
    handles: dict[str, Any] = {}
    for axes, cell in zip(panels, cells, strict=False):
        for name, solver in cell["solvers"].items():
            if solver["runs"]:
                handles.setdefault(name, line(axes, name, solver["runs"]))
        axes.set(xscale="log", yscale="log", xlim=(1, FLOOR / 3))
        axes.set_xticks([10.0**-k for k in range(0, 17, 4)])
        for gap in PEER_TARGETS:
            axes.axvline(gap, color="#bbbbbb", linewidth=0.8, zorder=1)
        plain_log(axes.yaxis)
        axes.grid(axis="y", color="#e6e6e6", linewidth=0.6)
        axes.set_title(cell["name"], fontsize=10)
    for axes in panels[len(cells) :]:
        axes.set_visible(False)
    for axes in panels[max(len(cells) - wide, 0) : len(cells)]:
        axes.tick_params(labelbottom=True)
    figure.supxlabel("relative duality gap, the largest of the path (better to the right)")
    figure.supylabel("milliseconds")
    figure.legend(
        handles.values(),
        handles,
        title=title,
        title_fontsize="large",
        loc="outside upper center",
        ncols=min(len(handles), 7 if wide == 3 else 4),
        frameon=False,
    )
    return figure


def growth(title: str, cells: list[Cell], wide: int = 3) -> Any:
    """Small multiples: what is doubled along the axis, and by how much our time grows each time."""
    from matplotlib.figure import Figure

    series = results.growth(cells)
    wide = min(wide, len(series))
    tall = -(-len(series) // wide) if series else 0
    if not tall:
        return None
    figure = Figure(figsize=(max(4.0 * wide, 6.5), 3.0 * tall + 1.2), layout="constrained")
    panels = figure.subplots(tall, wide, squeeze=False).ravel()
    handles: dict[str, Any] = {}
    for axes, (axis, by_name) in zip(panels, series.items(), strict=False):
        for name, points in by_name.items():
            sizes = [size for size, _ in points]
            times = [1e3 * best(run) for _, run in points]
            colour, marker = STYLES.get(name, ("#0072B2", "X"))
            size = 11 if name == OURS else 5
            (drawn,) = axes.plot(
                sizes,
                times,
                marker=marker,
                color=colour,
                markersize=size,
                linewidth=1.2,
                label=name,
            )
            handles.setdefault(name, drawn)
            for i in range(1, len(points) if name == OURS else 0):
                axes.annotate(
                    f"×{times[i] / times[i - 1]:.1f}",
                    (sizes[i], times[i]),
                    xytext=(0, -9),
                    textcoords="offset points",
                    ha="center",
                    va="top",
                    fontsize=8,
                )
        axes.set(xscale="log", yscale="log")
        axes.margins(0.12, 0.2)
        shown = sorted({size for points in by_name.values() for size, _ in points})
        axes.set_xticks(shown, [f"{size:g}" for size in shown], fontsize=8)
        axes.minorticks_off()
        plain_log(axes.yaxis)
        axes.grid(color="#e6e6e6", linewidth=0.6)
        axes.set_axisbelow(True)
        what, *rest = axis.split(", ", 1)
        axes.set_xlabel(what)
        axes.set_title(rest[0] if rest else f"doubling {what}", fontsize=10)
    for axes in panels[len(series) :]:
        axes.set_visible(False)
    figure.supylabel("milliseconds")
    figure.legend(
        handles.values(),
        handles,
        title=f"{title}: time by size, and {OURS}'s over that of the size before",
        title_fontsize="large",
        loc="outside upper center",
        ncols=7 if wide == 3 else 4,
        frameon=False,
    )
    return figure


def plain_log(axis: Any) -> None:
    """Ticks of a log axis as plain numbers: 1, 2, 5, 10 on a short one, powers on a long one."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = axis.get_view_interval()
    steps = (1.0, 2.0, 5.0) if high < 60 * low else (1.0,)
    axis.set_major_locator(LogLocator(subs=steps))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def ratios(suite: str, cells: list[Cell]) -> Any:
    """One line a cell: how many times longer the best peer takes at each gap asked for."""
    from matplotlib.figure import Figure

    shown = [cell for cell in cells if results.ratio(cell, PEER_TARGETS[0])]
    if not shown:
        return None
    figure = Figure(figsize=(8, 0.26 * len(shown) + 1.8), layout="constrained")
    axes = figure.subplots()
    places = list(range(len(shown)))
    drawn = list(zip(PEER_TARGETS, ("#0072B2", "#D55E00"), ("o", "D"), strict=True))
    for gap, colour, marker in drawn:
        points = [(results.ratio(cell, gap), at) for cell, at in zip(shown, places, strict=True)]
        there = [point for point in points if point[0] is not None]
        label = f"gap of the peer ≤ {gap:.0e}"
        if there:
            axes.plot(*zip(*there, strict=True), marker, color=colour, markersize=6, label=label)
    axes.axvline(1, color="black", linewidth=1)
    for at, cell in zip(places, shown, strict=True):
        name = (results.best_peer(cell, PEER_TARGETS[0]) or ("",))[0]
        axes.text(1.01, at, name, transform=axes.get_yaxis_transform(), va="center", fontsize=8)
    axes.set(xscale="log", ylim=(len(shown) - 0.5, -0.5))
    axes.set_yticks(places, [cell["name"] for cell in shown], fontsize=9)
    plain_log(axes.xaxis)
    axes.grid(color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_xlabel(
        f"time of the best peer (named at the right) over {OURS}'s; above 1 {OURS} is faster"
    )
    figure.legend(
        title=suite, title_fontsize="large", loc="outside upper center", ncols=2, frameon=False
    )
    return figure


def steps(suite: str, cells: list[Cell]) -> Any:
    """One line a net, one point a library: the time of a training step."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 0.3 * len(cells) + 1.8), layout="constrained")
    axes = figure.subplots()
    for name in results.taking_part(cells):
        times = [(step(cell, name), at) for at, cell in enumerate(cells)]
        points = [point for point in times if point[0] is not None]
        if points:
            colour, marker = STYLES.get(name, ("#0072B2", "X"))
            size = 11 if name in (OURS, PRODUCTS) else 6
            x, y = zip(*points, strict=True)
            axes.plot(x, y, marker, color=colour, markersize=size, markeredgewidth=1.5, label=name)
    axes.set(xscale="log", ylim=(len(cells) - 0.5, -0.5))
    axes.set_yticks(range(len(cells)), [cell["name"] for cell in cells], fontsize=9)
    plain_log(axes.xaxis)
    axes.grid(color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_xlabel("microseconds a step")
    figure.legend(
        title=suite, title_fontsize="large", loc="outside upper center", ncols=3, frameon=False
    )
    return figure
