"""What the pictures share: colours, the frame, the scales, the axis on top.

Nothing here writes to rcParams. Matplotlib is imported inside the functions that need it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.collections import LineCollection
    from matplotlib.legend import Legend
    from matplotlib.ticker import MaxNLocator

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


def require_matplotlib(what: str) -> None:
    """Fail in one sentence when matplotlib is missing."""
    try:
        import matplotlib  # noqa: F401  # only to see that it is there
    except ImportError as error:
        raise ImportError(
            f"{what} needs matplotlib, which is not installed. "
            "Install it with the plot extra: pip install 'skreg[plot]'"
        ) from error


def axes(what: str, ax: Axes | None) -> Axes:
    """Take the axes given, or make some on a new pyplot figure; `what` needs them."""
    require_matplotlib(what)
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained")[1]


def axes_for(ax: Any, n: int, what: str, **options: Any) -> list[Axes]:
    """List the axes of n panels: those given, or new ones below one another.

    A new figure has the width that the user has set, and half the height for each panel more.

    Raises
    ------
    ValueError
        So many are not given; `what` names the panels.
    """
    import matplotlib.pyplot as plt

    if ax is None:
        width, height = plt.rcParams["figure.figsize"]
        size = width, height * (n + 1) / 2
        _, ax = plt.subplots(n, figsize=size, squeeze=False, layout="constrained", **options)
    given = list(np.ravel(np.asarray(ax, dtype=object)))
    if len(given) != n:
        raise ValueError(f"{len(given)} axes are given for {n} {what}")
    return given


def colors() -> list[str]:
    """List the colours of a picture: the user's cycle, or ours where that is matplotlib's own."""
    from matplotlib import rcParams, rcParamsDefault

    cycle = rcParams["axes.prop_cycle"]
    own = cycle.by_key().get("color", [])
    if own and cycle != rcParamsDefault["axes.prop_cycle"]:
        return list(own)
    return [*_COLORS, rcParams["text.color"]]


class Shades(NamedTuple):
    """Greys between the user's text colour and background, from the strongest."""

    ink: tuple[float, ...]
    muted: tuple[float, ...]
    faint: tuple[float, ...]


def shades(ax: Axes) -> Shades:
    """Mix the greys of a picture, which are light on a dark background."""
    from matplotlib import rcParams
    from matplotlib.colors import to_rgba

    faces = (to_rgba(ax.get_facecolor()), to_rgba(ax.figure.get_facecolor()), (1.0, 1.0, 1.0, 1.0))
    ground = np.array(next(face for face in faces if face[3])[:3])
    text = np.array(to_rgba(rcParams["text.color"])[:3])
    return Shades(*(tuple(text + share * (ground - text)) for share in (0.25, 0.75, 0.88)))


def styled(artist: AnyArtist, overrides: Kwargs, **defaults: Any) -> AnyArtist:
    """Style an artist by our defaults, then by the keys that the user names (aliases work too)."""
    artist.set(**defaults)
    if overrides:
        artist.set(**overrides)
    return artist


def draw_lines(
    ax: Axes, segments: Sequence[NDArray[Any]], overrides: Kwargs, zorder: float = 1, **style: Any
) -> LineCollection:
    """Draw many lines as one artist, thin and grey unless said otherwise, within the limits."""
    from matplotlib.collections import LineCollection

    lines = LineCollection(segments, zorder=zorder)
    styled(lines, overrides, **{"color": shades(ax).muted, "linewidth": 0.5, **style})
    ax.add_collection(lines, autolim=False)
    return lines


def text_size(ax: Axes) -> float:
    """Point size for all text of one picture: the user's font size, smaller on narrow axes."""
    from matplotlib import rcParams
    from matplotlib.font_manager import FontProperties

    base = FontProperties(size=rcParams["font.size"]).get_size_in_points()
    width = ax.get_window_extent().width / ax.figure.dpi
    return min(base, _NARROW_POINTS) if width < _NARROW_INCHES else base


def height_in_points(ax: Axes) -> float:
    return float(ax.get_window_extent().height / ax.figure.dpi * 72)


def frame(ax: Axes, *, xlabel: str, ylabel: str, size: float) -> None:
    """Light spines, short ticks, labelled axes."""
    ink = shades(ax).ink
    ax.spines["right"].set_visible(False)
    ax.spines["top"].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set(color=ink, linewidth=0.6)
    ax.tick_params(which="both", width=0.6, color=ink, labelsize=size)
    ax.tick_params(which="major", length=3)
    ax.tick_params(which="minor", length=1.5)
    ax.set_xlabel(xlabel, fontsize=size)
    ax.set_ylabel(ylabel, fontsize=size)
    for text in (ax.xaxis.get_offset_text(), ax.yaxis.get_offset_text()):
        text.set_fontsize(size)


