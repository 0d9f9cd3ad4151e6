"""How far reading a large file has come, on the standard error stream."""

from __future__ import annotations

import sys
import time
from typing import TextIO

# Seconds between two lines, and between two pictures of a bar on a terminal.
PER_LINE, PER_BAR = 5.0, 0.2
BAR = 24  # characters


class ReadingProgress:
    """Tells of one pass: a bar that stays in its place on a terminal, else a line now and then.

    Parameters
    ----------
    what : str
        Which pass it is.
    n_bytes : int
        Of the file.
    stream : file, optional
        By default the standard error stream of then.
    """

    def __init__(self, what: str, n_bytes: int, stream: TextIO | None = None) -> None:
        self._what, self._n_bytes = what, max(n_bytes, 1)
        self._stream = sys.stderr if stream is None else stream
        self._in_place = self._stream.isatty()
        self._began = self._said = time.monotonic()

    def __call__(self, n_read: int, n_rows: int) -> None:
        """So many bytes and rows have been read."""
        now, share = time.monotonic(), min(n_read / self._n_bytes, 1.0)
        if share < 1.0 and now - self._said < (PER_BAR if self._in_place else PER_LINE):
            return
        self._said = now
        text = (
            f"{self._what}: {int(100 * share)}% of {self._n_bytes / 1e6:,.1f} MB, {n_rows:,} rows,"
            f" {now - self._began:.0f} s"
        )
        if not self._in_place:
            print(text, file=self._stream, flush=True)
            return
        full = round(share * BAR)
        bar = f"[{'#' * full}{'.' * (BAR - full)}]"
        end = "\n" if share >= 1.0 else ""
        print(f"\r{bar} {text}", end=end, file=self._stream, flush=True)
