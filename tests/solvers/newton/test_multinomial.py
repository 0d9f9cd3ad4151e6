"""All classes at once against proximal gradient steps and scikit-learn, and by optimality."""

from dataclasses import replace

import numpy as np
import pytest
import sklearn
from class_problems import EXACT, LOSS, Case, classes, softmax
from scipy import optimize, sparse
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.utils.fixes import parse_version

from skreg.objective.losses import Logistic
from skreg.objective.penalties import Penalty
from skreg.paths.fit_path import fit_path, with_degrees_of_freedom
from skreg.paths.grid import alpha_grid
from skreg.paths.problem import Problem
from skreg.solvers.base import Settings
from skreg.solvers.newton import class_ridge, multinomial, preconditioners
from skreg.solvers.null_model import null_deviances


@pytest.mark.one_in(7)
@pytest.mark.parametrize("seed", range(60))
def test_agrees_with_proximal_gradient_steps(seed):
    case = Case(seed)
    bound = case.bind()
    largest = alpha_grid(bound, 2)[0] if case.l1_ratio else 1.0
    alphas = max(largest, 1e-3) * np.array([0.5, 0.2, 0.1, 0.03])
    path = fit_path(bound, alphas)
    assert path.converged.all(), path.dual_gaps
    for i, alpha in enumerate(alphas):
        W, b = path.coefs[:, :, i].T, path.intercepts[:, i]
        assert case.violation(W, b, alpha) <= 1e-8
        expected_W, expected_b = case.solve_plainly(alpha)
        expected = case.objective(expected_W, expected_b, alpha)
        assert case.objective(W, b, alpha) - expected <= 1e-11
        same = softmax(case.eta(expected_W, expected_b))
        np.testing.assert_allclose(softmax(case.eta(W, b)), same, atol=2e-6)
        if case.l1_ratio < 1.0:  # else a constant over the classes may be free
            penalised = case.penalty.factors > 0
            np.testing.assert_allclose(W[penalised], expected_W[penalised], atol=5e-6)
        np.testing.assert_array_equal(case.penalty.clip(W.T), W.T)
        assert case.fit_intercept or not b.any()
        assert abs(b.sum()) <= 1e-12 * max(1.0, np.abs(b).max())


@pytest.mark.parametrize("seed", range(9))
def test_the_gap_is_never_below_what_the_objective_may_still_fall_by(seed):
    """Also where the iterations are stopped before they get there."""
    case = Case(seed)
    exact = case.bind()
    alphas = 0.1 * max(alpha_grid(exact, 2)[0] if case.l1_ratio else 1.0, 1e-3) * np.ones(1)
    best = fit_path(exact, alphas)
    least = case.objective(best.coefs[:, :, 0].T, best.intercepts[:, 0], alphas[0])
    unit = null_deviances(exact)[0]
    for max_iter in (1, 2, 3):
        problem = replace(case.problem, settings=Settings(tol=1e-12, max_iter=max_iter))
        found = fit_path(case.bind(problem), alphas)
        value = case.objective(found.coefs[:, :, 0].T, found.intercepts[:, 0], alphas[0])
        assert np.isfinite(found.dual_gaps).all()
        assert value - least <= found.dual_gaps[0, 0] * unit + 1e-15 * abs(value)


@pytest.mark.parametrize("seed", [0, 1, 3, 4, 6, 7])  # with an L1 part
def test_alpha_max_is_the_exact_boundary(seed):
    case = Case(seed)
    bound = case.bind()
    largest = alpha_grid(bound, 2)[0]
    penalised = (case.penalty.factors > 0) & case.penalty.movable
    at = fit_path(bound, largest * np.array([1 + 1e-9, 1 - 1e-6]))
    assert not at.coefs[:, penalised, 0].any()
    assert at.coefs[:, penalised, 1].any()


