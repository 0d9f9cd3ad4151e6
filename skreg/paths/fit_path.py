"""The one engine: coefficients along a path of alphas, for a single fit, a path and a fold.

`fit_path` takes a `Model` (what is fitted and how) and data, and returns a `PathResult` on the
user's scale. A single fit is a path of one alpha; a fold of a cross-validation is a path with the
held-out rows at weight zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from ..data.design import Array, Design
from ..objective.penalties import Penalty
from ..solvers.base import Settings, Solution, Target
from ..solvers.optimality import pseudo_solve, relative_gap, with_rounding
from ..solvers.quadratic.auto import MOST_FEATURES
from ..solvers.quadratic.coordinate_descent import solve as coordinate_descent
from ..solvers.registry import choose
from ..solvers.ridge.closed_form import RidgeFactor, default_alphas
from .result import PathResult

__all__ = ["Model", "PathResult", "alpha_grid", "fit_path"]

# An alpha_max below this share of the target's norm is looked at: with features of order one it may
# be rounding.
SUSPECT = 1e-6


@dataclass(frozen=True)
class Model:
    """What is fitted, and how.

    `summed_loss` marks Ridge, whose loss is a weighted sum where the others' is half a mean:
    an alpha of the user is then ``alpha / sum(sample_weight)`` of the engine. Where the units of
    the data are not the user's, alphas are multiplied by ``2 ** alpha_exponent`` besides.
    """

    penalty: Penalty
    fit_intercept: bool = True
    standardize: bool = False
    summed_loss: bool = False
    alpha_exponent: int = 0
    solver: str = "auto"
    settings: Settings = field(default_factory=Settings)

    def design(self, X: Any, sample_weight: Array | None) -> Design:
        """X as the solvers see it."""
        return Design.build(
            X, sample_weight, center=self.fit_intercept, standardize=self.standardize
        )

    def engine_alphas(self, alphas: Array, sample_weight: Array | None, n_samples: int) -> Array:
        """The engine's alphas from the user's; those above zero stay so."""
        alphas = alphas * self._share(sample_weight, n_samples)
        if not self.alpha_exponent:
            return alphas
        scaled = np.clip(np.ldexp(alphas, self.alpha_exponent), 2.0**-1000, 2.0**1000)
        return np.where(alphas > 0, scaled, 0.0)

    def user_alphas(self, alphas: Array, sample_weight: Array | None, n_samples: int) -> Array:
        """The user's alphas from the engine's."""
        given = np.ldexp(alphas / self._share(sample_weight, n_samples), -self.alpha_exponent)
        if not (np.all(np.isfinite(given)) and np.all(given >= np.finfo(np.float64).tiny)):
            raise ValueError(
                "the alphas that suit the data are beyond the range of floating point: scale X or"
                " y, or give alphas"
            )
        return given

    def _share(self, sample_weight: Array | None, n_samples: int) -> float:
        """What the loss is divided by."""
        if not self.summed_loss:
            return 1.0
        return 1.0 / float(n_samples if sample_weight is None else sample_weight.sum())

    def solver_name(self, alpha: float) -> str:
        """The solver that is used at an alpha of the user's."""
        return choose(self.solver, self.penalty.at(alpha)).name

    def sums_suit(self, X: Any) -> bool:
        """Whether folds of X are best described by sums over their rows."""
        n_samples, n_features = X.shape
        most = n_samples if self.summed_loss else min(n_samples, MOST_FEATURES)
        return not issparse(X) and n_features <= most

    def engine_penalty(self, design: Design) -> Penalty:
        """Bounds in the units of the design's coefficients."""
        if design.inv_scale is None:
            return self.penalty
        return self.penalty.with_units(design.from_raw(np.ones(design.n_features)))


