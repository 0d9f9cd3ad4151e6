"""Convolution and pooling against naive loops, their gradients against differences."""

import itertools

import numpy as np
import pytest
from differences import agree

from skreg.neural.engine import conv
from skreg.neural.engine.conv import Conv2D
from skreg.neural.engine.images import ChannelDropout, ConvStages, Flatten, ToPixels
from skreg.neural.engine.pooling import AveragePool2D, MaxPool2D

N = 3


def draw(*shape, seed=0, dtype=float):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def pixels(images):
    """Images of shape (n, h, w, c) as the layers have them."""
    return images.transpose(1, 0, 2, 3).reshape(-1, images.shape[3])


def images(matrix, shape):
    h, w, c = shape
    return matrix.reshape(h, -1, w, c).transpose(1, 0, 2, 3)


def convolution(shape, kernel, padding="same", stride=1, n_out=2, dtype=float):
    size = kernel[0] * kernel[1] * shape[2]
    parameters = draw(size, n_out, dtype=dtype), draw(n_out, seed=1, dtype=dtype)
    slopes = [np.full_like(each, np.nan) for each in parameters]
    return Conv2D(shape, kernel, *parameters, *slopes, padding=padding, stride=stride)


def naive_convolution(x, layer, kernel, padding, stride):
    n, c = len(x), x.shape[3]
    rows, columns = kernel
    weight = layer.weight.reshape(rows, columns, c, -1)
    if padding == "same":
        top, left = (rows - 1) // 2, (columns - 1) // 2
        x = np.pad(x, [(0, 0), (top, rows - 1 - top), (left, columns - 1 - left), (0, 0)])
    h_out, w_out = (x.shape[1] - rows) // stride + 1, (x.shape[2] - columns) // stride + 1
    out = np.empty((n, h_out, w_out, weight.shape[3]))
    for i, j in np.ndindex(h_out, w_out):
        patch = x[:, stride * i : stride * i + rows, stride * j : stride * j + columns]
        out[:, i, j] = np.einsum("nijc,ijco->no", patch, weight) + layer.bias
    return out


