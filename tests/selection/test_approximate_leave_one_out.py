"""Approximate leave-one-out against fits without each row."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

import skreg

pytestmark = pytest.mark.filterwarnings("ignore::skreg.GridEdgeWarning")

RNG = np.random.default_rng(1)
N, P = 60, 6
X = RNG.normal(size=(N, P)) + 0.5 * RNG.normal(size=(N, 1))
ETA = X @ [0.6, -0.5, 0.4, 0.0, 0.0, 0.0]
NOISY = ETA + RNG.standard_t(2, size=N)
COUNTS = RNG.poisson(np.exp(ETA)).astype(float)
CLASSES = np.array(["no", "yes"])[(RNG.random(N) < 1 / (1 + np.exp(-ETA))).astype(int)]
WEIGHT = RNG.integers(1, 4, N).astype(float)
MODELS = {
    "squared": (skreg.ElasticNetCV(l1_ratio=0.0, alphas=8), NOISY),
    "huber": (skreg.HuberRegressorCV(alphas=4), NOISY),
    "poisson": (skreg.PoissonRegressorCV(alphas=8), COUNTS),
    "gamma": (skreg.GammaRegressorCV(alphas=8), COUNTS + 0.5),
    "tweedie": (skreg.TweedieRegressorCV(power=1.5, alphas=8), COUNTS),
    "logistic": (skreg.LogisticRegressionCV(alphas=8), CLASSES),
    "logistic, Cs": (skreg.LogisticRegressionCV(Cs=np.logspace(-3, 1, 6)), CLASSES),
    "hinge": (skreg.LinearSVCCV(alphas=8), CLASSES),
}


def both(name, l1_ratio, weight=None, **settings):
    model, y = MODELS[name]
    ratio = {"l1_ratios": [l1_ratio]} if hasattr(model, "l1_ratios") else {"l1_ratio": l1_ratio}
    kind = type(model)
    given = {**model.get_params(), **ratio, **settings}
    near = kind(**{**given, "cv": "approx_loo"}).fit(X, y, weight)
    exact = kind(**{**given, "cv": "loo"}).fit(X, y, weight)
    return near, exact


def assert_near(near, exact, rtol):
    one, other = near.cv_result_, exact.cv_result_
    assert_allclose(one.mean, other.mean, rtol=rtol)
    assert_allclose(one.standard_error, other.standard_error, rtol=5 * rtol)
    # The choice is hardly worse, by the exact errors.
    assert other.mean[one.index_min] <= other.mean.min() * (1 + rtol / 2)
    assert_allclose(one.alphas, other.alphas)
    assert one.errors.shape == (len(one.alphas), 1)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
@pytest.mark.parametrize("name", MODELS)
def test_with_a_squared_penalty_errors_are_within_three_hundredths(name, weight):
    assert_near(*both(name, 0.0, weight), rtol=0.03)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
@pytest.mark.parametrize("name", MODELS)
def test_with_an_l1_part_they_are_within_a_tenth(name, l1_ratio):
    assert_near(*both(name, l1_ratio), rtol=0.1)


@pytest.mark.parametrize(
    "settings",
    [{}, {"fit_intercept": False}, {"penalty_factor": [0, 1, 2, 1, 3, np.inf]}],
    ids=["plain", "no intercept", "factors"],
)
def test_of_ridge_they_are_exact(settings):
    near, exact = both("squared", 0.0, **settings)
    assert_allclose(near.cv_result_.mean, exact.cv_result_.mean, rtol=1e-11)
    assert_allclose(near.cv_result_.standard_error, exact.cv_result_.standard_error, rtol=1e-10)
    assert near.alpha_1se_ == pytest.approx(exact.alpha_1se_)
    wide = np.random.default_rng(6).normal(size=(30, 50))
    own = skreg.ElasticNetCV(l1_ratio=0.0, alphas=8, cv="approx_loo").fit(wide, NOISY[:30])
    other = skreg.ElasticNetCV(l1_ratio=0.0, alphas=8, cv="loo").fit(wide, NOISY[:30])
    assert_allclose(own.cv_result_.mean, other.cv_result_.mean, rtol=1e-4)


def test_of_ridge_with_weights_the_square_of_their_differences_is_neglected():
    near, exact = both("squared", 0.0, WEIGHT)
    assert_allclose(near.cv_result_.mean, exact.cv_result_.mean, rtol=1e-4)
    none = np.where(np.arange(N) % 5 == 0, 0.0, 1.0)
    near, exact = both("squared", 0.0, none)
    assert_allclose(near.cv_result_.mean, exact.cv_result_.mean, rtol=1e-10)


def test_the_error_falls_with_the_square_of_the_rows():
    """That of the mean, which is what one row moves, squared."""
    worst = []
    for n in (40, 160):
        rng = np.random.default_rng(3)
        A = rng.normal(size=(n, 3))
        y = rng.poisson(np.exp(0.5 * A[:, 0]))
        given = {"alphas": [0.3, 0.1, 0.03]}
        near = skreg.PoissonRegressorCV(**given, cv="approx_loo").fit(A, y)
        exact = skreg.PoissonRegressorCV(**given, cv="loo").fit(A, y)
        worst.append(np.abs(near.cv_result_.mean - exact.cv_result_.mean).max())
    assert worst[1] < worst[0] / 8


@pytest.mark.parametrize("name", ["huber", "poisson", "logistic", "hinge"])
def test_units_storage_and_offsets(name):
    model, y = MODELS[name]
    given = model.get_params() | {"cv": "approx_loo"}
    plain = type(model)(**given).fit(X, y)
    thin = type(model)(**given).fit(sparse.csr_array(X), y)
    assert_allclose(thin.cv_result_.mean, plain.cv_result_.mean, rtol=1e-5)
    far = type(model)(**given).fit(X * 1e40, y, np.full(N, 1e60))
    assert_allclose(far.cv_result_.mean, plain.cv_result_.mean, rtol=1e-5)
    if name == "huber":
        tall = type(model)(**given).fit(X, y * 1e80)
        assert_allclose(tall.cv_result_.mean, plain.cv_result_.mean * 1e80, rtol=1e-5)
    if name != "hinge":
        offset = 0.5 * np.random.default_rng(5).normal(size=N)
        near = type(model)(**given).fit(X, y, offset=offset)
        exact = type(model)(**given | {"cv": "loo"}).fit(X, y, offset=offset)
        assert_allclose(near.cv_result_.mean, exact.cv_result_.mean, rtol=0.05)


def test_scorers_judge_all_rows_together():
    near = skreg.LogisticRegressionCV(cv="approx_loo", scoring="roc_auc").fit(X, CLASSES)
    assert near.scores_.shape == (1, 1, 10)
    assert 0.5 < near.scores_.max() < 1.0
    with pytest.raises(ValueError, match="needs an error of each row"):
        skreg.LogisticRegressionCV(cv="approx_loo", scoring="roc_auc", rule="1se").fit(X, CLASSES)


def test_weights_of_classes_are_those_of_all_rows():
    near, exact = both("logistic", 0.0, class_weight="balanced")
    assert_allclose(near.cv_result_.mean, exact.cv_result_.mean, rtol=0.05)


def test_what_has_none_is_refused():
    three = np.digitize(ETA, [-0.3, 0.3])
    with pytest.raises(ValueError, match="takes two classes"):
        skreg.LogisticRegressionCV(cv="approx_loo").fit(X, three)
    assert skreg.LinearSVCCV(cv="approx_loo").fit(X, three).cv_result_.mean.min() < 1
    for given in ({"adaptive": 1.0, "l1_ratio": 1.0}, {"relax": True, "l1_ratio": 1.0}):
        with pytest.raises(ValueError, match=f"{next(iter(given))}.*'?loo"):
            skreg.PoissonRegressorCV(cv="approx_loo", **given).fit(X, COUNTS)
    with pytest.raises(ValueError, match="store_fold_coefs=True and cv='approx_loo'"):
        skreg.PoissonRegressorCV(cv="approx_loo", store_fold_coefs=True).fit(X, COUNTS)
    with pytest.raises(ValueError, match="'cv' parameter of RidgeCV"):
        skreg.RidgeCV(cv="approx_loo").fit(X, NOISY)


def test_a_row_that_alone_decides_a_coefficient():
    alone = np.column_stack([X[:, :2], np.eye(N)[:, 0]])
    model = skreg.ElasticNetCV(l1_ratio=0.0, alphas=[1.0, 1e-12], cv="approx_loo")
    exact = skreg.ElasticNetCV(l1_ratio=0.0, alphas=[1.0, 1e-12], cv="loo").fit(alone, NOISY)
    near = model.fit(alone, NOISY).cv_result_.errors[:, 0]
    assert near[0] == pytest.approx(exact.cv_result_.mean[0])
    assert near[1] > 0.5 * exact.cv_result_.mean[1]
    with pytest.raises(ValueError, match="row 0 alone decides a coefficient"):
        skreg.ElasticNetCV(l1_ratio=0.0, alphas=[1e-12], cv="approx_loo").fit(alone, NOISY)