def fit_path(
    model: Model,
    X: Any,
    y: Array,
    alphas: Array,
    *,
    sample_weight: Array | None = None,
    design: Design | None = None,
    target: Target | None = None,
    start: Array | None = None,
    progress: Callable[[int, float], None] | None = None,
) -> PathResult:
    """Fit `model` at each alpha, each from the solution before.

    Parameters
    ----------
    model : Model
    X : ndarray or sparse matrix of shape (n_samples, n_features), float32 or float64
    y : ndarray of shape (n_samples,) or (n_samples, n_targets), float64
    alphas : ndarray of shape (n_alphas,)
        Decreasing, >= 0, on the user's scale.
    sample_weight : ndarray of shape (n_samples,), optional
    design : Design, optional
        The view of X to use, when it exists already.
    target : Target, optional
        y as the design's solvers see it, when it exists already.
    start : ndarray of shape (n_features,) or (n_features, n_targets), optional
        Coefficients to start from, on the user's scale.
    progress : callable, optional
        Called with the number of alphas done and the last alpha.

    Returns
    -------
    PathResult
    """
    if design is None:
        design = model.design(X, sample_weight)
    penalty = model.engine_penalty(design)
    if target is None:
        target = Target.build(design, y)
    n_features, n_targets = design.n_features, target.raw.shape[1]
    w = np.zeros((n_features, n_targets))
    if start is not None:
        w = design.from_raw(np.asarray(start, dtype=np.float64).reshape(n_features, n_targets))
    engine_alphas = model.engine_alphas(alphas, sample_weight, len(y))
    W = np.empty((n_targets, len(alphas), n_features))
    certificates = []
    for i, solutions in enumerate(_solutions(model, design, target, penalty, engine_alphas, w)):
        for k, s in enumerate(solutions):
            W[k, i] = s.coef
            certificates.append(s[1:])  # in the order of the fields
        if progress is not None:
            progress(i + 1, float(alphas[i]))
    raw = _on_user_scale(model, design, penalty, W)
    facts = np.array(list(zip(*certificates, strict=True)))  # a row a field
    gaps, n_iters, rss, df, intercepts = facts.reshape(-1, len(alphas), n_targets).swapaxes(1, 2)
    null = target.squares[:, None]
    for k in range(n_targets):
        known = gaps[k], W[k], engine_alphas, rss[k]
        gaps[k] = with_rounding(*known, penalty, design, target.centred[:, k], target.unit(k))
    unknown = np.isnan(intercepts)
    if np.count_nonzero(unknown):
        means = target.mean.repeat(len(alphas))
        made = design.intercept(raw.reshape(-1, n_features).T, means).reshape(rss.shape)
        np.copyto(intercepts, made, where=unknown)
    deviance = np.divide(rss, null, out=np.ones(rss.shape), where=null > 0)
    coefs = _in_type(design.X.dtype, raw, model.penalty).transpose(0, 2, 1)
    one = 0 if y.ndim == 1 else slice(None)
    return PathResult(
        alphas=np.array(alphas, dtype=np.float64),
        coefs=coefs[one],
        intercepts=intercepts[one],
        dual_gaps=gaps[one],
        n_iters=n_iters[one].astype(np.intp),
        converged=gaps[one] <= model.settings.threshold,
        df=df[one],
        dev_ratio=1.0 - deviance[one],
        l1_ratio=None if model.summed_loss else model.penalty.l1_ratio,
        tol=model.settings.tol,
    )


def with_degrees_of_freedom(
    path: PathResult, model: Model, design: Design, sample_weight: Array | None
) -> PathResult:
    """The path with the degrees of freedom that a single ridge or least-squares fit leaves out.

    Such a fit needs no decomposition; its degrees of freedom do.
    """
    missing = np.isnan(path.df).reshape(-1, len(path.alphas)).any(axis=0)
    if not missing.any():
        return path
    alphas = model.engine_alphas(path.alphas[missing], sample_weight, design.n_samples)
    penalty, strength = model.engine_penalty(design).as_ridge(alphas)
    df = path.df.copy()
    df[..., missing] = RidgeFactor(design, penalty).degrees_of_freedom(strength)
    return replace(path, df=df)


def relative_gaps(model: Model, design: Design, y: Array, alphas: Array, coefs: Array) -> Array:
    """Certificate of coefficients from elsewhere, shape (n_targets,).

    `alphas` (the engine's) and `coefs` (the user's scale) have one row a target.
    """
    Y, _ = design.center(y.reshape(len(y), -1))
    penalty = model.engine_penalty(design)
    gaps = []
    for target, alpha, coef in zip(Y.T, alphas, coefs, strict=True):
        scaled, w = penalty.at(alpha), design.from_raw(coef)
        residual = target - design.predict(w)
        q, rss = design.correlate(residual), float(design.norm2(residual))
        unit = float(design.norm2(target)) or 1.0
        gap = relative_gap(w, q, rss, scaled, design, unit)
        known = np.array([gap]), w[None], np.array([alpha]), np.array([rss])
        gaps.append(with_rounding(*known, penalty, design, target, unit)[0])
    return np.array(gaps)


def _on_user_scale(model: Model, design: Design, penalty: Penalty, w: Array) -> Array:
    """Coefficients, features last, as the user has them; one at its bound is exactly there."""
    raw, bounds = design.to_raw(w.T).T, model.penalty
    if penalty is bounds:
        return raw
    raw = np.where((w == penalty.lower) & (w < 0), bounds.lower, raw)
    raw = np.where((w == penalty.upper) & (w > 0), bounds.upper, raw)
    return np.clip(raw, bounds.lower, bounds.upper)


