"""What a fit claims of itself: `dual_gap_`, `converged_`, the warning, and bounds that are kept."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from exact import Problem
from polish import excess
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from skreg import ElasticNet, Lasso, LassoCV, Ridge, RidgeCV, regularization_path
from skreg.linear import cv
from skreg.linear.base import finite_path


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


@pytest.mark.filterwarnings("ignore::skreg.GridEdgeWarning")
def test_ridge_cv_warns_once_where_it_has_not_converged(monkeypatch):
    X, y = plain_data()

    def far_off(*args, **options):
        path = finite_path(*args, **options)
        gaps = path.dual_gaps + 0.1
        return replace(path, dual_gaps=gaps, converged=gaps <= path.tol)

    monkeypatch.setattr(cv, "finite_path", far_off)
    with pytest.warns(ConvergenceWarning, match=r"RidgeCV reached a duality gap of 1") as seen:
        model = RidgeCV([10.0, 1.0, 0.1], cv=3, lower_bound=-5.0).fit(X, y)
    told = [one for one in seen if one.category is ConvergenceWarning]
    assert len(told) == 1
    assert "max_iter" not in str(told[0].message)  # which it does not have
    assert not model.path_.converged.any()


def test_stochastic_ridge_is_judged_by_its_gap():
    X, y = plain_data()
    with pytest.warns(ConvergenceWarning, match="Ridge reached a duality gap of") as seen:
        model = Ridge(1.0, solver="sag", max_iter=1, random_state=0).fit(X, y)
    assert len(seen) == 1
    assert not model.converged_


@pytest.mark.parametrize("factor", [None, "even", "uneven"])
@pytest.mark.parametrize("shape", [(40, 6), (200, 12), (12, 40)])
def test_ridge_certifies_many_targets_as_it_does_each(shape, factor):
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal(shape), rng.standard_normal((shape[0], 5)) * [1, 1e3, 1, 1e-3, 0]
    factors = {None: None, "even": np.ones(shape[1]), "uneven": rng.uniform(0.5, 2, shape[1])}
    whole = Ridge(1.0, penalty_factor=factors[factor]).fit(X, Y)
    for k, y in enumerate(Y.T):
        alone = clone(whole).fit(X, y)
        np.testing.assert_allclose(whole.coef_[k], alone.coef_, rtol=1e-12, atol=1e-15)
        assert whole.dual_gap_[k] == pytest.approx(alone.dual_gap_, rel=1e-3)
        problem = Problem.of(X, y, 1 / shape[0], 0.0, penalty_factor=factors[factor])
        assert excess(problem, whole.coef_[k])[0] <= whole.dual_gap_[k] <= 1e-20


@pytest.mark.parametrize("apart", [1e-13, 3e-13, 1e-11, 1e-9])
@pytest.mark.parametrize("shape", [(10, 14), (40, 12)])
@pytest.mark.parametrize("solver", ["auto", "cholesky", "svd", "lsqr", "cd"])
def test_ridge_claims_no_more_than_it_has_of_unpenalised_twins(solver, shape, apart):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal(shape), rng.standard_normal(shape[0])
    X[:, 1] = X[:, 0] + apart * rng.standard_normal(shape[0])
    factor = np.r_[0.0, 0.0, np.ones(shape[1] - 2)]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = Ridge(1.0, penalty_factor=factor, solver=solver).fit(X, y)
    problem = Problem.of(X, y, 1.0 / shape[0], 0.0, penalty_factor=factor)
    assert excess(problem, model.coef_)[0] <= model.dual_gap_
    assert len(caught) == (not model.converged_)
    if solver in ("auto", "svd") and apart > 1e-13:  # the difference of the twins is a feature
        assert model.converged_
        path = regularization_path(Ridge(penalty_factor=factor), X, y, alphas=[2.0, 1.0])
        assert path.converged.all()
        assert excess(problem, path.coefs[:, 1])[0] <= path.dual_gaps[1]


@pytest.mark.parametrize("storage", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize(
    "model", [Lasso(1e-3), ElasticNet(1e-3), Lasso(1e-3, solver="cd"), Ridge()]
)
@pytest.mark.parametrize("offset", [1e3, 1e5, 1e7, 1e9])
def test_columns_far_from_zero_without_an_intercept(offset, model, storage):
    rng = np.random.default_rng(0)
    X = offset + rng.standard_normal((50, 5))
    y = X[:, 0] - X[:, 1] + rng.standard_normal(50)
    model = clone(model).set_params(fit_intercept=False)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(storage(X), y)
    strength = (1 / 50, 0.0) if isinstance(model, Ridge) else (1e-3, getattr(model, "l1_ratio", 1))
    problem = Problem.of(X, y, *strength, fit_intercept=False)
    assert excess(problem, model.coef_)[0] <= model.dual_gap_
    assert len(caught) == (not model.converged_)


def test_plain_data_owes_next_to_nothing_to_rounding():
    X, y = plain_data(1000, 20)
    for model in (
        Lasso(0.1),
        ElasticNet(0.1),
        Ridge(),
        Ridge(0.0),
        Lasso(0.1, penalty_factor=X[0] > 0),
    ):
        assert model.fit(X, y).dual_gap_ <= 1e-12
    assert RidgeCV([1e3, 1.0, 1e-3, 1e-6], cv=3).fit(X, y).path_.dual_gaps.max() <= 1e-12
    assert regularization_path(Lasso(), X + 100.0, y).dual_gaps.max() <= 1e-9


def anti_copies(apart, n=30, p=6, seed=0):
    """Two columns of which -3 times the one is nearly the other, and a target that tells them."""
    rng = np.random.default_rng(seed)
    X, noise = rng.standard_normal((n, p)), rng.standard_normal(n)
    X[:, 1] = -3.0 * X[:, 0] + apart * noise
    return X, X[:, 2:].sum(axis=1) + rng.standard_normal(n) + 0.3 * noise


def claims(model, X, y, problem):
    """The model fitted, which is to have no more above the minimum than it says."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y)
    assert len(caught) == (not model.converged_)
    assert excess(problem, model.coef_)[0] <= model.dual_gap_ + 1e-13
    return model


