"""Losses: derivatives against differences, conjugates and null models against searches, domains."""

from fractions import Fraction

import numpy as np
import pytest
from differences import agree
from scipy.optimize import minimize
from sklearn.metrics import (
    d2_log_loss_score,
    log_loss,
    mean_gamma_deviance,
    mean_poisson_deviance,
    mean_squared_error,
    mean_tweedie_deviance,
)

from skreg.objective.classification import over_classes, solve_laplacian
from skreg.objective.losses import (
    LOSSES,
    AbsoluteError,
    Gamma,
    Huber,
    Logistic,
    Multinomial,
    Poisson,
    Quantile,
    SquaredError,
    SquaredHinge,
    Tweedie,
)

RNG = np.random.default_rng(0)
ETA = RNG.standard_normal((7, 3))
WEIGHT = RNG.uniform(0.1, 2.0, (7, 1))
OFFSET = RNG.standard_normal((7, 3))
NUMBERS = RNG.standard_normal((7, 3))
COUNTS = RNG.poisson(2.0, (7, 3)).astype(float)
AMOUNTS = RNG.gamma(2.0, 1.0, (7, 3))
SHARES = RNG.dirichlet(np.ones(3), 7)
CLASSES = np.eye(3)[[2, 0, 1, 2, 2, 1, 0]]
LABELS = np.array([[0, 1, 1], [1, 0, 0], [1, 1, 0], [0, 0, 0], [1, 1, 1], [0, 1, 0], [0, 0, 1.0]])
CASES = {
    "squared_error": (SquaredError(), NUMBERS),
    "absolute_error": (AbsoluteError(), NUMBERS),
    "huber": (Huber(0.7), NUMBERS),
    "quantile": (Quantile(0.2), NUMBERS),
    "poisson": (Poisson(), COUNTS),
    "gamma": (Gamma(), AMOUNTS),
    "tweedie": (Tweedie(1.3), np.where(LABELS > 0, AMOUNTS, 0.0)),
    "tweedie, steep": (Tweedie(1.9), np.where(LABELS > 0, AMOUNTS, 0.0)),
    "logistic": (Logistic(), LABELS),
    "logistic, shares": (Logistic(), SHARES),
    "multinomial": (Multinomial(), CLASSES),
    "multinomial, shares": (Multinomial(), SHARES),
    "squared_hinge": (SquaredHinge(), 2 * LABELS - 1),
}
each_loss = pytest.mark.parametrize(("loss", "y"), CASES.values(), ids=CASES)
each_smooth_loss = pytest.mark.parametrize(
    ("loss", "y"),
    [case for case in CASES.values() if case[0].smooth],
    ids=[name for name, case in CASES.items() if case[0].smooth],
)
each_scale = pytest.mark.parametrize("scale", [1.0, 0.2, WEIGHT], ids=["sum", "scaled", "weighted"])


def test_every_loss_is_here_by_its_name():
    assert {type(loss) for loss, _ in CASES.values()} == set(LOSSES.values())
    assert [name for name, loss in LOSSES.items() if loss.quadratic] == ["squared_error"]
    assert LOSSES["huber"](2.0) == Huber(2.0) != Huber(1.0)
    assert SquaredError() == SquaredError() != AbsoluteError()


@each_loss
@each_scale
def test_the_gradient_is_that_of_the_value(loss, y, scale):
    eta = ETA.copy()
    value, gradient = loss.value_and_gradient(eta, y, scale)
    np.testing.assert_array_equal(eta, ETA)  # nothing is written to it
    assert value == pytest.approx(loss.value(eta, y, scale), rel=1e-12)
    np.testing.assert_array_equal(gradient, loss.gradient(eta, y, scale))
    agree(gradient, lambda: loss.value(eta, y, scale), eta)


@each_smooth_loss
@each_scale
def test_the_curvature_is_that_of_the_gradient(loss, y, scale):
    curvature, step = loss.curvature(ETA, y, scale), 5e-6
    for k in range(3):
        moved = step * (np.arange(3) == k)
        above, below = (loss.gradient(ETA + d, y, scale) for d in (moved, -moved))
        column = curvature * (np.arange(3) == k)
        if isinstance(loss, Multinomial):  # the Hessian of a row is diag(p) - p p'
            column -= curvature * loss.inverse_link(ETA)[:, k : k + 1]
        np.testing.assert_allclose((above - below) / (2 * step), column, rtol=1e-6, atol=1e-9)


