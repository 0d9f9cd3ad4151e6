"""What a user says of a file, where it does not say so itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class ReadingOptions:
    """How to read a file; every default leaves it to the file."""

    encoding: str = "utf-8"  # of the text
    # whether the first line has the names of the columns; None asks where it has numbers
    header: bool | None = None
    decimal: str | None = None  # {".", ","}: the decimal sign, where a column can be read with both
    # whether 3/4/2020 is in April, where a column can be read both ways
    day_first: bool | None = None
    # cells that stand for a missing value, in every column, or in one as NAME=VALUE
    missing: Sequence[str] = ()
    time: str | None = None  # the column by which the rows are put in order
    drop: Sequence[str] = ()  # columns to leave out
    text: Sequence[str] = ()  # columns to take as text
    number: Sequence[str] = ()  # columns to take as numbers


LEFT_TO_THE_FILE = ReadingOptions()
