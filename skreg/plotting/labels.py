"""Labels in the pictures: marked alphas and named line ends, none over another.

Where they go is worked out when the figure is drawn, so it follows the figure's size and layout.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.isotonic import isotonic_regression

from .naming import shorten_apart
from .style import Canvas, Kwargs, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backend_bases import RendererBase
    from matplotlib.lines import Line2D
    from matplotlib.text import Annotation, Text
    from matplotlib.transforms import Bbox, Transform

_SAME_ALPHA = 1e-9  # relative difference up to which two alphas are one
_LABEL_GAP = 12.0  # points between the axes and the names on their right


class Mark(NamedTuple):
    """An alpha to mark, its label, and whether its line is solid rather than dashed."""

    alpha: float
    label: str
    solid: bool


def alphas_to_mark(
    alphas: NDArray[np.float64],
    alpha_min: float | None,
    alpha_1se: float | None,
    alpha: float | None,
) -> list[Mark]:
    """List the alphas to mark; equal ones share a mark, and the one in use is solid.

    Raises
    ------
    ValueError
        One lies outside the range of `alphas`.
    """
    named = [(alpha_1se, "1se"), (alpha_min, "min"), (alpha, rf"$\alpha$ = {alpha or 0:.3g}")]
    in_use = alpha if alpha is not None else alpha_min if alpha_min is not None else alpha_1se
    low, high = float(alphas.min()), float(alphas.max())
    marks: list[Mark] = []
    for value, label in named:
        if value is None or np.isnan(value):
            continue
        if not low * (1 - _SAME_ALPHA) <= value <= high * (1 + _SAME_ALPHA):
            raise ValueError(
                f"alpha = {value:.6g} cannot be marked: the path runs from {high:.6g} to {low:.6g}"
            )
        if marks and _same(value, marks[-1].alpha):
            if label == "min":
                marks[-1] = marks[-1]._replace(label="min = 1se")
        elif not any(_same(value, mark.alpha) for mark in marks):
            marks.append(Mark(value, label, in_use is not None and _same(value, in_use)))
    return marks


def _same(first: float, second: float) -> bool:
    return bool(np.isclose(first, second, rtol=_SAME_ALPHA, atol=0))


def headroom_for(marks: Sequence[Mark], canvas: Canvas) -> float:
    """Work out the share of the axes' height that one line of labels takes."""
    return min(0.3, 1.7 * canvas.size / canvas.height) if marks else 0.0


def draw_marks(
    canvas: Canvas,
    marks: Sequence[Mark],
    xs: Sequence[float],
    line_kwargs: Kwargs,
    label_kwargs: Kwargs,
) -> tuple[list[Line2D], list[Annotation]]:
    """Draw vertical lines, each with its label centred above it or moved aside just enough."""
    lines: list[Line2D] = []
    labels: list[Annotation] = []
    ax, ink, size = canvas.ax, canvas.ink, canvas.size
    row = _RowAbove(ax, xs, labels, 0.5 * size)
    for index, (mark, x) in enumerate(zip(marks, xs, strict=True)):
        line = ax.axvline(x, 0, 1 - headroom_for(marks, canvas), zorder=1.5)
        dashes = "-" if mark.solid else (0, (3, 2))
        lines.append(styled(line, line_kwargs, color=ink, linewidth=0.8, linestyle=dashes))
        label = ax.annotate(
            mark.label,
            xy=(x, 0.5),
            xycoords=ax.get_xaxis_transform(),
            xytext=(0, 0),
            textcoords=partial(row.place, index),
            ha="center",
            va="top",
            annotation_clip=True,  # what is out of view after a change of limits has no label
        )
        labels.append(styled(label, label_kwargs, color=ink, fontsize=size))
    return lines, labels


def room_for(n_labels: int, canvas: Canvas) -> int:
    """Count how many of the names fit on the height of the axes."""
    # A fifth of the slot may go to the axis labels, which take their room only when drawn.
    fits = int(0.8 * canvas.height / (1.25 * canvas.size))
    return max(0, min(n_labels, fits))


