"""LogisticRegression, for two classes and for more."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from functools import partial
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model._base import SparseCoefMixin
from sklearn.metrics import accuracy_score
from sklearn.utils._param_validation import Hidden, Interval, StrOptions

from ..data.products import Array
from ..estimators.parameters import SHARE, parameter, with_parameters
from ..estimators.runtime import warn
from ..objective.losses import Logistic, Loss, Multinomial
from ..paths.problem import Problem
from .base import WarmStarted, all_or_nothing, fit_at
from .block_data import BlockData, from_blocks
from .classifier import LinearClassifier
from .decisions import most_probable, probabilities
from .generalized import GeneralizedLinearModel
from .parameters import (
    ClassWeightParameters,
    RelaxParameters,
    SmoothLossParameters,
    UselessParameters,
)
from .problems import shares_of_l1, smooth_problem, with_relax
from .reweighting import ReweightedParameters

SCIKIT_LEARN_S = {"lbfgs", "liblinear", "newton-cg", "newton-cholesky", "sag", "saga", "newton-cd"}
PENALTIES = {"l1", "l2", "elasticnet"}


@with_parameters
class LogisticParameters(
    ReweightedParameters, ClassWeightParameters, UselessParameters, SmoothLossParameters
):
    """Of both estimators: scikit-learn's, most of which change nothing of a certified answer."""

    penalty: str | None = parameter(
        default="deprecated",
        constraint=[StrOptions(PENALTIES), None, Hidden(StrOptions({"deprecated"}))],
        kind='{"l1", "l2", "elasticnet"} or None',
        meaning="""
        Deprecated, as in scikit-learn 1.8: "l2" is an L1 share of 0, "l1" of 1, and None is
        ``C=np.inf``.
        """,
        kw_only=False,
    )
    solver: str = parameter(
        default="lbfgs",
        constraint=[StrOptions(SCIKIT_LEARN_S)],
        kind="str",
        meaning="For compatibility: each of scikit-learn's names gives the same certified answer.",
    )
    dual: bool = parameter(default=False, meaning="For compatibility, without effect.")

    def _warn_of_penalty(self) -> None:
        if self.penalty != "deprecated":
            warn(
                "'penalty' was deprecated in version 1.8 and will be removed in 1.10 of"
                " scikit-learn: leave it out, and use l1_ratio=0 instead of penalty='l2', 1"
                " instead of 'l1', a number between instead of 'elasticnet', and C=np.inf instead"
                " of penalty=None.",
                FutureWarning,
            )

    def _shares_of_l1(self, given: Any, name: str) -> Array:
        """The L1 shares to try, which `penalty` decides where it is still given."""
        if given is None and self.penalty == "elasticnet":
            raise ValueError(f"{name} must be specified when penalty is elasticnet.")
        shares = np.zeros(1) if given is None else shares_of_l1(given, name)
        decided = {"l1": 1.0, "l2": 0.0}.get(str(self.penalty))
        if decided is None:
            return shares
        if np.any((shares != 0.0) & (shares != decided)):
            warn(
                f"Inconsistent values: penalty={self.penalty} with {name}={given}: the penalty"
                " decides."
            )
        return np.array([decided])


