"""The pictures: their data are the result's arrays, their labels do not overlap, nothing leaks."""

import itertools
import pickle
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_diabetes
from sklearn.linear_model import lasso_path

from skreg.plotting import CVCurveDisplay, RegularizationPathDisplay
from skreg.plotting.labels import spread
from skreg.plotting.naming import shorten

mpl = pytest.importorskip("matplotlib")
mpl.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")
FigureCanvas = pytest.importorskip("matplotlib.backends.backend_agg").FigureCanvasAgg
Figure = pytest.importorskip("matplotlib.figure").Figure
Text = pytest.importorskip("matplotlib.text").Text

COLUMN = (3.4, 2.6)  # inches: one column of a report
X_MODES = ["alpha", "l1_norm", "dev_ratio"]


@pytest.fixture(autouse=True)
def _no_open_figures():
    yield
    plt.close("all")


def make_path(alphas, coefs, *, dev_ratio=None, l1_ratio=1.0, feature_names=None):
    """Stand in for a PathResult: the same attributes, none of the engine."""
    coefs = np.asarray(coefs, dtype=float)
    if dev_ratio is None:
        dev_ratio = np.broadcast_to(
            np.linspace(0, 0.8, len(alphas)), (*coefs.shape[:-2], len(alphas))
        )
    n_nonzero = np.count_nonzero(coefs, axis=-2)
    return SimpleNamespace(
        alphas=np.asarray(alphas, dtype=float),
        coefs=coefs,
        dev_ratio=dev_ratio,
        n_nonzero=n_nonzero,
        df=n_nonzero * 0.5,
        l1_ratio=l1_ratio,
        feature_names=feature_names,
    )


def make_cv(alphas, n_folds=5, seed=0):
    """Stand in for a CVResult whose alphas of the two rules are the 13th and the 9th."""
    rng = np.random.default_rng(seed)
    curve = (np.arange(len(alphas)) - 12.0) ** 2
    errors = 3000 + curve[:, None] + rng.normal(0, 20, (len(alphas), n_folds))
    return SimpleNamespace(
        alphas=np.asarray(alphas),
        errors=errors,
        mean=errors.mean(axis=1),
        standard_error=errors.std(axis=1, ddof=1) / np.sqrt(n_folds),
        metric="mean squared error",
        alpha_min=alphas[12],
        alpha_1se=alphas[8],
    )


@pytest.fixture(scope="module")
def diabetes():
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    centred, target = X.to_numpy() - X.to_numpy().mean(axis=0), y.to_numpy() - y.mean()
    grid = np.abs(centred.T @ target).max() / len(target) * np.geomspace(1, 1e-3, 40)
    alphas, coefs, _ = lasso_path(centred, target, alphas=grid)
    dev_ratio = 1 - ((target[:, None] - centred @ coefs) ** 2).sum(axis=0) / (target**2).sum()
    names = np.array(X.columns)
    return make_path(alphas, coefs, dev_ratio=dev_ratio, feature_names=names)


def near_equal_path():
    """Eight features whose coefficients all end within a hair of 5."""
    alphas = np.geomspace(10, 0.01, 30)
    ends = 5 + 0.001 * np.arange(8)
    names = [f"measurement {index}" for index in range(8)]
    return make_path(alphas, ends[:, None] * np.linspace(0, 1, 30), feature_names=names)


def wide_path(n_features=5000):
    """5,000 features, of which 120 become non-zero, many ending close together."""
    rng = np.random.default_rng(0)
    alphas = np.geomspace(5, 0.05, 50)
    coefs = np.zeros((n_features, 50))
    active = rng.choice(n_features, 120, replace=False)
    slopes = rng.normal(0, 1, 120)
    slopes[:10] = 3 + 0.01 * rng.random(10)
    entry = rng.integers(0, 40, 120)
    coefs[active] = slopes[:, None] * np.maximum(np.arange(50) - entry[:, None], 0) / 50
    return make_path(alphas, coefs)


def new_figure(figsize=COLUMN, layout=None):
    """Make a figure that pyplot does not know."""
    figure = Figure(figsize=figsize, layout=layout)
    FigureCanvas(figure)
    return figure


