"""What a fit does around its work.

All of it or nothing; one thread of BLAS; warnings that point at the user's line.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from functools import partial, update_wrapper, wraps
from pathlib import Path
from types import FrameType
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np
from sklearn import get_config, set_config
from sklearn.utils.parallel import _get_threadpool_controller

P = ParamSpec("P")
S = TypeVar("S")
T = TypeVar("T")

# The call that limits BLAS, and perhaps others that are about to see that one does: entering and
# leaving a dict are single steps, between which and what follows no Ctrl-C can strike.
_holders: dict[object, None] = {}

# The kernels of OpenBLAS that have others for small products, in versions since 2021: on processors
# with AVX-512.
WITH_SMALL_KERNELS = {"SkylakeX", "Cooperlake", "SapphireRapids"}

# What stands between the user's line and a fit.
INNER = {"skreg", "sklearn", "joblib"}


def with_one_blas_thread(
    function: Callable[..., T], /, *args: Any, of_scipy_alone: bool = False, **kwargs: Any
) -> T:
    """Call a function while BLAS is limited to one thread and NumPy silent, and put both back.

    Small products are slowed down by a second thread: waking it costs more than it brings, and far
    more when the other core is busy. What overflows is refused by name in the end.

    The limit is the process's. Of calls that overlap only the first sets it, and lifts it when it
    ends, so that none takes another's limit for what was there before.

    Parameters
    ----------
    function, *args, **kwargs
        What to call, and with what.
    of_scipy_alone : bool, default=False
        Whether NumPy's BLAS keeps its threads. The wheels of the two bring a BLAS each: where both
        are called in turn, the threads of one wait for those of the other, which made a step of a
        wide network ten times as long.
    """
    # No context manager: Ctrl-C between its two functions would leave the limit where it is. Here
    # it may strike in the first call of `_lift`; the second one then does what is left.
    holder, lowered, errors = object(), list[tuple[Any, int]](), np.geterr()
    try:
        _holders[holder] = None
        if next(iter(tuple(_holders))) is not holder:
            del _holders[holder]
        else:
            for library in _get_threadpool_controller().lib_controllers:
                if library.user_api != "blas" or (n_threads := library.num_threads) == 1:
                    continue
                if not of_scipy_alone or _is_scipy_s(library.filepath):
                    lowered.append((library, n_threads))
                    library.set_num_threads(1)
        with np.errstate(all="ignore"):
            return function(*args, **kwargs)
    except BaseException:
        np.seterr(**errors)  # Ctrl-C may have struck np.errstate on its way out
        raise
    finally:
        try:
            _lift(holder, lowered)
        finally:
            if lowered or holder in _holders:
                _lift(holder, lowered)


def _lift(holder: object, lowered: list[tuple[Any, int]]) -> None:
    """Put back what was, as far as that has not been done."""
    while lowered:
        library, n_threads = lowered[-1]
        library.set_num_threads(n_threads)
        lowered.pop()
    _holders.pop(holder, None)


def small_products_are_fast(in_many_threads: bool) -> bool:
    """Whether NumPy's BLAS multiplies small matrices where they are, and in one thread.

    Parameters
    ----------
    in_many_threads : bool
        Whether it will have the threads that it is set to now.
    """
    return any(
        getattr(library, "architecture", "") in WITH_SMALL_KERNELS
        and (library.num_threads == 1 or not in_many_threads)
        for library in _get_threadpool_controller().lib_controllers
        if library.user_api == "blas" and not _is_scipy_s(library.filepath)
    )


def _is_scipy_s(file: str) -> bool:
    """Whether a library lies in SciPy's folder, or in that of its wheel's libraries."""
    return any(folder in ("scipy", "scipy.libs") for folder in Path(file).parts)


def one_blas_thread(function: Callable[P, T]) -> Callable[P, T]:
    """Decorate a function to run with one BLAS thread, and NumPy silent."""
    limited: Callable[P, T] = partial(with_one_blas_thread, function)
    return update_wrapper(limited, function)


def restored_on_failure(
    fit: Callable[Concatenate[S, P], T],
) -> Callable[Concatenate[S, P], T]:
    """Leave the estimator as it was when `fit` does not end well, Ctrl-C included."""

    @wraps(fit)
    def guarded(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        before = dict(vars(self))
        errors, unchecked = np.geterr(), get_config()["skip_parameter_validation"]
        try:
            return fit(self, *args, **kwargs)
        except BaseException:
            self.__dict__ = before
            # Ctrl-C may have struck a context manager on its way out, as in with_one_blas_thread.
            np.seterr(**errors)
            set_config(skip_parameter_validation=unchecked)
            raise

    return guarded


def called_by(*packages: str) -> bool:
    """Whether a module of one of `packages` stands between the user's line and this fit."""
    frame: FrameType | None = sys._getframe(1)
    inside = tuple(f"{package}." for package in packages)
    while frame is not None and (room := _package(frame.f_globals)) in INNER:
        if room != "skreg":
            name = str(frame.f_globals.get("__name__", ""))
            if name in packages or name.startswith(inside):
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
