"""The compiled peers: celer, skglm, adelie, glum, PyTorch, what the parent knows of R's glmnet."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from .libraries import (
    Answer,
    Library,
    Read,
    ScikitLearn,
    Skreg,
    Timed,
    centred,
    centred_tasks,
    fitted,
    mixing,
    multi_task_fit,
    one_by_one,
    reader,
    tasks,
    tasks_reader,
    trained,
)
from .network_tables import PRODUCTS
from .problems import Problem, is_sparse
from .trainers import bare_products, pytorch_net, scikit_learn_net


class Celer(Library):
    package = "celer"
    ladder = tuple(10.0**-k for k in range(2, 15))

    def refuses(self, problem: Problem) -> str | None:
        if problem.upper is not None or np.any(problem.lower):
            return "no bounds"
        if problem.task == "fit" and (mixing(problem) or problem.lower is not None):
            return "single fits of the plain Lasso alone"
        if problem.task in ("mt_fit", "mt_path") and mixing(problem):
            return "no squared penalty of several targets"
        return super().refuses(problem)

    def variants(self, problem: Problem) -> tuple[str, ...]:
        return ("prune", "grow") if problem.task == "path" else ("prune",)

    def path(self, problem: Problem, tol: float, variant: str) -> Read:
        X, y, means, y_mean = centred(problem)
        more = {"X_offset": means, "X_scale": np.ones(len(means))} if is_sparse(X) else {}
        _, coefs, _ = import_module("celer").celer_path(
            X,
            y,
            "lasso",
            alphas=problem.alphas,
            l1_ratio=problem.l1_ratio,
            max_iter=1000,
            prune=int(variant == "prune"),
            positive=problem.lower is not None,
            tol=tol,
            **more,
        )
        return reader(problem, coefs, means, y_mean)

    def fit(self, problem: Problem, tol: float, variant: str) -> Read:
        alpha = float(problem.alphas[0])
        model = import_module("celer").Lasso(alpha=alpha, tol=tol, max_iter=1000)
        return fitted(model.fit(problem.X, problem.y), alpha)

    def mt_path(self, problem: Problem, tol: float, variant: str) -> Read:
        X, Y, means, y_means = centred_tasks(problem)
        path = import_module("celer.homotopy").mtl_path
        coefs = path(X, Y, alphas=problem.alphas, tol=tol, max_iter=1000)[1]
        return tasks_reader(problem, coefs, means, y_means)

    def mt_fit(self, problem: Problem, tol: float, variant: str) -> Read:
        return self.mt_path(problem, tol, variant)  # its estimator needs an older scikit-learn


class Skglm(Library):
    package = "skglm"
    ladder = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8)  # times the first alpha

    def refuses(self, problem: Problem) -> str | None:
        if problem.upper is not None or np.any(problem.lower):
            return "no bounds"
        if problem.task == "fit" and (mixing(problem) or problem.lower is not None):
            return "single fits of the plain Lasso alone"
        if problem.loss in ("poisson", "multinomial"):
            return f"no {problem.loss} path with an intercept"
        return super().refuses(problem)

    def path(self, problem: Problem, tol: float, variant: str) -> Read:
        skglm = import_module("skglm")
        X, y, means, y_mean = centred(problem)
        shape = {"l1_ratio": problem.l1_ratio} if problem.l1_ratio != 1 else {}
        model = (skglm.ElasticNet if shape else skglm.Lasso)(
            tol=tol * float(problem.alphas[0]),  # its tolerance is in the unit of the gradient
            max_iter=1000,
            fit_intercept=is_sparse(X),
            positive=problem.lower is not None,
            **shape,
        )
        coefs = model.path(X, y, problem.alphas, return_n_iter=False)[1]
        if not is_sparse(X):
            return reader(problem, coefs, means, y_mean)
        return lambda: Answer(coefs[:-1], coefs[-1] + y_mean, problem.alphas)

    def glm_path(self, problem: Problem, tol: float, variant: str) -> Read:
        model = import_module("skglm").SparseLogisticRegression(
            tol=tol * float(problem.alphas[0]), l1_ratio=problem.l1_ratio, warm_start=True
        )
        return one_by_one(model, problem, lambda alpha: {"alpha": alpha})

    def fit(self, problem: Problem, tol: float, variant: str) -> Read:
        alpha = float(problem.alphas[0])
        model = import_module("skglm").Lasso(alpha=alpha, tol=tol * alpha, max_iter=1000)
        return fitted(model.fit(problem.X, problem.y), alpha)

    def mt_fit(self, problem: Problem, tol: float, variant: str) -> Read:
        return multi_task_fit(import_module("skglm"), problem, tol * float(problem.alphas[0]))


class Adelie(Library):
    package = "adelie"
    ladder = tuple(10.0**-k for k in range(4, 17))
    default = 1e-7

    def refuses(self, problem: Problem) -> str | None:
        if problem.lower is not None or problem.upper is not None:
            return "bounds are not benchmarked"
        if problem.loss == "multinomial":
            return "its classes enter together"
        return super().refuses(problem)

    def variants(self, problem: Problem) -> tuple[str, ...]:
        n, p = problem.X.shape
        gram = problem.task == "path" and p <= min(n, 2000) and not is_sparse(problem.X)
        return ("naive", "covariance") if gram else ("naive",)

    def path(self, problem: Problem, tol: float, variant: str) -> Read:
        adelie = import_module("adelie")
        options: dict[str, Any] = {
            "alpha": problem.l1_ratio,
            "penalty": problem.factors,
            "lmda_path": problem.alphas,
            "tol": tol,
            "max_iters": 10_000_000,
            "early_exit": False,
            "n_threads": self.threads,
            "progress_bar": False,
        }
        if variant == "covariance":
            X, y, means, y_mean = centred(Problem("path", problem.X, problem.y, problem.alphas))
            state = adelie.gaussian_cov(X.T @ X / len(y), X.T @ y / len(y), **options)
            return reader(problem, state.betas.toarray().T, means, y_mean, scaled=False)
        X = problem.X
        if is_sparse(X):
            X = adelie.matrix.sparse(X, method="naive", n_threads=self.threads)
        weights = None if problem.weights is None else problem.weights / problem.weights.sum()
        glm = adelie.glm.gaussian(problem.y, weights=weights)
        state = adelie.grpnet(X, glm, **options)
        return lambda: Answer(state.betas.toarray().T, state.intercepts, problem.alphas)

    def glm_path(self, problem: Problem, tol: float, variant: str) -> Read:
        adelie = import_module("adelie")
        kind = {"logistic": adelie.glm.binomial, "poisson": adelie.glm.poisson}[problem.loss]
        X = problem.X
        if is_sparse(X):
            X = adelie.matrix.sparse(X, method="naive", n_threads=self.threads)
        state = adelie.grpnet(
            X,
            kind(problem.y),
            alpha=problem.l1_ratio,
            lmda_path=problem.alphas,
            tol=tol,
            max_iters=10_000_000,
            early_exit=False,
            n_threads=self.threads,
            progress_bar=False,
        )
        return lambda: Answer(state.betas.toarray().T, state.intercepts, problem.alphas)

    def cv(self, problem: Problem, tol: float, variant: str) -> Read:
        adelie = import_module("adelie")
        glm = adelie.glm.gaussian(problem.y)
        options = {"tol": tol, "max_iters": 10_000_000, "progress_bar": False}
        found = adelie.cv.cv_grpnet(
            problem.X,
            glm,
            n_threads=self.threads,
            min_ratio=problem.alphas[-1] / problem.alphas[0],
            lmda_path_size=len(problem.alphas),
            n_folds=len(problem.splits or ()),
            seed=0,  # the problem's folds are those of this seed
            **options,
        )
        state = found.fit(problem.X, glm, n_threads=self.threads, **options)

        def read() -> Answer:
            coefs = state.betas.toarray()[-1:].T
            errors = 2 * found.avg_losses + np.mean(problem.y**2)  # its loss is r²/2 less y²/2
            return Answer(coefs, state.intercepts[-1:], state.lmdas[-1:], errors)

        return read

    def mt_path(self, problem: Problem, tol: float, variant: str) -> Read:
        adelie, targets = import_module("adelie"), problem.y.shape[1]
        # Its loss is divided by the number of targets as well.
        state = adelie.grpnet(
            problem.X,
            adelie.glm.multigaussian(problem.y),
            alpha=problem.l1_ratio,
            lmda_path=problem.alphas / targets,
            penalty=np.ones(problem.X.shape[1]),
            tol=tol,
            max_iters=10_000_000,
            early_exit=False,
            n_threads=self.threads,
            progress_bar=False,
        )
        coefs = state.betas.toarray().reshape(len(problem.alphas), -1, targets)
        return lambda: tasks(coefs.transpose(2, 1, 0), state.intercepts.T, problem.alphas)


class Glum(Library):
    package = "glum"
    ladder = tuple(10.0**-k for k in range(1, 10))

    def refuses(self, problem: Problem) -> str | None:
        if problem.X.shape[1] > 2000:
            return "forms a p x p matrix"
        if problem.loss == "multinomial":
            return "no multinomial family"
        return super().refuses(problem)

    def path(self, problem: Problem, tol: float, variant: str) -> Read:
        p = problem.X.shape[1]
        factors = "identity" if problem.factors is None else problem.factors
        families = {"squared_error": "normal", "logistic": "binomial", "poisson": "poisson"}
        model = import_module("glum").GeneralizedLinearRegressor(
            family=families[problem.loss],
            l1_ratio=problem.l1_ratio,
            P1=factors,
            P2=factors,
            alpha_search=True,
            alphas=problem.alphas,
            gradient_tol=tol * float(problem.alphas[0]),
            max_iter=10_000,
            lower_bounds=problem.lower,
            upper_bounds=problem.upper,
            copy_X=True,
        )
        model.fit(problem.X, problem.y, sample_weight=problem.weights)

        def read() -> Answer:
            coefs = np.asarray(model.coef_path_, dtype=float).reshape(-1, p).T
            return Answer(coefs, np.asarray(model.intercept_path_), problem.alphas)

        return read

    glm_path = path


class Glmnet(Library):
    """R's glmnet: `glmnet.R` beside this file is the worker; here is what the parent asks of it."""

    package = "glmnet"
    ladder = tuple(10.0**-k for k in range(4, 17))
    default = 1e-7

    def refuses(self, problem: Problem) -> str | None:
        tasks_known = ("path", "glm_path", "mt_path", "cv", "glm_cv")
        return None if problem.task in tasks_known else f"no {problem.task}"

    def variants(self, problem: Problem) -> tuple[str, ...]:
        if problem.task in ("glm_path", "glm_cv"):
            return ("Newton",) if problem.loss == "poisson" else ("Newton", "modified.Newton")
        if problem.task == "mt_path":
            return ("naive",)
        if problem.X.shape[1] > 5000 or is_sparse(problem.X):
            return ("naive",)
        return ("naive", "covariance")


