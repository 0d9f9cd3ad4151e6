"""A fitted estimator as scikit-learn's own, and what exporters installed here make of it."""

import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import BaggingRegressor, StackingRegressor, VotingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skreg

X, y = load_diabetes(return_X_y=True)
IRIS, NAMES = load_iris().data / 10, load_iris().target_names[load_iris().target]
# Made out of 0 and 1 alone, three labels a row.
LABELS = np.column_stack([IRIS[:, 0] > 0.58, IRIS[:, 1] > 0.3, IRIS[:, 2] > 0.4]).astype(int)
NET = {"hidden_layer_sizes": (6,), "max_iter": 3, "random_state": 0}

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

REGRESSORS = [
    skreg.Lasso(alpha=0.1, positive=True),
    skreg.ElasticNet(alpha=0.01, standardize=True, penalty_factor=np.arange(10.0)),
    skreg.Ridge(),
    skreg.LassoCV(alphas=10, cv=3),
    skreg.ElasticNetCV(alphas=10, cv=3, l1_ratio=[0.5, 0.9]),
    skreg.RidgeCV(),
    skreg.MLPRegressor(**NET, loss="huber", dropout=0.1),
    skreg.MLPRegressor(**NET, loss="poisson", activation="tanh"),
]


@pytest.mark.parametrize("estimator", REGRESSORS, ids=str)
@pytest.mark.parametrize("n_targets", [1, 2])
def test_the_twin_predicts_the_same(estimator, n_targets):
    target = y if n_targets == 1 else np.column_stack([y, y[::-1]])
    model = clone(estimator).fit(X, target)
    before = set(vars(model))
    if getattr(model, "loss", "") == "poisson" and "loss" not in MLPRegressor().get_params():
        with pytest.raises(ValueError, match=r"loss='poisson' needs scikit-learn 1\.7 or later"):
            skreg.to_sklearn(model)
        return
    twin = skreg.to_sklearn(model)
    assert type(twin).__module__.startswith("sklearn.")
    assert type(twin).__name__ == type(model).__name__
    assert_allclose(twin.predict(X), model.predict(X), rtol=1e-5)
    assert set(vars(model)) == before
    assert b"skreg" not in pickle.dumps(twin)


@pytest.mark.parametrize(
    ("model", "other"),
    [
        (skreg.MLPRegressor(**NET, activation="tanh"), {"activation": "relu"}),
        (skreg.TweedieRegressor(power=1.5, link="log"), {"power": 0.0, "link": "identity"}),
        (skreg.TweedieRegressor(), {"power": 2}),
    ],
    ids=str,
)
def test_the_twin_predicts_as_fitted_whatever_was_set_after_it(model, other):
    model = clone(model).fit(X, np.abs(y)).set_params(**other)
    assert_allclose(skreg.to_sklearn(model).predict(X), model.predict(X), rtol=1e-4)


@pytest.mark.parametrize(
    ("search", "grid"),
    [
        (
            GridSearchCV(skreg.Lasso(), {"standardize": [True], "alpha": [0.1, 1]}),
            {"alpha": [0.1, 1]},
        ),
        (
            GridSearchCV(
                make_pipeline(StandardScaler(), skreg.Lasso()),
                [{"lasso__solver": ["auto", "cd"]}, {"lasso__alpha": [1, 2]}],
            ),
            [{}, {"lasso__alpha": [1, 2]}],
        ),
        (
            RandomizedSearchCV(skreg.Ridge(), {"alpha": [1, 2], "upper_bound": [9e9]}, n_iter=2),
            {"alpha": [1, 2]},
        ),
    ],
)
def test_a_search_over_what_scikit_learn_does_not_have_can_be_fitted_again(search, grid):
    twin = skreg.to_sklearn(search.fit(X, y))
    names = {"param_grid", "param_distributions"} & set(twin.get_params(deep=False))
    assert [getattr(twin, name) for name in names] == [grid]
    assert_allclose(twin.predict(X), search.predict(X))
    assert_allclose(clone(twin).fit(X, y).predict(X[:1]), y[0], rtol=1)
    assert search.get_params(deep=False)[names.pop()] != grid


@pytest.mark.parametrize("target", [NAMES, NAMES[:100], LABELS], ids=["three", "two", "labels"])
def test_the_twin_of_a_classifier_has_its_classes_and_probabilities(target):
    rows = IRIS[: len(target)]
    model = skreg.MLPClassifier(**NET, activation="logistic").fit(rows, target)
    twin = skreg.to_sklearn(model)
    assert_array_equal(twin.predict(rows), model.predict(rows))
    assert_allclose(twin.predict_proba(rows), model.predict_proba(rows), rtol=1e-4)
    assert_array_equal(twin.classes_, model.classes_)
    assert b"skreg" not in pickle.dumps(twin)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda lasso: make_pipeline(StandardScaler(), lasso),
        lambda lasso: TransformedTargetRegressor(lasso, func=np.log, inverse_func=np.exp),
        lambda lasso: BaggingRegressor(lasso, n_estimators=2, random_state=0),
        lambda lasso: VotingRegressor([("a", lasso), ("b", skreg.Ridge())]),
        lambda lasso: StackingRegressor([("a", lasso)], final_estimator=skreg.Ridge(), cv=3),
        lambda lasso: GridSearchCV(make_pipeline(lasso), {"lasso__alpha": [0.1, 1.0]}, cv=3),
        lambda lasso: make_pipeline(
            ColumnTransformer([("a", StandardScaler(), [0, 1])], remainder="passthrough"), lasso
        ),
    ],
)
def test_estimators_within_others_are_converted(wrap):
    model = wrap(skreg.Lasso(alpha=0.1)).fit(X, y)
    twin = skreg.to_sklearn(model)
    assert_allclose(twin.predict(X), model.predict(X))
    assert b"skreg" not in pickle.dumps(twin)
    assert b"skreg" in pickle.dumps(model)


