"""Optimisers against their papers' formulas, and learning-rate schedules."""

import copy
import pickle

import numpy as np
import pytest

from skreg.neural.engine.optimizers import SGD, Adam, Schedule

SIZE = 12
START = np.random.default_rng(0).standard_normal(SIZE)
GRADIENTS = np.random.default_rng(1).standard_normal((6, SIZE))


def run(optimizer, dtype=np.float64, gradients=GRADIENTS, start=START):
    w = start.astype(dtype)
    optimizer.begin(SIZE, dtype)
    for g in gradients:
        optimizer.step(w, g.astype(dtype))
    return w


@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-12), (np.float32, 1e-5)])
def test_adam_is_the_paper_s(dtype, rtol):
    w, m, v = START.copy(), np.zeros(SIZE), np.zeros(SIZE)
    for t, g in enumerate(GRADIENTS, 1):
        m, v = 0.8 * m + 0.2 * g, 0.95 * v + 0.05 * g**2
        w = w - 0.01 * (m / (1 - 0.8**t)) / (np.sqrt(v / (1 - 0.95**t)) + 1e-4)
    found = run(Adam(0.01, 0.8, 0.95, 1e-4), dtype)
    np.testing.assert_allclose(found, w, rtol=rtol)


@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-10), (np.float32, 2e-5)])
@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.5, 0.9), (0.0, 0.99), (0.9, 0.0), (0.01, 0.03)])
def test_many_steps_of_adam(betas, dtype, rtol):
    """Moments are held divided by what they have decayed to, which must not run away."""
    gradients = np.random.default_rng(2).standard_normal((400, SIZE)) + 0.3
    b_1, b_2 = betas
    w, m, v = START.copy(), np.zeros(SIZE), np.zeros(SIZE)
    for t, g in enumerate(gradients, 1):
        m, v = b_1 * m + (1 - b_1) * g, b_2 * v + (1 - b_2) * g**2
        w = w - 0.01 * (m / (1 - b_1**t)) / (np.sqrt(v / (1 - b_2**t)) + 1e-4)
    optimizer = Adam(0.01, *betas, 1e-4)
    found = run(optimizer, dtype, gradients)
    np.testing.assert_allclose(found, w, rtol=rtol, atol=rtol * np.abs(w).max())
    assert all(1 / 16 <= scale <= 1 for scale in optimizer.scales)


@pytest.mark.parametrize("nesterov", [True, False])
@pytest.mark.parametrize("momentum", [0.3, 0.9])
def test_many_steps_of_gradient_descent(momentum, nesterov):
    gradients = np.random.default_rng(2).standard_normal((400, SIZE))
    w, v = START.copy(), np.zeros(SIZE)
    for g in gradients:
        v = momentum * v + g
        w = w - 0.01 * (g + momentum * v if nesterov else v)
    found = run(SGD(0.01, momentum, nesterov), gradients=gradients)
    np.testing.assert_allclose(found, w, rtol=1e-10)


@pytest.mark.parametrize("nesterov", [True, False])
@pytest.mark.parametrize("momentum", [0.0, 0.7, 1.0])
def test_gradient_descent(momentum, nesterov):
    w, v = START.copy(), np.zeros(SIZE)
    for g in GRADIENTS:
        v = momentum * v + g
        w = w - 0.01 * (g + momentum * v if nesterov else v)
    np.testing.assert_allclose(run(SGD(0.01, momentum, nesterov)), w, rtol=1e-12)


@pytest.mark.parametrize(
    "make", [lambda: Adam(0.01), lambda: Adam(0.01, 0.2, 0.3), lambda: SGD(0.01)]
)
def test_going_on_is_not_stopping(make):
    whole = run(make())
    first = make()
    half = run(first, gradients=GRADIENTS[:3])
    for other in (copy.deepcopy(first), pickle.loads(pickle.dumps(first))):
        second = make()
        second.go_on_from(other)
        np.testing.assert_array_equal(run(second, gradients=GRADIENTS[3:], start=half), whole)
    first.release()
    assert len(pickle.dumps(first)) < 400
    anew = run(first, gradients=GRADIENTS[3:], start=half)
    np.testing.assert_array_equal(anew, run(make(), gradients=GRADIENTS[3:], start=half))


def test_a_new_rate_is_taken_and_a_lowered_one_kept():
    old = Adam(0.01)
    old.learning_rate = 0.002
    same, other = Adam(0.01), Adam(0.05)
    same.go_on_from(old)
    other.go_on_from(old)
    assert (same.learning_rate, other.learning_rate) == (0.002, 0.05)


def test_adam_knows_the_step_of_each_weight():
    """What a proximal step needs: how far a gradient of one would have moved the weight."""
    optimizer, w = Adam(0.01), START.copy()
    optimizer.begin(SIZE, np.float64)
    steps = optimizer.keep_steps()
    optimizer.step(w, GRADIENTS[0].copy())
    optimizer.steps()
    np.testing.assert_allclose(steps, (START - w) / GRADIENTS[0], rtol=1e-9)


@pytest.mark.parametrize(("momentum", "length"), [(0.0, 0.1), (0.9, 1.0), (1.0, 0.1)])
def test_momentum_lengthens_the_step(momentum, length):
    assert SGD(0.1, momentum).step_length() == pytest.approx(length)


def test_cosine_falls_from_the_rate_to_nothing():
    schedule = Schedule("cosine", 0.2, 0.5, 100, first_step=40)
    rates = [schedule.at_step(step) for step in range(40, 141)]
    assert rates[0] == 0.2
    assert rates[50] == pytest.approx(0.1)
    assert rates[-1] == pytest.approx(0.0, abs=1e-15)
    assert np.all(np.diff(rates) < 0)
    assert schedule.at_step(1000) == pytest.approx(0.0, abs=1e-15)


def test_one_cycle_rises_and_falls():
    schedule = Schedule("one_cycle", 0.2, 0.5, 100)
    rates = [schedule.at_step(step) for step in range(101)]
    assert rates[0] == pytest.approx(0.2 / 25)
    assert np.argmax(rates) == 30
    assert rates[30] == pytest.approx(0.2)
    assert rates[-1] == pytest.approx(0.2 / 25 / 1e4)


def test_rates_between_epochs():
    assert Schedule("invscaling", 0.2, 0.25, 1).after_epoch(0.2, 15) == pytest.approx(0.1)
    assert Schedule("constant", 0.2, 0.25, 1).after_epoch(0.2, 15) == 0.2
    adaptive = Schedule("adaptive", 0.2, 0.25, 1)
    assert adaptive.without_progress(0.2) == pytest.approx(0.04)
    assert adaptive.without_progress(1e-7) is None
    assert Schedule("cosine", 0.2, 0.25, 1).without_progress(0.2) is None