@each_smooth_loss
@each_scale
def test_gradient_and_curvature_together_are_both_alone(loss, y, scale):
    for eta in (ETA, 20 * ETA, ETA - 30):
        gradient, curvature = loss.gradient_and_curvature(eta, y, scale)
        expected = loss.gradient(eta, y, scale)
        np.testing.assert_allclose(gradient, expected, rtol=1e-14, atol=1e-15)
        np.testing.assert_allclose(curvature, loss.curvature(eta, y, scale), rtol=1e-14)
    gradient, curvature = loss.gradient_and_curvature(ETA.astype(np.float32), y.astype(np.float32))
    assert gradient.dtype == curvature.dtype == np.float32


@each_smooth_loss
def test_the_curvature_bounds_the_hessian(loss, y):
    for eta in (ETA, 3 * ETA, ETA - 4):
        for change in 1e-3 * RNG.standard_normal((5, 7, 3)):
            rise = np.sum(change * (loss.gradient(eta + change, y) - loss.gradient(eta, y)))
            bound = np.sum(
                change**2 * np.maximum(*(loss.curvature(e, y) for e in (eta, eta + change)))
            )
            assert -1e-15 <= rise <= bound * (1 + 1e-3)


@pytest.mark.parametrize("loss", [AbsoluteError(), Quantile(0.3)])
def test_a_loss_without_curvature_says_so(loss):
    with pytest.raises(NotImplementedError, match="no curvature"):
        loss.curvature(ETA, NUMBERS)


@each_loss
def test_one_output_is_a_vector_or_a_column(loss, y):
    if isinstance(loss, Multinomial):
        return
    one, column, weight = (ETA[:, 0], y[:, 0]), (ETA[:, :1], y[:, :1]), WEIGHT[:, 0]
    assert loss.value(*one, weight) == pytest.approx(loss.value(*column, WEIGHT), rel=1e-14)
    assert loss.deviance(*one, weight) == pytest.approx(loss.deviance(*column, WEIGHT), rel=1e-14)
    np.testing.assert_array_equal(loss.gradient(*one, weight), loss.gradient(*column, WEIGHT)[:, 0])
    for offset in (None, OFFSET):
        alone = loss.null_model(one[1], weight, None if offset is None else offset[:, 0])
        assert alone.shape == ()
        beside = loss.null_model(column[1], weight, None if offset is None else offset[:, :1])
        assert alone == pytest.approx(beside[0], rel=1e-14)


@each_loss
def test_weight_k_is_the_row_k_times(loss, y):
    times = np.array([0, 1, 2, 3, 1, 0, 2])
    weight, many = times.astype(float), (np.repeat(ETA, times, 0), np.repeat(y, times, 0))
    for what in (loss.value, loss.deviance):
        assert what(ETA, y, weight[:, None]) == pytest.approx(what(*many), rel=1e-12)
    for offset in (None, OFFSET):
        shift = np.zeros_like(y) if offset is None else offset
        given = None if offset is None else np.repeat(offset, times, 0)
        repeated = loss.null_model(many[1], None, given)
        found = loss.null_model(y, weight, offset)
        values = [loss.value(b + shift, y, weight[:, None]) for b in (found, repeated)]
        assert values[0] == pytest.approx(values[1], rel=1e-13)


@each_loss
@pytest.mark.parametrize("scale", [0.5, WEIGHT.astype(np.float32)], ids=["number", "array"])
def test_float32_stays_float32(loss, y, scale):
    eta, narrow = ETA.astype(np.float32), y.astype(np.float32)
    value, gradient = loss.value_and_gradient(eta, narrow, scale)
    assert gradient.dtype == loss.inverse_link(eta).dtype == np.float32
    assert isinstance(value, float)
    assert value == pytest.approx(loss.value(ETA, y, scale), rel=1e-5)


# Conjugates