def text_boxes(artists, figure):
    """Draw, and measure the texts alone, without their leader lines."""
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    return [Text.get_window_extent(artist, renderer) for artist in artists]


def assert_apart(boxes):
    for first, second in itertools.combinations(boxes, 2):
        assert not first.overlaps(second), (first, second)


def assert_within(boxes, figure):
    for box in boxes:
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= figure.bbox.x1
        assert box.y1 <= figure.bbox.y1


def column_axes(**kwargs):
    return new_figure(**kwargs).add_subplot()


# The path


def x_of(path, mode):
    return {
        "alpha": path.alphas,
        "l1_norm": np.abs(path.coefs).sum(axis=0),
        "dev_ratio": path.dev_ratio,
    }[mode]


@pytest.mark.parametrize("mode", X_MODES)
def test_path_lines_are_the_results_arrays(diabetes, mode):
    display = RegularizationPathDisplay.from_path(diabetes, x=mode, n_labels=4, ax=column_axes())
    xs = x_of(diabetes, mode)
    assert len(display.lines_) == len(display.named_) == len(display.labels_) == 4
    for line, index, label in zip(display.lines_, display.named_, display.labels_, strict=True):
        assert_array_equal(line.get_xdata(), xs)
        assert_array_equal(np.ma.getdata(line.get_ydata()), diabetes.coefs[index])
        assert label.get_text() == diabetes.feature_names[index]
        assert label.get_color() == line.get_color()
    others = np.setdiff1d(np.arange(10), display.named_)
    segments = display.other_lines_.get_segments()
    assert len(segments) == len(others)
    for segment, index in zip(segments, others, strict=True):
        assert_array_equal(segment, np.column_stack((xs, diabetes.coefs[index])))


@pytest.mark.parametrize("mode", X_MODES)
def test_penalty_decreases_to_the_right(diabetes, mode):
    ax = RegularizationPathDisplay.from_path(diabetes, x=mode, ax=column_axes()).ax_
    xs = x_of(diabetes, mode)
    first, last = ax.transData.transform([(xs[0], 0), (xs[-1], 0)])[:, 0]
    assert first < last


def test_only_the_stretches_at_zero_are_left_undrawn():
    coefs = [[0, 0, 0, 1, 2, 0, 3], [1, 1, 1, 1, 1, 1, 1]]
    display = RegularizationPathDisplay.from_path(
        make_path(np.geomspace(1, 0.1, 7), coefs), ax=column_axes()
    )
    (line,) = (
        line for line, index in zip(display.lines_, display.named_, strict=True) if not index
    )
    assert_array_equal(np.ma.getmaskarray(line.get_ydata()), [1, 1, 0, 0, 0, 0, 0])


def test_largest_at_the_end_are_named_from_the_lowest(diabetes):
    display = RegularizationPathDisplay.from_path(diabetes, n_labels=3, ax=column_axes())
    end = diabetes.coefs[:, -1]
    assert set(display.named_) == set(np.argsort(-np.abs(end))[:3])
    assert np.all(np.diff(end[display.named_]) >= 0)


def test_largest_at_the_alpha_in_use_are_named(diabetes):
    in_use = diabetes.alphas[10]
    expected = set(np.argsort(-np.abs(diabetes.coefs[:, 10]))[:2])
    for chosen in ({"alpha": in_use}, {"alpha_min": in_use, "alpha_1se": diabetes.alphas[4]}):
        display = RegularizationPathDisplay.from_path(
            diabetes, n_labels=2, ax=column_axes(), **chosen
        )
        assert set(display.named_) == expected


def test_names_can_go_to_the_largest_at_another_alpha(diabetes):
    display = RegularizationPathDisplay.from_path(
        diabetes, n_labels=2, labels_at=diabetes.alphas[10], ax=column_axes()
    )
    assert set(display.named_) == set(np.argsort(-np.abs(diabetes.coefs[:, 10]))[:2])


def test_features_that_stay_at_zero_are_not_drawn():
    path = wide_path()
    display = RegularizationPathDisplay.from_path(path, ax=column_axes())
    assert len(display.lines_) == 8
    assert len(display.other_lines_.get_segments()) == 112


