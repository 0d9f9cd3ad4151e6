"""Grids made from the data, the alpha at the end of one, and who is told of it."""

import multiprocessing
import subprocess
import sys
import textwrap
import warnings

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.base import clone
from sklearn.datasets import load_diabetes, make_regression
from sklearn.ensemble import BaggingRegressor
from sklearn.feature_selection import RFECV
from sklearn.linear_model import RidgeCV as TheirRidgeCV
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skreg import (
    CVResult,
    ElasticNet,
    ElasticNetCV,
    GridEdgeWarning,
    LassoCV,
    RidgeCV,
    regularization_path,
)
from skreg.estimators import warnings as grid_warnings

X, y = load_diabetes(return_X_y=True)


def edge_warnings(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return [one for one in caught if one.category is GridEdgeWarning]


@pytest.mark.parametrize(
    ("means", "smallest", "open_ends", "edge"),
    [
        ([1, 2, 3], 1.0, ("largest", "smallest"), "largest"),
        ([1, 2, 3], 1.0, ("smallest",), None),
        ([3, 2, 1], 1.0, ("largest", "smallest"), "smallest"),
        ([3, 2, 1], 0.0, ("largest", "smallest"), None),
        ([2, 1, 2], 1.0, ("largest", "smallest"), None),
        ([2, 2, 2], 1.0, ("largest", "smallest"), None),
    ],
)
def test_edge(means, smallest, open_ends, edge):
    errors = np.array(means)[:, None] * [1.0, 1.0]
    alphas = np.array([3.0, 2.0, smallest])
    assert CVResult(alphas, errors, np.ones(2), open_ends=open_ends).edge == edge


@pytest.mark.parametrize(
    ("model", "advice"),
    [
        (LassoCV(alphas=[1.0, 0.9]), "0.9, is the smallest of the grid.*alphas that reach further"),
        (LassoCV(eps=0.5), "is the smallest of the grid.*take a smaller eps"),
        (RidgeCV([1e6, 1e5]), "1e.05, is the smallest of the grid.*alphas that reach further down"),
        (RidgeCV([1e-5, 1e-4], cv=4), "is the largest of the grid.*larger alphas"),
    ],
)
def test_the_warning_says_what_to_do(model, advice):
    with pytest.warns(GridEdgeWarning, match=advice) as seen:
        model.fit(X, y)
    assert [one.filename for one in seen] == [__file__]
    with pytest.warns(GridEdgeWarning) as seen:
        clone(model).fit(X, y)


def test_one_warning_for_many_targets():
    model = RidgeCV(alphas=[1e5, 1e6], alpha_per_target=True)
    assert len(edge_warnings(lambda: model.fit(X, np.column_stack([y, -y, y])))) == 1


@pytest.mark.parametrize(
    "model",
    [
        LassoCV(alphas=[0.1, 0.0]),
        ElasticNetCV(l1_ratio=0.0, alphas=[0.1, 0.0]),
        RidgeCV([1.0, 0.0], cv=5),
    ],
)
def test_there_is_nothing_below_no_penalty(model):
    assert not edge_warnings(lambda: model.fit(X, y))
    assert model.alpha_ == 0.0


NESTED = {
    "RFECV": lambda model: RFECV(model, step=3).fit(X, y),
    "grid search": lambda model: GridSearchCV(model, {"rule": ["min", "1se"]}).fit(X, y),
    "pipeline": lambda model: cross_val_score(make_pipeline(StandardScaler(), model), X, y),
    "bagging": lambda model: BaggingRegressor(model, n_estimators=3).fit(X, y),
}


@pytest.mark.parametrize("nested", NESTED)
def test_a_search_is_warned_once(nested):
    assert len(edge_warnings(lambda: NESTED[nested](LassoCV(alphas=[5.0, 4.0])))) <= 1
    assert len(edge_warnings(lambda: NESTED[nested](RidgeCV([1e5, 1e4])))) == 1


@pytest.mark.exhaustive
def test_each_process_of_a_search_warns_at_most_once():
    code = """
        import numpy as np
        from sklearn.model_selection import GridSearchCV, cross_val_score
        from skreg import LassoCV
        if __name__ == "__main__":
            X = np.random.default_rng(0).normal(size=(60, 2))
            y = X[:, 0] + 0.1 * np.arange(60)
            model = LassoCV(alphas=[0.9, 0.8], cv=3)
            cross_val_score(model, X, y, n_jobs=2)
            GridSearchCV(model, {"rule": ["min", "1se"]}, n_jobs=2, refit=False).fit(X, y)
    """
    command = [sys.executable, "-W", "always", "-c", textwrap.dedent(code)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    assert 1 <= told.count("GridEdgeWarning") <= 2


def test_threads_and_the_workers_of_a_search(monkeypatch):
    model = RidgeCV([1e5, 1e4])
    monkeypatch.setattr(grid_warnings, "_told_by_worker", set())
    with parallel_config("threading"):
        assert len(edge_warnings(lambda: cross_val_score(clone(model), X, y, n_jobs=2))) == 1
        monkeypatch.setattr(multiprocessing, "parent_process", object)
        for expected in (1, 0):
            seen = edge_warnings(lambda: cross_val_score(clone(model), X, y, n_jobs=2))
            assert len(seen) == expected
        assert len(edge_warnings(lambda: model.fit(X, y))) == 1


# Grids made from the data ---------------------------------------------------------------------


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("noise", [0.0, 1.0, 1e4])
@pytest.mark.parametrize("shape", [(200, 5), (60, 3), (30, 60)])
def test_no_default_warns_of_its_own_end(shape, noise):
    A, b = make_regression(*shape, n_informative=shape[1], noise=noise, random_state=0)
    for model in (RidgeCV(), RidgeCV(40), RidgeCV(cv=5), LassoCV(), LassoCV(alphas=30)):
        model.fit(A, b)
    for l1_ratio in (0.0, 0.5):
        ElasticNetCV(l1_ratio=l1_ratio).fit(A, b)


@pytest.mark.parametrize(("n", "p"), [(1000, 10), (200, 5), (100, 30)])
def test_ridge_predicts_clean_data_as_well_as_with_scikit_learns_alphas(n, p):
    ours, theirs = [], []
    for seed in range(10):
        A, b = make_regression(n + 1000, p, n_informative=p, noise=1.0, random_state=seed)
        for model, errors in ((RidgeCV(), ours), (TheirRidgeCV(), theirs)):
            model.fit(A[:n], b[:n])
            errors.append(np.mean((model.predict(A[n:]) - b[n:]) ** 2))
    assert np.mean(ours) < 1.01 * np.mean(theirs)


@pytest.mark.parametrize("scale", [1.0, 1e-3])
def test_the_ends_of_the_ridge_grid(scale):
    A = X * scale
    values = np.linalg.svd(A - A.mean(axis=0), compute_uv=False) ** 2
    alphas = RidgeCV().fit(A, y).alphas_
    assert len(alphas) == 100
    np.testing.assert_allclose(alphas[0], 1e3 * values[0], rtol=1e-6)
    np.testing.assert_allclose(alphas[-1], np.finfo(float).eps ** 0.5 * values[-1], rtol=1e-6)


def test_without_an_l1_part_the_grid_is_no_matter_of_the_unit_of_y():
    net, same = (
        ElasticNetCV(l1_ratio=0.0).fit(X, y),
        RidgeCV(cv=5, scoring="neg_mean_squared_error"),
    )
    np.testing.assert_allclose(net.alphas_ * len(y), same.fit(X, y).alphas_, rtol=1e-9)
    np.testing.assert_allclose(net.path_.coefs, same.path_.coefs, rtol=1e-6)
    large = ElasticNetCV(l1_ratio=0.0).fit(X, 1e6 * y)
    np.testing.assert_allclose(large.alphas_, net.alphas_, rtol=1e-9)
    path = regularization_path(ElasticNet(l1_ratio=0.0), X, y)
    np.testing.assert_allclose(path.alphas, net.alphas_, rtol=1e-9)