def test_several_targets_and_several_binary_models_are_converted():
    model = MultiOutputRegressor(skreg.Lasso(alpha=0.1)).fit(X, np.column_stack([y, -y]))
    assert_allclose(skreg.to_sklearn(model).predict(X), model.predict(X))
    each = OneVsRestClassifier(skreg.MLPClassifier(**NET)).fit(IRIS, NAMES)
    twin = skreg.to_sklearn(each)
    assert_allclose(twin.predict_proba(IRIS), each.predict_proba(IRIS), rtol=1e-4)


@pytest.mark.parametrize("ensemble", [True, False])
def test_calibrated_classifiers_are_converted(ensemble):
    net = skreg.MLPClassifier(**NET)
    model = CalibratedClassifierCV(net, cv=2, ensemble=ensemble).fit(IRIS, NAMES)
    twin = skreg.to_sklearn(model)
    assert_allclose(twin.predict_proba(IRIS), model.predict_proba(IRIS), rtol=1e-4)
    assert b"skreg" not in pickle.dumps(twin)
    assert b"skreg" in pickle.dumps(model)


def test_the_twin_keeps_names_and_can_be_fitted_again():
    frame = pd.DataFrame(X, columns=list("abcdefghij"))
    model = skreg.Ridge(solver="svd", alpha=0.5).fit(frame, y)
    twin = skreg.to_sklearn(model)
    assert_array_equal(twin.feature_names_in_, model.feature_names_in_)
    again = clone(twin).fit(frame, y)
    assert_allclose(again.coef_, model.coef_, rtol=1e-6)


def test_what_scikit_learn_has_not_is_refused_or_left():
    with pytest.raises(NotFittedError, match="this Lasso is not fitted"):
        skreg.to_sklearn(skreg.Lasso())
    normalized = skreg.MLPRegressor(**NET, normalization="batch").fit(X, y)
    with pytest.raises(ValueError, match="normalization='batch' has no counterpart"):
        skreg.to_sklearn(normalized)
    scaler = StandardScaler().fit(X)
    assert skreg.to_sklearn(scaler) is scaler


def test_the_twin_is_read_where_skreg_is_not_installed(tmp_path):
    (tmp_path / "model.pickle").write_bytes(
        pickle.dumps(skreg.to_sklearn(skreg.LassoCV().fit(X, y)))
    )
    code = (
        "import pickle, sys; sys.modules['skreg'] = None;"
        f"print(pickle.load(open(r'{tmp_path / 'model.pickle'}', 'rb')).n_features_in_)"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "10"


def test_a_converter_takes_linear_models_and_networks():
    skl2onnx = pytest.importorskip("skl2onnx")
    runtime = pytest.importorskip("onnxruntime")
    rows = IRIS.astype(np.float32)
    classifier = make_pipeline(StandardScaler(), skreg.MLPClassifier(**NET)).fit(IRIS, NAMES)
    regressor = make_pipeline(StandardScaler(), skreg.LassoCV()).fit(IRIS, IRIS[:, 0])
    for model, options in ((classifier, {"zipmap": False}), (regressor, None)):
        graph = skl2onnx.to_onnx(skreg.to_sklearn(model), rows[:1], options=options)
        session = runtime.InferenceSession(
            graph.SerializeToString(), providers=["CPUExecutionProvider"]
        )
        found = session.run(None, {session.get_inputs()[0].name: rows})
        if options:
            assert_array_equal(found[0], model.predict(IRIS))
            assert_allclose(found[1], model.predict_proba(IRIS), atol=1e-6)
        else:
            assert_allclose(found[0].ravel(), model.predict(IRIS), rtol=1e-5)


def test_exporters_and_explainers_take_linear_models():
    m2cgen = pytest.importorskip("m2cgen")
    eli5 = pytest.importorskip("eli5")
    twin = skreg.to_sklearn(skreg.LassoCV().fit(X, y))
    assert "def score" in m2cgen.export_to_python(twin)
    assert eli5.explain_weights(twin).error is None


def test_a_model_registry_takes_the_twin(tmp_path):
    registry = pytest.importorskip("mlflow.sklearn")
    model = skreg.LassoCV().fit(X, y)
    registry.save_model(skreg.to_sklearn(model), tmp_path / "model")
    assert_allclose(registry.load_model(tmp_path / "model").predict(X), model.predict(X))
