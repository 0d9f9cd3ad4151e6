"""A file to write, a page or a picture: checked before any work, replaced as a whole."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from pathlib import Path
from typing import Any


def check_path(path: Any) -> Path:
    """The file to write, after a trial that leaves nothing behind."""
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"path must name a file, got {type(path).__name__}")
    if not str(path):
        raise ValueError("path is empty: name a file")
    if "\0" in str(path):
        raise ValueError(f"path: {str(path)!r} has a null character, which no file's name has")
    target = Path(path)
    try:
        real = Path(os.path.realpath(target))
        if real.is_dir():
            raise ValueError(f"path: {str(target)!r} is a folder: name a file in it")
        if real.exists() and not (real.is_file() and os.access(real, os.W_OK)):
            raise ValueError(f"path: {str(target)!r} cannot be written")
        if not real.parent.is_dir():
            raise ValueError(f"path: there is no folder {str(real.parent)!r}: make it first")
        trial = _beside(real)
        trial.touch(exist_ok=False)
        trial.unlink()
    except OSError as error:
        raise ValueError(f"path: {str(target)!r} cannot be written: {error.strerror}") from None
    return target


def write(path: Path, content: bytes) -> None:
    """Write the file as a whole or not at all; who may read an older one may read the new one."""
    real = Path(os.path.realpath(path))
    if real.exists() and not os.access(real, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(real))
    unfinished = _beside(real)
    file = unfinished.open("xb")  # a file of that name, or a link to another one, is not ours
    try:
        with file:
            if real.exists():
                shutil.copymode(real, unfinished)
            file.write(content)
        os.replace(unfinished, real)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def _beside(path: Path) -> Path:
    """A name for a file that becomes `path` once it is whole."""
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}")
