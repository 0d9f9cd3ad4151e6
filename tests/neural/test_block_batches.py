"""Batches of rows that are read block by block: every row once an epoch, two blocks at a time."""

import gc
import weakref
from functools import partial

import numpy as np
import pytest
import scipy.sparse

from skreg.neural.engine.batches import Data, Targets
from skreg.neural.engine.block_batches import DataInBlocks

SIZES = [7, 1, 20, 12, 3, 17]
N = sum(SIZES)
STARTS = np.cumsum([0, *SIZES])


def table(rows):
    """A row with its number in it, so that it is known again."""
    return np.column_stack([rows, rows**2, np.ones(len(rows))]).astype(float)


def block(k):
    rows = np.arange(STARTS[k], STARTS[k + 1])
    return Data(table(rows), Targets(rows[:, None] + 0.5), rows + 1.0)


def in_parts(parts, of=block):
    made = [partial(lambda part: map(of, part), part) for part in parts]
    return DataInBlocks(made, N, of(2), weighted=True)


EACH = [[k] for k in range(len(SIZES))]
ALL_IN_ONE = [list(range(len(SIZES)))]


def rows_of(batches, rng):
    found = []
    for x, y, scale in batches.epoch(rng):
        x = x.toarray() if scipy.sparse.issparse(x) else x
        np.testing.assert_array_equal(x, table(x[:, 0]))
        np.testing.assert_array_equal(y, x[:, :1] + 0.5)
        np.testing.assert_allclose(scale, (x[:, :1] + 1) / len(x))
        found.append(x[:, 0].astype(int))
    return found


@pytest.mark.parametrize("size", [1, 8, 13, N])
@pytest.mark.parametrize("parts", [EACH, ALL_IN_ONE, [[0, 1, 2], [3, 4, 5]]])
def test_every_row_is_seen_once_in_full_batches(parts, size):
    batches = in_parts(parts).batches(size, dense=True, join_last=False)
    rng = np.random.default_rng(0)
    for order in (rng, rng, None):
        found = rows_of(batches, order)
        assert all(len(each) == size for each in found[:-1])
        np.testing.assert_array_equal(np.sort(np.concatenate(found)), np.arange(N))
    np.testing.assert_array_equal(np.concatenate(found), np.arange(N))


def test_a_generator_gives_one_order_and_the_next_epoch_another():
    batches = in_parts(EACH).batches(8, dense=True, join_last=False)
    orders = []
    for seed in (0, 0, 1):
        rng = np.random.default_rng(seed)
        orders.append([np.concatenate(rows_of(batches, rng)).tolist() for _ in range(2)])
    assert orders[0] == orders[1]
    assert len({tuple(order) for pair in orders[1:] for order in pair}) == 4


def test_rows_mix_with_those_of_the_next_block_and_parts_change_places():
    ahead = np.concatenate(
        rows_of(in_parts(ALL_IN_ONE).batches(8, True, False), np.random.default_rng(0))
    )
    home = np.searchsorted(STARTS, ahead, side="right") - 1
    assert np.any(np.diff(home) < 0)  # not one block after another
    reach = np.maximum.accumulate(home) - home
    assert reach.max() == 1  # none is behind by more than the block before
    firsts = set()
    for seed in range(20):
        order = rows_of(in_parts(EACH).batches(8, True, False), np.random.default_rng(seed))
        firsts.add(int(np.searchsorted(STARTS, order[0][0], side="right")))
    assert len(firsts) > 3


def test_a_last_row_joins_the_batch_before():
    batches = in_parts(EACH).batches(59, dense=True, join_last=True)
    assert [len(each) for each in rows_of(batches, None)] == [60]


def test_sparse_rows_stay_sparse_where_few_are_stored():
    def sparse_block(k):
        rows = np.arange(STARTS[k], STARTS[k + 1])
        X = scipy.sparse.csr_array(np.column_stack([table(rows), np.zeros((len(rows), 97))]))
        return Data(X, Targets(rows[:, None] + 0.5))

    data = DataInBlocks([partial(map, sparse_block, range(len(SIZES)))], N, sparse_block(2), False)
    for dense in (False, True):
        seen = []
        for x, y, _ in data.batches(9, dense, False).epoch(np.random.default_rng(0)):
            assert scipy.sparse.issparse(x) is not dense
            x = x if dense else x.toarray()
            np.testing.assert_array_equal(x[:, :3], table(x[:, 0]))
            np.testing.assert_array_equal(y[:, 0], x[:, 0] + 0.5)
            seen.extend(x[:, 0])
        np.testing.assert_array_equal(np.sort(seen), np.arange(N))


@pytest.mark.parametrize("shuffled", [True, False])
def test_two_blocks_are_alive_at_most(shuffled):
    alive, most = set(), []

    def counted(k):
        made = block(k)
        alive.add(k)
        weakref.finalize(made.X, alive.discard, k)
        most.append(len(alive))
        return made

    data = DataInBlocks([partial(map, counted, range(len(SIZES)))], N, block(2), True)
    gc.disable()
    try:
        for _ in data.batches(4, True, False).epoch(np.random.default_rng(0) if shuffled else None):
            most.append(len(alive))
    finally:
        gc.enable()
    assert max(most) == (2 if shuffled else 1)
    assert not alive


def test_slices_have_all_rows_in_order():
    seen = [(x, y, w) for x, y, w in in_parts(EACH).slices(6)]
    assert max(len(x) for x, _, _ in seen) == 6
    for k, wanted in enumerate(
        [table(np.arange(N)), np.arange(N)[:, None] + 0.5, np.arange(N) + 1]
    ):
        np.testing.assert_array_equal(np.concatenate([one[k] for one in seen]), wanted)


@pytest.mark.parametrize("n_rows", [N - 1, N + 1])
def test_another_number_of_rows_is_refused(n_rows):
    data = DataInBlocks(in_parts(EACH).parts, n_rows, block(2), True)
    with pytest.raises(ValueError, match=f"other rows than the {n_rows}"):
        list(data.batches(6, True, False).epoch(None))
