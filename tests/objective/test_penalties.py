"""Penalties against brute force: the prox, the conjugate, the largest alpha of interest."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skreg.objective.penalties import Penalty, ScaledPenalty

STRENGTH = st.sampled_from([0.0, 1e-3, 0.5, 1.0, 7.0])
BOUND = st.sampled_from([0.0, 0.3, 2.0, np.inf])
NUMBER = st.floats(-20, 20)


@st.composite
def scaled_penalties(draw):
    """The penalty of one feature."""
    values = (draw(STRENGTH), draw(STRENGTH), -draw(BOUND), draw(BOUND))
    return ScaledPenalty(*(np.array([v]) for v in values))


def candidates(penalty, reach):
    """Points of the box, its ends included, dense where the kink is."""
    low, high = max(-reach, penalty.lower[0]), min(reach, penalty.upper[0])
    grid = np.concatenate([np.linspace(low, high, 2001), np.linspace(-1, 1, 2001) * 1e-2, [0.0]])
    return np.clip(grid, low, high)


@given(scaled_penalties(), NUMBER, st.sampled_from([0.0, 0.2, 1.0, 30.0]))
def test_prox_is_the_minimum(penalty, z, curvature):
    (w,) = penalty.prox(np.array([z]), np.array([curvature]))
    assert penalty.lower[0] <= w <= penalty.upper[0]
    if curvature + penalty.l2[0] == 0:
        assert w == 0
        return
    grid = candidates(penalty, 1.0 + 2 * abs(z) / (curvature + penalty.l2[0]))

    def objective(x):
        return curvature / 2 * x * x - z * x + penalty.value(x)

    assert objective(w) <= objective(grid).min() + 1e-12 * (1 + z * z)


@given(scaled_penalties(), NUMBER)
def test_conjugate_is_the_largest_value(penalty, q):
    (found,) = penalty.conjugate(np.array([q]))
    grid = candidates(penalty, 1e5)
    brute = (q * grid - penalty.value(grid)).max()
    assert found >= brute - 1e-9 * (1 + abs(brute))
    if np.isinf(found):
        assert brute > 0  # and grows without end
        assert penalty.unbounded(np.array([q]))[0]
        assert abs(q) > penalty.l1[0]
    else:
        best = np.clip(
            np.sign(q) * max(abs(q) - penalty.l1[0], 0) / (penalty.l2[0] or 1e-300),
            penalty.lower[0],
            penalty.upper[0],
        )
        best = np.nan_to_num(best, posinf=0.0, neginf=0.0)
        assert found == pytest.approx(max(brute, q * best - penalty.value(best)[0]), rel=1e-9)


@given(scaled_penalties(), NUMBER)
def test_violation_at_zero(penalty, q):
    q = np.array([q])
    np.testing.assert_array_equal(penalty.violation_at_zero(q), penalty.violation(np.zeros(1), q))


@given(scaled_penalties(), NUMBER, NUMBER)
def test_fenchel_young(penalty, q, w):
    w = np.clip(w, penalty.lower, penalty.upper)
    total = penalty.value(w) + penalty.conjugate(np.array([q])) - q * w
    assert total[0] >= -1e-12 * (1 + q * q)


@given(scaled_penalties(), NUMBER, st.sampled_from([0.2, 1.0, 30.0]))
def test_the_prox_satisfies_the_kkt_conditions(penalty, z, curvature):
    z, curvature = np.array([z]), np.array([curvature])
    w = penalty.prox(z, curvature)
    assert penalty.violation(w, z - curvature * w)[0] <= 1e-13 * (1 + abs(z[0]) + penalty.l1[0])


@given(scaled_penalties(), NUMBER, st.sampled_from([-20.0, -0.3, -0.1, 0.0, 0.1, 2.0, 20.0]))
def test_no_violation_is_where_fenchel_and_young_are_equal(penalty, q, w):
    """And where there is one, a step against it gains what it promises."""
    q, w = np.array([q]), np.clip([w], penalty.lower, penalty.upper)
    left = float(penalty.value(w)[0] + penalty.conjugate(q)[0] - q[0] * w[0])
    (violation,) = penalty.violation(w, q)
    if violation == 0.0:
        assert left <= 1e-12 * (1 + q[0] ** 2 + w[0] ** 2)
        return
    step = 1e-7 * (1 if q[0] > penalty.slopes(w)[1][0] else -1)
    moved = np.clip(w + step, penalty.lower, penalty.upper)
    gain = float(((q * moved - penalty.value(moved)) - (q * w - penalty.value(w)))[0])
    most = violation * abs(step)
    slack = 1e-14 * (1 + 8 * penalty.l2[0]) * (1 + abs(q[0] * w[0]) + w[0] ** 2)
    assert gain <= most + slack
    if violation > 1e-5 and abs(moved - w)[0] == pytest.approx(1e-7):
        assert gain >= 0.5 * most - slack
        assert left > 0


@given(scaled_penalties(), NUMBER)
def test_slopes_are_those_of_the_value(penalty, w):
    w = np.clip([w], penalty.lower, penalty.upper)
    low, high = penalty.slopes(w)
    for step, slope in ((-1e-6, low), (1e-6, high)):
        if np.isinf(slope[0]):
            assert w[0] == (penalty.lower if step < 0 else penalty.upper)[0]
        elif np.sign(w + step) == np.sign(w) or w == 0:
            rise = float((penalty.value(w + step) - penalty.value(w))[0] / step)
            assert rise == pytest.approx(slope[0], rel=1e-5, abs=1e-5)


def test_at_scales_both_parts():
    penalty = Penalty.build(3, 0.25, factors=np.array([1.0, 0.0, np.inf]))
    scaled = penalty.at(8.0)
    np.testing.assert_array_equal(scaled.l1, [2.0, 0.0, 0.0])
    np.testing.assert_array_equal(scaled.l2, [6.0, 0.0, 0.0])
    np.testing.assert_array_equal(scaled.lower, [-np.inf, -np.inf, 0.0])
    np.testing.assert_array_equal(scaled.upper, [np.inf, np.inf, 0.0])
    assert scaled.take(np.array([1])).l1.shape == (1,)


def test_an_infinite_factor_excludes_even_with_bounds():
    penalty = Penalty.build(2, 1.0, np.array([np.inf, 1.0]), lower=-1.0, upper=2.0)
    assert penalty.upper[0] == penalty.lower[0] == 0.0
    np.testing.assert_array_equal(penalty.free, [False, False])


def test_free_features_are_neither_penalised_nor_excluded():
    penalty = Penalty.build(3, 1.0, np.array([0.0, np.inf, 1.0]))
    np.testing.assert_array_equal(penalty.free, [True, False, False])


@pytest.mark.parametrize(
    ("bounds", "bounded"),
    [((None, None), False), ((0.0, None), True), ((None, 1.0), True), ((0.0, 0.0), False)],
)
def test_has_bounds(bounds, bounded):
    penalty = Penalty.build(2, 1.0, None, *bounds)
    assert penalty.has_bounds is bounded
    assert penalty.at(1.0).has_bounds is bounded


def test_what_a_penalty_holds_still_and_what_it_takes():
    penalty = Penalty.build(3, 0.5, np.array([1.0, np.inf, 0.0]), upper=2.0)
    for shape in (penalty, penalty.at(1.0)):
        np.testing.assert_array_equal(shape.movable, [True, False, True])
        np.testing.assert_array_equal(shape.clip(np.full((2, 3), 5.0)), [[2.0, 0.0, 2.0]] * 2)
    assert penalty.at(1.0).has_l1
    assert not penalty.at(1.0).vanishes
    assert not Penalty.build(3, 0.0).at(1.0).has_l1
    assert Penalty.build(3, 0.5).at(0.0).vanishes


def test_bounds_survive_a_change_of_units_and_of_type():
    own = Penalty.build(2, 1.0, None, lower=-0.1, upper=0.3)
    scaled = own.with_units(np.array([3.0, 7.0]))
    w = np.array([scaled.lower, scaled.upper, [0.0, 1.0]])
    raw = own.in_units(w, w / [3.0, 7.0] * (1 + 1e-15), scaled)
    np.testing.assert_array_equal(raw[:2], [own.lower, own.upper])
    narrow = own.in_type(raw, np.float32)
    assert narrow.dtype == np.float32
    assert np.all(narrow.astype(float) >= own.lower)
    assert np.all(narrow.astype(float) <= own.upper)
    assert own.in_type(raw, np.float64) is raw


def test_units_move_bounds_and_nothing_else():
    penalty = Penalty.build(4, 0.5, None, np.array([-1.0, -np.inf, -1.0, 0.0]), 2.0)
    moved = penalty.with_units(np.array([10.0, 0.0, 0.0, 10.0]))
    np.testing.assert_array_equal(moved.lower, [-10.0, -np.inf, 0.0, 0.0])
    np.testing.assert_array_equal(moved.upper, [20.0, 0.0, 0.0, 20.0])
    assert penalty.with_units(None) is penalty


def test_penalties_are_frozen_and_keep_no_reference_to_the_users_factors():
    factors = np.ones(2)
    penalty = Penalty.build(2, 1.0, factors)
    factors[0] = 5.0
    assert penalty.factors[0] == 1.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        penalty.l1_ratio = 0.5


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 1e-2])
def test_alpha_max_is_where_the_prox_of_all_features_becomes_zero(l1_ratio):
    rng = np.random.default_rng(0)
    q = rng.standard_normal(6)
    q[:2] = [9.0, -9.0]  # the largest, but one is excluded and one may not be negative
    factors = np.array([np.inf, 1.0, 0.5, 2.0, 1.0, 0.0])
    penalty = Penalty.build(6, l1_ratio, factors, lower=np.array([-1, 0, -1, -1, -1, -1.0]))
    top = penalty.alpha_max(q)

    def largest(alpha):
        moved = penalty.at(alpha).prox(q, np.ones(6))
        return np.abs(moved[factors > 0]).max()

    assert largest(top * (1 + 1e-12)) == 0.0
    assert largest(top * (1 - 1e-9)) > 0.0
    penalised = factors > 0
    for alpha, optimal in ((top * (1 + 1e-12), True), (top * (1 - 1e-9), False)):
        violation = penalty.at(alpha).violation(np.zeros(6), q)[penalised]
        assert bool(violation.any()) is not optimal


def test_alpha_max_of_several_targets_is_the_largest():
    q = np.array([[1.0, -5.0], [3.0, 0.0]])
    assert Penalty.build(2, 1.0).alpha_max(q) == 5.0
    assert Penalty.build(2, 1.0, lower=0.0).alpha_max(q) == 3.0


def test_alpha_max_where_nothing_can_move():
    assert Penalty.build(2, 1.0, np.array([np.inf, 0.0])).alpha_max(np.ones(2)) == 0.0


def test_penalties_of_all_features_alike_are_made_once():
    assert Penalty.build(3, 1.0, lower=0.0) is Penalty.build(3, 1.0, lower=0.0)
    assert Penalty.build(3, 1.0, lower=0.0) is not Penalty.build(3, 1.0)
    with pytest.raises(ValueError, match="read-only"):
        Penalty.build(3, 1.0, lower=0.0).lower[0] = 1.0


def test_the_least_factor_of_a_feature_with_a_bound():
    factors, zero = np.array([0.5, 2.0, np.inf]), np.array([-np.inf, 0.0, 0.0])
    assert Penalty.build(3, 1.0, factors).least_bounded == np.inf
    assert Penalty.build(3, 1.0, factors, lower=zero).least_bounded == 2.0
    assert Penalty.build(3, 1.0, factors, lower=0.0).least_bounded == 0.5
    assert Penalty.build(3, 1.0, factors, lower=0.0, upper=1.0).least_bounded == 0.0
