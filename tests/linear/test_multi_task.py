"""Models whose rows of coefficients enter together, against plain statements of what they are."""

import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn.linear_model as scikit_learn
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GroupKFold, KFold

import skreg
from skreg import (
    ElasticNet,
    Lasso,
    MultiTaskElasticNet,
    MultiTaskElasticNetCV,
    MultiTaskLasso,
    MultiTaskLassoCV,
    Ridge,
    regularization_path,
)

# Where the best alpha lies is no matter here.
pytestmark = pytest.mark.filterwarnings("ignore:.*the best alpha:UserWarning")

SHAPES = {"tall": (120, 15, 3), "few": (150, 4, 3), "square": (40, 40, 5), "wide": (30, 80, 4)}
WIDE = (40, 400, 3)  # past the features that share one Gram matrix


def problem(n, p, k, seed=0, rho=0.5):
    """Correlated features of different sizes, off centre; a third of the rows in use."""
    rng = np.random.default_rng(seed)
    X = np.sqrt(1 - rho) * rng.standard_normal((n, p))
    X = (X + np.sqrt(rho) * rng.standard_normal((n, 1))) * rng.uniform(0.3, 3.0, p) + 0.5
    W = rng.standard_normal((p, k)) * (rng.random((p, 1)) < 0.3)
    Y = X @ W + rng.standard_normal((n, k)) * 2.0 + np.arange(k)
    weight = rng.integers(0, 4, n).astype(float) + 0.25 * rng.random(n)
    weight[:2] = 0.0
    return X, Y, weight


def share_of_top(X, Y, l1_ratio, share, weight=None):
    """A share of the alpha at which nothing is left."""
    s = np.ones(len(Y)) if weight is None else weight
    s = s / s.sum()
    centred = (Y - s @ Y) * s[:, None]
    return share * np.linalg.norm((X - s @ X).T @ centred, axis=1).max() / l1_ratio


def parts_of(X, Y, alpha, l1_ratio, coef, weight=None, fit_intercept=True, factor=None):
    """The objective, by how much each feature's KKT condition is missed, and the unit of gaps."""
    X, Y, W = (np.asarray(a, dtype=np.longdouble) for a in (X, Y, coef.T))
    s = np.ones(len(Y)) if weight is None else np.asarray(weight)
    s = (s / s.sum()).astype(np.longdouble)
    if fit_intercept:
        X, Y = X - s @ X, Y - s @ Y
    v = np.ones(X.shape[1]) if factor is None else np.asarray(factor, dtype=float)
    kept = np.isfinite(v)
    v = np.where(kept, v, 0.0)
    residual, size = Y - X @ W, np.sqrt((W * W).sum(axis=1))
    linear, squared = alpha * l1_ratio * v, alpha * (1 - l1_ratio) * v
    value = 0.5 * (s @ residual**2).sum() + linear @ size + 0.5 * squared @ size**2
    q = X.T @ (s[:, None] * residual) - squared[:, None] * W
    used = size > 0
    unit = np.divide(W, size[:, None], out=np.zeros_like(W), where=used[:, None])
    length = np.sqrt((q * q).sum(axis=1))
    missed = np.where(
        used,
        np.sqrt(((q - linear[:, None] * unit) ** 2).sum(axis=1)),
        np.maximum(length - linear, 0),
    )
    return float(value), np.where(kept, missed, 0.0).astype(float), (s @ Y**2).sum()


