"""Rows that come in blocks, and what a fit to them has to be like."""

import numpy as np

from skreg import RowBlocks
from skreg.linear.row_blocks import MappedRows

# Of blocks without rows, of one row, and of many; of 90 rows the last block has none.
CUTS = [0, 1, 1, 7, 40, 40, 41, 90]


def weighted_rows(seed=0, n=90, p=5):
    """X far from zero, numbers as a target, and weights."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) + 3.0
    y = X @ rng.standard_normal(p) + rng.standard_normal(n)
    return X, y, rng.integers(0, 3, n) * 0.5 + 0.25


def counted_passes(monkeypatch):
    """A list that gets an entry for each pass over the rows of a memory map."""
    passes, read = [], MappedRows.in_one_pass

    def counted(self, *given):
        passes.append(self)
        return read(self, *given)

    monkeypatch.setattr(MappedRows, "in_one_pass", counted)
    return passes


def in_blocks(*arrays, cuts=CUTS, order=None):
    """Arrays with a row each, cut into blocks."""
    order = np.arange(len(arrays[0])) if order is None else order
    parts = [np.split(array[order], cuts) for array in arrays]
    return RowBlocks(lambda: zip(*parts, strict=True))


def alike(found, wanted, rtol=1e-9):
    """Whether two fits have the same coefficients, in the same form, and converged."""
    size = np.abs(wanted.coef_).max()
    np.testing.assert_allclose(found.coef_, wanted.coef_, rtol=0, atol=rtol * size)
    np.testing.assert_allclose(found.intercept_, wanted.intercept_, rtol=rtol, atol=rtol)
    assert np.shape(found.intercept_) == np.shape(wanted.intercept_)
    assert found.coef_.dtype == wanted.coef_.dtype
    assert np.all(found.converged_)