@pytest.mark.parametrize("layout", [None, "constrained", "tight"])
@pytest.mark.parametrize("figsize", [COLUMN, (6.4, 4.4)])
@pytest.mark.parametrize("make", [near_equal_path, wide_path])
def test_names_do_not_overlap_and_stay_in_the_figure(make, figsize, layout):
    figure = new_figure(figsize=figsize, layout=layout)
    display = RegularizationPathDisplay.from_path(make(), ax=figure.add_subplot())
    boxes = text_boxes(display.labels_, figure)
    assert len(boxes) == 8
    assert_apart(boxes)
    assert_within(boxes, figure)
    assert min(box.x0 for box in boxes) > display.ax_.bbox.x1


def test_own_figure_holds_the_names():
    display = RegularizationPathDisplay.from_path(near_equal_path())
    boxes = text_boxes(display.labels_, display.figure_)
    assert_apart(boxes)
    assert_within(boxes, display.figure_)


def test_names_do_not_overlap_in_a_grid_or_after_a_change_of_size():
    figure = new_figure(figsize=(7, 3), layout="constrained")
    left, right = figure.subplots(1, 2)
    displays = [RegularizationPathDisplay.from_path(wide_path(), ax=ax) for ax in (left, right)]
    for size in ((7, 3), (9, 5), (6, 2.6)):
        figure.set_size_inches(size)
        boxes = [text_boxes(display.labels_, figure) for display in displays]
        assert_apart([*boxes[0], *boxes[1], right.yaxis.label.get_window_extent()])
        assert_within(boxes[0] + boxes[1], figure)


@pytest.mark.parametrize("layout", [None, "constrained"])
def test_no_more_names_than_fit(layout):
    figure = new_figure(figsize=COLUMN, layout=layout)
    display = RegularizationPathDisplay.from_path(wide_path(), n_labels=80, ax=figure.add_subplot())
    boxes = text_boxes(display.labels_, figure)
    assert 8 <= len(boxes) < 30
    assert_apart(boxes)
    assert_within(boxes, figure)


def test_what_is_out_of_view_is_not_labelled(diabetes):
    figure = new_figure(layout="constrained")
    display = RegularizationPathDisplay.from_path(
        diabetes, alpha=diabetes.alphas[3], ax=figure.add_subplot()
    )
    low, high = np.sort(diabetes.coefs[:, -1])[[0, -1]]
    display.ax_.set_ylim(low / 1e6, high / 1e6)
    display.ax_.set_xlim(diabetes.alphas[10], diabetes.alphas[-1])
    figure.canvas.draw()
    assert display.ax_.bbox.height > 0.4 * figure.bbox.height
    shown = [label.get_tightbbox().width > 0 for label in display.alpha_labels_ + display.labels_]
    assert not any(shown)


def test_no_names_leave_the_axes_as_they_are(diabetes):
    display = RegularizationPathDisplay.from_path(diabetes, n_labels=0, ax=column_axes())
    assert display.lines_ == display.labels_ == []
    assert display.ax_.get_axes_locator() is None


def test_long_names_lose_their_middle_and_dollars_are_no_mathematics():
    long = "workclass_" + "very " * 20 + "private"
    path = make_path([1, 0.1], [[0, 1], [0, 2]], feature_names=[long, r"cost_$_in_$"])
    display = RegularizationPathDisplay.from_path(path, ax=column_axes(layout="constrained"))
    boxes = text_boxes(display.labels_, display.figure_)
    texts = [label.get_text() for label in display.labels_]
    assert texts[1] == r"cost_$_in_$"
    assert 10 <= len(texts[0]) <= 24
    assert texts[0].startswith("workcl")
    assert texts[0].endswith("rivate")
    assert shorten(long, 24).endswith("…ery private")
    assert shorten("short", 24) == "short"
    assert display.ax_.bbox.width > 0.35 * display.figure_.bbox.width
    assert_within(boxes, display.figure_)


def test_neighbouring_lines_differ_in_colour_and_style():
    display = RegularizationPathDisplay.from_path(wide_path(), n_labels=14, ax=column_axes())
    for first, second in itertools.pairwise(display.lines_):
        assert first.get_color() != second.get_color()
        assert first.get_linestyle() != second.get_linestyle() or (
            first._dash_pattern != second._dash_pattern
        )