@each_loss
@each_scale
def test_fenchel_and_young(loss, y, scale):
    u = loss.gradient(ETA, y)
    total = float(np.sum(scale * u * ETA))
    found = loss.value(ETA, y, scale) + loss.conjugate(u, y, scale)
    assert found == pytest.approx(total, rel=1e-12, abs=1e-12)
    for other in RNG.standard_normal((20, 7, 3)):
        v = loss.gradient(other, y)
        above = loss.value(ETA, y, scale) + loss.conjugate(v, y, scale) - np.sum(scale * v * ETA)
        assert above >= -1e-12
        assert above > 1e-6 or np.allclose(u, v)


def supremum(loss, u, row):
    """Of ``u eta - f(eta)``, by a search."""

    def below(eta):
        return loss.value(eta.reshape(row.shape), row) - float(np.sum(u * eta.reshape(row.shape)))

    def slope(eta):
        return np.ravel(loss.gradient(eta.reshape(row.shape), row) - u)

    start = np.zeros(row.size)
    if loss.smooth:
        return -minimize(below, start, jac=slope, method="BFGS", tol=1e-9).fun
    return -minimize(below, start, method="Nelder-Mead", tol=1e-10).fun


@each_loss
def test_the_conjugate_is_a_supremum(loss, y):
    for target in y[:3]:
        row = target[None] if isinstance(loss, Multinomial) else target[:1]
        u = loss.gradient(RNG.standard_normal(row.shape), row)
        assert loss.conjugate(u, row) == pytest.approx(supremum(loss, u, row), rel=1e-8, abs=1e-8)


@pytest.mark.parametrize(
    ("loss", "y", "inside", "outside"),
    [
        (AbsoluteError(), 3.0, [-1, 1], [-1.01, 1.01]),
        (Huber(0.7), 3.0, [-0.7, 0.7], [-0.71, 0.71]),
        (Quantile(0.2), 3.0, [-0.2, 0.8], [-0.21, 0.81]),
        (Poisson(), 2.0, [-2, 1e3], [-2.01]),
        (Poisson(), 0.0, [0, 1e3], [-0.01]),
        (Gamma(), 2.0, [-1e3, 1], [1.01]),
        (Tweedie(1.4), 0.0, [0, 1e3], [-0.01]),
        (Tweedie(1.4), 2.0, [-1e3, 0, 1e3], []),
        (Logistic(), 1.0, [-1, 0], [-1.01, 0.01]),
        (Logistic(), 0.0, [0, 1], [-0.01, 1.01]),
        (SquaredHinge(), 1.0, [-1e3, 0], [0.01]),
        (SquaredHinge(), -1.0, [0, 1e3], [-0.01]),
    ],
)
def test_where_a_conjugate_is_finite(loss, y, inside, outside):
    for u in inside:
        assert np.isfinite(loss.conjugate(np.array([float(u)]), np.array([y])))
    for u in outside:
        assert loss.conjugate(np.array([u]), np.array([y])) == np.inf


def test_the_conjugate_of_a_multinomial_is_finite_on_the_simplex():
    y = np.eye(3)[:1]
    assert Multinomial().conjugate(np.array([[-1, 1, 0.0]]), y) == 0
    assert Multinomial().conjugate(np.array([[-1, 0.9, 0.0]]), y) == np.inf
    assert Multinomial().conjugate(np.array([[0.1, -0.1, 0.0]]), y) == np.inf


@pytest.mark.parametrize("power", [1.001, 1.1, 1.5, 1.9, 1.999])
def test_the_conjugate_of_a_tweedie_loss_of_any_power(power):
    loss = Tweedie(power)
    eta = np.linspace(-30, 30, 121)[:, None]
    y = np.array([1e-6, 0.1, 1.0, 50.0, 1e6])
    u = loss.gradient(eta, y)
    for i, k in np.ndindex(u.shape):
        one = u[i, k : k + 1], y[k : k + 1]
        value = loss.value(eta[i], one[1])
        total = abs(one[0][0] * eta[i, 0]) + abs(value)
        assert value + loss.conjugate(*one) == pytest.approx(
            one[0][0] * eta[i, 0], abs=1e-10 * total
        )