HELD = {
    "positive": {"positive": True},
    "lower": {"lower_bound": 0.0},
    "upper": {"upper_bound": 0.0},
    "either": {"lower_bound": [0, -np.inf] * 3, "upper_bound": [np.inf, 0] * 3},
    "below zero": {"lower_bound": -0.1},
}


@pytest.mark.parametrize("held", HELD.values(), ids=HELD)
@pytest.mark.parametrize("factor", [0.0, 1e-14, 1e-11])
@pytest.mark.parametrize("ratio", [1.0, 0.5, 1.0 - 1e-12])
def test_features_held_at_bounds_by_rounding_alone(ratio, factor, held):
    X, y = anti_copies(1e-12)
    if len(held) == 2:  # one goes up, the other down
        X[:, 1] *= -1.0
    shape = {"penalty_factor": np.r_[factor, factor, np.ones(4)], **held}
    for solver, intercept in (("auto", True), ("cd", False)):
        shape["fit_intercept"] = intercept
        problem = Problem.of(X, y, 0.01, ratio, **shape)
        claims(ElasticNet(0.01, l1_ratio=ratio, solver=solver, tol=1e-6, **shape), X, y, problem)


@pytest.mark.parametrize("storage", [np.asarray, sparse.csc_array])
@pytest.mark.parametrize("alpha", [0.0, 1e-13, 1.0])
def test_ridge_and_least_squares_with_features_held_at_bounds(alpha, storage):
    X, y = anti_copies(1e-12)
    factor = np.r_[0.0, 0.0, np.ones(4)]
    ridge = Ridge(alpha, penalty_factor=factor, positive=True)
    shape = {"penalty_factor": factor, "positive": True}
    claims(ridge, storage(X), y, Problem.of(X, y, alpha / len(y), 0.0, **shape))
    problem = Problem.of(X, y, alpha * 1e-2, **shape)
    claims(Lasso(alpha * 1e-2, penalty_factor=factor, positive=True), storage(X), y, problem)


