"""Bad input is refused with one clear error, before any work, and leaves nothing half-fitted."""

import re
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn.linear_model
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, KFold, LeaveOneOut
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skreg.estimators.runtime
from skreg import (
    ElasticNet,
    ElasticNetCV,
    Lasso,
    LassoCV,
    Ridge,
    RidgeCV,
    enet_path,
    lasso_path,
    regularization_path,
    ridge_path,
)
from skreg.data.design import Design
from skreg.solvers.registry import SOLVERS

GRID = np.geomspace(1e-4, 1e3, 15)
MODELS = [
    Lasso(alpha=0.1),
    ElasticNet(alpha=0.1),
    Ridge(),
    LassoCV(cv=3, alphas=GRID),
    ElasticNetCV(cv=3, alphas=GRID),
    RidgeCV(alphas=GRID),
    RidgeCV(cv=3, alphas=GRID),
]
NAMES = ["Lasso", "ElasticNet", "Ridge", "LassoCV", "ElasticNetCV", "RidgeCV", "RidgeCV, 3 folds"]
each_model = pytest.mark.parametrize("model", MODELS, ids=NAMES)


def data(n: int = 24, p: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, p))
    return X, X[:, 0] + 2.0 * X[:, 1] + rng.standard_normal(n)


X, Y = data()


def changed(values: np.ndarray, entry: Any, dtype: Any = float) -> np.ndarray:
    """The same values but for one of them."""
    values = values.astype(dtype)
    values.flat[7] = entry
    return values


def refused(monkeypatch, model, match, X=X, y=Y, error=ValueError, **fit) -> None:
    """The error comes before the engine starts, and the model stays what it was."""

    def engine(*args, **kwargs):
        raise AssertionError("the engine was started on bad input")

    with monkeypatch.context() as patch:
        patch.setattr(Design, "build", engine)
        before = dict(vars(model))
        with pytest.raises(error, match=match):
            model.fit(X, y, **fit)
    assert list(vars(model)) == list(before)
    assert all(vars(model)[name] is value for name, value in before.items())


BAD_DATA = {
    "NaN in X": ((changed(X, np.nan), Y), "Input X contains NaN.*row 2 of X, column 1"),
    "infinity in X": ((changed(X, -np.inf), Y), "X contains infinity.*row 2 of X, column 1"),
    "NaN in sparse X": ((sparse.csr_array(changed(X, np.nan)), Y), "row 2 of X, column 1"),
    "complex X": ((changed(X, 1j, complex), Y), "Complex data not supported.*of X"),
    "text in X": ((changed(X, "abc", object), Y), "'abc', in row 2 of X, column 1"),
    "missing in a frame": (
        (pd.DataFrame(changed(X, np.nan), columns=["age", "bmi", "sex"]), Y),
        "nan, in row 2 of X, column 'bmi'",
    ),
    "text in a frame": (
        (pd.DataFrame(changed(X, "abc", object), columns=["age", "bmi", "sex"]), Y),
        "'abc', in row 2 of X, column 'bmi'",
    ),
    "huge X": ((changed(X, 1e200), Y), "X has values up to 1e.200"),
    "NaN in y": ((X, changed(Y, np.nan)), "Input y contains NaN.*row 7 of y"),
    "infinity in y": ((X, changed(Y, np.inf)), "y contains infinity.*row 7 of y"),
    "complex y": ((X, changed(Y, 1j, complex)), "Complex data not supported.*of y"),
    "text in y": ((X, changed(Y, "abc", object)), "'abc', in row 7 of y"),
    "y of text": ((X, ["low"] * len(Y)), "'low', in row 0 of y"),
    "huge y": ((X, changed(Y, 1e200)), "y has values up to 1e.200"),
    "no y": ((X, None), "requires y"),
    "y of three dimensions": ((X, np.ones((len(X), 2, 2))), "y must have one or two dimensions"),
    "X of one dimension": ((X[:, 0], Y), "Expected 2D array, got 1D"),
    "X of three dimensions": ((X[..., None], Y), "dim 3"),
    "no sample": ((X[:0], Y[:0]), "0 sample"),
    "no feature": ((X[:, :0], Y), "0 feature"),
    "too short a y": ((X, Y[:-1]), "inconsistent numbers of samples"),
}


