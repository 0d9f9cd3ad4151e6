"""The networks among scikit-learn's tools, and the same run twice."""

import copy

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skreg import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
N = 80
X = RNG.standard_normal((N, 5))
y = X[:, 0] + np.abs(X[:, 1])
CLASSES = np.digitize(y, [0.0, 1.0])


def arrays(model):
    return [*model.coefs_, *model.intercepts_]


def identical(one, two):
    for a, b in zip(arrays(one), arrays(two), strict=True):
        np.testing.assert_array_equal(a, b)


EVERYTHING = {"dropout": 0.3, "input_dropout": 0.1, "input_noise": 0.1, "mixup": 0.2}
EVERYTHING |= {"normalization": "batch", "early_stopping": True, "adversarial_eps": 0.05}


@pytest.mark.parametrize("more", [{}, EVERYTHING, {"solver": "sgd"}, {"solver": "lbfgs"}])
@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor])
def test_a_seed_makes_a_run_bit_identical(estimator, more):
    target = CLASSES if estimator is MLPClassifier else y
    options = {"hidden_layer_sizes": (12, 6), "max_iter": 6, **more}
    one, two = (estimator(random_state=3, **options).fit(X, target) for _ in range(2))
    identical(one, two)
    np.testing.assert_array_equal(one.loss_curve_, two.loss_curve_)
    np.testing.assert_array_equal(one.predict(X), two.predict(X))
    generator = estimator(random_state=np.random.RandomState(3), **options).fit(X, target)
    identical(one, generator)
    other = estimator(random_state=4, **options).fit(X, target)
    assert not np.array_equal(one.coefs_[0], other.coefs_[0])


def test_the_global_generator_is_left_alone():
    state = np.random.get_state()[1].copy()  # noqa: NPY002 -- it is what this is about
    MLPRegressor(5, max_iter=2, random_state=0, **EVERYTHING).fit(X, y)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002 -- it is what this is about


@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor])
def test_a_grid_over_dropout_and_alpha_is_the_same_in_two_processes(estimator):
    target = CLASSES if estimator is MLPClassifier else y
    grid = {"dropout": [0.0, 0.3, [0.5, 0.1]], "alpha": [1e-4, 1e-2]}
    model = estimator((10, 5), max_iter=30, random_state=0, learning_rate_init=0.02)
    one, two = (GridSearchCV(model, grid, cv=3, n_jobs=jobs).fit(X, target) for jobs in (1, 2))
    np.testing.assert_array_equal(
        one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"]
    )
    assert one.best_params_ == two.best_params_
    identical(one.best_estimator_, two.best_estimator_)
    assert len(set(one.cv_results_["mean_test_score"])) > 1


def test_pipelines_and_clones():
    net = MLPClassifier(10, max_iter=100, random_state=0, learning_rate_init=0.02)
    model = make_pipeline(StandardScaler(), net)
    model.fit(1000 * X, CLASSES)
    assert model.score(1000 * X, CLASSES) > 0.85
    again = clone(model).fit(1000 * X, CLASSES)
    identical(model[-1], again[-1])
    assert cross_val_score(model, X, CLASSES, cv=3).mean() > 0.5
    weights = np.ones(N)
    model.fit(X, CLASSES, mlpclassifier__sample_weight=weights)


def test_a_table_of_columns():
    kinds = np.where(X[:, 2] > 0, "u", "v")
    frame = pd.DataFrame(X[:, :2], columns=["a", "b"]).assign(kind=kinds)
    prepare = make_column_transformer(
        (StandardScaler(), ["a", "b"]), (OneHotEncoder(), ["kind"]), sparse_threshold=1.0
    )
    model = make_pipeline(prepare, MLPRegressor(10, max_iter=50, random_state=0))
    assert model.fit(frame, pd.Series(y)).predict(frame).shape == (N,)


def test_meta_estimators():
    inner = MLPRegressor(6, max_iter=30, random_state=0)
    outer = MultiOutputRegressor(inner).fit(X, np.column_stack([y, -y]))
    assert outer.predict(X).shape == (N, 2)
    calibrated = CalibratedClassifierCV(MLPClassifier(6, max_iter=20, random_state=0), cv=3)
    shares = calibrated.fit(X, CLASSES).predict_proba(X)
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-5)


def test_parameters_are_stored_untouched():
    given = {"hidden_layer_sizes": [6, 4], "dropout": [0.1, 0.2], "penalty": ["l1", None, "l2"]}
    kept = copy.deepcopy(given)
    model = MLPRegressor(**given, max_iter=2, random_state=0)
    before = dict(model.get_params())
    model.fit(X, y)
    after = model.get_params()
    assert all(after[name] is before[name] for name in before)
    assert given == kept


def test_nothing_is_half_fitted_after_an_error():
    model = MLPClassifier(5, max_iter=2, dropout=[0.1, 0.2])  # one hidden layer
    with pytest.raises(ValueError, match="dropout"):
        model.fit(X, CLASSES)
    assert not [name for name in vars(model) if name.endswith("_") and not name.startswith("_")]
