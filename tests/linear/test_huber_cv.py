"""Huber regression whose penalty is chosen by cross-validation, against loops of single fits."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import optimize, sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold

import skreg
from skreg import HuberRegressor, HuberRegressorCV
from skreg.objective.losses import ScaledHuber

pytestmark = pytest.mark.filterwarnings("ignore::skreg.GridEdgeWarning")  # grids are short

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 6))
Y = X @ [1.0, -2.0, 0.0, 0.5, 0.0, 0.0] + 3.0 + RNG.standard_t(1.5, size=90)
WEIGHT = RNG.integers(0, 4, 90).astype(float)
OFFSET = RNG.normal(size=90)
ALPHAS = np.array([30.0, 10.0, 3.0, 1.0, 0.1])


def held_out_loss(residual, epsilon, weight):
    """By a search for the scale."""

    def at(log_scale):
        scale = np.exp(log_scale)
        size = np.abs(residual) / scale
        inner = np.minimum(size, epsilon)
        return np.average(scale + inner * (2 * size - inner) * scale, weights=weight)

    return optimize.minimize_scalar(
        at, bounds=(-15, 15), method="bounded", options={"xatol": 1e-9}
    ).fun


def loop(settings, weight, offset, folds):
    """Errors of each alpha and fold, by single fits."""
    given = np.ones(90) if weight is None else weight
    added = np.zeros(90) if offset is None else offset
    errors = np.zeros((len(ALPHAS), len(folds)))
    for i, alpha in enumerate(ALPHAS):
        for k, (train, test) in enumerate(folds):
            one = HuberRegressor(alpha=alpha, **settings)
            one.fit(X[train], Y[train], given[train], offset=added[train])
            residual = Y[test] - one.predict(X[test], added[test])
            errors[i, k] = held_out_loss(residual, one.epsilon, given[test])
    return errors


@pytest.mark.one_in(3)
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
@pytest.mark.parametrize("offset", [None, OFFSET], ids=["plain", "offset"])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"l1_ratio": 1.0, "standardize": True},
        {"l1_ratio": 0.5, "epsilon": 2.0, "penalty_factor": [0, 1, 2, 1, 1, np.inf]},
        {"upper_bound": 0.5, "fit_intercept": False},
    ],
    ids=["ridge", "lasso", "factors", "bounds"],
)
def test_it_is_a_loop_of_single_fits(settings, weight, offset):
    folds = list(KFold(3).split(X))
    own = HuberRegressorCV(alphas=ALPHAS, cv=3, fold_weights="size", **settings)
    own.fit(X, Y, weight, offset=offset)
    errors = loop(settings, weight, offset, folds)
    assert_allclose(own.cv_result_.errors, errors, rtol=1e-6)
    held = [1.0 * len(test) if weight is None else weight[test].sum() for _, test in folds]
    mean = np.average(errors, axis=1, weights=held)
    assert own.alpha_ == ALPHAS[mean.argmin()]
    single = HuberRegressor(alpha=own.alpha_, **settings).fit(X, Y, weight, offset=offset)
    assert_allclose(own.coef_, single.coef_, atol=1e-8)
    assert_allclose(own.intercept_, single.intercept_, atol=1e-8)
    assert_allclose(own.scale_, single.scale_, rtol=1e-8)
    assert_array_equal(own.outliers_, single.outliers_)
    for alpha, coef in zip(ALPHAS, own.path_.coefs.T, strict=True):
        single.set_params(alpha=alpha).fit(X, Y, weight, offset=offset)
        assert_allclose(coef, single.coef_, atol=1e-6)


def test_the_path_begins_where_the_first_feature_enters():
    path = skreg.regularization_path(HuberRegressor(l1_ratio=1.0), X, Y, alphas=50)
    assert not path.coefs[:, 0].any()
    assert path.coefs[:, 1].any()
    top = path.alphas[0]
    assert not HuberRegressor(alpha=top * 1.0001, l1_ratio=1.0).fit(X, Y).coef_.any()
    assert HuberRegressor(alpha=top * 0.999, l1_ratio=1.0).fit(X, Y).coef_.any()
    assert path.dual_gaps.max() < 1e-9
    assert np.all(np.diff(path.dev_ratio) >= 0)


def test_rules_ratios_and_scorers():
    model = HuberRegressorCV(alphas=8, l1_ratio=[0.0, 0.5, 1.0], rule="1se", cv=3).fit(X, Y)
    assert model.alpha_ == model.alpha_1se_ >= model.alpha_min_
    assert model.l1_ratio_ in (0.0, 0.5, 1.0)
    scored = HuberRegressorCV(alphas=ALPHAS, scoring="neg_median_absolute_error", cv=3).fit(X, Y)
    (train, test), *_ = KFold(3).split(X)
    one = HuberRegressor(alpha=ALPHAS[1]).fit(X[train], Y[train])
    expected = np.median(np.abs(Y[test] - one.predict(X[test])))
    assert scored.cv_result_.errors[1, 0] == pytest.approx(expected, rel=1e-6)
    for rule in ("aic", "bic", "ebic"):
        with pytest.raises(ValueError, match=f"rule='{rule}' needs a likelihood"):
            HuberRegressorCV(rule=rule).fit(X, Y)
    with pytest.raises(ValueError, match="scoring and an offset"):
        HuberRegressorCV(scoring="r2").fit(X, Y, offset=OFFSET)


@pytest.mark.one_in(5)
@pytest.mark.parametrize("unit", [1e-100, 1e-3, 1e6, 1e100])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
def test_units_do_not_matter(unit, l1_ratio):
    settings = {"l1_ratio": l1_ratio, "alphas": 10, "cv": 3}
    # The mixture depends on the unit of the coefficients.
    X_unit = X * unit if l1_ratio == 0.5 else X
    own = HuberRegressorCV(**settings).fit(X, Y, WEIGHT)
    other = HuberRegressorCV(**settings).fit(X_unit, Y * unit, WEIGHT * 1e90)
    assert_allclose(other.cv_result_.errors, own.cv_result_.errors * unit, rtol=1e-6)
    assert_allclose(other.predict(X_unit), own.predict(X) * unit, rtol=1e-6)
    assert_allclose(other.scale_, own.scale_ * unit, rtol=1e-6)


@pytest.mark.parametrize("shape", [(200, 5), (30, 60)], ids=["tall", "wide"])
@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
@pytest.mark.parametrize("store_path", [True, False])
def test_the_last_fit_is_a_single_one_where_hardly_any_noise_is_left(shape, l1_ratio, store_path):
    rng = np.random.default_rng(3)
    A = rng.normal(size=shape)
    b = A[:, :3] @ [1.0, -2.0, 0.5] + 1e-6 * rng.normal(size=len(A))
    given = {"alphas": [1e-2, 1e-4], "cv": 3, "store_path": store_path}
    own = HuberRegressorCV(l1_ratio=l1_ratio, **given).fit(A, b)
    single = HuberRegressor(alpha=own.alpha_, l1_ratio=l1_ratio).fit(A, b)
    assert single.scale_ < 1e-3
    assert_allclose(own.coef_, single.coef_, atol=1e-9)
    assert_allclose(own.intercept_, single.intercept_, atol=1e-9)
    assert_allclose(own.scale_, single.scale_, rtol=1e-3)
    assert_allclose(own.scale_, own._loss().best_scale(b - own.predict(A), b), rtol=1e-3)
    assert own.dual_gap_ <= 1e-6


def test_where_the_scale_vanishes_the_last_fit_has_the_floor_and_says_so():
    rng = np.random.default_rng(3)
    A = rng.normal(size=(30, 60))
    b = A[:, :3] @ [1.0, -2.0, 0.5] + 1e-2 * rng.standard_t(2, size=30)
    model = HuberRegressorCV(l1_ratio=1.0, alphas=[2.7], cv=3)
    with pytest.warns(ConvergenceWarning, match="2.7, the scale has reached its lower limit"):
        model.fit(A, b)
    assert model.dual_gap_ < 1e-9
    assert model.converged_
    assert model.scale_ == pytest.approx(model._loss().best_scale(b - model.predict(A), b))


def test_a_path_has_a_floor_under_the_scale_and_an_exact_fit_on_it_has_none():
    rng = np.random.default_rng(3)
    A = rng.normal(size=(200, 5))
    b = A @ [1.0, -2.0, 0.5, 0.0, 0.0] + 1e-6 * rng.normal(size=200)
    path = skreg.regularization_path(HuberRegressor(), A, b, alphas=[1.0, 0.1])
    single = HuberRegressor(alpha=0.1).fit(A, b)
    assert np.abs(path.coefs[:, 1] - single.coef_).max() > 1e-8
    assert_allclose(path.coef_at(0.1, "exact"), single.coef_, atol=1e-10)
    alone = skreg.regularization_path(HuberRegressor(), A, b, alphas=[0.1])
    assert_allclose(alone.coefs[:, 0], single.coef_, atol=1e-10)


def test_leaving_out_single_rows_is_twice_the_absolute_error():
    own = HuberRegressorCV(alphas=[1.0, 0.1], cv="loo").fit(X[:20], Y[:20])
    rest = np.arange(1, 20)
    one = HuberRegressor(alpha=1.0).fit(X[rest], Y[rest])
    expected = 2 * abs(Y[0] - one.predict(X[:1])[0])
    assert own.cv_result_.errors[0, 0] == pytest.approx(expected, rel=1e-6)


def test_more_features_than_rows():
    wide = RNG.normal(size=(40, 80))
    y = wide[:, 0] * 3 + RNG.standard_t(2, size=40)
    model = HuberRegressorCV(l1_ratio=0.0, alphas=10, cv=3).fit(wide, y)
    assert model.converged_
    met = HuberRegressor(alpha=1e-3).fit(wide, y)
    least = np.linalg.lstsq(wide - wide.mean(0), y - y.mean(), rcond=None)[0]
    assert_allclose(met.predict(wide), y, atol=1e-5)
    assert met.coef_ @ met.coef_ <= least @ least * (1 + 1e-5)


def test_sparse_narrow_pickled_and_parallel():
    own = HuberRegressorCV(alphas=8, l1_ratio=1.0, cv=3).fit(X, Y)
    for other in (
        clone(own).fit(sparse.csr_array(X), Y),
        clone(own).set_params(n_jobs=2).fit(X, Y),
        pickle.loads(pickle.dumps(own)),
    ):
        assert_allclose(other.coef_, own.coef_, atol=1e-8)
    narrow = clone(own).fit(X.astype(np.float32), Y)
    assert narrow.coef_.dtype == np.float32
    assert_allclose(narrow.coef_, own.coef_, atol=1e-4)
    twin = skreg.to_sklearn(own)
    assert_array_equal(twin.predict(X), own.predict(X))
    assert twin.alpha == own.alpha_


# The loss -----------------------------------------------------------------------------------


def test_the_loss_is_that_at_the_best_scale():
    loss, eta = ScaledHuber(1.5), RNG.normal(size=90)
    weight = np.maximum(WEIGHT, 0.5)
    found = loss.deviance(eta, Y, weight / weight.sum())
    assert found == pytest.approx(held_out_loss(Y - eta, 1.5, weight), rel=1e-9)
    slope, step = loss.gradient(eta, Y, weight), RNG.normal(size=90)
    ends = [loss.value(eta + t * step, Y, weight) for t in (1e-6, -1e-6)]
    assert slope @ step == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-5)


def test_the_conjugate_bounds_the_loss_from_below():
    loss, share = ScaledHuber(1.5), WEIGHT / WEIGHT.sum()
    for _ in range(200):
        u = RNG.uniform(-1.5, 1.5, 90)
        u /= max(1.0, np.sqrt(share @ u**2))
        eta = RNG.normal(size=90) * 10 ** RNG.uniform(-2, 2)
        assert loss.value(eta, Y, share) + loss.conjugate(u, Y, share) >= (share * u) @ eta - 1e-12
    u = loss.gradient(eta, Y)
    gap = loss.value(eta, Y, share) + loss.conjugate(loss.gradient(eta, Y), Y, share)
    assert gap >= (share * u) @ eta - 1e-9
    assert loss.conjugate(np.full(90, 1.2), Y, share) == np.inf
