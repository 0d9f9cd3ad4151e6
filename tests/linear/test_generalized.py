"""Poisson, gamma and Tweedie regression, alone and with the penalty chosen."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import optimize, sparse
from sklearn import config_context, linear_model
from sklearn.base import clone
from sklearn.exceptions import DataConversionWarning
from sklearn.model_selection import KFold, cross_val_score

import skreg
from skreg import (
    GammaRegressor,
    GammaRegressorCV,
    PoissonRegressor,
    PoissonRegressorCV,
    TweedieRegressor,
    TweedieRegressorCV,
)
from skreg.objective.losses import Gamma, Poisson, Tweedie

pytestmark = pytest.mark.filterwarnings("ignore::skreg.GridEdgeWarning")  # grids are short

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 6))
OFFSET = RNG.normal(size=120)
MEAN = np.exp(X @ [0.5, -0.3, 0.0, 0.2, 0.0, 0.0] + 0.5)
COUNTS = RNG.poisson(MEAN).astype(float)
AMOUNTS = RNG.gamma(2.0, MEAN)
WEIGHT = RNG.integers(0, 4, 120).astype(float)
EXACT = 1e-12  # as a tolerance: coefficients to ten digits, not to five
# Model, scikit-learn's, loss and target.
FAMILIES = {
    "poisson": (PoissonRegressor(tol=EXACT), linear_model.PoissonRegressor(), Poisson(), COUNTS),
    "gamma": (GammaRegressor(tol=EXACT), linear_model.GammaRegressor(), Gamma(), AMOUNTS),
    "tweedie": (
        TweedieRegressor(power=1.5, tol=EXACT),
        linear_model.TweedieRegressor(power=1.5),
        Tweedie(1.5),
        COUNTS,
    ),
}
CHOOSING = {
    "poisson": PoissonRegressorCV(tol=EXACT),
    "gamma": GammaRegressorCV(tol=EXACT),
    "tweedie": TweedieRegressorCV(power=1.5, tol=EXACT),
}


def copies(family):
    """The same with models that a test may change."""
    own, theirs, loss, y = family
    return clone(own), clone(theirs), loss, y


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("solver", ["lbfgs", "newton-cholesky"])
def test_the_squared_penalty_is_scikit_learn_s(family, fit_intercept, solver):
    own, theirs, _, y = copies(FAMILIES[family])
    own.set_params(alpha=0.1, fit_intercept=fit_intercept, solver=solver)
    theirs.set_params(alpha=0.1, fit_intercept=fit_intercept, solver="newton-cholesky", tol=1e-10)
    own.fit(X, y, WEIGHT)
    theirs.fit(X, y, WEIGHT)
    assert_allclose(own.coef_, theirs.coef_, atol=1e-6)
    assert_allclose(own.intercept_, theirs.intercept_, atol=1e-6)
    assert own.dual_gap_ < 1e-9
    assert own.converged_ is True
    assert_allclose(own.predict(X), theirs.predict(X), rtol=1e-5)
    assert own.score(X, y, WEIGHT) == pytest.approx(theirs.score(X, y, WEIGHT), abs=1e-6)


@pytest.mark.parametrize("family", FAMILIES)
def test_an_elastic_net_with_offset_and_weights_is_the_minimum(family):
    own, _, loss, y = copies(FAMILIES[family])
    alpha, share, scale = 0.05, 0.7, WEIGHT / WEIGHT.sum()

    def objective(v):  # the positive and negative parts of the coefficients, and the intercept
        w = v[:6] - v[6:12]
        penalty = share * v[:12].sum() + 0.5 * (1 - share) * w @ w
        return loss.value(OFFSET + v[12] + X @ w, y, scale) + alpha * penalty

    bounds = [(0, None)] * 12 + [(None, None)]
    best = optimize.minimize(
        objective, np.zeros(13), bounds=bounds, options={"ftol": 1e-15, "gtol": 1e-9}
    )
    own.set_params(alpha=alpha, l1_ratio=share)
    own.fit(X, y, WEIGHT, offset=OFFSET)
    found = np.concatenate([np.maximum(own.coef_, 0), np.maximum(-own.coef_, 0), [own.intercept_]])
    assert objective(found) <= best.fun + 1e-10
    assert_allclose(own.coef_, best.x[:6] - best.x[6:12], atol=1e-3)


def test_an_offset_is_the_logarithm_of_an_exposure():
    """A row of exposure k is as k rows of exposure 1 that have its counts between them."""
    exposure = np.random.default_rng(1).integers(1, 5, 120)
    whole = PoissonRegressor(alpha=0).fit(X, COUNTS, offset=np.log(exposure))
    rates = PoissonRegressor(alpha=0).fit(X, COUNTS / exposure, exposure)
    assert_allclose(whole.coef_, rates.coef_, atol=1e-7)
    assert_allclose(whole.intercept_, rates.intercept_, atol=1e-7)
    predicted = whole.predict(X, offset=np.log(exposure))
    assert_allclose(predicted, exposure * rates.predict(X), rtol=1e-6)


@pytest.mark.parametrize("model", [PoissonRegressor(), PoissonRegressorCV(alphas=3, cv=2)])
def test_a_model_with_an_offset_asks_for_one(model):
    model.fit(X, COUNTS, offset=OFFSET)
    assert model.score(X, COUNTS, offset=OFFSET) > 0
    for call in (lambda: model.predict(X), lambda: model.score(X, COUNTS)):
        with pytest.raises(ValueError, match="pass that of these rows"):
            call()
    model.fit(X, COUNTS)
    model.predict(X)


def test_an_offset_is_routed_with_its_rows():
    with config_context(enable_metadata_routing=True):
        model = PoissonRegressor().set_fit_request(offset=True).set_score_request(offset=True)
        scores = cross_val_score(model, X, COUNTS, cv=KFold(3), params={"offset": OFFSET})
    for found, (train, test) in zip(scores, KFold(3).split(X), strict=True):
        one = PoissonRegressor().fit(X[train], COUNTS[train], offset=OFFSET[train])
        assert found == pytest.approx(one.score(X[test], COUNTS[test], offset=OFFSET[test]))


@pytest.mark.parametrize(
    ("offset", "said"),
    [
        (OFFSET[1:], r"offset must have shape \(120,\), got \(119,\)"),
        (np.where(np.arange(120) == 7, np.nan, OFFSET), "offset .*row 7"),
        (["a"] * 120, "offset"),
    ],
)
def test_a_bad_offset_is_refused(offset, said):
    for model in (PoissonRegressor(), PoissonRegressorCV(cv=2, alphas=3)):
        with pytest.raises(ValueError, match=said):
            model.fit(X, COUNTS, offset=offset)
    fitted = PoissonRegressor().fit(X, COUNTS)
    with pytest.raises(ValueError, match=said):
        fitted.predict(X, offset=offset)


def test_targets_outside_the_domain_are_refused_by_row():
    y = np.where(np.arange(120) == 5, -1.0, AMOUNTS)
    for model in (PoissonRegressor(), GammaRegressor(), TweedieRegressor(power=1.5)):
        with pytest.raises(ValueError, match="row 5 has -1"):
            model.fit(X, y)
    with pytest.raises(ValueError, match="needs y that are positive: row"):
        GammaRegressorCV().fit(X, COUNTS)


@pytest.mark.parametrize("power", [-1, 0.5, 2.5, 3])
def test_powers_without_a_convex_objective_are_refused(power):
    with pytest.raises(ValueError, match="power must be 0 or from 1 to 2"):
        TweedieRegressor(power=power).fit(X, AMOUNTS)


def test_parameters_that_are_no_numbers_are_refused_by_name():
    for model in (TweedieRegressor(power="1"), skreg.HuberRegressor(epsilon="1")):
        (name,) = {"power", "epsilon"} & set(model.get_params())
        with pytest.raises(ValueError, match=f"The {name!r} parameter of .* must be a float"):
            model.fit(X, AMOUNTS)


def test_power_and_link_that_are_set_after_the_fit_are_of_the_next_one():
    model = TweedieRegressor(power=1.5).fit(X, AMOUNTS)
    before = model.predict(X), model.score(X, AMOUNTS)
    model.set_params(power=0.0, link="identity")
    assert_array_equal(model.predict(X.tolist()), before[0])
    assert model.score(X, AMOUNTS) == before[1]
    fresh = TweedieRegressor(power=0.0).fit(X, AMOUNTS)
    assert_array_equal(model.fit(X, AMOUNTS).predict(X), fresh.predict(X))


@pytest.mark.parametrize(("power", "link"), [(0, "log"), (1.5, "identity")])
def test_links_without_a_convex_objective_are_refused(power, link):
    with pytest.raises(ValueError, match=f"link='{link}'"):
        TweedieRegressor(power=power, link=link).fit(X, AMOUNTS)


def test_powers_with_a_name_are_those_families():
    for power, model in ((1, PoissonRegressor()), (2, GammaRegressor())):
        own = TweedieRegressor(power=power).fit(X, AMOUNTS)
        assert_array_equal(own.coef_, model.fit(X, AMOUNTS).coef_)
    squared = TweedieRegressor(power=0, alpha=0.3).fit(X, AMOUNTS, offset=OFFSET)
    ridge = skreg.ElasticNet(alpha=0.3, l1_ratio=0).fit(X, AMOUNTS - OFFSET)
    assert_allclose(squared.coef_, ridge.coef_, atol=1e-12)
    assert_allclose(squared.predict(X, OFFSET), ridge.predict(X) + OFFSET, atol=1e-12)


def test_several_targets_are_refused_and_a_column_is_taken_with_a_warning():
    with pytest.raises(ValueError, match="y should be a 1d array"):
        PoissonRegressor().fit(X, np.column_stack([COUNTS, COUNTS]))
    with pytest.warns(DataConversionWarning):
        column = PoissonRegressor().fit(X, COUNTS[:, None])
    assert column.coef_.shape == (6,)


def test_a_score_asks_for_a_target_of_each_row():
    model = PoissonRegressor().fit(X, COUNTS)
    assert model.score(X, COUNTS[:, None]) == model.score(X, COUNTS)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.score(X, COUNTS[1:])


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csc_matrix, np.float32])
def test_other_forms_of_x_give_the_same(kind):
    model = PoissonRegressor(alpha=0.01, l1_ratio=0.5)
    expected = model.fit(X, COUNTS).coef_
    given = X.astype(np.float32) if kind is np.float32 else kind(X)
    assert_allclose(model.fit(given, COUNTS).coef_, expected, atol=1e-5)


def test_a_warm_start_ends_where_a_cold_one_does():
    model = PoissonRegressor(alpha=0.01, l1_ratio=0.5, warm_start=True, tol=EXACT)
    cold = PoissonRegressor(alpha=0.03, l1_ratio=0.5, tol=EXACT).fit(X, COUNTS)
    model.fit(X, COUNTS)
    model.set_params(alpha=0.03).fit(X, COUNTS)
    assert_allclose(model.coef_, cold.coef_, atol=1e-7)
    with pytest.raises(ValueError, match="warm_start=True"):
        model.fit(X[:, 1:], COUNTS)


def test_factors_and_bounds_go_by_name():
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame(X, columns=list("abcdef"))
    given = {"penalty_factor": {**dict.fromkeys("abcdef", 1.0), "a": np.inf, "b": 0.0}}
    model = PoissonRegressor(alpha=10.0, l1_ratio=1.0, upper_bound=0.1, **given).fit(table, COUNTS)
    assert_array_equal(model.coef_ != 0, [False, True, False, False, False, False])


def test_the_path_ends_at_the_exact_alpha_max():
    path = skreg.regularization_path(PoissonRegressor(l1_ratio=1.0), X, COUNTS, offset=OFFSET)
    assert not path.coefs[:, 0].any()
    assert path.coefs[:, 1].any()
    assert path.dual_gaps.max() < 1e-9
    assert path.l1_ratio == 1.0
    i = 40
    one = PoissonRegressor(alpha=path.alphas[i], l1_ratio=1.0).fit(X, COUNTS, offset=OFFSET)
    assert_allclose(path.coefs[:, i], one.coef_, atol=1e-6)
    assert_allclose(path.intercepts[i], one.intercept_, atol=1e-6)
    with pytest.raises(ValueError, match="subtract it from y"):
        skreg.regularization_path(skreg.Lasso(), X, COUNTS, offset=OFFSET)


# Cross-validation ---------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("l1_ratio", [0.0, 0.8])
def test_errors_are_those_of_fits_without_the_fold(family, l1_ratio):
    own, _, loss, y = copies(FAMILIES[family])
    alphas = np.array([0.3, 0.03])
    model = clone(CHOOSING[family]).set_params(alphas=alphas, l1_ratio=l1_ratio, cv=KFold(3))
    model.fit(X, y, WEIGHT, offset=OFFSET)
    own.set_params(l1_ratio=l1_ratio)
    for k, (train, test) in enumerate(KFold(3).split(X)):
        for i, alpha in enumerate(alphas):
            own.set_params(alpha=alpha).fit(X[train], y[train], WEIGHT[train], offset=OFFSET[train])
            eta = X[test] @ own.coef_ + own.intercept_ + OFFSET[test]
            scale = WEIGHT[test] / WEIGHT[test].sum()
            expected = loss.deviance(eta, y[test], scale)
            assert model.cv_result_.errors[i, k] == pytest.approx(expected, rel=1e-6)
    best = int(np.argmin(model.cv_result_.mean))
    assert model.alpha_ == alphas[best]
    own.set_params(alpha=model.alpha_).fit(X, y, WEIGHT, offset=OFFSET)
    assert_allclose(model.coef_, own.coef_, atol=1e-6)


def test_a_scorer_sees_predicted_means():
    own = PoissonRegressorCV(alphas=[0.3, 0.03], cv=3).fit(X, COUNTS, WEIGHT, offset=OFFSET)
    scored = PoissonRegressorCV(alphas=[0.3, 0.03], cv=3, scoring="neg_mean_poisson_deviance")
    scored.fit(X, COUNTS, WEIGHT, offset=OFFSET)
    assert_allclose(scored.cv_result_.errors, own.cv_result_.errors, rtol=1e-10)
    assert scored.cv_result_.metric == "neg_mean_poisson_deviance"
    assert own.cv_result_.metric == "mean deviance"


def test_the_largest_alpha_within_one_standard_error_is_sparser():
    few = PoissonRegressorCV(l1_ratio=[0.5, 1.0], rule="1se").fit(X, COUNTS)
    many = PoissonRegressorCV(l1_ratio=[0.5, 1.0]).fit(X, COUNTS)
    assert few.alpha_ == few.alpha_1se_ >= many.alpha_
    assert np.count_nonzero(few.coef_) <= np.count_nonzero(many.coef_)
    assert few.path_.coefs.shape == (6, 100)
    assert few.l1_ratio_ in (0.5, 1.0)


def test_with_the_power_0_it_is_the_elastic_net():
    own = TweedieRegressorCV(l1_ratio=0.5, alphas=20).fit(X, AMOUNTS)
    net = skreg.ElasticNetCV(l1_ratio=0.5, alphas=20).fit(X, AMOUNTS)
    assert_allclose(own.coef_, net.coef_, atol=1e-12)
    assert_allclose(own.cv_result_.errors, net.cv_result_.errors, rtol=1e-12)
    with pytest.raises(ValueError, match="scoring and an offset"):
        TweedieRegressorCV(scoring="r2").fit(X, AMOUNTS, offset=OFFSET)


def test_threads_change_nothing():
    one = PoissonRegressorCV(l1_ratio=1.0, alphas=20, n_jobs=2).fit(X, COUNTS)
    other = PoissonRegressorCV(l1_ratio=1.0, alphas=20).fit(X, COUNTS)
    assert_array_equal(one.coef_, other.coef_)
    assert_array_equal(one.cv_result_.errors, other.cv_result_.errors)


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_a_single_row_is_met_by_the_intercept(alpha):
    model = PoissonRegressor(alpha=alpha, standardize=True).fit(X[:1], [3.0])
    assert not model.coef_.any()
    assert_allclose(model.predict(X[:1]), 3.0)


def test_degrees_of_freedom_over_few_rows_are_the_trace_of_the_smoother():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((20, 50))
    y = rng.poisson(np.exp(0.3 * X[:, 0]))
    alphas = [1.0, 0.1]
    path = skreg.regularization_path(PoissonRegressor(l1_ratio=0.0), X, y, alphas=alphas)
    for alpha, w, b, df in zip(alphas, path.coefs.T, path.intercepts, path.df, strict=True):
        h = np.exp(X @ w + b)
        Z = (X - h @ X / h.sum()) * np.sqrt(h / len(h))[:, None]
        H = Z.T @ Z
        assert df == pytest.approx(np.trace(np.linalg.solve(H + alpha * np.eye(50), H)), rel=1e-7)
