"""Huber regression: coefficients and scale."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import linear_model

import skreg
from skreg import HuberRegressor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(100, 5))
Y = X @ [1.0, -2.0, 0.0, 0.5, 0.0] + 3.0 + RNG.standard_t(2, size=100)
WEIGHT = RNG.integers(0, 4, 100).astype(float)


def objective(model, coef, intercept, scale, weight):
    size = np.abs(Y - X @ coef - intercept) / scale
    inner = np.minimum(size, model.epsilon)
    loss = weight @ (scale + scale * inner * (2 * size - inner))
    share = model.l1_ratio
    penalty = share * np.abs(coef).sum() + 0.5 * (1 - share) * coef @ coef
    return loss + 2 * model.alpha * penalty


@pytest.mark.parametrize("given", [{}, {"alpha": 10.0}, {"epsilon": 2.0}, {"alpha": 0.0}], ids=str)
@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_it_is_scikit_learn_s(given, weight, fit_intercept):
    own = HuberRegressor(**given, fit_intercept=fit_intercept).fit(X, Y, weight)
    theirs = linear_model.HuberRegressor(**given, fit_intercept=fit_intercept, tol=1e-9)
    theirs.set_params(max_iter=10000).fit(X, Y, weight)
    assert_allclose(own.coef_, theirs.coef_, atol=1e-4)
    assert_allclose(own.intercept_, theirs.intercept_, atol=1e-4)
    assert_allclose(own.scale_, theirs.scale_, rtol=1e-4)
    assert_array_equal(own.outliers_, theirs.outliers_)
    assert own.dual_gap_ < 1e-9
    weight = np.ones(100) if weight is None else weight
    least = objective(own, own.coef_, own.intercept_, own.scale_, weight)
    others = objective(own, theirs.coef_, theirs.intercept_, theirs.scale_, weight)
    assert least <= others * (1 + 1e-12)


@pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
def test_no_other_point_has_a_smaller_objective(l1_ratio):
    own = HuberRegressor(alpha=20.0, l1_ratio=l1_ratio).fit(X, Y)
    least = objective(own, own.coef_, own.intercept_, own.scale_, np.ones(100))
    for size in (1e-1, 1e-3, 1e-5):
        for _ in range(50):
            step = RNG.normal(size=7) * size
            coef = own.coef_ + step[:5] * (RNG.random(5) < 0.5)
            scale = own.scale_ * np.exp(step[6])
            other = objective(own, coef, own.intercept_ + step[5], scale, np.ones(100))
            assert other >= least * (1 - 1e-12)
    assert 0 < np.count_nonzero(own.coef_) < 5


@pytest.mark.parametrize("unit", [1e-100, 1e-3, 1e6, 1e100])
def test_units_of_y_do_not_matter(unit):
    own = HuberRegressor(alpha=0.0).fit(X, Y)
    other = HuberRegressor(alpha=0.0).fit(X, Y * unit)
    assert_allclose(other.coef_, own.coef_ * unit, rtol=1e-8)
    assert_allclose(other.scale_, own.scale_ * unit, rtol=1e-8)
    assert_array_equal(other.outliers_, own.outliers_)


def test_a_target_without_noise_is_met():
    own = HuberRegressor(alpha=0.0).fit(X, X @ np.arange(5.0) + 1.0)
    assert_allclose(own.coef_, np.arange(5.0), atol=1e-9)
    constant = HuberRegressor().fit(X, np.full(100, 7.0))
    assert_allclose(constant.predict(X), 7.0, atol=1e-9)


def test_rows_that_lie_far_away_move_it_little():
    y = Y.copy()
    y[:20] = 1e9
    far = HuberRegressor(alpha=0.0).fit(X, y)
    assert far.outliers_[:20].all()
    assert_allclose(far.coef_, HuberRegressor(alpha=0.0).fit(X, Y).coef_, atol=0.6)


def test_a_warm_start_ends_where_a_cold_one_does():
    warm = HuberRegressor(warm_start=True).fit(X, Y)
    warm.set_params(alpha=30.0).fit(X, Y)
    cold = HuberRegressor(alpha=30.0).fit(X, Y)
    assert_allclose(warm.coef_, cold.coef_, atol=1e-8)


def test_parameters_of_the_penalty_are_taken():
    own = HuberRegressor(penalty_factor=[0, np.inf, 1, 1, 1], upper_bound=0.2).fit(X, Y)
    assert own.coef_[1] == 0.0
    assert own.coef_.max() <= 0.2
    twin = skreg.to_sklearn(own)
    assert_array_equal(twin.predict(X), own.predict(X))
    with pytest.raises(ValueError, match="'epsilon' parameter"):
        HuberRegressor(epsilon=0.5).fit(X, Y)
