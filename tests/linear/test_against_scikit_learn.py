"""Agreement with scikit-learn at tight tolerance: objective, predictions, cross-validated errors.

scikit-learn's answers carry its own error: ours may never have the larger objective beyond
rounding.
"""

import warnings

import numpy as np
import pytest
import sklearn.linear_model as scikit_learn
from exact import Problem
from scipy import sparse
from sklearn.datasets import load_diabetes, make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    RepeatedKFold,
    ShuffleSplit,
    TimeSeriesSplit,
)

import skreg

# Where the best alpha lies is no matter here.
pytestmark = pytest.mark.filterwarnings("ignore:.*the best alpha:UserWarning")

TIGHT = {"tol": 1e-15, "max_iter": 100_000}
SHAPES = {"tall": (120, 15), "square": (40, 40), "wide": (30, 80)}
MIXINGS = [1.0, 0.9, 0.5, 0.1]
CASES = {
    "plain": {},
    "no intercept": {"fit_intercept": False},
    "positive": {"positive": True},
    "positive, no intercept": {"positive": True, "fit_intercept": False},
}


def problem(shape, seed=0, n_targets=1):
    """Correlated features of different sizes, off centre, with weights of which some are zero."""
    rng = np.random.default_rng(seed)
    n, p = SHAPES[shape]
    X = rng.standard_normal((n, p)) + 0.8 * rng.standard_normal((n, 1))
    X = np.where(rng.random((n, p)) < 0.4, 0.0, X * rng.uniform(0.3, 3.0, p) + 0.5)
    coef = rng.standard_normal((p, n_targets)) * (rng.random((p, n_targets)) < 0.3)
    Y = X @ coef + rng.standard_normal((n, n_targets)) + 2.0
    weight = rng.integers(0, 4, n).astype(float) + 0.25 * rng.random(n)
    weight[:2] = 0.0
    return X, np.squeeze(Y), weight


def alpha_of(X, y, l1_ratio, share=0.05):
    """A share of the largest alpha of interest."""
    centred = np.reshape(y - y.mean(axis=0), (len(y), -1))
    return float(share * np.abs((X - X.mean(axis=0)).T @ centred).max() / len(y) / l1_ratio)


