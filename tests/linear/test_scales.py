"""Units of X, y and weights: a power of two changes nothing but the power of two of the answer."""

import numpy as np
import pytest
from scipy import sparse

from skreg import (
    ElasticNet,
    ElasticNetCV,
    Lasso,
    LassoCV,
    Ridge,
    RidgeCV,
    enet_path,
    lasso_path,
    regularization_path,
    ridge_path,
)
from skreg.data.build import design_of

pytestmark = pytest.mark.filterwarnings("ignore:.*the best alpha")

rng = np.random.default_rng(0)
X = rng.standard_normal((40, 6)) + 0.5
Y = np.column_stack([2 * X[:, 0] - X[:, 1] + 1.0, X[:, 2]]) + 0.3 * rng.standard_normal((40, 2))
y, weight = Y[:, 0], rng.random(40)

# Exponents of X and y, from ordinary data to the ends of what is accepted.
SCALES = [
    (59, -59), (0, -61), (100, 300), (450, 450), (-450, -450), (490, -490), (-490, 490),
]  # fmt: skip


def elastic_net(a, b):
    """The L1 part grows with both units, the L2 part with the square of that of X."""
    l1, l2 = 2.0 ** (a + b), 4.0**a
    return ElasticNet(0.2 * (l1 + l2), l1_ratio=l1 / (l1 + l2))


MODELS = {
    "lasso": lambda a, b: Lasso(np.ldexp(0.05, a + b)),
    "descent": lambda a, b: Lasso(np.ldexp(0.05, a + b), solver="cd"),
    "bounds": lambda a, b: Lasso(
        np.ldexp(0.05, a + b),
        lower_bound=-np.ldexp(0.3, b - a),
        upper_bound=np.ldexp(0.7, b - a),
    ),
    "factors": lambda a, b: Lasso(np.ldexp(0.05, a + b), penalty_factor=[0, 1, 2, 0.5, np.inf, 1]),
    "standardized": lambda a, b: Lasso(np.ldexp(0.05, b), standardize=True),
    "no intercept": lambda a, b: Lasso(np.ldexp(0.05, a + b), fit_intercept=False),
    "least squares": lambda a, b: Lasso(0.0),
    "ridge": lambda a, b: Ridge(np.ldexp(1.0, 2 * a)),
    "ridge, svd": lambda a, b: Ridge(np.ldexp(1.0, 2 * a), solver="svd"),
    "ridge, lsqr": lambda a, b: Ridge(np.ldexp(1.0, 2 * a), solver="lsqr"),
    "ridge, sparse_cg": lambda a, b: Ridge(np.ldexp(1.0, 2 * a), solver="sparse_cg"),
    "ridge, positive": lambda a, b: Ridge(np.ldexp(1.0, 2 * a), positive=True),
    "ridge, standardized": lambda a, b: Ridge(3.0, standardize=True),
}
FORMS = {
    "dense": np.asarray,
    "sparse": sparse.csc_array,
    "lists": np.ndarray.tolist,
}


def fitted(model, form, a, b, target, sample_weight, rows=slice(None)):
    """Coefficients, intercept and gap, the units taken out again."""
    given = sample_weight if sample_weight is None else sample_weight[rows]
    model.fit(form(np.ldexp(X[rows], a)), np.ldexp(target[rows], b), sample_weight=given)
    return np.ldexp(model.coef_, a - b), np.ldexp(model.intercept_, -b), model.dual_gap_


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", MODELS)
def test_a_power_of_two_changes_no_bit_of_a_fit(name, form):
    if name == "ridge, svd" and form == "sparse":
        pytest.skip("needs dense X")
    for target, given, rows in [(y, None, slice(None)), (Y, None, slice(5)), (y, weight, slice(5))]:
        make, stored = MODELS[name], FORMS[form]
        expected = fitted(make(0, 0), stored, 0, 0, target, given, rows)
        for a, b in SCALES:
            found = fitted(make(a, b), stored, a, b, target, given, rows)
            for one, other in zip(found, expected, strict=True):
                np.testing.assert_array_equal(one, other, err_msg=f"{a}, {b}")


