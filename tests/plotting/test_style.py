"""Style that all pictures share: the user's own settings count, and large pictures stay light."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import load_diabetes

from skreg import (
    CoefficientDisplay,
    CVCurveDisplay,
    FilterDisplay,
    LassoCV,
    MLPRegressor,
    PathResult,
    PenaltyGeometryDisplay,
    RegularizationPathDisplay,
    RidgeCV,
    ShrinkageDisplay,
    TrainingHistoryDisplay,
    WeightHistogramDisplay,
)

mpl = pytest.importorskip("matplotlib")
mpl.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")
colors = pytest.importorskip("matplotlib.colors")


@pytest.fixture(scope="module")
def data():
    return load_diabetes(return_X_y=True, as_frame=True, scaled=False)


@pytest.fixture(scope="module")
def model(data):
    return LassoCV(cv=5, standardize=True).fit(*data)


def draw_all(model, data):
    ridge = RidgeCV(alphas=20).fit(*data)
    net = MLPRegressor(5, early_stopping=True, learning_rate_init=0.1, random_state=0)
    net.fit(data[0] - data[0].mean(), data[1])
    return [
        RegularizationPathDisplay.from_estimator(model),
        CVCurveDisplay.from_estimator(model),
        CoefficientDisplay.from_estimator(model),
        ShrinkageDisplay.from_estimator(ridge, data[0]),
        PenaltyGeometryDisplay.from_estimator(model, *data),
        TrainingHistoryDisplay.from_estimator(net),
        WeightHistogramDisplay.from_estimator([net, net]),
        FilterDisplay.from_estimator(net, image_shape=(2, 5)),
    ]


def contrast(color, ground):
    """Ratio of luminances as accessibility guidelines define it, 1 to 21."""

    def luminance(value):
        channels = np.array(colors.to_rgb(value))
        linear = np.where(
            channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4
        )
        return linear @ [0.2126, 0.7152, 0.0722]

    low, high = sorted([luminance(color), luminance(ground)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("style", ["default", "dark_background", "grayscale"])
def test_names_and_lines_stand_out_from_the_background(model, data, style):
    with plt.style.context(style):
        for display in draw_all(model, data):
            display.figure_.canvas.draw()
            ax = display.ax_
            ground = ax.get_facecolor()
            texts = [text for text in ax.texts if text.get_text()]
            lines = [line for line in ax.lines if line.get_linewidth() >= 1]
            for artist in texts + lines:
                assert contrast(artist.get_color(), ground) > 2, (type(display), artist)
            assert contrast(ax.spines["left"].get_edgecolor(), ground) > 2


def test_the_users_colours_and_figure_size_are_taken(model):
    cycle = mpl.cycler(color=["#111111", "#222222"])
    with mpl.rc_context({"axes.prop_cycle": cycle, "figure.figsize": (5, 2)}):
        display = RegularizationPathDisplay.from_estimator(model)
        assert {line.get_color() for line in display.lines_} == {"#111111", "#222222"}
        assert_array_equal(display.figure_.get_size_inches(), [5, 2])


def test_the_users_font_size_is_taken(model):
    with mpl.rc_context({"font.size": 14}):
        ax = plt.figure(figsize=(9, 5)).add_subplot()
        display = CVCurveDisplay.from_estimator(model, ax=ax)
        assert display.ax_.xaxis.label.get_fontsize() == 14


def test_axes_that_share_their_heights_show_both_pictures(model):
    figure, axes = plt.subplots(1, 2, sharey=True, layout="constrained")
    small = PathResult(model.alphas_, model.path_.coefs / 10, *[np.zeros(100)] * 6)
    RegularizationPathDisplay.from_path(model.path_, top=None, ax=axes[0])
    limits = axes[0].get_ylim()
    RegularizationPathDisplay.from_path(small, top=None, ax=axes[1])
    figure.canvas.draw()
    assert axes[0].get_ylim() == limits


def test_twenty_thousand_coefficients_are_one_collection():
    coefs = np.random.default_rng(0).normal(size=(20_000, 1)) * np.linspace(0, 1, 50)
    zeros = np.zeros(50)
    path = PathResult(np.geomspace(10, 0.1, 50), coefs, *[zeros] * 6)
    display = RegularizationPathDisplay.from_path(path, top="df")
    assert list(display.ax_.collections) == [display.other_lines_]
    assert len(display.other_lines_.get_segments()) == 20_000 - 8
    assert display.other_lines_.get_rasterized()
    assert len(display.lines_) == len(display.labels_) == 8
    bars = CoefficientDisplay(coefs[:, -1]).plot()
    assert len(bars.ax_.patches) <= 20


@pytest.mark.filterwarnings("ignore:Maximum iterations:UserWarning")
def test_what_is_no_plain_axes_is_refused_by_name(model, data):
    displays = draw_all(model, data)
    for given in (3, "x", {}, plt.figure()):
        for display in displays:
            with pytest.raises(TypeError, match="ax must be matplotlib Axes, got"):
                display.plot(ax=given)
    for projection in ("polar", "mollweide", "3d"):
        ax = plt.figure().add_subplot(projection=projection)
        for display in displays:
            with pytest.raises(ValueError, match=f"ax must be rectilinear.*'{projection}'"):
                display.plot(ax=ax)
            assert display.ax_ is not ax
        assert not ax.has_data()
