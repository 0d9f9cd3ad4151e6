"""Rounds on pairs of a feature and a class against a plain solver of the same model."""

import numpy as np
import pytest
from reference import minimise

from skreg.objective.penalties import Penalty
from skreg.solvers.quadratic.class_rounds import ClassRounds


def model(rng, n_features, n_classes, n=60):
    """The Hessian of a multinomial loss, its diagonal raised a little, and a linear term."""
    X = rng.standard_normal((n, n_features))
    p = rng.dirichlet(np.ones(n_classes), n)
    A = (p[:, :, None] * X[:, None, :]).reshape(n, -1)
    G = -A.T @ A / n
    for k in range(n_classes):
        block = slice(k * n_features, (k + 1) * n_features)
        G[block, block] += X.T @ (p[:, k, None] * X) / n
    G[np.diag_indices_from(G)] *= 1 + 1e-7
    r = np.eye(n_classes)[rng.integers(0, n_classes, n)] - p
    return G, (X.T @ r / n).T.ravel()


@pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
@pytest.mark.parametrize("n_classes", [2, 3, 4, 5])
@pytest.mark.parametrize("seed", range(4))
def test_the_minimum_is_that_of_a_plain_solver(seed, n_classes, l1_ratio):
    rng = np.random.default_rng([seed, n_classes])
    gram, c = model(rng, 6, n_classes)
    pairs = np.arange(6 * n_classes)
    penalty = Penalty.build(6, l1_ratio, rng.choice([0.5, 1.0, np.inf], 6))
    each = penalty.take(pairs % 6)
    rounds = ClassRounds(gram, pairs % 6, n_classes, each.movable)
    w = np.zeros(len(c))
    for strength in (0.5, 0.2, 0.1, 0.2):  # each from the last
        alpha = strength * np.abs(c).max()
        found = rounds.solve(c, each.at(alpha), w, np.sign(w), 1.0, 30)
        assert found is not None
        q = c - gram @ found
        assert each.at(alpha).violation(found, q)[each.movable].max(initial=0.0) <= 1e-12
        assert not found[~each.movable].any()
        if l1_ratio < 1.0:  # else a constant over the classes may be free, and sweeps have no end
            expected = minimise(gram, c, each.at(alpha))
            np.testing.assert_allclose(found, expected, atol=1e-9)
        w = found


def test_a_move_along_all_classes_ends_where_the_first_of_them_is_zero():
    """Three of four classes active with one sign: the fourth enters, and one leaves, not three."""
    rng = np.random.default_rng(3)
    gram, c = model(rng, 1, 4)
    penalty = Penalty.build(1, 1.0).take(np.zeros(4, dtype=np.intp))
    start, alpha = np.array([0.3, 0.2, 0.1, 0.0]), 0.1 * np.abs(c).max()
    rounds = ClassRounds(gram, np.zeros(4, dtype=np.intp), 4, np.ones(4, dtype=bool))
    found = rounds.solve(c, penalty.at(alpha), start, np.ones(4), 1.0, 30)
    assert found is not None
    assert penalty.at(alpha).violation(found, c - gram @ found).max() <= 1e-12


def test_none_where_the_rounds_do_not_suffice():
    rng = np.random.default_rng(0)
    gram, c = model(rng, 6, 3)
    penalty = Penalty.build(6, 1.0).take(np.arange(18) % 6).at(0.1 * np.abs(c).max())
    rounds = ClassRounds(gram, np.arange(18) % 6, 3, np.ones(18, dtype=bool))
    assert rounds.solve(c, penalty, np.zeros(18), np.zeros(18), 1.0, 1) is None
