"""Every solver against every other, and coordinate descent from the inside."""

import numpy as np
import pytest
from exact import Problem
from scipy import sparse
from sklearn.base import clone

import skreg
from skreg.data.build import design_of
from skreg.objective.losses import LOSSES
from skreg.objective.penalties import Penalty
from skreg.solvers.base import Bound, Settings, Target
from skreg.solvers.quadratic import (
    alone,
    coordinate_descent,
    large_support,
    side_by_side,
    working_set,
)
from skreg.solvers.quadratic import (
    auto as exact_path,
)
from skreg.solvers.quadratic.descent import GramModel, descend
from skreg.solvers.registry import SOLVERS, choose

SHAPES = {"tall": (60, 8), "wide": (25, 40)}
PENALTIES = {
    "lasso": (1.0, {}),
    "elastic net": (0.5, {}),
    "ridge": (0.0, {}),
    "factors": (0.7, {"factors": [0.0, 2.0, np.inf, 0.5]}),
    "bounds": (0.9, {"lower": -0.2, "upper": 0.4}),
    "positive ridge": (0.0, {"lower": 0.0}),
}
EXACT = Settings(tol=1e-14, max_iter=20_000)


def setting(shape, case, stored=np.array, n_targets=2):
    rng = np.random.default_rng(0)
    n, p = SHAPES[shape]
    X = rng.standard_normal((n, p)) + rng.standard_normal((n, 1))
    Y = X @ (rng.standard_normal((p, n_targets)) / (1 + np.arange(p)[:, None]))
    Y += 0.3 * rng.standard_normal(Y.shape)
    design = design_of(stored(X), rng.random(n))
    l1_ratio, shape_of = PENALTIES[case]
    shape_of = dict(shape_of)
    if "factors" in shape_of:
        shape_of["factors"] = np.resize(shape_of["factors"], p)
    return design, design.center(Y)[0], Penalty.build(p, l1_ratio, **shape_of)


def solve(name, design, Y, penalty, alphas, settings=EXACT):
    """Coefficients, shape (n_features, n_targets, n_alphas), and relative gaps."""
    start = np.zeros((design.n_features, Y.shape[1]))
    found = list(
        SOLVERS[name].solve(
            Bound(design, Target.build(design, Y), penalty), alphas, start, settings
        )
    )
    coefs = [np.reshape(one.coef, (-1, design.n_features)) for one in found]
    return np.array(coefs).transpose(2, 1, 0), np.array([np.ravel(one.gap) for one in found])


@pytest.mark.parametrize("stored", [np.array, sparse.csc_array])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("case", PENALTIES)
def test_all_solvers_agree(case, shape, stored):
    design, Y, penalty = setting(shape, case, stored)
    alphas = np.array([0.5, 0.05])
    names = [name for name in SOLVERS if SOLVERS[name].refusal(penalty.at(0.1)) is None]
    if sparse.issparse(design._X):
        names = [name for name in names if name != "svd"]  # needs a dense X
    assert "cd" in names
    reference, _ = solve("cd", design, Y, penalty, alphas)
    for name in names:
        coefs, gaps = solve(name, design, Y, penalty, alphas)
        # The line search of L-BFGS compares objectives, which are flat at this level.
        atol = 1e-7 if name == "lbfgs" else 1e-8
        np.testing.assert_allclose(coefs, reference, rtol=0, atol=atol, err_msg=name)
        assert gaps.max() < 1e-12, name


