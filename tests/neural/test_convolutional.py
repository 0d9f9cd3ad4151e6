"""ConvClassifier and ConvRegressor: images of every form, and all that perceptrons do."""

import pickle

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skreg import ConvClassifier, ConvRegressor, RowBlocks, WeightPenalty, to_sklearn
from skreg.neural import conv_base
from skreg.neural.image_input import guessed_shape

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

DIGITS = load_digits()
SMALL = {"conv_layer_sizes": (4, 6), "kernel_size": 3, "hidden_layer_sizes": 8, "random_state": 0}
SMALL |= {"max_iter": 2, "learning_rate_init": 0.01}
IMAGES = np.random.default_rng(0).integers(0, 256, (30, 6, 7, 3), dtype=np.uint8)
LABELS = np.arange(30) % 3


def small(**more):
    return ConvClassifier(**{**SMALL, **more})


def same(one, other):
    for a, b in zip(one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True):
        np.testing.assert_array_equal(a, b)


def test_digits_in_a_pipeline_and_a_search():
    X, y = DIGITS.data[:400], DIGITS.target[:400]
    net = ConvClassifier(8, kernel_size=3, max_iter=10, batch_size=50, random_state=0)
    net.set_params(learning_rate_init=0.02)
    grid = {"convclassifier__pooling": ["max", "average"]}
    search = GridSearchCV(make_pipeline(MinMaxScaler(), net), grid, cv=2).fit(X, y)
    assert search.best_score_ > 0.85
    best = search.best_estimator_[-1]
    assert best.image_shape_ == (8, 8, 1)
    assert [kernel.shape for kernel in best.kernels_] == [(3, 3, 1, 8)]
    on_images = GridSearchCV(net, {"pooling": ["max"]}, cv=2).fit(DIGITS.images[:100] / 16, y[:100])
    assert on_images.predict(DIGITS.images[:3] / 16).shape == (3,)


def test_images_in_every_form_are_the_same_fit():
    floats = (IMAGES / 255.0).astype(np.float32)
    model = small().fit(floats, LABELS)
    assert model.image_shape_ == (6, 7, 3)
    assert model.n_features_in_ == 126
    forms = {
        "table": (floats.reshape(30, -1), {"image_shape": (6, 7, 3)}),
        "list": (floats.tolist(), {}),
        "channels first": (floats.transpose(0, 3, 1, 2), {"channels": "first"}),
        "table, channels first": (
            floats.transpose(0, 3, 1, 2).reshape(30, -1),
            {"channels": "first", "image_shape": (3, 6, 7)},
        ),
        "bytes": (IMAGES, {}),
        "table of bytes": (IMAGES.reshape(30, -1), {"image_shape": [6, 7, 3]}),
    }
    expected = model.predict_proba(floats)
    for name, (X, more) in forms.items():
        again = small(**more).fit(X, LABELS)
        for a, b in zip(again.coefs_, model.coefs_, strict=True):
            np.testing.assert_allclose(a, b, atol=2e-6, err_msg=name)
        np.testing.assert_allclose(again.predict_proba(X), expected, atol=1e-5, err_msg=name)
    # What was fitted to one form predicts the others.
    np.testing.assert_allclose(model.predict_proba(IMAGES), expected, atol=1e-6)
    np.testing.assert_allclose(model.predict_proba(IMAGES.reshape(30, -1)), expected, atol=1e-6)


def test_bytes_in_the_place_of_larger_numbers_are_told():
    numbers = IMAGES.astype(np.float32)
    of_bytes, of_numbers = small().fit(IMAGES, LABELS), small().fit(numbers, LABELS)
    of_bytes.predict(numbers / 255)
    small().fit(numbers / 255, LABELS).predict(IMAGES)
    with pytest.warns(UserWarning, match="X has numbers up to 255, where .* fitted to bytes"):
        of_bytes.predict(numbers)
    with pytest.warns(UserWarning, match="X has bytes, .* was fitted to numbers up to 255"):
        of_numbers.predict(IMAGES)
    with pytest.warns(UserWarning, match="X_val has bytes, .* was fitted to numbers up to 255"):
        small().fit(numbers, LABELS, X_val=IMAGES, y_val=LABELS)


def test_bytes_are_never_made_numbers_as_a_whole(monkeypatch):
    sizes = []
    inner = conv_base.BaseMLP._check_Xy

    def seen(self, *args, **options):
        X, y = inner(self, *args, **options)
        sizes.append(X.dtype)
        return X, y

    monkeypatch.setattr(conv_base.BaseMLP, "_check_Xy", seen)
    pd = pytest.importorskip("pandas")
    small(early_stopping=True, validation_fraction=0.2).fit(IMAGES, LABELS)
    small(solver="lbfgs").fit(IMAGES, LABELS, X_val=IMAGES[:5] / 255.0, y_val=LABELS[:5])
    small().partial_fit(pd.DataFrame(IMAGES.reshape(30, -1)), LABELS, classes=[0, 1, 2])
    assert sizes == ["uint8", "uint8", "float32", "uint8"]


