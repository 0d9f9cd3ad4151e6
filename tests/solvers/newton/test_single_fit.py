"""Single fits by blocks of rows against the path solver's one alpha, and when they are refused."""

from dataclasses import replace

import numpy as np
import pytest

from skreg.objective.losses import Gamma, Logistic, Poisson, Tweedie
from skreg.objective.penalties import Penalty
from skreg.paths.fit_path import fit_path, with_degrees_of_freedom
from skreg.paths.problem import Problem
from skreg.solvers.base import Settings
from skreg.solvers.newton import batched_newton, single_fit
from skreg.solvers.newton.prox_newton import NewtonPath, aims_of

LOSSES = {"logistic": Logistic(), "poisson": Poisson(), "gamma": Gamma(), "tweedie": Tweedie(1.6)}
EXACT = Settings(exact=True)


class Data:
    """A random problem with some of the traits that there are."""

    def __init__(self, loss, l1_ratio, seed, n=240, p=7):
        rng = np.random.default_rng([seed, len(loss), int(4 * l1_ratio)])
        some = rng.random(7) < 0.4
        X = rng.standard_normal((n, p)) * rng.uniform(0.5, 2.0, p) + some[0] * rng.uniform(-2, 2, p)
        eta = X[:, :3].sum(axis=1) / 2
        mean = np.exp(np.clip(eta, -3, 3))
        self.y = rng.poisson(mean).astype(float)
        if loss == "logistic":
            self.y = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float)
        if loss == "gamma":
            self.y = rng.gamma(2.0, mean / 2)
        self.offset = 0.4 * rng.standard_normal(n) if some[1] else None
        self.weight = rng.integers(0, 3, n).astype(float) if some[2] else None
        factors = rng.choice([0.0, 0.5, 1.0, 2.0], p) if some[3] else None
        X = np.asfortranarray(X) if some[4] else X
        self.X = X.astype(np.float32) if some[5] else X
        self.problem = Problem(
            Penalty.build(p, l1_ratio, factors), LOSSES[loss], bool(seed % 4), bool(some[6])
        )

    def bind(self):
        return self.problem.bind(self.X, self.y, self.weight, offset=self.offset)


def counted(monkeypatch):
    """Count what is left to the path solver."""
    found, whole = [], NewtonPath.solve
    monkeypatch.setattr(
        NewtonPath, "solve", lambda self, alpha: found.append(alpha) or whole(self, alpha)
    )
    return found


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("loss", LOSSES)
def test_a_single_fit_is_that_of_the_path_solver(loss, l1_ratio, seed, monkeypatch):
    data, alphas = Data(loss, l1_ratio, seed), np.array([0.02])
    left = counted(monkeypatch)
    monkeypatch.setattr(single_fit, "ENTRIES_OF_ROWS", 300)
    bound = data.bind()
    found = fit_path(bound, alphas)
    if left and loss == "poisson":
        pytest.skip("steps that are not damped go too far")
    assert not left
    start = bound.design.from_raw(found.coefs[:, 0]) * 0.9
    again = fit_path(bound, alphas, start=found.coefs * 0.9)
    assert not left
    monkeypatch.setattr(batched_newton, "ROWS_WITH_A_SAMPLE", 200)
    monkeypatch.setattr(batched_newton, "ROWS_OF_A_SAMPLE", 80)
    sampled = fit_path(bound, alphas)
    monkeypatch.setattr(single_fit, "FEW_IN_A_FIT", 0)
    expected = fit_path(data.bind(), alphas)
    assert left
    assert start.any()
    narrow = data.X.dtype == np.float32
    close = {"rtol": 1e-6 if narrow else 1e-8, "atol": 1e-7 if narrow else 1e-9}
    for path in (found, again, sampled):
        assert path.dual_gaps[0] <= 1e-12
        np.testing.assert_allclose(path.coefs, expected.coefs, **close)
        np.testing.assert_allclose(path.intercepts, expected.intercepts, **close)
        np.testing.assert_allclose(path.dev_ratio, expected.dev_ratio, atol=1e-10)
        df = with_degrees_of_freedom(path, bound).df
        np.testing.assert_allclose(df, expected.df, rtol=1e-4)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_gap_of_a_rough_fit_is_above_what_the_objective_may_still_fall_by(loss):
    data = Data(loss, 0.5, 1)
    bound, exact = data.bind(), fit_path(data.bind(), np.array([0.02]))
    design, rows = bound.design, single_fit.target_rows(bound)
    penalty = bound.penalty.at(0.02)

    def objective(w, b):
        eta = rows.offset + design.predict(w) + float(design.mean.dot(design.to_raw(w))) + b
        return rows.value(eta) + float(penalty.value(w).sum())

    best = objective(design.from_raw(exact.coefs[:, 0]), exact.intercepts[0])
    for aim in (1e-2, 1e-4, 1e-6):
        found = single_fit.fit_alone(bound, 0.02, np.zeros(7), Settings(), (1.0, aim))
        above = objective(found.coef, found.intercept) - best
        assert above <= found.gap * rows.unit + 1e-12
        assert found.gap <= 1.1 * aim + 1e-12


@pytest.mark.parametrize("trait", ["far", "constant", "many", "bounds", "separable"])
def test_what_is_not_made_for_it_is_left_to_the_path_solver(trait, monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((80, 5))
    y = (X[:, 0] + rng.standard_normal(80) > 0).astype(float)
    problem, alpha = Problem(Penalty.build(5, 0.0), Logistic()), 1e-3
    if trait == "far":
        X[:, 1] += 1e4
    if trait == "constant":
        X[:, 2] = 3.0
    if trait == "many":
        monkeypatch.setattr(single_fit, "FEW_IN_A_FIT", 4)
    if trait == "bounds":
        problem = replace(problem, penalty=Penalty.build(5, 0.0, lower=0.0))
    if trait == "separable":
        y, alpha = (X[:, 0] > 0).astype(float), 1e-9
    left = counted(monkeypatch)
    found = fit_path(problem.bind(X, y), np.array([alpha]))
    assert left
    assert found.converged.all()
    assert trait != "constant" or found.coefs[2, 0] == 0.0


def test_few_steps_that_are_allowed_are_few():
    bound = Data("logistic", 1.0, 1).bind()
    few, aims = Settings(max_iter=2, exact=True), aims_of(EXACT)
    assert single_fit.fit_alone(bound, 0.02, np.zeros(7), few, aims) is None
    found = single_fit.fit_alone(bound, 0.02, np.zeros(7), EXACT, aims)
    assert 2 < found.n_iter <= single_fit.MOST_STEPS_OF_A_FIT