@pytest.mark.parametrize("solver", ["auto", "cd"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.05])
@pytest.mark.parametrize("shape", SHAPES)
def test_scikit_learn_s_answer_and_never_a_worse_one(shape, l1_ratio, weighted, solver):
    X, Y, weight = problem(*SHAPES[shape])
    weight = weight if weighted else None
    for share in (0.5, 0.1):
        alpha = share_of_top(X, Y, l1_ratio, share, weight)
        settings = {"alpha": alpha, "l1_ratio": l1_ratio, "max_iter": 100_000}
        ours = MultiTaskElasticNet(**settings, solver=solver).fit(X, Y, sample_weight=weight)
        own, missed, square = parts_of(X, Y, alpha, l1_ratio, ours.coef_, weight)
        assert missed.max() <= 1e-9 * alpha
        assert ours.dual_gap_ <= 1e-11
        if weighted and not hasattr(scikit_learn.MultiTaskElasticNet(), "__sklearn_tags__"):
            continue
        s = np.ones(len(Y)) if weight is None else weight
        root = np.sqrt(s / s.sum() * len(Y))[:, None]
        centred = root * (X - np.average(X, axis=0, weights=s))
        targets = root * (Y - np.average(Y, axis=0, weights=s))
        theirs = scikit_learn.MultiTaskElasticNet(**settings, tol=1e-13, fit_intercept=False)
        theirs.fit(centred, targets)
        other, *_ = parts_of(X, Y, alpha, l1_ratio, theirs.coef_, weight)
        assert own <= other + 1e-14 * square
        assert other - own <= 1e-9 * square
        np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=0, atol=1e-4 * np.ptp(Y))


@given(
    st.integers(2, 30),
    st.integers(1, 40),
    st.integers(1, 6),
    st.sampled_from([1.0, 0.9, 0.3]),
    st.sampled_from([0.0, 0.5, 0.95]),
    st.sampled_from([0.9, 0.3, 0.03, 1e-3, 1e-6]),
    st.integers(0, 10**9),
)
def test_any_problem_is_solved_to_its_certificate(n, p, k, l1_ratio, rho, share, seed):
    """The KKT conditions hold, and no random change is an improvement beyond the gap."""
    X, Y, _ = problem(n, p, k, seed, rho)
    alpha = share_of_top(X, Y, l1_ratio, share)
    model = MultiTaskElasticNet(alpha=alpha, l1_ratio=l1_ratio).fit(X, Y)
    value, missed, square = parts_of(X, Y, alpha, l1_ratio, model.coef_)
    assert model.dual_gap_ <= 1e-9
    assert missed.max() <= 1e-6 * np.sqrt(square) * X.std(axis=0).max()
    rng = np.random.default_rng(seed)
    for size in (1e-2, 1e-5):
        changed = model.coef_ * (1 + size * rng.standard_normal(model.coef_.shape))
        other, *_ = parts_of(X, Y, alpha, l1_ratio, changed)
        assert value <= other + (model.dual_gap_ + 1e-15) * square


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.99])
@pytest.mark.parametrize("shape", [(11, 200, 7), (17, 200, 4), (53, 200, 4), (42, 400, 2)])
def test_more_features_than_rows_times_targets(shape, rho):
    """At alphas where Newton's equations are singular, and thresholds a million times apart."""
    X, Y, _ = problem(*shape, rho=rho)
    factor = np.random.default_rng(0).choice([0.0, 1e-6, 0.5, 1.0, 3.0, np.inf], shape[1])
    for share, factors in ((1e-2, None), (1e-4, None), (1e-2, factor)):
        alpha = share_of_top(X, Y, 1.0, share)
        model = MultiTaskLasso(alpha, penalty_factor=factors).fit(X, Y)
        assert model.dual_gap_ <= 1e-10
        assert model.n_iter_ < 500


@pytest.mark.parametrize("shape", [*SHAPES.values(), WIDE])
def test_the_gap_is_never_below_the_true_one(shape):
    X, Y, _ = problem(*shape)
    alpha = share_of_top(X, Y, 1.0, 0.2)
    best, _, square = parts_of(X, Y, alpha, 1.0, MultiTaskLasso(alpha).fit(X, Y).coef_)
    for most in (1, 2, 3, 4):
        rough = MultiTaskLasso(alpha, max_iter=most, tol=1.0).fit(X, Y)
        value, *_ = parts_of(X, Y, alpha, 1.0, rough.coef_)
        assert rough.dual_gap_ * square >= value - best - 1e-15 * square


