"""Rows that do not fit into memory: one pass beside NumPy's, memory, growth.

    python -m benchmarks.scale --folder SCRATCH [--rows 10000000] [--cells NAME ...] [--out FILE]

Each cell runs in a process of its own: one BLAS thread, CPU seconds, and the largest anonymous
memory of the process (the pages of a mapped file do not count). The measure is a pass that forms
one weighted Gram matrix of all columns in blocks of rows with NumPy. Files are made in SCRATCH and
removed at the end; 10 million rows of 100 columns take 8 GB, and again as much for Parquet.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

COLUMNS, STEP = 100, 10_000
FOLDS, ALPHAS = 5, 100
# The name of the cells whose rows and columns are doubled.
GROWTH = "growth"


def mapped(file: Path, rows: int, columns: int, dtype: str, mode: str = "r") -> Any:
    return np.memmap(file, dtype=dtype, mode=mode, shape=(rows, columns))


def target_of(file: Path) -> Any:
    return np.load(file.with_suffix(".npy"), mmap_mode="r")


def make(file: Path, rows: int, columns: int, dtype: str) -> None:
    """Columns with a common part, mean 1; the first ten make y, which has a file of its own."""
    X, rng = mapped(file, rows, columns, dtype, "w+"), np.random.default_rng(0)
    y = np.empty(rows)
    for start in range(0, rows, STEP):
        block = rng.standard_normal((min(STEP, rows - start), columns))
        block += 1.0 + 0.5 * rng.standard_normal((len(block), 1))
        X[start : start + STEP] = block
        noise = 3.0 * rng.standard_normal(len(block))
        y[start : start + STEP] = block[:, :10].sum(axis=1) + noise
    X.flush()
    np.save(file.with_suffix(".npy"), y)


def make_parquet(file: Path, out: Path, rows: int, columns: int, dtype: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    X, y, names = mapped(file, rows, columns, dtype), target_of(file), []
    names = [f"x{j}" for j in range(columns)]
    kinds = [(name, pa.from_numpy_dtype(np.dtype(dtype))) for name in names]
    schema = pa.schema([*kinds, ("y", pa.float64())])
    with pq.ParquetWriter(out, schema, compression="none", use_dictionary=False) as writer:
        for start in range(0, rows, 10 * STEP):
            block = np.asfortranarray(X[start : start + 10 * STEP])
            own = y[start : start + 10 * STEP]
            writer.write_table(pa.table([*block.T, own], schema=schema))


def blocks_of(X: Any, y: Any) -> Iterator[tuple[Any, Any]]:
    for start in range(0, len(X), STEP):
        yield X[start : start + STEP], y[start : start + STEP]


# What is timed: a function of the mapped data and the file. ------------------------------------


def gram(X: Any, y: Any, file: Path) -> None:
    """The measure: one weighted Gram matrix in blocks."""
    G, weight = np.zeros((X.shape[1],) * 2), np.ones(STEP)
    for start in range(0, len(X), STEP):
        block = np.asarray(X[start : start + STEP], dtype=np.float64)
        G += (block * weight[: len(block), None]).T @ block


def lasso_cv(X: Any, y: Any, file: Path) -> None:
    from skreg import LassoCV

    LassoCV(cv=FOLDS, alphas=ALPHAS).fit(X, y)


def row_blocks(X: Any, y: Any, file: Path) -> None:
    from skreg import LassoCV, RowBlocks

    LassoCV(cv=FOLDS, alphas=ALPHAS).fit(RowBlocks(lambda: blocks_of(X, y)))


def parquet(X: Any, y: Any, file: Path) -> None:
    from skreg import LassoCV, RowBlocks

    rows = RowBlocks.from_arrow(file.with_suffix(".parquet"), target="y")
    LassoCV(cv=FOLDS, alphas=ALPHAS).fit(rows)


def reading_parquet(X: Any, y: Any, file: Path) -> None:
    """Batches alone, as blocks of NumPy."""
    from skreg import RowBlocks

    for _ in RowBlocks.from_arrow(file.with_suffix(".parquet"), target="y"):
        pass


def lasso(X: Any, y: Any, file: Path) -> None:
    from skreg import Lasso, RowBlocks

    Lasso(alpha=0.1).fit(RowBlocks(lambda: blocks_of(X, y)))


def lasso_map(X: Any, y: Any, file: Path) -> None:
    from skreg import Lasso

    Lasso(alpha=0.1).fit(X, y)


def partial_fit(X: Any, y: Any, file: Path) -> None:
    from skreg import Lasso

    model = Lasso(alpha=0.1)
    for block in blocks_of(X, y):
        model.partial_fit(*block)
    assert model.coef_ is not None


def logistic(X: Any, y: Any, file: Path) -> int:
    from skreg import LogisticRegression

    passes, blocks = counted_blocks(X, y)
    LogisticRegression(C=100.0 / len(X)).fit(blocks)
    return len(passes)


def logistic_path(X: Any, y: Any, file: Path) -> int:
    from skreg import LogisticRegression, regularization_path

    passes, blocks = counted_blocks(X, y)
    regularization_path(LogisticRegression(l1_ratio=1.0), blocks, alphas=ALPHAS)
    return len(passes)


def logistic_cv(X: Any, y: Any, file: Path) -> int:
    from skreg import LogisticRegressionCV

    passes, blocks = counted_blocks(X, y)
    LogisticRegressionCV(l1_ratios=[1.0], cv=FOLDS, alphas=ALPHAS).fit(blocks)
    return len(passes)


def counted_blocks(X: Any, y: Any) -> tuple[list[None], Any]:
    """A list with an entry a pass, and the rows with y above its mean as the second class."""
    from skreg import RowBlocks

    passes, level = list[None](), float(np.mean(y))

    def blocks() -> Iterator[tuple[Any, Any]]:
        passes.append(None)
        return ((block, own > level) for block, own in blocks_of(X, y))

    return passes, RowBlocks(blocks)


TIMED = {
    one.__name__: one
    for one in (gram, lasso_cv, row_blocks, parquet, reading_parquet, lasso, lasso_map, partial_fit)
}
# Of losses that take several passes, which are counted.
TIMED_BY_PASS = {one.__name__: one for one in (logistic, logistic_path, logistic_cv)}


class Peak(threading.Thread):
    """The largest anonymous memory, in MB, looked at every few milliseconds."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.largest, self.stop = 0.0, False

    def run(self) -> None:
        while not self.stop:
            with open("/proc/self/status", encoding="ascii") as status:
                for line in status:
                    if line.startswith("RssAnon"):
                        self.largest = max(self.largest, float(line.split()[1]) / 1024)
            time.sleep(0.005)


