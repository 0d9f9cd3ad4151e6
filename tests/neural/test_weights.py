"""A weight k is a row repeated k times; classes are weighted by name or by how rare they are."""

import numpy as np
import pytest
from sklearn.utils import compute_sample_weight

from skreg import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
N = 40
X = RNG.standard_normal((N, 4))
TARGET = X[:, 0] + np.abs(X[:, 1])
CLASSES = np.digitize(TARGET, [0.0, 1.0])
MULTILABEL = np.column_stack([TARGET > 0, X[:, 2] > 0]).astype(int)
COUNTS = RNG.integers(0, 4, N)
REPEATED = np.repeat(np.arange(N), COUNTS)

LBFGS = {"solver": "lbfgs", "dtype": "float64", "random_state": 0, "max_iter": 25}
FULL = {"solver": "sgd", "dtype": "float64", "random_state": 0, "max_iter": 10, "shuffle": False}
FULL |= {"learning_rate_init": 0.1}


def solvers(n):
    return (LBFGS, {**FULL, "batch_size": n})


def same(one, two, rtol=1e-6):
    for a, b in zip(one.coefs_, two.coefs_, strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("more", [{}, {"penalty": "l1"}, {"normalization": "layer"}])
@pytest.mark.parametrize(
    ("estimator", "y"),
    [(MLPRegressor, TARGET), (MLPClassifier, CLASSES), (MLPClassifier, MULTILABEL)],
    ids=["regressor", "classes", "multilabel"],
)
def test_a_weight_is_a_repetition(estimator, y, more):
    given = COUNTS > 0
    # rows of weight zero are left out in one and kept in the other
    for weighted, repeated in zip(solvers(N), solvers(len(REPEATED)), strict=True):
        options = {"hidden_layer_sizes": 6, "activation": "tanh", "alpha": 0.01, **more}
        weighted = {**weighted}
        one = estimator(**options, **repeated).fit(X[REPEATED], y[REPEATED])
        if "batch_size" in weighted:
            weighted["batch_size"] = int(given.sum())
            two = estimator(**options, **weighted).fit(X[given], y[given], COUNTS[given])
        else:
            two = estimator(**options, **weighted).fit(X, y, COUNTS)
        same(one, two)


@pytest.mark.parametrize("options", solvers(N), ids=["lbfgs", "sgd"])
def test_only_ratios_of_weights_count(options):
    weights = RNG.uniform(0.1, 2.0, N)
    models = [
        MLPRegressor(6, alpha=0.01, **options).fit(X, TARGET, factor * weights)
        for factor in (1.0, 1e3)
    ]
    same(*models)
    equal = MLPRegressor(6, alpha=0.01, **options).fit(X, TARGET, np.full(N, 3.0))
    same(equal, MLPRegressor(6, alpha=0.01, **options).fit(X, TARGET))


def test_class_weight_is_a_sample_weight():
    weights = {0: 1.0, 1: 5.0, 2: 0.5}
    one = MLPClassifier(6, class_weight=weights, **LBFGS).fit(X, CLASSES)
    by_row = np.array([weights[k] for k in CLASSES])
    same(one, MLPClassifier(6, **LBFGS).fit(X, CLASSES, by_row))
    rows = RNG.uniform(0.5, 1.5, N)
    both = MLPClassifier(6, class_weight=weights, **LBFGS).fit(X, CLASSES, rows)
    same(both, MLPClassifier(6, **LBFGS).fit(X, CLASSES, rows * by_row))


def test_balanced_classes_count_alike():
    names = np.array(["rare", "common"])[(TARGET > -0.5).astype(int)]
    share = np.mean(names == "rare")
    assert share < 0.4
    one = MLPClassifier(6, class_weight="balanced", **LBFGS).fit(X, names)
    by_row = np.where(names == "rare", 0.5 / share, 0.5 / (1 - share))
    same(one, MLPClassifier(6, **LBFGS).fit(X, names, by_row))
    named = {"rare": 0.5 / share, "common": 0.5 / (1 - share)}
    same(one, MLPClassifier(6, class_weight=named, **LBFGS).fit(X, names))


def test_balanced_classes_count_alike_by_the_weights_of_their_rows():
    rows = RNG.uniform(0.2, 3.0, N)
    totals = np.bincount(CLASSES, weights=rows)
    one = MLPClassifier(6, class_weight="balanced", **LBFGS).fit(X, CLASSES, rows)
    same(one, MLPClassifier(6, **LBFGS).fit(X, CLASSES, rows / totals[CLASSES]))


def test_balanced_labels_count_by_the_product_of_their_weights():
    rows = compute_sample_weight("balanced", MULTILABEL)
    one = MLPClassifier(6, class_weight="balanced", **LBFGS).fit(X, MULTILABEL)
    same(one, MLPClassifier(6, **LBFGS).fit(X, MULTILABEL, rows))


def test_balancing_finds_the_rare_class():
    rng = np.random.default_rng(1)
    y = (rng.random(2000) < 0.05).astype(int)
    Z = rng.standard_normal((2000, 3)) + y[:, None]
    recall = {}
    for weight in (None, "balanced"):
        model = MLPClassifier(16, class_weight=weight, max_iter=20, random_state=0).fit(Z, y)
        recall[weight] = np.mean(model.predict(Z)[y == 1])
    assert recall["balanced"] > 0.6 > recall[None]


def test_weights_count_in_partial_fit():
    weights = RNG.uniform(0.1, 2.0, N)
    options = {**FULL, "batch_size": N, "max_iter": 1}
    one = MLPRegressor(6, **options).partial_fit(X, TARGET, weights)
    two = MLPRegressor(6, **options).fit(X, TARGET, weights)
    same(one, two)
    plain = MLPRegressor(6, **options).partial_fit(X, TARGET)
    assert np.abs(one.coefs_[0] - plain.coefs_[0]).max() > 1e-4


@pytest.mark.parametrize("weights", [np.zeros(N), -np.ones(N), np.full(N, np.nan), np.ones(3)])
def test_weights_that_say_nothing_are_refused(weights):
    for estimator, y in ((MLPRegressor, TARGET), (MLPClassifier, CLASSES)):
        with pytest.raises(ValueError, match=r"(?i)weight"):
            estimator(6).fit(X, y, weights)


def test_class_weights_that_name_no_class_are_refused():
    with pytest.raises(ValueError, match=r"class_weight|classes"):
        MLPClassifier(6, class_weight={0: 1.0, 7: 2.0}).fit(X, CLASSES)
    with pytest.raises(ValueError, match="class_weight"):
        MLPClassifier(6, class_weight="even").fit(X, CLASSES)


@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf, "5", None])
def test_class_weights_that_are_no_weights_are_refused(value):
    several = [{0: 1.0, 1: 1.0}, {0: 1.0, 1: value}]
    for weights, y in (({0: 1.0, 1: value, 2: 1.0}, CLASSES), (several, MULTILABEL)):
        model = MLPClassifier(6, class_weight=weights)
        with pytest.raises(ValueError, match=r"class_weight of 1 must be"):
            model.fit(X, y)
        with pytest.raises(ValueError, match=r"class_weight of 1 must be"):
            model.partial_fit(X, y, classes=None if y is MULTILABEL else [0, 1, 2])


