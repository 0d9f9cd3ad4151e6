"""What `skreg.report` finds out: scores by the same folds, what each model shows, the data."""

import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LassoCV as TheirLassoCV
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    StratifiedKFold,
    TimeSeriesSplit,
    cross_validate,
)
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

import skreg
from skreg import Lasso, LassoCV, MLPClassifier, MLPRegressor, Ridge


@pytest.fixture(scope="module")
def diabetes():
    return load_diabetes(return_X_y=True, as_frame=True)


def scaled(model):
    return make_pipeline(StandardScaler(), model)


# Scores


def test_scores_are_those_of_cross_validate(gather, diabetes):
    X, y = diabetes
    model = scaled(LassoCV(cv=3))
    found = gather(model, X, y, cv=4, random_state=7).models[0]
    names = {
        "R²": "r2",
        "root mean squared error": "neg_root_mean_squared_error",
        "mean absolute error": "neg_mean_absolute_error",
    }
    folds = KFold(4, shuffle=True, random_state=7)
    theirs = cross_validate(model, X, y, cv=folds, scoring=list(names.values()))
    assert [score.name for score in found.scores] == list(names)
    for score in found.scores:
        values = theirs[f"test_{names[score.name]}"]
        assert_allclose(score.values, values if score.greater_is_better else -values)
        assert_allclose(score.standard_error, np.std(values, ddof=1) / 2)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_scores_of_classes(gather, n_classes):
    X, y = load_iris(return_X_y=True)
    rows = np.flatnonzero(y > 2 - n_classes)
    X, y = X[rows], np.array(["setosa", "versicolor", "virginica"])[y[rows]]
    model = LogisticRegression(C=0.01)
    found = gather([model], X, y, cv=3)
    names = {
        "accuracy": "accuracy",
        "balanced accuracy": "balanced_accuracy",
        "ROC AUC": "roc_auc" if n_classes == 2 else "roc_auc_ovr",
        "log loss": "neg_log_loss",
    }
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    theirs = cross_validate(model, X, y, cv=folds, scoring=list(names.values()))
    assert [score.name for score in found.models[0].scores] == list(names)
    for score in found.models[0].scores:
        values = theirs[f"test_{names[score.name]}"]
        assert_allclose(score.values, values if score.greater_is_better else -values)
    assert found.classes == tuple(np.unique(y))
    assert_allclose(found.models[0].probabilities.sum(axis=1), 1)
    assert found.glance.target_summary[0][1].startswith("50 rows")


def test_held_out_rows_are_predicted_by_a_model_that_has_not_seen_them(gather, diabetes):
    X, y = diabetes
    found = gather(KNeighborsRegressor(1), X, y)
    assert (
        np.mean(found.models[0].held_out == y) < 0.1
    )  # a neighbour that is itself is always right
    assert_array_equal(found.y, y)


def test_rows_that_no_fold_holds_out_are_left_out(gather, diabetes):
    X, y = diabetes
    cv = TimeSeriesSplit(3)
    found = gather([LinearRegression(), Ridge()], X, y, cv=cv)
    first = next(cv.split(X))[1][0]
    assert_array_equal(found.y, y[first:])
    assert all(model.held_out.shape == found.y.shape for model in found.models)
    assert f"{len(y) - first} of the 442 rows are held out" in found.score_note


def test_the_baseline_knows_the_target_alone(gather, diabetes):
    X, y = diabetes
    found = gather(Ridge(), X, y)
    assert abs(found.baseline.scores[0].mean) < 0.01
    assert [score.name for score in found.baseline.scores] == [
        score.name for score in found.models[0].scores
    ]
    assert found.baseline not in found.models


def test_the_best_is_that_of_the_first_score(gather, diabetes):
    X, y = diabetes
    models = [("bad", Ridge(1e9)), ("good", Ridge(1e-3))]
    assert gather(models, X, y).best == 1
    found = gather(models, X, y, scoring="neg_median_absolute_error")
    first = found.models[found.best].scores[0]
    assert (first.name, first.greater_is_better, found.best) == ("median absolute error", False, 1)
    assert first.mean > 0
    found = gather(models, X, y, scoring="neg_mean_absolute_error")
    names = [score.name for score in found.models[0].scores]
    assert names == ["mean absolute error", "R²", "root mean squared error"]


def test_what_a_classifier_lacks_is_not_a_number(gather):
    X, y = load_iris(return_X_y=True)
    found = gather([LinearSVC(max_iter=10_000), LogisticRegression(max_iter=1000)], X, y)
    loss = [model.scores[3].mean for model in found.models]
    assert np.isnan(loss[0])
    assert loss[1] < 0.5
    assert found.models[0].probabilities is None


def test_single_rows_have_no_r2(gather, diabetes):
    X, y = diabetes
    found = gather(LinearRegression(), X[:12], y[:12], cv=6)
    assert found.models[0].scores[0].name == "R²"
    found = gather(LinearRegression(), X[:30], y[:30], cv=KFold(30))
    assert found.models[0].scores[0].name == "root mean squared error"


