"""Dropout as it is seen from outside: its rate, its scale, its expectation, and none in predict.

A mask shows in the gradient of one row: the weights of an input that is dropped do not move.
"""

import warnings

import mlp_reference as reference
import numpy as np
import pytest
from mlp_reference import start_and_gradients

from skreg import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RATES = (0.5, 0.1, 0.3, 1 / 3, 0.9, 0.003)


def within(share, probability, n):
    """Five standard deviations of a share of `n` independent draws."""
    return abs(share - probability) < 5 * np.sqrt(probability * (1 - probability) / n)


def input_mask(rate, n, seed=0, **options):
    """What one row of `n` ones is multiplied by."""
    shape = {"hidden_layer_sizes": 1, "activation": "identity", "alpha": 0.0, "random_state": seed}
    # a target far away, so that the gradient is not lost in rounding
    _, gradients = start_and_gradients(
        MLPRegressor, np.ones((1, n)), [1e4], input_dropout=rate, **shape, **options
    )
    return (gradients[0] / gradients[2])[:, 0]


def hidden_mask(rate, n):
    """What the `n` logistic units of one hidden layer are multiplied by, for one row."""
    start, gradients = start_and_gradients(
        MLPRegressor, [[1.0]], [1e4], dropout=rate, hidden_layer_sizes=n, alpha=0.0,
        activation="logistic",
    )  # fmt: skip
    hidden = reference.ACTIVATIONS["logistic"](start[0][0] + start[2])
    return gradients[1][:, 0] / (gradients[3] * hidden)


@pytest.mark.parametrize("rate", RATES)
def test_the_rate_is_the_one_asked_for_and_the_mean_is_kept(rate):
    for mask, n in ((hidden_mask(rate, 100_000), 100_000), (input_mask(rate, 5000), 5000)):
        kept = mask > 0.5
        assert within(np.mean(~kept), rate, n)
        np.testing.assert_allclose(mask[kept], 1 / (1 - rate), rtol=1e-5)
        np.testing.assert_allclose(mask[~kept], 0, atol=1e-5)
        # neighbours are dropped independently of each other
        assert within(np.mean(~kept[1:] & ~kept[:-1]), rate**2, n / 2)


def hidden_masks(dropout, sizes, seed=0):
    """The masks of two hidden layers of logistic units, for one row."""
    _, gradients = start_and_gradients(
        MLPRegressor, [[1.0]], [1e4], dropout=dropout, hidden_layer_sizes=sizes, alpha=0.0,
        activation="logistic", random_state=seed,
    )  # fmt: skip
    first = np.any(gradients[1] != 0, axis=1)
    second = np.any(gradients[2] != 0, axis=1)
    return first, second


@pytest.mark.parametrize("dropout", [0.4, (0.4, 0.0), (0.0, 0.4), [0.2, 0.7]])
def test_a_number_is_for_all_hidden_layers_or_there_is_one_a_layer(dropout):
    sizes = (900, 800)
    rates = np.broadcast_to(dropout, 2)
    masks = hidden_masks(dropout, sizes)
    for mask, rate, n in zip(masks, rates, sizes, strict=True):
        assert np.all(mask) if rate == 0 else within(np.mean(~mask), rate, n)


def test_every_row_and_every_step_has_a_mask_of_its_own():
    assert np.mean(input_mask(0.5, 1000) == input_mask(0.5, 1000, seed=1)) < 0.6
    n = 2000
    still = {"input_dropout": 0.5, "hidden_layer_sizes": 1, "activation": "identity", "alpha": 0.0}
    still |= {"dtype": "float64", "solver": "sgd", "momentum": 0.0, "random_state": 0}
    still |= {"learning_rate_init": 1e-9, "batch_size": 1}
    model = MLPRegressor(**still)
    model.partial_fit(np.ones((1, n)), [1e4])
    moved = []
    for _ in range(2):
        before = model.coefs_[0].copy()
        model.partial_fit(np.ones((1, n)), [1e4])
        moved.append((model.coefs_[0] != before)[:, 0])
    assert 0.4 < np.mean(moved[0] == moved[1]) < 0.6


def test_every_row_of_a_batch_has_a_mask_of_its_own():
    """Rows of an identity matrix: each sees one input, its own, and drops it or not."""
    n = 1000
    options = {"hidden_layer_sizes": 1, "activation": "identity", "alpha": 0.0}
    _, gradients = start_and_gradients(
        MLPRegressor, np.eye(n), np.full(n, 1e4), input_dropout=0.3, **options
    )
    assert within(np.mean(gradients[0] == 0), 0.3, n)


def regression(n=60, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 5))
    return X, X @ rng.standard_normal(5) + 0.1 * rng.standard_normal(n)


def test_predict_drops_nothing():
    X, y = regression()
    model = MLPRegressor(
        (20, 10), dropout=0.5, input_dropout=0.2, max_iter=5, dtype="float64", random_state=0
    ).fit(X, y)
    expected = reference.raw_predictions(X, model.coefs_, model.intercepts_)[:, 0]
    for _ in range(2):
        np.testing.assert_allclose(model.predict(X), expected, rtol=1e-9, atol=1e-12)


