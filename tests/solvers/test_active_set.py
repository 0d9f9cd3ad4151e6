"""Newton's method on the active set and the path by batches of alphas, from the inside."""

from dataclasses import replace

import numpy as np
import pytest
from exact import Problem
from hypothesis import given
from hypothesis import strategies as st
from reference import minimise, violation
from scipy import sparse

import skreg
from skreg.data.build import design_of
from skreg.objective.penalties import Penalty
from skreg.solvers.base import Bound, Settings, Solution, Target
from skreg.solvers.optimality import support_gaps
from skreg.solvers.quadratic import auto, batched_path, coordinate_descent
from skreg.solvers.quadratic.active_set import ActiveSet
from skreg.solvers.quadratic.cholesky import solve_on_support
from skreg.solvers.quadratic.proximal import ProximalActiveSet
from skreg.solvers.quadratic.state import Predictor
from skreg.solvers.tolerances import TUNING

EXACT = Settings(tol=1e-14, max_iter=20_000)
METHODS = {
    "cd": coordinate_descent.solve,
    "batches": batched_path.solve,
    "gram": auto._solve_on_gram,
    "dispatched": auto.solve,
}


def objective(design, y, w, scaled):
    residual = y - design.predict(w)
    return 0.5 * float(design.norm2(residual)) + float(scaled.value(w).sum())


def path(method, design, y, penalty, alphas, start=None, how=EXACT):
    """Solutions of each alpha, one a target."""
    w = np.zeros((design.n_features, y.shape[1])) if start is None else start
    found = METHODS[method](Bound(design, Target.build(design, y), penalty), alphas, w, how)
    return [[one] if np.ndim(one.gap) == 0 else [*map(Solution, *one)] for one in found]


def problem_of(design, y, scaled):
    root = np.sqrt(design.omega)
    Z = (root[:, None] * design.columns(slice(None))).astype(np.longdouble)
    target = (root * design.center(y[:, 0])[0]).astype(np.longdouble)
    return Problem(Z, target, scaled.l1, scaled.l2, scaled.lower, scaled.upper)


seeds = st.integers(0, 2**32 - 1)


@st.composite
def problems(draw):
    rng = np.random.default_rng(draw(seeds))
    n, p = draw(st.integers(3, 40)), draw(st.integers(1, 60))
    X = rng.standard_normal((n, p))
    kind = draw(st.sampled_from(["plain", "common", "twins", "near twins", "low rank", "constant"]))
    if kind == "common":
        X += 3 * rng.standard_normal((n, 1))
    elif kind == "twins":
        X = X[:, rng.integers(0, p, p)]
    elif kind == "near twins":
        X = X[:, rng.integers(0, p, p)] + 1e-8 * X
    elif kind == "low rank":
        X = X[:, :3] @ rng.standard_normal((min(3, p), p))
    elif kind == "constant":
        X[:, rng.random(p) < 0.3] = 0.7
    X = X * draw(st.sampled_from([1.0, 1e-6, 1e6]))
    weight = rng.random(n) + 0.01 if draw(st.booleans()) else None
    stored = draw(st.sampled_from([np.ascontiguousarray, np.asfortranarray, sparse.csc_array]))
    design = design_of(
        stored(X), weight, center=draw(st.booleans()), standardize=draw(st.booleans())
    )
    y = rng.standard_normal((n, 1)) + X[:, :1] / np.abs(X).max()
    factors = lower = upper = None
    if draw(st.booleans()):
        # Without a penalty nearly equal features have no solution that float64 can certify.
        least = 0.2 if kind == "near twins" else 0.0
        factors = rng.choice([least, 0.5, 1.0, 3.0, np.inf], p)
    scale = 1.0 / np.sqrt(np.where(design.variances > 0, design.variances, 1.0))
    if draw(st.booleans()):
        lower = -scale * rng.choice([0.0, 0.02, np.inf], p)
        upper = scale * rng.choice([0.0, 0.05, np.inf], p)
    penalty = Penalty.build(p, draw(st.sampled_from([1.0, 0.95, 0.5, 0.05])), factors, lower, upper)
    if not np.any(penalty.factors > 0):
        penalty = Penalty.build(p, penalty.l1_ratio, None, lower, upper)
    return design, y, penalty