@each_model
@pytest.mark.parametrize("what", BAD_DATA)
def test_bad_data(what, model, monkeypatch):
    (bad_X, bad_y), match = BAD_DATA[what]
    refused(monkeypatch, clone(model), f"(?s){match}", bad_X, bad_y)


BAD_WEIGHTS = {
    "negative": (-np.ones(len(X)), "Negative values in sample_weight"),
    "one negative": (changed(np.ones(len(X)), -1e-9), "Negative values in sample_weight"),
    "a negative number": (-1.0, "Negative values in sample_weight"),
    "all zero": (np.zeros(len(X)), "at least one non-zero"),
    "NaN": (changed(np.ones(len(X)), np.nan), "sample_weight contains NaN"),
    "infinite": (changed(np.ones(len(X)), np.inf), "sample_weight contains infinity"),
    "too short": (np.ones(len(X) - 1), r"sample_weight.shape == \(23,\), expected \(24,\)"),
    "of two dimensions": (np.ones((len(X), 1)), "1D"),
    "text": (["heavy"] * len(X), "sample_weight must be numeric: .*'heavy'"),
    "complex": (np.ones(len(X), complex), "sample_weight must be numeric: complex"),
}


@each_model
@pytest.mark.parametrize("what", BAD_WEIGHTS)
def test_bad_weights(what, model, monkeypatch):
    weight, match = BAD_WEIGHTS[what]
    refused(monkeypatch, clone(model), match, sample_weight=weight)


BY_FEATURE = [
    ({"penalty_factor": [1.0, 2.0]}, r"penalty_factor must have one value for each of the 3"),
    ({"penalty_factor": [[1.0], [1.0], [1.0]]}, r"penalty_factor must have .* got shape \(3, 1\)"),
    ({"penalty_factor": [1.0, -1.0, 1.0]}, "penalty_factor is negative for feature 1"),
    ({"penalty_factor": [1.0, np.nan, 1.0]}, "penalty_factor is NaN for feature 1"),
    ({"penalty_factor": ["a", "b", "c"]}, "penalty_factor must be numeric: .*'a'"),
    ({"lower_bound": [-1.0, -1.0]}, "lower_bound must have one value for each of the 3"),
    ({"lower_bound": 0.5}, "lower_bound is positive for feature 0"),
    ({"lower_bound": [0.0, 0.0, 1.0], "upper_bound": 0.5}, "lower_bound is positive for feature 2"),
    ({"lower_bound": np.nan}, "lower_bound is NaN"),
    ({"upper_bound": [1.0, 1.0]}, "upper_bound must have one value for each of the 3"),
    ({"upper_bound": [0.0, -1.0, 0.0]}, "upper_bound is negative for feature 1"),
    ({"upper_bound": -np.inf}, "upper_bound is negative"),
    ({"upper_bound": "high"}, "'upper_bound' parameter"),
    ({"standardize": "yes"}, "'standardize' parameter"),
]


@each_model
@pytest.mark.parametrize(("parameters", "match"), BY_FEATURE, ids=str)
def test_bad_parameters_of_features(parameters, match, model, monkeypatch):
    refused(monkeypatch, clone(model).set_params(**parameters), match)


