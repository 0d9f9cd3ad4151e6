"""The one fit of estimators that choose a penalty by cross-validation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier
from sklearn.model_selection import LeaveOneOut, check_cv
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _raise_for_params,
    _routing_enabled,
    process_routing,
)
from sklearn.utils.parallel import Parallel, delayed

from ..data.products import Array
from ..estimators.runtime import with_one_blas_thread
from ..estimators.warnings import WarnsOfEdge, unit_of_gaps, warn_floor, warn_unconverged
from ..paths.fit_path import with_degrees_of_freedom
from ..paths.grid import DEFAULT_EPS, open_ends
from ..paths.problem import BoundProblem, Problem
from ..paths.relaxed import relaxed
from ..selection.approximate_leave_one_out import approximate_leave_one_out
from ..selection.cross_validate import OF_EACH_ROW, Metric, cross_validate, mean_squared_error
from ..selection.fold_moments import Fold, bind_for_folds
from ..selection.information_criteria import dispersion_of, information_criterion
from ..selection.pilot import Pilot
from ..selection.result import CRITERIA, MEAN_SQUARED_ERROR, CVResult, at_best_share
from .base import LinearModel, finite_path
from .problems import is_count, resolve_alphas, shares_to_relax
from .training_data import TrainingData, take_gram

# Fitted attributes that parameters decide on, which a fit with others must not leave behind.
NOT_ALWAYS = (
    "path_",
    "criterion_",
    "noise_variance_",
    "mse_path_",
    "cv_results_",
    "coefs_paths_",
    "relax_",
)

# Newton steps for a scale without a lower limit: from the fit with one so many are enough, or none.
STEPS_AT_A_SCALE = 20

Candidate = tuple[BoundProblem, Array]
Evaluation = tuple[list[Candidate], list[CVResult]]


class Routed(NamedTuple):
    """Metadata of `fit` for those that it calls."""

    splitter: dict[str, Any]
    scorer: dict[str, Any]


class Chosen(NamedTuple):
    """What all candidates gave, which is the best, its error or that of each target, iterations."""

    results: list[CVResult]
    best: int
    error: Any
    n_iter: NDArray[np.intp]


def make_folds(splitter: Any, X: Any, y: Any, params: dict[str, Any], rule: str) -> list[Fold]:
    """The splits as index arrays; for the rule "1se" at least two."""
    n_samples = X.shape[0]
    rows = np.arange(n_samples)
    try:
        folds = [(rows[train], rows[test]) for train, test in splitter.split(X, y, **params)]
    except IndexError as error:
        raise ValueError(f"cv gives rows that are not among the {n_samples} of X") from error
    if not folds:
        raise ValueError("cv must give at least one pair of training and test rows, got none")
    if len(folds) < 2 and rule == "1se":
        raise ValueError("rule='1se' needs at least 2 folds: cv gives one, which has no spread")
    for i, (train, test) in enumerate(folds):
        if not len(train) or not len(test):
            raise ValueError(f"cv: fold {i} has no {'test' if len(train) else 'training'} rows")
    return folds


def in_parallel(n_jobs: int | None, verbose: int, tasks: Sequence[Callable[[], Any]]) -> list[Any]:
    """Call functions in parallel and return what they return in order.

    In threads, unless the user's parallel_config asks for processes: most of the work is in BLAS,
    and X need not be pickled, which takes longer than the folds of 1000 rows and 100 features.
    Threads do not share NumPy's error state, nor processes the limit of BLAS.
    """
    parallel = Parallel(n_jobs=n_jobs, verbose=int(verbose), prefer="threads")
    if parallel.n_jobs == 1 and not verbose:
        return [task() for task in tasks]
    return list(parallel(delayed(with_one_blas_thread)(task) for task in tasks))


def best_of(results: Sequence[CVResult]) -> int:
    """Which of them has the smallest mean error."""
    if len(results) == 1:
        return 0
    return int(np.argmin([result.smallest_mean for result in results]))


class CrossValidated(WarnsOfEdge, LinearModel):
    """A linear estimator that chooses its penalty by the errors of rows held out."""

    cv: Any
    rule: str
    fold_weights: str
    store_fold_coefs: bool | str
    store_path: bool | str
    n_jobs: int | None
    noise_variance: float | None

    # What stands for parameters that not all of these estimators have.
    eps: float = DEFAULT_EPS
    precompute: Any = None
    scoring: Any = None
    verbose: bool | int = 0
    refit: bool = True
    alpha_per_target: bool = False
    relax: Any = False

    #: Whether any alpha is solved directly: no path leads there, no `tol` or `max_iter` matters.
    _direct: ClassVar[bool] = False

    @property
    def _leaves_one_out(self) -> bool:
        """Whether each row is a fold of its own."""
        return isinstance(self.cv, str)

    def _splitter(self, labels: Any = None) -> Any:
        """What makes the folds, stratified for a model of classes."""
        if isinstance(self.cv, str):
            return LeaveOneOut()
        return check_cv(self.cv, labels, classifier=is_classifier(self))

    def _evaluate(
        self, data: TrainingData, problems: list[Problem], given: Any, routed: Routed
    ) -> Evaluation:
        """Every candidate with its errors, by folds."""
        if isinstance(self.cv, str) and self.cv == "approx_loo":
            return self._approximate(data, problems, given, routed)
        splitter = self._splitter(data.labels)
        folds = make_folds(splitter, data.X, data.labels, routed.splitter, self.rule)
        parts = data.X, data.y, data.sample_weight, data.powers
        if data.reweighted is None:
            bound, moments = bind_for_folds(
                problems[0], *parts, folds, data.engine_offset, given, self.eps
            )
        else:  # rows weigh another amount in each fold
            bound, moments = data.bind(problems[0]), None
        take_gram(bound, self.precompute)
        metric, name = self._judge(data, routed.scorer)

        def judged(
            bounds: list[BoundProblem], pilot: Pilot | None = None, is_first: bool = False
        ) -> Evaluation:
            candidates = [(one, resolve_alphas(given, one, self.eps)) for one in bounds]
            return candidates, cross_validate(
                candidates,
                folds,
                moments=moments,
                metric=metric,
                metric_name=name,
                keep_coefs=self._wants_fold_coefs() or not self.refit,
                fold_weights="size" if self._leaves_one_out else self.fold_weights,
                run=partial(in_parallel, self.n_jobs, self.verbose),
                weights=data.row_weight,
                reweighted=data.reweighted,
                shares=None if is_first else shares_to_relax(self.relax, problems),
                pilot=pilot,
            )

        return self._adapted(judged, [bound, *map(bound.with_problem, problems[1:])])

    def _adapted(self, judged: Callable[..., Evaluation], bounds: list[BoundProblem]) -> Evaluation:
        """Every candidate, judged; with `adaptive` first without factors, then with the best's."""
        gamma = bounds[0].problem.adaptive
        if gamma is None:
            return judged(bounds)
        plain = [replace(one, problem=replace(one.problem, adaptive=None)) for one in bounds]
        candidates, results = judged(plain, is_first=True)
        best = best_of(results)
        alphas, index = candidates[best][1], results[best].select(self.rule)
        pilot = Pilot(plain, best, float(alphas[index]), gamma)
        return judged(pilot.adapted(), pilot=pilot)

    def _approximate(
        self, data: TrainingData, problems: list[Problem], given: Any, routed: Routed
    ) -> Evaluation:
        """Every candidate with its approximate leave-one-out errors."""
        for name, usual in (("refit", True), ("store_fold_coefs", False), ("relax", False)):
            wanted = getattr(self, name)
            if not ((isinstance(wanted, bool) and wanted is usual) or isinstance(wanted, str)):
                raise ValueError(
                    f"{name}={wanted!r} and cv='approx_loo', which has no fits without a row, do"
                    f" not go together: set {name}={usual}, or cv='loo'"
                )
        for name in ("adaptive", "concave"):
            if getattr(self, name, None) is not None:
                raise ValueError(f"{name} has no approximate leave-one-out: set cv='loo' or folds")
        if problems[0].loss.couples_targets:
            raise ValueError(
                "cv='approx_loo' takes two classes: for more set cv='loo', or folds such as cv=10"
            )
        metric, name = self._judge(data, routed.scorer)
        if metric not in OF_EACH_ROW and self.rule == "1se":
            raise ValueError(
                "rule='1se' needs an error of each row: with this scoring set cv='loo'"
            )
        bound, candidates, results = data.bind(problems[0], self.precompute), [], []
        if bound.parts:
            raise ValueError(
                "cv='approx_loo' takes no class_weight of several classes: set cv='loo' or folds"
            )
        for one in [bound, *map(bound.with_problem, problems[1:])]:
            alphas = resolve_alphas(given, one, self.eps)
            candidates.append((one, alphas))
            results.append(approximate_leave_one_out(one, alphas, metric, name, data.row_weight))
        return candidates, results

    def _wants_fold_coefs(self) -> bool:
        return bool(self.store_fold_coefs)

    def _by_criterion(self, data: TrainingData, problems: list[Problem], given: Any) -> Evaluation:
        """Every candidate with an information criterion of its path on all rows."""
        for name in ("cv", "scoring"):
            if getattr(self, name) is not None:
                raise ValueError(f"rule={self.rule!r} holds no rows out: leave {name} at None")
        if not problems[0].loss.likelihood:
            raise ValueError(
                f"rule={self.rule!r} needs a likelihood, which the loss of {type(self).__name__} is"
                " none of: choose by folds with rule='min' or '1se'"
            )
        if not self.refit:
            raise ValueError(f"rule={self.rule!r} has no folds to average: set refit=True")
        if getattr(self, "store_cv_results", False):
            raise ValueError(f"rule={self.rule!r} has no folds: set store_cv_results=False")
        bound = data.bind(problems[0], self.precompute)
        if bound.target.raw.shape[1] > 1 and not bound.couples_targets:
            raise ValueError(f"rule={self.rule!r} takes one target: fit them one by one")
        dispersion, square = 1.0, 2 * data.powers.target
        if bound.loss.known_dispersion:
            if self.noise_variance is not None:
                raise ValueError(
                    "noise_variance is that of a quantity: leave it at None for classes and counts,"
                    " whose dispersion is one"
                )
        else:
            known = self.noise_variance
            dispersion = dispersion_of(bound) if known is None else np.ldexp(known, -square)
            if not dispersion > 0:
                raise ValueError(
                    f"rule={self.rule!r} needs noise, and the fit without a penalty leaves none:"
                    " pass noise_variance"
                )
            self.noise_variance_ = float(np.ldexp(dispersion, square))

        def judged(bounds: list[BoundProblem], **_: Any) -> Evaluation:
            candidates, results = [], []
            for one in bounds:
                alphas = resolve_alphas(given, one, self.eps)
                path = with_degrees_of_freedom(finite_path(one, alphas), one)
                candidates.append((one, alphas))
                results.append(information_criterion(one, path, self.rule, float(dispersion)))
            return candidates, results

        return self._adapted(judged, [bound, *map(bound.with_problem, problems[1:])])

    def _judge(self, data: TrainingData, score_params: dict[str, Any]) -> tuple[Metric, str]:
        """What judges the rows held out, and its name."""
        return mean_squared_error, MEAN_SQUARED_ERROR

    def _select(
        self, data: TrainingData, problems: list[Problem], given: Any, params: dict[str, Any]
    ) -> Chosen:
        """Choose by the errors of rows held out, fit on all rows, and set the attributes.

        Parameters
        ----------
        data : TrainingData
        problems : list of Problem
            To try, alike but for the penalty.
        given : int or ndarray
            How many alphas, or which.
        params : dict
            Metadata of `fit`.
        """
        for earlier in NOT_ALWAYS:
            self.__dict__.pop(earlier, None)
        shares = shares_to_relax(self.relax, problems)
        if shares is not None and (self.rule in CRITERIA or not self.refit):
            other = f"rule={self.rule!r}" if self.refit else "refit=False"
            raise ValueError(
                f"relax and {other} do not go together: its shares are chosen by folds, for the fit"
                " on all rows; set rule='min' or '1se' and refit=True"
            )
        if self.noise_variance is not None and self.rule not in CRITERIA:
            raise ValueError(
                f"noise_variance is for the rules {', '.join(map(repr, CRITERIA))}: leave it at"
                f" None with rule={self.rule!r}"
            )
        problems = [
            replace(one, settings=replace(one.settings, scale_floor=True)) for one in problems
        ]
        routed = self._routed(data.given_weight, params)
        if self.rule in CRITERIA:
            candidates, results = self._by_criterion(data, problems, given)
        else:
            candidates, results = self._evaluate(data, problems, given, routed)
        from_count = is_count(given)
        if from_count:
            results = [replace(one, open_ends=open_ends(one.l1_ratio)) for one in results]
        if shares is not None:
            results = at_best_share(results, shares, self.rule)
            self.relax_ = results[0].relax
        best = best_of(results)
        (bound, alphas), result = candidates[best], results[best]
        each = [result]
        if self.alpha_per_target and result.errors_by_target is not None:
            each = [result.for_target(k) for k in range(result.errors_by_target.shape[2])]
        index = [one.select(self.rule) for one in each]
        stored = bool(self.store_path)
        if isinstance(self.store_path, str):
            stored = data.one_target or bound.couples_targets
        whole = stored or not self._direct
        path = finite_path(bound, alphas if whole else alphas[np.unique(index)])
        if stored:
            path = with_degrees_of_freedom(path, bound)
        on_path = index if whole else np.searchsorted(-path.alphas, -alphas[index]).tolist()
        at = on_path[0] if len(index) == 1 else on_path
        penalised, share = path.at(at), None if shares is None else self.relax_
        path = relaxed(bound, path, share)
        if not bound.loss.quadratic:  # to the digits of a fit at this alpha alone
            steps = bound.problem.settings.max_iter
            if bound.loss.fits_scale:
                steps = min(steps, STEPS_AT_A_SCALE)
            single = bound.with_settings(scale_floor=False, max_iter=steps)
            alone = finite_path(single, alphas[index], start=penalised.coef.T)
            if not bound.loss.fits_scale:
                nearer = bool(np.all(alone.at(0).dual_gap <= penalised.dual_gap))
            else:  # the gaps are those of two objectives
                nearer = bool(alone.converged.all() or not np.all(penalised.converged))
                if not nearer:
                    warn_floor(type(self).__name__, float(alphas[index[0]]))
            if not nearer:
                single, alone = bound, alone.with_point(0, penalised)
            path = path.with_point(on_path[0], relaxed(single, alone, share).at(0))
        point = path.at(at)
        if self.rule in CRITERIA:
            self.criterion_ = result.errors[:, 0]
        self.cv_result_ = result
        told = [
            (alphas[i], one.alpha_min, one.alpha_1se, one.mean[i])
            for one, i in zip(each, index, strict=True)
        ]
        values = np.array(told[0] if len(told) == 1 else [*zip(*told, strict=True)])
        self.alpha_, self.alpha_min_, self.alpha_1se_, error = values
        self._keep_point(point, data.shape)
        if stored:
            names = getattr(self, "feature_names_in_", None)
            self.path_ = replace(path, feature_names=names, classes=getattr(self, "classes_", None))
        if not (path.converged.all() and result.converged):
            gap = max(result.worst_gap, float(path.dual_gaps.max()))
            warn_unconverged(
                type(self).__name__,
                gap,
                path.tol,
                tunable=not self._direct,
                unit=unit_of_gaps(bound.loss),
            )
        # A default grid is none of the user's doing, and says nothing of its ends.
        if not (from_count and self.eps == DEFAULT_EPS):
            self._warn_edge(each)
        return Chosen(results, best, error, point.n_iter)

    # Metadata -----------------------------------------------------------------------------

    def _routed(self, sample_weight: Any, params: dict[str, Any]) -> Routed:
        """Metadata of `fit` for the splitter, and for a scorer where there is one."""
        if params:
            _raise_for_params(params, self, "fit")
        if not _routing_enabled():
            return Routed({}, {} if sample_weight is None else {"sample_weight": sample_weight})
        if sample_weight is not None:
            params = {**params, "sample_weight": sample_weight}
        routed = process_routing(self, "fit", **params)
        # By `get` alone: where nothing was given, scikit-learn's object has no end to its keys.
        return Routed(routed.splitter.split, routed.get("scorer", {}).get("score", {}))

    def get_metadata_routing(self) -> MetadataRouter:
        """Route `sample_weight` to fit and other metadata to the splitter."""
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(
                splitter=self._splitter(),
                method_mapping=MethodMapping().add(caller="fit", callee="split"),
            )
        )