def test_the_same_numbers_in_each_run_and_with_more_jobs(gather, diabetes):
    X, y = (values[:60] for values in diabetes)
    models = [MLPRegressor((5,), max_iter=20), Ridge()]
    first = gather(models, X, y, random_state=3)
    for options in ({}, {"n_jobs": 2}):
        again = gather(models, X, y, random_state=3, **options)
        for one, other in zip(first.models, again.models, strict=True):
            assert_array_equal(one.held_out, other.held_out)
    other = gather(models, X, y, random_state=4)
    assert not np.array_equal(first.models[0].held_out, other.models[0].held_out)
    assert models[0].random_state is None


def test_nothing_that_was_given_is_changed(gather, diabetes):
    X, y = diabetes[0].to_numpy().copy(), diabetes[1].to_numpy().copy()
    before = X.copy(), y.copy()
    greedy = make_pipeline(StandardScaler(copy=False), TheirLassoCV(copy_X=False))
    gather([greedy, scaled(Ridge())], X, y)
    assert_array_equal(X, before[0])
    assert_array_equal(y, before[1])
    assert not hasattr(greedy[-1], "coef_")
    assert not hasattr(greedy[0], "mean_")


# What is shown of a model


def test_a_cv_estimator_brings_its_path_and_both_alphas(gather, diabetes):
    X, y = diabetes
    model = scaled(LassoCV())
    found = gather(model, X, y).models[0]
    mine = clone(model).fit(X, y)[-1]
    assert found.name == "LassoCV"
    assert (found.alpha, found.alpha_min, found.alpha_1se) == (
        mine.alpha_,
        mine.alpha_min_,
        mine.alpha_1se_,
    )
    assert_array_equal(found.path.coefs, mine.path_.coefs)
    assert_array_equal(found.cv.errors, mine.cv_result_.errors)
    assert_array_equal(found.coefficients.values, mine.coef_)
    assert list(found.coefficients.names) == list(X.columns)
    at = np.flatnonzero(mine.path_.alphas == mine.alpha_1se_)[0]
    assert_array_equal(found.coefficients.at_1se, mine.path_.coefs[:, at])
    assert found.left_out == ()
    assert gather(scaled(LassoCV(rule="1se")), X, y).models[0].coefficients.at_1se is None


@pytest.mark.parametrize("alpha", [0.5, 1e-7, 1e7])
def test_a_single_alpha_gets_a_path_that_has_it(gather, diabetes, alpha):
    X, y = diabetes
    found = gather(scaled(Lasso(alpha=alpha)), X, y).models[0]
    assert found.path.alphas[-1] <= alpha <= found.path.alphas[0]
    assert found.cv is None
    assert found.left_out == (
        "No cross-validation curve: Lasso has a single alpha; LassoCV chooses one.",
    )


def test_of_other_models_what_they_have(gather, diabetes):
    X, y = diabetes
    found = gather([LinearRegression(), KNeighborsRegressor(), TheirLassoCV()], X, y).models
    assert found[0].coefficients is not None
    assert "LinearRegression of scikit-learn keeps none" in found[0].left_out[0]
    assert found[1].coefficients is None
    assert "KNeighborsRegressor has none" in found[1].left_out[0]
    assert_array_equal(found[2].cv.errors, found[2].estimator.mse_path_)
    assert found[2].alpha_min == found[2].alpha == found[2].estimator.alpha_
    assert found[2].path is None


def test_a_search_shows_its_best_model(gather, diabetes):
    X, y = diabetes
    search = GridSearchCV(scaled(Lasso()), {"lasso__alpha": [0.1, 1.0, 50.0]})
    found = gather(search, X, y).models[0]
    assert found.name == "GridSearchCV of Lasso"
    assert type(found.estimator) is Lasso
    assert found.path is not None
    assert "GridSearchCV chose lasso__alpha=" in found.notes[0]


def test_a_standardised_target_is_undone(gather, diabetes):
    X, y = diabetes
    plain = gather(scaled(Ridge(5.0)), X, y).models[0]
    wrapped = TransformedTargetRegressor(Ridge(5.0), transformer=StandardScaler())
    found = gather(scaled(wrapped), X, y).models[0]
    assert found.name == "TransformedTargetRegressor of Ridge"
    assert_allclose(found.coefficients.values, plain.coefficients.values)
    assert_allclose(found.path.coefs, plain.path.coefs, atol=1e-9)
    assert_allclose(found.scores[0].values, plain.scores[0].values)
    own = TransformedTargetRegressor(LassoCV(), transformer=StandardScaler())
    found, plain = (gather(scaled(model), X, y).models[0] for model in (own, LassoCV()))
    assert_allclose(found.cv.errors, plain.cv.errors, rtol=1e-6)
    assert_allclose(found.path.coefs, plain.path.coefs, rtol=1e-6, atol=1e-9)
    assert_allclose(found.path.intercepts, plain.path.intercepts, rtol=1e-6)


