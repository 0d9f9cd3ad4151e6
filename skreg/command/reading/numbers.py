"""Numbers as people write them: separators, currencies, percent, units, parentheses, and gaps.

A column is read as a whole. Its decimal sign is a point or a comma; where its cells fit both and
the values differ, both readings are returned: `kinds` chooses by the other columns, or asks.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...report.ids_and_sentinels import are_known

Array = NDArray[np.float64]

CURRENCY_SIGNS = "$€£¥₹₽₩₺₫฿₴₪"
_NAMES = """
    US$ A$ C$ R$ Rs Rs. Fr Fr. kr kr. zł Kč Ft лв CHF USD EUR GBP JPY INR CNY AUD CAD NZD SEK NOK
    DKK PLN CZK HUF BRL MXN ZAR TRY RUB KRW SGD HKD
"""
CURRENCIES = frozenset([*CURRENCY_SIGNS, *_NAMES.split()])
MULTIPLES = {"K": 3, "k": 3, "M": 6, "B": 9}  # powers of ten, where a column has several
SEPARATORS = {"'": "apostrophes", " ": "spaces", "_": "underscores", ",": "commas", ".": "points"}
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
_ALIKE = str.maketrans(
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
# Numbers of digits that tell clocks, years and dates without separators from other numbers, and
# those that a float keeps from longer ones.
DIGITS_TOLD = (1, 2, 3, 4, 7, 8, 15, sys.maxsize)
MOST_FRACTION = 4  # digits after a point, of which more tell nothing
# Both a decimal number and a whole one with a separator.
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})?")


def is_missing(cell: str) -> bool:
    """Whether a cell stands for a missing value, whatever its column holds."""
    return cell.strip().lower() in ALWAYS


def is_missing_number(cell: str) -> bool:
    """Whether a cell among numbers stands for a missing one: signs alone, or a known word."""
    cell = cell.strip().lower()
    return cell in ALWAYS or cell in WORDS or not any(letter.isalnum() for letter in cell)


def _form(decimal: str, thousands: str) -> re.Pattern[str]:
    """Digits with a decimal sign and a separator of thousands."""
    whole = r"\d*"
    if thousands:
        whole += rf"|[1-9]\d{{0,2}}(?:\{thousands}\d{{3}})+"
    if thousands == ",":  # Indian numbers have two digits in a group, and three in the last
        whole += r"|[1-9]\d?(?:,\d{2})+,\d{3}"
    return re.compile(rf"(?P<whole>{whole})(?:\{decimal}(?P<fraction>\d*))?")


FORMS = {
    (decimal, thousands): _form(decimal, thousands)
    for decimal, other in (".,", ",.")
    for thousands in ("", other, "'", " ", "_")
}


class _Written(NamedTuple):
    """A cell in parts: the digits with their separators, and what stands around them."""

    negative: bool
    currency: str
    body: str
    power: int
    unit: str

    def value(self, decimal: str, thousands: str) -> float:
        """Return the number, or NaN if the digits are not written so."""
        found = FORMS[decimal, thousands].fullmatch(self.body)
        if found is None:
            return np.nan
        whole, fraction = found["whole"].replace(thousands, ""), found["fraction"]
        value = float(f"{whole or 0}.{fraction or 0}e{self.power}")
        return -value if self.negative else value


@dataclass(frozen=True)
class Reading:
    """A way to read the known texts of a column."""

    # (n_known,): floats, datetime64[s] or text; NaN or NaT where a text does not fit
    values: NDArray[Any]
    sign: str = ""  # the decimal sign, or the order of day and month, that it takes
    shown: str = ""  # the same, where no other reading would do
    option: str = ""  # what a user says to have it
    # what a reader of the file would not expect, each in words that go after a column's name
    notes: tuple[str, ...] = ()

    @property
    def fits(self) -> NDArray[np.bool_]:
        """Which texts can be read so."""
        return are_known(self.values)


def as_float(text: str) -> float:
    """What Python reads a text as; NaN if it is no number."""
    try:
        return float(text)
    except ValueError:
        return np.nan


def plain_number(text: str) -> bool:
    """Whether a cell is a number and nothing else."""
    # Most are digits, and this is quicker.
    return bool(_DIGITS.fullmatch(text)) or looks_measured(text, units=False)


class NumberForm(NamedTuple):
    """What a reader of columns looks at in a plain number."""

    size: int  # of the digits before a point, which of `DIGITS_TOLD` they are up to; -1 with an e
    signed: bool
    fraction: int  # digits after a point, 4 where there are more
    zero: bool  # whether it begins with a zero before other digits
    either: bool  # whether its point may separate thousands

    @property
    def pattern(self) -> str:
        """A regular expression for the numbers of this form, but not all of those with an e."""
        if self.size < 0:
            return r"[+-]?\d+(?:\.\d+)?[eE][+-]?\d{1,2}"
        least, most = (0, *DIGITS_TOLD)[self.size], DIGITS_TOLD[self.size] - 1
        more = f"\\d{{{least},{most if most < sys.maxsize - 1 else ''}}}"
        first = "0" if self.zero else r"\d" if not self.size else "[1-9]"
        if not self.size and self.fraction in (0, 3):
            first = "[1-9]" if self.either else "0"
        fraction = f"\\.\\d{{{self.fraction}{',' if self.fraction == MOST_FRACTION else ''}}}"
        sign = "[+-]" if self.signed else ""
        return f"{sign}{first}{more if self.size else ''}{fraction if self.fraction else ''}"


def form_of_number(text: str) -> NumberForm | None:
    """The form of a plain number; None for any other text."""
    if not _DIGITS.fullmatch(text):
        return NumberForm(-1, False, 0, False, False) if np.isfinite(as_float(text)) else None
    signed = text[0] in "+-"
    whole, _, fraction = text[signed:].partition(".")
    size = next(k for k, most in enumerate(DIGITS_TOLD) if len(whole) <= most)
    zero = whole[0] == "0" and len(whole) > 1
    either = bool(_EITHER.fullmatch(text))
    return NumberForm(size, signed, min(len(fraction), MOST_FRACTION), zero, either)


def looks_measured(text: str, units: bool = True) -> bool:
    """Whether a cell is a number with a unit or a currency, whatever these are."""
    written = _parse(text)
    if written is None or (written.unit and not units):
        return False
    return any(form.fullmatch(written.body) for form in FORMS.values())


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
    # Points may be decimal signs as well as separators of thousands.
    if not (all(map(_EITHER.fullmatch, texts)) and any("." in text for text in texts)):
        try:
            return [_reading(".", "", np.array([float(text) for text in texts]))]
        except ValueError:
            pass
    written = [_parse(text) for text in texts]
    if not any(written):
        return []
    units = {each.unit for each in written if each}
    multiples = len(units) > 1 and units <= {"", *MULTIPLES}
    if multiples:
        written = [
            each and each._replace(power=each.power + MULTIPLES.get(each.unit, 0), unit="")
            for each in written
        ]
    present = [(each, count) for each, count in zip(written, counts, strict=True) if each]
    currency = _most((each.currency, count) for each, count in present if each.currency)
    unit = _most((each.unit, count) for each, count in present)
    same = [
        each if each and each.unit == unit and each.currency in ("", currency) else None
        for each in written
    ]
    printed = (
        each and each.negative and not text.startswith("-")
        for each, text in zip(same, texts, strict=True)
    )
    traits = {
        f"amounts in {currency}": currency,
        "in percent" if unit == "%" else f"in {unit}": unit,
        "K, M and B are thousands, millions and billions": multiples,
        "negative numbers are in parentheses or have a printed minus": any(printed),
    }
    notes = [said for said, there in traits.items() if there]
    point, comma = (_best(same, decimal, counts, notes) for decimal in ".,")
    n_point, n_comma = (int(counts[each.fits].sum()) for each in (point, comma))
    if n_point != n_comma:
        return [point if n_point > n_comma else comma]
    if not n_point:
        return []
    same_cells = np.array_equal(point.fits, comma.fits)
    if not same_cells or np.array_equal(point.values, comma.values, equal_nan=True):
        return [point]
    # Sums of money have no three decimals where a currency's sign is written before a comma.
    before = currency and currency in CURRENCIES and "€" not in currency
    if before and comma.option == "--decimal ," and not any(e and "." in e.body for e in same):
        return [point]
    return [point, comma]


def _parse(text: str) -> _Written | None:
    text = text.translate(_ALIKE).strip()
    negative = False
    accounting = _ACCOUNTING.fullmatch(text)
    if accounting:
        text, negative = "".join(accounting.groups()), True
    found = _CELL.fullmatch(text)
    if found is None:
        return None
    before, after = found["before"] or "", (found["after"] or "").rstrip()
    signs = [found[name] for name in ("sign", "inner", "last") if found[name]]
    money = after in CURRENCIES
    if len(signs) + negative > 1 or (before and (money or before not in CURRENCIES)):
        return None
    return _Written(
        negative or signs == ["-"],
        after if money else before,
        found["body"],
        int(found["power"] or 0),
        "" if money else after,
    )


def _most(words: Iterable[tuple[str, int]]) -> str:
    """The word of most rows."""
    rows: Counter[str] = Counter()
    for word, count in words:
        rows[word] += int(count)
    return max(rows, key=rows.__getitem__, default="")


def _best(
    written: Sequence[_Written | None], decimal: str, counts: NDArray[np.intp], notes: Sequence[str]
) -> Reading:
    """The separator of thousands with which most rows are numbers."""
    there = "".join(each.body for each in written if each)
    found = {
        thousands: np.array([each.value(sign, thousands) if each else np.nan for each in written])
        for sign, thousands in FORMS
        if sign == decimal and thousands in there
    }
    best = max(found, key=lambda thousands: counts[~np.isnan(found[thousands])].sum())
    return _reading(decimal, best, found[best], notes)


def _reading(decimal: str, thousands: str, values: Array, notes: Sequence[str] = ()) -> Reading:
    known = values[~np.isnan(values)]
    sure = thousands in (",", ".") or np.any(known != np.round(known))
    option = f"--thousands {thousands}" if thousands else f"--decimal {decimal}"
    if thousands:
        notes = [f"{SEPARATORS[thousands]} separate thousands", *notes]
    return Reading(values, decimal, decimal if sure else "", option, tuple(notes))