def test_too_few_rounds_warn():
    X, Y, _ = problem(60, 20, 3)
    with pytest.warns(ConvergenceWarning, match="MultiTaskLasso reached a duality gap of"):
        model = MultiTaskLasso(0.1, max_iter=1).fit(X, Y)
    assert not model.converged_


@pytest.mark.parametrize("shape", [*SHAPES.values(), WIDE])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_a_path_is_its_single_fits(shape, l1_ratio):
    X, Y, _ = problem(*shape)
    model = MultiTaskElasticNet(l1_ratio=l1_ratio)
    path = regularization_path(model, X, Y, alphas=30)
    assert not path.coefs[..., 0].any()
    assert path.coefs[..., 1].any()
    assert path.dual_gaps.max() <= 1e-10
    for i in (1, 7, 16, 25, 29):
        one = clone(model).set_params(alpha=path.alphas[i]).fit(X, Y)
        scale = np.abs(one.coef_).max()
        np.testing.assert_allclose(path.coefs[..., i], one.coef_, rtol=0, atol=1e-7 * scale)
        np.testing.assert_allclose(path.intercepts[:, i], one.intercept_, atol=1e-6 * scale)
        used = one.coef_.any(axis=0)
        assert (one.coef_[:, used] != 0).all()


def test_one_target_is_the_lasso():
    X, Y, weight = problem(60, 20, 1)
    for l1_ratio in (1.0, 0.4, 0.0):
        ours = MultiTaskElasticNet(0.2, l1_ratio=l1_ratio).fit(X, Y, weight)
        single = ElasticNet(0.2, l1_ratio=l1_ratio).fit(X, Y[:, 0], weight)
        np.testing.assert_array_equal(ours.coef_, single.coef_[None])
        assert ours.intercept_.shape == (1,)
        assert ours.dual_gap_ == single.dual_gap_
    ours, single = MultiTaskLassoCV(cv=4).fit(X, Y), skreg.LassoCV(cv=4).fit(X, Y[:, 0])
    np.testing.assert_array_equal(ours.mse_path_, single.mse_path_)
    assert ours.alpha_ == single.alpha_
    assert ours.coef_.shape == (1, 20)
    assert ours.predict(X).shape == (60, 1)


def test_without_the_part_that_couples_it_is_ridge_and_least_squares():
    X, Y, _ = problem(60, 8, 3)
    ours = MultiTaskElasticNet(0.3, l1_ratio=0.0).fit(X, Y)
    np.testing.assert_allclose(ours.coef_, Ridge(0.3 * 60).fit(X, Y).coef_, rtol=1e-10)
    ours = MultiTaskLasso(alpha=0.0).fit(X, Y)
    np.testing.assert_allclose(ours.coef_, scikit_learn.LinearRegression().fit(X, Y).coef_)
    assert np.ndim(ours.dual_gap_) == 0


def test_targets_of_the_same_numbers_are_one_with_another_alpha():
    """With K equal targets |w_j| is sqrt(K) times the coefficient."""
    X, Y, _ = problem(60, 20, 1)
    together = MultiTaskLasso(0.3).fit(X, np.repeat(Y, 4, axis=1))
    alone = Lasso(0.3 / 2.0).fit(X, Y[:, 0])
    np.testing.assert_allclose(together.coef_, np.tile(alone.coef_, (4, 1)), atol=1e-12)


def test_an_orthogonal_rotation_of_the_targets_rotates_the_coefficients():
    X, Y, _ = problem(60, 20, 3)
    Q, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))
    plain, turned = MultiTaskLasso(0.3).fit(X, Y), MultiTaskLasso(0.3).fit(X, Y @ Q)
    np.testing.assert_allclose(turned.coef_, Q.T @ plain.coef_, atol=1e-11)


