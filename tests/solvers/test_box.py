"""A squared penalty in a box: the active set method and its working set."""

import numpy as np
import pytest
from reference import minimise

import skreg
from skreg.objective.penalties import Penalty
from skreg.paths.problem import Problem
from skreg.solvers.base import OneTarget, Settings
from skreg.solvers.quadratic import coordinate_descent
from skreg.solvers.quadratic.box import solve_few, solve_in_box


def case(seed, n=80):
    """A Gram matrix, correlations, a penalty with any kind of bounds, and a start."""
    rng = np.random.default_rng(seed)
    p = int(rng.integers(1, 40))
    X = rng.standard_normal((n, p)) + rng.choice([0.0, 1.0]) * rng.standard_normal((n, 1))
    y = X @ rng.standard_normal(p) + rng.standard_normal(n)
    lower = rng.choice([-np.inf, -1.0, -0.1, 0.0], p)
    upper = np.maximum(rng.choice([np.inf, 1.0, 0.1, 0.0], p), lower)
    factors = rng.choice([1.0, 0.5, 3.0, np.inf], p) if seed % 2 else None
    penalty = Penalty.build(p, 0.0, factors, lower, upper).at(float(rng.choice([1e-6, 0.1, 10.0])))
    return X.T @ X / n, X.T @ y / n, penalty, rng.standard_normal(p) * (seed % 3)


@pytest.mark.parametrize("seed", range(60))
def test_the_solution_is_that_of_coordinate_descent(seed):
    G, c, penalty, start = case(seed)
    found = solve_in_box(G, c, penalty, start, 100)
    assert found is not None
    np.testing.assert_allclose(found.w, minimise(G, c, penalty), rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.q, c - G @ found.w, rtol=0, atol=1e-9)
    again = solve_in_box(G, c, penalty, found.w, 100)
    assert again.n_rounds == 1


def test_what_is_not_solved_is_left_to_another_method():
    G, c, penalty, start = case(2)
    assert solve_in_box(G, c, penalty, start, 1) is None
    twice = Penalty.build(2, 0.0, lower=0.0).at(0.0)
    assert solve_in_box(np.ones((2, 2)), np.ones(2), twice, np.zeros(2), 100) is None


@pytest.mark.parametrize("bound", [{"lower": 0.0}, {"upper": 0.0}])
@pytest.mark.parametrize("weighted", [False, True])
def test_few_features_off_their_bounds_need_no_gram_matrix(bound, weighted):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 250)) + rng.standard_normal((400, 1))
    X[:, 7] = 3.0
    w = np.zeros(250)
    w[:6] = [3.0, -2.0, 2.0, -3.0, 1.0, -2.0]
    y = X @ w + 0.1 * rng.standard_normal(400)
    weight = rng.random(400) if weighted else None
    problem = Problem(Penalty.build(250, 0.0, **bound))
    bounds = [problem.bind(X, y, weight) for _ in range(2)]
    start, alphas = np.zeros((250, 1)), np.array([0.01])
    (few,) = coordinate_descent.solve(bounds[0], alphas, start, Settings())
    (whole,) = coordinate_descent.solve(bounds[1], alphas, start, Settings(precompute=True))
    assert not bounds[0].design.has_gram
    assert 0 < np.count_nonzero(few.coef) < 30
    assert few.gap <= 1e-12
    np.testing.assert_allclose(few.coef, whole.coef, rtol=0, atol=1e-10)
    np.testing.assert_allclose((few.rss, few.df), (whole.rss, whole.df), rtol=1e-9)


def test_many_features_off_their_bounds_are_not_followed():
    rng = np.random.default_rng(0)
    X, penalty = rng.standard_normal((600, 300)), Penalty.build(300, 0.0, lower=0.0)
    bound = Problem(penalty).bind(X, X.sum(axis=1))
    assert solve_few(OneTarget(bound), penalty.at(0.01), 100) is None
    boxed = Penalty.build(300, 0.0, lower=-1.0)
    assert solve_few(OneTarget(bound), boxed.at(0.01), 100) is None
    assert skreg.Ridge(positive=True).fit(X, X.sum(axis=1)).dual_gap_ <= 1e-12
