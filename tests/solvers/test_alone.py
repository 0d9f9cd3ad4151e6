"""One target at one alpha on a Gram matrix, against several side by side and plain descent."""

import numpy as np
import pytest
from reference import minimise

from skreg.objective.penalties import Penalty
from skreg.paths.problem import Problem
from skreg.solvers.base import Settings
from skreg.solvers.quadratic import alone, auto, side_by_side

FEW = np.array([0.0, np.inf, *np.linspace(0.5, 2.0, 10)])
SHAPES = [
    {},
    {"l1_ratio": 0.3},
    {"lower": 0.0},
    {"upper": 0.0, "l1_ratio": 0.5},
    {"factors": FEW},
    {"factors": FEW, "l1_ratio": 0.5},
    {"p": 45},
]


def bound_problem(p=12, n_targets=1, l1_ratio=1.0, **shape):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, p)) + rng.standard_normal((60, 1))
    Y = X @ rng.normal(0.2, 1.0, (p, n_targets)) + rng.standard_normal((60, n_targets))
    return Problem(Penalty.build(p, l1_ratio, **shape)).bind(X, Y)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("alpha", [1.0, 0.1, 0.001])
@pytest.mark.parametrize("size", [0.0, 1.0])
def test_the_rounds_are_those_of_several_targets(monkeypatch, shape, alpha, size):
    plain = (alone, "WEAK_PENALTY"), (alone, "GUESSED_ALONE_FROM"), (side_by_side, "GUESSED_FROM")
    for module, name in plain:
        monkeypatch.setattr(module, name, 1e300)
    bound = bound_problem(n_targets=7, **shape)
    gram, C, penalty = bound.design.gram(), bound.correlations, bound.penalty.at(alpha)
    start = size * np.random.default_rng(1).standard_normal(C.shape)
    squares = bound.target.squares
    together = side_by_side.solve_side_by_side(gram, C.T, penalty, start.T, squares, 15)
    for k, c in enumerate(C.T):
        found = alone.solve_alone(gram, c, penalty, start[:, k], squares[k], 15)
        assert (found is not None) == together.solved[k]
        if found is not None:
            assert found.n_rounds == together.n_rounds[k]
            np.testing.assert_allclose(found.w, together.W[k], rtol=0, atol=1e-12)
            np.testing.assert_allclose(found.q, c - gram @ found.w, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["WEAK_PENALTY", "GUESSED_ALONE_FROM"])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_good_signs_to_begin_with_save_rounds(monkeypatch, name, l1_ratio):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 120))
    y = X @ rng.standard_normal(120) + rng.standard_normal(400)
    bound = Problem(Penalty.build(120, l1_ratio)).bind(X, y)
    gram, c, penalty = bound.design.gram(), bound.correlations[:, 0], bound.penalty.at(0.1)
    known = gram, c, penalty, np.zeros(120), float(bound.target.squares[0]), 15
    found = []
    for sizes in ({"WEAK_PENALTY": 1e300, "GUESSED_ALONE_FROM": 1e300}, {name: 10.0}):
        for each, size in sizes.items():
            monkeypatch.setattr(alone, each, size)
        found.append(alone.solve_alone(*known))
    assert found[1].n_rounds < found[0].n_rounds
    np.testing.assert_allclose(found[1].w, found[0].w, rtol=0, atol=1e-10)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("alpha", [100.0, 1.0, 0.1, 0.01])
def test_the_solution_is_that_of_plain_descent(shape, alpha):
    bound = bound_problem(**shape)
    gram, c, penalty = bound.design.gram(), bound.correlations[:, 0], bound.penalty.at(alpha)
    start, alphas = np.zeros((len(c), 1)), np.array([alpha])
    (found,) = auto._solve_on_gram(bound, alphas, start, Settings())
    expected = minimise(gram, c, penalty)
    np.testing.assert_allclose(found.coef, expected, rtol=0, atol=1e-9)
    assert found.gap <= 1e-12
    assert found.df == np.count_nonzero(expected)
    r = bound.target.centred[:, 0] - bound.design.predict(found.coef)
    assert found.rss == pytest.approx(bound.design.norm2(r), rel=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_solution_is_no_iteration_away_from_itself(shape):
    bound = bound_problem(**shape)
    start, alphas = np.zeros((bound.design.n_features, 1)), np.array([0.1])
    (cold,) = auto._solve_alone(bound, alphas, start, Settings())
    assert cold.df
    nearby = cold.coef * (1.0 + 1e-13)
    (warm,) = auto._solve_alone(bound, alphas, nearby[:, None], Settings())
    (moved,) = auto._solve_alone(bound, alphas, 1.001 * nearby[:, None], Settings())
    assert cold.n_iter > 0 == warm.n_iter < moved.n_iter
    np.testing.assert_array_equal(warm.coef, nearby)
    np.testing.assert_allclose(moved.coef, cold.coef, rtol=0, atol=1e-12)


@pytest.mark.parametrize("near", [0.0, 1e-9])
def test_of_features_that_depend_on_each_other_one_leaves(near):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 4))
    X[:, 3] = X[:, 2] * (1 + near)
    y = X[:, 0] + X[:, 2] + 0.01 * rng.standard_normal(60)
    bound = Problem(Penalty.build(4, 1.0)).bind(X, y)
    gram, c, penalty = bound.design.gram(), bound.correlations[:, 0], bound.penalty.at(0.3)
    found = alone.solve_alone(gram, c, penalty, np.zeros(4), float(bound.target.squares[0]), 15)
    assert (found is None and near) or np.count_nonzero(found.w) == 2
    (solution,) = auto._solve_on_gram(bound, np.array([0.3]), np.zeros((4, 1)), Settings())
    assert solution.gap <= 1e-12


def test_rounds_that_do_not_end_are_left_to_another_method():
    bound = bound_problem(p=45)
    gram, c = bound.design.gram(), bound.correlations[:, 0]
    known = gram, c, bound.penalty.at(0.01), np.zeros(45), float(bound.target.squares[0])
    assert alone.solve_alone(*known, 15) is not None
    assert alone.solve_alone(*known, 1) is None
    settings = Settings(max_iter=3)
    (found,) = auto._solve_alone(bound, np.array([0.01]), np.zeros((45, 1)), settings)
    assert found.n_iter <= 3
