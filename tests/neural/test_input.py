"""What the networks take: dtypes and sparse matrices; and what they refuse, with clear words."""

import json
import pickle
import tracemalloc
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from skreg import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
N = 60
X = RNG.standard_normal((N, 5))
y = X[:, 0] + np.abs(X[:, 1])
CLASSES = np.digitize(y, [0.0, 1.0])
BOTH = [(MLPClassifier, CLASSES), (MLPRegressor, y)]
SOLVERS = ("adam", "adamw", "sgd", "lbfgs")


def arrays(model):
    return [*model.coefs_, *model.intercepts_]


@pytest.mark.parametrize("given", ["float32", "float64", "int64", "bool"])
@pytest.mark.parametrize("dtype", ["float32", "float64", np.float64, np.dtype("float32")])
@pytest.mark.parametrize("solver", SOLVERS)
def test_everything_is_of_the_dtype_asked_for(solver, dtype, given):
    Z = (3 * X).astype(given)
    for normalization in (None, "layer"):
        options = {"solver": solver, "dtype": dtype, "max_iter": 2, "random_state": 0}
        options["normalization"] = normalization
        model = MLPRegressor((6, 4), **options).fit(Z, y)
        kinds = {each.dtype for each in arrays(model)}
        kinds |= {each.dtype for each in model.hidden_activations(Z)}
        assert kinds == {np.dtype(dtype)}


