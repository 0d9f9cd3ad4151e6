"""What ridge regression does to each direction of the data."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skreg.plotting import _labels, _read, _style
from skreg.plotting._style import Kwargs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axes._secondary_axes import SecondaryAxis


_HEIGHTS = (0.5, 0.3, 0.7)  # where on its curve a name may stand, best first

_DASHES = (0, (3, 0.8))


@dataclass(eq=False, repr=False)
class ShrinkageDisplay:
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
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.
        **plot_kwargs
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
        estimator = _read.unwrapped(estimator)
        data = _read.as_penalised(estimator, X, sample_weight, "ShrinkageDisplay")
        chosen = _read.chosen_alphas(estimator, target)
        if chosen["alpha"] is None or _read.mixing(estimator) is not None:
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
            for mark in _labels.alphas_to_mark(alphas, self.alpha_min, self.alpha_1se, self.alpha)
        ]
        at = [mark.alpha for mark in marks]
        self.factors_ = squares[:, None] / (squares[:, None] + alphas)
        self.df_ = self.factors_.sum(axis=0)

        ax = _style.axes("ShrinkageDisplay.plot", ax)
        self.ax_, self.figure_ = ax, ax.figure
        size, shades = _style.text_size(ax), _style.shades(ax)
        xlabel = _style.alpha_axis(ax, alphas)
        _style.limit_x(ax, alphas[0], alphas[-1])
        headroom = _labels.headroom_for_marks(ax, size) if marks else 0.0
        _style.limit_y(ax, 0.0, 1.0, headroom)
        _style.frame(
            ax, xlabel=xlabel, ylabel=r"shrinkage factor $d_i^2 / (d_i^2 + \alpha)$", size=size
        )
        ax.set_yticks(np.linspace(0, 1, 6))
        heights = _name_heights(ax, squares, n_labels, size)
        self.named_ = np.array(sorted(heights), dtype=np.intp)
        self._draw_curves(alphas, line_kwargs, other_line_kwargs)
        (self.df_line_,) = ax.plot(alphas, self.df_ / squares.size, zorder=2.2)
        _style.styled(
            self.df_line_, df_line_kwargs, color=shades.ink, linewidth=2.2, linestyle=_DASHES
        )
        self.labels_ = []
        for index in self.named_:
            x, height = squares[index] * (1 / heights[index] - 1), heights[index]
            label = ax.text(x, height, f"$d_{{{index + 1}}}$", ha="center", va="center", zorder=2.4)
            label.set_bbox({"facecolor": ax.get_facecolor(), "edgecolor": "none", "pad": 0.4})
            label.set_clip_on(True)
            style = {"color": _style.colors()[0], "fontsize": size}
            self.labels_.append(_style.styled(label, label_kwargs, **style))
        self.right_ax_ = _right_axis(ax, squares.size, size)
        self.alpha_lines_, self.alpha_labels_ = _labels.draw_marks(
            ax, marks, at, headroom, size, alpha_line_kwargs, alpha_label_kwargs
        )
        return self

    def _draw_curves(
        self, alphas: NDArray[np.float64], line_kwargs: Kwargs, other_line_kwargs: Kwargs
    ) -> None:
        def curves(which: NDArray[np.intp]) -> list[NDArray[np.float64]]:
            return [np.column_stack((alphas, self.factors_[index])) for index in which]

        others = np.setdiff1d(np.arange(len(self.factors_)), self.named_)
        self.other_lines_ = None
        if others.size:
            self.other_lines_ = _style.draw_lines(self.ax_, curves(others), other_line_kwargs)
        style = {"color": _style.colors()[0], "linewidth": 1.2}
        self.lines_ = _style.draw_lines(self.ax_, curves(self.named_), line_kwargs, 2, **style)


def _name_heights(
    ax: Axes, squares: NDArray[np.float64], n_labels: int, size: float
) -> dict[int, float]:
    """Choose the curves to name, and for each the first height clear of the names before it."""
    scale = ax.transData - ax.transAxes
    # In points, less what the labels of the axes will take.
    window = ax.get_window_extent()
    extent = 0.8 * np.array([window.width, window.height]) * 72 / ax.figure.dpi
    box = np.array([3.0, 1.6]) * size
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


def _right_axis(ax: Axes, n_directions: int, size: float) -> SecondaryAxis:
    """Add the axis of the degrees of freedom, which go up to the number of directions."""
    from matplotlib.ticker import MaxNLocator

    # The functions are named ones because a figure with local ones cannot be pickled.
    there, back = partial(np.multiply, n_directions), partial(np.multiply, 1 / n_directions)
    right = ax.secondary_yaxis("right", functions=(there, back))
    ticks = MaxNLocator(6, integer=True).tick_values(0, n_directions)
    right.set_yticks([tick for tick in ticks if 0 <= tick <= n_directions])
    right.set_ylabel("effective degrees of freedom (dashed)", fontsize=size)
    ink = _style.shades(ax).ink
    right.tick_params(length=3, width=0.6, color=ink, labelsize=size)
    right.spines["right"].set(color=ink, linewidth=0.6)
    return right
