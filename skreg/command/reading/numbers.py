"""Numbers as people write them: separators, currencies, percent, units, parentheses, and gaps.

A column is read as a whole. Its decimal sign is a point or a comma; where its cells fit both and
the values differ, both readings are returned: `kinds` chooses by the other columns, or asks.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...report.ids_and_sentinels import are_known

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

SIGNS = "$€£¥₹₽₩₺₫฿₴₪"
_NAMES = """
    US$ A$ C$ R$ Rs Rs. Fr Fr. kr kr. zł Kč Ft лв CHF USD EUR GBP JPY INR CNY AUD CAD NZD SEK NOK
    DKK PLN CZK HUF BRL MXN ZAR TRY RUB KRW SGD HKD
"""
CURRENCIES = frozenset([*SIGNS, *_NAMES.split()])
MULTIPLES = {"K": 3, "k": 3, "M": 6, "B": 9}  # powers of ten, where a column has several
SEPARATORS = {"'": "apostrophes", " ": "spaces", "_": "underscores", ",": "commas", ".": "points"}
THOUSANDS = {".": ["", ",", "'", " ", "_"], ",": ["", ".", "'", " ", "_"]}  # by the decimal sign
# What stands for a missing value: in every column,
ALWAYS = frozenset(["", ".", "?", "na", "n/a", "#n/a", "nan", "null", "none", "<na>"])
# in a column of text too, where other cells have letters,
DASHES = frozenset(["-", "--", "---", "*", "**", "***", "\u2013", "\u2014", "..", "...", "\u2026"])
# and among numbers.
_WORDS = """
    n.a., n.a, n.d., nd, k.a., k.a, ka, missing, unknown, unk, nil, refused, 0000-00-00, #value!,
    #ref!, #div/0!, #num!, #name?, #null!, not available, not applicable, not known, no data,
    no answer, don't know, keine angabe
"""
WORDS = frozenset(word.strip() for word in _WORDS.split(","))
_SAME = str.maketrans(
    dict.fromkeys("\u00a0\u2000\u2001\u2002\u2003\u2007\u2008\u2009\u200a\u202f\u3000", " ")
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d", "-")
    | dict.fromkeys("\u2019\u02bc\uff07", "'")
)
_DIGITS = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_ACCOUNTING = re.compile(r"([^\d()]*)\(([^()]*\d[^()]*)\)(\s*%?)")
_CELL = re.compile(
    r"(?P<sign>[+-]?)\s*(?P<before>[^\d\s.,()+-][^\d\s()+-]*)?\s*(?P<inner>[+-]?)\s*"
    r"(?P<body>\d[\d.,' _]*\d[.,]?|\d[.,]?|[.,]\d+)(?:[eE](?P<power>[+-]?\d+))?\s*"
    r"(?P<after>(?:[^\W\d_]|[%‰°µ$€£¥₹₽₩₺₫฿₴₪])(?:[^\W\d_]|[%‰°µ/²³·. $-]){0,14}[23]?)?(?P<last>-?)"
)
# Both a decimal number and a whole one with a separator.
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})?")


def is_missing(cell: str) -> bool:
    """Whether a cell stands for a missing value, whatever its column holds."""
    return cell.strip().lower() in ALWAYS


def is_missing_number(cell: str) -> bool:
    """Whether a cell among numbers stands for a missing one: signs alone, or a known word."""
    cell = cell.strip().lower()
    return cell in ALWAYS or cell in WORDS or not any(letter.isalnum() for letter in cell)


class _Written(NamedTuple):
    """A cell in parts: the digits with their separators, and what stands around them."""

    negative: bool
    currency: str
    body: str
    power: int
    unit: str


@dataclass(frozen=True)
class Reading:
    """A way to read the known texts of a column.

    Parameters
    ----------
    values : ndarray of shape (n_known,)
        Floats, datetime64[s] or text; NaN or NaT where a text does not fit.
    sign : str, default=""
        The decimal sign, or the order of day and month, that it takes.
    shown : str, default=""
        The same, where no other reading would do.
    option : str, default=""
        What a user says to have it.
    notes : tuple of str, default=()
        What a reader of the file would not expect, each in words that go after a column's name.
    """

    values: NDArray[Any]
    sign: str = ""
    shown: str = ""
    option: str = ""
    notes: tuple[str, ...] = ()

    @property
    def fits(self) -> NDArray[np.bool_]:
        """Which texts can be read so."""
        return are_known(self.values)


def tidy(text: str) -> str:
    """One kind of space, of minus and of apostrophe, and no space around."""
    return text.translate(_SAME).strip()


def plain_number(text: str) -> bool:
    """Whether a cell is a number and nothing else."""
    if _DIGITS.fullmatch(text):  # most are, and this is quicker
        return True
    written = _parse(text)
    return written is not None and not written.unit and bool(is_float(text) or _readable(written))


def looks_measured(text: str) -> bool:
    """Whether a cell is a number with a unit or a currency, whatever these are."""
    written = _parse(text)
    return written is not None and _readable(written)


def number_readings(texts: Sequence[str], counts: NDArray[np.intp]) -> list[Reading]:
    """Read texts as numbers, in one or two ways.

    Parameters
    ----------
    texts : sequence of str
        The different cells of a column.
    counts : ndarray of int
        How often each occurs: where cells disagree, the reading of most is taken.

    Returns
    -------
    list of Reading
        By a decimal point and by a decimal comma; one, if the other makes the same of the texts
        or fits fewer rows; none, if no text is a number.
    """
    plain = _all_plain(texts)
    if plain is not None and not _fit_both(texts):
        return [_reading(".", "", plain)]
    written = [_parse(text) for text in texts]
    if not any(written):
        return []
    currency = _most([each.currency if each else "" for each in written], counts)
    written, multiples = _without_multiples(written)
    known = np.array([each is not None for each in written])
    unit = _most([each.unit if each else "" for each in written], counts * known, blank=True)
    same = [
        each if each and each.unit == unit and each.currency in ("", currency) else None
        for each in written
    ]
    notes = [f"amounts in {currency}"] if currency else []
    if unit:
        notes.append("in percent" if unit == "%" else f"in {unit}")
    if multiples:
        notes.append("K, M and B are thousands, millions and billions")
    if any(
        each and each.negative and not text.lstrip().startswith("-")
        for each, text in zip(same, texts, strict=True)
    ):
        notes.append("negative numbers are in parentheses or have a printed minus")
    found = [_best(same, decimal, counts, notes) for decimal in (".", ",")]
    rows = [int(counts[each.fits].sum()) for each in found]
    point, comma = found
    if max(rows) == 0:
        return []
    if rows[0] != rows[1]:
        return [found[int(np.argmax(rows))]]
    same_cells = np.array_equal(point.fits, comma.fits)
    if not same_cells or np.array_equal(point.values, comma.values, equal_nan=True):
        return [point]
    # Sums of money have no three decimals where a currency's sign is written before a comma.
    if currency and currency in SIGNS and "€" not in currency and comma.option == "--decimal ,":
        return [point] if all(each is None or "." not in each.body for each in same) else found
    return found


def _without_multiples(
    written: list[_Written | None],
) -> tuple[list[_Written | None], bool]:
    """Thousands and millions in one unit; whether there are any."""
    units = {each.unit for each in written if each}
    if len(units) < 2 or not units <= {"", *MULTIPLES}:
        return written, False
    return [
        each and each._replace(power=each.power + MULTIPLES.get(each.unit, 0), unit="")
        for each in written
    ], True


def is_float(text: str) -> bool:
    """Whether Python reads a text as a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _all_plain(texts: Sequence[str]) -> Array | None:
    try:
        return np.array([float(text) for text in texts])
    except ValueError:
        return None