@pytest.mark.parametrize("given", ["float16", "float32", "float64", "int64", "bool"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_predictions_are_float32_where_both_x_and_network_are(dtype, given):
    """As of scikit-learn's networks, whose own type is that of X."""
    Z = (3 * X).astype(given)
    options = {"dtype": dtype, "max_iter": 2, "random_state": 0, "dropout": 0.1}
    model = MLPRegressor((6, 4), **options).fit(Z, y)
    classifier = MLPClassifier((6, 4), **options).fit(Z, CLASSES)
    expected = "float32" if dtype == "float32" and given in ("float16", "float32") else "float64"
    forms = [Z, pd.DataFrame(Z)] + ([] if given == "float16" else [scipy.sparse.csr_array(Z)])
    for form in forms:
        found = [model.predict(form), classifier.predict_proba(form)]
        found += [classifier.predict_log_proba(form), model.predict_samples(form, 2)]
        assert {each.dtype for each in found} == {np.dtype(expected)}
    assert model.predict(Z.tolist()).dtype == np.float64


def test_a_prediction_is_json():
    model = MLPRegressor(4, max_iter=2).fit(X, y)
    assert json.loads(json.dumps(model.predict(X)[0])) == model.predict(X)[0]


def test_float64_computes_in_float64():
    """The two differ by rounding of float32, and more than that of float64."""
    one, two = (
        MLPRegressor(6, dtype=dtype, max_iter=3, random_state=0, shuffle=False).fit(X, y)
        for dtype in ("float32", "float64")
    )
    difference = np.abs(one.coefs_[0] - two.coefs_[0]).max()
    assert 1e-9 < difference < 1e-4


@pytest.mark.parametrize("kind", ["csr_matrix", "csr_array", "csc_matrix", "coo_array"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_sparse_rows_are_what_dense_ones_are(solver, kind):
    Z = np.where(RNG.random((N, 30)) < 0.2, RNG.standard_normal((N, 30)), 0)
    sparse = getattr(scipy.sparse, kind)(Z)
    options = {"solver": solver, "max_iter": 5, "random_state": 0, "batch_size": 20}
    options |= {"dtype": "float64"}
    for estimator, target in BOTH:
        models = [estimator(7, **options).fit(rows, target) for rows in (Z, sparse)]
        for a, b in zip(*map(arrays, models), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(models[0].predict(Z), models[1].predict(sparse), rtol=1e-9)


def test_sparse_rows_with_everything_that_changes_inputs():
    Z = scipy.sparse.csr_array(np.where(RNG.random((N, 30)) < 0.2, 1.0, 0.0))
    options = {"input_noise": 0.1, "mixup": 0.3, "input_dropout": 0.2, "dropout": 0.5}
    options |= {"normalization": "batch", "adversarial_eps": 0.1, "early_stopping": True}
    for estimator, target in BOTH:
        model = estimator(7, max_iter=5, random_state=0, **options).fit(Z, target)
        assert np.isfinite(model.coefs_[0]).all()
        assert model.predict_samples(Z, n_samples=3, random_state=0).shape[:2] == (3, N)


def test_a_wide_sparse_matrix_is_never_made_dense():
    """160 MB if it were, in float32; a batch is 8 MB."""
    n, p = 2000, 20_000
    columns = RNG.integers(0, p, 2 * n)  # two entries a row
    Z = scipy.sparse.csr_array((np.ones(2 * n), columns, np.arange(0, 2 * n + 1, 2)), (n, p))
    model = MLPClassifier(2, max_iter=1, batch_size=100, random_state=0)
    tracemalloc.start()
    try:
        model.fit(Z, np.arange(n) % 2).predict(Z)
        assert tracemalloc.get_traced_memory()[1] < 6e7
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("order", ["C", "F"])
def test_inputs_are_not_changed(order):
    Z = np.array(X, order=order, dtype=np.float32)
    kept, target = Z.copy(), y.astype(np.float32)
    Z.flags.writeable = target.flags.writeable = False
    MLPRegressor(6, max_iter=3, input_noise=1.0, mixup=0.5, input_dropout=0.3, random_state=0).fit(
        Z, target
    )
    np.testing.assert_array_equal(Z, kept)


REFUSED = [
    ("dropout", 1.0),
    ("dropout", -0.1),
    ("dropout", [0.5, 1.0]),
    ("dropout", [0.5]),
    ("dropout", [0.5, 0.5, 0.5]),
    ("dropout", "half"),
    ("input_dropout", 1.0),
    ("input_dropout", -0.5),
    ("hidden_layer_sizes", (5, 0)),
    ("hidden_layer_sizes", (5, -3)),
    ("hidden_layer_sizes", (5, 2.5)),
    ("activation", "selu"),
    ("solver", "rmsprop"),
    ("penalty", "l3"),
    ("penalty", ["l1", "l2"]),
    ("penalty", ["l1", "l2", "l2", "l2"]),
    ("penalty", ["l1", "l2", "l3"]),
    ("penalty", 3),
    ("alpha", -1.0),
    ("alpha", [0.1, 0.1]),
    ("alpha", [0.1, 0.1, -0.1]),
    ("alpha", np.nan),
    ("l1_ratio", 1.5),
    ("weight_decay", -1.0),
    ("max_norm", 0.0),
    ("spectral_norm", -2.0),
    ("normalization", "group"),
    ("input_noise", -1.0),
    ("mixup", -1.0),
    ("adversarial_eps", -1.0),
    ("batch_size", 0),
    ("batch_size", "all"),
    ("batch_size", N + 1),
    ("learning_rate", "step"),
    ("learning_rate_init", 0.0),
    ("max_iter", 0),
    ("momentum", 1.5),
    ("validation_fraction", 1.0),
    ("n_iter_no_change", 0),
    ("clip_norm", 0.0),
    ("dtype", "float16"),
    ("scoring", "no_such_score"),
]


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_a_parameter_out_of_its_range_is_refused_by_name(name, value):
    more = {"early_stopping": True} if name in ("scoring", "validation_fraction") else {}
    for estimator, target in BOTH:
        options = {"hidden_layer_sizes": (5, 4), "max_iter": 2, **more, name: value}
        with pytest.raises((ValueError, TypeError), match=name):
            estimator(**options).fit(X, target)


def test_parameters_of_one_of_the_two():
    for value in (1.0, -0.1):
        with pytest.raises(ValueError, match="label_smoothing"):
            MLPClassifier(5, label_smoothing=value).fit(X, CLASSES)
    for name, value in (("loss", "hinge"), ("quantile", 0.0), ("quantile", 1.0)):
        with pytest.raises(ValueError, match=name):
            MLPRegressor(5, **{"loss": "quantile", name: value}).fit(X, y)
    with pytest.raises(ValueError, match="huber_delta"):
        MLPRegressor(5, loss="huber", huber_delta=0.0).fit(X, y)
    with pytest.raises(ValueError, match=r"(?i)poisson|negative"):
        MLPRegressor(5, loss="poisson").fit(X, y - 10)


def test_lbfgs_refuses_what_needs_steps_or_noise():
    noisy = {"dropout": 0.5, "input_dropout": 0.1, "input_noise": 0.1, "mixup": 0.1}
    steps = {"weight_decay": 0.1, "clip_norm": 1.0, "adversarial_eps": 0.1}
    for name, value in (noisy | steps).items():
        with pytest.raises(ValueError, match=f"{name}.*lbfgs|lbfgs.*{name}"):
            MLPRegressor(5, solver="lbfgs", **{name: value}).fit(X, y)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("place", ["X", "y"])
def test_values_that_are_not_finite_are_refused(place, value):
    Z, target = X.copy(), y.copy()
    (Z if place == "X" else target)[3] = value
    with pytest.raises(ValueError, match=r"NaN|infinity"):
        MLPRegressor(5).fit(Z, target)


def test_values_that_float32_cannot_hold_are_refused():
    for estimator, target in BOTH:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(ValueError, match=r"(?i)float32|infinity|large"):
                estimator(5).fit(X * 1e200, target)
            large = X.copy()
            large[7, 2] = 1e300
            for table in (large, large.tolist(), scipy.sparse.csr_array(large)):
                with pytest.raises(ValueError, match=r"(?s)float32.* in row 7 of X, column 2"):
                    estimator(5).fit(table, target)


def test_data_that_do_not_fit_are_refused():
    model = MLPRegressor(5, max_iter=2).fit(X, y)
    for method in (model.predict, model.hidden_activations):
        with pytest.raises(ValueError, match="features"):
            method(X[:, :3])
    with pytest.raises(ValueError, match=r"samples|length"):
        MLPRegressor(5).fit(X, y[:-1])
    with pytest.raises(ValueError, match=r"dropout"):
        model.predict_samples(X)  # nothing to draw


def test_one_class_and_names_of_classes():
    names = np.array(["no", "yes"])[(y > 0).astype(int)]
    model = MLPClassifier(16, max_iter=300, random_state=0, learning_rate_init=0.02).fit(X, names)
    assert set(model.predict(X)) <= {"no", "yes"}
    assert model.score(X, names) > 0.9
    with pytest.raises(ValueError, match=r"classes|class"):
        MLPClassifier(8).fit(X, y)  # numbers that are no classes


def test_a_small_probability_has_all_its_digits():
    """Of both classes: one less the other would leave float32 with next to none."""
    rows = np.linspace(-40, 40, 81)[:, None]
    model = MLPClassifier((), max_iter=1, random_state=0).fit(rows, rows[:, 0] > 0)
    model.coefs_, model.intercepts_ = [np.ones((1, 1), np.float32)], [np.zeros(1, np.float32)]
    expected = 1 / (1 + np.exp(np.hstack([rows, -rows])))
    np.testing.assert_allclose(model.predict_proba(rows), expected, rtol=1e-5)


def test_what_is_set_after_a_fit_is_of_the_next_training_alone():
    model = MLPRegressor(4, activation="tanh", dropout=0.5, max_iter=2, random_state=0).fit(X, y)
    before, samples = model.predict(X), model.predict_samples(X, 2, random_state=0)
    model.set_params(loss="poisson", activation="relu", dropout=0.0)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X.tolist()), before)
    np.testing.assert_array_equal(model.predict_samples(X, 2, random_state=0), samples)
    assert model.hidden_activations(X)[0].min() < 0.0
    model.partial_fit(X, np.abs(y))
    assert model.hidden_activations(X)[0].min() == 0.0
    model.set_params(dropout=0.5)
    with pytest.raises(ValueError, match=r"predict_samples needs dropout.*fitted without.*again"):
        model.predict_samples(X)
