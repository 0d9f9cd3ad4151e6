"""What is found ready is what scikit-learn's checks would make of it; the rest is left alone."""

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn import linear_model
from sklearn.base import clone
from sklearn.utils import check_array

import skreg
from skreg.estimators.ready import finite_floats

RNG = np.random.default_rng(0)
LARGEST = np.finfo(np.float64).max
WHOLE = RNG.integers(-9, 9, (12, 4))
X = np.round(WHOLE + 0.25 * RNG.integers(0, 4, WHOLE.shape), 2)  # the same in float32
Y = X @ [1.0, -2.0, 0.0, 0.5] + RNG.integers(0, 2, len(X))


def frame(*kinds):
    return pd.DataFrame(
        {f"x{j}": WHOLE[:, j].astype(kinds[j % len(kinds)]) for j in range(WHOLE.shape[1])}
    )


READY = {
    "C": X,
    "F": np.asfortranarray(X),
    "float32": X.astype(np.float32),
    "every other column": np.repeat(X, 2, axis=1)[:, ::2],
    "every other row, float32": np.repeat(X, 2, axis=0).astype(np.float32)[::2],
    "backwards": X[::-1],
    "whole numbers": WHOLE,
    "small whole numbers": WHOLE.astype(np.int8)[:, ::2],
    "frame": frame("float64"),
    "float32 frame": frame("float32"),
    "frame of two floats": frame("float64", "float32"),
    "frame of numbers": frame("int64", "float32", "uint8"),
    "frame of whole numbers": frame("int32"),
    "CSR": sparse.csr_matrix(X),
    "CSR array, float32": sparse.csr_array(X.astype(np.float32)),
    "CSC": sparse.csc_array(X),
    "CSC of whole numbers": sparse.csc_matrix(WHOLE),
}


@pytest.mark.parametrize("dtype", [None, np.float32])
@pytest.mark.parametrize("form", READY)
def test_it_is_what_the_checks_make(form, dtype):
    found, mean_square = finite_floats(READY[form], dtype)
    kinds = [np.float64, np.float32] if dtype is None else dtype
    expected = check_array(READY[form], accept_sparse=["csr", "csc"], dtype=kinds)
    assert type(found) is type(expected)
    assert found.dtype == expected.dtype
    stored = sparse.issparse(expected)
    assert_array_equal(*(each.toarray() if stored else each for each in (found, expected)))
    entries = found.data if sparse.issparse(found) else found
    np.testing.assert_allclose(mean_square, np.mean(np.square(entries)), rtol=1e-6)


def with_entry(value, dtype=np.float64):
    table = X.astype(dtype)
    table[3, 1] = value
    return table


TWICE = sparse.csr_matrix(([1.0, 2.0, 3.0], [1, 1, 0], [0, 2, 3]), shape=(2, 4))
LEFT = {
    "NaN": with_entry(np.nan),
    "infinity": with_entry(np.inf, np.float32),
    "squares overflow": with_entry(1e200),
    "NaN, strided": np.repeat(with_entry(np.nan), 2, axis=1)[:, ::2],
    "NaN in a frame": pd.DataFrame(with_entry(np.nan)),
    "NaN in CSR": sparse.csr_matrix(with_entry(np.nan)),
    "booleans": X > 0,
    "half precision": X.astype(np.float16),
    "complex": X + 0j,
    "objects": X.astype(object),
    "other byte order": X.astype(">f8"),
    "list": X.tolist(),
    "matrix": np.ma.masked_array(X),
    "frame of booleans": pd.DataFrame(X > 0),
    "nullable frame": pd.DataFrame(X).astype("Float64"),
    "sparse frame": pd.DataFrame(X).astype(pd.SparseDtype("float64", 0.0)),
    "one dimension": Y,
    "no rows": X[:0],
    "COO": sparse.coo_matrix(X),
    "entries stored twice": TWICE,
    "no entries": sparse.csr_matrix((3, 2)),
}


@pytest.mark.parametrize("form", LEFT)
def test_the_rest_is_left_alone(form):
    with np.errstate(over="ignore"):
        found, mean_square = finite_floats(LEFT[form])
    assert found is LEFT[form]
    assert mean_square is None


def test_a_number_that_becomes_infinite_is_not_ready():
    with np.errstate(over="ignore"):
        assert finite_floats(with_entry(1e60), np.float32)[1] is None


@pytest.mark.skipif(np.finfo(np.longdouble).max <= LARGEST, reason="float64 holds them all")
@pytest.mark.filterwarnings("ignore:.*Maximum iterations.*:UserWarning")
@pytest.mark.parametrize("model", [skreg.Lasso(), skreg.MLPRegressor(max_iter=2)])
def test_numbers_that_become_infinite_are_refused_in_silence(model):
    """By `fit` and by what predicts alike; a warning would be an error here."""
    wide = X.astype(np.longdouble)
    wide[3, 1] = np.longdouble(LARGEST) * 10
    for call in (clone(model).fit(X, Y).predict, lambda given: clone(model).fit(given, Y)):
        with pytest.raises(ValueError, match="infinity or a value too large"):
            call(wide)


@pytest.mark.parametrize("kind", [np.float32, np.int64, pd.Series, "frame"])
def test_a_target_of_any_numbers_is_fitted_as_float64(kind):
    whole = np.round(Y)
    if kind == "frame":
        given = pd.DataFrame({"a": whole.astype(np.float32), "b": whole[::-1].astype(int)})
        expected = np.column_stack([whole, whole[::-1]])
    else:
        given, expected = (kind(whole) if kind is pd.Series else whole.astype(kind)), whole
    model = skreg.Lasso(alpha=0.1).fit(X, given)
    expected = skreg.Lasso(alpha=0.1).fit(X, expected).coef_
    np.testing.assert_allclose(model.coef_, expected, rtol=1e-12)


NAMES = {"texts": ["a", "a", "b", "c"], "numbers": [0, 0, 1, 2], "both": ["a", 0, 0, "a"]}
MODELS = [skreg.Lasso(), skreg.Ridge(), skreg.LassoCV(alphas=3), skreg.RidgeCV()]
OTHERS = [skreg.MLPRegressor(max_iter=2), linear_model.Lasso()]


@pytest.mark.filterwarnings("ignore:.*(the best alpha|Maximum iterations).*:UserWarning")
@pytest.mark.parametrize("form", ["float64", "Float64", "bool"])
@pytest.mark.parametrize("names", NAMES.values(), ids=list(NAMES))
def test_repeated_names_get_scikit_learns_answer(names, form):
    """Which depends on its version."""
    repeated = pd.DataFrame(X, columns=names).astype(form)

    def answer(model, *given):
        fitted = clone(model)
        if not given:
            fitted.fit(X, Y)
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "X has feature names")
                (fitted.fit if given else fitted.predict)(repeated, *given)
        except Exception as error:
            return type(error), str(error)
        return list(getattr(fitted, "feature_names_in_", []))

    for given in ((Y,), ()):
        expected = answer(linear_model.Lasso(), *given)
        for model in MODELS + OTHERS:
            assert answer(model, *given) == expected, (model, given)


def test_the_rows_of_a_map_are_an_array_without_a_copy(tmp_path):
    rows = np.memmap(tmp_path / "X", float, mode="w+", shape=X.shape)
    rows[:] = X
    found, mean_square = finite_floats(rows)
    assert type(found) is np.ndarray
    assert np.shares_memory(found, rows)
    assert mean_square == pytest.approx(np.mean(X * X), rel=1e-14)
