"""The design against the explicit dense matrix that it stands for."""

import copy
import pickle

import numpy as np
import pytest
from scipy import sparse

from skreg.data import dense, products
from skreg.data.build import design_of
from skreg.data.moments import MomentMatrix

N, P = 25, 6
STORED = {
    "C": np.ascontiguousarray,
    "F": np.asfortranarray,
    "strided": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "reversed": lambda X: X[::-1].copy()[::-1],
    "csc": sparse.csc_array,
    "csr": sparse.csr_matrix,
    "coo": sparse.coo_array,
}


def make(stored="C", dtype=np.float64, offset=0.0, weighted=True, seed=0, **settings):
    """A design, the dense float64 X behind it, and the weights."""
    rng = np.random.default_rng(seed)
    X = np.where(rng.random((N, P)) < 0.5, 0.0, rng.standard_normal((N, P)))
    X = (X * 10.0 ** np.linspace(-3, 3, P) + offset).astype(dtype)
    weight = rng.integers(0, 4, N).astype(float) if weighted else None
    given = STORED[stored](X)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(products, "COPIED", 0)  # as if X were large
        design = design_of(given, weight, **settings)
    return design, X.astype(np.longdouble), weight


def explicit(X, weight, center, standardize):
    """The centred and scaled matrix, the weights, and the means, in extended precision."""
    omega = np.ones(N) if weight is None else weight
    omega = (omega / np.longdouble(omega.sum())).astype(np.longdouble)
    mean = omega @ X
    centred = X - mean
    centred -= omega @ centred
    Z = centred if center else X
    if standardize:
        Z = Z / np.sqrt(omega @ centred**2)
    return Z, omega, mean


ALL = [
    pytest.param(stored, dtype, center, standardize, weighted, id=f"{stored}-{np.dtype(dtype)}{k}")
    for stored in STORED
    for dtype in (np.float64, np.float32)
    for k, (center, standardize, weighted) in enumerate(
        [(True, False, True), (True, True, False), (False, False, False), (False, True, True)]
    )
]


@pytest.mark.parametrize(("stored", "dtype", "center", "standardize", "weighted"), ALL)
@pytest.mark.parametrize("offset", [0.0, 1e3, 1e6])
def test_products(stored, dtype, center, standardize, weighted, offset):
    if dtype == np.float32 and offset > 1e3:
        return  # float32 holds nothing of the small columns there
    design, X, weight = make(
        stored, dtype, offset, weighted, center=center, standardize=standardize
    )
    Z, omega, _ = explicit(X, weight, center, standardize)
    rng = np.random.default_rng(1)
    w, r = rng.standard_normal((P, 2)), rng.standard_normal((N, 2))
    size = np.sqrt(omega @ Z**2)

    def close(found, expected, scale):
        np.testing.assert_allclose(
            found / scale, (expected / scale).astype(float), rtol=0, atol=1e-13
        )

    close(design.predict(w), Z @ w, np.abs(Z @ w).max())
    close(design.predict(w[:, 0]), Z @ w[:, 0], np.abs(Z @ w).max())
    close(design.correlate(r), Z.T @ (omega[:, None] * r), size[:, None])
    close(design.variances, size**2, size**2)
    G = Z.T @ (omega[:, None] * Z)
    pair = np.outer(size, size)
    close(design.columns(np.arange(P)), Z, np.abs(Z).max(axis=0))
    close(design.columns(slice(1, 3)), Z[:, 1:3], np.abs(Z).max(axis=0)[1:3])
    close(design.gram_columns(np.array([4, 1])), G[:, [4, 1]], pair[:, [4, 1]])
    close(design.gram(), G, pair)
    close(design.gram_columns(np.array([4, 1])), G[:, [4, 1]], pair[:, [4, 1]])  # from the Gram
    close(design.norm2(r), omega @ (r * r), 1.0)


