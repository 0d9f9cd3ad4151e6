"""A sparse X is never made dense: what SciPy hands out as dense is a block or a product."""

import tracemalloc

import numpy as np
import pytest
from exact import Problem
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
from skreg.data.design import BLOCK_ENTRIES

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*the best alpha:UserWarning"),
    pytest.mark.filterwarnings("ignore:Objective did not converge"),
]

STORED = [
    getattr(sparse, f"{form}_{kind}")
    for form in ("csr", "csc", "coo")
    for kind in ("array", "matrix")
]


@pytest.fixture
def made_dense(monkeypatch):
    """Shapes of everything that has been made dense."""
    shapes = []

    def recorded(original):
        def to_dense(self, *args, **kwargs):
            shapes.append(self.shape)
            return original(self, *args, **kwargs)

        return to_dense

    for stored in STORED:
        for name in ("toarray", "todense"):
            monkeypatch.setattr(stored, name, recorded(getattr(stored, name)))
    return shapes


def largest_part(made_dense, shape):
    """Entries of the largest block of rows or columns of X; products of X have other shapes."""
    n, p = shape
    parts = [s for s in made_dense if len(s) == 2 and s[0] != s[1] and (s[0] == n or s[1] == p)]
    return max((s[0] * s[1] for s in parts), default=0)


def data(shape, stored=sparse.csr_array, dependent=False, density=0.3):
    n, p = shape
    rng = np.random.default_rng(0)
    X = rng.normal(size=shape) * (rng.random(shape) < density)
    if dependent:
        X[:, 1::2] = X[:, ::2]
    return stored(X), X @ (rng.normal(size=p) / np.sqrt(p)) + rng.normal(size=n) + 1.0


def some(p):
    return np.concatenate([[0.0, 0.5], np.ones(p - 2)])


FITS = {
    "Lasso": lambda X, y: Lasso(0.05).fit(X, y),
    "ElasticNet": lambda X, y: ElasticNet(0.05, standardize=True).fit(X, y),
    "ElasticNet without a penalty": lambda X, y: ElasticNet(0.0).fit(X, y),
    "ElasticNet, cd": lambda X, y: ElasticNet(0.1, solver="cd").fit(X, y),
    "LassoCV": lambda X, y: LassoCV(alphas=20, cv=3).fit(X, y),
    "ElasticNetCV": lambda X, y: ElasticNetCV(alphas=10, cv=3, fit_intercept=False).fit(X, y),
    "Ridge": lambda X, y: Ridge(1.0).fit(X, y),
    "Ridge, least squares": lambda X, y: Ridge(0.0).fit(X, y),
    "Ridge, tiny alpha": lambda X, y: Ridge(1e-12, standardize=True).fit(X, y),
    "Ridge, no intercept": lambda X, y: Ridge(0.0, fit_intercept=False).fit(X, y),
    "Ridge, weights": lambda X, y: Ridge(1.0).fit(X, y, np.arange(len(y)) % 3),
    "Ridge, factors": lambda X, y: Ridge(1.0, penalty_factor=some(X.shape[1])).fit(X, y),
    **{
        f"Ridge, {solver}": lambda X, y, solver=solver: Ridge(1.0, solver=solver).fit(X, y)
        for solver in ("cholesky", "lsqr", "sparse_cg", "lbfgs", "cd")
    },
    "RidgeCV": lambda X, y: RidgeCV(10).fit(X, y),
    "RidgeCV, folds": lambda X, y: RidgeCV(10, cv=3, standardize=True).fit(X, y),
    "RidgeCV, tiny alphas": lambda X, y: RidgeCV([1.0, 1e-12]).fit(X, y),
    "lasso_path": lambda X, y: lasso_path(X, y, alphas=20),
    "enet_path": lambda X, y: enet_path(X, y, alphas=20, l1_ratio=0.3),
    "ridge_path": lambda X, y: ridge_path(X, y, alphas=[1.0, 1e-12, 0.0]),
    "regularization_path": lambda X, y: regularization_path(Ridge(), X, y, alphas=10),
}


