"""What a report says of models compared: errors of repeated folds, what is as good, what is not."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from report_contents import caution
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import (
    KFold,
    LeaveOneOut,
    RepeatedKFold,
    ShuffleSplit,
    TimeSeriesSplit,
)
from sklearn.tree import DecisionTreeRegressor

from skreg import Ridge
from skreg.report.contents import ModelReport, Score
from skreg.report.model_cautions import _as_good, _no_better

RNG = np.random.default_rng(0)
X = RNG.normal(size=(100, 4))
Y = X @ [1.0, 2.0, 0.0, 0.0] + 3 * RNG.normal(size=100)


def score(values, **options):
    return Score("R²", np.array(values), True, **options)


def model(*values, **options):
    return ModelReport("m", "m()", None, (score(values, **options),), np.zeros(1), 0.0)


# Standard errors


def test_folds_that_share_rows_do_not_count_as_so_many(gather):
    repeated = RepeatedKFold(n_splits=5, n_repeats=20, random_state=0)
    found = gather(Ridge(), X, Y, cv=repeated)
    (first, *_), n = found.models[0].scores, 100
    assert first.times_held_out == 20
    assert_allclose(first.standard_error, first.values.std(ddof=1) / np.sqrt(n / 20))
    assert found.baseline.scores[0].times_held_out == 20
    assert "a row is held out 20 times on average, so that the 100 folds count as 5." in (
        found.score_note
    )
    once = gather(Ridge(), X, Y).models[0].scores[0]
    assert 0.5 < first.standard_error / once.standard_error < 2


def test_random_splits_share_rows_too(gather):
    splits = ShuffleSplit(30, test_size=0.2, random_state=0)
    found = gather(Ridge(), X, Y, cv=splits)
    first = found.models[0].scores[0]
    held_out = np.concatenate([test for _, test in splits.split(X)])
    assert_allclose(first.times_held_out, 600 / len(np.unique(held_out)))
    assert_allclose(first.standard_error, first.values.std(ddof=1) / np.sqrt(30 / 6), rtol=0.02)


@pytest.mark.parametrize("cv", [5, KFold(4), TimeSeriesSplit(3), LeaveOneOut()])
def test_folds_without_a_row_in_common_all_count(gather, cv):
    found = gather(LinearRegression(), X[:40], Y[:40], cv=cv)
    first = found.models[0].scores[0]
    assert first.times_held_out == 1
    assert_allclose(first.standard_error, first.values.std(ddof=1) / np.sqrt(found.n_folds))
    assert found.score_note.endswith("standard error of the mean over the folds.")


def test_a_row_held_out_again_is_predicted_by_the_first_fold(gather):
    folds = list(RepeatedKFold(n_splits=2, n_repeats=3, random_state=0).split(X))
    found = gather(Ridge(), X, Y, cv=folds).models[0].held_out
    own = np.empty(100)
    for train, test in folds[:2]:
        own[test] = Ridge().fit(X[train], Y[train]).predict(X[test])
    assert_allclose(found, own)


# Better than nothing?


def test_models_that_are_worse_than_none(gather):
    found = gather(DecisionTreeRegressor(random_state=0), RNG.normal(size=(100, 5)), Y)
    assert found.models[0].scores[0].mean < -0.3
    text = caution(found, "No model").text
    assert "which is better by more than one standard error of the difference (" in text
    assert "within one" not in text


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([0.1, -0.1, 0.2, 0.0], "within one standard error"),  # better, but by less than an error
        ([-0.1, 0.1, -0.2, 0.0], "within one standard error"),
        ([-0.5, -0.4, -0.6, -0.5], "which is better by more than one standard error"),
        ([0.5, 0.4, 0.6, 0.5], None),
    ],
)
def test_better_than_the_target_alone(values, said):
    found = [*_no_better(model(*values), model(0, 0, 0, 0))]
    assert bool(found) == (said is not None)
    assert not found or said in found[0].text


def test_a_gain_over_repeated_folds_is_as_sure_as_its_rows():
    values, nothing = [0.4, -0.2] * 10, [0.0] * 20
    assert not [*_no_better(model(*values), model(*nothing))]
    shared = {"times_held_out": 5.0}
    assert [*_no_better(model(*values, **shared), model(*nothing, **shared))]


# Simpler, and as good?


def test_what_is_clearly_worse_fold_for_fold_is_not_as_good():
    best = score([0.9, 0.5, 0.7, 0.3])
    assert _as_good(score([0.85, 0.55, 0.6, 0.35]), best)
    steadily = score([0.85, 0.44, 0.66, 0.25])
    assert best.mean - steadily.mean < best.standard_error
    assert not _as_good(steadily, best)
    assert not _as_good(score([0.4, 0.3, 0.5, 0.1]), best)


def test_the_difference_over_repeated_folds_is_as_sure_as_its_rows():
    values = np.tile([0.9, 0.5, 0.7, 0.3], 5)
    other = values - np.tile([0.05, 0.1, -0.02, 0.03], 5)
    assert not _as_good(score(other), score(values))
    assert _as_good(score(other, times_held_out=5.0), score(values, times_held_out=5.0))


def test_the_baseline_itself_is_no_better(gather):
    found = gather(DummyRegressor(), X, Y)
    assert "the same in every fold" in caution(found, "No model").text
