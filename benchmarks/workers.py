"""The parent's side of a worker: a process that holds one library, asked line by line."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Any

from .libraries import Library
from .peers import LIBRARIES

ROOT = Path(__file__).resolve().parent.parent
LOAD_LIMIT = 300.0  # seconds, for a start or a load: numba compiles in them
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


class WorkerError(Exception):
    """A worker that crashed, ran out of time, or whose library raised."""


class Worker:
    """A process that holds one library; started when first asked, anew after it was lost."""

    def __init__(self, name: str, python: str, threads: int) -> None:
        self.name = name
        self.threads = threads
        self.library: Library = LIBRARIES[name](threads)
        self.command = [python, "-m", "benchmarks.worker", name, str(threads)]
        if name == "glmnet":
            rscript = shutil.which("Rscript") or "Rscript"
            self.command = [rscript, "--vanilla", str(Path(__file__).with_name("glmnet.R"))]
        self.process: subprocess.Popen[str] | None = None
        self.replies: queue.Queue[str | None] = queue.Queue()

    def start(self, limit: float = LOAD_LIMIT) -> dict[str, Any]:
        """Start the process; its first line has versions, or why the library is absent."""
        paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
        environment = os.environ | dict.fromkeys(THREAD_VARIABLES, str(self.threads))
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        self.errors = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115  # close() closes it
        try:
            self.process = subprocess.Popen(
                self.command,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.errors,
                text=True,
                errors="replace",
                start_new_session=True,  # a group of its own, to be killed as one
            )
        except OSError as error:
            self.errors.close()
            return {"absent": str(error)}
        self.replies = queue.Queue()
        self.listener = threading.Thread(
            target=self._listen, args=(self.process, self.replies), daemon=True
        )
        self.listener.start()
        return self._reply(limit)

    @staticmethod
    def _listen(process: subprocess.Popen[str], replies: queue.Queue[str | None]) -> None:
        for line in process.stdout or ():
            if line.startswith("@ "):
                replies.put(line[2:])
        replies.put(None)

    def ask(self, line: str, limit: float) -> dict[str, Any]:
        if self.process is None:
            self.start()
        if self.process is None or self.process.stdin is None:
            raise WorkerError("crash: could not be started again")
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        except OSError:
            pass  # it is gone, which the reply tells
        return self._reply(limit)

    def _reply(self, limit: float) -> dict[str, Any]:
        try:
            line = self.replies.get(timeout=max(limit, 0.01))
        except queue.Empty:
            self.close()
            raise WorkerError("timeout: the limit was reached") from None
        if line is None:
            self.errors.seek(0)
            last = (self.errors.read().strip().splitlines() or ["no message"])[-1]
            self.close()
            raise WorkerError(f"crash: {last[:200]}")
        reply = dict(json.loads(line))
        if "error" in reply:
            raise WorkerError(f"error: {reply['error'][:200]}")
        return reply

    def close(self) -> None:
        """Kill the process and what it started: joblib's processes would hold the pipe open."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            if hasattr(os, "killpg"):
                os.killpg(self.process.pid, signal.SIGKILL)
            else:
                self.process.kill()
        self.process.wait()
        self.listener.join()
        for stream in (self.process.stdout, self.process.stdin, self.errors):
            with contextlib.suppress(OSError):  # what was still to be sent has no reader
                stream.close()
        self.process = None

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
