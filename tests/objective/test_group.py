"""The penalty of rows against brute force: prox, conjugate, violation, the largest alpha."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from skreg.objective.duality import gap_of_rows
from skreg.objective.group import GroupPenalty, ScaledGroupPenalty
from skreg.objective.penalties import Penalty

STRENGTH = st.sampled_from([0.0, 1e-3, 0.5, 1.0, 7.0])
ROW = st.lists(st.floats(-20, 20), min_size=3, max_size=3).map(lambda row: np.array([row]))


@st.composite
def scaled_penalties(draw):
    """The penalty of one feature, which may be excluded."""
    bound = draw(st.sampled_from([np.inf, np.inf, 0.0]))
    l1, l2, upper = (np.array([value]) for value in (draw(STRENGTH), draw(STRENGTH), bound))
    return ScaledGroupPenalty(l1, l2, -upper, upper)


def along(direction, reach):
    """Multiples of a unit row, dense where the kink is."""
    size = np.concatenate([np.linspace(0, reach, 4001), np.geomspace(1e-6, 1, 200) * reach])
    unit = direction / max(np.linalg.norm(direction), 1e-300)
    return size[:, None] * unit


@given(scaled_penalties(), ROW, st.sampled_from([0.0, 0.2, 1.0, 30.0]))
def test_prox_is_the_minimum(penalty, z, curvature):
    """Of all rows, of which by symmetry the best is one along z."""
    found = penalty.prox(z, np.array([curvature]))
    total = curvature + penalty.l2[0]
    if total == 0 or not penalty.movable[0]:
        assert not found.any()
        return

    def objective(w):
        w = np.reshape(w, (1, -1))
        size = np.linalg.norm(w)
        linear = penalty.l1[0] * size + 0.5 * penalty.l2[0] * size**2
        return float(0.5 * curvature * size**2 - (z * w).sum() + linear)

    best = objective(found)
    slack = 1e-12 * (1 + float((z * z).sum()) / total)
    for w in along(z, 1.0 + 2 * np.linalg.norm(z) / total)[::20]:
        assert best <= objective(w) + slack
    near = (
        found
        + np.random.default_rng(0).standard_normal((50, 3)) * np.geomspace(1, 1e-6, 50)[:, None]
    )
    assert all(best <= objective(w) + slack for w in near)


@given(scaled_penalties(), ROW)
def test_conjugate_is_the_largest_value(penalty, q):
    (found,) = penalty.conjugate(q)
    if not penalty.movable[0]:
        assert found == 0
        return
    rows = along(q, 1e4)
    size = np.linalg.norm(rows, axis=1)
    values = rows @ q[0] - penalty.l1[0] * size - 0.5 * penalty.l2[0] * size**2
    brute = max(float(values.max()), 0.0)
    assert found >= brute - 1e-9 * (1 + brute)
    if np.isfinite(found):
        excess = max(np.linalg.norm(q) - penalty.l1[0], 0.0)
        w = excess / (penalty.l2[0] or 1.0) * q / max(np.linalg.norm(q), 1e-300)
        reached = float((w * q).sum() - penalty.value(w)[0])
        assert found == pytest.approx(max(reached, 0.0), rel=1e-9, abs=1e-12)
    else:
        assert np.linalg.norm(q) > penalty.l1[0]
        assert penalty.l2[0] == 0


@given(scaled_penalties(), ROW, ROW)
def test_fenchel_young(penalty, q, w):
    w = w * penalty.movable[0]
    total = float(penalty.value(w)[0] + penalty.conjugate(q)[0] - (q * w).sum())
    assert total >= -1e-11 * (1 + (q * q).sum() + (w * w).sum())
    (gap,) = penalty.gaps(w, q)
    assert gap >= 0
    if np.isfinite(total):
        assert gap == pytest.approx(max(total, 0.0), rel=1e-9, abs=1e-9 * (1 + (q * w).sum() ** 2))
    else:
        assert gap == np.inf


@given(scaled_penalties(), ROW, st.sampled_from([0.2, 1.0, 30.0]))
def test_the_prox_satisfies_the_kkt_conditions(penalty, z, curvature):
    w = penalty.prox(z, np.array([curvature]))
    size = 1 + np.linalg.norm(z) + penalty.l1[0]
    assert penalty.violation(w, z - curvature * w)[0] <= 1e-12 * size


@given(scaled_penalties(), ROW, ROW)
def test_no_violation_is_where_fenchel_and_young_are_equal(penalty, q, w):
    w = w * penalty.movable[0]
    wanted = penalty.wanted(w, q)
    assert penalty.violation(w, wanted)[0] <= 1e-12 * (1 + np.linalg.norm(wanted))
    (violation,) = penalty.violation(w, q)
    (gap,) = penalty.gaps(w, q)
    if violation == 0.0:
        assert gap <= 1e-6 * (1 + np.linalg.norm(w))
    elif np.linalg.norm(w) > 1e-3 and violation > 1e-3:
        assert gap > 0


@given(
    st.integers(1, 6),
    st.integers(1, 4),
    st.sampled_from([1.0, 0.5, 1e-3]),
    st.integers(0, 2**32 - 1),
)
def test_alpha_max_is_the_exact_boundary(n_features, n_targets, l1_ratio, seed):
    rng = np.random.default_rng(seed)
    factors = rng.choice([0.0, 0.5, 1.0, 3.0, np.inf], n_features)
    assume(np.any((factors > 0) & np.isfinite(factors)))
    penalty = GroupPenalty.build(n_features, l1_ratio, factors)
    q = rng.standard_normal((n_features, n_targets))
    q[factors == 0] = 0.0
    alpha, nothing = penalty.alpha_max(q), np.zeros_like(q)
    above, below = penalty.at(alpha * (1 + 1e-12)), penalty.at(alpha * (1 - 1e-12))
    assert not above.violation(nothing, q).any()
    assert below.violation(nothing, q).any()


def test_at_each_has_alphas_first_and_one_gap_each():
    rng = np.random.default_rng(0)
    penalty = GroupPenalty.build(4, 0.6, np.array([1.0, 2.0, 0.5, np.inf]))
    alphas = np.array([3.0, 0.7])
    W, Q = rng.standard_normal((2, 2, 4, 3))
    W[:, 3] = 0.0
    together, rss = penalty.at_each(alphas), np.array([1.5, 0.5])
    for i, alpha in enumerate(alphas):
        one = penalty.at(alpha)
        np.testing.assert_array_equal(together.l1[i], one.l1)
        assert gap_of_rows(W, Q, rss, together)[i] == pytest.approx(
            float(gap_of_rows(W[i], Q[i], rss[i], one))
        )


def test_one_target_and_no_l1_part_couple_nothing():
    penalty = GroupPenalty.build(3, 0.5)
    assert penalty.for_targets(2) is penalty
    assert type(penalty.for_targets(1)) is Penalty
    assert type(GroupPenalty.build(3, 0.0).for_targets(2)) is Penalty
    assert type(penalty.take(np.array([0, 2]))) is GroupPenalty
    assert not penalty.at(0.0).couples_targets
    assert penalty.at(1.0).couples_targets
