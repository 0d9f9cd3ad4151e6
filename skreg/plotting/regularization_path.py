"""The coefficient path: every coefficient against the penalty."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import fitted, labels, naming
from .style import LINESTYLES, Canvas, Display, Kwargs
from .top_axis import top_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..paths.result import PathResult


_MOST_CURVES = 2000


@dataclass(eq=False, repr=False)
class RegularizationPathDisplay(Display):
    """Coefficients along a regularisation path.

    The penalty decreases to the right whatever the x-axis shows. The largest coefficients are
    drawn in colour and named at their lines' ends; the others are grey.

    Build it with :meth:`from_estimator` or :meth:`from_path`, which also draw.

    Parameters
    ----------
    path : PathResult
        The path, with `alphas` of shape (n_alphas,) and `coefs` of shape (n_features, n_alphas) or
        (n_targets, n_features, n_alphas).
    alpha_min, alpha_1se : float, default=None
        Alphas chosen by cross-validation, to be marked.
    alpha : float, default=None
        The alpha that the model uses. Where it is `alpha_min` or `alpha_1se`, that line is solid
        and the other dashed; otherwise it has a line of its own.
    feature_names : array-like of shape (n_features,), default=None
        Names to write. None takes those of the path, or else "x0", "x1" and so on.
    target : int, default=0
        Which target of a path with several to show.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
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
    target: int = 0

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        target: int = 0,
        feature_names: ArrayLike | None = None,
        ax: Axes | None = None,
        **plot_kwargs: Any,
    ) -> RegularizationPathDisplay:
        """Draw the path that a fitted LassoCV, ElasticNetCV or RidgeCV keeps.

        Parameters
        ----------
        estimator : fitted estimator
            Its `path_`, and where present `alpha_`, `alpha_min_`, `alpha_1se_` and
            `feature_names_in_`, are read.
        target : int, default=0
            Which target to show.
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
        target: int = 0,
        ax: Axes | None = None,
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
        ax: Axes | None = None,
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
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure. The axes give up some width for the names.
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
            freedom. "auto" is "df" for Ridge, none of whose coefficients becomes zero, and
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
        coefs = fitted.pick_target(self.path.coefs, self.target, 2)
        xs = self._x_values(x, alphas, coefs)
        marks = labels.alphas_to_mark(alphas, self.alpha_min, self.alpha_1se, self.alpha)
        # Between two knots of a Lasso path the coefficients are linear in alpha.
        at = [float(np.interp(mark.alpha, alphas[::-1], xs[::-1])) for mark in marks]
        given = self.path.feature_names if self.feature_names is None else self.feature_names
        names = naming.names(given, coefs.shape[0])
        counts = fitted.top_values(self.path, top, self.target)

        canvas = self._canvas(ax)
        if x == "alpha":
            xlabel = canvas.alpha_axis(alphas)
        else:
            xlabel = _X_LABELS[x]
            canvas.limit_x(xs.min(), xs.max())
        headroom = labels.headroom_for(marks, canvas)
        canvas.limit_y(min(coefs.min(), 0.0), max(coefs.max(), 0.0), headroom)
        canvas.frame(xlabel, "coefficient (y per unit of x)")
        canvas.ax.axhline(0, color=canvas.faint, linewidth=0.8, zorder=0.5)
        if labels_at is None:
            labels_at = next((mark.alpha for mark in marks if mark.solid), alphas[-1])
        compared = int(np.argmin(np.abs(alphas - labels_at)))
        largest = labels.by_size(coefs, compared)[: labels.room_for(n_labels, canvas)]
        self.named_ = largest[np.argsort(coefs[largest, -1], kind="stable")]
        self._draw_lines(canvas, xs, coefs, line_kwargs, other_line_kwargs)
        named = [names[index] for index in self.named_]
        self.labels_ = labels.name_line_ends(canvas, self.lines_, named, label_kwargs)
        self.top_ax_ = top_axis(canvas, xs, counts)
        self.alpha_lines_, self.alpha_labels_ = labels.draw_marks(
            canvas, marks, at, alpha_line_kwargs, alpha_label_kwargs
        )
        return self

    def _draw_lines(
        self,
        canvas: Canvas,
        xs: NDArray[Any],
        coefs: NDArray[Any],
        line_kwargs: Kwargs,
        other_line_kwargs: Kwargs,
    ) -> None:
        # Where a coefficient stays zero its line is masked: drawn over each other there, the lines
        # would be a tangle of dashes. The data keep the zeros.
        zero = np.pad(coefs[self.named_] == 0, ((0, 0), (1, 1)), constant_values=True)
        drawn = np.ma.masked_array(coefs[self.named_], zero[:, :-2] & zero[:, 1:-1] & zero[:, 2:])
        style: dict[str, Any] = {"linewidth": 1.3, "markersize": 4, "zorder": 2.5}
        style["marker"] = "o" if xs.size == 1 else ""
        # Colours follow the order of the ends, so that neighbours differ.
        self.lines_ = []
        for place, values in enumerate(drawn):
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

    def _x_values(self, x: str, alphas: NDArray[Any], coefs: NDArray[Any]) -> NDArray[Any]:
        if x == "alpha":
            return alphas
        if x == "l1_norm":
            return np.abs(coefs).sum(axis=0)
        if x == "dev_ratio":
            return fitted.pick_target(self.path.dev_ratio, self.target, 1)
        raise ValueError(f'x={x!r} is unknown: choose "alpha", "l1_norm" or "dev_ratio"')


_X_LABELS = {
    "l1_norm": r"$\ell_1$ norm of the coefficients",
    "dev_ratio": "fraction of deviance explained",
}
