"""The coefficients of a model, or of a few models side by side, as bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import fitted, kind_of_model, naming
from .labels import Mark, alphas_to_mark, by_size, room_for
from .style import Canvas, Display, Kwargs, label_outer, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..paths.result import PathResult


@dataclass(eq=False, repr=False)
class CoefficientDisplay(Display):
    """Signed bars of the largest coefficients, the largest on top.

    Features are ordered by the size of their coefficients in the first model, those that are zero
    there by their size in the others. How many are left out is written below the bars. Several
    models stand side by side: the first has filled bars, the second outlines, the third hatching.
    Three classes or more have a panel each, with axes of one scale.

    Build it with :meth:`from_estimator` or :meth:`from_path`, which also draw.

    Parameters
    ----------
    coefs : array-like of shape (n_features,) or (n_models, n_features)
        The coefficients of each model; with `classes`, (n_classes, n_models, n_features).
    labels : sequence of str of length n_models, default=None
        Names of the models, for a legend. None draws no legend.
    alpha : float, default=None
        The penalty of the model, to be said in the label of the axis.
    feature_names : array-like of shape (n_features,), default=None
        Names to write. None is "x0", "x1" and so on.
    feature_scale : array-like of shape (n_features,), default=None
        Multiplies the coefficients, by name if it is a Series. Standard deviations make features of
        different units comparable: a bar is then the change of y for one standard deviation.
    predictor : str, default="y"
        What the coefficients change, for the label of the axis: "log-odds" of classes, "log y" of
        counts and amounts.
    classes : array-like of shape (n_classes,), default=None
        Where each class has coefficients of its own: what they are called.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    panels_ : list of CoefficientDisplay
        One a class, where there are several: each has what follows, for its own axes.
    shown_ : ndarray of shape (n_shown,)
        Indices of the features, from the top.
    bars_ : list of BarContainer
        The bars of each model, from the top.
    zero_line_ : Line2D
    note_ : Text or None
        What is left out.
    legend_ : Legend or None

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skreg import CoefficientDisplay, LassoCV
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> display = CoefficientDisplay.from_estimator(LassoCV().fit(X, y))  # doctest: +SKIP
    """

    coefs: ArrayLike
    _: KW_ONLY
    labels: Sequence[str] | None = None
    alpha: float | None = None
    feature_names: ArrayLike | None = None
    feature_scale: ArrayLike | None = None
    predictor: str = "y"
    classes: ArrayLike | None = None

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        target: int | str | None = None,
        feature_names: ArrayLike | None = None,
        feature_scale: ArrayLike | None = None,
        ax: Axes | Sequence[Axes] | None = None,
        **plot_kwargs: Any,
    ) -> CoefficientDisplay:
        """Draw the coefficients of a fitted linear model.

        Where it was cross-validated, those at the other choice of alpha stand beside them: 1se
        beside min, or min beside 1se where the model uses that.

        Parameters
        ----------
        estimator : fitted estimator
            Its `coef_`, and where present `path_`, `alpha_`, `alpha_min_`, `alpha_1se_` and
            `feature_names_in_`, are read.
        target : int or str, default=None
            Which target to show, a class also by its name. None is every class, and of other
            targets the first.
        feature_names, feature_scale
            As for the class; the names default to the estimator's own.
        ax, **plot_kwargs
            Passed to :meth:`plot`.

        Returns
        -------
        CoefficientDisplay

        Raises
        ------
        AttributeError
            The estimator has no coefficients: it is not fitted, or not linear.
        """
        estimator = fitted.unwrapped(estimator)
        coefs = np.asarray(fitted.stored(estimator, "coef_"))
        own = _of_targets(coefs[np.newaxis], target, kind_of_model.classes_of(estimator))
        chosen = fitted.on_its_path(estimator, fitted.chosen_alphas(estimator, target))
        path = getattr(estimator, "path_", None)
        options: dict[str, Any] = {
            "feature_names": fitted.names_of(estimator, feature_names),
            "feature_scale": feature_scale,
        }
        if path is None:
            predictor = kind_of_model.predictor_of(estimator)
            display = cls(**own, alpha=chosen["alpha"], predictor=predictor, **options)
            return display.plot(ax, **plot_kwargs)
        return cls.from_path(path, **chosen, target=target, **options, ax=ax, **plot_kwargs)

    @classmethod
    def from_path(
        cls,
        path: PathResult,
        *,
        alpha: float | None = None,
        alpha_min: float | None = None,
        alpha_1se: float | None = None,
        target: int | str | None = None,
        feature_names: ArrayLike | None = None,
        feature_scale: ArrayLike | None = None,
        ax: Axes | Sequence[Axes] | None = None,
        **plot_kwargs: Any,
    ) -> CoefficientDisplay:
        """Draw the coefficients that a path has at one alpha or at a few.

        Parameters
        ----------
        path : PathResult
        alpha : float, default=None
            The alpha that the model uses; its bars are filled and set the order. None is
            `alpha_min`, or where that is None too, `alpha_1se`.
        alpha_min, alpha_1se : float, default=None
            Alphas chosen by cross-validation, to stand beside it.
        target, feature_names, feature_scale
            As for :meth:`from_estimator`; the names default to those of the path.
        ax, **plot_kwargs
            Passed to :meth:`plot`.

        Returns
        -------
        CoefficientDisplay

        Raises
        ------
        ValueError
            No alpha is given, or one lies outside the path.
        """
        alphas = np.asarray(path.alphas, dtype=float)
        marks = alphas_to_mark(alphas, alpha_min, alpha_1se, alpha)
        if not marks:
            raise ValueError("give alpha, alpha_min or alpha_1se: which coefficients to show")
        marks.sort(key=lambda mark: not mark.solid)
        coefs = np.stack([path.coef_at(mark.alpha) for mark in marks])
        display = cls(
            **_of_targets(coefs, target, kind_of_model.classes_of_path(path)),
            labels=[_label(mark) for mark in marks] if len(marks) > 1 else None,
            alpha=marks[0].alpha if len(marks) == 1 else None,
            feature_names=path.feature_names if feature_names is None else feature_names,
            feature_scale=feature_scale,
            predictor=kind_of_model.predictor_of_path(path),
        )
        return display.plot(ax, **plot_kwargs)

    def plot(
        self,
        ax: Axes | Sequence[Axes] | None = None,
        *,
        n_bars: int = 20,
        bar_kwargs: Kwargs = None,
        other_bar_kwargs: Kwargs = None,
        note_kwargs: Kwargs = None,
        legend_kwargs: Kwargs = None,
    ) -> CoefficientDisplay:
        """Draw the bars.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of Axes, default=None
            Where to draw, one for each class. None makes a new figure. On a figure of your own,
            ``layout="constrained"`` makes room for long names.
        n_bars : int, default=20
            How many features to show; fewer where the height has no room for more names.
        bar_kwargs, other_bar_kwargs : dict, default=None
            Overrides for the bars of the first model and of the others (Rectangle).
        note_kwargs : dict, default=None
            Overrides for the line on what is left out (Text).
        legend_kwargs : dict, default=None
            Overrides for the legend.

        Returns
        -------
        CoefficientDisplay
            Itself, with the artists as attributes.

        Raises
        ------
        ImportError
            Matplotlib is not installed.
        ValueError
            A coefficient is not finite, or the number of names, labels or scales is not that of
            the features or models.
        """
        models, classes = self._models()
        given, n_features = self.feature_names, models.shape[-1]
        names = naming.names(given, n_features)
        models = models * fitted.one_each(self.feature_scale, n_features, "feature_scale", given)
        if self.labels is not None and len(self.labels) != models.shape[1]:
            raise ValueError(f"{len(self.labels)} labels for {models.shape[1]} models")

        canvases = self._class_canvases(ax, len(models))
        self.panels_ = [self]
        if len(models) > 1:
            panels = [replace(self, coefs=own, classes=None, labels=None) for own in models]
            self.panels_ = [replace(panels[0], labels=self.labels), *panels[1:]]
        for panel, canvas, own, label in zip(self.panels_, canvases, models, classes, strict=True):
            panel._draws_on(canvas)
            panel._draw_rows(canvas, own, names, n_bars, bar_kwargs, other_bar_kwargs)
            panel._explain(canvas, own, note_kwargs, legend_kwargs)
            if label is not None:
                canvas.title(kind_of_model.class_name(label))
        if len(models) > 1:
            label_outer([panel.ax_ for panel in self.panels_])
        return self

    def _models(self) -> tuple[NDArray[np.float64], list[Any]]:
        """Coefficients of shape (n_classes, n_models, n_features), and a class or None for each."""
        models = np.asarray(self.coefs, dtype=float)
        classes: list[Any] = [None]
        if self.classes is None:
            models = np.atleast_2d(models)[np.newaxis]
        else:
            classes = list(np.asarray(self.classes))
            if models.ndim != 3 or len(models) != len(classes):
                raise ValueError(
                    f"coefs must have shape ({len(classes)}, n_models, n_features) for as many"
                    f" classes, got {models.shape}"
                )
        if not np.isfinite(models).all():
            raise ValueError("coefs has missing or infinite values")
        return models, classes

    def _draw_rows(
        self,
        canvas: Canvas,
        models: NDArray[np.float64],
        names: Sequence[str],
        n_bars: int,
        bar_kwargs: Kwargs,
        other_bar_kwargs: Kwargs,
    ) -> None:
        """Choose features, draw their bars below one another, and write their names."""
        # One row each for a feature and for a line of the legend, and one for the note.
        head = 0 if self.labels is None else len(models)
        rows = room_for(n_bars + head + 1, canvas) - head - 1
        self.shown_ = by_size(models.T, 0)[: max(min(n_bars, rows), 1)]
        drawn = models[:, self.shown_]
        at = np.arange(self.shown_.size)
        style: dict[str, Any] = {"color": canvas.ink, "linewidth": 0.6, "zorder": 2.5}
        self.zero_line_ = canvas.line(([0, 0], [-0.5, max(at.size, 1) - 0.5]), None, **style)
        self._draw_bars(canvas, at, drawn, bar_kwargs, other_bar_kwargs)
        canvas.frame(self._xlabel(), "")
        shown = [names[index] for index in self.shown_]
        shown = naming.shorten_apart(shown, canvas.longest_name(32))
        canvas.ax.set_yticks(at, labels=shown, parse_math=False)
        canvas.ax.tick_params(axis="y", length=0)
        canvas.limit_x(min(drawn.min(initial=0), 0), max(drawn.max(initial=0), 0))

    def _explain(
        self,
        canvas: Canvas,
        models: NDArray[np.float64],
        note_kwargs: Kwargs,
        legend_kwargs: Kwargs,
    ) -> None:
        """Write what is left out below the bars, and the legend above them."""
        ax, end = canvas.ax, max(self.shown_.size, 1)
        note = _what_is_left_out(models, self.shown_)
        bottom = end + (0.4 if note else -0.4)
        share = min(0.4, canvas.legend_share(0 if self.labels is None else len(self.labels)))
        ax.set_ylim(bottom, bottom - (bottom + 0.6) / (1 - share))
        self.note_ = self.legend_ = None
        if note:
            # From the right edge, so that it may go on to the left below the names.
            self.note_ = ax.text(1, end, note, transform=ax.get_yaxis_transform())
            defaults = {"ha": "right", "va": "center", "color": canvas.ink, "style": "italic"}
            styled(self.note_, note_kwargs, fontsize=canvas.size, **defaults)
        if self.labels is not None:
            self.legend_ = canvas.legend(self.bars_, self.labels, legend_kwargs)

    def _draw_bars(
        self,
        canvas: Canvas,
        at: NDArray[np.intp],
        drawn: NDArray[np.float64],
        bar_kwargs: Kwargs,
        other_bar_kwargs: Kwargs,
    ) -> None:
        height = 0.8 / len(drawn)
        self.bars_ = []
        for place, values in enumerate(drawn):
            offset = (place - (len(drawn) - 1) / 2) * height
            bars = canvas.ax.barh(at + offset, values, height=0.88 * height, zorder=2)
            color = canvas.color(place)
            filling, hatch = [(color, ""), ("none", ""), ("none", "/////")][place % 3]
            for bar in bars:
                overrides = other_bar_kwargs if place else bar_kwargs
                defaults = {"facecolor": filling, "edgecolor": color, "hatch": hatch}
                styled(bar, overrides, linewidth=1.0, **defaults)
            self.bars_.append(bars)

    def _xlabel(self) -> str:
        at = "" if self.alpha is None else rf" at $\alpha$ = {self.alpha:.3g}"
        if self.feature_scale is None:
            return f"coefficient{at} ({self.predictor} per unit of x)"
        unit = "units of y" if self.predictor == "y" else self.predictor
        return rf"coefficient{at} $\times$ scale of x ({unit})"


def _of_targets(
    coefs: NDArray[Any], target: int | str | None, classes: NDArray[Any] | None
) -> dict[str, Any]:
    """Arguments of the display: coefficients, of models on the first axis, and their classes."""
    chosen = kind_of_model.targets_to_draw(target, classes)
    each = np.stack([[fitted.pick_target(own, k, 1) for own in coefs] for k in chosen])
    if classes is None:
        return {"coefs": each[0]}
    return {"coefs": each, "classes": classes[chosen]}


def _label(mark: Mark) -> str:
    """Name a model of the legend by its alpha."""
    told = "" if mark.label.startswith("$") else rf", $\alpha$ = {mark.alpha:.3g}"
    return f"{mark.label}{told}{', in use' if mark.solid else ''}"


def _what_is_left_out(models: NDArray[np.float64], shown: NDArray[np.intp]) -> str:
    """Say how many coefficients have no bar."""
    n_zero = int(np.count_nonzero(~models.any(axis=0)))
    n_smaller = models.shape[1] - n_zero - shown.size
    if not shown.size:
        return f"all {n_zero} are zero"
    parts = [f"{n_smaller} smaller"] if n_smaller else []
    parts += [f"{n_zero} zero"] if n_zero else []
    return f"not shown: {' and '.join(parts)}" if parts else ""
