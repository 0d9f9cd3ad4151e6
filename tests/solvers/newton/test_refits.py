"""Smooth losses without a penalty on many supports, each beside a fit of its own."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer

from skreg.objective.losses import Gamma, Logistic, Poisson, Tweedie
from skreg.objective.penalties import Penalty
from skreg.paths.fit_path import fit_path
from skreg.paths.problem import Problem
from skreg.paths.relaxed import refits
from skreg.solvers.base import Settings
from skreg.solvers.newton.refits import in_batches, refits_on

LOSSES = [Logistic(), Poisson(), Gamma(), Tweedie(1.5)]


def bound_problem(rng, loss, n=80, p=8, **given):
    X = rng.normal(size=(n, p)) * 10.0 ** rng.uniform(-2, 2, p) + rng.normal(size=p)
    eta = (X - X.mean(axis=0)) / X.std(axis=0) @ rng.normal(size=p) * 0.4
    if isinstance(loss, Logistic):
        y = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float)
    elif isinstance(loss, Gamma):
        y = np.exp(eta) * rng.gamma(2.0, 0.5, n)
    else:
        y = rng.poisson(2 * np.exp(eta)).astype(float)
    weight = rng.integers(0, 3, n) + 0.5 * (rng.random(n) < 0.7)
    offset = 0.2 * rng.normal(size=n)
    problem = Problem(Penalty.build(p, 1.0), loss, settings=Settings(tol=1e-12), **given)
    return problem.bind(X, y, weight, offset=offset)


def supports_along_a_path(rng, n_sets, p):
    joins = rng.random((n_sets, p)) < 0.3
    supports = np.cumsum(joins, axis=0) % 4 > 0
    return supports[supports.any(axis=1)]


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("standardize", [True, False])
def test_batches_agree_with_fits_of_their_own(loss, fit_intercept, standardize):
    rng = np.random.default_rng(0)
    bound = bound_problem(rng, loss, fit_intercept=fit_intercept, standardize=standardize)
    supports = supports_along_a_path(rng, 30, 8)
    assert in_batches(bound)
    found = refits_on(bound, supports, bound.problem.settings)
    assert sum(one is not None for one in found) >= 0.9 * len(found)
    for chosen, one in zip(supports, found, strict=True):
        if one is None:
            continue
        index = np.flatnonzero(chosen)
        alone = fit_path(bound.of_features(index), np.zeros(1))
        coef = bound.design.to_raw(one.coef)
        assert not coef[~chosen].any()
        np.testing.assert_allclose(coef[index], alone.coefs[:, 0], rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(one.intercept, alone.intercepts[0], rtol=1e-6, atol=1e-8)
        assert 0 <= one.gap <= 1e-12


@pytest.mark.parametrize("loss", LOSSES[:2], ids=lambda loss: loss.name)
def test_what_is_not_solved_is_told(loss):
    rng = np.random.default_rng(1)
    bound = bound_problem(rng, loss, n=20, p=30)
    supports = np.tril(np.ones((30, 30), dtype=bool))
    found = refits_on(bound, supports, bound.problem.settings)
    assert found[0] is not None
    assert found[-1] is None
    assert all(one is None or one.gap <= 1e-12 for one in found)


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.sampled_from(LOSSES), st.sampled_from([15, 60]))
def test_refits_of_a_path_have_small_gaps(seed, loss, n):
    """Also where batches fail, or there is no minimum: gaps are of the deviance that is left."""
    rng = np.random.default_rng(seed)
    bound = bound_problem(rng, loss, n=n, p=12)
    path = fit_path(bound, np.geomspace(0.5, 1e-3, 15))
    found = refits(bound, path)
    assert np.isfinite(found.coefs).all()
    assert np.isfinite(found.intercepts).all()
    assert np.all(found.dev_ratio >= path.dev_ratio - 1e-9)
    assert not found.coefs[(path.coefs == 0)].any()


def test_steps_that_overflow_certify_nothing():
    """Near separation a step may go so far that no curvature is left to compare with."""
    X, y = load_breast_cancer(return_X_y=True)
    problem = Problem(Penalty.build(30, 1.0), Logistic(), standardize=True)
    bound = problem.bind(X, y.astype(float))
    path = fit_path(bound, np.geomspace(0.4, 4e-4, 50))
    found = refits(bound, path)
    assert np.all(found.dev_ratio >= path.dev_ratio - 1e-9)
    assert np.abs(found.coefs).max() < 1e4
