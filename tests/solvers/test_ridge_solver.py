"""Closed-form ridge: one decomposition for all alphas, targets and leave-one-out."""

import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose
from ridge_problems import ALPHAS, KINDS, SHAPES, dense, everything, problem, reference
from scipy import linalg, sparse

from skreg import Ridge, RidgeCV
from skreg.data import products as moments
from skreg.data.build import design_of
from skreg.data.dense import DenseDesign
from skreg.objective.penalties import Penalty
from skreg.solvers.ridge.closed_form import RidgeFactor, default_alphas, solve_ridge
from skreg.solvers.ridge.minimum_norm import minimum_norm, minimum_norm_from_gram


@pytest.mark.parametrize("storage", ["", " sparse"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_factor_agrees_with_the_normal_equations(shape, kind, storage):
    design, penalty, Y = everything(*shape, kind + storage)
    centred = design.center(Y)[0]
    for method in ("auto", "eigen") if storage else ("auto", "eigen", "svd"):
        W = RidgeFactor(design, penalty, method).solve(centred, ALPHAS)
        for i, alpha in enumerate(ALPHAS):
            assert_allclose(W[:, :, i], reference(design, Y, penalty, alpha), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("storage", ["", " sparse"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_single_fit_agrees_with_the_normal_equations(shape, kind, storage):
    design, penalty, Y = everything(*shape, kind + storage)
    alphas = np.array([0.5, 1e-3])
    for method in ("auto", "cholesky") if storage else ("auto", "cholesky", "svd"):
        fit = solve_ridge(design, Y, penalty, alphas, method)
        for k, alpha in enumerate(alphas):
            expected = reference(design, Y[:, [k]], penalty, alpha)[:, 0]
            assert_allclose(fit.coef[:, k], expected, rtol=1e-9, atol=1e-10)
        residual = Y - design._X @ design.to_raw(fit.coef) - fit.intercept
        if design.mean is not None:
            assert_allclose(design.omega @ residual, 0.0, atol=1e-10)
        else:
            assert_allclose(fit.intercept, 0.0)


def refits(design, Y, penalty, alpha):
    """Leave-one-out by its definition, raw residuals of shape (n_samples, n_targets)."""
    out = np.empty(Y.shape)
    for i in range(len(Y)):
        omega = design.omega.copy()
        total = omega.sum() - omega[i]
        omega[i] = 0.0
        mean = None if design.mean is None else omega @ design._X / total
        part = DenseDesign(design._X, omega / total, mean, design.inv_scale)
        # The sum of squares of the rows that are left is what the penalty is weighed against.
        fit = solve_ridge(part, Y, penalty, np.full(Y.shape[1], alpha / total))
        out[i] = Y[i] - design._X[i] @ design.to_raw(fit.coef) - fit.intercept
    return out


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(18, 6), (11, 15)])
def test_leave_one_out_is_what_refits_give(shape, kind):
    design, penalty, Y = everything(*shape, kind)
    alphas = np.array([2.0, 0.1, 1e-6, 0.0])
    expected = [refits(design, Y, penalty, alpha) for alpha in alphas]
    centred = design.center(Y)[0]
    same = design_of(
        sparse.csc_matrix(design._X),
        design.omega,
        center=design.mean is not None,
        standardize=design.inv_scale is not None,
    )
    for view, method in [(design, "auto"), (design, "eigen"), (design, "svd"), (same, "auto")]:
        errors = RidgeFactor(view, penalty, method).leave_one_out(centred, alphas)
        assert errors.shape == (*Y.shape, len(alphas))
        for i in range(len(alphas)):
            assert_allclose(errors[:, :, i], expected[i], rtol=1e-6, atol=1e-7)


def test_leave_one_out_of_a_row_that_alone_has_a_feature():
    X, Y = problem(20, 4)
    X[:, 2] = 0.0
    X[3, 2] = 1.0
    design, penalty = design_of(X), Penalty.build(4, 0.0)
    for alpha in (1e-2, 1e-9, 0.0):
        errors = RidgeFactor(design, penalty).leave_one_out(design.center(Y)[0], np.array([alpha]))
        assert_allclose(errors[:, :, 0], refits(design, Y, penalty, alpha), rtol=1e-7)


@pytest.mark.parametrize("shape", [(16, 5), (10, 13)])
def test_leave_one_out_with_repeated_rows_and_columns(shape):
    X, Y = problem(*shape)
    X[1:3] = X[0]
    X[:, 3] = X[:, 1]
    design, penalty = design_of(X), Penalty.build(shape[1], 0.0)
    alphas = np.array([1.0, 1e-4, 0.0])
    for method in ("auto", "svd"):
        errors = RidgeFactor(design, penalty, method).leave_one_out(design.center(Y)[0], alphas)
        for i, alpha in enumerate(alphas):
            assert_allclose(errors[:, :, i], refits(design, Y, penalty, alpha), rtol=1e-6)


@pytest.mark.parametrize("kind", ["", "weights", "free factors", "raw", "weights sparse"])
@pytest.mark.parametrize("shape", SHAPES)
def test_degrees_of_freedom_are_the_trace_of_the_smoother(shape, kind):
    design, penalty, _ = everything(*shape, kind)
    identity = np.eye(design.n_samples)
    df = RidgeFactor(design, penalty).degrees_of_freedom(ALPHAS)
    for alpha, found in zip(ALPHAS, df, strict=True):
        fitted = dense(design) @ reference(design, identity, penalty, alpha)
        assert_allclose(found, np.trace(fitted), rtol=1e-9)


@pytest.mark.parametrize("storage", [np.asarray, sparse.csc_matrix])
@pytest.mark.parametrize("shape", [(30, 12), (9, 14)])
def test_without_a_unique_answer_the_least_norm(shape, storage):
    rng = np.random.default_rng(2)
    X = rng.normal(size=(shape[0], 5)) @ rng.normal(size=(5, shape[1]))
    X[:, 3] = X[:, 4]
    X[:, 7] = 0.0
    y = rng.normal(size=(shape[0], 1))
    design, penalty = design_of(storage(X)), Penalty.build(shape[1], 0.0)
    expected = np.linalg.pinv(X - X.mean(axis=0), rcond=1e-10) @ (y - y.mean())
    assert_allclose(solve_ridge(design, y, penalty, np.zeros(1)).coef, expected, atol=1e-9)
    W = RidgeFactor(design, penalty).solve(design.center(y)[0], np.array([1.0, 0.0]))
    assert_allclose(W[:, :, 1], expected, atol=1e-9)
    free = Penalty.build(shape[1], 0.0, np.zeros(shape[1]))
    assert_allclose(solve_ridge(design, y, free, np.ones(1)).coef, expected, atol=1e-9)


def test_the_least_norm_counts_factors_and_stands_any_scale():
    rng = np.random.default_rng(3)
    scales = 10.0 ** np.array([-8, 8, 0, 3, -8])
    X = rng.normal(size=(12, 3))
    X = np.column_stack([X, X[:, 0] + X[:, 1], X[:, 0]]) * scales
    y = rng.normal(size=(12, 1))
    factors = np.array([1.0, 2.0, 0.0, 3.0, 0.5])
    design, penalty = design_of(X), Penalty.build(5, 0.0, factors)
    w = solve_ridge(design, y, penalty, np.zeros(1)).coef
    # The two copies of a column share in proportion to the inverse of their factors.
    assert_allclose(w[0] / w[4], 0.5, rtol=1e-6)
    best = np.linalg.lstsq(np.column_stack([np.ones(12), X[:, :3] / scales[:3]]), y, rcond=None)[0]
    fitted = design.predict(w) + y.mean()
    assert_allclose(fitted, np.column_stack([np.ones(12), X[:, :3] / scales[:3]]) @ best, rtol=1e-8)


@pytest.mark.parametrize("alpha", [0.0, 1e-300, 1e-12, 1e-3])
def test_copies_share_whatever_the_scales_of_other_columns(alpha):
    rng = np.random.default_rng(8)
    X = rng.normal(size=(9, 4))
    X = np.column_stack([X, X[:, 0]]) * np.array([1e8, 1e-4, 1.0, 1e3, 1e8])
    y = rng.normal(size=(9, 1)) + 1e6
    design, penalty = design_of(X), Penalty.build(5, 0.0)
    for w in (
        solve_ridge(design, y, penalty, np.array([alpha])).coef,
        RidgeFactor(design, penalty).solve(design.center(y)[0], np.array([alpha]))[..., 0],
    ):
        assert_allclose(w[0], w[4], rtol=1e-5)


@pytest.mark.parametrize("solver", ["svd", "auto"])
def test_what_the_quick_decomposition_fails_on_the_slow_one_solves(monkeypatch, solver):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((20, 8)), rng.standard_normal(20)
    factor = np.array([0, 0, 1, 1, 1, 1, 1, 1])
    X[:, 1] = X[:, 0] + 1e-9 * X[:, 1]
    usual = Ridge(solver=solver, penalty_factor=factor).fit(X, y)
    svd, drivers = linalg.svd, []

    def fails(A, lapack_driver="gesdd", **options):
        drivers.append(lapack_driver)
        if lapack_driver == "gesdd":
            raise np.linalg.LinAlgError("SVD did not converge")
        return svd(A, lapack_driver=lapack_driver, **options)

    monkeypatch.setattr(linalg, "svd", fails)
    found = Ridge(solver=solver, penalty_factor=factor).fit(X, y).predict(X)
    assert "gesvd" in drivers
    # Coefficients of 1e8 cancel: a prediction is known to the rounding of its terms, and no better.
    rounding = np.finfo(float).eps * (np.abs(X) @ np.abs(usual.coef_)).max()
    assert rounding < 1e-6
    assert_allclose(found, usual.predict(X), rtol=0, atol=2 * rounding)


def test_minimum_norm_both_ways():
    rng = np.random.default_rng(4)
    A = rng.normal(size=(20, 4)) @ rng.normal(size=(4, 9))
    A[:, 2] = 0.0
    Y, metric = rng.normal(size=(20, 3)), rng.uniform(0.1, 10, 9)
    expected = np.linalg.pinv(A / metric, rcond=1e-12) @ Y / metric[:, None]
    assert_allclose(minimum_norm(A, Y, np.linalg.norm(A, axis=0), metric), expected, atol=1e-11)
    assert_allclose(minimum_norm_from_gram(A.T @ A, A.T @ Y, metric), expected, atol=1e-9)
    assert not minimum_norm(0 * A, Y, np.zeros(9), metric).any()
    assert not minimum_norm_from_gram(np.zeros((9, 9)), np.zeros((9, 3)), metric).any()


@pytest.mark.parametrize("shape", [(60, 8), (400, 40), (12, 30)])
@pytest.mark.parametrize("storage", [np.asarray, sparse.csc_matrix])
def test_offsets_scales_and_constant_columns(shape, storage):
    n, p = shape
    rng = np.random.default_rng(5)
    plain = rng.normal(size=shape)
    scales = 10.0 ** rng.integers(-8, 9, p)
    Y = plain[:, :2] + 0.1 * rng.normal(size=(n, 2)) + 1e6
    X = (plain + 1e3) * scales
    X[:, 5] = 0.1
    design = design_of(storage(X))
    # A factor for each scale: then the answer is that of the unscaled features.
    penalty = Penalty.build(p, 0.0, scales**2.0)
    plain = X / scales - (X / scales).mean(axis=0)
    plain[:, 5] = 0.0
    for alpha in (1.0, 1e-2, 1e-4):
        G = plain.T @ plain / n + alpha * np.eye(p)
        expected = np.linalg.solve(G, plain.T @ (Y - Y.mean(axis=0)) / n)
        W = solve_ridge(design, Y, penalty, np.full(2, alpha)).coef
        assert_allclose(W * scales[:, None], expected, rtol=1e-6, atol=1e-8)
        assert not W[5].any()
        W = RidgeFactor(design, penalty).solve(design.center(Y)[0], np.array([alpha]))[..., 0]
        assert_allclose(W * scales[:, None], expected, rtol=1e-6, atol=1e-8)


def test_scales_that_a_gram_matrix_cannot_hold_in_one_penalty():
    rng = np.random.default_rng(6)
    X = rng.normal(size=(200, 4)) * np.array([1e8, 1.0, 1.0, 1e-3])
    y = (X @ np.array([1e-8, 1.0, -1.0, 10.0]))[:, None]
    design, penalty = design_of(X), Penalty.build(4, 0.0)
    # Eliminating the large column first loses nothing, and at this alpha it is not shrunk.
    alpha = 1e-3
    Z = X - X.mean(axis=0)
    Q = Z[:, :1] / np.linalg.norm(Z[:, :1])
    rest = Z[:, 1:] - Q @ (Q.T @ Z[:, 1:])
    expected = np.linalg.solve(
        rest.T @ rest / 200 + alpha * np.eye(3), rest.T @ (y - y.mean()) / 200
    )
    for W in (
        solve_ridge(design, y, penalty, np.array([alpha])).coef,
        RidgeFactor(design, penalty).solve(design.center(y)[0], np.array([alpha]))[..., 0],
    ):
        assert_allclose(W[1:], expected, rtol=1e-9)


@pytest.mark.parametrize("kind", ["", "offset", "correlated", "tiny", "huge", "zero column"])
@pytest.mark.parametrize("shape", [(300, 80), (80, 300)])
def test_float32_has_all_its_digits(shape, kind):
    rng = np.random.default_rng(7)
    X = rng.normal(size=shape)
    if kind == "correlated":
        X = 1e-3 * X + rng.normal(size=(shape[0], 1))
    X[:, 3] *= {"tiny": 1e-15, "huge": 1e18, "zero column": 0.0}.get(kind, 1.0)
    X = np.asfortranarray(X + 30.0 * (kind == "offset"), dtype=np.float32)
    y = rng.normal(size=shape[0])
    design, alpha = design_of(X), np.array([0.1 if kind != "correlated" else 1e-4])
    quick = design.narrow_gram() if shape[0] > shape[1] else design.narrow_kernel()
    assert kind or quick is not None
    assert kind != "offset" or quick is None
    fit = solve_ridge(design, y[:, None], Penalty.build(shape[1], 0.0), alpha)
    exact = solve_ridge(design_of(X.astype(float)), y[:, None], Penalty.build(shape[1], 0.0), alpha)
    assert np.abs(fit.coef - exact.coef).max() <= 1e-8 * np.abs(exact.coef).max()
    model = Ridge(alpha[0] * shape[0]).fit(X, y.astype(np.float32))
    assert model.coef_.dtype == np.float32
    assert model.dual_gap_ <= 1e-12


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("shape", [(300, 80, 2), (80, 300, 1), (80, 300, 6), (70, 400, 40)])
def test_the_certificate_of_float32_bounds_what_is_lost(shape, center, order):
    """Against the minimum in float64: of few targets nothing is lost, of many a share of 1e-10."""
    n, p, n_targets = shape
    rng = np.random.default_rng(n_targets)
    X = (rng.normal(size=(n, p)) + rng.normal(size=(n, 1))).astype(np.float32, order=order)
    Y = X[:, :5] @ rng.normal(size=(5, n_targets)) + rng.normal(size=(n, n_targets)) + 3.0
    Y = Y.astype(np.float32)
    model = Ridge(2.0, fit_intercept=center).fit(X, Y)
    wide, Y = X.astype(float), Y.astype(float)
    y_mean = Y.mean(axis=0)
    if center:
        wide, Y = wide - wide.mean(axis=0), Y - y_mean
    exact = np.linalg.solve(wide.T @ wide + 2.0 * np.eye(p), wide.T @ Y)
    away = np.atleast_2d(model.coef_).T - exact
    lost = ((wide @ away) ** 2).sum(axis=0) + 2.0 * (away**2).sum(axis=0)
    lost = 0.5 * lost / (Y**2).sum(axis=0)
    cast = 0.5 * (np.abs(exact).max() * 1e-7) ** 2 * (wide**2).sum() / (Y**2).sum(axis=0).min()
    assert (lost <= model.dual_gap_ + cast).all()
    assert np.max(model.dual_gap_) <= (1e-12 if n_targets < 3 else 1e-8)
    assert np.abs(away).max() <= 1e-5 * np.abs(exact).max()
    if center:  # the residuals have no mean
        rest = Y - X.astype(float) @ np.atleast_2d(model.coef_).T - model.intercept_
        assert_allclose(rest.mean(axis=0) + y_mean, 0.0, atol=1e-5)


@pytest.mark.parametrize("kind", ["offset", "small alpha", "dependent", "huge", "zero"])
def test_many_targets_in_float32_that_ask_for_float64(kind):
    rng = np.random.default_rng(3)
    X, Y = rng.normal(size=(80, 300)), rng.normal(size=(80, 10))
    X += 100.0 * (kind == "offset")
    if kind == "dependent":
        X[:, 1:] = X[:, :1] + 1e-4 * X[:, 1:]
    X *= 1e19 if kind == "huge" else 1.0
    Y[:, 4] *= kind != "zero"
    alpha = 1e-3 if kind in ("small alpha", "dependent") else 1.0
    X, Y = X.astype(np.float32), Y.astype(np.float32)
    model = Ridge(alpha).fit(X, Y)
    exact = Ridge(alpha).fit(X.astype(float), Y.astype(float))
    assert model.converged_.all()
    assert model.dual_gap_.max() <= 1e-8
    assert_allclose(model.predict(X), exact.predict(X.astype(float)), atol=2e-4)
    largest = np.abs(exact.coef_).max()
    assert_allclose(model.coef_ / largest, exact.coef_ / largest, atol=2e-5)


def test_memory_when_samples_are_many():
    """No n x n matrix (3.2 GB here), and X (128 MB dense) stays sparse."""
    X = sparse.random(20_000, 800, density=1e-3, format="csc", random_state=0)
    Y = np.asarray(X.sum(axis=1)).reshape(-1, 1) + 1.0
    tracemalloc.start()
    design, penalty = design_of(X), Penalty.build(800, 0.0)
    factor = RidgeFactor(design, penalty)
    centred, alphas = design.center(Y)[0], np.array([1e-3, 1e-5])
    assert np.isfinite(factor.leave_one_out(centred, alphas)).all()
    assert np.isfinite(factor.solve(centred, alphas)).all()
    assert np.isfinite(solve_ridge(design, Y, penalty, np.zeros(1)).coef).all()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 80e6


@pytest.mark.parametrize("center", [True, False])
def test_the_kernel(center):
    X, _ = problem(12, 30)
    X[:, 3] += 1e5
    weights = np.arange(12.0)
    for stored in (X, sparse.csc_matrix(X), np.asfortranarray(X, dtype=np.float32)):
        design = design_of(stored, weights, center=center, standardize=True)
        A = np.sqrt(design.omega)[:, None] * dense(design)
        assert_allclose(design.kernel(), A @ A.T, atol=1e-9 * np.abs(A @ A.T).max())


@pytest.mark.parametrize("shape", SHAPES)
def test_the_default_grid_covers_the_spectrum(shape):
    design, penalty, _ = everything(*shape, "weights")
    factor = RidgeFactor(design, penalty)
    alphas = default_alphas(factor, 50)
    assert alphas.shape == (50,)
    assert np.all(np.diff(alphas) < 0)
    d = np.linalg.svd(np.sqrt(design.omega)[:, None] * dense(design), compute_uv=False) ** 2
    d = d[d > 1e-12 * d[0]]
    least = max(np.finfo(float).eps ** 0.5 * d[-1], 1e-12 * d[0])
    assert_allclose(alphas[[0, -1]], [1000 * d[0], least], rtol=1e-8)
    df = factor.degrees_of_freedom(alphas)
    assert df[0] < 0.01 * len(d)
    assert df[-1] > 0.99 * len(d)


def test_nothing_to_fit():
    Y = np.arange(6.0)[:, None]
    penalty = Penalty.build(2, 0.0)
    for X in (np.ones((6, 2)), np.zeros((6, 2))):
        design = design_of(X)
        factor = RidgeFactor(design, penalty)
        assert not factor.solve(design.center(Y)[0], np.array([1.0, 0.0])).any()
        assert not solve_ridge(design, Y, penalty, np.zeros(1)).coef.any()
        assert np.all(factor.degrees_of_freedom(ALPHAS) == 0)
        assert len(default_alphas(factor, 5)) == 5
        loo = factor.leave_one_out(design.center(Y)[0], np.array([1.0]))[:, 0, 0]
        assert_allclose(loo, (Y[:, 0] - 2.5) * 6 / 5)
    excluded = Penalty.build(2, 0.0, np.full(2, np.inf))
    design = design_of(np.arange(12.0).reshape(6, 2) ** 2)
    assert not solve_ridge(design, Y, excluded, np.ones(1)).coef.any()
    assert not RidgeFactor(design, excluded).solve(Y - 2.5, ALPHAS).any()
    with pytest.raises(ValueError, match="dense"):
        RidgeFactor(design_of(sparse.csc_matrix(np.eye(6, 2))), penalty, "svd")


def test_one_decomposition_serves_the_grid_leave_one_out_and_the_path(monkeypatch):
    calls = {"gram": 0, "eigh": 0}

    def counted(name, function):
        def call(*args):
            calls[name] += 1
            return function(*args)

        return call

    monkeypatch.setattr(moments, "gram", counted("gram", moments.gram))
    monkeypatch.setattr(np.linalg, "eigh", counted("eigh", np.linalg.eigh))
    X = np.random.default_rng(0).normal(size=(60, 8))
    RidgeCV().fit(X, X.sum(axis=1) + np.sin(np.arange(60)))
    assert calls == {"gram": 1, "eigh": 1}


def test_a_design_keeps_the_decompositions_of_different_penalties_apart():
    X = np.random.default_rng(0).normal(size=(60, 8))
    design, Y = design_of(X), X[:, :1] + 1.0
    for factors in (np.ones(8), np.arange(8.0), np.where(np.arange(8) == 3, np.inf, 1.0)):
        penalty = Penalty.build(8, 0.0, factors)
        for method in ("auto", "svd"):
            found = RidgeFactor(design, penalty, method).solve(Y, np.array([0.1]))
            fresh = RidgeFactor(design_of(X), penalty, method).solve(Y, np.array([0.1]))
            assert_allclose(found, fresh, rtol=1e-12, atol=1e-14)
