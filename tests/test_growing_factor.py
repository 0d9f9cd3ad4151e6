"""A kept factor against a solve from scratch."""

import numpy as np
import pytest

from skreg.penalties import Penalty
from skreg.solvers import active_set
from skreg.solvers.active_set import ActiveSet
from skreg.solvers.growing_factor import GrowingFactor


def gram(n, p, seed=0):
    X = np.random.default_rng(seed).standard_normal((n, p))
    return X.T @ X / n


@pytest.mark.parametrize("leaving", [0, 1, 5, 40])
def test_supports_that_change(leaving):
    rng = np.random.default_rng(leaving)
    G, factor, active = gram(400, 200), GrowingFactor(1e-11), np.arange(10)
    for _ in range(60):
        out = np.setdiff1d(np.arange(200), active)
        stay = rng.permutation(active)[min(leaving, len(active) // 2) :]
        active = np.concatenate([stay, rng.choice(out, min(7, len(out)), replace=False)])
        b = rng.standard_normal(len(active))
        x = factor.solve(G, active, b)
        np.testing.assert_allclose(G[np.ix_(active, active)] @ x, b, rtol=0, atol=1e-11)


def test_what_left_may_come_back():
    G, factor = gram(50, 12), GrowingFactor(1e-11)
    for active in ([0, 1, 2, 3], [0, 3], [3, 0, 2], [2], [5, 2, 1]):
        b = np.arange(1.0, len(active) + 1)
        x = factor.solve(G, np.array(active), b)
        np.testing.assert_allclose(G[np.ix_(active, active)] @ x, b, rtol=0, atol=1e-12)


def test_dependent_features_are_told_and_forgotten():
    G = gram(50, 6)
    G = G[np.ix_([0, 1, 2, 1], [0, 1, 2, 1])]
    factor = GrowingFactor(1e-11)
    assert factor.solve(G, np.array([0, 1]), np.ones(2)) is not None
    assert factor.solve(G, np.array([0, 1, 3]), np.ones(3)) is None
    x = factor.solve(G, np.array([0, 3]), np.ones(2))
    np.testing.assert_allclose(G[np.ix_([0, 3], [0, 3])] @ x, 1.0, rtol=0, atol=1e-12)


@pytest.mark.parametrize("copies", [False, True])
def test_the_active_set_is_the_same_with_a_kept_factor(monkeypatch, copies):
    rng = np.random.default_rng(0)
    G = gram(60, 40)
    if copies:
        G = np.tile(G, (2, 2))
    p = len(G)
    c = np.resize(rng.standard_normal(40), p)
    yy = 2.0 * float(c[:40] @ np.linalg.solve(G[:40, :40], c[:40]))
    paths = []
    for many in (1, 10**6):
        monkeypatch.setattr(active_set, "MANY", many)
        solver = ActiveSet(Penalty.build(p, 1.0), 40, yy)
        solver.extend(G, c, np.arange(p))
        found = []
        for alpha in np.abs(c).max() * np.geomspace(1, 1e-3, 40):
            solver.solve(alpha, 1000)
            found.append(G @ solver.w)
        paths.append(found)
    np.testing.assert_allclose(paths[0], paths[1], rtol=0, atol=1e-10)
