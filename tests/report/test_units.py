"""What the coefficients of a report are per, and that pictures and tables rank alike."""

import re
from dataclasses import replace

import numpy as np
import pytest
import report_contents as examples
from matplotlib.figure import Figure
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Lasso, LogisticRegression, SGDRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)

from skreg import ElasticNetCV, LassoCV, Ridge
from skreg.report import page, pictures

SIZES = np.array([1.0, 200.0, 0.01])


def table(n=80):
    """Columns in different units, of which the one with the smallest coefficient counts most."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 3)) * SIZES + [0.0, 1000.0, 3.0]
    return X, X @ [1.0, 0.03, 50.0] + rng.normal(size=n)


def coefficients(gather, model, X, y):
    return gather(model, X, y, feature_names=["a", "b", "c"]).models[0].coefficients


def test_without_a_step_before_it_a_coefficient_is_per_unit(gather):
    found = coefficients(gather, Ridge(), *table())
    assert (found.per, found.factor, found.to_unit) == ("unit", None, None)


@pytest.mark.parametrize(
    ("steps", "per"),
    [
        ([StandardScaler()], "deviation"),
        ([SimpleImputer(), StandardScaler(), SelectKBest(k=3)], "deviation"),
        ([make_pipeline("passthrough", StandardScaler(with_mean=False))], "deviation"),
        ([FunctionTransformer(), StandardScaler()], "deviation"),
        ([StandardScaler(with_std=False)], "unit"),
        ([MinMaxScaler()], "scaled"),
        ([RobustScaler()], "scaled"),
        ([StandardScaler(), MinMaxScaler()], "scaled"),
        ([RobustScaler(), StandardScaler()], "deviation"),
        ([ColumnTransformer([("s", StandardScaler(), [0, 1])], remainder="passthrough")], "mixed"),
        ([ColumnTransformer([("s", StandardScaler(), slice(0, 3))])], "deviation"),
        ([ColumnTransformer([("s", StandardScaler(), np.array([True] * 3))])], "deviation"),
    ],
)
def test_a_known_step_gives_coefficients_per_unit_back(gather, steps, per):
    X, y = table()
    model = make_pipeline(*steps, Ridge(alpha=1e-10))
    found = coefficients(gather, model, X, y)
    assert found.per == per
    assert found.factor is None
    slopes = np.linalg.lstsq(np.column_stack([X, np.ones(len(X))]), y, rcond=None)[0][:3]
    values = found.values if found.to_unit is None else found.values * found.to_unit
    assert_allclose(values, slopes, rtol=1e-6)


@pytest.mark.parametrize(
    ("steps", "per"),
    [
        ([FunctionTransformer(np.sqrt, feature_names_out="one-to-one")], "input"),
        ([FunctionTransformer(np.sqrt)], "input"),
        ([PCA()], "input"),
        ([PCA(), MinMaxScaler()], "input"),
        ([PolynomialFeatures(), StandardScaler()], "deviation"),
        ([FunctionTransformer(np.sqrt), StandardScaler()], "deviation"),
    ],
)
def test_behind_another_step_no_unit_is_claimed(gather, steps, per):
    X, y = table()
    found = coefficients(gather, make_pipeline(*steps, Ridge()), np.abs(X), y)
    assert (found.per, found.factor, found.to_unit) == (per, None, None)


def test_indicators_of_categories_are_per_unit(gather):
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    X = pandas.DataFrame({"size": rng.normal(0, 30, 90), "town": rng.choice(["Ulm", "Bonn"], 90)})
    X.loc[4, "size"] = np.nan
    y = (X["town"] == "Ulm") * 2.0 + rng.normal(size=90)
    parts = [
        ("n", make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), ["size"]),
        ("c", OneHotEncoder(), ["town"]),
    ]
    found = gather(make_pipeline(ColumnTransformer(parts), Ridge()), X, y).models[0].coefficients
    assert found.per == "mixed"
    assert_allclose(1 / found.to_unit[[0, 2, 3]], [X["size"].std(ddof=0), 1, 1], rtol=0.01)


@pytest.mark.parametrize("as_sparse", [False, True])
def test_standardize_compares_standard_deviations(gather, as_sparse):
    X, y = table()
    given = sparse.csr_array(X) if as_sparse else X
    found = coefficients(gather, LassoCV(standardize=True), given, y)
    assert found.per == "deviation"
    assert_allclose(found.factor, X.std(axis=0))
    assert_allclose(found.to_unit, 1.0)


def test_the_unit_of_the_target_and_of_the_features_go_together(gather):
    X, y = table()
    model = make_pipeline(
        StandardScaler(), TransformedTargetRegressor(Ridge(1e-9), transformer=StandardScaler())
    )
    found = coefficients(gather, model, X, 1000 * y)
    assert_allclose(found.values * found.to_unit, [1000, 30, 50000], rtol=0.6)
    assert_allclose(found.values * found.to_unit, 1000 * _slopes(X, y), rtol=1e-6)


def _slopes(X, y):
    return np.linalg.lstsq(np.column_stack([X, np.ones(len(X))]), y, rcond=None)[0][:3]


@pytest.fixture
def drawn(monkeypatch):
    """Axes of the pictures of a model, by the names of the pictures."""

    def draw(model, contents):
        axes = {}
        monkeypatch.setattr(
            pictures, "picture", lambda sketch, *_, **__: axes.update({sketch.name: see(sketch)})
        )
        list(pictures.of_model(model, contents, 0))
        return axes

    def see(sketch):
        figure = Figure(figsize=(4, 3))
        return sketch.draw(figure), figure.axes[0]

    return draw


@pytest.mark.parametrize("scaler", [True, False])
def test_pictures_and_table_show_the_same_unit_and_order(gather, drawn, scaler):
    X, y = table()
    model = make_pipeline(StandardScaler(), LassoCV()) if scaler else LassoCV(standardize=True)
    found = gather(model, X, y, feature_names=["a", "b", "c"])
    (one,) = found.models
    by_deviation = _slopes(X, y) * X.std(axis=0)
    axes = drawn(one, found)
    caption, ax = axes["path0"]
    assert ax.get_ylabel() == "coefficient\n(y per standard deviation of x)"
    ends = {line.get_ydata()[-1] for line in ax.lines if np.size(line.get_ydata()) > 10}
    assert_allclose(sorted(ends), sorted(by_deviation), rtol=0.05)
    assert "the 3 largest at the α in use are named" in caption
    _, ax = axes["coefficients0"]
    assert ax.get_xlabel() == "coefficient (y per standard deviation of x)"
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == ["b", "a", "c"]
    shown = page._table(one.coefficients, one.alpha_1se, "targets", 8000)
    assert [name for name, _ in shown.rows] == names
    assert shown.heads[0] == "y per standard deviation of x"
    assert shown.heads[-1] == "per unit of x"
    cells = np.array([[value for _, value in cells] for _, cells in shown.rows])
    assert_allclose(cells[:, 0], by_deviation[[1, 0, 2]], rtol=0.1)
    assert_allclose(cells[:, -1], _slopes(X, y)[[1, 0, 2]], rtol=0.1)
    if one.coefficients.at_1se is not None:
        assert shown.heads[1].startswith("at 1se")
        assert np.all(np.diff(np.abs(cells[:, 1])) <= 0)


def test_the_unit_of_classes(gather, drawn):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, 3))
    found = gather(make_pipeline(StandardScaler(), LogisticRegression()), X, X[:, 0] > 0)
    _, ax = drawn(found.models[0], found)["coefficients0"]
    assert ax.get_xlabel() == "coefficient (log-odds per standard deviation of x)"
    shown = page._table(found.models[0].coefficients, None, "classes", 8000)
    assert shown.heads == ["log-odds per standard deviation of x", "per unit of x"]


def test_a_unit_that_is_known_of_some_features_only():
    made = examples.regression(["bmi", "bp"])
    given = replace(made.models[0].coefficients, per="mixed", to_unit=np.array([np.nan, 2.0]))
    html = page.render(replace(made, models=(replace(made.models[0], coefficients=given),)))
    table = re.search(r'<table class="coefficients".*?</table>', html, re.DOTALL)[0]
    assert '<td class="number" data-value="">–</td>' in table
    assert "nan" not in table


@pytest.mark.usefixtures("_without_the_models_pictures")
def test_the_chosen_l1_ratio_is_told(gather):
    X, y = load_diabetes(return_X_y=True)
    model = make_pipeline(StandardScaler(), ElasticNetCV(l1_ratio=[0.2, 0.7]))
    found = gather([model, LassoCV(), Lasso(), SGDRegressor()], X, y)
    html = page.render(found)
    chosen = found.models[0].estimator.l1_ratio_
    assert html.count("l1_ratio in use") == 1
    assert f"<dt>l1_ratio in use</dt><dd>{chosen}</dd>" in html
