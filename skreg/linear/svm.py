"""LinearSVC and LinearSVCCV: classes told apart by a plane, with the squared hinge loss."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any, Self

import numpy as np
from sklearn.linear_model._base import SparseCoefMixin
from sklearn.utils._param_validation import Interval, StrOptions

from ..data.products import Array
from ..estimators.parameters import SHARE, parameter, with_parameters
from ..objective.losses import Loss, SquaredHinge
from ..paths.problem import BoundProblem, Problem
from ..selection.cross_validate import mean_squared_hinge
from ..selection.result import MEAN_SQUARED_HINGE
from .base import all_or_nothing, fit_at
from .block_data import BlockData, from_blocks
from .class_cv import ClassifierCV
from .class_data import ClassData, class_factors_of_rows
from .classifier import ClassifierBySign
from .parameters import ClassWeightParameters, SmoothLossParameters, UselessParameters
from .problems import shares_of_l1, smooth_problem


class SupportVectorMachine(ClassifierBySign):
    """Base of both."""

    def _signed(self, X: Any, y: Any, sample_weight: Any) -> Any:
        of_classes = {"loss": None, "class_weight": vars(self)["class_weight"], "signed": True}
        check = partial(BlockData.check, self, **of_classes)
        data = from_blocks(self, X, y, sample_weight, None, check)
        if data is None:
            return against_the_rest(super()._signed(X, y, sample_weight))
        self.classes_ = data.classes
        return data.of_loss(SquaredHinge())


@with_parameters
class LinearSVC(
    SparseCoefMixin,
    ClassWeightParameters,
    UselessParameters,
    SmoothLossParameters,
    SupportVectorMachine,
):
    """Linear support vector machine with the squared hinge loss, L1 and squared L2 penalties.

    Minimises, for two classes y of -1 and 1, with the sample weights s as they are and v the
    penalty factors,

        C sum_i s_i max(0, 1 - y_i (b + x_i w))^2
            + sum_j v_j (l1_ratio |w_j| + (1 - l1_ratio)/2 w_j^2)

    subject to ``lower_bound <= w <= upper_bound``. Of more classes each is told apart from the
    rest, whose rows have no weight of a class then. In scikit-learn's objective the intercept is
    penalised as well, which here it is not.

    {parameters}

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
    intercept_ : ndarray of shape (1,) or (n_classes,)
    dual_gap_ : float
        Upper bound of how far the objective is above its minimum, divided by the deviance of the
        intercept alone, the unit of `tol`; the largest of all classes.
    converged_ : bool
        Whether `dual_gap_` is at most `tol`.
    n_iter_ : int
        Newton steps; the largest of all classes.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Where X has names that are all strings.

    See Also
    --------
    LinearSVCCV : Chooses C and l1_ratio by cross-validation.
    LogisticRegression : Has probabilities.

    Notes
    -----
    The method is that of `LogisticRegression`.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from skreg import LinearSVC
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = LinearSVC(penalty="l1", C=0.01, standardize=True).fit(X, y)
    >>> int((model.coef_ != 0).sum()) < 15, model.score(X, y) > 0.95
    (True, True)
    """

    penalty: str = parameter(
        default="l2",
        constraint=[StrOptions({"l1", "l2", "elasticnet"})],
        kind='{"l1", "l2", "elasticnet"}',
        meaning="An L1 share of 1 or 0, or that of `l1_ratio`.",
        kw_only=False,
    )
    loss: str = parameter(
        default="squared_hinge",
        constraint=[StrOptions({"squared_hinge", "hinge"})],
        kind='{"squared_hinge"}',
        meaning='"hinge" is refused: it has no curvature.',
        kw_only=False,
    )
    dual: bool | str = parameter(
        default="auto",
        constraint=["boolean", StrOptions({"auto"})],
        kind='bool or "auto"',
        meaning="For compatibility, without effect.",
    )
    C: float = parameter(
        default=1.0,
        constraint=[Interval(numbers.Real, 0, None, closed="neither")],
        kind="float",
        meaning="Inverse strength of the penalty, > 0.",
    )
    l1_ratio: float = parameter(
        default=0.5,
        constraint=[SHARE],
        kind="float",
        meaning='Share of the L1 penalty, in [0, 1], with ``penalty="elasticnet"``.',
    )
    multi_class: str = parameter(
        default="ovr",
        constraint=[StrOptions({"ovr", "crammer_singer"})],
        kind='{"ovr"}',
        meaning='"crammer_singer" is refused.',
    )
    max_iter: int = 1000

    @all_or_nothing
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowBlocks
            RowBlocks, and a collection of Dask, are read once for each of Newton's steps.
        y : array-like of shape (n_samples,)
            Classes of any kind; left out with RowBlocks, which have them.
        sample_weight : array-like of shape (n_samples,), float or None, default=None
            Weight k counts as the row k times, weight 0 as no row.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the input or a parameter is invalid; nothing of the fit is then kept.
        """
        data = self._signed(X, y, sample_weight)
        problem = replace(self._problem(data.columns), alpha_of="sum")
        point = fit_at(data.bind(problem), 1.0 / (2.0 * self.C))
        self._keep_fit(point, data.shape, problem.loss)
        self._in_two_dimensions()
        self.n_iter_ = int(point.n_iter.max())
        return self

    def _problem(self, columns: Sequence[Any]) -> Problem:
        for name, only in (("loss", "squared_hinge"), ("multi_class", "ovr")):
            given = getattr(self, name)
            if given != only:
                raise ValueError(
                    f"{name}={given!r} is not supported: take {only!r}, or scikit-learn's LinearSVC"
                )
        l1_ratio = {"l1": 1.0, "l2": 0.0}.get(self.penalty, self.l1_ratio)
        return smooth_problem(self, columns, SquaredHinge(), l1_ratio)


