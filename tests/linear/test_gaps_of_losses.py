"""The gap that a model of classes or counts reports is never below the true one.

The objective is that of the docstrings, in extended precision and without any code of skreg. Fits
are stopped after few iterations, so that there are gaps to speak of; what a long fit reaches is at
or above the minimum, and the difference at or below the true gap.
"""

import warnings

import numpy as np
import pytest
from block_fits import in_blocks
from scipy import sparse
from sklearn.base import clone

from skreg import (
    GammaRegressor,
    LinearSVC,
    LogisticRegression,
    PoissonRegressor,
    TweedieRegressor,
)
from skreg.objective.losses import Multinomial
from skreg.solvers.newton.group_sums import GroupSums, PassQuery

FAMILIES = ["two", "three", "poisson", "gamma", "tweedie"]
SEEDS = 20  # for each family and block
ROUNDING = 1e-14  # of the objective, in skreg's arithmetic


def problem(family, seed):
    """A model with parameters, and what it is fitted to."""
    rng = np.random.default_rng(seed)
    n, p = int(rng.integers(6, 40)), int(rng.integers(1, 25))
    X = rng.normal(size=(n, p)) * 10.0 ** rng.uniform(-1, 1, p) + rng.normal(size=p)
    if rng.random() < 0.3:
        X[:, -1] = X[:, 0]
    eta = X @ (rng.normal(size=p) * (rng.random(p) < 0.3)) * rng.uniform(0, 0.5)
    mean = np.exp(np.clip(eta, -3, 3))
    y = {
        "two": lambda: (rng.random(n) * (1 + mean) < mean).astype(float),
        "hinge": lambda: (rng.random(n) * (1 + mean) < mean).astype(float),
        "three": lambda: (np.outer(eta, [1, 0, -1]) + rng.gumbel(size=(n, 3))).argmax(axis=1),
        "poisson": lambda: rng.poisson(mean).astype(float),
        "gamma": lambda: rng.gamma(1.5, mean),
        "tweedie": lambda: rng.poisson(mean) * rng.gamma(2.0, size=n),
    }[family]()
    y[: 3 if family == "three" else 2] = range(3 if family == "three" else 2)
    if family == "gamma":
        y = np.maximum(y, 1e-3)
    given = {
        "l1_ratio": float(rng.choice([0.0, 0.5, 1.0])),
        "fit_intercept": bool(rng.random() < 0.8),
        "penalty_factor": rng.choice([0.0, 0.5, 1.0, 3.0], p) if rng.random() < 0.3 else None,
        "lower_bound": float(-rng.exponential()) if rng.random() < 0.2 else None,
        "upper_bound": float(rng.exponential()) if rng.random() < 0.2 else None,
    }
    alpha = 10.0 ** rng.uniform(-4, 0)
    weight = rng.exponential(size=n) * (rng.random(n) < 0.9) if rng.random() < 0.5 else None
    offset = None
    if rng.random() < 0.4:
        offset = rng.normal(size=(n, 3) if family == "three" else n)
    if weight is not None:
        weight[:3] = 1.0
    total = n if weight is None else weight.sum()
    model = {
        "two": lambda: LogisticRegression(C=1 / (alpha * total), **given),
        "three": lambda: LogisticRegression(C=1 / (alpha * total), **given),
        "hinge": lambda: LinearSVC("elasticnet", C=1 / (2 * alpha * total), **given),
        "poisson": lambda: PoissonRegressor(alpha=alpha, **given),
        "gamma": lambda: GammaRegressor(alpha=alpha, **given),
        "tweedie": lambda: TweedieRegressor(alpha=alpha, power=1.5, **given),
    }[family]()
    return model, alpha, X, y, weight, offset, int(rng.integers(1, 4))


def rows_of_loss(family, eta, y):
    """Half the deviance of each row."""
    if family == "two":
        return np.logaddexp(np.longdouble(0), eta) - y * eta
    if family == "hinge":
        return np.maximum(0, 1 - (2 * y - 1) * eta) ** 2 / 2
    if family == "three":
        top = eta.max(axis=1)
        total = top + np.log(np.exp(eta - top[:, None]).sum(axis=1))
        return total - eta[np.arange(len(y)), y.astype(int)]
    mu = np.exp(eta)
    if family == "gamma":
        return y / mu - np.log(y / mu) - 1
    if family == "poisson":
        return mu - y - y * (eta - np.log(np.where(y > 0, y, 1)))
    # Half of 2 (y^(2-p) / ((1-p)(2-p)) - y mu^(1-p) / (1-p) + mu^(2-p) / (2-p)) at p = 1.5.
    return -4 * np.sqrt(y) + 2 * y / np.sqrt(mu) + 2 * np.sqrt(mu)


