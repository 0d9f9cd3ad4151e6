"""Fits to moments and to blocks of rows are those to the rows."""

import pickle
import re

import numpy as np
import pytest
from block_fits import alike
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

import skreg
from skreg import (
    ElasticNet,
    ElasticNetCV,
    Lasso,
    LassoCV,
    Moments,
    MultiTaskElasticNet,
    MultiTaskLasso,
    MultiTaskLassoCV,
    Ridge,
    RidgeCV,
    RowBlocks,
    regularization_path,
)

MODELS = [
    Lasso(alpha=0.05),
    Lasso(alpha=0.1, standardize=True, positive=True),
    Lasso(alpha=0.0),
    Lasso(alpha=0.05, fit_intercept=False),
    ElasticNet(alpha=0.1, penalty_factor=[0, 1, 2, np.inf, 1, 1]),
    ElasticNet(alpha=0.1, solver="cd"),
    Lasso(alpha=0.5, relax=0.2),
    Ridge(alpha=3.0),
    Ridge(alpha=0.0),
    Ridge(alpha=1.0, upper_bound=0.5),
    Ridge(alpha=2.0, standardize=True),
]


def data(n=80, p=6, targets=0, mean=0.0, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) @ (np.eye(p) + 0.2) + mean
    Y = (X - mean) @ rng.standard_normal((p, max(targets, 1))) + 3.0
    Y += rng.standard_normal(Y.shape)
    return X, Y if targets else Y[:, 0], rng.integers(0, 3, n) * 0.5 + 0.25


@pytest.mark.parametrize("targets", [0, 1, 3])
@pytest.mark.parametrize("model", MODELS, ids=str)
def test_fit_to_blocks_is_the_fit_to_all_rows(model, targets):
    X, y, weight = data(targets=targets)
    wanted, found = clone(model).fit(X, y, weight), clone(model)
    for rows in np.split(np.arange(len(X)), [1, 2, 30, 31]):
        found.partial_fit(X[rows], y[rows], weight[rows])
    assert "coef_" not in vars(found)
    alike(found, wanted)
    assert found.n_samples_seen_ == len(X)


@given(
    cuts=st.lists(st.integers(1, 79), max_size=6, unique=True),
    order=st.randoms(use_true_random=False),
    mean=st.sampled_from([0.0, 1e8]),
    seed=st.integers(0, 9),
)
def test_any_split_in_any_tree_gives_the_fit_to_all_rows(cuts, order, mean, seed):
    X, y, weight = data(mean=mean, seed=seed)
    parts = np.split(np.arange(len(X)), sorted(cuts))
    sums = [Moments.of(X[rows], y[rows], weight[rows]) for rows in parts]
    while len(sums) > 1:
        one = sums.pop(order.randrange(len(sums)))
        other = sums.pop(order.randrange(len(sums)))
        sums.append(one + other)
    alike(Lasso(alpha=0.05).fit_moments(sums[0]), Lasso(alpha=0.05).fit(X, y, weight), 1e-8)


def test_a_mean_of_1e8_costs_no_digits():
    X, y, _ = data(n=2000, mean=0.0)
    X = np.round(X * 2**20) / 2**20  # which 1e8 is added to without rounding
    far = 2.0**27
    moments = Moments.of(X[:900] + far, y[:900]) + Moments.of(X[900:] + far, y[900:])
    wanted = Lasso(alpha=0.05).fit(X, y)
    found = Lasso(alpha=0.05).fit_moments(moments)
    np.testing.assert_allclose(found.coef_, wanted.coef_, rtol=1e-12)


def test_subtraction_undoes_addition():
    X, y, weight = data()
    first, second = (Moments.of(X[s], y[s], weight[s]) for s in (slice(30), slice(30, 80)))
    left = (first + second) - second
    assert left.n_rows == 30
    assert left.weight == pytest.approx(first.weight, rel=1e-13)
    alike(Ridge().fit_moments(left), Ridge().fit(X[:30], y[:30], weight[:30]))