def whole_numbers() -> MaxNLocator:
    """Put ticks at a few whole numbers."""
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(6, integer=True)


def few_ticks(ax: Axes, size: float) -> MaxNLocator:
    """Put as many ticks on the x-axis as numbers of five letters fit there with some air."""
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(int(np.clip(letters(ax, size) / 9, 2, 9)))


def legend_height(n_lines: int, size: float) -> float:
    """Points that a legend of so many lines takes, with the gap below it."""
    return 1.5 * size * n_lines + 0.5 * size * (n_lines > 0)


def letters(ax: Axes, size: float) -> int:
    """Count the letters that fit on the width of the axes, at half the type's size for each."""
    return int(ax.get_window_extent().width / ax.figure.dpi * 72 / (0.5 * size))


def legend_columns(ax: Axes, labels: Sequence[str], size: float) -> int:
    """Find how many columns of a legend fit on the width of the axes."""
    widths = [len(label) + 7 for label in labels]  # a handle and the gaps are as seven letters
    for n_columns in range(len(labels), 1, -1):
        columns = np.array_split(widths, n_columns)
        if sum(int(column.max()) for column in columns) < 0.95 * letters(ax, size):
            return n_columns
    return 1


def legend(
    ax: Axes,
    handles: Sequence[Any],
    labels: Sequence[str],
    size: float,
    overrides: Kwargs,
) -> Legend:
    """Write a narrow legend at the top of the axes, where the caller has left room."""
    options: dict[str, Any] = {"loc": "upper left", "frameon": False, "fontsize": size}
    options |= {"borderpad": 0.1, "borderaxespad": 0.1, "labelspacing": 0.25, "columnspacing": 1.0}
    return ax.legend(handles, labels, **{**options, **(overrides or {})})


def alpha_axis(ax: Axes, alphas: NDArray[np.float64]) -> str:
    """Give the x-axis the scale of a penalty and return its label.

    The scale is logarithmic. Where the path goes down to alpha = 0, the part from the smallest
    positive alpha to 0 is linear.
    """
    from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

    positive = alphas[alphas > 0]
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
            few = (
                MaxNLocator(5) if span < 0.7 else LogLocator(subs=(1, 2, 5) if span < 1 else (1, 3))
            )
            ax.xaxis.set_major_locator(few)
            ax.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        ax.xaxis.set_minor_formatter(NullFormatter())
    return r"penalty $\alpha$"


def limit_x(ax: Axes, first: float, last: float) -> None:
    """Limits from `first` (left) to `last` (right) on the axes' own scale, with a little margin.

    What other axes with the same x-axis show already stays in view.
    """
    scale = ax.xaxis.get_transform()
    left, right = scale.transform(np.array([first, last], dtype=float))
    if left == right:
        step = -0.5 if ax.get_xscale() == "log" else 0.5
        left, right = left - step, right + step
    margin = 0.02 * (right - left)
    ends = np.array([left - margin, right + margin])
    if _shown_elsewhere(ax, ax.get_shared_x_axes()):
        ends = np.append(ends, scale.transform(np.array(ax.get_xlim())))
    ends = np.sort(ends)[[0, -1]] if left < right else np.sort(ends)[[-1, 0]]
    ax.set_xlim(*scale.inverted().transform(ends))


def limit_y(ax: Axes, low: float, high: float, headroom: float) -> None:
    """Limits around the data, with a share `headroom` of the height kept free above it.

    They are worked out on the axes' own scale. What other axes with the same y-axis show already
    stays in view. Data above zero have limits above zero, so that the scale may become logarithmic.
    """
    scale, lowest = ax.yaxis.get_transform(), low
    low, high = scale.transform(np.array([low, high], dtype=float))
    if low == high:
        low, high = low - 1.0, high + 1.0
    bottom, top = low - 0.04 * (high - low), high + 0.04 * (high - low)
    top = bottom + (top - bottom) / (1 - headroom)
    if _shown_elsewhere(ax, ax.get_shared_y_axes()):
        shown = scale.transform(np.array(ax.get_ylim()))
        bottom, top = min(bottom, *shown), max(top, *shown)
    bottom, top = scale.inverted().transform([bottom, top])
    ax.set_ylim(max(bottom, lowest / 2) if lowest > 0 else bottom, top)


def _shown_elsewhere(ax: Axes, shared: Any) -> bool:
    """Say whether other axes with the same axis show data."""
    return any(other is not ax and other.has_data() for other in shared.get_siblings(ax))
