"""The adaptive Lasso, MCP and SCAD: against closed forms, brute force, and fits by hand."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning
from sklearn.model_selection import KFold

from skreg import (
    ElasticNet,
    ElasticNetCV,
    GammaRegressor,
    Lasso,
    LassoCV,
    LogisticRegression,
    LogisticRegressionCV,
    Moments,
    PoissonRegressor,
    PoissonRegressorCV,
    RowBlocks,
    TweedieRegressor,
    regularization_path,
)

CONCAVE = [("mcp", 3.0), ("mcp", 1.5), ("scad", 3.7), ("scad", 2.2)]


def penalty(name, a, t, l1):
    """The papers' formulas, element by element."""
    t = np.abs(t)
    if name == "mcp":
        return np.where(t <= a * l1, l1 * t - t * t / (2 * a), a * l1 * l1 / 2)
    middle = (2 * a * l1 * t - t * t - l1 * l1) / (2 * (a - 1))
    return np.where(t <= l1, l1 * t, np.where(t <= a * l1, middle, l1 * l1 * (a + 1) / 2))


def threshold(name, a, z, l1):
    """The minimum of ``(w - z)^2 / 2 + penalty(w)``: firm thresholding, and Fan and Li's."""
    size, sign = np.abs(z), np.sign(z)
    soft = np.maximum(size - l1, 0.0)
    if name == "mcp":
        return np.where(size <= a * l1, sign * soft * a / (a - 1), z)
    middle = sign * ((a - 1) * size - a * l1) / (a - 2)
    return np.where(size <= 2 * l1, sign * soft, np.where(size <= a * l1, middle, z))


def orthogonal(seed, n=64, p=8):
    """Columns of mean zero and variance one without correlation, and a target."""
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(n, p + 1))
    Z[:, 0] = 1.0
    X = np.linalg.qr(Z)[0][:, 1:] * np.sqrt(n)
    return X, X @ rng.normal(size=p) + 0.3 * rng.normal(size=n)


def table(seed, n=80, p=12, noise=1.0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) @ (np.eye(p) + 0.3 * rng.normal(size=(p, p)))
    w = np.where(rng.random(p) < 0.4, rng.normal(size=p) * 2, 0.0)
    return X, X @ w + noise * rng.normal(size=n)


def objective(X, y, w, b, alpha, name, a, l1_ratio=1.0):
    loss = 0.5 * np.mean((y - X @ w - b) ** 2)
    return (
        loss + penalty(name, a, w, alpha * l1_ratio).sum() + 0.5 * alpha * (1 - l1_ratio) * (w @ w)
    )


@pytest.mark.parametrize(("name", "a"), CONCAVE)
@pytest.mark.parametrize("seed", range(5))
def test_orthogonal_features_are_thresholded(name, a, seed):
    X, y = orthogonal(seed)
    z = X.T @ (y - y.mean()) / len(y)
    for alpha in (0.05, 0.3, 0.9):
        model = Lasso(alpha=alpha, concave=name, concavity=a).fit(X, y)
        np.testing.assert_allclose(model.coef_, threshold(name, a, z, alpha), atol=1e-9)
        assert model.dual_gap_ < 1e-10


@pytest.mark.parametrize(("name", "a"), CONCAVE)
@pytest.mark.parametrize("l1_ratio", [1.0, 0.7])
@pytest.mark.parametrize("seed", range(4))
def test_no_point_nearby_is_lower(name, a, l1_ratio, seed):
    X, y = table(seed, p=6)
    alpha, rng = 0.2, np.random.default_rng(seed)
    model = ElasticNet(alpha=alpha, l1_ratio=l1_ratio, concave=name, concavity=a).fit(X, y)
    w = model.coef_

    def at(w):
        return objective(X, y, w, np.mean(y - X @ w), alpha, name, a, l1_ratio)

    here = at(w)
    for size in (1e-4, 1e-3, 1e-2):
        for _ in range(100):
            step = rng.normal(size=6) * (rng.random(6) < 0.5)
            assert at(w + size * step) >= here - 1e-14
    # far below what the L1 part alone leaves
    assert here <= at(ElasticNet(alpha=alpha, l1_ratio=l1_ratio).fit(X, y).coef_)


