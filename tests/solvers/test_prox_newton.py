"""Newton's method for smooth losses against proximal gradient steps, and by its own optimality."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from skreg.objective.losses import (
    AbsoluteError,
    Gamma,
    Huber,
    Logistic,
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
from skreg.solvers.null_model import null_deviances

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


@pytest.mark.one_in(5)
@pytest.mark.parametrize("seed", range(36))
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


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("loss", LOSSES)
def test_the_gap_is_never_below_what_the_objective_may_still_fall_by(loss, seed):
    """Also where the iterations are stopped before they get there."""
    case = Case(loss, seed)
    exact = case.bind()
    alphas = 0.1 * max(alpha_grid(exact, 2)[0] if case.l1_ratio else 1.0, 1e-3) * np.ones(1)
    best = fit_path(exact, alphas)
    least = case.objective(best.coefs[:, 0], best.intercepts[0], alphas[0])
    for max_iter in (1, 2, 3):
        settings = Settings(tol=1e-12, max_iter=max_iter)
        found = fit_path(
            replace(case.problem, settings=settings).bind(
                case.given, case.y, case.weight, offset=case.offset
            ),
            alphas,
        )
        value = case.objective(found.coefs[:, 0], found.intercepts[0], alphas[0])
        unit = null_deviances(exact)[0] or 1.0
        assert value - least <= found.dual_gaps[0] * unit + 1e-15 * abs(value)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("seed", [0, 1, 4])  # with an L1 part
def test_alpha_max_is_the_exact_boundary(loss, seed):
    case = Case(loss, seed)
    bound = case.bind()
    largest = alpha_grid(bound, 2)[0]
    penalised = (case.penalty.factors > 0) & case.penalty.movable
    if largest < 1e-10:
        pytest.skip("nothing to fit")
    at = fit_path(bound, largest * np.array([1 + 1e-9, 1 - 1e-6]))
    assert not at.coefs[penalised, 0].any()
    assert at.coefs[penalised, 1].any()


@pytest.mark.parametrize("seed", range(9))
def test_the_squared_error_agrees_with_its_own_solvers(seed):
    case = Case("squared_error", seed)
    alphas = np.array([0.3, 0.1, 0.02])
    bound = case.bind()
    quadratic = bound.with_problem(replace(case.problem, solver="auto"))
    found, expected = fit_path(bound, alphas), fit_path(quadratic, alphas)
    np.testing.assert_allclose(found.coefs, expected.coefs, atol=1e-8)
    np.testing.assert_allclose(found.intercepts, expected.intercepts, atol=1e-8)
    np.testing.assert_allclose(found.dev_ratio, expected.dev_ratio, atol=1e-10)
    np.testing.assert_allclose(found.df, expected.df, atol=1e-6)


@pytest.mark.parametrize("loss", ["logistic", "poisson", "gamma"])
@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_many_features_join_the_working_set_as_they_are_needed(loss, kind):
    """A path over more features than are taken at once, checked feature by feature."""
    rng = np.random.default_rng(7)
    X = rng.standard_normal((80, 400)) + 2.0 * rng.standard_normal((80, 1))
    if kind == "sparse":
        X[rng.random(X.shape) < 0.7] = 0.0
    y = targets(loss, X[:, :5] @ rng.standard_normal(5) / 2, rng)
    given = sparse.csr_array(X) if kind == "sparse" else X
    problem = Problem(Penalty.build(400, 1.0), LOSSES[loss], settings=EXACT)
    bound = problem.bind(given, y)
    alphas = alpha_grid(bound, 20, 0.05)
    path = fit_path(bound, alphas)
    assert path.converged.all()
    single = fit_path(bound, alphas[-1:])
    np.testing.assert_allclose(single.coefs[:, 0], path.coefs[:, -1], atol=1e-7)
    eta = X @ path.coefs + path.intercepts
    slope = LOSSES[loss].gradient(eta, y[:, None]) / len(y)
    assert np.abs(slope.sum(axis=0)).max() <= 1e-9
    violation = problem.penalty.at_each(alphas).violation(path.coefs, -(X.T @ slope))
    assert violation.max() <= 1e-8
    null = LOSSES[loss].deviance(np.full(80, LOSSES[loss].null_model(y)), y)
    left = [LOSSES[loss].deviance(eta[:, i].copy(), y) for i in range(20)]
    np.testing.assert_allclose(path.dev_ratio, 1.0 - np.array(left) / null, atol=1e-10)
    np.testing.assert_array_equal(path.df, path.n_nonzero)


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("strength", [1e-2, 1e-6, 0.0])
def test_separable_classes_end_in_a_finite_answer(l1_ratio, strength):
    X = np.linspace(-1, 1, 20)[:, None] * [1.0, 0.5] + [[0.0, 0.1], [0.0, -0.1]] * 10
    y = (X[:, 0] > 0).astype(float)
    bound = Problem(Penalty.build(2, l1_ratio), Logistic()).bind(X, y)
    path = fit_path(bound, np.array([0.1, strength]))
    assert path.converged.all()
    assert np.isfinite(path.coefs).all()
    assert path.dev_ratio[-1] > 0.5


@pytest.mark.parametrize("loss", ["logistic", "poisson", "gamma", "tweedie", "huber"])
@pytest.mark.parametrize("with_offset", [False, True])
def test_a_target_without_variation_keeps_every_coefficient_at_zero(loss, with_offset):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((30, 4)), np.ones(30)
    offset = np.full(30, 0.3) if with_offset else None
    problem = Problem(Penalty.build(4, 1.0), LOSSES[loss])
    bound = problem.bind(X, y, offset=offset)
    path = fit_path(bound, np.append(alpha_grid(bound, 3), 1e-3)[[0, -1]].clip(1e-3))
    assert not path.coefs.any()
    assert path.converged.all()
    assert not path.dev_ratio.any()


def test_a_loss_that_newton_does_not_take_is_refused_by_name():
    X, y = np.eye(3), np.eye(3)
    problem = Problem(Penalty.build(3, 1.0), AbsoluteError())
    with pytest.raises(ValueError, match="'auto' does not support the loss 'absolute_error'"):
        fit_path(problem.bind(X, y), np.ones(1))
    bound = replace(problem, loss=Logistic(), solver="cd").bind(X, y[0])
    with pytest.raises(ValueError, match="'cd' does not support the loss 'logistic'"):
        fit_path(bound, np.ones(1))


def test_a_target_outside_the_domain_is_refused_with_its_row():
    problem = Problem(Penalty.build(2, 1.0), Poisson())
    with pytest.raises(ValueError, match="not negative: row 1 has -1"):
        problem.bind(np.ones((3, 2)), np.array([1.0, -1.0, 0.0]))


def test_a_start_changes_the_way_and_not_the_answer():
    case = Case("logistic", 1)
    bound = case.bind()
    alphas = np.array([0.02])
    cold = fit_path(bound, alphas)
    warm = fit_path(bound, alphas, start=cold.coefs[:, 0])
    np.testing.assert_allclose(warm.coefs, cold.coefs, atol=1e-9)
    assert warm.n_iters[0] <= cold.n_iters[0]


def test_several_targets_are_fitted_one_by_one():
    rng = np.random.default_rng(3)
    X = rng.standard_normal((50, 6))
    Y = (rng.random((50, 2)) < 0.4).astype(float)
    problem = Problem(Penalty.build(6, 1.0), Logistic())
    bound = problem.bind(X, Y)
    path = fit_path(bound, np.array([0.05, 0.01]))
    for k in range(2):
        alone = fit_path(bound.for_target(k), np.array([0.05, 0.01]))
        np.testing.assert_array_equal(path.for_target(k).coefs, alone.coefs)


@pytest.mark.parametrize("loss", ["logistic", "poisson", "huber"])
@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_a_squared_penalty_over_more_features_than_rows(loss, standardize, fit_intercept):
    rng = np.random.default_rng(5)
    X = rng.standard_normal((30, 70)) + 1.0
    X[:, 3] = 1.0
    y = targets(loss, 0.3 * X[:, :5].sum(axis=1) - 1.5, rng)
    factors = rng.choice([0.5, 1.0, 2.0, np.inf], 70)
    weight = rng.integers(0, 3, 30).astype(float)
    problem = Problem(
        Penalty.build(70, 0.0, factors), LOSSES[loss], fit_intercept, standardize, settings=EXACT
    )
    bound = problem.bind(X, y, weight)
    alphas = np.array([1.0, 0.05])
    path = fit_path(bound, alphas)
    assert path.converged.all()
    omega = weight / weight.sum()
    unit = np.sqrt(omega @ np.square(X - omega @ X)) if standardize else np.ones(70)
    for i, alpha in enumerate(alphas):
        w = path.coefs[:, i]
        slope = LOSSES[loss].gradient(X @ w + path.intercepts[i], y) * omega
        assert abs(slope.sum()) * fit_intercept <= 1e-10
        kept = np.isfinite(factors) & (unit > 1e-9)
        expected = alpha * factors[kept] * w[kept] * unit[kept] ** 2
        np.testing.assert_allclose(-(X.T @ slope)[kept], expected, atol=1e-9)
        assert not w[~np.isfinite(factors)].any()
    warm = fit_path(bound, alphas[1:], start=path.coefs[:, 1])
    np.testing.assert_allclose(warm.coefs[:, 0], path.coefs[:, 1], atol=1e-9)
    assert warm.df[0] == pytest.approx(path.df[1], rel=1e-6)


def test_a_single_fit_lets_features_join_as_often_as_it_takes():
    """Far below alpha_max, from none, with more active features than join in a few rounds."""
    rng = np.random.default_rng(1)
    X = sparse.random(1000, 3000, 0.01, random_state=1, format="csc")
    y = targets("logistic", 3 * X @ (rng.standard_normal(3000) * (rng.random(3000) < 0.05)), rng)
    bound = Problem(Penalty.build(3000, 1.0), Logistic()).bind(X, y)
    path = fit_path(bound, 0.02 * alpha_grid(bound, 2)[:1])
    assert path.converged.all()
    assert path.dual_gaps[0] <= 1e-9
    assert path.df[0] > 300


def test_fewer_steps_than_it_takes_end_nearer_than_they_began():
    case = Case("poisson", 6)
    few = replace(case.problem, settings=Settings(max_iter=2))
    bound = few.bind(case.given, case.y, case.weight, offset=case.offset)
    path = fit_path(bound, 0.05 * alpha_grid(bound, 2)[:1])
    assert path.n_iters[0] == 2
    assert path.dev_ratio[0] > 0.0


@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
@pytest.mark.parametrize("solved", [[0.1, 0.0], [0.0]])
def test_classes_that_can_be_told_apart_have_no_minimum_without_a_penalty(l1_ratio, solved):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((20, 30)), np.arange(20) % 2.0
    problem = Problem(Penalty.build(30, l1_ratio), Logistic(), solver="newton", settings=EXACT)
    path = fit_path(problem.bind(X, y), np.array(solved))
    eta = X @ path.coefs[:, -1] + path.intercepts[-1]
    assert np.isfinite(eta).all()
    assert Logistic().value(eta, y, np.full(20, 0.05)) <= 1.01 * path.dual_gaps[-1] * 2 * np.log(2)
    assert path.dual_gaps[-1] <= 1e-6


@pytest.mark.parametrize("loss", ["poisson", "logistic"])
@pytest.mark.parametrize("seed", range(3))
def test_as_many_features_as_rows_without_a_penalty(loss, seed):
    """The Gram matrix is singular, and least squares of minimum norm are a step."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((12, 12))
    y = targets(loss, X[:, 0], rng)
    problem = Problem(Penalty.build(12, 0.0), LOSSES[loss], solver="newton", settings=EXACT)
    path = fit_path(problem.bind(X, y), np.array([0.1, 0.0]))
    assert path.dual_gaps.max() <= 1e-6


@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
def test_all_features_may_be_excluded(l1_ratio):
    case = Case("poisson", 0)
    penalty = Penalty.build(8, l1_ratio, np.full(8, np.inf))
    problem = replace(case.problem, penalty=penalty)
    path = fit_path(problem.bind(case.X, case.y), np.array([0.1]))
    assert not path.coefs.any()
    assert path.converged.all()


def test_gaps_that_are_infinite_are_no_reason_to_stop():
    """Far from the solution the residual of the model is no slope of the loss."""
    rng = np.random.default_rng(3)
    X = rng.standard_normal((40, 200))
    y = 30.0 * X[:, 0] + rng.standard_normal(40)
    lower, upper = rng.choice([0.0, -0.1, -np.inf], 200), rng.choice([0.05, 0.3, np.inf], 200)
    penalty = Penalty.build(200, 1.0, None, lower, upper)
    bound = Problem(penalty, Huber(0.8), solver="newton", settings=EXACT).bind(X, y)
    path = fit_path(bound, 0.9 * alpha_grid(bound, 2)[:1], start=rng.choice([-3, 0, 1.0], 200))
    assert path.dual_gaps.max() <= 1e-12