@pytest.mark.parametrize("mode", X_MODES)
def test_chosen_alphas_are_marked_where_they_are(diabetes, mode):
    display = RegularizationPathDisplay.from_path(
        diabetes,
        x=mode,
        alpha_min=diabetes.alphas[20],
        alpha_1se=diabetes.alphas[11],
        alpha=diabetes.alphas[11],
        ax=column_axes(),
    )
    labels = [label.get_text() for label in display.alpha_labels_]
    assert labels == ["1se", "min"]
    for line, index in zip(display.alpha_lines_, (11, 20), strict=True):
        assert_allclose(line.get_xdata(), x_of(diabetes, mode)[index])
    assert [line.get_linestyle() for line in display.alpha_lines_] == ["-", "--"]


def test_an_alpha_of_its_own_and_equal_alphas(diabetes):
    both = diabetes.alphas[20]
    display = RegularizationPathDisplay.from_path(
        diabetes, alpha_min=both, alpha_1se=both, alpha=0.5, ax=column_axes()
    )
    labels = [label.get_text() for label in display.alpha_labels_]
    assert labels == ["min = 1se", r"$\alpha$ = 0.5"]


@pytest.mark.parametrize("first", [0, 18, 19, 37])
@pytest.mark.parametrize("gap", [1, 2])
def test_labels_of_alphas_stay_apart_and_below_the_axis_on_top(diabetes, first, gap):
    display = RegularizationPathDisplay.from_path(
        diabetes,
        alpha_1se=diabetes.alphas[first],
        alpha_min=diabetes.alphas[first + gap],
        ax=column_axes(layout="constrained"),
    )
    boxes = text_boxes([*display.alpha_labels_, *display.labels_], display.figure_)
    counts = [tick.label2.get_window_extent() for tick in display.top_ax_.xaxis.get_major_ticks()]
    assert_apart([*boxes, *counts, display.top_ax_.xaxis.label.get_window_extent()])
    assert_within(boxes, display.figure_)
    ax = display.ax_
    top_of_data = ax.transData.transform((1, max(diabetes.coefs.max(), 0)))[1]
    assert all(box.y0 > top_of_data for box in boxes[:2])


@pytest.mark.parametrize("low", [1e-6, 0.004, 0.012, 0.02, 0.1, 0.3, 0.7])
def test_labels_of_the_penalty_axis_stay_apart(low):
    path = make_path(np.geomspace(1.3, low, 20), [np.linspace(0, 1, 20)])
    display = RegularizationPathDisplay.from_path(path, ax=column_axes(layout="constrained"))
    display.figure_.canvas.draw()
    axis = display.ax_.xaxis
    texts = [tick.label1 for tick in axis.get_major_ticks() + axis.get_minor_ticks()]
    limits = sorted(display.ax_.get_xlim())
    shown = [
        text
        for text in texts
        if text.get_text() and limits[0] <= text.get_position()[0] <= limits[1]
    ]
    assert len(shown) >= 2
    assert_apart([text.get_window_extent() for text in shown])


def test_an_alpha_outside_the_path_is_refused(diabetes):
    with pytest.raises(ValueError, match="alpha = 1000 cannot be marked: the path runs from"):
        RegularizationPathDisplay.from_path(diabetes, alpha=1000.0)
    assert not plt.get_fignums()


@pytest.mark.parametrize("mode", X_MODES)
@pytest.mark.parametrize("make", [near_equal_path, wide_path])
def test_axis_on_top_counts_right(make, mode):
    path = make()
    display = RegularizationPathDisplay.from_path(path, x=mode, ax=column_axes())
    display.figure_.canvas.draw()
    ticks = display.top_ax_.get_xticks()
    labels = [label.get_text() for label in display.top_ax_.get_xticklabels()]
    assert len(ticks) >= 3
    for tick, label in zip(ticks, labels, strict=True):
        assert label == str(path.n_nonzero[np.flatnonzero(x_of(path, mode) == tick)[0]])
    # The axis on top stands over the same points as the axis below.
    assert_allclose(
        display.top_ax_.transData.transform([(tick, 0) for tick in ticks])[:, 0],
        display.ax_.transData.transform([(tick, 0) for tick in ticks])[:, 0],
    )


