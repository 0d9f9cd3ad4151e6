"""How each library is asked for the same thing. A library is imported by its own worker alone.

A method named after a task (`path`, `cv`, `ridge_cv`, `fit`, ...) takes the problem, a
tolerance and a variant, does all the work of a user who holds X and y, and returns a function that
reads the `Answer` from what the library returned; the call is timed, the reading is not. It may
return its own seconds beside that function. A library
whose method is missing, or whose `refuses` names a reason, sits a cell out.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import version
from typing import Any, ClassVar

import numpy as np

from .networks import CLASSES
from .problems import Array, Problem, is_sparse
from .trainers import Trained, scikit_learn_net, skreg_net
from .uses import called


@dataclass(frozen=True)
class Answer:
    """What came out.

    Attributes
    ----------
    coefs : ndarray of shape (p, n_columns)
    intercepts, alphas : ndarray of shape (n_columns,)
        One column an alpha of a path; after cross-validation, the one chosen, one column a target.
    curve : ndarray of shape (n_alphas,), optional
        Mean held-out squared error of each alpha.
    """

    coefs: Array
    intercepts: Array
    alphas: Array
    curve: Array = field(default_factory=lambda: np.empty(0))


Read = Callable[[], Answer]
Timed = tuple[Read, float]  # with seconds of its own, which count in the place of the worker's


def centred(problem: Problem) -> tuple[Any, Array, Any, float]:
    """A problem without intercept, weights or factors, which a plain path function can take.

    Returns X (Fortran order), y, the means of X and the mean of y. Weighted rows are multiplied by
    the roots of the normalised weights, columns divided by their factors (exact for the Lasso).
    A sparse X is returned as it is.
    """
    X, y, weights = problem.X, problem.y, problem.weights
    share = None if weights is None else weights / weights.sum()
    y_mean = float(np.average(y, weights=share))
    if is_sparse(X):
        return X, y - y_mean, np.asarray(X.mean(axis=0)).ravel(), y_mean
    means = X.mean(axis=0) if share is None else share @ X
    Z, target = np.asfortranarray(X - means), y - y_mean
    if share is not None:
        roots = np.sqrt(share * len(y))
        Z *= roots[:, None]
        target = target * roots
    if problem.factors is not None:
        Z /= problem.factors
    return Z, target, means, y_mean


def reader(problem: Problem, coefs: Any, means: Any, y_mean: float, scaled: bool = True) -> Read:
    """Read the coefficients of a `centred` problem on the scale of the problem itself."""

    def read() -> Answer:
        raw = np.asarray(coefs, dtype=float)
        if scaled and problem.factors is not None:
            raw = raw / problem.factors[:, None]
        return Answer(raw, y_mean - means @ raw, problem.alphas)

    return read


def fitted(model: Any, alpha: float | None = None, curve: Any = ()) -> Read:
    def read() -> Answer:
        coefs = np.atleast_2d(model.coef_).T
        intercepts = np.atleast_1d(model.intercept_).astype(float)
        chosen = np.full(coefs.shape[1], model.alpha_ if alpha is None else alpha)
        return Answer(np.asarray(coefs, dtype=float), intercepts, chosen, np.asarray(curve))

    return read


def tasks(coefs: Any, intercepts: Any, alphas: Any, curve: Any = ()) -> Answer:
    """From coefficients (n_targets, p, n_alphas): the targets of an alpha side by side."""
    coefs, intercepts = np.asarray(coefs, dtype=float), np.asarray(intercepts, dtype=float)
    columns = coefs.transpose(1, 2, 0).reshape(coefs.shape[1], -1)
    return Answer(columns, intercepts.T.ravel(), np.repeat(alphas, len(coefs)), np.asarray(curve))


def centred_tasks(problem: Problem) -> tuple[Any, Array, Any, Array]:
    """X and several targets less their means, in Fortran order, and the means."""
    means, y_means = problem.X.mean(axis=0), problem.y.mean(axis=0)
    X, Y = (np.asfortranarray(a - m) for a, m in ((problem.X, means), (problem.y, y_means)))
    return X, Y, means, y_means


def tasks_reader(problem: Problem, coefs: Any, means: Any, y_means: Array) -> Read:
    """Read the coefficients (n_targets, p, n_alphas) of centred data."""
    return lambda: tasks(coefs, y_means[:, None] - means @ np.asarray(coefs), problem.alphas)


def multi_task_answer(model: Any, alpha: float, curve: Any = ()) -> Answer:
    return tasks(model.coef_[..., None], np.reshape(model.intercept_, (-1, 1)), [alpha], curve)


def multi_task_fit(library: Any, problem: Problem, tol: float, max_iter: int = 1000) -> Read:
    """The plain multi-task Lasso, as scikit-learn, celer, skglm and skreg call it."""
    alpha = float(problem.alphas[0])
    model = library.MultiTaskLasso(alpha=alpha, tol=tol, max_iter=max_iter)
    model.fit(problem.X, problem.y)
    return lambda: multi_task_answer(model, alpha)


def trained(result: Trained) -> Timed:
    """A net, its probabilities as coefficients: a column a class."""
    probabilities, seconds = result

    def read() -> Answer:
        columns = np.asarray(probabilities(), dtype=float)
        return Answer(columns, np.zeros(CLASSES), np.arange(float(CLASSES)))

    return read, seconds


def used(outcome: tuple[Any, float], problem: Problem) -> Timed:
    """What everyday work left: a path, a model, or a net, its predictions as coefficients."""
    result, seconds = outcome

    def read() -> Answer:
        if problem.use.call == "path":
            alphas, coefs = result[:2]
            return Answer(np.asarray(coefs, dtype=float), np.zeros(len(alphas)), alphas)
        if problem.use.net:
            X, _ = problem.use.form(problem.X, problem.y)
            columns = np.reshape(result.predict(X), (len(problem.y), -1)).astype(float)
            return Answer(columns, np.zeros(columns.shape[1]), np.zeros(columns.shape[1]))
        return fitted(result, None if hasattr(result, "alpha_") else result.alpha)()

    return read, seconds


class Library:
    """What the parent knows of a library without importing it.

    Attributes
    ----------
    ladder : tuple of float
        Tolerances, loose to tight; the parent climbs it until the gap asked for is met.
    default : float
        The library's own default, where single fits and cross-validation start to climb.
    """

    package: ClassVar[str]
    ladder: ClassVar[tuple[float, ...]] = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10)
    default: ClassVar[float] = 1e-4

    def __init__(self, threads: int = 1) -> None:
        self.threads = threads

    def versions(self) -> dict[str, str]:
        import_module(self.package)
        name = {"sklearn": "scikit-learn"}.get(self.package, self.package)
        return {name: version(name)}

    def refuses(self, problem: Problem) -> str | None:
        return None if hasattr(self, problem.task) else f"no {problem.task}"

    def variants(self, problem: Problem) -> tuple[str, ...]:
        """Ways to ask for the same thing; the parent times each and goes on with the fastest."""
        return ("default",)

    def tolerances(self, problem: Problem) -> tuple[float, ...]:
        if problem.task in ("path", "glm_path", "mt_path"):
            return self.ladder
        if problem.net is not None:
            return (self.default,)  # the epochs are given
        return tuple(tol for tol in self.ladder if tol <= self.default)


class Skreg(Library):
    package = "skreg"
    ladder = (1e-4, 1e-10)  # the default, which is to be exact, and what to ask where it is not

    def versions(self) -> dict[str, str]:
        return {"skreg": str(import_module("skreg").__version__)}

    def variants(self, problem: Problem) -> tuple[str, ...]:
        jobs = problem.task in ("cv", "glm_cv", "mt_cv") and self.threads > 1
        return ("default", "n_jobs") if jobs else ("default",)

    def options(self, problem: Problem) -> dict[str, Any]:
        names = {"factors": "penalty_factor", "lower": "lower_bound", "upper": "upper_bound"}
        given = {ours: getattr(problem, name) for name, ours in names.items()}
        return {ours: values for ours, values in given.items() if values is not None}

    def path(self, problem: Problem, tol: float, variant: str) -> Read:
        skreg = import_module("skreg")
        shape = mixing(problem)
        estimator = (skreg.ElasticNet if shape else skreg.Lasso)(
            tol=tol, max_iter=100_000, **shape, **self.options(problem)
        )
        path = skreg.regularization_path(
            estimator, problem.X, problem.y, alphas=problem.alphas, sample_weight=problem.weights
        )
        return lambda: Answer(path.coefs, path.intercepts, path.alphas)

    def glm_path(self, problem: Problem, tol: float, variant: str) -> Read:
        skreg, shape = import_module("skreg"), {"l1_ratio": problem.l1_ratio, "tol": tol}
        kind = "PoissonRegressor" if problem.loss == "poisson" else "LogisticRegression"
        model = getattr(skreg, kind)(**shape)
        path = skreg.regularization_path(model, problem.X, problem.y, alphas=problem.alphas)
        if problem.loss == "multinomial":
            return lambda: tasks(path.coefs, path.intercepts, path.alphas)
        return lambda: Answer(path.coefs, path.intercepts, path.alphas)

    def glm_cv(self, problem: Problem, tol: float, variant: str) -> Read:
        skreg, ratio = import_module("skreg"), problem.l1_ratio
        options: dict[str, Any] = {"alphas": problem.alphas, "cv": problem.splits, "tol": tol}
        options["n_jobs"] = jobs(self, variant)
        if problem.loss == "logistic":
            model = skreg.LogisticRegressionCV(l1_ratios=(ratio,), **options)
        else:
            model = skreg.PoissonRegressorCV(l1_ratio=ratio, **options)
        model.fit(problem.X, problem.y)
        return fitted(model, curve=model.cv_result_.mean)

    def cv(self, problem: Problem, tol: float, variant: str) -> Read:
        kind = "ElasticNetCV" if (shape := mixing(problem)) else "LassoCV"
        model = getattr(import_module("skreg"), kind)(
            alphas=problem.alphas,
            cv=problem.splits,
            tol=tol,
            n_jobs=jobs(self, variant),
            **shape,
            **self.options(problem),
        )
        model.fit(problem.X, problem.y)
        return fitted(model, curve=model.cv_result_.mean)

    def mt_path(self, problem: Problem, tol: float, variant: str) -> Read:
        skreg = import_module("skreg")
        model = skreg.MultiTaskElasticNet(l1_ratio=problem.l1_ratio, tol=tol)
        path = skreg.regularization_path(model, problem.X, problem.y, alphas=problem.alphas)
        return lambda: tasks(path.coefs, path.intercepts, path.alphas)

    def mt_fit(self, problem: Problem, tol: float, variant: str) -> Read:
        return multi_task_fit(import_module("skreg"), problem, tol)

    def mt_cv(self, problem: Problem, tol: float, variant: str) -> Read:
        model = import_module("skreg").MultiTaskLassoCV(
            alphas=problem.alphas, cv=problem.splits, tol=tol, n_jobs=jobs(self, variant)
        )
        model.fit(problem.X, problem.y)
        return lambda: multi_task_answer(model, model.alpha_, model.cv_result_.mean)

    def ridge_cv(self, problem: Problem, tol: float, variant: str) -> Read:
        model = import_module("skreg").RidgeCV(alphas=problem.alphas, cv=problem.splits)
        return fitted(model.fit(problem.X, problem.y))

    def fit(self, problem: Problem, tol: float, variant: str) -> Read:
        alpha = float(problem.alphas[0])
        kind = "ElasticNet" if (shape := mixing(problem)) else "Lasso"
        model = getattr(import_module("skreg"), kind)(
            alpha=alpha, tol=tol, **shape, **self.options(problem)
        )
        return fitted(model.fit(problem.X, problem.y), alpha)

    def ridge_fit(self, problem: Problem, tol: float, variant: str) -> Read:
        alpha = float(problem.alphas[0])
        positive = problem.lower is not None
        model = import_module("skreg").Ridge(alpha=alpha, positive=positive)
        return fitted(model.fit(problem.X, problem.y), alpha)

    def grid_search(self, problem: Problem, tol: float, variant: str) -> Read:
        return searched(import_module("skreg").Lasso(tol=tol), problem)

    def net_steps(self, problem: Problem, tol: float, variant: str) -> Timed:
        return trained(skreg_net(problem, self.threads))

    def everyday(self, problem: Problem, tol: float, variant: str) -> Timed:
        kind = getattr(import_module("skreg"), problem.use.estimator)
        return used(called(kind, problem, tol, self.threads), problem)


class ScikitLearn(Library):
    package = "sklearn"

    def variants(self, problem: Problem) -> tuple[str, ...]:
        if problem.task in ("cv", "glm_cv", "mt_cv"):
            return ("default", "n_jobs") if self.threads > 1 else ("default",)
        n, p = problem.X.shape
        gram = problem.task == "path" and n <= p <= 2000 and not is_sparse(problem.X)
        return ("default", "gram") if gram else ("default",)  # a Gram is the default for n > p

    def tolerances(self, problem: Problem) -> tuple[float, ...]:
        first, *tighter = super().tolerances(problem)
        # float32 may miss the gap by a little, for which a tenth of the tolerance would be too much
        return (first, *(first / 2,) * (problem.use is not None), *tighter)

    def refuses(self, problem: Problem) -> str | None:
        if problem.factors is not None and problem.l1_ratio != 1:
            return "no penalty factors"
        if problem.upper is not None or np.any(problem.lower):
            return "no bounds"
        if problem.loss == "poisson":
            return "no L1 penalty of counts"
        if problem.net is not None and problem.net.dropout:
            return "no dropout"
        return super().refuses(problem)

    def path(self, problem: Problem, tol: float, variant: str) -> Read:
        X, y, means, y_mean = centred(problem)
        more = {"X_offset": means, "X_scale": np.ones(len(means))} if is_sparse(X) else {}
        _, coefs, _ = import_module("sklearn.linear_model").enet_path(
            X,
            y,
            l1_ratio=problem.l1_ratio,
            alphas=problem.alphas,
            precompute=True if variant == "gram" else "auto",
            copy_X=False,
            positive=problem.lower is not None,
            tol=tol,
            max_iter=1_000_000,
            **more,
        )
        return reader(problem, coefs, means, y_mean)

    def glm_path(self, problem: Problem, tol: float, variant: str) -> Read:
        linear = import_module("sklearn.linear_model")
        model = linear.LogisticRegression(
            solver="saga", l1_ratio=problem.l1_ratio, tol=tol, max_iter=100_000, warm_start=True,
            **({"penalty": "elasticnet"} if version("scikit-learn") < "1.8" else {}),
        )  # fmt: skip
        return one_by_one(model, problem, lambda alpha: {"C": 1.0 / (alpha * len(problem.y))})

    def glm_cv(self, problem: Problem, tol: float, variant: str) -> Read:
        linear, size = import_module("sklearn.linear_model"), len(problem.y)
        options: dict[str, Any] = {"scoring": "neg_log_loss"}
        if version("scikit-learn") < "1.8":
            options["penalty"] = "elasticnet"
        else:
            options["use_legacy_attributes"] = False
        model = linear.LogisticRegressionCV(
            Cs=1.0 / (problem.alphas * size), l1_ratios=(problem.l1_ratio,), solver="saga",
            cv=problem.splits, tol=tol, max_iter=100_000, n_jobs=jobs(self, variant), **options,
        )  # fmt: skip
        model.fit(problem.X, problem.y)
        return fitted(model, 1.0 / (np.ravel(model.C_)[0] * size))

    def cv(self, problem: Problem, tol: float, variant: str) -> Read:
        kind = "ElasticNetCV" if (shape := mixing(problem)) else "LassoCV"
        model = getattr(import_module("sklearn.linear_model"), kind)(
            alphas=problem.alphas,
            cv=problem.splits,
            tol=tol,
            max_iter=1_000_000,
            n_jobs=jobs(self, variant),
            positive=problem.lower is not None,
            **shape,
        )
        model.fit(problem.X, problem.y)
        return fitted(model, curve=model.mse_path_.mean(axis=1))

    def mt_path(self, problem: Problem, tol: float, variant: str) -> Read:
        X, Y, means, y_means = centred_tasks(problem)
        _, coefs, _ = import_module("sklearn.linear_model").enet_path(
            X, Y, l1_ratio=problem.l1_ratio, alphas=problem.alphas, tol=tol, max_iter=1_000_000
        )
        return tasks_reader(problem, coefs, means, y_means)

    def mt_fit(self, problem: Problem, tol: float, variant: str) -> Read:
        return multi_task_fit(import_module("sklearn.linear_model"), problem, tol, 100_000)

    def mt_cv(self, problem: Problem, tol: float, variant: str) -> Read:
        model = import_module("sklearn.linear_model").MultiTaskLassoCV(
            alphas=problem.alphas,
            cv=problem.splits,
            tol=tol,
            max_iter=1_000_000,
            n_jobs=jobs(self, variant),
        )
        model.fit(problem.X, problem.y)
        return lambda: multi_task_answer(model, model.alpha_, model.mse_path_.mean(axis=1))

    def ridge_cv(self, problem: Problem, tol: float, variant: str) -> Read:
        # without folds this is its leave-one-out; with them, a grid search
        model = import_module("sklearn.linear_model").RidgeCV(
            alphas=problem.alphas, cv=problem.splits
        )
        return fitted(model.fit(problem.X, problem.y))

    def fit(self, problem: Problem, tol: float, variant: str) -> Read:
        alpha = float(problem.alphas[0])
        kind = "ElasticNet" if (shape := mixing(problem)) else "Lasso"
        model = getattr(import_module("sklearn.linear_model"), kind)(
            alpha=alpha,
            tol=tol,
            max_iter=100_000,
            positive=problem.lower is not None,
            **shape,
        )
        return fitted(model.fit(problem.X, problem.y), alpha)

    def ridge_fit(self, problem: Problem, tol: float, variant: str) -> Read:
        alpha = float(problem.alphas[0])
        positive = problem.lower is not None
        model = import_module("sklearn.linear_model").Ridge(alpha=alpha, positive=positive)
        return fitted(model.fit(problem.X, problem.y), alpha)

    def grid_search(self, problem: Problem, tol: float, variant: str) -> Read:
        model = import_module("sklearn.linear_model").Lasso(tol=tol, max_iter=100_000)
        return searched(model, problem)

    def net_steps(self, problem: Problem, tol: float, variant: str) -> Timed:
        return trained(scikit_learn_net(problem, np.float64, self.threads))

    def everyday(self, problem: Problem, tol: float, variant: str) -> Timed:
        module = import_module(
            "sklearn.neural_network" if problem.use.net else "sklearn.linear_model"
        )
        kind = getattr(module, problem.use.estimator)
        return used(called(kind, problem, tol, self.threads, max_iter=100_000), problem)


def one_by_one(model: Any, problem: Problem, strength: Callable[[float], dict[str, float]]) -> Read:
    """A path by fits that start warm."""
    found = []
    for alpha in problem.alphas.tolist():
        model.set_params(**strength(alpha)).fit(problem.X, problem.y)
        found.append((model.coef_.copy(), np.copy(model.intercept_)))
    if problem.loss == "multinomial":
        coefs = np.stack([coef for coef, _ in found], axis=-1)
        intercepts = np.stack([intercept for _, intercept in found], axis=-1)
        return lambda: tasks(coefs, intercepts, problem.alphas)
    whole = np.array([np.append(*one) for one in found]).T
    return lambda: Answer(whole[:-1], whole[-1], problem.alphas)


def searched(model: Any, problem: Problem) -> Read:
    """scikit-learn's grid search over alpha."""
    search = import_module("sklearn.model_selection").GridSearchCV(
        model, {"alpha": problem.alphas}, scoring="neg_mean_squared_error", cv=problem.splits
    )
    best = search.fit(problem.X, problem.y).best_estimator_
    return fitted(best, best.alpha, -search.cv_results_["mean_test_score"])


def mixing(problem: Problem) -> dict[str, float]:
    """The argument of an elastic net, none for the Lasso."""
    ratio = problem.l1_ratio
    return {} if ratio is None or ratio == 1 else {"l1_ratio": ratio}


def jobs(library: Library, variant: str) -> int | None:
    return library.threads if variant == "n_jobs" else None


def quietly(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call without warnings: that a loose tolerance was not met shows in the gap."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*args, **kwargs)
