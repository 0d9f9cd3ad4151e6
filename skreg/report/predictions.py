"""What predictions of rows held out look like: residuals, confusion, the curve of two classes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..plotting.naming import shorten, shorten_apart
from . import wording
from .contents import Contents, ModelReport
from .drawing import BLUE, DASHED, HEIGHT, INK, Sketch, plain, printable
from .families import power_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_POINTS = 1000  # as dots; more of them as one image
_MOST_CLASSES = 20
_MOST_WRITTEN = 10  # classes whose counts are written into the squares
_THIN = {"color": INK, "linewidth": 0.8, "linestyle": DASHED}
_ROW = 0.15  # inches that a line of type takes
_GROUPS, _FEWEST_FOR_CALIBRATION = 10, 100  # rows, so that a group has ten
_MOST_LETTERS = 30  # of all classes together, side by side below the squares


def of_residuals(model: ModelReport, contents: Contents) -> Iterator[Sketch]:
    """Draw what the predictions of a regression miss."""
    spreads = power_of(model.estimator) > 0
    yield Sketch("residuals", partial(_residuals, contents.y, model.held_out, spreads))


def of_classes(model: ModelReport, contents: Contents) -> Iterator[Sketch]:
    """Draw which classes are taken for which; where there are two, also the curve between them."""
    y, held_out = np.asarray(contents.y), np.asarray(model.held_out)
    rows = min(np.unique(np.concatenate([y, held_out])).size, _MOST_CLASSES)
    yield Sketch("confusion", partial(_confusion, y, held_out), max(HEIGHT, _ROW * rows + 1.2))
    if model.probabilities is not None and len(contents.classes) == 2 and np.unique(y).size == 2:
        chances = model.probabilities[:, 1]
        known = np.isfinite(chances)
        is_second = y[known] == np.unique(y)[1]
        if np.unique(is_second).size == 2:
            of_second = is_second, chances[known], contents.classes[1]
            yield Sketch("roc", partial(_roc, *of_second))
            if len(is_second) >= _FEWEST_FOR_CALIBRATION:
                yield Sketch("calibration", partial(_calibration, *of_second))


def _residuals(y: NDArray[Any], held_out: NDArray[Any], spreads: bool, figure: Figure) -> str:
    from sklearn.metrics import PredictionErrorDisplay

    many = y.size > _MOST_POINTS
    dots = {"s": 6, "alpha": 0.35} if many else {"s": 12, "alpha": 0.6}
    ax = PredictionErrorDisplay.from_predictions(
        np.asarray(y, dtype=float),
        np.asarray(held_out, dtype=float),
        kind="residual_vs_predicted",
        subsample=None,
        ax=figure.add_subplot(),
        scatter_kwargs={**dots, "color": BLUE, "linewidths": 0, "rasterized": many},
        line_kwargs=_THIN,
    ).ax_
    ax.set_xlabel("predicted (units of y), row held out")
    ax.set_ylabel("actual − predicted")
    plain(ax)
    sign = "A bend or a funnel means that something is left to model."
    if spreads:
        sign = (
            "A bend means that something is left to model; a funnel is what such a model expects."
        )
    return f"What each prediction misses, by the model that did not see the row. {sign}"


def _confusion(y: NDArray[Any], held_out: NDArray[Any], figure: Figure) -> str:
    from sklearn.metrics import ConfusionMatrixDisplay, confusion_matrix

    ax = figure.add_subplot()
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
        figure.colorbar(display.im_, ax=ax, location="top", aspect=40, label="number of rows")
    if numbered:
        numbers = [str(number) for number in range(1, len(names) + 1)]
        ax.set_xticks(ax.get_xticks(), labels=numbers)
        ax.set_yticks(ax.get_yticks(), labels=map("{}  {}".format, names, numbers))
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


def _roc(is_second: NDArray[Any], chances: NDArray[Any], name: str, figure: Figure) -> str:
    from sklearn.metrics import RocCurveDisplay, roc_auc_score

    ax = figure.add_subplot()
    RocCurveDisplay.from_predictions(is_second, chances, plot_chance_level=True, ax=ax)
    curve, chance = ax.get_lines()[:2]
    curve.set(color=BLUE, linewidth=1.5)
    chance.set(**_THIN)
    ax.set_xlabel("share of the other rows taken for it")
    ax.set_ylabel(f"share of {shorten(printable(str(name)), 24)} found", parse_math=False)
    plain(ax)
    area = wording.numeral(float(roc_auc_score(is_second, chances)), 3)
    return (
        f"Receiver operating characteristic for {printable(name)}, from the probabilities of all"
        f" rows held out; the area below it is {area}. The dashes are chance."
    )


def _calibration(is_second: NDArray[Any], chances: NDArray[Any], name: str, figure: Figure) -> str:
    from sklearn.calibration import CalibrationDisplay

    ax = figure.add_subplot()
    groups: dict[str, Any] = {"n_bins": _GROUPS, "strategy": "quantile"}
    CalibrationDisplay.from_predictions(is_second, chances, **groups, ax=ax)
    ideal, curve = ax.get_lines()[:2]
    curve.set(color=BLUE, linewidth=1.5, marker="o", markersize=4)
    ideal.set(**_THIN)
    short = shorten(printable(str(name)), 24)
    ax.set_xlabel(f"predicted probability of {short}, row held out", parse_math=False)
    ax.set_ylabel(f"share that is {short}", parse_math=False)
    plain(ax)
    return (
        f"Calibration for {printable(name)}: rows in {_GROUPS} groups of growing probability, as"
        " many in each. On the dashes what is given a probability happens that often; below them"
        " probabilities are too high."
    )
