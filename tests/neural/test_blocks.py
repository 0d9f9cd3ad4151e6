"""Networks fitted to rows that are read block by block."""

import gc
import itertools
import re
import weakref

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from skreg import MLPClassifier, MLPRegressor, Moments, RowBlocks
from skreg.neural.checked_blocks import CheckedBlocks
from skreg.rows.row_sample import RowSample, row_keys

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
N = 300
X = RNG.standard_normal((N, 5))
y = X[:, 0] + np.abs(X[:, 1])
CLASSES = np.array(["c", "a", "b"])[np.digitize(y, [0.0, 1.0])]
WEIGHT = RNG.integers(0, 4, N) / 2
LABELS = (X[:, :2] > 0).astype(int)
SPLITS = [(), (1, 100, 150, 290), tuple(range(30, 300, 30))]


def blocks(*columns, at=SPLITS[1]):
    return [tuple(parts) for parts in zip(*(np.split(each, at) for each in columns), strict=True)]


def net(kind=MLPRegressor, **options):
    common = {"hidden_layer_sizes": 6, "max_iter": 3, "random_state": 0, "batch_size": 32}
    return kind(**{**common, "learning_rate_init": 0.01, **options})


def arrays(model):
    return [*model.coefs_, *model.intercepts_]


def same(found, wanted, atol=1e-12):
    for one, other in zip(arrays(found), arrays(wanted), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=atol)


CASES = [
    (MLPRegressor, y, {}),
    (MLPRegressor, y, {"solver": "sgd", "normalization": "batch"}),
    (MLPRegressor, np.column_stack([y, -y]), {"dropout": 0.2, "learning_rate": "one_cycle"}),
    (MLPRegressor, y, {"solver": "lbfgs", "dtype": "float32"}),
    (MLPClassifier, CLASSES, {"class_weight": "balanced"}),
    (MLPClassifier, CLASSES, {"class_weight": {"a": 0, "c": 2.5}, "label_smoothing": 0.1}),
    (MLPClassifier, CLASSES == "a", {"solver": "lbfgs", "label_smoothing": 0.1}),
    (MLPClassifier, LABELS, {"mixup": 0.2}),
]


@pytest.mark.parametrize("split", SPLITS, ids=len)
@pytest.mark.parametrize(("kind", "target", "options"), CASES)
def test_without_shuffling_any_split_gives_the_fit_in_memory(kind, target, options, split):
    for weight in ([], [WEIGHT]):
        wanted = net(kind, shuffle=False, **options).fit(X, target, *weight)
        rows = RowBlocks(blocks(X, target, *weight, at=split))
        found = net(kind, shuffle=False, **options).fit(rows)
        same(found, wanted)
        assert found.loss_ == pytest.approx(wanted.loss_, rel=1e-12)
        assert (found.t_, found.n_iter_) == (wanted.t_, wanted.n_iter_)
        if kind is MLPClassifier:
            assert found.classes_.tolist() == wanted.classes_.tolist()


@pytest.mark.parametrize("kind", [MLPRegressor, MLPClassifier])
def test_with_shuffling_it_learns_and_a_seed_gives_one_answer(kind):
    target = y if kind is MLPRegressor else CLASSES
    rows = RowBlocks(blocks(X, target))
    options = {"max_iter": 40, "early_stopping": True, "learning_rate_init": 0.02}
    one, two, other = (net(kind, **options, random_state=k).fit(rows) for k in (0, 0, 1))
    same(one, two, atol=0)
    assert one.validation_scores_ == two.validation_scores_
    assert not np.array_equal(one.coefs_[0], other.coefs_[0])
    in_memory = net(kind, **options).fit(X, target).score(X, target)
    assert one.score(X, target) > in_memory - 0.1


def test_sparse_blocks_and_frames():
    stored = scipy.sparse.csr_array(np.where(np.abs(X) > 1, X, 0))
    rows = RowBlocks([(stored[:100], y[:100]), (stored[100:], y[100:])])
    same(net(shuffle=False).fit(rows), net(shuffle=False).fit(stored, y))
    frame = pd.DataFrame(X, columns=list("abcde"))
    rows = RowBlocks([(frame[:100], pd.Series(y[:100])), (frame[100:], pd.Series(y[100:]))])
    found = net(early_stopping=True, scoring="r2").fit(rows)
    assert found.feature_names_in_.tolist() == list("abcde")
    found.predict(frame)
    wrong = RowBlocks([(frame[:100], y[:100]), (frame[100:][list("bacde")], y[100:])])
    with pytest.raises(ValueError, match="block 1: The feature names should match"):
        net().fit(wrong)


