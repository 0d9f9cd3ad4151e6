"""RidgeClassifier and RidgeClassifierCV: classes as targets of ridge regression."""

from __future__ import annotations

from functools import partial
from typing import Any, Self

from sklearn.metrics import get_scorer

from ..estimators.parameters import with_parameters
from ..selection.cross_validate import Metric
from .base import all_or_nothing
from .classifier import ClassifierBySign
from .parameters import ClassWeightParameters
from .ridge import RidgeModel
from .ridge_cv import RidgeCVModel
from .scoring import negated_class_scores, scorer_of
from .training_data import TrainingData


@with_parameters
class RidgeClassifier(ClassWeightParameters, RidgeModel, ClassifierBySign):
    """Classes told apart by ridge regression on -1 and 1.

    The objective is that of `Ridge`, with a target of 1 for the rows of a class and -1 for the
    rest, for the second of two classes or for each of several.

    {parameters}

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    coef_ : ndarray of shape (n_features,) or (n_classes, n_features)
    intercept_ : ndarray of shape (1,) or (n_classes,)
    dual_gap_ : float
        The largest of all classes; see `Ridge`.
    converged_ : bool
        Whether `dual_gap_` is at most `tol`.
    n_iter_ : ndarray of shape (1,) or (n_classes,)
        1 for direct solvers.
    solver_ : str
        The solver that was used.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Where X has names that are all strings.

    See Also
    --------
    RidgeClassifierCV : Chooses alpha by leave-one-out or K-fold cross-validation.
    LogisticRegression : Has probabilities.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from skreg import RidgeClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> round(RidgeClassifier().fit(X, y).score(X, y), 2)
    0.96
    """

    @all_or_nothing
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Classes of any kind.
        sample_weight : array-like of shape (n_samples,), float or None, default=None
            Weight k counts as the row k times, weight 0 as no row.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the input or a parameter is invalid, or the solver does not take the penalty.
        """
        data = self._signed(X, y, sample_weight)
        self._fit_ridge(data, self._alphas(range(data.y[:1].size)))
        self._keep_one_gap()
        return self


@with_parameters
class RidgeClassifierCV(ClassWeightParameters, RidgeCVModel, ClassifierBySign):
    """Ridge classifier with alpha chosen by cross-validation.

    The objective is that of `RidgeClassifier`. By default each alpha is judged by the exact
    leave-one-out error, as in `RidgeCV`; with `cv`, by the mean accuracy over folds.

    {parameters}

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    alpha_, alpha_min_, alpha_1se_ : float
        Chosen by `rule`; what either rule chooses. `alpha_1se_` is NaN where there is no standard
        error, of a single fold or where `scoring` judges leave-one-out.
    best_score_ : float
        Mean score of `alpha_`, of rows that were left out, or minus its criterion.
    coef_ : ndarray of shape (n_features,) or (n_classes, n_features)
    intercept_ : ndarray of shape (1,) or (n_classes,)
    alphas_ : ndarray of shape (n_alphas,)
        Decreasing.
    cv_result_ : CVResult
        Errors (negated scores) with mean and standard error.
    cv_results_ : ndarray of shape (n_samples, 1 or n_classes, n_alphas)
        With ``store_cv_results=True``: squared leave-one-out errors times the sample weights, or
        predictions where `scoring` is given, in the order of `alphas`.
    path_ : PathResult
        On all rows, where `store_path` says so.
    criterion_ : ndarray of shape (n_alphas,)
        With `rule` "aic", "bic" or "ebic".
    noise_variance_ : float
        That it was made with.
    dual_gap_ : float
    converged_ : bool
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    See Also
    --------
    RidgeCV : Describes the method.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from skreg import RidgeClassifierCV
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> bool(RidgeClassifierCV(scoring="accuracy").fit(X, y).best_score_ > 0.95)
    True
    """

    @all_or_nothing
    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Self:
        """Choose alpha by cross-validation and fit on all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Classes of any kind. Folds are stratified unless `cv` says otherwise.
        sample_weight : array-like of shape (n_samples,), float or None, default=None
            Used in the fits and in the scores. Leave-one-out leaves the row out whatever its
            weight.
        **params : dict
            Metadata for the scorer and the splitter, with metadata routing enabled.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the input or a parameter is invalid; nothing of the fit is then kept.
        """
        data = self._signed(X, y, sample_weight)
        self._fit_ridge(data, params)
        self._keep_one_gap()
        if hasattr(self, "cv_results_") and self.cv_results_.ndim == 2:
            self.cv_results_ = self.cv_results_[:, None]
        return self

    def _judge(self, data: TrainingData, score_params: dict[str, Any]) -> tuple[Metric, str]:
        if self.scoring is None and self._leaves_one_out:
            return super()._judge(data, score_params)
        scorer = get_scorer("accuracy") if self.scoring is None else scorer_of(self)
        scores = partial(negated_class_scores, scorer, score_params, data.labels, self.classes_)
        return scores, "accuracy" if self.scoring is None else str(self.scoring)
