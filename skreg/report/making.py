"""From estimators and data to a file."""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np

from ..files import check_path, write
from .cautions import data_cautions
from .code import python_call
from .columns import Columns
from .contents import Caution, Contents
from .evaluation import baseline, compare_models
from .families import power_of
from .glance import glance
from .ids_and_sentinels import DATES, column_cautions
from .model_cautions import announcements, model_cautions
from .page import render, require_jinja2
from .request import Request, check_request, fewest_held_out
from .wording import numeral, ranking


def make_report(
    estimators: Any,
    X: Any,
    y: Any,
    path: Any,
    options: dict[str, Any],
    *,
    n_jobs: int | None,
    verbose: int,
    call: str | None = None,
    notes: Sequence[str] = (),
    of_data: Sequence[Caution] | None = None,
) -> Contents:
    """`report` of what may have been read from a file.

    `options` are those arguments of `report` that decide what the page says. `call` is the command
    that makes the page again, if it is no Python code; `notes` say what was left out in reading,
    `of_data` what looks like a mistake in the file, or like no feature; None looks for these among
    the columns of X.
    """
    require_jinja2()
    target = check_path(path)
    request = check_request(estimators, X, y, **options)
    call = call or python_call(request, path, options)

    table = Columns.of(request.X, request.names)
    seen = glance(table, request.y, request.task, request.target)
    floor = baseline(request)  # first: what cannot be scored is seen before any fit
    models = compare_models(request, n_jobs=n_jobs, verbose=verbose)
    best = ranking(models)[0]
    ordered = request.in_time_order
    if of_data is None:
        of_data = column_cautions(table, request.y, request.target, ordered)
    of_time = ordered or any(one.title == DATES for one in of_data)
    cautions = [
        *of_data,
        *model_cautions(models, best, floor),
        *data_cautions(
            table,
            request.y,
            seen,
            fewest_held_out(request.folds),
            of_time,
            squared_errors=not all(power_of(one.estimator) for one in models),
        ),
        *announcements(models),
    ]
    contents = Contents(
        title=request.title,
        made=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
        glance=replace(seen, notes=(*map(_sentence, notes), *seen.notes)),
        y=request.y[request.held_out_rows],
        models=tuple(models),
        best=best,
        n_folds=len(request.folds),
        cautions=tuple(sorted(cautions, key=lambda caution: not caution.serious)),
        versions=_versions(request),
        call=call,
        score_note=_score_note(request, options["cv"]),
        baseline=floor,
        classes=tuple(map(str, request.classes)),
    )
    if verbose:
        print("drawing the page", file=sys.stderr, flush=True)
    write(target, render(contents).encode("utf-8"))
    return contents


def _sentence(line: str) -> str:
    return f"{line[:1].upper()}{line[1:]}."


def _score_note(request: Request, cv: Any) -> str:
    n_folds, n_rows = len(request.folds), len(request.y)
    kind, learned_from = "folds", "without the rows of"
    if request.in_time_order:
        learned_from = "on the rows above those of"
    elif isinstance(cv, (int, np.integer)):
        of_classes = " with the same share of each class" * (request.task == "classification")
        kind = f"shuffled folds{of_classes}"
    held_out, times = len(request.held_out_rows), request.times_held_out
    rows = f" ({held_out:,} of the {n_rows:,} rows are held out)" * (held_out != n_rows)
    shared = (
        f"; a row is held out {numeral(times, 3)} times on average, so that the {n_folds} folds"
        f" count as {numeral(n_folds / times, 3)}"
    )
    return (
        f"Every model was fitted {n_folds} times, each time {learned_from} one of {n_folds}"
        f" {kind}{rows}, and scored on those; preprocessing in a Pipeline was learned anew each"
        " time. After ± stands the standard error of the mean over the folds"
        f"{shared * (times > 1)}."
    )


def _versions(request: Request) -> tuple[tuple[str, str], ...]:
    known = {"numpy": "NumPy", "scipy": "SciPy", "sklearn": "scikit-learn"}
    known |= {"matplotlib": "matplotlib", "jinja2": "Jinja2"}
    own = __name__.partition(".")[0]
    homes = {type(estimator).__module__.partition(".")[0] for _, estimator, _ in request.estimators}
    modules = (own, *known, *sorted(homes - {own, *known}))
    found = ((one, getattr(sys.modules.get(one), "__version__", None)) for one in modules)
    others = ((known.get(one, one), str(version)) for one, version in found if version is not None)
    return (("Python", platform.python_version()), *others)