def test_rows_of_no_weight_are_none():
    X, y, weight = data()
    weight[:40] = 0.0
    alike(Lasso(alpha=0.1).partial_fit(X, y, weight), Lasso(alpha=0.1).fit(X, y, weight))
    weight[41:] = 0.0
    for block in (X, sparse.csr_array(X)):
        one = Moments.of(block, y, weight)
        alike(Lasso().fit_moments(one), Lasso().fit(X[40:41], y[40:41]))
        alike(
            Ridge().fit_moments(one + Moments.of(X[:9], y[:9], weight[40])),
            Ridge().fit(X[np.r_[:9, 40]], y[np.r_[:9, 40]], np.full(10, weight[40])),
        )


def test_sparse_and_float32_blocks():
    X, y, _ = data()
    X[np.abs(X) < 0.5] = 0.0
    dense = Lasso(alpha=0.1).fit(X, y)
    for block in (sparse.csr_array(X), sparse.csc_matrix(X), np.asfortranarray(X)):
        halves = Lasso(alpha=0.1).partial_fit(block[:40], y[:40]).partial_fit(block[40:], y[40:])
        alike(halves, dense)
    narrow = X.astype(np.float32)
    found = Lasso(alpha=0.1).partial_fit(narrow[:40], y[:40]).partial_fit(narrow[40:], y[40:])
    alike(found, Lasso(alpha=0.1).fit(narrow, y), 1e-6)
    mixed = Lasso(alpha=0.1).partial_fit(narrow, y).partial_fit(X, y)
    assert mixed.coef_.dtype == np.float64


@pytest.mark.parametrize("scale", [1e-90, 1e90])
def test_data_far_from_order_one(scale):
    X, y, _ = data()
    wanted = Lasso(alpha=0.05).fit(X, y)
    model = Lasso(alpha=0.05 * scale).partial_fit(X, y * scale)
    np.testing.assert_allclose(model.coef_ / scale, wanted.coef_, rtol=1e-12)
    wide = X * [1, scale, 1, 1, 1, 1]
    model = Ridge(alpha=0.0).partial_fit(wide[:40], y[:40]).partial_fit(wide[40:], y[40:])
    np.testing.assert_allclose(model.coef_, Ridge(alpha=0.0).fit(wide, y).coef_, rtol=1e-9)


@pytest.mark.parametrize("scale", [1e-170, 1e140])
def test_squares_that_leave_floating_point_are_refused(scale):
    X, y, _ = data()
    X[:, 1] *= scale
    with pytest.raises(ValueError, match=r"column 1 of X has values up to .*: scale it"):
        Moments.of(X, y)
    with pytest.raises(ValueError, match=r"y has values up to .*: scale it"):
        Moments.of(X[:, :1], y * scale)


def test_decay_multiplies_the_weights_of_earlier_blocks():
    X, y, _ = data(n=90)
    model = Ridge()
    for k in range(3):
        rows = slice(30 * k, 30 * k + 30)
        model.partial_fit(X[rows], y[rows], decay=0.5)
    alike(model, Ridge().fit(X, y, np.repeat([0.25, 0.5, 1.0], 30)))
    with pytest.raises(ValueError, match=r"decay must be in \(0, 1\], got 0"):
        model.partial_fit(X, y, decay=0)
    for decay in ("a", None, [0.5], True):
        with pytest.raises(TypeError, match="decay must be a number"):
            model.partial_fit(X, y, decay=decay)
    assert model.n_samples_seen_ == 90


def test_a_stream_goes_on_after_a_pickle():
    X, y, _ = data()
    model = pickle.loads(pickle.dumps(Lasso(alpha=0.1).partial_fit(X[:20], y[:20])))
    model.coef_  # noqa: B018  # which is solved for
    alike(model.partial_fit(X[20:], y[20:]), Lasso(alpha=0.1).fit(X, y))
    moments = Moments.of(X[:20], y[:20])
    again = Lasso(alpha=0.1).fit_moments(moments).partial_fit(X[20:], y[20:])
    alike(again, Lasso(alpha=0.1).fit(X, y))


