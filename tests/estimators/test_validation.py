"""What the user gives is checked before any work, and taken by its names where it has them."""

import itertools
import re
import warnings
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn.linear_model
from scipy import sparse
from sklearn.base import clone, is_classifier
from sklearn.exceptions import DataConversionWarning
from sklearn.model_selection import TimeSeriesSplit, cross_val_score, learning_curve

import skreg
from skreg import (
    ElasticNet,
    ElasticNetCV,
    Lasso,
    LassoCV,
    MLPClassifier,
    MLPRegressor,
    Ridge,
    RidgeCV,
    enet_path,
    lasso_path,
    regularization_path,
    ridge_path,
)
from skreg.data.design import Design
from skreg.neural import fitting as networks

N = 24
RNG = np.random.default_rng(0)
X = RNG.standard_normal((N, 3))
Y = X @ [1.0, 2.0, 0.0] + RNG.standard_normal(N)
GRID = np.geomspace(1e-3, 10.0, 9)
LINEAR = {
    "Lasso": Lasso(alpha=0.1),
    "ElasticNet": ElasticNet(alpha=0.1),
    "Ridge": Ridge(),
    "saga": Ridge(solver="saga"),
    "LassoCV": LassoCV(alphas=GRID, cv=3),
    "ElasticNetCV": ElasticNetCV(alphas=GRID, cv=3),
    "RidgeCV": RidgeCV(alphas=GRID),
    "RidgeCV, 3 folds": RidgeCV(alphas=GRID, cv=3),
}
MODELS = {**LINEAR, "MLPRegressor": MLPRegressor(max_iter=2), "MLPClassifier": MLPClassifier()}
PATHS = {
    "lasso_path": lasso_path,
    "enet_path": enet_path,
    "ridge_path": ridge_path,
    "regularization_path": lambda X, y, **params: regularization_path(Lasso(), X, y, **params),
}
pytestmark = pytest.mark.filterwarnings("ignore:.*the best alpha.*:UserWarning")
each_model = pytest.mark.parametrize("name", MODELS)


@each_model
def test_true_is_no_number_in_any_parameter(name):
    model = MODELS[name]
    y = Y > 0 if is_classifier(model) else Y
    for parameter, rule in model._parameter_constraints.items():
        if not {"boolean", "verbose"} & set(map(str, rule)):
            with pytest.raises((TypeError, ValueError), match=f"{parameter}='?True|{parameter}'"):
                clone(model).set_params(**{parameter: True}).fit(X, y)


@pytest.mark.parametrize("given", [True, [True], np.array([True, False]), np.array(True)], ids=repr)
def test_true_is_no_alpha_and_no_count(given):
    for model in (LassoCV(alphas=given), ElasticNetCV(alphas=given), RidgeCV(alphas=given)):
        with pytest.raises(TypeError, match=r"not bool|no number"):
            model.fit(X, Y)
    for path in PATHS.values():
        with pytest.raises(TypeError, match="not bool"):
            path(X, Y, alphas=given)
    with pytest.raises(ValueError, match="hidden_layer_sizes must be"):
        MLPRegressor(hidden_layer_sizes=(True,)).fit(X, Y)
    with pytest.raises(ValueError, match="dropout must be numbers"):
        MLPRegressor((4, 4), dropout=(True, 0.5)).fit(X, Y)


@pytest.mark.parametrize(
    "model",
    [
        Ridge(alpha=[True]),
        Ridge(alpha=np.array(True)),
        Ridge(alpha=[True, 2.0]),
        Ridge(alpha={0: True, 1: 2.0}),
        Lasso(lower_bound=[False, -1.0, -1.0]),
        Ridge(upper_bound=np.array([True, True, True])),
        ElasticNetCV(l1_ratio=[0.5, True]),
    ],
    ids=repr,
)
def test_true_is_no_number_in_a_list(model):
    with pytest.raises(TypeError, match="has True or False, no number"):
        model.fit(X, np.stack([Y, Y], axis=1) if isinstance(model, Ridge) else Y)


