"""The pictures of a report, as SVG to be written into a page."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import chain
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from ..plotting import (
    CoefficientDisplay,
    CVCurveDisplay,
    RegularizationPathDisplay,
    TrainingHistoryDisplay,
    WeightHistogramDisplay,
)
from . import wording
from .contents import Contents, ModelReport

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# At 4 inches the text is 8 points: two stand side by side on a screen, one fills a phone.
_WIDTH, _HEIGHT = 4.0, 3.0
_DPI = 200  # of what is drawn as an image inside the SVG
_STYLE = {
    # Text stays text: it can be found and copied, and the reader's own fonts have its letters.
    "svg.fonttype": "none",
    "font.size": 8,
    "axes.formatter.limits": (-4, 7),
    "text.color": "#1a1a1a",
    "axes.labelcolor": "#1a1a1a",
    "xtick.labelcolor": "#1a1a1a",
    "ytick.labelcolor": "#1a1a1a",
}
_MOST_CURVES = 150  # thin lines that are drawn as curves; more of them as one image
_MOST_POINTS = 1000  # likewise
_MOST_TARGETS = 3
_MOST_LAYERS = 4
_MOST_CLASSES = 20
_MOST_WRITTEN = 10  # classes whose counts are written into the squares
_MATHS = {r"$\alpha$": "α", r"$\times$": "×", r"$\ell_1$": "ℓ₁"}
_XLINK = "{http://www.w3.org/1999/xlink}href"
_SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class Picture:
    """A picture in a page.

    Parameters
    ----------
    svg : str
        An `svg` element. No two pictures of a page have an id in common.
    caption : str
    """

    svg: str
    caption: str


@dataclass(frozen=True)
class _Sketch:
    """A picture before it is drawn: what draws it on a figure and returns the caption."""

    name: str
    draw: Callable[[Figure], str]
    height: float = _HEIGHT


def of_model(model: ModelReport, contents: Contents, position: int) -> Iterator[Picture]:
    """Draw what one model has to show, one picture after the other.

    Parameters
    ----------
    model : ModelReport
    contents : Contents
    position : int
        Tells the pictures of one model from another's.

    Yields
    ------
    Picture
    """
    classify = contents.glance.task == "classification"
    sketches = chain(
        _of_path(model),
        _of_cv(model),
        _of_coefficients(model, "coefficient" if classify else None),
        _of_network(model),
        _of_classes(model, contents) if classify else _of_residuals(model, contents),
    )
    for sketch in sketches:
        yield _picture(sketch, f"{sketch.name}-{position}", model.name)


def comparison(contents: Contents, order: Sequence[int]) -> Picture:
    """Draw each model's mean of the first score with its standard error.

    Parameters
    ----------
    contents : Contents
    order : sequence of int
        Positions of the models, from the top; the baseline is below them.

    Returns
    -------
    Picture
    """
    models = [contents.models[position] for position in order]
    models += [] if contents.baseline is None else [contents.baseline]

    def draw(figure: Figure) -> str:
        ax = figure.add_subplot()
        for place, model in enumerate(models):
            score = model.scores[0]
            best = place == 0
            color = "#00609A" if best else "#555555"
            ax.plot(score.values, np.full(score.values.size, place), "|", color="#999999")
            ax.errorbar(
                score.mean,
                place,
                xerr=score.standard_error,
                fmt="D" if best else "o",
                color=color,
                markerfacecolor=color if best else "white",
                markersize=5,
                linewidth=1.5,
                capsize=3,
            )
        names = [_short(model.name) for model in models]
        ax.set_yticks(np.arange(len(models)), labels=names, parse_math=False)
        ax.get_yticklabels()[0].set_fontweight("bold")
        ax.set_ylim(len(models) - 0.4, -0.6)
        ax.set_xlabel(f"{models[0].scores[0].name}, rows held out")
        _plain(ax)
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        better = "right" if models[0].scores[0].greater_is_better else "left"
        return (
            "Mean of each model with its standard error; the strokes are single folds. "
            f"Further to the {better} is better; the filled diamond is the best."
        )

    sketch = _Sketch("comparison", draw, 0.75 + 0.3 * len(models))
    return _picture(sketch, "comparison", "the models", width=4.4)


def _of_path(model: ModelReport) -> Iterator[_Sketch]:
    path = model.path
    if path is None:
        return
    n_targets = path.coefs.shape[0] if path.coefs.ndim == 3 else 1
    for target in range(min(n_targets, _MOST_TARGETS)):

        def draw(figure: Figure, target: int = target) -> str:
            display = RegularizationPathDisplay(
                path,
                **_within(model, path.alphas),
                feature_names=_names(model, path.coefs.shape[-2]),
                target=target,
            )
            display.plot(figure.add_subplot())
            others = display.other_lines_
            if others is not None and len(others.get_segments()) > _MOST_CURVES:
                others.set_rasterized(True)
            n_named = len(display.named_)
            largest = f"The {n_named} largest are named" if n_named > 1 else "One is named"
            which = _which(model, target, n_targets)
            return f"Coefficients as the penalty falls from left to right. {largest}{which}"

        yield _Sketch(f"path{target}", draw)


def _of_cv(model: ModelReport) -> Iterator[_Sketch]:
    cv = model.cv
    if cv is None:
        return

    def draw(figure: Figure) -> str:
        alpha = _within(model, cv.alphas)["alpha"]
        CVCurveDisplay(cv, path=model.path, alpha=alpha).plot(figure.add_subplot())
        return (
            "Error of the rows held out at each penalty, with a band of one standard error. "
            "The lowest point is min; 1se is the largest penalty within one standard error of it."
        )

    yield _Sketch("cv", draw)


def _of_coefficients(model: ModelReport, xlabel: str | None) -> Iterator[_Sketch]:
    given = model.coefficients
    if given is None:
        return
    values = np.atleast_2d(given.values)
    for target in range(min(len(values), _MOST_TARGETS)):

        def draw(figure: Figure, target: int = target) -> str:
            ax = figure.add_subplot()
            rows, labels = [values[target]], None
            if given.at_1se is not None:
                rows.append(np.atleast_2d(given.at_1se)[target])
                labels = [_at("in use", model.alpha), _at("1se", model.alpha_1se)]
            CoefficientDisplay(
                np.stack(rows),
                labels=labels,
                alpha=None if labels else model.alpha,
                feature_names=_names(model, values.shape[1]),
            ).plot(ax)
            ax.spines["left"].set_visible(False)  # the bars start at zero, not there
            if xlabel is not None:
                ax.set_xlabel(xlabel)
            return f"The largest coefficients{_which(model, target, len(values))}"

        yield _Sketch(f"coefficients{target}", draw)


def _of_network(model: ModelReport) -> Iterator[_Sketch]:
    if not model.is_network:
        return
    history = model.estimator.history_
    panels = ["loss"]
    if np.isfinite(history["validation_score"]).any():
        panels.append("score")
    if np.unique(history["learning_rate"]).size > 1:
        panels.append("learning_rate")

    def draw_history(figure: Figure) -> str:
        axes = figure.subplots(len(panels), squeeze=False, sharex=True).ravel()
        TrainingHistoryDisplay.from_estimator(model.estimator, ax=list(axes), panels=panels)
        return "How the network was trained."

    n_layers = len(model.estimator.coefs_)
    layers = list(range(n_layers))[: _MOST_LAYERS - 1] + [n_layers - 1]
    layers = sorted(set(layers))

    def draw_weights(figure: Figure) -> str:
        axes = figure.subplots(len(layers), squeeze=False).ravel()
        WeightHistogramDisplay.from_estimator(model.estimator, ax=list(axes), layers=layers)
        more = n_layers - len(layers)
        left_out = f" {more} layers between them are not drawn." if more else ""
        return f"Weights of each layer, biases left out.{left_out}"

    yield _Sketch("history", draw_history, max(_HEIGHT, 1.8 * len(panels)))
    yield _Sketch("weights", draw_weights, max(_HEIGHT, 1.8 * len(layers)))


def _of_residuals(model: ModelReport, contents: Contents) -> Iterator[_Sketch]:
    y, held_out = np.asarray(contents.y, dtype=float), np.asarray(model.held_out, dtype=float)
    yield _Sketch("residuals", lambda figure: _residuals(figure.add_subplot(), y, held_out))


def _of_classes(model: ModelReport, contents: Contents) -> Iterator[_Sketch]:
    # As text, so that labels of any kind compare and sort.
    y, held_out = np.asarray(contents.y).astype(str), np.asarray(model.held_out).astype(str)
    yield _Sketch("confusion", lambda figure: _confusion(figure.add_subplot(), y, held_out))
    if model.probabilities is None or len(contents.classes) != 2:
        return
    second, chances = contents.classes[1], model.probabilities[:, 1]
    known = np.isfinite(chances)
    is_second = np.asarray(contents.y)[known] == np.unique(contents.y)[1]
    if np.unique(is_second).size == 2:
        yield _Sketch("roc", lambda figure: _roc(figure, is_second, chances[known], second))


def _residuals(ax: Axes, y: NDArray[Any], held_out: NDArray[Any]) -> str:
    from sklearn.metrics import PredictionErrorDisplay

    many = y.size > _MOST_POINTS
    PredictionErrorDisplay.from_predictions(
        y,
        held_out,
        kind="residual_vs_predicted",
        subsample=None,
        ax=ax,
        scatter_kwargs={
            "s": 6 if many else 12,
            "alpha": 0.35 if many else 0.6,
            "color": "#00609A",
            "linewidths": 0,
            "rasterized": many,
        },
        line_kwargs={"color": "#1a1a1a", "linewidth": 0.8, "linestyle": (0, (3, 2))},
    )
    ax.set_xlabel("predicted (units of y), row held out")
    ax.set_ylabel("actual − predicted")
    _plain(ax)
    return (
        "What each prediction misses, by the model that did not see the row. "
        "A bend or a funnel means that something is left to model."
    )


def _confusion(ax: Axes, y: NDArray[Any], held_out: NDArray[Any]) -> str:
    from sklearn.metrics import ConfusionMatrixDisplay, confusion_matrix

    classes = np.unique(np.concatenate([y, held_out]))
    counts = confusion_matrix(y, held_out, labels=classes)
    right = int(np.trace(counts))
    note = ""
    if classes.size > _MOST_CLASSES:
        wrong = counts.sum(axis=0) + counts.sum(axis=1) - 2 * np.diag(counts)
        kept = np.sort(np.argsort(-wrong, kind="stable")[:_MOST_CLASSES])
        note = (
            f" Of {classes.size:,} classes these are the {_MOST_CLASSES} with the most mistakes;"
            " mistakes to and from other classes are not drawn."
        )
        classes, counts = classes[kept], counts[np.ix_(kept, kept)]
    names = [_short(name) for name in classes]
    written = classes.size <= _MOST_WRITTEN
    ConfusionMatrixDisplay(counts, display_labels=names).plot(
        ax=ax,
        cmap="Blues",
        colorbar=not written,
        include_values=written,
        values_format=",d",
        xticks_rotation="vertical" if sum(map(len, names)) > 30 else "horizontal",
    )
    for label in (*ax.get_xticklabels(), *ax.get_yticklabels()):
        label.set_parse_math(False)
    ax.set_xlabel("predicted, row held out")
    ax.set_ylabel("actual")
    _plain(ax)
    return (
        "Actual and predicted classes, by the model that did not see the row: "
        f"{right:,} of {y.size:,} are right.{note}"
    )


def _roc(figure: Figure, is_second: NDArray[Any], chances: NDArray[Any], name: str) -> str:
    from sklearn.metrics import RocCurveDisplay, roc_auc_score

    ax = figure.add_subplot()
    RocCurveDisplay.from_predictions(is_second, chances, plot_chance_level=True, ax=ax)
    curve, chance = ax.get_lines()[:2]
    curve.set(color="#00609A", linewidth=1.5, drawstyle="steps-post")
    chance.set(color="#1a1a1a", linewidth=0.8, linestyle=(0, (3, 2)))
    ax.set_xlabel("share of the other rows taken for it")
    ax.set_ylabel(f"share of {_short(name)} found", parse_math=False)
    _plain(ax)
    area = wording.number(float(roc_auc_score(is_second, chances)), 3)
    return (
        f"Receiver operating characteristic for {_printable(name)}, from the probabilities of all"
        f" rows held out; the area below it is {area}. The dashes are chance."
    )


def _plain(ax: Axes) -> None:
    """Give scikit-learn's pictures the lines of the others, and no legend."""
    ax.tick_params(width=0.6, length=3)
    for spine in ax.spines.values():
        spine.set_linewidth(0.6)
    ax.spines[["right", "top"]].set_visible(False)
    if (legend := ax.get_legend()) is not None:
        legend.remove()