def test_the_loss_of_the_history_is_without_dropout():
    X, y = regression()
    model = MLPRegressor(
        30, dropout=0.6, max_iter=1, dtype="float64", random_state=0, learning_rate_init=1e-300
    ).fit(X, y)
    loss = np.mean((model.predict(X) - y) ** 2) / 2
    np.testing.assert_allclose(model.history_["loss"], loss, rtol=1e-9)


def test_samples_have_the_mean_and_the_variance_of_a_linear_net():
    X, y = regression()
    rate, draws = 0.3, 4000
    model = MLPRegressor(
        25, activation="identity", dropout=rate, max_iter=20, dtype="float64", random_state=0
    ).fit(X, y)
    samples = model.predict_samples(X, n_samples=draws, random_state=0)
    assert samples.shape == (draws, len(X))
    hidden = X @ model.coefs_[0] + model.intercepts_[0]
    variance = np.sum((hidden * model.coefs_[1][:, 0]) ** 2, axis=1) * rate / (1 - rate)
    error = np.sqrt(variance / draws)
    assert np.all(np.abs(samples.mean(axis=0) - model.predict(X)) < 5 * error)
    np.testing.assert_allclose(samples.var(axis=0), variance, rtol=0.2)


def test_samples_drop_features_and_each_layer_at_its_own_rate():
    """A chain of single units: it is cut, or passes on the scale of all rates together."""
    X = np.ones((20_000, 1))

    def chain(rates):
        """Two draws, the second with other rates set after the fit."""
        model = MLPRegressor(
            (1, 1), input_dropout=rates[0], dropout=rates[1:], activation="identity",
            dtype="float64", max_iter=1,
        ).fit(X[:10], np.ones(10))  # fmt: skip
        model.coefs_ = [np.ones((1, 1))] * 3
        model.intercepts_ = [np.zeros(1)] * 3
        (samples,) = model.predict_samples(X, n_samples=1, random_state=0)
        model.set_params(input_dropout=0.0, dropout=0.9)
        (again,) = model.predict_samples(X, n_samples=1, random_state=0)
        np.testing.assert_array_equal(again, samples)
        return samples

    rates = 0.2, 0.3, 0.6
    kept, samples = np.prod(np.subtract(1.0, rates)), chain(rates)
    np.testing.assert_allclose(samples[samples != 0], 1 / kept, rtol=1e-3)
    error = np.sqrt(kept * (1 - kept) / len(X))
    assert abs(np.mean(samples != 0) - kept) < 5 * error
    for k, rate in enumerate(rates):  # and with one of them alone
        samples = chain([rate if k == i else 0.0 for i in range(3)])
        assert abs(np.mean(samples == 0) - rate) < 5 * np.sqrt(rate * (1 - rate) / len(X))


def test_samples_are_repeated_by_a_seed_and_leave_the_model_alone():
    X, y = regression()
    model = MLPRegressor(25, dropout=0.3, max_iter=5, random_state=0).fit(X, y)
    before = model.predict(X)
    first = model.predict_samples(X, n_samples=7, random_state=3)
    np.testing.assert_array_equal(first, model.predict_samples(X, n_samples=7, random_state=3))
    assert not np.array_equal(first, model.predict_samples(X, n_samples=7, random_state=4))
    assert len({row.tobytes() for row in first}) == 7
    np.testing.assert_array_equal(model.predict(X), before)


def test_samples_of_a_classifier_are_probabilities():
    X, y = regression()
    model = MLPClassifier(25, dropout=0.3, max_iter=5, random_state=0).fit(
        X, np.digitize(y, [-1, 1])
    )
    samples = model.predict_samples(X, n_samples=9, random_state=0)
    assert samples.shape == (9, len(X), 3)
    np.testing.assert_allclose(samples.sum(axis=2), 1, rtol=1e-5)
    assert np.all(samples >= 0)


def test_hidden_activations_are_those_of_the_formula():
    X, y = regression()
    model = MLPRegressor((8, 6), dropout=0.5, max_iter=5, dtype="float64", random_state=0).fit(X, y)
    layers = model.hidden_activations(X)
    assert [layer.shape for layer in layers] == [(60, 8), (60, 6)]
    z = X
    for layer, W, b in zip(layers, model.coefs_, model.intercepts_, strict=False):
        z = np.maximum(z @ W + b, 0)
        np.testing.assert_allclose(layer, z, rtol=1e-9, atol=1e-12)


def test_dropout_helps_against_noise():
    """Many features and few rows, most of them noise: the held-out error falls."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((500, 40))
    y = X[:, 0] + rng.standard_normal(500)
    train, test = slice(0, 100), slice(100, None)
    errors = {}
    for rate in (0.0, 0.5):
        model = MLPRegressor(
            200, dropout=rate, max_iter=150, tol=0, n_iter_no_change=200, alpha=0, random_state=0
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(X[train], y[train])
        errors[rate] = np.mean((model.predict(X[test]) - y[test]) ** 2)
    assert errors[0.5] < 0.9 * errors[0.0]
