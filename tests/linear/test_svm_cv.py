"""LinearSVCCV against loops of single fits."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from sklearn.model_selection import GroupKFold, StratifiedKFold

import skreg
from skreg import LinearSVC, LinearSVCCV

pytestmark = pytest.mark.filterwarnings("ignore::skreg.GridEdgeWarning")  # grids are short

RNG = np.random.default_rng(0)
IRIS = load_iris()
THREE = IRIS.data - IRIS.data.mean(0), IRIS.target_names[IRIS.target]
TWO = RNG.normal(size=(120, 5)), np.array(["no", "yes"])[RNG.integers(0, 2, 120)]
TWO[0][TWO[1] == "yes"] += [0.8, -0.5, 0, 0, 0]
WEIGHT = RNG.integers(0, 4, 150).astype(float)
CS = np.array([1e-3, 1e-2, 0.1, 1.0])
CV = StratifiedKFold(3)


def mean_squared_hinge(model, X, y, weight):
    """Of rows and classes."""
    eta = model.decision_function(X)
    eta = eta[:, None] if eta.ndim == 1 else eta
    own = model.classes_[1:] if eta.shape[1] == 1 else model.classes_
    short = np.maximum(1 - np.where(y[:, None] == own, 1, -1) * eta, 0)
    return np.average(short**2, axis=0, weights=weight).mean()


@pytest.mark.one_in(3)
@pytest.mark.parametrize("data", [TWO, THREE], ids=["two", "three"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "given",
    [
        {"l1_ratios": [0.0]},
        {"l1_ratios": [0.0, 0.5, 1.0], "standardize": True},
        {"l1_ratios": [0.5], "upper_bound": 0.2, "fit_intercept": False},
        {"l1_ratios": [1.0], "scoring": "balanced_accuracy"},
    ],
    ids=str,
)
def test_it_is_a_loop_of_single_fits(data, weighted, given):
    X, y = data
    weight = WEIGHT[: len(y)] if weighted else None
    own = LinearSVCCV(Cs=CS, cv=CV, tol=1e-12, **given).fit(X, y, weight)
    assert_array_equal(own.Cs_, CS)
    counted = np.ones(len(y)) if weight is None else weight
    settings = {
        name: value for name, value in given.items() if name not in ("l1_ratios", "scoring")
    }
    scores = np.zeros((3, len(given["l1_ratios"]), len(CS)))
    for f, (train, test) in enumerate(CV.split(X, y)):
        for r, share in enumerate(given["l1_ratios"]):
            for i, C in enumerate(CS):
                one = LinearSVC("elasticnet", l1_ratio=share, C=C, tol=1e-12, **settings)
                one.fit(X[train], y[train], counted[train])
                if "scoring" in given:
                    found = one.predict(X[test])
                    score = balanced_accuracy_score(y[test], found, sample_weight=counted[test])
                else:
                    score = -mean_squared_hinge(one, X[test], y[test], counted[test])
                scores[f, r, i] = score
                paths = own.coefs_paths_[f, r, i]
                assert_allclose(paths[:, : X.shape[1]], one.coef_, atol=1e-5)
    assert_allclose(own.scores_, scores, atol=1e-5)
    share, C = own.l1_ratio_, own.C_
    mean = scores.mean(axis=0)
    assert mean[given["l1_ratios"].index(share), CS.tolist().index(C)] == pytest.approx(mean.max())
    last = LinearSVC("elasticnet", l1_ratio=share, C=C, tol=1e-12, **settings).fit(X, y, weight)
    assert_allclose(own.coef_, last.coef_, atol=1e-7)
    assert_allclose(own.intercept_, last.intercept_, atol=1e-7)
    assert_array_equal(own.predict(X), last.predict(X))


def test_weights_of_classes_are_those_of_the_rows_trained_on():
    X, y = TWO
    keep = np.arange(120) % 3 > (y == "yes")
    X, y = X[keep], y[keep]
    own = LinearSVCCV(Cs=CS, cv=CV, class_weight="balanced", tol=1e-12).fit(X, y)
    for f, (train, test) in enumerate(CV.split(X, y)):
        one = LinearSVC(C=CS[0], class_weight="balanced", tol=1e-12).fit(X[train], y[train])
        score = -mean_squared_hinge(one, X[test], y[test], None)
        assert own.scores_[f, 0, 0] == pytest.approx(score, abs=1e-6)


def test_each_of_several_classes_has_its_weight_against_the_rest():
    X, y = THREE
    keep = (np.arange(150) % 3 > 0) | (y != "setosa")
    X, y = X[keep], y[keep]
    own = LinearSVCCV(Cs=CS, cv=CV, class_weight="balanced", tol=1e-12).fit(X, y)
    for f, (train, test) in enumerate(CV.split(X, y)):
        for i, C in enumerate(CS):
            one = LinearSVC(C=C, class_weight="balanced", tol=1e-12).fit(X[train], y[train])
            score = -mean_squared_hinge(one, X[test], y[test], None)
            assert own.scores_[f, 0, i] == pytest.approx(score, abs=1e-5)
    last = LinearSVC(C=own.C_, class_weight="balanced", tol=1e-12).fit(X, y)
    assert_allclose(own.coef_, last.coef_, atol=1e-6)
    with pytest.raises(ValueError, match="give Cs"):
        LinearSVCCV(alphas=5, class_weight="balanced").fit(X, y)


def test_a_grid_from_the_data_and_rules():
    own = LinearSVCCV(alphas=30, l1_ratios=[1.0], rule="1se").fit(*TWO)
    assert pytest.approx(1 / (2 * own.alpha_ * 120)) == own.C_
    assert own.alpha_ == own.alpha_1se_ >= own.alpha_min_
    assert not own.path_.coefs[:, 0].any()
    assert own.path_.coefs[:, 1].any()
    with pytest.raises(ValueError, match="rule='bic' needs a likelihood"):
        LinearSVCCV(rule="bic").fit(*TWO)
    averaged = LinearSVCCV(Cs=CS, refit=False, cv=CV).fit(*TWO)
    assert averaged.coef_.shape == (1, 5)
    assert not hasattr(averaged, "path_")


def test_it_has_no_parameter_without_effect():
    assert not {"intercept_scaling", "random_state"} & LinearSVCCV().get_params().keys()
    with pytest.raises(ValueError, match="'l1_ratios' parameter of LinearSVCCV"):
        LinearSVCCV(l1_ratios="warn").fit(*TWO)


def test_scorers_are_asked_by_score_and_told_of_metadata():
    X, y = TWO
    own = LinearSVCCV(Cs=CS, scoring="balanced_accuracy").fit(X, y)
    assert own.score(X, y) == balanced_accuracy_score(y, own.predict(X))
    plain = LinearSVCCV(Cs=CS).fit(X, y)
    assert plain.score(X, y, WEIGHT[:120]) == accuracy_score(
        y, plain.predict(X), sample_weight=WEIGHT[:120]
    )
    with pytest.raises(TypeError, match="offset"):
        plain.score(X, y, offset=np.zeros(120))
    groups = np.arange(120) % 4
    with config_context(enable_metadata_routing=True):
        cv = GroupKFold(4).set_split_request(groups=True)
        grouped = LinearSVCCV(Cs=CS, cv=cv).fit(X, y, groups=groups)
    assert grouped.scores_.shape == (4, 1, 4)


@pytest.mark.parametrize("data", [TWO, THREE], ids=["two", "three"])
def test_sparse_narrow_pickled_and_converted(data):
    X, y = data
    own = LinearSVCCV(Cs=CS, cv=CV).fit(X, y)
    assert_allclose(clone(own).fit(sparse.csr_array(X), y).coef_, own.coef_, atol=1e-7)
    assert_allclose(clone(own).set_params(n_jobs=2).fit(X, y).coef_, own.coef_, atol=1e-12)
    assert clone(own).fit(X.astype(np.float32), y).coef_.dtype == np.float32
    again = pickle.loads(pickle.dumps(own))
    assert_array_equal(again.predict(X), own.predict(X))
    twin = skreg.to_sklearn(own)
    assert_array_equal(twin.predict(X), own.predict(X))
    assert twin.C == own.C_


def test_the_edge_of_a_grid_is_told_in_terms_of_the_c_that_was_given():
    with pytest.warns(skreg.GridEdgeWarning, match="best C, 0.01, is the largest of the grid"):
        LinearSVCCV(Cs=[0.001, 0.01], cv=CV).fit(*TWO)
