"""The bars of coefficients: their lengths are the model's, their order and note are right."""

import itertools
import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import linear_model
from sklearn.datasets import load_diabetes

from skreg import CoefficientDisplay, Lasso, LassoCV, PathResult, Ridge, RidgeCV

mpl = pytest.importorskip("matplotlib")
mpl.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(scope="module")
def data():
    return load_diabetes(return_X_y=True, as_frame=True, scaled=False)


@pytest.fixture(scope="module")
def model(data):
    return LassoCV(cv=5, standardize=True).fit(*data)


def column_axes():
    return plt.figure(figsize=(3.5, 2.7), layout="constrained").add_subplot()


def widths(bars):
    return np.array([bar.get_width() for bar in bars])


def names(display):
    return [label.get_text() for label in display.ax_.get_yticklabels()]


def note(display):
    return None if display.note_ is None else display.note_.get_text()


def test_bars_are_the_coefficients_by_size(data):
    X, _ = data
    fitted = Ridge().fit(*data)
    display = CoefficientDisplay.from_estimator(fitted)
    order = np.argsort(-np.abs(fitted.coef_), kind="stable")
    assert_array_equal(display.shown_, order)
    assert_array_equal(widths(display.bars_[0]), fitted.coef_[order])
    assert names(display) == list(X.columns[order])
    assert note(display) is display.legend_ is None
    assert display.ax_.get_xlabel() == r"coefficient at $\alpha$ = 1 (y per unit of x)"


def test_1se_stands_beside_min(model):
    display = CoefficientDisplay.from_estimator(model)
    result = model.cv_result_
    for bars, index in zip(display.bars_, (result.index_min, result.index_1se), strict=True):
        assert_array_equal(widths(bars), model.path_.coefs[display.shown_, index])
    texts = [text.get_text() for text in display.legend_.get_texts()]
    assert texts == [
        rf"min, $\alpha$ = {model.alpha_min_:.3g}, in use",
        rf"1se, $\alpha$ = {model.alpha_1se_:.3g}",
    ]
    assert display.bars_[0][0].get_facecolor() != display.bars_[1][0].get_facecolor()


def test_min_stands_beside_1se_where_that_is_used(data):
    fitted = LassoCV(cv=5, standardize=True, rule="1se").fit(*data)
    display = CoefficientDisplay.from_estimator(fitted)
    assert_array_equal(widths(display.bars_[0]), fitted.coef_[display.shown_])
    assert display.legend_.get_texts()[0].get_text().startswith("1se")


def test_one_alpha_of_a_path(model):
    path = model.path_
    display = CoefficientDisplay.from_path(path, alpha=path.alphas[20], feature_names=None)
    (bars,) = display.bars_
    assert_array_equal(widths(bars), path.coefs[display.shown_, 20])
    zero = int(np.sum(path.coefs[:, 20] == 0))
    assert note(display) == f"not shown: {zero} zero"


def test_what_is_left_out_is_said():
    coefs = np.r_[np.arange(1.0, 31), np.zeros(9)]
    display = CoefficientDisplay(coefs).plot(column_axes(), n_bars=4)
    assert_array_equal(display.shown_, [29, 28, 27, 26])
    assert note(display) == "not shown: 26 smaller and 9 zero"
    assert note(CoefficientDisplay(coefs[:6]).plot(n_bars=4)) == "not shown: 2 smaller"
    empty = CoefficientDisplay(np.zeros(5)).plot(column_axes())
    assert note(empty) == "all 5 are zero"
    empty.figure_.canvas.draw()


def test_no_more_bars_than_names_fit():
    rng = np.random.default_rng(0)
    long = [f"a name that goes on and on, number {j}" for j in range(5000)]
    display = CoefficientDisplay(
        rng.normal(size=(2, 5000)), labels=["a", "b"], feature_names=long
    ).plot(column_axes(), n_bars=1000)
    display.figure_.canvas.draw()
    labels = display.ax_.get_yticklabels()
    boxes = [label.get_window_extent() for label in labels] + [display.note_.get_window_extent()]
    assert 5 <= len(labels) < 20
    for first, second in itertools.pairwise(boxes):
        assert not first.overlaps(second)
    legend = display.legend_.get_window_extent()
    tops = [bar.get_window_extent().y1 for bars in display.bars_ for bar in bars]
    assert max(tops) < legend.y0
    assert min(box.x0 for box in boxes) >= 0
    assert all("…" in label.get_text() for label in labels)


