"""`python -m skreg`: models compared on diabetes or on one's own table, as text or as a page."""

from __future__ import annotations

import argparse
import importlib.util
import io
import os
import shlex
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from .. import __version__
from .comparison import compare
from .page import MODELS, USUAL, report_table
from .reading import ReadingOptions, add_options, read_table, reading_options
from .table import Table, TableError, diabetes
from .text import PICTURES, format_comparison, save_pictures

USAGE_ERROR, INTERRUPTED = 2, 130
DEFAULTS = {"test_size": 0.2, "out": Path()}  # of what a page has no use for


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


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    argv : sequence of str or None, default=None
        The arguments; None takes those of the process.

    Returns
    -------
    int
        0; 2 if the arguments or the table cannot be used; 130 if interrupted.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a name that the terminal cannot show is no error
    parser, of_file = _parser()
    options = parser.parse_args(argv)
    if options.target is not None and options.file is None:
        parser.error("--target names a column of a FILE: give the file too")
    _check_together(parser, options)
    _check_overwriting(parser, options)
    reading = reading_options(parser, of_file, options)
    try:
        if options.report is None:
            _compare(options, reading)
        else:
            _report(options, reading, sys.argv[1:] if argv is None else argv)
    except TableError as error:
        print(f"skreg: {error}", file=sys.stderr)
        return USAGE_ERROR
    except KeyboardInterrupt:
        print("skreg: interrupted", file=sys.stderr)
        return INTERRUPTED
    return 0


def _check_together(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Refuse options that would be ignored; fill in the defaults of the others."""
    if options.report is None:
        for name in ("model", "task"):
            if getattr(options, name) is not None:
                parser.error(f"--{name} is for a page: add --report report.html")
    else:
        given = [name for name in DEFAULTS if getattr(options, name) is not None]
        given += ["no_plots"] if options.no_plots else []
        if given:
            parser.error(f"--{given[0].replace('_', '-')} is not for a page: leave it out")
    if options.task is not None and options.file is None:
        parser.error("--task is about the target of a FILE: give the file too")
    for name, value in DEFAULTS.items():
        if getattr(options, name) is None:
            setattr(options, name, value)


def _check_overwriting(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Refuse to write over the table, also where a link leads to it."""
    if options.report is not None:
        written = {"--report": [options.report]}
    else:
        pictures = [] if options.no_plots else [options.out / name for name in PICTURES]
        written = {"--out": pictures}
    for option, paths in written.items():
        for path in paths:
            try:
                same = options.file is not None and os.path.samefile(options.file, path)
            except (OSError, ValueError):  # one of them is not there, or no file's name
                continue
            if same:
                parser.error(f"{option} would overwrite {options.file!r}: name another place")


def _read(options: argparse.Namespace, reading: ReadingOptions, task: str) -> Table:
    if options.file is None:
        table = diabetes()
    else:
        table = read_table(options.file, options.target, task, reading)
    for caution in table.cautions:
        for line in caution.text.splitlines():
            print(f"note: {line}", file=sys.stderr)
    for note in table.notes:
        print(f"note: {note}")
    return table


def _report(options: argparse.Namespace, reading: ReadingOptions, argv: Sequence[str]) -> None:
    table = _read(options, reading, options.task or "auto")
    said = report_table(
        table,
        options.report,
        models=options.model or (),
        target=options.target or "disease progression",
        folds=options.folds,
        rule=options.rule,
        seed=options.seed,
        n_jobs=options.jobs,
        call=shlex.join(["python", "-m", "skreg", *argv]),
    )
    print(said)


def _compare(options: argparse.Namespace, reading: ReadingOptions) -> None:
    table = _read(options, reading, "regression")
    with _collected() as said:
        result = compare(
            table,
            n_folds=options.folds,
            rule=options.rule,
            test_size=options.test_size,
            seed=options.seed,
            n_jobs=options.jobs,
        )
    print(format_comparison(result))
    for message in said:
        print(f"note: {message}")
    if options.no_plots:
        return
    if importlib.util.find_spec("matplotlib") is None:
        print("For pictures install matplotlib: python -m pip install matplotlib")
        return
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        with _collected() as said:
            pictures = save_pictures(result, options.out)
    except OSError as error:
        raise TableError(
            f"no picture can be saved in {str(options.out)!r}: {error.strerror}; name another --out"
        ) from None
    print(*(f"saved {picture}" for picture in pictures), sep="\n")
    for message in said:
        if not message.startswith("Glyph"):
            print(f"note: {message}")
    if any(message.startswith("Glyph") for message in said):
        print(
            "note: the font of the pictures lacks letters of the names and shows boxes for them;"
            " set font.family in a matplotlibrc file, or take --report"
        )


@contextmanager
def _collected() -> Iterator[list[str]]:
    """What is warned of meanwhile, each once."""
    said: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield said
    said += dict.fromkeys(str(warning.message) for warning in caught)
