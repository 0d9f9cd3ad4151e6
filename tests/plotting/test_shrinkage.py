"""Shrinkage factors: what is drawn is what ridge regression does."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import linear_model
from sklearn.datasets import load_diabetes

from skreg import Lasso, Ridge, RidgeCV, ShrinkageDisplay, regularization_path

mpl = pytest.importorskip("matplotlib")
mpl.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(scope="module")
def data():
    return load_diabetes(return_X_y=True)


def column_axes():
    return plt.figure(figsize=(3.5, 2.7), layout="constrained").add_subplot()


def test_curves_are_the_factors(data):
    X, _ = data
    display = ShrinkageDisplay.from_estimator(Ridge(alpha=0.1).fit(*data), X)
    d = np.linalg.svd(X - X.mean(axis=0), compute_uv=False)
    assert_allclose(display.factors_, d[:, None] ** 2 / (d[:, None] ** 2 + display.alphas))
    assert_allclose(display.df_, display.factors_.sum(axis=0))
    drawn = display.lines_.get_segments()
    assert len(drawn) == len(display.named_) == len(display.labels_)
    others = np.setdiff1d(np.arange(len(d)), display.named_)
    drawn += [] if display.other_lines_ is None else display.other_lines_.get_segments()
    for curve, index in zip(drawn, [*display.named_, *others], strict=True):
        assert_array_equal(curve, np.column_stack((display.alphas, display.factors_[index])))
    assert_allclose(display.df_line_.get_ydata() * len(d), display.df_)
    for label, index in zip(display.labels_, display.named_, strict=True):
        alpha, factor = label.get_position()
        assert_allclose(d[index] ** 2 / (d[index] ** 2 + alpha), factor)
        assert label.get_text() == f"$d_{{{index + 1}}}$"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"fit_intercept": False},
        {"standardize": True},
        {"penalty_factor": [1, 2, 0.5, 1, 1, 3, 1, 1, 1, np.inf]},
    ],
)
@pytest.mark.parametrize("weighted", [False, True])
def test_degrees_of_freedom_are_those_of_the_path(data, options, weighted):
    X, y = data
    X = 30 * X + 1
    weight = np.random.default_rng(0).uniform(0, 3, len(y)) if weighted else None
    model = Ridge(**options).fit(X, y, sample_weight=weight)
    path = regularization_path(Ridge(**options), X, y, alphas=30, sample_weight=weight)
    alphas = np.append(path.alphas, 1.0)
    display = ShrinkageDisplay.from_estimator(model, X, sample_weight=weight, alphas=alphas)
    at = np.searchsorted(-np.sort(alphas)[::-1], -path.alphas)
    assert_allclose(display.df_[at], path.df, rtol=1e-6)


def test_the_axis_on_the_right_is_in_degrees_of_freedom(data):
    display = ShrinkageDisplay.from_estimator(Ridge().fit(*data), data[0])
    display.figure_.canvas.draw()
    right = display.right_ax_
    assert_allclose(right.get_ylim(), 10 * np.array(display.ax_.get_ylim()))
    assert right.get_yticks().max() <= 10


def test_chosen_alphas_are_marked_with_their_degrees_of_freedom(data):
    model = RidgeCV(cv=5, scoring="neg_mean_squared_error").fit(*data)
    display = ShrinkageDisplay.from_estimator(model, data[0])
    df = [
        model.path_.df[list(model.path_.alphas).index(alpha)]
        for alpha in (model.alpha_1se_, model.alpha_min_)
    ]
    assert [label.get_text() for label in display.alpha_labels_] == [
        f"1se, df {df[0]:.1f}",
        f"min, df {df[1]:.1f}",
    ]
    for line, alpha in zip(display.alpha_lines_, (model.alpha_1se_, model.alpha_min_), strict=True):
        assert_allclose(line.get_xdata(), alpha)


def test_many_directions_are_two_collections():
    values = np.geomspace(100, 0.1, 3000)
    display = ShrinkageDisplay(values, np.geomspace(1e5, 1e-3, 50)).plot(column_axes())
    assert len(display.ax_.collections) == 2
    assert len(display.named_) <= 8
    assert {0, 2999} <= set(display.named_)
    assert len(display.other_lines_.get_segments()) == 3000 - len(display.named_)
    display.figure_.canvas.draw()


@pytest.mark.parametrize("spread", [1.001, 2, 1e4])
def test_names_stay_apart(spread):
    ax = column_axes()
    display = ShrinkageDisplay(np.geomspace(spread, 1, 12), np.geomspace(1e9, 1e-2, 99)).plot(ax)
    display.figure_.canvas.draw()
    boxes = [label.get_window_extent() for label in display.labels_]
    assert boxes
    for i, first in enumerate(boxes):
        assert not any(first.overlaps(second) for second in boxes[:i])


def test_columns_that_repeat_one_another_have_no_direction(data):
    X = np.column_stack([data[0], data[0][:, 0]])
    model = Ridge().fit(X, data[1])
    assert ShrinkageDisplay.from_estimator(model, X).factors_.shape[0] == 10


def test_down_to_no_penalty(data):
    display = ShrinkageDisplay([3.0, 1.0], [10.0, 1.0, 0.0], alpha=0.0).plot(column_axes())
    assert_array_equal(display.factors_[:, -1], 1)
    display.figure_.canvas.draw()


def test_kwargs_override_only_the_keys_they_name():
    draw = ShrinkageDisplay(np.geomspace(9, 1, 20), np.geomspace(100, 0.1, 9), alpha=1.0).plot
    plain = draw()
    display = draw(
        n_labels=3,
        line_kwargs={"linewidths": 4},
        other_line_kwargs={"color": "red"},
        label_kwargs={"style": "italic"},
        df_line_kwargs={"ls": "-"},
        alpha_line_kwargs={"color": "blue"},
        alpha_label_kwargs={"size": 5},
    )
    assert_array_equal(display.lines_.get_linewidth(), [4])
    assert_array_equal(display.lines_.get_color(), plain.lines_.get_color())
    assert_array_equal(display.other_lines_.get_color(), [[1, 0, 0, 1]])
    assert {label.get_color() for label in display.labels_} == {plain.labels_[0].get_color()}
    assert display.df_line_.get_linestyle() == "-"
    assert display.df_line_.get_linewidth() == plain.df_line_.get_linewidth()
    assert display.alpha_lines_[0].get_color() == "blue"
    assert display.alpha_labels_[0].get_fontsize() == 5


def test_what_cannot_be_drawn_is_refused(data):
    X, y = data

    def draw(estimator, table=X):
        return ShrinkageDisplay.from_estimator(estimator, table)

    with pytest.raises(AttributeError, match=r"^Ridge has no coef_: call fit first"):
        draw(Ridge())
    with pytest.raises(ValueError, match="of ridge regression, which Lasso is not"):
        draw(Lasso().fit(X, y))
    with pytest.raises(ValueError, match="which LinearRegression is not"):
        draw(linear_model.LinearRegression().fit(X, y))
    with pytest.raises(ValueError, match="which LassoCV is not"):
        draw(linear_model.LassoCV().fit(X, y))
    with pytest.raises(ValueError, match="fit without positive"):
        draw(Ridge(positive=True).fit(X, y))
    with pytest.raises(ValueError, match="fit without lower_bound"):
        draw(Ridge(lower_bound=-1).fit(X, y))
    with pytest.raises(ValueError, match="a penalty_factor is 0"):
        draw(Ridge(penalty_factor=np.arange(10)).fit(X, y))
    with pytest.raises(ValueError, match=r"X must have shape \(n_samples, 10\)"):
        draw(Ridge().fit(X, y), X[:, :3])
    with pytest.raises(ValueError, match=r"needs dense X: pass X.toarray"):
        draw(Ridge().fit(X, y), sparse.csr_array(X))
    with pytest.raises(ValueError, match="X has missing or infinite values"):
        draw(Ridge().fit(X, y), np.full_like(X, np.nan))
    with pytest.raises(ValueError, match=r"sample_weight must have shape \(442,\), got \(3,\)"):
        ShrinkageDisplay.from_estimator(Ridge().fit(X, y), X, sample_weight=np.ones(3))
    with pytest.raises(ValueError, match="a feature that varies"):
        draw(Ridge().fit(X, y), np.ones_like(X))
    with pytest.raises(ValueError, match="alpha = 9 cannot be marked"):
        ShrinkageDisplay([1.0], [1.0, 0.1], alpha=9.0).plot()
    assert not plt.get_fignums()


def test_scikit_learns_ridge_is_taken(data):
    model = linear_model.RidgeCV(alphas=[0.1, 1]).fit(*data)
    display = ShrinkageDisplay.from_estimator(model, data[0])
    assert display.alpha == model.alpha_


def test_axes_style_and_pickle(data):
    ax, before = column_axes(), dict(mpl.rcParams)
    display = ShrinkageDisplay.from_estimator(Ridge().fit(*data), data[0], ax=ax)
    assert display.ax_ is ax
    pickle.loads(pickle.dumps(display.figure_)).canvas.draw()
    assert dict(mpl.rcParams) == before
