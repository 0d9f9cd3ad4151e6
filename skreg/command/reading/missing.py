"""Cells that stand for a missing value."""

from __future__ import annotations

# In every column.
ALWAYS = frozenset(["", ".", "?", "na", "n/a", "#n/a", "nan", "null", "none", "<na>"])
# In a column of text too, where other cells have letters.
DASHES = frozenset(["-", "--", "---", "*", "**", "***", "\u2013", "\u2014", "..", "...", "\u2026"])
# Among numbers.
_WORDS = """
    n.a., n.a, n.d., nd, k.a., k.a, ka, missing, unknown, unk, nil, refused, 0000-00-00, #value!,
    #ref!, #div/0!, #num!, #name?, #null!, not available, not applicable, not known, no data,
    no answer, don't know, keine angabe
"""
WORDS = frozenset(word.strip() for word in _WORDS.split(","))


def is_missing(cell: str) -> bool:
    """Whether a cell stands for a missing value, whatever its column holds."""
    return cell.strip().lower() in ALWAYS


def is_missing_number(cell: str) -> bool:
    """Whether a cell among numbers stands for a missing one: signs alone, or a known word."""
    cell = cell.strip().lower()
    return cell in ALWAYS or cell in WORDS or not any(letter.isalnum() for letter in cell)
