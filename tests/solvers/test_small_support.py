"""One alpha on a small working set, against the method for paths."""

import numpy as np
import pytest

from skreg.objective.penalties import Penalty
from skreg.paths.problem import Problem
from skreg.solvers.base import OneTarget, Settings
from skreg.solvers.quadratic import batched_path, small_support

FACTORS = np.concatenate([[0.0, np.inf], np.linspace(0.5, 2.0, 148)])


def bound_problem(l1_ratio=1.0, p=150, **shape):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((100, p)) + rng.standard_normal((100, 1))
    y = X[:, :9] @ rng.standard_normal(9) + rng.standard_normal(100)
    if "upper" in shape:  # correlations are positive
        y = -y
    return Problem(Penalty.build(p, l1_ratio, **shape)).bind(X, y)


@pytest.mark.parametrize(
    "shape",
    [{}, {"l1_ratio": 0.7}, {"lower": 0.0}, {"upper": 0.0, "l1_ratio": 0.5}, {"factors": FACTORS}],
)
@pytest.mark.parametrize("share", [2.0, 0.7, 0.3, 0.25])
def test_the_solution_is_that_of_the_path(shape, share):
    bound = bound_problem(**shape)
    alpha = share * bound.penalty.alpha_max(bound.correlations)
    start, settings = np.zeros((150, 1)), Settings()
    found = small_support.solve(OneTarget(bound), alpha, start[:, 0], settings)
    (expected,) = batched_path.solve(bound, np.array([alpha]), start, settings)
    assert found is not None
    assert found.gap <= 1e-12
    np.testing.assert_allclose(found.coef, expected.coef, rtol=0, atol=1e-9)
    assert (found.df, found.rss) == pytest.approx((expected.df, expected.rss))
    again = small_support.solve(OneTarget(bound), alpha, found.coef, settings)
    assert again is not None
    assert again.n_iter == (found.df == 0)


def test_a_large_support_is_left_to_another_method():
    bound = bound_problem()
    alpha = 1e-3 * bound.penalty.alpha_max(bound.correlations)
    assert small_support.solve(OneTarget(bound), alpha, np.zeros(150), Settings()) is None


def test_with_bounds_a_weak_penalty_may_leave_few_features():
    """All correlations are large, and what the first features leave of them is not."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((100, 150)) + 3.0 * rng.standard_normal((100, 1))
    y = X[:, :3].sum(axis=1) - X[:, 3:30].sum(axis=1) / 20.0 + rng.standard_normal(100)
    bound = Problem(Penalty.build(150, 1.0, lower=0.0)).bind(X, y)
    alpha = 1e-3 * bound.penalty.alpha_max(bound.correlations)
    found = small_support.solve(OneTarget(bound), alpha, np.zeros(150), Settings())
    (expected,) = batched_path.solve(bound, np.array([alpha]), np.zeros((150, 1)), Settings())
    assert found is not None
    assert found.gap <= 1e-12
    np.testing.assert_allclose(found.coef, expected.coef, rtol=0, atol=1e-9)