def test_weights_classes_and_rows_that_do_not_count():
    """A class that comes late, blocks with weights beside such without, and of no weight."""
    order = np.argsort(CLASSES, kind="stable")
    Z, target = X[order], CLASSES[order]
    first = [(Z[:50], target[:50]), (Z[50:60], target[50:60], np.zeros(10))]
    rest = [(Z[60:200], target[60:200], 2.0), (Z[200:], target[200:], WEIGHT[200:])]
    weight = np.concatenate([np.ones(50), np.zeros(10), np.full(140, 2.0), WEIGHT[200:]])
    wanted = net(MLPClassifier, shuffle=False).fit(Z, target, weight)
    found = net(MLPClassifier, shuffle=False).fit(RowBlocks(first + rest))
    assert found.classes_.tolist() == ["a", "b", "c"]
    same(found, wanted)


# Rows held out ----------------------------------------------------------------------------------


def test_rows_are_held_out_alike_however_they_are_split():
    options = {"early_stopping": True, "validation_fraction": 0.25, "shuffle": False}
    found = [net(**options).fit(RowBlocks(blocks(X, y, WEIGHT, at=at))) for at in SPLITS]
    for each in found[1:]:
        same(each, found[0])
        np.testing.assert_allclose(each.validation_scores_, found[0].validation_scores_)
    keys = row_keys(found[0]._split_seed, 0, 0, N)
    held = (keys < 0.25) & (WEIGHT > 0)
    trained = (keys >= 0.25) & (WEIGHT > 0)
    assert 40 < held.sum() < 80
    wanted = net(shuffle=False, early_stopping=True)
    wanted.fit(X[trained], y[trained], WEIGHT[trained], X_val=X[held], y_val=y[held])
    assert found[0].t_ == wanted.t_ == 3 * trained.sum()


def test_validation_data_of_the_user():
    options = {"shuffle": False, "early_stopping": True}
    given = {"X_val": X[250:], "y_val": CLASSES[250:]}
    wanted = net(MLPClassifier, class_weight="balanced", **options).fit(X, CLASSES, **given)
    found = net(MLPClassifier, class_weight="balanced", **options)
    found.fit(RowBlocks(blocks(X, CLASSES)), **given)
    same(found, wanted)
    np.testing.assert_allclose(found.validation_scores_, wanted.validation_scores_)


def test_keys_are_uniform_and_do_not_depend_on_the_split():
    keys = row_keys(5, 0, 0, 20_000)
    parts = [row_keys(5, 0, 0, 123), row_keys(5, 0, 123, 20_000 - 123)]
    np.testing.assert_array_equal(np.concatenate(parts), keys)
    shares = np.bincount((keys * 10).astype(int), minlength=10) / 20_000
    np.testing.assert_allclose(shares, 0.1, atol=0.01)
    for other in (row_keys(5, 1, 0, 20_000), row_keys(6, 0, 0, 20_000), np.roll(keys, 1)):
        assert abs(np.corrcoef(keys, other)[0, 1]) < 0.03


def test_a_sample_has_the_smallest_keys():
    keys = RNG.random(1000)
    sample, numbers = RowSample(most=50, limit=0.5), np.arange(1000)
    for part in np.split(numbers, [3, 500, 501, 940]):
        sample.add(keys[part], part[:, None], part, np.ones(len(part)))
        assert len(sample) <= 2 * 50 + 500
    X_kept, y_kept, _ = sample.cut(50).rows
    np.testing.assert_array_equal(y_kept, np.sort(np.argsort(keys)[:50]))
    np.testing.assert_array_equal(X_kept[:, 0], y_kept)
    assert np.sum(keys < sample.limit) == 50


def test_few_rows_are_held_out_of_very_many(monkeypatch):
    monkeypatch.setattr("skreg.neural.block_rows.HELD_ENTRIES", 1)
    monkeypatch.setattr("skreg.neural.block_rows.FEWEST_KEPT", 20)
    options = {"early_stopping": True, "validation_fraction": 0.5, "shuffle": False}
    found = [net(**options).fit(RowBlocks(blocks(X, y, at=at))) for at in SPLITS]
    assert [each.t_ for each in found] == [3 * (N - 20)] * 3
    same(found[1], found[0])


# Sources ----------------------------------------------------------------------------------------