@pytest.mark.parametrize("layout", [None, "constrained"])
def test_the_power_of_ten_of_large_coefficients_leaves_the_counts_free(diabetes, layout):
    path = SimpleNamespace(**{**vars(diabetes), "coefs": 1e9 * diabetes.coefs})
    display = RegularizationPathDisplay.from_path(path, ax=column_axes(layout=layout))
    display.figure_.canvas.draw()
    power = display.ax_.yaxis.get_offset_text()
    assert power.get_text()
    counts = [tick.label2.get_window_extent() for tick in display.top_ax_.xaxis.get_major_ticks()]
    assert_apart([power.get_window_extent(), *counts])
    assert_within([power.get_window_extent()], display.figure_)


def test_ridge_shows_degrees_of_freedom_on_top(diabetes):
    path = SimpleNamespace(**{**vars(diabetes), "l1_ratio": None})
    display = RegularizationPathDisplay.from_path(path, ax=column_axes())
    assert display.top_ax_.get_xlabel() == "degrees of freedom"
    labels = [label.get_text() for label in display.top_ax_.get_xticklabels()]
    assert labels[0] == "0"
    assert labels[-1] == "5"
    assert any("." in label for label in labels)
    assert RegularizationPathDisplay.from_path(path, top=None, ax=column_axes()).top_ax_ is None


def test_counts_of_thousands_are_written_in_full():
    coefs = np.triu(np.ones((4000, 4)), k=-3998)
    display = RegularizationPathDisplay.from_path(
        make_path([4, 3, 2, 1], coefs), n_labels=1, ax=column_axes()
    )
    labels = [label.get_text() for label in display.top_ax_.get_xticklabels()]
    assert labels == ["3999", "4000", "4000", "4000"]


def test_a_path_down_to_no_penalty():
    alphas = [1, 0.1, 0.01, 0]
    path = make_path(alphas, [[0, 1, 2, 3]])
    display = RegularizationPathDisplay.from_path(path, alpha_min=0.0, ax=column_axes())
    assert_array_equal(display.lines_[0].get_xdata(), alphas)
    assert_allclose(display.alpha_lines_[0].get_xdata(), 0)
    display.figure_.canvas.draw()
    points = [(alpha, 0) for alpha in alphas]
    below = display.ax_.transData.transform(points)[:, 0]
    assert np.all(np.diff(below) > 0)
    assert_allclose(display.top_ax_.transData.transform(points)[:, 0], below)


@pytest.mark.parametrize("mode", X_MODES)
@pytest.mark.parametrize("coefs", [[[2.0], [-1.0]], [[0.0], [0.0]]])
def test_a_path_of_one_alpha(mode, coefs):
    path = make_path([0.3], coefs, dev_ratio=np.array([0.4]))
    display = RegularizationPathDisplay.from_path(path, x=mode, alpha=0.3, ax=column_axes())
    display.figure_.canvas.draw()
    assert all(line.get_marker() == "o" for line in display.lines_)


def test_one_target_of_several():
    coefs = np.arange(24.0).reshape(2, 3, 4) - 11
    path = make_path([3, 2, 1, 0.5], coefs)
    display = RegularizationPathDisplay.from_path(path, target=1, x="dev_ratio", ax=column_axes())
    for line, index in zip(display.lines_, display.named_, strict=True):
        assert_array_equal(line.get_ydata(), coefs[1, index])
    for wrong in (2, "fat"):
        with pytest.raises(ValueError, match=f"target={wrong!r} is out of range: the path has 2"):
            RegularizationPathDisplay.from_path(path, target=wrong)


def test_bad_choices_are_refused(diabetes):
    with pytest.raises(ValueError, match="x='lambda' is unknown"):
        RegularizationPathDisplay.from_path(diabetes, x="lambda")
    with pytest.raises(ValueError, match="top='count' is unknown"):
        RegularizationPathDisplay.from_path(diabetes, top="count")
    with pytest.raises(ValueError, match="2 feature names for 10 features"):
        RegularizationPathDisplay.from_path(diabetes, feature_names=["a", "b"])
    assert not plt.get_fignums()


