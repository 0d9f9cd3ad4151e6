"""Penalties and bounds on weights: gradients, proximal steps, invariance, singular values."""

import numpy as np
import pytest
from differences import agree
from scipy.optimize import minimize_scalar

from skreg.neural.engine.constraints import (
    Constraints,
    largest_singular_value,
    limit_columns,
    power_iteration,
)
from skreg.neural.engine.regularizers import (
    L1L2,
    L2,
    NORM_FLOOR,
    Regularizer,
    WeightPenalty,
    Weissi,
    has_prox,
    make_penalty,
)

RNG = np.random.default_rng(0)
W = RNG.standard_normal((5, 4))


@pytest.mark.parametrize("penalty", [L2(), L1L2(0.0), Weissi(0.0), Weissi(0.3), Weissi(1.0)])
def test_the_gradient_is_that_of_the_value(penalty):
    weight, out = W.copy(), np.zeros_like(W)
    penalty.gradient(weight, out)
    agree(out, lambda: penalty.value(weight), weight)


def test_the_elastic_net_s_gradient_is_that_of_its_squares():
    out = np.zeros_like(W)
    L1L2(0.25).gradient(W, out)
    np.testing.assert_allclose(out, 0.75 * W)
    assert L1L2(0.25).value(W) == pytest.approx(0.25 * np.abs(W).sum() + 0.375 * (W**2).sum())


@pytest.mark.parametrize("step", [0.3, RNG.uniform(0.01, 1.5, W.shape)], ids=["one", "each"])
def test_the_proximal_step_minimises(step):
    found = W.copy()
    assert L1L2(0.6).prox(found, step) is None
    steps = np.broadcast_to(step, W.shape)
    for w, v, s in zip(W.flat, found.flat, steps.flat, strict=True):
        best = minimize_scalar(lambda u, w=w, s=s: s * 0.6 * abs(u) + 0.5 * (u - w) ** 2)
        assert v == pytest.approx(best.x, abs=1e-6)
    assert (found == 0).any()


def test_weissi_does_not_change_with_the_scales_of_layers():
    weights = [RNG.standard_normal(shape) for shape in ((4, 6), (6, 5), (5, 2))]
    factors = np.array([3.0, 0.2, 1 / 0.6])
    engine = Regularizer([Weissi(0.4)] * 3, [0.7] * 3)
    moved = [factor * weight for factor, weight in zip(factors, weights, strict=True)]
    assert engine.value(moved) == pytest.approx(engine.value(weights), rel=1e-12)
    assert engine.value([2 * weight for weight in weights]) > engine.value(weights) + 0.5


def test_weissi_has_a_floor():
    penalty, tiny = Weissi(0.5), np.full((2, 2), NORM_FLOOR / 100)
    assert penalty.value(np.zeros((2, 2))) == pytest.approx(0.5 * np.log(NORM_FLOOR))
    out = np.zeros((2, 2))
    penalty.gradient(tiny, out)
    assert np.isfinite(out).all()


class Rows(WeightPenalty):
    """A group penalty, which is not separable."""

    def value(self, W):
        return float(np.linalg.norm(W, axis=1).sum())

    def prox(self, W, step):
        norms = np.linalg.norm(W, axis=1, keepdims=True)
        return W * max(0.0, 1.0 - step / norms.max())


def test_the_engine_gives_each_layer_its_own():
    weights = [W.copy(), W.copy(), W.copy(), W.copy()]
    penalties = [L2(), None, L1L2(1.0), Rows()]
    engine = Regularizer(penalties, [0.5, 3.0, 0.1, 0.2])
    assert engine.shared_l2 is None
    expected = 0.25 * (W**2).sum() + 0.1 * np.abs(W).sum()
    expected += 0.2 * np.linalg.norm(W, axis=1).sum()
    assert engine.value(weights) == pytest.approx(expected)
    gradients, scratch = [np.ones_like(W) for _ in weights], [np.empty_like(W) for _ in weights]
    engine.add_gradient(weights, gradients, scratch)
    np.testing.assert_allclose(gradients[0], 1 + 0.5 * W)
    for gradient in gradients[1:]:
        np.testing.assert_array_equal(gradient, 1.0)
    steps = [np.full_like(W, 2.0)] * 4
    engine.prox(weights, 1.0, steps)
    np.testing.assert_allclose(weights[2], W - np.clip(W, -0.2, 0.2))  # the step of each weight
    np.testing.assert_allclose(weights[3], Rows().prox(W, 0.2))  # the learning rate
    np.testing.assert_array_equal(weights[0], W)


def test_one_strength_for_all_is_one_pass():
    assert Regularizer([L2(), L2()], [0.5, 0.5]).shared_l2 == 0.5
    assert Regularizer([L2(), L2()], [0.5, 0.4]).shared_l2 is None
    assert Regularizer([L2(), None], [0.5, 0.5]).shared_l2 is None
    assert Regularizer([L2(), L2()], [0.0, 0.0]).shared_l2 is None


def test_names():
    assert isinstance(make_penalty("l2", 0.5), L2)
    assert has_prox(make_penalty("l1", 0.5))
    assert has_prox(make_penalty("elasticnet", 0.5))
    assert not has_prox(make_penalty("elasticnet", 0.0))
    assert not has_prox(make_penalty("weissi", 0.5))
    assert make_penalty(None, 0.5) is None
    with pytest.raises(ValueError, match="'l3' is unknown"):
        make_penalty("l3", 0.5)
    with pytest.raises(NotImplementedError):
        WeightPenalty().value(W)


def test_columns_are_shortened_and_no_more():
    weight = W.copy()
    bound = float(np.median(np.linalg.norm(W, axis=0)))
    limit_columns(weight, bound)
    norms, before = np.linalg.norm(weight, axis=0), np.linalg.norm(W, axis=0)
    np.testing.assert_allclose(norms, np.minimum(before, bound))
    np.testing.assert_array_equal(weight[:, before <= bound], W[:, before <= bound])


@pytest.mark.parametrize("shape", [(6, 6), (3, 9), (9, 3), (1, 4), (4, 1)])
def test_power_iteration_and_the_singular_value(shape):
    weight = RNG.standard_normal(shape)
    exact = np.linalg.svd(weight, compute_uv=False)[0]
    assert largest_singular_value(weight) == pytest.approx(exact, rel=1e-12)
    vector = np.ones(shape[1]) / np.sqrt(shape[1])
    assert power_iteration(weight, vector, 500, 1e-14) == pytest.approx(exact, rel=1e-6)
    assert power_iteration(np.zeros(shape), vector, 3) == 0.0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_spectral_norm_is_bounded(dtype):
    weights = [RNG.standard_normal(shape).astype(dtype) for shape in ((8, 5), (5, 3))]
    small = 0.01 * weights[1]
    bounds = Constraints(None, 1.5)
    bounds.begin_epoch(weights)
    bounds.apply(weights)
    assert all(np.linalg.norm(weight, 2) < 1.6 for weight in weights)
    bounds.end_epoch(weights)
    for weight in weights:
        assert np.linalg.svd(weight.astype(float), compute_uv=False)[0] <= 1.5 * (1 + 1e-7)
    held = [small.copy()]
    bounds.end_epoch(held)
    np.testing.assert_array_equal(held[0], small)
