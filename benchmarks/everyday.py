"""Everyday work: what people ask of an estimator that scikit-learn has too, on tables of any size.

A fixed grid: each row of `TABLE` is one call of one estimator, asked on several designs. The form
of X (memory order, data frame, precision) goes round by the places of row and design, so that each
call and each design of many cells meets most forms. A new row goes to the end of the table, a new
design to the end of its list: the cells that are there keep their forms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from . import problems
from .dependent import dummies
from .gaps import largest_gap
from .libraries import Answer
from .problems import Problem
from .uses import Use

DESIGNS = (
    "20x5",
    "50x10",
    "100x10",
    "442x10",
    "442x65 polynomial",  # all products of two of 10 features
    "1000x50",
    "1000x301",
    "2000x160 one-hot",
    "5000x300",
    "300x3000",
    "100x5000",
    "20000x500",
    "1000000x20",
    "50x200000",
    "2000x160 sparse one-hot",
)
FORMS = (
    ("C", "float64"),
    ("frame", "float64"),
    ("C", "float32"),
    ("F", "float64"),
    ("strided", "float64"),
    ("frame", "float32"),
    ("F", "float32"),
    ("strided", "float32"),
)


@dataclass(frozen=True)
class Row:
    """A call, the places in `DESIGNS` of the designs it is asked on, alphas and number of targets.

    Alphas are in units of alpha_max where there is an L1 part.
    """

    name: str
    use: Use
    places: tuple[int, ...]
    alphas: tuple[float, ...] = (1.0,)
    targets: int = 0


WEAK, MIDDLE, STRONG = (0.01,), (0.1,), (0.5,)
LOOP = tuple(np.geomspace(1.0, 0.05, 50))
SEARCHED = tuple(np.geomspace(1.0, 0.05, 20))
RIDGES = tuple(np.geomspace(1e-3, 1e3, 20))
POSITIVE = {"positive": True}
# the epochs are given: neither library stops before
ADAM = {"max_iter": 50, "n_iter_no_change": 50, "random_state": 0}
LBFGS = {"solver": "lbfgs", "max_iter": 50, "random_state": 0}

TABLE = (
    Row("Lasso weak", Use("Lasso"), (0, 2, 3, 4, 6, 8, 9, 10), WEAK),
    Row("Lasso middle", Use("Lasso"), tuple(range(15)), MIDDLE),
    Row("Lasso strong", Use("Lasso"), (1, 2, 3, 5, 7, 9, 10, 11), STRONG),
    Row("ElasticNet weak", Use("ElasticNet"), (0, 1, 3, 4, 7, 10), WEAK),
    Row("ElasticNet middle", Use("ElasticNet"), (1, 2, 3, 5, 6, 9, 10, 12, 14), MIDDLE),
    Row("ElasticNet strong", Use("ElasticNet"), (0, 2, 3, 6, 8, 10, 13), STRONG),
    Row("Lasso positive", Use("Lasso", "fit", POSITIVE), (0, 2, 3, 5, 7, 8, 9, 10), WEAK),
    Row("ElasticNet positive", Use("ElasticNet", "fit", POSITIVE), (1, 3, 4, 6, 9), WEAK),
    Row("Ridge", Use("Ridge"), tuple(range(15))),
    Row("Ridge positive", Use("Ridge", "fit", POSITIVE), (0, 2, 3, 5, 8)),
    Row("Lasso 10 targets", Use("Lasso"), (2, 3, 5, 6, 9), MIDDLE, 10),
    Row("Lasso 100 targets", Use("Lasso"), (3, 5, 7), MIDDLE, 100),
    Row("Ridge 10 targets", Use("Ridge"), (1, 3, 5, 8, 10), targets=10),
    Row("Ridge 100 targets", Use("Ridge"), (2, 6, 7, 9), targets=100),
    Row("warm Lasso", Use("Lasso", "warm"), (1, 3, 5, 9), LOOP),
    Row("warm ElasticNet", Use("ElasticNet", "warm"), (2, 4, 6), LOOP),
    Row("warm Lasso positive", Use("Lasso", "warm", POSITIVE), (3, 5), LOOP),
    Row("search Lasso", Use("Lasso", "search"), (2, 3, 5, 9), SEARCHED),
    Row("search ElasticNet", Use("ElasticNet", "search"), (3, 6), SEARCHED),
    Row("search Ridge", Use("Ridge", "search"), (1, 3, 5, 8), RIDGES),
    Row("LassoCV", Use("LassoCV"), (1, 2, 3, 4, 5, 6, 10, 12, 14)),
    Row("LassoCV positive", Use("LassoCV", "fit", POSITIVE), (3, 5)),
    Row("ElasticNetCV", Use("ElasticNetCV"), (0, 3, 5, 7)),
    Row("RidgeCV", Use("RidgeCV"), (0, 2, 3, 4, 5, 6, 8, 9, 10), (0.1, 1.0, 10.0)),
    Row("RidgeCV 5 folds", Use("RidgeCV", "fit", {"cv": 5}), (1, 3, 5, 9), RIDGES),
    Row("RidgeCV 10 targets", Use("RidgeCV"), (3, 5), (0.1, 1.0, 10.0), 10),
    Row("lasso_path", Use("lasso_path", "path"), (2, 3, 4, 5, 6, 9, 10)),
    Row("enet_path", Use("enet_path", "path"), (1, 3, 8)),
    Row("predict Ridge 1 row", Use("Ridge", "predict", rows=1), (1, 3, 5, 6)),
    Row("predict Ridge 10 rows", Use("Ridge", "predict", rows=10), (0, 3, 4)),
    Row("predict Lasso 1000 rows", Use("Lasso", "predict", rows=1000), (5, 6, 8, 14), MIDDLE),
    Row("predict Lasso", Use("Lasso", "predict"), (3, 10, 11, 12), MIDDLE),
    Row("predict Ridge 10 targets", Use("Ridge", "predict"), (3, 8), targets=10),
    Row("MLPRegressor", Use("MLPRegressor", "fit", ADAM), (1, 3, 5)),
    Row("MLPRegressor 10 targets", Use("MLPRegressor", "fit", ADAM), (3,), targets=10),
    Row("MLPRegressor lbfgs", Use("MLPRegressor", "fit", LBFGS), (3, 5)),
    Row("MLPClassifier", Use("MLPClassifier", "fit", ADAM), (2, 3, 6)),
    *(
        Row(
            f"{call} {estimator} {rows} row{'s' * (rows > 1)}",
            Use(estimator, call, ADAM, rows),
            places,
        )
        for rows, places in ((1, (3, 5)), (10, (4,)), (1000, (5,)))
        for estimator, call in (
            ("MLPRegressor", "predict"),
            ("MLPClassifier", "predict"),
            ("MLPClassifier", "predict_proba"),
        )
    ),
)


def cells(
    quick: bool,
) -> Iterator[tuple[str, str, Callable[[np.random.Generator], Problem]]]:
    """Name, group and what builds the problem."""
    for number, row in enumerate(TABLE):
        group = {"fit": row.use.estimator, "warm": "warm start"}.get(row.use.call, row.use.call)
        for place in row.places:
            layout, dtype = FORMS[(number + place) % len(FORMS)]
            if "sparse" in DESIGNS[place]:
                layout, dtype = "CSR", "float64"
            formed = replace(row, use=replace(row.use, layout=layout, dtype=dtype))
            name = f"{row.name}, {DESIGNS[place]}, {layout} {dtype}"
            yield name, group, partial(build, formed, DESIGNS[place], quick)


def build(row: Row, name: str, quick: bool, rng: np.random.Generator) -> Problem:
    use = row.use
    X = design(name, quick, rng)
    coef = problems.decaying(X.shape[1])
    if row.targets:
        coef = coef[:, None] * rng.uniform(0.5, 1.5, (len(coef), row.targets))
    y = problems.noisy(X, coef, rng)
    y /= y.std(axis=0)
    if use.estimator == "MLPClassifier":
        y = (y > np.median(y)).astype(float)
    if use.call == "path":  # it fits no intercept
        X, y = X - X.mean(axis=0), y - y.mean(axis=0)
    if use.dtype == "float32":  # what both libraries see, to be judged in float64
        X, y = (values.astype(np.float32).astype(float) for values in (X, y))
    alphas = np.array(row.alphas)
    if use.l1_ratio is not None:
        alphas *= np.abs(X.T @ (y - y.mean(axis=0))).max() / len(y) / use.l1_ratio
    lower = np.zeros(X.shape[1]) if use.parameters.get("positive") else None
    return Problem("everyday", X, y, alphas, use.l1_ratio, lower=lower, use=use)


def design(name: str, quick: bool, rng: np.random.Generator) -> Any:
    """X of a kind; where quick is asked for, a small one of the same."""
    n, p = map(int, name.split()[0].split("x"))
    if quick:
        n, p = min(n, 60), min(p, 80)
    if "polynomial" in name:
        basic = rng.standard_normal((n, 10))
        first, second = np.triu_indices(10)
        return np.hstack([basic, basic[:, first] * basic[:, second]])
    if "one-hot" in name:
        levels = (5, 10, 20, 50, 75)
        X = dummies(np.column_stack([rng.integers(0, each, n) for each in levels]))
        return X if "sparse" in name else X.toarray()
    return problems.equicorrelated(n, p, 0.5, rng)


def shortfall(problem: Problem, answer: Answer) -> float:
    """The largest gap; of a net 0 where its errors are below those of the mean of y."""
    if problem.use is None or not problem.use.net:
        return largest_gap(problem, answer)
    y = np.reshape(problem.y, (len(problem.y), -1))
    return float(max(np.mean((answer.coefs - y) ** 2) / np.var(y) - 1, 0.0))