@pytest.mark.parametrize("given", [True, [True], [1.0]], ids=repr)
def test_where_no_number_is_taken_true_is_told_what_a_number_is(given):
    shape = re.escape(f"must have shape (3,), got {np.shape(given)}")
    with pytest.raises(ValueError, match=f"coef_init {shape}"):
        lasso_path(X, Y, coef_init=given)
    for name, path in PATHS.items():
        if name != "regularization_path":
            with pytest.raises(ValueError, match=r"penalty_factor.* must"):
                path(X, Y, penalty_factor=given)
    with pytest.raises(ValueError, match=r"penalty_factor.* must"):
        Lasso(penalty_factor=given).fit(X, Y)
    if given is not True:  # which says whether
        with pytest.raises(ValueError, match=r"precompute must have shape \(3, 3\), got \(1,\)"):
            Lasso(precompute=given).fit(X, Y)
        with pytest.raises(ValueError, match="lower_bound must have one value for each"):
            Lasso(lower_bound=given).fit(X, Y)


@pytest.mark.parametrize(
    "params",
    [{"coef_init": [True, 0, 0]}, {"precompute": np.eye(3) > 0}, {"precompute": [[True] * 3] * 3}],
    ids=repr,
)
def test_true_is_no_number_in_an_array_of_the_right_shape(params):
    with pytest.raises(TypeError, match="has True or False, no number"):
        lasso_path(X, Y, **params)


@pytest.mark.parametrize("path", PATHS.values(), ids=list(PATHS))
def test_true_is_no_tolerance_of_a_path(path):
    with pytest.raises((TypeError, ValueError), match="tol"):
        path(X, Y, tol=True)


def test_a_mask_of_features_is_taken_as_factors():
    mask = np.array([True, False, True])
    assert np.array_equal(
        Lasso(alpha=0.1, penalty_factor=mask).fit(X, Y).coef_,
        Lasso(alpha=0.1, penalty_factor=[1.0, 0.0, 1.0]).fit(X, Y).coef_,
    )


@pytest.fixture(autouse=True)
def no_work(request, monkeypatch):
    """The engine is not reached where something is refused."""
    if "refused" not in request.node.name:
        return

    def engine(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("work was begun on bad input")

    monkeypatch.setattr(Design, "build", engine)
    monkeypatch.setattr(networks, "train", engine)


def fitted(name: str, *data: Any, **params: Any) -> Any:
    """What comes of a model, or of a path function, with these data."""
    return PATHS[name](*data, **params) if name in PATHS else clone(MODELS[name]).fit(*data)


def as_objects(values: Any) -> pd.Series:
    return pd.Series(values, dtype=object)


MISSING = {"None": None, "NaN": np.nan, "pandas's NA": pd.NA, "NaT": pd.NaT}


@pytest.mark.parametrize("name", [*MODELS, *PATHS])
@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("polars", "None"),
        *itertools.product(["Series", "array", "list", "one of two targets"], MISSING),
    ],
)
def test_a_missing_target_is_refused_with_its_row(name, what, kind):
    classifier = name == "MLPClassifier"
    values = np.where(Y > 0, 1, 2).astype(object) if classifier else Y.astype(object)
    values[5] = MISSING[what]
    if kind == "one of two targets":
        values = np.column_stack([np.ones(N, dtype=object), values])
    as_given = {"Series": as_objects, "list": list, "polars": pl.Series}.get(kind, np.asarray)
    where = "row 5 of y, column 1" if values.ndim == 2 else "row 5 of y"
    shown = MISSING[what]
    with pytest.raises(ValueError, match=rf"(?s)y contains NaN.* is {shown}, in {where}\."):
        fitted(name, X, as_given(values))


DATES = pd.date_range("2020-01-01", periods=N).to_series(index=range(N))
DATES[5] = pd.NaT


@pytest.mark.parametrize("name", [*MODELS, *PATHS])
@pytest.mark.parametrize("as_given", [pd.Series, np.asarray, pd.DatetimeIndex, list])
def test_a_missing_date_is_refused_with_its_row(name, as_given):
    """NumPy makes a number of it, the most negative one that there is."""
    with pytest.raises(ValueError, match=r"(?s)y contains NaN.* is NaT, in row 5 of y\."):
        fitted(name, X, as_given(DATES))
    frame = pd.DataFrame({"from": pd.date_range("2020-01-01", periods=N), "to": DATES})
    with pytest.raises(
        ValueError, match=r"X contains NaN.*\n.* is NaT, in row 5 of X, column 'to'"
    ):
        fitted(name, frame, np.arange(float(N)))


