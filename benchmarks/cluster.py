"""Rows on a cluster: one worker process beside two, dask-ml, and what a hundred would take.

    python -m benchmarks.cluster [--rows 2000000] [--columns 400] [--folder SCRATCH] [--out FILE]

The cluster is local, each worker a process with one BLAS thread. Rows are made in the tasks that
sum them up, or in memory before, as for dask-ml, which reads them again and again and is left out
where it is not installed. With --folder the speed of a block's product and of reading are measured
there, from which the last table follows for 10^10 rows of 1,000 columns.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

STEP, FOLDS = 10_000, 5
# Share of the least alpha that leaves nothing, for the comparison at one alpha.
DEPTH = 0.1
# The workload of the last table.
MANY_ROWS, MANY_COLUMNS, WORKERS = 10**10, 1000, 100


@contextmanager
def cluster_of(n_workers: int) -> Iterator[Any]:
    from distributed import Client, LocalCluster

    options = {"n_workers": n_workers, "threads_per_worker": 1, "dashboard_address": None}
    with (
        LocalCluster(processes=True, memory_limit=0, **options) as cluster,
        Client(cluster) as client,
    ):
        yield client


def made(rows: int, columns: int, seed: int) -> tuple[Any, Any]:
    """Rows that are made where they are asked for; with another seed under other names."""
    import dask.array as da

    rng = da.random.default_rng(seed)
    X = rng.standard_normal((rows, columns), chunks=(STEP, columns))
    return X, X[:, :10].sum(axis=1) + 3.0 * rng.standard_normal(rows, chunks=STEP)


def seconds_of(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.monotonic()
    found = work()
    return time.monotonic() - start, found


def gap_of(coef: Any, matrix: Any, alpha: float) -> float:
    """The duality gap of a Lasso without intercept, in units of the mean square of y."""
    S, n = matrix.about(np.zeros_like(matrix.reference)).S / matrix.weight, len(coef)
    G, q, square = S[:n, :n], S[:n, n], S[n, n]
    correlations = q - G @ coef
    rss = square - coef @ q - coef @ correlations
    primal = 0.5 * rss + alpha * np.abs(coef).sum()
    along = square - coef @ q  # y'r / n
    scale = min(1.0, alpha / np.abs(correlations).max())
    scale *= min(1.0, along / (scale * rss))
    return float((primal - (scale * along - 0.5 * scale**2 * rss)) / square)


def cpu_of(client: Any) -> np.ndarray:
    """CPU seconds of this process, the scheduler's too, and of each worker."""
    of_workers = client.run(time.process_time)
    return np.array([time.process_time(), *(of_workers[one] for one in sorted(of_workers))])


