"""Networks with convolutions: gradients of everything at once, PyTorch's outputs and steps."""

import numpy as np
import pytest
from differences import agree

from skreg import ConvClassifier, ConvRegressor
from skreg.neural.engine.images import ConvStages
from skreg.neural.engine.network import FEWEST_IMAGES, Network
from skreg.neural.engine.weights import initial_parameters, weight_shapes
from skreg.objective.losses import SquaredError

unconverged = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SHAPE, CHANNELS = (4, 5, 2), (3, 3)
STEP = {"max_iter": 1, "solver": "sgd", "momentum": 0.0, "alpha": 0.0, "shuffle": False}


def draw(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def rng():
    return np.random.Generator(np.random.SFC64(0))


def made(activation, pooling, normalization, rate, hidden=(4,), channels_first=False):
    images = ConvStages.of(SHAPE, CHANNELS, (3, 2), (2, 2), pooling, channels_first)
    units = [int(np.prod(images.pooled)), *hidden, 2]
    random = np.random.default_rng(1)
    start = initial_parameters(units, activation, normalization, random, float, images.stages)
    parameters = start.flattened(float)
    parameters.flat *= 3.0  # so that slopes of images stand out from rounding
    assert [each.shape for each in parameters.weights] == weight_shapes(units, images.stages)
    gradients = parameters.views_of(np.zeros_like(parameters.flat))
    dropout = [rate] * (len(CHANNELS) + len(hidden))
    network = Network(parameters, activation, dropout, rate / 2, gradients, images)
    network.train(True)
    return network, parameters.flat, gradients.flat


@pytest.mark.one_in(7)
@pytest.mark.parametrize("rate", [0.0, 0.4])
@pytest.mark.parametrize("normalization", [None, "batch", "layer"])
@pytest.mark.parametrize("pooling", ["max", "average"])
@pytest.mark.parametrize("activation", ["identity", "relu", "tanh", "logistic"])
def test_the_gradient_of_all_parameters_and_of_the_images(activation, pooling, normalization, rate):
    network, flat, gradients = made(activation, pooling, normalization, rate)
    x, y, loss = draw(3, 40), draw(3, 2, seed=4), SquaredError()

    def value():
        return loss.value(network.forward(x, rng()), y, 0.5)

    in_x = network.backward(loss.gradient(network.forward(x, rng()), y, 0.5), to_input=True).copy()
    found = gradients.copy()
    agree(found, value, flat)
    agree(in_x, value, x)


def test_hidden_layers_are_images_and_then_rows(monkeypatch):
    network, *_ = made("relu", "max", None, 0.0)
    x = draw(11, 40)
    first, second, third = network.hidden(x)
    assert [first.shape, second.shape, third.shape] == [(11, 2, 2, 3), (11, 1, 1, 3), (11, 4)]
    weights, biases = network.parameters.weights, network.parameters.biases
    np.testing.assert_allclose(third, np.maximum(second[:, 0, 0] @ weights[2] + biases[2], 0))
    np.testing.assert_allclose(network.raw(x), third @ weights[3] + biases[3])
    monkeypatch.setattr(network, "block_rows", 3)
    for whole, parts in zip((first, second, third), network.hidden(x), strict=True):
        np.testing.assert_allclose(parts, whole)


def test_blocks_of_large_images_are_small():
    images = ConvStages.of((200, 200, 3), (8,), (5, 5), (2, 2), "max", False)
    start = initial_parameters(
        [80000, 1], "relu", None, np.random.default_rng(0), float, images.stages
    )
    assert Network(start, "relu", [0.0], images=images).block_rows == FEWEST_IMAGES


def test_the_start_of_a_kernel_counts_the_pixels_it_goes_into():
    images = ConvStages.of((32, 32, 3), (32, 64), (5, 5), (2, 2), "max", False)
    units = [8 * 8 * 64, 10]
    start = initial_parameters(units, "relu", None, np.random.default_rng(0), float, images.stages)
    for weight, n_in, n_out in zip(start.weights, (75, 800, 4096), (800, 1600, 10), strict=True):
        bound = np.sqrt(6 / (n_in + n_out))
        assert 0.99 * bound < np.abs(weight).max() <= bound


def torch_twin(model, torch):
    """PyTorch's network with the weights of a model."""
    layers, h, w = [], *model.image_shape_[:2]
    units = {"relu": "ReLU", "tanh": "Tanh", "logistic": "Sigmoid", "identity": "Identity"}
    pool = {"max": torch.nn.MaxPool2d, "average": torch.nn.AvgPool2d}[model.pooling]
    kernels, n = model.kernels_, len(model.kernels_)
    for kernel, bias in zip(kernels, model.intercepts_, strict=False):
        rows, columns, n_in, n_out = kernel.shape
        layer = torch.nn.Conv2d(n_in, n_out, (rows, columns), padding="same")
        layers += [layer, getattr(torch.nn, units[model.activation])(), pool(2)]
        copied(torch, layer, kernel.transpose(3, 2, 0, 1), bias)
        h, w = h // 2, w // 2
    layers.append(torch.nn.Flatten())
    for k, (weight, bias) in enumerate(zip(model.coefs_[n:], model.intercepts_[n:], strict=True)):
        if k == 0:  # which sees pixels after channels there
            weight = weight.reshape(h, w, -1, weight.shape[1]).transpose(2, 0, 1, 3)
            weight = weight.reshape(-1, weight.shape[3])
        layer = torch.nn.Linear(*weight.shape)
        copied(torch, layer, weight.T, bias)
        layers += [layer, getattr(torch.nn, units[model.activation])()]
    return torch.nn.Sequential(*layers[:-1])


def copied(torch, layer, weight, bias):
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(np.ascontiguousarray(weight)))
        layer.bias.copy_(torch.from_numpy(np.array(bias)))


