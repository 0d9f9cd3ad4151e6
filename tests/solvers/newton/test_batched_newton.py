"""Paths by batches of alphas against one alpha at a time, and the parts of a batch alone."""

import numpy as np
import pytest
from scipy import sparse

from skreg.data.build import design_of
from skreg.objective.losses import Gamma, Logistic, Poisson, SquaredHinge, Tweedie
from skreg.objective.penalties import Penalty
from skreg.paths.fit_path import fit_path
from skreg.paths.grid import alpha_grid
from skreg.paths.problem import Problem
from skreg.solvers.base import Bound, Settings, Target
from skreg.solvers.newton import (
    all_alphas,
    batched_newton,
    minima,
    passes,
    prox_newton,
    single_fit,
)
from skreg.solvers.newton.batched_newton import BatchedNewton
from skreg.solvers.newton.certificate import certified
from skreg.solvers.newton.curvatures import Frozen, OfFewRows
from skreg.solvers.newton.few_features import FewFeatures
from skreg.solvers.newton.minima import OverFewRows, SideBySide
from skreg.solvers.newton.model import CurvedModel
from skreg.solvers.newton.passes import Passes, bound_of_kept, bound_of_own
from skreg.solvers.newton.polynomials import lagrange
from skreg.solvers.newton.rows import TargetLoss

LOSSES = {"logistic": Logistic(), "poisson": Poisson(), "gamma": Gamma(), "tweedie": Tweedie(1.6)}
EXACT = Settings(tol=0.0)
# Few features; one curvature for all features, and for a working set; few rows.
SHAPES = {"pairs": (300, 8), "all": (300, 30), "working set": (250, 120), "few rows": (60, 150)}


def target(loss, eta, rng):
    if loss == "logistic":
        return (rng.random(len(eta)) < 1 / (1 + np.exp(-eta))).astype(float)
    mean = np.exp(np.clip(eta, -3, 3))
    return rng.gamma(2.0, mean / 2) if loss == "gamma" else rng.poisson(mean).astype(float)