@pytest.mark.parametrize("name", ["hidden_layer_sizes", "alpha", "dropout"])
def test_a_number_in_an_array_is_one_number(name):
    """In an array of no dimensions, which is no list of one a layer."""
    value = {"hidden_layer_sizes": 5, "alpha": 0.1, "dropout": 0.2}[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few epochs
        fits = [
            MLPRegressor(random_state=0, max_iter=2).set_params(**{name: given}).fit(X, Y)
            for given in (value, np.array(value))
        ]
    np.testing.assert_array_equal(*(fit.predict(X) for fit in fits))


def test_a_path_predicts_for_columns_in_its_own_order_alone():
    path = regularization_path(Lasso(), FRAME, Y)
    # The frame's own order in memory: BLAS sums a row in another order than in X.
    as_stored = FRAME.to_numpy()
    np.testing.assert_array_equal(path.predict(FRAME, 0.1), path.predict(as_stored, 0.1))
    with pytest.raises(ValueError, match=r"X has the columns .'sex'.* the path has .*'age'"):
        path.predict(FRAME[SHUFFLED], 0.1)


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA], ids=str)
@pytest.mark.parametrize("as_given", [list, pd.Series, as_objects, pd.Categorical, np.array])
def test_a_missing_class_among_texts_is_refused_with_its_row(missing, as_given):
    values = ["a", "b"] * (N // 2)
    values[5] = missing
    given = np.array(values, dtype=object) if as_given is np.array else as_given(values)
    with pytest.raises(ValueError, match=r"(?s)y contains NaN.*missing is .*, in row 5 of y"):
        MLPClassifier().fit(X, given)


@pytest.mark.parametrize("name", [*LINEAR, "MLPRegressor", *PATHS])
@pytest.mark.parametrize("text", ["nan", "inf", "n/a"])
def test_text_that_is_no_finite_number_is_refused(name, text):
    values = Y.astype(object)
    values[5] = text
    with pytest.raises(ValueError, match=f"is '{text}', in row 5 of y"):
        fitted(name, X, values)


@pytest.mark.parametrize("name", [*MODELS, *PATHS])
def test_masked_data_are_refused_where_something_is_masked(name):
    masked_X, masked_y = np.ma.array(X), np.ma.array(Y)
    masked_X[3, 1], masked_y[5] = np.ma.masked, np.ma.masked
    with pytest.raises(ValueError, match="X has masked entries, the first in row 3 of X, column 1"):
        fitted(name, masked_X, Y)
    with pytest.raises(ValueError, match="y has masked entries, the first in row 5 of y"):
        fitted(name, X, masked_y)


@each_model
def test_nothing_masked_is_no_fault_and_predicting_is_checked_as_well(name):
    y = (Y > 0).astype(int) if is_classifier(MODELS[name]) else Y
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few epochs
        model = clone(MODELS[name]).fit(np.ma.array(X), np.ma.array(y))
    rows = np.ma.array(X)
    rows[2, 0] = np.ma.masked
    with pytest.raises(ValueError, match="X has masked entries, the first in row 2 of X, column 0"):
        model.predict(rows)
    with pytest.raises(ValueError, match="nan, in row 1 of X, column 2"):
        model.predict(np.where(np.arange(3 * N).reshape(N, 3) == 5, np.nan, X))


WEIGHTS = {
    "masked": (np.ma.array(np.ones(N), mask=np.arange(N) == 4), "row 4 of sample_weight"),
    "sparse": (sparse.csr_array(np.ones((N, 1))), r"is sparse.*sample_weight.toarray\(\)"),
    "None": ([1.0] * 4 + [None] + [1.0] * (N - 5), "nan, in row 4 of sample_weight"),
}


@each_model
@pytest.mark.parametrize("what", WEIGHTS)
def test_weights_that_are_none_are_refused(name, what):
    weight, match = WEIGHTS[what]
    y = (Y > 0).astype(int) if is_classifier(MODELS[name]) else Y
    with pytest.raises(ValueError, match=f"(?s)sample_weight .*{match}"):
        clone(MODELS[name]).fit(X, y, sample_weight=weight)


@pytest.mark.parametrize("name", [*LINEAR, "MLPRegressor", *PATHS])
@pytest.mark.parametrize("stored", [sparse.csr_array, sparse.csc_matrix])
def test_a_sparse_target_is_refused(name, stored):
    with pytest.raises(ValueError, match=r"y is sparse, and must be an array: pass y.toarray\(\)"):
        fitted(name, X, stored(Y[:, None]))


HIDDEN = np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False])