# Null models


def least_value(loss, y, scale, offset):
    """Of any constant, by a search from the best of many."""

    def one(b):
        return loss.value(np.broadcast_to(b, y.shape) + offset, y, scale)

    best = min((np.full(3, b) for b in np.linspace(-4, 4, 33)), key=one)
    options = {"xatol": 1e-9, "fatol": 1e-14, "maxiter": 4000, "maxfev": 4000}
    for _ in range(3):
        best = minimize(one, best, method="Nelder-Mead", options=options).x
    return one(best)


@each_loss
@pytest.mark.parametrize("offset", [None, OFFSET], ids=["", "offset"])
@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
def test_no_other_constant_is_better_than_the_null_model(loss, y, weighted, offset):
    weight, scale = (WEIGHT[:, 0], WEIGHT) if weighted else (None, 1.0)
    found = loss.null_model(y, weight, offset)
    assert found.shape == (3,)
    shift = np.zeros_like(y) if offset is None else offset
    least = least_value(loss, y, scale, shift)
    assert loss.value(found + shift, y, scale) <= least * (1 + 1e-9)
    if loss.smooth:
        slope = loss.gradient(found + shift, y, scale).sum(axis=0)
        np.testing.assert_allclose(slope, 0, atol=1e-12)


@each_loss
def test_weights_of_any_sum_give_the_same_null_model(loss, y):
    for offset in (None, OFFSET):
        found = [loss.null_model(y, f * WEIGHT[:, 0], offset) for f in (1.0, 2.0**-60, 2.0**40)]
        np.testing.assert_allclose(found[1:], [found[0]] * 2, rtol=1e-12)


@pytest.mark.parametrize(
    ("loss", "values"),
    [
        (Poisson(), [0.0]),
        (Tweedie(1.5), [0.0]),
        (Logistic(), [0.0]),
        (Logistic(), [1.0]),
        (SquaredHinge(), [1.0]),
        (SquaredError(), [3.0]),
    ],
)
@pytest.mark.parametrize("offset", [None, OFFSET[:, :1]], ids=["", "offset"])
def test_a_null_model_of_one_value_is_finite(loss, values, offset):
    y = np.full((7, 1), values)
    found = loss.null_model(y, offset=offset)
    assert np.isfinite(found).all()
    if offset is None or not loss.quadratic:
        shift = np.zeros_like(y) if offset is None else offset
        assert 0 <= loss.value(found + shift, y) < 1e-6


def test_a_multinomial_null_model_of_one_class_is_finite():
    y = np.eye(3)[[0, 0, 0]]
    for offset in (None, OFFSET[:3]):
        found = Multinomial().null_model(y, offset=offset)
        shift = np.zeros_like(y) if offset is None else offset
        assert 0 <= Multinomial().value(found + shift, y, 1.0) < 1e-12


@each_loss
def test_null_models_with_far_offsets(loss, y):
    far = 200.0 * OFFSET
    found = loss.null_model(y, None, far)
    least = loss.value(found + far, y)
    assert np.isfinite(least)
    for step in (-1e-3, 1e-3):
        for k in range(3):
            other = found + step * (np.arange(3) == k)
            assert loss.value(other + far, y) >= least * (1 - 1e-12)


def slope_of_a_null_model(seed):
    """The largest slope that is left, of classes few and many rows apart by up to 1000."""
    rng = np.random.default_rng(seed)
    n, k = rng.integers(8, 40), rng.integers(2, 6)
    y = np.eye(k)[np.r_[:k, rng.integers(0, k, n - k)]]
    offset = 10 ** rng.uniform(-1, 3) * rng.standard_normal((n, k))
    weight = rng.random(n) * 10.0 ** rng.integers(-3, 4, n) if seed % 3 == 0 else np.ones(n)
    found = Multinomial().null_model(y, weight, offset)
    slope = Multinomial().gradient(found + offset, y, weight[:, None] / weight.sum())
    return np.abs(slope.sum(axis=0)).max()


def test_multinomial_null_models_with_offsets_of_any_size():
    assert max(slope_of_a_null_model(seed) for seed in range(200)) < 1e-13


