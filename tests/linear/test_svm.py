"""Linear support vector machines."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import svm
from sklearn.datasets import load_breast_cancer, load_iris

import skreg
from skreg import LinearSVC

CANCER, IRIS = load_breast_cancer(), load_iris()
TWO = (CANCER.data - CANCER.data.mean(0)) / CANCER.data.std(0), CANCER.target
THREE = IRIS.data - IRIS.data.mean(0), IRIS.target_names[IRIS.target]
WEIGHT = np.random.default_rng(0).integers(0, 4, 569).astype(float)


@pytest.mark.parametrize("data", [TWO, THREE], ids=["two", "three"])
@pytest.mark.parametrize(
    "given",
    [
        {"C": 0.1},
        {"C": 0.02, "penalty": "l1", "dual": False},
        {"C": 0.1, "class_weight": "balanced"},
    ],
    ids=str,
)
@pytest.mark.parametrize("weighted", [False, True])
def test_without_an_intercept_it_is_scikit_learn_s(data, given, weighted):
    """With one scikit-learn penalises it."""
    X, y = data
    weight = WEIGHT[: len(y)] if weighted else None
    if weighted and "class_weight" in given:
        given = {**given, "class_weight": dict.fromkeys(np.unique(y)[:1].tolist(), 3.0)}
    own = LinearSVC(**given, fit_intercept=False).fit(X, y, weight)
    theirs = svm.LinearSVC(**given, fit_intercept=False, tol=1e-9, max_iter=100000)
    theirs.fit(X, y, weight)
    assert_allclose(own.coef_, theirs.coef_, atol=1e-4)
    assert_array_equal(own.predict(X), theirs.predict(X))
    assert_allclose(own.decision_function(X), theirs.decision_function(X), atol=1e-3)
    assert own.dual_gap_ < 1e-9
    assert own.converged_ is True


@pytest.mark.parametrize("data", [TWO, THREE], ids=["two", "three"])
def test_a_path_is_of_its_own_targets(data):
    X, y = data
    own = LinearSVC(penalty="l1", C=0.1, tol=1e-12).fit(X, y)
    alpha = 1 / (2 * 0.1 * len(y))
    path = skreg.regularization_path(LinearSVC(penalty="l1", tol=1e-12), X, y, alphas=[alpha])
    assert_allclose(np.atleast_2d(path.coefs[..., 0]), own.coef_, atol=1e-8)
    assert_array_equal(path.classes, own.classes_)
    with pytest.raises(ValueError, match="loss='hinge' is not supported"):
        skreg.regularization_path(LinearSVC(loss="hinge"), X, y)


def test_a_path_of_several_classes_weighs_each_in_its_own_problem():
    X, y = THREE
    weighted = LinearSVC(class_weight={"setosa": 3.0}, tol=1e-12)
    path = skreg.regularization_path(weighted, X, y, alphas=[0.1, 0.01])
    for k, name in enumerate(path.classes):
        weight = np.where((y == name) & (name == "setosa"), 3.0, 1.0)
        one = LinearSVC(tol=1e-12, C=1 / (2 * 0.01 * weight.sum())).fit(X, y == name, weight)
        assert_allclose(path.coefs[k, :, 1], one.coef_[0], atol=1e-6)


@pytest.mark.parametrize("data", [TWO, THREE], ids=["two", "three"])
def test_the_intercept_is_at_its_best(data):
    X, y = data
    own = LinearSVC(C=0.1, tol=1e-12).fit(X, y)
    for k, eta in enumerate(np.atleast_2d(own.decision_function(X).T)):
        sign = np.where(y == (own.classes_[1] if len(own.coef_) == 1 else own.classes_[k]), 1, -1)
        assert abs(sign @ np.maximum(1 - sign * eta, 0)) < 1e-6


def test_the_elastic_net_lies_between():
    X, y = TWO
    counts = [
        np.count_nonzero(LinearSVC(penalty="elasticnet", l1_ratio=r, C=0.01).fit(X, y).coef_)
        for r in (0.0, 0.5, 1.0)
    ]
    assert counts[0] == 30 > counts[1] > counts[2] > 0
    l1 = LinearSVC(penalty="l1", C=0.01).fit(X, y)
    assert np.count_nonzero(l1.coef_) == counts[2]


@pytest.mark.parametrize("given", [{"loss": "hinge"}, {"multi_class": "crammer_singer"}], ids=str)
def test_what_it_does_not_do_is_refused(given):
    with pytest.raises(ValueError, match=f"{next(iter(given))}=.* is not supported: take"):
        LinearSVC(**given).fit(*TWO)


def test_the_twin_predicts_the_same():
    own = LinearSVC().fit(*THREE)
    assert_array_equal(skreg.to_sklearn(own).predict(THREE[0]), own.predict(THREE[0]))
