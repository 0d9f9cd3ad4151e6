"""One BLAS thread during a fit.

The engine works in many small products, which a second thread slows down: waking it costs more
than it brings, and far more when the other core is busy. Folds run side by side with `n_jobs`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Limit BLAS to one thread, in a `with` statement or as a decorator; put back what was."""
    with _controller().limit(limits=1, user_api="blas"):
        yield


@cache
def _controller() -> Any:
    """Finding the libraries takes milliseconds, so once."""
    return ThreadpoolController()