@pytest.mark.exhaustive
def test_multinomial_null_models_with_offsets_of_any_size_at_length():
    assert max(slope_of_a_null_model(seed) for seed in range(3000)) < 1e-13


@pytest.mark.parametrize("seed", range(10))
def test_weak_links_of_a_laplacian_lose_no_digit(seed):
    """Against elimination in fractions, where links differ by up to thirty orders of magnitude."""
    rng = np.random.default_rng(seed)
    links = np.triu(10.0 ** -rng.uniform(0, 30, (5, 5)), 1)
    links += links.T
    slope = rng.permutation([1.0, 0.5, -1.5, 0.25, -0.25])
    exact = [[-Fraction(float(link)) for link in row] for row in links]
    for k, row in enumerate(exact):
        row[k] = -sum(row) + row[k]
        row.append(Fraction(float(slope[k])))
    for k in range(4, 0, -1):  # the first is held at zero
        for i in range(k):
            factor = exact[i][k] / exact[k][k]
            exact[i] = [a - factor * b for a, b in zip(exact[i], exact[k], strict=True)]
    expected = [Fraction(0)]
    for k in range(1, 5):
        known = sum(exact[k][i] * expected[i] for i in range(k))
        expected.append((exact[k][5] - known) / exact[k][k])
    found = solve_laplacian(links, slope)
    np.testing.assert_allclose(found, [float(value) for value in expected], rtol=1e-13)


@pytest.mark.parametrize("order", "CF")
@pytest.mark.parametrize("kind", [np.float64, np.float32])
@pytest.mark.parametrize("shape", [(500, 2), (500, 3), (500, 7), (500, 8), (20, 3)])
def test_sums_over_classes_do_not_depend_on_how_they_are_gone_through(shape, kind, order):
    rows = np.asarray(RNG.standard_normal(shape), dtype=kind, order=order)
    for ufunc in (np.add, np.maximum):
        found = over_classes(ufunc, rows)
        np.testing.assert_array_equal(found, ufunc.reduce(rows, axis=1, keepdims=True))
        assert found.dtype == kind


# Deviances and predictions


@each_loss
def test_the_deviance_of_the_saturated_model_is_zero(loss, y):
    with np.errstate(divide="ignore"):
        perfect = {
            "exp": lambda: np.log(np.maximum(y, 1e-300)),
            "softmax": lambda: np.log(np.maximum(y, 1e-300)),
            "logistic": lambda: np.clip(np.log(y) - np.log1p(-y), -700, 700),
            "identity": lambda: y,
        }[loss.out_activation]()
    assert loss.deviance(perfect, y, WEIGHT) == pytest.approx(0, abs=1e-12)
    assert loss.deviance(ETA, y, WEIGHT) > 0.1


@each_loss
def test_deviances_of_several_are_those_of_each(loss, y):
    etas = np.array([ETA, -ETA, 0.5 * ETA])
    for scale in (WEIGHT, np.where(np.arange(len(ETA)) % 2, WEIGHT[:, 0], 0.0)[:, None], 0.3):
        expected = [loss.deviance(eta, y, scale) for eta in etas]
        np.testing.assert_allclose(loss.deviances(etas.copy(), y, scale), expected, rtol=1e-13)


@pytest.mark.parametrize(
    ("name", "metric"),
    [
        ("squared_error", mean_squared_error),
        ("poisson", mean_poisson_deviance),
        ("gamma", mean_gamma_deviance),
        ("tweedie", lambda *y, **w: mean_tweedie_deviance(*y, **w, power=1.3)),
        ("tweedie, steep", lambda *y, **w: mean_tweedie_deviance(*y, **w, power=1.9)),
        ("logistic", lambda *y, **w: 2 * log_loss(*y, **w)),
    ],
)
def test_deviances_are_scikit_learn_s(name, metric):
    loss, y = CASES[name]
    weight = WEIGHT[:, 0]
    expected = metric(y[:, 0], loss.inverse_link(ETA)[:, 0], sample_weight=weight)
    found = loss.deviance(ETA[:, 0], y[:, 0], weight / weight.sum())
    assert found == pytest.approx(expected, rel=1e-12)


