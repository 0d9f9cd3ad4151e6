"""The KKT check of a batch by screening against the one by products with all of X."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from skreg.data.build import design_of
from skreg.objective.losses import Logistic
from skreg.objective.penalties import Penalty
from skreg.paths.fit_path import fit_path
from skreg.paths.grid import alpha_grid
from skreg.paths.problem import Problem
from skreg.solvers.base import Settings
from skreg.solvers.newton.batched_newton import BatchedNewton
from skreg.solvers.newton.screening import Features, look_outside
from skreg.solvers.quadratic.kkt_check import KKTCheck


@pytest.mark.parametrize("level", [0.8, 0.97, 1.0, 1.05])
@pytest.mark.parametrize("n_alphas", [1, 2, 7])
@pytest.mark.parametrize("factored", [False, True])
def test_screening_finds_what_products_find(factored, n_alphas, level):
    rng = np.random.default_rng([n_alphas, factored])
    X = sparse.random(60, 200, 0.1, format="csc", random_state=rng)
    factors = rng.choice([0.5, 1.0, 2.0, np.inf], 200) if factored else None
    penalty, design = Penalty.build(200, 1.0, factors), design_of(X)
    alphas = np.geomspace(1.0, 0.5, n_alphas)
    U = np.multiply.outer(alphas, rng.standard_normal(60))
    U += 0.03 * rng.standard_normal(U.shape) * (np.arange(n_alphas) % 3 > 0)[:, None]
    U -= U.mean(axis=1)[:, None]
    rates = np.where(penalty.movable, penalty.factors, np.inf)
    size = np.abs(design.correlate(U.T).T) / rates
    alphas *= size[0].max() / level
    index = np.sort(np.argsort(-size[0])[5:9])
    noise = np.full(200, 1e-15)
    features = Features(design, penalty, noise, index, design.subset(index))
    plain = look_outside(features, alphas, U)
    found = look_outside(replace(features, check=KKTCheck(design, penalty)), alphas, U)
    missing, expected = (np.zeros((n_alphas, 200), dtype=bool) for _ in range(2))
    for seen, mask in ((plain, expected), (found, missing)):
        if seen.missing is not None:
            mask[:, seen.left] = seen.missing
    np.testing.assert_array_equal(missing, expected)
    assert n_alphas > 1 or expected.any() == (level > 1.0)
    np.testing.assert_allclose(found.most, plain.most, atol=1e-14)
    np.testing.assert_allclose(found.q, plain.q, atol=1e-15)
    for i in range(n_alphas):
        np.testing.assert_allclose(found.at(i), plain.at(i), atol=1e-15)


def test_a_sparse_path_is_solved_in_batches_and_is_that_of_dense_data(monkeypatch):
    rng = np.random.default_rng(4)
    X = sparse.random(300, 900, 0.02, format="csc", random_state=rng)
    y = (rng.random(300) < 1 / (1 + np.exp(-(X[:, :30] @ rng.standard_normal(30))))).astype(float)
    problem = Problem(Penalty.build(900, 1.0), Logistic(), settings=Settings(tol=0.0))
    bound = problem.bind(X, y)
    alphas = alpha_grid(bound, 30)[0] * np.geomspace(1.0, 0.1, 30)
    expected = fit_path(problem.bind(X.toarray(), y), alphas)
    alone, solve = list[float](), BatchedNewton.solve

    def counted(self, alpha):
        alone.append(alpha)
        return solve(self, alpha)

    monkeypatch.setattr(BatchedNewton, "solve", counted)
    found = fit_path(bound, alphas)
    assert len(alone) <= 3, alone
    assert found.converged.all()
    assert found.n_nonzero[-1] > 20
    np.testing.assert_allclose(found.coefs, expected.coefs, atol=1e-6)
    np.testing.assert_allclose(found.dev_ratio, expected.dev_ratio, atol=1e-8)