@pytest.mark.parametrize(
    ("model", "parameter"),
    [
        (LassoCV(cv=3), "alphas"),
        (RidgeCV(), "alphas"),
        (RidgeCV(cv=3), "alphas"),
        (Ridge(), "alpha"),
        (ElasticNetCV(), "l1_ratio"),
        (Lasso(), "penalty_factor"),
        (RidgeCV(), "penalty_factor"),
        (Lasso(), "upper_bound"),
    ],
    ids=str,
)
def test_masked_parameters_are_refused(model, parameter):
    with pytest.raises(ValueError, match=f"{parameter} has masked entries, the first in entry 1"):
        clone(model).set_params(**{parameter: HIDDEN}).fit(X, Y)


# By name -------------------------------------------------------------------------------------

FRAME = pd.DataFrame(X, columns=["age", "bmi", "sex"])
BY_NAME = {
    "penalty_factor": {"age": 0.0, "bmi": 1.0, "sex": 5.0},
    "lower_bound": {"age": -0.1, "bmi": -np.inf, "sex": -0.2},
    "upper_bound": {"age": 0.3, "bmi": 0.5, "sex": np.inf},
}
SHUFFLED = ["sex", "age", "bmi"]


@pytest.mark.parametrize(
    ("name", "parameter"),
    [
        (name, parameter)
        for name, parameter in itertools.product(LINEAR, BY_NAME)
        if name != "saga" and (name != "RidgeCV" or parameter == "penalty_factor")
    ],
)
@pytest.mark.parametrize("kind", ["Series", "dict"])
def test_values_with_names_are_taken_by_name(name, parameter, kind):
    values = BY_NAME[parameter]
    shuffled: Any = {label: values[label] for label in SHUFFLED}
    shuffled = pd.Series(shuffled) if kind == "Series" else shuffled
    model = clone(MODELS[name])
    expected = clone(model).set_params(**{parameter: list(values.values())}).fit(FRAME, Y).coef_
    found = clone(model).set_params(**{parameter: shuffled}).fit(FRAME, Y).coef_
    np.testing.assert_array_equal(found, expected)
    swapped = model.set_params(**{parameter: shuffled}).fit(FRAME[SHUFFLED], Y).coef_
    np.testing.assert_allclose(swapped, expected[[2, 0, 1]], atol=1e-8)


@pytest.mark.parametrize("solver", ["auto", "saga"])
def test_alphas_of_several_targets_are_taken_by_name(solver):
    targets = pd.DataFrame({"first": Y, "second": X[:, 0]})
    alphas = {"second": 100.0, "first": 1.0}
    expected = Ridge([1.0, 100.0], solver=solver, random_state=0).fit(X, targets.to_numpy())
    for given in (alphas, pd.Series(alphas)):
        found = Ridge(given, solver=solver, random_state=0).fit(X, targets)
        np.testing.assert_array_equal(found.coef_, expected.coef_)
        with pytest.raises(ValueError, match=r"alpha has names .'second', .*and y has none"):
            Ridge(given).fit(X, targets.to_numpy())


def test_path_functions_take_values_by_name():
    factor = pd.Series(BY_NAME["penalty_factor"])
    start = pd.Series({"age": 1.0, "bmi": 2.0, "sex": 0.0})
    for function in (lasso_path, enet_path, ridge_path):
        expected = function(X, Y, penalty_factor=factor.to_numpy(), alphas=5)[1]
        more = {} if function is ridge_path else {"coef_init": start[SHUFFLED]}
        found = function(FRAME, Y, penalty_factor=factor[SHUFFLED], alphas=5, **more)[1]
        np.testing.assert_allclose(found, expected, atol=1e-10)


@pytest.mark.parametrize(
    ("X", "values"),
    [
        (X, [1.0, 2.0, 3.0]),
        (X, pd.Series([3.0, 1.0, 2.0], index=[2, 0, 1])),  # by number
        (FRAME, pd.Series([1.0, 2.0, 3.0])),  # numbered and no more
        (FRAME, pl.Series([1.0, 2.0, 3.0])),
        (FRAME.set_axis([7, 9, 8], axis=1), pd.Series([1.0, 3.0, 2.0], index=[7, 8, 9])),
        (FRAME.set_axis([2, 0, 1], axis=1), pd.Series([2.0, 3.0, 1.0])),
        (pl.DataFrame(FRAME), {"sex": 3.0, "age": 1.0, "bmi": 2.0}),
    ],
    ids=["list", "shuffled numbers", "numbered", "polars", "names are numbers", "0 to 2", "dict"],
)
def test_what_a_position_is(X, values):
    expected = Lasso(0.1, penalty_factor=[1.0, 2.0, 3.0]).fit(np.asarray(X), Y).coef_
    np.testing.assert_array_equal(Lasso(0.1, penalty_factor=values).fit(X, Y).coef_, expected)