def test_paths_with_features_held_at_bounds():
    X, y = anti_copies(1e-12)
    shape = {"penalty_factor": np.r_[0.0, 0.0, np.ones(4)], "positive": True}
    alphas = np.array([0.3, 0.1, 0.03])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = regularization_path(Lasso(**shape), X, y, alphas=alphas)
        cv = LassoCV(alphas=alphas, cv=3, **shape).fit(X, y)
    for found in (path, cv.path_):
        for alpha, w, gap in zip(found.alphas, found.coefs.T, found.dual_gaps, strict=True):
            assert excess(Problem.of(X, y, alpha, **shape), w)[0] <= gap + 1e-13


@pytest.mark.parametrize("model", [Lasso(0.0), Ridge(0.0), Lasso(1e-3), Ridge(1e-10)])
@pytest.mark.parametrize("width", [0.02, 0.1, 0.5])
@pytest.mark.parametrize("shape", [(100, 40), (30, 80)])
def test_smooth_dictionaries_are_certified(shape, width, model):
    n, p = shape
    rng = np.random.default_rng(0)
    t, centres = np.linspace(0, 1, n)[:, None], np.linspace(0, 1, p)
    X = np.exp(-0.5 * ((t - centres) / width) ** 2)
    y = X @ (rng.random(p) < 0.1) + 0.1 * rng.standard_normal(n)
    for factor in (None, np.arange(p) % 2.0):
        fit = clone(model).set_params(positive=True, fit_intercept=False, penalty_factor=factor)
        assert fit.fit(X, y).dual_gap_ <= 1e-6


@pytest.mark.parametrize("apart", [1e-14, 1e-13, 1e-12])
@pytest.mark.parametrize("seed", range(3))
def test_copies_at_bounds_hide_nothing(seed, apart):
    X, y = anti_copies(apart, seed=seed)
    X[:, 1] *= -np.sign(X[:, 0] @ y)
    X[:, 0] *= np.sign(X[:, 0] @ y)
    for model in (Lasso(0.0), Ridge(0.0), Lasso(0.1, penalty_factor=[0.0, 0.0, 1, 1, 1, 1])):
        model.set_params(positive=True).fit(X, y)
        assert model.dual_gap_ <= 1e-10


@pytest.mark.parametrize("apart", [1e-9, 1e-8])
@pytest.mark.parametrize("share", [0.01, 0.1])
@pytest.mark.parametrize("seed", range(4))
def test_more_faint_penalties_than_directions_claim_nothing_together(seed, share, apart):
    """Nearly equal columns, whose correlations with one residual cannot all be at the kinks."""
    rng = np.random.default_rng(seed)
    X = (1.0 + apart * rng.standard_normal((4, 20))) * rng.uniform(0.5, 2, 20)
    y = rng.standard_normal(4)
    y -= y.mean()
    bound = np.where(rng.random(20) < 0.5, np.inf, 0.3)
    shape = {"fit_intercept": False, "lower_bound": -bound, "upper_bound": bound[::-1]}
    alpha = 0.3 * share * apart
    claims(Lasso(alpha, solver="cd", **shape), X, y, Problem.of(X, y, alpha, **shape))


@pytest.mark.parametrize("seed", range(4))
def test_steps_that_stop_far_away_hide_nothing(seed):
    """Bounds up to 1e10, where a step along short directions is rounded before others undo it."""
    rng = np.random.default_rng(seed)
    X = (1.0 + 1e-11 * rng.standard_normal((6, 20))) * rng.uniform(0.5, 2, 20)
    y = rng.standard_normal(6)
    y -= y.mean()
    bound = 10.0 ** rng.uniform(-1, 10, 20) * (rng.random(20) < 0.9)
    shape = {"fit_intercept": False, "lower_bound": -bound, "upper_bound": bound[::-1]}
    alpha = 0.3 * 1e-11
    claims(Lasso(alpha, **shape), X, y, Problem.of(X, y, alpha, **shape))