@pytest.mark.parametrize(("name", "a"), CONCAVE)
def test_one_feature_is_at_its_global_minimum(name, a):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=30), rng.normal(size=30)
    x, y = (x - x.mean()) / x.std(), y - y.mean()
    grid = np.linspace(-3, 3, 60001)
    for beta, alpha in itertools.product((0.1, 0.5, 1.0, 2.0), (0.1, 0.4)):
        target = beta * x + y
        z = x @ target / 30
        brute = grid[np.argmin(0.5 * grid**2 - z * grid + penalty(name, a, grid, alpha))]
        model = Lasso(alpha=alpha, concave=name, concavity=a).fit(x[:, None], target)
        assert model.coef_[0] == pytest.approx(brute, abs=1e-4)


def descent(X, y, alpha, name, a, n_steps=5000):
    """Local linear approximation by hand: slopes at the last solution, thousands of times."""
    slopes, w = np.ones(X.shape[1]), None
    for _ in range(n_steps):
        last, w = w, Lasso(alpha=alpha, penalty_factor=slopes).fit(X, y).coef_
        if last is not None and np.abs(w - last).max() < 1e-12:
            break
        t = np.abs(w)
        if name == "mcp":
            slopes = np.maximum(1 - t / (a * alpha), 0)
        else:
            slopes = np.where(t <= alpha, 1, np.maximum(a - t / alpha, 0) / (a - 1))
    return w


@pytest.mark.parametrize(("name", "a"), CONCAVE)
@pytest.mark.parametrize("seed", range(3))
def test_the_limit_is_that_of_the_plain_descent(name, a, seed):
    X, y = table(seed)
    for alpha in (0.1, 0.4):
        model = Lasso(alpha=alpha, concave=name, concavity=a).fit(X, y)
        np.testing.assert_allclose(model.coef_, descent(X, y, alpha, name, a), atol=1e-7)


@pytest.mark.parametrize("options", [{"concave": "mcp"}, {"concave": "scad"}, {"adaptive": 1.0}])
def test_a_path_has_the_fits_at_its_alphas(options):
    X, y = table(1, n=40, p=60)
    model = Lasso(standardize=True, **options)
    path = regularization_path(model, X, y, alphas=20)
    for i in (0, 7, 15, 19):
        one = clone(model).set_params(alpha=path.alphas[i]).fit(X, y)
        np.testing.assert_allclose(one.coef_, path.coefs[:, i], atol=1e-7)
        assert one.intercept_ == pytest.approx(path.intercepts[i])
    assert path.converged.all()
    assert not path.coefs[:, 0].any()
    assert path.coefs[:, 1].any()


@given(
    seed=st.integers(0, 10**6),
    shape=st.sampled_from(CONCAVE),
    l1_ratio=st.sampled_from([1.0, 0.6]),
    depth=st.sampled_from([0.9, 0.5, 0.1, 0.02]),
    wide=st.booleans(),
    options=st.sampled_from([{}, {"standardize": True}, {"fit_intercept": False}]),
)
@settings(max_examples=60, deadline=None)
def test_fits_are_stationary(seed, shape, l1_ratio, depth, wide, options):
    (name, a), (n, p) = shape, (30, 50) if wide else (50, 15)
    X, y = table(seed, n, p)
    X[:, 3] = X[:, 2] + 0.1 * X[:, 3]
    model = ElasticNet(l1_ratio=l1_ratio, concave=name, concavity=a, **options)
    (alpha, *_) = regularization_path(model, X, y, alphas=1).alphas * depth
    found = model.set_params(alpha=alpha).fit(X, y)
    scale = X.std(axis=0) if "standardize" in options else np.ones(p)
    Z = (X - X.mean(axis=0) if found.fit_intercept else X) / scale
    w, residual = found.coef_ * scale, y - found.predict(X)
    q = Z.T @ residual / n - alpha * (1 - l1_ratio) * w
    l1, t, far = alpha * l1_ratio, np.abs(w), 1e-6 * np.sqrt(np.mean(y**2))
    slope = np.maximum(l1 - t / a, 0.0)
    if name == "scad":
        slope = np.where(t <= l1, l1, np.maximum(a * l1 - t, 0.0) / (a - 1))
    missed = np.where(w == 0, np.maximum(np.abs(q) - l1, 0.0), np.abs(q - slope * np.sign(w)))
    assert missed.max() <= far
    assert found.dual_gap_ < 1e-9


