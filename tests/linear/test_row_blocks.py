"""Fits to rows that come in blocks, of tuples and of Arrow, are those to the rows in memory."""

import re

import numpy as np
import pytest
from block_fits import alike, counted_passes, in_blocks, weighted_rows
from scipy import sparse
from sklearn.base import clone

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
)


@pytest.mark.parametrize("model", [Lasso(alpha=0.1), ElasticNet(alpha=0.1), Ridge(alpha=2.0)])
def test_fit_to_blocks_is_that_to_rows(model):
    X, y, weight = weighted_rows()
    wanted = clone(model).fit(X, y, weight)
    alike(clone(model).fit(in_blocks(X, y, weight)), wanted)
    assert not hasattr(clone(model).fit(in_blocks(X, y)), "n_samples_seen_")
    lists = RowBlocks([(X[:50].tolist(), y[:50].tolist()), (X[50:].tolist(), y[50:].tolist())])
    alike(clone(model).fit(lists), clone(model).fit(X, y))
    thin = RowBlocks([(sparse.csr_array(X), y)])
    alike(clone(model).fit(thin), clone(model).fit(X, y))


@pytest.mark.parametrize(
    "model",
    [LassoCV(rule="1se"), ElasticNetCV(l1_ratio=[0.5, 1.0]), RidgeCV(alphas=[0.1, 1.0, 30.0])],
    ids=str,
)
@pytest.mark.parametrize("label", [int, str])
@pytest.mark.filterwarnings("ignore::skreg.GridEdgeWarning")
def test_folds_that_come_with_the_blocks(model, label):
    X, y, weight = weighted_rows()
    fold = np.arange(len(X)) % 3
    rows = np.arange(len(X))
    splits = [(rows[fold != k], rows[fold == k]) for k in range(3)]
    wanted = clone(model).set_params(cv=splits).fit(X, y, weight)
    blocks = in_blocks(X, y, weight, fold.astype(label))
    found = clone(model).fit(blocks)
    alike(found, wanted)
    np.testing.assert_allclose(found.cv_result_.errors, wanted.cv_result_.errors, rtol=1e-9)


def test_rows_are_dealt_alike_however_they_are_split():
    X, y, weight = weighted_rows()
    one = LassoCV(cv=4).fit(RowBlocks([(X, y, weight)]))
    other = LassoCV(cv=4).fit(in_blocks(X, y, weight))
    np.testing.assert_allclose(one.mse_path_, other.mse_path_, rtol=1e-10)
    assert one.mse_path_.shape == (100, 4)
    again = LassoCV(cv=4).fit(RowBlocks([(X, y, weight)], random_state=1))
    assert not np.allclose(one.mse_path_, again.mse_path_)
    sizes = [part.n_rows for part in RowBlocks([(X, y)]).moments_of_folds()]
    assert len(sizes) == 5
    assert sum(sizes) == 90
    assert min(sizes) > 5


@pytest.mark.filterwarnings("ignore::skreg.GridEdgeWarning")
@pytest.mark.parametrize("model", [LassoCV(cv=3), RidgeCV(cv=3)], ids=str)
def test_a_number_is_the_weight_of_every_row(model):
    X, y, _ = weighted_rows()
    wanted = clone(model).fit(RowBlocks([(X, y, np.full(90, 2.0))]))
    for weight in (2, 2.0, np.float64(2.0)):
        alike(clone(model).fit(RowBlocks([(X, y, weight)])), wanted)
    alike(clone(model).fit(RowBlocks([(X, y, 2.0), (X, y, 0.0)])), wanted)
    with pytest.raises(ValueError, match="block 0: Negative values in sample_weight"):
        clone(model).fit(RowBlocks([(X, y, -2.0)]))


def test_criteria_take_one_pass_without_folds():
    X, y, _ = weighted_rows()
    alike(LassoCV(rule="bic").fit(in_blocks(X, y)), LassoCV(rule="bic").fit(X, y))


def test_numbers_that_are_none():
    X, y, _ = weighted_rows()
    with pytest.raises(TypeError, match="n_folds must be an int, not float"):
        RowBlocks([(X, y)]).moments_of_folds(2.5)
    with pytest.raises(TypeError, match="random_state must be an int, not RandomState"):
        RowBlocks([(X, y)], random_state=np.random.RandomState(0))


def test_an_iterator_serves_one_pass():
    X, y, _ = weighted_rows()
    rows = RowBlocks((X[i : i + 30], y[i : i + 30]) for i in range(0, 90, 30))
    alike(Lasso(alpha=0.1).fit(rows), Lasso(alpha=0.1).fit(X, y))
    with pytest.raises(ValueError, match="an iterator, which serves one pass"):
        Lasso(alpha=0.1).fit(rows)