def _in_type(dtype: Any, raw: Array, bounds: Penalty) -> Array:
    """Coefficients in the type of X, where one at its bound may not be rounded past it."""
    coefs = raw.astype(dtype, copy=False)
    if coefs.dtype == raw.dtype or not bounds.has_bounds:
        return coefs
    lower, upper = bounds.lower.astype(dtype), bounds.upper.astype(dtype)
    lower = np.where(lower < bounds.lower, np.nextafter(lower, 0, dtype=dtype), lower)
    upper = np.where(upper > bounds.upper, np.nextafter(upper, 0, dtype=dtype), upper)
    return np.clip(coefs, lower, upper)


def _solutions(
    model: Model, design: Design, target: Target, penalty: Penalty, alphas: Array, start: Array
) -> Iterator[tuple[Solution, ...]]:
    """Solutions at all alphas; those at zero, which come last, may call for another solver."""
    n_positive = int(np.count_nonzero(alphas))
    for chunk in (alphas[:n_positive], alphas[n_positive:]):
        if len(chunk):
            solver = choose(model.solver, penalty.at(chunk[0]))
            for solutions in solver.solve(design, target, penalty, chunk, start, model.settings):
                yield solutions
            if len(chunk) < len(alphas):
                start = np.stack([found.coef for found in solutions], axis=1)


def alpha_grid(
    model: Model,
    X: Any,
    y: Array,
    n_alphas: int = 100,
    eps: float = 1e-3,
    *,
    sample_weight: Array | None = None,
    design: Design | None = None,
) -> Array:
    """Decreasing, log-spaced alphas that suit the data, on the user's scale.

    With an L1 part the grid runs from the exact alpha_max, the smallest alpha at which every
    penalised coefficient is zero, down to ``eps * alpha_max``. Without one there is no such
    value, and what an alpha does is no matter of y: the grid covers the eigenvalues of the Gram
    matrix instead (see `default_alphas`).

    Parameters
    ----------
    model, X, y, sample_weight, design
        As for `fit_path`.
    n_alphas : int, default=100
    eps : float, default=1e-3
        Ratio of the smallest alpha to the largest, with an L1 part.

    Returns
    -------
    ndarray of shape (n_alphas,)
    """
    if design is None:
        design = model.design(X, sample_weight)
    penalty = model.engine_penalty(design)
    if not model.penalty.l1_ratio:
        alphas = default_alphas(RidgeFactor(design, penalty), n_alphas)
        return model.user_alphas(alphas, sample_weight, len(y))
    Y, _ = design.center(y.reshape(len(y), -1))
    alpha_max = penalty.alpha_max(_null_correlations(design, Y, penalty, model.settings))
    smallest = np.finfo(np.float64).resolution
    norms = np.sqrt(design.norm2(Y))
    if alpha_max <= SUSPECT * norms.max(initial=0.0):
        # Nothing to fit are correlations that are rounding beside the largest there could be.
        largest = np.multiply.outer(np.sqrt(design.variances), norms)
        if alpha_max <= smallest * penalty.alpha_max(np.hstack([largest, -largest])):
            return np.full(n_alphas, smallest)
    alphas = alpha_max * np.geomspace(1.0, eps, num=n_alphas)
    return model.user_alphas(alphas, sample_weight, len(y))


def open_ends(l1_ratio: float | None) -> tuple[str, ...]:
    """Ends of a grid made by `alpha_grid` beyond which the model still changes.

    With an L1 part nothing is left above the largest alpha. Without one the grid ends where
    the penalty does nothing and where nothing but the intercept is left.
    """
    return ("smallest",) if l1_ratio else ()


def _null_correlations(
    design: Design, Y: Array, penalty: Penalty, settings: Settings
) -> NDArray[np.float64]:
    """Correlations of the features with the residual of the unpenalised ones' own fit."""
    c = design.correlate(Y)
    constant = design.far.constant  # their correlations are rounding at most
    c[constant] = 0.0
    index = np.flatnonzero(penalty.free)
    if not len(index):
        return c
    if np.isinf(penalty.lower[index]).all() and np.isinf(penalty.upper[index]).all():
        columns = design.gram_columns(index)
        q = c - columns @ np.stack([pseudo_solve(columns[index], r) for r in c[index].T], axis=1)
    else:
        part = design.subset(index)
        none = np.zeros(len(index))
        free = Penalty.build(len(index), 1.0, none, penalty.lower[index], penalty.upper[index])
        start = np.zeros((len(index), Y.shape[1]))
        exact = replace(settings, tol=0.0, precompute=True)
        (found,) = coordinate_descent(part, Target.build(part, Y), free, np.ones(1), start, exact)
        q = design.correlate(Y - part.predict(np.stack([s.coef for s in found], axis=1)))
    q[index] = q[constant] = 0.0
    return q
