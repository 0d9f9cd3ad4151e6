"""Models of classes, counts and amounts on data that are hard: a finite answer or a clear error."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn.datasets import make_classification
from sklearn.model_selection import KFold

from skreg import (
    GammaRegressor,
    LogisticRegression,
    LogisticRegressionCV,
    PoissonRegressor,
    PoissonRegressorCV,
    TweedieRegressor,
    TweedieRegressorCV,
)

pytestmark = pytest.mark.filterwarnings("ignore::skreg.GridEdgeWarning")

RNG = np.random.default_rng(0)
N = 60
X = RNG.normal(size=(N, 4))
TWO = (X[:, 0] + RNG.normal(size=N) > 0).astype(int)
THREE = np.digitize(X[:, 0] + 0.5 * RNG.normal(size=N), [-0.5, 0.5])
COUNTS = RNG.poisson(np.exp(0.5 * X[:, 0])).astype(float)
AMOUNTS = RNG.gamma(2.0, np.exp(0.5 * X[:, 0]))
RARE = np.zeros(N, dtype=int)
RARE[5] = 1
EACH = {
    "two": (LogisticRegression(), TWO),
    "three": (LogisticRegression(), THREE),
    "lasso of two": (LogisticRegression(l1_ratio=1.0), TWO),
    "lasso of three": (LogisticRegression(l1_ratio=1.0), THREE),
    "poisson": (PoissonRegressor(alpha=0.1), COUNTS),
    "gamma": (GammaRegressor(alpha=0.1), AMOUNTS),
    "tweedie": (TweedieRegressor(alpha=0.1, power=1.5), COUNTS),
}
each = pytest.mark.parametrize(("model", "y"), EACH.values(), ids=EACH)


def is_sound(model):
    return bool(np.isfinite(model.coef_).all() and np.isfinite(model.intercept_).all())


@each
@pytest.mark.parametrize("shift", [800.0, 1e6, -1e6])
def test_an_offset_that_all_rows_share_moves_the_intercept_alone(model, y, shift):
    plain = model.fit(X, y)
    coef, intercept = plain.coef_, plain.intercept_
    offset = np.full(N, shift)
    if np.size(intercept) == 3:  # the class in the middle alone
        offset = offset[:, None] * [0, 1, 0]
        intercept = intercept - np.array([-1, 2, -1]) * shift / 3
    else:
        intercept = intercept - shift
    moved = model.fit(X, y, offset=offset)
    assert moved.dual_gap_ < 1e-8
    assert_allclose(moved.coef_, coef, atol=1e-4)
    assert_allclose(moved.intercept_, intercept, atol=1e-4, rtol=1e-12)


@pytest.mark.parametrize("offset", [None, np.full(N, 5.0), np.full(N, -1e6)])
@pytest.mark.parametrize("model", [PoissonRegressor(), TweedieRegressor(power=1.5)])
def test_counts_of_zero_alone_have_a_mean_near_zero(model, offset):
    model.fit(X, np.zeros(N), offset=offset)
    assert is_sound(model)
    assert_allclose(model.predict(X, offset=offset), 0.0, atol=1e-300)


@pytest.mark.parametrize("model", [PoissonRegressorCV(), TweedieRegressorCV(power=1.5)])
def test_nothing_is_chosen_by_counts_of_zero_alone(model):
    for weight, y in ((None, np.zeros(N)), ((COUNTS == 0).astype(float), COUNTS)):
        with pytest.raises(ValueError, match="y is zero in every row"):
            model.fit(X, y, weight)


def test_nothing_is_chosen_by_one_class_alone():
    names = np.array(["no", "yes"])[TWO]
    with pytest.raises(ValueError, match="only 'yes' has a row with a weight above zero"):
        LogisticRegressionCV().fit(X, names, TWO.astype(float))
    assert is_sound(LogisticRegression().fit(X, names, TWO.astype(float)))


@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
@pytest.mark.parametrize("y", [TWO, THREE], ids=["two", "three"])
def test_a_grid_may_repeat_itself(y, l1_ratio):
    Cs = [0.1, 0.1, 0.2, 0.2, 1.0, 3.0, 3.0]
    given = {"l1_ratios": [l1_ratio], "cv": 3, "tol": 1e-12}
    own = LogisticRegressionCV(Cs=Cs, **given).fit(X, y)
    once = LogisticRegressionCV(Cs=sorted(set(Cs)), **given).fit(X, y)
    assert own.C_ == once.C_
    assert_allclose(own.scores_[:, :, [0, 2, 4, 5]], once.scores_, rtol=1e-6)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
@pytest.mark.parametrize("refit", [True, False])
def test_a_fold_whose_score_is_not_defined_does_not_count(refit):
    given = {"scoring": "roc_auc", "Cs": [0.1, 1.0], "cv": KFold(5), "refit": refit}
    own = LogisticRegressionCV(**given).fit(X, TWO * (np.arange(N) >= 12))
    assert np.isnan(own.scores_[0]).all()
    assert np.isfinite(own.scores_[1:]).all()
    assert is_sound(own)
    assert own.C_ in (0.1, 1.0) or not refit


@each
@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_the_unit_of_weights_matters_to_c_alone(model, y, scale):
    plain = model.fit(X, y)
    coef = plain.coef_
    if isinstance(model, LogisticRegression):
        model = LogisticRegression(C=1 / scale, l1_ratio=model.l1_ratio)
    assert_allclose(model.fit(X, y, np.full(N, scale)).coef_, coef, atol=1e-5)


@each
@pytest.mark.parametrize("power", [-300, 300])
def test_the_unit_of_x_matters_not_with_standardize(model, y, power):
    plain = model.set_params(standardize=True).fit(X, y)
    expected = plain.coef_
    scaled = model.fit(np.ldexp(X, power), y)
    model.set_params(standardize=False)
    assert_allclose(np.ldexp(scaled.coef_, power), expected, rtol=1e-9, atol=1e-12)


@each
def test_features_far_from_zero(model, y):
    near, far = model.fit(X, y).coef_, model.fit(X + 1e8, y).coef_
    assert_allclose(far, near, atol=1e-6)  # X has seven digits left


@pytest.mark.parametrize("C", [1.0, 1e10, np.inf])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
def test_as_many_features_as_rows(C, l1_ratio):
    wide, y = make_classification(20, 20, n_informative=10, n_classes=3, random_state=0)
    model = LogisticRegression(C=C, l1_ratio=l1_ratio).fit(wide, y)
    assert is_sound(model)
    assert model.converged_
    assert C == 1.0 or model.score(wide, y) == 1.0


def test_one_class_in_the_training_rows_of_a_fold():
    y = np.repeat([0, 1, 2], N // 3)
    for labels in (y, y > 0):
        model = LogisticRegressionCV(cv=KFold(3)).fit(X, labels)
        assert is_sound(model)
        assert model.converged_


@pytest.mark.parametrize("table", [np.ones((N, 3)), sparse.csr_array((N, 3)), np.ones((N, 100))])
@each
def test_features_that_are_constant_count_for_nothing(model, y, table):
    model.fit(table, y)
    assert not model.coef_.any()
    assert model.converged_


UNPENALISED = {
    "two": (LogisticRegression(C=np.inf), (RNG.normal(size=N) > 0).astype(int)),
    "poisson": (PoissonRegressor(alpha=0), COUNTS + 1.0),
    "gamma": (GammaRegressor(alpha=0, l1_ratio=1.0), AMOUNTS),
    "tweedie": (TweedieRegressor(alpha=0, power=1.5), AMOUNTS),
}


@pytest.mark.parametrize(("model", "y"), UNPENALISED.values(), ids=UNPENALISED)
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_far_more_features_than_rows_without_a_penalty(model, y, kind, fit_intercept):
    """The solution of the smallest norm, in the span of the rows, and as fast as with a penalty."""
    wide = np.random.default_rng(1).normal(size=(N, 1500))
    wide[np.abs(wide) < 1] = 0.0
    model.set_params(fit_intercept=fit_intercept).fit(kind(wide), y)
    assert model.converged_
    if isinstance(model, LogisticRegression):
        assert model.score(wide, y) == 1.0
    else:
        assert_allclose(model.predict(wide), y, rtol=1e-4)
    rows = wide - wide.mean(axis=0) if fit_intercept else wide
    w = model.coef_.ravel()
    inside = rows.T @ np.linalg.lstsq(rows.T, w, rcond=None)[0]
    assert_allclose(inside, w, atol=1e-10 * np.abs(w).max())


def test_offsets_whose_exponential_overflows_in_rows_held_out():
    offset = 1e6 * np.random.default_rng(3).normal(size=N)
    assert is_sound(PoissonRegressor().fit(X, COUNTS, offset=offset))
    with pytest.raises(ValueError, match=r"deviance of no fold is defined: .* overflows"):
        PoissonRegressorCV(l1_ratio=1.0, alphas=5).fit(X, COUNTS, offset=offset)
