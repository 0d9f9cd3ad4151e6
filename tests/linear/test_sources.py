"""What goes wrong in a source of rows is named, and costs nothing that was there before."""

import re

import numpy as np
import pytest
from scipy import sparse

from skreg import Lasso, LassoCV, LogisticRegression, Moments, Ridge, RidgeCV, RowBlocks
from skreg.linear import moments


def data(n=40, p=4, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) + 3.0
    return X, X @ rng.standard_normal(p) + rng.standard_normal(n)


def forty_blocks(k, what):
    """Forty blocks, of which the k-th is another."""
    for i in range(40):
        X, y = data(seed=i)
        yield what(X, y) if i == k else (X, y)


def with_nan(X, y):
    X[31, 2] = np.nan
    return X, y


def broken(X, y):
    raise OSError("the connection is gone")


@pytest.mark.parametrize("model", [Lasso(alpha=0.1), LassoCV(cv=3), RidgeCV(cv=2)], ids=str)
@pytest.mark.parametrize(
    ("what", "text"),
    [
        (with_nan, r"block 37: Input X contains NaN.*row 31 of X, column 2"),
        (lambda X, y: (X[:, :3], y), "block 37: moments of 4 and of 3 features"),
        (lambda X, y: (X, y[:30]), "block 37: Found input variables with inconsistent"),
        (lambda X, y: (sparse.csr_array(X) * np.inf, y), "block 37: Input X contains inf"),
    ],
)
def test_a_bad_block_is_named_and_a_fitted_model_stays(model, what, text):
    before = model.fit(*data()).coef_
    with pytest.raises(ValueError, match=re.compile(text, re.DOTALL)):
        model.fit(RowBlocks(lambda: forty_blocks(37, what)))
    assert model.coef_ is before


@pytest.mark.parametrize("model", [Lasso(), RidgeCV(cv=2), LogisticRegression()], ids=str)
def test_tables_of_another_kind_are_said_to_be_those_of_blocks(model):
    X, y = data()
    y = y > y.mean() if isinstance(model, LogisticRegression) else y
    for bad, problem in ((X[:, :, None], "array with dim 3"), (X[:, :0], r"array with 0 feature")):
        with pytest.raises(ValueError, match=f"block 1: Found {problem}.* RowBlocks"):
            model.fit(RowBlocks([(X, y), (bad, y)]))
        with pytest.raises(ValueError, match=f"Found {problem}.* Moments"):
            Moments.of(bad, y)
        with pytest.raises(ValueError, match=f"Found {problem}.* Lasso"):
            Lasso().partial_fit(bad, y)


@pytest.mark.parametrize("model", [Lasso(alpha=0.1), Ridge()], ids=str)
def test_a_stream_goes_on_after_a_source_that_broke(model):
    X, y = data()
    model.partial_fit(X[:20], y[:20])
    for what, kind in ((broken, OSError), (with_nan, ValueError)):
        with pytest.raises(kind):
            model.fit(RowBlocks(forty_blocks(37, what)))
    assert model.n_samples_seen_ == 20
    wanted = type(model)(**model.get_params()).fit(X, y)
    np.testing.assert_allclose(model.partial_fit(X[20:], y[20:]).coef_, wanted.coef_, rtol=1e-9)


def test_an_error_of_the_source_says_for_which_block_it_was():
    with pytest.raises(OSError, match="the connection is gone") as caught:
        Lasso().fit(RowBlocks(lambda: forty_blocks(37, broken)))
    assert "when block 37 was asked for" in caught.value.__notes__[0]


