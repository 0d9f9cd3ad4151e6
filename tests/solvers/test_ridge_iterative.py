"""Ridge without a matrix: what is solved by products with X alone."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from ridge_problems import ALPHAS, SHAPES, dense, everything, problem, reference

from skreg.data.build import design_of
from skreg.objective.penalties import Penalty
from skreg.solvers.base import Bound, OneTarget, Target
from skreg.solvers.ridge import closed_form as ridge_module
from skreg.solvers.ridge import iterative, ridge_factor
from skreg.solvers.ridge.closed_form import RidgeFactor, default_alphas, solve_ridge


@pytest.mark.parametrize("shape", SHAPES)
def test_large_sparse_problems_are_solved_without_a_decomposition(shape, monkeypatch):
    monkeypatch.setattr(ridge_factor, "LARGEST_SPARSE", 2)
    monkeypatch.setattr(ridge_module, "LARGEST_SPARSE", 2)
    monkeypatch.setattr(ridge_factor, "decompose", None)
    design, penalty, Y = everything(*shape, "sparse weights factors free excluded")
    W = RidgeFactor(design, penalty).solve(design.center(Y)[0], ALPHAS)
    for i, alpha in enumerate(ALPHAS):
        expected = reference(design, Y, penalty, alpha)
        assert_allclose(W[:, :, i], expected, rtol=1e-8, atol=1e-9)
        assert_allclose(
            solve_ridge(design, Y, penalty, np.full(2, alpha)).coef, expected, atol=1e-9
        )
    plain = Penalty.build(shape[1], 0.0)
    factor = RidgeFactor(design, plain)
    assert np.isnan(factor.degrees_of_freedom(ALPHAS)).all()
    largest = np.linalg.norm(np.sqrt(design.omega)[:, None] * dense(design), 2) ** 2
    assert_allclose(default_alphas(factor, 9)[[0, -1]], [1e3 * largest, 1e-6 * largest], rtol=0.01)
    root = np.sqrt(design.omega)[:, None]
    expected = np.linalg.pinv(root * dense(design)) @ (root * design.center(Y)[0])
    assert_allclose(solve_ridge(design, Y, plain, np.zeros(2)).coef, expected, atol=1e-8)


def test_shifted_conjugate_gradients_reach_every_alpha():
    rng = np.random.default_rng(7)
    A = rng.normal(size=(50, 30)) * np.logspace(0, -2, 30)
    G, c = A.T @ A, A.T @ rng.normal(size=50)
    alphas = np.array([1e6, 1.0, 1e-3, 1e-3])
    found = iterative.shifted_cg(lambda x: G @ x, c, alphas)
    for x, alpha in zip(found.T, alphas, strict=True):
        assert_allclose(x, np.linalg.solve(G + alpha * np.eye(30), c), rtol=1e-8)
    assert not iterative.shifted_cg(lambda x: G @ x, 0 * c, alphas).any()


def one_target(design, y, penalty):
    return OneTarget(Bound(design, Target.build(design, y), penalty))


@pytest.mark.parametrize("method", [iterative.lsqr, iterative.sparse_cg, iterative.lbfgs])
@pytest.mark.parametrize("kind", ["weights free excluded factors", "sparse standardize", "raw"])
def test_iterative_methods(method, kind):
    for shape in SHAPES:
        design, penalty, Y = everything(*shape, kind)
        one = one_target(design, Y[:, 0], penalty)
        w, n_iter = method(one, 0.1, 1e-12, None)
        expected = reference(design, Y, penalty, 0.1)[:, 0]
        assert_allclose(w, expected, rtol=1e-5, atol=2e-6)
        assert 0 < n_iter < 500
        assert method(one, 0.1, 1e-12, 2)[1] <= 2
        nothing = one_target(design, 0 * Y[:, 0], penalty)
        assert not method(nothing, 0.1, 1e-12, None)[0].any()


def test_lbfgs_keeps_to_the_bounds():
    X, Y = problem(40, 6)
    design = design_of(X)
    penalty = Penalty.build(6, 0.0, lower=np.array([0, 0, -0.1, 0, -np.inf, 0]), upper=0.7)
    one = one_target(design, Y[:, 0], penalty)
    w, _ = iterative.lbfgs(one, 0.05, 1e-10, None)
    assert np.all((w >= penalty.lower) & (w <= penalty.upper))
    slope = 0.05 * w - design.correlate(one.y - design.predict(w))
    assert_allclose(np.clip(w - slope, penalty.lower, penalty.upper), w, atol=1e-6)