@pytest.mark.parametrize(("a", "b"), [*SCALES, (15, -15), (-15, 15)])
def test_an_elastic_net_keeps_both_parts_of_its_penalty(a, b):
    """The mixing has to follow the units, which rounds it: `l1_ratio` may be next to 0 or 1."""
    if abs(b - a) < 50:
        model = elastic_net(a, b)
        expected = fitted(elastic_net(0, 0), np.asarray, 0, 0, y, None)
        for one, other in zip(fitted(model, np.asarray, a, b, y, None), expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-14)
    # Where one part vanishes beside the other, it is the other's problem.
    squared = ElasticNet(np.ldexp(0.5, 2 * a), l1_ratio=0.0)
    ridge = fitted(Ridge(0.5 * len(y)), np.asarray, 0, 0, y, None)[0]
    np.testing.assert_allclose(fitted(squared, np.asarray, a, b, y, None)[0], ridge, rtol=1e-12)


CV_MODELS = {
    "lasso": lambda a, b: LassoCV(rule="1se", alphas=20, store_fold_coefs=True),
    "lasso, own grid": lambda a, b: LassoCV(alphas=np.ldexp([0.5, 0.1, 0.01], a + b)),
    "lasso, standardized": lambda a, b: LassoCV(alphas=20, standardize=True),
    "elastic net, all L1": lambda a, b: ElasticNetCV(l1_ratio=1.0, alphas=20),
    "ridge": lambda a, b: RidgeCV(rule="1se", store_cv_results=True),
    "ridge, own grid": lambda a, b: RidgeCV(np.ldexp([10.0, 1.0, 0.1], 2 * a)),
    "ridge, folds": lambda a, b: RidgeCV(cv=5, rule="1se"),
    "ridge, a scorer": lambda a, b: RidgeCV(
        np.ldexp([1.0, 1e-9], 2 * a),
        cv=3,
        scoring="neg_mean_absolute_error",
        rule="1se",
        store_fold_coefs=True,
    ),
    "ridge, a scorer of all rows": lambda a, b: RidgeCV(
        np.ldexp([1.0, 1e-9], 2 * a), scoring="neg_mean_absolute_error"
    ),
}