def test_features_that_only_another_model_has_come_last():
    display = CoefficientDisplay([[0, 1, 0, -2], [9, 1, 0, 1]], labels=["a", "b"]).plot()
    assert_array_equal(display.shown_, [3, 1, 0])
    assert note(display) == "not shown: 1 zero"


def test_dollars_in_names_are_no_mathematics():
    display = CoefficientDisplay([1.0, 2.0], feature_names=["cost_$", "in_$_a_$"]).plot()
    display.figure_.canvas.draw()
    assert names(display) == ["in_$_a_$", "cost_$"]


def test_scale_multiplies(data):
    X, _ = data
    fitted = Ridge().fit(*data)
    display = CoefficientDisplay.from_estimator(fitted, feature_scale=X.std())
    assert_allclose(widths(display.bars_[0]), (fitted.coef_ * X.std().to_numpy())[display.shown_])
    assert display.ax_.get_xlabel().endswith("scale of x (units of y)")


def test_one_target_of_several(data):
    X, y = data
    fitted = RidgeCV(alpha_per_target=True).fit(X, np.column_stack([y, -2 * y**0.5]))
    display = CoefficientDisplay.from_estimator(fitted, target=1)
    assert_allclose(widths(display.bars_[0]), fitted.coef_[1][display.shown_])
    with pytest.raises(ValueError, match=r"target=2 is out of range"):
        CoefficientDisplay.from_estimator(fitted, target=2)


def test_scikit_learns_estimators_are_taken(data):
    fitted = linear_model.LinearRegression().fit(*data)
    display = CoefficientDisplay.from_estimator(fitted)
    assert_array_equal(widths(display.bars_[0]), fitted.coef_[display.shown_])
    assert display.ax_.get_xlabel() == "coefficient (y per unit of x)"


def test_kwargs_override_only_the_keys_they_name():
    coefs = [[3.0, 2, 1, 0], [1.0, 1, 1, 0]]
    plain = CoefficientDisplay(coefs, labels=["a", "b"]).plot()
    display = CoefficientDisplay(coefs, labels=["a", "b"]).plot(
        bar_kwargs={"facecolor": "red"},
        other_bar_kwargs={"lw": 3},
        note_kwargs={"color": "blue"},
        legend_kwargs={"title": "models"},
    )
    assert display.bars_[0][0].get_facecolor() == (1, 0, 0, 1)
    assert display.bars_[0][0].get_edgecolor() == plain.bars_[0][0].get_edgecolor()
    assert display.bars_[1][0].get_linewidth() == 3
    assert display.bars_[1][0].get_facecolor() == plain.bars_[1][0].get_facecolor()
    assert display.note_.get_color() == "blue"
    assert display.note_.get_fontsize() == plain.note_.get_fontsize()
    assert display.legend_.get_title().get_text() == "models"


def test_what_cannot_be_drawn_is_refused(model):
    with pytest.raises(AttributeError, match=r"^Lasso has no coef_: call fit first"):
        CoefficientDisplay.from_estimator(Lasso())
    with pytest.raises(ValueError, match=r"^give alpha, alpha_min or alpha_1se"):
        CoefficientDisplay.from_path(model.path_)
    with pytest.raises(ValueError, match=r"alpha = 1e\+06 cannot be marked"):
        CoefficientDisplay.from_path(model.path_, alpha=1e6)
    with pytest.raises(ValueError, match="coefs has missing or infinite values"):
        CoefficientDisplay([1.0, np.nan]).plot()
    with pytest.raises(ValueError, match="2 feature names for"):
        CoefficientDisplay([1.0], feature_names=["a", "b"]).plot()
    with pytest.raises(ValueError, match="1 labels for 2 models"):
        CoefficientDisplay(np.ones((2, 3)), labels=["a"]).plot()
    with pytest.raises(ValueError, match=r"feature_scale must have shape \(3,\)"):
        CoefficientDisplay(np.ones(3), feature_scale=[1, 2]).plot()
    assert not plt.get_fignums()


def test_axes_style_and_pickle(model):
    ax, before = column_axes(), dict(mpl.rcParams)
    display = CoefficientDisplay.from_estimator(model, ax=ax)
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    pickle.loads(pickle.dumps(display.figure_)).canvas.draw()
    assert dict(mpl.rcParams) == before


def test_a_path_of_several_targets():
    coefs = np.arange(12.0).reshape(2, 3, 2)
    flat = np.zeros((2, 2))
    path = PathResult(np.array([2.0, 1.0]), coefs, *[flat] * 6)
    display = CoefficientDisplay.from_path(path, alpha=1.0, target=1)
    assert_array_equal(widths(display.bars_[0]), [11, 9, 7])
