"""A penalty chosen by AIC, BIC or the extended BIC."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import comb
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.linear_model import LassoLarsIC
from sklearn.preprocessing import scale

import skreg
from skreg import (
    ElasticNetCV,
    HuberRegressorCV,
    LassoCV,
    LinearSVCCV,
    LogisticRegressionCV,
    PoissonRegressorCV,
    RidgeCV,
    TweedieRegressorCV,
)

pytestmark = pytest.mark.filterwarnings("ignore::skreg.GridEdgeWarning")  # grids are short

X, Y = load_diabetes(return_X_y=True)


@pytest.mark.parametrize("rule", ["aic", "bic"])
def test_it_is_scikit_learn_s_at_the_knots(rule):
    theirs = LassoLarsIC(rule, eps=1e-15).fit(X, Y)
    own = LassoCV(rule=rule, alphas=theirs.alphas_[1:-1] * (1 + 1e-9)).fit(X, Y)  # just before
    features = own.path_.n_nonzero
    same = np.append(features[1:] > features[:-1], True)  # where one leaves, it is in still
    assert_allclose(own.criterion_[same], theirs.criterion_[1:-1][same], rtol=1e-8)
    assert same.sum() > 7
    assert_allclose(own.noise_variance_, theirs.noise_variance_, rtol=1e-8)
    assert own.alpha_ == pytest.approx(theirs.alpha_, rel=1e-8)
    assert_allclose(own.coef_, theirs.coef_, atol=1e-6)
    assert own.cv_result_.metric == rule.upper()
    assert np.isnan(own.alpha_1se_)
    assert not hasattr(own, "mse_path_")
    assert own.fit(X, Y).path_.coefs.shape[0] == 10


@pytest.mark.parametrize("unit", [1e-30, 1e30])
def test_units_change_no_choice(unit):
    own = LassoCV(rule="bic").fit(X, Y)
    other = LassoCV(rule="bic").fit(X, Y * unit)
    assert_allclose(other.coef_, own.coef_ * unit, rtol=1e-6)
    assert_allclose(other.noise_variance_, own.noise_variance_ * unit**2, rtol=1e-6)
    assert_allclose(other.criterion_ - own.criterion_, 884 * np.log(unit), rtol=1e-6)


def test_a_weight_is_as_many_rows():
    weight = np.random.default_rng(0).integers(0, 4, 442)
    own = LassoCV(rule="bic", alphas=20).fit(X, Y, weight)
    rows = LassoCV(rule="bic", alphas=20).fit(np.repeat(X, weight, 0), np.repeat(Y, weight))
    assert_allclose(own.criterion_, rows.criterion_, rtol=1e-8)


def test_the_extended_criterion_counts_the_choices():
    plain, extended = (LassoCV(rule=rule, alphas=20).fit(X, Y) for rule in ("bic", "ebic"))
    expected = np.log(comb(10, plain.path_.n_nonzero))
    assert_allclose(extended.criterion_ - plain.criterion_, expected, atol=1e-8)


def test_noise_of_no_more_rows_than_features_is_asked_for():
    rng = np.random.default_rng(0)
    A = rng.normal(size=(40, 100))
    b = A[:, 0] * 3 - A[:, 1] * 2 + rng.normal(size=40)
    with pytest.raises(ValueError, match="pass noise_variance"):
        LassoCV(rule="bic").fit(A, b)
    own = LassoCV(rule="ebic", noise_variance=1.0).fit(A, b)
    assert {0, 1} <= set(np.flatnonzero(own.coef_).tolist())
    assert np.count_nonzero(own.coef_) < 10
    with pytest.raises(ValueError, match="leaves none"):
        LassoCV(rule="bic").fit(X, X @ np.arange(10.0))


def test_ridge_counts_the_trace_of_its_smoother():
    own = RidgeCV(rule="aic", alphas=[0.1, 1.0]).fit(X, Y)
    centred = X - X.mean(0)
    squares = np.linalg.svd(centred, compute_uv=False) ** 2
    for i, alpha in enumerate((1.0, 0.1)):
        fit = skreg.Ridge(alpha).fit(X, Y)
        residual = np.sum((Y - fit.predict(X)) ** 2)
        df = np.sum(squares / (squares + alpha))
        noise = own.noise_variance_
        expected = 442 * np.log(2 * np.pi * noise) + residual / noise + 2 * df
        assert own.criterion_[i] == pytest.approx(expected)


def test_of_classes_and_counts_it_is_the_deviance_and_the_features():
    A, y = load_breast_cancer(return_X_y=True)
    own = LogisticRegressionCV(rule="bic", alphas=30, l1_ratios=[1.0]).fit(scale(A), y)
    path = own.path_
    for i in (5, 20):
        eta = scale(A) @ path.coefs[:, i] + path.intercepts[i]
        deviance = 2 * np.sum(np.logaddexp(0, eta) - y * eta)
        expected = deviance + np.log(569) * np.count_nonzero(path.coefs[:, i])
        assert own.criterion_[i] == pytest.approx(expected)
    counts = np.random.default_rng(0).poisson(np.exp(X[:, 2] * 20))
    few = PoissonRegressorCV(rule="bic", l1_ratio=[0.5, 1.0]).fit(X, counts)
    assert few.coef_[2] != 0
    assert np.count_nonzero(few.coef_) < 5
    several = LogisticRegressionCV(rule="bic", alphas=30, l1_ratios=[1.0])
    several.fit(*load_iris(return_X_y=True))
    assert several.score(*load_iris(return_X_y=True)) > 0.9


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (LassoCV(rule="bic", cv=5), "leave cv at None"),
        (RidgeCV(rule="bic", scoring="r2"), "leave scoring at None"),
        (LogisticRegressionCV(rule="bic", refit=False), "set refit=True"),
        (RidgeCV(rule="bic", store_cv_results=True), "set store_cv_results=False"),
        (TweedieRegressorCV(power=1, rule="bic", noise_variance=2.0), "leave it at None"),
        (LassoCV(rule="min", noise_variance=3.0), "noise_variance is for the rules 'aic'"),
        (RidgeCV(noise_variance=3.0), "leave it at None with rule='min'"),
        (TweedieRegressorCV(rule="1se", noise_variance=3.0), "leave it at None with rule='1se'"),
    ],
)
def test_what_makes_no_sense_without_folds_is_refused(model, said):
    with pytest.raises(ValueError, match=said):
        model.fit(X, Y > 100 if isinstance(model, LogisticRegressionCV) else Y)


@pytest.mark.parametrize(
    "kind", [HuberRegressorCV, LinearSVCCV, LogisticRegressionCV, PoissonRegressorCV]
)
def test_noise_variance_is_a_parameter_only_where_a_rule_uses_it(kind):
    with pytest.raises(TypeError, match="noise_variance"):
        kind(noise_variance=1.0)
    assert "noise_variance" not in kind().get_params()


def test_a_fit_with_folds_leaves_nothing_of_one_without():
    own = LassoCV(rule="bic").fit(X, Y)
    fresh = LassoCV().fit(X, Y)
    assert vars(own.set_params(rule="min").fit(X, Y)).keys() == vars(fresh).keys()
    assert {"criterion_", "noise_variance_"} <= vars(own.set_params(rule="bic").fit(X, Y)).keys()


def test_several_targets_are_refused():
    with pytest.raises(ValueError, match="takes one target"):
        ElasticNetCV(rule="aic").fit(X, np.column_stack([Y, -Y]))