@pytest.mark.parametrize("model", [Lasso(), LassoCV(cv=3)], ids=str)
def test_sources_without_rows(model, tmp_path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = pa.table({"a": np.arange(3.0), "y": np.arange(3.0)})
    with pytest.raises(FileNotFoundError, match="has no files"):
        RowBlocks.from_arrow(tmp_path, target="y")
    pq.write_table(table[:0], tmp_path / "none.parquet")
    for rows in (
        RowBlocks([]),
        RowBlocks(iter([])),
        RowBlocks.from_arrow(table[:0], target="y"),
        RowBlocks.from_arrow(tmp_path, target="y"),
    ):
        with pytest.raises(ValueError, match="the blocks have no rows"):
            model.fit(rows)
    with pytest.raises(TypeError, match=r"must return an iterable .* not NoneType"):
        model.fit(RowBlocks(lambda: None))
    assert not hasattr(model, "coef_")


def test_columns_are_put_in_order_by_name_in_files_and_refused_in_frames(tmp_path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    pd = pytest.importorskip("pandas")
    X, y = data()
    frame = pd.DataFrame(X, columns=list("abcd")).assign(y=y)
    for name, columns in (("1", "abcdy"), ("2", "dcyba")):
        table = pa.Table.from_pandas(frame[list(columns)], preserve_index=False)
        pq.write_table(table, tmp_path / f"{name}.parquet")
    found = Ridge().fit(RowBlocks.from_arrow(tmp_path, target="y"))
    wanted = Ridge().fit(np.vstack([X, X]), np.append(y, y))
    np.testing.assert_allclose(found.coef_, wanted.coef_, rtol=1e-10)
    parts = [(frame[list("abcd")], y), (frame[list("abdc")], y)]
    for model in (Ridge(), LassoCV(cv=3)):
        with pytest.raises(ValueError, match=r"block 1: .*feature 2 is 'c' and 'd'"):
            model.fit(RowBlocks(parts))


@pytest.mark.filterwarnings("ignore::skreg.GridEdgeWarning")
def test_a_fold_a_row_is_leave_one_out():
    X, y = data()
    model = LassoCV(alphas=[0.01, 0.1, 1.0], cv="loo").fit(X, y)
    found = LassoCV(alphas=[0.01, 0.1, 1.0]).fit(RowBlocks([(X, y, None, np.arange(len(X)))]))
    np.testing.assert_allclose(found.cv_result_.mean, model.cv_result_.mean, rtol=1e-10)
    assert found.alpha_ == model.alpha_
    with pytest.raises(ValueError, match="r2 of no fold is defined: the folds hold out single"):
        RidgeCV().fit(RowBlocks([(X, y, None, np.arange(len(X)))]))
    fold = np.r_[0, np.arange(1, len(X)) % 3 + 1]  # the first row is a fold of its own
    splits = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(4)]
    model = RidgeCV(alphas=[0.1, 1.0, 10.0], cv=splits).fit(X, y)
    found = RidgeCV(alphas=[0.1, 1.0, 10.0]).fit(RowBlocks([(X, y, None, fold)]))
    np.testing.assert_allclose(found.cv_result_.mean, model.cv_result_.mean, rtol=1e-9)


def test_sums_of_folds_too_large_for_memory_are_refused(monkeypatch):
    X, y = data()
    count = 1000 * moments.refuse_too_large.__defaults__[0]
    monkeypatch.setattr("os.sysconf", lambda name: count)  # a million bytes
    RowBlocks([(X, y, None, np.arange(40))]).moments_of_folds()
    wide = np.tile(X, 8)
    with pytest.raises(ValueError, match=r"for each of 40 folds, .* 121 times that.*or folds"):
        RowBlocks([(wide, y, None, np.arange(40))]).moments_of_folds()
    halves = [(wide[i], y[i], None, np.arange(40)[i]) for i in (slice(20), slice(20, 40))]
    with pytest.raises(ValueError, match=r"block 1: .* 40 folds"):
        RowBlocks(halves).moments_of_folds()


def test_queries_of_duckdb():
    duckdb = pytest.importorskip("duckdb")
    pa = pytest.importorskip("pyarrow")
    X, y = data(n=9000)
    table = pa.table({**{f"x{j}": X[:, j] for j in range(4)}, "y": y, "part": np.arange(9000) % 3})
    with duckdb.connect() as database:
        database.register("rows", table)
        query = database.sql("select * from rows")
        rows = RowBlocks.from_arrow(query, target="y", fold="part")
        for _ in range(2):  # which is asked anew
            found = Lasso(alpha=0.1).fit(rows)
            np.testing.assert_allclose(found.coef_, Lasso(alpha=0.1).fit(X, y).coef_, rtol=1e-9)
        assert LassoCV().fit(rows).mse_path_.shape == (100, 3)
        decimals = database.sql("select x0, x1::decimal(18, 9) as x1, y from rows")
        found = Ridge().fit(RowBlocks.from_arrow(decimals, target="y"))
        np.testing.assert_allclose(found.coef_, Ridge().fit(X[:, :2], y).coef_, rtol=1e-6)
        holed = database.sql("select nullif(x0, x0) as x0, y from rows")
        with pytest.raises(ValueError, match="block 0: the column 'x0' has a missing value in row"):
            Lasso().fit(RowBlocks.from_arrow(holed, target="y"))
        late = "select case when part = 2 then 'a' else '1' end::double as x0, y from rows"
        with pytest.raises(Exception, match="Could not convert") as caught:
            Lasso().fit(RowBlocks.from_arrow(database.sql(late), target="y"))
        assert "when block 0 was asked for" in caught.value.__notes__[0]