def by_size(coefs: NDArray[np.float64], column: int) -> NDArray[np.intp]:
    """Order features by the size of their coefficients in a column, the largest first.

    Those that are zero there come after the others, by their largest coefficient in any column;
    those that are zero throughout are left out.
    """
    ever = np.flatnonzero(coefs.any(axis=1))
    sizes = np.abs(coefs[ever])
    return ever[np.lexsort((-sizes.max(axis=1, initial=0), -sizes[:, column]))]


def name_line_ends(
    canvas: Canvas,
    lines: Sequence[Line2D],
    names: Sequence[str],
    label_kwargs: Kwargs,
    of_all: list[Annotation] | None = None,
    within: tuple[float, float] = (-np.inf, np.inf),
) -> list[Annotation]:
    """Write each line's name on the right of the axes, as near to the line's end as fits.

    A line that ends above or below what it is to be `within`, as the axes are, counts as ending
    there.

    Places are worked out whenever the figure is drawn, so they follow its size and its layout. The
    labels are added to those `of_all` panels, whose widest one decides how wide each panel is.
    """
    labels: list[Annotation] = []
    ax = canvas.ax
    points = [_points(line) for line in lines]
    for each in points:
        np.clip(each[:, 1], *within, out=each[:, 1])
    column = _ColumnOnTheRight(ax, points, labels, labels if of_all is None else of_all)
    for index, (line, name) in enumerate(
        zip(lines, shorten_apart(names, canvas.longest_name(24)), strict=True)
    ):
        label = ax.annotate(
            name,
            xy=points[index][-1],
            xytext=(0, 0),
            textcoords=partial(column.place, index),
            ha="left",
            va="center",
            annotation_clip=True,  # a line that is out of view has no label
            parse_math=False,
            arrowprops={
                "arrowstyle": "-",
                "linewidth": 0.5,
                "color": line.get_color(),
                "relpos": (0, 0.5),
                "shrinkA": 1.5,
                "shrinkB": 0,
            },
        )
        labels.append(styled(label, label_kwargs, color=line.get_color(), fontsize=canvas.size))
    if of_all is not None:
        of_all += labels
    if labels or of_all is not None:
        ax.set_axes_locator(column)
    return labels


# Matplotlib asks these for a place whenever it draws, and so works their answer into the layout.
# They are classes because a figure that holds local functions cannot be pickled.


class _RowAbove:
    """Places labels side by side at the top of the axes; `pad` is in points."""

    def __init__(self, ax: Axes, xs: Sequence[float], labels: Sequence[Text], pad: float) -> None:
        self.ax, self.xs, self.labels, self.pad = ax, xs, labels, pad

    def place(self, index: int, renderer: RendererBase) -> Transform:
        from matplotlib.transforms import Affine2D

        ax = self.ax
        pad = self.pad * ax.figure.dpi / 72
        targets = ax.get_xaxis_transform().transform([(x, 1.0) for x in self.xs])[:, 0]
        widths = [_text_box(label, renderer).width + pad for label in self.labels]
        centres = spread(targets, widths, ax.bbox.x0, ax.bbox.x1 + pad)
        return Affine2D().translate(centres[index], ax.bbox.y1 - 0.2 * pad)


