"""Concave penalties against their definitions: integrals of their slopes, and what they touch."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate

from skreg.objective.nonconvex import MCP, SCAD, ConcavePenalty
from skreg.objective.penalties import Penalty

SHAPES = st.one_of(
    st.floats(1.01, 100).map(MCP),
    st.floats(2.01, 100).map(SCAD),
)
STRENGTH = st.floats(0.01, 10)
NUMBER = st.floats(-50, 50)


def slope(shape, t, l1):
    """As the papers have it."""
    if isinstance(shape, MCP):
        return max(l1 - t / shape.a, 0.0)
    return l1 if t <= l1 else max(shape.a * l1 - t, 0.0) / (shape.a - 1)


@given(SHAPES, STRENGTH, st.just(0.0) | st.floats(1e-6, 50))
def test_values_are_integrals_of_slopes(shape, l1, t):
    knots = [knot for knot in (l1, shape.a * l1) if knot < t]
    expected, _ = integrate.quad(lambda s: slope(shape, s, l1), 0.0, t, points=knots or None)
    found = shape.value(np.array([t]), np.array([l1]))[0]
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-9)
    assert shape.slope(np.array([t]), np.array([l1]))[0] == pytest.approx(
        slope(shape, t, l1), rel=1e-12, abs=1e-12 * l1
    )


@given(SHAPES, STRENGTH, st.floats(0, 50), st.floats(-1e-4, 1e-4))
def test_slopes_bend_as_their_piece_says(shape, l1, t, step):
    t, l1 = np.array([t]), np.array([l1])
    piece = shape.piece(t, l1)
    moved = np.maximum(t + step, 0.0)
    if shape.piece(moved, l1) == piece:
        fallen = shape.slope(t, l1) - shape.slope(moved, l1)
        np.testing.assert_allclose(fallen, shape.bends[piece] * (moved - t), atol=1e-12)


def penalty_of(shape, l1_ratio, units=1.0):
    penalty = ConcavePenalty.of(Penalty.build(1, l1_ratio, np.array([1.5])), shape)
    return penalty if units == 1.0 else penalty.measured_in(np.array([units]))


@given(SHAPES, STRENGTH, st.sampled_from([0.5, 1.0]), NUMBER, NUMBER)
def test_the_touching_penalty_is_nowhere_below(shape, alpha, l1_ratio, w, other):
    concave = penalty_of(shape, l1_ratio).concave_at(alpha)
    w, other = np.array([w]), np.array([other])
    touching = concave.touching(w)
    lifted = concave.value(w) - touching.value(w)
    assert (touching.value(other) + lifted >= concave.value(other) - 1e-9 * alpha).all()


@given(SHAPES, STRENGTH, st.sampled_from([0.5, 1.0]), NUMBER)
def test_weights_are_shares_of_the_factors(shape, alpha, l1_ratio, w):
    penalty, w = penalty_of(shape, l1_ratio), np.array([w])
    concave = penalty.concave_at(alpha)
    share = concave.shares(w)
    weighted = penalty.weighted(share).at(alpha)
    np.testing.assert_allclose(weighted.l1, concave.touching(w).l1, atol=1e-15 * alpha)
    np.testing.assert_allclose(weighted.l2, concave.convex.l2)


@given(SHAPES, STRENGTH, NUMBER, st.sampled_from([2.0**-40, 4.0, 2.0**80]))
def test_units_change_no_problem(shape, alpha, w, unit):
    """``w = v / sqrt(unit)`` and its L1 part ``l1 = sqrt(unit) l1'`` are the same penalty."""
    root = np.sqrt(unit)
    here = penalty_of(shape, 1.0).concave_at(alpha)
    there = penalty_of(shape, 1.0, unit).concave_at(alpha / root)
    w = np.array([w])
    np.testing.assert_allclose(there.value(w * root), here.value(w), rtol=1e-12)
    np.testing.assert_allclose(there.slope(w * root) * root, here.slope(w), rtol=1e-9, atol=1e-12)


def test_the_parts_of_some_features():
    penalty = ConcavePenalty.of(Penalty.build(3, 0.5, np.array([1.0, 2.0, 0.0])), SCAD(3.0))
    part = penalty.measured_in(np.array([1.0, 4.0, 9.0])).take(np.array([1, 2]))
    np.testing.assert_array_equal(part.factors, [2.0, 0.0])
    np.testing.assert_array_equal(part.units, [4.0, 9.0])
    assert type(part.convex) is Penalty
    assert part.shape == SCAD(3.0)
