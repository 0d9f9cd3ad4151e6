"""Models of smooth losses fitted to rows in blocks are those of the rows in memory."""

import block_fits
import numpy as np
import pytest
from block_fits import in_blocks
from scipy import sparse
from sklearn.base import clone

from skreg import (
    GammaRegressor,
    HuberRegressor,
    HuberRegressorCV,
    LinearSVC,
    LinearSVCCV,
    LogisticRegression,
    LogisticRegressionCV,
    PoissonRegressor,
    PoissonRegressorCV,
    RowBlocks,
    TweedieRegressor,
    TweedieRegressorCV,
    regularization_path,
)
from skreg.linear import room, row_blocks

N_FOLDS = 3


def data(kind, seed=0, n=160, p=5):
    """X, a target of this kind, weights of which some are zero, and folds."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) + 3.0
    X[:, 1] *= 5.0
    eta = (X - X.mean(axis=0)) @ np.append([0.6, 0.2], np.zeros(p - 2))
    if kind == "two":
        y = np.where(eta + rng.logistic(size=n) > 0, "yes", "no")
    elif kind == "three":
        utilities = np.stack([eta, -eta, 0.3 + 0.0 * eta], axis=1)
        y = np.argmax(utilities + rng.gumbel(size=(n, 3)), axis=1) * 10
    elif kind == "counts":
        y = rng.poisson(np.exp(np.clip(eta, -3.0, 2.0)))
    else:
        y = rng.gamma(2.0, np.exp(np.clip(eta, -3.0, 2.0))) + 0.01
    return X, y, rng.integers(0, 4, n) * 0.5, rng.integers(0, N_FOLDS, n)


def alike(found, wanted, rtol=1e-7):
    block_fits.alike(found, wanted, rtol)
    assert found.dual_gap_ <= 1e-8


MODELS = [
    ("two", LogisticRegression()),
    ("two", LogisticRegression(C=0.1, l1_ratio=1.0, class_weight="balanced")),
    ("two", LogisticRegression(C=np.inf, standardize=True)),
    ("two", LogisticRegression(C=0.1, l1_ratio=0.5, fit_intercept=False)),
    ("two", LogisticRegression(C=0.1, l1_ratio=1.0, penalty_factor=[0, 1, 1, np.inf, 2])),
    ("two", LogisticRegression(C=0.1, l1_ratio=0.5, lower_bound=-0.01, upper_bound=0.05)),
    ("three", LogisticRegression(C=0.5)),
    ("three", LogisticRegression(C=0.1, l1_ratio=1.0, standardize=True)),
    ("three", LogisticRegression(C=0.1, l1_ratio=0.5, class_weight={0: 2.0})),
    ("counts", PoissonRegressor(alpha=0.1)),
    ("counts", PoissonRegressor(alpha=0.1, l1_ratio=1.0, standardize=True)),
    ("counts", TweedieRegressor(power=1.5, alpha=0.05, l1_ratio=0.5)),
    ("amounts", GammaRegressor(alpha=0.0)),
    ("amounts", GammaRegressor(alpha=0.1, l1_ratio=1.0)),
    ("amounts", TweedieRegressor(power=0.0, alpha=0.1, l1_ratio=0.5)),
    ("two", LinearSVC(C=0.1)),
    ("three", LinearSVC(C=0.05, penalty="l1", class_weight="balanced")),
]


@pytest.mark.parametrize(("kind", "model"), MODELS, ids=str)
def test_fit_to_blocks_in_any_order_is_that_to_rows(kind, model):
    X, y, weight, _ = data(kind)
    wanted = clone(model).fit(X, y, weight)
    order = np.random.default_rng(1).permutation(len(y))
    found = clone(model).fit(in_blocks(X, y, weight, order=order))
    alike(found, wanted)
    if hasattr(wanted, "classes_"):
        np.testing.assert_array_equal(found.classes_, wanted.classes_)
        np.testing.assert_array_equal(found.predict(X), wanted.predict(X))


CHOOSING = [
    ("two", LogisticRegressionCV(Cs=4)),
    ("two", LogisticRegressionCV(alphas=15, l1_ratios=[0.5, 1.0], standardize=True)),
    ("two", LogisticRegressionCV(alphas=6, l1_ratios=[1.0], class_weight="balanced")),
    ("three", LogisticRegressionCV(alphas=5, l1_ratios=[1.0], fold_weights="size", refit=False)),
    ("counts", PoissonRegressorCV(alphas=5)),
    ("amounts", TweedieRegressorCV(power=1.7, alphas=6, l1_ratio=[1.0], rule="1se")),
    ("three", LinearSVCCV(Cs=3, class_weight="balanced")),
]


@pytest.mark.parametrize(("kind", "model"), CHOOSING, ids=str)
def test_cross_validation_is_that_in_memory_on_the_same_folds(kind, model):
    X, y, weight, fold = data(kind)
    splits = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(N_FOLDS)]
    wanted = clone(model).set_params(cv=splits).fit(X, y, weight)
    found = clone(model).fit(in_blocks(X, y, weight, fold))
    # Paths in memory end at a gap of 1e-10, and the mean of the folds' coefficients is of these.
    alike(found, wanted, rtol=1e-7 if getattr(model, "refit", True) else 1e-5)
    assert found.alpha_ == pytest.approx(wanted.alpha_, rel=1e-9)
    for name in ("alphas", "fold_weights"):
        given = getattr(wanted.cv_result_, name)
        np.testing.assert_allclose(getattr(found.cv_result_, name), given, rtol=1e-9)
    np.testing.assert_allclose(found.cv_result_.errors, wanted.cv_result_.errors, rtol=2e-4)


def test_few_passes_serve_many_alphas_and_folds():
    X, y, _, fold = data("two", n=300)
    fold, passes = fold % 2, []

    def blocks():
        passes.append(None)
        yield X[:100], y[:100], None, fold[:100]
        yield X[100:], y[100:], None, fold[100:]

    model = LogisticRegressionCV(alphas=100, l1_ratios=[1.0]).fit(RowBlocks(blocks))
    assert len(model.path_.alphas) == 100
    assert len(passes) <= 40


def test_rows_of_any_kind():
    X, y, weight, _ = data("two")
    wanted = LogisticRegression().fit(X, y, weight)
    thin = RowBlocks([(sparse.csr_array(X), y, weight)])
    alike(LogisticRegression().fit(thin), wanted)
    lists = RowBlocks([(X[:90].tolist(), y[:90].tolist()), (X[90:].tolist(), y[90:].tolist())])
    alike(LogisticRegression().fit(lists), LogisticRegression().fit(X, y))
    narrow = LogisticRegression().fit(in_blocks(X.astype(np.float32), y, weight))
    assert narrow.coef_.dtype == np.float32
    np.testing.assert_allclose(narrow.coef_, wanted.coef_, rtol=1e-4)


@pytest.mark.parametrize("exponent", [-100, 100])
def test_columns_far_from_order_one(exponent):
    X, y, _, _ = data("two")
    far = np.ldexp(X, exponent)
    wanted = LogisticRegression(C=0.1, l1_ratio=1.0, standardize=True).fit(far, y)
    found = LogisticRegression(C=0.1, l1_ratio=1.0, standardize=True).fit(in_blocks(far, y))
    np.testing.assert_allclose(found.coef_, wanted.coef_, rtol=1e-6)


def test_separated_classes_have_no_loss_left():
    X = np.arange(20.0)[:, None]
    y = (X[:, 0] > 9.5).astype(int)
    model = LogisticRegression(C=np.inf).fit(in_blocks(X, y, cuts=[8]))
    assert model.dual_gap_ <= 1e-8
    np.testing.assert_allclose(model.predict_proba(X)[:, 1], y, atol=1e-7)


def test_parquet(tmp_path):
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    X, y, weight, fold = data("counts")
    names = [f"x{j}" for j in range(X.shape[1])]
    columns = dict(zip(names, X.T, strict=True))
    table = pa.table({**columns, "y": y, "weight": weight, "fold": fold})
    for k in range(2):
        parquet.write_table(table[80 * k : 80 * (k + 1)], tmp_path / f"{k}.parquet")
    roles = {"target": "y", "sample_weight": "weight", "fold": "fold"}
    model = PoissonRegressorCV(alphas=4)
    found = clone(model).fit(RowBlocks.from_arrow(tmp_path, **roles))
    alike(found, clone(model).fit(in_blocks(X, y, weight, fold)), rtol=1e-9)
    assert list(found.feature_names_in_) == names
    alike(clone(model).fit(RowBlocks.from_arrow(table, **roles)), found, rtol=1e-9)
    with pytest.raises(ValueError, match="make RowBlocks of a callable"):
        clone(model).fit(RowBlocks.from_arrow(table.to_reader(), **roles))


def test_dask():
    array = pytest.importorskip("dask.array")
    frame = pytest.importorskip("dask.dataframe")
    pandas = pytest.importorskip("pandas")
    X, y, weight, fold = data("two")
    found = LogisticRegression().fit(array.from_array(X, chunks=(50, 2)), array.from_array(y))
    alike(found, LogisticRegression().fit(X, y), rtol=1e-9)
    table = pandas.DataFrame(X, columns=list("abcde")).assign(y=y, weight=weight, fold=fold)
    parts = frame.from_pandas(table, npartitions=3)
    rows = RowBlocks.from_dask(parts, y="y", sample_weight="weight", fold="fold")
    model = LogisticRegressionCV(alphas=2, l1_ratios=[1.0], class_weight="balanced")
    found = clone(model).fit(rows)
    alike(found, clone(model).fit(in_blocks(X, y, weight, fold)), rtol=1e-9)
    assert list(found.feature_names_in_) == list("abcde")


@pytest.fixture
def as_large_map(tmp_path, monkeypatch):
    """Makes of X a memory map that counts as large."""

    def made(X):
        X.tofile(tmp_path / "X")
        monkeypatch.setattr("skreg.rows.mapped.LARGE_MAP", 0)
        monkeypatch.setattr(row_blocks, "ROWS_A_COLUMN", 1)
        return np.memmap(tmp_path / "X", dtype=X.dtype, mode="r", shape=X.shape)

    return made


@pytest.mark.parametrize(
    ("kind", "model"),
    [
        ("two", LogisticRegression()),
        ("two", LogisticRegressionCV(alphas=3, l1_ratios=[1.0])),
        ("counts", PoissonRegressorCV(alphas=3, cv=4)),
    ],
    ids=str,
)
def test_large_memory_maps_are_read_in_blocks(kind, model, as_large_map, monkeypatch):
    X, y, _, _ = data(kind)
    wanted = clone(model).fit(X, y)
    mapped = as_large_map(X)
    with pytest.raises(ValueError, match="rows that come in blocks"):
        clone(model).set_params(relax=0.5).fit(RowBlocks([(X, y)]))
    passes = block_fits.counted_passes(monkeypatch)
    found = clone(model).fit(mapped, y)
    assert len(passes) > 2
    alike(found, wanted)
    if hasattr(found, "cv_result_"):
        np.testing.assert_allclose(found.cv_result_.errors, wanted.cv_result_.errors, rtol=2e-4)


@pytest.mark.parametrize(
    "model",
    [HuberRegressor(), HuberRegressorCV(alphas=3), TweedieRegressorCV(alphas=3)],
    ids=str,
)
def test_large_memory_maps_are_fitted_whole_where_a_model_takes_no_blocks(
    model, as_large_map, monkeypatch
):
    X, y, _, _ = data("amounts")
    passes = block_fits.counted_passes(monkeypatch)
    wanted, found = clone(model).fit(X, y), clone(model).fit(as_large_map(X), y)
    assert not passes
    np.testing.assert_allclose(found.coef_, wanted.coef_, rtol=1e-9)


def test_a_criterion_deals_the_rows_of_a_map_to_no_folds(as_large_map):
    X, y, _, _ = data("two")
    y = np.where(np.arange(len(y)) < 3, "rare", y)  # of which 5 folds would warn
    model = LogisticRegressionCV(alphas=3, l1_ratios=[1.0], rule="bic")
    wanted, found = clone(model).fit(X, y), clone(model).fit(as_large_map(X), y)
    alike(found, wanted, rtol=1e-6)


def test_a_path_of_blocks_is_that_of_rows():
    X, y, _, _ = data("two")
    model = LogisticRegression(l1_ratio=1.0)
    wanted = regularization_path(model, X, y, alphas=6)
    found = regularization_path(model, in_blocks(X, y), alphas=6)
    np.testing.assert_allclose(found.alphas, wanted.alphas, rtol=1e-12)
    np.testing.assert_allclose(found.coefs, wanted.coefs, atol=1e-5)
    assert found.dual_gaps.max() <= 1e-8
    between = 0.5 * (found.alphas[2] + found.alphas[3])
    np.testing.assert_allclose(found.coef_at(between), wanted.coef_at(between), atol=1e-7)


def test_second_derivatives_that_do_not_fit_into_memory_are_refused(monkeypatch):
    X, y, _, _ = data("two")
    monkeypatch.setattr(room, "SHARE_OF_HESSIANS", 1e-9)
    with pytest.raises(ValueError, match=r"second derivatives of 6 coefficients.* GiB.*fewer col"):
        LogisticRegression().fit(in_blocks(X, y))


@pytest.mark.parametrize(
    ("kind", "model"),
    [
        ("two", LogisticRegressionCV(alphas=3, l1_ratios=[1.0])),
        ("three", LinearSVC(C=0.1)),
        ("counts", PoissonRegressor()),
        ("amounts", TweedieRegressor(power=0.0)),
    ],
    ids=str,
)
def test_maps_whose_second_derivatives_do_not_fit_into_memory_are_fitted_whole(
    kind, model, as_large_map, monkeypatch
):
    X, y, _, _ = data(kind)
    wanted, mapped = clone(model).fit(X, y), as_large_map(X)
    monkeypatch.setattr(room, "memory_of_machine", lambda: 250)
    found = clone(model).fit(mapped, y)
    np.testing.assert_array_equal(found.coef_, wanted.coef_)


def test_nothing_is_refused_for_memory_that_the_system_does_not_tell(monkeypatch):
    monkeypatch.delattr("os.sysconf", raising=False)
    assert room.memory_of_machine() is None
    room.refuse_too_large(10**7, n_folds=10)
    assert room.n_hessians(10**7, 1) == 1
    assert room.n_hessians(6, 2) == room.MOST_HESSIANS


def test_what_is_refused():
    X, y, weight, fold = data("two")
    rows = in_blocks(X, y)
    with pytest.raises(ValueError, match="leave out y"):
        LogisticRegression().fit(rows, y)
    with pytest.raises(ValueError, match="make RowBlocks of a callable"):
        LogisticRegression().fit(RowBlocks(iter([(X, y)])))
    with pytest.raises(ValueError, match="contains only one class: 'yes'"):
        LogisticRegression().fit(RowBlocks([(X, np.full(len(y), "yes"))]))
    with pytest.raises(ValueError, match="no rows"):
        LogisticRegression().fit(RowBlocks([]))
    with pytest.raises(ValueError, match="no row with a weight above zero"):
        LogisticRegression().fit(in_blocks(X, y, (y == "yes").astype(float)))
    with pytest.raises(TypeError, match="HuberRegressor takes rows in memory"):
        HuberRegressor().fit(in_blocks(X, X[:, 0]))
    with pytest.raises(ValueError, match="takes no relax"):
        LogisticRegression(l1_ratio=1.0, relax=0.5).fit(rows)
    with pytest.raises(ValueError, match="leave scoring at None"):
        LogisticRegressionCV(scoring="accuracy").fit(rows)
    with pytest.raises(ValueError, match="leave cv and n_folds at None"):
        LogisticRegressionCV(cv=3).fit(in_blocks(X, y, weight, fold))
    with pytest.raises(ValueError, match="cv must be a number of folds"):
        LogisticRegressionCV(cv=[([0], [1])]).fit(rows)
    with pytest.raises(ValueError, match="block 2: loss='poisson' needs y that are not negative"):
        PoissonRegressor().fit(RowBlocks([(X, X[:, 0] ** 2), (X[:0], []), (X, -np.ones(len(y)))]))
    broken = X.copy()
    broken[3, 2] = np.nan
    with pytest.raises(ValueError, match=r"(?s)block 1: .*row 3 of X, column 2"):
        LogisticRegression().fit(RowBlocks([(X, y), (broken, y)]))
    with pytest.raises(ValueError, match="block 1: classes are text here and numbers before"):
        LogisticRegression().fit(RowBlocks([(X, np.arange(len(y)) % 2), (X, y)]))
    narrow = RowBlocks([(X[y == "yes"], y[y == "yes"]), (X[y != "yes", 1:], y[y != "yes"])])
    for class_weight in (None, "balanced"):
        with pytest.raises(ValueError, match=r"block 1: moments of .* features do not add up"):
            LogisticRegression(class_weight=class_weight).fit(narrow)
    with pytest.raises(TypeError, match="X to predict must be rows in memory, not RowBlocks"):
        LogisticRegression().fit(X, y).predict(rows)
    for model in (PoissonRegressor(), LogisticRegression()):
        with pytest.raises(TypeError, match=r"^y must be rows in memory, not RowBlocks$"):
            model.fit(X, rows)


def test_rows_that_change_between_passes_are_refused():
    X, y, _, _ = data("two")
    passes = []

    def blocks():
        passes.append(None)
        yield X[len(passes) :], y[len(passes) :]

    with pytest.raises(ValueError, match="must return the same rows each time"):
        LogisticRegression().fit(RowBlocks(blocks))
    once = iter([(X, y)])
    with pytest.raises(ValueError, match="no rows: the callable must return a new iterable"):
        LogisticRegression().fit(RowBlocks(lambda: once))
    with pytest.raises(ValueError, match="all of them"):
        LogisticRegressionCV().fit(RowBlocks([(X, y, None, y == "yes")]))


@pytest.mark.one_in(8)
@pytest.mark.parametrize("seed", range(32))
def test_random_problems_of_few_rows(seed):
    """Steps from the null model are long, and rows leave the margin of the hinge."""
    rng = np.random.default_rng(seed)
    n, p = int(rng.integers(15, 120)), int(rng.integers(1, 20))
    X = (rng.standard_normal((n, p)) + rng.choice([0.0, 50.0])) * 10.0 ** rng.uniform(-2, 2, p)
    spread = (X - X.mean(axis=0)) / X.std(axis=0)
    eta = spread @ rng.standard_normal(p) * rng.choice([0.2, 1.0])
    l1_ratio, alpha = float(rng.choice([0.0, 0.01, 0.5, 1.0])), 10.0 ** rng.uniform(-3, 0)
    kind, settings = seed % 5, {"standardize": True, "fit_intercept": bool(rng.random() < 0.8)}
    if kind < 2:
        y = (eta + rng.logistic(size=n) > 0).astype(int)
        y[:2] = 0, 1
    elif kind == 2:
        y = np.argmax(eta[:, None] * rng.standard_normal(3) + rng.gumbel(size=(n, 3)), axis=1)
        y[:3] = 0, 1, 2
    else:
        y = rng.gamma(1.5, np.exp(np.clip(eta, -4.0, 4.0))) + 1e-6
    model = [
        LogisticRegression(C=1.0 / (alpha * n), l1_ratio=l1_ratio, **settings),
        LinearSVC("elasticnet", C=1.0 / (alpha * n), l1_ratio=l1_ratio, **settings),
        LogisticRegression(C=1.0 / (alpha * n), l1_ratio=l1_ratio, **settings),
        PoissonRegressor(alpha=alpha, l1_ratio=l1_ratio, **settings),
        GammaRegressor(alpha=alpha, l1_ratio=l1_ratio, **settings),
    ][kind]
    cuts = np.sort(rng.integers(0, n, 3))
    found = clone(model).fit(in_blocks(X, y, cuts=cuts))
    alike(found, clone(model).fit(X, y), rtol=1e-5 if kind == 1 else 1e-7)