def fitted(model, X, y, weight=None):
    """scikit-learn warns when it stops short of its tolerance, here below rounding."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X, y, sample_weight=weight)


def assert_same(ours, theirs, X, Y, alpha, l1_ratio, weight, **settings):
    """Predictions and objective to 1e-8, target by target, and ours never the larger."""
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=0, atol=1e-8 * np.ptp(Y))
    columns = Y.reshape(len(Y), -1).T
    pairs = np.atleast_2d(ours.coef_), np.atleast_2d(theirs.coef_)
    for y, own, other in zip(columns, *pairs, strict=True):
        task = Problem.of(X, y, alpha, l1_ratio, weight, **settings)
        own, other = task.objective(own), task.objective(other)
        assert own <= other + 1e-14 * task.unit
        assert abs(own - other) <= 1e-8 * other


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "stored", [np.array, np.asfortranarray, sparse.csc_array, sparse.csr_array]
)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("case", CASES)
def test_elastic_net(case, shape, stored, weighted):
    X, y, weight = problem(shape)
    weight = weight if weighted else None
    given = stored(X)
    for l1_ratio in MIXINGS:
        alpha = alpha_of(X, y, l1_ratio)
        settings = {"alpha": alpha, "l1_ratio": l1_ratio, **CASES[case]}
        theirs = fitted(scikit_learn.ElasticNet(**settings, **TIGHT), given, y, weight)
        ours = skreg.ElasticNet(**settings, tol=1e-12).fit(given, y, sample_weight=weight)
        assert_same(ours, theirs, given, y, weight=weight, **settings)
        assert ours.intercept_ == pytest.approx(theirs.intercept_, abs=1e-8 * np.ptp(y))


@pytest.mark.parametrize("precompute", [False, True, "auto"])
@pytest.mark.parametrize("shape", SHAPES)
def test_lasso_with_several_targets(shape, precompute):
    X, Y, weight = problem(shape, n_targets=3)
    alpha = alpha_of(X, Y, 1.0)
    theirs = fitted(scikit_learn.Lasso(alpha, **TIGHT), X, Y, weight)
    ours = skreg.Lasso(alpha, tol=1e-12, precompute=precompute).fit(X, Y, sample_weight=weight)
    assert_same(ours, theirs, X, Y, alpha, 1.0, weight)
    assert ours.coef_.shape == theirs.coef_.shape


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("stored", [np.array, sparse.csr_array])
@pytest.mark.parametrize("shape", SHAPES)
def test_ridge(shape, stored, weighted, fit_intercept):
    X, Y, weight = problem(shape, n_targets=2)
    weight = weight if weighted else None
    total = len(Y) if weight is None else weight.sum()
    given = stored(X)
    for alpha in (1e-3, 1.0, 1e3):
        settings = {"alpha": alpha, "fit_intercept": fit_intercept}
        # Its solvers for a sparse X with an intercept are iterative: the dense X is more exact.
        theirs = scikit_learn.Ridge(**settings, solver="svd").fit(X, Y, weight)
        ours = skreg.Ridge(**settings).fit(given, Y, sample_weight=weight)
        assert_same(ours, theirs, given, Y, alpha / total, 0.0, weight, fit_intercept=fit_intercept)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("positive", [False, True])
def test_paths(shape, positive):
    X, y, _ = problem(shape)
    alphas = alpha_of(X, y, 0.7, share=1.0) * np.geomspace(1, 1e-2, 12)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        _, theirs, _ = scikit_learn.enet_path(
            X, y, l1_ratio=0.7, alphas=alphas, positive=positive, **TIGHT
        )
    grid, ours, gaps = skreg.enet_path(X, y, l1_ratio=0.7, alphas=alphas, positive=positive)
    np.testing.assert_allclose(grid, alphas)
    np.testing.assert_allclose(X @ ours, X @ theirs, rtol=0, atol=1e-8 * np.ptp(y))
    assert np.all(gaps <= 1e-12 * (y @ y) / len(y))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
@pytest.mark.parametrize("shape", SHAPES)
def test_cross_validated_errors(shape, l1_ratio, weighted):
    X, y, weight = problem(shape)
    weight = weight + 0.01 if weighted else None  # scikit-learn divides by the weight of a fold
    alphas = alpha_of(X, y, l1_ratio, share=1.0) * np.geomspace(1.2, 1e-2, 10)
    settings = {"alphas": alphas, "l1_ratio": l1_ratio, "cv": KFold(4)}
    theirs = fitted(scikit_learn.ElasticNetCV(**settings, **TIGHT), X, y, weight)
    ours = skreg.ElasticNetCV(**settings, tol=1e-12).fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(ours.mse_path_, theirs.mse_path_, rtol=1e-8)
    np.testing.assert_array_equal(ours.alphas_, theirs.alphas_)
    assert ours.alpha_ == theirs.alpha_
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=0, atol=1e-8 * np.ptp(y))


def test_layout_of_the_errors_for_several_mixings():
    X, y, _ = problem("tall")
    settings = {"l1_ratio": [0.5, 0.9, 1.0], "eps": 1e-2, "cv": 3}
    theirs = fitted(scikit_learn.ElasticNetCV(**settings, **TIGHT), X, y)
    ours = skreg.ElasticNetCV(**settings).fit(X, y)
    np.testing.assert_allclose(ours.alphas_, theirs.alphas_, rtol=1e-12)
    np.testing.assert_allclose(ours.mse_path_, theirs.mse_path_, rtol=1e-8)
    assert (ours.l1_ratio_, ours.alpha_) == (theirs.l1_ratio_, pytest.approx(theirs.alpha_))


DATA = {
    "diabetes": lambda: load_diabetes(return_X_y=True),
    "informative": lambda: make_regression(60, 12, n_informative=4, noise=20.0, random_state=0),
    "wide": lambda: make_regression(40, 90, n_informative=6, noise=5.0, random_state=1),
    "noise": lambda: make_regression(50, 20, n_informative=0, noise=1.0, random_state=2),
}
SPLITTERS = {
    "folds": lambda n: KFold(2),
    "repeated": lambda n: RepeatedKFold(n_splits=2, n_repeats=3, random_state=0),
    "shuffled": lambda n: ShuffleSplit(5, test_size=0.25, random_state=0),
    "time series": lambda n: TimeSeriesSplit(4, test_size=n // 6),
}


@pytest.mark.one_in(3)
@pytest.mark.parametrize("estimator", [skreg.Lasso, scikit_learn.Lasso])
@pytest.mark.parametrize("splitter", SPLITTERS)
@pytest.mark.parametrize("data", DATA)
def test_lasso_cv_chooses_what_a_grid_search_chooses(data, splitter, estimator):
    """Folds of equal size: the grid search does not weigh them."""
    X, y = DATA[data]()
    cv = SPLITTERS[splitter](len(y))
    alphas = alpha_of(X, y, 1.0, share=1.0) * np.geomspace(1, 1e-3, 25)
    search = GridSearchCV(
        estimator(**({} if estimator is skreg.Lasso else {"tol": 1e-12, "max_iter": 50_000})),
        {"alpha": alphas},
        scoring="neg_mean_squared_error",
        cv=cv,
    ).fit(X, y)
    chosen = skreg.LassoCV(alphas=alphas, cv=cv).fit(X, y)
    assert chosen.alpha_ == search.best_params_["alpha"]
    rtol = 1e-10 if estimator is skreg.Lasso else 1e-6
    mean = -search.cv_results_["mean_test_score"]
    np.testing.assert_allclose(chosen.cv_result_.mean, mean, rtol=rtol)
    np.testing.assert_allclose(chosen.predict(X), search.predict(X), rtol=0, atol=rtol * np.ptp(y))
