"""Numbers and results as a reader wants to see them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .contents import Coefficients, Contents, ModelReport, Score

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_NEARLY_ONE = 0.9999
LISTED = 5  # names in a sentence
_WRITTEN_OUT = range(-4, 9)  # powers of ten that are written out
_PER = {
    "unit": "per unit of x",
    "deviation": "per standard deviation of x",
    "mixed": "per standard deviation or unit of x",
    "scaled": "per unit of the scaled x",
    "input": "per unit of what the model got",
}


def numeral(value: float, digits: int = 4) -> str:
    """Write a number with so many significant digits, and thousands separated.

    Examples
    --------
    >>> numeral(180796.06), numeral(-0.000123456), numeral(4.5e-9), numeral(3)
    ('180,796', '−0.0001235', '4.5 × 10⁻⁹', '3')
    """
    if math.isnan(value):
        return "not known"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    power = _power(value, digits)
    if power not in _WRITTEN_OUT:
        return f"{numeral(value / 10.0**power, digits)} × 10{str(power).translate(_SUPERSCRIPTS)}"
    decimals = max(0, digits - 1 - power)
    while decimals and math.isclose(round(value, decimals - 1), value, rel_tol=1e-9):
        decimals -= 1
    return _fixed(value, decimals)


def percent(share: float) -> str:
    """Write a share; nothing that exists is 0%, and nothing that lacks something 100%."""
    if 0 < share < 0.001:
        return "<0.1%"
    if 0.999 < share < 1:
        return ">99.9%"
    return f"{100 * share:.1f}%".replace(".0%", "%")


def with_error(value: float, error: float) -> str:
    """Write a value and its standard error, both rounded to the second digit of the error.

    Examples
    --------
    >>> with_error(0.91234, 0.0112), with_error(25321.4, 1234.5), with_error(2.5e-9, 1.2e-10)
    ('0.912 ± 0.011', '25,300 ± 1,200', '(2.50 ± 0.12) × 10⁻⁹')
    """
    if not (math.isfinite(value) and math.isfinite(error) and error > 1e-9 * abs(value)):
        return numeral(value)  # an error that small is one of arithmetic
    power = _power(max(abs(value), error), 2)
    if power not in _WRITTEN_OUT:
        scaled = with_error(value / 10.0**power, error / 10.0**power)
        return f"({scaled}) × 10{str(power).translate(_SUPERSCRIPTS)}"
    decimals = 1 - _power(error, 2)
    return f"{_fixed(value, decimals)} ± {_fixed(error, decimals)}"


def _power(value: float, digits: int) -> int:
    """The power of ten of a number's first digit, once it is rounded."""
    return int(f"{value:.{digits - 1}e}".partition("e")[2])


def _fixed(value: float, decimals: int) -> str:
    """Write with so many decimals; a negative count rounds before the point."""
    rounded = round(value, decimals)
    text = f"{rounded:,.{max(decimals, 0)}f}"
    if text.startswith("-"):
        text = f"−{text[1:]}" if rounded else text[1:]
    return text


def per(coefficients: Coefficients) -> str:
    """Say what a comparable coefficient is the change of, and what it is the change per."""
    return f"{coefficients.predictor} {_PER[coefficients.per]}"


def duration(seconds: float) -> str:
    """Write how long something took."""
    if math.isnan(seconds):
        return "not timed"
    if seconds < 0.005:
        return "< 0.01 s"
    if seconds < 120:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"


def listing(names: Sequence[str], most: int) -> str:
    """Write the first names of a list and how many more there are."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most:,} more" if len(names) > most else shown


def together(names: Sequence[str]) -> str:
    """Write all names of a list, the last one after "and"."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def ranking(models: Sequence[ModelReport]) -> list[int]:
    """Positions of the models, the best first; those without a score last."""
    scores = [model.scores[0] for model in models]
    worse = [-score.mean if score.greater_is_better else score.mean for score in scores]
    return sorted(range(len(models)), key=lambda k: (math.isnan(worse[k]), worse[k]))


def score_text(score: Score) -> str:
    """A mean over the folds and its standard error; a dash where there is none."""
    if math.isnan(score.mean):
        return "–"
    # A share so near to 1 has no digits that a reader can use.
    if score.greater_is_better and _NEARLY_ONE <= score.mean < 1 and max(score.values) <= 1:
        return f"over {numeral(_NEARLY_ONE)}"
    return with_error(score.mean, score.standard_error)


def result(contents: Contents) -> str:
    """Say in a few sentences which model predicts best and by how much."""
    best, *others = (contents.models[position] for position in ranking(contents.models))
    score, folds = best.scores[0], f"over {contents.n_folds} folds"
    tied = [best.name, *(other.name for other in others if score.ties(other.scores[0]))]
    second = others[len(tied) - 1] if len(others) >= len(tied) else None
    if not others:
        text = f"The {score.name} of {best.name} is {score_text(score)} {folds}."
    else:
        verb = "predicts" if _clearly(score.ahead_of(others[0].scores[0])) else "scores"
        said = f"{best.name} {verb} best"
        if len(tied) > 1:
            said = f"{together(tied)} predict equally well{' and best' * (second is not None)}"
        text = (
            f"Of {len(contents.models)} models, {said}: {score.name} {score_text(score)} {folds}."
        )
    if second is not None:
        ahead = score.ahead_of(second.scores[0])
        difference = abs(ahead.mean)
        text += f" Next comes {second.name} with {score_text(second.scores[0])}"
        if math.isfinite(difference):
            how_much = with_error(difference, ahead.standard_error)
            text += f"; fold for fold the difference is {how_much}"
            text += ", too small to tell the two apart" * (not _clearly(ahead))
        text += "."
    if contents.baseline is None:
        return text
    name, base = contents.baseline.name, contents.baseline.scores[0]
    # To the digits of the best: its own error is tiny where all folds have the same mean.
    error = score.standard_error
    mean = round(base.mean, 1 - _power(error, 2)) if error > 0 else base.mean
    better = score.mean > base.mean if score.greater_is_better else score.mean < base.mean
    none = "" if better else ": no model does better than that"
    return f"{text} By comparison, {name[:1].lower()}{name[1:]} has {numeral(mean)}{none}."


def _clearly(ahead: Score) -> bool:
    """Whether the differences fold for fold tell two models apart."""
    return not abs(ahead.mean) < 2 * ahead.standard_error