def test_factors():
    X, Y, _ = problem(60, 12, 3)
    factor = np.array([0.0, np.inf, 3.0, 0.0, *np.linspace(0.2, 2, 8)])
    for l1_ratio in (1.0, 0.5):
        alpha = 0.5
        model = MultiTaskElasticNet(alpha, l1_ratio=l1_ratio, penalty_factor=factor).fit(X, Y)
        _, missed, _ = parts_of(X, Y, alpha, l1_ratio, model.coef_, factor=factor)
        assert missed.max() <= 1e-11
        assert not model.coef_[:, 1].any()
        assert model.dual_gap_ <= 1e-11
    assert MultiTaskLasso(1e6, penalty_factor=factor).fit(X, Y).coef_.any(axis=0).tolist() == [
        value == 0 for value in factor
    ]
    path = regularization_path(MultiTaskLasso(penalty_factor=factor), X, Y, alphas=10)
    assert path.coefs[..., 0].any(axis=0).sum() == 2
    assert path.coefs[..., 1].any(axis=0).sum() > 2
    by_name = dict(zip(map(str, range(12)), factor, strict=True))
    frame = pd.DataFrame(X, columns=list(by_name))
    named = MultiTaskElasticNet(0.5, l1_ratio=0.5, penalty_factor=by_name).fit(frame, Y)
    np.testing.assert_allclose(named.coef_, model.coef_, rtol=1e-12)
    assert named.feature_names_in_.tolist() == list(by_name)


@pytest.mark.parametrize("shape", [(60, 12, 3), WIDE])
def test_free_features_with_no_others(shape):
    X, Y, _ = problem(*shape)
    factor = np.full(shape[1], np.inf)
    factor[:3] = 0.0
    model = MultiTaskLasso(1.0, penalty_factor=factor).fit(X, Y)
    np.testing.assert_allclose(
        model.coef_[:, :3], scikit_learn.LinearRegression().fit(X[:, :3], Y).coef_
    )


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_standardize_is_a_change_of_units(fit_intercept):
    X, Y, weight = problem(60, 12, 3)
    s = weight / weight.sum()
    center = s @ X if fit_intercept else 0.0
    scale = np.sqrt(s @ (X - s @ X) ** 2)
    settings = {"alpha": 0.2, "fit_intercept": fit_intercept}
    ours = MultiTaskLasso(**settings, standardize=True).fit(X, Y, weight)
    plain = MultiTaskLasso(**settings).fit((X - center) / scale, Y, weight)
    np.testing.assert_allclose(ours.coef_, plain.coef_ / scale, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("shape", [(60, 12, 3), WIDE])
def test_weights_are_repetitions(shape):
    X, Y, _ = problem(*shape)
    count = np.random.default_rng(0).integers(0, 4, len(Y))
    repeated = MultiTaskLasso(0.2).fit(np.repeat(X, count, axis=0), np.repeat(Y, count, axis=0))
    weighted = MultiTaskLasso(0.2).fit(X, Y, sample_weight=count)
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, atol=1e-10)
    np.testing.assert_allclose(weighted.intercept_, repeated.intercept_, atol=1e-9)


@pytest.mark.parametrize("shape", [(60, 12, 3), WIDE])
@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csc_matrix, np.asfortranarray])
def test_any_storage(shape, kind):
    X, Y, weight = problem(*shape)
    X = np.where(np.random.default_rng(0).random(X.shape) < 0.5, 0.0, X)
    dense = MultiTaskLasso(0.2).fit(X, Y, weight)
    other = MultiTaskLasso(0.2).fit(kind(X), Y, weight)
    np.testing.assert_allclose(other.coef_, dense.coef_, atol=1e-10)
    np.testing.assert_allclose(other.predict(kind(X)), dense.predict(X), atol=1e-9)
    assert sparse.issparse(other.sparse_coef_)


