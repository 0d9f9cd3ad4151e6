"""The same training in PyTorch: equal weights at the start, equal batches, equal weights after.

Float32 on both sides, which round in different orders.
"""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from skreg import MLPClassifier, MLPRegressor  # noqa: E402  # PyTorch may be absent

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
BATCH, EPOCHS = 20, 4
N = 5 * BATCH  # 20 steps
X = RNG.standard_normal((N, 7)).astype(np.float32)
TARGET = (X[:, 0] + np.abs(X[:, 1])).astype(np.float32)
CLASSES = np.digitize(TARGET, [0.0, 1.0])
HIDDEN = (16, 12)
RATE = 0.01
UNITS = {"relu": "ReLU", "tanh": "Tanh", "logistic": "Sigmoid", "identity": "Identity"}

OPTIMISERS = {
    "sgd": ({"solver": "sgd", "momentum": 0.0}, lambda p: torch.optim.SGD(p, RATE)),
    "momentum": (
        {"solver": "sgd", "momentum": 0.9, "nesterovs_momentum": False},
        lambda p: torch.optim.SGD(p, RATE, momentum=0.9),
    ),
    "nesterov": (
        {"solver": "sgd", "momentum": 0.9},
        lambda p: torch.optim.SGD(p, RATE, momentum=0.9, nesterov=True),
    ),
    "adam": ({"solver": "adam"}, lambda p: torch.optim.Adam(p, RATE)),
    "adamw": (
        {"solver": "adamw", "weight_decay": 0.1},
        lambda p: torch.optim.AdamW(decayed(p, 0.1), RATE),
    ),
    "sgd, L2": (
        {"solver": "sgd", "momentum": 0.9, "alpha": 0.05, "nesterovs_momentum": False},
        lambda p: torch.optim.SGD(decayed(p, 0.05), RATE, momentum=0.9),
    ),
    "adam, L2": (
        {"solver": "adam", "alpha": 0.05},
        lambda p: torch.optim.Adam(decayed(p, 0.05), RATE),
    ),
}


def decayed(parameters, strength):
    """Weights with it, biases and normalisation without."""
    parameters = list(parameters)
    weights = [p for p in parameters if p.ndim > 1]
    others = [p for p in parameters if p.ndim == 1]
    return [{"params": weights, "weight_decay": strength}, {"params": others, "weight_decay": 0.0}]


def twin(model, activation, normalization):
    """A PyTorch net with the weights of a model."""
    layers, last = [], len(model.coefs_) - 1
    for k, (W, b) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
        linear = torch.nn.Linear(*W.shape)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(np.ascontiguousarray(W.T)))
            linear.bias.copy_(torch.from_numpy(np.array(b)))
        layers.append(linear)
        if k < last:
            kinds = {"batch": torch.nn.BatchNorm1d, "layer": torch.nn.LayerNorm}
            layers += [kinds[normalization](W.shape[1])] if normalization else []
            layers.append(getattr(torch.nn, UNITS[activation])())
    return torch.nn.Sequential(*layers)