def test_kwargs_override_only_the_keys_they_name(diabetes):
    plain = RegularizationPathDisplay.from_path(diabetes, alpha=1.0, ax=column_axes())
    display = RegularizationPathDisplay.from_path(
        diabetes,
        alpha=1.0,
        n_labels=4,
        line_kwargs={"lw": 3},
        other_line_kwargs={"color": "red"},
        label_kwargs={"style": "italic"},
        alpha_line_kwargs={"color": "blue"},
        alpha_label_kwargs={"size": 5},
        ax=column_axes(),
    )
    assert {line.get_linewidth() for line in display.lines_} == {3}
    assert display.lines_[0].get_color() == plain.lines_[0].get_color()
    assert_array_equal(display.other_lines_.get_color(), [[1, 0, 0, 1]])
    assert_allclose(display.other_lines_.get_linewidth(), 0.5)
    assert display.labels_[0].get_fontstyle() == "italic"
    assert display.labels_[0].get_color() == display.lines_[0].get_color()
    assert display.alpha_lines_[0].get_color() == "blue"
    assert display.alpha_lines_[0].get_linewidth() == plain.alpha_lines_[0].get_linewidth()
    assert display.alpha_labels_[0].get_fontsize() == 5
    assert display.alpha_labels_[0].get_color() == plain.alpha_labels_[0].get_color()


# The cross-validation curve


def test_curve_is_the_results_arrays(diabetes):
    cv = make_cv(diabetes.alphas)
    display = CVCurveDisplay.from_cv_result(cv, path=diabetes, ax=column_axes())
    assert_array_equal(display.lines_[0].get_xydata(), np.column_stack((cv.alphas, cv.mean)))
    band = {tuple(point) for point in display.band_.get_paths()[0].vertices}
    for sign in (-1, 1):
        edge = np.column_stack((cv.alphas, cv.mean + sign * cv.standard_error))
        assert {tuple(point) for point in edge} <= band
    for segment, fold in zip(display.fold_lines_.get_segments(), cv.errors.T, strict=True):
        assert_array_equal(segment, np.column_stack((cv.alphas, fold)))
    assert [label.get_text() for label in display.alpha_labels_] == ["1se", "min"]
    for line, index in zip(display.alpha_lines_, (8, 12), strict=True):
        assert_allclose(line.get_xdata(), cv.alphas[index])
    assert_allclose(
        display.points_.get_xydata(), np.column_stack((cv.alphas, cv.mean))[[8, 12]], rtol=1e-12
    )
    assert display.ax_.get_ylabel() == "CV mean squared error (y²)"
    for tick, label in zip(
        display.top_ax_.get_xticks(), display.top_ax_.get_xticklabels(), strict=True
    ):
        assert label.get_text() == str(diabetes.n_nonzero[list(diabetes.alphas).index(tick)])


@pytest.mark.parametrize(("n_folds", "folds", "drawn"), [(20, "auto", 20), (21, "auto", 0)])
def test_many_folds_are_not_drawn(diabetes, n_folds, folds, drawn):
    cv = make_cv(diabetes.alphas, n_folds)
    display = CVCurveDisplay.from_cv_result(cv, folds=folds, ax=column_axes())
    found = 0 if display.fold_lines_ is None else len(display.fold_lines_.get_segments())
    assert found == drawn
    assert CVCurveDisplay(cv).plot(column_axes(), folds=False).fold_lines_ is None
    assert CVCurveDisplay(cv).plot(column_axes(), folds=True).fold_lines_ is not None


def test_errors_far_apart_are_on_a_logarithmic_axis(diabetes):
    """One fold that fails at small alphas left the rest of the curve a flat line."""
    cv = make_cv(diabetes.alphas)
    assert CVCurveDisplay.from_cv_result(cv, ax=column_axes()).ax_.get_yscale() == "linear"
    cv.errors[-20:, 0] *= 1e4
    cv.mean, cv.standard_error = cv.errors.mean(axis=1), cv.errors.std(axis=1) / np.sqrt(5)
    display = CVCurveDisplay.from_cv_result(cv, ax=column_axes())
    assert display.ax_.get_yscale() == "log"
    low, high = display.ax_.get_ylim()
    assert 0 < low < cv.errors.min()
    assert high > cv.errors.max()
    _, (one, other) = plt.subplots(1, 2, sharey=True)
    display = CVCurveDisplay.from_cv_result(cv, ax=one)
    assert one.get_yscale() == other.get_yscale() == "linear"


