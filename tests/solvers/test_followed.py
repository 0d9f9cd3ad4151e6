"""The homotopy on a working set that grows between batches of alphas."""

from dataclasses import replace

import numpy as np
import pytest

from skreg.objective.penalties import Penalty
from skreg.paths.problem import Problem
from skreg.solvers.base import Settings
from skreg.solvers.quadratic import batched_path, homotopy
from skreg.solvers.quadratic.followed import FollowedPath
from skreg.solvers.quadratic.homotopy import Homotopy
from skreg.solvers.tolerances import TUNING

BOUNDS = [(None, None), (0.0, None), (-0.2, 0.1)]


def rows(n, p, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) + rng.standard_normal((n, 1))
    return X, X[:, :6] @ [3.0, -2.0, 1.0, -1.0, 0.5, 2.0] + rng.standard_normal(n)


@pytest.mark.parametrize("bounds", BOUNDS)
def test_features_that_join_later_leave_the_path_as_it_is(bounds):
    X, y = rows(60, 40)
    X, y = X - X.mean(axis=0), y - y.mean()
    penalty = Penalty.build(40, 1.0, None, *bounds)
    gram, c = X.T @ X / 60, X.T @ y / 60
    order = np.argsort(-np.where(penalty.lower < 0, np.abs(c), c))
    gram, c = gram[np.ix_(order, order)], c[order]
    whole = Homotopy(gram, c, penalty.lower, penalty.upper, order[:0])
    lams = np.geomspace(whole.lam, 1e-3 * whole.lam, 30)
    expected, n_done, _ = whole.path(lams)
    assert n_done == 30
    entered = (expected != 0).argmax(axis=1)
    found = Homotopy(gram[:3, :3], c[:3], penalty.lower[:3], penalty.upper[:3], order[:0])
    sizes = [max(3, 1 + int(np.flatnonzero(entered <= i).max(initial=0))) for i in range(30)]
    known = 3
    for i, size in enumerate(sizes):
        known = max(known, size)
        own = penalty.lower[:known], penalty.upper[:known]
        found = found.extended(gram[:known, :known], c[:known], *own)
        w, n_done, _ = found.path(lams[i : i + 1])
        assert n_done == 1
        np.testing.assert_allclose(w[:, 0], expected[:known, i], atol=1e-12)


@pytest.mark.parametrize("bounds", BOUNDS)
def test_one_triangle_gives_the_path_of_the_whole_matrix(monkeypatch, bounds):
    """Also where features leave, and where others depend on them."""
    X, y = rows(30, 40, seed=4)
    X[:, 20:] = X[:, :20] + 0.3 * X[:, 20:]
    X, y = X - X.mean(axis=0), y - y.mean()
    penalty, none = Penalty.build(40, 1.0, None, *bounds), np.empty(0, dtype=np.intp)
    gram, c = X.T @ X / 30, X.T @ y / 30
    lams = np.geomspace(1.0, 1e-3, 40) * np.abs(c).max()
    paths = []
    for most in (400, 0):
        monkeypatch.setattr(homotopy, "HALVED_FROM", most)
        found = Homotopy(gram, c, penalty.lower, penalty.upper, none)
        W, n_done, n_knots = found.path(lams)
        assert found.halved == (not most)
        assert (n_done, n_knots > np.count_nonzero(W[:, -1])) == (40, True)
        paths.append(W)
    np.testing.assert_allclose(paths[1], paths[0], atol=1e-10)


@pytest.mark.parametrize("bounds", BOUNDS)
def test_a_followed_path_is_that_of_newtons_method(monkeypatch, bounds):
    """On wide data, with violations, whose batches are walked again."""
    X, y = rows(50, 400)
    served, accepted = [], []
    solve, accept = FollowedPath.coefficients, FollowedPath.accept
    monkeypatch.setattr(
        FollowedPath,
        "coefficients",
        lambda *args: served.append(found := solve(*args)) or found,
    )
    monkeypatch.setattr(FollowedPath, "accept", lambda self: accepted.append(1) or accept(self))
    bound = Problem(penalty=Penalty.build(400, 1.0, None, *bounds)).bind(X, y)
    top = bound.penalty.alpha_max(bound.correlations[:, 0])
    alphas = np.geomspace(1.2 * top, 0.02 * top, 60)
    # A margin below zero leaves out features that are needed.
    tuning = replace(TUNING, margin=-0.5, widest=-0.1)
    ways = [replace(tuning, followed=most) for most in (0, 400)]
    paths = []
    for how in ways:
        settings = Settings(tuning=how)
        paths.append(list(batched_path.solve(bound, alphas, np.zeros((400, 1)), settings)))
    followed = [W for W in served if W is not None]
    assert len(followed) > 5
    assert len(accepted) < len(served)
    for newton, knots in zip(*paths, strict=True):
        assert knots.gap <= 1e-12
        np.testing.assert_allclose(knots.coef, newton.coef, atol=1e-10)


def test_dependent_features_are_left_to_newtons_method():
    """With as many active features as rows, which no further one is independent of."""
    X, y = rows(12, 60)
    bound = Problem(penalty=Penalty.build(60, 1.0)).bind(X, y)
    top = bound.penalty.alpha_max(bound.correlations[:, 0])
    alphas = np.geomspace(top, 1e-6 * top, 80)
    path = list(batched_path.solve(bound, alphas, np.zeros((60, 1)), Settings()))
    assert max(solution.gap for solution in path) <= 1e-10