def test_what_belongs_to_all_classes_is_the_same_for_each():
    case = Case(3)
    path = fit_path(case.bind(), 0.5 ** np.arange(3, 8))
    for shared in (path.dual_gaps, path.n_iters, path.df, path.dev_ratio):
        np.testing.assert_array_equal(shared, np.broadcast_to(shared[0], shared.shape))
    W = path.coefs[:, :, -1].T
    deviance = LOSS.deviance(case.eta(W, path.intercepts[:, -1]), case.Y, case.omega[:, None])
    null = null_deviances(case.bind())
    np.testing.assert_array_equal(null, null[0])
    assert path.dev_ratio[0, -1] == pytest.approx(1.0 - deviance / null[0], abs=1e-10)
    assert path.df[0, -1] == np.count_nonzero(W)


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_two_classes_are_the_symmetric_binary_problem(l1_ratio, fit_intercept):
    """With w and -w the squared part is half, and the absolute part twice, that of one class."""
    rng = np.random.default_rng(2)
    X = rng.standard_normal((80, 6))
    y = (rng.random(80) < 1 / (1 + np.exp(-X[:, 0] - 0.5))).astype(float)
    weight = rng.integers(0, 3, 80).astype(float)
    alphas = np.array([0.1, 0.03, 0.005])
    penalty = Penalty.build(6, l1_ratio)
    problem = Problem(penalty, LOSS, fit_intercept, settings=EXACT)
    path = fit_path(problem.bind(X, np.column_stack([1 - y, y]), weight), alphas)
    binary = replace(problem, loss=Logistic(), penalty=replace(penalty, l2_units=0.5))
    expected = fit_path(binary.bind(X, y, weight), alphas)
    np.testing.assert_allclose(path.coefs[1], 0.5 * expected.coefs, atol=1e-8)
    np.testing.assert_allclose(path.coefs[0], -0.5 * expected.coefs, atol=1e-8)
    np.testing.assert_allclose(path.intercepts[1], 0.5 * expected.intercepts, atol=1e-8)
    np.testing.assert_allclose(path.dev_ratio[0], expected.dev_ratio, atol=1e-10)


@pytest.mark.parametrize("n_classes", [3, 4, 26])
@pytest.mark.parametrize("C", [0.1, 10.0])
def test_agrees_with_scikit_learn_on_squared_penalties(n_classes, C):
    rng = np.random.default_rng(n_classes)
    X = rng.standard_normal((300, 5))
    X[:, 2] += 3.0
    Y = classes(X @ rng.standard_normal((5, n_classes)), rng)
    weight = rng.integers(1, 4, 300).astype(float)
    problem = Problem(Penalty.build(5, 0.0), LOSS, settings=EXACT)
    path = fit_path(problem.bind(X, Y, weight), np.array([1 / (C * weight.sum())]))
    assert path.dual_gaps.max() <= 1e-12
    sk = LogisticRegression(C=C, tol=1e-11, max_iter=1000, solver="newton-cg")
    sk.fit(X, Y.argmax(axis=1), weight)
    seen = Y.any(axis=0)
    np.testing.assert_allclose(path.coefs[seen, :, 0], sk.coef_, atol=2e-5)
    eta = X @ path.coefs[:, :, 0].T + path.intercepts[:, 0]
    np.testing.assert_allclose(softmax(eta[:, seen]), sk.predict_proba(X), atol=1e-5)


@pytest.mark.parametrize(("l1_ratio", "C"), [(1.0, 0.2), (0.5, 1.0)])
def test_agrees_with_saga(l1_ratio, C):
    rng = np.random.default_rng(5)
    X = rng.standard_normal((120, 6))
    Y = classes(X @ rng.standard_normal((6, 3)), rng)
    problem = Problem(Penalty.build(6, l1_ratio), LOSS, settings=EXACT)
    path = fit_path(problem.bind(X, Y), np.array([1 / (C * 120)]))
    sk = LogisticRegression(C=C, tol=1e-13, max_iter=100000, solver="saga", l1_ratio=l1_ratio)
    if parse_version(sklearn.__version__) < parse_version("1.8"):
        sk.set_params(penalty="elasticnet")
    sk.fit(X, Y.argmax(axis=1))
    np.testing.assert_allclose(path.coefs[:, :, 0], sk.coef_, atol=1e-6)
    assert path.df[0, 0] == np.count_nonzero(path.coefs)


