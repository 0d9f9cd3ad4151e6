"""All targets at one alpha on one Gram matrix, against one target after another."""

import numpy as np
import pytest

from skreg.objective.penalties import Penalty
from skreg.paths.problem import Problem
from skreg.solvers.base import OneTarget, Settings
from skreg.solvers.quadratic import auto, side_by_side, small_support


def bound_problem(p=12, n_targets=7, seed=0, **shape):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((60, p)) + rng.standard_normal((60, 1))
    Y = X @ rng.standard_normal((p, n_targets)) + rng.standard_normal((60, n_targets))
    l1_ratio = shape.pop("l1_ratio", 1.0)
    return Problem(Penalty.build(p, l1_ratio, **shape)).bind(X, Y)


SHAPES = [
    {},
    {"l1_ratio": 0.3},
    {"lower": 0.0},
    {"upper": 0.0, "l1_ratio": 0.5},
    {"factors": np.array([0.0, np.inf, *np.linspace(0.5, 2.0, 10)])},
    {"p": 45},
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("alpha", [1.0, 0.1, 0.001])
def test_the_solutions_are_those_of_one_target_after_another(shape, alpha):
    bound = bound_problem(**shape)
    start = np.zeros((bound.design.n_features, 7))
    alphas, settings = np.array([alpha]), Settings()
    (together,) = auto._solve_at_one_alpha(bound, alphas, start, settings)
    (alone,) = auto._solve_one_by_one(bound, alphas, start, settings)
    np.testing.assert_allclose(together.coef, alone.coef, rtol=0, atol=1e-9)
    assert together.gap.max() <= 1e-12
    assert together.df.tolist() == alone.df.tolist()
    np.testing.assert_allclose(together.rss, alone.rss, rtol=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_solution_is_no_iteration_away_from_itself(shape):
    bound = bound_problem(**shape)
    start, alphas = np.zeros((bound.design.n_features, 7)), np.array([0.1])
    (cold,) = auto._solve_at_one_alpha(bound, alphas, start, Settings())
    start = cold.coef.T.copy()
    start[:, 3] = 0.0
    (warm,) = auto._solve_at_one_alpha(bound, alphas, start, Settings())
    assert (warm.n_iter == 0).tolist() == [True] * 3 + [False] + [True] * 3
    np.testing.assert_allclose(warm.coef, cold.coef, atol=1e-9)


@pytest.mark.parametrize("bound", ["lower", "upper"])
def test_a_start_out_of_bounds_is_brought_back(bound):
    problem = bound_problem(l1_ratio=0.8, **{bound: 0.0})
    start, alphas = 10.0 * np.ones((12, 7)), np.array([0.1])
    start[::2] = -10.0
    gram, penalty, settings = problem.design.gram(), problem.penalty.at(0.1), Settings()
    squares = problem.target.squares
    found = side_by_side.solve_side_by_side(
        gram, problem.correlations.T, penalty, start.T, squares, 15
    )
    assert found.solved.any()
    (cold,) = auto._solve_one_by_one(problem, alphas, np.zeros((12, 7)), settings)
    for k in np.flatnonzero(found.solved):
        np.testing.assert_allclose(found.W[k], cold.coef[k], rtol=0, atol=1e-9)
    for k in range(7):  # which has no check of bounds behind it
        one = small_support.solve(OneTarget(problem, k), 0.1, start[:, k], settings)
        assert one is None or np.abs(one.coef - cold.coef[k]).max() <= 1e-9


def test_parts_of_many_targets_are_solved_as_all_at_once(monkeypatch):
    bound = bound_problem()
    args = bound.design.gram(), bound.correlations.T, bound.penalty.at(0.1), np.zeros((7, 12))
    whole = side_by_side.solve_side_by_side(*args, bound.target.squares, 15)
    monkeypatch.setattr(side_by_side, "TOGETHER", 3 * 12**2)
    parts = side_by_side.solve_side_by_side(*args, bound.target.squares, 15)
    assert whole.solved.all()
    assert parts.solved.all()
    np.testing.assert_allclose(parts.W, whole.W, atol=1e-12)


@pytest.mark.parametrize("near", [0.0, 1e-9])
def test_of_features_that_depend_on_each_other_one_leaves(near):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 4))
    X[:, 3] = X[:, 2] * (1 + near)
    Y = np.column_stack([X[:, 0], X[:, 2]]) + 0.01 * rng.standard_normal((60, 2))
    bound = Problem(Penalty.build(4, 1.0)).bind(X, Y)
    args = bound.design.gram(), bound.correlations.T, bound.penalty.at(0.5), np.zeros((2, 4))
    found = side_by_side.solve_side_by_side(*args, bound.target.squares, 15)
    assert np.count_nonzero(found.W[found.solved], axis=1).tolist() == [1] * found.solved.sum()
    assert found.solved[0]
    (solution,) = auto._solve_on_gram(bound, np.array([0.5]), np.zeros((4, 2)), Settings())
    assert solution.gap.max() <= 1e-12


def test_bounds_other_than_zero_are_left_to_another_method():
    positive = Penalty.build(3, 1.0, lower=0.0)
    assert side_by_side.serves(positive, 0.1)
    assert not side_by_side.serves(Penalty.build(3, 1.0, upper=0.5), 0.1)
    # without a threshold a coefficient at its bound has no sign
    assert not side_by_side.serves(positive, 0.0)
    assert not side_by_side.serves(Penalty.build(3, 0.0, lower=0.0), 0.1)
    assert not side_by_side.serves(Penalty.build(3, 1.0, [0.0, 1.0, 1.0], lower=0.0), 0.1)
    assert side_by_side.serves(Penalty.build(3, 1.0, [0.0, 1.0, 1.0]), 0.1)