@given(seed=st.integers(0, 10**6), concave=st.sampled_from(["mcp", "scad"]))
@settings(max_examples=30, deadline=None)
def test_order_and_signs_of_features_do_not_matter(seed, concave):
    rng = np.random.default_rng(seed)
    X, y = table(seed)
    order, signs = rng.permutation(12), rng.choice([-1.0, 1.0], 12)
    model = Lasso(alpha=0.2, concave=concave)
    plain = clone(model).fit(X, y).coef_
    found = model.fit((X * signs)[:, order], y).coef_
    np.testing.assert_allclose(found, (plain * signs)[order], rtol=1e-6, atol=1e-8)


# The adaptive Lasso ---------------------------------------------------------------------------


def factors_of(coef, gamma):
    return np.where(coef != 0, np.abs(np.where(coef != 0, coef, 1.0)) ** -gamma, np.inf)


MODELS = [
    Lasso(alpha=0.1),
    ElasticNet(alpha=0.1, l1_ratio=0.6),
    PoissonRegressor(alpha=0.05, l1_ratio=1.0),
    GammaRegressor(alpha=0.05, l1_ratio=0.5),
    TweedieRegressor(alpha=0.05, l1_ratio=1.0, power=1.5),
    LogisticRegression(C=0.5, l1_ratio=1.0),
]


def target_for(model, y):
    if isinstance(model, LogisticRegression):
        return y > np.median(y)
    return y if isinstance(model, ElasticNet) else np.exp(0.2 * y)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
def test_the_adaptive_fit_is_two_fits(model, gamma):
    X, y = table(3)
    y, own = target_for(model, y), np.linspace(0.5, 2.0, X.shape[1])
    own[2] = 0.0
    first = clone(model).set_params(penalty_factor=own).fit(X, y)
    factors = own * factors_of(first.coef_.ravel(), gamma)
    factors[own == 0] = 0.0
    by_hand = clone(model).set_params(penalty_factor=factors).fit(X, y)
    found = clone(model).set_params(penalty_factor=own, adaptive=gamma).fit(X, y)
    np.testing.assert_allclose(found.coef_, by_hand.coef_, rtol=1e-6, atol=1e-8)
    assert not np.any(found.coef_[first.coef_ == 0])


def test_factors_are_of_standardized_features():
    X, y = table(5)
    scales = 10.0 ** np.arange(-3, 9)
    one = Lasso(alpha=0.1, adaptive=1.0, standardize=True).fit(X, y)
    other = Lasso(alpha=0.1, adaptive=1.0, standardize=True).fit(X * scales, y)
    np.testing.assert_allclose(other.coef_ * scales, one.coef_, rtol=1e-7, atol=1e-10)
    spread = X.std(axis=0)
    first = Lasso(alpha=0.1).fit(X / spread, y).coef_
    factors = factors_of(first, 1.0)
    by_hand = Lasso(alpha=0.1, penalty_factor=factors).fit(X / spread, y).coef_
    np.testing.assert_allclose(one.coef_ * spread, by_hand, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("kind", [LassoCV, PoissonRegressorCV, LogisticRegressionCV])
def test_adaptive_cross_validation_is_a_loop(kind, standardize):
    X, y = table(7, n=90)
    folds = list(KFold(3).split(X))
    options = {"cv": folds, "standardize": standardize, "alphas": 30}
    if kind is LassoCV:
        at = Lasso(standardize=standardize)
    elif kind is PoissonRegressorCV:
        y, options["l1_ratio"] = np.round(np.exp(0.2 * y)), 1.0
        at = PoissonRegressor(l1_ratio=1.0, standardize=standardize)
    else:
        y, options["l1_ratios"] = y > 0, [1.0]
        at = LogisticRegression(l1_ratio=1.0, standardize=standardize)

    def scaled(coef, rows):
        return coef.ravel() * (X[rows].std(axis=0) if standardize else 1.0)

    first = kind(**options).fit(X, y)
    found = kind(**options, adaptive=1.0, store_fold_coefs=True).fit(X, y)
    grid = found.cv_result_.alphas
    everything = np.arange(len(y))
    for k, rows in enumerate([*(train for train, _ in folds), everything]):
        (start,) = regularization_path(at, X[rows], y[rows], alphas=[first.alpha_]).coefs.T
        own = clone(at).set_params(penalty_factor=factors_of(scaled(start, rows), 1.0))
        path = regularization_path(own, X[rows], y[rows], alphas=grid)
        coefs = found.path_.coefs if rows is everything else found.cv_result_.fold_coefs[k]
        np.testing.assert_allclose(coefs, path.coefs, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        found.coef_.ravel(), found.path_.coef_at(found.alpha_), rtol=1e-4, atol=1e-6
    )


def test_factors_know_nothing_of_the_rows_held_out():
    """With noise alone the best error is that of the mean, but for chance."""
    ratios = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        X, y = rng.normal(size=(60, 200)), rng.normal(size=60)
        model = LassoCV(alphas=[0.05], cv=5, adaptive=1.0).fit(X, y)
        ratios.append(model.cv_result_.mean.min() / y.var())
    assert np.mean(ratios) > 1.0


@pytest.mark.parametrize("options", [{}, {"standardize": True}, {"relax": True}])
def test_adaptive_folds_of_row_blocks(options):
    X, y = table(3)
    fold = np.arange(len(y)) % 4
    folds = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(4)]
    model = LassoCV(alphas=20, adaptive=1.0, **options)
    known = clone(model).set_params(cv=folds).fit(X, y)
    parts = [slice(0, 30), slice(30, None)]
    found = model.fit(RowBlocks(lambda: ((X[i], y[i], None, fold[i]) for i in parts)))
    np.testing.assert_allclose(found.coef_, known.coef_, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.mse_path_, known.mse_path_)