class ScikitLearn32(Library):
    """scikit-learn's nets in float32; `ScikitLearn` trains them in float64."""

    package = "sklearn"

    def refuses(self, problem: Problem) -> str | None:
        return "no dropout" if problem.net and problem.net.dropout else super().refuses(problem)

    def net_steps(self, problem: Problem, tol: float, variant: str) -> Timed:
        return trained(scikit_learn_net(problem, np.float32, self.threads))


class PyTorch(Library):
    package = "torch"

    def variants(self, problem: Problem) -> tuple[str, ...]:
        return ("foreach", "fused", "loop")

    def net_steps(self, problem: Problem, tol: float, variant: str) -> Timed:
        return trained(pytorch_net(problem, variant, self.threads))


class Products(Library):
    """The matrix products of a net's steps alone, on the BLAS that skreg has."""

    package = "numpy"

    def net_steps(self, problem: Problem, tol: float, variant: str) -> Timed:
        return trained(bare_products(problem, self.threads))


LIBRARIES: dict[str, type[Library]] = {
    "skreg": Skreg,
    "scikit-learn": ScikitLearn,
    "celer": Celer,
    "skglm": Skglm,
    "adelie": Adelie,
    "glum": Glum,
    "glmnet": Glmnet,
    "PyTorch": PyTorch,
    "scikit-learn float32": ScikitLearn32,
    PRODUCTS: Products,
}
