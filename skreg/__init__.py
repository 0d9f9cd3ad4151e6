"""Regularised estimators for the scikit-learn user.

Lasso, ElasticNet and Ridge with scikit-learn's interface, their regularisation paths, the penalty
chosen by cross-validation, and the pictures; every answer carries its duality gap. Multilayer
perceptrons and convolutional networks with dropout and every other common way to regularise them.
"""

from .conversion import to_sklearn
from .linear import (
    ElasticNet,
    ElasticNetCV,
    GammaRegressor,
    GammaRegressorCV,
    GridEdgeWarning,
    HuberRegressor,
    HuberRegressorCV,
    Lasso,
    LassoCV,
    LinearSVC,
    LinearSVCCV,
    LogisticRegression,
    LogisticRegressionCV,
    Moments,
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
    RowBlocks,
    TweedieRegressor,
    TweedieRegressorCV,
    enet_path,
    lasso_path,
    regularization_path,
    ridge_path,
)
from .neural import ConvClassifier, ConvRegressor, MLPClassifier, MLPRegressor, WeightPenalty
from .paths.result import PathResult
from .plotting import (
    CoefficientDisplay,
    CVCurveDisplay,
    FilterDisplay,
    PenaltyGeometryDisplay,
    RegularizationPathDisplay,
    ShrinkageDisplay,
    TrainingHistoryDisplay,
    WeightHistogramDisplay,
)
from .report import report
from .selection.result import CVResult

__version__ = "0.1.0"

__all__ = [
    "CVCurveDisplay",
    "CVResult",
    "CoefficientDisplay",
    "ConvClassifier",
    "ConvRegressor",
    "ElasticNet",
    "ElasticNetCV",
    "FilterDisplay",
    "GammaRegressor",
    "GammaRegressorCV",
    "GridEdgeWarning",
    "HuberRegressor",
    "HuberRegressorCV",
    "Lasso",
    "LassoCV",
    "LinearSVC",
    "LinearSVCCV",
    "LogisticRegression",
    "LogisticRegressionCV",
    "MLPClassifier",
    "MLPRegressor",
    "Moments",
    "MultiTaskElasticNet",
    "MultiTaskElasticNetCV",
    "MultiTaskLasso",
    "MultiTaskLassoCV",
    "PathResult",
    "PenaltyGeometryDisplay",
    "PoissonRegressor",
    "PoissonRegressorCV",
    "RegularizationPathDisplay",
    "Ridge",
    "RidgeCV",
    "RidgeClassifier",
    "RidgeClassifierCV",
    "RowBlocks",
    "ShrinkageDisplay",
    "TrainingHistoryDisplay",
    "TweedieRegressor",
    "TweedieRegressorCV",
    "WeightHistogramDisplay",
    "WeightPenalty",
    "enet_path",
    "lasso_path",
    "regularization_path",
    "report",
    "ridge_path",
    "to_sklearn",
]
