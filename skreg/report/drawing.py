"""From a figure to an SVG that stands in a page beside others."""

from __future__ import annotations

import re
import textwrap
import warnings
from collections.abc import Callable
from io import BytesIO, StringIO
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree import ElementTree

import numpy as np

from .wording import numeral

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# At 4 inches the text is 8 points: two stand side by side on a screen, one fills a phone.
PICTURE_WIDTH, HEIGHT = 4.0, 3.0
INK, BLUE = "#1a1a1a", "#00609A"
DASHED = (0, (3, 2))

_MOST_BINS = 8  # between the ticks of an axis
_WIDTH, _GAP, _HEIGHT = 0.65, 0.8, 2.5  # of a digit, between two numbers, of a line, in type sizes
_MARGIN = 0.05  # inches between a label and the edge
_DPI = 200  # of what is drawn as an image inside the SVG
_STYLE = {
    # Text stays text: it can be found and copied, and the reader's own fonts have its letters.
    "svg.fonttype": "none",
    "font.size": 8,
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
}
_MATHS = {r"$\alpha$": "α", r"$\times$": "×", r"$\ell_1$": "ℓ₁"}


class Picture(NamedTuple):
    """A picture in a page."""

    svg: str  # an element; no two pictures of a page have an id in common
    caption: str


class Sketch(NamedTuple):
    """A picture before it is drawn: what draws it on a figure and returns the caption."""

    name: str
    draw: Callable[[Figure], str]
    height: float = HEIGHT


def picture(sketch: Sketch, key: str, of: str, width: float = PICTURE_WIDTH) -> Picture:
    """Draw on a figure of the report's own; the session's style and pyplot do not matter.

    The key tells this picture's ids from those of all others in the page; `of` says what it is of
    to those who cannot see it; the width is in inches.
    """
    import matplotlib.style
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    buffer = BytesIO()
    style: list[Any] = ["default", {**_STYLE, "svg.hashsalt": key}]
    with warnings.catch_warnings(), matplotlib.style.context(style):
        # The reader's browser finds a font for what DejaVu Sans has no letters for.
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from")
        figure = Figure(figsize=(width, sketch.height), dpi=72, layout="constrained")
        _measure_as_svg(figure)
        caption = sketch.draw(figure)
        for ax in figure.axes:
            _readable_numbers(ax)
        for text in figure.findobj(Text):
            # The letters of a formula would be set one by one, at the widths of another font.
            for maths, plain in _MATHS.items():
                text.set_text(text.get_text().replace(maths, plain))
        layout: Any = figure.get_layout_engine()
        layout.execute(figure)
        _few_ticks(figure)
        _wrap_labels(figure)
        layout.execute(figure)
        # To save a figure draws it once more for its layout, which is done.
        figure.set_layout_engine(None)
        figure.savefig(buffer, format="svg", transparent=True, dpi=_DPI)
    return Picture(_inline(buffer.getvalue(), f"Picture of {of}. {caption}"), caption)


def _measure_as_svg(figure: Figure) -> None:
    """Have text measured as an SVG has it, by one renderer that remembers the sizes.

    Matplotlib makes a new one whenever something asks for a size.
    """
    from matplotlib.backends.backend_svg import FigureCanvasSVG, RendererSVG

    class Canvas(FigureCanvasSVG):
        measuring = RendererSVG(figure.bbox.width, figure.bbox.height, StringIO())

        def get_renderer(self) -> RendererSVG:
            return self.measuring

    Canvas(figure)


def _readable_numbers(ax: Axes) -> None:
    """Write large and small numbers as the page does, and no factor at the end of an axis."""
    from matplotlib.ticker import FuncFormatter, ScalarFormatter

    for axis in (ax.xaxis, ax.yaxis):
        formatter = axis.get_major_formatter()
        if type(formatter) is ScalarFormatter:  # a subclass knows its own business
            formatter.set_useOffset(False)
            if not 1e-3 <= np.abs(axis.get_view_interval()).max() < 1e4:
                axis.set_major_formatter(FuncFormatter(lambda value, _: numeral(value, 6)))


