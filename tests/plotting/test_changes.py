"""Pictures that are changed after they are drawn: other scales, limits and directions."""

import pickle
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import sklearn.linear_model
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skreg import (
    CoefficientDisplay,
    CVCurveDisplay,
    Lasso,
    LassoCV,
    RegularizationPathDisplay,
    RidgeCV,
    ShrinkageDisplay,
)


@pytest.fixture(scope="module")
def data():
    return load_diabetes(return_X_y=True, as_frame=True)


@pytest.fixture(scope="module")
def model(data):
    return LassoCV(cv=3, alphas=30).fit(*data)


def shown_counts(display):
    """Ticks in view of the axis on top, as alphas and numbers."""
    top = display.top_ax_
    texts = [text.get_text() for text in top.get_xticklabels()]
    return dict(zip(top.get_xticks(), texts, strict=True))


@pytest.mark.parametrize(
    "change",
    [
        lambda ax: ax.set_xscale("linear"),
        lambda ax: ax.set_xscale("symlog", linthresh=0.1),
        lambda ax: ax.set_xlim(0.5, 0.01),
        lambda ax: ax.invert_xaxis(),
    ],
)
def test_the_axis_on_top_keeps_saying_counts(model, change):
    display = RegularizationPathDisplay.from_estimator(model)
    display.figure_.canvas.draw()
    change(display.ax_)
    display.figure_.canvas.draw()
    counts = shown_counts(display)
    assert len(counts) >= 2
    expected = dict(zip(model.path_.alphas, model.path_.n_nonzero, strict=True))
    assert {alpha: str(expected[alpha]) for alpha in counts} == counts
    points = [(alpha, 0) for alpha in counts]
    assert_allclose(
        display.top_ax_.transData.transform(points)[:, 0],
        display.ax_.transData.transform(points)[:, 0],
    )
    pickle.loads(pickle.dumps(display.figure_)).canvas.draw()


def test_the_axis_on_top_keeps_out_of_a_scale_it_cannot_follow(model):
    display = RegularizationPathDisplay.from_estimator(model)
    display.ax_.set_xscale("function", functions=(np.sqrt, np.square))
    display.figure_.canvas.draw()
    assert shown_counts(display) == {}


def test_ticks_of_the_user_stay(model):
    display = RegularizationPathDisplay.from_estimator(model)
    display.top_ax_.set_xticks([0.1], labels=["here"])
    display.figure_.canvas.draw()
    assert shown_counts(display) == {0.1: "here"}


def test_no_leader_crosses_an_inverted_picture(model):
    display = RegularizationPathDisplay.from_estimator(model)
    display.figure_.canvas.draw()
    assert all(label.arrow_patch.get_visible() for label in display.labels_)
    display.ax_.invert_xaxis()
    display.figure_.canvas.draw()
    assert not any(label.arrow_patch.get_visible() for label in display.labels_)


def test_names_stand_where_the_lines_leave_the_view(model):
    display = RegularizationPathDisplay.from_estimator(model)
    alpha = 0.1
    display.ax_.set_xlim(1.0, alpha)
    display.figure_.canvas.draw()
    coefs = model.path_.coef_at(alpha)[display.named_]
    assert_allclose([label.xy[0] for label in display.labels_], alpha)
    # The line is straight on the axis's own scale between two alphas of the path.
    assert_allclose([label.xy[1] for label in display.labels_], coefs, atol=25)
    assert np.all(np.argsort([label.xy[1] for label in display.labels_]) == np.argsort(coefs))


@pytest.mark.parametrize("share", ["sharex", "sharey"])
def test_names_stay_on_shared_axes(data, model, share):
    other = RidgeCV(cv=3, alphas=np.geomspace(1e-3, 1e4, 20)).fit(*data)
    figure, axes = plt.subplots(1, 2, **{share: True})
    displays = [
        RegularizationPathDisplay.from_estimator(each, ax=ax)
        for each, ax in zip((model, other), axes, strict=True)
    ]
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    for display, each in zip(displays, (model, other), strict=True):
        assert all(label._check_xy(renderer) for label in display.labels_)
        left, right = display.ax_.get_xlim()
        assert left >= each.path_.alphas.max() > each.path_.alphas.min() >= right