def _picture(sketch: _Sketch, key: str, of: str, width: float = _WIDTH) -> Picture:
    """Draw on a figure of the report's own; the caller's style and pyplot do not matter."""
    import matplotlib.style
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    buffer = BytesIO()
    style: list[Any] = ["default", {**_STYLE, "svg.hashsalt": key}]
    with warnings.catch_warnings(), matplotlib.style.context(style):
        # The reader's browser finds a font for what DejaVu Sans has no letters for.
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from")
        figure = Figure(figsize=(width, sketch.height), layout="constrained")
        caption = sketch.draw(figure)
        for text in figure.findobj(Text):
            # The letters of a formula would be set one by one, at the widths of another font.
            for maths, plain in _MATHS.items():
                text.set_text(text.get_text().replace(maths, plain))
        metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(buffer, format="svg", transparent=True, dpi=_DPI, metadata=metadata)
    return Picture(_inline(buffer.getvalue(), key, f"Picture of {of}. {caption}"), caption)


def _inline(svg: bytes, key: str, label: str) -> str:
    """Make an element for a page out of a file: ids of its own, no more digits than are seen."""
    ElementTree.register_namespace("", "http://www.w3.org/2000/svg")
    ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")
    root = ElementTree.fromstring(svg)
    used = set(re.findall(rb'(?:url\(#|href="#)([\w-]+)', svg))
    for parent in list(root.iter()):
        for child in list(parent):
            # A style sheet would apply to the whole page; the page's own has what it says.
            if child.tag == f"{_SVG}style" or child.tag.endswith("metadata"):
                parent.remove(child)
    for element in root.iter():
        own = element.attrib.pop("id", None)
        if own is not None and own.encode() in used:
            element.set("id", f"{key}-{own}")
        for name, value in element.attrib.items():
            if name == _XLINK and value.startswith("#"):
                element.set(name, f"#{key}-{value[1:]}")
            elif name == "d":
                element.set(name, re.sub(r"(\d\.\d\d)\d+", r"\1", value))
            elif "url(#" in value:
                element.set(name, value.replace("url(#", f"url(#{key}-"))
    for size in ("width", "height"):
        root.attrib.pop(size, None)
    root.set("role", "img")
    root.set("aria-label", label)
    return ElementTree.tostring(root, encoding="unicode")


