"""Changes of the data that may change the answer in one known way only."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from skreg import (
    ElasticNet,
    ElasticNetCV,
    Lasso,
    LassoCV,
    Ridge,
    RidgeCV,
    regularization_path,
)

pytestmark = pytest.mark.filterwarnings("ignore:.*the best alpha:UserWarning")

MODELS = {
    "lasso": Lasso(0.05, tol=1e-12),
    "lasso on a working set": Lasso(0.05, precompute=False, tol=1e-12),
    "elastic net": ElasticNet(0.1, l1_ratio=0.4, standardize=True, tol=1e-12),
    "no intercept": ElasticNet(0.1, l1_ratio=0.9, fit_intercept=False, tol=1e-12),
    "bounded": Lasso(0.02, lower_bound=-0.1, upper_bound=0.3, tol=1e-12),
    "least squares": Lasso(0.0, tol=1e-12),
    "ridge": Ridge(2.0),
    "ridge, standardized": Ridge(0.5, standardize=True),
}


def data(seed, n=30, p=8):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) * np.linspace(0.5, 2.0, p) + rng.standard_normal((n, 1)) + 1.0
    return X, X[:, :3] @ [1.0, -2.0, 0.5] + rng.standard_normal(n) + 3.0, rng


def answer(model, X, y, weight=None):
    model.fit(X, y, sample_weight=weight)
    return np.append(model.coef_, model.intercept_)


def same(found, expected, atol=1e-9):
    np.testing.assert_allclose(found, expected, rtol=0, atol=atol)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("stored", [np.array, sparse.csr_array])
@settings(max_examples=10)
@given(seed=st.integers(0, 10_000))
def test_weight_k_is_the_row_k_times(name, stored, seed):
    X, y, rng = data(seed)
    counts = rng.integers(0, 4, len(y))
    counts[:2] = 1, 3
    rows = np.repeat(np.arange(len(y)), counts)
    weighted = answer(MODELS[name], stored(X), y, counts.astype(float))
    same(answer(MODELS[name], stored(X[rows]), y[rows]), weighted)
    kept = counts > 0
    same(answer(MODELS[name], stored(X[kept]), y[kept], counts[kept].astype(float)), weighted)


@pytest.mark.parametrize(
    "estimator", [Lasso(tol=1e-12), ElasticNet(l1_ratio=0.3, tol=1e-12), Ridge()]
)
@pytest.mark.parametrize("stored", [np.array, sparse.csr_array])
def test_weights_in_paths_and_grids(estimator, stored):
    X, y, rng = data(1)
    counts = rng.integers(0, 4, len(y))
    rows = np.repeat(np.arange(len(y)), counts)
    weighted = regularization_path(
        estimator, stored(X), y, alphas=20, sample_weight=counts.astype(float)
    )
    repeated = regularization_path(estimator, stored(X[rows]), y[rows], alphas=20)
    np.testing.assert_allclose(weighted.alphas, repeated.alphas, rtol=1e-10)
    same(weighted.coefs, repeated.coefs)
    same(weighted.intercepts, repeated.intercepts)
    same(weighted.dev_ratio, repeated.dev_ratio)
    same(weighted.df, repeated.df)


CV_MODELS = {
    "lasso": LassoCV(tol=1e-12),
    "elastic net": ElasticNetCV(l1_ratio=[0.3, 1.0], tol=1e-12),
    "ridge": RidgeCV(scoring="neg_mean_squared_error"),
    "ridge, r2": RidgeCV(),
}


@pytest.mark.parametrize("name", CV_MODELS)
def test_weights_in_cross_validation(name):
    """Repeated rows stay together in a fold, as the weighted row does."""
    X, y, rng = data(2, n=40)
    counts = rng.integers(0, 4, len(y))
    counts[::4] = 1  # each fold has rows
    fold = np.arange(len(y)) % 4
    rows = np.repeat(np.arange(len(y)), counts)

    def folds(of):
        return [(np.flatnonzero(of != k), np.flatnonzero(of == k)) for k in range(4)]

    model = CV_MODELS[name]
    weighted = model.set_params(cv=folds(fold)).fit(X, y, sample_weight=counts.astype(float))
    errors, alpha, result = weighted.cv_result_.errors, weighted.alpha_, weighted.cv_result_
    mean, spread = result.mean, result.standard_error
    removed = counts > 0
    part = model.set_params(cv=folds(fold[removed])).fit(
        X[removed], y[removed], sample_weight=counts[removed].astype(float)
    )
    np.testing.assert_allclose(part.cv_result_.errors, errors, rtol=1e-7)
    assert part.alpha_ == pytest.approx(alpha)
    repeated = model.set_params(cv=folds(fold[rows])).fit(X[rows], y[rows])
    np.testing.assert_allclose(repeated.cv_result_.errors, errors, rtol=1e-7)
    np.testing.assert_allclose(repeated.cv_result_.mean, mean, rtol=1e-7)
    np.testing.assert_allclose(repeated.cv_result_.standard_error, spread, rtol=1e-7)
    assert repeated.alpha_ == pytest.approx(alpha)


def test_weight_zero_is_no_row_in_leave_one_out():
    X, y, rng = data(3)
    weight = rng.integers(0, 3, len(y)).astype(float)
    kept = weight > 0
    alphas = np.geomspace(1e2, 1e-2, 12)
    whole = RidgeCV(alphas).fit(X, y, sample_weight=weight)
    part = RidgeCV(alphas).fit(X[kept], y[kept], sample_weight=weight[kept])
    np.testing.assert_allclose(whole.cv_result_.mean, part.cv_result_.mean, rtol=1e-10)
    np.testing.assert_allclose(
        whole.cv_result_.standard_error, part.cv_result_.standard_error, rtol=1e-10
    )
    assert whole.alpha_ == part.alpha_


@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=10)
@given(seed=st.integers(0, 10_000))
def test_order_of_rows_and_columns(name, seed):
    X, y, rng = data(seed)
    rows, columns = rng.permutation(len(y)), rng.permutation(X.shape[1])
    expected = answer(MODELS[name], X, y)
    same(answer(MODELS[name], X[rows], y[rows]), expected)
    found = answer(MODELS[name], X[:, columns], y)
    same(found, np.append(expected[:-1][columns], expected[-1]))


@pytest.mark.parametrize("factor", [1e-12, 1e-3, -1.0, 1e9])
@pytest.mark.parametrize("name", MODELS)
def test_scale_of_the_target(name, factor):
    """Scaling y, an L1 penalty and the bounds with it, scales the answer."""
    X, y, _ = data(5)
    model = MODELS[name]
    expected = answer(model, X, y)
    settings_of = model.get_params()
    changed = {}
    if isinstance(model, Lasso):
        changed["alpha"] = settings_of["alpha"] * abs(factor)
    elif isinstance(model, ElasticNet):
        # The L1 part grows with the scale, the L2 part does not.
        factor = min(factor, 1e4)  # 1 - l1_ratio has no more digits
        l1 = settings_of["alpha"] * settings_of["l1_ratio"] * abs(factor)
        l2 = settings_of["alpha"] * (1 - settings_of["l1_ratio"])
        changed = {"alpha": l1 + l2, "l1_ratio": l1 / (l1 + l2)}
    if settings_of["lower_bound"] is not None:
        ends = sorted([settings_of["lower_bound"] * factor, settings_of["upper_bound"] * factor])
        changed |= {"lower_bound": ends[0], "upper_bound": ends[1]}
    found = answer(type(model)(**{**settings_of, **changed}), X, y * factor)
    same(found / factor, expected)


@pytest.mark.parametrize("power", [-8, 8])
@pytest.mark.parametrize("name", ["lasso", "elastic net", "ridge", "ridge, standardized"])
def test_units_of_the_features(name, power):
    """Where X is standardized, units do not matter; elsewhere the penalty has to follow."""
    X, y, _ = data(6)
    unit = 10.0**power
    model = MODELS[name]
    expected = answer(model, X, y)[:-1]
    params = model.get_params()
    if not params["standardize"]:
        params["alpha"] *= unit if isinstance(model, Lasso) else unit**2
    same(answer(type(model)(**params), X * unit, y)[:-1] * unit, expected)


@pytest.mark.parametrize("stored", [np.array, sparse.csc_array])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("shape", [(30, 8), (8, 30), (20, 20)])
@pytest.mark.parametrize("rank", ["full", "deficient"])
def test_alpha_zero_is_least_squares_of_minimum_norm(shape, rank, fit_intercept, stored):
    rng = np.random.default_rng(7)
    X = rng.standard_normal(shape)
    if rank == "deficient":
        X[:, 1::2] = X[:, ::2] @ rng.standard_normal((X[:, ::2].shape[1], X[:, 1::2].shape[1]))
    y = rng.standard_normal(len(X)) + 1.0
    mean, y_mean = (X.mean(axis=0), y.mean()) if fit_intercept else (0.0, 0.0)
    expected = np.linalg.lstsq(X - mean, y - y_mean, rcond=1e-10)[0]
    atol = 1e-9
    for model in (
        Lasso(0.0),
        ElasticNet(0.0, l1_ratio=0.3),
        ElasticNet(0.0, solver="cd"),
        Ridge(0.0),
    ):
        model.set_params(fit_intercept=fit_intercept).fit(stored(X), y)
        same(model.coef_, expected, atol * np.abs(expected).max())
        assert np.all(model.converged_)
    path = regularization_path(
        Lasso(fit_intercept=fit_intercept), stored(X), y, alphas=[0.1, 0.01, 0]
    )
    same(path.coefs[:, -1], expected, atol * np.abs(expected).max())


@pytest.mark.parametrize("shape", [(30, 8), (8, 30)])
@pytest.mark.parametrize("solver", ["auto", "cd"])
@pytest.mark.parametrize("weighted", [False, True])
def test_without_an_l1_part_it_is_ridge(shape, solver, weighted):
    rng = np.random.default_rng(8)
    X, y = rng.standard_normal(shape), rng.standard_normal(shape[0])
    weight = rng.random(shape[0]) if weighted else None
    total = weight.sum() if weighted else len(y)
    for alpha in (1e-4, 0.1, 10.0):
        net = ElasticNet(alpha, l1_ratio=0.0, solver=solver, tol=1e-12)
        ridge = Ridge(alpha * total)
        same(answer(net, X, y, weight), answer(ridge, X, y, weight))


@pytest.mark.parametrize("stored", [np.array, sparse.csc_array])
def test_float32_gives_float32_close_to_float64(stored):
    X, y, _ = data(9)
    X = X.astype(np.float32)
    for model in (Lasso(0.05), Ridge(1.0)):
        wide = model.fit(stored(X.astype(np.float64)), y).coef_
        narrow = model.fit(stored(X), y).coef_
        assert narrow.dtype == np.float32
        same(narrow, wide, 1e-6)
