"""Losses: gradients against differences, values against formulas, predictions as minimisers."""

import numpy as np
import pytest
from differences import agree
from scipy.optimize import minimize_scalar
from sklearn.metrics import log_loss, mean_poisson_deviance

from skreg.objective.losses import (
    AbsoluteError,
    BinaryLogLoss,
    Huber,
    Poisson,
    Quantile,
    SoftmaxLogLoss,
    SquaredError,
)

RNG = np.random.default_rng(0)
RAW = RNG.standard_normal((7, 3))
WEIGHT = RNG.uniform(0.1, 2.0, (7, 1))
NUMBERS = RNG.standard_normal((7, 3))
COUNTS = RNG.poisson(2.0, (7, 3)).astype(float)
LABELS = RNG.integers(0, 2, (7, 3)).astype(float)
CLASSES = np.eye(3)[RNG.integers(0, 3, 7)]
CASES = {
    "squared_error": (SquaredError(), NUMBERS),
    "absolute_error": (AbsoluteError(), NUMBERS),
    "huber": (Huber(0.7), NUMBERS),
    "quantile": (Quantile(0.2), NUMBERS),
    "poisson": (Poisson(), COUNTS),
    "binary": (BinaryLogLoss(), LABELS),
    "softmax": (SoftmaxLogLoss(), CLASSES),
}
each_loss = pytest.mark.parametrize("name", CASES)


@each_loss
@pytest.mark.parametrize("scale", [1.0, 0.2, WEIGHT], ids=["sum", "scaled", "weighted"])
def test_the_gradient_is_that_of_the_value(name, scale):
    loss, y = CASES[name]
    raw = RAW.copy()
    value, gradient = loss.gradient(raw, y, scale)
    np.testing.assert_array_equal(raw, RAW)  # nothing is written to the prediction
    assert value == pytest.approx(loss.value(raw, y, scale), rel=1e-12)
    agree(gradient, lambda: loss.value(raw, y, scale), raw)


@each_loss
def test_weight_k_is_the_row_k_times(name):
    loss, y = CASES[name]
    times = np.array([0, 1, 2, 3, 1, 0, 2])
    repeated = loss.value(np.repeat(RAW, times, 0), np.repeat(y, times, 0), 1.0)
    assert loss.value(RAW, y, times[:, None].astype(float)) == pytest.approx(repeated, rel=1e-12)


@each_loss
@pytest.mark.parametrize("scale", [0.5, WEIGHT.astype(np.float32)], ids=["number", "array"])
def test_float32_stays_float32(name, scale):
    loss, y = CASES[name]
    raw = RAW.astype(np.float32)
    value, gradient = loss.gradient(raw, y.astype(np.float32), scale)
    assert gradient.dtype == loss.predict(raw).dtype == np.float32
    assert isinstance(value, float)
    assert value == pytest.approx(loss.value(RAW, y, scale), rel=1e-5)


def test_log_losses_are_scikit_learn_s():
    loss = SoftmaxLogLoss()
    expected = log_loss(CLASSES.argmax(1), loss.predict(RAW))
    assert loss.value(RAW, CLASSES, 1 / 7) == pytest.approx(expected)
    two = BinaryLogLoss()
    expected = log_loss(LABELS[:, 0], two.predict(RAW[:, :1]).ravel())
    assert two.value(RAW[:, :1], LABELS[:, :1], 1 / 7) == pytest.approx(expected)


def test_poisson_is_half_the_deviance():
    loss = Poisson()
    expected = mean_poisson_deviance(COUNTS[:, 0], loss.predict(RAW)[:, 0]) / 2
    assert loss.value(RAW[:, :1], COUNTS[:, :1], 1 / 7) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (SquaredError(), np.mean),
        (AbsoluteError(), np.median),
        (Quantile(0.2), lambda y: np.quantile(y, 0.2)),
        (Poisson(), lambda y: np.log(y.mean())),
    ],
)
def test_what_a_constant_predicts(loss, expected):
    y = RNG.uniform(0.5, 3.0, (101, 1))
    found = minimize_scalar(lambda z: loss.value(np.full_like(y, z), y, 1.0), bounds=(-3, 4))
    assert found.x == pytest.approx(expected(y), abs=1e-3)


def test_huber_joins_its_two_parts():
    y = np.zeros((4, 1))
    raw = np.array([[0.5], [1.0], [2.0], [-3.0]])
    values = [Huber(1.0).value(raw[i : i + 1], y[:1], 1.0) for i in range(4)]
    assert values == pytest.approx([0.125, 0.5, 1.5, 2.5])


def test_log_losses_hold_where_probabilities_are_certain():
    far = np.array([[200.0, -200.0, 0.0]], dtype=np.float32)
    for loss, y in ((BinaryLogLoss(), [[0, 1, 0]]), (SoftmaxLogLoss(), [[0, 1, 0]])):
        value, gradient = loss.gradient(far, np.array(y, dtype=np.float32), 1.0)
        assert 399 < value < 402
        assert np.isfinite(gradient).all()
        assert np.isfinite(loss.predict(far)).all()
    probability = BinaryLogLoss().predict(far)
    assert probability.min() > 0
    assert probability.max() < 1


@each_loss
@pytest.mark.parametrize("weighted", [False, True])
def test_no_other_constant_is_better_than_the_null_model(name, weighted):
    loss, y = CASES[name]
    weight = WEIGHT[:, 0] if weighted else None
    scale = WEIGHT if weighted else 1.0
    best = loss.null_model(y, weight)
    assert best.shape == (3,)
    least = loss.value(np.broadcast_to(best, y.shape), y, scale)
    for step in 0.03 * RNG.standard_normal((30, 3)):
        other = loss.value(np.broadcast_to(best + step, y.shape), y, scale)
        assert other >= least - 1e-12 * abs(least)


def test_a_null_model_of_one_value_is_finite():
    for loss, value in ((Poisson(), 0.0), (BinaryLogLoss(), 0.0), (BinaryLogLoss(), 1.0)):
        y = np.full((4, 1), value)
        raw = np.broadcast_to(loss.null_model(y), y.shape)
        assert 0 <= loss.value(raw, y, 1.0) < 1e-6
    y = np.eye(3)[[0, 0, 0]]
    assert SoftmaxLogLoss().value(np.tile(SoftmaxLogLoss().null_model(y), (3, 1)), y, 1.0) == 0