def test_the_trace_of_the_smoother_counts_all_classes():
    rng = np.random.default_rng(8)
    X = rng.standard_normal((50, 4))
    Y = classes(X[:, :3], rng)
    alpha = 0.05
    problem = Problem(Penalty.build(4, 0.0), LOSS, settings=EXACT)
    bound = problem.bind(X, Y)
    path = fit_path(bound, np.array([alpha]))
    assert np.isnan(path.df).all()  # until it is asked for
    path = with_degrees_of_freedom(path, bound)
    p = softmax(X @ path.coefs[:, :, 0].T + path.intercepts[:, 0])
    one = np.column_stack([X, np.ones(50)])
    H = np.einsum("ik,kl,ij,im->kjlm", p, np.eye(3), one, one) / 50
    H -= np.einsum("ik,il,ij,im->kjlm", p, p, one, one) / 50
    H = H.reshape(15, 15)
    penalised = np.tile([1.0, 1.0, 1.0, 1.0, 0.0], 3)
    trace = np.trace(np.linalg.pinv(H + alpha * np.diag(penalised)) @ H)
    assert path.df[0, 0] == pytest.approx(trace - 2.0, abs=1e-6)  # less the intercepts


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
def test_features_without_a_penalty_have_coefficients_of_mean_zero(l1_ratio):
    rng = np.random.default_rng(4)
    X = rng.standard_normal((100, 5))
    Y = classes(X[:, :3] + 0.3, rng)
    penalty = Penalty.build(5, l1_ratio, np.array([0.0, 1.0, 1.0, 0.0, 1.0]))
    path = fit_path(Problem(penalty, LOSS, settings=EXACT).bind(X, Y), np.array([0.05, 0.01]))
    assert np.abs(path.coefs[:, [0, 3]].sum(axis=0)).max() <= 1e-14
    assert path.dual_gaps.max() <= 1e-12
    p = softmax(X @ path.coefs[:, :, 1].T + path.intercepts[:, 1])
    assert np.abs((Y - p).T @ X[:, [0, 3]]).max() <= 1e-7


def test_of_an_even_number_of_classes_the_two_in_the_middle_are_opposite():
    rng = np.random.default_rng(9)
    X = rng.standard_normal((200, 3))
    Y = classes(2 * X @ rng.standard_normal((3, 4)), rng)
    alphas = np.array([0.001])
    path = fit_path(Problem(Penalty.build(3, 1.0), LOSS, settings=EXACT).bind(X, Y), alphas)
    W = np.sort(path.coefs[:, :, 0], axis=0)
    np.testing.assert_allclose(W[1], -W[2], atol=1e-14)
    again = np.array([2, 0, 3, 1])
    other = fit_path(
        Problem(Penalty.build(3, 1.0), LOSS, settings=EXACT).bind(X, Y[:, again]), alphas
    )
    np.testing.assert_allclose(other.coefs, path.coefs[again], atol=1e-7)


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("strength", [1e-2, 1e-6, 0.0])
def test_separable_classes_end_in_a_finite_answer(l1_ratio, strength):
    rng = np.random.default_rng(0)
    X = np.repeat([[3.0, 0.0], [0.0, 3.0], [-3.0, -3.0]], 10, axis=0) + rng.random((30, 2))
    Y = np.repeat(np.eye(3), 10, axis=0)
    bound = Problem(Penalty.build(2, l1_ratio), LOSS).bind(X, Y)
    path = fit_path(bound, np.array([0.1, strength]))
    assert path.converged.all()
    assert np.isfinite(path.coefs).all()
    assert path.dev_ratio[0, -1] > 0.5
    eta = X @ path.coefs[:, :, -1].T + path.intercepts[:, -1]
    value = (
        LOSS.value(eta, Y, 1 / 30) + bound.penalty.at(strength).value(path.coefs[:, :, -1]).sum()
    )
    if not strength:
        assert value <= path.dual_gaps[0, -1] * null_deviances(bound)[0] * (1 + 1e-9)


