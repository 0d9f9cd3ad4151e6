"""The pictures of a report: what compares the models, and what each of them has to show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..plotting import (
    CoefficientDisplay,
    CVCurveDisplay,
    FilterDisplay,
    RegularizationPathDisplay,
    TrainingHistoryDisplay,
    WeightHistogramDisplay,
)
from ..plotting.fitted import kind_of_coefficient
from ..plotting.kind_of_model import class_name
from ..plotting.naming import shorten_apart
from ..selection.result import CRITERIA, LOG_LOSS, MEAN_DEVIANCE, MEAN_SQUARED_ERROR
from . import wording
from .contents import Contents, ModelReport, Score
from .drawing import BLUE, HEIGHT, Picture, Sketch, picture, plain, printable
from .predictions import of_classes, of_residuals

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_AS_CURVES = 150  # thin lines that are drawn as curves; more of them as one image
_MOST_TARGETS = 3  # with a picture each
_MOST_LAYERS = 4


def of_model(model: ModelReport, contents: Contents, position: int) -> Iterator[Picture]:
    """Draw what one model has to show, one picture after the other.

    Its position tells the pictures of one model from another's.
    """
    classify = contents.glance.task == "classification"
    sketches = chain(
        _of_path(model),
        _of_cv(model),
        _of_coefficients(model),
        _of_network(model),
        of_classes(model, contents) if classify else of_residuals(model, contents),
    )
    for sketch in sketches:
        yield picture(sketch, f"{sketch.name}-{position}", model.name)


def comparison(contents: Contents, order: Sequence[int]) -> Picture:
    """Draw each model's mean of the first score with its standard error.

    `order` are positions of the models, from the top; the baseline is below them.
    """
    models = [contents.models[position] for position in order]
    models += [] if contents.baseline is None else [contents.baseline]
    scores = [model.scores[0] for model in models]
    low, high = _scale(scores)

    def draw(figure: Figure) -> str:
        ax = figure.add_subplot()
        ax.set_xlim(low, high)
        caption = "Mean with its standard error; the strokes are single folds."
        if len(models) > 1:
            better = "right" if scores[0].greater_is_better else "left"
            caption += f" Further to the {better} is better; the filled diamond is the best."
        outside = ""
        for place, score in enumerate(scores):
            if not (score.mean < low or score.mean > high):
                ax.plot(score.values, np.full(score.values.size, place), "|", color="#999999")
                style: dict[str, Any] = {"markersize": 5, "linewidth": 1.5, "capsize": 3}
                style |= {"fmt": "o", "color": "#555555", "markerfacecolor": "white"}
                style |= {"fmt": "D", "color": BLUE, "markerfacecolor": BLUE} if not place else {}
                ax.errorbar(score.mean, place, xerr=score.standard_error, **style)
                continue
            text, outside = wording.score_text(score), " An arrow points to what lies outside."
            x, text, side = (
                (0, f"← {text}", "left") if score.mean < low else (1, f"{text} →", "right")
            )
            ax.text(x, place, text, transform=ax.get_yaxis_transform(), ha=side, va="center")
        names = shorten_apart([printable(model.name) for model in models], 28)
        ax.set_yticks(np.arange(len(models)), labels=names, parse_math=False)
        ax.get_yticklabels()[0].set_fontweight("bold")
        ax.set_ylim(len(models) - 0.4, -0.6)
        ax.set_xlabel(f"{scores[0].name}, rows held out")
        plain(ax)
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        return caption + outside

    sketch = Sketch("comparison", draw, 0.75 + 0.3 * len(models))
    return picture(sketch, "comparison", "the models", width=4.4)


def _scale(scores: Sequence[Score]) -> tuple[float, float]:
    """Limits for the scores, without those so far off that the others would shrink to a point."""
    low, high = np.inf, -np.inf
    for score in scores:
        values = score.values[np.isfinite(score.values)]
        if not values.size:
            continue
        lowest, highest = float(values.min()), float(values.max())
        if low > high or max(low - lowest, highest - high) <= 2 * (high - low):
            low, high = min(low, lowest), max(high, highest)
    if low > high:
        return 0.0, 1.0
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 0.5
    return low - margin, high + margin


def _of_path(model: ModelReport) -> Iterator[Sketch]:
    path, given = model.path, model.coefficients
    if path is None:
        return
    if given is not None and given.factor is not None:
        path = replace(path, coefs=path.coefs * given.factor[:, np.newaxis], refit=None)
    n_targets = path.coefs.shape[0] if path.coefs.ndim == 3 else 1
    if path.classes is not None:
        names = [printable(class_name(label)) for label in path.classes.tolist()]
        path = replace(path, classes=np.array(names, dtype=object))

    def draw(figure: Figure, target: int) -> str:
        marks = _within(model, path.alphas)
        names = _names(model, path.coefs.shape[-2])
        display = RegularizationPathDisplay(path, **marks, feature_names=names, target=target)
        display.plot(figure.add_subplot())
        others = display.other_lines_
        if others is not None and len(others.get_paths()) > _MOST_AS_CURVES:
            others.set_rasterized(True)
        if given is not None:
            display.ax_.set_ylabel(f"{kind_of_coefficient(path)}\n({wording.per(given)})")
        n_named = len(display.named_)
        where = "α in use" if marks["alpha"] is not None else "smallest α"
        largest = f"; the {n_named} largest at the {where} are named" if n_named > 1 else ""
        which = _which(model, target, n_targets)
        return f"Coefficients as the penalty falls from left to right{largest}{which}"

    for target in range(min(n_targets, _MOST_TARGETS)):
        yield Sketch(f"path{target}", partial(draw, target=target))


def _of_cv(model: ModelReport) -> Iterator[Sketch]:
    cv = model.cv
    if cv is None:
        return

    def draw(figure: Figure) -> str:
        alpha = _within(model, cv.alphas)["alpha"]
        CVCurveDisplay(cv, path=model.path, alpha=alpha).plot(figure.add_subplot())
        error = cv.metric == MEAN_SQUARED_ERROR or cv.metric.startswith("neg_")
        what = "Error" if error else "Score, negated so that less is better,"
        if cv.metric in (LOG_LOSS, MEAN_DEVIANCE):
            what = cv.metric.capitalize()
        if cv.metric.lower() in CRITERIA:
            return f"{cv.metric} of the model at each penalty; the lowest point is min."
        shares, within = "", ""
        if cv.by_share is not None and len(cv.by_share) > 1:
            shares = " Each share γ of the penalised fit has a curve, the one in use the band."
            within = ", at any γ"
        return (
            f"{what} of the rows held out at each penalty, with a band of one standard error."
            f"{shares} The lowest point is min; 1se is the largest penalty within one standard"
            f" error of it{within}."
        )

    yield Sketch("cv", draw)


def _of_coefficients(model: ModelReport) -> Iterator[Sketch]:
    given = model.coefficients
    if given is None:
        return
    values = np.atleast_2d(given.values)

    def draw(figure: Figure, target: int) -> str:
        ax = figure.add_subplot()
        rows, labels = values[target], None
        if given.at_1se is not None:
            rows = np.stack([rows, np.atleast_2d(given.at_1se)[target]])
            alphas = {"in use": model.alpha, "1se": model.alpha_1se}
            labels = [
                name if alpha is None else f"{name}, α = {wording.numeral(alpha, 3)}"
                for name, alpha in alphas.items()
            ]
        names = _names(model, values.shape[1])
        CoefficientDisplay(
            rows, labels=labels, feature_names=names, feature_scale=given.factor
        ).plot(ax)
        ax.spines["left"].set_visible(False)  # the bars start at zero, not there
        ax.set_xlabel(f"coefficient ({wording.per(given)})")
        return f"The largest coefficients{_which(model, target, len(values))}"

    for target in range(min(len(values), _MOST_TARGETS)):
        yield Sketch(f"coefficients{target}", partial(draw, target=target))


def _of_network(model: ModelReport) -> Iterator[Sketch]:
    if not model.is_network:
        return
    panels = _panels(model.estimator)
    n_layers = len(model.estimator.coefs_)
    layers = sorted({*range(min(n_layers, _MOST_LAYERS - 1)), n_layers - 1})

    def draw_history(figure: Figure) -> str:
        axes = figure.subplots(len(panels), squeeze=False, sharex=True).ravel()
        TrainingHistoryDisplay.from_estimator(model.estimator, ax=list(axes), panels=panels)
        for ax in axes[:-1]:
            ax.set_xlabel("")
        return "How the network was trained."

    def draw_weights(figure: Figure) -> str:
        axes = figure.subplots(len(layers), squeeze=False).ravel()
        WeightHistogramDisplay.from_estimator(model.estimator, ax=list(axes), layers=layers)
        more = n_layers - len(layers)
        left_out = f" {more} layers between them are not drawn." if more else ""
        return f"Weights of each layer, biases left out.{left_out}"

    def draw_filters(figure: Figure) -> str:
        FilterDisplay.from_estimator(model.estimator, ax=figure.add_subplot())
        return "Kernels of the first convolution."

    if panels:
        yield Sketch("history", draw_history, max(HEIGHT, 1.8 * len(panels)))
    yield Sketch("weights", draw_weights, max(HEIGHT, 1.8 * len(layers)))
    if hasattr(model.estimator, "kernels_"):
        yield Sketch("filters", draw_filters, HEIGHT)


def _panels(network: Any) -> list[str]:
    """What the training of a network has to show: scikit-learn's keep less, L-BFGS nothing."""
    history = getattr(network, "history_", None)
    if history is None:
        shown = {
            "loss": hasattr(network, "loss_curve_"),
            "score": getattr(network, "validation_scores_", None) is not None,
        }
    else:
        shown = {
            "loss": True,
            "score": bool(np.isfinite(history["validation_score"]).any()),
            "learning_rate": np.unique(history["learning_rate"]).size > 1,
        }
    return [panel for panel, there in shown.items() if there]


def _names(model: ModelReport, n_features: int) -> list[str] | None:
    """Names as pictures can hold them: no line breaks, nothing that XML cannot write."""
    if model.coefficients is None or len(model.coefficients.names) != n_features:
        return None
    return [printable(str(name)) for name in model.coefficients.names]


def _within(model: ModelReport, alphas: NDArray[np.float64]) -> dict[str, float | None]:
    """The model's alphas that a picture over these alphas can mark."""
    given = {name: getattr(model, name) for name in ("alpha", "alpha_min", "alpha_1se")}
    return {
        name: value if value is not None and alphas.min() <= value <= alphas.max() else None
        for name, value in given.items()
    }


def _which(model: ModelReport, target: int, n_targets: int) -> str:
    """End a sentence with the target or class it is about, where there are several."""
    if n_targets == 1:
        return "."
    targets = () if model.coefficients is None else model.coefficients.targets
    name = printable(str(targets[target])) if targets else f"{target + 1} of {n_targets}"
    more = n_targets - _MOST_TARGETS
    left_out = f" Those for {more:,} more are not drawn." if target == 0 and more > 0 else ""
    return f", for {name}.{left_out}"
