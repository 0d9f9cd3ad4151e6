"""Histograms of weights: every weight but the exact zeros is in a bar, and those are told."""

import itertools
import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import neural_network
from sklearn.datasets import load_digits
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

from skreg import MLPClassifier, WeightHistogramDisplay

mpl = pytest.importorskip("matplotlib")
mpl.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = load_digits(return_X_y=True)
X, y = X[:300] / 16, y[:300]
NET = {"hidden_layer_sizes": (20, 10), "max_iter": 30, "random_state": 0, "alpha": 5e-3}


@pytest.fixture(scope="module")
def models():
    return {
        name: MLPClassifier(penalty=penalty, **NET).fit(X, y)
        for name, penalty in [("no penalty", None), ("L1", "l1"), ("L2", "l2")]
    }


def column_axes():
    return plt.figure(figsize=(3.5, 2.7), layout="constrained").add_subplot()


def legend(display, layer=0):
    return [text.get_text() for text in display.legends_[layer].get_texts()]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bars_count_the_weights_that_are_not_zero(dtype):
    model = MLPClassifier(penalty="l1", dtype=dtype, **NET).fit(X, y)
    display = WeightHistogramDisplay.from_estimator(model)
    assert len(display.axes_) == 3
    assert_array_equal(display.zero_shares_, [model.sparsity_])
    assert (model.sparsity_ > 0).all()
    for layer, coef in enumerate(model.coefs_):
        (bars,) = display.bars_[layer]
        edges = display.edges_[layer]
        weights = coef[coef != 0].astype(float)
        assert_array_equal(bars.get_data()[1], edges)
        assert_array_equal(bars.get_data()[0], np.histogram(weights, edges)[0])
        assert bars.get_data()[0].sum() == np.count_nonzero(coef)
        assert edges[-1] == -edges[0] == np.abs(weights).max()
        assert legend(display, layer) == [f"{100 * model.sparsity_[layer]:.1f}% exactly zero"]
        assert display.axes_[layer].get_xlabel() == f"weight, layer {layer + 1}"


def test_several_networks_have_the_same_bins(models):
    display = WeightHistogramDisplay.from_estimator(models)
    for layer, edges in enumerate(display.edges_):
        coefs = [model.coefs_[layer] for model in models.values()]
        assert edges[-1] == max(np.abs(coef).max() for coef in coefs)
        for bars, coef in zip(display.bars_[layer], coefs, strict=True):
            assert_array_equal(bars.get_data()[1], edges)
            assert_array_equal(bars.get_data()[0], np.histogram(coef[coef != 0], edges)[0])
    zero = models["L1"].sparsity_[0]
    assert legend(display) == ["no penalty", f"L1, {100 * zero:.1f}% exactly zero", "L2"]
    styles = {(bars.get_fill(), str(bars.get_linestyle())) for bars in display.bars_[0]}
    assert len(styles) == 3  # apart in grey, too


def test_a_list_may_have_labels(models):
    listed = list(models.values())
    display = WeightHistogramDisplay.from_estimator(listed, labels=["a", "b", "c"])
    assert [text.split(",")[0] for text in legend(display)] == ["a", "b", "c"]
    display = WeightHistogramDisplay.from_estimator(listed[:1])
    assert display.legends_ == [None] * 3
    display = WeightHistogramDisplay(models["L2"].coefs_).plot()
    assert display.zero_shares_.shape == (1, 3)


@pytest.mark.parametrize(
    ("share", "said"),
    [(0.0, None), (1 / 20_000, "< 0.1%"), (0.25, "25.0%"), (0.99995, "> 99.9%"), (1.0, "100.0%")],
)
def test_a_share_is_rounded_neither_to_nothing_nor_to_all(share, said):
    weights = np.ones(20_000)
    weights[: round(share * 20_000)] = 0
    display = WeightHistogramDisplay([weights.reshape(100, 200)]).plot()
    assert display.zero_shares_[0, 0] == share
    if said is None:
        assert display.legends_ == [None]
    else:
        assert legend(display) == [f"{said} exactly zero"]
    display.figure_.canvas.draw()


def test_density_is_of_all_weights(models):
    display = WeightHistogramDisplay.from_estimator(models, stat="density", bins=10)
    for layer, edges in enumerate(display.edges_):
        for place, bars in enumerate(display.bars_[layer]):
            area = np.sum(bars.get_data()[0] * np.diff(edges))
            assert_allclose(area, 1 - display.zero_shares_[place, layer])
    assert len(edges) == 11
    assert display.ax_.get_ylabel() == "share of weights per unit"


