"""The linear estimators: validation at the boundary, the engine below, attributes out."""

from ._warnings import GridEdgeWarning
from .cv import ElasticNetCV, LassoCV
from .elastic_net import ElasticNet
from .lasso import Lasso
from .paths import enet_path, lasso_path
from .regularization_path import regularization_path, ridge_path
from .ridge import Ridge
from .ridge_cv import RidgeCV

__all__ = [
    "ElasticNet",
    "ElasticNetCV",
    "GridEdgeWarning",
    "Lasso",
    "LassoCV",
    "Ridge",
    "RidgeCV",
    "enet_path",
    "lasso_path",
    "regularization_path",
    "ridge_path",
]