ROWS = np.arange(len(X))
HALVES = [(ROWS[:12], ROWS[12:]), (ROWS[12:], ROWS[:12])]
BAD_PARAMETERS = [
    (Lasso(alpha=-1.0), "'alpha' parameter of Lasso"),
    (Lasso(alpha=np.nan), "'alpha' parameter of Lasso"),
    (Lasso(alpha=np.inf), "'alpha' parameter of Lasso"),
    (Lasso(alpha="strong"), "'alpha' parameter of Lasso"),
    (Lasso(tol=-1.0), "'tol' parameter"),
    (Lasso(max_iter=0), "'max_iter' parameter"),
    (Lasso(solver="newton"), "'solver' parameter of Lasso .* Got 'newton'"),
    (Lasso(selection="sorted"), "'selection' parameter"),
    (Lasso(precompute="gram"), "'precompute' parameter"),
    (ElasticNet(l1_ratio=1.1), "'l1_ratio' parameter"),
    (ElasticNet(l1_ratio=-0.1), "'l1_ratio' parameter"),
    (ElasticNet(l1_ratio=np.nan), "'l1_ratio' parameter"),
    (ElasticNetCV(l1_ratio=[0.5, 1.1]), "l1_ratio must be in"),
    (ElasticNetCV(l1_ratio=[]), "l1_ratio must be in"),
    (ElasticNetCV(l1_ratio=["half"]), "l1_ratio must be numeric: .*'half'"),
    (Ridge(alpha=-1.0), "'alpha' parameter of Ridge"),
    (Ridge(alpha=[1.0, 2.0]), "penalties do not correspond: 2 != 1"),
    (Ridge(alpha=[]), "penalties do not correspond: 0 != 1"),
    (Ridge(alpha=[-1.0]), "alpha must be finite and at least 0"),
    (Ridge(alpha=[np.nan]), "alpha must be finite and at least 0"),
    (Ridge(alpha=["strong"]), "alpha must be numeric: .*'strong'"),
    (Ridge(solver="newton"), "'solver' parameter of Ridge .* Got 'newton'"),
    (Ridge(solver="svd", positive=True), "solver='svd' does not support positive"),
    (Ridge(solver="sag", positive=True), "solver='sag' does not support positive"),
    (Ridge(solver="saga", penalty_factor=[1, 1, 2]), "solver='saga' does not support penalty_fac"),
    (Ridge(solver="cholesky", upper_bound=1.0), "solver='cholesky' does not support .*bounds"),
    (Ridge(solver="lsqr", lower_bound=-1.0), "solver='lsqr' does not support .*bounds"),
    (LassoCV(alphas=[]), "alphas must be a count or a non-empty"),
    (LassoCV(alphas=0), "'alphas' parameter"),
    (LassoCV(alphas=2.5), "'alphas' parameter"),
    (LassoCV(alphas=[1.0, np.nan]), r"alphas\[1\] == nan, must be finite"),
    (LassoCV(alphas=[np.inf, 1.0]), r"alphas\[0\] == inf, must be finite"),
    (LassoCV(alphas=[1.0, -1.0]), r"alphas\[1\] == -1.0, must be >= 0"),
    (LassoCV(alphas=[[1.0, 2.0]]), "alphas must be a count or a non-empty"),
    (LassoCV(alphas=[1.0, "2"]), r"alphas\[1\] must be an instance of float, not str"),
    (LassoCV(rule="2se"), "'rule' parameter"),
    (LassoCV(cv=1), "'cv' parameter"),
    (LassoCV(cv=KFold(30)), "n_splits=30"),
    (LassoCV(cv=HALVES[:1], rule="1se"), "rule='1se' needs at least 2 folds"),
    (LassoCV(cv=[]), "cv must give at least one pair of training and test rows, got none"),
    (LassoCV(cv=[HALVES[0], (ROWS, ROWS[:0])]), "cv: fold 1 has no test rows"),
    (LassoCV(cv=[HALVES[0], (ROWS, ROWS + 1)]), "cv gives rows that are not among the 24"),
    (RidgeCV(alphas=[]), "alphas must be a count or a non-empty"),
    (RidgeCV(alphas=[0.0, 1.0]), r"alphas\[0\] == 0.0, must be > 0"),
    (RidgeCV(alphas=[1.0, np.inf]), r"alphas\[1\] == inf, must be finite"),
    (RidgeCV(alphas=-1), "'alphas' parameter"),
    (RidgeCV(cv=1), "'cv' parameter"),
    (RidgeCV(cv=HALVES[:1], alphas=GRID, rule="1se"), "rule='1se' needs at least 2 folds"),
    (RidgeCV(cv=3, store_cv_results=True), "store_cv_results=True"),
    (RidgeCV(lower_bound=0.0), "no leave-one-out formula; set cv"),
    (RidgeCV(scoring="accurate"), "'scoring' parameter"),
    (RidgeCV(gcv_mode="qr"), "'gcv_mode' parameter"),
]


@pytest.mark.parametrize(("model", "match"), BAD_PARAMETERS, ids=str)
def test_bad_parameters(model, match, monkeypatch):
    refused(monkeypatch, model, match, error=(ValueError, TypeError))


@pytest.mark.parametrize("model", [LassoCV(eps=0.0), LassoCV(eps=2.0)], ids=str)
def test_bad_eps(model, monkeypatch):
    refused(monkeypatch, model, "'eps' parameter")


