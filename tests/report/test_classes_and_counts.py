"""Pages on models of classes, counts and amounts: what they show, and in which words."""

import re

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from report_contents import caution
from sklearn import linear_model
from sklearn.calibration import calibration_curve
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_wine
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skreg
from skreg import (
    GammaRegressor,
    HuberRegressor,
    LassoCV,
    LinearSVC,
    LogisticRegression,
    LogisticRegressionCV,
    MLPClassifier,
    MLPRegressor,
    PoissonRegressor,
    PoissonRegressorCV,
    TweedieRegressor,
)
from skreg.report import pictures
from skreg.report.alphas import inverse_of, share_of_l1
from skreg.report.families import power_of

Figure = pytest.importorskip("matplotlib.figure").Figure
L1 = LogisticRegressionCV(alphas=20, l1_ratios=[1.0], cv=3, rule="1se")


@pytest.fixture(scope="module")
def wines():
    X, y = load_wine(return_X_y=True, as_frame=True)
    return (X - X.mean()) / X.std(), np.array(["barolo", "grignolino", "barbera"])[y]


@pytest.fixture(scope="module")
def counts():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 4))
    return X, rng.poisson(np.exp(0.5 + X[:, 0] - 0.5 * X[:, 1]))


def drawn(model, contents, monkeypatch):
    """Captions and axes of a model's pictures, by the names of the pictures."""
    found = {}

    def keep(sketch, *_, **__):
        figure = Figure(figsize=(4, 3))
        found[sketch.name] = sketch.draw(figure), figure.axes[0]

    monkeypatch.setattr(pictures, "picture", keep)
    list(pictures.of_model(model, contents, 0))
    return found


def test_two_classes(gather, wines, monkeypatch):
    X, y = wines
    y = np.where(y == "barolo", "barolo", "other")
    models = [("L1", L1), ("net", make_pipeline(StandardScaler(), MLPClassifier(max_iter=5)))]
    found = gather(models, X, y, cv=3)
    one = found.models[0]
    assert one.path is one.estimator.path_
    assert one.cv is one.estimator.cv_result_
    assert one.alpha == one.alpha_1se == one.estimator.alpha_1se_
    assert one.inverse == one.estimator.C_
    assert one.l1_ratio == 1.0
    assert not one.left_out
    assert "A positive coefficient speaks for the class other." in one.notes
    assert any("1 / (C × the sum of the weights" in note for note in one.notes)
    shown = drawn(one, found, monkeypatch)
    assert [*shown] == ["path0", "cv", "coefficients0", "confusion", "roc", "calibration"]
    assert shown["path0"][1].get_ylabel() == "coefficient\n(log-odds per unit of x)"
    caption, ax = shown["cv"]
    assert caption.startswith("Log-loss of the rows held out")
    assert ax.get_ylabel() == "CV log-loss (nats per row)"


def test_three_classes_have_their_names_in_the_pictures(gather, wines, monkeypatch):
    found = gather(make_pipeline(StandardScaler(), L1), *wines, cv=3)
    one = found.models[0]
    assert one.coefficients.targets == ("barbera", "barolo", "grignolino")
    assert_array_equal(one.coefficients.values, one.estimator.coef_)
    shown = drawn(one, found, monkeypatch)
    for k, name in enumerate(one.coefficients.targets):
        caption, ax = shown[f"path{k}"]
        assert caption.endswith(f"for {name}.")
        assert ax.get_title() == name
        for line in ax.get_lines():
            if len(line.get_xdata()) == 20:
                data = np.asarray(line.get_ydata())
                assert any(np.array_equal(data, row) for row in one.path.coefs[k])
    assert "roc" not in shown


def test_probabilities_in_groups_of_as_many_rows(gather, wines, monkeypatch):
    X, y = wines
    second = y == "barolo"
    found = gather(LogisticRegression(), X.iloc[:, :2], second, cv=3)
    caption, ax = drawn(found.models[0], found, monkeypatch)["calibration"]
    curve = ax.get_lines()[1]
    chances = found.models[0].probabilities[:, 1]
    shares, means = calibration_curve(second, chances, n_bins=10, strategy="quantile")
    assert_array_equal(curve.get_xdata(), means)
    assert_array_equal(curve.get_ydata(), shares)
    assert ax.get_xlabel() == "predicted probability of True, row held out"
    assert caption.startswith("Calibration for True: rows in 10 groups")
    few = gather(LogisticRegression(), X.iloc[:90, :2], second[:90], cv=3)
    assert "calibration" not in drawn(few.models[0], few, monkeypatch)


def test_one_c_has_a_path_that_marks_it(gather, wines, monkeypatch):
    X, y = wines
    model = LogisticRegression(C=0.2, l1_ratio=1, class_weight="balanced")
    found = gather(model, X, y, cv=3)
    one = found.models[0]
    assert one.inverse == 0.2
    assert one.alpha == pytest.approx(1 / (0.2 * len(y)))
    (reason,) = one.left_out
    assert reason.endswith("LogisticRegression has a single C; LogisticRegressionCV chooses one.")
    caption, ax = drawn(one, found, monkeypatch)["path0"]
    assert any(np.array_equal(line.get_xdata(), [one.alpha] * 2) for line in ax.get_lines())
    assert "at the α in use" in caption