@pytest.mark.parametrize(("stored", "dtype", "center", "standardize", "weighted"), ALL)
@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_rows_and_other_views(stored, dtype, center, standardize, weighted, offset):
    how = {"center": center, "standardize": standardize}
    design, X, weight = make(stored, dtype, offset, weighted, **how)
    Z, omega, _ = explicit(X, weight, center, standardize)
    Z, omega = Z.astype(float), omega.astype(float)
    size = np.abs(Z).max(axis=0)
    w, index = np.random.default_rng(1).standard_normal(P) / size, np.array([3, 0, 11])
    for rows in (index, slice(5, 9)):
        np.testing.assert_allclose(design.predict_rows(rows, w), Z[rows] @ w, rtol=0, atol=1e-9)
    columns = np.array([4, 1])
    blocks = list(design.row_blocks(columns, 10))
    assert [rows.start for rows, _ in blocks] == [0, 10, 20]
    whole = np.vstack([block for _, block in blocks])
    np.testing.assert_allclose(whole / size[columns], (Z / size)[:, columns], rtol=0, atol=1e-9)
    entries = design.entries(index, columns)
    entries = entries.toarray() if design.sparse else entries
    np.testing.assert_array_equal(entries, X.astype(dtype)[np.ix_(index, columns)])
    root = np.sqrt(omega)[:, None]
    K = (root * Z) @ (root * Z).T
    np.testing.assert_allclose(design.kernel(), K, rtol=0, atol=1e-9 * np.abs(K).max())
    bounds, norms = design.norm_bounds(), np.sqrt(omega @ Z**2)
    assert np.all(bounds >= norms * (1 - 1e-9))
    assert design.n_stored == (np.count_nonzero(X) if design.sparse else X.size)
    other = np.arange(N) % 3 + 1.0
    again, _, _ = explicit(X, other, center, standardize)
    found = design.reweighted(other).columns(slice(None)) / size
    np.testing.assert_allclose(found, (again / size).astype(float), rtol=0, atol=1e-9)
    plain = design.with_scale(None).columns(slice(None))
    scale = np.ones(P) if design.inv_scale is None else design.inv_scale
    np.testing.assert_allclose(plain * scale, design.columns(slice(None)), rtol=1e-13)


@pytest.mark.parametrize("stored", ["C", "F", "csc"])
@pytest.mark.parametrize("center", [True, False])
def test_equal_columns(stored, center):
    rng = np.random.default_rng(0)
    X = np.where(rng.random((N, 5)) < 0.5, 0.0, rng.standard_normal((N, 5)))
    X[:, 1], X[:, 2], X[:, 4] = X[:, 0], -X[:, 0], X[:, 0] * (1 + 1e-6)
    design = design_of(STORED[stored](X), center=center)
    first, others = np.zeros(4, dtype=np.intp), np.arange(1, 5)
    for share, last in ((1e-12, False), (1e-3, True)):
        found = design.equal_columns(first, others, np.array([1.0, -1.0, 1.0, 1.0]), share)
        np.testing.assert_array_equal(found, [True, True, False, last])


@pytest.mark.parametrize("stored", STORED)
def test_moments_are_those_of_the_dense_rows(stored):
    design, X, weight = make(stored, offset=2.0)
    X, Y, reference = X.astype(float), np.arange(2.0 * N).reshape(N, 2), np.full(P + 2, 1.5)
    found = design.moments(Y, reference, weight)
    expected = MomentMatrix.of_rows(X, Y, reference, weight)
    np.testing.assert_allclose(found.S, expected.S, rtol=1e-12, atol=1e-9)


def test_what_a_solver_leaves_is_kept_for_the_next():
    design, *_ = make()
    made = []
    for key in ("a", "b", "a"):
        assert design.kept(key, lambda key=key: made.append(key) or key) == key
    assert made == ["a", "b"]


