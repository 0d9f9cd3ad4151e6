"""The linear estimators: validation at the boundary, the engine below, attributes out."""

from ..estimators.warnings import GridEdgeWarning
from .elastic_net import ElasticNet, Lasso
from .elastic_net_cv import ElasticNetCV, LassoCV
from .functions import enet_path, lasso_path, regularization_path, ridge_path
from .generalized import GammaRegressor, PoissonRegressor, TweedieRegressor
from .generalized_cv import GammaRegressorCV, PoissonRegressorCV, TweedieRegressorCV
from .huber import HuberRegressor, HuberRegressorCV
from .logistic import LogisticRegression
from .logistic_cv import LogisticRegressionCV
from .moments import Moments
from .multi_task import MultiTaskElasticNet, MultiTaskLasso
from .multi_task_cv import MultiTaskElasticNetCV, MultiTaskLassoCV
from .ridge import Ridge
from .ridge_classifier import RidgeClassifier, RidgeClassifierCV
from .ridge_cv import RidgeCV
from .row_blocks import RowBlocks
from .svm import LinearSVC, LinearSVCCV

__all__ = [
    "ElasticNet",
    "ElasticNetCV",
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
    "Moments",
    "MultiTaskElasticNet",
    "MultiTaskElasticNetCV",
    "MultiTaskLasso",
    "MultiTaskLassoCV",
    "PoissonRegressor",
    "PoissonRegressorCV",
    "Ridge",
    "RidgeCV",
    "RidgeClassifier",
    "RidgeClassifierCV",
    "RowBlocks",
    "TweedieRegressor",
    "TweedieRegressorCV",
    "enet_path",
    "lasso_path",
    "regularization_path",
    "ridge_path",
]