def test_class_weights_of_several_labels_are_a_list_of_dicts():
    given = [{0: 1.0, 1: 5.0}, {1: 0.5}]
    rows = np.where(MULTILABEL[:, 0] == 1, 5.0, 1.0) * np.where(MULTILABEL[:, 1] == 1, 0.5, 1.0)
    one = MLPClassifier(6, class_weight=given, **LBFGS).fit(X, MULTILABEL)
    same(one, MLPClassifier(6, **LBFGS).fit(X, MULTILABEL, rows))
    for wrong in (given[0], given[:1]):
        with pytest.raises(ValueError, match="class_weight"):
            MLPClassifier(6, class_weight=wrong).fit(X, MULTILABEL)


def test_a_batch_without_the_class_that_has_a_weight_is_trained_on():
    weighted, plain = (MLPClassifier(6, class_weight=w, **FULL) for w in ({2: 5.0}, None))
    for rows in (CLASSES < 2, CLASSES == 1):
        for model in (weighted, plain):
            model.partial_fit(X[rows], CLASSES[rows], classes=[0, 1, 2])
    same(weighted, plain)
    before = plain.coefs_[0].copy()
    weighted.partial_fit(X, CLASSES)
    assert np.abs(before - weighted.coefs_[0]).max() > 1e-3


def test_class_weights_of_names_that_look_like_numbers():
    names = CLASSES.astype(str)
    one = MLPClassifier(6, class_weight={"0": 1.0, "1": 5.0, "2": 0.5}, **LBFGS).fit(X, names)
    same(one, MLPClassifier(6, class_weight={0: 1.0, 1: 5.0, 2: 0.5}, **LBFGS).fit(X, CLASSES))


@pytest.mark.parametrize("size", [2.0**-1070, 2.0**-200, 2.0**200, 2.0**1023])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_weights_of_any_size_train_alike(size, early_stopping):
    """Their sums would overflow, or leave nothing, and train on nothing without a word."""
    weight = np.round(RNG.random(N) * 8) / 8 + 0.125
    common = {"random_state": 0, "max_iter": 5, "early_stopping": early_stopping, "batch_size": 10}
    for make, target in ((MLPRegressor, TARGET), (MLPClassifier, CLASSES > 0)):
        one = make(6, **common).fit(X, target, weight / 2)
        same(make(6, **common).fit(X, target, weight / 2 * size), one, rtol=0)


def test_class_weights_of_any_size_train_alike():
    one = MLPClassifier(6, class_weight={0: 1.0, 1: 0.5, 2: 0.25}, **LBFGS).fit(X, CLASSES, COUNTS)
    large = {0: 2.0**1020, 1: 2.0**1019, 2: 2.0**1018}
    other = MLPClassifier(6, class_weight=large, **LBFGS).fit(X, CLASSES, COUNTS * 2.0**1000)
    same(other, one)
