"""Models of classes, counts and amounts inside scikit-learn's machinery and on people's tables."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_predict
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skreg import (
    GammaRegressor,
    LogisticRegression,
    LogisticRegressionCV,
    PoissonRegressor,
    PoissonRegressorCV,
    TweedieRegressor,
)

pytestmark = pytest.mark.filterwarnings("ignore::skreg.GridEdgeWarning")

RNG = np.random.default_rng(0)
N = 80
X = RNG.normal(loc=[0.0, 1.0, -2.0, 0.0], size=(N, 4))
TWO = (X[:, 0] + RNG.normal(size=N) > 0).astype(int)
THREE = np.digitize(X[:, 0] + 0.5 * RNG.normal(size=N), [-0.5, 0.5])
COUNTS = RNG.poisson(np.exp(0.5 * X[:, 0])).astype(float)
AMOUNTS = RNG.gamma(2.0, np.exp(0.5 * X[:, 0]))
WEIGHT = np.arange(N) % 3 + 0.5
GROUPS = np.arange(N) % 7
NAMES = list("abcd")
EACH = {
    "two": (LogisticRegression(C=0.3, l1_ratio=0.5), TWO),
    "three": (LogisticRegression(C=0.3), THREE),
    "two, chosen": (LogisticRegressionCV(alphas=5, cv=3), TWO),
    "three, chosen": (LogisticRegressionCV(Cs=3, l1_ratios=[0.5], cv=3), THREE),
    "poisson": (PoissonRegressor(), COUNTS),
    "gamma": (GammaRegressor(alpha=0.1, l1_ratio=1.0), AMOUNTS),
    "tweedie": (TweedieRegressor(power=1.5), COUNTS),
    "poisson, chosen": (PoissonRegressorCV(alphas=5, cv=3), COUNTS),
}
each = pytest.mark.parametrize(("model", "y"), EACH.values(), ids=EACH)


def shift_of(y):
    """An offset of each row, and of each class where there are three."""
    return np.linspace(-1, 1, N)[:, None] * [1, 0, -1] if y is THREE else np.linspace(-1, 1, N)


def same(one, other):
    assert_allclose(one.coef_, other.coef_, atol=1e-12)
    assert_allclose(one.intercept_, other.intercept_, atol=1e-12)


@each
def test_clones_pickles_and_pipelines_give_the_same(model, y):
    fitted = clone(model).fit(X, y)
    same(clone(fitted).fit(X, y), fitted)
    again = pickle.loads(pickle.dumps(fitted))
    assert_array_equal(again.predict(X), fitted.predict(X))
    scaled = StandardScaler().fit_transform(X)
    pipeline = make_pipeline(StandardScaler(), clone(model)).set_output(transform="pandas")
    same(pipeline.fit(pd.DataFrame(X, columns=NAMES), y)[-1], clone(model).fit(scaled, y))


@each
@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
def test_columns_in_another_order_are_refused(model, y, frame):
    table = frame(dict(zip(NAMES, X.T, strict=True)))
    fitted = clone(model).fit(table, y)
    same(fitted, clone(model).fit(X, y))
    if not hasattr(fitted, "feature_names_in_"):
        pytest.skip("this scikit-learn does not see the names of this polars")
    with pytest.raises(ValueError, match="in the same order"):
        fitted.predict(table[NAMES[::-1]])


@each
def test_weights_and_offsets_are_routed(model, y):
    offset = shift_of(y)
    scaled = StandardScaler().fit_transform(X)
    expected = clone(model).fit(scaled, y, WEIGHT, offset=offset)
    with config_context(enable_metadata_routing=True):
        pipeline = make_pipeline(
            StandardScaler().set_fit_request(sample_weight=False),
            clone(model).set_fit_request(sample_weight=True, offset=True),
        )
        pipeline.fit(X, y, sample_weight=WEIGHT, offset=offset)
    same(pipeline[-1], expected)


@each
def test_a_grid_is_searched(model, y):
    strength = "C" if is_classifier(model) else "alpha"
    if strength not in model.get_params():
        pytest.skip("it chooses by itself")
    grid = {strength: [0.1, 1.0], "l1_ratio": [0.0, 0.5, 1.0]}
    search = GridSearchCV(clone(model), grid, cv=3).fit(X, y)
    same(search.best_estimator_, clone(model).set_params(**search.best_params_).fit(X, y))


def test_a_search_hands_the_offset_to_fits_and_scores():
    offset = shift_of(COUNTS)
    with config_context(enable_metadata_routing=True):
        model = PoissonRegressor().set_fit_request(offset=True).set_score_request(offset=True)
        search = GridSearchCV(model, {"alpha": [0.1, 1.0]}, cv=3).fit(X, COUNTS, offset=offset)
    fold = np.arange(N) < -(-N // 3)
    own = PoissonRegressor(alpha=0.1).fit(X[~fold], COUNTS[~fold], offset=offset[~fold])
    expected = own.score(X[fold], COUNTS[fold], offset=offset[fold])
    assert search.cv_results_["split0_test_score"][0] == pytest.approx(expected)


@pytest.mark.parametrize("y", [TWO, COUNTS], ids=["two", "counts"])
def test_groups_are_routed_to_the_splitter(y):
    model = LogisticRegressionCV(Cs=3) if y is TWO else PoissonRegressorCV(alphas=3)
    splits = list(GroupKFold(3).split(X, y, GROUPS))
    expected = clone(model).set_params(cv=splits).fit(X, y)
    with config_context(enable_metadata_routing=True):
        routed = clone(model).set_params(cv=GroupKFold(3)).fit(X, y, groups=GROUPS)
    assert_array_equal(routed.cv_result_.errors, expected.cv_result_.errors)


@pytest.mark.parametrize("y", [TWO, THREE], ids=["two", "three"])
def test_classifiers_around_a_classifier(y):
    for around in (
        CalibratedClassifierCV(LogisticRegression(), cv=3),
        OneVsRestClassifier(LogisticRegression(l1_ratio=1.0)),
    ):
        p = around.fit(X, y).predict_proba(X)
        assert_allclose(p.sum(axis=1), 1.0)
        assert around.score(X, y) > 0.6
    logs = cross_val_predict(LogisticRegression(), X, y, cv=3, method="predict_log_proba")
    assert np.isfinite(logs).all()


LABELS = {
    "strings": np.array(["no", "yes"])[TWO],
    "objects": np.array(["no", "yes"], dtype=object)[TWO],
    "booleans": TWO.astype(bool),
    "floats": TWO.astype(float),
    "large": np.array([2**62, 2**62 + 1])[TWO],
    "list": TWO.tolist(),
    "pandas category": pd.Series(np.array(["no", "yes"])[TWO], dtype="category"),
    "pandas string": pd.Series(np.array(["no", "yes"])[TWO], dtype="string"),
    "pandas boolean": pd.Series(TWO.astype(bool), dtype="boolean"),
    "pandas integer": pd.Series(TWO, dtype="Int64"),
    "polars": pl.Series(np.array(["no", "yes"])[TWO]),
    "polars category": pl.Series(np.array(["no", "yes"])[TWO], dtype=pl.Categorical),
}


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("model", [LogisticRegression(), LogisticRegressionCV(Cs=3, cv=3)])
def test_labels_of_every_kind(model, labels):
    expected = clone(model).fit(X, TWO)
    fitted = clone(model).fit(X, labels)
    same(fitted, expected)
    assert_array_equal(fitted.predict(X), fitted.classes_[expected.predict(X)])
    assert fitted.score(X, labels) == expected.score(X, TWO)


@pytest.mark.parametrize("model", [LogisticRegression(), LogisticRegressionCV()])
def test_labels_without_an_order_are_refused(model):
    labels = np.array([1, "a"], dtype=object)[TWO]
    with pytest.raises(TypeError, match="types int, str"):
        model.fit(X, labels)


@each
def test_a_missing_target_is_named_by_its_row(model, y):
    missing = np.where(np.arange(N) == 7, np.nan, y.astype(float))
    with pytest.raises(ValueError, match="row 7 of y"):
        clone(model).fit(X, missing)
