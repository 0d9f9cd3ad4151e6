"""Names of features as pictures write them: short, and different wherever the features are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike


def names(given: ArrayLike | None, n_features: int) -> list[str]:
    """List one name a feature, scikit-learn's "x0", "x1" and so on where none are given.

    A name of several levels, as pandas has them, is written with commas between its levels.
    """
    if given is None:
        return [f"x{index}" for index in range(n_features)]
    listed = [_text(name) for name in np.asarray(given, dtype=object)]
    if len(listed) != n_features:
        raise ValueError(f"{len(listed)} feature names for {n_features} features")
    return listed


def _text(name: Any) -> str:
    if isinstance(name, tuple | list | np.ndarray):
        return ", ".join(str(level) for level in name if str(level))
    return str(name)


def shorten(name: str, length: int) -> str:
    """Cut a name to at most `length` characters; a long one loses its middle.

    In "column=category" the category stays whole where it fits.
    """
    return _cut(name, length, (length - 1) - (length - 1) // 2)


def _cut(name: str, length: int, n_first: int) -> str:
    """Keep the first characters, at most `n_first` of them, and as many of the last as fit."""
    if len(name) <= length:
        return name
    column, equals, category = name.partition("=")
    room = length - len(equals + category)
    if equals and room >= 3:
        return _cut(column, room, min(n_first, room - 1)) + equals + category
    n_last = length - 1 - n_first
    return f"{name[:n_first]}…{name[len(name) - n_last :]}"


def shorten_apart(names: Sequence[str], length: int) -> list[str]:
    """Cut names to at most `length` characters so that no two of them read alike.

    Names that lose what tells them apart are cut elsewhere: towards their beginnings or ends, else
    around the first character in which they differ. The last resort is a number.
    """
    shown = [shorten(name, length) for name in names]
    counts = Counter(shown)
    for text in [text for text, count in counts.items() if count > 1]:
        alike = [index for index, other in enumerate(shown) if other == text]
        others = {other for other in shown if other != text}
        for index, other in zip(
            alike, _apart([names[i] for i in alike], length, others), strict=True
        ):
            shown[index] = other
    return shown


def _apart(alike: list[str], length: int, taken: set[str]) -> list[str]:
    """Cut names that read alike so that they do not, nor like those taken."""
    # All but the words that they begin with, and with few words left, those that they end with.
    begin = len(_common_start(alike))
    separators = [at + 1 for at in range(begin) if not alike[0][at].isalnum()]
    begin = separators[-1] if separators else 0
    end = len(_common_start([name[: begin - 1 : -1] if begin else name[::-1] for name in alike]))
    shown = max(len(name) - end for name in alike) - begin + 1
    ways: list[Callable[[str], str]] = []
    if shown + end <= length:
        ways.append(partial(_cut, length=length, n_first=0))
    if begin + shown <= length:
        ways.append(partial(_cut, length=length, n_first=length - 1))
    if shown + 1 <= length:
        ways.append(partial(_window, begin=begin, length=length))
    near_the_middle = sorted(range(length), key=lambda n: abs(n - (length - 1) // 2))
    ways += [partial(_cut, length=length, n_first=n_first) for n_first in near_the_middle]
    ways.append(partial(_window, begin=begin, length=length))
    for way in ways:
        texts = [way(name) for name in alike]
        if len({*texts, *taken}) == len(texts) + len(taken):
            return texts
    tags = [f" ({number})" for number in range(1, len(alike) + 1)]
    return [shorten(name, length - len(tag)) + tag for name, tag in zip(alike, tags, strict=True)]


def _window(name: str, begin: int, length: int) -> str:
    """Keep what follows a place in the name."""
    if len(name) - begin < length:
        return _cut(name, length, 0)
    return f"…{name[begin : begin + length - 2]}…"


def _common_start(texts: list[str]) -> str:
    first, last = min(texts), max(texts)
    same = [a == b for a, b in zip(first, last, strict=False)]
    return first[: same.index(False) if False in same else len(same)]
