"""Batch and layer normalisation: which statistics training and prediction use."""

import numpy as np
import pytest

from skreg import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = 3 + 2 * RNG.standard_normal((50, 4))
y = X[:, 0] - X[:, 1] + 0.1 * RNG.standard_normal(50)

# Weights that do not move, all rows in one batch: the first layer's input to the normalisation is
# the same in every epoch.
STILL = {"dtype": "float64", "solver": "sgd", "momentum": 0.0, "learning_rate_init": 1e-300}
STILL |= {"batch_size": len(X), "random_state": 0, "alpha": 0.0, "tol": 0.0}


@pytest.mark.parametrize("epochs", [1, 3, 40])
def test_running_statistics_average_means_and_unbiased_variances(epochs):
    """Of exponential weight 0.1, starting at mean 0 and variance 1."""
    model = MLPRegressor(
        6, normalization="batch", activation="identity", max_iter=epochs, n_iter_no_change=100,
        **STILL,
    ).fit(X, y)  # fmt: skip
    z = X @ model.coefs_[0] + model.intercepts_[0]
    left = 0.9**epochs
    mean = (1 - left) * z.mean(axis=0)
    variance = (1 - left) * z.var(axis=0, ddof=1) + left
    (hidden,) = model.hidden_activations(X)
    np.testing.assert_allclose(hidden, (z - mean) / np.sqrt(variance + 1e-5), rtol=1e-9)


def test_adversarial_batches_move_the_running_statistics_as_well():
    """The batch first and then its moved copy: twice an epoch."""
    moved = []
    for eps in (1e-12, 1.0):
        model = MLPRegressor(
            6, normalization="batch", activation="identity", max_iter=1, adversarial_eps=eps,
            **STILL,
        ).fit(X, y)  # fmt: skip
        z = X @ model.coefs_[0] + model.intercepts_[0]
        # What the second half adds, as a mean of the pre-activations.
        moved.append((model.running_means_[0] - 0.9 * 0.1 * z.mean(axis=0)) / 0.1)
        if eps < 1:
            np.testing.assert_allclose(moved[0], z.mean(axis=0), rtol=1e-9)
            variance = 0.81 + 0.19 * z.var(axis=0, ddof=1)
            np.testing.assert_allclose(model.running_variances_[0], variance, rtol=1e-9)
    # Each feature's mean has moved by at most eps, and some have.
    shift = np.abs(moved[1] - moved[0])
    assert np.all(shift <= np.abs(model.coefs_[0]).sum(axis=0) + 1e-9)
    assert shift.max() > 1e-3


@pytest.mark.parametrize("normalization", ["batch", "layer"])
def test_a_prediction_does_not_depend_on_the_other_rows(normalization):
    model = MLPRegressor(
        (16, 8), normalization=normalization, max_iter=20, random_state=0, dtype="float64"
    ).fit(X, y)
    whole = model.predict(X)
    alone = [model.predict(row[None])[0] for row in X]
    np.testing.assert_allclose(alone, whole, rtol=1e-9)
    np.testing.assert_allclose(model.predict(X[::-1]), whole[::-1], rtol=1e-9)


def test_layer_normalisation_makes_rows_of_mean_zero_and_variance_one():
    model = MLPRegressor(64, normalization="layer", activation="identity", max_iter=1, **STILL).fit(
        X, y
    )
    (hidden,) = model.hidden_activations(X)
    np.testing.assert_allclose(hidden.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(hidden.var(axis=1), 1, rtol=1e-3)


@pytest.mark.parametrize("normalization", ["batch", "layer"])
@pytest.mark.parametrize("solver", ["adam", "adamw", "sgd"])
def test_normalised_nets_learn(normalization, solver):
    model = MLPRegressor(
        (32, 16), normalization=normalization, solver=solver, max_iter=300, tol=0.0,
        learning_rate_init=0.01, batch_size=10, random_state=0, n_iter_no_change=1000,
    ).fit(X, y)  # fmt: skip
    assert model.score(X, y) > 0.9


@pytest.mark.parametrize("normalization", ["batch", "layer"])
def test_normalisation_lets_deep_nets_of_logistic_units_learn(normalization):
    """Five saturating layers: a plain net stays at the share of the larger class."""
    rng = np.random.default_rng(0)
    Z = rng.standard_normal((400, 5))
    labels = (Z[:, 0] + Z[:, 1] > 0).astype(int)
    common = {"activation": "logistic", "max_iter": 60, "random_state": 0, "tol": 0.0}
    common |= {"solver": "sgd", "learning_rate_init": 0.05, "n_iter_no_change": 1000}
    common |= {"hidden_layer_sizes": (16,) * 5, "batch_size": 40}
    scores = [
        MLPClassifier(normalization=kind, **common).fit(Z, labels).score(Z, labels)
        for kind in (None, normalization)
    ]
    assert scores[0] < 0.6
    assert scores[1] > 0.9


def test_a_last_batch_of_one_row_is_no_trouble():
    model = MLPRegressor(8, normalization="batch", batch_size=7, max_iter=10, random_state=0).fit(
        X, y
    )  # 50 rows: seven batches of 7, one row left
    assert np.isfinite(model.predict(X)).all()
    assert np.isfinite(model.history_["objective"]).all()


def test_batch_normalisation_with_lbfgs_is_refused():
    with pytest.raises(ValueError, match=r"normalization.*lbfgs|lbfgs.*normalization"):
        MLPRegressor(8, normalization="batch", solver="lbfgs").fit(X, y)


def test_layer_normalisation_with_lbfgs_learns():
    model = MLPRegressor(
        8, normalization="layer", solver="lbfgs", random_state=0, max_iter=300
    ).fit(X, y)
    assert model.score(X, y) > 0.95


def test_penalties_leave_scale_and_shift_alone():
    """Without influence of the inputs on y, L1 takes all weights; the shift may still learn."""
    model = MLPRegressor(
        8, normalization="batch", penalty="l1", alpha=10.0, max_iter=300, tol=0.0,
        solver="sgd", learning_rate_init=0.05, n_iter_no_change=1000, random_state=0,
    ).fit(X, 2 + 1e-3 * RNG.standard_normal(len(X)))  # fmt: skip
    assert list(model.sparsity_) == [1, 1]
    np.testing.assert_allclose(model.predict(X), 2.0, atol=0.01)
