"""A fitted estimator as scikit-learn's own, for tools that know estimators by their classes."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import sklearn.linear_model
import sklearn.neural_network
import sklearn.svm
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import LabelBinarizer

from .linear import (
    ElasticNet,
    ElasticNetCV,
    GammaRegressor,
    GammaRegressorCV,
    HuberRegressor,
    HuberRegressorCV,
    Lasso,
    LassoCV,
    LinearSVC,
    LinearSVCCV,
    LogisticRegression,
    LogisticRegressionCV,
    MultiTaskElasticNet,
    MultiTaskElasticNetCV,
    MultiTaskLasso,
    MultiTaskLassoCV,
    PoissonRegressor,
    PoissonRegressorCV,
    Ridge,
    RidgeClassifier,
    RidgeClassifierCV,
    RidgeCV,
    TweedieRegressor,
    TweedieRegressorCV,
)
from .neural import ConvClassifier, ConvRegressor, MLPClassifier, MLPRegressor
from .neural.running import architecture_of

# The first class of an estimator's ancestry that is one of these names its twin.
_TWINS: dict[type, Any] = {
    **{
        kind: getattr(sklearn.linear_model, kind.__name__)
        for kind in (
            Lasso,
            ElasticNet,
            Ridge,
            LassoCV,
            ElasticNetCV,
            RidgeCV,
            MultiTaskLasso,
            MultiTaskElasticNet,
            MultiTaskLassoCV,
            MultiTaskElasticNetCV,
            LogisticRegression,
            LogisticRegressionCV,
            PoissonRegressor,
            GammaRegressor,
            TweedieRegressor,
            HuberRegressor,
            RidgeClassifier,
            RidgeClassifierCV,
        )
    },
    # There is none that chooses a penalty: the twin has the one that was chosen.
    PoissonRegressorCV: sklearn.linear_model.PoissonRegressor,
    GammaRegressorCV: sklearn.linear_model.GammaRegressor,
    TweedieRegressorCV: sklearn.linear_model.TweedieRegressor,
    HuberRegressorCV: sklearn.linear_model.HuberRegressor,
    LinearSVC: sklearn.svm.LinearSVC,
    LinearSVCCV: sklearn.svm.LinearSVC,
    MLPClassifier: sklearn.neural_network.MLPClassifier,
    MLPRegressor: sklearn.neural_network.MLPRegressor,
}
# Where scikit-learn's meta-estimators keep fitted estimators, beside their parameters.
_INSIDE = (
    "transformers_",
    "estimator",  # of a calibrated classifier
    "estimator_",
    "best_estimator_",
    "regressor_",
    "final_estimator_",
    "estimators_",
    "named_estimators_",
    "calibrated_classifiers_",
    "scorer_",
    "_estimator",  # of a scorer
)
_PLAIN = (np.ndarray, np.generic, int, float, str, list, type(None))


def to_sklearn(estimator: Any) -> Any:
    """Convert a fitted estimator into scikit-learn's of the same name, which predicts the same.

    Exporters and explainers (skl2onnx, m2cgen, eli5, skops and others) look an estimator up by its
    class. What they make of the twin is what they would make of the estimator. The twin keeps the
    coefficients or weights, and the parameters and fitted attributes that scikit-learn has too; it
    can be pickled and used where skreg is not installed. Of a model that was fitted with an offset
    it predicts at an offset of zero, since it knows none.

    Parameters
    ----------
    estimator : fitted estimator of skreg, or a Pipeline, search or ensemble of scikit-learn
        Within such a one every estimator of skreg is converted. Others stay as they are. The grid
        of a search loses parameters that only skreg has.

    Returns
    -------
    estimator
        A new one; the one given is not changed, and the two share their arrays.

    Raises
    ------
    NotFittedError
        An estimator of skreg is not fitted.
    ValueError
        scikit-learn has no network with such layers.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> import skreg
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = make_pipeline(StandardScaler(), skreg.LassoCV()).fit(X, y)
    >>> type(skreg.to_sklearn(model)[-1])
    <class 'sklearn.linear_model._coordinate_descent.LassoCV'>
    """
    if _twin_of(estimator) and not hasattr(estimator, "n_features_in_"):
        raise NotFittedError(f"this {type(estimator).__name__} is not fitted: call fit first")
    return _converted(estimator)


def _twin_of(value: Any) -> Any:
    return next((_TWINS[kind] for kind in type(value).__mro__ if kind in _TWINS), None)


def _converted(value: Any) -> Any:
    """Convert an estimator and those it holds, or the estimators of a container."""
    if type(value) in (list, tuple):
        return type(value)(_converted(item) for item in value)
    if isinstance(value, np.ndarray) and value.dtype == object:
        items = np.empty(value.shape, dtype=object)
        items.ravel()[:] = [_converted(item) for item in value.ravel()]
        return items
    if isinstance(value, dict):
        table = copy.copy(value)
        table.update({key: _converted(item) for key, item in value.items()})
        return table
    kind = _twin_of(value)
    if kind is not None:
        return _twin(value, kind)
    if isinstance(value, ConvClassifier | ConvRegressor):
        raise ValueError("scikit-learn has no convolutional networks")
    names = set(_INSIDE) & set(getattr(value, "__dict__", ()))
    if hasattr(value, "get_params") and not isinstance(value, type):
        names |= set(value.get_params(deep=False))
    if not names:
        return value
    converted = copy.copy(value)
    for name in names:
        setattr(converted, name, _converted(getattr(value, name)))
    for name in names & {"param_grid", "param_distributions"}:
        lost = set(value.estimator.get_params()) - set(converted.estimator.get_params())
        setattr(converted, name, _without(lost, getattr(converted, name)))
    same = all(getattr(converted, name) is getattr(value, name) for name in names)
    return value if same else converted


def _without(lost: set[str], grid: Any) -> Any:
    """A grid, or several, without parameters that the twin does not have."""
    if isinstance(grid, dict):
        return {name: values for name, values in grid.items() if name not in lost} if lost else grid
    return [_without(lost, each) for each in grid]


def _twin(estimator: Any, kind: Any) -> Any:
    twin = kind()
    # A method of fitting that only skreg has would be refused when the twin is fitted again.
    kept = set(twin.get_params(deep=False)) - {"solver", "precompute", "penalty"}
    twin.set_params(**{key: getattr(estimator, key) for key in kept if hasattr(estimator, key)})
    if isinstance(estimator, RidgeClassifier | RidgeClassifierCV):
        twin._label_binarizer = LabelBinarizer(pos_label=1, neg_label=-1).fit(estimator.classes_)
    for key, value in vars(estimator).items():
        if isinstance(getattr(kind, key, None), property):  # made of others
            continue
        if key.endswith("_") and not key.startswith("_") and isinstance(value, _PLAIN):
            setattr(twin, key, value)
    if hasattr(estimator, "coefs_"):
        _complete_network(estimator, twin)
    if isinstance(twin, sklearn.linear_model.TweedieRegressor):
        _as_fitted(twin, getattr(estimator._own_loss, "power", 0.0))
    if hasattr(twin, "_get_loss"):
        twin._base_loss = twin._get_loss()  # the link by which it predicts
    for name in {"alpha", "C"} & twin.get_params().keys():  # that was chosen
        setattr(twin, name, getattr(estimator, f"{name}_", getattr(twin, name)))
    return twin


def _as_fitted(twin: Any, power: float) -> None:
    """Set power and link to those of the fit, where others were set after it."""
    if twin.power != power:
        twin.power = power
    if twin.link != ("log" if power else "identity"):
        twin.link = "auto"


def _complete_network(estimator: Any, twin: Any) -> None:
    """Set what scikit-learn's network predicts by, beyond weights and biases."""
    if hasattr(estimator, "norm_scales_"):
        kind = "batch" if hasattr(estimator, "running_means_") else "layer"
        raise ValueError(f"normalization={kind!r} has no counterpart in scikit-learn")
    twin.activation = architecture_of(estimator).activation
    if hasattr(estimator, "classes_"):
        several = estimator.out_activation_ == "logistic" and estimator.n_outputs_ > 1
        labels = np.eye(estimator.n_outputs_, dtype=int) if several else estimator.classes_
        twin._label_binarizer = LabelBinarizer().fit(labels)
    elif estimator.out_activation_ == "exp" and "loss" not in twin.get_params():
        raise ValueError("loss='poisson' needs scikit-learn 1.7 or later")
    if getattr(twin, "loss", None) not in (None, "squared_error", "poisson"):
        twin.loss = "squared_error"  # it decides nothing when the twin predicts