@given(problems(), st.integers(1, 12), st.sampled_from([1e-1, 1e-3, 1e-6]), seeds)
def test_every_method_reaches_the_minimum(problem, n_alphas, eps, seed):
    design, y, penalty = problem
    centred = design.center(y)[0]
    if design.norm2(centred) <= 1e-20 * float(np.max(y**2)):
        return
    top = penalty.alpha_max(design.correlate(centred)) or 1.0
    alphas = np.geomspace(top, top * eps, n_alphas) if n_alphas > 1 else np.array([top * eps])
    reach = np.sqrt(design.norm2(centred) / np.where(design.variances > 0, design.variances, 1e300))
    start = (np.random.default_rng(seed).standard_normal(design.n_features) * reach)[:, None]
    start = np.clip(start, penalty.lower[:, None], penalty.upper[:, None]) * (seed % 2)
    unit = float(design.norm2(centred)[0])
    found = {name: path(name, design, y, penalty, alphas, start) for name in METHODS}
    for i, alpha in enumerate(alphas):
        scaled = penalty.at(alpha)
        values = {
            name: objective(design, centred[:, 0], each[i][0].coef, scaled)
            for name, each in found.items()
        }
        for name, each in found.items():
            (one,) = each[i]
            assert 0 <= one.gap <= 1e-8, name
            assert np.all((scaled.lower <= one.coef) & (one.coef <= scaled.upper)), name
            assert values[name] - min(values.values()) <= (one.gap + 1e-12) * unit, name
            assert one.df == np.count_nonzero(one.coef), name
            residual = centred[:, 0] - design.predict(one.coef)
            np.testing.assert_allclose(one.rss, design.norm2(residual), rtol=1e-6, atol=1e-9 * unit)
    scaled = penalty.at(alphas[-1])
    if eps > 1e-5:
        assert problem_of(design, y, scaled).gap(found["batches"][-1][0].coef) <= 1e-8


def tuned(**changes):
    return replace(EXACT, tuning=replace(TUNING, **changes))


OPTIONS = {
    "lasso": (1.0, {}),
    "elastic net": (0.5, {}),
    "factors": (0.9, {"factors": [0.0, 2.0, np.inf, 0.5, 1.0]}),
    "positive": (1.0, {"lower": 0.0}),
    "bounds": (0.9, {"lower": -0.05, "upper": 0.1}),
    "all": (0.7, {"factors": [0.0, 2.0, np.inf, 0.5, 1.0], "lower": -0.02, "upper": 0.1}),
}


def setting(case, n=40, p=120, n_targets=2, stored=np.asfortranarray, **options):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, p)) + rng.standard_normal((n, 1))
    Y = X[:, :5] @ rng.standard_normal((5, n_targets)) + rng.standard_normal((n, n_targets))
    design = design_of(stored(X), rng.random(n), **options)
    Y *= np.sign(design.correlate(Y).sum(axis=0))  # so that positive coefficients have work to do
    l1_ratio, shape = OPTIONS[case]
    shape = dict(shape)
    if "factors" in shape:
        shape["factors"] = np.resize(shape["factors"], p)
    penalty = Penalty.build(p, l1_ratio, **shape)
    if design.inv_scale is not None:
        penalty = penalty.with_units(design.from_raw(np.ones(p)))
    top = penalty.alpha_max(design.correlate(design.center(Y)[0]))
    return design, Y, penalty, np.geomspace(top, 0.01 * top, 30)