def test_everything_drawn_of_the_curve_is_in_view(diabetes):
    cv = make_cv(diabetes.alphas)
    display = CVCurveDisplay.from_cv_result(cv, path=diabetes, ax=column_axes(layout="constrained"))
    low, high = display.ax_.get_ylim()
    assert low < cv.errors.min() < cv.errors.max() < high
    boxes = text_boxes(display.alpha_labels_, display.figure_)
    ticks = [tick.label2.get_window_extent() for tick in display.top_ax_.xaxis.get_major_ticks()]
    axis_labels = [display.ax_.yaxis.label, display.ax_.xaxis.label, display.top_ax_.xaxis.label]
    outside = [label.get_window_extent() for label in axis_labels]
    assert_apart([*boxes, *ticks, *outside])
    assert_within([*boxes, *ticks, *outside], display.figure_)


@pytest.mark.parametrize(
    ("metric", "label"),
    [("neg_mean_absolute_error", "CV mean absolute error (y)"), ("r2", "CV negated R²")],
)
def test_a_scorer_names_the_error_axis(diabetes, metric, label):
    cv = make_cv(diabetes.alphas)
    cv.metric = metric
    assert CVCurveDisplay.from_cv_result(cv, ax=column_axes()).ax_.get_ylabel() == label


def test_curve_kwargs_override_only_the_keys_they_name(diabetes):
    display = CVCurveDisplay.from_cv_result(
        make_cv(diabetes.alphas),
        line_kwargs={"color": "green"},
        band_kwargs={"alpha": 0.5},
        fold_kwargs={"linewidths": 2},
        point_kwargs={"marker": "s"},
        ax=column_axes(),
    )
    assert display.lines_[0].get_color() == "green"
    assert display.lines_[0].get_linewidth() == 1.5
    assert display.band_.get_alpha() == 0.5
    assert_allclose(display.band_.get_linewidth(), 0)
    assert_allclose(display.fold_lines_.get_linewidth(), 2)
    assert display.points_.get_marker() == "s"
    assert display.points_.get_markersize() == 4


# The convention of displays


def draw_path(diabetes, **kwargs):
    return RegularizationPathDisplay(diabetes).plot(**kwargs)


def draw_curve(diabetes, **kwargs):
    return CVCurveDisplay(make_cv(diabetes.alphas), path=diabetes).plot(**kwargs)


@pytest.mark.parametrize("draw", [draw_path, draw_curve])
def test_axes_given_are_used_and_no_figure_is_made(diabetes, draw):
    ax = column_axes()
    display = draw(diabetes, ax=ax)
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert not plt.get_fignums()


@pytest.mark.parametrize("draw", [draw_path, draw_curve])
def test_a_figure_is_made_without_axes(diabetes, draw):
    display = draw(diabetes)
    assert plt.get_fignums() == [display.figure_.number]


@pytest.mark.parametrize("draw", [draw_path, draw_curve])
def test_figures_can_be_pickled(diabetes, draw):
    figure = draw(diabetes, ax=column_axes(layout="constrained")).figure_
    copy = pickle.loads(pickle.dumps(figure))
    figure.canvas.draw()
    FigureCanvas(copy).draw()
    assert_array_equal(copy.canvas.buffer_rgba(), figure.canvas.buffer_rgba())


@pytest.mark.parametrize("draw", [draw_path, draw_curve])
def test_global_style_is_left_alone(diabetes, draw):
    before = dict(mpl.rcParams)
    draw(diabetes).figure_.canvas.draw()
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("draw", [draw_path, draw_curve])
def test_missing_matplotlib_is_said_with_the_extra_that_has_it(diabetes, draw, monkeypatch):
    for name in list(sys.modules):
        if name.split(".")[0] == "matplotlib":
            monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r"Display.plot needs matplotlib.*skreg\[plot\]"):
        draw(diabetes)


