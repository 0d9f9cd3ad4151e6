"""Targets that are computed from a few columns: their sum or difference, product or ratio."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .columns import Array
from .correlation import standardised

MOST_TERMS = 10
ROUNDED = 5e-3  # standard deviations of the target that rounding may take away
ALMOST_ALL = 0.99  # of the rows
ROWS_A_TERM = 3


class Formula(NamedTuple):
    """Columns that give the target: "labour + parts", in a share of the rows."""

    text: str
    kind: str
    share: float


def formula(block: Array, y: Array, names: list[str]) -> Formula | None:
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
    block, names = block[:, whole], [names[j] for j in whole]
    found = _signed_sum(block, y, names, " + ", " − ")
    if found is not None:
        return Formula(
            found[0], "sum" if "−" not in found[0] else "sum, with these signs,", found[1]
        )
    positive = np.asarray((block > 0).all(axis=0))
    if y.min() <= 0 or not positive.any():
        return None
    names = [name for name, kept in zip(names, positive, strict=True) if kept]
    found = _signed_sum(np.log(block[:, positive]), np.log(y), names, " × ", " ÷ ")
    return None if found is None else Formula(found[0], "product", found[1])


def _signed_sum(
    block: Array, y: Array, names: list[str], plus: str, minus: str
) -> tuple[str, float] | None:
    chosen = _pursuit(block, y)
    if len(chosen) < 2 or len(y) < ROWS_A_TERM * len(chosen) + 5:
        return None
    coefs = np.linalg.lstsq(_centred(block[:, chosen]), _centred(y), rcond=None)[0]
    used = np.abs(coefs) * block[:, chosen].std(axis=0) > ROUNDED * y.std()
    columns, signs = np.array(chosen)[used], np.sign(coefs[used])
    if len(columns) < 2 or signs.max() < 0:
        return None
    rest = y - block[:, columns] @ signs
    share = float(np.mean(np.abs(rest - np.median(rest)) <= ROUNDED * y.std()))
    if share < ALMOST_ALL:
        return None
    order = np.lexsort((columns, -signs))
    terms = [f"{plus if signs[k] > 0 else minus}{names[columns[k]]}" for k in order]
    return "".join(terms).removeprefix(plus), share


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
