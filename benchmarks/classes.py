"""Logistic regression beside every solver of scikit-learn: ``python -m benchmarks.classes``.

Three tables: single fits, the choice of C by `LogisticRegressionCV`, and by scikit-learn's
`GridSearchCV`. Times are milliseconds of CPU time, validation included, the best of several runs
that alternate between the two libraries. scikit-learn keeps its tolerance; "excess" is how far the
objective of its fastest solver is above ours, in units of the mean deviance of the intercept
alone. liblinear penalises the intercept, which is another problem: its column stands apart.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import sklearn.linear_model as theirs
from scipy.special import expit, logsumexp
from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import scale

import skreg as ours

# Runs of a call, and the seconds after which no further one is begun.
RUNS, ENOUGH = 15, 3.0
SOLVERS = {0.0: ("lbfgs", "newton-cg", "newton-cholesky", "sag", "saga"), 1.0: ("saga",)}
FOLDS, SEARCHED, COUNT = 5, 20, 100
# Those of scikit-learn that are fast in a choice of C, and tables on which it takes no minutes.
FAST = {0.0: ("lbfgs", "newton-cg"), 1.0: ("saga",)}
CROSS_VALIDATED = ("150x4", "1000x20", "breast cancer", "1000x100")
GRID_SEARCHED = (*CROSS_VALIDATED, "iris")
Data = tuple[Any, np.ndarray]


def generated(n: int, p: int) -> Data:
    """Gaussian features of which every fourth matters."""
    rng = np.random.default_rng(n + p)
    X = rng.standard_normal((n, p))
    coef = np.where(np.arange(p) % 4 == 0, rng.standard_normal(p), 0.0)
    eta = X @ coef
    return X, (rng.random(n) < expit(2.0 * eta / eta.std())).astype(int)


def bundled(load: Callable[..., Data]) -> Data:
    X, y = load(return_X_y=True)
    return scale(X), y


TABLES: dict[str, Callable[[], Data]] = {
    "150x4": lambda: generated(150, 4),
    "1000x20": lambda: generated(1000, 20),
    "iris": lambda: bundled(load_iris),
    "breast cancer": lambda: bundled(load_breast_cancer),
    "1000x100": lambda: generated(1000, 100),
    "digits": lambda: bundled(load_digits),
    "100000x20": lambda: generated(100_000, 20),
}


def milliseconds(*calls: Callable[[], Any]) -> list[float]:
    """The best time of each call; they take turns."""
    best, begun = [np.inf] * len(calls), time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for run in range(RUNS):
            for k, call in enumerate(calls):
                start = time.process_time()
                call()
                best[k] = min(best[k], 1e3 * (time.process_time() - start))
            if run and time.perf_counter() - begun > ENOUGH:
                break
    return best


def objective(model: Any, X: Any, y: np.ndarray, C: float, ratio: float) -> float:
    """The mean loss and the penalty."""
    eta = X @ model.coef_.T + model.intercept_
    if eta.shape[1] == 1:
        eta = np.column_stack([np.zeros(len(y)), eta])
    rows = logsumexp(eta, axis=1) - eta[np.arange(len(y)), y]
    size = ratio * np.abs(model.coef_) + (1.0 - ratio) / 2.0 * model.coef_**2
    return float(rows.mean() + size.sum() / (C * len(y)))


def single_fits() -> None:
    print(
        f"{'single fit':22s} {'skreg':>8s} {'best':>8s} {'excess':>8s}  solver          liblinear"
    )
    for name, make in TABLES.items():
        X, y = make()
        shares = np.bincount(y) / len(y)
        unit = -2.0 * float(shares @ np.log(shares))
        for ratio, solvers in SOLVERS.items():
            if "newton-cholesky" in solvers and len(shares) > 2:
                solvers = tuple(one for one in solvers if one != "newton-cholesky")
            own = ours.LogisticRegression(l1_ratio=ratio)
            models = [
                theirs.LogisticRegression(l1_ratio=ratio, solver=solver) for solver in solvers
            ]
            if len(shares) == 2:
                models.append(theirs.LogisticRegression(l1_ratio=ratio, solver="liblinear"))
            calls = [partial(model.fit, X, y) for model in (own, *models)]
            first, *rest = milliseconds(*calls)
            k = int(np.argmin(rest[: len(solvers)]))
            least = objective(own, X, y, 1.0, ratio)
            excess = (objective(models[k], X, y, 1.0, ratio) - least) / unit
            last = f"{rest[-1]:.2f}" if len(shares) == 2 else "–"
            kind = f"{name}, {'L1' if ratio else 'L2'}"
            print(
                f"{kind:22s} {first:8.2f} {rest[k]:8.2f} {excess:8.0e}  {solvers[k]:15s} {last}",
                flush=True,
            )


def cross_validated(library: Any, solver: str, ratio: float, X: Any, y: np.ndarray) -> Any:
    return library.LogisticRegressionCV(
        Cs=np.geomspace(1e-3, 1e2, COUNT),
        l1_ratios=(ratio,),
        cv=FOLDS,
        solver=solver,
        scoring="neg_log_loss",
        use_legacy_attributes=False,
    ).fit(X, y)


def searched(library: Any, solver: str, ratio: float, X: Any, y: np.ndarray) -> Any:
    model = library.LogisticRegression(solver=solver, l1_ratio=ratio)
    return GridSearchCV(model, {"C": np.geomspace(1e-2, 1e2, SEARCHED)}, cv=FOLDS).fit(X, y)


def choices(head: str, call: Callable[..., Any], names: tuple[str, ...]) -> None:
    """A choice of C on several tables, by the solvers that are fast there."""
    print(f"\n{head:22s} {'skreg':>8s} {'best':>8s} {'times':>6s}  solver")
    for name in names:
        X, y = TABLES[name]()
        for ratio, solvers in FAST.items():
            calls = [partial(call, theirs, solver, ratio, X, y) for solver in solvers]
            first, *rest = milliseconds(partial(call, ours, solvers[0], ratio, X, y), *calls)
            k = int(np.argmin(rest))
            kind, times = f"{name}, {'L1' if ratio else 'L2'}", rest[k] / first
            print(f"{kind:22s} {first:8.1f} {rest[k]:8.1f} {times:6.1f}  {solvers[k]}", flush=True)


def cross_validations() -> None:
    choices(f"{FOLDS} folds, {COUNT} C", cross_validated, CROSS_VALIDATED)


def searches() -> None:
    choices(f"search over {SEARCHED} C", searched, GRID_SEARCHED)


def main() -> None:
    parts = {"fits": single_fits, "cv": cross_validations, "search": searches}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", choices=list(parts), default=list(parts))
    for part in parser.parse_args().parts:
        parts[part]()


if __name__ == "__main__":
    main()