class LogisticClassifier(
    SparseCoefMixin, LogisticParameters, GeneralizedLinearModel, LinearClassifier
):
    """Base of the models of the probabilities of classes."""

    def _loss(self) -> Loss:
        return Logistic() if len(self.classes_) == 2 else Multinomial()

    def _checked(self, X: Any, y: Any, sample_weight: Any, offset: Any) -> Any:
        check = partial(BlockData.check, self, loss=None, class_weight=self.class_weight)
        data: Any = from_blocks(self, X, y, sample_weight, offset, check)
        if data is not None:
            self.classes_ = data.classes
            data = data.of_loss(self._loss())
        else:
            data = super()._checked(X, y, sample_weight, offset)
        self._fitted_with_offset = offset is not None
        self._warn_of_penalty()
        return data

    def decision_function(self, X: Any, offset: Any = None) -> NDArray[Any]:
        """The linear predictor: the log-odds of the second of two classes, else one a class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        offset : array-like of shape (n_samples,) or (n_samples, n_classes), or None, default=None
            Needed where the model was fitted with one.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
        """
        return self._shifted_predictor(X, offset)

    def predict(self, X: Any, offset: Any = None) -> NDArray[Any]:
        """Most probable class of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        offset : array-like of shape (n_samples,) or (n_samples, n_classes), or None, default=None

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        eta = self.decision_function(X, offset)
        return most_probable(self.classes_, eta)

    def score(self, X: Any, y: Any, sample_weight: Any = None, offset: Any = None) -> float:
        """Share of the rows whose class is predicted.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,) or None, default=None
        offset : array-like of shape (n_samples,) or (n_samples, n_classes), or None, default=None

        Returns
        -------
        float
        """
        return float(accuracy_score(y, self.predict(X, offset), sample_weight=sample_weight))

    def predict_proba(self, X: Any, offset: Any = None) -> NDArray[Any]:
        """Probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        offset : array-like of shape (n_samples,) or (n_samples, n_classes), or None, default=None

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        eta = self.decision_function(X, offset)
        return probabilities(self._loss(), eta)

    def predict_log_proba(self, X: Any, offset: Any = None) -> NDArray[Any]:
        """Logarithm of `predict_proba`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        offset : array-like of shape (n_samples,) or (n_samples, n_classes), or None, default=None

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X, offset))


@with_parameters
class LogisticRegression(RelaxParameters, WarmStarted, LogisticClassifier):
    """Probabilities of classes: logistic regression with L1 and squared L2 penalties.

    Minimises, with scikit-learn's scaling (a sum, the weights s as they are) and v the penalty
    factors, for two classes y of 0 and 1 and eta_i = o_i + b + x_i w

        sum_i s_i (log(1 + exp(eta_i)) - y_i eta_i)
            + 1/C sum_j v_j (l1_ratio |w_j| + (1 - l1_ratio)/2 w_j^2)

    subject to ``lower_bound <= w <= upper_bound``. For more classes the loss is that of the
    multinomial model, with a linear predictor a class, and all coefficients are penalised.

    {parameters}

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
    intercept_ : ndarray of shape (1,) or (n_classes,)
    alpha_ : float
        In the unit of `regularization_path`, ``1 / (C sum(s))``.
    dual_gap_ : float
        Upper bound of how far the objective is above its minimum, divided by the deviance of the
        intercept alone: the unit of `tol`.
    converged_ : bool
        Whether `dual_gap_` is at most `tol`.
    n_iter_ : ndarray of shape (1,)
        Newton steps.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Where X has names that are all strings.

    See Also
    --------
    LogisticRegressionCV : Chooses C and l1_ratio by cross-validation.
    regularization_path : The whole path, with intercepts and gaps; alpha is ``1 / (C sum(s))``.

    Notes
    -----
    A proximal Newton method (Lee, Sun and Saunders, SIAM J. Optim. 24(3), 2014) on a working set of
    features, whose model with the penalty the active-set method of `Lasso` minimises. The duality
    gap is taken at the residual of the last model. With ``C=np.inf`` and classes that a plane
    separates there is no minimum: coefficients grow until the loss has no digits left. So they do
    with `concave`, whose penalty ends, and an `l1_ratio` of 1, where few features separate them.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from skreg import LogisticRegression
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = LogisticRegression(C=0.1, l1_ratio=1, standardize=True).fit(X, y)
    >>> int((model.coef_ != 0).sum()), bool(model.dual_gap_ < 1e-9)
    (8, True)
    """

    C: float = parameter(
        default=1.0,
        constraint=[Interval(numbers.Real, 0, None, closed="right")],
        kind="float",
        meaning="Inverse strength of the penalty, > 0; ``np.inf`` is none.",
    )
    l1_ratio: float | None = parameter(
        default=0.0,
        constraint=[SHARE, Hidden(None)],
        kind="float",
        meaning="Share of the L1 penalty, in [0, 1].",
    )
    n_jobs: int | None = parameter(
        default=None,
        constraint=[numbers.Integral, None],
        kind="int or None",
        meaning="For compatibility, without effect.",
    )

    @all_or_nothing
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, offset: Any = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowBlocks
            RowBlocks, and a collection of Dask, are read once for each of Newton's steps.
        y : array-like of shape (n_samples,)
            Classes of any kind; left out with RowBlocks, which have them.
        sample_weight : array-like of shape (n_samples,), float or None, default=None
            Weight k counts as the row k times, weight 0 as no row.
        offset : array-like of shape (n_samples,), of more than two classes (n_samples, n_classes),\
 or None, default=None
            What is added to the linear predictor of each row.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the input or a parameter is invalid; nothing of the fit is then kept.
        """
        data = self._checked(X, y, sample_weight, offset)
        if self.penalty is None and self.C != 1.0:
            warn(f"Setting penalty=None will ignore the C: got C={self.C}.")
        alpha = 0.0 if self.penalty is None else 1.0 / (self.C * data.total_weight)
        bound = data.bind(self._problem(data.columns))
        point = fit_at(bound, alpha, self._start(bound))
        self._keep_fit(point, data.shape, bound.loss)
        self._in_two_dimensions()
        self.alpha_ = float(alpha)
        self.n_iter_ = np.array([point.n_iter.max()], dtype=np.int32)
        return self

    def _problem(self, columns: Sequence[Any]) -> Problem:
        if self.l1_ratio is None:
            warn(
                "'l1_ratio=None' was deprecated in version 1.8 of scikit-learn: leave it out.",
                FutureWarning,
            )
        (l1_ratio,) = self._shares_of_l1(self.l1_ratio, "l1_ratio")
        problem = smooth_problem(self, columns, self._loss(), float(l1_ratio))
        return with_relax(problem, self.relax)