@pytest.mark.parametrize("stored", ["C", "csc"])
def test_a_design_that_grows_leaves_its_parts_alone(stored):
    """Two that grow from one part do not write over each other."""
    design, *_ = make(stored)
    parts = [design.subset(np.array([k])) for k in range(P)]
    both = parts[0].joined(parts[1])
    three, other = both.joined(parts[2]), both.joined(parts[3])
    more = three.joined(parts[4]).joined(parts[5])
    for found, index in ((both, [0, 1]), (three, [0, 1, 2]), (other, [0, 1, 3])):
        np.testing.assert_array_equal(found.columns(slice(None)), design.columns(np.array(index)))
    expected = design.columns(np.array([0, 1, 2, 4, 5]))
    np.testing.assert_array_equal(more.columns(slice(None)), expected)


@pytest.mark.parametrize("stored", STORED)
@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_lengths_of_columns_are_the_same_by_whatever_pass(stored, standardize, offset):
    settings = {"stored": stored, "standardize": standardize, "offset": offset}
    first, second = (make(**settings)[0] for _ in range(2))
    assert np.all(second.variances >= 0)  # known before the lengths are asked for
    np.testing.assert_allclose(first.sizes, second.sizes, rtol=1e-9)


@pytest.mark.parametrize("stored", ["C", "F", "csc"])
@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("offset", [0.0, 1e3])
@pytest.mark.parametrize("weighted", [False, True])
def test_lengths_of_coefficients_need_the_columns_in_use_alone(
    monkeypatch, stored, standardize, offset, weighted
):
    monkeypatch.setattr(dense, "FEW_USED", 0.5)
    settings = {"stored": stored, "standardize": standardize, "offset": offset}
    design, X, _ = make(weighted=weighted, **settings)
    W = np.zeros((2, P))
    W[:, [1, 4]] = [[-2.0, 3.0], [0.0, 1.0]]
    assert design.far is not None
    expected = np.abs(W) @ make(weighted=weighted, **settings)[0].sizes
    np.testing.assert_allclose(design.lengths(W), expected, rtol=1e-9)
    if stored != "csc" and not offset:
        assert "sizes" not in vars(design)
    design.mean_square = float((X**2).mean())
    assert design.largest_size >= make(weighted=weighted, **settings)[0].sizes.max() * (1 - 1e-9)


@pytest.mark.parametrize("stored", ["C", "csc"])
@pytest.mark.parametrize("standardize", [False, True])
def test_parts(stored, standardize):
    """Subsets, their joins and cross products are those of the whole."""
    design, *_ = make(stored, offset=2.0, standardize=standardize)
    first, second = np.array([3, 0]), np.array([5, 2, 1])
    left, right = design.subset(first), design.subset(second)
    both = left.joined(right)
    index = np.concatenate([first, second])
    np.testing.assert_allclose(both.gram(), design.gram()[np.ix_(index, index)], rtol=1e-12)
    np.testing.assert_allclose(
        left.cross_gram(right), design.gram()[np.ix_(first, second)], rtol=1e-10
    )
    w = np.arange(1.0, 6.0)
    whole = np.zeros(P)
    whole[index] = w
    np.testing.assert_allclose(both.predict(w), design.predict(whole), rtol=0, atol=1e-11)


@pytest.mark.parametrize("stored", ["C", "csc"])
@pytest.mark.parametrize("standardize", [False, True])
def test_round_trip(stored, standardize):
    design, X, _ = make(stored, offset=1.0, standardize=standardize)
    rng = np.random.default_rng(2)
    w = rng.standard_normal((P, 3))
    coef = design.to_raw(w)
    np.testing.assert_allclose(design.from_raw(coef), w, rtol=1e-15)
    intercept = design.intercept(coef, np.ones(3))
    predicted = X.astype(float) @ coef + intercept
    np.testing.assert_allclose(predicted, design.predict(w) + 1.0, rtol=1e-9, atol=1e-9)


