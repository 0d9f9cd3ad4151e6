"""Many alphas of the multinomial loss at once, against one after the other and by certificates."""

from dataclasses import replace

import numpy as np
import pytest
from class_problems import LOSS, Case, classes
from scipy.special import rel_entr, softmax

from skreg.objective.penalties import Penalty
from skreg.paths.fit_path import fit_path
from skreg.paths.grid import alpha_grid
from skreg.paths.problem import Problem
from skreg.solvers.base import Settings
from skreg.solvers.newton import (
    all_alphas,
    batched_classes,
    class_batch,
    class_minima,
    class_ridge,
    few_classes,
)
from skreg.solvers.newton.class_minima import ClassMinima
from skreg.solvers.newton.few_classes import FewClasses
from skreg.solvers.null_model import null_deviances

# Coefficients that the steps move by their error are known to about its root.
CLOSE = 5e-5


def one_by_one(bound, alphas, monkeypatch):
    """The same path without batches."""
    with monkeypatch.context() as patch:
        patch.setattr(batched_classes, "ENTRIES_AT_ONCE", 0)
        return fit_path(bound, alphas)


def lasso_cases(few):
    """Seeds of `Case` with an L1 part and without bounds."""
    chosen = []
    for seed in range(90):
        case = case_of(seed, few)
        if seed % 3 < 2 and not case.penalty.has_bounds and not hasattr(case.given, "nnz"):
            chosen.append(seed)
    return chosen


def case_of(seed, few):
    return Case(seed, n=70, p=2 if few else 12)


def path_of(case):
    """A path of the usual tolerance, from the largest alpha on."""
    bound = case.bind(replace(case.problem, settings=Settings()))
    return bound, alpha_grid(bound, 30, 0.01)


def check(case, bound, alphas, path, expected):
    assert path.converged.all(), path.dual_gaps
    assert path.dual_gaps.max() <= 1.01e-10
    unit = null_deviances(bound)[0]
    for i, alpha in enumerate(alphas):
        each = [(one.coefs[:, :, i].T, one.intercepts[:, i]) for one in (path, expected)]
        values = [case.objective(*one, alpha) for one in each]
        gaps = [one.dual_gaps[0, i] * unit for one in (path, expected)]
        assert values[0] - values[1] <= gaps[0] + 1e-14 * abs(values[0])
        assert values[1] - values[0] <= gaps[1] + 1e-14 * abs(values[0])
        p, same = (softmax(case.eta(*one), axis=1) for one in each)
        np.testing.assert_allclose(p[case.omega > 0], same[case.omega > 0], atol=CLOSE)
        assert case.fit_intercept or not path.intercepts.any()
        assert abs(each[0][1].sum()) <= 1e-12 * max(1.0, np.abs(each[0][1]).max())


@pytest.mark.one_in(3)
@pytest.mark.parametrize("seed", lasso_cases(few=False))
def test_batches_agree_with_one_alpha_after_the_other(seed, monkeypatch):
    case = case_of(seed, few=False)
    bound, alphas = path_of(case)
    check(case, bound, alphas, fit_path(bound, alphas), one_by_one(bound, alphas, monkeypatch))


@pytest.mark.one_in(3)
@pytest.mark.parametrize("seed", lasso_cases(few=True))
def test_few_pairs_all_at_once_agree_with_one_alpha_after_the_other(seed, monkeypatch):
    case = case_of(seed, few=True)
    bound, alphas = path_of(case)
    path = fit_path(bound, alphas)
    check(case, bound, alphas, path, one_by_one(bound, alphas, monkeypatch))


def usual(rng, n=150, p=10, n_classes=4, l1_ratio=1.0):
    X = rng.standard_normal((n, p))
    Y = classes(X @ rng.standard_normal((p, n_classes)), rng)
    bound = Problem(Penalty.build(p, l1_ratio), LOSS).bind(X, Y)
    return bound, alpha_grid(bound, 40, 0.005)


@pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
@pytest.mark.parametrize("p", [3, 10, 300])
def test_few_alphas_of_a_usual_path_are_left_to_steps_of_their_own(p, l1_ratio, monkeypatch):
    bound, alphas = usual(np.random.default_rng(p), p=p, l1_ratio=l1_ratio)
    expected = one_by_one(bound, alphas, monkeypatch)
    solve, left = batched_classes.BatchedClasses.solve, []

    def counted(path, alpha):
        left.append(alpha)
        return solve(path, alpha)

    monkeypatch.setattr(batched_classes.BatchedClasses, "solve", counted)
    path = fit_path(bound, alphas)
    assert len(left) <= 1
    assert path.dual_gaps.max() <= 1.01e-10
    np.testing.assert_allclose(path.dev_ratio, expected.dev_ratio, atol=1e-5)


