"""Dates as features that a reader understands: time elapsed, month, weekday, hour."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...report.ids_and_sentinels import are_known

_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"
MONTHS = np.array(_MONTHS.split(), dtype=object)
WEEKDAYS = np.array(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], dtype=object)
_DAY = np.timedelta64(1, "D")
LONG = 3 * 365 * _DAY  # from here on years are elapsed, not days
LIVES = 20 * 365 * _DAY  # from here on dates are of birth or building, whose weekday says nothing
SHORT = 3 * _DAY  # up to here hours


def date_parts(name: str, moments: NDArray[np.datetime64]) -> dict[str, NDArray[Any]]:
    """Split a column of dates into features.

    Parameters
    ----------
    name : str
        Of the column.
    moments : ndarray of datetime64[s]
        NaT where missing.

    Returns
    -------
    dict of str to ndarray
        Numbers with NaN, or text with None. Parts that do not vary are left out, and the month
        where less than a year is covered, which the time elapsed tells better. Of dates over 20
        years, as those of birth are, only the time elapsed is taken.
    """
    known = ~np.isnat(moments)
    first, last = moments[known].min(), moments[known].max()
    span = last - first
    unit, length = ("days", _DAY)
    if span >= LONG:
        unit, length = "years", np.timedelta64(31_556_952, "s")
    elif span < SHORT:
        unit, length = "hours", np.timedelta64(1, "h")
    elapsed = np.full(len(moments), np.nan)
    elapsed[known] = (moments[known] - first) / length
    days = moments.astype("datetime64[D]")
    months = days.astype("datetime64[M]").astype(int) % 12
    weekdays = (days.astype(int) + 3) % 7  # 1970 began on a Thursday
    hours = (moments - days) / np.timedelta64(1, "h")
    parts: dict[str, NDArray[Any]] = {f"{name} ({unit} elapsed)": elapsed}
    if 365 * _DAY <= span < LIVES:
        parts[f"{name} (month)"] = _words(MONTHS, months, known)
    if span < LIVES and not _all_first_of_month(days[known]):
        parts[f"{name} (weekday)"] = _words(WEEKDAYS, weekdays, known)
    if unit != "hours" and np.any(hours[known] != 0):
        clock = np.array([f"{hour:02d}h" for hour in range(24)], dtype=object)
        whole = np.where(known, np.nan_to_num(hours), 0).astype(int) % 24
        parts[f"{name} (hour)"] = _words(clock, whole, known)
    return {part: values for part, values in parts.items() if _varies(values)}


def _words(
    words: NDArray[Any], positions: NDArray[np.intp], known: NDArray[np.bool_]
) -> NDArray[Any]:
    values = np.full(len(positions), None, dtype=object)
    values[known] = words[positions[known]]
    return values


def _all_first_of_month(days: NDArray[np.datetime64]) -> bool:
    return bool(np.all(days == days.astype("datetime64[M]").astype("datetime64[D]")))


def _varies(values: NDArray[Any]) -> bool:
    return len(set(values[are_known(values)])) > 1