def _fit_both(texts: Sequence[str]) -> bool:
    """Whether points may be decimal signs as well as separators of thousands."""
    dotted = False
    for text in texts:
        found = _EITHER.fullmatch(text.strip())
        if not found:
            return False
        dotted |= found[1] is not None
    return dotted


def _parse(text: str) -> _Written | None:
    text = tidy(text)
    negative = False
    accounting = _ACCOUNTING.fullmatch(text)
    if accounting:
        text, negative = "".join(accounting.groups()), True
    found = _CELL.fullmatch(text)
    if found is None:
        return None
    before, after = found["before"] or "", (found["after"] or "").rstrip()
    if before and before not in CURRENCIES:
        return None
    signs = [found[name] for name in ("sign", "inner", "last") if found[name]]
    if len(signs) + negative > 1:
        return None
    money = after in CURRENCIES
    if money and before:
        return None
    return _Written(
        negative or signs == ["-"],
        after if money else before,
        found["body"],
        int(found["power"] or 0),
        "" if money else after,
    )


def _readable(written: _Written) -> bool:
    return any(
        _value(written, decimal, thousands) is not None
        for decimal in ".,"
        for thousands in THOUSANDS[decimal]
    )


def _most(words: list[str], counts: NDArray[np.intp], blank: bool = False) -> str:
    """The word of most rows; of those that are not empty, unless `blank` counts too."""
    rows: Counter[str] = Counter()
    for word, count in zip(words, counts, strict=True):
        if word or blank:
            rows[word] += int(count)
    return max(rows, key=rows.__getitem__) if rows else ""


def _best(
    written: Sequence[_Written | None], decimal: str, counts: NDArray[np.intp], notes: list[str]
) -> Reading:
    """The separator of thousands with which most rows are numbers."""
    by_separator = {
        thousands: np.array(
            [np.nan if each is None else _value(each, decimal, thousands) for each in written],
            dtype=float,
        )
        for thousands in THOUSANDS[decimal]
    }
    best = max(by_separator, key=lambda one: counts[~np.isnan(by_separator[one])].sum())
    return _reading(decimal, best, by_separator[best], notes)


def _reading(decimal: str, thousands: str, values: Array, notes: Sequence[str] = ()) -> Reading:
    known = values[~np.isnan(values)]
    sure = thousands in (",", ".") or np.any(known != np.round(known))
    option = f"--thousands {thousands}" if thousands else f"--decimal {decimal}"
    if thousands:
        notes = [f"{SEPARATORS[thousands]} separate thousands", *notes]
    return Reading(values, decimal, decimal if sure else "", option, tuple(notes))


def _value(written: _Written, decimal: str, thousands: str) -> float | None:
    whole, _, fraction = written.body.partition(decimal)
    if thousands and thousands in whole:
        first, *groups = whole.split(thousands)
        last = groups[-1]
        # Indian numbers have two digits in a group, and three in the last
        sizes = {len(group) for group in groups[:-1]} or {3}
        indian = thousands == "," and sizes == {2} and 1 <= len(first) <= 2
        western = sizes == {3} and 1 <= len(first) <= 3
        if len(last) != 3 or not (indian or western) or first.startswith("0"):
            return None
        whole = first + "".join(groups)
    digits = whole + fraction
    if not digits.isdigit():
        return None
    value = float(f"{whole or '0'}.{fraction or '0'}e{written.power}")
    return -value if written.negative else value