@pytest.mark.parametrize("least_error", [1e-1, 1e-3, 1e-6])
@pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
def test_gaps_of_unfinished_points_are_upper_bounds(least_error, l1_ratio, monkeypatch):
    """Steps end when the error is this small, and whatever comes out is certified."""
    for seed in range(6):
        rng = np.random.default_rng(seed)
        bound, alphas = usual(rng, p=(2, 10)[seed % 2], n_classes=(3, 4)[seed % 2])
        expected = one_by_one(bound, alphas, monkeypatch)
        penalty, unit = bound.penalty, null_deviances(bound)[0]
        path = path_on(bound)
        path.aim = path.least_error = least_error
        checked = 0
        for alpha, found, best in zip(
            alphas, path.run(alphas), expected.coefs.transpose(2, 0, 1), strict=True
        ):
            of_best = expected.intercepts[:, checked]
            values = []
            for W, b in ((found.coef, found.intercept), (best, of_best)):
                eta = bound.design.predict(W.T) + b + bound.design.mean @ W.T
                value = LOSS.value(eta, bound.target.raw, bound.design.omega[:, None])
                values.append(value + penalty.at(alpha).value(W).sum())
            assert values[0] - values[1] <= found.gap[0] * unit + 1e-15, (seed, alpha)
            checked += 1
        assert checked == len(alphas)


def path_on(bound):
    start = np.zeros((bound.design.n_features, bound.target.raw.shape[1]))
    return batched_classes.BatchedClasses(bound, start, Settings(), alone=False)


@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_the_bound_of_a_step_is_never_below_the_divergence(n_classes):
    rng = np.random.default_rng(n_classes)
    bound, _ = usual(rng, n=40, p=2, n_classes=n_classes)
    path = path_on(bound)
    usable = np.ones(2, dtype=bool)
    few = FewClasses(path.rows, path.Z, path.penalty, usable, path.noise, 1e-10)
    for size in (1e-2, 0.1, 0.5, 1.0, 2.0):
        p = softmax(3 * rng.standard_normal((200, n_classes, 40)), axis=1)
        d = size * rng.standard_normal(p.shape)
        x = d - (p * d).sum(axis=1, keepdims=True)
        s, after = p * (1 + x), p * np.exp(x)
        after /= after.sum(axis=1, keepdims=True)
        bounds = few._bounds(p, d)
        inside = x.min(axis=(1, 2)) >= -1
        assert np.isinf(bounds[~inside]).all()
        divergence = rel_entr(np.maximum(s, 0.0), after).sum(axis=1).mean(axis=1)
        assert (bounds >= divergence * (1 - 1e-9) - 1e-15)[inside].all()
        if size <= 1e-2:
            assert inside.all()


# Minima ---------------------------------------------------------------------------------------


def model(rng, p, n_classes, n=200):
    """A Hessian of the multinomial loss, raised, pairs class by class, and a linear term."""
    X = rng.standard_normal((n, p))
    shares = softmax(rng.standard_normal((n, n_classes)), axis=1)
    G = np.einsum("ik,kl,ij,im->kjlm", shares, np.eye(n_classes), X, X) / n
    G -= np.einsum("ik,il,ij,im->kjlm", shares, shares, X, X) / n
    G = G.reshape(2 * (n_classes * p,))
    shift = 1e-9 * G.diagonal()
    r = np.eye(n_classes)[rng.integers(0, n_classes, n)] - shares
    c = (X.T @ r / n).T.ravel()
    return G + np.diag(shift), shift, np.tile(np.arange(p), n_classes), c


@pytest.mark.parametrize("n_classes", [2, 3, 4])
@pytest.mark.parametrize("few", [0, 64])
def test_one_factor_serves_supports_that_differ(n_classes, few, monkeypatch):
    monkeypatch.setattr(class_minima, "FEW_DIFFERENT", few)
    monkeypatch.setattr(class_minima, "SHARE_DIFFERENT", 0.0 if few else 0.4)
    rng = np.random.default_rng(n_classes)
    gram, shift, feature, _ = model(rng, 15, n_classes)
    solver = ClassMinima(gram, shift, feature, n_classes)
    base = rng.random(len(gram)) < 0.6
    for _ in range(5):
        active = base ^ (rng.random((6, len(gram))) < 0.1)
        expected = np.where(active, rng.standard_normal(active.shape), 0.0)
        rhs = expected @ gram
        found = solver._on_supports(rhs, active, None)
        left = (rhs - found @ gram) * active
        assert np.abs(left).max() <= 1e-13
        assert not found[~active].any()
        # A constant of a feature with all classes active is known to few digits only.
        centre = np.where(active.reshape(6, n_classes, -1).all(axis=1)[:, None], 1.0, 0.0)
        away = (found - expected).reshape(6, n_classes, -1)
        away -= centre * away.mean(axis=1, keepdims=True)
        assert np.abs(away).max() <= 1e-6


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("n_classes", [2, 3, 4, 5])
@pytest.mark.parametrize("seed", range(4))
def test_minima_meet_their_conditions(seed, n_classes, own):
    rng = np.random.default_rng([seed, n_classes])
    gram, shift, feature, c = model(rng, 6, n_classes)
    k = 7
    C = c * np.linspace(1.0, 1.2, k)[:, None]
    l1 = np.abs(c).max() * np.geomspace(0.5, 0.02, k)[:, None] * np.ones(len(c))
    given = (np.repeat(gram[None], k, 0), np.repeat(shift[None], k, 0)) if own else (gram, shift)
    solver = ClassMinima(*given, feature, n_classes)
    sign = np.sign(C) * (np.abs(C) > l1)
    W, *_, ended = solver.minima(C, l1, None, l1 * (1 + 1e-9), sign, None)
    assert ended.all()
    Q = C - W @ gram
    at_zero = W == 0
    assert (np.abs(Q) <= l1 * (1 + 1e-8))[at_zero].all()
    np.testing.assert_allclose(Q[~at_zero], (l1 * np.sign(W))[~at_zero], rtol=1e-7)


