"""What a user says to `python -m skreg`, parsed and checked in one place."""

from __future__ import annotations

import argparse
import codecs
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, NoReturn

from .. import __version__
from .models import MODELS, USUAL
from .reading import ReadingOptions
from .text import PICTURES

USAGE_ERROR = 2
DEFAULTS: dict[str, Any] = {"test_size": 0.2, "out": Path()}  # of what a page has no use for


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The arguments of the command; one line and exit code 2 where they do not go together.

    Parameters
    ----------
    argv : sequence of str or None
        None takes those of the process.

    Returns
    -------
    Namespace
        The options by their names, with `reading`, what they say of the file, and `call`, the
        command line.
    """
    parser, of_file = _parser()
    given = parser.parse_args(argv)
    for message in _refusals(given, of_file):
        parser.error(message)
    for name, value in DEFAULTS.items():
        if getattr(given, name) is None:
            setattr(given, name, value)
    given.decimal = given.decimal or {None: None, ",": ".", ".": ","}[given.thousands]
    given.day_first = given.dates and given.dates == "day-first"
    given.reading = ReadingOptions(
        **{one.name: getattr(given, one.name) for one in fields(ReadingOptions)}
    )
    given.call = shlex.join(["python", "-m", "skreg", *(sys.argv[1:] if argv is None else argv)])
    return given


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE_ERROR, f"skreg: {message} (python -m skreg --help lists the options)\n")


def _refusals(given: argparse.Namespace, of_file: argparse._ArgumentGroup) -> Iterator[str]:
    """What cannot be done, and what would be ignored, in words that say what to change."""
    for name, least, most in (("folds", 2, sys.maxsize), ("seed", 0, 2**32 - 1)):
        value = getattr(given, name)
        if not least <= value <= most:
            beyond = f"below {least}" if value < least else f"above {most}"
            yield f"argument --{name}: {value} is {beyond}"
    if given.test_size is not None and not 0 < given.test_size < 1:
        yield f"argument --test-size: {given.test_size:g} is not between 0 and 1"
    if given.jobs == 0:
        yield "argument --jobs: 0 jobs do nothing: give 1 or more, or -1 for all cores"
    if given.target is not None and given.file is None:
        yield "--target names a column of a FILE: give the file too"
    others, why = ["model"], "is for a page: add --report report.html"
    if given.report is not None:
        others, why = [*DEFAULTS, "no_plots"], "is not for a page: leave it out"
    for name in others:
        if getattr(given, name) not in (None, False):
            yield f"--{name.replace('_', '-')} {why}"
    if given.chunk_rows is not None:
        if given.chunk_rows < 1:
            yield f"argument --chunk-rows: {given.chunk_rows} is below 1"
        if given.report is not None:
            yield "--chunk-rows is for text and pictures, a page needs the rows: leave one out"
        if given.time is not None:
            yield "--time needs all rows in memory to put them in order: leave out --chunk-rows"
        if given.jobs != 1:
            yield "--jobs shares folds of rows, of which --chunk-rows has sums: leave it out"
    if given.task is not None and given.file is None:
        yield "--task is about the target of a FILE: give the file too"
    option, written = "--report", [given.report]
    if given.report is None:
        folder = given.out or DEFAULTS["out"]
        option, written = "--out", [] if given.no_plots else [folder / name for name in PICTURES]
    if given.file is not None and any(_is_same(given.file, path) for path in written):
        yield f"{option} would overwrite {given.file!r}: name another place"
    if given.thousands and given.thousands == given.decimal:
        yield "--decimal and --thousands are the same sign: change one"
    for action in of_file._group_actions if given.file is None else ():
        if getattr(given, action.dest) != action.default:
            yield f"{action.option_strings[0]} is about a FILE: give the file too"
    for name in sorted(set(given.text) & set(given.number)):
        yield f"--text and --number both name {name!r}: choose one"


def _is_same(file: str, path: Path) -> bool:
    """Whether two names are of one file, also where a link leads to it."""
    try:
        return os.path.samefile(file, path)
    except (OSError, ValueError):  # one of them is not there, or no file's name
        return False


def integer(text: str) -> int:
    """Read an option; argparse names the type when the text is none."""
    return int(text)


def number(text: str) -> float:
    """Read an option as `integer` does."""
    return float(text)


def _encoding(text: str) -> str:
    try:
        return codecs.lookup(text).name
    except LookupError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no encoding: utf-8, cp1252, latin-1 and utf-16 are"
        ) from None


def _parser() -> tuple[argparse.ArgumentParser, argparse._ArgumentGroup]:
    """The parser, and its options of a FILE."""
    parser = _Parser(
        prog="python -m skreg",
        description="Fit Lasso, ElasticNet and Ridge, or for classes logistic regression with L1 "
        "and L2 and a network, with the penalty chosen by cross-validation; print how they compare "
        "and save pictures of the path with L1 and its CV curve. With --report, write a page.",
        epilog="Without FILE: the diabetes data bundled with scikit-learn and its interactions.",
    )
    parser.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        help="a table as text; its text columns are one-hot encoded, missing values imputed",
    )
    parser.add_argument("--target", metavar="NAME", help="the column of FILE to predict")
    parser.add_argument("--folds", type=integer, default=5, help="default: %(default)s")
    parser.add_argument(
        "--rule",
        choices=["min", "1se"],
        help="the alpha of smallest error, or the largest within one standard error of it; "
        "default: min, and 1se for logistic regression with L1",
    )
    parser.add_argument(
        "--test-size",
        type=number,
        help=f"fraction held out; default: {DEFAULTS['test_size']}",
    )
    parser.add_argument(
        "--seed", type=integer, default=0, help="of the random splits (%(default)s)"
    )
    parser.add_argument("--jobs", type=integer, default=1, help="processes; default: %(default)s")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="folder of the pictures; default: ."
    )
    parser.add_argument("--no-plots", action="store_true", help="print the table only")
    of_file = _add_reading(parser)
    page = parser.add_argument_group("a page instead of text and pictures")
    page.add_argument(
        "--report",
        type=Path,
        metavar="PAGE",
        help="write an HTML file that compares the models, for numbers or classes as target",
    )
    page.add_argument(
        "--model",
        action="extend",
        nargs="+",
        choices=sorted({name for names in MODELS.values() for name in names}),
        metavar="NAME",
        help="which models: of "
        + "; of ".join(
            f"{', '.join(MODELS[task])} to predict {what} (default: {' '.join(USUAL[task])})"
            for task, what in (("regression", "numbers"), ("classification", "classes"))
        ),
    )
    parser.add_argument("--version", action="version", version=f"skreg {__version__}")
    return parser, of_file


def _add_reading(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
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
    group.add_argument(
        "--task",
        choices=list(MODELS),
        help="what the target holds: numbers or classes; default: classes if it is text, and for a"
        " page also if it has two values",
    )
    group.add_argument(
        "--chunk-rows",
        type=integer,
        metavar="N",
        help="read the file twice, N rows at a time, where it does not fit into memory; classes are"
        " then compared without the network; Parquet is always read so",
    )
    group.add_argument("--missing", metavar="VALUE", help=missing, **several)
    group.add_argument("--time", metavar="NAME", help=time)
    group.add_argument("--drop", metavar="NAME", help="columns to leave out", **several)
    group.add_argument("--text", metavar="NAME", help="columns to take as categories", **several)
    group.add_argument("--number", metavar="NAME", help="columns to take as numbers", **several)
    return group
