"""Missing and infinite cells, and dates, in what a report says of the columns."""

import datetime
import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_diabetes
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from skreg.report import correlation
from skreg.report.columns import Columns, describe
from skreg.report.correlation import correlated_groups
from skreg.report.leakage import suspects


def with_gaps(column, share, seed=0):
    """A column of which some cells are missing."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random(len(column)) < share, np.nan, column)


def table(*columns):
    return Columns.of(np.column_stack(columns), tuple(f"x{j}" for j in range(len(columns))))


@pytest.mark.parametrize("share", [0.02, 0.3, 0.8])
@pytest.mark.parametrize("task", ["regression", "classification", "three classes"])
def test_a_leak_with_gaps_is_found(share, task):
    rng = np.random.default_rng(1)
    hidden = rng.normal(size=400)
    y = {
        "regression": hidden,
        "classification": np.where(hidden > 0, "yes", "no"),
        "three classes": np.digitize(hidden, [-0.5, 0.5]),
    }[task]
    leak = 10 * np.sign(hidden) if task == "classification" else hidden * 3
    if task == "three classes":
        leak = 10 * y + 0.1 * rng.normal(size=400)
    given = table(
        rng.normal(size=400), with_gaps(leak, share), with_gaps(rng.normal(size=400), 0.3)
    )
    task = "classification" if task == "three classes" else task
    (found,) = suspects(given, y, task, "target")
    assert found.name == "x1"
    there = np.mean(~np.isnan(given.dense[1]))
    assert found.how.endswith(f" over the {100 * there:.1f}% that have it".replace(".0%", "%"))


def test_few_cells_are_no_leak():
    rng = np.random.default_rng(0)
    y = rng.normal(size=400)
    given = table(with_gaps(y, 0.98), with_gaps(rng.normal(size=400), 0.985), np.full(400, np.nan))
    assert suspects(given, y, "regression", "target") == []
    one_class_left = np.where(y > 0, y, np.nan)
    assert suspects(table(one_class_left), y > 0, "classification", "target") == []


@pytest.mark.parametrize("make", [np.asarray, sparse.csc_array])
def test_a_twin_with_gaps_is_found(make):
    rng = np.random.default_rng(0)
    X = rng.normal(2.0, 1.0, size=(300, 5))
    X[:, 3] = with_gaps(-5 * X[:, 1] + 0.1 * rng.normal(size=300), 0.3)
    X[:, 1] = with_gaps(X[:, 1], 0.3, seed=1)
    (group,) = correlated_groups(Columns.of(make(X), tuple("abcde"))).groups
    assert group.names == ("b", "d")
    both = ~np.isnan(X[:, 1] + X[:, 3])
    expected = abs(np.corrcoef(X[both, 1], X[both, 3])[0, 1])
    assert group.least == pytest.approx(expected, abs=1e-5)


def test_correlations_over_shared_rows_are_those_of_numpy(monkeypatch):
    monkeypatch.setattr(correlation, "BLOCK", 3)
    monkeypatch.setattr(correlation, "STRONG", 0.0)
    monkeypatch.setattr(correlation, "beyond_chance", lambda *_: 0.0)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 8)) @ rng.normal(size=(8, 8)) + 100
    X[rng.random(X.shape) < 0.2] = np.nan
    there = (~np.isnan(X)).astype(np.float32)
    unit = correlation.standardised(np.where(np.isnan(X), np.nanmean(X, axis=0), X))
    found = correlation._of_shared_rows(unit.astype(np.float32), there, 3, 1.0)
    for i in range(3):
        for j in range(5):
            a, b = X[:, 3 + i], X[:, 3 + j]
            both = ~np.isnan(a + b)
            expected = abs(np.corrcoef(a[both], b[both])[0, 1])
            assert found[i, j] == pytest.approx(expected, abs=1e-4)


def test_what_few_shared_rows_say_is_chance():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 30))
    X[rng.random(X.shape) < 0.75] = np.nan  # two columns share about 12 rows
    X[:, 0] = np.where(np.arange(200) < 8, X[:, 1], np.nan)
    X[:, 2] = np.where(np.isnan(X[:, 3]), rng.normal(size=200), 7.0)  # constant where both are
    assert correlated_groups(Columns.of(X, tuple(map(str, range(30))))).groups == ()


def test_infinite_cells_are_counted_in_silence():
    X, y = load_diabetes(return_X_y=True)
    X[3:9, 0] = np.inf
    X[9:12, 0] = -np.inf
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first = describe(Columns.of(X, tuple("abcdefghij")))[0]
        ends = describe(table([-np.inf, np.inf], [np.inf, np.inf], [1.0, np.inf]))
        middle = describe(table([-np.inf, -np.inf, np.inf, np.inf, 3.0, 3.0]))[0]
        found = correlated_groups(Columns.of(X, tuple("abcdefghij"))).groups
        assert suspects(Columns.of(X, tuple("abcdefghij")), y, "regression", "t") == []
    assert first.n_distinct == len(np.unique(X[:, 0]))
    assert first.summary.endswith("from −∞ to ∞")
    assert [column.n_distinct for column in ends] == [2, 1, 2]
    assert ends[1].summary == "always ∞"
    assert middle.summary == "median 3, from −∞ to ∞"
    assert len(found) == 0


def test_a_page_of_a_table_with_gaps(gather):
    X, y = load_diabetes(return_X_y=True)
    X = np.column_stack([X, with_gaps(y, 0.1)])
    found = gather(HistGradientBoostingRegressor(max_iter=2), X, y, cv=2)
    assert any("x10 (correlation 1.0000 over the" in caution.text for caution in found.cautions)


@pytest.mark.parametrize("unit", ["ns", "us", "D"])
def test_dates_are_told_from_the_first_to_the_last(unit):
    pandas = pytest.importorskip("pandas")
    days = np.datetime64("2020-01-30") + np.arange(9)
    values = days.astype(f"datetime64[{unit}]")
    values[4] = np.datetime64("NaT")
    given = pandas.DataFrame({"day": values}) if unit != "D" else values[:, np.newaxis]
    (column,) = describe(Columns.of(given, ("day",)))
    assert (column.kind, column.n_missing, column.n_distinct) == ("date", 1, 8)
    assert column.summary == "from 2020-01-30 to 2020-02-07"


def test_other_times():
    pandas = pytest.importorskip("pandas")
    hours = pandas.Series(pandas.date_range("2020-01-01 06:30", periods=4, freq="h", tz="UTC"))
    frame = pandas.DataFrame(
        {
            "hour": hours,
            "lasted": hours - hours[0],
            "day": [datetime.date(2020, 1, day) for day in (3, 1, 2, 3)],
            "mixed": [hours[0], hours[0].tz_localize(None), None, hours[0]],
            "never": np.array(["NaT"] * 4, dtype="datetime64[ns]"),
        }
    )
    found = {column.name: column for column in describe(Columns.of(frame, tuple(frame)))}
    said = "from 2020-01-01 06:30:00+00:00 to 2020-01-01 09:30:00+00:00"
    assert (found["hour"].kind, found["hour"].summary) == ("date", said)
    assert found["lasted"].kind == "duration"
    assert found["lasted"].summary.endswith("3:00:00")
    assert found["day"].summary == "from 2020-01-01 to 2020-01-03"
    assert (found["mixed"].kind, found["mixed"].summary) == ("date", "not in one order")
    assert found["never"].summary == "no values"


def test_dates_of_polars_and_their_page(gather):
    polars = pytest.importorskip("polars")
    days = [datetime.date(2020, 1, 1) + datetime.timedelta(k) for k in range(60)]
    values = np.random.default_rng(0).normal(size=60)
    frame = polars.DataFrame({"a": values, "day": days})
    model = _OfNumbers()
    found = gather(model, frame, (values > 0).astype(int))
    assert found.glance.columns[1].kind == "date"
    assert found.glance.columns[1].summary == "from 2020-01-01 to 2020-02-29"
    assert "Correlations are those of the numeric columns." in found.glance.notes


class _OfNumbers(HistGradientBoostingClassifier):
    """A model that leaves the dates alone."""

    def __init__(self):
        super().__init__(max_iter=2)

    def fit(self, X, y):
        return super().fit(np.asarray(X[:, :1], dtype=float), y)

    def predict(self, X):
        return super().predict(np.asarray(X[:, :1], dtype=float))

    def predict_proba(self, X):
        return super().predict_proba(np.asarray(X[:, :1], dtype=float))
