"""The same problem as scikit-learn's networks solve it, with alpha converted: divided by the rows.

L-BFGS in float64 on convex problems (no hidden unit does more than pass on) comes to the same
predictions from different starts; elsewhere the objectives are compared at the same weights.
"""

import inspect

import mlp_reference as reference
import numpy as np
import pytest
import sklearn
import sklearn.neural_network
from sklearn.utils.fixes import parse_version

import skreg
from skreg import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

needs_scikit_learn_1_9 = pytest.mark.skipif(
    parse_version(sklearn.__version__).release < (1, 9),
    reason="the interface that is promised is that of scikit-learn 1.9",
)

RNG = np.random.default_rng(0)
N = 80
X = RNG.standard_normal((N, 4))
TARGET = X @ [1.0, -1.0, 0.5, 0.0] + np.abs(X[:, 1]) + 0.1 * RNG.standard_normal(N)
CLASSES = np.digitize(TARGET + RNG.standard_normal(N), [0.0, 1.0])
TWO = (CLASSES > 0).astype(int)
SEVERAL = np.column_stack([TARGET, X[:, 2] - TARGET])
MULTILABEL = np.column_stack([TWO, X[:, 2] > 0]).astype(int)

LINEAR = {"activation": "identity", "solver": "lbfgs", "max_iter": 20_000, "max_fun": 200_000}
LINEAR |= {"tol": 1e-10, "random_state": 0}
CASES = {
    "regressor": ("MLPRegressor", TARGET),
    "several targets": ("MLPRegressor", SEVERAL),
    "two classes": ("MLPClassifier", TWO),
    "classes": ("MLPClassifier", CLASSES),
    "multilabel": ("MLPClassifier", MULTILABEL),
}


def pair(name):
    return getattr(skreg, name), getattr(sklearn.neural_network, name)


def output(model, Z):
    return model.predict_proba(Z) if hasattr(model, "predict_proba") else model.predict(Z)


@pytest.mark.parametrize("case", CASES)
def test_a_linear_net_converges_to_the_same_predictions(case):
    name, y = CASES[case]
    own, theirs = pair(name)
    alpha = 0.02
    a = own(hidden_layer_sizes=5, alpha=alpha, dtype="float64", **LINEAR).fit(X, y)
    b = theirs(hidden_layer_sizes=5, alpha=alpha * N, **LINEAR).fit(X, y)
    if case == "several targets":
        # Its loss is a mean over the targets, its gradient that of their sum (as ours is): its
        # line search ends early, near the solution.
        np.testing.assert_allclose(output(a, X), output(b, X), atol=0.05)
        raw = reference.raw_predictions(X, b.coefs_, b.intercepts_, "identity")
        squares = sum(np.sum(W**2) for W in b.coefs_)
        near = reference.mean(reference.squared_error(raw, y)) + alpha / 2 * squares
        assert near * (1 - 1e-3) < a.loss_ <= near * (1 + 1e-9)
        return
    # Theirs ends at scipy's own limit on the gain of an iteration, whatever their tol.
    assert 0 <= b.loss_ - a.loss_ < 1e-6 * b.loss_
    np.testing.assert_allclose(output(a, X), output(b, X), atol=2e-4)


@pytest.mark.parametrize("case", sorted(set(CASES) - {"several targets"}))
def test_a_net_that_is_not_linear_comes_to_as_small_an_objective(case):
    name, y = CASES[case]
    own, theirs = pair(name)
    alpha = 0.05
    options = {"activation": "tanh", "solver": "lbfgs", "max_iter": 5000, "max_fun": 50_000}
    options |= {"tol": 1e-9, "hidden_layer_sizes": 4}
    models = (own(alpha=alpha, dtype="float64", **options), theirs(alpha=alpha * N, **options))
    best = [min(m.set_params(random_state=k).fit(X, y).loss_ for k in range(4)) for m in models]
    np.testing.assert_allclose(*best, rtol=1e-3)


