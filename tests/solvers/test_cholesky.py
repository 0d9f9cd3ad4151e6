"""An updated Cholesky factor against a solve from scratch."""

from dataclasses import replace

import numpy as np
import pytest
from exact import Problem

from skreg import ElasticNet, regularization_path
from skreg.objective.penalties import Penalty
from skreg.solvers.quadratic.active_set import ActiveSet
from skreg.solvers.quadratic.cholesky import Factor, FactorRows
from skreg.solvers.tolerances import TUNING


def gram(n, p, seed=0):
    X = np.random.default_rng(seed).standard_normal((n, p))
    return X.T @ X / n


@pytest.mark.parametrize("leaving", [0, 1, 5, 40])
def test_supports_that_change(leaving):
    rng = np.random.default_rng(leaving)
    G, factor, active = gram(400, 200), Factor.empty(FactorRows()), np.arange(10)
    for _ in range(60):
        out = np.setdiff1d(np.arange(200), active)
        stay = rng.permutation(active)[min(leaving, len(active) // 2) :]
        active = np.concatenate([stay, rng.choice(out, min(7, len(out)), replace=False)])
        b = rng.standard_normal(len(active))
        factor = factor.on(G, active, None)
        x = factor.solve(b)
        np.testing.assert_allclose(G[np.ix_(active, active)] @ x, b, rtol=0, atol=1e-11)


def test_what_left_may_come_back():
    G, factor = gram(50, 12), Factor.empty(FactorRows())
    for active in ([0, 1, 2, 3], [0, 3], [3, 0, 2], [2], [5, 2, 1]):
        b = np.arange(1.0, len(active) + 1)
        factor = factor.on(G, np.array(active), None)
        x = factor.solve(b)
        np.testing.assert_allclose(G[np.ix_(active, active)] @ x, b, rtol=0, atol=1e-12)


def test_dependent_features_are_told_and_the_factor_stays():
    G = gram(50, 6)
    G = G[np.ix_([0, 1, 2, 1], [0, 1, 2, 1])]
    factor = Factor.empty(FactorRows()).on(G, np.array([0, 1]), None)
    assert factor.on(G, np.array([0, 1, 3]), None) is None
    for active in (np.array([0, 1]), np.array([0, 3])):
        x = factor.on(G, active, None).solve(np.ones(2))
        np.testing.assert_allclose(G[np.ix_(active, active)] @ x, 1.0, rtol=0, atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_earlier_factors_solve_their_systems_again(seed):
    """A tree of updates from checkpoints taken in any order, in storage that they all share."""
    rng = np.random.default_rng(seed)
    G, known = gram(400, 120), [Factor.empty(FactorRows())]
    for _ in range(60):
        factor = known[rng.integers(len(known))]
        active = factor.active[rng.random(len(factor.active)) < 0.9]
        out = np.setdiff1d(np.arange(120), active)
        active = np.concatenate([active, rng.choice(out, min(9, len(out)), replace=False)])
        b = rng.standard_normal(len(active))
        factor = factor.on(G, active, None)
        known.append(factor)
        np.testing.assert_allclose(G[np.ix_(active, active)] @ factor.solve(b), b, atol=1e-11)


@pytest.mark.parametrize("copies", [False, True])
def test_the_active_set_is_the_same_with_a_kept_factor(copies):
    rng = np.random.default_rng(0)
    G = gram(60, 40)
    if copies:
        G = np.tile(G, (2, 2))
    p = len(G)
    c = np.resize(rng.standard_normal(40), p)
    yy = 2.0 * float(c[:40] @ np.linalg.solve(G[:40, :40], c[:40]))
    paths = []
    for many in (1, 10**6):
        solver = ActiveSet(Penalty.build(p, 1.0), 40, yy, tuning=replace(TUNING, kept_factor=many))
        solver.extend(G, c, np.arange(p))
        found = []
        for alpha in np.abs(c).max() * np.geomspace(1, 1e-3, 40):
            solver.solve(alpha, 1000)
            found.append(G @ solver.state.w)
        paths.append(found)
    np.testing.assert_allclose(paths[0], paths[1], rtol=0, atol=1e-10)


@pytest.mark.parametrize("ratio", [1.0, 0.99, 0.7, 0.1])
def test_corrections_by_a_factor_of_another_alpha(ratio):
    """Conjugate gradients, with what is kept of the last alpha and features that come and go."""
    rng = np.random.default_rng(1)
    G, factor = gram(60, 100), Factor.empty(FactorRows())
    l2 = rng.random(100) + 0.5
    c, w, q = rng.standard_normal(100), np.zeros(100), None
    alpha, active = 1.0, np.arange(40)
    for m in (60, 60, 80, 100, 100):
        w = np.append(w[:m], np.zeros(max(0, m - len(w))))
        out = np.setdiff1d(np.arange(m), active)
        active = np.concatenate([rng.permutation(active)[3:], rng.choice(out, 5, replace=False)])
        w[np.setdiff1d(np.arange(m), active)] = 0.0
        wanted = 0.1 * np.sign(rng.standard_normal(len(active)))
        q, ridge = c[:m] - G[:m, :m] @ w, alpha * l2[active]
        for exact in (1e-3, 1e-12):
            factor = factor.at(alpha).on(G[:m, :m], active, l2[:m])
            w, q = factor.correct(G[:m, :m], alpha, l2[:m], wanted, w, q, exact)
            np.testing.assert_allclose(q, c[:m] - G[:m, :m] @ w, rtol=0, atol=1e-12)
            error = q[active] - ridge * w[active] - wanted
            assert np.abs(error).max() <= 10 * exact * 0.1
        assert np.count_nonzero(w) == len(active)
        alpha *= ratio


@pytest.mark.parametrize("l1_ratio", [0.5, 0.99, 1 - 1e-9])
@pytest.mark.parametrize("boxed", [False, True])
def test_elastic_nets_are_the_same_with_a_kept_factor(l1_ratio, boxed):
    rng = np.random.default_rng(0)
    G, c = gram(60, 120), rng.standard_normal(60) @ rng.standard_normal((60, 120)) / 60
    bounds = {"lower": -0.1, "upper": 0.15} if boxed else {}
    factors = np.resize([0.0, 1.0, 2.0, 0.5], 120) if l1_ratio == 0.5 else None
    penalty, paths = Penalty.build(120, l1_ratio, factors, **bounds), []
    G[np.diag_indices(120)] += 0.1
    for many in (1, 10**6):
        solver, found = ActiveSet(penalty, 120, 10.0, tuning=replace(TUNING, kept_factor=many)), []
        solver.extend(G[:80, :80], c[:80], np.arange(80))
        for i, alpha in enumerate(np.abs(c).max() * np.geomspace(1, 1e-2, 40)):
            if i == 20:
                solver.extend(G, c, np.arange(120))
            solver.solve(alpha, 1000)
            state = solver.state
            found.append(np.append(state.w, np.zeros(120 - len(state.w))))
            q = state.model.c - state.model.gram @ state.w
            np.testing.assert_allclose(state.q, q, rtol=0, atol=1e-12)
        paths.append(found)
    np.testing.assert_allclose(paths[0], paths[1], rtol=0, atol=1e-9)


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
@pytest.mark.parametrize("shape", [(400, 330), (300, 900)], ids=["Gram matrix", "batches"])
def test_steps_that_grow_lose_no_digits(shape, l1_ratio):
    """On a grid whose steps grow, errors of correlations on the secant would grow with them."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=shape)
    y = X @ rng.normal(size=shape[1]) + rng.normal(size=len(X))
    top = regularization_path(ElasticNet(l1_ratio=l1_ratio), X, y, alphas=1).alphas[0]
    alphas = 0.02 * top * (1.0 - np.geomspace(1e-12, 0.9, 30))
    path = regularization_path(ElasticNet(l1_ratio=l1_ratio), X, y, alphas=alphas)
    assert np.count_nonzero(path.coefs[:, -1]) >= TUNING.kept_factor
    for i in (5, 15, 25, 29):
        problem = Problem.of(X, y, path.alphas[i], l1_ratio=l1_ratio)
        assert problem.violation(path.coefs[:, i]).max() <= 1e-12
        assert problem.gap(path.coefs[:, i]) <= 1e-13


def test_a_thousand_alphas_lose_no_digits():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 330))
    y = X @ rng.normal(size=330) + rng.normal(size=400)
    path = regularization_path(ElasticNet(l1_ratio=0.5), X, y, alphas=np.geomspace(0.1, 1e-4, 1000))
    problem = Problem.of(X, y, path.alphas[-1], l1_ratio=0.5)
    assert problem.violation(path.coefs[:, -1]).max() <= 1e-13


def test_what_one_step_leaves_is_refined():
    """So badly conditioned that no single answer of the factor is good enough."""
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.standard_normal((40, 40)))[0]
    G = (basis * np.geomspace(1, 1e-7, 40)) @ basis.T
    G, c, w = (G + G.T) / 2, rng.standard_normal(40), np.zeros(40)
    active = np.arange(30)
    wanted = 1e-3 * np.sign(rng.standard_normal(30))
    factor = Factor.empty(FactorRows()).on(G, active, None)
    found = factor.correct(G, 1.0, None, wanted, w, c, 1e-9)
    assert found is not None
    w, q = found
    np.testing.assert_allclose(q, c - G @ w, rtol=0, atol=1e-9)
    assert np.abs(q[active] - wanted).max() <= 1e-9 * 1e-3
