"""The pictures of a report, as SVG to be written into a page."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from ..plotting import CoefficientDisplay, CVCurveDisplay, RegularizationPathDisplay
from . import wording
from .contents import Contents, ModelReport

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# At 4 inches the text is 8 points: two stand side by side on a screen, one fills a phone.
_WIDTH, _HEIGHT = 4.0, 3.0
_DPI = 200  # of what is drawn as an image inside the SVG
_STYLE = {
    # Text stays text: it can be found and copied, and the reader's own fonts have its letters.
    "svg.fonttype": "none",
    "axes.unicode_minus": True,
    "axes.formatter.limits": (-4, 7),
    "text.color": "#1a1a1a",
    "axes.labelcolor": "#1a1a1a",
    "xtick.labelcolor": "#1a1a1a",
    "ytick.labelcolor": "#1a1a1a",
}
_MOST_CURVES = 150  # thin lines that are drawn as curves; more of them as one image
_MOST_POINTS = 1000  # likewise
_MOST_TARGETS = 3
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
    drawn: list[Callable[[], Iterator[tuple[str, Callable[[Axes], str]]]]] = [
        lambda: _of_path(model),
        lambda: _of_cv(model),
        lambda: _of_coefficients(model, contents),
        lambda: _of_network(model),
        lambda: _of_predictions(model, contents),
    ]
    for kind in drawn:
        for name, draw in kind():
            yield _picture(draw, f"{name}-{position}", f"{name} of {model.name}")


def comparison(contents: Contents, order: Sequence[int]) -> Picture:
    """Draw each model's mean of the first score with its standard error.

    Parameters
    ----------
    contents : Contents
    order : sequence of int
        Positions of the models, from the top.

    Returns
    -------
    Picture
    """
    models = [contents.models[position] for position in order]

    def draw(ax: Axes) -> str:
        at = np.arange(len(models))
        for place, model in zip(at, models, strict=True):
            score = model.scores[0]
            best = place == 0
            color = "#00609A" if best else "#555555"
            folds = score.values[np.isfinite(score.values)]
            ax.plot(folds, np.full(folds.size, place), "|", color="#999999", markersize=7)
            face = color if best else "white"
            ax.errorbar(
                score.mean, place, xerr=score.standard_error, fmt="D" if best else "o",
                color=color, markerfacecolor=face, markersize=5, linewidth=1.5, capsize=3,
            )  # fmt: skip
        ax.set_yticks(at, labels=[_short(model.name) for model in models], parse_math=False)
        ax.get_yticklabels()[0].set_fontweight("bold")
        ax.set_ylim(len(models) - 0.4, -0.6)
        ax.set_xlabel(f"{models[0].scores[0].name}, held-out rows", fontsize=8)
        ax.tick_params(labelsize=8, width=0.6)
        ax.tick_params(axis="y", length=0)
        ax.spines[["right", "top", "left"]].set_visible(False)
        better = "right" if models[0].scores[0].greater_is_better else "left"
        return (
            f"Mean of each model with its standard error; thin strokes are the single folds. "
            f"Further to the {better} is better; the best is the filled diamond."
        )

    height = 0.75 + 0.3 * len(models)
    return _picture(draw, "comparison", "Models compared", width=4.4, height=height)


def _of_path(model: ModelReport) -> Iterator[tuple[str, Callable[[Axes], str]]]:
    path = model.path
    if path is None:
        return
    targets = path.coefs.shape[0] if path.coefs.ndim == 3 else 1
    for target in range(min(targets, _MOST_TARGETS)):

        def draw(ax: Axes, target: int = target) -> str:
            display = RegularizationPathDisplay(
                path,
                **_within(model, path.alphas),
                feature_names=_names(model, path.coefs.shape[-2]),
                target=target,
            )
            display.plot(ax)
            others = display.other_lines_
            if others is not None and len(others.get_segments()) > _MOST_CURVES:
                others.set_rasterized(True)
            return (
                "Coefficients as the penalty falls from left to right. "
                f"{_largest(len(display.named_))}{_which(model, target, targets)}"
            )

        yield f"path{target}", draw


def _of_cv(model: ModelReport) -> Iterator[tuple[str, Callable[[Axes], str]]]:
    cv = model.cv
    if cv is None:
        return

    def draw(ax: Axes) -> str:
        alpha = _within(model, cv.alphas)["alpha"]
        CVCurveDisplay(cv, path=model.path, alpha=alpha).plot(ax)
        return (
            "Error of the held-out rows at each penalty, with a band of one standard error. "
            "The lowest point is min; 1se is the largest penalty within one standard error of it."
        )

    yield "cv", draw


def _of_coefficients(
    model: ModelReport, contents: Contents
) -> Iterator[tuple[str, Callable[[Axes], str]]]:
    given = model.coefficients
    if given is None:
        return
    values = np.atleast_2d(given.values)
    for target in range(min(len(values), _MOST_TARGETS)):

        def draw(ax: Axes, target: int = target) -> str:
            rows, labels = [values[target]], None
            if given.at_1se is not None:
                rows.append(np.atleast_2d(given.at_1se)[target])
                labels = [_alpha_label("min", model.alpha), _alpha_label("1se", model.alpha_1se)]
            display = CoefficientDisplay(
                np.stack(rows),
                labels=labels,
                alpha=None if labels else model.alpha,
                feature_names=_names(model, values.shape[1]),
            )
            display.plot(ax)
            ax.spines["left"].set_visible(False)  # the bars start at zero, not there
            if contents.glance.task == "classification":
                ax.set_xlabel("coefficient")
            return f"The largest coefficients{_which(model, target, len(values))}"

        yield f"coefficients{target}", draw


def _of_network(model: ModelReport) -> Iterator[tuple[str, Callable[[Axes], str]]]:
    from .. import plotting

    if not model.is_network or not hasattr(plotting, "TrainingHistoryDisplay"):
        return

    def history(ax: Axes) -> str:
        plotting.TrainingHistoryDisplay.from_estimator(model.estimator, ax=ax)
        return "Training, epoch by epoch."

    def weights(ax: Axes) -> str:
        plotting.WeightHistogramDisplay.from_estimator(model.estimator, ax=ax)
        return "Weights of each layer, biases left out."

    yield "history", history
    yield "weights", weights


def _of_predictions(
    model: ModelReport, contents: Contents
) -> Iterator[tuple[str, Callable[[Axes], str]]]:
    if contents.glance.task == "classification":
        yield "confusion", lambda ax: _confusion(ax, contents.y, model.held_out)
        return
    y = np.asarray(contents.y, dtype=float).reshape(len(contents.y), -1)
    held_out = np.asarray(model.held_out, dtype=float).reshape(len(y), -1)
    for target in range(min(y.shape[1], _MOST_TARGETS)):
        which = _which(model, target, y.shape[1])
        yield (
            f"residuals{target}",
            lambda ax, k=target, which=which: _residuals(ax, y[:, k], held_out[:, k], which),
        )


def _residuals(ax: Axes, y: NDArray[Any], held_out: NDArray[Any], which: str) -> str:
    from sklearn.metrics import PredictionErrorDisplay

    known = np.isfinite(held_out)
    y, held_out = y[known], held_out[known]
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
    ax.set_xlabel("predicted, row held out")
    ax.set_ylabel("actual − predicted")
    _plain(ax)
    return (
        f"What each prediction misses, for the model that did not see the row{which} "
        "A bend or a funnel means that something is left to model."
    )


def _confusion(ax: Axes, y: NDArray[Any], held_out: NDArray[Any]) -> str:
    from sklearn.metrics import ConfusionMatrixDisplay, confusion_matrix

    # As text, so that labels of any kind compare and sort.
    y, held_out = np.asarray(y).astype(str), np.asarray(held_out).astype(str)
    classes = np.unique(np.concatenate([y, held_out]))
    counts = confusion_matrix(y, held_out, labels=classes)
    note = ""
    if classes.size > _MOST_CLASSES:
        wrong = counts.sum(axis=0) + counts.sum(axis=1) - 2 * np.diag(counts)
        kept = np.sort(np.argsort(-wrong, kind="stable")[:_MOST_CLASSES])
        note = (
            f" Of {classes.size:,} classes these are the {_MOST_CLASSES} with the most mistakes;"
            " mistakes to and from other classes are not drawn."
        )
        classes, counts = classes[kept], counts[np.ix_(kept, kept)]
    display = ConfusionMatrixDisplay(counts, display_labels=[_short(name) for name in classes])
    written = classes.size <= _MOST_WRITTEN
    upright = classes.size > 4 or max(map(len, classes)) > 8
    display.plot(
        ax=ax,
        cmap="Blues",
        colorbar=not written,
        include_values=written,
        values_format=",d",
        xticks_rotation="vertical" if upright else "horizontal",
    )
    for label in (*ax.get_xticklabels(), *ax.get_yticklabels()):
        label.set_parse_math(False)
    ax.set_xlabel("predicted, row held out")
    ax.set_ylabel("actual")
    _plain(ax)
    right = int(np.count_nonzero(y == held_out))
    return (
        f"Classes predicted by the model that did not see the row: {right:,} of {y.size:,} are"
        f" right.{note}"
    )


def _plain(ax: Axes) -> None:
    """Give scikit-learn's pictures the type and lines of the others."""
    ax.tick_params(labelsize=8, width=0.6, length=3)
    for label in (ax.xaxis.label, ax.yaxis.label):
        label.set_fontsize(8)
    for spine in ax.spines.values():
        spine.set_linewidth(0.6)
    ax.spines[["right", "top"]].set_visible(False)
    if ax.get_legend() is not None:
        ax.get_legend().remove()


