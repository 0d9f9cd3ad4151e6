"""Changes of images by hand: what is drawn, and where each pixel is read."""

import numpy as np
import pytest

from skreg.neural.engine.image_augmentation import ImageAugmentation, read_at

SHAPES = [(5, 6, 9, 3), (4, 7, 4, 1), (6, 1, 8, 2), (3, 1, 1, 1)]
ALL = {"flip": "both", "shift": 2, "scale": 0.3, "noise": 0.1, "cutout": 3}


def rng(seed=0):
    return np.random.Generator(np.random.SFC64(seed))


def images_of(shape, dtype=np.float64):
    return rng(1).random(shape, dtype=dtype)


def changed(images, seed=0, **augment):
    images = images.copy()
    augmentation = ImageAugmentation.checked(augment, images.shape[1:3])
    augmentation.apply(images, rng(seed))
    return images


def at(images, rows=None, columns=None):
    n_images, height, width, _ = images.shape
    rows = np.arange(height) if rows is None else rows
    columns = np.arange(width) if columns is None else columns
    return read_at(images, *(np.tile(one, (n_images, 1)).astype(float) for one in (rows, columns)))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_images_read_where_they_are_stay_bit_for_bit(shape, dtype):
    images = images_of(shape, dtype)
    read = at(images)
    assert read.dtype == dtype
    np.testing.assert_array_equal(read, images)


@pytest.mark.parametrize("shape", SHAPES)
def test_positions_backwards_are_a_flip(shape):
    images = images_of(shape)
    np.testing.assert_array_equal(at(images, columns=np.arange(shape[2])[::-1]), images[:, :, ::-1])
    np.testing.assert_array_equal(at(images, rows=np.arange(shape[1])[::-1]), images[:, ::-1])


def test_between_pixels_both_count_by_nearness_and_outside_the_nearest_does():
    line = np.array([1.0, 3.0, 7.0])
    expected = [1.0, 1.0, 1.5, 3.0, 5.0, 7.0, 7.0]
    where = [-2.0, 0.0, 0.25, 1.0, 1.5, 2.0, 4.5]
    columns = at(line.reshape(1, 1, 3, 1), columns=np.array(where))
    np.testing.assert_allclose(columns.ravel(), expected, rtol=1e-15)
    rows = at(line.reshape(1, 3, 1, 1), rows=np.array(where))
    np.testing.assert_allclose(rows.ravel(), expected, rtol=1e-15)


def test_an_image_is_read_bilinearly():
    """A plane is itself between its pixels, channel by channel."""
    row, column = np.mgrid[:6.0, :8.0]
    images = np.stack([row + 10 * column, 2 * row - column], axis=2)[None]
    rows, columns = np.array([[0.5, 2.25, 4.75]]), np.array([[0.0, 3.5, 6.1, 6.9]])
    expected_row, expected_column = rows[0][:, None], columns[0]
    expected = np.stack(
        [expected_row + 10 * expected_column, 2 * expected_row - expected_column], axis=2
    )
    np.testing.assert_allclose(read_at(images, rows, columns)[0], expected, atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("flip", ["horizontal", "vertical", "both"])
def test_each_image_is_flipped_or_not(shape, flip):
    images = np.repeat(images_of(shape), 40, axis=0)
    done = changed(images, flip=flip)
    ways = {(1, 1)}
    ways |= {(1, -1)} if flip != "vertical" else set()
    ways |= {(-1, 1)} if flip != "horizontal" else set()
    ways |= {(-1, -1)} if flip == "both" else set()
    seen = dict.fromkeys(ways, 0)
    for image, result in zip(images, done, strict=True):
        matching = [way for way in ways if np.array_equal(result, image[:: way[0], :: way[1]])]
        assert matching
        for way in matching:
            seen[way] += 1
    for count in seen.values():  # of at least 120 images 1 in 2 or 4, far from all and from none
        assert count > len(images) // 8


def test_an_image_is_moved_by_whole_pixels_and_its_edge_repeated():
    images = images_of((400, 5, 6, 2))
    done = changed(images, shift=2)
    padded = np.pad(images, [(0, 0), (2, 2), (2, 2), (0, 0)], mode="edge")
    seen = set()
    for image, result in zip(padded, done, strict=True):
        (move,) = (
            (2 - top, 2 - left)
            for top in range(5)
            for left in range(5)
            if np.array_equal(result, image[top : top + 5, left : left + 6])
        )
        seen.add(move)
    assert seen == {(down, right) for down in range(-2, 3) for right in range(-2, 3)}


def test_zoom_is_about_the_centre_by_one_factor_in_both_directions():
    """The picture of a plane tells where it is read: from the centre, as 1 over the factor."""
    row, column = np.mgrid[:9.0, :13.0]
    images = np.tile(np.stack([row - 4, column - 6], axis=2), (200, 1, 1, 1))
    done = changed(images, scale=0.4)
    near_row, near_column = done[:, 3:6, 5:8, 0], done[:, 3:6, 5:8, 1]  # whatever the factor
    factor = 1 / near_row[:, 2, 1]
    np.testing.assert_allclose(near_row, (row[3:6, 5:8] - 4) / factor[:, None, None], atol=1e-12)
    np.testing.assert_allclose(
        near_column, (column[3:6, 5:8] - 6) / factor[:, None, None], atol=1e-12
    )
    assert 0.6 <= factor.min() < 0.62
    assert 1.38 < factor.max() <= 1.4
    assert factor.mean() == pytest.approx(1.0, abs=0.05)


def test_nothing_is_read_that_is_not_there():
    images = images_of((50, 6, 9, 3))
    done = changed(images, flip="both", shift=3, scale=0.5)
    assert np.all(done >= images.min(axis=(1, 2), keepdims=True) - 1e-15)
    assert np.all(done <= images.max(axis=(1, 2), keepdims=True) + 1e-15)
    constant = np.full((50, 6, 9, 3), 0.7)
    np.testing.assert_allclose(changed(constant, flip="both", shift=3, scale=0.5), 0.7, rtol=1e-15)


@pytest.mark.parametrize(("shape", "area"), [((300, 5, 7, 2), 9), ((300, 1, 7, 1), 3)])
def test_a_square_is_cut_out_inside_and_the_rest_stays(shape, area):
    images = images_of(shape) + 1.0
    done = changed(images, cutout=3)
    out = np.all(done == 0.0, axis=3)
    np.testing.assert_array_equal(done, np.where(out[..., None], 0.0, images))
    assert np.all(out.sum(axis=(1, 2)) == area)
    assert np.all(out.any(axis=1).sum(axis=1) == 3)  # together, so a square
    starts = {tuple(np.argwhere(one)[0]) for one in out}
    assert starts == {(top, left) for top in range(max(shape[1] - 2, 1)) for left in range(5)}


def test_noise_has_its_standard_deviation_and_no_mean():
    noise = changed(np.zeros((200, 6, 6, 3)), noise=0.3)
    assert noise.std() == pytest.approx(0.3, rel=0.02)
    assert abs(noise.mean()) < 0.01


def test_a_line_is_moved_along_itself_alone():
    images = images_of((60, 1, 8, 1))
    done = changed(images, shift=1)
    padded = np.pad(images, [(0, 0), (0, 0), (1, 1), (0, 0)], mode="edge")
    ways = np.stack([padded[:, :, left : left + 8] for left in range(3)])
    assert np.all(np.any(np.all(ways == done, axis=(2, 3, 4)), axis=0))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES[:3])
