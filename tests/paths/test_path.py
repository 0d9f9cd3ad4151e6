"""Paths: the result object, the functions that return tuples, reading between the alphas."""

import pickle
import sys

import numpy as np
import pytest
from exact import Problem
from scipy import sparse
from sklearn.datasets import load_diabetes

import skreg
from skreg import ElasticNet, ElasticNetCV, Lasso, LassoCV, PathResult, Ridge, regularization_path
from skreg.linear.base import LinearModel
from skreg.linear.parameters import LinearParameters
from skreg.linear.problems import ridge_problem
from skreg.objective.losses import AbsoluteError
from skreg.objective.penalties import Penalty
from skreg.paths import problem as engine
from skreg.paths.fit_path import fit_path

X, Y1 = load_diabetes(return_X_y=True)
X = X[:120]
Y1 = Y1[:120]
Y2 = np.column_stack([Y1, X @ np.arange(10.0) + 3.0 + np.cos(np.arange(120.0))])
FIELDS = ["intercepts", "dual_gaps", "n_iters", "converged", "df", "dev_ratio"]
ESTIMATORS = {"lasso": Lasso(), "elastic net": ElasticNet(l1_ratio=0.6), "ridge": Ridge()}


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("targets", [None, 2])
def test_shapes(name, targets):
    y = Y1 if targets is None else Y2
    path = regularization_path(ESTIMATORS[name], X, y, alphas=15)
    lead = () if targets is None else (targets,)
    assert isinstance(path, PathResult)
    assert path.alphas.shape == (15,)
    assert np.all(np.diff(path.alphas) < 0)
    assert path.coefs.shape == (*lead, 10, 15)
    for field in FIELDS:
        assert getattr(path, field).shape == (*lead, 15), field
    assert path.n_nonzero.shape == (*lead, 15)
    assert path.predict(X[:4], path.alphas[3]).shape == (4, *lead)
    assert path.l1_ratio == {"lasso": 1.0, "elastic net": 0.6, "ridge": None}[name]


@pytest.mark.parametrize("name", ESTIMATORS)
def test_the_path_is_the_fits_one_by_one(name):
    estimator = ESTIMATORS[name]
    path = regularization_path(estimator, X, Y2, alphas=8)
    for i, alpha in enumerate(path.alphas):
        model = type(estimator)(**{**estimator.get_params(), "alpha": alpha}).fit(X, Y2)
        np.testing.assert_allclose(path.coefs[..., i], model.coef_, rtol=0, atol=1e-7)
        np.testing.assert_allclose(path.intercepts[:, i], model.intercept_, rtol=1e-10)
        np.testing.assert_allclose(path.predict(X, alpha), model.predict(X), rtol=1e-9)


def test_the_first_alpha_is_alpha_max():
    path = regularization_path(Lasso(), X, Y1, alphas=5)
    assert path.n_nonzero[0] == 0
    below = regularization_path(Lasso(), X, Y1, alphas=[path.alphas[0] * (1 - 1e-6)])
    assert below.n_nonzero[0] > 0
    np.testing.assert_allclose(path.alphas[-1] / path.alphas[0], 1e-3)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("targets", [1, 3])
def test_no_rounding_enters_at_alpha_max(seed, targets):
    """Nor where sums come from the moments of folds: it was counted as a feature in use."""
    draw = np.random.default_rng(seed)
    n, p = int(draw.integers(20, 300)), int(draw.integers(1, 30))
    noise, y = draw.standard_normal((n, p)), draw.standard_normal((n, targets))
    y = y[:, 0] if targets == 1 else y
    for chooser in (LassoCV(store_path=True, cv=3), ElasticNetCV(l1_ratio=0.3, store_path=True)):
        model = chooser.set_params(alphas=10).fit(noise, y)
        assert not model.path_.coefs[..., 0].any()
        ratio = getattr(model, "l1_ratio_", 1.0)
        path = regularization_path(ElasticNet(l1_ratio=ratio), noise, y, alphas=10)
        np.testing.assert_array_equal(path.alphas, model.alphas_)
        assert not path.coefs[..., 0].any()
        assert not ElasticNet(model.alphas_[0], l1_ratio=ratio).fit(noise, y).coef_.any()


