"""Which route a path takes: it may begin on the Gram matrix, or change to it, or never need it."""

import numpy as np
import pytest

import skreg
from skreg.objective.penalties import Penalty
from skreg.selection import fold_moments
from skreg.solvers.quadratic import auto
from skreg.solvers.quadratic.routes import folds_on_gram

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


@pytest.mark.parametrize(("noise", "expected"), [(0.0, []), (1.0, [N_ALPHAS])])
def test_tall_data_begin_on_the_gram_matrix_unless_few_features_explain_them(
    on_gram, noise, expected
):
    skreg.lasso_path(*rows(900, 800, noise), alphas=N_ALPHAS)
    assert on_gram == expected


@pytest.mark.parametrize(("rank", "expected"), [(850, []), (20, [N_ALPHAS])])
def test_a_short_grid_begins_in_batches_unless_features_depend_on_each_other(
    on_gram, rank, expected
):
    X, y = rows(900, 850, 1.0)
    if rank < 850:
        X = X[:, :rank] @ np.random.default_rng(1).standard_normal((rank, 850))
    skreg.lasso_path(X, y, alphas=N_ALPHAS, eps=0.04)
    assert on_gram == expected


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


@pytest.mark.parametrize(
    ("shape", "l1_ratio", "smallest", "expected"),
    [
        ((700, 600), 1.0, 0.9, True),
        ((599, 600), 1.0, 1e-3, False),
        ((2000, 1200), 1.0, 1e-3, True),
        ((2000, 1200), 1.0, 0.05, False),
        ((2000, 1600), 1.0, 1e-3, True),
        ((2000, 1600), 1.0, 1e-2, False),
        ((6000, 5000), 1.0, 1e-4, False),
        ((2000, 1200), 0.5, 0.05, True),
        ((2000, 1600), 0.5, 1e-3, False),
        ((6000, 5000), 0.0, 1e-3, True),
    ],
)
def test_folds_have_gram_matrices_where_these_pay(shape, l1_ratio, smallest, expected):
    penalty = Penalty.build(shape[1], l1_ratio)
    found = folds_on_gram(shape, penalty, 5, lambda: np.geomspace(1.0, smallest, 100))
    assert found == expected


def test_alphas_that_are_given_tell_how_deep_a_grid_is(monkeypatch):
    X, y = rows(80, 40, 1.0)
    depths = []
    monkeypatch.setattr(
        fold_moments, "folds_on_gram", lambda *args: depths.append(args[3]()) or len(depths) > 1
    )
    by_rows = skreg.LassoCV(eps=0.02, alphas=20, cv=3).fit(X, y)
    on_gram = skreg.LassoCV(alphas=by_rows.alphas_, cv=3).fit(X, y)
    np.testing.assert_allclose(depths[1], depths[0], rtol=1e-9)
    np.testing.assert_allclose(on_gram.mse_path_, by_rows.mse_path_, rtol=1e-9)
