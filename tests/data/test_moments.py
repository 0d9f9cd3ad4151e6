"""Moments add up, whatever the split of the rows and whatever they are about."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

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


@given(
    st.integers(0, 9),
    st.sampled_from([1, 2, 40, 500]),
    st.sampled_from(["csr", "csc"]),
    st.sampled_from([np.float64, np.float32]),
    st.booleans(),
)
def test_sparse_rows_have_the_sums_of_dense_ones(seed, n, form, dtype, about_mean):
    rng = np.random.default_rng(seed)
    X = np.zeros((n, 60))
    X[:, 5:9] = rng.standard_normal((n, 4)) * (rng.random((n, 4)) < 0.3)
    X[:, 11] = 2.0**14 + np.round(rng.standard_normal(n) * 2**6) / 2**6  # in float32 too
    X[:, 12], X[:, 13] = 3.0, rng.random(n) < 0.5
    X = X.astype(dtype).astype(np.float64)
    Y, weight = rng.standard_normal((n, 2)) + 5.0, rng.integers(0, 3, n) * 0.7
    weight[0] = 1.0
    reference = rng.standard_normal(62)
    if about_mean:
        reference = np.append(weight @ X, weight @ Y) / weight.sum()
    stored = sparse.csr_array(X.astype(dtype)).asformat(form)
    found = MomentMatrix.of_rows(stored, Y, reference, weight).S
    wanted = MomentMatrix.of_rows(X, Y, reference, weight).S
    size = np.sqrt(np.outer(wanted.diagonal(), wanted.diagonal()))
    np.testing.assert_array_less(np.abs(found - wanted), 1e-13 * size + 1e-25)
    np.testing.assert_array_equal(found, found.T)


def test_far_columns_of_sparse_rows_keep_their_digits():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((2000, 40)) * (rng.random((2000, 40)) < 0.02)
    X[:, 3] = np.round(rng.standard_normal(2000) * 2**20) / 2**20
    far, Y, weight = X.copy(), rng.standard_normal((2000, 1)), np.ones(2000)
    far[:, 3] += 2.0**27
    zero, reference = np.zeros(41), np.zeros(41)
    reference[3] = 2.0**27
    found = MomentMatrix.of_rows(sparse.csr_array(far), Y, reference, weight).S
    wanted = MomentMatrix.of_rows(X, Y, zero, weight).S
    size = np.sqrt(np.outer(wanted.diagonal(), wanted.diagonal()))
    np.testing.assert_array_less(np.abs(found - wanted), 1e-13 * size + 1e-25)
