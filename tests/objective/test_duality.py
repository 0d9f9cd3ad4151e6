"""Duality gaps: they bound what is left to gain, and are zero where nothing is."""

import numpy as np
import pytest
from scipy.optimize import minimize

from skreg.objective.duality import correlations_wanted, gap_at, penalty_gaps
from skreg.objective.losses import SquaredError
from skreg.objective.penalties import Penalty

RNG = np.random.default_rng(0)
X = RNG.standard_normal((30, 4))
OMEGA = RNG.dirichlet(np.ones(30))
Y = X @ [1.0, -0.5, 0.0, 0.2] + 0.5 * RNG.standard_normal(30)
PENALTIES = {
    "lasso": Penalty.build(4, 1.0),
    "ridge": Penalty.build(4, 0.0),
    "elastic net": Penalty.build(4, 0.4, factors=[1.0, 2.0, 0.5, 1.0]),
    "in a box": Penalty.build(4, 0.7, lower=-0.1, upper=0.3),
    "positive": Penalty.build(4, 1.0, lower=0.0),
}
each_penalty = pytest.mark.parametrize("penalty", PENALTIES.values(), ids=PENALTIES)


def objective(w, penalty):
    r = Y - X @ w
    return 0.5 * float(OMEGA @ r**2) + float(penalty.value(w).sum())


def minimiser(penalty):
    """In the positive and the negative parts of w, where the objective is smooth."""

    def smooth(parts):
        w = parts[:4] - parts[4:]
        slope = X.T @ (OMEGA * (X @ w - Y)) + penalty.l2 * w
        value = (
            0.5 * OMEGA @ (Y - X @ w) ** 2
            + 0.5 * penalty.l2 @ w**2
            + np.tile(penalty.l1, 2) @ parts
        )
        return value, np.concatenate([slope + penalty.l1, -slope + penalty.l1])

    bounds = [(0, high) for high in penalty.upper] + [(0, -low) for low in penalty.lower]
    options = {"ftol": 1e-15, "gtol": 1e-12, "maxiter": 10_000}
    found = minimize(smooth, np.zeros(8), jac=True, bounds=bounds, options=options).x
    return found[:4] - found[4:]


@each_penalty
def test_the_gap_bounds_what_is_left_to_gain(penalty):
    at = penalty.at(0.1)
    best = minimiser(at)
    least = objective(best, at)
    for size in (1.0, 0.1, 1e-3, 1e-6, 0.0):
        w = np.clip(best + size * RNG.standard_normal(4), at.lower, at.upper)
        r, d = Y - X @ w, size * RNG.standard_normal(30)
        for moved in (np.zeros(30), d):  # the residual itself, and any other point
            q = X.T @ (OMEGA * (r - moved))
            along, length = OMEGA @ (r * moved), OMEGA @ moved**2
            gap = gap_at(w, q, OMEGA @ r**2, at, along, length)
            assert gap >= objective(w, at) - least - 1e-13
            assert gap >= 0
        assert gap_at(w, X.T @ (OMEGA * r), OMEGA @ r**2, at, most=0.5) >= objective(w, at) - least
    assert gap <= 1e-6


def largest_feasible(q, penalty, most):
    """Multiple of q at which all conjugates are finite, by halving [0, most]."""
    if np.isfinite(penalty.conjugate(most * q)).all():
        return most
    low, high = 0.0, most
    for _ in range(60):
        middle = 0.5 * (low + high)
        feasible = np.isfinite(penalty.conjugate(middle * q)).all()
        low, high = (middle, high) if feasible else (low, middle)
    return low


@each_penalty
@pytest.mark.parametrize("most", [1.0, 0.01])
@pytest.mark.parametrize("alpha", [0.1, 10.0])
def test_a_gap_is_what_the_loss_and_the_penalty_add(penalty, alpha, most):
    at, w, loss = penalty.at(alpha), np.array([0.1, -0.05, 0.0, 0.2]), SquaredError()
    w = np.clip(w, at.lower, at.upper)
    r, d = Y - X @ w, 0.3 * RNG.standard_normal(30)
    q = X.T @ (OMEGA * (r - d))
    tau = largest_feasible(q, at, most)
    u = tau * (r - d)
    both = loss.value(X @ w, Y, OMEGA) + loss.conjugate(-u, Y, OMEGA) + OMEGA @ (u * (X @ w))
    expected = both + penalty_gaps(w, tau * q, at).sum()
    found = gap_at(w, q, OMEGA @ r**2, at, OMEGA @ (r * d), OMEGA @ d**2, most)
    assert found == pytest.approx(expected, rel=1e-10)


@each_penalty
def test_many_alphas_at_once(penalty):
    alphas = np.array([0.3, 0.1, 0.01])
    W = 0.1 * np.maximum(RNG.standard_normal((4, 3)), 0.0)
    R = Y[:, None] - X @ W
    Q, rss = X.T @ (OMEGA[:, None] * R), OMEGA @ R**2
    one = [gap_at(W[:, i], Q[:, i], rss[i], penalty.at(alphas[i])) for i in range(3)]
    np.testing.assert_allclose(gap_at(W, Q, rss, penalty.at_each(alphas)), one, rtol=1e-12)


def test_the_correlations_wanted_leave_no_gap():
    at = PENALTIES["elastic net"].at(0.2)
    w, q = np.array([0.3, -0.2, 0.0, 0.0]), np.array([5.0, 5.0, 5.0, 0.001])
    wanted = correlations_wanted(w, q, at)
    np.testing.assert_allclose(penalty_gaps(w, wanted, at), 0, atol=1e-16)
    assert wanted[3] == q[3]


@each_penalty
@pytest.mark.parametrize("alpha", [0.1, 10.0])
def test_the_shares_of_a_gap_are_those_of_fenchel_and_young(penalty, alpha):
    at = penalty.at(alpha)
    for size in (10.0, 1.0, 0.1, 0.0):
        w = np.clip(size * RNG.standard_normal(4), at.lower, at.upper)
        q = np.append(alpha * RNG.standard_normal(3), 0.0)
        expected = at.value(w) + at.conjugate(q) - q * w
        np.testing.assert_allclose(penalty_gaps(w, q, at), expected, rtol=1e-12, atol=1e-13)


def test_a_feature_without_a_squared_part_has_an_infinite_gap_or_its_bound():
    factors, upper = np.array([0.0, 1.0, 0.0, 0.0]), np.array([np.inf, np.inf, 2.0, np.inf])
    at = Penalty.build(4, 0.4, factors, upper=upper).at(1.0)
    w, q = np.array([0.5, 0.5, 0.5, 0.5]), np.array([0.1, 0.1, 0.1, 0.0])
    expected = [np.inf, 0.2 + 0.3 * 0.25 - 0.05, 0.1 * (2.0 - 0.5), 0.0]
    np.testing.assert_allclose(penalty_gaps(w, q, at), expected, rtol=1e-14)
