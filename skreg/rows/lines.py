"""Lines that tell how many rows have been read."""

from __future__ import annotations

import sys
import time

# Seconds between two lines.
BETWEEN_LINES = 1.0


class LinesOfRows:
    """Prints how far reading is, about every second.

    Parameters
    ----------
    verbose : bool
        Whether to print anything.
    """

    def __init__(self, verbose: bool) -> None:
        self.verbose = verbose
        self.n_rows = self.n_blocks = 0
        self._started = self._said = time.monotonic()

    def add(self, n_rows: int) -> None:
        """Count a block of so many rows."""
        self.n_rows, self.n_blocks, now = self.n_rows + n_rows, self.n_blocks + 1, time.monotonic()
        if self.verbose and now - self._said >= BETWEEN_LINES:
            self._said, spent = now, now - self._started
            print(f"{self.n_rows} rows, {self.n_blocks} blocks, {spent:.0f} s", file=sys.stderr)