def two_workers(rows: int, columns: int) -> Iterator[str]:
    """One worker process and two; dask-ml beside on a tenth of the rows.

    Seconds of wall clock, and of CPU: those of the busiest worker and of this process, one after
    the other, which other work on the machine does not change much.
    """
    from skreg import Lasso, LassoCV

    models = {"LassoCV(cv=5), 100 alphas": LassoCV(cv=FOLDS), "Lasso": Lasso(alpha=DEPTH)}
    seconds: dict[tuple[str, str], list[float]] = {}

    def note(client: Any, name: str, where: str, X: Any, y: Any) -> None:
        before = cpu_of(client)
        wall, _ = seconds_of(partial(models[name].fit, X, y))
        here, *workers = cpu_of(client) - before
        seconds.setdefault((name, where), []).extend((wall, here + max(workers)))

    for n_workers in (1, 2):
        with cluster_of(n_workers) as client:
            LassoCV(cv=FOLDS).fit(*made(4 * STEP, columns, 0))
            for seed, name in enumerate(models, start=1):
                note(client, name, "made in the tasks", *made(rows, columns, seed))
            X, y = (values.persist() for values in made(rows, columns, 3))
            (X[:, 0].sum() + y.sum()).compute()
            for name in models:
                note(client, name, "in the workers' memory", X, y)
            del X, y
    yield f"| {rows} x {columns} | rows | one worker, s (CPU) | two, s (CPU) | ratio (of CPU) |"
    yield "| --- | --- | ---: | ---: | ---: |"
    for (name, where), (one, one_cpu, two, two_cpu) in seconds.items():
        yield (
            f"| `{name}` | {where} | {one:.1f} ({one_cpu:.1f}) | {two:.1f} ({two_cpu:.1f}) |"
            f" {one / two:.2f} ({one_cpu / two_cpu:.2f}) |"
        )
    yield ""
    with cluster_of(2):
        yield from beside_dask_ml(rows // 10, columns)


def beside_dask_ml(rows: int, columns: int) -> Iterator[str]:
    """The Lasso of one alpha, without intercept, by skreg and by dask-ml's solvers."""
    from skreg import Lasso, RowBlocks

    X, y = (values.persist() for values in made(rows, columns, 4))
    matrix = RowBlocks.from_dask(X, y).moments().matrix
    model = Lasso(alpha=DEPTH, fit_intercept=False)
    seconds, _ = seconds_of(partial(model.fit, X, y))
    yield f"| Lasso, {rows} x {columns}, two workers | seconds | gap | error of a coefficient |"
    yield "| --- | ---: | ---: | ---: |"
    yield f"| skreg | {seconds:.1f} | {gap_of(model.coef_, matrix, DEPTH):.1e} | |"
    try:
        from dask_ml.linear_model import LinearRegression
    except ImportError:
        return
    for solver in ("admm", "proximal_grad"):
        peer = LinearRegression(
            penalty="l1",
            C=1.0 / (2.0 * rows * DEPTH),
            fit_intercept=False,
            solver=solver,
            solver_kwargs={"normalize": False},
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            seconds, _ = seconds_of(partial(peer.fit, X, y))
        gap = gap_of(np.asarray(peer.coef_), matrix, DEPTH)
        error = np.abs(peer.coef_ - model.coef_).max()
        yield f"| dask-ml, `solver={solver!r}` | {seconds:.1f} | {gap:.1e} | {error:.1e} |"


# On paper --------------------------------------------------------------------------------------


def least_of(work: Callable[[], Any], repeats: int = 5) -> float:
    """CPU seconds."""
    found = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return min(found)


def reading(folder: Path, size: int, fresh: bool) -> float:
    """Bytes a second of wall clock, of a map that is in the cache of the disk or is not."""
    file = folder / "reading.dat"
    if not file.exists():
        block = np.random.default_rng(0).standard_normal(1 << 20)
        with file.open("wb") as out:
            for _ in range(size // block.nbytes):
                out.write(block.tobytes())
            out.flush()
            os.fsync(out.fileno())
    if fresh:
        with file.open("rb") as opened:
            os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    rows = np.memmap(file, dtype=np.float64, mode="r")
    start, step = time.monotonic(), 1 << 19
    for i in range(0, len(rows), step):
        rows[i : i + step].sum()
    return rows.nbytes / (time.monotonic() - start)


def on_paper(folder: Path) -> Iterator[str]:
    """What is measured here on one thread, and what follows."""
    from skreg import LassoCV, Moments, RowBlocks

    rng, p = np.random.default_rng(0), MANY_COLUMNS
    X = rng.standard_normal((2 * STEP, p))
    y = X[:, :10].sum(axis=1) + rng.standard_normal(len(X))
    flops, rows = len(X) * (p + 2) ** 2, RowBlocks([(X, y)])
    product = flops / least_of(lambda: X.T @ X)
    sums = flops / least_of(lambda: Moments.of(X, y))
    by_fold = flops / least_of(lambda: rows.moments_of_folds(FOLDS))
    folds = rows.moments_of_folds(FOLDS)
    joining = least_of(lambda: folds[0] + folds[1])
    fit = least_of(lambda: LassoCV(alphas=100).fit_moments(folds), 1)
    warm = max(reading(folder, 2 << 30, False) for _ in range(2))
    cold = reading(folder, 2 << 30, True)
    (folder / "reading.dat").unlink()
    yield "| measured on one thread, 1,000 columns of float64 | |"
    yield "| --- | ---: |"
    for what, speed in (
        ("NumPy's product of a block with itself", product),
        ("`Moments.of`, checks and centring with it", sums),
        (f"sums of {FOLDS} folds that rows are dealt to at random", by_fold),
    ):
        yield f"| {what}, GFLOP/s (n p² flops) | {speed / 1e9:.0f} |"
    yield f"| reading a memory map, from the disk's cache, GB/s | {warm / 1e9:.1f} |"
    yield f"| the same from the disk, GB/s | {cold / 1e9:.1f} |"
    yield f"| adding two moments, ms | {1e3 * joining:.1f} |"
    yield f"| `LassoCV.fit_moments` of {FOLDS} folds, 100 alphas, s | {fit:.1f} |"
    yield ""
    each, size = MANY_ROWS // WORKERS, 8 * (p + 2) ** 2 * FOLDS
    yield f"| 10^10 rows of {p:,} columns on {WORKERS} workers | a worker |"
    yield "| --- | ---: |"
    yield f"| flops | {each * (p + 2) ** 2:.1e} |"
    yield f"| seconds for them, one thread, sums of {FOLDS} folds | {each * p**2 / by_fold:.0f} |"
    yield f"| bytes read | {each * p * 8:.1e} |"
    yield f"| seconds for them from the disk, at the speed above | {each * p * 8 / cold:.0f} |"
    yield f"| bytes of its sums, of {FOLDS} folds | {size:.1e} |"
    for of_part in (10_000, 100_000):
        n_parts = each // of_part
        yield (
            f"| partitions of {of_part:,} rows: their number; bytes sent at most; seconds to add"
            f" them | {n_parts}; {n_parts * size:.1e}; {n_parts * FOLDS * joining:.0f} |"
        )
        # A partition, its rows by fold, and the sums that a merge of eight has at hand.
        memory = of_part * p * 8 * 2 + 9 * size
        yield f"| their memory: a partition and its rows by fold, nine sums | {memory:.1e} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--columns", type=int, default=400)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    parts = [] if given.folder is None else [on_paper(given.folder)]
    if given.rows:
        parts.append(two_workers(given.rows, given.columns))
    lines = []
    for part in parts:
        for line in chain(part, [""]):  # each as soon as it is known
            print(line, flush=True)
            lines.append(line)
    if given.out:
        given.out.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":  # workers import it
    main()
