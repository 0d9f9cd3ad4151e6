"""The digits of leave-one-out, against a fit to each set of n - 1 rows in extended precision."""

import numpy as np
import pytest
from exact import REAL
from polish import orthogonal_factor, triangular_solve
from scipy import sparse
from sklearn.datasets import load_diabetes
from sklearn.model_selection import LeaveOneOut

import skreg
from skreg import RidgeCV
from skreg.solvers.ridge.shrinkage import MANY_TARGETS


def refits(X, y, alpha, weight):
    """The prediction of each row by the others."""
    found, X, y, weight = np.zeros(len(y)), X.astype(REAL), y.astype(REAL), weight.astype(REAL)
    for i in range(len(y)):
        rest = np.delete(np.arange(len(y)), i)
        total = weight[rest].sum()
        x_mean, y_mean = weight[rest] @ X[rest] / total, weight[rest] @ y[rest] / total
        root = np.sqrt(weight[rest])
        penalty = np.sqrt(REAL(alpha)) * np.eye(X.shape[1], dtype=REAL)
        A = np.vstack([root[:, None] * (X[rest] - x_mean), penalty])
        b = np.concatenate([root * (y[rest] - y_mean), np.zeros(X.shape[1], REAL)])
        size = np.sqrt((A**2).sum(axis=0))
        Q, R, kept = orthogonal_factor(A / size)
        assert len(kept) == X.shape[1]
        found[i] = float(y_mean + (X[i] - x_mean) / size @ triangular_solve(R, Q.T @ b))
    return found


def left_out(X, y, alpha, weight=None, **how):
    """The same by the formula."""
    model = RidgeCV([alpha], scoring="neg_mean_absolute_error", store_cv_results=True, **how)
    return model.fit(X, y, sample_weight=weight).cv_results_[:, 0]


def data(n, p, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    return X, X[:, 0] + rng.standard_normal(n), rng


@pytest.mark.parametrize("offset", [1e2, 1e4, 1e6, 1e8])
@pytest.mark.parametrize("shape", [(12, 4), (10, 14)])
def test_sparse_columns_far_from_zero(shape, offset):
    X, y, _ = data(*shape)
    X += offset
    expected = refits(X, y, 1e-2, np.ones(len(y)))
    for stored in (X, sparse.csr_matrix(X), sparse.csc_array(X)):
        np.testing.assert_allclose(left_out(stored, y, 1e-2), expected, rtol=0, atol=1e-11)


@pytest.mark.filterwarnings("ignore:.*the best alpha")
@pytest.mark.parametrize("alpha", [1.0, 1e-20])
@pytest.mark.parametrize("shape", [(12, 4), (10, 14)])
def test_many_targets_are_each_as_alone(shape, alpha):
    X, y, rng = data(*shape)
    Y = np.column_stack([y, rng.standard_normal((len(y), MANY_TARGETS)), -3.0 * y])
    kept = RidgeCV([alpha, 2.0], scoring="neg_mean_absolute_error", store_cv_results=True)
    kept.fit(X, Y)
    for column, target in ((0, y), (MANY_TARGETS + 1, -3.0 * y), (5, Y[:, 5])):
        for k, given in enumerate([alpha, 2.0]):
            expected = refits(X, target, given, np.ones(len(y)))
            found = kept.cv_results_[:, column, k]
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-8)


@pytest.mark.parametrize("mode", ["auto", "eigen", "svd"])
@pytest.mark.parametrize("alpha", [1.0, 1e-2, 1e-8])
@pytest.mark.parametrize("shape", [(12, 4), (10, 14)])
def test_no_mode_loses_digits_to_a_tiny_alpha(shape, alpha, mode):
    X, y, rng = data(*shape)
    X *= 10.0 ** rng.uniform(-4, 4, shape[1])
    expected = refits(X, y, alpha, np.ones(len(y)))
    found = left_out(X, y, alpha, gcv_mode=mode)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-7 * np.abs(expected).max())


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("shape", [(12, 4), (10, 14)])
def test_the_scales_of_columns_cost_no_digits(shape, seed):
    X, y, rng = data(*shape, seed)
    X *= 10.0 ** rng.uniform(-4, 4, shape[1])
    expected = refits(X, y, 1e-8, np.ones(len(y)))
    largest = np.abs(expected).max()
    found = left_out(X, y, 1e-8, gcv_mode="svd")
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * largest)
    found = left_out(sparse.csr_array(X), y, 1e-8)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9 * largest)


@pytest.mark.parametrize("orders", [2, 5, 7, 10])
def test_weights_over_many_orders_of_magnitude_warn(orders):
    X, y, _ = data(20, 30, seed=3)
    weight = 10.0 ** np.linspace(-orders, orders, 20)
    if orders > 6:
        with pytest.warns(UserWarning, match=r"sample_weight spans \d+ orders of magnitude"):
            left_out(X, y, 1e-4, weight)
    else:
        expected = refits(X, y, 1e-4, weight)
        np.testing.assert_allclose(left_out(X, y, 1e-4, weight), expected, rtol=0, atol=1e-5)
    weight[:5] = 0.0  # no row, and no order of magnitude
    weight[5:] = 1.0
    left_out(X, y, 1.0, weight)


# Row by row, where there is no formula -------------------------------------------------------


def test_the_lasso_s_leave_one_out_optimum_is_the_published_one():
    """That of 441 rows, with the penalty weighed against a sum of squares."""
    A, b = load_diabetes(return_X_y=True)
    model = skreg.LassoCV(cv="loo", alphas=np.linspace(22.0, 22.4, 161) / 441).fit(A, b)
    assert model.alpha_ * 441 == pytest.approx(22.179, abs=2e-3)
    coef = skreg.Lasso(alpha=22.179 / 442).fit(A, b).coef_
    published = [0, -193.9, 521.81, 295.15, -99.28, 0, -222.67, 0, 511.95, 52.85]
    np.testing.assert_allclose(coef, published, atol=0.06)


@pytest.mark.filterwarnings("ignore::skreg.GridEdgeWarning")
@pytest.mark.parametrize("weight", [None, np.arange(30) % 4 + 0.0])
def test_leaving_out_each_row_is_so_many_folds(weight):
    rng = np.random.default_rng(0)
    A, b = rng.normal(size=(30, 4)), rng.normal(size=30)
    given = {"alphas": [0.3, 0.1, 0.03]}
    own = skreg.LassoCV(**given, cv="loo").fit(A, b, weight)
    folds = skreg.LassoCV(**given, cv=LeaveOneOut(), fold_weights="size").fit(A, b, weight)
    np.testing.assert_allclose(own.cv_result_.errors, folds.cv_result_.errors)
    np.testing.assert_allclose(own.cv_result_.mean, folds.cv_result_.mean)
    ridge = [skreg.RidgeCV(**given, cv=cv).fit(A, b, weight) for cv in (None, "loo")]
    np.testing.assert_array_equal(ridge[0].cv_result_.mean, ridge[1].cv_result_.mean)
    classes = skreg.LogisticRegressionCV(**given, cv="loo").fit(A, b > 0, weight)
    assert classes.cv_result_.errors.shape == (3, 30)
