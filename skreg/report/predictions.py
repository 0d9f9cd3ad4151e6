"""What predictions of rows held out look like: residuals, confusion, the curve of two classes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..plotting.naming import shorten, shorten_apart
from . import wording
from .contents import Contents, ModelReport
from .drawing import BLUE, DASHES, HEIGHT, INK, Sketch, plain, printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_POINTS = 1000  # as dots; more of them as one image
_MOST_CLASSES = 20
_MOST_WRITTEN = 10  # classes whose counts are written into the squares
_ROW = 0.15  # inches that a line of type takes
_MOST_LETTERS = 30  # of all classes together, side by side below the squares


def of_residuals(model: ModelReport, contents: Contents) -> Iterator[Sketch]:
    """Draw what the predictions of a regression miss."""
    y, held_out = np.asarray(contents.y, dtype=float), np.asarray(model.held_out, dtype=float)
    yield Sketch("residuals", lambda figure: _residuals(figure.add_subplot(), y, held_out))


def of_classes(model: ModelReport, contents: Contents) -> Iterator[Sketch]:
    """Draw which classes are taken for which; where there are two, also the curve between them."""
    y, held_out = np.asarray(contents.y), np.asarray(model.held_out)
    present = np.unique(y)
    rows = min(np.unique(np.concatenate([y, held_out])).size, _MOST_CLASSES)
    height = max(HEIGHT, _ROW * rows + 1.2)
    yield Sketch("confusion", lambda figure: _confusion(figure.add_subplot(), y, held_out), height)
    if model.probabilities is None or len(contents.classes) != 2 or present.size != 2:
        return
    second, chances = contents.classes[1], model.probabilities[:, 1]
    known = np.isfinite(chances)
    is_second = y[known] == present[1]
    if np.unique(is_second).size == 2:
        yield Sketch("roc", lambda figure: _roc(figure, is_second, chances[known], second))


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
            "color": BLUE,
            "linewidths": 0,
            "rasterized": many,
        },
        line_kwargs={"color": INK, "linewidth": 0.8, "linestyle": DASHES},
    )
    ax.set_xlabel("predicted (units of y), row held out")
    ax.set_ylabel("actual − predicted")
    plain(ax)
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
    written = classes.size <= _MOST_WRITTEN
    names = shorten_apart([printable(str(name)) for name in classes], 24 if written else 18)
    # Names that have no room below the squares are numbered there.
    numbered = sum(map(len, names)) > _MOST_LETTERS
    display = ConfusionMatrixDisplay(counts, display_labels=names).plot(
        ax=ax,
        cmap="Blues",
        colorbar=False,
        include_values=written,
        values_format=",d",
        xticks_rotation="vertical" if classes.size > _MOST_WRITTEN else "horizontal",
    )
    if not written:
        ax.figure.colorbar(display.im_, ax=ax, location="top", aspect=40, label="number of rows")
    if numbered:
        numbers = range(1, len(names) + 1)
        ax.set_xticks(ax.get_xticks(), labels=[str(number) for number in numbers])
        both = zip(names, numbers, strict=True)
        ax.set_yticks(ax.get_yticks(), labels=[f"{name}  {number}" for name, number in both])
        ax.set_aspect("auto")
    for label in (*ax.get_xticklabels(), *ax.get_yticklabels()):
        label.set_parse_math(False)
    ax.set_xlabel(f"predicted{' (number)' * numbered}, row held out")
    ax.set_ylabel("actual")
    plain(ax)
    return (
        "Actual and predicted classes, by the model that did not see the row: "
        f"{right:,} of {y.size:,} are right.{note}"
    )


def _roc(figure: Figure, is_second: NDArray[Any], chances: NDArray[Any], name: str) -> str:
    from sklearn.metrics import RocCurveDisplay, roc_auc_score

    ax = figure.add_subplot()
    RocCurveDisplay.from_predictions(is_second, chances, plot_chance_level=True, ax=ax)
    curve, chance = ax.get_lines()[:2]
    curve.set(color=BLUE, linewidth=1.5)
    chance.set(color=INK, linewidth=0.8, linestyle=DASHES)
    ax.set_xlabel("share of the other rows taken for it")
    ax.set_ylabel(f"share of {shorten(printable(str(name)), 24)} found", parse_math=False)
    plain(ax)
    area = wording.number(float(roc_auc_score(is_second, chances)), 3)
    return (
        f"Receiver operating characteristic for {printable(name)}, from the probabilities of all"
        f" rows held out; the area below it is {area}. The dashes are chance."
    )
