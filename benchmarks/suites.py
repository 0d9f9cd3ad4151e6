"""The cells of every suite. A suite is a function that yields cells: add one and name it in SUITES.

A cell builds its problem only when it is run, from a seed made of its own name, so that one cell
gives the same data alone and in a whole run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from sklearn import datasets

from . import dependent as dependent_columns
from . import everyday as everyday_work
from . import glm as glm_paths
from . import multinomial as multinomial_paths
from . import multitask as multi_task
from . import networks, problems
from .gaps import largest_gap
from .libraries import Answer
from .networks import Net
from .problems import Array, Problem

Build = Callable[[np.random.Generator], Problem]


@dataclass(frozen=True)
class Cell:
    """One line of a table.

    Attributes
    ----------
    name : str
        Unique in its suite.
    group : str
        Cells of one group share a picture and a median.
    build : callable
        Makes the problem from a random generator.
    plain : str
        A cell that the same problem without its option is in; our time is compared with it.
    size : tuple of (str, float)
        In the suite `scaling`: what is doubled, and its value ("active" is measured).
    fresh : bool
        Whether the workers start anew, for a figure of memory that no earlier cell blurs.
    judge : callable
        How far an answer is from the best one.
    gap : float
        What is asked of every library alike; 0 asks more of skreg than of its peers. Such a cell
        is measured a second time where a peer is faster.
    """

    name: str
    group: str
    build: Build
    plain: str = ""
    size: tuple[str, float] | None = None
    fresh: bool = False
    judge: Callable[[Problem, Answer], float] = largest_gap
    gap: float = 0.0

    def problem(self) -> Problem:
        return self.build(np.random.default_rng(crc32(self.name.encode())))


@dataclass(frozen=True)
class Setting:
    """`quick` makes generated problems small; `data` is a folder of real data sets, or None."""

    quick: bool = False
    data: Path | None = None

    def shape(self, n: int, p: int) -> tuple[int, int]:
        return (max(n // 10, 40), max(p // 20, 10)) if self.quick else (n, p)

    @property
    def alphas(self) -> int:
        return 20 if self.quick else 100


def linear(
    n: int,
    p: int,
    rho: float,
    count: int,
    rng: np.random.Generator,
    *,
    task: str = "path",
    l1_ratio: float = 1.0,
    option: str = "",
    ratio: float | None = None,
    order: str = "F",
) -> Problem:
    """The design of the glmnet paper, with one option more where a name of it is given."""
    X = problems.equicorrelated(n, p, rho, rng)
    y = problems.noisy(X, problems.decaying(p), rng)
    more: dict[str, Any] = {}
    if option == "weights":
        more["weights"] = rng.uniform(0.2, 2.0, n)
    elif option == "factors":
        more["factors"] = rng.uniform(0.5, 2.0, p)
    elif option == "bounds":
        more["lower"], more["upper"] = np.full(p, -0.3), np.full(p, 0.3)
    elif option == "positive":
        more["lower"] = np.zeros(p)
    scales = {name: more.get(name) for name in ("weights", "factors")}
    ratio = ratio or default_ratio(n, p)
    alphas = problems.grid(X, y, ratio, count, l1_ratio=l1_ratio, **scales)
    folds = problems.random_folds(n) if task == "cv" else None
    return Problem(task, X, y, alphas, l1_ratio, folds=folds, order=order, **more)


def default_ratio(n: int, p: int) -> float:
    return 1e-3 if n > p else 1e-2


def given(X: Any, y: Array, count: int, ratio: float | None = None) -> Problem:
    y = np.asarray(y, dtype=float)
    alphas = problems.grid(X, y, ratio or default_ratio(*X.shape), count)
    return Problem("path", X, y, alphas)


PATH_SHAPES = (
    (1000, 100),
    (5000, 100),
    (100, 1000),
    (100, 5000),
    (100, 20_000),
    (100, 50_000),
    (500, 10_000),
    (1000, 10_000),
    (2000, 2000),
)
ELASTIC_NET_SHAPES = ((1000, 100), (5000, 100), (100, 5000), (1000, 10_000))
OPTION_SHAPES = ((5000, 100), (100, 5000))
REAL_FILES = ("golub", "riboflavin", "tecator", "permeability", "ames", "solubility", "mnist")


def path(setting: Setting) -> Iterator[Cell]:
    count = setting.alphas
    for n, p in PATH_SHAPES:
        for rho in (0.0, 0.5, 0.95):
            build = partial(linear, *setting.shape(n, p), rho, count)
            yield Cell(f"lasso {n}x{p} rho={rho:g}", "lasso", build)
    for n, p in ELASTIC_NET_SHAPES:
        for l1_ratio in (0.5, 0.95):
            build = partial(linear, *setting.shape(n, p), 0.5, count, l1_ratio=l1_ratio)
            yield Cell(f"elastic net {l1_ratio:g} {n}x{p}", "elastic net", build)
    for n, p in OPTION_SHAPES:
        for option in ("weights", "factors", "bounds", "positive"):
            build = partial(linear, *setting.shape(n, p), 0.5, count, option=option)
            plain = f"lasso {n}x{p} rho=0.5"
            yield Cell(f"{option} {n}x{p}", "options", build, plain=plain)
    yield from real(setting)


def real(setting: Setting) -> Iterator[Cell]:
    """The sets that scikit-learn brings, then those in the data folder that are there."""
    for name in ("diabetes", "breast_cancer", "digits"):
        yield Cell(f"{name}", "real", partial(bundled, name, setting.alphas))
    for name in REAL_FILES if setting.data else ():
        file = Path(setting.data or "", f"{name}.npz")
        if file.is_file() and not setting.quick:
            build = partial(stored, file, setting.alphas)
            yield Cell(name, "real", build)


def bundled(name: str, count: int, rng: np.random.Generator) -> Problem:
    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    return given(np.asfortranarray(X[:, np.ptp(X, axis=0) > 0]), y, count)


def stored(file: Path, count: int, rng: np.random.Generator) -> Problem:
    return given(*problems.dense_file(file), count)


def sparse(setting: Setting) -> Iterator[Cell]:
    for n, p, density in ((20_000, 100_000, 1e-3), (5000, 20_000, 1e-2)):
        build = partial(random_sparse, *setting.shape(n, p), density, setting.alphas)
        yield Cell(f"{n}x{p} density {density:g}", "sparse", build)
    for name in ("reuters21578", "news20") if setting.data and not setting.quick else ():
        file = Path(setting.data or "", f"{name}_counts.npz")
        if file.is_file():
            yield Cell(f"{name} counts", "sparse", partial(text, file, setting.alphas))


def random_sparse(n: int, p: int, density: float, count: int, rng: np.random.Generator) -> Problem:
    X = problems.sparse_design(n, p, max(density, 5 / n), rng)
    coef = np.zeros(p)
    chosen = rng.choice(p, min(100, p // 10), replace=False)
    coef[chosen] = rng.standard_normal(len(chosen))
    return given(X, problems.noisy(X, coef, rng), count, 0.05)


def text(file: Path, count: int, rng: np.random.Generator) -> Problem:
    return given(*problems.text_counts(file), count, 0.05)


def glm(setting: Setting) -> Iterator[Cell]:
    for name, group, build in glm_paths.cells(setting):
        yield Cell(name, group, build, judge=glm_paths.largest_gap)
    for name, group, build in multinomial_paths.cells(setting):
        yield Cell(name, group, build, judge=multinomial_paths.largest_gap)


def multitask(setting: Setting) -> Iterator[Cell]:
    for name, group, build in multi_task.cells(setting):
        yield Cell(name, group, build, judge=multi_task.largest_gap)


def cv(setting: Setting) -> Iterator[Cell]:
    shapes = ((20_000, 500), (2000, 500), (200, 2000), (1000, 100), (100_000, 100))
    for n, p in shapes:
        build = partial(linear, *setting.shape(n, p), 0.5, setting.alphas, task="cv")
        yield Cell(f"{n}x{p}", "LassoCV, 5 folds", build)


def ridge(setting: Setting) -> Iterator[Cell]:
    for n, p, targets in ((20_000, 500, 0), (500, 5000, 0), (100_000, 50, 0), (20_000, 500, 10)):
        for folds in (0, 5):
            build = partial(ridge_problem, *setting.shape(n, p), setting.alphas, targets, folds)
            name = f"{n}x{p}" + (f", {targets} targets" if targets else "")
            kind = f"{folds} folds" if folds else "leave-one-out"
            yield Cell(f"{name}, {kind}", f"RidgeCV, {kind}", build)


def ridge_problem(
    n: int, p: int, count: int, targets: int, folds: int, rng: np.random.Generator
) -> Problem:
    X = problems.equicorrelated(n, p, 0.5, rng)
    coef = problems.decaying(p)
    if targets:
        coef = coef[:, None] * rng.uniform(0.5, 1.5, (p, targets))
    alphas = n * np.geomspace(10.0, 1e-4, count)
    split = problems.random_folds(n, folds) if folds else None
    return Problem("ridge_cv", X, problems.noisy(X, coef, rng), alphas, None, folds=split)


def single(setting: Setting) -> Iterator[Cell]:
    for n, p in ((100, 10), (1000, 100), (100_000, 20)):
        shape = setting.shape(n, p)
        yield Cell(f"Lasso {n}x{p}", "single", partial(one_alpha, *shape, "fit"))
        yield Cell(f"Ridge {n}x{p}", "single", partial(one_alpha, *shape, "ridge_fit"))
    build = partial(grid_search, *setting.shape(1000, 100), setting.alphas)
    yield Cell("GridSearchCV of Lasso 1000x100", "grid search", build)


def grid_search(n: int, p: int, count: int, rng: np.random.Generator) -> Problem:
    return replace(linear(n, p, 0.5, count, rng, task="cv"), task="grid_search")


def one_alpha(n: int, p: int, task: str, rng: np.random.Generator) -> Problem:
    """A tenth of alpha_max for the Lasso, alpha = 1 for Ridge."""
    whole = linear(n, p, 0.5, 2, rng, ratio=0.1)
    if task == "ridge_fit":
        return Problem(task, whole.X, whole.y, np.ones(1), None)
    return Problem(task, whole.X, whole.y, whole.alphas[1:])


def dependent(setting: Setting) -> Iterator[Cell]:
    for name, group, build in dependent_columns.cells(setting.quick):
        yield Cell(name, group, build)


def everyday(setting: Setting) -> Iterator[Cell]:
    for name, group, build in everyday_work.cells(setting.quick):
        yield Cell(name, group, build, judge=everyday_work.shortfall, gap=1e-4)


def scaling(setting: Setting) -> Iterator[Cell]:
    doublings = 3 if setting.quick else 5
    count = setting.alphas
    rows, columns = setting.shape(200, 1000)

    def cell(axis: str, value: int, build: Build) -> Cell:
        return Cell(f"{axis}={value}", f"doubling {axis}", build, size=(axis, value))

    powers = [2**k for k in range(doublings)]
    for n in (setting.shape(1000, 0)[0] * power for power in powers):
        yield cell("n", n, partial(linear, n, 100, 0.5, count))
    for p in (setting.shape(0, 20_000)[1] * power for power in powers):
        yield cell("p", p, partial(linear, rows, p, 0.5, count))
    yield from across_routes(setting)
    for alphas in (25 * power for power in powers):
        yield cell("alphas", alphas, partial(linear, rows, columns, 0.5, alphas))
    for active in ((4 if setting.quick else 25) * power for power in powers):
        yield cell("active", active, partial(supported, *setting.shape(1000, 5000), active, count))


def across_routes(setting: Setting) -> Iterator[Cell]:
    """p doubled from far fewer features than rows to many more: no step may be a cliff."""
    tasks = {
        "lasso_path": partial(linear, task="path"),
        "LassoCV": partial(linear, task="cv"),
        "ElasticNetCV": partial(linear, task="cv", l1_ratio=0.5),
    }
    for title, make in tasks.items():
        for n in (400, 2000):
            if n == 2000 and setting.quick:
                continue
            group = f"{title}, {n} rows, doubling p"
            for p in (50, 100) if setting.quick else (50, 100, 200, 400, 800, 1600, 3200):
                build = partial(make, n, p, 0.5, setting.alphas, ratio=1e-3)
                yield Cell(f"{title} {n}x{p}", group, build, size=(f"p, {title}, {n} rows", p))


def supported(n: int, p: int, active: int, count: int, rng: np.random.Generator) -> Problem:
    """Equal coefficients on `active` features, so that about as many are chosen at the end."""
    X = problems.equicorrelated(n, p, 0.0, rng)
    coef = np.where(np.arange(p) < active, 1.0, 0.0)
    return given(X, problems.noisy(X, coef, rng, snr=100.0), count, 0.1)


def memory(setting: Setting) -> Iterator[Cell]:
    n, p = setting.shape(500, 50_000)
    for task in ("path", "cv"):
        for order in ("F", "C"):
            build = partial(linear, n, p, 0.5, 20, task=task, order=order)
            yield Cell(f"{task} 500x50000 order {order}", "memory", build, fresh=True)


def mlp(setting: Setting) -> Iterator[Cell]:
    for name, plain, features, net in networks.cells():
        if setting.quick:
            small = tuple(min(size, 16) for size in net.hidden)
            net = replace(net, hidden=small, batch=20, epochs=6)
        kind = "with dropout" if plain else "plain"
        yield Cell(name, kind, partial(network, features, net), plain=plain, judge=learned)


def network(features: int, net: Net, rng: np.random.Generator) -> Problem:
    X, y = networks.rows(features, net, rng)
    return Problem("net_steps", X, y, np.zeros(1), None, order="C", net=net)


def learned(problem: Problem, answer: Answer) -> float:
    return networks.shortfall(problem.y, answer.coefs)


SUITES: dict[str, Callable[[Setting], Iterator[Cell]]] = {
    "path": path,
    "cv": cv,
    "ridge": ridge,
    "sparse": sparse,
    "glm": glm,
    "multitask": multitask,
    "single": single,
    "dependent": dependent,
    "everyday": everyday,
    "scaling": scaling,
    "memory": memory,
    "mlp": mlp,
}
