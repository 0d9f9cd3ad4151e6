"""What `skreg.report` refuses: one clear error before any fit, and no file that is half written."""

import os
import sys
from datetime import date

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.preprocessing import StandardScaler

import skreg
from skreg import LassoCV, MLPRegressor, Ridge
from skreg.report import making

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
Y = X @ [1.0, 2.0, 3.0] + RNG.normal(size=40)
CLASSES = np.where(Y > 0, "up", "down")
HALF = np.arange(40) % 2 == 0
ONE_GAP, RARE = Y.copy(), CLASSES.copy()
ONE_GAP[3] = np.nan
RARE[:] = "up"
RARE[:3] = "down"


class Untouched(RegressorMixin, BaseEstimator):
    """An estimator that must not be fitted."""

    def fit(self, X, y):
        raise AssertionError("work was done before the arguments were checked")


NEVER = Untouched()
WRONG = {
    "a class": (Ridge, X, Y, {}, TypeError, r"estimators has the class Ridge: write Ridge\(\)"),
    "text": ("Ridge", X, Y, {}, TypeError, "estimators must be an estimator"),
    "a number in the list": ([NEVER, 3], X, Y, {}, TypeError, "it has 3, a int"),
    "an empty list": ([], X, Y, {}, ValueError, "estimators is empty"),
    "a mapping": ({"a": NEVER}, X, Y, {}, TypeError, "estimators must be"),
    "a clustering": (KMeans(), X, Y, {}, TypeError, "KMeans is neither a regressor nor"),
    "a transformer": (StandardScaler(), X, Y, {}, TypeError, "StandardScaler is neither"),
    "both kinds": ([NEVER, LogisticRegression()], X, Y, {}, ValueError, "estimators mixes"),
    "a search that does not fit": (
        GridSearchCV(NEVER, {}, refit=False),
        X,
        Y,
        {},
        ValueError,
        "a GridSearchCV with refit=False, which cannot predict",
    ),
    "two of one name": (
        [("a", NEVER), ("a", NEVER)],
        X,
        Y,
        {},
        ValueError,
        "two entries named 'a'",
    ),
    "text for numbers": (
        NEVER,
        X,
        CLASSES,
        {},
        ValueError,
        r"y is not made of numbers \(such as '(up|down)'\)",
    ),
    "numbers for classes": (
        LogisticRegression(),
        X,
        np.arange(40),
        {},
        ValueError,
        "to predict the 40 different numbers of y give regressors",
    ),
    "fractions for classes": (LogisticRegression(), X, Y, {}, ValueError, "y has fractions"),
    "a gap in y": (NEVER, X, ONE_GAP, {}, ValueError, "y has 1 missing value"),
    "a gap in classes": (
        LogisticRegression(),
        X,
        np.array([None, *CLASSES[1:]], dtype=object),
        {},
        ValueError,
        "y has 1 missing value",
    ),
    "an infinite y": (NEVER, X, np.where(Y > 0, np.inf, Y), {}, ValueError, "y has infinite"),
    "a constant y": (NEVER, X, np.ones(40), {}, ValueError, "y is always 1"),
    "one class": (LogisticRegression(), X, ["a"] * 40, {}, ValueError, "y has one class, a"),
    "two targets": (NEVER, X, np.c_[Y, Y], {}, ValueError, "y must have one value a row"),
    "no y": (NEVER, X, None, {}, TypeError, "y must be an array"),
    "fewer y": (NEVER, X, Y[:-1], {}, ValueError, "X has 40 rows and y has 39"),
    "one dimension": (NEVER, X[:, 0], Y, {}, ValueError, "X must have rows and columns"),
    "no columns": (NEVER, X[:, :0], Y, {}, ValueError, "X has no columns"),
    "text as X": (NEVER, "table.csv", Y, {}, TypeError, "X must be an array"),
    "too few rows": (NEVER, X[:3], Y[:3], {}, ValueError, "X has 3 rows, too few"),
    "too few for folds": (NEVER, X[:8], Y[:8], {}, ValueError, "cv=5: 8 rows are too few"),
    "one fold": (NEVER, X, Y, {"cv": 1}, ValueError, "cv=1: a comparison needs at least 2"),
    "no folds": (NEVER, X, Y, {"cv": None}, TypeError, "cv must be a number of folds"),
    "a splitter that cannot": (NEVER, X, Y, {"cv": KFold(99)}, ValueError, "cv cannot split X"),
    "a small class": (LogisticRegression(), X, RARE, {}, ValueError, "cv=5: class down of y has"),
    "few names": (NEVER, X, Y, {"feature_names": ["a"]}, ValueError, "feature_names has 1 names"),
    "a name": (NEVER, X, Y, {"feature_names": "abc"}, TypeError, "feature_names must be a list"),
    "no such scorer": (NEVER, X, Y, {"scoring": "best"}, ValueError, "scoring: "),
    "a number as scorer": (NEVER, X, Y, {"scoring": 3}, TypeError, "scoring must be"),
    "a scorer of numbers": (
        LogisticRegression(),
        X,
        CLASSES,
        {"scoring": "neg_mean_squared_error"},
        ValueError,
        "scoring: mean squared error cannot be used here",
    ),
    "a number as name": (NEVER, X, Y, {"target_name": 5}, TypeError, "target_name must be text"),
    "a number as title": (NEVER, X, Y, {"title": 5}, TypeError, "title must be text"),
    "a short mask": (
        NEVER,
        X,
        Y,
        {"cv": [(HALF[:9], ~HALF[:9])] * 2},
        ValueError,
        "cv cannot split X and y: it must give positions of rows",
    ),
    "a row too many": (NEVER, X, Y, {"cv": [([0, 1], [40])] * 2}, ValueError, "it gives row 40"),
    "other classes": (
        LogisticRegression().fit(X, np.where(Y > 0, "b", "a")),
        X,
        CLASSES,
        {},
        ValueError,
        r"was fitted to other classes \(a, b\) than those of y \(down, up\)",
    ),
    "mixed classes": (
        LogisticRegression(),
        X,
        np.array([1, "a"] * 20, dtype=object),
        {},
        ValueError,
        "y mixes text",
    ),
    "objects as classes": (
        LogisticRegression(),
        X,
        np.array([date(2000, 1, 1 + i % 2) for i in range(40)], dtype=object),
        {},
        ValueError,
        "y holds objects that are neither",
    ),
    "another width": (Ridge().fit(X[:, :2], Y), X, Y, {}, ValueError, "Ridge was fitted to 2 col"),
    "no such seed": (NEVER, X, Y, {"random_state": "a"}, ValueError, "random_state: 'a' cannot"),
    "a path of no text": (NEVER, X, Y, {"path": 3}, TypeError, "path must name a file"),
    "no path": (NEVER, X, Y, {"path": ""}, ValueError, "path is empty"),
    "a folder that is missing": (
        NEVER,
        X,
        Y,
        {"path": "no/r.html"},
        ValueError,
        "there is no fold",
    ),
    "a folder": (NEVER, X, Y, {"path": "."}, ValueError, "is a folder: name a file in it"),
    "a long name": (NEVER, X, Y, {"path": "a" * 300}, ValueError, "cannot be written: File name"),
    "a null character": (NEVER, X, Y, {"path": "a\0b"}, ValueError, "path: .* null character"),
    "a device": (NEVER, X, Y, {"path": os.devnull}, ValueError, "cannot be written"),
}