def run_here(name: str, file: Path, rows: int, columns: int, dtype: str) -> None:
    """In a process of its own: print seconds and peak."""
    X, y = mapped(file, rows, columns, dtype), target_of(file)
    call = {**TIMED, **TIMED_BY_PASS}[name]
    if "parquet" in name:  # what is imported on the way
        reader = import_module("skreg").RowBlocks
        next(iter(reader.from_arrow(file.with_suffix(".parquet"), target="y")))
    else:
        call(X[:2000], y[:2000], file)
    peak = Peak()
    peak.start()
    start = time.process_time()
    passes = call(X, y, file)
    seconds = time.process_time() - start
    peak.stop = True
    peak.join()
    print(seconds, peak.largest, passes or 1)


def timed(name: str, file: Path, rows: int, columns: int, dtype: str) -> tuple[float, float, float]:
    limits = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    command = [sys.executable, "-m", "benchmarks.scale", "--here", name, str(file)]
    command += [str(rows), str(columns), dtype]
    found = subprocess.run(
        command, env={**os.environ, **limits}, check=True, capture_output=True, text=True
    )
    seconds, peak, passes = map(float, found.stdout.split()[-3:])
    return seconds, peak, passes


def best_of(repeats: int, *args: Any) -> tuple[float, float, float]:
    """Seconds, peak and passes."""
    found = [timed(*args) for _ in range(repeats)]
    return min(one[0] for one in found), max(one[1] for one in found), found[0][2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--here", nargs=5)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--repeats", type=int, default=2)
    every = [*TIMED, *TIMED_BY_PASS, GROWTH]
    parser.add_argument("--cells", nargs="+", choices=every, default=every)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    if given.here:
        name, file, rows, columns, dtype = given.here
        run_here(name, Path(file), int(rows), int(columns), dtype)
        return
    lines = ["| cell | CPU seconds | of NumPy's pass | peak, MB |", "| --- | ---: | ---: | ---: |"]

    def add(line: str) -> None:
        print(line, flush=True)
        lines.append(line)

    file = given.folder / "rows.dat"
    for dtype in ("float64", "float32") if {*given.cells} != {GROWTH} else ():
        make(file, given.rows, COLUMNS, dtype)
        if dtype == "float64" and any("parquet" in name for name in given.cells):
            make_parquet(file, file.with_suffix(".parquet"), given.rows, COLUMNS, dtype)
        base = 0.0
        for name in TIMED:
            if name not in {"gram", *given.cells}:
                continue
            if dtype == "float32" and name not in ("gram", "lasso_cv", "row_blocks"):
                continue
            seconds, peak, _ = best_of(given.repeats, name, file, given.rows, COLUMNS, dtype)
            base = base or seconds
            cell = f"{name} {given.rows} x {COLUMNS} {dtype}"
            add(f"| {cell} | {seconds:.2f} | {seconds / base:.2f} | {peak:.0f} |")
        for name in TIMED_BY_PASS:
            if dtype == "float64" and name in given.cells:
                seconds, peak, passes = best_of(1, name, file, given.rows, COLUMNS, dtype)
                each = seconds / (passes * base)
                cell = f"{name} {given.rows} x {COLUMNS}, {passes:.0f} passes, each {each:.2f}"
                add(f"| {cell} | {seconds:.2f} | {seconds / base:.2f} | {peak:.0f} |")
        file.with_suffix(".parquet").unlink(missing_ok=True)
        file.unlink()
    tenth = given.rows // 10
    shapes = [(tenth * k, COLUMNS) for k in (1, 2, 4, 8)]
    shapes += [(tenth // 4, p) for p in (50, 100, 200, 400, 800)]
    for rows, columns in shapes if GROWTH in given.cells else ():
        make(file, rows, columns, "float64")
        both = [
            best_of(given.repeats, one, file, rows, columns, "float64")
            for one in ("gram", "row_blocks")
        ]
        (base, *_), (seconds, peak, _) = both
        add(
            f"| row_blocks {rows} x {columns} | {seconds:.2f} | {seconds / base:.2f} | {peak:.0f} |"
        )
        file.unlink()
    file.with_suffix(".npy").unlink()
    if given.out:
        given.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