@pytest.mark.parametrize("name", FITS)
@pytest.mark.parametrize("dependent", [False, True], ids=["independent", "dependent"])
@pytest.mark.parametrize("shape", [(90, 12), (12, 90)], ids=["tall", "wide"])
def test_a_small_sparse_X_stays_sparse(name, shape, dependent, made_dense):
    """However small, no dense copy of it is made."""
    for stored in STORED[:3]:
        X, y = data(shape, stored, dependent)
        FITS[name](X, y)
    assert largest_part(made_dense, shape) <= X.shape[0] * X.shape[1] / 2


@pytest.mark.one_in(5)
@pytest.mark.parametrize("name", FITS)
@pytest.mark.parametrize("shape", [(4000, 300), (300, 4000)], ids=["tall", "wide"])
def test_a_larger_sparse_X_stays_sparse(name, shape, made_dense):
    X, y = data(shape, STORED[1], density=0.02)
    FITS[name](X, y)
    assert largest_part(made_dense, shape) <= BLOCK_ENTRIES < X.shape[0] * X.shape[1] / 2


@pytest.mark.parametrize("alpha", [0.0, 1e-10, 1.0])
@pytest.mark.parametrize("shape", [(30_000, 120), (120, 30_000)], ids=["tall", "wide"])
def test_memory_with_dependent_columns(shape, alpha):
    """The dense X would take 29 MB."""
    X, y = data(shape, sparse.csc_array, dependent=True, density=0.01)
    tracemalloc.start()
    Ridge(alpha).fit(X, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 14e6


@pytest.mark.parametrize("alpha", [0.0, 1e-10, 1e-6, 1.0])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("shape", [(400, 40), (60, 300), (50, 50)])
def test_ill_conditioned_it_has_the_digits_of_the_dense_X(shape, fit_intercept, alpha):
    """Singular values over six orders of magnitude: a Gram matrix would keep four digits."""
    rng = np.random.default_rng(1)
    n, p = shape
    r = min(n, p)
    U, V = (np.linalg.qr(rng.normal(size=(size, r)))[0] for size in (n, p))
    X = (U * np.logspace(0, -6, r)) @ V.T
    y = X @ rng.normal(size=p)
    weight = rng.uniform(0.1, 1, n)
    model = Ridge(alpha, fit_intercept=fit_intercept)
    dense = model.fit(X, y, weight).coef_
    for stored in (sparse.csc_array, sparse.csr_matrix):
        found = model.fit(stored(X), y, weight).coef_
        np.testing.assert_allclose(found, dense, rtol=0, atol=1e-7 * np.abs(dense).max())


@pytest.mark.parametrize("kind", ["sizes", "sizes, low rank", "Vandermonde"])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_a_wide_X_is_fitted_by_all_its_columns_of_whatever_size(kind, fit_intercept):
    """Least squares where some columns are 1e16 times larger than others, or all but parallel."""
    rng = np.random.default_rng(3)
    for _ in range(20):
        n = int(rng.integers(3, 20))
        X = rng.normal(size=(n, 2 * n))
        if kind == "Vandermonde":
            X = np.vander(np.linspace(-1, 1, n), 3 * n)
        elif "low rank" in kind:
            X = np.round(16 * X[:, : n // 2]) @ np.round(rng.normal(size=(n // 2, 2 * n)))
        if "sizes" in kind:
            X = X * 2.0 ** rng.integers(-27, 28, X.shape[1])
        y = rng.normal(size=n)
        model = ElasticNet(0.0, fit_intercept=fit_intercept).fit(sparse.csc_array(X), y)
        assert model.dual_gap_ <= 1e-10
        problem = Problem.of(X, y, 0.0, fit_intercept=fit_intercept)
        assert problem.gap(model.coef_) <= 1e-10