@pytest.mark.parametrize("case", PENALTIES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", [None, 0])
def test_gram_working_set_and_large_supports_agree(monkeypatch, case, shape, seed):
    design, Y, penalty = setting(shape, case)
    alphas = np.geomspace(0.5, 0.01, 8)
    forms = {
        "gram": Settings(tol=1e-14, seed=seed, precompute=True),
        "working set": Settings(tol=1e-14, seed=seed, precompute=False),
    }
    coefs = {k: solve("cd", design, Y, penalty, alphas, form)[0] for k, form in forms.items()}
    for module in (coordinate_descent, working_set):
        monkeypatch.setattr(module, "GRAM_LIMIT", 3)
    coefs["large"] = solve("cd", design, Y, penalty, alphas, forms["working set"])[0]
    for name, found in coefs.items():
        # A gap of 1e-16 leaves a nearly singular face this much.
        atol = 1e-6 if name == "large" else 1e-8
        np.testing.assert_allclose(found, coefs["gram"], rtol=0, atol=atol, err_msg=name)


def test_a_set_too_large_for_its_gram_matrix_is_handed_over(monkeypatch):
    """The test before this one would be empty if the limits did not choose."""
    used, path = [], large_support.LargeSupport.path
    monkeypatch.setattr(
        large_support.LargeSupport,
        "path",
        lambda self, *args: used.append(self) or path(self, *args),
    )
    design, Y, penalty = setting("wide", "lasso", n_targets=1)
    solve("cd", design, Y, penalty, np.array([0.05]), Settings(precompute=False))
    assert not used
    for module in (coordinate_descent, working_set):
        monkeypatch.setattr(module, "GRAM_LIMIT", 3)
    solve("cd", design, Y, penalty, np.array([0.05]), Settings(precompute=False))
    assert len(used) == 1


class Recorded:
    """A model that notes the objective at every start, exactly."""

    def __init__(self, model, problem):
        self.model, self.problem, self.values = model, problem, []

    def __getattr__(self, name):
        return getattr(self.model, name)

    def start(self, w):
        self.values.append(float(self.problem.objective(w)))
        return self.model.start(w)


@pytest.mark.parametrize("case", PENALTIES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", [None, 3])
def test_the_objective_never_rises(case, shape, seed):
    design, Y, penalty = setting(shape, case, n_targets=1)
    scaled = penalty.at(0.02)
    Z = np.sqrt(design.omega)[:, None] * design.columns(slice(None))
    problem = Problem(
        Z.astype(np.longdouble),
        (np.sqrt(design.omega) * Y[:, 0]).astype(np.longdouble),
        scaled.l1,
        scaled.l2,
        scaled.lower,
        scaled.upper,
    )
    model = GramModel(design.gram(), design.correlate(Y[:, 0]))
    recorded = Recorded(model, problem)
    # From far away, on the wrong side of every kink.
    w = np.clip(5 * np.random.default_rng(1).standard_normal(len(scaled.l1)), scaled.lower, 1e9)
    w = np.minimum(w, scaled.upper)
    yy = float(design.norm2(Y[:, 0]))
    rng = None if seed is None else np.random.RandomState(seed)
    _, n_iter = descend(recorded, w, scaled, yy, 1000, rng)
    values = np.array(recorded.values)
    assert len(values) > 2
    assert np.all(np.diff(values) <= 1e-14 * values[0])
    assert problem.gap(w) < 1e-12
    assert n_iter < 100


@pytest.mark.parametrize("precompute", [True, False])
def test_random_order_is_reproducible(precompute):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((40, 60)), rng.standard_normal(40)
    settings = {"selection": "random", "precompute": precompute, "max_iter": 2, "tol": 1.0}

    def coef(state):
        return skreg.Lasso(0.02, random_state=state, **settings).fit(X, y).coef_

    np.testing.assert_array_equal(coef(5), coef(5))
    assert np.any(coef(5) != coef(6))  # stopped early: another order, another point


def test_random_and_cyclic_order_end_at_the_same_point():
    design, Y, penalty = setting("wide", "lasso")
    alphas = np.array([0.02])
    cyclic, _ = solve("cd", design, Y, penalty, alphas)
    random, _ = solve("cd", design, Y, penalty, alphas, Settings(tol=1e-14, seed=7))
    np.testing.assert_allclose(random, cyclic, rtol=0, atol=1e-10)


@pytest.mark.parametrize("stored", [np.array, sparse.csc_array])
def test_strong_rule_violations_are_found(stored, monkeypatch):
    """A working set that starts with nothing useful must still end at the optimum."""
    monkeypatch.setattr(coordinate_descent, "LEAST_GROWTH", 1)
    design, Y, penalty = setting("wide", "lasso", stored)
    _, gaps = solve("cd", design, Y, penalty, np.array([1e-3]), Settings(precompute=False))
    assert gaps.max() < 1e-12


def test_a_penalty_that_no_solver_declares_is_refused():
    class Other:
        has_l1, has_bounds, couples_targets = True, False, False

    with pytest.raises(ValueError, match="solver='auto' does not support the penalty Other"):
        choose("auto", Other())


@pytest.mark.parametrize("name", ["cholesky", "svd", "lsqr", "sparse_cg", "closed_form"])
def test_refusals_are_readable(name):
    lasso, bounded = Penalty.build(2, 1.0), Penalty.build(2, 0.0, lower=0.0)
    with pytest.raises(ValueError, match="an L1 penalty; use 'auto' or 'cd'"):
        choose(name, lasso.at(1.0))
    with pytest.raises(ValueError, match="bounds; use 'auto', 'cd' or 'lbfgs'"):
        choose(name, bounded.at(1.0))


@pytest.mark.parametrize("name", ["auto", "cd"])
@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
def test_a_loss_is_refused_by_the_name_that_was_given(name, l1_ratio):
    with pytest.raises(ValueError, match=f"solver='{name}' does not support the loss 'poisson'"):
        choose(name, Penalty.build(2, l1_ratio).at(1.0), LOSSES["poisson"])


def test_auto_takes_the_direct_way_where_there_is_one():
    assert choose("auto", Penalty.build(2, 0.0).at(1.0)).name == "closed_form"
    assert choose("auto", Penalty.build(2, 1.0).at(0.0)).name == "closed_form"
    for name in ("auto", "cd"):
        found = choose(name, Penalty.build(2, 0.0).at(0.0), has_rows=False)
        assert found.name == "closed_form"
    assert choose("auto", Penalty.build(2, 0.0).at(1.0), has_rows=False).name == "cd"
    assert choose("auto", Penalty.build(2, 1.0).at(1.0)).name == "auto"
    assert choose("auto", Penalty.build(2, 0.0, lower=0.0).at(1.0)).name == "cd"
    # An excluded feature is no bound.
    assert (
        choose("auto", Penalty.build(2, 0.0, np.array([1.0, np.inf])).at(1.0)).name == "closed_form"
    )


@pytest.mark.parametrize("case", [{}, {"l1_ratio": 0.5}, {"upper_bound": 0.5, "standardize": True}])
def test_a_guessed_support_saves_rounds_and_changes_nothing(monkeypatch, case):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 80)) * rng.lognormal(size=80)
    y = X @ rng.normal(size=80) + rng.normal(size=400)
    guessed = skreg.ElasticNet(alpha=0.1, **{"l1_ratio": 1.0, **case}).fit(X, y)
    for module in (exact_path, side_by_side):
        monkeypatch.setattr(module, "GUESSED_FROM", np.inf)
    monkeypatch.setattr(alone, "WEAK_PENALTY", np.inf)
    plain = skreg.ElasticNet(alpha=0.1, **{"l1_ratio": 1.0, **case}).fit(X, y)
    assert guessed.n_iter_ < plain.n_iter_
    assert guessed.dual_gap_ < 1e-13
    np.testing.assert_allclose(guessed.coef_, plain.coef_, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("l1_ratio", [1.0, 0.999, 0.5])
@pytest.mark.parametrize("options", [{}, {"factors": True}, {"bounds": True}])
@pytest.mark.parametrize("share", [0.3, 0.01, 0.001])
def test_one_cold_alpha_with_fewer_rows_than_features(l1_ratio, options, share):
    """It is followed from knot to knot: a guess of the support would take in too many features."""
    rng = np.random.default_rng(0)
    X = np.sqrt(0.5) * (rng.normal(size=(60, 110)) + rng.normal(size=(60, 1)))
    y = X @ rng.normal(size=110) + rng.normal(size=60)
    more = {"penalty_factor": np.resize([1.0, 0.5, 2.0], 110)} if "factors" in options else {}
    if "bounds" in options:
        more |= {"lower_bound": -0.5, "upper_bound": 0.8}
    model = skreg.ElasticNet(l1_ratio=l1_ratio, **more)
    alpha = share * skreg.regularization_path(model, X, y, alphas=1).alphas[0]
    found = model.set_params(alpha=alpha).fit(X, y)
    other = clone(model).set_params(solver="cd").fit(X, y)
    assert found.n_iter_ <= 4 * X.shape[1]
    assert found.dual_gap_ <= 1e-12  # of which rounding has its part
    np.testing.assert_allclose(found.coef_, other.coef_, rtol=0, atol=1e-8)