def test_no_penalty_agrees_with_bfgs():
    rng = np.random.default_rng(6)
    X = rng.standard_normal((150, 4))
    Y = classes(X[:, :3] / 2, rng)
    bound = Problem(Penalty.build(4, 0.0), LOSS, settings=EXACT).bind(X, Y)
    path = with_degrees_of_freedom(fit_path(bound, np.zeros(1)), bound)
    one = np.column_stack([X, np.ones(150)])

    def loss(x):
        return LOSS.value_and_gradient(one @ x.reshape(5, 3), Y, 1 / 150)

    def both(x):
        value, slope = loss(x)
        return value, (one.T @ slope).ravel()

    best = optimize.minimize(both, np.zeros(15), jac=True, method="BFGS", options={"gtol": 1e-9})
    W = best.x.reshape(5, 3)
    W -= W.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(path.coefs[:, :, 0].T, W[:4], atol=1e-6)
    np.testing.assert_allclose(path.intercepts[:, 0], W[4], atol=1e-6)
    assert path.df[0, 0] == pytest.approx(8.0)


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("kind", ["dense", "sparse", "float32"])
def test_more_features_than_rows(l1_ratio, kind):
    rng = np.random.default_rng(7)
    X = rng.standard_normal((60, 300)) + 1.0 * rng.standard_normal((60, 1))
    if kind == "sparse":
        X[rng.random(X.shape) < 0.7] = 0.0
    Y = classes(X[:, :3] * 2, rng)
    given = {"dense": X, "sparse": sparse.csr_array(X), "float32": X.astype(np.float32)}[kind]
    X = given.astype(float).toarray() if kind == "sparse" else given.astype(float)
    problem = Problem(Penalty.build(300, l1_ratio), LOSS, settings=EXACT)
    bound = problem.bind(given, Y)
    alphas = alpha_grid(bound, 20, 0.05) if l1_ratio else np.array([1.0, 0.1, 0.01])
    path = fit_path(bound, alphas)
    assert path.converged.all()
    for i, alpha in enumerate(alphas):
        W, b = path.coefs[:, :, i].astype(float), path.intercepts[:, i]
        slope = LOSS.gradient(X @ W.T + b, Y, 1 / 60)
        limit = 1e-6 if kind == "float32" else 1e-9
        assert np.abs(slope.sum(axis=0)).max() <= limit
        assert problem.penalty.at(alpha).violation(W, -(X.T @ slope).T).max() <= 10 * limit
    single = fit_path(bound, alphas[-1:])
    same = single.coefs[:, :, 0] - path.coefs[:, :, -1]
    assert np.abs(same).max() <= (1e-6 if l1_ratio < 1 or kind == "float32" else 1e-5)


def test_a_rare_class():
    rng = np.random.default_rng(1)
    X = rng.standard_normal((1000, 5))
    eta = X[:, :3] * 2 + [0.0, 0.0, -8.0]
    Y = classes(eta, rng)
    Y[0] = [0.0, 0.0, 1.0]
    assert 1 <= Y[:, 2].sum() < 20
    for l1_ratio in (0.0, 1.0):
        bound = Problem(Penalty.build(5, l1_ratio), LOSS, settings=EXACT).bind(X, Y)
        path = fit_path(bound, np.geomspace(0.1, 1e-6, 12))
        assert path.dual_gaps.max() <= 1e-11


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_a_class_that_no_counted_row_has(l1_ratio, fit_intercept):
    """As in a fold of a cross-validation."""
    rng = np.random.default_rng(3)
    X = rng.standard_normal((60, 4))
    Y = classes(X[:, :3] + [0.0, 0.0, -1.0], rng)
    weight = 1.0 - Y[:, 2]
    penalty = Penalty.build(4, l1_ratio)
    problem = Problem(penalty, LOSS, fit_intercept, settings=EXACT)
    alphas = np.array([0.1, 0.01])
    path = fit_path(problem.bind(X, Y, weight), alphas)
    assert path.dual_gaps.max() <= 1e-11
    if fit_intercept:
        kept = weight > 0
        few = fit_path(problem.bind(X[kept], Y[kept, :2]), alphas)
        # With an L1 part alone a constant may still be added to both.
        np.testing.assert_allclose(path.coefs[:2], few.coefs, atol=1e-5)
        np.testing.assert_allclose(np.diff(path.coefs[:2], axis=0), np.diff(few.coefs, axis=0))
        np.testing.assert_allclose(path.coefs[2], 0.0, atol=1e-12)
        np.testing.assert_allclose(path.dev_ratio[:2], few.dev_ratio, atol=1e-10)


