"""What one pass over a large file keeps of its columns, so that it can be said what they are.

All different texts of a column are kept, with how many rows have each; of plain numbers, of which
there may be as many as rows, so many of each form. How a column is read depends on the forms of its
texts and on how often others occur, so that it is read as if all of them were there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...rows.row_sample import RowSample, row_keys
from .chunks import Chunk, ChunkSource, ReportProgress
from .file import Cells
from .numbers import NumberForm, as_float, form_of_number
from .options import ReadingOptions

# Different texts that are kept of a column, among them plain numbers of one form: more where these
# may be days without separators, as 20240131 is.
MOST_TEXTS, MOST_OF_A_FORM, MOST_DAYS = 100_000, 1_000, 40_000
OF_DAYS = form_of_number("20240131")
# Texts after which it is seen of which forms enough are kept.
TEXTS_AT_ONCE = 4_096
# Rows that are kept whole.
SAMPLED_ROWS = 10_000


@dataclass
class ColumnDigest:
    """The texts of a column.

    Attributes
    ----------
    counts : dict
        How many rows have each text. Of plain numbers only sums over all of them mean anything:
        once enough of a form are kept, its rows are counted together, with any text that is kept.
    places : dict
        Where each text is first.
    are_text : bool
        Whether plain numbers are kept as other texts are, where file or user say that all are text.
    full : bool
        Whether some texts were not kept.
    """

    counts: dict[str, int] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    are_text: bool = False
    full: bool = False
    _kept: Counter[NumberForm | None] = field(default_factory=Counter)
    _last: dict[NumberForm | None, str] = field(default_factory=dict)
    _full_forms: list[NumberForm] = field(default_factory=list)
    _of_full_forms: re.Pattern[str] | None = None

    def add(self, texts: NDArray[Any], places: Sequence[str], missing: Collection[str]) -> None:
        """Count the texts of some rows; those that are said to be `missing` are all kept."""
        for start in range(0, len(texts), TEXTS_AT_ONCE):
            rows = slice(start, start + TEXTS_AT_ONCE)
            self._add(texts[rows], places[rows], missing)

    def _add(self, texts: NDArray[Any], places: Sequence[str], missing: Collection[str]) -> None:
        import pandas

        rows = range(len(texts)) if missing else self._of_other_forms(texts)
        codes, unique = pandas.factorize(texts[rows] if len(rows) < len(texts) else texts)
        firsts = np.empty(len(unique), dtype=np.intp)
        firsts[codes[::-1]] = np.arange(len(codes))[::-1]
        counts = np.bincount(codes, minlength=len(unique))
        values = {as_float(one) for one in missing}
        for text, count, first in zip(unique, counts.tolist(), firsts.tolist(), strict=True):
            if text in self.counts:
                self.counts[text] += count
                continue
            is_missing = missing and (text in missing or as_float(text) in values)
            form = None if is_missing or self.are_text else form_of_number(text)
            if self._kept[form] < most_of_form(form):
                self.counts[text], self.places[text] = count, places[rows[first]]
                self._kept[form], self._last[form] = self._kept[form] + 1, text
                continue
            self.counts[self._last[form]] += count
            self.full = True
            if form is not None and form not in self._full_forms:
                self._full_forms.append(form)
                either = "|".join(one.pattern for one in self._full_forms)
                self._of_full_forms = re.compile(f"^(?:{either})$", re.MULTILINE | re.ASCII)

    def _of_other_forms(self, texts: NDArray[Any]) -> Sequence[int]:
        """Rows of texts that may be new; the others are counted.

        Most of a long column are numbers of forms of which enough are kept, which is told of all
        of them at once in a tenth of the time.
        """
        if self._of_full_forms is None:
            return range(len(texts))
        left = self._of_full_forms.sub("", "\n".join(texts)).split("\n")
        if len(left) != len(texts):  # there is a line's end in one
            return range(len(texts))
        rows = [k for k, text in enumerate(left) if text or not texts[k]]
        self.counts[self._last[self._full_forms[0]]] += len(texts) - len(rows)
        return rows


def most_of_form(form: NumberForm | None) -> int:
    """How many texts of a form are kept."""
    return {None: MOST_TEXTS, OF_DAYS: MOST_DAYS}.get(form, MOST_OF_A_FORM)


@dataclass(frozen=True)
class DigestedCells(Cells):
    """A sample of the rows, and in each column the texts that are in none of them."""

    digests: dict[str, ColumnDigest] = field(default_factory=dict)
    n_rows: int = 0  # of the file
    n_sampled: int = 0

    def place(self, name: str, row: int) -> str:
        """Where a cell is, in words."""
        text = self.columns[name][row]
        return self.digests[name].places.get(text) or str(self.places[row])


def digest(source: ChunkSource, options: ReadingOptions, progress: ReportProgress) -> DigestedCells:
    """Read a file once."""
    digests: dict[str, ColumnDigest] = {}
    as_text = {*options.text, *(name for name, one in source.declared.items() if one == "text")}
    missing = {one.partition("=")[2] or one for one in options.missing}
    sample, n_rows = RowSample(SAMPLED_ROWS), 0
    for chunk in source.chunks(progress):
        size = len(chunk.places)
        for name, texts in chunk.columns.items():
            if name not in digests:
                digests[name] = ColumnDigest(are_text=name in as_text)
            digests[name].add(texts, chunk.places, missing)
        _sample(sample, chunk, n_rows)
        n_rows += size
    rows, places, _ = sample.cut(SAMPLED_ROWS).rows
    columns = {}
    for j, (name, one) in enumerate(digests.items()):
        own = rows[:, j]
        unseen = [] if n_rows <= SAMPLED_ROWS else [*(one.counts.keys() - set(own))]
        columns[name] = np.concatenate([own, np.array(unseen, dtype=object)])
    return DigestedCells(
        source.file,
        columns,
        source.unnamed,
        places,
        source.delimiter,
        tuple(source.notes),
        {name: one.counts for name, one in digests.items()},
        source.declared,
        digests,
        n_rows,
        len(rows),
    )


def _sample(sample: RowSample, chunk: Chunk, first: int) -> None:
    size = len(chunk.places)
    keys = row_keys(0, 0, first, size)
    chosen = np.flatnonzero(keys < sample.limit)  # before a table of all columns is made
    table = np.column_stack([texts[chosen] for texts in chunk.columns.values()])
    places = np.array(chunk.places, dtype=object)[chosen]
    sample.add(keys[chosen], table, places, np.ones(len(chosen)))