@pytest.mark.one_in(5)
@pytest.mark.parametrize("stored", [np.array, np.float32, sparse.csc_array])
@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("case", OPTIONS)
def test_the_methods_agree_on_every_option(case, standardize, stored):
    design, Y, penalty, alphas = setting(case, stored=stored, standardize=standardize)
    found = {name: path(name, design, Y, penalty, alphas) for name in METHODS}
    fits = {
        name: np.array([[design.predict(one.coef) for one in each] for each in sols])
        for name, sols in found.items()
    }
    for name, sols in found.items():
        assert max(one.gap for each in sols for one in each) <= 1e-12, name
        np.testing.assert_allclose(fits[name], fits["cd"], rtol=0, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("case", OPTIONS)
def test_a_path_takes_hardly_more_than_one_round_an_alpha(case):
    design, Y, penalty, alphas = setting(case, n=400, n_targets=1)
    solver = ActiveSet(penalty, 120, float(design.norm2(Y)[0]))
    y = design.center(Y)[0][:, 0]
    solver.extend(design.gram(), design.correlate(y), np.arange(120))
    assert np.mean([solver.solve(alpha, 1000) for alpha in alphas]) <= 3


@pytest.mark.parametrize("case", OPTIONS)
@pytest.mark.parametrize("far", [0.5, 0.05, 1e-3])
def test_one_alpha_from_nowhere_and_from_nearby(case, far):
    design, Y, penalty, alphas = setting(case, n_targets=1)
    alpha = alphas[:1] * far
    (reference,) = path("cd", design, Y, penalty, alpha)
    rng = np.random.default_rng(1)
    nearby = reference[0].coef * (1 + 0.1 * rng.standard_normal(120))
    for start in (None, nearby, rng.standard_normal(120)):
        w = None if start is None else np.clip(start, penalty.lower, penalty.upper)[:, None]
        for method in ("batches", "gram"):
            ((found,),) = path(method, design, Y, penalty, alpha, w)
            assert found.gap <= 1e-12
            np.testing.assert_allclose(
                design.predict(found.coef), design.predict(reference[0].coef), rtol=0, atol=1e-9
            )
    ((again,),) = path("batches", design, Y, penalty, alpha, reference[0].coef[:, None])
    assert again.n_iter == 0


@pytest.mark.parametrize("case", OPTIONS)
def test_features_that_were_not_predicted_are_found(case):
    """Nothing joins by screening: every feature comes in as a violator of the KKT check."""
    design, Y, penalty, alphas = setting(case, n_targets=1)
    first, *others = (
        path("batches", design, Y, penalty, alphas, how=tuned(margin=margin, joining=joining))
        for margin, joining in ((0.2, 48), (-1e9, 48), (-1e9, 1))
    )
    for other in others:
        for (a,), (b,) in zip(first, other, strict=True):
            assert b.gap <= 1e-12
            np.testing.assert_allclose(b.coef, a.coef, rtol=0, atol=1e-8)


@pytest.mark.parametrize("kept", [1, 10**6], ids=["updated factor", "new factors"])
@pytest.mark.parametrize("case", OPTIONS)
def test_solutions_are_those_of_the_plain_reference(case, kept):
    design, Y, penalty, alphas = setting(case, n=60, p=25, n_targets=1)
    y = design.center(Y)[0][:, 0]
    G, c = design.gram(), design.correlate(y)
    solver = ActiveSet(
        penalty, 25, float(design.norm2(y)), tuning=replace(TUNING, kept_factor=kept)
    )
    solver.extend(G, c, np.arange(25))
    for alpha in alphas[::3]:
        solver.solve(alpha, 1000)
        scaled = penalty.at(alpha)
        assert violation(G, c, scaled, solver.state.w) <= 1e-12 * np.abs(c).max()
        np.testing.assert_allclose(solver.state.w, minimise(G, c, scaled), rtol=0, atol=1e-10)


@pytest.mark.parametrize("kept", [1, 20, 10**6])
@pytest.mark.parametrize("kind", ["independent", "copies"])
@pytest.mark.parametrize("case", OPTIONS)
def test_a_rollback_is_the_state_before(case, kind, kept):
    """Whatever was solved since: the same steps from a checkpoint end in the same solutions."""
    design, Y, penalty, alphas = setting(case, n=150, p=60, n_targets=1)
    y = design.center(Y)[0][:, 0]
    G, c = design.gram(), design.correlate(y)
    if kind == "copies":
        half = np.arange(60) // 2
        G, c = G[np.ix_(half, half)], c[half]
    rank = 30 if kind == "copies" else 60
    solver = ProximalActiveSet(
        penalty, rank, float(design.norm2(y)), tuning=replace(TUNING, kept_factor=kept)
    )
    solver.extend(G, c, np.arange(60))
    for alpha in alphas[:12]:
        solver.solve(alpha, 1000)
    checkpoint = solver.state
    before = [np.array(part) for part in (*checkpoint[2:4], *checkpoint.pattern)]
    fits = []
    for between in (alphas[12:13], alphas[13:29], alphas[::-1]):  # near, far and back again
        for alpha in between:
            solver.solve(alpha, 1000)
        solver.state = checkpoint
        for part, same in zip((*checkpoint[2:4], *checkpoint.pattern), before, strict=True):
            np.testing.assert_array_equal(part, same)
        for alpha in alphas[12:20]:
            solver.solve(alpha, 1000)
            free = np.flatnonzero(penalty.upper > penalty.lower)  # others have no correlation
            q = (c - G @ solver.state.w)[free]
            np.testing.assert_allclose(solver.state.q[free], q, rtol=0, atol=1e-8 * np.abs(c).max())
        assert violation(G, c, penalty.at(alphas[19]), solver.state.w) <= 1e-9 * np.abs(c).max()
        fits.append(G @ solver.state.w)
        solver.state = checkpoint
    for fit in fits[1:]:
        np.testing.assert_allclose(fit, fits[0], rtol=0, atol=1e-9)


@pytest.mark.parametrize("factors", [None, [0.0, 1.0, 2.0, 0.5]])
def test_a_predicted_path_does_not_stray(factors):
    """Between breakpoints solutions are extrapolated; each is the one that equations give."""
    rng = np.random.default_rng(4)
    Z = rng.standard_normal((50, 30)) + rng.standard_normal((50, 1))
    G, c = Z.T @ Z / 50, Z.T @ (Z[:, :3].sum(axis=1) + rng.standard_normal(50)) / 50
    penalty = Penalty.build(30, 1.0, None if factors is None else np.resize(factors, 30))
    follower = ActiveSet(penalty, 30, 10.0)
    follower.extend(G, c, np.arange(30))
    for alpha in np.geomspace(2.0, 1e-3, 300):
        assert follower.solve(alpha, 1000) >= 1
        assert violation(G, c, penalty.at(alpha), follower.state.w) <= 1e-12
        fresh = ActiveSet(penalty, 30, 10.0)
        fresh.extend(G, c, np.arange(30))
        fresh.solve(alpha, 1000)
        np.testing.assert_allclose(follower.state.w, fresh.state.w, rtol=0, atol=1e-11)


@pytest.mark.parametrize("many", [3, 8, 20, 10**6])
def test_no_prediction_is_trusted_that_is_of_another_support(many):
    """Alphas that rise and fall, few and many active features, and descent at one of them."""
    tuning = replace(TUNING, kept_factor=many)
    for seed in range(60):
        rng = np.random.default_rng(seed)
        Z = rng.standard_normal((60, 40)) + rng.standard_normal((60, 1))
        y = Z[:, :5].sum(axis=1) + rng.standard_normal(60)
        G, c, yy = Z.T @ Z / 60, Z.T @ y / 60, float(y @ y) / 60
        solver, top = ActiveSet(Penalty.build(40, 1.0), 40, yy), float(np.abs(c).max())
        solver.extend(G, c, np.arange(40))
        for i, share in enumerate(rng.choice([1.0, 0.7, 0.3, 0.1, 0.099, 0.0985, 0.01], 12)):
            solver.tuning = replace(tuning, max_rounds=0 if i % 4 == 2 else 50)
            alpha = top * share
            solver.solve(alpha, 1000)
            w = solver.state.w
            q, used = c - G @ w, w != 0
            assert np.abs(q).max() <= alpha * (1 + 1e-9)
            np.testing.assert_allclose(q[used], alpha * np.sign(w[used]), rtol=1e-9)


def test_a_secant_is_not_extrapolated_far_and_an_exact_predictor_is():
    w, q, dw, dq = np.random.default_rng(0).standard_normal((4, 3))
    exact = Predictor(2.0, w, q, dw, dq, span=0.1, exact=True)
    for alpha, ahead in ((2.0, 0.0), (1.9, 1.0), (1.7, 3.0), (0.5, 15.0)):
        assert exact.ahead(alpha, 4.0) == pytest.approx(ahead, abs=1e-12)
        assert exact._replace(exact=False).ahead(alpha, 4.0) == pytest.approx(min(ahead, 4.0))
    np.testing.assert_array_equal(exact.at(3.0), (w + 3.0 * dw, q + 3.0 * dq))


def test_features_that_depend_on_others_are_found_on_a_support():
    rng = np.random.default_rng(0)
    Z = rng.standard_normal((30, 6))
    Z[:, 4] = Z[:, 1] + Z[:, 2] + 1e-6 * Z[:, 5]  # a pivot of 1e-12: positive, and all but zero
    Z[:, 5] = Z[:, 0]
    G = Z.T @ Z / 30
    for active, place in (([0, 1, 2, 3], None), ([3, 0, 5], 2), ([4, 1, 0, 2], 3), ([], None)):
        index = np.array(active, dtype=np.intp)
        pulls = rng.standard_normal((2, len(active)))
        x, dependent = solve_on_support(index, G[index], pulls.copy(), None)
        assert dependent == place
        if place is None:
            np.testing.assert_allclose(x @ G[np.ix_(index, index)], pulls, rtol=0, atol=1e-12)
        ridge = rng.random(len(active)) + 0.1
        x, dependent = solve_on_support(index, G[index], pulls.copy(), ridge)
        assert dependent is None
        back = x @ (G[np.ix_(index, index)] + np.diag(ridge))
        np.testing.assert_allclose(back, pulls, rtol=0, atol=1e-12)


@pytest.mark.parametrize("seed", [12, 21])
def test_rounds_stay_few_where_the_support_comes_to_the_rank(seed):
    """After descent nothing is predicted: more would enter than can be independent."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((30, 600)) + rng.standard_normal((30, 1))
    y = X[:, :10] @ rng.standard_normal(10) * np.sqrt(0.5) + rng.standard_normal(30)
    top = np.abs((X - X.mean(axis=0)).T @ (y - y.mean())).max() / 30
    alphas = top * np.geomspace(1, 0.002, 100)
    design, penalty = design_of(X, None, center=True, standardize=False), Penalty.build(600, 1.0)
    found = [one for (one,) in path("batches", design, y[:, None], penalty, alphas)]
    assert np.count_nonzero(found[-1].coef) >= 28
    assert sum(one.n_iter for one in found) <= 130
    assert max(one.gap for one in found) <= 1e-12


@pytest.mark.parametrize("method", ["batches", "gram"])
@pytest.mark.parametrize("case", OPTIONS)
@pytest.mark.parametrize("limit", [0, 1])
def test_rounds_that_do_not_end_are_taken_over_by_descent(case, method, limit):
    design, Y, penalty, alphas = setting(case, n_targets=1)
    reference = path("cd", design, Y, penalty, alphas[5:25:6])
    found = path(method, design, Y, penalty, alphas[5:25:6], how=tuned(max_rounds=limit))
    for (a,), (b,) in zip(found, reference, strict=True):
        assert a.gap <= 1e-12
        np.testing.assert_allclose(design.predict(a.coef), design.predict(b.coef), atol=1e-9)


@pytest.mark.parametrize("patience", [1, 4])
def test_rounds_that_cycle_end(patience):
    """Signs from nowhere on a badly conditioned problem: where the rounds cycle, descent ends."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        G = rng.standard_normal((12, 30))
        G = G.T @ G / 12 + 1e-3 * np.eye(30)
        penalty = Penalty.build(30, 1.0)
        c = rng.standard_normal(30)
        yy = 2.0 * float(c @ np.linalg.solve(G, c))
        solver = ActiveSet(penalty, 30, yy, tuning=replace(TUNING, patience=patience))
        solver.extend(G, c, np.arange(30))
        solver.adopt(rng.standard_normal(30))
        assert solver.solve(1e-3, 1000) <= 250
        assert violation(G, c, penalty.at(1e-3), solver.state.w) <= 1e-9


@pytest.mark.parametrize("max_iter", [1, 2, 5])
def test_max_iter_bounds_the_work_and_shows_in_the_gap(max_iter):
    design, Y, penalty, alphas = setting("lasso", n_targets=1)
    how = Settings(tol=1e-14, max_iter=max_iter)
    ((found,),) = path("batches", design, Y, penalty, alphas[-1:], how=how)
    assert found.n_iter <= max_iter + max_iter // 4  # one more at each alpha inserted
    scaled = penalty.at(alphas[-1])
    y = design.center(Y)[0][:, 0]
    least = objective(design, y, path("cd", design, Y, penalty, alphas[-1:])[0][0].coef, scaled)
    above = (objective(design, y, found.coef, scaled) - least) / float(design.norm2(y))
    assert above <= found.gap + 1e-12


def test_duplicates_stay_out_of_each_others_way():
    rng = np.random.default_rng(0)
    X = np.repeat(rng.standard_normal((60, 40)), 5, axis=1)
    y = X[:, :20].sum(axis=1) + rng.standard_normal(60)
    for noise in (0.0, 1e-12, 1e-9, 1e-7, 1e-5):
        near = X + noise * rng.standard_normal(X.shape)
        found = skreg.regularization_path(skreg.Lasso(), near, y, alphas=50)
        assert found.dual_gaps.max() <= 1e-10
        assert Problem.of(near, y, found.alphas[-1]).gap(found.coefs[:, -1]) <= 1e-10


@given(problems(), st.sampled_from([0.5, 0.05, 1e-3]), seeds)
def test_the_gap_from_the_support_bounds_the_gap(problem, share, seed):
    """At any point, optimal or not."""
    design, y, penalty = problem
    y = design.center(y)[0][:, 0]
    if float(design.norm2(y)) <= 1e-20:
        return
    unit = float(design.norm2(y))
    alpha = share * (penalty.alpha_max(design.correlate(y)) or 1.0)
    ((found,),) = path("cd", design, y[:, None], penalty, np.array([alpha]))
    rng = np.random.default_rng(seed)
    w = np.clip(found.coef * (1 + 0.1 * rng.random(len(found.coef))), penalty.lower, penalty.upper)
    scaled = penalty.at(alpha)
    residual = y - design.predict(w)
    q, rss = design.correlate(residual), float(design.norm2(residual))
    used = (w != 0) | (scaled.l1 == 0)
    movable = np.where(q > 0, scaled.upper > 0, scaled.lower < 0)
    rest = np.max((np.abs(q) / np.where(used, np.inf, scaled.l1))[~used & movable], initial=0.0)
    many = penalty.at_each(np.array([alpha]))
    index = np.flatnonzero(used)
    part = type(many)(many.l1[index], many.l2[index], many.lower[index], many.upper[index])
    (bound,) = support_gaps(
        w[index, None],
        q[index, None],
        np.array([rest]),
        np.array([rss]),
        part,
        design.variances[index],
        unit,
    )
    above = (objective(design, y, w, scaled) - objective(design, y, found.coef, scaled)) / unit
    assert above <= bound + 1e-12


def test_tiny_penalties_on_wide_data():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((50, 400)), rng.standard_normal(50)
    models = skreg.Lasso(5e-324), skreg.ElasticNet(0.1, l1_ratio=1e-310)
    for model in models:
        assert model.fit(X, y).dual_gap_ <= 1e-10
    found = skreg.regularization_path(skreg.Lasso(), X, y, alphas=[1.0, 1e-320, 0.0])
    assert found.dual_gaps.max() <= 1e-10


@pytest.mark.parametrize("kind", [ActiveSet, ProximalActiveSet])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.6])
@pytest.mark.parametrize("copies", [0, 3])
@pytest.mark.parametrize("bound", [np.inf, 0.2])
def test_another_linear_term_on_the_same_matrix(kind, l1_ratio, copies, bound):
    rng = np.random.default_rng(copies)
    X = rng.standard_normal((40, 9))
    X[:, :copies] = X[:, 3 : 3 + copies]
    gram, index = X.T @ X / 40, np.arange(9)
    penalty = Penalty.build(9, l1_ratio, None, -bound, bound)
    y = X @ rng.standard_normal(9) + rng.standard_normal(40)
    solver = kind(penalty, 9 - copies, float(y @ y / 40))
    solver.extend(gram, X.T @ y / 40, index)
    for alpha in (0.5, 0.3, 0.1, 0.1, 0.03):
        for _ in range(3):
            c = X.T @ (y + 0.3 * rng.standard_normal(40)) / 40
            solver.retarget(c)
            solver.solve(alpha, 1000)
            w = solver.state.w
            assert penalty.at(alpha).violation(w, c - gram @ w).max() <= 1e-9
