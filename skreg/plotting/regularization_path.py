"""The coefficient path: every coefficient against the penalty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import fitted, kind_of_model, labels, naming
from .style import LINESTYLES, Canvas, Display, Kwargs, label_outer
from .top_axis import top_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation

    from ..paths.result import PathResult


_MOST_CURVES = 2000
_MOST_IN_VIEW = 3.0  # times the largest coefficient at the alphas marked, of relaxed fits


@dataclass(eq=False, repr=False)
class RegularizationPathDisplay(Display):
    """Coefficients along a regularisation path.

    The penalty decreases to the right whatever the x-axis shows. The largest coefficients are
    drawn in colour and named at their lines' ends; the others are grey. Those of relaxed fits are
    mixtures with the share γ of the penalised fit.

    Three classes or more have a panel each, with axes of one scale and a feature's colour the same
    in all. The difference of two classes is that of the log-odds between them.

    Build it with :meth:`from_estimator` or :meth:`from_path`, which also draw.

    Parameters
    ----------
    path : PathResult
        The path, with `alphas` of shape (n_alphas,) and `coefs` of shape (n_features, n_alphas) or
        (n_targets, n_features, n_alphas), where classes are targets.
    alpha_min, alpha_1se : float, default=None
        Alphas chosen by cross-validation, to be marked.
    alpha : float, default=None
        The alpha that the model uses. Where it is `alpha_min` or `alpha_1se`, that line is solid
        and the other dashed; otherwise it has a line of its own.
    feature_names : array-like of shape (n_features,), default=None
        Names to write. None takes those of the path, or else "x0", "x1" and so on.
    target : int or str, default=None
        Which target of a path with several to show, a class also by its name. None is every class,
        and of other targets the first.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    panels_ : list of RegularizationPathDisplay
        One a class, where there are several: each has what follows, for its own axes.
    named_ : ndarray of shape (n_named,)
        Indices of the features in colour, from the lowest end to the highest.
    lines_ : list of Line2D
        Their lines, in the order of `named_`.
    labels_ : list of Annotation
        Their names, in the order of `named_`.
    other_lines_ : LineCollection or None
        The grey lines: the features that are non-zero somewhere on the path but not named.
    alpha_lines_, alpha_labels_ : list
        Vertical lines at the chosen alphas, and their labels.
    top_ax_ : SecondaryAxis or None
        The axis on top.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skreg import LassoCV, RegularizationPathDisplay
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> display = RegularizationPathDisplay.from_estimator(LassoCV().fit(X, y))  # doctest: +SKIP
    """

    path: PathResult
    _: KW_ONLY
    alpha_min: float | None = None
    alpha_1se: float | None = None
    alpha: float | None = None
    feature_names: ArrayLike | None = None
    target: int | str | None = None

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        target: int | str | None = None,
        feature_names: ArrayLike | None = None,
        ax: Axes | Sequence[Axes] | None = None,
        **plot_kwargs: Any,
    ) -> RegularizationPathDisplay:
        """Draw the path that a fitted LassoCV, LogisticRegressionCV or the like keeps.

        Parameters
        ----------
        estimator : fitted estimator
            Its `path_`, and where present `alpha_`, `alpha_min_`, `alpha_1se_` and
            `feature_names_in_`, are read.
        target : int or str, default=None
            Which target or class to show.
        feature_names : array-like of shape (n_features,), default=None
            Names to write instead of the estimator's own.
        ax, **plot_kwargs
            Passed to :meth:`plot`.

        Returns
        -------
        RegularizationPathDisplay

        Raises
        ------
        AttributeError
            The estimator keeps no path: it is not fitted, or it fits a single alpha.
        """
        way_out = "RegularizationPathDisplay.from_path(regularization_path(estimator, X, y))"
        estimator = fitted.unwrapped(estimator)
        path = fitted.stored(estimator, "path_", way_out)
        return cls.from_path(
            path,
            **fitted.chosen_alphas(estimator, target),
            feature_names=fitted.names_of(estimator, feature_names),
            target=target,
            ax=ax,
            **plot_kwargs,
        )

    @classmethod
    def from_path(
        cls,
        path: PathResult,
        *,
        alpha_min: float | None = None,
        alpha_1se: float | None = None,
        alpha: float | None = None,
        feature_names: ArrayLike | None = None,
        target: int | str | None = None,
        ax: Axes | Sequence[Axes] | None = None,
        **plot_kwargs: Any,
    ) -> RegularizationPathDisplay:
        """Draw a path, for example that of :func:`skreg.regularization_path`.

        Parameters
        ----------
        path, alpha_min, alpha_1se, alpha, feature_names, target
            As for the class.
        ax, **plot_kwargs
            Passed to :meth:`plot`.

        Returns
        -------
        RegularizationPathDisplay
        """
        display = cls(
            path,
            alpha_min=alpha_min,
            alpha_1se=alpha_1se,
            alpha=alpha,
            feature_names=feature_names,
            target=target,
        )
        return display.plot(ax, **plot_kwargs)

    def plot(
        self,
        ax: Axes | Sequence[Axes] | None = None,
        *,
        x: Literal["alpha", "l1_norm", "dev_ratio"] = "alpha",
        n_labels: int = 8,
        labels_at: float | None = None,
        top: Literal["auto", "n_nonzero", "df"] | None = "auto",
        line_kwargs: Kwargs = None,
        other_line_kwargs: Kwargs = None,
        label_kwargs: Kwargs = None,
        alpha_line_kwargs: Kwargs = None,
        alpha_label_kwargs: Kwargs = None,
    ) -> RegularizationPathDisplay:
        """Draw the path.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of Axes, default=None
            Where to draw, one for each class. None makes a new figure. The axes give up some width
            for the names.
        x : {"alpha", "l1_norm", "dev_ratio"}, default="alpha"
            What the x-axis shows: the penalty on a log scale, the sum of the absolute
            coefficients, or the fraction of deviance explained.
        n_labels : int, default=8
            How many coefficients to name, the largest in absolute value first; fewer where the
            height has no room for more. A coefficient that is zero everywhere has no name.
        labels_at : float, default=None
            The alpha (or the one of the path nearest to it) whose coefficients are compared for
            that. None is the alpha in use where one is marked, else the end of the path.
        top : {"auto", "n_nonzero", "df"} or None, default="auto"
            What the axis on top shows: the number of non-zero coefficients or the degrees of
            freedom. "auto" is "df" without an L1 part, where no coefficient becomes zero, and
            "n_nonzero" otherwise. None leaves the axis out.
        line_kwargs, other_line_kwargs : dict, default=None
            Overrides for the coloured lines (Line2D) and the grey ones (LineCollection).
        label_kwargs : dict, default=None
            Overrides for the names (Text).
        alpha_line_kwargs, alpha_label_kwargs : dict, default=None
            Overrides for the vertical lines at the chosen alphas (Line2D) and their labels (Text).

        Returns
        -------
        RegularizationPathDisplay
            Itself, with the artists as attributes.

        Raises
        ------
        ImportError
            Matplotlib is not installed.
        ValueError
            `x` or `top` is unknown, `target` is out of range, a chosen alpha lies outside the
            path, or the number of names is not the number of features.
        """
        alphas = np.asarray(self.path.alphas, dtype=float)
        classes = kind_of_model.classes_of_path(self.path)
        targets = kind_of_model.targets_to_draw(self.target, classes)
        coefs = [fitted.pick_target(self.path.coefs, each, 2) for each in targets]
        xs = [self._x_values(x, each, own) for each, own in zip(targets, coefs, strict=True)]
        marks = labels.alphas_to_mark(alphas, self.alpha_min, self.alpha_1se, self.alpha)
        given = self.path.feature_names if self.feature_names is None else self.feature_names
        names = naming.names(given, coefs[0].shape[0])
        counts = [fitted.top_values(self.path, top, each) for each in targets]
        if labels_at is None:
            labels_at = next((mark.alpha for mark in marks if mark.solid), alphas[-1])
        compared = int(np.argmin(np.abs(alphas - labels_at)))
        low, high = min(0.0, *map(np.min, coefs)), max(0.0, *map(np.max, coefs))
        if marks and fitted.is_relaxed(self.path):
            # Refits of many features may be so far off that the rest would be flat.
            in_use = alphas >= min(mark.alpha for mark in marks)
            most = _MOST_IN_VIEW * max(float(np.abs(each[:, in_use]).max()) for each in coefs)
            low, high = max(low, -most), min(high, most)
        unit = f"({kind_of_model.predictor_of_path(self.path)} per unit of x)"

        canvases = self._class_canvases(ax, len(targets), sharey=True)
        several, what = len(targets) > 1, fitted.kind_of_coefficient(self.path)
        self.panels_ = [replace(self, target=each) for each in targets] if several else [self]
        places: dict[int, int] = {}
        labels_of_all: list[Annotation] | None = [] if several else None
        for k, (panel, canvas) in enumerate(zip(self.panels_, canvases, strict=True)):
            if x == "alpha":
                xlabel = canvas.alpha_axis(alphas)
            else:
                xlabel = _X_LABELS[x]
                canvas.limit_x(xs[k].min(), xs[k].max())
            canvas.limit_y(low, high, labels.headroom_for(marks, canvas))
            apart = "\n" if several or "," in what else " "
            canvas.frame(xlabel, f"{what}{apart}{unit}")
            canvas.ax.axhline(0, color=canvas.faint, linewidth=0.8, zorder=0.5)
            largest = labels.by_size(coefs[k], compared)[: labels.room_for(n_labels, canvas)]
            panel._draw_lines(
                canvas, xs[k], coefs[k], largest, places, line_kwargs, other_line_kwargs
            )
            panel._write(canvas, names, label_kwargs, labels_of_all, (low, high))
            if classes is not None:
                canvas.title(kind_of_model.class_name(classes[targets[k]]))
            panel._mark(canvas, xs[k], marks, counts[k], alpha_line_kwargs, alpha_label_kwargs)
        if several:
            tops = [panel.top_ax_ for panel in self.panels_]
            label_outer([panel.ax_ for panel in self.panels_], tops)
        return self

    def _draw_lines(
        self,
        canvas: Canvas,
        xs: NDArray[Any],
        coefs: NDArray[Any],
        largest: NDArray[np.intp],
        places: dict[int, int],
        line_kwargs: Kwargs,
        other_line_kwargs: Kwargs,
    ) -> None:
        """Draw the largest coefficients in colours, which keep their places in other panels."""
        self._draws_on(canvas)
        # Colours follow the order of the ends, so that neighbours differ.
        self.named_ = largest[np.argsort(coefs[largest, -1], kind="stable")]
        # Where a coefficient stays zero its line is masked: drawn over each other there, the lines
        # would be a tangle of dashes. The data keep the zeros.
        zero = np.pad(coefs[self.named_] == 0, ((0, 0), (1, 1)), constant_values=True)
        drawn = np.ma.masked_array(coefs[self.named_], zero[:, :-2] & zero[:, 1:-1] & zero[:, 2:])
        style: dict[str, Any] = {"linewidth": 1.3, "markersize": 4, "zorder": 2.5}
        style["marker"] = "o" if xs.size == 1 else ""
        self.lines_ = []
        for index, values in zip(self.named_.tolist(), drawn, strict=True):
            place = places.setdefault(index, len(places))
            dashes = LINESTYLES[place % len(LINESTYLES)]
            each = {"color": canvas.color(place), "linestyle": dashes, **style}
            self.lines_.append(canvas.line((xs, values), line_kwargs, **each))
        others = np.setdiff1d(np.flatnonzero(coefs.any(axis=1)), self.named_)
        self.other_lines_ = None
        if others.size:
            segments = list(np.stack(np.broadcast_arrays(xs, coefs[others]), axis=-1))
            # As single curves, thousands of lines would make a PDF or SVG file of many megabytes.
            self.other_lines_ = canvas.lines(
                segments, other_line_kwargs, rasterized=others.size > _MOST_CURVES
            )

    def _write(
        self,
        canvas: Canvas,
        names: Sequence[str],
        label_kwargs: Kwargs,
        labels_of_all: list[Annotation] | None,
        within: tuple[float, float],
    ) -> None:
        """Write the names of the lines in colour at their ends."""
        named = [names[index] for index in self.named_]
        self.labels_ = labels.name_line_ends(
            canvas, self.lines_, named, label_kwargs, labels_of_all, within
        )

    def _mark(
        self,
        canvas: Canvas,
        xs: NDArray[Any],
        marks: Sequence[labels.Mark],
        counts: tuple[NDArray[Any], str] | None,
        alpha_line_kwargs: Kwargs,
        alpha_label_kwargs: Kwargs,
    ) -> None:
        """Add the axis on top, and mark the chosen alphas."""
        self.top_ax_ = top_axis(canvas, xs, counts)
        alphas = np.asarray(self.path.alphas, dtype=float)
        # Between two knots of a Lasso path the coefficients are linear in alpha.
        at = [float(np.interp(mark.alpha, alphas[::-1], xs[::-1])) for mark in marks]
        self.alpha_lines_, self.alpha_labels_ = labels.draw_marks(
            canvas, marks, at, alpha_line_kwargs, alpha_label_kwargs
        )

    def _x_values(self, x: str, target: int, coefs: NDArray[Any]) -> NDArray[Any]:
        if x == "alpha":
            return np.asarray(self.path.alphas, dtype=float)
        if x == "l1_norm":
            return np.abs(coefs).sum(axis=0)
        if x == "dev_ratio":
            return fitted.pick_target(self.path.dev_ratio, target, 1)
        raise ValueError(f'x={x!r} is unknown: choose "alpha", "l1_norm" or "dev_ratio"')


_X_LABELS = {
    "l1_norm": r"$\ell_1$ norm of the coefficients",
    "dev_ratio": "fraction of deviance explained",
}
