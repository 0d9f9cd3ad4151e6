"""Alphas that keep the active set, solved at once: nothing but the time changes."""

import numpy as np
import pytest
from reference import minimise

from skreg.objective.penalties import Penalty
from skreg.paths.problem import Problem
from skreg.solvers.base import OneTarget, Settings
from skreg.solvers.quadratic import auto, same_support

FACTORS = np.array([0.0, 0.5, 1.0, 2.0, 1.0, np.inf, 1.0, 1.0])
SHAPES = {
    "plain": {},
    "nearly a lasso": {"l1_ratio": 0.99},
    "factors": {"factors": FACTORS},
    "positive": {"lower": 0.0},
    "in a box": {"lower": -0.4, "upper": 0.5},
}
each_shape = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)


def problem(l1_ratio=0.5, **shape):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 8)) + rng.standard_normal((60, 1))
    y = X @ rng.standard_normal(8) + rng.standard_normal(60)
    return Problem(Penalty.build(8, l1_ratio, **shape)).bind(X, y)


def path(bound, alphas):
    one, start = OneTarget(bound), np.zeros(8)
    return list(auto._solve_one(one, alphas, start, Settings()))


@pytest.fixture
def runs(monkeypatch):
    """Lengths of the runs that are solved."""
    found, solve_run = [], same_support.solve_run

    def noted(solver, alphas):
        W = solve_run(solver, alphas)
        found.append(W.shape[1])
        return W

    monkeypatch.setattr(auto, "solve_run", noted)
    return found


@each_shape
def test_a_path_is_the_one_of_each_alpha_by_itself(monkeypatch, runs, shape):
    bound = problem(**shape)
    alphas = np.geomspace(3.0, 1e-4, 200)
    together = path(bound, alphas)
    assert sum(runs) > (5 if "upper" in shape else 50)  # none while a coefficient is at a bound
    monkeypatch.setattr(auto, "STEADY", len(alphas))
    alone = path(bound, alphas)
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_allclose(one.coef, other.coef, rtol=0, atol=1e-12)
        assert one.gap <= 1e-13
        assert one.df == other.df
    gram, c = bound.design.gram(), bound.correlations[:, 0]
    for i in range(0, 200, 20):
        expected = minimise(gram, c, bound.penalty.at(alphas[i]))
        np.testing.assert_allclose(together[i].coef, expected, rtol=0, atol=1e-9)


@each_shape
def test_a_run_that_is_expected_to_be_too_long_ends_where_the_active_set_does(
    monkeypatch, runs, shape
):
    bound = problem(**shape)
    alphas = np.geomspace(3.0, 1e-4, 200)
    monkeypatch.setattr(auto, "STEADY", len(alphas))
    alone = path(bound, alphas)
    monkeypatch.setattr(auto, "STEADY", 1)
    monkeypatch.setattr(same_support, "_expected", lambda solver, alphas: len(alphas))
    together = path(bound, alphas)
    assert sum(runs) > (5 if "upper" in shape else 50)  # none while a coefficient is at a bound
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_allclose(one.coef, other.coef, rtol=0, atol=1e-12)
        assert one.df == other.df


def test_an_alpha_may_be_there_several_times(runs):
    bound = problem()
    once = np.geomspace(0.5, 0.01, 60)
    found = path(bound, once.repeat(3))
    assert sum(runs) > 50
    for one, other in zip(found[1::3], path(bound, once), strict=True):
        np.testing.assert_allclose(one.coef, other.coef, rtol=0, atol=1e-12)


def test_features_that_come_to_depend_on_each_other_are_left_to_the_rounds(runs):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 8))
    X[:, 7] = X[:, 6]
    y = X @ np.arange(8.0) + rng.standard_normal(60)
    bound = Problem(Penalty.build(8, 0.5)).bind(X, y)
    alphas = np.geomspace(1.0, 1e-13, 150)
    found = path(bound, alphas)
    assert sum(runs)
    assert max(one.gap for one in found) <= 1e-12