def test_settings_are_looked_at_with_the_first_block():
    X, y, _ = data()
    with pytest.raises(ValueError, match="leave out relax"):
        ElasticNet(l1_ratio=0, relax=0.5).partial_fit(X, y)
    for solver in ("sag", "svd", "lsqr"):
        assert not hasattr(Ridge(solver=solver), "partial_fit")
        with pytest.raises(AttributeError, match="needs the rows of X: take 'auto'"):
            Ridge(solver=solver).partial_fit(X, y)
    warm = Lasso(alpha=0.1, warm_start=True).partial_fit(X[:40], y[:40])
    alike(warm, Lasso(alpha=0.1).fit(X[:40], y[:40]))
    alike(warm.partial_fit(X[40:], y[40:]), Lasso(alpha=0.1).fit(X, y))


def test_fit_forgets_the_blocks():
    X, y, _ = data()
    model = Lasso(alpha=0.1).partial_fit(-X, y).fit(X, y)
    alike(model, Lasso(alpha=0.1).fit(X, y))
    assert not hasattr(model, "n_samples_seen_")
    assert model.partial_fit(X[:30], y[:30]).n_samples_seen_ == 30
    alike(model, Lasso(alpha=0.1).fit(X[:30], y[:30]))


def test_a_bad_block_leaves_the_sums_as_they_were():
    X, y, _ = data()
    model, bad = Lasso(alpha=0.1).partial_fit(X[:40], y[:40]), X[40:].copy()
    bad[3, 2] = np.nan
    with pytest.raises(ValueError, match="row 3 of X, column 2"):
        model.partial_fit(bad, y[40:])
    with pytest.raises(ValueError, match="expecting 6 features"):
        model.partial_fit(X[40:, :5], y[40:])
    with pytest.raises(ValueError, match="do not add up"):
        model.partial_fit(X[40:], np.column_stack([y, y])[40:])
    assert model.n_samples_seen_ == 40
    alike(model.partial_fit(X[40:], y[40:]), Lasso(alpha=0.1).fit(X, y))


def test_names_of_columns(tmp_path):
    pd = pytest.importorskip("pandas")
    X, y, _ = data()
    frame = pd.DataFrame(X, columns=list("abcdef"))
    moments = Moments.of(frame[:40], y[:40])
    assert moments.feature_names.tolist() == list("abcdef")
    model = Lasso(alpha=0.1, penalty_factor={"b": 0, **dict.fromkeys("acdef", 1)})
    alike(clone(model).fit_moments(moments), clone(model).fit(frame[:40], y[:40]))
    with pytest.raises(
        ValueError, match=r"feature 4 is 'e' and 'f' .*same columns in the same order"
    ):
        moments + Moments.of(frame[list("abcdfe")], y)
    with pytest.raises(ValueError, match="with and without names of features do not add up"):
        moments + Moments.of(X, y)
    with pytest.raises(ValueError, match="feature names should match"):
        Lasso().partial_fit(frame, y).partial_fit(frame[list("bacdef")], y)
    file = moments.save(tmp_path / "moments.npz")
    assert Moments.load(file).feature_names.tolist() == list("abcdef")


def test_files(tmp_path):
    X, y, weight = data(targets=2)
    moments = Moments.of(X.astype(np.float32), y, weight)
    again = Moments.load(moments.save(tmp_path / "a.npz"))
    assert (again.n_rows, again.dtype, again.one_target) == (80, np.float32, False)
    np.testing.assert_array_equal(again.matrix.S, moments.matrix.S)
    np.testing.assert_array_equal((again + moments).digits, (moments + moments).digits)
    other = tmp_path / "other.npz"
    np.savez(other, S=np.ones(3))
    for path, text in ((other, "no file of moments"), (__file__, "no file of moments")):
        with pytest.raises(ValueError, match=text):
            Moments.load(path)
    with pytest.raises(FileNotFoundError):
        Moments.load(tmp_path / "none.npz")


def test_damaged_files(tmp_path):
    X, y, _ = data()
    whole = Moments.of(X, y).save(tmp_path / "whole.npz")
    content, held = whole.read_bytes(), dict(np.load(whole))
    bad, paths = bytearray(content), []
    bad[content.index(held["S"].tobytes())] ^= 255
    for k, part in enumerate((b"", content[:3], content[:10], content[:-10], bytes(bad))):
        paths.append(tmp_path / f"{k}.npz")
        paths[-1].write_bytes(part)
    np.save(tmp_path / "array.npy", X)
    np.savez(tmp_path / "format.npz", format=held["format"])
    np.savez(tmp_path / "type.npz", **{**held, "dtype": "none"})
    for path in (*paths, *(tmp_path / one for one in ("array.npy", "format.npz", "type.npz"))):
        # A file that stays open warns, and warnings are errors.
        with pytest.raises(ValueError, match=f"{path.name}' is no file of moments"):
            Moments.load(path)


