"""Whole networks: one flat vector, gradients of everything at once, equal predictions in blocks."""

import numpy as np
import pytest
from differences import agree
from scipy import sparse

from skreg import MLPRegressor
from skreg.neural.engine import network as network_module
from skreg.neural.engine.augmentation import add_noise, mix
from skreg.neural.engine.network import Network
from skreg.neural.engine.weights import initial_parameters
from skreg.objective.losses import Multinomial, SquaredError

unconverged = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
UNITS = [4, 6, 5, 3]
X = np.random.default_rng(0).standard_normal((9, 4))
Y = np.eye(3)[np.random.default_rng(1).integers(0, 3, 9)]


def rng():
    return np.random.Generator(np.random.SFC64(0))


def made(activation="tanh", normalization=None, dropout=(0.0, 0.0), input_dropout=0.0):
    start = initial_parameters(
        UNITS, activation, normalization, np.random.default_rng(2), np.float64
    )
    parameters = start.flattened(np.float64)
    gradients = parameters.views_of(np.zeros_like(parameters.flat))
    network = Network(parameters, activation, dropout, input_dropout, gradients)
    network.train(True)
    return network, parameters.flat, gradients.flat


@pytest.mark.parametrize("loss", [SquaredError(), Multinomial()], ids=["squares", "softmax"])
@pytest.mark.parametrize("dropout", [(0.0, 0.0), (0.5, 0.3)], ids=["plain", "dropout"])
@pytest.mark.parametrize("normalization", [None, "batch", "layer"])
@pytest.mark.parametrize("activation", ["identity", "relu", "tanh", "logistic"])
def test_the_gradient_of_all_parameters(activation, normalization, dropout, loss):
    in_input = 0.2 if dropout[0] else 0.0
    network, flat, flat_gradient = made(activation, normalization, dropout, in_input)
    x, scale = X.copy(), np.random.default_rng(3).uniform(0.1, 2, (9, 1))

    def value():
        return loss.value(network.forward(x, rng()), Y, scale)

    slope = loss.gradient(network.forward(x, rng()), Y, scale)
    in_x = network.backward(slope, to_input=True).copy()
    gradient = flat_gradient.copy()
    agree(gradient, value, flat)
    agree(in_x, value, x)
    np.testing.assert_array_equal(x, X)


def test_the_parameters_are_views_with_the_weights_first():
    network, flat, _ = made(normalization="batch")
    weights = np.concatenate([weight.ravel() for weight in network.parameters.weights])
    np.testing.assert_array_equal(flat[: weights.size], weights)
    assert flat.size == weights.size + sum(UNITS[1:]) + 2 * sum(UNITS[1:-1])
    flat[:] = 7.0
    assert all((array == 7.0).all() for array in network.parameters.learned())


@unconverged
def test_the_start_is_scikit_learn_s():
    from sklearn.neural_network import MLPRegressor

    still = {"solver": "sgd", "learning_rate_init": 1e-100, "max_iter": 1, "tol": 1e9}
    theirs = MLPRegressor(hidden_layer_sizes=(6, 5), activation="logistic", **still)
    theirs.set_params(random_state=3).fit(X, Y)
    ours = initial_parameters(UNITS, "logistic", None, np.random.RandomState(3), np.float64)
    pairs = zip(ours.weights + ours.biases, theirs.coefs_ + theirs.intercepts_, strict=True)
    for mine, other in pairs:
        np.testing.assert_array_equal(mine, other)


def test_hidden_layers_are_what_comes_out_of_them():
    network, *_ = made("relu", dropout=(0.5, 0.0))
    own = network.parameters
    first = np.maximum(X @ own.weights[0] + own.biases[0], 0)
    second = np.maximum(first @ own.weights[1] + own.biases[1], 0)
    found = network.hidden(X)
    np.testing.assert_allclose(found[0], first)
    np.testing.assert_allclose(found[1], second)
    np.testing.assert_allclose(network.forward(X), second @ own.weights[2] + own.biases[2])


@unconverged
def test_blocks_predict_what_the_whole_predicts(monkeypatch):
    from skreg import MLPClassifier

    rows = np.random.default_rng(0).standard_normal((500, 4))
    model = MLPClassifier(8, max_iter=2, random_state=0)
    model.fit(rows, rows[:, 0] > 0)
    whole, hidden = model.predict_proba(rows), model.hidden_activations(rows)
    monkeypatch.setattr(network_module, "WIDEST_BLOCK", 1)
    np.testing.assert_allclose(model.predict_proba(rows), whole, rtol=1e-6)
    np.testing.assert_allclose(model.hidden_activations(rows)[0], hidden[0], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("weighted", [False, True])
def test_mixing_keeps_the_loss_of_both_rows(weighted):
    """The log-loss of a mixed target is the mixture of both rows' losses, each with its weight."""
    x, y = X.copy(), Y.copy()
    scale = np.random.default_rng(5).uniform(0.1, 2, (9, 1)) if weighted else 0.5
    new = mix(x, y, scale, 0.3, rng())
    partner = rng().permutation(9)
    np.testing.assert_allclose(x, 0.3 * X + 0.7 * X[partner])
    raw = x[:, :3]
    rows = [Multinomial().value(raw[i : i + 1], Y[i : i + 1], 1.0) for i in range(9)]
    others = [Multinomial().value(raw[i : i + 1], Y[partner[i]][None], 1.0) for i in range(9)]
    s = np.broadcast_to(scale, (9, 1))[:, 0]
    expected = np.sum(0.3 * s * rows + 0.7 * s[partner] * others)
    assert Multinomial().value(raw, y, new) == pytest.approx(expected)


def test_noise_has_the_spread_asked_for():
    x = np.zeros((500, 200))
    add_noise(x, 0.3, rng())
    assert x.std() == pytest.approx(0.3, rel=0.02)
    assert abs(x.mean()) < 0.005


@unconverged
@pytest.mark.parametrize("n_features", [30, 400])
@pytest.mark.parametrize("stored", [np.asarray, sparse.csr_matrix])
def test_a_row_is_predicted_alike_alone_and_among_others(stored, n_features):
    random = np.random.default_rng(0)
    kept = random.random((40, n_features)) < 0.05
    X = stored(random.normal(size=(40, n_features)) * kept)
    model = MLPRegressor((50, 20), max_iter=1, random_state=0).fit(X, np.arange(40.0))
    together, hidden = model.predict(X), model.hidden_activations(X)
    for n_rows in (1, 2, 3, 7, 12, 13, 30):
        np.testing.assert_array_equal(model.predict(X[:n_rows]), together[:n_rows])
        for few, many in zip(model.hidden_activations(X[:n_rows]), hidden, strict=True):
            np.testing.assert_array_equal(few, many[:n_rows])


@unconverged
@pytest.mark.parametrize("normalization", [None, "batch"])
@pytest.mark.parametrize("hidden", [(), (3,), (100,)])
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_the_order_of_rows_does_not_show(hidden, n_outputs, normalization):
    """Not even in the last digit, though float32 has few of them."""
    random = np.random.default_rng(0)
    X, Y = random.normal(size=(43, 5)), random.normal(size=(43, n_outputs)).squeeze()
    options = {"normalization": normalization, "max_iter": 1, "random_state": 0}
    model = MLPRegressor(hidden, **options).fit(X, Y)
    order = random.permutation(43)
    np.testing.assert_array_equal(model.predict(X[order]), model.predict(X)[order])
