"""Optimisers and full-batch solutions against formulas: each step, and where the steps lead."""

import mlp_reference as reference
import numpy as np
import pytest
from mlp_reference import differences, parameters, raw_predictions
from sklearn.linear_model import LogisticRegression

from skreg import ElasticNet, Lasso, MLPClassifier, MLPRegressor, Ridge

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
N, STEPS, RATE = 15, 6, 0.05
X = RNG.standard_normal((N, 3))
TARGET = X[:, :1] - np.abs(X[:, 1:2])


def sgd(momentum=0.0, nesterov=False):
    velocity = {}

    def change(k, w, g, t, rate):
        velocity[k] = momentum * velocity.get(k, 0) + g
        return -rate * (g + momentum * velocity[k] if nesterov else velocity[k])

    return change


def adam(beta_1=0.9, beta_2=0.999, epsilon=1e-8, decay=0.0):
    first, second = {}, {}

    def change(k, w, g, t, rate):
        first[k] = beta_1 * first.get(k, 0) + (1 - beta_1) * g
        second[k] = beta_2 * second.get(k, 0) + (1 - beta_2) * g**2
        mean, square = first[k] / (1 - beta_1**t), second[k] / (1 - beta_2**t)
        return -rate * (mean / (np.sqrt(square) + epsilon) + decay * w * (w.ndim > 1))

    return change


OPTIMISERS = {
    "sgd": ({"solver": "sgd", "momentum": 0.0}, sgd()),
    "momentum": (
        {"solver": "sgd", "momentum": 0.8, "nesterovs_momentum": False},
        sgd(0.8),
    ),
    "nesterov": ({"solver": "sgd", "momentum": 0.8}, sgd(0.8, nesterov=True)),
    "adam": ({"solver": "adam"}, adam()),
    "adam, other constants": (
        {"solver": "adam", "beta_1": 0.5, "beta_2": 0.9, "epsilon": 0.1},
        adam(0.5, 0.9, 0.1),
    ),
    "adamw": ({"solver": "adamw", "weight_decay": 0.3}, adam(decay=0.3)),
}