@pytest.mark.parametrize(
    ("X", "values", "match"),
    [
        (X, pd.Series(BY_NAME["penalty_factor"]), "has names .'age', .*and X has none"),
        (FRAME, {"age": 1.0, "bmi": 1.0}, "has no value for 'sex', a column of X"),
        (FRAME, {"age": 1, "bmi": 1, "sex": 1, "s": 1}, "has a value for 's', which is no column"),
        (FRAME, pd.Series([1.0, 2.0], index=["age", "age"]), "has no value for 'bmi'"),
        (FRAME, pd.Series(np.ones(4), index=[*FRAME, "age"]), "must not repeat a name"),
    ],
    ids=["no names", "too few", "too many", "other", "repeated"],
)
@pytest.mark.parametrize("parameter", BY_NAME)
def test_other_names_are_refused(X, values, match, parameter):
    with pytest.raises(ValueError, match=f"{parameter} .*{match}"):
        LassoCV(**{parameter: values}).fit(X, Y)


# Where to start, what is not checked, how many alphas ------------------------------------------


@pytest.mark.parametrize("function", [lasso_path, enet_path])
@pytest.mark.parametrize(
    ("start", "match"),
    [
        ([1.0, np.nan, 0.0], "coef_init has NaN or infinity"),
        ([1.0, 0.0], r"coef_init must have shape \(3,\), got \(2,\)"),
        ([[1.0, 0.0, 0.0]], r"coef_init must have shape \(3,\), got \(1, 3\)"),
        (["a", "b", "c"], "coef_init must be numeric"),
        (sparse.csr_array(np.ones((1, 3))), "coef_init is sparse"),
        (HIDDEN, "coef_init has masked entries"),
    ],
    ids=["NaN", "short", "two dimensions", "text", "sparse", "masked"],
)
def test_a_bad_start_is_refused(function, start, match):
    with pytest.raises(ValueError, match=match):
        function(X, Y, coef_init=start)


def test_a_bad_start_of_several_targets_is_refused():
    with pytest.raises(ValueError, match=r"coef_init must have shape \(2, 3\), got \(3,\)"):
        lasso_path(X, np.column_stack([Y, Y]), coef_init=np.ones(3))


def test_a_warm_start_from_nan_says_so():
    model = Lasso(0.1, warm_start=True).fit(X, Y)
    model.coef_ = np.full(3, np.nan)
    with pytest.raises(ValueError, match="warm_start=True, but coef_ has NaN"):
        model.fit(X, Y)


@pytest.mark.parametrize(
    ("stored", "dtype"),
    [
        *itertools.product([np.asarray, pd.DataFrame], [np.int64, np.uint8, np.float16, bool]),
        *itertools.product([sparse.csc_array, sparse.coo_array], [np.int64, np.uint8, bool]),
    ],
)
def test_without_checks_coefficients_are_no_less_precise(dtype, stored):
    whole = np.abs(9 * X).astype(dtype)
    expected = Lasso(0.01).fit(whole.astype(float), Y).coef_
    found = Lasso(0.01).fit(stored(whole), Y.tolist(), check_input=False).coef_
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    grid = enet_path(stored(whole), Y.tolist(), check_input=False, alphas=[0.01])[1]
    np.testing.assert_allclose(grid, enet_path(whole.astype(float), Y, alphas=[0.01])[1])


@pytest.mark.parametrize(
    "grid_of",
    [
        lambda alphas: LassoCV(alphas=alphas, cv=3).fit(X, Y).alphas_,
        lambda alphas: ElasticNetCV(alphas=alphas, cv=3).fit(X, Y).alphas_,
        lambda alphas: RidgeCV(alphas=alphas).fit(X, Y).alphas_,
        lambda alphas: RidgeCV(alphas=alphas, cv=3).fit(X, Y).alphas_,
        lambda alphas: lasso_path(X, Y, alphas=alphas)[0],
        lambda alphas: ridge_path(X, Y, alphas=alphas)[0],
        lambda alphas: regularization_path(Lasso(), X, Y, alphas=alphas).alphas,
    ],
    ids=["LassoCV", "ElasticNetCV", "RidgeCV", "RidgeCV, folds", "lasso", "ridge", "path"],
)
@pytest.mark.parametrize("count", [np.array(5), np.int32(5), np.asarray(5, dtype=np.uint8)])
def test_a_count_in_an_array_is_a_count(grid_of, count):
    np.testing.assert_array_equal(grid_of(count), grid_of(5))