@with_parameters
class LinearSVCCV(SparseCoefMixin, ClassWeightParameters, ClassifierCV, SupportVectorMachine):
    """Linear support vector machine with C, and l1_ratio, chosen by cross-validation.

    The objective is that of `LinearSVC`, whose ``penalty="l1"`` is an l1_ratio of 1 and whose "l2"
    is one of 0. For each l1_ratio and each fold one path is fitted without the held-out rows, whose
    squared hinges are averaged over the folds; of more than two classes, each of which is told
    apart from the rest with the same C, over these as well.

    {parameters}

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
    intercept_ : ndarray of shape (1,) or (n_classes,)
    C_, l1_ratio_ : float
        Chosen by `rule`; the means of each fold's best with ``refit=False``.
    Cs_ : ndarray of shape (n_Cs,)
        Increasing; those of the chosen l1_ratio where they are made from the data.
    l1_ratios_ : ndarray of shape (n_l1_ratios,)
    alpha_, alpha_min_, alpha_1se_ : float
        Of the fit on all rows, in the unit of `path_` and `cv_result_`,
        ``alpha = 1 / (2 C sum(s))``: what `rule` chooses, and either rule.
    scores_ : ndarray of shape (n_folds, n_l1_ratios, n_Cs)
        Larger is better: minus the mean squared hinge, or scores by `scoring`.
    coefs_paths_ : ndarray of shape (n_folds, n_l1_ratios, n_Cs, 1 or n_classes, n_features + 1)
        Where `store_fold_coefs` says so; the intercept is last, if there is one.
    cv_result_ : CVResult
        Errors, their mean and standard error at the chosen l1_ratio.
    path_ : PathResult
        On all rows, at the chosen l1_ratio, of two classes or where `store_path` says so.
    dual_gap_ : float
        As of `LinearSVC`.
    converged_ : bool
    n_iter_ : int
        At `C_`, of the fit on all rows.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    See Also
    --------
    LinearSVC : Describes the objective and the method.
    LogisticRegressionCV : Has probabilities.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from skreg import LinearSVCCV
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = LinearSVCCV(alphas=50, l1_ratios=[1.0], standardize=True, rule="1se").fit(X, y)
    >>> int((model.coef_ != 0).sum()) < 20, model.score(X, y) > 0.95
    (True, True)
    """

    max_iter: int = 1000

    _loss_factor = 2.0
    _own_metric = mean_squared_hinge, MEAN_SQUARED_HINGE

    @all_or_nothing
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, **params: Any) -> Self:
        """Choose C (and l1_ratio) by cross-validation, then fit on all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowBlocks
            RowBlocks, and a collection of Dask, are read once for each of Newton's steps, in which
            all folds are fitted.
        y : array-like of shape (n_samples,)
            Classes of any kind; left out with RowBlocks, which have them. Folds are stratified
            unless `cv` says otherwise; those of RowBlocks come with the rows or are random.
        sample_weight : array-like of shape (n_samples,), float or None, default=None
            Used in the grid, the fits and the scores, and with ``fold_weights="size"`` in their
            mean over the folds.
        **params : dict
            Metadata for the splitter, such as `groups`, and the scorer, with metadata routing
            enabled.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the input or a parameter is invalid; nothing of the fit is then kept.
        """
        data = self._signed(X, y, sample_weight)
        weighted = data.class_weight is not None and len(data.classes) > 2
        if weighted and self.alphas is not None:
            raise ValueError(
                "alphas are weighed against a mean, which with class_weight is another for each of"
                " several classes: give Cs"
            )
        l1_ratios = shares_of_l1((0.0,) if self.l1_ratios is None else self.l1_ratios, "l1_ratios")
        chosen = self._choose(data, l1_ratios, params)
        self.n_iter_ = int(np.max(chosen.n_iter))
        return self

    def _loss(self) -> Loss:
        return SquaredHinge()

    def score(  # type: ignore[override]  # without an offset
        self, X: Any, y: Any, sample_weight: Any = None, **params: Any
    ) -> float:
        """Score by `scoring`, or the share of the rows whose class is predicted.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,) or None, default=None
        **params : dict
            Metadata for the scorer, with metadata routing enabled.

        Returns
        -------
        float
        """
        return super().score(X, y, sample_weight, None, **params)


@dataclass(frozen=True, eq=False, kw_only=True)
class OneAgainstTheRest(ClassData):
    """Data of several classes with weights, which of each problem the rows of its class have."""

    def bind(self, problem: Problem, precompute: Any = None) -> BoundProblem:
        """The problem with a part for each class."""
        each = enumerate(self._weights(self.own_weight))
        parts = tuple(problem.bind(self.X, self.y[:, k], weight, self.powers) for k, weight in each)
        return replace(super().bind(problem, precompute), parts=parts)

    @property
    def reweighted(self) -> Callable[[Array], Array]:
        """What rows of such weights count in the fit of each class on them alone."""
        return self._weights

    def _weights(self, weight: Array | None) -> Array:
        """The weights of the rows for each class, (n_classes, n_samples)."""
        plain = np.ones(len(self.codes)) if weight is None else weight
        given = self.class_weight, self.classes, self.codes, plain
        weighted = plain * class_factors_of_rows(*given)
        own = self.codes == np.arange(len(self.classes))[:, None]
        return np.where(own, weighted, plain)


def against_the_rest(data: ClassData) -> ClassData:
    """The same, where each class has its own weights of the rows."""
    if data.class_weight is None or len(data.classes) == 2:
        return data
    return OneAgainstTheRest(**{each.name: getattr(data, each.name) for each in fields(data)})
