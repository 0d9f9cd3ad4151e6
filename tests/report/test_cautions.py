"""What a report warns of: each caution appears where it must, and nowhere else."""

import warnings

import numpy as np
import pytest
from report_contents import caution, titles
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skreg import ElasticNetCV, Lasso, LassoCV, MLPRegressor, Ridge, RidgeCV
from skreg.report.columns import Columns
from skreg.report.correlation import beyond_chance, correlated_groups, standardised


def rows(n=120, p=5, seed=0):
    """A plain problem about which there is nothing to say."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    return X, X @ np.arange(1, p + 1) + rng.normal(size=n), rng


# Nothing is said without a reason


def test_a_plain_problem(gather):
    X, y, _ = rows()
    assert gather([LinearRegression(), Ridge(), LassoCV()], X, y).cautions == ()


def test_data_that_teachers_use(gather):
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    models = [make_pipeline(StandardScaler(), model) for model in (LassoCV(), RidgeCV())]
    assert titles(gather(models, X, y), serious=True) == []
    assert len(gather(models, X, y).cautions) <= 1
    model = make_pipeline(StandardScaler(), LogisticRegression())
    for load in (load_iris, load_wine, load_breast_cancer):
        X, y = load(return_X_y=True, as_frame=True)
        assert titles(gather(model, X, y), serious=True) == []


# About models


def test_alpha_at_the_edge(gather):
    X, y, _ = rows()
    found = gather(LassoCV(alphas=[10.0, 5.0, 1.0]), X, y)
    one = caution(found, "edge of the grid")
    assert one.serious
    assert "LassoCV: the best alpha, 1, is the smallest" in one.text
    assert "further down" in one.text
    wide = ElasticNetCV(alphas=[1e3, 1e2])
    assert "unit of the target" in caution(gather(wide, X, 1e4 * y), "edge of the grid").text
    assert titles(gather(LassoCV(), X, y)) == []


def test_a_search_at_the_edge(gather):
    X, y, _ = rows()
    search = GridSearchCV(Ridge(), {"alpha": [10.0, 100.0, 1000.0], "fit_intercept": [True, False]})
    text = caution(gather(search, X, y), "edge of its grid").text
    assert text.startswith("GridSearchCV of Ridge chose alpha=10, the smallest that was tried.")
    inside = GridSearchCV(Ridge(), {"alpha": [1e-9, 1.0, 1e9], "solver": ["auto"]})
    assert titles(gather(inside, X, y)) == []


def test_an_edge_where_the_error_is_flat_is_not_serious(gather):
    X, y = load_diabetes(return_X_y=True)
    one = caution(gather(LassoCV(), X[:, [2]], y), "edge of the grid")
    assert not one.serious
    assert "hardly changes" in one.text


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_an_edge_because_nothing_helps_is_no_edge(gather, seed):
    rng = np.random.default_rng(seed)
    found = gather(LassoCV(), rng.normal(size=(60, 3)), rng.normal(size=60))
    assert titles(found) == ["No model is better than knowing the target alone"]
    assert found.cautions[0].serious


@pytest.mark.parametrize("model", [MLPRegressor((3,), max_iter=3), Lasso(solver="cd", max_iter=1)])
def test_what_did_not_converge(gather, model):
    X, y, _ = rows()
    X[:, 1] += X[:, 0]
    one = caution(gather(make_pipeline(StandardScaler(), model), X, y), "did not converge")
    assert one.serious
    assert one.text.startswith(type(model).__name__)
    assert "6 warning(s) in 6 fits" in one.text


class Chatty(RegressorMixin, BaseEstimator):
    """Warns in each fit, with another number each time."""

    def fit(self, X, y):
        warnings.warn(f"{len(y)} rows are odd: {y[0]:.3g}", stacklevel=2)
        return self

    def predict(self, X):
        return X[:, -1] * 5


def test_warnings_are_told_once(gather):
    X, y, _ = rows()
    found = gather([Chatty(), ("other", Chatty())], X, y)
    one = caution(found, "warning of")
    assert one.title == "A warning of Chatty, other"
    assert "rows are odd" in one.text


def test_a_choice_among_twins(gather):
    X, y, rng = rows(200)
    X = np.column_stack([X, X[:, 4] + 0.05 * rng.normal(size=200)])
    names = ["a", "b", "c", "d", "twin 1", "twin 2"]
    model = Lasso(alpha=1.0)
    found = gather([model, Ridge()], X, y, feature_names=names)
    one = caution(found, "collinear features")
    assert not one.serious
    assert "Lasso keeps twin" in one.text
    assert "Ridge keeps" not in one.text
    assert found.glance.correlated[0].names == ("twin 1", "twin 2")


def test_different_scales_under_a_penalty(gather):
    X, y, _ = rows()
    X = X * [1, 1, 1, 1, 1000]
    one = caution(gather([Ridge(), LassoCV()], X, y), "different scales")
    assert "Ridge, LassoCV see standard deviations from" in one.text
    assert "(x4)" in one.text
    for model in (
        LinearRegression(),
        Ridge(standardize=True),
        make_pipeline(StandardScaler(), Ridge()),
    ):
        assert titles(gather(model, X, y)) == []


def test_a_simpler_model_that_is_as_good(gather):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 12))
    y = 3 * X[:, 0] + rng.normal(size=150)
    found = gather([("sparse", LassoCV(rule="1se")), ("full", LinearRegression())], X, y)
    assert found.models[found.best].name == "full"
    assert caution(found, "simpler model").text.startswith("sparse, with ")
    found = gather([("sparse", Lasso(alpha=0.05)), ("full", LinearRegression())], X, y)
    assert found.models[found.best].name == "sparse"  # what is best is not said to be as good
    assert titles(found) == []
    found = gather([("sparse", Lasso(alpha=0.3)), ("full", Ridge(alpha=1.0))], X, y)
    assert found.models[found.best].name == "full"
    one = caution(found, "simpler model")
    assert one.text.startswith("sparse, with 1 coefficient that is not zero, is within one")


# About data


@pytest.mark.parametrize("leak", [lambda y: 2 * y + 1, np.exp, lambda y: -(y**3)])
def test_a_feature_that_is_the_target(gather, leak):
    X, y, _ = rows()
    y = y / 5
    found = gather(Ridge(standardize=True), np.column_stack([X, leak(y)]), y)
    one = caution(found, "almost perfectly")
    assert one.serious
    assert "x5 (correlation" in one.text
    assert "x4" not in one.text


def test_a_feature_named_like_the_target(gather):
    X, y, rng = rows()
    X = np.column_stack([X, y + 3 * rng.normal(size=len(y))])
    names = ["a", "b", "c", "d", "e", "log-Price"]
    model = Ridge(standardize=True)
    found = gather(model, X, y, feature_names=names, target_name="price")
    assert "a name like the target's" in caution(found, "almost perfectly").text
    assert titles(gather(model, X, y, feature_names=names, target_name="cost")) == []


@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_code_of_the_class(gather, n_classes):
    rng = np.random.default_rng(0)
    y = np.arange(150) % n_classes
    X = np.column_stack([rng.normal(size=(150, 3)), 10 * y + rng.normal(size=150) / 10])
    found = gather(LogisticRegression(), X, np.array(["a", "b", "c"])[y])
    assert "x3 (" in caution(found, "almost perfectly").text


def test_categories_that_are_the_class(gather):
    pandas = pytest.importorskip("pandas")
    from sklearn.preprocessing import OneHotEncoder

    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 100)
    frame = pandas.DataFrame({"town": rng.choice(["u", "v"], 100), "paid": np.array(["n", "y"])[y]})
    model = make_pipeline(OneHotEncoder(), LogisticRegression())
    text = caution(gather(model, frame, y), "almost perfectly").text
    assert "paid (" in text
    assert "town (" not in text


def test_few_rows_and_many_columns_are_no_leak(gather):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(10, 5000))
    found = gather(Ridge(), X, rng.normal(size=10), cv=2)
    assert not [title for title in titles(found) if "perfectly" in title]
    found = gather(LogisticRegression(), X, np.arange(10) % 2, cv=2)
    assert not [title for title in titles(found) if "perfectly" in title]
    assert found.glance.correlated == ()


def test_rows_that_are_repeated(gather):
    X, y, _ = rows()
    again = np.r_[np.arange(120), np.arange(12)]
    one = caution(gather(Ridge(), X[again], y[again]), "repeated")
    assert "12 of 132 rows (9.1%)" in one.text
    assert one.serious
    X = np.random.default_rng(0).integers(0, 2, (500, 3))
    y = X @ [1, 2, 3] + np.arange(500) % 2  # so few values that rows must repeat
    assert titles(gather(Ridge(), X, y)) == []


def test_constant_columns_and_gaps(gather):
    from sklearn.impute import SimpleImputer

    X, y, rng = rows()
    X = np.column_stack([X, np.ones(120), X[:, 4]])
    X[rng.random(120) < 0.5, 6] = np.nan
    found = gather(make_pipeline(SimpleImputer(), Ridge()), X, y)
    assert found.glance.constant == ("x5",)
    assert found.glance.n_missing == np.isnan(X).sum()
    assert caution(found, "one value").text.startswith("x5: it says nothing")
    assert "x6 (" in caution(found, "many missing").text


@pytest.mark.parametrize("step", [1, -3])
def test_a_column_that_numbers_the_rows(gather, step):
    X, y, _ = rows()
    X = np.column_stack([X, step * np.arange(120) + 7])
    one = caution(gather(Ridge(standardize=True), X, y), "number the rows")
    assert "row to row, x5 always" in one.text
    assert not one.serious
    X[[3, 50], 5] = X[[50, 3], 5]  # no order any more, but still one number for each row
    found = titles(gather(Ridge(standardize=True), X, y))
    assert found == (["A column looks like an id or a code"] if step == 1 else [])


def test_the_largest_alpha_where_nothing_helps(gather):
    rng = np.random.default_rng(5)
    found = gather(RidgeCV(), rng.normal(size=(60, 3)), rng.normal(size=60))
    assert found.models[0].alpha == found.models[0].cv.alphas[0]
    assert titles(found) == ["No model is better than knowing the target alone"]


def test_classes_of_few_rows_and_of_most(gather):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    y = np.where(np.arange(300) < 12, "rare", "common")
    X[:12] += 3
    found = gather(LogisticRegression(), X, y)
    assert "rare (12)" in caution(found, "few rows").text
    assert "96% of the rows are of the class common" in caution(found, "Accuracy says little").text


def test_folds_of_few_rows(gather):
    X, y, _ = rows(20)
    assert "holds out 4 rows" in caution(gather(Ridge(), X, y), "few rows").text


def test_a_skewed_target(gather):
    X, y, _ = rows(400)
    found = gather(Ridge(), X, np.exp(y / 4))
    assert "logarithm" in caution(found, "skewed").text
    log = TransformedTargetRegressor(Ridge(), func=np.log, inverse_func=np.exp)
    assert "transformed by" in gather(log, X, np.exp(y / 4)).models[0].notes[0]


def test_serious_ones_come_first(gather):
    X, y, _ = rows(20)
    found = gather(Ridge(), np.column_stack([X, y]), y)
    assert [one.serious for one in found.cautions] == [True, False]


# Correlated groups


@pytest.mark.parametrize("n_columns", [40, 1200])
def test_groups_are_the_connected_components(n_columns):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, n_columns))
    chains = [[3, n_columns - 1, 20], [5, 6], [30, 7, 8, n_columns - 2]]
    for first, *others in chains:
        for previous, j in zip([first, *others], others, strict=False):
            X[:, j] = X[:, previous] + 0.25 * rng.normal(size=60)  # the ends correlate by less
    found = correlated_groups(Columns.of(X, tuple(map(str, range(n_columns)))))
    assert {group.names for group in found.groups} == {
        tuple(map(str, sorted(chain))) for chain in chains
    }
    matrix = np.abs(np.corrcoef(X, rowvar=False)) - np.eye(n_columns)
    for group in found.groups:
        members = [int(name) for name in group.names]
        assert group.least == pytest.approx(
            matrix[np.ix_(members, members)].max(axis=0).min(), abs=1e-5
        )
        assert group.least >= found.threshold
    assert len(found.groups[0].names) == 4


def test_the_threshold_is_beyond_chance():
    rng = np.random.default_rng(0)
    n_rows, p = 6, 300
    least = beyond_chance(n_rows, p * (p - 1) / 2)
    above = 0
    for _ in range(50):
        unit = standardised(rng.normal(size=(n_rows, p)))
        above += np.count_nonzero(np.triu(np.abs(unit.T @ unit), 1) > least)
    assert above <= 3  # a hundredth of a pair is expected in each
    assert 0.99 < least < 1
    assert beyond_chance(1000, p * (p - 1) / 2) < 0.25