@unconverged
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("pooling", ["max", "average"])
@pytest.mark.parametrize("kernel_size", [5, (2, 3)])
@pytest.mark.parametrize("activation", ["identity", "relu"])
def test_outputs_and_a_step_are_pytorch_s(activation, kernel_size, pooling):
    torch = pytest.importorskip("torch")
    X, y = draw(12, 3, 16, 18).astype(np.float32), np.arange(12) % 4
    options = {"activation": activation, "kernel_size": kernel_size, "pooling": pooling, **STEP}
    options |= {
        "channels": "first",
        "random_state": 0,
        "hidden_layer_sizes": (7,),
        "weight_decay": 0.01,
    }
    start = ConvClassifier((4, 5), **options, learning_rate_init=1e-30).fit(X, y)
    net = torch_twin(start, torch)
    with torch.no_grad():
        expected = torch.softmax(net(torch.from_numpy(X)), dim=1).numpy()
    np.testing.assert_allclose(start.predict_proba(X), expected, atol=1e-5)

    model = ConvClassifier((4, 5), **options, learning_rate_init=0.1).fit(X, y)
    decayed = (
        [p for p in net.parameters() if p.ndim > 1],
        [p for p in net.parameters() if p.ndim == 1],
    )
    groups = [{"params": decayed[0], "weight_decay": 0.01}, {"params": decayed[1]}]
    steps = torch.optim.SGD(groups, 0.1)
    torch.nn.functional.cross_entropy(net(torch.from_numpy(X)), torch.from_numpy(y)).backward()
    steps.step()
    moved = torch_twin(model, torch)
    for ours, theirs in zip(moved.parameters(), net.parameters(), strict=True):
        np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), atol=1e-5)
    changed = max(np.abs(a - b).max() for a, b in zip(model.coefs_, start.coefs_, strict=True))
    assert changed > 1e-3


@unconverged
def test_a_step_is_minus_the_gradient_by_differences():
    """Of the regressor as a whole, with an L2 penalty on kernels and weights."""
    X, y = draw(6, 4, 5, 1), draw(6, seed=2)
    options = {
        "conv_layer_sizes": 2,
        "kernel_size": 3,
        "hidden_layer_sizes": (),
        "dtype": "float64",
    }
    options |= {**STEP, "alpha": 0.3, "activation": "tanh", "random_state": 0}
    start = ConvRegressor(**options, learning_rate_init=1e-300).fit(X, y)
    model = ConvRegressor(**options, learning_rate_init=1.0).fit(X, y)
    for name in ("coefs_", "intercepts_"):
        for k, array in enumerate(getattr(start, name)):
            moved = array - getattr(model, name)[k]

            def objective():
                penalty = 0.15 * sum(np.vdot(coef, coef) for coef in start.coefs_)
                return np.mean((start.predict(X) - y) ** 2) / 2 + penalty

            agree(moved, objective, array)