def _names(model: ModelReport, n_features: int) -> list[str] | None:
    """Names as pictures can hold them: no line breaks, nothing that XML cannot write."""
    if model.coefficients is None or len(model.coefficients.names) != n_features:
        return None
    return [_printable(str(name)) for name in model.coefficients.names]


def _printable(name: str) -> str:
    shown = "".join(letter if letter.isprintable() else " " for letter in name)
    return " ".join(shown.split()) or "(no name)"


def _short(name: str, longest: int = 24) -> str:
    name = _printable(str(name))
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


def _within(model: ModelReport, alphas: NDArray[np.float64]) -> dict[str, float | None]:
    """The model's alphas that a picture over these alphas can mark."""
    low, high = float(alphas.min()), float(alphas.max())
    given = {name: getattr(model, name) for name in ("alpha", "alpha_min", "alpha_1se")}
    return {
        name: value if value is not None and low <= value <= high else None
        for name, value in given.items()
    }


def _which(model: ModelReport, target: int, n_targets: int) -> str:
    """End a sentence with the target or class it is about, where there are several."""
    if n_targets == 1:
        return "."
    targets = () if model.coefficients is None else model.coefficients.targets
    name = _printable(str(targets[target])) if targets else f"{target + 1} of {n_targets}"
    more = n_targets - _MOST_TARGETS
    left_out = f" Those for {more:,} more are not drawn." if target == 0 and more > 0 else ""
    return f", for {name}.{left_out}"


def _at(name: str, alpha: float | None) -> str:
    return name if alpha is None else f"{name}, α = {wording.number(alpha, 3)}"