def naive_pooling(x, size, function):
    n, h, w, c = x.shape
    out = np.empty((n, h // size[0], w // size[1], c))
    for i, j in np.ndindex(out.shape[1:3]):
        rows = slice(i * size[0], (i + 1) * size[0])
        out[:, i, j] = function(x[:, rows, j * size[1] : (j + 1) * size[1]], axis=(1, 2))
    return out


CONVOLUTIONS = [
    (shape, kernel, padding, stride)
    for shape, kernel, padding, stride in itertools.product(
        [(5, 5, 1), (4, 7, 2), (1, 6, 3), (2, 2, 2)],
        [(1, 1), (3, 3), (2, 4), (5, 5), (1, 3)],
        ["same", "valid"],
        [1, 2, 3],
    )
    if padding == "same" or (kernel[0] <= shape[0] and kernel[1] <= shape[1])
]
POOLS = list(itertools.product([(4, 4, 1), (5, 7, 2), (1, 6, 3)], [(1, 1), (2, 2), (1, 3), (3, 2)]))
POOLS = [(shape, size) for shape, size in POOLS if size[0] <= shape[0]]


@pytest.mark.one_in(7)
@pytest.mark.parametrize("small", [0, conv.SMALL_PRODUCT], ids=["large", "small"])
@pytest.mark.parametrize("patches", [1, 40, conv.PATCHES], ids=["images", "rows", "whole"])
@pytest.mark.parametrize(("shape", "kernel", "padding", "stride"), CONVOLUTIONS)
def test_convolution_is_that_of_loops(shape, kernel, padding, stride, patches, small, monkeypatch):
    """Its value, its gradients; few patches at a time are those of an image, or of a few rows."""
    monkeypatch.setattr(conv, "PATCHES", patches)
    monkeypatch.setattr(conv, "SMALL_PRODUCT", small)
    layer, x = convolution(shape, kernel, padding, stride), draw(N, *shape, seed=2)
    expected = naive_convolution(x, layer, kernel, padding, stride)
    out = layer.forward(pixels(x))
    assert layer.out_shape == expected.shape[1:]
    np.testing.assert_allclose(images(out, layer.out_shape), expected, atol=1e-12)
    # It is linear but for the bias: what its gradients are in the direction of their own points.
    direction = draw(*expected.shape, seed=3)
    in_x = layer.backward(pixels(direction))
    without_bias = np.vdot(direction, expected - layer.bias)
    assert np.vdot(images(in_x, shape), x) == pytest.approx(without_bias)
    assert np.vdot(layer.weight_gradient, layer.weight) == pytest.approx(without_bias)
    np.testing.assert_allclose(layer.bias_gradient, direction.sum(axis=(0, 1, 2)))


@pytest.mark.one_in(3)
@pytest.mark.parametrize(("shape", "kernel", "padding", "stride"), CONVOLUTIONS)
def test_gradients_of_a_convolution(shape, kernel, padding, stride):
    layer, x = convolution(shape, kernel, padding, stride), draw(2, *shape, seed=2)
    seen = pixels(x)
    direction = draw(*layer.forward(seen).shape, seed=3)

    def value():
        return float(np.sum(layer.forward(seen) * direction))

    in_x = layer.backward(direction.copy()).copy()
    agree(in_x, value, seen)
    agree(layer.weight_gradient, value, layer.weight)
    agree(layer.bias_gradient, value, layer.bias)


@pytest.mark.parametrize(("kind", "function"), [(MaxPool2D, np.max), (AveragePool2D, np.mean)])
@pytest.mark.parametrize(("shape", "size"), POOLS)
def test_pooling_is_that_of_loops(shape, size, kind, function):
    layer, x = kind(shape, size, float), draw(N, *shape, seed=2)
    expected = naive_pooling(x, size, function)
    seen = pixels(x)
    found = layer.forward(seen)
    assert layer.out_shape == expected.shape[1:]
    np.testing.assert_allclose(images(found, layer.out_shape), expected, atol=1e-15)
    direction = draw(*found.shape, seed=3)
    in_x = layer.backward(direction.copy()).copy()
    agree(in_x, lambda: float(np.sum(layer.forward(seen) * direction)), seen)


@pytest.mark.parametrize("size", [(2, 2), (2, 3), (3, 1)])
def test_the_first_of_equal_entries_has_the_gradient(size):
    layer = MaxPool2D((6, 6, 2), size, float)
    layer.forward(np.zeros((N * 36, 2)))
    in_x = images(layer.backward(np.ones((N * 36 // (size[0] * size[1]), 2))), (6, 6, 2))
    first = np.zeros((6, 6))
    first[:: size[0], :: size[1]] = 1.0
    np.testing.assert_array_equal(in_x, np.broadcast_to(first[:, :, None], in_x.shape))
    # Row by row: of (0, 1) and (1, 0) that are equal, (0, 1).
    layer = MaxPool2D((2, 2, 1), (2, 2), float)
    layer.forward(np.array([[0.0], [1.0], [1.0], [0.0]]))
    np.testing.assert_array_equal(layer.backward(np.ones((1, 1))).ravel(), [0, 1, 0, 0])


@pytest.mark.parametrize("channels_first", [False, True])
def test_pixels_and_rows_are_one_another_s_inverse(channels_first):
    shape, x = (3, 4, 2), draw(N, 3, 4, 2)
    rows = (x.transpose(0, 3, 1, 2) if channels_first else x).reshape(N, -1)
    enter, leave = ToPixels(shape, channels_first, float), Flatten(shape, float)
    np.testing.assert_array_equal(enter.images(rows), x)
    seen = enter.forward(rows)
    np.testing.assert_array_equal(seen, pixels(x))
    np.testing.assert_array_equal(enter.backward(seen), rows)
    flat = leave.forward(seen)
    np.testing.assert_array_equal(flat, x.reshape(N, -1))
    np.testing.assert_array_equal(leave.backward(flat), seen)


def test_dropout_of_channels_has_one_mask_a_channel_and_an_image():
    shape, x = (3, 4, 50), draw(20, 3, 4, 50)
    layer, seen = ChannelDropout(0.3, shape, float), pixels(x)
    assert layer.forward(seen) is seen
    factor = images(layer.forward(seen, np.random.default_rng(0)), shape) / x
    np.testing.assert_allclose(factor, np.broadcast_to(factor[:, :1, :1], factor.shape))
    assert set(np.unique(factor.round(9))) == {0.0, round(1 / 0.7, 9)}
    assert np.mean(factor == 0) == pytest.approx(0.3, abs=0.05)
    back = images(layer.backward(np.ones_like(seen)), shape)
    np.testing.assert_allclose(back, factor)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_layers_keep_the_type_and_take_fewer_images_after_more(dtype):
    shape = (4, 6, 2)
    layers = [convolution(shape, (3, 3), n_out=2, dtype=dtype), MaxPool2D(shape, (2, 2), dtype)]
    layers += [AveragePool2D(shape, (2, 3), dtype), Flatten(shape, dtype)]
    for layer in layers:
        many, few = (draw(n, *shape, dtype=dtype) for n in (5, 2))
        layer.forward(pixels(many))
        found = layer.forward(pixels(few)).copy()
        assert found.dtype == layer.backward(found.copy()).dtype == dtype
        np.testing.assert_array_equal(layer.forward(pixels(few)), found)


def test_kernels_and_windows_are_cut_to_what_meets_a_pixel():
    stages = ConvStages.of((1, 9, 2), (4, 3, 5), (5, 5), (2, 2), "max", False)
    assert [stage.kernel for stage in stages.stages] == [(1, 5), (1, 5), (1, 3)]
    assert [stage.pool for stage in stages.stages] == [(1, 2)] * 3
    assert [stage.shape for stage in stages.stages] == [(1, 9, 2), (1, 4, 4), (1, 2, 3)]
    assert stages.pooled == (1, 1, 5)
    # What is cut off a kernel would be without effect.
    whole, cut = convolution((1, 9, 2), (5, 5)), convolution((1, 9, 2), (1, 5))
    cut.weight[...] = whole.weight.reshape(5, -1, 2)[2]
    x = pixels(draw(N, 1, 9, 2))
    np.testing.assert_allclose(cut.forward(x), whole.forward(x))
