"""One BLAS thread during a fit.

The engine works in many small products, which a second thread slows down: waking it costs more
than it brings, and far more when the other core is busy. Folds run side by side with `n_jobs`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from sklearn.utils.parallel import _get_threadpool_controller

F = TypeVar("F", bound=Callable[..., Any])

_limiting = threading.Lock()


def one_blas_thread(function: F) -> F:
    """Decorate a function to limit BLAS to one thread while it runs, and put back what was.

    The limit is the process's. Of calls that overlap only the first sets it, and lifts it when it
    ends, so that none takes another's limit for what was there before.
    """

    @wraps(function)
    def limited(*args: Any, **kwargs: Any) -> Any:
        if not _limiting.acquire(blocking=False):
            return function(*args, **kwargs)
        lowered = []
        try:
            for library in _get_threadpool_controller().lib_controllers:
                if library.user_api == "blas" and (n_threads := library.num_threads) > 1:
                    lowered.append((library, n_threads))
                    library.set_num_threads(1)
            return function(*args, **kwargs)
        finally:
            for library, n_threads in lowered:
                library.set_num_threads(n_threads)
            _limiting.release()

    return limited  # type: ignore[return-value]  # wraps() keeps the signature
