"""Dates and times of day as text: which order of day and month they have, and when they are.

As features, dates are in parts that a reader understands: time elapsed, month, weekday, hour.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...report.ids_and_sentinels import are_known
from .numbers import Reading, is_float

Moments = NDArray[np.datetime64]

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
LOOKED_AT = 50  # texts, before all of a long column are
NEARLY_ALL = 0.8  # of the texts, so that the others look like mistakes
DAY_FIRST, MONTH_FIRST = "day first", "month first"
# What a day looks like, and the order of its parts where it could be another.
_DAYS = [
    (rf"{_Y}([-/.]){_M}\2{_D}", ""),
    (r"(?P<y>(?:19|20)\d{2})(?P<m>\d{2})(?P<d>\d{2})", ""),
    (rf"{_D}\. ?{_M}\. ?(?:{_Y})", ""),
    (rf"{_D}\.{_M}\.{_SHORT}", ""),
    (rf"{_D}([-/]){_M}\2{_Y}", DAY_FIRST),
    (rf"{_M}([-/]){_D}\2{_Y}", MONTH_FIRST),
    (rf"{_D}([-/]){_M}\2{_SHORT}", DAY_FIRST),
    (rf"{_M}([-/]){_D}\2{_SHORT}", MONTH_FIRST),
    (rf"{_D}(?:st|nd|rd|th|\.)?[- ]{_NAME}[- ,]+{_Y}", ""),
    (rf"{_D}[- ]{_NAME}[- ]{_SHORT}", ""),
    (rf"{_NAME} {_D}(?:st|nd|rd|th)?,? {_Y}", ""),
    (rf"{_NAME}[- ]{_Y}", ""),
    (rf"{_Y}[-/]{_M}", ""),
    (rf"{_M}/{_Y}", ""),
]
_PATTERNS = [(re.compile(pattern), order) for pattern, order in _DAYS]


# Of dates as features.
_SHORT_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"
MONTHS = np.array(_SHORT_MONTHS.split(), dtype=object)
WEEKDAYS = np.array(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], dtype=object)
_DAY = np.timedelta64(1, "D")
LONG = 3 * 365 * _DAY  # from here on years are elapsed, not days
LIVES = 20 * 365 * _DAY  # from here on dates are of birth or building, whose weekday says nothing
SHORT = 3 * _DAY  # up to here hours


def date_readings(texts: Sequence[str]) -> list[Reading]:
    """Read texts as dates, all in one form, or nearly all in forms that can be no other.

    Parameters
    ----------
    texts : sequence of str
        The different cells of a column.

    Returns
    -------
    list of Reading
        None, one, or two of different orders. NaT, if any, where a text is no date.
    """
    found: list[Reading] = []
    for pattern, order in _PATTERNS:
        moments = _all(texts, partial(_moment, pattern))
        if moments is None:
            continue
        values, zones = zip(*moments, strict=True)
        read = np.array(values, dtype="datetime64[s]")
        if len(set(zones)) > 1:
            read = read - np.array(zones, dtype="timedelta64[m]")
        if not any(np.array_equal(read, other.values) for other in found):
            found.append(_reading(order, read))
    return found or _in_several_forms(texts)


def _reading(order: str, moments: Moments) -> Reading:
    return Reading(moments, order, order, f"--dates {order.replace(' ', '-')}")


def _in_several_forms(texts: Sequence[str]) -> list[Reading]:
    """Dates of which some are written otherwise, or mistyped; by each order of day and month."""
    found = []
    for order in (DAY_FIRST, MONTH_FIRST):
        read = _nearly_all(texts, [pattern for pattern, its in _PATTERNS if its in ("", order)])
        if read is not None:
            found.append(_reading(order, read))
    if len(found) < 2:
        return found
    n_dates = [np.count_nonzero(~np.isnat(one.values)) for one in found]
    if n_dates[0] != n_dates[1]:
        return [found[int(np.argmax(n_dates))]]
    if np.array_equal(found[0].values, found[1].values, equal_nan=True):
        return [_reading("", found[0].values)]
    return found


def _nearly_all(texts: Sequence[str], patterns: Sequence[re.Pattern[str]]) -> Moments | None:
    """The moments of texts, NaT where one is no date; None if these are many."""

    def first(text: str) -> tuple[np.datetime64, int] | None:
        text = text.strip()
        if is_float(text) and len(text) != len("20200131"):
            return None  # of numbers without separators only these can be dates
        found = (_moment(pattern, text) for pattern in patterns)
        return next((one for one in found if one), None)

    for some in (texts[:LOOKED_AT], texts):
        moments = [first(text) for text in some]
        if len(some) - moments.count(None) < NEARLY_ALL * len(some):
            return None
    read = np.array([one[0] if one else "NaT" for one in moments], dtype="datetime64[s]")
    zones = [one[1] if one else 0 for one in moments]
    return read - np.array(zones, dtype="timedelta64[m]") if len(set(zones)) > 1 else read


def clock_hours(texts: Sequence[str]) -> NDArray[np.float64] | None:
    """Times of day, or durations, in hours; None if a text is neither."""
    hours = _all(texts, _clock)
    return None if hours is None else np.array(hours)


def _clock(text: str) -> float | None:
    found = _TIME.fullmatch(text)
    hours = _hours(found)
    if hours is None or found is None or found["sign"] == ":":
        return hours
    return hours if found["second"] and hours < 24 else None  # else points are of other numbers


def _all(texts: Sequence[str], read: Callable[[str], Any]) -> list[Any] | None:
    """What each text is read as; None as soon as one cannot be read."""
    values = []
    for text in texts:
        value = read(text.strip())
        if value is None:
            return None
        values.append(value)
    return values or None


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


def _moment(pattern: re.Pattern[str], text: str) -> tuple[np.datetime64, int] | None:
    """A moment, and the minutes that its zone is ahead of UTC."""
    parts = _MOMENT.fullmatch(text)
    found = parts and pattern.fullmatch(parts["day"].rstrip(","))
    if not parts or not found:
        return None
    given = found.groupdict()
    year = int(given["y"])
    if len(given["y"]) == 2:
        year += 2000 if year < 69 else 1900  # as POSIX has it
    month = int(given["m"]) if "m" in given else _MONTHS.get(given["name"].lower(), 0)
    try:
        day = np.datetime64(date(year, month, int(given.get("d") or 1)), "s")
    except ValueError:
        return None
    hours = 0.0
    if parts["hour"]:
        found_hours = _hours(parts)
        if found_hours is None or found_hours > 24:
            return None
        hours = found_hours
    return day + np.timedelta64(round(hours * 3600), "s"), _offset(parts["zone"])


def _offset(zone: str | None) -> int:
    if not zone or zone in ("Z", "UTC"):
        return 0
    digits = zone[1:].replace(":", "")
    minutes = 60 * int(digits[:2]) + int(digits[2:] or 0)
    return -minutes if zone[0] == "-" else minutes


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
