"""`augment` of the estimators: what a training sees, and that nothing else does."""

import numpy as np
import pytest

from skreg import ConvClassifier, ConvRegressor
from skreg.neural.engine.image_augmentation import ImageAugmentation

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

rng = np.random.default_rng(0)
X = rng.random((40, 6, 5, 2))
y = np.arange(40) % 3
SMALL = {"conv_layer_sizes": 3, "kernel_size": 3, "hidden_layer_sizes": 4, "max_iter": 3,
         "batch_size": 16, "learning_rate_init": 0.01, "random_state": 0}  # fmt: skip
ALL = {"flip": "both", "shift": 2, "scale": 0.2, "noise": 0.1, "cutout": 2}


def fitted(X=X, y=y, kind=ConvClassifier, **options):
    return kind(**{**SMALL, **options}).fit(X, y)


def equal(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first.coefs_, second.coefs_, strict=True))


@pytest.mark.parametrize("key", ALL)
def test_the_same_random_state_gives_the_same_weights(key):
    augment = {key: ALL[key]}
    model = fitted(augment=augment)
    assert equal(model, fitted(augment=augment))
    assert not equal(model, fitted())
    assert not equal(model, fitted(augment=augment, random_state=1))
    assert model.augment is augment
    assert augment == {key: ALL[key]}


def test_a_dict_that_asks_for_nothing_changes_nothing():
    assert equal(fitted(augment={"flip": None, "shift": 0}), fitted())


@pytest.mark.parametrize("stored", ["last", "first", "table", "bytes"])
def test_training_sees_the_images_that_augmentation_makes(stored, monkeypatch):
    """Mirrored in every batch, whatever X is stored as, they train as mirrored images do."""

    def mirror(self, images, rng):
        images[...] = images[:, :, ::-1].copy()

    def store(images):
        if stored == "bytes":
            return np.round(200 * images).astype(np.uint8)
        images = images.transpose(0, 3, 1, 2) if stored == "first" else images
        return images.reshape(len(images), -1) if stored == "table" else images

    options = {"channels": "first" if stored == "first" else "last", "image_shape": (6, 5, 2)}
    if stored == "first":
        options["image_shape"] = (2, 6, 5)
    expected = fitted(store(X[:, :, ::-1]), **options)
    monkeypatch.setattr(ImageAugmentation, "apply", mirror)
    model = fitted(store(X), augment={"flip": "horizontal"}, **options)
    assert equal(model, expected)


def test_the_images_of_the_user_stay_as_they_are():
    given = X.astype(np.float32)
    kept = given.copy()
    fitted(given, augment=ALL, batch_size=40, shuffle=False)
    np.testing.assert_array_equal(given, kept)


def test_no_prediction_and_no_validation_is_of_changed_images():
    wild = {"noise": 100.0}
    model = fitted(augment=wild, early_stopping=True, validation_fraction=0.5)
    plain = fitted(augment=wild, early_stopping=True, validation_fraction=0.5)
    plain.set_params(augment=None)
    np.testing.assert_array_equal(model.predict_proba(X), plain.predict_proba(X))
    for name in ("loss", "validation_loss"):  # those of noise of this size are far above
        assert np.max(model.history_[name]) < 5 < np.min(model.history_["objective"])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_regressor_has_it_too(dtype):
    target = X.mean(axis=(1, 2, 3))
    model = fitted(y=target, kind=ConvRegressor, augment=ALL, dtype=dtype)
    assert model.coefs_[0].dtype == dtype
    assert np.isfinite(model.predict(X)).all()
    assert not equal(model, fitted(y=target, kind=ConvRegressor, dtype=dtype))


def test_a_training_that_goes_on_draws_on():
    model = fitted(augment=ALL, warm_start=True, max_iter=1)
    for _ in range(2):
        model.fit(X, y)
    whole = fitted(augment=ALL)
    for a, b in zip(model.coefs_, whole.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)


def test_signals_are_moved_along_themselves():
    waves = X.reshape(40, 60)
    model = fitted(waves, image_shape=(1, 60), augment={"shift": 9, "scale": 0.2, "cutout": 5})
    assert np.isfinite(model.predict_proba(waves)).all()


@pytest.mark.parametrize(
    ("augment", "message"),
    [
        ({"flips": "both"}, "augment has no key 'flips'"),
        ({"flip": "left"}, r"augment\['flip'\]"),
        ({"shift": 5}, r"augment\['shift'\] must be a whole number of at least 0 and below 5"),
        ({"scale": -0.1}, r"augment\['scale'\]"),
        ({"noise": "much"}, r"augment\['noise'\]"),
        ({"cutout": 6}, r"augment\['cutout'\] .* below 6"),
        ("flip", "The 'augment' parameter of ConvClassifier must be"),
    ],
)
def test_what_cannot_be_done_is_refused_before_any_work(augment, message):
    model = ConvClassifier(**SMALL, augment=augment)
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)
    assert not hasattr(model, "coefs_")
    assert not hasattr(model, "image_shape_")


def test_lbfgs_refuses_noise():
    model = ConvClassifier(**{**SMALL, "batch_size": "auto"}, solver="lbfgs", augment=ALL)
    with pytest.raises(ValueError, match=r"augment=.* is noise in the objective"):
        model.fit(X, y)
