"""Newton's method by products against the one that has the Hessian."""

import numpy as np
import pytest
from scipy import sparse

from skreg import LogisticRegression, PoissonRegressorCV, regularization_path
from skreg.objective.losses import Gamma, Logistic, Poisson, SquaredHinge
from skreg.objective.penalties import Penalty
from skreg.paths.fit_path import fit_path, with_degrees_of_freedom
from skreg.paths.problem import Problem
from skreg.solvers.newton import newton_cg
from skreg.solvers.newton.newton_cg import NewtonCG

LOSSES = {
    "logistic": Logistic(),
    "poisson": Poisson(),
    "gamma": Gamma(),
    "hinge": SquaredHinge(),
}


def bound_problem(loss, seed, n=160, p=50):
    """A random problem with some of the traits that there are."""
    rng = np.random.default_rng([seed, len(loss)])
    some = rng.random(6) < 0.5
    X = rng.standard_normal((n, p)) * rng.uniform(0.5, 2.0, p) + some[0] * rng.uniform(-2, 2, p)
    X[rng.random((n, p)) < 0.6] = 0.0
    X[:, -1] = 1.0
    mean = np.exp(np.clip(X[:, :3].sum(axis=1) / 2, -2, 2))
    y = {"poisson": rng.poisson(mean).astype(float), "gamma": rng.gamma(2.0, mean / 2)}.get(loss)
    if y is None:
        y = (rng.random(n) < mean / (1 + mean)).astype(float)
    if loss == "hinge":
        y = 2.0 * y - 1.0
    offset = 0.4 * rng.standard_normal(n) if some[1] and loss != "hinge" else None
    weight = rng.integers(0, 3, n).astype(float) if some[2] else None
    factors = rng.choice([0.5, 1.0, 2.0, np.inf], p) if some[3] else None
    penalty = Penalty.build(p, 0.0, factors)
    problem = Problem(penalty, LOSSES[loss], bool(seed % 3), bool(some[4]))
    return problem.bind(sparse.csr_matrix(X) if some[5] else X, y, weight, offset=offset)


@pytest.fixture
def with_hessian(monkeypatch):
    """Leaves the problem to the solvers that make the Hessian."""
    return lambda: monkeypatch.setattr(NewtonCG, "serves", staticmethod(lambda *given: False))


@pytest.mark.parametrize("factor_at", [0.0, 1.0, np.inf])
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("loss", LOSSES)
def test_solutions_are_those_of_the_hessian(loss, seed, factor_at, monkeypatch, with_hessian):
    """Whether the factor comes at once, when products have taken as long, or never."""
    if factor_at != 1.0:
        monkeypatch.setattr(newton_cg, "CALLS_OF_FACTOR", 0.0 if factor_at == 0.0 else np.inf)
    bound, alphas = bound_problem(loss, seed), np.array([0.02])
    assert NewtonCG.serves(bound, alphas, alone=True)
    found = fit_path(bound, alphas)
    traced = with_degrees_of_freedom(found, bound)
    with_hessian()
    expected = fit_path(bound_problem(loss, seed), alphas)
    assert found.converged.all()
    assert found.dual_gaps.max() <= 1e-10
    np.testing.assert_allclose(found.coefs, expected.coefs, rtol=1e-6, atol=3e-8)
    np.testing.assert_allclose(found.intercepts, expected.intercepts, rtol=1e-6, atol=3e-8)
    np.testing.assert_allclose(found.dev_ratio, expected.dev_ratio, atol=1e-9)
    np.testing.assert_allclose(traced.df, expected.df, rtol=1e-5)


def test_a_path_of_many_sparse_features_keeps_their_zeros_and_is_that_of_the_hessian(
    monkeypatch, with_hessian
):
    rng = np.random.default_rng(0)
    X = sparse.random(80, 120, 0.1, "csr", random_state=rng)
    y = rng.integers(0, 2, 80)
    alphas = np.geomspace(1.0, 1e-3, 6)
    monkeypatch.setattr(newton_cg, "MANY_FEATURES", 100)
    found = regularization_path(LogisticRegression(), X, y, alphas=alphas)
    with_hessian()
    expected = regularization_path(LogisticRegression(), X, y, alphas=alphas)
    # Both have gaps of 1e-10, of which coefficients have the root.
    np.testing.assert_allclose(found.coefs, expected.coefs, rtol=1e-4, atol=1e-5)
    assert found.dual_gaps.max() <= 1e-9


def test_folds_leave_their_rows_out(monkeypatch, with_hessian):
    rng = np.random.default_rng(1)
    X = sparse.random(90, 60, 0.2, "csr", random_state=rng)
    y = rng.poisson(1.0 + X[:, [0]].toarray().ravel())
    monkeypatch.setattr(newton_cg, "MANY_FEATURES", 50)
    found = PoissonRegressorCV(alphas=[1.0, 0.1, 0.01], cv=3).fit(X, y)
    with_hessian()
    expected = PoissonRegressorCV(alphas=[1.0, 0.1, 0.01], cv=3).fit(X, y)
    np.testing.assert_allclose(found.cv_result_.errors, expected.cv_result_.errors, rtol=1e-5)


@pytest.mark.parametrize("C", [1.0, 1e8])
def test_classes_that_can_be_separated_have_a_solution(C):
    rng = np.random.default_rng(2)
    X = rng.standard_normal((100, 60))
    model = LogisticRegression(C=C, max_iter=1000).fit(X, X[:, 0] > 0)
    assert model.converged_


def test_text_like_data_take_no_matrix_of_features():
    """20,000 features: their Hessian would take 3.2 GB."""
    rng = np.random.default_rng(3)
    X = sparse.random(3000, 20_000, 1e-3, "csr", random_state=rng)
    model = LogisticRegression().fit(X, rng.integers(0, 2, 3000))
    assert model.dual_gap_ <= 1e-9