def test_what_is_wrong_names_the_block():
    X, y, weight = weighted_rows()
    bad = X.copy()
    bad[45, 2] = np.nan
    model = Lasso(alpha=0.1).fit(X, y)
    coef = model.coef_
    cases = [
        (in_blocks(bad, y), "block 7: Input X contains NaN"),
        (in_blocks(bad, y), "row 4 of X, column 2"),
        (RowBlocks([(X, y), (X[:, :3], y)]), "block 1: moments of 5 and of 3 features"),
        (RowBlocks([(X, y), (X, y[:3])]), "block 1: Found input variables with inconsistent"),
        (RowBlocks([(X, y), X]), "block 1 must be a tuple (X, y)"),
        (RowBlocks([(X,)]), "got a tuple of length 1"),
        (RowBlocks([(X, None)]), "block 0 has no y"),
        (RowBlocks([(X, y, weight - 1)]), "block 0: Negative values in sample_weight"),
        (RowBlocks([]), "the blocks have no rows"),
        (RowBlocks([(X[:0], y[:0])]), "the blocks have no rows"),
        (RowBlocks([(X, y, 0.0 * weight)]), "the blocks have no rows"),
    ]
    for rows, text in cases:
        with pytest.raises((TypeError, ValueError), match=re.escape(text)):
            model.fit(rows)
        assert model.coef_ is coef
    with pytest.raises(ValueError, match="RowBlocks have y in each block"):
        model.fit(in_blocks(X, y), y)
    with pytest.raises(TypeError, match="blocks must be an iterable"):
        RowBlocks(3)
    with pytest.raises(ValueError, match="leave cv and n_folds at None"):
        LassoCV(cv=3).fit(in_blocks(X, y, weight, np.arange(90) % 3))
    zeros = np.zeros(90, dtype=int)
    with pytest.raises(ValueError, match="block 1: moments of 5 and of 4 features"):
        LassoCV().fit(RowBlocks([(X, y, None, zeros), (X[:, 1:], y, None, zeros + 1)]))
    with pytest.raises(ValueError, match="there are no folds: set cv"):
        RidgeCV().fit(in_blocks(X, y))
    with pytest.raises(ValueError, match="at least 2 folds, got 1"):
        LassoCV().fit(in_blocks(X, y, weight, np.zeros(90)))
    with pytest.raises(ValueError, match="fold is missing in row 0"):
        RowBlocks([(X, y, None, np.full(90, np.nan))]).moments_of_folds()
    fold = np.arange(90) % 3
    mixed = RowBlocks([(X, y, None, fold), (X, y, None, fold.astype(str))])
    with pytest.raises(ValueError, match="block 1: folds are text here and numbers before"):
        mixed.moments_of_folds()


def test_an_iterator_that_raises_leaves_the_model_as_it_was():
    X, y, _ = weighted_rows()

    def broken():
        yield X, y
        raise OSError("the disk is gone")

    model = Lasso(alpha=0.1)
    with pytest.raises(OSError, match="the disk is gone"):
        model.fit(RowBlocks(broken))
    assert not hasattr(model, "coef_")


def test_progress(capsys, monkeypatch):
    monkeypatch.setattr("skreg.rows.lines.BETWEEN_LINES", 0.0)
    X, y, _ = weighted_rows()
    RowBlocks([(X, y), (X, y)], verbose=True).moments()
    assert capsys.readouterr().err.splitlines()[-1].startswith("180 rows, 2 blocks")


@pytest.mark.filterwarnings("ignore::skreg.GridEdgeWarning")
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize(
    "model",
    [
        Lasso(alpha=0.1),
        Ridge(),
        LassoCV(cv=4),
        ElasticNetCV(fold_weights="size"),
        RidgeCV(cv=3, alphas=[0.1, 1.0, 10.0]),
        LassoCV(rule="bic"),
        LassoCV(adaptive=1.0),
    ],
    ids=str,
)
def test_large_memory_maps_are_read_in_blocks(model, order, tmp_path, monkeypatch):
    monkeypatch.setattr("skreg.rows.mapped.LARGE_MAP", 0)
    monkeypatch.setattr("skreg.linear.row_blocks.ROWS_A_COLUMN", 1)
    monkeypatch.setattr("skreg.linear.row_blocks.BLOCK_ENTRIES", 100)
    X, y, weight = weighted_rows()
    mapped = np.memmap(tmp_path / "X", float, mode="w+", shape=(90, 7), order=order)
    mapped[:, 1:6] = X
    mapped = mapped[:, 1:6]
    wanted, passes = clone(model).fit(X, y, weight), counted_passes(monkeypatch)
    found = clone(model).fit(mapped, y, weight)
    assert len(passes) == 1
    alike(found, wanted)
    alike(clone(model).fit(mapped, y, 2.0), clone(model).fit(X, y, 2.0))
    if hasattr(wanted, "cv_result_"):
        np.testing.assert_allclose(found.cv_result_.errors, wanted.cv_result_.errors, rtol=1e-9)
    with pytest.raises(ValueError, match=r"inconsistent|y has 80 rows where X has 90"):
        clone(model).fit(mapped, y[:80])


