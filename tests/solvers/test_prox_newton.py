"""Newton's method for smooth losses against proximal gradient steps, and by its own optimality."""

import numpy as np
import pytest
from scipy import sparse

from skreg.objective.losses import (
    Gamma,
    Huber,
    Logistic,
    Multinomial,
    Poisson,
    SquaredError,
    SquaredHinge,
    Tweedie,
)
from skreg.objective.penalties import Penalty
from skreg.paths.fit_path import fit_path
from skreg.paths.grid import alpha_grid
from skreg.paths.problem import Problem
from skreg.solvers.base import Settings

LOSSES = {
    "squared_error": SquaredError(),
    "logistic": Logistic(),
    "poisson": Poisson(),
    "gamma": Gamma(),
    "tweedie": Tweedie(1.4),
    "huber": Huber(0.8),
    "squared_hinge": SquaredHinge(),
}
EXACT = Settings(tol=0.0)


def targets(loss, eta, rng):
    """A target whose linear predictor is eta."""
    if loss == "logistic":
        return (rng.random(len(eta)) < 1 / (1 + np.exp(-eta))).astype(float)
    if loss == "squared_hinge":
        return np.where(rng.random(len(eta)) < 1 / (1 + np.exp(-eta)), 1.0, -1.0)
    if loss in ("poisson", "tweedie"):
        return rng.poisson(np.exp(np.clip(eta, -4, 4))).astype(float)
    if loss == "gamma":
        return rng.gamma(2.0, np.exp(np.clip(eta, -4, 4)) / 2)
    return eta + rng.standard_normal(len(eta))


class Case:
    """A random problem with some of the traits that there are."""

    def __init__(self, loss, seed, n=60, p=8):
        rng = np.random.default_rng([seed, len(loss)])
        some = rng.random(9) < 0.5
        self.name, self.loss, self.rng = loss, LOSSES[loss], rng
        X = rng.standard_normal((n, p)) @ (np.eye(p) + 0.3 * rng.standard_normal((p, p)))
        X[:, 0] += 5.0 * some[0]
        if some[1]:
            X[rng.random((n, p)) < 0.6] = 0.0
        self.X = X
        self.offset = 0.5 * rng.standard_normal(n) if some[2] else None
        self.weight = rng.integers(0, 4, n).astype(float) if some[3] else None
        self.fit_intercept, self.standardize = bool(rng.random() < 0.7), bool(some[4])
        self.l1_ratio = (1.0, 0.5, 0.0)[seed % 3]
        factors = rng.choice([0.0, 0.5, 1.0, 2.0, np.inf], p) if some[5] else None
        lower = rng.choice([0.0, -0.1, -np.inf], p) if some[6] else None
        upper = rng.choice([0.05, 0.3, np.inf], p) if some[6] else None
        self.penalty = Penalty.build(p, self.l1_ratio, factors, lower, upper)
        eta = X @ (rng.standard_normal(p) * (rng.random(p) < 0.5)) / 2
        self.y = targets(loss, eta, rng)
        self.given = sparse.csc_matrix(X) if some[1] else X
        self.problem = Problem(
            self.penalty,
            self.loss,
            self.fit_intercept,
            self.standardize,
            solver="newton",
            settings=EXACT,
        )

    def bind(self):
        return self.problem.bind(self.given, self.y, self.weight, offset=self.offset)

    @property
    def omega(self):
        weight = np.ones(len(self.y)) if self.weight is None else self.weight
        return weight / weight.sum()

    @property
    def unit(self):
        """What coefficients of the penalty are multiplied by."""
        if not self.standardize:
            return np.ones(self.X.shape[1])
        return np.sqrt(self.omega @ np.square(self.X - self.omega @ self.X))

    def eta(self, w, b):
        return self.X @ w + b + (0.0 if self.offset is None else self.offset)

    def objective(self, w, b, alpha):
        penalty = self.penalty.at(alpha).value(w * self.unit).sum()
        return self.loss.value(self.eta(w, b), self.y, self.omega) + penalty

    def solve_plainly(self, alpha, steps=20000):
        """Accelerated proximal gradient steps with restarts (O'Donoghue and Candes, 2015)."""
        unit, center = self.unit, self.omega @ self.X if self.fit_intercept else 0.0
        Z = (self.X - center) / np.where(unit > 0, unit, np.inf)
        offset = 0.0 if self.offset is None else self.offset
        scaled = self.penalty.with_units(unit).at(alpha) if self.standardize else None
        scaled = scaled or self.penalty.at(alpha)
        start = self.loss.null_model(self.y, self.omega, self.offset)
        x = np.append(np.zeros(Z.shape[1]), start if self.fit_intercept else 0.0)

        def smooth(x):
            return self.loss.value(Z @ x[:-1] + x[-1] + offset, self.y, self.omega)

        def gradient(x):
            slope = self.loss.gradient(Z @ x[:-1] + x[-1] + offset, self.y) * self.omega
            return np.append(Z.T @ slope, slope.sum() * self.fit_intercept)

        v, curvature, momentum = x, 1.0, 1.0
        for _ in range(steps):
            g, value = gradient(v), smooth(v)
            while True:
                at = v - g / curvature
                new = np.append(scaled.prox(curvature * at[:-1], np.full(len(x) - 1, curvature)), 0)
                new[-1] = at[-1]
                d = new - v
                bound = value + g @ d + 0.5 * curvature * d @ d
                if smooth(new) <= bound + 1e-15 * abs(value) or curvature > 1e12:
                    break
                curvature *= 2.0
            if np.abs(new - x).max() < 1e-15 and np.abs(d).max() < 1e-15:
                break
            if (v - new) @ (new - x) > 0:
                momentum, v, x = 1.0, new, new
                continue
            after = 0.5 * (1 + np.sqrt(1 + 4 * momentum**2))
            v, x, momentum = new + (momentum - 1) / after * (new - x), new, after
        w = np.where(unit > 0, x[:-1] / np.where(unit > 0, unit, 1.0), 0.0)
        return w, x[-1] - (center @ w if self.fit_intercept else 0.0)

    def violation(self, w, b, alpha):
        """How far the KKT conditions are from holding, in units of the null residual."""
        slope = self.loss.gradient(self.eta(w, b), self.y) * self.omega
        unit = self.unit
        q = -(self.X.T @ slope)
        if self.fit_intercept:
            assert abs(slope.sum()) <= 1e-8
        q = np.divide(q, unit, out=np.zeros_like(q), where=unit > 0)
        scaled = self.penalty.with_units(unit) if self.standardize else self.penalty
        return scaled.at(alpha).violation(w * unit, q)[unit > 0].max(initial=0.0)


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("loss", LOSSES)
def test_agrees_with_proximal_gradient_steps(loss, seed):
    case = Case(loss, seed)
    bound = case.bind()
    largest = alpha_grid(bound, 2)[0] if case.l1_ratio else 1.0
    alphas = max(largest, 1e-3) * np.array([0.5, 0.2, 0.1, 0.03])
    path = fit_path(bound, alphas)
    assert path.converged.all(), path.dual_gaps
    for i, alpha in enumerate(alphas):
        w, b = path.coefs[:, i], path.intercepts[i]
        assert case.violation(w, b, alpha) <= 1e-8
        expected_w, expected_b = case.solve_plainly(alpha)
        found, expected = case.objective(w, b, alpha), case.objective(expected_w, expected_b, alpha)
        assert found - expected <= 1e-11
        np.testing.assert_allclose(w, expected_w, atol=2e-6)
        assert np.all((w >= case.penalty.lower) & (w <= case.penalty.upper))
        assert case.fit_intercept or b == 0.0
