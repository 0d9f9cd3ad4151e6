"""Paths on designs that are collinear, far from zero, of all scales, or all of that at once.

Every path ends certified in a bounded number of iterations, or, where it is cut short, with one
warning that states its largest gap; what is certified is checked on the problem in extended
precision (`exact.Problem`).
"""

import csv
import os
import warnings
from pathlib import Path

import numpy as np
import pytest
from exact import Problem
from sklearn.exceptions import ConvergenceWarning

from skreg import ElasticNet, regularization_path

ROOT = Path(__file__).resolve().parents[2]
NIST = Path(os.environ.get("SKREG_DATA") or ROOT.parent / "shared" / "data") / "nist"
DEGREES = {"filip": 10, "pontius": 2, **{f"wampler{i}": 5 for i in range(1, 6)}}
NIST_SETS = ["longley", "norris", "noint1", "noint2", *DEGREES]

TOL = 1e-8
# What is claimed to be nearer than this to the optimum is looked at in extended precision,
CLAIMED = 1e-10
# where that takes no more than a moment.
SMALL = 20_000
N_ALPHAS, LAST = 30, 1e-4
# At one alpha: knots, rounds of Newton's method, iterations of descent. 165 are the most seen.
MOST_ITERATIONS = 300


def twins(distance):
    """Five columns that are all but the same, eight times."""

    def make(rng):
        X = np.repeat(rng.standard_normal((50, 8)), 5, axis=1)
        return X + distance * rng.standard_normal(X.shape)

    return make


KINDS = {
    "plain": lambda rng: rng.standard_normal((60, 20)),
    "wide": lambda rng: rng.standard_normal((20, 60)),
    "very wide": lambda rng: rng.standard_normal((30, 400)),
    "correlated and wide": lambda rng: (
        rng.standard_normal((30, 90)) / 8 + rng.standard_normal((30, 1))
    ),
    "rank 5 of 80": lambda rng: rng.standard_normal((40, 5)) @ rng.standard_normal((5, 80)),
    "duplicates": twins(0.0),
    "duplicates but for 1e-6": twins(1e-6),
    "duplicates but for 1e-9": twins(1e-9),
    "duplicates but for 1e-12": twins(1e-12),
    "one-hot with all levels": lambda rng: np.hstack(
        [np.eye(k)[rng.integers(0, k, 90)] for k in (2, 3, 7, 20)]
    ),
    "one-hot with more levels than rows": lambda rng: np.hstack(
        [np.eye(k)[rng.integers(0, k, 25)] for k in (4, 15, 30)]
    ),
    "powers up to 15": lambda rng: np.vander(np.linspace(-1, 1, 40), 16)[:, :-1],
    "powers up to 15 of positive numbers": lambda rng: np.vander(np.linspace(0, 1, 40), 16)[:, :-1],
    "more powers than rows": lambda rng: np.vander(np.linspace(-1, 1, 12), 31)[:, :-1],
    "random walks": lambda rng: rng.standard_normal((80, 30)).cumsum(axis=0),
}
PLACES = {
    "as it is": lambda X, rng: X,
    "times 1e-6": lambda X, rng: X * 1e-6,
    "times 1e6": lambda X, rng: X * 1e6,
    "columns from 1e-6 to 1e6": lambda X, rng: X * 10.0 ** rng.uniform(-6, 6, X.shape[1]),
    "1e6 from zero": lambda X, rng: X + 1e6,
}


MODELS = [
    {"l1_ratio": l1_ratio, "solver": solver} for l1_ratio in (1.0, 0.5) for solver in ("auto", "cd")
]
MORE_MODELS = [
    {"l1_ratio": l1_ratio, **more}
    for l1_ratio in (1.0, 0.5)
    for more in ({"standardize": True}, {"positive": True})
]


def make(kind, place, target):
    """One of the designs, and what is to be predicted from it."""
    rng = np.random.default_rng(0)
    X = PLACES[place](KINDS[kind](rng), rng)
    spread = np.ptp(X, axis=0)
    y = (X / np.where(spread > 0, spread, 1.0)) @ rng.standard_normal(X.shape[1])
    if target == "noisy":
        y = (y - y.mean()) / y.std() + 0.1 * rng.standard_normal(len(X))
    return X, y


def follow(X, y, model):
    """A path down to a ten-thousandth of alpha_max, and what it warned of."""
    estimator = ElasticNet(**{"tol": TOL, **model})
    top = regularization_path(ElasticNet(**{**model, "tol": 1.0}), X, y, alphas=1).alphas[0]
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        path = regularization_path(estimator, X, y, alphas=np.geomspace(top, LAST * top, N_ALPHAS))
    return path, seen


