"""LogisticRegressionCV: C and l1_ratio chosen by cross-validation."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils._param_validation import Hidden, StrOptions

from ..estimators.parameters import parameter, with_parameters
from ..selection.cross_validate import log_loss
from ..selection.result import LOG_LOSS
from .base import all_or_nothing
from .class_cv import ClassifierCV
from .logistic import LogisticClassifier
from .parameters import RelaxCVParameters


@with_parameters
class LogisticRegressionCV(RelaxCVParameters, ClassifierCV, LogisticClassifier):
    """Logistic regression with C, and l1_ratio, chosen by cross-validation.

    The objective is that of `LogisticRegression`. For each l1_ratio and each fold one path is
    fitted without the held-out rows, whose log-losses are averaged over the folds.

    {parameters}

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
    intercept_ : ndarray of shape (1,) or (n_classes,)
    C_, l1_ratio_ : float
        Chosen by `rule`; the means of each fold's best with ``refit=False``. Arrays of one entry,
        or one a class, with ``use_legacy_attributes=True``.
    relax_ : float
        Share of the penalised fit that is chosen with them, where `relax` is not False.
    Cs_ : ndarray of shape (n_Cs,)
        Increasing; those of the chosen l1_ratio where they are made from the data.
    l1_ratios_ : ndarray of shape (n_l1_ratios,)
    alpha_, alpha_min_, alpha_1se_ : float
        Of the fit on all rows, in the unit of `path_` and `cv_result_`, ``alpha = 1 / (C sum(s))``:
        what `rule` chooses, and either rule.
    scores_ : ndarray of shape (n_folds, n_l1_ratios, n_Cs)
        Larger is better: minus the log-loss, scores by `scoring`, or minus `criterion_`. With
        ``use_legacy_attributes=True`` a dict of arrays of shape (n_folds, n_Cs), or
        (n_folds, n_Cs, n_l1_ratios), the same for each class.
    coefs_paths_ : ndarray of shape (n_folds, n_l1_ratios, n_Cs, 1 or n_classes, n_features + 1)
        Where `store_fold_coefs` says so; the intercept is last, if there is one. A dict by class
        with ``use_legacy_attributes=True``.
    cv_result_ : CVResult
        Errors, their mean and standard error at the chosen l1_ratio.
    path_ : PathResult
        On all rows, at the chosen l1_ratio, where `store_path` says so and ``refit=True``.
    criterion_ : ndarray of shape (n_Cs,)
        With `rule` "aic", "bic" or "ebic", at the chosen l1_ratio.
    dual_gap_ : float
        Relative to the deviance of the intercept alone, the unit of `tol`.
    converged_ : bool
    n_iter_ : ndarray of shape (1,)
        At `C_`, of the fit on all rows.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    See Also
    --------
    LogisticRegression : Describes the objective and the method.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from skreg import LogisticRegressionCV
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = LogisticRegressionCV(alphas=50, l1_ratios=[1.0], standardize=True, rule="1se")
    >>> model = model.fit(X, y)
    >>> int((model.coef_ != 0).sum()) < 15, model.score(X, y) > 0.97
    (True, True)
    """

    l1_ratios: ArrayLike | None = parameter(
        default=(0.0,),
        constraint=["array-like", None, Hidden(StrOptions({"warn"}))],
        kind="array-like of shape (n_l1_ratios,)",
        meaning="Shares of the L1 penalty to try, each in [0, 1].",
    )
    use_legacy_attributes: bool | str = parameter(
        default=False,
        constraint=["boolean", Hidden(StrOptions({"warn"}))],
        kind="bool",
        meaning="Whether attributes have the form that they had before scikit-learn 1.10.",
    )

    _own_metric = log_loss, LOG_LOSS

    @all_or_nothing
    def fit(
        self, X: Any, y: Any = None, sample_weight: Any = None, offset: Any = None, **params: Any
    ) -> Self:
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
        offset : array-like of shape (n_samples,), of more than two classes (n_samples, n_classes),\
 or None, default=None
            What is added to the linear predictor of each row.
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
        data = self._checked(X, y, sample_weight, offset)
        if self.penalty is None:
            raise ValueError("penalty=None leaves nothing to choose: use LogisticRegression")
        given_ratios = None if isinstance(self.l1_ratios, str) else self.l1_ratios
        l1_ratios = self._shares_of_l1(given_ratios, "l1_ratios")
        chosen = self._choose(data, l1_ratios, params)
        self.n_iter_ = np.array([np.max(chosen.n_iter)], dtype=np.int32)
        if self.use_legacy_attributes is True:
            self._keep_legacy()
        return self

    def _keep_legacy(self) -> None:
        """The attributes as they were before scikit-learn 1.10."""
        classes = self.classes_[1:] if len(self.classes_) == 2 else self.classes_
        scores = self.scores_.transpose(0, 2, 1)
        many = len(self.l1_ratios_) > 1
        self.scores_ = dict.fromkeys(classes, scores if many else scores[:, :, 0])
        self.C_, self.l1_ratio_ = (np.full(len(classes), one) for one in (self.C_, self.l1_ratio_))
        if hasattr(self, "coefs_paths_"):
            paths = self.coefs_paths_.transpose(3, 0, 2, 1, 4)
            self.coefs_paths_ = {
                each: own if many else own[:, :, 0]
                for each, own in zip(classes, paths, strict=True)
            }