def test_multinomial_deviance_is_scikit_learn_s():
    loss, truth = Multinomial(), CLASSES.argmax(axis=1)
    expected = 2 * log_loss(truth, loss.inverse_link(ETA))
    assert loss.deviance(ETA, CLASSES, 1 / 7) == pytest.approx(expected, rel=1e-12)
    null = np.broadcast_to(loss.null_model(CLASSES), ETA.shape)
    explained = 1 - loss.deviance(ETA, CLASSES) / loss.deviance(null, CLASSES)
    assert explained == pytest.approx(d2_log_loss_score(truth, loss.inverse_link(ETA)))


def test_huber_joins_its_two_parts():
    eta = np.array([0.5, 1.0, 2.0, -3.0])
    values = [Huber(1.0).value(eta[i : i + 1], np.zeros(1)) for i in range(4)]
    assert values == pytest.approx([0.125, 0.5, 1.5, 2.5])


# Far from zero


@pytest.mark.filterwarnings("error")
@each_loss
def test_far_predictions_give_finite_numbers(loss, y):
    """As far as the mean itself is a number of float64."""
    far = 700.0 if loss.out_activation == "exp" else 1e8
    for size in (far, -far):
        eta = size * np.where(np.arange(21).reshape(7, 3) % 2, 1.0, 0.5)
        value, gradient = loss.value_and_gradient(eta, y, WEIGHT)
        assert np.isfinite(value)
        assert value >= 0
        assert np.isfinite(gradient).all()
        assert np.isfinite(loss.deviance(eta, y))
        assert np.isfinite(loss.inverse_link(eta)).all()
        assert np.isfinite(loss.conjugate(loss.gradient(eta, y), y))
        if loss.smooth:
            curvature = loss.curvature(eta, y)
            assert np.isfinite(curvature).all()
            assert curvature.min() >= 0


@pytest.mark.parametrize("name", ["poisson", "gamma", "tweedie", "tweedie, steep"])
@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_means_too_large_for_their_type_are_infinite_and_not_nan(name, kind):
    """Without a warning, which would be an error here."""
    loss, y = CASES[name]
    y, signs = y.astype(kind), np.where(np.arange(21).reshape(7, 3) % 2, kind(1.0), kind(-1.0))
    for size in (4e3, 1e6):
        eta = kind(size) * signs
        for scale in (1.0, 0.1, WEIGHT.astype(kind)):
            assert loss.value(eta, y, scale) == np.inf
            assert loss.value_and_gradient(eta, y, scale)[0] == np.inf
            slope, bend = loss.gradient_and_curvature(eta, y, scale)
            for each in (slope, bend, loss.gradient(eta, y, scale), loss.curvature(eta, y, scale)):
                assert not np.isnan(each).any()
                assert each.dtype == kind
            assert bend.min() >= 0


@each_loss
def test_a_row_of_scale_zero_counts_nothing_however_far(loss, y):
    eta, scale = ETA.copy(), WEIGHT.copy()
    scale[2] = 0.0
    expected = loss.value(eta, y, scale), loss.gradient(eta, y, scale)
    for far in (1e4, -1e4):
        eta[2] = far
        assert loss.value(eta, y, scale) == pytest.approx(expected[0], rel=1e-14)
        for gradient in (loss.gradient(eta, y, scale), loss.value_and_gradient(eta, y, scale)[1]):
            np.testing.assert_array_equal(gradient, expected[1])
        if loss.smooth:
            assert not loss.curvature(eta, y, scale)[2].any()


def test_log_losses_hold_where_probabilities_are_certain():
    far = np.array([[200.0, -200.0, 0.0]], dtype=np.float32)
    for loss, y in ((Logistic(), [[0, 1, 0]]), (Multinomial(), [[0, 1, 0]])):
        value, gradient = loss.value_and_gradient(far, np.array(y, dtype=np.float32), 1.0)
        assert 399 < value < 402
        assert np.isfinite(gradient).all()
        assert np.isfinite(loss.inverse_link(far)).all()
    probability = Logistic().inverse_link(far)
    assert probability.min() > 0
    assert probability.max() < 1


