"""Two thousand random degenerate designs: no loop, and no certificate that is not true.

Ranks, copies, ties, scales from 1e-6 to 1e6, offsets of 1e6 that leave a copy only nearly a copy,
constant columns, rows of weight zero, factors of zero and infinity, bounds. Each path ends after
a bounded number of steps; where it says that it is optimal, the problem as mathematics
(`exact.Problem`) agrees, and where it does not say so, one warning states the gap.
"""

import warnings

import numpy as np
import pytest
from exact import Problem
from random_designs import random_design
from sklearn.exceptions import ConvergenceWarning

from skreg import ElasticNet, regularization_path

KINDS = ["plain", "low rank", "copies", "one-hot", "integers", "correlated"]
N_ALPHAS = 10
# Iterations or knots for each feature, plus as many again for a path over few of them.
MOST_STEPS = 30


def degenerate(seed):
    """A design, a target, weights and the parameters of a model."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(4, 60))
    p = int(rng.integers(1, n + 1 if rng.random() < 0.7 else 2 * n))
    X = random_design(KINDS[seed % len(KINDS)], n, p, rng)
    if rng.random() < 0.3:
        X = X * 10.0 ** rng.uniform(-6, 6, p)
    if rng.random() < 0.2:
        X = X + 1e6
    if rng.random() < 0.2:
        X[:, rng.integers(p)] = 1.0
    largest = np.abs(X).max()
    y = rng.standard_normal(n) if rng.random() < 0.5 else X.sum(axis=1) / (largest or 1.0)
    shape = {
        "l1_ratio": float(rng.choice([1.0, 1.0, 0.5])),
        "standardize": bool(rng.random() < 0.3),
        "fit_intercept": bool(rng.random() < 0.7),
    }
    if rng.random() < 0.3:
        shape["penalty_factor"] = rng.choice([0, 0.5, 1, 2, np.inf], p)
    bounded = rng.random()
    if bounded < 0.2:
        shape["positive"] = True
    elif bounded < 0.4 and "penalty_factor" not in shape:
        size = np.abs(y).max() / np.maximum(np.abs(X).max(axis=0), 1e-100)
        shape["lower_bound"] = -size * rng.choice([0, 0.01, 0.3], p)
        shape["upper_bound"] = size * rng.choice([0.01, 0.3], p)
    weight = None if rng.random() < 0.7 else rng.integers(0, 3, n).astype(float)
    if weight is not None:
        weight[0] += 1
    return X, y, weight, shape


def all_but_parallel(X, shape):
    """Columns 1e6 from zero without an intercept: too much even for extended precision's gap."""
    spread = X.std(axis=0)
    far = (spread > 0) & (np.abs(X.mean(axis=0)) > 1e4 * spread)
    return not shape["fit_intercept"] and bool(far.any())


def excess(problem, path, i, X, y, weight, shape):
    """How far the objective is above that of coordinate descent, over the unit."""
    other = ElasticNet(solver="cd", precompute=True, tol=1.0, **shape)
    found = regularization_path(other, X, y, alphas=path.alphas, sample_weight=weight)
    ours, theirs = (problem.objective(each.coefs[:, i]) for each in (path, found))
    return float((ours - theirs) / problem.unit)


@pytest.mark.one_in(5)
@pytest.mark.parametrize("hundred", range(20))
def test_paths_end_and_tell_the_truth(hundred):
    for seed in range(100 * hundred, 100 * (hundred + 1)):
        X, y, weight, shape = degenerate(seed)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            path = regularization_path(
                ElasticNet(tol=1e-8, **shape), X, y, alphas=N_ALPHAS, sample_weight=weight
            )
        assert path.n_iters.max() <= MOST_STEPS * (X.shape[1] + 1), seed
        worst = path.dual_gaps.max()
        stated = [str(w.message) for w in caught if w.category is ConvergenceWarning]
        assert len(caught) == len(stated) == int(worst > 1e-8), seed
        assert not stated or f"{worst:.3e}" in stated[0], seed
        for i in (2, 5, 9):
            if path.dual_gaps[i] <= 1e-10:
                problem = Problem.of(X, y, path.alphas[i], sample_weight=weight, **shape)
                if all_but_parallel(X, shape):
                    assert excess(problem, path, i, X, y, weight, shape) <= 1e-8, (seed, i)
                else:
                    assert problem.gap(path.coefs[:, i]) <= 1e-8, (seed, i)
