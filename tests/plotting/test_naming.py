"""Names in pictures: short, and different wherever the features are."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skreg import CoefficientDisplay, Lasso, PenaltyGeometryDisplay, Ridge, ShrinkageDisplay
from skreg.plotting.naming import names, shorten, shorten_apart

RADIOMICS = [
    f"log-sigma-3-0-mm-3D_glrlm_{kind}Emphasis"
    for kind in ("HighGrayLevelRun", "LowGrayLevelRun", "ShortRun", "LongRun")
]
SURVEY = [f"How satisfied are you with the {what} of our services?" for what in ("price", "speed")]
MIDDLE = [f"Diagnosis of the {which} upper respiratory tract infection" for which in ("left", "x")]


@pytest.mark.parametrize("alike", [RADIOMICS, SURVEY, MIDDLE, ["a" * 40 + "b", "a" * 41]])
@pytest.mark.parametrize("length", [10, 16, 24])
def test_names_that_differ_are_shown_differently(alike, length):
    shown = shorten_apart([*alike, "age"], length)
    assert len(set(shown)) == len(shown)
    assert max(map(len, shown)) <= length
    assert shown[-1] == "age"


def test_what_tells_names_apart_is_what_is_shown():
    for alike, words in ((SURVEY, ("price", "speed")), (MIDDLE, ("left upper", "x upper"))):
        for word, text in zip(words, shorten_apart(alike, 18), strict=True):
            assert word in text


@given(
    st.lists(st.text("ab=-_", min_size=1, max_size=40), min_size=1, max_size=8),
    st.integers(10, 30),
)
def test_no_two_names_read_alike(given_names, length):
    shown = shorten_apart(given_names, length)
    assert len(set(shown)) == len(shown)
    assert max(map(len, shown)) <= length
    for name, text in zip(given_names, shown, strict=True):
        assert text == name or len(name) > length or given_names.count(name) > 1


def test_a_category_stays_whole():
    assert shorten("neighbourhood of the house=North Ames", 24).endswith("=North Ames")
    assert len(shorten("x=" + "category" * 10, 24)) == 24


def test_names_of_several_levels_are_written_with_commas():
    columns = pd.MultiIndex.from_tuples([("price", "mean"), ("price", "max"), ("rooms", "")])
    assert names(columns, 3) == ["price, mean", "price, max", "rooms"]
    assert names([("a", 1), ("b", 2)], 2) == ["a, 1", "b, 2"]


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.standard_normal((60, 4)) * [1, 2, 3, 4], columns=list("abcd"))
    return X, X @ [3.0, -2.0, 1.0, 0.5] + rng.standard_normal(60)


def test_columns_in_another_order_are_taken_by_name(frame):
    X, y = frame
    model = Lasso(alpha=0.1).fit(X, y)
    shown = PenaltyGeometryDisplay.from_estimator(model, X, y).plane
    other = PenaltyGeometryDisplay.from_estimator(model, X[list("dbca")], y).plane
    assert_allclose(other.gram, shown.gram)
    assert_allclose(other.solution, shown.solution)
    with pytest.raises(ValueError, match="X has other names than the model was fitted on: see 'a'"):
        PenaltyGeometryDisplay.from_estimator(model, X.rename(columns={"a": "z"}), y)
    ridge = Ridge().fit(X, y)
    values = [
        ShrinkageDisplay.from_estimator(ridge, table).singular_values
        for table in (X, X[list("cadb")])
    ]
    assert_allclose(*values)


def test_a_scale_in_another_order_is_taken_by_name(frame):
    X, y = frame
    model = Lasso(alpha=0.1).fit(X, y)
    displays = [
        CoefficientDisplay.from_estimator(model, feature_scale=scale)
        for scale in (X.std(), X.std()[list("dcba")])
    ]
    widths = [[bar.get_width() for bar in display.bars_[0]] for display in displays]
    assert_array_equal(*widths)
    with pytest.raises(ValueError, match="feature_scale has no value for 'a', a column of the mo"):
        CoefficientDisplay.from_estimator(model, feature_scale=X.std().rename({"a": "z"}))


def test_what_has_no_names_keeps_its_order(frame):
    X, y = frame
    named, unnamed = Lasso(alpha=0.1).fit(X, y), Lasso(alpha=0.1).fit(X.to_numpy(), y)
    scale = X.std()
    displays = [
        CoefficientDisplay.from_estimator(named, feature_scale=scale),
        CoefficientDisplay.from_estimator(named, feature_scale=scale.to_numpy()),
        CoefficientDisplay.from_estimator(named, feature_scale=scale.reset_index(drop=True)),
        CoefficientDisplay.from_estimator(unnamed, feature_scale=scale),
    ]
    widths = [[bar.get_width() for bar in display.bars_[0]] for display in displays]
    for other in widths[1:]:
        assert_array_equal(other, widths[0])
    shown = ShrinkageDisplay.from_estimator(Ridge().fit(X.to_numpy(), y), X[list("dcba")])
    assert_allclose(shown.singular_values, np.linalg.svd(X - X.mean(), compute_uv=False))