def test_alphas_in_any_order_come_out_decreasing():
    path = regularization_path(Lasso(), X, Y1, alphas=[0.1, 1.0, 0.5])
    np.testing.assert_array_equal(path.alphas, [1.0, 0.5, 0.1])


@pytest.mark.parametrize("weighted", [False, True])
def test_degrees_of_freedom_and_deviance(weighted):
    weight = np.random.default_rng(0).random(len(X)) if weighted else None
    lasso = regularization_path(Lasso(), X, Y1, alphas=12, sample_weight=weight)
    np.testing.assert_array_equal(lasso.df, np.count_nonzero(lasso.coefs, axis=0))
    mean = np.average(Y1, weights=weight)
    null = np.average((Y1 - mean) ** 2, weights=weight)
    ridge = regularization_path(Ridge(), X, Y1, alphas=12, sample_weight=weight)
    for path in (lasso, ridge):
        for i, alpha in enumerate(path.alphas):
            rss = np.average((Y1 - path.predict(X, alpha)) ** 2, weights=weight)
            assert path.dev_ratio[i] == pytest.approx(1 - rss / null, abs=1e-12)
    omega = np.ones(len(X)) if weight is None else weight
    Z = np.sqrt(omega)[:, None] * (X - np.average(X, axis=0, weights=omega))
    values = np.linalg.svd(Z, compute_uv=False) ** 2
    trace = [(values / (values + alpha)).sum() for alpha in ridge.alphas]
    np.testing.assert_allclose(ridge.df, trace, rtol=1e-9)


def test_degrees_of_freedom_of_bounded_ridge_count_what_can_move():
    path = regularization_path(Ridge(positive=True), X, Y1, alphas=[1.0, 0.01])
    for i, alpha in enumerate(path.alphas):
        moving = path.coefs[:, i] > 0
        Z = X[:, moving] - X[:, moving].mean(axis=0)
        values = np.linalg.svd(Z, compute_uv=False) ** 2
        assert path.df[i] == pytest.approx((values / (values + alpha)).sum())


@pytest.mark.parametrize("name", ESTIMATORS)
def test_coef_at_exact_is_a_fit(name):
    estimator = ESTIMATORS[name]
    path = regularization_path(estimator, X, Y2, alphas=10)
    alpha = float(np.sqrt(path.alphas[4] * path.alphas[5]))
    for beyond in (alpha, path.alphas[0] * 3, path.alphas[-1] / 7, 0.0):
        model = type(estimator)(**{**estimator.get_params(), "alpha": beyond}).fit(X, Y2)
        for method in ("exact", "auto"):
            found = path.coef_at(beyond, method)
            assert found.shape == (2, 10)
            np.testing.assert_allclose(found, model.coef_, rtol=0, atol=1e-7)
            found = path.intercept_at(beyond, method)
            np.testing.assert_allclose(found, model.intercept_, rtol=1e-9)


def test_interpolation_is_exact_for_the_lasso_between_changes_of_its_support():
    path = regularization_path(Lasso(), X, Y1, alphas=400)
    same = np.all(np.sign(path.coefs[:, 1:]) == np.sign(path.coefs[:, :-1]), axis=0)
    i = int(np.flatnonzero(same)[-1])
    alpha = 0.3 * path.alphas[i] + 0.7 * path.alphas[i + 1]
    straight = path.coef_at(alpha, "interpolate")
    np.testing.assert_allclose(straight, path.coef_at(alpha, "exact"), rtol=0, atol=1e-8)
    np.testing.assert_allclose(straight, 0.3 * path.coefs[:, i] + 0.7 * path.coefs[:, i + 1])
    np.testing.assert_allclose(
        path.predict(X, alpha, "interpolate"), path.predict(X, alpha), rtol=1e-10
    )


@pytest.mark.parametrize("method", ["auto", "exact", "interpolate"])
def test_alphas_on_the_path_are_read_off(method):
    path = regularization_path(Lasso(), X, Y1, alphas=6)
    np.testing.assert_array_equal(path.coef_at(path.alphas[2], method), path.coefs[:, 2])
    assert path.intercept_at(path.alphas[2], method) == path.intercepts[2]


