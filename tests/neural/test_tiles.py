"""Products in tiles are products, whatever the shapes and the order in memory."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skreg import MLPClassifier
from skreg.estimators import runtime
from skreg.neural import running
from skreg.neural.engine import tiles

KINDS = ["values", "slopes", "slopes in the input"]


def factors(kind, n_rows, n_in, n_out, dtype):
    """Those of a dense layer's three products, as it has them in memory, and a place for each."""
    rng = np.random.default_rng(n_rows)
    x = rng.standard_normal((n_rows, n_in)).astype(dtype)
    weight = rng.standard_normal((n_in, n_out)).astype(dtype)
    slope = rng.standard_normal((n_rows, n_out)).astype(dtype)
    a, b = {"values": (x, weight), "slopes": (x.T, slope)}.get(kind, (slope, weight.T))
    return a, b, np.full((len(a), b.shape[1]), np.nan, dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(32, 784, 1000), (67, 301, 209), (130, 40, 515), (7, 900, 331)])
def test_tiles_make_up_the_product(kind, shape, dtype):
    a, b, out = factors(kind, *shape, dtype)
    expected = a @ b
    assert tiles.Product()(a, b, out) is out
    np.testing.assert_allclose(out, expected, rtol=0, atol=5000 * np.finfo(dtype).eps)
    assert tiles.tile_shape(a, b) != out.shape


@given(
    kind=st.sampled_from(KINDS),
    shape=st.tuples(*[st.integers(1, 40)] * 3),
    most=st.integers(1, 3000),
    terms=st.integers(1, 8),
    square=st.integers(1, 9),
)
def test_tiles_of_any_shape(kind, shape, most, terms, square):
    """Each entry once, in views: what is written to a copy would be lost."""
    a, b, out = factors(kind, *shape, np.float64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiles, "SMALL_PRODUCT", most)
        patch.setattr(tiles, "LEAST_TERMS", terms)
        for name in ("SQUARE", "TILE_WIDTH"):
            patch.setattr(tiles, name, square)
        for name in ("LEAST_HEIGHT", "LEAST_WIDTH"):
            patch.setattr(tiles, name, 1)
        made = tiles.tiles(a, b, out)
    for left, right, result in made:
        assert np.shares_memory(left, a)
        assert np.shares_memory(right, b)
        assert np.shares_memory(result, out)
        assert np.isnan(result).all()
        np.matmul(left, right, out=result)
    np.testing.assert_allclose(out, a @ b, atol=1e-12)


def test_tiles_are_kept_while_the_arrays_stay():
    a, b, out = factors("values", 32, 784, 100, np.float32)
    product = tiles.Product()
    product(a, b, out)
    kept = product._tiles
    a *= 2.0
    np.testing.assert_allclose(product(a, b, out), a @ b, rtol=1e-3, atol=1e-3)
    assert product._tiles is kept
    other = np.empty_like(out)
    product(a, b, other)
    np.testing.assert_array_equal(other, out)


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        ((20, 30, 40), "values"),  # small as a whole
        ((128, 1000, 10), "values"),  # few columns
        ((128, 1000, 10), "slopes in the input"),  # sums of few terms
        ((32, 5000, 100), "values"),  # sums of many terms
        ((32, 2000, 2000), "slopes"),  # a large matrix
    ],
)
def test_where_tiles_gain_nothing_there_is_one(shape, kind):
    a, b, out = factors(kind, *shape, np.float32)
    assert tiles.tile_shape(a, b) == out.shape


class Library:
    """OpenBLAS as threadpoolctl tells of it."""

    user_api = "blas"

    def __init__(self, architecture, num_threads, folder="numpy.libs"):
        self.architecture, self.num_threads = architecture, num_threads
        self.filepath = f"/lib/{folder}/libscipy_openblas.so"


@pytest.mark.parametrize(
    ("library", "found"),
    [
        (Library("SkylakeX", 1), (True, True)),
        (Library("Cooperlake", 4), (False, True)),
        (Library("Haswell", 1), (False, False)),
        (Library(None, 1), (False, False)),
        (Library("SkylakeX", 1, "scipy.libs"), (False, False)),
    ],
)
def test_which_blas_multiplies_small_matrices_where_they_are(monkeypatch, library, found):
    class Controller:
        lib_controllers = (library,)

    monkeypatch.setattr(runtime, "_get_threadpool_controller", Controller)
    assert runtime.small_products_are_fast(in_many_threads=True) == found[0]
    assert runtime.small_products_are_fast(in_many_threads=False) == found[1]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_net_learns_the_same_in_tiles(monkeypatch, dtype):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((150, 200))
    y = X[:, 0] + X[:, 1] > 0
    nets = []
    for in_tiles in (False, True):
        monkeypatch.setattr(
            running, "small_products_are_fast", lambda in_tiles=in_tiles, **_: in_tiles
        )
        made = {"max_iter": 3, "batch_size": 40, "dtype": dtype, "random_state": 0}
        with pytest.warns(match="not converged|Maximum iterations"):
            nets.append(MLPClassifier((150, 170), **made).fit(X, y))
    rtol = 2e-3 if dtype == "float32" else 1e-9
    for plain, tiled in zip(nets[0].coefs_, nets[1].coefs_, strict=True):
        np.testing.assert_allclose(tiled, plain, rtol=0, atol=rtol * np.abs(plain).max())