@pytest.mark.parametrize("case", WRONG)
def test_refused_before_any_work(case, tmp_path, monkeypatch):
    estimators, table, y, options, kind, message = WRONG[case]
    monkeypatch.chdir(tmp_path)
    with pytest.raises(kind, match=message):
        skreg.report(estimators, table, y, **options)
    assert list(tmp_path.iterdir()) == []


def test_a_gap_of_pandas(tmp_path):
    pandas = pytest.importorskip("pandas")
    y = pandas.array([None, *range(39)], dtype="Int64")
    with pytest.raises(ValueError, match="y has 1 missing value"):
        skreg.report(NEVER, X, pandas.Series(y), path=tmp_path / "r.html")


def test_columns_of_other_names(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["a", "b", "c"])
    twice = frame.set_axis(["a", "b", "a"], axis=1)
    with pytest.raises(ValueError, match="X has more than one column named 'a'"):
        skreg.report(NEVER, twice, Y, path=tmp_path / "r.html")
    fitted = Ridge().fit(frame.rename(columns={"a": "z"}), Y)
    with pytest.raises(ValueError, match="fitted to columns of other names"):
        skreg.report(fitted, frame, Y, path=tmp_path / "r.html")
    with pytest.raises(ValueError, match="feature_names is for an X without names"):
        skreg.report(Ridge(), frame, Y, feature_names=["a", "b", "d"], path=tmp_path / "r.html")


