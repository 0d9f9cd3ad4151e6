"""The gradient that a step follows is that of the objective, written down as a formula.

Mean loss plus penalty, for each activation, loss, penalty and normalisation, in float64.
"""

import mlp_reference as reference
import numpy as np
import pytest
from mlp_reference import differences, raw_predictions, start_and_gradients

from skreg import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
N = 12
X = RNG.standard_normal((N, 3))
TARGET = RNG.standard_normal((N, 2))
CLASSES = np.arange(N) % 3
WEIGHTS = RNG.uniform(0.2, 2.0, N)
HIDDEN = (5, 4)


def check(estimator, y, of_rows, added=lambda W: 0.0, *, labels=None, weights=None, rtol=1e-6, **o):
    """`of_rows` takes raw predictions and `labels` (y where not given) to one number a row."""
    labels = np.reshape(y if labels is None else labels, (N, -1))
    options = {"hidden_layer_sizes": HIDDEN, **o}
    start, gradients = start_and_gradients(estimator, X, y, weights, **options)
    coefs, intercepts = start[:3], start[3:]
    shape = {"activation": o.get("activation", "relu"), "normalization": o.get("normalization")}

    def objective():
        rows = of_rows(raw_predictions(X, coefs, intercepts, **shape), labels)
        return reference.mean(rows, weights) + sum(added(W) for W in coefs)

    expected = differences(objective, start)
    unit = max(np.abs(slope).max() for slope in expected)
    assert unit > 1e-3
    for gradient, slope in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(gradient, slope, rtol=rtol, atol=rtol * unit)


@pytest.mark.parametrize("normalization", [None, "batch", "layer"])
@pytest.mark.parametrize("activation", ["identity", "relu", "tanh", "logistic"])
def test_activations_and_normalisation(activation, normalization):
    options = {"activation": activation, "normalization": normalization, "alpha": 0.0}
    check(MLPRegressor, TARGET, reference.squared_error, **options)
    check(MLPClassifier, CLASSES, reference.multiclass, labels=np.eye(3)[CLASSES], **options)


REGRESSION = {
    "squared_error": ({}, TARGET, reference.squared_error),
    "absolute_error": ({}, TARGET, reference.absolute_error),
    "huber": ({"huber_delta": 0.7}, TARGET, lambda z, y: reference.huber(z, y, 0.7)),
    "poisson": ({}, np.round(np.exp(TARGET)), reference.poisson),
    "quantile": ({"quantile": 0.2}, TARGET, lambda z, y: reference.quantile(z, y, 0.2)),
}


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
@pytest.mark.parametrize("name", REGRESSION)
def test_losses_of_the_regressor(name, weights):
    more, y, loss = REGRESSION[name]
    options = {"loss": name, "alpha": 0.0, "activation": "tanh", **more}
    check(MLPRegressor, y, loss, weights=weights, **options)
    check(MLPRegressor, y[:, 0], loss, weights=weights, **options)


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
def test_losses_of_the_classifier(weights):
    options = {"alpha": 0.0, "activation": "tanh", "weights": weights}
    several = np.eye(3)[CLASSES]
    check(MLPClassifier, CLASSES, reference.multiclass, labels=several, **options)
    check(MLPClassifier, CLASSES > 0, reference.binary, **options)
    yes_or_no = np.column_stack([CLASSES > 0, CLASSES < 2, np.arange(N) % 2]).astype(int)
    check(MLPClassifier, yes_or_no, reference.binary, **options)


def test_label_smoothing_mixes_the_labels_with_equal_shares():
    options = {"alpha": 0.0, "label_smoothing": 0.3}
    several = 0.7 * np.eye(3)[CLASSES] + 0.1
    check(MLPClassifier, CLASSES, reference.multiclass, labels=several, **options)
    two = 0.7 * (CLASSES > 0) + 0.15
    check(MLPClassifier, CLASSES > 0, reference.binary, labels=two, **options)


def squares(W):
    return np.sum(W**2) / 2


def weissi(W):
    norm = np.linalg.norm(W)
    return 0.6 * np.log(norm) + 0.4 * np.abs(W / norm).sum()


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
@pytest.mark.parametrize(
    ("name", "penalty"), [("l2", squares), ("weissi", weissi)], ids=["l2", "weissi"]
)
def test_penalties_that_are_smooth(name, penalty, weights):
    options = {"penalty": name, "alpha": 0.3, "l1_ratio": 0.4, "weights": weights}
    check(MLPRegressor, TARGET, reference.squared_error, lambda W: 0.3 * penalty(W), **options)


def test_no_penalty_is_none_whatever_alpha():
    start, gradients = start_and_gradients(MLPRegressor, X, TARGET, penalty=None, alpha=5.0)
    again, plain = start_and_gradients(MLPRegressor, X, TARGET, alpha=0.0)
    for a, b in zip((*start, *gradients), (*again, *plain), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("name", "ratio"), [("l1", 1.0), ("elasticnet", 0.4)])
def test_an_l1_part_is_a_proximal_step(name, ratio):
    """Squares go into the gradient; then every weight shrinks by alpha ratio, to zero at most."""
    alpha = 0.05
    common = {"hidden_layer_sizes": HIDDEN, "l1_ratio": 0.4}
    start, plain = start_and_gradients(MLPRegressor, X, TARGET, alpha=0.0, **common)
    options = {**common, "penalty": name, "alpha": alpha}
    again, found = start_and_gradients(MLPRegressor, X, TARGET, **options)
    zeros = 0
    for k, (w, gradient) in enumerate(zip(start, plain, strict=True)):
        np.testing.assert_array_equal(again[k], w)
        moved = w - gradient
        if k < 3:  # biases are free
            moved = moved - alpha * (1 - ratio) * w
            moved = np.sign(moved) * np.maximum(np.abs(moved) - alpha * ratio, 0)
            zeros += np.sum(moved == 0)
        np.testing.assert_allclose(w - found[k], moved, atol=1e-12)
    assert zeros > 0


def test_the_strength_does_not_depend_on_the_batch_size():
    """The same rows thrice, in one batch or in three: the penalty of a step is the same."""
    tripled, y = np.tile(X, (3, 1)), np.tile(TARGET, (3, 1))
    shown = []
    for size in (N, 3 * N):
        options = {"alpha": 0.3, "hidden_layer_sizes": HIDDEN, "batch_size": size}
        rows = slice(0, size)
        _, gradients = start_and_gradients(MLPRegressor, tripled[rows], y[rows], **options)
        shown.append(gradients)
    for a, b in zip(*shown, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("batch_size", [N, N - 1, 4])
def test_objective_and_loss_of_the_history_are_those_of_the_formula(batch_size):
    """Rows count alike, whether their batch is large or small."""
    options = {"alpha": 0.3, "hidden_layer_sizes": HIDDEN, "dtype": "float64", "random_state": 0}
    options |= {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 1e-300}
    options |= {"batch_size": batch_size}
    model = MLPRegressor(max_iter=2, **options).fit(X, TARGET, WEIGHTS)
    raw = raw_predictions(X, model.coefs_, model.intercepts_)
    loss = reference.mean(reference.squared_error(raw, TARGET), WEIGHTS)
    penalty = 0.3 * sum(squares(W) for W in model.coefs_)
    np.testing.assert_allclose(model.history_["loss"], loss, rtol=1e-12)
    np.testing.assert_allclose(model.history_["objective"], loss + penalty, rtol=1e-12)
    np.testing.assert_allclose(model.loss_, loss + penalty, rtol=1e-12)