def test_adaptive_by_a_criterion():
    X, y = table(8)
    first = LassoCV(rule="bic").fit(X, y)
    found = LassoCV(rule="bic", adaptive=1.0).fit(X, y)
    by_hand = LassoCV(rule="bic", penalty_factor=factors_of(first.coef_, 1.0)).fit(X, y)
    np.testing.assert_allclose(found.coef_, by_hand.coef_, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(found.criterion_, by_hand.criterion_)


def test_the_first_fit_has_the_best_share_of_l1():
    X, y = table(9)
    shares = [0.3, 1.0]
    first = ElasticNetCV(l1_ratio=shares, cv=3).fit(X, y)
    found = ElasticNetCV(l1_ratio=shares, cv=3, adaptive=1.0).fit(X, y)
    assert not np.any(found.coef_[first.coef_ == 0])
    factors = factors_of(first.coef_, 1.0)
    by_hand = ElasticNet(alpha=found.alpha_, l1_ratio=found.l1_ratio_, penalty_factor=factors).fit(
        X, y
    )
    np.testing.assert_allclose(found.coef_, by_hand.coef_, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("options", [{}, {"standardize": True}])
@pytest.mark.parametrize(("kind", "n"), [(LassoCV, 90), (LassoCV, 15), (PoissonRegressorCV, 90)])
def test_folds_have_the_descents_of_their_rows(kind, n, options):
    X, y = table(7, n=n)
    at, own = Lasso(concave="mcp", **options), {}
    if kind is PoissonRegressorCV:
        y, own = np.round(np.exp(0.2 * y)), {"l1_ratio": 1.0}
        at = PoissonRegressor(concave="mcp", **own, **options)
    folds = list(KFold(3).split(X))
    model = kind(concave="mcp", cv=folds, alphas=12, store_fold_coefs=True, **own, **options)
    found = model.set_params(eps=0.05).fit(X, y).cv_result_
    for (train, test), coefs, intercepts, errors in zip(
        folds, found.fold_coefs, found.fold_intercepts, found.errors.T, strict=True
    ):
        path = regularization_path(at, X[train], y[train], alphas=found.alphas)
        np.testing.assert_allclose(coefs, path.coefs, rtol=1e-5, atol=1e-6)
        if kind is LassoCV:
            left = y[test, None] - X[test] @ coefs - intercepts
            np.testing.assert_allclose(errors, np.mean(left**2, axis=0))


# Other losses, rows and units -----------------------------------------------------------------


@pytest.mark.parametrize(("name", "a"), CONCAVE)
def test_logistic_regression_is_at_a_local_minimum(name, a):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 5))
    y = X @ [2.0, -1.0, 0.3, 0.0, 0.0] + rng.logistic(size=200) > 0
    alpha = 0.03
    model = LogisticRegression(C=1 / (alpha * 200), l1_ratio=1.0, concave=name, concavity=a).fit(
        X, y
    )

    def at(point):
        eta = X @ point[:-1] + point[-1]
        loss = np.mean(np.logaddexp(0.0, eta) - y * eta)
        return loss + penalty(name, a, point[:-1], alpha).sum()

    best = np.append(model.coef_[0], model.intercept_)
    assert model.converged_
    for _ in range(300):
        step = rng.normal(size=6) * (rng.random(6) < 0.6)
        for size in (1e-4, 1e-3, 1e-2):
            assert at(best + size * step) >= at(best) - 1e-12
    begun = optimize.minimize(at, best, method="Nelder-Mead", options={"maxiter": 2000})
    assert begun.fun >= at(best) - 1e-9


