"""Correct digits of ridge and least squares, against exact rational arithmetic.

Truth is computed with fractions, twice: from the decimal data as published, and from the doubles
that a program is given, which is all that it can know. How far the two are apart is what rounding
the data costs, however good the solver: eight of Filip's digits.
"""

import csv
import math
import os
import warnings
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.linear_model import Ridge as ScikitLearnRidge

from skreg import Ridge
from skreg.data.build import design_of
from skreg.objective.penalties import Penalty
from skreg.solvers.ridge.closed_form import solve_ridge

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("SKREG_DATA") or ROOT.parent / "shared" / "data") / "nist"
DEGREES = {"filip": 10, "pontius": 2, **{f"wampler{i}": 5 for i in range(1, 6)}}
SETS = ["longley", "norris", "noint1", "noint2", *DEGREES]
ALPHAS = [0, 1e-6, 1.0, 1e3]
# A double has no more; and fewer where alpha / n is rounded before it is used.
ALL, ALL_BUT_ALPHA = 15.9, 15.2


class Problem(NamedTuple):
    """A table of fractions; the intercept is among what is sought where there is one."""

    X: list[list[Fraction]]
    y: list[Fraction]
    fit_intercept: bool

    def rounded(self):
        """As doubles, and the problem that these doubles stand for."""
        X = np.array([[float(value) for value in row] for row in self.X])
        y = np.array([float(value) for value in self.y])
        exact = [[Fraction(value) for value in row] for row in X.tolist()]
        return X, y, Problem(exact, [Fraction(v) for v in y.tolist()], self.fit_intercept)

    def solve(self, alpha):
        """Exact ridge coefficients, without the intercept, and the intercept."""
        first = int(self.fit_intercept)
        A = [[Fraction(1)] * first + row for row in self.X]
        size = len(A[0])
        G = [
            [sum(row[j] * row[k] for row in A) for k in range(size)]
            + [sum(row[j] * y for row, y in zip(A, self.y, strict=True))]
            for j in range(size)
        ]
        for j in range(first, size):
            G[j][j] += Fraction(alpha)
        for j in range(size):  # Gauss and Jordan; G is positive definite, so pivots are too
            for i in range(size):
                if i != j:
                    factor = G[i][j] / G[j][j]
                    G[i] = [a - factor * b for a, b in zip(G[i], G[j], strict=True)]
        solution = [G[j][size] / G[j][j] for j in range(size)]
        return solution[first:], solution[0] if first else Fraction(0)


@cache
def nist(name):
    file = FOLDER / f"{name}.csv"
    if not file.is_file():
        pytest.skip("the NIST sets are not there: set SKREG_DATA to the folder of the data")
    with file.open(encoding="utf-8-sig") as stream:
        rows = [[Fraction(cell) for cell in row] for row in list(csv.reader(stream))[1:]]
    y, X = [row[0] for row in rows], [row[1:] for row in rows]
    if name in DEGREES:
        X = [[row[0] ** k for k in range(1, DEGREES[name] + 1)] for row in X]
    return Problem(X, y, fit_intercept=not name.startswith("noint"))


@cache
def truths(name, alpha):
    """Data as doubles, and the solutions for the decimals and for the doubles."""
    problem = nist(name)
    X, y, given = problem.rounded()
    return X, y, problem.solve(alpha), given.solve(alpha)


def digits(found, truth):
    """The least log relative error over all coefficients."""

    def of_one(value, exact):
        if not math.isfinite(value):
            return -math.inf
        error = abs(Fraction(float(value)) - exact)
        error = error / abs(exact) if exact else error
        return -math.log10(error) if error else math.inf

    return min(of_one(*pair) for pair in zip(np.atleast_1d(found), truth, strict=True))


def by_solver(X, y, alpha, fit_intercept):
    design = design_of(X, center=fit_intercept)
    penalty = Penalty.build(X.shape[1], 0.0)
    fit = solve_ridge(design, y[:, None], penalty, np.array([alpha / len(y)]))
    return fit.coef[:, 0], fit.intercept[0]


def by_estimator(X, y, alpha, fit_intercept):
    model = Ridge(alpha=alpha, fit_intercept=fit_intercept).fit(X, y)
    return model.coef_, model.intercept_


def best_of_scikit_learn(X, y, alpha, fit_intercept, truth):
    models = [
        ScikitLearnRidge(
            alpha=alpha, fit_intercept=fit_intercept, solver=solver, tol=1e-15, max_iter=10_000
        )
        for solver in ("svd", "cholesky", "lsqr", "sparse_cg")
    ]
    if alpha == 0:
        models.append(LinearRegression(fit_intercept=fit_intercept))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return max(digits(model.fit(X, y).coef_, truth) for model in models)


@pytest.mark.parametrize("fit", [by_solver, by_estimator])
@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("name", SETS)
def test_digits_on_the_nist_sets(name, alpha, fit):
    X, y, published, given = truths(name, alpha)
    intercept = nist(name).fit_intercept
    coef, b = fit(X, y, alpha, intercept)
    # All that the doubles determine.
    full = ALL_BUT_ALPHA if alpha else ALL
    assert digits(coef, given[0]) > full
    if intercept:
        assert digits(b, given[1:]) > full
    # Never fewer than scikit-learn's best solver; beyond what the doubles still know of the
    # decimals nobody has digits but by luck.
    known = digits([float(value) for value in given[0]], published[0])
    ours = digits(coef, published[0])
    assert ours >= min(best_of_scikit_learn(X, y, alpha, intercept, published[0]), known)
    best = best_of_scikit_learn(X, y, alpha, intercept, given[0])
    assert digits(coef, given[0]) >= min(best, full)
    if name == "longley":
        assert ours > 14


@pytest.mark.parametrize("fit", [by_solver, by_estimator])
@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize(("degree", "noise"), [(5, 1), (5, 10**5), (8, 100)])
def test_polynomials_of_integers(degree, noise, alpha, fit):
    """Wampler's problems: integer data, coefficients of one, a residual of any size."""
    rng = np.random.default_rng(degree)
    X = [[Fraction(x**k) for k in range(1, degree + 1)] for x in range(21)]
    y = [1 + sum(row) + noise * int(rng.integers(-2400, 2400)) for row in X]
    problem = Problem(X, y, True)
    as_doubles, target, given = problem.rounded()
    assert given == problem  # nothing was rounded
    coef, intercept = fit(as_doubles, target, alpha, True)
    truth, truth_intercept = problem.solve(alpha)
    full = ALL_BUT_ALPHA if alpha else ALL
    assert digits(coef, truth) > full
    assert digits(intercept, [truth_intercept]) > full


def test_hilbert_and_a_large_offset():
    rng = np.random.default_rng(0)
    hilbert = 1.0 / (np.arange(12)[:, None] + np.arange(1, 7))
    offset = 1e6 + rng.normal(size=(15, 3))
    for X in (hilbert, offset, hilbert * 10.0 ** np.arange(-8, 10, 3)):
        y = rng.normal(size=len(X)) + 1e6
        exact = [[Fraction(value) for value in row] for row in X.tolist()]
        problem = Problem(exact, [Fraction(value) for value in y.tolist()], True)
        for alpha in (0, 1e-9, 1.0):
            coef, intercept = by_solver(X, y, alpha, True)
            truth, truth_intercept = problem.solve(alpha)
            assert digits(coef, truth) > ALL_BUT_ALPHA
            assert digits(intercept, [truth_intercept]) > ALL_BUT_ALPHA