def test_a_table_is_a_square_image_or_a_signal():
    assert guessed_shape(784) == (28, 28, 1)
    assert guessed_shape(3072) == (32, 32, 3)
    assert guessed_shape(12) == (2, 2, 3)
    assert guessed_shape(10) == (1, 10, 1)
    assert [guessed_shape(n) for n in (1, 2, 3)] == [(1, 1, 1), (1, 2, 1), (1, 3, 1)]
    assert ConvRegressor(2, max_iter=1).fit(IMAGES[..., 0], LABELS).image_shape_ == (6, 7, 1)


REFUSED = [
    ({"image_shape": (5, 5)}, "X has 126 features, where image_shape=(5, 5) asks for 25"),
    ({"image_shape": (5,)}, "image_shape must be (rows, columns) or (rows, columns, channels)"),
    ({"image_shape": (6, 7, -3)}, "image_shape must be"),
    ({"image_shape": (3, 6, True), "channels": "first"}, "(channels, rows, columns)"),
    ({"conv_layer_sizes": ()}, "conv_layer_sizes must have a layer"),
    ({"conv_layer_sizes": (4, 0)}, "conv_layer_sizes must be > 0"),
    ({"kernel_size": (3, 3, 3)}, "kernel_size must be a number, or rows and columns"),
    ({"pool_size": (2, -1)}, "pool_size must be > 0"),
    ({"dropout": [0.5, 0.5]}, "dropout has 2 values where there are 3"),
    ({"alpha": [0.5, 0.5, 0.1]}, "alpha has 3 values where there are 4"),
    ({"augment": {"turn": 3}}, "augment has no key 'turn'"),
    ({"augment": {"shift": 1}, "solver": "lbfgs"}, "augment={'shift': 1} is noise"),
]


@pytest.mark.parametrize(("more", "message"), REFUSED)
def test_what_is_refused(more, message):
    with pytest.raises(ValueError) as error:
        small(**more).fit(IMAGES.reshape(30, -1), LABELS)
    assert message in str(error.value)


def test_blocks_are_refused_and_maps_are_taken(tmp_path):
    with pytest.raises(TypeError, match="ConvClassifier takes images in memory"):
        small().fit(RowBlocks([(IMAGES.reshape(30, -1), LABELS)]))
    stored = np.memmap(tmp_path / "images", np.uint8, "w+", shape=IMAGES.shape)
    stored[...] = IMAGES
    same(small().fit(stored, LABELS), small().fit(IMAGES, LABELS))


def test_images_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="X has images of 6 rows, 7 columns and 3 channels, where"):
        small(image_shape=(7, 6, 3)).fit(IMAGES, LABELS)
    model = small(warm_start=True).fit(IMAGES, LABELS)
    turned = IMAGES.transpose(0, 2, 1, 3)
    for call in (model.predict, lambda X: model.fit(X, LABELS)):
        with pytest.raises(ValueError, match="X has images of 7 rows, 6 columns and 3 channels"):
            call(turned)
    with pytest.raises(ValueError, match="X_val has images of 6 rows, 7 columns and 1 channel,"):
        small().fit(IMAGES, LABELS, X_val=IMAGES[..., :1], y_val=LABELS)
    message = "expecting 126 features as input, or images of 6 rows, 7 columns and 3 channels"
    with pytest.raises(ValueError, match=f"X has 7 features, but ConvClassifier is {message}"):
        model.predict(IMAGES[0, :, :, 0])
    with pytest.raises(ValueError, match=f"X_val has 12 features, but ConvClassifier is {message}"):
        small().fit(IMAGES, LABELS, X_val=np.zeros((30, 12)), y_val=LABELS)
    with pytest.raises(ValueError, match="asks for 7 rows"):
        model.set_params(image_shape=(7, 6, 3)).fit(IMAGES, LABELS)
    with pytest.raises(ValueError, match=r"X has 5 dimensions, where .*\(n, h, w, c\)"):
        model.predict(np.zeros((2, 2, 2, 2, 2)))
    with pytest.raises(ValueError, match="weights of the fitted network have shapes"):
        model.set_params(image_shape=None, kernel_size=2).fit(IMAGES, LABELS)


