"""Columns that depend on each other: exact, certified, and nothing large by eigenvectors."""

import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from scipy import linalg, sparse

import skreg
from skreg.solvers import newton, optimality, proximal

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # benchmarks/ is not installed

from benchmarks import dependent, problems
from benchmarks.gaps import relative_gaps

LARGE = 250


@pytest.fixture(autouse=True)
def nothing_large_by_eigenvectors(monkeypatch):
    def small_only(function, matrix, *args, **kwargs):
        assert len(matrix) <= LARGE
        return function(matrix, *args, **kwargs)

    monkeypatch.setattr(newton, "eigh", partial(small_only, linalg.eigh))
    monkeypatch.setattr(np.linalg, "eigh", partial(small_only, np.linalg.eigh))


def table(name, kind="dense", n=None):
    draw, rows = dependent.DESIGNS[name]
    rng = np.random.default_rng(1)
    X = draw(n or rows // 3, rng)
    effects = np.where(rng.random(X.shape[1]) < 0.1, rng.standard_normal(X.shape[1]), 0.0)
    y = problems.noisy(X, effects, rng, snr=1.0)
    top = np.abs(X.T @ (y - y.mean())).max() / len(y)
    return (X if kind == "sparse" else X.toarray()), y, top


@pytest.mark.parametrize("kind", ["dense", "sparse"])
@pytest.mark.parametrize("share", [0.2, 0.03, 1e-3])
@pytest.mark.parametrize("name", dependent.DESIGNS)
def test_a_fit_is_exact(name, share, kind):
    X, y, top = table(name, kind)
    model = skreg.Lasso(alpha=share * top).fit(X, y)
    gap = relative_gaps(X, y, model.coef_[:, None], [model.intercept_], [model.alpha])
    assert gap[0] <= 1e-10


@pytest.mark.parametrize("kind", ["dense", "sparse"])
@pytest.mark.parametrize("name", dependent.DESIGNS)
def test_a_path_is_exact(name, kind):
    X, y, top = table(name, kind)
    alphas = top * np.geomspace(1.0, 0.01, 12)
    path = skreg.regularization_path(skreg.Lasso(), X, y, alphas=alphas)
    assert np.all(path.converged)
    gaps = relative_gaps(X, y, path.coefs, path.intercepts, path.alphas)
    assert gaps.max() <= 1e-10


@pytest.mark.parametrize("solver", ["auto", "cd"])
def test_every_way_predicts_the_same(solver):
    X, y, top = table("ids", n=150)
    found = [
        skreg.Lasso(alpha=0.01 * top, solver=solver).fit(Z, y).predict(Z)
        for Z in (X, sparse.csr_matrix(X))
    ]
    reference = skreg.Lasso(alpha=0.01 * top, tol=1e-10).fit(X, y).predict(X)
    for predictions in found:
        np.testing.assert_allclose(predictions, reference, atol=1e-5 * np.std(y))


def test_bounds_weights_and_factors_are_kept():
    X, y, top = table("ids", n=150)
    rng = np.random.default_rng(0)
    more = {"weights": rng.uniform(0.5, 2, len(y)), "factors": rng.uniform(0.5, 2, X.shape[1])}
    model = skreg.Lasso(
        alpha=0.02 * top, penalty_factor=more["factors"], lower_bound=-0.3, upper_bound=0.4
    ).fit(X, y, more["weights"])
    assert model.coef_.min() >= -0.3
    assert model.coef_.max() <= 0.4
    gap = relative_gaps(
        X, y, model.coef_[:, None], [model.intercept_], [model.alpha],
        lower=-0.3, upper=0.4, **more,
    )  # fmt: skip
    assert gap[0] <= 1e-10


def test_the_path_comes_back_from_a_state_of_another_centre():
    X, y, top = table("ids", n=150)
    gram = (X - X.mean(axis=0)).T @ (X - X.mean(axis=0)) / len(y)
    c = (X - X.mean(axis=0)).T @ (y - y.mean()) / len(y)
    penalty = skreg.penalties.Penalty.build(X.shape[1], 1.0)
    solver = proximal.ProximalActiveSet(penalty, len(y) - 1, float(np.var(y)))
    solver.extend(gram, c, np.arange(X.shape[1]))
    for share in (0.5, 0.375, 0.28, 0.21, 0.16):
        solver.solve(share * top, 100, final=False)
    assert solver.centre is not None
    state = solver.state
    solver.solve(0.12 * top, 100, final=True)
    solver.solve(0.09 * top, 100, final=False)
    solver.state = state
    solver.solve(0.13 * top, 100)
    q = c - gram @ solver.w
    assert np.abs(q).max() <= 0.13 * top * (1 + 1e-9)
    used = solver.w != 0
    np.testing.assert_allclose(q[used], 0.13 * top * np.sign(solver.w[used]), rtol=1e-9)


def test_a_large_singular_system_is_solved_by_a_factor():
    rng = np.random.default_rng(0)
    Z = rng.standard_normal((100, 150))
    Z = np.hstack([Z, Z])
    gram = Z.T @ Z
    rhs = gram @ rng.standard_normal(300)
    found = optimality.pseudo_solve(gram, rhs)
    np.testing.assert_allclose(gram @ found, rhs, atol=1e-9 * np.abs(rhs).max())
