"""What a report warns of in models: choices among twins, scales of sparse tables, warnings."""

import warnings

import numpy as np
import pytest
from report_contents import caution, titles
from scipy import sparse
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import BayesianRidge, LinearRegression, LogisticRegression
from sklearn.linear_model import Lasso as TheirLasso
from sklearn.linear_model import LassoCV as TheirLassoCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skreg import Lasso, LassoCV, MLPRegressor, Ridge
from skreg.report.scores import Predictions, metrics_for


def twins(n=200, noise=0.01):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 5))
    X[:, 4] = X[:, 0] + noise * rng.normal(size=n)
    return X, 2 * X[:, 0] + rng.normal(size=n)


@pytest.mark.parametrize(
    "model",
    [TheirLasso(0.3), TheirLassoCV(alphas=[0.4, 0.3]), Lasso(0.3), LassoCV(alphas=[0.4, 0.3])],
)
def test_a_choice_among_twins_by_any_model(gather, model):
    text = caution(gather(make_pipeline(StandardScaler(), model), *twins()), "collinear").text
    assert text.startswith(f"{type(model).__name__} keeps x")


class Given(RegressorMixin, BaseEstimator):
    """Has the coefficients it was given."""

    def __init__(self, coefs):
        self.coefs = coefs

    def fit(self, X, y):
        self.coef_ = np.array(self.coefs)
        return self

    def predict(self, X):
        return X @ self.coef_


def test_what_arithmetic_leaves_of_a_zero_is_not_kept(gather):
    models = [("all", Given([1.5, 0.1, 0.1, 0.1, 0.5])), ("one", Given([2.0, 0, 0, 0, 3e-17]))]
    found = gather(models, *twins(noise=0))
    text = caution(found, "collinear").text
    assert text.startswith("one keeps x0, not x4 (they hold the same).\nAnother sample")
    simpler = [each.text for each in found.cautions if "simpler" in each.title]
    assert all(text.startswith("one, with 1 coefficient") for text in simpler)


def test_no_choice_where_both_are_kept(gather):
    for model in (LinearRegression(), Ridge()):
        assert not [title for title in titles(gather(model, *twins())) if "collinear" in title]


def test_a_choice_of_a_classifier(gather):
    X, y = twins()
    three = np.digitize(y, [-1, 1])
    model = LogisticRegression(C=0.05, solver="saga", max_iter=5000, random_state=0)
    keywords = {"l1_ratio": 1.0}
    if "deprecated" not in str(model.penalty):
        keywords["penalty"] = "elasticnet"
    found = gather(make_pipeline(StandardScaler(), model.set_params(**keywords)), X, three)
    coefficients = found.models[0].coefficients.values
    chosen = np.any(coefficients != 0, axis=0)[[0, 4]]
    assert ("The choice among collinear features is arbitrary" in titles(found)) == (
        chosen.sum() == 1
    )


def test_sparse_tables_get_advice_that_they_can_take(gather):
    X = sparse.random(300, 20, density=0.2, format="csr", random_state=0)
    y = np.asarray(X.sum(axis=1)).ravel()
    wide = (X @ sparse.diags(np.r_[np.full(10, 1.0), np.full(10, 1000.0)])).tocsr()
    text = caution(gather(Ridge(), wide, y), "different scales").text
    assert "Put a MaxAbsScaler, or StandardScaler(with_mean=False), before the model" in text
    for scaler in (MaxAbsScaler(), StandardScaler(with_mean=False)):
        assert "Features are penalised on different scales" not in titles(
            gather(make_pipeline(scaler, Ridge()), wide, y)
        )
    text = caution(gather(Ridge(), wide.toarray(), y), "different scales").text
    assert "Put a StandardScaler before the model" in text


@pytest.mark.filterwarnings("ignore")
def test_what_has_no_penalty_is_not_penalised(gather):
    X, y = twins()
    X = X * [1, 1, 1, 1, 1000]
    none = LogisticRegression(max_iter=5000).set_params(penalty=None)
    assert "Features are penalised on different scales" not in titles(gather(none, X, y > 0))
    found = gather([BayesianRidge(), LinearRegression()], X, y)
    assert "Features are penalised on different scales" not in titles(found)
    found = gather(LogisticRegression(max_iter=5000), X, y > 0)
    assert "Features are penalised on different scales" in titles(found)


def test_advice_is_given_once(gather):
    X, y = twins()
    model = make_pipeline(StandardScaler(), TheirLasso(1e-4, max_iter=1))
    theirs = caution(gather(model, X, y), "did not converge").text
    ours = caution(gather(MLPRegressor((3,), max_iter=2), X, y), "did not converge").text
    for text in (theirs, ours):
        assert text.lower().count("max_iter") + text.count("number of iterations") == 1, text
        assert "cale the features" in text


def test_a_network_that_has_learned_nothing(gather):
    """It has converged, and more iterations would not help: the warning says what would."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 3))
    network = MLPRegressor((3,), max_iter=500, tol=0.01, n_iter_no_change=3, random_state=0)
    one = caution(gather(network, X, 1e-3 * X[:, 0]), "learned nothing")
    assert one.serious
    assert "scale y" in one.text
    assert "max_iter" not in one.text


class Herald(RegressorMixin, BaseEstimator):
    """Announces what a later version will do, in two warnings, and has a third of its own."""

    def fit(self, X, y):
        warnings.warn("the default of a will be 2", FutureWarning, stacklevel=2)
        warnings.warn("b is gone in version 3", DeprecationWarning, stacklevel=2)
        warnings.warn("c is odd", UserWarning, stacklevel=2)
        return self

    def predict(self, X):
        return 2 * X[:, 0]


def test_announcements_are_one_line_at_the_end(gather):
    X, y = twins(20)
    found = gather([Herald(), ("other", Herald())], X, y)
    *others, last = found.cautions
    assert last.title == "A later version of a library will behave otherwise"
    assert last.text.startswith("2 such warnings, of which the first is: the default of a will")
    assert [each.text for each in others if "A warning of" in each.title] == ["c is odd"]
    assert "Folds hold out few rows" in titles(found)[:-1]


# Probabilities of classes that a fold's training rows lacked


def test_probabilities_of_all_classes_sum_to_one():
    class Half:
        classes_ = np.array(["a", "c"])

        def predict(self, X):
            return np.array(["a", "c"])

        def predict_proba(self, X):
            return np.array([[0.3, 0.3], [0.0, 0.4]])

    y, classes = np.array(["a", "b"]), np.array(["a", "b", "c"])
    held = Predictions(Half(), np.zeros((2, 1)), y, classes)
    assert held.probabilities.tolist() == [[0.5, 0.0, 0.5], [0.0, 0.0, 1.0]]
    (loss,) = [each for each in metrics_for("classification", None, 2) if each.name == "log loss"]
    assert loss.value(held) == pytest.approx((-np.log(0.5) - np.log(np.finfo(float).eps)) / 2)


def test_certainty_that_is_right_has_no_log_loss(gather):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    found = gather(DecisionTreeClassifier(random_state=0), X, X[:, 0] > np.median(X[:, 0]), cv=3)
    scores = {score.name: score.values for score in found.models[0].scores}
    right = scores["accuracy"] == 1
    assert right.any()
    assert (scores["log loss"][right] == 0).all()


def test_infinite_cells_number_no_rows(gather):
    X, y = twins(60)
    X = np.column_stack([X, np.arange(60)])
    X[[3, 4, 9], 5] = np.inf
    found = gather(HistGradientBoostingRegressor(max_iter=5), X, y)
    assert "A column may number the rows" not in titles(found)