def test_float32():
    X, Y, _ = problem(60, 12, 3)
    X = X.astype(np.float32)
    model = MultiTaskLasso(0.2).fit(X, Y)
    assert model.coef_.dtype == np.float32
    assert model.dual_gap_ <= 1e-11
    double = MultiTaskLasso(0.2).fit(X.astype(float), Y)
    np.testing.assert_allclose(model.coef_, double.coef_, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("x", "y"), [(-800, 0), (-90, -400), (90, 0), (400, 400), (0, -900)])
def test_powers_of_two_change_nothing(x, y):
    X, Y, _ = problem(40, 12, 3)
    plain = MultiTaskLasso(0.2).fit(X, Y)
    scaled = MultiTaskLasso(np.ldexp(0.2, x + y)).fit(np.ldexp(X, x), np.ldexp(Y, y))
    np.testing.assert_allclose(np.ldexp(scaled.coef_, x - y), plain.coef_, rtol=1e-9, atol=1e-12)
    assert scaled.dual_gap_ <= 1e-11


def test_a_single_column_may_be_small():
    X, Y, _ = problem(40, 6, 3)
    small = X.copy()
    small[:, 2] = np.ldexp(small[:, 2], -200)
    factor = np.ones(6)
    factor[2] = 2.0**-200
    plain = MultiTaskLasso(0.2).fit(X, Y)
    model = MultiTaskLasso(0.2, penalty_factor=factor).fit(small, Y)
    coef = model.coef_.copy()
    coef[:, 2] = np.ldexp(coef[:, 2], -200)
    np.testing.assert_allclose(coef, plain.coef_, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("p", [12, 400])
def test_constant_repeated_and_dependent_columns(p):
    X, Y, _ = problem(40, p, 3)
    X[:, 1], X[:, 2], X[:, 4] = 7.0, X[:, 0], X[:, 0] + X[:, 3]
    for share in (0.5, 0.1, 1e-3):
        alpha = share_of_top(X, Y, 1.0, share)
        model = MultiTaskLasso(alpha).fit(X, Y)
        assert model.dual_gap_ <= 1e-10
        assert not model.coef_[:, 1].any()
        assert parts_of(X, Y, alpha, 1.0, model.coef_)[1].max() <= 1e-6 * alpha
    path = regularization_path(MultiTaskLasso(), X, Y, alphas=20)
    assert path.dual_gaps.max() <= 1e-9


def test_nothing_to_fit():
    X, Y, _ = problem(40, 12, 3)
    constant = np.ones_like(Y)
    model = MultiTaskLasso(0.1).fit(X, constant)
    assert not model.coef_.any()
    assert model.dual_gap_ == 0.0
    np.testing.assert_allclose(model.intercept_, 1.0)
    Y[:, 1] = 3.0  # one of them
    model = MultiTaskLasso(0.1).fit(X, Y)
    assert not model.coef_[1].any()
    assert model.dual_gap_ <= 1e-11
    chosen = MultiTaskLassoCV(cv=3).fit(X, constant)
    assert not chosen.coef_.any()
    noise = np.random.default_rng(0).standard_normal((40, 3))
    chosen = MultiTaskLassoCV(cv=4, rule="1se").fit(X, noise)
    assert not chosen.coef_.any()


def test_warm_start():
    X, Y, _ = problem(60, 20, 3)
    for solver in ("auto", "cd"):
        model = MultiTaskLasso(0.3, warm_start=True, solver=solver).fit(X, Y)
        first, n_iter = model.coef_, model.n_iter_
        model.fit(X, Y)
        np.testing.assert_allclose(model.coef_, first, atol=1e-12)
        assert model.n_iter_ <= 1 < n_iter
        model.set_params(alpha=0.25).fit(X, Y)
        np.testing.assert_allclose(model.coef_, MultiTaskLasso(0.25).fit(X, Y).coef_, atol=1e-11)
    with pytest.raises(ValueError, match="warm_start=True, but coef_"):
        model.fit(X[:, :5], Y)


def test_a_random_order_is_repeatable():
    X, Y, _ = problem(60, 20, 3)
    random = MultiTaskLasso(0.3, selection="random", random_state=3)
    one, two = (clone(random).fit(X, Y) for _ in range(2))
    np.testing.assert_array_equal(one.coef_, two.coef_)
    np.testing.assert_allclose(one.coef_, MultiTaskLasso(0.3).fit(X, Y).coef_, atol=1e-11)


# Cross-validation ---------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("l1_ratio", [1.0, [0.3, 0.8]])
def test_cross_validation_is_scikit_learn_s(shape, l1_ratio):
    X, Y, _ = problem(*SHAPES[shape])
    settings = {"l1_ratio": l1_ratio, "cv": KFold(3), "eps": 1e-2, "alphas": 12}
    if not isinstance(getattr(scikit_learn.MultiTaskElasticNetCV(), "alphas", None), int):
        settings["alphas"] = np.geomspace(1, 1e-2, 12)
    ours = MultiTaskElasticNetCV(**settings).fit(X, Y)
    theirs = scikit_learn.MultiTaskElasticNetCV(**settings, tol=1e-9, max_iter=100_000).fit(X, Y)
    np.testing.assert_allclose(ours.alphas_, theirs.alphas_, rtol=1e-12)
    assert ours.mse_path_.shape == theirs.mse_path_.shape
    np.testing.assert_allclose(ours.mse_path_, theirs.mse_path_, rtol=1e-4)
    assert ours.alpha_ == pytest.approx(theirs.alpha_)
    assert ours.l1_ratio_ == theirs.l1_ratio_
    assert ours.coef_.shape == theirs.coef_.shape
    assert ours.path_.coefs.shape == (*ours.coef_.shape, 12)


def test_folds_are_fits_on_their_rows():
    X, Y, weight = problem(60, 20, 3)
    weight = weight + 0.1
    alphas = share_of_top(X, Y, 1.0, 1.0) * np.geomspace(0.9, 0.02, 6)
    model = MultiTaskLassoCV(alphas=alphas, cv=KFold(4), store_fold_coefs=True)
    model.fit(X, Y, sample_weight=weight)
    for k, (train, test) in enumerate(KFold(4).split(X)):
        for i, alpha in enumerate(alphas):
            one = MultiTaskLasso(alpha).fit(X[train], Y[train], weight[train])
            np.testing.assert_allclose(model.cv_result_.fold_coefs[k][..., i], one.coef_, atol=1e-8)
            error = np.average((one.predict(X[test]) - Y[test]) ** 2, axis=0, weights=weight[test])
            assert model.mse_path_[i, k] == pytest.approx(error.mean(), rel=1e-7)
    whole = MultiTaskLasso(model.alpha_).fit(X, Y, weight)
    np.testing.assert_allclose(model.coef_, whole.coef_, atol=1e-9)
    assert model.alpha_1se_ >= model.alpha_min_


@pytest.mark.parametrize("cv", ["loo", GroupKFold(3)])
def test_other_folds(cv):
    X, Y, _ = problem(30, 8, 3)
    if cv != "loo":
        cv = list(cv.split(X, Y, np.arange(30) % 3))
    assert MultiTaskLassoCV(cv=cv, alphas=10).fit(X, Y).converged_


def test_degrees_of_freedom_are_the_divergence_of_the_fitted_values():
    X, Y, _ = problem(25, 8, 2)
    for l1_ratio, factor in ((1.0, None), (0.6, [0.0, 1, 2, 1, 1, 1, 1, np.inf])):
        model = MultiTaskElasticNet(l1_ratio=l1_ratio, penalty_factor=factor)
        alpha = share_of_top(X, Y, l1_ratio, 0.2)
        path = regularization_path(model, X, Y, alphas=[alpha])
        model.set_params(alpha=alpha)
        step, traced = 1e-5, 0.0
        for i in range(25):
            for k in range(2):
                up, down = Y.copy(), Y.copy()
                up[i, k] += step
                down[i, k] -= step
                change = [clone(model).fit(X, one).predict(X)[i, k] for one in (up, down)]
                traced += (change[0] - change[1]) / (2 * step)
        np.testing.assert_allclose(path.df, traced - 2, rtol=1e-5)  # without the intercepts


def test_degrees_of_freedom_of_orthogonal_features_are_yuan_and_lin_s():
    rng = np.random.default_rng(0)
    X, _ = np.linalg.qr(rng.standard_normal((40, 6)))
    Y = X @ rng.standard_normal((6, 3)) * 3 + rng.standard_normal((40, 3))
    path = regularization_path(MultiTaskLasso(fit_intercept=False), X, Y, alphas=8)
    free = np.linalg.norm(X.T @ Y, axis=1)
    for i, coef in enumerate(path.coefs.transpose(2, 1, 0)):
        size = np.linalg.norm(coef, axis=1)
        known = (size > 0).sum() + (size / free).sum() * 2
        np.testing.assert_allclose(path.df[:, i], known, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("rule", ["aic", "bic", "ebic"])
def test_information_criteria(rule):
    X, Y, _ = problem(80, 10, 3)
    model = MultiTaskLassoCV(rule=rule, alphas=25).fit(X, Y)
    path, n = regularization_path(MultiTaskLasso(), X, Y, alphas=25), 80
    fitted = X @ path.coefs.transpose(2, 1, 0) + path.intercepts.T[:, None]
    rss = ((Y - fitted) ** 2).sum(axis=(1, 2))
    best = scikit_learn.LinearRegression().fit(X, Y)
    variance = ((Y - best.predict(X)) ** 2).sum() / (3 * (n - 11))
    assert model.noise_variance_ == pytest.approx(variance)
    df = path.df[0]
    value = rss / variance + 3 * n * np.log(2 * np.pi * variance)
    value = value + df * (2 if rule == "aic" else np.log(n))
    if rule == "ebic":
        from scipy.special import comb

        value = value + np.log(comb(10, path.coefs.any(axis=0).sum(axis=0)))
    np.testing.assert_allclose(model.criterion_, value, rtol=1e-8)
    assert model.alpha_ == path.alphas[np.argmin(value)]


def test_relaxed_fits_are_least_squares_on_the_features_in_use():
    X, Y, _ = problem(60, 20, 3)
    model = MultiTaskLasso(1.0, relax=0.0).fit(X, Y)
    used = MultiTaskLasso(1.0).fit(X, Y).coef_.any(axis=0)
    assert 0 < used.sum() < 20
    least = scikit_learn.LinearRegression().fit(X[:, used], Y)
    np.testing.assert_allclose(model.coef_[:, used], least.coef_, rtol=1e-8)
    assert not model.coef_[:, ~used].any()
    assert 0.0 <= MultiTaskLassoCV(relax=True, alphas=20, cv=4).fit(X, Y).relax_ <= 1.0


def test_moments():
    X, Y, _ = problem(60, 20, 3)
    whole = MultiTaskLasso(0.3).fit(X, Y)
    parts = skreg.Moments.of(X[:30], Y[:30]), skreg.Moments.of(X[30:], Y[30:])
    np.testing.assert_allclose(
        MultiTaskLasso(0.3).fit_moments(sum(parts)).coef_, whole.coef_, atol=1e-9
    )
    blocks = MultiTaskLasso(0.3).partial_fit(X[:30], Y[:30]).partial_fit(X[30:], Y[30:])
    np.testing.assert_allclose(blocks.coef_, whole.coef_, atol=1e-9)
    folds = MultiTaskLassoCV().fit_moments(parts)
    by_rows = MultiTaskLassoCV(cv=KFold(2)).fit(X, Y)
    np.testing.assert_allclose(folds.mse_path_, by_rows.mse_path_, rtol=1e-6)
    with pytest.raises(ValueError, match="For mono-task outputs, use Lasso"):
        MultiTaskLasso(0.3).fit_moments(skreg.Moments.of(X, Y[:, 0]))


# The estimators -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "other"),
    [
        (MultiTaskLasso(), "Lasso"),
        (MultiTaskElasticNet(), "ElasticNet"),
        (MultiTaskLassoCV(), "LassoCV"),
        (MultiTaskElasticNetCV(), "ElasticNetCV"),
    ],
)
def test_a_single_vector_is_refused(model, other):
    X, Y, _ = problem(30, 5, 2)
    with pytest.raises(ValueError, match=f"^For mono-task outputs, use {other}$"):
        model.fit(X, Y[:, 0])
    assert not hasattr(model, "coef_")
    if not other.endswith("CV"):
        with pytest.raises(ValueError, match=f"use {other}"):
            regularization_path(model, X, Y[:, 0])


@pytest.mark.parametrize(
    "name", ["lower_bound", "upper_bound", "positive", "precompute", "adaptive", "concave"]
)
@pytest.mark.parametrize("kind", [MultiTaskLasso, MultiTaskElasticNetCV])
def test_what_a_penalty_of_lengths_does_not_take_is_no_parameter(kind, name):
    with pytest.raises(TypeError, match=f"unexpected keyword argument '{name}'"):
        kind(**{name: None})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"alpha": -1.0}, "alpha"),
        ({"l1_ratio": 2.0}, "l1_ratio"),
        ({"solver": "svd"}, "solver"),
        ({"penalty_factor": [1.0, -1.0, 1.0]}, "penalty_factor is negative for feature 1"),
        ({"max_iter": 0}, "max_iter"),
        ({"selection": "other"}, "selection"),
    ],
)
def test_bad_values_are_named(given, message):
    with pytest.raises(ValueError, match=message):
        MultiTaskElasticNet(**given).fit(np.eye(3), np.eye(3))