@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
def test_a_target_of_one_class_keeps_every_coefficient_at_zero(l1_ratio):
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((30, 4)), np.tile([0.0, 1.0, 0.0], (30, 1))
    path = fit_path(Problem(Penalty.build(4, l1_ratio), LOSS).bind(X, Y), np.array([0.1, 1e-3]))
    assert np.abs(path.coefs).max() <= 1e-15  # the rounding of the linear predictors
    assert path.converged.all()


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
def test_a_start_changes_the_way_and_not_the_answer(l1_ratio):
    rng = np.random.default_rng(11)
    X = rng.standard_normal((100, 8))
    Y = classes(X[:, :5], rng)
    bound = Problem(Penalty.build(8, l1_ratio), LOSS, settings=EXACT).bind(X, Y)
    alphas = np.array([0.01])
    cold = fit_path(bound, alphas)
    warm = fit_path(bound, alphas, start=cold.coefs[:, :, 0].T)
    np.testing.assert_allclose(warm.coefs, cold.coefs, atol=1e-8)
    assert warm.n_iters[0, 0] <= cold.n_iters[0, 0]
    far = fit_path(bound, alphas, start=rng.standard_normal((8, 5)))
    np.testing.assert_allclose(far.coefs, cold.coefs, atol=1e-8)


def test_rows_of_weight_zero_are_not_there():
    rng = np.random.default_rng(12)
    X = rng.standard_normal((80, 4))
    Y = classes(X[:, :3], rng)
    weight = rng.integers(0, 2, 80).astype(float)
    X[weight == 0] *= 1e6
    kept, alphas = weight > 0, np.array([0.1, 0.01])
    for l1_ratio in (0.0, 1.0):
        problem = Problem(Penalty.build(4, l1_ratio), LOSS, settings=EXACT)
        whole, part = problem.bind(X, Y, weight), problem.bind(X[kept], Y[kept])
        np.testing.assert_allclose(
            fit_path(whole, alphas).coefs, fit_path(part, alphas).coefs, atol=1e-9
        )


@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
def test_hard_classes_of_few_rows(l1_ratio):
    """A set on which coordinate descent on all pairs does not converge."""
    X, y = make_classification(20, 20, n_informative=10, n_classes=3, random_state=0)
    bound = Problem(Penalty.build(20, l1_ratio), LOSS, settings=EXACT).bind(X, np.eye(3)[y])
    path = fit_path(bound, np.array([1 / 20]))
    assert path.dual_gaps.max() <= 1e-12
    assert path.n_iters.max() <= 20
    if not l1_ratio:
        sk = LogisticRegression(C=1.0, tol=1e-12, max_iter=10000).fit(X, y)
        np.testing.assert_allclose(path.coefs[:, :, 0], sk.coef_, atol=1e-6)


@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
def test_all_features_may_be_excluded(l1_ratio):
    case = Case(0)
    penalty = Penalty.build(8, l1_ratio, np.full(8, np.inf))
    path = fit_path(case.bind(replace(case.problem, penalty=penalty)), np.array([0.1]))
    assert not path.coefs.any()
    assert path.converged.all()


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
def test_excluded_features_are_not_there(l1_ratio):
    """Also those with the largest correlations, where more features than pairs are active."""
    rng = np.random.default_rng(14)
    X = rng.standard_normal((40, 30))
    Y = classes(3 * X[:, :4], rng)
    factors = np.where(np.arange(30) % 3 == 0, np.inf, 1.0)
    problem = Problem(Penalty.build(30, l1_ratio, factors), LOSS, settings=EXACT)
    kept, alphas = np.isfinite(factors), np.array([0.1, 0.02])
    path = fit_path(problem.bind(X, Y), alphas)
    few = replace(problem, penalty=Penalty.build(20, l1_ratio)).bind(X[:, kept], Y)
    np.testing.assert_allclose(path.coefs[:, kept], fit_path(few, alphas).coefs, atol=1e-7)
    assert not path.coefs[:, ~kept].any()