@pytest.mark.parametrize("case", CASES)
def test_scikit_learn_predicts_the_same_with_our_weights(case):
    """The attributes mean the same thing: its predict with our coefs_ is ours."""
    name, y = CASES[case]
    own, theirs = pair(name)
    options = {"hidden_layer_sizes": (6, 5), "activation": "logistic", "max_iter": 5}
    a = own(**options, dtype="float64", random_state=0).fit(X, y)
    b = theirs(**options, random_state=1).fit(X, y)
    b.coefs_, b.intercepts_ = a.coefs_, a.intercepts_
    np.testing.assert_allclose(output(a, X), output(b, X), rtol=1e-9)
    np.testing.assert_array_equal(a.predict(X).shape, b.predict(X).shape)
    assert a.score(X, y) == pytest.approx(b.score(X, y), rel=1e-9)


@pytest.mark.parametrize("case", CASES)
def test_fitted_attributes_have_scikit_learn_s_names_and_kinds(case):
    name, y = CASES[case]
    own, theirs = pair(name)
    for options in ({}, {"early_stopping": True}, {"solver": "sgd"}, {"solver": "lbfgs"}):
        a = own(hidden_layer_sizes=6, max_iter=3, random_state=0, **options).fit(X, y)
        b = theirs(hidden_layer_sizes=6, max_iter=3, random_state=0, **options).fit(X, y)
        for attribute, value in vars(b).items():
            if attribute.startswith("_") or not attribute.endswith("_"):
                continue
            if attribute == "t_" and "lbfgs" in options.values():
                continue  # scikit-learn counts no rows there
            mine = getattr(a, attribute)
            assert (mine is None) == (value is None), attribute
            if isinstance(value, int | str):
                assert mine == value, attribute
            elif attribute in ("coefs_", "intercepts_"):
                assert [w.shape for w in mine] == [w.shape for w in value]
            elif isinstance(value, list):
                assert isinstance(mine, list)
                assert len(mine) == len(value), attribute


def test_initial_weights_have_scikit_learn_s_distribution():
    """Uniform on an interval that fan-in and fan-out decide on: Glorot and Bengio (2010)."""
    for activation, factor in (("relu", 6.0), ("logistic", 2.0)):
        model = MLPRegressor(
            300, activation=activation, max_iter=1, learning_rate_init=1e-300, random_state=0
        ).fit(RNG.standard_normal((50, 200)), np.arange(50.0))
        bound = np.sqrt(factor / 500)
        weights = model.coefs_[0]
        assert 0.999 * bound < np.abs(weights).max() <= bound * (1 + 1e-6)
        np.testing.assert_allclose(weights.std(), bound / np.sqrt(3), rtol=0.02)
        assert np.abs(model.intercepts_[0]).max() <= bound * (1 + 1e-6)


@needs_scikit_learn_1_9
@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
def test_every_parameter_of_scikit_learn_has_its_default(name):
    own, theirs = (inspect.signature(each).parameters for each in pair(name))
    for parameter in theirs.values():
        assert repr(own[parameter.name].default) == repr(parameter.default), parameter.name
    positional = [p.name for p in own.values() if p.kind == p.POSITIONAL_OR_KEYWORD]
    assert positional == ["hidden_layer_sizes", "activation"]


def test_both_reach_the_same_accuracy_by_adam():
    rng = np.random.default_rng(1)
    Z = rng.standard_normal((1500, 6))
    labels = np.digitize(np.sin(Z[:, 0]) + Z[:, 1] * Z[:, 2], [-0.5, 0.5])
    options = {"hidden_layer_sizes": (48,), "max_iter": 60, "random_state": 0}
    options |= {"learning_rate_init": 0.005}
    train, test = slice(0, 1000), slice(1000, None)
    scores = [
        each(**options).fit(Z[train], labels[train]).score(Z[test], labels[test])
        for each in pair("MLPClassifier")
    ]
    assert min(scores) > 0.8
    assert scores[0] > scores[1] - 0.03


def test_our_alpha_is_the_one_of_the_docstring():
    """Objective at the end: mean loss + alpha / 2 times the squares."""
    model = MLPClassifier(5, alpha=0.3, solver="lbfgs", dtype="float64", random_state=0)
    model.fit(X, CLASSES)
    raw = reference.raw_predictions(X, model.coefs_, model.intercepts_)
    loss = reference.mean(reference.multiclass(raw, np.eye(3)[CLASSES]))
    squares = sum(np.sum(W**2) for W in model.coefs_)
    assert model.loss_ == pytest.approx(loss + 0.15 * squares, rel=1e-9)
