"""What is solved: the data of a cell, how it is generated, and how it travels to a worker.

A problem is written to a folder as raw little-endian arrays, column by column, with one text file
of names and numbers: a form that NumPy and R both read without a further package.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from .networks import Net
from .uses import Use

Array = NDArray[np.float64]

OPTIONAL = ("weights", "factors", "lower", "upper", "folds")


@dataclass(frozen=True, eq=False)
class Problem:
    """One problem, the same for every library.

    Attributes
    ----------
    task : str
        The method of a library that is timed: "path", "cv", "ridge_cv", "fit", ...
    X : ndarray or CSC matrix of shape (n, p)
    y : ndarray of shape (n,) or (n, n_targets)
    alphas : ndarray of shape (n_alphas,)
        Decreasing; in scikit-learn's scale of the task's estimator.
    l1_ratio : float or None
        1 for the Lasso, None for Ridge.
    weights, factors, lower, upper : ndarray or None
        Sample weights; per feature: factors of the penalty, bounds of the coefficients.
    folds : ndarray of int, shape (n,), or None
        The fold of each row for cross-validation; None is leave-one-out.
    order : {"F", "C"}
        Memory order of a dense X. Every library but the one under study prefers "F".
    net : Net or None
        The network to train, where that is the task.
    use : Use or None
        The call, where everyday work is the task.
    loss : str
        "squared_error", "logistic", "poisson", or "multinomial", of which y has codes.
    """

    task: str
    X: Any
    y: Array
    alphas: Array
    l1_ratio: float | None = 1.0
    weights: Array | None = None
    factors: Array | None = None
    lower: Array | None = None
    upper: Array | None = None
    folds: NDArray[np.int64] | None = None
    order: str = "F"
    net: Net | None = None
    use: Use | None = None
    loss: str = "squared_error"

    @property
    def splits(self) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]] | None:
        """Pairs of training and held-out rows."""
        if self.folds is None:
            return None
        held_out = [self.folds == k for k in range(int(self.folds.max()) + 1)]
        return [(np.flatnonzero(~mask), np.flatnonzero(mask)) for mask in held_out]

    def shrunk(self) -> Problem:
        """A tiny problem of the same kind, to compile and load everything before the clock runs."""
        n, p = self.X.shape
        rows = np.unique(np.linspace(0, n - 1, 40).astype(int))
        columns = np.unique(np.linspace(0, p - 1, 12).astype(int))
        X = self.X.tocsr()[rows] if is_sparse(self.X) else self.X[rows]
        X = X[:, columns].tocsc() if is_sparse(X) else X[:, columns].copy(self.order)
        small: dict[str, Any] = {"X": X, "y": self.y[rows], "alphas": self.alphas[:3]}
        small["folds"] = None if self.folds is None else np.arange(len(rows)) % 5
        small["net"] = None if self.net is None else self.net.shrunk()
        small["weights"] = None if self.weights is None else self.weights[rows]
        for name in ("factors", "lower", "upper"):
            values = getattr(self, name)
            small[name] = None if values is None else values[columns]
        return replace(self, **small)


def is_sparse(X: Any) -> bool:
    return bool(sparse.issparse(X))


def dense(X: Any) -> Array:
    return np.asarray(X.toarray() if is_sparse(X) else X)


def save(problem: Problem, folder: Path) -> None:
    X = problem.X
    text = {"task": problem.task, "n": X.shape[0], "p": X.shape[1], "order": problem.order}
    text["l1_ratio"] = "none" if problem.l1_ratio is None else repr(problem.l1_ratio)
    text["net"] = "none" if problem.net is None else problem.net.word
    text["use"] = "none" if problem.use is None else problem.use.word
    text["loss"] = problem.loss
    text["targets"] = 0 if problem.y.ndim == 1 else problem.y.shape[1]
    arrays = {"y": problem.y, "alphas": problem.alphas}
    arrays |= {name: getattr(problem, name) for name in OPTIONAL}
    if is_sparse(X):
        text["stored"] = X.nnz
        X.data.astype("<f8").tofile(folder / "X.data")
        X.indices.astype("<i4").tofile(folder / "X.indices")
        X.indptr.astype("<i4").tofile(folder / "X.indptr")
    else:
        arrays["X"] = X
    for name, values in arrays.items():
        if values is not None:
            np.asarray(values, "<f8").T.tofile(folder / name)  # .T: column by column
    lines = "".join(f"{name} {value}\n" for name, value in text.items())
    (folder / "problem.txt").write_text(lines, encoding="ascii")


def load(folder: Path) -> Problem:
    text = dict(line.split() for line in (folder / "problem.txt").read_text("ascii").splitlines())
    n, p, targets = int(text["n"]), int(text["p"]), int(text["targets"])

    def read(name: str) -> Any:
        return np.fromfile(folder / name, "<f8") if (folder / name).is_file() else None

    if "stored" in text:
        indices, indptr = (
            np.fromfile(folder / f"X.{part}", "<i4") for part in ("indices", "indptr")
        )
        X: Any = sparse.csc_matrix((read("X.data"), indices, indptr), shape=(n, p))
    else:
        X = np.asarray(read("X").reshape(p, n).T, order="C" if text["order"] == "C" else "F")
    y = read("y")
    given = {name: read(name) for name in OPTIONAL}
    if given["folds"] is not None:
        given["folds"] = given["folds"].astype(np.int64)
    return Problem(
        task=text["task"],
        X=X,
        y=y.reshape(targets, n).T.copy() if targets else y,
        alphas=read("alphas"),
        l1_ratio=None if text["l1_ratio"] == "none" else float(text["l1_ratio"]),
        order=text["order"],
        net=None if text["net"] == "none" else Net.read(text["net"]),
        use=None if text["use"] == "none" else Use.read(text["use"]),
        loss=text["loss"],
        **given,
    )


def equicorrelated(n: int, p: int, rho: float, rng: np.random.Generator) -> Array:
    """Gaussian features, every pair of them with correlation `rho`; Fortran order."""
    X = rng.standard_normal((p, n)).T
    if rho:
        X *= np.sqrt(1 - rho)
        X += np.sqrt(rho) * rng.standard_normal((n, 1))
    return X


def toeplitz(n: int, p: int, rho: float, rng: np.random.Generator) -> Array:
    """Gaussian features, the correlation of j and k being ``rho ** |j - k|``; Fortran order."""
    X = rng.standard_normal((p, n)).T
    for j in range(1, p):
        X[:, j] *= np.sqrt(1 - rho**2)
        X[:, j] += rho * X[:, j - 1]
    return X


def sparse_design(
    n: int, p: int, density: float, rng: np.random.Generator, values: str = "lognormal"
) -> sparse.csc_matrix:
    """Independent entries at random places, "lognormal" or "normal"."""
    draw = rng.standard_normal if values == "normal" else rng.lognormal
    X = sparse.random(
        n, p, density, format="csc", random_state=rng, data_rvs=lambda size: draw(size=size)
    )
    return sparse.csc_matrix(X)


def decaying(p: int) -> Array:
    """The coefficients of Friedman, Hastie and Tibshirani (J. Stat. Softw. 33(1), 2010)."""
    j = np.arange(1, p + 1)
    return np.asarray((-1.0) ** j * np.exp(-2 * (j - 1) / 20))


def noisy(X: Any, coef: Array, rng: np.random.Generator, snr: float = 3.0) -> Array:
    """``X coef`` and noise; `snr` is the variance of the signal over that of the noise."""
    signal = X @ coef
    deviation = np.sqrt(signal.var(axis=0) / snr)
    return np.asarray(signal + deviation * rng.standard_normal(signal.shape))


def grid(
    X: Any,
    y: Array,
    ratio: float,
    count: int = 100,
    l1_ratio: float = 1.0,
    weights: Array | None = None,
    factors: Array | None = None,
) -> Array:
    """Log-spaced from alpha_max, where every penalised coefficient is zero, to `ratio` times it."""
    share = np.full(len(y), 1 / len(y)) if weights is None else weights / weights.sum()
    residual = share * (y - share @ y)
    correlation = np.abs(X.T @ residual)
    top = float(np.max(correlation if factors is None else correlation / factors)) / l1_ratio
    return np.geomspace(top, top * ratio, count)


def random_folds(n: int, count: int = 5) -> NDArray[np.int64]:
    """Fold of each row: those that adelie draws with seed 0, since it takes none from outside."""
    order = np.random.RandomState(0).choice(n, n, replace=False)
    folds = np.empty(n, dtype=np.int64)
    for k, rows in enumerate(np.array_split(order, count)):
        folds[rows] = k
    return folds


def text_counts(file: Path) -> tuple[sparse.csc_matrix, Array]:
    """Raw word counts of documents, and the centred logarithm of their length."""
    with np.load(file, allow_pickle=False) as stored:
        parts = (stored["data"].astype(float), stored["indices"], stored["indptr"])
        X = sparse.csr_matrix(parts, shape=tuple(stored["shape"])).tocsc()
    X = X[:, X.getnnz(axis=0) > 0]
    y = np.log1p(np.asarray(X.sum(axis=1)).ravel())
    return X, y - y.mean()


def dense_file(file: Path, limit: int = 10_000) -> tuple[Array, Array]:
    """The first rows of a stored dense data set, its complete columns, its first target."""
    with np.load(file, allow_pickle=False) as stored:
        suffix = "_train" if "X_train" in stored else ""
        X, y = (stored[name + suffix][:limit].astype(float) for name in ("X", "y"))
    y = y if y.ndim == 1 else y[:, 0]
    return np.asfortranarray(X[:, np.isfinite(X).all(axis=0) & (np.ptp(X, axis=0) > 0)]), y
