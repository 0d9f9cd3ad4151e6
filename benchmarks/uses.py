"""Everyday work with an estimator that two libraries have under one name, and the clock around it.

X and y in the form that the user holds, and the model that predicts, are made before the clock
runs and kept for the next run.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from .networks import clock

if TYPE_CHECKING:
    from .problems import Array, Problem


@dataclass(frozen=True)
class Use:
    """One call.

    Attributes
    ----------
    estimator : str
        A class or path function, by the name that both libraries give it.
    call : str
        "fit"; "warm", fits from the strongest alpha to the weakest with ``warm_start=True``;
        "search", a grid search over alpha; "path"; or "predict", "predict_proba" after a fit
        that is not timed.
    parameters : dict
        What is not left at its default.
    rows : int
        How many rows are predicted; 0 is all.
    layout : str
        "C", "F", "strided" (neither: every other column of a C array), "frame" or "CSR".
    dtype : str
    """

    estimator: str
    call: str = "fit"
    parameters: dict[str, Any] = field(default_factory=dict)
    rows: int = 0
    layout: str = "C"
    dtype: str = "float64"

    @property
    def word(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def read(cls, word: str) -> Use:
        return cls(**json.loads(word))

    @property
    def net(self) -> bool:
        return self.estimator.startswith("MLP")

    @property
    def l1_ratio(self) -> float | None:
        if self.net or self.estimator.startswith("Ridge"):
            return None
        return 1.0 if self.estimator.lower().startswith("lasso") else 0.5

    def form(self, X: Any, y: Array) -> tuple[Any, Any]:
        """X and y as the user holds them."""
        target: Any = y.astype(int if self.estimator == "MLPClassifier" else self.dtype)
        if self.layout == "CSR":
            return X.tocsr().astype(self.dtype), target
        if self.layout == "strided":
            every = np.empty((len(X), 2 * X.shape[1]), dtype=self.dtype)
            every[:, ::2] = X
            return every[:, ::2], target
        given = np.array(X, dtype=self.dtype, order="C" if self.layout == "C" else "F")
        if self.layout != "frame":
            return given, target
        import pandas as pd

        frame = pd.DataFrame(given, columns=[f"x{j}" for j in range(X.shape[1])])
        return frame, pd.Series(target) if target.ndim == 1 else pd.DataFrame(target)


@lru_cache(maxsize=1)
def prepared(kind: Any, problem: Problem, tol: float, max_iter: int | None) -> Callable[[], Any]:
    """What the clock runs; it returns a fitted model or a path."""
    use, alphas = problem.use, problem.alphas
    X, y = use.form(problem.X, problem.y)
    parameters = dict(use.parameters)
    if not use.net and use.estimator != "RidgeCV":
        parameters["tol"] = tol
    if problem.l1_ratio is not None and max_iter:
        parameters["max_iter"] = max_iter
    if use.call == "path":
        return lambda: kind(X, y, **parameters)
    if use.estimator == "RidgeCV":
        parameters["alphas"] = alphas
    elif not use.net and not use.estimator.endswith("CV"):
        parameters["alpha"] = float(alphas[-1])
    if use.call == "fit":
        return lambda: kind(**parameters).fit(X, y)
    if use.call == "search":
        search = import_module("sklearn.model_selection").GridSearchCV
        return lambda: search(kind(**parameters), {"alpha": alphas}).fit(X, y).best_estimator_
    if use.call == "warm":

        def loop() -> Any:
            model = kind(**parameters, warm_start=True)
            for alpha in alphas:
                model.set_params(alpha=alpha).fit(X, y)
            return model

        return loop
    model = kind(**parameters).fit(X, y)
    predict, rows = getattr(model, use.call), use.form(problem.X[: use.rows or None], problem.y)[0]

    def predicted() -> Any:
        predict(rows)
        return model

    return predicted


def called(
    kind: Any, problem: Problem, tol: float, threads: int, max_iter: int | None = None
) -> tuple[Any, float]:
    """The fitted model or the path, and the seconds of the call."""
    call, now = prepared(kind, problem, tol, max_iter), clock(threads)
    start = now()
    result = call()
    return result, now() - start
