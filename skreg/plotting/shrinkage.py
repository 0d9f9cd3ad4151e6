"""What ridge regression does to each direction of the data."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import fitted, kind_of_model, labels
from .style import Canvas, Display, Kwargs, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axes._secondary_axes import SecondaryAxis


_HEIGHTS = (0.5, 0.3, 0.7)  # where on its curve a name may stand, best first

_DASHES = (0, (3, 0.8))


@dataclass(eq=False, repr=False)
class ShrinkageDisplay(Display):
    """Shrinkage factors of ridge regression, and the effective degrees of freedom.

    Ridge multiplies the least-squares fit along the singular direction i of X by
    ``d_i^2 / (d_i^2 + alpha)``. Directions in which the data hardly vary (small d) are given up
    first. The sum of the factors is the effective degrees of freedom; the dashed line is that
    sum divided by the number of directions, read as a sum on the right.

    Build it with :meth:`from_estimator`, which also draws.

    Parameters
    ----------
    singular_values : array-like of shape (n_directions,)
        Singular values d of X as the penalty sees it (centred, weighted, standardised), positive.
    alphas : array-like of shape (n_alphas,)
        Where to evaluate the factors.
    alpha_min, alpha_1se : float, default=None
        Alphas chosen by cross-validation, to be marked.
    alpha : float, default=None
        The alpha that the model uses.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    factors_ : ndarray of shape (n_directions, n_alphas)
        The shrinkage factors, from the largest singular value to the smallest.
    df_ : ndarray of shape (n_alphas,)
        Effective degrees of freedom, the intercept not counted.
    named_ : ndarray of shape (n_named,)
        Indices of the directions in colour.
    lines_ : LineCollection
        Their curves, in the order of `named_`.
    labels_ : list of Text
        Names on the curves, in the order of `named_`.
    other_lines_ : LineCollection or None
        The other directions, in grey.
    df_line_ : Line2D
    right_ax_ : SecondaryAxis
        The axis of the degrees of freedom.
    alpha_lines_, alpha_labels_ : list
        Vertical lines at the chosen alphas, and their labels.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skreg import RidgeCV, ShrinkageDisplay
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = RidgeCV().fit(X, y)
    >>> display = ShrinkageDisplay.from_estimator(model, X)  # doctest: +SKIP
    """

    singular_values: ArrayLike
    alphas: ArrayLike
    _: KW_ONLY
    alpha_min: float | None = None
    alpha_1se: float | None = None
    alpha: float | None = None

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        sample_weight: ArrayLike | None = None,
        alphas: ArrayLike | None = None,
        target: int = 0,
        ax: Axes | None = None,
        **plot_kwargs: Any,
    ) -> ShrinkageDisplay:
        """Draw the shrinkage of a fitted Ridge or RidgeCV.

        Parameters
        ----------
        estimator : fitted Ridge or RidgeCV
            Its `coef_`, `fit_intercept`, `standardize` and `penalty_factor` say how X is seen;
            `alpha`, or `alpha_` with `alpha_min_` and `alpha_1se_`, are marked.
        X : array-like of shape (n_samples, n_features)
            The data of the fit.
        sample_weight : array-like of shape (n_samples,), default=None
            The weights of the fit.
        alphas : array-like of shape (n_alphas,), default=None
            Where to evaluate the factors. None spans the singular values.
        target : int, default=0
            Whose alpha to mark where each target has its own.
        ax, **plot_kwargs
            Passed to :meth:`plot`.

        Returns
        -------
        ShrinkageDisplay

        Raises
        ------
        AttributeError
            The estimator is not fitted.
        ValueError
            It is no ridge regression, has bounds or unpenalised features, or X does not fit.
        """
        estimator = fitted.unwrapped(estimator)
        data = fitted.as_penalised(estimator, X, sample_weight, "ShrinkageDisplay")
        chosen = fitted.chosen_alphas(estimator, target)
        if chosen["alpha"] is None or kind_of_model.mixing(estimator) is not None:
            name = type(estimator).__name__
            raise ValueError(f"ShrinkageDisplay is of ridge regression, which {name} is not")
        if np.any(data.factors == 0):
            raise ValueError(
                "ShrinkageDisplay needs every feature penalised: a penalty_factor is 0"
            )
        kept = np.isfinite(data.factors)
        columns = data.columns[:, kept] / np.sqrt(data.factors[kept])
        values = np.linalg.svd(columns, compute_uv=False)
        values = values[values > values[:1] * max(columns.shape) * np.finfo(float).eps]
        if not values.size:
            raise ValueError("ShrinkageDisplay needs a feature that varies")
        if alphas is None:
            squares = values[[0, -1]] ** 2
            ends = [100 * squares[0], max(squares[1] / 100, 1e-8 * squares[0])]
            ends += [alpha for alpha in chosen.values() if alpha]
            alphas = np.geomspace(max(ends), min(ends), 200)
            if 0.0 in chosen.values():
                alphas = np.append(alphas, 0.0)
        return cls(values, alphas, **chosen).plot(ax, **plot_kwargs)

    def plot(
        self,
        ax: Axes | None = None,
        *,
        n_labels: int = 8,
        line_kwargs: Kwargs = None,
        other_line_kwargs: Kwargs = None,
        label_kwargs: Kwargs = None,
        df_line_kwargs: Kwargs = None,
        alpha_line_kwargs: Kwargs = None,
        alpha_label_kwargs: Kwargs = None,
    ) -> ShrinkageDisplay:
        """Draw the factors.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.
        n_labels : int, default=8
            How many directions to draw in colour and name, from the first to the last evenly;
            fewer where the names would lie over one another.
        line_kwargs, other_line_kwargs : dict, default=None
            Overrides for the coloured curves and the grey ones (LineCollection).
        label_kwargs : dict, default=None
            Overrides for the names (Text).
        df_line_kwargs : dict, default=None
            Overrides for the line of the degrees of freedom (Line2D).
        alpha_line_kwargs, alpha_label_kwargs : dict, default=None
            Overrides for the vertical lines at the chosen alphas (Line2D) and their labels (Text).

        Returns
        -------
        ShrinkageDisplay
            Itself, with the artists as attributes.

        Raises
        ------
        ImportError
            Matplotlib is not installed.
        ValueError
            A chosen alpha lies outside `alphas`.
        """
        alphas = np.sort(np.asarray(self.alphas, dtype=float))[::-1]
        squares = np.sort(np.asarray(self.singular_values, dtype=float))[::-1] ** 2
        marks = [
            mark._replace(label=f"{mark.label}, df {np.sum(squares / (squares + mark.alpha)):.1f}")
            for mark in labels.alphas_to_mark(alphas, self.alpha_min, self.alpha_1se, self.alpha)
        ]
        self.factors_ = squares[:, None] / (squares[:, None] + alphas)
        self.df_ = self.factors_.sum(axis=0)

        canvas = self._canvas(ax)
        ax = canvas.ax
        canvas.frame(canvas.alpha_axis(alphas), r"shrinkage factor $d_i^2 / (d_i^2 + \alpha)$")
        canvas.limit_y(0.0, 1.0, labels.headroom_for(marks, canvas))
        ax.set_yticks(np.linspace(0, 1, 6))
        heights = _name_heights(canvas, squares, n_labels)
        self.named_ = np.array(sorted(heights), dtype=np.intp)
        curves = np.stack(np.broadcast_arrays(alphas, self.factors_), axis=-1)
        others = np.setdiff1d(np.arange(len(curves)), self.named_)
        grey = list(curves[others])
        self.other_lines_ = canvas.lines(grey, other_line_kwargs) if grey else None
        color = canvas.color(0)
        style: dict[str, Any] = {"color": color, "linewidth": 1.2, "zorder": 2}
        self.lines_ = canvas.lines(list(curves[self.named_]), line_kwargs, **style)
        style = {"color": canvas.ink, "linewidth": 2.2, "linestyle": _DASHES, "zorder": 2.2}
        self.df_line_ = canvas.line((alphas, self.df_ / squares.size), df_line_kwargs, **style)
        self.labels_ = []
        for index in self.named_:
            x, height = squares[index] * (1 / heights[index] - 1), heights[index]
            label = ax.text(x, height, f"$d_{{{index + 1}}}$", ha="center", va="center", zorder=2.4)
            label.set_bbox({"facecolor": ax.get_facecolor(), "edgecolor": "none", "pad": 0.4})
            label.set_clip_on(True)
            self.labels_.append(styled(label, label_kwargs, color=color, fontsize=canvas.size))
        self.right_ax_ = _right_axis(canvas, squares.size)
        at = [mark.alpha for mark in marks]
        self.alpha_lines_, self.alpha_labels_ = labels.draw_marks(
            canvas, marks, at, alpha_line_kwargs, alpha_label_kwargs
        )
        return self


def _name_heights(canvas: Canvas, squares: NDArray[np.float64], n_labels: int) -> dict[int, float]:
    """Choose the curves to name, and for each the first height clear of the names before it."""
    scale = canvas.ax.transData - canvas.ax.transAxes
    # Less what the labels of the axes will take.
    extent = 0.8 * np.array([canvas.width, canvas.height])
    box = np.array([3.0, 1.6]) * canvas.size
    taken: list[NDArray[np.float64]] = []
    heights: dict[int, float] = {}
    evenly = np.linspace(0, squares.size - 1, min(n_labels, squares.size)).round()
    # The two ends first: between them lie all the others.
    for index in sorted(evenly.astype(int).tolist(), key=lambda i: i not in (0, squares.size - 1)):
        for height in _HEIGHTS:
            place = scale.transform((squares[index] * (1 / height - 1), height)) * extent
            if np.all(np.any(np.abs(place - np.reshape(taken, (-1, 2))) > box, axis=1)):
                taken.append(place)
                heights[index] = height
                break
    return heights


def _right_axis(canvas: Canvas, n_directions: int) -> SecondaryAxis:
    """Add the axis of the degrees of freedom, which go up to the number of directions."""
    from matplotlib.ticker import MaxNLocator

    # The functions are named ones because a figure with local ones cannot be pickled.
    there, back = partial(np.multiply, n_directions), partial(np.multiply, 1 / n_directions)
    right = canvas.ax.secondary_yaxis("right", functions=(there, back))
    ticks = MaxNLocator(6, integer=True).tick_values(0, n_directions)
    right.set_yticks([tick for tick in ticks if 0 <= tick <= n_directions])
    right.set_ylabel("effective degrees of freedom (dashed)", fontsize=canvas.size)
    right.tick_params(length=3, width=0.6, color=canvas.ink, labelsize=canvas.size)
    right.spines["right"].set(color=canvas.ink, linewidth=0.6)
    return right
