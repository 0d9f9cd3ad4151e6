"""Noise on the inputs, mixtures of rows, adversarial examples: seen in one step of a small net."""

import mlp_reference as reference
import numpy as np
import pytest
from mlp_reference import start_and_gradients

from skreg import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("noise", [0.1, 2.0])
def test_input_noise_is_gaussian_with_the_deviation_asked_for(noise):
    """One row of zeros: what reaches the first layer is the noise."""
    n = 20_000
    _, gradients = start_and_gradients(
        MLPRegressor, np.zeros((1, n)), [1e4], hidden_layer_sizes=1, activation="identity",
        alpha=0.0, input_noise=noise,
    )  # fmt: skip
    drawn = (gradients[0] / gradients[2])[:, 0]
    assert abs(drawn.mean()) < 5 * noise / np.sqrt(n)
    np.testing.assert_allclose(drawn.std(), noise, rtol=0.02)
    np.testing.assert_allclose(np.mean(drawn**4) / noise**4, 3, rtol=0.1)


def mixed(alpha, seed):
    """Rows of an identity matrix: the inputs that a step saw, from the gradients of the weights."""
    n = 2
    options = {"hidden_layer_sizes": 1, "activation": "identity", "alpha": 0.0, "mixup": alpha}
    _, gradients = start_and_gradients(
        MLPRegressor, np.eye(n), np.full(n, 1e6), random_state=seed, **options
    )
    # equal targets far away: equal errors of both rows, so this is the mean of the rows seen
    return (gradients[0] / gradients[2])[:, 0]


def test_mixup_keeps_the_mean_of_a_batch():
    """Partners are a permutation, so that every row is mixed in as often as mixed."""
    for seed in range(5):
        np.testing.assert_allclose(mixed(0.4, seed), 0.5, rtol=1e-4)


def test_the_share_of_a_mixture_has_a_symmetric_beta_distribution():
    """Two rows of an identity matrix, the target of one far away: 2 s (1 - s) moves to the other.

    Its mean is a / (2 a + 1) where the rows are mixed, and 0 where each meets itself.
    """
    a, moved = 4.0, []
    options = {"hidden_layer_sizes": 1, "activation": "identity", "alpha": 0.0, "mixup": a}
    for seed in range(150):
        _, gradients = start_and_gradients(
            MLPRegressor, np.eye(2), np.array([1e6, 0.0]), random_state=seed, **options
        )
        moved.append(gradients[0][1, 0] / gradients[0].sum())
    mixtures = np.array(moved)[np.abs(moved) > 1e-3]
    assert 0.35 < len(mixtures) / len(moved) < 0.65
    np.testing.assert_allclose(mixtures.mean(), a / (2 * a + 1), atol=0.03)
    assert mixtures.max() <= 0.5 + 1e-4


def test_mixup_draws_inputs_and_targets_alike():
    """Least squares on rows that lie on a line: mixtures lie on it, too, and are fitted as well."""
    X = RNG.standard_normal((200, 3))
    y = X @ [1.0, -2.0, 0.5] + 3
    common = {"activation": "identity", "alpha": 0.0, "max_iter": 400, "tol": 0.0}
    common |= {"n_iter_no_change": 1000, "learning_rate_init": 0.01, "random_state": 0}
    common |= {"learning_rate": "cosine"}
    model = MLPRegressor(4, mixup=1.0, **common).fit(X, y)
    np.testing.assert_allclose(model.predict(X), y, atol=0.02)


def test_mixup_softens_a_classifier():
    """Trained on mixtures it is less sure of what lies between the classes, and of the classes."""
    X = RNG.standard_normal((300, 2))
    y = (X[:, 0] > 0).astype(int)
    common = {"alpha": 0.0, "max_iter": 150, "random_state": 0, "tol": 0.0}
    common |= {"n_iter_no_change": 1000, "learning_rate_init": 0.01}
    sure = [
        np.mean(np.max(MLPClassifier(32, mixup=a, **common).fit(X, y).predict_proba(X), axis=1))
        for a in (0.0, 1.0)
    ]
    assert sure[1] < sure[0] - 0.05


