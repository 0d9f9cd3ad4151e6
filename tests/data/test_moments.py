"""Moments add up, whatever the split of the rows and whatever they are about."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skreg.data.moments import MomentMatrix


def rows(n, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, 4)) + 3.0, rng.standard_normal((n, 2)), rng.random(n)


def alike(a, b):
    size = np.sqrt(np.outer(b.S.diagonal(), b.S.diagonal()))
    np.testing.assert_allclose(a.S / size, b.S / size, rtol=0, atol=1e-13)
    np.testing.assert_array_equal(a.reference, b.reference)


@given(st.integers(1, 39), st.integers(0, 5))
def test_any_split_of_the_rows_gives_the_whole(cut, seed):
    X, Y, weight = rows(40, seed)
    reference, other = np.full(6, 2.5), np.full(6, -1.0)
    whole = MomentMatrix.of_rows(X, Y, reference, weight)
    first = MomentMatrix.of_rows(X[:cut], Y[:cut], reference, weight[:cut])
    second = MomentMatrix.of_rows(X[cut:], Y[cut:], other, weight[cut:])
    alike(first + second, whole)
    alike((whole - second) + second, whole)
    assert (second + first).reference is second.reference


@pytest.mark.parametrize("place", [0.0, -2.0, 3.0])
def test_moments_move_to_another_reference(place):
    X, Y, weight = rows(30)
    reference = np.full(6, place)
    moved = MomentMatrix.of_rows(X, Y, np.full(6, 1.0), weight).about(reference)
    alike(moved, MomentMatrix.of_rows(X, Y, reference, weight))


def test_errors_are_those_of_the_rows():
    X, Y, weight = rows(30)
    W = np.random.default_rng(1).standard_normal((2, 4, 3))
    b = np.arange(6.0).reshape(2, 3)
    found = MomentMatrix.of_rows(X, Y, np.full(6, 0.5), weight).mean_squared_error(W, b)
    left = Y.T[:, :, None] - (X @ W + b[:, None, :])
    np.testing.assert_allclose(found, weight @ left**2 / weight.sum(), rtol=1e-12)