@pytest.mark.parametrize("given", [None, weight, weight * 2.0**200], ids=["none", "some", "heavy"])
@pytest.mark.parametrize("name", CV_MODELS)
def test_the_choice_of_alpha_knows_no_units(name, given):
    if name == "ridge, own grid" and given is not None:
        given = given / given.sum()  # or the alphas of the grid are as good as zero
    expected = CV_MODELS[name](0, 0).fit(X, y, sample_weight=given)
    powers = {"mean squared error": 2, "neg_mean_absolute_error": 1, "r2": 0}
    unit = powers[expected.cv_result_.metric]
    for a, b in [(100, 0), (-61, 300), (400, -400), (-400, 400), (0, 300), (0, -300)]:
        model = CV_MODELS[name](a, b).fit(np.ldexp(X, a), np.ldexp(y, b), sample_weight=given)
        found, result = model.cv_result_, expected.cv_result_
        errors = np.ldexp(found.errors, -unit * b)
        np.testing.assert_allclose(errors, result.errors, rtol=1e-9)
        spread = np.ldexp(found.standard_error, -unit * b)
        np.testing.assert_allclose(spread, result.standard_error, rtol=1e-9)
        assert found.index_min == result.index_min
        if result.errors.shape[1] > 1:
            assert found.index_1se == result.index_1se
        coef = np.ldexp(model.coef_, a - b)
        np.testing.assert_allclose(coef, expected.coef_, rtol=1e-12)
        assert np.ldexp(model.intercept_, -b) == pytest.approx(expected.intercept_, rel=1e-12)
        if hasattr(expected, "cv_results_"):
            kept = np.ldexp(model.cv_results_, -2 * b)
            np.testing.assert_allclose(kept, expected.cv_results_, rtol=1e-9)
        if result.fold_coefs is not None:
            folds = np.ldexp(found.fold_coefs, a - b)
            np.testing.assert_allclose(folds, result.fold_coefs, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize(("a", "b"), SCALES)
def test_paths_know_no_units(a, b):
    other, target = np.ldexp(X, a), np.ldexp(y, b)
    for function, alpha_unit in [(lasso_path, a + b), (ridge_path, 2 * a)]:
        expected, found = function(X, y), function(other, target)
        np.testing.assert_allclose(np.ldexp(found[0], -alpha_unit), expected[0], rtol=1e-12)
        coefs = np.ldexp(found[1], a - b)
        np.testing.assert_allclose(coefs, expected[1], rtol=1e-9, atol=1e-14)
    alphas = np.array([1.0, 0.1, 0.0])
    start = np.linspace(-1, 1, 6)
    expected = enet_path(X, y, l1_ratio=1.0, alphas=alphas, coef_init=start)
    found = enet_path(
        other,
        target,
        l1_ratio=1.0,
        alphas=np.ldexp(alphas, a + b),
        coef_init=np.ldexp(start, b - a),
    )
    np.testing.assert_array_equal(np.ldexp(found[0], -a - b), expected[0])
    np.testing.assert_array_equal(np.ldexp(found[1], a - b), expected[1])
    np.testing.assert_allclose(np.ldexp(found[2], -2 * b), expected[2], atol=1e-12)
    path, same = regularization_path(Lasso(), X, y), regularization_path(Lasso(), other, target)
    np.testing.assert_allclose(same.dev_ratio, path.dev_ratio, rtol=1e-12)
    np.testing.assert_array_equal(same.df, path.df)
    exact = np.ldexp(same.coef_at(np.ldexp(0.07, a + b), "exact"), a - b)
    np.testing.assert_allclose(exact, path.coef_at(0.07, "exact"), rtol=1e-9)


@pytest.mark.parametrize("scale", [1e-15, 1e-16, 1e-20, 1e-100, 1e100])
@pytest.mark.parametrize("factors", [None, [1e-12] * 6])
def test_nothing_to_fit_is_told_in_the_units_of_the_data(scale, factors):
    expected = LassoCV(penalty_factor=factors).fit(X, y)
    model = LassoCV(penalty_factor=factors).fit(X * scale, y)
    np.testing.assert_allclose(model.coef_ * scale, expected.coef_, rtol=1e-9)
    assert model.alpha_ / scale == pytest.approx(expected.alpha_, rel=1e-12)


@pytest.mark.parametrize("exponent", [-900, -70, 70, 900])
@pytest.mark.parametrize("a", [0, 450, -450])
def test_penalty_factors_of_any_size(exponent, a):
    factors, size = np.array([0, 1, 2, 0.5, np.inf, 1]), 2.0**exponent
    for make in (Lasso, ElasticNet, Ridge):
        unit = 2 * a if make is Ridge else a
        if (make is ElasticNet and a) or abs(unit - exponent) > 1000:
            continue
        alpha = np.ldexp(0.5, unit)
        expected = make(alpha, penalty_factor=factors).fit(np.ldexp(X, a), y)
        model = make(alpha / size, penalty_factor=factors * size).fit(np.ldexp(X, a), y)
        np.testing.assert_array_equal(model.coef_, expected.coef_)
    path = LassoCV(penalty_factor=factors, alphas=10).fit(np.ldexp(X, a), y)
    model = LassoCV(penalty_factor=factors * 2.0**70, alphas=10).fit(np.ldexp(X, a), y)
    np.testing.assert_array_equal(model.coef_, path.coef_)
    assert model.alpha_ * 2.0**70 == path.alpha_


def test_nothing_to_fit_is_scikit_learns_grid():
    orthogonal = np.array([[1.0, 1.0], [-1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]])
    for target in (np.ones(4), [1.0, -1.0, -1.0, 1.0]):
        alphas, coefs, _ = lasso_path(orthogonal, target - np.mean(target))
        assert set(alphas) == {np.finfo(float).resolution}
        assert not coefs.any()


@pytest.mark.parametrize("make", [
    lambda d: Lasso(1e-2, penalty_factor=d),
    lambda d: Lasso(1e-2, penalty_factor=d, solver="cd"),
    lambda d: Lasso(1e-2, standardize=True),
    lambda d: Lasso(0.0),
    lambda d: Lasso(1e-2, penalty_factor=d, lower_bound=-0.5 / d, upper_bound=0.5 / d),
    lambda d: Ridge(0.0),
    lambda d: Ridge(2.0, penalty_factor=d**2),
    lambda d: Ridge(2.0, standardize=True),
])  # fmt: skip
@pytest.mark.parametrize("stored", [np.asarray, sparse.csc_array])
@pytest.mark.parametrize("reach", [20, 70, 140])
def test_columns_far_apart(make, stored, reach):
    d = 10.0 ** np.linspace(-reach, reach, 6)
    expected = make(np.ones(6)).fit(stored(X), y)
    model = make(d).fit(stored(X * d), y)
    np.testing.assert_allclose(model.coef_ * d, expected.coef_, rtol=1e-9)
    assert model.intercept_ == pytest.approx(expected.intercept_)
    one_small = np.where(np.arange(6) == 2, 10.0**-reach, 1.0)
    model = make(one_small).fit(stored(X * one_small), y)
    np.testing.assert_allclose(model.coef_ * one_small, expected.coef_, rtol=1e-9)


@pytest.mark.parametrize("model", [Lasso(0.0), Ridge(), LassoCV(), RidgeCV()])
@pytest.mark.parametrize("unit", [1e-60, 1e60])
def test_what_float32_cannot_hold_is_refused(model, unit):
    with pytest.raises(ValueError, match=r"beyond the range of float32.*X as float64"):
        model.fit(X.astype(np.float32), y * unit)
    assert not hasattr(model, "coef_")


def test_an_intercept_that_float32_cannot_hold_is_refused():
    with pytest.raises(ValueError, match="the intercepts are beyond the range of float32"):
        Lasso(1e60).fit(X.astype(np.float32), y * 1e50)


@pytest.mark.parametrize(("a", "b"), [(-600, 490), (490, -600)])
def test_what_float64_cannot_hold_is_refused(a, b):
    with pytest.raises(ValueError, match="the coefficients are beyond the range of float64"):
        Lasso(0.0).fit(np.ldexp(X, a), np.ldexp(y, b))


def test_targets_without_common_squares_are_refused():
    with pytest.raises(ValueError, match=r"y has targets too unlike.*e-200 in column 1"):
        Lasso(0.1).fit(X, np.column_stack([y, y * 1e-200]))


@pytest.mark.parametrize("sizes", [[1.0, 1e-50], [1e-30, 1e-44]])
@pytest.mark.parametrize("model", [Lasso(1e-52), Ridge(), RidgeCV(), ElasticNetCV(alphas=[1e-52])])
def test_targets_without_a_common_range_of_float32_are_refused(model, sizes):
    """The coefficients of the smaller were zeros, with a gap of zero."""
    with pytest.raises(ValueError, match=r"too unlike in size|beyond the range of float32"):
        model.fit(X.astype(np.float32), Y * sizes)
    model.fit(X, Y * sizes)


def test_stochastic_methods_refuse_what_they_cannot_scale():
    with pytest.raises(ValueError, match="solver='sag' needs X, y and sample_weight of order one"):
        Ridge(solver="sag").fit(X * 1e-100, y)


@pytest.mark.parametrize("heavy", [1e-300, 1e300])
def test_weights_of_any_size(heavy):
    expected = Ridge(1.0).fit(X, y, sample_weight=weight)
    model = Ridge(heavy).fit(X, y, sample_weight=weight * heavy)
    np.testing.assert_allclose(model.coef_, expected.coef_, rtol=1e-12)
    for make in (LassoCV, RidgeCV):
        expected = make(rule="1se").fit(X, y, sample_weight=weight)
        model = make(rule="1se").fit(X, y, sample_weight=weight * heavy)
        np.testing.assert_allclose(model.coef_, expected.coef_, rtol=1e-9)


def test_folds_and_data_are_the_users():
    """A splitter is shown X and y as they came, and nothing of theirs is written to."""
    shown = []

    class Splitter:
        def split(self, X, y, groups=None):
            shown.append((X, y))
            return [(np.arange(20), np.arange(20, 40)), (np.arange(20, 40), np.arange(20))]

        def get_n_splits(self, X=None, y=None, groups=None):
            return 2

    big, far = X * 1e100, y * 1e-100
    kept = big.copy(), far.copy()
    for model in (LassoCV(cv=Splitter()), RidgeCV(cv=Splitter())):
        model.fit(big, far)
    assert all(one is big and other is far for one, other in shown)
    np.testing.assert_array_equal(big, kept[0])
    np.testing.assert_array_equal(far, kept[1])


@pytest.mark.parametrize("model", [Lasso(1.0), ElasticNet(1.0), Ridge(1.0)])
def test_a_gram_matrix_and_a_warm_start_follow(model):
    a, b = 200, -200
    centred = X - X.mean(axis=0)
    far, target = np.ldexp(centred, a), np.ldexp(y, b)
    if not isinstance(model, Ridge):
        gram = Lasso(0.05, precompute=np.ldexp(centred.T @ centred, 2 * a)).fit(far, target)
        expected = Lasso(0.05, precompute=centred.T @ centred).fit(centred, y)
        np.testing.assert_array_equal(np.ldexp(gram.coef_, a - b), expected.coef_)
        again = Lasso(0.05, warm_start=True).fit(far, target).fit(far, target)
        assert again.n_iter_ == 0


@pytest.mark.parametrize("solver", ["lsqr", "sparse_cg"])
@pytest.mark.parametrize("stored", [np.asarray, sparse.csc_array])
def test_iterative_ridge_on_columns_of_different_units(solver, stored):
    """Without units of their own such columns stop the iteration at the first step."""
    d = 2.0 ** np.array([0, 90, -90, 50, -100, 10])
    expected = Ridge(2.0, penalty_factor=d**2).fit(stored(X * d), y)
    model = Ridge(2.0, penalty_factor=d**2, solver=solver, tol=1e-12).fit(stored(X * d), y)
    np.testing.assert_allclose(model.coef_ * d, expected.coef_ * d, rtol=1e-8)
    expected = Ridge(2.0).fit(stored(X * d), y)
    model = Ridge(2.0, solver=solver, tol=1e-12).fit(stored(X * d), y)
    np.testing.assert_allclose(model.coef_ * d, expected.coef_ * d, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("model", [Ridge(1e-2), Ridge(1e-292), Lasso(1e-292), RidgeCV([1e-292])])
def test_an_alpha_that_serves_no_two_of_the_columns_is_refused(model):
    """In one column it is weighed against 1e-145^2, which is no number, in the other nothing."""
    with pytest.raises(ValueError, match="column 1 of X is too unlike the others in size"):
        model.fit(X[:, :2] * [1e145, 1e-145], y)
    strong = Ridge(1e200).fit(X[:, :2] * [1e145, 1e-145], y)
    alone = Ridge(1e-90).fit(X[:, :1], y)
    np.testing.assert_allclose(strong.coef_ * [1e145, 1.0], [alone.coef_[0], 0.0], rtol=1e-12)


def test_degrees_of_freedom_where_factors_are_as_good_as_infinite():
    bounds = {"lower_bound": -1e200, "penalty_factor": [1e-241, 1e211, 1.0, 1.0, 1.0, 1.0]}
    model = Lasso(0.0, **bounds).fit(X * 1e-190, y * 1e-59)
    assert model.converged_


@pytest.mark.parametrize("seed", [15, 96])
def test_alphas_below_the_rounding_of_the_largest_columns(seed):
    """For these the smallest alpha is nothing, for others of the same X it is large."""
    draw = np.random.default_rng(seed)
    n, p = int(draw.integers(10, 150)), int(draw.integers(2, 250))
    assert draw.choice([10, 20, 30, 30]) == 30
    units = 10.0 ** draw.uniform(-15, 15, p)
    draw.random()
    far = draw.standard_normal((n, p))
    target = far[:, 0] + draw.standard_normal(n)
    largest = np.abs((far - far.mean(axis=0)) * units).T @ np.abs(target) / n
    model = Lasso(1e-29 * largest.max()).fit(far * units, target)
    assert model.dual_gap_ < 1e-9


def test_several_targets_at_once():
    alphas, coefs, _ = lasso_path(X, Y)
    small, large, _ = lasso_path(X * 2.0**-300, Y)
    np.testing.assert_array_equal(small * 2.0**300, alphas)
    np.testing.assert_array_equal(large * 2.0**-300, coefs)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", MODELS)
def test_any_power_of_two_changes_no_bit_of_a_fit(name):
    """Over the whole of what is accepted, X and y drawn apart."""
    make, draw = MODELS[name], np.random.default_rng(1)
    expected = fitted(make(0, 0), np.asarray, 0, 0, y, None)
    for a, b in draw.integers(-490, 491, (500, 2)):
        found = fitted(make(int(a), int(b)), np.asarray, int(a), int(b), y, None)
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, other, err_msg=f"{a}, {b}")


def test_a_variance_that_weights_have_all_but_hidden_is_not_negative():
    """It was, by a rounding error, and its root no number."""
    draw = np.random.default_rng(0)
    for value in draw.random(300):
        design = design_of(sparse.csc_array([[value], [0.0], [0.0]]), np.array([1.0, 4e-23, 0]))
        assert np.all(design.variances >= 0)
