"""The digits of leave-one-out, against a fit to each set of n - 1 rows in extended precision."""

import numpy as np
import pytest
from exact import REAL
from polish import orthogonal_factor, triangular_solve
from scipy import sparse

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
