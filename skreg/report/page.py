"""The report as one HTML file that asks nothing of any network."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterator
from functools import partial
from importlib import resources
from typing import NamedTuple

import numpy as np

from ..plotting.naming import shorten, shorten_apart
from . import pictures, wording
from .contents import Coefficients, Contents, ModelReport
from .drawing import Picture

_MOST_ROWS = 200  # of a coefficient table,
_FEWEST_ROWS = 20  # fewer where many models share
_MOST_CELLS = 8000  # of all coefficient tables together
_MOST_COLUMNS = 200  # of the table of columns
_MOST_SIDE_BY_SIDE = 6  # side by side in a coefficient table
_LONGEST_NAME = 120  # characters of a name that a table shows
_MOST_PICTURE_BYTES = 3_000_000  # the tables take up to 2 MB
# What HTML cannot hold or UTF-8 cannot encode (control characters and halves of surrogate pairs),
# and what would turn the page's own words around (embeddings, overrides and isolates of direction).
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def require_jinja2() -> None:
    """Fail in one sentence when Jinja2, matplotlib or pandas is missing."""
    try:
        import jinja2  # noqa: F401  # only to see that they are there
        import matplotlib  # noqa: F401  # the same
        import pandas  # noqa: F401  # the same
    except ImportError as error:
        raise ImportError(
            f"a report needs {error.name}, which is not installed. "
            "Install it with the report extra: pip install 'skreg[report]'"
        ) from error


class CoefficientTable(NamedTuple):
    """The largest coefficients of a model, ready to be written."""

    heads: list[str]  # over the columns of numbers
    # A feature's name and its numbers, each as it is shown and as it is sorted by.
    rows: list[tuple[str, list[tuple[float, float]]]]
    note: str  # what is not in the table


class Section(NamedTuple):
    """One model's part of the page."""

    model: ModelReport
    anchor: str
    pictures: list[Picture]
    table: CoefficientTable | None
    left_out: list[str]


def render(contents: Contents) -> str:
    """Write the page: a whole HTML file, to be saved as UTF-8."""
    require_jinja2()
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("skreg.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": wording.numeral,
        "duration": wording.duration,
        "score": wording.score_text,
        "listing": wording.listing,
        "short": partial(shorten, length=_LONGEST_NAME),
    }
    script = resources.files(__package__).joinpath("templates/page.js").read_text("utf-8")
    digest = b64encode(hashlib.sha256(script.encode()).digest()).decode()
    order = wording.ranking(contents.models)
    html = environment.get_template(
        "page.html"
    ).render(
        contents=contents,
        glance=contents.glance,
        result=wording.result(contents).replace(" ± ", "\xa0±\xa0"),  # on one line
        ranked=[contents.models[position] for position in order],
        comparison=pictures.comparison(contents, order),
        sections=list(_sections(contents, order)),
        columns=contents.glance.columns[:_MOST_COLUMNS],
        script=script,
        script_hash=f"sha256-{digest}",
    )
    return _UNPRINTABLE.sub("\ufffd", html)


def _sections(contents: Contents, order: list[int]) -> Iterator[Section]:
    """Make one section a model, the best first, until the pictures fill the file."""
    room = _MOST_PICTURE_BYTES
    what = "classes" if contents.glance.task == "classification" else "targets"
    for position in order:
        model, table = contents.models[position], None
        drawn = list(pictures.of_model(model, contents, position)) if room > 0 else []
        left_out = list(model.left_out)
        room -= sum(len(picture.svg) for picture in drawn)
        if room <= 0:
            while drawn and room < 0:
                room += len(drawn.pop().svg)
            left_out.append("Some pictures were left out to keep this file below 5 MB.")
            room = 0
        if model.coefficients is not None:
            cells = _MOST_CELLS // len(order)
            table = _table(model.coefficients, model.alpha_1se, what, cells)
        yield Section(model, f"model-{position}", drawn, table, left_out)


def _table(
    coefficients: Coefficients, alpha_1se: float | None, what: str, cells: int
) -> CoefficientTable:
    """Choose the rows of a coefficient table, the largest first."""
    values = np.atleast_2d(coefficients.comparable(coefficients.values))
    per, note = wording.per(coefficients), ""
    single, shown = len(values) == 1, values[:_MOST_SIDE_BY_SIDE]
    if single:
        heads = [per]
        if coefficients.at_1se is not None:
            shown = np.vstack([shown, coefficients.comparable(coefficients.at_1se)])
            at = "" if alpha_1se is None else f", α = {wording.numeral(alpha_1se)}"
            heads.append(f"at 1se{at}")
    else:
        given = coefficients.targets or [f"target {k}" for k in range(len(values))]
        heads, note = list(map(str, given[:_MOST_SIDE_BY_SIDE])), f"Coefficients are {per}. "
    if len(values) > _MOST_SIDE_BY_SIDE:
        note += f"The first {_MOST_SIDE_BY_SIDE} of {len(values):,} {what} are shown. "
    sizes = np.abs(shown)
    largest = sizes.max(axis=0)
    # By the first column, then by the others, where there is one target; by the largest otherwise.
    order = np.lexsort((-largest, -sizes[0] if single else -largest))
    order = order[largest[order] > 0]
    n_zero = shown.shape[1] - order.size
    n_rows = min(_MOST_ROWS, max(_FEWEST_ROWS, cells // len(heads)))
    if order.size > n_rows:
        note += f"The {n_rows} largest of {order.size:,} coefficients are shown"
        note += f"; {n_zero:,} more are zero." if n_zero else "."
    elif n_zero:
        note += f"The other {n_zero:,} are zero." if order.size else f"All {n_zero:,} are zero."
    # What is left of a coefficient that cancels out, as at the first knot of a path.
    nothing = 10 * np.finfo(np.float64).eps * sizes.max(initial=0.0)
    rounded = np.where(sizes < nothing, 0.0, shown)
    if coefficients.to_unit is not None and single:
        by_unit = np.where(rounded[0] == 0, 0.0, coefficients.values * coefficients.to_unit)
        shown, rounded = np.vstack([shown, by_unit]), np.vstack([rounded, by_unit])
        heads.append("per unit of x")
    order = order[:n_rows]
    names = shorten_apart([str(coefficients.names[i]) for i in order], _LONGEST_NAME)
    numbers = np.stack([rounded[:, order], shown[:, order]], axis=-1).swapaxes(0, 1)
    return CoefficientTable(heads, list(zip(names, numbers.tolist(), strict=True)), note.strip())