@pytest.mark.parametrize("name", OPTIMISERS)
def test_every_step_is_that_of_the_formula(name):
    options, change = OPTIMISERS[name]
    options = {**reference.PLAIN_STEP, "batch_size": N, "activation": "tanh", **options}
    options |= {"hidden_layer_sizes": 4, "alpha": 0.1, "n_iter_no_change": 100}
    still = MLPRegressor(**options | {"weight_decay": 0.0}, learning_rate_init=1e-300)
    weights = parameters(still.fit(X, TARGET[:, 0]))
    options |= {"max_iter": STEPS, "learning_rate_init": RATE}
    model = MLPRegressor(**options).fit(X, TARGET[:, 0])

    def objective():
        raw = raw_predictions(X, weights[:2], weights[2:], "tanh")
        squares = sum(np.sum(W**2) for W in weights[:2])
        return reference.mean(reference.squared_error(raw, TARGET)) + 0.05 * squares

    for t in range(1, STEPS + 1):
        for k, g in enumerate(differences(objective, weights)):
            weights[k] += change(k, weights[k], g, t, RATE)
    for expected, found in zip(weights, parameters(model), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


ROWS = 60
Z = RNG.standard_normal((ROWS, 6))
Y = Z @ [2.0, -1.0, 0.5, 0.0, 0.0, 0.1] + 3 + 0.3 * RNG.standard_normal(ROWS)
ALPHA = 0.2
LINEAR = {
    "l1": ({"penalty": "l1"}, Lasso(alpha=ALPHA)),
    "elasticnet": (
        {"penalty": "elasticnet", "l1_ratio": 0.3},
        ElasticNet(alpha=ALPHA, l1_ratio=0.3),
    ),
    "l2": ({"penalty": "l2"}, Ridge(alpha=ALPHA * ROWS)),
}
LONG = {
    "lbfgs": {"max_iter": 5000, "tol": 1e-10},
    "sgd": {"max_iter": 3000, "learning_rate_init": 0.05, "momentum": 0.5, "tol": 0.0},
    "adam": {"max_iter": 6000, "learning_rate_init": 0.01, "tol": 0.0},
}


@pytest.mark.parametrize("solver", LONG)
@pytest.mark.parametrize("name", LINEAR)
def test_a_net_without_hidden_layers_is_a_penalised_linear_model(name, solver):
    """Every weight, the ones that are exactly zero, and the bias, which has no penalty."""
    options, linear = LINEAR[name]
    options = {**options, **LONG[solver], "solver": solver, "alpha": ALPHA, "dtype": "float64"}
    model = MLPRegressor((), n_iter_no_change=10_000, batch_size=ROWS, random_state=0, **options)
    linear.fit(Z, Y)
    model.fit(Z, Y)
    np.testing.assert_allclose(model.coefs_[0][:, 0], linear.coef_, atol=1e-4)
    np.testing.assert_allclose(model.intercepts_[0], linear.intercept_, atol=1e-4)
    np.testing.assert_array_equal(model.coefs_[0][:, 0] == 0, linear.coef_ == 0)
    assert (name == "l2") == (not np.any(linear.coef_ == 0))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("alpha", [0.003, 0.03, 0.2])
def test_lbfgs_finds_the_lasso_of_correlated_features_from_any_start(alpha, seed):
    """Among many bounds L-BFGS stops short, with both parts of a weight above zero."""
    random = np.random.default_rng(seed)
    X = random.standard_normal((300, 12)) + 1.5 * random.standard_normal((300, 1))
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    y = X[:, :4] @ [0.4, -0.3, 0.2, 0.1] + random.standard_normal(300)
    model = MLPRegressor(
        (), solver="lbfgs", penalty="l1", alpha=alpha, tol=1e-8, max_iter=1000, dtype="float64",
        random_state=seed,
    ).fit(X, y)  # fmt: skip
    lasso = Lasso(alpha=alpha).fit(X, y)
    np.testing.assert_allclose(model.coefs_[0][:, 0], lasso.coef_, atol=1e-6)
    np.testing.assert_array_equal(model.coefs_[0][:, 0] == 0, lasso.coef_ == 0)
    penalty = alpha * np.abs(model.coefs_[0]).sum()
    half_mse = np.mean((model.predict(X) - y) ** 2) / 2
    assert model.loss_ == pytest.approx(half_mse + penalty, rel=1e-12)


def test_a_smaller_tol_brings_lbfgs_nearer():
    """To the one minimum that there is, where scipy's own limit on the gain would stop it."""
    objectives = [
        MLPClassifier(
            (), solver="lbfgs", alpha=1e-4, tol=tol, max_iter=5000, dtype="float64", random_state=0
        ).fit(Z[:, :3], Y > 3).loss_
        for tol in (1e-3, 1e-5, 1e-7, 1e-9)
    ]  # fmt: skip
    assert objectives[0] - objectives[3] > 1e-5
    assert 1e-12 < objectives[1] - objectives[3] < 1e-10  # near enough for scipy's own limit
    assert 0 <= objectives[2] - objectives[3] < 1e-12


@pytest.mark.parametrize("classes", [2, 3])
def test_a_net_without_hidden_layers_is_logistic_regression(classes):
    labels = np.digitize(Y, [3.0, 5.0][: classes - 1])
    model = MLPClassifier(
        (), solver="lbfgs", alpha=0.02, dtype="float64", max_iter=5000, tol=1e-10, random_state=0
    ).fit(Z, labels)
    # two classes have one row of weights in both, several have one a class
    other = LogisticRegression(C=1 / (0.02 * ROWS), tol=1e-10, max_iter=100_000).fit(Z, labels)
    np.testing.assert_allclose(model.predict_proba(Z), other.predict_proba(Z), atol=1e-4)