def test_the_logistic_curvature_keeps_its_digits():
    eta = np.array([40.0, -40.0, 300.0])
    expected = np.exp(-np.abs(eta))
    np.testing.assert_allclose(Logistic().curvature(eta, np.ones(3)), expected, rtol=1e-14)


# Targets


@each_loss
def test_its_targets_are_taken(loss, y):
    loss.check_target(y)
    loss.check_target(y.astype(np.float32))
    if not isinstance(loss, Multinomial):
        loss.check_target(y[:, 0])


@pytest.mark.parametrize(
    ("loss", "wrong", "message"),
    [
        (Poisson(), -1.0, "loss='poisson' needs y that are not negative: row 4 has -1"),
        (Tweedie(), -0.5, "loss='tweedie' needs y that are not negative: row 4 has -0.5"),
        (Gamma(), 0.0, "loss='gamma' needs y that are positive: row 4 has 0"),
        (Logistic(), 2.0, "loss='logistic' needs y that are between 0 and 1: row 4 has 2"),
        (SquaredHinge(), 0.0, "loss='squared_hinge' needs y that are -1 or 1: row 4 has 0"),
        (SquaredError(), np.nan, "loss='squared_error' needs y that are finite: row 4 has nan"),
        (Poisson(), np.inf, "loss='poisson' needs y that are not negative: row 4 has inf"),
    ],
)
def test_other_targets_are_refused(loss, wrong, message):
    y = np.ones(7)
    y[4:6] = wrong
    with pytest.raises(ValueError) as found:
        loss.check_target(y)
    assert str(found.value) == message


def test_shares_that_do_not_add_up_are_refused():
    y = CLASSES.copy()
    y[2] = 0.5, 0.5, 0.25
    with pytest.raises(
        ValueError, match=r"'multinomial' .* add up to one: row 2 has 0.5, 0.5, 0.25"
    ):
        Multinomial().check_target(y)


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0, 3.0, np.nan])
def test_powers_between_poisson_and_gamma(power):
    with pytest.raises(ValueError, match="power must be above 1 and below 2"):
        Tweedie(power)


def test_tweedie_leads_from_poisson_to_gamma():
    for power, end in ((1 + 1e-7, Poisson()), (2 - 1e-7, Gamma())):
        assert Tweedie(power).value(ETA, AMOUNTS) == pytest.approx(
            end.value(ETA, AMOUNTS), rel=1e-5
        )
        np.testing.assert_allclose(
            Tweedie(power).gradient(ETA, AMOUNTS), end.gradient(ETA, AMOUNTS), rtol=1e-5, atol=1e-5
        )


@pytest.mark.parametrize("name", ["poisson", "gamma", "tweedie, steep", "logistic, shares"])
def test_curvature_bounds_gaps_of_slopes_nearby(name):
    loss, y = CASES[name]
    assert loss.gap_from_curvature
    eta, y = (3.0 * ETA).ravel(), y.ravel()
    slope, curvature = loss.gradient_and_curvature(eta, y)
    assert curvature.min() > 0.0
    for share in (-1.0, -0.9, -0.1, -1e-3, 1e-3, 0.1, 0.9, 1.0):
        for i, u in enumerate(slope + share * curvature):
            one = eta[i : i + 1], y[i : i + 1]
            gap = loss.value(*one) + loss.conjugate(np.array([u]), one[1]) - u * eta[i]
            scale = abs(loss.value(*one)) + abs(u * eta[i]) + 1.0
            assert gap <= share**2 * curvature[i] + 1e-12 * scale


@pytest.mark.parametrize(
    "name", ["squared_error", "huber", "poisson", "gamma", "tweedie", "logistic", "squared_hinge"]
)
def test_the_value_is_the_sum_of_that_of_each_entry(name):
    loss, y = CASES[name]
    each = loss.each(np.stack([ETA, 2 * ETA]), y)
    assert each.shape == (2, *ETA.shape)
    assert each[1].sum() == pytest.approx(loss.value(2 * ETA, y), rel=1e-12)
    with pytest.raises(NotImplementedError, match="one value alone"):
        Quantile().each(ETA, y)