@pytest.mark.parametrize(
    ("model", "C", "share"),
    [
        (LogisticRegression(C=0.5), 0.5, 0.0),
        (linear_model.LogisticRegression(C=0.5), 0.5, None),
        (LinearSVC(C=2.0), 2.0, None),
        (LogisticRegressionCV(Cs=4, cv=2, use_legacy_attributes=True), ..., 0.0),
        (linear_model.SGDClassifier(), None, None),
        (linear_model.RidgeClassifier(), None, None),
    ],
    ids=str,
)
def test_the_penalty_of_any_library(model, C, share, wines):
    X, y = wines
    fitted = model.fit(X, y)
    assert inverse_of(fitted) == (fitted.C_[0] if C is ... else C)
    if share is not None:
        assert share_of_l1(fitted) == share


def test_models_of_one_strength_are_told_what_chooses_it(gather, wines, counts):
    (reason,) = gather(LinearSVC(), *wines, cv=3).models[0].left_out
    assert reason == "No cross-validation curve: LinearSVC has a single C; LinearSVCCV chooses one."
    (reason,) = gather(HuberRegressor(), *counts, cv=3).models[0].left_out
    assert reason.endswith("HuberRegressor has a single alpha; HuberRegressorCV chooses one.")


def test_the_end_of_a_grid_of_c(gather, wines):
    X, y = wines
    found = gather(LogisticRegressionCV(Cs=[1e-5, 1e-4], cv=3), X, y, cv=3)
    said = caution(found, "edge of the grid").text
    assert re.search("is the smallest that was tried.*pass Cs that reach further up", said)


def test_counts(gather, counts, monkeypatch):
    models = [PoissonRegressorCV(l1_ratio=1.0, cv=3, alphas=20), PoissonRegressor(alpha=0.1)]
    found = gather(models, *counts, cv=3)
    names = [score.name for score in found.models[0].scores]
    assert names[:2] == ["mean Poisson deviance", "R²"]
    assert not [each for each in found.cautions if "skewed" in each.title]
    chosen, single = found.models
    assert single.path is not None
    assert single.left_out[0].endswith("has a single alpha; PoissonRegressorCV chooses one.")
    shown = drawn(chosen, found, monkeypatch)
    assert shown["cv"][0].startswith("Mean deviance of the rows held out")
    assert shown["coefficients0"][1].get_xlabel() == "coefficient (log y per unit of x)"
    assert "a funnel is what such a model expects" in shown["residuals"][0]


def test_counts_beside_a_model_of_squared_errors(gather, counts):
    X, y = counts
    found = gather([PoissonRegressor(alpha=0.1), LassoCV(cv=3)], X, y, cv=3)
    names = [score.name for score in found.models[0].scores]
    assert names[0] == "R²"
    assert names[-1] == "mean Poisson deviance"
    deviances = [model.scores[-1].values for model in found.models]
    assert np.isfinite(deviances[0]).all()
    assert np.isnan(deviances[1]).all()  # it predicts counts below zero
    assert "skewness" in caution(found, "skewed").text


def test_the_deviance_is_scikit_learns(gather, counts):
    from sklearn.metrics import mean_poisson_deviance
    from sklearn.model_selection import KFold

    X, y = counts
    cv = KFold(4)
    found = gather(PoissonRegressor(), X, y, cv=cv)
    by_hand = [
        mean_poisson_deviance(y[test], PoissonRegressor().fit(X[train], y[train]).predict(X[test]))
        for train, test in cv.split(X)
    ]
    assert_allclose(found.models[0].scores[0].values, by_hand, rtol=1e-6)
    asked = gather(PoissonRegressor(), X, y, cv=cv, scoring="neg_mean_poisson_deviance")
    assert [score.name.lower() for score in asked.models[0].scores].count(
        "mean poisson deviance"
    ) == 1


@pytest.mark.parametrize(
    ("model", "power"),
    [
        (PoissonRegressorCV(), 1.0),
        (linear_model.GammaRegressor(), 2.0),
        (GammaRegressor(), 2.0),
        (TweedieRegressor(power=1.5), 1.5),
        (TweedieRegressor(), 0.0),
        (make_pipeline(StandardScaler(), PoissonRegressor()), 1.0),
        (GridSearchCV(PoissonRegressor(), {"alpha": [1.0]}), 1.0),
        (TransformedTargetRegressor(PoissonRegressor()), 0.0),
        (HistGradientBoostingRegressor(loss="poisson"), 1.0),
        (MLPRegressor(loss="poisson"), 1.0),
        (LassoCV(), 0.0),
    ],
    ids=lambda each: str(each)[:40],
)
def test_the_deviance_that_a_model_minimises(model, power):
    assert power_of(model) == power


def test_a_page_of_classes_is_written(wines, tmp_path):
    X, y = wines
    page = skreg.report(L1, X, y, path=tmp_path / "page.html", cv=3).read_text(encoding="utf-8")
    assert "C in use" in page
    assert "l1_ratio in use" in page
    assert "log-odds" in page


def test_a_criterion_in_place_of_folds(gather, wines, monkeypatch):
    X, y = wines
    model = LogisticRegressionCV(alphas=10, l1_ratios=[1.0], rule="bic")
    found = gather(model, X, y == "barolo", cv=3)
    caption, ax = drawn(found.models[0], found, monkeypatch)["cv"]
    assert caption == "BIC of the model at each penalty; the lowest point is min."
    assert ax.get_ylabel() == "BIC"
