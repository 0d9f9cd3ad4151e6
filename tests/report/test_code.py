"""The code on a page that makes it again: the same models, or a name for what code cannot say."""

import ast
import re

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.compose import (
    TransformedTargetRegressor,
    make_column_selector,
    make_column_transformer,
)
from sklearn.linear_model import Lasso as TheirLasso
from sklearn.linear_model import LassoCV as TheirLassoCV
from sklearn.linear_model import Ridge as TheirRidge
from sklearn.metrics import make_scorer, mean_absolute_error
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skreg import LassoCV, Ridge
from skreg.report.code import printed

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
Y = np.exp(X @ [0.1, 0.2, 0.3] + RNG.normal(size=40) / 10)


class Mine(RegressorMixin, BaseEstimator):
    """Made in the user's own session, as far as the code can tell."""

    def __init__(self, steps=3):
        self.steps = steps

    def fit(self, X, y):
        return self

    def predict(self, X):
        return np.ones(len(X))


Mine.__module__ = "__main__"


def made_again(call, **known):
    """The arguments that the code passes."""
    passed = {}

    def report(estimators, X, y, **options):
        passed.update(options, estimators=estimators)

    code = call.replace("skreg.report(", "report(")
    exec(compile(code, "call", "exec"), {"X": X, "y": Y, "report": report, **known})
    return passed


def assert_the_same(call, models, **known):
    again = made_again(call, **known)["estimators"]
    assert len(again) == len(models)
    for (_, one), other in zip(again, models, strict=True):
        assert type(one) is type(other)
        assert printed(one) == printed(other)
        if isinstance(one, Pipeline):
            assert [type(step) for _, step in one.steps] == [type(step) for _, step in other.steps]


def test_classes_of_one_name_from_two_libraries(gather):
    models = [
        TheirLassoCV(),
        LassoCV(),
        make_pipeline(StandardScaler(), TheirRidge()),
        make_pipeline(StandardScaler(), Ridge()),
    ]
    call = gather(models, X, Y).call
    assert (
        "from sklearn.linear_model import LassoCV as SklearnLassoCV, Ridge as SklearnRidge" in call
    )
    assert "from skreg import LassoCV, Ridge\n" in call
    assert_the_same(call, models)


def test_a_class_of_ones_own_keeps_its_name(gather):
    own = type("Ridge", (Mine,), {"__module__": "__main__"})
    call = gather([own(), Ridge(), TheirRidge()], X, Y).call
    assert_the_same(call, [own(), Ridge(), TheirRidge()], Ridge=own)


def test_text_that_looks_like_a_class_stays(gather):
    model = Pipeline([("TheirRidge(1) Ridge(", StandardScaler()), ("Ridge", TheirRidge())])
    assert_the_same(gather([model, Ridge()], X, Y).call, [model, Ridge()])


@pytest.mark.parametrize(
    "model",
    [
        TransformedTargetRegressor(Ridge(), func=np.log, inverse_func=np.exp),
        make_pipeline(
            make_column_transformer((StandardScaler(), make_column_selector(pattern="x"))), Ridge()
        ),
        GridSearchCV(Ridge(), {"alpha": [1.0]}, scoring=make_scorer(mean_absolute_error)),
        TransformedTargetRegressor(
            make_pipeline(StandardScaler(), Ridge()),
            transformer=None,
            func=lambda y: y,
            inverse_func=lambda y: y,
        ),
        GridSearchCV(Pipeline([("m", Ridge())]), {"m": [Ridge(), TheirRidge()]}),
        Ridge(solver="auto", alpha=1.0).set_params(alpha=np.random.RandomState),
    ],
    ids=["ufunc", "selector", "scorer", "lambda", "two homes in one", "a class"],
)
def test_what_does_not_print_as_code_stands_by_name(model):
    from skreg.report.code import python_call
    from skreg.report.request import Request

    given = (("odd", model, False), ("plain", Ridge(), False))
    named = {"names": ("a",), "target": "y", "title": "", "task": "regression"}
    rest = {"classes": np.array([]), "folds": (), "metrics": [], "random_state": 0}
    request = Request(given, X, Y, **named, **rest)
    call = python_call(request, "page.html", {"cv": 5, "random_state": None})
    assert "('odd', estimator_1),  # your own" in call
    assert made_again(call, estimator_1=model)["estimators"][0][1] is model
    ast.parse(call)


def test_numbers_of_numpy_are_imported(gather):
    models = [
        LassoCV(alphas=np.array([1.0, 0.1], dtype=np.float32)),
        TheirLasso(alpha=np.float64(0.5)),
        Mine(steps=np.nan),
    ]
    call = gather(models, X, Y).call
    assert_the_same(call, models, Mine=Mine)
    assert re.search("from numpy import .*array", call)
    assert "estimator_" not in call


def test_a_splitter_that_does_not_print_as_code(gather):
    class Halves:
        def split(self, X, y=None, groups=None):
            rows = np.arange(len(X))
            yield rows[::2], rows[1::2]
            yield rows[1::2], rows[::2]

        def get_n_splits(self, X=None, y=None, groups=None):
            return 2

    assert "    cv=cv,\n" in gather(Ridge(), X, Y, cv=Halves()).call
