"""Dates and times of day as text: which order of day and month they have, and when they are.

As features, dates are in parts that a reader understands: time elapsed, month, weekday, hour.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...report.ids_and_sentinels import are_known
from .numbers import Reading

_MONTH_NAMES = """
    january jan, february feb februar, march mar märz mär mrz, april apr, may mai, june jun juni,
    july jul juli, august aug, september sep sept, october oct oktober okt, november nov,
    december dec dezember dez
"""
_MONTHS = {
    name: month
    for month, names in enumerate(_MONTH_NAMES.split(","), start=1)
    for name in names.split()
}
_CLOCK = (
    r"(?P<hour>\d{1,2})(?P<sign>[:.])(?P<minute>\d{2})(?:(?P=sign)(?P<second>\d{2})(?:[.,]\d+)?)?"
    r"(?:\s?(?P<half>[AaPp])\.?[Mm]\.?)?"
)
_ZONE = r"\s?(?P<zone>Z|UTC|[+-]\d{2}:?\d{2}|[+-]\d{2})?"
_TIME = re.compile(_CLOCK)
_MOMENT = re.compile(rf"(?P<day>.*?\d)(?:(?:,?\s+|T){_CLOCK}{_ZONE})?")
_Y, _M, _D = r"(?P<y>\d{4})", r"(?P<m>\d{1,2})", r"(?P<d>\d{1,2})"
_NAME, _SHORT = r"(?P<name>[^\W\d_]{3,9})\.?", r"(?P<y>\d{2})"
FIRST_TEXTS = 50  # texts, before all of a long column are
NEARLY_ALL = 0.8  # of the texts, so that the others look like mistakes
DAY_FIRST, MONTH_FIRST = "day first", "month first"
# What a day looks like; in the first form, day and month may have either order.
_DAYS = [
    r"(?P<first>\d{1,2})([-/])(?P<second>\d{1,2})\2(?P<y>\d{4}|\d{2})",
    rf"{_Y}([-/.]){_M}\2{_D}",
    r"(?P<y>(?:19|20)\d{2})(?P<m>\d{2})(?P<d>\d{2})",
    rf"{_D}\. ?{_M}\. ?(?:{_Y})",
    rf"{_D}\.{_M}\.{_SHORT}",
    rf"{_D}(?:st|nd|rd|th|\.)?[- ]{_NAME}[- ,]+{_Y}",
    rf"{_D}[- ]{_NAME}[- ]{_SHORT}",
    rf"{_NAME} {_D}(?:st|nd|rd|th)?,? {_Y}",
    rf"{_NAME}[- ]{_Y}",
    rf"{_Y}[-/]{_M}",
    rf"{_M}/{_Y}",
]
_PATTERNS = list(map(re.compile, _DAYS))
_NOT = np.datetime64("NaT", "s")


# Of dates as features.
_SHORT_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"
MONTHS = np.array(_SHORT_MONTHS.split(), dtype=object)
WEEKDAYS = np.array(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], dtype=object)
HOURS = np.array([f"{hour:02d}h" for hour in range(24)], dtype=object)
_DAY = np.timedelta64(1, "D")
LONG = 3 * 365 * _DAY  # from here on years are elapsed, not days
LIVES = 20 * 365 * _DAY  # from here on dates are of birth or building, whose weekday says nothing
SHORT = 3 * _DAY  # up to here hours


def date_readings(texts: Sequence[str]) -> list[Reading]:
    """Read texts as dates, if nearly all are.

    Parameters
    ----------
    texts : sequence of str
        The different cells of a column.

    Returns
    -------
    list of Reading
        None, one, or two of different orders. NaT, if any, where a text is no date.
    """
    orders = [DAY_FIRST, MONTH_FIRST]
    for some in (texts[:FIRST_TEXTS], texts):
        *both, zones = zip(*map(_moment, some), strict=True)
        moments = dict(zip((DAY_FIRST, MONTH_FIRST), np.array(both, "datetime64[s]"), strict=True))
        n_dates = {order: np.count_nonzero(are_known(moments[order])) for order in orders}
        orders = [order for order in orders if n_dates[order] >= NEARLY_ALL * len(some)]
        if not orders:
            return []
    most = max(n_dates[order] for order in orders)
    found = []
    for order in (order for order in orders if n_dates[order] == most):
        offsets = np.where(are_known(moments[order]), zones, 0)
        if len(set(offsets)) > 1:
            moments[order] = moments[order] - offsets.astype("timedelta64[m]")
        found.append(Reading(moments[order], order, order, f"--dates {order.replace(' ', '-')}"))
    if len(found) == 2 and np.array_equal(found[0].values, found[1].values, equal_nan=True):
        return [replace(found[0], sign="", shown="")]
    return found


def clock_readings(texts: Sequence[str]) -> list[Reading]:
    """Times of day, or durations, in hours; none if a text is neither."""
    hours = []
    for text in texts:
        found = _TIME.fullmatch(text)
        hour = _hours(found)
        # Points are of other numbers, but of a time of day with seconds.
        if (
            hour is None
            or not found
            or (found["sign"] == "." and not (found["second"] and hour < 24))
        ):
            return []
        hours.append(hour)
    return [Reading(np.array(hours), notes=("times of day or durations, in hours",))]


def _hours(found: re.Match[str] | None) -> float | None:
    if found is None:
        return None
    hour, minute, second = (int(found[part] or 0) for part in ("hour", "minute", "second"))
    if minute > 59 or second > 59:
        return None
    if found["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + 12 * (found["half"] in "Pp")
    return hour + minute / 60 + second / 3600


def _moment(text: str) -> tuple[np.datetime64, np.datetime64, int]:
    """A moment if the day is first and if the month is; the minutes its zone is ahead of UTC."""
    parts = _MOMENT.fullmatch(text)
    days = (pattern.fullmatch(parts["day"].rstrip(",")) for pattern in _PATTERNS) if parts else ()
    found = next(filter(None, days), None)
    hours = _hours(parts) if parts and parts["hour"] else 0.0
    if not parts or not found or hours is None or hours > 24:
        return _NOT, _NOT, 0
    given = found.groupdict()
    year = int(given["y"])
    if len(given["y"]) == 2:
        year += 2000 if year < 69 else 1900  # as POSIX has it
    zone = (parts["zone"] or "Z").replace(":", "")
    offset = 0 if zone in ("Z", "UTC") else 60 * int(zone[:3]) + int(zone[0] + (zone[3:] or "0"))
    later = np.timedelta64(round(hours * 3600), "s")
    if "first" in given:
        first, second = int(given["first"]), int(given["second"])
        return _day(year, second, first) + later, _day(year, first, second) + later, offset
    month = int(given["m"]) if "m" in given else _MONTHS.get(given["name"].lower(), 0)
    moment = _day(year, month, int(given.get("d") or 1)) + later
    return moment, moment, offset


def _day(year: int, month: int, day: int) -> np.datetime64:
    try:
        return np.datetime64(date(year, month, day), "s")
    except ValueError:
        return _NOT


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
    there = moments[known]
    elapsed = there - there.min()
    span = elapsed.max()
    unit, length = ("days", _DAY)
    if span >= LONG:
        unit, length = "years", np.timedelta64(31_556_952, "s")
    elif span < SHORT:
        unit, length = "hours", np.timedelta64(1, "h")
    days = there.astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    hours = (there - days) / np.timedelta64(1, "h")
    parts: dict[str, NDArray[Any]] = {f"{unit} elapsed": elapsed / length}
    if 365 * _DAY <= span < LIVES:
        parts["month"] = MONTHS[months.astype(int) % 12]
    if span < LIVES and np.any(days != months):
        parts["weekday"] = WEEKDAYS[(days.astype(int) + 3) % 7]  # 1970 began on a Thursday
    if unit != "hours" and hours.any():
        parts["hour"] = HOURS[hours.astype(int)]
    features = {}
    for part, values in parts.items():
        if len(set(values)) > 1:
            features[f"{name} ({part})"] = whole = np.full(
                len(moments), np.nan if values.dtype.kind == "f" else None, values.dtype
            )
            whole[known] = values
    return features
