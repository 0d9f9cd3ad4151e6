"""Columns that depend on each other: exact, certified, and nothing large by eigenvectors."""

from functools import partial

import numpy as np
import pytest
from scipy import linalg, sparse

import skreg
from benchmarks import dependent, problems
from benchmarks.gaps import relative_gaps
from skreg.data import products as moments
from skreg.data.build import design_of
from skreg.objective.penalties import Penalty
from skreg.solvers import optimality
from skreg.solvers.quadratic import newton, proximal
from skreg.solvers.quadratic.copies import copies_of

LARGE = 250


@pytest.fixture(autouse=True)
def nothing_large_by_eigenvectors(monkeypatch):
    def small_only(function, matrix, *args, **kwargs):
        assert len(matrix) <= LARGE
        return function(matrix, *args, **kwargs)

    monkeypatch.setattr(newton, "eigh", partial(small_only, linalg.eigh))
    monkeypatch.setattr(np.linalg, "eigh", partial(small_only, np.linalg.eigh))


def table(name, kind="dense", n=None):
    draw, rows = dependent.DESIGNS[name]
    rng = np.random.default_rng(1)
    X = draw(n or rows // 3, rng)
    effects = np.where(rng.random(X.shape[1]) < 0.1, rng.standard_normal(X.shape[1]), 0.0)
    y = problems.noisy(X, effects, rng, snr=1.0)
    top = np.abs(X.T @ (y - y.mean())).max() / len(y)
    return (X if kind == "sparse" else X.toarray()), y, top


@pytest.mark.parametrize("kind", ["dense", "sparse"])
@pytest.mark.parametrize("share", [0.2, 0.03, 1e-3])
@pytest.mark.parametrize("name", dependent.DESIGNS)
def test_a_fit_is_exact(name, share, kind):
    X, y, top = table(name, kind)
    model = skreg.Lasso(alpha=share * top).fit(X, y)
    gap = relative_gaps(X, y, model.coef_[:, None], [model.intercept_], [model.alpha])
    assert gap[0] <= 1e-10


@pytest.mark.parametrize("kind", ["dense", "sparse"])
@pytest.mark.parametrize("name", dependent.DESIGNS)
def test_a_path_is_exact(name, kind):
    X, y, top = table(name, kind)
    alphas = top * np.geomspace(1.0, 0.01, 12)
    path = skreg.regularization_path(skreg.Lasso(), X, y, alphas=alphas)
    assert np.all(path.converged)
    gaps = relative_gaps(X, y, path.coefs, path.intercepts, path.alphas)
    assert gaps.max() <= 1e-10


@pytest.mark.parametrize("solver", ["auto", "cd"])
def test_every_way_predicts_the_same(solver):
    X, y, top = table("ids", n=150)
    found = [
        skreg.Lasso(alpha=0.01 * top, solver=solver).fit(Z, y).predict(Z)
        for Z in (X, sparse.csr_matrix(X))
    ]
    reference = skreg.Lasso(alpha=0.01 * top, tol=1e-10).fit(X, y).predict(X)
    for predictions in found:
        np.testing.assert_allclose(predictions, reference, atol=1e-5 * np.std(y))


def test_bounds_weights_and_factors_are_kept():
    X, y, top = table("ids", n=150)
    rng = np.random.default_rng(0)
    more = {"weights": rng.uniform(0.5, 2, len(y)), "factors": rng.uniform(0.5, 2, X.shape[1])}
    model = skreg.Lasso(
        alpha=0.02 * top, penalty_factor=more["factors"], lower_bound=-0.3, upper_bound=0.4
    ).fit(X, y, more["weights"])
    assert model.coef_.min() >= -0.3
    assert model.coef_.max() <= 0.4
    gap = relative_gaps(
        X, y, model.coef_[:, None], [model.intercept_], [model.alpha],
        lower=-0.3, upper=0.4, **more,
    )  # fmt: skip
    assert gap[0] <= 1e-10


def test_the_path_comes_back_from_a_state_of_another_centre():
    X, y, top = table("ids", n=150)
    gram = (X - X.mean(axis=0)).T @ (X - X.mean(axis=0)) / len(y)
    c = (X - X.mean(axis=0)).T @ (y - y.mean()) / len(y)
    penalty = skreg.objective.penalties.Penalty.build(X.shape[1], 1.0)
    solver = proximal.ProximalActiveSet(penalty, len(y) - 1, float(np.var(y)))
    solver.extend(gram, c, np.arange(X.shape[1]))
    for share in (0.5, 0.375, 0.28, 0.21, 0.16):
        solver.solve(share * top, 100, final=False)
    assert solver.state.model.centre is not None
    state = solver.state
    solver.solve(0.12 * top, 100, final=True)
    solver.solve(0.09 * top, 100, final=False)
    solver.state = state
    solver.solve(0.13 * top, 100)
    q = c - gram @ solver.state.w
    assert np.abs(q).max() <= 0.13 * top * (1 + 1e-9)
    w = solver.state.w
    used = w != 0
    np.testing.assert_allclose(q[used], 0.13 * top * np.sign(w[used]), rtol=1e-9)


def test_a_large_singular_system_is_solved_by_a_factor():
    rng = np.random.default_rng(0)
    Z = rng.standard_normal((100, 150))
    Z = np.hstack([Z, Z])
    gram = Z.T @ Z
    rhs = gram @ rng.standard_normal(300)
    found = optimality.pseudo_solve(gram, rhs)
    np.testing.assert_allclose(gram @ found, rhs, atol=1e-9 * np.abs(rhs).max())


def copied(rng, times, signs=(1.0,)):
    """Distinct columns first, then copies of them, some with the other sign."""
    X = rng.standard_normal((60, 40))
    rest = np.hstack([X * rng.choice(signs, 40) for _ in range(times - 1)])
    y = X[:, :10] @ rng.standard_normal(10) + rng.standard_normal(60)
    return np.hstack([X, rest[:, rng.permutation(rest.shape[1])]]), X, y


@pytest.mark.parametrize("times", [2, 9])
@pytest.mark.parametrize("signs", [(1.0,), (1.0, -1.0)])
@pytest.mark.parametrize(
    "options", [{}, {"standardize": True}, {"positive": True}, {"fit_intercept": False}], ids=str
)
@pytest.mark.parametrize("make", [np.asarray, sparse.csc_matrix], ids=["dense", "sparse"])
def test_the_first_of_equal_columns_carries_what_they_carry(times, signs, options, make):
    all_of_them, distinct, y = copied(np.random.default_rng(3), times, signs)
    alpha = 0.03
    model = skreg.Lasso(alpha, **options).fit(make(all_of_them), y)
    assert model.dual_gap_ <= 1e-10
    assert np.count_nonzero(model.coef_) <= 80
    if not (options.get("positive") and len(signs) > 1):
        reference = skreg.Lasso(alpha, **options).fit(distinct, y)
        np.testing.assert_allclose(model.coef_[:40], reference.coef_, atol=1e-8)
        assert not model.coef_[40:].any()
    np.testing.assert_allclose(model.intercept_, y.mean() - model.coef_ @ all_of_them.mean(axis=0)
                               if options.get("fit_intercept", True) else 0.0)  # fmt: skip


def test_copies_that_are_not_the_same_to_the_penalty_stay_apart():
    X, distinct, y = copied(np.random.default_rng(3), 2)
    factors = np.repeat([2.0, 1.0], 40)
    model = skreg.Lasso(0.03, penalty_factor=factors).fit(X, y)
    assert not model.coef_[:40].any()
    bounded = skreg.Lasso(0.03, lower_bound=-0.1, upper_bound=0.1).fit(X, y)
    apart = skreg.Lasso(0.03, lower_bound=-0.2, upper_bound=0.2).fit(distinct, y)
    np.testing.assert_allclose(bounded.predict(X), apart.predict(distinct), atol=1e-8)
    model = skreg.ElasticNet(0.03, l1_ratio=0.5).fit(X, y)
    assert model.dual_gap_ <= 1e-10
    assert np.count_nonzero(model.coef_[40:])


def test_a_start_on_copies_moves_to_the_first_and_targets_keep_their_own():
    X, distinct, y = copied(np.random.default_rng(3), 3, (1.0, -1.0))
    model = skreg.Lasso(0.03, warm_start=True).fit(X, y)
    once = model.coef_.copy()
    model.coef_ = np.zeros(len(once))
    for j in np.flatnonzero(once):
        equal = np.flatnonzero(np.abs(X.T @ X[:, j]) > (1 - 1e-12) * (X[:, j] @ X[:, j]))
        last = equal[-1]
        model.coef_[last] = once[j] * np.sign(X[:, last] @ X[:, j])
    np.testing.assert_allclose(model.fit(X, y).coef_, once, atol=1e-10)
    Y = np.column_stack([y, distinct @ np.linspace(-1, 1, 40)])
    both = skreg.Lasso(0.03).fit(X, Y)
    np.testing.assert_allclose(both.coef_[0], once, atol=1e-10)
    assert np.max(both.dual_gap_) <= 1e-10


def test_equal_correlations_do_not_make_copies():
    """Disjoint indicators of a target of zeros and ones all have one of two correlations."""
    y = np.tile([0.0, 1.0], 40)
    model = skreg.Lasso(0.001).fit(np.eye(80), y)
    assert np.count_nonzero(model.coef_) >= 39
    assert model.dual_gap_ <= 1e-12
    cv = skreg.LassoCV(cv=4).fit(np.hstack([np.eye(80)] * 2), y)
    assert np.all(np.isfinite(cv.mse_path_))


def test_a_few_copies_are_held_at_zero():
    X, distinct, y = copied(np.random.default_rng(3), 3)
    X = np.hstack([distinct, distinct[:, :3], -distinct[:, :9]])
    for times in (1, 2):  # one Gram matrix, then chunks
        wide = np.hstack([X, np.random.default_rng(0).standard_normal((60, 300 * (times - 1)))])
        model = skreg.Lasso(0.03).fit(wide, y)
        assert not model.coef_[40:52].any()
        assert np.count_nonzero(model.coef_[:40])
        assert model.dual_gap_ <= 1e-10


@pytest.mark.parametrize("noise", [0.0, 1e-8, 1e-7, 1e-5])
def test_nearly_equal_columns_are_certified(noise):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 60))
    X = np.hstack([X, X[:, :40] + noise * rng.standard_normal((200, 40))])
    y = X[:, :30] @ rng.standard_normal(30) + 3 * rng.standard_normal(200)
    path = skreg.regularization_path(skreg.Lasso(), X, y, alphas=30)
    gaps = relative_gaps(X, y, path.coefs, path.intercepts, path.alphas)
    assert gaps.max() <= 1e-7
    exact = skreg.regularization_path(skreg.Lasso(tol=1e-10), X, y, alphas=30)
    gaps = relative_gaps(X, y, exact.coefs, exact.intercepts, exact.alphas)
    assert gaps.max() <= 1e-10
    model = skreg.Lasso(alpha=path.alphas[15]).fit(X, y)
    assert model.dual_gap_ <= 1e-10


