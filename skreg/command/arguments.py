"""What a user says to `python -m skreg`, parsed and checked in one place."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from .. import __version__
from .models import MODELS, USUAL
from .reading import add_options, reading_options
from .text import PICTURES

USAGE_ERROR = 2
DEFAULTS = {"test_size": 0.2, "out": Path()}  # of what a page has no use for


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
    if given.target is not None and given.file is None:
        parser.error("--target names a column of a FILE: give the file too")
    _check_together(parser, given)
    _check_overwriting(parser, given)
    given.reading = reading_options(parser, of_file, given)
    words = sys.argv[1:] if argv is None else argv
    given.call = shlex.join(["python", "-m", "skreg", *words])
    return given


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE_ERROR, f"skreg: {message} (python -m skreg --help lists the options)\n")


def _number(kind: type, refused: Callable[[Any], str | None]) -> Callable[[str], Any]:
    """A type of argparse: a number, unless `refused` says what is wrong with it."""

    def parse(text: str) -> Any:
        value = kind(text)
        reason = refused(value)
        if reason:
            raise argparse.ArgumentTypeError(reason)
        return value

    # argparse names the type when the text is no number
    parse.__name__ = "integer" if kind is int else "number"
    return parse


def _between(least: int, most: int) -> Callable[[int], str | None]:
    def refused(value: int) -> str | None:
        if value < least:
            return f"{value} is below {least}"
        return f"{value} is above {most}" if value > most else None

    return refused


FOLDS = _number(int, _between(2, sys.maxsize))
SEED = _number(int, _between(0, 2**32 - 1))
FRACTION = _number(float, lambda x: None if 0 < x < 1 else f"{x:g} is not between 0 and 1")
JOBS = _number(
    int, lambda n: None if n else "0 jobs do nothing: give 1 or more, or -1 for all cores"
)


def _parser() -> tuple[argparse.ArgumentParser, argparse._ArgumentGroup]:
    """The parser, and its options of a FILE."""
    parser = _Parser(
        prog="python -m skreg",
        description="Fit Lasso, ElasticNet and Ridge with the penalty chosen by cross-validation; "
        "print how they compare and save pictures of the Lasso's path and CV curve. With --report,"
        " write a page about models of numbers or classes instead.",
        epilog="Without FILE: the diabetes data bundled with scikit-learn and its interactions.",
    )
    parser.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        help="a table as text; its text columns are one-hot encoded, missing values imputed",
    )
    parser.add_argument("--target", metavar="NAME", help="the column of FILE to predict")
    parser.add_argument(
        "--folds",
        type=FOLDS,
        default=5,
        help="default: %(default)s",
    )
    parser.add_argument(
        "--rule",
        choices=["min", "1se"],
        default="min",
        help="the alpha of smallest error, or the largest within one standard error of it; "
        "default: %(default)s",
    )
    parser.add_argument(
        "--test-size",
        type=FRACTION,
        help=f"fraction held out; default: {DEFAULTS['test_size']}",
    )
    parser.add_argument(
        "--seed",
        type=SEED,
        default=0,
        help="of the random splits (%(default)s)",
    )
    parser.add_argument("--jobs", type=JOBS, default=1, help="processes; default: %(default)s")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="folder of the pictures; default: ."
    )
    parser.add_argument("--no-plots", action="store_true", help="print the table only")
    of_file = add_options(parser)
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
    page.add_argument(
        "--task",
        choices=list(MODELS),
        help="what the target holds: numbers or classes; default: classes if it is text or has two"
        " values",
    )
    parser.add_argument("--version", action="version", version=f"skreg {__version__}")
    return parser, of_file


def _check_together(parser: argparse.ArgumentParser, given: argparse.Namespace) -> None:
    """Refuse options that would be ignored; fill in the defaults of the others."""
    if given.report is None:
        for name in ("model", "task"):
            if getattr(given, name) is not None:
                parser.error(f"--{name} is for a page: add --report report.html")
    else:
        unused = [name for name in DEFAULTS if getattr(given, name) is not None]
        unused += ["no_plots"] if given.no_plots else []
        if unused:
            parser.error(f"--{unused[0].replace('_', '-')} is not for a page: leave it out")
    if given.task is not None and given.file is None:
        parser.error("--task is about the target of a FILE: give the file too")
    for name, value in DEFAULTS.items():
        if getattr(given, name) is None:
            setattr(given, name, value)


def _check_overwriting(parser: argparse.ArgumentParser, given: argparse.Namespace) -> None:
    """Refuse to write over the table, also where a link leads to it."""
    if given.report is not None:
        written = {"--report": [given.report]}
    else:
        pictures = [] if given.no_plots else [given.out / name for name in PICTURES]
        written = {"--out": pictures}
    for option, paths in written.items():
        for path in paths:
            try:
                same = given.file is not None and os.path.samefile(given.file, path)
            except (OSError, ValueError):  # one of them is not there, or no file's name
                continue
            if same:
                parser.error(f"{option} would overwrite {given.file!r}: name another place")