def both(estimator, y, optimiser, criterion, *, activation="relu", normalization=None, **more):
    """Train with skreg and with PyTorch; the model and the twin."""
    options, make = OPTIMISERS[optimiser]
    common = {"hidden_layer_sizes": HIDDEN, "activation": activation, "batch_size": BATCH}
    common |= {"normalization": normalization, "shuffle": False, "random_state": 0, "alpha": 0.0}
    common |= {"max_iter": EPOCHS, "n_iter_no_change": 100, "tol": 0.0, "dtype": "float32"}
    common |= options | more
    start = estimator(**{**common, "learning_rate_init": 1e-300, "alpha": 0.0, "weight_decay": 0.0,
                         "max_iter": 1, "clip_norm": None}).fit(X, y)  # fmt: skip
    net = twin(start, activation, normalization)
    model = estimator(**common, learning_rate_init=RATE).fit(X, y)
    adam = make(net.parameters())
    inputs, targets = torch.from_numpy(X), torch.from_numpy(np.ascontiguousarray(y))
    net.train()
    for _ in range(EPOCHS):
        for rows in torch.arange(N).split(BATCH):
            adam.zero_grad()
            criterion(net(inputs[rows]), targets[rows]).backward()
            if "clip_norm" in more:
                torch.nn.utils.clip_grad_norm_(net.parameters(), more["clip_norm"])
            adam.step()
    moved = max(np.abs(a - b).max() for a, b in zip(model.coefs_, start.coefs_, strict=True))
    assert moved > 1e-3
    linear = [layer for layer in net if isinstance(layer, torch.nn.Linear)]
    for W, b, layer in zip(model.coefs_, model.intercepts_, linear, strict=True):
        np.testing.assert_allclose(W, layer.weight.detach().numpy().T, atol=1e-5)
        np.testing.assert_allclose(b, layer.bias.detach().numpy(), atol=1e-5)
    net.eval()
    with torch.no_grad():
        return model, net(inputs).numpy()


def half_squared_error(raw, y):
    return ((raw[:, 0] - y) ** 2).mean() / 2


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_twenty_steps_of_each_optimiser_on_classes(optimiser):
    model, raw = both(MLPClassifier, CLASSES, optimiser, torch.nn.CrossEntropyLoss())
    expected = torch.softmax(torch.from_numpy(raw), dim=1).numpy()
    np.testing.assert_allclose(model.predict_proba(X), expected, atol=1e-5)


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_twenty_steps_of_each_optimiser_on_numbers(optimiser):
    model, raw = both(MLPRegressor, TARGET, optimiser, half_squared_error)
    np.testing.assert_allclose(model.predict(X), raw[:, 0], atol=5e-5)


@pytest.mark.parametrize("activation", ["identity", "tanh", "logistic"])
def test_twenty_steps_of_each_activation(activation):
    both(MLPRegressor, TARGET, "sgd", half_squared_error, activation=activation)


@pytest.mark.parametrize(
    ("normalization", "optimiser"),
    # Not Adam under batch normalisation: the biases before it have a gradient of rounding errors,
    # which Adam makes as large as any other.
    [("batch", "sgd"), ("batch", "momentum"), ("layer", "sgd"), ("layer", "adamw")],
)
def test_twenty_steps_with_normalisation(normalization, optimiser):
    """Running statistics, too: the predictions depend on them."""
    model, raw = both(
        MLPRegressor, TARGET, optimiser, half_squared_error, normalization=normalization
    )
    np.testing.assert_allclose(model.predict(X), raw[:, 0], atol=1e-4)


LOSSES = {
    "absolute_error": ({}, lambda raw, y: torch.nn.functional.l1_loss(raw[:, 0], y)),
    "huber": (
        {"huber_delta": 0.5},
        lambda raw, y: torch.nn.functional.huber_loss(raw[:, 0], y, delta=0.5),
    ),
    "poisson": ({}, lambda raw, y: torch.nn.functional.poisson_nll_loss(raw[:, 0], y)),
}


@pytest.mark.parametrize("name", LOSSES)
def test_twenty_steps_of_each_loss(name):
    more, loss = LOSSES[name]
    y = np.abs(TARGET) if name == "poisson" else TARGET
    both(MLPRegressor, y, "sgd", loss, loss=name, **more)


def test_twenty_steps_of_several_labels():
    Y = np.column_stack([TARGET > 0, X[:, 2] > 0]).astype(np.float32)

    def loss(raw, y):
        each = torch.nn.functional.binary_cross_entropy_with_logits(raw, y, reduction="none")
        return each.sum(dim=1).mean()

    both(MLPClassifier, Y, "adam", loss)


def test_twenty_steps_with_clipped_gradients_and_smoothed_labels():
    loss = torch.nn.CrossEntropyLoss(label_smoothing=0.2)
    both(MLPClassifier, CLASSES, "momentum", loss, label_smoothing=0.2, clip_norm=0.3)