@pytest.mark.parametrize(
    ("gram", "match"),
    [
        (np.eye(2), r"precompute must have shape \(3, 3\)"),
        (np.full((3, 3), np.nan), "precompute contains NaN"),
        (np.eye(3), "did not pass validation"),
    ],
    ids=["shape", "NaN", "of another X"],
)
def test_bad_gram_matrix(gram, match):
    model = Lasso(alpha=0.1, precompute=gram)
    before = dict(vars(model))
    with pytest.raises(ValueError, match=match):
        model.fit(X - X.mean(axis=0), Y)
    assert vars(model) == before


PATHS = [
    (lasso_path, {"alphas": []}, "alphas must be"),
    (lasso_path, {"alphas": 0}, "alphas must be at least 1"),
    (lasso_path, {"eps": 0.0}, "eps must be in"),
    (lasso_path, {"tol": -1.0}, "'tol' parameter"),
    (lasso_path, {"speed": 3}, "Unexpected parameters in params: .'speed'"),
    (enet_path, {"l1_ratio": 1.5}, "'l1_ratio' parameter"),
    (enet_path, {"solver": "newton"}, "'solver' parameter"),
    (enet_path, {"lower_bound": 1.0}, "lower_bound is positive"),
    (enet_path, {"sample_weight": np.zeros(len(X))}, "at least one non-zero"),
    (ridge_path, {"alphas": [-1.0]}, r"alphas\[0\] == -1.0"),
    (ridge_path, {"penalty_factor": [1.0]}, "penalty_factor must have one value for each"),
]


