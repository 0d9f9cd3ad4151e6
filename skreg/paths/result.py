"""What a path is: coefficients, their certificate, and how to read values between the alphas."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_BY_TARGET = ("coefs", "intercepts", "dual_gaps", "n_iters", "converged", "df", "dev_ratio")


class PathPoint(NamedTuple):
    """What a path has at one alpha; see `PathResult` for the parts."""

    coef: NDArray[Any]
    intercept: Array
    dual_gap: Array
    converged: NDArray[np.bool_]
    n_iter: NDArray[np.intp]

    @classmethod
    def stacked(cls, points: Iterable[PathPoint]) -> PathPoint:
        """One of several targets, from that of each."""
        return cls(*map(np.stack, zip(*points, strict=True)))


@dataclass(frozen=True, eq=False)
class PathResult:
    """Coefficients along a decreasing sequence of alphas, on the user's scale.

    Attributes
    ----------
    alphas : ndarray of shape (n_alphas,)
        Decreasing.
    coefs : ndarray of shape (n_features, n_alphas) or (n_targets, n_features, n_alphas)
    intercepts : ndarray of shape (n_alphas,) or (n_targets, n_alphas)
    dual_gaps : ndarray, shape of `intercepts`
        Duality gaps divided by the mean deviance of the intercept alone, the unit of `tol`: for the
        squared error, the weighted mean square of the centred target.
    n_iters : ndarray of int, shape of `intercepts`
        Iterations at each alpha; the knots of the whole path where that is followed exactly.
    converged : ndarray of bool, shape of `intercepts`
        Whether the gap is at most the tolerance.
    df : ndarray, shape of `intercepts`
        Degrees of freedom, the intercept not counted: the number of non-zero coefficients where
        there is an L1 penalty (Zou, Hastie and Tibshirani, Ann. Statist. 35(5), 2007), the trace
        of the smoother matrix for Ridge.
    dev_ratio : ndarray, shape of `intercepts`
        Fraction of (weighted) deviance explained, R² on the training data.
    l1_ratio : float or None
        Mixing of the penalty; None for Ridge.
    tol : float
        The tolerance asked for.
    feature_names : ndarray of str or None
    inverse_link : str
        Leads from the linear predictor to the mean: "identity", "exp", "logistic" or "softmax".
    relax : float or None
        Share of the penalised fit where the path is relaxed. Gaps are then the larger of the two
        fits', each in its own problem.
    classes : ndarray of shape (n_classes,) or None
        Of a classifier. Of two classes the coefficients are those of the second, of more they have
        one target a class.
    """

    alphas: Array
    coefs: NDArray[Any]
    intercepts: Array
    dual_gaps: Array
    n_iters: NDArray[np.intp]
    converged: NDArray[np.bool_]
    df: Array
    dev_ratio: Array
    l1_ratio: float | None = None
    tol: float = 0.0
    feature_names: NDArray[Any] | None = None
    inverse_link: str = "identity"
    classes: NDArray[Any] | None = None
    relax: float | None = None
    refit: Callable[[float, NDArray[Any]], PathResult] | None = field(default=None, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        # `refit` holds the training data, which a pickle of the result should not.
        state = {f.name: getattr(self, f.name) for f in fields(self)}
        return {**state, "refit": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            object.__setattr__(self, name, value)

    @classmethod
    def joined(cls, parts: Sequence[PathResult]) -> PathResult:
        """One path from several, whose alphas follow each other."""
        if len(parts) == 1:
            return parts[0]
        names = ("alphas", *_BY_TARGET)
        whole: dict[str, Any] = {
            name: np.concatenate([getattr(part, name) for part in parts], axis=-1) for name in names
        }
        return replace(parts[0], **whole)

    @property
    def n_nonzero(self) -> NDArray[np.intp]:
        """Number of non-zero coefficients, shape of `intercepts`."""
        return np.count_nonzero(self.coefs, axis=-2)

    def at(self, index: int | Sequence[int]) -> PathPoint:
        """The results at one alpha, by its index; by one index a target where there are several."""
        if not isinstance(index, (int, np.integer)):
            return PathPoint.stacked(self.for_target(k).at(i) for k, i in enumerate(index))
        return PathPoint(
            self.coefs[..., index],
            self.intercepts[..., index],
            self.dual_gaps[..., index],
            self.converged[..., index],
            self.n_iters[..., index],
        )

    def with_point(self, index: int, point: PathPoint) -> PathResult:
        """The same with other results at one alpha, by its index."""
        of = {"coefs": "coef", "intercepts": "intercept", "dual_gaps": "dual_gap"}
        of |= {"converged": "converged", "n_iters": "n_iter"}
        changed = {name: getattr(self, name).copy() for name in of}
        for name, part in of.items():
            changed[name][..., index] = getattr(point, part)
        return replace(self, **changed)

    @classmethod
    def stacked(cls, paths: Sequence[PathResult]) -> PathResult:
        """One of several targets, from that of each."""
        joined: dict[str, Any] = {}
        for name in _BY_TARGET:
            joined[name] = np.stack([getattr(one, name) for one in paths])
        return replace(paths[0], **joined)

    def for_target(self, k: int) -> PathResult:
        """The path of target `k` alone."""
        if self.coefs.ndim == 2:
            raise ValueError("the path has a single target already")
        own = {name: getattr(self, name)[k] for name in _BY_TARGET}
        return replace(self, **own, classes=None, refit=None)

    def coef_at(self, alpha: float, method: str = "auto") -> NDArray[Any]:
        """Coefficients at any alpha.

        Parameters
        ----------
        alpha : float
            At least zero.
        method : {"auto", "exact", "interpolate"}, default="auto"
            "exact" solves the problem at `alpha` from the nearest solution on the path; results
            of `regularization_path` can, until they are pickled. "interpolate" is linear in alpha
            between the two neighbours on the path: exact for the Lasso between two changes of its
            support, an approximation otherwise. "auto" is "exact" where that is possible.

        Returns
        -------
        ndarray of shape (n_features,) or (n_targets, n_features)

        Raises
        ------
        ValueError
            If alpha is negative or not finite, if "exact" is asked of a result that does not hold
            its data, or if "interpolate" would have to leave the range of the path.
        """
        return self._at(alpha, method)[0]

    def intercept_at(self, alpha: float, method: str = "auto") -> Array:
        """Intercept at any alpha, shape () or (n_targets,); see `coef_at`."""
        return self._at(alpha, method)[1]

    def predict(self, X: Any, alpha: float, method: str = "auto") -> NDArray[Any]:
        """The linear predictor at any alpha, shape (n_samples,) or (n_samples, n_targets).

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        alpha, method
            As for `coef_at`.
        """
        coef, intercept = self._at(alpha, method)
        own, given = self.feature_names, getattr(X, "columns", None)
        if own is not None and given is not None and list(given) != list(own):
            raise ValueError(
                f"X has the columns {list(given)}, where the path has the features {list(own)}:"
                " give them in that order"
            )
        if not hasattr(X, "tocsr"):
            X = np.asarray(X)
        if X.ndim != 2 or X.shape[1] != coef.shape[-1]:
            raise ValueError(
                f"X must have shape (n_samples, {coef.shape[-1]}), got {tuple(X.shape)}"
            )
        return np.asarray(X @ coef.T + intercept)

    def to_frame(self) -> Any:
        """A pandas DataFrame: one row an alpha (the index), one column a feature.

        After the features come `intercept`, `df`, `dev_ratio` and `dual_gap`, with an underscore
        where a feature has that name. With several
        targets the columns have two levels, target (the class where there are classes) and name.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise ImportError("to_frame needs pandas: python -m pip install pandas") from error
        index = pd.Index(self.alphas, name="alpha")
        if self.coefs.ndim == 3:
            named = range(len(self.coefs)) if self.classes is None else self.classes
            parts = {name: self.for_target(k).to_frame() for k, name in enumerate(named)}
            return pd.concat(parts, axis=1, names=["target", None])
        names = self.feature_names
        if names is None:
            names = np.array([f"x{j}" for j in range(self.coefs.shape[0])], dtype=object)
        frame = pd.DataFrame(self.coefs.T, index=index, columns=list(names))
        extra = {"intercept": self.intercepts, "df": self.df}
        extra |= {"dev_ratio": self.dev_ratio, "dual_gap": self.dual_gaps}
        taken = set(frame.columns)
        clear = {f"{key}_" if key in taken else key: values for key, values in extra.items()}
        return pd.concat([frame, pd.DataFrame(clear, index=index)], axis=1)

    def _at(self, alpha: float, method: str) -> tuple[NDArray[Any], Array]:
        if method not in ("auto", "exact", "interpolate"):
            raise ValueError(f"method must be 'auto', 'exact' or 'interpolate', got {method!r}")
        if not (np.isfinite(alpha) and alpha >= 0):
            raise ValueError(f"alpha must be a finite number >= 0, got {alpha!r}")
        stored = np.flatnonzero(self.alphas == alpha)
        if len(stored) and (method != "exact" or self.refit is None):
            return self.coefs[..., stored[0]], self.intercepts[..., stored[0]]
        if method == "exact" and self.refit is None:
            raise ValueError(
                "this path does not hold its data; use method='interpolate', or"
                " regularization_path for a path that can refit"
            )
        if self.refit is not None and method != "interpolate":
            nearest = int(np.argmin(np.abs(self.alphas - alpha)))
            found = self.refit(float(alpha), self.coefs[..., nearest])
            return found.coefs[..., 0], found.intercepts[..., 0]
        if not self.alphas[-1] <= alpha <= self.alphas[0]:
            raise ValueError(
                f"alpha={alpha:g} is outside the path, [{self.alphas[-1]:g}, {self.alphas[0]:g}]"
            )
        right = int(np.searchsorted(-self.alphas, -alpha))
        high, low = self.alphas[right - 1], self.alphas[right]
        share = (high - alpha) / (high - low)

        def between(values: NDArray[Any]) -> NDArray[Any]:
            return (1 - share) * values[..., right - 1] + share * values[..., right]

        return between(self.coefs), between(self.intercepts)