def test_pickles_clones_and_twins():
    X, Y, _ = problem(40, 8, 3)
    for model in (MultiTaskElasticNet(0.2), MultiTaskLassoCV(cv=3, alphas=10)):
        model.fit(X, Y)
        again = pickle.loads(pickle.dumps(model))
        np.testing.assert_array_equal(again.predict(X), model.predict(X))
        assert not hasattr(clone(model), "coef_")
        twin = skreg.to_sklearn(model)
        assert type(twin) is getattr(scikit_learn, type(model).__name__)
        np.testing.assert_allclose(twin.predict(X), model.predict(X))


@pytest.mark.parametrize("shape", [(40, 8, 3), (30, 80, 4)])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_scikit_learn_s_path_function(shape, l1_ratio):
    X, Y, _ = problem(*shape)
    X, Y = X - X.mean(axis=0), Y - Y.mean(axis=0)
    settings = {"l1_ratio": l1_ratio, "eps": 1e-2, "alphas": 10}
    alphas, coefs, gaps, n_iters = skreg.enet_path(X, Y, **settings, return_n_iter=True)
    settings["alphas"] = alphas
    _, theirs, _ = scikit_learn.enet_path(X, Y, **settings, tol=1e-12, max_iter=100_000)
    np.testing.assert_allclose(coefs, theirs, atol=1e-5 * np.abs(theirs).max())
    assert alphas[0] == pytest.approx(share_of_top(X, Y, l1_ratio, 1.0))
    assert gaps.shape == (10,)
    assert gaps.max() <= 1e-11 * (Y**2).sum() / len(Y)
    assert len(n_iters) == 10
    start = coefs[..., 4]
    _, again, *_ = skreg.enet_path(X, Y, l1_ratio=l1_ratio, alphas=[alphas[4]], coef_init=start)
    np.testing.assert_allclose(again[..., 0], start, atol=1e-9 * np.abs(start).max())
    with pytest.raises(ValueError, match="upper_bound is not allowed for multi-output"):
        skreg.lasso_path(X, Y, upper_bound=1.0)
