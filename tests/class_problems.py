"""Random problems of the multinomial loss, with a plain solver of them."""

import numpy as np
from scipy import sparse

from skreg.objective.losses import Multinomial
from skreg.objective.penalties import Penalty
from skreg.paths.problem import Problem
from skreg.solvers.base import Settings

LOSS = Multinomial()
EXACT = Settings(tol=0.0)


def classes(eta, rng):
    """Classes drawn with the probabilities at eta, as shares."""
    drawn = np.argmax(eta + rng.gumbel(size=eta.shape), axis=1)
    return np.eye(eta.shape[1])[drawn]


def softmax(eta):
    return LOSS.inverse_link(eta)


class Case:
    """A random problem with some of the traits that there are."""

    def __init__(self, seed, n=60, p=8):
        rng = np.random.default_rng(seed)
        some = rng.random(9) < 0.5
        n_classes = int(rng.choice([2, 3, 4, 5]))
        X = rng.standard_normal((n, p)) @ (np.eye(p) + 0.3 * rng.standard_normal((p, p)))
        X[:, 0] += 5.0 * some[0]
        if some[1]:
            X[rng.random((n, p)) < 0.6] = 0.0
        self.X = X
        self.offset = 0.5 * rng.standard_normal((n, n_classes)) if some[2] else None
        self.weight = rng.integers(0, 4, n).astype(float) if some[3] else None
        self.fit_intercept, self.standardize = bool(rng.random() < 0.7), bool(some[4])
        self.l1_ratio = (1.0, 0.5, 0.0)[seed % 3]
        factors = rng.choice([0.0, 0.5, 1.0, 2.0, np.inf], p) if some[5] else None
        lower = rng.choice([0.0, -0.1, -np.inf], p) if some[6] else None
        upper = rng.choice([0.05, 0.3, np.inf], p) if some[6] else None
        self.penalty = Penalty.build(p, self.l1_ratio, factors, lower, upper)
        B = rng.standard_normal((p, n_classes)) * (rng.random((p, n_classes)) < 0.5)
        self.Y = classes(X @ B / 2, rng)
        if some[7]:  # shares
            self.Y = 0.5 * self.Y + 0.5 * rng.dirichlet(np.ones(n_classes), n)
        self.given = sparse.csc_matrix(X) if some[1] else X
        self.problem = Problem(
            self.penalty, LOSS, self.fit_intercept, self.standardize, settings=EXACT
        )

    def bind(self, problem=None):
        problem = problem or self.problem
        return problem.bind(self.given, self.Y, self.weight, offset=self.offset)

    @property
    def omega(self):
        weight = np.ones(len(self.Y)) if self.weight is None else self.weight
        return weight / weight.sum()

    @property
    def unit(self):
        """What coefficients of the penalty are multiplied by."""
        if not self.standardize:
            return np.ones(self.X.shape[1])
        return np.sqrt(self.omega @ np.square(self.X - self.omega @ self.X))

    def eta(self, W, b):
        return self.X @ W + b + (0.0 if self.offset is None else self.offset)

    def objective(self, W, b, alpha):
        """W has shape (n_features, n_classes)."""
        penalty = self.penalty.at(alpha).value(W.T * self.unit).sum()
        return LOSS.value(self.eta(W, b), self.Y, self.omega[:, None]) + penalty

    def solve_plainly(self, alpha, steps=20000):
        """Accelerated proximal gradient steps with restarts (O'Donoghue and Candes, 2015)."""
        unit, n_classes = self.unit, self.Y.shape[1]
        center = self.omega @ self.X if self.fit_intercept else np.zeros(len(unit))
        Z = (self.X - center) / np.where(unit > 0, unit, np.inf)
        Z = np.column_stack([Z, np.full(len(Z), float(self.fit_intercept))])
        scaled = self.penalty.with_units(unit) if self.standardize else self.penalty
        scaled = scaled.at(alpha)
        offset = np.zeros_like(self.Y) if self.offset is None else self.offset

        def smooth(x):
            return LOSS.value(Z @ x + offset, self.Y, self.omega[:, None])

        def gradient(x):
            return Z.T @ LOSS.gradient(Z @ x + offset, self.Y, self.omega[:, None])

        x = np.zeros((len(unit) + 1, n_classes))
        v, curvature, momentum = x, 1.0, 1.0
        for _ in range(steps):
            g, value = gradient(v), smooth(v)
            while True:
                new = v - g / curvature
                new[:-1] = scaled.prox(curvature * new[:-1].T, np.full(len(unit), curvature)).T
                d = new - v
                bound = value + (g * d).sum() + 0.5 * curvature * (d * d).sum()
                if smooth(new) <= bound + 1e-15 * abs(value) or curvature > 1e12:
                    break
                curvature *= 2.0
            if np.abs(new - x).max() < 1e-15 and np.abs(d).max() < 1e-15:
                break
            if ((v - new) * (new - x)).sum() > 0:
                momentum, v, x = 1.0, new, new
                continue
            after = 0.5 * (1 + np.sqrt(1 + 4 * momentum**2))
            v, x, momentum = new + (momentum - 1) / after * (new - x), new, after
        W = x[:-1] / np.where(unit > 0, unit, np.inf)[:, None]
        return W, x[-1] - center @ W

    def violation(self, W, b, alpha):
        """How far the KKT conditions of all pairs are from holding."""
        slope = LOSS.gradient(self.eta(W, b), self.Y, self.omega[:, None])
        unit = self.unit
        q = -(self.X.T @ slope).T
        if self.fit_intercept:
            assert np.abs(slope.sum(axis=0)).max() <= 1e-8
        q = np.divide(q, unit, out=np.zeros_like(q), where=unit > 0)
        scaled = self.penalty.with_units(unit) if self.standardize else self.penalty
        return scaled.at(alpha).violation(W.T * unit, q)[:, unit > 0].max(initial=0.0)
