"""A design of moments alone: it knows what the rows know, and refuses what it cannot know."""

import pickle

import numpy as np
import pytest

from skreg.data.build import design_of
from skreg.data.from_moments import MomentsDesign
from skreg.data.moments import MomentMatrix
from skreg.objective.penalties import Penalty
from skreg.paths.fit_path import fit_path
from skreg.paths.grid import alpha_grid
from skreg.paths.problem import Problem
from skreg.solvers.base import Target

N, P = 60, 8
HOW = [
    {"center": True, "standardize": False},
    {"center": True, "standardize": True},
    {"center": False, "standardize": True},
    {"center": False, "standardize": False},
]


def rows(seed=0, n=N, p=P):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) * 10.0 ** np.linspace(-2, 2, p) + 5.0
    X[:, 3] = 7.0
    Y = X[:, :2] @ [[30.0, 0.0], [-3.0, 2.0]] + rng.standard_normal((n, 2)) + 3.0
    return X, Y, rng.random(n)


def in_blocks(X, Y, weight, size=7):
    """The moments of rows that come in blocks, about the means of the first."""
    reference = np.r_[X[:size].mean(axis=0), Y[:size].mean(axis=0)]
    parts = [slice(start, start + size) for start in range(0, len(X), size)]
    total, *others = (MomentMatrix.of_rows(X[i], Y[i], reference, weight[i]) for i in parts)
    for other in others:
        total = total + other
    return total


def bound(X, Y, weight, problem):
    return problem.bind_moments(in_blocks(X, Y, weight), len(X))


@pytest.mark.parametrize("how", HOW)
def test_it_knows_what_the_rows_know(how):
    X, Y, weight = rows()
    found, c, mean, squares = MomentsDesign.of(in_blocks(X, Y, weight), N, **how)
    design = design_of(X, weight, **how)
    target = Target.build(design, Y)
    size = np.where(design.variances > 0, np.sqrt(design.variances), 1.0)
    pair = np.outer(size, size)
    np.testing.assert_allclose(found.gram() / pair, design.gram() / pair, atol=1e-12)
    np.testing.assert_array_equal(found.variances == 0, design.variances == 0)
    np.testing.assert_allclose(mean, target.mean)
    np.testing.assert_allclose(squares, target.squares)
    expected = design.correlate(target.centred)
    np.testing.assert_allclose(c / size[:, None], expected / size[:, None], atol=1e-11)
    w = np.arange(1.0, P + 1.0)
    np.testing.assert_allclose(found.from_raw(found.to_raw(w))[size != 1], w[size != 1])
    coef = design.to_raw(w)
    np.testing.assert_allclose(found.intercept(coef, 1.0), design.intercept(coef, 1.0))
    index = np.array([5, 1, 6])
    np.testing.assert_array_equal(found.subset(index).gram(), found.gram()[np.ix_(index, index)])
    np.testing.assert_array_equal(found.gram_columns(index), found.gram()[:, index])
    assert np.all(found.norm_bounds() ** 2 >= found.variances * (1 - 1e-15))


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.0])
@pytest.mark.parametrize("solver", ["auto", "cd"])
def test_fits_are_those_of_the_rows(how, l1_ratio, solver):
    X, Y, weight = rows()
    problem = Problem(
        Penalty.build(P, l1_ratio),
        fit_intercept=how["center"],
        standardize=how["standardize"],
        solver=solver,
    )
    whole = problem.bind(X, Y, weight)
    alphas = np.array([1.0, 0.3, 0.01])
    expected = fit_path(whole, alphas)
    found = fit_path(bound(X, Y, weight, problem), alphas)
    size = X.std(axis=0)[:, None]
    np.testing.assert_allclose(found.coefs * size, expected.coefs * size, atol=1e-8)
    np.testing.assert_allclose(found.intercepts, expected.intercepts, atol=1e-6)
    assert found.converged.all()


@pytest.mark.parametrize("factors", [None, np.arange(P) * 0.5])
def test_a_grid_and_a_ridge_of_moments_are_those_of_the_rows(factors):
    X, Y, weight = rows()
    problem = Problem(Penalty.build(P, 0.9, factors), standardize=True)
    whole, part = problem.bind(X, Y, weight), bound(X, Y, weight, problem)
    np.testing.assert_allclose(alpha_grid(part, 5), alpha_grid(whole, 5), rtol=1e-9)
    ridge = Problem(Penalty.build(P, 0.0, factors), alpha_of="sum", standardize=True)
    alphas = np.array([3.0, 0.1])
    expected = fit_path(ridge.bind(X, Y, weight), alphas)
    found = fit_path(bound(X, Y, weight, ridge), alphas)
    size = X.std(axis=0)[:, None]
    np.testing.assert_allclose(found.coefs * size, expected.coefs * size, atol=1e-8)


def test_one_of_several_targets_is_fitted_as_beside_the_others():
    X, Y, weight = rows()
    problem = Problem(Penalty.build(P, 0.5))
    both, alphas = bound(X, Y, weight, problem), np.array([1.0, 0.1])
    whole = fit_path(both, alphas)
    for k in range(2):
        found = fit_path(both.for_target(k), alphas)
        np.testing.assert_array_equal(found.coefs, whole.coefs[k])
        np.testing.assert_array_equal(found.intercepts, whole.intercepts[k])


def test_many_features_and_copies_need_no_rows_either():
    X, Y, weight = rows(p=400)
    X[:, 7] = X[:, 5]
    problem = Problem(Penalty.build(400, 1.0), standardize=True)
    for alphas in (np.array([0.5]), np.array([0.5, 0.2])):
        expected = fit_path(problem.bind(X, Y, weight), alphas)
        found = fit_path(bound(X, Y, weight, problem), alphas)
        predicted, wanted = (np.einsum("ij,kja->kia", X, one.coefs) for one in (found, expected))
        np.testing.assert_allclose(predicted, wanted, atol=1e-5)


def test_features_that_depend_on_each_other_are_not_certified_by_rows():
    X, Y, weight = rows()
    X[:, 1] = X[:, 0] + 1e-9 * X[:, 1]
    problem = Problem(Penalty.build(P, 1.0))
    found = fit_path(bound(X, Y, weight, problem), np.array([1e-12]))
    assert np.isfinite(found.coefs).all()


def test_a_solver_that_needs_rows_is_refused():
    X, Y, weight = rows()
    for solver in ("svd", "lsqr", "cholesky"):
        problem = Problem(Penalty.build(P, 0.0), solver=solver)
        message = f"solver='{solver}' needs the rows of X, of which only moments are left"
        with pytest.raises(ValueError, match=message):
            fit_path(bound(X, Y, weight, problem), np.array([1.0]))


def test_what_needs_rows_says_so():
    design, *_ = MomentsDesign.of(in_blocks(*rows()), N)
    asked = [
        lambda: design.predict(np.ones(P)),
        lambda: design.correlate(np.ones(N)),
        lambda: design.columns(np.arange(2)),
        lambda: design.reweighted(np.ones(N)),
        lambda: design.omega,
        lambda: design.entries(np.arange(2), np.arange(2)),
        lambda: design.n_stored,
        lambda: design.joined(design),
        lambda: design.cross_gram(design),
        lambda: design.equal_columns(np.array([0]), np.array([1]), np.ones(1), 0.0),
    ]
    for ask in asked:
        with pytest.raises(AttributeError, match="has no rows"):
            ask()
    with pytest.raises(AttributeError, match="no attribute 'omeka'"):
        _ = design.omeka
    assert not design.has_rows
    again = pickle.loads(pickle.dumps(design))
    np.testing.assert_array_equal(again.gram(), design.gram())