@pytest.mark.parametrize("noise", [1e-6, 1e-7, 1e-8])
def test_nearly_equal_columns_need_no_descent_through_many_faces(monkeypatch, noise):
    calls, direction = [], newton.DenseFace.direction

    def counted(*args):
        calls.append(args)
        return direction(*args)

    monkeypatch.setattr(newton.DenseFace, "direction", counted)
    rng = np.random.default_rng(0)
    X = np.repeat(rng.standard_normal((300, 30)), 20, axis=1)
    X += noise * rng.standard_normal(X.shape)
    y = X[:, ::7].sum(axis=1) + 10 * rng.standard_normal(300)
    top = np.abs(X.T @ (y - y.mean())).max() / len(y)
    model = skreg.Lasso(alpha=0.1 * top).fit(X, y)
    assert model.dual_gap_ <= 1e-12
    assert len(calls) <= 50


@pytest.mark.parametrize("densities", [(0.02, 0.02), (0.9, 0.05), (0.5, 0.6)])
def test_products_of_sparse_matrices_do_not_depend_on_how_full_they_are(monkeypatch, densities):
    monkeypatch.setattr(moments, "BLOCK_ENTRIES", 100)
    rng = np.random.default_rng(0)
    X, Z = (problems.sparse_design(60, p, d, rng) for p, d in zip((9, 13), densities, strict=True))
    omega = rng.random(60)
    expected = X.toarray().T @ (omega[:, None] * Z.toarray())
    np.testing.assert_allclose(moments.cross_products(X, Z, omega), expected, rtol=1e-12)


@pytest.mark.parametrize("scale", [1.0, -1.0, 1.0 + 1e-15, 1.0 + 1e-12, -1.0 - 1e-9])
@pytest.mark.parametrize("make", [np.asarray, sparse.csc_matrix], ids=["dense", "sparse"])
@pytest.mark.parametrize("other", [False, True], ids=["same places", "complements"])
def test_columns_are_compared_entry_by_entry(scale, make, other):
    rng = np.random.default_rng(0)
    X = rng.integers(1, 3, (30, 60)) * (rng.random((30, 60)) < 0.5)
    Y = scale * X
    if other:
        X, Y = (X > 0).astype(float), np.where(X > 0, 0.0, abs(scale))
    design = design_of(make(np.hstack([X, Y, rng.standard_normal((30, 1))]).astype(float)))
    c = design.correlate(design.center(rng.standard_normal(30))[0])
    first, copies, signs = copies_of(design, c, Penalty.build(len(c), 1.0))
    if abs(abs(scale) - 1.0) > 1e-14:
        assert not len(copies)
    else:
        np.testing.assert_array_equal(copies, first + 60)
        assert len(copies) == 60
        np.testing.assert_array_equal(signs, -1.0 if other else np.sign(scale))
