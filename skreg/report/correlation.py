"""Features that say nearly the same, found in blocks so that no square matrix is ever held."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.special import stdtrit

from .columns import Array, Columns
from .contents import CorrelatedGroup

STRONG = 0.95  # absolute correlation
MOST_COLUMNS = 10_000
MOST_STORED = 2_000  # columns of a sparse matrix
MOST_WORK = 4e10  # multiplications
CORRELATED_ROWS = 4
CHANCE = 0.01  # of a single pair above the threshold, were all columns independent
BLOCK = 512
FEWEST_SHARED = 0.1  # of the rows, for two columns with gaps
FLOAT32_ROUNDING = 1e-5  # of sums in float32


class Groups(NamedTuple):
    """Groups of features, the threshold that made them, and what was left out."""

    groups: tuple[CorrelatedGroup, ...]
    threshold: float
    notes: tuple[str, ...]


def correlated_groups(table: Columns) -> Groups:
    """Connected components of the graph of strongly correlated numeric columns."""
    columns, notes = table.numeric, []
    most, which = MOST_COLUMNS, "first"
    if table.dense is None:
        most, which = MOST_STORED, "fullest"
        fullest = np.argsort(-np.diff(table.stored.indptr), kind="stable")
        columns = np.sort(fullest[:most])
    if len(table.numeric) > most:
        columns = columns[:most]
        notes.append(f"Correlations are those of the {which} {most:,} columns.")
    p = len(columns)
    n_rows = int(min(table.n_rows, max(200, MOST_WORK / max(p, 1) ** 2)))
    if n_rows < CORRELATED_ROWS or p < 2:
        return Groups((), STRONG, tuple(notes))
    if n_rows < table.n_rows:
        notes.append(f"Correlations are those of {n_rows:,} rows drawn at random.")
    given = table.numbers(columns, sample(table.n_rows, n_rows))
    n_pairs = p * (p - 1) / 2
    threshold = max(STRONG, beyond_chance(n_rows, n_pairs))
    if threshold > STRONG:
        notes.append(
            f"With {n_rows} rows, correlations up to {threshold:.4g} come about by chance among so"
            " many columns; only larger ones are shown."
        )
    labels, nearest = _components(given, threshold, n_pairs)
    names = np.array(table.names, dtype=object)[columns]
    several = (labels == label for label in np.flatnonzero(np.bincount(labels) > 1))
    groups = [CorrelatedGroup((*names[own],), float(min(nearest[own].min(), 1))) for own in several]
    groups.sort(key=lambda group: -len(group.names))
    return Groups(tuple(groups), threshold, tuple(notes))


def _components(given: Array, threshold: float, n_pairs: float) -> tuple[NDArray[Any], Array]:
    """The component of each column, and its largest correlation with another."""
    p = given.shape[1]
    gaps = np.isnan(given)
    there = (~gaps).astype(np.float32) if gaps.any() else None
    means = np.where(gaps, 0.0, given).sum(axis=0) / np.maximum((~gaps).sum(axis=0), 1)
    unit = standardised(np.where(gaps, means, given)).astype(np.float32)  # 0 where there is a gap
    nearest = np.zeros(p)
    edges = []
    for begin in range(0, p, BLOCK):
        if there is None:
            block = np.abs(unit[:, begin : begin + BLOCK].T @ unit[:, begin:])
        else:
            block = _of_shared_rows(unit, there, begin, n_pairs)
        np.fill_diagonal(block, 0.0)  # with itself
        for axis, side in enumerate((nearest[begin:], nearest[begin : begin + BLOCK])):
            np.maximum(side, block.max(axis=axis), out=side)
        # SciPy 1.11 takes no sparse array with indices of 64 bits here.
        edges.append((begin + np.stack(np.nonzero(block >= threshold))).astype(np.int32))
    starts, ends = np.concatenate(edges, axis=1)
    graph = sparse.coo_matrix((np.ones(len(starts), dtype=bool), (starts, ends)), shape=(p, p))
    return connected_components(graph, directed=False)[1], nearest


def _of_shared_rows(
    unit: NDArray[np.float32], there: NDArray[np.float32], begin: int, n_pairs: float
) -> NDArray[np.float32]:
    """Absolute correlations of a block of columns, each over the rows that have both values.

    It is 0 where these rows are few or one of the two is constant in them, and where as much comes
    about by chance in so few rows.
    """

    def cross(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
        return a[:, begin : begin + BLOCK].T @ b[:, begin:]

    counts, squares = cross(there, there), unit**2
    n = np.maximum(counts, 1.0)
    sums, others = cross(unit, there), cross(there, unit)
    size, other_size = cross(squares, there), cross(there, squares)
    products = cross(unit, unit) - sums * others / n
    spread, other_spread = size - sums**2 / n, other_size - others**2 / n
    known = (spread > FLOAT32_ROUNDING * size) & (other_spread > FLOAT32_ROUNDING * other_size)
    known &= counts >= max(CORRELATED_ROWS, FEWEST_SHARED * len(unit))
    shape = np.sqrt(np.where(known, spread * other_spread, 1.0))
    result = np.where(known, np.abs(products) / shape, 0.0).astype(np.float32)
    rows, columns = np.nonzero(result >= STRONG)
    few, which = np.unique(counts[rows, columns], return_inverse=True)
    bounds = np.array([beyond_chance(int(many), n_pairs) for many in few])
    by_chance = result[rows, columns] < bounds[which]
    result[rows[by_chance], columns[by_chance]] = 0.0
    return result


def standardised(columns: Array) -> Array:
    """Centred columns of norm one; a constant one is zero."""
    centred = columns - columns.mean(axis=0)
    size = np.abs(columns).max(axis=0, initial=0.0)
    norm = np.sqrt(np.einsum("ij,ij->j", centred, centred))
    flat = norm <= 1e-12 * size * np.sqrt(len(columns))
    return centred / np.where(flat, np.inf, norm)


def sample(n_rows: int, n_most: int) -> NDArray[np.intp]:
    """Rows drawn at random, the same ones each time, in order; all where they are few."""
    if n_rows <= n_most:
        return np.arange(n_rows)
    return np.sort(np.random.default_rng(0).choice(n_rows, n_most, replace=False))


def beyond_chance(n_rows: int, n_pairs: float) -> float:
    """A correlation that independent normal columns hardly reach in any of so many pairs."""
    freedom = n_rows - 2
    t = -float(stdtrit(freedom, CHANCE / (2 * max(n_pairs, 1.0))))
    return t / float(np.sqrt(freedom + t * t))
