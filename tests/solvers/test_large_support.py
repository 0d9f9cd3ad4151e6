"""Supports too large for a factor: the dual method, rounds by products, and who is sent there."""

import numpy as np
import pytest
from scipy import sparse

import skreg
from skreg.data.build import design_of
from skreg.objective.penalties import Penalty
from skreg.solvers.base import Bound, OneTarget, Settings, Target
from skreg.solvers.quadratic import auto as exact_path
from skreg.solvers.quadratic import coordinate_descent, large_support
from skreg.solvers.quadratic.dual_newton import DualNewton
from skreg.solvers.quadratic.support_rounds import SupportRounds

PENALTIES = {
    "lasso": (1.0, {}),
    "weak L2": (0.999, {}),
    "strong L2": (0.1, {}),
    "ridge, positive": (0.0, {"lower": 0.0}),
    "ridge in a box": (0.0, {"lower": -0.02, "upper": 0.1}),
    "factors": (0.7, {"factors": [0.0, 2.0, np.inf, 0.5]}),
    "bounds": (0.9, {"lower": -0.2, "upper": 0.4}),
    "positive": (1.0, {"lower": 0.0}),
}
SHAPES = {"wide": (25, 60), "square": (40, 40), "tall": (60, 30)}


def setting(shape, case, stored=np.array, unit=1.0):
    rng = np.random.default_rng(3)
    n, p = SHAPES[shape]
    X = rng.standard_normal((n, p)) * np.geomspace(0.5, 3.0, p)
    X[rng.random((n, p)) < 0.4] = 0.0
    y = unit * (X[:, :5].sum(axis=1) + rng.standard_normal(n))
    weights = rng.random(n)
    weights[:3] = 0.0  # rows that are not there
    design = design_of(stored(X), weights)
    l1_ratio, shape_of = PENALTIES[case]
    shape_of = dict(shape_of)
    if "factors" in shape_of:
        shape_of["factors"] = np.resize(shape_of["factors"], p)
    penalty = Penalty.build(p, l1_ratio, **shape_of)
    return design, OneTarget(Bound(design, Target.build(design, y), penalty)), penalty


def descended(target, alphas):
    settings = Settings(tol=1e-14, max_iter=20_000)
    start = np.zeros(target.design.n_features)
    return list(coordinate_descent.solve_on_gram(target, alphas, start, settings))


