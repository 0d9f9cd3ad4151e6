"""The axis on top of a path: a count at points of the path, whatever becomes of the axis below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .style import Canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axes._secondary_axes import SecondaryAxis
    from matplotlib.backend_bases import RendererBase
    from matplotlib.transforms import Bbox


def top_axis(
    canvas: Canvas, x: NDArray[np.float64], counts: tuple[NDArray[Any], str] | None
) -> SecondaryAxis | None:
    """Add an axis on top, with ticks at points of the path, so that each value shown is exact.

    Points without a value have no tick; where there is no value at all, there is no axis.
    """
    values, label = counts or (np.empty(0), "")
    known = np.isfinite(values)
    if not known.any():
        return None
    ax, size = canvas.ax, canvas.size
    # The default functions of a secondary axis would keep the figure from being pickled.
    top = ax.secondary_xaxis("top", functions=(np.positive, np.positive))
    top.set_xlabel(label, fontsize=size)
    top.tick_params(length=2.5, width=0.6, color=canvas.muted, labelsize=size)
    top.spines["top"].set(color=canvas.muted, linewidth=0.6)
    # The power of ten of large y stands above the axes: to their left it leaves the counts free.
    ax.yaxis.get_offset_text().set(horizontalalignment="right", verticalalignment="bottom")
    top.set_axes_locator(_TicksOnPath(ax, top, x[known], values[known], size))
    return top


class _TicksOnPath:
    """Sets the ticks anew whenever the axis below has another scale or other limits.

    It stands before the locator of the secondary axis, which Matplotlib asks when it draws. It is
    a class because a figure that holds local functions cannot be pickled.
    """

    def __init__(
        self, ax: Axes, top: SecondaryAxis, x: NDArray[Any], values: NDArray[Any], size: float
    ) -> None:
        self.ax, self.top, self.x, self.values, self.size = ax, top, x, values, size
        self.place: Any = top.get_axes_locator()
        self.seen: tuple[Any, ...] = ()
        self._follow()

    def __call__(self, _: Any, renderer: RendererBase | None) -> Bbox:
        # Matplotlib 3.8 asks with the axes below in place of the axis on top.
        self._follow()
        place: Bbox = self.place(self.top, renderer)
        return place

    def _follow(self) -> None:
        ax, top = self.ax, self.top
        # The axis on top loses its ticks' labels when its scale follows the one below.
        if self.seen == (ax.get_xscale(), *ax.get_xlim(), top.get_xscale()):
            return
        if ax.get_xscale() == "symlog":
            # A secondary axis follows linear and log scales by itself, but knows no other one.
            # Scales have no common type with these attributes, hence getattr.
            scale = ax.xaxis.get_transform()
            own = {name: getattr(scale, name) for name in ("base", "linthresh", "linscale")}
            top.set_xscale("symlog", **own)
            top.set_xlim(ax.get_xlim())
        followed = ax.get_xscale() in ("linear", "log", "symlog")
        ticks = self._spaced_points() if followed else []
        top.set_xticks(self.x[ticks], labels=[_number(self.values[index]) for index in ticks])
        top.minorticks_off()
        self.seen = (ax.get_xscale(), *ax.get_xlim(), top.get_xscale())

    def _spaced_points(self) -> list[int]:
        """Choose points of the path that are in view and about evenly spaced there."""
        ax = self.ax
        locator: Any = ax.get_axes_locator()
        # Names on the right have taken some of the width, though they will show it only when drawn.
        box = locator(ax, None) if locator else ax.get_position(original=True)
        width = box.width * ax.figure.bbox.width / ax.figure.dpi * 72
        n_ticks = int(np.clip(width / (4 * self.size), 3, 9))
        scale = ax.xaxis.get_transform()
        shown = scale.transform(self.x)
        low, high = np.sort(scale.transform(np.array(ax.get_xlim())))
        in_view = np.flatnonzero((low <= shown) & (shown <= high))
        if not in_view.size:
            return []
        places = shown[in_view]
        wanted, step = np.linspace(places.min(), places.max(), n_ticks, retstep=True)
        ticks: list[int] = []
        for target in wanted:
            index = int(in_view[np.argmin(np.abs(places - target))])
            if not ticks or all(abs(shown[index] - shown[other]) > 0.6 * step for other in ticks):
                ticks.append(index)
        return sorted(ticks)


def _number(value: float) -> str:
    """Write a count in full, and a small number with a decimal."""
    return f"{value:.0f}" if value >= 10 or value == round(value) else f"{value:.1f}"
