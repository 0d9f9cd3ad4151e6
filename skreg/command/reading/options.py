"""What a user says of a file, where it does not say so itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class ReadingOptions:
    """How to read a file; every default leaves it to the file.

    Parameters
    ----------
    encoding : str, default="utf-8"
        Of the text.
    header : bool or None, default=None
        Whether the first line has the names of the columns; None asks where it has numbers.
    decimal : {".", ","} or None, default=None
        The decimal sign, where a column can be read with both.
    day_first : bool or None, default=None
        Whether 3/4/2020 is in April, where a column can be read both ways.
    missing : sequence of str, default=()
        Cells that stand for a missing value, in every column, or in one as NAME=VALUE.
    time : str or None, default=None
        The column by which the rows are put in order.
    drop, text, number : sequence of str, default=()
        Columns to leave out, to take as text, and to take as numbers.
    """

    encoding: str = "utf-8"
    header: bool | None = None
    decimal: str | None = None
    day_first: bool | None = None
    missing: Sequence[str] = ()
    time: str | None = None
    drop: Sequence[str] = ()
    text: Sequence[str] = ()
    number: Sequence[str] = ()
