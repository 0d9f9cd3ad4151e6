"""Each loss predicts what it says: a mean, a median, a quantile, a rate, probabilities."""

import numpy as np
import pytest
from sklearn.datasets import make_multilabel_classification
from sklearn.linear_model import LogisticRegression, PoissonRegressor

from skreg import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
N = 2000
NOTHING = np.zeros((N, 1))  # inputs that say nothing: the best prediction is one number
SKEWED = RNG.exponential(size=N)
LONG = {"max_iter": 300, "tol": 0.0, "n_iter_no_change": 1000, "learning_rate": "cosine"}
LONG |= {"learning_rate_init": 0.02, "random_state": 0, "alpha": 0.0}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, np.mean),
        ({"loss": "absolute_error"}, np.median),
        ({"loss": "quantile"}, np.median),
        ({"loss": "quantile", "quantile": 0.9}, lambda y: np.quantile(y, 0.9)),
        ({"loss": "quantile", "quantile": 0.1}, lambda y: np.quantile(y, 0.1)),
        ({"loss": "poisson"}, np.mean),
        ({"loss": "huber", "huber_delta": 100.0}, np.mean),
        ({"loss": "huber", "huber_delta": 1e-3}, np.median),
    ],
)
def test_a_constant_that_minimises_the_loss(options, expected):
    if options.get("huber_delta") == 1e-3:
        options = {**options, "solver": "sgd", "momentum": 0.99, "learning_rate_init": 5.0}
    model = MLPRegressor(2, **{**LONG, **options}).fit(NOTHING, SKEWED)
    assert model.predict(NOTHING[:1])[0] == pytest.approx(expected(SKEWED), abs=0.03)


def test_huber_withstands_outliers():
    x = RNG.uniform(-1, 1, (300, 1))
    y = 2 * x[:, 0] + 0.05 * RNG.standard_normal(300)
    spoilt = np.where(RNG.random(300) < 0.1, 50.0, y)
    errors = [
        np.median(np.abs(MLPRegressor(16, loss=loss, **LONG).fit(x, spoilt).predict(x) - y))
        for loss in ("squared_error", "huber", "absolute_error")
    ]
    assert max(errors[1:]) < 0.3 < errors[0]


def test_quantiles_cover_their_share():
    x = RNG.uniform(0, 1, (N, 1))
    y = x[:, 0] * RNG.standard_normal(N)  # the spread grows
    for q in (0.1, 0.8):
        model = MLPRegressor(32, loss="quantile", quantile=q, **LONG).fit(x, y)
        below = y <= model.predict(x)
        for part in (x[:, 0] < 0.5, x[:, 0] >= 0.5):
            assert np.mean(below[part]) == pytest.approx(q, abs=0.06)


def test_a_linear_poisson_net_is_poisson_regression():
    X = RNG.uniform(-1, 1, (300, 3))
    y = RNG.poisson(np.exp(X @ [1.0, -0.5, 0.2] + 1))
    options = {"solver": "lbfgs", "activation": "identity", "dtype": "float64", "alpha": 0.0}
    options |= {"max_iter": 5000, "tol": 1e-9, "random_state": 1}
    model = MLPRegressor(3, loss="poisson", **options).fit(X, y)
    glm = PoissonRegressor(alpha=0, tol=1e-9).fit(X, y)
    np.testing.assert_allclose(model.predict(X), glm.predict(X), rtol=1e-4)
    assert model.out_activation_ == "exp"


@pytest.mark.parametrize("classes", [2, 3])
def test_a_linear_classifier_is_logistic_regression(classes):
    X = RNG.standard_normal((200, 3))
    y = np.digitize(X[:, 0] + RNG.standard_normal(200), [0.0, 1.0][: classes - 1])
    options = {"solver": "lbfgs", "activation": "identity", "dtype": "float64", "alpha": 0.0}
    options |= {"max_iter": 5000, "tol": 1e-9, "random_state": 1}
    model = MLPClassifier(4, **options).fit(X, y)
    other = LogisticRegression(C=np.inf, tol=1e-9, max_iter=5000)
    np.testing.assert_allclose(model.predict_proba(X), other.fit(X, y).predict_proba(X), atol=1e-4)
    assert model.out_activation_ == ("logistic" if classes == 2 else "softmax")


def test_probabilities():
    X = RNG.standard_normal((100, 3))
    y = np.digitize(X[:, 0], [-0.5, 0.5])
    for target in (y, y > 0):
        model = MLPClassifier(8, max_iter=5, random_state=0).fit(X, target)
        shares = model.predict_proba(X)
        assert shares.shape == (100, len(model.classes_))
        np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-5)
        np.testing.assert_allclose(model.predict_log_proba(X), np.log(shares), rtol=1e-5, atol=1e-6)
        chosen = model.classes_[np.argmax(shares, axis=1)]
        np.testing.assert_array_equal(model.predict(X), chosen)
        assert model.score(X, target) == np.mean(chosen == target)


def test_several_labels_at_once():
    X, Y = make_multilabel_classification(200, n_classes=4, random_state=0)
    model = MLPClassifier(32, max_iter=300, random_state=0, learning_rate_init=0.01).fit(X, Y)
    shares = model.predict_proba(X)
    assert shares.shape == Y.shape
    np.testing.assert_array_equal(model.predict(X), (shares > 0.5).astype(int))
    assert model.score(X, Y) > 0.9
    assert model.out_activation_ == "logistic"


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "quantile"])
def test_several_targets_at_once(loss):
    X = RNG.standard_normal((300, 3))
    Y = np.column_stack([X[:, 0], X[:, 1] - X[:, 2], np.abs(X[:, 0])])
    options = {**LONG, "learning_rate_init": 0.01}
    model = MLPRegressor((32,), loss=loss, **options).fit(X, Y)
    assert model.predict(X).shape == Y.shape
    assert model.score(X, Y) > 0.9


def test_extreme_predictions_have_finite_losses():
    """Perfectly separated classes far apart: no overflow, no logarithm of zero."""
    X = np.array([[-1e4], [1e4]]).repeat(20, axis=0)
    y = np.repeat([0, 1], 20)
    for dtype in ("float32", "float64"):
        model = MLPClassifier(4, max_iter=20, dtype=dtype, random_state=0).fit(X, y)
        assert np.isfinite(model.loss_curve_).all()
        assert np.isfinite(model.predict_proba(X)).all()