POWERS = [-300, -70, 70, 300]


@pytest.mark.parametrize("concave", ["mcp", "scad"])
@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("power", POWERS)
def test_a_concave_fit_has_the_unit_of_its_target(concave, standardize, power):
    X, y = table(2)
    model = Lasso(standardize=standardize, concave=concave)
    plain = clone(model).set_params(alpha=0.2).fit(X, y).coef_
    unit = 2.0**power
    found = clone(model).set_params(alpha=0.2 * unit).fit(X, y * unit).coef_
    np.testing.assert_allclose(found / unit, plain, rtol=1e-9, atol=1e-12)
    if standardize:
        found = clone(model).set_params(alpha=0.2).fit(X * unit, y).coef_
        np.testing.assert_allclose(found * unit, plain, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("power", [-300, -70, -1])
def test_a_concavity_has_the_unit_of_squares_of_features(power):
    X, y = table(2)
    unit = 2.0**power
    plain = Lasso(alpha=0.2, concave="mcp").fit(X, y).coef_
    found = Lasso(alpha=0.2 * unit, concave="mcp", concavity=3.0 / unit**2).fit(X * unit, y)
    np.testing.assert_allclose(found.coef_ * unit, plain, rtol=1e-9, atol=1e-12)
    classes = {"C": 0.1, "l1_ratio": 1.0, "concave": "mcp"}
    plain = LogisticRegression(**classes).fit(X, y > 0).coef_
    classes |= {"C": 0.1 / unit, "concavity": 3.0 / unit**2}
    found = LogisticRegression(**classes).fit(X * unit, y > 0)
    np.testing.assert_allclose(found.coef_ * unit, plain, rtol=1e-6, atol=1e-9)


def test_one_column_far_smaller_than_the_others():
    """Its factor and its concavity are those of its own unit."""
    X, y = table(2, p=4)
    y, small = y + 3 * X[:, 1], X.copy()
    small[:, 1] *= 2.0**-100
    model = Lasso(alpha=0.2, concave="mcp", penalty_factor=[1, 2.0**-100, 1, 1])
    found = model.fit(small, y).coef_
    assert found[1] != 0
    z = small[:, 1] - small[:, 1].mean()
    # so large a coefficient is far past where the penalty ends
    assert z @ (y - y.mean() - (small - small.mean(axis=0)) @ found) == pytest.approx(
        0.0, abs=1e-10 * 2.0**-100 * np.abs(y).sum()
    )


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("power", POWERS)
def test_an_adaptive_cross_validation_has_the_unit_of_its_target(standardize, power):
    X, y = table(2)
    model = LassoCV(standardize=standardize, adaptive=1.0, cv=3, alphas=20)
    plain, unit = clone(model).fit(X, y).coef_, 2.0**power
    np.testing.assert_allclose(model.fit(X, y * unit).coef_ / unit, plain, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(model.fit(X * unit, y).coef_ * unit, plain, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "options", [{"concave": "mcp"}, {"concave": "scad", "l1_ratio": 0.7}, {"adaptive": 1.0}]
)
def test_weights_are_repeated_rows(options):
    X, y = table(4)
    counts = np.arange(len(y)) % 3
    model = ElasticNet(alpha=0.1, **{"l1_ratio": 1.0, **options})
    weighted = clone(model).fit(X, y, sample_weight=counts)
    repeated = clone(model).fit(np.repeat(X, counts, axis=0), np.repeat(y, counts))
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("options", [{"concave": "mcp"}, {"adaptive": 1.0}])
def test_kinds_of_tables(options):
    sparse = pytest.importorskip("scipy.sparse")
    X, y = table(6)
    X = np.where(np.abs(X) > 0.7, X, 0.0)
    dense = Lasso(alpha=0.1, **options).fit(X, y)
    found = Lasso(alpha=0.1, **options).fit(sparse.csr_matrix(X), y)
    np.testing.assert_allclose(found.coef_, dense.coef_, rtol=1e-7, atol=1e-9)
    narrow = Lasso(alpha=0.1, **options).fit(X.astype(np.float32), y)
    assert narrow.coef_.dtype == np.float32
    np.testing.assert_allclose(narrow.coef_, dense.coef_, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("options", [{"concave": "mcp"}, {"concave": "scad"}, {"adaptive": 1.0}])
def test_classes_of_sparse_tables_and_bounds(options):
    sparse = pytest.importorskip("scipy.sparse")
    X, y = table(6, n=60, p=120)
    X = np.where(np.abs(X) > 1.0, X, 0.0)
    # without a squared part there is no minimum where some few features separate the classes
    model = LogisticRegression(l1_ratio=0.8, C=0.5, **options)
    dense = clone(model).fit(X, y > 0)
    found = clone(model).fit(sparse.csc_matrix(X), y > 0)
    assert dense.converged_
    assert dense.coef_.any()
    np.testing.assert_allclose(found.coef_, dense.coef_, rtol=1e-5, atol=1e-7)
    bounded = clone(model).set_params(lower_bound=0.0).fit(X, y > 0)
    assert np.all(bounded.coef_ >= 0)
    assert bounded.converged_


def test_bounds_and_factors_hold_with_a_concave_penalty():
    X, y = table(10)
    factors = np.ones(12)
    factors[[0, 1]] = 0.0, np.inf
    model = Lasso(
        alpha=0.2, concave="mcp", penalty_factor=factors, lower_bound=-0.5, upper_bound=1.0
    ).fit(X, y)
    assert np.all((model.coef_ >= -0.5) & (model.coef_ <= 1.0))
    assert model.coef_[1] == 0.0
    assert model.dual_gap_ < 1e-10
    residual = y - model.predict(X)
    q = (X - X.mean(axis=0)).T @ residual / len(y)
    slopes = 0.2 * factors[2:] - np.abs(model.coef_[2:]) / 3.0
    inside = (np.abs(model.coef_[2:]) > 0) & (model.coef_[2:] > -0.5) & (model.coef_[2:] < 1.0)
    wanted = np.maximum(slopes, 0.0) * np.sign(model.coef_[2:])
    np.testing.assert_allclose(q[2:][inside], wanted[inside], atol=1e-5)


def test_targets_have_concave_penalties_of_their_own():
    X, y = table(11)
    Y = np.stack([y, -2 * y + X[:, 0], X[:, 1]], axis=1)
    together = Lasso(alpha=0.2, concave="mcp").fit(X, Y)
    for k in range(3):
        one = Lasso(alpha=0.2, concave="mcp").fit(X, Y[:, k])
        np.testing.assert_allclose(together.coef_[k], one.coef_, rtol=1e-7, atol=1e-9)
    model = LassoCV(concave="scad", alphas=10, cv=3).fit(X, Y)
    assert np.all(model.dual_gap_ < 1e-8)


def test_too_few_steps_are_told_with_an_upper_bound():
    X, y = table(12)
    options = {"concavity": 1.2, "upper_bound": 99.0, "max_iter": 3, "tol": 1e-10}
    with pytest.warns(ConvergenceWarning) as told:
        model = Lasso(alpha=0.3, concave="mcp", **options).fit(X, y)
    assert len(told) == 1
    assert not model.converged_
    slopes = np.maximum(1.0 - np.abs(model.coef_) / (1.2 * 0.3), 0.0)
    touching = Lasso(alpha=0.3, penalty_factor=slopes).fit(X, y)

    def at(coef):
        loss = 0.5 * np.mean((y - y.mean() - (X - X.mean(axis=0)) @ coef) ** 2)
        return loss + 0.3 * slopes @ np.abs(coef)

    below = (at(model.coef_) - at(touching.coef_)) / np.mean((y - y.mean()) ** 2)
    assert model.dual_gap_ >= below - 1e-12


@pytest.mark.parametrize("options", [{"concave": "mcp"}, {"adaptive": 1.0}])
def test_relaxed_fits_keep_the_support(options):
    X, y = table(13)
    found = Lasso(alpha=0.3, relax=0.0, **options).fit(X, y)
    support = Lasso(alpha=0.3, **options).fit(X, y).coef_ != 0
    np.testing.assert_array_equal(found.coef_ != 0, support)
    refit = Lasso(alpha=0.0, penalty_factor=np.where(support, 1.0, np.inf)).fit(X, y)
    np.testing.assert_allclose(found.coef_, refit.coef_, rtol=1e-8, atol=1e-10)
    model = LassoCV(relax=True, cv=3, **options).fit(X, y)
    assert model.relax_ in (0.0, 0.25, 0.5, 0.75, 1.0)
    if "adaptive" in options:  # its factors are those of the penalised fit
        first = LassoCV(cv=3).fit(X, y)
        assert not np.any(model.coef_[first.coef_ == 0])


# What is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (Lasso(adaptive=1.0, concave="mcp"), "adaptive and concave"),
        (Lasso(concavity=3.0), "concavity belongs to a concave penalty"),
        (Lasso(concave="scad", concavity=2.0), "concavity must be above 2"),
        (Lasso(concave="mcp", concavity=1.0), "concavity"),
        (Lasso(concave="lq"), "concave"),
        (Lasso(adaptive=0.0), "adaptive"),
        (Lasso(adaptive=True), "adaptive"),
        (ElasticNet(l1_ratio=0.0, adaptive=1.0), "adaptive needs an L1 part"),
        (ElasticNetCV(l1_ratio=[0.5, 0.0], concave="mcp"), "concave needs an L1 part"),
        (PoissonRegressor(concave="mcp"), "concave needs an L1 part"),
        (LogisticRegression(adaptive=1.0), "adaptive needs an L1 part"),
    ],
)
def test_what_is_refused(model, words):
    X, y = table(0)
    with pytest.raises((ValueError, TypeError), match=words):
        model.fit(X, np.abs(y) > 1)


def test_several_classes_or_adaptive_targets_are_refused():
    X, y = table(0)
    with pytest.raises(ValueError, match="adaptive takes two classes"):
        LogisticRegression(l1_ratio=1.0, adaptive=1.0).fit(X, np.arange(len(y)) % 3)
    Y = np.stack([y, y], axis=1)
    several, moments = "adaptive takes one target: fit them one by one", Moments.of(X, Y)
    for model in (Lasso(adaptive=1.0), LassoCV(adaptive=1.0), LassoCV(adaptive=1.0, rule="bic")):
        with pytest.raises(ValueError, match=several):
            model.fit(X, Y)
        with pytest.raises(ValueError, match=several):
            model.fit(RowBlocks([(X[i::2], Y[i::2]) for i in range(2)]))
        with pytest.raises(ValueError, match=several):
            model.fit_moments(moments if isinstance(model, Lasso) else [moments] * 2)
        assert not model.__sklearn_tags__().target_tags.multi_output
    with pytest.raises(ValueError, match=several):
        regularization_path(Lasso(adaptive=1.0), X, Y)
    streamed = Lasso(adaptive=1.0).partial_fit(X, Y)
    with pytest.raises(ValueError, match=several):
        _ = streamed.coef_


def test_a_column_is_one_adaptive_target():
    X, y = table(0)
    for model in (Lasso(alpha=0.1, adaptive=1.0), LassoCV(adaptive=1.0)):
        wanted = clone(model).fit(X, y)
        with pytest.warns(DataConversionWarning, match="column-vector"):
            found = clone(model).fit(X, y[:, None])
        np.testing.assert_array_equal(found.coef_, wanted.coef_)
        assert np.shape(found.intercept_) == ()
