"""`python -m skreg`: models compared on diabetes or on one's own table, as text or as a page."""

from __future__ import annotations

import importlib.util
import io
import os
import sys
import warnings
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ..report import wording
from ..report.making import make_report
from .arguments import USAGE_ERROR, parse
from .chunked_classes import compare_classes_in_chunks
from .chunked_comparison import compare_chunks
from .class_comparison import ClassComparison, compare_classes
from .comparison import Comparison, compare
from .models import check_models, usual_models
from .progress import ReadingProgress
from .reading import TableInChunks, is_parquet, read_in_chunks, read_table
from .table import Table, TableError, diabetes, time_folds
from .text import format_classes, format_comparison, save_pictures

STATUS_OF_INTERRUPTION, STATUS_OF_CLOSED_PIPE = 130, 141
CHUNK_ROWS = 50_000  # of a Parquet file, where nothing is said
NO_LETTERS = (
    "the font of the pictures lacks letters of the names and shows boxes for them; set font.family"
    " in a matplotlibrc file, or take --report"
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    argv : sequence of str or None, default=None
        The arguments; None takes those of the process.

    Returns
    -------
    int
        0; 2 if the arguments or the table cannot be used; 130 if interrupted; 141 where nobody
        reads on.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a name that the terminal cannot show is no error
    given = parse(argv)
    try:
        if given.report is None:
            _compare(given)
        else:
            _report(given)
        sys.stdout.flush()
    except TableError as error:
        print(f"skreg: {error}", file=sys.stderr)
        return USAGE_ERROR
    except KeyboardInterrupt:
        print("skreg: interrupted", file=sys.stderr)
        return STATUS_OF_INTERRUPTION
    except BrokenPipeError:  # who reads it, as `head` does, has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return STATUS_OF_CLOSED_PIPE
    return 0


def _read(given: Namespace, task: str) -> Table:
    if given.file is None:
        table = diabetes()
    elif is_parquet(Path(given.file)):
        raise TableError(f"a page is made of delimited text: export {given.file!r} as CSV")
    else:
        table = read_table(given.file, given.target, task, given.reading)
    _say_notes(table)
    return table


def _say_notes(table: Table | TableInChunks) -> None:
    for caution in table.cautions:
        for line in caution.text.splitlines():
            print(f"note: {line}", file=sys.stderr)
    for note in table.notes:
        print(f"note: {note}")


def _report(given: Namespace) -> None:
    """Write the report of a table, and say what came out."""
    table = _read(given, given.task or "auto")
    chosen = check_models(given.model or (), table.task)
    cv = None if table.times is None else time_folds(table.times, given.folds)
    if cv is not None and table.task == "classification":
        late = np.setdiff1d(table.y, table.y[cv[0][0]])
        if late.size:
            raise TableError(
                f"--time: class {late[0]!s} is not among the {len(cv[0][0])} rows before the first"
                " fold: fewer --folds, or leave --time out"
            )
    options = {
        "cv": given.folds if cv is None else cv,
        "scoring": None,
        "feature_names": table.columns,
        "target_name": given.target or "disease progression",
        "title": table.title,
        "random_state": given.seed,
    }
    try:
        contents = make_report(
            usual_models(chosen, table, rule=given.rule, seed=given.seed, folds=given.folds),
            table.X,
            table.y,
            given.report,
            options,
            n_jobs=given.jobs,
            verbose=1,
            call=given.call,
            notes=table.notes,
            of_data=table.cautions,
        )
    except (ValueError, ImportError, OSError) as error:
        # In the words of the command's options, and in which model.
        said = str(error).replace("cv=", "--folds ").replace("path:", "--report:")
        raise TableError("; ".join([said, *getattr(error, "__notes__", [])])) from error
    print(wording.result(contents))
    if contents.cautions:
        many = len(contents.cautions)
        print(f"The page begins with {many} caution{'s' if many > 1 else ''} to read.")
    for caution in contents.cautions:
        if caution.serious:
            print(f"serious: {caution.title}")
    print(f"saved {given.report} ({given.report.stat().st_size / 1e6:.2f} MB)")


def _compare(given: Namespace) -> None:
    options = {"n_folds": given.folds, "test_size": given.test_size, "seed": given.seed}
    result: Comparison | ClassComparison
    if _in_chunks(given):
        chunked = _read_chunks(given)
        with _collected() as notes, _about_the_table():
            progress = ReadingProgress("second pass", chunked.n_bytes)
            if chunked.classes is not None:
                result = compare_classes_in_chunks(chunked, progress, rule=given.rule, **options)
                text = format_classes(result)
            else:
                result = compare_chunks(chunked, progress, rule=given.rule or "min", **options)
                text = format_comparison(result)
        _show(given, result, text, notes)
        return
    table = _read(given, given.task or "text")
    options["n_jobs"] = given.jobs
    with _collected() as notes, _about_the_table():
        if table.task == "classification":
            result = compare_classes(table, rule=given.rule, **options)
            text = format_classes(result)
        else:
            result = compare(table, rule=given.rule or "min", **options)
            text = format_comparison(result)
    _show(given, result, text, notes)


def _in_chunks(given: Namespace) -> bool:
    """Whether a file is not to be read whole, as Parquet never is."""
    return given.chunk_rows is not None or (given.file is not None and is_parquet(Path(given.file)))


def _read_chunks(given: Namespace) -> TableInChunks:
    path = Path(given.file)
    if given.reading.time is not None:  # of Parquet, for which nobody said --chunk-rows
        raise TableError("--time needs all rows in memory, and Parquet is read in chunks")
    progress = ReadingProgress("first pass", path.stat().st_size if path.is_file() else 0)
    n_rows = given.chunk_rows or CHUNK_ROWS
    table = read_in_chunks(
        path, given.target, given.task or "text", given.reading, n_rows, progress
    )
    _say_notes(table)
    return table


def _show(
    given: Namespace, result: Comparison | ClassComparison, text: str, notes: list[str]
) -> None:
    """Print a comparison, and save its pictures."""
    print(text, *notes, sep="\n")
    if given.no_plots:
        return
    if importlib.util.find_spec("matplotlib") is None:
        print("For pictures install matplotlib: python -m pip install matplotlib")
        return
    try:
        given.out.mkdir(parents=True, exist_ok=True)
        with _collected() as notes:
            pictures = save_pictures(result, given.out)
    except OSError as error:
        raise TableError(
            f"no picture can be saved in {str(given.out)!r}: {error.strerror}; name another --out"
        ) from None
    print(*(f"saved {picture}" for picture in pictures), *notes, sep="\n")


@contextmanager
def _about_the_table() -> Iterator[None]:
    """What keeps models from being fitted, in one line: the table is why."""
    try:
        yield
    except (TableError, np.linalg.LinAlgError):  # the latter tells of the program, not of the table
        raise
    except (ValueError, MemoryError) as error:
        reason = str(error) or "there is not enough memory"  # Python's own error has no words
        raise TableError(f"no models of this table: {reason}; --drop leaves out columns") from error


@contextmanager
def _collected() -> Iterator[list[str]]:
    """Notes of what is warned of meanwhile, each once."""
    notes: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield notes
    messages = (str(warning.message) for warning in caught)
    said = (NO_LETTERS if message.startswith("Glyph") else message for message in messages)
    notes += dict.fromkeys(f"note: {message}" for message in said)