def test_files_whose_contents_do_not_belong_together(tmp_path):
    X, y, _ = data()
    held = dict(np.load(Moments.of(X, y).save(tmp_path / "whole.npz")))
    S, uneven = held["S"], held["S"].copy()
    uneven[0, 1] *= 2.0
    light = np.where(S[-1, -1] == S, 0.0, S)
    cases = [
        ({"format": "skreg.Moments 2"}, "it has the format 'skreg.Moments 2', where this version"),
        ({"S": S[:4, :4]}, r"its S has shape \(4, 4\), where \(8, 8\) belongs"),
        ({"S": S.ravel()}, r"its S has shape \(64,\)"),
        ({"S": S.astype(int)}, "its S has int64, where float64 belongs"),
        ({"S": S * np.nan}, "it has NaN or infinity"),
        ({"S": uneven}, "its S is not symmetric"),
        ({"S": light}, "its rows have the weight 0"),
        ({"reference": held["reference"][:3]}, r"its S has shape \(8, 8\), where \(4, 4\)"),
        ({"rounding": held["rounding"][:2]}, r"its rounding has shape \(2,\)"),
        ({"feature_names": np.array(["a"])}, r"its feature_names has shape \(1,\)"),
        ({"n_features": 99}, "it is of 80 rows, 99 features and -92 targets"),
        ({"n_features": 4}, "it is of 80 rows, 4 features and 3 targets"),
        ({"n_rows": -3}, "it is of -3 rows"),
        ({"dtype": "int64"}, "it is of int64, where float32 or float64 belongs"),
    ]
    path = tmp_path / "other.npz"
    for changed, text in cases:
        np.savez(path, **{**held, **changed})
        with pytest.raises(ValueError, match=f"is no file of moments: {text}"):
            Moments.load(path)