class Data:
    """A random problem with some of the traits that there are."""

    def __init__(self, loss, shape, seed):
        n, p = SHAPES[shape]
        rng = np.random.default_rng([seed, n, len(loss)])
        some = rng.random(7) < 0.4
        X = rng.standard_normal((n, p)) + 0.7 * rng.standard_normal((n, 1))
        X[:, 0] += 4.0 * some[0]
        X[:, p // 2] = 1.0 if some[1] else X[:, p // 2]
        if some[2]:
            X[rng.random((n, p)) < 0.6] = 0.0
        self.X = X
        self.offset = 0.4 * rng.standard_normal(n) if some[3] else None
        self.weight = rng.integers(0, 3, n).astype(float) if some[4] else None
        self.fit_intercept, self.standardize = bool(seed % 4), bool(some[5])
        factors = rng.choice([0.0, 0.5, 1.0, 2.0, np.inf], p, p=[0.02, 0.3, 0.3, 0.3, 0.08])
        self.l1_ratio = (1.0, 0.5, 1.0, 0.0)[seed % 4]
        self.penalty = Penalty.build(p, self.l1_ratio, factors if some[6] else None)
        self.loss = LOSSES[loss]
        self.y = target(loss, X[:, :5] @ rng.standard_normal(5) / 2, rng)
        self.given = sparse.csc_array(X) if some[2] and some[3] else X
        self.problem = Problem(
            self.penalty, self.loss, self.fit_intercept, self.standardize, settings=EXACT
        )

    def bind(self):
        return self.problem.bind(self.given, self.y, self.weight, offset=self.offset)

    def alphas(self, bound, count=24):
        largest = alpha_grid(bound, 2)[0] if self.l1_ratio else 1.0
        return largest * np.geomspace(1.0, 0.02, count)

    def violations(self, path):
        """How far the KKT conditions are from holding, by the rows themselves."""
        n, p = self.X.shape
        omega = np.ones(n) if self.weight is None else self.weight
        omega = omega / omega.sum()
        offset = np.zeros(n) if self.offset is None else self.offset
        unit = np.ones(p)
        if self.standardize:
            unit = np.sqrt(omega @ np.square(self.X - omega @ self.X))
        free = unit > 1e-9
        for i, alpha in enumerate(path.alphas):
            w = path.coefs[:, i]
            eta = self.X @ w + path.intercepts[i] + offset
            slope = self.loss.gradient(eta, self.y) * omega
            assert not self.fit_intercept or abs(slope.sum()) <= 1e-9
            assert self.fit_intercept or path.intercepts[i] == 0.0
            q = -np.divide(self.X.T @ slope, unit, out=np.zeros(p), where=free)
            yield self.penalty.at(alpha).violation(w * unit, q)[free].max()


def one_by_one(bound, alphas, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(Logistic, "gap_from_curvature", False)
        patched.setattr(batched_newton.BatchedNewton, "_advance", None)
        for loss in (Poisson, Gamma, Tweedie):
            patched.setattr(loss, "gap_from_curvature", False)
        return fit_path(bound, alphas)


@pytest.mark.one_in(5)
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("loss", LOSSES)
def test_a_path_of_batches_is_that_of_one_alpha_at_a_time(loss, shape, seed, monkeypatch):
    data = Data(loss, shape, seed)
    bound = data.bind()
    alphas = data.alphas(bound)
    if not alphas[0] > 1e-9:
        pytest.skip("nothing to fit")
    path = fit_path(bound, alphas)
    assert path.converged.all(), path.dual_gaps
    assert max(data.violations(path)) <= 1e-8
    alone = one_by_one(bound, alphas, monkeypatch)
    np.testing.assert_allclose(path.coefs, alone.coefs, atol=2e-7)
    np.testing.assert_allclose(path.dev_ratio, alone.dev_ratio, atol=1e-8)
    if data.l1_ratio:
        np.testing.assert_array_equal(path.df, path.n_nonzero)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("shape", SHAPES)
def test_batches_solve_ordinary_paths_without_help(loss, shape, monkeypatch):
    data = Data(loss, shape, 101)
    bound = Problem(data.penalty, data.loss).bind(data.X, data.y)
    alphas = data.alphas(bound, 40)
    lengths = []
    whole = BatchedNewton._batch

    def counted(self, alphas, start, active):
        lengths.append(len(alphas))
        return whole(self, alphas, start, active)

    monkeypatch.setattr(BatchedNewton, "_batch", counted)
    monkeypatch.setattr(BatchedNewton, "solve", None)
    path = fit_path(bound, alphas)
    assert path.converged.all()
    assert len(lengths) <= 25
    assert (max(lengths) >= 4) if lengths else shape == "pairs"


@pytest.mark.parametrize("sweeps", [1, 3, 4, 5, 6, 7])
@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_what_is_not_solved_at_once_is_solved_by_batches(seed, sweeps, monkeypatch):
    data = Data("logistic", "pairs", seed)
    bound = data.problem.bind(data.X, data.y, data.weight, offset=data.offset)
    alphas = data.alphas(bound, 30)
    expected, done = fit_path(bound, alphas), []
    monkeypatch.setattr(all_alphas, "MOST_SWEEPS_AT_ONCE", sweeps)
    whole = FewFeatures.path

    def counted(*args):
        found = whole(*args)
        done.append(0 if found is None else found.done)
        return found

    monkeypatch.setattr(FewFeatures, "path", counted)
    found = fit_path(bound, alphas)
    assert sweeps > 2 or done[0] < 30
    assert found.converged.all()
    np.testing.assert_allclose(found.coefs, expected.coefs, atol=1e-8)


def test_a_working_set_of_most_features_becomes_one_of_all(monkeypatch):
    data = Data("logistic", "all", 2)  # without an L2 part, some columns shifted
    bound = Problem(Penalty.build(30, 1.0), data.loss).bind(data.X, data.y)
    alphas = alpha_grid(bound, 40, 1e-3)
    monkeypatch.setattr(prox_newton, "ALL_ENTRIES", 0)
    sizes, batch = [], BatchedNewton._batch

    def seen(self, alphas, start, active):
        sizes.append(len(self.index))
        return batch(self, alphas, start, active)

    monkeypatch.setattr(BatchedNewton, "_batch", seen)
    found = fit_path(bound, alphas)
    assert sizes[0] < 21
    assert sizes[-1] == 30
    assert not any(21 <= size < 30 for size in sizes)
    monkeypatch.setattr(batched_newton, "SHARE_OF_WHOLE", 2.0)
    expected = fit_path(bound, alphas)
    assert found.converged.all()
    np.testing.assert_allclose(found.coefs, expected.coefs, atol=1e-5)


def test_correlations_that_are_those_wanted_leave_the_gap_of_the_loss():
    bound = Data("logistic", "all", 0).bind()
    rows, penalty = TargetLoss(bound), Penalty.build(3, 0.5).at_each(np.array([0.2, 0.1]))
    W = np.array([[1.0, 0.0, -2.0], [0.5, 0.0, 0.0]])
    q = np.array([[0.2, 0.1, -0.3], [0.075, -0.05, 0.02]])
    eta, errors, noise = np.zeros((2, len(rows.y))), np.array([1e-3, 1e-5]), np.full(3, 1e-14)
    gaps, values = certified(rows, penalty, W, q, eta, errors, noise)
    np.testing.assert_allclose(gaps, errors, rtol=1e-9)
    np.testing.assert_allclose(values, rows.value(eta[0]))
    q[0, 0] += 1e-3  # of which the square over twice the L2 part is missing
    gaps, _ = certified(rows, penalty, W, q, eta, errors, noise)
    np.testing.assert_allclose(gaps - errors, [1e-6 / (2 * 0.1) / rows.unit, 0.0], rtol=1e-6)


@pytest.mark.parametrize("shape", ["working set", "few rows"])
def test_features_that_were_not_foreseen_join_at_the_check(shape, monkeypatch):
    """The prediction is made wrong; what is left out must come back by its KKT condition."""
    data = Data("logistic", shape, 1)
    bound = data.problem.bind(data.X, data.y)
    alphas = data.alphas(bound)
    expected = fit_path(bound, alphas)
    monkeypatch.setattr(BatchedNewton, "_predicted_excess", lambda self, _: np.zeros_like(self.q))
    found = fit_path(bound, alphas)
    assert found.converged.all()
    np.testing.assert_allclose(found.coefs, expected.coefs, atol=1e-7)


def test_a_batch_without_hope_is_left_to_single_steps(monkeypatch):
    """Classes that can be told apart: undamped steps from afar would not end."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((80, 3))
    y = (X[:, 0] > 0).astype(float)
    bound = Problem(Penalty.build(3, 1.0), Logistic()).bind(X, y)
    alphas = alpha_grid(bound, 6, 1e-9)
    singles = []
    solve = BatchedNewton.solve
    monkeypatch.setattr(
        BatchedNewton, "solve", lambda self, alpha: singles.append(alpha) or solve(self, alpha)
    )
    path = fit_path(bound, alphas)
    assert path.converged.all()
    assert singles


def test_gaps_of_batches_bound_what_the_objective_may_still_fall_by(monkeypatch):
    monkeypatch.setattr(prox_newton, "USUAL_AIM", 1e-3)
    for loss in LOSSES:
        data = Data(loss, "all", 2)
        rough = Problem(data.penalty, data.loss, settings=Settings(tol=1e-2))
        bound = rough.bind(data.X, data.y)
        alphas = data.alphas(bound)
        exact = fit_path(data.problem.bind(data.X, data.y), alphas)
        found = fit_path(bound, alphas)
        omega = np.full(len(data.y), 1 / len(data.y))
        unit = TargetLoss(bound).unit
        assert found.dual_gaps.max() > 1e-8
        for i, alpha in enumerate(alphas):
            values = [
                data.loss.value(data.X @ path.coefs[:, i] + path.intercepts[i], data.y, omega)
                + data.penalty.at(alpha).value(path.coefs[:, i]).sum()
                for path in (found, exact)
            ]
            assert values[0] - values[1] <= found.dual_gaps[i] * unit + 1e-14


def test_no_more_sweeps_than_iterations_are_allowed():
    data = Data("poisson", "all", 0)
    few = Problem(data.penalty, data.loss, settings=Settings(max_iter=2))
    path = fit_path(few.bind(data.X, data.y), data.alphas(data.bind(), 8))
    assert path.n_iters.max() <= 2


# The parts ------------------------------------------------------------------------------------


def parts_of(seed=0, n=90, m=6, weight=None, fit_intercept=True, **sizes):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, m))
    y = target("logistic", X[:, 0], rng)
    design = design_of(X, weight, center=fit_intercept)
    bound = Bound(design, Target.build(design, y), Penalty.build(m, 1.0), Logistic())
    return TargetLoss(bound), design.subset(np.arange(m)), rng


@pytest.mark.parametrize("kind", [Frozen, OfFewRows])
@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_a_pass_is_the_plain_sums(kind, whole, weighted, monkeypatch):
    monkeypatch.setattr(passes, "ENTRIES_OF_A_BLOCK", 120)
    monkeypatch.setattr(passes, "WORKED_ON_AT_ONCE", 50)
    weight = np.arange(90) % 4 + 0.0 if weighted else None
    rows, part, rng = parts_of(weight=weight)
    Z = part.columns(slice(None))
    source = Frozen(rows, part, None) if kind is Frozen else OfFewRows(Z, rows.omega, True)
    walk, counted = Passes(rows, part, whole), rows.omega > 0
    assert len(walk.blocks) > 1
    eta = rng.standard_normal((5, 90))
    at = walk.evaluate(eta.copy(), source)
    slope, bend = Logistic().gradient_and_curvature(eta, rows.y)
    r = -slope * counted
    np.testing.assert_allclose(at.H, bend * counted, atol=1e-14)
    np.testing.assert_allclose(at.Q, (r * rows.omega) @ Z, atol=1e-14)
    np.testing.assert_allclose(at.mean, r @ rows.omega, atol=1e-15)
    np.testing.assert_allclose(at.total, bend @ rows.omega, atol=1e-15)
    curved = source.at(at)
    change, rise = 0.01 * rng.standard_normal((5, 6)), 0.01 * rng.standard_normal(5)
    found = walk.step(at, curved, change, rise)
    h = curved.h if curved.own else curved.h * curved.scale
    move = change @ Z.T + rise[:, None]
    np.testing.assert_allclose(found.eta, eta + move, atol=1e-14)
    u = (r - h * move) * counted
    if not whole:
        np.testing.assert_allclose(found.u, u, atol=1e-14)
    slope, bend = Logistic().gradient_and_curvature(found.eta, rows.y)
    gaps = (np.square(u + slope * counted) / bend) @ rows.omega
    assert np.all(gaps <= found.gaps)
    assert np.all(found.gaps <= 20.0 * gaps)


@pytest.mark.parametrize("size", [1e-6, 0.1, 1.0, 10.0, 1e3])
@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("loss", LOSSES)
def test_the_bound_after_a_step_is_above_the_gap_by_conjugates(loss, own, size):
    """Of steps of any length, and to any dual point but those that are told to be none."""
    rng = np.random.default_rng([3, own])
    n, k = 60, 40
    eta = 2.0 * rng.standard_normal((k, n))
    y = target(loss, eta[0], rng)
    design = design_of(rng.standard_normal((n, 2)))
    rows = TargetLoss(Bound(design, Target.build(design, y), Penalty.build(2, 1.0), LOSSES[loss]))
    slope, h = rows.loss.gradient_and_curvature(eta, y)
    move = size * rng.standard_normal((k, n)) * rng.random((k, 1)) ** 4
    model = h if own else h * rng.uniform(0.5, 1.5, (k, n))
    given = None if own else model.copy()
    gaps, outside = bound_of_kept(move.copy(), given, h, rows.omega)
    if own:
        alike = bound_of_own(move.copy(), h, rows)
        np.testing.assert_allclose(np.where(outside > 0, np.inf, gaps), alike, rtol=1e-9)
    assert size > 0.1 or not outside.all()
    for i in np.flatnonzero(outside == 0.0):
        u = -slope[i] - model[i] * move[i]
        gap = rows.gap(eta[i] + move[i], u)
        assert np.isfinite(gap)
        assert gap <= gaps[i] * (1 + 1e-9) + 1e-12


def test_a_dual_point_outside_the_domain_has_an_infinite_gap_unless_it_is_rounding():
    rows, part, _ = parts_of()
    source, walk = Frozen(rows, part, None), Passes(rows, part, True)
    at = walk.evaluate(np.zeros((2, 90)), source)
    rise = np.array([0.1, 30.0])
    found = walk.step(at, source.at(at), np.zeros((2, 6)), rise)
    assert np.isfinite(found.gaps).tolist() == [True, False]
    y = np.where(np.arange(90) < 3, 1.0, rows.y)
    rows.y, eta = y, np.zeros((1, 90))
    eta[0, :3] = 60.0  # next to no curvature: the frozen one leaves the domain by 1e-18
    source = Frozen(rows, part, None)
    at = walk.evaluate(eta, source)
    found = walk.step(at, source.at(at), np.zeros((1, 6)), np.array([1e-9]))
    assert found.gaps[0] <= 1e-15


def plain_minimum(gram, c, l1, l2):
    w = np.zeros(len(c))
    for _ in range(3000):
        before = w.copy()
        for j in range(len(c)):
            z = c[j] - gram[j] @ w + gram[j, j] * w[j]
            w[j] = np.sign(z) * max(abs(z) - l1[j], 0.0) / (gram[j, j] + l2[j])
        if np.abs(w - before).max() <= 1e-15:
            break
    return w


@pytest.mark.parametrize("kind", ["one", "updated", "each", "rows"])
@pytest.mark.parametrize("m", [5, 30])
@pytest.mark.parametrize("ridged", [False, True])
def test_minima_are_those_of_plain_coordinate_descent(kind, m, ridged, monkeypatch):
    if kind == "updated":
        monkeypatch.setattr(minima, "UPDATED_FACTOR", 2)
    rng, k, n = np.random.default_rng(m), 4, 80
    Z, weight = rng.standard_normal((n, m)), rng.uniform(0.1, 1.0, (k, n)) / n
    means = (weight @ Z) / weight.sum(axis=1)[:, None]
    grams = np.array(
        [(Z - b).T @ ((Z - b) * a[:, None]) for a, b in zip(weight, means, strict=True)]
    )
    if kind in ("one", "updated"):
        grams[:] = grams[0]
    C = 0.3 * rng.standard_normal((k, m))
    l1 = np.outer(np.geomspace(0.5, 0.01, k), np.where(np.arange(m) == 1, 0.0, 1.0))
    l2 = 0.1 * l1 + 0.01 if ridged else None
    solver = {
        "one": lambda: SideBySide(grams[0]),
        "updated": lambda: SideBySide(grams[0]),
        "each": lambda: SideBySide(grams),
        "rows": lambda: OverFewRows(np.ascontiguousarray(Z.T), weight, means),
    }
    if kind == "each" and m > 20:
        pytest.skip("with few features alone")
    one, free = solver[kind](), np.arange(m) == 1
    W = rng.standard_normal((k, m))
    products = np.einsum("ki,kij->kj", W, grams)
    np.testing.assert_allclose(one.product(W), products, atol=1e-12)
    shrunk = np.zeros((k, m)) if l2 is None else l2
    expected = np.array(list(map(plain_minimum, grams, C, l1, shrunk)))
    for _ in range(2):  # factors are known the second time
        threshold = l1 * (1 + 1e-11) + 1e-14
        found, rest, ended = one.minima(C, l1, l2, threshold, np.zeros((k, m)), free)
        assert ended.all()
        np.testing.assert_allclose(rest, C - np.einsum("kij,kj->ki", grams, found), atol=1e-12)
        np.testing.assert_allclose(found, expected, atol=1e-9)
    last = np.arange(k) == k - 1
    given = C[last], l1[last], None if l2 is None else l2[last], threshold[last]
    alone, _, ended = one.take(last).minima(*given, np.zeros((1, m)), free)
    assert ended.all()
    np.testing.assert_allclose(alone, expected[last], atol=1e-9)


def test_of_a_sparse_x_the_shared_curvature_is_small_where_any_alpha_has_a_small_one():
    rows, dense, rng = parts_of()
    part = design_of(sparse.csc_array(dense.columns(slice(None)))).subset(np.arange(6))
    at = Passes(rows, part, True).evaluate(
        6.0 * rng.standard_normal((5, 90)), Frozen(rows, part, None)
    )
    at.H[4, :10] = 1e-25
    h = Frozen(rows, part, None).at(at).h
    assert np.all((h > 0.0) & (h <= at.H[2]) & (h <= 4.0 * at.H.min(axis=0)))
    assert np.all((h == at.H[2]) | (h == 4.0 * at.H.min(axis=0)))
    assert np.count_nonzero(h == at.H[2])


def test_a_batch_ends_at_once_where_active_features_depend_on_each_other(monkeypatch):
    """Columns of the levels of two names, which both sum to one."""
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, [[12], [14]], (2, 300))
    X = np.hstack([np.equal.outer(first, np.arange(12)), np.equal.outer(second, np.arange(14))])
    eta = 0.3 * rng.standard_normal(12)[first] + rng.standard_normal(14)[second]
    y = rng.poisson(np.exp(eta)).astype(float)
    bound = Problem(Penalty.build(26, 1.0), Poisson()).bind(X.astype(float), y)
    n_sweeps, accept = [], BatchedNewton._accept

    def seen(self, batch):
        if not batch.done and not batch.points.W[0].any():
            n_sweeps.append(batch.n_sweeps)
        return accept(self, batch)

    monkeypatch.setattr(BatchedNewton, "_accept", seen)
    path = fit_path(bound, alpha_grid(bound, 30, 1e-5))
    assert path.converged.all()
    assert n_sweeps
    assert set(n_sweeps) == {1}


def test_minima_that_cannot_be_found_are_told():
    gram = np.ones((25, 25))
    C = np.ones((2, 25)) * np.arange(1, 26)
    l1 = np.full((2, 25), 0.5)
    _, _, ended = SideBySide(gram).minima(C, l1, None, l1, np.zeros((2, 25)), None)
    assert not ended.any()


@pytest.mark.parametrize("far", [0.0, 1e3, 1e6])
@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_a_curved_model_grows_into_that_of_all_features(far, kind):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((50, 7))
    X[:, 4:] += far
    h = np.where(np.arange(50) < 25, 1.0, 1e-3)
    X[:25, 5] += 100.0  # far from zero where the weight is
    design = design_of(X if kind == "dense" else sparse.csc_array(X))
    weight = h / 50
    Z = X - weight @ X / weight.sum()
    first, rest = design.subset(np.arange(4)), design.subset(np.arange(4, 7))
    model = CurvedModel(first, h, has_intercept=True)
    whole = first.joined(rest)
    model.extend(whole, rest)
    expected = Z.T @ (Z * weight[:, None])
    scale = np.sqrt(np.outer(expected.diagonal(), expected.diagonal()))
    for found in (model, CurvedModel(whole, h, has_intercept=True)):
        np.testing.assert_allclose(found.gram / scale, expected / scale, atol=1e-9)


def test_lagrange_is_exact_for_polynomials():
    nodes, at = np.array([1.0, 0.5, -0.3, -1.0, -2.0]), np.array([0.7, -0.4, -1.9])
    near = np.array([[0, 1, 2, 3], [1, 2, 3, 4], [1, 2, 3, 4]])
    shares = lagrange(at, nodes, near)
    for power in range(4):
        np.testing.assert_allclose(shares @ nodes**power, at**power, atol=1e-13)


def test_losses_with_jumps_in_the_curvature_are_not_batched():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 3))
    bound = Problem(Penalty.build(3, 1.0), SquaredHinge()).bind(X, np.sign(X[:, 0]))
    path = BatchedNewton(bound, 0, np.zeros(3), Settings(), alone=False)
    assert not path.batches


@pytest.mark.parametrize("kind", ["dense", "sparse"])
@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
@pytest.mark.parametrize("standardize", [False, True])
def test_a_single_alpha_starts_from_some_of_many_rows(kind, l1_ratio, standardize, monkeypatch):
    """With means, offsets and weights, some zero, of which the part has others."""
    rng = np.random.default_rng(3)
    X = rng.standard_normal((600, 5)) * [1.0, 2.0, 0.5, 1.0, 1.0] + [0.0, 3.0, 0.0, -1.0, 0.0]
    X[rng.random(X.shape) < 0.3] = 0.0
    y = target("logistic", X[:, 0] - 0.5, rng)
    offset, weight = 0.3 * rng.standard_normal(600), rng.integers(0, 3, 600).astype(float)
    problem = Problem(Penalty.build(5, l1_ratio), Logistic(), standardize=standardize)
    bound = problem.bind(sparse.csc_array(X) if kind == "sparse" else X, y, weight, offset=offset)
    alphas = np.array([0.01])
    expected = fit_path(bound, alphas)
    monkeypatch.setattr(single_fit, "FEW_IN_A_FIT", 0)
    monkeypatch.setattr(batched_newton, "ROWS_WITH_A_SAMPLE", 500)
    monkeypatch.setattr(batched_newton, "ROWS_OF_A_SAMPLE", 200)
    begun = []
    init = prox_newton.NewtonPath.__init__

    def watched(self, *args):
        init(self, *args)
        begun.append((len(self.rows.y), self.point))

    monkeypatch.setattr(prox_newton.NewtonPath, "__init__", watched)
    found = fit_path(bound, alphas)
    assert [n for n, _ in begun] == [200, 600]
    start, rows = begun[1][1], TargetLoss(bound)
    w = bound.design.from_raw(found.coefs[:, 0])
    np.testing.assert_allclose(start.w, w, atol=0.5)
    np.testing.assert_allclose(start.eta, rows.offset + bound.design.predict(start.w) + start.b)
    assert rows.value(start.eta) <= 1.1 * rows.value(rows.offset + X @ found.coefs[:, 0])
    np.testing.assert_allclose(found.coefs, expected.coefs, atol=1e-5)
    assert found.dual_gaps.max() <= 1e-9


def test_rows_of_weight_zero_alone_are_no_part_to_start_from(monkeypatch):
    monkeypatch.setattr(batched_newton, "ROWS_WITH_A_SAMPLE", 50)
    monkeypatch.setattr(batched_newton, "ROWS_OF_A_SAMPLE", 2)
    rng = np.random.default_rng(0)
    X, weight = rng.standard_normal((60, 2)), np.zeros(60)
    weight[np.sort(np.random.RandomState(0).permutation(60)[1:20])] = 1.0
    y = target("logistic", X[:, 0], rng)
    path = fit_path(Problem(Penalty.build(2, 1.0), Logistic()).bind(X, y, weight), np.array([0.01]))
    assert path.converged.all()


def test_alphas_far_apart_and_large_supports_are_solved_by_themselves(monkeypatch):
    data = Data("logistic", "all", 2)
    bound = data.problem.bind(data.X, data.y)
    alphas = data.alphas(bound, 12)
    assert (alphas[1:] > 0.6 * alphas[:-1]).all()
    expected = fit_path(bound, alphas)
    path = BatchedNewton(bound, 0, np.zeros(30), Settings(), alone=False)
    assert path._together(alphas) == 12
    assert path._together(alphas * np.array([1.0] * 5 + [0.5] * 7)) == 5
    path.alpha = 2.0 * alphas[0]
    assert path._together(alphas) == 0  # the last was far above
    monkeypatch.setattr(batched_newton, "LARGEST_SUPPORT", 3)
    found = fit_path(bound, alphas)
    np.testing.assert_allclose(found.coefs, expected.coefs, atol=1e-8)
    assert found.converged.all()