@pytest.mark.parametrize("kind", ["blocks", "whole", "factors", "diagonal", "sparse"])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_conjugate_gradients_agree_with_the_matrix(kind, fit_intercept, monkeypatch):
    """With each preconditioner, along a path, with weights, offsets, factors and a free feature."""
    rng = np.random.default_rng(15)
    X = rng.standard_normal((150, 12)) @ (np.eye(12) + 0.5 * rng.standard_normal((12, 12)))
    if kind == "sparse":
        X[rng.random(X.shape) < 0.5] = 0.0
    Y = classes(X[:, :4] / 2, rng)
    weight, offset = rng.integers(0, 4, 150).astype(float), 0.3 * rng.standard_normal((150, 4))
    factors = rng.choice([0.5, 1.0, 2.0, np.inf], 12)
    factors[1] = 0.0
    problem = Problem(Penalty.build(12, 0.0, factors), LOSS, fit_intercept, settings=EXACT)
    given = sparse.csc_array(X) if kind == "sparse" else X
    bound, alphas = problem.bind(given, Y, weight, offset=offset), np.array([1.0, 0.1, 0.003])
    expected = fit_path(bound, alphas)
    monkeypatch.setattr(class_ridge, "WORTH_PRODUCTS", 0.0)
    changes = {
        "blocks": {"EXPECTED_PRODUCTS": 0},
        "whole": {"EXPECTED_PRODUCTS": 1000},
        "factors": {"EXPECTED_PRODUCTS": 0, "INVERTED": 0},
        "diagonal": {"EXPECTED_PRODUCTS": 0, "LARGEST_BLOCK": 0},
        "sparse": {"LARGEST_DENSE": 0},
    }
    for name, value in changes[kind].items():
        place = preconditioners if name in ("INVERTED", "LARGEST_BLOCK") else class_ridge
        monkeypatch.setattr(place, name, value)
    path = fit_path(bound, alphas)
    assert path.dual_gaps.max() <= 1e-11
    np.testing.assert_allclose(path.coefs, expected.coefs, atol=1e-7)
    np.testing.assert_allclose(path.intercepts, expected.intercepts, atol=1e-7)
    usual = replace(problem, settings=Settings()).bind(given, Y, weight, offset=offset)
    assert fit_path(usual, alphas).dual_gaps.max() <= 1e-10


@pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
def test_models_that_rounds_do_not_solve_are_left_to_the_active_set(l1_ratio, monkeypatch):
    rng = np.random.default_rng(17)
    X = rng.standard_normal((120, 20))
    bound = Problem(Penalty.build(20, l1_ratio), LOSS).bind(X, classes(X[:, :4], rng))
    alphas = alpha_grid(bound, 20, 0.02)
    expected = fit_path(bound, alphas)
    monkeypatch.setattr(multinomial, "ROUNDS_TRIED", 0)
    path = fit_path(bound, alphas)
    assert path.dual_gaps.max() <= 1e-10
    np.testing.assert_allclose(path.coefs, expected.coefs, atol=1e-4)
    np.testing.assert_allclose(path.dev_ratio, expected.dev_ratio, atol=1e-6)


@pytest.mark.parametrize("products", [0.0, 2.5])
def test_many_rows_begin_with_some_of_them(products, monkeypatch):
    rng = np.random.default_rng(16)
    X = rng.standard_normal((9000, 6))
    Y = classes(X[:, :4], rng)
    order = np.argsort(Y.argmax(axis=1), kind="stable")
    X, Y, weight = X[order], Y[order], rng.integers(1, 4, 9000).astype(float)
    bound = Problem(Penalty.build(6, 0.0), LOSS).bind(X, Y, weight)
    monkeypatch.setattr(class_ridge, "BEGUN_ON_SOME", 10**9)
    expected = fit_path(bound, np.array([1e-4]))
    monkeypatch.undo()
    monkeypatch.setattr(class_ridge, "WORTH_PRODUCTS", products)
    path = fit_path(bound, np.array([1e-4]))
    assert path.dual_gaps.max() <= 1e-10
    assert path.n_iters.max() < expected.n_iters.max()
    np.testing.assert_allclose(path.coefs, expected.coefs, atol=1e-4)


def test_a_row_whose_shares_do_not_add_up_is_refused():
    with pytest.raises(ValueError, match=r"add up to one: row 1 has 0\.5, 0\.6"):
        Problem(Penalty.build(2, 0.0), LOSS).bind(np.eye(2), np.array([[1.0, 0.0], [0.5, 0.6]]))