def test_some_layers_and_axes_of_ones_own(models):
    before = dict(mpl.rcParams)
    ax = column_axes()
    display = WeightHistogramDisplay.from_estimator(models, layers=[-1], ax=ax)
    assert display.ax_ is ax
    assert display.axes_ == [ax]
    assert ax.get_xlabel() == "weight, layer 3"
    ax = column_axes()
    display = WeightHistogramDisplay.from_estimator(models, ax=ax)
    assert ax.get_xlabel() == "weight, 3 layers"
    for bars, model in zip(display.bars_[0], models.values(), strict=True):
        assert bars.get_data()[0].sum() == sum(np.count_nonzero(coef) for coef in model.coefs_)
    sizes = np.array([coef.size for coef in models["L1"].coefs_])
    assert_allclose(display.zero_shares_[1, 0], models["L1"].sparsity_ @ sizes / sizes.sum())
    _, axes = plt.subplots(1, 2, layout="constrained")
    display = WeightHistogramDisplay.from_estimator(models, layers=[0, 2], ax=axes)
    assert display.axes_ == list(axes)
    pickle.loads(pickle.dumps(display.figure_)).canvas.draw()
    assert dict(mpl.rcParams) == before


def test_the_legend_is_above_the_bars(models):
    display = WeightHistogramDisplay.from_estimator(models, layers=[0], ax=column_axes())
    display.figure_.canvas.draw()
    bottom = display.legends_[0].get_window_extent().y0
    tallest = max(bars.get_data()[0].max() for bars in display.bars_[0])
    assert display.ax_.transData.transform((0, tallest))[1] < bottom + 1
    assert display.legends_[0].get_window_extent().x1 <= display.figure_.bbox.x1


def test_ticks_leave_room_for_their_labels(models):
    figure, axes = plt.subplots(1, 2, figsize=(5, 2.5), layout="constrained")
    display = WeightHistogramDisplay.from_estimator(models, layers=[0, 1], ax=axes)
    figure.canvas.draw()
    for ax in display.axes_:
        boxes = [label.get_window_extent() for label in ax.get_xticklabels()]
        assert len(boxes) >= 3
        for first, second in itertools.pairwise(boxes):
            assert first.x1 < second.x0


def test_axes_that_share_their_heights_show_every_bar(models):
    _, axes = plt.subplots(1, 3, sharey=True)
    shown = [
        WeightHistogramDisplay.from_estimator(model, layers=[0], ax=ax)
        for ax, model in zip(axes, models.values(), strict=True)
    ]
    tallest = max(display.bars_[0][0].get_data()[0].max() for display in shown)
    assert axes[0].get_ylim()[0] == 0
    assert axes[0].get_ylim()[1] > tallest


def test_scikit_learns_networks_are_taken():
    theirs = neural_network.MLPClassifier(20, max_iter=3, random_state=0).fit(X, y)
    display = WeightHistogramDisplay.from_estimator(theirs)
    assert display.bars_[0][0].get_data()[0].sum() == theirs.coefs_[0].size


def test_kwargs_override_only_the_keys_they_name(models):
    plain = WeightHistogramDisplay.from_estimator(models)
    display = WeightHistogramDisplay.from_estimator(
        models,
        bar_kwargs={"facecolor": (1, 0, 0)},
        other_bar_kwargs={"lw": 3},
        legend_kwargs={"title": "penalty"},
    )
    first, second = display.bars_[0][:2]
    assert first.get_facecolor()[:3] == (1, 0, 0)
    assert first.get_alpha() == plain.bars_[0][0].get_alpha()
    assert second.get_linewidth() == 3
    assert second.get_edgecolor() == plain.bars_[0][1].get_edgecolor()
    assert display.legends_[0].get_title().get_text() == "penalty"
    assert legend(display) == legend(plain)


def test_what_cannot_be_drawn_is_refused(models):
    draw = WeightHistogramDisplay.from_estimator
    with pytest.raises(AttributeError, match="MLPClassifier has no coefs_: call fit first"):
        draw([models["L1"], MLPClassifier()])
    with pytest.raises(AttributeError, match="it is no multilayer perceptron"):
        draw(LinearRegression().fit(X, y))
    with pytest.raises(AttributeError, match=r"pipeline\[-1\]"):
        draw(make_pipeline(models["L1"]))
    one = np.ones((2, 2))
    for coefs, message in [
        ([], "there are no weights"),
        ([[]], "there are no weights"),
        ([one, np.ones(3)], "matrices of finite numbers"),
        ([one * np.nan], "matrices of finite numbers"),
        ([[one], [one, one]], r"different numbers of layers: \[1, 2\]"),
    ]:
        with pytest.raises(ValueError, match=message):
            WeightHistogramDisplay(coefs).plot()
    plain = WeightHistogramDisplay([one, one], labels=["a"])
    for options, message in [
        ({"layers": [2]}, "layer 2 is out of range: there are 2 weight matrices"),
        ({"layers": []}, "layers is empty"),
        ({"bins": 0}, "bins must be at least 1"),
        ({"stat": "share"}, "stat='share' is unknown"),
    ]:
        with pytest.raises(ValueError, match=message):
            plain.plot(**options)
    with pytest.raises(ValueError, match="2 labels for 1 networks"):
        WeightHistogramDisplay([one], labels=["a", "b"]).plot()
    assert not plt.get_fignums()
    _, axes = plt.subplots(3)
    with pytest.raises(ValueError, match="3 axes are given for 2 layers"):
        plain.plot(axes)