def test_of_a_feature_with_all_classes_only_the_first_leaves():
    """Three of four classes have one sign: they move by a constant that is nearly free."""
    rng = np.random.default_rng(0)
    gram, shift, feature, _ = model(rng, 2, 4)
    solver = ClassMinima(gram, shift, feature, 4)
    W = np.array([[-3.0, 1.0, -5.0, 1.0, -4.0, 1.0, 7.0, 0.0]])
    leave, active = W < 0, W != 0
    found = solver._leaving(leave.copy(), W, active)
    np.testing.assert_array_equal(found.nonzero()[1], [2])
    active[0, 6] = False  # not all of its classes
    np.testing.assert_array_equal(solver._leaving(leave.copy(), W, active), leave)


def test_a_batch_that_ends_early_is_taken_up_again(monkeypatch):
    bound, alphas = usual(np.random.default_rng(3))
    expected = fit_path(bound, alphas)
    monkeypatch.setattr(class_batch, "MOST_SWEEPS", 2)
    monkeypatch.setattr(all_alphas, "MOST_SWEEPS_AT_ONCE", 2)
    monkeypatch.setattr(batched_classes, "NEAR_IN_A_BATCH", -0.5)  # pairs are missing
    path = fit_path(bound, alphas)
    assert path.converged.all()
    np.testing.assert_allclose(path.dev_ratio, expected.dev_ratio, atol=1e-5)
    monkeypatch.setattr(class_batch, "SWEEP_CONTRACTION", 1e-9)  # with a curvature to be renewed
    monkeypatch.setattr(class_batch, "WORTH_RENEWING", 1)
    path = fit_path(bound, alphas)
    assert path.converged.all()
    np.testing.assert_allclose(path.dev_ratio, expected.dev_ratio, atol=1e-5)


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("alone", [False, True])
def test_few_pairs_are_solved_at_once(l1_ratio, alone, monkeypatch):
    bound, alphas = usual(np.random.default_rng(5), p=3, l1_ratio=l1_ratio)
    alphas = alphas[20:21] if alone else alphas[5] * 0.8 ** np.arange(30)
    with monkeypatch.context() as patch:
        patch.setattr(few_classes, "FEW_PAIRS", 0)
        expected = fit_path(bound, alphas)
    if l1_ratio:
        monkeypatch.delattr(batched_classes.BatchedClasses, "_advance")
    else:
        monkeypatch.delattr(class_ridge.ClassRidge, "solve")
    if alone and l1_ratio:
        return  # the active set needs few evaluations from one alpha
    path = fit_path(bound, alphas)
    assert path.converged.all()
    atol = 1e-9 if alone else CLOSE
    np.testing.assert_allclose(path.coefs, expected.coefs, atol=atol)
    np.testing.assert_allclose(path.intercepts, expected.intercepts, atol=atol)
    assert np.abs(path.coefs.sum(axis=0)).max() <= 1e-12 or l1_ratio


@pytest.mark.one_in(3)
@pytest.mark.parametrize("seed", range(30))
def test_squared_penalties_on_few_pairs_agree_with_one_alpha_after_the_other(seed, monkeypatch):
    case = case_of(3 * seed + 2, few=True)
    if case.penalty.has_bounds:
        return
    bound = case.bind()
    for alphas in (np.geomspace(0.5, 1e-3, 20), np.array([0.01])):
        path = fit_path(bound, alphas)
        with monkeypatch.context() as patch:
            patch.setattr(few_classes, "FEW_PAIRS", 0)
            expected = fit_path(bound, alphas)
        assert path.converged.all(), path.dual_gaps
        np.testing.assert_allclose(path.coefs, expected.coefs, atol=1e-6)
        np.testing.assert_allclose(path.intercepts, expected.intercepts, atol=1e-5)