def exact_gap(X, y, path, i, model):
    shape = {name: value for name, value in model.items() if name not in ("solver", "max_iter")}
    return Problem.of(X, y, path.alphas[i], **shape).gap(path.coefs[:, i])


def check(X, y, models):
    for model in models:
        path, seen = follow(X, y, model)
        assert not seen, model
        assert path.dual_gaps.max() <= TOL, model
        check_claims(X, y, path, model)


def check_claims(X, y, path, model, claimed=CLAIMED):
    assert np.isfinite(path.coefs).all(), model
    assert path.n_iters.max() <= MOST_ITERATIONS, model
    if X.size <= SMALL:
        for i in (N_ALPHAS // 3, 2 * N_ALPHAS // 3, N_ALPHAS - 1):
            if path.dual_gaps[i] <= CLAIMED:
                assert exact_gap(X, y, path, i, model) <= claimed, (model, i)


def check_warning(path, seen):
    """Whether the one warning there is states the largest gap."""
    assert [warning.category for warning in seen] == [ConvergenceWarning]
    assert f"gap of {path.dual_gaps.max():.3e}" in str(seen[0].message)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", KINDS)
def test_paths_to_their_end(kind, place):
    check(*make(kind, place, "noisy"), MODELS + MORE_MODELS)
    check(*make(kind, place, "exact"), MODELS)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", KINDS)
def test_paths_without_an_intercept(kind, place):
    """Columns 1e6 from zero are then parallel but for 1e-6, and float64 may not reach `TOL`."""
    X, y = make(kind, place, "noisy")
    if place != "1e6 from zero":
        check(X, y, [{**model, "fit_intercept": False} for model in MODELS])
        return
    for model in MODELS:
        without = {**model, "fit_intercept": False}
        path, seen = follow(X, y, without)
        if path.dual_gaps.max() > TOL:
            check_warning(path, seen)
        else:
            assert not seen
        # Of the 12 digits between the offset's square and the variance none is left to spare.
        check_claims(X, y, path, without, claimed=TOL)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("place", ["as it is", "1e6 from zero"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_path_that_is_cut_short_warns_once_with_its_largest_gap(kind, place):
    X, y = make(kind, place, "noisy")
    for solver in ("auto", "cd"):
        model = {"l1_ratio": 0.5, "solver": solver, "max_iter": 1}
        path, seen = follow(X, y, model)
        if path.dual_gaps.max() <= TOL:
            assert not seen
            continue
        check_warning(path, seen)
        best, _ = follow(X, y, {**model, "max_iter": 1000})
        for i in range(0, N_ALPHAS, 3):
            problem = Problem.of(X, y, path.alphas[i], 0.5)
            above = problem.objective(path.coefs[:, i]) - problem.objective(best.coefs[:, i])
            assert above <= (path.dual_gaps[i] + 1e-13) * problem.unit


@pytest.mark.parametrize("name", NIST_SETS)
def test_paths_on_the_nist_sets(name):
    file = NIST / f"{name}.csv"
    if not file.is_file():
        pytest.skip("the NIST sets are not there: set SKREG_DATA to the folder of the data")
    with file.open(encoding="utf-8-sig") as stream:
        table = np.array(list(csv.reader(stream))[1:], dtype=float)
    y, X = table[:, 0], table[:, 1:]
    if name in DEGREES:
        X = X[:, :1] ** np.arange(1, DEGREES[name] + 1)
    check(X, y, MODELS + MORE_MODELS)


@pytest.mark.parametrize(
    "name",
    [
        "tecator",  # neighbouring wavelengths, all but the same
        "permeability",  # 780 columns that are copies of others, 38 constant ones
        "chem_manufacturing",
        "ames",  # one-hot with all levels
        "uci_naval",  # rank 14 of 16, far from zero
        "solubility",
        "riboflavin",  # 71 rows, 4088 columns
    ],
)
def test_paths_on_collinear_data(name, shared_data):
    data = shared_data(name)
    X = np.asarray(data["X"] if "X" in data else data["X_train"], dtype=float)
    Y = np.asarray(data["y"] if "y" in data else data["y_train"], dtype=float)
    X = X[:, ~np.isnan(X).any(axis=0)]
    for y in np.atleast_2d(Y.T):
        check(X, y, MODELS)
