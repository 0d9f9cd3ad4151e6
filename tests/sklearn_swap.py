"""A pytest plugin that puts skreg's estimators and functions in the place of scikit-learn's.

``-p sklearn_swap`` does it before a test module of scikit-learn is imported; a module that has
something else under one of the names stops the run.
"""

import inspect

import pytest
import sklearn.linear_model
import sklearn.neural_network
import sklearn.svm
from sklearn.linear_model import _coordinate_descent, _ridge

import skreg

NAMES = (
    "ElasticNet",
    "ElasticNetCV",
    "GammaRegressor",
    "HuberRegressor",
    "Lasso",
    "LassoCV",
    "LinearSVC",
    "LogisticRegression",
    "LogisticRegressionCV",
    "MLPClassifier",
    "MLPRegressor",
    "MultiTaskElasticNet",
    "MultiTaskElasticNetCV",
    "MultiTaskLasso",
    "MultiTaskLassoCV",
    "PoissonRegressor",
    "Ridge",
    "RidgeCV",
    "RidgeClassifier",
    "RidgeClassifierCV",
    "TweedieRegressor",
    "enet_path",
    "lasso_path",
)


def is_of_ours(item: pytest.Function) -> bool:
    """Whether a test is of an estimator that skreg has, of a module about many."""
    if not item.module.__name__.endswith("svm.tests.test_svm"):
        return True
    return "LinearSVC(" in inspect.getsource(item.function)


def pytest_configure() -> None:
    # scikit-learn's tests make targets by the private losses of its own models.
    for name in ("GammaRegressor", "PoissonRegressor", "TweedieRegressor"):
        getattr(skreg, name)._get_loss = getattr(sklearn.linear_model, name)._get_loss
    modules = sklearn.linear_model, sklearn.neural_network, sklearn.svm
    for place in (*modules, _coordinate_descent, _ridge):
        for name in NAMES:
            if hasattr(place, name):
                setattr(place, name, getattr(skreg, name))


def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    items[:] = [item for item in items if is_of_ours(item)]
    for module in {item.getparent(pytest.Module).obj for item in items}:
        for name in NAMES:
            if getattr(module, name, getattr(skreg, name)) is not getattr(skreg, name):
                raise pytest.UsageError(f"{module.__name__}.{name} is not skreg's")
