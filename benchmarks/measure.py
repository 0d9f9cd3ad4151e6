"""Measuring one cell: tolerances tuned, then the runs that count taken in turns.

A result is plain JSON from the start. Per library: a note, and runs, each with its variant and
tolerance, the seconds of every repetition, its gap, peak memory, and number of non-zeros.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from .libraries import Answer
from .problems import Problem, is_sparse, save
from .results import Run, best, reported, targets
from .suites import Cell
from .workers import LOAD_LIMIT, Worker, WorkerError

Outcome = dict[str, Any]

SHORT = 0.025  # seconds; shorter runs are repeated in batches


def attempt(
    worker: Worker,
    cell: Cell,
    problem: Problem,
    folder: Path,
    variant: str,
    tol: float,
    limit: float,
) -> Run:
    """Solve once and judge the answer."""
    reply = worker.ask(f"run {variant} {tol:g} 1 1", limit)
    raw = np.fromfile(folder / f"{worker.name}.answer", "<f8")
    if not np.isfinite(raw).all():
        raise WorkerError("error: coefficients that are not finite")
    alphas = np.asarray(reply["alphas"], dtype=float)
    coefs = raw[: -len(alphas)].reshape(len(alphas), -1).T
    return {
        "variant": variant,
        "tol": tol,
        "seconds": reply["seconds"],
        "gap": cell.judge(problem, Answer(coefs, raw[-len(alphas) :], alphas)),
        "nonzeros": int(np.count_nonzero(coefs[:, -1])),
        "memory": reply.get("memory", 0),
        "curve": reply["curve"],
    }


def tune(worker: Worker, cell: Cell, problem: Problem, folder: Path, limit: float) -> Outcome:
    """Climb the ladder of tolerances to the tightest gap asked for, each rung run once.

    All variants climb together until each has met the first gap asked for; the fastest goes on.
    """
    runs: list[Run] = []
    reason = worker.library.refuses(problem)
    if reason:
        return {"note": f"skipped: {reason}", "runs": runs}
    variants = worker.library.variants(problem)
    wanted = (cell.gap,) if cell.gap else targets(worker.name)
    place = ""
    try:
        worker.ask(f"load {folder}", LOAD_LIMIT)
        end = time.monotonic() + limit
        for tol in worker.library.tolerances(problem):
            rung = []
            for variant in variants:
                place = f" (tolerance {tol:g}, {variant})"
                left = end - time.monotonic()
                run = attempt(worker, cell, problem, folder, variant, tol, left)
                if best(run) < SHORT:  # the first of several short runs is often the slowest
                    repeat(worker, run, SHORT, left)
                rung.append(run)
                runs.append(run)
            worst = max(run["gap"] for run in rung)
            if worst <= max(wanted):
                variants = (min(rung, key=best)["variant"],)
            if worst <= min(wanted):
                return {"note": "", "runs": runs}
    except WorkerError as error:
        return {"note": f"{error}{place}", "runs": runs}
    smallest = min(run["gap"] for run in runs)
    note = (
        "" if smallest <= min(wanted) else f"gap {smallest:.0e} at the tightest tolerance, {tol:g}"
    )
    return {"note": note, "runs": runs}


def measure(
    cell: Cell, workers: list[Worker], *, repeats: int, limit: float, budget: float = 10.0
) -> dict[str, Any]:
    """Tune every library on one cell, then time what tables show in turns, so that all share noise.

    A run that takes a good part of `budget` seconds is repeated less often, a very short one in
    batches.
    """
    problem = cell.problem()
    X: Any = problem.X
    parts = ("data", "indices", "indptr") if is_sparse(X) else ("data",)
    solvers: dict[str, Outcome] = {}
    with tempfile.TemporaryDirectory(prefix="skreg-bench-") as name:
        folder = Path(name)
        save(problem, folder)
        for worker in workers:
            if cell.fresh:
                worker.close()
            solvers[worker.name] = tune(worker, cell, problem, folder, limit)
        for turn in range(1, repeats):
            for worker in workers:
                outcome = solvers[worker.name]
                for run in reported(worker.name, outcome["runs"], problem.task):
                    if turn * best(run) > budget or "in a repetition" in outcome["note"]:
                        continue
                    try:
                        if worker.process is None:  # it was lost on a tighter tolerance
                            worker.ask(f"load {folder}", LOAD_LIMIT)
                        repeat(worker, run, 4 * SHORT, limit)
                    except WorkerError as error:
                        outcome["note"] = f"in a repetition, {error}"
    return {
        "name": cell.name,
        "group": cell.group,
        "task": problem.task,
        "n": X.shape[0],
        "p": X.shape[1],
        "bytes": sum(getattr(X, part).nbytes for part in parts),
        "alphas": len(problem.alphas),
        "steps": 0 if problem.net is None else problem.net.steps,
        "plain": cell.plain,
        "size": cell.size,
        "solvers": solvers,
    }


def repeat(worker: Worker, run: Run, batch: float, limit: float) -> None:
    """Time a run again: once, or as often as fits in `batch` seconds, of which the best counts."""
    number = int(np.clip(batch / max(best(run), 1e-6), 1, 200))
    reply = worker.ask(f"run {run['variant']} {run['tol']:g} {number} 0", limit)
    run["seconds"].append(min(reply["seconds"]))