def test_an_error_curve_can_be_drawn_on_a_logarithmic_axis(model):
    display = CVCurveDisplay.from_estimator(model)
    display.ax_.set_yscale("log")
    display.figure_.canvas.draw()
    low, high = display.ax_.get_ylim()
    assert 0 < low <= model.cv_result_.errors.min()
    assert high >= model.cv_result_.errors.max()


def test_the_band_of_an_error_ends_above_zero():
    errors = np.array([[1.0, 30.0], [0.1, 20.0]])
    mean, spread = errors.mean(axis=1), np.array([20.0, 15.0])
    result = SimpleNamespace(
        alphas=np.array([1.0, 0.1]),
        errors=errors,
        mean=mean,
        standard_error=spread,
        alpha_min=0.1,
        alpha_1se=1.0,
        metric="mean squared error",
    )
    display = CVCurveDisplay.from_cv_result(result)
    low, high = display.ax_.get_ylim()
    assert 0 < low < 0.1
    assert high > 35.5
    assert display.band_.get_paths()[0].vertices[:, 1].min() > 0


@pytest.mark.parametrize(
    "estimator",
    [
        RidgeCV(alphas=[3.0]),
        RidgeCV(alphas=[0.0, 1.0, 3.0], cv=3),
        LassoCV(alphas=[0.0], cv=3),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:.*the best alpha")
def test_a_path_of_few_alphas_or_down_to_zero_is_drawn(data, estimator):
    estimator.fit(*data)
    RegularizationPathDisplay.from_estimator(estimator).figure_.canvas.draw()
    CVCurveDisplay.from_estimator(estimator).figure_.canvas.draw()
    if isinstance(estimator, RidgeCV):
        shown = ShrinkageDisplay.from_estimator(estimator, data[0])
        shown.figure_.canvas.draw()
        if estimator.alpha_ == 0:
            assert_allclose(shown.factors_[:, -1], 1.0)


def test_points_without_a_value_have_no_tick():
    path = SimpleNamespace(
        alphas=np.array([3.0, 2.0, 1.0]),
        coefs=np.array([[0.0, 1.0, 2.0]]),
        df=np.array([np.nan, 0.5, 1.0]),
        l1_ratio=None,
        feature_names=None,
    )
    display = RegularizationPathDisplay.from_path(path)
    assert set(shown_counts(display)) == {2.0, 1.0}
    path.df = np.full(3, np.nan)
    assert RegularizationPathDisplay.from_path(path).top_ax_ is None


def test_a_fitted_search_is_drawn_by_its_best_estimator(data):
    search = GridSearchCV(Lasso(), {"alpha": [0.1, 1.0]}, cv=3).fit(*data)
    bars = CoefficientDisplay.from_estimator(search).bars_[0]
    best = CoefficientDisplay.from_estimator(search.best_estimator_).bars_[0]
    assert [bar.get_width() for bar in bars] == [bar.get_width() for bar in best]
    with pytest.raises(AttributeError, match=r"Lasso has no path_.*use LassoCV"):
        RegularizationPathDisplay.from_estimator(search)


def test_what_to_pass_is_said_of_what_wraps_a_model(data):
    target = TransformedTargetRegressor(Lasso()).fit(*data)
    with pytest.raises(AttributeError, match="pass its regressor_, which is fitted to the trans"):
        CoefficientDisplay.from_estimator(target)
    pipeline = make_pipeline(StandardScaler(), Lasso())
    search = GridSearchCV(pipeline, {"lasso__alpha": [0.1]}, cv=3)
    with pytest.raises(AttributeError, match="GridSearchCV has no coef_: call fit first"):
        CoefficientDisplay.from_estimator(search)
    with pytest.raises(AttributeError, match=r"pass its fitted last step, pipeline\[-1\]"):
        CoefficientDisplay.from_estimator(search.fit(*data))
    search = clone(search).set_params(refit=False)
    with pytest.raises(AttributeError, match="a search with refit=False"):
        CoefficientDisplay.from_estimator(search.fit(*data))


def test_the_twin_of_another_library_is_told_by_its_library(data):
    twin = sklearn.linear_model.LassoCV(cv=3).fit(*data)
    with pytest.raises(AttributeError, match=r"LassoCV of sklearn keeps no path_: skreg\.LassoCV"):
        RegularizationPathDisplay.from_estimator(twin)