def _picture(
    draw: Callable[[Axes], str],
    key: str,
    title: str,
    *,
    width: float = _WIDTH,
    height: float = _HEIGHT,
) -> Picture:
    """Draw on a figure of the report's own; the caller's style and pyplot do not matter."""
    import matplotlib.style
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    buffer = BytesIO()
    style: list[Any] = ["default", {**_STYLE, "svg.hashsalt": key}]
    with warnings.catch_warnings(), matplotlib.style.context(style):
        # The reader's browser finds a font for what DejaVu Sans has no letters for.
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from")
        figure = Figure(figsize=(width, height), layout="constrained")
        caption = draw(figure.add_subplot())
        for text in figure.findobj(Text):
            # The letters of a formula would be set one by one, at the widths of another font.
            for maths, plain in _MATHS.items():
                text.set_text(text.get_text().replace(maths, plain))
        metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(buffer, format="svg", transparent=True, dpi=_DPI, metadata=metadata)
    return Picture(_inline(buffer.getvalue(), key, f"{title}. {caption}"), caption)


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
    """End a sentence with the target it is about, where there are several."""
    if n_targets == 1:
        return "."
    targets = () if model.coefficients is None else model.coefficients.targets
    name = str(targets[target]) if targets else f"{target + 1} of {n_targets}"
    more = n_targets - _MOST_TARGETS
    left_out = f" {more:,} more targets are not drawn." if target == 0 and more > 0 else ""
    return f", target {name}.{left_out}"


def _largest(n_named: int) -> str:
    return f"The {n_named} largest are named" if n_named > 1 else "The largest is named"


def _alpha_label(name: str, alpha: float | None) -> str:
    return name if alpha is None else f"{name}, α = {alpha:.3g}"