def test_a_disk_that_fills_leaves_the_older_file(tmp_path):
    resource = pytest.importorskip("resource")  # POSIX alone has limits
    X, y, _ = data()
    path = Moments.of(X, y).save(tmp_path / "moments.npz")
    more, before = Moments.of(X[:9], y[:9]), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, before[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            more.save(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert Moments.load(path).n_rows == 80
    assert [one.name for one in tmp_path.iterdir()] == ["moments.npz"]


def dependent(kind):
    """Rows with fewer independent columns than features."""
    rng = np.random.default_rng(5)
    n, p = (20, 30) if kind in ("wide", "scaled") else (60, 4)
    X = rng.standard_normal((n, p))
    if kind == "scaled":
        return X * 10.0 ** np.linspace(-2, 2, p)
    if kind == "duplicated":
        return np.c_[X, X, 100.0 * X[:, :1]]
    return np.c_[np.eye(p)[rng.integers(0, p, n)], X[:, :2]] if kind == "one-hot" else X


@pytest.mark.parametrize("targets", [0, 3])
@pytest.mark.parametrize("kind", ["wide", "scaled", "duplicated", "one-hot"])
@pytest.mark.parametrize(
    "model",
    [
        Ridge(alpha=0.0),
        Lasso(alpha=0.0),
        Lasso(alpha=0.0, solver="cd", fit_intercept=False),
        Ridge(alpha=0.0, standardize=True),
        ElasticNet(alpha=0.01, l1_ratio=0.1, relax=0.0),
    ],
    ids=str,
)
def test_least_squares_that_are_not_unique_have_minimum_norm(model, kind, targets):
    X = dependent(kind)
    rng = np.random.default_rng(6)
    Y = X @ rng.standard_normal((X.shape[1], max(targets, 1))) + rng.standard_normal((len(X), 1))
    y, weight = Y if targets else Y[:, 0], rng.integers(1, 4, len(X)) * 0.5
    wanted, blocks = clone(model).fit(X, y, weight), clone(model)
    alike(clone(model).fit_moments(Moments.of(X, y, weight)), wanted)
    for i in range(len(X)):
        blocks.partial_fit(X[i : i + 1], y[i : i + 1], weight[i : i + 1])
    alike(blocks, wanted)
    if model.alpha == 0.0 and not getattr(model, "standardize", False):
        root = np.sqrt(weight)[:, None]
        means = (np.average(part, axis=0, weights=weight) for part in (X, Y))
        x_mean, y_mean = means if model.fit_intercept else (0.0, 0.0)
        expected = np.linalg.pinv(root * (X - x_mean), rcond=1e-11) @ (root * (Y - y_mean))
        size = np.abs(expected).max()
        found = blocks.coef_.reshape(-1, X.shape[1]).T
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9 * size)


@pytest.mark.parametrize("kind", ["wide", "duplicated"])
def test_minimum_norm_is_measured_by_the_factors(kind):
    X = dependent(kind)
    rng = np.random.default_rng(7)
    y, factors = X[:, 0] + rng.standard_normal(len(X)), rng.uniform(0.5, 2.0, X.shape[1])
    factors[1], factors[2] = 0.0, np.inf
    model = Ridge(alpha=0.0, penalty_factor=factors)
    found = clone(model).fit_moments(Moments.of(X, y))
    alike(found, clone(model).fit(X, y), 1e-8)
    assert found.coef_[2] == 0.0


@pytest.mark.parametrize("model", [MultiTaskLasso(alpha=0.0), MultiTaskLasso(alpha=0.1, relax=0.0)])
def test_several_tasks_have_minimum_norm(model):
    X = dependent("scaled")
    Y = np.random.default_rng(8).standard_normal((len(X), 2))
    wanted = clone(model).fit(X, Y)
    alike(clone(model).fit(RowBlocks([(X[:7], Y[:7]), (X[7:], Y[7:])])), wanted)


@pytest.mark.filterwarnings("ignore::skreg.GridEdgeWarning")
@pytest.mark.parametrize("seed", [36, 37, 38])
def test_relaxed_cross_validation_with_more_features_than_rows(seed):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((20, 30)) * 2.0 ** rng.integers(-3, 4, 30)
    y, fold = X[:, :3].sum(axis=1) + rng.standard_normal(20), np.arange(20) // 5
    splits = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(4)]
    wanted = ElasticNetCV(relax=0.3, cv=splits).fit(X, y)
    found = ElasticNetCV(relax=0.3).fit(RowBlocks([(X, y, None, fold)]))
    alike(found, wanted, 1e-8)
    np.testing.assert_allclose(found.alpha_, wanted.alpha_, rtol=1e-10)
    np.testing.assert_allclose(found.cv_result_.errors, wanted.cv_result_.errors, rtol=1e-7)


def test_dependent_columns_cost_no_digits_and_nearly_dependent_ones_are_told():
    X = dependent("one-hot")
    y = X[:, -1] + np.random.default_rng(9).standard_normal(len(X))
    Ridge(alpha=0.0).fit_moments(Moments.of(X, y))  # warnings are errors
    for size in (1e-7, 1e-9):
        near = np.c_[X, X[:, -1] + size * np.sin(np.arange(len(X)))]
        with pytest.warns(ConvergenceWarning):
            Ridge(alpha=0.0).fit_moments(Moments.of(near, y))


@pytest.mark.filterwarnings("ignore::skreg.GridEdgeWarning")
@pytest.mark.parametrize("targets", [0, 2])
@pytest.mark.parametrize(
    "model",
    [
        LassoCV(),
        LassoCV(rule="1se", fold_weights="size", n_jobs=2),
        LassoCV(relax=[0.0, 0.3, 1.0]),
        LassoCV(alphas=[0.5, 0.1, 0.02], fit_intercept=False, standardize=True),
        ElasticNetCV(l1_ratio=[0.3, 0.9], positive=True),
        RidgeCV(),
        RidgeCV(alphas=[1.0, 10.0, 100.0], alpha_per_target=True, standardize=True),
    ],
    ids=str,
)
def test_cross_validation_by_moments_is_that_by_rows(model, targets):
    X, y, weight = data(targets=targets, mean=2.0)
    rows, fold = np.arange(len(X)), np.arange(len(X)) % 3
    splits = [(rows[fold != k], rows[fold == k]) for k in range(3)]
    wanted = clone(model).set_params(cv=splits).fit(X, y, weight)
    found = clone(model).fit_moments([Moments.of(X[i], y[i], weight[i]) for _, i in splits])
    alike(found, wanted)
    np.testing.assert_allclose(found.alpha_, wanted.alpha_, rtol=1e-10)
    np.testing.assert_allclose(found.cv_result_.errors, wanted.cv_result_.errors, rtol=1e-9)
    np.testing.assert_allclose(found.cv_result_.mean, wanted.cv_result_.mean, rtol=1e-9)
    assert found.cv_result_.metric == wanted.cv_result_.metric