def mean_loss(family, eta, y, weight):
    shares = np.full(len(y), np.longdouble(1) / len(y))
    if weight is not None:
        shares = weight.astype(np.longdouble) / weight.astype(np.longdouble).sum()
    return (shares * rows_of_loss(family, eta, y.astype(np.longdouble))).sum()


def objective(model, family, alpha, X, y, weight, offset):
    w = np.atleast_2d(model.coef_).astype(np.longdouble)
    eta = X.astype(np.longdouble) @ w.T + np.asarray(model.intercept_, dtype=np.longdouble)
    eta = eta if family == "three" else eta[:, 0]
    if offset is not None:
        eta = eta + offset
    factor = np.ones(X.shape[1]) if model.penalty_factor is None else model.penalty_factor
    share = model.l1_ratio
    penalty = (factor * (share * np.abs(w) + (1 - share) / np.longdouble(2) * w * w)).sum()
    return mean_loss(family, eta, y, weight) + np.longdouble(alpha) * penalty


def quietly(model, *data, **given):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(*data, **given)


def unit_of(model, family, alpha, X, y, weight, offset):
    """The deviance of the null model, the unit of gaps: all coefficients are kept out."""
    null = clone(model).set_params(penalty_factor=np.full(X.shape[1], np.inf))
    quietly(null, X, y, weight, **({} if offset is None else {"offset": offset}))
    null.penalty_factor = None
    assert not null.coef_.any()
    return 2 * objective(null, family, alpha, X, y, weight, offset)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("block", range(3))
def test_no_gap_is_below_the_true_one(block, family):
    known, large = 0, 0
    for seed in range(SEEDS * block, SEEDS * (block + 1)):
        model, alpha, X, y, weight, offset, steps = problem(family, seed)
        kind = sparse.csr_array if seed % 5 == 0 else np.asarray
        data = family, alpha, X, y, weight, offset
        unit = unit_of(model, *data)
        best = min(
            objective(
                quietly(model.set_params(max_iter=m, tol=1e-14), kind(X), y, weight, offset=offset),
                *data,
            )
            for m in (100, 300)
        )
        for m in (1, steps, 100):
            quietly(model.set_params(max_iter=m, tol=1e-9), kind(X), y, weight, offset=offset)
            reached = objective(model, *data)
            least = float(reached - best) - ROUNDING * float(abs(reached) + unit)
            assert model.dual_gap_ * unit * (1 + 1e-9) >= least, (seed, m)
            known += bool(np.isfinite(model.dual_gap_))
            large += float(reached - best) > 1e-6 * unit
    assert known > 2.5 * SEEDS
    assert large > 0.2 * SEEDS


@pytest.mark.one_in(5)
@pytest.mark.parametrize("family", [*FAMILIES, "hinge"])
@pytest.mark.parametrize("block", range(4))
def test_no_gap_of_a_fit_to_blocks_is_below_the_true_one(block, family):
    known, large, each = 0, 0, SEEDS // 4
    for seed in range(each * block, each * (block + 1)):
        model, alpha, X, y, weight, _, _ = problem(family, seed)
        weight = np.ones(len(y)) if weight is None else weight
        data = family, alpha, X, y, weight, None
        unit, rows = unit_of(model, *data), in_blocks(X, y, weight, cuts=[3, len(y) // 2])
        best = objective(quietly(model.set_params(max_iter=300, tol=1e-14), X, y, weight), *data)
        for m in range(1, 6):
            quietly(model.set_params(max_iter=m, tol=1e-9), rows)
            reached = objective(model, *data)
            least = float(reached - best) - ROUNDING * float(abs(reached) + unit)
            assert model.dual_gap_ * unit * (1 + 1e-9) >= least, (seed, m)
            known += bool(np.isfinite(model.dual_gap_))
            large += float(reached - best) > 1e-6 * unit
    assert known > 4 * each
    assert large > each


def test_probabilities_below_the_range_of_numbers_have_their_logarithms():
    """The gap of classes at a point of a pass is made of the sums of these."""
    X, weight = np.array([[1.0], [2.0]]), np.array([1.0, 3.0])
    W, none = np.array([[[1000.0], [0.0], [-1000.0]]]), np.zeros(1, dtype=np.intp)
    query = PassQuery(W, np.zeros((1, 3)), none, none[:0])
    sums = GroupSums.empty(query, 1)
    sums.add(query, Multinomial(), X, np.eye(3)[:2], weight, np.zeros(2, np.intp), np.zeros(1))
    np.testing.assert_array_equal(sums.bends[0, 0], [0.0, -7000.0, -14000.0])
