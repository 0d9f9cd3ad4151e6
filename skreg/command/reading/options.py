"""What a user says of a file, where it does not say so itself."""

from __future__ import annotations

import argparse
import codecs
from dataclasses import dataclass, fields
from typing import Any


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
    missing : tuple of str, default=()
        Cells that stand for a missing value, in every column, or in one as NAME=VALUE.
    time : str or None, default=None
        The column by which the rows are put in order.
    drop, text, number : tuple of str, default=()
        Columns to leave out, to take as text, and to take as numbers.
    """

    encoding: str = "utf-8"
    header: bool | None = None
    decimal: str | None = None
    day_first: bool | None = None
    missing: tuple[str, ...] = ()
    time: str | None = None
    drop: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    number: tuple[str, ...] = ()


def add_options(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Declare the options of a command that say how to read a FILE."""
    group = parser.add_argument_group("reading FILE, where it does not say itself")
    group.add_argument(
        "--header",
        action=argparse.BooleanOptionalAction,
        help="whether the first line has names; without, columns are 'column 1', 'column 2', ...",
    )
    group.add_argument("--encoding", type=_encoding, default="utf-8", help="default: utf-8")
    group.add_argument(
        "--decimal", choices=[".", ","], metavar="SIGN", help="of numbers: a point or a comma"
    )
    group.add_argument(
        "--thousands", choices=[",", "."], metavar="SIGN", help="what separates thousands: , or ."
    )
    group.add_argument(
        "--dates", choices=["day-first", "month-first"], help="what comes first in 3/4/2020"
    )
    missing = "cells that stand for a missing value, as -999; NAME=VALUE in one column alone"
    time = "the column that orders the rows: later ones are predicted from earlier ones"
    several: dict[str, Any] = {"action": "extend", "nargs": "+", "default": []}
    group.add_argument("--missing", metavar="VALUE", help=missing, **several)
    group.add_argument("--time", metavar="NAME", help=time)
    group.add_argument("--drop", metavar="NAME", help="columns to leave out", **several)
    group.add_argument("--text", metavar="NAME", help="columns to take as categories", **several)
    group.add_argument("--number", metavar="NAME", help="columns to take as numbers", **several)
    return group


def _encoding(text: str) -> str:
    try:
        return codecs.lookup(text).name
    except LookupError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no encoding: utf-8, cp1252, latin-1 and utf-16 are"
        ) from None


def reading_options(
    parser: argparse.ArgumentParser, group: argparse._ArgumentGroup, given: argparse.Namespace
) -> ReadingOptions:
    """What the options of `add_options` say of the file; they are refused where there is none."""
    if given.thousands and given.thousands == given.decimal:
        parser.error("--decimal and --thousands are the same sign: change one")
    for action in group._group_actions if given.file is None else ():
        if getattr(given, action.dest) != action.default:
            parser.error(f"{action.option_strings[0]} is about a FILE: give the file too")
    both = set(given.text) & set(given.number)
    if both:
        parser.error(f"--text and --number both name {min(both)!r}: choose one")
    said: dict[str, Any] = {}
    for one in fields(ReadingOptions):
        value = getattr(given, one.name, None)
        said[one.name] = tuple(value) if isinstance(value, list) else value
    said["decimal"] = given.decimal or {None: None, ",": ".", ".": ","}[given.thousands]
    said["day_first"] = given.dates and given.dates == "day-first"
    return ReadingOptions(**said)