@pytest.mark.parametrize("targets", [0, 3])
@pytest.mark.parametrize(
    "model",
    [Lasso(), Ridge(), ElasticNet(relax=0.5), Lasso(concave="mcp", standardize=True)],
    ids=str,
)
def test_paths_of_moments(model, targets):
    X, y, weight = data(targets=targets)
    moments = Moments.of(X, y, weight)
    wanted = regularization_path(model, X, y, sample_weight=weight, alphas=20)
    for rows in (
        moments,
        RowBlocks([(X[:30], y[:30], weight[:30]), (X[30:], y[30:], weight[30:])]),
    ):
        found = regularization_path(model, rows, alphas=20)
        for name in ("alphas", "coefs", "intercepts", "df", "dev_ratio"):
            values = getattr(found, name), getattr(wanted, name)
            np.testing.assert_allclose(*values, rtol=1e-7, atol=1e-8, err_msg=name)
    with pytest.raises(ValueError, match="leave out y"):
        regularization_path(model, moments, y)


def test_targets_that_share_their_features():
    X, Y, weight = data(targets=3)
    moments = Moments.of(X, Y, weight)
    wanted = MultiTaskLasso(alpha=0.5).fit(X, np.average(Y, axis=0) + Y)
    model = MultiTaskLasso(alpha=0.5).fit_moments(Moments.of(X, np.average(Y, axis=0) + Y))
    alike(model, wanted)
    alike(MultiTaskLasso(alpha=0.5).partial_fit(X, np.average(Y, axis=0) + Y), wanted)
    with pytest.raises(ValueError, match="mono-task"):
        MultiTaskLasso().partial_fit(X, Y[:, 0])
    path = regularization_path(MultiTaskLasso(), moments, alphas=5)
    assert path.coefs.shape == (3, 6, 5)


@pytest.mark.parametrize("rule", ["aic", "bic"])
@pytest.mark.parametrize("kind", [LassoCV, RidgeCV])
def test_criteria_need_no_folds(kind, rule):
    X, y, weight = data()
    found = kind(rule=rule).fit_moments(Moments.of(X, y, weight))
    wanted = kind(rule=rule).fit(X, y, weight)
    alike(found, wanted)
    np.testing.assert_allclose(found.criterion_, wanted.criterion_, rtol=1e-9)


def test_what_is_refused():
    X, y, _ = data()
    moments = Moments.of(X, y)
    cases = [
        (lambda: Lasso().fit_moments(X), TypeError, "moments must be an instance"),
        (lambda: Lasso(precompute=X.T @ X).fit_moments(moments), ValueError, "precompute"),
        (lambda: Ridge(solver="svd").fit_moments(moments), ValueError, "needs the rows of X"),
        (lambda: Ridge(solver="sag").fit_moments(moments), ValueError, "needs the rows of X"),
        (lambda: LassoCV().fit_moments(moments), ValueError, "at least two folds"),
        (lambda: LassoCV().fit_moments([moments, X]), TypeError, "list of skreg.Moments"),
        (lambda: LassoCV(cv=3).fit_moments([moments, moments]), ValueError, "cv at None"),
        (lambda: moments - moments - moments, ValueError, "no rows are left"),
        (lambda: Moments.of(X[:3], y[:3]) - moments, ValueError, "must be among them"),
        (lambda: moments + Moments.of(X[:, :2], y), ValueError, "6 and of 2 features"),
        (lambda: moments + 1, TypeError, "unsupported operand"),
        (lambda: Moments.of(X, y, np.zeros(80)), ValueError, "at least one non-zero number"),
    ]
    for call, error, text in cases:
        with pytest.raises(error, match=re.escape(text)):
            call()