class _ColumnOnTheRight:
    """Places names on the right of the axes, and is the locator that makes room for them.

    As a locator it narrows the axes within their slot by the width of the names, and keeps each
    name at the last point of its line that is in view. The slot itself stays as it is, so this
    works with any layout engine and with none. Panels of one picture are as wide as each other,
    by the widest name of all of them.
    """

    def __init__(
        self,
        ax: Axes,
        lines: Sequence[NDArray[np.float64]],
        labels: Sequence[Annotation],
        of_all: Sequence[Annotation],
    ) -> None:
        self.ax, self.lines, self.labels, self.of_all = ax, lines, labels, of_all

    def place(self, index: int, renderer: RendererBase) -> Transform:
        from matplotlib.transforms import Affine2D

        ax = self.ax
        point = ax.figure.dpi / 72
        targets = ax.transData.transform([label.xy for label in self.labels])[:, 1]
        heights = [_text_box(label, renderer).height + 0.5 * point for label in self.labels]
        # A label may stand half its height beyond the axes: there is nothing else there.
        slack = max(heights) / 2
        centres = spread(targets, heights, ax.bbox.y0 - slack, ax.bbox.y1 + slack)
        return Affine2D().translate(ax.bbox.x1 + _LABEL_GAP * point, centres[index])

    def __call__(self, ax: Any, renderer: RendererBase | None) -> Bbox:
        from matplotlib.transforms import Bbox

        for points, label in zip(self.lines, self.labels, strict=True):
            label.xy, on_the_right = _end_in_view(ax, points)
            if label.arrow_patch is not None:  # no leader goes across the lines
                label.arrow_patch.set_visible(on_the_right)
        slot = ax.get_position(original=True)
        widest = max((_text_box(label, renderer).width for label in self.of_all), default=0.0)
        taken = (widest + _LABEL_GAP * ax.figure.dpi / 72) / ax.figure.bbox.width
        width = max(slot.width - taken, 0.3 * slot.width)
        return Bbox.from_bounds(slot.x0, slot.y0, width, slot.height)

    def get_subplotspec(self) -> Any:
        """Give the slot's place in a grid, which tight_layout asks for."""
        return self.ax.get_subplotspec()


def _points(line: Line2D) -> NDArray[np.float64]:
    """List the points of a line, masked ones too."""
    return np.column_stack([np.asarray(line.get_xdata()), np.asarray(line.get_ydata())])


def _end_in_view(ax: Axes, points: NDArray[Any]) -> tuple[tuple[float, float], bool]:
    """Find where a line ends or leaves the axes on the right, and whether it runs to the right."""
    to_axes = ax.transData - ax.transAxes
    x, y = to_axes.transform(points).T
    if x[-1] <= 1 or x[0] > 1:
        return (float(points[-1, 0]), float(points[-1, 1])), bool(x[-1] >= x[0])
    last = int(np.argmax(x > 1))
    share = (1 - x[last - 1]) / (x[last] - x[last - 1])
    end = to_axes.inverted().transform((1.0, y[last - 1] + share * (y[last] - y[last - 1])))
    return (float(end[0]), float(end[1])), True


def _text_box(label: Text, renderer: RendererBase | None) -> Bbox:
    """Measure the text alone: an annotation's own method would add its leader line."""
    from matplotlib.text import Text

    return Text.get_window_extent(label, renderer)


def spread(targets: ArrayLike, sizes: ArrayLike, low: float, high: float) -> NDArray[np.float64]:
    """Find the centres nearest to the targets (least squares) at which no labels overlap.

    With the order kept, "no overlap" says that the centres, each less the room taken by the labels
    before it, increase. So the answer is an isotonic regression, clipped to the interval.

    Parameters
    ----------
    targets : array-like of shape (n_labels,)
        Where each label would be centred if it were alone.
    sizes : array-like of shape (n_labels,)
        Length of each label along the axis, in the unit of the targets.
    low, high : float
        The interval that holds all labels. Where they do not fit, they share it in proportion to
        their sizes, and then do overlap.

    Returns
    -------
    ndarray of shape (n_labels,)
        The centres, in the order of the targets.
    """
    wanted = np.asarray(targets, dtype=np.float64)
    lengths = np.asarray(sizes, dtype=np.float64)
    if wanted.size == 0:
        return wanted
    lengths = lengths * min(1.0, (high - low) / float(lengths.sum()))
    order = np.argsort(wanted, kind="stable")
    half = lengths[order] / 2
    # Distance from the first centre to each centre when the labels touch.
    reach = np.append(0.0, np.cumsum(half[:-1] + half[1:]))
    first, last = low + half[0], high - half[-1] - reach[-1]
    # max after min: where rounding crosses the two bounds, the lower one wins.
    shifted = np.maximum(np.minimum(isotonic_regression(wanted[order] - reach), last), first)
    centres = np.empty_like(wanted)
    centres[order] = shifted + reach
    return centres
