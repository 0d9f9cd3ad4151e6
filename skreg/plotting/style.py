"""What the pictures share: axes to draw on, with their frame, scales, colours and size of text.

Nothing here writes to rcParams. Matplotlib is imported inside the functions that need it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.axes._secondary_axes import SecondaryAxis
    from matplotlib.collections import LineCollection
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend
    from matplotlib.lines import Line2D

    AnyArtist = TypeVar("AnyArtist", bound=Artist)

Kwargs = Mapping[str, Any] | None

# Used unless the user has set a colour cycle: Okabe and Ito's colours without the yellow, and
# somewhat darker, because each also has to carry a name in small type on white; still apart for
# every kind of colour blindness. The seventh colour is that of the text. Seven colours and four
# line styles share no factor, so the first 28 pairs differ.
_COLORS = ("#00609A", "#C85200", "#009E73", "#C06A99", "#45A3DB", "#C98B00")
LINESTYLES = ("-", (0, (5, 1.5)), (0, (6, 1.5, 1, 1.5)), (0, (1.2, 1.2)))

_NARROW_INCHES = 4.5  # below this width of the axes' slot, text is set a size smaller
_NARROW_POINTS = 8.0
_MOST_IN_A_COLUMN = 4  # panels below one another; more of them stand in two columns


class Display:
    """A picture: its data are fields, and its artists attributes, once `plot` has drawn them."""

    ax_: Axes
    figure_: Figure

    def _canvas(self, ax: Axes | None) -> Canvas:
        """Take the axes given, or make some on a new pyplot figure."""
        return self._canvases(ax, 1, "picture")[0]

    def _canvases(
        self, ax: Any, n: int, of: str, *, n_columns: int = 1, **options: Any
    ) -> list[Canvas]:
        """Take the axes given for n panels, or make new ones below one another.

        A new figure has the width that the user has set, and half the height for each row more.

        Raises
        ------
        ImportError
            Matplotlib is not installed.
        TypeError
            Something else is given.
        ValueError
            So many are not given, `of` names the panels; or they are polar, say.
        """
        try:
            from matplotlib.axes import Axes
        except ImportError as error:
            raise ImportError(
                f"{type(self).__name__}.plot needs matplotlib, which is not installed. "
                "Install it with the plot extra: pip install 'skreg[plot]'"
            ) from error
        if ax is None:
            import matplotlib.pyplot as plt

            width, height = plt.rcParams["figure.figsize"]
            n_rows = -(-n // n_columns)
            options |= {"figsize": (width, height * (n_rows + 1) / 2), "layout": "constrained"}
            figure, axes = plt.subplots(n_rows, n_columns, squeeze=False, **options)
            ax = axes.ravel()[:n]
            for spare in axes.ravel()[n:]:
                figure.delaxes(spare)
        given = list(np.ravel(np.asarray(ax, dtype=object)))
        for each in given:
            if not isinstance(each, Axes):
                raise TypeError(f"ax must be matplotlib Axes, got {each!r}")
            if each.name != "rectilinear":
                raise ValueError(f"ax must be rectilinear, and has the projection {each.name!r}")
        if len(given) != n:
            raise ValueError(f"{len(given)} axes are given for {n} {of}")
        canvases = [Canvas(each) for each in given]
        self._draws_on(canvases[0])
        return canvases

    def _draws_on(self, canvas: Canvas) -> None:
        figure: Any = canvas.ax.figure
        self.ax_, self.figure_ = canvas.ax, figure

    def _class_canvases(self, ax: Any, n: int, *, sharey: bool = False) -> list[Canvas]:
        """Take the axes given for n classes, or make new ones that share their x-axis."""
        of = "classes (target= chooses one)" if n > 1 else "picture"
        n_columns = 1 if n <= _MOST_IN_A_COLUMN else 2
        return self._canvases(ax, n, of, n_columns=n_columns, sharex=True, sharey=sharey)


class Canvas:
    """Axes to draw on.

    Attributes
    ----------
    ax : Axes
    width, height : float
        Those of the axes, in points.
    size : float
        Points of all text: the user's font size, smaller on narrow axes.
    ink, muted, faint : tuple of float
        Greys between the user's text colour and background, from the strongest; light on dark.
    colors : list of str
        The user's cycle, or ours where that is matplotlib's own.
    """

    def __init__(self, ax: Axes) -> None:
        from matplotlib import rcParams, rcParamsDefault
        from matplotlib.colors import to_rgba
        from matplotlib.font_manager import FontProperties

        self.ax = ax
        window, dpi = ax.get_window_extent(), ax.figure.dpi
        self.width, self.height = window.width / dpi * 72, window.height / dpi * 72
        self.size = FontProperties(size=rcParams["font.size"]).get_size_in_points()
        if window.width / dpi < _NARROW_INCHES:
            self.size = min(self.size, _NARROW_POINTS)
        faces = [to_rgba(each.get_facecolor()) for each in (ax, ax.figure)] + [(1.0, 1.0, 1.0, 1.0)]
        ground = np.array(next(face for face in faces if face[3])[:3])
        text = np.array(to_rgba(rcParams["text.color"])[:3])
        self.ink, self.muted, self.faint = (
            tuple(text + share * (ground - text)) for share in (0.25, 0.75, 0.88)
        )
        cycle = rcParams["axes.prop_cycle"]
        self.colors = [*_COLORS, rcParams["text.color"]]
        if cycle != rcParamsDefault["axes.prop_cycle"]:
            self.colors = list(cycle.by_key().get("color", self.colors))

    def color(self, place: int) -> str:
        """Take a colour of the cycle."""
        return self.colors[place % len(self.colors)]

    def line(self, xy: Any, overrides: Kwargs, **style: Any) -> Line2D:
        """Draw a line, or points, from their two coordinates."""
        return styled(self.ax.plot(*xy)[0], overrides, **style)

    def lines(
        self, segments: Sequence[NDArray[Any]], overrides: Kwargs, **style: Any
    ) -> LineCollection:
        """Draw many lines as one artist, thin and grey unless said otherwise, in the limits."""
        from matplotlib.collections import LineCollection

        thin: dict[str, Any] = {"color": self.muted, "linewidth": 0.5, "zorder": 1}
        drawn = styled(LineCollection(segments), overrides, **{**thin, **style})
        self.ax.add_collection(drawn, autolim=False)
        return drawn

    def frame(self, xlabel: str, ylabel: str) -> None:
        """Light spines, short ticks, labelled axes."""
        ax, size = self.ax, self.size
        ax.spines[["right", "top"]].set_visible(False)
        ax.spines[["left", "bottom"]].set(color=self.ink, linewidth=0.6)
        ax.tick_params(which="both", width=0.6, color=self.ink, labelsize=size)
        ax.tick_params(which="major", length=3)
        ax.tick_params(which="minor", length=1.5)
        ax.set_xlabel(xlabel, fontsize=size)
        ax.set_ylabel(ylabel, fontsize=size)
        for text in (ax.xaxis.get_offset_text(), ax.yaxis.get_offset_text()):
            text.set_fontsize(size)

    def title(self, text: str) -> None:
        """Write what a panel is of above it."""
        self.ax.set_title(text, fontsize=self.size, fontweight="bold", parse_math=False)

    @property
    def letters(self) -> int:
        """How many letters fit on the width, at half the type's size for each."""
        return int(self.width / (0.5 * self.size))

    def longest_name(self, most: int) -> int:
        """How many letters a name may have, on up to two fifths of the width."""
        return int(np.clip(self.width / (1.3 * self.size), 10, most))

    def legend_share(self, n_lines: int) -> float:
        """Share of the height that a legend of so many lines takes, with the gap below it."""
        return (1.5 * n_lines + 0.5 * (n_lines > 0)) * self.size / self.height

    def legend_columns(self, labels: Sequence[str]) -> int:
        """Find how many columns of a legend fit on the width."""
        widths = [len(label) + 7 for label in labels]  # a handle and the gaps are as seven letters
        for n_columns in range(len(labels), 1, -1):
            columns = np.array_split(widths, n_columns)
            if sum(int(column.max()) for column in columns) < 0.95 * self.letters:
                return n_columns
        return 1

    def legend(
        self, handles: Sequence[Any], labels: Sequence[str], overrides: Kwargs, **style: Any
    ) -> Legend:
        """Write a narrow legend at the top, where the caller has left room."""
        options: dict[str, Any] = {"loc": "upper left", "frameon": False, "fontsize": self.size}
        options |= {"borderpad": 0.1, "borderaxespad": 0.1, "labelspacing": 0.25}
        return self.ax.legend(
            handles, labels, **{**options, "columnspacing": 1.0, **style, **(overrides or {})}
        )

    def alpha_axis(self, alphas: NDArray[np.float64]) -> str:
        """Give the x-axis the scale and limits of a penalty and return its label.

        The scale is logarithmic. Where the path goes down to alpha = 0, the part from the smallest
        positive alpha to 0 is linear.
        """
        from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

        ax, positive = self.ax, alphas[alphas > 0]
        if positive.size < alphas.size:
            smallest, largest = (positive.min(), positive.max()) if positive.size else (1.0, 1.0)
            ax.set_xscale("symlog", linthresh=smallest)
            decades = np.arange(np.ceil(np.log10(smallest)), np.floor(np.log10(largest)) + 1)
            ax.set_xticks([0.0, *10.0 ** decades[:: max(1, len(decades) // 5)]])
        else:
            ax.set_xscale("log")
            # Powers of ten alone are too few labels for a short path; Matplotlib's choice, all the
            # digits between them, runs into one another.
            span = np.log10(positive.max() / positive.min())
            if span < 2.5:
                subs = (1, 2, 5) if span < 1 else (1, 3)
                few = MaxNLocator(5) if span < 0.7 else LogLocator(subs=subs)
                ax.xaxis.set_major_locator(few)
                ax.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
            ax.xaxis.set_minor_formatter(NullFormatter())
        self.limit_x(alphas.max(), alphas.min())
        return r"penalty $\alpha$"

    def limit_x(self, first: float, last: float) -> None:
        """Limits from `first` (left) to `last` (right), with a little margin."""
        step = -0.5 if self.ax.get_xscale() == "log" else 0.5
        self.ax.set_xlim(*self._limits("x", first, last, step, 0.02))

    def spread_y(self) -> None:
        """Give the y-axis a logarithmic scale, unless it is that of other axes too."""
        if len(self.ax.get_shared_y_axes().get_siblings(self.ax)) == 1:
            self.ax.set_yscale("log")

    def limit_y(self, low: float, high: float, headroom: float) -> None:
        """Limits around the data, with a share `headroom` of the height kept free above it.

        Data above zero have limits above zero, so that the scale may become logarithmic.
        """
        bottom, top = self._limits("y", low, high, 1.0, 0.04, headroom)
        self.ax.set_ylim(max(bottom, low / 2) if low > 0 else bottom, top)

    def _limits(
        self, which: str, first: float, last: float, step: float, margin: float, free: float = 0.0
    ) -> tuple[float, float]:
        """Work out limits on the axis's own scale.

        What other axes that share it show already stays in view. Limits that are equal move apart
        by two steps.
        """
        axis = getattr(self.ax, f"{which}axis")
        shared, scale = getattr(self.ax, f"get_shared_{which}_axes")(), axis.get_transform()
        start, end = scale.transform(np.array([first, last], dtype=float))
        if start == end:
            start, end = start - step, end + step
        length = end - start
        start, end = start - margin * length, end + margin * length
        if free:
            end = start + (end - start) / (1 - free)
        others = [each for each in shared.get_siblings(self.ax) if each is not self.ax]
        if any(each.has_data() for each in others):
            near, far = (min, max) if start < end else (max, min)
            shown = scale.transform(np.array(axis.get_view_interval()))
            start, end = near(start, *shown), far(end, *shown)
        return tuple(scale.inverted().transform([start, end]))


def styled(artist: AnyArtist, overrides: Kwargs, **defaults: Any) -> AnyArtist:
    """Style an artist by our defaults, then by the keys that the user names (aliases work too)."""
    artist.set(**defaults)
    artist.set(**(overrides or {}))
    return artist


def label_outer(panels: Sequence[Axes], tops: Sequence[SecondaryAxis | None] = ()) -> None:
    """Leave out what an axis shares with that of the panel below, or on the left, in one grid.

    So do the axes on top, if there are some, with that of the panel above.
    """
    places = [ax.get_subplotspec() for ax in panels]
    cells = [
        (id(place.get_gridspec()), place.rowspan.start, place.colspan.start)
        for place in places
        if place is not None
    ]
    if len(cells) < len(panels) or len({grid for grid, _, _ in cells}) > 1:
        return
    for ax, (_, row, column) in zip(panels, cells, strict=True):
        beside = list(zip(panels, cells, strict=True))
        shares_x, shares_y = ax.get_shared_x_axes(), ax.get_shared_y_axes()
        if any(shares_x.joined(ax, o) and r > row and c == column for o, (_, r, c) in beside):
            ax.set_xlabel("")
        else:  # also where the last row of the grid has no panel below
            ax.tick_params(axis="x", labelbottom=True)
        if any(shares_y.joined(ax, o) and r == row and c < column for o, (_, r, c) in beside):
            ax.set_ylabel("")
    for top, (_, row, column) in zip(tops, cells, strict=False):
        if top is not None and any(r < row and c == column for _, r, c in cells):
            top.set_xlabel("")
