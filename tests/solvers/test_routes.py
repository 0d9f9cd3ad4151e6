"""Which route a path takes: it may begin on the Gram matrix, or change to it, or never need it."""

import numpy as np
import pytest

import skreg
from skreg.solvers.quadratic import auto

N_ALPHAS = 60


@pytest.fixture
def on_gram(monkeypatch):
    """How many alphas each path leaves to the Gram matrix."""
    seen, solve = [], auto._solve_one
    monkeypatch.setattr(
        auto,
        "_solve_one",
        lambda one, alphas, *args: seen.append(len(alphas)) or solve(one, alphas, *args),
    )
    return seen


def rows(n, p, noise, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    return X, X[:, :5].sum(axis=1) + noise * rng.standard_normal(n)


def test_few_features_and_a_deep_grid_begin_on_the_gram_matrix(on_gram):
    skreg.lasso_path(*rows(150, 200, 1.0), alphas=N_ALPHAS)
    assert on_gram == [N_ALPHAS]


def test_a_small_active_set_stays_in_batches(on_gram):
    skreg.lasso_path(*rows(400, 900, 0.0), alphas=N_ALPHAS)
    assert on_gram == []


def test_a_growing_active_set_changes_to_the_gram_matrix(on_gram):
    X, y = rows(400, 900, 1.0)
    _, coefs, gaps = skreg.lasso_path(X, y, alphas=N_ALPHAS)
    assert len(on_gram) == 1
    assert 0 < on_gram[0] < N_ALPHAS
    assert gaps.max() <= 1e-10
    Z = X - X.mean(axis=0)
    q = np.abs(Z.T @ ((y - y.mean())[:, None] - Z @ coefs))
    # At each alpha no correlation is beyond that of the active features
    active = coefs != 0
    largest = np.where(active, q, 0).max(axis=0)
    np.testing.assert_allclose(q.max(axis=0)[1:], largest[1:], rtol=1e-8)


def test_very_wide_data_never_need_it(on_gram):
    skreg.lasso_path(*rows(60, 2000, 1.0), alphas=N_ALPHAS)
    skreg.enet_path(*rows(60, 300, 1.0), l1_ratio=0.5, alphas=N_ALPHAS)
    assert on_gram == []