def test_sums_too_large_for_memory_are_refused_before_any_work():
    X = sparse.csr_array((2, 5_000_000))
    with pytest.raises(ValueError, match=r"of 5000001 columns .* GiB.*choose fewer columns"):
        Moments.of(X, [1.0, 2.0])


def test_lost_digits_are_told():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 3))
    X[:, 2] = X[:, 0] + 1e-6 * X[:, 2]
    y = X @ [1.0, 1.0, 1.0] + rng.standard_normal(200)
    with pytest.warns(UserWarning, match="about [2-4] digits of the coefficients"):
        Ridge(alpha=0.0).fit_moments(Moments.of(X, y))
    Ridge(alpha=1.0).fit_moments(Moments.of(X, y))
    whole = Moments.of(np.vstack([1e9 * X, X]), np.append(y, y))
    with pytest.raises(ValueError, match=r"variance of feature [01] no digits are left"):
        Lasso().fit_moments(whole - Moments.of(1e9 * X, y))


def test_lengths_make_coefficients_of_dependent_features_certain():
    rng = np.random.default_rng(3)
    X = rng.standard_normal((10, 60))
    W = rng.standard_normal((60, 20)) * (rng.random((60, 1)) < 0.3)
    Y = X @ W + rng.standard_normal((10, 20))
    found = MultiTaskLasso(alpha=1.0).fit_moments(Moments.of(X, Y))
    assert np.count_nonzero(found.coef_[0]) > 10
    alike(found, MultiTaskLasso(alpha=1.0).fit(X, Y), 1e-12)
    X = rng.standard_normal((200, 5))
    X[:, 4] = X[:, 3] + 1e-6 * X[:, 4]
    Y = X @ rng.standard_normal((5, 2)) + rng.standard_normal((200, 2))
    for setting in ({"alpha": 0.0}, {"penalty_factor": [1, 1, 1, 0, 0]}, {"relax": 0.5}):
        with pytest.warns(UserWarning, match="about [1-4] digits of the coefficients"):
            MultiTaskLasso(**{"alpha": 1e-9, **setting}).fit_moments(Moments.of(X, Y))


# The estimators that read rows; the others are fitted to sums.
OF_ROWS = [
    name
    for name in skreg.__all__
    if hasattr(getattr(skreg, name), "fit") and not hasattr(getattr(skreg, name), "fit_moments")
]


def sums(n_targets=1):
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((20, 3)), rng.standard_normal((20, n_targets))
    y = Y[:, 0] if n_targets == 1 else Y
    return Moments.of(X, y), RowBlocks([(X, y), (X, y)])


IN_MEMORY = [name for name in OF_ROWS if name.startswith(("Huber", "RidgeClassifier"))]


@pytest.mark.parametrize("name", OF_ROWS)
def test_models_of_other_losses_say_that_they_need_rows(name):
    model = getattr(skreg, name)()
    moments, rows = sums()
    with pytest.raises(TypeError, match=f"^{name} takes rows: Moments are sums"):
        model.fit(moments, None)
    if name in IN_MEMORY:
        with pytest.raises(TypeError, match=f"^{name} takes rows in memory"):
            model.fit(rows, None)
    assert not hasattr(model, "n_features_in_")


def test_a_path_of_another_loss_says_that_it_needs_rows():
    assert {"LogisticRegression", "PoissonRegressorCV", "LinearSVC", "MLPRegressor"} <= set(OF_ROWS)
    with pytest.raises(TypeError, match=r"^LogisticRegression takes rows: Moments are sums"):
        regularization_path(skreg.LogisticRegression(), sums()[0])


@pytest.mark.parametrize(
    "model",
    [Lasso(), Ridge(), RidgeCV(cv=3), LassoCV(), MultiTaskElasticNet(), MultiTaskLassoCV()],
    ids=str,
)
def test_moments_are_for_another_method_than_fit(model):
    moments, rows = sums(2)
    with pytest.raises(TypeError, match="takes Moments by another method: use fit_moments"):
        model.fit(moments)
    if hasattr(model, "partial_fit"):
        with pytest.raises(TypeError, match="takes RowBlocks by another method: use fit"):
            model.partial_fit(rows, None)
