"""Layers, one by one: gradients against differences, and what dropout and normalisation promise."""

import copy

import numpy as np
import pytest
from differences import agree

from skreg.neural.engine.layers import Dense, Dropout, Relu, Sigmoid, Tanh, product_by_blocks
from skreg.neural.engine.normalization import BatchNorm, LayerNorm

N, WIDTH = 6, 4


def rng(seed=0):
    return np.random.Generator(np.random.SFC64(seed))


def inputs(width=WIDTH, seed=0):
    return np.random.default_rng(seed).standard_normal((N, width))


def dense():
    draw = np.random.default_rng(1)
    return Dense(
        draw.standard_normal((WIDTH, 3)), draw.standard_normal(3), np.empty((WIDTH, 3)), np.empty(3)
    )


def normalised(kind):
    draw = np.random.default_rng(2)
    parameters = [draw.uniform(0.5, 2, WIDTH), draw.standard_normal(WIDTH)]
    parameters += [np.empty(WIDTH), np.empty(WIDTH)]
    if kind is LayerNorm:
        return LayerNorm(*parameters)
    layer = BatchNorm(draw.standard_normal(WIDTH), draw.uniform(0.5, 2, WIDTH), *parameters)
    layer.training = kind == "batch"
    return layer


LAYERS = {
    "dense": dense,
    "relu": lambda: Relu(WIDTH, float),
    "tanh": lambda: Tanh(WIDTH, float),
    "logistic": lambda: Sigmoid(WIDTH, float),
    "dropout 0.5": lambda: Dropout(0.5, WIDTH, float),
    "dropout 0.3": lambda: Dropout(0.3, WIDTH, float),
    "batch": lambda: normalised("batch"),
    "batch, running": lambda: normalised("running"),
    "layer": lambda: normalised(LayerNorm),
}


def checked(layer, x):
    """A function of x through the layer; the same masks and running statistics at every call."""
    held = copy.deepcopy(layer)
    held.resize(len(x))
    direction = np.random.default_rng(3).standard_normal(held.forward(x.copy(), rng()).shape)

    def value():
        fresh = copy.deepcopy(layer)
        fresh.resize(len(x))
        return float(np.sum(fresh.forward(x.copy(), rng()) * direction))

    return value, direction


@pytest.mark.parametrize("name", LAYERS)
def test_the_gradient_in_the_input(name):
    layer, x = LAYERS[name](), inputs()
    value, direction = checked(layer, x)
    trained = copy.deepcopy(layer)
    trained.resize(N)
    trained.forward(x.copy(), rng())
    agree(trained.backward(direction.copy()), value, x)


@pytest.mark.parametrize(
    ("name", "parameter"),
    [("dense", "weight"), ("dense", "bias")]
    + [(name, p) for name in ("batch", "batch, running", "layer") for p in ("scale", "shift")],
)
def test_the_gradient_in_a_parameter(name, parameter):
    layer, x = LAYERS[name](), inputs()
    value, direction = checked(layer, x)
    trained = copy.deepcopy(layer)
    trained.resize(N)
    trained.forward(x.copy(), rng())
    trained.backward(direction.copy(), to_input=False)
    agree(getattr(trained, f"{parameter}_gradient"), value, getattr(layer, parameter))


@pytest.mark.parametrize("name", LAYERS)
def test_fewer_rows_work_in_the_same_buffers(name):
    x = inputs()
    whole, part = LAYERS[name](), LAYERS[name]()
    whole.resize(N)
    whole.forward(x.copy(), rng())
    for layer in (whole, part):
        layer.resize(3)
    expected = part.forward(x[:3].copy(), rng(5)).copy()
    np.testing.assert_array_equal(whole.forward(x[:3].copy(), rng(5)), expected)
    gradient = np.ones_like(expected)
    if name.startswith("batch"):
        return  # the running statistics have moved
    np.testing.assert_array_equal(whole.backward(gradient.copy()), part.backward(gradient.copy()))


@pytest.mark.parametrize("rate", [0.5, 0.3, 0.1, 1 / 3, 0.999, 1e-9])
def test_dropout_keeps_the_rate_and_the_mean(rate):
    layer = Dropout(rate, 1000, np.float64)
    layer.resize(1000)
    generator, kept, total, n_draws = rng(), 0, 0.0, 5
    for _ in range(n_draws):
        out = layer.forward(np.ones((1000, 1000)), generator)
        kept += np.count_nonzero(out)
        total += out.sum()
        assert set(np.unique(out)) <= {0.0, 1.0 / (1.0 - rate)}
    n = n_draws * 10**6
    spread = np.sqrt(rate * (1 - rate) / n)
    assert abs(kept / n - (1 - rate)) <= 4 * spread + 1e-12
    assert abs(total / n - 1) <= 4 * spread / (1 - rate) + 1e-12