@pytest.mark.parametrize(
    ("function", "parameters", "match"),
    PATHS,
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_bad_parameters_of_path_functions(function, parameters, match):
    with pytest.raises(ValueError, match=match):
        function(X, Y, **parameters)


def test_regularization_path_refuses_what_has_no_path():
    for model in (LassoCV(), RidgeCV(), sklearn.linear_model.Lasso()):
        with pytest.raises(TypeError, match=f"of given strength.*, got {type(model).__name__}$"):
            regularization_path(model, X, Y)
    with pytest.raises(ValueError, match=r"solver='saga' .*path"):
        regularization_path(Ridge(solver="saga"), X, Y)
    with pytest.raises(ValueError, match="'alpha' parameter"):
        regularization_path(Lasso(alpha=-1.0), X, Y)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        regularization_path(Ridge(), changed(X, np.nan), Y)


def interrupted(*args):
    """A solver during which the user presses Ctrl-C."""
    raise KeyboardInterrupt
    yield


@each_model
def test_a_failed_refit_keeps_the_earlier_fit(model, monkeypatch):
    model = clone(model).fit(X, Y)
    before = {name: np.copy(value) for name, value in vars(model).items() if name.endswith("_")}
    refused(monkeypatch, model, "Input X contains NaN", changed(X[:, :2], np.nan))
    for name in SOLVERS:
        monkeypatch.setitem(SOLVERS, name, replace(SOLVERS[name], solve=interrupted))
    with pytest.raises(KeyboardInterrupt):
        model.fit(X[:, :2], Y)
    for name, value in before.items():
        np.testing.assert_array_equal(getattr(model, name), value)
    assert model.predict(X).shape == Y.shape


@each_model
def test_nothing_is_left_after_ctrl_c(model, monkeypatch):
    for name in SOLVERS:
        monkeypatch.setitem(SOLVERS, name, replace(SOLVERS[name], solve=interrupted))
    model = clone(model)
    before = dict(vars(model))
    with pytest.raises(KeyboardInterrupt):
        model.fit(pd.DataFrame(X, columns=["a", "b", "c"]), Y)
    assert vars(model) == before


# What is no error ---------------------------------------------------------------------------


@each_model
def test_a_constant_target_is_fitted(model):
    found = clone(model).fit(X, np.full(len(X), 3.5))
    np.testing.assert_allclose(found.coef_, 0.0, atol=1e-100)
    np.testing.assert_allclose(found.predict(X), 3.5, rtol=1e-15)
    assert found.converged_


@each_model
@pytest.mark.parametrize("standardize", [False, True])
def test_constant_and_duplicated_columns_are_fitted(model, standardize):
    wide = np.column_stack([X, np.full(len(X), 7.0), np.zeros(len(X)), X[:, 1]])
    found = clone(model).set_params(standardize=standardize).fit(wide, Y)
    assert found.converged_
    assert found.dual_gap_ < 1e-10
    np.testing.assert_array_equal(found.coef_[3:5], 0.0)
    assert np.isfinite(found.predict(wide)).all()


# Warnings -----------------------------------------------------------------------------------


def hard_problem(n_targets: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Correlated features that one iteration cannot settle."""
    rng = np.random.default_rng(1)
    common = rng.standard_normal((50, 5))
    wide = common @ rng.standard_normal((5, 200)) + 0.3 * rng.standard_normal((50, 200))
    y = wide @ rng.standard_normal((200, n_targets)) + rng.standard_normal((50, n_targets))
    return wide, y if n_targets > 1 else y[:, 0]


HASTY = {"max_iter": 1, "tol": 1e-12}
SLOW = {
    "Lasso": lambda: Lasso(**HASTY).fit(*hard_problem()),
    "Lasso with three targets": lambda: Lasso(**HASTY).fit(*hard_problem(3)),
    "LassoCV": lambda: LassoCV(cv=3, alphas=[3.0, 1.0, 0.3, 0.1], **HASTY).fit(*hard_problem()),
    "ElasticNetCV": lambda: ElasticNetCV(cv=3, l1_ratio=[0.5, 1.0], alphas=[3.0, 1.0], **HASTY).fit(
        *hard_problem()
    ),
    "regularization_path": lambda: regularization_path(
        Lasso(solver="cd", **HASTY), *hard_problem(), alphas=5
    ),
    "lasso_path": lambda: lasso_path(*hard_problem(), alphas=5, solver="cd", **HASTY),
}


@pytest.mark.parametrize("call", SLOW.values(), ids=list(SLOW))
def test_not_converging_warns_once_with_gap_and_tolerance(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    (warning,) = [w for w in caught if issubclass(w.category, ConvergenceWarning)]
    message = str(warning.message)
    assert re.search(
        r"reached a duality gap of \d\.\d{3}e[-+]\d\d.*, tolerance: 1.000e-12", message
    )
    assert "max_iter" in message
    assert Path(warning.filename) == Path(__file__)


def test_not_converging_is_recorded():
    with pytest.warns(ConvergenceWarning):
        model = Lasso(**HASTY).fit(*hard_problem(3))
    assert not model.converged_.all()
    assert model.dual_gap_[~model.converged_].min() > 1e-12


POINTING = {
    "fit": lambda model: model.fit(*hard_problem()),
    "pipeline": lambda model: make_pipeline(StandardScaler(), model).fit(*hard_problem()),
    "search": lambda model: GridSearchCV(model, {"positive": [True]}, cv=2).fit(*hard_problem()),
}


@pytest.mark.parametrize("call", POINTING.values(), ids=list(POINTING))
def test_warnings_point_at_the_user_s_line(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call(Lasso(**HASTY))
    assert caught
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    for warning in caught:
        assert Path(warning.filename) == Path(__file__)
        assert "lambda model" in lines[warning.lineno - 1]


def test_every_warning_goes_through_the_one_that_finds_the_user_s_line():
    package = Path(skreg.__file__).parent
    for file in package.rglob("*.py"):
        if file != Path(skreg.estimators.runtime.__file__):
            assert "warnings.warn(" not in file.read_text(encoding="utf-8"), file


def test_r2_of_single_rows_is_refused():
    X, y = hard_problem()
    with pytest.raises(ValueError, match="neg_mean_squared_error"):
        RidgeCV(cv=LeaveOneOut()).fit(X, y)


def test_a_fold_without_weight_does_not_count():
    X, y = hard_problem()
    weight = np.ones(len(y))
    weight[: len(y) // 5] = 0
    for model in (RidgeCV(alphas=[1.0], cv=5), LassoCV(cv=5, alphas=[0.1])):
        assert np.isfinite(model.fit(X, y, sample_weight=weight).cv_result_.mean).all()


def test_the_1se_rule_needs_a_spread():
    X, y = hard_problem()
    with pytest.raises(ValueError, match="1se"):
        RidgeCV(rule="1se", scoring="r2").fit(X, y)
    squared = RidgeCV(rule="1se", scoring="neg_mean_squared_error").fit(X, y)
    assert squared.alpha_ == RidgeCV(rule="1se").fit(X, y).alpha_


def test_xy_is_checked():
    X, y = hard_problem()
    with pytest.raises(ValueError, match="Xy must have shape"):
        lasso_path(X, y, Xy=np.ones(1))