def test_a_fitted_estimator_is_shown_as_it_is(gather, diabetes):
    X, y = diabetes
    model = scaled(LassoCV()).fit(X[:200], y[:200])
    before = model[-1].coef_.copy()
    found = gather([model, scaled(LassoCV())], X, y).models
    assert found[0].estimator is model[-1]
    assert_array_equal(found[0].coefficients.values, before)
    assert "It was fitted before" in found[0].notes[0]
    assert np.isnan(found[0].seconds)
    assert_array_equal(found[0].scores[0].values, found[1].scores[0].values)
    assert found[1].name == "LassoCV (2)"


def test_what_predicts_without_a_fit_is_not_fitted(gather, diabetes):
    X, y = (values[:60] for values in diabetes)
    found = gather(GaussianProcessRegressor(alpha=1.0), X, y).models[0]
    assert found.notes == ()
    assert found.seconds > 0


def test_predictions_that_are_no_numbers_have_no_score(gather, diabetes):
    X, y = diabetes
    found = gather([IsotonicRegression(), LinearRegression()], X[["bmi"]], y)
    assert np.isnan(found.models[0].scores[0].mean)
    assert found.best == 1
    assert "not numbers" in found.cautions[0].text


def test_networks(gather):
    X, y = load_iris(return_X_y=True)
    found = gather(scaled(MLPClassifier((5,), max_iter=300)), X, y).models[0]
    assert found.is_network
    assert hasattr(found.estimator, "history_")
    assert found.path is None
    assert found.probabilities.shape == (150, 3)


def test_coefficients_of_classes(gather):
    X, y = load_iris(return_X_y=True)
    found = gather(LogisticRegression(max_iter=1000), X, y).models[0].coefficients
    assert found.values.shape == (3, 4)
    assert found.targets == ("0", "1", "2")
    found = gather(LogisticRegression(max_iter=1000), X[50:], y[50:]).models[0]
    assert found.coefficients.values.shape == (4,)
    assert found.notes == ("A positive coefficient speaks for the class 2.",)


def test_what_code_cannot_say_stands_by_name(gather, diabetes):
    X, y = diabetes[0].to_numpy(), diabetes[1]
    inner = LassoCV(cv=KFold(3), alphas=np.array([1.0, 0.1]))
    names = list(diabetes[0].columns)
    call = gather(inner, X, y, cv=TimeSeriesSplit(3), feature_names=names).call
    assert "from sklearn.model_selection import KFold, TimeSeriesSplit\n" in call
    assert "    feature_names=feature_names,\n" in call
    asked = {}
    code = call[: call.index("skreg.report(")] + call[call.index("skreg.report(") :].replace(
        "skreg.report(", "asked.update(estimators="
    ).replace("    X,\n    y,\n", "")
    exec(code, {"asked": asked, "feature_names": names})
    assert asked["estimators"][0][1].cv.n_splits == 3
    assert asked["cv"].n_splits == 3
    folds = list(KFold(3).split(X))
    assert "    cv=cv,\n" in gather(Ridge(), X, y, cv=folds).call


def test_names_and_numbers_are_enough_for_python_to_do_it_again(gather, diabetes):
    X, y = diabetes
    call = gather([("mine", scaled(Lasso(alpha=0.5)))], X, y, title="<T>").call
    assert "from skreg import Lasso\n" in call
    assert "from sklearn.pipeline import Pipeline\n" in call
    assert "('mine', Pipeline(" in call
    code = call.replace("skreg.report(", "seen = dict(estimators=", 1)
    code = code.replace("    X,\n", "    X=X,\n").replace("    y,\n", "    y=y,\n")
    names = {"X": X, "y": y}
    exec(code, names)
    assert names["seen"]["estimators"][0][1][-1].alpha == 0.5
    assert names["seen"]["title"] == "<T>"


# What else


def test_the_forest_of_a_library_is_named_in_the_versions(gather):
    X, y = load_iris(return_X_y=True)
    found = gather(RandomForestClassifier(5), X, y)
    assert found.models[0].name == "RandomForestClassifier"
    names = [name for name, _ in found.versions]
    assert names[:2] == ["Python", "skreg"]
    assert dict(found.versions)["skreg"] == skreg.__version__


def test_progress_is_a_line_a_fit(gather, diabetes, capsys):
    X, y = diabetes
    gather(Ridge(), X, y, cv=3, verbose=1)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Ridge: all rows, ")
    assert err.count("\n") == 5
    assert "Ridge: fold 3 of 3, " in err


def test_nothing_is_printed_or_warned(diabetes, tmp_path, capsys):
    X, y = diabetes
    skreg.report(MLPRegressor((5,), max_iter=2), X, y, path=tmp_path / "page.html", cv=2)
    assert capsys.readouterr() == ("", "")
    assert (tmp_path / "page.html").read_text(encoding="utf-8").startswith("<!")
    assert sys.modules["skreg"].report is skreg.report
