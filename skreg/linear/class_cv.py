"""What models of classes share that choose C, the inverse strength, by cross-validation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import accuracy_score
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metadata_routing import (
    _raise_for_params,
    _routing_enabled,
    process_routing,
)

from ..data.products import Array
from ..estimators.parameters import COUNT, parameter, with_parameters
from ..estimators.validation import numeric, refuse_booleans
from ..selection.cross_validate import Metric
from ..selection.result import CVResult
from .classifier import LinearClassifier
from .cv import Chosen
from .decisions import most_probable
from .generalized_cv import CrossValidatedLoss, SmoothLossCVParameters
from .problems import check_alphas, is_count, smooth_problem
from .scoring import as_scored, negated_class_scores, scorer_of, scorer_of_classes

# Ends of scikit-learn's grid of C, as powers of ten.
LEAST_C, LARGEST_C = -4, 4


@with_parameters
class ClassifierCV(SmoothLossCVParameters, CrossValidatedLoss, LinearClassifier):
    """Base of those models."""

    Cs: int | ArrayLike = parameter(
        default=10,
        constraint=[COUNT, "array-like"],
        kind="int or array-like of shape (n_Cs,)",
        meaning="""
        The inverse strengths to try; a count makes a grid from 1e-4 to 1e4, as in scikit-learn.
        """,
    )
    alphas: int | ArrayLike | None = parameter(
        default=None,
        constraint=[COUNT, "array-like", None],
        kind="int, array-like of shape (n_alphas,) or None",
        meaning="""
        In place of `Cs`: strengths in the unit of the mean loss, ``alpha = 1 / (C sum(s))``, or how
        many, from the exact alpha_max down to its `eps`-th part.
        """,
    )
    l1_ratios: ArrayLike | None = parameter(
        default=(0.0,),
        constraint=["array-like", None],
        kind="array-like of shape (n_l1_ratios,)",
        meaning="Shares of the L1 penalty to try, each in [0, 1].",
    )
    refit: bool = parameter(
        default=True,
        meaning="""
        Whether to fit on all rows. If not, the coefficients are the means of the folds' at the best
        C of each.
        """,
    )
    store_fold_coefs: bool | str = parameter(
        default="auto",
        constraint=["boolean", StrOptions({"auto"})],
        kind='bool or "auto"',
        meaning="""
        Keep `coefs_paths_`, and each fold's coefficients in ``cv_result_.fold_coefs``; "auto" does
        with `Cs`, as scikit-learn, but not with `alphas`, which are many.
        """,
    )

    noise_variance: ClassVar[None] = None  # type: ignore[misc]  # no rule uses it

    _scores_by = ("fit", "score")
    #: ``alpha = 1 / (loss_factor C sum(s))`` is weighed against the mean of the losses.
    _loss_factor: ClassVar[float] = 1.0
    #: What judges the rows held out without `scoring`, and its name.
    _own_metric: ClassVar[tuple[Metric, str]]

    def _choose(self, data: Any, l1_ratios: Array, params: dict[str, Any]) -> Chosen:
        """Choose C and l1_ratio, fit on all rows, and set the attributes."""
        if data.sample_weight is not None:
            counted = np.unique(data.codes[data.sample_weight > 0])
            if len(counted) == 1:
                (only,) = self.classes_[counted].tolist()
                raise ValueError(
                    f"of all classes only {only!r} has a row with a weight above zero: there is"
                    " nothing to choose a penalty by"
                )
        grid = inverse_strengths(self.Cs) if self.alphas is None else None
        given: Any = self.alphas if grid is None else 1.0 / (self._loss_factor * grid)
        given = given if is_count(given) else check_alphas(given)
        alpha_of = "mean" if grid is None else "sum"
        problems = [
            smooth_problem(self, data.columns, self._loss(), ratio, alpha_of) for ratio in l1_ratios
        ]
        chosen = self._select(data, problems, given, params)
        self._in_two_dimensions()
        self._keep_strengths(chosen, l1_ratios, data.total_weight, grid)
        self._keep_scores(chosen.results)
        return chosen

    def _judge(self, data: Any, score_params: dict[str, Any]) -> tuple[Metric, str]:
        if self.scoring is None:
            return self._own_metric
        scorer = scorer_of_classes(scorer_of(self), self.classes_)
        scores = partial(negated_class_scores, scorer, score_params, data.labels, self.classes_)
        return scores, str(self.scoring)

    def _keep_strengths(
        self, chosen: Chosen, l1_ratios: Array, total: float, Cs: Array | None
    ) -> None:
        """Set C, and alphas in the unit of the mean loss, where they are 1 / C.

        `total` is the sum of the weights, `Cs` the grid where one was given.
        """
        alphas = chosen.results[chosen.best].alphas
        index = int(np.flatnonzero(alphas == self.alpha_)[0])
        self.l1_ratios_ = l1_ratios
        self.Cs_ = 1.0 / (self._loss_factor * alphas * total) if Cs is None else np.sort(Cs)
        self.C_: Any = float(self.Cs_[index])
        self.l1_ratio_: Any = float(l1_ratios[chosen.best])
        if Cs is not None:
            for name in ("alpha_", "alpha_min_", "alpha_1se_"):
                setattr(self, name, getattr(self, name) / total)
            self.cv_result_ = self.cv_result_.with_alphas(alphas / total)
            if hasattr(self, "path_"):
                self.path_ = replace(self.path_, alphas=self.path_.alphas / total)

    def _keep_scores(self, results: list[CVResult]) -> None:
        """Set what each fold gave, in one of scikit-learn's forms."""
        scores = -np.stack([result.errors for result in results]).transpose(2, 0, 1)
        scores[results[0].fold_weights == 0] = np.nan  # where `scoring` is not defined
        paths: NDArray[Any] | None = None
        if results[0].fold_coefs is not None:
            paths = np.stack([fold_paths(each, self.fit_intercept) for each in results], axis=1)
        if not self.refit:
            assert paths is not None
            self._average(scores, paths, max(result.worst_gap for result in results))
        self.scores_: Any = scores
        if paths is not None and self._wants_fold_coefs():
            self.coefs_paths_: Any = paths

    def _average(self, scores: Array, paths: NDArray[Any], gap: float) -> None:
        """Take the means of the folds' coefficients, each at its own best C and l1_ratio."""
        counted = np.isfinite(scores).all(axis=(1, 2))
        scores, paths = scores[counted], paths[counted]
        n_folds, n_ratios, n_alphas = scores.shape
        best = scores.reshape(n_folds, -1).argmax(axis=1)
        ratio, alpha = np.unravel_index(best, (n_ratios, n_alphas))
        means = paths[np.arange(n_folds), ratio, alpha].mean(axis=0)
        self.coef_ = means[:, : self.n_features_in_]
        if self.fit_intercept:
            self.intercept_ = means[:, -1]
        self.C_, self.l1_ratio_ = (
            float(self.Cs_[alpha].mean()),
            float(self.l1_ratios_[ratio].mean()),
        )
        self.dual_gap_, self.converged_ = np.float64(gap), bool(gap <= self.tol)
        self.__dict__.pop("path_", None)

    def _wants_fold_coefs(self) -> bool:
        wanted = self.store_fold_coefs
        return self.alphas is None if isinstance(wanted, str) else wanted

    def _inverse_strength(self, alpha: float) -> float | None:
        return 1.0 / (self._loss_factor * alpha) if self.alphas is None else None

    def _warn_edge(self, results: Sequence[CVResult]) -> None:
        # scikit-learn's grid is none of the user's doing.
        if self.alphas is not None or not is_count(self.Cs):
            super()._warn_edge(results)

    def score(
        self, X: Any, y: Any, sample_weight: Any = None, offset: Any = None, **params: Any
    ) -> float:
        """Score by `scoring`, or the share of the rows whose class is predicted.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,) or None, default=None
        offset : array-like of shape (n_samples,) or (n_samples, n_classes), or None, default=None
        **params : dict
            Metadata for the scorer, with metadata routing enabled.

        Returns
        -------
        float
        """
        _raise_for_params(params, self, "score")
        if self.scoring is None:
            if params:
                raise TypeError(f"without scoring there is no scorer to take {sorted(params)}")
            found = most_probable(self.classes_, self._shifted_predictor(X, offset))
            return float(accuracy_score(y, found, sample_weight=sample_weight))
        if sample_weight is not None:
            params = {**params, "sample_weight": sample_weight}
        if _routing_enabled():
            routed = process_routing(self, "score", **params).get("scorer").get("score")
            if lost := sorted(set(params) - set(routed)):
                raise TypeError(
                    f"{type(self).__name__}.score got unexpected argument(s) {set(lost)}, which are"
                    " not routed to any object."
                )
            params = routed
        scorer, scored = scorer_of_classes(scorer_of(self), self.classes_), self
        if offset is not None:
            scored = as_scored(self._loss(), self.classes_, self._shifted_predictor(X, offset))
        return float(scorer(scored, X, y, **params))


def inverse_strengths(Cs: Any) -> Array:
    """A grid of C from a count or an array: scikit-learn's powers of ten, or numbers above zero."""
    if is_count(Cs):
        return np.logspace(LEAST_C, LARGEST_C, int(Cs))
    given = np.atleast_1d(numeric(Cs, "Cs"))
    refuse_booleans(Cs, "Cs")
    if given.ndim != 1 or not given.size or not (given > 0).all():
        raise ValueError(f"Cs must be a count, or numbers above zero in one dimension, got {Cs!r}")
    return given


def fold_paths(result: CVResult, with_intercept: bool) -> NDArray[Any]:
    """Coefficients of each fold, (n_folds, n_alphas, 1 or n_classes, n_features + 1)."""
    assert result.fold_coefs is not None
    assert result.fold_intercepts is not None
    coefs, intercepts = result.fold_coefs, result.fold_intercepts
    if coefs.ndim == 3:
        coefs, intercepts = coefs[:, None], intercepts[:, None]
    parts = [coefs, intercepts[:, :, None]] if with_intercept else [coefs]
    return np.concatenate(parts, axis=2).transpose(0, 3, 1, 2)
