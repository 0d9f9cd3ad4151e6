"""Logistic regression where scikit-learn's saga needs minutes: ``python -m benchmarks.saga``.

Letters of DNA at positions, one column each, of which those of a position add up to one; words in
texts; features that are all alike. Ours is certified by its gap. What saga reached is how far its
objective is above ours, on the same scale, at the end of `CAP` seconds of CPU time or at its own
tolerance.
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from scipy.special import logsumexp
from sklearn.linear_model import LogisticRegression as Saga

import skreg

# Seconds of CPU time, and epochs before the first look at the clock; before the next twice as many.
CAP, EPOCHS = 60.0, 20


def letters(rng: np.random.Generator) -> tuple[Any, np.ndarray]:
    """2000 pieces of 60 letters, of three classes that differ in some of them."""
    n, positions = 2000, 60
    y = rng.integers(0, 3, n)
    given = rng.integers(0, 4, (n, positions))
    for k in range(3):
        near = (y == k)[:, None] & (rng.random((n, 6)) < 0.5)
        given[:, 28:34] = np.where(near, (k + np.arange(6)) % 4, given[:, 28:34])
    return np.eye(4)[given].reshape(n, -1)[:, np.arange(240) % 4 < 3], y


def texts(rng: np.random.Generator) -> tuple[Any, np.ndarray]:
    """The topic "earn" of Reuters where the file is, else words of two kinds of texts."""
    file = Path(os.environ.get("SKREG_DATA", "../shared/data"), "reuters21578_counts.npz")
    if file.is_file():
        with np.load(file) as stored:
            parts = stored["data"].astype(float), stored["indices"], stored["indptr"]
            X, y = sparse.csr_matrix(parts, shape=tuple(stored["shape"])), stored["y"]
            n_train = int(np.ravel(stored["n_train"])[0])
            X, y = X[:n_train], y[:n_train]
    else:
        y = rng.integers(0, 2, 5000)
        X = sparse.random(5000, 20000, 2e-3, "csr", random_state=0)
        X = sparse.csr_matrix(X.multiply(1.0 + np.outer(y, rng.random(20000) < 0.01)))
    X.data = np.log1p(X.data)
    lengths = np.sqrt(np.asarray(X.multiply(X).sum(axis=1)).ravel())
    return sparse.diags(1.0 / np.maximum(lengths, 1e-12)) @ X, (y == y.max()).astype(int)


def alike(rng: np.random.Generator) -> tuple[Any, np.ndarray]:
    """100 features with correlations of .99."""
    X = np.sqrt(0.01) * rng.normal(size=(1000, 100)) + np.sqrt(0.99) * rng.normal(size=(1000, 1))
    eta = 10.0 * (X[:, 0] - X[:, 1]) + X[:, 2]
    return X, (rng.random(1000) < 1.0 / (1.0 + np.exp(-eta))).astype(int)


KINDS: dict[str, tuple[Callable[[np.random.Generator], tuple[Any, np.ndarray]], float]] = {
    "DNA, 3 classes, L1": (letters, 1.0),
    "texts, L1": (texts, 10.0),
    "correlations .99, L1": (alike, 1.0),
}


def objective(X: Any, y: np.ndarray, C: float, coef: np.ndarray, intercept: np.ndarray) -> float:
    """The mean loss and the penalty of an L1 penalty of inverse strength C."""
    eta = np.asarray(X @ coef.T) + intercept
    if eta.shape[1] == 1:
        eta = np.column_stack([np.zeros(len(y)), eta])
    rows = logsumexp(eta, axis=1) - eta[np.arange(len(y)), y]
    return float(rows.mean() + np.abs(coef).sum() / (C * len(y)))


def by_saga(X: Any, y: np.ndarray, C: float) -> tuple[float, Any]:
    """Seconds, and what it reached in the time it has."""
    start, epochs = time.process_time(), EPOCHS
    model = Saga(C=C, l1_ratio=1.0, solver="saga", tol=1e-4, max_iter=epochs, warm_start=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        while True:
            model.fit(X, y)
            spent = time.process_time() - start
            if spent > CAP or int(np.max(model.n_iter_)) < epochs:
                return spent, model
            epochs *= 2
            model.set_params(max_iter=epochs)


def main() -> None:
    print(f"{'data':22s} {'skreg s':>8s} {'gap':>8s} {'saga s':>8s} {'excess':>8s}")
    for name, (make, C) in KINDS.items():
        X, y = make(np.random.default_rng(0))
        start = time.process_time()
        own = skreg.LogisticRegression(C=C, l1_ratio=1.0).fit(X, y)
        spent = time.process_time() - start
        shares = np.bincount(y) / len(y)
        unit = -2.0 * float(shares @ np.log(shares))
        least = objective(X, y, C, own.coef_, own.intercept_)
        seconds, other = by_saga(X, y, C)
        excess = (objective(X, y, C, other.coef_, other.intercept_) - least) / unit
        gap = float(own.dual_gap_)
        print(f"{name:22s} {spent:8.2f} {gap:8.0e} {seconds:8.1f} {excess:8.0e}", flush=True)


if __name__ == "__main__":
    main()
