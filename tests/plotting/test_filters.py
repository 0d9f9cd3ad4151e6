"""Filters as pictures: every weight is in one, on a scale that all share."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import neural_network
from sklearn.datasets import load_digits
from sklearn.linear_model import LinearRegression

from skreg import ConvClassifier, FilterDisplay, MLPClassifier

mpl = pytest.importorskip("matplotlib")
mpl.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = load_digits(return_X_y=True)
X, y = X[:200] / 16, y[:200]


@pytest.fixture(scope="module")
def model():
    return MLPClassifier(12, max_iter=2, random_state=0).fit(X, y)


def kernel(height=5, width=4, n_channels=1, n_filters=6):
    return np.random.default_rng(0).normal(size=(height, width, n_channels, n_filters))


def column_axes():
    return plt.figure(figsize=(3.5, 2.7), layout="constrained").add_subplot()


def test_a_filter_of_one_channel_is_its_weights():
    weights = kernel()
    display = FilterDisplay(weights).plot()
    largest = np.abs(weights).max()
    assert len(display.images_) == 6
    for index, image in enumerate(display.images_):
        assert_array_equal(image.get_array(), weights[:, :, 0, index])
        assert (image.norm.vmin, image.norm.vmax) == (-largest, largest)
        assert_allclose(image.cmap(image.norm(0.0)), 1.0, atol=0.01)  # white
        left, right, bottom, top = image.get_extent()
        assert (right - left, bottom - top) == pytest.approx((4, 5))  # square pixels
        assert_allclose(display.frames_.get_segments()[index][0], (left, top))
    assert [text.get_text() for text in display.numbers_] == list("012345")
    assert display.colorbar_.vmax == -display.colorbar_.vmin == largest
    assert display.colorbar_.ax.get_ylabel() == "weight"


def test_three_channels_are_red_green_and_blue_about_grey():
    weights = kernel(n_channels=3)
    display = FilterDisplay(weights).plot()
    largest = np.abs(weights).max()
    for index, image in enumerate(display.images_):
        assert image.get_array().shape == (5, 4, 3)
        assert_allclose((2 * image.get_array() - 1) * largest, weights[..., index], atol=1e-15)
    assert display.colorbar_.ax.get_ylabel() == "weight in each of red, green and blue"
    assert display.colorbar_.vmax == largest
    assert_allclose(display.colorbar_.cmap(0.5)[:3], 0.5, atol=0.01)


def test_other_channels_stand_side_by_side():
    weights = kernel(n_channels=2)
    display = FilterDisplay(weights).plot()
    for index, image in enumerate(display.images_):
        assert_array_equal(image.get_array(), np.hstack([weights[:, :, c, index] for c in (0, 1)]))
    assert len(display.frames_.get_segments()) == 12


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_units_of_a_perceptron_are_images_of_its_features(dtype):
    net = MLPClassifier(12, max_iter=2, random_state=0, dtype=dtype).fit(X, y)
    display = FilterDisplay.from_estimator(net)
    for index, image in enumerate(display.images_):
        assert_array_equal(image.get_array(), net.coefs_[0][:, index].reshape(8, 8))
    display = FilterDisplay.from_estimator(net, image_shape=(4, 16), ax=column_axes())
    assert_array_equal(display.images_[3].get_array(), net.coefs_[0][:, 3].reshape(4, 16))
    display = FilterDisplay.from_estimator(net, image_shape=(4, 8, 2))
    expected = net.coefs_[0][:, 3].reshape(4, 8, 2).transpose(0, 2, 1).reshape(4, 16)
    assert_array_equal(display.images_[3].get_array(), expected)


@pytest.mark.parametrize(("channels", "shape"), [("last", (4, 4, 4)), ("first", (3, 5, 4))])
def test_kernels_of_a_convolution_are_those_of_the_first_layer(channels, shape):
    images = X[:, : np.prod(shape)].reshape(-1, *shape)
    net = ConvClassifier((5, 4), kernel_size=3, channels=channels, max_iter=1, random_state=0)
    display = FilterDisplay.from_estimator(net.fit(images, y))
    with pytest.raises(ValueError, match="image_shape is that of a multilayer perceptron"):
        FilterDisplay.from_estimator(net, image_shape=(4, 4))
    kernels = net.kernels_[0]
    assert kernels.shape == (3, 3, 4 if channels == "last" else 3, 5)
    for index, image in enumerate(display.images_):
        if channels == "last":  # four of them, side by side
            expected = kernels[..., index].transpose(0, 2, 1).reshape(3, 12)
        else:
            expected = 0.5 + 0.5 * kernels[..., index] / np.abs(kernels).max()
        assert_allclose(image.get_array(), expected, rtol=1e-6)


def test_scikit_learns_networks_are_shown_too():
    theirs = neural_network.MLPClassifier(12, max_iter=3, random_state=0).fit(X, y)
    display = FilterDisplay.from_estimator(theirs)
    assert_array_equal(display.images_[0].get_array(), theirs.coefs_[0][:, 0].reshape(8, 8))


def test_weights_of_zero_have_a_scale():
    display = FilterDisplay(np.zeros((3, 3, 1, 2))).plot()
    assert display.colorbar_.vmax == 1.0
    display.figure_.canvas.draw()


def test_some_filters_in_the_order_asked_for():
    weights = kernel(n_filters=80)
    display = FilterDisplay(weights).plot()
    assert len(display.images_) == 64
    assert display.ax_.get_xlabel() == "first 64 of 80"
    display = FilterDisplay(weights).plot(filters=[70, 3])
    assert [text.get_text() for text in display.numbers_] == ["70", "3"]
    assert_array_equal(display.images_[0].get_array(), weights[:, :, 0, 70])
    assert display.colorbar_.vmax == np.abs(weights[..., [70, 3]]).max()
    assert display.ax_.get_xlabel() == ""


@pytest.mark.parametrize(("n_filters", "shape"), [(32, (5, 5)), (64, (28, 28)), (20, (1, 9))])
def test_pictures_and_numbers_have_their_own_places_in_one_column(n_filters, shape):
    before = dict(mpl.rcParams)
    ax = column_axes()
    display = FilterDisplay(kernel(*shape, n_filters=n_filters)).plot(ax)
    assert display.ax_ is ax
    display.figure_.canvas.draw()
    numbers = [text.get_window_extent() for text in display.numbers_]
    pictures = [image.get_window_extent() for image in display.images_]
    for index, (number, picture) in enumerate(zip(numbers, pictures, strict=True)):
        assert number.y0 >= picture.y1 - 1
        for other in numbers[:index]:
            assert not number.overlaps(other)
        for other in pictures:
            inner = [other.x0 + 1, other.y0 + 1, other.x1 - 1, other.y1 - 1]
            assert not number.overlaps(mpl.transforms.Bbox.from_extents(*inner))
        assert picture.x1 < display.colorbar_.ax.get_window_extent().x0
    assert all(text.get_fontsize() >= 6 for text in display.numbers_)
    assert dict(mpl.rcParams) == before
    pickle.loads(pickle.dumps(display.figure_)).canvas.draw()


def test_columns_and_styles_of_ones_own():
    display = FilterDisplay(kernel()).plot(
        n_columns=2,
        image_kwargs={"cmap": "gray"},
        number_kwargs={"color": "red"},
        colorbar_kwargs={"orientation": "horizontal"},
    )
    lefts = {image.get_extent()[0] for image in display.images_}
    assert len(lefts) == 2
    assert display.images_[0].cmap.name == "gray"
    assert display.numbers_[0].get_color() == "red"
    assert display.colorbar_.orientation == "horizontal"


def test_what_cannot_be_drawn_is_refused(model):
    draw = FilterDisplay.from_estimator
    with pytest.raises(AttributeError, match="MLPClassifier has no coefs_: call fit first"):
        draw(MLPClassifier())
    with pytest.raises(AttributeError, match="ConvClassifier has no kernels_: call fit first"):
        draw(ConvClassifier())
    with pytest.raises(AttributeError, match="it is no multilayer perceptron"):
        draw(LinearRegression().fit(X, y))
    with pytest.raises(ValueError, match=r"image_shape=\(8, 9\) does not hold 64 features"):
        draw(model, image_shape=(8, 9))
    for shape in ((8.0, 8), (-8, -8), 64, "88"):
        with pytest.raises(ValueError, match="does not hold 64 features"):
            draw(model, image_shape=shape)
    other = MLPClassifier(3, max_iter=1).fit(X[:, :50], y)
    with pytest.raises(ValueError, match="50 features are no square image: give"):
        draw(other)
    for weights in (np.ones((3, 3)), np.full((2, 2, 1, 1), np.nan), np.ones((2, 2, 0, 1))):
        with pytest.raises(ValueError, match="kernel must be finite numbers of shape"):
            FilterDisplay(weights).plot()
    plain = FilterDisplay(kernel())
    for options, message in [
        ({"filters": [6]}, "filter 6 is out of range: there are 6 filters"),
        ({"filters": [0, 0.5]}, "filter 0.5 is out of range"),
        ({"filters": []}, "filters is empty"),
        ({"filters": 6}, "filter 6 is out of range"),
        ({"n_columns": 0}, "n_columns must be at least 1"),
        ({"max_filters": 0}, "max_filters must be at least 1"),
    ]:
        with pytest.raises(ValueError, match=message):
            plain.plot(**options)
    assert not plt.get_fignums()
