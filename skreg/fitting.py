"""What a fit does around its work.

All of it or nothing; one thread of BLAS; warnings that point at the user's line.
"""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

from sklearn.utils.parallel import _get_threadpool_controller

F = TypeVar("F", bound=Callable[..., Any])

_limiting = threading.Lock()

# What stands between the user's line and a fit.
INNER = {"skreg", "sklearn", "joblib"}


@contextmanager
def single_blas_thread(of_scipy_alone: bool = False) -> Iterator[None]:
    """Limit BLAS to one thread, and put back what was.

    Small products are slowed down by a second thread: waking it costs more than it brings, and far
    more when the other core is busy.

    The limit is the process's. Of blocks that overlap only the first sets it, and lifts it when it
    ends, so that none takes another's limit for what was there before.

    Parameters
    ----------
    of_scipy_alone : bool, default=False
        Whether NumPy's BLAS keeps its threads. The wheels of the two bring a BLAS each: where both
        are called in turn, the threads of one wait for those of the other, which made a step of a
        wide network ten times as long.
    """
    if not _limiting.acquire(blocking=False):
        yield
        return
    lowered = []
    try:
        for library in _get_threadpool_controller().lib_controllers:
            if library.user_api != "blas" or (n_threads := library.num_threads) == 1:
                continue
            if not of_scipy_alone or _is_scipy_s(library.filepath):
                lowered.append((library, n_threads))
                library.set_num_threads(1)
        yield
    finally:
        for library, n_threads in lowered:
            library.set_num_threads(n_threads)
        _limiting.release()


def _is_scipy_s(file: str) -> bool:
    """Whether a library lies in SciPy's folder, or in that of its wheel's libraries."""
    return any(folder in ("scipy", "scipy.libs") for folder in Path(file).parts)


def one_blas_thread(function: F) -> F:
    """Decorate a function to limit BLAS to one thread while it runs."""

    @wraps(function)
    def limited(*args: Any, **kwargs: Any) -> Any:
        with single_blas_thread():
            return function(*args, **kwargs)

    return limited  # type: ignore[return-value]  # wraps() keeps the signature


def restored_on_failure(fit: F) -> F:
    """Leave the estimator as it was when `fit` does not end well, Ctrl-C included."""

    @wraps(fit)
    def guarded(self: Any, *args: Any, **kwargs: Any) -> Any:
        before = dict(vars(self))
        try:
            return fit(self, *args, **kwargs)
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            raise

    return guarded  # type: ignore[return-value]  # wraps() keeps the signature


def called_by(*packages: str) -> bool:
    """Whether a module of one of `packages` stands between the user's line and this fit."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _package(frame.f_globals) in INNER:
        name = str(frame.f_globals.get("__name__", ""))
        if any(name == package or name.startswith(f"{package}.") for package in packages):
            return True
        frame = frame.f_back
    return False


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the innermost line that is not in skreg, scikit-learn or joblib."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and _package(frame.f_globals) in INNER:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def _package(namespace: dict[str, object]) -> str:
    return str(namespace.get("__name__", "")).partition(".")[0]
