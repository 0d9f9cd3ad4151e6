"""What a page shows of models that are not skreg's, and of those fitted before."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_diabetes
from sklearn.linear_model import (
    ARDRegression,
    BayesianRidge,
    ElasticNetCV,
    LarsCV,
    LassoLars,
    LassoLarsCV,
    LogisticRegression,
    LogisticRegressionCV,
    SGDRegressor,
)
from sklearn.linear_model import Lasso as TheirLasso
from sklearn.linear_model import LassoCV as TheirLassoCV
from sklearn.linear_model import RidgeCV as TheirRidgeCV
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skreg
from skreg import Lasso, LassoCV, Ridge
from skreg.report.alphas import alpha_of, errors_kept, is_penalised


@pytest.fixture(scope="module")
def diabetes():
    return load_diabetes(return_X_y=True)


# The errors that scikit-learn's models keep


@pytest.mark.parametrize("kind", [LassoLarsCV, LarsCV])
def test_errors_of_least_angles_belong_to_their_own_alphas(gather, diabetes, kind):
    found = gather(kind(), *diabetes).models[0]
    own = found.estimator
    assert len(own.alphas_) != len(own.mse_path_)
    assert_allclose(found.cv.alpha_min, own.alpha_)
    assert_allclose(found.cv.mean.min(), own.mse_path_.mean(axis=1).min())
    assert np.all(np.diff(found.cv.alphas) < 0) or len(set(found.cv.alphas)) < len(found.cv.alphas)
    assert found.left_out == (
        f"No path: {kind.__name__} of scikit-learn keeps it in a form that this page does not"
        " draw; skreg's linear models do.",
    )


def test_least_angles_have_no_grid_with_an_edge(gather):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 3))
    y = X @ [1.0, 2.0, 3.0] + 0.01 * rng.normal(size=100)
    found = gather(LassoLarsCV(max_iter=1), X, y)
    assert found.models[0].cv.edge == "smallest"
    assert "alpha is at the edge of the grid" not in [each.title for each in found.cautions]


def test_errors_of_the_chosen_mixture(gather, diabetes):
    found = gather(ElasticNetCV(l1_ratio=[0.1, 0.5, 0.9]), *diabetes).models[0]
    own = found.estimator
    at = [0.1, 0.5, 0.9].index(own.l1_ratio_)
    assert_array_equal(found.cv.errors, own.mse_path_[at])
    assert found.alpha_min == own.alpha_
    assert found.alpha_1se >= own.alpha_


def test_errors_that_belong_to_no_alphas_are_not_shown():
    own = TheirLassoCV()
    own.alphas_, own.mse_path_ = np.array([3.0, 2.0, 1.0]), np.ones((2, 5))
    assert errors_kept(own) is None
    own.mse_path_ = np.ones((3, 5))
    assert_array_equal(errors_kept(own).alphas, own.alphas_)
    own.alphas_ = np.array([0.0, 0.5, 1.0])
    assert_array_equal(errors_kept(own).alphas, [1.0, 0.5])
    own.mse_path_[0] = 0.9  # without a penalty
    assert errors_kept(own) is None
    assert errors_kept(TheirLasso()) is None


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (TheirLassoCV(), "No path: LassoCV of scikit-learn keeps none;"),
        (TheirLasso(), "No path or cross-validation curve: Lasso of scikit-learn keeps none;"),
        (LassoLars(), "No path or cross-validation curve: LassoLars of scikit-learn keeps it in"),
    ],
)
def test_what_is_kept_is_not_denied(gather, diabetes, model, said):
    (reason,) = gather(model, *diabetes).models[0].left_out
    assert reason.startswith(said)


def test_a_path_of_logistic_regression_is_not_denied(gather, diabetes):
    X, y = diabetes
    (reason,) = gather(LogisticRegressionCV(Cs=2, cv=2), X, y > 140).models[0].left_out
    assert "keeps it in a form that this page does not draw" in reason


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("kind", [MLPRegressor, MLPClassifier])
def test_networks_of_scikit_learn(gather, diabetes, kind):
    X, y = diabetes
    y = y > 140 if kind is MLPClassifier else y
    plain = make_pipeline(StandardScaler(), kind(hidden_layer_sizes=(3,), max_iter=5))
    whole = kind(hidden_layer_sizes=(3,), max_iter=5, solver="lbfgs")
    first, second = gather([plain, whole], X, y, cv=2).models
    assert first.is_network
    assert second.is_network
    assert first.left_out == (
        "No path, cross-validation curve or coefficients: they are of linear models.",
    )
    assert second.left_out[1:] == (
        f"No training history: {kind.__name__} keeps none with this solver.",
    )


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_network_of_scikit_learn_is_drawn(diabetes, tmp_path):
    X, y = diabetes
    models = [
        ("history", MLPRegressor(hidden_layer_sizes=(3,), max_iter=5)),
        ("none", MLPRegressor(hidden_layer_sizes=(3,), max_iter=5, solver="lbfgs")),
    ]
    page = skreg.report(models, X, y, cv=2, path=tmp_path / "r.html").read_text(encoding="utf-8")
    assert page.count(">How the network was trained.") == 1
    assert page.count(">Weights of each layer") == 2


# What is a penalty


def test_the_alpha_of_a_noise_is_no_penalty(gather, diabetes):
    models = gather(
        [BayesianRidge(), ARDRegression(), Ridge(2.0), TheirRidgeCV()], *diabetes
    ).models
    assert [model.alpha for model in models[:3]] == [None, None, 2.0]
    assert models[3].alpha == models[3].estimator.alpha_


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (LogisticRegression(), True),
        (LogisticRegression().set_params(penalty=None), False),
        (LogisticRegression(C=np.inf), False),
        (SGDRegressor(), True),
        (SGDRegressor(penalty=None), False),
        (Ridge(1.0), True),
        (Ridge(0.0), False),
    ],
)
def test_what_is_penalised(model, expected):
    assert is_penalised(model) is expected
    if not expected:
        assert alpha_of(model) in (None, 0.0)


# Fitted before


@pytest.mark.parametrize("alpha", [0.2, 1e-9, 1e9])
def test_a_path_to_other_rows_is_left_out(gather, diabetes, alpha):
    X, y = diabetes
    part = gather(Lasso(alpha=alpha).fit(X[:60], y[:60]), X, y).models[0]
    whole = gather(Lasso(alpha=alpha).fit(X, y), X, y).models[0]
    assert (part.path is None) == (alpha < 1e9)  # where all are zero they are so for all rows
    assert whole.path is not None
    if part.path is None:
        assert part.left_out[-1].startswith("No path: it was fitted before, to other rows")
    assert not any("fitted before" in reason for reason in whole.left_out)


def test_a_model_fitted_before_brings_the_path_it_keeps(gather, diabetes):
    X, y = diabetes
    fitted = LassoCV().fit(X[:60], y[:60])
    assert gather(fitted, X, y).models[0].path is fitted.path_


# Searches


@pytest.mark.parametrize("alphas", [np.array([1000, 10_000, 100_000]), [1000, 10_000, 100_000]])
def test_a_grid_of_whole_numbers(gather, alphas):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    found = gather(GridSearchCV(Ridge(), {"alpha": alphas}), X, X[:, 0] + rng.normal(size=60) / 9)
    assert "GridSearchCV chose alpha=1000; the best" in found.models[0].notes[0]
    (text,) = [one.text for one in found.cautions if "edge of its grid" in one.title]
    assert "chose alpha=1000, the smallest that was tried" in text
