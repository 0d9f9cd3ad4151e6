"""Targets that are computed from a few columns: their sum or difference, product or ratio."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .columns import Array
from .correlation import standardised
from .wording import percent

MOST_TERMS = 10
ROUNDED = 5e-3  # standard deviations of the target that rounding may take away
ALMOST_ALL = 0.99  # of the rows
ROWS_A_TERM = 3


class Suspect(NamedTuple):
    """A feature, or a formula of some, that alone says what the target is.

    Parameters
    ----------
    name : str
        Of the feature; "labour + parts" of a formula.
    how : str
        "correlation 0.998", "area under the ROC curve 0.995".
    size : float
        How far it goes, at most 1.
    """

    name: str
    how: str
    size: float


def formula(block: Array, y: Array, names: list[str]) -> Suspect | None:
    """Find two to ten columns whose sum or product, with signs, is the target up to rounding.

    Orthogonal matching pursuit: the column that is most correlated with what is left joins, and all
    are fitted again, until nothing is left.

    Parameters
    ----------
    block : ndarray of shape (n_rows, n_columns)
        Numbers; columns with gaps (NaN) do not take part.
    y : ndarray of shape (n_rows,)
    names : list of str
        Of the columns.
    """
    whole = np.flatnonzero(np.isfinite(block).all(axis=0))
    positive = whole[(block[:, whole] > 0).all(axis=0)] if y.min() > 0 else whole[:0]
    with np.errstate(divide="ignore", invalid="ignore"):
        ways = (("sum", whole, block, y), ("product", positive, np.log(block), np.log(y)))
    for kind, columns, values, goal in ways:
        found = _signed_sum(values[:, columns], goal)
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