def test_without_centring_there_is_no_intercept():
    design, *_ = make(center=False)
    np.testing.assert_array_equal(design.intercept(np.ones((P, 2)), np.array([5.0, 5.0])), 0.0)
    y, mean = design.center(np.ones((N, 1)))
    assert mean == 0.0
    np.testing.assert_array_equal(y, 1.0)


@pytest.mark.parametrize("stored", STORED)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("value", [0.0, 0.1, 1e6])
def test_constant_columns_are_exactly_zero(stored, dtype, value):
    X = np.random.default_rng(0).standard_normal((N, 3)).astype(dtype)
    X[:, 1] = value
    weight = np.random.default_rng(1).random(N)
    for standardize in (False, True):
        design = design_of(STORED[stored](X), weight, standardize=standardize)
        assert design.variances[1] == 0.0
        np.testing.assert_array_equal(design.columns(np.arange(3))[:, 1], 0.0)
        np.testing.assert_array_equal(design.gram()[1], 0.0)
        np.testing.assert_array_equal(design.gram()[:, 1], 0.0)
        assert design.variances[0] > 0


@pytest.mark.parametrize("stored", ["C", "csc"])
def test_offset_of_a_million(stored):
    """Centring costs the digits of the offset, not those of the square of it."""
    design, X, weight = make(stored, offset=1e6)
    kept = slice(3, None)  # the columns whose spread is more than a millionth of a millionth
    Z, omega, _ = explicit(X, weight, True, False)
    G = (Z.T @ (omega[:, None] * Z)).astype(float)
    size = np.sqrt(np.diag(G))
    share = np.abs(design.gram() - G) / np.outer(size, size)
    assert share[kept, kept].max() < 1e-9
    np.testing.assert_allclose(design.variances[kept], np.diag(G)[kept], rtol=1e-9)


def test_a_constant_target_is_nothing_to_fit():
    design, *_ = make()
    y, mean = design.center(np.full((N, 1), 0.1))
    np.testing.assert_array_equal(y, 0.0)
    assert mean == pytest.approx(0.1)


def test_weights_of_any_size_count_alike():
    weight = np.random.default_rng(3).random(N)
    X = np.random.default_rng(4).standard_normal((N, P))
    expected = design_of(X, weight).gram()
    for size in (1e-300, 1e-8, 1e8, 1e300):
        np.testing.assert_allclose(design_of(X, weight * size).gram(), expected, rtol=1e-12)


def test_a_row_of_weight_zero_is_no_row():
    X = np.random.default_rng(5).standard_normal((N, P))
    weight = np.arange(N) % 3.0
    kept = weight > 0
    whole, part = design_of(X, weight), design_of(X[kept], weight[kept])
    np.testing.assert_allclose(whole.gram(), part.gram(), rtol=1e-13)
    np.testing.assert_allclose(whole.mean, part.mean, rtol=1e-13)


@pytest.mark.parametrize("stored", STORED)
def test_x_is_not_written_to(stored):
    X = np.random.default_rng(6).standard_normal((N, P)) + 3.0
    given = STORED[stored](X)
    data = given.data if sparse.issparse(given) else given
    before = np.array(data)
    data.flags.writeable = False  # and raises where it is tried
    design = design_of(given, standardize=True)
    design.gram()
    design.predict(np.ones(P))
    design.correlate(np.ones(N))
    design.columns(slice(None))[:] = 7.0
    design.subset(np.array([0, 1])).gram()
    np.testing.assert_array_equal(data, before)


def test_a_dense_design_does_not_copy_x():
    for order in "CF":
        X = np.asarray(np.random.default_rng(7).standard_normal((N, P)), order=order)
        assert design_of(X, standardize=True)._X is X


def test_memory_mapped(tmp_path):
    X = np.random.default_rng(8).standard_normal((N, P))
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    np.testing.assert_array_equal(design_of(mapped).gram(), design_of(X).gram())


