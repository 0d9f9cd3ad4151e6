"""Classes as targets of ridge regression."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import linear_model
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.model_selection import LeaveOneOut, StratifiedKFold, cross_val_predict, cross_val_score

import skreg
from skreg import RidgeClassifier, RidgeClassifierCV

pytestmark = pytest.mark.filterwarnings("ignore::skreg.GridEdgeWarning")  # grids are short

CANCER, IRIS = load_breast_cancer(), load_iris()
TWO = CANCER.data / CANCER.data.std(0), CANCER.target_names[CANCER.target]
THREE = IRIS.data, IRIS.target_names[IRIS.target]
WEIGHT = np.random.default_rng(0).integers(0, 4, 569).astype(float)
BOTH = pytest.mark.parametrize("data", [TWO, THREE], ids=["two", "three"])


@BOTH
@pytest.mark.parametrize("given", [{}, {"class_weight": "balanced"}, {"positive": True}], ids=str)
@pytest.mark.parametrize("weighted", [False, True])
def test_it_is_scikit_learn_s(data, given, weighted):
    X, y = data
    weight = WEIGHT[: len(y)] if weighted else None
    if weighted and "class_weight" in given:  # whose balance the weights do not count in there
        given = {"class_weight": dict.fromkeys(np.unique(y)[:1].tolist(), 3.0)}
    own = RidgeClassifier(alpha=2.0, **given).fit(X, y, weight)
    theirs = linear_model.RidgeClassifier(alpha=2.0, tol=1e-10, **given).fit(X, y, weight)
    assert_allclose(own.coef_, theirs.coef_, atol=1e-4)
    assert_allclose(own.intercept_, theirs.intercept_, atol=1e-4)
    assert_array_equal(own.classes_, theirs.classes_)
    assert_array_equal(own.predict(X), theirs.predict(X))
    assert_allclose(own.decision_function(X), theirs.decision_function(X), atol=1e-3)
    assert own.dual_gap_ < 1e-9
    twin = skreg.to_sklearn(own)
    assert_array_equal(twin.predict(X), own.predict(X))
    assert_array_equal(twin.classes_, own.classes_)


@BOTH
def test_a_path_is_of_its_own_targets(data):
    X, y = data
    own = RidgeClassifier(alpha=2.0, class_weight="balanced").fit(X, y)
    path = skreg.regularization_path(RidgeClassifier(class_weight="balanced"), X, y, alphas=[2.0])
    assert_allclose(path.coefs[..., 0], own.coef_, rtol=1e-8)
    assert_allclose(np.ravel(path.intercepts), own.intercept_, rtol=1e-8)
    assert_array_equal(path.classes, own.classes_)
    with pytest.raises(ValueError, match="takes no offset"):
        skreg.regularization_path(RidgeClassifier(), X, y, offset=np.zeros(len(y)))


@BOTH
@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_leave_one_out_chooses_as_scikit_learn_does(data, class_weight):
    X, y = data
    given = {"alphas": [0.1, 1.0, 10.0], "class_weight": class_weight, "store_cv_results": True}
    own = RidgeClassifierCV(**given).fit(X, y)
    theirs = linear_model.RidgeClassifierCV(**given).fit(X, y)
    assert own.alpha_ == theirs.alpha_
    assert_allclose(own.best_score_, theirs.best_score_, rtol=1e-8)
    assert_allclose(own.coef_, theirs.coef_, atol=1e-8)
    assert_allclose(own.cv_results_, theirs.cv_results_, atol=1e-8)


@BOTH
def test_the_best_accuracy_is_that_of_rows_left_out(data):
    X, y = data
    own = RidgeClassifierCV(alphas=[1.0, 100.0], scoring="accuracy").fit(X, y)
    expected = [
        np.mean(cross_val_predict(RidgeClassifier(alpha=a), X, y, cv=LeaveOneOut()) == y)
        for a in (100.0, 1.0)
    ]
    assert_allclose(-own.cv_result_.mean, expected, atol=1e-12)
    assert own.best_score_ == pytest.approx(max(expected))


@BOTH
def test_folds_are_stratified_and_judged_by_accuracy(data):
    X, y = data
    own = RidgeClassifierCV(alphas=[1.0, 100.0], cv=4, class_weight="balanced").fit(X, y)
    one = RidgeClassifier(alpha=1.0, class_weight="balanced")
    expected = cross_val_score(one, X, y, cv=StratifiedKFold(4))
    assert_allclose(-own.cv_result_.errors[1], expected)
    assert own.cv_result_.metric == "accuracy"
    assert own.best_score_ == -own.cv_result_.mean.min()


def test_a_scorer_of_probabilities_is_refused():
    with pytest.raises(AttributeError, match="predict_proba"):
        RidgeClassifierCV(scoring="neg_log_loss").fit(*TWO)
