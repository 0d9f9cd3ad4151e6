"""The report as one HTML file that asks nothing of any network."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from importlib import resources

import numpy as np

from ..plotting.naming import shorten, shorten_apart
from . import pictures, wording
from .contents import Coefficients, Contents, ModelReport
from .drawing import Picture

_MOST_ROWS = 200  # of a coefficient table,
_FEWEST_ROWS = 20  # fewer where many models share
_MOST_CELLS = 8000  # of all coefficient tables together
_MOST_COLUMNS = 200  # of the table of columns
_MOST_TARGETS = 6  # side by side in a coefficient table
_LONGEST_NAME = 120  # characters of a name that a table shows
_MOST_PICTURE_BYTES = 3_000_000  # the tables take up to 2 MB
# What HTML cannot hold or UTF-8 cannot encode (control characters and halves of surrogate pairs),
# and what would turn the page's own words around (embeddings, overrides and isolates of direction).
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def require_jinja2() -> None:
    """Fail in one sentence when Jinja2, matplotlib or pandas is missing.

    Raises
    ------
    ImportError
        The message names the extra that brings them.
    """
    try:
        import jinja2  # noqa: F401  # only to see that they are there
        import matplotlib  # noqa: F401  # the same
        import pandas  # noqa: F401  # the same
    except ImportError as error:
        raise ImportError(
            f"a report needs {error.name}, which is not installed. "
            "Install it with the report extra: pip install 'skreg[report]'"
        ) from error


@dataclass(frozen=True)
class CoefficientTable:
    """The largest coefficients of a model, ready to be written.

    Parameters
    ----------
    heads : list of str
        Over the columns of numbers.
    rows : list of (str, list of (str, float))
        A feature's name and its numbers, each as it is shown and as it is sorted by.
    note : str
        What is not in the table.
    """

    heads: list[str]
    rows: list[tuple[str, list[tuple[str, float]]]]
    note: str


@dataclass(frozen=True)
class Section:
    """One model's part of the page."""

    model: ModelReport
    anchor: str
    pictures: list[Picture]
    table: CoefficientTable | None
    left_out: list[str]
    l1_ratio: float | None


def render(contents: Contents) -> str:
    """Write the page.

    Parameters
    ----------
    contents : Contents

    Returns
    -------
    str
        A whole HTML file, to be saved as UTF-8.

    Raises
    ------
    ImportError
        Jinja2, matplotlib or pandas is not installed.
    """
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
        "number": wording.number,
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
    for position in order:
        model = contents.models[position]
        drawn, left_out = [], list(model.left_out)
        for picture in pictures.of_model(model, contents, position) if room > 0 else ():
            room -= len(picture.svg)
            drawn.append(picture)
        if room <= 0:
            # The last picture drawn may have gone beyond the room.
            while drawn and room < 0:
                room += len(drawn.pop().svg)
            left_out.append("Some pictures were left out to keep this file below 5 MB.")
            room = 0
        table = None
        if model.coefficients is not None:
            what = "classes" if contents.glance.task == "classification" else "targets"
            cells = _MOST_CELLS // len(order)
            table = _table(model.coefficients, model.alpha_1se, what, cells)
        yield Section(model, f"model-{position}", drawn, table, left_out, wording.l1_ratio(model))


def _table(
    coefficients: Coefficients, alpha_1se: float | None, what: str, cells: int
) -> CoefficientTable:
    """Choose the rows of a coefficient table, the largest first."""
    values = np.atleast_2d(coefficients.comparable(coefficients.values))
    classify = what == "classes"
    heads, note = [wording.per(coefficients, classify)], ""
    if len(values) > 1:
        given = coefficients.targets or [f"target {k}" for k in range(len(values))]
        heads = [str(name) for name in given]
        note = f"Coefficients are {wording.per(coefficients, classify)}. "
    if len(heads) > _MOST_TARGETS:
        note += f"The first {_MOST_TARGETS} of {len(heads):,} {what} are shown. "
    shown, heads = values[:_MOST_TARGETS], heads[:_MOST_TARGETS]
    if coefficients.at_1se is not None and len(values) == 1:
        at_1se = coefficients.comparable(coefficients.at_1se)
        shown = np.vstack([shown, np.atleast_2d(at_1se)])
        heads.append("at 1se" if alpha_1se is None else f"at 1se, α = {wording.number(alpha_1se)}")
    sizes = np.abs(shown)
    # By the first column, then by the others, where there is one target; by the largest otherwise.
    first = sizes[0] if len(values) == 1 else sizes.max(axis=0)
    order = np.lexsort((-sizes.max(axis=0), -first))
    order = order[sizes.max(axis=0)[order] > 0]
    n_zero = shown.shape[1] - order.size
    n_rows = min(_MOST_ROWS, max(_FEWEST_ROWS, cells // len(heads)))
    if order.size > n_rows:
        note += f"The {n_rows} largest of {order.size:,} coefficients are shown"
        note += f"; {n_zero:,} more are zero." if n_zero else "."
    elif n_zero:
        note += f"The other {n_zero:,} are zero." if order.size else f"All {n_zero:,} are zero."
    # What is left of a coefficient that cancels out, as at the first knot of a path.
    nothing = 10 * np.finfo(np.float64).eps * sizes.max(initial=0.0)
    texts = np.where(sizes < nothing, 0.0, shown)
    if coefficients.to_unit is not None and len(values) == 1:
        by_unit = np.where(texts[0] == 0, 0.0, coefficients.values * coefficients.to_unit)
        shown, texts = np.vstack([shown, by_unit]), np.vstack([texts, by_unit])
        heads.append("per unit of x")
    names = shorten_apart([str(coefficients.names[i]) for i in order[:n_rows]], _LONGEST_NAME)
    rows = [
        (
            name,
            [
                ("–" if np.isnan(text) else wording.number(text), float(value))
                for text, value in zip(texts[:, index], shown[:, index], strict=True)
            ],
        )
        for name, index in zip(names, order, strict=False)
    ]
    return CoefficientTable(heads, rows, note.strip())