def test_interpolation_does_not_leave_the_path():
    path = regularization_path(Lasso(), X, Y1, alphas=6)
    for alpha in (path.alphas[0] * 1.01, path.alphas[-1] * 0.99):
        with pytest.raises(ValueError, match="outside the path"):
            path.coef_at(alpha, "interpolate")


@pytest.mark.parametrize("alpha", [-1.0, np.nan, np.inf])
def test_impossible_alphas(alpha):
    path = regularization_path(Lasso(), X, Y1, alphas=3)
    with pytest.raises(ValueError, match="alpha"):
        path.coef_at(alpha)


def test_unknown_method():
    path = regularization_path(Lasso(), X, Y1, alphas=3)
    with pytest.raises(ValueError, match="interpolate"):
        path.coef_at(1.0, "nearest")


def test_pickling_drops_the_data():
    path = regularization_path(Lasso(), np.tile(X, (50, 1)), np.tile(Y1, 50), alphas=6)
    text = pickle.dumps(path)
    assert len(text) < X.nbytes
    again = pickle.loads(text)
    np.testing.assert_array_equal(again.coefs, path.coefs)
    middle = float(path.alphas[2:4].mean())
    with pytest.raises(ValueError, match="does not hold its data"):
        again.coef_at(middle, "exact")
    again.coef_at(middle)  # "auto" interpolates now
    path.coef_at(middle, "exact")


def test_for_target():
    path = regularization_path(Lasso(), X, Y2, alphas=6)
    second = path.for_target(1)
    alone = regularization_path(Lasso(), X, Y2[:, 1], alphas=path.alphas)
    np.testing.assert_allclose(second.coefs, alone.coefs, rtol=0, atol=1e-9)
    for field in FIELDS:
        assert getattr(second, field).shape == (6,), field
    with pytest.raises(ValueError, match="single target"):
        second.for_target(0)


def test_an_estimator_without_randomness_has_a_path():
    """Made as CONTRIBUTING.md says: parameters and `_problem`."""

    class Plain(LinearParameters, LinearModel):
        def _problem(self, columns):
            return ridge_problem(self, columns)

    path = regularization_path(Plain(), X, Y1, alphas=[2.0, 1.0])
    expected = regularization_path(Ridge(), X, Y1, alphas=[2.0, 1.0])
    np.testing.assert_array_equal(path.coefs, expected.coefs)


def test_results_are_frozen():
    path = regularization_path(Lasso(), X, Y1, alphas=3)
    with pytest.raises(AttributeError):
        path.alphas = None


def test_to_frame():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(X, columns=[f"f{j}" for j in range(10)])
    path = regularization_path(Lasso(), table, Y1, alphas=5)
    frame = path.to_frame()
    assert list(frame.columns) == [*table.columns, "intercept", "df", "dev_ratio", "dual_gap"]
    np.testing.assert_array_equal(frame.index, path.alphas)
    assert frame.index.name == "alpha"
    np.testing.assert_array_equal(frame["f2"], path.coefs[2])
    several = regularization_path(Lasso(), X, Y2, alphas=5).to_frame()
    assert several[1]["x0"].shape == (5,)


def test_to_frame_without_pandas(monkeypatch):
    path = regularization_path(Lasso(), X, Y1, alphas=3)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="pip install pandas"):
        path.to_frame()


def test_tuples():
    """Without an intercept, alphas decreasing, gaps in the unit of the objective."""
    y = Y1 - Y1.mean()
    alphas, coefs, gaps = skreg.lasso_path(X, y, alphas=7, eps=1e-2)
    assert coefs.shape == (10, 7)
    assert gaps.shape == (7,)
    np.testing.assert_allclose(alphas[-1] / alphas[0], 1e-2)
    path = regularization_path(Lasso(fit_intercept=False), X, y, alphas=alphas)
    np.testing.assert_allclose(coefs, path.coefs, rtol=0, atol=1e-9)
    np.testing.assert_allclose(gaps, path.dual_gaps * (y @ y) / len(y), atol=1e-8)
    *_, n_iters = skreg.enet_path(X, y, l1_ratio=0.5, alphas=7, return_n_iter=True)
    assert isinstance(n_iters, list)
    assert len(n_iters) == 7
    half = skreg.enet_path(X, y, l1_ratio=1.0, alphas=alphas)[1]
    np.testing.assert_allclose(half, coefs, rtol=0, atol=1e-9)


