"""Why a penalty gives the solution it gives: its shape and the loss, over two coefficients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import fitted, naming
from .plane import TwoCoefficients, level_set, two_coefficients
from .style import LINESTYLES, Canvas, Display, Kwargs

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Shape = str | float

_N_CONTOURS = 8
_FARTHEST = 4.0  # least squares is in view up to so many times the size of the shape


@dataclass(eq=False, repr=False)
class PenaltyGeometryDisplay(Display):
    """The loss over two coefficients, and the penalty's shape that touches it at the solution.

    Ellipses join coefficients of equal loss; the least-squares answer is in their middle. The
    shape joins coefficients of equal penalty. At the solution one touches the other: nowhere on
    the shape is the loss smaller. The corners of the L1 diamond lie on the axes, where a
    coefficient is zero; the L2 ball has none. The dotted line is the way of the solution from
    zero to least squares as alpha falls.

    All other coefficients are held at their values in the model. Where it standardises its
    features, the coefficients shown are those of the standardised features.

    Build it with :meth:`from_estimator`, which also draws.

    Parameters
    ----------
    plane : TwoCoefficients
        The objective over the two coefficients, with `gram`, `moment`, `constant`, `l1`, `l2`,
        `alpha` and `solution`.
    feature_names : pair of str, default=("x0", "x1")
    standardized : bool, default=False
        Whether the coefficients are those of standardised features.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    path_alphas_ : ndarray of shape (n_alphas,)
        The alphas of the path, decreasing to 0.
    path_line_ : Line2D
        The solutions at these alphas.
    contours_ : LineCollection
        Curves of equal loss.
    solution_contour_ : Line2D
        The one through the solution.
    shapes_ : list of Line2D
        The penalty's shape, or those asked for.
    solution_point_, least_squares_point_ : Line2D
    zero_lines_ : list of Line2D
    legend_ : Legend

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skreg import Lasso, PenaltyGeometryDisplay
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> model = Lasso().fit(X, y)
    >>> display = PenaltyGeometryDisplay.from_estimator(
    ...     model, X, y, features=("bmi", "bp")
    ... )  # doctest: +SKIP
    """

    plane: TwoCoefficients
    _: KW_ONLY
    feature_names: Sequence[str] = ("x0", "x1")
    standardized: bool = False

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: ArrayLike,
        *,
        features: Sequence[str | int] | None = None,
        sample_weight: ArrayLike | None = None,
        feature_names: ArrayLike | None = None,
        ax: Axes | None = None,
        **plot_kwargs: Any,
    ) -> PenaltyGeometryDisplay:
        """Draw the geometry of a fitted Lasso, ElasticNet, Ridge or their CV versions.

        Parameters
        ----------
        estimator : fitted estimator
        X : array-like of shape (n_samples, n_features)
            The data of the fit.
        y : array-like of shape (n_samples,)
        features : pair of str or int, default=None
            The two features, by name or index. None takes those with the largest coefficients
            that the penalty sees.
        sample_weight : array-like of shape (n_samples,), default=None
            The weights of the fit.
        feature_names : array-like of shape (n_features,), default=None
            Names of all features instead of the estimator's own.
        ax, **plot_kwargs
            Passed to :meth:`plot`.

        Returns
        -------
        PenaltyGeometryDisplay

        Raises
        ------
        AttributeError
            The estimator is not fitted.
        ValueError
            A feature is unknown or unpenalised, there is no alpha, there are several targets or
            bounds, or X or y do not fit.
        """
        estimator = fitted.unwrapped(estimator)
        names = fitted.names_of(estimator, feature_names)
        plane, pair = two_coefficients(estimator, X, y, features, sample_weight, names)
        standardized = bool(getattr(estimator, "standardize", False))
        return cls(plane, feature_names=pair, standardized=standardized).plot(ax, **plot_kwargs)

    def plot(
        self,
        ax: Axes | None = None,
        *,
        shapes: Sequence[Shape] | None = None,
        contour_kwargs: Kwargs = None,
        solution_contour_kwargs: Kwargs = None,
        shape_kwargs: Kwargs = None,
        path_kwargs: Kwargs = None,
        point_kwargs: Kwargs = None,
        legend_kwargs: Kwargs = None,
    ) -> PenaltyGeometryDisplay:
        """Draw the geometry.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.
        shapes : sequence of "l1", "l2", "elastic_net" or float, default=None
            The shapes to draw through the solution; a number p > 0 is that of the sum of
            ``|w|^p``. None draws the shape of the model's own penalty.
        contour_kwargs : dict, default=None
            Overrides for the curves of equal loss (LineCollection).
        solution_contour_kwargs, shape_kwargs, path_kwargs, point_kwargs : dict, default=None
            Overrides for the curve through the solution, the shapes, the path and the two points
            (Line2D).
        legend_kwargs : dict, default=None
            Overrides for the legend.

        Returns
        -------
        PenaltyGeometryDisplay
            Itself, with the artists as attributes.

        Raises
        ------
        ImportError
            Matplotlib is not installed.
        ValueError
            A shape is unknown.
        """
        plane = self.plane
        curves = [self._shape(shape) for shape in ([None] if shapes is None else shapes)]
        self.path_alphas_, path = plane.path()

        canvas = self._canvas(ax)
        ax, ink = canvas.ax, canvas.ink
        canvas.frame(*map(self._axis_label, naming.shorten_apart(self.feature_names, 20)))
        share = min(0.4, canvas.legend_share((len(curves) + 5) // 2))
        self._limit(canvas, np.vstack([plane.solution, *(curve for _, curve in curves)]), share)
        faint: dict[str, Any] = {"color": canvas.faint, "linewidth": 0.8, "zorder": 0.5}
        self.zero_lines_ = [ax.axhline(0, **faint), ax.axvline(0, **faint)]
        self._draw_contours(canvas, contour_kwargs, solution_contour_kwargs)

        self.shapes_ = []
        for place, (_, curve) in enumerate(curves):
            style: dict[str, Any] = {"color": canvas.color(2 * place), "linewidth": 1.8}
            style["linestyle"] = LINESTYLES[place % len(LINESTYLES)]
            self.shapes_.append(canvas.line(curve.T, shape_kwargs, zorder=2, **style))
        style = {"color": ink, "linewidth": 1.2, "linestyle": ":", "zorder": 1.8}
        self.path_line_ = canvas.line(path.T, path_kwargs, **style)
        style = {"color": ink, "linestyle": "", "markersize": 5, "zorder": 3}
        self.solution_point_ = canvas.line(plane.solution, point_kwargs, marker="o", **style)
        self.least_squares_point_ = canvas.line(
            plane.least_squares, point_kwargs, marker="x", **style
        )
        handles = [*self.shapes_, self.solution_contour_, self.path_line_]
        handles += [self.solution_point_, self.least_squares_point_]
        texts = [name for name, _ in curves]
        texts += ["equal loss", r"solutions as $\alpha$ falls"]
        texts += [rf"solution, $\alpha$ = {plane.alpha:.3g}", "least squares"]
        box = {"facecolor": ax.get_facecolor(), "edgecolor": "none", "fancybox": False}
        self.legend_ = canvas.legend(
            handles, texts, legend_kwargs, ncols=2, frameon=True, framealpha=1.0, **box
        )
        return self

    def _axis_label(self, name: str) -> str:
        unit = "s.d." if self.standardized else "unit"
        return f"coefficient of {name} (y per {unit})"

    def _shape(self, shape: Shape | None) -> tuple[str, NDArray[np.float64]]:
        """Name a shape of the penalty and give its points."""
        plane, l1, l2 = self.plane, self.plane.l1, self.plane.l2
        if shape is None:
            shape = "l2" if not l1.any() else "elastic_net" if l2.any() else "l1"
        weights = np.where(l1 > 0, l1, l2)
        weights, none = weights / weights.max(), np.zeros(2)
        if shape == "elastic_net":
            if not (l1.any() and l2.any()):
                l1 = l2 = weights
            return "elastic-net shape", level_set(l1, l2, 1, plane.solution)
        named = {"l1": ("L1 diamond", 1.0), "l2": ("L2 ball", 2.0)}
        if isinstance(shape, str) and shape not in named:
            known = '"l1", "l2", "elastic_net" or a number'
            raise ValueError(f"shape {shape!r} is unknown: choose {known}")
        name, power = named[shape] if isinstance(shape, str) else (f"L{shape:g} shape", shape)
        return name, level_set(weights, none, float(power), plane.solution)

    def _limit(self, canvas: Canvas, shape: NDArray[np.float64], share: float) -> None:
        """Fill the axes at equal scales with the shape, the solution and least squares.

        A share of the height stays free above them.
        """
        ax, plane = canvas.ax, self.plane
        # The spikes of a shape with a small power may leave the view.
        shape = np.clip(shape, *(np.abs(plane.solution).sum() * np.array([[-2.0], [2.0]])))
        radius = float(np.abs(shape).max())
        away = plane.least_squares
        if radius > 0:
            away = away * min(1.0, _FARTHEST * radius / max(float(np.abs(away).max()), radius))
        points = np.vstack([shape, away, plane.solution, [0.0, 0.0]])
        low, high = points.min(axis=0), points.max(axis=0)
        span = max(float((high - low).max()), 1e-12 * radius) or 1.0
        low, high = low - 0.08 * span, high + 0.08 * span
        width, height = high - low
        unit = max(width / canvas.width, height / (1 - share) / canvas.height)
        middle, half = (low[0] + high[0]) / 2, unit * canvas.width / 2
        ax.set_xlim(middle - half, middle + half)
        # What height is left over goes below, so that the legend's share stays free.
        bottom = low[1] - (unit * canvas.height * (1 - share) - height) / 2
        ax.set_ylim(bottom, bottom + unit * canvas.height)
        ax.set_aspect("equal", adjustable="box")

    def _draw_contours(self, canvas: Canvas, kwargs: Kwargs, solution_kwargs: Kwargs) -> None:
        plane, ax = self.plane, canvas.ax
        corners = np.array([(x, y) for x in ax.get_xlim() for y in ax.get_ylim()])
        best, here = plane.loss([plane.least_squares, plane.solution])
        through = float(np.sqrt(2 * max(here - best, 0.0)))
        outermost = float(np.sqrt(2 * max(plane.loss(corners).max() - best, 0.0)))
        step = outermost / _N_CONTOURS
        first = through % step if step else 0.0
        radii = first + step * np.arange(_N_CONTOURS + 1)
        others = radii[(radii > 0.01 * step) & (np.abs(radii - through) > 0.5 * step)]
        self.contours_ = canvas.lines(list(map(plane.contour, others)), kwargs, linewidth=0.7)
        style: dict[str, Any] = {"color": canvas.color(1), "linewidth": 1.2, "zorder": 1.5}
        points = plane.contour(through).T
        self.solution_contour_ = canvas.line(points, solution_kwargs, **style)