@pytest.mark.parametrize("kind", [MultiTaskElasticNet, MultiTaskLasso, MultiTaskLassoCV])
def test_large_memory_maps_of_several_tasks_are_read_in_blocks(kind, tmp_path, monkeypatch):
    monkeypatch.setattr("skreg.rows.mapped.LARGE_MAP", 0)
    monkeypatch.setattr("skreg.linear.row_blocks.ROWS_A_COLUMN", 1)
    X, y, weight = weighted_rows()
    Y = np.column_stack([y, X[:, 0] - y**2])
    mapped = np.memmap(tmp_path / "X", float, mode="w+", shape=X.shape)
    mapped[:] = X
    passes = counted_passes(monkeypatch)
    alike(kind().fit(mapped, Y, weight), kind().fit(X, Y, weight))
    assert len(passes) == 1
    with pytest.raises(ValueError, match="y has 80 rows where X has 90"):  # of the blocks' check
        kind().fit(mapped, Y[:80])


# Arrow ----------------------------------------------------------------------------------------


@pytest.fixture
def table():
    pa = pytest.importorskip("pyarrow")
    X, y, weight = weighted_rows()
    columns = {f"x{j}": X[:, j] for j in range(5)}
    return pa.table({**columns, "y": y, "w": weight, "part": np.arange(90) % 3})


def names_of(model):
    return model.feature_names_in_.tolist()


def test_parquet_files_datasets_readers_and_streams(table, tmp_path):
    import pyarrow.dataset as ds
    import pyarrow.parquet as pq

    X, y, weight = weighted_rows()
    wanted = Lasso(alpha=0.1).fit(X, y, weight)
    pq.write_table(table[:40], tmp_path / "a-1.parquet", row_group_size=7)
    pq.write_table(table[40:], tmp_path / "a-2.parquet")
    features = [f"x{j}" for j in range(5)]
    roles = {"target": "y", "sample_weight": "w", "columns": features}
    sources = [
        tmp_path,
        str(tmp_path / "a-*.parquet"),
        [tmp_path / "a-1.parquet", tmp_path / "a-2.parquet"],
        ds.dataset(tmp_path),
        table.to_reader(max_chunksize=11),
        table,
    ]
    for source in sources:
        found = Lasso(alpha=0.1).fit(RowBlocks.from_arrow(source, **roles))
        alike(found, wanted)
        assert names_of(found) == features
    rows = RowBlocks.from_arrow(tmp_path, **{**roles, "fold": "part"})
    assert [part.n_rows for part in rows.moments_of_folds()] == [30, 30, 30]
    whole = RowBlocks.from_arrow(tmp_path, target=["y", "w"], fold="part").moments()
    assert (whole.n_targets, whole.n_features) == (2, 5)
    assert whole.feature_names.tolist() == features


def test_frames_of_polars_and_pandas(table):
    polars = pytest.importorskip("polars")
    frame = polars.from_arrow(table)
    rows = RowBlocks.from_arrow(frame, target="y", sample_weight="w", fold="part")
    X, y, weight = weighted_rows()
    alike(Lasso(alpha=0.1).fit(rows), Lasso(alpha=0.1).fit(X, y, weight))
    with pytest.raises(TypeError, match="of a lazy frame write the result"):
        RowBlocks.from_arrow(frame.lazy(), target="y")


def test_float32_columns_give_float32(table):
    pa = pytest.importorskip("pyarrow")
    narrow = table.select([f"x{j}" for j in range(5)]).cast(
        pa.schema([(f"x{j}", pa.float32()) for j in range(5)])
    )
    narrow = narrow.append_column("y", table["y"])
    model = Lasso(alpha=0.1).fit(RowBlocks.from_arrow(narrow, target="y"))
    assert model.coef_.dtype == np.float32


def test_columns_that_are_wrong(table, tmp_path):
    pa = pytest.importorskip("pyarrow")
    text = table.append_column("city", pa.array(["a"] * 90))
    holed = table.set_column(1, "x1", pa.array([None, *range(89)]))
    cases = [
        (text, {"target": "y"}, "the column 'city' holds string"),
        (table, {"target": "z"}, "there is no column 'z'"),
        (table, {"target": "y", "columns": ["x0", "y"]}, "another role too"),
        (table, {"target": "y", "columns": []}, "no columns are left"),
        (holed, {"target": "y"}, "block 0: the column 'x1' has a missing value in row 0"),
    ]
    for source, roles, message in cases:
        with pytest.raises(ValueError, match=message):
            Lasso().fit(RowBlocks.from_arrow(source, **roles))
    with pytest.raises(FileNotFoundError, match="there is no file"):
        RowBlocks.from_arrow(tmp_path / "none.parquet", target="y")
    with pytest.raises(FileNotFoundError, match="no file fits"):
        RowBlocks.from_arrow(str(tmp_path / "*.parquet"), target="y")
    with pytest.raises(TypeError, match="source must be Parquet"):
        RowBlocks.from_arrow(3.0, target="y")


def test_names_of_arrays():
    X, y, _ = weighted_rows()
    assert Moments.of(X, y, feature_names=list("abcde")).feature_names.tolist() == list("abcde")
    with pytest.raises(ValueError, match="1 names for 5 columns"):
        Moments.of(X, y, feature_names=["a"])
