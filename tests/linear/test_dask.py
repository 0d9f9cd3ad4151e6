"""Arrays and frames of Dask give the fits of the rows in memory."""

import os
import re
import signal
import threading
import time

import numpy as np
import pytest
from block_fits import alike, weighted_rows

from skreg import Lasso, LassoCV, Ridge, RidgeCV, RowBlocks

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")

FOLD = np.arange(90) % 3


@pytest.fixture(autouse=True)
def one_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


@pytest.mark.parametrize("chunks", [(20, 5), (90, 5), (20, 2), ((1, 40, 9, 40), 5)])
def test_arrays_in_any_chunks(chunks):
    X, y, weight = weighted_rows()
    wanted = Lasso(alpha=0.1).fit(X, y, weight)
    for y_chunks in (20, 33):
        given = da.from_array(X, chunks=chunks), da.from_array(y, chunks=y_chunks)
        found = Lasso(alpha=0.1).fit(*given, da.from_array(weight, chunks=90))
        alike(found, wanted)
    Y = np.column_stack([y, -y, y**2])
    found = Ridge().fit(da.from_array(X, chunks=chunks), da.from_array(Y, chunks=(33, 2)))
    alike(found, Ridge().fit(X, Y))


def test_folds_with_the_rows_and_dealt():
    X, y, weight = weighted_rows()
    splits = [(np.flatnonzero(k != FOLD), np.flatnonzero(k == FOLD)) for k in range(3)]
    wanted = LassoCV(cv=splits).fit(X, y, weight)
    parts = [da.from_array(one, chunks=20) for one in (y, weight, FOLD)]
    blocks = RowBlocks.from_dask(da.from_array(X, chunks=(20, 5)), *parts)
    found = LassoCV().fit(blocks)
    alike(found, wanted)
    np.testing.assert_allclose(found.mse_path_, wanted.mse_path_, rtol=1e-9)
    dealt = [RidgeCV(cv=3).fit(da.from_array(X, chunks=(20, 5)), parts[0]) for _ in range(2)]
    np.testing.assert_array_equal(dealt[0].cv_result_.errors, dealt[1].cv_result_.errors)
    assert dealt[0].cv_result_.errors.shape == (100, 3)


def test_frames():
    pd = pytest.importorskip("pandas")
    dd = pytest.importorskip("dask.dataframe")
    X, y, weight = weighted_rows()
    frame = pd.DataFrame(X, columns=list("abcde"))
    whole = frame.assign(y=y, w=weight, part=FOLD)
    wanted = Lasso(alpha=0.1).fit(frame, y, weight)
    rows = dd.from_pandas(whole, npartitions=4)
    found = Lasso(alpha=0.1).fit(RowBlocks.from_dask(rows[[*"abcde", "y", "w"]], "y", "w"))
    alike(found, wanted)
    assert found.feature_names_in_.tolist() == list("abcde")
    alike(Lasso(alpha=0.1).fit(rows[list("abcde")], rows["y"], rows["w"]), wanted)
    parts = RowBlocks.from_dask(rows, "y", "w", "part").moments_of_folds()
    assert [part.n_rows for part in parts] == [30, 30, 30]


def test_unknown_chunk_sizes_and_empty_partitions():
    X, y, _ = weighted_rows()
    A, b = da.from_array(X, chunks=(20, 5)), da.from_array(y, chunks=20)
    chosen = A[:, 0] > 4.0
    rows = X[:, 0] > 4.0
    alike(Ridge().fit(A[chosen], b[chosen]), Ridge().fit(X[rows], y[rows]))
    none = da.from_array(np.arange(90), chunks=20) < 45
    alike(Ridge().fit(A[none], b[none]), Ridge().fit(X[:45], y[:45]))
    with pytest.raises(ValueError, match="y has 3 partitions where X has 5, of unknown sizes"):
        Ridge().fit(A[chosen], b.rechunk(30))


def test_nothing_is_computed_twice():
    X, y, _ = weighted_rows()
    calls = []

    def read(block):
        calls.append(1)
        return block

    whole = da.from_array(np.column_stack([X, y]), chunks=(30, 6)).map_blocks(
        read, dtype=float, meta=np.empty((0, 0))
    )
    Lasso().fit(whole[:, :5], whole[:, 5])
    assert len(calls) == 3


def test_what_is_refused():
    X, y, _ = weighted_rows()
    A, b = da.from_array(X, chunks=(30, 5)), da.from_array(y, chunks=30)
    bad = X.copy()
    bad[45, 2] = np.nan
    cases = [
        (lambda: Lasso().fit(A, y), TypeError, "y must be a column of X, or a collection of Dask"),
        (lambda: Lasso().fit(A), ValueError, "y is missing"),
        (lambda: Lasso().fit(A, "y"), ValueError, "y='y' is no column of X"),
        (lambda: RowBlocks.from_dask(X, b), TypeError, "X must be an array or a frame of Dask"),
        (lambda: Lasso().fit(A, b[:80]), ValueError, "block 2: Found input variables"),
        (lambda: Lasso().fit(da.from_array(bad, chunks=(30, 5)), b), ValueError, "row 15 of X"),
        (lambda: Lasso().fit(A[:0], b[:0]), ValueError, "the blocks have no rows"),
    ]
    for call, error, text in cases:
        with pytest.raises(error, match=re.escape(text)):
            call()
    with pytest.raises(TypeError, match="stay where they are"):
        iter(RowBlocks.from_dask(A, b))


@pytest.mark.exhaustive
@pytest.mark.filterwarnings("ignore")
def test_a_worker_that_dies_changes_nothing():
    distributed = pytest.importorskip("distributed")
    X, y, _ = weighted_rows(n=4000)
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with (
        dask.config.set(scheduler=None),
        distributed.LocalCluster(processes=True, **options) as cluster,
        distributed.Client(cluster) as client,
    ):

        def slowly(block):
            time.sleep(0.1)
            return block

        A = da.from_array(X, chunks=(100, 5)).map_blocks(slowly, dtype=float)
        b = da.from_array(y, chunks=100)

        def kill():
            os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)

        timer = threading.Timer(1.0, kill)
        timer.start()
        found = Lasso(alpha=0.1).fit(A, b)
        timer.join()
        assert client.status == "running"
    alike(found, Lasso(alpha=0.1).fit(X, y))