def test_the_keep_rate_is_exact_between_two_thresholds():
    """A probability that sixteen bits cannot hold is held on average over the masks."""
    keep = 12345.25 / 65536
    layer = Dropout(1 - keep, 1, np.float64)
    layer.resize(65536)
    every = np.arange(65536, dtype=np.uint16).view(np.uint64)

    class Every:
        bit_generator = None

        def __init__(self):
            self.bit_generator, self.draws = self, iter(np.arange(0.125, 1.0, 0.25))

        def random_raw(self, n):
            return every[:n]

        def random(self):
            return next(self.draws)

    generator = Every()
    counts = [np.count_nonzero(layer.forward(np.ones((65536, 1)), generator)) for _ in range(4)]
    assert sorted(counts) == [12345, 12345, 12345, 12346]


def test_dropout_without_a_generator_is_prediction():
    layer, x = Dropout(0.5, WIDTH, float), inputs()
    layer.resize(N)
    layer.forward(x, rng())
    assert layer.forward(x) is x
    gradient = np.ones((N, WIDTH))
    assert layer.backward(gradient) is gradient
    np.testing.assert_array_equal(gradient, 1.0)


@pytest.mark.parametrize("activation", [Tanh, Sigmoid, Relu])
def test_an_activation_followed_by_dropout(activation):
    """What dropout scales must not reach the activation's derivative."""
    layers = [activation(WIDTH, float), Dropout(0.5, WIDTH, float)]
    x = inputs()
    direction = np.random.default_rng(3).standard_normal((N, WIDTH))
    for layer in layers:
        layer.resize(N)

    def forward():
        return layers[1].forward(layers[0].forward(x.copy()), rng())

    forward()
    gradient = layers[0].backward(layers[1].backward(direction.copy()))
    agree(gradient, lambda: float(np.sum(forward() * direction)), x)


def test_batch_normalisation_normalises_columns_and_learns_statistics():
    ones, zeros = np.ones(WIDTH), np.zeros(WIDTH)
    layer = BatchNorm(zeros.copy(), ones.copy(), ones.copy(), zeros.copy())
    layer.training = True
    layer.resize(N)
    x = 5.0 + 3.0 * inputs()
    out = layer.forward(x)
    np.testing.assert_allclose(out.mean(axis=0), 0.0, atol=1e-12)
    np.testing.assert_allclose(out.var(axis=0), 1.0, rtol=1e-4)
    np.testing.assert_allclose(layer.mean, 0.1 * x.mean(axis=0))
    np.testing.assert_allclose(layer.variance, 0.9 + 0.1 * x.var(axis=0, ddof=1))
    layer.training = False
    before = layer.mean.copy(), layer.variance.copy()
    out = layer.forward(x)
    np.testing.assert_allclose(out, (x - before[0]) / np.sqrt(before[1] + 1e-5))
    np.testing.assert_array_equal(layer.mean, before[0])


def test_one_row_is_normalised_by_the_running_statistics():
    layer = normalised("batch")
    layer.resize(1)
    x = inputs()[:1]
    unit = (x - layer.mean) / np.sqrt(layer.variance + 1e-5)
    held = layer.mean.copy()
    np.testing.assert_allclose(layer.forward(x), unit * layer.scale + layer.shift)
    np.testing.assert_array_equal(layer.mean, held)


def test_layer_normalisation_normalises_rows():
    layer = LayerNorm(np.ones(WIDTH), np.zeros(WIDTH))
    layer.resize(N)
    out = layer.forward(5.0 + 3.0 * inputs())
    np.testing.assert_allclose(out.mean(axis=1), 0.0, atol=1e-12)
    np.testing.assert_allclose(out.var(axis=1), 1.0, rtol=1e-3)


@pytest.mark.parametrize(
    ("layer", "function"),
    [
        (Relu, lambda x: np.maximum(x, 0)),
        (Tanh, np.tanh),
        (Sigmoid, lambda x: 1 / (1 + np.exp(-x))),
    ],
)
def test_activations_are_what_they_are_called(layer, function):
    x = 3 * inputs()
    made = layer(WIDTH, float)
    made.resize(N)
    np.testing.assert_allclose(made.forward(x.copy()), function(x), rtol=1e-12, atol=1e-15)
    assert np.isnan(made.forward(np.full((N, WIDTH), np.nan))).all()  # divergence is not hidden


@pytest.mark.parametrize(("n_terms", "n_columns"), [(20, 3), (784, 256), (1000, 1000)])
def test_a_product_by_blocks_has_each_row_wherever_it_stands(n_terms, n_columns):
    random = np.random.default_rng(0)
    a = random.normal(size=(44, n_terms)).astype(np.float32)
    b = random.normal(size=(n_terms, n_columns)).astype(np.float32)
    whole = product_by_blocks(a, b, np.empty((44, n_columns), np.float32))
    np.testing.assert_allclose(whole, a @ b, rtol=1e-3, atol=1e-3)
    order = random.permutation(44)[:12]
    some = product_by_blocks(a[order], b, np.empty((12, n_columns), np.float32))
    np.testing.assert_array_equal(some, whole[order])
