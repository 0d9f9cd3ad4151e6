"""The cross-validation curve: held-out error against the penalty."""

from __future__ import annotations

import re
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..selection.result import CRITERIA, LOG_LOSS, MEAN_DEVIANCE, MEAN_SQUARED_ERROR
from . import fitted, labels
from .style import LINESTYLES, Display, Kwargs, styled
from .top_axis import top_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..paths.result import PathResult
    from ..selection.result import CVResult


_MOST_FOLDS = 20  # with more, single folds are a fog around the mean
# Errors of which the largest is so many times the smallest: on a linear axis the rest is flat.
_FAR_APART = 30.0


@dataclass(eq=False, repr=False)
class CVCurveDisplay(Display):
    """Mean error over the folds against alpha, with a band of one standard error.

    Where shares of relaxed fits were tried there is a curve for each, named by its share γ of the
    penalised fit; the one that is chosen has the band and the folds.

    The penalty decreases to the right, as in :class:`RegularizationPathDisplay`. Means that differ
    thirtyfold are on a logarithmic axis, unless other axes share it. Build it with
    :meth:`from_estimator` or :meth:`from_cv_result`, which also draw.

    Parameters
    ----------
    cv_result : CVResult
        The errors, with `alphas` of shape (n_alphas,) and `errors` of shape (n_alphas, n_folds).
    path : PathResult, default=None
        The path on all the data, for the axis on top. None leaves that axis out.
    alpha : float, default=None
        The alpha that the model uses. Where it is the alpha of the minimum or of the
        one-standard-error rule, that line is solid and the other dashed; otherwise it has a line
        of its own.
    target : int, default=0
        Which target of a path with several the axis on top is about. Classes count together.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    lines_ : list of Line2D
        The mean, and after it those of the shares that are not chosen.
    labels_ : list of Annotation
        The names of the lines where there are several, in their order.
    band_ : PolyCollection
        From the mean less one standard error to the mean plus one.
    fold_lines_ : LineCollection or None
        One line a fold.
    points_ : Line2D
        Dots on the mean at the marked alphas.
    alpha_lines_, alpha_labels_ : list
        Vertical lines at the chosen alphas, and their labels.
    top_ax_ : SecondaryAxis or None
        The axis on top.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skreg import CVCurveDisplay, LassoCV
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> display = CVCurveDisplay.from_estimator(LassoCV().fit(X, y))  # doctest: +SKIP
    """

    cv_result: CVResult
    _: KW_ONLY
    path: PathResult | None = None
    alpha: float | None = None
    target: int = 0

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, target: int = 0, ax: Axes | None = None, **plot_kwargs: Any
    ) -> CVCurveDisplay:
        """Draw the cross-validation that a fitted LassoCV, LogisticRegressionCV or the like keeps.

        Parameters
        ----------
        estimator : fitted estimator
            Its `cv_result_`, and where present `path_` and `alpha_`, are read.
        target : int, default=0
            Which target the axis on top is about. Where each target has an alpha of its own, the
            curve too is that target's; otherwise it is the one that chose the common alpha.
        ax, **plot_kwargs
            Passed to :meth:`plot`.

        Returns
        -------
        CVCurveDisplay

        Raises
        ------
        AttributeError
            The estimator keeps no cross-validation: it is not fitted, or it fits a single alpha.
        """
        estimator = fitted.unwrapped(estimator)
        cv_result = fitted.stored(estimator, "cv_result_", "cross-validate it first")
        if np.size(getattr(estimator, "alpha_", 0.0)) > 1:
            cv_result = cv_result.for_target(target)
        return cls.from_cv_result(
            cv_result,
            path=getattr(estimator, "path_", None),
            alpha=fitted.own_alpha(getattr(estimator, "alpha_", None), target),
            target=target,
            ax=ax,
            **plot_kwargs,
        )

    @classmethod
    def from_cv_result(
        cls,
        cv_result: CVResult,
        *,
        path: PathResult | None = None,
        alpha: float | None = None,
        target: int = 0,
        ax: Axes | None = None,
        **plot_kwargs: Any,
    ) -> CVCurveDisplay:
        """Draw a cross-validation result.

        Parameters
        ----------
        cv_result, path, alpha, target
            As for the class.
        ax, **plot_kwargs
            Passed to :meth:`plot`.

        Returns
        -------
        CVCurveDisplay
        """
        display = cls(cv_result, path=path, alpha=alpha, target=target)
        return display.plot(ax, **plot_kwargs)

    def plot(
        self,
        ax: Axes | None = None,
        *,
        folds: bool | Literal["auto"] = "auto",
        top: Literal["auto", "n_nonzero", "df"] | None = "auto",
        line_kwargs: Kwargs = None,
        band_kwargs: Kwargs = None,
        fold_kwargs: Kwargs = None,
        point_kwargs: Kwargs = None,
        label_kwargs: Kwargs = None,
        alpha_line_kwargs: Kwargs = None,
        alpha_label_kwargs: Kwargs = None,
    ) -> CVCurveDisplay:
        """Draw the curve.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.
        folds : bool or "auto", default="auto"
            Whether to draw a faint line for each fold. "auto" draws them for 2 to 20 folds.
        top : {"auto", "n_nonzero", "df"} or None, default="auto"
            What the axis on top shows: the number of non-zero coefficients or the degrees of
            freedom of the path. "auto" is "df" without an L1 part, where no coefficient becomes
            zero, and "n_nonzero" otherwise. None leaves the axis out.
        line_kwargs, point_kwargs : dict, default=None
            Overrides for the means and for the dots on them (Line2D).
        band_kwargs, fold_kwargs : dict, default=None
            Overrides for the band (PolyCollection) and for the folds (LineCollection).
        label_kwargs : dict, default=None
            Overrides for the names of the lines (Text), where there are several.
        alpha_line_kwargs, alpha_label_kwargs : dict, default=None
            Overrides for the vertical lines at the chosen alphas (Line2D) and their labels (Text).

        Returns
        -------
        CVCurveDisplay
            Itself, with the artists as attributes.

        Raises
        ------
        ImportError
            Matplotlib is not installed.
        ValueError
            `top` is unknown, `target` is out of range, or `alpha` lies outside the curve.
        """
        result = self.cv_result
        alphas = np.asarray(result.alphas, dtype=float)
        errors, mean = np.asarray(result.errors), np.asarray(result.mean)
        below, above = mean - result.standard_error, mean + result.standard_error
        marks = labels.alphas_to_mark(alphas, result.alpha_min, result.alpha_1se, self.alpha)
        at = [mark.alpha for mark in marks]
        others = [one for share, one in _by_share(result).items() if share != result.relax]
        means = [mean, *(np.asarray(other.mean) for other in others)]
        counts = fitted.top_values(self.path, top, self.target, all_classes=True)
        # A single column is the mean itself: of one fold, or of the rows of leave-one-out.
        draw_folds = 1 < errors.shape[1] <= _MOST_FOLDS if folds == "auto" else folds
        drawn = np.concatenate([above, errors.ravel() if draw_folds else mean])
        if np.nanmin(errors) >= 0:
            # Such errors are never negative: the band ends just above zero, as it must on a
            # logarithmic axis.
            positive = drawn[drawn > 0]
            just_above = min([1e-3 * np.nanmax(drawn), *positive])
            below = np.maximum(below, just_above)
            drawn = positive
        drawn = np.concatenate([below, drawn, *means])
        if others:  # refits of many features may be so far off that the rest would be flat
            drawn = drawn[drawn <= _FAR_APART * max(curve[0] for curve in means)]

        canvas = self._canvas(ax)
        canvas.frame(canvas.alpha_axis(alphas), _metric_label(result.metric))
        highest = min(np.nanmax(means), np.nanmax(drawn))
        if np.nanmin(errors) >= 0 and highest > _FAR_APART * np.nanmin(means) > 0:
            canvas.spread_y()
        canvas.limit_y(np.nanmin(drawn), np.nanmax(drawn), labels.headroom_for(marks, canvas))
        path_alphas = alphas if self.path is None else np.asarray(self.path.alphas, dtype=float)
        self.top_ax_ = top_axis(canvas, path_alphas, counts)
        segments = [np.column_stack((alphas, fold)) for fold in errors.T]
        self.fold_lines_ = canvas.lines(segments, fold_kwargs) if draw_folds else None
        color = canvas.color(0)
        self.band_ = canvas.ax.fill_between(alphas, below, above, zorder=1.2)
        styled(self.band_, band_kwargs, facecolor=color, alpha=0.2, linewidth=0)
        self.lines_ = [
            canvas.line((alphas, mean), line_kwargs, color=color, linewidth=1.5, zorder=2)
        ]
        dots: dict[str, Any] = {"color": color, "linestyle": "", "marker": "o", "markersize": 4}
        curves = [_curve_of(mark, result) for mark in marks]
        heights = [
            np.interp(x, alphas[::-1], curve[::-1]) for x, curve in zip(at, curves, strict=True)
        ]
        self.points_ = canvas.line((at, heights), point_kwargs, zorder=3, **dots)
        self.alpha_lines_, self.alpha_labels_ = labels.draw_marks(
            canvas, marks, at, alpha_line_kwargs, alpha_label_kwargs
        )
        for place, curve in enumerate(means[1:], start=1):
            dashes = LINESTYLES[1 + (place - 1) % (len(LINESTYLES) - 1)]
            style = {"color": canvas.color(place), "linestyle": dashes, "linewidth": 1.0}
            self.lines_.append(canvas.line((alphas, curve), line_kwargs, zorder=1.8, **style))
        names = [_share_name(one.relax) for one in (result, *others)] if others else []
        named, within = self.lines_[: len(names)], (-np.inf, float(drawn.max()))
        self.labels_ = labels.name_line_ends(canvas, named, names, label_kwargs, within=within)
        return self