CALLS = {
    "LassoCV": lambda **given: LassoCV(cv=3, **given).fit(X, Y).alphas_,
    "ElasticNetCV": lambda **given: ElasticNetCV(cv=3, **given).fit(X, Y).alphas_,
    "lasso_path": lambda **given: lasso_path(X, Y, **given)[0],
    "Lasso.path": lambda **given: Lasso.path(X, Y, l1_ratio=1, **given)[0],
    "LassoCV.path": lambda **given: LassoCV.path(X, Y, **given)[0],
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("given", "n_alphas", "message"),
    [
        ({"n_alphas": 7}, 7, "'n_alphas' was deprecated in 1.*'alphas'"),
        ({"n_alphas": 7, "alphas": None}, 7, "'n_alphas' was deprecated in 1.*'alphas'"),
        ({"n_alphas": 7, "alphas": [1.0, 0.1]}, 2, "'n_alphas' was deprecated in 1.*'alphas'"),
        ({"alphas": None}, 100, "'alphas=None' is deprecated .* 'alphas=100'"),
    ],
    ids=str,
)
def test_older_scikit_learn_s_ways_to_count_alphas_warn(call, given, n_alphas, message):
    with pytest.warns(FutureWarning, match=message) as caught:
        found = CALLS[call](**given)
    assert len(found) == n_alphas
    (warning,) = [one for one in caught if one.category is FutureWarning]
    assert warning.filename == __file__


# One row --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("Lasso", {}),
        ("Lasso", {"fit_intercept": False}),
        ("ElasticNet", {"alpha": 0.1, "fit_intercept": False, "tol": 1e-10}),
        ("Ridge", {}),
        ("Ridge", {"fit_intercept": False}),
        ("Ridge", {"positive": True}),
        ("Ridge", {"solver": "saga"}),
        ("RidgeCV", {"alphas": [1.0]}),
        ("LassoCV", {"cv": [([0], [0]), ([0], [0])], "alphas": [0.1]}),
    ],
    ids=str,
)
@pytest.mark.parametrize("stored", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("weight", [None, [3.0]])
def test_one_row_is_fitted_as_in_scikit_learn(name, parameters, stored, weight):
    if stored is sparse.csr_array and parameters.get("solver") == "saga":
        pytest.skip("scikit-learn's saga takes no sparse X with an intercept")
    row, y = stored([[1.0, 2.0, 3.0]]), [4.0]
    ours = getattr(skreg, name)(**parameters).fit(row, y, sample_weight=weight)
    theirs = getattr(sklearn.linear_model, name)(**parameters)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it divides by zero, and older versions do not converge
        theirs.fit(row, y, sample_weight=weight)
    np.testing.assert_allclose(ours.predict(row), theirs.predict(row), rtol=1e-3)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-2, atol=1e-6)
    assert ours.converged_


@pytest.mark.parametrize("name", ["LassoCV", "ElasticNetCV", "RidgeCV, 3 folds"])
def test_one_row_is_too_few_for_folds(name):
    with pytest.raises(ValueError, match="greater than the number of samples: n_samples=1"):
        clone(MODELS[name]).fit(X[:1], Y[:1])


@pytest.mark.parametrize("name", ["Lasso", "Ridge", "RidgeCV"])
def test_searches_that_begin_with_one_row(name):
    model = clone(MODELS[name])
    scores = cross_val_score(
        model, X, Y, cv=TimeSeriesSplit(N - 1), scoring="neg_mean_squared_error"
    )
    assert np.isfinite(scores).all()
    sizes, train, _ = learning_curve(
        model, X, Y, train_sizes=[1, 5], cv=3, scoring="neg_mean_squared_error"
    )
    assert sizes.tolist() == [1, 5]
    np.testing.assert_allclose(train[0], 0.0, atol=1e-20)


@pytest.mark.parametrize(
    "model",
    [
        skreg.LogisticRegression(),
        skreg.PoissonRegressor(),
        skreg.MLPClassifier(max_iter=2),
        skreg.MLPRegressor(max_iter=2),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_warning_of_a_column_points_at_the_user_s_line(model):
    X = np.random.default_rng(0).normal(size=(20, 2))
    with pytest.warns(DataConversionWarning) as seen:
        model.fit(X, np.arange(20)[:, None] % 2)
    assert [one.filename for one in seen if one.category is DataConversionWarning] == [__file__]
