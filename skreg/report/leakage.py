"""Features that predict the target almost perfectly: leaks, where they are known too late.

A feature does so alone, or a few do as their sum or difference, product or ratio.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln
from scipy.stats import rankdata

from .columns import Array, Columns
from .contents import Task
from .correlation import CHANCE, beyond_chance, sample, standardised
from .wording import percent

ALMOST = 0.99  # correlation, area under the ROC curve, balanced accuracy
NAMED_ALIKE = 0.8  # correlation of a feature whose name has the target's in it
SHORTEST_NAME = 4
MOST_SEARCHED = 5e6
COLUMNS_AT_ONCE = 500  # columns at a time
ROWS_A_CATEGORY = 5
FEWEST_PRESENT = 0.1  # of the rows, for a column with gaps
MOST_TERMS = 10  # of a formula
ROUNDED = 5e-3  # standard deviations of the target that rounding may take away
ALMOST_ALL = 0.99  # of the rows
ROWS_A_TERM = 3


class Suspect(NamedTuple):
    """A feature, or a formula of some, that alone says what the target is."""

    name: str  # of the feature; "labour + parts" of a formula
    how: str  # "correlation 0.998", "area under the ROC curve 0.995"
    size: float  # how far it goes, at most 1


def suspects(table: Columns, y: NDArray[np.generic], task: Task, target: str) -> list[Suspect]:
    """Find features that predict the target, which has this name, almost perfectly: best first."""
    p = len(table.names)
    rows = sample(table.n_rows, int(max(200, MOST_SEARCHED / max(p, 1))))
    values = y[rows] if task == "regression" else np.unique(y[rows], return_inverse=True)[1]
    goal = _codes(values, task)
    how = "balanced accuracy" if goal.shape[1] > 2 else "area under the ROC curve"
    how = "correlation" if task == "regression" else how
    found = []
    for begin in range(0, len(table.numeric), COLUMNS_AT_ONCE):
        columns = table.numeric[begin : begin + COLUMNS_AT_ONCE]
        block = table.numbers(columns, rows)
        there = ~np.isnan(block)
        share = there.mean(axis=0)
        strengths, bounds = np.zeros(len(columns)), np.full(len(columns), np.inf)
        # Of the rows that have a value: a gap says nothing of how it was before.
        gappy = np.flatnonzero((share < 1) & (share >= FEWEST_PRESENT))
        for some in (np.flatnonzero(share == 1), *gappy[:, np.newaxis]):
            kept = there[:, some].all(axis=1)
            own = _codes(values[kept], task)
            if own.shape[1] > 1 and some.size:
                bounds[some] = max(ALMOST, _by_chance(own, p, task))
                strengths[some] = _strengths(block[np.ix_(kept, some)], own, task)
        for j, strength, bound, part in zip(columns, strengths, bounds, share, strict=True):
            alike = _named_alike(table.names[j], target) and bool(strength >= NAMED_ALIKE)
            if strength >= bound or alike:
                said = f"{how} {strength:.4f}"
                said += "" if part == 1 else f" over the {percent(part)} that have it"
                said += ", and a name like the target's" * alike
                found.append(Suspect(table.names[j], said, float(strength)))
    if table.dense is None:
        return sorted(found, key=lambda suspect: -suspect.size)
    for j in np.setdiff1d(np.arange(p), table.numeric):
        share = _share_by_category(table.dense[j][rows], goal)
        if share >= max(ALMOST, _by_chance(goal, p, task)):
            said = f"{share:.2%} of the target's variance lie between its categories"
            found.append(Suspect(table.names[j], said, share))
    if task == "regression" and not any(suspect.size >= ALMOST for suspect in found):
        block, names = table.numbers(table.numeric, rows), [table.names[j] for j in table.numeric]
        made = formula(block, values.astype(float), names)
        found += [] if made is None else [made]
    return sorted(found, key=lambda suspect: -suspect.size)


def _codes(y: NDArray[np.generic], task: Task) -> Array:
    """The target as columns of numbers: itself and its ranks, or an indicator a class."""
    if task == "regression":
        values = y.astype(float)
        return np.column_stack([values, rankdata(values)])
    return (y[:, np.newaxis] == np.unique(y)).astype(float)


def _by_chance(goal: Array, p: int, task: Task) -> float:
    """A strength that one of p columns reaches by chance; infinite where anything may happen."""
    n = len(goal)
    if n <= 3:
        return np.inf
    if task == "regression":
        return beyond_chance(n, p)
    # The orders of the rows in which a column tells the smallest class from the others perfectly.
    few = goal.sum(axis=0).min()
    orders = gammaln(n + 1) - gammaln(few + 1) - gammaln(n - few + 1)
    return 0.0 if orders > np.log(2 * p / CHANCE) else np.inf


def _strengths(block: Array, goal: Array, task: Task) -> Array:
    """How far each column alone predicts the target."""
    ranks = rankdata(block, axis=0)
    if task == "regression":
        unit = standardised(goal)
        plain = np.abs(standardised(block).T @ unit[:, 0])
        ordered = np.abs(standardised(ranks).T @ unit[:, 1])
        # Ranks find a leak through a logarithm; of two values they say no more than the values.
        return np.maximum(plain, ordered)
    counts = goal.sum(axis=0)
    if goal.shape[1] == 2:
        n_first, n_second = counts
        area = (ranks.T @ goal[:, 1] - n_second * (n_second + 1) / 2) / (n_first * n_second)
        return np.maximum(area, 1 - area)
    classes = goal.argmax(axis=1)
    return np.array([_accuracy(column, classes, counts) for column in block.T])


def _accuracy(column: Array, classes: NDArray[np.intp], counts: Array) -> float:
    """Balanced accuracy of a column alone, when each row gets the class of those with its value.

    A row alone with its value is right if the class of a value next to it, on either side, is its
    own: so nothing is wrong where one class ends and the next begins.
    """
    values, place, sizes = np.unique(column, return_inverse=True, return_counts=True)
    kinds = np.zeros((len(values), len(counts)))
    np.add.at(kinds, (place, classes), 1.0)
    common = kinds.argmax(axis=1)
    beside = np.pad(common, 1, constant_values=-1)
    told = (sizes > 1) | (beside[:-2] == common) | (beside[2:] == common)
    right = told[place] & (common[place] == classes)
    return float(np.mean(np.bincount(classes, right) / counts))


def _share_by_category(values: NDArray[np.generic], goal: Array) -> float:
    """Share of the target's variance between the categories of a column, if these are few."""
    text = ["" if value is None else str(value) for value in values]
    _, codes, counts = np.unique(text, return_inverse=True, return_counts=True)
    if not 1 < len(counts) <= len(values) / ROWS_A_CATEGORY:
        return 0.0  # of almost as many categories as rows, any target is a function
    sums = np.array([np.bincount(codes, column) for column in standardised(goal).T])
    return float((sums**2 / counts).sum(axis=1).min())


