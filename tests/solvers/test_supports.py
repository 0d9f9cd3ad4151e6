"""Least squares on many supports at once, each beside its own solution."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skreg.solvers.quadratic.supports import OnSupports, least_squares_on


def problem(rng, n, p, correlation):
    Z = rng.normal(size=(n, p)) + correlation * rng.normal(size=(n, 1))
    Z *= 10.0 ** rng.uniform(-3, 3, p)
    y = rng.normal(size=n)
    return Z, y, Z.T @ Z / n, Z.T @ y / n


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 9), st.sampled_from([0, 1, 5]))
def test_each_support_has_its_own_least_squares(seed, n_sets, p, correlation):
    rng = np.random.default_rng(seed)
    Z, y, G, c = problem(rng, 40, p, correlation)
    supports = rng.random((n_sets, p)) < rng.random()
    if rng.random() < 0.5:  # a path where features join, and some leave
        supports = np.cumsum(supports & (rng.random((n_sets, p)) < 0.5), axis=0) % 3 > 0
    W, gaps = least_squares_on(G, c, supports, float(y @ y) / 40)
    for w, chosen in zip(W, supports, strict=True):
        wanted = np.linalg.lstsq(Z[:, chosen], y, rcond=None)[0]
        fitted, best = Z @ w, Z[:, chosen] @ wanted
        assert not w[~chosen].any()
        np.testing.assert_allclose(fitted, best, atol=1e-10)
    C = rng.normal(size=W.shape)
    for w, c_i, chosen in zip(OnSupports(G, supports).solve(C), C, supports, strict=True):
        size = np.sqrt(G.diagonal()[chosen])
        left = (G[np.ix_(chosen, chosen)] @ w[chosen] - c_i[chosen]) / size
        assert np.abs(left).max(initial=0) <= 1e-9 * np.abs(c_i[chosen] / size).max(initial=0)
        assert not w[~chosen].any()
    assert np.all(gaps <= 1e-20)
    assert np.all(gaps >= 0)


def test_one_factor_serves_supports_that_grow():
    rng = np.random.default_rng(0)
    Z, y, G, c = problem(rng, 60, 30, 1.0)
    order = rng.permutation(30)
    supports = np.zeros((30, 30), dtype=bool)
    for i in range(30):
        supports[i:, order[i]] = True
    W, _ = least_squares_on(G, c, supports, 1.0)
    for w, chosen in zip(W, supports, strict=True):
        wanted = np.linalg.lstsq(Z[:, chosen], y, rcond=None)[0]
        np.testing.assert_allclose(w[chosen], wanted, rtol=1e-8)


@pytest.mark.parametrize("n", [4, 40])
def test_dependent_features_are_told(n):
    rng = np.random.default_rng(1)
    Z, y, _, _ = problem(rng, n, 5, 0.0)
    Z = np.hstack([Z, Z[:, :1] + 1e-9 * np.abs(Z[:, :1]).max() * rng.normal(size=(n, 1))])
    G, c = Z.T @ Z / n, Z.T @ y / n
    supports = np.zeros((4, 6), dtype=bool)
    supports[0, :2] = supports[1, [0, 5]] = supports[2, 1:3] = supports[3] = True
    W, gaps = least_squares_on(G, c, supports, 1.0)
    told = np.isnan(W).any(axis=1)
    np.testing.assert_array_equal(told, [False, True, False, True])
    np.testing.assert_array_equal(np.isnan(gaps), told)


def test_empty_and_constant_features():
    G, c = np.diag([1.0, 0.0]), np.array([0.5, 0.0])
    supports = np.array([[False, False], [True, False], [False, True]])
    W, _ = least_squares_on(G, c, supports, 1.0)
    np.testing.assert_array_equal(W[:2], [[0, 0], [0.5, 0]])
    assert np.isnan(W[2]).any()