def _few_ticks(figure: Figure) -> None:
    """Put as many ticks on each axis of numbers as have room for what is written at them.

    Matplotlib takes three letters for the width of any number, and may choose other ticks when the
    layout is done, which then stand over one another or beyond the edge.
    """
    from matplotlib.ticker import MaxNLocator

    for ax in figure.axes:
        box = ax.get_window_extent()
        both: list[tuple[Any, float]] = [(ax.xaxis, box.width), (ax.yaxis, box.height)]
        for axis, pixels in both:
            locator: Any = axis.get_major_locator()
            if not isinstance(locator, MaxNLocator):
                continue
            letter = axis.get_major_ticks(1)[0].label1.get_fontsize() / 72 * figure.dpi
            for n_bins in range(_MOST_BINS, 0, -1):
                locator.set_params(nbins=n_bins)
                low, high = sorted(axis.get_view_interval())
                values = np.asarray(locator.tick_values(low, high))
                values = values[(values >= low) & (values <= high)]
                texts = axis.get_major_formatter().format_ticks(values)
                needed = _HEIGHT * letter
                if axis is ax.xaxis:
                    needed = (_WIDTH * max(map(len, texts), default=0) + _GAP) * letter
                ends = axis.get_transform().transform(np.array([low, high]))
                places = axis.get_transform().transform(values) / abs(ends[1] - ends[0]) * pixels
                if values.size < 2 or np.abs(np.diff(places)).min() >= needed:
                    break


def _wrap_labels(figure: Figure) -> None:
    """Break the labels of axes that would go beyond the figure, for which no layout makes room."""
    for ax in figure.axes:
        for label, edge in ((ax.xaxis.label, figure.bbox.x1), (ax.yaxis.label, figure.bbox.y1)):
            box = label.get_window_extent()
            low, high = (box.x0, box.x1) if label is ax.xaxis.label else (box.y0, box.y1)
            room = 2 * min((low + high) / 2, edge - (low + high) / 2) - 2 * _MARGIN * figure.dpi
            if high - low > room > 0:
                text = label.get_text().replace("\n", " ")
                letters = int(max(map(len, label.get_text().split("\n"))) * room / (high - low))
                # A unit in parentheses stays in one piece where it can.
                lines = text.replace(" (", "\n(", 1).split("\n")
                if max(map(len, lines)) > letters:
                    lines = textwrap.wrap(text, max(letters, 8))
                label.set_text("\n".join(lines))


def _inline(svg: bytes, label: str) -> str:
    """Make an element for a page out of a file, with no more digits than are seen.

    Matplotlib hashes the ids that a picture refers to with a salt, of which each picture has its
    own. The other ids are the same in all pictures, and a style sheet would apply to the whole
    page, which has what it says: they are left out.
    """
    ElementTree.register_namespace("", "http://www.w3.org/2000/svg")
    ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")
    root = ElementTree.fromstring(svg)
    values = "\n".join(chain.from_iterable(each.attrib.values() for each in root.iter()))
    used = set(re.findall(r"(?:url\(#|^#)([\w-]+)", values, re.MULTILINE))
    for element in list(root.iter()):
        for child in list(element):
            if child.tag.endswith(("}style", "}metadata")):
                element.remove(child)
        if element.get("id") not in used:
            element.attrib.pop("id", None)
        if "d" in element.attrib:
            element.set("d", re.sub(r"(\d\.\d\d)\d+", r"\1", element.attrib["d"]))
    for size in ("width", "height"):
        del root.attrib[size]
    root.attrib |= {"role": "img", "aria-label": label}
    return ElementTree.tostring(root, encoding="unicode")


def plain(ax: Axes) -> None:
    """Give scikit-learn's pictures the lines of the others, and no legend."""
    ax.tick_params(width=0.6, length=3)
    for spine in ax.spines.values():
        spine.set_linewidth(0.6)
    ax.spines[["right", "top"]].set_visible(False)
    if (legend := ax.get_legend()) is not None:
        legend.remove()


def printable(name: str) -> str:
    """Make a name that a picture can hold: on one line, and nothing that XML cannot write."""
    shown = "".join(letter if letter.isprintable() else " " for letter in name)
    return " ".join(shown.split()) or "(no name)"