def test_mixup_of_multilabel_and_several_targets_learns():
    X = RNG.standard_normal((200, 4))
    both = np.column_stack([X[:, 0] > 0, X[:, 1] > 0]).astype(int)
    common = {"mixup": 0.2, "max_iter": 150, "random_state": 0, "learning_rate_init": 0.01}
    assert MLPClassifier(32, **common).fit(X, both).score(X, both) > 0.85
    targets = np.column_stack([X[:, 0], X[:, 1] - X[:, 2]])
    assert MLPRegressor(32, **common).fit(X, targets).score(X, targets) > 0.9


def test_label_smoothing_bounds_the_certainty():
    X = RNG.standard_normal((200, 2))
    y = np.digitize(X[:, 0], [-0.5, 0.5])
    model = MLPClassifier(
        64, label_smoothing=0.3, max_iter=600, random_state=0, alpha=0.0, learning_rate_init=0.01
    ).fit(X, y)
    highest = np.max(model.predict_proba(X), axis=1)
    assert model.score(X, y) > 0.9
    assert np.median(highest) == pytest.approx(0.8, abs=0.06)  # 1 - 0.3 + 0.3 / 3


def test_adversarial_examples_move_every_input_by_eps_up_the_loss():
    """Half the batch as it is, half moved along the sign of the gradient in x, the net held."""
    n, eps = 12, 0.3
    X = RNG.standard_normal((n, 4))
    y = RNG.standard_normal(n)
    options = {"hidden_layer_sizes": 6, "activation": "tanh", "alpha": 0.0}
    start, gradients = start_and_gradients(MLPRegressor, X, y, adversarial_eps=eps, **options)
    coefs, intercepts = start[:2], start[2:]

    def loss(Z):
        raw = reference.raw_predictions(Z, coefs, intercepts, "tanh")
        return reference.mean(reference.squared_error(raw, y[:, None]))

    Z = X.copy()
    (in_x,) = reference.differences(lambda: loss(Z), [Z])
    moved = X + eps * np.sign(in_x)
    expected = reference.differences(lambda: (loss(X) + loss(moved)) / 2, start)
    for gradient, slope in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(gradient, slope, rtol=1e-6, atol=1e-8)


def test_adversarial_examples_move_no_input_that_is_dropped():
    """A row of zeros: what moved an input is its own mask, then the one of the moved row."""
    n, rate = 5000, 0.3
    _, gradients = start_and_gradients(
        MLPRegressor, np.zeros((1, n)), [1e4], hidden_layer_sizes=1, activation="identity",
        alpha=0.0, adversarial_eps=0.1, input_dropout=rate,
    )  # fmt: skip
    share = np.mean(gradients[0] != 0)
    assert abs(share - (1 - rate) ** 2) < 5 * np.sqrt(0.25 / n)


def test_adversarial_training_withstands_what_fools_a_plain_net():
    X = RNG.standard_normal((400, 10))
    y = (X[:, 0] + 0.2 * X[:, 1:].sum(axis=1) > 0).astype(int)
    common = {"alpha": 0.0, "max_iter": 120, "random_state": 0, "learning_rate_init": 0.005}
    common |= {"tol": 0.0, "n_iter_no_change": 1000}
    scores = {}
    for eps in (0.0, 0.2):
        model = MLPClassifier(64, adversarial_eps=eps, **common).fit(X, y)
        h = 1e-3
        proba = model.predict_proba(X)[:, 1]
        slopes = [
            model.predict_proba(X + h * np.eye(10)[j])[:, 1].astype(float) - proba
            for j in range(10)
        ]
        away = np.where(y == 1, -1, 1)[:, None]
        scores[eps] = model.score(X + 0.2 * away * np.sign(np.transpose(slopes)), y)
    assert scores[0.2] > scores[0.0] + 0.01