def _named_alike(name: str, target: str) -> bool:
    plain, wanted = (re.sub(r"[\W_]+", "", text).casefold() for text in (name, target))
    return len(wanted) >= SHORTEST_NAME and wanted in plain


def formula(block: Array, y: Array, names: list[str]) -> Suspect | None:
    """Find two to ten columns whose sum or product, with signs, is the target up to rounding.

    Orthogonal matching pursuit: the column that is most correlated with what is left joins, and all
    are fitted again, until nothing is left. Columns with gaps (NaN) do not take part.
    """
    whole = np.flatnonzero(np.isfinite(block).all(axis=0))
    ways = [("sum", whole, block[:, whole], y)]
    positive = whole[(block[:, whole] > 0).all(axis=0)]
    if y.min() > 0 and positive.size:
        ways.append(("product", positive, np.log(block[:, positive]), np.log(y)))
    for kind, columns, values, goal in ways:
        found = _signed_sum(values, goal)
        if found is not None:
            chosen, signs, share = found
            terms = [(sign, names[columns[j]]) for j, sign in zip(chosen, signs, strict=True)]
            marks = {1.0: " + ", -1.0: " − "} if kind == "sum" else {1.0: " × ", -1.0: " ÷ "}
            text = "".join(marks[sign] + name for sign, name in terms).removeprefix(marks[1.0])
            kind += ", with these signs," if kind == "sum" and signs.min() < 0 else ""
            how = f"the target is their {kind} up to rounding in {percent(share)} of the rows"
            return Suspect(text, how, share)
    return None


def _signed_sum(block: Array, y: Array) -> tuple[NDArray[np.intp], Array, float] | None:
    """Columns whose sum with these signs is y, the positive ones first, and in how many rows."""
    chosen = np.array(_pursuit(block, y), dtype=np.intp)
    if len(chosen) < 2 or len(y) < ROWS_A_TERM * len(chosen) + 5:
        return None
    coefs = np.linalg.lstsq(_centred(block[:, chosen]), _centred(y), rcond=None)[0]
    used = np.abs(coefs) * block[:, chosen].std(axis=0) > ROUNDED * y.std()
    columns, signs = chosen[used], np.sign(coefs[used])
    if len(columns) < 2 or signs.max() < 0:
        return None
    rest = y - block[:, columns] @ signs
    share = float(np.mean(np.abs(rest - np.median(rest)) <= ROUNDED * y.std()))
    order = np.lexsort((columns, -signs))
    return (columns[order], signs[order], share) if share >= ALMOST_ALL else None


def _pursuit(block: Array, y: Array) -> list[int]:
    """Choose columns until they leave less than rounding of y, or as many as may be."""
    unit, goal = standardised(block), _centred(y)
    chosen: list[int] = []
    rest = goal
    while len(chosen) < min(MOST_TERMS, block.shape[1]):
        if rest.std() <= 0.1 * ROUNDED * y.std():
            break
        joins = int(np.argmax(np.abs(unit.T @ rest)))
        if joins in chosen:
            break
        chosen.append(joins)
        rest = goal - unit[:, chosen] @ np.linalg.lstsq(unit[:, chosen], goal, rcond=None)[0]
    return chosen


def _centred(values: Array) -> Array:
    return np.asarray(values - values.mean(axis=0))