def test_channels_that_are_set_after_the_fit_are_of_the_next_one():
    model = small().fit(IMAGES, LABELS)
    before = model.predict_proba(IMAGES)
    np.testing.assert_array_equal(model.set_params(channels="first").predict_proba(IMAGES), before)
    assert model.fit(IMAGES.transpose(0, 3, 1, 2), LABELS).image_shape_ == (6, 7, 3)


AT = (3, 2, 5, 1)  # image, row, column, channel
BAD_PIXELS = [
    ("last", AT, "image 3 of X, row 2, column 5, channel 1."),
    ("last", AT[:3], "image 3 of X, row 2, column 5."),
    ("first", (3, 1, 2, 5), "image 3 of X, channel 1, row 2, column 5."),
]


@pytest.mark.parametrize(("channels", "at", "place"), BAD_PIXELS)
@pytest.mark.parametrize("value", [np.nan, -np.inf, 1e300, np.ma.masked], ids=str)
def test_a_bad_pixel_is_named_by_the_axes_of_the_images(channels, at, place, value):
    images = IMAGES / 255.0 if len(at) == 4 else IMAGES[..., 0] / 255.0
    images = np.ma.array(images.transpose(0, 3, 1, 2) if channels == "first" else images)
    bad = images.copy()
    bad[at] = value
    images, bad = (each if value is np.ma.masked else each.filled() for each in (images, bad))
    model = small(channels=channels).fit(images, LABELS)
    place = place.replace(".", ": fill them") if value is np.ma.masked else place
    for call in (model.predict, lambda X: model.fit(X, LABELS)):
        with pytest.raises(ValueError, match=place):
            call(bad)
    with pytest.raises(ValueError, match=place.replace("of X", "of X_val")):
        model.fit(images, LABELS, X_val=bad, y_val=LABELS)
    model.predict(images)


def test_a_bad_pixel_of_a_table_is_named_by_its_column():
    bad = IMAGES.reshape(30, -1) / 255.0
    bad[3, 50] = np.nan
    with pytest.raises(ValueError, match="row 3 of X, column 50"):
        small(image_shape=(6, 7, 3)).fit(bad, LABELS)


def test_images_of_several_shapes_are_refused_by_number():
    images = list(IMAGES / 255.0)
    model = small().fit(images, LABELS)
    images[4] = images[4][:, :5]
    together = np.empty(30, dtype=object)
    together[:] = images
    message = r"image 4 of X has shape \(6, 5, 3\), where image 0 has \(6, 7, 3\): bring all"
    for ragged in (images, together, [image.tolist() for image in images]):
        for call in (model.predict, lambda X: small().fit(X, LABELS)):
            with pytest.raises(ValueError, match=message):
                call(ragged)
    with pytest.raises(ValueError, match="image 4 of X_val has shape"):
        model.fit(IMAGES / 255.0, LABELS, X_val=images, y_val=LABELS)
    images[1] = [[1.0, 2.0], [3.0]]
    with pytest.raises(ValueError, match="image 1 of X has rows of several lengths"):
        model.predict(images)


def test_kernels_are_not_taken_for_others_of_as_many_entries():
    model = small(conv_layer_sizes=4, warm_start=True).fit(IMAGES, LABELS)
    model.set_params(kernel_size=(1, 9))
    for call in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match="kernels or windows of other shapes"):
            call(IMAGES, LABELS)
    assert model.kernels_[0].shape == (3, 3, 3, 4)
    model.set_params(warm_start=False).fit(IMAGES, LABELS)
    assert model.kernels_[0].shape == (1, 9, 3, 4)


def test_kernels_are_views_of_the_matrices():
    model = small().fit(IMAGES, LABELS)
    assert [kernel.shape for kernel in model.kernels_] == [(3, 3, 3, 4), (3, 3, 4, 6)]
    assert all(np.shares_memory(k, c) for k, c in zip(model.kernels_, model.coefs_, strict=False))
    assert [len(bias) for bias in model.intercepts_] == [4, 6, 8, 3]
    assert model.n_layers_ == 5


def test_hidden_activations_and_samples():
    model = small(dropout=0.3).fit(IMAGES, LABELS)
    shapes = [layer.shape for layer in model.hidden_activations(IMAGES)]
    assert shapes == [(30, 3, 3, 4), (30, 1, 1, 6), (30, 8)]
    samples = model.predict_samples(IMAGES, n_samples=3, random_state=0)
    assert samples.shape == (3, 30, 3)
    assert np.abs(samples[0] - samples[1]).max() > 1e-3