def test_columns_far_from_zero_are_found_where_the_first_rows_weigh_next_to_nothing():
    rng = np.random.default_rng(0)
    X = rng.normal([0.0, 3e3, 1e6], size=(400, 3))
    X[:20] += rng.normal(size=(20, 3)) * [0.0, 1e3, 1e5]
    weight = np.where(np.arange(400) < 20, 1e-6, 1.0)
    design = design_of(X, weight)
    s = (weight / weight.sum()).astype(np.longdouble)
    Z = X - s @ X
    np.testing.assert_allclose(design.gram(), (Z * s[:, None]).T @ Z, rtol=1e-9, atol=1e-9)
    assert 2 in design.far.index


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", [(20, 17_000), (17_000, 20), (400, 500)])
def test_variances_do_not_depend_on_the_blocks_they_are_summed_in(shape, dtype, order):
    rng = np.random.default_rng(0)
    X = np.asarray(rng.standard_normal(shape, dtype=np.float32) + 1.0, dtype=dtype, order=order)
    weights = rng.random(shape[0])
    mean = np.average(X.astype(np.float64), axis=0, weights=weights)
    variances = np.average((X - mean) ** 2, axis=0, weights=weights)
    np.testing.assert_allclose(design_of(X, weights).variances, variances, rtol=1e-12)
    squares = np.average(X.astype(np.float64) ** 2, axis=0, weights=weights)
    raw = design_of(X, weights, center=False).variances
    np.testing.assert_allclose(raw, squares, rtol=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("standardize", [False, True])
def test_features_taken_from_a_sparse_design_keep_what_is_known_of_them(weighted, standardize):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((N, 9)) * (rng.random((N, 9)) < 0.4)
    X[:, 3] = 0.0
    X[:, [1, 5, 8]] = rng.standard_normal((N, 3)) * [1.0, 1e-3, 0.0] + [1e6, 1e4, 7.0]
    weight = rng.integers(1, 4, N).astype(float) if weighted else None
    options = {"standardize": standardize}
    design = design_of(sparse.csc_matrix(X), weight, **options)
    order = np.array([8, 0, 5, 3, 1])
    joined = design.subset(order[:2]).joined(design.subset(order[2:]))
    anew = design_of(sparse.csc_matrix(X[:, order]), weight, **options)
    for part in (design.subset(order), joined):
        np.testing.assert_array_equal(part.far.index, anew.far.index)
        np.testing.assert_array_equal(part.far.constant, anew.far.constant)
        np.testing.assert_allclose(part.far.drift, anew.far.drift, atol=1e-15 * 1e6)
        np.testing.assert_allclose(part.variances, anew.variances, rtol=1e-12)
        np.testing.assert_allclose(part.gram(), anew.gram(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("storage", [np.array, sparse.csc_array])
def test_float32_is_read_as_float64_where_it_is_small_and_remembered(storage):
    X = storage(np.random.default_rng(0).standard_normal((20, 5)).astype(np.float32))
    design = design_of(X, standardize=True)
    others = design.reweighted(np.arange(20.0)), design.with_scale(None), copy.copy(design)
    for each in (design, *others, pickle.loads(pickle.dumps(design))):
        assert each.dtype == np.float32
        assert each._X.dtype == np.float64
    assert X.dtype == np.float32


@pytest.mark.parametrize("order", "CF")
@pytest.mark.parametrize("targets", [(), (3,)])
def test_float32_is_multiplied_in_blocks_of_both_axes(monkeypatch, order, targets):
    monkeypatch.setattr(products, "STRETCH", 4)
    monkeypatch.setattr(products, "CACHED", 12)
    rng = np.random.default_rng(0)
    X = np.array(rng.standard_normal((11, 13)), dtype=np.float32, order=order)
    v, w = rng.standard_normal((11, *targets)), rng.standard_normal((13, *targets))
    exact = X.astype(float)
    np.testing.assert_allclose(products.adjoint(X, v), exact.T @ v, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(products.product(X, w), exact @ w, rtol=1e-12, atol=1e-14)