def _by_share(result: CVResult) -> dict[float, CVResult]:
    """The result at each share, none where fits are not relaxed."""
    return getattr(result, "by_share", None) or {}


def _curve_of(mark: labels.Mark, result: CVResult) -> NDArray[np.float64]:
    """The curve that a marked alpha is on: of several shares that which its rule chooses."""
    if not _by_share(result) or mark.solid:
        return np.asarray(result.mean)
    share = result.best_share("1se" if mark.label == "1se" else "min")
    assert share is not None
    return np.asarray(_by_share(result)[share].mean)


def _share_name(share: float | None) -> str:
    return f"γ = {share:g}"


def _metric_label(metric: str) -> str:
    """Name what the errors measure, with its unit; a scorer's values come negated."""
    if metric.lower() in CRITERIA:
        return metric  # of the path on all rows
    if metric.startswith("neg_"):
        metric = metric.removeprefix("neg_")
    elif metric not in (MEAN_SQUARED_ERROR, MEAN_DEVIANCE, LOG_LOSS):
        metric = f"negated {metric}"
    name = metric.replace("_", " ")
    for written, read in _AS_READ.items():
        name = re.sub(rf"\b{written}\b", read, name)
    unit = _UNITS.get(name)
    return f"CV {name} ({unit})" if unit else f"CV {name}"


_AS_READ = {
    "r2": "R²",
    "d2": "D²",
    "roc auc": "ROC AUC",
    "poisson": "Poisson",
    "log loss": LOG_LOSS,
    "brier": "Brier",
}
_UNITS = {
    LOG_LOSS: "nats per row",
    MEAN_DEVIANCE: "per row",
    MEAN_SQUARED_ERROR: "y²",
    "root mean squared error": "y",
    "mean absolute error": "y",
    "median absolute error": "y",
}