@pytest.mark.parametrize("library", ["jinja2", "matplotlib"])
def test_what_is_not_installed(library, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=r"skreg\[report\]"):
        skreg.report(NEVER, X, Y, path=tmp_path / "r.html")


class Fails(RegressorMixin, BaseEstimator):
    """Stops in the second fit."""

    fits = 0

    def __init__(self, error=None):
        self.error = error

    def fit(self, X, y):
        Fails.fits += 1
        if Fails.fits % 2 == 0:
            raise self.error
        return self

    def predict(self, X):
        return np.zeros(len(X))


@pytest.mark.parametrize("error", [ValueError("no such luck"), KeyboardInterrupt()])
def test_a_fit_that_fails_leaves_the_old_page(error, tmp_path):
    Fails.fits = 0
    old = tmp_path / "r.html"
    old.write_text("old", encoding="utf-8")
    with pytest.raises(type(error)) as stop:
        skreg.report([("mine", Fails(error))], X, Y, path=old)
    assert old.read_text(encoding="utf-8") == "old"
    assert os.listdir(tmp_path) == ["r.html"]
    if isinstance(error, ValueError):
        assert stop.value.__notes__ == ["mine was being fitted, fold 1 of 5, for the report"]


def test_a_page_that_cannot_be_drawn_leaves_nothing(tmp_path, monkeypatch):
    def fail(contents):
        raise KeyboardInterrupt

    monkeypatch.setattr(making, "render", fail)
    with pytest.raises(KeyboardInterrupt):
        skreg.report(Ridge(), X, Y, path=tmp_path / "r.html")
    assert os.listdir(tmp_path) == []


def test_an_interrupted_network_stops_the_report(tmp_path):
    """A network ends its fit well when it is interrupted; here everything is to stop."""
    network = MLPRegressor((3,), max_iter=5, callbacks=[Stop()])
    with pytest.raises(KeyboardInterrupt):
        skreg.report(network, X, Y, path=tmp_path / "r.html")
    assert os.listdir(tmp_path) == []


class Stop:
    """Presses Ctrl-C in the third epoch."""

    def __init__(self):
        self.seen = 0

    def on_epoch_end(self, *arguments):
        self.seen += 1
        if self.seen == 3:
            raise KeyboardInterrupt


# What is accepted


@pytest.mark.parametrize(
    "estimators", [("mine", Ridge()), [("mine", Ridge())], (["mine", Ridge()],)]
)
def test_named_estimators(gather, estimators):
    assert [model.name for model in gather(estimators, X, Y).models] == ["mine"]


def test_names_are_made_unique(gather):
    models = [Ridge(), Ridge(2.0), ("Ridge", Ridge(3.0)), LassoCV()]
    names = [model.name for model in gather(models, X, Y).models]
    assert names == ["Ridge (2)", "Ridge (3)", "Ridge", "LassoCV"]


def test_lists_one_feature_and_a_column_of_y(gather):
    found = gather(Ridge(), X[:, :1].tolist(), Y.reshape(-1, 1).tolist(), feature_names=["only"])
    assert found.y.shape == (40,)
    assert found.glance.columns[0].name == "only"
    assert found.glance.correlated == ()


def test_an_older_page_is_replaced_through_a_link(tmp_path, monkeypatch):
    monkeypatch.setattr(making, "render", lambda contents: "new")
    real, link = tmp_path / "real.html", tmp_path / "link.html"
    real.write_text("old", encoding="utf-8")
    link.symlink_to(real)
    assert skreg.report(Ridge(), X, Y, path=link) == link
    assert link.is_symlink()
    assert real.read_text(encoding="utf-8") == "new"
    assert skreg.report(Ridge(), X, Y, path=str(real)) == real


@pytest.mark.skipif(os.name != "posix", reason="has other permissions")
def test_who_may_read_an_older_page_may_read_the_new_one(tmp_path, monkeypatch):
    monkeypatch.setattr(making, "render", lambda contents: "new")
    page = tmp_path / "r.html"
    for mode in (0o600, 0o664):
        page.touch()
        page.chmod(mode)
        skreg.report(Ridge(), X, Y, path=page)
        assert page.read_text(encoding="utf-8") == "new"
        assert page.stat().st_mode & 0o777 == mode


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_a_folder_without_permission(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(ValueError, match="cannot be written: Permission denied"):
        skreg.report(NEVER, X, Y, path=tmp_path / "r.html")