def test_many_images_are_predicted_as_few_are(monkeypatch):
    model = small().fit(IMAGES, LABELS)
    few, hidden = model.predict_proba(IMAGES / 255.0), model.hidden_activations(IMAGES)
    monkeypatch.setattr(conv_base, "MOST_ALIKE", 0)
    np.testing.assert_allclose(model.predict_proba(IMAGES / 255.0), few, atol=1e-6)
    for a, b in zip(model.hidden_activations(IMAGES), hidden, strict=True):
        assert a.dtype == b.dtype == np.float32
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_training_goes_on_where_it_stopped():
    options = {"batch_size": 10, "augment": {"flip": "horizontal", "shift": 1}, "mixup": 0.2}
    whole = small(**options, max_iter=4).fit(IMAGES, LABELS)
    model = small(**options, warm_start=True).fit(IMAGES, LABELS)
    same(pickle.loads(pickle.dumps(model)).fit(IMAGES, LABELS), whole)
    same(model.fit(IMAGES, LABELS), whole)
    twice = small(**options)
    for _ in range(4):
        twice.partial_fit(IMAGES, LABELS, classes=[0, 1, 2])
    assert twice.t_ == 120
    np.testing.assert_allclose(twice.kernels_[0], whole.kernels_[0], atol=1e-6)


def test_augmentation_changes_what_is_trained_on_and_never_x():
    before = IMAGES.copy()
    plain = small().fit(IMAGES, LABELS)
    for channels, X in (("last", IMAGES), ("first", IMAGES.transpose(0, 3, 1, 2))):
        model = small(augment={"flip": "both", "cutout": 2}, channels=channels).fit(X, LABELS)
        assert np.abs(model.coefs_[0] - plain.coefs_[0]).max() > 1e-4
        np.testing.assert_array_equal(IMAGES, before)


def test_ctrl_c_keeps_the_best_weights_so_far():
    class Interrupting:
        def on_epoch_end(self, model, epoch, history):
            if epoch == 1:
                raise KeyboardInterrupt

    model = small(callbacks=[Interrupting()], max_iter=9)
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(IMAGES, LABELS)
    assert model.predict(IMAGES).shape == (30,)
    assert len(model.loss_curve_) < 9


def test_penalties_and_bounds_see_kernels_as_matrices():
    shapes = []

    class Watching(WeightPenalty):
        def value(self, W):
            shapes.append(W.shape)
            return 0.0

        def gradient(self, W, out):
            pass

    small(penalty=Watching()).fit(IMAGES, LABELS)
    assert set(shapes) == {(27, 4), (36, 6), (6, 8), (8, 3)}
    sparse = small(penalty=["l1", None, None, None], alpha=0.1, max_iter=20).fit(IMAGES, LABELS)
    assert sparse.sparsity_[0] > 0.5 > sparse.sparsity_[1:].max()
    bound = small(max_norm=0.3).fit(IMAGES, LABELS)
    for coef in bound.coefs_:
        assert np.linalg.norm(coef, axis=0).max() <= 0.3 * (1 + 1e-6)
    bound = small(spectral_norm=0.5).fit(IMAGES, LABELS)
    for coef in bound.coefs_:
        assert np.linalg.norm(coef, 2) <= 0.5 * (1 + 1e-6)


@pytest.mark.parametrize(
    "more",
    [
        {"normalization": "batch", "dropout": [0.1, 0.2, 0.5], "input_dropout": 0.1},
        {"normalization": "layer", "pooling": "average", "label_smoothing": 0.1},
        {"adversarial_eps": 0.01, "input_noise": 0.1, "channels": "first"},
        {"early_stopping": True, "validation_fraction": 0.2, "dtype": "float64"},
        {"pool_size": (9, 1), "kernel_size": (1, 5), "hidden_layer_sizes": ()},
        {"solver": "lbfgs", "penalty": "elasticnet", "activation": "tanh"},
    ],
)
def test_every_way_to_train_learns(more):
    """A bright spot on the left or on the right, which is nothing to a mean over all pixels."""
    random = np.random.default_rng(0)
    X, y = random.normal(size=(60, 6, 8)) * 0.3, np.arange(60) % 2
    X[np.arange(60), random.integers(0, 6, 60), np.where(y, 6, 1)] += 3.0
    options = {**SMALL, "max_iter": 60, "learning_rate_init": 0.03, **more}
    images = X[:, None] if more.get("channels") == "first" else X
    assert ConvClassifier(**options).fit(images, y).score(images, y) > 0.9


def test_several_targets_and_other_losses():
    X = IMAGES[..., 0] / 255.0
    Y = np.column_stack([X.mean(axis=(1, 2)), X[:, 0, 0]])
    model = ConvRegressor(**{**SMALL, "max_iter": 150}, loss="huber").fit(X, Y)
    assert model.predict(X).shape == (30, 2)
    assert model.score(X, Y) > 0.2


def test_scikit_learn_has_no_counterpart():
    with pytest.raises(ValueError, match="no convolutional networks"):
        to_sklearn(small().fit(IMAGES, LABELS))