@pytest.mark.one_in(5)
@pytest.mark.parametrize("stored", [np.array, sparse.csc_array])
@pytest.mark.parametrize("factored", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("case", PENALTIES)
def test_every_way_agrees_with_descent(case, shape, factored, stored):
    design, target, _ = setting(shape, case, stored)
    alphas = np.geomspace(0.5, 0.005, 4)
    method = large_support.LargeSupport(target, factored)
    found = list(method.path(alphas, np.zeros(design.n_features), 1000))
    for one, other in zip(found, descended(target, alphas), strict=True):
        assert one.gap < 1e-12
        # Without an L2 part a gap of 1e-15 leaves them this much.
        np.testing.assert_allclose(one.coef, other.coef, rtol=0, atol=1e-5)
        np.testing.assert_allclose(one.rss, other.rss, rtol=1e-5)
        if other.gap < 1e-13:
            assert one.df == pytest.approx(other.df, abs=1e-4)


@pytest.mark.parametrize("case", ["lasso", "weak L2", "factors", "positive"])
def test_the_dual_method_converges_where_no_round_ends(monkeypatch, case):
    monkeypatch.setattr(SupportRounds, "run", lambda self, w, q, limit: (None, 1))
    design, target, _ = setting("tall", case)
    alphas = np.array([0.1, 0.01])
    method = large_support.LargeSupport(target, factored=False)
    found = list(method.path(alphas, np.zeros(design.n_features), 2000))
    for one, other in zip(found, descended(target, alphas), strict=True):
        assert one.gap < 1e-12
        np.testing.assert_allclose(one.coef, other.coef, rtol=0, atol=1e-6)


@pytest.mark.parametrize("stored", [np.array, sparse.csc_array])
def test_rounds_end_at_the_solution_from_nothing_and_from_a_wrong_guess(stored):
    design, target, penalty = setting("tall", "lasso", stored)
    (wanted,) = descended(target, np.array([0.02]))
    rounds = SupportRounds(target)
    assert rounds.serve(penalty.at(0.02))
    zero = np.zeros(design.n_features)
    wrong = np.random.default_rng(0).standard_normal(design.n_features)
    for start in (zero, wrong):
        q = design.correlate(target.y - design.predict(start))
        w, n_rounds = rounds.run(start, q, 100)
        assert n_rounds > 1
        np.testing.assert_allclose(w, wanted.coef, rtol=0, atol=1e-9)
    assert not rounds.serve(setting("tall", "bounds")[2].at(0.02))


def test_duplicated_columns_do_not_stop_the_dual_method():
    rng = np.random.default_rng(0)
    X = np.repeat(rng.standard_normal((30, 10)), 3, axis=1)
    y = X[:, ::3] @ rng.standard_normal(10) + rng.standard_normal(30)
    design = design_of(X)
    target = OneTarget(Bound(design, Target.build(design, y), Penalty.build(30, 1.0)))
    for factored in (True, False):
        method = large_support.LargeSupport(target, factored)
        found = method.path(np.array([0.3, 0.01]), np.zeros(30), 1000)
        assert max(one.gap for one in found) < 1e-12


def test_the_kept_sum_is_that_of_the_features_in_use():
    design, target, _ = setting("wide", "strong L2")
    dual = DualNewton(target, factored=True)
    rng, curvature = np.random.default_rng(1), np.linspace(0.1, 2.0, design.n_features)
    b = target.y * (design.omega > 0)
    Z = design.columns(slice(None))
    for scale in (1.0, 1.0, 0.3, 0.3):
        free = rng.random(design.n_features) < 0.7
        t = scale * curvature
        x = dual.matrix.solve(free, t, b)
        image = x + Z[:, free] @ ((Z[:, free].T @ (design.omega * x)) / t[free])
        np.testing.assert_allclose(image[design.omega > 0], b[design.omega > 0], atol=1e-10)


@pytest.mark.parametrize("l1_ratio", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("unit", [1.0, 100.0])
def test_the_unit_of_y_and_few_rows_leave_the_path_certified(l1_ratio, unit):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((20, 400))
    y = unit * (X[:, :4].sum(axis=1) + rng.standard_normal(20))
    path = skreg.ElasticNet.path(X, y, l1_ratio=l1_ratio, eps=1e-3, alphas=10)
    alphas, coefs, gaps = path
    assert np.max(gaps) <= 1e-11 * unit**2 * np.mean((y / unit) ** 2) + 1e-12
    for alpha, w in zip(alphas, coefs.T, strict=True):
        model = skreg.ElasticNet(alpha=alpha, l1_ratio=l1_ratio, solver="cd", fit_intercept=False)
        model.fit(X, y)
        np.testing.assert_allclose(w, model.coef_, atol=1e-6 * unit)


def test_who_is_sent_there():
    """More active features than rows under an L2 part, sparse columns, a ridge in a box."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((50, 1000))
    y = 30 * X[:, :5].sum(axis=1)
    wide = design_of(X)
    strong, weak = Penalty.build(1000, 0.5).at(1.0), Penalty.build(1000, 0.999).at(0.1)
    assert large_support.pays(wide, strong, 900)
    assert not large_support.pays(wide, strong, 30)
    assert not large_support.pays(wide, Penalty.build(1000, 1.0).at(1.0), 50)
    assert large_support.pays_at_once(wide, strong, 10 * wide.correlate(y))
    assert not large_support.pays_at_once(wide, weak, 10 * wide.correlate(y))
    thin = design_of(sparse.diags([np.ones(6000)] * 3, [0, 1, 2], format="csc"))
    lasso = Penalty.build(6000, 1.0).at(1e-3)
    assert large_support.pays(thin, lasso, 3000)
    assert not large_support.pays(thin, lasso, 500)


@pytest.mark.parametrize("shape", [(900, 800), (800, 900)])
def test_a_single_alpha_under_a_strong_l2_part_takes_products_alone(monkeypatch, shape):
    """No Gram matrix, and no factor of as many rows."""
    built, init = [], large_support.LargeSupport.__init__
    monkeypatch.setattr(
        large_support.LargeSupport,
        "__init__",
        lambda self, target, factored: built.append(factored) or init(self, target, factored),
    )
    rng = np.random.default_rng(0)
    X = rng.standard_normal(shape)
    y = 1000 * X[:, :5].sum(axis=1) + rng.standard_normal(shape[0])
    model = skreg.ElasticNet(alpha=5.0, l1_ratio=0.1).fit(X, y)
    assert built == [False]
    assert model.dual_gap_ < 1e-11 * np.var(y)
    descended = skreg.ElasticNet(alpha=5.0, l1_ratio=0.1, solver="cd").fit(X, y)
    np.testing.assert_allclose(model.coef_, descended.coef_, atol=1e-6 * np.abs(y).max())


def test_methods_hand_over(monkeypatch):
    used, path = [], large_support.LargeSupport.path
    monkeypatch.setattr(
        large_support.LargeSupport,
        "path",
        lambda self, alphas, *args: used.append(len(alphas)) or path(self, alphas, *args),
    )
    rng = np.random.default_rng(0)
    X = rng.standard_normal((30, 900))
    y = 100 * X[:, :5].sum(axis=1)
    skreg.Lasso(alpha=1.0).fit(X, y)
    assert not used
    skreg.ElasticNet(alpha=1.0, l1_ratio=0.2).fit(X, y)  # a single alpha, at once
    assert used == [1]
    skreg.ElasticNet.path(X, y, l1_ratio=0.2, alphas=20)  # in the middle of a path
    assert 1 < used[1] < 20
    used.clear()
    model = skreg.Ridge(positive=True).fit(X, y)
    assert used == [1]
    reference = skreg.Ridge(positive=True, solver="lbfgs", tol=1e-12).fit(X, y)
    np.testing.assert_allclose(model.coef_, reference.coef_, atol=1e-4)


def test_too_few_iterations_leave_an_honest_gap():
    design, target, penalty = setting("wide", "strong L2")
    solved = exact_path.solve(
        Bound(design, Target.build(design, target.y), penalty),
        np.array([0.01]),
        np.zeros((design.n_features, 1)),
        Settings(),
    )
    (wanted,) = solved
    method = large_support.LargeSupport(target, factored=True)
    (one,) = method.path(np.array([0.01]), np.zeros(design.n_features), 1)
    scaled = penalty.at(0.01)
    excess = 0.5 * (one.rss - wanted.rss)
    excess += float((scaled.value(one.coef) - scaled.value(wanted.coef)).sum())
    assert one.n_iter <= 2
    assert 0 < excess <= one.gap * target.yy * (1 + 1e-9)


@pytest.mark.parametrize(
    ("common", "weighted", "share"), [(0.0, False, 0.1), (3.0, True, 0.003), (3.0, False, 0.1)]
)
def test_products_in_single_precision_cost_no_digits(common, weighted, share):
    rng = np.random.default_rng(0)
    n, p = 1024, 1100
    X = np.asfortranarray(rng.standard_normal((n, p)) + common * rng.standard_normal((n, 1)))
    weight = rng.integers(0, 3, n).astype(float) if weighted else None
    design = design_of(X, weight)
    y, _ = design.center(X[:, :10].sum(axis=1) + rng.standard_normal(n))
    penalty = Penalty.build(p, 0.1)
    target = OneTarget(Bound(design, Target.build(design, y), penalty))
    alphas = penalty.alpha_max(target.c) * np.array([share])
    method = large_support.LargeSupport(target, factored=False)
    (found,) = method.path(alphas, np.zeros(p), 1000)
    assert found.gap < 1e-12
    assert "single" in vars(method.dual)


def test_a_dual_point_from_which_the_objective_rises_is_given_up():
    """A multiple of it is looked for, and to a tiny one any positive multiple is as bad."""
    design, target, penalty = setting("wide", "lasso")
    scaled, nothing = penalty.at(2.0 * penalty.alpha_max(target.c)), np.zeros(design.n_features)
    dual = DualNewton(target, factored=True)
    r, q, counted = -1e-20 * target.y, -1e-20 * target.c, design.omega > 0
    found, _ = dual.solve(scaled, nothing, r, q, 0.1, 1e-12, 100)
    assert not found.w.any()
    np.testing.assert_allclose(found.r * counted, target.y * counted, rtol=0, atol=1e-12)