def test_the_same_generator_gives_the_same_images_in_their_type(shape, dtype):
    images = images_of(shape, dtype)
    done = changed(images, **ALL)
    assert done.dtype == dtype
    assert np.isfinite(done).all()
    np.testing.assert_array_equal(done, changed(images, **ALL))
    assert not np.array_equal(done, changed(images, seed=1, **ALL))


def test_an_image_of_one_type_is_about_that_of_the_other():
    images = images_of((20, 6, 9, 3))
    augment = {**ALL, "noise": 0.0}
    narrow = changed(images.astype(np.float32), **augment)
    np.testing.assert_allclose(narrow, changed(images, **augment), atol=1e-5)


def test_nothing_asked_for_is_nothing():
    nothing = {"flip": None, "shift": 0, "scale": 0.0, "noise": 0, "cutout": 0}
    for augment in (None, {}, nothing):
        assert ImageAugmentation.checked(augment, (4, 4)) is None


@pytest.mark.parametrize(
    ("augment", "message"),
    [
        ({"flips": "both"}, "augment has no key 'flips': it takes flip, shift, scale, noise, cut"),
        ({"flip": "left"}, r"augment\['flip'\] must be one of .* got 'left'"),
        ({"flip": True}, r"augment\['flip'\]"),
        ({"shift": 1.5}, r"augment\['shift'\] must be a whole number .* below 5, got 1.5"),
        ({"shift": -1}, r"augment\['shift'\]"),
        ({"shift": 5}, r"augment\['shift'\]"),
        ({"shift": True}, r"augment\['shift'\]"),
        ({"scale": 1.0}, r"augment\['scale'\] must be a number of at least 0 and below 1, got 1.0"),
        ({"scale": "0.1"}, r"augment\['scale'\]"),
        ({"noise": np.nan}, r"augment\['noise'\]"),
        ({"noise": np.inf}, r"augment\['noise'\]"),
        ({"cutout": 8}, r"augment\['cutout'\] must be a whole number .* below 8"),
    ],
)
def test_what_cannot_be_done_is_refused_by_its_key(augment, message):
    with pytest.raises(ValueError, match=message):
        ImageAugmentation.checked(augment, (5, 8))


def test_a_line_bounds_what_it_is_moved_by():
    assert ImageAugmentation.checked({"shift": 7}, (1, 8)).shift == 7
    with pytest.raises(ValueError, match="below 8"):
        ImageAugmentation.checked({"shift": 8}, (1, 8))
