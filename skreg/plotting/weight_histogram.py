"""The weights of a network, layer by layer; of several networks one over another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import fitted
from .style import LINESTYLES, Canvas, Display, Kwargs, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import StepPatch


@dataclass(eq=False, repr=False)
class WeightHistogramDisplay(Display):
    """Histograms of the weights of each layer, for one network or for several.

    Weights that are exactly zero are left out of the bars, which they would tower over; the legend
    says what share they are. All networks have the same bins in a layer. Biases are not shown.

    Build it with :meth:`from_estimator`, which also draws.

    Parameters
    ----------
    coefs : sequence of array-like of shape (n_in, n_out), or a list of such sequences
        The weight matrices of a network, or of each of several with as many layers.
    labels : sequence of str of length n_models, default=None
        Names of the networks, for the legends.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The first panel.
    axes_ : list of Axes
        One a layer.
    figure_ : matplotlib Figure
    edges_ : list of ndarray of shape (n_bins + 1,)
        Edges of the bins, one array a layer.
    bars_ : list of list of StepPatch
        The histograms of each layer, one a network.
    zero_shares_ : ndarray of shape (n_models, n_layers)
        Share of the weights that are exactly zero.
    legends_ : list of Legend or None
        One a layer.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skreg import MLPClassifier, WeightHistogramDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> models = {
    ...     penalty: MLPClassifier(penalty=penalty, alpha=1e-3).fit(X / 16, y)
    ...     for penalty in ("l1", "l2")
    ... }  # doctest: +SKIP
    >>> display = WeightHistogramDisplay.from_estimator(models)  # doctest: +SKIP
    """

    coefs: Sequence[ArrayLike] | Sequence[Sequence[ArrayLike]]
    _: KW_ONLY
    labels: Sequence[str] | None = None

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        labels: Sequence[str] | None = None,
        ax: Axes | Sequence[Axes] | None = None,
        **plot_kwargs: Any,
    ) -> WeightHistogramDisplay:
        """Draw the weights of fitted networks.

        Parameters
        ----------
        estimator : fitted MLPClassifier or MLPRegressor, a list of them, or a dict of str to them
            Their `coefs_` are read; scikit-learn's networks are taken, too. The keys of a dict are
            the labels.
        labels : sequence of str, default=None
            As for the class.
        ax, **plot_kwargs
            Passed to :meth:`plot`.

        Returns
        -------
        WeightHistogramDisplay

        Raises
        ------
        AttributeError
            An estimator is not fitted, or no network.
        """
        if isinstance(estimator, Mapping):
            labels = [str(name) for name in estimator] if labels is None else labels
            estimator = list(estimator.values())
        models = estimator if isinstance(estimator, list | tuple) else [estimator]
        coefs = [
            fitted.of_network(fitted.unwrapped(model), "coefs_", cls.__name__) for model in models
        ]
        return cls(coefs, labels=labels).plot(ax, **plot_kwargs)

    def plot(
        self,
        ax: Axes | Sequence[Axes] | None = None,
        *,
        layers: Sequence[int] | None = None,
        bins: int = 41,
        stat: Literal["count", "density"] = "count",
        bar_kwargs: Kwargs = None,
        other_bar_kwargs: Kwargs = None,
        legend_kwargs: Kwargs = None,
    ) -> WeightHistogramDisplay:
        """Draw the histograms.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of Axes, default=None
            Where to draw, one for each layer; a single one for the weights of all layers together.
            None makes a new figure with the layers below one another.
        layers : sequence of int, default=None
            Which weight matrices to show, counted from 0; negative ones from the end. None is all.
        bins : int, default=41
            How many bins there are, from the largest weight of a layer to its negative.
        stat : {"count", "density"}, default="count"
            Number of weights in a bin, or their share of all weights, zeros included, divided by
            the width of the bin.
        bar_kwargs, other_bar_kwargs : dict, default=None
            Overrides for the histogram of the first network and of the others (StepPatch).
        legend_kwargs : dict, default=None
            Overrides for the legends.

        Returns
        -------
        WeightHistogramDisplay
            Itself, with the artists as attributes.

        Raises
        ------
        ImportError
            Matplotlib is not installed.
        ValueError
            Weights are not finite, the networks differ in their number of layers, there are not as
            many labels as networks or axes as layers, or `layers`, `bins` or `stat` is not as
            described.
        """
        models = _models(self.coefs)
        if self.labels is not None and len(self.labels) != len(models):
            raise ValueError(f"{len(self.labels)} labels for {len(models)} networks")
        if bins < 1:
            raise ValueError(f"bins must be at least 1, got {bins}")
        if stat not in ("count", "density"):
            raise ValueError(f'stat={stat!r} is unknown: choose "count" or "density"')
        chosen = _layers(layers, len(models[0]))
        one = ax is not None and np.size(np.asarray(ax, dtype=object)) == 1 and len(chosen) > 1
        names = [f"layer {index + 1}" for index in chosen]
        groups = [[index] for index in chosen]
        if one:
            names, groups = [f"{len(chosen)} layers"], [chosen]
        values = [
            [np.concatenate([model[index].ravel() for index in group]) for model in models]
            for group in groups
        ]

        canvases = self._canvases(ax, len(groups), "layers")
        from matplotlib.ticker import MaxNLocator

        self.axes_ = [canvas.ax for canvas in canvases]
        shares = [[float(np.mean(weights == 0)) for weights in layer] for layer in values]
        self.zero_shares_ = np.array(shares).T
        self.edges_, self.bars_, self.legends_ = [], [], []
        for canvas, name, layer, zero in zip(canvases, names, values, shares, strict=True):
            # Where all weights are zero, any width does.
            largest = max(float(np.abs(weights).max()) for weights in layer) or 1.0
            edges = np.linspace(-largest, largest, bins + 1)
            patches, top = [], 0.0
            for place, weights in enumerate(layer):
                heights, _ = np.histogram(weights[weights != 0], edges)
                if stat == "density":
                    heights = heights / (weights.size * np.diff(edges))
                overrides = other_bar_kwargs if place else bar_kwargs
                patches.append(_draw(canvas, heights, edges, place, overrides))
                top = max(top, float(heights.max()))
            ylabel = "weights per bin" if stat == "count" else "share of weights per unit"
            canvas.frame(f"weight, {name}", ylabel)
            # As many ticks as numbers of five letters fit with some air.
            n_ticks = int(np.clip(canvas.letters / 9, 2, 9))
            canvas.ax.xaxis.set_major_locator(MaxNLocator(n_ticks))
            labels, legend, n_lines = _labels(self.labels, zero), None, 0
            if any(labels):
                n_columns = canvas.legend_columns(labels)
                legend = canvas.legend(patches, labels, legend_kwargs, ncols=n_columns)
                n_lines = -(-len(patches) // n_columns)
            self.edges_.append(edges)
            self.bars_.append(patches)
            self.legends_.append(legend)
            canvas.limit_x(-largest, largest)
            canvas.limit_y(0.0, top or 1.0, min(canvas.legend_share(n_lines), 0.45))
            canvas.ax.set_ylim(bottom=0.0)
        return self


def _draw(
    canvas: Canvas, heights: NDArray[Any], edges: NDArray[np.float64], place: int, overrides: Kwargs
) -> StepPatch:
    """Draw one histogram: the first filled, the others outlines, told apart by their lines."""
    color = canvas.color(place)
    patch = canvas.ax.stairs(heights, edges, fill=place == 0, zorder=2 + 0.01 * place)
    if place == 0:
        return styled(patch, overrides, facecolor=color, alpha=0.45, linewidth=0)
    dashes = LINESTYLES[(place - 1) % len(LINESTYLES)]
    return styled(patch, overrides, edgecolor=color, linewidth=1.2, linestyle=dashes)


def _models(coefs: Any) -> list[list[NDArray[np.float64]]]:
    """Take the weight matrices of each network in float64."""
    coefs = list(coefs)
    if not coefs or not len(coefs[0]):
        raise ValueError("there are no weights to show")
    # A network is a list of matrices, several are a list of those.
    nested = np.ndim(coefs[0][0]) == 2
    models = [
        [np.asarray(matrix, dtype=np.float64) for matrix in model]
        for model in (coefs if nested else [coefs])
    ]
    n_layers = {len(model) for model in models}
    if len(n_layers) > 1:
        raise ValueError(f"the networks have different numbers of layers: {sorted(n_layers)}")
    for matrix in (matrix for model in models for matrix in model):
        if matrix.ndim != 2 or not matrix.size or not np.isfinite(matrix).all():
            raise ValueError("weights must be matrices of finite numbers")
    return models


def _layers(wanted: Sequence[int] | None, n_layers: int) -> list[int]:
    """Check the layers asked for, and count all from the first."""
    if wanted is None:
        return list(range(n_layers))
    for index in wanted:
        if not -n_layers <= index < n_layers:
            raise ValueError(f"layer {index} is out of range: there are {n_layers} weight matrices")
    if not len(wanted):
        raise ValueError("layers is empty")
    return [int(index) % n_layers for index in wanted]


def _labels(names: Sequence[str] | None, zero: Sequence[float]) -> list[str]:
    """Write a line of the legend for each network: its name, and the share of zeros if any."""
    given = [""] * len(zero) if names is None else [str(name) for name in names]
    said = [f"{_percent(share)} exactly zero" if share else "" for share in zero]
    return [", ".join(part for part in pair if part) for pair in zip(given, said, strict=True)]


def _percent(share: float) -> str:
    """Round a share, but neither to nothing nor to all."""
    if share < 0.001:
        return "< 0.1%"
    return "> 99.9%" if 0.999 < share < 1 else f"{100 * share:.1f}%"