def test_a_callable_is_read_once_more_than_there_are_epochs():
    passes = []

    def source():
        passes.append(1)
        yield from blocks(X, y)

    wanted = net(shuffle=False).fit(X, y)
    same(net(shuffle=False).fit(RowBlocks(source)), wanted)
    assert len(passes) == 1 + 3
    with pytest.raises(ValueError, match="iterator, which serves one pass"):
        net().fit(RowBlocks(iter(blocks(X, y))))
    spent = iter(blocks(X, y))
    with pytest.raises(ValueError, match=r"gave 0 rows in 0 blocks where the first pass had 300"):
        net().fit(RowBlocks(lambda: spent))


def test_three_blocks_are_alive_at_most():
    """Two that are mixed, of which the second may be another copy while it is checked."""
    alive, most = set(), []

    def source():
        for k, (rows, target) in enumerate(blocks(X, y, at=SPLITS[2])):
            made = rows.copy()
            number = (len(most), k)
            alive.add(number)
            weakref.finalize(made, alive.discard, number)
            most.append(len(alive))
            yield made, target
            del made

    gc.disable()
    try:
        net(early_stopping=True).fit(RowBlocks(source))
    finally:
        gc.enable()
    assert len(most) == 4 * 10
    assert max(most) <= 3


def test_memory_maps_are_read_in_slices(tmp_path, monkeypatch):
    monkeypatch.setattr("skreg.rows.mapped.LARGE_MAP", 0)
    monkeypatch.setattr("skreg.rows.mapped.SHUFFLED_ENTRIES", 5 * 64)
    mapped = np.memmap(tmp_path / "X", float, mode="w+", shape=X.shape)
    mapped[:] = X
    seen = []
    checked = CheckedBlocks._checked

    def watched(self, block, row):
        found = checked(self, block, row)
        seen.append((len(block.y), np.shares_memory(found.X, mapped)))
        return found

    monkeypatch.setattr(CheckedBlocks, "_checked", watched)
    options = {"dtype": "float64", "shuffle": False}
    wanted = net(MLPClassifier, **options).fit(X, CLASSES, WEIGHT)
    assert not seen
    same(net(MLPClassifier, **options).fit(mapped, pd.Series(CLASSES), WEIGHT), wanted)
    assert set(seen) == {(64, True), (N % 64, True)}
    with pytest.raises(ValueError, match="y has 80 rows where X has 300"):
        net().fit(mapped, y[:80])


def test_parquet_files_by_row_groups(tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    columns = {f"x{j}": X[:, j] for j in range(5)}
    table = pa.table({**columns, "y": CLASSES, "w": WEIGHT})
    pq.write_table(table, tmp_path / "rows.parquet", row_group_size=70)
    rows = RowBlocks.from_arrow(tmp_path, target="y", sample_weight="w")
    assert [sum(len(block.y) for block in part()) for part in rows.parts()] == [70] * 4 + [20]
    wanted = net(MLPClassifier, shuffle=False).fit(X, CLASSES, WEIGHT)
    same(net(MLPClassifier, shuffle=False).fit(rows), wanted)
    found = net(MLPClassifier, early_stopping=True, scoring="accuracy").fit(rows)
    assert found.feature_names_in_.tolist() == [f"x{j}" for j in range(5)]
    holed = table.set_column(1, "x1", pa.array([*range(290), None, *range(9)]))
    pq.write_table(holed, tmp_path / "holed.parquet", row_group_size=70)
    rows = RowBlocks.from_arrow(tmp_path / "holed.parquet", target="y", sample_weight="w")
    with pytest.raises(
        ValueError, match=r"row group 4 of .*: the column 'x1' has a missing value in row 10"
    ):
        net(MLPClassifier).fit(rows)


def test_a_dataset_of_the_user_keeps_its_filter(tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.dataset as ds
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"x": X[:, 0], "y": y}), tmp_path / "rows.parquet", row_group_size=70)
    rows = ds.dataset(tmp_path).filter(ds.field("x") > 0)
    found = net(max_iter=1).fit(RowBlocks.from_arrow(rows, target="y"))
    assert found.t_ == np.sum(X[:, 0] > 0)


def test_partitions_of_dask():
    dask = pytest.importorskip("dask")
    da = pytest.importorskip("dask.array")
    given = [da.from_array(each, chunks=70) for each in (y, WEIGHT)]
    wanted = net(shuffle=False).fit(X, y, WEIGHT)
    with dask.config.set(scheduler="synchronous"):
        Z = da.from_array(X, chunks=(70, 5))
        same(net(shuffle=False).fit(RowBlocks.from_dask(Z, *given)), wanted)
        same(net(shuffle=False).fit(Z, *given), wanted)


# What is refused --------------------------------------------------------------------------------


BAD = X.copy()
BAD[7, 2] = np.nan