@pytest.mark.parametrize("y", [Y1, Y2])
def test_ridge_path(y):
    alphas, coefs, gaps = skreg.ridge_path(X, y, alphas=[10.0, 0.1, 1.0])
    np.testing.assert_array_equal(alphas, [10.0, 1.0, 0.1])
    assert gaps.shape == (*y.shape[1:], 3)
    for i, alpha in enumerate(alphas):
        expected = np.linalg.solve(X.T @ X + alpha * np.eye(10), X.T @ y).T
        np.testing.assert_allclose(coefs[..., i], expected, rtol=1e-10)


def test_estimators_without_a_path_are_refused():
    from sklearn.linear_model import LinearRegression

    with pytest.raises(TypeError, match="LinearRegression"):
        regularization_path(LinearRegression(), X, Y1)


def test_bounds_hold_exactly_on_the_users_scale():
    lower, upper = -np.pi, 1.0 / 3.0
    for standardize in (False, True):
        estimator = Lasso(lower_bound=lower, upper_bound=upper, standardize=standardize)
        path = regularization_path(estimator, X, Y1, alphas=20)
        assert path.coefs.min() == lower
        assert path.coefs.max() == upper


def test_the_engine_takes_a_start_and_reports_progress():
    bound = engine.Problem(Penalty.build(10, 1.0)).bind(X, Y1)
    alphas = np.array([1.0, 0.1])
    seen = []
    path = fit_path(bound, alphas, progress=lambda *args: seen.append(args))
    assert seen == [(1, 1.0), (2, 0.1)]
    again = fit_path(bound, alphas[1:], start=path.coefs[:, 1])
    assert again.n_iters[0] <= path.n_iters[0]
    np.testing.assert_allclose(again.coefs[:, 0], path.coefs[:, 1], rtol=0, atol=1e-8)


def test_a_path_across_solvers():
    """At alpha 0 the closed form takes over, with bounds it may not."""
    for settings in ({}, {"positive": True}):
        path = regularization_path(Lasso(**settings, tol=1e-10), X, Y1, alphas=[1.0, 0.01, 0.0])
        for i, alpha in enumerate(path.alphas):
            problem = Problem.of(X, Y1, alpha, **settings)
            assert problem.gap(path.coefs[:, i]) < 1e-12


@pytest.mark.parametrize("stored", [np.array, sparse.csc_array])
def test_a_ridge_path_of_one_alpha_has_degrees_of_freedom(stored):
    few = regularization_path(Ridge(), stored(X), Y1, alphas=[2.0, 1.0])
    one = regularization_path(Ridge(), stored(X), Y1, alphas=[1.0])
    np.testing.assert_allclose(one.df[0], few.df[1], rtol=1e-8)


@pytest.mark.parametrize("solver", ["auto", "cd", "svd"])
def test_a_loss_that_no_solver_takes_is_refused_by_name(solver):
    problem = engine.Problem(Penalty.build(10, 0.0), loss=AbsoluteError(), solver=solver)
    with pytest.raises(ValueError, match="does not support the loss 'absolute_error'"):
        fit_path(problem.bind(X, Y1), np.array([1.0]))


def test_a_point_is_put_in_its_place():
    path = regularization_path(Lasso(), X, Y1, alphas=[2.0, 1.0])
    other = path.with_point(1, path.at(0))
    np.testing.assert_array_equal(other.coefs[:, 1], path.coefs[:, 0])
    assert other.intercepts[1] == path.intercepts[0]
    assert path.coefs[:, 1].any()
    assert not np.array_equal(path.coefs[:, 1], other.coefs[:, 1])
