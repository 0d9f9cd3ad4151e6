"""The forms in which `skreg.report` takes a target, folds, scorers and networks."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import fbeta_score, make_scorer, mean_absolute_error

from skreg import Ridge

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
Y = X @ [1.0, 2.0, 3.0] + RNG.normal(size=40)
HIGH = Y > 0


@pytest.mark.parametrize("kind", [bool, int, float, np.int8])
def test_classes_kept_as_objects_are_the_numbers_they_are(gather, kind):
    y = np.array([kind(value) for value in HIGH], dtype=object)
    found = gather(LogisticRegression(), X, y)
    assert found.y.dtype == np.array([kind(1)]).dtype
    assert_array_equal(found.y, HIGH)
    assert found.models[0].scores[0].mean > 0.8


def test_numbers_of_several_kinds_are_classes_too(gather):
    y = HIGH.astype(int).astype(object)
    y[::3] = [np.int64(value) for value in y[::3]]
    assert gather(LogisticRegression(), X, y).classes == ("0", "1")


def test_a_column_of_a_frame_keeps_its_name(gather):
    pandas = pytest.importorskip("pandas")
    assert gather(Ridge(), X, pandas.DataFrame({"price": Y})).glance.target == "price"
    assert gather(Ridge(), X, pandas.Series(Y, name=0)).glance.target == "0"
    assert gather(Ridge(), X, pandas.Series(Y)).glance.target == "y"
    polars = pytest.importorskip("polars")
    assert gather(Ridge(), X, polars.DataFrame({"price": Y})).glance.target == "price"


def test_folds_as_masks_and_from_the_end(gather):
    rows = np.arange(40)
    masks = [(rows >= 20, rows < 20), (rows < 20, rows >= 20)]
    places = [(rows[20:], rows[:20]), (rows[:20], rows[20:] - 40)]
    first, second = (gather(Ridge(), X, Y, cv=cv) for cv in (masks, places))
    assert_array_equal(second.y, Y)
    first, second = first.models[0], second.models[0]
    assert_array_equal(first.held_out, second.held_out)
    own = Ridge().fit(X[20:], Y[20:])
    assert_allclose(first.held_out[:20], own.predict(X[:20]))


def test_two_rows_a_fold_are_enough(gather):
    assert gather(Ridge(), X[:10], Y[:10]).n_folds == 5
    with pytest.raises(ValueError, match="cv=5: 9 rows are too few for 2 in each fold"):
        gather(Ridge(), X[:9], Y[:9])


def test_scorers_have_names_for_a_reader(gather):
    loss = make_scorer(mean_absolute_error, greater_is_better=False)
    found = gather([("bad", Ridge(1e4)), ("good", Ridge())], X, Y, scoring=loss)
    scores = found.models[1].scores
    assert [score.name for score in scores] == [
        "mean absolute error",
        "R²",
        "root mean squared error",
    ]
    assert not scores[0].greater_is_better
    assert scores[0].mean > 0
    assert found.best == 1
    score = make_scorer(fbeta_score, beta=2.0, pos_label="up")
    classes = np.where(HIGH, "up", "down")
    found = gather(LogisticRegression(), X, classes, scoring=score)
    assert found.models[0].scores[0].name == "fbeta score (beta=2.0, pos_label='up')"
    assert found.models[0].scores[0].greater_is_better


def test_a_fitted_classifier_of_the_same_classes_is_taken(gather):
    classes = np.where(HIGH, "up", "down")
    fitted = LogisticRegression().fit(X, classes)
    assert gather(fitted, X, classes.astype(object)).models[0].estimator is fitted
    fitted = LogisticRegression().fit(X, HIGH)
    assert gather(fitted, X, HIGH.astype(object)).models[0].estimator is fitted
    assert gather(LinearRegression().fit(X, Y), X, Y).models[0].name == "LinearRegression"