@pytest.mark.parametrize("display", [RegularizationPathDisplay, CVCurveDisplay])
def test_an_estimator_without_the_result_is_refused(display):
    class Lasso:
        pass

    with pytest.raises(AttributeError, match=r"Lasso has no .*: call fit first"):
        display.from_estimator(Lasso())
    fitted = Lasso()
    fitted.coef_ = np.zeros(3)
    with pytest.raises(AttributeError, match="fits a single alpha: use LassoCV, or"):
        display.from_estimator(fitted)
    pipeline = SimpleNamespace(steps=[("lasso", fitted)])
    with pytest.raises(AttributeError, match=r"pass its fitted last step, pipeline\[-1\]"):
        display.from_estimator(pipeline)


def test_each_target_has_its_curve_where_it_has_its_alpha(diabetes):
    results = [make_cv(diabetes.alphas, seed=seed) for seed in (1, 2)]
    both = SimpleNamespace(for_target=lambda k: results[k])
    alphas = np.array([results[0].alpha_min, results[1].alpha_1se])
    estimator = SimpleNamespace(cv_result_=both, alpha_=alphas)
    curve = CVCurveDisplay.from_estimator(estimator, target=1, ax=column_axes())
    assert curve.cv_result is results[1]
    assert curve.alpha == results[1].alpha_1se


def test_from_estimator_reads_the_fitted_attributes(diabetes):
    cv = make_cv(diabetes.alphas)
    estimator = SimpleNamespace(
        path_=diabetes,
        cv_result_=cv,
        alpha_=cv.alpha_min,
        alpha_min_=cv.alpha_min,
        alpha_1se_=cv.alpha_1se,
        feature_names_in_=np.array([f"n{index}" for index in range(10)]),
    )
    path = RegularizationPathDisplay.from_estimator(estimator, n_labels=2, ax=column_axes())
    assert path.alpha == cv.alpha_min
    assert all(label.get_text().startswith("n") for label in path.labels_)
    curve = CVCurveDisplay.from_estimator(estimator, target=0, ax=column_axes())
    assert curve.path is diabetes
    assert curve.alpha == cv.alpha_min


# Real estimators


def test_the_path_of_a_real_estimator():
    from skreg import LassoCV

    X, y = load_diabetes(return_X_y=True, as_frame=True)
    model = LassoCV(alphas=20, cv=3).fit(X, y)
    display = RegularizationPathDisplay.from_estimator(model, ax=column_axes())
    for line, index, label in zip(display.lines_, display.named_, display.labels_, strict=True):
        assert_array_equal(np.ma.getdata(line.get_ydata()), model.path_.coefs[index])
        assert label.get_text() == X.columns[index]
    display.figure_.canvas.draw()


def test_the_curve_of_a_real_estimator():
    from skreg import RidgeCV

    X, y = load_diabetes(return_X_y=True)
    model = RidgeCV(alphas=20).fit(X, y)
    display = CVCurveDisplay.from_estimator(model, ax=column_axes())
    assert_array_equal(display.lines_[0].get_ydata(), model.cv_result_.mean)
    assert display.fold_lines_ is None
    assert display.top_ax_.get_xlabel() == "degrees of freedom"
    display.figure_.canvas.draw()


# Where labels go


@given(
    st.lists(st.tuples(st.floats(-50, 150), st.floats(0.5, 8)), min_size=1, max_size=12),
)
def test_spread_labels_are_apart_in_order_and_inside(labels):
    targets, sizes = map(np.array, zip(*labels, strict=True))
    centres = spread(targets, sizes, 0.0, 100.0)
    order = np.argsort(targets, kind="stable")
    gaps = np.diff(centres[order]) - (sizes[order][:-1] + sizes[order][1:]) / 2
    assert np.all(gaps >= -1e-9)
    assert np.all(centres - sizes / 2 >= -1e-9)
    assert np.all(centres + sizes / 2 <= 100 + 1e-9)


def test_spread_moves_no_more_than_needed():
    assert_allclose(spread([10, 50, 90], [4, 4, 4], 0, 100), [10, 50, 90])
    assert_allclose(spread([50, 50], [4, 4], 0, 100), [48, 52])
    assert_allclose(spread([0, 1, 60], [4, 4, 4], 0, 100), [2, 6, 60])
    assert_allclose(spread([5, 5, 5], [6, 6, 6], 0, 9), [1.5, 4.5, 7.5])
    assert spread([], [], 0, 1).size == 0
