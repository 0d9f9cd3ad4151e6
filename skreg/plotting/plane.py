"""A linear model's objective over two of its coefficients, the others held where they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import fitted, kind_of_model, naming

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TwoCoefficients:
    """Minimise ``constant - moment.w + w.gram.w / 2 + alpha (l1.|w| + l2.w^2 / 2)`` over w.

    The coefficients are those that the penalty sees: of standardised features where the model
    standardises.

    Attributes
    ----------
    gram : ndarray of shape (2, 2)
    moment, l1, l2 : ndarray of shape (2,)
        `l1` and `l2` are the weights of the two parts of the penalty.
    constant : float
        The loss where both coefficients are zero.
    alpha : float
        The penalty of the model.
    solution : ndarray of shape (2,)
        The model's coefficients.
    """

    gram: Array
    moment: Array
    constant: float
    l1: Array
    l2: Array
    alpha: float
    solution: Array

    def loss(self, points: ArrayLike) -> Array:
        """Loss at points of shape (n, 2)."""
        w = np.asarray(points, dtype=float)
        return self.constant - w @ self.moment + 0.5 * np.einsum("ni,ij,nj->n", w, self.gram, w)

    def penalty(self, points: ArrayLike) -> Array:
        """Penalty, without alpha, at points of shape (n, 2)."""
        w = np.asarray(points, dtype=float)
        return np.abs(w) @ self.l1 + 0.5 * w**2 @ self.l2

    @property
    def least_squares(self) -> Array:
        """Where the loss is smallest; of minimum norm where that is not one point."""
        return np.asarray(np.linalg.lstsq(self.gram, self.moment, rcond=None)[0])

    def solve(self, alpha: float) -> Array:
        """Minimise at another alpha, exactly.

        With two coefficients there are nine patterns of signs. Each gives a linear system, and the
        minimiser is the best of their solutions.
        """
        best, lowest = np.zeros(2), self.constant
        for signs in [(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1) if a or b]:
            on = np.flatnonzero(signs)
            matrix = (self.gram + alpha * np.diag(self.l2))[np.ix_(on, on)]
            right = self.moment[on] - alpha * self.l1[on] * np.array(signs)[on]
            w = np.zeros(2)
            w[on] = np.linalg.lstsq(matrix, right, rcond=None)[0]
            value = float(self.loss([w])[0] + alpha * self.penalty([w])[0])
            if value < lowest:
                best, lowest = w, value
        return best

    def path(self) -> tuple[Array, Array]:
        """Minimise along decreasing alphas, from zero (or next to it) to least squares.

        Returns
        -------
        alphas : ndarray of shape (n_alphas,)
            The last is 0.
        solutions : ndarray of shape (n_alphas, 2)
        """
        if self.l1.any():
            first = np.max(np.abs(self.moment) / self.l1)
        else:
            first = 1e3 * np.max(np.linalg.eigvalsh(self.gram)) / np.min(self.l2)
        alphas = np.append(np.geomspace(1.0, 1e-4, 300) * first, 0.0)
        return alphas, np.array([self.solve(alpha) for alpha in alphas])

    def contour(self, radius: float) -> Array:
        """Points of the ellipse whose distance from least squares, in the loss, is `radius`.

        The loss there is that of least squares plus ``radius**2 / 2``.
        """
        values, vectors = np.linalg.eigh(self.gram)
        reach = radius / np.sqrt(np.maximum(values, 1e-12 * values[-1]))
        angles = np.linspace(0, 2 * np.pi, 241)
        circle = np.column_stack((np.cos(angles), np.sin(angles)))
        return np.asarray(self.least_squares + (circle * reach) @ vectors.T)


def level_set(l1: Array, l2: Array, power: float, through: Array) -> Array:
    """Points at which ``l1.|w|^power + l2.w^2 / 2`` is what it is at `through`.

    Raises
    ------
    ValueError
        The power is not positive, or both parts are present and it is not 1.
    """
    if power <= 0 or (power != 1 and l2.any()):
        raise ValueError(f"a shape needs a positive power, got {power}")
    level = np.abs(through) ** power @ l1 + 0.5 * through**2 @ l2
    angles = np.linspace(0, 2 * np.pi, 401)
    rays = np.column_stack((np.cos(angles), np.sin(angles)))
    rays[np.abs(rays) < 1e-12] = 0.0  # the corners lie on the axes exactly
    a, b = np.abs(rays) ** power @ l1, 0.5 * rays**2 @ l2
    if level == 0:
        return np.zeros_like(rays)
    if not b.any():
        return np.asarray(rays * ((level / a) ** (1 / power))[:, None])
    return np.asarray(rays * (2 * level / (a + np.sqrt(a**2 + 4 * b * level)))[:, None])


def two_coefficients(
    estimator: Any,
    X: Any,
    y: ArrayLike,
    features: Sequence[str | int] | None,
    sample_weight: ArrayLike | None,
    feature_names: ArrayLike | None,
) -> tuple[TwoCoefficients, list[str]]:
    """Build a fitted model's objective over two coefficients, and give the names of the two.

    Raises
    ------
    ValueError
        What is asked for cannot be drawn; the message says why.
    """
    what = "PenaltyGeometryDisplay"
    data = fitted.as_penalised(estimator, X, sample_weight, what)
    for name in ("adaptive", "concave"):
        if (value := getattr(estimator, name, None)) is not None:
            raise ValueError(f"{what} draws L1 and L2 parts as they are, not with {name}={value!r}")
    classes = getattr(estimator, "classes_", None)
    if classes is not None and len(classes) == 2:  # as ridge regression of classes takes them
        y = np.where(np.asarray(y) == classes[1], 1.0, -1.0)
    elif classes is not None:
        raise ValueError(f"{what} draws two classes, and there are {len(classes)}")
    target = np.asarray(y, dtype=float)
    if target.squeeze().ndim != 1 or (np.ndim(estimator.coef_) > 1 and len(estimator.coef_) > 1):
        raise ValueError(f"{what} draws one target: fit and pass y of shape (n_samples,)")
    if target.size != len(data.columns):
        raise ValueError(f"y has {target.size} values for {len(data.columns)} rows of X")
    alpha = fitted.chosen_alphas(estimator, 0)["alpha"]
    if alpha is None:
        raise ValueError(f"{type(estimator).__name__} has no alpha, and so no penalty to draw")
    names = naming.names(feature_names, data.columns.shape[1])
    w = np.ravel(estimator.coef_).astype(float) * data.scale
    pair = _pair(features, names, w)
    for index in pair:
        if not 0 < data.factors[index] < np.inf:
            raise ValueError(
                f"{what} needs penalised features: the penalty_factor of {names[index]!r} is"
                f" {data.factors[index]:g}"
            )
    others = np.setdiff1d(np.arange(w.size), pair)
    residual = data.centre(target.ravel()) - data.columns[:, others] @ w[others]
    two, ratio = data.columns[:, pair], kind_of_model.mixing(estimator)
    unit = 2.0 if ratio is None else 1 / float(np.sum(data.row_scale**2))
    factors = data.factors[pair]
    plane = TwoCoefficients(
        gram=unit * two.T @ two,
        moment=unit * two.T @ residual,
        constant=0.5 * unit * float(residual @ residual),
        l1=(ratio or 0.0) * factors,
        l2=2 * factors if ratio is None else (1 - ratio) * factors,
        alpha=alpha,
        solution=w[pair],
    )
    return plane, [names[index] for index in pair]


def _pair(features: Sequence[str | int] | None, names: list[str], w: Array) -> list[int]:
    """Find two features by name or index, or take those with the largest coefficients."""
    if len(names) < 2:
        raise ValueError("PenaltyGeometryDisplay needs two features")
    if features is None:
        return sorted(np.argsort(-np.abs(w), kind="stable")[:2].tolist())
    found = []
    for feature in features:
        if isinstance(feature, str | tuple):
            (name,) = naming.names([feature], 1)
            if name not in names:
                raise ValueError(f"no feature is named {name!r}")
            found.append(names.index(name))
        elif 0 <= feature < len(names):
            found.append(int(feature))
        else:
            raise ValueError(f"feature {feature} is out of range: there are {len(names)} features")
    if len(found) != 2 or found[0] == found[1]:
        raise ValueError(f"features must be two different ones, got {list(features)}")
    return found
