"""What a fit claims of itself: `dual_gap_`, `converged_`, the warning, and bounds that are kept."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from skreg import Ridge, RidgeCV
from skreg.solvers import descent, newton


def plain_data(n=50, p=5, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    return X, X.sum(axis=1) + rng.standard_normal(n)


@pytest.mark.parametrize("solver", ["sparse_cg", "lsqr", "lbfgs"])
def test_no_tolerance_asks_for_all_digits_there_are(solver):
    X, y = plain_data()
    found = Ridge(1.0, solver=solver, tol=0).fit(X, y)
    assert found.converged_
    rtol = 1e-5 if solver == "lbfgs" else 1e-12  # the one looks at the objective alone
    np.testing.assert_allclose(found.coef_, Ridge(1.0).fit(X, y).coef_, rtol=rtol)


def test_lbfgs_where_nothing_can_move():
    X, y = plain_data()
    for fixed in ({"lower_bound": 0.0, "upper_bound": 0.0}, {"penalty_factor": np.full(5, np.inf)}):
        found = Ridge(1.0, solver="lbfgs", **fixed).fit(X, y)
        assert not found.coef_.any()
        assert found.converged_
        assert found.intercept_ == pytest.approx(y.mean())
    assert not Ridge(0.0, solver="lbfgs", positive=True).fit(np.ones((50, 2)), y).coef_.any()


@pytest.mark.parametrize("solver", ["lbfgs", "cd"])
@pytest.mark.parametrize("seed", range(20))
def test_no_bound_is_passed_by_a_rounding_error(solver, seed):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((30, 6)) * 10 ** rng.uniform(-2, 2, 6)
    y = X @ rng.standard_normal(6) + rng.standard_normal(30)
    lower, upper = -rng.uniform(0, 0.3, 6), rng.uniform(0, 0.3, 6)
    for standardize in (False, True):
        model = Ridge(solver=solver, lower_bound=lower, upper_bound=upper, standardize=standardize)
        coef = model.fit(X, y).coef_
        assert np.all((lower <= coef) & (coef <= upper))


def test_ridge_cv_warns_once_where_it_has_not_converged(monkeypatch):
    X, y = plain_data()
    monkeypatch.setattr(descent, "PATIENCE", 0)  # each descent ends after one iteration
    monkeypatch.setattr(newton, "free_coefficients", lambda w, *_: np.zeros(len(w), dtype=bool))
    monkeypatch.setattr(descent, "free_coefficients", newton.free_coefficients)
    X = X + 3.0 * X[:, :1]
    with pytest.warns(ConvergenceWarning, match=r"RidgeCV reached a duality gap of \d") as seen:
        model = RidgeCV([10.0, 1.0, 0.1], cv=3, lower_bound=-5.0).fit(X, y)
    assert len([w for w in seen if w.category is ConvergenceWarning]) == 1
    assert "max_iter" not in str(seen[0].message)  # which it does not have
    assert not model.path_.converged.all()


def test_stochastic_ridge_is_judged_by_its_gap():
    X, y = plain_data()
    with pytest.warns(ConvergenceWarning, match="Ridge reached a duality gap of") as seen:
        model = Ridge(1.0, solver="sag", max_iter=1, random_state=0).fit(X, y)
    assert len(seen) == 1
    assert not model.converged_