@pytest.mark.parametrize(
    ("kind", "rows", "message"),
    [
        (MLPRegressor, [(X, y), (BAD, y)], "block 1: Input X contains NaN.*row 7 of X, column 2"),
        (MLPRegressor, [(X, y), (X, BAD[:, 2])], "block 1: Input y contains NaN.*row 7 of y"),
        (MLPRegressor, [(X, y), (X[:, :4], y)], "block 1: X has 4 features"),
        (MLPRegressor, [(X, y), (X, LABELS)], "block 1: y has 2 columns, where .* had 1"),
        (MLPRegressor, [(X, y, -WEIGHT)], "block 0: Negative values in sample_weight"),
        (MLPRegressor, [(X, y, 0 * WEIGHT)], "leaves no row of any block"),
        (MLPRegressor, [(X[:0], y[:0])], "no rows"),
        (MLPRegressor, [], "no rows"),
        (MLPClassifier, [(X, CLASSES), (X, y)], "block 1: .*(text in some|continuous)"),
        (MLPClassifier, [(X, y)], "block 0: Unknown label type: continuous"),
        (MLPClassifier, [(X, CLASSES), (X, np.arange(N))], "block 1: y has text in some blocks"),
        (MLPClassifier, [(X, CLASSES), (X, None)], "block 1 has no y"),
        (MLPClassifier, [(X, scipy.sparse.csr_array(LABELS))], "block 0: y is sparse"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_its_block(kind, rows, message):
    model = net(kind)
    with pytest.raises(ValueError, match=re.compile(message, re.DOTALL)):
        model.fit(RowBlocks(rows))
    assert not hasattr(model, "coefs_")
    assert not hasattr(model, "n_features_in_")


def test_progress(capsys, monkeypatch):
    monkeypatch.setattr("skreg.rows.lines.BETWEEN_LINES", 0.0)
    rows = blocks(X, y)
    net(max_iter=1).fit(RowBlocks(rows, verbose=True))
    told = capsys.readouterr().err.splitlines()
    assert told[len(rows) - 1].startswith(f"{N} rows, {len(rows)} blocks")
    assert told[-1].startswith(f"{2 * N} rows, {2 * len(rows)} blocks")
    net(max_iter=1).fit(RowBlocks(rows))
    assert not capsys.readouterr().err


def test_other_things_that_are_refused():
    rows = RowBlocks(blocks(X, y))
    with pytest.raises(ValueError, match="RowBlocks have y in each block"):
        net().fit(rows, y)
    with pytest.raises(TypeError, match="partial_fit takes the rows of one block"):
        net().partial_fit(rows, None)
    with pytest.raises(TypeError, match="takes rows: Moments are sums"):
        net().fit(Moments.of(X, y))
    with pytest.raises(ValueError, match="class_weight of several labels needs rows in memory"):
        net(MLPClassifier, class_weight="balanced").fit(RowBlocks(blocks(X, LABELS)))
    with pytest.raises(ValueError, match="validation set is too small"):
        net(early_stopping=True, validation_fraction=1e-9).fit(rows)
    with pytest.raises(ValueError, match="larger than the 300 rows"):
        net(batch_size=301).fit(rows)


def test_ctrl_c_keeps_the_best_weights_and_an_error_keeps_what_was():
    count = itertools.count()

    def source():
        if next(count) == 3:
            raise KeyboardInterrupt
        yield from blocks(X, y)

    model = net(shuffle=False, max_iter=9, warm_start=True)
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(RowBlocks(source))
    assert model.n_iter_ == 2
    same(model, net(shuffle=False, max_iter=2).fit(X, y))
    before = [each.copy() for each in arrays(model)]
    with pytest.raises(ValueError, match="block 1: Input X contains NaN"):
        model.fit(RowBlocks([(X, y), (BAD, y)]))
    for one, other in zip(arrays(model), before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_warm_start_goes_on_as_in_memory():
    rows = RowBlocks(blocks(X, CLASSES))
    models = [net(MLPClassifier, shuffle=False, warm_start=True) for _ in range(2)]
    for _ in range(2):
        models[0].fit(X, CLASSES)
        models[1].fit(rows)
    same(*models)
    with pytest.raises(ValueError, match="same classes as in the previous call"):
        models[1].fit(RowBlocks([(X[CLASSES != "a"], CLASSES[CLASSES != "a"])]))


def test_progress_is_printed(capsys):
    net(verbose=True, early_stopping=True).fit(RowBlocks(blocks(X, y)))
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in lines[::2]] == [f"Iteration {k}" for k in (1, 2, 3)]
